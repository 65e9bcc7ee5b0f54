//! A study is one table or figure of a paper: rows (run requests), the paper's numbers, and how ours are measured.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::command::Record;
use super::event::Status;
use super::params::{ParamError, ParamSpec, Params, Value};
use super::run_folder::{self, DiskError, write_whole};
use super::state::RunState;
use super::study_beside::{Beside, Measured};
use super::study_cost::Cost;
use super::study_figure::Figure;
use super::study_store::{self, Key, SAMPLES, Sample, Unread};
use super::study_table::{StudyTable, Summary, TableRow};
use super::sweep::Sweep;
use super::sweep_table::SweepTable;
use super::{checkpoint_file, clock, header_file, recording};

/// The version that measures.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One table or figure of a paper.
#[derive(Debug, Clone, Copy)]
pub struct StudySpec {
    /// Name on the command line, after the lab's: `optimizers/saddle-race`.
    pub id: &'static str,
    pub title: &'static str,
    /// Which figure or table of which paper, and on what data the paper's numbers were measured.
    pub source: &'static str,
    /// What the study asks, and what is seen. Honest where our numbers differ.
    pub about: &'static str,
    /// Preset-like values shared by all rows: `key`, `value` as typed.
    pub common: &'static [(&'static str, &'static str)],
    /// Values beside these with which its rows read the user's data, where the user names some; empty: its rows read what they say.
    pub own_data: &'static [(&'static str, &'static str)],
    pub rows: &'static [StudyRow],
    /// What is measured of each row's run.
    pub measures: &'static [Measure],
    /// Whether another seed gives another result (else one run per row is enough).
    pub seeded: bool,
    /// How the paper's numbers are known, after "Paper: ": `as printed there`, `read off the figure, ±0.01`.
    pub reading: &'static str,
    /// What the time of a run depends on.
    pub cost: &'static Cost,
    /// The article's figure, where the study is one of curves.
    pub figure: Option<&'static Figure>,
    /// Further tables of its runs.
    pub beside: Option<&'static Beside>,
}

/// [`StudySpec::reading`] of numbers that the paper prints.
pub const PRINTED: &str = "as printed there.";
/// [`StudySpec::reading`] where the paper gives none.
pub const NO_NUMBERS: &str = "it prints no numbers for this.";

/// One run of a study.
#[derive(Debug, Clone, Copy)]
pub struct StudyRow {
    pub label: &'static str,
    pub set: &'static [(&'static str, &'static str)],
    /// The paper's number for each measure, where it gives one; may be shorter.
    pub paper: &'static [Option<f64>],
    /// The paper's standard deviation for each measure, where it gives one; may be shorter.
    pub paper_std: &'static [Option<f64>],
}

/// A row for which the paper gives no standard deviations.
pub const fn row(
    label: &'static str,
    set: &'static [(&'static str, &'static str)],
    paper: &'static [Option<f64>],
) -> StudyRow {
    StudyRow { label, set, paper, paper_std: &[] }
}

/// The last value of a run's measurement; `None` where there is none, or it is not finite.
pub fn last(run: &RunState, key: &str) -> Option<f64> {
    run.last(key).filter(|value| value.is_finite())
}

/// Steps from which an interrupted run of a study goes on where it was. A shorter one is made again.
const LONG_RUN: u64 = 2_000;

/// Where a run of a study is recorded, and what it goes on from.
#[derive(Debug)]
pub struct Place {
    pub record: Record,
    /// A checkpoint of the same run.
    pub resume_from: Option<PathBuf>,
    /// Keeps other processes away from the folder for as long as this lives.
    _claim: Option<File>,
}

/// Folder of the recorded runs within a study's folder.
pub const RUNS: &str = "runs";

/// One measured number.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    pub title: &'static str,
    pub unit: &'static str,
    /// `None`: it never happened in this run (e.g. never reached y = 4).
    pub of: fn(&RunState, &StudyRow) -> Option<f64>,
}

/// A run that a study asks for next. Whoever drives the study makes the request (so that this room knows no lab).
#[derive(Debug, Clone, PartialEq)]
pub struct StudyTask {
    /// Index of its row.
    pub row: usize,
    pub seed: u64,
    /// The row's parameters, checked.
    pub params: Params,
    /// Name of the run: the study's and the row's.
    pub name: String,
}

/// A row of a study that is being measured.
#[derive(Debug, Clone)]
pub struct Row {
    pub label: String,
    /// As the study's table says it; of a sweep it says nothing.
    spec: StudyRow,
}

