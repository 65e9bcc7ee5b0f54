//! A hand-made run of the optimizers lab, for drawing without an engine.

use std::sync::Arc;

use learnscope::engine::event::{RunHeader, RunId, Status};
use learnscope::engine::params::Params;
use learnscope::engine::state::{Rows, RunState};
use learnscope::labs::optimizers::params::PARAMS;
use learnscope::labs::optimizers::{PATH_COLUMNS, surface_run};

/// Default parameters with these changes, each `key=value`.
pub fn params(changes: &[&str]) -> Params {
    let mut params = Params::defaults(PARAMS);
    for change in changes {
        params.set_text(PARAMS, change).unwrap();
    }
    params
}

/// A finished run with these parameters.
pub fn run(params: &Params) -> RunState {
    let steps = params.int("steps") as u64;
    let mut run = RunState {
        id: Some(RunId(1)),
        params: params.clone(),
        step: steps,
        status: Some(Status::Finished),
        header: Some(header(params, steps)),
        ..RunState::default()
    };
    for (rule, data) in surface_run::paths(params, &[], steps).unwrap() {
        run.tables.insert(Arc::from(format!("path/{}", rule.id())), Rows { columns: PATH_COLUMNS.len(), data });
    }
    run
}

fn header(params: &Params, steps: u64) -> RunHeader {
    RunHeader {
        lab: "optimizers".into(),
        name: "hand-made".into(),
        params: params.clone(),
        seed: 7,
        steps,
        device: "CPU".into(),
        ..RunHeader::default()
    }
}
