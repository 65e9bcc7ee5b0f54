use burn::tensor::Device;

use super::super::network::Shape;
use super::super::network::build;
use super::super::params::PARAMS;
use super::*;
use crate::compute::device::cpu;
use crate::data::augment::recipes::RecipeKind;

fn params(set: &[&str]) -> Params {
    let mut params = Params::defaults(PARAMS);
    set.iter().for_each(|text| params.set_text(PARAMS, text).unwrap());
    params
}

fn label(params: &Params) -> &'static str {
    ENCODER.item(params).unwrap().label
}

fn nets(params: &Params, channels: usize, seed: u64) -> (Online, Branch) {
    build(&Shape::of(params, channels), seed, &cpu()).unwrap()
}

fn file(folder: &tempfile::TempDir, name: &str, tensors: &[Written]) -> Opened {
    let path = folder.path().join(name);
    std::fs::write(&path, packed_file(tensors, HashMap::new()).unwrap()).unwrap();
    Opened::open(&path).unwrap()
}

fn started(file: &Opened, net: &Online, params: &Params) -> (Online, Fit) {
    start_from(file, net.clone(), label(params), &cpu()).unwrap()
}

/// The names and shapes of torchvision's ResNet-18 without `fc`, with a stem of so many pixels, 3 or 7.
fn torchvision(stem: usize) -> Vec<(String, Vec<usize>)> {
    let mut all = vec![("conv1.weight".to_owned(), vec![64, 3, stem, stem])];
    let norm = |name: &str, channels: usize| {
        ["weight", "bias", "running_mean", "running_var"].map(|part| (format!("{name}.{part}"), vec![channels]))
    };
    all.extend(norm("bn1", 64));
    let mut inputs = 64;
    for (layer, outputs) in [(1, 64), (2, 128), (3, 256), (4, 512)] {
        for block in 0..2 {
            let name = format!("layer{layer}.{block}");
            all.push((format!("{name}.conv1.weight"), vec![outputs, inputs, 3, 3]));
            all.extend(norm(&format!("{name}.bn1"), outputs));
            all.push((format!("{name}.conv2.weight"), vec![outputs, outputs, 3, 3]));
            all.extend(norm(&format!("{name}.bn2"), outputs));
            if inputs != outputs {
                all.push((format!("{name}.downsample.0.weight"), vec![outputs, inputs, 1, 1]));
                all.extend(norm(&format!("{name}.downsample.1"), outputs));
            }
            inputs = outputs;
        }
    }
    all
}

#[test]
fn a_resnet_has_torchvisions_names_and_its_heads_those_of_a_sequential() {
    for (network, stem) in [("resnet18", 3), ("resnet18_imagenet", 7)] {
        has_torchvisions_names(network, stem);
    }
}

fn has_torchvisions_names(network: &str, stem: usize) {
    let params = params(&[&format!("network={network}"), "predictor_layers=two"]);
    let (online, target) = nets(&params, 3, 1);
    let mut found: Vec<(String, Vec<usize>)> =
        tensors(&online, None).unwrap().into_iter().map(|tensor| (tensor.name, tensor.shape)).collect();
    let mut expected = torchvision(stem);
    for (head, [inputs, hidden, outputs]) in [("projector", [512, 512, 128]), ("predictor", [128, 512, 128])] {
        expected.push((format!("{head}.0.weight"), vec![hidden, inputs]));
        expected.push((format!("{head}.0.bias"), vec![hidden]));
        expected.push((format!("{head}.1.running_mean"), vec![hidden]));
        expected.push((format!("{head}.1.running_var"), vec![hidden]));
        expected.push((format!("{head}.3.weight"), vec![outputs, hidden]));
    }
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    let names: Vec<String> = tensors(&online, Some(&target)).unwrap().into_iter().map(|tensor| tensor.name).collect();
    let of_target = |name: &&String| name.starts_with("target.");
    assert_eq!(names.iter().filter(of_target).count(), names.len() - found.len());
    for name in ["target.layer4.1.bn2.running_var", "target.projector.3.weight"] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    assert!(!names.iter().any(|name| name.starts_with("target.predictor")));
}

