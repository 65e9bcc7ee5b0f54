//! Files of pictures: the one place where they are opened and decoded, within a limit of memory whatever a file claims.

mod dicom;
mod gif;
mod jpeg;
mod kept;
mod kinds;
mod medical;
mod nifti;
mod png;
mod raster;
mod tiff;
pub mod volume;
mod white;

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader, ImageResult,
};

use super::labelme::{self, Drawing};
use crate::disk;

pub use kinds::{EXTENSIONS, ForeignFiles, foreign, is_bare_name, is_picture_name};
pub use medical::{About, about, is_dicom};
pub use png::Palette;
pub use white::{Exposure, Levels, White};

/// Bytes of all that lies in a file beside its pixels: colour profiles, texts, tables. A few kilobytes can be packed so
/// that they unpack to gigabytes.
const BESIDE_PIXELS: u64 = 32 << 20;
/// Bytes of a file that is taken into memory whole, as every JPEG is, even for the size alone.
const MOST_WHOLE: u64 = 256 << 20;
/// First bytes of a file that tell what it is: the mark of the last kind stands at byte 344.
const HEAD: u64 = 352;

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
    /// A 16-bit file in which 0 is white; `image` holds its numbers as stored.
    pub white_is_zero: bool,
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

/// Memory for decoded files, shared by the threads that read them.
#[derive(Debug)]
pub struct Memory {
    limit: u64,
    in_use: Mutex<u64>,
    freed: Condvar,
}

