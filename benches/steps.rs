//! Training steps of the networks of the labs on the CPU, to be set beside PyTorch's: see BENCHMARKS.md and `benches/pytorch`.
//!
//! `cargo bench --bench steps` lists the networks; `-- NAME [SECONDS]` trains one on random numbers for so long, and prints the
//! median step in milliseconds; `-- peak` prints how long a product of two matrices of 1024×1024 takes by the same library, whose
//! 2.147 GFLOP are the limit, and `-- launch` how long a thousand operations on four numbers take, one behind the other.
//! `RAYON_NUM_THREADS=1` takes one thread. `LEARNSCOPE_BENCH_DEVICE=auto` trains on the best GPU; the time
//! of the first step, in which kernels are compiled and tuned, stands beside the median.

use std::hint::black_box;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use learnscope::compute::rng::HostRng;
use learnscope::engine::params::Params;
use learnscope::labs::reconstruction::params as reconstruction;
use learnscope::labs::reconstruction::trainer::{Batch, Plan};
use learnscope::labs::self_supervised::network::{EncoderKind, Heads, Layers, Shape};
use learnscope::labs::self_supervised::params::{Hyper, PARAMS};
use learnscope::labs::self_supervised::trainer::Trainer;
use learnscope::nn::image_text::batch::{Pieces, TextBatch};
use learnscope::nn::image_text::image::ImageEncoder;
use learnscope::nn::image_text::spec::Spec;
use learnscope::nn::image_text::text::TextEncoder;
use learnscope::nn::layers::conv::Pass;
use learnscope::nn::mlp::{Activation, Mlp, MlpShape, cross_entropy};
use learnscope::nn::optim::{DecayScope, Optimizer, Rates, Rule};
use learnscope::nn::parameters::{Init, Initialiser, tracked};
use learnscope::nn::reconstruction::Autoencoder;
use learnscope::nn::segmentation::SegmentationNet;
use learnscope::nn::segmentation::loss::SegmentationLoss;
use learnscope::nn::segmentation::spec::{Architecture, NetSpec};
use rayon::prelude::*;
use support::{device, noise, wait};

#[allow(dead_code, reason = "each bench uses some of it")]
mod support;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A network by its name, and what makes its steps.
type Entry = (&'static str, fn() -> Box<dyn FnMut()>);

/// The networks, in the order of the table.
const NETWORKS: &[Entry] = &[
    ("unet-16-128", || segmentation(Architecture::UNet, 16, 128, 2)),
    ("light-16-128", || segmentation(Architecture::LightUNet, 16, 128, 2)),
    ("lighter16-16-128", || segmentation(Architecture::LighterUNet { group: 16 }, 16, 128, 2)),
    ("lighter1-16-128", || segmentation(Architecture::LighterUNet { group: 1 }, 16, 128, 2)),
    ("unet-64-256", || segmentation(Architecture::UNet, 64, 256, 1)),
    ("byol-small-128", || byol(EncoderKind::Small, 128)),
    ("byol-resnet18-8", || byol(EncoderKind::ResNet18, 8)),
    ("byol-resnet18-32", || byol(EncoderKind::ResNet18, 32)),
    ("autoencoder-demo-12", || autoencoder("network=aecl1")),
    ("aeres18-64-12", || autoencoder("network=aeres18")),
    ("image-encoder-32", image_encoder),
    ("text-encoder-32", text_encoder),
    ("mlp-7x64", mlp),
];

/// One update by Adam of a module whose loss `of` gives.
fn adam<M: Module + Clone + 'static>(module: M, of: impl Fn(&mut M) -> Tensor<1> + 'static) -> Box<dyn FnMut()> {
    let (mut module, mut adam) = (Some(module), Optimizer::new(Rule::ADAM));
    Box::new(move || {
        let Some(old) = module.take() else { return };
        let mut training = tracked(&old);
        let loss = of(&mut training);
        let mut gradients = loss.backward();
        let rates = |_: &str| Rates { learning_rate: 1e-4, decay: 1e-4 };
        module = Some(adam.step(training, &mut gradients, DecayScope::All, rates));
        wait(loss);
    })
}

