//! One training step, and all that training carries from step to step: the network in its three parts, each with an optimizer.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use crate::compute::readback::{ReadError, Reader};
use crate::engine::experiment::RunError;
use crate::kit::state::{Load, Save};
use crate::landscape::Network;
use crate::nn::layers::conv::Pass;
use crate::nn::optim::{DecayScope, Optimizer, Rates, Rule};
use crate::nn::parameters::gradients;
use crate::nn::reconstruction::Autoencoder;
use crate::nn::reconstruction::classifier::Answer;
use crate::nn::reconstruction::loss::{cross_entropy, ordinal_cross_entropy, softmax_cross_entropy};
use crate::nn::reconstruction::spec::Head;

use super::balance::Pull;
use super::params::Hyper;

/// Grades, 0 to 3.
pub const GRADES: usize = 4;

/// All tensors are without autodiff.
pub struct Trainer {
    pub net: Autoencoder,
    head: Head,
    encoder: Optimizer,
    decoder: Optimizer,
    classifier: Optimizer,
    rule: Rule,
    device: Device,
}

/// Pictures for one step, on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// `[N, 3, S, S]` in [0, 1].
    pub images: Vec<f32>,
    /// S.
    pub size: usize,
    /// Of a labelled batch: the grade of each picture.
    pub grades: Option<Vec<u8>>,
}

/// Which losses a step has, and what it moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// L_ae takes part.
    pub rebuild: bool,
    /// L_cl takes part, with this weight λ.
    pub classify: Option<f64>,
    /// The encoder stays as it is.
    pub frozen: bool,
}

/// The losses of a step before its update, `[1]` each, and the classifier's units.
#[derive(Debug)]
pub struct Losses {
    pub reconstruction: Option<Tensor<1>>,
    pub classification: Option<Tensor<1>>,
    /// Part of it: the loss of grades.
    pub grades: Option<Tensor<1>>,
    /// `[N, 4]`
    pub units: Option<Tensor<2>>,
}

impl Batch {
    fn upload(&self, device: &Device) -> Tensor<4> {
        let count = self.images.len() / (3 * self.size * self.size);
        Tensor::from_data(TensorData::new(self.images.clone(), [count, 3, self.size, self.size]), device)
    }
}

impl Trainer {
    pub fn new(net: Autoencoder, head: Head, rule: Rule, device: &Device) -> Self {
        let optimizer = || Optimizer::new(rule);
        let (encoder, decoder, classifier) = (optimizer(), optimizer(), optimizer());
        Self { net, head, encoder, decoder, classifier, rule, device: device.clone() }
    }

    /// Optimizers forget: a second phase begins.
    pub fn begin_phase(&mut self) {
        self.encoder = Optimizer::new(self.rule);
        self.classifier = Optimizer::new(self.rule);
    }

    /// All optimizers forget: labels were added.
    pub fn forget(&mut self) {
        self.begin_phase();
        self.decoder = Optimizer::new(self.rule);
    }

    /// One update. Parts that take no part in the loss are not moved, not even by weight decay or momentum.
    pub fn step(&mut self, batch: &Batch, plan: &Plan, hyper: &Hyper) -> Losses {
        let x = batch.upload(&self.device).autodiff();
        let mut pass = Pass { train: true, dropout: None };
        let mut net = self.net.tracked();
        let mut code = net.encode(x.clone(), &pass);
        if plan.frozen {
            code = code.detach();
        }
        let rebuilt = plan.rebuild.then(|| net.decode(code.clone(), &pass)).flatten();
        let reconstruction = rebuilt.map(|rebuilt| hyper.reconstruction.of(rebuilt, x));
        let mut losses = Losses { reconstruction: None, classification: None, grades: None, units: None };
        let mut total = reconstruction.clone();
        if let (Some(lambda), Some(grades)) = (plan.classify, &batch.grades) {
            let answer = net.classify(code, &mut pass);
            let (classification, of_grades) = self.classification(hyper).of(&answer, grades);
            losses.grades = of_grades.map(Tensor::inner);
            losses.units = answer.units.map(Tensor::inner);
            losses.classification = Some(classification.clone().inner());
            let weighted = classification * lambda;
            total = Some(match total {
                Some(total) => total + weighted,
                None => weighted,
            });
        }
        losses.reconstruction = reconstruction.map(Tensor::inner);
        let Some(total) = total else { return losses };
        let mut found = total.backward();
        let rates = Rates { learning_rate: hyper.learning_rate, decay: hyper.weight_decay };
        if !plan.frozen {
            self.net.encoder = self.encoder.step(net.encoder, &mut found, DecayScope::All, |_| rates);
        }
        if let Some(decoder) = net.decoder.filter(|_| losses.reconstruction.is_some()) {
            self.net.decoder = Some(self.decoder.step(decoder, &mut found, DecayScope::All, |_| rates));
        }
        if losses.classification.is_some() {
            self.net.classifier = self.classifier.step(net.classifier, &mut found, DecayScope::All, |_| rates);
        }
        losses
    }

    fn classification(&self, hyper: &Hyper) -> Classification {
        let Hyper { alpha, grade_weight, .. } = *hyper;
        Classification { head: self.head, alpha, grade_weight, device: self.device.clone() }
    }

