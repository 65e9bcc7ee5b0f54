//! What generated pictures are drawn with: noise, Gaussian blur, and the scale of a field.

use crate::compute::rng::HostRng;
use crate::compute::stats;

/// So many standard normal numbers.
pub fn noise(rng: &mut HostRng, count: usize) -> Vec<f64> {
    (0..count).map(|_| rng.normal()).collect()
}

/// Divides by the standard deviation.
pub fn unit(mut values: Vec<f64>) -> Vec<f64> {
    let deviation = stats::standard_deviation(&values, 0).unwrap_or(0.0) + 1e-9;
    values.iter_mut().for_each(|v| *v /= deviation);
    values
}

/// The value below which `percent` of all lie, linear between neighbours.
pub fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let place = percent / 100.0 * (sorted.len() - 1) as f64;
    let low = place.floor() as usize;
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (place - low as f64) * (sorted[high] - sorted[low])
}

/// Gaussian blur with standard deviations (vertical, horizontal) in pixels, cut at four of them; beyond its edges the
/// picture is mirrored with its last pixel repeated.
pub fn blur(values: &[f64], height: usize, width: usize, sigma: (f64, f64)) -> Vec<f64> {
    let vertical = kernel(sigma.0);
    let reach = (vertical.len() / 2) as i64;
    let mut middle = vec![0.0; values.len()];
    for (y, out) in middle.chunks_exact_mut(width).enumerate() {
        for (k, weight) in vertical.iter().enumerate() {
            let from = mirrored(y as i64 + k as i64 - reach, height) * width;
            out.iter_mut().zip(&values[from..from + width]).for_each(|(out, value)| *out += weight * value);
        }
    }
    let horizontal = kernel(sigma.1);
    let reach = horizontal.len() / 2;
    let places: Vec<usize> = (0..width + 2 * reach).map(|x| mirrored(x as i64 - reach as i64, width)).collect();
    let mut padded = vec![0.0; places.len()];
    for row in middle.chunks_exact_mut(width) {
        padded.iter_mut().zip(&places).for_each(|(padded, &x)| *padded = row[x]);
        for (x, out) in row.iter_mut().enumerate() {
            *out = horizontal.iter().zip(&padded[x..]).map(|(weight, value)| weight * value).sum();
        }
    }
    middle
}

fn kernel(sigma: f64) -> Vec<f64> {
    let reach = (4.0 * sigma + 0.5) as i64;
    let weights: Vec<f64> = (-reach..=reach).map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// Index of the mirrored picture: d c b a | a b c d | d c b a.
fn mirrored(i: i64, size: usize) -> usize {
    let size = size as i64;
    let i = i.rem_euclid(2 * size);
    (if i < size { i } else { 2 * size - 1 - i }) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_keeps_a_constant_and_mirrors_at_the_edge() {
        let flat = blur(&[2.0; 35], 5, 7, (3.0, 9.0));
        assert!(flat.iter().all(|v| (v - 2.0).abs() < 1e-12), "{flat:?}");
        assert_eq!([-2, -1, 0, 3, 4, 5].map(|i| mirrored(i, 4)), [1, 0, 0, 3, 3, 2]);
        assert_eq!(mirrored(-9, 4), 0);
        assert!((percentile(&[4.0, 1.0, 2.0, 3.0], 50.0) - 2.5).abs() < 1e-12);
    }
}
