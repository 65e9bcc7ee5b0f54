//! Images and masks at another size: [`resize`] without any filter against aliasing, as OpenCV and PyTorch do it by default;
//! [`shrink`] with one, as Pillow does it.
//!
//! The pixels of both sizes cover the same area. Everything is computed in f64.

/// How the value at a place between pixels is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resampling {
    /// Pixel ⌊i · from / to⌋: `nearest` of PyTorch and OpenCV. Shifts the picture by up to half a pixel.
    NearestFloor,
    /// The pixel in which the centre of the new one lies: `nearest-exact` of PyTorch.
    NearestCentre,
    /// Bilinear between the centres of pixels; beyond the outermost centres the outermost pixels go on. The default of
    /// OpenCV, and `align_corners=False` of PyTorch.
    Bilinear,
    /// The same, mirrored at the centres of the outermost pixels, as scikit-image does by default.
    BilinearMirror,
    /// Bilinear with the centres of the corner pixels on each other: `align_corners=True` of PyTorch.
    BilinearCorners,
}

/// Height and width in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    pub height: usize,
    pub width: usize,
}

impl Size {
    /// Number of pixels.
    pub fn pixels(self) -> usize {
        self.height * self.width
    }
}

/// A number that an image is made of.
pub trait Sample: Copy {
    fn to_f64(self) -> f64;
    fn from_f64(value: f64) -> Self;
}

impl Sample for f32 {
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    fn from_f64(value: f64) -> Self {
        value as f32
    }
}

impl Sample for f64 {
    fn to_f64(self) -> f64 {
        self
    }
    fn from_f64(value: f64) -> Self {
        value
    }
}

/// One new pixel along a line is (1 − t) · `low` + t · `high`.
#[derive(Debug, Clone, Copy)]
struct Tap {
    low: usize,
    high: usize,
    t: f64,
}

/// Resizes planes `[C, H, W]`, one after the other.
///
/// # Panics
/// Where `values` are not whole planes of size `from`, or `from` is empty and `to` is not.
pub fn resize<T: Sample>(values: &[T], from: Size, to: Size, how: Resampling) -> Vec<T> {
    let mut out = Vec::with_capacity(values.len() / from.pixels().max(1) * to.pixels());
    for plane in values.chunks_exact(from.pixels().max(1)) {
        each(|i| plane[i].to_f64(), from, to, how, |value| out.push(T::from_f64(value)));
    }
    out
}

/// Resizes one plane, and where it gets smaller every new pixel is the mean of all that it covers, weighted by a triangle twice as
/// wide: `BILINEAR` of Pillow, and of torchvision with `antialias=True`. Where it gets larger it is [`Resampling::Bilinear`].
///
/// # Panics
/// Where `values` are not a plane of size `from`, or `from` is empty and `to` is not.
pub fn shrink(values: &[f32], from: Size, to: Size) -> Vec<f32> {
    let (rows, columns) = (triangles(from.height, to.height), triangles(from.width, to.width));
    let mut wide = Vec::with_capacity(from.height * to.width);
    for row in values.chunks_exact(from.width.max(1)).take(from.height) {
        wide.extend(columns.iter().map(|(first, weights)| {
            let under = &row[*first..*first + weights.len()];
            under.iter().zip(weights).map(|(value, weight)| f64::from(*value) * weight).sum::<f64>()
        }));
    }
    let mut out = Vec::with_capacity(to.pixels());
    for (first, weights) in &rows {
        out.extend((0..to.width).map(|column| {
            let under = weights.iter().enumerate();
            under.map(|(k, weight)| wide[(first + k) * to.width + column] * weight).sum::<f64>() as f32
        }));
    }
    out
}

