//! Reads images and masks: any depth and colour, huge ones within a limit of memory, damaged ones as problems.

use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use image::{ColorType, ImageDecoder, ImageReader};
use rayon::prelude::*;

use super::listing::{Pair, Size};
use super::{Problem, Watch};
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
#[derive(Debug, Default)]
pub struct Reader {
    limits: ReadLimits,
    in_use: Mutex<u64>,
    freed: Condvar,
}

/// Width and height from a file's header.
pub fn size_of(path: &Path) -> Result<Size, String> {
    guarded(|| open(path)?.into_dimensions().map_err(|error| unreadable(&error)))
}

impl Reader {
    pub fn new(limits: ReadLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// An image alone.
    pub fn picture(&self, path: &Path) -> Result<Picture, Problem> {
        self.decoded(path, |raw| {
            let (width, height, factor) = raw.reduced(self.limits.most_pixels);
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
        let decode = || {
            let mut decoder = open(path)?.into_decoder().map_err(|error| unreadable(&error))?;
            let (size, color, bytes) = (decoder.dimensions(), decoder.color_type(), decoder.total_bytes());
            if size.0 == 0 || size.1 == 0 {
                return Err("has no pixels".to_owned());
            }
            let room = self.room(size, bytes)?;
            let mut limits = image::Limits::default();
            limits.max_alloc = Some(self.limits.decoded_bytes);
            decoder.set_limits(limits).map_err(|error| unreadable(&error))?;
            let mut data = vec![0; bytes as usize];
            decoder.read_image(&mut data).map_err(|error| unreadable(&error))?;
            let result = take(&Raw::new(size, color, data));
            drop(room);
            Ok(result)
        };
        guarded(decode).map_err(|problem| Problem { path: path.to_owned(), problem })
    }

    /// Waits until `bytes` more may be decoded.
    fn room(&self, size: Size, bytes: u64) -> Result<Room<'_>, String> {
        let limit = self.limits.decoded_bytes;
        if bytes > limit {
            let mib = |bytes: u64| bytes.div_ceil(1 << 20);
            return Err(format!(
                "is {}×{} pixels, which take {} MiB; at most {} MiB are decoded at a time: make it smaller",
                size.0,
                size.1,
                mib(bytes),
                mib(limit)
            ));
        }
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        while *in_use + bytes > limit {
            in_use = self.freed.wait(in_use).unwrap_or_else(PoisonError::into_inner);
        }
        *in_use += bytes;
        Ok(Room { reader: self, bytes })
    }
}

/// Memory that is taken until this is dropped.
struct Room<'a> {
    reader: &'a Reader,
    bytes: u64,
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        *self.reader.in_use.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.reader.freed.notify_all();
    }
}

/// The format is known by a file's first bytes, whatever its name says.
fn open(path: &Path) -> Result<ImageReader<BufReader<std::fs::File>>, String> {
    let file = std::fs::File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    if file.metadata().is_ok_and(|meta| meta.len() == 0) {
        return Err("is an empty file; fetch it again or remove it".to_owned());
    }
    ImageReader::new(BufReader::new(file))
        .with_guessed_format()
        .map(|mut reader| {
            if reader.format().is_none()
                && let Ok(format) = image::ImageFormat::from_path(path)
            {
                reader.set_format(format);
            }
            reader
        })
        .map_err(|error| format!("cannot be read: {error}"))
}

fn unreadable(error: &image::ImageError) -> String {
    match error {
        image::ImageError::Unsupported(error) => {
            format!("is of a kind that is not read ({error}); save it as an 8- or 16-bit PNG")
        }
        error => format!("is damaged or no picture ({error}); fetch it again or remove it"),
    }
}

/// A damaged file may make a decoder panic; that is a problem of that file alone.
fn guarded<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err("is damaged: its decoder gave up; fetch it again or remove it".to_owned()))
}

/// A decoded file.
struct Raw {
    size: Size,
    color: ColorType,
    data: Vec<u8>,
    /// A channel's value times this is 0 to 255.
    scale: f32,
    /// Largest value of a colour channel, as stored.
    most: f32,
}

