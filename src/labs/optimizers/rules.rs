//! The article's seven optimizers in f64.

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
    pub fn id(self) -> &'static str {
        match self {
            Rule::Sgd => "sgd",
            Rule::Momentum => "momentum",
            Rule::Nag => "nag",
            Rule::AdaGrad => "adagrad",
            Rule::RmsProp => "rmsprop",
            Rule::AdaDelta => "adadelta",
            Rule::Adam => "adam",
        }
    }

    /// Name in labels.
    pub fn title(self) -> &'static str {
        match self {
            Rule::Sgd => "SGD",
            Rule::Momentum => "Momentum",
            Rule::Nag => "NAG",
            Rule::AdaGrad => "AdaGrad",
            Rule::RmsProp => "RMSProp",
            Rule::AdaDelta => "AdaDelta",
            Rule::Adam => "Adam",
        }
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
