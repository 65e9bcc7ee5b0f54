//! What is measured of the copies: loss and accuracy on a whole set of points, and the picture of the decision.

use burn::tensor::{Device, Tensor, TensorData, activation};

use crate::data::points::Extent;
use crate::nn::mlp::{Mlp, MlpShape, correct, cross_entropy, one_hot};

use super::features::Inputs;

/// Rows and columns of `boundary/<optimizer>`, a matrix over [`extent`], row 0 at the top (largest y), each value taken
/// at the centre of its cell. With two classes a value is P(class 1), 0 to 1. With more it is the index of the likeliest
/// class plus its probability: 2.75 is class 2 with 75 % (a probability above 0.9999 is written as 0.9999).
pub const BOUNDARY: usize = 64;

/// Networks of more weights and biases do not send them as `weights/<optimizer>`: a matrix `[1, P]` in the order of
/// [`Mlp::from_flat`].
pub const MOST_WEIGHTS: usize = 4_096;

/// Loss and accuracy of a set with more points are measured on its first so many; sets are shuffled, so that these are a
/// fair sample.
pub const EVALUATED: usize = 20_000;

/// Largest probability that is added to a class index.
const MOST: f64 = 0.9999;

/// Numbers in one activation of a forward pass that is only measured; larger sets go through in parts.
const ACTIVATION_BUDGET: usize = 1 << 20;

/// The rectangle that `boundary/<optimizer>` covers, in the data's own units: [`Extent::of`] all points of
/// `points/train` and `points/test`.
pub fn extent(train: &[[f32; 2]], test: &[[f32; 2]]) -> Extent {
    Extent::of(train.iter().chain(test))
}

/// Points on the device, in parts small enough for one forward pass.
#[derive(Debug)]
pub struct Measured {
    parts: Vec<Part>,
    pub count: usize,
}

#[derive(Debug)]
struct Part {
    /// `[1, N, F]`
    x: Tensor<3>,
    /// `[1, N, C]`; `[1, 0, 0]`-like empty where the points have no classes.
    one_hot: Option<Tensor<3>>,
    /// `[1, N, 1]`
    labels: Option<Tensor<3>>,
}

impl Measured {
    /// Uploads points with classes for `copies` networks of this shape; an empty `classes` is for points without.
    pub fn upload(
        xy: &[[f32; 2]],
        classes: &[u32],
        inputs: &Inputs,
        shape: &MlpShape,
        copies: usize,
        device: &Device,
    ) -> Self {
        let size = (ACTIVATION_BUDGET / (copies * shape.widest())).max(64);
        let parts = (0..xy.len())
            .step_by(size)
            .map(|start| {
                let end = (start + size).min(xy.len());
                let labelled = classes.get(start..end).filter(|part| !part.is_empty());
                Part {
                    x: upload_inputs(inputs.of(&xy[start..end]), inputs.features.len(), device),
                    one_hot: labelled.map(|part| Tensor::from_data(one_hot(part, shape.classes()), device)),
                    labels: labelled.map(|part| {
                        let values: Vec<f32> = part.iter().map(|&class| class as f32).collect();
                        Tensor::from_data(TensorData::new(values, [1, end - start, 1]), device)
                    }),
                }
            })
            .collect();
        Self { parts, count: xy.len() }
    }

    /// Mean cross-entropy in nats, and the share of points whose likeliest class is theirs where `with_accuracy`; both
    /// `[K]`, not yet read.
    pub fn score(&self, model: &Mlp, with_accuracy: bool) -> (Tensor<1>, Option<Tensor<1>>) {
        let mut loss: Option<Tensor<1>> = None;
        let mut hits: Option<Tensor<1>> = None;
        for part in &self.parts {
            let (Some(one_hot), Some(labels)) = (&part.one_hot, &part.labels) else { continue };
            let logits = model.forward(part.x.clone());
            if with_accuracy {
                let these = correct(logits.clone(), labels.clone());
                hits = Some(hits.map_or_else(|| these.clone(), |sum| sum + these.clone()));
            }
            let these = cross_entropy(logits, one_hot.clone());
            loss = Some(match loss {
                Some(sum) => sum + these,
                None => these,
            });
        }
        let mean = |sum: Tensor<1>| sum / self.count as f64;
        (mean(loss.expect("a set of points with classes")), hits.map(mean))
    }

    /// The picture of the decision as [`BOUNDARY`] says, `[K, N]`, not yet read.
    pub fn decision(&self, model: &Mlp) -> Tensor<2> {
        let parts = self.parts.iter().map(|part| {
            let logits = model.forward(part.x.clone());
            let [copies, points, classes] = logits.dims();
            let value = if classes == 2 {
                // P(class 1) = σ(z₁ − z₀).
                let z = |class: usize| logits.clone().slice([0..copies, 0..points, class..class + 1]);
                activation::sigmoid(z(1) - z(0))
            } else {
                let best = logits.clone().argmax(2).float();
                best + activation::softmax(logits, 2).max_dim(2).clamp_max(MOST)
            };
            value.reshape([copies, points])
        });
        Tensor::cat(parts.collect(), 1)
    }
}

/// What N points look like to a network, `[N, F]`, as `[1, N, F]`.
pub fn upload_inputs(values: Vec<f32>, features: usize, device: &Device) -> Tensor<3> {
    let count = values.len() / features;
    Tensor::from_data(TensorData::new(values, [1, count, features]), device)
}
