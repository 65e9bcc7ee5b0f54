//! A trained network on one's own fundus photographs: the probability of retinopathy, what the decoder rebuilds, what is lost, and
//! which places matter.
//!
//! The network is made, used and dropped on one thread, here called with plain data and giving plain data back.

pub mod background;
pub mod inputs;
pub mod job;
pub mod report;
pub mod weights_source;

use burn::tensor::{Device, Tensor, TensorData, activation};

use crate::compute::device;
use crate::compute::readback::Reader;
use crate::data::fundus::read::{Fit, prepare};
use crate::data::segmentation::read::Reader as Files;
use crate::engine::experiment::RunError;
use crate::engine::params::{ParamSpec, Params};
use crate::engine::table::{Float, Switch, live};
use crate::kit::predict::{PredictError, PredictSpec, TensorName, guarded};
use crate::nn::layers::conv::Pass;
use crate::nn::reconstruction::Autoencoder;
use crate::nn::reconstruction::spec::NetSpec;
use crate::nn::reconstruction::weights::{self, Trained};

use super::explain::occlusion;
use super::judge::{DARK, field_of_view, most_probable, quality};
use super::params::net_spec;
use super::parts::{Parts, Role};
use inputs::Item;
use report::{Measures, Row};

/// What stands wherever the network says something of a photograph.
pub const NOTE: &str =
    "Learnscope is no medical device: this is for learning about networks and says nothing about anybody's health";

const GROUP: &str = "Prediction";
/// From this probability on the answer is retinopathy.
pub static THRESHOLD: Float = live(GROUP, "threshold", "threshold")
    .help("From this probability of retinopathy on the answer is retinopathy; accuracies of the lab are at 0.5.")
    .float(0.5, [0.01, 0.99]);
static RECONSTRUCTIONS: Switch = live(GROUP, "reconstructions", "reconstructions")
    .help("Writes NAME-reconstruction.png: what the decoder makes of the code.")
    .switch(true);
static ERRORS: Switch = live(GROUP, "errors", "error maps")
    .help(
        "Writes NAME-error.png: the mean over red, green and blue of |original − reconstruction|, 0 to 0.3 in viridis.",
    )
    .switch(true);
static OCCLUSIONS: Switch = live(GROUP, "occlusions", "occlusion maps")
    .help(
        "Writes NAME-occlusion.png: how much the logit falls where a grey patch covers a place; orange speaks for retinopathy, blue \
         against it. 256 passes of the network for each picture.",
    )
    .switch(true);

/// The lab's functions for the command line.
pub static PREDICT: PredictSpec = PredictSpec { settings, predict: job::predict, tensors };

/// See [`PredictSpec::tensors`].
fn tensors(params: &Params) -> Result<Vec<TensorName>, PredictError> {
    let net = Autoencoder::new(&net_spec(params), 0, &device::cpu()).map_err(PredictError::input)?;
    let row = |(name, shape)| TensorName { name, also: String::new(), shape, spare: false };
    Ok(weights::names(&net).into_iter().map(row).collect())
}

/// What can be set of a prediction.
pub fn settings() -> Vec<ParamSpec> {
    vec![THRESHOLD.row(), RECONSTRUCTIONS.row(), ERRORS.row(), OCCLUSIONS.row()]
}

/// A trained network. Holds tensors: it stays on the thread that made it.
#[derive(Debug)]
pub struct Predictor {
    net: Autoencoder,
    spec: NetSpec,
    trained: Trained,
    /// What the network was trained on, where that is known.
    parts: Option<Parts>,
    device: Device,
}

/// What was found of one picture. Plain data.
#[derive(Debug, Clone)]
pub struct Found {
    pub row: Row,
    /// `None` where it could not be used.
    pub maps: Option<Maps>,
}

/// The pictures of one prediction.
#[derive(Debug, Clone)]
pub struct Maps {
    /// S.
    pub size: usize,
    /// What the network sees, `[S, S, 3]`.
    pub original: Vec<u8>,
    /// `[S, S, 3]`; `None` where nothing is rebuilt.
    pub rebuilt: Option<Vec<u8>>,
    /// Mean over red, green and blue of |original − reconstruction|, `[S, S]` in 0 to 1.
    pub error: Option<Vec<f32>>,
    /// See [`occlusion`]; `None` where it was not asked for.
    pub occlusion: Option<Vec<f32>>,
}

impl Maps {
    /// The largest |drop| of the occlusion map, which is its darkest colour; in logits.
    pub fn most_occlusion(&self) -> Option<f32> {
        Some(self.occlusion.as_ref()?.iter().fold(0.0, |most: f32, drop| most.max(drop.abs())))
    }
}

impl Predictor {
    /// What a decoder that has learned nothing gives is not shown.
    pub fn new(net: Autoencoder, spec: NetSpec, trained: Trained, parts: Option<Parts>, device: Device) -> Self {
        Self { net, spec, trained, parts, device }
    }

