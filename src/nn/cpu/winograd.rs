//! Convolutions of 3×3 at stride 1 by Winograd's F(2×2, 3×3): a tile of 2×2 outputs takes 16 products per input channel instead of 36
//! (Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", section 4.1).
//!
//! Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A for a kernel g, a tile's 4×4 inputs d and its 2×2 outputs Y. The 16 terms of all tiles and channels
//! are 16 products of matrices. The gradients take the same road: with respect to x with the kernels turned by 180°, with respect to
//! the kernels as Gᵀ [Σ (A dY Aᵀ) ⊙ (Bᵀ d B)] G over all tiles. All factors are 0, ±½ and ±1: what is lost to rounding is about twice
//! what a plain sum of products loses.

use std::cell::Cell;
use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::dense::Dense;
use super::maths::wide;
use super::turn::{channels_last, transpose};

/// Terms of a tile: 4×4.
const TERMS: usize = 16;
/// Side of a tile of outputs.
const SIDE: usize = 2;
/// Numbers that are computed beside each other.
const LANES: usize = 8;

/// Whether a convolution is done this way: where there are few tiles or few channels, the transforms cost what they save. Narrow planes
/// need more channels: what they would gain otherwise is little (6 % of the small encoder's step), and its recorded runs would round
/// differently.
pub fn fits(of: &Dense) -> bool {
    let plain = of.kernel == [3, 3] && of.stride == [1, 1] && of.dilation == [1, 1];
    let [rows, columns] = of.out().map(|side| side.div_ceil(SIDE));
    let channels = of.inputs.min(of.outputs);
    plain
        && of.padding.iter().all(|padding| *padding <= 2)
        && of.pictures * rows * columns >= 32
        && channels >= if columns >= 8 { 16 } else { 64 }
}

/// Tiles of some rows of some pictures, which one task does at a time.
#[derive(Debug, Clone)]
struct Tiles {
    pictures: Range<usize>,
    rows: Range<usize>,
    columns: usize,
}

impl Tiles {
    fn count(&self) -> usize {
        self.pictures.len() * self.rows.len() * self.columns
    }

    /// All tiles of a convolution's output: so many at a time as their terms stay in a core's cache and every thread has some.
    fn all(of: &Dense) -> Vec<Self> {
        const NUMBERS: usize = 1 << 14;
        const FEWEST: usize = 32;
        let [rows, columns] = of.out().map(|side| side.div_ceil(SIDE));
        let share = (of.pictures * rows * columns / tasks()).max(FEWEST);
        let wanted = (NUMBERS / of.inputs.max(of.outputs)).clamp(64, 256).min(share);
        let pictures = (wanted / (rows * columns)).clamp(1, of.pictures);
        let lines = if pictures > 1 { rows } else { (wanted / columns).clamp(1, rows) };
        let groups = (0..of.pictures).step_by(pictures).map(|first| first..(first + pictures).min(of.pictures));
        let bands = |pictures: Range<usize>| {
            let bands = (0..rows).step_by(lines).map(move |top| top..(top + lines).min(rows));
            bands.map(move |rows| Self { pictures: pictures.clone(), rows, columns })
        };
        groups.flat_map(bands).collect()
    }
}

/// How many tasks keep every thread busy.
fn tasks() -> usize {
    match rayon::current_num_threads() {
        1 => 1,
        threads => 2 * threads,
    }
}

/// Into how many shares the outputs, and into how many parts the blocks are split. Kernels are transformed once per part, inputs once
/// per share: of all ways that give every thread something to do, that which repeats least.
fn split(of: &Dense, blocks: &[Tiles]) -> (usize, usize) {
    let (tasks, most) = (tasks(), of.outputs.div_ceil(LANES));
    let tiles: usize = blocks.iter().map(Tiles::count).sum();
    let cost = |&(shares, parts): &(usize, usize)| shares as f64 / of.outputs as f64 + parts as f64 / tiles as f64;
    (1..=tasks.min(most))
        .map(|shares| (shares, tasks.div_ceil(shares).min(blocks.len())))
        .filter(|(shares, parts)| shares * parts >= tasks || *shares == most)
        .min_by(|a, b| cost(a).total_cmp(&cost(b)))
        .unwrap_or((1, 1))
}

