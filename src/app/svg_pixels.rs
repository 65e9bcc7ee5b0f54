//! Pictures in an SVG: the part of a texture that is shown, as PNG within the file.

use std::collections::HashMap;
use std::sync::Arc;

use eframe::egui::epaint::{ImageData, ImageDelta, Mesh, TextureId, Vertex};
use eframe::egui::{Color32, ColorImage, Pos2, Rect, TextureFilter, TextureOptions, pos2};
use image::{Rgba, RgbaImage};

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

    /// The part of a texture that lies at `at`: whole pixels around what is shown, where these lie, and whether they are seen as
    /// such. `None`: there is nothing to see. The error says what is missing.
    pub fn part(
        &self,
        id: TextureId,
        at: Rect,
        uv: Rect,
        tint: Color32,
    ) -> Result<Option<(Rect, RgbaImage, bool)>, String> {
        let Some((image, options)) = self.0.get(&id) else {
            return Err("a picture of the figure is not among what was loaded".to_owned());
        };
        let [width, height] = image.size;
        let span = uv.size();
        if tint == Color32::TRANSPARENT || span.x == 0.0 || span.y == 0.0 || width == 0 || height == 0 {
            return Ok(None);
        }
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
        Ok(Some((whole, picture, options.magnification == TextureFilter::Nearest)))
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
