//! Axis scales: where a value lies along an axis, and which values carry a tick.

/// How values are laid along an axis. Axes work in positions: linear scales leave values as they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    Linear,
    /// `log10(value − base)`; values at or below `base` have no position.
    Log {
        base: f64,
    },
    /// `sign(v) log10(1 + |v| / unit)`: logarithmic at both ends, linear within `±unit`.
    SymLog {
        unit: f64,
    },
}

/// A labelled place on an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    pub position: f64,
    pub label: String,
    /// Drawn with a grid line; minor ones only have the line.
    pub major: bool,
}

impl Scale {
    /// The position of `value`; NaN where it has none.
    pub fn position(self, value: f64) -> f64 {
        match self {
            Scale::Linear => value,
            Scale::Log { base } if value > base => (value - base).log10(),
            Scale::Log { .. } => f64::NAN,
            Scale::SymLog { unit } => value.signum() * (value.abs() / unit).ln_1p() / std::f64::consts::LN_10,
        }
    }

    /// The value at `position`.
    pub fn value(self, position: f64) -> f64 {
        match self {
            Scale::Linear => position,
            Scale::Log { base } => base + 10f64.powf(position),
            Scale::SymLog { unit } => position.signum() * unit * (10f64.powf(position.abs()) - 1.0),
        }
    }

    /// About `wanted` ticks between two positions.
    pub fn ticks(self, low: f64, high: f64, wanted: usize) -> Vec<Tick> {
        if !(low.is_finite() && high.is_finite() && low < high) || wanted == 0 {
            return Vec::new();
        }
        match self {
            Scale::Linear => linear_ticks(low, high, wanted),
            Scale::Log { .. } => log_ticks(low, high, wanted),
            Scale::SymLog { unit } => symlog_ticks(low, high, wanted, unit),
        }
    }
}

/// Round steps, in powers of ten.
const STEPS: [f64; 4] = [1.0, 2.0, 5.0, 10.0];

/// A step of 1, 2 or 5 times a power of ten that cuts `span` into at most `wanted` parts.
pub fn nice_step(span: f64, wanted: usize) -> f64 {
    let raw = span / wanted.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    STEPS.into_iter().find(|step| step * power >= raw * (1.0 - 1e-9)).unwrap_or(10.0) * power
}

/// Round values in `low..=high`, about `wanted` parts with one such step, more rather than few. A hundredth of the range
/// beyond the ends counts as inside: a minimum of 0.003 still gets its 0.
pub fn round_values(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let range = high - low;
    if !(range.is_finite() && range > 0.0) || wanted == 0 {
        return Vec::new();
    }
    let raw = range / wanted as f64;
    let power = 10f64.powf(raw.log10().floor());
    let step = STEPS.into_iter().rev().find(|step| step * power <= raw * 1.4).unwrap_or(1.0) * power;
    multiples(low - 0.01 * range, high + 0.01 * range, step).collect()
}

/// The multiples of `step` in `[low, high]`.
pub fn multiples(low: f64, high: f64, step: f64) -> impl Iterator<Item = f64> {
    let first = (low / step - 1e-9).ceil();
    let count = ((high / step + 1e-9).floor() - first).max(-1.0) + 1.0;
    (0..count.min(1_000.0) as usize).map(move |i| {
        let value = (first + i as f64) * step;
        // −0 would be printed as such.
        if value == 0.0 { 0.0 } else { value }
    })
}

fn linear_ticks(low: f64, high: f64, wanted: usize) -> Vec<Tick> {
    let step = nice_step(high - low, wanted);
    multiples(low, high, step)
        .map(|position| Tick { position, label: tick_label(position, step), major: true })
        .collect()
}

fn log_ticks(low: f64, high: f64, wanted: usize) -> Vec<Tick> {
    if high - low < 1.0 {
        // Within a decade: 1, 2, 5 times powers of ten, or plain numbers when even those are too few.
        let (from, to) = (10f64.powf(low), 10f64.powf(high));
        let step = nice_step(to - from, wanted);
        return multiples(from, to, step)
            .filter(|value| *value > 0.0)
            .map(|value| Tick { position: value.log10(), label: tick_label(value, step), major: true })
            .collect();
    }
    let stride = ((high - low) / wanted as f64).ceil().max(1.0);
    let mut ticks: Vec<Tick> = multiples(low, high, stride)
        .map(|position| Tick { position, label: power_label(position as i32), major: true })
        .collect();
    if high - low <= 3.0 {
        for decade in low.floor() as i32..=high.floor() as i32 {
            for mantissa in 2..10 {
                let position = f64::from(decade) + f64::from(mantissa).log10();
                if position > low && position < high {
                    ticks.push(Tick { position, label: String::new(), major: false });
                }
            }
        }
    }
    ticks
}

