//! Matching scores of words with the regions they look at, on the host, forward and backward, picture by picture: nothing of the size
//! pictures × words × regions is ever kept.
//!
//! Letters: I pictures, R regions of each, T texts, M words of all texts without padding, d numbers of a vector. Of a picture with keys
//! k_r and values x_r and a word w: scores s_r = w·k_r; where asked for the softmax over the words of the same text, region by region;
//! a = softmax_r(temp1·s); c = Σ_r a_r x_r; m the cosine of c and w; of a text log Σ exp(temp2·m).

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::maths::{dot, exp, softmax, softmax_backward, wide};

/// How the scores are computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Matching {
    pub regions: usize,
    pub d: usize,
    /// Words of each text, in order; none is 0.
    pub lengths: Vec<usize>,
    pub words_softmax: bool,
    pub temp1: f32,
    pub temp2: f32,
    /// The least denominator of a cosine.
    pub least: f32,
}

/// Pictures are put together in so many groups at most, whose gradients with respect to the words are added up in order: the same sum with
/// any number of threads.
const GROUPS: usize = 8;

/// What is computed of one picture.
#[derive(Default)]
struct Scratch {
    /// After the softmax over words, or the scores, `[M, R]`.
    p: Vec<f32>,
    /// a `[M, R]`.
    a: Vec<f32>,
    /// c `[M, d]`.
    c: Vec<f32>,
    /// Gradients `[M, R]`, `[M, d]`.
    da: Vec<f32>,
    dc: Vec<f32>,
    /// Some row of R.
    row: [Vec<f32>; 2],
}

/// A cosine with what its slope needs.
#[derive(Clone, Copy)]
struct Cosine {
    m: f32,
    /// |c|², |w|².
    squares: [f32; 2],
    /// What divided the product.
    length: f32,
}

impl Matching {
    fn words(&self) -> usize {
        self.lengths.iter().sum()
    }

    /// First and last word of each text.
    fn texts(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.lengths.iter().scan(0, |at, length| {
            let first = *at;
            *at += length;
            Some(first..*at)
        })
    }

    /// log Σ exp of each text `[I, T]`: keys and values `[I, R, d]`, words `[M, d]`.
    pub fn forward(&self, keys: &[f32], values: &[f32], words: &[f32]) -> Vec<f32> {
        let each = self.regions * self.d;
        let texts = self.lengths.len();
        let mut sums = vec![0.0; keys.len() / each * texts];
        let pictures = keys.par_chunks_exact(each).zip(values.par_chunks_exact(each));
        sums.par_chunks_exact_mut(texts).zip(pictures).for_each_init(
            Scratch::default,
            |scratch, (sums, (keys, values))| {
                self.attend(keys, values, words, scratch);
                for (sum, range) in sums.iter_mut().zip(self.texts()) {
                    let cosines = range.map(|word| self.cosine(&scratch.c, words, word).m * self.temp2);
                    let cosines: Vec<f32> = cosines.collect();
                    let most = cosines.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    *sum = most + cosines.iter().map(|cosine| (cosine - most).exp()).sum::<f32>().ln();
                }
            },
        );
        sums
    }

    fn cosine(&self, c: &[f32], words: &[f32], word: usize) -> Cosine {
        let [c, w] = [c, words].map(|of| &of[word * self.d..][..self.d]);
        let squares = [dot(c, c), dot(w, w)];
        let length = (squares[0] * squares[1]).max(self.least * self.least).sqrt();
        Cosine { m: dot(c, w) / length, squares, length }
    }

    /// p, a and c of one picture.
    fn attend(&self, keys: &[f32], values: &[f32], words: &[f32], scratch: &mut Scratch) {
        let (count, regions, d) = (self.words(), self.regions, self.d);
        let Scratch { p, a, c, row: [most, total], .. } = scratch;
        p.resize(count * regions, 0.0);
        c.resize(count * d, 0.0);
        product(p, words, keys, [count, d, regions], Kind::SecondTurned, Accum::Replace);
        if self.words_softmax {
            for range in self.texts() {
                softmax_over_rows(&mut p[range.start * regions..range.end * regions], regions, most, total);
            }
        }
        a.clear();
        a.extend(p.iter().map(|p| p * self.temp1));
        wide(
            #[inline(always)]
            || a.chunks_exact_mut(regions).for_each(softmax),
        );
        product(c, a, values, [count, regions, d], Kind::Plain, Accum::Replace);
    }

