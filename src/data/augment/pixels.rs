//! What is done to the pixels of a picture: resampling and changes of colour. Pictures are `[C, H, W]` in [0, 1].

use crate::compute::rng::HostRng;

/// Weights of red, green and blue in grey.
const GREY: [f32; 3] = [0.2989, 0.587, 0.114];

/// Along one direction, the weighted pixels that each output pixel is a sum of.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Weights per output pixel.
    taps: usize,
    /// The first input pixel of each output pixel.
    first: Vec<usize>,
    /// `[outputs, taps]`; they sum to 1 for each output pixel.
    weights: Vec<f32>,
}

/// Where the centre of output pixel `i` of `count` lies, in pixels of the picture.
fn place(i: usize, start: f32, length: f32, count: usize) -> f32 {
    start + (i as f32 + 0.5) * length / count as f32 - 0.5
}

impl Axis {
    /// `length` pixels from `start` on, at any real place, become `count` ones, each between the two nearest of a line of
    /// `size` pixels; beyond the ends the last pixel goes on.
    pub fn linear(start: f32, length: f32, count: usize, size: usize) -> Self {
        let mut axis = Self { taps: 2, first: Vec::with_capacity(count), weights: Vec::with_capacity(2 * count) };
        for i in 0..count {
            let x = place(i, start, length, count).clamp(0.0, (size - 1) as f32);
            let low = (x.floor() as usize).min(size.saturating_sub(2));
            let t = x - low as f32;
            axis.first.push(low);
            axis.weights.extend(if size > 1 { [1.0 - t, t] } else { [1.0, 0.0] });
        }
        axis
    }

    /// The whole pixels `start..start + length` become `count` ones with a triangular filter, widened where pixels get
    /// fewer, as `antialias=True` does in torchvision. Nothing outside of them is seen.
    pub fn triangle(start: usize, length: usize, count: usize) -> Self {
        let scale = length as f32 / count as f32;
        let support = scale.max(1.0);
        let windows: Vec<(usize, Vec<f32>)> = (0..count)
            .map(|i| {
                let centre = scale * (i as f32 + 0.5);
                let first = (centre - support + 0.5).max(0.0) as usize;
                let end = ((centre + support + 0.5) as usize).min(length);
                let weight = |j: usize| (1.0 - ((j as f32 - centre + 0.5) / support).abs()).max(0.0);
                let weights: Vec<f32> = (first..end).map(weight).collect();
                let sum: f32 = weights.iter().sum();
                (first, weights.into_iter().map(|weight| weight / sum).collect())
            })
            .collect();
        Self::pack(start, length, windows)
    }

    /// The same with Keys' cubic (a = −0.5) over the four nearest pixels; beyond the ends the last pixel goes on.
    pub fn cubic(start: usize, length: usize, count: usize) -> Self {
        let windows = (0..count).map(|i| {
            let x = place(i, 0.0, length as f32, count);
            let low = x.floor();
            let t = x - low;
            let (t2, t3) = (t * t, t * t * t);
            let weights = [
                -0.5 * t3 + t2 - 0.5 * t,
                1.5 * t3 - 2.5 * t2 + 1.0,
                -1.5 * t3 + 2.0 * t2 + 0.5 * t,
                0.5 * t3 - 0.5 * t2,
            ];
            let at = [-1.0, 0.0, 1.0, 2.0].map(|d: f32| (low + d).clamp(0.0, (length - 1) as f32) as usize);
            let mut window = vec![0.0; at[3] - at[0] + 1];
            at.iter().zip(weights).for_each(|(j, weight)| window[j - at[0]] += weight);
            (at[0], window)
        });
        Self::pack(start, length, windows.collect())
    }

    /// A line of `size` pixels under a Gaussian of this standard deviation, cut off at three of them; beyond the ends the last
    /// pixel goes on.
    pub fn gaussian(sigma: f32, size: usize) -> Self {
        let reach = (3.0 * sigma).ceil().max(1.0) as usize;
        let weights: Vec<f32> =
            (0..=2 * reach).map(|k| (-0.5 * ((k as f32 - reach as f32) / sigma).powi(2)).exp()).collect();
        let sum: f32 = weights.iter().sum();
        let windows = (0..size).map(|i| {
            let (first, last) = (i.saturating_sub(reach), (i + reach).min(size - 1));
            let mut window = vec![0.0; last - first + 1];
            for (k, weight) in weights.iter().enumerate() {
                window[(i + k).saturating_sub(reach).clamp(first, last) - first] += weight / sum;
            }
            (first, window)
        });
        Self::pack(0, size, windows.collect())
    }

