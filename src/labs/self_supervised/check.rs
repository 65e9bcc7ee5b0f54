//! Whether a device computes what the CPU computes: a few steps of the small network.

use burn::tensor::{Device, Tensor, TensorData};

use crate::compute::readback::Reader;
use crate::compute::streams;
use crate::engine::experiment::RunError;
use crate::engine::params::Params;
use crate::nn::parameters::slots;

use super::network::Shape;
use super::params::{Hyper, PARAMS};
use super::trainer::{Trainer, VIEWS};

const STEPS: u64 = 2;
const PICTURES: usize = 8;
const SIDE: usize = 8;

/// Two steps of BYOL with a two-layer predictor on 8 fixed pictures of 8×8 in three channels. Returns the losses, F, and
/// then all weights. The same bits on every call on the CPU.
pub fn device_check(device: &Device) -> Result<Vec<f32>, RunError> {
    let mut params = Params::defaults(PARAMS);
    params.set_text(PARAMS, "predictor_layers=two")?;
    let device = device.clone().without_autodiff();
    let mut trainer = Trainer::new(&Shape::of(&params, 3), 1, &device)?;
    let hyper = Hyper::of(&params);
    let mut rng = streams::ALONE.open(1, 0);
    let numbers = VIEWS * PICTURES * 3 * SIDE * SIDE;
    let values: Vec<f32> = (0..numbers).map(|_| rng.normal() as f32).collect();
    let x = Tensor::<4>::from_data(TensorData::new(values, [VIEWS * PICTURES, 3, SIDE, SIDE]), &device);
    let mut reader = Reader::default();
    for step in 0..STEPS {
        let outcome = trainer.step(x.clone(), &hyper, 0.5, step)?;
        reader.add(outcome.cosine);
    }
    if let Some(correlation) = &trainer.correlation {
        reader.add(correlation.second_moment.clone());
    }
    for slot in slots(&trainer.online).into_iter().chain(slots(&trainer.target)) {
        reader.add(slot.value);
    }
    Ok(reader.read()?.concat())
}
