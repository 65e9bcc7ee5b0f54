//! Small controls that the lab's tiles share: the bar above a plot, toggles, and the states without data.

use eframe::egui::{FontId, Rect, RichText, Ui, vec2};

use crate::kit::empty::{self, Awaited};
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::rules::Rule;
use crate::plot::legend::Entry;
use crate::plot::style::Style;
use crate::plot::tile;
pub use crate::plot::tile::{bar, button, toggle, weak};

use super::paths::Path;

/// Size of small text in a tile: axis labels, legends, captions.
pub fn font_size(ctx: &ViewCtx<'_>) -> f32 {
    tile::font_size(ctx.presenting)
}

/// Splits the tile into the bar above and the rest; the shell's margin around tiles is enough here.
pub fn split(ui: &Ui, size: f32) -> (Rect, Rect) {
    let all = ui.available_rect_before_wrap();
    let height = (2.1 * size).round();
    let below = all.min + vec2(0.0, height);
    (Rect::from_min_size(all.min, vec2(all.width().max(0.0), height)), Rect::from_min_max(below, all.max.max(below)))
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
