//! What lines and colours over pictures mean, on one line.

use eframe::egui::{Color32, FontId, Mesh, Rect, Shape, Ui, pos2, vec2};

use crate::plot::colormap::ColorMap;
use crate::plot::stroke::{LineMesh, Pen};
use crate::plot::style::{Dash, Style};

/// A kind of outline or of pixel: name, colour, dash.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    pub name: &'static str,
    /// Where there is little room.
    pub short: &'static str,
    pub color: Color32,
    pub dash: Dash,
}

/// What there is to explain, from the left.
#[derive(Debug, Clone, Default)]
pub struct Legend<'a> {
    pub lines: Vec<Mark>,
    /// Colours of pixels.
    pub colors: Vec<Mark>,
    /// The words before and behind a bar of the colours of a heat map.
    pub heat: Option<(&'a str, String)>,
    pub note: &'a str,
}

impl Legend<'_> {
    /// Draws it on one line. What does not fit is left out.
    pub fn show(&self, ui: &Ui, rect: Rect, style: &Style, size: f32) {
        let painter = ui.painter_at(rect);
        let font = FontId::proportional(size);
        let y = rect.center().y;
        let gap = 0.9 * size;
        let mut x = rect.left();
        let text = |x: &mut f32, text: &str| {
            let galley = painter.layout_no_wrap(text.to_owned(), font.clone(), style.text_weak);
            let fits = *x + galley.size().x <= rect.right() + 0.5;
            if fits {
                painter.galley(pos2(*x, y - galley.size().y / 2.0), galley.clone(), style.text_weak);
            }
            *x += galley.size().x + gap;
            fits
        };
        let wide = |text: &str| painter.layout_no_wrap(text.to_owned(), font.clone(), style.text_weak).size().x;
        for mark in &self.lines {
            let sample = 1.9 * size;
            if x + sample + 0.4 * size + wide(mark.name) > rect.right() {
                return;
            }
            let feather = 1.0 / painter.pixels_per_point();
            let pen = Pen { width: 0.16 * size, color: mark.color, dash: mark.dash, feather };
            let run = [(pos2(x, y), 0), (pos2(x + sample, y), 1)];
            LineMesh::new([run.as_slice()], pen).draw(&painter);
            x += sample + 0.4 * size;
            text(&mut x, mark.name);
        }
        let room = rect.right() - x;
        let long: f32 = self.colors.iter().map(|mark| 1.3 * size + wide(mark.name) + gap).sum();
        for mark in &self.colors {
            let name = if long - gap <= room { mark.name } else { mark.short };
            if x + 1.3 * size + wide(name) > rect.right() {
                return;
            }
            let swatch = Rect::from_center_size(pos2(x + 0.45 * size, y), vec2(0.9 * size, 0.9 * size));
            painter.rect_filled(swatch, 1.0, mark.color);
            x += 1.3 * size;
            text(&mut x, name);
        }
        if let Some((low, high)) = &self.heat {
            let bar = 7.0 * size;
            if x + wide(low) + gap + bar + gap + wide(high) > rect.right() || !text(&mut x, low) {
                return;
            }
            let place =
                Rect::from_min_max(pos2(x - 0.5 * gap, y - 0.35 * size), pos2(x - 0.5 * gap + bar, y + 0.35 * size));
            painter.add(Shape::mesh(heat_bar(place)));
            x = place.right() + 0.5 * gap;
            text(&mut x, high);
        }
        if x + wide(self.note) <= rect.right() {
            text(&mut x, self.note);
        }
    }
}

/// Viridis from the left to the right.
fn heat_bar(place: Rect) -> Mesh {
    let mut mesh = Mesh::default();
    for slice in 0..=32u32 {
        let share = slice as f32 / 32.0;
        let at = place.left() + share * place.width();
        let color = ColorMap::Viridis.color(share);
        mesh.colored_vertex(pos2(at, place.top()), color);
        mesh.colored_vertex(pos2(at, place.bottom()), color);
        if slice > 0 {
            let i = 2 * slice - 2;
            mesh.add_triangle(i, i + 1, i + 2);
            mesh.add_triangle(i + 1, i + 2, i + 3);
        }
    }
    mesh
}
