//! A run without the window: the same engine, the same requests, the same events.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use signal_hook::flag;

use crate::engine::command::{Command, Record, RunRequest};
use crate::engine::event::{Body, Event, Key, KeySpec, Level, Status};
use crate::engine::state::RunState;
use crate::engine::twin::{of_twin, twin_key};
use crate::engine::worker::Engine;
use crate::kit::lab::LabSpec;
use crate::labs;
use crate::plot::number;
use crate::signals;

use super::doctor;
use super::output::{Failure, Output, table};
use super::progress::Progress;

/// How often the progress is looked at while nothing happens.
const TICK: Duration = Duration::from_millis(100);
/// How long a worker may take to end once its run is over.
const FAREWELL: Duration = Duration::from_secs(10);

/// Starts a worker for a headless consumer.
pub fn start_engine() -> Result<Engine, Failure> {
    Engine::start(false, Arc::new(|| {})).map_err(|e| Failure::work(format!("cannot start the training thread: {e}")))
}

/// Ends the worker once nothing runs any more.
pub fn end_engine(engine: Engine) {
    engine.shutdown(FAREWELL);
}

/// A signal that asks the process to end asks for a clean stop; a second one ends it at once.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    pub fn listen() -> Result<Self, Failure> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in signals::that_end() {
            // In this order: the first signal finds the flag still down and raises it.
            flag::register_conditional_shutdown(signal, 128 + signal, asked.clone())
                .and_then(|_| flag::register(signal, asked.clone()))
                .map_err(|e| Failure::work(format!("cannot listen for Ctrl-C: {e}")))?;
        }
        Ok(Self(asked))
    }

    /// Set once somebody asked.
    pub fn flag(&self) -> &AtomicBool {
        &self.0
    }

    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs one request to its end and returns what it showed. `heard` is told every event, with the state after it, and
/// every [`TICK`] without one (`None`). An interrupt stops the run with a checkpoint.
pub fn drive(
    engine: &Engine,
    request: Box<RunRequest>,
    interrupt: &Interrupt,
    mut heard: impl FnMut(Option<&Event>, &RunState),
) -> Result<RunState, Failure> {
    let id = request.id;
    let mut state = RunState::default();
    let mut stopping = false;
    if !engine.send(Command::Start(request)) {
        return Err(Failure::work("the training thread is gone; start the program again"));
    }
    loop {
        let batch = engine.recv(TICK);
        for event in batch.iter().filter(|event| event.run == id) {
            state.apply(event);
            heard(Some(event), &state);
        }
        if batch.is_empty() {
            heard(None, &state);
        }
        if state.status.as_ref().is_some_and(Status::is_over) {
            return Ok(state);
        }
        if interrupt.asked() && !stopping {
            stopping = true;
            engine.send(Command::Stop);
        }
    }
}

/// `learnscope run`, and the second half of `learnscope resume`.
pub fn run(request: Box<RunRequest>, output: &Output) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let engine = start_engine()?;
    let recorded = request.record != Record::No;
    let mut progress = Progress::new(output, request.steps);
    let mut troubles = 0;
    let mut began = f64::INFINITY;
    let state = drive(&engine, request, &interrupt, |event, state| {
        if let Some(event) = event {
            if matches!(event.body, Body::Started(_)) {
                began = event.seconds;
            }
            // A resumed run tells its history again: that was said when it happened.
            if event.seconds >= began {
                troubles += u32::from(matches!(event.body, Body::Notice { level: Level::Error, .. }));
                tell(event, state, &progress, output);
            }
        }
        progress.update(state);
    });
    progress.finish();
    end_engine(engine);
    let state = state?;
    conclude(&state, output);
    let folder = state.header.as_ref().map(|header| header.folder.clone()).filter(|folder| !folder.is_empty());
    match (&state.status, folder) {
        (Some(Status::Finished), _) if troubles > 0 => {
            Err(Failure::work("the run finished, but not everything went well: see the errors above"))
        }
        (Some(Status::Finished), _) => Ok(()),
        (Some(Status::Stopped), Some(folder)) if recorded => {
            Err(Failure::work(format!("stopped at step {}; go on with `learnscope resume {folder}`", state.step)))
        }
        (Some(Status::Failed(problem)), _) => Err(Failure::work(problem.clone())),
        _ => Err(Failure::work(format!("stopped at step {}; nothing was recorded", state.step))),
    }
}

