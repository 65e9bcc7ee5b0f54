//! The largest eigenvalues of the Hessian of a loss, by Lanczos' method. The product of the Hessian and a vector is a
//! difference of two gradients, so that no second derivative is needed.

use super::network::Network;
use super::plane::norm;
use crate::compute::linalg::{Matrix, symmetric_eigen};
use crate::compute::readback::ReadError;
use crate::compute::streams;
use crate::watch::Watch;

/// Curvature at one place of the weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Sharpness {
    /// The largest eigenvalues, descending.
    pub largest: Vec<f64>,
    /// How far each of them is from one of the matrix's at most, as Lanczos' method bounds it.
    pub error: Vec<f64>,
    /// The smallest (most negative) Ritz value: an upper bound of the smallest eigenvalue.
    pub smallest: f64,
}

/// Iterations at most: leading eigenvalues that stand apart are there after a few.
pub const ITERATIONS: usize = 24;
/// An eigenvalue is told when it is known this well.
const RELATIVE: f64 = 1e-3;
/// Length of the step between the two gradients, for weights of length one: the rounding of 32-bit gradients over the step
/// and the third derivative times its square are about as large.
const STEP: f64 = 5e-3;

/// The `count` largest eigenvalues at `weights` `[P]`. `None`: there is no finite gradient, or the watch was cancelled.
///
/// # Errors
/// The device cannot be read.
pub fn sharpness(
    network: &mut Network,
    weights: &[f32],
    count: usize,
    watch: Watch<'_>,
) -> Result<Option<Sharpness>, ReadError> {
    let parameters = weights.len();
    // The basis of a large network would not fit: its first iterations have to do.
    let most = ITERATIONS.min(parameters).min((200_000_000 / parameters.max(1)).max(4));
    let mut rng = streams::ALONE.open(0, 0);
    let mut v: Vec<f32> = (0..parameters).map(|_| rng.normal() as f32).collect();
    let length = norm(&v);
    if parameters == 0 || length == 0.0 {
        return Ok(None);
    }
    v.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    let mut basis = vec![v];
    let (mut diagonal, mut beside) = (Vec::new(), Vec::new());
    let mut found = None;
    while diagonal.len() < most {
        if watch.cancelled() {
            return Ok(None);
        }
        let last = &basis[basis.len() - 1];
        let mut next = hessian_times(network, weights, last)?;
        if next.iter().any(|x| !x.is_finite()) {
            return Ok(None);
        }
        diagonal.push(dot(&next, last));
        // Twice against the whole basis: rounding would let found directions come back.
        for _ in 0..2 {
            for v in &basis {
                let share = dot(&next, v);
                next.iter_mut().zip(v).for_each(|(x, v)| *x -= share * f64::from(*v));
            }
        }
        let length = next.iter().map(|x| x * x).sum::<f64>().sqrt();
        let known = ritz(&diagonal, &beside, length, count);
        let settled = |known: &Sharpness| {
            let scale = known.largest[0].abs().max(f64::MIN_POSITIVE);
            known.largest.len() == count.min(parameters) && known.error.iter().all(|error| *error < RELATIVE * scale)
        };
        let done = known.as_ref().is_some_and(settled) || length <= 1e-7 * diagonal[0].abs();
        found = known;
        if done {
            break;
        }
        beside.push(length);
        basis.push(next.iter().map(|x| (x / length) as f32).collect());
    }
    Ok(found)
}

/// H v `[P]` for a unit vector v, from the gradients on either side.
fn hessian_times(network: &mut Network, weights: &[f32], v: &[f32]) -> Result<Vec<f64>, ReadError> {
    let step = STEP * norm(weights).max(1.0);
    let moved = |by: f64| -> Vec<f32> {
        weights.iter().zip(v).map(|(w, v)| (f64::from(*w) + by * f64::from(*v)) as f32).collect()
    };
    let ahead = network.gradient(&moved(step))?;
    let behind = network.gradient(&moved(-step))?;
    Ok(ahead.iter().zip(&behind).map(|(a, b)| (f64::from(*a) - f64::from(*b)) / (2.0 * step)).collect())
}

fn dot(a: &[f64], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * f64::from(*b)).sum()
}

