//! One training step, and all that training carries from step to step: network, optimizer, schedule, best weights.

use burn::tensor::{Device, Tensor, TensorData, activation};

use crate::compute::readback::{ReadError, Reader};
use crate::compute::rng::HostRng;
use crate::compute::streams;
use crate::engine::experiment::RunError;
use crate::kit::state::{Load, Save};
use crate::landscape::Network;
use crate::nn::optim::schedule::{EarlyStopping, ReduceOnPlateau, Verdict};
use crate::nn::optim::{DecayScope, Optimizer, Rates, Rule};
use crate::nn::parameters::tracked;
use crate::nn::segmentation::SegmentationNet;
use crate::nn::segmentation::loss::SegmentationLoss;

use super::params::Hyper;

/// Images in one pass of an evaluation.
pub const EVALUATION_BATCH: usize = 8;

/// All tensors are without autodiff.
pub struct Trainer {
    pub net: SegmentationNet,
    /// The weights with the lowest validation loss.
    pub best: Option<SegmentationNet>,
    optimizer: Optimizer,
    pub plateau: ReduceOnPlateau,
    pub stopping: EarlyStopping,
    device: Device,
}

/// Images for one pass, on the host.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// `[B, C, S, S]` in [0, 1].
    pub images: &'a [f32],
    /// `[B, K, S, S]` of 0 and 1, K structures.
    pub masks: &'a [f32],
    /// C.
    pub channels: usize,
    /// S.
    pub size: usize,
    /// `[B, 1, S, S]`: 1 where a picture is and 0 beside it; `None`: pictures fill their squares.
    pub inside: Option<&'a [f32]>,
}

impl Input<'_> {
    /// B.
    fn count(&self) -> usize {
        self.images.len() / (self.channels * self.size * self.size)
    }

    /// K.
    fn outputs(&self) -> usize {
        self.masks.len() / (self.count() * self.size * self.size).max(1)
    }

    /// Images; masks `[B·K, 1, S, S]`, as [`flat`] gives logits; and where pictures are, for each of these.
    fn upload(&self, device: &Device) -> (Tensor<4>, Tensor<4>, Option<Tensor<4>>) {
        let (count, outputs, size) = (self.count(), self.outputs(), self.size);
        let tensor = |values: &[f32], count, channels| {
            Tensor::from_data(TensorData::new(values.to_vec(), [count, channels, size, size]), device)
        };
        let inside = self.inside.map(|inside| flat(tensor(inside, count, 1).repeat_dim(1, outputs)));
        (tensor(self.images, count, self.channels), tensor(self.masks, count * outputs, 1), inside)
    }
}

/// Logits `[B, K, S, S]` of K structures as `[B·K, 1, S, S]`: to the loss each is a picture of its own.
fn flat(logits: Tensor<4>) -> Tensor<4> {
    let [count, outputs, height, width] = logits.dims();
    if outputs == 1 { logits } else { logits.reshape([count * outputs, 1, height, width]) }
}

impl Trainer {
    pub fn new(net: SegmentationNet, rule: Rule, hyper: &Hyper, device: &Device) -> Self {
        let mut plateau = ReduceOnPlateau::new(hyper.learning_rate);
        plateau.patience = hyper.plateau_patience;
        Self {
            net,
            best: None,
            optimizer: Optimizer::new(rule),
            plateau,
            stopping: EarlyStopping::new(hyper.stop_patience, hyper.least_epochs),
            device: device.clone(),
        }
    }

    /// The learning rate of the next step.
    pub fn rate(&self, hyper: &Hyper) -> f64 {
        if hyper.plateau { self.plateau.rate() } else { hyper.learning_rate }
    }

    /// One update. Returns the loss of the batch, `[1]`, before it.
    pub fn step(&mut self, input: Input<'_>, hyper: &Hyper, dropout: &mut HostRng) -> Tensor<1> {
        let (images, masks, inside) = input.upload(&self.device);
        let rates = Rates { learning_rate: self.rate(hyper), decay: hyper.weight_decay };
        let mut net = tracked(&self.net);
        let logits = flat(net.forward(images.autodiff(), Some(dropout)));
        let loss = hyper.loss.within(logits, masks.autodiff(), inside.map(Tensor::autodiff));
        let mut gradients = loss.backward();
        self.net = self.optimizer.step(net, &mut gradients, DecayScope::All, |_| rates);
        loss.inner()
    }

