//! The optimizers in f64. The article's seven are exactly as its code executes them: every operation in the same order; the
//! others are PyTorch's, and Lion and Adan as their papers and Burn have them.
//!
//! A rule is a row of [`FACTS`], a switch in the lab's parameters, and in its family's file an update and beside it the parts
//! in which the step microscope shows that update.

mod adam;
mod adaptive;
mod descent;
mod hyper;
mod lbfgs;
mod own_rate;
mod schedule;
mod signs;
mod state;
mod trace;

pub use hyper::{Choices, Convention, Hyper};
pub use lbfgs::MOST_TRIES;
pub use own_rate::OwnRates;
pub use schedule::{Course, Schedule};
pub use state::{PAIRS, State};
pub use trace::{Part, Trace, number, pair};

use super::params::{
    USE_ADADELTA, USE_ADAGRAD, USE_ADAM, USE_ADAMAX, USE_ADAMW, USE_ADAN, USE_AMSGRAD, USE_ASGD, USE_HEAVY_BALL,
    USE_LBFGS, USE_LBFGS_FIXED, USE_LION, USE_MOMENTUM, USE_NADAM, USE_NAG, USE_RADAM, USE_RMSPROP,
    USE_RMSPROP_CENTERED, USE_RMSPROP_MOMENTUM, USE_RPROP, USE_SGD,
};
use super::surfaces::Surface;
use super::theory::noise::Noise;
use crate::engine::table::Switch;

/// An update rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    Sgd,
    Momentum,
    Nag,
    AdaGrad,
    RmsProp,
    AdaDelta,
    Adam,
    AdamW,
    AmsGrad,
    NAdam,
    RAdam,
    AdaMax,
    Adan,
    HeavyBall,
    RmsPropMomentum,
    RmsPropCentered,
    Rprop,
    Lion,
    Asgd,
    Lbfgs,
    LbfgsFixed,
}

/// What is known of a rule beside its arithmetic.
struct Facts {
    id: &'static str,
    path: &'static str,
    memory: &'static str,
    switch: &'static Switch,
    recorded: &'static [&'static str],
    hidden: &'static [&'static str],
}

/// `facts!(id, switch, [names of a and b], [names of c and d])`; a rule without names of c and d keeps nothing there.
macro_rules! facts {
    ($id:literal, $switch:ident, $recorded:expr, $hidden:expr) => {
        Facts {
            id: $id,
            path: concat!("path/", $id),
            memory: concat!("memory/", $id),
            switch: &$switch,
            recorded: &$recorded,
            hidden: &$hidden,
        }
    };
}

/// In the order of [`Rule`].
const FACTS: [Facts; Rule::ALL.len()] = [
    facts!("sgd", USE_SGD, [], []),
    facts!("momentum", USE_MOMENTUM, ["v"], []),
    facts!("nag", USE_NAG, ["v"], []),
    facts!("adagrad", USE_ADAGRAD, ["G"], []),
    facts!("rmsprop", USE_RMSPROP, ["s"], []),
    facts!("adadelta", USE_ADADELTA, ["E[g²]", "E[Δθ²]"], []),
    facts!("adam", USE_ADAM, ["m", "v"], []),
    facts!("adamw", USE_ADAMW, ["m", "v"], []),
    facts!("amsgrad", USE_AMSGRAD, ["m", "v max"], ["v"]),
    facts!("nadam", USE_NADAM, ["m", "v"], ["Π"]),
    facts!("radam", USE_RADAM, ["m", "v"], []),
    facts!("adamax", USE_ADAMAX, ["m", "u"], []),
    facts!("adan", USE_ADAN, ["m", "n"], ["δ", "g"]),
    facts!("heavy_ball", USE_HEAVY_BALL, ["B"], []),
    facts!("rmsprop_momentum", USE_RMSPROP_MOMENTUM, ["s", "B"], []),
    facts!("rmsprop_centered", USE_RMSPROP_CENTERED, ["s", "ḡ"], []),
    facts!("rprop", USE_RPROP, ["Δ", "g₋"], []),
    facts!("lion", USE_LION, ["m"], []),
    facts!("asgd", USE_ASGD, ["θ̄"], []),
    facts!("lbfgs", USE_LBFGS, ["d", "g"], ["t, γ", "count"]),
    facts!("lbfgs_fixed", USE_LBFGS_FIXED, ["d", "g"], ["t, γ", "count"]),
];

