//! Random views of an image together with its mask: flips and one affine map, as the light U-Nets are trained.
//!
//! All steps of a view are one map, so that pixels are interpolated once. A view depends on its generator alone.

use crate::compute::rng::HostRng;

use crate::pixels::resize::Size;
use crate::pixels::warp::{Affine, Border, Map, warp, warp_mask};

/// What the mask shows beyond its edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MaskBorder {
    /// The same continuation as the image: lesion that is seen is labelled.
    #[default]
    AsImage,
    /// Always background, as in the paper's code: lesion that an image shows beyond its edge is labelled background.
    Background,
}

/// One step of a view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation {
    FlipHorizontal,
    FlipVertical,
    Affine(Affine),
}

/// How one view is made.
#[derive(Debug, Clone, PartialEq)]
pub struct PairView {
    /// In the order of application; empty where the dice spared the image.
    pub operations: Vec<Operation>,
    /// Of the image.
    pub border: Border,
}

impl PairView {
    /// The image as it is.
    pub const UNCHANGED: PairView = PairView { operations: Vec::new(), border: Border::Constant(0.0) };

    /// Draws a view: each flip with probability 1/2; with probability 1/2 scales of U(0.8, 1.2) along x and y, shifts of
    /// U(−0.2, 0.2) of the size, a turn of U(−45°, 45°) and a shear of U(−16°, 16°); a border of the five; all in random
    /// order. As many numbers are drawn whatever the dice say.
    pub fn draw(rng: &mut HostRng) -> Self {
        let chosen = [(); 3].map(|()| rng.uniform() < 0.5);
        let affine = Affine {
            scale: [(); 2].map(|()| rng.between(0.8, 1.2)),
            translate: [(); 2].map(|()| rng.between(-0.2, 0.2)),
            rotate: rng.between(-45.0, 45.0),
            shear: rng.between(-16.0, 16.0),
            flip: [false; 2],
        };
        let border = [Border::Constant(0.0), Border::Edge, Border::Symmetric, Border::Reflect, Border::Wrap];
        let border = border[rng.below(border.len())];
        let mut operations = [Operation::FlipHorizontal, Operation::FlipVertical, Operation::Affine(affine)].map(Some);
        operations.iter_mut().zip(chosen).filter(|(_, chosen)| !chosen).for_each(|(operation, _)| *operation = None);
        rng.shuffle(&mut operations);
        Self { operations: operations.into_iter().flatten().collect(), border }
    }

    /// From places in the image to places in the view.
    pub fn map(&self, size: Size) -> Map {
        self.operations.iter().fold(Map::IDENTITY, |before, operation| {
            let affine = match operation {
                Operation::FlipHorizontal => Affine { flip: [true, false], ..Affine::IDENTITY },
                Operation::FlipVertical => Affine { flip: [false, true], ..Affine::IDENTITY },
                Operation::Affine(affine) => *affine,
            };
            affine.map(size).after(before)
        })
    }

