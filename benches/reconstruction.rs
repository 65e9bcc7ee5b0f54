//! What the reconstruction lab costs on the CPU: an update of each network, and the demo with all that it measures.
//!
//! `cargo bench --bench reconstruction`; `RAYON_NUM_THREADS=1` takes one thread. The fastest of some steps is told: wall time, and
//! the time of all threads, which other programs on the machine change less. `-- full` also trains the whole demo.

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use learnscope::compute::device::{self, DeviceChoice};
use learnscope::engine::command::Command;
use learnscope::engine::params::Params;
use learnscope::engine::state::RunState;
use learnscope::engine::worker::Engine;
use learnscope::kit::lab::{self, RunOptions};
use learnscope::labs::reconstruction::SPEC;
use learnscope::labs::reconstruction::params::{Hyper, PARAMS, net_spec, rule};
use learnscope::labs::reconstruction::trainer::{Batch, Plan, Trainer};
use learnscope::nn::reconstruction::Autoencoder;
use support::{fastest, noise, wait};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn params(set: &[&str]) -> Params {
    let mut params = Params::defaults(PARAMS);
    set.iter().for_each(|text| params.set_text(PARAMS, text).expect("a parameter of the lab"));
    params
}

/// Updates by labelled and unlabelled batches of 12.
fn steps(name: &str, set: &[&str]) {
    let params = params(set);
    let (spec, hyper) = (net_spec(&params), Hyper::of(&params));
    let net = Autoencoder::new(&spec, 1, &device::cpu()).expect("a network");
    let mut trainer = Trainer::new(net, spec.head, rule(&params), &device::cpu());
    let images = noise([12, 3, spec.size, spec.size], 1).into_data().try_to_vec::<f32>().expect("numbers");
    let grades = (0..12).map(|i| i % 4).collect();
    for (kind, grades) in [("rebuilt", None), ("rebuilt and told apart", Some(grades))] {
        let batch = Batch { images: images.clone(), size: spec.size, grades };
        let plan = Plan { rebuild: true, classify: batch.grades.as_ref().map(|_| 0.3), frozen: false };
        let (wall, threads) = fastest(8, || {
            let losses = trainer.step(&batch, &plan, &hyper);
            wait(losses.reconstruction.expect("it is rebuilt"));
        });
        println!("{name:30} {kind:24} {:9.1} {:12.1}", 1e3 * wall, 1e3 * threads);
    }
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
        engine.letters().iter().for_each(|letter| state.deliver(letter));
        if state.step > 0 {
            began.get_or_insert_with(Instant::now);
        }
    }
    let seconds = began.map_or(0.0, |began: Instant| began.elapsed().as_secs_f64());
    engine.shutdown(Duration::from_secs(5));
    seconds
}

fn main() {
    println!("{:30} {:24} {:>9} {:>12}", "update of 12 pictures, 64x64", "", "wall ms", "threads ms");
    steps("AECL1 (mini)", &[]);
    steps("AECL1 (mini, tied)", &["tied=on"]);
    steps("AERes18", &["network=aeres18"]);

    const SHORT: u64 = 117;
    let never = ["validate_every=1000000", "rebuild_every=1000000", "gradients_every=10000"];
    let bare = run(&never, SHORT);
    let whole = run(&[], SHORT);
    println!(
        "\n{SHORT} steps of the demo: {bare:.2} s bare, {whole:.2} s with measurements, {:.1} % more",
        100.0 * (whole / bare - 1.0)
    );
    if std::env::args().any(|argument| argument == "full") {
        println!("the demo, 936 steps: {:.1} s", run(&[], 936));
    }
}
