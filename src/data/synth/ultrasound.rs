//! Generated ultrasound pictures with lesions whose outlines are known: speckle, dark irregular lesions, unlabelled dark
//! blobs, bright interfaces with shadows, attenuation, and measuring marks where asked for.
//!
//! They look like breast ultrasound and are NOT: every view and file that shows them says "synthetic".

use rayon::prelude::*;

use crate::compute::rng::HostRng;
use crate::compute::{stats, streams};
use crate::pixels::mask::Mask;

/// Colour of measuring marks, light blue.
pub const CALIPER: [u8; 3] = [115, 204, 255];
/// Attempts at a place for a further lesion that touches no other.
const ATTEMPTS: usize = 40;

/// What to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UltrasoundSpec {
    /// Pixels, at least 24.
    pub height: usize,
    /// Pixels, at least 24.
    pub width: usize,
    /// Lesions, each labelled; with 0 the picture is a normal one. Fewer are drawn where there is no room.
    pub lesions: usize,
    /// Standard deviation of the outline's cosine terms, times their order: 0 is an ellipse, 0.25 the recipe's.
    pub irregularity: f64,
    /// Light-blue crosses at the ends of each lesion's axes, as a sonographer's measuring marks.
    pub calipers: bool,
}

impl Default for UltrasoundSpec {
    fn default() -> Self {
        Self { height: 64, width: 64, lesions: 1, irregularity: 0.25, calipers: false }
    }
}

/// One synthetic picture with its lesions.
#[derive(Debug, Clone, PartialEq)]
pub struct Ultrasound {
    pub height: usize,
    pub width: usize,
    /// `[H, W, 3]` red, green, blue; grey but for the measuring marks.
    pub rgb: Vec<u8>,
    /// One mask per lesion; they do not touch.
    pub lesions: Vec<Mask>,
}

impl Ultrasound {
    /// All lesions as one mask.
    pub fn mask(&self) -> Mask {
        let mut all = Mask::empty(self.height, self.width);
        self.lesions.iter().for_each(|lesion| all.add(lesion));
        all
    }
}

/// `count` pictures; each depends on `seed`, its number and `spec` alone.
pub fn generate(count: usize, seed: u64, spec: &UltrasoundSpec) -> Vec<Ultrasound> {
    (0..count).into_par_iter().map(|i| picture(seed, i as u64, spec)).collect()
}

/// Picture `number` of `seed`. With and without calipers it is the same picture but for the marks.
pub fn picture(seed: u64, number: u64, spec: &UltrasoundSpec) -> Ultrasound {
    let (height, width) = (spec.height.max(24), spec.width.max(24));
    let rng = &mut streams::ULTRASOUND.open(seed, number);
    let stars = lesions(rng, height, width, spec);
    let mut log_e = tissue(rng, height, width);
    for star in &stars {
        darken_lesion(rng, &mut log_e, star, height, width);
    }
    distractors(rng, &mut log_e, &stars, height, width);
    interfaces(rng, &mut log_e, height, width);
    for star in &stars {
        enhancement(rng, &mut log_e, star, height, width);
    }
    // What attenuation remains after time-gain compensation.
    let loss = rng.between(0.3, 1.4);
    for (y, row) in log_e.chunks_exact_mut(width).enumerate() {
        let depth = y as f64 / (height - 1) as f64;
        row.iter_mut().for_each(|value| *value -= loss * depth);
    }
    let grey = compress(rng, &log_e, height, width);
    let mut rgb: Vec<u8> = grey.iter().flat_map(|&value| [(value * 255.0).round() as u8; 3]).collect();
    if spec.calipers {
        stars.iter().for_each(|star| calipers(rng, &mut rgb, star, height, width));
    }
    let lesions = stars
        .into_iter()
        .map(|star| Mask::from_fn(height, width, |row, column| star.inside[row * width + column] == 1))
        .collect();
    Ultrasound { height, width, rgb, lesions }
}

/// A star-shaped region: r(θ) = r₀ (1 + Σₖ aₖ cos(kθ + φₖ)), k = 2..6, squeezed across its axis and turned.
struct Star {
    /// 0 or 1, `[H, W]`.
    inside: Vec<u8>,
    centre: (f64, f64),
    radius: f64,
    aspect: f64,
    angle: f64,
}

