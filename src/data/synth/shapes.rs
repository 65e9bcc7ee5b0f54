//! Generated pictures of ten shapes: 16×16, grey, at random places, sizes, rotations and contrasts. Small enough that a
//! self-supervised method learns them in a minute on a CPU.

use rayon::prelude::*;

use crate::compute::rng::HostRng;
use crate::compute::streams::{self, Stream};
use crate::data::images::{ImageData, ImageSet};

/// Height and width.
pub const SIZE: usize = 16;

/// Class names; an image's class is an index here.
pub const CLASSES: [&str; 10] = [
    "disc",
    "square",
    "triangle",
    "plus",
    "ring",
    "horizontal stripes",
    "vertical stripes",
    "checker",
    "cross",
    "two dots",
];

/// Places per pixel and direction at which a shape is looked up.
const SUPERSAMPLING: usize = 3;

/// `train` and `test` pictures; no picture is in both, and each depends on `seed` and its own number alone.
pub fn generate(train: usize, test: usize, seed: u64) -> ImageData {
    ImageData {
        warnings: Vec::new(),
        train: set(train, seed, streams::SHAPES_TRAIN),
        test: set(test, seed, streams::SHAPES_TEST),
        description: format!("generated shapes, {train} to train and {test} to test, data seed {seed}"),
    }
}

fn set(count: usize, seed: u64, stream: Stream) -> ImageSet {
    let images: Vec<(u32, [u8; SIZE * SIZE])> =
        (0..count).into_par_iter().map(|i| picture(&mut stream.open(seed, i as u64))).collect();
    ImageSet {
        channels: 1,
        height: SIZE,
        width: SIZE,
        pixels: images.iter().flat_map(|(_, pixels)| *pixels).collect(),
        classes: images.iter().map(|(class, _)| *class).collect(),
        class_names: CLASSES.map(str::to_owned).into(),
    }
}

/// One picture with its class: the shape's coverage blends a dark (0.05 to 0.35) with a light grey (0.65 to 0.95), plus
/// noise of standard deviation 0.03.
fn picture(rng: &mut HostRng) -> (u32, [u8; SIZE * SIZE]) {
    let class = rng.below(CLASSES.len());
    let (cx, cy) = (rng.between(-0.25, 0.25), rng.between(-0.25, 0.25));
    let radius = rng.between(0.45, 0.8);
    let (sin, cos) = rng.between(-0.25, 0.25).sin_cos();
    let (dark, light) = (rng.between(0.05, 0.35), rng.between(0.65, 0.95));

    let fine = SIZE * SUPERSAMPLING;
    let place = |i: usize| (i as f64 + 0.5) / fine as f64 * 2.0 - 1.0;
    let mut covered = [0_u32; SIZE * SIZE];
    for row in 0..fine {
        for column in 0..fine {
            let (x, y) = (place(column) - cx, place(row) - cy);
            let (u, v) = ((x * cos + y * sin) / radius, (y * cos - x * sin) / radius);
            covered[row / SUPERSAMPLING * SIZE + column / SUPERSAMPLING] += u32::from(inside(class, u, v));
        }
    }
    let full = (SUPERSAMPLING * SUPERSAMPLING) as f64;
    let pixels = covered.map(|count| {
        let coverage = f64::from(count) / full;
        let grey = dark * (1.0 - coverage) + light * coverage + 0.03 * rng.normal();
        (grey.clamp(0.0, 1.0) * 255.0).round() as u8
    });
    (class as u32, pixels)
}

/// Whether the shape of this class covers `(u, v)`, in units of its radius from its centre; v grows downwards.
fn inside(class: usize, u: f64, v: f64) -> bool {
    let r = u.hypot(v);
    let in_box = u.abs() < 1.0 && v.abs() < 1.0;
    let even = |x: f64| (x.floor() as i64).rem_euclid(2) == 0;
    match class {
        0 => r < 0.9,
        1 => u.abs() < 0.8 && v.abs() < 0.8,
        2 => v < 0.8 && v > 2.0 * u.abs() - 0.9,
        3 => in_box && (u.abs() < 0.28 || v.abs() < 0.28),
        4 => r < 0.95 && r > 0.5,
        5 => in_box && even((v + 1.0) * 2.5),
        6 => in_box && even((u + 1.0) * 2.5),
        7 => in_box && even(((u + 1.0) * 2.0).floor() + ((v + 1.0) * 2.0).floor()),
        8 => in_box && (u.abs() - v.abs()).abs() < 0.35,
        _ => (u - 0.5).hypot(v) < 0.42 || (u + 0.5).hypot(v) < 0.42,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_appears_and_a_picture_depends_on_its_number_alone() {
        let few = generate(50, 10, 1);
        let many = generate(400, 10, 1);
        assert_eq!(few.train.pixels, many.train.pixels[..few.train.pixels.len()]);
        let counts: Vec<usize> = (0..10).map(|c| many.train.classes.iter().filter(|&&x| x == c).count()).collect();
        assert!(counts.iter().all(|&count| count > 20), "{counts:?}");
        assert_ne!(many.train.image(0), many.test.image(0));
        assert_ne!(generate(1, 0, 2).train.pixels, few.train.pixels[..256]);
    }

    #[test]
    fn shapes_stand_out_from_their_ground() {
        let set = generate(200, 0, 3).train;
        for i in 0..set.len() {
            let image = set.image(i);
            let (low, high) = (image.iter().min().unwrap(), image.iter().max().unwrap());
            assert!(high - low > 50, "{}: from {low} to {high}", CLASSES[set.classes[i] as usize]);
        }
    }
}
