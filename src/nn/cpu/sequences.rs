//! What transformers do between their matrix products, on the host, forward and backward: normalisation of every vector, attention
//! within a text, GELU.
//!
//! Letters: T texts, N pieces of each with padding, w numbers of a vector.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::maths::{dot, normal, softmax, softmax_backward, sum, wide};

/// Vectors of a task. Sums over all vectors are added up task by task in order: the same with any number of threads.
const VECTORS: usize = 512;
/// Numbers of a task.
const CHUNK: usize = 1 << 14;

/// `(x − mean) / √(variance + ε) · γ + β` of every vector of the length of γ.
pub fn layer_norm(x: &[f32], gamma: &[f32], beta: &[f32], epsilon: f32) -> Vec<f32> {
    let width = gamma.len();
    let mut y = vec![0.0; x.len()];
    y.par_chunks_mut(VECTORS * width).zip(x.par_chunks(VECTORS * width)).for_each(|(y, x)| {
        wide(
            #[inline(always)]
            || {
                for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                    let (mean, scale) = moments(x, epsilon);
                    for (((y, x), gamma), beta) in y.iter_mut().zip(x).zip(gamma).zip(beta) {
                        *y = (x - mean) * scale * gamma + beta;
                    }
                }
            },
        );
    });
    y
}

/// Mean, and 1 / √(variance + ε).
#[inline(always)]
fn moments(x: &[f32], epsilon: f32) -> (f32, f32) {
    let n = x.len() as f32;
    let mean = sum(x) / n;
    // Numbers of one vector: where the mean is far from 0, a difference of large squares would lose it.
    let mut lanes = [0.0_f32; 8];
    let (chunks, rest) = x.as_chunks::<8>();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, x)| *lane += (x - mean) * (x - mean));
    }
    let squares = lanes.iter().sum::<f32>() + rest.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>();
    (mean, 1.0 / (squares / n + epsilon).sqrt())
}

/// Gradients of [`layer_norm`] with respect to x, γ and β.
pub fn layer_norm_backward(x: &[f32], gamma: &[f32], dy: &[f32], epsilon: f32) -> [Vec<f32>; 3] {
    let width = gamma.len();
    let mut dx = vec![0.0; x.len()];
    let tasks =
        dx.par_chunks_mut(VECTORS * width).zip(x.par_chunks(VECTORS * width)).zip(dy.par_chunks(VECTORS * width));
    let parts: Vec<[Vec<f32>; 2]> = tasks
        .map(|((dx, x), dy)| {
            let [mut dgamma, mut dbeta] = [vec![0.0; width], vec![0.0; width]];
            let [mut hat, mut slope] = [vec![0.0; width], vec![0.0; width]];
            wide(
                #[inline(always)]
                || {
                    for ((dx, x), dy) in
                        dx.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(dy.chunks_exact(width))
                    {
                        let (mean, scale) = moments(x, epsilon);
                        for ((hat, x), (slope, (dy, gamma))) in
                            hat.iter_mut().zip(x).zip(slope.iter_mut().zip(dy.iter().zip(gamma)))
                        {
                            *hat = (x - mean) * scale;
                            *slope = dy * gamma;
                        }
                        let (along, mean) = (dot(&slope, &hat) / width as f32, sum(&slope) / width as f32);
                        for ((dx, hat), slope) in dx.iter_mut().zip(&hat).zip(&slope) {
                            *dx = scale * (slope - mean - hat * along);
                        }
                        for ((dgamma, dbeta), (dy, hat)) in dgamma.iter_mut().zip(&mut dbeta).zip(dy.iter().zip(&hat)) {
                            *dgamma += dy * hat;
                            *dbeta += dy;
                        }
                    }
                },
            );
            [dgamma, dbeta]
        })
        .collect();
    let [mut dgamma, mut dbeta] = [vec![0.0; width], vec![0.0; width]];
    for [gamma, beta] in parts {
        dgamma.iter_mut().zip(gamma).for_each(|(sum, part)| *sum += part);
        dbeta.iter_mut().zip(beta).for_each(|(sum, part)| *sum += part);
    }
    [dx, dgamma, dbeta]
}

/// x Φ(x).
pub fn gelu(x: &[f32]) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(y, x)| {
        wide(
            #[inline(always)]
            || y.iter_mut().zip(x).for_each(|(y, x)| *y = x * normal(*x).0),
        );
    });
    y
}

/// The gradient of [`gelu`].
pub fn gelu_backward(x: &[f32], dy: &[f32]) -> Vec<f32> {
    /// 1 / √(2π).
    const DENSITY: f32 = 0.398_942_3;
    let mut dx = vec![0.0; x.len()];
    dx.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).zip(dy.par_chunks(CHUNK)).for_each(|((dx, x), dy)| {
        wide(
            #[inline(always)]
            || {
                for ((dx, x), dy) in dx.iter_mut().zip(x).zip(dy) {
                    let (phi, bell) = normal(*x);
                    *dx = dy * (phi + x * DENSITY * bell);
                }
            },
        );
    });
    dx
}

