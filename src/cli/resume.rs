//! `learnscope resume`: an interrupted run goes on from its newest good checkpoint.

use serde_json::json;

use crate::compute::device::{self, CPU_NAME, DeviceChoice, HOST_NAME};
use crate::engine::checkpoint_file::{self, Found};
use crate::engine::command::Record;
use crate::engine::event::{Body, Change, RunHeader};
use crate::engine::params::Params;
use crate::engine::recording::{self, RunReader};
use crate::engine::run_folder::{self, DiskError, RunEnd};
use crate::engine::twin::of_twin;
use crate::labs::{self, Lab, RunOptions};
use crate::plot::number::counted;

use super::flags::ResumeFlags;
use super::output::{Failure, Output};
use super::progress::reading;
use super::{find_run, headless, request};

pub fn resume(flags: &ResumeFlags, output: &Output) -> Result<(), Failure> {
    // The run is about to be written: a replacement that a crash cut short is finished first.
    run_folder::recover(&flags.run)?;
    let folder = find_run(&flags.run)?;
    let mut reader = labs::open_run(&folder)?;
    if let Some(problem) = reader.refusal() {
        return Err(Failure::usage(problem));
    }
    let header = reader.header().clone();
    let lab = request::find_lab(&header.lab)?;
    drop(run_folder::lock(&folder)?);

    let warn = |text: &str| {
        output.object(&json!({ "event": "notice", "level": "warning", "text": text }));
        output.aside(format!("warning: {text}"));
    };
    let past = Past::read(&mut reader)?;
    let damage = if past.is_damaged { reader.damage() } else { reader.warning().map(str::to_owned) };
    damage.iter().for_each(|damage| warn(damage));
    let found = checkpoint(&folder, &past, lab, &header)?;
    found.iter().flat_map(|found| &found.warnings).for_each(|warning| warn(warning));
    let at = found.as_ref().map_or(0, |found| found.checkpoint.step);
    let steps = flags.steps.unwrap_or(header.steps);
    if let Some(asked) = flags.steps.filter(|asked| *asked <= at) {
        return Err(Failure::usage(format!("`--steps {asked}`: the run is already at step {at}; ask for more")));
    }
    if at >= steps {
        if run_folder::read_end(&folder).is_none() {
            // It was killed between its last step and this line.
            let _lock = run_folder::lock(&folder)?;
            let end = RunEnd { status: "finished".to_owned(), message: String::new(), step: at, seconds: past.seconds };
            run_folder::write_end(&folder, Some(&end))?;
        }
        output.object(&json!({ "event": "finished", "step": at, "steps": steps, "folder": header.folder }));
        output.line(format!(
            "this run has done all its {}; `--steps N` goes on to step N",
            counted(steps, "step", "steps")
        ));
        return Ok(());
    }

    let kept = match &found {
        Some(_) => recording::resumable(&folder, at)?.kept,
        None => 0,
    };
    let (params, mut changes) = replayed(&header, &past.made, at, kept);
    let specs = lab.spec().params;
    let mut params = Params::checked(specs, params.iter().map(|(key, value)| (key.to_owned(), value.clone())))?;
    match &flags.data {
        Some(path) => request::set_data(specs, &mut params, path)?,
        None => data_are_there(lab, &params)?,
    }
    reading(output, |watch| (lab.spec().read)(&params, watch))?;
    (lab.spec().check)(&params)?;
    if flags.data.is_some() {
        moved_data(&header, lab, &params)?;
    } else if found.is_none() {
        same_data(&header, lab, &params)?;
    }
    if !flags.at.is_empty() {
        let asked = flags.at.iter().map(|text| request::change(specs, text)).collect::<Result<Vec<_>, _>>()?;
        if let Some(early) = asked.iter().find(|change| change.step < at) {
            return Err(Failure::usage(format!(
                "`--at {}:{}=…`: the run is already at step {at}; a change can come from then on",
                early.step, early.key
            )));
        }
        request::refuse_late(&asked, steps)?;
        // After what was planned for the same step.
        changes.extend(asked);
        changes.sort_by_key(|change| change.step);
        request::check_changes(lab, &params, &changes)?;
    }
    let resumed = found.is_some();
    let options = RunOptions {
        name: header.name.clone(),
        seed: header.seed,
        steps: Some(steps),
        device: match &flags.device {
            Some(typed) => request::device_choice(typed)?,
            None => recorded_device(&header)?,
        },
        skip_device_check: flags.skip_device_check,
        record: if resumed { Record::Resume(folder) } else { Record::Restart(folder) },
        changes,
        resume_from: found.map(|found| found.path),
        ..RunOptions::default()
    };
    if !resumed {
        output.aside("the run has no checkpoint: it starts from its first step again");
    }
    headless::run(labs::request(lab, &params, options)?, output)
}

