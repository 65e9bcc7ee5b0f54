//! Sets of small labelled images in memory, all of one size.

use rayon::prelude::*;

/// Images of one size with a class each, 8 bits a channel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImageSet {
    /// 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// One image after the other, each `[C, H, W]` row-major.
    pub pixels: Vec<u8>,
    /// Class of each image.
    pub classes: Vec<u32>,
    pub class_names: Vec<String>,
}

/// A set to train on and one to test on.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageData {
    pub train: ImageSet,
    pub test: ImageSet,
    /// In words, with counts and where it comes from; for a run's header.
    pub description: String,
    /// What the user should know before training on it, e.g. that batches are missing.
    pub warnings: Vec<String>,
}

/// Mean and standard deviation of each channel, of pixels from 0 to 1: what normalisation takes out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    pub mean: [f32; 3],
    pub std: [f32; 3],
}

impl Moments {
    /// CIFAR-10's.
    pub const CIFAR: Self = Self { mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.2010] };
    /// ImageNet's, as torchvision's networks expect.
    pub const IMAGENET: Self = Self { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

    /// Of a channel; of a grey picture's only one the first.
    pub fn of(&self, channel: usize) -> (f32, f32) {
        (self.mean[channel.min(2)], self.std[channel.min(2)])
    }

    /// Means, then deviations, for a checkpoint.
    pub fn numbers(&self) -> Vec<f64> {
        self.mean.iter().chain(&self.std).map(|&value| f64::from(value)).collect()
    }

    /// From what [`Moments::numbers`] gave; a number that is not there is 0.
    pub fn from_numbers(numbers: &[f64]) -> Self {
        let three = |from: usize| [0, 1, 2].map(|i| numbers.get(from + i).map_or(0.0, |&value| value as f32));
        Self { mean: three(0), std: three(3) }
    }
}

impl std::fmt::Display for Moments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |of: [f32; 3]| of.map(|value| format!("{value:.4}")).join(", ");
        write!(f, "mean {}, standard deviation {} (red, green, blue)", list(self.mean), list(self.std))
    }
}

impl ImageSet {
    /// Mean and standard deviation of every channel over all pixels of all pictures. Of a channel that varies by less than a level of
    /// 255 the deviation is 1, so that it is only centred; so is that of channels that the set has not.
    pub fn moments(&self) -> Moments {
        let plane = self.height * self.width;
        // Whole numbers: exact, however the work is shared.
        let sums = (0..self.len())
            .into_par_iter()
            .map(|i| {
                let mut sums = [[0_u64; 2]; 3];
                for (sums, plane) in sums.iter_mut().zip(self.image(i).chunks_exact(plane.max(1))) {
                    for &byte in plane {
                        let value = u64::from(byte);
                        *sums = [sums[0] + value, sums[1] + value * value];
                    }
                }
                sums
            })
            .reduce(|| [[0; 2]; 3], |a, b| [0, 1, 2].map(|channel| [0, 1].map(|k| a[channel][k] + b[channel][k])));
        let count = (self.len() * plane).max(1) as f64;
        let of = |channel: usize| {
            let [sum, squares] = sums[channel].map(|sum| sum as f64);
            let mean = sum / count;
            (mean / 255.0, (squares / count - mean * mean).max(0.0).sqrt() / 255.0)
        };
        let all = [0, 1, 2].map(of);
        let least = 1.0 / 255.0;
        Moments {
            mean: all.map(|(mean, _)| mean as f32),
            std: all.map(|(_, std)| if std < least { 1.0 } else { std as f32 }),
        }
    }

    pub fn len(&self) -> usize {
        self.classes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// Bytes of one image: C·H·W.
    pub fn image_bytes(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Image `i`, `[C, H, W]` row-major.
    ///
    /// # Panics
    /// Where there is no such image.
    pub fn image(&self, i: usize) -> &[u8] {
        let bytes = self.image_bytes();
        &self.pixels[i * bytes..(i + 1) * bytes]
    }

    /// CRC-32 over sizes, pixels and classes.
    pub fn checksum(&self) -> u32 {
        let mut hash = crc32fast::Hasher::new();
        for size in [self.channels, self.height, self.width] {
            hash.update(&(size as u64).to_le_bytes());
        }
        hash.update(&self.pixels);
        for class in &self.classes {
            hash.update(&class.to_le_bytes());
        }
        hash.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pictures of 2×1: red varies, green is constant, blue varies by a pixel.
    fn set() -> ImageSet {
        ImageSet {
            channels: 3,
            height: 1,
            width: 2,
            pixels: vec![0, 51, 100, 100, 0, 0, 102, 255, 100, 100, 0, 255],
            classes: vec![0, 1],
            class_names: vec!["a".to_owned(), "b".to_owned()],
        }
    }

    #[test]
    fn moments_are_those_of_all_pixels_and_a_constant_channel_divides_by_one() {
        let moments = set().moments();
        // Red: 0, 0.2, 0.4, 1.
        let std = |values: [f64; 4]| {
            let mean = values.iter().sum::<f64>() / 4.0;
            (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 4.0).sqrt()
        };
        let expected = [(0.4, std([0.0, 0.2, 0.4, 1.0])), (100.0 / 255.0, 1.0), (0.25, std([0.0, 0.0, 0.0, 1.0]))];
        for (channel, (mean, deviation)) in expected.into_iter().enumerate() {
            let ours = moments.of(channel);
            assert!((f64::from(ours.0) - mean).abs() < 1e-7, "{channel}: {ours:?}");
            assert!((f64::from(ours.1) - deviation).abs() < 1e-7, "{channel}: {ours:?}");
        }
        assert_eq!(Moments::from_numbers(&moments.numbers()), moments);
        let none = ImageSet::default().moments();
        assert_eq!((none.mean, none.std), ([0.0; 3], [1.0; 3]));
    }
}
