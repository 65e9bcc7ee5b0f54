//! Training steps a second of the network at its default parameters (8 optimizers, 2-16-16-2, batches of 64), on the CPU.
//!
//! `silent`: nothing is read back. `recorded`: everything that a run records, at its cadence.

use burn::tensor::Device;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use learnscope::engine::emit::Emit;
use learnscope::engine::event::{KeyKind, KeySpec};
use learnscope::engine::experiment::BuildRequest;
use learnscope::engine::params::Params;
use learnscope::labs::optimizers::network;
use learnscope::labs::optimizers::{KEYS, params::PARAMS};

/// The program's allocator: fresh buffers would otherwise cost page faults.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Steps of one measured pass; a multiple of every cadence.
const STEPS: u64 = 100;

fn steps(c: &mut Criterion) {
    let mut params = Params::defaults(PARAMS);
    params.set_text(PARAMS, "experiment=network").expect("a parameter of the lab");
    let silent = KEYS
        .iter()
        .map(|key| KeySpec { every: if matches!(key.kind, KeyKind::Rows(_)) { key.every } else { u64::MAX }, ..*key })
        .collect::<Vec<_>>()
        .leak();
    let device = Device::flex();
    let mut group = c.benchmark_group("network");
    group.throughput(Throughput::Elements(STEPS)).sample_size(20);
    for (name, keys) in [("silent", &*silent), ("recorded", KEYS)] {
        let request = BuildRequest { params: &params, seed: 1, steps: u64::MAX, device: &device };
        let mut run = network::build(&request).expect("the default parameters");
        let mut step = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for _ in 0..STEPS {
                    step += 1;
                    let mut out = Emit::new(keys, step, u64::MAX, false);
                    run.step(&mut out).expect("a step");
                    std::hint::black_box(out.finish());
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