fn symlog_ticks(low: f64, high: f64, wanted: usize, unit: f64) -> Vec<Tick> {
    let decade_of_unit = unit.log10().round() as i32;
    let stride = ((high - low) / wanted as f64).ceil().max(1.0) as i32;
    let reach = low.abs().max(high.abs()).ceil() as i32;
    let scale = Scale::SymLog { unit };
    let mut ticks = vec![Tick { position: 0.0, label: "0".to_owned(), major: true }];
    for power in (stride..=reach + 1).step_by(stride as usize) {
        let exponent = power + decade_of_unit;
        for sign in [1.0, -1.0] {
            let label = if sign < 0.0 { format!("−{}", power_label(exponent)) } else { power_label(exponent) };
            ticks.push(Tick { position: scale.position(sign * 10f64.powi(exponent)), label, major: true });
        }
    }
    ticks.retain(|tick| (low..=high).contains(&tick.position));
    if ticks.len() < 2 {
        return linear_ticks(scale.value(low), scale.value(high), wanted)
            .into_iter()
            .map(|tick| Tick { position: scale.position(tick.position), ..tick })
            .collect();
    }
    ticks.sort_by(|a, b| a.position.total_cmp(&b.position));
    ticks
}

/// `value` with as many decimals as neighbours `step` apart need.
pub fn tick_label(value: f64, step: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.abs() >= 1e6 || step < 1e-5 {
        let text = format!("{value:.digits$e}", digits = exponent_digits(value, step));
        return text.replace('-', "−");
    }
    let decimals = (-step.log10().floor()).clamp(0.0, 8.0) as usize;
    format!("{value:.decimals$}").replace('-', "−")
}

fn exponent_digits(value: f64, step: f64) -> usize {
    (value.abs().log10().floor() - step.log10().floor()).clamp(0.0, 6.0) as usize
}

/// `10ⁿ` in superscript digits; 1, 10, 0.1 and 0.01 in full.
pub fn power_label(exponent: i32) -> String {
    match exponent {
        0 => "1".to_owned(),
        1 => "10".to_owned(),
        2 => "100".to_owned(),
        -1 => "0.1".to_owned(),
        -2 => "0.01".to_owned(),
        _ => format!("10{}", superscript(exponent)),
    }
}

/// A whole number in superscript characters.
pub fn superscript(number: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    number.to_string().chars().map(|c| c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, low: f64, high: f64) -> Vec<String> {
        scale.ticks(low, high, 5).into_iter().filter(|tick| tick.major).map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round_numbers_with_the_decimals_they_need() {
        assert_eq!(labels(Scale::Linear, -1.0, 1.0), ["−1.0", "−0.5", "0", "0.5", "1.0"]);
        assert_eq!(labels(Scale::Linear, 0.0, 420.0), ["0", "100", "200", "300", "400"]);
        assert_eq!(labels(Scale::Log { base: 0.0 }, -4.2, 0.3), ["10⁻⁴", "10⁻³", "0.01", "0.1", "1"]);
        assert!(labels(Scale::Linear, 1.0, 1.0).is_empty(), "an empty range has no ticks");
        assert!(labels(Scale::Linear, f64::NAN, 1.0).is_empty());
    }

    #[test]
    fn round_values_reach_the_ends_that_they_nearly_meet() {
        assert_eq!(round_values(-1.0, 1.0, 4), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(round_values(0.003, 4.0, 4), [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert!(round_values(1.0, 1.0, 4).is_empty() && round_values(0.0, f64::INFINITY, 4).is_empty());
    }

    #[test]
    fn positions_and_values_are_inverse() {
        for scale in [Scale::Linear, Scale::Log { base: -2.0 }, Scale::SymLog { unit: 0.1 }] {
            for value in [-1.5, 0.0, 0.3, 40.0] {
                assert!((scale.value(scale.position(value)) - value).abs() < 1e-12, "{scale:?} {value}");
            }
        }
        assert!(Scale::Log { base: 0.0 }.position(0.0).is_nan());
    }

    #[test]
    fn symlog_shows_both_signs_around_zero() {
        let labels = labels(Scale::SymLog { unit: 1.0 }, -6.0, 2.2);
        assert!(labels.contains(&"0".to_owned()) && labels.iter().any(|label| label.starts_with('−')), "{labels:?}");
    }
}
