//! Predictions of single images for the brush: a thread that holds the network of the newest checkpoint, proposes a mask for the
//! image that is open, and scores a whole folder for the queue in between. Plain data goes in and comes out.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::SystemTime;

use super::doubt::{Doubt, mirrored, mirrored_mask};
use super::weights_source::WeightsSource;
use super::{Prediction, Predictor, measure, too_large};
use crate::compute::device;
use crate::data::picture_file::White;
use crate::data::segmentation::Watch;
use crate::data::segmentation::lesion::Lesion;
use crate::data::segmentation::listing::Listing;
use crate::data::segmentation::read::{Picture, Reader, Rules};
use crate::engine::checkpoint_file;
use crate::kit::predict::guarded;
use crate::labs::segmentation::pipeline::Pipeline;
use crate::pixels::mask::Mask;

/// A mask that a network proposes.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// At the size of the image as it was read.
    pub mask: Mask,
    /// Which network said so, in words: `best weights, checkpoint of step 250`.
    pub said: String,
}

/// What is known of an image by which it is queued.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    pub doubt: Doubt,
    /// Against the mask that it has; `None`: it has none.
    pub dice: Option<f64>,
}

/// A folder and how its files are read.
#[derive(Debug, Clone)]
pub struct Source {
    /// The folder of a run, or a file of weights.
    pub weights: PathBuf,
    pub listing: Arc<Listing>,
    pub lesion: Lesion,
    /// `None`: not known yet, and found out.
    pub rules: Option<Rules>,
}

/// What the thread is to do.
enum Order {
    Propose(Source, PathBuf),
    Score(Source, Vec<PathBuf>),
}

/// What the thread has done.
#[derive(Debug)]
pub enum Told {
    Proposed(PathBuf, Result<Proposal, String>),
    Scored(PathBuf, Result<Scored, String>),
    /// All are scored, or it was stopped; of which network, or why not.
    Over(Result<String, String>),
}

/// The thread, begun when it is first asked.
#[derive(Debug, Default)]
pub struct Proposer {
    thread: Option<(Sender<Order>, Receiver<Told>)>,
    /// Stops the scoring that goes on.
    stop: Arc<AtomicBool>,
}

impl Drop for Proposer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Proposer {
    /// Asks for the mask of an image; `wake` is called whenever there is something to take.
    pub fn propose(&mut self, source: Source, image: PathBuf, wake: impl Fn() + Send + 'static) {
        self.send(Order::Propose(source, image), wake);
    }

    /// Asks for the scores of images, in this order.
    pub fn score(&mut self, source: Source, images: Vec<PathBuf>, wake: impl Fn() + Send + 'static) {
        self.stop.store(false, Ordering::Relaxed);
        self.send(Order::Score(source, images), wake);
    }

    /// Stops scoring; what is scored stays.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn send(&mut self, order: Order, wake: impl Fn() + Send + 'static) {
        let order = match &self.thread {
            Some((orders, _)) => match orders.send(order) {
                Ok(()) => return,
                // It has ended in some panic: another one is begun.
                Err(refused) => refused.0,
            },
            None => order,
        };
        let ((orders, todo), (say, told)) = (channel(), channel());
        let (stop, failed) = (self.stop.clone(), say.clone());
        let work = move || {
            carry_out(&todo, &stop, &|report| {
                // Nobody misses it where the window is gone.
                let _ = say.send(report);
                wake();
            })
        };
        if let Err(error) = thread::Builder::new().name("proposals".to_owned()).spawn(work) {
            let _ = failed.send(Told::Over(Err(format!("no thread can be started: {error}"))));
        }
        let _ = orders.send(order);
        self.thread = Some((orders, told));
    }

    /// What was said since; never waits.
    pub fn poll(&self) -> Vec<Told> {
        self.thread.iter().flat_map(|(_, told)| told.try_iter()).collect()
    }
}

/// What weights are by now: another checkpoint or file is another network.
type Stamp = (PathBuf, Option<SystemTime>);

/// A network with what it was read from. Holds tensors: it stays on the thread.
struct Held {
    stamp: Stamp,
    predictor: Predictor,
    pipeline: Pipeline,
    said: String,
    /// With the folder that it is of, and how that is read.
    reader: Option<(Source, Reader)>,
    /// What was white in training; empty: nobody knows.
    white: White,
}

