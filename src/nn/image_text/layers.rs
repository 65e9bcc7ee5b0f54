//! What text encoders are made of: normalisation of each vector, attention, and products over the last dimension.

use burn::module::{Module, Param, ParamId};
use burn::tensor::module::layer_norm;
use burn::tensor::{Tensor, TensorData, activation};

use super::batch::TextTensors;
use super::losses::NOTHING;
use crate::nn::cpu::text_ops;
use crate::nn::encoders::heads::Linear;
use crate::nn::parameters::Initialiser;

/// Numbers that are no parameters, on the device of another tensor and in its graph.
pub fn constant<const D: usize, const E: usize>(values: Vec<f32>, shape: [usize; D], like: &Tensor<E>) -> Tensor<D> {
    let made = Tensor::from_data(TensorData::new(values, shape), &like.device());
    if like.is_autodiff() { made.autodiff() } else { made }
}

/// Vectors along the last dimension divided by their length, which is taken as 10⁻¹² at least.
pub fn scaled_to_unit<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    // The root of a clamped square has a slope at 0; f32 holds squares down to some 10⁻³⁸.
    let length = x.clone().square().sum_dim(D - 1).clamp_min(1e-24).sqrt();
    x / length
}

/// A linear layer over the last dimension of `[T, N, in]`.
pub fn over_last(linear: &Linear, x: Tensor<3>) -> Tensor<3> {
    let [texts, length, inputs] = x.dims();
    let y = linear.forward(x.reshape([texts * length, inputs]));
    let [_, outputs] = y.dims();
    y.reshape([texts, length, outputs])
}

/// A matrix of normal numbers of this deviation.
pub fn normal_matrix(shape: [usize; 2], deviation: f64, init: &mut Initialiser<'_>) -> Param<Tensor<2>> {
    let values: Vec<f32> = (0..shape[0] * shape[1]).map(|_| (deviation * init.rng.normal()) as f32).collect();
    Param::initialized(ParamId::new(), Tensor::from_data(TensorData::new(values, shape), init.device))
}

/// `(x − mean) / √(variance + ε) · γ + β` of every vector along the last dimension (Ba et al., 2016).
#[derive(Module, Debug)]
pub struct LayerNorm {
    gamma: Param<Tensor<1>>,
    beta: Param<Tensor<1>>,
    #[module(skip)]
    epsilon: f64,
}

impl LayerNorm {
    pub fn new(width: usize, epsilon: f64, init: &Initialiser<'_>) -> Self {
        Self { gamma: init.constant(width, 1.0), beta: init.constant(width, 0.0), epsilon }
    }

    /// `[T, N, width]` to the same.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let (gamma, beta) = (self.gamma.val(), self.beta.val());
        match text_ops::layer_norm(&x, &gamma, &beta, self.epsilon) {
            Some(y) => y,
            None => layer_norm(x, gamma, Some(beta), self.epsilon),
        }
    }
}

/// x Φ(x) of every number (Hendrycks and Gimpel, 2016).
pub fn gelu(x: Tensor<3>) -> Tensor<3> {
    text_ops::gelu(&x).unwrap_or_else(|| gelu_by_erf(x))
}

/// The same by Burn. On graphics devices the slope of Burn's own GELU is that of the approximation by tanh, up to some 5·10⁻⁴ off; that
/// of its error function is exact.
fn gelu_by_erf(x: Tensor<3>) -> Tensor<3> {
    let erf = (x.clone() * std::f64::consts::FRAC_1_SQRT_2).erf();
    x * (erf + 1.0) * 0.5
}

/// softmax(Q Kᵀ / √(width / heads)) V of each text by itself in `heads` heads: from queries, keys and values side by side
/// `[T, N, 3·width]` to `[T, N, width]`. Nothing looks at padding; what stands there afterwards has no meaning.
pub fn attend(inside: Tensor<3>, texts: &TextTensors, heads: usize) -> Tensor<3> {
    text_ops::attend(&inside, &texts.pieces, heads).unwrap_or_else(|| attend_by_products(inside, &texts.mask, heads))
}

