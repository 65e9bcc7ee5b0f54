//! The collapse alarm in words, with the numbers that it rests on, and the verdicts along the run.

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align, Color32, Label, Layout, Painter, Pos2, Rect, RichText, ScrollArea, Sense, Shape, Stroke, Ui, UiBuilder,
    WidgetInfo, pos2, vec2,
};

use crate::engine::event::Payload;
use crate::engine::state::History;
use crate::kit::empty;
use crate::kit::view::ViewCtx;
use crate::labs::self_supervised::alarm;
use crate::metrics::collapse::{Alarm, LOW_STD, Verdict, low_rank, unused_directions};
use crate::plot::style::Style;
use crate::plot::{number, tile};

use super::SelfSupervisedView;
use super::series::{self, ALIGNMENT, MEAN_ENERGY, RANK, SPREAD, TWIN};
use crate::kit::tiles::{Tile, TileSpec};

/// The tile.
pub static TILE: Tile<SelfSupervisedView> = Tile {
    spec: TileSpec {
        id: "collapse",
        title: "Has it collapsed?",
        help: "The collapse alarm in words, the numbers it rests on, and the verdict at every measurement. It asks \
               effective rank and normalised std, not the alignment.",
        area: "alarm",
        follows_cursor: true,
    },
    show: |_, ui, ctx| self::ui(ui, ctx),
    commands: &[],
};

/// Colour of the verdict of one check.
fn check_color(style: &Style, verdict: Verdict) -> Color32 {
    match verdict {
        Verdict::Healthy => style.good,
        Verdict::OneDirection => style.warning,
        Verdict::Complete => style.error,
    }
}

/// Colour of what the alarm says.
pub fn color(style: &Style, alarm: &Alarm) -> Color32 {
    match alarm.standing {
        Verdict::Healthy if alarm.is_watching() => style.warning,
        Verdict::Healthy => style.good,
        _ => style.error,
    }
}

/// What the alarm says in a few words.
pub fn title(alarm: &Alarm) -> &'static str {
    match (alarm.standing, alarm.newest) {
        (Verdict::Healthy, Verdict::Healthy) => "No collapse",
        (Verdict::Healthy, Verdict::OneDirection) => "Watching: rank near 1",
        (Verdict::Healthy, Verdict::Complete) => "Watching: spread near 0",
        (Verdict::OneDirection, _) => "Collapse to one direction",
        (Verdict::Complete, _) => "Complete collapse",
    }
}

fn meaning(alarm: &Alarm) -> &'static str {
    match alarm.standing {
        Verdict::Healthy if alarm.is_watching() => "",
        Verdict::Healthy => "Embeddings vary in several directions.",
        Verdict::OneDirection => {
            "Embeddings still differ, but along one line: the effective rank is near 1, the spread is not 0."
        }
        Verdict::Complete => {
            "Every picture has nearly the same embedding: the spread is near 0. The loss does not tell."
        }
    }
}

/// Draws the tile.
pub fn ui(ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let Some(history) = ctx.run.scalars.get("collapse") else {
        return empty::measured(ui, ctx, "when the eigenspaces are analysed for the first time");
    };
    let style = ctx.style;
    // This tile is read from afar: its type grows with it.
    let (base, room) = (tile::font_size(ctx.presenting), ui.available_size());
    let size = (room.x / 28.0).min(room.y / 15.0).clamp(base, 2.0 * base).round();
    let margin = size;
    let all = ui.available_rect_before_wrap().shrink2(vec2(margin, 0.5 * margin));
    if !all.is_positive() {
        return;
    }
    let band_height = if all.height() > 9.0 * size { 2.6 * size } else { 0.0 };
    let words = Rect::from_min_max(all.min, all.max - vec2(0.0, band_height));
    ui.scope_builder(UiBuilder::new().max_rect(words).layout(Layout::top_down(Align::Min)), |ui| {
        ui.shrink_clip_rect(words.expand(2.0));
        ScrollArea::vertical().id_salt("collapse").auto_shrink([false, false]).show(ui, |ui| {
            ui.spacing_mut().item_spacing = vec2(8.0, 0.35 * size);
            // In a low tile the two numbers of the verdict come first, and the words take what room is left.
            let short = words.height() < 11.5 * size;
            let alarm = alarm::replay(ctx.run, false, ctx.cursor.step).unwrap_or_default();
            headline(&alarm, size, ui, ctx);
            if short {
                numbers(&alarm, size, short, ui, ctx);
                in_words(&alarm, size, ui, ctx);
            } else {
                in_words(&alarm, size + 1.0, ui, ctx);
                numbers(&alarm, size, short, ui, ctx);
            }
            if let Some(what) = series::twin_name(ctx.run) {
                let twin = alarm::replay(ctx.run, true, ctx.cursor.step).unwrap_or_default();
                let value = |key: &str| Some(ctx.run.scalars.get(key)?.at(ctx.cursor.step)?.1);
                let number = |key| value(&format!("{TWIN}{key}")).map_or_else(|| "—".to_owned(), number::short);
                let (rank, std) = (number(RANK.key), number(SPREAD.key));
                let title = title(&twin).to_lowercase();
                let waiting = alarm::waiting(&twin, series::steps(ctx));
                let text = format!("twin: {title}, rank {rank}, std {std} ({what}).{waiting}");
                let label = Label::new(RichText::new(&text).size(size + 1.0).color(color(style, &twin)));
                ui.add(label.truncate()).on_hover_text(text);
            }
        });
    });
    if band_height > 0.0 {
        let place = Rect::from_min_max(pos2(all.left(), words.bottom() + 0.5 * size), all.max);
        let asked = band(history, place, size, ui, ctx);
        series::seek(ctx, asked);
    }
}

