//! What lies over an image as a texture: the mask, the probability, the errors, the uncertainty.

use eframe::egui::{Color32, ColorImage, Context, TextureFilter, TextureId, TextureOptions};

use crate::pixels::mask::Mask;
use crate::plot::colormap::ColorMap;
use crate::plot::live_texture::LiveTexture;

use super::gallery::{Made, Map, Shown, Truth};
use super::look::{Marks, Mode};

/// Most pixels of a side of a texture; larger images are drawn from every n-th pixel.
const SIDE: usize = 2048;

/// Pixels stay pixels when they are magnified, and do not flicker when they are not.
pub const PIXELS: TextureOptions = TextureOptions {
    magnification: TextureFilter::Nearest,
    minification: TextureFilter::Linear,
    wrap_mode: eframe::egui::TextureWrapMode::ClampToEdge,
    mipmap_mode: None,
};

/// Standard deviation of a probability at which the uncertainty map ends; half of what a coin has, which is rare.
pub const MOST_UNCERTAIN: f32 = 0.25;

/// One texture and what is on it.
#[derive(Debug, Default)]
pub struct Layer {
    texture: LiveTexture,
    shown: Option<Key>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    mode: Mode,
    step: u64,
    made: Option<Made>,
    high_contrast: Color32,
}

/// What a layer is drawn from.
pub struct Source<'a> {
    pub shown: Option<&'a Shown>,
    pub truth: Option<&'a Truth>,
    pub probability: Option<&'a Map>,
    pub uncertainty: Option<&'a Map>,
}

impl Layer {
    /// The texture for `mode`; `None` where there is nothing to show. `afford` runs the work of making it now or refuses.
    pub fn update(
        &mut self,
        ctx: &Context,
        mode: Mode,
        source: &Source<'_>,
        marks: &Marks,
        afford: impl FnOnce(&mut dyn FnMut()) -> bool,
    ) -> Option<TextureId> {
        let (step, made) = match mode {
            Mode::Outlines => return None,
            Mode::Probability => (source.probability?.step, None),
            Mode::Uncertainty => (source.uncertainty?.step, None),
            Mode::Mask => (0, Some(source.shown?.made)),
            Mode::Errors => {
                source.truth?;
                (0, Some(source.shown?.made))
            }
        };
        let key = Key { mode, step, made, high_contrast: marks.found.color };
        if self.shown != Some(key) {
            let made = afford(&mut || {
                let image = match mode {
                    Mode::Outlines => None,
                    Mode::Probability => source.probability.map(|map| field(map, 1.0)),
                    Mode::Uncertainty => source.uncertainty.map(|map| field(map, MOST_UNCERTAIN)),
                    Mode::Mask => source.shown.map(|shown| flat(&shown.mask, marks.prediction.color)),
                    Mode::Errors => {
                        source.shown.zip(source.truth).map(|(shown, truth)| errors(&shown.mask, &truth.mask, marks))
                    }
                };
                let smooth = matches!(mode, Mode::Probability | Mode::Uncertainty);
                let options = if smooth { TextureOptions::LINEAR } else { PIXELS };
                if let Some(image) = image {
                    self.texture.set(ctx, "segmentation layer", image, options);
                }
            });
            if made {
                self.shown = Some(key);
            } else if self.shown.is_none_or(|shown| shown.mode != mode) {
                // The texture of another mode would be read wrongly.
                return None;
            }
        }
        self.texture.id()
    }
}

/// The pixels to draw of an image of so many: every n-th, and how many that makes.
fn stride(width: usize, height: usize) -> (usize, [usize; 2]) {
    let stride = width.max(height).div_ceil(SIDE).max(1);
    (stride, [width.div_ceil(stride), height.div_ceil(stride)])
}

fn pixels(width: usize, height: usize, mut color: impl FnMut(usize, usize) -> Color32) -> ColorImage {
    let (stride, size) = stride(width, height);
    let rows = (0..size[1]).map(|y| y * stride);
    let colors = rows.flat_map(|y| (0..size[0]).map(move |x| (x * stride, y))).map(|(x, y)| color(x, y)).collect();
    ColorImage::new(size, colors)
}

/// An image's bytes, RGBA, averaged over squares of `square` pixels a side.
pub fn picture(width: usize, height: usize, rgba: &[u8], square: usize) -> ColorImage {
    let at = |x: usize, y: usize| {
        let start = 4 * (y * width + x);
        rgba.get(start..start + 4).map_or([0, 0, 0, 255], |p| [p[0], p[1], p[2], p[3]])
    };
    if square <= 1 {
        return pixels(width, height, |x, y| color(at(x, y)));
    }
    pixels(width.div_ceil(square), height.div_ceil(square), |x, y| {
        let mut sum = [0u32; 4];
        let mut count = 0;
        for y in y * square..((y + 1) * square).min(height) {
            for x in x * square..((x + 1) * square).min(width) {
                sum.iter_mut().zip(at(x, y)).for_each(|(sum, v)| *sum += u32::from(v));
                count += 1;
            }
        }
        color(sum.map(|sum| ((sum + count / 2) / count.max(1)) as u8))
    })
}

