//! The feature extractors of DeepLab v3+ at output stride 16. Each gives its features at 1/16 of the size and low-level
//! ones at 1/4.

use burn::module::Module;
use burn::tensor::ops::PadMode;
use burn::tensor::{Tensor, activation};

use super::plan::{InvertedBlock, RESNET101_BLOCKS, XCEPTION_EXIT, XceptionBlock, mobilenet_blocks, xception_blocks};
use crate::nn::layers::conv::{Conv, ConvNorm, ConvShape, Pass, add_relu, max_pool_3x3, normalise};
use crate::nn::layers::norm::Norm;
use crate::nn::parameters::Initialiser;

/// Features and low-level features.
type Features = (Tensor<4>, Tensor<4>);

/// ResNet-101 (He et al., 2016) whose last stage is spread instead of halved, with dilations 2, 4 and 8: 2048 and 256
/// channels.
#[derive(Module, Debug)]
pub struct ResNet101 {
    stem: ConvNorm,
    blocks: Vec<Bottleneck>,
}

#[derive(Module, Debug)]
struct Bottleneck {
    reduce: ConvNorm,
    spatial: ConvNorm,
    widen: ConvNorm,
    shortcut: Option<ConvNorm>,
}

impl ResNet101 {
    pub fn new(channels: usize, init: &mut Initialiser<'_>) -> Self {
        let stem = ConvNorm::new(ConvShape::new(channels, 64, 7).stride(2), init);
        let mut blocks = Vec::new();
        let mut inputs = 64;
        for (stage, count) in RESNET101_BLOCKS.into_iter().enumerate() {
            let planes = 64 << stage;
            for block in 0..count {
                let stride = if block == 0 && (stage == 1 || stage == 2) { 2 } else { 1 };
                let dilation = if stage == 3 { 2 << block } else { 1 };
                blocks.push(Bottleneck {
                    reduce: ConvNorm::new(ConvShape::new(inputs, planes, 1), init),
                    spatial: ConvNorm::new(ConvShape::new(planes, planes, 3).stride(stride).dilation(dilation), init),
                    widen: ConvNorm::new(ConvShape::new(planes, 4 * planes, 1), init),
                    shortcut: (block == 0)
                        .then(|| ConvNorm::new(ConvShape::new(inputs, 4 * planes, 1).stride(stride), init)),
                });
                inputs = 4 * planes;
            }
        }
        Self { stem, blocks }
    }

    pub fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Features {
        let mut x = max_pool_3x3(self.stem.relu(x, pass), true);
        let mut low = x.clone();
        for (i, block) in self.blocks.iter_mut().enumerate() {
            x = block.forward(x, pass);
            if i + 1 == RESNET101_BLOCKS[0] {
                low = x.clone();
            }
        }
        (x, low)
    }
}

impl Bottleneck {
    fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        let y = self.reduce.relu(x.clone(), pass);
        let y = self.spatial.relu(y, pass);
        let y = self.widen.forward(y, pass);
        let x = match &mut self.shortcut {
            Some(conv) => conv.forward(x, pass),
            None => x,
        };
        add_relu(y, x)
    }
}

/// The aligned Xception (Chollet, 2017; Chen et al., 2018): 2048 and 128 channels.
#[derive(Module, Debug)]
pub struct Xception {
    stem: Vec<ConvNorm>,
    blocks: Vec<Separables>,
    exit: Vec<Separable>,
}

/// A depthwise convolution with normalisation, a 1×1 convolution with normalisation.
#[derive(Module, Debug)]
struct Separable {
    depthwise: ConvNorm,
    point: Conv,
    norm: Norm,
}

/// Three separable convolutions beside the identity or a 1×1 convolution.
#[derive(Module, Debug)]
struct Separables {
    convs: Vec<Separable>,
    skip: Option<ConvNorm>,
    #[module(skip)]
    relu_first: bool,
}

impl Xception {
    pub fn new(channels: usize, init: &mut Initialiser<'_>) -> Self {
        let stem = vec![
            ConvNorm::new(ConvShape::new(channels, 32, 3).stride(2), init),
            ConvNorm::new(ConvShape::new(32, 64, 3), init),
        ];
        let blocks = xception_blocks().iter().map(|block| Separables::new(block, init)).collect();
        let exit = XCEPTION_EXIT.map(|(inputs, outputs)| Separable::new(inputs, outputs, 1, 2, init)).into();
        Self { stem, blocks, exit }
    }

