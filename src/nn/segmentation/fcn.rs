//! Fully convolutional networks on VGG-16 with a decoder of transposed convolutions (Long et al., 2015, as in the public
//! PyTorch code that the article compares with).

use burn::module::Module;
use burn::tensor::{Tensor, activation};

use super::plan::{FCN_DECODER, VGG16};
use super::spec::{Architecture, NetSpec};
use crate::nn::layers::conv::{Conv, ConvShape, Deconv, Pass, max_pool, normalise};
use crate::nn::layers::norm::Norm;
use crate::nn::parameters::Initialiser;

/// `[N, C, H, W]` to logits `[N, 1, H, W]`; H and W are multiples of 32.
#[derive(Module, Debug)]
pub struct Fcn {
    features: Vec<Conv>,
    decoder: Vec<Up>,
    classifier: Conv,
    /// How many of the decoder's first steps add the features of their size.
    #[module(skip)]
    skips: usize,
}

#[derive(Module, Debug)]
struct Up {
    deconv: Deconv,
    norm: Norm,
}

impl Fcn {
    /// FCN-16s and FCN-8s as the spec says, else FCN-32s.
    pub fn new(spec: &NetSpec, init: &mut Initialiser<'_>) -> Self {
        let mut inputs = spec.channels;
        let mut features = Vec::new();
        for &outputs in VGG16.into_iter().flatten() {
            features.push(Conv::new(ConvShape::new(inputs, outputs, 3), true, init));
            inputs = outputs;
        }
        let decoder = FCN_DECODER
            .windows(2)
            .map(|pair| Up { deconv: Deconv::new(pair[0], pair[1], init), norm: Norm::new(pair[1], true, init) })
            .collect();
        let classifier = Conv::new(ConvShape::new(FCN_DECODER[5], spec.outputs, 1), true, init);
        let skips = match spec.architecture {
            Architecture::Fcn16s => 1,
            Architecture::Fcn8s => 2,
            _ => 0,
        };
        Self { features, decoder, classifier, skips }
    }

    /// Logits.
    pub fn forward(&mut self, mut x: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<4> {
        let mut convs = self.features.iter();
        let mut pooled = Vec::new();
        for stage in VGG16 {
            for conv in convs.by_ref().take(stage.len()) {
                x = activation::relu(conv.forward(x));
            }
            x = max_pool(x);
            pooled.push(x.clone());
        }
        pooled.pop();
        for (i, up) in self.decoder.iter_mut().enumerate() {
            // First the ReLU, then the sum, then the normalisation.
            x = activation::relu(up.deconv.forward(x));
            if i < self.skips
                && let Some(skip) = pooled.pop()
            {
                x = x + skip;
            }
            x = normalise(&mut up.norm, x, false, pass);
        }
        self.classifier.forward(x)
    }
}
