//! From a map of probabilities to a mask at the picture's own size, and how well it covers the truth. The same for
//! training, for the views and for prediction.

use crate::engine::params::Params;
use crate::labs::segmentation::params::{
    CONNECTIVITY, COUNT_THE_DIAGONAL, FILL_HOLES, HAUSDORFF, KEEP, THRESHOLD, fit,
};
use crate::pixels::fit::{Fit, Frame};
use crate::pixels::mask::border::{BorderDistances, Hausdorff, assd_in_words, border_distances};
use crate::pixels::mask::components::{Connectivity, Keep, PostProcess};
use crate::pixels::mask::{Confusion, Mask};
use crate::pixels::resize::{Resampling, Size, resize_above};
use crate::pixels::spacing::{Spacing, Unit};

/// How a prediction is made and measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pipeline {
    /// A pixel is lesion where its probability is greater.
    pub threshold: f64,
    pub post: PostProcess,
    /// Which of the two 95th percentiles HD95 is.
    pub hd95: Hausdorff,
    /// Distances that are undefined, because one of the masks is empty, count as the image's diagonal. Otherwise they are
    /// left out of means and counted.
    pub penalty: bool,
    /// How pictures lie in the network's square.
    pub fit: Fit,
}

impl Default for Pipeline {
    /// The lab's: > 0.5, the largest part by area across corners, filled, HD95 as medpy.
    fn default() -> Self {
        Self {
            threshold: 0.5,
            post: PostProcess::default(),
            hd95: Hausdorff::Pooled95,
            penalty: false,
            fit: Fit::Squash,
        }
    }
}

impl Pipeline {
    /// Moves the threshold within what its slider allows.
    pub fn shift_threshold(&mut self, by: f64) {
        self.threshold = (self.threshold + by).clamp(0.01, 0.99);
    }
}

/// How well a prediction covers the truth, at the picture's own size. Distances are in millimetres where a pixel has a size,
/// else in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// 2 TP / (2 TP + FP + FN); 1 where both masks are empty.
    pub dice: f64,
    /// TP / (TP + FP + FN); `None` where both masks are empty.
    pub iou: Option<f64>,
    pub hd95: Option<f64>,
    pub hd: Option<f64>,
    /// Average distance between the borders, over the border pixels of both masks together.
    pub assd: Option<f64>,
    pub both_empty: bool,
    /// Pixels of the truth.
    pub area: usize,
    /// Pixels of the prediction.
    pub predicted: usize,
    /// The size of one of these pixels, where it is known.
    pub spacing: Option<Spacing>,
}

impl Score {
    /// What the distances are in, and in its square the areas of [`Self::areas`].
    pub fn unit(&self) -> Unit {
        Unit::of(self.spacing)
    }

    /// Of the truth and of the prediction, px or mm².
    pub fn areas(&self) -> [f64; 2] {
        [self.area, self.predicted].map(|pixels| pixels as f64 * self.spacing.map_or(1.0, Spacing::area))
    }

    /// Distances and areas by pixels of the file, where a pixel of the compared masks stands for `factor`² of them.
    #[must_use]
    pub fn scaled(self, factor: usize) -> Self {
        let times = |distance: Option<f64>| distance.map(|distance| distance * factor as f64);
        Self {
            hd95: times(self.hd95),
            hd: times(self.hd),
            assd: times(self.assd),
            area: self.area * factor * factor,
            predicted: self.predicted * factor * factor,
            ..self
        }
    }
}

impl Pipeline {
    /// What the lab's parameters ask for.
    pub fn of(params: &Params) -> Self {
        Self {
            threshold: THRESHOLD.of(params),
            post: PostProcess {
                keep: match KEEP.of(params) {
                    Keep::LargestArea(_) => Keep::LargestArea(CONNECTIVITY.of(params)),
                    other => other,
                },
                fill_holes: FILL_HOLES.of(params),
            },
            hd95: HAUSDORFF.of(params),
            penalty: COUNT_THE_DIAGONAL.of(params),
            fit: fit(params),
        }
    }

    /// The mask at the picture's own size: the part of probabilities `[side, side]` in which it lies is resized (bilinear, half-pixel centres),
    /// thresholded and post-processed.
    ///
    /// # Panics
    /// Where there are not `side`² probabilities.
    pub fn mask(&self, probabilities: &[f32], side: usize, height: usize, width: usize) -> Mask {
        self.mask_in(self.fit.frame(Size { height, width }, side), probabilities, height, width)
    }

