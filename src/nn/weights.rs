//! Weights of segmentation networks in files: safetensors out; safetensors and PyTorch files in, by name.
//!
//! The names are those of PyTorch state dicts (see [`plan`](super::plan)), so that a file written here loads in PyTorch
//! and one of the same network saved there loads here. Accepted are the names of the article's sketch and of the
//! networks' public code, with or without one prefix before all of them (`module.`, `state_dict.`); batch
//! normalisation's `num_batches_tracked` is not needed.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use burn::store::pytorch_reader::{DType as TorchType, PytorchReader};
use burn::tensor::{DType, Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use thiserror::Error;

use super::parameters;
use super::plan::layers;
use super::segmentation::{BuildError, SegmentationNet};
use super::spec::{Architecture, NetSpec};
use crate::compute::readback::{ReadError, Reader};
use crate::compute::rng::HostRng;

/// Weights that were not written or not loaded.
#[derive(Debug, Error)]
pub enum WeightsError {
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{}: {problem}", path.display())]
    Format { path: PathBuf, problem: String },
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
            let mut text = format!("{} {what}: {}", names.len(), names[..names.len() - more].join(", "));
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
    let file = packed(net, spec, image_size)?;
    crate::disk::write_synced(path, &file).map_err(|source| WeightsError::Io {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

/// The bytes of that file: the same ones for the same network.
pub fn packed(net: &SegmentationNet, spec: &NetSpec, image_size: Option<usize>) -> Result<Vec<u8>, WeightsError> {
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

const ARCHITECTURE: &str = "learnscope.architecture";
const CHANNELS: &str = "learnscope.channels";
const BASE: &str = "learnscope.base";
const IMAGE_SIZE: &str = "learnscope.image_size";

/// A file's tensors, not yet matched with a network.
#[derive(Debug)]
pub struct WeightsFile {
    path: PathBuf,
    /// Shape and numbers by name.
    tensors: BTreeMap<String, (Vec<usize>, TensorData)>,
    about: About,
}

/// What [`save`] wrote beside the tensors.
#[derive(Debug, Default)]
struct About {
    spec: Option<NetSpec>,
    image_size: Option<usize>,
}

impl WeightsFile {
    /// Reads safetensors, or a state dict, checkpoint or whole model of PyTorch: the content decides, not the name.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let io = |source| WeightsError::Io { action: "read", path: path.to_owned(), source };
        let bytes = fs::read(path).map_err(io)?;
        let read = if bytes.starts_with(b"PK") || bytes.starts_with(&[0x80]) && bytes.get(8) != Some(&b'{') {
            drop(bytes);
            read_torch(path).map(|tensors| (tensors, About::default()))
        } else {
            read_safetensors(&bytes)
        };
        let (tensors, about) = read.map_err(|problem| WeightsError::Format { path: path.to_owned(), problem })?;
        Ok(Self { path: path.to_owned(), tensors, about })
    }

    /// The side in pixels of the pictures that the network was trained on, where the file says it.
    pub fn image_size(&self) -> Option<usize> {
        self.about.image_size
    }

    /// The network that these weights are of: the one that was saved, or the first that fits by names and shapes.
    /// FCN-32s, -16s and -8s have the same tensors; FCN-8s is taken.
    pub fn recognise(&self) -> Result<NetSpec, WeightsError> {
        if let Some(spec) = self.about.spec {
            return Ok(spec);
        }
        for spec in self.candidates() {
            if spec.check().is_ok() && self.matched(&names(&spec)).is_ok() {
                return Ok(spec);
            }
        }
        let first: Vec<&str> = self.tensors.keys().take(4).map(String::as_str).collect();
        Err(WeightsError::Unknown { path: self.path.clone(), first: first.join(", ") })
    }

    fn candidates(&self) -> Vec<NetSpec> {
        let shape = |ending: &str| {
            let mut found = self.tensors.iter().filter(|(name, _)| name.ends_with(ending));
            found.next().map(|(_, (shape, _))| shape.clone())
        };
        let base = shape("head.weight").or_else(|| shape("outc.conv.weight")).and_then(|shape| shape.get(1).copied());
        let mut groups: Vec<usize> = self.tensors.values().filter_map(|(shape, _)| shape.get(1).copied()).collect();
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
            .filter(|_| base.is_some())
            .chain(others)
            .flat_map(|architecture| {
                [3, 1].map(|channels| NetSpec { architecture, channels, base: base.unwrap_or(64) })
            })
            .collect()
    }

    /// Builds the network of `spec` with these weights.
    pub fn load(&self, spec: &NetSpec, device: &Device) -> Result<SegmentationNet, WeightsError> {
        spec.check().map_err(BuildError::from)?;
        let matched = self.matched(&names(spec)).map_err(|mismatch| WeightsError::Mismatch {
            path: self.path.clone(),
            network: spec.architecture.name(),
            mismatch,
        })?;
        let net = SegmentationNet::new(spec, HostRng::new(0, 0), device)?;
        let mut matched = matched.into_iter();
        Ok(parameters::map(net, |_, _, old| match matched.next() {
            Some(data) => {
                let count = data.num_elements();
                Tensor::from_data(TensorData::new(data.iter::<f32>().collect::<Vec<_>>(), [count]), device)
            }
            None => old,
        }))
    }

    /// The file's tensors in the order of `names`.
    fn matched(&self, names: &[Named]) -> Result<Vec<&TensorData>, Mismatch> {
        let prefix = self.prefix(names);
        let mut mismatch = Mismatch::default();
        let mut used = Vec::new();
        let mut found = Vec::new();
        for named in names {
            let keys = [Some(&named.name), named.alias.as_ref()].map(|name| name.map(|name| format!("{prefix}{name}")));
            used.extend(keys.iter().flatten().cloned());
            match keys.iter().flatten().find_map(|key| self.tensors.get(key)) {
                None => mismatch.missing.push(named.name.clone()),
                Some((shape, _)) if *shape != named.shape => {
                    mismatch.shapes.push((named.name.clone(), named.shape.clone(), shape.clone()));
                }
                Some((_, data)) => found.push(data),
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

type Tensors = BTreeMap<String, (Vec<usize>, TensorData)>;

fn read_safetensors(bytes: &[u8]) -> Result<(Tensors, About), String> {
    let problem = |e: safetensors::SafeTensorError| {
        format!("neither safetensors nor a PyTorch file, or damaged or cut short ({e})")
    };
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(problem)?;
    let file = SafeTensors::deserialize(bytes).map_err(problem)?;
    let mut tensors = Tensors::new();
    for (name, view) in file.iter() {
        let dtype = match view.dtype() {
            Dtype::F64 => DType::F64,
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            _ if name.ends_with("num_batches_tracked") => continue,
            other => return Err(format!("tensor `{name}` has the type {other:?}, which is no type of weights")),
        };
        let shape = view.shape().to_vec();
        let data = TensorData::from_bytes_vec(view.data().to_vec(), shape.clone(), dtype);
        tensors.insert(name.to_owned(), (shape, data));
    }
    let entry = |key: &str| metadata.metadata().as_ref().and_then(|entries| entries.get(key));
    let spec = || {
        let architecture = Architecture::parse(entry(ARCHITECTURE)?)?;
        Some(NetSpec { architecture, channels: entry(CHANNELS)?.parse().ok()?, base: entry(BASE)?.parse().ok()? })
    };
    let image_size = entry(IMAGE_SIZE).and_then(|size| size.parse().ok());
    Ok((tensors, About { spec: spec(), image_size }))
}

fn read_torch(path: &Path) -> Result<Tensors, String> {
    let reader = PytorchReader::new(path).map_err(|e| format!("not a PyTorch file that can be read ({e})"))?;
    let mut tensors = Tensors::new();
    for (name, tensor) in reader.into_tensors() {
        let dtype = match tensor.dtype() {
            TorchType::F64 => DType::F64,
            TorchType::F32 => DType::F32,
            TorchType::F16 => DType::F16,
            TorchType::BF16 => DType::BF16,
            // Counters and the like; a weight among them will be missing.
            _ => continue,
        };
        let shape = tensor.shape().to_vec();
        let bytes = tensor.read().map_err(|e| e.to_string())?;
        tensors.insert(name, (shape.clone(), TensorData::from_bytes_vec(bytes, shape, dtype)));
    }
    Ok(tensors)
}
