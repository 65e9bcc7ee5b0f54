//! Is the predictor Wp symmetric, and do its eigenvectors align with those of the features' correlation F?
//!
//! Shapes: F and Wp are d x d; y = Wp z maps a feature column z.

use crate::compute::linalg::{Complex, LinalgError, Matrix, eigenvalues, ridge_regression, symmetric_eigen};

/// A cosine is undefined where ‖Wp v‖ is below this times ‖Wp‖: the direction of Wp v would be rounding.
const UNDEFINED_BELOW: f64 = 1e-9;

/// A mode whose cosine exceeds this counts as aligned.
pub const ALIGNED_ABOVE: f64 = 0.95;

/// ‖Wp − Wpᵀ‖ / ‖Wp‖, from 0 (symmetric) to 2 (antisymmetric), about √2 for a random matrix; 0 for Wp = 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asymmetry {
    /// In the Frobenius norm.
    pub frobenius: f64,
    /// In the entrywise L1 norm, as in the figures of the replication.
    pub entrywise_l1: f64,
}

/// How far a d x d matrix is from symmetric. The paper prints the ratio without naming a norm; both are returned.
pub fn asymmetry(wp: &Matrix) -> Asymmetry {
    let difference = wp.minus(&wp.transposed());
    // A matrix that is no numbers has no symmetry, not a perfect one.
    let ratio = |a: f64, b: f64| if b == 0.0 { 0.0 } else { a / b };
    Asymmetry {
        frobenius: ratio(difference.frobenius(), wp.frobenius()),
        entrywise_l1: ratio(difference.entrywise_l1(), wp.entrywise_l1()),
    }
}

/// ‖F Wp − Wp F‖ / (‖F‖ ‖Wp‖) in Frobenius norms: 0 where the eigenspaces agree, whatever basis degenerate eigenvalues
/// take. 0 where a matrix is zero.
pub fn commutator(f: &Matrix, wp: &Matrix) -> f64 {
    let scale = f.frobenius() * wp.frobenius();
    if scale == 0.0 { 0.0 } else { f.times(wp).minus(&wp.times(f)).frobenius() / scale }
}

/// The eigen-analysis of a predictor against the features' correlation, all vectors in the order of F's eigenvalues
/// (descending) unless said otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigenspaces {
    /// λ_j of F, descending; s_j of the theory.
    pub f_values: Vec<f64>,
    /// d x d, column j belongs to `f_values[j]`.
    pub f_vectors: Matrix,
    /// v_j · Wp v_j: p_j of the theory, paired with s_j.
    pub rayleigh: Vec<f64>,
    /// cos_j = v_j · (Wp v_j) / ‖Wp v_j‖, in [−1, 1]; `None` where Wp v_j is zero up to rounding.
    pub cosines: Vec<Option<f64>>,
    /// See [`commutator`].
    pub commutator: f64,
    /// Eigenvalues of Wp by descending real part, in an order of their own.
    pub wp_values: Vec<Complex>,
    pub asymmetry: Asymmetry,
}

/// Which weight a mode has in [`Eigenspaces::weighted_alignment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// λ_j of F.
    Eigenvalue,
    /// √λ_j, as in the measured tables of the short demonstrations.
    RootEigenvalue,
}

/// Analyses F (symmetric, d x d) and Wp (d x d).
///
/// # Errors
/// Different shapes, or a number that is not finite.
pub fn eigenspaces(f: &Matrix, wp: &Matrix) -> Result<Eigenspaces, LinalgError> {
    if f.rows() != wp.rows() {
        return Err(LinalgError::Shape { what: "F and the predictor", left: f.rows(), right: wp.rows() });
    }
    let wp_values = eigenvalues(wp)?;
    let eigen = symmetric_eigen(f)?;
    let mapped = wp.times(&eigen.vectors);
    let threshold = UNDEFINED_BELOW * wp.frobenius();
    let d = f.rows();
    // Row-wise sums over the columns v_j and Wp v_j.
    let (mut rayleigh, mut lengths) = (vec![0.0; d], vec![0.0; d]);
    for i in 0..d {
        for (j, (v, m)) in eigen.vectors.row(i).iter().zip(mapped.row(i)).enumerate() {
            rayleigh[j] += v * m;
            lengths[j] += m * m;
        }
    }
    let cosines = rayleigh
        .iter()
        .zip(&lengths)
        .map(|(along, square)| {
            let length = square.sqrt();
            (length > 0.0 && length >= threshold).then(|| (along / length).clamp(-1.0, 1.0))
        })
        .collect();
    Ok(Eigenspaces {
        f_values: eigen.values,
        f_vectors: eigen.vectors,
        rayleigh,
        cosines,
        commutator: commutator(f, wp),
        wp_values,
        asymmetry: asymmetry(wp),
    })
}