/// The same as two batched products; `mask` `[T, N]` is 0 where padding is.
pub fn attend_by_products(inside: Tensor<3>, mask: &Tensor<2>, heads: usize) -> Tensor<3> {
    let [texts, length, triple] = inside.dims();
    let (width, each) = (triple / 3, triple / 3 / heads);
    let [q, k, v] = [0, 1, 2].map(|i| {
        let part = inside.clone().slice_dim(2, i * width..(i + 1) * width);
        part.reshape([texts, length, heads, each]).swap_dims(1, 2)
    });
    let scores = q.matmul(k.swap_dims(2, 3)) * (each as f64).sqrt().recip();
    let hidden = in_graph_of((-mask.clone() + 1.0) * NOTHING, &inside);
    let weights = activation::softmax(scores + hidden.reshape([texts, 1, 1, length]), 3);
    weights.matmul(v).swap_dims(1, 2).reshape([texts, length, width])
}

/// Mean of the vectors `[T, N, width]` where `mask` `[T, N]` is 1: `[T, width]`.
pub fn masked_mean(x: Tensor<3>, mask: &Tensor<2>) -> Tensor<2> {
    let [texts, length, width] = x.dims();
    let count = mask.clone().sum_dim(1).clamp_min(1.0);
    let weights = (mask.clone() / count).reshape([texts, 1, length]);
    weights.matmul(x).reshape([texts, width])
}

/// A constant as part of the graph that another tensor is in.
pub fn in_graph_of<const D: usize, const E: usize>(x: Tensor<D>, like: &Tensor<E>) -> Tensor<D> {
    if like.is_autodiff() && !x.is_autodiff() { x.autodiff() } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::device;
    use crate::compute::readback::Reader;
    use crate::compute::rng::HostRng;

    fn drawn<const D: usize>(shape: [usize; D], seed: u64) -> Tensor<D> {
        let mut rng = HostRng::new(seed, 0);
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.normal() as f32).collect();
        Tensor::from_data(TensorData::new(values, shape), &device::cpu()).autodiff().require_grad()
    }

    /// Values, and slopes of all leaves of their weighted sum.
    fn all(y: Tensor<3>, leaves: &[&Tensor<3>], vectors: &[&Tensor<1>]) -> Vec<Vec<f32>> {
        let weights = drawn(y.dims(), 99).detach();
        let grads = (y.clone() * weights).sum().backward();
        let mut reader = Reader::default();
        reader.add(y);
        for leaf in leaves {
            reader.add(leaf.grad(&grads).unwrap());
        }
        for vector in vectors {
            reader.add(vector.grad(&grads).unwrap());
        }
        reader.read().unwrap()
    }

    fn agree(what: &str, ours: &[Vec<f32>], burn: &[Vec<f32>]) {
        for (which, (ours, burn)) in ours.iter().zip(burn).enumerate() {
            assert_eq!(ours.len(), burn.len());
            for (i, (ours, burn)) in ours.iter().zip(burn).enumerate() {
                assert!((ours - burn).abs() < 2e-5 * (1.0 + burn.abs()), "{what}, {which}, {i}: {ours} against {burn}");
            }
        }
    }

    #[test]
    fn what_is_done_by_hand_is_what_burn_does() {
        let (x, gamma, beta) = (drawn([3, 400, 20], 1), drawn([20], 2), drawn([20], 3));
        let ours = text_ops::layer_norm(&x, &gamma, &beta, 1e-5).unwrap();
        let burn = layer_norm(x.clone(), gamma.clone(), Some(beta.clone()), 1e-5);
        let of = |y| all(y, &[&x], &[&gamma, &beta]);
        agree("layer norm", &of(ours), &of(burn));
        let x = drawn([3, 40, 20], 4) * 2.0;
        let x = x.detach().require_grad();
        agree("GELU", &all(text_ops::gelu(&x).unwrap(), &[&x], &[]), &all(gelu_by_erf(x.clone()), &[&x], &[]));
    }

    #[test]
    fn attention_text_by_text_is_that_of_batched_products() {
        let pieces = [5, 9, 1];
        let mask: Vec<f32> = pieces.iter().flat_map(|p| (0..9).map(move |at| f32::from(u8::from(at < *p)))).collect();
        let mask = Tensor::<2>::from_data(TensorData::new(mask, [3, 9]), &device::cpu());
        for heads in [1, 3] {
            let inside = drawn([3, 9, 36], 5);
            let shown = in_graph_of(mask.clone().reshape([3, 9, 1]), &inside);
            let of = |y: Tensor<3>| all(y * shown.clone(), &[&inside], &[]);
            let ours = of(text_ops::attend(&inside, &pieces, heads).unwrap());
            agree("attention", &ours, &of(attend_by_products(inside.clone(), &mask, heads)));
        }
    }
}
