//! Who can take part: the article's seven rules and Burn's own.

use crate::engine::params::Params;
use crate::engine::table::Switch;

use super::super::params::{BURN_ADAGRAD, BURN_ADAM, BURN_ADAMW, BURN_LION, BURN_MOMENTUM, BURN_RMSPROP, BURN_SGD};
use super::super::rules::{Hyper, Rule};

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

impl Entry {
    /// What holds for it: its own learning rate is η.
    pub fn hyper(&self, shared: &Hyper) -> Hyper {
        match self.kind {
            Kind::Article(rule) => shared.own(rule),
            Kind::Burn(rule) => shared.own_of_burn(rule as usize),
        }
    }
}

const fn article(rule: Rule) -> Entry {
    Entry { id: rule.id(), title: rule.title(), switch: rule.switch().key(), kind: Kind::Article(rule) }
}

const fn burn(rule: BurnRule, switch: &'static Switch) -> Entry {
    Entry { id: switch.key(), title: switch.label(), switch: switch.key(), kind: Kind::Burn(rule) }
}

/// Every optimizer; the index is its colour and dash in every view ([`crate::plot::style::Style::category`]), so that
/// the article's seven look as they do on a surface.
pub const ROSTER: [Entry; 14] = [
    article(Rule::Sgd),
    article(Rule::Momentum),
    article(Rule::Nag),
    article(Rule::AdaGrad),
    article(Rule::RmsProp),
    article(Rule::AdaDelta),
    article(Rule::Adam),
    burn(BurnRule::Sgd, &BURN_SGD),
    burn(BurnRule::Momentum, &BURN_MOMENTUM),
    burn(BurnRule::AdaGrad, &BURN_ADAGRAD),
    burn(BurnRule::RmsProp, &BURN_RMSPROP),
    burn(BurnRule::Adam, &BURN_ADAM),
    burn(BurnRule::AdamW, &BURN_ADAMW),
    burn(BurnRule::Lion, &BURN_LION),
];

/// Indices in [`ROSTER`] of the optimizers that these parameters switch on.
pub fn enabled(params: &Params) -> Vec<usize> {
    (0..ROSTER.len()).filter(|&i| params.switch(ROSTER[i].switch)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::params::Value;
    use crate::labs::optimizers::params::{PARAMS, REGULARISATION_RATE};

    #[test]
    fn the_roster_starts_with_the_articles_rules_in_their_order_and_every_switch_exists() {
        for (i, rule) in Rule::ARTICLE.into_iter().enumerate() {
            assert_eq!(ROSTER[i].kind, Kind::Article(rule));
        }
        for (i, rule) in Rule::ALL.into_iter().enumerate() {
            assert_eq!((rule.index(), rule.switch().key()), (i, format!("use_{}", rule.id()).as_str()));
            assert_eq!(rule.path_key(), format!("path/{}", rule.id()));
            assert_eq!(rule.memory_key(), format!("memory/{}", rule.id()));
        }
        for entry in ROSTER {
            assert!(PARAMS.iter().any(|spec| spec.key == entry.switch), "{}", entry.switch);
        }
        for key in Hyper::KEYS {
            assert!(PARAMS.iter().any(|spec| spec.key == key && spec.live), "{key}");
        }
        let mut hyper = Hyper::DEFAULT;
        for spec in PARAMS.iter().filter(|spec| spec.live && spec.key != REGULARISATION_RATE.key()) {
            assert_eq!(hyper.set(spec.key, &Value::Float(0.5)), Ok(()), "every live parameter is taken");
        }
    }
}
