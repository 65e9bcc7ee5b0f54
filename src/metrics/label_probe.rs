//! A linear probe for labels that do not exclude each other: logistic regression on frozen features, one for each label, with the
//! numbers that rare labels need beside accuracy (Table II reports accuracy alone).

use super::detection::{Counts, auc};
use super::knn::ProbeError;
use crate::compute::linalg::{Matrix, ridge_regression};

/// Features with a yes or no for each label.
#[derive(Debug, Clone, Copy)]
pub struct Marked<'a> {
    /// `[n, d]`
    pub features: &'a [f32],
    /// `[n, labels]`; `None`: not known, the picture takes no part for that label.
    pub truth: &'a [Option<bool>],
    pub d: usize,
    pub labels: usize,
}

impl Marked<'_> {
    fn check(&self) -> Result<usize, ProbeError> {
        let rows = self.features.len() / self.d.max(1);
        if self.d == 0
            || self.labels == 0
            || rows * self.d != self.features.len()
            || rows * self.labels != self.truth.len()
        {
            return Err(ProbeError::Shape { numbers: self.features.len(), labels: self.truth.len(), d: self.d });
        }
        Ok(rows)
    }

    /// The rows of which a label is known, and whether they have it.
    fn known(&self, label: usize) -> (Vec<&[f32]>, Vec<bool>) {
        let truth = self.truth.iter().skip(label).step_by(self.labels);
        self.features.chunks_exact(self.d).zip(truth).filter_map(|(row, truth)| Some((row, (*truth)?))).unzip()
    }
}

/// How well one label is told.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelScore {
    /// Test pictures of which the label is known.
    pub known: usize,
    /// Share of them that have it.
    pub prevalence: Option<f64>,
    /// Area under the receiver operating characteristic; `None` where all are alike.
    pub auc: Option<f64>,
    /// At a probability of 0.5, as the article's.
    pub accuracy: Option<f64>,
    /// What always saying the commoner answer would get: the larger of both shares.
    pub majority: Option<f64>,
    /// Mean of sensitivity and specificity at 0.5; `None` where all are alike.
    pub balanced_accuracy: Option<f64>,
    /// 2 TP / (2 TP + FP + FN) at 0.5; `None` where nobody has it and nobody is said to.
    pub f1: Option<f64>,
    /// Probability of the label for every known test picture, in order.
    pub probabilities: Vec<f64>,
}

/// Weight of the squared weights for each training picture: enough for separable labels to have a solution.
const RIDGE: f64 = 1e-3;
/// Newton's steps; some eight reach rounding.
const MOST_STEPS: usize = 50;

/// Fits each label on `train` and judges it on `test`. Features are standardised by the training set's moments; the fit is the ridge
/// solution by Newton's method, so that it depends on no seed.
///
/// # Errors
/// See [`ProbeError`].
pub fn label_probe(train: &Marked<'_>, test: &Marked<'_>) -> Result<Vec<LabelScore>, ProbeError> {
    train.check()?;
    test.check()?;
    if train.d != test.d || train.labels != test.labels {
        return Err(ProbeError::Shape { numbers: test.features.len(), labels: test.truth.len(), d: train.d });
    }
    if train.features.iter().chain(test.features).any(|value| !value.is_finite()) {
        return Err(ProbeError::NotFinite);
    }
    (0..train.labels).map(|label| one(train, test, label)).collect()
}