    /// Windows of different widths, within `0..length`, as one table.
    fn pack(start: usize, length: usize, windows: Vec<(usize, Vec<f32>)>) -> Self {
        let taps = windows.iter().map(|(_, weights)| weights.len()).max().unwrap_or(1);
        let mut axis =
            Self { taps, first: Vec::with_capacity(windows.len()), weights: vec![0.0; windows.len() * taps] };
        for ((first, window), row) in windows.iter().zip(axis.weights.chunks_exact_mut(taps)) {
            // A narrow window at the end begins earlier, so that no tap lies outside.
            let begin = (*first).min(length - taps);
            row[first - begin..][..window.len()].copy_from_slice(window);
            axis.first.push(start + begin);
        }
        axis
    }

    fn len(&self) -> usize {
        self.first.len()
    }

    fn windows(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.first.iter().copied().zip(self.weights.chunks_exact(self.taps))
    }
}

/// Resamples `[C, H, W]` to `[C, rows, columns]`, first along rows, then columns. Cubic weights may leave [0, 1] a little.
pub fn resample(image: &[f32], channels: usize, width: usize, rows: &Axis, columns: &Axis, out: &mut [f32]) {
    let size = image.len() / channels;
    let mut along = vec![0.0_f32; size / width * columns.len()];
    for (plane, out) in image.chunks_exact(size).zip(out.chunks_exact_mut(rows.len() * columns.len())) {
        for (line, pixels) in along.chunks_exact_mut(columns.len()).zip(plane.chunks_exact(width)) {
            for (x, (first, weights)) in line.iter_mut().zip(columns.windows()) {
                *x = weights.iter().zip(&pixels[first..]).map(|(weight, pixel)| weight * pixel).sum();
            }
        }
        for (line, (first, weights)) in out.chunks_exact_mut(columns.len()).zip(rows.windows()) {
            line.fill(0.0);
            for (weight, from) in weights.iter().zip(along[first * columns.len()..].chunks_exact(columns.len())) {
                line.iter_mut().zip(from).for_each(|(x, &y)| *x += weight * y);
            }
        }
    }
}

/// Mirrors every row of `width` values.
pub fn flip<T>(image: &mut [T], width: usize) {
    image.chunks_exact_mut(width).for_each(<[T]>::reverse);
}

/// Adds normal noise, by Box and Muller: both numbers of each pair are used, since this is most of a view's cost.
pub fn add_noise(image: &mut [f32], std: f64, rng: &mut HostRng) {
    for pair in image.chunks_mut(2) {
        let radius = std * (-2.0 * (1.0 - rng.uniform()).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * rng.uniform()).sin_cos();
        pair.iter_mut().zip([cos, sin]).for_each(|(x, part)| *x += (radius * part) as f32);
    }
}

/// (x − mean) / std.
pub fn normalise(values: &mut [f32], mean: f32, std: f32) {
    values.iter_mut().for_each(|x| *x = (*x - mean) / std);
}

/// Multiplies by `factor`.
pub fn brightness(image: &mut [f32], factor: f32, clamp: bool) {
    image.iter_mut().for_each(|x| *x *= factor);
    if clamp {
        image.iter_mut().for_each(|x| *x = x.clamp(0.0, 1.0));
    }
}

/// Blends with the mean grey of the picture: `m + factor (x − m)`.
pub fn contrast(image: &mut [f32], channels: usize, factor: f32, clamp: bool) {
    let plane = image.len() / channels;
    let mean = if channels == 3 {
        let sum: f64 = (0..plane).map(|i| f64::from(luminance(image, plane, i))).sum();
        (sum / plane as f64) as f32
    } else {
        (image.iter().map(|&x| f64::from(x)).sum::<f64>() / image.len() as f64) as f32
    };
    image.iter_mut().for_each(|x| *x = factor * *x + (1.0 - factor) * mean);
    if clamp {
        image.iter_mut().for_each(|x| *x = x.clamp(0.0, 1.0));
    }
}

/// Blends a colour picture with its own grey, clamped to [0, 1].
pub fn saturation(image: &mut [f32], factor: f32) {
    let plane = image.len() / 3;
    for i in 0..plane {
        let grey = luminance(image, plane, i);
        for channel in 0..3 {
            let x = &mut image[channel * plane + i];
            *x = (factor * *x + (1.0 - factor) * grey).clamp(0.0, 1.0);
        }
    }
}

/// Makes the three channels of a colour picture equal.
pub fn grey(image: &mut [f32]) {
    let plane = image.len() / 3;
    for i in 0..plane {
        let grey = luminance(image, plane, i);
        (0..3).for_each(|channel| image[channel * plane + i] = grey);
    }
}

