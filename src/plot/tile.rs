//! What tiles share: sizes of type, the bar above a picture with its small controls, panels side by side, and the
//! message of a tile that has nothing to draw yet.

use eframe::egui::text::{LayoutJob, TextWrapping};
use eframe::egui::{
    Align, Align2, Button, Color32, FontId, Label, Layout, Painter, Rect, RichText, ScrollArea, TextEdit, Ui,
    UiBuilder, Vec2, WidgetText, pos2, vec2,
};

use super::style::Style;
use super::{medium, names};

/// Size of small text in a tile: axis labels, legends, captions.
pub fn font_size(presenting: bool) -> f32 {
    if presenting { 17.0 } else { 11.0 }
}

/// Splits the tile into the bar above and the rest, with a margin around both.
pub fn split(ui: &Ui, size: f32) -> (Rect, Rect) {
    let margin = (0.7 * size).round();
    let all = ui.available_rect_before_wrap().shrink2(vec2(margin, 0.3 * margin));
    let bar = Rect::from_min_size(all.min, vec2(all.width().max(0.0), (2.1 * size).round()));
    let below = all.min + vec2(0.0, bar.height());
    (bar, Rect::from_min_max(below, all.max.max(below)))
}

/// Draws the bar: controls on the right, and in what is left of the width a line of text, cut with an ellipsis (the whole
/// text in its tooltip).
pub fn bar(ui: &mut Ui, rect: Rect, text: RichText, add_controls: impl FnOnce(&mut Ui)) {
    bar_with(ui, rect, add_controls, |ui| drop(ui.add(Label::new(text).truncate().selectable(false))));
}

/// The same with the name of a file and words behind it: the name is cut in its middle, and whole in the tooltip.
pub fn named_bar(
    ui: &mut Ui,
    rect: Rect,
    name: &str,
    behind: &str,
    (size, color): (f32, Color32),
    add_controls: impl FnOnce(&mut Ui),
) {
    bar_with(ui, rect, add_controls, |ui| {
        let font = FontId::proportional(size + 0.5);
        let wide = |text: &str| ui.painter().layout_no_wrap(text.to_owned(), font.clone(), color).size().x;
        let shown = names::fitted(ui.painter(), name, &font, ui.available_width() - wide(behind));
        let text = RichText::new(format!("{shown}{behind}")).size(size + 0.5).color(color);
        let label = ui.add(Label::new(text).truncate().selectable(false));
        if shown != name {
            label.on_hover_text(name);
        }
    });
}

fn bar_with(ui: &mut Ui, rect: Rect, add_controls: impl FnOnce(&mut Ui), add_text: impl FnOnce(&mut Ui)) {
    if !rect.is_positive() {
        return;
    }
    ui.scope_builder(UiBuilder::new().max_rect(rect).layout(Layout::right_to_left(Align::Center)), |ui| {
        ui.shrink_clip_rect(rect.expand(2.0));
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.spacing_mut().button_padding = vec2(6.0, 1.0);
        add_controls(ui);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            if ui.available_width() > 40.0 {
                add_text(ui);
            }
        });
    });
}

/// A small button that stays pressed; `true` when it was clicked. A figure has none.
pub fn toggle(ui: &mut Ui, on: bool, name: &str, help: &str, size: f32) -> bool {
    if medium::is_figure(ui.ctx()) {
        return false;
    }
    ui.add(Button::selectable(on, RichText::new(name).size(size))).on_hover_text(help).clicked()
}

/// A small button; `true` when it was clicked. A figure has none.
pub fn button(ui: &mut Ui, enabled: bool, name: &str, help: &str, size: f32) -> bool {
    if medium::is_figure(ui.ctx()) {
        return false;
    }
    ui.add_enabled(enabled, Button::new(RichText::new(name).size(size)).frame_when_inactive(true))
        .on_hover_text(help)
        .on_disabled_hover_text(help)
        .clicked()
}

/// Says in a figure what a control of the window is set to; `true`: it is a figure, which has no such control.
pub fn said(ui: &mut Ui, value: impl Into<WidgetText>) -> bool {
    let is_figure = medium::is_figure(ui.ctx());
    if is_figure {
        ui.add(Label::new(value));
    }
    is_figure
}

/// A box to tick. A figure says what is ticked.
pub fn tick(ui: &mut Ui, on: &mut bool, name: impl Into<WidgetText>, help: &str) {
    if !medium::is_figure(ui.ctx()) {
        ui.checkbox(on, name.into()).on_hover_text(help);
    } else if *on {
        ui.label(name);
    }
}

/// A small button that opens a menu. A figure has none.
pub fn menu(ui: &mut Ui, name: &str, help: &str, size: f32, content: impl FnOnce(&mut Ui)) {
    if !medium::is_figure(ui.ctx()) {
        let menu = ui.menu_button(RichText::new(name).size(size), content);
        if !help.is_empty() {
            menu.response.on_hover_text(help);
        }
    }
}

