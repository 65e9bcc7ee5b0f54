//! A study in the window: the rows of a table or figure of a paper are run one after the other, and measured into the
//! table "paper | ours", by the same [`Runner`] as on the command line. The form stays the user's.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eframe::egui;

use super::act::StudyFile;
use super::files::Files;
use super::png::png;
use super::runs;
use super::session::{Session, Start};
use super::state::State;
use super::study_disk::{Answer, Disk, ToDisk};
use super::study_figure::{self, StudyFigure};
use super::sweep_figure::{self, SweepFigure};
use super::sweep_lines::Lines;
use crate::engine::command::Command;
use crate::engine::event::{Event, Level, RunId};
use crate::engine::params::{ParamError, ParamSpec, Params, Value};
use crate::engine::state::RunState;
use crate::engine::study::{Place, STUDIES, StudyRun, StudySpec, StudyTask};
use crate::engine::study_figure::csv;
use crate::engine::study_runner::{Job, Runner, Taken};
use crate::engine::study_table::StudyTable;
use crate::engine::sweep::Axis;
use crate::engine::sweep_table::SweepTable;
use crate::kit;
use crate::kit::lab::DEFAULT_SEED;

/// Runs of each row where the seed changes the result, unless the user says otherwise.
const SEEDS: u64 = 3;
/// Most seeds of a row that can be asked for.
pub const MOST_SEEDS: u64 = 1_000;

/// Largest seed that a field of the window holds exactly.
pub const MOST_SEED: u64 = 1 << 53;
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
    /// Of a sweep: its own table.
    pub(super) sweep: Option<Arc<SweepTable>>,
    /// The same in words.
    pub(super) lines: Lines,
    pub(super) figure: StudyFigure,
    /// Of a sweep: its map.
    pub(super) map: SweepFigure,
    /// A recorded run that is to be shown.
    pub found: Option<PathBuf>,
    /// Recorded runs that are to be pinned.
    pub pins: Vec<PathBuf>,
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

/// What is measured.
enum What {
    /// A table or figure of a paper.
    Paper(&'static StudySpec),
    /// Every combination of these values, around those.
    Sweep(Params, Vec<Axis>),
}

impl What {
    /// What an open study measures.
    fn of(run: &StudyRun) -> Self {
        match &run.sweep {
            Some(sweep) => What::Sweep(sweep.base.clone(), sweep.axes.clone()),
            None => What::Paper(run.spec),
        }
    }

