//! Burn's own optimizers, driven by their bare rules so that their whole state is in our hands: saved bit for bit, and
//! restored on the run's own device.

use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdaGradConfig, AdamConfig, AdamWConfig, LionConfig, Optimizer, RecordState, RmsPropConfig, SgdConfig, StateSink,
    StateSource,
};
use burn::tensor::{Device, Tensor, TensorData};

use crate::engine::experiment::{ArrayValues, Checkpoint, RunError};

use super::super::rules::Hyper;
use super::roster::BurnRule;

/// One of Burn's rules with its state.
pub trait Driven {
    /// One update of θ `[1, P]` with gradient `g` `[1, P]`; returns the new θ.
    fn update(&mut self, hyper: &Hyper, theta: Tensor<2>, g: Tensor<2>) -> Tensor<2>;
    /// Writes the state under names that start with `prefix.`. Reads from the device.
    fn save(&self, prefix: &str, to: &mut Checkpoint) -> Result<(), RunError>;
    /// Takes the state back; nothing under `prefix.` means that no update was made yet.
    fn load(&mut self, prefix: &str, from: &Checkpoint, device: &Device) -> Result<(), RunError>;
}

/// The rule with no state yet.
pub fn driven(rule: BurnRule) -> Box<dyn Driven> {
    match rule {
        BurnRule::Sgd => held(|_| SgdConfig::new().build()),
        BurnRule::Momentum => held(|hyper| {
            let momentum = MomentumConfig::new().with_momentum(hyper.momentum).with_dampening(0.0);
            SgdConfig::new().with_momentum(Some(momentum)).build()
        }),
        BurnRule::AdaGrad => held(|_| AdaGradConfig::new().build()),
        BurnRule::RmsProp => held(|_| RmsPropConfig::new().build()),
        BurnRule::Adam => held(|hyper| {
            AdamConfig::new().with_beta_1(hyper.adam_beta1 as f32).with_beta_2(hyper.adam_beta2 as f32).build()
        }),
        BurnRule::AdamW => held(|hyper| {
            AdamWConfig::new().with_beta_1(hyper.adam_beta1 as f32).with_beta_2(hyper.adam_beta2 as f32).build()
        }),
        BurnRule::Lion => held(|_| LionConfig::new().build()),
    }
}

fn held<O: Optimizer + 'static>(make: fn(&Hyper) -> O) -> Box<dyn Driven> {
    Box::new(Held { make, state: None })
}

struct Held<O: Optimizer> {
    /// The rule with the current hyper-parameters: a handful of numbers, cheap to make anew for each update.
    make: fn(&Hyper) -> O,
    state: Option<O::State<2>>,
}

impl<O: Optimizer> Driven for Held<O> {
    fn update(&mut self, hyper: &Hyper, theta: Tensor<2>, g: Tensor<2>) -> Tensor<2> {
        let (theta, state) = (self.make)(hyper).step(hyper.learning_rate, theta, g, self.state.take());
        self.state = state;
        theta
    }

    fn save(&self, prefix: &str, to: &mut Checkpoint) -> Result<(), RunError> {
        let Some(state) = &self.state else { return Ok(()) };
        let mut sink = StateSink::default();
        state.state_flatten(prefix, &mut sink);
        to.text.insert(format!("{prefix}.present"), "yes".to_owned());
        for (name, data) in sink.tensors {
            let shape = data.shape().to_vec();
            let values = data.try_into_vec::<f32>().map_err(|error| RunError::Checkpoint(format!("{error:?}")))?;
            to.put_f32(name, shape, values);
        }
        for (name, scalar) in sink.scalars {
            // Every scalar of these rules is a count of updates.
            let count = u64::try_from(scalar).map_err(|error| RunError::Checkpoint(format!("{name}: {error:?}")))?;
            to.text.insert(name, count.to_string());
        }
        Ok(())
    }

    fn load(&mut self, prefix: &str, from: &Checkpoint, device: &Device) -> Result<(), RunError> {
        self.state = None;
        if !from.text.contains_key(&format!("{prefix}.present")) {
            return Ok(());
        }
        let under = format!("{prefix}.");
        let mut scalars = std::collections::BTreeMap::new();
        for (name, text) in from.text.iter().filter(|(name, _)| name.starts_with(&under)) {
            if let Ok(count) = text.parse::<u64>() {
                scalars.insert(name.clone(), count.into());
            }
        }
        let mut source = StateSource::new(scalars);
        for (name, array) in from.tensors.iter().filter(|(name, _)| name.starts_with(&under)) {
            if let ArrayValues::F32(values) = &array.values {
                source.insert_tensor(name.clone(), TensorData::new(values.clone(), array.shape.clone()));
            }
        }
        self.state = O::State::<2>::state_unflatten(prefix, &mut source, device);
        match self.state {
            Some(_) => Ok(()),
            None => Err(RunError::Checkpoint(format!("`{prefix}`: the optimizer's state is incomplete"))),
        }
    }
}
