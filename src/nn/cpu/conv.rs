//! Convolutions of stride 1 on the host, forward and backward: 1×1, and 3×3 with zeros around, dense or in groups.
//!
//! Of a 3×3 convolution the nine shifted views of a block of columns are copied below each other, out of one padded copy of the
//! map, for one matrix product; the gradients are the same products with roles exchanged. A group of one channel is added up row by
//! row. The work falls with the number of groups in all three passes. What is dense and has many channels, another kernel or a
//! stride is done by [`super::dense`].
//!
//! Letters: N pictures, C channels, H height, W width; a plane is one channel of one picture. All maps are row-major
//! `[N, C, H, W]`.

use std::cell::Cell;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

/// A convolution's sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    pub pictures: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub height: usize,
    pub width: usize,
    /// 1 or 3.
    pub kernel: usize,
    pub groups: usize,
}

/// Columns of a product that are done at once, and numbers of what they see, so that both stay in the cache.
const COLUMNS: usize = 1024;
const PATCHES: usize = 1 << 17;

impl Sizes {
    fn pixels(&self) -> usize {
        self.height * self.width
    }

    fn group_inputs(&self) -> usize {
        self.inputs / self.groups
    }

    fn group_outputs(&self) -> usize {
        self.outputs / self.groups
    }

    /// Width of a padded row.
    fn row(&self) -> usize {
        self.width + 2
    }

    /// Numbers of a padded plane: a row above, a row below, a column on either side, and what the last shift reads.
    fn padded(&self) -> usize {
        ((self.height + 2) * self.row() + 2).next_multiple_of(16)
    }

    /// Rows of the output that are done at once.
    fn lines(&self) -> usize {
        (COLUMNS.min(PATCHES / (9 * self.group_inputs())) / self.row()).max(1)
    }

    /// Where tap (ky, kx) of a padded plane starts.
    fn tap(&self, k: usize) -> usize {
        (k / 3) * self.row() + k % 3
    }

    /// The sizes of the gradient's convolution: inputs and outputs exchanged.
    fn reversed(&self) -> Self {
        Self { inputs: self.outputs, outputs: self.inputs, ..*self }
    }
}

/// `y = x ∗ w + b`: `x` `[N, in, H, W]`, `w` `[out, in / groups, k, k]`, `b` `[out]`.
pub fn forward(x: &[f32], w: &[f32], b: Option<&[f32]>, sizes: &Sizes) -> Vec<f32> {
    if sizes.kernel == 1 && sizes.groups == 1 {
        return pointwise(x, w, b, sizes);
    }
    spatial(x, w, b, sizes)
}

/// The wanted gradients with respect to `x` and `w`, from `dy` `[N, out, H, W]`.
pub fn backward(x: &[f32], w: &[f32], dy: &[f32], sizes: &Sizes, [want_x, want_w]: [bool; 2]) -> [Option<Vec<f32>>; 2] {
    if sizes.kernel == 1 && sizes.groups == 1 {
        return [
            want_x.then(|| pointwise(dy, &transposed(w, sizes), None, &sizes.reversed())),
            want_w.then(|| pointwise_weight(x, dy, sizes)),
        ];
    }
    [
        want_x.then(|| spatial(dy, &transposed(w, sizes), None, &sizes.reversed())),
        want_w.then(|| spatial_weight(x, dy, sizes)),
    ]
}

/// Sum of every channel, `[N, C, H, W]` to `[C]`: the gradient of a bias.
pub fn channel_sums(dy: &[f32], channels: usize, pixels: usize) -> Vec<f32> {
    (0..channels)
        .into_par_iter()
        .map(|channel| dy.chunks_exact(pixels).skip(channel).step_by(channels).map(sum).sum::<f64>() as f32)
        .collect()
}

/// A sum in eight lanes; single lanes stay short enough for f32.
fn sum(values: &[f32]) -> f64 {
    let mut total = 0.0;
    for block in values.chunks(4096) {
        let mut lanes = [0.0_f32; 16];
        let mut chunks = block.chunks_exact(16);
        for chunk in &mut chunks {
            for (lane, value) in lanes.iter_mut().zip(chunk) {
                *lane += value;
            }
        }
        total += lanes.iter().chain(chunks.remainder()).map(|v| f64::from(*v)).sum::<f64>();
    }
    total
}

