//! The tile with every optimizer's state at the timeline's step.

use std::sync::LazyLock;

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align, Color32, FontId, Label, Layout, Response, RichText, ScrollArea, Sense, TextWrapMode, Ui, UiBuilder,
    WidgetInfo, pos2, vec2,
};
use egui_extras::{Column, TableBuilder, TableRow};

use crate::kit::view::ViewCtx;
use crate::labs::optimizers::rules::Rule;
use crate::plot::number;
use crate::plot::stroke::{LineMesh, Pen};
use crate::plot::style::Style;

use super::OptimizersView;
use super::controls;
use super::export;
use super::paths::{self, Path};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};

/// The tile.
pub static TILE: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "table",
        title: "State at the step",
        help: "Position, value, slope, last move and internal state of every optimizer at the timeline's step. \
               Click a row to follow that optimizer.",
        area: "state",
        follows_cursor: true,
    },
    show: |view, ui, ctx| self::ui(&mut view.selected, ui, ctx),
    commands: &[
        TileCommand { id: "export-paths-csv", title: "Export trajectories as CSV", run: |_, ctx, _| export::csv(ctx) },
        TileCommand {
            id: "export-paths-json",
            title: "Export trajectories as JSON",
            run: |_, ctx, _| export::json(ctx),
        },
    ],
};

/// Ids and titles of the commands that select an optimizer, in the order of [`Rule::ALL`].
pub static SELECT: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let command = |rule: Rule| (format!("select-{}", rule.id()), format!("Select optimizer: {}", rule.title()));
    Rule::ALL.into_iter().map(command).collect()
});

/// Columns of numbers with their tooltips.
const NUMBERS: [(&str, &str); 5] = [
    ("x", "First coordinate"),
    ("y", "Second coordinate"),
    ("f", "Value of the function there"),
    ("‖∇f‖", "Steepness there"),
    ("‖Δθ‖", "Length of the move that led there"),
];
/// Characters of a number: a sign, three digits, a point, an exponent.
const NUMBER: usize = 8;
/// Characters of a state vector with its name.
const VECTOR: usize = 6 + 2 * NUMBER + 1;

/// How the state vectors are shown, by the room there is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    /// In two columns.
    Wide,
    /// In one column, one above the other.
    Stacked,
    /// On a line of their own below the numbers.
    Below,
}

/// Sizes of the table in points.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    font: f32,
    digit: f32,
    gap: f32,
    row: f32,
    line: f32,
    shape: Shape,
}

impl Sizes {
    fn new(ui: &Ui, font: f32) -> Self {
        let digit = ui.painter().layout_no_wrap("0".to_owned(), FontId::monospace(font), Color32::WHITE).size().x;
        let (gap, row, line) = ((0.6 * font).round(), (1.8 * font).round(), (1.3 * font).round());
        let sizes = Self { font, digit, gap, row, line, shape: Shape::Wide };
        let numbers = sizes.name() + NUMBERS.len() as f32 * (sizes.number() + gap) + 2.0 * gap;
        let shape = match ui.available_width() - 0.5 * font {
            room if room > numbers + 2.0 * (sizes.vector() + gap) => Shape::Wide,
            room if room > numbers + sizes.vector() + gap => Shape::Stacked,
            _ => return Self::dense(ui, font - 1.0),
        };
        Self { shape, ..sizes }
    }

    /// For a small tile: seven optimizers with their states have to fit.
    fn dense(ui: &Ui, font: f32) -> Self {
        let digit = ui.painter().layout_no_wrap("0".to_owned(), FontId::monospace(font), Color32::WHITE).size().x;
        let (gap, row, line) = ((0.4 * font).round(), (1.5 * font).round(), (1.2 * font).round());
        Self { font, digit, gap, row, line, shape: Shape::Below }
    }

    /// Columns of state vectors.
    fn vectors(&self) -> usize {
        match self.shape {
            Shape::Wide => 2,
            Shape::Stacked => 1,
            Shape::Below => 0,
        }
    }

    fn columns(&self) -> usize {
        1 + NUMBERS.len() + self.vectors()
    }

    fn name(&self) -> f32 {
        (if self.shape == Shape::Below { 7.7 } else { 7.9 } * self.font).ceil()
    }

    fn number(&self) -> f32 {
        (NUMBER as f32 * self.digit).ceil()
    }

    fn vector(&self) -> f32 {
        (VECTOR as f32 * self.digit).ceil()
    }
}

