//! Recorded runs in the window: shown again, gone on with, deleted. A thread reads and deletes; what it found comes by
//! channel.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use super::backend::Wake;
use super::closing::Next;
use super::runs;
use super::session::Session;
use super::state::State;
use crate::engine::catalogue::Catalogue;
use crate::engine::command::RunRequest;
use crate::engine::event::{Level, RunId, Status};
use crate::engine::recording::{RunReader, replay_from};
use crate::engine::run_folder;
use crate::engine::state::RunState;
use crate::kit::resume::{Refusal, Resumption};
use crate::kit::view::Lab;
use crate::watch::Watch;

/// Seconds after a run's start or end at which the disk is looked at: it has everything by then.
const SETTLED: f64 = 0.5;
/// Seconds between two looks while the list is shown: other processes record, too.
pub const AGAIN: f64 = 3.0;

/// What the thread found.
enum Answer {
    /// A recorded run of this lab as it was shown last, and what is to be said of it.
    Read {
        lab: usize,
        run: Box<RunState>,
        note: Option<String>,
    },
    /// A request that goes on with a run, and what is to be said of it.
    Ready {
        lab: usize,
        request: Box<RunRequest>,
        notes: Vec<String>,
    },
    Deleted(PathBuf),
    Refused(String),
    /// What was dropped is no run; whether it is a file.
    Data(PathBuf, bool),
}

/// The catalogue, and what threads report.
pub struct Reopen {
    pub catalogue: Catalogue,
    /// When the disk is to be looked at again, in the window's time.
    due: Option<f64>,
    answers: (mpsc::Sender<Answer>, mpsc::Receiver<Answer>),
    wake: Wake,
    /// What is being read, in words.
    pub busy: Option<&'static str>,
}

impl Reopen {
    /// Begins to read what is recorded under `runs`.
    pub fn new(runs: &Path, labs: &[&'static Lab], wake: Wake) -> Self {
        let keys: Vec<_> = labs.iter().map(|lab| (lab.spec.id, lab.spec.headline)).collect();
        let headline = move |lab: &str| keys.iter().find(|(id, _)| *id == lab).map_or(&[][..], |(_, keys)| keys);
        let catalogue = Catalogue::start(runs, Box::new(headline), {
            let wake = wake.clone();
            move || wake()
        });
        Self { catalogue, due: None, answers: mpsc::channel(), wake, busy: None }
    }

    fn spawn(&self, work: impl FnOnce() -> Answer + Send + 'static) {
        let (sender, wake) = (self.answers.0.clone(), self.wake.clone());
        let spawned = thread::Builder::new().name("recorded run".to_owned()).spawn(move || {
            // Whoever waits for an answer gets one.
            let answer = catch_unwind(AssertUnwindSafe(work))
                .unwrap_or_else(|_| Answer::Refused("reading what is recorded broke off unexpectedly".to_owned()));
            let _ = sender.send(answer);
            wake();
        });
        if let Err(error) = spawned {
            let _ = self.answers.0.send(Answer::Refused(format!("no thread can be started: {error}")));
        }
    }

    /// Shows a recorded run, once it is read.
    pub fn open(&mut self, folder: PathBuf, state: &mut State) {
        // It is on the screen already, and goes on there.
        let live = |session: &Session| session.run.is_live() && session.folder() == Some(&folder);
        if let Some(lab) = state.sessions.iter().position(live) {
            return state.open_lab(lab);
        }
        let labs = labs(state);
        self.busy = Some("reading the recorded run…");
        self.spawn(move || match read(&folder, &labs) {
            Ok((lab, run, note)) => Answer::Read { lab, run: Box::new(run), note },
            Err(problem) => Answer::Refused(format!("the run cannot be shown: {problem}")),
        });
    }

    /// Goes on with a recorded run from its newest good checkpoint, as `learnscope resume` does.
    pub fn go_on(&mut self, folder: PathBuf, state: &State) {
        let labs = labs(state);
        self.busy = Some("reading the checkpoint…");
        self.spawn(move || {
            let mut notes = Vec::new();
            match request(&folder, &labs, &mut notes) {
                Ok((lab, request)) => Answer::Ready { lab, request, notes },
                Err(problem) => Answer::Refused(format!("the run cannot be gone on with: {problem}")),
            }
        });
    }

    /// Deletes a run folder, if nothing but a recording is in it and nobody records it.
    pub fn delete(&mut self, folder: PathBuf, state: &State) {
        let ids: Vec<&str> = state.sessions.iter().map(|session| session.lab.spec.id).collect();
        let stamp = state.stamp.clone();
        self.busy = Some("deleting the run…");
        self.spawn(move || {
            if runs::follows_another(&folder, &ids, &stamp) {
                let text = format!("`{}`: another window shows this run; close that window first", folder.display());
                return Answer::Refused(format!("the run was not deleted: {text}"));
            }
            match run_folder::delete(&folder) {
                Ok(()) => Answer::Deleted(folder),
                Err(problem) => Answer::Refused(format!("the run was not deleted: {problem}")),
            }
        });
    }

    /// Takes in files and folders that were dropped on the window: a recorded run is shown, anything else becomes data.
    pub fn receive_dropped(&self, paths: Vec<PathBuf>, state: &State) {
        for path in paths {
            let labs = labs(state);
            self.spawn(move || {
                let parent = path.parent().filter(|parent| run_folder::is_run(parent) && is_part_of_run(&path));
                let folder = parent.map_or(path.as_path(), |parent| parent);
                if !run_folder::is_run(folder) {
                    let is_file = path.is_file();
                    return Answer::Data(path, is_file);
                }
                match read(folder, &labs) {
                    Ok((lab, run, note)) => Answer::Read { lab, run: Box::new(run), note },
                    Err(problem) => Answer::Refused(format!("the run cannot be shown: {problem}")),
                }
            });
        }
    }

    /// Asks for a look at the disk once a run's start or end is on it.
    pub fn recordings_changed(&mut self, time: f64) {
        self.due.get_or_insert(time + SETTLED);
    }

    /// Takes in what threads have found, and looks at the disk where something may have changed; other processes may
    /// record, so that it does again and again while the list of runs is shown.
    pub fn advance(&mut self, list_open: bool, state: &mut State, ctx: &eframe::egui::Context) {
        if list_open {
            self.due.get_or_insert(state.time + AGAIN);
        }
        if let Some(due) = self.due {
            if state.time >= due {
                self.due = None;
                self.catalogue.refresh();
            } else {
                ctx.request_repaint_after(std::time::Duration::from_secs_f64((due - state.time).max(0.01)));
            }
        }
        if self.catalogue.poll() {
            let runs = self.catalogue.listing();
            state.sessions.iter_mut().for_each(|session| session.past.set_runs(runs));
        }
        while let Ok(answer) = self.answers.1.try_recv() {
            if !matches!(answer, Answer::Data(..)) {
                self.busy = None;
            }
            match answer {
                Answer::Read { lab, run, note } => {
                    if let Some(note) = note {
                        state.notice(Level::Info, note);
                    }
                    state.wish(Next::Open(lab, run));
                }
                Answer::Ready { lab, request, notes } => {
                    notes.into_iter().for_each(|note| state.notice(Level::Warning, note));
                    state.wish(Next::GoOn(lab, request));
                }
                Answer::Deleted(folder) => {
                    // What is shown of it stays, but nothing more can be read of it.
                    let shown = state.sessions.iter_mut().filter(|session| session.folder() == Some(&folder));
                    shown.for_each(|session| session.past.open(""));
                    state.notice(Level::Info, format!("deleted {}", folder.display()));
                    self.catalogue.refresh();
                }
                Answer::Refused(problem) => {
                    state.notice(Level::Error, problem);
                    self.catalogue.refresh();
                    state.first_run();
                }
                Answer::Data(path, is_file) => {
                    match state.front().and_then(|session| session.data_parameter(is_file)) {
                        Some(key) => state.use_path(state.active, key, &path),
                        None => {
                            let text = format!("this lab opens no data; {} was not used", path.display());
                            state.notice(Level::Info, text);
                        }
                    }
                }
            }
        }
    }
}

fn labs(state: &State) -> Vec<&'static Lab> {
    state.sessions.iter().map(|session| session.lab).collect()
}

