//! Batch normalisation with a ReLU, pooling and upsampling on the host, forward and backward, each in as few passes over
//! the maps as it needs.
//!
//! Letters: N pictures, C channels, H height, W width; a plane is one channel of one picture. All maps are row-major
//! `[N, C, H, W]`.

use rayon::prelude::*;

use super::maths::wide;

/// Statistics of a batch, per channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    pub mean: Vec<f32>,
    /// Biased.
    pub variance: Vec<f32>,
}

/// Numbers of a task at least, where planes are small.
const TASK: usize = 1 << 12;

/// The number, or 0: by bits, since a branch would be mispredicted at every other place.
#[inline(always)]
fn kept(value: f32, keep: bool) -> f32 {
    f32::from_bits(value.to_bits() & u32::from(keep).wrapping_neg())
}

/// Numbers that are summed beside each other.
const LANES: usize = 16;
type Lanes = [f32; LANES];

/// Two sums over pairs of slices of one length, to which `add` adds some numbers at a time: in lanes of f32 over short stretches, then
/// in f64.
#[inline(always)]
fn sums<'a>(
    pairs: impl Iterator<Item = (&'a [f32], &'a [f32])>,
    add: impl Fn(&Lanes, &Lanes, &mut Lanes, &mut Lanes),
) -> [f64; 2] {
    const STRETCH: usize = 4096;
    let mut totals = [0.0; 2];
    let (mut first, mut second) = ([0.0; LANES], [0.0; LANES]);
    let mut seen = 0;
    for (x, y) in pairs {
        for (x, y) in x.chunks(STRETCH).zip(y.chunks(STRETCH)) {
            let (mut a, mut b) = (first, second);
            let (xs, x_rest) = x.as_chunks::<LANES>();
            let (ys, y_rest) = y.as_chunks::<LANES>();
            for (x, y) in xs.iter().zip(ys) {
                add(x, y, &mut a, &mut b);
            }
            if !x_rest.is_empty() {
                let (mut x, mut y) = ([0.0; LANES], [0.0; LANES]);
                x[..x_rest.len()].copy_from_slice(x_rest);
                y[..y_rest.len()].copy_from_slice(y_rest);
                let (mut c, mut d) = ([0.0; LANES], [0.0; LANES]);
                add(&x, &y, &mut c, &mut d);
                for lane in 0..x_rest.len() {
                    a[lane] += c[lane];
                    b[lane] += d[lane];
                }
            }
            (first, second) = (a, b);
            seen += x.len();
            if seen >= STRETCH {
                totals[0] += f64::from(first.iter().sum::<f32>());
                totals[1] += f64::from(second.iter().sum::<f32>());
                (first, second) = ([0.0; LANES], [0.0; LANES]);
                seen = 0;
            }
        }
    }
    totals[0] += f64::from(first.iter().sum::<f32>());
    totals[1] += f64::from(second.iter().sum::<f32>());
    totals
}

/// The planes of one channel.
#[inline(always)]
fn planes(x: &[f32], channel: usize, channels: usize, pixels: usize) -> impl Iterator<Item = &[f32]> {
    x.chunks_exact(pixels).skip(channel).step_by(channels)
}

/// Mean and biased variance of every channel.
pub fn statistics(x: &[f32], channels: usize, pixels: usize) -> Statistics {
    let count = (x.len() / channels) as f64;
    let of = |channel: usize, mean: f32| {
        wide(
            #[inline(always)]
            || {
                let pairs = planes(x, channel, channels, pixels).map(
                    #[inline(always)]
                    |x| (x, x),
                );
                sums(
                    pairs,
                    #[inline(always)]
                    |x, _, plain, squares| {
                        for lane in 0..LANES {
                            let apart = x[lane] - mean;
                            plain[lane] += apart;
                            squares[lane] += apart * apart;
                        }
                    },
                )
            },
        )
    };
    let (mean, variance) = (0..channels)
        .into_par_iter()
        .map(|channel| {
            let mean = (of(channel, 0.0)[0] / count) as f32;
            (mean, (of(channel, mean)[1] / count) as f32)
        })
        .unzip();
    Statistics { mean, variance }
}

