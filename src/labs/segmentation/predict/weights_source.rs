//! Where weights come from: a file of safetensors or PyTorch, a recorded run, or one of its checkpoints.

use std::path::{Path, PathBuf};

use burn::tensor::Device;

use crate::compute::device;
use crate::compute::streams;
use crate::data::picture_file::White;
use crate::engine::experiment::Checkpoint;
use crate::engine::params::Params;
use crate::engine::table::{Choice, Int, Words, live};
use crate::kit::export::PackedWeights;
use crate::kit::predict::{PredictError, RunWeights, module_of, run_weights};
use crate::nn::segmentation::SegmentationNet;
use crate::nn::segmentation::count::count;
use crate::nn::segmentation::spec::{Architecture, NetSpec};
use crate::nn::segmentation::weights::{WeightsFile, packed};

use super::super::params::{ARCHITECTURE, IMAGE_SIZE, PARAMS, net_spec};
use super::super::pipeline::Pipeline;
use super::super::structures;
use super::parts::Parts;
use crate::pixels::fit::Fit;

/// The side in pixels where neither the file nor the user says one: the article's.
pub const DEFAULT_IMAGE_SIZE: usize = 256;
/// Sides that can be asked for.
pub const IMAGE_SIZES: std::ops::RangeInclusive<usize> = 16..=2048;
/// The side as a setting: of prediction it may be larger than training can take.
pub static SIDE: Int = live("Data", "image_size", "image size")
    .help("Side at which the network sees a picture; unless it is set, that of training, where the weights tell it.")
    .unit("pixels")
    .int(DEFAULT_IMAGE_SIZE as i64, [*IMAGE_SIZES.start() as i64, *IMAGE_SIZES.end() as i64]);
/// Which network a file of weights is of, where somebody says it. The key is that of a run's network.
pub static OF_NETWORK: Choice<Option<Architecture>, 11> = live("Network", ARCHITECTURE.key(), "network of a file")
    .help(
        "auto: the first that all tensors of the file fit, by name and shape. One that is chosen leaves out what it has no place \
         for and lists it. The public PyTorch U-net is unet with bilinear upsampling, and unet-transposed without.",
    )
    .choice(
        "auto",
        [
            ("auto", "by names and shapes", None),
            ("unet", "U-net", Some(Architecture::UNet)),
            ("unet-transposed", "U-net (transposed convolutions)", Some(Architecture::TransposedUNet)),
            ("light", "Light U-net", Some(Architecture::LightUNet)),
            ("lighter", "Lighter U-net of any C", Some(Architecture::LighterUNet { group: 1 })),
            ("fcn-32s", "FCN-32s", Some(Architecture::Fcn32s)),
            ("fcn-16s", "FCN-16s", Some(Architecture::Fcn16s)),
            ("fcn-8s", "FCN-8s", Some(Architecture::Fcn8s)),
            ("deeplab-resnet101", "DeepLab v3+ (ResNet-101)", Some(Architecture::DeepLabResNet101)),
            ("deeplab-xception", "DeepLab v3+ (Xception)", Some(Architecture::DeepLabXception)),
            ("deeplab-mobilenetv2", "DeepLab v3+ (MobileNetV2)", Some(Architecture::DeepLabMobileNetV2)),
        ],
    );
/// Which part of a file of weights is used.
pub static PART: Words = live("Prediction", "part", "part of a file")
    .help("Where a file holds weights several times, as `ema` and `model`: the one that is used; empty: an average over training.")
    .text("");
/// Which of several structures is outlined.
pub static STRUCTURE: Words = live("Prediction", "structure", "structure")
    .help("Of a network that outlines several structures, the name of the one that is predicted; of a file its number. Empty: the first.")
    .text("");
/// What somebody says of a file of weights.
#[derive(Debug, Clone, Copy, Default)]
pub struct SaidOfFile<'a> {
    /// `None`: its tensors tell.
    pub architecture: Option<Architecture>,
    /// `None`: the best that fits.
    pub part: Option<&'a str>,
}

/// The id of this lab in `run.toml`.
const LAB: &str = "segmentation";

/// Weights that were read and recognised, not yet on a device.
#[derive(Debug)]
pub struct WeightsSource {
    pub path: PathBuf,
    pub spec: NetSpec,
    /// The side S in pixels at which the network sees a picture.
    pub image_size: usize,
    /// Where `image_size` comes from, in words.
    pub image_size_from: &'static str,
    /// What the weights are, in words: `run NAME, best weights, checkpoint of step 250`.
    pub origin: String,
    /// Steps after which the run had them; `None`: they are of a file.
    pub step: Option<u64>,
    /// What was white in the pictures of more than 8 bits that they were trained on, where that is known.
    pub white: White,
    /// What was made of a file of weights, one statement each; what is serious begins with `warning: `.
    pub notes: Vec<String>,
    /// What the user should know before trusting them.
    pub warnings: Vec<String>,
    /// How the run's predictions are made and measured; the lab's default for a file.
    pub params: Params,
    /// On which pictures they were trained, or why that is not known.
    pub parts: Result<Parts, String>,
    /// What the network outlines; none: one structure without a name.
    pub structures: Vec<String>,
    /// Which of them is asked for.
    pub output: usize,
    values: Values,
}

