//! ResNet-18 (He et al., 2016): a stem, then four stages of two basic blocks with 64, 128, 256 and 512 channels, the last three
//! opening with stride 2. The stem is that of 32×32 images, 3×3 of stride 1 without max-pooling, or the article's.

use burn::module::Module;
use burn::tensor::Tensor;

use super::conv_encoder::{ConvNorm, pool};
use crate::nn::layers::conv::{add_relu, max_pool_3x3};
use crate::nn::parameters::Initialiser;

/// Channels of the first stage in the article; the features are eight times as many.
pub const RESNET_WIDTH: usize = 64;

/// What comes before the first stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stem {
    /// 3×3 of stride 1: maps are as large as pictures.
    Small,
    /// The article's and torchvision's, for ImageNet: 7×7 of stride 2, then the largest of 3×3 at every second place: maps of a
    /// quarter of the side.
    ImageNet,
}

/// `[N, C, H, W]` to `[N, 8 · width]`.
#[derive(Module, Debug)]
pub struct ResNet18 {
    stem: ConvNorm,
    blocks: Vec<BasicBlock>,
    #[module(skip)]
    pooled: bool,
}

/// Two 3×3 convolutions beside the identity, or beside a 1×1 convolution where the size changes.
#[derive(Module, Debug)]
struct BasicBlock {
    first: ConvNorm,
    second: ConvNorm,
    shortcut: Option<ConvNorm>,
}

impl ResNet18 {
    /// `width`: channels of the first stage, 64 in the article.
    pub fn new(channels: usize, width: usize, stem: Stem, init: &mut Initialiser<'_>) -> Self {
        let pooled = stem == Stem::ImageNet;
        let (kernel, stride) = if pooled { (7, 2) } else { (3, 1) };
        let stem = ConvNorm::new(channels, width, kernel, stride, init);
        let mut inputs = width;
        let mut blocks = Vec::new();
        for (outputs, stride) in [(width, 1), (2 * width, 2), (4 * width, 2), (8 * width, 2)] {
            for stride in [stride, 1] {
                blocks.push(BasicBlock::new(inputs, outputs, stride, init));
                inputs = outputs;
            }
        }
        Self { stem, blocks, pooled }
    }

    fn pool_stem(&self, x: Tensor<4>) -> Tensor<4> {
        if self.pooled { max_pool_3x3(x, true) } else { x }
    }

    pub fn forward(&mut self, x: Tensor<4>, views: usize) -> Tensor<2> {
        let x = self.stem.forward(x, views, true);
        let x = self.pool_stem(x);
        pool(self.blocks.iter_mut().fold(x, |x, block| block.forward(x, views)))
    }

    pub fn infer(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.pool_stem(self.stem.infer(x, true));
        pool(self.blocks.iter().fold(x, |x, block| block.infer(x)))
    }
}

impl BasicBlock {
    fn new(inputs: usize, outputs: usize, stride: usize, init: &mut Initialiser<'_>) -> Self {
        Self {
            first: ConvNorm::new(inputs, outputs, 3, stride, init),
            second: ConvNorm::new(outputs, outputs, 3, 1, init),
            shortcut: (stride != 1 || inputs != outputs).then(|| ConvNorm::new(inputs, outputs, 1, stride, init)),
        }
    }

    fn forward(&mut self, x: Tensor<4>, views: usize) -> Tensor<4> {
        let y = self.first.forward(x.clone(), views, true);
        let y = self.second.forward(y, views, false);
        let shortcut = match &mut self.shortcut {
            Some(conv) => conv.forward(x, views, false),
            None => x,
        };
        add_relu(y, shortcut)
    }

    fn infer(&self, x: Tensor<4>) -> Tensor<4> {
        let y = self.second.infer(self.first.infer(x.clone(), true), false);
        let shortcut = self.shortcut.as_ref().map_or_else(|| x.clone(), |conv| conv.infer(x.clone(), false));
        add_relu(y, shortcut)
    }
}
