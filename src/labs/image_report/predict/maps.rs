//! What words look at, as pictures.

use std::io::Cursor;
use std::path::Path;

use image::ImageEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};

use crate::engine::run_folder::DiskError;
use crate::kit::predict::save_png;
use crate::kit::wall::Map;
use crate::plot::colormap::ColorMap;
use crate::text::tags::Tag;

use super::judge::Judged;
use super::report::Found;

/// Pixels of a side that a map has at least: small images are magnified.
const LEAST_SIDE: usize = 256;
/// How much of a map hides of the image.
const OPACITY: f32 = 0.5;

/// Of a report's nouns the `most` whose attention is the least spread out, in the order of the report.
pub fn mapped(judged: &Judged, most: usize) -> Vec<usize> {
    let nouns = judged.tags.iter().enumerate().filter(|(_, tag)| **tag == Tag::Noun).map(|(i, _)| i);
    let mut spots: Vec<(usize, f64)> = nouns.filter_map(|i| Some((i, judged.spot(i)?.share))).collect();
    spots.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut words: Vec<usize> = spots.into_iter().take(most).map(|(i, _)| i).collect();
    words.sort_unstable();
    words
}

/// Writes `NAME-INDEX-WORD.png` below `out` for each of [`mapped`]; gives their number.
pub fn save_maps(out: &Path, found: &Found, most: usize) -> Result<usize, DiskError> {
    let (Some(judged), Some(square)) = (&found.judged, &found.square) else { return Ok(0) };
    let words = mapped(judged, most);
    for &i in &words {
        let (Some(word), Some(heat), Some(looks)) = (judged.words().get(i), judged.heat(i), &judged.looks) else {
            continue;
        };
        let map = Map { step: 0, side: looks.grid[0], values: heat };
        let name = format!("{}-{:02}-{}.png", found.name, i + 1, in_name(word));
        save_png(&out.join(name), || png(&square.image, found.size, &map))?;
    }
    Ok(words.len())
}

/// A word as part of a file's name.
fn in_name(word: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || c == '-' { c } else { '_' };
    // File systems have room for 255 bytes.
    word.chars().map(safe).take(40).collect()
}

/// A grey image `[size, size]` with a map over it, magnified by a whole number.
fn png(image: &[u8], size: usize, map: &Map) -> Result<Vec<u8>, image::ImageError> {
    let factor = LEAST_SIDE.div_ceil(size.max(1)).max(1);
    let side = size * factor;
    let middle = |at: usize| (at as f32 + 0.5) / side as f32;
    let pixel = |i: usize| {
        let (x, y) = (i % side, i / side);
        let level = image.get(y / factor * size + x / factor).copied().unwrap_or(0);
        let heat = ColorMap::Viridis.rgb(map.sample([middle(x), middle(y)])).unwrap_or_default();
        heat.map(|heat| (OPACITY * f32::from(heat) + (1.0 - OPACITY) * f32::from(level)).round() as u8)
    };
    let rgb: Vec<u8> = (0..side * side).flat_map(pixel).collect();
    let mut bytes = Cursor::new(Vec::new());
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive);
    encoder.write_image(&rgb, side as u32, side as u32, image::ExtendedColorType::Rgb8)?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_lies_where_its_attention_is_and_names_hold_no_slashes() {
        assert_eq!(in_name("left/right"), "left_right");
        assert_eq!(in_name("œdème"), "œdème");
        let map = Map { step: 0, side: 2, values: vec![0.0, 0.0, 0.0, 1.0] };
        let bytes = png(&[100; 32 * 32], 32, &map).unwrap();
        let picture = image::load_from_memory(&bytes).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (256, 256));
        let green = |x: u32, y: u32| picture.get_pixel(x, y).0[1];
        assert!(green(250, 250) > green(250, 5) && green(5, 5) == green(250, 5));
    }
}
