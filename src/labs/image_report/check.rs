//! A few training steps of a tiny network from fixed weights, compared between devices.

use std::sync::Arc;

use burn::tensor::Device;

use crate::compute::readback::Reader;
use crate::compute::streams;
use crate::engine::experiment::RunError;
use crate::engine::params::Params;
use crate::nn::image_text::model::ImageText;
use crate::nn::optim::Rule;
use crate::text::wordpiece::Pieces;
use crate::text::words::{Marks, words};

use super::params::{Hyper, PARAMS, net_spec};
use super::texts::{PERTURBED, Texts};
use super::trainer::{Batch, Trainer};

/// See [`DeviceCheckFn`](crate::engine::experiment::DeviceCheckFn): losses of two steps on two pairs with all three terms.
pub fn device_check(device: &Device) -> Result<Vec<f32>, RunError> {
    const SIZE: usize = 32;
    let mut params = Params::defaults(PARAMS);
    params.set_text(PARAMS, "width=32")?;
    let reports = ["a small left effusion is seen", "there is a round nodule in the right lung"];
    let reports: Vec<Vec<String>> = reports.iter().map(|text| words(text, 20, Marks::Kept).words).collect();
    let pieces = Pieces::train(&reports, 64, 1).map_err(|error| RunError::Data(error.to_string()))?;
    let spec = net_spec(&params, pieces.vocab().len());
    let net = ImageText::new(&spec, streams::ALONE.open(1, 0), device)
        .map_err(|error| RunError::Device(error.to_string()))?;
    let texts = Texts::of(&params, Arc::new(pieces))?;
    let perturbed = [0, 1].map(|i| texts.perturbed(&reports[i], 1, i as u64, 0));
    let all = reports.iter().map(Vec::as_slice).chain(perturbed.iter().flatten().map(|one| &one.words[..]));
    let batch = Batch {
        images: (0..2 * SIZE * SIZE).map(|i| 0.5 + 0.5 * (i as f32 * 0.013).sin()).collect(),
        size: SIZE,
        texts: texts.batch(all, 2)?,
        valid: vec![1.0; 2 * PERTURBED],
    };
    let mut trainer = Trainer::new(net, Rule::Sgd { momentum: 0.9, nesterov: false }, device);
    let hyper = Hyper { learning_rate: 0.05, ..Hyper::of(&params, 2) };
    let mut reader = Reader::default();
    for _ in 0..2 {
        let terms = trainer.step(batch.clone(), &hyper, 1.0);
        let losses = [Some(terms.global.loss), terms.local, terms.perturbation];
        losses.into_iter().flatten().for_each(|loss| {
            reader.add(loss);
        });
    }
    Ok(reader.read()?.concat())
}
