//! The courses of η and μ along the run, drawn as curves whose handles can be dragged.

use eframe::egui::accesskit::Role;
use eframe::egui::{CursorIcon, Key, Rect, Sense, Stroke, Ui, WidgetInfo, vec2};

use crate::engine::params::{Params, Value};
use crate::kit::tiles::{Tile, TileSpec};
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::params::{
    LEARNING_RATE, MOMENTUM, MOMENTUM_RISES, MOMENTUM_START, SCHEDULE, SCHEDULE_END, SCHEDULE_EVERY, SCHEDULE_FACTOR,
    SCHEDULE_WARMUP, STEPS,
};
use crate::labs::optimizers::rules::{Course, Hyper};
use crate::plot::axes::{Axes, Bounds, Titles};
use crate::plot::number;
use crate::plot::scale::Scale;
use crate::plot::stroke::{LineMesh, Pen, Stop};
use crate::plot::style::Dash;
use crate::plot::tile::panel_heading;

use super::{OptimizersView, controls};

/// The tile.
pub static TILE: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "schedules",
        title: "Schedules",
        help: "How η and μ go along the run: choose a course, and drag its handles (or move one that has the focus with the \
               arrow keys). The run follows.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| self::ui(&mut view.schedule, ui, ctx),
    commands: &[],
};

