//! How unsure a network is of an image, in numbers by which images are queued for a person to label. One pass over the image
//! and one over its mirror image: what every network has, also one without dropout.

use crate::data::segmentation::read::Picture;
use crate::pixels::fit::Frame;
use crate::pixels::mask::{Confusion, Mask};
use crate::pixels::resize::Size;

/// Pixels of the network's map on each side of the predicted border that count as the border.
const BAND: usize = 2;
/// Share of the pixels that stand in for a border where nothing is predicted: the most unsure ones.
const MOST_UNSURE: f64 = 0.01;

/// How unsure a network is of one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Doubt {
    /// Mean entropy in bits, 0 to 1, within two pixels of the predicted border; where nothing is predicted, of the most unsure
    /// hundredth of the pixels.
    pub border: f64,
    /// Mean entropy in bits, 0 to 1, over the whole image.
    pub image: f64,
    /// 1 less the Dice of the masks of the image and of its mirror image; 0 where both are empty.
    pub mirror: f64,
}

/// By which of them images are queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unsure {
    #[default]
    Border,
    Image,
    Mirror,
}

impl Unsure {
    pub const ALL: [Unsure; 3] = [Unsure::Border, Unsure::Image, Unsure::Mirror];

    pub fn name(self) -> &'static str {
        match self {
            Unsure::Border => "entropy at the border",
            Unsure::Image => "entropy of the image",
            Unsure::Mirror => "mirror disagreement",
        }
    }

    pub fn help(self) -> &'static str {
        match self {
            Unsure::Border => {
                "Mean entropy of the probability, in bits (0 sure, 1 even), within two pixels of the network's map of the \
                 predicted border; where nothing is predicted, of the most unsure hundredth of the pixels"
            }
            Unsure::Image => "Mean entropy of the probability over the whole image, in bits (0 sure, 1 even)",
            Unsure::Mirror => {
                "1 − Dice between the masks predicted of the image and of its mirror image; 0 where both are empty"
            }
        }
    }

    pub fn of(self, doubt: &Doubt) -> f64 {
        match self {
            Unsure::Border => doubt.border,
            Unsure::Image => doubt.image,
            Unsure::Mirror => doubt.mirror,
        }
    }
}

impl Doubt {
    /// `probabilities`: `[S, S]`, in whose part `frame` the image lies (nothing beside it counts); the masks predicted of the
    /// image and of its mirror image, the latter turned back.
    ///
    /// # Panics
    /// Where the frame is of another square.
    pub fn of(probabilities: &[f32], frame: Frame, threshold: f64, mask: &Mask, mirrored: &Mask) -> Self {
        let probabilities = frame.cut(probabilities);
        let mut entropies: Vec<f64> = probabilities.iter().map(|&p| entropy(f64::from(p))).collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let image = mean(&entropies);
        let near: Vec<f64> = border(&probabilities, frame.size, threshold)
            .into_iter()
            .zip(&entropies)
            .filter(|(on, _)| *on)
            .map(|(_, e)| *e)
            .collect();
        let border = if near.is_empty() {
            entropies.sort_by(|a, b| b.total_cmp(a));
            let count = (MOST_UNSURE * entropies.len() as f64).ceil() as usize;
            mean(&entropies[..count.min(entropies.len())])
        } else {
            mean(&near)
        };
        let mirror = Confusion::of(mask, mirrored).map_or(0.0, |confusion| 1.0 - confusion.dice());
        Self { border, image, mirror }
    }
}

/// Entropy of a yes or no of this probability, in bits.
fn entropy(p: f64) -> f64 {
    let part = |p: f64| if p > 0.0 { -p * p.log2() } else { 0.0 };
    part(p) + part(1.0 - p)
}

/// The pixels that have one across the threshold within the band.
fn border(probabilities: &[f32], Size { height, width }: Size, threshold: f64) -> Vec<bool> {
    let inside: Vec<bool> = probabilities.iter().map(|&p| f64::from(p) > threshold).collect();
    let mut near = vec![false; inside.len()];
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            let across =
                (x + 1 < width && inside[at] != inside[at + 1]) || (y + 1 < height && inside[at] != inside[at + width]);
            if !across {
                continue;
            }
            for row in y.saturating_sub(BAND - 1)..(y + BAND + 1).min(height) {
                let (left, right) = (x.saturating_sub(BAND - 1), (x + BAND + 1).min(width));
                near[row * width + left..row * width + right].fill(true);
            }
        }
    }
    near
}

