//! Prediction for the window: on a thread of its own with a CPU device of its own. Plain results come by channel.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::Session;
use super::inputs::find;
use super::job::predict_all;
use super::report::Found;
use super::weights_source::WeightsSource;
use crate::compute::device::{self, DeviceChoice};
use crate::kit::predict::{self, PredictError, PredictEvent, PredictRequest};
use crate::watch::Watch;

/// Bytes of images and texts that are handed to the window; what comes after them are rows alone.
const MOST_BYTES: usize = 512 << 20;

/// What is to be predicted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// A file, or the folder of a run.
    pub weights: PathBuf,
    /// Files and folders.
    pub data: Vec<PathBuf>,
    /// The report that was typed; empty: those of the data.
    pub text: String,
}

/// What a thread says.
#[derive(Debug)]
pub enum Told {
    /// What is used, and how many pairs will be looked at.
    Begun {
        lines: Vec<String>,
        total: usize,
    },
    One(Box<Found>),
    /// So many are saved.
    Saved(usize),
    /// The end. What was saved or why it broke off, where there is something to say.
    Done(Result<String, String>),
}

/// A prediction, or results that are being saved.
pub type Job = predict::Job<Told>;

/// Predicts pairs; `wake` is called whenever there is something to take.
pub fn start_prediction(wanted: Wanted, wake: impl Fn() + Send + 'static) -> Job {
    let work = move |say: &dyn Fn(Told), cancel: &AtomicBool| {
        predict(&wanted, say, cancel).map(|()| String::new()).map_err(|error| error.to_string())
    };
    Job::start("prediction", wake, Told::Done, work)
}

/// Does the same once more and saves everything below `folder`, under a new name.
pub fn start_saving(wanted: Wanted, folder: PathBuf, wake: impl Fn() + Send + 'static) -> Job {
    let work = move |say: &dyn Fn(Told), cancel: &AtomicBool| save(&wanted, &folder, say, cancel);
    Job::start("saving predictions", wake, Told::Done, work)
}

fn predict(wanted: &Wanted, say: &dyn Fn(Told), cancel: &AtomicBool) -> Result<(), PredictError> {
    let source = WeightsSource::open(&wanted.weights)?;
    let watch = Watch { progress: &|_, _| {}, cancel };
    let inputs = find(&wanted.data, &wanted.text, &source.params, watch)?;
    let session = Session::open(&source, &source.params, (inputs, &[]), &device::cpu(), watch)?;
    let total = session.inputs.items.len();
    say(Told::Begun { lines: [source.describe(), session.inputs.lines.clone()].concat(), total });
    let mut bytes = 0;
    for i in 0..total {
        if cancel.load(Ordering::Relaxed) {
            break;
        }
        let mut found = session.look(i, true).map_err(PredictError::Work)?;
        bytes += size_of(&found);
        if bytes > MOST_BYTES {
            found.square = None;
            found.judged.iter_mut().for_each(|judged| judged.looks = None);
        }
        say(Told::One(Box::new(found)));
    }
    Ok(())
}

/// Bytes of what can be left out, about.
fn size_of(found: &Found) -> usize {
    let looks = found.judged.as_ref().and_then(|judged| judged.looks.as_ref());
    found.square.as_ref().map_or(0, |square| square.image.len()) + looks.map_or(0, |looks| 8 * looks.weights.len())
}

fn save(wanted: &Wanted, folder: &Path, say: &dyn Fn(Told), cancel: &AtomicBool) -> Result<String, String> {
    let out = fresh(folder);
    let set = if wanted.text.trim().is_empty() { Vec::new() } else { vec![format!("text={}", wanted.text)] };
    let (weights, device) = (wanted.weights.clone(), DeviceChoice::Cpu);
    let request = PredictRequest { weights, out: out.clone(), set, device, ..PredictRequest::default() };
    let mut heard = |event: PredictEvent| {
        if let PredictEvent::File { done, .. } = event {
            say(Told::Saved(done));
        }
    };
    predict_all(&request, &wanted.data, cancel, &mut heard).map_err(|error| error.to_string())?;
    Ok(format!("saved in {}", out.display()))
}

/// A name below `folder` that nothing has yet.
fn fresh(folder: &Path) -> PathBuf {
    let mut out = folder.join("predictions");
    let mut number = 2;
    while out.exists() {
        out = folder.join(format!("predictions-{number}"));
        number += 1;
    }
    out
}
