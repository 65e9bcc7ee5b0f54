//! Whether a device computes what the CPU computes: a few steps of a tiny network.

use burn::tensor::{Device, Tensor, TensorData};

use crate::compute::readback::Reader;
use crate::data::points::Generator;
use crate::engine::experiment::RunError;
use crate::nn::mlp::{Activation, MlpShape, one_hot};

use super::super::rules::{Hyper, Rule};
use super::article::Article;
use super::experiment::gradients;
use super::measure::upload_inputs;

const STEPS: u64 = 3;
const COPIES: usize = 2;
const POINTS: usize = 16;

/// Three steps of Adam (η = 0.01) on two copies of a 2-8-2 tanh network from fixed weights and 16 fixed points. Returns
/// the two losses before each step, and then all weights after the last. The same bits on every call on the CPU.
pub fn device_check(device: &Device) -> Result<Vec<f32>, RunError> {
    let shape = MlpShape::new(2, 8, 1, 2, Activation::Tanh);
    let parameters = shape.parameters();
    let hyper = Hyper::article(0.01);
    let set = Generator::Moons.generate(POINTS, 0.1, 1);
    let x = upload_inputs(set.xy.iter().copied().flatten().collect(), 2, device);
    let y = Tensor::from_data(one_hot(&set.classes, 2), device);
    let weights: Vec<f32> = (1..=COPIES as u64).flat_map(|seed| shape.initial(seed)).collect();
    let mut theta = Tensor::<2>::from_data(TensorData::new(weights, [COPIES, parameters]), device);
    // Adam is element by element, so that one state serves both copies.
    let mut adam = Article {
        rule: Rule::Adam,
        state: Rule::Adam.state_names().iter().map(|_| Tensor::zeros([COPIES, parameters], device)).collect(),
    };
    let mut reader = Reader::default();
    for k in 1..=STEPS {
        let (loss, g) = gradients(&shape, &theta, x.clone(), y.clone());
        reader.add(loss);
        theta = adam.update(&hyper, k, theta, g);
    }
    reader.add(theta);
    let read = reader.read()?;
    Ok(read.concat())
}
