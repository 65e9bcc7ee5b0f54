//! The parameters of the lab: the live ones as numbers, the network they ask for, and which values go together.

mod table;

use crate::data::segmentation::lesion::Lesion;
use crate::data::segmentation::mapping::Mapping;
use crate::data::segmentation::split::Dealing;
use crate::engine::params::{ParamError, Params};
use crate::engine::table::Int;
use crate::nn::segmentation::loss::SegmentationLoss;
use crate::nn::segmentation::spec::{Architecture, NetSpec};
use crate::pixels::fit::Fit;
use crate::pixels::spacing::Spacing;

use super::structures;
pub use table::*;

/// Which generated images show measuring marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calipers {
    None,
    All,
    Train,
    /// Validation and test.
    Test,
}

/// What says which images of a folder belong together, beside being near-duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    Nothing,
    Folder,
    Pattern,
}

/// The values that a running experiment accepts, but for the pipeline's (see [`super::pipeline::Pipeline::of`]).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hyper {
    pub loss: SegmentationLoss,
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub augment: bool,
    /// The mask goes on beyond the edge as the image does; otherwise it is background there, as in the paper's code.
    pub consistent_border: bool,
    pub plateau: bool,
    pub plateau_patience: u32,
    pub early_stopping: bool,
    pub stop_patience: u32,
    pub least_epochs: u32,
    /// Steps between validations; 0: after each epoch.
    pub validate_every: u64,
    pub loss_every: u64,
    pub uncertainty_samples: usize,
}

impl Hyper {
    pub fn of(params: &Params) -> Self {
        let count = |epochs: &Int| epochs.of(params) as u32;
        Self {
            loss: LOSS.of(params),
            learning_rate: LEARNING_RATE.of(params),
            weight_decay: WEIGHT_DECAY.of(params),
            augment: AUGMENT.of(params),
            consistent_border: CONSISTENT_BORDER.of(params),
            plateau: PLATEAU.of(params),
            plateau_patience: count(&PLATEAU_PATIENCE),
            early_stopping: EARLY_STOPPING.of(params),
            stop_patience: count(&STOP_PATIENCE),
            least_epochs: count(&LEAST_EPOCHS),
            validate_every: VALIDATE_EVERY.of(params) as u64,
            loss_every: LOSS_EVERY.of(params) as u64,
            uncertainty_samples: UNCERTAINTY_SAMPLES.of(params) as usize,
        }
    }
}

/// Whether the network has a dropout layer. The FCNs are built without; U-nets and DeepLab have it.
pub fn has_dropout(params: &Params) -> bool {
    !ARCHITECTURE.get(params).is_some_and(Architecture::is_fcn)
}

/// The network that these parameters ask for.
pub fn net_spec(params: &Params) -> NetSpec {
    let architecture = match ARCHITECTURE.of(params) {
        Architecture::LighterUNet { .. } => Architecture::LighterUNet { group: GROUP.of(params) },
        other => other,
    };
    NetSpec {
        architecture,
        channels: CHANNELS.of(params),
        base: BASE.of(params) as usize,
        outputs: structures::count(params),
    }
}

/// How pictures come into the network's square. Recordings of older versions do not say.
pub fn fit(params: &Params) -> Fit {
    match FIT.get(params).unwrap_or_default() {
        Fit::Patches { percent } => {
            Fit::Patches { percent: PATCH_SCALE.get(params).map_or(percent, |percent| percent.clamp(5, 100) as u8) }
        }
        other => other,
    }
}

/// How parts are made at random.
pub fn dealing(params: &Params) -> Dealing {
    let (train, validation) = (TRAIN_SHARE.of(params), VALIDATION_SHARE.of(params));
    // 0.8 and 0.2 leave nothing, whatever their sum is in floating point.
    let rest = 1.0 - train - validation;
    Dealing {
        shares: [train, validation, if rest < 1e-6 { 0.0 } else { rest }],
        seed: SPLIT_SEED.of(params) as u64,
        folds: FOLDS.of(params) as usize,
        fold: FOLD.of(params) as usize,
    }
}

/// What of a mask is lesion; of several structures, the first.
pub fn lesion(params: &Params) -> Result<Lesion, ParamError> {
    let params = &*structures::first(params);
    Lesion::parse(LESION.of(params), LESION_VALUE.of(params))
        .map_err(|problem| ParamError::invalid(LESION_VALUE.key(), problem))
}

/// Where a folder's images and masks are, where that is said; of several structures, those of the first.
pub fn mapping(params: &Params) -> Result<Option<Mapping>, ParamError> {
    let params = &*structures::first(params);
    Mapping::parse(IMAGES_IN.of(params), MASKS_IN.of(params))
        .map_err(|(which, problem)| ParamError::invalid([IMAGES_IN.key(), MASKS_IN.key()][which], problem))
}

/// What is said of the size of a pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PixelSize {
    /// What the files say, if all images do.
    OfFiles,
    /// Distances stay in pixels.
    Pixels,
    Typed(Spacing),
}

