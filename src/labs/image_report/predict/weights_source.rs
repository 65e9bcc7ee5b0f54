//! Where weights come from: a file that was exported here, a recorded run, or one of its checkpoints.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;

use crate::compute::device;
use crate::compute::streams;
use crate::engine::experiment::Checkpoint;
use crate::engine::params::Params;
use crate::kit::export::PackedWeights;
use crate::kit::predict::{PredictError, RunWeights, module_of, run_weights};
use crate::nn::image_text::local::Local;
use crate::nn::image_text::model::ImageText;
use crate::nn::image_text::spec::{Spec, TextSpec};
use crate::nn::image_text::weights::{self, WeightsError, packed};
use crate::nn::weights::Opened;
use crate::plot::number::grouped;
use crate::text::wordpiece::Pieces;

use super::super::SPEC;
use super::super::embed::Embedder;
use super::super::experiment::in_words;
use super::super::params::{Hyper, PARAMS, SIZE, VARIANTS, Variant, max_tokens, net_spec, word_path};
use super::super::texts::Texts;

/// Parameters that say how images and reports become numbers: a file of weights keeps them, each as a text `learnscope.KEY`.
const KEPT: [&str; 10] = [
    "variant",
    "tau",
    "attention",
    "image_size",
    "max_words",
    "tags",
    "antonyms",
    "section",
    "drop_xxxx",
    "frontal_only",
];
const VOCABULARY: &str = "vocabulary";

/// The name of a text in a file of weights.
fn named(key: &str) -> String {
    format!("learnscope.{key}")
}

/// Weights that were read and recognised, not yet on a device.
#[derive(Debug)]
pub struct WeightsSource {
    pub path: PathBuf,
    pub spec: Spec,
    /// Of the run; of a file those that it keeps, and else defaults.
    pub params: Params,
    /// What the weights are, in words: `run NAME, checkpoint of step 250`.
    pub origin: String,
    /// The step of a run's checkpoint.
    pub step: Option<u64>,
    /// The folder of the run that they are of.
    pub run: Option<PathBuf>,
    /// What the user should know before trusting them.
    pub warnings: Vec<String>,
    pieces: Arc<Pieces>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    File(Opened),
    Run(Box<Checkpoint>),
}

/// A trained network, and how images and reports are shown to it. Holds tensors: it stays on the thread that made it.
#[derive(Debug)]
pub struct Model {
    net: ImageText,
    pub texts: Texts,
    /// How words attend.
    pub local: Local,
    /// Pixels of an image's side.
    pub size: usize,
    device: Device,
}

impl Model {
    /// The network as it is applied.
    pub fn embedder(&self) -> Embedder<'_> {
        Embedder { net: &self.net, texts: &self.texts, device: &self.device }
    }
}

impl WeightsSource {
    /// Reads weights.
    ///
    /// # Errors
    /// A path that is neither, a damaged file, one that says of no network or of no vocabulary that fits it, a run of another lab or
    /// without a checkpoint.
    pub fn open(path: &Path) -> Result<Self, PredictError> {
        let source = match run_weights(path, SPEC.id, PARAMS)? {
            Some(run) => of_run(run),
            None => of_file(path),
        }?;
        let variant = VARIANTS.of(&source.params);
        let mut source = source;
        if matches!(variant, Variant::ConVirt | Variant::WithoutLocal) {
            let text =
                "what words look at was not learned: the run had no local loss, so that maps of words say little";
            source.warnings.push(text.to_owned());
        }
        Ok(source)
    }

    /// Builds the network on a device, to be used with these parameters.
    ///
    /// # Errors
    /// Weights that do not fit the network, or parameters that cannot be.
    pub fn build(&self, params: &Params, device: &Device) -> Result<Model, PredictError> {
        let mut net = match &self.values {
            Values::File(file) => weights::load(file, device).map(|(net, _)| net).map_err(PredictError::input)?,
            Values::Run(checkpoint) => {
                let like =
                    ImageText::new(&self.spec, streams::ALONE.open(0, 0), device).map_err(PredictError::input)?;
                module_of(&self.path, checkpoint, "net", &like, device)?
            }
        };
        net.text.set_word_path(word_path(params));
        Ok(Model {
            net,
            texts: Texts::of(params, self.pieces.clone()).map_err(PredictError::input)?,
            local: Hyper::of(params, 1).local,
            size: SIZE.of(params),
            device: device.clone(),
        })
    }