impl Eigenspaces {
    /// The mean cosine of the `k` leading modes; modes without a cosine are left out. `None` where none has one.
    pub fn mean_alignment(&self, k: usize) -> Option<f64> {
        let known: Vec<f64> = self.cosines.iter().take(k).flatten().copied().collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }

    /// The mean cosine weighted by the eigenvalues of F (negative ones, from rounding, count as 0), over the modes that
    /// have a cosine. `None` where they weigh nothing. It stays near 1 in a collapsed run: it does not detect collapse.
    pub fn weighted_alignment(&self, weight: Weight) -> Option<f64> {
        let (mut sum, mut total) = (0.0, 0.0);
        for (value, cosine) in self.f_values.iter().zip(&self.cosines) {
            let Some(cosine) = cosine else { continue };
            let value = value.max(0.0);
            let w = match weight {
                Weight::Eigenvalue => value,
                Weight::RootEigenvalue => value.sqrt(),
            };
            sum += w * cosine;
            total += w;
        }
        (total > 0.0).then(|| sum / total)
    }

    /// Number of modes with a cosine above [`ALIGNED_ABOVE`].
    pub fn aligned_modes(&self) -> usize {
        self.cosines.iter().flatten().filter(|cosine| **cosine > ALIGNED_ABOVE).count()
    }
}

/// The linear map M (d' x d) that fits a predictor's outputs best: y ≈ M z over a batch of inputs z (n x d) and outputs
/// y (n x d'). For a predictor with a hidden layer this is more honest than the product of its weights, which leaves
/// out the bias, the normalisation and the ReLU. A ridge of 10⁻⁸ of the mean squared input keeps it defined.
///
/// # Errors
/// Unequal numbers of rows, or a number that is not finite.
pub fn effective_linear_map(z: &Matrix, y: &Matrix) -> Result<Matrix, LinalgError> {
    let energy: f64 = z.as_slice().iter().map(|v| v * v).sum();
    let ridge = 1e-8 * energy / z.columns().max(1) as f64;
    Ok(ridge_regression(z, y, ridge.max(f64::MIN_POSITIVE))?.transposed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn correlation(d: usize) -> Matrix {
        let z = Matrix::from_fn(3 * d, d, |i, j| ((i * i + 3 * j) as f64 * 0.731).sin() * (-(j as f64) * 0.2).exp());
        z.transposed_times(&z).scaled(1.0 / (3 * d) as f64)
    }

    #[test]
    fn a_predictor_made_of_the_features_eigenvectors_is_aligned() {
        let f = correlation(12);
        let eigen = symmetric_eigen(&f).unwrap();
        let p: Vec<f64> = eigen.values.iter().map(|v| v.max(0.0).sqrt() + 0.1).collect();
        let spaces = eigenspaces(&f, &eigen.with_values(&p)).unwrap();
        assert!(spaces.weighted_alignment(Weight::Eigenvalue).unwrap() > 1.0 - 1e-9);
        assert!(spaces.commutator < 1e-12 && spaces.asymmetry.frobenius == 0.0);
        assert_eq!(spaces.aligned_modes(), 12);
        assert!(spaces.rayleigh.iter().zip(&p).all(|(a, b)| (a - b).abs() < 1e-10));
    }

    #[test]
    fn a_negative_multiple_reads_minus_one() {
        let f = correlation(6);
        let spaces = eigenspaces(&f, &Matrix::identity(6).scaled(-2.0)).unwrap();
        assert!((spaces.mean_alignment(6).unwrap() + 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_dead_direction_has_no_cosine() {
        let f = Matrix::from_fn(3, 3, |i, j| if i == j { 3.0 - i as f64 } else { 0.0 });
        let mut wp = Matrix::identity(3);
        wp[(2, 2)] = 0.0;
        let spaces = eigenspaces(&f, &wp).unwrap();
        assert_eq!(spaces.cosines, [Some(1.0), Some(1.0), None]);
        let zero = eigenspaces(&f, &Matrix::zeros(3, 3)).unwrap();
        assert_eq!(zero.weighted_alignment(Weight::Eigenvalue), None);
        assert_eq!(zero.commutator, 0.0);
    }

    #[test]
    fn the_effective_map_of_a_linear_predictor_is_the_predictor() {
        let z = Matrix::from_fn(60, 4, |i, j| ((i + 2) as f64 * (j + 1) as f64 * 0.37).sin());
        let wp = Matrix::from_fn(4, 4, |i, j| i as f64 - 0.5 * j as f64);
        let found = effective_linear_map(&z, &z.times_transposed(&wp)).unwrap();
        assert!(found.minus(&wp).frobenius() < 1e-6);
    }
}
