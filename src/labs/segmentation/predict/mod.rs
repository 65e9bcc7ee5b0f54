//! Outlines on one's own pictures: weights from a file or a run, pictures from a folder, results into a folder.
//!
//! The network is built, used and dropped on one thread, here called with plain data and giving plain data back.

pub mod background;
pub mod doubt;
pub mod inputs;
pub mod job;
pub mod maps;
pub mod overlay;
pub mod parts;
pub mod proposals;
pub mod report;
pub mod running;
#[cfg(test)]
mod tests;
pub mod weights_source;

use burn::tensor::{Device, Tensor, TensorData, activation::sigmoid};

use crate::compute::readback::{ReadError, Reader};
use crate::data::segmentation::Problem;
use crate::data::segmentation::doctor::{Check, Finding, Severity, examine, of_one};
use crate::data::segmentation::read::{Picture, ReadLimits, Reader as Files, reduced};
use crate::engine::params::{ParamSpec, Params};
use crate::kit::predict::{PredictError, PredictSpec, TensorName};
use crate::nn::segmentation::SegmentationNet;
use crate::nn::segmentation::spec::{NetSpec, SpecError};
use crate::nn::segmentation::weights::{Named, names};
use crate::pixels::fit::{Fit, Frame};
use crate::pixels::mask::Mask;
use crate::pixels::mask::components::{Connectivity, components};
use crate::pixels::pieces::{Pieces, cut_channels};
use crate::pixels::resize::Size;
use crate::pixels::spacing::Spacing;

use super::params::{
    ANNOTATOR, CONNECTIVITY, COUNT_THE_DIAGONAL, FILL_HOLES, FIT, HAUSDORFF, IMAGES_IN, KEEP, LABELS, LEAVE_OUT,
    LESION, LESION_VALUE, MASKS_IN, PATCH_SCALE, SPACING, THRESHOLD, net_spec,
};
use super::pipeline::{Pipeline, Score};
use super::source::prepare;
use inputs::Item;

/// The lab's functions for the command line.
pub static PREDICT: PredictSpec = PredictSpec { settings, predict: job::predict, tensors };

/// Names and shapes of the tensors of the network that these parameters ask for; see [`PredictSpec::tensors`].
fn tensors(params: &Params) -> Result<Vec<TensorName>, PredictError> {
    let spec = net_spec(params);
    spec.check().map_err(PredictError::input)?;
    let row = |named: Named| TensorName {
        name: named.name,
        also: named.alias.unwrap_or_default(),
        shape: named.shape,
        spare: named.spare,
    };
    Ok(names(&spec).into_iter().map(row).collect())
}

/// The lab's parameters that tell how a prediction is made.
pub fn settings() -> Vec<ParamSpec> {
    let rows = [
        FIT.row(),
        PATCH_SCALE.row(),
        THRESHOLD.row(),
        KEEP.row(),
        CONNECTIVITY.row(),
        FILL_HOLES.row(),
        HAUSDORFF.row(),
        COUNT_THE_DIAGONAL.row(),
        LESION.row(),
        LESION_VALUE.row(),
        ANNOTATOR.row(),
        LEAVE_OUT.row(),
        LABELS.row(),
        IMAGES_IN.row(),
        MASKS_IN.row(),
        maps::MAPS.row(),
        weights_source::STRUCTURE.row(),
        SPACING.row(),
        weights_source::SIDE.row(),
        weights_source::OF_NETWORK.row(),
        weights_source::PART.row(),
    ];
    // What a parameter depends on in a run need not be there.
    let is_here = |key: &str| rows.iter().any(|row| row.key == key);
    let alone = |row: &ParamSpec| ParamSpec { only_if: row.only_if.filter(|(parent, _)| is_here(parent)), ..*row };
    rows.iter().map(alone).collect()
}

/// Patches of a picture in one pass.
const AT_A_TIME: usize = 8;