fn star(rng: &mut HostRng, height: usize, width: usize, radii: (f64, f64), irregularity: f64) -> Star {
    let radius = rng.between(radii.0, radii.1) * height.min(width) as f64;
    let aspect = rng.between(0.55, 1.0);
    let angle = rng.between(-0.6, 0.6);
    let centre = (rng.between(0.28, 0.72) * height as f64, rng.between(0.25, 0.75) * width as f64);
    let terms: [(f64, f64); 5] = std::array::from_fn(|i| {
        (irregularity * rng.normal() / (i + 2) as f64, rng.between(0.0, std::f64::consts::TAU))
    });
    let (sin, cos) = angle.sin_cos();
    let mut inside = vec![0; height * width];
    for (i, pixel) in inside.iter_mut().enumerate() {
        let (dy, dx) = ((i / width) as f64 - centre.0, (i % width) as f64 - centre.1);
        let (u, v) = (dx * cos + dy * sin, (dy * cos - dx * sin) / aspect);
        let theta = v.atan2(u);
        let waves: f64 =
            terms.iter().enumerate().map(|(k, (a, phase))| a * ((k + 2) as f64 * theta + phase).cos()).sum();
        *pixel = u8::from(u.hypot(v) <= radius * (1.0 + waves).clamp(0.5, 1.6));
    }
    Star { inside, centre, radius, aspect, angle }
}

/// The first lesion as in the recipe; further ones are smaller and keep clear of the others.
fn lesions(rng: &mut HostRng, height: usize, width: usize, spec: &UltrasoundSpec) -> Vec<Star> {
    let mut stars: Vec<Star> = Vec::with_capacity(spec.lesions);
    let mut taken = vec![0.0; height * width];
    while stars.len() < spec.lesions {
        let radii = if spec.lesions == 1 { (0.12, 0.30) } else { (0.09, 0.17) };
        let place = (0..ATTEMPTS).find_map(|_| {
            let star = star(rng, height, width, radii, spec.irregularity);
            let free = star.inside.iter().zip(&taken).all(|(&inside, &near)| inside == 0 || near < 1e-6);
            free.then_some(star)
        });
        let Some(star) = place else { break };
        let near = blur(&as_numbers(&star.inside), height, width, (1.0, 1.0));
        taken.iter_mut().zip(near).for_each(|(taken, near)| *taken += near);
        stars.push(star);
    }
    stars
}

/// Logarithm of the echogenicity of tissue: horizontal streaks and slow changes.
fn tissue(rng: &mut HostRng, height: usize, width: usize) -> Vec<f64> {
    let streaks = unit(blur(&noise(rng, height * width), height, width, (1.2, 6.0)));
    let slow_sigma = height as f64 / 6.0;
    let slow = unit(blur(&noise(rng, height * width), height, width, (slow_sigma, slow_sigma)));
    streaks.iter().zip(slow).map(|(streak, slow)| 0.35 * streak + 0.35 * slow).collect()
}

fn darken_lesion(rng: &mut HostRng, log_e: &mut [f64], star: &Star, height: usize, width: usize) {
    let sigma = rng.between(0.5, 1.6);
    let soft = blur(&as_numbers(&star.inside), height, width, (sigma, sigma));
    let contrast = rng.between(0.9, 2.2);
    // Texture within; noise blurred by 2 pixels has a standard deviation of 0.14.
    let texture = blur(&noise(rng, height * width), height, width, (2.0, 2.0));
    for ((value, soft), texture) in log_e.iter_mut().zip(soft).zip(texture) {
        *value += soft * (0.25 * 0.3 * texture / 0.14 - contrast);
    }
}

/// Zero to three small dark regions that nobody labelled.
fn distractors(rng: &mut HostRng, log_e: &mut [f64], stars: &[Star], height: usize, width: usize) {
    for _ in 0..rng.below(4) {
        let mut blob = star(rng, height, width, (0.04, 0.12), 0.1).inside;
        for lesion in stars {
            blob.iter_mut().zip(&lesion.inside).for_each(|(blob, lesion)| *blob &= 1 - lesion);
        }
        let depth = rng.between(0.5, 1.3);
        let soft = blur(&as_numbers(&blob), height, width, (1.0, 1.0));
        log_e.iter_mut().zip(soft).for_each(|(value, soft)| *value -= depth * soft);
    }
}

/// Zero to two bright interfaces, two pixels thick; four in ten cast a shadow.
fn interfaces(rng: &mut HostRng, log_e: &mut [f64], height: usize, width: usize) {
    for _ in 0..rng.below(3) {
        let top = 4 + rng.below(height - 12);
        let left = rng.below(width - 10);
        let right = (left + 5 + rng.below(width / 2 - 5)).min(width);
        let bright = rng.between(0.8, 1.6);
        let shadow = if rng.uniform() < 0.4 { rng.between(0.3, 0.8) } else { 0.0 };
        for (y, row) in log_e.chunks_exact_mut(width).enumerate().skip(top) {
            let change = if y < top + 2 { bright } else { -shadow };
            row[left..right].iter_mut().for_each(|value| *value += change);
        }
    }
}

