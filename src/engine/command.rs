//! What the outside may ask of the worker.

use std::path::PathBuf;
use std::time::Duration;

use super::event::{Change, KeySpec, RunId};
use super::experiment::{BuildFn, DeviceCheckFn};
use super::params::{ParamError, ParamSpec, Params, Value};
use crate::compute::device::DeviceChoice;
use crate::watch::Watch;

/// Sent over a bounded channel and never waited for: a full queue is a mistake that is logged.
#[derive(Debug, Clone)]
pub enum Command {
    /// Ends the current run, if any, and starts this one.
    Start(Box<RunRequest>),
    Pause,
    Resume,
    /// Runs so many steps, then pauses.
    Step(u64),
    /// Changes a live parameter of the current run.
    Set {
        key: String,
        value: Value,
    },
    /// Writes a checkpoint now.
    Checkpoint,
    /// Ends the current run.
    Stop,
    /// Ends the worker.
    Shutdown,
}

/// A run, ready to start. Made by [`crate::kit::lab::request`], so that the window, the command line and tests agree.
#[derive(Debug, Clone)]
pub struct RunRequest {
    pub id: RunId,
    /// Lab id.
    pub lab: &'static str,
    /// Name of the run, part of its folder's name.
    pub name: String,
    pub build: BuildFn,
    pub specs: &'static [ParamSpec],
    pub keys: &'static [KeySpec],
    pub params: Params,
    /// Parameter changes at fixed steps.
    pub changes: Vec<Change>,
    pub seed: u64,
    pub steps: u64,
    /// `None`: the experiment is host arithmetic and opens no device.
    pub device: Option<DeviceChoice>,
    /// Compares the device with the CPU before its first use; `None`: skip.
    pub device_check: Option<DeviceCheckFn>,
    pub record: Record,
    /// Steps between automatic checkpoints; 0: only by time, when asked for and at the end.
    pub checkpoint_every: u64,
    /// Longest time between two automatic checkpoints, whatever a step costs.
    pub checkpoint_time: Duration,
    pub start_paused: bool,
    /// Goes on from this checkpoint file in the run folder of [`Record::Resume`].
    pub resume_from: Option<PathBuf>,
    /// Checks across parameters and files, on the worker.
    pub check: fn(&Params) -> Result<(), ParamError>,
    /// The data set in words with its content hash, for the run's header; read on the worker.
    pub data: fn(&Params) -> Result<String, ParamError>,
    /// Reads the data set into memory, where `check`, `data` and `build` find it. Not on the worker, which meanwhile tells how
    /// far it is and hears what is asked.
    pub read: fn(&Params, Watch<'_>) -> Result<(), ParamError>,
}

/// Where a run is recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A new folder `<time>-<lab>-<name>` under this one.
    New(PathBuf),
    /// This very folder, replacing what an earlier run of the window left there. For the recording that follows the
    /// form while its sliders move, so that a thousand small edits do not make a thousand folders.
    Replace(PathBuf),
    /// Appends to this existing run folder.
    Resume(PathBuf),
    /// This existing run folder from the first step on: the run has nothing to go on from. What it recorded before is
    /// kept beside the new recording.
    Restart(PathBuf),
    /// Not at all (a preview while a slider is being dragged; tests).
    No,
}
