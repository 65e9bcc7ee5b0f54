//! Batch normalisation with a ReLU, pooling and upsampling on the host, forward and backward, each in as few passes over
//! the maps as it needs.
//!
//! Letters: N pictures, C channels, H height, W width; a plane is one channel of one picture. All maps are row-major
//! `[N, C, H, W]`.

use rayon::prelude::*;

/// Statistics of a batch, per channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    pub mean: Vec<f32>,
    /// Biased.
    pub variance: Vec<f32>,
}

/// Sums of `f(x, y)` over the pairs of two slices of one length: in lanes of f32 over short stretches, then in f64.
#[inline(always)]
fn sums<const K: usize>(x: &[f32], y: &[f32], f: impl Fn(f32, f32) -> [f32; K]) -> [f64; K] {
    const LANES: usize = 8;
    let mut totals = [0.0; K];
    for (x, y) in x.chunks(2048).zip(y.chunks(2048)) {
        let mut lanes = [[0.0_f32; LANES]; K];
        let (xs, x_rest) = x.as_chunks::<LANES>();
        let (ys, y_rest) = y.as_chunks::<LANES>();
        for (x, y) in xs.iter().zip(ys) {
            for lane in 0..LANES {
                let values = f(x[lane], y[lane]);
                for k in 0..K {
                    lanes[k][lane] += values[k];
                }
            }
        }
        for (x, y) in x_rest.iter().zip(y_rest) {
            let values = f(*x, *y);
            for k in 0..K {
                lanes[k][0] += values[k];
            }
        }
        for (total, lanes) in totals.iter_mut().zip(lanes) {
            *total += f64::from(lanes.iter().sum::<f32>());
        }
    }
    totals
}

fn sum(x: &[f32]) -> f64 {
    sums(x, x, |x, _| [x])[0]
}

fn squares(x: &[f32], mean: f32) -> f64 {
    sums(x, x, |x, _| [(x - mean) * (x - mean)])[0]
}

/// The planes of one channel.
fn planes(x: &[f32], channel: usize, channels: usize, pixels: usize) -> impl Iterator<Item = &[f32]> {
    x.chunks_exact(pixels).skip(channel).step_by(channels)
}

/// Mean and biased variance of every channel.
pub fn statistics(x: &[f32], channels: usize, pixels: usize) -> Statistics {
    let count = (x.len() / channels) as f64;
    let (mean, variance) = (0..channels)
        .into_par_iter()
        .map(|channel| {
            let mean = planes(x, channel, channels, pixels).map(sum).sum::<f64>() / count;
            let mean = mean as f32;
            let variance = planes(x, channel, channels, pixels).map(|x| squares(x, mean)).sum::<f64>() / count;
            (mean, variance as f32)
        })
        .unzip();
    Statistics { mean, variance }
}

/// `x · scale + shift` per channel, with a ReLU behind it where `relu`.
pub fn scale_shift(x: &[f32], scale: &[f32], shift: &[f32], pixels: usize, relu: bool) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    y.par_chunks_exact_mut(pixels).zip(x.par_chunks_exact(pixels)).enumerate().for_each(|(plane, (y, x))| {
        let channel = plane % scale.len();
        let (scale, shift) = (scale[channel], shift[channel]);
        let least = if relu { 0.0 } else { f32::NEG_INFINITY };
        for (y, x) in y.iter_mut().zip(x) {
            let value = x * scale + shift;
            // Not `max`, which would turn a NaN into 0.
            *y = if value < least { least } else { value };
        }
    });
    y
}

/// What normalisation is made of: `x̂ = (x − mean) · deviation⁻¹`, `y = x̂ γ + β`.
#[derive(Debug, Clone)]
pub struct Normalisation {
    pub mean: Vec<f32>,
    /// 1/√(variance + ε).
    pub inverse: Vec<f32>,
    /// γ / √(variance + ε).
    pub scale: Vec<f32>,
    /// β − mean · scale.
    pub shift: Vec<f32>,
}

