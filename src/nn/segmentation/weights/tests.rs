use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::{Tensor, TensorData};

use super::super::spec::{Architecture, NetSpec};
use super::*;
use crate::compute::device::cpu;
use crate::compute::rng::HostRng;
use crate::nn::parameters::{Role, map};
use crate::nn::weights::packed as packed_file;

const PLAIN: NetSpec = NetSpec { architecture: Architecture::UNet, channels: 3, base: 2, outputs: 1 };
const TRANSPOSED: NetSpec = NetSpec { architecture: Architecture::TransposedUNet, ..PLAIN };

/// A network of any numbers, whose convolutions before normalisations have biases of 0.
fn without_biases(spec: &NetSpec, seed: u64) -> SegmentationNet {
    let net = SegmentationNet::new(spec, HostRng::new(seed, 0), &cpu()).unwrap();
    let mut names = names(spec).into_iter();
    map(net, |_, role, old| {
        let spare = names.next().unwrap().spare;
        // Statistics and normalisations of their own, so that a mixed-up tensor is seen.
        if spare {
            old.mul_scalar(0.0)
        } else if role == Role::Weight {
            old
        } else {
            let count = old.dims()[0];
            let own = (0..count).map(|i| 0.5 + 0.3 * ((i * 7 + seed as usize) % 5) as f32).collect::<Vec<f32>>();
            Tensor::from_data(TensorData::new(own, [count]), &cpu())
        }
    })
}

/// The tensors of a network as the public PyTorch U-net saves them: its names, no biases before normalisations, and what
/// `more` makes of each.
fn public(spec: &NetSpec, net: &SegmentationNet, more: impl Fn(Written) -> Vec<Written>) -> Vec<Written> {
    let mut reader = Reader::default();
    parameters::slots(net).into_iter().for_each(|slot| {
        reader.add(slot.value);
    });
    let named = names(spec).into_iter().zip(reader.read().unwrap()).filter(|(named, _)| !named.spare);
    let written =
        |(named, numbers): (Named, Vec<f32>)| Written { name: named.alias.unwrap(), shape: named.shape, numbers };
    named.map(written).flat_map(more).collect()
}

fn save_as(folder: &Path, name: &str, tensors: &[Written]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, packed_file(tensors, HashMap::new()).unwrap()).unwrap();
    path
}

fn outputs(net: &SegmentationNet) -> Vec<f32> {
    let pixels: Vec<f32> = (0..3 * 32 * 48).map(|i| ((i * 37) % 101) as f32 / 101.0).collect();
    let x = Tensor::<4>::from_data(TensorData::new(pixels, [1, 3, 32, 48]), &cpu());
    let mut reader = Reader::default();
    reader.add(net.infer(x));
    reader.read().unwrap().remove(0)
}

fn same(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    let most = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(most < 1e-5, "{most}");
    assert!(a.iter().any(|value| value.abs() > 1e-3), "the outputs say something");
}

#[test]
fn the_public_unet_loads_without_biases_in_both_its_kinds() {
    let folder = tempfile::tempdir().unwrap();
    for (spec, convolutions) in [(PLAIN, 18), (TRANSPOSED, 18)] {
        let net = without_biases(&spec, 3);
        let path = save_as(folder.path(), "public.safetensors", &public(&spec, &net, |tensor| vec![tensor]));
        let file = WeightsFile::open(&path).unwrap();
        assert_eq!(file.recognise().unwrap(), spec);
        let loaded = file.load(&spec, &cpu()).unwrap();
        same(&outputs(&loaded), &outputs(&net));
        let notes = file.notes(&spec).unwrap();
        assert!(notes.len() == 1 && notes[0].starts_with(&format!("{convolutions} convolutions")), "{notes:?}");
    }
    // The one is not taken for the other.
    let net = without_biases(&TRANSPOSED, 3);
    let path = save_as(folder.path(), "public.safetensors", &public(&TRANSPOSED, &net, |tensor| vec![tensor]));
    let message = WeightsFile::open(&path).unwrap().recognise_as(Some(Architecture::UNet)).unwrap_err().to_string();
    assert!(message.contains("of another shape"), "{message}");
}

