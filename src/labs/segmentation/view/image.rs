//! Draws one image of the wall: the picture, what lies over it, and the outlines.

use std::time::Duration;

use eframe::egui::{Color32, FontId, Mesh, Painter, Rect, Shape, Ui, pos2, vec2};

use crate::plot::colormap::ColorMap;
use crate::plot::image_view::draw_loops;
use crate::plot::stroke::{LineMesh, Pen};
use crate::plot::style::{Dash, Style};

use super::gallery::{Card, Gallery, Slot};
use super::layer::{self, Source};
use super::look::{Ghost, Look, Mark, Marks, Mode};

/// How an image is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Where it may be drawn.
    pub view: Rect,
    pub look: &'a Look,
    pub marks: &'a Marks,
    /// Width of the outlines in points.
    pub line: f32,
}

/// Draws an image; returns where the whole of it lies. `None`: there is no picture yet.
pub fn draw(ui: &Ui, card: &mut Card, spent: &mut Duration, frame: &Frame<'_>) -> Option<Rect> {
    let shown = card.shown(Slot::Now).cloned();
    let Card { picture, layer, truth, probability, uncertainty, .. } = card;
    let picture = picture.as_mut()?;
    let size = picture.size;
    let placed = frame.look.lens.place(frame.view, size);
    let painter = ui.painter_at(frame.view);
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    let scale = placed.width() / size[0].max(1) as f32 * ui.ctx().pixels_per_point();
    if let Some(texture) = picture.texture(ui.ctx(), scale, spent) {
        painter.image(texture, placed, whole, Color32::WHITE);
    }
    let source = Source {
        shown: shown.as_deref(),
        truth: truth.as_deref(),
        probability: probability.as_deref(),
        uncertainty: uncertainty.as_deref(),
    };
    let over = layer.update(ui.ctx(), frame.look.mode, &source, frame.marks, |work| {
        Gallery::afford(spent, ui.ctx(), work).is_some()
    });
    if let Some(texture) = over {
        painter.image(texture, placed, whole, Color32::WHITE.gamma_multiply(frame.look.opacity));
    }
    outlines(&painter, card, placed, frame);
    Some(placed)
}

fn outlines(painter: &Painter, card: &Card, placed: Rect, frame: &Frame<'_>) {
    let Some(size) = card.size() else { return };
    let scale = placed.width() / size[0].max(1) as f32;
    let pen = |mark: Mark, width: f32| Pen {
        width,
        color: mark.color,
        dash: mark.dash,
        feather: 1.0 / painter.pixels_per_point(),
    };
    // A dark line below is seen on bright tissue.
    let shade = |width: f32| Pen {
        width: width + 1.4,
        color: Color32::from_black_alpha(110),
        dash: Dash::Solid,
        feather: 1.0 / painter.pixels_per_point(),
    };
    let marks = frame.marks;
    if let Some(ghost) = card.shown(Slot::Ghost).filter(|_| frame.look.ghost != Ghost::None) {
        draw_loops(painter, placed, size, ghost.lines.at_scale(scale), pen(marks.ghost, 0.8 * frame.line));
    }
    let shown = card.shown(Slot::Now);
    if let Some(shown) = shown {
        draw_loops(painter, placed, size, shown.lines.at_scale(scale), shade(frame.line));
        draw_loops(painter, placed, size, shown.lines.at_scale(scale), pen(marks.prediction, frame.line));
    }
    if let Some(lines) = card.truth.as_ref().and_then(|truth| truth.lines()) {
        if shown.is_none() {
            draw_loops(painter, placed, size, lines.at_scale(scale), shade(frame.line));
        }
        draw_loops(painter, placed, size, lines.at_scale(scale), pen(marks.truth, 0.85 * frame.line));
    }
}

/// Draws what lines and colours mean on one line from the left: the outlines, then what belongs to the mode. What does not
/// fit is left out.
pub fn legend(ui: &Ui, rect: Rect, look: &Look, marks: &Marks, style: &Style, size: f32, note: &str) {
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
    let mut lines = vec![marks.truth, marks.prediction];
    if look.ghost != Ghost::None {
        lines.push(marks.ghost);
    }
    for mark in lines {
        let sample = 1.9 * size;
        if x + sample + 0.4 * size + wide(mark.name) > rect.right() {
            return;
        }
        let pen =
            Pen { width: 0.16 * size, color: mark.color, dash: mark.dash, feather: 1.0 / painter.pixels_per_point() };
        let run = [(pos2(x, y), 0), (pos2(x + sample, y), 1)];
        LineMesh::new([run.as_slice()], pen).draw(&painter);
        x += sample + 0.4 * size;
        text(&mut x, mark.name);
    }
    match look.mode {
        Mode::Outlines | Mode::Mask => {}
        Mode::Errors => {
            let kinds = [marks.found, marks.too_much, marks.missed];
            let room = rect.right() - x;
            let long: f32 = kinds.iter().map(|mark| 1.3 * size + wide(mark.name) + gap).sum();
            for mark in kinds {
                let name = if long - gap <= room { mark.name } else { mark.short };
                if x + 1.3 * size + wide(name) > rect.right() {
                    return;
                }
                let swatch = Rect::from_center_size(pos2(x + 0.45 * size, y), vec2(0.9 * size, 0.9 * size));
                painter.rect_filled(swatch, 1.0, mark.color);
                x += 1.3 * size;
                text(&mut x, name);
            }
        }
        Mode::Probability | Mode::Uncertainty => {
            let (name, high) = if look.mode == Mode::Probability {
                ("probability 0", "1".to_owned())
            } else {
                ("standard deviation 0", format!("{}+", layer::MOST_UNCERTAIN))
            };
            let bar = 7.0 * size;
            if x + wide(name) + gap + bar + gap + wide(&high) > rect.right() || !text(&mut x, name) {
                return;
            }
            let place =
                Rect::from_min_max(pos2(x - 0.5 * gap, y - 0.35 * size), pos2(x - 0.5 * gap + bar, y + 0.35 * size));
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
            painter.add(Shape::mesh(mesh));
            x = place.right() + 0.5 * gap;
            text(&mut x, &high);
        }
    }
    if x + wide(note) <= rect.right() {
        text(&mut x, note);
    }
}
