//! The step microscope: one update of one optimizer, part by part.

use eframe::egui::{
    Align2, Color32, CornerRadius, FontId, Frame, Key, Label, Margin, Painter, Rect, RichText, ScrollArea, Sense,
    Stroke, Ui, UiBuilder, pos2, vec2,
};

use crate::kit::empty;
use crate::kit::view::{Cursor, ViewAction, ViewCtx};
use crate::labs::optimizers::rules::{Part, Rule, Trace};
use crate::labs::optimizers::surfaces::Chosen;
use crate::plot::axes::{Axes, Bounds, Titles};
use crate::plot::colormap::ColorMap;
use crate::plot::field::{FieldState, Request, ScaleChoice};
use crate::plot::number;
use crate::plot::scale::Scale;
use crate::plot::tile::{self, one_line};

use super::OptimizersView;
use super::paths::{self, Path};
use super::{arrows, controls, marks};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};

/// The tile.
pub static TILE: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "microscope",
        title: "Step microscope",
        help: "One update of the selected optimizer, split into its named parts: the equation, the numbers in it, \
               and the arrows. The kept velocity and the pull of the slope add up to the new velocity; squares have the \
               area of what is remembered of squared slopes, one for x and one for y.",
        area: "update",
        follows_cursor: true,
    },
    show: |view, ui, ctx| self::ui(&mut view.microscope, &mut view.selected, ui, ctx),
    commands: &[
        TileCommand {
            id: "part-next",
            title: "Microscope: next part of the update",
            run: |view, ctx, _| forward(view.selected, ctx),
        },
        TileCommand {
            id: "part-previous",
            title: "Microscope: previous part of the update",
            run: |view, ctx, _| back(view.selected, ctx),
        },
    ],
};

/// View state of the tile.
#[derive(Debug, Default)]
pub struct MicroscopeTile {
    field: FieldState,
    /// The part that the list was last scrolled to.
    scrolled: Option<Cursor>,
}

/// Number of parts of the selected optimizer's update at the cursor.
pub fn parts(selected: Rule, ctx: &ViewCtx<'_>) -> usize {
    current(selected, ctx).map_or(0, |(_, _, trace)| trace.parts.len())
}

fn current<'a>(selected: Rule, ctx: &ViewCtx<'a>) -> Option<(Path<'a>, Chosen, Trace)> {
    let surface = paths::surface(ctx);
    let path = Path::of(ctx.run, selected)?;
    let trace = arrows::trace(&path, &surface, ctx)?;
    Some((path, surface, trace))
}

/// Moves the cursor one part on; past the last part the next update begins.
pub fn forward(selected: Rule, ctx: &mut ViewCtx<'_>) {
    let (count, Cursor { step, sub }) = (parts(selected, ctx), ctx.cursor);
    if count == 0 {
        return;
    }
    let next = if sub < count { Cursor { step, sub: sub + 1 } } else { Cursor { step: step + 1, sub: 1 } };
    if next.step < paths::steps(ctx.run).max(1) {
        ctx.actions.push(ViewAction::Seek(next));
    }
}

/// Moves the cursor one part back; before the first part the last update is shown whole.
pub fn back(selected: Rule, ctx: &mut ViewCtx<'_>) {
    let Cursor { step, sub } = ctx.cursor;
    let previous = if sub > 1 {
        Cursor { step, sub: sub - 1 }
    } else if step > 0 {
        let before = ViewCtx { cursor: Cursor { step: step - 1, sub: 0 }, actions: &mut Vec::new(), ..*ctx };
        Cursor { step: step - 1, sub: parts(selected, &before) }
    } else {
        Cursor { step: 0, sub: 0 }
    };
    if previous != ctx.cursor {
        ctx.actions.push(ViewAction::Seek(previous));
    }
}

