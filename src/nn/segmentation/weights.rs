//! Weights of segmentation networks in files: safetensors out; safetensors and PyTorch files in, by name.
//!
//! The names are those of PyTorch state dicts (see [`plan`](super::plan)), so that a file written here loads in PyTorch
//! and one of the same network saved there loads here. Accepted are the names of the article's sketch and of the
//! networks' public code, with or without one prefix before all of them (`module.`, `state_dict.`); batch
//! normalisation's `num_batches_tracked` is not needed. A file may lack the biases of all convolutions before batch
//! normalisations, and may be of two classes. What was made of it is said by [`WeightsFile::notes`].

mod file;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::plan::{Layer, LayerKind, layers};
use super::spec::NetSpec;
use super::{BuildError, SegmentationNet};
use crate::compute::readback::{ReadError, Reader};
use crate::nn::parameters;
use crate::nn::weights::{FileError, Written};
pub use crate::nn::weights::{Mismatch, checksum, unusable};
pub use file::WeightsFile;

/// Weights that were not written or not loaded.
#[derive(Debug, Error)]
pub enum WeightsError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{} does not hold the weights of {network}: {mismatch}", path.display())]
    Mismatch { path: PathBuf, network: String, mismatch: Mismatch },
    #[error(
        "{} holds the weights of no network that is known here; its first tensors are {first}. Choose the network, or \
         rename the tensors as the guide says",
        path.display()
    )]
    Unknown { path: PathBuf, first: String },
    #[error(
        "{} holds the weights of {network} and {extra}: if the network does without them, choose it \
         (`--architecture {key}`)",
        path.display()
    )]
    Extra { path: PathBuf, network: String, key: String, extra: String },
    #[error("{} holds no part `{part}`; its parts are {parts}", path.display())]
    Part { path: PathBuf, part: String, parts: String },
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// A tensor that a network needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// `e0.0.weight`
    pub name: String,
    /// Another name that is accepted.
    pub alias: Option<String>,
    pub shape: Vec<usize>,
    /// The bias of a convolution right before a batch normalisation: 0 where a file has none of them.
    pub spare: bool,
    /// Of the last layer, which may have two classes in a file.
    pub head: bool,
}

/// The tensors of a network in the order of its parameters.
pub fn names(spec: &NetSpec) -> Vec<Named> {
    let layers = layers(spec, 64, 64);
    let is_norm = |at: usize| layers.get(at).is_some_and(|layer| matches!(layer.kind, LayerKind::Norm { .. }));
    // Behind a transposed convolution a ReLU comes before the normalisation.
    let is_plain = |kind: LayerKind| matches!(kind, LayerKind::Conv { transposed: false, .. });
    let named = |(at, layer): (usize, &Layer)| {
        let (normalised, head) = (is_plain(layer.kind) && is_norm(at + 1), at + 1 == layers.len());
        let tensors = layer.tensors().into_iter().map(move |(suffix, shape)| (suffix, shape, normalised, head));
        let one = |(suffix, shape, normalised, head): (&str, Vec<usize>, bool, bool)| Named {
            name: format!("{}.{suffix}", layer.name),
            alias: (!layer.alias.is_empty()).then(|| format!("{}.{suffix}", layer.alias)),
            shape,
            spare: normalised && suffix == "bias",
            head,
        };
        tensors.map(one).collect::<Vec<Named>>()
    };
    layers.iter().enumerate().flat_map(named).collect()
}

/// Writes a network as safetensors, with its spec in the metadata. The file is there completely or not at all.
pub fn save(net: &SegmentationNet, spec: &NetSpec, path: &Path) -> Result<(), WeightsError> {
    save_trained_at(net, spec, None, path)
}

/// The same; `image_size`: the side S in pixels of the S×S pictures that the network was trained on.
pub fn save_trained_at(
    net: &SegmentationNet,
    spec: &NetSpec,
    image_size: Option<usize>,
    path: &Path,
) -> Result<(), WeightsError> {
    let file = packed(net, spec, image_size, None, &[])?;
    let io = |source| FileError::Io { action: "write", path: path.to_owned(), source };
    Ok(crate::disk::write_synced(path, &file).map_err(io)?)
}

/// The bytes of that file: the same ones for the same network. `white`: what was white in the pictures of more than 8 bits
/// that it was trained on, as text that is handed back as it is. `structures`: the names of its outputs, where they have names.
pub fn packed(
    net: &SegmentationNet,
    spec: &NetSpec,
    image_size: Option<usize>,
    white: Option<String>,
    structures: &[String],
) -> Result<Vec<u8>, WeightsError> {
    let mut reader = Reader::default();
    for slot in parameters::slots(net) {
        reader.add(slot.value);
    }
    let values = reader.read()?;
    let names = names(spec);
    if names.len() != values.len() {
        return Err(FileError::Pack(format!("the network is not a {}", spec.architecture.name())).into());
    }
    let written = |(named, numbers): (Named, Vec<f32>)| Written { name: named.name, shape: named.shape, numbers };
    let tensors: Vec<Written> = names.into_iter().zip(values).map(written).collect();
    let mut texts = HashMap::from([
        (ARCHITECTURE.to_owned(), spec.architecture.key()),
        (CHANNELS.to_owned(), spec.channels.to_string()),
        (BASE.to_owned(), spec.base.to_string()),
    ]);
    // Of one structure without a name as ever.
    texts.extend((!structures.is_empty()).then(|| (STRUCTURES.to_owned(), structures.join("\n"))));
    texts.extend((spec.outputs > 1).then(|| (OUTPUTS.to_owned(), spec.outputs.to_string())));
    texts.extend(image_size.map(|size| (IMAGE_SIZE.to_owned(), size.to_string())));
    texts.extend(white.map(|white| (WHITE.to_owned(), white)));
    Ok(crate::nn::weights::packed(&tensors, texts)?)
}

const ARCHITECTURE: &str = "learnscope.architecture";
const CHANNELS: &str = "learnscope.channels";
const BASE: &str = "learnscope.base";
const OUTPUTS: &str = "learnscope.outputs";
const STRUCTURES: &str = "learnscope.structures";
const IMAGE_SIZE: &str = "learnscope.image_size";
const WHITE: &str = "learnscope.white";

#[cfg(test)]
mod tests;
