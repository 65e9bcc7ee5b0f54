//! How well scores tell the ill from the healthy: counts at a threshold, ROC, intervals and tests for small sets,
//! calibration, agreement of grades.

/// Calls at one threshold against the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub true_positives: usize,
    pub false_positives: usize,
    pub true_negatives: usize,
    pub false_negatives: usize,
}

impl Counts {
    /// Positive is what scores `threshold` or more.
    pub fn of(scores: &[f64], truth: &[bool], threshold: f64) -> Self {
        let mut counts = Self::default();
        for (score, ill) in scores.iter().zip(truth) {
            *match (*score >= threshold, ill) {
                (true, true) => &mut counts.true_positives,
                (true, false) => &mut counts.false_positives,
                (false, false) => &mut counts.true_negatives,
                (false, true) => &mut counts.false_negatives,
            } += 1;
        }
        counts
    }

    pub fn all(&self) -> usize {
        self.right() + self.false_positives + self.false_negatives
    }

    pub fn right(&self) -> usize {
        self.true_positives + self.true_negatives
    }

    /// Share of right calls; `None` without any.
    pub fn accuracy(&self) -> Option<f64> {
        share(self.right(), self.all())
    }

    /// Share of the ill that are found; `None` without any.
    pub fn sensitivity(&self) -> Option<f64> {
        share(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// Share of the healthy that are let go; `None` without any.
    pub fn specificity(&self) -> Option<f64> {
        share(self.true_negatives, self.true_negatives + self.false_positives)
    }
}

fn share(part: usize, all: usize) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

/// A point of the receiver operating characteristic: at some threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RocPoint {
    /// 1 − specificity.
    pub false_positive_rate: f64,
    /// Sensitivity.
    pub true_positive_rate: f64,
    /// Infinite at the first point, where nothing is called ill.
    pub threshold: f64,
}

/// The receiver operating characteristic, by falling threshold from (0, 0) to (1, 1); equal scores make one point. `None` where
/// one of both classes is missing.
pub fn roc(scores: &[f64], truth: &[bool]) -> Option<Vec<RocPoint>> {
    let ill = truth.iter().filter(|ill| **ill).count();
    let healthy = truth.len() - ill;
    if ill == 0 || healthy == 0 {
        return None;
    }
    let mut order: Vec<usize> = (0..truth.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let mut points = vec![RocPoint { false_positive_rate: 0.0, true_positive_rate: 0.0, threshold: f64::INFINITY }];
    let (mut found, mut wrong) = (0, 0);
    for (k, &i) in order.iter().enumerate() {
        if truth[i] {
            found += 1
        } else {
            wrong += 1
        }
        if order.get(k + 1).is_some_and(|&next| scores[next] == scores[i]) {
            continue;
        }
        points.push(RocPoint {
            false_positive_rate: wrong as f64 / healthy as f64,
            true_positive_rate: found as f64 / ill as f64,
            threshold: scores[i],
        });
    }
    Some(points)
}

/// Area under the receiver operating characteristic: the chance that an ill one scores more than a healthy one, ties half.
/// `None` where one of both classes is missing.
pub fn auc(scores: &[f64], truth: &[bool]) -> Option<f64> {
    let points = roc(scores, truth)?;
    let strip = |pair: &[RocPoint]| {
        (pair[1].false_positive_rate - pair[0].false_positive_rate)
            * (pair[1].true_positive_rate + pair[0].true_positive_rate)
            / 2.0
    };
    Some(points.windows(2).map(strip).sum())
}

/// 97.5 % quantile of the normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;

/// The 95 % interval of a share of `successes` in `count` (Wilson, 1927); `None` without any.
pub fn wilson_95(successes: usize, count: usize) -> Option<[f64; 2]> {
    let p = share(successes, count)?;
    let (n, z2) = (count as f64, Z_95 * Z_95);
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z_95 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    Some([(middle - half).max(0.0), (middle + half).min(1.0)])
}

/// Two-sided p-value of McNemar's exact test that two models are equally often right: of the pictures on which just one of
/// them is right, `only_a` and `only_b`, both halves are equally likely. 1 where there is none.
pub fn mcnemar_exact(only_a: usize, only_b: usize) -> f64 {
    let (count, few) = (only_a + only_b, only_a.min(only_b));
    // ln C(n, k) − n ln 2, term by term: n! of a few hundred is no f64.
    let mut term = -(count as f64) * std::f64::consts::LN_2;
    let mut sum = term.exp();
    for k in 1..=few {
        term += ((count + 1 - k) as f64 / k as f64).ln();
        sum += term.exp();
    }
    (2.0 * sum).min(1.0)
}

/// How well probabilities mean what they say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Expected calibration error over ten equal bins of the probability: mean over all pictures of |share of ill − mean
    /// probability| of their bin.
    pub expected_error: f64,
    /// Brier score: mean of (probability − truth)².
    pub brier: f64,
}

/// `None` for no picture.
pub fn calibration(probabilities: &[f64], truth: &[bool]) -> Option<Calibration> {
    const BINS: usize = 10;
    if truth.is_empty() {
        return None;
    }
    let count = truth.len() as f64;
    // Sum of probabilities, number of ill.
    let mut bins = [(0.0, 0.0); BINS];
    let mut brier = 0.0;
    for (p, ill) in probabilities.iter().zip(truth) {
        let y = f64::from(u8::from(*ill));
        let bin = &mut bins[((p * BINS as f64) as usize).min(BINS - 1)];
        *bin = (bin.0 + p, bin.1 + y);
        brier += (p - y).powi(2);
    }
    let expected_error = bins.iter().map(|(p, ill): &(f64, f64)| (p - ill).abs()).sum::<f64>() / count;
    Some(Calibration { expected_error, brier: brier / count })
}

/// How often pictures of each grade (rows) were given each grade (columns).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GradeTable {
    pub classes: usize,
    /// `[classes, classes]`
    pub counts: Vec<usize>,
}