fn color([r, g, b, a]: [u8; 4]) -> Color32 {
    Color32::from_rgba_unmultiplied(r, g, b, a)
}

fn field(map: &Map, most: f32) -> ColorImage {
    pixels(map.side, map.side, |x, y| ColorMap::Viridis.color(map.values[y * map.side + x] / most))
}

fn flat(mask: &Mask, color: Color32) -> ColorImage {
    pixels(mask.width(), mask.height(), |x, y| if mask.at(y, x) { color } else { Color32::TRANSPARENT })
}

/// Width of the stripes of wrong pixels relative to the image, so that they can be told apart without colour.
const STRIPES: usize = 40;

/// Found, too much and missed pixels. Stripes lean to the right where there is too much and to the left where something
/// is missed.
fn errors(prediction: &Mask, truth: &Mask, marks: &Marks) -> ColorImage {
    let (width, height) = (truth.width(), truth.height());
    let band = (width.max(height) / STRIPES).max(2);
    let striped = |color: Color32, at: usize| if at % band < band / 2 { color } else { color.gamma_multiply(0.55) };
    pixels(width, height, |x, y| match (prediction.at(y, x), truth.at(y, x)) {
        (true, true) => marks.found.color,
        (true, false) => striped(marks.too_much.color, x + y),
        (false, true) => striped(marks.missed.color, x + height - y),
        (false, false) => Color32::TRANSPARENT,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::style::Style;

    #[test]
    fn errors_are_told_apart_by_colour_and_by_stripes() {
        let marks = Marks::of(&Style::light());
        let truth = Mask::from_fn(80, 120, |y, x| (20..60).contains(&y) && (20..80).contains(&x));
        let prediction = Mask::from_fn(80, 120, |y, x| (20..60).contains(&y) && (40..100).contains(&x));
        let image = errors(&prediction, &truth, &marks);
        assert_eq!(image.size, [120, 80]);
        assert_eq!(image[(50, 40)], marks.found.color);
        assert_eq!(image[(5, 5)], Color32::TRANSPARENT);
        let kinds = |from: usize, to: usize| {
            let mut kinds: Vec<_> = (from..to).map(|x| image[(x, 40)].to_array()).collect();
            kinds.sort_unstable();
            kinds.dedup();
            kinds
        };
        assert_eq!(kinds(20, 40).len(), 2);
        assert!(kinds(20, 40).contains(&marks.missed.color.to_array()));
        assert!(kinds(80, 100).contains(&marks.too_much.color.to_array()));
    }

    #[test]
    fn a_huge_image_fits_a_texture() {
        let rgba = [200, 200, 200, 255].repeat(5000 * 3);
        let image = picture(5000, 3, &rgba, 1);
        assert_eq!(image.size, [1667, 1]);
        assert!(image.pixels.iter().all(|pixel| pixel.r() == 200));
        assert_eq!(picture(2, 2, &[9; 3], 1).pixels.len(), 4, "missing bytes are black");
        let halves: Vec<u8> = (0..5 * 3).flat_map(|i| [if i % 5 < 2 { 10 } else { 21 }, 0, 0, 255]).collect();
        let small = picture(5, 3, &halves, 2);
        assert_eq!(small.size, [3, 2]);
        assert_eq!(small.pixels.iter().map(|pixel| pixel.r()).collect::<Vec<_>>(), [10, 21, 21, 10, 21, 21]);
    }

    #[test]
    fn a_layer_is_made_once_and_only_when_there_is_time() {
        let (ctx, marks) = (Context::default(), Marks::of(&Style::dark()));
        let map = Map { step: 4, side: 2, values: vec![0.0, 0.2, 0.6, 1.0] };
        let source = Source { shown: None, truth: None, probability: Some(&map), uncertainty: None };
        let mut layer = Layer::default();
        let mut made = 0;
        assert_eq!(layer.update(&ctx, Mode::Probability, &source, &marks, |_| false), None);
        for _ in 0..3 {
            let found = layer.update(&ctx, Mode::Probability, &source, &marks, |work| {
                made += 1;
                work();
                true
            });
            assert!(found.is_some());
        }
        assert_eq!(made, 1);
        assert_eq!(layer.update(&ctx, Mode::Uncertainty, &source, &marks, |_| true), None);
        assert_eq!(layer.update(&ctx, Mode::Errors, &source, &marks, |_| true), None);
    }
}
