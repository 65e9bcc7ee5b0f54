//! The architecture's invariants that can be read off the source: imports point one way, and nothing else names a lab.

use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file below `src/<room>`, with its text without comments.
fn sources(room: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room);
    let mut files = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
                files.push((path, code.join("\n")));
            }
        }
    }
    assert!(!files.is_empty(), "src/{room} holds no Rust file");
    files
}

fn refuse(room: &str, words: &[&str], why: &str) {
    for (path, code) in sources(room) {
        for word in words {
            assert!(!code.contains(word), "{} contains `{word}`: {why}", path.display());
        }
    }
}

#[test]
fn training_knows_nothing_of_windows() {
    for room in ["engine", "compute", "data", "nn", "metrics"] {
        refuse(room, &["egui", "eframe", "egui_plot", "winit", "rfd::"], "training code draws nothing");
    }
}

#[test]
fn imports_point_one_way() {
    refuse("plot", &["crate::app", "crate::labs", "crate::nn", "crate::data"], "plot draws plain data");
    refuse("gpu", &["crate::app", "crate::labs", "crate::engine"], "gpu draws plain data");
    refuse("labs", &["crate::app", "crate::cli"], "labs do not know the window");
    for room in ["engine", "compute", "data", "nn", "metrics"] {
        refuse(
            room,
            &["crate::app", "crate::cli", "crate::labs", "crate::plot", "crate::gpu"],
            "imports point one way",
        );
    }
}

#[test]
fn the_default_device_is_never_asked_for() {
    // It opens wgpu even in a run on the CPU.
    refuse("", &["Device::default()"], "devices are opened in compute::device");
}

#[test]
fn one_place_names_burn_device_constructors() {
    for (path, code) in sources("") {
        if path.ends_with("compute/device.rs") {
            continue;
        }
        for word in ["Device::flex()", "Device::wgpu", "Device::cpu()", "Device::cuda"] {
            assert!(!code.contains(word), "{} contains `{word}`: it belongs into compute/device.rs", path.display());
        }
    }
}

#[test]
fn nothing_is_printed_with_a_macro_that_panics() {
    // They panic where the stream cannot be written, and take the training along.
    for (path, code) in sources("") {
        let code = code.split("#[cfg(test)]").next().unwrap_or_default();
        for word in ["print!(", "println!(", "dbg!("] {
            let test = path.ends_with("tests.rs");
            assert!(test || !code.contains(word), "{} contains `{word}`: use cli::output", path.display());
        }
    }
}

#[test]
fn one_place_reads_tensors_back() {
    for (path, code) in sources("") {
        if path.ends_with("compute/readback.rs") {
            continue;
        }
        for word in [".into_data(", ".to_data(", ".into_scalar", "Transaction::"] {
            assert!(!code.contains(word), "{} contains `{word}`: it belongs into compute/readback.rs", path.display());
        }
    }
}

#[test]
fn nothing_that_crosses_a_channel_holds_a_tensor() {
    for file in ["engine/event.rs", "engine/command.rs", "engine/mailbox.rs", "engine/state.rs", "engine/params.rs"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("burn::") && !text.contains("Tensor<"), "{file} names a type of Burn");
    }
}

#[test]
fn nothing_outside_its_folder_names_a_lab() {
    let labs: Vec<String> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/labs"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert!(labs.contains(&"optimizers".to_owned()));
    for (path, code) in sources("") {
        for lab in &labs {
            let inside = path.components().any(|part| part.as_os_str() == lab.as_str());
            let registry = path.ends_with("labs/mod.rs");
            let module = format!("labs::{lab}");
            // Unit tests may use a lab as an example.
            let code = code.split("#[cfg(test)]").next().unwrap_or_default();
            assert!(inside || registry || !code.contains(&module), "{} names the lab `{lab}`", path.display());
        }
    }
}

#[test]
fn every_lab_is_well_declared() {
    use learnscope::engine::params::{Params, Value};
    use learnscope::labs::LABS;
    use std::collections::HashSet;

    let mut ids = HashSet::new();
    for lab in LABS {
        let spec = lab.spec();
        assert!(ids.insert(spec.id), "two labs are called {}", spec.id);
        assert!(spec.guide.len() > 500, "{}: the guide is a lesson, not a line", spec.id);
        let mut keys = HashSet::new();
        for param in spec.params {
            assert!(keys.insert(param.key), "{}: two parameters are called {}", spec.id, param.key);
            param.check(&Value::from(param.default)).unwrap_or_else(|error| panic!("{}: {error}", spec.id));
            assert!(!param.help.is_empty() && !param.label.is_empty(), "{}/{} says nothing", spec.id, param.key);
        }
        for key in spec.headline {
            assert!(spec.keys.iter().any(|known| known.key == *key), "{}: the headline key {key} is none", spec.id);
        }
        for preset in spec.presets {
            spec.preset(preset.id).unwrap().unwrap_or_else(|error| panic!("{}/{}: {error}", spec.id, preset.id));
        }
        for study in spec.studies {
            assert!(!study.rows.is_empty() && !study.measures.is_empty(), "{}/{} is empty", spec.id, study.id);
            for row in study.rows {
                let mut params = Params::defaults(spec.params);
                for (key, value) in study.common.iter().chain(row.set) {
                    params
                        .set_text(spec.params, &format!("{key}={value}"))
                        .unwrap_or_else(|error| panic!("{}/{}, {}: {error}", spec.id, study.id, row.label));
                }
                let most = row.paper.len().max(row.paper_std.len());
                assert!(most <= study.measures.len(), "{}/{}, {}", spec.id, study.id, row.label);
            }
        }
        let view = lab.view();
        let tiles: HashSet<&str> = view.tiles().iter().map(|tile| tile.id).collect();
        assert_eq!(tiles.len(), view.tiles().len(), "{}: two tiles have one id", spec.id);
        assert!(!tiles.is_empty(), "{} shows nothing", spec.id);
    }
}

/// The lock file holds one egui, one wgpu, one burn, and fusion is off (together with autotune it computes wrong numbers).
#[test]
fn one_version_of_each_pillar_and_no_fusion() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock");
    let lock = fs::read_to_string(manifest).unwrap();
    for pillar in ["egui", "eframe", "egui_plot", "wgpu", "naga", "burn", "burn-tensor", "burn-wgpu", "cubecl-wgpu"] {
        let count = lock.matches(&format!("name = \"{pillar}\"\n")).count();
        assert_eq!(count, 1, "{pillar} stands {count} times in Cargo.lock");
    }
    let tree = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--offline", "-e", "normal", "-i", "burn-fusion"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo tree runs");
    let text = String::from_utf8_lossy(&tree.stdout).into_owned() + &String::from_utf8_lossy(&tree.stderr);
    assert!(text.contains("nothing to print"), "burn-fusion is switched on by a feature:\n{text}");
}