/// A whole in some parts of about one size.
fn parts(whole: usize, parts: usize) -> impl Iterator<Item = Range<usize>> + Clone {
    (0..parts).map(move |part| whole * part / parts..whole * (part + 1) / parts)
}

/// In which of these parts a number lies.
fn part_of(number: usize, whole: usize, parts: usize) -> usize {
    ((number + 1) * parts - 1) / whole
}

/// What a task works in.
#[derive(Default)]
struct Scratch {
    /// `[rows, columns, channels]`: what the tiles see.
    map: Vec<f32>,
    /// d B: `[rows, 4, tile columns, channels]`
    halves: Vec<f32>,
    /// Bᵀ d B: `[16, tiles, channels]`
    seen: Vec<f32>,
    /// G g Gᵀ, or its gradient: `[16, outputs, inputs]`
    kernels: Vec<f32>,
    /// Their products: `[16, tiles, outputs]`; or A dY Aᵀ: `[16, outputs, tiles]`
    products: Vec<f32>,
    /// Two rows of the output, as they are made and turned; or the four places of all tiles.
    lines: Vec<f32>,
}

thread_local! {
    /// It stays from step to step, as large as the largest convolution needed it.
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// So many numbers of a buffer, whatever they are.
fn room(buffer: &mut Vec<f32>, count: usize) -> &mut [f32] {
    if buffer.len() < count {
        buffer.resize(count, 0.0);
    }
    &mut buffer[..count]
}

/// Which way round kernels are applied.
#[derive(Debug, Clone, Copy)]
enum Kernels {
    /// `[out, in, 3, 3]`
    Given,
    /// `[in, out, 3, 3]`, turned by 180°: those of the gradient.
    Turned,
}

/// `y = x ∗ w + b`: `x` `[N, in, H, W]`, `w` `[out, in, 3, 3]`, `b` `[out]`.
pub fn forward(x: &[f32], w: &[f32], b: Option<&[f32]>, of: &Dense) -> Vec<f32> {
    convolve(x, w, Kernels::Given, b, of)
}

/// The gradient with respect to x, `[N, in, H, W]`, from `dy` `[N, out, H', W']`.
pub fn input_gradient(w: &[f32], dy: &[f32], of: &Dense) -> Vec<f32> {
    convolve(dy, w, Kernels::Turned, None, &of.reversed())
}

/// A block of tiles and what it writes of the planes of some outputs, picture after picture.
struct Block<'a> {
    tiles: &'a Tiles,
    planes: Vec<&'a mut [f32]>,
}

