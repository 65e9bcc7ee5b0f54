//! A legend outside of the data: a line sample and a name each, wrapped to the width; a click selects.

use eframe::egui::accesskit::Role;
use eframe::egui::{Align2, FontId, Painter, Pos2, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::stroke::{LineMesh, Pen};
use super::style::{Category, Style};

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<'a> {
    pub name: &'a str,
    pub category: Category,
    /// Drawn in full strength and heavier.
    pub selected: bool,
    /// Shown in the tooltip.
    pub help: String,
}

fn sample_width(font_size: f32) -> f32 {
    (1.9 * font_size).round()
}

fn line_height(font_size: f32) -> f32 {
    (1.65 * font_size).round()
}

/// Rectangles of the entries, from the top left, and the height that they take together.
fn place(ui: &Ui, entries: &[Entry<'_>], width: f32, font_size: f32) -> (Vec<Rect>, f32) {
    let font = FontId::proportional(font_size);
    let (mut x, mut y) = (0.0, 0.0);
    let mut rects = Vec::with_capacity(entries.len());
    for entry in entries {
        let text = ui.painter().layout_no_wrap(entry.name.to_owned(), font.clone(), ui.visuals().text_color());
        let wide = (sample_width(font_size) + 0.5 * font_size + text.size().x).ceil();
        if x > 0.0 && x + wide > width {
            (x, y) = (0.0, y + line_height(font_size));
        }
        rects.push(Rect::from_min_size(pos2(x, y), vec2(wide, line_height(font_size))));
        x += wide + 1.0 * font_size;
    }
    let height = if entries.is_empty() { 0.0 } else { y + line_height(font_size) };
    (rects, height)
}

/// Height that the legend takes at this width.
pub fn height(ui: &Ui, entries: &[Entry<'_>], width: f32, font_size: f32) -> f32 {
    place(ui, entries, width, font_size).1
}

/// Draws the legend at the top left of `rect`; returns the index of the entry that was clicked.
pub fn show(ui: &Ui, rect: Rect, entries: &[Entry<'_>], style: &Style, font_size: f32) -> Option<usize> {
    let (places, _) = place(ui, entries, rect.width(), font_size);
    let painter = ui.painter_at(rect);
    let mut clicked = None;
    for (index, (entry, place)) in entries.iter().zip(places).enumerate() {
        let place = place.translate(rect.min.to_vec2()).intersect(rect);
        if !place.is_positive() {
            continue;
        }
        let id = ui.scope_id().with(("legend", entry.name));
        let response = ui.interact(place, id, Sense::click());
        response.widget_info(|| {
            WidgetInfo::selected(Role::RadioButton, true, entry.selected, format!("select {}", entry.name))
        });
        if response.clicked() {
            clicked = Some(index);
        }
        let color = if entry.selected || response.hovered() { style.text } else { style.text_weak };
        let end = place.left() + sample_width(font_size);
        sample(&painter, pos2(place.left(), place.center().y), end, entry, font_size);
        let at = pos2(end + 0.5 * font_size, place.center().y);
        painter.text(at, Align2::LEFT_CENTER, entry.name, FontId::proportional(font_size), color);
        if response.has_focus() {
            painter.rect_stroke(place, 3.0, (1.0, style.accent), eframe::egui::StrokeKind::Outside);
        }
        response.on_hover_ui(|ui| {
            ui.label(&entry.help);
        });
    }
    clicked
}

/// A short piece of the entry's line.
pub fn sample(painter: &Painter, from: Pos2, end: f32, entry: &Entry<'_>, font_size: f32) {
    let pen = Pen {
        width: if entry.selected { 0.26 } else { 0.18 } * font_size,
        color: entry.category.color,
        dash: entry.category.dash,
        feather: 1.0 / painter.pixels_per_point(),
    };
    let run = [(from, 0), (pos2(end, from.y), 1)];
    LineMesh::new([run.as_slice()], pen).draw(painter);
}
