//! A study in the window: the rows of a table or figure of a paper are run one after the other, and measured into the
//! table "paper | ours", by the same [`Runner`] as on the command line. The form stays the user's.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use eframe::egui;

use super::session::Start;
use super::study_figure::{self, StudyFigure};
use super::{App, Wake, runs};
use crate::engine::command::Command;
use crate::engine::event::{Event, Level, RunId};
use crate::engine::params::{ParamSpec, Value};
use crate::engine::recording;
use crate::engine::state::RunState;
use crate::engine::study::{Place, STUDIES, StudyRun, StudySpec, StudyTask};
use crate::engine::study_figure::{Drawing, csv, draw};
use crate::engine::study_runner::{Facts, Job, Runner, Taken};
use crate::engine::study_table::StudyTable;
use crate::kit;
use crate::kit::lab::DEFAULT_SEED;

/// Runs of each row where the seed changes the result, unless the user says otherwise.
const SEEDS: u64 = 3;
/// Size of a saved picture in pixels.
const PICTURE: (u32, u32) = (1920, 1200);

/// What a study is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// What was measured before is being read.
    Opening,
    /// A few steps of a kind of row are being timed in this run.
    Timing(RunId),
    /// The user is asked whether it may take that long.
    Asking,
    /// The next run's place on the disk is being looked for.
    Placing,
    /// This run is being made.
    Measuring(RunId),
    /// All is measured, or somebody stopped it.
    Resting,
}

/// A study in the window.
#[derive(Debug)]
pub struct Study {
    /// Index of the lab.
    pub(super) lab: usize,
    pub(super) runner: Runner,
    /// The table of what is measured.
    pub(super) table: StudyTable,
    pub(super) figure: StudyFigure,
    /// Runs that were measured by an earlier study.
    pub(super) kept: usize,
    pub(super) phase: Phase,
    /// What the user asks for in the window: seeds of each row, and the first of them.
    pub(super) seeds: (u64, u64),
    /// What is measured or asked about now.
    pub(super) seeds_used: (u64, u64),
    /// The user has agreed to the time that it takes.
    agreed: bool,
    /// The user has agreed that a training under way ends.
    ends_training: bool,
    /// It goes on by itself once it is open.
    starts: bool,
    /// What a trial has shown so far.
    trial: RunState,
    pub(super) folder: PathBuf,
    disk: Disk,
    pub(super) open: bool,
}

/// What the user asked for in the study's window.
pub(super) enum Wish {
    Stop,
    GoOn,
    /// Not now, after the question.
    Leave,
    Again,
    /// Other seeds.
    Seeds,
    /// Put the values of this row into the form, and run them.
    Load(usize),
    SaveText,
    SaveCsv,
    SavePicture,
    SaveFigureCsv,
    Copy,
}

/// How a study is opened.
#[derive(Debug, Clone, Copy)]
struct Opening {
    /// Measures every row anew.
    again: bool,
    /// Goes on by itself.
    starts: bool,
    seeds: (u64, u64),
}

impl App {
    /// Opens a study of the front lab and measures what was not measured before.
    pub(super) fn begin_study(&mut self, spec: &'static StudySpec) {
        let lab = self.active;
        match &mut self.study {
            Some(study) if study.lab == lab && study.is(spec) && study.phase != Phase::Resting => study.open = true,
            _ => {
                let seeds = self.study.as_ref().filter(|study| study.is(spec)).map(|study| study.seeds_used);
                let seeds = seeds.unwrap_or((SEEDS, DEFAULT_SEED));
                self.open_study(lab, spec, Opening { again: false, starts: true, seeds });
            }
        }
    }

