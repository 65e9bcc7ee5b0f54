//! Which networks of the reconstruction lab there are, and what each would cost before it is built.
//!
//! The article is Arora, Gaudio and Satpathy, "Semi-supervised learning for Diabetic Retinopathy" (2019); sizes of AECL1 are
//! those of its figure 2.

use thiserror::Error;

use super::inception::{self, INCEPTION_FEATURES, INCEPTION_LEAST};

/// The families of networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// AECL1: convolutions with pooling, mirrored by transposed convolutions (section 4.2). Its classifier alone is CL1.
    Aecl1 { layout: Layout, tied: bool },
    /// AERes18: ResNet-18 without its last layer, and as many transposed convolutions as double 1×1 to the picture. Its
    /// classifier alone is Res18.
    AeRes18,
    /// ResNet-18 with one output: a baseline of figure 5, without a decoder.
    ResNet18,
    /// InceptionV3 with one output and without the auxiliary head: the other baseline. For pictures of 128 pixels or more.
    InceptionV3,
}

/// Channels and depth of AECL1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// As many layers as halve the picture to 2×2, with few channels: for small pictures on a CPU.
    Mini,
    /// 8 + 8 layers. At 512 pixels the channels of figure 2, 128 to 4096; below, fewer, and only so many layers pool as halve the
    /// picture to 2×2.
    Paper,
    /// The other reading of figure 2, whose first box says 64: 64, 128, 256, 512, 512, 1024, 1024, 2048.
    SixtyFourFirst,
}

/// What the classifier answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Head {
    /// Ill or healthy: one logit.
    Binary,
    /// That, and a grade 0 to 3: four logits of its own, the four units before their ReLU.
    Softmax,
    /// That, and a grade as three questions, whether it is at least 1, 2, 3: one score against thresholds that cannot change
    /// their order.
    Ordinal,
}

/// A network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetSpec {
    pub family: Family,
    /// Height and width of pictures: 32, 64, 128, 256 or 512.
    pub size: usize,
    /// Times AECL1's channels: 1/8 to 1.
    pub width: f64,
    /// The decoder ends in a sigmoid; otherwise what it gives is cut to [0, 1] for the eye alone.
    pub sigmoid: bool,
    pub head: Head,
    /// The four units are LeakyReLUs, which cannot die.
    pub leaky: bool,
}

/// A network that cannot be.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SpecError {
    #[error("pictures of {0} pixels; expected 32, 64, 128, 256 or 512")]
    Size(usize),
    #[error("{0} times the channels; expected 1/8 to 1")]
    Width(f64),
    #[error("pictures of {0} pixels are too small for InceptionV3; it takes {INCEPTION_LEAST} or more")]
    Small(usize),
}

/// A layer of AECL1's encoder; the decoder has its mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    pub channels: usize,
    /// Halves height and width.
    pub halves: bool,
}

/// Units between pooled code and logit.
pub const UNITS: usize = 4;
/// Length of ResNet-18's features.
pub const RESNET_FEATURES: usize = 512;
/// Channels of AERes18's decoder at 512 pixels; smaller pictures take the last ones.
const UP_512: [usize; 9] = [512, 512, 256, 256, 128, 64, 32, 16, 3];

impl Family {
    pub fn name(self) -> &'static str {
        match self {
            Family::Aecl1 { .. } => "AECL1",
            Family::AeRes18 => "AERes18",
            Family::ResNet18 => "ResNet-18",
            Family::InceptionV3 => "InceptionV3",
        }
    }

    pub fn reconstructs(self) -> bool {
        matches!(self, Family::Aecl1 { .. } | Family::AeRes18)
    }
}

impl NetSpec {
    pub fn check(&self) -> Result<(), SpecError> {
        if !self.size.is_power_of_two() || !(32..=512).contains(&self.size) {
            return Err(SpecError::Size(self.size));
        }
        if !(0.125..=1.0).contains(&self.width) {
            return Err(SpecError::Width(self.width));
        }
        if self.family == Family::InceptionV3 && self.size < INCEPTION_LEAST {
            return Err(SpecError::Small(self.size));
        }
        Ok(())
    }

    /// How often the picture can be halved until it is 1×1.
    fn halvings(&self) -> usize {
        self.size.ilog2() as usize
    }