fn convolve(x: &[f32], w: &[f32], way: Kernels, b: Option<&[f32]>, of: &Dense) -> Vec<f32> {
    let [height, width] = of.out();
    let mut y = vec![0.0; of.pictures * of.outputs * height * width];
    let blocks = Tiles::all(of);
    let (shares, sets) = split(of, &blocks);
    // `[sets, shares]`
    let mut tasks: Vec<(Range<usize>, Vec<Block<'_>>)> = Vec::with_capacity(sets * shares);
    for set in parts(blocks.len(), sets) {
        for outputs in parts(of.outputs, shares) {
            let planes = || Vec::with_capacity(blocks[0].pictures.len() * outputs.len());
            let blocks = blocks[set.clone()].iter().map(|tiles| Block { tiles, planes: planes() }).collect();
            tasks.push((outputs.clone(), blocks));
        }
    }
    let (together, lines) = (blocks[0].pictures.len(), SIDE * blocks[0].rows.len());
    let bands = height.div_ceil(lines);
    for (at, plane) in y.chunks_exact_mut(height * width).enumerate() {
        let (picture, share) = (at / of.outputs, part_of(at % of.outputs, of.outputs, shares));
        for (band, rows) in plane.chunks_mut(lines * width).enumerate() {
            let block = picture / together * bands + band;
            let set = part_of(block, blocks.len(), sets);
            let first = blocks.len() * set / sets;
            tasks[set * shares + share].1[block - first].planes.push(rows);
        }
    }
    tasks.into_par_iter().for_each(|(outputs, blocks)| {
        let mut scratch = SCRATCH.take();
        kernels(&mut scratch.kernels, w, way, outputs.clone(), of);
        for Block { tiles, planes } in blocks {
            transform_inputs(&mut scratch, x, tiles, of);
            multiply(&mut scratch, way, outputs.len(), tiles, of);
            transform_products(&mut scratch, planes, b.map(|b| &b[outputs.clone()]), outputs.len(), tiles, width);
        }
        SCRATCH.set(scratch);
    });
    y
}

/// G g Gᵀ of some outputs' kernels, `[16, outputs, inputs]`, or `[16, inputs, outputs]` of those that are to be turned.
fn kernels(to: &mut Vec<f32>, w: &[f32], way: Kernels, outputs: Range<usize>, of: &Dense) {
    let (rows, columns) = match way {
        Kernels::Given => (outputs.len(), of.inputs),
        Kernels::Turned => (of.inputs, outputs.len()),
    };
    let term = rows * columns;
    let to = room(to, TERMS * term);
    for row in 0..rows {
        let w = match way {
            Kernels::Given => &w[(outputs.start + row) * columns * 9..],
            Kernels::Turned => &w[(row * of.outputs + outputs.start) * 9..],
        };
        wide(
            #[inline(always)]
            || {
                let (to, whole) = (&mut to[row * columns..], columns / LANES * LANES);
                for at in (0..whole).step_by(LANES) {
                    for (term, numbers) in to[at..].chunks_mut(term).zip(&kernel_terms::<LANES>(&w[at * 9..])) {
                        term[..LANES].copy_from_slice(numbers);
                    }
                }
                for at in whole..columns {
                    for (term, [number]) in to[at..].chunks_mut(term).zip(kernel_terms::<1>(&w[at * 9..])) {
                        term[0] = number;
                    }
                }
            },
        );
    }
}

/// G g Gᵀ of some kernels that lie one behind the other.
#[inline(always)]
fn kernel_terms<const L: usize>(w: &[f32]) -> [[f32; L]; TERMS] {
    let mut taps = [[0.0; L]; 9];
    for (lane, w) in w[..9 * L].as_chunks::<9>().0.iter().enumerate() {
        for (tap, w) in taps.iter_mut().zip(w) {
            tap[lane] = *w;
        }
    }
    let half = [0, 1, 2].map(|j| spread(&taps[j], &taps[3 + j], &taps[6 + j]));
    let mut terms = [[0.0; L]; TERMS];
    for (i, terms) in terms.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        *terms = spread(&half[0][i], &half[1][i], &half[2][i]);
    }
    terms
}

/// G (a, b, c)
#[inline(always)]
fn spread<const L: usize>(a: &[f32; L], b: &[f32; L], c: &[f32; L]) -> [[f32; L]; 4] {
    let mut to = [*a, [0.0; L], [0.0; L], *c];
    for lane in 0..L {
        let ends = 0.5 * (a[lane] + c[lane]);
        to[1][lane] = ends + 0.5 * b[lane];
        to[2][lane] = ends - 0.5 * b[lane];
    }
    to
}

/// Gᵀ (a, b, c, d)
#[inline(always)]
fn gathered<const L: usize>(a: &[f32; L], b: &[f32; L], c: &[f32; L], d: &[f32; L]) -> [[f32; L]; 3] {
    let mut to = [[0.0; L]; 3];
    for lane in 0..L {
        let sum = 0.5 * (b[lane] + c[lane]);
        to[0][lane] = a[lane] + sum;
        to[1][lane] = 0.5 * (b[lane] - c[lane]);
        to[2][lane] = sum + d[lane];
    }
    to
}

/// `to = a + b`
#[inline(always)]
fn plus(to: &mut [f32], a: &[f32], b: &[f32]) {
    for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
        *to = a + b;
    }
}

