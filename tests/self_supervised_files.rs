//! Files of the self-supervised lab by the real binary: weights and features out of a run, weights into another, and recorded spectra
//! and matrices as arrays.

mod support;

use std::fs;
use std::path::Path;

use learnscope::nn::weights::{Opened, Written, packed};
use tempfile::TempDir;

use support::program::{fails, metrics, only_run_in, succeeds};

const SMALL: &str = "--device cpu --set train_images=64 --set batch_size=16 --set probe_train=60 --set probe_test=40 --set \
                     analysis_every=2 --set probe_every=2";

/// Shape and bytes of the numbers of an NPY file.
fn npy(path: &Path) -> (String, Vec<u8>) {
    let file = fs::read(path).unwrap();
    let length = 10 + u16::from_le_bytes([file[8], file[9]]) as usize;
    let header = std::str::from_utf8(&file[10..length]).unwrap();
    (header.split("'shape': ").nth(1).unwrap().trim_end().trim_end_matches(", }").to_owned(), file[length..].to_vec())
}

fn f32s(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
}

fn i64s(bytes: &[u8]) -> Vec<i64> {
    bytes.chunks_exact(8).map(|eight| i64::from_le_bytes(eight.try_into().unwrap())).collect()
}

#[test]
fn weights_go_out_and_in_and_give_the_same_features_bit_for_bit() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, &format!("run self-supervised --steps 4 --out first {SMALL} --set predictor_layers=two"));
    let first = only_run_in(&home, "first").display().to_string();
    succeeds(&home, &format!("export {first} --weights --to net.safetensors"));
    succeeds(&home, &format!("export {first} --features --to h.npy --device cpu"));

    // 0 steps: analysed, not trained.
    let analyse = "--set init=file --set weights=net.safetensors --set steps=0 --seed 99 --set predictor_layers=two";
    succeeds(&home, &format!("run self-supervised --out second {SMALL} {analyse}"));
    let second = only_run_in(&home, "second");
    succeeds(&home, &format!("export {} --features --to again.npy --device cpu", second.display()));
    let (shape, numbers) = npy(&home.path().join("h.npy"));
    assert_eq!(shape, "(1000, 64)");
    assert_eq!(npy(&home.path().join("again.npy")), (shape, numbers.clone()));
    assert!(f32s(&numbers).iter().any(|value| *value > 0.0));
    let labels = i64s(&npy(&home.path().join("h.labels.npy")).1);
    assert_eq!(labels.len(), 1000);
    assert_eq!(labels.iter().max(), Some(&9));

    // As CSV the numbers are the same.
    succeeds(&home, &format!("export {first} --features --to h.csv --device cpu"));
    let mut csv = csv::Reader::from_path(home.path().join("h.csv")).unwrap();
    assert_eq!(csv.headers().unwrap().len(), 3 + 64);
    let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    let read: Vec<f32> =
        rows.iter().flat_map(|row| row.iter().skip(3).map(|v| v.parse().unwrap())).collect::<Vec<f32>>();
    assert_eq!(read, f32s(&numbers));
    assert_eq!(rows.iter().map(|row| row[1].parse::<i64>().unwrap()).collect::<Vec<_>>(), labels);

    // Everything that tells of a representation is there at step 0.
    let said = metrics(&second);
    let at_start = |key: &str| said.iter().find(|(step, known, _)| *step == 0 && known == key).map(|row| row.2.clone());
    for key in [
        "effective_rank",
        "effective_rank/centred",
        "normalised_std",
        "asymmetry",
        "alignment/weighted",
        "alignment/mean_top8",
        "commutator",
        "loss/cosine",
        "views/alignment",
        "views/uniformity",
        "views/alignment/features",
        "views/uniformity/features",
        "uniformity/test",
        "rank_me/features",
        "rank_me/embeddings",
        "spectral_slope",
        "knn",
        "probe",
    ] {
        let value: f64 = at_start(key).unwrap_or_else(|| panic!("no {key}")).parse().unwrap();
        assert!(value.is_finite(), "{key}: {value}");
    }
    assert!(said.iter().all(|(step, ..)| *step == 0));
    // kNN of the same weights on the same pictures.
    let trained: Vec<String> = metrics(Path::new(&first))
        .into_iter()
        .filter(|(step, key, _)| *step == 4 && key == "knn")
        .map(|row| row.2)
        .collect();
    assert_eq!(trained, [at_start("knn").unwrap()]);
    let second = second.display().to_string();
    for (key, shape) in [("spectrum/features", "(64,)"), ("eigenvalues/F", "(64,)"), ("matrix/Wp", "(64, 64)")] {
        succeeds(&home, &format!("export {second} --figure {key} --to one.npy --force"));
        assert_eq!(npy(&home.path().join("one.npy")).0, shape, "{key}");
    }
}