/// The picture with left and right exchanged.
pub fn mirrored(picture: &Picture) -> Picture {
    let mut rgb = Vec::with_capacity(picture.rgb.len());
    for row in picture.rgb.chunks_exact(3 * picture.width.max(1)) {
        rgb.extend(row.as_chunks::<3>().0.iter().rev().flatten());
    }
    Picture { rgb, ..picture.clone() }
}

/// The mask with left and right exchanged.
pub fn mirrored_mask(mask: &Mask) -> Mask {
    Mask::from_fn(mask.height(), mask.width(), |row, column| mask.at(row, mask.width() - 1 - column))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::fit::Fit;

    #[test]
    fn a_blurred_border_and_a_mirror_image_seen_otherwise_are_doubts() {
        let side = 16_usize;
        let whole = Fit::Squash.frame(Size { height: side, width: side }, side);
        let map = |soft: f32| -> Vec<f32> {
            (0..side * side).map(|i| if (i % side).abs_diff(8) < 3 { 1.0 - soft } else { soft }).collect()
        };
        let mask = Mask::from_fn(side, side, |_, x| x.abs_diff(8) < 3);
        let sure = Doubt::of(&map(0.0), whole, 0.5, &mask, &mask);
        assert_eq!(sure, Doubt { border: 0.0, image: 0.0, mirror: 0.0 });
        let unsure = Doubt::of(&map(0.4), whole, 0.5, &mask, &Mask::empty(side, side));
        assert!((unsure.border - entropy(0.4)).abs() < 1e-6 && (unsure.image - entropy(0.4)).abs() < 1e-6);
        assert_eq!(unsure.mirror, 1.0);
        // At the border alone.
        let edge: Vec<f32> = (0..side * side)
            .map(|i| match i % side {
                5 => 0.45,
                6 => 0.55,
                x if x > 6 => 1.0,
                _ => 0.0,
            })
            .collect();
        let at_edge = Doubt::of(&edge, whole, 0.5, &mask, &mask);
        assert!(at_edge.border > 0.4 && at_edge.image < 0.2, "{at_edge:?}");
        // Nothing is predicted: 3 of 256 pixels are the most unsure hundredth.
        let mut nothing = vec![0.0; side * side];
        nothing[17..20].fill(0.5);
        let empty = Mask::empty(side, side);
        assert_eq!(Doubt::of(&nothing, whole, 0.6, &empty, &empty).border, 1.0);
        assert_eq!(entropy(0.5), 1.0);
    }

    #[test]
    fn what_is_beside_the_image_in_its_square_is_no_doubt() {
        // 8 rows of 16 columns: sure of the image, which is lesion to its edges on the right, and of nothing beside it.
        let frame = Fit::Letterbox.frame(Size { height: 8, width: 16 }, 16);
        let values =
            |lesion: usize| -> Vec<f32> { (0..8 * 16).map(|i| if i % 16 >= lesion { 1.0 } else { 0.0 }).collect() };
        for beside in [0.0, 0.5, 1.0] {
            for lesion in [10, 16] {
                let mask = Mask::from_fn(8, 16, |_, x| x >= lesion);
                let doubt = Doubt::of(&frame.put(values(lesion), beside), frame, 0.5, &mask, &mask);
                assert_eq!(doubt, Doubt { border: 0.0, image: 0.0, mirror: 0.0 }, "{beside} {lesion}");
            }
        }
        // As sure everywhere: what is beside neither adds nor takes away.
        let unsure =
            Doubt::of(&frame.put(vec![0.4; 8 * 16], 0.0), frame, 0.5, &Mask::empty(8, 16), &Mask::empty(8, 16));
        assert!(
            (unsure.image - entropy(0.4)).abs() < 1e-6 && (unsure.border - entropy(0.4)).abs() < 1e-6,
            "{unsure:?}"
        );
    }

    #[test]
    fn a_mirror_image_mirrored_is_the_image() {
        let rgb: Vec<u8> = (0..3 * 12).collect();
        let picture = Picture { width: 4, height: 3, rgb, original: (4, 3), factor: 1 };
        let turned = mirrored(&picture);
        assert_eq!((&turned.rgb[..3], turned.rgb.len()), (&[9, 10, 11][..], 36));
        assert_eq!(mirrored(&turned), picture);
        let mask = Mask::from_fn(2, 3, |row, column| row == 0 && column == 0);
        assert!(mirrored_mask(&mask).at(0, 2) && mirrored_mask(&mirrored_mask(&mask)) == mask);
    }
}
