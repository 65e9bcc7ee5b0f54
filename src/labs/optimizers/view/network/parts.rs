//! What the network's tiles share: sizes, the bar above a picture, colours of classes.

use eframe::egui::{Align, Button, Color32, Label, Layout, Rect, RichText, Ui, UiBuilder, Vec2, vec2};

use crate::engine::event::Status;
use crate::labs::ViewCtx;
use crate::labs::optimizers::network::roster::ROSTER;
use crate::plot::legend::Entry;
use crate::plot::style::Style;

/// Size of small text in a tile.
pub fn font_size(ctx: &ViewCtx<'_>) -> f32 {
    if ctx.presenting { 17.0 } else { 11.0 }
}

/// Splits the tile into the bar above and the rest, with a margin around both.
pub fn split(ui: &Ui, size: f32) -> (Rect, Rect) {
    let margin = (0.7 * size).round();
    let all = ui.available_rect_before_wrap().shrink2(vec2(margin, 0.3 * margin));
    let bar = Rect::from_min_size(all.min, vec2(all.width().max(0.0), (2.1 * size).round()));
    let rest = Rect::from_min_max(all.min + vec2(0.0, bar.height()), all.max.max(all.min + vec2(0.0, bar.height())));
    (bar, rest)
}

/// Draws the bar: controls on the right, and in what is left of the width a line of text, cut with an ellipsis.
pub fn bar(ui: &mut Ui, rect: Rect, text: RichText, add_controls: impl FnOnce(&mut Ui)) {
    ui.scope_builder(UiBuilder::new().max_rect(rect).layout(Layout::right_to_left(Align::Center)), |ui| {
        ui.shrink_clip_rect(rect.expand(2.0));
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.spacing_mut().button_padding = vec2(6.0, 1.0);
        add_controls(ui);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            if ui.available_width() > 40.0 {
                ui.add(Label::new(text).truncate().selectable(false));
            }
        });
    });
}

/// A small button that stays pressed; returns whether it was clicked.
pub fn toggle(ui: &mut Ui, on: bool, name: &str, help: &str, size: f32) -> bool {
    ui.add(Button::selectable(on, RichText::new(name).size(size))).on_hover_text(help).clicked()
}

/// A small button; returns whether it was clicked.
pub fn button(ui: &mut Ui, enabled: bool, name: &str, help: &str, size: f32) -> bool {
    ui.add_enabled(enabled, Button::new(RichText::new(name).size(size))).on_hover_text(help).clicked()
}

/// Weak text of the small size.
pub fn weak(text: impl Into<String>, size: f32, style: &Style) -> RichText {
    RichText::new(text).size(size + 0.5).color(style.text_weak)
}

/// What stands in a tile that has nothing to draw yet: what is going on, and what to do.
pub fn empty(ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let (title, hint) = match &ctx.run.status {
        None => ("No run yet", "Press Start: the networks appear here."),
        Some(Status::Failed(_)) => ("The run failed", "The notice says why; change a parameter and start again."),
        Some(status) if status.is_over() => ("Nothing was recorded", "Start again to see the networks train."),
        Some(Status::WarmingUp) => ("Warming up", "The device compiles its kernels; the first step follows."),
        Some(_) => ("Starting", "The first step is on its way."),
    };
    let size = font_size(ctx);
    let rect = ui.available_rect_before_wrap();
    let height = (4.0 * size).min(rect.height().max(0.0));
    let place = Rect::from_center_size(rect.center(), Vec2::new((rect.width() - 16.0).max(0.0), height));
    ui.scope_builder(UiBuilder::new().max_rect(place).layout(Layout::top_down(Align::Center)), |ui| {
        ui.label(RichText::new(title).size(size + 4.0).color(ctx.style.text));
        ui.label(weak(hint, size, ctx.style));
    });
}

/// Legend entries of the optimizers that take part.
pub fn entries(present: &[usize], selected: Option<usize>, style: &Style) -> Vec<Entry<'static>> {
    present
        .iter()
        .map(|&i| Entry {
            name: ROSTER[i].title,
            category: style.category(i),
            selected: selected == Some(i),
            help: format!("{}: click to highlight it in every tile", ROSTER[i].title),
        })
        .collect()
}

/// Highlights this optimizer, or none if it was highlighted already.
pub fn toggle_selected(selected: &mut Option<usize>, i: usize) {
    *selected = if *selected == Some(i) { None } else { Some(i) };
}

/// The colour of a class in every picture: blue and vermilion first, which differ in every kind of colour vision.
pub fn class_color(style: &Style, class: usize) -> Color32 {
    const ORDER: [usize; 8] = [7, 6, 3, 5, 1, 4, 2, 0];
    let color = style.category(ORDER[class % ORDER.len()]).color;
    // The ninth and the tenth class: the first two again, halfway to the text colour.
    if class < ORDER.len() { color } else { mix(color, style.text, 0.5) }
}

/// `a` at 0, `b` at 1.
pub fn mix(a: Color32, b: Color32, t: f32) -> Color32 {
    a.lerp_to_gamma(b, t.clamp(0.0, 1.0))
}

/// A share in percent with one decimal: `95.2 %`.
pub fn percent(share: Option<f64>) -> String {
    share.map_or("—".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}