#[test]
fn parts_checkpoints_embeddings_and_the_target_can_be_asked_for() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, &format!("run self-supervised --steps 3 {SMALL}"));
    let run = only_run_in(&home, "runs").display().to_string();
    succeeds(&home, &format!("export {run} --features --part train --embeddings --to z.npy --device cpu"));
    assert_eq!(npy(&home.path().join("z.npy")).0, "(64, 64)");
    succeeds(&home, &format!("export {run} --features --step 3 --to h3.npy --device cpu"));
    fails(&home, &format!("export {run} --features --step 2 --to h2.npy"), 2, &["no checkpoint of step 2", "3"]);
    succeeds(&home, &format!("export {run} --weights --with-target --to both.safetensors"));
    let file = Opened::open(&home.path().join("both.safetensors")).unwrap();
    for name in ["conv1.weight", "target.conv1.weight", "projector.3.weight", "predictor.weight"] {
        assert!(file.tensors.contains_key(name), "{name}: {:?}", file.tensors.keys().collect::<Vec<_>>());
    }
    let text = |key: &str| file.texts[key].as_str();
    assert_eq!((text("learnscope.lab"), text("learnscope.network")), ("self-supervised", "small"));
    assert_eq!((text("learnscope.mean"), text("learnscope.std"), text("learnscope.step")), ("0.5", "0.25", "3"));

    for (line, words) in [
        ("--features --to h.json", &["must be .npy or .csv"][..]),
        ("--weights --to net.csv", &["must be .safetensors"]),
        ("--features --to z.npy", &["z.npy", "already there"]),
        ("--features --data . --to y.npy", &["generated"]),
        ("--part train --to m.csv", &["--features"]),
        ("--embeddings --to m.csv", &["--features"]),
    ] {
        fails(&home, &format!("export {run} {line}"), 2, words);
    }
    succeeds(&home, "run optimizers --steps 3 --out other");
    let other = only_run_in(&home, "other").display().to_string();
    fails(&home, &format!("export {other} --weights --to o.safetensors"), 2, &["optimizers", "self-supervised"]);
    fails(&home, &format!("export {other} --features --to o.npy"), 2, &["optimizers", "self-supervised"]);
    assert!(!home.path().join("h2.npy").exists() && !home.path().join("o.npy").exists());
}