/// A line with a text field, its name on the left and buttons on the right; `true` where it was edited. A figure has none.
#[expect(clippy::too_many_arguments, reason = "what is drawn, where and how")]
pub fn field_row(
    ui: &mut Ui,
    name: &str,
    hint: &str,
    text: &mut String,
    enabled: bool,
    size: f32,
    style: &Style,
    buttons: impl FnOnce(&mut Ui),
) -> bool {
    if medium::is_figure(ui.ctx()) {
        return false;
    }
    let height = (2.0 * size).round();
    let mut changed = false;
    ui.allocate_ui_with_layout(vec2(ui.available_width(), height), Layout::right_to_left(Align::Center), |ui| {
        buttons(ui);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let label = Label::new(RichText::new(name).size(size).color(style.text_weak)).selectable(false);
            ui.add_sized(vec2(4.8 * size, height), label);
            let field = TextEdit::singleline(text)
                .font(FontId::proportional(size))
                .hint_text(RichText::new(hint).size(size))
                .align(Align2::LEFT_CENTER)
                .desired_width(ui.available_width() - 8.0);
            changed = ui.add_enabled(enabled, field).accessible_name(name).changed();
        });
    });
    changed
}

/// Weak text of the small size.
pub fn weak(text: impl Into<String>, size: f32, style: &Style) -> RichText {
    RichText::new(text).size(size + 0.5).color(style.text_weak)
}

/// Text with digits of one width.
pub fn mono(text: impl Into<String>, size: f32, style: &Style) -> RichText {
    RichText::new(text).font(FontId::monospace(size)).color(style.text)
}

/// Two centred lines of text in the middle of what is left: what is the matter, and what to do.
pub fn message(ui: &mut Ui, size: f32, style: &Style, title: &str, hint: &str) {
    let rect = ui.available_rect_before_wrap();
    if !rect.is_positive() {
        return;
    }
    let wanted = 3.2 * size + 1.5 * size * (0.56 * size * hint.chars().count() as f32 / rect.width().max(60.0)).ceil();
    let height = wanted.min(rect.height());
    let place = Rect::from_center_size(rect.center(), Vec2::new((rect.width() - 24.0).max(0.0), height));
    ui.scope_builder(UiBuilder::new().max_rect(place).layout(Layout::top_down(Align::Center)), |ui| {
        ui.shrink_clip_rect(rect);
        ScrollArea::vertical().id_salt(("message", title)).show(ui, |ui| {
            ui.label(RichText::new(title).size(size + 4.0).color(style.text));
            ui.label(weak(hint, size, style));
        });
    });
}

/// The heading of one panel among several, in its first line; returns what is left below it.
pub fn panel_heading(painter: &Painter, rect: Rect, text: &str, size: f32, style: &Style) -> Rect {
    let height = 1.5 * size;
    if rect.height() < 6.0 * size {
        return rect;
    }
    one_line(painter, text, rect, FontId::proportional(size + 0.5), style.text);
    Rect::from_min_max(rect.min + vec2(0.0, height), rect.max)
}

/// Places for `count` panels of about `aspect` (width over height) each: as few rows as give the largest panels.
pub fn panels(rect: Rect, count: usize, aspect: f32, gap: f32) -> Vec<Rect> {
    let count = count.max(1);
    let size_at = |columns: usize| {
        let rows = count.div_ceil(columns);
        vec2(
            (rect.width() - gap * (columns - 1) as f32) / columns as f32,
            (rect.height() - gap * (rows - 1) as f32) / rows as f32,
        )
    };
    // The largest picture of the wanted shape that fits into every panel; ties go to fewer rows.
    let score = |columns: usize| {
        let size = size_at(columns);
        (size.x / aspect).min(size.y)
    };
    let columns = (1..=count).max_by(|a, b| score(*a).total_cmp(&score(*b))).unwrap_or(1);
    let size = size_at(columns).max(Vec2::ZERO);
    let place = |i: usize| {
        let (column, row) = ((i % columns) as f32, (i / columns) as f32);
        let min = pos2(rect.left() + column * (size.x + gap), rect.top() + row * (size.y + gap));
        Rect::from_min_size(min, size)
    };
    (0..count).map(place).collect()
}

/// Text in one line at the top of `rect`, cut with an ellipsis where it is longer.
pub fn one_line(painter: &Painter, text: &str, rect: Rect, font: FontId, color: Color32) {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = TextWrapping { max_width: rect.width(), max_rows: 1, break_anywhere: true, ..TextWrapping::default() };
    painter.galley(rect.min, painter.layout_job(job), color);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_fill_the_tile_without_touching() {
        let rect = Rect::from_min_size(pos2(10.0, 20.0), vec2(900.0, 400.0));
        for count in 1..9 {
            let places = panels(rect, count, 1.3, 8.0);
            assert_eq!(places.len(), count);
            for (i, a) in places.iter().enumerate() {
                assert!(rect.expand(0.1).contains_rect(*a), "{count}: {a}");
                assert!(places[..i].iter().all(|b| !a.shrink(0.1).intersects(b.shrink(0.1))), "{count}");
            }
        }
        let wide = panels(Rect::from_min_size(pos2(0.0, 0.0), vec2(1200.0, 200.0)), 4, 1.3, 8.0);
        assert_eq!(wide[0].top(), wide[3].top(), "a wide tile has one row");
        let square = panels(Rect::from_min_size(pos2(0.0, 0.0), vec2(400.0, 320.0)), 4, 1.3, 8.0);
        assert!(square[2].top() > square[1].top(), "a square tile has two");
    }
}
