//! How near a reconstruction is to its original: errors, PSNR, structural similarity, histograms. Host numbers for what is
//! shown; the losses that train are in [`nn::reconstruction::loss`](crate::nn::reconstruction::loss).
//!
//! A plane is one channel `[H, W]`, row-major.

use crate::pixels::resize::Size;

/// Side of the window of [`ssim_map`].
pub const WINDOW: usize = 11;
/// Standard deviation of its Gaussian weights, in pixels.
const SIGMA: f64 = 1.5;
/// K₁ and K₂ of the constants C = (K R)².
const K: [f64; 2] = [0.01, 0.03];
/// Weights of the scales of [`ms_ssim`], the finest first: the first three of Wang et al. (2003), which add up to one after
/// [`ms_ssim`] has scaled them.
pub const SCALES: [f64; 3] = [0.0448, 0.2856, 0.3001];

/// Mean over all numbers of (x − y)². 0 for none.
pub fn mean_squared_error(x: &[f64], y: &[f64]) -> f64 {
    mean(x.iter().zip(y).map(|(x, y)| (x - y).powi(2)))
}

/// Mean over all numbers of |x − y|. 0 for none.
pub fn mean_absolute_error(x: &[f64], y: &[f64]) -> f64 {
    mean(x.iter().zip(y).map(|(x, y)| (x - y).abs()))
}

/// Peak signal-to-noise ratio in decibels, `10 log₁₀(R² / MSE)` for numbers from 0 to R; infinite for equal pictures.
pub fn psnr(mean_squared_error: f64, range: f64) -> f64 {
    10.0 * (range * range / mean_squared_error).log10()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    sum / count.max(1) as f64
}

/// A map of structural similarity.
#[derive(Debug, Clone, PartialEq)]
pub struct SsimMap {
    /// (H − 10) × (W − 10): one number for each place of the window that lies within the picture. The number at (0, 0) is that
    /// of the window around pixel (5, 5).
    pub size: Size,
    pub values: Vec<f64>,
}

impl SsimMap {
    pub fn mean(&self) -> f64 {
        mean(self.values.iter().copied())
    }

    /// Mean over the windows whose middle lies within `field`, a mask of the picture; `None` where there is none.
    pub fn mean_within(&self, field: &crate::pixels::mask::Mask) -> Option<f64> {
        let reach = WINDOW / 2;
        let inside = |i: &usize| field.at(i / self.size.width + reach, i % self.size.width + reach);
        let values: Vec<f64> = (0..self.values.len()).filter(inside).map(|i| self.values[i]).collect();
        (!values.is_empty()).then(|| mean(values.into_iter()))
    }
}

/// Structural similarity of two planes with numbers from 0 to `range` (Wang et al., 2004): 11×11 Gaussian windows of σ 1.5,
/// K₁ 0.01, K₂ 0.03, population covariance, windows within the picture alone; as scikit-image with `gaussian_weights` and
/// without `use_sample_covariance`. `None` for planes smaller than the window.
pub fn ssim_map(x: &[f64], y: &[f64], size: Size, range: f64) -> Option<SsimMap> {
    let (map, _) = similarity(x, y, size, range)?;
    Some(map)
}

/// Maps of structural similarity and of its part without luminance, contrast and structure.
fn similarity(x: &[f64], y: &[f64], size: Size, range: f64) -> Option<(SsimMap, Vec<f64>)> {
    if size.height < WINDOW || size.width < WINDOW {
        return None;
    }
    let product = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a * b).collect() };
    let [mx, my, xx, yy, xy] =
        [x, y, &product(x, x), &product(y, y), &product(x, y)].map(|values| weighted(values, size));
    let [c1, c2] = K.map(|k| (k * range).powi(2));
    let mut values = Vec::with_capacity(mx.len());
    let mut contrast = Vec::with_capacity(mx.len());
    for i in 0..mx.len() {
        let (mx, my) = (mx[i], my[i]);
        let (vx, vy, cov) = (xx[i] - mx * mx, yy[i] - my * my, xy[i] - mx * my);
        let structure = (2.0 * cov + c2) / (vx + vy + c2);
        contrast.push(structure);
        values.push((2.0 * mx * my + c1) / (mx * mx + my * my + c1) * structure);
    }
    let size = Size { height: size.height + 1 - WINDOW, width: size.width + 1 - WINDOW };
    Some((SsimMap { size, values }, contrast))
}

