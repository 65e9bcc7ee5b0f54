//! The two networks: online with its predictor, and the target.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::compute::readback::ReadError;
use crate::compute::streams::{self, Stream};
use crate::engine::params::Params;
use crate::labs::self_supervised::params::{
    EMBEDDING_WIDTH, ENCODER, HIDDEN_WIDTH, INDEPENDENT_TARGET, INIT, OUTPUT_NORM, PREDICTOR_HIDDEN, PREDICTOR_LAYERS,
    PREDICTOR_NORM, PROJECTOR_LAYERS, PROJECTOR_NORM,
};
use crate::nn::encoders::conv_encoder::{CONV_FEATURES, ConvEncoder};
use crate::nn::encoders::heads::{Head, HeadNorm, HeadShape, Predictor, PredictorShape};
use crate::nn::encoders::resnet::{RESNET_WIDTH, ResNet18, Stem};
use crate::nn::materialise;
use crate::nn::parameters::{Init, Initialiser};

/// Which networks to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Channels of a picture.
    pub channels: usize,
    pub encoder: EncoderKind,
    pub init: Init,
    /// The target starts from other weights than the online network.
    pub independent_target: bool,
    pub heads: Heads,
}

/// Projector and predictor. A width that is `None` is the encoder's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// Linear layers of the projector, 1 to 3.
    pub projector_layers: usize,
    /// Units between the projector's layers.
    pub hidden: Option<usize>,
    /// d: length of the projector's output.
    pub embedding: Option<usize>,
    /// Behind the projector's hidden layers, and behind its output.
    pub projector_norm: HeadNorm,
    pub output_norm: HeadNorm,
    pub predictor: Layers,
    /// Units between the predictor's two layers, and what is behind the first.
    pub predictor_hidden: Option<usize>,
    pub predictor_norm: HeadNorm,
}

/// The predictor's layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layers {
    /// No predictor: p = z.
    None,
    One,
    Two,
}

impl Heads {
    /// As the paper's codes have them, with this predictor.
    pub const fn published(predictor: Layers) -> Self {
        Self {
            projector_layers: 2,
            hidden: None,
            embedding: None,
            projector_norm: HeadNorm::Plain,
            output_norm: HeadNorm::Off,
            predictor,
            predictor_hidden: None,
            predictor_norm: HeadNorm::Plain,
        }
    }
}

impl Shape {
    /// The networks that these parameters ask for, for pictures of so many channels.
    pub fn of(params: &Params, channels: usize) -> Self {
        // 0: the encoder's own.
        let width = |asked: i64| usize::try_from(asked).ok().filter(|width| *width > 0);
        let published = Heads::published(PREDICTOR_LAYERS.of(params));
        let mut heads = Heads {
            projector_layers: PROJECTOR_LAYERS.of(params),
            embedding: width(EMBEDDING_WIDTH.of(params)),
            output_norm: OUTPUT_NORM.of(params),
            ..published
        };
        // What has no effect makes no other network.
        if heads.projector_layers > 1 {
            (heads.hidden, heads.projector_norm) = (width(HIDDEN_WIDTH.of(params)), PROJECTOR_NORM.of(params));
        }
        if heads.predictor == Layers::Two {
            heads.predictor_hidden = width(PREDICTOR_HIDDEN.of(params));
            heads.predictor_norm = PREDICTOR_NORM.of(params);
        }
        Self {
            channels,
            encoder: ENCODER.of(params),
            init: INIT.of(params),
            independent_target: INDEPENDENT_TARGET.of(params),
            heads,
        }
    }

    /// Length of the features that kNN and the linear probe see.
    pub fn features(&self) -> usize {
        self.encoder.features()
    }

    /// d: length of the projector's output.
    pub fn embedding(&self) -> usize {
        self.heads.embedding.unwrap_or(self.encoder.embedding())
    }

    fn projector(&self) -> HeadShape {
        HeadShape {
            inputs: self.features(),
            hidden: self.heads.hidden.unwrap_or(self.encoder.hidden()),
            outputs: self.embedding(),
            layers: self.heads.projector_layers,
            norm: self.heads.projector_norm,
            output_norm: self.heads.output_norm,
        }
    }

    fn predictor(&self) -> PredictorShape {
        match self.heads.predictor {
            Layers::None => PredictorShape::Identity,
            Layers::One => PredictorShape::One,
            Layers::Two => PredictorShape::Two {
                hidden: self.heads.predictor_hidden.unwrap_or(self.encoder.hidden()),
                norm: self.heads.predictor_norm,
            },
        }
    }