impl Raw {
    /// 16 bits: the values fill the smallest of 8, 10, 12, 14 and 16 bits that holds the largest of them, as many
    /// devices store fewer bits than the file has. Floating point: 0 to 1, or 0 to 255, or up to the largest value.
    fn new(size: Size, color: ColorType, data: Vec<u8>) -> Self {
        let mut raw = Raw { size, color, data, scale: 1.0, most: 0.0 };
        let pixels = size.0 as usize * size.1 as usize;
        raw.most = (0..pixels).flat_map(|i| raw.stored(i)).fold(0.0, f32::max);
        raw.scale = match raw.bytes_per_channel() {
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

    fn bytes_per_channel(&self) -> usize {
        usize::from(self.color.bytes_per_pixel()) / usize::from(self.color.channel_count())
    }

    /// Red, green and blue of pixel `i` as stored; alpha is left out.
    fn stored(&self, i: usize) -> [f32; 3] {
        let channels = usize::from(self.color.channel_count());
        let value = |channel: usize| {
            let at = i * channels + channel;
            match self.bytes_per_channel() {
                1 => f32::from(self.data[at]),
                2 => f32::from(u16::from_ne_bytes([self.data[2 * at], self.data[2 * at + 1]])),
                _ => {
                    let bytes = self.data[4 * at..].first_chunk().copied().unwrap_or_default();
                    let value = f32::from_ne_bytes(bytes);
                    if value.is_finite() { value.max(0.0) } else { 0.0 }
                }
            }
        };
        if channels < 3 { [value(0); 3] } else { [value(0), value(1), value(2)] }
    }

    fn pixel(&self, i: usize) -> [u8; 3] {
        self.stored(i).map(|value| (value * self.scale).round().min(255.0) as u8)
    }

    /// Width, height and whole factor at which at most `most` pixels are left.
    fn reduced(&self, most: usize) -> (usize, usize, usize) {
        let (width, height) = (self.size.0 as usize, self.size.1 as usize);
        let at = |factor: usize| (width.div_ceil(factor), height.div_ceil(factor));
        let factor = (1..).find(|&factor| at(factor).0 * at(factor).1 <= most.max(1)).unwrap_or(1);
        (at(factor).0, at(factor).1, factor)
    }

    /// Calls `f` with the number of the pixel here for every pixel of the file.
    fn blocks(&self, factor: usize, mut f: impl FnMut(usize, usize)) {
        let width = self.size.0 as usize;
        let reduced = width.div_ceil(factor);
        for y in 0..self.size.1 as usize {
            for x in 0..width {
                f(y / factor * reduced + x / factor, y * width + x);
            }
        }
    }

    /// `[H, W, 3]`, each pixel the mean of its block.
    fn rgb(&self, factor: usize) -> Vec<u8> {
        let pixels = self.data.len() / usize::from(self.color.bytes_per_pixel());
        if factor == 1 {
            return (0..pixels).flat_map(|i| self.pixel(i)).collect();
        }
        let (width, height) = ((self.size.0 as usize).div_ceil(factor), (self.size.1 as usize).div_ceil(factor));
        let mut sums = vec![[0_u32; 4]; width * height];
        self.blocks(factor, |to, from| {
            let [r, g, b] = self.pixel(from).map(u32::from);
            let sum = &mut sums[to];
            *sum = [sum[0] + r, sum[1] + g, sum[2] + b, sum[3] + 1];
        });
        sums.iter().flat_map(|&[r, g, b, n]| [r, g, b].map(|sum| ((sum + n / 2) / n.max(1)) as u8)).collect()
    }

    /// The mask at the size of `picture`: a pixel is lesion where at least half of its block is; in a file of another
    /// size than the image's, where the pixel at its centre is.
    fn mask(&self, picture: &Picture) -> (Mask, MaskFacts) {
        let zero_one = self.most == 1.0 && self.bytes_per_channel() < 4;
        let lesion = |value: u8| if zero_one { value > 0 } else { value > 127 };
        let brightest_of = |i: usize| self.pixel(i).into_iter().max().unwrap_or_default();
        let (width, height) = (self.size.0 as usize, self.size.1 as usize);
        let (mut grey, mut brightest) = (0_usize, 0);
        let same = self.size == picture.original;
        let mut counts = vec![(0_u32, 0_u32); if same { picture.width * picture.height } else { 0 }];
        self.blocks(picture.factor, |to, from| {
            let value = brightest_of(from);
            grey += usize::from((16..240).contains(&value));
            brightest = brightest.max(value);
            if let Some(count) = counts.get_mut(to) {
                *count = (count.0 + u32::from(lesion(value)), count.1 + 1);
            }
        });
        let mask = if same {
            Mask::from_fn(picture.height, picture.width, |row, column| {
                let (lesion, all) = counts[row * picture.width + column];
                lesion > 0 && 2 * lesion >= all
            })
        } else {
            let place = |i: usize, count: usize, size: usize| (2 * i + 1) * size / (2 * count);
            Mask::from_fn(picture.height, picture.width, |row, column| {
                let at = place(row, picture.height, height) * width + place(column, picture.width, width);
                lesion(brightest_of(at))
            })
        };
        let facts = MaskFacts {
            grey_share: grey as f64 / (width * height) as f64,
            zero_one,
            dim: (!zero_one && (1..=127).contains(&brightest)).then_some(brightest),
            other_size: None,
        };
        (mask, facts)
    }
}
