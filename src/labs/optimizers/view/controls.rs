//! Small controls that the lab's tiles share: the bar above a plot, toggles, and the states without data.

use eframe::egui::{Align, FontId, Layout, Rect, RichText, Ui, UiBuilder, vec2};

use crate::kit::empty::{self, Awaited};
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::rules::Rule;
use crate::plot::legend::Entry;
use crate::plot::style::Style;

use super::paths::Path;

/// Size of small text in a tile: axis labels, legends, captions.
pub fn font_size(ctx: &ViewCtx<'_>) -> f32 {
    if ctx.presenting { 17.0 } else { 11.0 }
}

/// Height of the bar above a plot.
pub fn bar_height(font_size: f32) -> f32 {
    (2.1 * font_size).round()
}

/// Splits the tile into the bar above and the rest. The shell leaves a margin around tiles.
pub fn split(ui: &Ui, font_size: f32) -> (Rect, Rect) {
    let all = ui.available_rect_before_wrap();
    let bar = Rect::from_min_size(all.min, vec2(all.width().max(0.0), bar_height(font_size)));
    (bar, Rect::from_min_max(all.min + vec2(0.0, bar.height()), all.max.max(all.min + vec2(0.0, bar.height()))))
}

/// Draws the bar: controls on the right, and what is left of the width for a line of text, cut with an ellipsis.
pub fn bar(ui: &mut Ui, rect: Rect, text: impl Into<RichText>, add_controls: impl FnOnce(&mut Ui)) {
    let layout = Layout::right_to_left(Align::Center);
    ui.scope_builder(UiBuilder::new().max_rect(rect).layout(layout), |ui| {
        ui.shrink_clip_rect(rect.expand(2.0));
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.spacing_mut().button_padding = vec2(6.0, 1.0);
        add_controls(ui);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            if ui.available_width() > 40.0 {
                ui.add(eframe::egui::Label::new(text.into()).truncate().selectable(false));
            }
        });
    });
}

/// A small button that stays pressed.
pub fn toggle(ui: &mut Ui, on: bool, name: &str, help: &str, font_size: f32) -> bool {
    let text = RichText::new(name).size(font_size);
    ui.add(eframe::egui::Button::selectable(on, text)).on_hover_text(help).clicked()
}

/// A small button.
pub fn button(ui: &mut Ui, enabled: bool, name: &str, help: &str, font_size: f32) -> bool {
    let text = RichText::new(name).size(font_size);
    ui.add_enabled(enabled, eframe::egui::Button::new(text).frame_when_inactive(true))
        .on_hover_text(help)
        .on_disabled_hover_text(help)
        .clicked()
}

/// Weak text of the small size.
pub fn weak(text: impl Into<String>, font_size: f32, style: &Style) -> RichText {
    RichText::new(text).size(font_size + 0.5).color(style.text_weak)
}

/// Weak text with digits of one width.
pub fn weak_mono(text: impl Into<String>, font_size: f32, style: &Style) -> RichText {
    RichText::new(text).font(FontId::monospace(font_size)).color(style.text_weak)
}

/// What stands in a tile without a path.
pub fn nothing_yet(ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let awaited = Awaited {
        start: "the paths appear here.",
        soon: ("Starting", "The first steps are on their way."),
        never: ("Nothing was recorded", "Choose at least one optimizer and start again."),
    };
    empty::run(ui, ctx, &awaited);
}

/// Legend entries of the paths.
pub fn legend_entries<'a>(paths: &[Path<'a>], selected: Rule, style: &Style) -> Vec<Entry<'a>> {
    paths
        .iter()
        .map(|path| Entry {
            name: path.rule.title(),
            category: style.category(path.rule.index()),
            selected: path.rule == selected,
            help: format!("{}: click to select it in every view", path.rule.title()),
        })
        .collect()
}