    /// The network as a function of its weights on these images, with what dropout drops in this step of this seed.
    pub fn network(&self, input: Input<'_>, hyper: &Hyper, [seed, step]: [u64; 2]) -> Result<Network, ReadError> {
        let (images, masks, inside) = input.upload(&self.device);
        let (images, masks, loss) = (images.autodiff(), masks.autodiff(), hyper.loss);
        let inside = inside.map(Tensor::autodiff);
        let names = ["net", "network", "the next batch’s loss"];
        Network::of(names, Some(self.rate(hyper)), &self.net, move |net| {
            let mut dropout = streams::DROPOUT.open(seed, step);
            let logits = flat(net.clone().forward(images.clone(), Some(&mut dropout)));
            loss.within(logits, masks.clone(), inside.clone())
        })
    }

    /// Takes the validation loss of an epoch: moves the schedule and keeps the best weights.
    pub fn observe(&mut self, loss: f64, hyper: &Hyper) -> Verdict {
        if hyper.plateau {
            self.plateau.observe(loss);
        }
        let verdict = self.stopping.observe(loss);
        if verdict.best {
            self.best = Some(self.net.clone());
        }
        Verdict { stop: verdict.stop && hyper.early_stopping, ..verdict }
    }

    /// Forgets the losses so far, which those to come cannot be compared with. The rate stays as it is; the next epoch's
    /// weights are the best ones until others are better.
    pub fn compare_anew(&mut self) {
        let EarlyStopping { patience, least_epochs, .. } = self.stopping;
        self.stopping = EarlyStopping::new(patience, least_epochs);
        let patience = self.plateau.patience;
        self.plateau = ReduceOnPlateau::new(self.plateau.rate());
        self.plateau.patience = patience;
    }

    /// Takes changed values of the schedule; a new learning rate starts it again.
    pub fn set(&mut self, before: &Hyper, hyper: &Hyper) {
        if before.learning_rate != hyper.learning_rate || before.plateau != hyper.plateau {
            self.plateau = ReduceOnPlateau::new(hyper.learning_rate);
        }
        if before.loss != hyper.loss {
            self.compare_anew();
        }
        self.plateau.patience = hyper.plateau_patience;
        (self.stopping.patience, self.stopping.least_epochs) = (hyper.stop_patience, hyper.least_epochs);
    }

    /// All state, named for [`Trainer::load`].
    pub fn save(&self, to: &mut Save) -> Result<(), RunError> {
        to.put_module("net", &self.net);
        if let Some(best) = &self.best {
            to.put_module("best", best);
        }
        to.put_optimizer(&self.optimizer, &self.net);
        to.put_json("schedule", &(&self.plateau, &self.stopping))
    }

    /// Puts everything back that [`Trainer::save`] wrote.
    pub fn load(&mut self, from: &Load<'_>) -> Result<(), RunError> {
        self.net = from.module("net", &self.net)?;
        self.best = if from.has("best") { Some(from.module("best", &self.net)?) } else { None };
        from.optimizer(&mut self.optimizer, &self.net)?;
        (self.plateau, self.stopping) = from.json("schedule")?;
        Ok(())
    }
}

/// What a network says of images.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluated {
    /// Mean of the losses of batches of [`EVALUATION_BATCH`], the last of which may be smaller.
    pub loss: f64,
    /// Probabilities `[S, S]` for each structure of each image.
    pub probabilities: Vec<Vec<f32>>,
}

impl Evaluated {
    /// Whether loss and probabilities are numbers. A NaN is greater than no threshold: its mask would be empty.
    pub fn is_finite(&self) -> bool {
        self.loss.is_finite() && self.probabilities.iter().flatten().all(|p| p.is_finite())
    }
}

