//! Reads images and masks: any depth and colour, huge ones within a limit of memory, damaged ones as problems.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::listing::{Pair, Size};
use super::{Problem, Watch};
use crate::data::picture_file::{Decoded, Memory};
use crate::metrics::mask::Mask;

/// How much memory reading may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Pixels of an image that is kept. A larger one is made smaller by a whole factor as soon as it is decoded.
    pub most_pixels: usize,
    /// Bytes of decoded files at any one time, all threads together. A file that takes more alone is refused.
    pub decoded_bytes: u64,
}

impl Default for ReadLimits {
    /// 4 million pixels are kept, 1 GiB decoded: 8000×8000 pixels take 192 MB in 8-bit colour and 512 MB at most.
    fn default() -> Self {
        Self { most_pixels: 1 << 22, decoded_bytes: 1 << 30 }
    }
}

/// An image in 8-bit colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    /// `[H, W, 3]` red, green, blue.
    pub rgb: Vec<u8>,
    /// Width and height in the file.
    pub original: Size,
    /// Pixels of the file along each side of one pixel here; 1 unless the file is huge.
    pub factor: usize,
}

/// What is odd about the files of a mask.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MaskFacts {
    /// Largest share, over the files, of pixels that are neither black nor white (from 16 to 239 of 255).
    pub grey_share: f64,
    /// A file has no value above 1, and 1 was read as lesion.
    pub zero_one: bool,
    /// The brightest value of a file that has none above 127 but some from 2 on; it holds no lesion by the rule.
    pub dim: Option<u8>,
    /// The size of a mask that was resized to its image's.
    pub other_size: Option<Size>,
}

/// An image with its lesions, at one size.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub picture: Picture,
    pub mask: Mask,
    pub facts: MaskFacts,
}

/// What reading many pairs gave.
#[derive(Debug)]
pub struct ReadAll<T> {
    /// By number of the pair, ascending.
    pub items: Vec<(usize, T)>,
    pub problems: Vec<Problem>,
    /// It was stopped, and items are missing.
    pub cancelled: bool,
}

/// Reads files within [`ReadLimits`]; shared by threads.
#[derive(Debug)]
pub struct Reader {
    most_pixels: usize,
    memory: Memory,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new(ReadLimits::default())
    }
}

impl Reader {
    pub fn new(limits: ReadLimits) -> Self {
        Self { most_pixels: limits.most_pixels, memory: Memory::new(limits.decoded_bytes) }
    }

    /// An image alone.
    pub fn picture(&self, path: &Path) -> Result<Picture, Problem> {
        self.decoded(path, |raw| {
            let (width, height, factor) = raw.reduced(self.most_pixels);
            Picture { width, height, rgb: raw.rgb(factor), original: raw.size, factor }
        })
    }

    /// An image with its lesions: where any colour channel of any of its masks is above 127 of 255 (1 in a mask of zeros
    /// and ones); alpha does not count. A mask of another size is stretched to the image's.
    pub fn pair(&self, pair: &Pair) -> Result<Sample, Problem> {
        let picture = self.picture(&pair.image)?;
        let mut mask = Mask::empty(picture.height, picture.width);
        let mut facts = MaskFacts::default();
        for path in pair.masks_in_use() {
            let (one, of_one, size) = self.decoded(path, |raw| {
                let (one, facts) = raw.mask(&picture);
                (one, facts, raw.size)
            })?;
            mask.add(&one);
            facts.grey_share = facts.grey_share.max(of_one.grey_share);
            facts.zero_one |= of_one.zero_one;
            facts.dim = facts.dim.max(of_one.dim);
            facts.other_size = facts.other_size.or((size != picture.original).then_some(size));
        }
        Ok(Sample { picture, mask, facts })
    }

