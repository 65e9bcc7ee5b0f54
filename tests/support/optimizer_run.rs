//! A hand-made run of the optimizers lab on a surface, for drawing without an engine.

use learnscope::engine::event::{Body, RunHeader};
use learnscope::engine::params::Params;
use learnscope::engine::state::RunState;
use learnscope::labs::optimizers::params::PARAMS;
use learnscope::labs::optimizers::{PATH_COLUMNS, surface_run};

use super::made_run::{self, MadeRun, header};

/// Default parameters with these changes, each `key=value`.
pub fn params(changes: &[&str]) -> Params {
    made_run::params(PARAMS, changes)
}

/// A finished run with these parameters.
pub fn run(params: &Params) -> RunState {
    let steps = params.int("steps") as u64;
    let header = RunHeader { name: "hand-made".into(), seed: 7, ..header("optimizers", params, steps) };
    let mut run = MadeRun::starts(header);
    for (rule, data) in surface_run::noisy_paths(params, &[], steps, &surface_run::noise(params, 7)).unwrap() {
        let (key, columns) = (format!("path/{}", rule.id()).into(), PATH_COLUMNS.len() as u32);
        run.says(steps, Body::Rows { key, columns, data: data.into() });
    }
    run.ends(steps)
}
