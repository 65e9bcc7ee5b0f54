//! The parameters of the lab: the live ones as numbers, the network they ask for, and which values go together.

mod table;

use crate::data::segmentation::lesion::Lesion;
use crate::engine::params::{ParamError, Params};
use crate::nn::segmentation::loss::SegmentationLoss;
use crate::nn::segmentation::spec::{Architecture, NetSpec};

pub use table::PARAMS;

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
        let count = |key: &str| params.int(key) as u32;
        Self {
            loss: match params.text("loss") {
                "dice" => SegmentationLoss::Dice,
                "bce" => SegmentationLoss::Bce,
                "bce-dice" => SegmentationLoss::BceDice,
                "bce-tv" => SegmentationLoss::BceVariation,
                _ => SegmentationLoss::SmoothDice,
            },
            learning_rate: params.float("learning_rate"),
            weight_decay: params.float("weight_decay"),
            augment: params.switch("augment"),
            consistent_border: params.text("mask_border") == "consistent",
            plateau: params.switch("plateau"),
            plateau_patience: count("plateau_patience"),
            early_stopping: params.switch("early_stopping"),
            stop_patience: count("stop_patience"),
            least_epochs: count("least_epochs"),
            validate_every: params.int("validate_every") as u64,
            loss_every: params.int("loss_every") as u64,
            uncertainty_samples: params.int("uncertainty_samples") as usize,
        }
    }
}

/// Whether the network has a dropout layer. The FCNs are built without; U-nets and DeepLab have it.
pub fn has_dropout(params: &Params) -> bool {
    params.get("architecture").is_none() || !params.text("architecture").starts_with("fcn")
}

/// The network that these parameters ask for.
pub fn net_spec(params: &Params) -> NetSpec {
    let key = params.text("architecture");
    let architecture = match key {
        "lighter" => {
            Architecture::LighterUNet { group: params.text("group").parse().expect("the group sizes are numbers") }
        }
        key => Architecture::parse(key).expect("every choice of `architecture` is a network"),
    };
    let channels = params.text("channels").parse().expect("the choices of `channels` are numbers");
    NetSpec { architecture, channels, base: params.int("base") as usize }
}

/// What of a mask is lesion.
pub fn lesion(params: &Params) -> Result<Lesion, ParamError> {
    Lesion::parse(params.text("lesion"), params.text("lesion_value"))
        .map_err(|problem| ParamError::Invalid { key: "lesion_value".to_owned(), problem })
}

/// Values that belong together: a combination that no run can have. Reads no files.
pub fn check_combination(params: &Params) -> Result<(), ParamError> {
    let invalid = |key: &str, problem: String| Err(ParamError::Invalid { key: key.to_owned(), problem });
    let spec = net_spec(params);
    let size = params.int("image_size") as usize;
    if let Err(error) = spec.check() {
        return invalid("architecture", error.to_string());
    }
    if let Err(error) = spec.check_size(size, size) {
        return invalid("image_size", error.to_string());
    }
    if params.text("source") == "folder" && params.text("data").is_empty() {
        return invalid("data", "choose the folder with images and masks (`--data DIR`)".to_owned());
    }
    lesion(params)?;
    if params.float("train_share") + params.float("validation_share") > 1.0 {
        return invalid(
            "validation_share",
            format!(
                "{} for training and {} for validation are more than everything; what both leave is for the test",
                params.float("train_share"),
                params.float("validation_share")
            ),
        );
    }
    // Statistics of a batch of one single number per channel say nothing (DeepLab's pooled branch).
    if params.text("architecture").starts_with("deeplab")
        && (params.int("batch_size") < 2 || params.text("overfit") == "one")
    {
        return invalid(
            "batch_size",
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
        assert_eq!(net_spec(&params), NetSpec { architecture: Architecture::UNet, channels: 3, base: 8 });
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
    fn what_does_not_go_together_is_refused_by_name() {
        for (set, words) in [
            (&["source=folder"][..], "`data`"),
            (&["architecture=lighter", "group=16", "base=24"], "`architecture`"),
            (&["architecture=fcn-8s", "image_size=40"], "`image_size`"),
            (&["lesion=value", "lesion_value=red"], "`lesion_value`"),
            (&["lesion=colour", "lesion_value=#ff00"], "`lesion_value`"),
            (&["train_share=0.9", "validation_share=0.5"], "`validation_share`"),
            (&["architecture=deeplab-mobilenetv2", "batch_size=1"], "`batch_size`"),
        ] {
            let mut params = Params::defaults(PARAMS);
            set.iter().for_each(|value| params.set_text(PARAMS, value).unwrap());
            let message = check_combination(&params).unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        }
        check_combination(&Params::defaults(PARAMS)).unwrap();
    }
}
