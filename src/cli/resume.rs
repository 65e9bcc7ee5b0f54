//! `learnscope resume`: an interrupted run goes on from its newest good checkpoint.

use serde_json::json;

use crate::compute::device::DeviceChoice;
use crate::engine::checkpoint_file;
use crate::engine::command::Record;
use crate::engine::event::{Body, Change, RunHeader};
use crate::engine::header_file;
use crate::engine::params::Params;
use crate::engine::run_folder;
use crate::engine::twin::of_twin;
use crate::labs::{self, RunOptions};

use super::flags::ResumeFlags;
use super::output::{Failure, Output};
use super::{find_run, headless, request};

pub fn resume(flags: &ResumeFlags, output: &Output) -> Result<(), Failure> {
    let folder = find_run(&flags.run)?;
    // A run whose description cannot be read could not be recorded further: refused before any work is done.
    header_file::read(&folder)?;
    let mut reader = labs::open_run(&folder)?;
    let header = reader.header().clone();
    let lab = request::find_lab(&header.lab)?;
    drop(run_folder::lock(&folder)?);

    let found = checkpoint_file::latest_good(&folder)?;
    for warning in found.iter().flat_map(|found| &found.warnings) {
        output.object(&json!({ "event": "notice", "level": "warning", "text": warning }));
        output.aside(format!("warning: {warning}"));
    }
    let at = found.as_ref().map_or(0, |found| found.checkpoint.step);
    let steps = flags.steps.unwrap_or(header.steps);
    if let Some(asked) = flags.steps.filter(|asked| *asked <= at) {
        return Err(Failure::usage(format!("`--steps {asked}`: the run is already at step {at}; ask for more")));
    }
    if at >= steps {
        output.object(&json!({ "event": "finished", "step": at, "steps": steps, "folder": header.folder }));
        output.line(format!("this run has done all its {steps} steps; `--steps N` goes on to step N"));
        return Ok(());
    }

    let resumed = found.is_some();
    let made: Vec<(u64, Change)> = reader
        .events()?
        .filter_map(|event| match event.body {
            Body::Changed { key, to, .. } => Some((event.step, Change { step: event.step, key, value: to })),
            _ => None,
        })
        .collect();
    let (params, changes) = if resumed { at_checkpoint(&header, &made, at) } else { from_start(&header, &made) };
    let params = Params::checked(lab.spec().params, params.iter().map(|(key, value)| (key.to_owned(), value.clone())))?;
    (lab.spec().check)(&params)?;
    let options = RunOptions {
        name: header.name.clone(),
        seed: header.seed,
        steps: Some(steps),
        device: match &flags.device {
            Some(typed) => request::device_choice(typed)?,
            None => recorded_device(&header),
        },
        skip_device_check: flags.skip_device_check,
        record: if resumed { Record::Resume(folder) } else { Record::Replace(folder) },
        changes,
        resume_from: found.map(|found| found.path),
        ..RunOptions::default()
    };
    if !resumed {
        output.aside("the run has no checkpoint: it starts from its first step again");
    }
    headless::run(labs::request(lab, &params, options)?, output)
}

/// The parameters as they were at the checkpoint, and the changes that were still to come. Changes made by hand after
/// the checkpoint belong to the steps that are done again; they are not repeated.
fn at_checkpoint(header: &RunHeader, made: &[(u64, Change)], at: u64) -> (Params, Vec<Change>) {
    let mut params = header.params.clone();
    let past = made.iter().filter(|(step, _)| *step <= at);
    let of_run = past.clone().filter(|(_, change)| of_twin(&change.key).is_none());
    of_run.for_each(|(_, change)| params.put(&change.key, change.value.clone()));
    let done = |change: &&Change| past.clone().any(|(_, made)| made == *change);
    let mut ahead: Vec<Change> =
        header.changes.iter().filter(|change| change.step >= at && !done(change)).cloned().collect();
    // A checkpoint holds the twin; a fork at its very step may have come after it, and is made again where it is missing.
    let forks = past.filter(|(step, change)| *step == at && of_twin(&change.key).is_some());
    ahead.extend(forks.map(|(_, change)| change.clone()));
    (params, ahead)
}

/// The run from its first step with every change at the step where it was made.
fn from_start(header: &RunHeader, made: &[(u64, Change)]) -> (Params, Vec<Change>) {
    let mut changes = header.changes.clone();
    for (_, change) in made {
        if !changes.contains(change) {
            changes.push(change.clone());
        }
    }
    (header.params.clone(), changes)
}

/// The device that the header names in words.
fn recorded_device(header: &RunHeader) -> DeviceChoice {
    if header.device.starts_with("CPU") { DeviceChoice::Cpu } else { DeviceChoice::Gpu(header.device.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::params::Value;

    fn change(step: u64, value: f64) -> Change {
        Change { step, key: "learning_rate".into(), value: Value::Float(value) }
    }

    fn header() -> RunHeader {
        let mut params = Params::default();
        params.put("learning_rate", Value::Float(0.1));
        RunHeader {
            params,
            changes: vec![change(5, 0.2), change(10, 0.3), change(20, 0.4)],
            seed: 1,
            steps: 30,
            device: "CPU (Flex)".into(),
            ..RunHeader::default()
        }
    }

    #[test]
    fn a_checkpoint_takes_up_the_parameters_of_its_step() {
        // By hand at 7; the planned change at 10 was made after the checkpoint there was written; one at 12 is undone.
        let made = [change(5, 0.2), change(7, 0.9), change(10, 0.3), change(12, 0.8)].map(|c| (c.step, c));
        let (params, ahead) = at_checkpoint(&header(), &made, 10);
        assert_eq!((params.float("learning_rate"), ahead), (0.3, vec![change(20, 0.4)]));
        // The process died between the checkpoint and the change.
        let (params, ahead) = at_checkpoint(&header(), &made[..2], 10);
        assert_eq!((params.float("learning_rate"), ahead), (0.9, vec![change(10, 0.3), change(20, 0.4)]));
    }

    #[test]
    fn without_a_checkpoint_every_change_is_made_again() {
        let made = [change(5, 0.2), change(7, 0.9)].map(|c| (c.step, c));
        let (params, changes) = from_start(&header(), &made);
        assert_eq!(params.float("learning_rate"), 0.1);
        assert_eq!(changes, [change(5, 0.2), change(10, 0.3), change(20, 0.4), change(7, 0.9)]);
    }
}
