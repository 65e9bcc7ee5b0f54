//! Both encoders with the scales of their losses, as one module; and a head for pairs of sentences.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use thiserror::Error;

use super::batch::TextTensors;
use super::image::{ImageEncoder, ImageVectors};
use super::layers::in_graph_of;
use super::local::Local;
use super::losses::{self, Global, Scale, Weights};
use super::spec::{ScaleSpec, Spec, SpecError};
use super::text::{TextEncoder, TextVectors};
use crate::compute::readback::ReadError;
use crate::compute::rng::HostRng;
use crate::nn::encoders::heads::Linear;
use crate::nn::layers::conv::Pass;
use crate::nn::materialise;
use crate::nn::parameters::{Init, Initialiser};

/// A network that learns from pictures and reports.
#[derive(Module, Debug)]
pub struct ImageText {
    pub image: ImageEncoder,
    pub text: TextEncoder,
    scales: Option<Scales>,
    #[module(skip)]
    fixed: [f64; 2],
}

/// Logarithms of 1/τ, `[1]` each, that are learned.
#[derive(Module, Debug)]
struct Scales {
    global: Param<Tensor<1>>,
    perturbation: Param<Tensor<1>>,
}

/// A learned scale is no more than this.
const MOST_SCALE: f64 = 100.0;

/// A network that was not built.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum BuildError {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// The terms of a batch's loss, each `[1]`; one of weight 0 was not computed, but for the global one, which costs nothing.
#[derive(Debug, Clone)]
pub struct Terms {
    /// L = global + α local + β perturbation.
    pub total: Tensor<1>,
    pub global: Global,
    pub local: Option<Tensor<1>>,
    pub perturbation: Option<Tensor<1>>,
}

impl ImageText {
    /// Builds a network with weights drawn on the host and reads every parameter once.
    pub fn new(spec: &Spec, rng: HostRng, device: &Device) -> Result<Self, BuildError> {
        spec.check()?;
        let mut init = Initialiser { rng, init: Init::Torch, device };
        let ScaleSpec { global, perturbation, learned } = spec.scale;
        let image = ImageEncoder::new(&spec.image, spec.width, &mut init);
        let text = TextEncoder::new(&spec.text, spec.width, &mut init);
        let log = |tau: f64| init.constant(1, -tau.ln() as f32);
        let scales = learned.then(|| Scales { global: log(global), perturbation: log(perturbation) });
        let net = Self { image, text, scales, fixed: [1.0 / global, 1.0 / perturbation] };
        materialise(&net)?;
        Ok(net)
    }

    /// Sets τ of the global loss and of the perturbation loss; learned ones go on from there.
    pub fn set_temperatures(&mut self, [global, perturbation]: [f64; 2]) {
        self.fixed = [1.0 / global, 1.0 / perturbation];
        if let Some(scales) = &mut self.scales {
            let log = |of: &Param<Tensor<1>>, tau: f64| of.clone().map(|old| old.zeros_like() - tau.ln());
            scales.global = log(&scales.global, global);
            scales.perturbation = log(&scales.perturbation, perturbation);
        }
    }

    /// 1/τ of the global loss.
    pub fn global_scale(&self) -> Scale {
        let [fixed, _] = self.fixed;
        self.scales.as_ref().map_or(Scale::Fixed(fixed), |scales| learned(&scales.global))
    }

    /// 1/τ of the perturbation loss.
    pub fn perturbation_scale(&self) -> Scale {
        let [_, fixed] = self.fixed;
        self.scales.as_ref().map_or(Scale::Fixed(fixed), |scales| learned(&scales.perturbation))
    }

    /// Pictures `[B, C, H, W]` with numbers in [0, 1].
    pub fn pictures(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> ImageVectors {
        self.image.forward(x, pass)
    }

    /// Texts, all in one pass.
    pub fn texts(&self, texts: &TextTensors) -> TextVectors {
        self.text.forward(texts)
    }

    /// The losses of B pictures `[B, C, H, W]` with their reports. The texts are the B reports, whose words were packed where a local
    /// loss is wanted, and then where the perturbation loss is wanted the K perturbed texts of the first report, of the second, ..
    /// `valid` `[B, K]` says which of these count, see [`losses::perturbation_of_each`].
    pub fn terms(
        &mut self,
        pictures: Tensor<4>,
        texts: &TextTensors,
        valid: Option<Tensor<2>>,
        (weights, local): (Weights, &Local),
        pass: &Pass<'_>,
    ) -> Terms {
        let image = self.pictures(pictures, pass);
        let text = self.texts(texts);
        let [count, width] = image.global.dims();
        let [all, _] = text.global.dims();
        let originals = text.global.clone().slice_dim(0, 0..count);
        let global = losses::global(image.global.clone(), originals.clone(), &self.global_scale());
        let words = text.words.filter(|_| weights.local != 0.0);
        let local = words.map(|words| local.loss(image.regions, words, &texts.words));
        let valid = valid.filter(|_| weights.perturbation != 0.0 && all > count);
        let perturbation = valid.map(|valid| {
            let kinds = (all - count) / count.max(1);
            let perturbed = text.global.slice_dim(0, count..all).reshape([count, kinds, width]);
            let valid = in_graph_of(valid, &perturbed);
            losses::perturbation(image.global, originals, perturbed, valid, &self.perturbation_scale())
        });
        let first = global.loss.clone() * weights.global;
        let rest = losses::total(weights, None, local.clone(), perturbation.clone());
        let total = match rest {
            Some(rest) => first + rest,
            None => first,
        };
        Terms { total, global, local, perturbation }
    }
}

fn learned(log: &Param<Tensor<1>>) -> Scale {
    Scale::Learned(log.val().exp().clamp_max(MOST_SCALE))
}

/// Entailment, neutral or contradiction: linear on the pooled vector of a pair of sentences that were packed as one text.
#[derive(Module, Debug)]
pub struct NliHead {
    linear: Linear,
}

/// Answers of a [`NliHead`].
pub const NLI_CLASSES: usize = 3;

impl NliHead {
    /// For pooled vectors of this width.
    pub fn new(width: usize, rng: HostRng, device: &Device) -> Result<Self, ReadError> {
        let mut init = Initialiser { rng, init: Init::Torch, device };
        let head = Self { linear: Linear::new(width, NLI_CLASSES, true, &mut init) };
        materialise(&head)?;
        Ok(head)
    }

    /// Logits `[T, 3]` of pooled vectors `[T, width]`.
    pub fn forward(&self, pooled: Tensor<2>) -> Tensor<2> {
        self.linear.forward(pooled)
    }
}

/// Mean softmax cross-entropy `[1]` of logits `[T, C]` and as many classes below C.
pub fn cross_entropy(logits: Tensor<2>, classes: &[usize]) -> Tensor<1> {
    let [count, kinds] = logits.dims();
    let mut one_hot = vec![0.0; count * kinds];
    for (row, class) in one_hot.chunks_exact_mut(kinds.max(1)).zip(classes) {
        row.iter_mut().skip(*class).take(1).for_each(|value| *value = 1.0);
    }
    let right = (logits.clone() * super::layers::constant(one_hot, [count, kinds], &logits)).sum_dim(1);
    (losses::log_sum_exp(logits, 1) - right).mean()
}