/// Tissue below a lesion is brighter, since the lesion weakens the beam less.
fn enhancement(rng: &mut HostRng, log_e: &mut [f64], star: &Star, height: usize, width: usize) {
    let mut behind = vec![0.0; height * width];
    for x in 0..width {
        let lowest = (0..height).rev().find(|&y| star.inside[y * width + x] == 1);
        for y in lowest.map_or(height, |y| y + 1)..height {
            behind[y * width + x] = 1.0;
        }
    }
    let amount = rng.between(0.0, 0.6);
    let soft = blur(&behind, height, width, (1.5, 1.5));
    log_e.iter_mut().zip(soft).for_each(|(value, soft)| *value += amount * soft);
}

/// Speckle and log compression: the Rayleigh envelope of complex Gaussian noise seen through a point spread that is
/// wider laterally than axially, times the echo amplitude, in decibels below the 99.5 percentile, to [0, 1].
fn compress(rng: &mut HostRng, log_e: &[f64], height: usize, width: usize) -> Vec<f64> {
    let mut part = || {
        let sigma = (rng.between(0.5, 0.7), rng.between(0.9, 1.4));
        blur(&noise(rng, height * width), height, width, sigma)
    };
    let (real, imaginary) = (part(), part());
    let mut amplitude: Vec<f64> = real.iter().zip(imaginary).map(|(re, im)| re.hypot(im)).collect();
    let power = (amplitude.iter().map(|a| a * a).sum::<f64>() / amplitude.len() as f64).sqrt();
    amplitude.iter_mut().zip(log_e).for_each(|(a, e)| *a = *a / power * e.exp() + 0.01);
    let range = rng.between(40.0, 55.0);
    let reference = percentile(&amplitude, 99.5);
    amplitude.into_iter().map(|a| (1.0 + 20.0 * (a / reference).log10() / range).clamp(0.0, 1.0)).collect()
}

/// Four crosses of five pixels, at both ends of both axes, each misplaced by 0.7 pixels (standard deviation).
fn calipers(rng: &mut HostRng, rgb: &mut [u8], star: &Star, height: usize, width: usize) {
    let axes = [(star.angle, star.radius), (star.angle + std::f64::consts::FRAC_PI_2, star.radius * star.aspect)];
    for (angle, length) in axes {
        for side in [-1.0, 1.0] {
            let y = (star.centre.0 + side * length * angle.sin() + 0.7 * rng.normal()).round() as i64;
            let x = (star.centre.1 + side * length * angle.cos() + 0.7 * rng.normal()).round() as i64;
            for d in -2..=2 {
                for (y, x) in [(y + d, x), (y, x + d)] {
                    if (0..height as i64).contains(&y) && (0..width as i64).contains(&x) {
                        let at = 3 * (y as usize * width + x as usize);
                        rgb[at..at + 3].copy_from_slice(&CALIPER);
                    }
                }
            }
        }
    }
}

fn noise(rng: &mut HostRng, count: usize) -> Vec<f64> {
    (0..count).map(|_| rng.normal()).collect()
}

fn as_numbers(mask: &[u8]) -> Vec<f64> {
    mask.iter().map(|&pixel| f64::from(pixel)).collect()
}

/// Divides by the standard deviation.
fn unit(mut values: Vec<f64>) -> Vec<f64> {
    let deviation = stats::standard_deviation(&values, 0).unwrap_or(0.0) + 1e-9;
    values.iter_mut().for_each(|v| *v /= deviation);
    values
}

/// The value below which `percent` of all lie, linear between neighbours.
fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let place = percent / 100.0 * (sorted.len() - 1) as f64;
    let low = place.floor() as usize;
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (place - low as f64) * (sorted[high] - sorted[low])
}

/// Gaussian blur with standard deviations (vertical, horizontal) in pixels, cut at four of them; beyond its edges the
/// picture is mirrored with its last pixel repeated.
fn blur(values: &[f64], height: usize, width: usize, sigma: (f64, f64)) -> Vec<f64> {
    let vertical = kernel(sigma.0);
    let reach = (vertical.len() / 2) as i64;
    let mut middle = vec![0.0; values.len()];
    for (y, out) in middle.chunks_exact_mut(width).enumerate() {
        for (k, weight) in vertical.iter().enumerate() {
            let from = mirrored(y as i64 + k as i64 - reach, height) * width;
            out.iter_mut().zip(&values[from..from + width]).for_each(|(out, value)| *out += weight * value);
        }
    }
    let horizontal = kernel(sigma.1);
    let reach = horizontal.len() / 2;
    let places: Vec<usize> = (0..width + 2 * reach).map(|x| mirrored(x as i64 - reach as i64, width)).collect();
    let mut padded = vec![0.0; places.len()];
    for row in middle.chunks_exact_mut(width) {
        padded.iter_mut().zip(&places).for_each(|(padded, &x)| *padded = row[x]);
        for (x, out) in row.iter_mut().enumerate() {
            *out = horizontal.iter().zip(&padded[x..]).map(|(weight, value)| weight * value).sum();
        }
    }
    middle
}

