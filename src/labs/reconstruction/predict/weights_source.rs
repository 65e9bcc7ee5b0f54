//! Where weights come from: a file that was exported here, a recorded run, or one of its checkpoints.

use std::path::{Path, PathBuf};

use burn::tensor::Device;

use super::super::SPEC;
use super::super::params::{FIT, PARAMS, ROUTINES, Routine, net_spec};
use super::super::parts::Parts;
use crate::compute::device;
use crate::data::fundus::read::Fit;
use crate::data::picture_file::White;
use crate::engine::experiment::Checkpoint;
use crate::kit::export::PackedWeights;
use crate::kit::predict::{PredictError, RunWeights, module_of, run_weights};
use crate::nn::reconstruction::Autoencoder;
use crate::nn::reconstruction::spec::{NetSpec, cost};
use crate::nn::reconstruction::weights::{self, Trained, WeightsError, packed, spec_of, trained};
use crate::nn::weights::Opened;
use crate::plot::number::grouped;

/// Weights that were read and recognised, not yet on a device.
#[derive(Debug)]
pub struct WeightsSource {
    pub path: PathBuf,
    pub spec: NetSpec,
    pub trained: Trained,
    /// What the weights are, in words: `run NAME, checkpoint of step 250`.
    pub origin: String,
    /// Steps after which the run had them; `None`: they are of a file.
    pub step: Option<u64>,
    /// What was white in the photographs of more than 8 bits that they were trained on, where that is known.
    pub white: White,
    /// What they were trained on, or why that is not known.
    pub parts: Result<Parts, String>,
    /// What the user should know before trusting them.
    pub warnings: Vec<String>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    File(Opened),
    Run(Box<Checkpoint>),
}

impl WeightsSource {
    /// Reads weights.
    ///
    /// # Errors
    /// A path that is neither, a damaged file, one that says of no network, a run of another lab or without a checkpoint.
    pub fn open(path: &Path) -> Result<Self, PredictError> {
        match run_weights(path, SPEC.id, PARAMS)? {
            Some(run) => Ok(of_run(run)),
            None => of_file(path),
        }
    }

    /// Builds the network on a device.
    pub fn build(&self, device: &Device) -> Result<Autoencoder, PredictError> {
        let checkpoint = match &self.values {
            Values::File(file) => return weights::load(file, device).map(|(net, _)| net).map_err(PredictError::input),
            Values::Run(checkpoint) => checkpoint,
        };
        let mut net = Autoencoder::new(&self.spec, 0, device).map_err(PredictError::input)?;
        net.encoder = module_of(&self.path, checkpoint, "encoder", &net.encoder, device)?;
        if let Some(decoder) = &mut net.decoder {
            *decoder = module_of(&self.path, checkpoint, "decoder", decoder, device)?;
        }
        net.classifier = module_of(&self.path, checkpoint, "classifier", &net.classifier, device)?;
        Ok(net)
    }

    /// What is used, one statement a line.
    pub fn describe(&self) -> Vec<String> {
        let parameters = grouped(cost(&self.spec).parameters() as u64);
        let fitted = if self.trained.cut { "cut to their field of view and made small" } else { "stretched" };
        let mut lines = vec![
            format!("weights: {}", self.origin),
            format!("network: {}, {parameters} parameters", self.spec.describe()),
            format!("photographs are {fitted} to {0}×{0} pixels, as in training", self.spec.size),
        ];
        lines.extend(self.white.lines().into_iter().map(|line| format!("{line}, as in training")));
        if !self.spec.family.reconstructs() {
            lines.push(format!("no reconstructions: {} has no decoder", self.spec.family.name()));
        } else if !self.trained.rebuilds {
            lines
                .push("no reconstructions: the run was supervised, so that its decoder has learned nothing".to_owned());
        }
        lines.push(match &self.parts {
            Ok(parts) => format!("parts: {} photographs of the run's data, known again by content", parts.describe()),
            Err(why) => format!("parts: {why}"),
        });
        lines.extend(self.warnings.iter().map(|warning| format!("warning: {warning}")));
        lines
    }
}

fn of_file(path: &Path) -> Result<WeightsSource, PredictError> {
    let file = weights::open(path).map_err(PredictError::input)?;
    let spec = spec_of(&file).ok_or_else(|| PredictError::input(WeightsError::Foreign(path.to_owned())))?;
    Ok(WeightsSource {
        path: path.to_owned(),
        spec,
        trained: trained(&file),
        origin: path.display().to_string(),
        step: None,
        white: weights::white(&file).and_then(White::parse).unwrap_or_default(),
        parts: Err(
            "a file of weights does not tell on which photographs they were trained; the folder of the run does"
                .to_owned(),
        ),
        warnings: Vec::new(),
        values: Values::File(file),
    })
}

fn of_run(run: RunWeights) -> WeightsSource {
    let RunWeights { folder, name, checkpoint, params, mut warnings } = run;
    let spec = net_spec(&params);
    // What the decoder's optimizer remembers says that it has learned before the run became supervised.
    let has_learned = checkpoint.tensors.keys().any(|name| name.starts_with("decoder/optimizer/"));
    if checkpoint.step == 0 {
        warnings.push("these are the weights before the first step".to_owned());
    }
    WeightsSource {
        parts: Parts::of_run(&folder),
        path: folder,
        spec,
        trained: Trained {
            rebuilds: spec.family.reconstructs() && (has_learned || ROUTINES.of(&params) != Routine::Supervised),
            cut: FIT.of(&params) == Fit::FieldOfView,
        },
        origin: format!("run {name}, checkpoint of step {}", checkpoint.step),
        step: Some(checkpoint.step),
        white: checkpoint.text.get("white").and_then(|text| White::parse(text)).unwrap_or_default(),
        warnings,
        values: Values::Run(Box::new(checkpoint)),
    }
}

/// The weights of a run (or of a file) as a safetensors file with the names of PyTorch state dicts.
pub fn packed_weights(run: &Path) -> Result<PackedWeights, PredictError> {
    let source = WeightsSource::open(run)?;
    let net = source.build(&device::cpu())?;
    let white = (!source.white.is_empty()).then(|| source.white.to_text());
    let file = packed(&net, &source.spec, source.trained, white).map_err(PredictError::work)?;
    Ok(PackedWeights { file, lines: source.describe(), step: source.step })
}
