//! How values of a function become heights between 0 and 1: linear, or compressed where a few values dwarf the rest.

use crate::scale::ticks::round_values;

/// Which scale the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScaleMode {
    /// Logarithmic where the values ask for it, see [`HeightScale::fit`].
    #[default]
    Automatic,
    Linear,
    Logarithmic,
}

/// A monotone map from values to heights 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeightScale {
    /// Value at height 0.
    pub low: f64,
    /// Value at height 1.
    pub high: f64,
    /// Logarithmic scale: height grows as `ln(1 + (f - low) / knee)`; below the knee it is nearly linear.
    pub knee: Option<f64>,
}

/// Automatic mode compresses when the middle of the values lies this low (a share of their range): most of the surface
/// would be a flat floor under one steep corner.
const FLAT_FLOOR: f64 = 0.12;

impl HeightScale {
    /// A scale for these values. What is not finite is ignored; without a finite value or a range, the scale is one unit
    /// wide around what there is. In a linear scale the rare extremes (1 value in 1 000 on each side, when they take more
    /// than half of the range) are cut, so that one spike does not flatten the rest.
    pub fn fit(values: &[f64], mode: ScaleMode) -> Self {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else {
            return Self { low: 0.0, high: 1.0, knee: None };
        };
        if high - low <= 1e-300 + 1e-12 * low.abs() {
            return Self { low: low - 0.5, high: low + 0.5, knee: None };
        }
        let quantile = |q: f64| sorted[(q * (sorted.len() - 1) as f64).round() as usize];
        let compress = match mode {
            ScaleMode::Linear => false,
            ScaleMode::Logarithmic => true,
            ScaleMode::Automatic => quantile(0.5) - low < FLAT_FLOOR * (high - low),
        };
        if compress {
            // The knee is low enough that the lowest twentieth of the values still shows its relief.
            let knee = (quantile(0.05) - low).max(1e-6 * (high - low));
            return Self { low, high, knee: Some(knee) };
        }
        let (inner_low, inner_high) = (quantile(0.001), quantile(0.999));
        if inner_high > inner_low && inner_high - inner_low < 0.5 * (high - low) {
            return Self { low: inner_low, high: inner_high, knee: None };
        }
        Self { low, high, knee: None }
    }

    /// Height of a value, 0..=1; values outside the range are cut, what is not a number is at the top.
    pub fn height(&self, value: f64) -> f32 {
        if value.is_nan() {
            return 1.0;
        }
        let above = (value - self.low).clamp(0.0, self.high - self.low);
        let height = match self.knee {
            None => above / (self.high - self.low),
            Some(knee) => (above / knee).ln_1p() / ((self.high - self.low) / knee).ln_1p(),
        };
        height as f32
    }

    /// Value at a height: the inverse of [`HeightScale::height`].
    pub fn value(&self, height: f32) -> f64 {
        let (height, range) = (f64::from(height), self.high - self.low);
        match self.knee {
            None => self.low + height * range,
            Some(knee) => self.low + knee * (height * (range / knee).ln_1p()).exp_m1(),
        }
    }

    /// Round values for the axis, with their heights, about `count` of them, none closer than they can be labelled.
    pub fn ticks(&self, count: usize) -> Vec<(f64, f32)> {
        let with_height = |value: f64| (value, self.height(value));
        if self.knee.is_none() || count == 0 {
            return round_values(self.low, self.high, count).into_iter().map(with_height).collect();
        }
        // The bottom and powers of ten; where they are too few (or the values negative), rounded values at equal heights.
        let bottom = if self.low.abs() < 0.01 * self.value(0.1).abs() { 0.0 } else { self.low };
        let mut ticks = vec![(bottom, 0.0)];
        let mut push = |value: f64| {
            let tick = with_height(value);
            let apart = ticks.last().is_none_or(|last| tick.1 - last.1 > 0.6 / count as f32);
            if apart && (self.low..=self.high).contains(&value) {
                ticks.push(tick);
            }
        };
        if self.low >= 0.0 && self.high > 30.0 * self.value(0.2) {
            let first = self.value(0.1).log10().floor() as i32;
            let last = self.high.log10().floor() as i32;
            let stride = ((last - first) as usize).div_ceil(count).max(1);
            (first..=last)
                .rev()
                .step_by(stride)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .for_each(|k| push(10f64.powi(k)));
        } else {
            (1..=count).for_each(|i| push(round_to_digit(self.value(i as f32 / count as f32), self.high - self.low)));
        }
        ticks
    }
}

/// Rounds to one significant digit; what is tiny against the range becomes 0.
fn round_to_digit(value: f64, range: f64) -> f64 {
    if value.abs() < 1e-9 * range {
        return 0.0;
    }
    let power = 10f64.powf(value.abs().log10().floor());
    (value / power).round() * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_inverse(scale: HeightScale) {
        for i in 0..=20 {
            let height = i as f32 / 20.0;
            let back = scale.height(scale.value(height));
            assert!((back - height).abs() < 1e-5, "{scale:?} {height} {back}");
        }
    }

    #[test]
    fn a_saddle_is_linear_and_a_steep_corner_is_compressed() {
        let saddle: Vec<f64> = (-50..=50).flat_map(|i| (-50..=50).map(move |j| f64::from(i * i - j * j))).collect();
        let scale = HeightScale::fit(&saddle, ScaleMode::Automatic);
        assert_eq!(scale, HeightScale { low: -2500.0, high: 2500.0, knee: None });
        assert_inverse(scale);
        let steep: Vec<f64> = (0..10_000).map(|i| (f64::from(i) * 1.4e-3).exp()).collect();
        let scale = HeightScale::fit(&steep, ScaleMode::Automatic);
        assert!(scale.knee.is_some());
        assert_inverse(scale);
        assert!(scale.height(steep[5000]) > 0.25);
    }

    #[test]
    fn one_spike_does_not_flatten_a_linear_scale() {
        let mut values: Vec<f64> = (0..10_000).map(|i| f64::from(i % 100)).collect();
        values.push(1e9);
        let scale = HeightScale::fit(&values, ScaleMode::Linear);
        assert!(scale.high < 101.0);
        assert_eq!(scale.height(1e9), 1.0);
    }

    #[test]
    fn degenerate_values_still_give_a_scale() {
        for values in [vec![], vec![f64::NAN], vec![3.0], vec![3.0; 9], vec![f64::INFINITY, 1.0]] {
            let scale = HeightScale::fit(&values, ScaleMode::Automatic);
            assert!(scale.high > scale.low, "{values:?}");
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.0] {
                assert!((0.0..=1.0).contains(&scale.height(value)), "{values:?} {value}");
            }
        }
    }

    #[test]
    fn ticks_are_round_ordered_and_inside() {
        let scale = HeightScale { low: 3.0, high: 1.02e6, knee: Some(100.0) };
        let ticks = scale.ticks(5);
        assert!(ticks.len() >= 4, "{ticks:?}");
        assert!(ticks.windows(2).all(|pair| pair[0].1 < pair[1].1), "{ticks:?}");
    }
}
