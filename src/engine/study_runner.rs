//! Drives a study, for the window and the command line alike: which run is next, first the trials that are timed and then
//! the rows; takes the results; says how long the rest takes.

use std::path::{Path, PathBuf};

use super::command::Record;
use super::event::{Event, Status};
use super::params::{ParamError, Params};
use super::state::RunState;
use super::study::{Place, StudyRun, StudyTask};
use super::study_cost::{Clock, TRIAL, Timing};
use super::study_store;

/// What a study has to know of its lab.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Steps of a run with these parameters.
    pub steps: fn(&Params) -> u64,
    /// Whether such a run trains (or is computed at once, which takes no time worth an estimate).
    pub trains: fn(&Params) -> bool,
    /// The data set of a run in words, with its content hash.
    pub describe: fn(&Params) -> Result<String, ParamError>,
}

/// A run to make now, as the shell has to start it.
#[derive(Debug, Clone)]
pub struct Job {
    pub name: String,
    pub params: Params,
    pub seed: u64,
    /// `None`: as many as the lab takes with these parameters.
    pub steps: Option<u64>,
    pub record: Record,
    pub resume_from: Option<PathBuf>,
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// A trial; there may be more.
    Timed,
    /// A row.
    Measured,
    /// It was stopped or changed by hand: it counts as not made.
    Stopped,
}

/// How long the runs that are left take.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    pub runs: usize,
    pub steps: u64,
    pub seconds: f64,
    /// How much of it are evaluations and the like; their names.
    pub occasions: f64,
    pub names: Vec<&'static str>,
    /// On which it was timed.
    pub device: String,
}

impl Estimate {
    /// `18 runs, 3240 steps: about 12 min on CPU (Flex), 4 min of it validations and tests`.
    pub fn text(&self) -> String {
        let counted = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let mut text = format!(
            "{}, {}: about {}",
            counted(self.runs as u64, "run"),
            counted(self.steps, "step"),
            spoken(self.seconds)
        );
        if !self.device.is_empty() {
            text += &format!(" on {}", self.device);
        }
        if self.occasions >= 0.05 * self.seconds && !self.names.is_empty() {
            text += &format!(", {} of it {}", spoken(self.occasions), self.names.join(" and "));
        }
        text
    }
}

/// A time to wait in words: `40 s`, `12 min`, `3 h 20 min`, `5 days 4 h`.
fn spoken(seconds: f64) -> String {
    let minutes = (seconds.max(0.0) / 60.0).round() as u64;
    match seconds {
        _ if seconds < 100.0 => format!("{:.0} s", seconds.max(0.0)),
        _ if minutes < 100 => format!("{minutes} min"),
        _ if minutes < 48 * 60 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} days {} h", minutes / 1440, minutes % 1440 / 60),
    }
}

/// Rows that cost the same.
#[derive(Debug, Clone)]
struct Kind {
    /// One of them.
    task: StudyTask,
    timing: Option<Timing>,
    /// What was timed, and a longer trial for fast steps.
    tried: bool,
    longer: Option<u64>,
}

/// The run in progress.
#[derive(Debug)]
enum Now {
    Trial {
        kind: usize,
        clock: Clock,
    },
    Row {
        task: StudyTask,
        steps: u64,
        /// Steps that an earlier process made.
        from: u64,
        /// Newest step that this process made.
        at: u64,
        /// The recording is ours until the run is measured.
        _place: Option<Place>,
    },
}

/// A study on its way.
#[derive(Debug)]
pub struct Runner {
    pub run: StudyRun,
    facts: Facts,
    kinds: Vec<Kind>,
    /// By row: its kind, where it trains.
    kind_of_row: Vec<Option<usize>>,
    now: Option<Now>,
    /// Of each row that this process made from its first step: kind, and how many times its estimate it took.
    found: Vec<(usize, f64)>,
    /// Seconds of trials so far, and how many.
    trials: (f64, usize),
}

impl Runner {
    pub fn new(run: StudyRun, facts: Facts) -> Self {
        let (kinds, kind_of_row, found) = (Vec::new(), Vec::new(), Vec::new());
        let mut runner = Self { run, facts, kinds, kind_of_row, now: None, found, trials: (0.0, 0) };
        runner.sort_kinds();
        runner
    }

    /// Goes on with the same study asked otherwise (other seeds, what was kept), with what is known of its time on these
    /// data.
    pub fn turn_to(&mut self, run: StudyRun) {
        let data = |run: &StudyRun| {
            let params = run.task(0).map(|task| task.params.clone()).unwrap_or_default();
            let paths = run.specs().iter().filter(|spec| spec.kind.is_path());
            paths.map(|spec| params.get(spec.key).cloned()).collect::<Vec<_>>()
        };
        if data(&run) != data(&self.run) {
            (self.kinds, self.found) = (Vec::new(), Vec::new());
        }
        self.run = run;
        self.now = None;
        self.sort_kinds();
    }

