//! Which streams of [`HostRng`] serve which purpose: the one table, so that two purposes of a run never share numbers.
//!
//! A run draws from the streams of its lab and of its data under one or two seeds, which may be equal. Labs never meet in
//! a run, so the same numbers may serve two of them. What is written here is part of every recorded run: a changed number
//! changes results.

use super::rng::HostRng;

/// Streams of one purpose: stream `first + i` is that of its `i`-th epoch, picture, step, ...
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    first: u64,
    count: u64,
}

impl Stream {
    const fn one(first: u64) -> Self {
        Self { first, count: 1 }
    }

    /// Opens the `i`-th stream of this purpose at its beginning.
    pub fn open(self, seed: u64, i: u64) -> HostRng {
        debug_assert!(i < self.count, "stream {i} of {self:?}");
        HostRng::new(seed, self.first + i)
    }
}

/// What has a seed of its own, not a run's: device checks, measurements, weights that are overwritten.
pub const ALONE: Stream = Stream { first: 0, count: 4 };

// Points on a plane and the perceptron that learns them.
/// Generated points.
pub const POINTS: Stream = Stream::one(0);
/// Which of them are for testing.
pub const POINTS_SPLIT: Stream = Stream::one(1);
/// First weights of the perceptron.
pub const MLP_WEIGHTS: Stream = Stream::one(2);
/// Order of the points in each epoch.
pub const POINTS_ORDER: Stream = Stream { first: 1 << 32, count: 1 << 32 };
/// Noise on the gradients of a surface: one for each step of each repetition of a run.
pub const GRADIENT_NOISE: Stream = Stream { first: 7 << 58, count: 1 << 58 };
/// Starts on which learning rates are tuned, and those on which a race is judged.
pub const RACE_STARTS: Stream = Stream { first: 8 << 58, count: 2 };

// Learning from two views of a picture.
/// First weights of the online network, and of a target of its own.
pub const ONLINE_WEIGHTS: Stream = Stream::one(2);
pub const TARGET_WEIGHTS: Stream = Stream::one(3);
/// Generated pictures to learn from and to test with, one stream each.
pub const SHAPES_TRAIN: Stream = Stream { first: 1 << 40, count: 1 << 40 };
pub const SHAPES_TEST: Stream = Stream { first: 2 << 40, count: 1 << 40 };
/// Which pictures of a folder are for testing, class by class.
pub const FOLDER_SPLIT: Stream = Stream { first: 3 << 40, count: 1 << 40 };
/// One view of one picture in one epoch.
pub const VIEWS: Stream = Stream { first: 5 << 58, count: 1 << 58 };
/// Order of the pictures in each epoch.
pub const VIEWS_ORDER: Stream = Stream { first: 6 << 58, count: 1 << 58 };
/// Pictures that are measured: of the training set, of the test set.
pub const MEASURED: Stream = Stream { first: 7 << 58, count: 2 };

// Outlining lesions.
/// First weights of a network.
pub const SEGMENTATION_WEIGHTS: Stream = Stream::one(1);
/// Generated ultrasound images, one stream each.
pub const ULTRASOUND: Stream = Stream { first: 16 << 40, count: 1 << 40 };
/// Which images of a folder are to train, to validate and to test.
pub const PARTS: Stream = Stream::one(17 << 40);
/// Which of them are tested in which fold.
pub const FOLDS: Stream = Stream::one((17 << 40) + 1);
/// Order of the images in each epoch.
pub const IMAGES_ORDER: Stream = Stream { first: 7 << 58, count: 1 << 58 };
/// The view of each image of each step.
pub const PAIR_VIEWS: Stream = Stream { first: 8 << 58, count: 1 << 58 };
/// Which patch is cut from each image of each step.
pub const PATCHES: Stream = Stream { first: 11 << 58, count: 1 << 58 };
/// What dropout drops in each step.
pub const DROPOUT: Stream = Stream { first: 9 << 58, count: 1 << 58 };
/// Samples of dropout for the uncertainty after each step.
pub const UNCERTAINTY: Stream = Stream { first: 10 << 58, count: 1 << 58 };
/// Views that are tried out on screen.
pub const TRIAL_VIEWS: Stream = Stream { first: 63 << 58, count: 1 << 58 };

