//! Batch normalisation whose statistics can be taken per view of a batch.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::module::{batch_norm, batch_norm_train};

use crate::nn::cpu::ops;
use crate::nn::parameters::Initialiser;

/// `(x − mean) / √(variance + ε) · γ + β` per channel (Ioffe and Szegedy, 2015); γ and β are optional.
#[derive(Module, Debug)]
pub struct Norm {
    gamma: Option<Param<Tensor<1>>>,
    beta: Option<Param<Tensor<1>>>,
    /// Constants where the layer has no γ and β.
    #[module(skip)]
    ones_zeros: Option<(Tensor<1>, Tensor<1>)>,
    running_mean: Param<Tensor<1>>,
    /// Unbiased, as in PyTorch.
    running_var: Param<Tensor<1>>,
    #[module(skip)]
    epsilon: f64,
}

/// Added to the variance unless told otherwise.
const EPSILON: f64 = 1e-5;
/// Weight of a new batch in the running statistics.
const MOMENTUM: f64 = 0.1;

impl Norm {
    /// `affine`: with γ = 1 and β = 0 to be learned.
    pub fn new(channels: usize, affine: bool, init: &Initialiser<'_>) -> Self {
        let (one, zero) = (init.constant(channels, 1.0), init.constant(channels, 0.0));
        Self {
            ones_zeros: (!affine).then(|| (one.val(), zero.val())),
            running_mean: init.constant(channels, 0.0),
            running_var: init.constant(channels, 1.0),
            gamma: affine.then_some(one),
            beta: affine.then_some(zero),
            epsilon: EPSILON,
        }
    }

    /// With another ε.
    pub fn epsilon(self, epsilon: f64) -> Self {
        Self { epsilon, ..self }
    }

    /// γ and β, `[C]` each.
    fn affine(&self) -> (Tensor<1>, Tensor<1>) {
        match (&self.gamma, &self.beta, &self.ones_zeros) {
            (Some(gamma), Some(beta), _) => (gamma.val(), beta.val()),
            (_, _, Some((one, zero))) => (one.clone(), zero.clone()),
            _ => unreachable!("a layer has γ and β or constants in their place"),
        }
    }

    /// With the statistics of this batch, and updates the running ones. `[V·B, C, ..]` with `views` V: row `b·V + v` is
    /// view v of image b, and every view is normalised by its own statistics, exactly as V separate passes would be.
    pub fn forward<const D: usize>(&mut self, x: Tensor<D>, views: usize) -> Tensor<D> {
        let (gamma, beta) = self.affine();
        let shape = x.dims();
        // The views of an image lie side by side, so that they can be taken as channels without moving a number.
        let mut folded = shape;
        folded[0] /= views;
        folded[1] *= views;
        let normalised = batch_norm_train(x.reshape(folded), tile(gamma, views), tile(beta, views), self.epsilon);
        let (mean, variance) = (normalised.mean.inner(), normalised.variance.inner());
        self.remember(&mean, &variance, folded[0] * folded[2..].iter().product::<usize>(), views);
        normalised.output.reshape(shape)
    }

    /// Blends the statistics `[V·C]` of a batch of `count` numbers a channel and view into the running ones.
    fn remember(&mut self, mean: &Tensor<1>, variance: &Tensor<1>, count: usize, views: usize) {
        let (channels, unbiased) = (mean.dims()[0] / views, unbiased(count));
        for view in 0..views {
            let part = view * channels..(view + 1) * channels;
            blend(&mut self.running_mean, mean.clone().slice([part.clone()]));
            blend(&mut self.running_var, variance.clone().slice([part]) * unbiased);
        }
    }

    /// [`Norm::forward`] with a ReLU behind it where `relu`, in few passes; `None` where the tensor is not on the CPU backend.
    pub fn forward_on_cpu(&mut self, x: &Tensor<4>, views: usize, relu: bool) -> Option<Tensor<4>> {
        let (gamma, beta) = self.affine();
        let shape = x.dims();
        let [rows, channels, height, width] = shape;
        let folded = x.clone().reshape([rows / views, views * channels, height, width]);
        let normalised = ops::normalise(&folded, &tile(gamma, views), &tile(beta, views), self.epsilon, relu)?;
        self.remember(&normalised.mean, &normalised.variance, rows / views * height * width, views);
        Some(normalised.output.reshape(shape))
    }

    /// [`Norm::infer`] without gradients, with a ReLU behind it where `relu`; `None` where the tensor is not on the CPU
    /// backend or has gradients.
    pub fn infer_on_cpu(&self, x: &Tensor<4>, relu: bool) -> Option<Tensor<4>> {
        let (gamma, beta) = self.affine();
        let by = [&gamma, &beta, &self.running_mean.val(), &self.running_var.val()];
        ops::normalise_by(x, by, self.epsilon, relu)
    }

    /// With the running statistics, which are constants of the graph where there is one.
    pub fn infer<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let (gamma, beta) = self.affine();
        let [mean, variance] = [&self.running_mean, &self.running_var]
            .map(|statistic| if x.is_autodiff() { statistic.val().autodiff() } else { statistic.val() });
        batch_norm(x, gamma, beta, mean, variance, self.epsilon)
    }
}

/// `[C]` to `[V·C]`.
fn tile(t: Tensor<1>, views: usize) -> Tensor<1> {
    if views == 1 { t } else { Tensor::cat(vec![t; views], 0) }
}

/// By what the biased variance of so many numbers is multiplied.
fn unbiased(count: usize) -> f64 {
    if count > 1 { count as f64 / (count - 1) as f64 } else { 1.0 }
}

fn blend(running: &mut Param<Tensor<1>>, batch: Tensor<1>) {
    *running = Param::initialized(running.id, running.val() * (1.0 - MOMENTUM) + batch * MOMENTUM);
}