#[derive(Debug)]
enum Values {
    File(WeightsFile),
    /// Tensors of a checkpoint under this prefix.
    Run(Box<Checkpoint>, &'static str),
}

impl WeightsSource {
    /// Asks for the structure of this name; empty: the first. From then on the parameters are of its masks.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn choose(&mut self, structure: &str) -> Result<(), PredictError> {
        let known = structures::of(&self.params).map_err(PredictError::input)?;
        if known.is_empty() && self.structures.len() > 1 {
            // A file's, by name or number.
            let wanted = structure.trim();
            let number = wanted.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let named = self.structures.iter().position(|name| name == wanted).or(number);
            let output = if wanted.is_empty() { Some(0) } else { named };
            self.output = output.filter(|output| *output < self.structures.len()).ok_or_else(|| {
                let all = self.structures.join(", ");
                PredictError::Input(format!("`structure`: the file has the structures {all}, not `{wanted}`"))
            })?;
            self.warnings.push(
                "a file of weights does not say what of a mask its structure is: scores are against all lesion, unless `lesion`, \
                 `labels` or `masks_in` say otherwise"
                    .to_owned(),
            );
            return Ok(());
        }
        self.output = structures::place(&known, structure).map_err(PredictError::input)?;
        if let Some(one) = known.get(self.output) {
            self.params = one.alone(&self.params).map_err(PredictError::input)?;
        }
        Ok(())
    }

    /// Reads weights; `image_size`: the side that was asked for.
    ///
    /// # Errors
    /// A path that is neither, a damaged file, weights of no known network, a run of another lab or without checkpoint,
    /// a size that the network cannot take.
    pub fn open(path: &Path, image_size: Option<usize>) -> Result<Self, PredictError> {
        Self::open_as(path, image_size, SaidOfFile::default())
    }

    /// The same where something is known of a file of weights.
    pub fn open_as(path: &Path, image_size: Option<usize>, said: SaidOfFile<'_>) -> Result<Self, PredictError> {
        if let Some(size) = image_size.filter(|size| !IMAGE_SIZES.contains(size)) {
            return Err(PredictError::Input(format!(
                "an image size of {size} pixels; choose {} to {}",
                IMAGE_SIZES.start(),
                IMAGE_SIZES.end()
            )));
        }
        let mut source = match run_weights(path, LAB, PARAMS)? {
            Some(_) if said.architecture.is_some() || said.part.is_some() => {
                return Err(PredictError::Input(format!(
                    "`{}` and `{}` are for files of weights; `{}` is of a recorded run, whose network is known",
                    OF_NETWORK.key(),
                    PART.key(),
                    path.display()
                )));
            }
            Some(run) => of_run(run),
            None => of_file(path, said)?,
        };
        if let Some(size) = image_size {
            if source.image_size_from != NOT_SAID && size != source.image_size {
                source.warnings.push(format!(
                    "the network was trained on pictures of {0}×{0} pixels and is shown {size}×{size}",
                    source.image_size
                ));
            }
            (source.image_size, source.image_size_from) = (size, "as asked for");
        }
        source
            .spec
            .check_size(source.image_size, source.image_size)
            .map_err(|error| PredictError::Input(format!("{error}; choose another image size ({})", path.display())))?;
        Ok(source)
    }

    /// Builds the network on a device.
    pub fn build(&self, device: &Device) -> Result<SegmentationNet, PredictError> {
        match &self.values {
            Values::File(file) => file.load(&self.spec, device).map_err(PredictError::input),
            Values::Run(checkpoint, prefix) => self.build_from(checkpoint, prefix, device),
        }
    }

    fn build_from(
        &self,
        checkpoint: &Checkpoint,
        prefix: &str,
        device: &Device,
    ) -> Result<SegmentationNet, PredictError> {
        let net = SegmentationNet::new(&self.spec, streams::ALONE.open(0, 0), device).map_err(PredictError::input)?;
        module_of(&self.path, checkpoint, prefix, &net, device)
    }

    /// How a prediction is made unless asked otherwise.
    pub fn pipeline(&self) -> Pipeline {
        Pipeline::of(&self.params)
    }