/// For each new pixel the first one that it is made of, and the weights of that and those after it, which add up to 1.
fn triangles(from: usize, to: usize) -> Vec<(usize, Vec<f64>)> {
    let scale = from as f64 / to as f64;
    let reach = scale.max(1.0);
    let of = |i: usize| {
        let centre = (i as f64 + 0.5) * scale;
        let first = (centre - reach + 0.5).max(0.0) as usize;
        let end = ((centre + reach + 0.5) as usize).min(from);
        let weight = |j: usize| (1.0 - ((j as f64 + 0.5 - centre) / reach).abs()).max(0.0);
        let weights: Vec<f64> = (first..end).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        (first, weights.into_iter().map(|weight| weight / sum).collect())
    };
    (0..to).map(of).collect()
}

/// Resizes a mask: its pixels as 0 and 1, then what is greater than one half.
///
/// # Panics
/// As [`resize`].
pub fn resize_mask(pixels: &[bool], from: Size, to: Size, how: Resampling) -> Vec<bool> {
    let mut out = Vec::with_capacity(to.pixels());
    each(|i| f64::from(u8::from(pixels[i])), from, to, how, |value| out.push(value > 0.5));
    out
}

/// Resizes the planes of probabilities of one image and says where they are greater than `threshold`, without rounding
/// in between.
///
/// # Panics
/// As [`resize`].
pub fn resize_above(values: &[f32], from: Size, to: Size, how: Resampling, threshold: f64) -> Vec<bool> {
    let mut out = Vec::with_capacity(to.pixels());
    each(|i| f64::from(values[i]), from, to, how, |value| out.push(value > threshold));
    out
}

/// Computes one plane: first along rows, each source row once, then between rows.
fn each(value: impl Fn(usize) -> f64, from: Size, to: Size, how: Resampling, mut put: impl FnMut(f64)) {
    let (rows, columns) = (taps(from.height, to.height, how), taps(from.width, to.width, how));
    let fill = |row: usize, line: &mut Vec<f64>| {
        line.clear();
        line.extend(columns.iter().map(|tap| {
            let (a, b) = (value(row * from.width + tap.low), value(row * from.width + tap.high));
            a + tap.t * (b - a)
        }));
    };
    // The last two source rows that were asked for, resized along.
    let mut lines = [(usize::MAX, Vec::new()), (usize::MAX, Vec::new())];
    for tap in &rows {
        if lines[0].0 != tap.low && lines[1].0 == tap.low {
            lines.swap(0, 1);
        }
        for (line, row) in lines.iter_mut().zip([tap.low, tap.high]) {
            if line.0 != row {
                line.0 = row;
                fill(row, &mut line.1);
            }
        }
        for (a, b) in lines[0].1.iter().zip(&lines[1].1) {
            put(a + tap.t * (b - a));
        }
    }
}