    /// Whether a study has the same rows.
    fn is(&self, run: &StudyRun) -> bool {
        match (self, &run.sweep) {
            (What::Paper(spec), None) => run.spec.id == spec.id,
            (What::Sweep(base, axes), Some(sweep)) => (base, axes) == (&sweep.base, &sweep.axes),
            _ => false,
        }
    }
}

/// How a study is opened.
#[derive(Debug, Clone, Copy)]
struct Opening {
    /// Measures every row anew.
    again: bool,
    /// Goes on by itself.
    starts: bool,
    /// Seeds of each row, and the first of them.
    seeds: (u64, u64),
}

/// Opens a study of the front lab and measures what was not measured before.
pub fn begin(open: &mut Option<Study>, spec: &'static StudySpec, state: &mut State) {
    match open {
        Some(study)
            if study.lab == state.active
                && What::Paper(spec).is(&study.runner.run)
                && study.phase != Phase::Resting =>
        {
            study.open = true;
        }
        _ => {
            let seeds =
                open.as_ref().filter(|study| What::Paper(spec).is(&study.runner.run)).map(|study| study.seeds_used);
            let seeds = seeds.unwrap_or((SEEDS, DEFAULT_SEED));
            anew(open, state.active, What::Paper(spec), Opening { again: false, starts: true, seeds }, state);
        }
    }
}

/// Opens a sweep of the front lab around the values of its form, and measures what was not measured before. A notice says what is
/// wrong with it.
pub fn sweep(open: &mut Option<Study>, over: &[String], seeds: (u64, u64), state: &mut State) {
    let Some(session) = state.front() else { return };
    let specs = session.lab.spec.params;
    let base = session.params.clone();
    match over.iter().map(|text| Axis::parse(specs, text)).collect::<Result<Vec<_>, _>>() {
        Ok(axes) => {
            let (what, seeds) = (What::Sweep(base, axes), limited(seeds));
            match open {
                // What is on its way goes on; a question may be asked anew with other seeds.
                Some(study)
                    if study.lab == state.active
                        && what.is(&study.runner.run)
                        && study.phase != Phase::Resting
                        && (study.phase != Phase::Asking || study.seeds_used == seeds) =>
                {
                    study.open = true;
                    if study.seeds_used != seeds {
                        state.notice(Level::Info, "this sweep is on its way; stop it to ask for other seeds");
                    }
                }
                _ => anew(open, state.active, what, Opening { again: false, starts: true, seeds }, state),
            }
        }
        Err(error) => state.notice(Level::Error, format!("sweep: {error}")),
    }
}

/// The run of a paper's rows, with what of the form is the user's own.
fn paper(session: &Session, spec: &'static StudySpec, (seeds, first): (u64, u64)) -> Result<StudyRun, ParamError> {
    let lab_spec = session.lab.spec;
    // Where one's own data lie is not the study's to say: the form does.
    let paths = lab_spec.params.iter().filter(|parameter| parameter.kind.is_path());
    let is_own = spec.own_data.iter().all(|(key, value)| session.params.is(key, value));
    let own = spec.own_data.iter().filter(|_| is_own).map(|(key, _)| *key);
    let given: Vec<(String, Value)> = own
        .chain(paths.map(|parameter| parameter.key))
        .filter_map(|key| Some((key.to_owned(), session.params.get(key)?.clone())))
        .collect();
    StudyRun::new(lab_spec.id, lab_spec.params, spec, seeds, first, &given)
}

/// Opens a study of a lab, in the place of the one so far. A notice says why it cannot.
fn anew(open: &mut Option<Study>, lab: usize, what: What, opening: Opening, state: &mut State) {
    let Some(session) = state.sessions.get(lab) else { return };
    let lab_spec = session.lab.spec;
    let same = open.as_ref().is_some_and(|study| study.lab == lab && what.is(&study.runner.run));
    let (id, run) = match what {
        What::Paper(spec) => (spec.id, paper(session, spec, opening.seeds)),
        What::Sweep(base, axes) => {
            let (seeds, first) = opening.seeds;
            ("sweep", kit::study::sweep(lab_spec, &base, axes, seeds, first))
        }
    };
    let run = match run {
        Ok(run) => run,
        Err(error) => return state.notice(Level::Error, format!("study `{id}`: {error}")),
    };
    if let Some(missing) = run.next().and_then(|task| missing_path(lab_spec.params, task)) {
        let text = format!(
            "“{}” needs data of your own: show `{}` in the form, choose it there, and start the study again",
            run.title(),
            missing.label
        );
        return state.notice(Level::Warning, text);
    }
    let facts = kit::study::facts(lab_spec);
    let folder = run.folder(&state.runs_dir.parent().unwrap_or(Path::new("")).join(STUDIES));
    // What is known of the time of its rows stays known.
    let (runner, before) = match open.take() {
        Some(study) if same => {
            let mut runner = study.runner;
            runner.turn_to(run.clone());
            (runner, Some(study.disk.thread))
        }
        before => (Runner::new(run.clone(), facts), before.map(|study| study.disk.thread)),
    };
    match Disk::open(run, folder.clone(), (facts, opening.again), before, state.wake.clone()) {
        Ok(disk) => {
            let (table, sweep) = (runner.run.table(), runner.run.sweep_table().map(Arc::new));
            *open = Some(Study {
                lab,
                runner,
                table,
                sweep,
                lines: Lines::default(),
                figure: StudyFigure::default(),
                map: SweepFigure::default(),
                found: None,
                pins: Vec::new(),
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
        Err(error) => state.notice(Level::Error, format!("study `{id}`: no thread can be started: {error}")),
    }
}

/// Opens the open study once more.
fn reopen(open: &mut Option<Study>, opening: Opening, state: &mut State) {
    if let Some((lab, what)) = open.as_ref().map(|study| (study.lab, What::of(&study.runner.run))) {
        anew(open, lab, what, opening, state);
    }
}

/// Goes on with the open study, as the user said.
pub fn go_on(open: &mut Option<Study>, state: &mut State) {
    let Some(study) = open else { return };
    if study.disk.thread.is_finished() {
        // The folder was refused; perhaps it can be used now.
        let opening = Opening { again: false, starts: true, seeds: study.seeds };
        return reopen(open, opening, state);
    }
    // The first time only what it takes is found out.
    study.ends_training = study.phase == Phase::Asking;
    study.agreed = study.runner.estimate().is_some();
    study.next(state);
}

/// Measures every row of the open study anew.
pub fn again(open: &mut Option<Study>, state: &mut State) {
    if let Some(seeds) = open.as_ref().map(|study| study.seeds) {
        reopen(open, Opening { again: true, starts: true, seeds }, state);
    }
}

/// Turns the open study to other seeds of each row: so many, from the first on.
pub fn turn_to_seeds(open: &mut Option<Study>, seeds: (u64, u64), state: &mut State) {
    let opening = Opening { again: false, starts: false, seeds: limited(seeds) };
    reopen(open, opening, state);
    if let Some(study) = open {
        // What could not be opened is not asked for again.
        study.seeds = study.seeds_used;
    }
}

fn limited((count, first): (u64, u64)) -> (u64, u64) {
    (count.clamp(1, MOST_SEEDS), first.min(MOST_SEED))
}

impl Study {
    /// Starts a run of the study; the form has no part in it. `None`: a notice says why it did not start.
    fn launch(&self, job: &Job, shown: bool, state: &mut State) -> Option<RunId> {
        if state.closing.is_ending() {
            return None;
        }
        let session = state.sessions.get_mut(self.lab)?;
        match kit::study::request_of(session.lab.spec, job, &state.device, false) {
            Ok(request) => {
                let id = request.id;
                session.pending = None;
                state.launch(self.lab, request, shown.then_some(Start::Explicit));
                Some(id)
            }
            Err(error) => {
                state.notice(Level::Error, format!("the study did not start: {error}"));
                None
            }
        }
    }

    /// Takes the study's next step: a trial, the question, or a run; rests if there is none, or if it does not start.
    fn next(&mut self, state: &mut State) {
        self.rest();
        if self.runner.next_task().is_none() {
            return;
        }
        if state.is_training() && !self.agreed && !self.ends_training {
            // It would end that.
            self.phase = Phase::Asking;
            return;
        }
        if let Some(job) = self.runner.next_trial() {
            self.trial = RunState::default();
            if let Some(id) = self.launch(&job, false, state) {
                self.phase = Phase::Timing(id);
            }
            return;
        }
        if !self.agreed && self.runner.estimate().is_some() {
            self.phase = Phase::Asking;
            return;
        }
        let Some(task) = self.runner.next_task().cloned() else { return };
        if self.runner.is_recorded(&task) {
            self.phase = Phase::Placing;
            self.disk.ask(ToDisk::Place(self.runner.run.clone(), Box::new(task)));
        } else {
            self.begin_row(&task, None, state);
        }
    }

    /// Starts the run of a row in its place.
    fn begin_row(&mut self, task: &StudyTask, place: Option<Place>, state: &mut State) {
        self.phase = Phase::Resting;
        let job = self.runner.begin(task, place);
        match self.launch(&job, true, state) {
            Some(id) => self.phase = Phase::Measuring(id),
            None => self.runner.rest(),
        }
    }

    fn rest(&mut self) {
        self.phase = Phase::Resting;
        self.runner.rest();
    }

    /// Hears what happens in its run.
    pub fn hear(&mut self, event: &Event) {
        match self.phase {
            Phase::Timing(id) if id == event.run => {
                self.trial.apply(event);
                self.runner.hear(event);
            }
            Phase::Measuring(id) if id == event.run => self.runner.hear(event),
            _ => {}
        }
    }

    /// Measures the run that has ended, if one has, and starts the next.
    pub fn advance(&mut self, state: &mut State) {
        let mut go_on = self.hear_disk(state);
        match self.phase {
            Phase::Timing(id) | Phase::Measuring(id) if state.last_run != Some(id) => {
                self.rest();
                state.notice(Level::Info, "the study was interrupted by another run");
            }
            Phase::Timing(_) if self.trial.status.is_some() && !self.trial.is_live() => {
                go_on = self.runner.take(&self.trial) == Taken::Timed;
                if !go_on {
                    self.phase = Phase::Resting;
                }
            }
            Phase::Measuring(id) => {
                let run = state.sessions.get(self.lab).map(|session| &session.run);
                if let Some(run) = run.filter(|run| run.id == Some(id) && !run.is_live()) {
                    if self.runner.take(run) == Taken::Measured {
                        self.tabulate();
                        self.disk.ask(ToDisk::Save(self.runner.run.clone()));
                        self.draw();
                        go_on = true;
                    } else {
                        // It was stopped: it counts as not made.
                        self.phase = Phase::Resting;
                    }
                }
            }
            _ => {}
        }
        if go_on {
            self.next(state);
        }
    }

    /// Takes in what the disk says; whether the study goes on.
    fn hear_disk(&mut self, state: &mut State) -> bool {
        let mut go_on = false;
        while let Ok(answer) = self.disk.answers.try_recv() {
            match answer {
                Answer::Opened(run) => {
                    self.kept = run.progress().0;
                    self.runner.turn_to(*run);
                    self.tabulate();
                    self.draw();
                    if self.phase == Phase::Opening {
                        self.phase = Phase::Resting;
                        go_on = self.starts;
                    }
                }
                Answer::Refused(problem) => {
                    self.phase = Phase::Resting;
                    state.notice(Level::Error, format!("the study did not start: {problem}"));
                }
                Answer::Placed(task, place) => {
                    // One that is not wanted any more gives its place up.
                    if self.phase == Phase::Placing && self.runner.next_task() == Some(&*task) {
                        self.begin_row(&task, *place, state);
                    }
                }
                Answer::Drawn(drawing) => self.figure.set(drawing),
                Answer::Found(row, None) => self.load(row, state),
                Answer::Found(_, found) => self.found = found,
                Answer::All(runs) => {
                    self.pins = runs;
                    if self.pins.is_empty() {
                        state.notice(Level::Info, "none of its runs is recorded");
                    }
                }
                Answer::Told(text) => state.notice(Level::Warning, text),
                Answer::NotSaved(problem) => {
                    state.notice(Level::Warning, format!("the study is not saved: {problem}"));
                }
            }
        }
        go_on
    }

    /// Asks for its recorded runs, to pin them.
    pub fn pin_runs(&self) {
        self.disk.ask(ToDisk::FindAll(self.runner.run.clone()));
    }

    /// Lets the disk have the last rows, at most for so long.
    pub fn close(self, deadline: Duration) {
        self.disk.close(deadline);
    }

    /// Stops, and the run under way with it.
    pub fn stop(&mut self, state: &mut State) {
        if let Phase::Measuring(_) | Phase::Timing(_) = self.phase {
            state.backend.send(Command::Stop);
        }
        self.rest();
    }

    /// Not now, after the question.
    pub fn leave(&mut self) {
        self.phase = Phase::Resting;
    }

    /// Puts a row's values into the form and runs them: the user asked for that.
    pub fn load(&self, row: usize, state: &mut State) {
        let Some(task) = self.runner.run.task(row).cloned() else { return };
        state.active = self.lab;
        let Some(session) = state.front_mut() else { return };
        session.edit_all(|session| {
            session.params = task.params;
            session.seed = task.seed;
            session.changes.clear();
        });
        session.errors.clear();
        session.name = runs::file_name(&task.name);
        state.start(self.lab, Start::Settled);
    }

    /// Saves it where the user says.
    pub fn save(&self, what: StudyFile, state: &State, files: &mut Files) {
        let name = runs::file_name(&match &self.runner.run.sweep {
            Some(_) => format!("{}-{}", self.runner.run.lab, self.runner.run.title()),
            None => self.runner.run.spec.id.to_owned(),
        });
        if let Some(table) = &self.sweep {
            let (run, measure, style) = (self.runner.run.clone(), self.map.measure, state.style.clone());
            return match what {
                StudyFile::Text => files.save_text(&format!("{name}.txt"), table.text()),
                StudyFile::Csv | StudyFile::FigureCsv => files.save_text(&format!("{name}.csv"), table.csv()),
                StudyFile::Picture => {
                    files.save_with(&format!("{name}.png"), move || sweep_figure::png(&run, measure, &style));
                }
                StudyFile::Vectors => {
                    files.save_with(&format!("{name}.svg"), move || sweep_figure::svg(&run, measure, &style));
                }
            };
        }
        match what {
            // Only sweeps are saved so.
            StudyFile::Vectors => {}
            StudyFile::Text => files.save_text(&format!("{name}.txt"), self.table.text()),
            StudyFile::Csv => files.save_text(&format!("{name}.csv"), self.table.csv()),
            StudyFile::FigureCsv => {
                let (run, drawing) = (self.runner.run.clone(), self.figure.drawing.clone());
                files.save_with(&format!("{name}-figure.csv"), move || csv(&run, &drawing));
            }
            StudyFile::Picture => {
                let (run, drawing) = (self.runner.run.clone(), self.figure.drawing.clone());
                let (style, Some(session)) = (state.style.clone(), state.sessions.get(self.lab)) else { return };
                let lab = session.lab;
                files.save_with(&format!("{name}.png"), move || {
                    png(&study_figure::picture(&run, drawing, lab, PICTURE, &style)?)
                });
            }
        }
    }

    /// Copies its table.
    pub fn copy(&self, state: &mut State, ctx: &egui::Context) {
        ctx.copy_text(self.sweep.as_ref().map_or_else(|| self.table.text(), |table| table.text()));
        state.notice(Level::Info, "the table was copied");
    }

    fn tabulate(&mut self) {
        (self.table, self.sweep) = (self.runner.run.table(), self.runner.run.sweep_table().map(Arc::new));
    }

    /// Shows the recorded run of a combination, or runs its values where none is recorded.
    pub fn show_cell(&mut self, row: usize, state: &mut State) {
        if self.phase != Phase::Resting {
            return state.notice(Level::Info, "the sweep goes on; stop it to look at one of its runs");
        }
        if self.disk.thread.is_finished() {
            return self.load(row, state);
        }
        self.disk.ask(ToDisk::Find(self.runner.run.clone(), row));
    }

    /// Asks for the curves of its figure, if it has one.
    fn draw(&self) {
        if self.runner.run.spec.figure.is_some() {
            self.disk.ask(ToDisk::Draw(self.runner.run.clone()));
        }
    }
}

/// A path that the study's own choices ask for, where nobody has chosen any.
fn missing_path(specs: &'static [ParamSpec], task: &StudyTask) -> Option<&'static ParamSpec> {
    let is_asked_for = |parameter: &&ParamSpec| {
        parameter.kind.is_path() && parameter.only_if.is_some() && task.params.shows(parameter)
    };
    let is_empty = |parameter: &ParamSpec| task.params.get(parameter.key) == Some(&Value::Text(String::new()));
    let mut asked = specs.iter().filter(is_asked_for);
    let first = asked.next().filter(|first| is_empty(first))?;
    asked.all(is_empty).then_some(first)
}