/// A U-net of this width on so many squares of so many pixels a side, Dice.
fn segmentation(architecture: Architecture, base: usize, side: usize, batch: usize) -> Box<dyn FnMut()> {
    let spec = NetSpec { architecture, channels: 3, base, outputs: 1 };
    let net = SegmentationNet::new(&spec, HostRng::new(1, 0), &device()).expect("a network");
    let x = noise([batch, 3, side, side], 1);
    let truth = noise([batch, 1, side, side], 2).greater_elem(0.8).float();
    adam(net, move |net| {
        let mut dropout = HostRng::new(1, 3);
        SegmentationLoss::Dice.of(net.forward(x.clone(), Some(&mut dropout)), truth.clone())
    })
}

/// BYOL with SGD, moving average and F: shapes for the small encoder, CIFAR-10's size for ResNet-18 with its two-layer predictor.
fn byol(encoder: EncoderKind, batch: usize) -> Box<dyn FnMut()> {
    let (channels, side, predictor) =
        if encoder == EncoderKind::Small { (1, 16, Layers::One) } else { (3, 32, Layers::Two) };
    let heads = Heads::published(predictor);
    let shape = Shape { channels, encoder, init: Init::Torch, independent_target: false, heads };
    let hyper = Hyper::of(&Params::defaults(PARAMS));
    let mut trainer = Trainer::new(&shape, 1, &device()).expect("a trainer");
    let x = noise([2 * batch, channels, side, side], 1);
    Box::new(move || wait(trainer.step(x.clone(), &hyper, 0.95, 1).expect("a step").cosine))
}

/// The reconstruction lab's demo, of either network: pictures of 64×64 in batches of 12, rebuilt and told apart.
fn autoencoder(network: &str) -> Box<dyn FnMut()> {
    let mut params = Params::defaults(reconstruction::PARAMS);
    params.set_text(reconstruction::PARAMS, network).expect("a network of the lab");
    let (spec, hyper) = (reconstruction::net_spec(&params), reconstruction::Hyper::of(&params));
    let net = Autoencoder::new(&spec, 1, &device()).expect("a network");
    let rule = reconstruction::rule(&params);
    let mut trainer = learnscope::labs::reconstruction::trainer::Trainer::new(net, spec.head, rule, &device());
    let images = noise([12, 3, spec.size, spec.size], 1).into_data().try_to_vec::<f32>().expect("numbers");
    let batch = Batch { images, size: spec.size, grades: Some((0..12).map(|i| i % 4).collect()) };
    let plan = Plan { rebuild: true, classify: Some(0.3), frozen: false };
    Box::new(move || wait(trainer.step(&batch, &plan, &hyper).reconstruction.expect("it is rebuilt")))
}

/// The image-report lab's small image encoder alone, 32 pictures, against random vectors.
fn image_encoder() -> Box<dyn FnMut()> {
    let spec = Spec::small(100);
    let device = device();
    let mut init = Initialiser { rng: HostRng::new(1, 0), init: Init::Torch, device: &device };
    let encoder = ImageEncoder::new(&spec.image, spec.width, &mut init);
    let side = spec.image.backbone.size();
    let x = noise([32, 1, side, side], 1);
    adam(encoder, move |encoder| {
        let vectors = encoder.forward(x.clone(), &Pass { train: true, dropout: None });
        vectors.global.powi_scalar(2).mean()
    })
}

