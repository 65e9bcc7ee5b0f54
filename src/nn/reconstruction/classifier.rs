//! From pooled codes to a diagnosis: as few parameters as the article allows, so that what can be told is in the encoder.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, activation};

use super::spec::{Head, NetSpec, UNITS};
use crate::nn::encoders::heads::Linear;
use crate::nn::layers::conv::{Pass, dropout};
use crate::nn::parameters::Initialiser;

/// Share of the pooled code that dropout drops, where a pass drops anything.
const DROPPED: f64 = 0.2;
/// Slope of the leaky units below 0.
const LEAK: f64 = 0.01;

/// `[N, C]` → four units with ReLU → one logit (section 4.2); or, for the baselines, one logit.
#[derive(Module, Debug)]
pub struct Classifier {
    units: Option<Linear>,
    logit: Linear,
    /// Two numbers, whose softplus is the distance of the thresholds of grades 1 and 2, 2 and 3.
    gaps: Option<Param<Tensor<1>>>,
    #[module(skip)]
    softmax: bool,
    #[module(skip)]
    leaky: bool,
}

/// What a classifier says of N pictures.
#[derive(Debug)]
pub struct Answer {
    /// `[N]`: the sigmoid is the probability of retinopathy.
    pub logit: Tensor<1>,
    /// Of grades: `[N, 4]` logits of 0 to 3 (softmax), or `[N, 3]` logits of "at least 1, 2, 3".
    pub grades: Option<Tensor<2>>,
    /// `[N, 4]`: the units behind their ReLU. Where all are 0 the answer is the same for every picture, and nothing is learned.
    pub units: Option<Tensor<2>>,
}

impl Classifier {
    pub fn new(spec: &NetSpec, init: &mut Initialiser<'_>) -> Self {
        let features = spec.features();
        let baseline = !spec.family.reconstructs();
        let head = if baseline { Head::Binary } else { spec.head };
        Self {
            units: (!baseline).then(|| Linear::new(features, UNITS, true, init)),
            logit: Linear::new(if baseline { features } else { UNITS }, 1, true, init),
            gaps: (head == Head::Ordinal).then(|| init.constant(2, 0.5)),
            softmax: head == Head::Softmax,
            leaky: spec.leaky,
        }
    }

    /// The pooled code `[N, C]`; what `pass` drops is dropped of it.
    pub fn forward(&self, pooled: Tensor<2>, pass: &mut Pass<'_>) -> Answer {
        let [pictures, features] = pooled.dims();
        let pooled = dropout(pooled.reshape([pictures, features, 1, 1]), DROPPED, pass).reshape([pictures, features]);
        let Some(first) = &self.units else {
            return Answer { logit: self.logit.forward(pooled).reshape([pictures]), grades: None, units: None };
        };
        let before = first.forward(pooled);
        let units =
            if self.leaky { activation::leaky_relu(before.clone(), LEAK) } else { activation::relu(before.clone()) };
        let logit = self.logit.forward(units.clone());
        let grades = match &self.gaps {
            _ if self.softmax => Some(before),
            // Each threshold lies above the one before.
            Some(gaps) => {
                let gaps = activation::softplus(gaps.val(), 1.0);
                let (one, two) = (gaps.clone().slice_dim(0, 0..1), gaps.slice_dim(0, 1..2));
                let second = logit.clone() - one.unsqueeze::<2>();
                let third = second.clone() - two.unsqueeze::<2>();
                Some(Tensor::cat(vec![logit.clone(), second, third], 1))
            }
            None => None,
        };
        Answer { logit: logit.reshape([pictures]), grades, units: Some(units) }
    }
}
