//! Maps of probabilities as files, at the picture's own size: a PNG of 16 bits for people, an array for NumPy.

use std::io::Cursor;
use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};

use super::Prediction;
use crate::data::segmentation::read::Picture;
use crate::engine::npy::{self, Numbers};
use crate::engine::run_folder::{DiskError, write_whole};
use crate::engine::table::{Choice, live};
use crate::kit::predict::save_png;
use crate::pixels::fit::Frame;
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
        let values = at_size(&prediction.probabilities, prediction.frame, size);
        if self.png {
            save_png(&folder.join(format!("{name}.png")), || png(&values, size))?;
        }
        if self.npy {
            let path = folder.join(format!("{name}.npy"));
            let parent = path.parent().unwrap_or(folder);
            std::fs::create_dir_all(parent).map_err(|error| DiskError::io("create the folder", parent, error))?;
            write_whole(&path, &npy::packed(&[size.height, size.width], Numbers::F32(&values)))?;
        }
        Ok(())
    }
}

/// The part of `[S, S]` in which the picture lies at the picture's size, bilinear between centres of pixels: what the mask is
/// cut from.
pub fn at_size(probabilities: &[f32], frame: Frame, size: Size) -> Vec<f32> {
    resize(&frame.cut(probabilities), frame.size, size, Resampling::Bilinear)
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

#[cfg(test)]
mod tests {
    use super::super::{Pipeline, measure};
    use super::*;
    use crate::pixels::fit::Fit;
    use crate::pixels::mask::components::PostProcess;

    #[test]
    fn a_png_holds_the_probabilities_and_says_what_they_are() {
        let size = Size { height: 2, width: 3 };
        let values = [0.0, 1.0, 0.5, 0.25, 1e-5, 2.0];
        let bytes = png(&values, size).unwrap();
        let image = image::load_from_memory(&bytes).unwrap();
        assert_eq!(image.color(), image::ColorType::L16);
        assert_eq!(image.to_luma16().into_raw(), [0, 65_535, 32_768, 16_384, 1, 65_535]);
        assert!(bytes.windows(COMMENT.len()).any(|part| part == COMMENT.as_bytes()));
    }

    #[test]
    fn what_is_written_is_what_the_mask_is_cut_from() {
        let map: Vec<f32> = (0..64).map(|i| ((i * 29) % 64) as f32 / 64.0).collect();
        let size = Size { height: 37, width: 21 };
        let rgb = vec![0; 3 * size.pixels()];
        let original = (size.width as u32, size.height as u32);
        let picture = Picture { width: size.width, height: size.height, rgb, original, factor: 1 };
        for fit in [Fit::Squash, Fit::Letterbox] {
            let pipeline = Pipeline { post: PostProcess::OFF, fit, ..Pipeline::default() };
            let prediction = measure(&map, &picture, None, None, &pipeline);
            let folder = tempfile::tempdir().unwrap();
            Maps { png: true, npy: true }.save(folder.path(), "a", &picture, &prediction).unwrap();
            let png = image::open(folder.path().join("a.png")).unwrap().to_luma16();
            assert_eq!(png.dimensions(), original);
            let file = std::fs::read(folder.path().join("a.npy")).unwrap();
            let numbers = file[file.len() - 4 * size.pixels()..].as_chunks::<4>().0;
            let values: Vec<f32> = numbers.iter().map(|four| f32::from_le_bytes(*four)).collect();
            assert_eq!(file, npy::packed(&[37, 21], Numbers::F32(&values)));
            let above: Vec<bool> = values.iter().map(|value| f64::from(*value) > 0.5).collect();
            assert_eq!(prediction.mask.pixels(), above, "{fit:?}");
            let apart = |(grey, value): (&u16, &f32)| (f32::from(*grey) / 65_535.0 - value).abs();
            assert!(png.as_raw().iter().zip(&values).map(apart).all(|apart| apart < 1e-4), "{fit:?}");
        }
    }
}
