//! What benches share: numbers, waiting, and the time of calls that take seconds.

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};
use learnscope::compute::device::{self, DeviceChoice};
use learnscope::compute::readback::Reader;
use learnscope::compute::rng::HostRng;

/// The CPU, or with `LEARNSCOPE_BENCH_DEVICE=auto` the best GPU, which must be there; else the adapter of that name.
pub fn device() -> Device {
    static DEVICE: LazyLock<Device> = LazyLock::new(|| {
        let choice = match std::env::var("LEARNSCOPE_BENCH_DEVICE").as_deref() {
            Err(_) | Ok("" | "cpu") => return device::cpu(),
            Ok("auto") => DeviceChoice::Automatic,
            Ok(name) => DeviceChoice::Gpu(name.to_owned()),
        };
        let opened = device::open(&choice).expect("the device that was asked for");
        assert!(opened.is_gpu, "there is no GPU here");
        eprintln!("{}", opened.name);
        opened.device
    });
    DEVICE.clone()
}

/// Numbers from 0 to 1.
pub fn noise<const D: usize>(shape: [usize; D], stream: u64) -> Tensor<D> {
    let mut rng = HostRng::new(1, stream);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.uniform() as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), &device())
}

/// Waits until the CPU has computed it.
pub fn wait<const D: usize>(tensor: Tensor<D>) {
    let mut reader = Reader::default();
    reader.add(tensor);
    black_box(reader.read().expect("the CPU can be read"));
}

/// Seconds that all threads of this process have run; `None` where the system does not say.
fn processor_seconds() -> Option<f64> {
    let mut nanoseconds = 0.0;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += text.split(' ').next()?.parse::<f64>().ok()?;
    }
    Some(nanoseconds / 1e9)
}

/// The fastest of some calls after one that is not timed: wall seconds, seconds of all threads.
pub fn fastest(times: usize, mut call: impl FnMut()) -> (f64, f64) {
    call();
    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..times {
        let (wall, processor) = (Instant::now(), processor_seconds());
        call();
        best.0 = best.0.min(wall.elapsed().as_secs_f64());
        if let (Some(before), Some(after)) = (processor, processor_seconds()) {
            best.1 = best.1.min(after - before);
        }
    }
    best
}
