//! The factors by which single optimizers' learning rates differ from the shared η.

use super::Rule;
use crate::engine::experiment::{Checkpoint, RunError};
use crate::engine::params::Params;
use crate::engine::table::Float;
use crate::labs::optimizers::params::{
    RATE_ADAGRAD, RATE_ADAM, RATE_ADAMAX, RATE_ADAMW, RATE_ADAN, RATE_AMSGRAD, RATE_ASGD, RATE_BURN_ADAGRAD,
    RATE_BURN_ADAM, RATE_BURN_ADAMW, RATE_BURN_LION, RATE_BURN_MOMENTUM, RATE_BURN_RMSPROP, RATE_BURN_SGD,
    RATE_HEAVY_BALL, RATE_LION, RATE_MOMENTUM, RATE_NADAM, RATE_NAG, RATE_RADAM, RATE_RMSPROP, RATE_RMSPROP_CENTERED,
    RATE_RMSPROP_MOMENTUM, RATE_RPROP, RATE_SGD,
};

/// The parameter of each rule, in the order of [`Rule`], then of each of Burn's rules, in the order of the network's
/// `BurnRule`. `None`: no η is in its equations.
const OF: [Option<&'static Float>; Rule::ALL.len() + 7] = [
    Some(&RATE_SGD),
    Some(&RATE_MOMENTUM),
    Some(&RATE_NAG),
    Some(&RATE_ADAGRAD),
    Some(&RATE_RMSPROP),
    None,
    Some(&RATE_ADAM),
    Some(&RATE_ADAMW),
    Some(&RATE_AMSGRAD),
    Some(&RATE_NADAM),
    Some(&RATE_RADAM),
    Some(&RATE_ADAMAX),
    Some(&RATE_ADAN),
    Some(&RATE_HEAVY_BALL),
    Some(&RATE_RMSPROP_MOMENTUM),
    Some(&RATE_RMSPROP_CENTERED),
    Some(&RATE_RPROP),
    Some(&RATE_LION),
    Some(&RATE_ASGD),
    None,
    None,
    Some(&RATE_BURN_SGD),
    Some(&RATE_BURN_MOMENTUM),
    Some(&RATE_BURN_ADAGRAD),
    Some(&RATE_BURN_RMSPROP),
    Some(&RATE_BURN_ADAM),
    Some(&RATE_BURN_ADAMW),
    Some(&RATE_BURN_LION),
];

impl Rule {
    /// The factor on its learning rate; `None` where η is not in its equations.
    pub const fn own_rate(self) -> Option<&'static Float> {
        OF[self as usize]
    }
}

/// Where the factors of Burn's rules begin.
pub const FIRST_OF_BURN: usize = Rule::ALL.len();

/// Each optimizer's factor on η.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OwnRates([f64; OF.len()]);

impl OwnRates {
    /// All share η.
    pub const SHARED: Self = Self([1.0; OF.len()]);
    /// Their name in a checkpoint.
    const NAME: &'static str = "own_rates";

    pub fn of(params: &Params) -> Self {
        Self(OF.map(|rate| rate.map_or(1.0, |rate| rate.of(params))))
    }

    /// The factor of a rule, or from [`FIRST_OF_BURN`] on of one of Burn's.
    pub fn factor(&self, index: usize) -> f64 {
        self.0.get(index).copied().unwrap_or(1.0)
    }

    /// Sets the factor with this parameter key; `false` where there is none.
    pub fn set(&mut self, key: &str, value: f64) -> bool {
        let found = OF.iter().position(|rate| rate.is_some_and(|rate| rate.key() == key));
        found.is_some_and(|index| {
            self.0[index] = value;
            true
        })
    }

    /// Into a checkpoint; nothing where all share η, as before there were factors.
    pub fn save(&self, to: &mut Checkpoint) {
        if *self != Self::SHARED {
            to.put_f64(Self::NAME, self.0.to_vec());
        }
    }

