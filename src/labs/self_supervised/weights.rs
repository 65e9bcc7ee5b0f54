//! Weights of this lab in files: safetensors out; safetensors and PyTorch files in, by name.
//!
//! The encoder has the names of torchvision's ResNet-18 without `fc` (`layer1.0.conv1.weight`), whichever its stem is, or `conv1`,
//! `bn1`, .. `bn3` where it is the small one; `projector.` and `predictor.` stand before their layers as an `nn.Sequential` numbers
//! them; `target.` before all of the target's. In a file from elsewhere each part is looked for by its names, whatever stands before
//! them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use thiserror::Error;

use crate::compute::readback::ReadError;
use crate::data::augment::recipes::Recipe;
use crate::engine::params::{ParamError, Params};
use crate::nn::parameters::{Slot, slots};
pub use crate::nn::weights::fit::Fit;
use crate::nn::weights::fit::{Keys, Place, filled, prefix, taken, written};
use crate::nn::weights::{FileError, Opened, Written, first_names, packed as packed_file};

use super::network::{Branch, EncoderKind, Online};
use super::params::{ENCODER, PARAMS, WEIGHTS};

/// Weights that were not written or not loaded.
#[derive(Debug, Error)]
pub enum WeightsError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(
        "{} holds nothing that fits the encoder ({network}): its first tensors are {first}, and the network's are {wanted}{hint}",
        path.display()
    )]
    Nothing { path: PathBuf, network: String, first: String, wanted: String, hint: &'static str },
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// A part of a branch or of the predictor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Encoder,
    Projector,
    Predictor,
}

impl Part {
    /// Of a parameter of [`Online`].
    fn of(path: &str) -> Self {
        if path.starts_with("predictor.") {
            Part::Predictor
        } else if path.starts_with("branch.projector.") {
            Part::Projector
        } else {
            Part::Encoder
        }
    }

    /// What stands before the names of its tensors in a file: ours, then others'.
    fn leads(self) -> &'static [&'static str] {
        match self {
            Part::Encoder => &[""],
            Part::Projector => &["projector.", "projection_head.layers.", "projection."],
            Part::Predictor => &["predictor.", "prediction_head.layers.", "prediction."],
        }
    }
}

/// Every parameter in the order of [`slots`], with its part; names are without what stands before them.
fn places(net: &Online) -> Vec<(Part, Place)> {
    let slots = slots(net);
    let of = |part: Part| slots.iter().filter(move |slot| Part::of(&slot.path) == part).map(|slot| &*slot.path);
    let heads = [Part::Projector, Part::Predictor].map(|part| (part, Sequential::of(of(part))));
    slots
        .iter()
        .map(|slot| {
            let part = Part::of(&slot.path);
            let head = heads.iter().find(|(of, _)| *of == part);
            let name = head.map_or_else(|| encoder_name(&slot.path), |(_, layers)| layers.name(&slot.path));
            let turned = slot.shape.len() == 2;
            (part, Place::of(Slot::clone(slot), name, turned))
        })
        .collect()
}

/// What PyTorch calls a parameter of a layer.
fn tensor_name(name: &str) -> &str {
    match name {
        "gamma" => "weight",
        "beta" => "bias",
        other => other,
    }
}

/// `branch.encoder.ResNet18.blocks.2.first.norm.gamma` is `layer2.0.bn1.weight`; of the small encoder the second block's kernel is
/// `conv2.weight`.
fn encoder_name(path: &str) -> String {
    let path = path.strip_prefix("branch.encoder.").unwrap_or(path);
    let parts: Vec<&str> = path.split('.').skip(1).collect();
    let number = |text: &str| text.parse::<usize>().ok();
    let in_block = |block: &str, place: &str, norm: bool| {
        let block = number(block)?;
        let layer = match (place, norm) {
            ("first", false) => "conv1",
            ("first", true) => "bn1",
            ("second", false) => "conv2",
            ("second", true) => "bn2",
            (_, false) => "downsample.0",
            (_, true) => "downsample.1",
        };
        Some(format!("layer{}.{}.{layer}", 1 + block / 2, block % 2))
    };
    let layer = match parts[..] {
        ["stem", "weight"] => Some("conv1".to_owned()),
        ["stem", "norm", _] => Some("bn1".to_owned()),
        ["blocks", block, "weight"] => number(block).map(|block| format!("conv{}", block + 1)),
        ["blocks", block, "norm", _] => number(block).map(|block| format!("bn{}", block + 1)),
        ["blocks", block, place, "weight"] => in_block(block, place, false),
        ["blocks", block, place, "norm", _] => in_block(block, place, true),
        _ => None,
    };
    let tensor = parts.last().copied().map(tensor_name).unwrap_or_default();
    layer.map_or_else(|| path.to_owned(), |layer| format!("{layer}.{tensor}"))
}

