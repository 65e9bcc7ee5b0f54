//! A study is one table or figure of a paper: rows (run requests), the paper's numbers, and how ours are measured.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::command::Record;
use super::event::Status;
use super::params::{ParamError, ParamSpec, Params, Value};
use super::run_folder::{DiskError, write_whole};
use super::state::RunState;
use super::study_table::{StudyTable, Summary, TableRow};
use super::{checkpoint_file, header_file};

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
    pub rows: &'static [StudyRow],
    /// What is measured of each row's run.
    pub measures: &'static [Measure],
    /// Whether another seed gives another result (else one run per row is enough).
    pub seeded: bool,
}

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

/// Steps from which an interrupted run of a study goes on where it was. A shorter one is made again.
const LONG_RUN: u64 = 2_000;

/// Where a study's run of so many steps is recorded, in the study's own `folder`, and the checkpoint that it goes on from.
pub fn place(folder: &Path, task: &StudyTask, steps: u64) -> (Record, Option<PathBuf>) {
    let name: String = task.name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let run = folder.join(RUNS).join(format!("{name}-seed-{}", task.seed));
    if steps < LONG_RUN {
        return (Record::Replace(run), None);
    }
    let known = header_file::read(&run).is_ok_and(|header| {
        (&header.params, header.seed, header.steps) == (&task.params, task.seed, steps)
            && header.version == env!("CARGO_PKG_VERSION")
    });
    // A damaged or missing checkpoint means: from the start.
    let found = known.then(|| checkpoint_file::latest_good(&run).ok().flatten()).flatten();
    match found.filter(|found| found.checkpoint.step < steps) {
        Some(found) => (Record::Resume(run), Some(found.path)),
        None => (Record::Replace(run), None),
    }
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
    /// Index in [`StudySpec::rows`].
    pub row: usize,
    pub seed: u64,
    /// The row's parameters, checked.
    pub params: Params,
    /// Name of the run: the study's and the row's.
    pub name: String,
}

/// One run of a row, measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The row's label and parameters: a sample of a row that was changed since does not count.
    row: String,
    params: Params,
    pub seed: u64,
    /// Version of the program that measured.
    version: String,
    /// One value for each measure; `None`: it never happened (or was not a finite number).
    pub values: Vec<Option<f64>>,
    /// Why there are no values, if the run failed.
    pub failed: Option<String>,
    /// Wall-clock seconds of the run.
    pub seconds: f64,
    pub device: String,
    /// The data set in words; empty for data that the seed defines.
    pub data: String,
}

/// A study that is being measured, one run after the other: `next` says which run to make, `record` measures it. The
/// window and the command line drive it alike.
#[derive(Debug, Clone)]
pub struct StudyRun {
    /// Lab id.
    pub lab: String,
    pub spec: &'static StudySpec,
    tasks: Vec<StudyTask>,
    /// By task.
    samples: Vec<Option<Sample>>,
    /// Runs and their seconds measured by this very process, for the estimate.
    measured: (usize, f64),
}

impl StudyRun {
    /// Prepares a study: `seeds` runs of each row, seeds `first_seed`, `first_seed + 1`, ..; one run where no seed
    /// changes the result. `given`: values that the user adds to every row, e.g. a data folder.
    pub fn new(
        lab: &str,
        specs: &[ParamSpec],
        spec: &'static StudySpec,
        seeds: u64,
        first_seed: u64,
        given: &[(String, Value)],
    ) -> Result<Self, ParamError> {
        let seeds = if spec.seeded { seeds.max(1) } else { 1 };
        let mut tasks = Vec::new();
        for (index, row) in spec.rows.iter().enumerate() {
            let mut params = Params::defaults(specs);
            for (key, value) in spec.common.iter().chain(row.set) {
                params.set_text(specs, &format!("{key}={value}"))?;
            }
            for (key, value) in given {
                params.set(specs, key, value.clone())?;
            }
            let name = format!("{} {}", spec.id, row.label);
            tasks.extend((0..seeds).map(|k| StudyTask {
                row: index,
                seed: first_seed.wrapping_add(k),
                params: params.clone(),
                name: name.clone(),
            }));
        }
        let samples = vec![None; tasks.len()];
        Ok(Self { lab: lab.to_owned(), spec, tasks, samples, measured: (0, 0.0) })
    }

    /// The run to make now; `None`: all are done.
    pub fn next(&self) -> Option<&StudyTask> {
        let index = self.samples.iter().position(Option::is_none)?;
        self.tasks.get(index)
    }

