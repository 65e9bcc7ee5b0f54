//! Many runs that differ only in their noise, told by quantiles.

/// Shares below the lines of a fan.
pub const SHARES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// Quantiles of f against the step.
#[derive(Debug, Clone, PartialEq)]
pub struct Fan {
    /// For each of [`SHARES`], a value at each step that was kept.
    pub lines: [Vec<f64>; SHARES.len()],
    /// The mean at each step that was kept; not a number where a run is none.
    pub mean: Vec<f64>,
    /// How many of the runs had left the finite numbers by the end.
    pub lost: usize,
}

/// The steps that are kept: 0, the last one, and evenly between them, no more than `most`.
pub fn kept_steps(steps: u64, most: u64) -> Vec<u64> {
    let most = most.max(2);
    if steps < most {
        return (0..=steps).collect();
    }
    // In u128 nothing overflows.
    (0..most).map(|i| (u128::from(i) * u128::from(steps) / u128::from(most - 1)) as u64).collect()
}

impl Fan {
    /// Of runs with a value at each kept step. A run that is no number any more counts as infinitely high, or infinitely low
    /// if it was falling below where it began.
    pub fn of(runs: &[Vec<f64>]) -> Self {
        let kept = runs.iter().map(Vec::len).min().unwrap_or(0);
        let mut lines: [Vec<f64>; SHARES.len()] = std::array::from_fn(|_| Vec::with_capacity(kept));
        let mut last: Vec<f64> = runs.iter().map(|run| run.first().copied().unwrap_or(f64::NAN)).collect();
        let mut mean = Vec::with_capacity(kept);
        let mut column = Vec::with_capacity(runs.len());
        for step in 0..kept {
            column.clear();
            for (run, last) in runs.iter().zip(&mut last) {
                if run[step].is_finite() {
                    *last = run[step];
                }
                column.push(if run[step].is_nan() { f64::INFINITY.copysign(*last - run[0]) } else { run[step] });
            }
            mean.push(runs.iter().map(|run| run[step]).sum::<f64>() / runs.len() as f64);
            column.sort_unstable_by(f64::total_cmp);
            for (line, share) in lines.iter_mut().zip(SHARES) {
                line.push(quantile(&column, share));
            }
        }
        let lost = runs.iter().filter(|run| run[..kept].last().is_some_and(|v| !v.is_finite())).count();
        Self { lines, mean, lost }
    }
}

impl Fan {
    /// The mean over all runs and the second half of the steps: what is left when the start is forgotten.
    pub fn settled(&self) -> f64 {
        let late = &self.mean[self.mean.len() / 2..];
        late.iter().sum::<f64>() / late.len() as f64
    }
}

/// The quantile of sorted values, between neighbours in proportion (type 7 of Hyndman and Fan: that of NumPy and R); NaN of
/// nothing. Next to an infinite neighbour it is that neighbour.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let (below, weight) = (place.floor() as usize, place.fract());
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    match () {
        () if weight == 0.0 || low == high => low,
        () if high.is_infinite() => high,
        () if low.is_infinite() => low,
        () => low + weight * (high - low),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_numpy() {
        let values = [1.0, 2.0, 4.0, 8.0, 16.0];
        // numpy.quantile([1, 2, 4, 8, 16], [0.05, 0.25, 0.5, 0.75, 0.95])
        for (share, wanted) in SHARES.into_iter().zip([1.2, 2.0, 4.0, 8.0, 14.4]) {
            assert!((quantile(&values, share) - wanted).abs() < 1e-12, "{share}");
        }
        assert!(quantile(&[], 0.5).is_nan());
        assert_eq!(quantile(&[3.0], 0.95), 3.0);
        assert_eq!(quantile(&[1.0, f64::INFINITY], 0.5), f64::INFINITY);
        assert_eq!(quantile(&[f64::NEG_INFINITY, 1.0], 0.25), f64::NEG_INFINITY);
    }

    #[test]
    fn runs_that_diverge_count_as_high_and_those_that_fall_for_ever_as_low() {
        let up = vec![1.0, 1e300, f64::INFINITY, f64::NAN];
        let down = vec![1.0, -1e300, f64::NEG_INFINITY, f64::NAN];
        let calm = vec![1.0, 0.5, 0.25, 0.125];
        let fan = Fan::of(&[up.clone(), calm.clone(), calm.clone()]);
        assert_eq!(fan.lines[2], calm, "the median is not moved by one that diverges");
        assert_eq!((fan.lines[4][3], fan.lost), (f64::INFINITY, 1));
        assert_eq!(Fan::of(&[down.clone(), down, calm]).lines[2][3], f64::NEG_INFINITY);
        assert_eq!(Fan::of(&[up.clone(), up]).lines[0][3], f64::INFINITY);
        assert!(Fan::of(&[]).lines[0].is_empty());
    }

    #[test]
    fn kept_steps_are_few_and_hold_both_ends() {
        assert_eq!(kept_steps(4, 10), [0, 1, 2, 3, 4]);
        assert_eq!(kept_steps(0, 10), [0]);
        let kept = kept_steps(100_000, 500);
        assert_eq!((kept.len(), kept[0], kept[499]), (500, 0, 100_000));
        assert!(kept.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
