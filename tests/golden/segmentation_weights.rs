//! Weights of PyTorch by name, and the networks that the article compares with, against PyTorch.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use burn::tensor::{Tensor, TensorData, activation};
use learnscope::compute::device;
use learnscope::compute::rng::HostRng;
use learnscope::nn::parameters::{self, Role};
use learnscope::nn::segmentation::SegmentationNet;
use learnscope::nn::segmentation::spec::{Architecture, NetSpec};
use learnscope::nn::segmentation::weights::{Mismatch, WeightsError, WeightsFile, names, save};
use serde_json::Value;

use super::segmentation_nets_cases::read;
use super::values::{formula, number, numbers, text, whole};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/segmentation_nets")
}

fn unpacked(name: &str) -> Vec<u8> {
    let bytes = fs::read(folder().join(name)).unwrap();
    let mut content = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut content).unwrap();
    content
}

fn pictures(count: usize, channels: usize, side: usize) -> Tensor<4> {
    let pixels = (channels * side * side) as u64;
    let values: Vec<f32> =
        (0..count as u64).flat_map(|i| (0..pixels).map(move |j| (0.5 + 0.5 * formula(1000 + i, j)) as f32)).collect();
    Tensor::from_data(TensorData::new(values, [count, channels, side, side]), &device::cpu())
}

fn values(tensor: Tensor<4>) -> Vec<f64> {
    read([tensor]).unwrap().remove(0).into_iter().map(f64::from).collect()
}

fn close(ours: &[f64], golden: &[f64], tolerance: f64, what: &str) {
    assert_eq!(ours.len(), golden.len(), "{what}");
    for (ours, golden) in ours.iter().zip(golden) {
        assert!((ours - golden).abs() <= tolerance, "{what}: {ours} against {golden}");
    }
}

/// A fixture in a temporary folder, and its case.
fn fixtures(folder: &Path) -> Vec<(PathBuf, Value)> {
    let cases: Value = serde_json::from_str(&fs::read_to_string(self::folder().join("weights.json")).unwrap()).unwrap();
    let cases = cases["cases"].as_array().unwrap().clone();
    let unpack = |case: Value| {
        let name = text(&case, "file").unwrap();
        let path = folder.join(name);
        fs::write(&path, unpacked(&format!("{name}.gz"))).unwrap();
        (path, case)
    };
    cases.into_iter().map(unpack).collect()
}

fn spec(case: &Value) -> NetSpec {
    let architecture = match text(case, "net").unwrap() {
        "unet" => Architecture::UNet,
        "light" => Architecture::LightUNet,
        _ => Architecture::LighterUNet { group: whole(case, "C").unwrap() },
    };
    NetSpec { architecture, channels: whole(case, "channels").unwrap(), base: whole(case, "base").unwrap(), outputs: 1 }
}