/// What a recording tells of the run so far.
#[derive(Debug, Default)]
struct Past {
    /// Every change of a parameter that took effect, in order, with the place of its event.
    made: Vec<(u64, Change)>,
    seconds: f64,
    /// The events are whole up to this byte and this step.
    whole: u64,
    reached: u64,
    /// Something follows the damage: it is more than the torn end that a kill leaves.
    is_damaged: bool,
}

impl Past {
    fn read(reader: &mut RunReader) -> Result<Self, DiskError> {
        let mut past = Self { whole: u64::MAX, reached: u64::MAX, ..Self::default() };
        let mut steps: Vec<(u64, u64)> = Vec::new();
        let mut last = 0;
        let mut events = reader.events()?;
        while let Some(event) = events.next() {
            last = events.offset();
            past.seconds = past.seconds.max(event.seconds);
            if steps.last().is_none_or(|(_, step)| *step < event.step) {
                steps.push((last, event.step));
            }
            if let Body::Changed { key, to, .. } = event.body {
                past.made.push((last, Change { step: event.step, key, value: to }));
            }
        }
        if let Some(damage) = reader.damaged_at() {
            past.is_damaged = last > damage;
            past.whole = damage;
            past.reached = steps.iter().rfind(|(offset, _)| *offset < damage).map_or(0, |(_, step)| *step);
        }
        Ok(past)
    }
}

/// The checkpoint to go on from: the newest one before any damage of the recording. Where there is none before it, a run
/// that is computed at once starts again, and one that trains goes on from the newest: training is dearer than some
/// missing numbers.
fn checkpoint(
    folder: &std::path::Path,
    past: &Past,
    lab: &dyn Lab,
    header: &RunHeader,
) -> Result<Option<Found>, Failure> {
    let id = recording::id_of(folder);
    let newest = |whole, reached| {
        checkpoint_file::newest(folder, |checkpoint| recording::belongs(checkpoint, id.as_deref(), whole, reached))
    };
    match newest(past.whole, past.reached) {
        Err(_) if past.whole < u64::MAX => match (lab.spec().playback)(&header.params) {
            Some(_) => Ok(None),
            None => Ok(newest(u64::MAX, u64::MAX)?),
        },
        found => Ok(found?),
    }
}

/// The parameters as they were when the recording was `kept` bytes long, at step `at`, and the changes still to come: first
/// those that were made already, by hand or by plan, each at its own step; then the planned ones that were not reached.
fn replayed(header: &RunHeader, made: &[(u64, Change)], at: u64, kept: u64) -> (Params, Vec<Change>) {
    let mut params = header.params.clone();
    let (past, again): (Vec<_>, Vec<_>) = made.iter().partition(|(offset, _)| *offset < kept);
    // The twin's are in the checkpoint.
    let of_run = past.iter().filter(|(_, change)| of_twin(&change.key).is_none());
    of_run.for_each(|(_, change)| params.put(&change.key, change.value.clone()));
    let mut ahead: Vec<Change> = again.into_iter().map(|(_, change)| change.clone()).collect();
    let mut done: Vec<&Change> = made.iter().map(|(_, change)| change).collect();
    for change in header.changes.iter().filter(|change| change.step >= at) {
        match done.iter().position(|made| *made == change) {
            Some(index) => drop(done.remove(index)),
            None => ahead.push(change.clone()),
        }
    }
    ahead.sort_by_key(|change| change.step);
    (params, ahead)
}

/// A run that starts from its first step again must find the data that it began with.
fn same_data(header: &RunHeader, lab: &dyn Lab, params: &Params) -> Result<(), Failure> {
    let now = (lab.spec().data)(params)?;
    if header.data.is_empty() || now == header.data {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "the data has changed since this run began: it was {}, it is {now}. There is no checkpoint to go on from, and its \
         first steps would be others: put the data back, or start a new run",
        header.data
    )))
}

/// The file or folder that a run reads must still be there.
fn data_are_there(lab: &dyn Lab, params: &Params) -> Result<(), Failure> {
    let specs = lab.spec().params.iter().filter(|spec| spec.kind.is_path() && params.shows(spec));
    for spec in specs {
        let path = params.text(spec.key);
        if !path.is_empty() && !std::path::Path::new(path).exists() {
            return Err(Failure::usage(format!(
                "the run reads `{path}` ({}), which is not there any more; put it back, or say with `--data PATH` where its \
                 data lie now",
                spec.label
            )));
        }
    }
    Ok(())
}