/// What is said while the run goes on.
fn tell(event: &Event, state: &RunState, progress: &Progress, output: &Output) {
    let step = event.step;
    match &event.body {
        Body::Started(header) => {
            output.object(&json!({
                "event": "started", "lab": header.lab, "name": header.name, "seed": header.seed, "steps": header.steps,
                "device": header.device, "data": header.data, "folder": header.folder, "resumed_at": header.resumed_at,
            }));
            let what = [header.lab.as_str(), header.name.as_str()].join(" ");
            let from = header.resumed_at.map_or(String::new(), |step| format!(" from step {step}"));
            let steps = number::counted(header.steps, "step", "steps");
            progress.say(&format!("{}: {steps}{from} on {}, seed {}", what.trim(), header.device, header.seed));
            if !header.data.is_empty() {
                progress.say(&format!("data: {}", header.data));
            }
            if header.resumed_at.is_none() {
                let doctor = labs::find(&header.lab).and_then(|lab| lab.doctor);
                if let Some(report) = doctor.and_then(|doctor| (doctor.of_run)(&header.params)) {
                    doctor::tell_aside(&report, output, &|line| progress.say(line));
                    if !header.folder.is_empty() && !report.kinds.is_empty() {
                        let folder = &header.folder;
                        progress.say(&format!(
                            "  the whole list: learnscope export {folder} --figure data/doctor --to FILE.csv"
                        ));
                    }
                }
            }
        }
        Body::Notice { level, text } => {
            let name = match level {
                Level::Info => "info",
                Level::Warning => "warning",
                Level::Error => "error",
            };
            output.object(&json!({ "event": "notice", "level": name, "step": step, "text": text }));
            let label = if *level == Level::Info { String::new() } else { format!("{name}: ") };
            progress.say(&format!("{label}{text} (step {step})"));
        }
        Body::Changed { key, from, to } => {
            let (from, to) = (from.to_string(), to.to_string());
            output.object(&json!({ "event": "changed", "step": step, "key": key, "from": from, "to": to }));
            // The state has it in words already.
            let told = state.marks.last().map_or_else(String::new, |mark| mark.text.clone());
            progress.say(&format!("{told} (step {step})"));
        }
        Body::Checkpoint { file } => {
            output.object(&json!({ "event": "checkpoint", "step": step, "file": file }));
        }
        Body::DeviceChecked { text } => {
            output.object(&json!({ "event": "device_checked", "text": text }));
            progress.say(text);
        }
        Body::Status(status) if !status.is_over() => {
            let name = match status {
                Status::Building => "building",
                Status::CheckingDevice => "checking device",
                Status::WarmingUp => "warming up",
                Status::Paused => "paused",
                Status::Waiting => "waiting for the disk",
                // Every tenth of a second: the progress tells it.
                Status::Reading { .. } | Status::Judging { .. } => return,
                _ => "running",
            };
            output.object(&json!({ "event": "status", "status": name, "step": state.step }));
        }
        _ => {}
    }
}

