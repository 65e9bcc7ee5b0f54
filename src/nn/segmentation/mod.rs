//! The segmentation networks behind one type: built in one place, trained, run with dropout or without.
//!
//! Letters: N pictures, C channels, H height, W width.

pub mod backbones;
pub mod count;
pub mod deeplab;
pub mod fcn;
pub mod loss;
pub mod plan;
pub mod spec;
pub mod unet;
pub mod weights;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use thiserror::Error;

use self::deeplab::DeepLab;
use self::fcn::Fcn;
use self::spec::{Architecture, NetSpec, SpecError};
use self::unet::UNet;
use crate::compute::readback::ReadError;
use crate::compute::rng::HostRng;
use crate::nn::layers::conv::Pass;
use crate::nn::materialise;
use crate::nn::parameters::{Init, Initialiser};

/// `[N, C, H, W]` with numbers in [0, 1] to logits `[N, K, H, W]`, one for each structure; their sigmoid is the probability of lesion.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one of it")]
pub enum SegmentationNet {
    UNet(UNet),
    Fcn(Fcn),
    DeepLab(DeepLab),
}

/// A network that was not built.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum BuildError {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl SegmentationNet {
    /// Builds a network with weights drawn from `rng` on the host and reads every parameter once.
    ///
    /// U-nets start as PyTorch's layers do, as in the article's code; the deeper networks start with weights of variance
    /// 2/fan_in (He et al., 2015). None starts from weights of ImageNet.
    pub fn new(spec: &NetSpec, rng: HostRng, device: &Device) -> Result<Self, BuildError> {
        spec.check()?;
        let deep = spec.architecture.stages().is_none();
        let mut init = Initialiser { rng, init: if deep { Init::He } else { Init::Torch }, device };
        let net = match spec.architecture {
            Architecture::UNet
            | Architecture::TransposedUNet
            | Architecture::LightUNet
            | Architecture::LighterUNet { .. } => Self::UNet(UNet::new(spec, &mut init)),
            Architecture::Fcn32s | Architecture::Fcn16s | Architecture::Fcn8s => Self::Fcn(Fcn::new(spec, &mut init)),
            Architecture::DeepLabResNet101 | Architecture::DeepLabXception | Architecture::DeepLabMobileNetV2 => {
                Self::DeepLab(DeepLab::new(spec, &mut init))
            }
        };
        materialise(&net)?;
        Ok(net)
    }

    /// Logits of a training step: with the statistics of this batch, which also move the running ones, and dropping what
    /// `dropout` draws. Without it nothing is dropped.
    pub fn forward(&mut self, x: Tensor<4>, dropout: Option<&mut HostRng>) -> Tensor<4> {
        self.run(x, &mut Pass { train: true, dropout })
    }

    /// Logits with running statistics and nothing dropped.
    pub fn infer(&self, x: Tensor<4>) -> Tensor<4> {
        // A copy of handles, not of numbers.
        self.clone().run(x, &mut Pass { train: false, dropout: None })
    }

    /// Logits with running statistics and dropout: one sample of the network's uncertainty (Gal and Ghahramani, 2016).
    pub fn sample(&self, x: Tensor<4>, dropout: &mut HostRng) -> Tensor<4> {
        self.clone().run(x, &mut Pass { train: false, dropout: Some(dropout) })
    }

    fn run(&mut self, x: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<4> {
        match self {
            Self::UNet(net) => net.forward(x, pass),
            Self::Fcn(net) => net.forward(x, pass),
            Self::DeepLab(net) => net.forward(x, pass),
        }
    }
}
