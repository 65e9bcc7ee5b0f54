//! A hand-made run of the optimizers lab, for drawing without an engine.

use std::sync::Arc;

use learnscope::engine::event::{RunHeader, RunId, Status};
use learnscope::engine::params::Params;
use learnscope::engine::state::{Rows, RunState};
use learnscope::labs::optimizers::params::PARAMS;
use learnscope::labs::optimizers::rules::{Hyper, Rule, State};
use learnscope::labs::optimizers::surfaces;

/// Default parameters with these changes, each `key=value`.
pub fn params(changes: &[&str]) -> Params {
    let mut params = Params::defaults(PARAMS);
    for change in changes {
        params.set_text(PARAMS, change).unwrap();
    }
    params
}

/// A finished run of all seven optimizers with these parameters.
pub fn run(params: &Params) -> RunState {
    let steps = params.int("steps") as u64;
    let surface = surfaces::by_id(params.text("surface")).unwrap();
    let hyper = Hyper::from_params(params);
    let mut run = RunState {
        id: Some(RunId(1)),
        params: params.clone(),
        step: steps,
        status: Some(Status::Finished),
        header: Some(header(params, steps)),
        ..RunState::default()
    };
    for rule in Rule::ALL {
        let mut state = State::new([params.float("start_x"), params.float("start_y")]);
        let mut delta = [0.0; 2];
        let mut data = Vec::with_capacity(10 * (steps as usize + 1));
        for _ in 0..=steps {
            let g = surface.gradient(state.theta);
            let [x, y] = state.theta;
            data.extend([x, y, surface.f(state.theta), g[0].hypot(g[1]), delta[0], delta[1]]);
            data.extend([state.a[0], state.a[1], state.b[0], state.b[1]]);
            rule.step(&mut state, surface, &hyper);
            delta = [state.theta[0] - x, state.theta[1] - y];
        }
        run.tables.insert(Arc::from(format!("path/{}", rule.id())), Rows { columns: 10, data });
    }
    run
}

fn header(params: &Params, steps: u64) -> RunHeader {
    RunHeader {
        lab: "optimizers".into(),
        name: "hand-made".into(),
        params: params.clone(),
        changes: Vec::new(),
        seed: 7,
        steps,
        device: "CPU".into(),
        device_check: String::new(),
        version: "0".into(),
        data: String::new(),
        started: "2026-01-01T00:00:00Z".into(),
        folder: String::new(),
        resumed_at: None,
    }
}
