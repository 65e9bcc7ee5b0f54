//! Sets of small labelled images in memory, all of one size.

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

impl ImageSet {
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
