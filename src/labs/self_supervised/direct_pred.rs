//! The predictor without gradient descent: DirectPred and DirectCopy, from the correlation F of the features.
//!
//! F and Wp are d x d. Where the paper and its code differ, the code decides and the paper's form is an option.

use crate::compute::linalg::{LinalgError, Matrix, symmetric_eigen};

/// F − m mᵀ.
pub fn centred(f: &Matrix, mean: &[f64]) -> Matrix {
    Matrix::from_fn(f.rows(), f.columns(), |i, j| f[(i, j)] - mean[i] * mean[j])
}

/// How DirectPred turns the eigenvalues λ of F into those of the predictor, p.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// q = max(λ, 0)/max λ; p = max(√q + ε, 10⁻⁴). What the codes mean to do.
    Normalised,
    /// p = √max(λ, 0) + ε max λ: the paper's eq. 5 as it is printed.
    Eq5,
    /// As [`Mode::Normalised`], but q is clipped to at most max λ after the division: the replication's slip, which
    /// flattens the top of the spectrum where max λ < 1.
    Replication,
}

/// No eigenvalue of the predictor is below this (but in eq. 5).
const SMALLEST_P: f64 = 1e-4;

/// F is gone where its largest eigenvalue is below this.
const DEAD_BELOW: f64 = 1e-12;

/// The DirectPred rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DirectPred {
    pub mode: Mode,
    /// ε, .1 in the replication.
    pub epsilon: f64,
    /// p = √max(q + ε, 10⁻⁴) instead of √q + ε. Eq. 5 has no such form and ignores it.
    pub epsilon_inside: bool,
}

impl Default for DirectPred {
    fn default() -> Self {
        Self { mode: Mode::Normalised, epsilon: 0.1, epsilon_inside: false }
    }
}

/// A predictor that was set and not trained.
#[derive(Debug, Clone, PartialEq)]
pub struct SetPredictor {
    /// Wp = U diag(p) Uᵀ, d x d.
    pub wp: Matrix,
    /// Its eigenvalues, in the order of `f_values`.
    pub p: Vec<f64>,
    /// Eigenvalues λ of F, descending.
    pub f_values: Vec<f64>,
}

/// Why a predictor cannot be set; the present one is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum DirectPredError {
    /// Every feature is zero: complete collapse.
    #[error("the features' correlation has vanished (largest eigenvalue {largest:e}): the network has collapsed")]
    Collapsed { largest: f64 },
    #[error(transparent)]
    Linalg(#[from] LinalgError),
}

impl DirectPred {
    /// Wp from F (d x d; its symmetric part is taken), the paper's eqs. 5 and 6.
    ///
    /// # Errors
    /// A vanished F, or a number that is not finite.
    pub fn predictor(&self, f: &Matrix) -> Result<SetPredictor, DirectPredError> {
        let eigen = symmetric_eigen(f)?;
        let largest = eigen.values.first().copied().unwrap_or(0.0);
        if largest < DEAD_BELOW {
            return Err(DirectPredError::Collapsed { largest });
        }
        let p: Vec<f64> = eigen.values.iter().map(|value| self.eigenvalue(value.max(0.0), largest)).collect();
        Ok(SetPredictor { wp: eigen.with_values(&p), p, f_values: eigen.values })
    }

    /// p of one eigenvalue λ ≥ 0 of F, whose largest is `largest` > 0.
    pub fn eigenvalue(&self, lambda: f64, largest: f64) -> f64 {
        let q = match self.mode {
            Mode::Eq5 => return lambda.sqrt() + self.epsilon * largest,
            Mode::Normalised => lambda / largest,
            Mode::Replication => (lambda / largest).min(largest),
        };
        let p = if self.epsilon_inside { (q + self.epsilon).max(SMALLEST_P).sqrt() } else { q.sqrt() + self.epsilon };
        p.max(SMALLEST_P)
    }
}

/// DirectCopy: Wp = F/‖F‖ + ε I with the Frobenius norm (`normalised`), or F + ε I.
///
/// # Errors
/// A vanished F, or a number that is not finite.
pub fn direct_copy(f: &Matrix, epsilon: f64, normalised: bool) -> Result<Matrix, DirectPredError> {
    if !f.is_finite() {
        return Err(LinalgError::NotFinite.into());
    }
    let size = f.frobenius();
    if size < DEAD_BELOW {
        return Err(DirectPredError::Collapsed { largest: size });
    }
    let mut wp = f.symmetrised().scaled(if normalised { 1.0 / size } else { 1.0 });
    for i in 0..wp.rows() {
        wp[(i, i)] += epsilon;
    }
    Ok(wp)
}

/// Whether a predictor that is set at every `every`-th step is set after this step (counted from 0). In between it is
/// trained. `every` = 0 counts as 1.
pub fn is_due(step: u64, every: u64) -> bool {
    step.is_multiple_of(every.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F of ten features with five numbers each.
    fn correlation() -> Matrix {
        let z = Matrix::from_fn(10, 5, |i, j| ((i * 3 + j * 5) as f64 * 0.3).sin() + 0.1 * (j as f64).cos() + 0.2);
        z.transposed_times(&z)
    }

    #[test]
    fn a_vanished_correlation_is_a_collapse_and_not_a_nan() {
        let rule = DirectPred::default();
        assert!(matches!(rule.predictor(&Matrix::zeros(4, 4)), Err(DirectPredError::Collapsed { .. })));
        assert!(matches!(direct_copy(&Matrix::zeros(4, 4), 0.3, true), Err(DirectPredError::Collapsed { .. })));
        assert!(matches!(rule.predictor(&Matrix::identity(2).scaled(f64::NAN)), Err(DirectPredError::Linalg(_))));
    }

    #[test]
    fn modes_agree_where_the_largest_eigenvalue_is_one() {
        let f = Matrix::from_fn(3, 3, |i, j| if i == j { [1.0, 0.5, 0.1][i] } else { 0.0 });
        let of = |mode| DirectPred { mode, ..DirectPred::default() }.predictor(&f).unwrap().wp;
        assert!(of(Mode::Normalised).minus(&of(Mode::Eq5)).frobenius() < 1e-12);
        assert!(of(Mode::Normalised).minus(&of(Mode::Replication)).frobenius() < 1e-12);
    }

    #[test]
    fn direct_copy_keeps_the_eigenvectors_of_f() {
        let f = correlation();
        let wp = direct_copy(&f, 0.3, true).unwrap();
        assert!(f.times(&wp).minus(&wp.times(&f)).frobenius() < 1e-12 * f.frobenius());
        assert!((wp.trace() - (f.trace() / f.frobenius() + 1.5)).abs() < 1e-12);
    }

    #[test]
    fn every_fifth_step_starts_with_the_first() {
        let due: Vec<u64> = (0..12).filter(|step| is_due(*step, 5)).collect();
        assert_eq!(due, [0, 5, 10]);
        assert!(is_due(3, 1) && is_due(3, 0));
    }
}
