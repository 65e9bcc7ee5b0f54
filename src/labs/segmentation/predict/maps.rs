//! Maps of probabilities as files, at the picture's own size: a PNG of 16 bits for people, an array for NumPy.

use std::io::Cursor;
use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};

use super::Prediction;
use crate::data::segmentation::read::Picture;
use crate::engine::run_folder::{DiskError, write_whole};
use crate::engine::table::{Choice, live};
use crate::kit::predict::save_png;
use crate::pixels::resize::{Resampling, Size, resize};

/// Which files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Maps {
    pub png: bool,
    pub npy: bool,
}

/// The setting of a prediction.
pub static MAPS: Choice<Maps, 4> = live("Prediction", "probabilities", "maps of probabilities")
    .help(
        "Writes probabilities/NAME.png (16 bits: probability = value / 65535) or NAME.npy (32-bit floats, numpy.load), at the \
         picture's own size.",
    )
    .choice(
        "none",
        [
            ("none", "none", Maps { png: false, npy: false }),
            ("png", "PNG of 16 bits", Maps { png: true, npy: false }),
            ("npy", "NumPy", Maps { png: false, npy: true }),
            ("both", "both", Maps { png: true, npy: true }),
        ],
    );

impl Maps {
    /// What is written, for the summary; `None`: nothing.
    pub fn describe(self) -> Option<String> {
        let files = match (self.png, self.npy) {
            (false, false) => return None,
            (true, false) => "probabilities/NAME.png: 16 bits, probability = value / 65535",
            (false, true) => "probabilities/NAME.npy: 32-bit floats, height × width",
            (true, true) => {
                "probabilities/NAME.png: 16 bits, probability = value / 65535; NAME.npy: 32-bit floats, height × width"
            }
        };
        Some(format!("{files}; of lesion, bilinear at the picture's own size, before threshold and parts"))
    }

    /// Writes the files of one picture below `folder`.
    pub fn save(self, folder: &Path, name: &str, picture: &Picture, prediction: &Prediction) -> Result<(), DiskError> {
        if !self.png && !self.npy {
            return Ok(());
        }
        let size = Size { height: picture.height, width: picture.width };
        let values = at_size(&prediction.probabilities, size);
        if self.png {
            save_png(&folder.join(format!("{name}.png")), || png(&values, size))?;
        }
        if self.npy {
            let path = folder.join(format!("{name}.npy"));
            let parent = path.parent().unwrap_or(folder);
            std::fs::create_dir_all(parent).map_err(|error| DiskError::io("create the folder", parent, error))?;
            write_whole(&path, &npy(&values, size))?;
        }
        Ok(())
    }
}

/// `[S, S]` at another size, bilinear between centres of pixels: what the mask is cut from.
pub fn at_size(probabilities: &[f32], size: Size) -> Vec<f32> {
    let side = probabilities.len().isqrt();
    resize(probabilities, Size { height: side, width: side }, size, Resampling::Bilinear)
}

/// What a PNG says of its numbers, to whoever opens it.
const COMMENT: &str = "probability of lesion = value / 65535";

/// A grey PNG of 16 bits with a comment that says what its numbers are.
pub fn png(values: &[f32], size: Size) -> Result<Vec<u8>, ImageError> {
    let numbers = values.iter().map(|value| (value.clamp(0.0, 1.0) * 65_535.0).round() as u16);
    // The library takes numbers as the machine has them.
    let bytes: Vec<u8> = numbers.flat_map(u16::to_ne_bytes).collect();
    let mut file = Cursor::new(Vec::new());
    PngEncoder::new(&mut file).write_image(&bytes, size.width as u32, size.height as u32, ExtendedColorType::L16)?;
    Ok(commented(&file.into_inner()))
}

/// With a text behind the header.
fn commented(png: &[u8]) -> Vec<u8> {
    /// Mark, and the chunk IHDR.
    const HEADER: usize = 8 + 25;
    let Some((header, rest)) = png.split_at_checked(HEADER) else { return png.to_vec() };
    let chunk = [b"tEXtComment\0", COMMENT.as_bytes()].concat();
    let length = (chunk.len() - 4) as u32;
    [header, &length.to_be_bytes(), &chunk, &crc32fast::hash(&chunk).to_be_bytes(), rest].concat()
}

/// An array of NumPy, version 1.0 of its format: `[H, W]` of little-endian 32-bit floats.
pub fn npy(values: &[f32], size: Size) -> Vec<u8> {
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", size.height, size.width);
    // Mark, version, length and text end at a multiple of 64, with a line break.
    let length = (10 + text.len() + 1).next_multiple_of(64) - 10;
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((length as u16).to_le_bytes());
    file.extend(format!("{text:<width$}\n", width = length - 1).bytes());
    file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_hold_the_probabilities_and_say_what_they_are() {
        let size = Size { height: 2, width: 3 };
        let values = [0.0, 1.0, 0.5, 0.25, 1e-5, 2.0];
        let bytes = png(&values, size).unwrap();
        let image = image::load_from_memory(&bytes).unwrap();
        assert_eq!(image.color(), image::ColorType::L16);
        assert_eq!(image.to_luma16().into_raw(), [0, 65_535, 32_768, 16_384, 1, 65_535]);
        assert!(bytes.windows(COMMENT.len()).any(|part| part == COMMENT.as_bytes()));
        let array = npy(&values, size);
        assert_eq!((&array[..8], array.len() % 64), (&b"\x93NUMPY\x01\x00"[..], 24));
        let text = String::from_utf8_lossy(&array[10..array.len() - 24]).into_owned();
        assert!(
            text.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }") && text.ends_with(" \n"),
            "{text:?}"
        );
        assert_eq!(u16::from_le_bytes([array[8], array[9]]) as usize, text.len());
        let read: Vec<f32> = array[array.len() - 24..]
            .chunks_exact(4)
            .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
            .collect();
        assert_eq!(read, values);
    }

    #[test]
    fn what_is_written_is_what_the_mask_is_cut_from() {
        let map: Vec<f32> = (0..64).map(|i| ((i * 29) % 64) as f32 / 64.0).collect();
        let size = Size { height: 37, width: 21 };
        let pipeline = super::super::Pipeline {
            post: crate::pixels::mask::components::PostProcess {
                keep: crate::pixels::mask::components::Keep::All,
                fill_holes: false,
            },
            ..super::super::Pipeline::default()
        };
        let mask = pipeline.mask(&map, 8, size.height, size.width);
        let above: Vec<bool> = at_size(&map, size).iter().map(|value| f64::from(*value) > 0.5).collect();
        assert_eq!(mask.pixels(), above);
    }
}
