//! Weights of these networks in files: safetensors out; safetensors and PyTorch files in, by name.
//!
//! Names are those of a PyTorch state dict: `encoder.`, `decoder.` and `classifier.` before the names of each part, which for
//! ResNet-18 and InceptionV3 are torchvision's (`encoder.layer1.0.conv1.weight`). A file's names may have one prefix before all of them
//! (`module.`), and may be those of an encoder alone, as torchvision's `resnet18-*.pth` has them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Device;
use thiserror::Error;

use super::inception::unit_name;
use super::spec::{Family, Head, Layout, NetSpec};
use super::{Autoencoder, BuildError};
use crate::compute::readback::ReadError;
use crate::nn::parameters::slots;
pub use crate::nn::weights::fit::Fit;
use crate::nn::weights::fit::{Keys, Place, filled, taken, written};
use crate::nn::weights::{FileError, Mismatch, Opened, first_names, packed as packed_file};

/// Weights that were not written or not loaded.
#[derive(Debug, Error)]
pub enum WeightsError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{} does not hold the weights of {network}: {mismatch}", path.display())]
    Mismatch { path: PathBuf, network: String, mismatch: Mismatch },
    #[error(
        "{} holds nothing that fits the encoder of {network}: its first tensors are {first}, and the network's are {wanted}",
        path.display()
    )]
    Nothing { path: PathBuf, network: String, first: String, wanted: String },
    #[error(
        "{} does not say which network it is of; expected a file of `learnscope export --weights`, or the folder of a run. \
         Weights of another program can be trained on from: parameter `weights` of a run",
        .0.display()
    )]
    Foreign(PathBuf),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Every parameter: of the encoder, the decoder, the classifier.
fn places(net: &Autoencoder) -> Vec<Place> {
    fn part(name: &str, module: &impl Module) -> Vec<Place> {
        let place = |slot: crate::nn::parameters::Slot| {
            let (name, turned) = (format!("{name}.{}", torch_name(&slot.path)), slot.shape.len() == 2);
            Place::of(slot, name, turned)
        };
        slots(module).into_iter().map(place).collect()
    }
    let mut all = part("encoder", &net.encoder);
    all.extend(net.decoder.iter().flat_map(|decoder| part("decoder", decoder)));
    all.extend(part("classifier", &net.classifier));
    all
}

/// Names and shapes of a network's tensors as a file has them, in the order of its parameters.
pub fn names(net: &Autoencoder) -> Vec<(String, Vec<usize>)> {
    places(net).into_iter().map(|place| (place.name, place.shape)).collect()
}

/// The name in a state dict of the parameter at a module's path: `ResNet.blocks.2.first.norm.gamma` is `layer2.0.bn1.weight`.
fn torch_name(path: &str) -> String {
    let path = ["Plain.", "ResNet.", "Inception."].iter().find_map(|kind| path.strip_prefix(kind)).unwrap_or(path);
    let Some((layer, tensor)) = path.rsplit_once('.') else { return path.to_owned() };
    let tensor = match tensor {
        "gamma" | "kernel" => "weight",
        "beta" => "bias",
        other => other,
    };
    let layer = match layer.split('.').collect::<Vec<_>>()[..] {
        ["stem", "conv"] => "conv1".to_owned(),
        ["stem", "norm"] => "bn1".to_owned(),
        ["blocks", block, place, kind] => {
            let block: usize = block.parse().unwrap_or(0);
            let within = match (place, kind) {
                ("first", "conv") => "conv1",
                ("first", _) => "bn1",
                ("second", "conv") => "conv2",
                ("second", _) => "bn2",
                (_, "conv") => "downsample.0",
                _ => "downsample.1",
            };
            format!("layer{}.{}.{within}", 1 + block / 2, block % 2)
        }
        ["blocks", block, "branches", branch, row, unit, kind] => {
            let place = |text: &str| text.parse().unwrap_or(0);
            let name = unit_name(place(block), place(branch), row == "beside", place(unit)).unwrap_or_default();
            format!("{name}.{}", if kind == "norm" { "bn" } else { kind })
        }
        _ => layer.to_owned(),
    };
    format!("{layer}.{tensor}")
}

/// How a network was trained, as far as whoever uses it has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trained {
    /// Its decoder has learned something.
    pub rebuilds: bool,
    /// Photographs were cut to their field of view, not stretched.
    pub cut: bool,
}

