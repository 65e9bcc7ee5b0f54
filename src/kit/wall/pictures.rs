//! Pictures on textures: made when they are first seen, for a short time of each frame, and given back when they have not
//! been seen for long and others need their room.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use eframe::egui::{
    Color32, ColorImage, Context, Painter, Rect, TextureFilter, TextureId, TextureOptions, TextureWrapMode, pos2,
};

use crate::plot::colormap::ColorMap;
use crate::plot::live_texture::LiveTexture;

/// Time of one frame that may be spent on making textures.
const TIME: Duration = Duration::from_millis(4);
/// Bytes that textures may take, but for what is on the screen.
const MOST_BYTES: usize = 256 << 20;
/// Most pixels of a side of a texture; larger pictures are drawn from every n-th pixel.
const SIDE: usize = 2048;
/// A picture at full size, and averaged over squares of 2, 4 and 8 pixels a side: what is seen from afar does not flicker.
const LEVELS: usize = 4;

/// Pixels stay pixels when they are magnified, and do not flicker when they are not.
const PIXELS: TextureOptions = TextureOptions {
    magnification: TextureFilter::Nearest,
    minification: TextureFilter::Linear,
    wrap_mode: TextureWrapMode::ClampToEdge,
    mipmap_mode: None,
};

/// What a picture is of, and which of its states it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    id: u64,
    version: u64,
}

