//! The golden runner: numbers that were computed elsewhere, against ours. One test per lab, named after its module.
//!
//! Reads every `*.json` and `*.json.gz` in `tests/golden/<module>/`, or in `$LEARNSCOPE_GOLDEN_DIR/<module>/` where that
//! variable is set (same schemas, other cases). A kind of case that the runner does not know is a
//! failure, never skipped; runs of torch.optim that the product really has not are named in one list of
//! `golden/optimizers.rs`, counted and printed.

#[path = "golden/image_report.rs"]
mod image_report_cases;
#[path = "golden/image_report_losses.rs"]
mod image_report_losses_cases;
#[path = "golden/image_report_text.rs"]
mod image_report_text_cases;
#[path = "golden/optimizers.rs"]
mod optimizers_cases;
#[path = "golden/perturbation_rules.rs"]
mod perturbation_rules;
#[path = "golden/reconstruction.rs"]
mod reconstruction_cases;
#[path = "golden/segmentation.rs"]
mod segmentation_cases;
#[path = "golden/segmentation_images.rs"]
mod segmentation_images_cases;
#[path = "golden/self_supervised.rs"]
mod self_supervised_cases;
#[path = "golden/self_supervised_encoder.rs"]
mod self_supervised_encoder_cases;
#[path = "golden/self_supervised_theory.rs"]
mod self_supervised_theory_cases;
#[path = "golden/tensors.rs"]
mod tensors;
#[path = "golden/trained.rs"]
mod trained;
#[path = "golden/values.rs"]
mod values;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

#[test]
fn image_report() {
    let mut report = Report::new("image_report");
    for (name, file) in files("image_report") {
        report.file = name;
        image_report_cases::check(&file, &mut report);
        image_report_losses_cases::check(&file, &mut report);
    }
    report.finish();
}

#[test]
fn optimizers() {
    let mut report = Report::new("optimizers");
    for (name, file) in files("optimizers") {
        report.file = name;
        optimizers_cases::check(&file, &mut report);
    }
    report.finish();
}

#[test]
fn what_trains_walks_as_torch_optim_does() {
    let mut report = Report::new("optimizers");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/optimizers");
    optimizers_cases::check(&read(&folder.join("torch_public.json.gz")), &mut report);
    let of = |kind: &String| kind.strip_prefix("torch.optim runs by what trains networks: ").map(str::to_owned);
    let trained: Vec<String> = report.kinds.keys().filter_map(of).collect();
    assert_eq!(trained, ["Adam", "AdamW", "SGD", "SGD with Nesterov's momentum", "SGD with momentum"]);
    report.finish();
}

#[test]
fn reconstruction() {
    let mut report = Report::new("reconstruction");
    for (name, file) in files("reconstruction") {
        report.file = name;
        reconstruction_cases::check(&file, &mut report);
    }
    report.finish();
}

#[test]
fn segmentation() {
    let mut report = Report::new("segmentation");
    for (name, file) in files("segmentation") {
        report.file = name;
        segmentation_cases::check(&file, &mut report);
    }
    report.finish();
}

#[test]
fn self_supervised() {
    let mut report = Report::new("self_supervised");
    for (name, file) in files("self_supervised") {
        report.file = name;
        self_supervised_cases::check(&file, &mut report);
    }
    report.finish();
}

/// Every golden file of a lab, parsed, in order of names.
fn files(module: &str) -> Vec<(String, Value)> {
    let root = match std::env::var_os("LEARNSCOPE_GOLDEN_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"),
    };
    let folder = root.join(module);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap_or_else(|e| panic!("{}: {e}", folder.display())).path())
        .filter(|path| path.to_string_lossy().ends_with(".json") || path.to_string_lossy().ends_with(".json.gz"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} holds no golden file", folder.display());
    paths.iter().map(|path| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), read(path))).collect()
}

fn read(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut text = String::new();
    let read = if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text)
    } else {
        (&bytes[..]).read_to_string(&mut text)
    };
    read.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// How far apart two numbers may be; see [`Report::within`].
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    pub relative: f64,
    pub absolute: f64,
}

/// What was checked, how far off it was, and what failed.
pub struct Report {
    module: &'static str,
    file: String,
    /// Cases and largest error by kind.
    kinds: BTreeMap<String, (usize, f64)>,
    /// Cases of known kinds that nothing here can compute yet, by name.
    not_built: BTreeMap<String, usize>,
    failures: Vec<String>,
}

impl Report {
    fn new(module: &'static str) -> Self {
        Self { module, file: String::new(), kinds: BTreeMap::new(), not_built: BTreeMap::new(), failures: Vec::new() }
    }

    /// Counts a checked case.
    pub fn case(&mut self, kind: &str) {
        self.kinds.entry(kind.to_owned()).or_default().0 += 1;
    }

    /// Counts a case of a known kind that the program cannot compute yet.
    pub fn not_built(&mut self, name: &str) {
        *self.not_built.entry(name.to_owned()).or_default() += 1;
    }

    pub fn fail(&mut self, message: String) {
        self.failures.push(format!("{}: {message}", self.file));
    }

    /// Compares two numbers: |ours − golden| ≤ tolerance (1 + |golden|). `false` where they differ.
    pub fn close(
        &mut self,
        kind: &str,
        place: impl FnOnce() -> String,
        ours: f64,
        golden: f64,
        tolerance: f64,
    ) -> bool {
        self.within(kind, place, ours, golden, Tolerance { relative: tolerance, absolute: tolerance })
    }

    /// Compares two numbers: |ours − golden| ≤ absolute + relative |golden|. `false` where they differ. The error that is
    /// reported is |ours − golden| / (1 + |golden|), as of [`Report::close`].
    pub fn within(
        &mut self,
        kind: &str,
        place: impl FnOnce() -> String,
        ours: f64,
        golden: f64,
        tolerance: Tolerance,
    ) -> bool {
        let error = (ours - golden).abs() / (1.0 + golden.abs());
        let entry = self.kinds.entry(kind.to_owned()).or_default();
        // `max` would lose a NaN, and a NaN is the largest error of all.
        if error > entry.1 || error.is_nan() {
            entry.1 = error;
        }
        let good = (ours - golden).abs() <= tolerance.absolute + tolerance.relative * golden.abs();
        if !good {
            self.fail(format!("{kind}, {}: {ours:e} against {golden:e} (error {error:e})", place()));
        }
        good
    }

    fn finish(self) {
        let mut text = String::new();
        for (kind, (cases, error)) in &self.kinds {
            text += &format!("golden {}: {cases} {kind}, largest error {error:.1e}\n", self.module);
        }
        let waiting: usize = self.not_built.values().sum();
        if waiting > 0 {
            text += &format!("golden {}: {waiting} cases of rules that are not built yet:", self.module);
            for (name, count) in &self.not_built {
                text += &format!(" {name} {count},");
            }
            text.pop();
            text.push('\n');
        }
        // Not by `println!`: the counts are for everybody's eyes, not only with `--nocapture`.
        std::io::stdout().write_all(text.as_bytes()).expect("standard output");
        let shown = self.failures.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
        assert!(self.failures.is_empty(), "{} failures in the golden files:\n{shown}", self.failures.len());
        assert!(!self.kinds.is_empty(), "the golden files hold no case");
    }
}