    /// What is used, one statement a line.
    pub fn describe(&self) -> Vec<String> {
        let parameters: u64 = self.spec.parts().iter().map(|part| part.parameters).sum();
        let size = SIZE.of(&self.params);
        let mut lines = vec![
            format!("weights: {}", self.origin),
            format!("network: {}, {} parameters", in_words(&self.spec), grouped(parameters)),
            format!("images: the middle square at {size}×{size} pixels; {} word pieces", self.pieces.vocab().len()),
        ];
        lines.extend(self.warnings.iter().map(|warning| format!("warning: {warning}")));
        lines
    }
}

fn of_file(path: &Path) -> Result<WeightsSource, PredictError> {
    let file = weights::open(path).map_err(PredictError::input)?;
    let spec = weights::spec_of(&file).ok_or_else(|| PredictError::input(WeightsError::Foreign(path.to_owned())))?;
    let bad = |problem: String| PredictError::Input(format!("{}: {problem}", path.display()));
    let text = |key: &str| {
        let missing =
            || bad(format!("does not say its `{key}`; expected a file that `learnscope export --weights` wrote"));
        file.texts.get(&named(key)).ok_or_else(missing)
    };
    let pieces = vocabulary(path, text(VOCABULARY)?)?;
    let mut params = Params::defaults(PARAMS);
    for key in KEPT {
        params.set_text(PARAMS, &format!("{key}={}", text(key)?)).map_err(|error| bad(error.to_string()))?;
    }
    let (wanted, positions) = match spec.text {
        TextSpec::Small(text) => (text.vocabulary, text.positions),
        TextSpec::Bert(text) => (text.vocabulary, text.positions),
    };
    let (found, tokens) = (pieces.vocab().len(), max_tokens(&params));
    if wanted != found {
        return Err(bad(format!("its vocabulary has {found} pieces, and its network was made for {wanted}")));
    }
    if tokens > positions {
        return Err(bad(format!("its reports have up to {tokens} pieces, and its network has room for {positions}")));
    }
    Ok(WeightsSource {
        path: path.to_owned(),
        spec,
        params,
        origin: path.display().to_string(),
        step: None,
        run: None,
        warnings: Vec::new(),
        pieces: Arc::new(pieces),
        values: Values::File(file),
    })
}

fn of_run(run: RunWeights) -> Result<WeightsSource, PredictError> {
    let RunWeights { folder, name, checkpoint, params, mut warnings } = run;
    let text = checkpoint.get_text(VOCABULARY);
    let text = text.map_err(|error| PredictError::Input(format!("{}: {error}", folder.display())))?;
    let pieces = vocabulary(&folder, text)?;
    if checkpoint.step == 0 {
        warnings.push("these are the weights before the first step".to_owned());
    }
    Ok(WeightsSource {
        spec: net_spec(&params, pieces.vocab().len()),
        params,
        origin: format!("run {name}, checkpoint of step {}", checkpoint.step),
        step: Some(checkpoint.step),
        run: Some(folder.clone()),
        path: folder,
        warnings,
        pieces: Arc::new(pieces),
        values: Values::Run(Box::new(checkpoint)),
    })
}

fn vocabulary(path: &Path, text: &str) -> Result<Pieces, PredictError> {
    let bad = |error| PredictError::Input(format!("{}: its vocabulary cannot be used: {error}", path.display()));
    Pieces::from_vocab(text).map_err(bad)
}

/// The weights of a run (or of a file) as a safetensors file with the names of PyTorch state dicts, its vocabulary, and what shows it
/// images and reports.
pub fn packed_weights(run: &Path) -> Result<PackedWeights, PredictError> {
    let source = WeightsSource::open(run)?;
    let model = source.build(&source.params, &device::cpu())?;
    let kept = |key: &str| Some((named(key), source.params.get(key)?.to_string()));
    let mut texts: Vec<(String, String)> = KEPT.iter().filter_map(|key| kept(key)).collect();
    texts.push((named(VOCABULARY), source.pieces.vocab().join("\n")));
    // Which words attend is live: the network says so as it was at the checkpoint.
    let file = packed(&model.net, &source.spec, &texts).map_err(PredictError::work)?;
    Ok(PackedWeights { file, lines: source.describe(), step: source.step })
}