    /// Finds a kind for each row that trains.
    fn sort_kinds(&mut self) {
        let free = self.run.free();
        let costs = |params: &Params| {
            let of = study_store::costs(self.run.specs(), params, &free);
            of.into_iter().map(|(key, value)| (key, value.cloned())).collect::<Vec<_>>()
        };
        let mut known: Vec<_> = self.kinds.iter().map(|kind| costs(&kind.task.params)).collect();
        let mut kind_of_row = Vec::new();
        for row in 0..self.run.rows().len() {
            let Some(task) = self.run.task(row).filter(|task| (self.facts.trains)(&task.params)) else {
                kind_of_row.push(None);
                continue;
            };
            let its = costs(&task.params);
            let at = known.iter().position(|kind| *kind == its).unwrap_or_else(|| {
                known.push(its);
                self.kinds.push(Kind { task: task.clone(), timing: None, tried: false, longer: None });
                known.len() - 1
            });
            kind_of_row.push(Some(at));
        }
        self.kind_of_row = kind_of_row;
    }

    fn kind_of(&self, task: &StudyTask) -> Option<usize> {
        self.kind_of_row[task.row]
    }

    /// Kinds of which a run is left.
    fn needed(&self) -> Vec<usize> {
        let mut needed: Vec<usize> = self.run.remaining().filter_map(|task| self.kind_of(task)).collect();
        needed.sort_unstable();
        needed.dedup();
        needed
    }

    /// The next trial that an estimate needs; `None`: what is known will do.
    pub fn next_trial(&mut self) -> Option<Job> {
        let wanted = |kind: &Kind| !kind.tried && (self.facts.steps)(&kind.task.params) > 2 * TRIAL;
        let at = self.needed().into_iter().find(|&at| wanted(&self.kinds[at]))?;
        let task = &self.kinds[at].task;
        let mut params = task.params.clone();
        for (key, value) in (self.run.spec.cost.trial)(&task.params) {
            params.put(key, value);
        }
        let steps = self.kinds[at].longer.unwrap_or(TRIAL);
        let (name, seed) = (format!("{} (trial)", task.name), task.seed);
        self.now = Some(Now::Trial { kind: at, clock: Clock::default() });
        Some(Job { name, params, seed, steps: Some(steps), record: Record::No, resume_from: None })
    }

    /// Trials made and in all, and the seconds that the rest of them takes, once one was made.
    pub fn trials(&self) -> (usize, usize, Option<f64>) {
        let needed = self.needed();
        let done = needed.iter().filter(|at| self.kinds[**at].tried).count();
        let (seconds, made) = self.trials;
        (done, needed.len(), (made > 0).then(|| seconds / made as f64 * (needed.len() - done) as f64))
    }

    /// Label of the row that is being timed or made.
    pub fn label(&self) -> &str {
        let row = match &self.now {
            Some(Now::Trial { kind, .. }) => self.kinds[*kind].task.row,
            Some(Now::Row { task, .. }) => task.row,
            None => return "",
        };
        &self.run.rows()[row].label
    }

    /// The row that is being made.
    pub fn row(&self) -> Option<usize> {
        match &self.now {
            Some(Now::Row { task, .. }) => Some(task.row),
            _ => None,
        }
    }

    /// The run to make now; `None`: all are measured. [`Runner::place`] finds room for it, which may take a while.
    pub fn next_task(&self) -> Option<&StudyTask> {
        self.run.next()
    }

    /// Whether that run is recorded: what is computed at once is not, unless its curves are drawn.
    pub fn is_recorded(&self, task: &StudyTask) -> bool {
        is_recorded(&self.run, &self.facts, task)
    }

    /// Where that run is recorded and what it goes on from, in the study's own folder. Reads and locks files.
    pub fn place(run: &StudyRun, facts: &Facts, folder: &Path, task: &StudyTask) -> Option<Place> {
        is_recorded(run, facts, task).then(|| run.place(folder, task, (facts.steps)(&task.params)))
    }

    /// The run of [`Runner::next_task`] in its place.
    pub fn begin(&mut self, task: &StudyTask, place: Option<Place>) -> Job {
        let (record, resume_from) = match &place {
            Some(place) => (place.record.clone(), place.resume_from.clone()),
            None => (Record::No, None),
        };
        let steps = (self.facts.steps)(&task.params);
        self.now = Some(Now::Row { task: task.clone(), steps, from: 0, at: 0, _place: place });
        let StudyTask { seed, params, name, .. } = task.clone();
        Job { name, params, seed, steps: None, record, resume_from }
    }

    /// Nothing is being made any more.
    pub fn rest(&mut self) {
        self.now = None;
    }

    /// Takes in an event of the run in progress.
    pub fn hear(&mut self, event: &Event) {
        match &mut self.now {
            Some(Now::Trial { clock, .. }) => clock.hear(event, self.run.spec.cost),
            Some(Now::Row { from, at, .. }) => {
                if let super::event::Body::Started(header) = &event.body {
                    *from = header.resumed_at.unwrap_or(0);
                }
                *at = event.step.max(*from);
            }
            None => {}
        }
    }