    /// AECL1's encoder, the first layer first.
    pub fn stages(&self) -> Vec<Stage> {
        let Family::Aecl1 { layout, .. } = self.family else { return Vec::new() };
        let pools = self.halvings() - 1;
        let channels: &[usize] = match (layout, self.size) {
            (Layout::Mini, 32) => &[16, 32, 64, 96],
            (Layout::Mini, 64) => &[16, 32, 48, 64, 96],
            (Layout::Mini, 128) => &[16, 32, 64, 96, 128, 160],
            (Layout::Mini, 256) => &[32, 64, 96, 128, 192, 320, 512],
            (Layout::Mini, _) => &[16, 32, 64, 64, 128, 128, 256, 512],
            (Layout::SixtyFourFirst, 512) => &[64, 128, 256, 512, 512, 1024, 1024, 2048],
            (Layout::Paper, 512) => &[128, 256, 512, 512, 1024, 1024, 2048, 4096],
            (Layout::Paper | Layout::SixtyFourFirst, _) => &[16, 32, 32, 64, 64, 96, 96, 128],
        };
        let depth = channels.len();
        // The first ones, and then every second one, so that the last one pools.
        let all_of = 2 * pools - depth;
        let stage = |(i, channels): (usize, &usize)| Stage {
            channels: ((*channels as f64 * self.width).round() as usize).max(UNITS),
            halves: i < all_of || (i - all_of) % 2 == 1,
        };
        channels.iter().enumerate().map(stage).collect()
    }

    /// Channels of AERes18's decoder, the last of which are the picture's.
    pub fn ups(&self) -> &'static [usize] {
        &UP_512[UP_512.len() - self.halvings()..]
    }

    /// Channels of the code.
    pub fn features(&self) -> usize {
        match self.family {
            Family::InceptionV3 => INCEPTION_FEATURES,
            _ => self.stages().last().map_or(RESNET_FEATURES, |stage| stage.channels),
        }
    }

    /// Side of the code.
    pub fn code_side(&self) -> usize {
        match self.family {
            Family::Aecl1 { .. } => 2,
            Family::AeRes18 | Family::ResNet18 | Family::InceptionV3 => 1,
        }
    }

    /// Whether ResNet-18's stem is that for large pictures: 7×7 of stride 2, then 3×3 max-pooling.
    pub fn large_stem(&self) -> bool {
        self.size > 128
    }

    /// In one line, as recorded runs name it.
    pub fn describe(&self) -> String {
        let family = match self.family {
            Family::Aecl1 { layout, tied } => {
                let layout = match layout {
                    Layout::Mini => "mini",
                    Layout::Paper => "figure 2",
                    Layout::SixtyFourFirst => "64 first",
                };
                let tied = if tied { ", tied weights" } else { "" };
                let width = if self.width == 1.0 { String::new() } else { format!(", {} of the channels", self.width) };
                format!("AECL1 ({layout}{width}{tied})")
            }
            other => other.name().to_owned(),
        };
        let head = match self.head {
            Head::Binary => "",
            Head::Softmax => " with grades",
            Head::Ordinal => " with ordered grades",
        };
        format!("{family}{head} at {} pixels", self.size)
    }
}

/// What a network costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// Parameters that are trained.
    pub encoder: usize,
    pub decoder: usize,
    pub classifier: usize,
    /// Those of tied weights, counted in both encoder and decoder.
    pub shared: usize,
    /// `[channels, height, width]` behind each layer.
    pub encoder_shapes: Vec<[usize; 3]>,
    pub decoder_shapes: Vec<[usize; 3]>,
}

impl Cost {
    pub fn parameters(&self) -> usize {
        self.encoder + self.decoder + self.classifier - self.shared
    }

    /// Numbers of the code.
    pub fn code(&self) -> usize {
        self.encoder_shapes.last().map_or(0, |shape| shape.iter().product())
    }

    /// Bytes of the maps behind the layers of one picture, in f32, without what is recomputed.
    pub fn maps_bytes(&self) -> usize {
        let maps = self.encoder_shapes.iter().chain(&self.decoder_shapes);
        4 * maps.map(|shape| shape.iter().product::<usize>()).sum::<usize>()
    }
}

