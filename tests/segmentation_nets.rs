//! The segmentation networks against numbers of PyTorch, and their weights in files.

mod support;

#[path = "golden/segmentation_nets.rs"]
mod segmentation_nets_cases;
#[path = "golden/segmentation_ops.rs"]
mod segmentation_ops_cases;
#[path = "golden/segmentation_weights.rs"]
mod segmentation_weights_cases;
#[path = "golden/values.rs"]
#[allow(dead_code, reason = "shared with the golden tests")]
mod values;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// How far apart two numbers may be.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    pub relative: f64,
    pub absolute: f64,
}

/// What failed.
#[derive(Default)]
pub struct Report {
    cases: usize,
    failures: Vec<String>,
}

impl Report {
    pub fn case(&mut self, _kind: &str) {
        self.cases += 1;
    }

    pub fn fail(&mut self, message: String) {
        self.failures.push(message);
    }

    pub fn within(
        &mut self,
        kind: &str,
        place: impl FnOnce() -> String,
        ours: f64,
        golden: f64,
        tolerance: Tolerance,
    ) -> bool {
        let good = (ours - golden).abs() <= tolerance.absolute + tolerance.relative * golden.abs();
        if !good {
            self.fail(format!("{kind}, {}: {ours:e} against {golden:e}", place()));
        }
        good
    }
}

fn golden_files() -> Vec<Value> {
    let root = std::env::var_os("LEARNSCOPE_GOLDEN_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"), PathBuf::from);
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap();
        let mut text = String::new();
        if path.extension().is_some_and(|extension| extension == "gz") {
            flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        } else {
            text = String::from_utf8(bytes).unwrap();
        }
        serde_json::from_str(&text).unwrap()
    };
    fs::read_dir(root.join("segmentation")).unwrap().map(|entry| read(entry.unwrap().path())).collect()
}

fn check(kind: &str, check: fn(&str, &Value, &mut Report) -> Result<(), String>) {
    let mut report = Report::default();
    for file in golden_files() {
        for case in file["cases"].as_array().unwrap().iter().filter(|case| case["kind"] == kind) {
            let name = case["name"].as_str().unwrap_or("a case without name");
            if let Err(message) = check(name, case, &mut report) {
                report.fail(format!("{name}: {message}"));
            }
        }
    }
    assert!(report.failures.is_empty(), "{}", report.failures.join("\n"));
    assert!(report.cases > 0, "no case of kind {kind}");
}

#[test]
fn numbers_of_parameters_are_the_golden_ones() {
    check("param_count", segmentation_nets_cases::check_param_count);
}

#[test]
fn whole_unets_compute_and_train_as_in_pytorch() {
    check("forward", segmentation_nets_cases::check_forward);
}

#[test]
fn a_graphics_device_computes_the_same_first_steps() {
    support::adapter::agrees_with_the_cpu(&learnscope::labs::segmentation::SPEC);
}

#[test]
fn dropout_draws_anew_and_a_sample_without_it_is_the_inference() {
    use burn::tensor::Tensor;
    use learnscope::compute::device;
    use learnscope::compute::rng::HostRng;
    use learnscope::nn::segmentation::SegmentationNet;
    use learnscope::nn::segmentation::spec::{Architecture, NetSpec};
    use segmentation_nets_cases::read;
    let spec = NetSpec { architecture: Architecture::UNet, channels: 1, base: 4, outputs: 1 };
    let net = SegmentationNet::new(&spec, HostRng::new(1, 0), &device::cpu()).unwrap();
    // Odd sides: the upsampled maps are filled up with zeros.
    let x = Tensor::<4>::ones([1, 1, 37, 51], &device::cpu()) * 0.3;
    let sample = |seed: u64| read([net.sample(x.clone(), &mut HostRng::new(seed, 0))]).unwrap().remove(0);
    let inferred = read([net.infer(x.clone())]).unwrap().remove(0);
    assert_eq!(inferred.len(), 37 * 51);
    assert!(inferred.iter().all(|logit| logit.is_finite()));
    assert_eq!(sample(1), sample(1));
    assert_ne!(sample(1), sample(2));
    assert_ne!(sample(1), inferred);
}
