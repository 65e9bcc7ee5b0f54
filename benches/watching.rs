//! What watching costs the training: steps per second of the network experiment with nobody looking against the same
//! with a consumer that takes every event and picture, as the window does. Runs alternate; the median ratio counts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use learnscope::compute::device::DeviceChoice;
use learnscope::engine::command::{Command, Record};
use learnscope::engine::state::RunState;
use learnscope::engine::worker::Engine;
use learnscope::kit::lab::{self, RunOptions};
use learnscope::labs;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const STEPS: u64 = 3_000;
const PAIRS: usize = 7;

/// Seconds of one run.
fn run(watched: bool) -> f64 {
    let lab = labs::LABS[0];
    let params = lab.spec.preset("moons").unwrap().unwrap();
    let options =
        RunOptions { steps: Some(STEPS), device: DeviceChoice::Cpu, record: Record::No, ..RunOptions::default() };
    let engine = Engine::start(watched, Arc::new(|| ())).unwrap();
    engine.send(Command::Start(lab::request(lab.spec, &params, options).unwrap()));
    let mut state = RunState::default();
    let start = Instant::now();
    while state.status.is_none() || state.is_live() {
        for event in engine.recv(Duration::from_millis(16)) {
            state.apply(&event);
        }
        engine.letters().iter().for_each(|letter| state.deliver(letter));
    }
    let seconds = start.elapsed().as_secs_f64();
    engine.shutdown(Duration::from_secs(5));
    seconds
}

fn main() {
    run(false);
    let mut ratios: Vec<f64> = (0..PAIRS)
        .map(|_| {
            let (alone, watched) = (run(false), run(true));
            println!("alone {:.0} steps/s, watched {:.0} steps/s", STEPS as f64 / alone, STEPS as f64 / watched);
            alone / watched
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    println!("watched speed over headless speed, median of {PAIRS} pairs: {:.3}", ratios[PAIRS / 2]);
}
