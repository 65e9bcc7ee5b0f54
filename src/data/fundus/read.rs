//! Photographs at the network's size, with what each is known by; damaged ones as problems.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::super::picture_file::{Memory, White};
use super::super::segmentation::lesion::Lesion as Wanted;
use super::super::segmentation::read::{Picture, ReadLimits, Reader};
use super::super::synth::fundus::{Lesion, LesionKind};
use super::super::{DataError, Problem};
use super::leak::{self, Mark};
use crate::disk;
use crate::pixels::mask::Mask;
use crate::pixels::mask::components::{Connectivity, components};
use crate::pixels::resize::{Size, shrink};
use crate::watch::Watch;

/// What reading a picture takes, in times that looking at its range takes.
const READ_SHARE: usize = 5;
/// A pixel is within the field of view from this level of its brightest colour on.
const LIT: u8 = 16;
/// A row or column belongs to it from this share of lit pixels on: marks in a black corner have fewer.
const SHARE: f64 = 0.02;
/// Side at which masks are searched for lesions, and most lesions of one kind.
const MASK_SIDE: usize = 1024;
const MOST_LESIONS: usize = 500;

/// How a photograph becomes a square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fit {
    /// Width and height are stretched to it, as in the paper.
    Stretch,
    /// Cut to the field of view, which is padded with black to a square.
    FieldOfView,
}

/// Where the square lies in the photograph, in its widths and heights: left, top, width, height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame(pub [f64; 4]);

/// A photograph that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// `[3, S, S]`.
    pub planes: Vec<u8>,
    pub frame: Frame,
    pub mark: Mark,
}

/// What reading many photographs gave.
#[derive(Debug, Default)]
pub struct ReadAll {
    /// In the order of the paths; `None`: it cannot be read.
    pub pictures: Vec<Option<Read>>,
    pub problems: Vec<Problem>,
    /// What was decided about pictures of more than 8 bits.
    pub lines: Vec<String>,
    /// What is white in them; empty: there are none.
    pub white: White,
}

/// Reads photographs in parallel, of which only the small ones stay in memory.
///
/// # Errors
/// It was stopped.
pub fn all(paths: &[PathBuf], size: usize, fit: Fit, watch: Watch<'_>) -> Result<ReadAll, DataError> {
    let seen = watch.counter(1 + READ_SHARE, paths.len());
    let reader = Reader::new(ReadLimits::default());
    let rules = reader.survey(&[], paths, &Wanted::Any, watch.quiet());
    paths.iter().for_each(|_| seen(1));
    let mut lines = if rules.deep_images > 0 { rules.white.lines() } else { Vec::new() };
    for (exposed, how) in [(&rules.nearly_black, "black"), (&rules.nearly_white, "white")] {
        if let Some(first) = exposed.first() {
            lines.push(format!("{} of them are nearly {how}, first {}", exposed.len(), first.display()));
        }
    }
    let white = rules.white.clone();
    let reader = reader.with_rules(rules);
    let one = |path: &PathBuf| {
        if watch.cancelled() {
            return Err(DataError::Cancelled);
        }
        let read = reader.picture(path).and_then(|picture| {
            let file = file_hash(path)
                .map_err(|error| Problem { path: path.clone(), problem: format!("cannot be read: {error}") })?;
            let (planes, frame) = prepare(&picture, size, fit);
            Ok(Read { planes, frame, mark: Mark::of(file, &in_view(&picture).0) })
        });
        seen(READ_SHARE);
        Ok(read)
    };
    let read: Result<Vec<Result<Read, Problem>>, DataError> = paths.par_iter().map(one).collect();
    let mut all = ReadAll { lines, white, ..ReadAll::default() };
    for result in read? {
        all.pictures.push(match result {
            Ok(read) => Some(read),
            Err(problem) => {
                all.problems.push(problem);
                None
            }
        });
    }
    Ok(all)
}

