//! The network at play: a thread of its own that has the newest weights of a run, and answers the newest question about a picture and a
//! report. The network is made, used and dropped there; plain data goes in and comes out.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::compute::device;
use crate::data::reports::{self, read::Crop};
use crate::data::synth::chest::{self, Figure, Study};
use crate::engine::checkpoint_file;
use crate::engine::params::Params;
use crate::engine::run_folder;
use crate::kit::predict::guarded;
use crate::text::edits::Edit;
use crate::text::words::{Marks, words};
use crate::watch::Watch;

use super::super::embed::cosine;
use super::super::params::{DROP_MARKS, MAX_WORDS, SOURCE, Source};
use super::judge::{Judged, judge};
use super::mean;
use super::weights_source::{Model, WeightsSource};

/// How often it is looked whether there is a newer checkpoint.
const LOOK: Duration = Duration::from_millis(700);
/// Generated studies that stand for all others: their mean, and one of them as another image.
const OTHERS: u64 = 24;
/// Their seed; none of a run's by default.
const OTHERS_SEED: u64 = 1_000_003;

/// What is looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum Picture {
    Drawn(Figure),
    File(PathBuf),
}

/// A report of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The pair's name.
    pub name: String,
    /// Its words with spaces between.
    pub text: String,
}

/// A question.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The folder of a recorded run.
    pub run: PathBuf,
    pub picture: Picture,
    /// As it was typed.
    pub report: String,
    /// Reports of the run's test pairs.
    pub others: Arc<Vec<Report>>,
}

/// A report and its cosine with the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// What it is: `as the figure says`, `left for right`.
    pub title: String,
    pub text: String,
    pub cosine: f64,
}

/// What the network says.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub asked: Asked,
    /// The step of the weights.
    pub step: u64,
    /// What to know before trusting them.
    pub warnings: Vec<String>,
    /// Pixels of a side, and the picture as the network sees it; empty where it cannot be read.
    pub size: usize,
    pub image: Vec<u8>,
    /// The error says what is wrong with picture or report.
    pub judged: Result<Judged, String>,
    /// The report as the figure says, and its edits.
    pub truth: Vec<Compared>,
    /// Reports of the run's test pairs, the nearest to the picture first; the title is the pair's name.
    pub others: Vec<Compared>,
}

/// An answer, or why there is none.
pub type Told = Result<Box<Answer>, (Asked, String)>;

/// The thread. It ends when this is dropped.
#[derive(Debug)]
pub struct Player {
    ask: Sender<Asked>,
    told: Receiver<Told>,
    seen: Arc<AtomicBool>,
    wanted: Option<Asked>,
}

impl Player {
    /// `wake` is called whenever there is an answer.
    pub fn start(wake: impl Fn() + Send + 'static) -> Self {
        let (ask, asks) = channel();
        let (say, told) = channel();
        let seen = Arc::new(AtomicBool::new(false));
        let of_thread = seen.clone();
        let work = move || {
            let say = |told: Told| {
                // Nobody misses it where the window is gone.
                let _ = say.send(told);
                wake();
            };
            play(&asks, &say, &of_thread);
        };
        if let Err(error) = thread::Builder::new().name("play".to_owned()).spawn(work) {
            tracing::warn!("no thread can be started to play: {error}");
        }
        Self { ask, told, seen, wanted: None }
    }

    /// Asks, unless that is what was asked last; a question that is under way is answered, those between are left out. To be called
    /// in every frame: weights are followed while somebody looks.
    pub fn ask(&mut self, asked: Asked) {
        self.seen.store(true, Ordering::Relaxed);
        if self.wanted.as_ref() != Some(&asked) {
            self.wanted = Some(asked.clone());
            // A thread that could not be started answers nothing.
            let _ = self.ask.send(asked);
        }
    }

    /// The newest answer since; never waits.
    pub fn poll(&self) -> Option<Told> {
        self.told.try_iter().last()
    }
}

/// A run's weights as they were looked for last.
struct Kept {
    run: PathBuf,
    /// The newest checkpoint that there was.
    newest: Option<PathBuf>,
    loaded: Loaded,
}

struct Loaded {
    model: Model,
    params: Params,
    /// Of the weights.
    step: u64,
    warnings: Vec<String>,
    /// Of others: words of their reports and vectors.
    others: Vec<(Vec<String>, Vec<f32>)>,
    mean: Vec<f32>,
    /// What was looked at last.
    picture: Option<(Picture, Result<Seen, String>)>,
    /// Reports of test pairs.
    reports: Arc<Vec<Report>>,
    /// The number and the vector of each of them that has words.
    report_vectors: Vec<(usize, Vec<f32>)>,
}