/// How many channels of a group one task computes: enough tasks for every thread, and not too small products.
fn channels_per_task(channels: usize, others: usize) -> usize {
    let tasks = (4 * rayon::current_num_threads()).div_ceil(others.max(1));
    channels.div_ceil(tasks.max(1)).max(8).min(channels).max(1)
}

/// Every plane with zeros around it.
fn pad(x: &[f32], planes: usize, sizes: &Sizes) -> Vec<f32> {
    let mut padded = vec![0.0; planes * sizes.padded()];
    let pairs = padded.par_chunks_exact_mut(sizes.padded()).zip(x.par_chunks_exact(sizes.pixels()));
    pairs.for_each(|(to, from)| pad_plane(to, from, sizes));
    padded
}

/// The weights of the gradient's convolution: `[in, out / groups, k, k]`, turned by 180°, group by group.
fn transposed(w: &[f32], sizes: &Sizes) -> Vec<f32> {
    let area = sizes.kernel * sizes.kernel;
    let (inputs, outputs) = (sizes.group_inputs(), sizes.group_outputs());
    let mut turned = vec![0.0; w.len()];
    for group in 0..sizes.groups {
        let base = group * outputs * inputs * area;
        for output in 0..outputs {
            for input in 0..inputs {
                let from = base + (output * inputs + input) * area;
                let to = base + (input * outputs + output) * area;
                for k in 0..area {
                    turned[to + k] = w[from + area - 1 - k];
                }
            }
        }
    }
    turned
}

/// A 1×1 convolution without groups: one product per picture.
fn pointwise(x: &[f32], w: &[f32], b: Option<&[f32]>, sizes: &Sizes) -> Vec<f32> {
    let (pixels, inputs, outputs) = (sizes.pixels(), sizes.inputs, sizes.outputs);
    let mut y = vec![0.0; sizes.pictures * outputs * pixels];
    let share = channels_per_task(outputs, sizes.pictures);
    let pictures = y.par_chunks_exact_mut(outputs * pixels).zip(x.par_chunks_exact(inputs * pixels));
    pictures.for_each(|(y, x)| {
        y.par_chunks_mut(share * pixels).enumerate().for_each(|(task, y)| {
            let first = task * share;
            let count = y.len() / pixels;
            let weights = MatRef::from_row_major_slice(&w[first * inputs..(first + count) * inputs], count, inputs);
            let start = fill_bias(y, b, first, pixels);
            let x = MatRef::from_row_major_slice(x, inputs, pixels);
            let y = MatMut::from_row_major_slice_mut(y, count, pixels);
            matmul(y, start, weights, x, 1.0, Par::Seq);
        });
    });
    y
}

/// Puts the bias in every plane; says whether a product is to be added to what is there.
fn fill_bias(y: &mut [f32], b: Option<&[f32]>, first: usize, pixels: usize) -> Accum {
    let Some(b) = b else { return Accum::Replace };
    for (plane, bias) in y.chunks_exact_mut(pixels).zip(&b[first..]) {
        plane.fill(*bias);
    }
    Accum::Add
}

/// `dw = Σ_n dy xᵀ`.
fn pointwise_weight(x: &[f32], dy: &[f32], sizes: &Sizes) -> Vec<f32> {
    let (pixels, inputs, outputs) = (sizes.pixels(), sizes.inputs, sizes.outputs);
    let mut dw = vec![0.0; outputs * inputs];
    let share = channels_per_task(outputs, 1);
    dw.par_chunks_mut(share * inputs).enumerate().for_each(|(task, dw)| {
        let count = dw.len() / inputs;
        let mut dw = MatMut::from_row_major_slice_mut(dw, count, inputs);
        for (x, dy) in x.chunks_exact(inputs * pixels).zip(dy.chunks_exact(outputs * pixels)) {
            let dy = &dy[task * share * pixels..][..count * pixels];
            let dy = MatRef::from_row_major_slice(dy, count, pixels);
            let x = MatRef::from_row_major_slice(x, inputs, pixels);
            matmul(dw.as_mut(), Accum::Add, dy, x.transpose(), 1.0, Par::Seq);
        }
    });
    dw
}

