//! Weights of segmentation networks in files: safetensors out; safetensors and PyTorch files in, by name.
//!
//! The names are those of PyTorch state dicts (see [`plan`](super::plan)), so that a file written here loads in PyTorch
//! and one of the same network saved there loads here. Accepted are the names of the article's sketch and of the
//! networks' public code, with or without one prefix before all of them (`module.`, `state_dict.`); batch
//! normalisation's `num_batches_tracked` is not needed.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use thiserror::Error;

use super::plan::layers;
use super::spec::{Architecture, NetSpec};
use super::{BuildError, SegmentationNet};
use crate::compute::readback::{ReadError, Reader};
use crate::compute::streams;
use crate::nn::parameters;
use crate::nn::weights::{FileError, Opened, Stored, Written, first_names};
pub use crate::nn::weights::{Mismatch, checksum, unusable};

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
}

/// The tensors of a network in the order of its parameters.
pub fn names(spec: &NetSpec) -> Vec<Named> {
    layers(spec, 64, 64)
        .iter()
        .flat_map(|layer| {
            layer.tensors().into_iter().map(|(suffix, shape)| Named {
                name: format!("{}.{suffix}", layer.name),
                alias: (!layer.alias.is_empty()).then(|| format!("{}.{suffix}", layer.alias)),
                shape,
            })
        })
        .collect()
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
    let file = packed(net, spec, image_size, None)?;
    let io = |source| FileError::Io { action: "write", path: path.to_owned(), source };
    Ok(crate::disk::write_synced(path, &file).map_err(io)?)
}

/// The bytes of that file: the same ones for the same network. `white`: what was white in the pictures of more than 8 bits
/// that it was trained on, as text that is handed back as it is.
pub fn packed(
    net: &SegmentationNet,
    spec: &NetSpec,
    image_size: Option<usize>,
    white: Option<String>,
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
    texts.extend(image_size.map(|size| (IMAGE_SIZE.to_owned(), size.to_string())));
    texts.extend(white.map(|white| (WHITE.to_owned(), white)));
    Ok(crate::nn::weights::packed(&tensors, texts)?)
}

const ARCHITECTURE: &str = "learnscope.architecture";
const CHANNELS: &str = "learnscope.channels";
const BASE: &str = "learnscope.base";
const IMAGE_SIZE: &str = "learnscope.image_size";
const WHITE: &str = "learnscope.white";

/// Width of the widest U-net that is looked for.
const WIDEST: usize = 4096;
/// Tensors of one name, with different prefixes, that are looked at for a width or a group.
const MOST_PARTS: usize = 8;

/// A file's tensors, not yet matched with a network and not yet read.
#[derive(Debug)]
pub struct WeightsFile {
    opened: Opened,
    about: About,
}

/// What [`save`] wrote beside the tensors.
#[derive(Debug, Default)]
struct About {
    spec: Option<NetSpec>,
    image_size: Option<usize>,
    white: Option<String>,
}

impl About {
    fn of(texts: &BTreeMap<String, String>) -> Self {
        let spec = || {
            let architecture = Architecture::parse(texts.get(ARCHITECTURE)?)?;
            let (channels, base) = (texts.get(CHANNELS)?.parse().ok()?, texts.get(BASE)?.parse().ok()?);
            Some(NetSpec { architecture, channels, base })
        };
        let image_size = texts.get(IMAGE_SIZE).and_then(|size| size.parse().ok());
        Self { spec: spec(), image_size, white: texts.get(WHITE).cloned() }
    }
}

