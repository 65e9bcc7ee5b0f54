//! The command palette (Ctrl+P): type a few letters of what you want to do.

use eframe::egui::{self, Key, Modifiers, RichText, ScrollArea, TextEdit, vec2};

use super::act::Act;
use super::actions;
use super::state::State;

/// State of the palette.
#[derive(Debug, Default)]
pub struct Palette {
    pub open: bool,
    query: String,
    selected: usize,
    fresh: bool,
}

impl Palette {
    pub fn toggle(&mut self) {
        *self = Self { open: !self.open, fresh: true, ..Self::default() };
    }
}

pub fn show(palette: &mut Palette, state: &State, ctx: &egui::Context, acts: &mut Vec<Act>) {
    if !palette.open {
        return;
    }
    let style = &state.style;
    let mut all = actions::all(state);
    all.extend(actions::with_number(&palette.query));
    let mut found: Vec<(i32, &actions::Action)> =
        all.iter().filter_map(|action| Some((score(&palette.query, &action.title)?, action))).collect();
    found.sort_by_key(|(score, _)| -score);
    let count = found.len();
    let mut chosen: Option<Act> = None;
    // Before the text field sees them.
    let (up, down, enter, escape) = ctx.input_mut(|input| {
        let mut pressed = |key| input.consume_key(Modifiers::NONE, key);
        (pressed(Key::ArrowUp), pressed(Key::ArrowDown), pressed(Key::Enter), pressed(Key::Escape))
    });
    let toggled = ctx.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::P));
    let moved = up || down;
    if down {
        palette.selected += 1;
    }
    if up {
        palette.selected = palette.selected.saturating_sub(1);
    }
    palette.selected = palette.selected.min(count.saturating_sub(1));
    if enter {
        chosen = found.get(palette.selected).map(|(_, action)| action.act.clone());
    }
    let width = 560.0_f32.min(ctx.content_rect().width() - 32.0).max(120.0);
    let frame = egui::Frame::window(&ctx.global_style()).inner_margin(8);
    let area = egui::Modal::default_area(egui::Id::unique("palette")).anchor(egui::Align2::CENTER_TOP, vec2(0.0, 96.0));
    let modal = egui::Modal::new(egui::Id::unique("palette"))
        .area(area)
        .frame(frame)
        .backdrop_color(egui::Color32::from_black_alpha(70));
    let response = modal.show(ctx, |ui| {
        ui.set_width(width);
        let field = ui.add(
            TextEdit::singleline(&mut palette.query)
                .hint_text("Type what you want to do")
                .desired_width(f32::INFINITY)
                .margin(vec2(8.0, 8.0)),
        );
        let field = field.accessible_name("Command");
        if field.changed() {
            palette.selected = 0;
        }
        if std::mem::take(&mut palette.fresh) || !field.has_focus() {
            field.request_focus();
        }
        ui.add_space(4.0);
        let height = (ctx.content_rect().height() - 240.0).clamp(80.0, 400.0);
        ScrollArea::vertical().max_height(height).min_scrolled_height(height).auto_shrink([false, true]).show(
            ui,
            |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                if found.is_empty() {
                    ui.label(RichText::new("Nothing is called that.").weak());
                }
                for (index, (_, action)) in found.iter().enumerate() {
                    let selected = index == palette.selected;
                    let response = entry(ui, action, selected, style);
                    if selected && moved {
                        response.scroll_to_me(None);
                    }
                    if response.clicked() {
                        chosen = Some(action.act.clone());
                    }
                }
            },
        );
    });
    if escape || toggled || chosen.is_some() || response.should_close() {
        palette.open = false;
    }
    acts.extend(chosen);
}

fn entry(
    ui: &mut egui::Ui,
    action: &actions::Action,
    selected: bool,
    style: &crate::plot::style::Style,
) -> egui::Response {
    let size = vec2(ui.available_width(), 28.0);
    let (rect, response) = ui.allocate_exact_size(size, egui::Sense::click());
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::MenuItem, true, selected, &action.title));
    if ui.is_rect_visible(rect) {
        if selected || response.hovered() {
            let fill =
                if selected { ui.visuals().selection.bg_fill } else { ui.visuals().widgets.hovered.weak_bg_fill };
            ui.painter().rect_filled(rect, 4.0, fill);
        }
        // Painted only: the row itself already carries the name.
        let place = |galley: &egui::Galley, x: f32| egui::pos2(x, rect.center().y - galley.size().y / 2.0);
        let mut room = rect.shrink2(vec2(8.0, 0.0));
        if let Some(keys) = action.keys.first() {
            let font = egui::TextStyle::Monospace.resolve(ui.style());
            let keys = ui.painter().layout_no_wrap(actions::words(ui.ctx(), keys), font, style.text_weak);
            room.set_right(room.right() - keys.size().x);
            ui.painter().galley(place(&keys, room.right()), keys, style.text_weak);
        }
        let font = egui::TextStyle::Body.resolve(ui.style());
        let text = ui.painter().layout_no_wrap(action.title.clone(), font, style.text);
        ui.painter().with_clip_rect(room.intersect(ui.clip_rect())).galley(place(&text, room.left()), text, style.text);
    }
    response
}

/// How well `title` answers `query`; `None`: not at all. Every word must occur, or its letters in order.
fn score(query: &str, title: &str) -> Option<i32> {
    let title = title.to_lowercase();
    query.to_lowercase().split_whitespace().try_fold(0, |sum, word| {
        let points = match title.find(word) {
            Some(0) => 100,
            Some(at) if title[..at].ends_with([' ', '(']) => 60,
            Some(_) => 30,
            None => {
                let mut letters = title.chars();
                word.chars().all(|wanted| letters.any(|c| c == wanted)).then_some(1)?
            }
        };
        Some(sum + points)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_match_comes_first() {
        let titles = ["Reset this layout", "Theme: Light", "Theme: Dark", "Start or restart the run"];
        let best = |query: &str| {
            titles.iter().filter_map(|t| Some((score(query, t)?, *t))).max_by_key(|(s, _)| *s).map(|(_, t)| t)
        };
        assert_eq!(best("light"), Some("Theme: Light"));
        assert_eq!(best("theme dark"), Some("Theme: Dark"));
        assert_eq!(best("start"), Some("Start or restart the run"));
        assert_eq!(best("thdk"), Some("Theme: Dark"));
        assert_eq!(best("zzz"), None);
    }
}
