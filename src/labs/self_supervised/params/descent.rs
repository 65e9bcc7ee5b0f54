//! The parameters of the descent: which optimizer, and how its rates run.

use crate::engine::params::Params;
use crate::engine::table::{Choice, Float, Int, Switch, fixed, live};
use crate::nn::optim::Rule;
use crate::nn::optim::schedule::Course;

use super::{MOMENTUM, RATES};

/// How weights are moved along their gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Descent {
    Sgd,
    Adam,
    AdamW,
    Lars,
}

/// How the rates run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateCourse {
    Constant,
    Cosine,
    Steps,
}

pub static OPTIMIZER: Choice<Descent, 4> = fixed(RATES, "optimizer", "optimizer")
    .help(
        "SGD with momentum: the paper, SimSiam. LARS (You et al. 2017): BYOL; a rate for each matrix, α · trust · ‖w‖/‖g‖; biases \
         and normalisations take α alone. Adam and AdamW with PyTorch's β and ε; AdamW's decay is not part of the gradient. Each \
         needs rates of its own size: choosing one sets each α that nobody has set.",
    )
    .choice(
        "sgd",
        [
            ("sgd", "SGD with momentum", Descent::Sgd),
            ("adam", "Adam, coupled decay", Descent::Adam),
            ("adamw", "AdamW, decoupled decay", Descent::AdamW),
            ("lars", "LARS with momentum", Descent::Lars),
        ],
    );
pub static TRUST: Float = live(RATES, "lars_trust", "trust coefficient")
    .help("LARS: one update moves a matrix by about α · trust of its length. BYOL and You et al. use 0.001.")
    .when(OPTIMIZER.is(&["lars"]))
    .log(0.001, [1e-5, 1.0]);
pub static RATE_SCHEDULE: Choice<RateCourse, 3> = live(RATES, "rate_schedule", "schedule of rates")
    .help(
        "A factor of all three rates. Cosine: from 1 to 0 over the run, as in SimSiam and BYOL; the paper's rates are constant. \
         The factor in force is recorded as rate_factor.",
    )
    .choice(
        "constant",
        [
            ("constant", "constant", RateCourse::Constant),
            ("cosine", "cosine to 0", RateCourse::Cosine),
            ("steps", "a tenth every so many steps", RateCourse::Steps),
        ],
    );
pub static RATE_DROP: Int = live(RATES, "rate_drop_every", "a tenth every")
    .help("Steps, after the warm-up, between two falls of the factor to a tenth.")
    .unit("steps")
    .when(RATE_SCHEDULE.is(&["steps"]))
    .int(300, [1, 10_000_000]);
pub static WARM_UP: Int = live(RATES, "warm_up", "warm-up")
    .help("The first so many steps climb in a line to the set rates (Goyal et al. 2017); the schedule begins after them. 0: none. BYOL: 10 of 1000 epochs.")
    .unit("steps")
    .int(0, [0, 10_000_000]);
pub static PREDICTOR_CONSTANT: Switch = live(RATES, "predictor_rate_constant", "predictor's rate constant")
    .help(
        "Neither schedule nor warm-up changes α_pred. SimSiam's code does so (`fix_pred_lr`), since the predictor should keep up with \
         the features at the end too.",
    )
    .switch(false);

/// What an optimizer brings along: rates of its size. With SGD's α of 0.15 Adam would throw weights about, and
/// LARS would stand still.
pub fn brings(key: &str, value: &str) -> &'static [(&'static str, &'static str)] {
    match (key == OPTIMIZER.key(), value) {
        (true, "adam" | "adamw") => {
            &[("rate_encoder", "0.002"), ("rate_projector", "0.002"), ("rate_predictor", "0.002")]
        }
        (true, "lars") => &[("rate_encoder", "1"), ("rate_projector", "1"), ("rate_predictor", "1")],
        _ => &[],
    }
}

/// The update rule.
pub fn rule(params: &Params) -> Rule {
    let momentum = MOMENTUM.of(params);
    match OPTIMIZER.of(params) {
        Descent::Sgd => Rule::Sgd { momentum, nesterov: false },
        Descent::Adam => Rule::ADAM,
        Descent::AdamW => Rule::Adam { betas: (0.9, 0.999), epsilon: 1e-8, decoupled: true },
        Descent::Lars => Rule::Lars { momentum, trust: TRUST.of(params) },
    }
}

/// How the rates run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatePlan {
    pub course: RateCourse,
    /// Steps between two falls of [`RateCourse::Steps`].
    pub drop_every: u64,
    pub warm_up: u64,
    /// The predictor's rate stays as it is set.
    pub predictor_constant: bool,
}

impl RatePlan {
    pub fn of(params: &Params) -> Self {
        Self {
            course: RATE_SCHEDULE.of(params),
            drop_every: RATE_DROP.of(params) as u64,
            warm_up: WARM_UP.of(params) as u64,
            predictor_constant: PREDICTOR_CONSTANT.of(params),
        }
    }

    /// Whether the factor is 1 all along.
    pub fn is_constant(&self) -> bool {
        self.course == RateCourse::Constant && self.warm_up == 0
    }

    /// The factor of the rates in the update after `step` completed ones of `steps`.
    pub fn factor(&self, step: u64, steps: u64) -> f64 {
        let course = match self.course {
            RateCourse::Constant => Course::Constant,
            RateCourse::Steps => Course::Steps { every: self.drop_every, factor: 0.1 },
            RateCourse::Cosine => Course::Cosine { steps: steps.saturating_sub(self.warm_up), least: 0.0 },
        };
        course.share(step, self.warm_up)
    }
}
