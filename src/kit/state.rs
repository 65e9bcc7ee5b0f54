//! What a checkpoint holds of a training: modules, optimizers, tensors and counters, by name.

use std::fmt::Display;
use std::str::FromStr;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Serialize, de::DeserializeOwned};

use crate::compute::readback::Reader;
use crate::engine::experiment::{Checkpoint, RunError};
use crate::nn::optim::{Optimizer, Rule, State};
use crate::nn::parameters::{Role, Slot, map, slots};

/// Name of Adam's count of steps.
const ADAM_STEPS: &str = "adam/steps";

/// Collects what a checkpoint is to hold. What lies on the device is read at once, by [`Save::finish`].
#[derive(Default)]
pub struct Save {
    /// What lies on the host.
    pub host: Checkpoint,
    names: Vec<(String, Vec<usize>)>,
    reader: Reader,
}

impl Save {
    /// For a checkpoint after `step` completed steps.
    pub fn at(step: u64) -> Self {
        Self { host: Checkpoint { step, ..Checkpoint::default() }, ..Self::default() }
    }

    /// A tensor of any shape.
    pub fn put_tensor<const D: usize>(&mut self, name: impl Into<String>, tensor: &Tensor<D>) {
        self.put(name.into(), tensor.dims().to_vec(), tensor.clone().flatten(0, D - 1));
    }

    /// Every parameter of a module, statistics included, as `NAME/PATH`.
    pub fn put_module(&mut self, name: &str, module: &impl Module) {
        for Slot { path, shape, value, .. } in slots(module) {
            self.put(format!("{name}/{path}"), shape, value);
        }
    }

    /// What the optimizer of this module carries, under the names of its rule; nothing before its first step.
    pub fn put_optimizer(&mut self, optimizer: &Optimizer, module: &impl Module) {
        self.put_optimizer_of("", optimizer, module);
    }

    /// The same of one of several: `part` stands before all names, `encoder/`.
    pub fn put_optimizer_of(&mut self, part: &str, optimizer: &Optimizer, module: &impl Module) {
        let (state, steps) = optimizer.state();
        for (slot, state) in trained(module).into_iter().zip(state) {
            for (name, value) in optimizer.rule.state_names().iter().zip(state) {
                self.put(format!("{part}{name}/{}", slot.path), slot.shape.clone(), value.clone());
            }
        }
        if matches!(optimizer.rule, Rule::Adam { .. }) {
            self.put_text(format!("{part}{ADAM_STEPS}"), steps);
        }
    }

    /// A counter, a switch or a text.
    pub fn put_text(&mut self, name: impl Into<String>, value: impl Display) {
        self.host.text.insert(name.into(), value.to_string());
    }

    /// Plain data.
    pub fn put_json(&mut self, name: &str, value: &impl Serialize) -> Result<(), RunError> {
        let text = serde_json::to_string(value).map_err(|error| unreadable(name, &error))?;
        self.put_text(name, text);
        Ok(())
    }

    /// Reads from the device, once.
    pub fn finish(self) -> Result<Checkpoint, RunError> {
        let mut checkpoint = self.host;
        for ((name, shape), values) in self.names.into_iter().zip(self.reader.read()?) {
            checkpoint.put_f32(name, shape, values);
        }
        Ok(checkpoint)
    }

    fn put(&mut self, name: String, shape: Vec<usize>, value: Tensor<1>) {
        self.names.push((name, shape));
        self.reader.add(value);
    }
}

/// Takes back what [`Save`] put into a checkpoint. Errors name what is missing or does not fit.
#[derive(Debug)]
pub struct Load<'a> {
    pub from: &'a Checkpoint,
    /// Where tensors are loaded.
    pub device: Device,
}

impl Load<'_> {
    pub fn tensor<const D: usize>(&self, name: &str, shape: [usize; D]) -> Result<Tensor<D>, RunError> {
        let values = self.from.get_f32(name, &shape)?.to_vec();
        Ok(Tensor::from_data(TensorData::new(values, shape), &self.device))
    }

    /// Whether there are tensors under `NAME/`.
    pub fn has(&self, name: &str) -> bool {
        let under = format!("{name}/");
        self.from.tensors.keys().any(|name| name.starts_with(&under))
    }

    /// A module of the shape of `like`.
    pub fn module<M: Module>(&self, name: &str, like: &M) -> Result<M, RunError> {
        let mut values = self.under(name, &slots(like))?.into_iter();
        Ok(map(like.clone(), |_, _, old| values.next().unwrap_or(old)))
    }

    /// Puts back what the optimizer of this module carried.
    pub fn optimizer(&self, optimizer: &mut Optimizer, module: &impl Module) -> Result<(), RunError> {
        self.optimizer_of("", optimizer, module)
    }

    /// The same of one of several; see [`Save::put_optimizer_of`].
    pub fn optimizer_of(&self, part: &str, optimizer: &mut Optimizer, module: &impl Module) -> Result<(), RunError> {
        let slots = trained(module);
        let names: Vec<String> = optimizer.rule.state_names().iter().map(|name| format!("{part}{name}")).collect();
        let mut state = Vec::new();
        // Before the first step there is nothing.
        if names.iter().any(|name| self.has(name)) {
            state = vec![State::new(); slots.len()];
            for name in &names {
                state.iter_mut().zip(self.under(name, &slots)?).for_each(|(state, value)| state.push(value));
            }
        }
        let adam = matches!(optimizer.rule, Rule::Adam { .. });
        let steps = if adam { self.text(&format!("{part}{ADAM_STEPS}"))? } else { 0 };
        optimizer.restore(state, steps);
        Ok(())
    }

    /// What [`Save::put_text`] put there.
    pub fn text<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T, RunError> {
        self.from.get_text(name)?.parse().map_err(|error| unreadable(name, &error))
    }

    /// What [`Save::put_json`] put there.
    pub fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, RunError> {
        serde_json::from_str(self.from.get_text(name)?).map_err(|error| unreadable(name, &error))
    }

    fn under(&self, name: &str, slots: &[Slot]) -> Result<Vec<Tensor<1>>, RunError> {
        let read = |slot: &Slot| {
            let values = self.from.get_f32(&format!("{name}/{}", slot.path), &slot.shape)?.to_vec();
            let count = values.len();
            Ok(Tensor::from_data(TensorData::new(values, [count]), &self.device))
        };
        slots.iter().map(read).collect()
    }
}