    pub fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Features {
        let x = self.stem.iter_mut().fold(x, |x, conv| conv.relu(x, pass));
        let mut low = x.clone();
        let mut x = x;
        for (i, block) in self.blocks.iter_mut().enumerate() {
            x = block.forward(x, pass);
            if i == 0 {
                x = activation::relu(x);
                low = x.clone();
            }
        }
        let x = activation::relu(x);
        let x = self.exit.iter_mut().fold(x, |x, conv| activation::relu(conv.forward(x, pass)));
        (x, low)
    }
}

impl Separable {
    fn new(inputs: usize, outputs: usize, stride: usize, dilation: usize, init: &mut Initialiser<'_>) -> Self {
        let depthwise = ConvShape::new(inputs, inputs, 3).groups(inputs).stride(stride).dilation(dilation);
        Self {
            depthwise: ConvNorm::new(depthwise, init),
            point: Conv::new(ConvShape::new(inputs, outputs, 1), false, init),
            norm: Norm::new(outputs, true, init),
        }
    }

    fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        let x = self.depthwise.forward(x, pass);
        normalise(&mut self.norm, self.point.forward(x), false, pass)
    }
}

impl Separables {
    fn new(block: &XceptionBlock, init: &mut Initialiser<'_>) -> Self {
        let strides = block.convs.iter().map(|(_, _, stride)| stride).product();
        let convs = block.convs.map(|(inputs, outputs, stride)| Separable::new(inputs, outputs, stride, 1, init));
        let skip = (block.inputs != block.outputs || strides != 1)
            .then(|| ConvNorm::new(ConvShape::new(block.inputs, block.outputs, 1).stride(strides), init));
        Self { convs: convs.into(), skip, relu_first: block.relu_first }
    }

    fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        // The public code's ReLU works in place, so that the skip sees the rectified map as well.
        let x = if self.relu_first { activation::relu(x) } else { x };
        let mut y = x.clone();
        for (i, conv) in self.convs.iter_mut().enumerate() {
            y = conv.forward(if i == 0 { y } else { activation::relu(y) }, pass);
        }
        match &mut self.skip {
            Some(skip) => y + skip.forward(x, pass),
            None => y + x,
        }
    }
}

/// MobileNetV2 (Sandler et al., 2018): 320 and 24 channels.
#[derive(Module, Debug)]
pub struct MobileNetV2 {
    stem: ConvNorm,
    blocks: Vec<InvertedResidual>,
}

#[derive(Module, Debug)]
struct InvertedResidual {
    widen: Option<ConvNorm>,
    depthwise: ConvNorm,
    narrow: ConvNorm,
    #[module(skip)]
    padding: usize,
    #[module(skip)]
    adds: bool,
}

/// Which block's output is the low-level one.
const MOBILENET_LOW: usize = 2;

impl MobileNetV2 {
    pub fn new(channels: usize, init: &mut Initialiser<'_>) -> Self {
        let stem = ConvNorm::new(ConvShape::new(channels, 32, 3).stride(2), init);
        let blocks = mobilenet_blocks().iter().map(|block| InvertedResidual::new(block, init)).collect();
        Self { stem, blocks }
    }

    pub fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Features {
        let mut x = relu6(self.stem.forward(x, pass));
        let mut low = x.clone();
        for (i, block) in self.blocks.iter_mut().enumerate() {
            x = block.forward(x, pass);
            if i == MOBILENET_LOW {
                low = x.clone();
            }
        }
        (x, low)
    }
}

impl InvertedResidual {
    fn new(block: &InvertedBlock, init: &mut Initialiser<'_>) -> Self {
        let hidden = block.inputs * block.expansion;
        let depthwise =
            ConvShape::new(hidden, hidden, 3).groups(hidden).stride(block.stride).dilation(block.dilation).unpadded();
        Self {
            widen: (block.expansion != 1).then(|| ConvNorm::new(ConvShape::new(block.inputs, hidden, 1), init)),
            depthwise: ConvNorm::new(depthwise, init),
            narrow: ConvNorm::new(ConvShape::new(hidden, block.outputs, 1), init),
            padding: block.dilation,
            adds: block.stride == 1 && block.inputs == block.outputs,
        }
    }

    fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        // As in the public code, the border is added before the map is widened.
        let p = self.padding;
        let y = x.clone().pad((p, p, p, p), PadMode::Constant(0.0));
        let y = match &mut self.widen {
            Some(conv) => relu6(conv.forward(y, pass)),
            None => y,
        };
        let y = relu6(self.depthwise.forward(y, pass));
        let y = self.narrow.forward(y, pass);
        if self.adds { y + x } else { y }
    }
}

fn relu6(x: Tensor<4>) -> Tensor<4> {
    x.clamp(0.0, 6.0)
}