/// Of the bytes of a file, piece by piece.
fn file_hash(path: &Path) -> std::io::Result<u64> {
    let mut file = disk::open(path)?;
    let (mut buffer, mut all) = (vec![0; 1 << 16], Vec::new());
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(leak::hash(&all)),
            count => all.extend(leak::hash(&buffer[..count]).to_le_bytes()),
        }
    }
}

/// `[3, size, size]` of a photograph of any size, every pixel the mean of what it covers, and where the square lies in it.
pub fn prepare(picture: &Picture, size: usize, fit: Fit) -> (Vec<u8>, Frame) {
    let (square, frame) = match fit {
        Fit::Stretch => (None, Frame([0.0, 0.0, 1.0, 1.0])),
        Fit::FieldOfView => {
            let (view, at) = in_view(picture);
            let (square, left, top) = padded(&view);
            let (w, h) = (picture.width as f64, picture.height as f64);
            let place = [(at[0] as f64 - left as f64) / w, (at[1] as f64 - top as f64) / h];
            let frame = Frame([place[0], place[1], square.width as f64 / w, square.height as f64 / h]);
            (Some(square), frame)
        }
    };
    let source = square.as_ref().unwrap_or(picture);
    let from = Size { height: source.height, width: source.width };
    let mut planes = Vec::with_capacity(3 * size * size);
    for channel in 0..3 {
        let plane: Vec<f32> = source.rgb.iter().skip(channel).step_by(3).map(|&level| f32::from(level)).collect();
        let small = shrink(&plane, from, Size { height: size, width: size });
        planes.extend(small.into_iter().map(|level| level.round().clamp(0.0, 255.0) as u8));
    }
    (planes, frame)
}

/// What of a photograph is within its field of view, and its left upper corner; all of one that is black.
pub fn in_view(picture: &Picture) -> (Picture, [usize; 2]) {
    let (width, height) = (picture.width, picture.height);
    let (mut columns, mut rows) = (vec![0_usize; width], vec![0_usize; height]);
    for (i, pixel) in picture.rgb.chunks_exact(3).enumerate() {
        if pixel.iter().any(|level| *level >= LIT) {
            columns[i % width] += 1;
            rows[i / width] += 1;
        }
    }
    let span = |counts: &[usize], of: usize| {
        let lit = |count: &usize| *count as f64 > SHARE * of as f64;
        Some((counts.iter().position(lit)?, counts.iter().rposition(lit)? + 1))
    };
    let (Some((left, right)), Some((top, bottom))) = (span(&columns, height), span(&rows, width)) else {
        return (picture.clone(), [0, 0]);
    };
    let row = |y: usize| &picture.rgb[3 * (y * width + left)..3 * (y * width + right)];
    let rgb = (top..bottom).flat_map(row).copied().collect();
    (made_of(picture, [right - left, bottom - top], rgb), [left, top])
}

/// In the middle of a black square, with the columns and rows that were put before it.
fn padded(view: &Picture) -> (Picture, usize, usize) {
    let side = view.width.max(view.height);
    let (left, top) = ((side - view.width) / 2, (side - view.height) / 2);
    let mut rgb = vec![0; 3 * side * side];
    for (y, row) in view.rgb.chunks_exact(3 * view.width.max(1)).enumerate() {
        let at = 3 * ((top + y) * side + left);
        rgb[at..at + row.len()].copy_from_slice(row);
    }
    (made_of(view, [side, side], rgb), left, top)
}