    fn open_study(&mut self, lab: usize, spec: &'static StudySpec, opening: Opening) {
        let Some(session) = self.sessions.get(lab) else { return };
        let lab_spec = session.lab.spec;
        // Where one's own data lie is not the study's to say: the form does.
        let paths = lab_spec.params.iter().filter(|parameter| parameter.kind.is_path());
        let given: Vec<(String, Value)> = paths
            .filter_map(|parameter| Some((parameter.key.to_owned(), session.params.get(parameter.key)?.clone())))
            .collect();
        let (seeds, first) = opening.seeds;
        let run = match StudyRun::new(lab_spec.id, lab_spec.params, spec, seeds, first, &given) {
            Ok(run) => run,
            Err(error) => return self.notice(Level::Error, format!("study `{}`: {error}", spec.id)),
        };
        if let Some(missing) = run.next().and_then(|task| missing_path(lab_spec.params, task)) {
            let text = format!(
                "“{}” needs data of your own: show `{}` in the form, choose it there, and start the study again",
                spec.title, missing.label
            );
            return self.notice(Level::Warning, text);
        }
        let facts = kit::study::facts(session.lab.spec);
        let folder = run.folder(&self.runs_dir.parent().unwrap_or(Path::new("")).join(STUDIES));
        let before = self.study.take();
        // What is known of the time of its rows stays known.
        let (runner, before) = match before {
            Some(study) if study.lab == lab && study.is(spec) => {
                let mut runner = study.runner;
                runner.turn_to(run.clone());
                (runner, Some(study.disk.thread))
            }
            before => (Runner::new(run.clone(), facts), before.map(|study| study.disk.thread)),
        };
        match Disk::open(run, folder.clone(), (facts, opening.again), before, self.wake.clone()) {
            Ok(disk) => {
                let table = runner.run.table();
                self.study = Some(Study {
                    lab,
                    runner,
                    table,
                    figure: StudyFigure::default(),
                    kept: 0,
                    phase: Phase::Opening,
                    seeds: opening.seeds,
                    seeds_used: opening.seeds,
                    agreed: false,
                    ends_training: false,
                    starts: opening.starts,
                    trial: RunState::default(),
                    folder,
                    disk,
                    open: true,
                });
            }
            Err(error) => self.notice(Level::Error, format!("study `{}`: no thread can be started: {error}", spec.id)),
        }
    }

    /// Puts a row's values into the form: the user asked for that.
    fn load_task(&mut self, lab: usize, task: StudyTask) {
        self.active = lab;
        let Some(session) = self.sessions.get_mut(lab) else { return };
        session.edit_all(|session| {
            session.params = task.params;
            session.seed = task.seed;
            session.changes.clear();
        });
        session.errors.clear();
        session.name = runs::file_name(&task.name);
    }

    /// Starts a run of the study; the form has no part in it. `None`: a notice says why it did not start.
    fn launch(&mut self, job: &Job, shown: bool) -> Option<RunId> {
        if self.closing.is_ending() {
            return None;
        }
        let session = self.sessions.get_mut(self.study.as_ref()?.lab)?;
        match kit::study::request_of(session.lab.spec, job, &self.device, false) {
            Ok(request) => {
                let id = request.id;
                session.pending = None;
                if shown {
                    let whole = (session.lab.spec.playback)(&request.params).is_some();
                    session.place_cursor(Start::Explicit, whole);
                    session.expect(id, whole, self.time);
                }
                self.last_run = Some(id);
                self.backend.send(Command::Start(request));
                Some(id)
            }
            Err(error) => {
                self.notice(Level::Error, format!("the study did not start: {error}"));
                None
            }
        }
    }

    /// Takes the study's next step: a trial, the question, or a run; rests if there is none, or if it does not start.
    fn next_of_study(&mut self) {
        let training = self.sessions.iter().any(super::session::Session::training);
        let Some(study) = &mut self.study else { return };
        study.phase = Phase::Resting;
        study.runner.rest();
        if study.runner.next_task().is_none() {
            return;
        }
        if training && !study.agreed && !study.ends_training {
            // It would end that.
            study.phase = Phase::Asking;
            return;
        }
        if let Some(job) = study.runner.next_trial() {
            study.trial = RunState::default();
            let started = self.launch(&job, false);
            if let (Some(id), Some(study)) = (started, &mut self.study) {
                study.phase = Phase::Timing(id);
            }
            return;
        }
        let Some(study) = &mut self.study else { return };
        if !study.agreed && study.runner.estimate().is_some() {
            study.phase = Phase::Asking;
            return;
        }
        let Some(task) = study.runner.next_task().cloned() else { return };
        if study.runner.is_recorded(&task) {
            study.phase = Phase::Placing;
            study.disk.ask(ToDisk::Place(study.runner.run.clone(), Box::new(task)));
        } else {
            self.begin_row(&task, None);
        }
    }