/// The bytes of a safetensors file: the same ones for the same network. `white`: what was white in the photographs of more than 8 bits
/// that it was trained on, as text that [`white`] hands back as it is.
pub fn packed(
    net: &Autoencoder,
    spec: &NetSpec,
    trained: Trained,
    white: Option<String>,
) -> Result<Vec<u8>, WeightsError> {
    let tensors = written(places(net))?;
    let mut texts = texts(spec);
    texts.insert(REBUILDS.to_owned(), trained.rebuilds.to_string());
    texts.insert(CUT.to_owned(), trained.cut.to_string());
    texts.extend(white.map(|white| (WHITE.to_owned(), white)));
    Ok(packed_file(&tensors, texts)?)
}

const LAB: &str = "learnscope.lab";
const REBUILDS: &str = "learnscope.rebuilds";
const CUT: &str = "learnscope.cut_to_field_of_view";
const WHITE: &str = "learnscope.white";

/// What a file says of that.
pub fn trained(file: &Opened) -> Trained {
    let is = |key: &str| file.texts.get(key).is_some_and(|text| text == "true");
    Trained { rebuilds: is(REBUILDS), cut: is(CUT) }
}

/// What [`packed`] was given as `white`.
pub fn white(file: &Opened) -> Option<&str> {
    file.texts.get(WHITE).map(String::as_str)
}

