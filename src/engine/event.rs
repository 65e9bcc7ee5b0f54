//! What a run tells the outside: plain data, no tensors, no devices. The window, the command line, a test and a
//! replayed file are four consumers of these.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::params::{Params, Value};

/// Name of a stream of values within a run, e.g. `loss/train/adam`. Declared by the lab as [`KeySpec`].
pub type Key = Arc<str>;

/// Identity of a run within this process. Late events of a stopped run are dropped by comparing ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId(pub u64);

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub run: RunId,
    /// Number of completed training steps when it happened.
    pub step: u64,
    /// Seconds of wall clock since the run started (pauses included).
    pub seconds: f64,
    pub body: Body,
}

/// The closed set of things that can happen; what they are about is in the open set of keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// The first event of every recording.
    Started(Box<RunHeader>),
    /// Numbers measured at this step.
    Scalars(Vec<(Key, f64)>),
    /// A block of rows that extends the table `key`; `data` is row-major, `columns` numbers a row. Never lossy.
    Rows {
        key: Key,
        columns: u32,
        data: Arc<[f64]>,
    },
    /// A bulky value. Travels to the screen by the mailbox and to disk by the recorder, never by the event channel.
    Payload {
        key: Key,
        payload: Arc<Payload>,
    },
    /// A bulky value of this step was written at `offset` of the events file, `bytes` long: it can be fetched later.
    Recorded {
        key: Key,
        offset: u64,
        bytes: u32,
    },
    /// A parameter was changed while the run went on.
    Changed {
        key: String,
        from: Value,
        to: Value,
    },
    /// A checkpoint was written; `file` is relative to the run folder.
    Checkpoint {
        file: String,
    },
    /// Something the user should know.
    Notice {
        level: Level,
        text: String,
    },
    Status(Status),
    /// The training device was compared with the CPU; the text says how they agree.
    DeviceChecked {
        text: String,
    },
    /// A run is on its way: all that is known of it before its device is open and its data are read, which may take long.
    /// [`Body::Started`] follows. Never recorded.
    Announced(Box<RunHeader>),
}

/// How loud a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    Info,
    Warning,
    Error,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Status {
    /// Opening the device and building the model.
    Building,
    /// The device is compared with the CPU before its first use by this lab.
    CheckingDevice,
    /// The first step on a device: kernels are compiled and tuned.
    WarmingUp,
    Running,
    Paused,
    /// All steps done.
    Finished,
    /// Stopped by the user before all steps were done.
    Stopped,
    /// Ended by an error; the text says what and what to do.
    Failed(String),
    /// The disk takes nothing: training waits, so that nothing is lost, until there is room. Never recorded.
    Waiting,
    /// The data set is read; `all` is 0 while it is not known how much there is. Never recorded.
    Reading {
        done: usize,
        all: usize,
    },
    /// The network is measured before it is trained. Never recorded.
    Judging {
        done: usize,
        all: usize,
    },
}

impl Status {
    /// It tells whoever looks on that something takes its time, and is not recorded.
    pub fn is_passing(&self) -> bool {
        matches!(self, Status::Waiting | Status::Reading { .. } | Status::Judging { .. })
    }

    /// How far something is that takes its time, in words: `reading 372 of 780`.
    pub fn how_far(&self) -> Option<String> {
        match self {
            Status::Reading { all: 0, .. } => Some("looking for the data".to_owned()),
            Status::Reading { done, all } => Some(format!("reading {done} of {all}")),
            Status::Judging { done, all } => Some(format!("judging the untrained network: {done} of {all}")),
            _ => None,
        }
    }

    /// Seconds that it will still take, after so many.
    pub fn seconds_left(&self, seconds: f64) -> Option<f64> {
        match *self {
            Status::Reading { done, all } | Status::Judging { done, all } if done > 0 => {
                Some(seconds * all.saturating_sub(done) as f64 / done as f64)
            }
            _ => None,
        }
    }

    /// No further events will come.
    pub fn is_over(&self) -> bool {
        matches!(self, Status::Finished | Status::Stopped | Status::Failed(_))
    }
}

