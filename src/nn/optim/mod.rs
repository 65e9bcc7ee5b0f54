//! Optimizers: how one step of training changes the parameters of a module, and what is carried to the next one.
//!
//! Of our own rather than Burn's, so that they are PyTorch's to the last detail and their whole state can be saved.

mod lars;
pub mod schedule;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Gradients, Tensor};

use crate::nn::cpu::ops::{self, AdamStep, SgdStep};
use crate::nn::parameters::Role;

/// An update rule. Its numbers may change from step to step, the rule itself may not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Stochastic gradient descent with momentum μ and coupled L2, as `torch.optim.SGD` without dampening:
    /// `g ← g + η w; v ← μ v + g; w ← w − α v`, and with Nesterov's momentum (Sutskever et al., 2013) `w ← w − α (g + μ v)`.
    Sgd { momentum: f64, nesterov: bool },
    /// Adam (Kingma and Ba, 2015), as `torch.optim.Adam`, and AdamW (Loshchilov and Hutter, 2019), as `torch.optim.AdamW`:
    /// `m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; w ← w − α m̂ / (√v̂ + ε)` with `m̂ = m / (1 − β₁ᵗ)`,
    /// `v̂ = v / (1 − β₂ᵗ)`.
    Adam {
        /// β₁ and β₂.
        betas: (f64, f64),
        /// ε, added to the root.
        epsilon: f64,
        /// How the decay η acts. Coupled: `g += η w` before the moments (Adam with L2). Decoupled: `w ← w − α η w` before the
        /// update (AdamW).
        decoupled: bool,
    },
    /// LARS (You, Gitman and Ginsburg, 2017): SGD whose matrices and kernels have a rate each, by the length of their weights and
    /// gradient: `λ = trust ‖w‖ / (‖g‖ + η ‖w‖); v ← μ v + λ (g + η w); w ← w − α v`. Biases and normalisations are moved with
    /// λ = 1, as in BYOL (Grill et al., 2020).
    Lars { momentum: f64, trust: f64 },
}

impl Rule {
    /// Without momentum.
    pub const SGD: Rule = Rule::Sgd { momentum: 0.0, nesterov: false };
    /// With PyTorch's β and ε.
    pub const ADAM: Rule = Rule::Adam { betas: (0.9, 0.999), epsilon: 1e-8, decoupled: false };

    /// What is carried of each parameter: v, or m and v, as they are called in checkpoints.
    pub fn state_names(self) -> &'static [&'static str] {
        match self {
            Rule::Sgd { .. } | Rule::Lars { .. } => &["momentum"],
            Rule::Adam { .. } => &["adam/m", "adam/v"],
        }
    }
}

/// Rates of one parameter group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Learning rate α.
    pub learning_rate: f64,
    /// Weight decay η.
    pub decay: f64,
}

/// Which parameters weight decay pulls to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecayScope {
    /// Kernels and matrices alone.
    Weights,
    /// Those and γ, β of normalisations: every variable whose name lacks "bias".
    WeightsAndNorms,
    /// Every trained parameter, as in PyTorch.
    All,
}

impl DecayScope {
    /// Whether a parameter of this role decays.
    pub fn covers(self, role: Role) -> bool {
        match role {
            Role::Weight => true,
            Role::Norm => self != DecayScope::Weights,
            Role::Bias => self == DecayScope::All,
            Role::Statistic => false,
        }
    }
}

/// The vectors of [`Rule::state_names`] of one parameter.
pub type State = Vec<Tensor<1>>;

/// A rule and what it carries from step to step.
#[derive(Debug)]
pub struct Optimizer {
    pub rule: Rule,
    /// One for each trained parameter in the order of [`slots`](crate::nn::parameters::slots); empty before the first step.
    state: Vec<State>,
    /// Steps so far.
    steps: u64,
}

impl Optimizer {
    /// Before the first step.
    pub fn new(rule: Rule) -> Self {
        Self { rule, state: Vec::new(), steps: 0 }
    }

    /// One update of a module made by [`tracked`](crate::nn::parameters::tracked), which comes back without autodiff. `rates` is
    /// asked for each parameter's group by its path. Statistics that the forward pass changed are kept. A parameter that took
    /// no part in the loss keeps its value.
    pub fn step<M: Module>(
        &mut self,
        module: M,
        gradients: &mut Gradients,
        scope: DecayScope,
        rates: impl Fn(&str) -> Rates,
    ) -> M {
        self.steps += 1;
        let mut step = Step {
            rule: self.rule,
            count: self.steps,
            gradients,
            scope,
            rates,
            path: Vec::new(),
            old: std::mem::take(&mut self.state).into_iter(),
            new: Vec::new(),
        };
        let module = module.map(&mut step);
        self.state = step.new;
        module
    }

    /// What is carried, and the number of steps so far, for a checkpoint.
    pub fn state(&self) -> (&[State], u64) {
        (&self.state, self.steps)
    }

