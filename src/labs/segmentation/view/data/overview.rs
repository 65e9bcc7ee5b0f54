//! What was found in a folder, and how it is split, in words and as a bar.

use eframe::egui::accesskit::Role;
use eframe::egui::{Grid, Label, Rect, RichText, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::data::segmentation::split::Part;
use crate::plot::style::Style;
use crate::plot::tile;

use super::folder::Verdict;

/// What was found, one statement a line; the folder itself stands in the bar.
pub fn found(ui: &mut Ui, about: &[String], style: &Style, size: f32) {
    for (i, line) in about.iter().skip(1).enumerate() {
        let color = if i == 0 { style.text } else { style.text_weak };
        ui.add(Label::new(RichText::new(line).size(size + 1.0).color(color)).wrap());
    }
}

/// Classes that have a column of their own.
const MOST_CLASSES: usize = 8;
/// Colours of the parts, in every tile that tells them apart.
const PART_COLORS: [usize; 3] = [4, 1, 3];

/// The split by groups: a bar, numbers, and what each part has of every class.
pub fn split(ui: &mut Ui, verdict: &Verdict, current: bool, style: &Style, size: f32) {
    let counts = Part::ALL.map(|part| verdict.plan.split.pairs(part).len());
    let total: usize = counts.iter().sum();
    ui.label(RichText::new("Split").size(size + 2.0).color(style.text));
    if let Some(refused) = &verdict.refused {
        let text = format!("{refused}; the split below is without it");
        ui.add(Label::new(RichText::new(text).size(size + 0.5).color(style.error)).wrap());
    }
    for line in &verdict.plan.lines {
        ui.add(Label::new(tile::weak(line, size, style)).wrap());
    }
    if total == 0 {
        return;
    }
    let (bar, response) = ui.allocate_exact_size(vec2(ui.available_width().min(36.0 * size), size), Sense::hover());
    let label = format!("split: {} training, {} validation, {} test", counts[0], counts[1], counts[2]);
    response.widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, &label));
    let mut left = bar.left();
    for (count, color) in counts.iter().zip(PART_COLORS) {
        let right = left + bar.width() * *count as f32 / total as f32;
        let part = Rect::from_min_max(pos2(left, bar.top()), pos2((right - 1.0).max(left), bar.bottom()));
        let fade = if current { 1.0 } else { 0.4 };
        ui.painter().rect_filled(part, 0.0, style.category(color).color.gamma_multiply(fade));
        left = right;
    }
    response.on_hover_text(label);
    ui.add_space(4.0);
    let (columns, rows) = verdict.plan.table.cells(MOST_CLASSES);
    table(ui, &columns, &rows, style, size);
    for warning in verdict.plan.table.warnings() {
        ui.add(Label::new(RichText::new(warning).size(size + 0.5).color(style.warning)).wrap());
    }
}

/// Each part beside the whole, one column a part.
pub fn table(ui: &mut Ui, columns: &[String], rows: &[Vec<String>], style: &Style, size: f32) {
    Grid::new("parts").spacing(vec2(1.2 * size, 2.0)).min_row_height(1.6 * size).show(ui, |ui| {
        for (i, heading) in columns.iter().enumerate() {
            ui.label(tile::weak(if i == 0 { "" } else { heading }, size, style));
            for row in rows {
                let cell = row.get(i).map(String::as_str).unwrap_or_default();
                if i > 0 {
                    ui.label(tile::mono(format!("{cell:>6}"), size, style));
                    continue;
                }
                ui.horizontal(|ui| {
                    let part = Part::ALL.into_iter().position(|part| part.label() == cell);
                    if let Some(color) = part.map(|part| PART_COLORS[part]) {
                        let (square, _) = ui.allocate_exact_size(vec2(0.7 * size, 0.7 * size), Sense::hover());
                        ui.painter().rect_filled(square, 1.0, style.category(color).color);
                    }
                    ui.label(RichText::new(cell).size(size + 0.5).color(style.text));
                });
            }
            ui.end_row();
        }
    });
}
