//! Going on with a recorded run: what its folder tells of it, and the request that continues it. The same for
//! `learnscope resume` and for “Go on” in the window.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::lab::{self, LabSpec, RunOptions};
use crate::compute::device::{self, CPU_NAME, DeviceChoice, HOST_NAME};
use crate::engine::checkpoint_file::{self, Found};
use crate::engine::command::{Record, RunRequest};
use crate::engine::event::{Body, Change, RunHeader};
use crate::engine::params::{ParamError, Params};
use crate::engine::recording::{self, RunReader};
use crate::engine::run_folder::{self, DiskError, RunEnd};
use crate::engine::twin::of_twin;
use crate::plot::number::counted;
use crate::watch::Watch;

/// Why a run cannot be gone on with, and what to do.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Refusal(pub String);

impl From<DiskError> for Refusal {
    fn from(error: DiskError) -> Self {
        Refusal(error.to_string())
    }
}

impl From<ParamError> for Refusal {
    fn from(error: ParamError) -> Self {
        Refusal(error.to_string())
    }
}

/// A recorded run as it can be gone on with. What is to be different may be changed in it before [`Resumption::request`].
pub struct Resumption {
    pub folder: PathBuf,
    pub header: RunHeader,
    pub lab: &'static LabSpec,
    /// Completed steps at the checkpoint; 0 without one.
    pub at: u64,
    /// Steps that the run has in the end.
    pub steps: u64,
    /// The parameters as they were at the checkpoint.
    pub params: Params,
    /// The changes still to come, in order of steps.
    pub changes: Vec<Change>,
    found: Option<Found>,
    seconds: f64,
}

impl Resumption {
    /// Reads what the folder tells of the run, of which nothing is changed. `lab`: the lab with an id. `warn` is told of
    /// damage that does not hinder. Refused where another process records the run, and where its description was changed.
    pub fn read<E: From<Refusal>>(
        folder: &Path,
        lab: impl FnOnce(&str) -> Result<&'static LabSpec, E>,
        mut warn: impl FnMut(&str),
    ) -> Result<Self, E> {
        let mut reader = RunReader::open(folder).map_err(Refusal::from)?;
        if let Some(problem) = reader.refusal() {
            return Err(Refusal(problem.to_owned()).into());
        }
        let lab = lab(&reader.header().lab)?;
        reader.complete(lab.params);
        Ok(Self::read_from(folder, reader, lab, &mut warn)?)
    }

    fn read_from(
        folder: &Path,
        mut reader: RunReader,
        lab: &'static LabSpec,
        warn: &mut dyn FnMut(&str),
    ) -> Result<Self, Refusal> {
        let header = reader.header().clone();
        drop(run_folder::lock(folder)?);
        let past = Past::read(&mut reader)?;
        let damage = if past.is_damaged { reader.damage() } else { reader.warning().map(str::to_owned) };
        damage.iter().for_each(|damage| warn(damage));
        let found = checkpoint(folder, &past, lab, &header)?;
        found.iter().flat_map(|found| &found.warnings).for_each(|warning| warn(warning));
        let at = found.as_ref().map_or(0, |found| found.checkpoint.step);
        let kept = match &found {
            Some(_) => recording::resumable(folder, at)?.kept,
            None => 0,
        };
        let (params, changes) = replayed(&header, &past.made, at, kept);
        let specs = lab.params;
        let params = Params::checked(specs, params.iter().map(|(key, value)| (key.to_owned(), value.clone())))?;
        let (folder, steps, seconds) = (folder.to_owned(), header.steps, past.seconds);
        Ok(Self { folder, header, lab, at, steps, params, changes, found, seconds })
    }

    /// Whether there is nothing left to do. A run that was killed between its last step and the note of its end gets that
    /// note.
    pub fn is_done(&self) -> Result<bool, Refusal> {
        if self.at < self.steps {
            return Ok(false);
        }
        if run_folder::read_end(&self.folder).is_none() {
            let _lock = run_folder::lock(&self.folder)?;
            let (status, message) = ("finished".to_owned(), String::new());
            let end = RunEnd { status, message, step: self.at, seconds: self.seconds };
            run_folder::write_end(&self.folder, Some(&end))?;
        }
        Ok(true)
    }

    /// What is said of a run that [`Resumption::is_done`].
    pub fn done_text(&self) -> String {
        format!("this run has done all its {}", counted(self.steps, "step", "steps"))
    }