/// A scoring that goes on.
struct Scoring {
    source: Source,
    images: VecDeque<PathBuf>,
}

fn carry_out(todo: &Receiver<Order>, stop: &AtomicBool, say: &dyn Fn(Told)) {
    let mut held: Option<Held> = None;
    let mut scoring: Option<Scoring> = None;
    loop {
        // While nothing is scored it waits; else it looks what is asked for between two images.
        let order = if scoring.is_some() {
            todo.try_recv().ok()
        } else {
            match todo.recv() {
                Ok(order) => Some(order),
                Err(_) => return,
            }
        };
        match order {
            Some(Order::Propose(source, image)) => {
                // While a folder is scored its network stays.
                let found =
                    network(&mut held, &source, scoring.is_some()).and_then(|held| propose(held, &source, &image));
                say(Told::Proposed(image, found));
                continue;
            }
            Some(Order::Score(source, images)) => {
                match network(&mut held, &source, false) {
                    Ok(_) => scoring = Some(Scoring { source, images: images.into() }),
                    Err(error) => say(Told::Over(Err(error))),
                }
                continue;
            }
            None => {}
        }
        let Some(Scoring { source, images }) = &mut scoring else { continue };
        let next = if stop.load(Ordering::Relaxed) { None } else { images.pop_front() };
        // All of them by one network, whatever the training writes meanwhile.
        match (next, network(&mut held, source, true)) {
            (Some(image), Ok(held)) => {
                let found = score(held, source, &image);
                say(Told::Scored(image, found));
            }
            (_, network) => {
                say(Told::Over(network.map(|held| held.said.clone())));
                scoring = None;
            }
        }
    }
}

/// The network of these weights; read again where there is a newer one, unless `as_it_is`.
fn network<'a>(held: &'a mut Option<Held>, source: &Source, as_it_is: bool) -> Result<&'a mut Held, String> {
    let same_run = held.as_ref().is_some_and(|held| held.stamp.0.starts_with(&source.weights));
    if !(as_it_is && same_run) {
        let stamp = stamp(&source.weights);
        if held.as_ref().is_none_or(|held| held.stamp != stamp) {
            *held = Some(read(stamp, &source.weights)?);
        }
    }
    held.as_mut().ok_or_else(|| "no weights were read".to_owned())
}

fn stamp(weights: &Path) -> Stamp {
    let newest = checkpoint_file::list(weights).pop().map(|(_, path)| path);
    let path = newest.unwrap_or_else(|| weights.to_owned());
    let written = std::fs::metadata(&path).and_then(|about| about.modified()).ok();
    (path, written)
}

fn read(stamp: Stamp, weights: &Path) -> Result<Held, String> {
    let mut source = WeightsSource::open(weights, None).map_err(|error| error.to_string())?;
    source.choose("").map_err(|error| error.to_string())?;
    let device = device::cpu();
    let net = source.build(&device).map_err(|error| error.to_string())?;
    let pipeline = source.pipeline();
    let predictor = Predictor::new(net, source.spec, source.image_size, device).map_err(|error| error.to_string())?;
    // Of a run that is looked at its name says nothing; of a file its folder.
    let said = match source.origin.split_once(", ") {
        Some((_, which)) if weights.is_dir() => which.to_owned(),
        _ => weights.file_name().unwrap_or_default().to_string_lossy().into_owned(),
    };
    Ok(Held { stamp, predictor, pipeline, said, reader: None, white: source.white })
}

impl Source {
    /// Whether the same files are read alike.
    fn reads_like(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.listing, &other.listing) && self.lesion == other.lesion && self.rules == other.rules
    }
}

/// The reader of this folder, with white where the network's pictures had it.
fn reader<'a>(held: &'a mut Held, source: &Source) -> &'a Reader {
    let known = held.reader.take().filter(|(of, _)| of.reads_like(source));
    let known = known.unwrap_or_else(|| {
        let rules = match source.rules.clone() {
            Some(rules) => Rules { white: held.white.clone().or(rules.white), ..rules },
            None => {
                Reader::default().survey_as(&held.white, &source.listing.pairs, &[], &source.lesion, Watch::nobody())
            }
        };
        (source.clone(), Reader::default().with_rules(rules))
    });
    &held.reader.insert(known).1
}

