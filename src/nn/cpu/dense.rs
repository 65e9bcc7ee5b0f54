//! Dense convolutions of any kernel, stride, padding and dilation on the host, forward and backward.
//!
//! A block of output places is one matrix product per kernel row. What it reads is first turned so that the channels of a place lie
//! side by side ("channels last"): then what the kernel sees of a place is one run of numbers for each of its rows, and is copied
//! into a matrix that stays in the cache. No patch of the whole batch is ever made.
//!
//! Letters: N pictures, C channels, H height, W width. All maps are row-major `[N, C, H, W]`.

use std::cell::Cell;
use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::turn::{channels_last, transpose};

/// A convolution's sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dense {
    pub pictures: usize,
    pub inputs: usize,
    pub outputs: usize,
    /// Height and width of the input.
    pub size: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
}

/// Numbers of a block's patches, for one kernel row: they stay in a core's cache.
const PATCHES: usize = 1 << 17;
/// Output places of a block at most, and at least.
const PLACES: [usize; 2] = [32, 1024];

impl Dense {
    /// Height and width of the output.
    pub fn out(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
            (self.size[axis] + 2 * self.padding[axis]).saturating_sub(reach) / self.stride[axis] + 1
        })
    }

    /// Pixels of an input plane.
    pub fn in_pixels(&self) -> usize {
        self.size[0] * self.size[1]
    }

    fn out_pixels(&self) -> usize {
        let [height, width] = self.out();
        height * width
    }

    fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Numbers of a patch that one kernel row sees of so many channels.
    fn run(&self, channels: usize) -> usize {
        self.kernel[1] * channels
    }

    /// Places of a block whose patches have so many channels.
    fn places(&self, channels: usize) -> usize {
        (PATCHES / self.run(channels)).clamp(PLACES[0], PLACES[1])
    }

    /// The gradient's convolution at stride 1: inputs and outputs exchanged, with the kernel turned.
    pub(super) fn reversed(&self) -> Self {
        let [height, width] = self.out();
        let padding = [0, 1].map(|axis| self.dilation[axis] * (self.kernel[axis] - 1) - self.padding[axis]);
        Self { inputs: self.outputs, outputs: self.inputs, size: [height, width], padding, ..*self }
    }

    /// Whether the gradient with respect to x is such a convolution.
    fn is_reversible(&self) -> bool {
        self.stride == [1, 1] && (0..2).all(|axis| self.padding[axis] <= self.dilation[axis] * (self.kernel[axis] - 1))
    }
}

/// `y = x ∗ w + b`: `x` `[N, in, H, W]`, `w` `[out, in, kh, kw]`, `b` `[out]`.
pub fn forward(x: &[f32], w: &[f32], b: Option<&[f32]>, of: &Dense) -> Vec<f32> {
    convolve(x, &taps_first(w, of.inputs, of.taps()), b, of)
}

/// The gradient with respect to x, `[N, in, H, W]`, from `dy` `[N, out, H', W']`: the transposed convolution.
pub fn input_gradient(w: &[f32], dy: &[f32], of: &Dense) -> Vec<f32> {
    match of.is_reversible() {
        true => convolve(dy, &turned(w, of), None, &of.reversed()),
        false => scatter(&taps_first(w, of.inputs, of.taps()), dy, of),
    }
}

/// `[rows, channels, taps]` to `[rows, taps, channels]`.
fn taps_first(w: &[f32], channels: usize, taps: usize) -> Vec<f32> {
    if taps == 1 {
        return w.to_vec();
    }
    let mut to = vec![0.0; w.len()];
    to.par_chunks_exact_mut(channels * taps).zip(w.par_chunks_exact(channels * taps)).for_each(|(to, from)| {
        for (tap, to) in to.chunks_exact_mut(channels).enumerate() {
            for (to, from) in to.iter_mut().zip(from[tap..].iter().step_by(taps)) {
                *to = *from;
            }
        }
    });
    to
}

