//! The words of the guides: headings, lines, and equations with the current numbers below them.

use eframe::egui::{FontId, Label, RichText, Ui};

use super::view::ViewCtx;
use crate::plot::tile;

/// A small heading in capitals.
pub fn heading(ui: &mut Ui, ctx: &ViewCtx<'_>, text: &str) {
    ui.add_space(8.0);
    let size = tile::font_size(ctx.presenting);
    ui.label(RichText::new(text.to_uppercase()).size(size).color(ctx.style.text_weak).extra_letter_spacing(0.6));
}

/// A paragraph.
pub fn line(ui: &mut Ui, ctx: &ViewCtx<'_>, text: impl Into<String>) {
    let size = tile::font_size(ctx.presenting) + 1.5;
    ui.add(Label::new(RichText::new(text).size(size).color(ctx.style.text)).wrap());
}

/// An equation, and below it the same with numbers (nothing where `value` is empty).
pub fn equation(ui: &mut Ui, ctx: &ViewCtx<'_>, text: &str, value: impl Into<String>) {
    let size = tile::font_size(ctx.presenting);
    let law = RichText::new(text).font(FontId::monospace(size)).color(ctx.style.text_weak);
    ui.add(Label::new(law).wrap());
    let value: String = value.into();
    if !value.is_empty() {
        let value = RichText::new(format!("   {value}")).font(FontId::monospace(size + 0.5)).color(ctx.style.text);
        ui.add(Label::new(value).wrap());
    }
}