/// The size of a pixel as it is chosen.
pub fn pixel_size(params: &Params) -> Result<PixelSize, ParamError> {
    match params.get(SPACING.key()).map(ToString::to_string).unwrap_or_default().trim() {
        "" => Ok(PixelSize::OfFiles),
        "pixels" | "px" => Ok(PixelSize::Pixels),
        text => match Spacing::parse(text) {
            Ok(spacing) => Ok(PixelSize::Typed(spacing)),
            Err(problem) => Err(ParamError::invalid(SPACING.key(), problem)),
        },
    }
}

/// Values that belong together: a combination that no run can have. Reads no files.
pub fn check_combination(params: &Params) -> Result<(), ParamError> {
    let invalid = |key: &str, problem: String| Err(ParamError::invalid(key, problem));
    let spec = net_spec(params);
    let size = IMAGE_SIZE.of(params) as usize;
    if let Err(error) = spec.check() {
        return invalid(ARCHITECTURE.key(), error.to_string());
    }
    if let Err(error) = spec.check_size(size, size) {
        return invalid(IMAGE_SIZE.key(), error.to_string());
    }
    if FROM_FOLDER.of(params) && FOLDER.of(params).is_empty() {
        return invalid(FOLDER.key(), "choose the folder with images and masks (`--data DIR`)".to_owned());
    }
    for structure in structures::of(params)? {
        let alone = structure.alone(params)?;
        lesion(&alone).and_then(|_| mapping(&alone)).map_err(|error| structure.refused(&error))?;
    }
    lesion(params)?;
    mapping(params)?;
    pixel_size(params)?;
    if TRAIN_SHARE.of(params) + VALIDATION_SHARE.of(params) > 1.0 {
        return invalid(
            VALIDATION_SHARE.key(),
            format!(
                "{} for training and {} for validation are more than everything; what both leave is for the test",
                TRAIN_SHARE.of(params),
                VALIDATION_SHARE.of(params)
            ),
        );
    }
    dealing(params).check().or_else(|problem| invalid(FOLD.key(), problem))?;
    if !FROM_FOLDER.of(params) && FOLDS.of(params) < 2 && FOLD.of(params) > 0 {
        return invalid(FOLD.key(), "generated images have no folds of their own; set `folds` to 2 or more".to_owned());
    }
    // Statistics of a batch of one single number per channel say nothing (DeepLab's pooled branch).
    if spec.architecture.is_deeplab() && (BATCH_SIZE.of(params) < 2 || OVERFIT.of(params)) {
        return invalid(
            BATCH_SIZE.key(),
            "DeepLab normalises a branch over the batch and needs at least 2 images".to_owned(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_names_a_network_and_the_default_is_a_small_unet() {
        let mut params = Params::defaults(PARAMS);
        assert_eq!(net_spec(&params), NetSpec { architecture: Architecture::UNet, channels: 3, base: 8, outputs: 1 });
        for architecture in Architecture::ALL {
            let key = architecture.key();
            let key = key.split_once("lighter-").map_or(key.as_str(), |_| "lighter");
            params.set_text(PARAMS, &format!("architecture={key}")).unwrap();
            if let Architecture::LighterUNet { group } = architecture {
                params.set_text(PARAMS, &format!("group={group}")).unwrap();
            }
            assert_eq!(net_spec(&params).architecture, architecture);
        }
    }

    #[test]
    fn what_the_program_counts_itself_is_in_no_form() {
        let params = Params::defaults(PARAMS);
        let shown = |key: &str| PARAMS.iter().any(|spec| spec.key == key && params.shows_in_form(PARAMS, spec));
        assert!(!shown("corrections") && shown("loss"));
    }

    #[test]
    fn what_does_not_go_together_is_refused_by_name() {
        for (set, words) in [
            (&["source=folder"][..], "`data`"),
            (&["architecture=lighter", "group=16", "base=24"], "`architecture`"),
            (&["architecture=fcn-8s", "image_size=40"], "`image_size`"),
            (&["lesion=value", "lesion_value=red"], "`lesion_value`"),
            (&["lesion=colour", "lesion_value=#ff00"], "`lesion_value`"),
            (&["images_in=img"], "`masks_in`"),
            (&["images_in=img", "masks_in=lab/*/*"], "`masks_in`"),
            (&["spacing=wide"], "`spacing`"),
            (&["train_share=0.9", "validation_share=0.5"], "`validation_share`"),
            (&["architecture=deeplab-mobilenetv2", "batch_size=1"], "`batch_size`"),
            (&["source=folder", "data=x", "structures=disc"], "`structures`"),
            (&["source=folder", "data=x", "structures=disc=1;disc=2"], "twice"),
            (&["source=folder", "data=x", "structures=disc=masks/disc"], "`images_in`"),
            (&["source=folder", "data=x", "structures=disc=#ff00"], "#ff0000"),
            (&["folds=5", "fold=5"], "choose one from 0 to 4"),
            (&["fold=1"], "`fold`"),
        ] {
            let mut params = Params::defaults(PARAMS);
            set.iter().for_each(|value| params.set_text(PARAMS, value).unwrap());
            let message = check_combination(&params).unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        }
        check_combination(&Params::defaults(PARAMS)).unwrap();
    }
}
