//! The article's seven optimizers in f64, exactly as its code executes them: every operation in the same order.

mod trace;

pub use trace::{Part, Trace, number, pair};

use super::params::{
    ADADELTA_RHO, ADAM_BETA1, ADAM_BETA2, EPSILON, LEARNING_RATE, MOMENTUM, RMSPROP_BETA, USE_ADADELTA, USE_ADAGRAD,
    USE_ADAM, USE_MOMENTUM, USE_NAG, USE_RMSPROP, USE_SGD,
};
use super::surfaces::Surface;
use crate::engine::params::{ParamError, Params, Value};
use crate::engine::table::Switch;

/// One of the article's seven update rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    Sgd,
    Momentum,
    Nag,
    AdaGrad,
    RmsProp,
    AdaDelta,
    Adam,
}

impl Rule {
    /// In the article's order; the index is the rule's colour in every view.
    pub const ALL: [Rule; 7] =
        [Rule::Sgd, Rule::Momentum, Rule::Nag, Rule::AdaGrad, Rule::RmsProp, Rule::AdaDelta, Rule::Adam];

    /// Name in keys and files: `path/adam`, `use_adam`.
    pub const fn id(self) -> &'static str {
        ["sgd", "momentum", "nag", "adagrad", "rmsprop", "adadelta", "adam"][self as usize]
    }

    /// The table of its path.
    pub const fn path_key(self) -> &'static str {
        ["path/sgd", "path/momentum", "path/nag", "path/adagrad", "path/rmsprop", "path/adadelta", "path/adam"]
            [self as usize]
    }

    /// The switch that lets it take part.
    pub const fn switch(self) -> &'static Switch {
        [&USE_SGD, &USE_MOMENTUM, &USE_NAG, &USE_ADAGRAD, &USE_RMSPROP, &USE_ADADELTA, &USE_ADAM][self as usize]
    }

    /// Name in labels.
    pub const fn title(self) -> &'static str {
        self.switch().label()
    }

    /// Index in [`Rule::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// Names of the state vectors `a` and `b` of the recorded path.
    pub fn state_names(self) -> &'static [&'static str] {
        match self {
            Rule::Sgd => &[],
            Rule::Momentum | Rule::Nag => &["v"],
            Rule::AdaGrad => &["G"],
            Rule::RmsProp => &["s"],
            Rule::AdaDelta => &["E[g²]", "E[Δθ²]"],
            Rule::Adam => &["m", "v"],
        }
    }
}

/// The hyper-parameters of all rules together, on a surface and of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hyper {
    /// η, of every rule but AdaDelta.
    pub learning_rate: f64,
    /// μ of Momentum and NAG.
    pub momentum: f64,
    /// β of RMSProp.
    pub rmsprop_beta: f64,
    /// ρ of AdaDelta.
    pub adadelta_rho: f64,
    /// β₁ of Adam.
    pub adam_beta1: f64,
    /// β₂ of Adam.
    pub adam_beta2: f64,
    /// ε: added to the root's result, in AdaDelta inside the roots.
    pub epsilon: f64,
}

impl Hyper {
    /// Number of hyper-parameters.
    pub const COUNT: usize = Self::KEYS.len();
    /// Their parameter keys, in the order of [`Hyper::values`].
    pub const KEYS: [&'static str; 7] = [
        LEARNING_RATE.key(),
        MOMENTUM.key(),
        RMSPROP_BETA.key(),
        ADADELTA_RHO.key(),
        ADAM_BETA1.key(),
        ADAM_BETA2.key(),
        EPSILON.key(),
    ];

    pub fn of(params: &Params) -> Self {
        Self::from_values(Self::KEYS.map(|key| params.float(key)))
    }

    /// All values in the order of [`Hyper::KEYS`].
    pub fn values(&self) -> [f64; Self::COUNT] {
        [
            self.learning_rate,
            self.momentum,
            self.rmsprop_beta,
            self.adadelta_rho,
            self.adam_beta1,
            self.adam_beta2,
            self.epsilon,
        ]
    }

    /// The inverse of [`Hyper::values`].
    pub fn from_values(values: [f64; Self::COUNT]) -> Self {
        let [learning_rate, momentum, rmsprop_beta, adadelta_rho, adam_beta1, adam_beta2, epsilon] = values;
        Self { learning_rate, momentum, rmsprop_beta, adadelta_rho, adam_beta1, adam_beta2, epsilon }
    }

    /// Applies a live change, whose value has been checked; a key that is no hyper-parameter is refused.
    pub fn set(&mut self, key: &str, value: &Value) -> Result<(), ParamError> {
        let (Some(index), Value::Float(value)) = (Self::KEYS.iter().position(|known| *known == key), value) else {
            return Err(ParamError::NotLive { key: key.to_owned() });
        };
        let mut values = self.values();
        values[index] = *value;
        *self = Self::from_values(values);
        Ok(())
    }
}