/// Rows of a matrix that lie apart. (The library's own function of that name takes rows for columns.)
fn strided(numbers: &mut [f32], rows: usize, columns: usize, stride: usize) -> MatMut<'_, f32> {
    MatMut::from_column_major_slice_with_stride_mut(numbers, columns, rows, stride).transpose_mut()
}

/// Attention within every text.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// N.
    pub length: usize,
    /// w.
    pub width: usize,
    /// They divide the width.
    pub heads: usize,
    /// Pieces of each text without padding, N at most.
    pub pieces: Vec<usize>,
}

impl Attention {
    fn each(&self) -> usize {
        self.width / self.heads
    }

    /// A head's part of queries (0), keys (1) or values (2) of a text `[N, 3w]`.
    fn part<'a>(&self, inside: &'a [f32], which: usize, head: usize, pieces: usize) -> MatRef<'a, f32> {
        let start = which * self.width + head * self.each();
        let end = start + (pieces - 1) * 3 * self.width + self.each();
        MatRef::from_row_major_slice_with_stride(&inside[start..end], pieces, self.each(), 3 * self.width)
    }

    /// A head's part of a text `[N, w]`.
    fn output<'a>(&self, outside: &'a [f32], head: usize, pieces: usize) -> MatRef<'a, f32> {
        let start = head * self.each();
        let end = start + (pieces - 1) * self.width + self.each();
        MatRef::from_row_major_slice_with_stride(&outside[start..end], pieces, self.each(), self.width)
    }

    /// a of a head, `[pieces, pieces]`.
    fn weights(&self, inside: &[f32], head: usize, pieces: usize, a: &mut Vec<f32>) {
        a.resize(pieces * pieces, 0.0);
        let scale = (self.each() as f32).sqrt().recip();
        let [q, k] = [0, 1].map(|which| self.part(inside, which, head, pieces));
        let scores = MatMut::from_row_major_slice_mut(a, pieces, pieces);
        matmul(scores, Accum::Replace, q, k.transpose(), scale, Par::Seq);
        wide(
            #[inline(always)]
            || a.chunks_exact_mut(pieces).for_each(softmax),
        );
    }

    /// softmax(q kᵀ / √(w / heads)) v head by head: from queries, keys and values side by side `[T, N, 3w]` to `[T, N, w]`, zeros where
    /// padding is.
    pub fn forward(&self, inside: &[f32]) -> Vec<f32> {
        let each = self.length * self.width;
        let mut y = vec![0.0; self.pieces.len() * each];
        let texts = y.par_chunks_exact_mut(each).zip(inside.par_chunks_exact(3 * each)).zip(&self.pieces);
        texts.for_each_init(Vec::new, |a, ((y, inside), &pieces)| {
            for head in 0..self.heads {
                self.weights(inside, head, pieces, a);
                let (start, end) = (head * self.each(), head * self.each() + (pieces - 1) * self.width + self.each());
                let to = strided(&mut y[start..end], pieces, self.each(), self.width);
                let weights = MatRef::from_row_major_slice(a, pieces, pieces);
                matmul(to, Accum::Replace, weights, self.part(inside, 2, head, pieces), 1.0, Par::Seq);
            }
        });
        y
    }

    /// The gradient with respect to queries, keys and values `[T, N, 3w]`, from that of the output.
    pub fn backward(&self, inside: &[f32], dy: &[f32]) -> Vec<f32> {
        let each = self.length * self.width;
        let scale = (self.each() as f32).sqrt().recip();
        let mut dx = vec![0.0; inside.len()];
        let texts = dx.par_chunks_exact_mut(3 * each).zip(inside.par_chunks_exact(3 * each));
        let texts = texts.zip(dy.par_chunks_exact(each)).zip(&self.pieces);
        texts.for_each_init(<(Vec<f32>, Vec<f32>)>::default, |(a, da), (((dx, inside), dy), &pieces)| {
            da.resize(pieces * pieces, 0.0);
            for head in 0..self.heads {
                self.weights(inside, head, pieces, a);
                let [q, k, v] = [0, 1, 2].map(|which| self.part(inside, which, head, pieces));
                let dy = self.output(dy, head, pieces);
                let to = MatMut::from_row_major_slice_mut(da, pieces, pieces);
                matmul(to, Accum::Replace, dy, v.transpose(), 1.0, Par::Seq);
                softmax_backward(da, a, pieces, scale);
                let a = MatRef::from_row_major_slice(a, pieces, pieces);
                let ds = MatRef::from_row_major_slice(da, pieces, pieces);
                let factors = [(ds, k), (ds.transpose(), q), (a.transpose(), dy)];
                for (which, (first, second)) in factors.into_iter().enumerate() {
                    let start = which * self.width + head * self.each();
                    let end = start + (pieces - 1) * 3 * self.width + self.each();
                    let stride = 3 * self.width;
                    let to = &mut dx[start..end];
                    let to = strided(to, pieces, self.each(), stride);
                    matmul(to, Accum::Replace, first, second, 1.0, Par::Seq);
                }
            }
        });
        dx
    }
}