/// Data that were moved must be those of the run.
fn moved_data(header: &RunHeader, lab: &dyn Lab, params: &Params) -> Result<(), Failure> {
    let now = (lab.spec().data)(params)?;
    let sums = checksums(&header.data);
    if !sums.is_empty() && sums == checksums(&now) {
        return Ok(());
    }
    let was = if header.data.is_empty() { "generated data, which no folder holds" } else { &header.data };
    Err(Failure::usage(format!(
        "`--data`: these are other data than the run's: it was trained on {was}; this is {now}. Choose the folder that holds \
         the run's own data, or start a new run"
    )))
}

/// What identifies the content of data in their description: the numbers after `CRC-32`.
fn checksums(description: &str) -> Vec<&str> {
    let is_sum = |word: &&str| word.len() == 8 && word.chars().all(|c| c.is_ascii_hexdigit());
    let mut sums = Vec::new();
    for part in description.split("CRC-32 ").skip(1) {
        sums.extend(part.split([' ', ',', ';']).take_while(is_sum));
    }
    sums
}

/// The device that the header names in words.
fn recorded_device(header: &RunHeader) -> Result<DeviceChoice, Failure> {
    match header.device.as_str() {
        CPU_NAME | HOST_NAME => Ok(DeviceChoice::Cpu),
        name if device::adapters().iter().any(|adapter| adapter.to_string() == name) => {
            Ok(DeviceChoice::Gpu(name.to_owned()))
        }
        name => Err(Failure::usage(format!(
            "the run was recorded on the device `{name}`, which is not here; choose one with --device cpu or --device \
             gpu:NAME (`learnscope devices` lists them)"
        ))),
    }
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

    /// As recorded: at the byte of their steps.
    fn made(changes: &[(u64, f64)]) -> Vec<(u64, Change)> {
        changes.iter().enumerate().map(|(i, (step, value))| (100 * step + i as u64, change(*step, *value))).collect()
    }

    #[test]
    fn a_checkpoint_takes_up_the_parameters_of_its_moment_and_repeats_what_came_after() {
        // By hand at 7, and at 10 after the checkpoint there; at 12 by hand, after it too.
        let made = made(&[(5, 0.2), (7, 0.9), (10, 0.3), (10, 0.8), (12, 0.7)]);
        let (params, ahead) = replayed(&header(), &made, 10, 1_003);
        assert_eq!(params.float("learning_rate"), 0.3);
        assert_eq!(ahead, [change(10, 0.8), change(12, 0.7), change(20, 0.4)]);
        // The process died between the checkpoint and the planned change at its step.
        let (params, ahead) = replayed(&header(), &made[..2], 10, 1_000);
        assert_eq!((params.float("learning_rate"), ahead), (0.9, vec![change(10, 0.3), change(20, 0.4)]));
    }

    #[test]
    fn data_are_known_by_their_checksums() {
        let sums = |text: &str| checksums(text).iter().map(|sum| (*sum).to_owned()).collect::<Vec<_>>();
        let folder = "/a CRC-32/b: 40 images with masks, CRC-32 0123abcd, at 64 pixels";
        assert_eq!(sums(&format!("{folder}; weights w.pt, CRC-32 ffffffff")), ["0123abcd", "ffffffff"]);
        assert_eq!(sums("/x, 3 classes, 9 images to train and 3 to test at 32×32, CRC-32 00000001 00000002").len(), 2);
        assert!(sums("").is_empty() && sums("no sum").is_empty());
    }

    #[test]
    fn without_a_checkpoint_every_change_is_made_again_in_order() {
        let (params, changes) = replayed(&header(), &made(&[(5, 0.2), (7, 0.9)]), 0, 0);
        assert_eq!(params.float("learning_rate"), 0.1);
        assert_eq!(changes, [change(5, 0.2), change(7, 0.9), change(10, 0.3), change(20, 0.4)]);
        // There and back in one pause.
        let there_and_back = made(&[(5, 0.2), (7, 0.3), (7, 0.4), (7, 0.3)]);
        let (_, changes) = replayed(&header(), &there_and_back, 0, 0);
        assert_eq!(changes[1..4], [change(7, 0.3), change(7, 0.4), change(7, 0.3)]);
    }

    #[test]
    fn a_device_in_words_is_the_very_one_or_refused() {
        let on = |device: &str| recorded_device(&RunHeader { device: device.to_owned(), ..header() });
        assert_eq!(on("CPU (Flex)").unwrap(), DeviceChoice::Cpu);
        for odd in ["", "none", "CPU", "cpu (flex)", "llvm", "NVIDIA H900"] {
            let message = on(odd).unwrap_err().to_string();
            assert!(message.contains(&format!("`{odd}`")) && message.contains("--device"), "{message}");
        }
    }
}