impl Normalisation {
    pub fn new(statistics: &Statistics, gamma: &[f32], beta: &[f32], epsilon: f64) -> Self {
        let inverse: Vec<f32> =
            statistics.variance.iter().map(|v| (f64::from(*v) + epsilon).sqrt().recip() as f32).collect();
        let scale: Vec<f32> = inverse.iter().zip(gamma).map(|(inverse, gamma)| inverse * gamma).collect();
        let shift = beta.iter().zip(&statistics.mean).zip(&scale).map(|((b, mean), scale)| b - mean * scale).collect();
        Self { mean: statistics.mean.clone(), inverse, scale, shift }
    }
}

/// 1 above `least`, else 0: a factor instead of a branch.
fn passed(value: f32, least: f32) -> f32 {
    f32::from(u8::from(value > least))
}

/// Gradients of training batch normalisation with respect to x, γ and β; `relu` as in the forward pass.
pub fn normalise_backward(
    x: &[f32],
    dy: &[f32],
    norm: &Normalisation,
    pixels: usize,
    relu: bool,
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let channels = norm.mean.len();
    let least = if relu { 0.0 } else { f32::NEG_INFINITY };
    // Σ g and Σ g x̂ with g = dy where the ReLU let through.
    let sums: Vec<(f64, f64)> = (0..channels)
        .into_par_iter()
        .map(|channel| {
            let (scale, shift, mean) = (norm.scale[channel], norm.shift[channel], norm.mean[channel]);
            let pairs = planes(x, channel, channels, pixels).zip(planes(dy, channel, channels, pixels));
            let (mut plain, mut projected) = (0.0, 0.0);
            for (x, dy) in pairs {
                let both = sums(x, dy, |x, dy| {
                    let through = dy * passed(x * scale + shift, least);
                    [through, through * (x - mean)]
                });
                plain += both[0];
                projected += both[1];
            }
            (plain, projected * f64::from(norm.inverse[channel]))
        })
        .collect();
    let count = (x.len() / channels) as f64;
    let mut dx = vec![0.0; x.len()];
    let maps = x.par_chunks_exact(pixels).zip(dy.par_chunks_exact(pixels));
    dx.par_chunks_exact_mut(pixels).zip(maps).enumerate().for_each(|(plane, (dx, (x, dy)))| {
        let channel = plane % channels;
        let (scale, shift, mean) = (norm.scale[channel], norm.shift[channel], norm.mean[channel]);
        let (plain, projected) = sums[channel];
        // dx = scale (g − Σg/n − x̂ Σgx̂/n)
        let constant = (plain / count) as f32;
        let slope = (projected / count) as f32 * norm.inverse[channel];
        for ((dx, x), dy) in dx.iter_mut().zip(x).zip(dy) {
            let through = dy * passed(x * scale + shift, least);
            *dx = scale * (through - constant - (x - mean) * slope);
        }
    });
    let (dbeta, dgamma) = sums.into_iter().map(|(plain, projected)| (plain as f32, projected as f32)).unzip();
    (dx, dgamma, dbeta)
}

/// The largest of each 2×2 pixels.
pub fn max_pool(x: &[f32], height: usize, width: usize) -> Vec<f32> {
    let (rows, columns) = (height / 2, width / 2);
    let mut y = vec![0.0; x.len() / (height * width) * rows * columns];
    y.par_chunks_exact_mut(rows * columns).zip(x.par_chunks_exact(height * width)).for_each(|(y, x)| {
        for (row, y) in y.chunks_exact_mut(columns).enumerate() {
            let above = x[2 * row * width..][..width].chunks_exact(2);
            let below = x[(2 * row + 1) * width..][..width].chunks_exact(2);
            for ((y, a), b) in y.iter_mut().zip(above).zip(below) {
                *y = larger(larger(larger(a[0], a[1]), b[0]), b[1]);
            }
        }
    });
    y
}

/// The first of two equal numbers, and a NaN where there is one.
fn larger(a: f32, b: f32) -> f32 {
    if b > a || b.is_nan() { b } else { a }
}

