//! Files of pictures: the one place where they are opened and decoded, within a limit of memory whatever a file claims.

mod jpeg;
mod png;
mod tiff;

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageError, ImageFormat, ImageReader, ImageResult};

use crate::disk;

pub use png::Palette;

/// Bytes of all that lies in a file beside its pixels: colour profiles, texts, tables. A few kilobytes can be packed so
/// that they unpack to gigabytes.
const BESIDE_PIXELS: u64 = 32 << 20;
/// Bytes of a file that is taken into memory whole, as every JPEG is, even for the size alone.
const MOST_WHOLE: u64 = 256 << 20;

const CUT_SHORT: &str = "is damaged or cut short: a part of the picture is missing; fetch it again or remove it";

/// Width and height.
pub type Size = (u32, u32);

/// A decoded file, or one page of it.
pub struct Decoded {
    /// Upright, as its orientation tag says.
    pub image: DynamicImage,
    /// The file holds it turned or mirrored, and a tag says so.
    pub turned: bool,
    /// It was packed with loss (JPEG): values near edges are not those that were drawn.
    pub lossy: bool,
    /// `image` holds numbers of this palette.
    pub palette: Option<Palette>,
    /// A decoded value is this many times what the file holds: 255 of one bit, 85 of two, 17 of four.
    pub step: u8,
}

impl Decoded {
    pub fn size(&self) -> Size {
        (self.image.width(), self.image.height())
    }
}

/// The largest colour values of pictures of more than 8 bits, together: all of a set are shown at one scale.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Brightest {
    /// Of those of 16 bits; 0: there are none.
    pub deep: u16,
    /// Of those of floating-point numbers; 0: there are none.
    pub float: f32,
}

impl Brightest {
    /// That of one picture.
    pub fn of(image: &DynamicImage) -> Self {
        let channels = usize::from(image.color().channel_count());
        let colours = if channels > 2 { 3 } else { 1 };
        match image {
            DynamicImage::ImageLuma16(_)
            | DynamicImage::ImageLumaA16(_)
            | DynamicImage::ImageRgb16(_)
            | DynamicImage::ImageRgba16(_) => {
                let values = image.as_bytes().as_chunks::<2>().0;
                let colour = values.chunks_exact(channels).flat_map(|pixel| &pixel[..colours]);
                Self { deep: colour.map(|&bytes| u16::from_ne_bytes(bytes)).max().unwrap_or(0), float: 0.0 }
            }
            DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_) => {
                let values = image.as_bytes().as_chunks::<4>().0;
                let colour = values.chunks_exact(channels).flat_map(|pixel| &pixel[..colours]);
                let finite = colour.map(|&bytes| f32::from_ne_bytes(bytes)).filter(|value| value.is_finite());
                Self { deep: 0, float: finite.fold(0.0, f32::max) }
            }
            _ => Self::default(),
        }
    }

    pub fn join(self, other: Self) -> Self {
        Self { deep: self.deep.max(other.deep), float: self.float.max(other.float) }
    }

    /// The smallest of 8, 10, 12, 14 and 16 bits that holds the values: many devices store fewer bits than a file has.
    pub fn bits(self) -> u32 {
        [8, 10, 12, 14].into_iter().find(|bits| u32::from(self.deep) < 1 << bits).unwrap_or(16)
    }

    /// The floating-point value that is white: 1, or 255, or the largest.
    pub fn white(self) -> f32 {
        match self.float {
            most if most <= 1.0 => 1.0,
            most if most <= 255.0 => 255.0,
            most => most,
        }
    }
}

/// Memory for decoded files, shared by the threads that read them.
#[derive(Debug)]
pub struct Memory {
    limit: u64,
    in_use: Mutex<u64>,
    freed: Condvar,
}

/// Width and height of a picture, upright, from a file's header.
pub fn size_of(path: &Path) -> Result<Size, String> {
    guarded(|| {
        let opened = open(path, Wanted::Size)?;
        let (width, height) = opened.decoder.dimensions();
        Ok(if is_sideways(opened.orientation) { (height, width) } else { (width, height) })
    })
}