/// The layers of a head as an `nn.Sequential` numbers them, with a ReLU before every linear layer but the first: linear 0,
/// normalisation 1, ReLU 2, linear 3. A single layer has no number.
struct Sequential {
    /// Path of a layer, its number.
    layers: Vec<(String, usize)>,
}

impl Sequential {
    /// From the paths of all parameters, in the order in which they are used.
    fn of<'a>(paths: impl Iterator<Item = &'a str>) -> Self {
        let mut layers: Vec<(String, usize)> = Vec::new();
        for path in paths {
            let (layer, tensor) = path.rsplit_once('.').unwrap_or(("", path));
            if layers.last().is_some_and(|(last, _)| last == layer) {
                continue;
            }
            let is_norm = ["gamma", "beta", "running_mean", "running_var"].contains(&tensor);
            let number = layers.last().map_or(0, |(_, last)| last + if is_norm { 1 } else { 2 });
            layers.push((layer.to_owned(), number));
        }
        Self { layers }
    }

    fn name(&self, path: &str) -> String {
        let (layer, tensor) = path.rsplit_once('.').unwrap_or(("", path));
        let tensor = tensor_name(tensor);
        match self.layers.iter().find(|(known, _)| known == layer) {
            Some((_, number)) if self.layers.len() > 1 => format!("{number}.{tensor}"),
            _ => tensor.to_owned(),
        }
    }
}

/// The tensors of the online network, and of the target where it is given.
fn tensors(online: &Online, target: Option<&Branch>) -> Result<Vec<Written>, ReadError> {
    let named = |(part, place): (Part, Place)| Place { name: format!("{}{}", part.leads()[0], place.name), ..place };
    let mut all: Vec<Place> = places(online).into_iter().map(named).collect();
    if let Some(target) = target {
        // A target is named as the online network's branch.
        let like = Online { branch: target.clone(), predictor: online.predictor.clone() };
        let branch = places(&like).into_iter().filter(|(part, _)| *part != Part::Predictor).map(named);
        all.extend(branch.map(|place| Place { name: format!("target.{}", place.name), ..place }));
    }
    written(all)
}

const LAB: (&str, &str) = ("learnscope.lab", "self-supervised");

/// The bytes of a safetensors file, the same ones for the same networks. `params`: those of the run after `step` steps, which stand
/// beside the weights with what pictures have to be like; `recipe`: by what its pictures are normalised.
pub fn packed(
    online: &Online,
    target: Option<&Branch>,
    params: &Params,
    recipe: &Recipe,
    step: u64,
    channels: usize,
) -> Result<Vec<u8>, WeightsError> {
    let kind = ENCODER.of(params);
    let moments = |of: fn((f32, f32)) -> f32| {
        let all: Vec<String> = (0..channels).map(|channel| of(recipe.moments(channel)).to_string()).collect();
        all.join(" ")
    };
    let build = match kind {
        EncoderKind::Small => {
            "three times Conv2d(3x3, padding 1, no bias; strides 2, 2, 1), BatchNorm2d, ReLU; then the mean over height and width".to_owned()
        }
        EncoderKind::ResNet18ImageNet => "torchvision.models.resnet18() with fc = Identity()".to_owned(),
        EncoderKind::ResNet18Quarter | EncoderKind::ResNet18 => {
            let width = kind.features() / 8;
            format!(
                "torchvision.models.resnet18() with stages of {width} to {} channels, conv1 = Conv2d({channels}, {width}, 3, 1, 1, bias=False), \
                 maxpool = Identity(), fc = Identity()",
                kind.features()
            )
        }
    };
    // Where files lie on this machine is nobody else's business.
    let is_path = |key: &str| PARAMS.iter().any(|spec| spec.key == key && spec.kind.is_path());
    let told = params.iter().filter(|(key, _)| !is_path(key));
    let values: serde_json::Map<String, serde_json::Value> =
        told.map(|(key, value)| (key.to_owned(), value.to_string().into())).collect();
    let text = |key: &str, value: String| (format!("learnscope.{key}"), value);
    let mut texts = HashMap::from([
        text("network", ENCODER.item(params).map_or("", |item| item.id).to_owned()),
        text("build", build),
        text("heads", "nn.Sequential of linear layers, BatchNorm1d and ReLU".to_owned()),
        text("step", step.to_string()),
        text("channels", channels.to_string()),
        text("mean", moments(|(mean, _)| mean)),
        text("std", moments(|(_, std)| std)),
        text("parameters", serde_json::Value::Object(values).to_string()),
    ]);
    texts.insert(LAB.0.to_owned(), LAB.1.to_owned());
    Ok(packed_file(&tensors(online, target)?, texts)?)
}

