//! The architecture's invariants that can be read off the source: imports point one way, and nothing else names a lab.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The text of a file without comments.
fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The code with every item under `#[cfg(test)]` taken out; what follows such an item is kept.
fn without_tests(code: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push(line);
            continue;
        }
        // A module's braces close at the indentation of its first line; `mod tests;` and `use` end on theirs.
        let first = lines.by_ref().find(|line| !line.trim_start().starts_with('#')).unwrap_or_default();
        let indent = &first[..first.len() - first.trim_start().len()];
        if !first.trim_end().ends_with([';', '}']) {
            lines.by_ref().find(|line| line.strip_prefix(indent).is_some_and(|rest| ["}", "};"].contains(&rest)));
        }
    }
    kept.join("\n")
}

/// Every Rust file of a room (a folder of `src` or one file), with its text without comments.
fn sources(room: &str) -> Vec<(PathBuf, String)> {
    let file = root().join(format!("{room}.rs"));
    if file.is_file() {
        let code = code_of(&file);
        return vec![(file, code)];
    }
    let mut files = Vec::new();
    let mut folders = vec![root().join(room)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let code = code_of(&path);
                files.push((path, code));
            }
        }
    }
    assert!(!files.is_empty(), "src/{room} holds no Rust file");
    files
}

#[test]
fn tests_are_taken_out_and_nothing_else() {
    let code = "a\n#[cfg(test)]\nmod tests;\nb\n#[cfg(test)]\nmod tests {\n    c\n}\nd\n    #[cfg(test)]\n    fn e() {\n        f\n    }\ng";
    assert_eq!(without_tests(code), "a\nb\nd\ng");
}

fn refuse(room: &str, words: &[&str], why: &str) {
    for (path, code) in sources(room) {
        for word in words {
            assert!(!code.contains(word), "{} contains `{word}`: {why}", path.display());
        }
    }
}

/// Every room of `src` and the rooms that it may use. Those without windows stand above the line.
const ROOMS: &[(&str, &[&str])] = &[
    ("disk", &[]),
    ("watch", &[]),
    ("signals", &[]),
    ("scale", &[]),
    ("compute", &["disk"]),
    ("pixels", &["compute"]),
    ("text", &["compute"]),
    ("metrics", &["compute", "pixels"]),
    ("nn", &["compute", "disk"]),
    ("data", &["compute", "disk", "pixels", "watch"]),
    ("landscape", &["compute", "nn", "watch"]),
    ("engine", &["compute", "disk", "landscape", "watch"]),
    // ---- from here on, something may be drawn
    ("plot", &["scale", "watch"]),
    ("gpu", &["scale"]),
    ("kit", &["compute", "disk", "engine", "landscape", "nn", "pixels", "plot", "watch"]),
    (
        "labs",
        &[
            "compute",
            "data",
            "disk",
            "engine",
            "gpu",
            "kit",
            "landscape",
            "metrics",
            "nn",
            "pixels",
            "plot",
            "text",
            "watch",
        ],
    ),
    ("app", &["compute", "disk", "engine", "kit", "labs", "plot", "signals", "watch"]),
    ("cli", &["app", "compute", "data", "disk", "engine", "kit", "labs", "plot", "signals", "watch"]),
];

/// How many of [`ROOMS`] draw nothing.
const WITHOUT_WINDOWS: usize = 12;

const WINDOW_WORDS: &[&str] = &["egui", "eframe", "winit", "rfd::"];

#[test]
fn training_knows_nothing_of_windows() {
    for (room, _) in &ROOMS[..WITHOUT_WINDOWS] {
        refuse(room, WINDOW_WORDS, "training code draws nothing");
    }
    // What runs without a window: the facts of a lab, and everything of a lab outside its views.
    for file in ["kit/lab.rs", "kit/doctor.rs", "kit/predict.rs"] {
        let code = code_of(&root().join(file));
        assert!(!WINDOW_WORDS.iter().any(|word| code.contains(word)), "{file} names a window");
    }
    for (path, code) in sources("labs") {
        let of_views = path.components().any(|part| part.as_os_str() == "view") || path.ends_with("labs/mod.rs");
        let found = WINDOW_WORDS.iter().find(|word| !of_views && code.contains(**word));
        assert!(found.is_none(), "{} contains `{}`: it belongs into a view", path.display(), found.unwrap());
    }
}