    /// Starts the run of a row in its place.
    fn begin_row(&mut self, task: &StudyTask, place: Option<Place>) {
        let Some(study) = &mut self.study else { return };
        study.phase = Phase::Resting;
        let job = study.runner.begin(task, place);
        let started = self.launch(&job, true);
        if let Some(study) = &mut self.study {
            match started {
                Some(id) => study.phase = Phase::Measuring(id),
                None => study.runner.rest(),
            }
        }
    }

    /// Lets the study hear what happens in its run.
    pub(super) fn tell_study(&mut self, event: &Event) {
        let Some(study) = &mut self.study else { return };
        match study.phase {
            Phase::Timing(id) if id == event.run => {
                study.trial.apply(event);
                study.runner.hear(event);
            }
            Phase::Measuring(id) if id == event.run => study.runner.hear(event),
            _ => {}
        }
    }

    /// Measures the run that has ended, if one has, and starts the next.
    pub(super) fn advance_study(&mut self) {
        let mut go_on = self.hear_disk();
        let Some(study) = &mut self.study else { return };
        let interrupted = |id| self.last_run != Some(id);
        let mut problem = None;
        match study.phase {
            Phase::Timing(id) | Phase::Measuring(id) if interrupted(id) => {
                study.phase = Phase::Resting;
                study.runner.rest();
                problem = Some("the study was interrupted by another run");
            }
            Phase::Timing(_) if study.trial.status.is_some() && !study.trial.is_live() => {
                go_on = study.runner.take(&study.trial) == Taken::Timed;
                if !go_on {
                    study.phase = Phase::Resting;
                }
            }
            Phase::Measuring(id) => {
                let run = self.sessions.get(study.lab).map(|session| &session.run);
                if let Some(run) = run.filter(|run| run.id == Some(id) && !run.is_live()) {
                    if study.runner.take(run) == Taken::Measured {
                        study.table = study.runner.run.table();
                        study.disk.ask(ToDisk::Save(study.runner.run.clone()));
                        study.draw();
                        go_on = true;
                    } else {
                        // It was stopped: it counts as not made.
                        study.phase = Phase::Resting;
                    }
                }
            }
            _ => {}
        }
        if let Some(problem) = problem {
            self.notice(Level::Info, problem);
        }
        if go_on {
            self.next_of_study();
        }
    }

    /// Takes in what the disk says; whether the study goes on.
    fn hear_disk(&mut self) -> bool {
        let Some(study) = &mut self.study else { return false };
        let (mut go_on, mut placed) = (false, None);
        let mut problems = Vec::new();
        while let Ok(answer) = study.disk.answers.try_recv() {
            match answer {
                Answer::Opened(run) => {
                    study.kept = run.progress().0;
                    study.table = run.table();
                    study.runner.turn_to(*run);
                    study.draw();
                    if study.phase == Phase::Opening {
                        study.phase = Phase::Resting;
                        go_on = study.starts;
                    }
                }
                Answer::Refused(problem) => {
                    study.phase = Phase::Resting;
                    problems.push((Level::Error, format!("the study did not start: {problem}")));
                }
                Answer::Placed(task, place) => {
                    // One that is not wanted any more gives its place up.
                    if study.phase == Phase::Placing && study.runner.next_task() == Some(&*task) {
                        placed = Some((task, place));
                    }
                }
                Answer::Drawn(drawing) => study.figure.set(drawing),
                Answer::Told(text) => problems.push((Level::Warning, text)),
                Answer::NotSaved(problem) => {
                    problems.push((Level::Warning, format!("the study is not saved: {problem}")));
                }
            }
        }
        for (level, problem) in problems {
            self.notice(level, problem);
        }
        if let Some((task, place)) = placed {
            self.begin_row(&task, *place);
        }
        go_on
    }

    /// Lets the disk have the last rows, at most for so long.
    pub(super) fn close_study(&mut self, deadline: Duration) {
        if let Some(study) = self.study.take() {
            study.disk.close(deadline);
        }
    }