// Reconstructing pictures, and telling the ill from the healthy.
/// First weights of encoder, decoder and classifier.
pub const AUTOENCODER_WEIGHTS: Stream = Stream { first: 1, count: 3 };
/// Generated fundus pictures, one stream each, and the grade of each.
pub const FUNDUS: Stream = Stream { first: 18 << 40, count: 1 << 40 };
pub const FUNDUS_GRADES: Stream = Stream { first: 19 << 40, count: 1 << 40 };
/// Which of them are given the wrong label.
pub const WRONG_LABELS: Stream = Stream { first: 21 << 40, count: 1 << 40 };
/// Which labels are used where only a share is.
pub const LABELLED_SHARE: Stream = Stream::one(22 << 40);
/// Which pictures are for testing (one seed for all runs), and which of the others to validate.
pub const FUNDUS_TEST: Stream = Stream { first: 20 << 40, count: 1 << 20 };
pub const FUNDUS_VALIDATION: Stream = Stream { first: (20 << 40) + (1 << 20), count: 1 << 20 };
/// Order of labelled and of unlabelled pictures in each epoch, and in which order their batches come.
pub const LABELLED_ORDER: Stream = Stream { first: 7 << 58, count: 1 << 58 };
pub const UNLABELLED_ORDER: Stream = Stream { first: 8 << 58, count: 1 << 58 };
pub const MIXED_ORDER: Stream = Stream { first: 9 << 58, count: 1 << 58 };
/// One view of each picture of each step.
pub const FUNDUS_VIEWS: Stream = Stream { first: 10 << 58, count: 1 << 58 };
/// What dropout drops in each pass of active learning.
pub const QUERY_DROPOUT: Stream = Stream { first: 11 << 58, count: 1 << 58 };
/// Which pictures are asked for after a step where chance decides.
pub const QUERY_RANDOM: Stream = Stream { first: 13 << 58, count: 1 << 58 };

// Images and their reports.
/// First weights of the image encoder, of the text encoder, and of what is put behind them.
pub const IMAGE_TEXT_WEIGHTS: Stream = Stream { first: 1, count: 4 };
/// Generated studies, a chest with its report, one stream each.
pub const CHEST: Stream = Stream { first: 23 << 40, count: 1 << 40 };
/// Which reports are to train, to validate and to test.
pub const REPORT_PARTS: Stream = Stream::one(24 << 40);
/// Which other image stands in the control with the wrong image.
pub const WRONG_IMAGES: Stream = Stream::one(25 << 40);
/// Order of the reports in each epoch.
pub const REPORTS_ORDER: Stream = Stream { first: 7 << 58, count: 1 << 58 };
/// Each perturbation of each report in each draw; `text::perturb` says which stream is whose.
pub const PERTURBATIONS: Stream = Stream { first: 8 << 58, count: 1 << 58 };
/// Order of the reports in each epoch of a probe.
pub const PROBE_ORDER: Stream = Stream { first: 9 << 58, count: 1 << 58 };

#[cfg(test)]
mod tests {
    use super::*;

    /// What may be drawn under one seed, lab by lab.
    const TOGETHER: [&[Stream]; 5] = [
        &[POINTS, POINTS_SPLIT, MLP_WEIGHTS, POINTS_ORDER, GRADIENT_NOISE, RACE_STARTS],
        &[ONLINE_WEIGHTS, TARGET_WEIGHTS, SHAPES_TRAIN, SHAPES_TEST, FOLDER_SPLIT, VIEWS, VIEWS_ORDER, MEASURED],
        &[
            SEGMENTATION_WEIGHTS,
            ULTRASOUND,
            PARTS,
            FOLDS,
            IMAGES_ORDER,
            PAIR_VIEWS,
            PATCHES,
            DROPOUT,
            UNCERTAINTY,
            TRIAL_VIEWS,
        ],
        &[
            AUTOENCODER_WEIGHTS,
            FUNDUS,
            FUNDUS_GRADES,
            WRONG_LABELS,
            LABELLED_SHARE,
            FUNDUS_TEST,
            FUNDUS_VALIDATION,
            LABELLED_ORDER,
            UNLABELLED_ORDER,
            MIXED_ORDER,
            FUNDUS_VIEWS,
            QUERY_DROPOUT,
            QUERY_RANDOM,
        ],
        &[IMAGE_TEXT_WEIGHTS, CHEST, REPORT_PARTS, WRONG_IMAGES, REPORTS_ORDER, PERTURBATIONS, PROBE_ORDER],
    ];

    #[test]
    fn no_two_streams_of_a_lab_collide() {
        for lab in TOGETHER {
            for (i, a) in lab.iter().enumerate() {
                for b in &lab[i + 1..] {
                    let apart = |a: &Stream, b: &Stream| a.first + (a.count - 1) < b.first;
                    assert!(apart(a, b) || apart(b, a), "{a:?} and {b:?}");
                }
            }
        }
    }

    #[test]
    fn every_stream_stands_in_a_lab() {
        let declared = include_str!("streams.rs").lines().filter(|line| line.starts_with("pub const ")).count();
        // All but `ALONE`.
        assert_eq!(TOGETHER.concat().len(), declared - 1);
    }

    #[test]
    fn recorded_runs_keep_their_numbers() {
        for (stream, i, number) in [
            (POINTS_ORDER, 3, (1 << 32) + 3),
            (FOLDER_SPLIT, 1, (3 << 40) + 1),
            (VIEWS_ORDER, 4, 6 << 58 | 4),
            (DROPOUT, 70, 9 << 58 | 70),
            (TRIAL_VIEWS, 0, 63 << 58),
        ] {
            assert_eq!(stream.open(5, i).uniform(), HostRng::new(5, number).uniform());
        }
    }
}