/// A trained network and how pictures are shown to it. Holds tensors: it stays on the thread that made it.
#[derive(Debug)]
pub struct Predictor {
    net: SegmentationNet,
    spec: NetSpec,
    size: usize,
    /// Which of the structures is asked for.
    output: usize,
    device: Device,
}

/// Pixels of the largest plane that is predicted: 0.8 GiB in colour.
const MOST_PLANE: usize = 1 << 26;

/// Why a picture is too large to be seen in patches, if it is.
pub fn too_large(picture: &Picture, fit: Fit, size: usize) -> Option<String> {
    let side = fit.plane(Size { height: picture.height, width: picture.width }, size);
    (side * side > MOST_PLANE).then(|| {
        format!(
            "is {}×{} pixels: in patches it lies on a square of {side} pixels a side, and at most {} are taken; choose a smaller \
             `patch_scale`",
            picture.width,
            picture.height,
            MOST_PLANE.isqrt()
        )
    })
}

impl Predictor {
    /// Side in pixels at which the network sees a picture at a time.
    pub fn size(&self) -> usize {
        self.size
    }

    /// `size`: the side S in pixels at which the network sees a picture. Of several structures the first is asked for.
    pub fn new(net: SegmentationNet, spec: NetSpec, size: usize, device: Device) -> Result<Self, SpecError> {
        spec.check_size(size, size)?;
        Ok(Self { net, spec, size, output: 0, device })
    }

    /// Asks for the structure of this number, below [`NetSpec::outputs`].
    #[must_use]
    pub fn of_output(self, output: usize) -> Self {
        Self { output, ..self }
    }

    /// The probability of lesion for every pixel of the picture's plane, `[P, P]`, in [0, 1]; P is S but where it is seen in
    /// patches.
    pub fn probabilities(&self, picture: &Picture, fit: Fit) -> Result<Vec<f32>, ReadError> {
        let (channels, size) = (self.spec.channels, self.size);
        let plane = prepare(picture, channels, size, fit);
        let frame = fit.on_plane(Size { height: picture.height, width: picture.width }, size);
        let pieces = Pieces::over(frame, size);
        let mut maps = Vec::with_capacity(pieces.corners.len());
        for corners in pieces.corners.chunks(AT_A_TIME) {
            let mut squares = Vec::with_capacity(corners.len() * channels * size * size);
            corners
                .iter()
                .for_each(|&corner| squares.extend_from_slice(&cut_channels(&plane, frame.side, size, corner)));
            let shape = [corners.len(), channels, size, size];
            let input = Tensor::<4>::from_data(TensorData::new(squares, shape), &self.device);
            let mut reader = Reader::default();
            reader.add(sigmoid(self.net.infer(input).slice_dim(1, self.output..self.output + 1)));
            maps.extend(reader.read()?.concat().chunks_exact(size * size).map(<[f32]>::to_vec));
        }
        Ok(pieces.merge(&maps.iter().map(|map| &map[..]).collect::<Vec<_>>()))
    }
}

/// What was predicted for one picture. Plain data.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// At the picture's own size; of a huge picture, at the size that was read.
    pub mask: Mask,
    /// The true mask at the same size, where one is known.
    pub truth: Option<Mask>,
    /// The probability of lesion as the network gave it, `[P, P]`.
    pub probabilities: Vec<f32>,
    /// Where the picture lies in them.
    pub frame: Frame,
    pub measures: Measures,
}

/// The numbers of one prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Measures {
    /// Pixels of the file.
    pub width: usize,
    pub height: usize,
    /// Pixels of lesion, counted at the picture's own size.
    pub area: usize,
    /// Share of the picture that is lesion, 0 to 1.
    pub share: f64,
    /// Separate parts, 8-connected.
    pub parts: usize,
    /// Mean probability over the pixels of lesion; `None` where there are none.
    pub confidence: Option<f64>,
    /// Against the true mask, where one is known. Distances are by pixels of the file.
    pub score: Option<Score>,
    /// The size of a pixel of the file, where distances are in millimetres.
    pub spacing: Option<Spacing>,
}