/// Everything that a rule carries from one update to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct State {
    /// Position θ = (x, y).
    pub theta: [f64; 2],
    /// First and second state vector, see [`Rule::state_names`]; zero where the rule has none.
    pub a: [f64; 2],
    pub b: [f64; 2],
    /// Updates done.
    pub k: u64,
}

impl State {
    /// The state before the first update.
    pub fn new(start: [f64; 2]) -> Self {
        Self { theta: start, a: [0.0; 2], b: [0.0; 2], k: 0 }
    }
}

/// One update with its intermediate results. [`Rule::step`] keeps the next state, [`Rule::trace`] shows the rest.
#[derive(Debug, Clone, Copy)]
struct Update {
    next: State,
    /// Bias-corrected state vectors (Adam); zero elsewhere.
    corrected: [[f64; 2]; 2],
    /// What is added to θ.
    delta: [f64; 2],
}

impl Rule {
    /// One update: `state` becomes the state after it.
    pub fn step(self, state: &mut State, surface: &Surface, hyper: &Hyper) {
        let gradient = surface.gradient(self.gradient_point(state, hyper));
        self.step_with(state, gradient, hyper);
    }

    /// [`Rule::step`] for a caller that already has the gradient at [`Rule::gradient_point`].
    pub fn step_with(self, state: &mut State, gradient: [f64; 2], hyper: &Hyper) {
        *state = self.update(state, gradient, hyper).next;
    }

    /// Where the next update takes its gradient: at θ, but for NAG at the look-ahead point θ + μ v.
    pub fn gradient_point(self, state: &State, hyper: &Hyper) -> [f64; 2] {
        match self {
            Rule::Nag => each(|i| state.theta[i] + hyper.momentum * state.a[i]),
            _ => state.theta,
        }
    }

    /// Whether the next gradient is taken at θ itself.
    pub fn gradient_is_at_theta(self) -> bool {
        self != Rule::Nag
    }

    fn update(self, state: &State, g: [f64; 2], hyper: &Hyper) -> Update {
        const NONE: [f64; 2] = [0.0; 2];
        let &Hyper { learning_rate: eta, momentum: mu, epsilon, .. } = hyper;
        let k = state.k + 1;
        let mut corrected = [NONE; 2];
        let (a, b, delta) = match self {
            Rule::Sgd => (NONE, NONE, each(|i| -(eta * g[i]))),
            Rule::Momentum | Rule::Nag => {
                let v = each(|i| mu * state.a[i] - eta * g[i]);
                (v, NONE, v)
            }
            Rule::AdaGrad => {
                let sum = each(|i| state.a[i] + g[i] * g[i]);
                (sum, NONE, each(|i| -(eta * g[i] / (sum[i].sqrt() + epsilon))))
            }
            Rule::RmsProp => {
                let s = average(hyper.rmsprop_beta, state.a, each(|i| g[i] * g[i]));
                (s, NONE, each(|i| -(eta * g[i] / (s[i].sqrt() + epsilon))))
            }
            Rule::AdaDelta => {
                // The average of squared moves in the numerator is the one BEFORE this move.
                let a = average(hyper.adadelta_rho, state.a, each(|i| g[i] * g[i]));
                let delta = each(|i| -(state.b[i] + epsilon).sqrt() / (a[i] + epsilon).sqrt() * g[i]);
                (a, average(hyper.adadelta_rho, state.b, each(|i| delta[i] * delta[i])), delta)
            }
            Rule::Adam => {
                let m = average(hyper.adam_beta1, state.a, g);
                let v = average(hyper.adam_beta2, state.b, each(|i| g[i] * g[i]));
                let (c1, c2) = (bias_correction(hyper.adam_beta1, k), bias_correction(hyper.adam_beta2, k));
                corrected = [m.map(|m| m / c1), v.map(|v| v / c2)];
                let [m_hat, v_hat] = corrected;
                (m, v, each(|i| -(eta * m_hat[i] / (v_hat[i].sqrt() + epsilon))))
            }
        };
        let theta = each(|i| state.theta[i] + delta[i]);
        Update { next: State { theta, a, b, k }, corrected, delta }
    }
}

/// The two coordinates of a vector.
fn each(f: impl Fn(usize) -> f64) -> [f64; 2] {
    [f(0), f(1)]
}

/// Exponential running average: `beta · old + (1 − beta) · new`.
fn average(beta: f64, old: [f64; 2], new: [f64; 2]) -> [f64; 2] {
    each(|i| beta * old[i] + (1.0 - beta) * new[i])
}

/// 1 − βᵏ: the share of its full weight that an average has after k updates from zero.
fn bias_correction(beta: f64, k: u64) -> f64 {
    1.0 - beta.powf(k as f64)
}
