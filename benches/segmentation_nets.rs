//! What a training step of the segmentation networks costs on the CPU: forward, Dice loss, backward, Adam, as in the
//! article's sketch in PyTorch, and the same convolutions by Burn's own operation.
//!
//! `cargo bench --bench segmentation_nets`: 128×128, width 16, batch 2; with `-- full` also 256×256, width 64, batch 2.
//! `RAYON_NUM_THREADS=1` takes one thread. Steps of the full size take seconds, so that a few are timed and the fastest
//! is told: wall time, and the time of all threads, which other programs on the machine change less.

mod support;

use burn::tensor::activation;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use learnscope::compute::device;
use learnscope::compute::rng::HostRng;
use learnscope::nn::cpu::ops;
use learnscope::nn::optim::{DecayScope, Optimizer, Rates, Rule};
use learnscope::nn::parameters::tracked;
use learnscope::nn::segmentation::SegmentationNet;
use learnscope::nn::segmentation::loss::SegmentationLoss;
use learnscope::nn::segmentation::spec::{Architecture, NetSpec};
use support::{fastest, noise, wait};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Seconds of one training step.
fn step(architecture: Architecture, base: usize, side: usize, times: usize) -> (f64, f64) {
    let spec = NetSpec { architecture, channels: 3, base, outputs: 1 };
    let mut net = Some(SegmentationNet::new(&spec, HostRng::new(1, 0), &device::cpu()).expect("a network"));
    let x = noise([2, 3, side, side], 1);
    let truth = noise([2, 1, side, side], 2).greater_elem(0.8).float();
    let mut adam = Optimizer::new(Rule::ADAM);
    let mut dropout = HostRng::new(1, 3);
    fastest(times, || {
        let Some(old) = net.take() else { return };
        let mut training = tracked(&old);
        let loss = SegmentationLoss::Dice.of(training.forward(x.clone(), Some(&mut dropout)), truth.clone());
        let mut gradients = loss.backward();
        let rates = |_: &str| Rates { learning_rate: 1e-4, decay: 1e-4 };
        net = Some(adam.step(training, &mut gradients, DecayScope::All, rates));
        wait(loss);
    })
}

/// Seconds of one picture's probabilities.
fn inference(architecture: Architecture, base: usize, side: usize, times: usize) -> (f64, f64) {
    let spec = NetSpec { architecture, channels: 3, base, outputs: 1 };
    let net = SegmentationNet::new(&spec, HostRng::new(1, 0), &device::cpu()).expect("a network");
    let x = noise([1, 3, side, side], 1);
    fastest(times, || wait(activation::sigmoid(net.infer(x.clone()))))
}

fn steps(base: usize, side: usize, times: usize) {
    println!("\n{side}x{side}, width {base}, batch 2      step wall s   threads s   of U-net   inference s");
    let mut unet = None;
    for architecture in [
        Architecture::UNet,
        Architecture::LighterUNet { group: 128 },
        Architecture::LighterUNet { group: 32 },
        Architecture::LighterUNet { group: 16 },
        Architecture::LighterUNet { group: 1 },
    ] {
        let (wall, threads) = step(architecture, base, side, times);
        let (inference, _) = inference(architecture, base, side, times);
        let reference = *unet.get_or_insert(threads);
        let name = architecture.name();
        println!("{name:32} {wall:10.3} {threads:11.3} {:10.2} {inference:13.3}", threads / reference);
    }
}

/// Forward and backward of one convolution, ours and Burn's.
fn convolution(inputs: usize, outputs: usize, side: usize, kernel: usize, groups: usize) {
    let x = noise([2, inputs, side, side], 1);
    let weight = noise([outputs, inputs / groups, kernel, kernel], 2);
    let bias = noise([outputs], 3);
    let options = ConvOptions::new([1, 1], [kernel / 2; 2], [1, 1], groups);
    let run = |ours: bool| {
        let [x, weight] = [x.clone(), weight.clone()].map(|t| t.autodiff().require_grad());
        let bias = bias.clone().autodiff().require_grad();
        let y = if ours {
            ops::conv2d(&x, &weight, Some(&bias), &options).expect("the CPU does this convolution")
        } else {
            conv2d(x.clone(), weight.clone(), Some(bias), options.clone())
        };
        let gradients = y.sum().backward();
        wait(weight.grad(&gradients).expect("a gradient"));
    };
    let (_, ours) = fastest(3, || run(true));
    let (_, burn) = fastest(2, || run(false));
    let what = format!("{kernel}x{kernel}, {inputs} to {outputs}, {groups} groups, {side}x{side}");
    println!("{what:40} {ours:10.4} {burn:10.4} {:8.1}", burn / ours);
}

fn main() {
    // As the program's worker does.
    let _threads = learnscope::compute::own_threads();
    let full = std::env::args().any(|argument| argument == "full");
    println!("convolution, forward and backward           ours s     Burn s    ratio");
    for (inputs, outputs, side, kernel, groups) in [
        (64, 64, 128, 3, 1),
        (64, 64, 128, 3, 4),
        (64, 64, 128, 3, 64),
        (256, 256, 32, 3, 16),
        (256, 256, 32, 3, 256),
        (64, 64, 128, 1, 1),
    ] {
        convolution(inputs, outputs, side, kernel, groups);
    }
    steps(16, 128, 5);
    if full {
        steps(64, 256, 2);
    }
}