/// What a task works in.
#[derive(Default)]
struct Scratch {
    /// The padded planes of a group.
    planes: Vec<f32>,
    /// The same of the other side.
    others: Vec<f32>,
    /// The shifted views of some columns below each other, `[inputs, 9, columns]`.
    patches: Vec<f32>,
    /// Products of some columns, `[outputs, columns]`.
    block: Vec<f32>,
}

thread_local! {
    /// Of tasks that are too small to make one: it stays from step to step. Of padded planes there are none in it.
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// Copies planes between zeros. The buffer holds zeros or planes of the same sizes.
fn pad_into(padded: &mut Vec<f32>, from: &[f32], sizes: &Sizes) {
    let planes = from.len() / sizes.pixels();
    padded.resize(planes * sizes.padded(), 0.0);
    for (to, from) in padded.chunks_exact_mut(sizes.padded()).zip(from.chunks_exact(sizes.pixels())) {
        pad_plane(to, from, sizes);
    }
}

fn pad_plane(to: &mut [f32], from: &[f32], sizes: &Sizes) {
    let row = sizes.row();
    for (to, from) in to[row..].chunks_exact_mut(row).zip(from.chunks_exact(sizes.width)) {
        to[1..=sizes.width].copy_from_slice(from);
    }
}

/// A 3×3 convolution.
fn spatial(x: &[f32], w: &[f32], b: Option<&[f32]>, sizes: &Sizes) -> Vec<f32> {
    let (inputs, outputs) = (sizes.group_inputs(), sizes.group_outputs());
    let pixels = sizes.pixels();
    let mut y = vec![0.0; sizes.pictures * sizes.outputs * pixels];
    if sizes.groups > 1 {
        // One group of one picture is one task, and its padded planes stay in the cache.
        y.par_chunks_exact_mut(outputs * pixels).zip(x.par_chunks_exact(inputs * pixels)).enumerate().for_each_init(
            Scratch::default,
            |scratch, (place, (y, x))| {
                let first = place % sizes.groups * outputs;
                let w = &w[first * inputs * 9..][..outputs * inputs * 9];
                let b = b.map(|b| &b[first..first + outputs]);
                let mut planes = std::mem::take(&mut scratch.planes);
                pad_into(&mut planes, x, sizes);
                match inputs {
                    1 => rows(&planes, w, b, y, sizes),
                    _ => products(&planes, w, b, y, sizes, scratch),
                }
                scratch.planes = planes;
            },
        );
        return y;
    }
    // A task has all outputs of some rows of a picture, so that what they see is gathered once.
    let padded = pad(x, sizes.inputs * sizes.pictures, sizes);
    let lines = sizes.lines();
    let mut tasks: Vec<(usize, usize, Vec<&mut [f32]>)> = Vec::new();
    for (picture, y) in y.chunks_exact_mut(outputs * pixels).enumerate() {
        let first = tasks.len();
        tasks.extend((0..sizes.height).step_by(lines).map(|top| (picture, top, Vec::with_capacity(outputs))));
        for plane in y.chunks_exact_mut(pixels) {
            for ((.., planes), rows) in tasks[first..].iter_mut().zip(plane.chunks_mut(lines * sizes.width)) {
                planes.push(rows);
            }
        }
    }
    let share = channels_per_task(outputs, tasks.len());
    tasks.into_par_iter().for_each(|(picture, top, mut planes)| {
        let x = &padded[picture * inputs * sizes.padded()..][..inputs * sizes.padded()];
        planes.par_chunks_mut(share).enumerate().for_each(|(task, planes)| {
            let w = &w[task * share * inputs * 9..][..planes.len() * inputs * 9];
            let mut scratch = SCRATCH.take();
            product(x, w, b.map(|b| &b[task * share..]), planes, top, sizes, &mut scratch);
            SCRATCH.set(scratch);
        });
    });
    y
}

/// The outputs of a group of one channel, row by row.
fn rows(x: &[f32], w: &[f32], b: Option<&[f32]>, y: &mut [f32], sizes: &Sizes) {
    let (row, width) = (sizes.row(), sizes.width);
    for (output, (plane, w)) in y.chunks_exact_mut(sizes.pixels()).zip(w.as_chunks::<9>().0).enumerate() {
        let bias = b.map_or(0.0, |b| b[output]);
        for (at, to) in plane.chunks_exact_mut(width).enumerate() {
            let [above, here, below] = [0, 1, 2].map(|i| &x[(at + i) * row..][..width + 2]);
            add_rows(to, above, here, below, w, bias);
        }
    }
}

/// One row of a 3×3 convolution of one channel.
#[inline(never)] // As arguments the slices are known not to overlap.
fn add_rows(to: &mut [f32], above: &[f32], here: &[f32], below: &[f32], w: &[f32; 9], bias: f32) {
    let width = to.len();
    let (a, b, c) = (&above[..width], &above[1..1 + width], &above[2..2 + width]);
    let (d, e, f) = (&here[..width], &here[1..1 + width], &here[2..2 + width]);
    let (g, h, j) = (&below[..width], &below[1..1 + width], &below[2..2 + width]);
    let &[wa, wb, wc, wd, we, wf, wg, wh, wj] = w;
    for i in 0..width {
        let first = bias + wa * a[i] + wb * b[i] + wc * c[i];
        let second = wd * d[i] + we * e[i] + wf * f[i];
        to[i] = first + second + (wg * g[i] + wh * h[i] + wj * j[i]);
    }
}

/// Copies the nine shifted views of every plane below each other: `columns` numbers from row `top`.
fn gather(patches: &mut Vec<f32>, x: &[f32], top: usize, columns: usize, sizes: &Sizes) {
    patches.resize(x.len() / sizes.padded() * 9 * columns, 0.0);
    for (to, x) in patches.chunks_exact_mut(9 * columns).zip(x.chunks_exact(sizes.padded())) {
        for (k, to) in to.chunks_exact_mut(columns).enumerate() {
            to.copy_from_slice(&x[top * sizes.row() + sizes.tap(k)..][..columns]);
        }
    }
}

/// Some outputs of one group by matrix products, block of columns by block.
fn products(x: &[f32], w: &[f32], b: Option<&[f32]>, y: &mut [f32], sizes: &Sizes, scratch: &mut Scratch) {
    let (width, lines) = (sizes.width, sizes.lines());
    for top in (0..sizes.height).step_by(lines) {
        let rows = top * width..(top + lines).min(sizes.height) * width;
        let mut planes: Vec<&mut [f32]> =
            y.chunks_exact_mut(sizes.pixels()).map(|plane| &mut plane[rows.clone()]).collect();
        product(x, w, b, &mut planes, top, sizes, scratch);
    }
}

/// A block of columns: from row `top` on the rows of every output's plane.
fn product(
    x: &[f32],
    w: &[f32],
    b: Option<&[f32]>,
    planes: &mut [&mut [f32]],
    top: usize,
    sizes: &Sizes,
    scratch: &mut Scratch,
) {
    let (row, inputs, count) = (sizes.row(), sizes.group_inputs(), planes.len());
    let columns = planes.first().map_or(0, |plane| plane.len()) / sizes.width * row;
    let Scratch { patches, block, .. } = scratch;
    block.resize(count * columns, 0.0);
    gather(patches, x, top, columns, sizes);
    let from = MatRef::from_row_major_slice(patches, inputs * 9, columns);
    let weights = MatRef::from_row_major_slice(w, count, inputs * 9);
    let to = MatMut::from_row_major_slice_mut(block, count, columns);
    matmul(to, Accum::Replace, weights, from, 1.0, Par::Seq);
    for (output, (plane, block)) in planes.iter_mut().zip(block.chunks_exact(columns)).enumerate() {
        let bias = b.map_or(0.0, |b| b[output]);
        for (to, from) in plane.chunks_exact_mut(sizes.width).zip(block.chunks_exact(row)) {
            for (to, from) in to.iter_mut().zip(from) {
                *to = from + bias;
            }
        }
    }
}

/// The gradient with respect to the weights of a 3×3 convolution.
fn spatial_weight(x: &[f32], dy: &[f32], sizes: &Sizes) -> Vec<f32> {
    let (inputs, outputs, padded) = (sizes.group_inputs(), sizes.group_outputs(), sizes.padded());
    let pixels = sizes.pixels();
    let mut dw = vec![0.0; sizes.outputs * inputs * 9];
    if sizes.groups > 1 {
        dw.par_chunks_exact_mut(outputs * inputs * 9).enumerate().for_each_init(
            Scratch::default,
            |scratch, (group, dw)| {
                let mut planes = std::mem::take(&mut scratch.planes);
                let mut others = std::mem::take(&mut scratch.others);
                for picture in 0..sizes.pictures {
                    let place = picture * sizes.groups + group;
                    let dy = &dy[place * outputs * pixels..][..outputs * pixels];
                    pad_into(&mut planes, &x[place * inputs * pixels..][..inputs * pixels], sizes);
                    if inputs == 1 {
                        rows_weight(&planes, dy, dw, sizes);
                    } else {
                        pad_into(&mut others, dy, sizes);
                        products_weight(&planes, &others, dw, sizes, scratch);
                    }
                }
                scratch.planes = planes;
                scratch.others = others;
            },
        );
        return dw;
    }
    let [x, dy] = [(x, inputs), (dy, outputs)].map(|(map, channels)| pad(map, channels * sizes.pictures, sizes));
    let share = channels_per_task(outputs, 1);
    dw.par_chunks_mut(share * inputs * 9).enumerate().for_each_init(Scratch::default, |scratch, (task, dw)| {
        let count = dw.len() / (inputs * 9);
        for (x, dy) in x.chunks_exact(inputs * padded).zip(dy.chunks_exact(outputs * padded)) {
            products_weight(x, &dy[task * share * padded..][..count * padded], dw, sizes, scratch);
        }
    });
    dw
}

/// Adds `dy xᵀ` with x shifted by every tap, block of columns by block; the padding's zeros do the borders.
fn products_weight(x: &[f32], dy: &[f32], dw: &mut [f32], sizes: &Sizes, scratch: &mut Scratch) {
    let (row, inputs, padded) = (sizes.row(), sizes.group_inputs(), sizes.padded());
    let count = dy.len() / padded;
    let lines = sizes.lines();
    for top in (0..sizes.height).step_by(lines) {
        let columns = lines.min(sizes.height - top) * row;
        let start = (top + 1) * row + 1;
        let dy = &dy[start..start + (count - 1) * padded + columns];
        let dy = MatRef::from_row_major_slice_with_stride(dy, count, columns, padded);
        gather(&mut scratch.patches, x, top, columns, sizes);
        let x = MatRef::from_row_major_slice(&scratch.patches, inputs * 9, columns);
        let to = MatMut::from_row_major_slice_mut(dw, count, inputs * 9);
        matmul(to, Accum::Add, dy, x.transpose(), 1.0, Par::Seq);
    }
}

/// Adds nine sums of products per output of a group of one channel: `x` padded, `dy` not.
fn rows_weight(x: &[f32], dy: &[f32], dw: &mut [f32], sizes: &Sizes) {
    let (row, width) = (sizes.row(), sizes.width);
    for (dy, dw) in dy.chunks_exact(sizes.pixels()).zip(dw.chunks_exact_mut(9)) {
        let mut sums = [0.0_f64; 9];
        for (at, dy) in dy.chunks_exact(width).enumerate() {
            for (k, sum) in sums.iter_mut().enumerate() {
                *sum += f64::from(dot(dy, &x[at * row + sizes.tap(k)..][..width]));
            }
        }
        for (dw, sum) in dw.iter_mut().zip(sums) {
            *dw += sum as f32;
        }
    }
}

/// `Σ_i a[i] b[i]` in lanes.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 16];
    let (mut left, mut right) = (a.chunks_exact(16), b.chunks_exact(16));
    for (a, b) in (&mut left).zip(&mut right) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let rest: f32 = left.remainder().iter().zip(right.remainder()).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}
