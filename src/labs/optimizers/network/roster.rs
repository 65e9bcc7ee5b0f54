//! Who can take part: the article's seven rules and Burn's own, and the numbers that they share.

use crate::engine::params::{ParamError, Params, Value};

use super::super::rules::Rule;

/// One optimizer that can be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Name in keys and files: `loss/train/<id>`.
    pub id: &'static str,
    /// Name in labels.
    pub title: &'static str,
    /// The parameter that switches it on.
    pub switch: &'static str,
    pub kind: Kind,
}

/// Whose update rule it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The article's, as in [`super::super::rules`].
    Article(Rule),
    /// Burn's.
    Burn(BurnRule),
}

/// Burn's rules that can be shown. All take η of the form; what else differs from Burn's defaults is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BurnRule {
    /// `Sgd` without momentum.
    Sgd,
    /// `Sgd` with momentum μ of the form and dampening 0 (Burn's default is 0.1, which is another method).
    Momentum,
    /// `AdaGrad`, ε = 1e-5.
    AdaGrad,
    /// `RmsProp`: α = 0.99, momentum 0.9, ε = 1e-5.
    RmsProp,
    /// `Adam` with β₁, β₂ of the form; ε = 1e-5.
    Adam,
    /// `AdamW` with β₁, β₂ of the form; ε = 1e-5, weight decay 1e-4.
    AdamW,
    /// `Lion`: β₁ = 0.9, β₂ = 0.99, no weight decay.
    Lion,
}

const fn article(rule: Rule, id: &'static str, title: &'static str, switch: &'static str) -> Entry {
    Entry { id, title, switch, kind: Kind::Article(rule) }
}

const fn burn(rule: BurnRule, id: &'static str, title: &'static str) -> Entry {
    Entry { id, title, switch: id, kind: Kind::Burn(rule) }
}

/// Every optimizer; the index is its colour and dash in every view ([`crate::plot::style::Style::category`]), so that
/// the article's seven look as they do on a surface.
pub const ROSTER: [Entry; 14] = [
    article(Rule::Sgd, "sgd", "SGD", "use_sgd"),
    article(Rule::Momentum, "momentum", "Momentum", "use_momentum"),
    article(Rule::Nag, "nag", "NAG", "use_nag"),
    article(Rule::AdaGrad, "adagrad", "AdaGrad", "use_adagrad"),
    article(Rule::RmsProp, "rmsprop", "RMSProp", "use_rmsprop"),
    article(Rule::AdaDelta, "adadelta", "AdaDelta", "use_adadelta"),
    article(Rule::Adam, "adam", "Adam", "use_adam"),
    burn(BurnRule::Sgd, "burn_sgd", "Burn SGD"),
    burn(BurnRule::Momentum, "burn_momentum", "Burn SGD, momentum"),
    burn(BurnRule::AdaGrad, "burn_adagrad", "Burn AdaGrad"),
    burn(BurnRule::RmsProp, "burn_rmsprop", "Burn RMSProp"),
    burn(BurnRule::Adam, "burn_adam", "Burn Adam"),
    burn(BurnRule::AdamW, "burn_adamw", "Burn AdamW"),
    burn(BurnRule::Lion, "burn_lion", "Burn Lion"),
];

/// Indices in [`ROSTER`] of the optimizers that these parameters switch on.
pub fn enabled(params: &Params) -> Vec<usize> {
    (0..ROSTER.len()).filter(|&i| params.switch(ROSTER[i].switch)).collect()
}

/// The live hyper-parameters. Burn's rules take from them what [`BurnRule`] says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hyper {
    /// Learning rate η.
    pub eta: f64,
    /// Momentum μ.
    pub mu: f64,
    /// RMSProp's β.
    pub beta: f64,
    /// AdaDelta's ρ.
    pub rho: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
}

impl Hyper {
    /// Parameter keys in the order of [`Hyper::to_array`].
    const KEYS: [&str; 7] =
        ["learning_rate", "momentum", "rmsprop_beta", "adadelta_rho", "adam_beta1", "adam_beta2", "epsilon"];

    pub fn of(params: &Params) -> Self {
        Self::from_array(Self::KEYS.map(|key| params.float(key)))
    }

    pub fn to_array(self) -> [f64; 7] {
        [self.eta, self.mu, self.beta, self.rho, self.beta1, self.beta2, self.epsilon]
    }

    pub fn from_array([eta, mu, beta, rho, beta1, beta2, epsilon]: [f64; 7]) -> Self {
        Self { eta, mu, beta, rho, beta1, beta2, epsilon }
    }

    /// Applies a live change; `value` has been checked.
    pub fn set(&mut self, key: &str, value: &Value) -> Result<(), ParamError> {
        let (Some(index), Value::Float(value)) = (Self::KEYS.iter().position(|known| *known == key), value) else {
            return Err(ParamError::NotLive { key: key.to_owned() });
        };
        let mut array = self.to_array();
        array[index] = *value;
        *self = Self::from_array(array);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::optimizers::params::PARAMS;

    #[test]
    fn the_roster_starts_with_the_articles_rules_in_their_order_and_every_switch_exists() {
        for (i, rule) in Rule::ALL.into_iter().enumerate() {
            assert_eq!((ROSTER[i].id, ROSTER[i].title), (rule.id(), rule.title()));
            assert_eq!(ROSTER[i].switch, format!("use_{}", rule.id()));
        }
        for entry in ROSTER {
            assert!(PARAMS.iter().any(|spec| spec.key == entry.switch), "{}", entry.switch);
        }
        for key in Hyper::KEYS {
            assert!(PARAMS.iter().any(|spec| spec.key == key && spec.live), "{key}");
        }
        let live = PARAMS.iter().filter(|spec| spec.live).count();
        assert_eq!(live, Hyper::KEYS.len(), "every live parameter is taken");
    }
}
