//! The words of the guides: headings, lines, equations with the current numbers below them, and what there is to try.

use eframe::egui::{Button, FontId, Label, RichText, Ui, vec2};

use super::lab::LabSpec;
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

/// What the lab proposes to try with the form as it is: a button each, which sets the parameters that its tooltip names.
pub fn tries(ui: &mut Ui, ctx: &mut ViewCtx<'_>, spec: &LabSpec) {
    let mut proposed = spec.tries.iter().filter(|item| (item.when)(ctx.params)).peekable();
    if proposed.peek().is_none() {
        return;
    }
    heading(ui, ctx, "Try");
    let size = tile::font_size(ctx.presenting);
    for item in proposed {
        let text = RichText::new(item.text).size(size + 1.0).color(ctx.style.text);
        let button = Button::new(text).wrap().min_size(vec2(ui.available_width(), 0.0));
        let sets: Vec<String> = item.set.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        if ui.add(button).on_hover_text(format!("Sets {}", sets.join(", "))).clicked() {
            for (key, value) in item.values(spec.params).unwrap_or_default() {
                ctx.set(key, value, true);
            }
        }
    }
}
