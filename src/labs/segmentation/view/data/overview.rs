//! What was found in a folder, and how it is split, in words and as a bar.

use eframe::egui::accesskit::Role;
use eframe::egui::{Grid, Label, Rect, RichText, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::data::segmentation::listing::Listing;
use crate::plot::style::Style;
use crate::plot::tile;

use super::folder::Verdict;

/// What was found, one statement a line; the folder itself stands in the bar.
pub fn found(ui: &mut Ui, listing: &Listing, style: &Style, size: f32) {
    for (i, line) in listing.describe().iter().skip(1).enumerate() {
        let color = if i == 0 { style.text } else { style.text_weak };
        ui.add(Label::new(RichText::new(line).size(size + 1.0).color(color)).wrap());
    }
    if let Err(error) = listing.require_pairs() {
        ui.add(Label::new(RichText::new(error.to_string()).size(size + 1.0).color(style.error)).wrap());
    }
}

const PARTS: [&str; 3] = ["training", "validation", "test"];
/// Colours of the parts, in every tile that tells them apart.
const PART_COLORS: [usize; 3] = [4, 1, 3];

/// The split by groups: a bar, numbers, and what each part has of every class.
pub fn split(ui: &mut Ui, listing: &Listing, verdict: &Verdict, current: bool, style: &Style, size: f32) {
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
    let classes: Vec<String> = listing.classes().into_iter().map(|(name, _)| name).take(12).collect();
    Grid::new("split").spacing(vec2(1.4 * size, 2.0)).show(ui, |ui| {
        ui.label("");
        ui.label(tile::weak("images", size, style));
        classes.iter().for_each(|class| {
            ui.label(tile::weak(class, size, style));
        });
        ui.end_row();
        for ((part, numbers), color) in PARTS.iter().zip(parts).zip(PART_COLORS) {
            ui.label(RichText::new(*part).size(size + 0.5).color(style.category(color).color));
            ui.label(tile::mono(format!("{:>5}", numbers.len()), size, style));
            for class in &classes {
                let of = |i: &&usize| listing.pairs.get(**i).is_some_and(|pair| pair.class.as_ref() == Some(class));
                ui.label(tile::mono(format!("{:>5}", numbers.iter().filter(of).count()), size, style));
            }
            ui.end_row();
        }
    });
}