/// `to = a − b`
#[inline(always)]
fn minus(to: &mut [f32], a: &[f32], b: &[f32]) {
    for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
        *to = a - b;
    }
}

/// Bᵀ d B of all input channels of some tiles: `[16, tiles, inputs]`.
fn transform_inputs(scratch: &mut Scratch, x: &[f32], tiles: &Tiles, of: &Dense) {
    let (channels, picture) = (of.inputs, of.inputs * of.in_pixels());
    let [term, half] = [tiles.count(), tiles.columns].map(|tiles| tiles * channels);
    let (rows, columns) = (SIDE * tiles.rows.len() + 2, SIDE * tiles.columns + 2);
    let seen = room(&mut scratch.seen, TERMS * term);
    let halves = room(&mut scratch.halves, rows * 4 * half);
    let map = room(&mut scratch.map, rows * columns * channels);
    // What lies outside the picture is not written and differs from block to block.
    map.fill(0.0);
    let above = of.padding[0] as isize - (SIDE * tiles.rows.start) as isize;
    for (at, x) in x.chunks_exact(picture).take(tiles.pictures.end).skip(tiles.pictures.start).enumerate() {
        channels_last(map, x, channels, of.size, columns, above, of.padding[1]);
        wide(
            #[inline(always)]
            || {
                for (halves, line) in halves.chunks_exact_mut(4 * half).zip(map.chunks_exact(columns * channels)) {
                    for column in 0..tiles.columns {
                        let d = |i: usize| &line[(SIDE * column + i) * channels..][..channels];
                        let to = |j: usize| j * half + column * channels;
                        minus(&mut halves[to(0)..][..channels], d(0), d(2));
                        plus(&mut halves[to(1)..][..channels], d(1), d(2));
                        minus(&mut halves[to(2)..][..channels], d(2), d(1));
                        minus(&mut halves[to(3)..][..channels], d(1), d(3));
                    }
                }
                for row in 0..tiles.rows.len() {
                    let d = |i: usize, j: usize| &halves[((SIDE * row + i) * 4 + j) * half..][..half];
                    let to = |i: usize, j: usize| (4 * i + j) * term + (at * tiles.rows.len() + row) * half;
                    for j in 0..4 {
                        minus(&mut seen[to(0, j)..][..half], d(0, j), d(2, j));
                        plus(&mut seen[to(1, j)..][..half], d(1, j), d(2, j));
                        minus(&mut seen[to(2, j)..][..half], d(2, j), d(1, j));
                        minus(&mut seen[to(3, j)..][..half], d(1, j), d(3, j));
                    }
                }
            },
        );
    }
}

/// The 16 products of what tiles see with kernels: `[16, tiles, outputs]`.
fn multiply(scratch: &mut Scratch, way: Kernels, outputs: usize, tiles: &Tiles, of: &Dense) {
    let (inputs, tiles) = (of.inputs, tiles.count());
    let products = room(&mut scratch.products, TERMS * tiles * outputs);
    let seen = scratch.seen.chunks_exact(tiles * inputs);
    for (term, (to, seen)) in products.chunks_exact_mut(tiles * outputs).zip(seen).enumerate() {
        let kernels = match way {
            Kernels::Given => {
                let kernels = &scratch.kernels[term * outputs * inputs..][..outputs * inputs];
                MatRef::from_row_major_slice(kernels, outputs, inputs).transpose()
            }
            // A turned kernel has the first and last row and column of terms exchanged.
            Kernels::Turned => {
                let turned = [3, 1, 2, 0];
                let term = 4 * turned[term / 4] + turned[term % 4];
                MatRef::from_row_major_slice(
                    &scratch.kernels[term * outputs * inputs..][..inputs * outputs],
                    inputs,
                    outputs,
                )
            }
        };
        let seen = MatRef::from_row_major_slice(seen, tiles, inputs);
        let to = MatMut::from_row_major_slice_mut(to, tiles, outputs);
        matmul(to, Accum::Replace, seen, kernels, 1.0, Par::Seq);
    }
}

