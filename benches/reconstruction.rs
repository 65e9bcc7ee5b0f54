//! What the reconstruction lab costs on the CPU: an update of each network, and the demo with all that it measures.
//!
//! `cargo bench --bench reconstruction`; `RAYON_NUM_THREADS=1` takes one thread. The fastest of some steps is told: wall time, and
//! the time of all threads, which other programs on the machine change less. What is measured beside training is told with its share of
//! the demo's time. `-- full` trains the whole demo for that.

mod support;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use learnscope::compute::device::{self, DeviceChoice};
use learnscope::engine::command::Command;
use learnscope::engine::params::Params;
use learnscope::engine::state::RunState;
use learnscope::engine::worker::Engine;
use learnscope::kit::lab::{self, RunOptions};
use learnscope::labs::reconstruction::SPEC;
use learnscope::labs::reconstruction::between::interpolation;
use learnscope::labs::reconstruction::explain::occlusion;
use learnscope::labs::reconstruction::judge::{field_of_view, judge};
use learnscope::labs::reconstruction::looks::{agreement, grad_cam, lesions};
use learnscope::labs::reconstruction::params::{Hyper, PARAMS, net_spec, rule};
use learnscope::labs::reconstruction::source;
use learnscope::labs::reconstruction::survival::{Survivors, probes};
use learnscope::labs::reconstruction::trainer::{Batch, Plan, Trainer};
use learnscope::metrics::knn::Labelled;
use learnscope::metrics::linear_probe::{ProbeProtocol, linear_probe};
use learnscope::metrics::projection::Projection;
use learnscope::nn::reconstruction::Autoencoder;
use learnscope::pixels::mask::Mask;
use learnscope::pixels::resize::{Resampling, Size, resize};
use learnscope::watch::Watch;
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

/// What a run measures beside training and scores, with the milliseconds of one time and the times of the demo's 936 steps.
fn extras() -> Vec<(&'static str, f64, u64)> {
    let (params, device) = (params(&[]), device::cpu());
    let data = source::load(&params, Watch::nobody()).expect("pictures");
    let net = Autoencoder::new(&net_spec(&params), 1, &device).expect("a network");
    let points = [&data.test[..], &data.unseen[..]].concat();
    let codes = judge(&net, &data, &points, false, &device).expect("answers").codes;
    let d = codes.len() / points.len();
    let hospitals: Vec<usize> = points.iter().map(|&i| data.pictures[i].hospital).collect();
    let (wall, size) = (data.wall(), data.size);
    let planes: Vec<f32> = wall.iter().flat_map(|&i| data.pictures[i].values()).collect();
    let fields: Vec<Mask> = wall.iter().map(|&i| field_of_view(&data.pictures[i].planes, size)).collect();
    let near = |map: &[f32], k: usize| {
        black_box(agreement(map, &lesions(&data.pictures[wall[k]], size), &fields[k]));
    };
    let of_test = |i: &usize| probes(&data.pictures[*i], size, &field_of_view(&data.pictures[*i].planes, size));
    let probes: Vec<_> = data.test.iter().map(of_test).collect();
    let rebuilt = data.pictures[data.test[0]].values();
    let mut projection = Projection::default();
    let timed = |times: usize, call: &mut dyn FnMut()| 1e3 * fastest(times, &mut *call).0;
    vec![
        (
            "plane of codes and hospital probe",
            timed(5, &mut || {
                black_box(projection.look(&codes, d));
                let (features, labels) = (&codes[..codes.len() / 2 / d * d], &hospitals[..points.len() / 2]);
                let half = Labelled { features, labels, d, classes: 4 };
                black_box(linear_probe(&half, &half, &ProbeProtocol::RIDGE, 0).expect("hospitals"));
            }),
            25,
        ),
        (
            "lesion survival",
            timed(5, &mut || {
                let mut survivors = Survivors::default();
                probes.iter().for_each(|probes| survivors.add(probes, &rebuilt));
                black_box(survivors.rows());
            }),
            25,
        ),
        (
            "Grad-CAM of the wall",
            timed(5, &mut || {
                let cams = grad_cam(&net, planes.clone(), size, &device).expect("maps");
                (0..wall.len()).for_each(|k| near(&black_box(enlarged(&cams.maps[k], cams.side, size)), k));
            }),
            25,
        ),
        (
            "decoded line between two codes",
            timed(5, &mut || {
                black_box(interpolation(&net, &data, [points[0], points[1]], &device).expect("a line"));
            }),
            73,
        ),
        (
            "occlusion maps of the wall",
            timed(1, &mut || {
                for (k, planes) in planes.chunks_exact(3 * size * size).enumerate() {
                    near(&occlusion(&net, planes, size, &device).expect("a map"), k);
                }
            }),
            2,
        ),
    ]
}

fn enlarged(map: &[f32], side: usize, size: usize) -> Vec<f32> {
    let of = |side: usize| Size { height: side, width: side };
    resize(map, of(side), of(size), Resampling::Bilinear)
}

fn main() {
    // As the program's worker does.
    let _threads = learnscope::compute::own_threads();
    println!("{:30} {:24} {:>9} {:>12}", "update of 12 pictures, 64x64", "", "wall ms", "threads ms");
    steps("AECL1 (mini)", &[]);
    steps("AECL1 (mini, tied)", &["tied=on"]);
    steps("AERes18", &["network=aeres18"]);

    const SHORT: u64 = 117;
    const DEMO: u64 = 936;
    let never = ["validate_every=1000000", "rebuild_every=1000000", "gradients_every=10000"];
    let bare = run(&never, SHORT);
    let whole = run(&[], SHORT);
    println!(
        "\n{SHORT} steps of the demo: {bare:.2} s bare, {whole:.2} s with measurements, {:.1} % more",
        100.0 * (whole / bare - 1.0)
    );
    let all = std::env::args().any(|argument| argument == "full");
    let demo = if all { run(&[], DEMO) } else { whole * DEMO as f64 / SHORT as f64 };
    let how = if all { "measured" } else { "from the shorter run" };
    println!("\nthe demo, {DEMO} steps: {demo:.1} s ({how}); of it");
    let mut sum = 0.0;
    for (name, milliseconds, times) in extras() {
        let share = 0.1 * milliseconds * times as f64 / demo;
        sum += share;
        println!("{name:36} {milliseconds:9.1} ms x {times:3} = {share:5.1} %");
    }
    println!("{:36} {sum:26.1} %", "together");
}
