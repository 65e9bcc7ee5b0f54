//! From what a study asks for next to a run that the engine can start.

use super::lab::{LabSpec, RunOptions, request};
use crate::compute::device::DeviceChoice;
use crate::engine::command::RunRequest;
use crate::engine::params::ParamError;
use crate::engine::study_runner::{Facts, Job};

/// What a study has to know of its lab.
pub fn facts(spec: &LabSpec) -> Facts {
    Facts { steps: spec.steps, trains: spec.needs_device, describe: spec.data }
}

/// The request of a study's run: one way for the window and the command line.
pub fn request_of(
    spec: &LabSpec,
    job: &Job,
    device: &DeviceChoice,
    skip_device_check: bool,
) -> Result<Box<RunRequest>, ParamError> {
    let options = RunOptions {
        name: job.name.clone(),
        seed: job.seed,
        steps: job.steps,
        device: device.clone(),
        skip_device_check,
        record: job.record.clone(),
        resume_from: job.resume_from.clone(),
        ..RunOptions::default()
    };
    request(spec, &job.params, options)
}
