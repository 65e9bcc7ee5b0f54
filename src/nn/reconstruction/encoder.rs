//! From pictures to codes: the convolutions of AECL1, or ResNet-18 or InceptionV3 without their last layer.

use burn::module::Module;
use burn::tensor::{Tensor, activation};

use super::inception::InceptionEncoder;
use super::pooled;
use super::spec::{Family, NetSpec, RESNET_FEATURES, Stage};
use crate::nn::layers::conv::{Conv, ConvNorm, ConvShape, Pass, add_relu, max_pool, max_pool_3x3, normalise};
use crate::nn::layers::norm::Norm;
use crate::nn::parameters::Initialiser;

/// `[N, 3, S, S]` to the code `[N, C, h, w]`.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "one encoder a network")]
pub enum Encoder {
    /// E of AECL1.
    Plain(PlainEncoder),
    /// E of AERes18.
    ResNet(ResNetEncoder),
    /// InceptionV3's.
    Inception(InceptionEncoder),
}

impl Encoder {
    pub fn new(spec: &NetSpec, init: &mut Initialiser<'_>) -> Self {
        match spec.family {
            Family::Aecl1 { .. } => Encoder::Plain(PlainEncoder::new(&spec.stages(), init)),
            Family::AeRes18 | Family::ResNet18 => Encoder::ResNet(ResNetEncoder::new(spec.large_stem(), init)),
            Family::InceptionV3 => Encoder::Inception(InceptionEncoder::new(init)),
        }
    }

    pub fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        self.forward_from(0, x, pass)
    }

    /// Number of layers (AECL1), or of blocks with what is before them (the others).
    pub fn layers(&self) -> usize {
        match self {
            Encoder::Plain(encoder) => encoder.stages.len(),
            Encoder::ResNet(encoder) => 1 + encoder.blocks.len(),
            Encoder::Inception(encoder) => encoder.layers(),
        }
    }

    /// Layer `i`, the first is 0: from the maps `[N, C, H, W]` before it to those behind it.
    pub fn layer(&mut self, i: usize, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        match self {
            Encoder::Plain(encoder) => encoder.stages[i].forward(x, pass),
            Encoder::ResNet(encoder) if i == 0 => encoder.stem(x, pass),
            Encoder::ResNet(encoder) => encoder.blocks[i - 1].forward(x, pass),
            Encoder::Inception(encoder) => encoder.layer(i, x, pass),
        }
    }

    /// From the maps before layer `first` to the code.
    pub fn forward_from(&mut self, first: usize, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        let last = (first..self.layers()).fold(x, |x, i| self.layer(i, x, pass));
        match self {
            Encoder::Plain(_) => last,
            Encoder::ResNet(_) | Encoder::Inception(_) => {
                let [pictures, channels, ..] = last.dims();
                pooled(last).reshape([pictures, channels, 1, 1])
            }
        }
    }

    /// The kernels `[out, in, 3, 3]` of AECL1, which a decoder with tied weights uses too; none of the others.
    pub fn kernels(&self) -> Vec<Tensor<4>> {
        match self {
            Encoder::Plain(encoder) => encoder.stages.iter().map(|stage| stage.conv.weight()).collect(),
            Encoder::ResNet(_) | Encoder::Inception(_) => Vec::new(),
        }
    }
}

/// Each stage: 3×3 convolution, max-pooling where it halves, ReLU, batch normalisation. ReLU and max-pooling may change places;
/// in this order there is a quarter to do.
#[derive(Module, Debug)]
pub struct PlainEncoder {
    stages: Vec<PlainStage>,
}

#[derive(Module, Debug)]
struct PlainStage {
    conv: Conv,
    norm: Norm,
    #[module(skip)]
    halves: bool,
}

impl PlainEncoder {
    fn new(stages: &[Stage], init: &mut Initialiser<'_>) -> Self {
        let mut inputs = 3;
        let stages = stages
            .iter()
            .map(|stage| {
                let conv = Conv::new(ConvShape::new(inputs, stage.channels, 3), true, init);
                inputs = stage.channels;
                PlainStage { conv, norm: Norm::new(stage.channels, true, init), halves: stage.halves }
            })
            .collect();
        Self { stages }
    }
}

impl PlainStage {
    fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        let mut y = self.conv.forward(x);
        if self.halves {
            y = max_pool(y);
        }
        normalise(&mut self.norm, activation::relu(y), false, pass)
    }
}

/// ResNet-18 (He et al., 2016) as torchvision has it, up to its last maps. For pictures of at most 128 pixels the stem is 3×3
/// of stride 1 without max-pooling.
#[derive(Module, Debug)]
pub struct ResNetEncoder {
    stem: ConvNorm,
    blocks: Vec<BasicBlock>,
    #[module(skip)]
    large: bool,
}

/// Two 3×3 convolutions beside the identity, or beside a 1×1 convolution where the size changes.
#[derive(Module, Debug)]
struct BasicBlock {
    first: ConvNorm,
    second: ConvNorm,
    shortcut: Option<ConvNorm>,
}

impl ResNetEncoder {
    fn new(large: bool, init: &mut Initialiser<'_>) -> Self {
        let shape = if large { ConvShape::new(3, 64, 7).stride(2) } else { ConvShape::new(3, 64, 3) };
        let stem = ConvNorm::new(shape, init);
        let mut inputs = 64;
        let mut blocks = Vec::new();
        for (outputs, stride) in [(64, 1), (128, 2), (256, 2), (RESNET_FEATURES, 2)] {
            for stride in [stride, 1] {
                let changes = stride != 1 || inputs != outputs;
                blocks.push(BasicBlock {
                    first: ConvNorm::new(ConvShape::new(inputs, outputs, 3).stride(stride), init),
                    second: ConvNorm::new(ConvShape::new(outputs, outputs, 3), init),
                    shortcut: changes.then(|| ConvNorm::new(ConvShape::new(inputs, outputs, 1).stride(stride), init)),
                });
                inputs = outputs;
            }
        }
        Self { stem, blocks, large }
    }

    fn stem(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        let x = self.stem.relu(x, pass);
        if self.large { max_pool_3x3(x, true) } else { x }
    }
}

impl BasicBlock {
    fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        let y = self.first.relu(x.clone(), pass);
        let y = self.second.forward(y, pass);
        let shortcut = match &mut self.shortcut {
            Some(conv) => conv.forward(x, pass),
            None => x,
        };
        add_relu(y, shortcut)
    }
}