/// Draws the tile.
pub fn ui(selected: &mut Rule, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let all = Path::all(ctx.run);
    if all.is_empty() {
        return controls::nothing_yet(ui, ctx);
    }
    let rest = ui.available_rect_before_wrap();
    let mut clicked = None;
    ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
        ui.shrink_clip_rect(rest);
        let sizes = Sizes::new(ui, controls::font_size(ctx) + 1.0);
        ui.spacing_mut().item_spacing = vec2(sizes.gap, 0.0);
        ui.spacing_mut().interact_size.y = 0.0;
        ui.style_mut().wrap_mode = Some(TextWrapMode::Extend);
        ui.visuals_mut().selection.bg_fill = ctx.style.accent.gamma_multiply(0.22);
        ScrollArea::horizontal().auto_shrink(false).show(ui, |ui| clicked = table(ui, &all, *selected, ctx, sizes));
    });
    if let Some(rule) = clicked {
        *selected = rule;
    }
}

fn table(ui: &mut Ui, all: &[Path<'_>], selected: Rule, ctx: &ViewCtx<'_>, sizes: Sizes) -> Option<Rule> {
    let mut clicked = None;
    let vectors = sizes.vectors();
    TableBuilder::new(ui)
        .id_salt(("optimizer states", vectors))
        .sense(Sense::click())
        .auto_shrink(false)
        .cell_layout(Layout::left_to_right(Align::Center))
        .column(Column::exact(sizes.name()))
        .columns(Column::exact(sizes.number()), NUMBERS.len())
        .columns(Column::exact(sizes.vector()), vectors)
        .header(sizes.row, |mut header| {
            let at = format!("step {}", number::grouped(ctx.cursor.step));
            header.col(|ui| {
                head(ui, &at, "The state after as many updates. Click a row to follow that optimizer", ctx, sizes)
            });
            for (name, help) in NUMBERS {
                header.col(|ui| {
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| head(ui, name, help, ctx, sizes));
                });
            }
            for slot in 0..vectors {
                let name = if slot == 0 { "state (x, y)" } else { "" };
                header.col(|ui| head(ui, name, "What the optimizer carries from update to update", ctx, sizes));
            }
        })
        .body(|mut body| {
            for path in all {
                let names = path.rule.state_names();
                let height = match sizes.shape {
                    Shape::Stacked if names.len() > 1 => sizes.row + sizes.line,
                    _ => sizes.row,
                };
                body.row(height, |mut row| {
                    row.set_selected(path.rule == selected);
                    draw_row(&mut row, path, ctx, sizes, path.rule == selected);
                    if row.response().clicked() {
                        clicked = Some(path.rule);
                    }
                });
                if sizes.shape == Shape::Below && !names.is_empty() {
                    body.row(sizes.line, |mut row| {
                        row.set_selected(path.rule == selected);
                        draw_below(&mut row, path, ctx, sizes);
                        if row.response().clicked() {
                            clicked = Some(path.rule);
                        }
                    });
                }
            }
        });
    clicked
}

fn head(ui: &mut Ui, name: &str, help: &str, ctx: &ViewCtx<'_>, sizes: Sizes) {
    let text = RichText::new(name).size(sizes.font).color(ctx.style.text_weak);
    ui.add(Label::new(text).selectable(false)).on_hover_text(help);
}

fn draw_row(row: &mut TableRow<'_, '_>, path: &Path<'_>, ctx: &ViewCtx<'_>, sizes: Sizes, selected: bool) {
    let style = ctx.style;
    let size = sizes.font;
    let k = path.row_at(ctx.cursor.step);
    row.col(|ui| {
        // Judged only while somebody asks.
        let judged = |ui: &mut Ui| drop(ui.label(path.judged(&paths::surface(ctx))));
        name(ui, path, style, size, selected).on_hover_ui(judged);
    });
    if let Some(since) = diverged_since(path, k) {
        row.col(|ui| {
            // Spills over the empty cells to its right.
            ui.set_clip_rect(ui.clip_rect().with_max_x(f32::INFINITY));
            cell(ui, format!("diverged at step {}", number::grouped(since as u64)), style.error, size);
        });
        fill(row, sizes.columns() - 2);
        return;
    }
    let [x, y] = path.position(k);
    let numbers =
        [Some(x), Some(y), Some(path.f(k)), Some(path.gradient_norm(k)), (k > 0).then(|| path.step_length(k))];
    for value in numbers {
        row.col(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| match value {
                Some(value) => cell(ui, fitted(value), style.text, size),
                None => cell(ui, "—".to_owned(), style.text_weak, size),
            });
        });
    }
    let vectors = named_vectors(path, k);
    match sizes.shape {
        Shape::Wide => {
            for slot in 0..2 {
                row.col(|ui| {
                    if let Some((name, value)) = vectors.get(slot) {
                        vector(ui, name, *value, style, size);
                    }
                });
            }
        }
        Shape::Stacked => {
            row.col(|ui| {
                ui.vertical(|ui| {
                    let free = ui.available_height() - sizes.line * vectors.len() as f32;
                    ui.add_space((free / 2.0).max(0.0));
                    for (name, value) in vectors {
                        ui.horizontal(|ui| vector(ui, name, value, style, size));
                    }
                });
            });
        }
        Shape::Below => {}
    }
}

