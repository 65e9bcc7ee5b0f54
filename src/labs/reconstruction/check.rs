//! A few training steps of a tiny network from fixed weights, compared between devices.

use burn::tensor::{Device, Tensor, TensorData};

use crate::compute::readback::Reader;
use crate::engine::experiment::RunError;
use crate::engine::params::Params;
use crate::nn::layers::conv::Pass;
use crate::nn::optim::Rule;
use crate::nn::reconstruction::Autoencoder;
use crate::nn::reconstruction::spec::{Family, Head, Layout, NetSpec};

use super::params::{Hyper, PARAMS};
use super::trainer::{Batch, Plan, Trainer};

/// See [`DeviceCheckFn`](crate::engine::experiment::DeviceCheckFn): losses of two steps on a labelled batch, and what the network
/// then makes of it.
pub fn device_check(device: &Device) -> Result<Vec<f32>, RunError> {
    const SIZE: usize = 32;
    let spec = NetSpec {
        family: Family::Aecl1 { layout: Layout::Mini, tied: false },
        size: SIZE,
        width: 0.125,
        sigmoid: false,
        head: Head::Binary,
        leaky: true,
    };
    let net = Autoencoder::new(&spec, 1, device).map_err(|error| RunError::Device(error.to_string()))?;
    let mut trainer = Trainer::new(net, spec.head, Rule::Sgd { momentum: 0.9, nesterov: false }, device);
    let hyper = Hyper { learning_rate: 0.05, ..Hyper::of(&Params::defaults(PARAMS)) };
    let images: Vec<f32> = (0..4 * 3 * SIZE * SIZE).map(|i| 0.5 + 0.5 * (i as f32 * 0.013).sin()).collect();
    let batch = Batch { images: images.clone(), size: SIZE, grades: Some(vec![0, 2, 3, 0]) };
    let plan = Plan { rebuild: true, classify: Some(0.3), frozen: false };
    let mut reader = Reader::default();
    for _ in 0..2 {
        let losses = trainer.step(&batch, &plan, &hyper);
        losses.reconstruction.into_iter().chain(losses.classification).for_each(|loss| {
            reader.add(loss);
        });
    }
    let mut net = trainer.net.clone();
    let x = Tensor::<4>::from_data(TensorData::new(images, [4, 3, SIZE, SIZE]), device);
    let mut pass = Pass { train: false, dropout: None };
    let code = net.encode(x, &pass);
    reader.add(net.classify(code.clone(), &mut pass).logit);
    if let Some(rebuilt) = net.decode(code, &pass) {
        reader.add(rebuilt.mean_dim(3));
    }
    Ok(reader.read()?.concat())
}
