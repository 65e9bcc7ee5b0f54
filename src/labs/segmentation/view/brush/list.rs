//! The images of the folder, to search and to choose from.

use std::path::{Path, PathBuf};

use eframe::egui::accesskit::Role;
use eframe::egui::{Align2, FontId, Rect, ScrollArea, Sense, Stroke, TextEdit, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::queue::Queue;
use crate::data::segmentation::listing::Listing;
use crate::plot::style::Style;
use crate::plot::{medium, names, number, tile};

/// One image.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub name: String,
    pub image: PathBuf,
    pub corrected: bool,
    /// It has a mask, of its own or drawn.
    pub masked: bool,
    /// Something was drawn on it and not saved.
    pub draft: bool,
}

/// All images of a listing: pairs first, then those without a mask.
pub fn entries(listing: &Listing) -> Vec<Entry> {
    let pairs = listing.every_pair().map(|pair| Entry {
        name: pair.name.clone(),
        image: pair.image.clone(),
        corrected: pair.corrected.is_some(),
        masked: true,
        draft: false,
    });
    let lone = listing.unpaired_images.iter().map(|image| Entry {
        name: name_of(listing, image),
        image: image.clone(),
        corrected: false,
        masked: false,
        draft: false,
    });
    pairs.chain(lone).collect()
}

/// The name of an image without a mask, as pairs are named.
pub fn name_of(listing: &Listing, image: &Path) -> String {
    image.strip_prefix(&listing.root).unwrap_or(image).with_extension("").display().to_string()
}

/// Numbers of the entries whose name holds all words of the search, in any case.
pub fn found(entries: &[Entry], search: &str) -> Vec<usize> {
    let words: Vec<String> = search.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let fits = |entry: &Entry| {
        let name = entry.name.to_lowercase();
        words.iter().all(|word| name.contains(word))
    };
    (0..entries.len()).filter(|&i| words.is_empty() || fits(&entries[i])).collect()
}

/// Draws search and list; gives the image that was clicked. `scroll`: bring the open one into view.
#[expect(clippy::too_many_arguments, reason = "what is drawn, where and how")]
pub fn show(
    ui: &mut Ui,
    rect: Rect,
    entries: &[Entry],
    shown: &[usize],
    open: Option<&Path>,
    search: &mut String,
    queue: &Queue,
    scroll: bool,
    style: &Style,
    size: f32,
) -> Option<PathBuf> {
    let mut clicked = None;
    ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
        ui.shrink_clip_rect(rect.expand(1.0));
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.add_space(3.0);
        if !medium::is_figure(ui.ctx()) {
            let field = TextEdit::singleline(search)
                .hint_text(format!("search {}", number::counted(entries.len(), "image", "images")))
                .font(FontId::proportional(size + 0.5))
                .desired_width(rect.width() - 10.0);
            let field = ui.add(field);
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Search images"));
        }
        if shown.is_empty() {
            ui.label(tile::weak("no image has this name", size, style));
            return;
        }
        let height = (1.9 * size).round();
        let mut area = ScrollArea::vertical().id_salt("images").auto_shrink([false, false]);
        let at = shown.iter().position(|&i| open.is_some_and(|open| entries[i].image == open));
        if let Some(at) = at.filter(|_| scroll) {
            let room = (rect.height() - 3.0 * size).max(height);
            area = area.vertical_scroll_offset(((height + 2.0) * (at as f32 + 0.5) - 0.5 * room).max(0.0));
        }
        if queue.from_top {
            area = area.vertical_scroll_offset(0.0);
        }
        area.show_rows(ui, height, shown.len(), |ui, rows| {
            for &i in &shown[rows] {
                let entry = &entries[i];
                let selected = open.is_some_and(|open| entry.image == open);
                let (place, response) =
                    ui.allocate_exact_size(vec2(ui.available_width() - 6.0, height), Sense::click());
                let state = match entry {
                    Entry { masked: false, .. } => ", without a mask",
                    Entry { corrected: true, .. } => ", corrected",
                    _ => "",
                };
                let draft = if entry.draft { ", draft" } else { "" };
                let label = format!("{}{state}{draft}", entry.name);
                response.widget_info(|| WidgetInfo::selected(Role::Button, true, selected, &label));
                if selected || response.hovered() || response.has_focus() {
                    let fill =
                        if selected { style.accent.gamma_multiply(0.25) } else { style.rule.gamma_multiply(0.5) };
                    ui.painter().rect_filled(place, 3.0, fill);
                }
                let mark = pos2(place.left() + 0.7 * size, place.center().y);
                match entry {
                    Entry { masked: false, .. } => {
                        ui.painter().circle_stroke(mark, 0.28 * size, Stroke::new(1.0, style.text_weak));
                    }
                    Entry { corrected: true, .. } => {
                        ui.painter().circle_filled(mark, 0.28 * size, style.accent);
                    }
                    _ => {}
                }
                if entry.draft {
                    ui.painter().circle_stroke(mark, 0.48 * size, Stroke::new(1.2, style.warning));
                }
                let color = if entry.masked { style.text } else { style.text_weak };
                let (left, font) = (place.left() + 1.4 * size, FontId::proportional(size + 0.5));
                let note = ui.painter().layout_no_wrap(queue.note(entry), FontId::monospace(size), style.text_weak);
                let end = place.right() - note.size().x - 0.4 * size;
                ui.painter().galley(pos2(end, place.center().y - 0.5 * note.size().y), note, style.text_weak);
                let (at, width) = (pos2(left, place.center().y), (end - 0.4 * size - left).max(1.0));
                names::draw(ui.painter(), at, Align2::LEFT_CENTER, &entry.name, font, color, width);
                if response.on_hover_text(label).clicked() {
                    clicked = Some(entry.image.clone());
                }
            }
        });
    });
    clicked
}
