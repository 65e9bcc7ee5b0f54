//! The parameters of the lab: the live ones as numbers, and which values go together.

mod descent;
mod heads;
mod table;
mod views;

use std::path::Path;

use crate::data::synth::shapes;
use crate::engine::params::{ParamError, Params};
use crate::engine::table::Float;
use crate::nn::optim::{DecayScope, Rates, Rule};

use super::direct_pred::Mode;
use super::network::Layers;
use super::tau::TauSchedule;

pub use descent::*;
pub use heads::*;
pub use table::*;
pub use views::strengths;

/// Where the pictures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Generated shapes.
    Shapes,
    Cifar10,
    /// A folder with one folder of pictures per class.
    Folder,
}

/// Which mean and standard deviation of each channel normalise the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormalisedBy {
    /// Those of the way views are made.
    Recipe,
    ImageNet,
    /// The training pictures' own.
    Data,
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
    /// Not at all: it stays as it is.
    Fixed,
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
    /// The target's answers are constants; otherwise they are the online network's own, and the gradient flows into both sides.
    pub stop_gradient: bool,
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
    pub optimizer: Rule,
    pub momentum: f64,
    pub decay_scope: DecayScope,
    pub plan: RatePlan,
}

impl Hyper {
    pub fn of(params: &Params) -> Self {
        let rates = |rate: &Float, decay: &Float| Rates { learning_rate: rate.of(params), decay: decay.of(params) };
        Self {
            rule: PREDICTOR_RULE.of(params),
            symmetry: SYMMETRY.of(params),
            fitted_map: FITTED_MAP.of(params) && PREDICTOR_LAYERS.of(params) == Layers::Two,
            ema: EMA.of(params),
            stop_gradient: STOP_GRADIENT.of(params),
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
            optimizer: rule(params),
            momentum: MOMENTUM.of(params),
            decay_scope: DECAY_SCOPE.of(params),
            plan: RatePlan::of(params),
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

    /// With the rates of the update after `step` completed ones of `steps`.
    pub fn at(&self, step: u64, steps: u64) -> Self {
        let factor = self.plan.factor(step, steps);
        let scaled = |rates: Rates| Rates { learning_rate: rates.learning_rate * factor, ..rates };
        Self {
            encoder: scaled(self.encoder),
            projector: scaled(self.projector),
            predictor: if self.plan.predictor_constant { self.predictor } else { scaled(self.predictor) },
            ..*self
        }
    }

    /// AdamW's decay is not part of the loss.
    pub fn decay_is_apart(&self) -> bool {
        matches!(self.optimizer, Rule::Adam { decoupled: true, .. })
    }

    /// The theory's time that passes in a step: α/(1 − μ), as momentum μ comes to a rate of that much. `None` with another optimizer
    /// than gradient descent, whose steps are no flow.
    pub fn time_of_a_step(&self) -> Option<f64> {
        let sgd = matches!(self.optimizer, Rule::Sgd { .. });
        sgd.then(|| self.encoder.learning_rate / (1.0 - self.momentum))
    }

    /// Rates of the parameter at this path.
    pub fn rates(&self, path: &str) -> Rates {
        if path.starts_with("predictor") {
            match self.rule {
                PredictorRule::Fixed => Rates { learning_rate: 0.0, decay: 0.0 },
                _ => self.predictor,
            }
        } else if path.starts_with("branch.projector") {
            self.projector
        } else {
            self.encoder
        }
    }
}

/// By what the pictures are normalised. Where it is not asked, by the recipe.
pub fn normalised_by(params: &Params) -> NormalisedBy {
    if params.shows(&MOMENTS.row()) { MOMENTS.of(params) } else { NormalisedBy::Recipe }
}

/// The file of weights that a run starts from; `None`: from random ones.
pub fn weights_file(params: &Params) -> Option<&Path> {
    params.shows(&WEIGHTS.row()).then(|| Path::new(WEIGHTS.of(params)))
}

/// Values that belong together: a combination that no run can have.
pub fn check_combination(params: &Params) -> Result<(), ParamError> {
    let invalid = |key: &str, problem: &str| Err(ParamError::invalid(key, problem));
    let (layers, rule) = (PREDICTOR_LAYERS.of(params), PREDICTOR_RULE.of(params));
    let direct = matches!(rule, PredictorRule::DirectPred | PredictorRule::DirectCopy);
    if layers == Layers::Two && direct {
        return invalid(
            PREDICTOR_RULE.key(),
            "DirectPred and DirectCopy write the predictor's one matrix; set predictor_layers=one, or train \
                      two layers with predictor_rule=gradient",
        );
    }
    if layers == Layers::None && rule != PredictorRule::Gradient {
        let problem =
            "there is no predictor to be set or kept fixed; set predictor_layers=one, or predictor_rule=gradient";
        return invalid(PREDICTOR_RULE.key(), problem);
    }
    if SYMMETRY.of(params) && layers == Layers::None {
        let problem =
            "there is no predictor to be made symmetric, the identity is; set symmetry=off, or predictor_layers=one";
        return invalid(SYMMETRY.key(), problem);
    }
    if SYMMETRY.of(params) && rule == PredictorRule::Fixed {
        let problem = "a fixed predictor is not updated, so nothing makes it symmetric; set symmetry=off, or \
                       predictor_rule=gradient";
        return invalid(SYMMETRY.key(), problem);
    }
    if EMA.of(params) && !STOP_GRADIENT.of(params) {
        let problem = "the weights of a moving average take no gradient, so stop-gradient can only be off where the target is the \
                       online network; set target=online, or stop_gradient=on";
        return invalid(STOP_GRADIENT.key(), problem);
    }
    if EMBEDDING_WIDTH.of(params) == 1 {
        let problem =
            "an embedding of one number has no direction but its sign; choose 2 to 512, or 0 for the encoder's own";
        return invalid(EMBEDDING_WIDTH.key(), problem);
    }
    if WARM_UP.of(params) > 0 && WARM_UP.of(params) >= STEPS.of(params) {
        let (warm_up, steps) = (WARM_UP.of(params), STEPS.of(params));
        let problem = format!("a warm-up of {warm_up} steps does not end in a run of {steps}; choose fewer");
        return invalid(WARM_UP.key(), &problem);
    }
    if weights_file(params).is_some_and(|file| file.as_os_str().is_empty()) {
        return Err(ParamError::invalid(
            WEIGHTS.key(),
            "choose the file of weights: .safetensors of `learnscope export RUN --weights`, or a PyTorch state dict of a ResNet-18",
        ));
    }
    check_size(params)?;
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

/// Pictures that are too small for the network's stem.
fn check_size(params: &Params) -> Result<(), ParamError> {
    let (least, size) = (ENCODER.of(params).least_side(), IMAGE_SIZE.key());
    let network = format!("{}={}", ENCODER.key(), ENCODER.item(params).map_or("", |item| item.id));
    let (side, key, instead) = match SOURCE.of(params) {
        Source::Shapes => (shapes::SIZE, ENCODER.key(), format!("a folder of pictures with {size} of {least} or more")),
        // 32 pixels, by definition.
        Source::Cifar10 => return Ok(()),
        Source::Folder => (IMAGE_SIZE.of(params) as usize, size, format!("{size} of {least} or more")),
    };
    if side >= least {
        return Ok(());
    }
    let problem = format!(
        "pictures of {side}×{side} are too small for {network}, which makes them {least} times smaller; choose {instead}, or \
         {0}=resnet18, which has a stem for small pictures",
        ENCODER.key()
    );
    Err(ParamError::invalid(key, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(set: &[&str]) -> Params {
        let mut params = Params::defaults(PARAMS);
        set.iter().for_each(|text| params.set_text(PARAMS, text).unwrap());
        params
    }

    #[test]
    fn switches_are_shown_only_where_they_apply() {
        let shown = |set: &[&str], key: &str| {
            let spec = PARAMS.iter().find(|spec| spec.key == key).unwrap_or_else(|| panic!("no {key}"));
            params(set).shows(spec)
        };
        for (key, without, with) in [
            ("rate_predictor", "predictor_layers=none", "predictor_layers=two"),
            ("predictor_hidden", "predictor_layers=one", "predictor_layers=two"),
            ("predictor_norm", "predictor_layers=none", "predictor_layers=two"),
            ("hidden_width", "projector_layers=1", "projector_layers=3"),
            ("projector_norm", "projector_layers=1", "projector_layers=2"),
            ("momentum", "optimizer=adam", "optimizer=lars"),
            ("lars_trust", "optimizer=sgd", "optimizer=lars"),
            ("rate_drop_every", "rate_schedule=cosine", "rate_schedule=steps"),
            ("grey_chance", "source=shapes", "source=folder"),
            ("jitter_chance", "source=shapes", "source=cifar10"),
            ("invert_chance", "source=cifar10", "source=shapes"),
            ("moments", "source=shapes", "source=folder"),
        ] {
            assert!(!shown(&[without], key) && shown(&[with], key), "{key}");
        }
    }

    #[test]
    fn only_the_rates_follow_the_schedule() {
        let hyper = Hyper::of(&params(&["warm_up=4", "decay_encoder=0.3", "rate_encoder=0.4", "rate_predictor=0.8"]));
        let first = hyper.at(0, 100);
        assert_eq!((first.encoder, first.predictor.learning_rate), (Rates { learning_rate: 0.1, decay: 0.3 }, 0.2));
        assert_eq!(hyper.at(3, 100), hyper, "at the end of the warm-up the rates are those set, to the bit");
        let held = Hyper::of(&params(&["warm_up=4", "rate_predictor=0.8", "predictor_rate_constant=on"])).at(0, 100);
        assert_eq!(held.predictor.learning_rate, 0.8);
        let cosine = Hyper::of(&params(&["rate_schedule=cosine"]));
        assert!(cosine.plan.factor(0, 100) == 1.0 && cosine.plan.factor(99, 100) < 1e-3);
        assert_eq!(cosine.plan.factor(100, 100), 0.0);
    }

    #[test]
    fn a_stem_for_large_pictures_refuses_small_ones() {
        let refused = |set: &[&str]| check_combination(&params(&[&["network=resnet18_imagenet"], set].concat())).err();
        for (set, key, words) in [
            (&["source=folder", "data=here", "image_size=31"][..], "`image_size`", "31×31"),
            (&[][..], "`network`", "16×16"),
        ] {
            let message = refused(set).expect("must be refused").to_string();
            for words in [key, words, "image_size of 32 or more", "network=resnet18_imagenet", "network=resnet18,"] {
                assert!(message.contains(words), "no `{words}`: {message}");
            }
        }
        for set in [&["source=folder", "data=here", "image_size=32"], &["source=cifar10", "data=here", "image_size=8"]]
        {
            assert!(refused(set).is_none(), "{set:?}");
        }
    }

    #[test]
    fn a_fixed_predictor_has_no_rate_and_no_decay() {
        let hyper = Hyper::of(&params(&["predictor_rule=fixed"]));
        let still = Rates { learning_rate: 0.0, decay: 0.0 };
        assert_eq!((hyper.rates("predictor.One.weight"), hyper.rates("branch.encoder")), (still, hyper.encoder));
    }
}