/// View state of the tile.
#[derive(Debug, Default)]
pub struct ScheduleTile {
    /// While a handle is dragged: which, and the top of the axis of η, which stays as it is.
    held: Option<(&'static str, f64)>,
}

/// Something that can be dragged: where it is, and what it sets along x and along y.
struct Handle {
    name: &'static str,
    at: [f64; 2],
    x: Option<&'static str>,
    /// The parameter, and how it follows from the place on the axis.
    y: Option<(&'static str, f64)>,
}

/// The courses with their ids and names in the bar.
const COURSES: [(&str, &str, &str); 5] = [
    ("warmup", "warm-up", "Up in a straight line, then half a cosine"),
    ("cosine", "cosine", "Half a cosine, down to the end value"),
    ("exponential", "exp", "By the same factor at every update, to the end value"),
    ("step", "steps", "Times a factor every so many updates"),
    ("constant", "constant", "η stays as it is"),
];

/// Draws the tile.
fn ui(tile: &mut ScheduleTile, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let size = controls::font_size(ctx);
    let (bar, rest) = controls::split(ui, size);
    let now = SCHEDULE.get(ctx.params);
    let Some(now) = now else { return controls::nothing_yet(ui, ctx) };
    let rises = MOMENTUM_RISES.of(ctx.params);
    controls::bar(ui, bar, controls::weak("", size, ctx.style), |ui| {
        let help = "μ goes in a straight line from a first value to μ at the last update";
        if controls::toggle(ui, rises, "anneal μ", help, size) {
            let value = if rises { "constant" } else { "linear" };
            ctx.set(MOMENTUM_RISES.key(), Value::Text(value.to_owned()), true);
        }
        for (id, name, help) in COURSES {
            if controls::toggle(ui, course_id(now) == id, name, help, size) {
                ctx.set(SCHEDULE.key(), Value::Text(id.to_owned()), true);
            }
        }
    });
    let hyper = Hyper::of(ctx.params);
    let steps = STEPS.of(ctx.params).max(2) as f64;
    let top = tile.held.map_or(1.15 * hyper.learning_rate, |(_, top)| top);
    let beside = rest.width() > 34.0 * size;
    let halves = if beside {
        let cut = rest.center().x;
        [rest.with_max_x(cut - 0.5 * size), rest.with_min_x(cut + 0.5 * size)]
    } else {
        let cut = rest.center().y;
        [rest.with_max_y(cut - 0.2 * size), rest.with_min_y(cut + 0.2 * size)]
    };
    let schedule = hyper.choices.schedule;
    let rate = |step: f64| hyper.learning_rate * schedule.rate(step as u64);
    let handles = rate_handles(ctx.params, now, steps);
    plot(tile, "η", halves[0], [steps, top], &rate, &handles, ui, ctx, size);
    let momentum = |step: f64| schedule.momentum(hyper.momentum, step as u64);
    let handles = momentum_handles(ctx.params, rises, steps);
    plot(tile, "μ", halves[1], [steps, 1.0], &momentum, &handles, ui, ctx, size);
}

fn course_id(course: Course) -> &'static str {
    match course {
        Course::Constant => "constant",
        Course::Step => "step",
        Course::Exponential => "exponential",
        Course::Cosine => "cosine",
        Course::WarmupCosine => "warmup",
    }
}

/// What can be dragged of this course of η.
fn rate_handles(params: &Params, course: Course, steps: f64) -> Vec<Handle> {
    let eta = LEARNING_RATE.of(params);
    let whole = |name, x| Handle { name, at: [x, eta], x: None, y: Some((LEARNING_RATE.key(), 1.0)) };
    let end = Handle {
        name: "η at the end",
        at: [steps - 1.0, eta * SCHEDULE_END.of(params)],
        x: None,
        y: Some((SCHEDULE_END.key(), eta)),
    };
    match course {
        Course::Constant => vec![whole("η", (steps / 2.0).floor())],
        Course::Exponential | Course::Cosine => vec![whole("η at first", 0.0), end],
        Course::WarmupCosine => {
            let warmup = (SCHEDULE_WARMUP.of(params) as f64).min(steps - 1.0);
            vec![Handle { x: Some(SCHEDULE_WARMUP.key()), ..whole("end of the warm-up", warmup) }, end]
        }
        Course::Step => {
            let every = SCHEDULE_EVERY.of(params) as f64;
            let first = Handle {
                name: "first step of η",
                at: [every.min(steps - 1.0), eta * SCHEDULE_FACTOR.of(params)],
                x: Some(SCHEDULE_EVERY.key()),
                y: Some((SCHEDULE_FACTOR.key(), eta)),
            };
            vec![whole("η at first", 0.0), first]
        }
    }
}

/// The same of μ.
fn momentum_handles(params: &Params, rises: bool, steps: f64) -> Vec<Handle> {
    let mu = MOMENTUM.of(params);
    let one = |name, x, at, key| Handle { name, at: [x, at], x: None, y: Some((key, 1.0)) };
    if !rises {
        return vec![one("μ", (steps / 2.0).floor(), mu, MOMENTUM.key())];
    }
    vec![
        one("μ at first", 0.0, MOMENTUM_START.of(params), MOMENTUM_START.key()),
        one("μ at the end", steps - 1.0, mu, MOMENTUM.key()),
    ]
}

/// One course with its handles; `ends`: the ends of both axes.
#[expect(clippy::too_many_arguments, reason = "what is drawn, where and how")]
fn plot(
    tile: &mut ScheduleTile,
    name: &'static str,
    place: Rect,
    ends: [f64; 2],
    value: &dyn Fn(f64) -> f64,
    handles: &[Handle],
    ui: &mut Ui,
    ctx: &mut ViewCtx<'_>,
    size: f32,
) {
    if place.width() < 8.0 * size || place.height() < 4.0 * size {
        return;
    }
    let place = panel_heading(ui.painter(), place, &format!("course of {name}"), size, ctx.style);
    let margin = 0.02 * ends[0];
    let axes = Axes::new(
        place,
        Bounds::new([-margin, ends[0] + margin], [0.0, ends[1]]),
        [Scale::Linear; 2],
        size,
        0.6 * size,
    );
    let (painter, inside) = (ui.painter_at(place), ui.painter_at(axes.rect.expand(0.6 * size)));
    inside.rect_filled(axes.rect, 2.0, ctx.style.plot_background);
    axes.draw_grid(&ui.painter_at(axes.rect), ctx.style, ctx.style.rule);
    let columns = axes.rect.width().max(2.0) as usize;
    let stops: Vec<Stop> = (0..=columns)
        .map(|i| ((ends[0] - 1.0) * i as f64 / columns as f64).floor())
        .map(|step| (axes.at(step, value(step)), step as u64))
        .collect();
    let pen = Pen {
        width: 2.0 * size / 11.0,
        color: ctx.style.accent,
        dash: Dash::Solid,
        feather: 1.0 / inside.pixels_per_point(),
    };
    LineMesh::new([stops.as_slice()], pen).draw(&ui.painter_at(axes.rect));
    let cursor = axes.at(ctx.cursor.step as f64, 0.0).x;
    if axes.rect.x_range().contains(cursor) {
        inside.vline(cursor, axes.rect.y_range(), (1.0, ctx.style.text_weak));
    }
    axes.draw_labels(&painter, ctx.style, &Titles { x: "update", y: name });
    for handle in handles {
        drag(tile, handle, &axes, ends, ui, ctx, size);
    }
}

/// Draws a handle and takes what is done with it.
fn drag(
    tile: &mut ScheduleTile,
    handle: &Handle,
    axes: &Axes,
    ends: [f64; 2],
    ui: &mut Ui,
    ctx: &mut ViewCtx<'_>,
    size: f32,
) {
    let at = axes.at(handle.at[0], handle.at[1]).clamp(axes.rect.min, axes.rect.max);
    let response =
        ui.interact(Rect::from_center_size(at, vec2(1.8, 1.8) * size), ui.scope_id().with(handle.name), Sense::drag());
    let spoken = format!("{}: {} at update {}", handle.name, number::short(handle.at[1]), handle.at[0]);
    response.widget_info(|| WidgetInfo::labeled(Role::Slider, true, &spoken));
    if response.drag_started() {
        tile.held = Some((handle.name, ends[1]));
        response.request_focus();
    }
    let mut wanted = None;
    if let Some(pos) = response.interact_pointer_pos().filter(|_| response.dragged() || response.drag_stopped()) {
        wanted = Some((axes.from_screen(pos), response.drag_stopped()));
    } else if response.has_focus() {
        let pressed = |key| f64::from(u8::from(ui.input(|input| input.key_pressed(key))));
        let by = [pressed(Key::ArrowRight) - pressed(Key::ArrowLeft), pressed(Key::ArrowUp) - pressed(Key::ArrowDown)];
        if by != [0.0; 2] {
            wanted = Some(([handle.at[0] + by[0], handle.at[1] + by[1] * ends[1] / 100.0], true));
        }
    }
    if let Some(([x, y], settled)) = wanted {
        if let Some(key) = handle.x {
            ask(ctx, key, x.clamp(1.0, ends[0]).round(), settled);
        }
        if let Some((key, unit)) = handle.y.filter(|(_, unit)| *unit > 0.0) {
            ask(ctx, key, number::rounded(y.clamp(0.0, ends[1]) / unit, 3), settled);
        }
    }
    if response.drag_stopped() || tile.held.is_some_and(|(name, _)| name == handle.name) && !response.dragged() {
        tile.held = None;
    }
    let radius = if response.hovered() || response.dragged() || response.has_focus() { 0.6 } else { 0.48 } * size;
    ui.painter().circle(at, radius, ctx.style.accent, Stroke::new(1.5, ctx.style.text));
    let _ = response.on_hover_cursor(CursorIcon::Grab).on_hover_text(spoken);
}

/// Sets a parameter to what is nearest within its range.
fn ask(ctx: &mut ViewCtx<'_>, key: &str, value: f64, settled: bool) {
    let Some(spec) = super::super::params::PARAMS.iter().find(|spec| spec.key == key) else { return };
    if let Some(value) = spec.nearest(value) {
        ctx.set(key, value, settled);
    }
}