/// What an optimizer changes, in the order of its state.
fn trained(module: &impl Module) -> Vec<Slot> {
    slots(module).into_iter().filter(|slot| slot.role != Role::Statistic).collect()
}

fn unreadable(name: &str, error: &dyn Display) -> RunError {
    RunError::Checkpoint(format!("`{name}` cannot be read: {error}; it was written by another version, or is damaged"))
}

#[cfg(test)]
mod tests {
    use burn::module::Param;

    use super::*;
    use crate::compute::device;
    use crate::compute::streams;
    use crate::nn::layers::norm::Norm;
    use crate::nn::optim::{DecayScope, Rates};
    use crate::nn::parameters::{Init, Initialiser, tracked};

    #[derive(Module, Debug)]
    struct Small {
        weight: Param<Tensor<2>>,
        norm: Norm,
    }

    fn small(seed: u64) -> Small {
        let device = device::cpu();
        let mut init = Initialiser { rng: streams::ALONE.open(seed, 0), init: Init::Torch, device: &device };
        Small { weight: init.weight([3, 2], 3, 2), norm: Norm::new(2, true, &init) }
    }

    fn train(mut net: Small, optimizer: &mut Optimizer, steps: usize) -> Small {
        let values: Vec<f32> = (0..12).map(|i| (i as f32).sin()).collect();
        let x = Tensor::<2>::from_data(TensorData::new(values, [4, 3]), &device::cpu());
        for _ in 0..steps {
            let mut training = tracked(&net);
            let y = x.clone().autodiff().matmul(training.weight.val());
            let y = training.norm.forward(y, 1);
            let mut gradients = (y.clone() * y.clone() * y).mean().backward();
            let rates = Rates { learning_rate: 0.1, decay: 0.01 };
            net = optimizer.step(training, &mut gradients, DecayScope::All, |_| rates);
        }
        net
    }

    fn saved(net: &Small, optimizer: &Optimizer) -> Checkpoint {
        let mut to = Save::at(2);
        to.put_module("net", net);
        to.put_optimizer(optimizer, net);
        to.finish().unwrap()
    }

    #[test]
    fn module_and_optimizer_go_on_to_the_same_bits_from_their_checkpoint() {
        let sgd = Rule::Sgd { momentum: 0.9, nesterov: true };
        for rule in [sgd, Rule::ADAM, Rule::Lars { momentum: 0.9, trust: 0.01 }] {
            for before in [0, 2] {
                let mut optimizer = Optimizer::new(rule);
                let net = train(small(1), &mut optimizer, before);
                let checkpoint = saved(&net, &optimizer);
                let load = Load { from: &checkpoint, device: device::cpu() };
                let mut again = Optimizer::new(rule);
                let restored = load.module("net", &small(2)).unwrap();
                load.optimizer(&mut again, &restored).unwrap();
                let unbroken = train(net, &mut optimizer, 3);
                let resumed = train(restored, &mut again, 3);
                assert_eq!(saved(&resumed, &again), saved(&unbroken, &optimizer), "{rule:?} after {before}");
            }
        }
    }

    #[test]
    fn recorded_runs_find_their_names() {
        let mut optimizer = Optimizer::new(Rule::ADAM);
        let net = train(small(1), &mut optimizer, 1);
        let checkpoint = saved(&net, &optimizer);
        let names: Vec<&str> = checkpoint.tensors.keys().map(String::as_str).collect();
        let trained = ["norm.beta", "norm.gamma", "weight"];
        let mut expected: Vec<String> =
            ["adam/m", "adam/v", "net"].iter().flat_map(|name| trained.map(|path| format!("{name}/{path}"))).collect();
        expected.extend(["net/norm.running_mean".to_owned(), "net/norm.running_var".to_owned()]);
        expected.sort_unstable();
        assert_eq!(names, expected);
        assert_eq!(checkpoint.text["adam/steps"], "1");
    }

    #[test]
    fn what_is_missing_or_unreadable_is_named() {
        let mut checkpoint = saved(&small(1), &Optimizer::new(Rule::ADAM));
        checkpoint.tensors.remove("net/weight");
        checkpoint.text.insert("adam/steps".to_owned(), "many".to_owned());
        let load = Load { from: &checkpoint, device: device::cpu() };
        let message = load.module("net", &small(2)).unwrap_err().to_string();
        assert!(message.contains("`net/weight` is missing"), "{message}");
        let message = load.optimizer(&mut Optimizer::new(Rule::ADAM), &small(2)).unwrap_err().to_string();
        assert!(message.contains("`adam/steps` cannot be read"), "{message}");
        let message = load.json::<u64>("schedule").unwrap_err().to_string();
        assert!(message.contains("`schedule` is missing"), "{message}");
    }
}
