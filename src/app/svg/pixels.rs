//! Pictures in an SVG: the part of a texture that is shown, as PNG within the file.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use eframe::egui::epaint::{ImageData, ImageDelta, Mesh, TextureId, Vertex};
use eframe::egui::{Color32, ColorImage, Pos2, Rect, TextureFilter, TextureOptions, pos2};
use image::{Rgba, RgbaImage};

use super::{Writer, place};
use crate::app::png::png;

/// The textures of a context, as far as they were handed to the renderer.
#[derive(Debug, Default)]
pub struct Textures(HashMap<TextureId, (Arc<ColorImage>, TextureOptions)>);

impl Textures {
    /// Takes in a new texture, or a new part of one.
    pub fn set(&mut self, id: TextureId, delta: &ImageDelta) {
        let ImageData::Color(image) = &delta.image;
        match (delta.pos, self.0.get_mut(&id)) {
            (None, _) => drop(self.0.insert(id, (image.clone(), delta.options))),
            (Some([left, top]), Some((whole, _))) => {
                let whole = Arc::make_mut(whole);
                let [width, height] = whole.size;
                for (y, row) in image.pixels.chunks(image.size[0].max(1)).enumerate() {
                    let fits = row.len().min(width.saturating_sub(left));
                    if top + y < height && fits > 0 {
                        let from = (top + y) * width + left;
                        whole.pixels[from..from + fits].copy_from_slice(&row[..fits]);
                    }
                }
            }
            (Some(_), None) => {}
        }
    }

    /// Forgets a texture.
    pub fn free(&mut self, id: TextureId) {
        self.0.remove(&id);
    }

    /// The colour at a corner of a mesh.
    pub fn shade(&self, id: TextureId, vertex: Vertex) -> Color32 {
        let texture = (id != TextureId::default()).then(|| self.0.get(&id)).flatten();
        let Some((image, _)) = texture.filter(|(image, _)| !image.pixels.is_empty()) else { return vertex.color };
        let [width, height] = image.size;
        let at = |share: f32, side: usize| ((share * side as f32).max(0.0) as usize).min(side - 1);
        image.pixels[at(vertex.uv.y, height) * width + at(vertex.uv.x, width)] * vertex.color
    }
}

/// Where an upright picture lies, which part of its texture it is and in which colour, if the mesh is one.
pub fn upright(mesh: &Mesh) -> Option<(Rect, Rect, Color32)> {
    let [a, _, _, d] = mesh.vertices[..] else { return None };
    let (place, uv) = (Rect::from_two_pos(a.pos, d.pos), Rect { min: a.uv, max: d.uv });
    let corner = |v: &Vertex| {
        let (x, y) = (v.pos.x == d.pos.x, v.pos.y == d.pos.y);
        let there = (x || v.pos.x == a.pos.x) && (y || v.pos.y == a.pos.y);
        let wanted = pos2(if x { d.uv.x } else { a.uv.x }, if y { d.uv.y } else { a.uv.y });
        there && v.uv == wanted && v.color == a.color
    };
    let forward = a.pos.x < d.pos.x && a.pos.y < d.pos.y && mesh.indices.len() == 6;
    (forward && mesh.vertices.iter().all(corner)).then_some((place, uv, a.color))
}

impl Writer<'_> {
    /// A part of a texture.
    pub(super) fn texture(
        &mut self,
        id: TextureId,
        at: Rect,
        uv: Rect,
        tint: Color32,
        clip: Rect,
    ) -> Result<(), String> {
        let Some((image, options)) = self.textures.0.get(&id).cloned() else {
            return Err("a picture of the figure is not among what was loaded".to_owned());
        };
        let [width, height] = image.size;
        let span = uv.size();
        if tint == Color32::TRANSPARENT || span.x == 0.0 || span.y == 0.0 || width == 0 || height == 0 {
            return Ok(());
        }
        // Whole pixels around what is shown; the rest of them is cut off.
        let reach = |a: f32, b: f32, side: usize| {
            let (low, high) = (a.min(b) * side as f32, a.max(b) * side as f32);
            let low = (low + 1e-3).floor().clamp(0.0, side as f32 - 1.0);
            (low as u32, (high - 1e-3).ceil().clamp(low + 1.0, side as f32) as u32)
        };
        let ((left, right), (top, bottom)) = (reach(uv.min.x, uv.max.x, width), reach(uv.min.y, uv.max.y, height));
        let (mirrored, upside_down) = (span.x < 0.0, span.y < 0.0);
        let picture = RgbaImage::from_fn(right - left, bottom - top, |x, y| {
            let x = if mirrored { right - 1 - x } else { left + x } as usize;
            let y = if upside_down { bottom - 1 - y } else { top + y } as usize;
            Rgba((image.pixels[y * width + x] * tint).to_srgba_unmultiplied())
        });
        let on_page = |x: u32, y: u32| -> Pos2 {
            let share = pos2(x as f32 / width as f32, y as f32 / height as f32) - uv.min;
            at.min + share / span * at.size()
        };
        let whole = Rect::from_two_pos(on_page(left, top), on_page(right, bottom));
        self.picture(whole, &picture, options.magnification == TextureFilter::Nearest, clip.intersect(at))
    }

    /// A picture; its pixels are seen as such where it is `pixelated`.
    pub(super) fn picture(&mut self, at: Rect, picture: &RgbaImage, pixelated: bool, clip: Rect) -> Result<(), String> {
        if !at.is_finite() || !at.is_positive() {
            return Ok(());
        }
        let Some(cut) = self.cut(at, clip) else { return Ok(()) };
        self.close();
        let look = if pixelated { " style=\"image-rendering:optimizeSpeed;image-rendering:pixelated\"" } else { "" };
        let data = base64(&png(picture)?);
        let _ = writeln!(
            self.body,
            "<image{} preserveAspectRatio=\"none\"{look}{cut} href=\"data:image/png;base64,{data}\"/>",
            place(at)
        );
        Ok(())
    }
}

/// The alphabet of RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let sign = char::from(SIGNS[(bits >> (18 - 6 * at) & 63) as usize]);
            text.push(if at <= chunk.len() { sign } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