/// The gradient goes to the first pixel of each 2×2 that is the largest.
pub fn max_pool_backward(x: &[f32], dy: &[f32], height: usize, width: usize) -> Vec<f32> {
    let (rows, columns) = (height / 2, width / 2);
    let mut dx = vec![0.0; x.len()];
    let maps = x.par_chunks_exact(height * width).zip(dy.par_chunks_exact(rows * columns));
    dx.par_chunks_exact_mut(height * width).zip(maps).for_each(|(dx, (x, dy))| {
        for (row, dy) in dy.chunks_exact(columns).enumerate() {
            let start = 2 * row * width;
            let (dx_above, dx_below) = dx[start..start + 2 * width].split_at_mut(width);
            let (above, below) = x[start..start + 2 * width].split_at(width);
            for (i, dy) in dy.iter().enumerate() {
                let four = [above[2 * i], above[2 * i + 1], below[2 * i], below[2 * i + 1]];
                let best = larger(larger(larger(four[0], four[1]), four[2]), four[3]);
                match four.iter().position(|v| *v == best || v.is_nan()) {
                    Some(0) => dx_above[2 * i] = *dy,
                    Some(1) => dx_above[2 * i + 1] = *dy,
                    Some(2) => dx_below[2 * i] = *dy,
                    _ => dx_below[2 * i + 1] = *dy,
                }
            }
        }
    });
    dx
}

/// Where an output row or column of aligned bilinear resizing reads: first place, and the weight of the one after it.
pub fn places(from: usize, to: usize) -> Vec<(usize, f32)> {
    let ratio = if to > 1 { (from - 1) as f64 / (to - 1) as f64 } else { 0.0 };
    (0..to)
        .map(|i| {
            let at = i as f64 * ratio;
            // The last place reads between the two last numbers, with weight 1 on the last.
            let first = (at.floor() as usize).min(from.saturating_sub(2));
            (first, (at - first as f64) as f32)
        })
        .collect()
}

/// Bilinear resizing with aligned corners, `[.., from]` to `[.., to]`, heights and widths.
pub fn resize(x: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    let [rows, columns] = [0, 1].map(|axis| places(from[axis], to[axis]));
    let planes = x.len() / (from[0] * from[1]);
    let mut y = vec![0.0; planes * to[0] * to[1]];
    y.par_chunks_exact_mut(to[0] * to[1]).zip(x.par_chunks_exact(from[0] * from[1])).for_each_init(
        || vec![0.0_f32; from[1]],
        |line, (y, x)| {
            for (y, &(first, weight)) in y.chunks_exact_mut(to[1]).zip(&rows) {
                let above = &x[first * from[1]..][..from[1]];
                let below = &x[(first + 1).min(from[0] - 1) * from[1]..][..from[1]];
                for ((line, above), below) in line.iter_mut().zip(above).zip(below) {
                    *line = above * (1.0 - weight) + below * weight;
                }
                for (y, &(first, weight)) in y.iter_mut().zip(&columns) {
                    let next = line[(first + 1).min(from[1] - 1)];
                    *y = line[first] * (1.0 - weight) + next * weight;
                }
            }
        },
    );
    y
}

/// The gradient of [`resize`], from `dy` of size `to`.
pub fn resize_backward(dy: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    let [rows, columns] = [0, 1].map(|axis| places(from[axis], to[axis]));
    let planes = dy.len() / (to[0] * to[1]);
    let mut dx = vec![0.0; planes * from[0] * from[1]];
    dx.par_chunks_exact_mut(from[0] * from[1]).zip(dy.par_chunks_exact(to[0] * to[1])).for_each_init(
        || vec![0.0_f32; from[1]],
        |line, (dx, dy)| {
            for (dy, &(first, weight)) in dy.chunks_exact(to[1]).zip(&rows) {
                line.fill(0.0);
                for (dy, &(first, weight)) in dy.iter().zip(&columns) {
                    line[first] += dy * (1.0 - weight);
                    line[(first + 1).min(from[1] - 1)] += dy * weight;
                }
                let mut add = |row: usize, weight: f32| {
                    for (dx, line) in dx[row * from[1]..][..from[1]].iter_mut().zip(line.iter()) {
                        *dx += line * weight;
                    }
                };
                add(first, 1.0 - weight);
                add((first + 1).min(from[0] - 1), weight);
            }
        },
    );
    dx
}