/// The Gaussian weights of a window's row; they add up to 1.
pub fn window() -> [f64; WINDOW] {
    let weights: [f64; WINDOW] = std::array::from_fn(|i| {
        let at = i as f64 - (WINDOW / 2) as f64;
        (-at * at / (2.0 * SIGMA * SIGMA)).exp()
    });
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

/// Weighted means over every window within the plane.
fn weighted(values: &[f64], Size { height, width }: Size) -> Vec<f64> {
    let weights = window();
    let wide = width + 1 - WINDOW;
    let mut rows = Vec::with_capacity(height * wide);
    for row in values.chunks_exact(width) {
        rows.extend(row.windows(WINDOW).map(|part| part.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>()));
    }
    let high = height + 1 - WINDOW;
    let at = |i: usize| {
        let (row, column) = (i / wide, i % wide);
        weights.iter().enumerate().map(|(k, weight)| weight * rows[(row + k) * wide + column]).sum()
    };
    (0..high * wide).map(at).collect()
}

/// Structural similarity over several scales, each half of the one before by means of 2×2 pixels (Wang et al., 2003): contrast
/// and structure of all but the coarsest, everything of that, each to the power of its weight; weights are scaled to add up to
/// 1. A negative mean counts as 0. `None` where the coarsest is smaller than the window.
pub fn ms_ssim(x: &[f64], y: &[f64], size: Size, range: f64, weights: &[f64]) -> Option<f64> {
    let sum: f64 = weights.iter().sum();
    let (mut x, mut y, mut size) = (x.to_vec(), y.to_vec(), size);
    let mut product = 1.0;
    for (i, weight) in weights.iter().enumerate() {
        let (map, contrast) = similarity(&x, &y, size, range)?;
        let last = i + 1 == weights.len();
        let value = if last { map.mean() } else { mean(contrast.into_iter()) };
        product *= value.max(0.0).powf(weight / sum);
        if !last {
            let half = Size { height: size.height / 2, width: size.width / 2 };
            (x, y) = (halved(&x, size), halved(&y, size));
            size = half;
        }
    }
    Some(product)
}

/// Means of 2×2 pixels; an odd last row or column is left out.
fn halved(values: &[f64], Size { height, width }: Size) -> Vec<f64> {
    let (high, wide) = (height / 2, width / 2);
    let at = |i: usize| {
        let first = 2 * (i / wide) * width + 2 * (i % wide);
        (values[first] + values[first + 1] + values[first + width] + values[first + width + 1]) / 4.0
    };
    (0..high * wide).map(at).collect()
}

/// How two planes with numbers from 0 to 1 share their grey levels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Histograms {
    /// Mutual information I(X; Y) in nats.
    pub mutual_information: f64,
    /// Kullback–Leibler divergence of Y's levels from X's in nats, with a millionth of all counts added to each level.
    pub divergence: f64,
}

/// Of hard histograms with `bins` levels.
pub fn histograms(x: &[f64], y: &[f64], bins: usize) -> Histograms {
    let level = |value: f64| ((value * bins as f64) as usize).min(bins - 1);
    let mut joint = vec![0.0; bins * bins];
    x.iter().zip(y).for_each(|(x, y)| joint[level(*x) * bins + level(*y)] += 1.0);
    let count = x.len().max(1) as f64;
    let of_x: Vec<f64> = joint.chunks_exact(bins).map(|row| row.iter().sum()).collect();
    let of_y: Vec<f64> = (0..bins).map(|column| joint.iter().skip(column).step_by(bins).sum()).collect();
    let shared = |(i, both): (usize, &f64)| match *both {
        0.0 => 0.0,
        both => both / count * (both * count / (of_x[i / bins] * of_y[i % bins])).ln(),
    };
    let share = |counts: &[f64]| -> Vec<f64> {
        let added: Vec<f64> = counts.iter().map(|number| number + 1e-6 * count).collect();
        let sum: f64 = added.iter().sum();
        added.into_iter().map(|number| number / sum).collect()
    };
    let divergence = share(&of_x).into_iter().zip(share(&of_y)).map(|(p, q)| p * (p / q).ln()).sum();
    Histograms { mutual_information: joint.iter().enumerate().map(shared).sum(), divergence }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::mask::Mask;

    const SIZE: Size = Size { height: 16, width: 20 };

    fn waves(shift: f64) -> Vec<f64> {
        (0..SIZE.pixels())
            .map(|i| 0.5 + 0.4 * ((i % 20) as f64 * 0.5 + shift).sin() * ((i / 20) as f64 * 0.3).cos())
            .collect()
    }

    #[test]
    fn equal_pictures_are_perfect_and_black_ones_too() {
        for x in [waves(0.0), vec![0.0; SIZE.pixels()]] {
            assert_eq!(psnr(mean_squared_error(&x, &x), 1.0), f64::INFINITY);
            let map = ssim_map(&x, &x, SIZE, 1.0).unwrap();
            assert_eq!((map.size, map.values.len()), (Size { height: 6, width: 10 }, 60));
            assert!((map.mean() - 1.0).abs() < 1e-12);
            assert!((histograms(&x, &x, 8).divergence).abs() < 1e-12);
        }
    }

    #[test]
    fn a_window_that_does_not_fit_is_no_number() {
        let small = Size { height: 10, width: 20 };
        assert_eq!(ssim_map(&vec![0.0; 200], &vec![0.0; 200], small, 1.0), None);
        assert_eq!(ms_ssim(&waves(0.0), &waves(1.0), SIZE, 1.0, &SCALES), None);
    }

    #[test]
    fn within_a_field_only_its_windows_count() {
        let (x, mut y) = (waves(0.0), waves(0.0));
        // Damage on the left.
        y.chunks_exact_mut(20).for_each(|row| row[0] += 0.5);
        let map = ssim_map(&x, &y, SIZE, 1.0).unwrap();
        let right = Mask::from_fn(16, 20, |_, column| column >= 12);
        let left = Mask::from_fn(16, 20, |_, column| column < 8);
        assert!((map.mean_within(&right).unwrap() - 1.0).abs() < 1e-12);
        assert!(map.mean_within(&left).unwrap() < map.mean());
        assert_eq!(map.mean_within(&Mask::empty(16, 20)), None);
    }
}
