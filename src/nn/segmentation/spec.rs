//! Which segmentation network: the architectures, their widths, and what fits together.

use thiserror::Error;

/// The networks of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// U-net with bilinear upsampling: both stages of a block are 3×3 convolutions.
    UNet,
    /// The same with transposed convolutions that halve the channels, and a deepest level of twice the width: the public
    /// PyTorch U-net as it is by default.
    TransposedUNet,
    /// Light U-net: the second stage of every block is a depthwise 3×3 and a 1×1 convolution.
    LightUNet,
    /// Lighter U-net @C: both stages are a 3×3 convolution in groups of C channels and a 1×1 convolution.
    LighterUNet {
        /// C, channels per group.
        group: usize,
    },
    /// FCN on VGG-16 without skips.
    Fcn32s,
    /// FCN on VGG-16 that adds the features of stride 16.
    Fcn16s,
    /// FCN on VGG-16 that adds the features of strides 16 and 8.
    Fcn8s,
    /// DeepLab v3+ on ResNet-101.
    DeepLabResNet101,
    /// DeepLab v3+ on the aligned Xception.
    DeepLabXception,
    /// DeepLab v3+ on MobileNetV2.
    DeepLabMobileNetV2,
}

/// A network's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NetSpec {
    pub architecture: Architecture,
    /// Channels of a picture: 1 or 3.
    pub channels: usize,
    /// Width b of the first level of a U-net, 64 in the article. Not used by the other networks.
    pub base: usize,
    /// Structures that are outlined, a logit each; 1 in the article.
    pub outputs: usize,
}

/// A network that cannot be built or cannot take a picture.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpecError {
    #[error("a picture of {0} channels: the networks take 1 or 3")]
    Channels(usize),
    #[error("a width of 0 channels; choose at least 1")]
    Width,
    #[error(
        "groups of C = {group} channels do not divide the {inputs} channels of a convolution; choose a power of two"
    )]
    Group { group: usize, inputs: usize },
    #[error("a picture of {height}×{width} pixels is too small for {name}: at least {least} a side")]
    Small { name: String, height: usize, width: usize, least: usize },
    #[error("a picture of {height}×{width} pixels: {name} needs sides that are multiples of {multiple}")]
    Multiple { name: String, height: usize, width: usize, multiple: usize },
}

/// What one of the two stages of a U-net's block is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// One 3×3 convolution.
    Full,
    /// A 3×3 convolution in groups of so many channels that keeps their number, then a 1×1 convolution.
    Group(usize),
}

/// One block of a U-net: `inputs` → `middle` → `outputs` channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UNetBlock {
    /// `e0` to `e4`, `d3` to `d0`.
    pub name: &'static str,
    pub inputs: usize,
    pub middle: usize,
    pub outputs: usize,
    /// How often the picture was halved.
    pub level: usize,
}

impl Architecture {
    /// Every architecture, with the article's values of C; the article has not the last one.
    pub const ALL: [Self; 17] = [
        Self::UNet,
        Self::LightUNet,
        Self::LighterUNet { group: 128 },
        Self::LighterUNet { group: 64 },
        Self::LighterUNet { group: 32 },
        Self::LighterUNet { group: 16 },
        Self::LighterUNet { group: 8 },
        Self::LighterUNet { group: 4 },
        Self::LighterUNet { group: 2 },
        Self::LighterUNet { group: 1 },
        Self::Fcn32s,
        Self::Fcn16s,
        Self::Fcn8s,
        Self::DeepLabResNet101,
        Self::DeepLabXception,
        Self::DeepLabMobileNetV2,
        Self::TransposedUNet,
    ];

    /// Key and name.
    const fn about(self) -> [&'static str; 2] {
        match self {
            Self::UNet => ["unet", "U-net"],
            Self::TransposedUNet => ["unet-transposed", "U-net (transposed)"],
            Self::LightUNet => ["light", "Light U-net"],
            Self::LighterUNet { .. } => ["lighter", "Lighter U-net"],
            Self::Fcn32s => ["fcn-32s", "FCN-32s"],
            Self::Fcn16s => ["fcn-16s", "FCN-16s"],
            Self::Fcn8s => ["fcn-8s", "FCN-8s"],
            Self::DeepLabResNet101 => ["deeplab-resnet101", "DeepLab v3+ (ResNet-101)"],
            Self::DeepLabXception => ["deeplab-xception", "DeepLab v3+ (Xception)"],
            Self::DeepLabMobileNetV2 => ["deeplab-mobilenetv2", "DeepLab v3+ (MobileNetV2)"],
        }
    }

    /// For menus and tables: `Lighter U-net @16`.
    pub fn name(self) -> String {
        let [_, name] = self.about();
        if let Self::LighterUNet { group } = self { format!("{name} @{group}") } else { name.to_owned() }
    }

