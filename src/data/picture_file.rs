//! Files of pictures: the one place where they are opened and decoded, within a limit of memory whatever a file claims.

use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, ImageResult};

use crate::disk;

/// Bytes of all that lies in a file beside its pixels: colour profiles, texts, tables. A few kilobytes can be packed so
/// that they unpack to gigabytes.
const BESIDE_PIXELS: u64 = 32 << 20;
/// Bytes of a JPEG file: its decoder takes the whole file into memory, even for the size alone.
const MOST_JPEG: u64 = 256 << 20;

/// Width and height.
pub type Size = (u32, u32);

/// A decoded file.
pub struct Decoded {
    pub size: Size,
    pub color: ColorType,
    /// Row by row, in the machine's order of bytes.
    pub data: Vec<u8>,
}

/// Memory for decoded files, shared by the threads that read them.
#[derive(Debug)]
pub struct Memory {
    limit: u64,
    in_use: Mutex<u64>,
    freed: Condvar,
}

/// Width and height from a file's header.
pub fn size_of(path: &Path) -> Result<Size, String> {
    guarded(|| open(path).map(|decoder| decoder.dimensions()))
}

impl Memory {
    /// `limit`: bytes of decoded files at any one time, all threads together.
    pub fn new(limit: u64) -> Self {
        Self { limit, in_use: Mutex::new(0), freed: Condvar::new() }
    }

    /// Decodes a file as soon as there is room for it, and hands it to `take`; it counts until `take` is done with it.
    pub fn decode<T>(&self, path: &Path, take: impl FnOnce(Decoded) -> T) -> Result<T, String> {
        self.with_room(path, |decoder| {
            let (size, color) = (decoder.dimensions(), decoder.color_type());
            let mut data = vec![0; decoder.total_bytes() as usize];
            decoder.read_image(&mut data)?;
            Ok(take(Decoded { size, color, data }))
        })
    }

    /// The same as an image of its own kind of pixels.
    pub fn image<T>(&self, path: &Path, take: impl FnOnce(DynamicImage) -> T) -> Result<T, String> {
        self.with_room(path, |decoder| DynamicImage::from_decoder(decoder).map(take))
    }

    fn with_room<T>(
        &self,
        path: &Path,
        decode: impl FnOnce(Box<dyn ImageDecoder>) -> ImageResult<T>,
    ) -> Result<T, String> {
        guarded(|| {
            let mut decoder = open(path)?;
            let (size, bytes) = (decoder.dimensions(), decoder.total_bytes());
            if size.0 == 0 || size.1 == 0 {
                return Err("has no pixels".to_owned());
            }
            let room = self.room(size, bytes)?;
            // Some decoders keep a second copy of the pixels.
            let mut limits = image::Limits::default();
            limits.max_alloc = Some(bytes.saturating_mul(2).saturating_add(BESIDE_PIXELS));
            decoder.set_limits(limits).map_err(|error| unreadable(&error))?;
            let result = decode(decoder).map_err(|error| unreadable(&error));
            drop(room);
            result
        })
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

/// Reads a file's header. The format is known by the first bytes, whatever the name says.
fn open(path: &Path) -> Result<Box<dyn ImageDecoder>, String> {
    let file = disk::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    let length = file.metadata().map_or(0, |meta| meta.len());
    if length == 0 {
        return Err("is an empty file; fetch it again or remove it".to_owned());
    }
    let mut reader: ImageReader<BufReader<File>> = ImageReader::new(BufReader::new(file))
        .with_guessed_format()
        .map_err(|error| format!("cannot be read: {error}"))?;
    if reader.format().is_none()
        && let Ok(format) = ImageFormat::from_path(path)
    {
        reader.set_format(format);
    }
    if reader.format() == Some(ImageFormat::Jpeg) && length > MOST_JPEG {
        return Err(format!("has {} MiB; at most {} MiB of a JPEG file are read", length >> 20, MOST_JPEG >> 20));
    }
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(BESIDE_PIXELS);
    reader.limits(limits);
    Ok(Box::new(reader.into_decoder().map_err(|error| unreadable(&error))?))
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