/// Aᵀ m A of a tile's terms m, which lie `term` apart, for some outputs: the four places of the tile.
#[inline(always)]
fn places<const L: usize>(m: &[f32], term: usize) -> [[f32; L]; SIDE * SIDE] {
    // Aᵀ m: the upper and the lower row of every column.
    let mut half = [[[0.0; L]; SIDE]; 4];
    for (j, [upper, lower]) in half.iter_mut().enumerate() {
        let [a, b, c, d] = [j, 4 + j, 8 + j, 12 + j].map(|at| &m[at * term..][..L]);
        for lane in 0..L {
            upper[lane] = a[lane] + b[lane] + c[lane];
            lower[lane] = b[lane] - c[lane] - d[lane];
        }
    }
    let mut y = [[0.0; L]; SIDE * SIDE];
    for (row, y) in y.as_chunks_mut::<SIDE>().0.iter_mut().enumerate() {
        let [a, b, c, d] = half.each_ref().map(|column| &column[row]);
        for lane in 0..L {
            y[0][lane] = a[lane] + b[lane] + c[lane];
            y[1][lane] = b[lane] - c[lane] - d[lane];
        }
    }
    y
}

/// Aᵀ m A of all tiles, with the bias, into the planes of some outputs, picture after picture.
fn transform_products(
    scratch: &mut Scratch,
    mut planes: Vec<&mut [f32]>,
    b: Option<&[f32]>,
    outputs: usize,
    tiles: &Tiles,
    width: usize,
) {
    let (term, columns) = (tiles.count() * outputs, SIDE * tiles.columns);
    let line = columns * outputs;
    let (lines, planar) = room(&mut scratch.lines, 2 * SIDE * line).split_at_mut(SIDE * line);
    let mut tile = 0;
    for planes in planes.chunks_exact_mut(outputs) {
        for row in 0..tiles.rows.len() {
            wide(
                #[inline(always)]
                || {
                    let (upper, lower) = lines.split_at_mut(line);
                    let pairs = upper.chunks_exact_mut(SIDE * outputs).zip(lower.chunks_exact_mut(SIDE * outputs));
                    for (upper, lower) in pairs {
                        let m = &scratch.products[tile * outputs..];
                        let ((a, b), (c, d)) = (upper.split_at_mut(outputs), lower.split_at_mut(outputs));
                        let mut to = [a, b, c, d];
                        let whole = outputs / LANES * LANES;
                        for at in (0..whole).step_by(LANES) {
                            for (to, y) in to.iter_mut().zip(&places::<LANES>(&m[at..], term)) {
                                to[at..at + LANES].copy_from_slice(y);
                            }
                        }
                        for at in whole..outputs {
                            for (to, [y]) in to.iter_mut().zip(places::<1>(&m[at..], term)) {
                                to[at] = y;
                            }
                        }
                        tile += 1;
                    }
                },
            );
            // Both rows of an output, one behind the other.
            transpose(lines, outputs, planar, SIDE * columns, SIDE * columns, outputs);
            for (output, (plane, rows)) in planes.iter_mut().zip(planar.chunks_exact(SIDE * columns)).enumerate() {
                let bias = b.map_or(0.0, |b| b[output]);
                for (to, from) in plane[SIDE * row * width..].chunks_mut(width).zip(rows.chunks_exact(columns)) {
                    for (to, from) in to.iter_mut().zip(from) {
                        *to = from + bias;
                    }
                }
            }
        }
    }
}