/// Puts into a network whatever of a file fits it by name and shape; the rest stays as it is. `network`: what it is called.
///
/// # Errors
/// Nothing fits the encoder, or a value of what does is not a finite number.
pub fn start_from(file: &Opened, net: Online, network: &str, device: &Device) -> Result<(Online, Fit), WeightsError> {
    let all = places(&net);
    let keys = keys(file, &all);
    let parts: Vec<Part> = all.iter().map(|(part, _)| *part).collect();
    let named = |(part, place): (Part, Place)| Place { name: format!("{}{}", part.leads()[0], place.name), ..place };
    let places: Vec<Place> = all.into_iter().map(named).collect();
    let (numbers, fit) = taken(file, &places, &keys)?;
    if !parts.iter().zip(&numbers).any(|(part, numbers)| *part == Part::Encoder && numbers.is_some()) {
        let wanted = places.iter().zip(&parts).filter(|(_, part)| **part == Part::Encoder);
        let of_a_run = file.tensors.keys().any(|name| name.starts_with("online/"));
        return Err(WeightsError::Nothing {
            path: file.path.clone(),
            network: network.to_owned(),
            first: file.first(),
            wanted: first_names(&wanted.map(|(place, _)| place.name.clone()).collect::<Vec<_>>()),
            hint: if of_a_run {
                ". It is a checkpoint: export the weights of its run first (`learnscope export RUN --weights --to FILE`)"
            } else {
                ""
            },
        });
    }
    Ok((filled(net, &mut numbers.into_iter(), device), fit))
}

/// Of every parameter what it is called in the file.
fn keys(file: &Opened, places: &[(Part, Place)]) -> Keys {
    let mut keys: Keys = vec![Some(Vec::new()); places.len()];
    for part in [Part::Encoder, Part::Projector, Part::Predictor] {
        let of_part = || places.iter().enumerate().filter(move |(_, (of, _))| *of == part);
        // Of several ways to call them the one by which most fit; of as many the first.
        let mut best: (usize, Vec<String>) = (0, Vec::new());
        for (lead, naming) in part.leads().iter().flat_map(|lead| NAMINGS.map(|naming| (lead, naming))) {
            let names: Vec<String> =
                of_part().map(|(_, (_, place))| format!("{lead}{}", naming(&place.name))).collect();
            let shapes = of_part().map(|(_, (_, place))| &*place.shape);
            let (before, fits) = prefix(file, names.iter().map(String::as_str).zip(shapes));
            if fits > best.0 {
                best = (fits, names.iter().map(|name| format!("{before}{name}")).collect());
            }
        }
        for ((i, _), name) in of_part().zip(best.1) {
            keys[i] = Some(vec![name]);
        }
    }
    keys
}

/// How an encoder's tensors may be called: as torchvision does; with `shortcut` for `downsample`; and both within an
/// `nn.Sequential` of the layers of torchvision's ResNet, or of one without max-pooling.
const NAMINGS: [fn(&str) -> String; 5] = [
    |name| name.to_owned(),
    |name| name.replace("downsample.", "shortcut."),
    |name| numbered(name, 3),
    |name| numbered(name, 1),
    |name| numbered(name, 1).replace("downsample.", "shortcut."),
];

/// `layer1.0.conv1.weight` as `4.0.conv1.weight`, where the first stage comes `before` places behind the first normalisation.
fn numbered(name: &str, before: usize) -> String {
    let Some((layer, rest)) = name.split_once('.') else { return name.to_owned() };
    match layer {
        "conv1" => format!("0.{rest}"),
        "bn1" => format!("1.{rest}"),
        _ => match layer.strip_prefix("layer").and_then(|stage| stage.parse::<usize>().ok()) {
            Some(stage) => format!("{}.{rest}", stage + before),
            None => name.to_owned(),
        },
    }
}

/// Checks the file of weights that a run starts from.
pub fn check(path: &Path) -> Result<(), ParamError> {
    let invalid = |problem: String| ParamError::invalid(WEIGHTS.key(), problem);
    if path.is_dir() {
        return Err(invalid(format!(
            "`{0}` is a folder; of a recorded run export them first: learnscope export {0} --weights --to net.safetensors",
            path.display()
        )));
    }
    Opened::open(path).map(|_| ()).map_err(|error| invalid(error.to_string()))
}

/// A module's parameters for a test or a comparison: their paths and bits.
#[cfg(test)]
pub fn bits(module: &impl burn::module::Module) -> Vec<(String, Vec<u32>)> {
    let slots = slots(module);
    let mut reader = crate::compute::readback::Reader::default();
    slots.iter().for_each(|slot| {
        reader.add(slot.value.clone());
    });
    let read = reader.read().unwrap();
    slots.iter().zip(read).map(|(slot, v)| (slot.path.clone(), v.iter().map(|v| v.to_bits()).collect())).collect()
}

#[cfg(test)]
mod tests;