fn is_sideways(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

impl Memory {
    /// `limit`: bytes of decoded files at any one time, all threads together.
    pub fn new(limit: u64) -> Self {
        Self { limit, in_use: Mutex::new(0), freed: Condvar::new() }
    }

    /// Decodes a picture as soon as there is room for it, and hands it to `take`; it counts until `take` is done with it. A
    /// file of several pages is refused.
    pub fn decode<T>(&self, path: &Path, take: impl FnOnce(Decoded) -> T) -> Result<T, String> {
        guarded(|| {
            let opened = open(path, Wanted::Picture)?;
            if opened.pages > 1 {
                return Err(format!(
                    "has {} pages, and a picture is one: save the page that belongs to the mask as a file of its own",
                    opened.pages
                ));
            }
            self.with_room(opened, take)
        })
    }

    /// The same for a mask: every page is handed to `take`, a palette as its numbers. Gives the number of pages.
    pub fn decode_mask(&self, path: &Path, mut take: impl FnMut(Decoded)) -> Result<usize, String> {
        guarded(|| {
            let (mut page, mut pages) = (0, 1);
            while page < pages {
                let opened = open(path, Wanted::Mask { page })?;
                pages = opened.pages;
                self.with_room(opened, &mut take)?;
                page += 1;
            }
            Ok(pages)
        })
    }

    /// [`Brightest`] of a picture: only one of more than 8 bits is decoded.
    pub fn brightest(&self, path: &Path) -> Result<Brightest, String> {
        guarded(|| {
            let opened = open(path, Wanted::Size)?;
            let color = opened.decoder.color_type();
            if color.bytes_per_pixel() == color.channel_count() {
                return Ok(Brightest::default());
            }
            self.with_room(opened, |decoded| Brightest::of(&decoded.image))
        })
    }

    fn with_room<T>(&self, opened: Opened, take: impl FnOnce(Decoded) -> T) -> Result<T, String> {
        let Opened { decoder, orientation, format, probe, palette, step, .. } = opened;
        let (size, bytes) = (decoder.dimensions(), decoder.total_bytes());
        if size.0 == 0 || size.1 == 0 {
            return Err("has no pixels".to_owned());
        }
        // A picture is turned into a second copy.
        let room = self.room(size, if is_sideways(orientation) { bytes.saturating_mul(2) } else { bytes })?;
        let expected = probe.map(|probe| {
            let decoded = reader(Box::new(Cursor::new(probe)), format).into_decoder().and_then(|d| pixels(Box::new(d)));
            decoded.map(|image| crc32fast::hash(image.as_bytes()))
        });
        let mut image = pixels(decoder).map_err(|error| unreadable(&error))?;
        if expected.is_some_and(|expected| expected.ok() != Some(crc32fast::hash(image.as_bytes()))) {
            return Err(CUT_SHORT.to_owned());
        }
        image.apply_orientation(orientation);
        let lossy = format == Some(ImageFormat::Jpeg);
        let turned = orientation != Orientation::NoTransforms;
        let taken = take(Decoded { image, turned, lossy, palette, step });
        drop(room);
        Ok(taken)
    }

    /// Waits until `bytes` more may be decoded.
    fn room(&self, size: Size, bytes: u64) -> Result<Room<'_>, String> {
        if bytes > self.limit {
            let mib = |bytes: u64| bytes.div_ceil(1 << 20);
            return Err(format!(
                "is {}×{} pixels, which take {} MiB; at most {} MiB are decoded at a time: make it smaller",
                size.0,
                size.1,
                mib(bytes),
                mib(self.limit)
            ));
        }
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        while *in_use + bytes > self.limit {
            in_use = self.freed.wait(in_use).unwrap_or_else(PoisonError::into_inner);
        }
        *in_use += bytes;
        Ok(Room { memory: self, bytes })
    }
}

/// Memory that is taken until this is dropped.
struct Room<'a> {
    memory: &'a Memory,
    bytes: u64,
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        *self.memory.in_use.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.memory.freed.notify_all();
    }
}

/// What a file is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Size,
    Picture,
    Mask { page: usize },
}

/// A file whose header was read.
struct Opened {
    decoder: Box<dyn ImageDecoder>,
    orientation: Orientation,
    format: Option<ImageFormat>,
    pages: usize,
    /// Decodes to the same pixels if the file is whole; see [`jpeg`].
    probe: Option<Vec<u8>>,
    palette: Option<Palette>,
    /// See [`Decoded::step`].
    step: u8,
}

