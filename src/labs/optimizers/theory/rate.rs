//! The rate of convergence that a path really has.

/// A measured rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The factor of each step.
    pub rate: f64,
    /// Steps that it was measured over.
    pub steps: usize,
}

/// Fewest steps that a rate is measured over.
const LEAST: usize = 8;

/// The factor by which a distance shrinks in each step: e to the slope of a straight line through log Dₖ over the last
/// `window` steps of `distances`, with Dₖ = √(zₖ² + z₍ₖ₋₁₎²). Two steps together, because an oscillating distance passes
/// through 0 again and again, and no straight line fits through that.
///
/// `None` where there are fewer than eight steps above `floor`, below which a distance is rounding.
pub fn measured(distances: &[f64], window: usize, floor: f64) -> Option<Measured> {
    let usable = |pair: &&[f64]| pair.iter().all(|z| z.is_finite()) && pair[0].hypot(pair[1]) > floor;
    // Steps from the beginning on: once it has arrived, what follows is rounding.
    let logs: Vec<f64> = distances.windows(2).take_while(usable).map(|pair| pair[0].hypot(pair[1]).ln()).collect();
    let logs = &logs[logs.len().saturating_sub(window)..];
    if logs.len() < LEAST {
        return None;
    }
    let n = logs.len() as f64;
    let middle = 0.5 * (n - 1.0);
    let mean = logs.iter().sum::<f64>() / n;
    let (mut above, mut below) = (0.0, 0.0);
    for (i, log) in logs.iter().enumerate() {
        let x = i as f64 - middle;
        above += x * (log - mean);
        below += x * x;
    }
    Some(Measured { rate: (above / below).exp(), steps: logs.len() })
}

/// Most steps that the rate of a path is measured over.
const LONGEST: usize = 400;

/// The rate of a path that is `distance(k)` away after k updates, over the last steps up to `end`: the second half of what
/// has gone by since `from`, and no more than 400 of them, because the beginning still has the start in it. Where the path
/// has come below `floor`, the steps before that.
pub fn of_path(distance: impl Fn(usize) -> f64, from: usize, end: usize, floor: f64) -> Option<Measured> {
    let end = (from..=end).rev().find(|k| distance(*k) > floor)?;
    let first = (from + (end - from) / 2).max(end.saturating_sub(LONGEST));
    let distances: Vec<f64> = (first..=end).map(distance).collect();
    measured(&distances, LONGEST, floor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_found_again_also_where_it_oscillates() {
        for rate in [0.5_f64, 0.9, 0.99, 1.01] {
            for angle in [0.0_f64, 0.3, 1.2, 3.1] {
                let path: Vec<f64> = (0..400).map(|k| rate.powi(k) * (0.4 + angle * f64::from(k)).cos()).collect();
                let found = measured(&path, 300, 1e-280).unwrap();
                assert!((found.rate / rate - 1.0).abs() < 0.002, "{rate} {angle}: {found:?}");
            }
        }
    }

    #[test]
    fn rounding_at_the_end_is_left_out_and_too_few_steps_are_no_rate() {
        let path: Vec<f64> = (0..300).map(|k| 0.5_f64.powi(k).max(1e-16)).collect();
        let found = measured(&path, 200, 1e-14).unwrap();
        assert!((found.rate - 0.5).abs() < 1e-12, "{found:?}");
        assert_eq!(measured(&path[..6], 200, 1e-14), None);
        assert_eq!(measured(&[f64::NAN; 40], 200, 1e-14), None);
        assert_eq!(measured(&[], 200, 0.0), None);
    }
}