fn headline(alarm: &Alarm, size: f32, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let color = color(ctx.style, alarm);
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(1.7 * size, 2.0 * size), Sense::hover());
        sign(ui.painter(), rect.center(), 0.7 * size, alarm, color);
        let text = RichText::new(title(alarm)).size(1.75 * size).color(color);
        let response = ui.add(Label::new(text).wrap());
        let spoken = format!("collapse alarm: {}", title(alarm));
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &spoken));
    });
}

fn in_words(alarm: &Alarm, size: f32, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let (style, steps) = (ctx.style, series::steps(ctx));
    let mut text = meaning(alarm).to_owned();
    match alarm.announced.map(number::grouped) {
        Some(step) if alarm.standing != Verdict::Healthy => text.push_str(&format!(" Since step {step}.")),
        Some(step) if !alarm.is_watching() => text.push_str(&format!(" Again so since step {step}.")),
        _ => {}
    }
    text.push_str(&alarm::waiting(alarm, steps));
    let bad = alarm.is_watching() || alarm.standing != Verdict::Healthy;
    if let Some(evidence) = alarm::evidence(alarm).filter(|_| bad) {
        text.push_str(&format!(" {evidence}."));
    }
    let text = text.trim_start();
    // A low tile may have to be scrolled for the rest.
    ui.add(Label::new(RichText::new(text).size(size).color(style.text)).wrap()).on_hover_text(text);
}

/// A disc, a ring, a triangle or a square: it is not told by colour alone.
fn sign(painter: &Painter, at: Pos2, radius: f32, alarm: &Alarm, color: Color32) {
    match alarm.standing {
        Verdict::Healthy if alarm.is_watching() => {
            painter.circle_stroke(at, 0.8 * radius, Stroke::new(0.4 * radius, color));
        }
        Verdict::Healthy => {
            painter.circle_filled(at, radius, color);
        }
        Verdict::OneDirection => {
            let corners = [(0.0, -1.15), (1.15, 0.9), (-1.15, 0.9)].map(|(x, y)| at + radius * vec2(x, y));
            painter.add(Shape::convex_polygon(corners.to_vec(), color, Stroke::NONE));
        }
        Verdict::Complete => {
            painter.rect_filled(Rect::from_center_size(at, vec2(1.8, 1.8) * radius), 0.0, color);
        }
    }
}

