//! The heads of joint-embedding methods: projector and predictor.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, activation};

use crate::nn::layers::norm::Norm;
use crate::nn::parameters::Initialiser;

/// `y = x W + b` with an optional bias; `W` is `[in, out]`.
#[derive(Module, Debug)]
pub struct Linear {
    weight: Param<Tensor<2>>,
    bias: Option<Param<Tensor<1>>>,
}

impl Linear {
    pub fn new(inputs: usize, outputs: usize, bias: bool, init: &mut Initialiser<'_>) -> Self {
        Self { weight: init.weight([inputs, outputs], inputs, outputs), bias: bias.then(|| init.bias(inputs, outputs)) }
    }

    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let y = x.matmul(self.weight.val());
        match &self.bias {
            Some(bias) => y + bias.val().unsqueeze::<2>(),
            None => y,
        }
    }

    /// `[in, out]`, without autodiff.
    pub fn weight(&self) -> Tensor<2> {
        self.weight.val().inner()
    }

    /// Overwrites `W` with `[in, out]` numbers, laid out row by row: a transposed view would be multiplied in another
    /// order than the same numbers read from a checkpoint.
    pub fn set_weight(&mut self, weight: Tensor<2>) {
        let shape = weight.shape();
        self.weight = Param::initialized(self.weight.id, weight.flatten::<1>(0, 1).reshape(shape));
    }
}

/// Linear with bias, batch normalisation without γ and β, ReLU, linear without bias: `[N, in]` to `[N, out]`. It is both
/// the projector and the two-layer predictor.
#[derive(Module, Debug)]
pub struct TwoLayer {
    first: Linear,
    norm: Norm,
    second: Linear,
}

impl TwoLayer {
    pub fn new(inputs: usize, hidden: usize, outputs: usize, init: &mut Initialiser<'_>) -> Self {
        Self {
            first: Linear::new(inputs, hidden, true, init),
            norm: Norm::new(hidden, false, init),
            second: Linear::new(hidden, outputs, false, init),
        }
    }

    /// With batch statistics, `views` as in [`Norm::forward`].
    pub fn forward(&mut self, x: Tensor<2>, views: usize) -> Tensor<2> {
        let hidden = activation::relu(self.norm.forward(self.first.forward(x), views));
        self.second.forward(hidden)
    }

    pub fn infer(&self, x: Tensor<2>) -> Tensor<2> {
        self.second.forward(activation::relu(self.norm.infer(self.first.forward(x))))
    }
}

/// Predicts the target's embedding from the online one, `[N, d]` to `[N, d]`.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "one predictor a run")]
pub enum Predictor {
    /// One matrix, no bias, no normalisation.
    One(Linear),
    /// See [`TwoLayer`].
    Two(TwoLayer),
}

impl Predictor {
    /// `hidden` is the width of the middle of two layers; `None`: one layer.
    pub fn new(d: usize, hidden: Option<usize>, init: &mut Initialiser<'_>) -> Self {
        match hidden {
            None => Predictor::One(Linear::new(d, d, false, init)),
            Some(hidden) => Predictor::Two(TwoLayer::new(d, hidden, d, init)),
        }
    }

    pub fn forward(&mut self, z: Tensor<2>, views: usize) -> Tensor<2> {
        match self {
            Predictor::One(linear) => linear.forward(z),
            Predictor::Two(layers) => layers.forward(z, views),
        }
    }

    /// `Wp` `[out, in]`, so that `p = Wp z`: the matrix itself, or with two layers the linear product `W2 W1`, which
    /// leaves out bias, normalisation and ReLU.
    pub fn matrix(&self) -> Tensor<2> {
        match self {
            Predictor::One(linear) => linear.weight().transpose(),
            Predictor::Two(layers) => layers.first.weight().matmul(layers.second.weight()).transpose(),
        }
    }

    /// Overwrites the matrix `[in, out]` of a one-layer predictor: `Wpᵀ`.
    ///
    /// # Panics
    /// With two layers, whose product no single matrix defines.
    pub fn set_weight(&mut self, weight: Tensor<2>) {
        match self {
            Predictor::One(linear) => linear.set_weight(weight),
            Predictor::Two(_) => panic!("only a one-layer predictor is one matrix"),
        }
    }

    /// Symmetry regularisation after an update. One layer: `W ← (W + Wᵀ)/2`. Two layers are tied:
    /// `A = (W1 + W2ᵀ)/2, W1 ← A, W2 ← Aᵀ`, which makes the product `Aᵀ A` symmetric and without negative eigenvalues.
    pub fn symmetrise(&mut self) {
        match self {
            Predictor::One(linear) => {
                let weight = linear.weight();
                linear.set_weight((weight.clone() + weight.transpose()) * 0.5);
            }
            Predictor::Two(layers) => {
                let tied = (layers.first.weight() + layers.second.weight().transpose()) * 0.5;
                layers.second.set_weight(tied.clone().transpose());
                layers.first.set_weight(tied);
            }
        }
    }
}