    /// In words for a checkpoint. What older versions could build is said as they said it, so that their checkpoints fit.
    pub fn fingerprint(&self) -> String {
        let Self { channels, encoder, init, independent_target, heads } = self;
        let two_layers = heads.predictor == Layers::Two;
        let old = format!(
            "Shape {{ channels: {channels}, encoder: {encoder:?}, two_layers: {two_layers}, init: {init:?}, \
             independent_target: {independent_target} }}"
        );
        match *heads == Heads::published(heads.predictor) && heads.predictor != Layers::None {
            true => old,
            false => format!("{old} with {heads:?}"),
        }
    }
}

/// The encoders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncoderKind {
    Small,
    /// A quarter of ResNet-18's channels, so a sixteenth of its work.
    ResNet18Quarter,
    ResNet18,
    /// With ImageNet's stem.
    ResNet18ImageNet,
}

impl EncoderKind {
    /// A ResNet-18 of all its channels, of which a step takes long and a checkpoint much room.
    pub fn is_large(self) -> bool {
        matches!(self, EncoderKind::ResNet18 | EncoderKind::ResNet18ImageNet)
    }

    /// The least side of its pictures, in pixels: as many as one place of the last maps stands for.
    pub fn least_side(self) -> usize {
        if self == EncoderKind::ResNet18ImageNet { 32 } else { 1 }
    }

    /// Length of the features that kNN and the linear probe see.
    pub fn features(self) -> usize {
        match self {
            EncoderKind::Small => CONV_FEATURES,
            EncoderKind::ResNet18Quarter => 8 * (RESNET_WIDTH / 4),
            EncoderKind::ResNet18 | EncoderKind::ResNet18ImageNet => 8 * RESNET_WIDTH,
        }
    }

    /// Width of the middle of projector and two-layer predictor, unless told otherwise.
    fn hidden(self) -> usize {
        match self {
            EncoderKind::Small => 128,
            EncoderKind::ResNet18Quarter => 256,
            EncoderKind::ResNet18 | EncoderKind::ResNet18ImageNet => 512,
        }
    }

    /// d: length of the projector's output, unless told otherwise.
    fn embedding(self) -> usize {
        match self {
            EncoderKind::Small | EncoderKind::ResNet18Quarter => 64,
            EncoderKind::ResNet18 | EncoderKind::ResNet18ImageNet => 128,
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
        let mut resnet = |width, stem| Encoder::ResNet18(ResNet18::new(shape.channels, width, stem, init));
        match shape.encoder {
            EncoderKind::Small => Encoder::Small(ConvEncoder::new(shape.channels, init)),
            EncoderKind::ResNet18Quarter => resnet(RESNET_WIDTH / 4, Stem::Small),
            EncoderKind::ResNet18 => resnet(RESNET_WIDTH, Stem::Small),
            EncoderKind::ResNet18ImageNet => resnet(RESNET_WIDTH, Stem::ImageNet),
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
    pub projector: Head,
}

impl Branch {
    fn new(shape: &Shape, init: &mut Initialiser<'_>) -> Self {
        Self { encoder: Encoder::new(shape, init), projector: Head::new(&shape.projector(), init) }
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
    let predictor = Predictor::new(shape.predictor(), shape.embedding(), &mut init);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::self_supervised::params::PARAMS;

    fn shape(set: &[&str]) -> Shape {
        let mut params = Params::defaults(PARAMS);
        set.iter().for_each(|text| params.set_text(PARAMS, text).unwrap());
        Shape::of(&params, 1)
    }

    #[test]
    fn checkpoints_of_older_versions_fit_and_other_heads_do_not() {
        let old = "Shape { channels: 1, encoder: Small, two_layers: false, init: Torch, independent_target: false }";
        assert_eq!(shape(&[]).fingerprint(), old);
        assert_eq!(shape(&["predictor_layers=two"]).fingerprint(), old.replace("false, init", "true, init"));
        let mut all = vec![old.to_owned()];
        for set in [
            "predictor_layers=none",
            "projector_layers=1",
            "projector_layers=3",
            "hidden_width=32",
            "embedding_width=32",
            "projector_norm=off",
            "projector_norm=affine",
            "projector_output_norm=plain",
        ] {
            all.push(shape(&[set]).fingerprint());
        }
        for set in ["predictor_hidden=16", "predictor_norm=affine"] {
            assert_eq!(shape(&[set]).fingerprint(), old, "{set} is of two layers alone");
            all.push(shape(&["predictor_layers=two", set]).fingerprint());
        }
        let different: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(different.len(), all.len(), "{all:?}");
    }
}