/// Inverts what is brighter than a half.
pub fn solarise(image: &mut [f32]) {
    image.iter_mut().filter(|x| **x >= 0.5).for_each(|x| *x = 1.0 - *x);
}

/// Blurs each channel by a Gaussian; see [`Axis::gaussian`].
pub fn blur(image: &mut [f32], width: usize, height: usize, sigma: f32) {
    let channels = image.len() / (width * height);
    let (rows, columns) = (Axis::gaussian(sigma, height), Axis::gaussian(sigma, width));
    let sharp = image.to_vec();
    resample(&sharp, channels, width, &rows, &columns, image);
}

fn luminance(image: &[f32], plane: usize, i: usize) -> f32 {
    GREY[0] * image[i] + GREY[1] * image[plane + i] + GREY[2] * image[2 * plane + i]
}

/// Turns the hue of a colour picture by `shift` turns, through hue, saturation and value.
pub fn hue(image: &mut [f32], shift: f32) {
    let plane = image.len() / 3;
    for i in 0..plane {
        let [r, g, b] = [image[i], image[plane + i], image[2 * plane + i]];
        let (most, least) = (r.max(g).max(b), r.min(g).min(b));
        let span = most - least;
        if span <= 0.0 {
            continue;
        }
        // In sixths of a turn, measured from the channel that is largest.
        let sixths = if most == r {
            (g - b) / span
        } else if most == g {
            2.0 + (b - r) / span
        } else {
            4.0 + (r - g) / span
        };
        let sixths = (sixths / 6.0 + shift).rem_euclid(1.0) * 6.0;
        let sector = sixths.floor();
        let t = sixths - sector;
        let saturation = span / most;
        let low = most * (1.0 - saturation);
        let falling = (most * (1.0 - saturation * t)).clamp(0.0, 1.0);
        let rising = (most * (1.0 - saturation * (1.0 - t))).clamp(0.0, 1.0);
        let [r, g, b] = match sector as i32 % 6 {
            0 => [most, rising, low],
            1 => [falling, most, low],
            2 => [low, most, rising],
            3 => [low, falling, most],
            4 => [rising, low, most],
            _ => [most, low, falling],
        };
        (image[i], image[plane + i], image[2 * plane + i]) = (r, g, b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(channels: usize) -> Vec<f32> {
        (0..channels * 64).map(|i| (i * 37 % 251) as f32 / 255.0).collect()
    }

    #[test]
    fn a_full_crop_is_the_picture_itself() {
        let image = picture(2);
        for axis in [Axis::linear(0.0, 8.0, 8, 8), Axis::triangle(0, 8, 8), Axis::cubic(0, 8, 8)] {
            let mut out = vec![0.0; 128];
            resample(&image, 2, 8, &axis, &axis, &mut out);
            assert!(out.iter().zip(&image).all(|(a, b)| (a - b).abs() < 1e-6), "{axis:?}");
        }
    }

    #[test]
    fn nothing_outside_of_a_crop_is_seen() {
        let mut image = vec![9.0; 64];
        for row in 2..5 {
            image[row * 8 + 3..row * 8 + 7].fill(0.25);
        }
        for axes in [[Axis::triangle(2, 3, 8), Axis::triangle(3, 4, 8)], [Axis::cubic(2, 3, 8), Axis::cubic(3, 4, 8)]] {
            let mut out = vec![0.0; 64];
            resample(&image, 1, 8, &axes[0], &axes[1], &mut out);
            assert!(out.iter().all(|x| (x - 0.25).abs() < 1e-6), "{out:?}");
        }
        // Fewer pixels than before: the mean stays.
        let axis = Axis::triangle(0, 8, 3);
        let (image, mut out) = (picture(1), vec![0.0; 9]);
        resample(&image, 1, 8, &axis, &axis, &mut out);
        let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
        assert!((mean(&out) - mean(&image)).abs() < 0.05);
        // A crop of one pixel.
        assert_eq!(Axis::linear(0.0, 1.0, 3, 1).weights, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        resample(&[0.5], 1, 1, &Axis::triangle(0, 1, 3), &Axis::cubic(0, 1, 3), &mut out);
        assert!(out.iter().all(|x| (x - 0.5).abs() < 1e-6));
    }

    #[test]
    fn a_full_turn_of_the_hue_changes_nothing() {
        let mut image = picture(3);
        let before = image.clone();
        hue(&mut image, 0.25);
        assert!(image.iter().zip(&before).any(|(a, b)| (a - b).abs() > 0.1));
        hue(&mut image, 0.75);
        assert!(image.iter().zip(&before).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}