/// What a file says of its network.
fn texts(spec: &NetSpec) -> HashMap<String, String> {
    let (network, layout, tied) = match spec.family {
        Family::Aecl1 { layout, tied } => ("aecl1", layout, tied),
        Family::AeRes18 => ("aeres18", Layout::Mini, false),
        Family::ResNet18 => ("resnet18", Layout::Mini, false),
        Family::InceptionV3 => ("inceptionv3", Layout::Mini, false),
    };
    let name = |names: &[(&'static str, Layout)]| names.iter().find(|(_, known)| *known == layout).map_or("", |n| n.0);
    let head = HEADS.iter().find(|(_, head)| *head == spec.head).map_or("", |n| n.0);
    let text = |key: &str, value: String| (format!("learnscope.{key}"), value);
    HashMap::from([
        (LAB.to_owned(), "reconstruction".to_owned()),
        text("network", network.to_owned()),
        text("layout", name(&LAYOUTS).to_owned()),
        text("tied", tied.to_string()),
        text("image_size", spec.size.to_string()),
        text("width", spec.width.to_string()),
        text("sigmoid", spec.sigmoid.to_string()),
        text("head", head.to_owned()),
        text("leaky", spec.leaky.to_string()),
    ])
}

const LAYOUTS: [(&str, Layout); 3] =
    [("mini", Layout::Mini), ("paper", Layout::Paper), ("64-first", Layout::SixtyFourFirst)];
const HEADS: [(&str, Head); 3] = [("binary", Head::Binary), ("softmax", Head::Softmax), ("ordinal", Head::Ordinal)];

/// The network that a file says it is of; `None`: it says nothing, or no network that can be.
pub fn spec_of(file: &Opened) -> Option<NetSpec> {
    let text = |key: &str| file.texts.get(&format!("learnscope.{key}")).map(String::as_str);
    if file.texts.get(LAB).map(String::as_str) != Some("reconstruction") {
        return None;
    }
    let layout = LAYOUTS.iter().find(|(name, _)| Some(*name) == text("layout"))?.1;
    let family = match text("network")? {
        "aecl1" => Family::Aecl1 { layout, tied: text("tied")?.parse().ok()? },
        "aeres18" => Family::AeRes18,
        "resnet18" => Family::ResNet18,
        "inceptionv3" => Family::InceptionV3,
        _ => return None,
    };
    let spec = NetSpec {
        family,
        size: text("image_size")?.parse().ok()?,
        width: text("width")?.parse().ok()?,
        sigmoid: text("sigmoid")?.parse().ok()?,
        head: HEADS.iter().find(|(name, _)| Some(*name) == text("head"))?.1,
        leaky: text("leaky")?.parse().ok()?,
    };
    spec.check().is_ok().then_some(spec)
}

/// Builds the network that a file says it is of, with all of its weights.
pub fn load(file: &Opened, device: &Device) -> Result<(Autoencoder, NetSpec), WeightsError> {
    let spec = spec_of(file).ok_or_else(|| WeightsError::Foreign(file.path.clone()))?;
    let net = Autoencoder::new(&spec, 0, device)?;
    let (net, fit) = start_from(file, net, &spec, device)?;
    if fit.mismatch.is_empty() {
        return Ok((net, spec));
    }
    Err(WeightsError::Mismatch { path: file.path.clone(), network: spec.describe(), mismatch: fit.mismatch })
}

/// Puts into a network whatever of a file fits it by name and shape; the rest stays as it is.
///
/// # Errors
/// Nothing fits the encoder, or a value of what does is not a finite number.
pub fn start_from(
    file: &Opened,
    net: Autoencoder,
    spec: &NetSpec,
    device: &Device,
) -> Result<(Autoencoder, Fit), WeightsError> {
    let places = places(&net);
    let (prefix, part) = reading(file, &places);
    // What a parameter is called in the file.
    let key = |place: &Place| place.name.strip_prefix(part).map(|name| format!("{prefix}{name}"));
    let keys: Keys = places.iter().map(|place| Some(key(place).into_iter().collect())).collect();
    let (numbers, fit) = taken(file, &places, &keys)?;
    // A few biases of another network's classifier are nothing to start from.
    let of_encoder =
        |(place, numbers): (&Place, &Option<Vec<f32>>)| numbers.is_some() && place.name.starts_with("encoder.");
    if !places.iter().zip(&numbers).any(of_encoder) {
        let wanted: Vec<String> = places.iter().map(|place| place.name.clone()).collect();
        return Err(WeightsError::Nothing {
            path: file.path.clone(),
            network: spec.describe(),
            first: file.first(),
            wanted: first_names(&wanted),
        });
    }
    let mut numbers = numbers.into_iter();
    let net = Autoencoder {
        encoder: filled(net.encoder, &mut numbers, device),
        decoder: net.decoder.map(|decoder| filled(decoder, &mut numbers, device)),
        classifier: filled(net.classifier, &mut numbers, device),
        sigmoid: net.sigmoid,
    };
    Ok((net, fit))
}

/// How a file's names are read: what stands before all of them, and the part whose names they are, `encoder.` or all (empty). Of
/// several readings the one by which most tensors fit.
fn reading(file: &Opened, places: &[Place]) -> (String, &'static str) {
    let known: HashMap<&str, &[usize]> = places.iter().map(|place| (&*place.name, &*place.shape)).collect();
    let longest = known.keys().map(|name| name.len()).max().unwrap_or(0);
    let mut fits: HashMap<(&str, &'static str), usize> = HashMap::new();
    for (key, stored) in &file.tensors {
        let starts = std::iter::once(0).chain(key.match_indices('.').map(|(dot, _)| dot + 1));
        for start in starts.filter(|start| key.len() - start <= longest) {
            for part in ["", "encoder."] {
                if known.get(&*format!("{part}{}", &key[start..])) == Some(&&*stored.shape) {
                    *fits.entry((&key[..start], part)).or_default() += 1;
                }
            }
        }
    }
    let best = fits.into_iter().max_by_key(|((prefix, part), count)| {
        (*count, std::cmp::Reverse((prefix.len(), part.len())), std::cmp::Reverse(*prefix))
    });
    best.map_or((String::new(), ""), |((prefix, part), _)| (prefix.to_owned(), part))
}

/// Opens a file of weights.
pub fn open(path: &Path) -> Result<Opened, WeightsError> {
    Ok(Opened::open(path)?)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Tensor, TensorData};

    use super::*;
    use crate::compute::device;
    use crate::compute::readback::Reader;
    use crate::nn::layers::conv::Pass;
    use crate::nn::weights::Written;

    fn spec(family: Family) -> NetSpec {
        NetSpec { family, size: 32, width: 0.5, sigmoid: true, head: Head::Ordinal, leaky: true }
    }

    const TRAINED: Trained = Trained { rebuilds: true, cut: false };

    const MINI: Family = Family::Aecl1 { layout: Layout::Mini, tied: false };

    fn written(net: &Autoencoder, spec: &NetSpec) -> (tempfile::TempDir, Opened) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.safetensors");
        std::fs::write(&path, packed(net, spec, TRAINED, Some("4095;".to_owned())).unwrap()).unwrap();
        let file = open(&path).unwrap();
        (folder, file)
    }

    /// Reconstructions and logits of two pictures, bit by bit.
    fn outputs(net: &Autoencoder, size: usize) -> Vec<u32> {
        let values: Vec<f32> = (0..6 * size * size).map(|i| 0.5 + 0.5 * (i as f32 * 0.37).sin()).collect();
        let mut net = net.clone();
        let mut pass = Pass { train: false, dropout: None };
        let x = Tensor::from_data(TensorData::new(values, [2, 3, size, size]), &device::cpu());
        let code = net.encode(x, &pass);
        let answer = net.classify(code.clone(), &mut pass);
        let mut reader = Reader::default();
        reader.add(answer.logit);
        answer.grades.into_iter().for_each(|grades| {
            reader.add(grades);
        });
        net.decode(code, &pass).into_iter().for_each(|rebuilt| {
            reader.add(rebuilt);
        });
        reader.read().unwrap().concat().into_iter().map(f32::to_bits).collect()
    }

    #[test]
    fn a_loaded_network_gives_the_numbers_of_the_saved_one_bit_for_bit() {
        let tied = Family::Aecl1 { layout: Layout::Paper, tied: true };
        for spec in [MINI, tied, Family::AeRes18].map(spec) {
            let net = Autoencoder::new(&spec, 7, &device::cpu()).unwrap();
            let (_folder, file) = written(&net, &spec);
            let (loaded, of) = load(&file, &device::cpu()).unwrap();
            assert_eq!((of, trained(&file), white(&file)), (spec, TRAINED, Some("4095;")));
            assert_eq!(outputs(&loaded, 32), outputs(&net, 32), "{}", spec.describe());
            assert_ne!(outputs(&Autoencoder::new(&spec, 8, &device::cpu()).unwrap(), 32), outputs(&net, 32));
            let of = |net: &Autoencoder| packed(net, &spec, TRAINED, None).unwrap();
            assert_eq!(of(&loaded), of(&net));
        }
    }

    #[test]
    fn names_and_shapes_are_those_of_torchvision_and_pytorch() {
        let spec = NetSpec { size: 256, head: Head::Binary, ..spec(Family::AeRes18) };
        let net = Autoencoder::new(&spec, 7, &device::cpu()).unwrap();
        let places = places(&net);
        let shape = |name: &str| places.iter().find(|place| place.name == name).map(|place| place.shape.clone());
        for (name, expected) in [
            ("encoder.conv1.weight", vec![64, 3, 7, 7]),
            ("encoder.bn1.running_var", vec![64]),
            ("encoder.layer1.0.conv1.weight", vec![64, 64, 3, 3]),
            ("encoder.layer2.0.downsample.0.weight", vec![128, 64, 1, 1]),
            ("encoder.layer2.0.downsample.1.bias", vec![128]),
            ("encoder.layer4.1.bn2.weight", vec![512]),
            ("decoder.ups.0.weight", vec![512, 512, 4, 4]),
            ("decoder.ups.7.bias", vec![3]),
            ("classifier.units.weight", vec![4, 512]),
            ("classifier.logit.weight", vec![1, 4]),
        ] {
            assert_eq!(shape(name), Some(expected), "{name}");
        }
        // 20 convolutions, 20 normalisations of four tensors: torchvision's 122 without `fc`, less its 20 counters and 2 of `fc`.
        assert_eq!(places.iter().filter(|place| place.name.starts_with("encoder.")).count(), 100);
        let spec = NetSpec { size: 128, ..super::tests::spec(Family::InceptionV3) };
        let net = Autoencoder::new(&spec, 7, &device::cpu()).unwrap();
        let places = super::places(&net);
        let shape = |name: &str| places.iter().find(|place| place.name == name).map(|place| place.shape.clone());
        for (name, expected) in [
            ("encoder.Conv2d_1a_3x3.conv.weight", vec![32, 3, 3, 3]),
            ("encoder.Mixed_5b.branch_pool.bn.running_mean", vec![32]),
            ("encoder.Mixed_6b.branch7x7dbl_5.conv.weight", vec![192, 128, 1, 7]),
            ("encoder.Mixed_7c.branch3x3dbl_3b.conv.weight", vec![384, 384, 3, 1]),
            ("classifier.logit.weight", vec![1, 2048]),
        ] {
            assert_eq!(shape(name), Some(expected), "{name}");
        }
        let names: std::collections::HashSet<&str> = places.iter().map(|place| &*place.name).collect();
        // 94 units of five tensors, and the last layer.
        assert_eq!((names.len(), places.len()), (94 * 5 + 2, 94 * 5 + 2));
    }

    /// A file with torchvision's names: those of an encoder for large pictures behind a prefix, and a last layer.
    fn torchvision(prefix: &str) -> (tempfile::TempDir, Opened) {
        let spec = NetSpec { size: 256, ..spec(Family::ResNet18) };
        let net = Autoencoder::new(&spec, 11, &device::cpu()).unwrap();
        let mut tensors: Vec<Written> = Vec::new();
        for place in places(&net) {
            let Some(name) = place.name.strip_prefix("encoder.") else { continue };
            let mut reader = Reader::default();
            reader.add(place.value);
            let numbers = reader.read().unwrap().concat();
            tensors.push(Written { name: format!("{prefix}{name}"), shape: place.shape, numbers });
        }
        let fc = Written { name: format!("{prefix}fc.weight"), shape: vec![10, 512], numbers: vec![0.5; 5120] };
        tensors.push(fc);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("resnet18.safetensors");
        std::fs::write(&path, packed_file(&tensors, HashMap::new()).unwrap()).unwrap();
        let file = open(&path).unwrap();
        (folder, file)
    }

    #[test]
    fn an_encoder_starts_from_torchvisions_weights_and_what_does_not_fit_is_listed() {
        for prefix in ["", "module."] {
            let (_folder, file) = torchvision(prefix);
            let large = NetSpec { size: 256, ..spec(Family::AeRes18) };
            let net = Autoencoder::new(&large, 1, &device::cpu()).unwrap();
            let (started, fit) = start_from(&file, net.clone(), &large, &device::cpu()).unwrap();
            assert_eq!((fit.taken, &fit.mismatch.unexpected), (100, &vec![format!("{prefix}fc.weight")]));
            assert!(fit.mismatch.shapes.is_empty());
            assert!(fit.mismatch.missing.iter().all(|name| !name.starts_with("encoder.")), "{:?}", fit.mismatch);
            assert_eq!(fit.taken + fit.mismatch.missing.len(), fit.of);
            let other = NetSpec { size: 256, ..spec(Family::ResNet18) };
            let source = Autoencoder::new(&other, 11, &device::cpu()).unwrap();
            let read = |module: &super::super::encoder::Encoder| {
                let mut reader = Reader::default();
                slots(module).into_iter().for_each(|slot| {
                    reader.add(slot.value);
                });
                reader.read().unwrap()
            };
            assert_eq!(read(&started.encoder), read(&source.encoder));
            assert_ne!(read(&started.encoder), read(&net.encoder));

            // Small pictures have another stem.
            let small = spec(Family::AeRes18);
            let net = Autoencoder::new(&small, 1, &device::cpu()).unwrap();
            let (_, fit) = start_from(&file, net, &small, &device::cpu()).unwrap();
            assert_eq!(fit.taken, 99);
            let stem = ("encoder.conv1.weight".to_owned(), vec![64, 3, 3, 3], vec![64, 3, 7, 7]);
            assert_eq!(fit.mismatch.shapes, [stem]);
            let line = fit.line();
            for words in ["99 of", "encoder.conv1.weight [64, 3, 7, 7] for [64, 3, 3, 3]", "fc.weight", "decoder.ups.0"]
            {
                assert!(line.contains(words), "{line}");
            }
            assert!(fit.card().iter().any(|line| line.contains("classifier.gaps")), "{:?}", fit.card());
        }
    }

    #[test]
    fn a_file_of_which_nothing_fits_is_refused_by_the_names_of_both() {
        let (_folder, file) = torchvision("");
        let spec = spec(MINI);
        let net = Autoencoder::new(&spec, 1, &device::cpu()).unwrap();
        let message = start_from(&file, net, &spec, &device::cpu()).unwrap_err().to_string();
        for words in ["resnet18.safetensors", "AECL1 (mini", "bn1.bias", "encoder.stages.0.conv.weight"] {
            assert!(message.contains(words), "{message}");
        }
        let message = load(&file, &device::cpu()).unwrap_err().to_string();
        assert!(message.contains("does not say which network") && message.contains("`weights`"), "{message}");
    }
}