    /// For files and options: `lighter-16`.
    pub fn key(self) -> String {
        let [key, _] = self.about();
        if let Self::LighterUNet { group } = self { format!("{key}-{group}") } else { key.to_owned() }
    }

    /// The inverse of [`Architecture::key`].
    pub fn parse(key: &str) -> Option<Self> {
        if let Some(group) = key.strip_prefix("lighter-") {
            return group.parse().ok().filter(|group| *group > 0).map(|group| Self::LighterUNet { group });
        }
        Self::ALL.into_iter().find(|architecture| architecture.key() == key)
    }

    pub fn is_fcn(self) -> bool {
        matches!(self, Self::Fcn32s | Self::Fcn16s | Self::Fcn8s)
    }

    pub fn is_deeplab(self) -> bool {
        matches!(self, Self::DeepLabResNet101 | Self::DeepLabXception | Self::DeepLabMobileNetV2)
    }

    /// The two stages of a U-net's blocks; `None` for the other networks.
    pub fn stages(self) -> Option<[Stage; 2]> {
        match self {
            Self::UNet | Self::TransposedUNet => Some([Stage::Full, Stage::Full]),
            Self::LightUNet => Some([Stage::Full, Stage::Group(1)]),
            Self::LighterUNet { group } => Some([Stage::Group(group); 2]),
            _ => None,
        }
    }
}

/// Channels per group of a convolution of `inputs` channels under the rule of Lighter U-net @C: the 3 colours of a
/// picture stay together unless C is 1, and no group is larger than the layer.
pub fn group_size(inputs: usize, group: usize) -> usize {
    if inputs == 3 && group != 1 { 3 } else { inputs.min(group) }
}

impl NetSpec {
    /// The nine blocks of a U-net, in the order in which they are computed.
    pub fn unet_blocks(&self) -> [UNetBlock; 9] {
        let b = self.base;
        // Bilinear upsampling keeps the channels that a transposed convolution halves.
        let wide = if self.architecture == Architecture::TransposedUNet { 2 } else { 1 };
        let block = |name, inputs, middle, outputs, level| UNetBlock { name, inputs, middle, outputs, level };
        [
            block("e0", self.channels, b, b, 0),
            block("e1", b, 2 * b, 2 * b, 1),
            block("e2", 2 * b, 4 * b, 4 * b, 2),
            block("e3", 4 * b, 8 * b, 8 * b, 3),
            block("e4", 8 * b, 8 * wide * b, 8 * wide * b, 4),
            block("d3", 16 * b, 8 * b, 4 * wide * b, 3),
            block("d2", 8 * b, 4 * b, 2 * wide * b, 2),
            block("d1", 4 * b, 2 * b, wide * b, 1),
            block("d0", 2 * b, b, b, 0),
        ]
    }

    /// Channels into and out of the transposed convolutions before `d3` to `d0`; none where upsampling is bilinear.
    pub fn upsampling(&self) -> Vec<[usize; 2]> {
        match self.architecture {
            Architecture::TransposedUNet => [8, 4, 2, 1].map(|level| [2 * level * self.base, level * self.base]).into(),
            _ => Vec::new(),
        }
    }

    /// Whether this network can be built.
    pub fn check(&self) -> Result<(), SpecError> {
        if self.channels != 1 && self.channels != 3 {
            return Err(SpecError::Channels(self.channels));
        }
        let Some(stages) = self.architecture.stages() else { return Ok(()) };
        if self.base == 0 {
            return Err(SpecError::Width);
        }
        for block in self.unet_blocks() {
            for (stage, inputs) in stages.into_iter().zip([block.inputs, block.middle]) {
                let Stage::Group(group) = stage else { continue };
                if group == 0 || !inputs.is_multiple_of(group_size(inputs, group)) {
                    return Err(SpecError::Group { group, inputs });
                }
            }
        }
        Ok(())
    }

    /// Whether this network can take pictures of this size.
    pub fn check_size(&self, height: usize, width: usize) -> Result<(), SpecError> {
        let name = || self.architecture.name();
        match self.architecture {
            Architecture::UNet
            | Architecture::TransposedUNet
            | Architecture::LightUNet
            | Architecture::LighterUNet { .. } => {
                if height.min(width) < 16 {
                    return Err(SpecError::Small { name: name(), height, width, least: 16 });
                }
            }
            Architecture::Fcn32s | Architecture::Fcn16s | Architecture::Fcn8s => {
                if height == 0 || width == 0 || !height.is_multiple_of(32) || !width.is_multiple_of(32) {
                    return Err(SpecError::Multiple { name: name(), height, width, multiple: 32 });
                }
            }
            _ => {
                if height.min(width) < 32 {
                    return Err(SpecError::Small { name: name(), height, width, least: 32 });
                }
            }
        }
        Ok(())
    }
}