/// The last word: how it ended, the newest numbers, where it is recorded.
fn conclude(state: &RunState, output: &Output) {
    let Some(header) = &state.header else { return };
    let (status, message) = match &state.status {
        Some(Status::Finished) => ("finished", None),
        Some(Status::Failed(message)) => ("failed", Some(message)),
        _ => ("stopped", None),
    };
    let scalars: Map<String, Json> =
        state.scalars.iter().filter_map(|(key, history)| Some((key.to_string(), json!(history.last()?.1)))).collect();
    let lab = labs::specs().find(|lab| lab.id == header.lab);
    let moments = lab.map(|lab| (lab.moments)(state)).unwrap_or_default();
    let told: Vec<Json> = moments.iter().map(|moment| json!({ "step": moment.step, "text": moment.text })).collect();
    output.object(&json!({
        "event": status, "step": state.step, "steps": header.steps, "seconds": state.seconds, "message": message,
        "folder": header.folder, "scalars": scalars, "moments": told,
    }));
    if !state.scalars.is_empty() {
        output.line(newest(state, lab));
    }
    moments.iter().for_each(|moment| output.line(&moment.text));
    let steps = number::counted(state.step, "step", "steps");
    output.line(format!("{status} after {steps}, {} s", number::short(state.seconds)));
    if !header.folder.is_empty() {
        output.kept(Path::new(&header.folder));
        output.line(format!("recorded in {}", header.folder));
    }
}

/// The newest value of every scalar. Where most families have the same members (optimizers, splits), these are the rows
/// of a table with a column for each family; otherwise each key has a row of its own, with the twin's value beside it and
/// what both are in.
fn newest(state: &RunState, lab: Option<&LabSpec>) -> String {
    let parts = |key: &str| key.rsplit_once('/').map_or((key.to_owned(), String::new()), |(a, b)| (a.into(), b.into()));
    let (mut families, mut members): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let own = || state.scalars.keys().filter(|key| of_twin(key).is_none());
    for (family, member) in own().map(|key| parts(key)) {
        if !families.contains(&family) {
            families.push(family);
        }
        if !members.contains(&member) {
            members.push(member);
        }
    }
    let last = |key: &str| state.last(key).map_or(String::new(), number::short);
    let rows: Vec<Vec<String>> = if 2 * own().count() < families.len() * members.len() || state.twin.is_some() {
        let mut heading = vec!["at the end".to_owned(), String::new()];
        heading.extend(state.twin.as_ref().map(|_| "twin".to_owned()));
        heading.push(String::new());
        let unit = |key: &Key| {
            let unit = lab.and_then(|lab| Some((lab.unit)(state, KeySpec::find(lab.keys, key)?)));
            unit.unwrap_or_default().to_owned()
        };
        let row = |key: &Key| {
            let mut row = vec![key.to_string(), last(key)];
            row.extend(state.twin.as_ref().map(|_| last(&twin_key(key))));
            row.push(unit(key));
            row
        };
        std::iter::once(heading).chain(own().map(row)).collect()
    } else {
        let heading = std::iter::once("at the end".to_owned()).chain(families.iter().cloned()).collect();
        let row = |member: &String| {
            let cells = families
                .iter()
                .map(|family| last(&if member.is_empty() { family.clone() } else { format!("{family}/{member}") }));
            std::iter::once(member.clone()).chain(cells).collect()
        };
        std::iter::once(heading).chain(members.iter().map(row)).collect()
    };
    table(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_at_the_end_say_what_they_are_in() {
        let lab = labs::specs().find(|lab| lab.id == "segmentation");
        let mut run = RunState::default();
        for key in ["loss/train", "dice/final", "hd95/final", "assd/final", "epoch", "learning_rate"] {
            run.scalars.entry(key.into()).or_default().push(4, 2.5);
        }
        let cells = |run: &RunState, key: &str| -> Vec<String> {
            let text = newest(run, lab);
            let line = text.lines().find(|line| line.starts_with(key)).unwrap();
            line.split_whitespace().map(str::to_owned).collect()
        };
        assert_eq!(cells(&run, "hd95/final"), ["hd95/final", "2.50", "pixels"]);
        run.scalars.entry("pixel_area".into()).or_default().push(0, 0.04);
        for key in ["hd95/final", "assd/final"] {
            assert_eq!(cells(&run, key), [key, "2.50", "mm"]);
        }
        assert_eq!((cells(&run, "pixel_area").pop().as_deref(), cells(&run, "dice/final").len()), (Some("mm²"), 2));
    }
}