impl WeightsFile {
    /// Reads names and shapes of safetensors, or of a state dict, checkpoint or whole model of PyTorch: the content
    /// decides, not the name.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let opened = Opened::open(path)?;
        let about = About::of(&opened.texts);
        Ok(Self { opened, about })
    }

    /// The side in pixels of the pictures that the network was trained on, where the file says it.
    pub fn image_size(&self) -> Option<usize> {
        self.about.image_size
    }

    /// What [`packed`] was given as `white`.
    pub fn white(&self) -> Option<&str> {
        self.about.white.as_deref()
    }

    /// The network that these weights are of: the one that was saved, or the first that fits by names and shapes.
    /// FCN-32s, -16s and -8s have the same tensors; FCN-8s is taken.
    pub fn recognise(&self) -> Result<NetSpec, WeightsError> {
        if let Some(spec) = self.about.spec {
            self.checked(&spec)?;
            return Ok(spec);
        }
        let fits = |spec: &NetSpec| {
            spec.check().is_ok() && {
                let names = names(spec);
                self.has(&names) && self.matched(&names).is_ok()
            }
        };
        self.candidates().into_iter().find(fits).ok_or_else(|| {
            let first: Vec<String> = self.opened.tensors.keys().take(4).cloned().collect();
            WeightsError::Unknown { path: self.opened.path.clone(), first: first_names(&first) }
        })
    }

    /// Networks that the file may be of, a few whatever it holds.
    fn candidates(&self) -> Vec<NetSpec> {
        let inputs = |ending: &str| -> Vec<usize> {
            let named = self.opened.tensors.iter().filter(|(name, _)| name.ends_with(ending));
            let inputs = named.filter_map(|(_, tensor)| tensor.shape.get(1).copied());
            inputs.filter(|&inputs| inputs <= 16 * WIDEST).take(MOST_PARTS).collect()
        };
        let base = inputs("head.weight").into_iter().chain(inputs("outc.conv.weight")).next();
        // The widest convolution in groups: its groups are as large as C, or it has only one.
        let mut groups = inputs("d3.0.weight");
        groups.extend(inputs("up1.conv.double_conv.0.conv.0.weight"));
        groups.sort_unstable();
        groups.dedup();
        let lighter = groups.into_iter().map(|group| Architecture::LighterUNet { group });
        let others = [
            Architecture::Fcn8s,
            Architecture::DeepLabResNet101,
            Architecture::DeepLabXception,
            Architecture::DeepLabMobileNetV2,
        ];
        [Architecture::UNet, Architecture::LightUNet]
            .into_iter()
            .chain(lighter)
            .filter(|_| base.is_some_and(|base| base <= WIDEST))
            .chain(others)
            .flat_map(|architecture| {
                [3, 1].map(|channels| NetSpec { architecture, channels, base: base.unwrap_or(64) })
            })
            .collect()
    }

    /// The file's tensors in the order of the network's.
    fn checked(&self, spec: &NetSpec) -> Result<Vec<&Stored>, WeightsError> {
        if spec.base > WIDEST {
            let problem = format!("a width of {} channels; at most {WIDEST} are read", spec.base);
            return Err(FileError::Format { path: self.opened.path.clone(), problem }.into());
        }
        spec.check().map_err(BuildError::from)?;
        self.matched(&names(spec)).map_err(|mismatch| WeightsError::Mismatch {
            path: self.opened.path.clone(),
            network: spec.architecture.name(),
            mismatch,
        })
    }

    /// Builds the network of `spec` with these weights.
    ///
    /// # Errors
    /// Also where a value is not a finite number: see [`unusable`].
    pub fn load(&self, spec: &NetSpec, device: &Device) -> Result<SegmentationNet, WeightsError> {
        let numbers = self.opened.numbers(&self.checked(spec)?)?;
        let net = SegmentationNet::new(spec, streams::ALONE.open(0, 0), device)?;
        let mut numbers = numbers.into_iter();
        Ok(parameters::map(net, |_, _, old| match numbers.next() {
            Some(numbers) => {
                let count = numbers.len();
                Tensor::from_data(TensorData::new(numbers, [count]), device)
            }
            None => old,
        }))
    }

    /// The file's tensor for a network's, by one of its names.
    fn find(&self, named: &Named, prefix: &str) -> Option<&Stored> {
        let names = [Some(&named.name), named.alias.as_ref()].into_iter().flatten();
        names.filter_map(|name| self.opened.tensors.get(&format!("{prefix}{name}"))).next()
    }

    /// Whether all of a network's tensors are there: the first question, as most networks fail it at once.
    fn has(&self, names: &[Named]) -> bool {
        let prefix = self.prefix(names);
        names.iter().all(|named| self.find(named, &prefix).is_some_and(|tensor| tensor.shape == named.shape))
    }

    /// The file's tensors in the order of `names`.
    fn matched(&self, names: &[Named]) -> Result<Vec<&Stored>, Mismatch> {
        let prefix = self.prefix(names);
        let mut mismatch = Mismatch::default();
        let mut used = Vec::new();
        let mut found = Vec::new();
        for named in names {
            let keys = [Some(&named.name), named.alias.as_ref()].into_iter().flatten();
            used.extend(keys.map(|name| format!("{prefix}{name}")));
            match self.find(named, &prefix) {
                None => mismatch.missing.push(named.name.clone()),
                Some(tensor) if tensor.shape != named.shape => {
                    mismatch.shapes.push((named.name.clone(), named.shape.clone(), tensor.shape.clone()));
                }
                Some(tensor) => found.push(tensor),
            }
        }
        used.sort_unstable();
        // Beside a named part of the file, as an optimizer's state, other parts are none of the network's.
        mismatch.unexpected = self
            .opened
            .tensors
            .keys()
            .filter(|key| key.starts_with(&prefix) && !key.ends_with("num_batches_tracked"))
            .filter(|key| used.binary_search(key).is_err())
            .cloned()
            .collect();
        if mismatch.is_empty() { Ok(found) } else { Err(mismatch) }
    }

    /// What stands before the first tensor's name.
    fn prefix(&self, names: &[Named]) -> String {
        let Some(first) = names.first() else { return String::new() };
        for wanted in [Some(&first.name), first.alias.as_ref()].into_iter().flatten() {
            for key in self.opened.tensors.keys() {
                if let Some(prefix) = key.strip_suffix(wanted.as_str())
                    && (prefix.is_empty() || prefix.ends_with('.'))
                {
                    return prefix.to_owned();
                }
            }
        }
        String::new()
    }
}
