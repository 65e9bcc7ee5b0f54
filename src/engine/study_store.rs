//! What was ever measured in the folder of a study: `samples.json`. Every sample stays there; a study picks those that answer
//! what it asks. A sample is known by what its numbers depend on, see [`Key`].

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::params::{ParamSpec, Params, Value};
use super::run_folder::{DiskError, write_whole};
use crate::disk;

/// File of a study folder that holds every measured run.
pub const SAMPLES: &str = "samples.json";
/// Most bytes that are read of it.
const LARGEST: u64 = 256 << 20;
/// Held by the process that writes in a study folder.
const LOCK: &str = ".lock";
/// How long a process waits for another one that writes there, which takes some milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// One run of a row, measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The row's label and parameters: a sample of a row that was changed since does not count.
    pub(super) row: String,
    pub params: Params,
    pub seed: u64,
    /// Version of the program that measured.
    pub version: String,
    /// Titles of the measures; empty in files of older versions.
    #[serde(default)]
    pub measures: Vec<String>,
    /// One value for each measure; `None`: it never happened (or was not a finite number).
    pub values: Vec<Option<f64>>,
    /// Why there are no values, if the run failed.
    pub failed: Option<String>,
    /// Wall-clock seconds of the run.
    pub seconds: f64,
    pub device: String,
    /// The data set in words; empty for data that the seed defines.
    pub data: String,
    /// When it was measured, UTC; empty in files of older versions.
    #[serde(default)]
    pub measured: String,
    /// What the study's further tables need of the run, see [`super::study_beside::Beside::keep`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

/// What the numbers of a sample depend on.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub row: String,
    /// The parameters that have an effect, but for paths: not where the data lie counts, but what they are.
    pub params: Vec<(&'static str, Option<Value>)>,
    /// Content of the data set that a path names, see [`content`].
    pub data: String,
    /// `None` where no seed changes the result.
    pub seed: Option<u64>,
    pub version: String,
}

impl Key {
    /// `data`: the data set in words.
    pub fn new(
        specs: &'static [ParamSpec],
        (row, params): (&str, &Params),
        data: &str,
        seed: Option<u64>,
        version: &str,
    ) -> Self {
        let counts = |spec: &&ParamSpec| !spec.kind.is_path() && has_effect(specs, params, spec);
        Self {
            row: row.to_owned(),
            params: specs.iter().filter(counts).map(|spec| (spec.key, params.get(spec.key).cloned())).collect(),
            data: if names_path(specs, params) { content(data) } else { String::new() },
            seed,
            version: version.to_owned(),
        }
    }

    /// CRC-32 of all but the row and the seed.
    pub fn checksum(&self) -> u32 {
        let value = |value: &Option<Value>| value.as_ref().map(ToString::to_string).unwrap_or_default();
        let params = self.params.iter().map(|(key, v)| format!("{key}={}\n", value(v))).collect::<String>();
        crc32fast::hash(format!("{}\n{}\n{params}", self.version, self.data).as_bytes())
    }
}

/// The parameters that have an effect, but for paths and what is `free`: what the time of a run depends on.
pub fn costs<'a>(
    specs: &'static [ParamSpec],
    params: &'a Params,
    free: &[&str],
) -> Vec<(&'static str, Option<&'a Value>)> {
    let counts =
        |spec: &&ParamSpec| !spec.kind.is_path() && !free.contains(&spec.key) && has_effect(specs, params, spec);
    specs.iter().filter(counts).map(|spec| (spec.key, params.get(spec.key))).collect()
}

/// Whether a run with these parameters reads what a path names.
pub fn names_path(specs: &[ParamSpec], params: &Params) -> bool {
    let empty = Value::Text(String::new());
    specs
        .iter()
        .any(|spec| spec.kind.is_path() && has_effect(specs, params, spec) && params.get(spec.key) != Some(&empty))
}

/// Whether the form shows the parameter, and shows the choice that it hangs on.
fn has_effect(specs: &[ParamSpec], params: &Params, spec: &ParamSpec) -> bool {
    let choice = spec.only_if.and_then(|(key, _)| specs.iter().find(|other| other.key == key));
    params.shows(spec) && choice.is_none_or(|choice| params.shows(choice))
}

/// What a description of a data set says of its content: each part from its checksum on, so not where it lies. The whole
/// description where it names no checksum.
fn content(data: &str) -> String {
    let sums: Vec<&str> = data.split("; ").filter_map(|part| Some(&part[part.rfind("CRC-32")?..])).collect();
    if sums.is_empty() { data.to_owned() } else { sums.join("; ") }
}

