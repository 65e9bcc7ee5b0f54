//! What the image-report lab costs on the CPU: an update with each term, and an epoch of the full loss with all views.
//!
//! `cargo bench --bench image_report`; `RAYON_NUM_THREADS=1` takes one thread. The fastest of some steps is told: wall time, and
//! the time of all threads, which other programs on the machine change less. `-- full` also trains an epoch that is watched.

#[allow(dead_code, reason = "each bench uses some of it")]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use learnscope::compute::device::{self, DeviceChoice};
use learnscope::engine::command::Command;
use learnscope::engine::emit::Emit;
use learnscope::engine::experiment::BuildRequest;
use learnscope::engine::params::Params;
use learnscope::engine::state::RunState;
use learnscope::engine::worker::Engine;
use learnscope::kit::lab::{self, RunOptions};
use learnscope::labs::image_report::params::PARAMS;
use learnscope::labs::image_report::{KEYS, SPEC, build};
use support::fastest;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn params(set: &[&str]) -> Params {
    let mut params = Params::defaults(PARAMS);
    set.iter().for_each(|text| params.set_text(PARAMS, text).expect("a parameter of the lab"));
    params
}

/// Updates by batches of 32 pairs, with the perturbing and encoding of their texts.
fn steps(name: &str, set: &[&str]) {
    let quiet = ["show_every=1000000", "evaluate_every=1000000", "train_pairs=256", "test_pairs=8", "probe=off"];
    let params = params(&[&quiet, set].concat());
    let device = device::cpu();
    let request = BuildRequest { params: &params, seed: 1, steps: 1_000_000, device: &device };
    let mut run = build(&request).expect("a run");
    let mut done = 0;
    let (wall, threads) = fastest(16, || {
        done += 1;
        // Losses are read back, so that the step is over.
        run.step(&mut Emit::new(KEYS, done, 1_000_000, false)).expect("a step");
    });
    println!("{name:36} {:9.1} {:12.1}", 1e3 * wall, 1e3 * threads);
}

/// Seconds of a run that is watched, from its first step to its last.
fn run(set: &[&str], steps: u64) -> f64 {
    let options = RunOptions { steps: Some(steps), device: DeviceChoice::Cpu, ..RunOptions::default() };
    let engine = Engine::start(true, Arc::new(|| ())).expect("a worker");
    engine.send(Command::Start(lab::request(&SPEC, &params(set), options).expect("a request")));
    let (mut state, mut began) = (RunState::default(), None);
    while state.status.is_none() || state.is_live() {
        for event in engine.recv(Duration::from_millis(16)) {
            state.apply(&event);
        }
        let _ = engine.letters();
        if began.is_none() && state.step > 0 {
            began = Some(Instant::now());
        }
    }
    engine.shutdown(Duration::from_secs(5));
    began.map_or(0.0, |began: Instant| began.elapsed().as_secs_f64())
}

fn main() {
    // As the program's worker does.
    let _threads = learnscope::compute::own_threads();
    println!("{:36} {:>9} {:>12}", "update", "wall ms", "threads ms");
    for variant in ["convirt", "gloria", "without-local", "ours"] {
        steps(variant, &[&format!("variant={variant}")]);
    }
    steps("ours, sharp attention", &["attention=sharp"]);
    steps("ours, without convolution", &["convolution=off"]);
    if std::env::args().any(|argument| argument == "full") {
        println!("an epoch of 1,024 pairs, all views: {:.1} s", run(&[], 32));
        println!("the same without views: {:.1} s", run(&["show_every=1000", "evaluate_every=1000", "probe=off"], 32));
    }
}
