//! `run.toml`: everything that defines a run, with typed values that a person can read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::event::{Change, RunHeader};
use super::params::{Params, Value};
use super::run_folder::{DiskError, write_whole};
use crate::disk;

/// Version of the run folder's layout that this program writes; it reads this one and older ones.
pub const FORMAT_VERSION: u32 = 1;

/// Name of the file in the run folder.
pub(super) const FILE: &str = "run.toml";
/// Most bytes that are read of it.
const LARGEST: u64 = 16 << 20;
/// How its first line begins.
const CHECKSUM: &str = "checksum = ";

#[derive(Serialize, Deserialize)]
struct RunFile {
    /// CRC-32 of all other lines; missing in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checksum: Option<String>,
    format: u32,
    lab: String,
    name: String,
    seed: Whole,
    steps: Whole,
    device: String,
    device_check: String,
    version: String,
    data: String,
    started: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resumed_at: Option<u64>,
    params: BTreeMap<String, Plain>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<ChangeFile>,
}

#[derive(Serialize, Deserialize)]
struct ChangeFile {
    step: u64,
    key: String,
    value: Plain,
}

/// A TOML integer where it fits one (they are signed), else text.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Whole {
    Small(i64),
    Large(String),
}

impl From<u64> for Whole {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or_else(|_| Whole::Large(value.to_string()), Whole::Small)
    }
}

impl Whole {
    fn get(&self, name: &str) -> Result<u64, String> {
        match self {
            Whole::Small(value) => {
                u64::try_from(*value).map_err(|_| format!("`{name}` is {value}; it must be positive"))
            }
            Whole::Large(text) => text.parse().map_err(|_| format!("`{name}` is `{text}`; expected a whole number")),
        }
    }
}

/// [`Value`] as TOML's own types.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Plain {
    Switch(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl From<&Value> for Plain {
    fn from(value: &Value) -> Self {
        match value {
            Value::Float(v) => Plain::Float(*v),
            Value::Int(v) => Plain::Int(*v),
            Value::Switch(v) => Plain::Switch(*v),
            Value::Text(v) => Plain::Text(v.clone()),
        }
    }
}

impl From<Plain> for Value {
    fn from(value: Plain) -> Self {
        match value {
            Plain::Float(v) => Value::Float(v),
            Plain::Int(v) => Value::Int(v),
            Plain::Switch(v) => Value::Switch(v),
            Plain::Text(v) => Value::Text(v),
        }
    }
}

/// Writes `run.toml`; the folder's own path is not in it, so that a run can be moved.
pub fn write(folder: &Path, header: &RunHeader) -> Result<(), DiskError> {
    let file = RunFile {
        checksum: None,
        format: FORMAT_VERSION,
        lab: header.lab.clone(),
        name: header.name.clone(),
        seed: header.seed.into(),
        steps: header.steps.into(),
        device: header.device.clone(),
        device_check: header.device_check.clone(),
        version: header.version.clone(),
        data: header.data.clone(),
        started: header.started.clone(),
        resumed_at: header.resumed_at,
        params: header.params.iter().map(|(key, value)| (key.to_owned(), value.into())).collect(),
        changes: header
            .changes
            .iter()
            .map(|c| ChangeFile { step: c.step, key: c.key.clone(), value: (&c.value).into() })
            .collect(),
    };
    let path = folder.join(FILE);
    let text = toml::to_string(&file).map_err(|e| DiskError::bad(&path, format!("cannot be written as TOML: {e}")))?;
    write_whole(&path, format!("{CHECKSUM}\"{:08x}\"\n{text}", checksum(&text)).as_bytes())
}

/// What `run.toml` says, and whether it is as it was written.
#[derive(Debug)]
pub struct Described {
    /// The values are typed but not checked against the lab's parameter list.
    pub header: RunHeader,
    pub seal: Seal,
}

/// Whether a file matches the checksum in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    Whole,
    Broken,
    /// Written by a version that noted none.
    Missing,
}

/// Reads `run.toml`. The values are typed but not checked against the lab's parameter list.
pub fn read(folder: &Path) -> Result<RunHeader, DiskError> {
    describe(folder).map(|described| described.header)
}