impl Rule {
    /// The article's in its order, then the others; the index is the rule's colour in every view.
    pub const ALL: [Rule; 21] = [
        Rule::Sgd,
        Rule::Momentum,
        Rule::Nag,
        Rule::AdaGrad,
        Rule::RmsProp,
        Rule::AdaDelta,
        Rule::Adam,
        Rule::AdamW,
        Rule::AmsGrad,
        Rule::NAdam,
        Rule::RAdam,
        Rule::AdaMax,
        Rule::Adan,
        Rule::HeavyBall,
        Rule::RmsPropMomentum,
        Rule::RmsPropCentered,
        Rule::Rprop,
        Rule::Lion,
        Rule::Asgd,
        Rule::Lbfgs,
        Rule::LbfgsFixed,
    ];
    /// The article's, which also train networks.
    pub const ARTICLE: [Rule; 7] =
        [Rule::Sgd, Rule::Momentum, Rule::Nag, Rule::AdaGrad, Rule::RmsProp, Rule::AdaDelta, Rule::Adam];

    /// Name in keys and files: `path/adam`, `use_adam`.
    pub const fn id(self) -> &'static str {
        FACTS[self as usize].id
    }

    /// The table of its path.
    pub const fn path_key(self) -> &'static str {
        FACTS[self as usize].path
    }

    /// The table of its whole state every so many steps, where [`Rule::remembers_more`].
    pub const fn memory_key(self) -> &'static str {
        FACTS[self as usize].memory
    }

    /// The switch that lets it take part.
    pub const fn switch(self) -> &'static Switch {
        FACTS[self as usize].switch
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
    pub const fn state_names(self) -> &'static [&'static str] {
        FACTS[self as usize].recorded
    }

    /// Names of the state vectors `c` and `d`, which the recorded path has not.
    pub const fn hidden_names(self) -> &'static [&'static str] {
        FACTS[self as usize].hidden
    }

    /// Whether a row of the recorded path is not all that the next update needs.
    pub const fn remembers_more(self) -> bool {
        !self.hidden_names().is_empty()
    }

    /// Whether η is in its equations.
    pub fn has_learning_rate(self) -> bool {
        self.own_rate().is_some()
    }

    /// Whether its denominator can have ε inside or outside of the root.
    pub fn has_epsilon_place(self) -> bool {
        use Rule::{AdaGrad, Adam, AdamW, Adan, AmsGrad, NAdam, RAdam, RmsProp, RmsPropCentered, RmsPropMomentum};
        matches!(
            self,
            AdaGrad | RmsProp | RmsPropMomentum | RmsPropCentered | Adam | AdamW | AmsGrad | NAdam | RAdam | Adan
        )
    }

    /// Whether it corrects the bias of averages that begin at 0.
    pub fn has_bias_correction(self) -> bool {
        use Rule::{AdaMax, Adam, AdamW, Adan, AmsGrad, NAdam, RAdam};
        matches!(self, Adam | AdamW | AmsGrad | NAdam | RAdam | AdaMax | Adan)
    }
}

/// f and its gradient at a place, as an update sees them.
pub type See<'a> = dyn Fn([f64; 2]) -> (f64, [f64; 2]) + 'a;

/// One update with its intermediate results. [`Rule::step`] keeps the next state, [`Rule::trace`] shows the rest.
#[derive(Debug, Clone, Copy)]
struct Update {
    next: State,
    /// Bias-corrected state vectors (Adam and its kin); zero elsewhere.
    corrected: [[f64; 2]; 2],
    /// What is added to θ.
    delta: [f64; 2],
}