#[test]
fn a_spectrum_is_exported_at_any_step_or_at_all() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, &format!("run self-supervised --steps 6 {SMALL}"));
    let run = only_run_in(&home, "runs").display().to_string();
    let numbers = |name: &str| npy(&home.path().join(name));
    succeeds(&home, &format!("export {run} --figure eigenvalues/F --step 2 --to two.npy"));
    succeeds(&home, &format!("export {run} --figure eigenvalues/F --to last.npy"));
    assert_ne!(numbers("two.npy"), numbers("last.npy"));
    succeeds(&home, &format!("export {run} --figure eigenvalues/F --all --to all.npy"));
    // Step 1 has the first F.
    assert_eq!(i64s(&numbers("all.steps.npy").1), [1, 2, 4, 6]);
    let (shape, all) = numbers("all.npy");
    assert_eq!(shape, "(4, 64)");
    let row = 64 * 8;
    assert_eq!(all[row..2 * row], numbers("two.npy").1);
    assert_eq!(all[3 * row..], numbers("last.npy").1);
    succeeds(&home, &format!("export {run} --figure matrix/Wp --all --to wp.npy"));
    // Wp alone is known before the first step.
    assert_eq!(numbers("wp.npy").0, "(5, 64, 64)");
    succeeds(&home, &format!("export {run} --figure eigenvalues/F --all --to all.csv"));
    let text = fs::read_to_string(home.path().join("all.csv")).unwrap();
    assert!(text.starts_with("step,index,value\n1,0,"), "{}", &text[..40]);
    assert_eq!(text.lines().count(), 1 + 4 * 64);

    for (line, words) in [
        ("--figure metrics --to m.npy", &["table", ".csv"][..]),
        ("--figure views/draws --to d.npy", &["text, not an array"]),
        ("--figure views/sample --to s.npy", &["picture"]),
        ("--figure eigenvalues/F --all --to f.png", &["--all", "numbers"]),
        ("--figure eigenvalues/F --all --step 2 --to f.csv", &["--all", "--step"]),
        ("--figure eigenvalues/F --all --to all.npy", &["already there"]),
    ] {
        fails(&home, &format!("export {run} {line}"), 2, words);
    }
}