/// Its small text encoder alone: 32 reports of 40 pieces and 30 words.
fn text_encoder() -> Box<dyn FnMut()> {
    let [count, pieces, words]: [usize; 3] = [32, 40, 30];
    let spec = Spec::small(600);
    let device = device();
    let mut init = Initialiser { rng: HostRng::new(1, 0), init: Init::Torch, device: &device };
    let encoder = TextEncoder::new(&spec.text, spec.width, &mut init);
    let ids: Vec<i32> = (0..(count * pieces) as i32).map(|i| 4 + i * 37 % 590).collect();
    let word_of: Vec<Option<usize>> = (0..pieces).map(|piece| Some(piece * words / pieces)).collect();
    let texts: Vec<Pieces<'_>> =
        ids.chunks_exact(pieces).map(|ids| Pieces { ids, word_of: &word_of, segments: &[] }).collect();
    let texts = TextBatch::pack(&texts, count).expect("texts").tensors(&device);
    adam(encoder, move |encoder| {
        let vectors = encoder.forward(&texts);
        vectors.words.expect("words").powi_scalar(2).mean() + vectors.global.powi_scalar(2).mean()
    })
}

/// Seven copies of the optimizers lab's perceptron, two hidden layers of 16 units, on 64 points: the products of all at once.
fn mlp() -> Box<dyn FnMut()> {
    const COPIES: usize = 7;
    let shape = MlpShape::new(2, 16, 2, 2, Activation::Tanh);
    let flat: Vec<f32> = (0..COPIES).flat_map(|_| shape.initial(1)).collect();
    let mut theta = Tensor::<2>::from_data(TensorData::new(flat, [COPIES, shape.parameters()]), &device());
    let (x, labels) = (noise([1, 64, 2], 1), noise([1, 64, 2], 2).greater_elem(0.5).float());
    Box::new(move || {
        let net = Mlp::from_flat(&shape, &theta, true);
        let loss = cross_entropy(net.forward(x.clone().autodiff()), labels.clone().autodiff());
        let mut gradients = loss.clone().sum().backward();
        theta = theta.clone() - net.flat_gradients(&mut gradients) * 0.1;
        wait(loss.inner());
    })
}

/// A product of two matrices, a share of the rows on each thread.
fn product() -> Box<dyn FnMut()> {
    const SIDE: usize = 1024;
    let numbers = |x: f32| (0..SIDE * SIDE).map(|i| (x * (i % 977) as f32).sin()).collect::<Vec<f32>>();
    let (a, b, mut c) = (numbers(1.0), numbers(2.0), vec![0.0; SIDE * SIDE]);
    Box::new(move || {
        let share = SIDE.div_ceil(rayon::current_num_threads()) * SIDE;
        let b = MatRef::from_row_major_slice(&b, SIDE, SIDE);
        c.par_chunks_mut(share).zip(a.par_chunks(share)).for_each(|(c, a)| {
            let rows = a.len() / SIDE;
            let a = MatRef::from_row_major_slice(a, rows, SIDE);
            matmul(MatMut::from_row_major_slice_mut(c, rows, SIDE), Accum::Replace, a, b, 1.0, Par::Seq);
        });
        black_box(&c);
    })
}

/// A thousand operations on four numbers: what each costs before it computes anything.
fn launch() -> Box<dyn FnMut()> {
    let x = noise([4], 1);
    Box::new(move || wait((0..1000).fold(x.clone(), |x, _| x + 1.0)))
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let limits: [Entry; 2] = [("peak", product), ("launch", launch)];
    let Some(&(name, make)) =
        NETWORKS.iter().chain(&limits).find(|(name, _)| arguments.first().is_some_and(|asked| asked == name))
    else {
        NETWORKS.iter().for_each(|(name, _)| println!("{name}"));
        return;
    };
    // As the program's worker does.
    let _threads = learnscope::compute::own_threads();
    let seconds = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(5.0);
    let mut step = make();
    let first = Instant::now();
    step();
    let first = 1e3 * first.elapsed().as_secs_f64();
    step();
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed().as_secs_f64() < seconds || times.len() < 3 {
        let start = Instant::now();
        step();
        times.push(1e3 * start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    println!("{name} {:.3} ms, the first step {first:.1} ms", times[times.len() / 2]);
}