impl Update {
    /// The update that moves by `delta` and leaves everything else as it is; counts one gradient.
    fn moving(state: &State, delta: [f64; 2]) -> Self {
        let theta = each(|i| state.theta[i] + delta[i]);
        let next = State { theta, k: state.k + 1, evaluations: state.evaluations + 1, ..*state };
        Self { next, corrected: [[0.0; 2]; 2], delta }
    }

    /// With these state vectors.
    fn keeping(mut self, a: [f64; 2], b: [f64; 2]) -> Self {
        (self.next.a, self.next.b) = (a, b);
        self
    }
}

impl Rule {
    /// One update: `state` becomes the state after it.
    pub fn step(self, state: &mut State, surface: &Surface, hyper: &Hyper) {
        let gradient = surface.gradient(self.gradient_point(state, hyper));
        self.step_with(state, gradient, &|p| (surface.f(p), surface.gradient(p)), hyper);
    }

    /// [`Rule::step`] with this noise on every gradient.
    pub fn noisy_step(self, state: &mut State, surface: &Surface, hyper: &Hyper, noise: &Noise) {
        let (at, k) = (self.gradient_point(state, hyper), state.k);
        let noisy = |p: [f64; 2]| noise.on(surface.gradient(p), p, k, |p| surface.gradient(p));
        self.step_with(state, noisy(at), &|p| (surface.f(p), noisy(p)), hyper);
    }

    /// [`Rule::step`] for a caller that already has the gradient at [`Rule::gradient_point`]. L-BFGS also looks at other
    /// places, through `see`.
    pub fn step_with(self, state: &mut State, gradient: [f64; 2], see: &See<'_>, hyper: &Hyper) {
        *state = self.update(state, gradient, see, &hyper.at(self, state.k)).next;
    }

    /// Where the next update takes its gradient: at θ, but for NAG at the look-ahead point θ + μ v.
    pub fn gradient_point(self, state: &State, hyper: &Hyper) -> [f64; 2] {
        match self {
            Rule::Nag => {
                let mu = hyper.at(self, state.k).momentum;
                each(|i| state.theta[i] + mu * state.a[i])
            }
            _ => state.theta,
        }
    }

    /// Whether the next gradient is taken at θ itself.
    pub fn gradient_is_at_theta(self) -> bool {
        self != Rule::Nag
    }

    /// `hyper`: what holds for this rule and this update, see [`Hyper::at`].
    fn update(self, state: &State, g: [f64; 2], see: &See<'_>, hyper: &Hyper) -> Update {
        match self {
            Rule::Sgd => descent::sgd(state, g, hyper),
            Rule::Momentum | Rule::Nag => descent::momentum(state, g, hyper),
            Rule::HeavyBall => descent::heavy_ball(state, g, hyper),
            Rule::Asgd => descent::asgd(state, g, hyper),
            Rule::AdaGrad => adaptive::adagrad(state, g, hyper),
            Rule::RmsProp => adaptive::rmsprop(state, g, hyper),
            Rule::RmsPropMomentum => adaptive::rmsprop_momentum(state, g, hyper),
            Rule::RmsPropCentered => adaptive::rmsprop_centered(state, g, hyper),
            Rule::AdaDelta => adaptive::adadelta(state, g, hyper),
            Rule::Adam => adam::adam(state, g, hyper),
            Rule::AdamW => adam::adamw(state, g, hyper),
            Rule::AmsGrad => adam::amsgrad(state, g, hyper),
            Rule::NAdam => adam::nadam(state, g, hyper),
            Rule::RAdam => adam::radam(state, g, hyper),
            Rule::AdaMax => adam::adamax(state, g, hyper),
            Rule::Adan => adam::adan(state, g, hyper),
            Rule::Rprop => signs::rprop(state, g, hyper),
            Rule::Lion => signs::lion(state, g, hyper),
            Rule::Lbfgs => lbfgs::lbfgs(state, g, Some(see), hyper).update,
            Rule::LbfgsFixed => lbfgs::lbfgs(state, g, None, hyper).update,
        }
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

/// −1, 0 or 1; not a number stays so.
fn sign(v: f64) -> f64 {
    if v > 0.0 {
        1.0
    } else if v < 0.0 {
        -1.0
    } else {
        v
    }
}
