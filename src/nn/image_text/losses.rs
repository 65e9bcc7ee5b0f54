//! What is minimised: L = L_global + α L_local + β L_pert. Every loss is a `[1]` in nats.
//!
//! Sums of exponentials are taken less their largest term, so that no scale overflows.

use burn::tensor::Tensor;

use super::layers::constant;

/// What cosines are multiplied by before the softmax, 1/τ.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "two of them a step")]
pub enum Scale {
    Fixed(f64),
    /// `[1]`, learned with the network.
    Learned(Tensor<1>),
}

impl Scale {
    /// The fixed scale of a temperature τ.
    pub fn of_temperature(tau: f64) -> Self {
        Self::Fixed(1.0 / tau)
    }

    fn times(&self, cosines: Tensor<2>) -> Tensor<2> {
        match self {
            Scale::Fixed(scale) => cosines * *scale,
            Scale::Learned(scale) => cosines * scale.clone().unsqueeze::<2>(),
        }
    }
}

/// Added to a logit that is to count for nothing: its exponential is exactly 0.
pub(super) const NOTHING: f64 = -1e9;

/// log Σ exp along a dimension, which stays with length 1.
pub fn log_sum_exp<const D: usize>(x: Tensor<D>, dim: usize) -> Tensor<D> {
    let largest = x.clone().detach().max_dim(dim);
    (x - largest.clone()).exp().sum_dim(dim).log() + largest
}

/// Both directions of a contrast.
#[derive(Debug, Clone)]
pub struct Directions {
    /// Over the texts, with the picture fixed.
    pub image_to_text: Tensor<1>,
    /// Over the pictures, with the text fixed.
    pub text_to_image: Tensor<1>,
}

/// Cross-entropies of logits `[B, B]` (pictures by texts) whose right pairs are the diagonal.
pub fn contrast(logits: Tensor<2>) -> Directions {
    let [pairs, _] = logits.dims();
    let mut eye = vec![0.0; pairs * pairs];
    eye.iter_mut().step_by(pairs + 1).for_each(|value| *value = 1.0);
    let right = (logits.clone() * constant(eye, [pairs, pairs], &logits)).sum() / pairs as f64;
    let over = |dim| log_sum_exp(logits.clone(), dim).mean() - right.clone();
    Directions { image_to_text: over(1), text_to_image: over(0) }
}

/// L_global with its directions.
#[derive(Debug, Clone)]
pub struct Global {
    /// (image→text + text→image) / 2.
    pub loss: Tensor<1>,
    pub image_to_text: Tensor<1>,
    pub text_to_image: Tensor<1>,
}

/// Image-report matching, the symmetric InfoNCE loss of pictures `[B, d]` and their reports `[B, d]`, both of unit length. The
/// article prints text→image alone; its words and its code say both.
pub fn global(images: Tensor<2>, texts: Tensor<2>, scale: &Scale) -> Global {
    let Directions { image_to_text, text_to_image } = contrast(scale.times(images.matmul(texts.transpose())));
    Global { loss: (image_to_text.clone() + text_to_image.clone()) * 0.5, image_to_text, text_to_image }
}

/// Report perturbation loss of each picture, `[B]`: of a picture's own report among its K perturbed ones,
/// −log of e^{s·u·v} / (e^{s·u·v} + Σ_k e^{s·u·q_k}). One direction; reports of other pictures take no part.
///
/// Pictures and original texts are `[B, d]`, perturbed texts `[B, K, d]`, all of unit length. `valid` `[B, K]` is 1 for a text
/// that counts, 0 for one that is left out of the sum, as a text equal to the original should be: each adds up to ln 2 that
/// nothing can remove. Ones everywhere are what the paper's code does.
pub fn perturbation_of_each(
    images: Tensor<2>,
    originals: Tensor<2>,
    perturbed: Tensor<3>,
    valid: Tensor<2>,
    scale: &Scale,
) -> Tensor<1> {
    let [pictures, kinds, _] = perturbed.dims();
    let right = scale.times((images.clone() * originals).sum_dim(1));
    let wrong = (images.unsqueeze_dim::<3>(1) * perturbed).sum_dim(2).reshape([pictures, kinds]);
    let wrong = scale.times(wrong) + (-valid + 1.0) * NOTHING;
    let all = Tensor::cat(vec![right.clone(), wrong], 1);
    (log_sum_exp(all, 1) - right).reshape([pictures])
}

/// Mean of [`perturbation_of_each`].
pub fn perturbation(
    images: Tensor<2>,
    originals: Tensor<2>,
    perturbed: Tensor<3>,
    valid: Tensor<2>,
    scale: &Scale,
) -> Tensor<1> {
    perturbation_of_each(images, originals, perturbed, valid, scale).mean()
}

/// Weights of the three terms. A term of weight 0 is best not computed: see [`total`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    pub global: f64,
    /// α.
    pub local: f64,
    /// β.
    pub perturbation: f64,
}

/// One of the compared methods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variant {
    pub id: &'static str,
    pub name: &'static str,
    pub weights: Weights,
}

/// The methods of Tables II to IV.
pub const VARIANTS: [Variant; 4] = [
    Variant { id: "convirt", name: "ConVIRT-style", weights: Weights { global: 1.0, local: 0.0, perturbation: 0.0 } },
    Variant { id: "gloria", name: "GLoRIA-style", weights: Weights { global: 1.0, local: 1.0, perturbation: 0.0 } },
    Variant {
        id: "no-local",
        name: "Ours (w/o local loss)",
        weights: Weights { global: 1.0, local: 0.0, perturbation: 0.1 },
    },
    Variant { id: "ours", name: "Ours", weights: Weights { global: 1.0, local: 0.1, perturbation: 0.1 } },
];

/// L of the terms that were computed; one of weight 0 is `None`.
pub fn total(
    weights: Weights,
    global: Option<Tensor<1>>,
    local: Option<Tensor<1>>,
    perturbation: Option<Tensor<1>>,
) -> Option<Tensor<1>> {
    let weights = [weights.global, weights.local, weights.perturbation];
    let terms = weights.into_iter().zip([global, local, perturbation]);
    terms.filter_map(|(weight, term)| Some(term? * weight)).reduce(|sum, term| sum + term)
}
