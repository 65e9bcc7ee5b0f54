//! Numbers that summarise a list of eigenvalues.

/// Below this an eigenvalue is drawn at the floor of a logarithmic axis and marked.
pub const LOG_FLOOR: f64 = 1e-12;

/// The effective rank exp(−Σ q ln q) with q = λ/Σλ (Roy & Vetterli 2007): how many directions share the variance, from 1
/// (one direction) to d (all alike). Negative eigenvalues count as 0. `None` where the eigenvalues sum to no more than
/// `floor` (nothing but rounding is left, and its rank would be noise) or are not finite.
pub fn effective_rank(values: &[f64], floor: f64) -> Option<f64> {
    if !values.iter().all(|v| v.is_finite()) {
        return None;
    }
    let total: f64 = values.iter().map(|v| v.max(0.0)).sum();
    if total <= floor.max(0.0) {
        return None;
    }
    let entropy: f64 = values.iter().map(|v| v / total).filter(|q| *q > 0.0).map(|q| -q * q.ln()).sum();
    Some(entropy.exp())
}

/// Fits of the predictor's eigenvalues p against the features' eigenvalues s: does Wp ~ √F hold (the paper's eq. 5)?
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SqrtFit {
    /// c of p ≈ c √s.
    pub scale: f64,
    /// ‖p − c √s‖ / ‖p‖: 0 where the predictor is a square root, 1 where the curve explains nothing.
    pub residual: f64,
    /// a and ε of p ≈ a (√(s/max s) + ε), DirectPred's curve; `None` where all s are alike.
    pub with_offset: Option<OffsetFit>,
}

/// p ≈ `scale`·(√(s/max s) + `offset`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OffsetFit {
    pub scale: f64,
    /// ε of DirectPred.
    pub offset: f64,
    /// ‖p − fit‖ / ‖p‖.
    pub residual: f64,
}

/// Fits the pairs (p_j, s_j) by least squares. Negative s (rounding) count as 0. `None` for no pair, unequal numbers of p
/// and s, s all zero, p all zero, or numbers that are not finite.
pub fn fit_sqrt(p: &[f64], s: &[f64]) -> Option<SqrtFit> {
    if p.len() != s.len() || p.iter().chain(s).any(|v| !v.is_finite()) {
        return None;
    }
    let largest = s.iter().fold(0.0f64, |m, v| m.max(*v));
    let size = p.iter().map(|p| p * p).sum::<f64>().sqrt();
    if largest <= 0.0 || size == 0.0 {
        return None;
    }
    let roots: Vec<f64> = s.iter().map(|s| (s.max(0.0) / largest).sqrt()).collect();
    let residual = |fit: &dyn Fn(f64) -> f64| {
        p.iter().zip(&roots).map(|(p, root)| (p - fit(*root)).powi(2)).sum::<f64>().sqrt() / size
    };
    let (sum_pr, sum_rr) =
        p.iter().zip(&roots).fold((0.0, 0.0), |(pr, rr), (p, root)| (pr + p * root, rr + root * root));
    let slope = sum_pr / sum_rr;

    let n = p.len() as f64;
    let (mean_p, mean_r) = (p.iter().sum::<f64>() / n, roots.iter().sum::<f64>() / n);
    let (cov, var) = p.iter().zip(&roots).fold((0.0, 0.0), |(cov, var), (p, root)| {
        (cov + (p - mean_p) * (root - mean_r), var + (root - mean_r).powi(2))
    });
    let with_offset = (var > 1e-18 * n).then(|| cov / var).filter(|scale| *scale != 0.0).map(|scale| {
        let intercept = mean_p - scale * mean_r;
        OffsetFit { scale, offset: intercept / scale, residual: residual(&|root| scale * root + intercept) }
    });
    Some(SqrtFit { scale: slope / largest.sqrt(), residual: residual(&|root| slope * root), with_offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effective_rank_counts_equal_directions() {
        assert!((effective_rank(&[2.0; 5], 0.0).unwrap() - 5.0).abs() < 1e-12);
        assert_eq!(effective_rank(&[3.0, 0.0, -1e-17], 0.0), Some(1.0));
        assert_eq!(effective_rank(&[1e-17, 0.0], 1e-15), None);
        assert_eq!(effective_rank(&[f64::NAN, 1.0], 0.0), None);
        assert_eq!(effective_rank(&[], 0.0), None);
    }

    #[test]
    fn a_square_root_predictor_is_recognised_with_its_scale_and_offset() {
        let s: Vec<f64> = (0..20).map(|j| 7.0 * (-0.4 * f64::from(j)).exp()).collect();
        let pure: Vec<f64> = s.iter().map(|s| 0.3 * s.sqrt()).collect();
        let fit = fit_sqrt(&pure, &s).unwrap();
        assert!((fit.scale - 0.3).abs() < 1e-12 && fit.residual < 1e-12);
        let shifted: Vec<f64> = s.iter().map(|s| 2.0 * ((s / 7.0).sqrt() + 0.1)).collect();
        let fit = fit_sqrt(&shifted, &s).unwrap();
        let offset = fit.with_offset.unwrap();
        assert!((offset.scale - 2.0).abs() < 1e-12 && (offset.offset - 0.1).abs() < 1e-12);
        assert!(offset.residual < 1e-12 && fit.residual > 0.05);
        assert!(fit_sqrt(&[1.0], &[0.0]).is_none());
    }
}
