//! DeepLab v3+ at output stride 16 (Chen et al., 2018, as in the public PyTorch code that the article compares with) on
//! ResNet-101, the aligned Xception or MobileNetV2.
//!
//! Letters: N pictures, C channels, H height, W width.

use burn::module::Module;
use burn::tensor::Tensor;

use super::backbones::{MobileNetV2, ResNet101, Xception};
use super::plan::ASPP_DILATIONS;
use super::spec::{Architecture, NetSpec};
use crate::nn::layers::conv::{Conv, ConvNorm, ConvShape, Pass, dropout, resize};
use crate::nn::parameters::Initialiser;

/// `[N, C, H, W]` to logits `[N, 1, H, W]`. Training needs at least 2 pictures: one normalisation sees one number per
/// picture.
#[derive(Module, Debug)]
pub struct DeepLab {
    backbone: Backbone,
    aspp: Aspp,
    decoder: Decoder,
}

#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one of it")]
enum Backbone {
    ResNet101(ResNet101),
    Xception(Xception),
    MobileNetV2(MobileNetV2),
}

/// Atrous spatial pyramid pooling: a 1×1 and three spread 3×3 convolutions beside the mean of the map.
#[derive(Module, Debug)]
struct Aspp {
    branches: Vec<ConvNorm>,
    global: ConvNorm,
    project: ConvNorm,
}

#[derive(Module, Debug)]
struct Decoder {
    low: ConvNorm,
    first: ConvNorm,
    second: ConvNorm,
    classifier: Conv,
}

impl DeepLab {
    /// On MobileNetV2 or Xception as the spec says, else on ResNet-101.
    pub fn new(spec: &NetSpec, init: &mut Initialiser<'_>) -> Self {
        let (backbone, features, low) = match spec.architecture {
            Architecture::DeepLabMobileNetV2 => (Backbone::MobileNetV2(MobileNetV2::new(spec.channels, init)), 320, 24),
            Architecture::DeepLabXception => (Backbone::Xception(Xception::new(spec.channels, init)), 2048, 128),
            _ => (Backbone::ResNet101(ResNet101::new(spec.channels, init)), 2048, 256),
        };
        let mut branches = vec![ConvNorm::new(ConvShape::new(features, 256, 1), init)];
        branches.extend(
            ASPP_DILATIONS.map(|dilation| ConvNorm::new(ConvShape::new(features, 256, 3).dilation(dilation), init)),
        );
        let aspp = Aspp {
            branches,
            global: ConvNorm::new(ConvShape::new(features, 256, 1), init),
            project: ConvNorm::new(ConvShape::new(1280, 256, 1), init),
        };
        let decoder = Decoder {
            low: ConvNorm::new(ConvShape::new(low, 48, 1), init),
            first: ConvNorm::new(ConvShape::new(304, 256, 3), init),
            second: ConvNorm::new(ConvShape::new(256, 256, 3), init),
            classifier: Conv::new(ConvShape::new(256, spec.outputs, 1), true, init),
        };
        Self { backbone, aspp, decoder }
    }

    /// Logits.
    pub fn forward(&mut self, x: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<4> {
        let [_, _, height, width] = x.dims();
        let (features, low) = match &mut self.backbone {
            Backbone::ResNet101(net) => net.forward(x, pass),
            Backbone::Xception(net) => net.forward(x, pass),
            Backbone::MobileNetV2(net) => net.forward(x, pass),
        };
        let x = self.aspp.forward(features, pass);
        resize(self.decoder.forward(x, low, pass), [height, width])
    }
}

impl Aspp {
    fn forward(&mut self, x: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<4> {
        let [pictures, channels, height, width] = x.dims();
        let mean = x.clone().reshape([pictures, channels, height * width]).mean_dim(2);
        let mean = self.global.relu(mean.reshape([pictures, channels, 1, 1]), pass);
        let mut maps: Vec<Tensor<4>> = self.branches.iter_mut().map(|branch| branch.relu(x.clone(), pass)).collect();
        // Resizing a single pixel spreads it.
        maps.push(mean.expand([pictures, 256, height, width]));
        let x = self.project.relu(Tensor::cat(maps, 1), pass);
        dropout(x, 0.5, pass)
    }
}

impl Decoder {
    fn forward(&mut self, x: Tensor<4>, low: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<4> {
        let low = self.low.relu(low, pass);
        let [_, _, height, width] = low.dims();
        let x = Tensor::cat(vec![resize(x, [height, width]), low], 1);
        let x = self.first.relu(x, pass);
        let x = dropout(x, 0.5, pass);
        let x = self.second.relu(x, pass);
        let x = dropout(x, 0.1, pass);
        self.classifier.forward(x)
    }
}
