//! `run.toml`: everything that defines a run, with typed values that a person can read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::event::{Change, RunHeader};
use super::params::{Params, Value};
use super::run_folder::{DiskError, write_whole};

/// Version of the run folder's layout that this program writes; it reads this one and older ones.
pub const FORMAT_VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct RunFile {
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
    let path = folder.join("run.toml");
    let text = toml::to_string(&file).map_err(|e| DiskError::bad(&path, format!("cannot be written as TOML: {e}")))?;
    write_whole(&path, text.as_bytes())
}

/// Reads `run.toml`. The values are typed but not checked against the lab's parameter list.
pub fn read(folder: &Path) -> Result<RunHeader, DiskError> {
    let path = folder.join("run.toml");
    let text = fs::read_to_string(&path).map_err(|e| DiskError::io("read", &path, e))?;
    let bad = |problem: String| DiskError::bad(&path, format!("not a readable run description: {problem}"));
    let file: RunFile = toml::from_str(&text).map_err(|e| bad(e.message().to_owned()))?;
    if file.format > FORMAT_VERSION {
        return Err(bad(format!("format {} is newer than this program's {FORMAT_VERSION}; update it", file.format)));
    }
    let mut params = Params::default();
    for (key, value) in file.params {
        params.put(&key, value.into());
    }
    Ok(RunHeader {
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
    })
}
