//! ResNet-18 and ResNet-50 (He et al., 2016) with torchvision's layers, up to their last maps.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::nn::layers::conv::{ConvNorm, ConvShape, Pass, add_relu, max_pool_3x3};
use crate::nn::parameters::Initialiser;

/// Which of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Blocks of two 3×3 convolutions.
    Eighteen,
    /// Blocks of a 1×1, a 3×3 and a 1×1 convolution, the last of four times the channels; the 3×3 one strides.
    Fifty,
}

/// Convolutions of a block: inputs, outputs, side of the kernel, stride.
type Convolutions = Vec<(usize, usize, usize, usize)>;

impl Depth {
    /// Blocks of each of the four stages.
    pub fn stages(self) -> [usize; 4] {
        match self {
            Depth::Eighteen => [2, 2, 2, 2],
            Depth::Fifty => [3, 4, 6, 3],
        }
    }

    /// Channels of the last maps.
    pub fn features(self) -> usize {
        512 * self.widening()
    }

    fn widening(self) -> usize {
        if self == Depth::Fifty { 4 } else { 1 }
    }

    /// Every block: its convolutions, and the 1×1 convolution beside them where the size changes.
    fn blocks(self) -> Vec<(Convolutions, Convolutions)> {
        let mut inputs = 64;
        let mut blocks = Vec::new();
        for (stage, count) in self.stages().into_iter().enumerate() {
            let width = 64 << stage;
            let outputs = width * self.widening();
            for block in 0..count {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                let convolutions = match self {
                    Depth::Eighteen => vec![(inputs, width, 3, stride), (width, width, 3, 1)],
                    Depth::Fifty => vec![(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)],
                };
                let changes = stride != 1 || inputs != outputs;
                blocks.push((convolutions, if changes { vec![(inputs, outputs, 1, stride)] } else { Vec::new() }));
                inputs = outputs;
            }
        }
        blocks
    }

    /// Trained parameters without the last linear layer.
    pub fn parameters(self, channels: usize) -> u64 {
        let of = |&(inputs, outputs, kernel, _): &(usize, usize, usize, usize)| {
            (inputs * outputs * kernel * kernel + 2 * outputs) as u64
        };
        let blocks = self.blocks().into_iter();
        blocks.flat_map(|(inside, beside)| inside.into_iter().chain(beside)).map(|conv| of(&conv)).sum::<u64>()
            + of(&(channels, 64, 7, 2))
    }
}

/// `[B, C, H, W]` to `[B, features, H/32, W/32]`.
#[derive(Module, Debug)]
pub struct ResNet {
    stem: ConvNorm,
    blocks: Vec<Block>,
}

/// Convolutions beside the identity, or beside a 1×1 convolution where the size changes.
#[derive(Module, Debug)]
struct Block {
    convs: Vec<ConvNorm>,
    shortcut: Option<ConvNorm>,
}

impl ResNet {
    pub fn new(depth: Depth, channels: usize, init: &mut Initialiser<'_>) -> Self {
        let mut conv = |(inputs, outputs, kernel, stride): (usize, usize, usize, usize)| {
            ConvNorm::new(ConvShape::new(inputs, outputs, kernel).stride(stride), init)
        };
        let stem = conv((channels, 64, 7, 2));
        let blocks = depth.blocks().into_iter();
        let blocks = blocks.map(|(inside, beside)| Block {
            convs: inside.into_iter().map(&mut conv).collect(),
            shortcut: beside.into_iter().map(&mut conv).next(),
        });
        Self { stem, blocks: blocks.collect() }
    }

    pub fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        let x = max_pool_3x3(self.stem.relu(x, pass), true);
        self.blocks.iter_mut().fold(x, |x, block| block.forward(x, pass))
    }
}

impl Block {
    fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        let mut y = x.clone();
        let last = self.convs.len().saturating_sub(1);
        for (i, conv) in self.convs.iter_mut().enumerate() {
            y = if i == last { conv.forward(y, pass) } else { conv.relu(y, pass) };
        }
        let beside = match &mut self.shortcut {
            Some(conv) => conv.forward(x, pass),
            None => x,
        };
        add_relu(y, beside)
    }
}

/// Torchvision's name of the layer at a module's path: `blocks.2.convs.0.norm` is `layer2.0.bn1`, for ResNet-18.
pub(super) fn torch_layer(path: &str, depth: Depth) -> Option<String> {
    match path.split('.').collect::<Vec<_>>()[..] {
        ["stem", "conv"] => Some("conv1".to_owned()),
        ["stem", "norm"] => Some("bn1".to_owned()),
        ["blocks", block, ref rest @ ..] => {
            let mut block: usize = block.parse().ok()?;
            let stage = depth.stages().iter().position(|count| {
                let here = block < *count;
                block -= if here { 0 } else { *count };
                here
            })?;
            let within = match *rest {
                ["convs", i, kind] => {
                    let i: usize = i.parse().ok()?;
                    format!("{}{}", if kind == "conv" { "conv" } else { "bn" }, i + 1)
                }
                ["shortcut", kind] => format!("downsample.{}", usize::from(kind != "conv")),
                _ => return None,
            };
            Some(format!("layer{}.{block}.{within}", stage + 1))
        }
        _ => None,
    }
}