    /// Gradients with respect to keys, values and words, of the shapes of [`Matching::forward`], from `grad` `[I, T]`.
    pub fn backward(&self, keys: &[f32], values: &[f32], words: &[f32], grad: &[f32]) -> [Vec<f32>; 3] {
        let each = self.regions * self.d;
        let (pictures, texts) = (keys.len() / each, self.lengths.len());
        let mut dkeys = vec![0.0; keys.len()];
        let mut dvalues = vec![0.0; values.len()];
        let group = pictures.div_ceil(GROUPS).max(1);
        let pairs = dkeys.par_chunks_mut(group * each).zip(dvalues.par_chunks_mut(group * each));
        let parts: Vec<Vec<f32>> = pairs
            .enumerate()
            .map(|(place, (dkeys, dvalues))| {
                let mut scratch = Scratch::default();
                let mut dwords = vec![0.0; words.len()];
                let pairs = dkeys.chunks_exact_mut(each).zip(dvalues.chunks_exact_mut(each));
                for (i, (dkeys, dvalues)) in pairs.enumerate() {
                    let i = place * group + i;
                    let (keys, values) = (&keys[i * each..(i + 1) * each], &values[i * each..(i + 1) * each]);
                    let grad = &grad[i * texts..(i + 1) * texts];
                    self.backward_of_one((keys, values, words), grad, (dkeys, dvalues, &mut dwords), &mut scratch);
                }
                dwords
            })
            .collect();
        let mut dwords = vec![0.0; words.len()];
        for part in parts {
            dwords.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        [dkeys, dvalues, dwords]
    }

    fn backward_of_one(
        &self,
        (keys, values, words): (&[f32], &[f32], &[f32]),
        grad: &[f32],
        (dkeys, dvalues, dwords): (&mut [f32], &mut [f32], &mut [f32]),
        scratch: &mut Scratch,
    ) {
        let (count, regions, d) = (self.words(), self.regions, self.d);
        self.attend(keys, values, words, scratch);
        scratch.dc.resize(count * d, 0.0);
        for (grad, range) in grad.iter().zip(self.texts()) {
            let cosines: Vec<Cosine> = range.clone().map(|word| self.cosine(&scratch.c, words, word)).collect();
            let mut shares: Vec<f32> = cosines.iter().map(|cosine| cosine.m * self.temp2).collect();
            softmax(&mut shares);
            for ((word, cosine), share) in range.zip(cosines).zip(shares) {
                let slope = grad * self.temp2 * share / cosine.length;
                // Where the denominator is at its least, it is a constant.
                let floor = cosine.squares[0] * cosine.squares[1] <= self.least * self.least;
                let [by_c, by_w] =
                    cosine.squares.map(|square| if floor { 0.0 } else { slope * cosine.m * cosine.length / square });
                let (c, w) = (&scratch.c[word * d..][..d], &words[word * d..][..d]);
                let (dc, dw) = (&mut scratch.dc[word * d..][..d], &mut dwords[word * d..][..d]);
                for ((dc, dw), (c, w)) in dc.iter_mut().zip(dw).zip(c.iter().zip(w)) {
                    *dc = slope * w - by_c * c;
                    *dw += slope * c - by_w * w;
                }
            }
        }
        let Scratch { p, a, da, dc, row: [sums, _], .. } = scratch;
        da.resize(count * regions, 0.0);
        product(da, dc, values, [count, d, regions], Kind::SecondTurned, Accum::Replace);
        product(dvalues, a, dc, [regions, count, d], Kind::FirstTurned, Accum::Replace);
        // Through the softmax over regions; what it was of is temp1 times p.
        softmax_backward(da, a, regions, self.temp1);
        if self.words_softmax {
            for range in self.texts() {
                let range = range.start * regions..range.end * regions;
                softmax_over_rows_backward(&mut da[range.clone()], &p[range], regions, sums);
            }
        }
        product(dwords, da, keys, [count, regions, d], Kind::Plain, Accum::Add);
        product(dkeys, da, words, [regions, count, d], Kind::FirstTurned, Accum::Replace);
    }
}

/// How the factors of a product lie.
enum Kind {
    /// `[rows, inner]` times `[inner, columns]`.
    Plain,
    /// The second lies as `[columns, inner]`.
    SecondTurned,
    /// The first lies as `[inner, rows]`.
    FirstTurned,
}

/// A product of row-major matrices on this thread.
fn product(to: &mut [f32], a: &[f32], b: &[f32], [rows, inner, columns]: [usize; 3], kind: Kind, start: Accum) {
    let to = MatMut::from_row_major_slice_mut(to, rows, columns);
    let (a, b) = match kind {
        Kind::Plain => (MatRef::from_row_major_slice(a, rows, inner), MatRef::from_row_major_slice(b, inner, columns)),
        Kind::SecondTurned => {
            let turned = MatRef::from_row_major_slice(b, columns, inner).transpose();
            (MatRef::from_row_major_slice(a, rows, inner), turned)
        }
        Kind::FirstTurned => {
            let turned = MatRef::from_row_major_slice(a, inner, rows).transpose();
            (turned, MatRef::from_row_major_slice(b, inner, columns))
        }
    };
    matmul(to, start, a, b, 1.0, Par::Seq);
}

/// In place, down every column.
fn softmax_over_rows(rows: &mut [f32], columns: usize, most: &mut Vec<f32>, total: &mut Vec<f32>) {
    most.clear();
    most.resize(columns, f32::NEG_INFINITY);
    total.clear();
    total.resize(columns, 0.0);
    wide(
        #[inline(always)]
        || {
            for row in rows.chunks_exact(columns) {
                most.iter_mut().zip(row).for_each(|(most, value)| *most = most.max(*value));
            }
            for row in rows.chunks_exact_mut(columns) {
                for ((value, most), total) in row.iter_mut().zip(&*most).zip(&mut *total) {
                    *value = exp(*value - most);
                    *total += *value;
                }
            }
            total.iter_mut().for_each(|total| *total = 1.0 / *total);
            for row in rows.chunks_exact_mut(columns) {
                row.iter_mut().zip(&*total).for_each(|(value, scale)| *value *= scale);
            }
        },
    );
}

/// The gradient before a softmax down every column in place of that behind it.
fn softmax_over_rows_backward(grad: &mut [f32], p: &[f32], columns: usize, sums: &mut Vec<f32>) {
    sums.clear();
    sums.resize(columns, 0.0);
    wide(
        #[inline(always)]
        || {
            for (grad, p) in grad.chunks_exact(columns).zip(p.chunks_exact(columns)) {
                sums.iter_mut().zip(grad.iter().zip(p)).for_each(|(sum, (grad, p))| *sum += grad * p);
            }
            for (grad, p) in grad.chunks_exact_mut(columns).zip(p.chunks_exact(columns)) {
                grad.iter_mut().zip(p).zip(&*sums).for_each(|((grad, p), sum)| *grad = p * (*grad - sum));
            }
        },
    );
}
