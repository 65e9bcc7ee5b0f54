//! Weights of these networks in files: safetensors out; safetensors and PyTorch files in, by name.
//!
//! Names are those of a PyTorch state dict: `image.` before torchvision's names of a ResNet, `text.` before Hugging Face's of a BERT
//! without their `bert.`. Of a file from elsewhere each part is looked for by its names, whatever stands before them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use thiserror::Error;

use super::bert::state_dict_name;
use super::model::{BuildError, ImageText};
use super::resnet::{Depth, torch_layer};
use super::spec::{Backbone, Spec};
use crate::compute::readback::ReadError;
use crate::compute::streams::ALONE;
use crate::nn::parameters::slots;
pub use crate::nn::weights::fit::Fit;
use crate::nn::weights::fit::{Keys, Place, filled, prefix, taken, written};
use crate::nn::weights::{FileError, Mismatch, Opened, Stored, first_names, packed as packed_file};

/// Weights that were not written or not loaded.
#[derive(Debug, Error)]
pub enum WeightsError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{} does not hold the network that it says it is of: {mismatch}", path.display())]
    Mismatch { path: PathBuf, mismatch: Mismatch },
    #[error(
        "{} holds nothing that fits the {part}: its first tensors are {first}, and the network's are {wanted}",
        path.display()
    )]
    Nothing { path: PathBuf, part: &'static str, first: String, wanted: String },
    #[error(
        "{} does not say which image-text network it is of; expected a file that this program has exported. Weights of \
         another program can be trained on from",
        .0.display()
    )]
    Foreign(PathBuf),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Which part of a network a file is looked through for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A file of this program's.
    Whole,
    /// Torchvision's `resnet18-*.pth`, `resnet50-*.pth`, or any file that holds such tensors.
    Image,
    /// A BERT of Hugging Face, with or without CXR-BERT's head.
    Text,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Part::Whole => "network",
            Part::Image => "image encoder",
            Part::Text => "text encoder",
        }
    }

    /// Groups of tensors, by the beginnings of their names, that stand in a file with one prefix each; the first is the beginning that
    /// only we write.
    fn groups(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Part::Whole => &[("", &[""])],
            Part::Image => &[("image.", &[""])],
            Part::Text => &[
                ("text.", &["embeddings.", "encoder.", "order.", "layers."]),
                ("text.", &["cls_projection_head."]),
                ("text.", &["global.", "words."]),
            ],
        }
    }
}

/// Every parameter in the order of [`slots`].
fn places(net: &ImageText, spec: &Spec) -> Vec<Place> {
    let place = |slot: crate::nn::parameters::Slot| {
        let turned = slot.shape.len() == 2 && !slot.path.contains("embeddings.");
        let name = torch_name(&slot.path, spec);
        Place::of(slot, name, turned)
    };
    slots(net).into_iter().map(place).collect()
}

/// Names and shapes of a network's tensors as a file has them, in the order of its parameters.
pub fn names(net: &ImageText, spec: &Spec) -> Vec<(String, Vec<usize>)> {
    places(net, spec).into_iter().map(|place| (place.name, place.shape)).collect()
}

/// The name in a state dict of the parameter at a path of [`ImageText`].
fn torch_name(path: &str, spec: &Spec) -> String {
    let depth = match spec.image.backbone {
        Backbone::ResNet50 => Depth::Fifty,
        _ => Depth::Eighteen,
    };
    let path = ["Small.", "ResNet.", "Bert."].iter().fold(path.to_owned(), |path, kind| path.replacen(kind, "", 1));
    if let Some(path) = path.strip_prefix("text.") {
        return format!("text.{}", state_dict_name(path));
    }
    let path = state_dict_name(&path);
    let of_maps = path.strip_prefix("image.maps.").and_then(|path| path.rsplit_once('.'));
    let layer = of_maps.and_then(|(layer, tensor)| Some(format!("image.{}.{tensor}", torch_layer(layer, depth)?)));
    layer.unwrap_or(path)
}

const LAB: (&str, &str) = ("learnscope.lab", "image-report");
const SPEC: &str = "learnscope.spec";