    pub(super) fn fulfil(&mut self, ctx: &egui::Context, wish: Wish) {
        let Some(study) = &mut self.study else { return };
        let (lab, spec, seeds) = (study.lab, study.runner.run.spec, study.seeds);
        let name = runs::file_name(spec.id);
        match wish {
            Wish::Stop => {
                if let Phase::Measuring(_) | Phase::Timing(_) = study.phase {
                    self.backend.send(Command::Stop);
                }
                study.phase = Phase::Resting;
                study.runner.rest();
            }
            Wish::GoOn if study.disk.thread.is_finished() => {
                // The folder was refused; perhaps it can be used now.
                self.open_study(lab, spec, Opening { again: false, starts: true, seeds });
            }
            Wish::GoOn => {
                // The first time only what it takes is found out.
                study.ends_training = study.phase == Phase::Asking;
                study.agreed = study.runner.estimate().is_some();
                self.next_of_study();
            }
            Wish::Leave => study.phase = Phase::Resting,
            Wish::Again => self.open_study(lab, spec, Opening { again: true, starts: true, seeds }),
            Wish::Seeds => self.open_study(lab, spec, Opening { again: false, starts: false, seeds }),
            Wish::Load(row) => {
                if let Some(task) = study.runner.run.task(row).cloned() {
                    self.load_task(lab, task);
                    self.start(lab, Start::Settled);
                }
            }
            Wish::SaveText => self.files.save_text(&format!("{name}.txt"), study.table.text()),
            Wish::SaveCsv => self.files.save_text(&format!("{name}.csv"), study.table.csv()),
            Wish::SaveFigureCsv => {
                let (run, drawing) = (study.runner.run.clone(), study.figure.drawing.clone());
                self.files.save_with(&format!("{name}-figure.csv"), move || csv(&run, &drawing));
            }
            Wish::SavePicture => {
                let (run, drawing, style) =
                    (study.runner.run.clone(), study.figure.drawing.clone(), self.style.clone());
                let Some(lab) = self.sessions.get(lab).map(|session| session.lab) else { return };
                self.files.save_with(&format!("{name}.png"), move || {
                    study_figure::png(&study_figure::picture(&run, drawing, lab, PICTURE, &style)?)
                });
            }
            Wish::Copy => {
                ctx.copy_text(study.table.text());
                self.notice(Level::Info, "the table was copied");
            }
        }
    }
}

impl Study {
    fn is(&self, spec: &StudySpec) -> bool {
        self.runner.run.spec.id == spec.id
    }

    /// Asks for the curves of its figure, if it has one.
    fn draw(&self) {
        if self.runner.run.spec.figure.is_some() {
            self.disk.ask(ToDisk::Draw(self.runner.run.clone()));
        }
    }
}

/// A path that the study's own choices ask for and that nobody has chosen.
fn missing_path(specs: &'static [ParamSpec], task: &StudyTask) -> Option<&'static ParamSpec> {
    specs.iter().find(|parameter| {
        parameter.kind.is_path()
            && parameter.only_if.is_some()
            && task.params.shows(parameter)
            && task.params.get(parameter.key) == Some(&Value::Text(String::new()))
    })
}

/// The disk side of a study: a thread of its own, so that no frame waits for a file.
#[derive(Debug)]
struct Disk {
    jobs: mpsc::Sender<ToDisk>,
    answers: mpsc::Receiver<Answer>,
    thread: JoinHandle<()>,
}

/// What the disk is asked.
#[derive(Debug)]
enum ToDisk {
    Save(StudyRun),
    /// Where the run of this task is recorded.
    Place(StudyRun, Box<StudyTask>),
    /// The curves of its figure.
    Draw(StudyRun),
}

/// What the disk says.
#[derive(Debug)]
enum Answer {
    /// The study with what was measured before.
    Opened(Box<StudyRun>),
    Refused(String),
    Placed(Box<StudyTask>, Box<Option<Place>>),
    Drawn(Drawing),
    /// What the user should know of the stored results.
    Told(String),
    NotSaved(String),
}

impl Disk {
    /// Reads what is in the folder, to be used unless `again`, then does whatever it is asked. `before`: the thread of the
    /// last study, which must not write later than this one.
    fn open(
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
                        ToDisk::Save(_) | ToDisk::Draw(_) => {}
                    }
                }
            }
        })?;
        Ok(Self { jobs, answers, thread })
    }

    fn ask(&self, job: ToDisk) {
        // A thread that refused the folder is gone, and said so.
        self.jobs.send(job).ok();
    }

    fn close(self, deadline: Duration) {
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
