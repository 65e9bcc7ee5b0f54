//! The parameters of the lab: the live ones as numbers, and which values go together.

mod table;

use std::path::Path;

use crate::engine::params::{ParamError, Params};
use crate::engine::table::Float;
use crate::nn::optim::{DecayScope, Rates};

use super::direct_pred::Mode;
use super::tau::TauSchedule;

pub use table::*;

/// Where the pictures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Generated shapes.
    Shapes,
    Cifar10,
    /// A folder with one folder of pictures per class.
    Folder,
}

/// How the predictor is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PredictorRule {
    /// By gradient descent, as in BYOL, SimSiam and the SGD baseline.
    Gradient,
    /// From the eigen-decomposition of F.
    DirectPred,
    /// From F itself.
    DirectCopy,
}

/// The values that a running experiment accepts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hyper {
    pub rule: PredictorRule,
    pub symmetry: bool,
    /// Wp of two layers is fitted to the predictor's outputs instead of being the product of its layers.
    pub fitted_map: bool,
    /// The target is an average of the online network; otherwise it is the online network.
    pub ema: bool,
    pub tau: f64,
    pub tau_cosine: bool,
    pub loss_scale: f64,
    pub direct_mode: Mode,
    pub direct_every: u64,
    pub direct_epsilon: f64,
    /// ρ: weight of the past in F.
    pub f_memory: f64,
    pub f_centred: bool,
    pub f_cross_view: bool,
    pub encoder: Rates,
    pub projector: Rates,
    pub predictor: Rates,
    pub momentum: f64,
    pub decay_scope: DecayScope,
}

impl Hyper {
    pub fn of(params: &Params) -> Self {
        let rates = |rate: &Float, decay: &Float| Rates { learning_rate: rate.of(params), decay: decay.of(params) };
        Self {
            rule: PREDICTOR_RULE.of(params),
            symmetry: SYMMETRY.of(params),
            fitted_map: FITTED_MAP.of(params) && TWO_LAYERS.of(params),
            ema: EMA.of(params),
            tau: TAU.of(params),
            tau_cosine: TAU_COSINE.of(params),
            loss_scale: LOSS_SCALE.of(params),
            direct_mode: DIRECT_MODE.of(params),
            direct_every: DIRECT_EVERY.of(params) as u64,
            direct_epsilon: DIRECT_EPSILON.of(params),
            f_memory: F_MEMORY.of(params),
            f_centred: F_CENTRED.of(params),
            f_cross_view: F_CROSS_VIEW.of(params),
            encoder: rates(&RATE_ENCODER, &DECAY_ENCODER),
            projector: rates(&RATE_PROJECTOR, &DECAY_PROJECTOR),
            predictor: rates(&RATE_PREDICTOR, &DECAY_PREDICTOR),
            momentum: MOMENTUM.of(params),
            decay_scope: DECAY_SCOPE.of(params),
        }
    }

    /// τ in the update after `step` completed ones of `steps`: 0 without an average.
    pub fn tau_at(&self, step: u64, steps: u64) -> f64 {
        if !self.ema {
            return 0.0;
        }
        let schedule = if self.tau_cosine {
            TauSchedule::Cosine { start: self.tau, steps }
        } else {
            TauSchedule::Constant(self.tau)
        };
        schedule.at(step)
    }

    /// Rates of the parameter at this path.
    pub fn rates(&self, path: &str) -> Rates {
        if path.starts_with("predictor") {
            self.predictor
        } else if path.starts_with("branch.projector") {
            self.projector
        } else {
            self.encoder
        }
    }
}

/// The file of weights that a run starts from; `None`: from random ones.
pub fn weights_file(params: &Params) -> Option<&Path> {
    params.shows(&WEIGHTS.row()).then(|| Path::new(WEIGHTS.of(params)))
}

/// Values that belong together: a combination that no run can have.
pub fn check_combination(params: &Params) -> Result<(), ParamError> {
    if TWO_LAYERS.of(params) && PREDICTOR_RULE.of(params) != PredictorRule::Gradient {
        return Err(ParamError::invalid(
            PREDICTOR_RULE.key(),
            "DirectPred and DirectCopy write the predictor's one matrix; set predictor_layers=one, or train \
                      two layers with predictor_rule=gradient",
        ));
    }
    if weights_file(params).is_some_and(|file| file.as_os_str().is_empty()) {
        return Err(ParamError::invalid(
            WEIGHTS.key(),
            "choose the file of weights: .safetensors of `learnscope export RUN --weights`, or a PyTorch state dict of a ResNet-18",
        ));
    }
    let source = SOURCE.of(params);
    if source != Source::Shapes && FOLDER.of(params).is_empty() {
        return Err(ParamError::invalid(
            FOLDER.key(),
            match source {
                Source::Cifar10 => {
                    "choose the folder of CIFAR-10 (`--data DIR`): the one that holds data_batch_1.bin and test_batch.bin"
                }
                _ => "choose a folder with one folder of pictures per class",
            },
        ));
    }
    Ok(())
}