/// The weights of the gradient's convolution, `[in, taps, out]`, turned by 180°.
fn turned(w: &[f32], of: &Dense) -> Vec<f32> {
    let (taps, inputs, outputs) = (of.taps(), of.inputs, of.outputs);
    let mut to = vec![0.0; w.len()];
    to.par_chunks_exact_mut(taps * outputs).enumerate().for_each(|(input, to)| {
        for (output, from) in w.chunks_exact(inputs * taps).enumerate() {
            for (tap, from) in from[input * taps..][..taps].iter().enumerate() {
                to[(taps - 1 - tap) * outputs + output] = *from;
            }
        }
    });
    to
}

/// Some rows of the output of some pictures, as far as one block goes.
#[derive(Debug, Clone, Copy)]
struct Rows {
    first: usize,
    count: usize,
}

/// What a task works in.
#[derive(Default)]
struct Scratch {
    /// What a block reads with zeros around, channels last: `[pictures, rows, width + 2 padding, channels]`.
    map: Vec<f32>,
    /// `[places, kernel width, channels]`
    patches: Vec<f32>,
    /// `[outputs, places]`
    block: Vec<f32>,
}

thread_local! {
    /// Of tasks that are too small to make one: it stays from step to step.
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// Height of what `count` output rows read.
fn band(of: &Dense, count: usize) -> usize {
    (count - 1) * of.stride[0] + of.dilation[0] * (of.kernel[0] - 1) + 1
}

/// Turns what these output rows read of some channels of some pictures; `x` begins at the first of the channels and is `[pictures, C, H, W]`.
fn turn(map: &mut Vec<f32>, x: &[f32], channels: usize, rows: Rows, of: &Dense) {
    let (pixels, line) = (of.in_pixels(), (of.size[1] + 2 * of.padding[1]) * channels);
    let band = band(of, rows.count);
    let pictures = x.len().div_ceil(of.inputs * pixels);
    map.clear();
    map.resize(pictures * band * line, 0.0);
    let above = of.padding[0] as isize - (rows.first * of.stride[0]) as isize;
    for (map, x) in map.chunks_exact_mut(band * line).zip(x.chunks(of.inputs * pixels)) {
        channels_last(map, x, channels, of.size, line / channels, above, of.padding[1]);
    }
}

/// Copies what kernel row `ky` sees of every place of a block.
fn gather(patches: &mut [f32], map: &[f32], channels: usize, ky: usize, rows: Rows, of: &Dense) {
    let run = of.run(channels);
    each_run(map.len(), channels, ky, rows, of, |place, from| {
        let to = place * run;
        if of.dilation[1] == 1 {
            patches[to..to + run].copy_from_slice(&map[from..from + run]);
        } else {
            for kx in 0..of.kernel[1] {
                let from = from + kx * of.dilation[1] * channels;
                patches[to + kx * channels..][..channels].copy_from_slice(&map[from..from + channels]);
            }
        }
    });
}

/// Calls `f` with the number of every place of a block and where in the turned map kernel row `ky` begins to read.
#[inline(always)]
fn each_run(map: usize, channels: usize, ky: usize, rows: Rows, of: &Dense, mut f: impl FnMut(usize, usize)) {
    let line = (of.size[1] + 2 * of.padding[1]) * channels;
    let (picture, out_width) = (band(of, rows.count) * line, of.out()[1]);
    let mut place = 0;
    for start in (0..map).step_by(picture) {
        for row in 0..rows.count {
            let from = start + (row * of.stride[0] + ky * of.dilation[0]) * line;
            for column in 0..out_width {
                f(place, from + column * of.stride[1] * channels);
                place += 1;
            }
        }
    }
}

/// How many pictures a task takes, and how many rows a block has.
fn plan(of: &Dense) -> (usize, usize) {
    let [height, width] = of.out();
    let places = of.places(of.inputs);
    let threads = rayon::current_num_threads();
    let together = (places / (height * width)).clamp(1, of.pictures.div_ceil(2 * threads).max(1));
    (together, if together > 1 { height } else { (places / width).clamp(1, height) })
}

/// A block of the output: its rows, and what is written of every plane, picture after picture.
struct Block<'a> {
    pictures: Range<usize>,
    rows: Rows,
    planes: Vec<&'a mut [f32]>,
}