#[test]
fn state_dicts_of_pytorch_load_by_name_and_compute_the_same() {
    let temporary = tempfile::tempdir().unwrap();
    for (path, case) in fixtures(temporary.path()) {
        let file = WeightsFile::open(&path).unwrap();
        let recognised = file.recognise().unwrap();
        assert_eq!(recognised, spec(&case), "{}", path.display());
        let net = file.load(&recognised, &device::cpu()).unwrap();
        let x = pictures(1, recognised.channels, whole(&case, "side").unwrap());
        let p = values(activation::sigmoid(net.infer(x.clone())));
        let name = text(&case, "file").unwrap();
        close(&p[..8], &numbers(&case, "first").unwrap(), 2e-6, name);
        close(&p[p.len() / 2..][..8], &numbers(&case, "middle").unwrap(), 2e-6, name);
        let sum: f64 = p.iter().sum();
        close(&[sum], &[number(&case, "sum").unwrap()], 1e-6 * p.len() as f64, name);

        // And back through safetensors.
        let again = path.with_extension("safetensors");
        save(&net, &recognised, &again).unwrap();
        let file = WeightsFile::open(&again).unwrap();
        assert_eq!(file.recognise().unwrap(), recognised);
        let same = file.load(&recognised, &device::cpu()).unwrap();
        assert_eq!(values(net.infer(x.clone())), values(same.infer(x)), "{name}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("net.safetensors");
    let spec = NetSpec { architecture: Architecture::LighterUNet { group: 2 }, channels: 3, base: 2, outputs: 1 };
    let net = SegmentationNet::new(&spec, HostRng::new(1, 0), &device::cpu()).unwrap();
    save(&net, &spec, &path).unwrap();
    let file = WeightsFile::open(&path).unwrap();
    let mismatch = |spec: NetSpec| match file.load(&spec, &device::cpu()).unwrap_err() {
        WeightsError::Mismatch { mismatch, .. } => mismatch,
        other => panic!("{other}"),
    };

    let Mismatch { missing, unexpected, shapes } = mismatch(NetSpec { base: 4, ..spec });
    assert!(missing.is_empty() && unexpected.is_empty());
    assert!(shapes.contains(&("head.weight".to_owned(), vec![1, 4, 1, 1], vec![1, 2, 1, 1])), "{shapes:?}");

    let mismatch = mismatch(NetSpec { architecture: Architecture::UNet, ..spec });
    assert!(mismatch.missing.contains(&"e0.4.bias".to_owned()) || !mismatch.shapes.is_empty());
    assert!(mismatch.unexpected.contains(&"e0.6.running_var".to_owned()), "{mismatch}");

    let text = file.load(&NetSpec { base: 4, ..spec }, &device::cpu()).unwrap_err().to_string();
    assert!(text.contains("net.safetensors") && text.contains("of another shape"), "{text}");

    for (content, word) in [(&b"PK\x03\x04 no archive"[..], "PyTorch"), (b"short", "safetensors"), (b"", "cut short")] {
        fs::write(&path, content).unwrap();
        let text = WeightsFile::open(&path).unwrap_err().to_string();
        assert!(text.contains(word) && text.contains("net.safetensors"), "{text}");
    }
    assert!(WeightsFile::open(&temporary.path().join("none.pt")).unwrap_err().to_string().contains("cannot read"));
    let blocked = temporary.path().join("no folder").join("net.safetensors");
    assert!(save(&net, &spec, &blocked).unwrap_err().to_string().contains("cannot write"));
}

#[test]
fn every_network_has_the_names_and_shapes_of_its_list() {
    for architecture in Architecture::ALL {
        let spec = NetSpec { architecture, channels: 3, base: 8, outputs: 1 };
        let net = SegmentationNet::new(&spec, HostRng::new(0, 0), &device::cpu()).unwrap();
        let ours: Vec<Vec<usize>> = parameters::slots(&net).into_iter().map(|slot| slot.shape).collect();
        let names = names(&spec);
        let listed: Vec<Vec<usize>> = names.iter().map(|named| named.shape.clone()).collect();
        assert_eq!(ours, listed, "{}", architecture.name());
        let unique: std::collections::HashSet<&str> = names.iter().map(|named| named.name.as_str()).collect();
        assert_eq!(unique.len(), names.len(), "{}", architecture.name());
    }
}

#[test]
fn the_other_networks_have_the_tensors_and_outputs_of_pytorch() {
    let cases: Value = serde_json::from_slice(&unpacked("comparison_nets.json.gz")).unwrap();
    let cpu = device::cpu();
    for case in cases["cases"].as_array().unwrap() {
        let key = text(case, "net").unwrap();
        let spec = NetSpec { architecture: Architecture::parse(key).unwrap(), channels: 3, base: 64, outputs: 1 };
        let names = names(&spec);
        let golden: BTreeMap<String, Vec<usize>> = serde_json::from_value(case["tensors"].clone()).unwrap();
        for named in &names {
            assert_eq!(golden.get(&named.name), Some(&named.shape), "{key}: {}", named.name);
        }
        let known = |name: &String| names.iter().any(|n| n.name == *name || n.alias.as_ref() == Some(name));
        assert_eq!(golden.keys().find(|name| !known(name)), None, "{key}");

        // Filled by a formula in the order of the names.
        let net = SegmentationNet::new(&spec, HostRng::new(0, 0), &cpu).unwrap();
        let statistic = |name: &str| name.ends_with("running_mean") || name.ends_with("running_var");
        let mut sorted: Vec<&str> = names.iter().map(|n| n.name.as_str()).filter(|name| !statistic(name)).collect();
        sorted.sort_unstable();
        let mut place = 0;
        let mut net = parameters::map(net, |path, role, old| {
            let named = &names[place];
            place += 1;
            let Ok(k) = sorted.binary_search(&named.name.as_str()) else { return old };
            let scale = |u: f64| match role {
                Role::Weight => u * (6.0 / named.shape[1..].iter().product::<usize>() as f64).sqrt(),
                Role::Norm if path.ends_with("gamma") => 1.0 + 0.2 * u,
                _ => 0.1 * u,
            };
            let count: usize = named.shape.iter().product();
            let values: Vec<f32> = (0..count as u64).map(|j| scale(formula(k as u64, j)) as f32).collect();
            Tensor::from_data(TensorData::new(values, [count]), &cpu)
        });
        let x = pictures(whole(case, "pictures").unwrap(), 3, whole(case, "side").unwrap());
        let y = values(net.forward(x, None));
        // Deep nets on tiny maps amplify rounding: PyTorch in f32 is this far from itself in f64.
        let tolerance = 5.0 * number(case, "f32_deviation").unwrap();
        close(&y[..8], &numbers(case, "first").unwrap(), tolerance, key);
        close(&y[y.len() - 8..], &numbers(case, "last").unwrap(), tolerance, key);
        let absolute: f64 = y.iter().map(|v| v.abs()).sum();
        close(&[absolute], &[number(case, "absolute_sum").unwrap()], tolerance * y.len() as f64 / 10.0, key);
        close(&[y.iter().sum()], &[number(case, "sum").unwrap()], tolerance * y.len() as f64 / 10.0, key);
    }
}