/// The lesions of masks as ellipses, in the square's widths and heights. A mask that cannot be read is a problem.
pub fn lesions(masks: &[(LesionKind, PathBuf)], frame: Frame) -> (Vec<Lesion>, Vec<Problem>) {
    let memory = Memory::new(1 << 30);
    let (mut lesions, mut problems) = (Vec::new(), Vec::new());
    for (kind, path) in masks {
        let mut found = Vec::new();
        let read = memory.decode_mask(path, |decoded| {
            let grey = decoded.image.to_luma8();
            let (width, height) = (grey.width() as usize, grey.height() as usize);
            let factor = width.max(height).div_ceil(MASK_SIDE).max(1);
            let mut mask = Mask::empty(height.div_ceil(factor), width.div_ceil(factor));
            let columns = mask.width();
            for (x, y, pixel) in grey.enumerate_pixels() {
                if pixel.0[0] > 0 {
                    mask.pixels_mut()[y as usize / factor * columns + x as usize / factor] = true;
                }
            }
            let share = |first: usize, last: usize, of: usize| {
                let (a, b) = ((first * factor) as f64 / of as f64, ((last + 1) * factor) as f64 / of as f64);
                [(a + b) / 2.0, (b - a) / 2.0]
            };
            found.extend(components(&mask, Connectivity::Eight).boxes().into_iter().take(MOST_LESIONS).map(
                |[top, left, bottom, right]| {
                    let ([x, rx], [y, ry]) = (share(left, right, width), share(top, bottom, height));
                    let Frame([x0, y0, w, h]) = frame;
                    Lesion { kind: *kind, centre: [(x - x0) / w, (y - y0) / h], radii: [rx / w, ry / h] }
                },
            ));
        });
        match read {
            Ok(_) => lesions.extend(found),
            Err(problem) => problems.push(Problem { path: path.clone(), problem }),
        }
    }
    (lesions, problems)
}

/// Other pixels of the same file.
fn made_of(picture: &Picture, [width, height]: [usize; 2], rgb: Vec<u8>) -> Picture {
    Picture { width, height, rgb, original: picture.original, factor: picture.factor }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize, level: impl Fn(usize, usize) -> u8) -> Picture {
        let rgb = (0..height * width).flat_map(|i| [level(i % width, i / width); 3]).collect();
        Picture { width, height, rgb, original: (width as u32, height as u32), factor: 1 }
    }

    #[test]
    fn the_field_of_view_is_cut_out_and_padded_or_all_is_stretched() {
        // 40×20 of light in 120×80, with a mark in a corner.
        let wide = picture(120, 80, |x, y| match (x, y) {
            (60..100, 10..30) => 200,
            (0, 0) => 255,
            _ => 3,
        });
        let (view, at) = in_view(&wide);
        assert_eq!((view.width, view.height, at), (40, 20, [60, 10]));
        let (planes, Frame(frame)) = prepare(&wide, 40, Fit::FieldOfView);
        let row = |y: usize| planes[40 * y + 20];
        assert_eq!((planes.len(), row(9), row(10), row(29), row(30)), (4800, 0, 200, 200, 0));
        // It begins ten rows above the light, at the upper edge.
        let expected = [60.0 / 120.0, 0.0, 40.0 / 120.0, 40.0 / 80.0];
        assert!(expected.iter().zip(frame).all(|(a, b)| (a - b).abs() < 1e-12), "{frame:?}");
        let (planes, frame) = prepare(&wide, 40, Fit::Stretch);
        assert_eq!((planes[40 * 10 + 26], frame), (200, Frame([0.0, 0.0, 1.0, 1.0])));
        // All black: as it is.
        assert_eq!(in_view(&picture(4, 3, |_, _| 0)).0.width, 4);
    }

    #[test]
    fn lesions_of_masks_are_ellipses_in_the_square() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("IDRiD_01_MA.png");
        let mut mask = image::GrayImage::new(40, 20);
        for (x, y) in [(10, 4), (11, 4), (30, 15)] {
            mask.put_pixel(x, y, image::Luma([76]));
        }
        mask.save(&path).unwrap();
        let masks = [(LesionKind::Microaneurysm, path), (LesionKind::Haemorrhage, folder.path().join("none.tif"))];
        let (found, problems) = lesions(&masks, Frame([0.25, 0.0, 0.5, 1.0]));
        assert_eq!((found.len(), problems.len()), (2, 1));
        let values = [found[0].centre, found[0].radii].concat();
        let expected = [0.05, 0.225, 0.05, 0.025];
        assert!(values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{values:?}");
    }
}