    /// Whether it goes on from a checkpoint; a run without one starts from its first step again.
    pub fn has_checkpoint(&self) -> bool {
        self.found.is_some()
    }

    /// The data must be there and the parameters fit each other, before anything is started. `moved`: the data lie elsewhere
    /// now, and must be the same. Reads them, which may take long.
    pub fn check(&self, moved: bool, watch: Watch<'_>) -> Result<(), Refusal> {
        let (_, check, data) = self.lab.made(self.found.is_some());
        if !moved {
            // A checkpoint holds all weights.
            let needless = self.lab.resumed.filter(|_| self.found.is_some()).map(|resumed| resumed.weights);
            data_are_there(self.lab, &self.params, needless)?;
        }
        (self.lab.read)(&self.params, watch)?;
        check(&self.params)?;
        if moved {
            moved_data(&self.header, &data(&self.params)?, self.found.is_some())
        } else if self.found.is_none() {
            same_data(&self.header, self.lab, &self.params)
        } else {
            Ok(())
        }
    }

    /// The request that goes on with the run, on its own device unless another is given.
    pub fn request(self, device: Option<DeviceChoice>, skip_device_check: bool) -> Result<Box<RunRequest>, Refusal> {
        let device = device.map_or_else(|| recorded_device(&self.header), Ok)?;
        let record = if self.found.is_some() { Record::Resume(self.folder) } else { Record::Restart(self.folder) };
        let options = RunOptions {
            name: self.header.name,
            seed: self.header.seed,
            steps: Some(self.steps),
            device,
            skip_device_check,
            record,
            changes: self.changes,
            resume_from: self.found.map(|found| found.path),
            ..RunOptions::default()
        };
        Ok(lab::request(self.lab, &self.params, options)?)
    }
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
fn checkpoint(folder: &Path, past: &Past, lab: &LabSpec, header: &RunHeader) -> Result<Option<Found>, Refusal> {
    let id = recording::id_of(folder);
    let newest = |whole, reached| {
        checkpoint_file::newest(folder, |checkpoint| recording::belongs(checkpoint, id.as_deref(), whole, reached))
    };
    match newest(past.whole, past.reached) {
        Err(_) if past.whole < u64::MAX => match (lab.playback)(&header.params) {
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
fn same_data(header: &RunHeader, lab: &LabSpec, params: &Params) -> Result<(), Refusal> {
    let now = (lab.data)(params)?;
    if header.data.is_empty() || now == header.data {
        return Ok(());
    }
    Err(Refusal(format!(
        "the data has changed since this run began: it was {}, it is {now}. There is no checkpoint to go on from, and its \
         first steps would be others: put the data back, or start a new run",
        header.data
    )))
}

/// The file or folder that a run reads must still be there, but for that of the parameter `needless`.
fn data_are_there(lab: &LabSpec, params: &Params, needless: Option<&str>) -> Result<(), Refusal> {
    let specs = lab.params.iter().filter(|spec| spec.kind.is_path() && params.shows(spec));
    let specs = specs.filter(|spec| Some(spec.key) != needless);
    for spec in specs {
        let path = params.text(spec.key);
        if !path.is_empty() && !Path::new(path).exists() {
            return Err(Refusal(format!(
                "the run reads `{path}` ({}), which is not there any more; put it back, or say where its data lie now \
                 with `learnscope resume RUN --data PATH`",
                spec.label
            )));
        }
    }
    Ok(())
}

/// Data that were moved must be those of the run. `resumed`: the file of its first weights, which is named last, may be
/// gone.
fn moved_data(header: &RunHeader, now: &str, resumed: bool) -> Result<(), Refusal> {
    let (sums, found) = (checksums(&header.data), checksums(now));
    if !found.is_empty() && (sums == found || resumed && sums.starts_with(&found)) {
        return Ok(());
    }
    let was = if header.data.is_empty() { "generated data, which no folder holds" } else { &header.data };
    Err(Refusal(format!(
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
fn recorded_device(header: &RunHeader) -> Result<DeviceChoice, Refusal> {
    match header.device.as_str() {
        CPU_NAME | HOST_NAME => Ok(DeviceChoice::Cpu),
        name if device::adapters().iter().any(|adapter| adapter.to_string() == name) => {
            Ok(DeviceChoice::Gpu(name.to_owned()))
        }
        name => Err(Refusal(format!(
            "the run was recorded on the device `{name}`, which is not here; choose one with `learnscope resume RUN \
             --device cpu` or `--device gpu:NAME` (`learnscope devices` lists them)"
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