/// Everything that defines a run, so that it can be shown, compared and repeated.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    /// Lab id, e.g. `optimizers`.
    pub lab: String,
    /// What the user called it, or what it was started from (preset, study row).
    pub name: String,
    pub params: Params,
    /// Parameter changes at fixed steps, applied just before the step after `step` completed ones.
    pub changes: Vec<Change>,
    pub seed: u64,
    /// Number of training steps asked for.
    pub steps: u64,
    /// The device in words, e.g. `CPU (Flex)` or `NVIDIA H200 (Vulkan)`.
    pub device: String,
    /// Result of the comparison with the CPU in words, empty where none was needed.
    pub device_check: String,
    /// Version of the program that recorded the run.
    pub version: String,
    /// Data set in words, its size and content hash; empty for generated data that the seed defines.
    pub data: String,
    /// Start of the run, UTC, RFC 3339 to the second.
    pub started: String,
    /// Folder of the recording; empty for a run that is not recorded.
    pub folder: String,
    /// The step from which a checkpoint was resumed.
    pub resumed_at: Option<u64>,
}

/// A parameter change at a fixed step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Completed steps after which it applies.
    pub step: u64,
    pub key: String,
    pub value: Value,
}

/// A bulky value: the closed set of kinds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Payload {
    /// `values[i]` against `i`.
    Series(Vec<f64>),
    /// Points in the plane with a class each (empty `classes`: no classes).
    Points {
        xy: Vec<[f32; 2]>,
        classes: Vec<u32>,
    },
    /// Row-major `[rows, cols]`.
    Matrix {
        rows: u32,
        cols: u32,
        values: Vec<f32>,
    },
    /// RGBA, row-major, `4 * width * height` bytes, not premultiplied.
    Image {
        width: u32,
        height: u32,
        rgba: Vec<u8>,
    },
    /// One byte a pixel, row-major: 0 background, others are labels.
    Mask {
        width: u32,
        height: u32,
        labels: Vec<u8>,
    },
    Text(String),
    /// A small table to read.
    Table {
        columns: Vec<String>,
        rows: Vec<Vec<String>>,
    },
}

impl Payload {
    /// Size of the data in bytes, for budgets of caches.
    pub fn bytes(&self) -> usize {
        match self {
            Payload::Series(v) => 8 * v.len(),
            Payload::Points { xy, classes } => 8 * xy.len() + 4 * classes.len(),
            Payload::Matrix { values, .. } => 4 * values.len(),
            Payload::Image { rgba, .. } => rgba.len(),
            Payload::Mask { labels, .. } => labels.len(),
            Payload::Text(v) => v.len(),
            Payload::Table { rows, .. } => rows.iter().flatten().map(|cell| cell.len() + 24).sum(),
        }
    }
}

/// What a lab says about a key before it emits it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeySpec {
    /// The key, or a prefix that ends in `/*` for a family such as `loss/train/*`.
    pub key: &'static str,
    /// What it is, for plot titles and help.
    pub title: &'static str,
    /// Unit in words, empty for a pure number.
    pub unit: &'static str,
    pub kind: KeyKind,
    /// Recorded every so many steps. (The screen may ask in between, see [`super::pace`].)
    pub every: u64,
}

/// Which kind of body carries a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum KeyKind {
    Scalar,
    /// A growing table with these columns.
    Rows(&'static [&'static str]),
    Payload,
}

impl KeySpec {
    pub fn matches(&self, key: &str) -> bool {
        match self.key.strip_suffix('*') {
            Some(prefix) => key.starts_with(prefix),
            None => self.key == key,
        }
    }

    /// The specification that covers `key`, be it the run's or its twin's.
    pub fn find<'a>(specs: &'a [KeySpec], key: &str) -> Option<&'a KeySpec> {
        let key = super::twin::plain(key);
        specs.iter().find(|spec| spec.matches(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_something_is_reads_as_one_says_it() {
        let far = |status: Status| (status.how_far().unwrap_or_default(), status.seconds_left(10.0));
        assert_eq!(far(Status::Reading { done: 0, all: 0 }), ("looking for the data".to_owned(), None));
        assert_eq!(far(Status::Reading { done: 195, all: 780 }), ("reading 195 of 780".to_owned(), Some(30.0)));
        let judging = Status::Judging { done: 156, all: 156 };
        assert_eq!(far(judging.clone()), ("judging the untrained network: 156 of 156".to_owned(), Some(0.0)));
        assert!(judging.is_passing() && !judging.is_over() && Status::Waiting.is_passing());
        assert!(Status::Running.how_far().is_none() && !Status::Building.is_passing());
    }
}
