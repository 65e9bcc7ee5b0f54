//! Times of the segmentation lab's mathematics on one mask of the paper's image size, 646×432 pixels: outlines, distances
//! between borders and parts are recomputed while a control moves, and are to take less than 5 ms each.
//! `cargo bench --bench segmentation_maths`
//!
//! `lesion`: one lesion of a common size against a wobbling prediction with islands. `large`: most of the image.
//! `blotches`: an untrained network's prediction, noise of 64x64 pixels resized and cut at one half, against the lesion.
//! `noise`: every pixel drawn alone, worse than any prediction; not what the 5 ms are for.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use learnscope::compute::rng::HostRng;
use learnscope::data::augment::{MaskBorder, View, recipes};
use learnscope::pixels::mask::border::{Hausdorff, border_distances};
use learnscope::pixels::mask::components::{Connectivity, PostProcess, components};
use learnscope::pixels::mask::outline::{OutlineStyle, outlines};
use learnscope::pixels::mask::{Confusion, Mask};
use learnscope::pixels::resize::{Resampling, Size, resize_above};
use learnscope::pixels::spacing::Spacing;

/// The program's allocator: fresh buffers would otherwise cost page faults.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZE: Size = Size { height: 432, width: 646 };

/// A lesion whose radius, a share of the image's, wobbles with the angle.
fn blob(radius: f64, wobble: f64) -> Mask {
    Mask::from_fn(SIZE.height, SIZE.width, |row, column| {
        let (x, y) = (column as f64 / SIZE.width as f64 - 0.5, row as f64 / SIZE.height as f64 - 0.5);
        x.hypot(y) < radius * (1.0 + wobble * (7.0 * y.atan2(x)).sin() + wobble * (23.0 * y.atan2(x)).cos())
    })
}

/// Predictions with their truth.
fn pairs() -> [(&'static str, Mask, Mask); 4] {
    let mut rng = HostRng::new(1, 0);
    let mut islands = blob(0.15, 0.1);
    for _ in 0..40 {
        let (row, column) = (rng.below(SIZE.height - 8), rng.below(SIZE.width - 8));
        for row in row..row + 8 {
            islands.pixels_mut()[row * SIZE.width + column..][..8].fill(true);
        }
    }
    let noise = Mask::from_fn(SIZE.height, SIZE.width, |_, _| rng.uniform() < 0.5);
    let coarse: Vec<f32> = (0..64 * 64).map(|_| rng.uniform() as f32).collect();
    let blotches = resize_above(&coarse, Size { height: 64, width: 64 }, SIZE, Resampling::Bilinear, 0.5);
    let blotches = Mask::new(SIZE.height, SIZE.width, blotches).expect("as many pixels as that");
    [
        ("lesion", islands, blob(0.14, 0.02)),
        ("large", blob(0.48, 0.05), blob(0.45, 0.02)),
        ("blotches", blotches, blob(0.14, 0.02)),
        ("noise", noise, blob(0.14, 0.02)),
    ]
}

fn masks(criterion: &mut Criterion) {
    for (name, prediction, truth) in &pairs() {
        let mut group = criterion.benchmark_group("mask of 646x432");
        group.bench_function(BenchmarkId::new("outlines", name), |bencher| {
            bencher.iter(|| outlines(black_box(prediction), OutlineStyle::Edges));
        });
        group.bench_function(BenchmarkId::new("HD95", name), |bencher| {
            bencher.iter(|| {
                let distances = border_distances(black_box(prediction), black_box(truth), Spacing::PIXELS);
                distances.ok().flatten().map(|distances| distances.hausdorff(Hausdorff::Pooled95))
            });
        });
        group.bench_function(BenchmarkId::new("components", name), |bencher| {
            bencher.iter(|| components(black_box(prediction), Connectivity::Eight));
        });
        group.bench_function(BenchmarkId::new("largest component, filled", name), |bencher| {
            bencher.iter(|| PostProcess::default().apply(black_box(prediction)));
        });
        group.bench_function(BenchmarkId::new("Dice", name), |bencher| {
            bencher.iter(|| Confusion::of(black_box(prediction), black_box(truth)).map(|counts| counts.dice()));
        });
        group.finish();
    }
}

fn pictures(criterion: &mut Criterion) {
    let small = Size { height: 256, width: 256 };
    let mut rng = HostRng::new(2, 0);
    let values: Vec<f32> = (0..3 * small.pixels()).map(|_| rng.uniform() as f32).collect();
    let mask: Vec<bool> = values[..small.pixels()].iter().map(|value| *value > 0.5).collect();
    criterion.bench_function("256x256 probabilities to a mask of 646x432", |bencher| {
        bencher.iter(|| resize_above(black_box(&values[..small.pixels()]), small, SIZE, Resampling::Bilinear, 0.5));
    });
    criterion.bench_function("augmented view of 3x256x256 with mask", |bencher| {
        let groups = recipes::pairs();
        bencher.iter(|| {
            let view = View::draw(&groups, small, &mut rng);
            let mask = view.mask(black_box(&mask), small, MaskBorder::AsImage);
            (view.image(black_box(&values), small), mask)
        });
    });
}

criterion_group!(benches, masks, pictures);
criterion_main!(benches);