/// Draws the tile.
pub fn ui(tile: &mut MicroscopeTile, selected: &mut Rule, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let all = Path::all(ctx.run);
    if all.is_empty() {
        return controls::nothing_yet(ui, ctx);
    }
    let size = controls::font_size(ctx);
    let (bar, rest) = controls::split(ui, size);
    draw_bar(selected, &all, bar, ui, ctx, size);
    let Some((path, surface, trace)) = current(*selected, ctx) else {
        let inner = UiBuilder::new().max_rect(rest);
        ui.scope_builder(inner, |ui| why_nothing(ui, &all, *selected, ctx));
        return;
    };
    // Side by side where there is room, else one above the other; a small tile has the picture and the part that is on.
    let (list, field) = if rest.width() > 42.0 * size {
        let cut = rest.left() + (0.56 * rest.width()).min(48.0 * size);
        (rest.with_max_x(cut), Some(rest.with_min_x(cut + size)))
    } else if rest.height() > 34.0 * size {
        let cut = rest.top() + 0.5 * rest.height();
        (rest.with_min_y(cut + 0.5 * size), Some(rest.with_max_y(cut)))
    } else if rest.height() > 8.0 * size && rest.width() > 14.0 * size {
        let cut = rest.bottom() - 3.4 * size;
        (rest.with_min_y(cut), Some(rest.with_max_y(cut)))
    } else {
        (rest, None)
    };
    let is_small = list.height() < 5.0 * size;
    if let Some(field) = field {
        draw_field(tile, field, &path, &surface, &trace, ui, ctx, size);
    }
    ui.scope_builder(UiBuilder::new().max_rect(list), |ui| {
        ui.shrink_clip_rect(list);
        if is_small {
            draw_current(&trace, ui, ctx, size);
        } else {
            draw_list(tile, &path, &trace, ui, ctx, size);
        }
    });
}

fn why_nothing(ui: &mut Ui, all: &[Path<'_>], selected: Rule, ctx: &ViewCtx<'_>) {
    let Some(path) = all.iter().find(|path| path.rule == selected) else { return };
    let row = path.row_at(ctx.cursor.step);
    if !path.is_finite(row) {
        let hint = "Its numbers are not finite any more. Go back on the timeline to see the updates that led there.";
        empty::message(ui, ctx, &format!("{} has diverged", selected.title()), hint);
    } else {
        empty::message(ui, ctx, "No update here", "Move the timeline to a step that has been computed.");
    }
}

/// Which optimizer, which update, and the buttons.
fn draw_bar(selected: &mut Rule, all: &[Path<'_>], bar: Rect, ui: &mut Ui, ctx: &mut ViewCtx<'_>, size: f32) {
    let Cursor { step, sub } = ctx.cursor;
    let count = parts(*selected, ctx);
    let shown = if sub == 0 { "whole update".to_owned() } else { format!("part {} of {count}", sub.min(count)) };
    let text = format!("update {} → {}  ·  {shown}", number::grouped(step), number::grouped(step + 1));
    let mut go = 0;
    controls::bar(ui, bar, controls::weak(text, size, ctx.style), |ui| {
        if controls::button(ui, count > 0, "next ▶", "Show the next part of the update", size) {
            go = 1;
        }
        if controls::button(ui, step > 0 || sub > 0, "◀ back", "Go back one part", size) {
            go = -1;
        }
        let name = RichText::new(selected.title()).size(size).color(ctx.style.text);
        if tile::said(ui, name.clone()) {
            return;
        }
        let combo = eframe::egui::ComboBox::from_id_salt("microscope optimizer").selected_text(name).width(9.0 * size);
        let response = combo.show_ui(ui, |ui| {
            for path in all {
                ui.selectable_value(selected, path.rule, path.rule.title());
            }
        });
        response.response.accessible_name("optimizer under the microscope").on_hover_text("Whose update is shown");
    });
    match go {
        1 => forward(*selected, ctx),
        -1 => back(*selected, ctx),
        _ => {}
    }
}

/// The part that is on, in two lines; the whole of it in the tooltip.
fn draw_current(trace: &Trace, ui: &mut Ui, ctx: &ViewCtx<'_>, size: f32) {
    let index = ctx.cursor.sub.clamp(1, trace.parts.len().max(1)) - 1;
    let index = if ctx.cursor.sub == 0 { trace.parts.len().saturating_sub(1) } else { index };
    let Some(part) = trace.parts.get(index) else { return };
    ui.spacing_mut().item_spacing.y = 0.0;
    let help = format!("{}\n{}\n{}", part.equation, part.numbers, part.note);
    let title = RichText::new(format!("{}: {}", part.title, part.equation)).size(size).color(ctx.style.text);
    ui.add(Label::new(title).truncate()).on_hover_text(&help);
    let numbers = RichText::new(&part.numbers).font(FontId::monospace(size)).color(ctx.style.text_weak);
    ui.add(Label::new(numbers).truncate()).on_hover_text(&help);
}

/// The parts as a list: name, equation, numbers; the note of the current one.
fn draw_list(tile: &mut MicroscopeTile, path: &Path<'_>, trace: &Trace, ui: &mut Ui, ctx: &mut ViewCtx<'_>, size: f32) {
    let style = ctx.style;
    let sub = ctx.cursor.sub.min(trace.parts.len());
    let moved = tile.scrolled != Some(ctx.cursor);
    tile.scrolled = Some(ctx.cursor);
    let mut wanted = None;
    ScrollArea::vertical().id_salt("parts").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.35 * size;
        for (index, part) in trace.parts.iter().enumerate() {
            let current = sub == index + 1;
            let ahead = sub > 0 && index >= sub;
            let strength = if ahead { 0.45 } else { 1.0 };
            let frame = Frame::new()
                .fill(if current { style.accent.gamma_multiply(0.16) } else { Color32::TRANSPARENT })
                .stroke(Stroke::new(1.0, if current { style.accent.gamma_multiply(0.6) } else { Color32::TRANSPARENT }))
                .corner_radius(CornerRadius::same(4))
                .inner_margin(Margin::symmetric((0.6 * size) as i8, (0.35 * size) as i8));
            let inner = frame.show(ui, |ui| {
                ui.set_width(ui.available_width());
                part_lines(ui, index, part, path.rule, ctx, size, strength, current || sub == 0);
            });
            let name = format!("part {}: {}", index + 1, part.title);
            let response = ui.interact(inner.response.rect, ui.scope_id().with(("part", index)), Sense::click());
            response.widget_info(|| {
                eframe::egui::WidgetInfo::selected(
                    eframe::egui::accesskit::Role::ListItem,
                    true,
                    current,
                    format!("{name}. {}", part.numbers),
                )
            });
            if response.clicked() || (response.has_focus() && ui.input(|input| input.key_pressed(Key::Enter))) {
                wanted = Some(Cursor { step: ctx.cursor.step, sub: index + 1 });
            }
            if current && moved {
                response.scroll_to_me(None);
            }
        }
    });
    if let Some(cursor) = wanted {
        ctx.actions.push(ViewAction::Seek(cursor));
    }
}

