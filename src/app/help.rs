//! The list of shortcuts (F1), made from the table of actions.

use eframe::egui::{self, Key, Modifiers, RichText, vec2};

use super::state::State;
use super::{actions, theme};

pub fn show(is_open: &mut bool, state: &State, ctx: &egui::Context) {
    if !*is_open {
        return;
    }
    let style = &state.style;
    let all = actions::all(state);
    let mut open = !ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
    let size = ctx.content_rect().size() * 0.8;
    egui::Window::new("Keyboard shortcuts")
        .id(egui::Id::unique("Keyboard shortcuts"))
        .open(&mut open)
        .collapsible(false)
            .title_frame(theme::window_title(style))
        .default_size(vec2(560.0, size.y.min(640.0)))
        .anchor(egui::Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .show(ctx, |ui| {
            let hint = "Everything else is in the command palette. In a talk: PageUp and PageDown change the tile, B blanks the screen, Escape ends it.";
            ui.label(RichText::new(hint).weak());
            egui::ScrollArea::vertical().auto_shrink([false, true]).show(ui, |ui| {
                let mut groups: Vec<&str> = Vec::new();
                for action in all.iter().filter(|action| !action.keys.is_empty()) {
                    if !groups.contains(&action.group) {
                        groups.push(action.group);
                    }
                }
                for group in groups {
                    ui.add_space(12.0);
                    ui.label(theme::group_heading(group, style));
                    egui::Grid::new(("shortcuts", group)).num_columns(2).spacing(vec2(16.0, 4.0)).show(ui, |ui| {
                        for action in all.iter().filter(|action| action.group == group && !action.keys.is_empty()) {
                            let keys: Vec<String> = action.keys.iter().map(|keys| actions::words(ctx, keys)).collect();
                            ui.label(RichText::new(keys.join("  ")).monospace().color(style.text_weak));
                            ui.label(&action.title);
                            ui.end_row();
                        }
                    });
                }
            });
        });
    *is_open = open;
}