/// Runs a network over images without augmentation, dropout and change. `heard` is told how many are done, and may stop it;
/// `at_a_time`: after so many, which changes numbers in their last digits alone.
pub fn evaluate(
    net: &SegmentationNet,
    input: Input<'_>,
    loss: SegmentationLoss,
    device: &Device,
    at_a_time: usize,
    mut heard: impl FnMut(usize) -> Result<(), RunError>,
) -> Result<Evaluated, RunError> {
    let mut all = Evaluated::default();
    let mut losses = Vec::new();
    for part in parts(input) {
        let (images, masks, inside) = part.upload(device);
        let done = all.probabilities.len() / input.outputs().max(1);
        let count = images.dims()[0];
        let mut logits = Vec::new();
        for start in (0..count).step_by(at_a_time) {
            let end = count.min(start + at_a_time);
            logits.push(net.infer(images.clone().slice_dim(0, start..end)));
            heard(done + end)?;
        }
        let logits = flat(Tensor::cat(logits, 0));
        let mut reader = Reader::default();
        reader.add(loss.within(logits.clone(), masks, inside));
        reader.add(activation::sigmoid(logits));
        let mut read = reader.read()?;
        let maps = read.pop().unwrap_or_default();
        losses.extend(read.concat().into_iter().map(f64::from));
        all.probabilities.extend(maps.chunks_exact(input.size * input.size).map(<[f32]>::to_vec));
    }
    all.loss = losses.iter().sum::<f64>() / losses.len().max(1) as f64;
    Ok(all)
}

/// Standard deviation `[S, S]` for each structure of each image of the probabilities over passes with dropout (population). `heard` may stop
/// it between two passes.
pub fn uncertainty(
    net: &SegmentationNet,
    input: Input<'_>,
    passes: usize,
    dropout: &mut HostRng,
    device: &Device,
    mut heard: impl FnMut() -> Result<(), RunError>,
) -> Result<Vec<Vec<f32>>, RunError> {
    let mut all = Vec::new();
    for part in parts(input) {
        let (images, ..) = part.upload(device);
        let mut sums: Option<(Tensor<4>, Tensor<4>)> = None;
        for _ in 0..passes {
            let p = activation::sigmoid(net.sample(images.clone(), dropout));
            let square = p.clone() * p.clone();
            sums = Some(match sums {
                Some((sum, squares)) => (sum + p, squares + square),
                None => (p, square),
            });
            heard()?;
        }
        let Some((sum, squares)) = sums else { continue };
        let mean = sum / passes as f64;
        let variance = (squares / passes as f64 - mean.clone() * mean).clamp_min(0.0);
        let mut reader = Reader::default();
        reader.add(variance.sqrt());
        let read = reader.read()?.concat();
        all.extend(read.chunks_exact(input.size * input.size).map(<[f32]>::to_vec));
    }
    Ok(all)
}

/// A few images at a time, so that memory does not grow with the data.
fn parts(input: Input<'_>) -> impl Iterator<Item = Input<'_>> {
    let pixels = input.size * input.size;
    let images = input.images.chunks(EVALUATION_BATCH * input.channels * pixels);
    let masks = input.masks.chunks((EVALUATION_BATCH * input.outputs() * pixels).max(1));
    images.zip(masks).enumerate().map(move |(part, (images, masks))| {
        let first = part * EVALUATION_BATCH * pixels;
        let last = first + images.len() / input.channels;
        Input { images, masks, inside: input.inside.map(|inside| &inside[first..last]), ..input }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::device;
    use crate::nn::segmentation::spec::{Architecture, NetSpec};

    #[test]
    fn on_the_cpu_an_image_alone_is_judged_as_in_a_batch() {
        let (device, size, count) = (device::cpu(), 64, 10);
        let mut rng = HostRng::new(3, 0);
        let images: Vec<f32> = (0..count * 3 * size * size).map(|_| rng.uniform() as f32).collect();
        let masks: Vec<f32> = (0..count * size * size).map(|_| f32::from(u8::from(rng.uniform() > 0.8))).collect();
        let input = Input { images: &images, masks: &masks, channels: 3, size, inside: None };
        for architecture in Architecture::ALL {
            let spec = NetSpec { architecture, channels: 3, base: 8, outputs: 1 };
            let net = SegmentationNet::new(&spec, HostRng::new(1, 0), &device).unwrap();
            let mut told = Vec::new();
            let mut run = |at_a_time| {
                let heard = |done| {
                    told.push(done);
                    Ok(())
                };
                evaluate(&net, input, SegmentationLoss::Dice, &device, at_a_time, heard).unwrap()
            };
            let (together, alone) = (run(EVALUATION_BATCH), run(1));
            let name = architecture.name();
            assert!((together.loss - alone.loss).abs() < 1e-5, "{name}: {} and {}", together.loss, alone.loss);
            let both = together.probabilities.concat().into_iter().zip(alone.probabilities.concat());
            let most = both.fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
            assert!(most < 1e-4, "{name}: {most}");
            assert_eq!(told, [8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        }
    }
}