#[expect(clippy::too_many_arguments, reason = "what is drawn, where and how")]
fn part_lines(
    ui: &mut Ui,
    index: usize,
    part: &Part,
    rule: Rule,
    ctx: &ViewCtx<'_>,
    size: f32,
    strength: f32,
    with_note: bool,
) {
    let style = ctx.style;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 0.6 * size;
        let (rect, _) = ui.allocate_exact_size(vec2(0.8 * size, size), Sense::hover());
        let color = arrows::color(part, rule, style).gamma_multiply(strength);
        if part.arrow.is_some() {
            let from = rect.left_center() - vec2(0.2 * size, 0.0);
            arrows::draw(ui.painter(), from, vec2(1.2 * size, 0.0), color, 0.75 * size, style);
        }
        let title = format!("{}  {}", index + 1, part.title);
        ui.label(RichText::new(title).size(size + 1.0).color(style.text.gamma_multiply(strength)));
        let equation = RichText::new(part.equation.as_ref()).font(FontId::monospace(size)).color(style.text_weak);
        ui.label(if strength < 1.0 { equation.color(style.text_weak.gamma_multiply(strength)) } else { equation });
    });
    let numbers = RichText::new(&part.numbers).font(FontId::monospace(size + 0.5));
    ui.add(Label::new(numbers.color(style.text.gamma_multiply(strength))).wrap());
    if with_note {
        ui.add(Label::new(controls::weak(&part.note, size, style)).wrap());
    }
}

