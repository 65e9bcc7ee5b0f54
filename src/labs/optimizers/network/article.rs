//! The article's seven update rules on tensors, in f32: the same sub-steps as the f64 rules of the surfaces.

use burn::tensor::{Device, Tensor};

use super::super::rules::{Hyper, Rule};

/// An article rule with its state, for the parameters θ `[1, P]` of one network.
#[derive(Debug, Clone)]
pub struct Article {
    pub rule: Rule,
    /// The state vectors of [`Rule::state_names`], each `[1, P]`; 0 before the first update.
    pub state: Vec<Tensor<2>>,
}

impl Article {
    pub fn new(rule: Rule, parameters: usize, device: &Device) -> Self {
        let state = rule.state_names().iter().map(|_| Tensor::zeros([1, parameters], device)).collect();
        Self { rule, state }
    }

    /// Where the gradient of the next update is taken: θ, or θ + μ v for NAG.
    pub fn gradient_at(&self, hyper: &Hyper, theta: &Tensor<2>) -> Tensor<2> {
        match self.rule {
            Rule::Nag => theta.clone() + self.state[0].clone() * hyper.momentum,
            _ => theta.clone(),
        }
    }

    /// The `k`-th update (k = 1, 2, ...) with gradient `g` taken at [`Article::gradient_at`]; returns the new θ.
    pub fn update(&mut self, hyper: &Hyper, k: u64, theta: Tensor<2>, g: Tensor<2>) -> Tensor<2> {
        let &Hyper { learning_rate: eta, momentum: mu, rmsprop_beta: beta, adadelta_rho: rho, epsilon, .. } = hyper;
        let (beta1, beta2) = (hyper.adam_beta1, hyper.adam_beta2);
        let taken = std::mem::take(&mut self.state);
        let mut old = taken.into_iter();
        let mut next = || old.next().expect("a state vector for each of `state_names`");
        let (state, theta) = match self.rule {
            Rule::Sgd => (vec![], theta - g * eta),
            Rule::Momentum | Rule::Nag => {
                let v = next() * mu - g * eta;
                (vec![v.clone()], theta + v)
            }
            Rule::AdaGrad => {
                let before = if k == 1 { next() + hyper.adagrad_start } else { next() };
                let (sum, eta) = (before + g.clone() * g.clone(), eta / (1.0 + (k - 1) as f64 * hyper.adagrad_decay));
                (vec![sum.clone()], theta - g * eta / (sum.sqrt() + epsilon))
            }
            Rule::RmsProp => {
                let s = next() * beta + g.clone() * g.clone() * (1.0 - beta);
                (vec![s.clone()], theta - g * eta / (s.sqrt() + epsilon))
            }
            Rule::AdaDelta => {
                let (a, b) = (next(), next());
                let a = a * rho + g.clone() * g.clone() * (1.0 - rho);
                // The previous b: it learns of this step only afterwards.
                let d = (b.clone() + epsilon).sqrt().neg() / (a.clone() + epsilon).sqrt() * g;
                let b = b * rho + d.clone() * d.clone() * (1.0 - rho);
                (vec![a, b], theta + d * hyper.adadelta_rate)
            }
            Rule::Adam => {
                let (m, s) = (next(), next());
                let m = m * beta1 + g.clone() * (1.0 - beta1);
                let s = s * beta2 + g.clone() * g * (1.0 - beta2);
                // In f64 on the host: f32 powers of β₂ near 1 lose digits.
                let (m_correction, s_correction) = (1.0 - beta1.powf(k as f64), 1.0 - beta2.powf(k as f64));
                let m_hat = m.clone() / m_correction;
                let s_hat = s.clone() / s_correction;
                (vec![m, s], theta - m_hat * eta / (s_hat.sqrt() + epsilon))
            }
            other => unreachable!("{other:?} does not train networks: the roster has the article's rules"),
        };
        self.state = state;
        theta
    }
}
