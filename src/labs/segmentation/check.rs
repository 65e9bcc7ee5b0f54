//! Whether a device computes what the CPU computes: two steps of a tiny Light U-net, which has dense, depthwise and 1×1
//! convolutions.

use burn::tensor::{Device, Tensor, TensorData};

use crate::compute::readback::Reader;
use crate::compute::streams::ALONE;
use crate::engine::experiment::RunError;
use crate::nn::optim::{DecayScope, Optimizer, Rates, Rule};
use crate::nn::parameters::{slots, tracked};
use crate::nn::segmentation::SegmentationNet;
use crate::nn::segmentation::loss::SegmentationLoss;
use crate::nn::segmentation::spec::{Architecture, NetSpec};

const STEPS: usize = 2;
const PICTURES: usize = 2;
const SIDE: usize = 32;

/// Trains on fixed pictures with dropout and returns the losses, the logits after it and all weights. The same bits on
/// every call on the CPU.
pub fn device_check(device: &Device) -> Result<Vec<f32>, RunError> {
    let device = device.clone().without_autodiff();
    let spec = NetSpec { architecture: Architecture::LightUNet, channels: 3, base: 4, outputs: 1 };
    let mut net =
        SegmentationNet::new(&spec, ALONE.open(1, 0), &device).map_err(|error| RunError::Device(error.to_string()))?;
    let mut rng = ALONE.open(1, 1);
    let mut maps = |channels: usize, threshold: Option<f64>| {
        let draw = |_| {
            let u = rng.uniform();
            threshold.map_or(u, |threshold| f64::from(u8::from(u > threshold))) as f32
        };
        let values: Vec<f32> = (0..PICTURES * channels * SIDE * SIDE).map(draw).collect();
        Tensor::<4>::from_data(TensorData::new(values, [PICTURES, channels, SIDE, SIDE]), &device)
    };
    let (x, truth) = (maps(3, None), maps(1, Some(0.8)));
    let mut dropout = ALONE.open(1, 2);
    let mut sgd = Optimizer::new(Rule::SGD);
    let mut reader = Reader::default();
    for _ in 0..STEPS {
        let mut training = tracked(&net);
        let logits = training.forward(x.clone(), Some(&mut dropout));
        let loss = SegmentationLoss::BceDice.of(logits, truth.clone());
        let mut gradients = loss.backward();
        reader.add(loss);
        let rates = |_: &str| Rates { learning_rate: 0.05, decay: 1e-4 };
        net = sgd.step(training, &mut gradients, DecayScope::All, rates);
    }
    reader.add(net.infer(x));
    for slot in slots(&net) {
        reader.add(slot.value);
    }
    Ok(reader.read()?.concat())
}