/// A dY Aᵀ of some outputs of some tiles: `[16, outputs, tiles]`.
fn transform_gradient(scratch: &mut Scratch, dy: &[f32], outputs: Range<usize>, tiles: &Tiles, of: &Dense) {
    let ([height, width], all) = (of.out(), tiles.count());
    let term = outputs.len() * all;
    let products = room(&mut scratch.products, TERMS * term);
    // The four places of all tiles.
    let lines = room(&mut scratch.lines, SIDE * SIDE * all);
    wide(
        #[inline(always)]
        || {
            for (at, output) in outputs.enumerate() {
                let mut tile = 0;
                for picture in tiles.pictures.clone() {
                    let plane = &dy[(picture * of.outputs + output) * height * width..][..height * width];
                    for row in SIDE * tiles.rows.start..SIDE * tiles.rows.end {
                        let (left, right) = lines[row % SIDE * SIDE * all..][..SIDE * all].split_at_mut(all);
                        let (left, right) = (&mut left[tile..][..tiles.columns], &mut right[tile..][..tiles.columns]);
                        match plane.get(row * width..(row + 1) * width) {
                            Some(line) => {
                                let (pairs, last) = line.as_chunks::<SIDE>();
                                for (([a, b], left), right) in pairs.iter().zip(&mut *left).zip(&mut *right) {
                                    (*left, *right) = (*a, *b);
                                }
                                if let ([last], [.., left], [.., right]) = (last, left, right) {
                                    (*left, *right) = (*last, 0.0);
                                }
                            }
                            None => {
                                left.fill(0.0);
                                right.fill(0.0);
                            }
                        }
                        tile += row % SIDE * tiles.columns;
                    }
                }
                let (upper, lower) = lines.split_at(SIDE * all);
                let ((a, b), (c, d)) = (upper.split_at(all), lower.split_at(all));
                let mut terms = products.chunks_exact_mut(term).map(|term| &mut term[at * all..][..all]);
                // The rows of A dY.
                gradient_terms(&mut terms, |tile| (a[tile], b[tile]));
                gradient_terms(&mut terms, |tile| (a[tile] + c[tile], b[tile] + d[tile]));
                gradient_terms(&mut terms, |tile| (a[tile] - c[tile], b[tile] - d[tile]));
                gradient_terms(&mut terms, |tile| (-c[tile], -d[tile]));
            }
        },
    );
}

/// Four terms of all tiles: a row of A dY times Aᵀ.
#[inline(always)]
fn gradient_terms<'a>(terms: &mut impl Iterator<Item = &'a mut [f32]>, row: impl Fn(usize) -> (f32, f32)) {
    let (Some(to_a), Some(to_b), Some(to_c), Some(to_d)) = (terms.next(), terms.next(), terms.next(), terms.next())
    else {
        return;
    };
    let places = to_a.iter_mut().zip(to_b).zip(to_c).zip(to_d);
    for (tile, (((to_a, to_b), to_c), to_d)) in places.enumerate() {
        let (left, right) = row(tile);
        *to_a = left;
        *to_b = left + right;
        *to_c = left - right;
        *to_d = -right;
    }
}

/// The gradient with respect to the kernels, `[out, in, 3, 3]`, from `dy` `[N, out, H', W']`.
pub fn weight_gradient(x: &[f32], dy: &[f32], of: &Dense) -> Vec<f32> {
    let blocks = Tiles::all(of);
    let (shares, sets) = split(of, &blocks);
    let tasks: Vec<(Range<usize>, Range<usize>)> = parts(of.outputs, shares)
        .flat_map(|outputs| parts(blocks.len(), sets).map(move |set| (outputs.clone(), set)))
        .collect();
    let found: Vec<Vec<f32>> = tasks
        .into_par_iter()
        .map(|(outputs, set)| {
            let mut scratch = SCRATCH.take();
            for (at, tiles) in blocks[set].iter().enumerate() {
                transform_inputs(&mut scratch, x, tiles, of);
                transform_gradient(&mut scratch, dy, outputs.clone(), tiles, of);
                add_products(&mut scratch, if at == 0 { Accum::Replace } else { Accum::Add }, outputs.len(), tiles, of);
            }
            let dw = gather_kernels(&scratch.kernels, outputs.len(), of.inputs);
            SCRATCH.set(scratch);
            dw
        })
        .collect();
    let mut dw = Vec::with_capacity(of.outputs * of.inputs * 9);
    for sets in found.chunks(sets) {
        let start = dw.len();
        dw.extend_from_slice(&sets[0]);
        for set in &sets[1..] {
            dw[start..].iter_mut().zip(set).for_each(|(to, from)| *to += from);
        }
    }
    dw
}