/// A study that is being measured, one run after the other: `next` says which run to make, `record` measures it. The
/// window and the command line drive it alike. What is large of it is shared: a copy costs a pointer a run.
#[derive(Debug, Clone)]
pub struct StudyRun {
    /// Lab id.
    pub lab: String,
    pub spec: &'static StudySpec,
    /// What its rows are made of, where no table of a paper says them.
    pub sweep: Option<Arc<Sweep>>,
    rows: Arc<[Row]>,
    specs: &'static [ParamSpec],
    tasks: Arc<[StudyTask]>,
    /// By task: what its result depends on. `None` until [`StudyRun::keep`], or if the data set cannot be read.
    keys: Arc<[Option<Key>]>,
    /// By task.
    samples: Vec<Option<Arc<Sample>>>,
    /// By task: the newest of an earlier study, which stands in where a new measurement fails.
    earlier: Arc<[Option<Arc<Sample>>]>,
}

impl StudyRun {
    /// Prepares a study: `seeds` runs of each row, seeds `first_seed`, `first_seed + 1`, ..; one run where no seed
    /// changes the result. `given`: values that the user adds to every row, e.g. a data folder.
    pub fn new(
        lab: &str,
        specs: &'static [ParamSpec],
        spec: &'static StudySpec,
        seeds: u64,
        first_seed: u64,
        given: &[(String, Value)],
    ) -> Result<Self, ParamError> {
        let mut rows = Vec::new();
        for row in spec.rows {
            let mut params = Params::defaults(specs);
            for (key, value) in spec.common.iter().chain(row.set) {
                params.set_text(specs, &format!("{key}={value}"))?;
            }
            for (key, value) in given {
                params.set(specs, key, value.clone())?;
            }
            rows.push((Row { label: row.label.to_owned(), spec: *row }, params));
        }
        Ok(Self::of(lab, specs, (spec, None), rows, seeds, first_seed))
    }

    /// Prepares a sweep; `rows`: the name and the parameters of each of its cells, in their order.
    pub fn of_sweep(
        lab: &str,
        specs: &'static [ParamSpec],
        sweep: Sweep,
        rows: Vec<(String, Params)>,
        seeds: u64,
        first_seed: u64,
    ) -> Self {
        const NOTHING: StudyRow = row("", &[], &[]);
        let spec = &sweep.spec.study;
        let rows = rows.into_iter().map(|(label, params)| (Row { label, spec: NOTHING }, params)).collect();
        Self::of(lab, specs, (spec, Some(Arc::new(sweep))), rows, seeds, first_seed)
    }

    fn of(
        lab: &str,
        specs: &'static [ParamSpec],
        (spec, sweep): (&'static StudySpec, Option<Arc<Sweep>>),
        rows: Vec<(Row, Params)>,
        seeds: u64,
        first_seed: u64,
    ) -> Self {
        let seeds = if spec.seeded { seeds.max(1) } else { 1 };
        let mut tasks = Vec::new();
        for (index, (row, params)) in rows.iter().enumerate() {
            let name = format!("{} {}", spec.id, row.label);
            tasks.extend((0..seeds).map(|k| StudyTask {
                row: index,
                seed: first_seed.wrapping_add(k),
                params: params.clone(),
                name: name.clone(),
            }));
        }
        let samples = vec![None; tasks.len()];
        let (keys, earlier) = (vec![None; tasks.len()].into(), samples.clone().into());
        let rows = rows.into_iter().map(|(row, _)| row).collect();
        let tasks = tasks.into();
        Self { lab: lab.to_owned(), spec, sweep, rows, specs, tasks, keys, samples, earlier }
    }

    /// What it is called, for people.
    pub fn title(&self) -> String {
        match &self.sweep {
            Some(sweep) => format!("Sweep of {}", sweep.names()),
            None => self.spec.title.to_owned(),
        }
    }

    /// Its rows, in their order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Parameters in which rows of one kind may differ: they hardly change how long a step takes.
    pub fn free(&self) -> Vec<&'static str> {
        let of =
            |sweep: &Arc<Sweep>| sweep.axes.iter().filter(|axis| axis.is_real()).map(|axis| axis.spec.key).collect();
        let mut free: Vec<&'static str> = self.sweep.as_ref().map_or_else(Vec::new, of);
        free.extend(self.spec.cost.free);
        free
    }

    /// The run to make now; `None`: all are done.
    pub fn next(&self) -> Option<&StudyTask> {
        let index = self.samples.iter().position(Option::is_none)?;
        self.tasks.get(index)
    }