fn propose(held: &mut Held, source: &Source, image: &Path) -> Result<Proposal, String> {
    let picture = reader(held, source).picture(image);
    let picture = picture.map_err(|problem| format!("{}: {}", problem.path.display(), problem.problem))?;
    let mask = predict(held, &picture)?.mask;
    Ok(Proposal { mask, said: held.said.clone() })
}

fn score(held: &mut Held, source: &Source, image: &Path) -> Result<Scored, String> {
    let reader = reader(held, source);
    let said = |problem: crate::data::segmentation::Problem| format!("{}: {}", problem.path.display(), problem.problem);
    let (picture, truth) = match source.listing.pair_of(image) {
        Some(pair) => reader.pair(pair).map(|sample| (sample.picture, Some(sample.mask))).map_err(said)?,
        None => (reader.picture(image).map_err(said)?, None),
    };
    let Prediction { mask, probabilities, frame, .. } = predict(held, &picture)?;
    let turned = mirrored_mask(&predict(held, &mirrored(&picture))?.mask);
    let doubt = Doubt::of(&probabilities, frame, held.pipeline.threshold, &mask, &turned);
    Ok(Scored { doubt, dice: truth.map(|truth| Pipeline::dice(&mask, &truth)) })
}

/// What the network says of a picture.
fn predict(held: &Held, picture: &Picture) -> Result<Prediction, String> {
    if let Some(problem) = too_large(picture, held.pipeline.fit, held.predictor.size()) {
        return Err(format!("this picture {problem}"));
    }
    let probabilities = guarded(|| held.predictor.probabilities(picture, held.pipeline.fit))?;
    if probabilities.iter().any(|p| !p.is_finite()) {
        return Err("the network's output is no number here; it is not used as a mask".to_owned());
    }
    Ok(measure(&probabilities, picture, None, None, &held.pipeline))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::rng::HostRng;
    use crate::data::segmentation::listing::scan;
    use crate::nn::segmentation::SegmentationNet;
    use crate::nn::segmentation::spec::{Architecture, NetSpec};
    use crate::nn::segmentation::weights::save_trained_at;

    #[test]
    fn a_folder_is_read_anew_when_it_is_to_be_read_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let weights = folder.path().join("net.safetensors");
        let spec = NetSpec { architecture: Architecture::LighterUNet { group: 2 }, channels: 3, base: 2, outputs: 1 };
        let net = SegmentationNet::new(&spec, HostRng::new(1, 0), &device::cpu()).unwrap();
        save_trained_at(&net, &spec, Some(32), &weights).unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let save = |name: &str, value: fn(u32) -> u8| {
            image::GrayImage::from_fn(12, 8, |x, _| image::Luma([value(x)])).save(data.join(name)).unwrap();
        };
        save("a.png", |x| 20 * x as u8);
        // Two classes, in three and four columns.
        save("a_mask.png", |x| if x < 3 { 1 } else { 2 * u8::from(x < 7) });
        let listing = Arc::new(scan(&data, None, Watch::nobody()).unwrap());
        let source = Source { weights: weights.clone(), listing, lesion: Lesion::Values(vec![1]), rules: None };
        let mut held = read(stamp(&weights), &weights).unwrap();
        let mut area = |source: &Source| {
            let sample = reader(&mut held, source).pair(&source.listing.pairs[0]).unwrap();
            sample.mask.area() / 8
        };
        assert_eq!(area(&source), 3);
        assert_eq!(area(&Source { lesion: Lesion::Values(vec![2]), ..source.clone() }), 4);
        let any = Reader::default().survey(&source.listing.pairs, &[], &Lesion::Any, Watch::nobody());
        let by_rules = Source { rules: Some(any), ..source.clone() };
        assert_eq!((area(&by_rules), area(&source)), (7, 3));

        // The network's white comes before the folder's.
        let rules = Rules { white: White { deep: vec![1023.0], float: vec![1.0] }, ..Rules::default() };
        let source = Source { rules: Some(rules.clone()), ..source };
        assert_eq!(reader(&mut held, &source).rules(), Some(&rules));
        held.white = White { deep: vec![4095.0], float: Vec::new() };
        held.reader = None;
        let white = &reader(&mut held, &source).rules().unwrap().white;
        assert_eq!(*white, White { deep: vec![4095.0], float: vec![1.0] });
    }
}
