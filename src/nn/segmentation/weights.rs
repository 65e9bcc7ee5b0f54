//! Weights of segmentation networks in files: safetensors out; safetensors and PyTorch files in, by name.
//!
//! The names are those of PyTorch state dicts (see [`plan`](super::plan)), so that a file written here loads in PyTorch
//! and one of the same network saved there loads here. Accepted are the names of the article's sketch and of the
//! networks' public code, with or without one prefix before all of them (`module.`, `state_dict.`); batch
//! normalisation's `num_batches_tracked` is not needed.
//!
//! Of a file from anywhere names and shapes are read first; numbers only of tensors that fit a network, and no more of
//! them than the file has bytes for.

mod pytorch;
mod stored;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, TensorView};
use thiserror::Error;

use super::plan::layers;
use super::spec::{Architecture, NetSpec};
use super::{BuildError, SegmentationNet};
use crate::compute::readback::{ReadError, Reader};
use crate::compute::streams;
use crate::disk;
use crate::nn::parameters;
use stored::Stored;

/// Weights that were not written or not loaded.
#[derive(Debug, Error)]
pub enum WeightsError {
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{}: {problem}", path.display())]
    Format { path: PathBuf, problem: String },
    #[error("{}: tensor `{tensor}` {problem}", path.display())]
    Values { path: PathBuf, tensor: String, problem: String },
    #[error("the weights cannot be packed as safetensors: {0}")]
    Pack(String),
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

/// What does not fit, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mismatch {
    /// Tensors that the network needs.
    pub missing: Vec<String>,
    /// Tensors that the network has no place for.
    pub unexpected: Vec<String>,
    /// Name, the network's shape, the file's shape.
    pub shapes: Vec<(String, Vec<usize>, Vec<usize>)>,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 4;
        let mut parts = Vec::new();
        let mut names = |what: &str, names: Vec<String>| {
            if names.is_empty() {
                return;
            }
            let more = names.len().saturating_sub(SHOWN);
            let first: Vec<String> = names.iter().take(SHOWN).map(|name| shown(name)).collect();
            let mut text = format!("{} {what}: {}", names.len(), first.join(", "));
            if more > 0 {
                text += &format!(" and {more} more");
            }
            parts.push(text);
        };
        names("missing", self.missing.clone());
        names("unexpected", self.unexpected.clone());
        let shapes = self.shapes.iter().map(|(name, ours, file)| format!("{name} is {file:?}, not {ours:?}")).collect();
        names("of another shape", shapes);
        f.write_str(&parts.join("; "))
    }
}

/// A name out of a file for a message: not too long, and without what would steer a terminal.
fn shown(name: &str) -> String {
    const LONGEST: usize = 80;
    let mut text: String = name.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if name.chars().nth(LONGEST).is_some() {
        text.push('…');
    }
    text
}