    /// Measures the run that [`StudyRun::next`] asked for, after it has ended. A run that was stopped counts as not made
    /// (`false`).
    pub fn record(&mut self, run: &RunState) -> bool {
        let Some(index) = self.samples.iter().position(Option::is_none) else { return false };
        let failed = match &run.status {
            Some(Status::Finished) => None,
            Some(Status::Failed(problem)) => Some(problem.clone()),
            _ => return false,
        };
        let (task, measures) = (&self.tasks[index], self.spec.measures.iter());
        let row = &self.spec.rows[task.row];
        let values = match failed {
            Some(_) => Vec::new(),
            None => measures.map(|measure| (measure.of)(run, row).filter(|value| value.is_finite())).collect(),
        };
        let header = run.header.as_ref();
        self.measured = (self.measured.0 + 1, self.measured.1 + run.seconds);
        self.samples[index] = Some(Sample {
            row: row.label.to_owned(),
            params: task.params.clone(),
            seed: task.seed,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            values,
            failed,
            seconds: run.seconds,
            device: header.map_or_else(String::new, |header| header.device.clone()),
            data: header.map_or_else(String::new, |header| header.data.clone()),
        });
        true
    }

    /// The first run of a row.
    pub fn task(&self, row: usize) -> Option<&StudyTask> {
        self.tasks.iter().find(|task| task.row == row)
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

    /// Seconds that the rest will take, once a run of this process has been measured.
    pub fn seconds_left(&self) -> Option<f64> {
        let (runs, seconds) = self.measured;
        let (done, all) = self.progress();
        (runs > 0).then(|| (all - done) as f64 * seconds / runs as f64)
    }

    /// The samples of a row, in order of seeds.
    pub fn samples(&self, row: usize) -> impl Iterator<Item = &Sample> {
        self.tasks.iter().zip(&self.samples).filter(move |(task, _)| task.row == row).filter_map(|(_, s)| s.as_ref())
    }

    /// Takes over what an earlier process measured in this folder: the same row, parameters, seed and program version.
    /// Failed runs are made again. Returns how many were kept.
    pub fn keep(&mut self, folder: &Path) -> Result<usize, DiskError> {
        let path = folder.join(SAMPLES);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(DiskError::io("read", path, error)),
        };
        let bad = |error| {
            DiskError::bad(&path, format!("not the results of a study ({error}); remove the file, or use --again"))
        };
        let known: Vec<Sample> = serde_json::from_str(&text).map_err(bad)?;
        for (task, sample) in self.tasks.iter().zip(&mut self.samples) {
            let same = |s: &&Sample| {
                s.row == self.spec.rows[task.row].label
                    && (s.seed, &s.params) == (task.seed, &task.params)
                    && s.version == env!("CARGO_PKG_VERSION")
                    && s.values.len() == self.spec.measures.len()
            };
            *sample = known.iter().find(same).cloned();
        }
        Ok(self.progress().0)
    }

    /// Writes what is measured so far into the folder: `samples.json` (for [`StudyRun::keep`]), `table.csv`,
    /// `table.json` and `table.txt` (to read).
    pub fn save(&self, folder: &Path) -> Result<(), DiskError> {
        std::fs::create_dir_all(folder).map_err(|e| DiskError::io("create the folder", folder, e))?;
        let samples: Vec<&Sample> = self.samples.iter().flatten().collect();
        let table = self.table();
        let json = |path: &Path, text: serde_json::Result<Vec<u8>>| {
            write_whole(path, &text.map_err(|e| DiskError::bad(path, e.to_string()))?)
        };
        json(&folder.join(SAMPLES), serde_json::to_vec_pretty(&samples))?;
        json(&folder.join("table.json"), serde_json::to_vec_pretty(&table))?;
        write_whole(&folder.join("table.csv"), table.csv().as_bytes())?;
        write_whole(&folder.join("table.txt"), table.text().as_bytes())
    }

    /// The table "paper | ours" of what is measured so far.
    pub fn table(&self) -> StudyTable {
        let mut rows = Vec::new();
        for (index, row) in self.spec.rows.iter().enumerate() {
            let samples: Vec<&Sample> = self.samples(index).collect();
            for (k, measure) in self.spec.measures.iter().enumerate() {
                let values = samples.iter().filter(|s| s.failed.is_none()).map(|s| s.values.get(k).copied().flatten());
                rows.push(TableRow {
                    row: row.label.to_owned(),
                    measure: measure.title.to_owned(),
                    unit: measure.unit.to_owned(),
                    paper: row.paper.get(k).copied().flatten(),
                    paper_std: row.paper_std.get(k).copied().flatten(),
                    ours: Summary::of(values),
                    problem: samples.iter().find_map(|s| s.failed.clone()),
                    data: samples.first().map(|s| self.data_of(s)).unwrap_or_default(),
                });
            }
        }
        StudyTable {
            study: format!("{}/{}", self.lab, self.spec.id),
            title: self.spec.title.to_owned(),
            source: self.spec.source.to_owned(),
            about: self.spec.about.to_owned(),
            deterministic: !self.spec.seeded,
            rows,
        }
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

/// File of a study folder that holds every measured run.
const SAMPLES: &str = "samples.json";