    /// Makes the view of an image `[C, H, W]` (bilinear) and of its mask `[H, W]` (nearest).
    ///
    /// # Panics
    /// Where image or mask are not of this size.
    pub fn apply(&self, image: &[f32], mask: &[bool], size: Size, mask_border: MaskBorder) -> (Vec<f32>, Vec<bool>) {
        // A map that flattens the image is never drawn.
        let Some(back) = self.map(size).inverse().filter(|_| !self.operations.is_empty()) else {
            return (image.to_vec(), mask.to_vec());
        };
        let border = match mask_border {
            MaskBorder::AsImage => self.border,
            MaskBorder::Background => Border::Constant(0.0),
        };
        (warp(image, size, back, self.border), warp_mask(mask, size, back, border))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { height: 24, width: 32 };

    #[test]
    fn a_view_is_a_pure_function_of_its_generator() {
        let draw = |stream| PairView::draw(&mut HostRng::new(1, stream));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn steps_are_drawn_as_often_as_they_should_and_within_their_ranges() {
        let mut rng = HostRng::new(2, 0);
        let (mut horizontal, mut vertical, mut affine, mut affine_first, mut both) = (0, 0, 0, 0, 0);
        let mut borders = [0; 5];
        for _ in 0..4000 {
            let view = PairView::draw(&mut rng);
            let has = |wanted: Operation| view.operations.contains(&wanted);
            horizontal += usize::from(has(Operation::FlipHorizontal));
            vertical += usize::from(has(Operation::FlipVertical));
            let place = view.operations.iter().position(|operation| matches!(operation, Operation::Affine(_)));
            affine += usize::from(place.is_some());
            if view.operations.len() == 3 {
                both += 1;
                affine_first += usize::from(place == Some(0));
            }
            if let Some(Operation::Affine(affine)) = place.map(|place| view.operations[place]) {
                assert!(affine.scale.iter().all(|s| (0.8..1.2).contains(s)));
                assert!(affine.translate.iter().all(|t| (-0.2..0.2).contains(t)));
                assert!((-45.0..45.0).contains(&affine.rotate) && (-16.0..16.0).contains(&affine.shear));
            }
            borders[match view.border {
                Border::Constant(value) => {
                    assert_eq!(value, 0.0);
                    0
                }
                Border::Edge => 1,
                Border::Symmetric => 2,
                Border::Reflect => 3,
                Border::Wrap => 4,
            }] += 1;
        }
        // Five standard errors.
        for count in [horizontal, vertical, affine] {
            assert!((1842..2158).contains(&count), "{count}");
        }
        assert!(borders.iter().all(|count| (673..927).contains(count)), "{borders:?}");
        assert!((0.22..0.45).contains(&(affine_first as f64 / both as f64)));
    }

    #[test]
    fn image_and_mask_move_together() {
        // An image that is its own mask: where it is interpolated to more than a half, the mask is lesion.
        let mask: Vec<bool> =
            (0..SIZE.pixels()).map(|i| (i / 32).abs_diff(12).pow(2) + (i % 32).abs_diff(8).pow(2) < 64).collect();
        let image: Vec<f32> = mask.iter().map(|lesion| f32::from(u8::from(*lesion))).collect();
        let mut rng = HostRng::new(3, 0);
        let mut hidden = 0;
        for _ in 0..60 {
            let view = PairView::draw(&mut rng);
            let (seen, labelled) = view.apply(&image, &mask, SIZE, MaskBorder::AsImage);
            let far = seen.iter().zip(&labelled).filter(|(seen, label)| (**seen > 0.5) != **label).count();
            assert!(far < 20, "{far} pixels, {view:?}");
            let (same, background) = view.apply(&image, &mask, SIZE, MaskBorder::Background);
            assert_eq!(same, seen);
            assert!(background.iter().zip(&labelled).all(|(background, label)| *label || !background));
            hidden += usize::from(background != labelled);
        }
        assert!(hidden > 0, "no view showed lesion beyond the edge");
    }

    #[test]
    fn order_matters_only_to_the_affine_map() {
        let affine = Operation::Affine(Affine { translate: [0.1, 0.0], ..Affine::IDENTITY });
        let map =
            |operations: &[Operation]| PairView { operations: operations.to_vec(), border: Border::Edge }.map(SIZE);
        let (flip, other) = (Operation::FlipHorizontal, Operation::FlipVertical);
        assert_eq!(map(&[flip, other]), map(&[other, flip]));
        assert_ne!(map(&[flip, affine]), map(&[affine, flip]));
        let pixels: Vec<f32> = (0..SIZE.pixels()).map(|i| i as f32).collect();
        let mask = vec![false; SIZE.pixels()];
        assert_eq!(PairView::UNCHANGED.apply(&pixels, &mask, SIZE, MaskBorder::AsImage).0, pixels);
        let turned = PairView { operations: vec![flip, other], border: Border::Wrap };
        assert!(turned.apply(&pixels, &mask, SIZE, MaskBorder::AsImage).0.iter().eq(pixels.iter().rev()));
    }
}