/// Why these numbers cannot be a network's tensor of that name: its outputs would be no numbers, and a mask made of them
/// would be empty. `None`: they can.
pub fn unusable(name: &str, numbers: &[f32]) -> Option<String> {
    const WHAT: &str = "the training that made them has run away; take weights from before that";
    let bad = numbers.iter().filter(|number| !number.is_finite()).count();
    if bad > 0 {
        let few = if bad == 1 { "is no number" } else { "are no numbers" };
        return Some(format!("is damaged: {bad} of its {} values {few} (NaN or infinity): {WHAT}", numbers.len()));
    }
    let below = numbers.iter().filter(|number| **number < 0.0).count();
    (name.ends_with("running_var") && below > 0).then(|| {
        let are = if below == 1 { "is" } else { "are" };
        format!("is damaged: {below} of its {} variances {are} below 0: {WHAT}", numbers.len())
    })
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
    crate::disk::write_synced(path, &file).map_err(|source| WeightsError::Io {
        action: "write",
        path: path.to_owned(),
        source,
    })
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
    let bytes: Vec<Vec<u8>> =
        values.iter().map(|values| values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    if names.len() != bytes.len() {
        return Err(WeightsError::Pack(format!("the network is not a {}", spec.architecture.name())));
    }
    let pack = |error: safetensors::SafeTensorError| WeightsError::Pack(error.to_string());
    let views = names
        .iter()
        .zip(&bytes)
        .map(|(named, bytes)| Ok((&named.name, TensorView::new(Dtype::F32, named.shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(pack)?;
    let mut metadata = HashMap::from([
        ("format".to_owned(), "pt".to_owned()),
        (ARCHITECTURE.to_owned(), spec.architecture.key()),
        (CHANNELS.to_owned(), spec.channels.to_string()),
        (BASE.to_owned(), spec.base.to_string()),
    ]);
    metadata.extend(image_size.map(|size| (IMAGE_SIZE.to_owned(), size.to_string())));
    metadata.extend(white.map(|white| (WHITE.to_owned(), white)));
    let file = safetensors::serialize(views, Some(metadata)).map_err(pack)?;
    in_order(&file).ok_or_else(|| WeightsError::Pack("its header cannot be read back".to_owned()))
}

/// The same file with the entries of its header in order: the library writes the metadata as a hash map happens to hold
/// them.
fn in_order(file: &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = file.split_first_chunk()?;
    let (header, numbers) = rest.split_at_checked(u64::from_le_bytes(*length) as usize)?;
    let header: BTreeMap<String, BTreeMap<String, serde_json::Value>> = serde_json::from_slice(header).ok()?;
    let mut header = serde_json::to_vec(&header).ok()?;
    // The numbers start at a multiple of eight bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    Some([&(header.len() as u64).to_le_bytes()[..], &header, numbers].concat())
}

/// CRC-32 of a file's bytes, by which a run says what it started from.
pub fn checksum(path: &Path) -> Result<u32, WeightsError> {
    let io = |source| WeightsError::Io { action: "read", path: path.to_owned(), source };
    let mut file = BufReader::with_capacity(1 << 18, disk::open(path).map_err(io)?);
    let mut hasher = crc32fast::Hasher::new();
    loop {
        let bytes = file.fill_buf().map_err(io)?;
        if bytes.is_empty() {
            return Ok(hasher.finalize());
        }
        hasher.update(bytes);
        let read = bytes.len();
        file.consume(read);
    }
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
    path: PathBuf,
    file: File,
    /// Bytes of the file.
    length: u64,
    tensors: BTreeMap<String, Stored>,
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
        let io = |source| WeightsError::Io { action: "read", path: path.to_owned(), source };
        let file = disk::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let contents = stored::contents(path, &file, length)
            .map_err(|problem| WeightsError::Format { path: path.to_owned(), problem })?;
        let about = About::of(&contents.texts);
        Ok(Self { path: path.to_owned(), file, length, tensors: contents.tensors, about })
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
            let first: Vec<String> = self.tensors.keys().take(4).map(|name| shown(name)).collect();
            WeightsError::Unknown { path: self.path.clone(), first: first.join(", ") }
        })
    }

    /// Networks that the file may be of, a few whatever it holds.
    fn candidates(&self) -> Vec<NetSpec> {
        let inputs = |ending: &str| -> Vec<usize> {
            let named = self.tensors.iter().filter(|(name, _)| name.ends_with(ending));
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
            return Err(WeightsError::Format { path: self.path.clone(), problem });
        }
        spec.check().map_err(BuildError::from)?;
        self.matched(&names(spec)).map_err(|mismatch| WeightsError::Mismatch {
            path: self.path.clone(),
            network: spec.architecture.name(),
            mismatch,
        })
    }

    /// Builds the network of `spec` with these weights.
    ///
    /// # Errors
    /// Also where a value is not a finite number: see [`unusable`].
    pub fn load(&self, spec: &NetSpec, device: &Device) -> Result<SegmentationNet, WeightsError> {
        let format = |problem: String| WeightsError::Format { path: self.path.clone(), problem };
        let stored = self.checked(spec)?;
        let claimed = stored.iter().try_fold(0_u64, |sum, tensor| sum.checked_add(tensor.bytes()?));
        if claimed.is_none_or(|claimed| claimed > self.length) {
            return Err(format(format!(
                "its tensors claim more numbers than its {} bytes can hold: they repeat a few (`expand`); save them \
                 with .contiguous()",
                self.length
            )));
        }
        let numbers: Vec<Vec<f32>> =
            stored.iter().map(|tensor| tensor.numbers(&self.file)).collect::<Result<_, _>>().map_err(format)?;
        for (tensor, numbers) in stored.iter().zip(&numbers) {
            let name = self.name_of(tensor);
            if let Some(problem) = unusable(name, numbers) {
                return Err(WeightsError::Values { path: self.path.clone(), tensor: shown(name), problem });
            }
        }
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

    /// What the file calls one of its tensors.
    fn name_of(&self, tensor: &Stored) -> &str {
        self.tensors.iter().find(|(_, other)| std::ptr::eq(*other, tensor)).map_or("", |(name, _)| name)
    }

    /// The file's tensor for a network's, by one of its names.
    fn find(&self, named: &Named, prefix: &str) -> Option<&Stored> {
        let names = [Some(&named.name), named.alias.as_ref()].into_iter().flatten();
        names.filter_map(|name| self.tensors.get(&format!("{prefix}{name}"))).next()
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
            .tensors
            .keys()
            .filter(|key| key.starts_with(&prefix) && !key.ends_with("num_batches_tracked"))
            .filter(|key| used.binary_search(key).is_err())
            .cloned()
            .collect();
        let fits = mismatch.missing.is_empty() && mismatch.unexpected.is_empty() && mismatch.shapes.is_empty();
        if fits { Ok(found) } else { Err(mismatch) }
    }

    /// What stands before the first tensor's name.
    fn prefix(&self, names: &[Named]) -> String {
        let Some(first) = names.first() else { return String::new() };
        for wanted in [Some(&first.name), first.alias.as_ref()].into_iter().flatten() {
            for key in self.tensors.keys() {
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