/// `x · scale + shift` per channel, with a ReLU behind it where `relu`.
pub fn scale_shift(x: &[f32], scale: &[f32], shift: &[f32], pixels: usize, relu: bool) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    let least = if relu { 0.0 } else { f32::NEG_INFINITY };
    let together = TASK.div_ceil(pixels);
    let parts = y.par_chunks_mut(together * pixels).zip(x.par_chunks(together * pixels)).enumerate();
    parts.for_each(|(task, (y, x))| {
        wide(
            #[inline(always)]
            || {
                for (at, (y, x)) in y.chunks_exact_mut(pixels).zip(x.chunks_exact(pixels)).enumerate() {
                    let channel = (task * together + at) % scale.len();
                    let (scale, shift) = (scale[channel], shift[channel]);
                    for (y, x) in y.iter_mut().zip(x) {
                        let value = x * scale + shift;
                        // Not `max`, which would turn a NaN into 0.
                        *y = if value < least { least } else { value };
                    }
                }
            },
        );
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
    let sums: Vec<[f64; 2]> = (0..channels)
        .into_par_iter()
        .map(|channel| {
            let (scale, shift, mean) = (norm.scale[channel], norm.shift[channel], norm.mean[channel]);
            let [plain, projected] = wide(
                #[inline(always)]
                || {
                    let pairs = planes(x, channel, channels, pixels).zip(planes(dy, channel, channels, pixels));
                    sums(
                        pairs,
                        #[inline(always)]
                        |x, dy, plain, projected| {
                            for lane in 0..LANES {
                                let through = kept(dy[lane], x[lane] * scale + shift > least);
                                plain[lane] += through;
                                projected[lane] += through * (x[lane] - mean);
                            }
                        },
                    )
                },
            );
            [plain, projected * f64::from(norm.inverse[channel])]
        })
        .collect();
    let count = (x.len() / channels) as f64;
    let mut dx = vec![0.0; x.len()];
    let together = TASK.div_ceil(pixels);
    let maps = x.par_chunks(together * pixels).zip(dy.par_chunks(together * pixels));
    dx.par_chunks_mut(together * pixels).zip(maps).enumerate().for_each(|(task, (dx, (x, dy)))| {
        wide(
            #[inline(always)]
            || {
                let maps = x.chunks_exact(pixels).zip(dy.chunks_exact(pixels));
                for (at, (dx, (x, dy))) in dx.chunks_exact_mut(pixels).zip(maps).enumerate() {
                    let channel = (task * together + at) % channels;
                    let (scale, shift, mean) = (norm.scale[channel], norm.shift[channel], norm.mean[channel]);
                    let [plain, projected] = sums[channel];
                    // dx = scale (g − Σg/n − x̂ Σgx̂/n)
                    let constant = (plain / count) as f32;
                    let slope = (projected / count) as f32 * norm.inverse[channel];
                    for ((dx, x), dy) in dx.iter_mut().zip(x).zip(dy) {
                        let through = kept(*dy, x * scale + shift > least);
                        *dx = scale * (through - constant - (x - mean) * slope);
                    }
                }
            },
        );
    });
    let (dbeta, dgamma) = sums.into_iter().map(|[plain, projected]| (plain as f32, projected as f32)).unzip();
    (dx, dgamma, dbeta)
}

/// `max(a + b, 0)`; a NaN stays one.
pub fn add_relu(a: &[f32], b: &[f32]) -> Vec<f32> {
    let mut y = vec![0.0; a.len()];
    y.par_chunks_mut(TASK).zip(a.par_chunks(TASK).zip(b.par_chunks(TASK))).for_each(|(y, (a, b))| {
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            let sum = a + b;
            *y = if sum < 0.0 { 0.0 } else { sum };
        }
    });
    y
}

/// The gradient before a ReLU that gave `y`.
pub fn relu_backward(y: &[f32], dy: &[f32]) -> Vec<f32> {
    let mut dx = vec![0.0; y.len()];
    dx.par_chunks_mut(TASK).zip(y.par_chunks(TASK).zip(dy.par_chunks(TASK))).for_each(|(dx, (y, dy))| {
        for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
            *dx = kept(*dy, *y > 0.0);
        }
    });
    dx
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
            let above = above.as_chunks::<2>().0.iter().zip(dx_above.as_chunks_mut::<2>().0);
            let below = below.as_chunks::<2>().0.iter().zip(dx_below.as_chunks_mut::<2>().0);
            for (dy, (([a, b], dx_above), ([c, d], dx_below))) in dy.iter().zip(above.zip(below)) {
                let best = larger(larger(larger(*a, *b), *c), *d);
                let is_best = |value: &f32| *value == best || value.is_nan();
                let (a, b, c) = (is_best(a), is_best(b), is_best(c));
                *dx_above = [kept(*dy, a), kept(*dy, !a & b)];
                *dx_below = [kept(*dy, !a & !b & c), kept(*dy, !(a | b | c))];
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
        || vec![0.0_f32; from[0] * to[1]],
        |lines, (dx, dy)| {
            // First along the height, row by row, so that half as many rows are left for the width.
            lines.fill(0.0);
            for (dy, &(first, weight)) in dy.chunks_exact(to[1]).zip(&rows) {
                let mut add = |row: usize, weight: f32| {
                    for (line, dy) in lines[row * to[1]..][..to[1]].iter_mut().zip(dy) {
                        *line += dy * weight;
                    }
                };
                add(first, 1.0 - weight);
                add((first + 1).min(from[0] - 1), weight);
            }
            for (dx, line) in dx.chunks_exact_mut(from[1]).zip(lines.chunks_exact(to[1])) {
                for (dy, &(first, weight)) in line.iter().zip(&columns) {
                    dx[first] += dy * (1.0 - weight);
                    dx[(first + 1).min(from[1] - 1)] += dy * weight;
                }
            }
        },
    );
    dx
}
