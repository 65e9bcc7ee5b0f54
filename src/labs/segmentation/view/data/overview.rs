//! What was found in a folder, and how it is split, in words and as a bar.

use eframe::egui::accesskit::Role;
use eframe::egui::{Grid, Label, Rect, RichText, Sense, Ui, WidgetInfo, pos2, vec2};

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

const PARTS: [&str; 3] = ["training", "validation", "test"];
/// Colours of the parts, in every tile that tells them apart.
const PART_COLORS: [usize; 3] = [4, 1, 3];

/// The split by groups: a bar, numbers, and what each part has of every class.
pub fn split(ui: &mut Ui, verdict: &Verdict, current: bool, style: &Style, size: f32) {
    let parts = [&verdict.split.train, &verdict.split.validation, &verdict.split.test];
    let counts = parts.map(|part| part.len());
    let total: usize = counts.iter().sum();
    ui.label(RichText::new("Split").size(size + 2.0).color(style.text));
    if let Some(refused) = &verdict.refused {
        let text = format!("{refused}; the split below is without it");
        ui.add(Label::new(RichText::new(text).size(size + 0.5).color(style.error)).wrap());
    }
    ui.add(Label::new(tile::weak(&verdict.grouping, size, style)).wrap());
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
    let classes = &verdict.classes[..verdict.classes.len().min(12)];
    Grid::new("split").spacing(vec2(0.9 * size, 2.0)).min_row_height(1.6 * size).show(ui, |ui| {
        ui.label("");
        ui.label(tile::weak("images", size, style));
        classes.iter().for_each(|(class, _)| {
            ui.label(tile::weak(class, size, style));
        });
        ui.end_row();
        for (part, (name, color)) in PARTS.iter().zip(PART_COLORS).enumerate() {
            ui.horizontal(|ui| {
                let (square, _) = ui.allocate_exact_size(vec2(0.7 * size, 0.7 * size), Sense::hover());
                ui.painter().rect_filled(square, 1.0, style.category(color).color);
                ui.label(RichText::new(*name).size(size + 0.5).color(style.text));
            });
            ui.label(tile::mono(format!("{:>5}", counts[part]), size, style));
            for (_, of_class) in classes {
                ui.label(tile::mono(format!("{:>5}", of_class[part]), size, style));
            }
            ui.end_row();
        }
    });
}
