//! A folder of images and masks as the window knows it. Looking at it is a thread's work: a frame takes in what is done
//! and never waits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Duration;

use eframe::egui::Context;

use crate::data::segmentation::doctor::{Exam, duplicates, examine_pair};
use crate::data::segmentation::lesion::Lesion;
use crate::data::segmentation::listing::{Listing, Pair, scan};
use crate::data::segmentation::plan::{Seen, SplitChoice, SplitPlan, plan};
use crate::data::segmentation::read::{Reader, Rules};
use crate::data::segmentation::{Problem, Watch};
use crate::engine::params::Params;
use crate::labs::segmentation::{params, source};
use crate::plot::background::Background;

/// A path that is being typed is looked at once it rests for so many seconds.
const REST: f64 = 0.6;

/// What the form says about the data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Choice {
    /// A folder; otherwise the pictures are generated.
    pub of_folder: bool,
    /// Empty where none is chosen.
    pub folder: PathBuf,
    pub split: SplitChoice,
    /// What of a mask is lesion, as far as it can be understood.
    pub lesion: Lesion,
}

impl Choice {
    /// Reads the parameters.
    pub fn of(params: &Params) -> Self {
        Self {
            of_folder: params.text("source") == "folder",
            folder: PathBuf::from(params.text("data")),
            split: source::split_choice(params),
            lesion: params::lesion(params).unwrap_or_default(),
        }
    }
}

/// What reading every pair of a folder has shown.
#[derive(Debug)]
pub struct Examined {
    pub listing: Arc<Listing>,
    /// How the files are read.
    pub rules: Rules,
    /// By number of the pair; `None`: not read.
    pub exams: Vec<Option<Exam>>,
    pub unread: Vec<Problem>,
    /// Numbers of pairs.
    pub duplicates: Vec<(usize, usize)>,
    /// It was stopped before all were read.
    pub stopped: bool,
}

/// What follows from it with the form's choices.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Why a choice cannot be used; the split is then without it.
    pub refused: Option<String>,
    pub plan: SplitPlan,
}

/// The question that a [`Verdict`] answers.
#[derive(Debug, Clone)]
struct Question {
    examined: Arc<Examined>,
    choice: SplitChoice,
}

impl PartialEq for Question {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.examined, &other.examined) && self.choice == other.choice
    }
}

/// How far the thread is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Reading the files' pixels; before, their names and sizes.
    pub reading: bool,
    pub done: usize,
    /// 0: not known yet.
    pub total: usize,
}

#[derive(Debug, Default)]
struct Shared {
    cancel: AtomicBool,
    reading: AtomicBool,
    done: AtomicUsize,
    total: AtomicUsize,
}

enum Report {
    Listed(Arc<Listing>),
    Examined(Arc<Examined>),
    Failed(String),
}

struct Job {
    shared: Arc<Shared>,
    reports: Receiver<Report>,
}

impl Drop for Job {
    fn drop(&mut self) {
        self.shared.cancel.store(true, Ordering::Relaxed);
    }
}

/// The folder that the form names, and what is known of it.
#[derive(Default)]
pub struct Folder {
    /// The folder that is looked at.
    path: PathBuf,
    /// What is taken for lesion there.
    lesion: Lesion,
    /// The folder and the lesion that the form names, and since when.
    wanted: (PathBuf, Lesion, f64),
    job: Option<Job>,
    listing: Option<Arc<Listing>>,
    examined: Option<Arc<Examined>>,
    verdict: Background<Question, Arc<Verdict>>,
    question: Option<Question>,
    error: Option<String>,
    /// Somebody stopped it.
    stopped: bool,
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Folder").field("path", &self.path).field("busy", &self.job.is_some()).finish_non_exhaustive()
    }
}

impl Folder {
    /// Takes in what is done and begins what the form asks for. Call it once a frame.
    pub fn update(&mut self, ctx: &Context, choice: &Choice) {
        self.receive();
        let now = ctx.input(|input| input.time);
        let wanted = if choice.of_folder { choice.folder.clone() } else { PathBuf::new() };
        if self.wanted.0 != wanted || self.wanted.1 != choice.lesion {
            // The first folder needs no rest.
            let since = if self.wanted.0.as_os_str().is_empty() { now - REST } else { now };
            self.wanted = (wanted, choice.lesion.clone(), since);
        }
        if self.path != self.wanted.0 || self.lesion != self.wanted.1 {
            self.forget();
            if now - self.wanted.2 >= REST {
                (self.path, self.lesion) = (self.wanted.0.clone(), self.wanted.1.clone());
                self.scan(ctx);
            } else {
                ctx.request_repaint_after(Duration::from_secs_f64(REST));
            }
        }
        if let Some(examined) = &self.examined {
            let question = Question { examined: examined.clone(), choice: choice.split.clone() };
            self.verdict.update(ctx, &question, |question| Arc::new(judge(question)));
            self.question = Some(question);
        }
        if self.job.is_some() {
            ctx.request_repaint_after(Duration::from_millis(100));
        }
    }

    fn forget(&mut self) {
        (self.job, self.listing, self.examined, self.question, self.error) = (None, None, None, None, None);
        (self.path, self.verdict, self.stopped) = (PathBuf::new(), Background::default(), false);
    }