/// The bytes of a safetensors file, the same ones for the same network. `texts` are written beside the weights: the vocabulary without
/// which the text encoder is of no use, how pictures were prepared.
pub fn packed(net: &ImageText, spec: &Spec, texts: &[(String, String)]) -> Result<Vec<u8>, WeightsError> {
    let tensors = written(places(net, spec))?;
    let mut all: HashMap<String, String> = texts.iter().cloned().collect();
    let (key, lab) = LAB;
    all.insert(key.to_owned(), lab.to_owned());
    all.insert(SPEC.to_owned(), serde_json::to_string(spec).map_err(|error| FileError::Pack(error.to_string()))?);
    Ok(packed_file(&tensors, all)?)
}

/// The network that a file says it is of; `None`: it says nothing, or no network that can be, or that its tensors are too few for.
pub fn spec_of(file: &Opened) -> Option<Spec> {
    let (key, lab) = LAB;
    let spec: Spec =
        serde_json::from_str(file.texts.get(SPEC).filter(|_| file.texts.get(key).is_some_and(|l| l == lab))?).ok()?;
    spec.check().ok()?;
    let numbers = |tensor: &Stored| tensor.shape.iter().try_fold(1_u64, |all, side| all.checked_mul(*side as u64));
    let held = file.tensors.values().try_fold(0_u64, |sum, tensor| sum.checked_add(numbers(tensor)?))?;
    let needed: u64 = spec.parts().iter().map(|part| part.parameters).sum();
    (needed <= held).then_some(spec)
}

/// Builds the network that a file says it is of, with all of its weights.
pub fn load(file: &Opened, device: &Device) -> Result<(ImageText, Spec), WeightsError> {
    let spec = spec_of(file).ok_or_else(|| WeightsError::Foreign(file.path.clone()))?;
    let net = ImageText::new(&spec, ALONE.open(0, 0), device)?;
    let (net, fit) = start_from(file, net, &spec, Part::Whole, device)?;
    if fit.mismatch.is_empty() {
        return Ok((net, spec));
    }
    Err(WeightsError::Mismatch { path: file.path.clone(), mismatch: fit.mismatch })
}

/// Puts into a part of a network whatever of a file fits it by name and shape; the rest stays as it is. `missing` of the [`Fit`] are
/// tensors of that part without numbers in the file, `unexpected` tensors of the file without a place.
///
/// # Errors
/// Nothing fits, or a value of what does is not a finite number.
pub fn start_from(
    file: &Opened,
    net: ImageText,
    spec: &Spec,
    part: Part,
    device: &Device,
) -> Result<(ImageText, Fit), WeightsError> {
    let places = places(&net, spec);
    let keys = keys(file, &places, part);
    let (numbers, fit) = taken(file, &places, &keys)?;
    if fit.taken == 0 {
        let asked = places.iter().zip(&keys).filter(|(_, keys)| keys.is_some());
        let wanted = first_names(&asked.map(|(place, _)| place.name.clone()).collect::<Vec<_>>());
        return Err(WeightsError::Nothing { path: file.path.clone(), part: part.name(), first: file.first(), wanted });
    }
    Ok((filled(net, &mut numbers.into_iter(), device), fit))
}

/// Of every parameter what it may be called in the file; `None`: it is of another part.
fn keys(file: &Opened, places: &[Place], part: Part) -> Keys {
    let mut keys = vec![None; places.len()];
    for (start, beginnings) in part.groups() {
        let of = |place: &Place| -> Option<String> {
            let name = place.name.strip_prefix(start)?;
            beginnings.iter().any(|beginning| name.starts_with(beginning)).then(|| name.to_owned())
        };
        let group: Vec<(usize, String, &[usize])> =
            places.iter().enumerate().filter_map(|(i, place)| Some((i, of(place)?, &place.shape[..]))).collect();
        let (prefix, _) = prefix(file, group.iter().map(|(_, name, shape)| (&**name, *shape)));
        for (i, name, _) in group {
            let key = format!("{prefix}{name}");
            // Files of TensorFlow's time call scale and shift by their letters.
            let old = key.strip_suffix("LayerNorm.weight").map(|start| format!("{start}LayerNorm.gamma"));
            let old = old.or_else(|| key.strip_suffix("LayerNorm.bias").map(|start| format!("{start}LayerNorm.beta")));
            let candidates = std::iter::once(key).chain(old).collect();
            keys.iter_mut().skip(i).take(1).for_each(|slot| *slot = Some(Vec::clone(&candidates)));
        }
    }
    keys
}

/// Opens a file of weights.
pub fn open(path: &Path) -> Result<Opened, WeightsError> {
    Ok(Opened::open(path)?)
}