/// Adds the 16 products of A dY Aᵀ with what the tiles see: `[16, outputs, inputs]`.
fn add_products(scratch: &mut Scratch, start: Accum, outputs: usize, tiles: &Tiles, of: &Dense) {
    let (inputs, tiles) = (of.inputs, tiles.count());
    let kernels = room(&mut scratch.kernels, TERMS * outputs * inputs);
    let terms = scratch.products.chunks_exact(outputs * tiles).zip(scratch.seen.chunks_exact(tiles * inputs));
    for (to, (dy, seen)) in kernels.chunks_exact_mut(outputs * inputs).zip(terms) {
        let dy = MatRef::from_row_major_slice(dy, outputs, tiles);
        let seen = MatRef::from_row_major_slice(seen, tiles, inputs);
        matmul(MatMut::from_row_major_slice_mut(to, outputs, inputs), start, dy, seen, 1.0, Par::Seq);
    }
}

/// Gᵀ u G: `[outputs, inputs, 3, 3]` from `[16, outputs, inputs]`.
fn gather_kernels(u: &[f32], outputs: usize, inputs: usize) -> Vec<f32> {
    let term = outputs * inputs;
    let mut dw = vec![0.0; term * 9];
    wide(
        #[inline(always)]
        || {
            let (groups, rest) = dw.as_chunks_mut::<{ 9 * LANES }>();
            let whole = groups.len() * LANES;
            for (group, dw) in groups.iter_mut().enumerate() {
                kernel_gradients::<LANES>(dw, &u[group * LANES..], term);
            }
            for (at, dw) in rest.chunks_exact_mut(9).enumerate() {
                kernel_gradients::<1>(dw, &u[whole + at..], term);
            }
        },
    );
    dw
}

/// Gᵀ u G of some kernels whose terms lie `term` apart.
#[inline(always)]
fn kernel_gradients<const L: usize>(dw: &mut [f32], u: &[f32], term: usize) {
    let mut half = [[[0.0; L]; 3]; 4];
    for (j, half) in half.iter_mut().enumerate() {
        let mut column = [[0.0; L]; 4];
        for (i, numbers) in column.iter_mut().enumerate() {
            numbers.copy_from_slice(&u[(4 * i + j) * term..][..L]);
        }
        *half = gathered(&column[0], &column[1], &column[2], &column[3]);
    }
    for i in 0..3 {
        let row = gathered(&half[0][i], &half[1][i], &half[2][i], &half[3][i]);
        for (j, numbers) in row.iter().enumerate() {
            for (dw, number) in dw.chunks_exact_mut(9).zip(numbers) {
                dw[3 * i + j] = *number;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dense::tests::{PLAIN, assert_gives_the_sum_of_its_products};
    use super::*;

    #[test]
    fn terms_of_tiles_give_the_sum_of_products() {
        let plain = Dense { inputs: 19, outputs: 16, size: [8, 16], ..PLAIN };
        let cases = [
            plain,
            Dense { size: [7, 19], ..plain },
            Dense { padding: [0, 2], ..plain },
            Dense { padding: [2, 0], size: [9, 18], ..plain },
            Dense { pictures: 1, size: [40, 37], outputs: 21, ..plain },
            Dense { pictures: 2, inputs: 130, outputs: 66, size: [12, 20], ..plain },
            Dense { pictures: 37, inputs: 67, outputs: 65, size: [2, 3], ..plain },
            Dense { pictures: 40, inputs: 64, outputs: 66, size: [1, 1], ..plain },
        ];
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            for of in cases {
                assert!(fits(&of), "{of:?}");
                pool.install(|| {
                    assert_gives_the_sum_of_its_products(&of, forward, input_gradient, weight_gradient);
                });
            }
        }
    }

    #[test]
    fn every_part_of_a_whole_knows_its_numbers() {
        for (whole, count) in [(10, 1), (10, 3), (7, 7), (33, 4)] {
            let all: Vec<Range<usize>> = parts(whole, count).collect();
            assert_eq!((all[0].start, all[count - 1].end), (0, whole));
            for number in 0..whole {
                assert!(all[part_of(number, whole, count)].contains(&number), "{number} of {whole} in {count}");
            }
        }
    }
}
