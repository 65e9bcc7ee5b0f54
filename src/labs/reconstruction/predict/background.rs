//! Prediction for the window: on a thread of its own with a CPU device of its own. Plain results come by channel.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::Found;
use super::Predictor;
use super::inputs::find;
use super::job::{predict_all, reader};
use super::weights_source::WeightsSource;
use crate::compute::device::{self, DeviceChoice};
use crate::kit::predict::{self, PredictEvent, PredictRequest};
use crate::watch::Watch;

/// Bytes of maps that are handed to the window; what comes after them are rows alone.
const MOST_BYTES: usize = 512 << 20;

/// What is to be predicted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// A file, or the folder of a run.
    pub weights: PathBuf,
    /// Files and folders.
    pub data: Vec<PathBuf>,
    /// With occlusion maps.
    pub occlusion: bool,
}

/// What a thread says.
#[derive(Debug)]
pub enum Told {
    /// What is used, and how many photographs will be looked at.
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

/// Predicts photographs; `wake` is called whenever there is something to take.
pub fn start_prediction(wanted: Wanted, wake: impl Fn() + Send + 'static) -> Job {
    Job::start("prediction", wake, Told::Done, move |say, cancel| predict(&wanted, say, cancel))
}

/// Does the same once more and saves everything below `folder`, under a new name.
pub fn start_saving(wanted: Wanted, threshold: f64, folder: PathBuf, wake: impl Fn() + Send + 'static) -> Job {
    let work = move |say: &dyn Fn(Told), cancel: &AtomicBool| save(&wanted, threshold, &folder, say, cancel);
    Job::start("saving predictions", wake, Told::Done, work)
}

fn predict(wanted: &Wanted, say: &dyn Fn(Told), cancel: &AtomicBool) -> Result<String, String> {
    let source = WeightsSource::open(&wanted.weights).map_err(|error| error.to_string())?;
    let watch = Watch { progress: &|_, _| {}, cancel };
    let inputs = find(&wanted.data, watch).map_err(|error| error.to_string())?;
    let device = device::cpu();
    let net = source.build(&device).map_err(|error| error.to_string())?;
    let (files, about_files) = reader(&inputs, &source.white, watch);
    let predictor = Predictor::new(net, source.spec, source.trained, source.parts.clone().ok(), device);
    let lines = [source.describe(), inputs.lines.clone(), about_files].concat();
    say(Told::Begun { lines, total: inputs.items.len() });
    let mut bytes = 0;
    for item in &inputs.items {
        if cancel.load(Ordering::Relaxed) {
            break;
        }
        let Some(mut found) = predictor.predict(item, &files, wanted.occlusion, &[])? else { continue };
        if let Some(maps) = &found.maps {
            found.row.most_occlusion = maps.most_occlusion();
            bytes += 14 * maps.size * maps.size;
        }
        if bytes > MOST_BYTES {
            found.maps = None;
        }
        say(Told::One(Box::new(found)));
    }
    Ok(String::new())
}

fn save(
    wanted: &Wanted,
    threshold: f64,
    folder: &Path,
    say: &dyn Fn(Told),
    cancel: &AtomicBool,
) -> Result<String, String> {
    let out = fresh(folder);
    let request = PredictRequest {
        weights: wanted.weights.clone(),
        out: out.clone(),
        set: vec![
            format!("threshold={threshold}"),
            format!("occlusions={}", if wanted.occlusion { "on" } else { "off" }),
        ],
        device: DeviceChoice::Cpu,
        ..PredictRequest::default()
    };
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
