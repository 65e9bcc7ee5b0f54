//! Who was best from which start.

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, Color32, EventFilter, FontId, Key, Modifiers, Rect, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use crate::engine::params::Value;
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::params::{START_X, START_Y};
use crate::labs::optimizers::race::{Race, Standing};
use crate::labs::optimizers::rules::Rule;
use crate::labs::optimizers::view::controls;
use crate::plot::curve::label;
use crate::plot::number;
use crate::plot::style::Style;

use super::table;

/// A rank's colour: the best is its optimizer's, the worse the fainter; who diverged is marked.
fn color(one: &Standing, start: usize, all: usize, style: &Style) -> Color32 {
    let outcome = &one.outcomes[start];
    if !outcome.f.is_finite() && outcome.arrived.is_none() {
        return style.plot_background.lerp_to_gamma(style.error, 0.45);
    }
    let worse = (outcome.rank - 1.0) / (all.max(2) - 1) as f64;
    // The best stands out from the second.
    let faint = if worse > 0.0 { 0.45 + 0.5 * worse } else { 0.0 };
    style.category(one.rule.index()).color.lerp_to_gamma(style.plot_background, faint as f32)
}

/// Draws a row for each optimizer and a column for each start. A click begins there; the optimizer that was clicked.
pub fn show(
    at: &mut usize,
    race: &Race,
    selected: Rule,
    rest: Rect,
    ui: &mut Ui,
    ctx: &mut ViewCtx<'_>,
) -> Option<Rule> {
    let (size, style) = (controls::font_size(ctx), ctx.style);
    let (rows, columns) = (race.standings.len(), race.starts.len());
    let foot = if rest.height() > 8.0 * size { 1.6 * size } else { 0.0 };
    let name = (9.6 * size).min(0.4 * rest.width());
    let grid = Rect::from_min_max(rest.min + vec2(name, 0.0), rest.max - vec2(0.6 * size, foot));
    if !grid.is_positive() || rows == 0 || columns == 0 {
        return None;
    }
    let height = (grid.height() / rows as f32).min(2.2 * size);
    let grid = grid.with_max_y(grid.top() + height * rows as f32);
    let width = grid.width() / columns as f32;
    let painter = ui.painter_at(rest);
    let cell = |row: usize, column: usize| {
        Rect::from_min_size(grid.min + vec2(column as f32 * width, row as f32 * height), vec2(width, height))
    };
    let gap = if width > 4.0 { 0.5 } else { 0.0 };
    for (row, one) in race.standings.iter().enumerate() {
        let y = cell(row, 0).center().y;
        table::mark(&painter, pos2(rest.left() + 0.3 * size, y), one.rule, size, style);
        let ink = if one.rule == selected { style.text } else { style.text_weak };
        let font = FontId::proportional(size.min(height));
        let names = painter.with_clip_rect(rest.with_max_x(grid.left() - 4.0));
        names.text(pos2(rest.left() + 2.8 * size, y), Align2::LEFT_CENTER, one.rule.title(), font, ink);
        for column in 0..columns {
            painter.rect_filled(cell(row, column).shrink(gap), 0.0, color(one, column, rows, style));
        }
    }
    let response = ui.interact(grid, ui.scope_id().with("starts of the race"), Sense::click());
    *at = (*at).min(columns - 1);
    if response.has_focus() {
        let filter = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        ui.input_mut(|input| {
            if input.consume_key(Modifiers::NONE, Key::ArrowRight) {
                *at = (*at + 1).min(columns - 1);
            }
            if input.consume_key(Modifiers::NONE, Key::ArrowLeft) {
                *at = at.saturating_sub(1);
            }
        });
        let column = cell(0, *at).union(cell(rows - 1, *at));
        painter.rect_stroke(column, 0.0, Stroke::new(1.5, style.accent), StrokeKind::Outside);
    }
    let spoken = format!("race by start, {}", told(race, 0, *at));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &spoken));
    let under = |pos: eframe::egui::Pos2| {
        let index = |v: f32, unit: f32, count: usize| ((v / unit).max(0.0) as usize).min(count - 1);
        (index(pos.y - grid.top(), height, rows), index(pos.x - grid.left(), width, columns))
    };
    let pointed = response.hover_pos().filter(|pos| grid.contains(*pos)).map(under);
    if let (Some((row, column)), Some(pos)) = (pointed, response.hover_pos()) {
        painter.rect_stroke(cell(row, column), 0.0, Stroke::new(1.5, style.text), StrokeKind::Inside);
        label(&ui.painter_at(rest), rest, pos, &told(race, row, column), size, style);
    }
    if foot > 0.0 {
        let text = "Full colour: the best from there; faint: worse; red: diverged. A click starts there.";
        let place = pos2(rest.left() + 0.3 * size, grid.bottom() + 0.5 * foot);
        painter.text(place, Align2::LEFT_CENTER, text, FontId::proportional(size), style.text_weak);
    }
    if !response.clicked() {
        return None;
    }
    response.request_focus();
    // A click with the mouse is somewhere, one with the keyboard is at the marked column.
    let clicked = response.interact_pointer_pos().map(under);
    *at = clicked.map_or(*at, |(_, column)| column);
    let [x, y] = race.starts[*at];
    ctx.set(START_X.key(), Value::Float(x), false);
    ctx.set(START_Y.key(), Value::Float(y), true);
    clicked.map(|(row, _)| race.standings[row].rule)
}

/// How an optimizer did from a start.
fn told(race: &Race, row: usize, column: usize) -> String {
    let (one, [x, y]) = (&race.standings[row], race.starts[column]);
    let outcome = &one.outcomes[column];
    let ended = match (outcome.verdict, outcome.arrived) {
        (_, Some(k)) => format!("there after {}", number::counted(k, "gradient", "gradients")),
        (Some(verdict), None) => verdict.short().to_owned(),
        (None, None) => "no number".to_owned(),
    };
    format!(
        "start ({}, {}), {}: rank {}, {ended}, f = {}",
        number::compact(x),
        number::compact(y),
        one.rule.title(),
        number::compact(outcome.rank),
        number::short(outcome.f)
    )
}