/// The output in blocks, all planes of each.
fn blocks<'a>(y: &'a mut [f32], of: &Dense, together: usize, lines: usize) -> Vec<Block<'a>> {
    let ([height, width], pixels) = (of.out(), of.out_pixels());
    let mut blocks: Vec<Block<'a>> = Vec::new();
    for (group, y) in y.chunks_mut(together * of.outputs * pixels).enumerate() {
        let (at, first) = (blocks.len(), group * together);
        let pictures = first..first + y.len() / (of.outputs * pixels);
        blocks.extend((0..height).step_by(lines).map(|top| Block {
            pictures: pictures.clone(),
            rows: Rows { first: top, count: lines.min(height - top) },
            planes: Vec::with_capacity(pictures.len() * of.outputs),
        }));
        for plane in y.chunks_exact_mut(pixels) {
            for (block, rows) in blocks[at..].iter_mut().zip(plane.chunks_mut(lines * width)) {
                block.planes.push(rows);
            }
        }
    }
    blocks
}

/// A convolution with weights `[out, kh, kw, in]`. A task has all outputs of some rows, so that what they see is turned once. Where
/// there are too few of them, a task has some of the outputs.
fn convolve(x: &[f32], w: &[f32], b: Option<&[f32]>, of: &Dense) -> Vec<f32> {
    let (together, lines) = plan(of);
    let (tasks, threads) = (of.pictures.div_ceil(together) * of.out()[0].div_ceil(lines), rayon::current_num_threads());
    let share = match tasks >= 2 * threads {
        true => of.outputs,
        false => of.outputs.div_ceil((2 * threads).div_ceil(tasks)).max(8).min(of.outputs),
    };
    let mut y = vec![0.0; of.pictures * of.outputs * of.out_pixels()];
    let blocks = blocks(&mut y, of, together, lines);
    blocks.into_par_iter().for_each(|Block { pictures, rows, mut planes }| {
        let of = Dense { pictures: pictures.len(), ..*of };
        let x = &x[pictures.start * of.inputs * of.in_pixels()..pictures.end * of.inputs * of.in_pixels()];
        let mut shares: Vec<(usize, Vec<&mut [f32]>)> = Vec::new();
        for (i, plane) in planes.drain(..).enumerate() {
            let task = i % of.outputs / share;
            if shares.len() <= task {
                shares.push((task * share, Vec::new()));
            }
            shares[task].1.push(plane);
        }
        shares.into_par_iter().for_each(|share| {
            let mut scratch = SCRATCH.take();
            block(x, w, b, &of, rows, share, &mut scratch);
            SCRATCH.set(scratch);
        });
    });
    y
}

/// Some rows of some outputs from number `first` on of all these pictures, into a slice for each picture's outputs.
fn block(
    x: &[f32],
    w: &[f32],
    b: Option<&[f32]>,
    of: &Dense,
    rows: Rows,
    (first, mut planes): (usize, Vec<&mut [f32]>),
    scratch: &mut Scratch,
) {
    let Scratch { map, patches, block } = scratch;
    let (inputs, run) = (of.inputs, of.run(of.inputs));
    let count = planes.len() / of.pictures;
    let columns = rows.count * of.out()[1];
    let places = of.pictures * columns;
    turn(map, x, inputs, rows, of);
    patches.resize(places * run, 0.0);
    block.resize(count * places, 0.0);
    for ky in 0..of.kernel[0] {
        gather(patches, map, inputs, ky, rows, of);
        let w = &w[first * of.taps() * inputs + ky * run..];
        let w = &w[..(count - 1) * of.taps() * inputs + run];
        let w = MatRef::from_row_major_slice_with_stride(w, count, run, of.taps() * inputs);
        let from = MatRef::from_row_major_slice(&patches[..places * run], places, run).transpose();
        let to = MatMut::from_row_major_slice_mut(&mut block[..count * places], count, places);
        let start = if ky == 0 { Accum::Replace } else { Accum::Add };
        matmul(to, start, w, from, 1.0, Par::Seq);
    }
    for (output, block) in block[..count * places].chunks_exact(places).enumerate() {
        let bias = b.map_or(0.0, |b| b[first + output]);
        for (picture, block) in block.chunks_exact(columns).enumerate() {
            for (to, from) in planes[picture * count + output].iter_mut().zip(block) {
                *to = from + bias;
            }
        }
    }
}

