//! Mean, spread and median of numbers, with the undefined cases counted.

use super::streams;

/// `None` without any value.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// √(Σ(x − mean)² / (n − ddof)); `None` for no more than `ddof` values.
pub fn standard_deviation(values: &[f64], ddof: usize) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() > ddof)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - ddof) as f64).sqrt())
}

/// The middle of ascending values, or half way between the two in the middle; `None` without any.
pub fn median(ascending: &[f64]) -> Option<f64> {
    let n = ascending.len();
    (n > 0).then(|| (ascending[(n - 1) / 2] + ascending[n / 2]) / 2.0)
}

/// Draws of [`interval_95`].
pub const DRAWS: usize = 2000;

/// Mean and standard deviations of the defined values.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Summary {
    /// Number of defined values.
    pub count: usize,
    /// Number of undefined ones: left out, and to be told beside the mean.
    pub undefined: usize,
    /// `None` without any defined value.
    pub mean: Option<f64>,
    /// √(Σ(x − mean)² / n): ddof 0, as numpy does by default.
    pub std_population: Option<f64>,
    /// √(Σ(x − mean)² / (n − 1)): ddof 1; `None` for fewer than two values.
    pub std_sample: Option<f64>,
}

impl Summary {
    /// Of values of which some may be undefined; one that is not finite counts as undefined.
    pub fn of(values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let mut undefined = 0;
        let mut defined = Vec::new();
        for value in values {
            match value.filter(|value| value.is_finite()) {
                Some(value) => defined.push(value),
                None => undefined += 1,
            }
        }
        Self {
            count: defined.len(),
            undefined,
            mean: mean(&defined),
            std_population: standard_deviation(&defined, 0),
            std_sample: standard_deviation(&defined, 1),
        }
    }
}

/// The 95 % interval of the mean by the percentile bootstrap: [`DRAWS`] times as many values are drawn with replacement,
/// always the same ones for the same number of values. `None` for fewer than two values.
pub fn interval_95(values: &[f64]) -> Option<[f64; 2]> {
    if values.len() < 2 {
        return None;
    }
    let mut rng = streams::ALONE.open(0, 0);
    let mut draw = || (0..values.len()).map(|_| values[rng.below(values.len())]).sum::<f64>() / values.len() as f64;
    let mut means: Vec<f64> = (0..DRAWS).map(|_| draw()).collect();
    means.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (DRAWS - 1) as f64;
        let (low, high) = (means[place as usize], means[place.ceil() as usize]);
        low + place.fract() * (high - low)
    };
    Some([at(0.025), at(0.975)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_values_are_counted_and_left_out() {
        let summary = Summary::of([Some(1.0), None, Some(3.0), Some(f64::NAN)]);
        assert_eq!((summary.count, summary.undefined, summary.mean), (2, 2, Some(2.0)));
        assert_eq!((summary.std_population, summary.std_sample), (Some(1.0), Some(2.0_f64.sqrt())));
    }

    #[test]
    fn the_interval_is_that_of_the_mean_and_always_the_same() {
        assert_eq!((interval_95(&[]), interval_95(&[1.0])), (None, None));
        assert_eq!(interval_95(&[0.5; 9]), Some([0.5, 0.5]));
        let values: Vec<f64> = (0..200).map(|i| f64::from(i % 20) / 20.0).collect();
        let [low, high] = interval_95(&values).unwrap();
        // Mean ± 1.96 s/√n = 0.475 ± 0.04.
        assert!((low - 0.435).abs() < 0.006 && (high - 0.515).abs() < 0.006, "{low} {high}");
        assert_eq!(interval_95(&values), Some([low, high]));
    }

    #[test]
    fn the_median_is_the_middle_or_half_way_between_two() {
        assert_eq!(
            [&[][..], &[3.0], &[1.0, 2.0], &[1.0, 2.0, 9.0]].map(median),
            [None, Some(3.0), Some(1.5), Some(2.0)]
        );
    }

    #[test]
    fn too_few_values_have_no_spread() {
        let one = Summary::of([Some(4.0)]);
        assert_eq!((one.mean, one.std_population, one.std_sample), (Some(4.0), Some(0.0), None));
        let none = Summary::of([None]);
        assert_eq!((none.undefined, none.mean, none.std_population), (1, None, None));
    }
}