/// A picture as the network sees it.
#[derive(Debug, Clone)]
struct Seen {
    image: Vec<u8>,
    values: Vec<f32>,
    vector: Vec<f32>,
}

fn newest(run: &Path) -> Option<PathBuf> {
    checkpoint_file::list(run).pop().map(|(_, path)| path)
}

/// Answers until nobody asks any more.
fn play(asks: &Receiver<Asked>, say: &dyn Fn(Told), seen: &AtomicBool) {
    let mut kept: Option<Kept> = None;
    // The last question, and the newest checkpoint as it was answered.
    let mut last: Option<(Asked, Option<PathBuf>)> = None;
    loop {
        let asked = match asks.recv_timeout(LOOK) {
            Ok(first) => asks.try_iter().last().unwrap_or(first),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => match &last {
                Some((asked, before)) if seen.swap(false, Ordering::Relaxed) && newest(&asked.run) != *before => {
                    asked.clone()
                }
                _ => continue,
            },
        };
        last = Some((asked.clone(), newest(&asked.run)));
        let told = match guarded(|| answer(&mut kept, &asked)) {
            Ok(answer) => Ok(Box::new(answer)),
            Err(error) => {
                // Whatever state it was in.
                kept = None;
                Err((asked, error))
            }
        };
        say(told);
    }
}

fn answer(kept: &mut Option<Kept>, asked: &Asked) -> Result<Answer, String> {
    let newest = newest(&asked.run);
    if kept.as_ref().is_none_or(|kept| kept.run != asked.run || kept.newest != newest) {
        // Two networks at a time are one too many.
        *kept = None;
        if newest.is_none() && run_folder::is_run(&asked.run) {
            return Err(
                "The run has no checkpoint yet: it writes one after some steps, or at once with the action Checkpoint"
                    .to_owned(),
            );
        }
        let loaded = load(&asked.run)?;
        *kept = Some(Kept { run: asked.run.clone(), newest, loaded });
    }
    let Some(Kept { loaded, .. }) = kept else { return Err("there are no weights".to_owned()) };
    loaded.answer(asked)
}

fn load(run: &Path) -> Result<Loaded, String> {
    let source = WeightsSource::open(run).map_err(|error| error.to_string())?;
    let model = source.build(&source.params, &device::cpu()).map_err(|error| error.to_string())?;
    let studies: Vec<Study> = (0..OTHERS).map(|i| chest::study(OTHERS_SEED, i, model.size)).collect();
    let values: Vec<Vec<f32>> = studies.iter().map(|study| scaled(&study.image)).collect();
    let vectors = model.embedder().images(&values, model.size).map_err(|error| error.to_string())?;
    let most = MAX_WORDS.of(&source.params) as usize;
    let other = |(i, study): (usize, &Study)| (words(&study.report, most, Marks::Kept).words, vectors.row(i).to_vec());
    let others: Vec<(Vec<String>, Vec<f32>)> = studies.iter().enumerate().map(other).collect();
    let mean = mean(others.iter().map(|(_, vector)| vector));
    let WeightsSource { params, step, warnings, .. } = source;
    Ok(Loaded {
        model,
        params,
        step: step.unwrap_or(0),
        warnings,
        others,
        mean,
        picture: None,
        reports: Arc::default(),
        report_vectors: Vec::new(),
    })
}

fn scaled(image: &[u8]) -> Vec<f32> {
    image.iter().map(|level| f32::from(*level) / 255.0).collect()
}

impl Loaded {
    fn answer(&mut self, asked: &Asked) -> Result<Answer, String> {
        if self.picture.as_ref().is_none_or(|(picture, _)| *picture != asked.picture) {
            self.picture = Some((asked.picture.clone(), self.see(&asked.picture)));
        }
        let mut warnings = self.warnings.clone();
        if SOURCE.of(&self.params) != Source::Generated && matches!(asked.picture, Picture::Drawn(_)) {
            let text = "the run was trained on images of a folder: these figures are foreign to it; choose an image of your own";
            warnings.push(text.to_owned());
        }
        let (size, step) = (self.model.size, self.step);
        let mut answer = Answer {
            asked: asked.clone(),
            step,
            warnings,
            size,
            image: Vec::new(),
            judged: Err(String::new()),
            truth: Vec::new(),
            others: Vec::new(),
        };
        self.learn(&asked.others)?;
        let seen = match &self.picture {
            Some((_, Ok(seen))) => seen,
            Some((_, Err(problem))) => return Ok(Answer { judged: Err(problem.clone()), ..answer }),
            None => return Ok(answer),
        };
        answer.image.clone_from(&seen.image);
        let marks = if DROP_MARKS.of(&self.params) { Marks::Dropped } else { Marks::Kept };
        let most = MAX_WORDS.of(&self.params) as usize;
        if let Picture::Drawn(figure) = &asked.picture {
            let report = words(&chest::report_of(figure).0, most, Marks::Kept).words;
            answer.truth = self.compared(&report, &seen.vector)?;
        }
        let near = |(i, vector): &(usize, Vec<f32>)| {
            let Report { name, text } = asked.others[*i].clone();
            Compared { title: name, text, cosine: cosine(&seen.vector, vector) }
        };
        answer.others = self.report_vectors.iter().map(near).collect();
        answer.others.sort_by(|a, b| b.cosine.total_cmp(&a.cosine));
        let report = words(&asked.report, most, marks).words;
        answer.judged = self.judged(&report, seen);
        Ok(answer)
    }