/// The gradient with respect to x of a convolution with weights `[out, kh, kw, in]`: what every place gives back is added where it was read.
fn scatter(w: &[f32], dy: &[f32], of: &Dense) -> Vec<f32> {
    let (inputs, outputs, pixels) = (of.inputs, of.outputs, of.out_pixels());
    let (together, lines) = plan(of);
    let run = of.run(inputs);
    let [height, width] = of.size;
    let line = (width + 2 * of.padding[1]) * inputs;
    let whole = Rows { first: 0, count: of.out()[0] };
    let padded = band(of, whole.count).max(height + of.padding[0]);
    let mut dx = vec![0.0; of.pictures * inputs * of.in_pixels()];
    let pictures =
        dx.par_chunks_mut(together * inputs * of.in_pixels()).zip(dy.par_chunks(together * outputs * pixels));
    pictures.for_each_init(Scratch::default, |scratch, (dx, dy)| {
        let Scratch { map, patches, block } = scratch;
        let group = dy.len() / (outputs * pixels);
        map.clear();
        map.resize(group * padded * line, 0.0);
        for top in (0..whole.count).step_by(lines) {
            let rows = Rows { first: top, count: lines.min(whole.count - top) };
            let columns = rows.count * of.out()[1];
            let places = group * columns;
            let start = top * of.out()[1];
            collect(block, dy, 0..outputs, start..start + columns, of);
            patches.resize(places * run, 0.0);
            for ky in 0..of.kernel[0] {
                let w = MatRef::from_row_major_slice_with_stride(
                    &w[ky * run..][..(outputs - 1) * of.taps() * inputs + run],
                    outputs,
                    run,
                    of.taps() * inputs,
                );
                let from = MatRef::from_row_major_slice(&block[..outputs * places], outputs, places).transpose();
                let to = MatMut::from_row_major_slice_mut(&mut patches[..places * run], places, run);
                matmul(to, Accum::Replace, from, w, 1.0, Par::Seq);
                let mut place = 0;
                for picture in 0..group {
                    for row in 0..rows.count {
                        let from = picture * padded * line + ((top + row) * of.stride[0] + ky * of.dilation[0]) * line;
                        for column in 0..of.out()[1] {
                            for kx in 0..of.kernel[1] {
                                let at = from + (column * of.stride[1] + kx * of.dilation[1]) * inputs;
                                let patch = &patches[place * run + kx * inputs..][..inputs];
                                for (to, from) in map[at..at + inputs].iter_mut().zip(patch) {
                                    *to += from;
                                }
                            }
                            place += 1;
                        }
                    }
                }
            }
        }
        for (dx, map) in dx.chunks_exact_mut(inputs * of.in_pixels()).zip(map.chunks_exact(padded * line)) {
            for row in 0..height {
                let from = &map[(row + of.padding[0]) * line + of.padding[1] * inputs..][..width * inputs];
                transpose(from, inputs, &mut dx[row * width..], of.in_pixels(), width, inputs);
            }
        }
    });
    dx
}

/// `[outputs, places]`: these places of these outputs of some pictures `[pictures, out, H', W']`.
fn collect(block: &mut Vec<f32>, dy: &[f32], outputs: Range<usize>, places: Range<usize>, of: &Dense) {
    let (pixels, columns) = (of.out_pixels(), places.len());
    let group = dy.len() / (of.outputs * pixels);
    block.resize(outputs.len() * group * columns, 0.0);
    for (picture, dy) in dy.chunks_exact(of.outputs * pixels).enumerate() {
        for (at, output) in outputs.clone().enumerate() {
            let from = &dy[output * pixels..][places.clone()];
            block[(at * group + picture) * columns..][..columns].copy_from_slice(from);
        }
    }
}