/// The line below the numbers, with all state vectors one after the other.
fn draw_below(row: &mut TableRow<'_, '_>, path: &Path<'_>, ctx: &ViewCtx<'_>, sizes: Sizes) {
    let k = path.row_at(ctx.cursor.step);
    row.col(|ui| {
        ui.set_clip_rect(ui.clip_rect().with_max_x(f32::INFINITY));
        if diverged_since(path, k).is_none() {
            ui.add_space(2.2 * sizes.font);
            for (name, [x, y]) in named_vectors(path, k) {
                let text = format!("{name} ({}, {})  ", number::short(x), number::short(y));
                cell(ui, text, ctx.style.text_weak, sizes.font - 0.5);
            }
        }
    });
    fill(row, sizes.columns() - 1);
}

/// Empty cells, so that the whole row is one surface to select.
fn fill(row: &mut TableRow<'_, '_>, count: usize) {
    for _ in 0..count {
        row.col(|_| {});
    }
}

fn name(ui: &mut Ui, path: &Path<'_>, style: &Style, size: f32, selected: bool) -> Response {
    let category = style.category(path.rule.index());
    let (rect, response) = ui.allocate_exact_size(vec2(1.7 * size, size), Sense::hover());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, selected, path.rule.title()));
    let feather = 1.0 / ui.pixels_per_point();
    let pen = Pen { width: 0.2 * size, color: category.color, dash: category.dash, feather };
    let y = rect.center().y;
    let run = [(pos2(rect.left(), y), 0), (pos2(rect.right(), y), 1)];
    LineMesh::new([run.as_slice()], pen).draw(ui.painter());
    ui.painter().circle_filled(pos2(rect.center().x, y), 0.32 * size, category.color);
    ui.spacing_mut().item_spacing.x = 0.4 * size;
    let name = RichText::new(path.rule.title()).size(size).color(style.text);
    ui.add(Label::new(name).selectable(false).extend())
}

/// The first step that is not a number, if row k is none.
fn diverged_since(path: &Path<'_>, k: usize) -> Option<usize> {
    if path.is_finite(k) {
        return None;
    }
    Some((0..=k).rev().find(|k| path.is_finite(*k)).map_or(0, |last| last + 1))
}

fn named_vectors(path: &Path<'_>, k: usize) -> Vec<(&'static str, [f64; 2])> {
    path.rule.state_names().iter().copied().zip(path.vectors(k)).collect()
}

fn vector(ui: &mut Ui, name: &str, [x, y]: [f64; 2], style: &Style, size: f32) {
    ui.spacing_mut().item_spacing.x = 0.0;
    cell(ui, format!("{name:<6}"), style.text_weak, size);
    cell(ui, format!("{:>NUMBER$} {:>NUMBER$}", fitted(x), fitted(y)), style.text, size);
}

/// Three digits, fewer where the exponent needs their place.
fn fitted(value: f64) -> String {
    let texts = [3, 2, 1].map(|digits| number::significant(value, digits));
    let [three, two, one] = texts;
    [three, two].into_iter().find(|text| text.chars().count() <= NUMBER).unwrap_or(one)
}

fn cell(ui: &mut Ui, text: String, color: Color32, size: f32) {
    let text = RichText::new(text).font(FontId::monospace(size)).color(color);
    ui.add(Label::new(text).selectable(false).extend());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_their_column() {
        for value in [-1.234e-5, -4.551e-111, 3.456e-223, 0.012_345, -86_294.0, 0.0, f64::NAN, f64::NEG_INFINITY] {
            assert!(fitted(value).chars().count() <= NUMBER, "{}", fitted(value));
        }
        assert_eq!(fitted(-4.551e-111), "−5e-111");
    }
}
