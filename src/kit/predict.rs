//! What a lab offers whose trained weights can be applied to one's own files, without a run.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde_json::Value as Json;
use thiserror::Error;

use crate::compute::device::DeviceChoice;
use crate::engine::params::ParamSpec;

/// A lab's functions for weights and files. They may take long: never call them on a thread that draws.
#[derive(Debug)]
pub struct PredictSpec {
    /// The lab's parameters that tell how a prediction is made. What is not set is as in the run that the weights are of; for
    /// a file of weights it is the default.
    pub settings: fn() -> Vec<ParamSpec>,
    /// Applies weights to files and saves what came of it. Opens the device, and drops every tensor before it returns.
    pub predict: PredictFn,
    /// The weights of a recorded run as one file.
    pub packed_weights: fn(run: &Path) -> Result<PackedWeights, PredictError>,
}

/// Weights ready to be written.
#[derive(Debug)]
pub struct PackedWeights {
    /// A whole safetensors file.
    pub file: Vec<u8>,
    /// What they are, one statement a line.
    pub lines: Vec<String>,
}

/// What is asked for, a flag that stops it once it is set, and who is told on the way.
pub type PredictFn = fn(&PredictRequest, &AtomicBool, &mut dyn FnMut(PredictEvent)) -> Result<(), PredictError>;

/// What is to be predicted.
#[derive(Debug, Clone, Default)]
pub struct PredictRequest {
    /// A file of weights, or the folder of a recorded run.
    pub weights: PathBuf,
    /// A file, or a folder that is searched.
    pub data: PathBuf,
    /// Folder for the results.
    pub out: PathBuf,
    /// `key=value` of [`PredictSpec::settings`].
    pub set: Vec<String>,
    pub device: DeviceChoice,
    /// Only pictures of these parts of the data set that the weights were trained on (`train`, `validation`, `test`, `none`:
    /// of no part); empty: all.
    pub parts: Vec<String>,
    /// Whether files in `out` may be replaced.
    pub force: bool,
}

/// What is told on the way, in this order: begun, any number of files, done.
#[derive(Debug, Clone, PartialEq)]
pub enum PredictEvent {
    /// So many files will be looked at; what is used, in words and for machines.
    Begun { total: usize, lines: Vec<String>, about: Json },
    /// One more file is done, or could not be used (`problem`).
    File { done: usize, total: usize, name: String, problem: Option<String>, row: Json },
    /// The results are saved; what they are, in words and for machines.
    Done { lines: Vec<String>, about: Json },
}

/// Why there is no prediction, or not all of it. The message names the file and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PredictError {
    /// What was asked for cannot be done; nothing was saved.
    #[error("{0}")]
    Input(String),
    /// It failed or was stopped on the way.
    #[error("{0}")]
    Work(String),
}

impl PredictError {
    pub fn input(message: impl ToString) -> Self {
        PredictError::Input(message.to_string())
    }

    pub fn work(message: impl ToString) -> Self {
        PredictError::Work(message.to_string())
    }
}