    /// Measures the run that [`StudyRun::next`] asked for, after it has ended. A run that was stopped, or whose
    /// parameters were changed on the way, counts as not made (`false`).
    pub fn record(&mut self, run: &RunState) -> bool {
        let Some(index) = self.samples.iter().position(Option::is_none) else { return false };
        let failed = match &run.status {
            Some(Status::Finished) => None,
            Some(Status::Failed(problem)) => Some(problem.clone()),
            _ => return false,
        };
        if !run.changes.is_empty() {
            return false;
        }
        let (task, measures) = (&self.tasks[index], self.spec.measures.iter());
        let row = &self.rows[task.row];
        let values = match &failed {
            Some(_) => Vec::new(),
            None => measures.map(|measure| (measure.of)(run, &row.spec).filter(|value| value.is_finite())).collect(),
        };
        let kept = self.keeps().filter(|_| failed.is_none()).map(|keep| keep(run));
        let header = run.header.as_ref();
        self.samples[index] = Some(Arc::new(Sample {
            row: row.label.clone(),
            params: task.params.clone(),
            seed: task.seed,
            version: VERSION.to_owned(),
            measures: self.titles().map(str::to_owned).collect(),
            values,
            failed,
            seconds: run.seconds,
            device: header.map_or_else(String::new, |header| header.device.clone()),
            data: header.map_or_else(String::new, |header| header.data.clone()),
            measured: clock::utc_now(),
            kept,
        }));
        true
    }

    /// The first run of a row.
    pub fn task(&self, row: usize) -> Option<&StudyTask> {
        self.tasks.get(self.of_row(row)).and_then(<[StudyTask]>::first)
    }

    /// The tasks of a row, which lie side by side, as many in each.
    fn of_row(&self, row: usize) -> Range<usize> {
        let seeds = self.tasks.len().checked_div(self.rows.len()).unwrap_or(0);
        let row = row.min(self.rows.len());
        let end = (row + 1).min(self.rows.len());
        row * seeds..end * seeds
    }

    /// The study's own folder in the folder of all studies: `studies/LAB-STUDY`.
    pub fn folder(&self, studies: &Path) -> PathBuf {
        studies.join(format!("{}-{}", self.lab, self.spec.id))
    }

    /// Runs that are still to be made.
    pub fn remaining(&self) -> impl Iterator<Item = &StudyTask> {
        self.tasks.iter().zip(&self.samples).filter(|(_, sample)| sample.is_none()).map(|(task, _)| task)
    }

    /// Runs done and runs in all.
    pub fn progress(&self) -> (usize, usize) {
        (self.samples.iter().flatten().count(), self.samples.len())
    }

