//! What of a recorded run can be saved: the weights of its networks, and the features of its pictures.

use std::path::Path;

use super::experiment::MOMENTS_OF_DATA;
use super::judge::encode;
use super::network::{Branch, Online, Shape, build};
use super::params::{FOLDER, NormalisedBy, PARAMS, SOURCE, Source, normalised_by};
use super::weights::packed;
use super::{SPEC, source};
use crate::compute::device;
use crate::data::augment::recipes::Recipe;
use crate::data::images::Moments;
use crate::engine::experiment::Checkpoint;
use crate::engine::params::{Params, Value};
use crate::kit::export::{Features, FeaturesRequest, PackedWeights, Part};
use crate::kit::predict::{PredictError, RunWeights, module_of, run_weights};
use crate::nn::parameters::slots;
use crate::plot::number::grouped;
use crate::watch::Watch;

/// Channels of a run's pictures.
fn channels(params: &Params) -> usize {
    if SOURCE.of(params) == Source::Shapes { 1 } else { 3 }
}

/// A recorded run, or one of its checkpoints.
fn opened(path: &Path) -> Result<RunWeights, PredictError> {
    run_weights(path, SPEC.id, PARAMS)?.ok_or_else(|| {
        PredictError::Input(format!("`{}` is a file of weights; expected the folder of a recorded run", path.display()))
    })
}

/// Both networks as the checkpoint has them.
fn networks(
    from: &Path,
    checkpoint: &Checkpoint,
    params: &Params,
    device: &burn::tensor::Device,
) -> Result<(Online, Branch), PredictError> {
    let (online, target) = build(&Shape::of(params, channels(params)), 0, device).map_err(PredictError::input)?;
    let online = module_of(from, checkpoint, "online", &online, device)?;
    let target = module_of(from, checkpoint, "target", &target, device)?;
    Ok((online, target))
}

/// How the run makes its views and normalises its pictures. The training pictures' moments are the checkpoint's: the pictures may be
/// gone, or others be asked for.
fn recipe(checkpoint: &Checkpoint, params: &Params) -> Result<Recipe, PredictError> {
    let of_data = match normalised_by(params) {
        NormalisedBy::Data => checkpoint.get_f64(MOMENTS_OF_DATA, 6).map_err(PredictError::input)?,
        NormalisedBy::Recipe | NormalisedBy::ImageNet => &[],
    };
    Ok(source::normalised(params, || Moments::from_numbers(of_data)))
}

/// See [`WeightsSpec::packed`](crate::kit::export::WeightsSpec::packed).
pub fn packed_weights(run: &Path) -> Result<PackedWeights, PredictError> {
    pack(run, false)
}

/// See [`WeightsSpec::with_target`](crate::kit::export::WeightsSpec::with_target).
pub fn packed_with_target(run: &Path) -> Result<PackedWeights, PredictError> {
    pack(run, true)
}

fn pack(run: &Path, with_target: bool) -> Result<PackedWeights, PredictError> {
    let RunWeights { folder, name, checkpoint, params, warnings } = opened(run)?;
    let (online, target) = networks(&folder, &checkpoint, &params, &device::cpu())?;
    let target = with_target.then_some(&target);
    let recipe = recipe(&checkpoint, &params)?;
    let file = packed(&online, target, &params, &recipe, checkpoint.step, channels(&params));
    let file = file.map_err(PredictError::work)?;
    let numbers = slots(&online).iter().map(|slot| slot.shape.iter().product::<usize>() as u64).sum();
    let mut lines = vec![
        format!("weights: run {name}, checkpoint of step {}", checkpoint.step),
        format!("online encoder, projector and predictor, {} numbers, with the names of PyTorch", grouped(numbers)),
    ];
    lines.extend(target.map(|_| "the target network with `target.` before its names".to_owned()));
    lines.extend(warnings.iter().map(|warning| format!("warning: {warning}")));
    Ok(PackedWeights { file, lines, step: Some(checkpoint.step) })
}

/// See [`FeaturesFn`](crate::kit::export::FeaturesFn).
pub fn features(request: &FeaturesRequest, watch: Watch<'_>) -> Result<Option<Features>, PredictError> {
    let RunWeights { folder, name, checkpoint, mut params, warnings } = opened(&request.run)?;
    if let Some(data) = &request.data {
        if SOURCE.of(&params) == Source::Shapes {
            return Err(PredictError::input(
                "the run's pictures are generated; only a run on a folder of pictures can be shown those of another one",
            ));
        }
        let path = Value::Text(data.display().to_string());
        params.set(PARAMS, FOLDER.key(), path).map_err(PredictError::input)?;
    }
    let data = match source::images(&params, watch.quiet()) {
        Ok(data) => data,
        Err(_) if watch.cancelled() => return Ok(None),
        Err(error) => return Err(PredictError::input(error)),
    };
    let set = match request.part {
        Part::Train => &data.train,
        Part::Test => &data.test,
    };
    let opened = device::open(&request.device).map_err(PredictError::input)?;
    let device = opened.device.clone().without_autodiff();
    let (online, _) = networks(&folder, &checkpoint, &params, &device)?;
    let all: Vec<usize> = (0..set.len()).collect();
    let told = |done| {
        (watch.progress)(done, all.len());
        !watch.cancelled()
    };
    let recipe = recipe(&checkpoint, &params)?;
    let encoded = encode(set, &all, recipe, &online.branch, request.embeddings, &device, told);
    let Some(values) = encoded.map_err(PredictError::work)? else { return Ok(None) };
    let what = if request.embeddings { "embeddings z of the projector" } else { "features h of the encoder" };
    let (part, count) = (request.part.name(), grouped(set.len() as u64));
    let mut lines = vec![
        format!("weights: run {name}, checkpoint of step {}", checkpoint.step),
        format!("{what} in evaluation mode, of {count} {part} pictures without augmentation, on {}", opened.name),
        format!("classes: {}", class_list(&set.class_names)),
    ];
    lines.extend(recipe.normalised_by.map(|moments| format!("normalised by {moments}")));
    if !data.description.is_empty() {
        lines.push(format!("data: {}", data.description));
    }
    lines.extend(data.warnings.iter().chain(&warnings).map(|warning| format!("warning: {warning}")));
    let (labels, class_names) = (set.classes.clone(), set.class_names.clone());
    Ok(Some(Features { values, labels, class_names, lines, step: checkpoint.step }))
}

/// `0 cat, 1 dog`.
fn class_list(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let first: Vec<String> = names.iter().take(SHOWN).enumerate().map(|(i, name)| format!("{i} {name}")).collect();
    let more = if names.len() > SHOWN { ", .." } else { "" };
    first.join(", ") + more
}