#[test]
fn weights_of_several_structures_come_back_and_are_none_of_one() {
    for count in [2, 3] {
        let spec = NetSpec { outputs: count, ..PLAIN };
        let net = SegmentationNet::new(&spec, HostRng::new(3, 0), &cpu()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("several.safetensors");
        save(&net, &spec, &path).unwrap();
        let file = WeightsFile::open(&path).unwrap();
        assert_eq!(file.recognise().unwrap(), spec);
        same(&outputs(&file.load(&spec, &cpu()).unwrap()), &outputs(&net));
        assert!(file.notes(&spec).unwrap().is_empty());
        let refused = file.load(&PLAIN, &cpu()).unwrap_err().to_string();
        assert!(refused.contains("head.weight"), "{refused}");
    }
}

#[test]
fn two_classes_are_one_logit() {
    let folder = tempfile::tempdir().unwrap();
    let net = without_biases(&PLAIN, 5);
    // The first class has logits of its own, which the second has on top.
    let two = |tensor: Written| {
        if !tensor.name.starts_with("outc") {
            return vec![tensor];
        }
        let first: Vec<f32> = tensor.numbers.iter().map(|value| 0.7 - value * 0.3).collect();
        let second: Vec<f32> = first.iter().zip(&tensor.numbers).map(|(first, value)| first + value).collect();
        let shape = [&[2], &tensor.shape[1..]].concat();
        vec![Written { shape, numbers: [first, second].concat(), ..tensor }]
    };
    let path = save_as(folder.path(), "two.safetensors", &public(&PLAIN, &net, two));
    let file = WeightsFile::open(&path).unwrap();
    assert_eq!(file.recognise().unwrap(), PLAIN);
    same(&outputs(&file.load(&PLAIN, &cpu()).unwrap()), &outputs(&net));
    assert!(file.notes(&PLAIN).unwrap().concat().contains("two classes"));
    // Three are no lesion and its background.
    let three = |tensor: Written| {
        let times = if tensor.name.starts_with("outc") { 3 } else { 1 };
        let shape = [&[tensor.shape[0] * times], &tensor.shape[1..]].concat();
        vec![Written { shape, numbers: tensor.numbers.repeat(times), ..tensor }]
    };
    let path = save_as(folder.path(), "three.safetensors", &public(&PLAIN, &net, three));
    let message = WeightsFile::open(&path).unwrap().recognise_as(Some(Architecture::UNet)).unwrap_err().to_string();
    assert!(message.contains("head.weight is [3, 2, 1, 1], not [1, 2, 1, 1]"), "{message}");
}

#[test]
fn of_an_average_and_the_newest_weights_it_is_said_which_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let prefixed = |prefix: &'static str, seed| {
        public(&PLAIN, &without_biases(&PLAIN, seed), move |tensor| {
            vec![Written { name: format!("{prefix}.{}", tensor.name), ..tensor }]
        })
    };
    let both = [prefixed("model", 1), prefixed("ema", 2)].concat();
    let path = save_as(folder.path(), "both.safetensors", &both);
    let open = |part| WeightsFile::open(&path).unwrap().of_part(part);
    for (part, seed, words) in
        [(None, 2, "`ema` is used, the average"), (Some("model"), 1, "`model`"), (Some("ema"), 2, "`ema`")]
    {
        let file = open(part);
        assert_eq!(file.recognise().unwrap(), PLAIN);
        same(&outputs(&file.load(&PLAIN, &cpu()).unwrap()), &outputs(&without_biases(&PLAIN, seed)));
        let notes = file.notes(&PLAIN).unwrap();
        assert!(notes[0].contains(words), "{notes:?}");
    }
    let message = open(Some("teacher")).recognise().unwrap_err().to_string();
    assert!(message.contains("no part `teacher`; its parts are `ema`, `model`"), "{message}");
}

#[test]
fn tensors_that_the_network_has_no_place_for_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let mut tensors = public(&PLAIN, &without_biases(&PLAIN, 1), |tensor| vec![tensor]);
    tensors.push(Written { name: "att1.psi.weight".to_owned(), shape: vec![2], numbers: vec![1.0, 2.0] });
    let path = save_as(folder.path(), "more.safetensors", &tensors);
    let message = WeightsFile::open(&path).unwrap().recognise().unwrap_err().to_string();
    assert!(message.contains("1 tensor more (att1.psi.weight)"), "{message}");
    assert!(message.contains("--architecture unet"), "{message}");
    let file = WeightsFile::open(&path).unwrap().lenient();
    assert_eq!(file.recognise_as(Some(Architecture::UNet)).unwrap(), PLAIN);
    same(&outputs(&file.load(&PLAIN, &cpu()).unwrap()), &outputs(&without_biases(&PLAIN, 1)));
    assert!(file.notes(&PLAIN).unwrap().concat().contains("att1.psi.weight"), "{:?}", file.notes(&PLAIN));
}

#[test]
fn a_file_with_some_of_the_biases_lacks_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut tensors = public(&PLAIN, &without_biases(&PLAIN, 1), |tensor| vec![tensor]);
    tensors.push(Written { name: "inc.double_conv.0.bias".to_owned(), shape: vec![2], numbers: vec![1.0, 2.0] });
    let path = save_as(folder.path(), "some.safetensors", &tensors);
    let message = WeightsFile::open(&path).unwrap().load(&PLAIN, &cpu()).unwrap_err().to_string();
    assert!(message.contains("17 missing"), "{message}");
}
