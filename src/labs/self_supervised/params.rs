//! The parameters of the lab: the live ones as numbers, and which values go together.

mod table;

use crate::engine::params::{ParamError, Params};
use crate::nn::optim::{DecayScope, Rates};

use super::direct_pred::Mode;
use super::tau::TauSchedule;

pub use table::PARAMS;

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
        let rates = |part: &str| Rates {
            learning_rate: params.float(&format!("rate_{part}")),
            decay: params.float(&format!("decay_{part}")),
        };
        Self {
            rule: match params.text("predictor_rule") {
                "directpred" => PredictorRule::DirectPred,
                "directcopy" => PredictorRule::DirectCopy,
                _ => PredictorRule::Gradient,
            },
            symmetry: params.switch("symmetry"),
            fitted_map: params.text("predictor_map") == "fitted" && params.text("predictor_layers") == "two",
            ema: params.text("target") == "ema",
            tau: params.float("tau"),
            tau_cosine: params.text("tau_schedule") == "cosine",
            loss_scale: params.text("loss_scale").parse().expect("the choices of `loss_scale` are numbers"),
            direct_mode: match params.text("direct_mode") {
                "eq5" => Mode::Eq5,
                "replication" => Mode::Replication,
                _ => Mode::Normalised,
            },
            direct_every: params.int("direct_every") as u64,
            direct_epsilon: params.float("direct_epsilon"),
            f_memory: params.float("f_memory"),
            f_centred: params.switch("f_centred"),
            f_cross_view: params.text("f_product") == "cross",
            encoder: rates("encoder"),
            projector: rates("projector"),
            predictor: rates("predictor"),
            momentum: params.float("momentum"),
            decay_scope: match params.text("decay_scope") {
                "weights" => DecayScope::Weights,
                "weights_norms" => DecayScope::WeightsAndNorms,
                _ => DecayScope::All,
            },
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

/// Values that belong together: a combination that no run can have.
pub fn check_combination(params: &Params) -> Result<(), ParamError> {
    if params.text("predictor_layers") == "two" && params.text("predictor_rule") != "gradient" {
        return Err(ParamError::Invalid {
            key: "predictor_rule".to_owned(),
            problem: "DirectPred and DirectCopy write the predictor's one matrix; set predictor_layers=one, or train \
                      two layers with predictor_rule=gradient"
                .to_owned(),
        });
    }
    let source = params.text("source");
    if source != "shapes" && params.text("data").is_empty() {
        return Err(ParamError::Invalid {
            key: "data".to_owned(),
            problem: match source {
                "cifar10" => "choose the folder of CIFAR-10 (`--data DIR`): the one that holds data_batch_1.bin and test_batch.bin",
                _ => "choose a folder with one folder of pictures per class",
            }
            .to_owned(),
        });
    }
    Ok(())
}
