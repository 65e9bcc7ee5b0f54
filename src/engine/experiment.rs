//! What a lab's training looks like to the engine. Everything here lives and dies on the worker thread.

use std::collections::BTreeMap;

use burn::tensor::Device;
use thiserror::Error;

use super::emit::Emit;
use super::params::{ParamError, Params, Value};
use crate::compute::readback::ReadError;
use crate::landscape::Network;

/// A training run that the engine drives one step at a time.
pub trait Experiment {
    /// One training step, and what it has to report.
    fn step(&mut self, out: &mut Emit<'_>) -> Result<(), RunError>;

    /// Reports the state before the first step (row 0 of the tables, the untrained network's pictures).
    fn begin(&mut self, out: &mut Emit<'_>) -> Result<(), RunError>;

    /// Training has ended before its last step (early stopping), asked after each step.
    fn is_over(&self) -> bool {
        false
    }

    /// Says how things stand, where the run is stopped before its last step.
    fn stopped(&mut self, _out: &mut Emit<'_>) {}

    /// Applies a live parameter change, from the next step on. The value has already been checked for kind and range.
    fn set(&mut self, key: &str, value: &Value) -> Result<(), ParamError>;

    /// Everything that a resumed run needs to go on to the same numbers.
    fn checkpoint(&mut self) -> Result<Checkpoint, RunError>;

    /// Puts a freshly built experiment into the state of a checkpoint.
    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), RunError>;

    /// The networks that are trained here as functions of their weights, with the weights that they have now; several
    /// where several are trained side by side, none where there is no network.
    fn networks(&mut self) -> Result<Vec<Network>, RunError> {
        Ok(Vec::new())
    }
}

/// Builds an experiment. Called on the worker thread, so that every tensor is born there.
pub type BuildFn = fn(&BuildRequest<'_>) -> Result<Box<dyn Experiment>, RunError>;

/// What an experiment is built from.
#[derive(Debug)]
pub struct BuildRequest<'a> {
    pub params: &'a Params,
    pub seed: u64,
    /// Number of steps asked for, where a schedule or a cadence depends on it.
    pub steps: u64,
    /// The training device, without autodiff.
    pub device: &'a Device,
}

/// A few training steps of the lab's tiny network from fixed weights; returns numbers (losses, weights) that every
/// correct device computes alike. The engine compares them between CPU and GPU before the lab's first run there.
pub type DeviceCheckFn = fn(&Device) -> Result<Vec<f32>, RunError>;

/// Why a run ended before its time. The message says what happened and what to do.
#[derive(Debug, Error)]
pub enum RunError {
    #[error(transparent)]
    Param(#[from] ParamError),
    #[error("{0}")]
    Data(String),
    #[error("checkpoint: {0}")]
    Checkpoint(String),
    #[error("{0}")]
    Device(String),
    /// The run cannot be recorded, and nobody watches it.
    #[error("{0}")]
    Recording(String),
    /// The mathematics went out of range, e.g. a loss that is not a number.
    #[error("{0}")]
    Diverged(String),
    /// Something else was asked for meanwhile.
    #[error("stopped before it was done")]
    Stopped,
}

impl From<ReadError> for RunError {
    fn from(error: ReadError) -> Self {
        RunError::Device(error.to_string())
    }
}

/// Plain data of a checkpoint; written as one safetensors file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checkpoint {
    /// Completed steps.
    pub step: u64,
    pub tensors: BTreeMap<String, Array>,
    /// Small state in text: generator states, positions, counters.
    pub text: BTreeMap<String, String>,
}

/// A tensor on the host, bit for bit.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: ArrayValues,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ArrayValues {
    F32(Vec<f32>),
    F64(Vec<f64>),
    U64(Vec<u64>),
    U8(Vec<u8>),
}

impl Checkpoint {
    pub fn put_f32(&mut self, name: impl Into<String>, shape: impl Into<Vec<usize>>, values: Vec<f32>) {
        self.tensors.insert(name.into(), Array { shape: shape.into(), values: ArrayValues::F32(values) });
    }

    pub fn put_f64(&mut self, name: impl Into<String>, values: Vec<f64>) {
        let shape = vec![values.len()];
        self.tensors.insert(name.into(), Array { shape, values: ArrayValues::F64(values) });
    }

    pub fn get_f32(&self, name: &str, shape: &[usize]) -> Result<&[f32], RunError> {
        match self.array(name)? {
            Array { shape: found, values: ArrayValues::F32(v) } if found == shape => Ok(v),
            other => Err(wrong(name, &format!("f32 of shape {shape:?}"), other)),
        }
    }

    pub fn get_f64(&self, name: &str, length: usize) -> Result<&[f64], RunError> {
        match self.array(name)? {
            Array { values: ArrayValues::F64(v), .. } if v.len() == length => Ok(v),
            other => Err(wrong(name, &format!("{length} f64 values"), other)),
        }
    }

    pub fn get_text(&self, name: &str) -> Result<&str, RunError> {
        self.text.get(name).map(String::as_str).ok_or_else(|| missing(name))
    }

    fn array(&self, name: &str) -> Result<&Array, RunError> {
        self.tensors.get(name).ok_or_else(|| missing(name))
    }
}

fn missing(name: &str) -> RunError {
    RunError::Checkpoint(format!("`{name}` is missing; it was written by another lab, parameter set or version"))
}

fn wrong(name: &str, expected: &str, found: &Array) -> RunError {
    let kind = match found.values {
        ArrayValues::F32(_) => "f32",
        ArrayValues::F64(_) => "f64",
        ArrayValues::U64(_) => "u64",
        ArrayValues::U8(_) => "u8",
    };
    RunError::Checkpoint(format!("`{name}` is {kind} of shape {:?}; expected {expected}", found.shape))
}
