//! From what a study asks for next to a run that the engine can start.

use super::lab::{LabSpec, RunOptions, choose, request};
use crate::compute::device::DeviceChoice;
use crate::engine::command::RunRequest;
use crate::engine::params::{ParamError, Params};
use crate::engine::study::StudyRun;
use crate::engine::study_runner::{Facts, Job};
use crate::engine::sweep::{Axis, Sweep, check_size};

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

/// Prepares a sweep around these values: a row for every combination. What a choice brings along comes with it.
///
/// # Errors
/// It is too large, or a parameter would change nothing in any of its cells.
pub fn sweep(lab: &LabSpec, base: &Params, axes: Vec<Axis>, seeds: u64, first: u64) -> Result<StudyRun, ParamError> {
    check_size(&axes, seeds)?;
    let sweep = Sweep { spec: lab.sweep, base: base.clone(), axes };
    let mut rows = Vec::new();
    for cell in sweep.cells() {
        let mut params = base.clone();
        for (axis, value) in sweep.axes.iter().zip(&cell) {
            choose(lab, &mut params, axis.spec.key, (*value).clone())?;
        }
        // What is swept holds, whatever another axis brings.
        for (axis, value) in sweep.axes.iter().zip(&cell) {
            params.set(lab.params, axis.spec.key, (*value).clone())?;
        }
        rows.push((sweep.label(&cell), params));
    }
    for axis in &sweep.axes {
        let assignment = [format!("{}={}", axis.spec.key, axis.values[0])];
        let mut told = rows.iter().map(|(_, params)| params.check_effect(lab.params, &assignment));
        if let Some(Err(error)) = told.next()
            && told.all(|told| told.is_err())
        {
            return Err(error);
        }
    }
    Ok(StudyRun::of_sweep(lab.id, lab.params, sweep, rows, seeds, first))
}