/// Where the new pixels along one direction come from.
fn taps(from: usize, to: usize, how: Resampling) -> Vec<Tap> {
    let last = from.saturating_sub(1);
    let single = |at: usize| Tap { low: at.min(last), high: at.min(last), t: 0.0 };
    let tap = |i: usize| match how {
        Resampling::NearestFloor => single(i * from / to),
        Resampling::NearestCentre => single((2 * i + 1) * from / (2 * to)),
        Resampling::BilinearCorners => {
            let place = if to > 1 { i as f64 * last as f64 / (to - 1) as f64 } else { 0.0 };
            let low = (place as usize).min(last);
            Tap { low, high: (low + 1).min(last), t: place - low as f64 }
        }
        Resampling::Bilinear | Resampling::BilinearMirror => {
            let place = (i as f64 + 0.5) * from as f64 / to as f64 - 0.5;
            let low = place.floor();
            let mirror = how == Resampling::BilinearMirror;
            let index = |j: f64| {
                let j = if !mirror {
                    j
                } else if j < 0.0 {
                    -j
                } else if j > last as f64 {
                    2.0 * last as f64 - j
                } else {
                    j
                };
                j.clamp(0.0, last as f64) as usize
            };
            Tap { low: index(low), high: index(low + 1.0), t: place - low }
        }
    };
    (0..to).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Resampling; 5] = [
        Resampling::NearestFloor,
        Resampling::NearestCentre,
        Resampling::Bilinear,
        Resampling::BilinearMirror,
        Resampling::BilinearCorners,
    ];

    fn size(height: usize, width: usize) -> Size {
        Size { height, width }
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let values: Vec<f32> = (0..24).map(|i| (i * 7 % 11) as f32).collect();
        for how in ALL {
            assert_eq!(resize(&values, size(3, 4), size(3, 4), how), values, "{how:?}");
        }
    }

    #[test]
    fn one_pixel_fills_everything_and_everything_fits_in_one() {
        for how in ALL {
            assert_eq!(resize(&[0.3_f32], size(1, 1), size(2, 3), how), [0.3; 6], "{how:?}");
            assert_eq!(resize(&[0.25_f64; 20], size(4, 5), size(1, 1), how), [0.25], "{how:?}");
            assert_eq!(resize_mask(&[true], size(1, 1), size(1, 7), how), [true; 7]);
        }
    }

    #[test]
    fn what_gets_smaller_is_the_mean_of_what_it_covers_as_in_pillow() {
        let close = |ours: &[f32], pillow: &[f32]| {
            assert_eq!(ours.len(), pillow.len());
            ours.iter().zip(pillow).for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "{ours:?} {pillow:?}"));
        };
        // Pillow 13's `resize(.., BILINEAR)` in mode F.
        let line = [1.0, 5.0, 2.0, 9.0, 4.0, 7.0, 3.0];
        close(&shrink(&line, size(1, 7), size(1, 3)), &[2.9285715, 5.8235294, 4.928571]);
        let plane: Vec<f32> = (0..20).map(|i| (i * i % 17) as f32).collect();
        let small = [3.418_182, 10.695_455, 7.75, 12.136_364, 3.65, 4.604_545];
        close(&shrink(&plane, size(4, 5), size(3, 2)), &small);
        // Larger and equal sizes are bilinear as ever.
        for to in [size(4, 5), size(9, 11)] {
            close(&shrink(&plane, size(4, 5), to), &resize(&plane, size(4, 5), to, Resampling::Bilinear));
        }
    }

    #[test]
    fn a_line_is_interpolated_between_centres() {
        let line = [0.0_f64, 1.0];
        let wide = |how| resize(&line, size(1, 2), size(1, 4), how);
        assert_eq!(wide(Resampling::Bilinear), [0.0, 0.25, 0.75, 1.0]);
        assert_eq!(wide(Resampling::BilinearMirror), [0.25, 0.25, 0.75, 0.75]);
        assert_eq!(wide(Resampling::NearestFloor), [0.0, 0.0, 1.0, 1.0]);
        let corners: Vec<f64> = wide(Resampling::BilinearCorners);
        assert!(corners.iter().zip([0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0]).all(|(a, b)| (a - b).abs() < 1e-15));
        // Without a filter, pixels in between are left out.
        let fine: Vec<f64> = (0..8).map(|i| f64::from(i % 2)).collect();
        assert_eq!(resize(&fine, size(1, 8), size(1, 2), Resampling::NearestCentre), [0.0, 0.0]);
        assert_eq!(resize(&fine, size(1, 8), size(1, 2), Resampling::Bilinear), [0.5, 0.5]);
    }

    #[test]
    fn half_a_lesion_pixel_is_none() {
        let halves = resize_mask(&[true, false], size(1, 2), size(1, 1), Resampling::Bilinear);
        assert_eq!(halves, [false]);
        let above = resize_above(&[1.0, 0.02], size(1, 2), size(1, 1), Resampling::Bilinear, 0.5);
        assert_eq!(above, [true]);
    }

    #[test]
    fn planes_stay_apart() {
        let planes = [0.0_f32, 0.0, 1.0, 1.0];
        assert_eq!(resize(&planes, size(1, 2), size(2, 1), Resampling::Bilinear), [0.0, 0.0, 1.0, 1.0]);
        assert!(resize(&planes, size(1, 2), size(0, 1), Resampling::Bilinear).is_empty());
    }
}