/// The gradient with respect to the weights, `[out, in, kh, kw]`, from `dy` `[N, out, H', W']`. A task has some input channels and some outputs, and goes through
/// all pictures, so that nothing is to be added up afterwards.
pub fn weight_gradient(x: &[f32], dy: &[f32], of: &Dense) -> Vec<f32> {
    let (inputs, outputs, pixels, taps) = (of.inputs, of.outputs, of.out_pixels(), of.taps());
    let threads = rayon::current_num_threads();
    let channels = inputs.div_ceil(2 * threads).next_multiple_of(8).min(inputs);
    let slices = inputs.div_ceil(channels);
    let share = outputs.div_ceil((2 * threads).div_ceil(slices)).next_multiple_of(8).min(outputs);
    let tasks: Vec<(usize, usize)> = (0..outputs)
        .step_by(share)
        .flat_map(|output| (0..inputs).step_by(channels).map(move |input| (output, input)))
        .collect();
    let [height, width] = of.out();
    let places = of.places(channels);
    let together = (places / pixels).clamp(1, of.pictures);
    let lines = if together > 1 { height } else { (places / width).clamp(1, height) };
    let parts: Vec<Vec<f32>> = tasks
        .par_iter()
        .map_init(Scratch::default, |scratch, &(output, input)| {
            let Scratch { map, patches, block } = scratch;
            let (count, channels) = (share.min(outputs - output), channels.min(inputs - input));
            let run = of.run(channels);
            // `[kh, count, kw, channels]`
            let mut dw = vec![0.0; of.kernel[0] * count * run];
            for (x, dy) in x.chunks(together * inputs * of.in_pixels()).zip(dy.chunks(together * outputs * pixels)) {
                for top in (0..height).step_by(lines) {
                    let rows = Rows { first: top, count: lines.min(height - top) };
                    let columns = rows.count * width;
                    turn(map, &x[input * of.in_pixels()..], channels, rows, of);
                    let group = dy.len() / (outputs * pixels);
                    let places = group * columns;
                    collect(block, dy, output..output + count, top * width..top * width + columns, of);
                    patches.resize(places * run, 0.0);
                    for (ky, dw) in dw.chunks_exact_mut(count * run).enumerate() {
                        gather(patches, map, channels, ky, rows, of);
                        let dy = MatRef::from_row_major_slice(&block[..count * places], count, places);
                        let patches = MatRef::from_row_major_slice(&patches[..places * run], places, run);
                        matmul(
                            MatMut::from_row_major_slice_mut(dw, count, run),
                            Accum::Add,
                            dy,
                            patches,
                            1.0,
                            Par::Seq,
                        );
                    }
                }
            }
            dw
        })
        .collect();
    let mut all = vec![0.0; outputs * inputs * taps];
    for (&(output, input), part) in tasks.iter().zip(&parts) {
        let (count, channels) = (share.min(outputs - output), channels.min(inputs - input));
        let mut from = part.iter();
        for ky in 0..of.kernel[0] {
            for row in 0..count {
                for kx in 0..of.kernel[1] {
                    let at = ((output + row) * inputs + input) * taps + ky * of.kernel[1] + kx;
                    for (to, from) in all[at..].iter_mut().step_by(taps).zip(from.by_ref().take(channels)) {
                        *to = *from;
                    }
                }
            }
        }
    }
    all
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::compute::rng::HostRng;

    fn noise(count: usize, stream: u64) -> Vec<f32> {
        let mut rng = HostRng::new(3, stream);
        (0..count).map(|_| rng.normal() as f32).collect()
    }

    /// Calls `f` with the places of x, w and y of every product that a convolution adds up.
    fn products(of: &Dense, mut f: impl FnMut(usize, usize, usize)) {
        let [height, width] = of.out();
        for picture in 0..of.pictures {
            for output in 0..of.outputs {
                for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
                    let y = ((picture * of.outputs + output) * height + row) * width + column;
                    for (ky, kx) in (0..of.kernel[0]).flat_map(|ky| (0..of.kernel[1]).map(move |kx| (ky, kx))) {
                        let at = (row * of.stride[0] + ky * of.dilation[0]).checked_sub(of.padding[0]);
                        let beside = (column * of.stride[1] + kx * of.dilation[1]).checked_sub(of.padding[1]);
                        let (Some(at), Some(beside)) = (at, beside) else { continue };
                        if at >= of.size[0] || beside >= of.size[1] {
                            continue;
                        }
                        for input in 0..of.inputs {
                            let x = ((picture * of.inputs + input) * of.size[0] + at) * of.size[1] + beside;
                            let w = ((output * of.inputs + input) * of.kernel[0] + ky) * of.kernel[1] + kx;
                            f(x, w, y);
                        }
                    }
                }
            }
        }
    }

    fn assert_close(found: &[f32], expected: &[f64], what: &str) {
        let most = expected.iter().fold(1e-3_f64, |most, value| most.max(value.abs()));
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            let apart = (f64::from(*found) - expected).abs() / most;
            assert!(apart < 2e-6, "{what} {i}: {found} instead of {expected}");
        }
        assert_eq!(found.len(), expected.len(), "{what}");
    }

    /// Of 3×3, which keeps the size.
    pub const PLAIN: Dense = Dense {
        pictures: 3,
        inputs: 5,
        outputs: 4,
        size: [7, 6],
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1, 1],
        dilation: [1, 1],
    };

    /// Holds a way to convolve and its gradients against plain sums in f64.
    pub fn assert_gives_the_sum_of_its_products(
        of: &Dense,
        forward: impl Fn(&[f32], &[f32], Option<&[f32]>, &Dense) -> Vec<f32>,
        input_gradient: impl Fn(&[f32], &[f32], &Dense) -> Vec<f32>,
        weight_gradient: impl Fn(&[f32], &[f32], &Dense) -> Vec<f32>,
    ) {
        let x = noise(of.pictures * of.inputs * of.in_pixels(), 0);
        let w = noise(of.outputs * of.inputs * of.taps(), 1);
        let dy = noise(of.pictures * of.outputs * of.out_pixels(), 2);
        let b = noise(of.outputs, 3);
        let mut y: Vec<f64> = (0..dy.len()).map(|i| f64::from(b[i / of.out_pixels() % of.outputs])).collect();
        let (mut dx, mut dw) = (vec![0.0_f64; x.len()], vec![0.0_f64; w.len()]);
        products(of, |i, k, o| {
            let [x, w, dy] = [x[i], w[k], dy[o]].map(f64::from);
            y[o] += x * w;
            dx[i] += dy * w;
            dw[k] += dy * x;
        });
        assert_close(&forward(&x, &w, Some(&b), of), &y, &format!("y of {of:?}"));
        assert_close(&input_gradient(&w, &dy, of), &dx, &format!("dx of {of:?}"));
        assert_close(&weight_gradient(&x, &dy, of), &dw, &format!("dw of {of:?}"));
    }

    #[test]
    fn every_kernel_stride_padding_and_dilation_gives_the_sum_of_its_products() {
        let plain = PLAIN;
        let cases = [
            plain,
            Dense { stride: [2, 2], ..plain },
            Dense { stride: [2, 2], size: [8, 9], inputs: 17, ..plain },
            Dense { kernel: [1, 1], padding: [0, 0], stride: [2, 2], ..plain },
            Dense { kernel: [1, 1], padding: [0, 0], pictures: 40, ..plain },
            Dense { kernel: [7, 7], padding: [3, 3], stride: [2, 2], inputs: 3, size: [19, 16], ..plain },
            Dense { kernel: [1, 7], padding: [0, 3], ..plain },
            Dense { kernel: [3, 1], padding: [1, 0], dilation: [2, 1], ..plain },
            Dense { dilation: [2, 2], padding: [2, 2], ..plain },
            Dense { padding: [0, 0], ..plain },
            Dense { padding: [3, 2], ..plain },
            Dense { stride: [1, 2], padding: [2, 0], ..plain },
            Dense { stride: [3, 3], padding: [0, 0], ..plain },
            // Many blocks: of several pictures, and of some rows of one.
            Dense { pictures: 9, inputs: 70, outputs: 9, size: [4, 4], ..plain },
            Dense { pictures: 1, inputs: 130, outputs: 19, size: [9, 40], ..plain },
            Dense { pictures: 2, inputs: 90, size: [20, 24], stride: [2, 2], ..plain },
        ];
        for of in cases {
            assert_gives_the_sum_of_its_products(&of, forward, input_gradient, weight_gradient);
        }
    }
}