impl Measures {
    /// Square millimetres of lesion, where the size of a pixel is known.
    pub fn square_millimetres(&self) -> Option<f64> {
        Some(self.spacing?.area() * self.area as f64)
    }
}

/// Reads a picture and the true mask that belongs to it, with what the data doctor has to say of it.
pub fn read(item: &Item, files: &Files) -> Result<(Picture, Option<Mask>, Vec<Finding>), Problem> {
    match &item.pair {
        None => Ok((files.picture(&item.path)?, None, Vec::new())),
        Some(pair) => {
            let sample = files.pair(pair)?;
            // Measuring marks matter in training.
            let serious = |finding: &Finding| finding.severity != Severity::Note && finding.check != Check::Calipers;
            let findings = of_one(pair, &examine(&sample)).into_iter().filter(serious).collect();
            Ok((sample.picture, Some(sample.mask), findings))
        }
    }
}

/// Turns a map of probabilities into a mask at the picture's own size, and measures it. `spacing`: of a pixel of the file,
/// where distances are in millimetres.
pub fn measure(
    probabilities: &[f32],
    picture: &Picture,
    truth: Option<Mask>,
    spacing: Option<Spacing>,
    pipeline: &Pipeline,
) -> Prediction {
    let size = probabilities.len().isqrt();
    // The network saw a huge picture smaller, in a shape that is rounded to its pixels.
    let (width, height, _) = reduced(picture.original, ReadLimits::default().most_pixels);
    let frame = pipeline.fit.frame(Size { height, width }, size);
    let mask = pipeline.mask_in(frame, probabilities, picture.height, picture.width);
    let factor = picture.factor;
    let (width, height) = (picture.original.0 as usize, picture.original.1 as usize);
    // A pixel of a huge picture stands for a block of the file's; blocks at the right and lower edge may be cut.
    let block = |at: usize, whole: usize| (whole - at * factor).min(factor);
    let area = if factor == 1 {
        mask.area()
    } else {
        let rows = (0..mask.height()).map(|row| {
            let line = mask.row(row).iter().enumerate().filter(|(_, lesion)| **lesion);
            block(row, height) * line.map(|(column, _)| block(column, width)).sum::<usize>()
        });
        rows.sum()
    };
    let score = truth.as_ref().map(|truth| pipeline.score(&mask, truth, spacing).scaled(factor));
    let measures = Measures {
        width,
        height,
        area,
        share: area as f64 / (width * height).max(1) as f64,
        parts: components(&mask, Connectivity::Eight).len(),
        confidence: mean_inside(probabilities, frame, &mask),
        score,
        spacing,
    };
    Prediction { mask, truth, probabilities: probabilities.to_vec(), frame, measures }
}

/// The mean of the bilinearly resized probabilities over the lesion.
fn mean_inside(probabilities: &[f32], frame: Frame, mask: &Mask) -> Option<f64> {
    let (inside, own) = (frame.cut(probabilities), frame.size);
    let taps = |count: usize, size: usize| -> Vec<(usize, usize, f64)> {
        let last = size.saturating_sub(1) as f64;
        let tap = |i: usize| {
            let place = ((i as f64 + 0.5) * size as f64 / count as f64 - 0.5).clamp(0.0, last);
            (place as usize, (place as usize + 1).min(last as usize), place.fract())
        };
        (0..count).map(tap).collect()
    };
    let (rows, columns) = (taps(mask.height(), own.height), taps(mask.width(), own.width));
    let at = |row: usize, column: usize| f64::from(inside[row * own.width + column]);
    let (mut sum, mut count) = (0.0, 0_usize);
    for (row, (low, high, t)) in rows.iter().enumerate() {
        for ((left, right, u), _) in columns.iter().zip(mask.row(row)).filter(|(_, lesion)| **lesion) {
            let along = |row: usize| at(row, *left) + u * (at(row, *right) - at(row, *left));
            sum += along(*low) + t * (along(*high) - along(*low));
            count += 1;
        }
    }
    (count > 0).then(|| sum / count as f64)
}