    /// Puts back what [`Optimizer::state`] gave.
    pub fn restore(&mut self, state: Vec<State>, steps: u64) {
        (self.state, self.steps) = (state, steps);
    }
}

struct Step<'a, F> {
    rule: Rule,
    /// This step, counted from 1.
    count: u64,
    gradients: &'a mut Gradients,
    scope: DecayScope,
    rates: F,
    path: Vec<String>,
    old: std::vec::IntoIter<State>,
    new: Vec<State>,
}

impl<F: Fn(&str) -> Rates> ModuleMapper for Step<'_, F> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let value = param.val();
        let role = Role::of(&self.path);
        if role == Role::Statistic {
            return Param::initialized(param.id, value.inner());
        }
        let gradient = value.grad_remove(self.gradients);
        let weight = value.inner();
        let shape = weight.shape();
        let weight = weight.flatten::<1>(0, D - 1);
        let old = self.old.next();
        let Some(gradient) = gradient else {
            let zeros = || self.rule.state_names().iter().map(|_| weight.zeros_like()).collect();
            self.new.push(old.unwrap_or_else(zeros));
            return Param::initialized(param.id, weight.reshape(shape));
        };
        let gradient = gradient.inner().flatten::<1>(0, D - 1);
        let mut rates = (self.rates)(&self.path.join("."));
        if !self.scope.covers(role) {
            rates.decay = 0.0;
        }
        let (weight, state) = match self.rule {
            Rule::Sgd { momentum, nesterov } => sgd(weight, gradient, old, rates, momentum, nesterov),
            Rule::Lars { momentum, trust } => {
                let trust = (role == Role::Weight).then_some(trust);
                lars::step(weight, gradient, old, rates, momentum, trust)
            }
            Rule::Adam { betas, epsilon, decoupled } => {
                let corrections = (1.0 - betas.0.powf(self.count as f64), 1.0 - betas.1.powf(self.count as f64));
                adam(weight, gradient, old, &Adam { rates, betas, epsilon, decoupled, corrections })
            }
        };
        self.new.push(state);
        Param::initialized(param.id, weight.reshape(shape))
    }
}

/// New weights and velocity of one parameter.
fn sgd(
    weight: Tensor<1>,
    mut gradient: Tensor<1>,
    old: Option<State>,
    Rates { learning_rate, decay }: Rates,
    momentum: f64,
    nesterov: bool,
) -> (Tensor<1>, State) {
    let old = old.and_then(|state| state.into_iter().next());
    let step = SgdStep { rate: learning_rate as f32, decay: decay as f32, momentum: momentum as f32, nesterov };
    if let Some([weight, velocity]) = ops::sgd(&weight, &gradient, old.as_ref(), step) {
        return (weight, vec![velocity]);
    }
    if decay != 0.0 {
        gradient = gradient + weight.clone() * decay;
    }
    let velocity = match old {
        Some(old) => old * momentum + gradient.clone(),
        None => gradient.clone(),
    };
    let change = if nesterov { gradient + velocity.clone() * momentum } else { velocity.clone() };
    (weight - change * learning_rate, vec![velocity])
}

/// The numbers of [`Rule::Adam`] in one step.
struct Adam {
    rates: Rates,
    betas: (f64, f64),
    epsilon: f64,
    decoupled: bool,
    /// 1 − β₁ᵗ and 1 − β₂ᵗ.
    corrections: (f64, f64),
}

/// New weights and moments of one parameter.
fn adam(weight: Tensor<1>, mut gradient: Tensor<1>, old: Option<State>, with: &Adam) -> (Tensor<1>, State) {
    let Adam { rates: Rates { learning_rate, decay }, betas, epsilon, decoupled, corrections } = *with;
    let (decay, shrink) = if decoupled { (0.0, 1.0 - learning_rate * decay) } else { (decay, 1.0) };
    let old: Option<[Tensor<1>; 2]> = old.and_then(|state| state.try_into().ok());
    let step = AdamStep {
        rate: (learning_rate / corrections.0) as f32,
        correction: (1.0 / corrections.1) as f32,
        decay: decay as f32,
        shrink: shrink as f32,
        betas: (betas.0 as f32, betas.1 as f32),
        epsilon: epsilon as f32,
    };
    if let Some([weight, m, v]) = ops::adam(&weight, &gradient, old.as_ref(), step) {
        return (weight, vec![m, v]);
    }
    if decay != 0.0 {
        gradient = gradient + weight.clone() * decay;
    }
    let first = gradient.clone() * (1.0 - betas.0);
    let second = gradient.clone() * gradient * (1.0 - betas.1);
    let [m, v] = match old {
        Some([m, v]) => [m * betas.0 + first, v * betas.1 + second],
        None => [first, second],
    };
    let root = (v.clone() * (1.0 / corrections.1)).sqrt() + epsilon;
    let weight = if decoupled { weight * shrink } else { weight };
    let weight = weight - m.clone() * (learning_rate / corrections.0) / root;
    (weight, vec![m, v])
}
