//! The hyper-parameters of all rules together, and what of them holds for one rule at one update.

use super::Rule;
use super::own_rate::{FIRST_OF_BURN, OwnRates};
use super::schedule::{Course, Schedule};
use crate::engine::experiment::{Checkpoint, RunError};
use crate::engine::params::{DefaultValue, ParamError, Params, Value};
use crate::engine::table::Float;
use crate::labs::optimizers::params::{
    ADADELTA_RATE, ADADELTA_RHO, ADAGRAD_DECAY, ADAGRAD_START, ADAM_BETA1, ADAM_BETA2, ADAN_BETA1, ADAN_BETA2,
    ADAN_BETA3, ASGD_ALPHA, ASGD_FROM, ASGD_LAMBDA, BIAS_CORRECTION, CONVENTION, DAMPENING, EPSILON, EPSILON_INSIDE,
    LBFGS_FIXED_RATE, LBFGS_RATE, LBFGS_TRIES, LEARNING_RATE, LION_BETA1, LION_BETA2, MOMENTUM, MOMENTUM_RISES,
    MOMENTUM_START, NADAM_DECAY, RMSPROP_BETA, RPROP_FASTER, RPROP_LARGEST, RPROP_SLOWER, RPROP_SMALLEST, SCHEDULE,
    SCHEDULE_END, SCHEDULE_EVERY, SCHEDULE_FACTOR, SCHEDULE_WARMUP, STEPS, WEIGHT_DECAY,
};

/// The first hyper-parameters, which were all of them once.
const ARTICLE: usize = 7;

