//! Pictures as grey squares of a network's size.

use rayon::prelude::*;

use super::super::segmentation::lesion::Lesion;
use super::super::segmentation::read::{Picture, ReadLimits, Reader};
use super::super::{DataError, Problem};
use super::Pair;
use crate::pixels::resize::{Size, shrink};
use crate::watch::Watch;

/// What reading a picture takes, in times that looking at its range takes.
const READ_SHARE: usize = 5;
/// Bytes of all squares together.
const MOST_BYTES: usize = 4 << 30;
/// Pictures that are in memory twice, as they were read and among the others.
const AT_A_TIME: usize = 4096;

/// Which square of a picture is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Crop {
    /// All of its shorter side, from the middle of the longer one.
    #[default]
    Centre,
    /// 224/256 of that in both directions, from the middle: the shorter side at 256 and a crop of 224, as in the paper's code.
    Paper,
}

/// Where the square lies in the picture, in its widths and heights: left, top, width, height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame(pub [f32; 4]);

impl Frame {
    /// Where a box of the picture `[x0, y0, x1, y1]` lies in the square, 0 to 1; `None`: outside of it.
    pub fn place(&self, bounds: [f32; 4]) -> Option<[f32; 4]> {
        let Frame([left, top, width, height]) = *self;
        let [x0, y0, x1, y1] = bounds;
        let placed = [(x0 - left) / width, (y0 - top) / height, (x1 - left) / width, (y1 - top) / height];
        let placed = placed.map(|edge| edge.clamp(0.0, 1.0));
        (placed[0] < placed[2] && placed[1] < placed[3]).then_some(placed)
    }
}

/// Pictures that were read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Images {
    pub side: usize,
    /// Grey, `[n, side, side]`, 0 to 255.
    pub pixels: Vec<u8>,
    /// For each picture the number of its pair, ascending.
    pub kept: Vec<usize>,
    /// For each picture its square.
    pub frames: Vec<Frame>,
    /// Of pictures that cannot be read.
    pub problems: Vec<Problem>,
    /// What was decided about pictures of more than 8 bits.
    pub lines: Vec<String>,
}

impl Images {
    /// The `i`-th picture, `[side, side]`.
    pub fn image(&self, i: usize) -> &[u8] {
        let size = self.side * self.side;
        self.pixels.get(i * size..(i + 1) * size).unwrap_or_default()
    }
}

/// Reads the pictures of pairs in parallel at `side` pixels. Damaged ones are left out and told. White in pictures of more than 8 bits is
/// decided once for all of them.
///
/// # Errors
/// It was stopped, or the squares take more than 4 GiB.
pub fn read(pairs: &[Pair], side: usize, crop: Crop, watch: Watch<'_>) -> Result<Images, DataError> {
    if pairs.len().saturating_mul(side * side) > MOST_BYTES {
        let folder = pairs.first().and_then(|pair| pair.image.parent()).unwrap_or(std::path::Path::new(""));
        let problem = format!(
            "{} pictures of {side}×{side} pixels take more than {} GiB; choose a smaller size",
            pairs.len(),
            MOST_BYTES >> 30
        );
        return Err(DataError::file(folder, problem));
    }
    let seen = watch.counter(1 + READ_SHARE, pairs.len());
    let paths: Vec<_> = pairs.iter().map(|pair| pair.image.clone()).collect();
    let reader = Reader::new(ReadLimits::default());
    let rules = reader.survey(&[], &paths, &Lesion::Any, watch.quiet());
    paths.iter().for_each(|_| seen(1));
    let lines = rules.lines();
    let reader = reader.with_rules(rules);
    let one = |path: &std::path::PathBuf| {
        if watch.cancelled() {
            return Err(DataError::Cancelled);
        }
        let square = reader.picture(path).map(|picture| square(&picture, side, crop));
        seen(READ_SHARE);
        Ok(square)
    };
    let mut images = Images { side, lines, pixels: Vec::with_capacity(pairs.len() * side * side), ..Images::default() };
    for (part, some) in paths.chunks(AT_A_TIME).enumerate() {
        let read: Vec<Result<(Vec<u8>, Frame), Problem>> = some.par_iter().map(one).collect::<Result<_, _>>()?;
        for (i, read) in read.into_iter().enumerate() {
            match read {
                Ok((pixels, frame)) => {
                    images.pixels.extend(pixels);
                    images.kept.push(part * AT_A_TIME + i);
                    images.frames.push(frame);
                }
                Err(problem) => images.problems.push(problem),
            }
        }
    }
    Ok(images)
}

/// `[side, side]` grey of a picture of any size, every pixel the mean of what it covers, and where the square lies in it.
pub fn square(picture: &Picture, side: usize, crop: Crop) -> (Vec<u8>, Frame) {
    let (width, height) = (picture.width, picture.height);
    let shorter = width.min(height);
    let edge = match crop {
        Crop::Centre => shorter,
        Crop::Paper => (shorter * 224 / 256).max(1),
    };
    let (left, top) = ((width - edge) / 2, (height - edge) / 2);
    let row = |y: usize| &picture.rgb[3 * (y * width + left)..3 * (y * width + left + edge)];
    let grey: Vec<f32> = (top..top + edge).flat_map(|y| row(y).chunks_exact(3).map(luminance)).collect();
    let size = |side: usize| Size { height: side, width: side };
    let small = if edge == side { grey } else { shrink(&grey, size(edge), size(side)) };
    let pixels = small.into_iter().map(|level| level.round().clamp(0.0, 255.0) as u8).collect();
    let (w, h) = (width as f32, height as f32);
    (pixels, Frame([left as f32 / w, top as f32 / h, edge as f32 / w, edge as f32 / h]))
}

/// Of a grey pixel its level, exactly.
fn luminance(rgb: &[u8]) -> f32 {
    let weighted: u32 = rgb.iter().zip([2126, 7152, 722]).map(|(level, weight)| u32::from(*level) * weight).sum();
    weighted as f32 / 10_000.0
}