    /// One picture: a row with the reason where it cannot be used; `None`: it is of a part that is not wanted. `occluded`: with an
    /// occlusion map. `wanted`: of which parts of the run's data (`None`: of none); empty: all.
    ///
    /// # Errors
    /// The device failed.
    pub fn predict(
        &self,
        item: &Item,
        files: &Files,
        occluded: bool,
        wanted: &[Option<Role>],
    ) -> Result<Option<Found>, String> {
        let mut row = Row::new(&item.name, &item.path.display().to_string());
        let picture = match files.picture(&item.path) {
            Ok(picture) => picture,
            Err(problem) => {
                row.problem = problem.problem;
                return Ok(Some(Found { row, maps: None }));
            }
        };
        if picture.factor > 1 {
            row.problem = format!("is huge and was read at 1/{} of its size", picture.factor);
        }
        let fit = if self.trained.cut { Fit::FieldOfView } else { Fit::Stretch };
        let (planes, _) = prepare(&picture, self.spec.size, fit);
        row.part = self.parts.as_ref().and_then(|parts| parts.find(&planes));
        if !wanted.is_empty() && !wanted.contains(&row.part) {
            return Ok(None);
        }
        if planes.iter().all(|level| *level <= DARK) {
            row.problem = "is black: there is no field of view to look at".to_owned();
            return Ok(Some(Found { row, maps: None }));
        }
        let Some((measures, maps)) = guarded(|| self.look(&planes, occluded))? else {
            row.problem = "the network's answer is no number".to_owned();
            return Ok(Some(Found { row, maps: None }));
        };
        row.measures = Some(measures);
        Ok(Some(Found { row, maps: Some(maps) }))
    }

    /// `planes`: `[3, S, S]`. `None`: the answer is no number.
    fn look(&self, planes: &[u8], occluded: bool) -> Result<Option<(Measures, Maps)>, RunError> {
        let size = self.spec.size;
        let values: Vec<f32> = planes.iter().map(|level| f32::from(*level) / 255.0).collect();
        // A copy of handles, not of numbers.
        let mut net = self.net.clone();
        let mut pass = Pass { train: false, dropout: None };
        let x = Tensor::<4>::from_data(TensorData::new(values.clone(), [1, 3, size, size]), &self.device);
        let code = net.encode(x, &pass);
        let answer = net.classify(code.clone(), &mut pass);
        let mut reader = Reader::default();
        let probability = reader.add(activation::sigmoid(answer.logit));
        let grades = answer.grades.map(|grades| reader.add(grades));
        let rebuilt = self.trained.rebuilds.then(|| net.decode(code, &pass)).flatten();
        let rebuilt = rebuilt.map(|rebuilt| reader.add(rebuilt.clamp(0.0, 1.0)));
        let read = reader.read()?;
        let rebuilt = rebuilt.map(|at| &read[at]);
        let probability = f64::from(read[probability].first().copied().unwrap_or(f32::NAN));
        let bad = !probability.is_finite() || rebuilt.is_some_and(|values| values.iter().any(|v| !v.is_finite()));
        if bad {
            return Ok(None);
        }
        let field = field_of_view(planes, size);
        let found = rebuilt.map(|rebuilt| quality(planes, rebuilt, size, &field));
        let rgb = rebuilt
            .map(|rebuilt| interleaved(&rebuilt.iter().map(|value| (255.0 * value).round() as u8).collect::<Vec<_>>()));
        let original = interleaved(planes);
        let measures = Measures {
            probability,
            grade: grades.map(|at| most_probable(&read[at])),
            quality: found.map(|found| [found.mse_within, found.psnr_within, found.ssim_within]),
        };
        let maps = Maps {
            size,
            error: rgb.as_ref().map(|rebuilt| error(&original, rebuilt)),
            rebuilt: rgb,
            original,
            occlusion: if occluded { Some(occlusion(&self.net, &values, size, &self.device)?) } else { None },
        };
        Ok(Some((measures, maps)))
    }
}

/// `[3, S, S]` as `[S, S, 3]`.
fn interleaved(planes: &[u8]) -> Vec<u8> {
    let plane = planes.len() / 3;
    (0..plane).flat_map(|i| [planes[i], planes[plane + i], planes[2 * plane + i]]).collect()
}

/// Mean over red, green and blue of |a − b| in 0 to 1, of `[S, S, 3]`.
fn error(a: &[u8], b: &[u8]) -> Vec<f32> {
    let apart = |(a, b): (&[u8], &[u8])| (0..3).map(|c| f32::from(a[c].abs_diff(b[c]))).sum::<f32>() / (3.0 * 255.0);
    a.chunks_exact(3).zip(b.chunks_exact(3)).map(apart).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_become_pixels_and_errors_are_means_of_their_colours() {
        let pixels = interleaved(&[1, 2, 10, 20, 100, 200]);
        assert_eq!(pixels, [1, 10, 100, 2, 20, 200]);
        let lost = error(&pixels, &[1, 10, 100, 2, 20, 47]);
        assert_eq!(lost[0], 0.0);
        assert!((lost[1] - 0.2).abs() < 1e-6, "{lost:?}");
    }
}