    /// Reads `pairs` on all cores; `keep` takes of each sample what is needed. Where it is stopped, what was read so far
    /// is handed back.
    pub fn all<T: Send>(
        &self,
        pairs: &[Pair],
        watch: Watch<'_>,
        keep: impl Fn(usize, Sample) -> T + Sync,
    ) -> ReadAll<T> {
        let done = AtomicUsize::new(0);
        let results: Vec<Option<Result<T, Problem>>> = pairs
            .par_iter()
            .enumerate()
            .map(|(i, pair)| {
                if watch.cancelled() {
                    return None;
                }
                let result = self.pair(pair).map(|sample| keep(i, sample));
                (watch.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, pairs.len());
                Some(result)
            })
            .collect();
        let mut all = ReadAll { items: Vec::with_capacity(pairs.len()), problems: Vec::new(), cancelled: false };
        for (i, result) in results.into_iter().enumerate() {
            match result {
                Some(Ok(item)) => all.items.push((i, item)),
                Some(Err(problem)) => all.problems.push(problem),
                None => all.cancelled = true,
            }
        }
        all
    }

    /// Decodes a file as soon as there is room for it.
    fn decoded<T>(&self, path: &Path, take: impl FnOnce(&Raw) -> T) -> Result<T, Problem> {
        let result = self.memory.decode(path, |decoded| take(&Raw::new(decoded)));
        result.map_err(|problem| Problem { path: path.to_owned(), problem })
    }
}

/// A decoded file and what its numbers mean.
struct Raw {
    size: Size,
    data: Vec<u8>,
    channels: usize,
    bytes_per_channel: usize,
    /// A channel's value times this is 0 to 255.
    scale: f32,
    /// Largest value of a colour channel, as stored.
    most: f32,
}

impl Raw {
    /// 16 bits: the values fill the smallest of 8, 10, 12, 14 and 16 bits that holds the largest of them, as many
    /// devices store fewer bits than the file has. Floating point: 0 to 1, or 0 to 255, or up to the largest value.
    fn new(decoded: Decoded) -> Self {
        let channels = usize::from(decoded.color.channel_count());
        let bytes_per_channel = usize::from(decoded.color.bytes_per_pixel()) / channels;
        let mut raw =
            Raw { size: decoded.size, data: decoded.data, channels, bytes_per_channel, scale: 1.0, most: 0.0 };
        let pixels = raw.size.0 as usize * raw.size.1 as usize;
        raw.most = match bytes_per_channel {
            1 => f32::from(raw.data.chunks_exact(channels).flat_map(colours).max().unwrap_or(0)),
            _ => (0..pixels).flat_map(|i| raw.stored(i)).fold(0.0, f32::max),
        };
        raw.scale = match bytes_per_channel {
            1 => 1.0,
            2 => {
                let bits = [8, 10, 12, 14].into_iter().find(|bits| raw.most < (1_u32 << bits) as f32).unwrap_or(16);
                255.0 / ((1_u32 << bits) - 1) as f32
            }
            _ if raw.most <= 1.0 => 255.0,
            _ if raw.most <= 255.0 => 1.0,
            _ => 255.0 / raw.most,
        };
        raw
    }

    /// Red, green and blue of pixel `i` as stored; alpha is left out.
    fn stored(&self, i: usize) -> [f32; 3] {
        let value = |channel: usize| {
            let at = i * self.channels + channel;
            match self.bytes_per_channel {
                1 => f32::from(self.data[at]),
                2 => f32::from(u16::from_ne_bytes([self.data[2 * at], self.data[2 * at + 1]])),
                _ => {
                    let bytes = self.data[4 * at..].first_chunk().copied().unwrap_or_default();
                    let value = f32::from_ne_bytes(bytes);
                    if value.is_finite() { value.max(0.0) } else { 0.0 }
                }
            }
        };
        if self.channels < 3 { [value(0); 3] } else { [value(0), value(1), value(2)] }
    }

    fn pixel(&self, i: usize) -> [u8; 3] {
        if self.bytes_per_channel == 1 {
            return colours(&self.data[i * self.channels..][..self.channels]);
        }
        self.stored(i).map(|value| (value * self.scale).round().min(255.0) as u8)
    }

    /// Width, height and whole factor at which at most `most` pixels are left.
    fn reduced(&self, most: usize) -> (usize, usize, usize) {
        let (width, height) = (self.size.0 as usize, self.size.1 as usize);
        let at = |factor: usize| (width.div_ceil(factor), height.div_ceil(factor));
        let factor = (1..).find(|&factor| at(factor).0 * at(factor).1 <= most.max(1)).unwrap_or(1);
        (at(factor).0, at(factor).1, factor)
    }

