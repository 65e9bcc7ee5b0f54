//! Small controls that the lab's tiles share: the bar above a plot, toggles, and the states without data.

use eframe::egui::{Align, FontId, Layout, Rect, RichText, Ui, UiBuilder, Vec2, vec2};

use crate::engine::event::Status;
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::rules::Rule;
use crate::plot::legend::Entry;
use crate::plot::style::Style;
pub use crate::plot::tile::{bar, button, toggle, weak};

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

/// Weak text with digits of one width.
pub fn weak_mono(text: impl Into<String>, font_size: f32, style: &Style) -> RichText {
    RichText::new(text).font(FontId::monospace(font_size)).color(style.text_weak)
}

/// What stands in a tile that has nothing to draw yet: what is going on, and what to do.
pub fn empty(ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let (title, hint) = match &ctx.run.status {
        None => ("No run yet", "Press Start: the paths appear here."),
        Some(Status::Failed(_)) => ("The run failed", "The notice says why; change a parameter and start again."),
        Some(status) if status.is_over() => ("Nothing was recorded", "Choose at least one optimizer and start again."),
        Some(_) => ("Starting", "The first steps are on their way."),
    };
    message(ui, ctx, title, hint);
}

/// Two centred lines of text.
pub fn message(ui: &mut Ui, ctx: &ViewCtx<'_>, title: &str, hint: &str) {
    let size = font_size(ctx);
    let rect = ui.available_rect_before_wrap();
    let height = (4.0 * size).min(rect.height().max(0.0));
    let place = Rect::from_center_size(rect.center(), Vec2::new((rect.width() - 16.0).max(0.0), height));
    ui.scope_builder(UiBuilder::new().max_rect(place).layout(Layout::top_down(Align::Center)), |ui| {
        ui.label(RichText::new(title).size(size + 4.0).color(ctx.style.text));
        ui.label(weak(hint, size, ctx.style));
    });
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
