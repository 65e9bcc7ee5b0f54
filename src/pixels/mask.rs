//! Binary masks of one image on the host: how well one covers another, how far their borders lie apart, their parts and
//! their outlines.
//!
//! Rows are counted downwards, columns to the right; distances are in pixels between pixel centres.

pub mod border;
pub mod components;
mod nearest;
pub mod outline;

use thiserror::Error;

use super::spacing::Spacing;

/// A binary mask; `true` is lesion.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mask {
    height: usize,
    width: usize,
    pixels: Vec<bool>,
}

/// Why two masks, or pixels and a size, do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MaskError {
    #[error("a mask of {0}×{1} pixels cannot be compared with one of {2}×{3}")]
    Sizes(usize, usize, usize, usize),
    #[error("{pixels} pixels are not {width}×{height}")]
    Pixels { pixels: usize, height: usize, width: usize },
    #[error("{0} probabilities are no numbers")]
    NoNumbers(usize),
}

/// Where a pixel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pixel {
    pub row: u32,
    pub column: u32,
}

impl Mask {
    /// Takes `height`·`width` pixels, row by row.
    ///
    /// # Errors
    /// [`MaskError::Pixels`] for any other number of pixels.
    pub fn new(height: usize, width: usize, pixels: Vec<bool>) -> Result<Self, MaskError> {
        if height.checked_mul(width) == Some(pixels.len()) {
            Ok(Self { height, width, pixels })
        } else {
            Err(MaskError::Pixels { pixels: pixels.len(), height, width })
        }
    }

    /// A mask without lesion.
    pub fn empty(height: usize, width: usize) -> Self {
        Self { height, width, pixels: vec![false; height * width] }
    }

    /// Asks for every pixel by its row and column.
    pub fn from_fn(height: usize, width: usize, mut lesion: impl FnMut(usize, usize) -> bool) -> Self {
        let mut pixels = Vec::with_capacity(height * width);
        for row in 0..height {
            pixels.extend((0..width).map(|column| lesion(row, column)));
        }
        Self { height, width, pixels }
    }

    /// The pixels whose probability is greater than `threshold`, not equal to it.
    ///
    /// # Errors
    /// [`MaskError::Pixels`] where there are not `height`·`width` probabilities, [`MaskError::NoNumbers`] where some are
    /// NaN: greater than nothing, they would pass for background.
    pub fn above(height: usize, width: usize, probabilities: &[f32], threshold: f32) -> Result<Self, MaskError> {
        let unknown = probabilities.iter().filter(|p| p.is_nan()).count();
        if unknown > 0 {
            return Err(MaskError::NoNumbers(unknown));
        }
        Self::new(height, width, probabilities.iter().map(|p| *p > threshold).collect())
    }

    pub fn height(&self) -> usize {
        self.height
    }

    pub fn width(&self) -> usize {
        self.width
    }

    /// All pixels, row by row.
    pub fn pixels(&self) -> &[bool] {
        &self.pixels
    }

    /// All pixels, to be drawn on.
    pub fn pixels_mut(&mut self) -> &mut [bool] {
        &mut self.pixels
    }

    /// The pixels of one row.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn row(&self, row: usize) -> &[bool] {
        &self.pixels[row * self.width..(row + 1) * self.width]
    }

    /// Whether this pixel is lesion; `false` outside of the image.
    pub fn at(&self, row: usize, column: usize) -> bool {
        row < self.height && column < self.width && self.pixels[row * self.width + column]
    }

    /// Number of lesion pixels.
    pub fn area(&self) -> usize {
        count(&self.pixels)
    }

    /// Whether there is no lesion.
    pub fn is_empty(&self) -> bool {
        !self.pixels.contains(&true)
    }

    /// √(height² + width²) of pixels so large: what a distance that is undefined may be replaced by.
    pub fn diagonal(&self, spacing: Spacing) -> f64 {
        (self.height as f64 * spacing.row).hypot(self.width as f64 * spacing.column)
    }

    /// Share of lesion, 0 to 1; 0 for a mask of no pixels.
    pub fn share(&self) -> f64 {
        if self.pixels.is_empty() { 0.0 } else { self.area() as f64 / self.pixels.len() as f64 }
    }

    /// Adds the lesion of another mask (logical or).
    ///
    /// # Panics
    /// Where the sizes differ.
    pub fn add(&mut self, other: &Mask) {
        assert_eq!((self.width, self.height), (other.width, other.height), "masks of one size are joined");
        self.pixels.iter_mut().zip(&other.pixels).for_each(|(a, b)| *a |= b);
    }

    fn check(&self, other: &Mask) -> Result<(), MaskError> {
        if (self.height, self.width) == (other.height, other.width) {
            Ok(())
        } else {
            Err(MaskError::Sizes(self.width, self.height, other.width, other.height))
        }
    }
}

/// Pixels by what they are and what they were taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion {
    pub true_positives: usize,
    pub false_positives: usize,
    pub false_negatives: usize,
    pub true_negatives: usize,
}