    /// Every parameter of the lab.
    pub fn specs(&self) -> &'static [ParamSpec] {
        self.specs
    }

    /// The samples of a row, in order of seeds.
    pub fn samples(&self, row: usize) -> impl Iterator<Item = &Sample> {
        self.samples[self.of_row(row)].iter().filter_map(Option::as_deref)
    }

    /// Takes over what was measured in this folder before and depends on the same things, the newest where there are
    /// several; nothing if `again`. Failed runs are made again. `describe`: the data set of a run in words, with its content
    /// hash. Returns what the user should know.
    pub fn keep(
        &mut self,
        folder: &Path,
        describe: fn(&Params) -> Result<String, ParamError>,
        again: bool,
    ) -> Result<Vec<String>, DiskError> {
        self.keys = self.keys_of_tasks(describe).into();
        let known = match study_store::read(folder) {
            Ok(known) => known,
            // Saving sets it aside, and says so.
            Err(Unread::Broken(_)) if again => return Ok(Vec::new()),
            Err(Unread::Broken(problem)) => {
                let advice = "measure anew (--again), which sets it aside";
                let problem = format!("not the results of a study ({problem}); repair it, or {advice}");
                return Err(DiskError::bad(folder.join(SAMPLES), problem));
            }
            Err(Unread::Disk(error)) => return Err(error),
        };
        let strange = known.iter().filter(|entry| entry.sample.is_none()).count();
        let samples = known.iter().filter_map(|entry| entry.sample.as_ref());
        let measured = samples.filter(|sample| self.is_measured(sample));
        let known: Vec<(Key, &Sample)> = measured.map(|sample| (self.key_of(sample), sample)).collect();
        // Of equals the last one is taken.
        let newest = |key: &Option<Key>| {
            let same = known.iter().filter(|(of, _)| key.as_ref() == Some(of));
            same.max_by_key(|(_, sample)| &sample.measured).map(|(_, sample)| Arc::new((*sample).clone()))
        };
        self.earlier = self.keys.iter().map(newest).collect();
        if again {
            return Ok(Vec::new());
        }
        self.samples = self.earlier.to_vec();
        let missing = self.keys.iter().zip(&self.samples).filter(|(_, sample)| sample.is_none());
        let missing: Vec<&Key> = missing.filter_map(|(key, _)| key.as_ref()).collect();
        // What answers almost the same question, and why it does not answer this one.
        let mut others: BTreeMap<String, usize> = BTreeMap::new();
        for (key, sample) in &known {
            // Of a sweep other values are another cell.
            let is_near = |task: &&&Key| {
                (&task.row, task.seed) == (&key.row, key.seed) && (self.sweep.is_none() || task.params == key.params)
            };
            let Some(task) = missing.iter().find(is_near) else {
                continue;
            };
            let how = match () {
                () if key.version != task.version => format!("by version {}", sample.version),
                () if key.params != task.params => "with other values of the parameters".to_owned(),
                () => "on other data".to_owned(),
            };
            *others.entry(how).or_default() += 1;
        }
        let kept = |n: usize| if n == 1 { "1 run".to_owned() } else { format!("{n} runs") };
        let are = |n: usize| if n == 1 { "is" } else { "are" };
        let note = |(how, n)| format!("{} measured {how} {} kept and not used", kept(n), are(n));
        let mut notes: Vec<String> = others.into_iter().map(note).collect();
        if strange > 0 {
            let what = if strange == 1 {
                "1 entry that this version does not understand stays as it is".to_owned()
            } else {
                format!("{strange} entries that this version does not understand stay as they are")
            };
            notes.push(format!("`{}`: {what}", folder.join(SAMPLES).display()));
        }
        Ok(notes)
    }

    /// By task. The data set of each distinct set of parameters is described once.
    fn keys_of_tasks(&self, describe: fn(&Params) -> Result<String, ParamError>) -> Vec<Option<Key>> {
        let mut described: Vec<(&Params, Option<String>)> = Vec::new();
        let mut keys = Vec::new();
        for task in self.tasks.iter() {
            if !described.iter().any(|(params, _)| *params == &task.params) {
                let reads = study_store::names_path(self.specs, &task.params);
                // What cannot be read, the run itself will explain.
                described.push((&task.params, if reads { describe(&task.params).ok() } else { Some(String::new()) }));
            }
            let data = described.iter().find(|(params, _)| *params == &task.params).and_then(|(_, data)| data.as_ref());
            let row = (self.known_as(&self.rows[task.row].label), &task.params);
            keys.push(data.map(|data| Key::new(self.specs, row, data, self.counting(task.seed), VERSION)));
        }
        keys
    }

    fn key_of(&self, sample: &Sample) -> Key {
        let row = (self.known_as(&sample.row), &sample.params);
        Key::new(self.specs, row, &sample.data, self.counting(sample.seed), &sample.version)
    }

    /// What a row is known as in a store. A sweep's values say all: whatever else was swept, a run with them is that run.
    fn known_as<'r>(&self, label: &'r str) -> &'r str {
        if self.sweep.is_some() { "sweep" } else { label }
    }

    /// The seed, where it changes the result.
    fn counting(&self, seed: u64) -> Option<u64> {
        self.spec.seeded.then_some(seed)
    }

    /// Whether the sample holds what this study measures.
    fn is_measured(&self, sample: &Sample) -> bool {
        let same = sample.measures.is_empty() || self.titles().eq(sample.measures.iter().map(String::as_str));
        let kept = sample.kept.is_some() || self.keeps().is_none();
        sample.failed.is_none() && sample.values.len() == self.spec.measures.len() && same && kept
    }

    /// What is stored of a run beside its numbers.
    pub fn keeps(&self) -> Option<fn(&RunState) -> String> {
        self.spec.beside?.keep
    }

    fn titles(&self) -> impl Iterator<Item = &'static str> {
        self.spec.measures.iter().map(|measure| measure.title)
    }

    /// Where the run of a task of so many steps is recorded, in the study's own `folder`: each set of parameters, each data
    /// set and each version has a recording of its own, and so has each of several processes at once. Only an interrupted
    /// recording gives way, if it is short; a finished one never does.
    pub fn place(&self, folder: &Path, task: &StudyTask, steps: u64) -> Place {
        let runs = folder.join(RUNS);
        let key = self.key_of_task(task);
        let name = self.recording_name(task, &key);
        // The lock needs the folder; if there can be none, the run says so.
        fs::create_dir_all(&runs).ok();
        for attempt in 1.. {
            let run = attempt_of(&runs, &name, attempt);
            let lock = run.file_name().unwrap_or_default().to_string_lossy();
            let Ok(claim) = study_store::try_lock(&runs.join(format!(".{lock}.lock"))) else { continue };
            if fs::symlink_metadata(&run).is_err() {
                return Place { record: Record::Replace(run), resume_from: None, _claim: claim };
            }
            let known = run_folder::summary(&run);
            if run_folder::check_replaceable(&run).is_err() || known.running || known.state() == "finished" {
                continue;
            }
            match self.unfinished(&run, task, &key, steps) {
                Some(from) => return Place { record: Record::Resume(run), resume_from: Some(from), _claim: claim },
                // Hours of it may be of use to somebody.
                None if known.header.as_ref().is_ok_and(|header| header.steps >= LONG_RUN) => {}
                None => return Place { record: Record::Replace(run), resume_from: None, _claim: claim },
            }
        }
        unreachable!("there is always one more name")
    }

    /// Name of the first recording of a run. Of a sweep the values are in the checksum.
    fn recording_name(&self, task: &StudyTask, key: &Key) -> String {
        let name = if self.sweep.is_some() { self.spec.id } else { &*task.name };
        let name: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        format!("{name}-seed-{}-{:08x}", task.seed, key.checksum())
    }

    /// The key of a task, as if it read nothing where its data set cannot be read.
    fn key_of_task(&self, task: &StudyTask) -> Key {
        let at = self.tasks.iter().position(|known| known == task);
        at.and_then(|at| self.keys.get(at)?.clone()).unwrap_or_else(|| {
            let row = (self.known_as(&self.rows[task.row].label), &task.params);
            Key::new(self.specs, row, "", self.counting(task.seed), VERSION)
        })
    }

    /// By task that is measured: the newest complete recording of its run in the study's `folder`. Reads files.
    pub fn recordings(&self, folder: &Path) -> Vec<(&StudyTask, Option<PathBuf>)> {
        let measured = self.tasks.iter().zip(&self.samples);
        let measured = measured.filter(|(_, sample)| sample.as_ref().is_some_and(|sample| sample.failed.is_none()));
        measured.map(|(task, _)| (task, self.recording(folder, task))).collect()
    }

    /// The newest complete recording of a task.
    fn recording(&self, folder: &Path, task: &StudyTask) -> Option<PathBuf> {
        let name = self.recording_name(task, &self.key_of_task(task));
        let folders = (1..).map(|attempt| attempt_of(&folder.join(RUNS), &name, attempt));
        let there = folders.take_while(|run| fs::symlink_metadata(run).is_ok());
        there.filter(|run| run_folder::summary(run).state() == "finished").last()
    }

    /// The complete recording of a row's first seed that has one. Reads files.
    pub fn recording_of(&self, folder: &Path, row: usize) -> Option<PathBuf> {
        self.tasks[self.of_row(row)].iter().find_map(|task| self.recording(folder, task))
    }

    /// The checkpoint from which an interrupted run of this task goes on. A damaged or missing one means: from the start.
    fn unfinished(&self, run: &Path, task: &StudyTask, key: &Key, steps: u64) -> Option<PathBuf> {
        if steps < LONG_RUN {
            return None;
        }
        let header = header_file::read(run).ok()?;
        let row = (self.known_as(&self.rows[task.row].label), &header.params);
        let its = Key::new(self.specs, row, &header.data, self.counting(header.seed), &header.version);
        if (&header.params, header.seed, header.steps) != (&task.params, task.seed, steps) || its != *key {
            return None;
        }
        let id = recording::id_of(run);
        let found = checkpoint_file::newest(run, |checkpoint| {
            recording::belongs(checkpoint, id.as_deref(), u64::MAX, u64::MAX)?;
            // What is measured needs every number of the run.
            match recording::resumable(run, checkpoint.step) {
                Ok(resumed) if resumed.warnings.is_empty() && checkpoint.step < steps => Ok(()),
                _ => Err("the run cannot go on from it".to_owned()),
            }
        });
        Some(found.ok().flatten()?.path)
    }

    /// Adds what is measured so far to what is in the folder (`samples.json`, for [`StudyRun::keep`]), and writes the table
    /// of this study: `table.csv`, `table.json` and `table.txt` (to read). Returns what the user should know.
    pub fn save(&self, folder: &Path) -> Result<Option<String>, DiskError> {
        fs::create_dir_all(folder).map_err(|e| DiskError::io("create the folder", folder, e))?;
        let samples: Vec<&Sample> = self.samples.iter().flatten().map(Arc::as_ref).collect();
        let same = |a: &Sample, b: &Sample| self.key_of(a) == self.key_of(b);
        let lock = study_store::lock(folder)?;
        let notice = study_store::add(folder, &samples, same)?;
        drop(lock);
        let path = folder.join("table.json");
        let (json, csv, text) = match self.sweep_table() {
            Some(table) => (serde_json::to_vec_pretty(&table), table.csv(), table.text()),
            None => {
                let table = self.table();
                (serde_json::to_vec_pretty(&table), table.csv(), table.text())
            }
        };
        write_whole(&path, &json.map_err(|e| DiskError::bad(&path, e.to_string()))?)?;
        write_whole(&folder.join("table.csv"), csv.as_bytes())?;
        write_whole(&folder.join("table.txt"), text.as_bytes())?;
        Ok(notice)
    }

    /// The table "paper | ours" of what is measured so far.
    pub fn table(&self) -> StudyTable {
        let mut rows = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            let samples: Vec<&Sample> = self.samples(index).collect();
            let valid: Vec<&Sample> = self.valid(index).collect();
            for (k, measure) in self.spec.measures.iter().enumerate() {
                let values = valid.iter().map(|s| s.values.get(k).copied().flatten());
                rows.push(TableRow {
                    row: row.label.clone(),
                    measure: measure.title.to_owned(),
                    unit: measure.unit.to_owned(),
                    paper: row.spec.paper.get(k).copied().flatten(),
                    paper_std: row.spec.paper_std.get(k).copied().flatten(),
                    ours: Summary::of(values),
                    problem: samples.iter().find_map(|s| s.failed.clone()),
                    data: valid.first().or(samples.first()).map(|s| self.data_of(s)).unwrap_or_default(),
                });
            }
        }
        StudyTable {
            study: format!("{}/{}", self.lab, self.spec.id),
            title: self.title(),
            source: self.spec.source.to_owned(),
            reading: self.spec.reading.to_owned(),
            about: self.spec.about.to_owned(),
            deterministic: !self.spec.seeded,
            beside: self.spec.beside.map_or(Vec::new(), |beside| beside.fill(&self.finished())),
            rows,
        }
    }

    /// What is measured so far of a sweep, cell by cell.
    pub fn sweep_table(&self) -> Option<SweepTable> {
        let sweep = self.sweep.as_ref()?;
        let cells = sweep.cells();
        let cells = cells.iter().enumerate().map(|(row, values)| {
            let runs = self.samples(row).map(|sample| (sample.seed, sample.values.clone(), sample.failed.clone()));
            (values.iter().map(ToString::to_string).collect(), runs.collect())
        });
        Some(SweepTable::of(&self.lab, sweep, cells.collect()))
    }

    /// Every run of a paper's row that is measured, in order of rows and seeds.
    pub fn finished(&self) -> Vec<Measured<'_>> {
        let of = |(row, spec): (usize, &'static StudyRow)| {
            self.valid(row)
                .filter(|sample| sample.failed.is_none())
                .map(|sample| Measured { label: spec.label, sample })
        };
        self.spec.rows.iter().enumerate().flat_map(of).collect()
    }

    /// The measured samples of a row; where a new measurement failed, what an earlier study measured.
    fn valid(&self, row: usize) -> impl Iterator<Item = &Sample> {
        self.of_row(row).filter_map(|at| match &self.samples[at] {
            Some(sample) if sample.failed.is_some() => self.earlier[at].as_deref(),
            sample => sample.as_deref(),
        })
    }

    fn data_of(&self, sample: &Sample) -> String {
        match (sample.data.as_str(), self.spec.seeded) {
            ("", true) => "generated from the seed".to_owned(),
            ("", false) => "no data set".to_owned(),
            (data, _) => data.to_owned(),
        }
    }
}

/// Folder of all studies, beside that of the runs.
pub const STUDIES: &str = "studies";

/// Folder of the first, second, .. recording of that name.
fn attempt_of(runs: &Path, name: &str, attempt: u32) -> PathBuf {
    runs.join(if attempt == 1 { name.to_owned() } else { format!("{name}-{attempt}") })
}