/// Parameters of a k×k convolution with bias.
fn convolution(inputs: usize, outputs: usize, kernel: usize) -> usize {
    outputs * (inputs * kernel * kernel + 1)
}

/// Counts a network without building it.
pub fn cost(spec: &NetSpec) -> Cost {
    let features = spec.features();
    let head = match (spec.family, spec.head) {
        (Family::ResNet18 | Family::InceptionV3, _) => features + 1,
        (_, Head::Binary | Head::Softmax) => UNITS * features + UNITS + UNITS + 1,
        (_, Head::Ordinal) => UNITS * features + UNITS + UNITS + 1 + 2,
    };
    let mut cost = Cost {
        encoder: 0,
        decoder: 0,
        classifier: head,
        shared: 0,
        encoder_shapes: Vec::new(),
        decoder_shapes: Vec::new(),
    };
    let mut side = spec.size;
    match spec.family {
        Family::Aecl1 { tied, .. } => {
            let stages = spec.stages();
            let mut inputs = 3;
            for stage in &stages {
                cost.encoder += convolution(inputs, stage.channels, 3) + 2 * stage.channels;
                side /= if stage.halves { 2 } else { 1 };
                cost.encoder_shapes.push([stage.channels, side, side]);
                inputs = stage.channels;
            }
            for (i, stage) in stages.iter().enumerate().rev() {
                let outputs = if i == 0 { 3 } else { stages[i - 1].channels };
                let kernel = up_kernel(tied, stage.halves);
                let weight = stage.channels * outputs * kernel * kernel;
                cost.decoder += weight + outputs + if i == 0 { 0 } else { 2 * outputs };
                cost.shared += if tied { weight } else { 0 };
                side *= if stage.halves { 2 } else { 1 };
                cost.decoder_shapes.push([outputs, side, side]);
            }
        }
        Family::InceptionV3 => {
            (cost.encoder, cost.encoder_shapes) = inception::cost(spec.size);
            cost.encoder_shapes.push([INCEPTION_FEATURES, 1, 1]);
        }
        Family::AeRes18 | Family::ResNet18 => {
            let kernel = if spec.large_stem() { 7 } else { 3 };
            cost.encoder += 64 * (3 * kernel * kernel + 2);
            side /= if spec.large_stem() { 4 } else { 1 };
            cost.encoder_shapes.push([64, side, side]);
            let mut inputs = 64;
            for (i, channels) in [64, 128, 256, RESNET_FEATURES].into_iter().enumerate() {
                for block in 0..2 {
                    cost.encoder += channels * (9 * inputs + 2) + channels * (9 * channels + 2);
                    if block == 0 && i > 0 {
                        cost.encoder += channels * (inputs + 2);
                        side = side.div_ceil(2);
                    }
                    inputs = channels;
                    cost.encoder_shapes.push([channels, side, side]);
                }
            }
            cost.encoder_shapes.push([RESNET_FEATURES, 1, 1]);
            if spec.family == Family::AeRes18 {
                let mut side = 1;
                for (i, outputs) in spec.ups().iter().enumerate() {
                    let last = i + 1 == spec.ups().len();
                    cost.decoder += inputs * outputs * 16 + outputs + if last { 0 } else { 2 * outputs };
                    side *= 2;
                    cost.decoder_shapes.push([*outputs, side, side]);
                    inputs = *outputs;
                }
            }
        }
    }
    cost
}

/// Side of a transposed convolution's kernel: 3 where it is its convolution's or doubles nothing, 4 otherwise, which leaves no
/// checkerboard.
pub fn up_kernel(tied: bool, doubles: bool) -> usize {
    if tied || !doubles { 3 } else { 4 }
}

/// Parameters of the article's baselines with the 1000 classes of ImageNet, InceptionV3 with its auxiliary head, as torchvision
/// builds them and the article prints them (section 5.3).
pub const RESNET18_1000: usize = 11_689_512;
pub const INCEPTION_1000: usize = 27_161_264;

/// What the article says of a baseline's size, and how that compares; `None` of the other networks.
pub fn in_the_article(family: Family) -> Option<String> {
    let (parameters, with) = match family {
        Family::ResNet18 => (RESNET18_1000, "the 1000 classes of ImageNet"),
        Family::InceptionV3 => (INCEPTION_1000, "the 1000 classes of ImageNet and its auxiliary head"),
        Family::Aecl1 { .. } | Family::AeRes18 => return None,
    };
    Some(format!("the article counts {parameters} parameters, which is with {with}; here it has one output"))
}