/// A field for each live parameter: its meaning, its name, the parameter.
macro_rules! hyper {
    ($($(#[$doc:meta])* $field:ident: $param:ident,)*) => {
        /// The hyper-parameters of all rules together, on a surface and of a network, as the form has them.
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct Hyper {
            $($(#[$doc])* pub $field: f64,)*
            /// What cannot change in a run.
            pub choices: Choices,
            /// Each optimizer's factor on η.
            pub own_rates: OwnRates,
        }

        impl Hyper {
            /// Their parameter keys, in the order of [`Hyper::values`].
            pub const KEYS: [&'static str; [$(stringify!($field)),*].len()] = [$($param.key()),*];

            /// A fresh form: the article's values, and those of the rules' authors for what the article has not.
            pub const DEFAULT: Self = Self::from_values([$(default($param.row().default)),*]);

            /// All values in the order of [`Hyper::KEYS`].
            pub const fn values(&self) -> [f64; Self::COUNT] {
                [$(self.$field),*]
            }

            /// The inverse of [`Hyper::values`].
            pub const fn from_values(values: [f64; Self::COUNT]) -> Self {
                let [$($field),*] = values;
                Self { $($field,)* choices: Choices::DEFAULT, own_rates: OwnRates::SHARED }
            }
        }
    };
}

hyper! {
    /// η, of every rule but AdaDelta and L-BFGS.
    learning_rate: LEARNING_RATE,
    /// μ of Momentum, NAG, the heavy ball and RMSProp with momentum.
    momentum: MOMENTUM,
    /// β of RMSProp.
    rmsprop_beta: RMSPROP_BETA,
    /// ρ of AdaDelta.
    adadelta_rho: ADADELTA_RHO,
    /// β₁ of Adam and its kin.
    adam_beta1: ADAM_BETA1,
    /// β₂ of Adam and its kin.
    adam_beta2: ADAM_BETA2,
    /// ε: added to the root's result, in AdaDelta inside the roots; see [`Choices::epsilon_inside`].
    epsilon: EPSILON,
    /// λ of AdamW.
    weight_decay: WEIGHT_DECAY,
    /// τ of the heavy ball.
    dampening: DAMPENING,
    /// ψ of NAdam.
    nadam_decay: NADAM_DECAY,
    /// β₁, β₂, β₃ of Adan.
    adan_beta1: ADAN_BETA1,
    adan_beta2: ADAN_BETA2,
    adan_beta3: ADAN_BETA3,
    /// β₁, β₂ of Lion.
    lion_beta1: LION_BETA1,
    lion_beta2: LION_BETA2,
    /// η⁻, η⁺ and the limits of the step sizes of Rprop.
    rprop_slower: RPROP_SLOWER,
    rprop_faster: RPROP_FASTER,
    rprop_smallest: RPROP_SMALLEST,
    rprop_largest: RPROP_LARGEST,
    /// λ, α and t₀ of ASGD.
    asgd_lambda: ASGD_LAMBDA,
    asgd_alpha: ASGD_ALPHA,
    asgd_from: ASGD_FROM,
    /// Decay of AdaGrad's rate, and what G begins with.
    adagrad_decay: ADAGRAD_DECAY,
    adagrad_start: ADAGRAD_START,
    /// PyTorch's learning rate of AdaDelta.
    adadelta_rate: ADADELTA_RATE,
    /// L-BFGS's first step length, and its fixed one.
    lbfgs_rate: LBFGS_RATE,
    lbfgs_fixed_rate: LBFGS_FIXED_RATE,
}

const fn default(value: DefaultValue) -> f64 {
    match value {
        DefaultValue::Float(value) => value,
        _ => panic!("a hyper-parameter is a real number"),
    }
}

/// What of the update rules is chosen for a whole run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choices {
    pub convention: Convention,
    /// ε is added to the mean square and not to its root.
    pub epsilon_inside: bool,
    /// Averages that begin at 0 are divided by their weight.
    pub bias_correction: bool,
    /// Further evaluations that L-BFGS's line search makes at most.
    pub tries: usize,
    pub schedule: Schedule,
}

/// Whose default values hold for what stands at the form's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convention {
    /// The form's.
    Article,
    PyTorch,
    Burn,
}

/// Where the libraries' defaults differ from the form's. Learning rates are not among them: a race has one.
type Defaults = &'static [(&'static [Rule], &'static Float, f64)];

const PYTORCH: Defaults = &[
    (&[Rule::AdaGrad], &EPSILON, 1e-10),
    (&[Rule::AdaDelta], &EPSILON, 1e-6),
    (&[Rule::RmsProp, Rule::RmsPropMomentum, Rule::RmsPropCentered], &RMSPROP_BETA, 0.99),
    (&[Rule::HeavyBall], &DAMPENING, 0.0),
    (&[Rule::Asgd], &ASGD_FROM, 1e6),
];

const BURN: Defaults = &[
    (&[Rule::AdaGrad, Rule::Adam, Rule::AdamW, Rule::AmsGrad], &EPSILON, 1e-5),
    (&[Rule::RmsProp, Rule::RmsPropMomentum, Rule::RmsPropCentered], &EPSILON, 1e-5),
    (&[Rule::RmsProp, Rule::RmsPropMomentum, Rule::RmsPropCentered], &RMSPROP_BETA, 0.99),
    (&[Rule::AdamW], &WEIGHT_DECAY, 1e-4),
];

impl Convention {
    fn defaults(self) -> Defaults {
        match self {
            Convention::Article => &[],
            Convention::PyTorch => PYTORCH,
            Convention::Burn => BURN,
        }
    }
}

impl Choices {
    /// A fresh form's.
    pub const DEFAULT: Self = Self {
        convention: Convention::Article,
        epsilon_inside: false,
        bias_correction: true,
        tries: super::MOST_TRIES,
        schedule: Schedule::CONSTANT,
    };

    /// Whether every update is in the article's form.
    pub fn plain(&self) -> bool {
        let &Self { convention, epsilon_inside, bias_correction, schedule, .. } = self;
        convention == Convention::Article && !epsilon_inside && bias_correction && schedule == Schedule::CONSTANT
    }

    fn of(params: &Params) -> Self {
        let course = SCHEDULE.of(params);
        let rises = MOMENTUM_RISES.of(params);
        let schedule = Schedule {
            course,
            every: SCHEDULE_EVERY.of(params) as u64,
            factor: SCHEDULE_FACTOR.of(params),
            end: SCHEDULE_END.of(params),
            warmup: SCHEDULE_WARMUP.of(params) as u64,
            momentum_from: rises.then(|| MOMENTUM_START.of(params)),
            steps: STEPS.of(params) as u64,
        };
        Self {
            convention: CONVENTION.of(params),
            epsilon_inside: EPSILON_INSIDE.of(params),
            bias_correction: BIAS_CORRECTION.of(params),
            tries: LBFGS_TRIES.of(params) as usize,
            schedule: if course == Course::Constant && !rises { Schedule::CONSTANT } else { schedule },
        }
    }
}

impl Hyper {
    /// Number of hyper-parameters.
    pub const COUNT: usize = Self::KEYS.len();

    pub fn of(params: &Params) -> Self {
        let values = Self::from_values(Self::KEYS.map(|key| params.float(key)));
        Self { choices: Choices::of(params), own_rates: OwnRates::of(params), ..values }
    }

    /// Into a checkpoint, all but the choices.
    pub fn save(&self, to: &mut Checkpoint) {
        to.put_f64("hyper", self.values().to_vec());
        self.own_rates.save(to);
    }

    /// Those of a checkpoint, with these choices; one from before there were others has the article's seven.
    pub fn restored(checkpoint: &Checkpoint, choices: Choices) -> Result<Self, RunError> {
        let mut values = Self::DEFAULT.values();
        match checkpoint.get_f64("hyper", ARTICLE) {
            Ok(seven) => values[..seven.len()].copy_from_slice(seven),
            Err(_) => values.copy_from_slice(checkpoint.get_f64("hyper", Self::COUNT)?),
        }
        Ok(Self { choices, own_rates: OwnRates::restored(checkpoint)?, ..Self::from_values(values) })
    }

    /// The article's values with this learning rate.
    pub const fn article(learning_rate: f64) -> Self {
        Self { learning_rate, ..Self::DEFAULT }
    }

    /// What holds where this rule is alone: its own learning rate is η.
    pub fn own(&self, rule: Rule) -> Self {
        self.own_of(rule.index())
    }

    /// The same for one of Burn's rules, by its place in `BurnRule`.
    pub fn own_of_burn(&self, index: usize) -> Self {
        self.own_of(FIRST_OF_BURN + index)
    }

    fn own_of(&self, index: usize) -> Self {
        let learning_rate = self.learning_rate * self.own_rates.factor(index);
        Self { learning_rate, own_rates: OwnRates::SHARED, ..*self }
    }

    /// What holds for this rule in the update after `done` completed ones: its own η; a value that stands at the form's default is
    /// that of the chosen convention, and η and μ follow their schedules.
    pub fn at(&self, rule: Rule, done: u64) -> Self {
        let mut hyper = self.own(rule);
        let defaults = self.choices.convention.defaults();
        if !defaults.is_empty() {
            let mut values = hyper.values();
            for (_, param, value) in defaults.iter().filter(|(rules, _, _)| rules.contains(&rule)) {
                let index = Self::KEYS.iter().position(|key| *key == param.key()).unwrap_or(0);
                if values[index] == Self::DEFAULT.values()[index] {
                    values[index] = *value;
                }
            }
            hyper = Self { choices: self.choices, ..Self::from_values(values) };
        }
        let schedule = &self.choices.schedule;
        hyper.learning_rate *= schedule.rate(done);
        hyper.momentum = schedule.momentum(hyper.momentum, done);
        hyper
    }

    /// Applies a live change, whose value has been checked; a key that is no hyper-parameter and no factor is refused.
    pub fn set(&mut self, key: &str, value: &Value) -> Result<(), ParamError> {
        let (index, value) = match (Self::KEYS.iter().position(|known| *known == key), value) {
            (Some(index), Value::Float(value)) => (index, *value),
            (None, Value::Float(value)) if self.own_rates.set(key, *value) => return Ok(()),
            _ => return Err(ParamError::NotLive { key: key.to_owned() }),
        };
        let mut values = self.values();
        values[index] = value;
        *self = Self { choices: self.choices, own_rates: self.own_rates, ..Self::from_values(values) };
        Ok(())
    }

    /// What the mean square of a gradient is divided by: its root, with ε.
    pub(super) fn root(&self, square: f64) -> f64 {
        if self.choices.epsilon_inside { (square + self.epsilon).sqrt() } else { square.sqrt() + self.epsilon }
    }

    /// 1 − βᵏ: the share of its full weight that an average has after k updates from zero; 1 without bias correction.
    pub(super) fn bias(&self, beta: f64, k: u64) -> f64 {
        if self.choices.bias_correction { 1.0 - beta.powf(k as f64) } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::optimizers::params::PARAMS;

    fn params(set: &[&str]) -> Params {
        let mut params = Params::defaults(PARAMS);
        set.iter().for_each(|assignment| params.set_text(PARAMS, assignment).unwrap());
        params
    }

    #[test]
    fn a_fresh_form_has_the_articles_values() {
        let hyper = Hyper::of(&params(&[]));
        assert_eq!(hyper, Hyper::DEFAULT);
        assert_eq!(hyper.values()[..7], [0.01, 0.9, 0.9, 0.9, 0.9, 0.999, 1e-8]);
        for rule in Rule::ALL {
            assert_eq!(hyper.at(rule, 7), hyper, "{rule:?}");
        }
    }

    #[test]
    fn a_convention_gives_its_values_to_what_stands_at_the_forms_default() {
        let hyper = Hyper::of(&params(&["convention=pytorch"]));
        assert_eq!(hyper.at(Rule::AdaGrad, 0).epsilon, 1e-10);
        assert_eq!(hyper.at(Rule::AdaDelta, 0).epsilon, 1e-6);
        assert_eq!(hyper.at(Rule::Adam, 0).epsilon, 1e-8);
        assert_eq!(hyper.at(Rule::RmsPropCentered, 0).rmsprop_beta, 0.99);
        let hyper = Hyper::of(&params(&["convention=burn", "rmsprop_beta=0.8"]));
        assert_eq!(hyper.at(Rule::Adam, 0).epsilon, 1e-5);
        assert_eq!(hyper.at(Rule::AdamW, 0).weight_decay, 1e-4);
        assert_eq!((hyper.at(Rule::RmsProp, 0).rmsprop_beta, hyper.at(Rule::RmsProp, 0).epsilon), (0.8, 1e-5));
        let mut hyper = Hyper::of(&params(&["convention=burn", "epsilon=1e-7"]));
        assert_eq!(hyper.at(Rule::Adam, 0).epsilon, 1e-7, "what was set by hand stays");
        hyper.set("epsilon", &Value::Float(1e-8)).unwrap();
        assert_eq!(hyper.at(Rule::Adam, 0).epsilon, 1e-5);
    }

    #[test]
    fn schedules_move_the_rate_and_the_momentum() {
        let set = ["schedule=cosine", "schedule_end=0", "momentum_schedule=linear", "momentum_start=0.5", "steps=101"];
        let hyper = Hyper::of(&params(&set));
        let [first, middle, last] = [0, 50, 100].map(|done| hyper.at(Rule::Momentum, done));
        assert_eq!((first.learning_rate, first.momentum), (0.01, 0.5));
        assert!((middle.learning_rate - 0.005).abs() < 1e-15 && (middle.momentum - 0.7).abs() < 1e-15);
        assert!(last.learning_rate.abs() < 1e-15 && last.momentum == 0.9);
    }

    #[test]
    fn every_value_has_its_place() {
        let values: [f64; Hyper::COUNT] = std::array::from_fn(|i| i as f64);
        assert_eq!(Hyper::from_values(values).values(), values);
        let mut hyper = Hyper::DEFAULT;
        for (i, key) in Hyper::KEYS.into_iter().enumerate() {
            hyper.set(key, &Value::Float(i as f64)).unwrap();
        }
        assert_eq!(hyper.values(), values);
        assert!(hyper.set("schedule", &Value::Float(1.0)).is_err());
    }
}