    /// The network as a function of its weights on this batch: the losses of the plan together. `None` where it has none.
    pub fn network(&self, batch: &Batch, plan: &Plan, hyper: &Hyper) -> Result<Option<Network>, ReadError> {
        let rebuild = plan.rebuild && self.net.decoder.is_some();
        let classify = plan.classify.zip(batch.grades.clone());
        if !rebuild && classify.is_none() {
            return Ok(None);
        }
        let x = batch.upload(&self.device).autodiff();
        let (whole, reconstruction) = (self.net.clone(), hyper.reconstruction);
        let of = self.classification(hyper);
        let names = ["net", "autoencoder and classifier", "the next batch’s loss, all terms with their weights"];
        let parts = self.net.parts();
        Network::of(names, Some(hyper.learning_rate), &parts, move |parts| {
            let mut pass = Pass { train: true, dropout: None };
            let mut net = whole.with_parts(parts.clone());
            let code = net.encode(x.clone(), &pass);
            let rebuilt = if rebuild { net.decode(code.clone(), &pass) } else { None };
            let mut losses = Vec::new();
            losses.extend(rebuilt.map(|rebuilt| reconstruction.of(rebuilt, x.clone())));
            if let Some((lambda, grades)) = &classify {
                losses.push(of.of(&net.classify(code, &mut pass), grades).0 * *lambda);
            }
            Tensor::cat(losses, 0).sum()
        })
        .map(Some)
    }

    /// How strongly both losses pull the encoder on this labelled batch. Two passes of their own that change nothing; `None` where
    /// one of both losses is not defined.
    pub fn pull(&self, batch: &Batch, hyper: &Hyper) -> Result<Option<(Pull, [f64; 2])>, RunError> {
        let Some(grades) = &batch.grades else { return Ok(None) };
        let mut pass = Pass { train: true, dropout: None };
        let x = batch.upload(&self.device).autodiff();
        let mut net = self.net.tracked();
        let code = net.encode(x.clone(), &pass);
        let Some(rebuilt) = net.decode(code, &pass) else { return Ok(None) };
        let reconstruction = hyper.reconstruction.of(rebuilt, x.clone());
        let of_reconstruction = gradients(&net.encoder, &reconstruction.backward());
        let mut net = self.net.tracked();
        let code = net.encode(x, &pass);
        let (classification, _) = self.classification(hyper).of(&net.classify(code, &mut pass), grades);
        let of_classification = gradients(&net.encoder, &classification.backward());
        let mut reader = Reader::default();
        let mut product = |a: &Tensor<1>, b: &Tensor<1>| reader.add((a.clone() * b.clone()).sum());
        product(&of_reconstruction, &of_reconstruction);
        product(&of_classification, &of_classification);
        product(&of_reconstruction, &of_classification);
        reader.add(reconstruction);
        reader.add(classification);
        let read: Vec<f64> = reader.read()?.iter().map(|value| f64::from(value[0])).collect();
        let (a, c) = (read[0].sqrt(), read[1].sqrt());
        let cosine = if a * c > 0.0 { read[2] / (a * c) } else { 0.0 };
        Ok(Some((Pull { reconstruction: a, classification: c, cosine }, [read[3], read[4]])))
    }

    /// All state, named for [`Trainer::load`].
    pub fn save(&self, to: &mut Save) {
        fn part(to: &mut Save, name: &str, module: &impl Module, optimizer: &Optimizer) {
            to.put_module(name, module);
            to.put_optimizer_of(&format!("{name}/optimizer/"), optimizer, module);
        }
        part(to, "encoder", &self.net.encoder, &self.encoder);
        if let Some(decoder) = &self.net.decoder {
            part(to, "decoder", decoder, &self.decoder);
        }
        part(to, "classifier", &self.net.classifier, &self.classifier);
    }

    /// Puts everything back that [`Trainer::save`] wrote.
    pub fn load(&mut self, from: &Load<'_>) -> Result<(), RunError> {
        fn part<M: Module>(
            from: &Load<'_>,
            name: &str,
            module: &mut M,
            optimizer: &mut Optimizer,
        ) -> Result<(), RunError> {
            *module = from.module(name, module)?;
            from.optimizer_of(&format!("{name}/optimizer/"), optimizer, module)
        }
        part(from, "encoder", &mut self.net.encoder, &mut self.encoder)?;
        if let Some(decoder) = &mut self.net.decoder {
            part(from, "decoder", decoder, &mut self.decoder)?;
        }
        part(from, "classifier", &mut self.net.classifier, &mut self.classifier)
    }
}

/// What the loss of grades needs beside the answers.
#[derive(Debug, Clone)]
struct Classification {
    head: Head,
    alpha: f64,
    grade_weight: f64,
    device: Device,
}

impl Classification {
    /// L_cl with that of grades, and that of grades alone.
    fn of(&self, answer: &Answer, grades: &[u8]) -> (Tensor<1>, Option<Tensor<1>>) {
        let count = grades.len();
        let tensor = |values: Vec<f32>, columns: usize| {
            Tensor::<2>::from_data(TensorData::new(values, [count, columns]), &self.device).autodiff()
        };
        let ill = grades.iter().map(|grade| f32::from(u8::from(*grade > 0))).collect();
        let binary = cross_entropy(answer.logit.clone(), tensor(ill, 1).reshape([count]), self.alpha);
        let Some(logits) = answer.grades.clone() else { return (binary, None) };
        let of_grades = if self.head == Head::Ordinal {
            let at_least = |&grade: &u8| (1..GRADES as u8).map(move |k| f32::from(u8::from(grade >= k)));
            let truth = grades.iter().flat_map(at_least).collect();
            ordinal_cross_entropy(logits, tensor(truth, GRADES - 1))
        } else {
            let one = |&grade: &u8| (0..GRADES as u8).map(move |k| f32::from(u8::from(grade == k)));
            let truth = grades.iter().flat_map(one).collect();
            softmax_cross_entropy(logits, tensor(truth, GRADES))
        };
        (binary + of_grades.clone() * self.grade_weight, Some(of_grades))
    }
}