impl Confusion {
    /// Counts over all pixels.
    ///
    /// # Errors
    /// Masks of different sizes.
    pub fn of(prediction: &Mask, truth: &Mask) -> Result<Self, MaskError> {
        prediction.check(truth)?;
        let true_positives = count_both(&prediction.pixels, &truth.pixels);
        let (predicted, real) = (prediction.area(), truth.area());
        Ok(Self {
            true_positives,
            false_positives: predicted - true_positives,
            false_negatives: real - true_positives,
            true_negatives: truth.pixels.len() + true_positives - predicted - real,
        })
    }

    /// 2 TP / (2 TP + FP + FN); 1 where both masks are empty.
    pub fn dice(&self) -> f64 {
        let wrong = self.false_positives + self.false_negatives;
        if self.both_empty() {
            return 1.0;
        }
        2.0 * self.true_positives as f64 / (2 * self.true_positives + wrong) as f64
    }

    /// TP / (TP + FP + FN), the Jaccard index; undefined where both masks are empty.
    pub fn iou(&self) -> Option<f64> {
        let union = self.true_positives + self.false_positives + self.false_negatives;
        (union > 0).then(|| self.true_positives as f64 / union as f64)
    }

    /// Whether neither mask has a lesion: Dice is 1 by convention.
    pub fn both_empty(&self) -> bool {
        self.true_positives + self.false_positives + self.false_negatives == 0
    }
}

/// The number of `true`; in blocks whose sum fits in a byte, of which the processor adds many at a time.
fn count(pixels: &[bool]) -> usize {
    pixels.chunks(255).map(|block| usize::from(block.iter().map(|lesion| u8::from(*lesion)).sum::<u8>())).sum()
}

/// The number of places where both are `true`.
fn count_both(a: &[bool], b: &[bool]) -> usize {
    let blocks = a.chunks(255).zip(b.chunks(255));
    blocks.map(|(a, b)| usize::from(a.iter().zip(b).map(|(a, b)| u8::from(a & b)).sum::<u8>())).sum()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A mask drawn with `#`.
    pub fn drawn(rows: &[&str]) -> Mask {
        Mask::from_fn(rows.len(), rows.first().map_or(0, |row| row.len()), |row, column| {
            rows[row].as_bytes()[column] == b'#'
        })
    }

    #[test]
    fn covering_is_counted() {
        let counts = Confusion::of(&drawn(&["##..", "#..."]), &drawn(&[".##.", "#..."])).unwrap();
        let expected = Confusion { true_positives: 2, false_positives: 1, false_negatives: 1, true_negatives: 4 };
        assert_eq!(counts, expected);
        assert_eq!(counts.dice(), 4.0 / 6.0);
        assert_eq!(counts.iou(), Some(0.5));
    }

    #[test]
    fn two_empty_masks_agree_and_their_iou_is_undefined() {
        let empty = Mask::empty(2, 3);
        let counts = Confusion::of(&empty, &empty).unwrap();
        assert!(counts.both_empty() && empty.is_empty());
        assert_eq!((counts.dice(), counts.iou()), (1.0, None));
        let missed = Confusion::of(&empty, &drawn(&["...", ".#."])).unwrap();
        assert_eq!((missed.dice(), missed.iou()), (0.0, Some(0.0)));
        let nothing = Confusion::of(&Mask::default(), &Mask::default()).unwrap();
        assert_eq!(nothing.dice(), 1.0);
    }

    #[test]
    fn lesions_are_joined_and_their_share_is_of_all_pixels() {
        let mut all = drawn(&["..#", "#.."]);
        all.add(&drawn(&["#..", ".##"]));
        assert_eq!(all, drawn(&["#.#", "###"]));
        assert!((all.share() - 5.0 / 6.0).abs() < 1e-12);
        assert_eq!(Mask::default().share(), 0.0);
    }

    #[test]
    fn sizes_that_differ_are_named() {
        let error = Confusion::of(&Mask::empty(2, 3), &Mask::empty(3, 2)).unwrap_err();
        assert_eq!(error.to_string(), "a mask of 3×2 pixels cannot be compared with one of 2×3");
        assert!(Mask::new(2, 3, vec![true; 5]).is_err());
        assert!(Mask::new(usize::MAX, 2, vec![]).is_err());
    }

    #[test]
    fn a_threshold_is_strict_and_a_nan_is_never_background() {
        assert_eq!(Mask::above(1, 3, &[0.5, f32::NAN, 1.0], 0.5), Err(MaskError::NoNumbers(1)));
        let mask = Mask::above(1, 4, &[0.5, 0.500_001, f32::NEG_INFINITY, 1.0], 0.5).unwrap();
        assert_eq!(mask.pixels(), [false, true, false, true]);
        assert!(!mask.at(0, 4) && !mask.at(1, 0) && !mask.at(usize::MAX, 0) && mask.at(0, 3));
    }
}