impl GradeTable {
    pub fn of(truth: &[usize], given: &[usize], classes: usize) -> Self {
        let mut counts = vec![0; classes * classes];
        truth.iter().zip(given).for_each(|(truth, given)| counts[truth * classes + given] += 1);
        Self { classes, counts }
    }

    /// Share of pictures with the right grade; `None` without any.
    pub fn accuracy(&self) -> Option<f64> {
        share((0..self.classes).map(|i| self.counts[i * self.classes + i]).sum(), self.counts.iter().sum())
    }

    /// Share of pictures that are rightly called healthy (grade 0) or ill; `None` without any.
    pub fn binary_accuracy(&self) -> Option<f64> {
        let all: usize = self.counts.iter().sum();
        let wrong: usize = (1..self.classes).map(|i| self.counts[i] + self.counts[i * self.classes]).sum();
        share(all - wrong, all)
    }

    /// Cohen's kappa with squared distances of grades as weights (Cohen, 1968): 1 for equal grades, 0 for chance. `None` where
    /// chance leaves nothing to tell apart.
    pub fn quadratic_kappa(&self) -> Option<f64> {
        let n = self.classes;
        let count: usize = self.counts.iter().sum();
        let row: Vec<usize> = self.counts.chunks_exact(n).map(|row| row.iter().sum()).collect();
        let column: Vec<usize> = (0..n).map(|c| self.counts.iter().skip(c).step_by(n).sum()).collect();
        let (mut seen, mut expected) = (0.0, 0.0);
        for (i, given) in row.iter().enumerate() {
            for (j, called) in column.iter().enumerate() {
                let far = (i as f64 - j as f64).powi(2);
                seen += far * self.counts[i * n + j] as f64;
                expected += far * *given as f64 * *called as f64 / count.max(1) as f64;
            }
        }
        (expected > 0.0).then(|| 1.0 - seen / expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_class_alone_has_no_curve() {
        assert_eq!((roc(&[0.1, 0.2], &[true, true]), auc(&[0.1], &[false]), auc(&[], &[])), (None, None, None));
        let counts = Counts::of(&[0.7, 0.2], &[true, true], 0.5);
        assert_eq!((counts.accuracy(), counts.sensitivity(), counts.specificity()), (Some(0.5), Some(0.5), None));
    }

    #[test]
    fn the_area_is_the_share_of_ordered_pairs() {
        let scores: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 23) / 23.0).collect();
        let truth: Vec<bool> = (0..60).map(|i| i * 7 % 5 < 2).collect();
        let (mut sum, mut pairs) = (0.0, 0.0);
        for i in (0..60).filter(|&i| truth[i]) {
            for j in (0..60).filter(|&j| !truth[j]) {
                pairs += 1.0;
                sum += if scores[i] > scores[j] { 1.0 } else { f64::from(u8::from(scores[i] == scores[j])) / 2.0 };
            }
        }
        assert!((auc(&scores, &truth).unwrap() - sum / pairs).abs() < 1e-12);
    }

    #[test]
    fn no_picture_is_no_number() {
        assert_eq!((wilson_95(0, 0), calibration(&[], &[]), mcnemar_exact(0, 0)), (None, None, 1.0));
        assert_eq!(GradeTable::of(&[], &[], 4).quadratic_kappa(), None);
        assert_eq!(GradeTable::of(&[2, 2], &[2, 2], 4).quadratic_kappa(), None);
    }

    #[test]
    fn many_pairs_are_no_overflow() {
        let p = mcnemar_exact(1200, 1000);
        assert!(p > 1e-6 && p < 1e-3, "{p}");
    }
}