/// Width and height of a picture, upright, from a file's header.
pub fn size_of(path: &Path) -> Result<Size, String> {
    if labelme::is_name(path) {
        return Drawing::open(path).map(|drawing| drawing.size);
    }
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
    pub fn decode_mask(&self, path: &Path, take: impl FnMut(Decoded)) -> Result<usize, String> {
        self.decode_mask_of(path, &[], take)
    }

    /// The same of a mask that labelme may have drawn: its shapes of these labels, or all of them.
    pub fn decode_mask_of(
        &self,
        path: &Path,
        labels: &[String],
        mut take: impl FnMut(Decoded),
    ) -> Result<usize, String> {
        if labelme::is_name(path) {
            return guarded(|| self.drawn(&Drawing::open(path)?, labels, take).map(|()| 1));
        }
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

    fn drawn(&self, drawing: &Drawing, labels: &[String], take: impl FnOnce(Decoded)) -> Result<(), String> {
        let (width, height) = drawing.size;
        let room = self.room(drawing.size, u64::from(width) * u64::from(height))?;
        let pixels = GrayImage::from_raw(width, height, drawing.mask(labels)?).ok_or("has no pixels")?;
        let image = DynamicImage::ImageLuma8(pixels);
        take(Decoded { image, turned: false, lossy: false, white_is_zero: false, palette: None, step: 1 });
        drop(room);
        Ok(())
    }

    /// [`Levels`] of a picture: only one of more than 8 bits is decoded. `None`: it has 8.
    pub fn levels(&self, path: &Path) -> Result<Option<Levels>, String> {
        guarded(|| {
            let opened = open(path, Wanted::Size)?;
            let color = opened.decoder.color_type();
            if color.bytes_per_pixel() == color.channel_count() {
                return Ok(None);
            }
            self.with_room(opened, |decoded| Levels::of(&decoded))
        })
    }

    fn with_room<T>(&self, opened: Opened, take: impl FnOnce(Decoded) -> T) -> Result<T, String> {
        let Opened { decoder, orientation, format, probe, palette, stored, step, .. } = opened;
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
        let mut image = pixels(decoder).map_err(|error| unreadable(&error, format))?;
        if expected.is_some_and(|expected| expected.ok() != Some(crc32fast::hash(image.as_bytes()))) {
            return Err(CUT_SHORT.to_owned());
        }
        if stored {
            // The decoder has turned 0 into white.
            image.invert();
        }
        image.apply_orientation(orientation);
        let white_is_zero = stored && image.color().bytes_per_pixel() > image.color().channel_count();
        let lossy = format == ImageFormat::Jpeg;
        let turned = orientation != Orientation::NoTransforms;
        let taken = take(Decoded { image, turned, lossy, white_is_zero, palette, step });
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
    format: ImageFormat,
    pages: usize,
    /// Decodes to the same pixels if the file is whole; see [`jpeg`].
    probe: Option<Vec<u8>>,
    palette: Option<Palette>,
    /// Numbers are wanted as they are stored, though 0 is white.
    stored: bool,
    /// See [`Decoded::step`].
    step: u8,
}

trait Input: BufRead + Seek {}
impl<T: BufRead + Seek> Input for T {}

/// Reads a file's header. The format is known by the first bytes, whatever the name says.
fn open(path: &Path, wanted: Wanted) -> Result<Opened, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    let (path, slice) = volume::place(path);
    let mut file = disk::open(&path).map_err(|error| format!("cannot be opened: {error}"))?;
    let length = file.metadata().map_or(0, |meta| meta.len());
    if length == 0 {
        return Err("is an empty file; fetch it again or remove it".to_owned());
    }
    let mut head = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut head).map_err(cannot)?;
    file.rewind().map_err(cannot)?;
    if let Some(kind) = kinds::medical(&head, &path) {
        return medical::open(&path, slice, kind, wanted);
    }
    let format = kinds::format(&head, length <= HEAD)?;
    let (mut orientation, mut pages, mut probe, mut palette, mut stored) = (None, 1, None, None, false);
    let input: Box<dyn Input> = match format {
        ImageFormat::Jpeg => {
            let bytes = whole(&mut file, length, "JPEG")?;
            if wanted == Wanted::Size {
                Box::new(Cursor::new(bytes))
            } else {
                let versions = jpeg::versions(bytes).ok_or(CUT_SHORT)?;
                probe = Some(versions.probe);
                Box::new(Cursor::new(versions.plain))
            }
        }
        ImageFormat::Tiff => {
            let list = tiff::pages(&mut file)?;
            let number = if let Wanted::Mask { page } = wanted { page } else { 0 };
            pages = list.len().max(1);
            match list.get(number) {
                Some(page) => {
                    if let Some(problem) = page.storage.refusal() {
                        return Err(problem);
                    }
                    stored = page.storage.is_wanted_as_stored(matches!(wanted, Wanted::Mask { .. }));
                    orientation = Orientation::from_exif(page.orientation);
                    Box::new(BufReader::new(tiff::FromPage::new(file, page).map_err(cannot)?))
                }
                None => {
                    file.rewind().map_err(cannot)?;
                    Box::new(BufReader::new(file))
                }
            }
        }
        ImageFormat::Gif if wanted != Wanted::Size => {
            if gif::is_animated(BufReader::new(&mut file), BESIDE_PIXELS) {
                return Err(
                    "is an animation of several pictures, and a picture is one: save the one that counts as PNG"
                        .to_owned(),
                );
            }
            file.rewind().map_err(cannot)?;
            Box::new(BufReader::new(file))
        }
        ImageFormat::Png if matches!(wanted, Wanted::Mask { .. }) && png::has_palette(&head) => {
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
    let decoder: ImageResult<Box<dyn ImageDecoder>> = match format {
        ImageFormat::Gif => gif::Gif::open(input, BESIDE_PIXELS).map(|decoder| Box::new(decoder) as _),
        _ => reader(input, format).into_decoder().map(|decoder| Box::new(decoder) as _),
    };
    let mut decoder = decoder.map_err(|error| unreadable(&error, format))?;
    // A tag that cannot be read turns nothing.
    let orientation = orientation.or_else(|| decoder.orientation().ok()).unwrap_or(Orientation::NoTransforms);
    let step = match decoder.original_color_type() {
        ExtendedColorType::L1 => 255,
        _ if format == ImageFormat::Png => png::step(&head),
        _ => 1,
    };
    Ok(Opened { decoder, orientation, format, pages, probe, palette, stored, step })
}

fn whole(file: &mut File, length: u64, kind: &str) -> Result<Vec<u8>, String> {
    if length > MOST_WHOLE {
        return Err(format!("has {} MiB; at most {} MiB of a {kind} file are read", length >> 20, MOST_WHOLE >> 20));
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(MOST_WHOLE).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    Ok(bytes)
}

fn reader(input: Box<dyn Input>, format: ImageFormat) -> ImageReader<Box<dyn Input>> {
    let mut reader = ImageReader::with_format(input, format);
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

/// What went wrong in words for people: what decoders say is meant for programmers.
fn unreadable(error: &ImageError, format: ImageFormat) -> String {
    if let Some(words) = raster::said(error) {
        return words;
    }
    let name = match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Tiff => "TIFF",
        ImageFormat::Gif => "GIF",
        _ => "BMP",
    };
    match error {
        ImageError::IoError(error) if error.raw_os_error().is_some() => format!("cannot be read: {error}"),
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => CUT_SHORT.to_owned(),
        ImageError::Unsupported(_) => {
            format!("is a {name} file of a kind that is not read; save it as an 8- or 16-bit PNG")
        }
        ImageError::Limits(_) => format!(
            "is a {name} file that claims more than {} MiB beside its pixels; save it anew without profiles and notes",
            BESIDE_PIXELS >> 20
        ),
        _ => format!("is a damaged {name} file, or cut short; fetch it again or remove it"),
    }
}

/// A damaged file may make a decoder panic; that is a problem of that file alone.
fn guarded<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err("is damaged: its decoder gave up; fetch it again or remove it".to_owned()))
}

#[cfg(test)]
mod tests;