/// Why the samples of a folder are not there.
#[derive(Debug)]
pub enum Unread {
    /// The file is there, and is something else.
    Broken(String),
    Disk(DiskError),
}

/// One entry of the file: as it stands there, with what only newer versions know, and what this version makes of it.
pub struct Entry {
    text: serde_json::Value,
    pub sample: Option<Sample>,
}

/// Every entry of the folder, in the order in which they were measured.
pub fn read(folder: &Path) -> Result<Vec<Entry>, Unread> {
    let path = folder.join(SAMPLES);
    let bytes = match disk::read(&path, LARGEST) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Unread::Disk(DiskError::io("read", path, error))),
    };
    let texts: Vec<serde_json::Value> =
        serde_json::from_slice(&bytes).map_err(|error| Unread::Broken(error.to_string()))?;
    let entry = |text: serde_json::Value| Entry { sample: Sample::deserialize(&text).ok(), text };
    Ok(texts.into_iter().map(entry).collect())
}

/// Adds samples to those of the folder, whoever wrote these. `same`: whether two samples answer the same question; then a
/// failure gives way to whatever comes after it. Returns what the user should know.
pub fn add(
    folder: &Path,
    samples: &[&Sample],
    same: impl Fn(&Sample, &Sample) -> bool,
) -> Result<Option<String>, DiskError> {
    let path = folder.join(SAMPLES);
    let (mut known, notice) = match read(folder) {
        Ok(known) => (known, None),
        Err(Unread::Disk(error)) => return Err(error),
        Err(Unread::Broken(problem)) => (Vec::new(), Some(set_aside(folder, &problem)?)),
    };
    let before = known.len();
    let mut changed = notice.is_some();
    for sample in samples {
        let sample = *sample;
        let is = |entry: &Entry, what: &dyn Fn(&Sample) -> bool| entry.sample.as_ref().is_some_and(what);
        let answers = |entry: &Entry| is(entry, &|s| s == sample || (sample.failed.is_some() && same(s, sample)));
        if known.iter().any(answers) {
            continue;
        }
        known.retain(|entry| !is(entry, &|s| s.failed.is_some() && same(s, sample)));
        let text = serde_json::to_value(sample).map_err(|e| DiskError::bad(&path, e.to_string()))?;
        known.push(Entry { text, sample: Some(sample.clone()) });
        changed = true;
    }
    if changed || (before == 0 && !path.exists()) {
        let texts: Vec<&serde_json::Value> = known.iter().map(|entry| &entry.text).collect();
        let json = serde_json::to_vec_pretty(&texts).map_err(|e| DiskError::bad(&path, e.to_string()))?;
        write_whole(&path, &json)?;
    }
    Ok(notice)
}

/// Moves a file that is not ours to read to a name of its own. The caller holds the lock of the folder.
fn set_aside(folder: &Path, problem: &str) -> Result<String, DiskError> {
    let path = folder.join(SAMPLES);
    let free = |number: &u32| fs::symlink_metadata(broken(folder, *number)).is_err();
    let aside = broken(folder, (1..).find(free).unwrap_or(u32::MAX));
    fs::rename(&path, &aside).map_err(|e| DiskError::io("set aside", &path, e))?;
    Ok(format!("`{}` is not the results of a study ({problem}); it is kept as `{}`", path.display(), aside.display()))
}

fn broken(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("samples.broken-{number}.json"))
}

/// Waits until no other process writes in the study folder. `None` on a file system without locks.
///
/// # Errors
///
/// Another process has kept the lock for 20 s, or the folder cannot be written to.
pub fn lock(folder: &Path) -> Result<Option<File>, DiskError> {
    let path = folder.join(LOCK);
    let file = open_lock(&path).map_err(|e| DiskError::io("write", &path, e))?;
    let until = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(fs::TryLockError::Error(_)) => return Ok(None),
            Err(fs::TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(Duration::from_millis(5)),
            Err(fs::TryLockError::WouldBlock) => {
                let problem = format!("another program has kept it locked for {} s; end that one", PATIENCE.as_secs());
                return Err(DiskError::bad(path, problem));
            }
        }
    }
}

/// Takes a lock at once; `Err`: another has it. `Ok(None)` where there are no locks.
pub(super) fn try_lock(path: &Path) -> Result<Option<File>, ()> {
    let Ok(file) = open_lock(path) else { return Ok(None) };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Err(()),
        Err(fs::TryLockError::Error(_)) => Ok(None),
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    disk::refuse_pipe(path)?;
    // A file of another user can still be locked.
    File::options().create(true).truncate(false).write(true).open(path).or_else(|_| File::open(path))
}
