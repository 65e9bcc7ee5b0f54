//! A run as the window sees it, said step by step, without an engine.

use std::sync::Arc;

use learnscope::engine::event::{Body, Event, Payload, RunHeader, RunId, Status};
use learnscope::engine::params::{ParamSpec, Params, Value};
use learnscope::engine::state::RunState;

use super::drive::Drive;

/// Its id.
pub const ID: RunId = RunId(1);

/// The values of `specs` by default, with these changes, each `key=value`.
pub fn params(specs: &[ParamSpec], changes: &[&str]) -> Params {
    let mut params = Params::defaults(specs);
    for change in changes {
        params.set_text(specs, change).unwrap();
    }
    params
}

/// The header of a run on the CPU with seed 1.
pub fn header(lab: &str, params: &Params, steps: u64) -> RunHeader {
    let (lab, params, device) = (lab.to_owned(), params.clone(), "CPU".to_owned());
    RunHeader { lab, params, seed: 1, steps, device, ..RunHeader::default() }
}

/// A run that goes on; [`MadeRun::ends`] gives its state.
pub struct MadeRun {
    state: RunState,
    /// Where the next recorded value would lie.
    offset: u64,
}

impl MadeRun {
    pub fn starts(header: RunHeader) -> Self {
        let mut run = Self { state: RunState::default(), offset: 0 };
        run.says(0, Body::Started(Box::new(header)));
        run
    }

    pub fn says(&mut self, step: u64, body: Body) {
        self.state.apply(&Event { run: ID, step, seconds: 0.0, body });
    }

    /// Scalars under keys with this prefix: empty, or the twin's.
    pub fn scalars(&mut self, step: u64, prefix: &str, values: &[(&str, f64)]) {
        let named = values.iter().map(|(key, value)| (format!("{prefix}{key}").into(), *value)).collect();
        self.says(step, Body::Scalars(named));
    }

    /// A bulky value that is only on disk.
    pub fn recorded(&mut self, step: u64, key: &str) {
        self.offset += 100;
        self.says(step, Body::Recorded { key: key.into(), offset: self.offset, bytes: 100 });
    }

    /// A bulky value that is at hand.
    pub fn payload(&mut self, step: u64, key: &str, payload: Payload) {
        self.says(step, Body::Payload { key: key.into(), payload: Arc::new(payload) });
    }

    pub fn changed(&mut self, step: u64, key: &str, from: Value, to: Value) {
        self.says(step, Body::Changed { key: key.to_owned(), from, to });
    }

    /// What an experiment said from a step on, under this prefix; its tables, of so many columns, whole at its last step.
    pub fn follows(&mut self, drive: &Drive, prefix: &str, from: u64, columns: u32) {
        for (key, points) in &drive.scalars {
            for (step, value) in points.iter().filter(|(step, _)| *step >= from) {
                self.scalars(*step, prefix, &[(key.as_str(), *value)]);
            }
        }
        for ((key, step), payload) in drive.payloads.iter().filter(|((_, step), _)| *step >= from) {
            self.payload(*step, &format!("{prefix}{key}"), payload.clone());
        }
        for (key, data) in &drive.tables {
            let key = format!("{prefix}{key}");
            self.says(drive.done, Body::Rows { key: key.as_str().into(), columns, data: data.clone().into() });
        }
    }

    pub fn ends(mut self, step: u64) -> RunState {
        self.says(step, Body::Status(Status::Finished));
        self.state
    }
}
