//! The disk side of a study in the window: what was measured before is read, what is measured is saved, and the curves of
//! its figure are read from its recordings.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::backend::Wake;
use crate::engine::recording;
use crate::engine::study::{Place, StudyRun, StudyTask};
use crate::engine::study_figure::{Drawing, draw};
use crate::engine::study_runner::{Facts, Runner};

/// A thread of its own, so that no frame waits for a file.
#[derive(Debug)]
pub struct Disk {
    jobs: mpsc::Sender<ToDisk>,
    pub answers: mpsc::Receiver<Answer>,
    pub thread: JoinHandle<()>,
}

/// What the disk is asked.
#[derive(Debug)]
pub enum ToDisk {
    Save(StudyRun),
    /// Where the run of this task is recorded.
    Place(StudyRun, Box<StudyTask>),
    /// The curves of its figure.
    Draw(StudyRun),
    /// The recorded run of a row.
    Find(StudyRun, usize),
    /// The recorded runs of all rows.
    FindAll(StudyRun),
}

/// What the disk says.
#[derive(Debug)]
pub enum Answer {
    /// The study with what was measured before.
    Opened(Box<StudyRun>),
    Refused(String),
    Placed(Box<StudyTask>, Box<Option<Place>>),
    Drawn(Drawing),
    /// The row that was looked for, and its recording.
    Found(usize, Option<PathBuf>),
    /// The recorded runs of all rows.
    All(Vec<PathBuf>),
    /// What the user should know of the stored results.
    Told(String),
    NotSaved(String),
}

impl Disk {
    /// Reads what is in the folder, to be used unless `again`, then does whatever it is asked. `before`: the thread of the
    /// last study, which must not write later than this one.
    pub fn open(
        mut study: StudyRun,
        folder: PathBuf,
        (facts, again): (Facts, bool),
        before: Option<JoinHandle<()>>,
        wake: Wake,
    ) -> io::Result<Self> {
        let (jobs, todo) = mpsc::channel::<ToDisk>();
        let (sender, answers) = mpsc::channel();
        let thread = thread::Builder::new().name("study".to_owned()).spawn(move || {
            if let Some(before) = before {
                // Had it panicked, there would be nothing to wait for.
                before.join().ok();
            }
            let say = |answer| {
                sender.send(answer).ok();
                wake();
            };
            match recording::probe(&folder).and_then(|()| study.keep(&folder, facts.describe, again)) {
                Ok(notes) => {
                    say(Answer::Opened(Box::new(study)));
                    notes.into_iter().for_each(|note| say(Answer::Told(note)));
                }
                Err(error) => return say(Answer::Refused(error.to_string())),
            }
            let mut complained = false;
            while let Ok(first) = todo.recv() {
                let jobs: Vec<ToDisk> = std::iter::once(first).chain(todo.try_iter()).collect();
                // Of saves and drawings only the newest counts.
                let last = |wanted: fn(&ToDisk) -> bool| jobs.iter().rposition(wanted);
                let (save, drawing) =
                    (last(|job| matches!(job, ToDisk::Save(_))), last(|job| matches!(job, ToDisk::Draw(_))));
                for (at, job) in jobs.iter().enumerate() {
                    match job {
                        ToDisk::Save(run) if save == Some(at) => {
                            let saved = run.save(&folder);
                            match &saved {
                                Ok(Some(notice)) => say(Answer::Told(notice.clone())),
                                Err(error) if !complained => say(Answer::NotSaved(error.to_string())),
                                _ => {}
                            }
                            complained = saved.is_err();
                        }
                        ToDisk::Place(run, task) => {
                            let place = Runner::place(run, &facts, &folder, task);
                            say(Answer::Placed(task.clone(), Box::new(place)));
                        }
                        ToDisk::Draw(run) if drawing == Some(at) => say(Answer::Drawn(draw_complete(run, &folder))),
                        ToDisk::FindAll(run) => {
                            let found = run.recordings(&folder).into_iter();
                            say(Answer::All(found.filter_map(|(_, recording)| recording).collect()));
                        }
                        ToDisk::Find(run, row) => say(Answer::Found(*row, run.recording_of(&folder, *row))),
                        ToDisk::Save(_) | ToDisk::Draw(_) => {}
                    }
                }
            }
        })?;
        Ok(Self { jobs, answers, thread })
    }

    /// Hands a job over; returns at once.
    pub fn ask(&self, job: ToDisk) {
        // A thread that refused the folder is gone, and said so.
        self.jobs.send(job).ok();
    }

    /// Lets it do what it was asked, at most for so long.
    pub fn close(self, deadline: Duration) {
        drop(self.jobs);
        let until = Instant::now() + deadline;
        while !self.thread.is_finished() && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The curves of a study's figure. The recording of the run that ended just now is closed a moment later.
fn draw_complete(run: &StudyRun, folder: &Path) -> Drawing {
    let mut drawing = draw(run, folder);
    if drawing.missing > 0 {
        thread::sleep(Duration::from_millis(50));
        drawing = draw(run, folder);
    }
    drawing
}