/// The same with one output, InceptionV3 without the auxiliary head.
pub const RESNET18_BINARY: usize = 11_177_025;
pub const INCEPTION_BINARY: usize = 21_787_617;

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(family: Family, size: usize) -> NetSpec {
        NetSpec { family, size, width: 1.0, sigmoid: false, head: Head::Binary, leaky: false }
    }

    fn aecl1(layout: Layout, size: usize, tied: bool) -> NetSpec {
        spec(Family::Aecl1 { layout, tied }, size)
    }

    #[test]
    fn the_mini_network_has_the_parameters_of_the_reference() {
        let cost = cost(&aecl1(Layout::Mini, 64, false));
        assert_eq!((cost.encoder, cost.decoder, cost.classifier), (102_576, 181_475, 393));
        assert_eq!((cost.code(), cost.encoder_shapes.last()), (384, Some(&[96, 2, 2])));
    }

    #[test]
    fn both_readings_of_figure_2_have_their_parameters() {
        // With 3×3 kernels, as figure 2 shows them: those of tied weights.
        let table = cost(&aecl1(Layout::Paper, 512, true));
        assert_eq!((table.encoder, table.decoder, table.classifier), (112_393_728, 112_381_443, 16_393));
        let other = cost(&aecl1(Layout::SixtyFourFirst, 512, true));
        assert_eq!((other.encoder, other.decoder, other.classifier), (36_956_160, 36_950_019, 8_201));
        let eighth = cost(&NetSpec { width: 0.125, ..aecl1(Layout::Paper, 512, true) });
        assert_eq!((eighth.encoder, eighth.decoder), (1_759_680, 1_758_147));
    }

    #[test]
    fn resnet_has_torchvisions_parameters() {
        let large = cost(&spec(Family::AeRes18, 512));
        assert_eq!((large.encoder, large.classifier), (11_176_512, 2_057));
        assert_eq!(large.decoder_shapes.last(), Some(&[3, 512, 512]));
        assert_eq!(large.decoder_shapes.len(), 9);
        assert_eq!(cost(&spec(Family::ResNet18, 512)).parameters(), RESNET18_BINARY);
        // 1000 outputs instead of one.
        assert_eq!(RESNET18_BINARY + 999 * 513, RESNET18_1000);
    }

    #[test]
    fn inception_has_torchvisions_parameters_and_maps() {
        let cost = cost(&spec(Family::InceptionV3, 512));
        assert_eq!(cost.parameters(), INCEPTION_BINARY);
        assert_eq!(cost.encoder_shapes[cost.encoder_shapes.len() - 2], [2048, 14, 14]);
        assert!(cost.decoder_shapes.is_empty());
        assert_eq!(spec(Family::InceptionV3, 64).check(), Err(SpecError::Small(64)));
    }

    #[test]
    fn every_size_ends_in_a_code_of_two_by_two_and_comes_back() {
        for size in [32, 64, 128, 256, 512] {
            for layout in [Layout::Mini, Layout::Paper, Layout::SixtyFourFirst] {
                let cost = cost(&aecl1(layout, size, false));
                assert_eq!(cost.encoder_shapes.last().unwrap()[1..], [2, 2], "{layout:?} {size}");
                assert_eq!(cost.decoder_shapes.last(), Some(&[3, size, size]), "{layout:?} {size}");
            }
            assert_eq!(cost(&spec(Family::AeRes18, size)).decoder_shapes.last(), Some(&[3, size, size]));
        }
        let pools: Vec<bool> = aecl1(Layout::Paper, 64, false).stages().iter().map(|stage| stage.halves).collect();
        assert_eq!(pools, [true, true, false, true, false, true, false, true]);
    }

    #[test]
    fn a_size_that_cannot_be_is_refused() {
        assert_eq!(spec(Family::AeRes18, 96).check(), Err(SpecError::Size(96)));
        assert!(NetSpec { width: 2.0, ..spec(Family::AeRes18, 64) }.check().is_err());
    }
}