    /// The same of a picture that lies in this frame.
    ///
    /// # Panics
    /// Where there are not as many probabilities as the frame's square has pixels.
    pub fn mask_in(&self, frame: Frame, probabilities: &[f32], height: usize, width: usize) -> Mask {
        let inside = frame.cut(probabilities);
        let pixels = resize_above(&inside, frame.size, Size { height, width }, Resampling::Bilinear, self.threshold);
        let mask = Mask::new(height, width, pixels).expect("as many pixels as were asked for");
        self.post.apply(&mask)
    }

    /// Compares two masks of one size; `spacing`: of their pixels, where it is known.
    ///
    /// # Panics
    /// Where their sizes differ.
    pub fn score(&self, prediction: &Mask, truth: &Mask, spacing: Option<Spacing>) -> Score {
        let confusion = confusion(prediction, truth);
        let side = spacing.unwrap_or(Spacing::PIXELS);
        let distances = border_distances(prediction, truth, side).expect("masks of one image have one size");
        let undefined = (self.penalty && prediction.is_empty() != truth.is_empty()).then(|| truth.diagonal(side));
        let of = |measure: &dyn Fn(&BorderDistances) -> f64| distances.as_ref().map(measure).or(undefined);
        Score {
            dice: confusion.dice(),
            iou: confusion.iou(),
            hd95: of(&|distances| distances.hausdorff(self.hd95)),
            hd: of(&|distances| distances.hausdorff(Hausdorff::Largest)),
            assd: of(&BorderDistances::average_pooled),
            both_empty: confusion.both_empty(),
            area: truth.area(),
            predicted: prediction.area(),
            spacing,
        }
    }

    /// [`Score::dice`] alone, without the distances, which take most of the time.
    ///
    /// # Panics
    /// Where the sizes of the masks differ.
    pub fn dice(prediction: &Mask, truth: &Mask) -> f64 {
        confusion(prediction, truth).dice()
    }

    /// The convention in words, to be printed beside the numbers.
    pub fn describe(&self, unit: Unit) -> String {
        let keep = match self.post.keep {
            Keep::All => "all parts kept",
            Keep::LargestArea(Connectivity::Four) => "largest part by area, 4-connected",
            Keep::LargestArea(Connectivity::Eight) => "largest part by area, 8-connected",
            Keep::LongestContour => "part with the longest contour (the authors' rule), filled",
        };
        let holes = match (self.post.keep, self.post.fill_holes) {
            (Keep::LongestContour, _) => "",
            (_, true) => ", holes filled",
            (_, false) => ", holes kept",
        };
        let undefined = if self.penalty {
            "undefined distances count as the image's diagonal"
        } else {
            "undefined distances are left out and counted"
        };
        format!(
            "resized to the original size, probability > {}, {keep}{holes}; Dice of two empty masks is 1; {}; {}; {undefined}",
            self.threshold,
            self.hd95.describe(unit),
            assd_in_words(unit)
        )
    }
}

