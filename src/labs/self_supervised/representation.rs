//! What the network's features and embeddings are like without labels, and how strongly each part of it is pulled: computed
//! from what is read anyway.

use crate::compute::linalg::Matrix;
use crate::engine::emit::Emit;
use crate::engine::event::Payload;
use crate::metrics::representation::{covariance_spectrum, power_law, rank_me, uniformity, view_alignment};

use super::trainer::VIEWS;

/// At most so many test pictures have their spectra taken, so that measuring stays cheap however many are judged.
const MOST: usize = 1000;
/// At most so many are paired, each with each: 124,750 pairs tell the mean well enough.
const MOST_PAIRED: usize = 500;

/// Numbers from the device, d a row.
pub fn rows(d: usize, values: &[f32]) -> Matrix {
    Matrix::from_fn(values.len() / d, d, |i, j| f64::from(values[i * d + j]))
}

/// Emits how near the two views of a picture are, and how evenly the views of one kind are spread, of a batch's embeddings
/// `[2B, d]`; row `2b + v` is view v of picture b.
pub fn emit_views(z: &Matrix, out: &mut Emit<'_>) {
    emit_pairs(z, ["views/alignment", "views/uniformity"], out);
}

/// The same of features `[2B, f]`.
pub fn emit_feature_views(h: &Matrix, out: &mut Emit<'_>) {
    emit_pairs(h, ["views/alignment/features", "views/uniformity/features"], out);
}

fn emit_pairs(z: &Matrix, [alignment, uniform]: [&str; 2], out: &mut Emit<'_>) {
    let view = |v: usize| Matrix::from_fn(z.rows() / VIEWS, z.columns(), |b, j| z[(VIEWS * b + v, j)]);
    let [first, second] = [view(0), view(1)];
    defined(alignment, view_alignment(&first, &second), out);
    // Pairs of one picture's views belong to the alignment.
    let both = uniformity(&first).zip(uniformity(&second));
    defined(uniform, both.map(|(first, second)| (first + second) / 2.0), out);
}

/// Emits what test pictures' features (n x f) and embeddings (n x d) are like.
pub fn emit_test(features: &Matrix, embeddings: &Matrix, out: &mut Emit<'_>) {
    let [features, embeddings] = [features, embeddings].map(|all| first_rows(all, MOST));
    defined("rank_me/features", rank_me(&features), out);
    defined("rank_me/embeddings", rank_me(&embeddings), out);
    if let Some(values) = covariance_spectrum(&features) {
        defined("spectral_slope", power_law(&values).map(|law| law.alpha), out);
        out.payload("spectrum/features", Payload::Series(values));
    }
    if let Some(values) = covariance_spectrum(&embeddings) {
        out.payload("spectrum/embeddings", Payload::Series(values));
    }
    defined("uniformity/test", uniformity(&first_rows(&embeddings, MOST_PAIRED)), out);
}

fn first_rows(of: &Matrix, most: usize) -> Matrix {
    Matrix::from_fn(of.rows().min(most), of.columns(), |i, j| of[(i, j)])
}

/// Emits the norms of the gradients, as [`super::trainer::Outcome::gradient_norms`] has them.
pub fn emit_gradients(norms: &[f32], out: &mut Emit<'_>) {
    for (key, norm) in ["gradient/encoder", "gradient/projector", "gradient/predictor"].into_iter().zip(norms) {
        defined(key, Some(f64::from(*norm)).filter(|norm| norm.is_finite()), out);
    }
}

