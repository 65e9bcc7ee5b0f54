//! Whether two photographs are one: what keeps pictures of a test set from coming back without their grades.
//!
//! Messidor-2 holds most of Messidor once more, in another format and under other names. Pictures are compared by the bytes of
//! their files, by their pixels made small, and by how they look: a difference hash of 64 bits, then the correlation of small grey
//! versions less their coarse structure, which all photographs of one camera share. Mirrored copies are found too.

use std::hash::Hasher;

use crate::data::segmentation::read::Picture;
use crate::pixels::resize::{Size, shrink};

/// Bits of 64 in which two hashes of one picture may differ: it only says where a closer look is worth it. Measured by the test
/// below: copies of half the size, packed as JPEG of quality 85, differ in at most 3.
const BITS: u32 = 8;
/// Correlation from which on two pictures are one. Measured there: copies from 0.90 on, other eyes of one camera up to 0.83.
const CORRELATION: f32 = 0.87;
/// Side of the small version.
const SIDE: usize = 32;

/// What a picture is known by.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Of the bytes of its file.
    file: u64,
    /// Of its pixels at 32×32.
    pixels: u64,
    /// Difference hash, and that of its mirror image.
    hash: [u64; 2],
    /// Fine structure at 32×32 within the middle, of mean 0 and norm 1.
    fine: Vec<f32>,
}

/// Why two pictures are taken for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Same {
    File,
    Pixels,
    Look,
    Mirrored,
}

impl Same {
    /// In words that stand behind the other picture's name.
    pub fn told(self) -> &'static str {
        match self {
            Same::File => "the same file",
            Same::Pixels => "the same pixels",
            Same::Look => "looks the same",
            Same::Mirrored => "its mirror image",
        }
    }
}

/// A hash that is compared within one run of the program and never kept.
pub fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

impl Mark {
    /// `file`: hash of the file's bytes. `view`: what of the picture is within its field of view.
    pub fn of(file: u64, view: &Picture) -> Self {
        let from = Size { height: view.height, width: view.width };
        let plane = |channel: usize| -> Vec<f32> {
            view.rgb.iter().skip(channel).step_by(3).map(|&level| f32::from(level)).collect()
        };
        let mut small = Vec::new();
        for channel in 0..3 {
            small.extend(shrink(&plane(channel), from, Size { height: SIDE, width: SIDE }));
        }
        let levels: Vec<u8> = small.iter().map(|level| level.round() as u8).collect();
        let grey: Vec<f32> =
            (0..SIDE * SIDE).map(|i| (0..3).map(|c| small[c * SIDE * SIDE + i]).sum::<f32>() / 3.0).collect();
        let mirrored = mirror(&grey);
        Self { file, pixels: hash(&levels), hash: [difference(&grey), difference(&mirrored)], fine: fine(&grey) }
    }

    /// What equal pictures have equal: of the file, and of the small pixels.
    pub fn content(&self) -> [u64; 2] {
        [self.file, self.pixels]
    }

    /// Whether both are of one photograph, and how that is known.
    pub fn same(&self, other: &Mark) -> Option<Same> {
        if self.file == other.file {
            return Some(Same::File);
        }
        if self.pixels == other.pixels {
            return Some(Same::Pixels);
        }
        let near = |turned: usize| (self.hash[turned] ^ other.hash[0]).count_ones() <= BITS;
        let alike = |fine: &[f32]| correlation(fine, &other.fine) >= CORRELATION;
        if near(0) && alike(&self.fine) {
            return Some(Same::Look);
        }
        (near(1) && alike(&mirror(&self.fine))).then_some(Same::Mirrored)
    }
}

fn mirror(square: &[f32]) -> Vec<f32> {
    square.chunks_exact(SIDE).flat_map(|row| row.iter().rev().copied()).collect()
}

/// A bit for each neighbour to the right that is brighter, at 9×8; black corners give none.
fn difference(grey: &[f32]) -> u64 {
    let small = shrink(grey, Size { height: SIDE, width: SIDE }, Size { height: 8, width: 9 });
    let brighter = |row: &[f32]| row.windows(2).fold(0, |bits, pair| (bits << 1) | u64::from(pair[1] > pair[0] + 1.0));
    small.chunks_exact(9).fold(0, |bits, row| (bits << 8) | brighter(row))
}

