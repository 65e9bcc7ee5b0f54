//! Sizes of the segmentation networks by arithmetic alone: parameters, multiply-adds and memory of the convolutions'
//! outputs, block by block.

use super::plan::layers;
use super::spec::{Architecture, NetSpec, SpecError, Stage};

/// Sums over some layers, for one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Trained parameters.
    pub parameters: u64,
    /// Running statistics of batch normalisation.
    pub statistics: u64,
    /// Multiply-adds of the convolutions.
    pub multiply_adds: u64,
    /// Numbers that the convolutions put out.
    pub activations: u64,
}

/// A network's sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetCount {
    /// Block by block, in the order of computation: `e0`.
    pub blocks: Vec<(String, Count)>,
    pub total: Count,
}

impl Count {
    fn add(&mut self, other: &Self) {
        self.parameters += other.parameters;
        self.statistics += other.statistics;
        self.multiply_adds += other.multiply_adds;
        self.activations += other.activations;
    }

    /// Multiply-adds in units of 10⁹.
    pub fn gmac(&self) -> f64 {
        self.multiply_adds as f64 / 1e9
    }

    /// Memory of the convolutions' outputs in MiB of f32.
    pub fn activation_mib(&self) -> f64 {
        self.activations as f64 * 4.0 / f64::from(1 << 20)
    }
}

/// Counts a network for pictures of `height`×`width` pixels. No tensor is made.
pub fn count(spec: &NetSpec, height: usize, width: usize) -> Result<NetCount, SpecError> {
    spec.check()?;
    let mut blocks: Vec<(String, Count)> = Vec::new();
    let mut total = Count::default();
    for layer in layers(spec, height, width) {
        let one = Count {
            parameters: layer.parameters(),
            statistics: layer.statistics(),
            multiply_adds: layer.multiply_adds(),
            activations: layer.activations(),
        };
        total.add(&one);
        match blocks.last_mut() {
            Some((name, count)) if *name == layer.block => count.add(&one),
            _ => blocks.push((layer.block, one)),
        }
    }
    Ok(NetCount { blocks, total })
}