/// What is undefined is left out.
pub fn defined(key: &str, value: Option<f64>, out: &mut Emit<'_>) {
    if let Some(value) = value {
        out.scalar(key, value);
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Tensor, TensorData};

    use super::super::batches::Batches;
    use super::super::experiment::build;
    use super::super::network::Shape;
    use super::super::params::{DATA_SEED, Hyper, PARAMS};
    use super::super::source;
    use super::super::trainer::Trainer;
    use super::*;
    use crate::compute::device::cpu;
    use crate::compute::linalg::covariance;
    use crate::compute::readback::Reader;
    use crate::compute::streams;
    use crate::engine::event::Body;
    use crate::engine::experiment::BuildRequest;
    use crate::engine::params::Params;
    use crate::labs::self_supervised::KEYS;
    use crate::watch::Watch;

    fn read(tensor: Tensor<2>) -> Matrix {
        let d = tensor.dims()[1];
        let mut reader = Reader::default();
        reader.add(tensor);
        rows(d, &reader.read().unwrap()[0])
    }

    /// Eigenvalues of a symmetric matrix by Jacobi's rotations, descending.
    fn jacobi(mut a: Matrix) -> Vec<f64> {
        let d = a.rows();
        for _ in 0..12 {
            for (p, q) in (0..d).flat_map(|p| (p + 1..d).map(move |q| (p, q))) {
                if a[(p, q)] == 0.0 {
                    continue;
                }
                let theta = (a[(q, q)] - a[(p, p)]) / (2.0 * a[(p, q)]);
                let tan = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let cos = 1.0 / tan.hypot(1.0);
                let sin = tan * cos;
                for k in 0..d {
                    let (x, y) = (a[(k, p)], a[(k, q)]);
                    (a[(k, p)], a[(k, q)]) = (cos * x - sin * y, sin * x + cos * y);
                }
                for k in 0..d {
                    let (x, y) = (a[(p, k)], a[(q, k)]);
                    (a[(p, k)], a[(q, k)]) = (cos * x - sin * y, sin * x + cos * y);
                }
            }
        }
        let mut values = a.diagonal();
        values.sort_by(|a, b| b.total_cmp(a));
        values
    }

    fn naive_rank_me(of: &Matrix) -> f64 {
        let sigma: Vec<f64> = jacobi(of.transposed_times(of)).iter().map(|v| v.max(0.0).sqrt()).collect();
        let total: f64 = sigma.iter().sum();
        sigma.iter().map(|s| s / total + 1e-7).map(|p| -p * p.ln()).sum::<f64>().exp()
    }

    fn distance(a: &[f64], b: &[f64]) -> f64 {
        let length = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
        let cosine = a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / (length(a) * length(b));
        2.0 - 2.0 * cosine
    }

    /// Over pairs of the given rows.
    fn naive_uniformity(of: &Matrix, chosen: &[usize]) -> f64 {
        let pairs = || chosen.iter().enumerate().flat_map(|(n, i)| chosen[..n].iter().map(move |j| (*i, *j)));
        let sum: f64 = pairs().map(|(i, j)| (-2.0 * distance(of.row(i), of.row(j))).exp()).sum();
        (sum / pairs().count() as f64).ln()
    }

    /// Slope of ln λ against ln j with weights 1/j, ranks 4 to 32, by the normal equations.
    fn naive_slope(values: &[f64]) -> f64 {
        let (mut s, mut sx, mut sy, mut sxx, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for j in 4..=32 {
            let (w, x, y) = (1.0 / f64::from(j), f64::from(j).ln(), values[j as usize - 1].ln());
            (s, sx, sy, sxx, sxy) = (s + w, sx + w * x, sy + w * y, sxx + w * x * x, sxy + w * x * y);
        }
        -(s * sxy - sx * sy) / (s * sxx - sx * sx)
    }

    #[test]
    fn a_run_reports_what_its_own_network_gives_by_other_means() {
        let mut params = Params::defaults(PARAMS);
        for text in ["train_images=96", "batch_size=16", "probe_train=40", "probe_every=1", "loss_every=1"] {
            params.set_text(PARAMS, text).unwrap();
        }
        let (device, steps) = (cpu(), 10);
        let mut run = build(&BuildRequest { params: &params, seed: 3, steps, device: &device }).unwrap();
        let mut out = Emit::new(KEYS, 1, steps, false);
        run.step(&mut out).unwrap();
        let said: Vec<(String, f64)> = out
            .finish()
            .bodies
            .into_iter()
            .filter_map(|body| match body {
                Body::Scalars(values) => Some(values),
                _ => None,
            })
            .flatten()
            .map(|(key, value)| (key.to_string(), value))
            .collect();
        let at = |key: &str| said.iter().find(|(known, _)| known == key).unwrap_or_else(|| panic!("no {key}")).1;

        let data = source::images(&params, Watch::nobody()).unwrap();
        let (recipe, hyper) = (source::recipe(&params, &data), Hyper::of(&params));
        let (mut trainer, batch) = (
            Trainer::new(&Shape::of(&params, data.train.channels), 3, &device).unwrap(),
            Batches::new(data.clone(), recipe, 3, 16).of(0),
        );
        let x = Tensor::from_data(TensorData::new(batch.values, [32, 1, 16, 16]), &device);
        let z = read(trainer.step(x, &hyper, hyper.tau_at(0, steps), 0).unwrap().z);
        let near = (0..16).map(|b| distance(z.row(2 * b), z.row(2 * b + 1))).sum::<f64>() / 16.0;
        let view = |v: usize| naive_uniformity(&z, &(0..16).map(|b| 2 * b + v).collect::<Vec<usize>>());

        // All test pictures: their order does not matter, but for which of them are paired.
        let test = &data.test;
        let mut order: Vec<usize> = (0..test.len()).collect();
        streams::MEASURED.open(DATA_SEED.of(&params) as u64, 1).shuffle(&mut order);
        let mut values = vec![0.0; test.len() * test.image_bytes()];
        for (i, out) in values.chunks_exact_mut(test.image_bytes()).enumerate() {
            recipe.normalise(test.image(i), test.channels, out);
        }
        let pictures = Tensor::<4>::from_data(TensorData::new(values, [test.len(), 1, 16, 16]), &device);
        let branch = &trainer.online.branch;
        let h = branch.encoder.infer(pictures);
        let (h, z) = (read(h.clone()), read(branch.projector.infer(h)));
        assert_eq!((h.rows(), h.columns(), z.columns()), (1000, 64, 64));

        for (key, expected) in [
            ("views/alignment", near),
            ("views/uniformity", (view(0) + view(1)) / 2.0),
            ("rank_me/features", naive_rank_me(&h)),
            ("rank_me/embeddings", naive_rank_me(&z)),
            ("spectral_slope", naive_slope(&jacobi(covariance(&h)))),
            ("uniformity/test", naive_uniformity(&z, &order[..500])),
        ] {
            assert!(
                expected.is_finite() && (at(key) - expected).abs() < 1e-3 * expected.abs(),
                "{key}: {} against {expected}",
                at(key)
            );
        }
        for part in ["encoder", "projector", "predictor"] {
            let norm = at(&format!("gradient/{part}"));
            assert!(norm.is_finite() && norm > 0.0, "{part}: {norm}");
        }
        assert!((1.0..=64.0).contains(&at("rank_me/features")) && (-4.1..=0.0).contains(&at("uniformity/test")));
    }
}
