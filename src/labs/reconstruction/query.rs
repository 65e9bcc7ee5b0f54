//! Active learning: which unlabelled pictures it would tell most to have labelled.

use rayon::prelude::*;

/// How pictures are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Query {
    /// Entropy of the mean probability.
    Entropy,
    /// Smallest distance of ill and healthy.
    Margin,
    /// Mutual information of answer and weights (BALD; Houlsby et al., 2011): what passes with dropout disagree about.
    Bald,
    /// Farthest from all labelled pictures in code space (k-centre; Sener and Savarese, 2018).
    KCentre,
    /// Worst rebuilt.
    Reconstruction,
    /// At random: what the others have to beat.
    Random,
}

impl Query {
    /// Of a picture's score: what it is, and its unit.
    pub fn score(self) -> (&'static str, &'static str) {
        match self {
            Self::Entropy => ("entropy", "nats"),
            Self::Margin => ("margin", ""),
            Self::Bald => ("BALD", "nats"),
            Self::KCentre => ("distance", ""),
            Self::Reconstruction => ("MSE", ""),
            Self::Random => ("", ""),
        }
    }
}

/// Scores of one picture from passes with dropout.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// Mean probability of retinopathy.
    pub mean: f64,
    /// Entropy of that in nats.
    pub entropy: f64,
    /// Entropy of the mean less the mean entropy, in nats.
    pub bald: f64,
    /// |P(ill) − P(healthy)|: small where it is undecided.
    pub margin: f64,
}

/// Of the probabilities of some passes; there is at least one.
pub fn scores(passes: &[f64]) -> Scores {
    let count = passes.len().max(1) as f64;
    let mean = passes.iter().sum::<f64>() / count;
    let expected = passes.iter().map(|p| entropy(*p)).sum::<f64>() / count;
    Scores { mean, entropy: entropy(mean), bald: entropy(mean) - expected, margin: (2.0 * mean - 1.0).abs() }
}

/// Of a coin, in nats.
fn entropy(p: f64) -> f64 {
    let part = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    part(p) + part(1.0 - p)
}

/// The `k` pictures with the largest scores, largest first; equal ones in their order.
pub fn largest(scores: &[f64], k: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    order.truncate(k);
    order
}

/// The `k` pictures that one after another are farthest from those chosen before and from the labelled ones, each with its
/// distance then (infinite where there was nothing). `codes` and `labelled`: rows of `features` numbers.
pub fn k_centre(codes: &[f32], labelled: &[f32], features: usize, k: usize) -> Vec<(usize, f64)> {
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
    let nearest =
        |row: &&[f32]| labelled.chunks_exact(features).map(|other| distance(row, other)).fold(f64::INFINITY, f64::min);
    let rows: Vec<&[f32]> = codes.chunks_exact(features).collect();
    let mut far: Vec<f64> = rows.par_iter().map(nearest).collect();
    let mut chosen = Vec::with_capacity(k.min(rows.len()));
    while chosen.len() < k.min(rows.len()) {
        let next = largest(&far, 1)[0];
        chosen.push((next, far[next].sqrt()));
        for (far, row) in far.iter_mut().zip(&rows) {
            *far = far.min(distance(row, rows[next]));
        }
        far[next] = f64::NEG_INFINITY;
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_undecided_and_the_disputed_score_most() {
        let (sure, undecided, disputed) = (scores(&[0.98; 4]), scores(&[0.5; 4]), scores(&[0.05, 0.95, 0.1, 0.9]));
        assert!(undecided.entropy > sure.entropy && undecided.margin < sure.margin);
        assert!(undecided.bald.abs() < 1e-12 && disputed.bald > 0.3);
        assert_eq!(scores(&[1.0]).entropy, 0.0);
    }

    #[test]
    fn centres_spread_out_from_what_is_labelled() {
        // Four clusters on a line, the first of which is labelled.
        let codes: Vec<f32> = [0.0, 0.1, 5.0, 5.1, 9.0, 20.0, 20.1].into();
        let chosen = |labelled: &[f32], k: usize| k_centre(&codes, labelled, 1, k).into_iter().map(|(i, _)| i);
        assert_eq!(chosen(&[0.0], 3).collect::<Vec<_>>(), [6, 4, 2]);
        assert!((k_centre(&codes, &[0.0], 1, 1)[0].1 - 20.1).abs() < 1e-5);
        let mut all: Vec<usize> = chosen(&[], 99).collect();
        all.sort_unstable();
        assert_eq!(all, (0..7).collect::<Vec<_>>());
        assert!(k_centre(&[], &[0.0], 1, 3).is_empty());
    }
}
