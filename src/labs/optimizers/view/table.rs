//! The tile with every optimizer's state at the timeline's step.

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align, Color32, FontId, Label, Layout, RichText, ScrollArea, Sense, TextWrapMode, Ui, UiBuilder, WidgetInfo, pos2,
    vec2,
};
use egui_extras::{Column, TableBuilder};

use crate::labs::ViewCtx;
use crate::labs::optimizers::rules::Rule;
use crate::plot::number;
use crate::plot::stroke::{LineMesh, Pen};
use crate::plot::style::Style;

use super::controls;
use super::paths::Path;

/// Columns of numbers with their tooltips.
const NUMBERS: [(&str, &str); 5] = [
    ("x", "First coordinate"),
    ("y", "Second coordinate"),
    ("f", "Value of the function there"),
    ("‖∇f‖", "Steepness there"),
    ("‖Δθ‖", "Length of the move that led there"),
];
/// Characters of a number: a sign, four digits, a point, an exponent.
const NUMBER_WIDTH: usize = 9;

/// Draws the tile.
pub fn ui(selected: &mut Rule, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let all = Path::all(ctx.run);
    if all.is_empty() {
        return controls::empty(ui, ctx);
    }
    let size = controls::font_size(ctx) + 1.0;
    let style = ctx.style;
    let (bar, rest) = controls::split(ui, controls::font_size(ctx));
    let text = format!("step {}, after as many updates", number::grouped(ctx.cursor.step));
    controls::bar(ui, bar, controls::weak(text, controls::font_size(ctx), style), |_| {});
    let digit = ui.painter().layout_no_wrap("0".to_owned(), FontId::monospace(size), style.text).size().x;
    let row_height = (1.95 * size).round();
    let mut clicked = None;
    ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
        ui.shrink_clip_rect(rest);
        ui.spacing_mut().item_spacing = vec2(1.2 * size, 0.0);
        ui.style_mut().wrap_mode = Some(TextWrapMode::Extend);
        ui.visuals_mut().selection.bg_fill = style.accent.gamma_multiply(0.22);
        ScrollArea::horizontal().auto_shrink(false).show(ui, |ui| {
            TableBuilder::new(ui)
                .id_salt("optimizer states")
                .sense(Sense::click())
                .auto_shrink(false)
                .cell_layout(Layout::left_to_right(Align::Center))
                .column(Column::exact(8.5 * size))
                .columns(Column::exact((NUMBER_WIDTH as f32 * digit).ceil()), NUMBERS.len())
                .columns(Column::exact((29.0 * digit).ceil()), 2)
                .header(row_height, |mut header| {
                    header.col(|ui| head(ui, "optimizer", "Click a row to follow that optimizer", style, size));
                    for (name, help) in NUMBERS {
                        header.col(|ui| {
                            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                                head(ui, name, help, style, size)
                            });
                        });
                    }
                    header.col(|ui| head(ui, "state", "What the optimizer carries from update to update", style, size));
                    header.col(|_| {});
                })
                .body(|mut body| {
                    for path in &all {
                        body.row(row_height, |mut row| {
                            row.set_selected(path.rule == *selected);
                            draw_row(&mut row, path, ctx, size, path.rule == *selected);
                            if row.response().clicked() {
                                clicked = Some(path.rule);
                            }
                        });
                    }
                });
        });
    });
    if let Some(rule) = clicked {
        *selected = rule;
    }
}

fn head(ui: &mut Ui, name: &str, help: &str, style: &Style, size: f32) {
    let text = RichText::new(name).size(size).color(style.text_weak);
    ui.add(Label::new(text).selectable(false)).on_hover_text(help);
}

fn draw_row(row: &mut egui_extras::TableRow<'_, '_>, path: &Path<'_>, ctx: &ViewCtx<'_>, size: f32, selected: bool) {
    let style = ctx.style;
    let k = path.row_at(ctx.cursor.step);
    let category = style.category(path.rule.index());
    row.col(|ui| {
        let (rect, response) = ui.allocate_exact_size(vec2(2.2 * size, size), Sense::hover());
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, selected, path.rule.title()));
        let feather = 1.0 / ui.pixels_per_point();
        let pen = Pen { width: 0.2 * size, color: category.color, dash: category.dash, feather };
        let y = rect.center().y;
        let run = [(pos2(rect.left(), y), 0), (pos2(rect.right(), y), 1)];
        LineMesh::new([run.as_slice()], pen).draw(ui.painter());
        ui.painter().circle_filled(pos2(rect.center().x, y), 0.32 * size, category.color);
        ui.spacing_mut().item_spacing.x = 0.4 * size;
        let name = RichText::new(path.rule.title()).size(size).color(style.text);
        ui.add(Label::new(name).selectable(false));
    });
    if !path.is_finite(k) {
        let since = (0..=k).rev().find(|k| path.is_finite(*k)).map_or(0, |last| last + 1);
        row.col(|ui| {
            let text = format!("diverged at step {}", number::grouped(since as u64));
            // Spills over the empty cells to its right.
            ui.set_clip_rect(ui.clip_rect().with_max_x(f32::INFINITY));
            cell(ui, text, style.error, size);
        });
        (1..NUMBERS.len() + 2).for_each(|_| {
            row.col(|_| {});
        });
        return;
    }
    let [x, y] = path.position(k);
    let numbers =
        [Some(x), Some(y), Some(path.f(k)), Some(path.gradient_norm(k)), (k > 0).then(|| path.step_length(k))];
    for value in numbers {
        row.col(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| match value {
                Some(value) => cell(ui, number::short(value), style.text, size),
                None => cell(ui, "—".to_owned(), style.text_weak, size),
            });
        });
    }
    let vectors = path.vectors(k);
    for slot in 0..2 {
        row.col(|ui| match path.rule.state_names().get(slot) {
            Some(name) => {
                let [x, y] = vectors[slot].map(|v| number::column(v, NUMBER_WIDTH));
                ui.spacing_mut().item_spacing.x = 0.4 * size;
                cell(ui, format!("{name:<6}"), style.text_weak, size);
                cell(ui, format!("{x} {y}"), style.text, size);
            }
            None if slot == 0 => cell(ui, "none".to_owned(), style.text_weak, size),
            None => {}
        });
    }
}

fn cell(ui: &mut Ui, text: String, color: Color32, size: f32) {
    ui.add(Label::new(RichText::new(text).font(FontId::monospace(size)).color(color)).selectable(false));
}
