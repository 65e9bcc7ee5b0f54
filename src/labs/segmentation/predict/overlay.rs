//! Results as pictures: a mask as PNG, and a picture with the outlines drawn into it.

use std::io::Cursor;

use image::ImageEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};

use crate::data::segmentation::read::Picture;
use crate::data::segmentation::save;
use crate::pixels::mask::Mask;
use crate::pixels::mask::outline::{OutlineStyle, outlines};

/// The outline of a prediction.
pub const PREDICTED: [u8; 3] = [0, 230, 90];
/// The true outline.
pub const TRUE: [u8; 3] = [255, 50, 50];

/// Width of an outline in a picture of this size, pixels: 1 up to 480 a side, 2 at 640, 25 at 8000.
pub fn line_width(width: usize, height: usize) -> usize {
    (width.max(height) as f64 / 320.0).round().max(1.0) as usize
}

/// An 8-bit grey PNG of 0 and 255 at the size of the picture's file, width and height.
pub fn mask_png(mask: &Mask, original: (u32, u32)) -> Result<Vec<u8>, image::ImageError> {
    save::encode(mask, original)
}

/// The picture as RGB with the true outline in red below the predicted one in green.
pub fn overlay(picture: &Picture, mask: &Mask, truth: Option<&Mask>) -> Vec<u8> {
    let mut rgb = picture.rgb.clone();
    let thick = line_width(picture.width, picture.height);
    if let Some(truth) = truth {
        draw(&mut rgb, picture, truth, TRUE, thick);
    }
    draw(&mut rgb, picture, mask, PREDICTED, thick);
    rgb
}

/// [`overlay`] as PNG.
pub fn overlay_png(picture: &Picture, mask: &Mask, truth: Option<&Mask>) -> Result<Vec<u8>, image::ImageError> {
    let rgb = overlay(picture, mask, truth);
    let mut bytes = Cursor::new(Vec::new());
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive).write_image(
        &rgb,
        picture.width as u32,
        picture.height as u32,
        image::ExtendedColorType::Rgb8,
    )?;
    Ok(bytes.into_inner())
}

/// Draws every outline along the sides of the pixels, which are upright or level: each piece is a rectangle.
fn draw(rgb: &mut [u8], picture: &Picture, mask: &Mask, colour: [u8; 3], thick: usize) {
    let half = thick as f32 / 2.0;
    let span = |a: f32, b: f32, most: usize| {
        let from = (a.min(b) - half).round().max(0.0) as usize;
        let to = (a.max(b) + half).round().max(0.0) as usize;
        from.min(most)..to.min(most)
    };
    for outline in outlines(mask, OutlineStyle::Edges) {
        let next = outline.points.iter().cycle().skip(1);
        for (a, b) in outline.points.iter().zip(next) {
            let columns = span(a[0], b[0], picture.width);
            for row in span(a[1], b[1], picture.height) {
                let line = &mut rgb[3 * row * picture.width..3 * (row + 1) * picture.width];
                line[3 * columns.start..3 * columns.end]
                    .chunks_exact_mut(3)
                    .for_each(|pixel| pixel.copy_from_slice(&colour));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: usize, height: usize) -> Picture {
        let original = (width as u32, height as u32);
        Picture { width, height, rgb: vec![100; 3 * width * height], original, factor: 1 }
    }

    fn square(side: usize, from: usize, to: usize) -> Mask {
        Mask::from_fn(side, side, |y, x| (from..to).contains(&y) && (from..to).contains(&x))
    }

    #[test]
    fn outlines_are_drawn_in_their_colours_and_the_rest_stays() {
        let picture = grey(40, 40);
        let rgb = overlay(&picture, &square(40, 10, 20), Some(&square(40, 25, 30)));
        let at = |x: usize, y: usize| [0, 1, 2].map(|c| rgb[3 * (40 * y + x) + c]);
        assert_eq!(at(10, 15), PREDICTED);
        assert_eq!(at(15, 10), PREDICTED);
        assert_eq!(at(25, 27), TRUE);
        for (x, y) in [(15, 15), (5, 5), (27, 27), (39, 39), (0, 0)] {
            assert_eq!(at(x, y), [100; 3], "{x}, {y}");
        }
        // Green lies above red.
        let same = square(40, 10, 20);
        assert!(!overlay(&picture, &same, Some(&same)).chunks_exact(3).any(|pixel| pixel == TRUE));
    }

    #[test]
    fn lines_grow_with_the_picture_and_stay_inside_of_it() {
        assert_eq!((line_width(100, 80), line_width(640, 432), line_width(8000, 8000)), (1, 2, 25));
        let full = Mask::from_fn(900, 700, |_, _| true);
        let rgb = overlay(&grey(700, 900), &full, None);
        assert_eq!(rgb[..3], PREDICTED);
        assert_eq!(rgb[rgb.len() - 3..], PREDICTED);
        assert_eq!(rgb[3 * (700 * 450 + 350)], 100);
    }

    #[test]
    fn pngs_hold_what_was_drawn() {
        let picture = grey(40, 40);
        let mask = square(40, 10, 20);
        let image = image::load_from_memory(&mask_png(&mask, picture.original).unwrap()).unwrap();
        assert_eq!(image.color(), image::ColorType::L8);
        let image = image.into_luma8();
        assert_eq!(image.pixels().filter(|pixel| pixel.0 == [255]).count(), 100);
        assert_eq!(image.pixels().filter(|pixel| pixel.0 == [0]).count(), 1500);
        let drawn = image::load_from_memory(&overlay_png(&picture, &mask, None).unwrap()).unwrap().into_rgb8();
        assert_eq!(drawn.into_raw(), overlay(&picture, &mask, None));
    }
}
