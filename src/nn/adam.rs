//! Adam (Kingma and Ba, 2015), as `torch.optim.Adam`, and AdamW (Loshchilov and Hutter, 2019), as `torch.optim.AdamW`.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Gradients, Tensor};

use super::cpu_ops::{self, AdamStep};
use super::parameters::Role;

/// The rates of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamRates {
    /// Learning rate α.
    pub learning_rate: f64,
    /// Weight decay η of every trained parameter.
    pub decay: f64,
    /// How η acts. Coupled: `g += η w` before the moments (Adam with L2). Decoupled: `w ← w − α η w` before the update
    /// (AdamW).
    pub decoupled: bool,
    /// β₁ and β₂.
    pub betas: (f64, f64),
    /// ε, added to the root; PyTorch's is 10⁻⁸.
    pub epsilon: f64,
}

impl Default for AdamRates {
    fn default() -> Self {
        Self { learning_rate: 1e-4, decay: 0.0, decoupled: false, betas: (0.9, 0.999), epsilon: 1e-8 }
    }
}

/// `m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; w ← w − α m̂ / (√v̂ + ε)` with `m̂ = m / (1 − β₁ᵗ)`,
/// `v̂ = v / (1 − β₂ᵗ)`.
#[derive(Debug, Default)]
pub struct Adam {
    /// m and v per trained parameter in the order of [`slots`](super::parameters::slots); empty before the first step.
    moments: Vec<[Tensor<1>; 2]>,
    /// t, steps so far.
    steps: u64,
}

impl Adam {
    /// One update of a module made by [`tracked`](super::parameters::tracked), which comes back without autodiff.
    /// Statistics that the forward pass changed are kept. A parameter that took no part in the loss keeps its value.
    pub fn step<M: Module>(&mut self, module: M, gradients: &mut Gradients, rates: AdamRates) -> M {
        self.steps += 1;
        let mut step = Step {
            gradients,
            rates,
            corrections: (1.0 - rates.betas.0.powf(self.steps as f64), 1.0 - rates.betas.1.powf(self.steps as f64)),
            path: Vec::new(),
            old: std::mem::take(&mut self.moments).into_iter(),
            new: Vec::new(),
        };
        let module = module.map(&mut step);
        self.moments = step.new;
        module
    }

    /// Moments and the number of steps, for a checkpoint.
    pub fn state(&self) -> (&[[Tensor<1>; 2]], u64) {
        (&self.moments, self.steps)
    }

    /// What [`Adam::state`] gave, put back.
    pub fn restore(moments: Vec<[Tensor<1>; 2]>, steps: u64) -> Self {
        Self { moments, steps }
    }
}

struct Step<'a> {
    gradients: &'a mut Gradients,
    rates: AdamRates,
    corrections: (f64, f64),
    path: Vec<String>,
    old: std::vec::IntoIter<[Tensor<1>; 2]>,
    new: Vec<[Tensor<1>; 2]>,
}

impl ModuleMapper for Step<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let value = param.val();
        if Role::of(&self.path) == Role::Statistic {
            return Param::initialized(param.id, value.inner());
        }
        let gradient = value.grad_remove(self.gradients);
        let weight = value.inner();
        let shape = weight.shape();
        let weight = weight.flatten::<1>(0, D - 1);
        let old = self.old.next();
        let Some(gradient) = gradient else {
            self.new.push(old.unwrap_or_else(|| [weight.zeros_like(), weight.zeros_like()]));
            return Param::initialized(param.id, weight.reshape(shape));
        };
        let AdamRates { learning_rate, decay, decoupled, betas, epsilon } = self.rates;
        let (decay, shrink) = if decoupled { (0.0, 1.0 - learning_rate * decay) } else { (decay, 1.0) };
        let mut gradient = gradient.inner().flatten::<1>(0, D - 1);
        let step = AdamStep {
            rate: (learning_rate / self.corrections.0) as f32,
            correction: (1.0 / self.corrections.1) as f32,
            decay: decay as f32,
            shrink: shrink as f32,
            betas: (betas.0 as f32, betas.1 as f32),
            epsilon: epsilon as f32,
        };
        if let Some([weight, m, v]) = cpu_ops::adam(&weight, &gradient, old.as_ref(), step) {
            self.new.push([m, v]);
            return Param::initialized(param.id, weight.reshape(shape));
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
        let root = (v.clone() * (1.0 / self.corrections.1)).sqrt() + epsilon;
        let weight = if decoupled { weight * shrink } else { weight };
        let weight = weight - m.clone() * (learning_rate / self.corrections.0) / root;
        self.new.push([m, v]);
        Param::initialized(param.id, weight.reshape(shape))
    }
}