fn confusion(prediction: &Mask, truth: &Mask) -> Confusion {
    Confusion::of(prediction, truth).expect("masks of one image have one size")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assd_is_that_of_medpy_0_5_and_monai() {
        // One pixel at the distances 1, 2 and 3 from a row of three, which is at 1 from it: (1 + 1 + 2 + 3) / 4.
        let one = Mask::from_fn(1, 8, |_, x| x == 1);
        let three = Mask::from_fn(1, 8, |_, x| (2..5).contains(&x));
        let score = Pipeline::default().score(&one, &three, None);
        assert_eq!(score.assd, Some(1.75), "not the mean of both means, 1.5");
        assert!(
            Pipeline::default()
                .describe(Unit::Pixels)
                .contains("ASSD: mean distance over the border pixels of both masks pooled")
        );
    }

    fn square(side: usize, from: usize, to: usize) -> Mask {
        Mask::from_fn(side, side, |y, x| (from..to).contains(&y) && (from..to).contains(&x))
    }

    #[test]
    fn the_dice_alone_is_that_of_the_score() {
        let masks = [square(9, 0, 5), square(9, 3, 8), Mask::empty(9, 9)];
        for (one, other) in masks.iter().flat_map(|one| masks.iter().map(move |other| (one, other))) {
            assert_eq!(Pipeline::dice(one, other), Pipeline::default().score(one, other, None).dice);
        }
        assert_eq!(Pipeline::dice(&masks[2], &masks[2]), 1.0);
    }

    #[test]
    fn a_map_becomes_a_mask_at_the_pictures_own_size() {
        let probabilities = [0.9, 0.9, 0.1, 0.1, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.8];
        let pipeline = Pipeline::default();
        let mask = pipeline.mask(&probabilities, 4, 8, 8);
        assert_eq!(mask, square(8, 0, 4), "the small part in the corner is dropped");
        let all = Pipeline { post: PostProcess::OFF, ..pipeline };
        assert!(all.mask(&probabilities, 4, 8, 8).area() > 16);
        assert!(Pipeline { threshold: 0.95, ..pipeline }.mask(&probabilities, 4, 8, 8).is_empty());
    }

    #[test]
    fn what_is_undefined_is_none_or_the_diagonal() {
        let pipeline = Pipeline::default();
        let (empty, lesion) = (Mask::empty(30, 40), Mask::from_fn(30, 40, |y, x| y < 3 && x < 3));
        let missed = pipeline.score(&empty, &lesion, None);
        assert_eq!((missed.dice, missed.hd95, missed.assd, missed.both_empty), (0.0, None, None, false));
        let punished = Pipeline { penalty: true, ..pipeline }.score(&empty, &lesion, None);
        assert_eq!((punished.hd95, punished.hd), (Some(50.0), Some(50.0)));
        let nothing = Pipeline { penalty: true, ..pipeline }.score(&empty, &empty, None);
        assert_eq!((nothing.dice, nothing.iou, nothing.hd95, nothing.both_empty), (1.0, None, None, true));
        let perfect = pipeline.score(&lesion, &lesion, None);
        assert_eq!((perfect.dice, perfect.iou, perfect.hd95, perfect.assd), (1.0, Some(1.0), Some(0.0), Some(0.0)));
    }

    #[test]
    fn where_a_pixel_has_a_size_the_networks_square_does_not_matter() {
        // 40 rows of 0.5 mm and 80 columns of 0.25 mm: the truth ends at column 40, the prediction at 60, 5 mm further.
        let spacing = Spacing { row: 0.5, column: 0.25 };
        let truth = Mask::from_fn(40, 80, |_, x| x < 40);
        for side in [8, 16, 32] {
            let map: Vec<f32> = (0..side * side).map(|i| if 4 * (i % side) < 3 * side { 1.0 } else { 0.0 }).collect();
            let pipeline = Pipeline { penalty: true, ..Pipeline::default() };
            let score = pipeline.score(&pipeline.mask(&map, side, 40, 80), &truth, Some(spacing));
            assert_eq!((score.hd, score.unit()), (Some(5.0), Unit::Millimetres));
            assert_eq!(score.areas(), [40.0 * 40.0 * 0.125, 40.0 * 60.0 * 0.125]);
            let missed = pipeline.score(&Mask::empty(40, 80), &truth, Some(spacing));
            assert_eq!(missed.hd, Some(20.0_f64.hypot(20.0)), "the diagonal in mm");
            // Of a huge picture a pixel that was read stands for several of the file.
            assert_eq!(score.scaled(2).hd, Some(10.0));
        }
        assert!(Pipeline::default().describe(Unit::Millimetres).contains("pooled (medpy, the paper's), mm"));
    }

    #[test]
    fn of_a_letterbox_the_padding_is_no_part_of_the_mask() {
        // 8 rows of 16 columns lie in rows 2 to 5 of a square of 8: the probabilities beside it say lesion everywhere.
        let pipeline = Pipeline { fit: Fit::Letterbox, post: PostProcess::OFF, ..Pipeline::default() };
        let map: Vec<f32> = (0..64).map(|i| if (2..6).contains(&(i / 8)) && i % 8 >= 4 { 0.1 } else { 0.9 }).collect();
        let mask = pipeline.mask(&map, 8, 8, 16);
        assert_eq!(mask, Mask::from_fn(8, 16, |_, x| x < 8));
    }

    #[test]
    fn the_lab_starts_with_the_default_pipeline() {
        let params = Params::defaults(super::super::params::PARAMS);
        assert_eq!(Pipeline::of(&params), Pipeline::default());
        assert!(Pipeline::of(&params).describe(Unit::Pixels).contains("medpy"));
    }
}
