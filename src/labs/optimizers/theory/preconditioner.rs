//! What an adaptive method sees: the curvature after each coordinate has been divided by its own scale.
//!
//! RMSProp, AdaGrad and Adam move by η P⁻¹ m with a diagonal P, the root of their squared gradients. In coordinates
//! P^½ θ that is gradient descent (with momentum) on the Hessian P^−½ H P^−½. Its largest eigenvalue is the sharpness that
//! counts: while P hardly changes, η is stable below 2 divided by it, and Adam with β₁ below (2 + 2β₁)/(1 − β₁) divided by
//! it: 38/η at β₁ = 0.9 (Cohen et al., 2022). Theory of a frozen P; a real one follows the gradients.

use super::curvature::Hessian;

/// P^−½ H P^−½ for a diagonal P with positive entries.
pub fn preconditioned(hessian: Hessian, diagonal: [f64; 2]) -> Hessian {
    let [p, q] = diagonal.map(|v| 1.0 / v.sqrt());
    let [[a, b], [c, d]] = hessian;
    [[a * p * p, b * p * q], [c * p * q, d * q * q]]
}

/// η times the largest stable eigenvalue of P^−½ H P^−½ with an averaged gradient m ← β₁ m + (1 − β₁) g:
/// (2 + 2β₁)/(1 − β₁). 2 without averaging, 38 at β₁ = 0.9.
pub fn threshold(beta1: f64) -> f64 {
    (2.0 + 2.0 * beta1) / (1.0 - beta1)
}

#[cfg(test)]
mod tests {
    use super::super::curvature::Eigen;
    use super::*;

    #[test]
    fn the_threshold_is_where_a_frozen_preconditioner_begins_to_diverge() {
        assert!((threshold(0.9) - 38.0).abs() < 1e-12);
        assert_eq!(threshold(0.0), 2.0);
        let (hessian, diagonal) = ([[1.0, 0.4], [0.4, 100.0]], [0.3, 8.0]);
        let sharpness = Eigen::of(preconditioned(hessian, diagonal)).unwrap().values[0];
        for beta1 in [0.0, 0.5, 0.9] {
            for (share, grows) in [(0.99, false), (1.01, true)] {
                let eta = share * threshold(beta1) / sharpness;
                let (mut theta, mut m) = ([1.0, 1.0], [0.0; 2]);
                for _ in 0..20_000 {
                    let g = [0, 1].map(|i| hessian[i][0] * theta[0] + hessian[i][1] * theta[1]);
                    m = [0, 1].map(|i| beta1 * m[i] + (1.0 - beta1) * g[i]);
                    theta = [0, 1].map(|i| theta[i] - eta * m[i] / diagonal[i]);
                }
                assert_eq!(theta[0].abs() + theta[1].abs() > 1.0 || theta[0].is_nan(), grows, "{beta1} {share}");
            }
        }
    }
}