    /// What is used, one statement a line.
    pub fn describe(&self) -> Vec<String> {
        let parameters = count(&self.spec, self.image_size, self.image_size).map_or(0, |count| count.total.parameters);
        let width = match self.spec.architecture.stages() {
            Some(_) => format!(", base width {}", self.spec.base),
            None => String::new(),
        };
        let channels = if self.spec.channels == 1 { "grey" } else { "colour" };
        let mut lines = vec![
            format!("weights: {}", self.origin),
            format!(
                "network: {}{width}, {channels}, {} parameters",
                self.spec.architecture.name(),
                crate::plot::number::grouped(parameters)
            ),
            format!("pictures are shown to it at {0}×{0} pixels ({1})", self.image_size, self.image_size_from),
        ];
        match self.pipeline().fit {
            Fit::Squash => {}
            Fit::Letterbox => lines.push("pictures keep their shape in the square (letterbox)".to_owned()),
            Fit::Patches { percent } => lines.push(format!(
                "pictures are seen in patches of that size, at {percent} % of their own, which overlap by a quarter"
            )),
        }
        if let Some(name) = self.structures.get(self.output) {
            let all = self.structures.join(", ");
            lines.push(format!("structures: {all}; outlined is {name} (another one with --set structure=NAME)"));
        }
        lines.extend(self.notes.iter().map(|note| match note.strip_prefix("warning: ") {
            Some(_) => note.clone(),
            None => format!("weights: {note}"),
        }));
        lines.extend(self.white.lines().into_iter().map(|line| format!("{line}, as in training")));
        lines.push(match &self.parts {
            Ok(parts) => format!("parts: {} pictures of the run's data set, known again by content", parts.describe()),
            Err(why) => format!("parts: {why}"),
        });
        lines.extend(self.warnings.iter().map(|warning| format!("warning: {warning}")));
        lines
    }
}

const NOT_SAID: &str = "the article's; the file does not say on what it was trained, choose with --set image_size=N";

fn of_file(path: &Path, said: SaidOfFile<'_>) -> Result<WeightsSource, PredictError> {
    let mut file = WeightsFile::open(path).map_err(PredictError::input)?.of_part(said.part);
    if said.architecture.is_some() {
        file = file.lenient();
    }
    let spec = file.recognise_as(said.architecture).map_err(PredictError::input)?;
    let notes = file.notes(&spec).map_err(PredictError::input)?;
    let (image_size, image_size_from) = match file.image_size().filter(|size| IMAGE_SIZES.contains(size)) {
        Some(size) => (size, "as it was trained"),
        None => (DEFAULT_IMAGE_SIZE, NOT_SAID),
    };
    Ok(WeightsSource {
        path: path.to_owned(),
        spec,
        image_size,
        image_size_from,
        origin: path.display().to_string(),
        step: None,
        white: file.white().and_then(White::parse).unwrap_or_default(),
        notes,
        warnings: Vec::new(),
        params: Params::defaults(PARAMS),
        structures: match file.structures() {
            [] if spec.outputs > 1 => (1..=spec.outputs).map(|i| i.to_string()).collect(),
            names if names.len() == spec.outputs => names.to_vec(),
            _ => Vec::new(),
        },
        output: 0,
        parts: Err("a file of weights does not tell on which pictures they were trained; the folder of the run does"
            .to_owned()),
        values: Values::File(file),
    })
}

fn of_run(run: RunWeights) -> WeightsSource {
    let RunWeights { folder, name, checkpoint, params, mut warnings } = run;
    let prefix = if checkpoint.tensors.keys().any(|name| name.starts_with("best/")) { "best" } else { "net" };
    let kind = if prefix == "best" { "best weights" } else { "newest weights" };
    if prefix == "net" {
        warnings.push("the run was not validated yet: these are its newest weights, not its best".to_owned());
    }
    let best = checkpoint.text.get("best_step").filter(|_| prefix == "best").and_then(|step| step.parse().ok());
    WeightsSource {
        spec: net_spec(&params),
        structures: structures::of(&params)
            .map_or_else(|_| Vec::new(), |all| all.into_iter().map(|one| one.name).collect()),
        output: 0,
        image_size: IMAGE_SIZE.of(&params) as usize,
        image_size_from: "as it was trained",
        origin: format!("run {name}, {kind}, checkpoint of step {}", checkpoint.step),
        step: Some(best.unwrap_or(checkpoint.step)),
        white: checkpoint.text.get("white").and_then(|text| White::parse(text)).unwrap_or_default(),
        notes: Vec::new(),
        warnings,
        params,
        parts: Parts::of_run(&folder),
        values: Values::Run(Box::new(checkpoint), prefix),
        path: folder,
    }
}

/// The weights of a run (or of a file of another format) as a safetensors file with the names of PyTorch state dicts.
pub fn packed_weights(run: &Path) -> Result<PackedWeights, PredictError> {
    let source = WeightsSource::open(run, None)?;
    let net = source.build(&device::cpu())?;
    let image_size = (source.image_size_from != NOT_SAID).then_some(source.image_size);
    let white = (!source.white.is_empty()).then(|| source.white.to_text());
    let names = &source.structures;
    let file = packed(&net, &source.spec, image_size, white, names).map_err(PredictError::work)?;
    let mut lines = source.describe();
    match source.pipeline().fit {
        Fit::Squash => {}
        Fit::Letterbox => lines.push("the file does not say so: predict with it as `--set fit=letterbox`".to_owned()),
        Fit::Patches { percent } => lines.push(format!(
            "the file does not say so: predict with it as `--set fit=patches --set patch_scale={percent}`"
        )),
    }
    Ok(PackedWeights { file, lines, step: source.step })
}
