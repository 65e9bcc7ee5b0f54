//! Small controls that the lab's tiles share: the bar above a plot, toggles, and the states without data.

use eframe::egui::{FontId, RichText, Ui};

use crate::engine::event::Status;
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::rules::Rule;
use crate::plot::legend::Entry;
use crate::plot::style::Style;
use crate::plot::tile;
pub use crate::plot::tile::{bar, button, split, toggle, weak};

use super::paths::Path;

/// Size of small text in a tile: axis labels, legends, captions.
pub fn font_size(ctx: &ViewCtx<'_>) -> f32 {
    tile::font_size(ctx.presenting)
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
    tile::message(ui, font_size(ctx), ctx.style, title, hint);
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