/// A batch normalisation's tensors before any step.
fn norm(add: &mut impl FnMut(String, &[usize], &dyn Fn(usize) -> f32), name: &str, channels: usize) {
    for (part, value) in [("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)] {
        add(format!("{name}.{part}"), &[channels], &|_| value);
    }
}

/// A ResNet-18's encoder as torchvision names it, of so small numbers that it can be run.
fn resnet(prefix: &str, stem: usize) -> Vec<Written> {
    let mut all = Vec::new();
    let mut add = |name: String, shape: &[usize], value: &dyn Fn(usize) -> f32| {
        let numbers = (0..shape.iter().product()).map(value).collect();
        all.push(Written { name: format!("{prefix}{name}"), shape: shape.to_vec(), numbers });
    };
    let kernel = |i: usize| ((i * 7919 % 1000) as f32 / 1000.0 - 0.5) * 0.1;
    add("conv1.weight".to_owned(), &[64, 3, stem, stem], &kernel);
    norm(&mut add, "bn1", 64);
    let mut inputs = 64;
    for (layer, outputs) in [(1, 64), (2, 128), (3, 256), (4, 512)] {
        for block in 0..2 {
            let name = format!("layer{layer}.{block}");
            add(format!("{name}.conv1.weight"), &[outputs, inputs, 3, 3], &kernel);
            norm(&mut add, &format!("{name}.bn1"), outputs);
            add(format!("{name}.conv2.weight"), &[outputs, outputs, 3, 3], &kernel);
            norm(&mut add, &format!("{name}.bn2"), outputs);
            if inputs != outputs {
                add(format!("{name}.downsample.0.weight"), &[outputs, inputs, 1, 1], &kernel);
                norm(&mut add, &format!("{name}.downsample.1"), outputs);
            }
            inputs = outputs;
        }
    }
    add("fc.weight".to_owned(), &[10, 512], &kernel);
    all
}

/// A folder of two classes of colour pictures.
fn pictures(home: &TempDir) {
    for (class, shade) in [("a", 60), ("b", 200)] {
        let folder = home.path().join("pictures").join(class);
        fs::create_dir_all(&folder).unwrap();
        for i in 0..6_u32 {
            let of = |x: u32, y: u32| image::Rgb([shade, (x * 20 + i * 9) as u8, (y * 25) as u8]);
            image::RgbImage::from_fn(8, 8, of).save(folder.join(format!("{i}.png"))).unwrap();
        }
    }
}

#[test]
fn a_resnet_of_ones_own_is_analysed_at_once() {
    let home = tempfile::tempdir().unwrap();
    pictures(&home);
    let save = |name: &str, tensors: &[Written]| {
        fs::write(home.path().join(name), packed(tensors, Default::default()).unwrap()).unwrap();
    };
    save("mine.safetensors", &resnet("module.backbone.", 3));
    save("imagenet.safetensors", &resnet("", 7));
    let analyse = |file: &str, out: &str| {
        format!(
            "run self-supervised --preset analyse-weights --device cpu --out {out} --set source=folder --set data=pictures --set \
             image_size=8 --set batch_size=4 --set probe_train=10 --set probe_test=10 --set weights={file}"
        )
    };
    succeeds(&home, &analyse("mine.safetensors", "mine"));
    let run = only_run_in(&home, "mine");
    let said = metrics(&run);
    for key in ["rank_me/features", "knn", "probe", "effective_rank", "views/alignment/features"] {
        assert!(said.iter().any(|(step, known, _)| *step == 0 && known == key), "{key}");
    }
    succeeds(&home, &format!("export {} --figure spectrum/features --to s.npy", run.display()));
    assert_eq!(npy(&home.path().join("s.npy")).0, "(512,)");
    // What was taken goes out again as it came.
    succeeds(&home, &format!("export {} --weights --to out.safetensors", run.display()));
    let (ours, theirs) = (
        Opened::open(&home.path().join("out.safetensors")).unwrap(),
        Opened::open(&home.path().join("mine.safetensors")).unwrap(),
    );
    for name in ["conv1.weight", "layer3.0.downsample.0.weight", "layer4.1.bn2.running_var"] {
        let of = |file: &Opened, name: &str| file.numbers(&[&file.tensors[name]]).unwrap();
        assert_eq!(of(&ours, name), of(&theirs, &format!("module.backbone.{name}")), "{name}");
    }

    let output = support::program::run(&home, &analyse("imagenet.safetensors", "imagenet"));
    let told = format!("{}{}", support::program::stdout(&output), support::program::stderr(&output));
    assert_eq!(output.status.code(), Some(0), "{told}");
    for words in [
        "conv1.weight [64, 3, 7, 7] for [64, 3, 3, 3]",
        "The stem is 3×3 here",
        "choose network=resnet18_imagenet",
        "The projector is random",
        "fc.weight",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    fails(&home, &analyse("missing.pth", "none"), 2, &["missing.pth"]);
    let without = "run self-supervised --preset analyse-weights --device cpu --set source=folder --set data=pictures";
    fails(&home, without, 2, &["choose the file of weights"]);
}

#[test]
fn a_network_with_imagenets_stem_trains_and_goes_out_and_in() {
    let home = tempfile::tempdir().unwrap();
    pictures(&home);
    fs::write(home.path().join("torchvision.safetensors"), packed(&resnet("", 7), Default::default()).unwrap())
        .unwrap();
    let run = |out: &str, more: &str| {
        format!(
            "run self-supervised --device cpu --out {out} --set network=resnet18_imagenet --set source=folder --set data=pictures --set \
             batch_size=4 --set probe_train=10 --set probe_test=10 --set init=file {more}"
        )
    };
    let line =
        run("mine", "--set image_size=32 --steps 2 --set moments=imagenet --set weights=torchvision.safetensors");
    let output = support::program::run(&home, &line);
    let told = format!("{}{}", support::program::stdout(&output), support::program::stderr(&output));
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("fc.weight") && !told.contains("The stem is"), "{told}");
    let first = only_run_in(&home, "mine");
    let losses = metrics(&first).into_iter().filter(|(step, key, _)| *step == 2 && key == "loss/cosine");
    assert!(losses.map(|(.., loss)| loss.parse::<f64>().unwrap()).all(f64::is_finite));
    let first = first.display().to_string();
    succeeds(&home, &format!("export {first} --weights --to net.safetensors"));
    succeeds(&home, &format!("export {first} --features --to h.npy --device cpu"));
    let file = Opened::open(&home.path().join("net.safetensors")).unwrap();
    let text = |key: &str| file.texts[key].as_str();
    assert_eq!(text("learnscope.network"), "resnet18_imagenet");
    assert_eq!(text("learnscope.build"), "torchvision.models.resnet18() with fc = Identity()");
    assert_eq!((text("learnscope.mean"), text("learnscope.std")), ("0.485 0.456 0.406", "0.229 0.224 0.225"));
    assert_eq!(file.tensors["conv1.weight"].shape, [64, 3, 7, 7]);

    // The same weights and pictures are the same features; other moments are others.
    let again = |out: &str, moments: &str| {
        let line = run(out, &format!("--set image_size=32 --set steps=0 --set weights=net.safetensors {moments}"));
        succeeds(&home, &line);
        let folder = only_run_in(&home, out);
        succeeds(&home, &format!("export {} --features --to {out}.npy --device cpu", folder.display()));
        npy(&home.path().join(format!("{out}.npy")))
    };
    let features = npy(&home.path().join("h.npy"));
    assert_eq!(features.0, "(2, 512)");
    assert_eq!(again("again", "--set moments=imagenet"), features);
    assert_ne!(again("other", ""), features);
    let small = run("none", "--set image_size=31 --set weights=net.safetensors");
    fails(&home, &small, 2, &["image_size", "network=resnet18_imagenet", "32 or more"]);
}

#[test]
fn the_training_pictures_own_moments_are_told_and_go_out_with_the_weights() {
    let home = tempfile::tempdir().unwrap();
    // Red is 51 or 102, green is constant, blue is 0 or 255.
    for part in ["train", "test"] {
        for (class, red, blue) in [("a", 51, 0), ("b", 102, 255)] {
            let folder = home.path().join("plain").join(part).join(class);
            fs::create_dir_all(&folder).unwrap();
            for i in 0..6 {
                image::RgbImage::from_pixel(8, 8, image::Rgb([red, 100, blue]))
                    .save(folder.join(format!("{i}.png")))
                    .unwrap();
            }
        }
    }
    let small = "run self-supervised --device cpu --set source=folder --set data=plain --set image_size=8 --set batch_size=4 --set \
                 probe_train=10 --set probe_test=10 --steps 2";
    let output = support::program::run(&home, &format!("{small} --out own --set moments=data"));
    let told = format!("{}{}", support::program::stdout(&output), support::program::stderr(&output));
    assert_eq!(output.status.code(), Some(0), "{told}");
    let moments = "mean 0.3000, 0.3922, 0.5000, standard deviation 0.1000, 1.0000, 0.5000";
    assert!(told.contains(moments), "{told}");
    let run = only_run_in(&home, "own");
    let losses: Vec<f64> =
        metrics(&run).into_iter().filter(|row| row.1 == "loss/cosine").map(|row| row.2.parse().unwrap()).collect();
    assert!(!losses.is_empty() && losses.iter().all(|loss| loss.is_finite()), "{losses:?}");
    let run = run.display().to_string();
    // The pictures themselves are not needed any more.
    fs::rename(home.path().join("plain"), home.path().join("moved")).unwrap();
    succeeds(&home, &format!("export {run} --weights --to own.safetensors"));
    let file = Opened::open(&home.path().join("own.safetensors")).unwrap();
    let texts = (file.texts["learnscope.mean"].as_str(), file.texts["learnscope.std"].as_str());
    assert_eq!(texts, ("0.3 0.39215687 0.5", "0.1 1 0.5"));
    let other = format!("export {run} --features --data moved/test --to h.npy --device cpu");
    let output = support::program::run(&home, &other);
    let told = format!("{}{}", support::program::stdout(&output), support::program::stderr(&output));
    assert!(output.status.success() && told.contains(moments), "{told}");
    fs::rename(home.path().join("moved"), home.path().join("plain")).unwrap();
    // Not asked for, nothing is told and nothing is changed.
    let plain = succeeds(&home, &format!("{small} --out recipe"));
    assert!(!plain.contains("normalised by"), "{plain}");
    assert_ne!(metrics(&only_run_in(&home, "recipe")), metrics(&only_run_in(&home, "own")));
}