/// The neighbourhood of the step with the arrows of the parts shown so far.
#[expect(clippy::too_many_arguments, reason = "what is drawn, where and how")]
fn draw_field(
    tile: &mut MicroscopeTile,
    rect: Rect,
    path: &Path<'_>,
    surface: &Chosen,
    trace: &Trace,
    ui: &mut Ui,
    ctx: &ViewCtx<'_>,
    size: f32,
) {
    let caption_height = if rect.height() > 12.0 * size { 2.2 * size } else { 0.0 };
    let plot = rect.with_max_y(rect.bottom() - caption_height);
    let k = trace.next.k as usize - 1;
    let theta = path.position(k);
    let bounds = neighbourhood(theta, trace);
    let outline = Axes::new(plot, bounds, [Scale::Linear; 2], size, 0.0).rect;
    if outline.width() < 4.0 * size || outline.height() < 4.0 * size {
        return;
    }
    let axes = Axes::new(plot, bounds.with_equal_units(outline.size()), [Scale::Linear; 2], size, 0.0);
    let pixels = axes.rect.size() * ui.pixels_per_point();
    tile.field.update(
        ui,
        Request {
            id: surface.identity(),
            f: super::field::f_of(surface),
            lowest: None,
            bounds: axes.bounds,
            size: [pixels.x as usize, pixels.y as usize],
            scale: ScaleChoice::Linear,
            map: ColorMap::field(ctx.style),
        },
    );
    let painter = ui.painter_at(rect);
    let inside = ui.painter_at(axes.rect);
    inside.rect_filled(axes.rect, 0.0, ctx.style.plot_background);
    tile.field.draw(&inside, &axes, ctx.style, true);
    neighbours(&inside, &axes, path, k, ctx, size);
    marks::critical_points(&inside, &axes, surface, ctx.style, size);

    let sub = if ctx.cursor.sub == 0 { trace.parts.len() } else { ctx.cursor.sub.min(trace.parts.len()) };
    let scale = slope_scale(&axes, trace, size);
    let mut names = arrows::Names::default();
    let memory = trace.parts[..sub].iter().rev().find(|part| arrows::is_square(part));
    let squared = memory.map(|part| square_scale(&axes, part, scale));
    if let Some((part, scale)) = memory.zip(squared) {
        squares(&inside, &axes, theta, part, scale, ctx, size);
    }
    for (index, part) in trace.parts[..sub].iter().enumerate() {
        let Some((from, to)) = part.arrow else { continue };
        // A step is the move itself: one of the two arrows is enough.
        if part.id == "step" && sub == trace.parts.len() {
            continue;
        }
        let by = [to[0] - from[0], to[1] - from[1]];
        let by = arrows::on_screen(&axes, by, if arrows::is_slope(part) { scale } else { 1.0 });
        let start = axes.at(from[0], from[1]);
        let old = ctx.cursor.sub > 0 && index + 1 < sub;
        let color = arrows::color(part, path.rule, ctx.style);
        let color = if old { color.gamma_multiply(0.75) } else { color };
        arrows::draw(&inside, start, by, color, size, ctx.style);
        names.place(&inside, start + by, by, arrows::label(part), marks::ink(ctx.style), size);
    }
    let here = ctx.style.category(path.rule.index()).color;
    super::field::dot(&inside, axes.at(theta[0], theta[1]), 0.4 * size, here, Color32::WHITE);
    axes.draw_labels(&painter, ctx.style, &Titles { x: "x", y: "y" });
    if caption_height == 0.0 {
        return;
    }
    let mut caption = caption(trace, scale);
    if let Some(squares) = squared.filter(|squares| *squares < scale) {
        caption = format!("{caption}; squares × {}", number::exact(squares));
    }
    let line = rect.with_min_y(rect.bottom() - 1.4 * size);
    one_line(&painter, &caption, line, FontId::proportional(size), ctx.style.text_weak);
}

/// The factor of the squares: that of slopes, or less where what is remembered dwarfs the slope and would not fit.
fn square_scale(axes: &Axes, part: &Part, slopes: f64) -> f64 {
    let longest = (0..2).map(|axis| f64::from(side(axes, part, axis, 1.0))).fold(0.0, f64::max);
    let room = f64::from(0.45 * axes.rect.width().min(axes.rect.height()));
    arrows::round_scale(longest, room).min(slopes)
}