/// Like [`read`], and says whether the file is as it was written.
pub fn describe(folder: &Path) -> Result<Described, DiskError> {
    let path = folder.join(FILE);
    let text = disk::read_text(&path, LARGEST).map_err(|e| DiskError::io("read", &path, e))?;
    let bad = |problem: String| DiskError::bad(&path, format!("not a readable run description: {problem}"));
    let file: RunFile = toml::from_str(&text).map_err(|e| bad(e.message().to_owned()))?;
    if file.format > FORMAT_VERSION {
        return Err(bad(format!("format {} is newer than this program's {FORMAT_VERSION}; update it", file.format)));
    }
    let seal = match &file.checksum {
        None => Seal::Missing,
        Some(noted) if *noted == format!("{:08x}", checksum(&text)) => Seal::Whole,
        Some(_) => Seal::Broken,
    };
    let mut params = Params::default();
    for (key, value) in file.params {
        params.put(&key, value.into());
    }
    let header = RunHeader {
        lab: file.lab,
        name: file.name,
        params,
        changes: file.changes.into_iter().map(|c| Change { step: c.step, key: c.key, value: c.value.into() }).collect(),
        seed: file.seed.get("seed").map_err(bad)?,
        steps: file.steps.get("steps").map_err(bad)?,
        device: file.device,
        device_check: file.device_check,
        version: file.version,
        data: file.data,
        started: file.started,
        folder: folder.to_string_lossy().into_owned(),
        resumed_at: file.resumed_at,
    };
    Ok(Described { header, seal })
}

/// CRC-32 of every line but that of the checksum.
fn checksum(text: &str) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    text.split_inclusive('\n')
        .filter(|line| !line.starts_with(CHECKSUM))
        .for_each(|line| hasher.update(line.as_bytes()));
    hasher.finalize()
}

/// In what two descriptions of one run differ, in words: empty where they agree. What a resumption may change (device,
/// number of steps) is compared too if `whole`.
pub fn differences(file: &RunHeader, recorded: &RunHeader, whole: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |name: &str, file: &str, recorded: &str| {
        if file != recorded {
            found.push(format!("`{name}` is `{file}` there and `{recorded}` in the recording"));
        }
    };
    compare("lab", &file.lab, &recorded.lab);
    compare("name", &file.name, &recorded.name);
    compare("seed", &file.seed.to_string(), &recorded.seed.to_string());
    compare("started", &file.started, &recorded.started);
    compare("version", &file.version, &recorded.version);
    compare("data", &file.data, &recorded.data);
    let keys: BTreeSet<&str> = file.params.iter().chain(recorded.params.iter()).map(|(key, _)| key).collect();
    let value = |params: &Params, key: &str| params.get(key).map_or("missing".to_owned(), ToString::to_string);
    for key in keys {
        compare(key, &value(&file.params, key), &value(&recorded.params, key));
    }
    let changes = |header: &RunHeader| {
        let line = |c: &Change| format!("{}:{}={}", c.step, c.key, c.value);
        header.changes.iter().map(line).collect::<Vec<_>>().join(" ")
    };
    compare("changes", &changes(file), &changes(recorded));
    if whole {
        compare("steps", &file.steps.to_string(), &recorded.steps.to_string());
        compare("device", &file.device, &recorded.device);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_character_breaks_the_seal() {
        let folder = tempfile::tempdir().unwrap();
        let mut header =
            RunHeader { lab: "toy".into(), seed: 7, steps: 20, device: "CPU (Flex)".into(), ..RunHeader::default() };
        header.params.put("learning_rate", Value::Float(0.05));
        write(folder.path(), &header).unwrap();
        let path = folder.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(describe(folder.path()).unwrap().seal, Seal::Whole);
        for (from, to) in [("0.05", "0.06"), ("seed = 7", "seed = 8"), ("CPU (Flex)", ""), ("steps = 20", "steps = 40")]
        {
            std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
            assert_eq!(describe(folder.path()).unwrap().seal, Seal::Broken, "{from}");
        }
        std::fs::write(&path, text.replacen("0.05", "0.06", 1)).unwrap();
        let found = differences(&read(folder.path()).unwrap(), &header, true);
        assert_eq!(found, ["`learning_rate` is `0.06` there and `0.05` in the recording"]);
        let without: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, without).unwrap();
        assert_eq!(describe(folder.path()).unwrap().seal, Seal::Missing);
    }
}