/// The measurements that the verdict rests on, and the one that it must not.
fn numbers(alarm: &Alarm, size: f32, short: bool, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let style = ctx.style;
    let value = |key: &str| series::value(ctx, key);
    let eigenvalues = series::series(ctx, "eigenvalues/F").map_or_else(Vec::new, |(_, payload)| match &*payload {
        Payload::Series(values) => values.clone(),
        _ => Vec::new(),
    });
    let (d, unused) = (eigenvalues.len(), unused_directions(&eigenvalues));
    let low_rank = low_rank(if d == 0 { 64 } else { d });
    let low = |limit: f64| format!("low < {}", number::compact(limit));
    let of = if d > 0 && !short { format!("of {d}; {}", low(low_rank)) } else { low(low_rank) };
    let healthy = if short { low(LOW_STD) } else { format!("1 healthy; {}", low(LOW_STD)) };
    let rows = [
        (RANK.name, value(RANK.key), of, value(RANK.key).is_some_and(|rank| rank < low_rank)),
        (SPREAD.name, value(SPREAD.key), healthy, value(SPREAD.key).is_some_and(|std| std < LOW_STD)),
        (MEAN_ENERGY.name, value(MEAN_ENERGY.key), "for information".to_owned(), false),
        (ALIGNMENT.name, value(ALIGNMENT.key), "no evidence: near 1 in dead runs too".to_owned(), false),
    ];
    eframe::egui::Grid::new("collapse numbers").num_columns(3).spacing(vec2(0.8 * size, 0.3 * size)).show(ui, |ui| {
        for (name, value, note, low) in rows.into_iter().take(if short { 2 } else { 4 }) {
            ui.label(tile::weak(name, size, style));
            let text = format!("{:>6}", value.map_or_else(|| "—".to_owned(), number::short));
            let color = if low { style.error } else { style.text };
            ui.label(tile::mono(text, size + 0.5, style).color(color));
            ui.add(Label::new(tile::weak(note, size - 0.5, style)).truncate());
            ui.end_row();
        }
    });
    // Of a dead network it would say too little.
    if unused > 0 && !short && alarm.standing == Verdict::Healthy {
        let text = alarm::unused(unused, d);
        ui.add(Label::new(tile::weak(&text, size - 0.5, style)).truncate()).on_hover_text(text);
    }
}

/// Every measured verdict along the run as a strip; returns the step that was clicked.
fn band(history: &History, place: Rect, size: f32, ui: &Ui, ctx: &ViewCtx<'_>) -> Option<u64> {
    let style = ctx.style;
    let steps = series::steps(ctx) as f32;
    let strip = Rect::from_min_size(place.min, vec2(place.width(), 0.8 * size));
    let response = ui.interact(place, ui.scope_id().with("verdicts"), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "verdicts along the run"));
    let painter = ui.painter_at(place.expand(3.0));
    painter.rect_filled(strip, 2.0, style.plot_background);
    let x = |step: u64| strip.left() + strip.width() * step as f32 / steps;
    let points: Vec<(u64, f64)> = history.points().collect();
    // Neighbours with one verdict make one piece.
    let mut from = 0;
    for (i, (step, value)) in points.iter().enumerate() {
        let next = points.get(i + 1);
        let verdict = Verdict::of(*value);
        let passes_cursor = next.is_some_and(|(next, _)| *step <= ctx.cursor.step && *next > ctx.cursor.step);
        if next.is_some_and(|(_, next)| Verdict::of(*next) == verdict) && !passes_cursor {
            continue;
        }
        let end = next.map_or(*step, |(next, _)| *next);
        let piece = Rect::from_min_max(
            pos2(x(points[from].0), strip.top()),
            pos2(x(end).max(x(points[from].0) + 1.0), strip.bottom()),
        );
        let faint = points[from].0 > ctx.cursor.step;
        let color = check_color(style, verdict);
        painter.rect_filled(piece, 0.0, if faint { color.gamma_multiply(0.3) } else { color });
        from = i + 1;
    }
    painter.vline(x(ctx.cursor.step), strip.y_range().expand(3.0), Stroke::new(1.5, style.accent));
    let font = eframe::egui::FontId::proportional(size - 0.5);
    let y = strip.bottom() + 0.25 * size;
    let text = painter.layout_no_wrap("verdict at each measurement".to_owned(), font.clone(), style.text_weak);
    painter.galley(pos2(strip.left(), y), text.clone(), style.text_weak);
    let end = painter.layout_no_wrap(format!("step {}", number::grouped(steps as u64)), font, style.text_weak);
    if text.size().x + end.size().x + size < strip.width() {
        painter.galley(pos2(strip.right() - end.size().x, y), end, style.text_weak);
    }
    let asked = response.interact_pointer_pos().filter(|_| response.clicked() || response.dragged())?;
    Some((((asked.x - strip.left()) / strip.width()).clamp(0.0, 1.0) * steps).round() as u64)
}
