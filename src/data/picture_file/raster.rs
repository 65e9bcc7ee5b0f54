//! Pixels that are unpacked by this program itself, as a decoder like any other.

use std::fmt;
use std::io;

use image::{ColorType, ImageDecoder, ImageError, ImageResult};

/// Fills a buffer with the pixels, in the byte order of this machine.
pub type Fill = Box<dyn FnOnce(&mut [u8]) -> Result<(), String> + Send>;

/// A picture whose size and colours are known, and which is unpacked when it is asked for.
pub struct Raster {
    pub size: (u32, u32),
    pub color: ColorType,
    pub fill: Fill,
}

/// What is wrong, in words that need no others.
#[derive(Debug)]
struct Words(String);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Words {}

impl ImageDecoder for Raster {
    fn dimensions(&self) -> (u32, u32) {
        self.size
    }

    fn color_type(&self) -> ColorType {
        self.color
    }

    fn read_image(self, buf: &mut [u8]) -> ImageResult<()> {
        (self.fill)(buf).map_err(|problem| ImageError::IoError(io::Error::other(Words(problem))))
    }

    fn read_image_boxed(self: Box<Self>, buf: &mut [u8]) -> ImageResult<()> {
        (*self).read_image(buf)
    }
}

/// What a [`Raster`] has said, if the error is one of its own.
pub fn said(error: &ImageError) -> Option<String> {
    let ImageError::IoError(error) = error else { return None };
    error.get_ref()?.downcast_ref::<Words>().map(|words| words.0.clone())
}