/// By how many parameters grouping makes this network larger than the plain U-net of its width; `None` where it does
/// not. At a small width every group holds the whole layer and the 1×1 convolutions come on top: scale C as the width.
pub fn larger_than_unet(spec: &NetSpec) -> Option<u64> {
    spec.architecture.stages().filter(|stages| stages.iter().any(|stage| matches!(stage, Stage::Group(_))))?;
    let plain = NetSpec { architecture: Architecture::UNet, ..*spec };
    let [ours, plain] = [spec, &plain].map(|spec| count(spec, 256, 256).map(|count| count.total.parameters));
    ours.ok()?.checked_sub(plain.ok()?).filter(|more| *more > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(architecture: Architecture, base: usize) -> NetSpec {
        NetSpec { architecture, channels: 3, base, outputs: 1 }
    }

    #[test]
    fn blocks_have_the_counts_of_their_closed_forms() {
        // e0 .. e4, d3 .. d0, head at width 64.
        let tables: [(Architecture, [u64; 10]); 4] = [
            (
                Architecture::UNet,
                [38_976, 221_952, 886_272, 3_542_016, 4_721_664, 5_900_544, 1_475_712, 369_216, 110_976, 65],
            ),
            (
                Architecture::LightUNet,
                [6_848, 92_160, 364_544, 1_449_984, 2_629_632, 4_857_088, 1_216_128, 304_960, 78_848, 65],
            ),
            (
                Architecture::LighterUNet { group: 128 },
                [41_684, 209_856, 542_592, 1_281_792, 1_708_032, 2_428_672, 1_050_496, 484_288, 197_184, 65],
            ),
            (
                Architecture::LighterUNet { group: 1 },
                [5_342, 27_264, 103_680, 403_968, 537_600, 673_024, 172_672, 45_376, 14_592, 65],
            ),
        ];
        for (architecture, expected) in tables {
            let count = count(&spec(architecture, 64), 256, 256).unwrap();
            let names: Vec<&str> = count.blocks.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["e0", "e1", "e2", "e3", "e4", "d3", "d2", "d1", "d0", "head"]);
            let ours: Vec<u64> = count.blocks.iter().map(|(_, count)| count.parameters).collect();
            assert_eq!(ours, expected, "{}", architecture.name());
        }
    }

    #[test]
    fn work_and_memory_at_256_pixels_are_the_known_ones() {
        let known = [39.98, 25.63, 37.67, 23.78, 14.12, 9.28, 6.87, 5.66, 5.06, 4.75];
        let mib = [114.0, 175.0, 243.0, 243.0, 243.0, 243.0, 243.0, 243.0, 243.0, 243.0];
        for ((architecture, gmac), mib) in Architecture::ALL.into_iter().zip(known).zip(mib) {
            let count = count(&spec(architecture, 64), 256, 256).unwrap().total;
            let name = architecture.name();
            assert!((count.gmac() - gmac).abs() < 0.0051, "{name}: {} GMAC", count.gmac());
            assert!((count.activation_mib() - mib).abs() < 0.51, "{name}: {} MiB", count.activation_mib());
        }
    }

    #[test]
    fn the_other_networks_have_their_counts() {
        let known: [(Architecture, u64, &[u64]); 7] = [
            // The public network has 5 888 biases less and, of two classes, 65 parameters more: 31 037 698.
            (Architecture::TransposedUNet, 31_043_521, &[38_976]),
            (Architecture::Fcn32s, 18_643_713, &[14_714_688]),
            (Architecture::Fcn16s, 18_643_713, &[14_714_688]),
            (Architecture::Fcn8s, 18_643_713, &[14_714_688]),
            (Architecture::DeepLabResNet101, 59_339_169, &[42_500_160, 15_535_104, 1_303_905]),
            (Architecture::DeepLabXception, 54_700_177, &[37_867_312, 15_535_104, 1_297_761]),
            (Architecture::DeepLabMobileNetV2, 5_810_913, &[1_811_712, 2_706_432, 1_292_769]),
        ];
        for (architecture, total, blocks) in known {
            let count = count(&spec(architecture, 64), 256, 256).unwrap();
            assert_eq!(count.total.parameters, total, "{}", architecture.name());
            for ((_, count), known) in count.blocks.iter().zip(blocks) {
                assert_eq!(count.parameters, *known, "{}", architecture.name());
            }
        }
    }

    #[test]
    fn grouping_that_makes_the_network_larger_is_told() {
        assert_eq!(larger_than_unet(&spec(Architecture::LighterUNet { group: 128 }, 16)), Some(1_348_021 - 1_082_033));
        assert_eq!(larger_than_unet(&spec(Architecture::LighterUNet { group: 128 }, 64)), None);
        assert_eq!(larger_than_unet(&spec(Architecture::LighterUNet { group: 32 }, 16)), None);
        assert_eq!(larger_than_unet(&spec(Architecture::UNet, 16)), None);
    }

    #[test]
    fn groups_that_do_not_divide_a_layer_are_refused() {
        let odd = spec(Architecture::LighterUNet { group: 5 }, 64);
        assert_eq!(count(&odd, 64, 64), Err(SpecError::Group { group: 5, inputs: 64 }));
        assert!(count(&spec(Architecture::LighterUNet { group: 0 }, 64), 64, 64).is_err());
        assert!(count(&spec(Architecture::UNet, 0), 64, 64).is_err());
        assert!(count(&NetSpec { channels: 2, ..spec(Architecture::UNet, 64) }, 64, 64).is_err());
    }

    #[test]
    fn keys_name_architectures() {
        for architecture in Architecture::ALL {
            assert_eq!(Architecture::parse(&architecture.key()), Some(architecture));
        }
        assert_eq!(Architecture::parse("lighter-24"), Some(Architecture::LighterUNet { group: 24 }));
        assert_eq!(Architecture::parse("lighter-0"), None);
        assert_eq!(Architecture::parse("vgg"), None);
    }
}