    /// Reads reports of test pairs, unless they are known from before.
    fn learn(&mut self, reports: &Arc<Vec<Report>>) -> Result<(), String> {
        if self.reports == *reports {
            return Ok(());
        }
        let read = |(i, Report { text, .. }): (usize, &Report)| {
            let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            (!words.is_empty() && self.model.texts.batch([words.as_slice()], 0).is_ok()).then_some((i, words))
        };
        let read: Vec<(usize, Vec<String>)> = reports.iter().enumerate().filter_map(read).collect();
        let texts: Vec<&[String]> = read.iter().map(|(_, words)| words.as_slice()).collect();
        let vectors = self.model.embedder().texts(&texts).map_err(|error| error.to_string())?;
        self.report_vectors = read.iter().enumerate().map(|(row, (i, _))| (*i, vectors.row(row).to_vec())).collect();
        self.reports = reports.clone();
        Ok(())
    }

    fn judged(&self, report: &[String], seen: &Seen) -> Result<Judged, String> {
        if report.is_empty() {
            return Err("The report has no words: write one, or press “as the figure says”".to_owned());
        }
        if self.model.texts.batch([report], 1).is_err() {
            return Err("The first word is too long for the text encoder".to_owned());
        }
        let other = self.others.iter().find(|(words, _)| words != report).map(|(_, vector)| vector.as_slice());
        let images = [Some(seen.vector.as_slice()), other, Some(self.mean.as_slice())];
        let pixels = (seen.values.as_slice(), self.model.size);
        let judged = judge(&self.model.embedder(), report, pixels, images, Some(&self.model.local));
        let judged = judged.map_err(|error| error.to_string())?;
        if judged.is_finite() { Ok(judged) } else { Err("The network's answer is no number".to_owned()) }
    }

    /// What the figure says, and edits of it, beside the picture.
    fn compared(&self, report: &[String], picture: &[f32]) -> Result<Vec<Compared>, String> {
        let mut texts = vec![("as the figure says".to_owned(), report.to_vec())];
        let edited = |edit: Edit| Some((edit.title().to_lowercase(), edit.apply(report)?));
        texts.extend(Edit::ALL.into_iter().filter_map(edited).filter(|(_, words)| !words.is_empty()));
        let all: Vec<&[String]> = texts.iter().map(|(_, words)| words.as_slice()).collect();
        let vectors = self.model.embedder().texts(&all).map_err(|error| error.to_string())?;
        let of = |(i, (title, words)): (usize, (String, Vec<String>))| Compared {
            title,
            text: words.join(" "),
            cosine: cosine(picture, vectors.row(i)),
        };
        Ok(texts.into_iter().enumerate().map(of).collect())
    }

    /// Draws or reads a picture.
    fn see(&self, picture: &Picture) -> Result<Seen, String> {
        let size = self.model.size;
        let image = match picture {
            Picture::Drawn(figure) => Study::of(figure.clone(), size).image,
            Picture::File(path) => read(path, size)?,
        };
        let values = scaled(&image);
        let vectors = self.model.embedder().images(std::slice::from_ref(&values), size);
        let vector = vectors.map_err(|error| error.to_string())?.row(0).to_vec();
        Ok(Seen { image, values, vector })
    }
}

/// The middle square of a file.
fn read(path: &Path, size: usize) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let (id, image, report, study) = (String::new(), path.to_owned(), String::new(), String::new());
    let pair = reports::Pair { id, image, report, study, split: None, view: None };
    let images =
        reports::read::read(&[pair], size, Crop::Centre, Watch::nobody()).map_err(|error| error.to_string())?;
    match images.problems.first() {
        Some(problem) => Err(format!("{shown}: {}", problem.problem)),
        None => Ok(images.image(0).to_vec()),
    }
}
