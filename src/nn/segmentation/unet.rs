//! U-net, Light U-net and Lighter U-net @C ("Lightweight U-Net for Lesion Segmentation in Ultrasound Images", ISBI
//! 2021): five levels down, four up, each one block of two stages; every convolution has a bias. The public U-net with
//! transposed convolutions is built here too.
//!
//! Letters: N pictures, C channels, H height, W width.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::ops::PadMode;

use super::spec::{NetSpec, Stage, UNetBlock, group_size};
use crate::nn::layers::conv::{Conv, ConvShape, Deconv, Pass, dropout, max_pool, normalise, resize};
use crate::nn::layers::norm::Norm;
use crate::nn::parameters::Initialiser;

/// Probability with which a number of the deepest level is dropped while training.
const DROPOUT: f64 = 0.5;

/// `[N, C, H, W]` to logits `[N, 1, H, W]`.
#[derive(Module, Debug)]
pub struct UNet {
    e0: Block,
    e1: Block,
    e2: Block,
    e3: Block,
    e4: Block,
    d3: Block,
    d2: Block,
    d1: Block,
    d0: Block,
    /// Before `d3` to `d0`; empty where upsampling is bilinear.
    ups: Vec<Deconv>,
    head: Conv,
}

/// Two stages.
#[derive(Module, Debug)]
struct Block {
    first: ConvStage,
    second: ConvStage,
}

/// A convolution, or one in groups and a 1×1 convolution; then batch normalisation and a ReLU.
#[derive(Module, Debug)]
struct ConvStage {
    spatial: Conv,
    point: Option<Conv>,
    norm: Norm,
}

impl UNet {
    /// A network of a spec that was [checked](NetSpec::check); both stages are full where it is of another family.
    pub fn new(spec: &NetSpec, init: &mut Initialiser<'_>) -> Self {
        let stages = spec.architecture.stages().unwrap_or([Stage::Full; 2]);
        let [e0, e1, e2, e3, e4, d3, d2, d1, d0] = spec.unet_blocks().map(|block| Block::new(&block, stages, init));
        let ups =
            spec.upsampling().into_iter().map(|[inputs, outputs]| Deconv::of_two(inputs, outputs, init)).collect();
        let head = Conv::new(ConvShape::new(spec.base, spec.outputs, 1), true, init);
        Self { e0, e1, e2, e3, e4, d3, d2, d1, d0, ups, head }
    }

    /// Logits.
    pub fn forward(&mut self, x: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<4> {
        let e0 = self.e0.forward(x, pass);
        let e1 = self.e1.forward(max_pool(e0.clone()), pass);
        let e2 = self.e2.forward(max_pool(e1.clone()), pass);
        let e3 = self.e3.forward(max_pool(e2.clone()), pass);
        let e4 = self.e4.forward(max_pool(e3.clone()), pass);
        let e4 = dropout(e4, DROPOUT, pass);
        let y = self.d3.forward(join(e3, e4, self.ups.first()), pass);
        let y = self.d2.forward(join(e2, y, self.ups.get(1)), pass);
        let y = self.d1.forward(join(e1, y, self.ups.get(2)), pass);
        let y = self.d0.forward(join(e0, y, self.ups.get(3)), pass);
        self.head.forward(y)
    }
}

/// The skip's channels, then those of the level below at twice its size (bilinear, or by `up`); where an odd side was
/// halved, zeros fill up.
fn join(skip: Tensor<4>, below: Tensor<4>, up: Option<&Deconv>) -> Tensor<4> {
    let [_, _, height, width] = below.dims();
    let up = match up {
        Some(up) => up.forward(below),
        None => resize(below, [2 * height, 2 * width]),
    };
    let [_, _, to_height, to_width] = skip.dims();
    let (dy, dx) = (to_height - 2 * height, to_width - 2 * width);
    let up = if dy + dx == 0 { up } else { up.pad((dx / 2, dx - dx / 2, dy / 2, dy - dy / 2), PadMode::Constant(0.0)) };
    Tensor::cat(vec![skip, up], 1)
}

impl Block {
    fn new(block: &UNetBlock, stages: [Stage; 2], init: &mut Initialiser<'_>) -> Self {
        Self {
            first: ConvStage::new(block.inputs, block.middle, stages[0], init),
            second: ConvStage::new(block.middle, block.outputs, stages[1], init),
        }
    }

    fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        let x = self.first.forward(x, pass);
        self.second.forward(x, pass)
    }
}

impl ConvStage {
    fn new(inputs: usize, outputs: usize, stage: Stage, init: &mut Initialiser<'_>) -> Self {
        let (spatial, point) = match stage {
            Stage::Full => (Conv::new(ConvShape::new(inputs, outputs, 3), true, init), None),
            Stage::Group(group) => {
                let groups = inputs / group_size(inputs, group);
                let spatial = Conv::new(ConvShape::new(inputs, inputs, 3).groups(groups), true, init);
                (spatial, Some(Conv::new(ConvShape::new(inputs, outputs, 1), true, init)))
            }
        };
        Self { spatial, point, norm: Norm::new(outputs, true, init) }
    }

    fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        let x = self.spatial.forward(x);
        let x = match &self.point {
            Some(point) => point.forward(x),
            None => x,
        };
        normalise(&mut self.norm, x, true, pass)
    }
}