#[test]
fn imports_point_one_way() {
    let known: Vec<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    for entry in fs::read_dir(root()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(
            ["lib", "main"].contains(&name.as_str()) || known.contains(&name.as_str()),
            "src/{name} is no known room"
        );
    }
    for (room, may) in ROOMS {
        for (path, code) in sources(room) {
            // A test may put several rooms together.
            let code = without_tests(&code);
            for other in known.iter().filter(|other| *other != room && !may.contains(other)) {
                let names = format!("crate::{other}");
                let found = code.match_indices(&names).any(|(at, _)| {
                    !code[at + names.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_')
                });
                assert!(!found, "{} names `{names}`: {room} uses {may:?} alone", path.display());
            }
        }
    }
}

#[test]
fn no_files_of_the_window_need_each_other() {
    let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let files: Vec<(String, String)> =
        sources("app").iter().map(|(path, code)| (stem(path), without_tests(code))).collect();
    // What stands after `super::`, a name or several in braces. Types of `app/mod.rs` itself begin with a capital.
    let needs = |code: &str| -> Vec<usize> {
        let named = code.split("super::").skip(1).flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default().split(',').collect::<Vec<_>>(),
            None => vec![rest],
        });
        let word = |text: &str| text.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned);
        let file = |word: String| if word.starts_with(char::is_uppercase) { "mod".to_owned() } else { word };
        let names: Vec<String> = named.filter_map(word).map(file).collect();
        (0..files.len()).filter(|index| names.contains(&files[*index].0)).collect()
    };
    let others = |own: &str| (0..files.len()).filter(|index| files[*index].0 != own).collect();
    let needs: Vec<Vec<usize>> =
        files.iter().map(|(name, code)| if name == "mod" { others(name) } else { needs(code) }).collect();
    assert!(needs.iter().map(Vec::len).sum::<usize>() > 100, "they were not found");
    // A file that needs only files that are taken away already can be taken away.
    let mut left: Vec<usize> = (0..files.len()).collect();
    loop {
        let before = left.len();
        let now = left.clone();
        left.retain(|file| needs[*file].iter().any(|other| now.contains(other)));
        if left.len() == before {
            break;
        }
    }
    let left: Vec<&str> = left.iter().map(|file| files[*file].0.as_str()).collect();
    assert!(left.is_empty(), "in a circle, or above one: {left:?}");
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
        let code = without_tests(&code);
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
fn random_numbers_come_from_the_table_of_streams() {
    for (path, code) in sources("") {
        let code = code.split("#[cfg(test)]").next().unwrap_or_default();
        let allowed = path.ends_with("tests.rs") || path.parent().is_some_and(|room| room.ends_with("compute"));
        assert!(allowed || !code.contains("HostRng::new("), "{}: use compute::streams", path.display());
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
            let code = without_tests(&code);
            assert!(inside || registry || !code.contains(&module), "{} names the lab `{lab}`", path.display());
        }
    }
}

/// What a lab can be told is set with `--set`: a flag of its own would be every lab's.
#[test]
fn no_flag_is_a_parameter_of_a_lab() {
    use clap::CommandFactory;
    // What any lab may have, the shell knows by itself.
    let common = ["data", "steps", "weights", "architecture"];
    let command = learnscope::cli::Flags::command();
    for verb in ["run", "resume", "study", "predict", "doctor"] {
        let verb = command.find_subcommand(verb).unwrap();
        for flag in verb.get_arguments().filter_map(|flag| flag.get_long()).filter(|flag| !common.contains(flag)) {
            let key = flag.replace('-', "_");
            let lab = learnscope::labs::specs().find(|lab| lab.params.iter().any(|param| param.key == key));
            assert!(lab.is_none(), "`{} --{flag}` is a parameter of the lab {}", verb.get_name(), lab.unwrap().id);
        }
    }
    let listed = learnscope::labs::specs().filter_map(|lab| Some((lab, (lab.predict?.settings)())));
    for (lab, settings) in listed {
        let known = |key: &str| settings.iter().any(|spec| spec.key == key);
        assert!(settings.iter().all(|spec| spec.only_if.is_none_or(|(parent, _)| known(parent))), "{}", lab.id);
        let of_lab = |key: &str| lab.params.iter().any(|param| param.key == key);
        // What no run has is grouped as such, so that it is not looked for among a run's parameters.
        let alone = |spec: &learnscope::engine::params::ParamSpec| spec.group == "Prediction";
        assert!(settings.iter().all(|spec| of_lab(spec.key) != alone(spec)) && !settings.is_empty(), "{}", lab.id);
    }
}

#[test]
fn every_lab_is_well_declared() {
    use learnscope::engine::params::{Params, Value};
    use learnscope::labs::LABS;
    use std::collections::HashSet;

    let mut ids = HashSet::new();
    for lab in LABS {
        let spec = lab.spec;
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
        for item in spec.tries {
            item.values(spec.params).unwrap_or_else(|error| panic!("{}, try “{}”: {error}", spec.id, item.text));
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
        let view = (lab.view)();
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
