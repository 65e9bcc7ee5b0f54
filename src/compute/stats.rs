//! Mean, spread and median of numbers, with the undefined cases counted, and how sure a mean is.

use std::collections::HashMap;

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

/// A mean over images and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    /// Images that have a value.
    pub count: usize,
    /// Images without one: left out, and to be told beside the mean.
    pub undefined: usize,
    /// Groups of images with a value that are independent of each other.
    pub groups: usize,
    /// `None` without any value.
    pub mean: Option<f64>,
    /// See [`interval_95_by_groups`].
    pub interval: Option<[f64; 2]>,
}

impl Estimate {
    /// Of values and their groups; one that is not finite counts as undefined.
    pub fn of(values: impl IntoIterator<Item = (Option<f64>, usize)>) -> Self {
        let mut undefined = 0;
        let (mut defined, mut groups) = (Vec::new(), Vec::new());
        for (value, group) in values {
            match value.filter(|value| value.is_finite()) {
                Some(value) => {
                    defined.push(value);
                    groups.push(group);
                }
                None => undefined += 1,
            }
        }
        Self {
            count: defined.len(),
            undefined,
            groups: sums_by_group(&defined, &groups).len(),
            mean: mean(&defined),
            interval: interval_95_by_groups(&defined, &groups),
        }
    }

    /// `0.713 [0.655, 0.762]`; `number`: a value as text.
    pub fn text(&self, number: impl Fn(f64) -> String) -> String {
        let interval =
            self.interval.map_or_else(String::new, |[low, high]| format!(" [{}, {}]", number(low), number(high)));
        self.mean.map_or_else(|| "undefined".to_owned(), |mean| number(mean) + &interval)
    }
}

/// How intervals are made, to be said beside them.
pub const INTERVALS: &str = "95 % interval: percentile bootstrap, 2000 draws of whole groups (an image alone where it has no group), fixed seed; too \
                             narrow below some ten groups";

/// The 95 % interval of the mean by the percentile bootstrap: [`DRAWS`] times as many values are drawn with replacement,
/// always the same ones for the same number of values. `None` for fewer than two values.
pub fn interval_95(values: &[f64]) -> Option<[f64; 2]> {
    interval_95_by_groups(values, &(0..values.len()).collect::<Vec<_>>())
}

/// The same where values of one group (a patient, near-duplicates) are not independent: whole groups are drawn, as many as
/// there are, and the mean is over all values of those that were drawn. `groups`: any number for each value. `None` for fewer
/// than two groups.
pub fn interval_95_by_groups(values: &[f64], groups: &[usize]) -> Option<[f64; 2]> {
    let sums = sums_by_group(values, groups);
    if sums.len() < 2 {
        return None;
    }
    let mut rng = streams::ALONE.open(0, 0);
    let mut draw = || {
        let (mut sum, mut count) = (0.0, 0.0);
        for _ in 0..sums.len() {
            let drawn = sums[rng.below(sums.len())];
            (sum, count) = (sum + drawn.0, count + drawn.1);
        }
        sum / count
    };
    let mut means: Vec<f64> = (0..DRAWS).map(|_| draw()).collect();
    means.sort_unstable_by(f64::total_cmp);
    Some([quantile(&means, 0.025), quantile(&means, 0.975)])
}

/// Sum and number of the values of each group, in the order of their first values.
pub fn sums_by_group(values: &[f64], groups: &[usize]) -> Vec<(f64, f64)> {
    let mut places = HashMap::new();
    let mut sums: Vec<(f64, f64)> = Vec::new();
    for (value, group) in values.iter().zip(groups) {
        let place = *places.entry(group).or_insert(sums.len());
        if place == sums.len() {
            sums.push((0.0, 0.0));
        }
        sums[place] = (sums[place].0 + value, sums[place].1 + 1.0);
    }
    sums
}

/// The quantile of ascending values, linear between two of them (numpy's default).
fn quantile(ascending: &[f64], share: f64) -> f64 {
    let place = share * (ascending.len() - 1) as f64;
    let (low, high) = (ascending[place as usize], ascending[place.ceil() as usize]);
    low + place.fract() * (high - low)
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
    fn the_interval_is_that_of_all_possible_draws() {
        assert_eq!(quantile(&[0.1, 0.2, 0.3, 0.65, 0.7, 0.85, 0.9], 0.025), 0.115, "numpy.percentile");
        let near = |found: Option<[f64; 2]>, expected: [f64; 2], within: f64| {
            let found = found.unwrap();
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= within), "{found:?} {expected:?}");
        };
        // numpy.percentile of the means of all 5⁵ and all 4⁴ draws.
        near(interval_95(&[0.2, 0.5, 0.55, 0.8, 0.95]), [0.38, 0.83], 0.02);
        let grouped = [0.9, 0.8, 0.2, 0.3, 0.1, 0.6, 0.7];
        near(interval_95_by_groups(&grouped, &[7, 7, 1, 1, 1, 2, 3]), [0.25, 0.814_285_71], 0.03);
        assert_eq!(interval_95_by_groups(&grouped, &[4; 7]), None, "one patient says nothing of others");
        assert_eq!(interval_95_by_groups(&grouped, &[6, 5, 4, 3, 2, 1, 0]), interval_95(&grouped));
    }

    #[test]
    fn the_interval_holds_the_true_mean_about_as_often_as_it_says() {
        // 40 patients of four images whose scores share most of what is odd about them; the true mean is 0.
        let (mut by_group, mut by_image, trials) = (0, 0, 200);
        let groups: Vec<usize> = (0..160).map(|i| i / 4).collect();
        let mut rng = streams::ALONE.open(11, 1);
        for _ in 0..trials {
            let own: Vec<f64> = (0..40).map(|_| rng.normal()).collect();
            let values: Vec<f64> = groups.iter().map(|&group| own[group] + 0.3 * rng.normal()).collect();
            let holds = |interval: Option<[f64; 2]>| interval.is_some_and(|[low, high]| low < 0.0 && 0.0 < high);
            by_group += usize::from(holds(interval_95_by_groups(&values, &groups)));
            by_image += usize::from(holds(interval_95(&values)));
        }
        // Three standard errors of 95 % in 200 are 9.
        assert!((177..=199).contains(&by_group), "{by_group} of {trials}");
        assert!(by_image < 160, "images alone would claim twice as much: {by_image} of {trials}");
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