fn one(train: &Marked<'_>, test: &Marked<'_>, label: usize) -> Result<LabelScore, ProbeError> {
    let (rows, truth) = train.known(label);
    let (asked, answers) = test.known(label);
    let (mean, scale) = moments(&rows, train.d);
    let standard = |row: &[f32]| -> Vec<f64> {
        let centred =
            row.iter().zip(&mean).zip(&scale).map(|((value, mean), scale)| (f64::from(*value) - mean) * scale);
        centred.chain(std::iter::once(1.0)).collect()
    };
    let inputs: Vec<Vec<f64>> = rows.iter().map(|row| standard(row)).collect();
    let weights = fit(&inputs, &truth, train.d + 1)?;
    let probabilities: Vec<f64> = asked.iter().map(|row| sigmoid(product(&standard(row), &weights))).collect();
    Ok(judged(probabilities, &answers))
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// Iteratively reweighted least squares: each step solves (Xᵀ D X + ridge) w = Xᵀ D z with D = p (1 − p), z = X w + (y − p) / D.
fn fit(inputs: &[Vec<f64>], truth: &[bool], columns: usize) -> Result<Vec<f64>, ProbeError> {
    let mut weights = vec![0.0; columns];
    if inputs.is_empty() {
        return Ok(weights);
    }
    for _ in 0..MOST_STEPS {
        let parts: Vec<(f64, f64)> = inputs
            .iter()
            .zip(truth)
            .map(|(row, yes)| {
                let logit = product(row, &weights);
                let p = sigmoid(logit);
                let spread = (p * (1.0 - p)).max(1e-9);
                (spread.sqrt(), logit + (f64::from(u8::from(*yes)) - p) / spread)
            })
            .collect();
        let entry = |i: usize, j: usize| inputs.get(i).and_then(|row| row.get(j)).copied().unwrap_or(0.0);
        let part = |i: usize| parts.get(i).copied().unwrap_or_default();
        let x = Matrix::from_fn(inputs.len(), columns, |i, j| part(i).0 * entry(i, j));
        let y = Matrix::from_fn(inputs.len(), 1, |i, _| part(i).0 * part(i).1);
        let next = ridge_regression(&x, &y, RIDGE * inputs.len() as f64).map_err(|_| ProbeError::NoSolution)?;
        let change = weights.iter().zip(next.as_slice()).map(|(old, new)| (old - new).abs()).fold(0.0, f64::max);
        weights.copy_from_slice(next.as_slice());
        if change < 1e-10 {
            break;
        }
    }
    Ok(weights)
}

/// Mean and reciprocal deviation of every feature; a constant one is only centred.
fn moments(rows: &[&[f32]], d: usize) -> (Vec<f64>, Vec<f64>) {
    let n = rows.len().max(1) as f64;
    let (mut mean, mut square) = (vec![0.0; d], vec![0.0; d]);
    for row in rows {
        mean.iter_mut().zip(*row).for_each(|(mean, value)| *mean += f64::from(*value) / n);
    }
    for row in rows {
        let centred = row.iter().zip(&mean).map(|(value, mean)| (f64::from(*value) - mean).powi(2) / n);
        square.iter_mut().zip(centred).for_each(|(square, value)| *square += value);
    }
    let scale = square.into_iter().map(|square: f64| if square > 1e-24 { 1.0 / square.sqrt() } else { 1.0 });
    (mean, scale.collect())
}

fn judged(probabilities: Vec<f64>, truth: &[bool]) -> LabelScore {
    let counts = Counts::of(&probabilities, truth, 0.5);
    let known = truth.len();
    let prevalence = (known > 0).then(|| truth.iter().filter(|yes| **yes).count() as f64 / known as f64);
    let both = counts.sensitivity().zip(counts.specificity());
    let named = 2 * counts.true_positives + counts.false_positives + counts.false_negatives;
    LabelScore {
        known,
        prevalence,
        auc: auc(&probabilities, truth),
        accuracy: counts.accuracy(),
        majority: prevalence.map(|share| share.max(1.0 - share)),
        balanced_accuracy: both.map(|(sensitivity, specificity)| (sensitivity + specificity) / 2.0),
        f1: (named > 0).then(|| 2.0 * counts.true_positives as f64 / named as f64),
        probabilities,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_fitted_one_by_one_and_a_rare_one_is_not_flattered() {
        // Label 0 is the sign of the first feature, label 1 is one in twenty and in no feature, label 2 is never known.
        let wave = |i: usize, step: f32| (i as f32 * step).sin();
        let features: Vec<f32> = (0..400).flat_map(|i| [wave(i, 1.3), wave(i, 0.7) * 5.0, 3.0]).collect();
        let truth: Vec<Option<bool>> =
            (0..400).flat_map(|i| [Some(wave(i, 1.3) > 0.0), Some(i % 20 == 7), None]).collect();
        let all = Marked { features: &features, truth: &truth, d: 3, labels: 3 };
        let scores = label_probe(&all, &all).unwrap();
        let [told, rare, unknown] = &scores[..] else { panic!() };
        assert!(told.auc.unwrap() > 0.999 && told.accuracy.unwrap() > 0.98 && told.f1.unwrap() > 0.98);
        assert_eq!(
            (rare.accuracy, rare.majority, rare.balanced_accuracy, rare.f1),
            (Some(0.95), Some(0.95), Some(0.5), Some(0.0))
        );
        assert!(rare.auc.unwrap() < 0.7);
        assert_eq!((unknown.known, unknown.auc, unknown.accuracy), (0, None, None));
        // Newton's method has found the root of the slope.
        let (rows, yes) = all.known(1);
        let mean_probability = rare.probabilities.iter().sum::<f64>() / rows.len() as f64;
        assert!((mean_probability - 0.05).abs() < 0.01, "{mean_probability} of {}", yes.len());
        let odd = Marked { d: 7, ..all };
        assert!(label_probe(&odd, &all).is_err());
    }
}
