//! From pictures to one vector each and to the vectors of their regions.

use burn::module::Module;
use burn::tensor::Tensor;

use super::layers::{constant, scaled_to_unit};
use super::resnet::{Depth, ResNet};
use super::spec::{Backbone, ImageSpec};
use crate::nn::encoders::heads::Linear;
use crate::nn::layers::conv::{Conv, ConvNorm, ConvShape, Pass};
use crate::nn::parameters::{Init, Initialiser};

/// One encoder with two heads. The local head is a 1×1 convolution over the last maps and two maps of coordinates, without which no
/// mean over the regions could tell left from right. The global head is linear on mean and maximum over the regions.
///
/// The regions of a ResNet are its last maps, 7×7 of 224 pixels, not the 14×14 of its third stage: so the local loss trains the
/// whole encoder, as a loss on several scales should, and attention has a quarter of the cells.
#[derive(Module, Debug)]
pub struct ImageEncoder {
    maps: Maps,
    local: Conv,
    global: Linear,
    #[module(skip)]
    channels: usize,
}

/// `[B, C, H, W]` to maps.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "one image encoder a network")]
enum Maps {
    Small(Vec<ConvNorm>),
    ResNet(ResNet),
}

/// What is known of B pictures.
#[derive(Debug, Clone)]
pub struct ImageVectors {
    /// `[B, d]`, of unit length.
    pub global: Tensor<2>,
    /// `[B, R, d]`, row by row of the map.
    pub regions: Tensor<3>,
    /// Height and width of the map of regions.
    pub grid: [usize; 2],
}

impl ImageEncoder {
    /// A ResNet's kernels start with variance 2/fan_in, everything else as PyTorch's layers do.
    pub fn new(spec: &ImageSpec, width: usize, init: &mut Initialiser<'_>) -> Self {
        let first = init.init;
        init.init = if spec.backbone == Backbone::Small { Init::Torch } else { Init::He };
        let maps = match spec.backbone {
            Backbone::Small => {
                let blocks = [(spec.channels, 12, 2), (12, 24, 2), (24, 48, 2), (48, 48, 1)];
                let block = |(i, o, stride)| ConvNorm::new(ConvShape::new(i, o, 3).stride(stride), init);
                Maps::Small(blocks.map(block).into())
            }
            Backbone::ResNet18 => Maps::ResNet(ResNet::new(Depth::Eighteen, spec.channels, init)),
            Backbone::ResNet50 => Maps::ResNet(ResNet::new(Depth::Fifty, spec.channels, init)),
        };
        init.init = first;
        Self {
            maps,
            local: Conv::new(ConvShape::new(spec.backbone.features() + 2, width, 1), true, init),
            global: Linear::new(2 * width, width, true, init),
            channels: spec.channels,
        }
    }

    /// Pictures `[B, C, H, W]` with numbers in [0, 1].
    pub fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> ImageVectors {
        let x = if x.dims()[1] == 1 && self.channels > 1 { x.repeat_dim(1, self.channels) } else { x };
        let maps = match &mut self.maps {
            Maps::Small(blocks) => blocks.iter_mut().fold(x, |x, block| block.relu(x, pass)),
            Maps::ResNet(net) => net.forward(x, pass),
        };
        let [pictures, _, height, width] = maps.dims();
        let local = self.local.forward(Tensor::cat(vec![maps.clone(), coordinates(&maps)], 1));
        let [_, d, ..] = local.dims();
        let local = local.reshape([pictures, d, height * width]);
        let (mean, most) = (local.clone().mean_dim(2), local.clone().max_dim(2));
        let both = Tensor::cat(vec![mean, most], 1).reshape([pictures, 2 * d]);
        ImageVectors {
            global: scaled_to_unit(self.global.forward(both)),
            regions: local.swap_dims(1, 2),
            grid: [height, width],
        }
    }
}

/// How far down and how far to the right every place of maps lies, from −1 to 1: `[B, 2, H, W]`.
fn coordinates(maps: &Tensor<4>) -> Tensor<4> {
    let [pictures, _, height, width] = maps.dims();
    let along = |i: usize, side: usize| if side > 1 { 2.0 * i as f32 / (side - 1) as f32 - 1.0 } else { 0.0 };
    let down = (0..height * width).map(|at| along(at / width, height));
    let right = (0..height * width).map(|at| along(at % width, width));
    let one: Vec<f32> = down.chain(right).collect();
    constant(one.repeat(pictures), [pictures, 2, height, width], maps)
}
