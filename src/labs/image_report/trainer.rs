//! One training step, and all that training carries from step to step.

use burn::tensor::{Device, Tensor, TensorData};

use crate::compute::readback::ReadError;
use crate::engine::experiment::RunError;
use crate::kit::state::{Load, Save};
use crate::landscape::Network;
use crate::nn::image_text::batch::TextBatch;
use crate::nn::image_text::losses::Weights;
use crate::nn::image_text::model::{ImageText, Terms};
use crate::nn::layers::conv::Pass;
use crate::nn::optim::{DecayScope, Optimizer, Rates, Rule};
use crate::nn::parameters::tracked;

use super::params::Hyper;
use super::texts::PERTURBED;

/// All tensors are without autodiff.
pub struct Trainer {
    pub net: ImageText,
    optimizer: Optimizer,
    device: Device,
}

/// Pairs for one step, on the host.
#[derive(Debug, Clone)]
pub struct Batch {
    /// `[N, S, S]` in [0, 1].
    pub images: Vec<f32>,
    /// S.
    pub size: usize,
    /// The N reports, then nine perturbations of the first, of the second, ...; the reports alone where perturbations have no weight.
    pub texts: TextBatch,
    /// `[N, 9]`: 1 for a perturbation that is a negative.
    pub valid: Vec<f32>,
}

/// `[N, 1, S, S]` of `[N, S, S]`.
pub fn upload(images: Vec<f32>, size: usize, device: &Device) -> Tensor<4> {
    let count = images.len() / (size * size);
    Tensor::from_data(TensorData::new(images, [count, 1, size, size]), device)
}

impl Trainer {
    pub fn new(net: ImageText, rule: Rule, device: &Device) -> Self {
        Self { net, optimizer: Optimizer::new(rule), device: device.clone() }
    }

    /// The losses of pairs as a function of a network that asks for gradients.
    fn terms(&self, batch: Batch, hyper: &Hyper) -> impl Fn(&mut ImageText) -> Terms + 'static {
        let Batch { images, size, texts, valid } = batch;
        let images = upload(images, size, &self.device).autodiff();
        let [count, ..] = images.dims();
        let texts = texts.tensors(&self.device);
        let ([global, local, perturbation], of_words) = (hyper.weights, hyper.local);
        let valid = (perturbation > 0.0)
            .then(|| Tensor::<2>::from_data(TensorData::new(valid, [count, PERTURBED]), &self.device));
        let weights = Weights { global, local, perturbation };
        move |net| {
            let pass = Pass { train: true, dropout: None };
            net.terms(images.clone(), &texts, valid.clone(), (weights, &of_words), &pass)
        }
    }

    /// The network as a function of its weights on these pairs, trained with a share of the learning rate.
    pub fn network(&self, batch: Batch, hyper: &Hyper, share: f64) -> Result<Network, ReadError> {
        let terms = self.terms(batch, hyper);
        let names = ["net", "both encoders", "the next batch’s loss, all terms with their weights"];
        Network::of(names, Some(hyper.learning_rate * share), &self.net, move |net| terms(&mut net.clone()).total)
    }

    /// One update with a share of the learning rate; gives the losses before it.
    pub fn step(&mut self, batch: Batch, hyper: &Hyper, share: f64) -> Terms {
        let mut net = tracked(&self.net);
        let terms = self.terms(batch, hyper)(&mut net);
        let mut gradients = terms.total.clone().backward();
        let rates = Rates { learning_rate: hyper.learning_rate * share, decay: hyper.decay };
        self.net = self.optimizer.step(net, &mut gradients, DecayScope::All, |_| rates);
        terms
    }

    /// All state, named for [`Trainer::load`].
    pub fn save(&self, to: &mut Save) {
        to.put_module("net", &self.net);
        to.put_optimizer(&self.optimizer, &self.net);
    }

    /// Puts everything back that [`Trainer::save`] wrote.
    pub fn load(&mut self, from: &Load<'_>) -> Result<(), RunError> {
        self.net = from.module("net", &self.net)?;
        from.optimizer(&mut self.optimizer, &self.net)
    }
}