/// A file by which a run folder may be meant.
fn is_part_of_run(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| ["run.toml", "events.bin", "metrics.csv", "end.toml"].iter().any(|n| name == *n))
}

/// A recorded run as it was shown last: the index of its lab, the run, and what is to be said of it.
fn read(folder: &Path, labs: &[&'static Lab]) -> Result<(usize, RunState, Option<String>), String> {
    let mut reader = RunReader::open(folder).map_err(|error| error.to_string())?;
    let lab = find(labs, &reader.header().lab, folder)?;
    reader.complete(labs[lab].spec.params);
    // No run of the worker has this id, so that no event of one is taken for this run's.
    reader.set_run(RunId(0));
    let running = run_folder::summary(folder).running;
    let mut run = replay_from(&mut reader).map_err(|error| error.to_string())?;
    let is_over = run.status.as_ref().is_some_and(Status::is_over);
    let note = (!is_over).then(|| {
        // Nothing more of it comes here.
        run.status = Some(Status::Stopped);
        let step = crate::plot::number::grouped(run.step);
        if running {
            format!("this run is being recorded now: it is shown up to step {step}; open it again to see more")
        } else {
            format!("the recording ends at step {step} without a word; “Go on” in the list of runs continues the run")
        }
    });
    Ok((lab, run, note))
}

/// The request that goes on with a run.
fn request(folder: &Path, labs: &[&'static Lab], notes: &mut Vec<String>) -> Result<(usize, Box<RunRequest>), Refusal> {
    // The run is about to be written: a replacement that a crash cut short is finished first.
    run_folder::recover(folder)?;
    let mut index = 0;
    let lab = |id: &str| {
        index = find(labs, id, folder).map_err(Refusal)?;
        Ok::<_, Refusal>(labs[index].spec)
    };
    let run = Resumption::read(folder, lab, |note| notes.push(note.to_owned()))?;
    if run.is_done()? {
        let text = run.done_text();
        return Err(Refusal(format!("{text}; `learnscope resume RUN --steps N` goes on to step N")));
    }
    run.check(false, Watch::nobody())?;
    if !run.has_checkpoint() {
        notes.push("the run has no checkpoint: it starts from its first step again".to_owned());
    }
    Ok((index, run.request(None, false)?))
}

fn find(labs: &[&'static Lab], id: &str, folder: &Path) -> Result<usize, String> {
    labs.iter()
        .position(|lab| lab.spec.id == id)
        .ok_or_else(|| format!("`{}`: the run is of lab `{id}`, which this version does not have", folder.display()))
}