fn kernel(sigma: f64) -> Vec<f64> {
    let reach = (4.0 * sigma + 0.5) as i64;
    let weights: Vec<f64> = (-reach..=reach).map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// Index of the mirrored picture: d c b a | a b c d | d c b a.
fn mirrored(i: i64, size: usize) -> usize {
    let size = size as i64;
    let i = i.rem_euclid(2 * size);
    (if i < size { i } else { 2 * size - 1 - i }) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(values: impl Iterator<Item = u8>) -> f64 {
        let (sum, count) = values.fold((0.0, 0.0), |(sum, count), v| (sum + f64::from(v), count + 1.0));
        sum / count
    }

    #[test]
    fn a_picture_depends_on_seed_and_number_alone() {
        let spec = UltrasoundSpec::default();
        let few = generate(3, 7, &spec);
        assert_eq!(few, generate(5, 7, &spec)[..3]);
        assert_ne!(few[0], few[1]);
        assert_ne!(few[0], generate(1, 8, &spec)[0]);
        assert_eq!(few[2], picture(7, 2, &spec));
    }

    #[test]
    fn lesions_are_darker_than_their_surroundings_and_of_the_stated_size() {
        let set = generate(60, 1, &UltrasoundSpec::default());
        let mut darker = 0;
        for picture in &set {
            let mask = picture.mask();
            let share = mask.area() as f64 / (64.0 * 64.0);
            assert!((0.005..0.55).contains(&share), "{share}");
            let of = |inside: bool| {
                mean(picture.rgb.chunks_exact(3).zip(mask.pixels()).filter(|(_, m)| **m == inside).map(|(p, _)| p[0]))
            };
            darker += usize::from(of(true) + 10.0 < of(false));
        }
        assert!(darker >= 54, "{darker} of 60 lesions are clearly darker");
    }

    #[test]
    fn calipers_change_the_marks_alone() {
        let spec = UltrasoundSpec { height: 96, width: 80, ..Default::default() };
        let marked = UltrasoundSpec { calipers: true, ..spec };
        for number in 0..10 {
            let (without, with) = (picture(3, number, &spec), picture(3, number, &marked));
            assert_eq!(without.lesions, with.lesions);
            let changed: Vec<&[u8]> = with
                .rgb
                .chunks_exact(3)
                .zip(without.rgb.chunks_exact(3))
                .filter(|(a, b)| a != b)
                .map(|(a, _)| a)
                .collect();
            assert!((9..=36).contains(&changed.len()), "{} pixels", changed.len());
            assert!(changed.iter().all(|pixel| *pixel == CALIPER));
            assert!(without.rgb.chunks_exact(3).all(|p| p[0] == p[1] && p[1] == p[2]));
        }
    }

    #[test]
    fn several_lesions_keep_apart_and_a_normal_picture_has_none() {
        let two = UltrasoundSpec { height: 128, width: 128, lesions: 2, ..Default::default() };
        for number in 0..8 {
            let picture = picture(5, number, &two);
            assert_eq!(picture.lesions.len(), 2);
            let sum: usize = picture.lesions.iter().map(Mask::area).sum();
            assert_eq!(picture.mask().area(), sum, "they overlap");
        }
        let normal = picture(5, 1, &UltrasoundSpec { lesions: 0, ..Default::default() });
        assert!(normal.lesions.is_empty() && normal.mask().area() == 0);
    }

    #[test]
    fn blur_keeps_a_constant_and_mirrors_at_the_edge() {
        let flat = blur(&[2.0; 35], 5, 7, (3.0, 9.0));
        assert!(flat.iter().all(|v| (v - 2.0).abs() < 1e-12), "{flat:?}");
        assert_eq!([-2, -1, 0, 3, 4, 5].map(|i| mirrored(i, 4)), [1, 0, 0, 3, 3, 2]);
        assert_eq!(mirrored(-9, 4), 0);
        assert!((percentile(&[4.0, 1.0, 2.0, 3.0], 50.0) - 2.5).abs() < 1e-12);
    }
}
