//! How much the classification counts beside the reconstruction: λ of `L = L_ae + λ L_cl` (eq. 3), fixed or adapted.

/// Bounds of an adapted λ.
pub const LIMITS: [f64; 2] = [1e-3, 1e4];

/// How λ moves after a labelled batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// It stays where it is set.
    Fixed,
    /// Eq. (4) as printed, `λ ← ‖g_ae‖ / (‖g_cl‖ λ)`: while the gradients stay the same it jumps between two values for ever.
    Literal,
    /// `λ ← ρ ‖g_ae‖ / ‖g_cl‖`: both losses pull the encoder equally at ρ = 1.
    Balanced,
    /// Towards that by a tenth each time.
    Average,
    /// GradNorm (Chen et al., 2018): the losses shall be learned at the same pace.
    GradNorm,
}

/// β of [`Rule::Average`].
pub const BETA: f64 = 0.9;

/// L₂ norms of the gradients of both losses with respect to the encoder's parameters, and the cosine of the angle between
/// them: below 0 they pull against each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pull {
    pub reconstruction: f64,
    pub classification: f64,
    pub cosine: f64,
}

impl Pull {
    /// ‖g_ae‖ / ‖g_cl‖; `None` where the classification does not pull.
    pub fn ratio(&self) -> Option<f64> {
        let ratio = self.reconstruction / self.classification;
        (self.classification > 0.0 && ratio.is_finite()).then_some(ratio)
    }
}

/// λ after a labelled batch with these gradients; ρ is `target`. Where the classification does not pull, λ stays. The literal
/// equation is cut to [`LIMITS`] as the others are, but within them it does as printed.
pub fn next(rule: Rule, lambda: f64, pull: &Pull, target: f64) -> f64 {
    let Some(ratio) = pull.ratio() else { return lambda };
    let next = match rule {
        Rule::Fixed | Rule::GradNorm => return lambda,
        Rule::Literal => literal(lambda, ratio),
        Rule::Balanced => target * ratio,
        Rule::Average => BETA * lambda + (1.0 - BETA) * target * ratio,
    };
    next.clamp(LIMITS[0], LIMITS[1])
}

/// Eq. (4) with norms taken apart, `r / λ`: its fixed point is √r, not r.
pub fn literal(lambda: f64, ratio: f64) -> f64 {
    ratio / lambda
}

/// Eq. (4) as a norm of element-wise quotients, the reading that explodes where one slope is 0.
pub fn element_wise(reconstruction: &[f64], classification: &[f64], lambda: f64) -> f64 {
    reconstruction.iter().zip(classification).map(|(a, c)| (a / (c * lambda)).powi(2)).sum::<f64>().sqrt()
}

/// What GradNorm aims at with two losses or more.
#[derive(Debug, Clone, PartialEq)]
pub struct GradNorm {
    /// How much slower than the mean each loss has fallen: `(L / L₀) / mean (L / L₀)`.
    pub inverse_rates: Vec<f64>,
    /// Norms that the weighted gradients should have: `mean norm × rate^α`.
    pub targets: Vec<f64>,
    /// `Σ |norm − target|`, which the weights are moved to lessen.
    pub loss: f64,
}

/// `norms`: of the weighted gradients w_i ∇L_i; `first`: the losses at the start.
pub fn grad_norm(norms: &[f64], losses: &[f64], first: &[f64], alpha: f64) -> GradNorm {
    let left: Vec<f64> = losses.iter().zip(first).map(|(now, first)| now / first).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let mean_left = mean(&left);
    let inverse_rates: Vec<f64> = left.iter().map(|left| left / mean_left).collect();
    let mean_norm = mean(norms);
    let targets: Vec<f64> = inverse_rates.iter().map(|rate| mean_norm * rate.powf(alpha)).collect();
    let loss = norms.iter().zip(&targets).map(|(norm, target)| (norm - target).abs()).sum();
    GradNorm { inverse_rates, targets, loss }
}

/// The weights that GradNorm would like: `w_i ← w_i + rate (target_i / ‖∇L_i‖ − w_i)`, scaled to add up to their number, and
/// λ = w_cl / w_ae. `norms`: of the unweighted gradients.
pub fn grad_norm_lambda(lambda: f64, pull: &Pull, losses: [f64; 2], first: [f64; 2], alpha: f64, rate: f64) -> f64 {
    if pull.ratio().is_none() || pull.reconstruction <= 0.0 {
        return lambda;
    }
    // Weights of sum 2 with this λ.
    let weights = [2.0 / (1.0 + lambda), 2.0 * lambda / (1.0 + lambda)];
    let norms = [pull.reconstruction, pull.classification];
    let weighted = [weights[0] * norms[0], weights[1] * norms[1]];
    let aim = grad_norm(&weighted, &losses, &first, alpha);
    let wanted = |i: usize| weights[i] + rate * (aim.targets[i] / norms[i] - weights[i]);
    let next = wanted(1) / wanted(0);
    if next.is_finite() { next.clamp(LIMITS[0], LIMITS[1]) } else { lambda }
}

/// The loss of a batch (eq. 3): that of an unlabelled one is L_ae alone.
pub fn combined(reconstruction: f64, classification: Option<f64>, lambda: f64) -> f64 {
    reconstruction + classification.map_or(0.0, |loss| lambda * loss)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PULL: Pull = Pull { reconstruction: 5.0, classification: 0.05, cosine: 0.2 };

    #[test]
    fn the_printed_equation_never_settles_and_the_others_do() {
        let walk = |rule: Rule| {
            let mut lambdas = vec![50.0];
            (0..200).for_each(|i| lambdas.push(next(rule, lambdas[i], &PULL, 1.0)));
            lambdas
        };
        let literal = walk(Rule::Literal);
        assert_eq!(literal[..4], [50.0, 2.0, 50.0, 2.0]);
        assert_eq!(walk(Rule::Balanced)[1], 100.0);
        assert!((walk(Rule::Average)[200] - 100.0).abs() < 1e-3);
        assert_eq!(walk(Rule::Fixed)[200], 50.0);
    }

    #[test]
    fn a_classification_that_does_not_pull_leaves_lambda() {
        for pull in [Pull { classification: 0.0, ..PULL }, Pull { classification: f64::NAN, ..PULL }] {
            for rule in [Rule::Literal, Rule::Balanced, Rule::Average] {
                assert_eq!(next(rule, 3.0, &pull, 1.0), 3.0);
            }
            assert_eq!(grad_norm_lambda(3.0, &pull, [1.0; 2], [1.0; 2], 1.5, 0.1), 3.0);
        }
        let tiny = Pull { reconstruction: 1e-12, ..PULL };
        assert_eq!(next(Rule::Balanced, 3.0, &tiny, 1.0), LIMITS[0]);
    }

    #[test]
    fn grad_norm_gives_more_to_the_loss_that_lags() {
        let at = |losses: [f64; 2]| {
            (0..300).fold(100.0, |lambda, _| grad_norm_lambda(lambda, &PULL, losses, [1.0, 1.0], 1.5, 0.1))
        };
        // At the same pace both pull equally: λ is the ratio of the norms.
        assert!((at([0.5, 0.5]) - 100.0).abs() < 1e-6);
        assert!(at([0.3, 0.9]) > 150.0 && at([0.9, 0.3]) < 50.0);
    }
}
