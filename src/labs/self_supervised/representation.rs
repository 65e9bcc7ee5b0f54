//! What the network's features and embeddings are like without labels, and how strongly each part of it is pulled: computed
//! from what is read anyway.

use crate::compute::linalg::Matrix;
use crate::engine::emit::Emit;
use crate::metrics::representation::{rank_me, spectral_slope, uniformity, view_alignment};

use super::trainer::VIEWS;

/// At most so many test pictures are asked, so that measuring stays cheap however many are judged.
const MOST: usize = 2000;

/// Numbers from the device, d a row.
pub fn rows(d: usize, values: &[f32]) -> Matrix {
    Matrix::from_fn(values.len() / d, d, |i, j| f64::from(values[i * d + j]))
}

/// Emits how near the two views of a picture are, and how evenly the views of one kind are spread, of a batch's embeddings
/// `[2B, d]`; row `2b + v` is view v of picture b.
pub fn emit_views(z: &Matrix, out: &mut Emit<'_>) {
    let view = |v: usize| Matrix::from_fn(z.rows() / VIEWS, z.columns(), |b, j| z[(VIEWS * b + v, j)]);
    let [first, second] = [view(0), view(1)];
    defined("views/alignment", view_alignment(&first, &second), out);
    // Pairs of one picture's views belong to the alignment.
    let both = uniformity(&first).zip(uniformity(&second));
    defined("views/uniformity", both.map(|(first, second)| (first + second) / 2.0), out);
}

/// Emits what test pictures' features (n x f) and embeddings (n x d) are like.
pub fn emit_test(features: &Matrix, embeddings: &Matrix, out: &mut Emit<'_>) {
    let [features, embeddings] = [features, embeddings].map(first_rows);
    defined("rank_me/features", rank_me(&features), out);
    defined("rank_me/embeddings", rank_me(&embeddings), out);
    defined("spectral_slope", spectral_slope(&features), out);
    defined("uniformity/test", uniformity(&embeddings), out);
}

fn first_rows(of: &Matrix) -> Matrix {
    Matrix::from_fn(of.rows().min(MOST), of.columns(), |i, j| of[(i, j)])
}

/// Emits the norms of the gradients, as [`super::trainer::Outcome::gradient_norms`] has them.
pub fn emit_gradients(norms: &[f32], out: &mut Emit<'_>) {
    for (key, norm) in ["gradient/encoder", "gradient/projector", "gradient/predictor"].into_iter().zip(norms) {
        defined(key, Some(f64::from(*norm)).filter(|norm| norm.is_finite()), out);
    }
}

/// What is undefined is left out.
fn defined(key: &str, value: Option<f64>, out: &mut Emit<'_>) {
    if let Some(value) = value {
        out.scalar(key, value);
    }
}