trait Input: BufRead + Seek {}
impl<T: BufRead + Seek> Input for T {}

/// Reads a file's header. The format is known by the first bytes, whatever the name says.
fn open(path: &Path, wanted: Wanted) -> Result<Opened, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    let mut file = disk::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    let length = file.metadata().map_or(0, |meta| meta.len());
    if length == 0 {
        return Err("is an empty file; fetch it again or remove it".to_owned());
    }
    let mut head = Vec::new();
    file.by_ref().take(32).read_to_end(&mut head).map_err(cannot)?;
    file.rewind().map_err(cannot)?;
    let format = image::guess_format(&head).or_else(|_| ImageFormat::from_path(path)).ok();
    let (mut orientation, mut pages, mut probe, mut palette) = (None, 1, None, None);
    let input: Box<dyn Input> = match format {
        Some(ImageFormat::Jpeg) => {
            let bytes = whole(&mut file, length, "JPEG")?;
            if wanted == Wanted::Size {
                Box::new(Cursor::new(bytes))
            } else {
                let versions = jpeg::versions(bytes).ok_or(CUT_SHORT)?;
                probe = Some(versions.probe);
                Box::new(Cursor::new(versions.plain))
            }
        }
        Some(ImageFormat::Tiff) => {
            let list = tiff::pages(&mut file)?;
            let number = if let Wanted::Mask { page } = wanted { page } else { 0 };
            pages = list.len().max(1);
            match list.get(number) {
                Some(page) => {
                    orientation = Orientation::from_exif(page.orientation);
                    Box::new(BufReader::new(tiff::FromPage::new(file, page).map_err(cannot)?))
                }
                None => {
                    file.rewind().map_err(cannot)?;
                    Box::new(BufReader::new(file))
                }
            }
        }
        Some(ImageFormat::Png) if matches!(wanted, Wanted::Mask { .. }) && png::has_palette(&head) => {
            let bytes = whole(&mut file, length, "PNG")?;
            match png::numbers(&bytes) {
                Some((grey, of)) => {
                    palette = Some(of);
                    Box::new(Cursor::new(grey))
                }
                None => Box::new(Cursor::new(bytes)),
            }
        }
        _ => Box::new(BufReader::new(file)),
    };
    let decoder = reader(input, format).into_decoder().map_err(|error| unreadable(&error))?;
    let mut decoder: Box<dyn ImageDecoder> = Box::new(decoder);
    // A tag that cannot be read turns nothing.
    let orientation = orientation.or_else(|| decoder.orientation().ok()).unwrap_or(Orientation::NoTransforms);
    let step = match decoder.original_color_type() {
        ExtendedColorType::L1 => 255,
        _ if format == Some(ImageFormat::Png) => png::step(&head),
        _ => 1,
    };
    Ok(Opened { decoder, orientation, format, pages, probe, palette, step })
}

fn whole(file: &mut File, length: u64, kind: &str) -> Result<Vec<u8>, String> {
    if length > MOST_WHOLE {
        return Err(format!("has {} MiB; at most {} MiB of a {kind} file are read", length >> 20, MOST_WHOLE >> 20));
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(MOST_WHOLE).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    Ok(bytes)
}

fn reader(input: Box<dyn Input>, format: Option<ImageFormat>) -> ImageReader<Box<dyn Input>> {
    let mut reader = ImageReader::new(input);
    if let Some(format) = format {
        reader.set_format(format);
    }
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(BESIDE_PIXELS);
    reader.limits(limits);
    reader
}

fn pixels(mut decoder: Box<dyn ImageDecoder>) -> ImageResult<DynamicImage> {
    // Some decoders keep a second copy of the pixels.
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(decoder.total_bytes().saturating_mul(2).saturating_add(BESIDE_PIXELS));
    decoder.set_limits(limits)?;
    DynamicImage::from_decoder(decoder)
}

fn unreadable(error: &ImageError) -> String {
    match error {
        ImageError::Unsupported(error) => {
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

#[cfg(test)]
mod tests;
