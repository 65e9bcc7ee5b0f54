//! One picture with what lies over it.

use eframe::egui::{Rect, Ui, pos2, vec2};

use super::outline::{Outline, draw_outlines};
use super::pictures::{Picture, Pictures};
use crate::plot::image_view::Lens;

/// What lies over a picture as a whole: a mask, errors, a heat map. It need not have the picture's size.
pub struct Layer<'a> {
    pub picture: Picture<'a>,
    /// 0 to 1.
    pub opacity: f32,
}

/// A picture, layers over it, and lines over those.
#[derive(Default)]
pub struct Panel<'a> {
    /// `None` while it is being read.
    pub picture: Option<Picture<'a>>,
    pub layers: Vec<Layer<'a>>,
    pub outlines: Vec<Outline<'a>>,
}

impl Pictures {
    /// Draws a panel within `view` as it is seen through the lens; returns where the whole picture lies. `None`: there is no
    /// picture yet.
    pub fn panel(&mut self, ui: &Ui, view: Rect, lens: &Lens, panel: &Panel<'_>) -> Option<Rect> {
        let picture = panel.picture.as_ref()?;
        let placed = lens.place(view, picture.size);
        let painter = ui.painter_at(view);
        self.draw(&painter, picture, placed, 1.0);
        for layer in &panel.layers {
            self.draw(&painter, &layer.picture, placed, layer.opacity);
        }
        draw_outlines(&painter, placed, picture.size, &panel.outlines);
        Some(placed)
    }
}

/// Places of `count` panels of one width beside each other.
pub fn beside(rect: Rect, count: usize, gap: f32) -> impl Iterator<Item = Rect> {
    let count = count.max(1);
    let width = ((rect.width() - gap * (count - 1) as f32) / count as f32).max(0.0);
    let place = move |k: usize| pos2(rect.left() + k as f32 * (width + gap), rect.top());
    (0..count).map(move |k| Rect::from_min_size(place(k), vec2(width, rect.height())))
}
