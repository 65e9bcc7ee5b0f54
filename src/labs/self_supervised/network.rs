//! The two networks: online with its predictor, and the target.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::compute::readback::ReadError;
use crate::compute::streams::{self, Stream};
use crate::engine::params::Params;
use crate::labs::self_supervised::params::ENCODER;
use crate::nn::encoders::conv_encoder::{CONV_FEATURES, ConvEncoder};
use crate::nn::encoders::heads::{Predictor, TwoLayer};
use crate::nn::encoders::resnet::{RESNET_WIDTH, ResNet18};
use crate::nn::materialise;
use crate::nn::parameters::{Init, Initialiser};

/// Which networks to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Channels of a picture.
    pub channels: usize,
    pub encoder: EncoderKind,
    pub two_layers: bool,
    pub init: Init,
    /// The target starts from other weights than the online network.
    pub independent_target: bool,
}

/// The encoders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncoderKind {
    Small,
    /// A quarter of ResNet-18's channels, so a sixteenth of its work.
    ResNet18Quarter,
    ResNet18,
}

impl EncoderKind {
    /// The one that these parameters ask for.
    pub fn of(params: &Params) -> Self {
        ENCODER.of(params)
    }

    /// Length of the features that kNN and the linear probe see.
    pub fn features(self) -> usize {
        match self {
            EncoderKind::Small => CONV_FEATURES,
            EncoderKind::ResNet18Quarter => 8 * (RESNET_WIDTH / 4),
            EncoderKind::ResNet18 => 8 * RESNET_WIDTH,
        }
    }

    /// Width of the middle of projector and two-layer predictor.
    pub fn hidden(self) -> usize {
        match self {
            EncoderKind::Small => 128,
            EncoderKind::ResNet18Quarter => 256,
            EncoderKind::ResNet18 => 512,
        }
    }

    /// d: length of the projector's output.
    pub fn embedding(self) -> usize {
        match self {
            EncoderKind::Small | EncoderKind::ResNet18Quarter => 64,
            EncoderKind::ResNet18 => 128,
        }
    }
}

/// Pictures `[N, C, H, W]` to features `[N, f]`.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "one encoder a branch")]
pub enum Encoder {
    Small(ConvEncoder),
    ResNet18(ResNet18),
}

impl Encoder {
    fn new(shape: &Shape, init: &mut Initialiser<'_>) -> Self {
        match shape.encoder {
            EncoderKind::Small => Encoder::Small(ConvEncoder::new(shape.channels, init)),
            EncoderKind::ResNet18Quarter => Encoder::ResNet18(ResNet18::new(shape.channels, RESNET_WIDTH / 4, init)),
            EncoderKind::ResNet18 => Encoder::ResNet18(ResNet18::new(shape.channels, RESNET_WIDTH, init)),
        }
    }

    fn forward(&mut self, x: Tensor<4>, views: usize) -> Tensor<2> {
        match self {
            Encoder::Small(encoder) => encoder.forward(x, views),
            Encoder::ResNet18(encoder) => encoder.forward(x, views),
        }
    }

    /// With running statistics.
    pub fn infer(&self, x: Tensor<4>) -> Tensor<2> {
        match self {
            Encoder::Small(encoder) => encoder.infer(x),
            Encoder::ResNet18(encoder) => encoder.infer(x),
        }
    }
}

/// Encoder and projector: what online network and target have in common.
#[derive(Module, Debug)]
pub struct Branch {
    pub encoder: Encoder,
    pub projector: TwoLayer,
}

impl Branch {
    fn new(shape: &Shape, init: &mut Initialiser<'_>) -> Self {
        let kind = shape.encoder;
        Self {
            encoder: Encoder::new(shape, init),
            projector: TwoLayer::new(kind.features(), kind.hidden(), kind.embedding(), init),
        }
    }

    /// z `[V·B, d]` of pictures `[V·B, C, H, W]`, with the statistics of each view.
    pub fn forward(&mut self, x: Tensor<4>, views: usize) -> Tensor<2> {
        let features = self.encoder.forward(x, views);
        self.projector.forward(features, views)
    }
}

/// The trained network.
#[derive(Module, Debug)]
pub struct Online {
    pub branch: Branch,
    pub predictor: Predictor,
}

/// Builds both networks from a seed, the same weights on every device.
pub fn build(shape: &Shape, seed: u64, device: &Device) -> Result<(Online, Branch), ReadError> {
    let initialiser = |stream: Stream| Initialiser { rng: stream.open(seed, 0), init: shape.init, device };
    let mut init = initialiser(streams::ONLINE_WEIGHTS);
    let branch = Branch::new(shape, &mut init);
    let hidden = shape.two_layers.then(|| shape.encoder.hidden());
    let predictor = Predictor::new(shape.encoder.embedding(), hidden, &mut init);
    let target = if shape.independent_target {
        Branch::new(shape, &mut initialiser(streams::TARGET_WEIGHTS))
    } else {
        branch.clone()
    };
    let online = Online { branch, predictor };
    materialise(&online)?;
    materialise(&target)?;
    Ok((online, target))
}