/// Length on the screen of the side of an axis' square: the root of what is remembered.
fn side(axes: &Axes, part: &Part, axis: usize, scale: f64) -> f32 {
    let mut along = [0.0; 2];
    along[axis] = part.value[axis].max(0.0).sqrt();
    arrows::on_screen(axes, along, scale).length()
}

/// What is remembered of squared slopes, at θ: a square for each axis with that area.
fn squares(painter: &Painter, axes: &Axes, theta: [f64; 2], part: &Part, scale: f64, ctx: &ViewCtx<'_>, size: f32) {
    let at = axes.at(theta[0], theta[1]);
    let [x, y] = [0, 1].map(|axis| side(axes, part, axis, scale));
    // To the left, where few arrows go.
    let rects = [
        Rect::from_min_size(pos2(at.x - x, at.y + 0.6 * size), vec2(x, x)),
        Rect::from_min_size(pos2(at.x - 0.6 * size - y, at.y - y), vec2(y, y)),
    ];
    let ink = marks::ink(ctx.style);
    for (rect, name) in rects.into_iter().zip(["x", "y"]).filter(|(rect, _)| rect.width().is_finite()) {
        painter.rect(
            rect,
            0.0,
            ink.gamma_multiply(0.16),
            Stroke::new(0.1 * size, ink),
            eframe::egui::StrokeKind::Inside,
        );
        if rect.width() > 2.6 * size {
            let text = format!("{} {name}", part.symbol);
            painter.text(rect.center(), Align2::CENTER_CENTER, text, FontId::monospace(size), ink);
        }
    }
}

fn caption(trace: &Trace, scale: f64) -> String {
    if trace.parts.iter().any(|part| arrows::is_slope(part) && part.arrow.is_some()) {
        format!("moves to scale; slopes × {}", number::exact(scale))
    } else {
        "moves to scale".to_owned()
    }
}

/// The steps around this one: small dots, bold for the past.
fn neighbours(painter: &Painter, axes: &Axes, path: &Path<'_>, k: usize, ctx: &ViewCtx<'_>, size: f32) {
    let color = ctx.style.category(path.rule.index()).color;
    let shown = k.saturating_sub(24)..(k + 12).min(path.row_count());
    let at = |k: usize| {
        let [x, y] = path.position(k);
        axes.at(x, y)
    };
    for from in shown.clone().take(shown.len().saturating_sub(1)) {
        if !(path.is_finite(from) && path.is_finite(from + 1)) {
            continue;
        }
        let strength = if from < k { 0.9 } else { 0.35 };
        let color = color.gamma_multiply(strength);
        painter.line_segment([at(from), at(from + 1)], Stroke::new(0.13 * size, color));
        painter.circle_filled(at(from), 0.2 * size, color);
    }
}

/// Room for the moves, which are drawn to scale.
fn neighbourhood(theta: [f64; 2], trace: &Trace) -> Bounds {
    let reach = trace
        .parts
        .iter()
        .filter(|part| !arrows::is_slope(part))
        .filter_map(|part| part.arrow)
        .map(|(from, to)| {
            let far = |p: [f64; 2]| (p[0] - theta[0]).abs().max((p[1] - theta[1]).abs());
            far(from).max(far(to))
        })
        .filter(|reach| reach.is_finite())
        .fold(0.0, f64::max);
    let smallest = 1e-9 * (1.0 + theta[0].abs().max(theta[1].abs()));
    let radius = 1.3 * reach.max(smallest);
    Bounds::new([theta[0] - radius, theta[0] + radius], [theta[1] - radius, theta[1] + radius])
}

/// The factor that makes the longest slope arrow a good third of the picture.
fn slope_scale(axes: &Axes, trace: &Trace, size: f32) -> f64 {
    let longest = trace
        .parts
        .iter()
        .filter(|part| arrows::is_slope(part))
        .filter_map(|part| part.arrow)
        .map(|(from, to)| f64::from(arrows::on_screen(axes, [to[0] - from[0], to[1] - from[1]], 1.0).length()))
        .fold(0.0, f64::max);
    let room = f64::from(0.42 * axes.rect.width().min(axes.rect.height()) - size);
    arrows::round_scale(longest, room.max(8.0))
}