/// Eigenvalues of the tridiagonal matrix, and the bound of each one's error: what leaves the basis, `length`, times the last
/// component of its vector.
fn ritz(diagonal: &[f64], beside: &[f64], length: f64, count: usize) -> Option<Sharpness> {
    let n = diagonal.len();
    let matrix = Matrix::from_fn(n, n, |i, j| match i.abs_diff(j) {
        0 => diagonal[i],
        1 => beside[i.min(j)],
        _ => 0.0,
    });
    let eigen = symmetric_eigen(&matrix).ok()?;
    let largest: Vec<f64> = eigen.values.iter().copied().take(count.max(1)).collect();
    let error = (0..largest.len()).map(|k| (length * eigen.vectors[(n - 1, k)]).abs()).collect();
    Some(Sharpness { largest, error, smallest: *eigen.values.last()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ½ Σ λᵢ (rotated w)ᵢ² of `scales.len()` weights, in rotated coordinates so that no axis is an eigenvector.
    fn quadratic(scales: &'static [f64]) -> Network {
        let n = scales.len();
        // Householder: I − 2 h hᵀ.
        let h: Vec<f64> = (0..n).map(|i| (1.0 + i as f64).sin()).collect();
        let size: f64 = h.iter().map(|x| x * x).sum();
        let turn = move |x: &[f64]| -> Vec<f64> {
            let share = 2.0 * h.iter().zip(x).map(|(h, x)| h * x).sum::<f64>() / size;
            x.iter().zip(&h).map(|(x, h)| x - share * h).collect()
        };
        Network {
            id: String::new(),
            title: String::new(),
            blocks: Vec::new(),
            weights: vec![0.1; n],
            about: "",
            rate: None,
            evaluate: Box::new(move |w, _| {
                let w: Vec<f64> = w.iter().map(|w| f64::from(*w)).collect();
                let turned = turn(&w);
                let loss = turned.iter().zip(scales).map(|(x, scale)| 0.5 * scale * x * x).sum();
                let slopes: Vec<f64> = turned.iter().zip(scales).map(|(x, scale)| scale * x).collect();
                Ok((loss, turn(&slopes).into_iter().map(|x| x as f32).collect()))
            }),
        }
    }

    static SCALES: [f64; 40] = {
        let mut scales = [0.0; 40];
        let mut i = 0;
        while i < 40 {
            scales[i] = 0.01 * i as f64;
            i += 1;
        }
        scales[3] = 12.0;
        scales[20] = 7.5;
        scales[31] = 3.0;
        scales[8] = -2.0;
        scales
    };

    #[test]
    fn the_leading_eigenvalues_of_a_known_matrix_are_found_within_their_bounds() {
        let mut network = quadratic(&SCALES);
        let weights = network.weights.clone();
        let found = sharpness(&mut network, &weights, 3, Watch::nobody()).unwrap().unwrap();
        for (k, expected) in [12.0, 7.5, 3.0].into_iter().enumerate() {
            assert!((found.largest[k] - expected).abs() < 2e-3 * 12.0, "{found:?}");
            assert!((found.largest[k] - expected).abs() <= found.error[k] + 1e-2, "{found:?}");
        }
        assert!((found.smallest + 2.0).abs() < 0.05, "{found:?}");
    }

    #[test]
    fn a_matrix_of_few_directions_ends_the_iteration_early() {
        static TWO: [f64; 2] = [5.0, 1.0];
        let mut network = quadratic(&TWO);
        let found = sharpness(&mut network, &[0.3, -0.2], 3, Watch::nobody()).unwrap().unwrap();
        assert_eq!(found.largest.len(), 2);
        assert!((found.largest[0] - 5.0).abs() < 1e-2 && (found.largest[1] - 1.0).abs() < 1e-2, "{found:?}");
    }

    #[test]
    fn no_gradient_is_no_curvature() {
        let mut network = quadratic(&SCALES);
        let nan = vec![f32::NAN; 40];
        assert_eq!(sharpness(&mut network, &nan, 3, Watch::nobody()).unwrap(), None);
        assert_eq!(sharpness(&mut network, &[], 3, Watch::nobody()).unwrap(), None);
    }
}