    /// Takes the run in progress, which has ended.
    pub fn take(&mut self, state: &RunState) -> Taken {
        match self.now.take() {
            Some(Now::Trial { kind, clock }) => {
                if !state.status.as_ref().is_some_and(|status| matches!(status, Status::Finished | Status::Failed(_))) {
                    return Taken::Stopped;
                }
                self.trials.0 += state.seconds;
                let kind = &mut self.kinds[kind];
                kind.timing = clock.timing(state).filter(|_| state.status == Some(Status::Finished));
                kind.longer = clock.longer().filter(|_| kind.timing.is_some() && kind.longer.is_none());
                // One that fails is explained by the run itself.
                kind.tried = kind.longer.is_none();
                self.trials.1 += usize::from(kind.tried);
                Taken::Timed
            }
            Some(Now::Row { task, from, .. }) => {
                if !self.run.record(state) {
                    return Taken::Stopped;
                }
                let steps = state.step.saturating_sub(from);
                if let Some(at) = self.kind_of(&task)
                    && let Some(timing) = &self.kinds[at].timing
                    && state.status == Some(Status::Finished)
                    && from == 0
                {
                    let expected = timing.seconds(self.run.spec.cost, &task.params, steps);
                    self.found.push((at, state.seconds / expected.max(1e-9)));
                }
                Taken::Measured
            }
            None => Taken::Stopped,
        }
    }

    /// How long the runs that are left take, by the trials; `None` where nothing was timed.
    pub fn estimate(&self) -> Option<Estimate> {
        let cost = self.run.spec.cost;
        let left = self.left_by_row();
        let mut found = Estimate {
            runs: left.iter().sum(),
            steps: 0,
            seconds: self.seconds_of(&left)?,
            occasions: 0.0,
            names: cost.occasions.iter().map(|occasion| occasion.name).collect(),
            device: String::new(),
        };
        for (row, runs) in left.iter().enumerate().filter(|(_, runs)| **runs > 0) {
            let Some(task) = self.run.task(row) else { continue };
            let steps = (self.facts.steps)(&task.params);
            found.steps += *runs as u64 * steps;
            if let Some(timing) = self.timing(row) {
                found.occasions += *runs as f64 * timing.occasions(cost, &task.params, steps);
                found.device.clone_from(&timing.device);
            }
        }
        (!found.device.is_empty()).then_some(found)
    }

    /// Seconds that the rest takes, corrected by the rows that this process has made; the run in progress counts with the
    /// steps that it has left.
    pub fn seconds_left(&self) -> Option<f64> {
        let all = self.seconds_of(&self.left_by_row())?;
        let Some(Now::Row { task, steps, from, at, .. }) = &self.now else { return Some(all) };
        let done = (*at).max(*from) as f64 / (*steps).max(1) as f64;
        let mut this = vec![0; self.run.rows().len()];
        this[task.row] = 1;
        Some((all - done.min(1.0) * self.seconds_of(&this)?).max(0.0))
    }

    /// By row: runs that are still to be made.
    fn left_by_row(&self) -> Vec<usize> {
        let mut left = vec![0; self.run.rows().len()];
        self.run.remaining().for_each(|task| left[task.row] += 1);
        left
    }

    fn timing(&self, row: usize) -> Option<&Timing> {
        self.kinds[self.kind_of_row[row]?].timing.as_ref()
    }

    /// Seconds of so many runs of each row. Rows whose kind could not be timed are taken to be like the others.
    fn seconds_of(&self, runs: &[usize]) -> Option<f64> {
        let mean = |of: Option<usize>| {
            let found = self.found.iter().filter(|(at, _)| of.is_none_or(|of| of == *at)).map(|(_, factor)| *factor);
            let (sum, count) = found.fold((0.0, 0), |(sum, count), factor| (sum + factor, count + 1));
            (count > 0).then(|| sum / f64::from(count))
        };
        let (mut seconds, mut timed, mut trained) = (0.0, 0, 0);
        for (row, &runs) in runs.iter().enumerate() {
            let (Some(kind), Some(task)) = (self.kind_of_row[row], self.run.task(row)) else { continue };
            trained += runs;
            if let Some(timing) = self.timing(row) {
                let factor = mean(Some(kind)).or_else(|| mean(None)).unwrap_or(1.0);
                let steps = (self.facts.steps)(&task.params);
                seconds += runs as f64 * factor * timing.seconds(self.run.spec.cost, &task.params, steps);
                timed += runs;
            }
        }
        match timed {
            0 if trained == 0 => Some(0.0),
            0 => None,
            _ => Some(seconds * trained as f64 / timed as f64),
        }
    }
}

fn is_recorded(run: &StudyRun, facts: &Facts, task: &StudyTask) -> bool {
    (facts.trains)(&task.params) || run.spec.figure.is_some()
}