#[test]
fn a_matrix_is_out_by_in_as_pytorch_has_it() {
    let (online, _) = nets(&params(&[]), 1, 5);
    let written = tensors(&online, None).unwrap();
    let find = |name: &str| written.iter().find(|tensor| tensor.name == name).unwrap();
    let slot = |path: &str| {
        let bits = bits(&online);
        bits.into_iter().find(|(known, _)| known.ends_with(path)).unwrap_or_else(|| panic!("{path}")).1
    };
    let ours = slot("projector.first.weight");
    let theirs = &find("projector.0.weight");
    assert_eq!(theirs.shape, [128, 64]);
    for (i, j) in [(0, 0), (3, 77), (63, 127)] {
        assert_eq!(ours[i * 128 + j], theirs.numbers[j * 64 + i].to_bits());
    }
    // One matrix, Wp: out by in.
    assert_eq!(find("predictor.weight").shape, [64, 64]);
    let wp = slot("predictor.One.weight");
    assert_eq!(wp[64 * 2 + 5], find("predictor.weight").numbers[64 * 5 + 2].to_bits());
    assert_eq!(find("conv2.weight").shape, [32, 16, 3, 3]);
    assert_eq!(find("bn3.running_var").shape, [64]);
}

#[test]
fn what_is_written_comes_back_bit_for_bit_and_twice_alike() {
    let device: Device = cpu();
    for set in [&[][..], &["predictor_layers=two"], &["network=resnet18"], &["network=resnet18_imagenet"]] {
        let (params, channels) = (params(set), if set.iter().any(|set| set.contains("resnet18")) { 3 } else { 1 });
        let (online, target) = nets(&params, channels, 3);
        for target in [None, Some(&target)] {
            let recipe = Recipe::new(RecipeKind::Torchvision, 0.08);
            let pack = || packed(&online, target, &params, &recipe, 40, channels).unwrap();
            let bytes = pack();
            assert_eq!(bytes, pack());
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("net.safetensors");
            std::fs::write(&path, bytes).unwrap();
            let file = Opened::open(&path).unwrap();
            assert_eq!(file.texts["learnscope.step"], "40");
            assert_eq!(file.texts["learnscope.network"], params.text("network"));
            assert!(file.texts["learnscope.parameters"].contains("\"target\":\"ema\""));
            let (other, _) = nets(&params, channels, 4);
            assert_ne!(bits(&other), bits(&online));
            let (again, fit) = start_from(&file, other, label(&params), &device).unwrap();
            assert_eq!(bits(&again), bits(&online), "{set:?}");
            assert_eq!(fit.taken, fit.of);
            assert!(fit.mismatch.missing.is_empty() && fit.mismatch.shapes.is_empty());
            assert_eq!(fit.mismatch.unexpected.is_empty(), target.is_none());
        }
    }
}

/// The encoder of a network under the names of another program.
fn renamed(online: &Online, name: impl Fn(&str) -> String) -> Vec<Written> {
    let encoder = tensors(online, None).unwrap().into_iter().filter(|tensor| !tensor.name.starts_with("pr"));
    encoder.map(|tensor| Written { name: name(&tensor.name), ..tensor }).collect()
}

#[test]
fn a_resnet_of_another_program_is_found_whatever_stands_before_its_names() {
    let (params, folder) = (params(&["network=resnet18"]), tempfile::tempdir().unwrap());
    let ((theirs, _), (average, _), (ours, _)) = (nets(&params, 3, 1), nets(&params, 3, 2), nets(&params, 3, 3));
    let sequential = |name: &str| numbered(name, 3);
    let namings: [(&str, Vec<Written>); 7] = [
        ("torchvision", renamed(&theirs, str::to_owned)),
        ("module", renamed(&theirs, |name| format!("module.backbone.{name}"))),
        ("moco", {
            let mut both = renamed(&theirs, |name| format!("module.encoder_q.{name}"));
            both.extend(renamed(&average, |name| format!("module.encoder_k.{name}")));
            both
        }),
        ("byol", {
            let mut both = renamed(&average, |name| format!("a_target.net.{name}"));
            both.extend(renamed(&theirs, |name| format!("online_encoder.net.{name}")));
            both
        }),
        ("lightly", {
            let mut both = renamed(&theirs, |name| format!("backbone.{}", sequential(name)));
            both.extend(renamed(&average, |name| format!("backbone_momentum.{}", sequential(name))));
            both
        }),
        (
            "lightly's own",
            renamed(&theirs, |name| format!("backbone.{}", numbered(name, 1).replace("downsample", "shortcut"))),
        ),
        ("kuangliu", renamed(&theirs, |name| name.replace("downsample", "shortcut"))),
    ];
    let of_encoder = |net: &Online| {
        let all = bits(net);
        all.into_iter().filter(|(path, _)| path.starts_with("branch.encoder")).collect::<Vec<_>>()
    };
    for (name, mut tensors) in namings {
        tensors.push(Written { name: "fc.weight".to_owned(), shape: vec![2, 1], numbers: vec![0.5; 2] });
        let file = file(&folder, &format!("{name}.safetensors"), &tensors);
        let (net, fit) = started(&file, &ours, &params);
        assert_eq!(of_encoder(&net), of_encoder(&theirs), "{name}");
        assert_eq!(fit.taken, torchvision(3).len(), "{name}");
        assert!(fit.mismatch.shapes.is_empty() && fit.mismatch.unexpected.contains(&"fc.weight".to_owned()), "{name}");
        assert!(fit.mismatch.missing.iter().all(|missing| missing.starts_with("pr")), "{:?}", fit.mismatch);
        // The heads stay as they were.
        let of_heads = |net: &Online| {
            bits(net).into_iter().filter(|(path, _)| !path.starts_with("branch.encoder")).collect::<Vec<_>>()
        };
        assert_eq!(of_heads(&net), of_heads(&ours), "{name}");
    }
}