    /// Goes through the blocks of `factor`×`factor` pixels that become one: `add` is called for every pixel of the file
    /// with the sum of its block, `end` with the sums of a row of blocks. Only one row of sums is kept.
    fn blocks<S: Copy + Default>(
        &self,
        factor: usize,
        mut add: impl FnMut(&mut S, [u8; 3]),
        mut end: impl FnMut(&[S]),
    ) {
        let (width, height) = (self.size.0 as usize, self.size.1 as usize);
        let mut sums = vec![S::default(); width.div_ceil(factor)];
        for y in 0..height {
            for (block, sum) in sums.iter_mut().enumerate() {
                for x in block * factor..((block + 1) * factor).min(width) {
                    add(sum, self.pixel(y * width + x));
                }
            }
            if (y + 1) % factor == 0 || y + 1 == height {
                end(&sums);
                sums.fill(S::default());
            }
        }
    }

    /// `[H, W, 3]`, each pixel the mean of its block.
    fn rgb(&self, factor: usize) -> Vec<u8> {
        let (width, height) = (self.size.0 as usize, self.size.1 as usize);
        let mut rgb = Vec::with_capacity(3 * width.div_ceil(factor) * height.div_ceil(factor));
        if factor == 1 {
            (0..width * height).for_each(|i| rgb.extend(self.pixel(i)));
            return rgb;
        }
        self.blocks(
            factor,
            |sum: &mut [u32; 4], pixel| {
                let [r, g, b] = pixel.map(u32::from);
                *sum = [sum[0] + r, sum[1] + g, sum[2] + b, sum[3] + 1];
            },
            |sums| {
                let mean = |&[r, g, b, n]: &[u32; 4]| [r, g, b].map(|sum| ((sum + n / 2) / n.max(1)) as u8);
                rgb.extend(sums.iter().flat_map(mean));
            },
        );
        rgb
    }

    /// The mask at the size of `picture`: a pixel is lesion where at least half of its block is; in a file of another
    /// size than the image's, where the pixel at its centre is.
    fn mask(&self, picture: &Picture) -> (Mask, MaskFacts) {
        let zero_one = self.most == 1.0 && self.bytes_per_channel < 4;
        let lesion = |value: u8| if zero_one { value > 0 } else { value > 127 };
        let (width, height) = (self.size.0 as usize, self.size.1 as usize);
        let (mut grey, mut brightest) = (0_usize, 0);
        let same = self.size == picture.original;
        let mut pixels = Vec::with_capacity(if same { picture.width * picture.height } else { 0 });
        self.blocks(
            picture.factor,
            |count: &mut (u32, u32), pixel| {
                let value = largest(pixel);
                grey += usize::from((16..240).contains(&value));
                brightest = brightest.max(value);
                *count = (count.0 + u32::from(lesion(value)), count.1 + 1);
            },
            |counts| {
                if same {
                    pixels.extend(counts.iter().map(|&(lesion, all)| lesion > 0 && 2 * lesion >= all));
                }
            },
        );
        let mask = Mask::new(picture.height, picture.width, pixels).unwrap_or_else(|_| {
            let place = |i: usize, count: usize, size: usize| (2 * i + 1) * size / (2 * count);
            Mask::from_fn(picture.height, picture.width, |row, column| {
                let at = place(row, picture.height, height) * width + place(column, picture.width, width);
                lesion(largest(self.pixel(at)))
            })
        });
        let facts = MaskFacts {
            grey_share: grey as f64 / (width * height) as f64,
            zero_one,
            dim: (!zero_one && (1..=127).contains(&brightest)).then_some(brightest),
            other_size: None,
        };
        (mask, facts)
    }
}

/// Red, green and blue of a pixel of 1 to 4 channels in 8 bits.
fn colours(pixel: &[u8]) -> [u8; 3] {
    match *pixel {
        [r, g, b, ..] => [r, g, b],
        [grey, ..] => [grey; 3],
        [] => [0; 3],
    }
}

fn largest(pixel: [u8; 3]) -> u8 {
    pixel.into_iter().max().unwrap_or_default()
}