    /// The inverse of [`OwnRates::save`].
    pub fn restored(from: &Checkpoint) -> Result<Self, RunError> {
        let mut rates = Self::SHARED;
        if from.tensors.contains_key(Self::NAME) {
            rates.0.copy_from_slice(from.get_f64(Self::NAME, OF.len())?);
        }
        Ok(rates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::params::Value;
    use crate::labs::optimizers::network::roster::{Kind, ROSTER};
    use crate::labs::optimizers::params::PARAMS;
    use crate::labs::optimizers::rules::Hyper;
    use crate::labs::optimizers::surface_run;

    fn params(set: &[&str]) -> Params {
        let mut params = Params::defaults(PARAMS);
        set.iter().for_each(|assignment| params.set_text(PARAMS, assignment).unwrap());
        params
    }

    #[test]
    fn every_factor_is_that_of_the_optimizer_after_which_it_is_called() {
        for rule in Rule::ALL {
            let Some(rate) = rule.own_rate() else { continue };
            assert_eq!(
                (rate.key(), rate.label()),
                (&*format!("rate_{}", rule.id()), &*format!("{} η factor", rule.title()))
            );
            let hyper = Hyper::of(&params(&[&format!("{}=3", rate.key())]));
            for other in Rule::ALL {
                let wanted = if other == rule { 0.03 } else { 0.01 };
                assert!((hyper.at(other, 5).learning_rate - wanted).abs() < 1e-15, "{rule:?} {other:?}");
            }
        }
        for entry in ROSTER {
            let Kind::Burn(rule) = entry.kind else { continue };
            let rate = OF[FIRST_OF_BURN + rule as usize].unwrap();
            assert_eq!(rate.key(), format!("rate_{}", entry.id));
            assert_eq!(rate.label(), format!("{} η factor", entry.title));
            let hyper = Hyper::of(&params(&[&format!("{}=3", rate.key())]));
            assert!((entry.hyper(&hyper).learning_rate - 0.03).abs() < 1e-15 && hyper.learning_rate == 0.01);
        }
        let without = Rule::ALL.into_iter().filter(|rule| rule.own_rate().is_none());
        assert!(without.eq([Rule::AdaDelta, Rule::Lbfgs, Rule::LbfgsFixed]));
    }

    #[test]
    fn a_factor_is_another_learning_rate_for_one_optimizer_alone() {
        let paths = |set: &[&str]| surface_run::paths(&params(set), &[], 50).unwrap();
        let [shared, own, slow] =
            [&["learning_rate=0.02"][..], &["learning_rate=0.02", "rate_adam=0.5"], &["learning_rate=0.01"]].map(paths);
        for (((rule, shared), (_, own)), (_, slow)) in shared.iter().zip(&own).zip(&slow) {
            let wanted = if *rule == Rule::Adam { slow } else { shared };
            assert!(own == wanted, "{rule:?}");
        }
    }

    #[test]
    fn factors_change_live_and_come_back_from_a_checkpoint() {
        let mut hyper = Hyper::DEFAULT;
        let mut checkpoint = Checkpoint::default();
        hyper.save(&mut checkpoint);
        assert_eq!(checkpoint.tensors.len(), 1, "a run without factors is saved as before there were any");
        hyper.set("rate_lion", &Value::Float(0.1)).unwrap();
        hyper.set("rate_burn_adam", &Value::Float(20.0)).unwrap();
        hyper.save(&mut checkpoint);
        assert_eq!(Hyper::restored(&checkpoint, hyper.choices).unwrap(), hyper);
        assert!(hyper.set("rate_adadelta", &Value::Float(2.0)).is_err());
        assert!((hyper.own(Rule::Lion).learning_rate - 0.001).abs() < 1e-15);
        assert_eq!(hyper.own(Rule::Lion).own(Rule::Lion), hyper.own(Rule::Lion), "a factor counts once");
        checkpoint.put_f64("own_rates", vec![1.0; 3]);
        assert!(Hyper::restored(&checkpoint, hyper.choices).is_err());
    }
}