#[test]
fn a_stem_of_another_kind_stays_random_and_the_network_that_has_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for (network, other, shapes) in [
        ("resnet18", "resnet18_imagenet", "conv1.weight [64, 3, 7, 7] for [64, 3, 3, 3]"),
        ("resnet18_imagenet", "resnet18", "conv1.weight [64, 3, 3, 3] for [64, 3, 7, 7]"),
    ] {
        let [params, others] = [network, other].map(|network| params(&[&format!("network={network}")]));
        let ((theirs, _), (ours, _)) = (nets(&others, 3, 1), nets(&params, 3, 2));
        let file = file(&folder, "other.safetensors", &renamed(&theirs, str::to_owned));
        let (net, fit) = started(&file, &ours, &params);
        assert_eq!(fit.taken, torchvision(3).len() - 1);
        assert!(fit.line().contains(shapes), "{}", fit.line());
        let stem = |net: &Online| bits(net).into_iter().find(|(path, _)| path.ends_with("stem.weight")).unwrap();
        assert_eq!(stem(&net), stem(&ours));
        let told = super::super::experiment::told(&fit);
        assert!(told.contains(&format!("choose network={other}")), "{told}");
        // The network that is named takes all of it.
        let (net, fit) = started(&file, &nets(&others, 3, 3).0, &others);
        assert_eq!((fit.taken, stem(&net)), (torchvision(3).len(), stem(&theirs)));
        assert!(!super::super::experiment::told(&fit).contains("stem"));
    }
}

#[test]
fn a_file_of_which_nothing_fits_is_refused_by_the_names_of_both() {
    let (small, folder) = (params(&[]), tempfile::tempdir().unwrap());
    let (online, _) = nets(&small, 1, 1);
    let of = |name: &str| Written { name: name.to_owned(), shape: vec![3], numbers: vec![0.5; 3] };
    let refused = |name: &str| {
        let file = file(&folder, "odd.safetensors", &[of(name)]);
        start_from(&file, online.clone(), label(&small), &cpu()).unwrap_err().to_string()
    };
    let message = refused("blocks.0.attn.qkv");
    for words in ["odd.safetensors", "three convolutions", "blocks.0.attn.qkv", "conv1.weight"] {
        assert!(message.contains(words), "{message}");
    }
    assert!(!message.contains("checkpoint"), "{message}");
    assert!(refused("online/branch.encoder").contains("It is a checkpoint: export the weights"));
    // Another network's weights fit nowhere either.
    let resnet = params(&["network=resnet18"]);
    let theirs = file(&folder, "resnet.safetensors", &renamed(&nets(&resnet, 3, 1).0, str::to_owned));
    assert!(start_from(&theirs, online.clone(), label(&small), &cpu()).is_err());
    let folder_given = check(folder.path()).unwrap_err().to_string();
    assert!(folder_given.contains("is a folder") && folder_given.contains("--weights"), "{folder_given}");
}

#[test]
fn a_value_that_is_no_number_is_named() {
    let (small, folder) = (params(&[]), tempfile::tempdir().unwrap());
    let (online, _) = nets(&small, 1, 1);
    let mut tensors = tensors(&online, None).unwrap();
    tensors[2].numbers[0] = f32::NAN;
    let name = tensors[2].name.clone();
    let file = file(&folder, "nan.safetensors", &tensors);
    let message = start_from(&file, online, label(&small), &cpu()).unwrap_err().to_string();
    assert!(message.contains(&name) && message.contains("NaN"), "{message}");
}