/// Less the mean of 9×9 pixels around, in a circle of 0.4 sides; 0 elsewhere.
fn fine(grey: &[f32]) -> Vec<f32> {
    let middle = (SIDE as f32 - 1.0) / 2.0;
    let inside = |i: usize| {
        let (x, y) = ((i % SIDE) as f32 - middle, (i / SIDE) as f32 - middle);
        x * x + y * y <= (0.4 * SIDE as f32).powi(2)
    };
    let around = |i: usize| {
        let range = |at: usize| at.saturating_sub(4)..(at + 5).min(SIDE);
        let (rows, columns) = (range(i / SIDE), range(i % SIDE));
        let count = rows.len() * columns.len();
        rows.flat_map(|row| columns.clone().map(move |column| grey[row * SIDE + column])).sum::<f32>() / count as f32
    };
    let mut fine: Vec<f32> = (0..SIDE * SIDE).map(|i| if inside(i) { grey[i] - around(i) } else { 0.0 }).collect();
    let count = (0..SIDE * SIDE).filter(|i| inside(*i)).count() as f32;
    let mean = fine.iter().sum::<f32>() / count;
    fine.iter_mut().enumerate().filter(|(i, _)| inside(*i)).for_each(|(_, value)| *value -= mean);
    let norm = fine.iter().map(|value| value * value).sum::<f32>().sqrt();
    // Of a picture without structure nothing can be said.
    fine.iter_mut().for_each(|value| *value = if norm > 1.0 { *value / norm } else { 0.0 });
    fine
}

fn correlation(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fundus::read::in_view;
    use crate::data::synth::fundus::{Hospital, generate};

    fn picture(side: usize, rgb: Vec<u8>) -> Picture {
        Picture { width: side, height: side, rgb, original: (side as u32, side as u32), factor: 1 }
    }

    fn mark(picture: &Picture, file: u64) -> Mark {
        Mark::of(file, &in_view(picture).0)
    }

    /// Packed as JPEG and unpacked, at half the size, with a broad black border.
    fn copied(of: &Picture, mirrored: bool) -> Picture {
        let mut image = image::RgbImage::from_raw(of.width as u32, of.height as u32, of.rgb.clone()).unwrap();
        if mirrored {
            image::imageops::flip_horizontal_in_place(&mut image);
        }
        let half = image::imageops::thumbnail(&image, of.width as u32 / 2, of.height as u32 / 2);
        let mut wide = image::RgbImage::new(of.width as u32, of.height as u32 / 2);
        image::imageops::overlay(&mut wide, &half, of.width as i64 / 4, 0);
        let mut bytes = std::io::Cursor::new(Vec::new());
        let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 85);
        encoder.encode_image(&wide).unwrap();
        let rgb = image::load_from_memory(bytes.get_ref()).unwrap().to_rgb8();
        let (width, height) = (rgb.width() as usize, rgb.height() as usize);
        Picture { width, height, rgb: rgb.into_raw(), original: (width as u32, height as u32), factor: 1 }
    }

    #[test]
    fn copies_are_found_and_other_eyes_of_the_same_camera_are_not() {
        let mut all = Vec::new();
        for hospital in [Hospital::A, Hospital::B, Hospital::C] {
            // Real photographs have more than 1000 pixels: their small versions have little noise.
            let pictures = generate(0, 24, 5, &[hospital], 256, 1.3);
            all.extend(pictures.into_iter().map(|fundus| picture(256, fundus.rgb)));
        }
        let marks: Vec<Mark> = all.iter().enumerate().map(|(i, picture)| mark(picture, i as u64)).collect();
        let (mut bits, mut least, mut most) = (0, 1.0_f32, -1.0_f32);
        let (mut missed, mut mistaken) = (0, 0);
        for (i, of) in marks.iter().enumerate() {
            for other in marks.iter().enumerate().filter(|(k, _)| *k != i).map(|(_, other)| other) {
                most = most.max(correlation(&of.fine, &other.fine)).max(correlation(&mirror(&of.fine), &other.fine));
                mistaken += usize::from(of.same(other).is_some());
            }
            for (mirrored, same) in [(false, Same::Look), (true, Same::Mirrored)] {
                let copy = mark(&copied(&all[i], mirrored), 1000);
                bits = bits.max((copy.hash[usize::from(mirrored)] ^ of.hash[0]).count_ones());
                let fine = if mirrored { mirror(&copy.fine) } else { copy.fine.clone() };
                least = least.min(correlation(&fine, &of.fine));
                missed += usize::from(copy.same(of) != Some(same));
            }
        }
        let told = format!("{missed} missed, {mistaken} mistaken; copies: {bits} bits, {least}; others: {most}");
        assert!(missed + mistaken == 0, "{told}");
        assert!(bits <= BITS - 2 && least > CORRELATION + 0.02 && most < CORRELATION - 0.03, "{told}");
        assert_eq!(mark(&all[0], 1000).same(&marks[0]), Some(Same::Pixels));
        assert_eq!(marks[0].same(&marks[0]), Some(Same::File));
    }

    #[test]
    fn pictures_without_structure_are_not_taken_for_each_other() {
        let flat = |level: u8| mark(&picture(40, vec![level; 40 * 40 * 3]), u64::from(level));
        assert_eq!(flat(0).same(&flat(7)), None);
        assert_eq!(flat(7).same(&flat(7)), Some(Same::File));
    }
}