impl Key {
    /// Until another version of the same `id` is on its texture, the last one is drawn. The `id` of what was recorded begins
    /// with the run.
    pub fn new(id: impl Hash, version: impl Hash) -> Self {
        Self { id: hash(id), version: hash(version) }
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What the pixels of a picture are, row by row.
pub enum Content<'a> {
    /// Four bytes a pixel: red, green, blue, opacity. Sharp when magnified, averaged from afar.
    Rgba(&'a [u8]),
    /// Three bytes a pixel; smooth.
    Rgb(&'a [u8]),
    /// Values in viridis, from 0 to `most`; smooth.
    Heat { values: &'a [f32], most: f32 },
    /// The colour at a column and a row; sharp when magnified.
    Colors(Box<dyn Fn(usize, usize) -> Color32 + 'a>),
}

/// A picture that may be drawn.
pub struct Picture<'a> {
    pub key: Key,
    /// Width and height in pixels.
    pub size: [usize; 2],
    pub content: Content<'a>,
}

impl Picture<'_> {
    /// Which level to draw where a pixel of the picture is `scale` pixels of the screen wide.
    fn level(&self, scale: f32) -> usize {
        match self.content {
            Content::Rgba(_) => (0..LEVELS - 1).take_while(|level| scale * 2f32.powi(*level as i32) < 0.6).count(),
            _ => 0,
        }
    }

    /// The pixels of a level. Where bytes are missing it is black.
    fn image(&self, level: usize) -> ColorImage {
        let [width, height] = self.size;
        match &self.content {
            Content::Rgba(rgba) => averaged(self.size, rgba, 1 << level),
            Content::Rgb(rgb) => thinned(self.size, |x, y| {
                let start = 3 * (y * width + x);
                rgb.get(start..start + 3).map_or(Color32::BLACK, |p| Color32::from_rgb(p[0], p[1], p[2]))
            }),
            Content::Heat { values, most } => thinned([width, height], |x, y| {
                ColorMap::Viridis.color(values.get(y * width + x).map_or(0.0, |value| value / most))
            }),
            Content::Colors(color) => thinned(self.size, color),
        }
    }

    fn options(&self) -> TextureOptions {
        match self.content {
            Content::Rgba(_) | Content::Colors(_) => PIXELS,
            Content::Rgb(_) | Content::Heat { .. } => TextureOptions::LINEAR,
        }
    }
}

/// Every n-th pixel of what would not fit a texture.
fn thinned([width, height]: [usize; 2], color: impl Fn(usize, usize) -> Color32) -> ColorImage {
    let stride = width.max(height).div_ceil(SIDE).max(1);
    let size = [width.div_ceil(stride), height.div_ceil(stride)];
    let rows = (0..size[1]).map(|y| y * stride);
    let colors = rows.flat_map(|y| (0..size[0]).map(move |x| (x * stride, y))).map(|(x, y)| color(x, y)).collect();
    ColorImage::new(size, colors)
}

/// RGBA averaged over squares of `square` pixels a side.
fn averaged([width, height]: [usize; 2], rgba: &[u8], square: usize) -> ColorImage {
    let at = |x: usize, y: usize| {
        let start = 4 * (y * width + x);
        rgba.get(start..start + 4).map_or([0, 0, 0, 255], |p| [p[0], p[1], p[2], p[3]])
    };
    let color = |[r, g, b, a]: [u8; 4]| Color32::from_rgba_unmultiplied(r, g, b, a);
    if square <= 1 {
        return thinned([width, height], |x, y| color(at(x, y)));
    }
    thinned([width.div_ceil(square), height.div_ceil(square)], |x, y| {
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

/// A level of a picture on its texture.
#[derive(Debug, Default)]
struct Kept {
    version: u64,
    texture: LiveTexture,
    bytes: usize,
    /// The frame in which it was last drawn.
    seen: u64,
}

/// Textures of pictures, by key.
#[derive(Debug, Default)]
pub struct Pictures {
    kept: HashMap<(u64, usize), Kept>,
    /// Of all of them.
    bytes: usize,
    /// Counts the frames in which something was drawn, and the window's number of the last one.
    frame: u64,
    number: Option<u64>,
    /// Time spent in this frame.
    spent: Duration,
}

impl Pictures {
    /// Draws a picture over the whole of `placed`, with an opacity from 0 to 1; nothing while it cannot be afforded and no
    /// other version of it is there.
    pub fn draw(&mut self, painter: &Painter, picture: &Picture<'_>, placed: Rect, opacity: f32) {
        let scale = placed.width() / picture.size[0].max(1) as f32 * painter.pixels_per_point();
        if let Some(texture) = self.texture(painter.ctx(), picture, scale) {
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            painter.image(texture, placed, whole, Color32::WHITE.gamma_multiply(opacity));
        }
    }

    /// The texture of a picture of which a pixel is `scale` pixels of the screen wide, or the nearest to it that is there.
    fn texture(&mut self, ctx: &Context, picture: &Picture<'_>, scale: f32) -> Option<TextureId> {
        self.follow(ctx);
        let Key { id, version } = picture.key;
        let level = picture.level(scale);
        if self.kept.get(&(id, level)).is_none_or(|kept| kept.version != version) {
            self.make(ctx, picture, level);
        }
        let there = (0..LEVELS).filter_map(|at| Some((at, self.kept.get(&(id, at))?)));
        let (nearest, _) = there.min_by_key(|(at, kept)| (kept.version != version, at.abs_diff(level)))?;
        let kept = self.kept.get_mut(&(id, nearest))?;
        kept.seen = self.frame;
        kept.texture.id()
    }

    /// Puts a level on its texture, unless this frame has had enough; another frame is asked for then.
    fn make(&mut self, ctx: &Context, picture: &Picture<'_>, level: usize) {
        if self.spent >= TIME {
            return ctx.request_repaint();
        }
        let start = Instant::now();
        let image = picture.image(level);
        let kept = self.kept.entry((picture.key.id, level)).or_default();
        self.bytes -= kept.bytes;
        (kept.version, kept.bytes) = (picture.key.version, size_of_val(image.pixels.as_slice()));
        self.bytes += kept.bytes;
        kept.texture.set(ctx, "picture", image, picture.options());
        self.spent += start.elapsed();
    }

    /// Begins a frame: it has its whole time, and what nobody has seen for the longest makes room.
    fn follow(&mut self, ctx: &Context) {
        let number = Some(ctx.cumulative_frame_nr());
        if self.number == number {
            return;
        }
        (self.number, self.spent) = (number, Duration::ZERO);
        self.frame += 1;
        self.shrink(MOST_BYTES);
    }

    /// Gives textures back until `most` bytes are left, but none that the last frame drew.
    fn shrink(&mut self, most: usize) {
        if self.bytes <= most {
            return;
        }
        let mut unseen: Vec<_> = self.kept.iter().map(|(place, kept)| (kept.seen, *place)).collect();
        unseen.retain(|(seen, _)| seen + 1 < self.frame);
        unseen.sort_unstable();
        for (_, place) in unseen {
            if self.bytes <= most {
                return;
            }
            self.bytes -= self.kept.remove(&place).map_or(0, |kept| kept.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(rgba: &[u8], id: u64, version: u64) -> Picture<'_> {
        Picture { key: Key::new(id, version), size: [64, 64], content: Content::Rgba(rgba) }
    }

    #[test]
    fn a_huge_picture_fits_a_texture() {
        let rgba = [200, 200, 200, 255].repeat(5000 * 3);
        let image = averaged([5000, 3], &rgba, 1);
        assert_eq!(image.size, [1667, 1]);
        assert!(image.pixels.iter().all(|pixel| pixel.r() == 200));
        assert_eq!(averaged([2, 2], &[9; 3], 1).pixels.len(), 4, "missing bytes are black");
    }

    #[test]
    fn a_picture_is_averaged_from_afar() {
        let halves: Vec<u8> = (0..5 * 3).flat_map(|i| [if i % 5 < 2 { 10 } else { 21 }, 0, 0, 255]).collect();
        let small = averaged([5, 3], &halves, 2);
        assert_eq!(small.size, [3, 2]);
        assert_eq!(small.pixels.iter().map(|pixel| pixel.r()).collect::<Vec<_>>(), [10, 21, 21, 10, 21, 21]);
        let picture = flat(&halves, 0, 0);
        assert_eq!([2.0, 0.7, 0.5, 0.2, 0.01].map(|scale| picture.level(scale)), [0, 0, 1, 2, 3]);
        let map = Picture { content: Content::Heat { values: &[], most: 1.0 }, ..picture };
        assert_eq!(map.level(0.01), 0);
        assert_eq!(map.image(0).pixels.len(), 64 * 64, "missing values are the least");
    }

    #[test]
    fn a_texture_is_made_once_a_version_and_only_when_there_is_time() {
        let (ctx, rgba) = (Context::default(), vec![9; 4 * 64 * 64]);
        let mut pictures = Pictures::default();
        pictures.follow(&ctx);
        pictures.spent = TIME;
        assert_eq!(pictures.texture(&ctx, &flat(&rgba, 1, 1), 1.0), None);
        pictures.spent = Duration::ZERO;
        let first = pictures.texture(&ctx, &flat(&rgba, 1, 1), 1.0);
        assert!(first.is_some() && pictures.bytes == 4 * 64 * 64);
        pictures.spent = TIME;
        assert_eq!(pictures.texture(&ctx, &flat(&rgba, 1, 2), 1.0), first, "the last version stays meanwhile");
        assert_eq!(pictures.texture(&ctx, &flat(&rgba, 1, 1), 0.5), first, "and another level");
        assert_eq!(pictures.texture(&ctx, &flat(&rgba, 2, 1), 1.0), None, "but not another picture");
    }

    #[test]
    fn what_was_not_seen_for_long_makes_room() {
        let (ctx, rgba) = (Context::default(), vec![9; 4 * 64 * 64]);
        let mut pictures = Pictures::default();
        let bytes = rgba.len();
        for id in 0..6 {
            pictures.frame += 1;
            pictures.spent = Duration::ZERO;
            pictures.texture(&ctx, &flat(&rgba, id, 0), 1.0);
            // The first one is seen in every frame.
            pictures.texture(&ctx, &flat(&rgba, 0, 0), 1.0);
        }
        assert_eq!(pictures.bytes, 6 * bytes);
        pictures.frame += 1;
        pictures.shrink(4 * bytes);
        let there = |pictures: &Pictures, id: u64| pictures.kept.contains_key(&(hash(id), 0));
        assert_eq!([0, 1, 2, 3, 4, 5].map(|id| there(&pictures, id)), [true, false, false, true, true, true]);
        assert_eq!(pictures.bytes, 4 * bytes);
        pictures.shrink(0);
        assert_eq!(pictures.bytes, 2 * bytes, "what is on the screen stays");
    }
}
