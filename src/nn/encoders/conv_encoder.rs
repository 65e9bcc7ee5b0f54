//! The small convolutional encoder of the generated images, and the layers that encoders are made of.
//!
//! Letters: N images (V views of B, see [`Norm::forward`]), C channels, H height, W width.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;

use crate::nn::layers::conv;
use crate::nn::layers::norm::Norm;
use crate::nn::parameters::Initialiser;

/// A convolution without bias, followed by batch normalisation with statistics for each view.
///
/// Apart from [`layers::conv::ConvNorm`](crate::nn::layers::conv::ConvNorm), since checkpoints know its kernel as `weight`, not
/// `conv.weight`.
#[derive(Module, Debug)]
pub struct ConvNorm {
    /// `[out, in, k, k]`
    weight: Param<Tensor<4>>,
    norm: Norm,
    #[module(skip)]
    stride: usize,
}

impl ConvNorm {
    /// `kernel` is odd; the padding keeps the size at stride 1.
    pub fn new(inputs: usize, outputs: usize, kernel: usize, stride: usize, init: &mut Initialiser<'_>) -> Self {
        let area = kernel * kernel;
        Self {
            weight: init.weight([outputs, inputs, kernel, kernel], inputs * area, outputs * area),
            norm: Norm::new(outputs, true, init),
            stride,
        }
    }

    fn convolve(&self, x: Tensor<4>) -> Tensor<4> {
        let weight = self.weight.val();
        let padding = weight.dims()[2] / 2;
        conv::convolve(x, weight, None, ConvOptions::new([self.stride; 2], [padding; 2], [1, 1], 1))
    }

    /// With batch statistics, `views` as in [`Norm::forward`], and a ReLU behind it where `relu`.
    pub fn forward(&mut self, x: Tensor<4>, views: usize, relu: bool) -> Tensor<4> {
        let y = self.convolve(x);
        conv::normalise_views(&mut self.norm, y, views, relu)
    }

    /// With running statistics, and a ReLU behind it where `relu`.
    pub fn infer(&self, x: Tensor<4>, relu: bool) -> Tensor<4> {
        conv::normalise_as_known(&self.norm, self.convolve(x), relu)
    }
}

/// Three 3×3 convolutions of 16, 32 and 64 channels (strides 2, 2, 1), each with batch normalisation and ReLU, then the
/// mean over all places: `[N, C, H, W]` to `[N, 64]`.
#[derive(Module, Debug)]
pub struct ConvEncoder {
    blocks: Vec<ConvNorm>,
}

/// Length of its features.
pub const CONV_FEATURES: usize = 64;

impl ConvEncoder {
    pub fn new(channels: usize, init: &mut Initialiser<'_>) -> Self {
        let blocks = [(channels, 16, 2), (16, 32, 2), (32, CONV_FEATURES, 1)];
        Self { blocks: blocks.map(|(i, o, stride)| ConvNorm::new(i, o, 3, stride, init)).into() }
    }

    pub fn forward(&mut self, x: Tensor<4>, views: usize) -> Tensor<2> {
        pool(self.blocks.iter_mut().fold(x, |x, block| block.forward(x, views, true)))
    }

    pub fn infer(&self, x: Tensor<4>) -> Tensor<2> {
        pool(self.blocks.iter().fold(x, |x, block| block.infer(x, true)))
    }
}

/// Mean over height and width: `[N, C, H, W]` to `[N, C]`.
pub fn pool(x: Tensor<4>) -> Tensor<2> {
    let [images, channels, height, width] = x.dims();
    x.reshape([images, channels, height * width]).mean_dim(2).reshape([images, channels])
}