    fn receive(&mut self) {
        let Some(job) = &self.job else { return };
        let mut over = false;
        loop {
            match job.reports.try_recv() {
                Ok(Report::Listed(listing)) => self.listing = Some(listing),
                Ok(Report::Examined(examined)) => {
                    // One listing, so that numbers of pairs agree.
                    self.listing = Some(examined.listing.clone());
                    self.stopped = examined.stopped;
                    self.examined = Some(examined);
                }
                Ok(Report::Failed(error)) => self.error = Some(error),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    over = true;
                    break;
                }
            }
        }
        if over {
            self.job = None;
        }
    }

    /// Looks at the folder anew.
    pub fn scan(&mut self, ctx: &Context) {
        self.begin(ctx, None);
    }

    /// Looks at the folder again after the mask of `image` was saved; what else was read before is kept.
    pub fn refresh(&mut self, ctx: &Context, image: &Path) {
        if !self.path.as_os_str().is_empty() {
            self.begin(ctx, self.examined.clone().map(|known| (known, image.to_owned())));
        }
    }

    fn begin(&mut self, ctx: &Context, known: Option<(Arc<Examined>, PathBuf)>) {
        (self.error, self.stopped) = (None, false);
        if self.path.as_os_str().is_empty() {
            return;
        }
        let shared = Arc::new(Shared::default());
        let (sender, reports) = channel();
        let (path, lesion, ctx, of_thread) = (self.path.clone(), self.lesion.clone(), ctx.clone(), shared.clone());
        let work = move || {
            look(&path, &lesion, known, &of_thread, &sender);
            drop(sender);
            ctx.request_repaint();
        };
        match std::thread::Builder::new().name("data folder".to_owned()).spawn(work) {
            Ok(_) => self.job = Some(Job { shared, reports }),
            Err(error) => self.error = Some(format!("no thread can be started to read the folder: {error}")),
        }
    }

    /// Stops reading; what was found so far stays.
    pub fn stop(&mut self) {
        if let Some(job) = &self.job {
            job.shared.cancel.store(true, Ordering::Relaxed);
            self.stopped = true;
        }
    }

    /// How far the thread is; `None`: it rests.
    pub fn progress(&self) -> Option<Progress> {
        let shared = &self.job.as_ref()?.shared;
        Some(Progress {
            reading: shared.reading.load(Ordering::Relaxed),
            done: shared.done.load(Ordering::Relaxed),
            total: shared.total.load(Ordering::Relaxed),
        })
    }

    /// What is in the folder.
    pub fn listing(&self) -> Option<&Arc<Listing>> {
        self.listing.as_ref()
    }

    /// How its files are read, once that is known.
    pub fn rules(&self) -> Option<&Rules> {
        Some(&self.examined.as_ref()?.rules)
    }

    /// The split and the findings, and whether they belong to the form as it is now.
    pub fn verdict(&mut self, ctx: &Context) -> Option<(Arc<Verdict>, bool)> {
        let question = self.question.clone()?;
        let found = self.verdict.update(ctx, &question, |question| Arc::new(judge(question)))?.clone();
        Some((found, self.verdict.is_current(&question)))
    }

    /// Why the folder cannot be used.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Whether somebody stopped it before everything was read.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// The folder that is looked at; empty: none.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The thread's work.
fn look(
    path: &Path,
    lesion: &Lesion,
    known: Option<(Arc<Examined>, PathBuf)>,
    shared: &Shared,
    reports: &Sender<Report>,
) {
    let progress = |done: usize, total: usize| {
        // Threads report in no particular order.
        shared.done.fetch_max(done, Ordering::Relaxed);
        shared.total.store(total, Ordering::Relaxed);
    };
    let watch = Watch { progress: &progress, cancel: &shared.cancel };
    let listing = match scan(path, None, watch) {
        Ok(listing) => Arc::new(listing),
        Err(error) => {
            let _ = reports.send(Report::Failed(error.to_string()));
            return;
        }
    };
    // Nobody may be there any more to receive it.
    let _ = reports.send(Report::Listed(listing.clone()));
    shared.done.store(0, Ordering::Relaxed);
    shared.reading.store(true, Ordering::Relaxed);
    // Only a mask of this program's has changed where something is known.
    let rules = match &known {
        Some((known, _)) => known.rules.clone(),
        None => Reader::default().survey(&listing.pairs, &[], lesion, watch),
    };
    let mut exams: Vec<Option<Exam>> = vec![None; listing.pairs.len()];
    if let Some((known, changed)) = known {
        let same = |pair: &Pair| {
            let number = known.listing.pairs.iter().position(|before| before == pair && pair.image != changed)?;
            known.exams.get(number)?.clone()
        };
        exams = listing.pairs.iter().map(same).collect();
    }
    let missing: Vec<usize> = (0..exams.len()).filter(|&i| exams[i].is_none()).collect();
    let pairs: Vec<Pair> = missing.iter().map(|&i| listing.pairs[i].clone()).collect();
    let reader = Reader::default().with_rules(rules.clone());
    let read = reader.all(&pairs, watch, |i, sample| examine_pair(&reader, &pairs[i], &sample));
    read.items.into_iter().for_each(|(i, exam)| exams[missing[i]] = Some(exam));
    let duplicates = if read.cancelled { Vec::new() } else { duplicates(&exams) };
    let examined = Examined { listing, rules, exams, unread: read.problems, duplicates, stopped: read.cancelled };
    let _ = reports.send(Report::Examined(Arc::new(examined)));
}

/// Splits what could be read, as a run does, and lists what is odd.
fn judge(question: &Question) -> Verdict {
    let Question { examined, choice } = question;
    let Examined { listing, rules, exams, unread, duplicates, .. } = &**examined;
    let refused = choice.check(listing).and_then(|()| choice.check_files(listing)).err().map(|(_, problem)| problem);
    Verdict { refused, plan: plan(Seen { listing, rules, exams, unread, duplicates }, choice) }
}
