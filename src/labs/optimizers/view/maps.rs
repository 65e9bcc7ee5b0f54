//! Maps: where every start ends, and which hyper-parameters arrive. A click takes over what lies there.

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Color32, ColorImage, CursorIcon, FontId, Painter, Rect, Response, Sense, Stroke, StrokeKind, TextureOptions, Ui,
    WidgetInfo, pos2, vec2,
};

use crate::engine::params::Value;
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::maps::{
    self, BasinRequest, Cell, End, Gpu, Map, Request, SweepAxis, SweepRequest, Task as Runs,
};
use crate::labs::optimizers::params::{
    ADADELTA_RHO, ADAM_BETA1, EPSILON, LEARNING_RATE, MOMENTUM, RMSPROP_BETA, START_X, START_Y,
};
use crate::labs::optimizers::rules::Rule;
use crate::plot::axes::{Axes, Bounds, Titles};
use crate::plot::background::Long;
use crate::plot::curve::label;
use crate::plot::live_texture::LiveTexture;
use crate::plot::number;
use crate::plot::scale::Scale;
use crate::plot::style::Style;
use crate::watch::Watch;

use super::paths::{self, Path};
use super::{OptimizersView, controls, field};

/// The tile.
pub static TILE: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "maps",
        title: "Maps",
        help: "Thousands of runs of the selected optimizer at once, without noise. Basins: the colour of a place is the minimum that a run \
               from there reaches and stays at, fainter the longer it takes; plain: none, grey: it left the window, red: it diverged. \
               Sweep: the same for pairs of hyper-parameters from the run's start. A click takes over the place.",
        area: "space",
        follows_cursor: false,
    },
    show: |view, ui, ctx| self::ui(view, ui, ctx),
    commands: &[
        TileCommand {
            id: "maps-kind",
            title: "Maps: basins or sweep",
            run: |view, _, _| view.maps.sweep = !view.maps.sweep,
        },
        TileCommand {
            id: "maps-cancel",
            title: "Maps: cancel the computation",
            run: |view, _, _| view.maps.map.cancel(),
        },
        TileCommand {
            id: "maps-again",
            title: "Maps: compute again after cancelling",
            run: |view, _, _| view.maps.map.again(),
        },
    ],
};

/// Cells of a side of a map of starts, and of hyper-parameters.
const BASIN: usize = 256;
const SWEEP: usize = 96;
/// The most updates of each run of a map.
const MOST_STEPS: u64 = 2_000;
/// As in the guide's list.
const TOLERANCE: f64 = crate::labs::optimizers::verdict::NEAR;
/// View state of the tile.
#[derive(Debug, Default)]
pub struct MapsTile {
    sweep: bool,
    map: Long<Request, Map>,
    /// The picture, and whether it is of a dark window.
    texture: LiveTexture,
    drawn: Option<bool>,
}

impl MapsTile {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.value("sweep", &mut self.sweep, false);
    }
}

/// The hyper-parameters of a sweep: along the columns and along the rows.
fn axes_of(rule: Rule) -> [SweepAxis; 2] {
    let rate = SweepAxis { key: LEARNING_RATE.key(), from: 1e-4, to: 1.0, log: true };
    let share = |key| SweepAxis { key, from: 0.0, to: 0.999, log: false };
    let epsilon = SweepAxis { key: EPSILON.key(), from: 1e-12, to: 1e-2, log: true };
    match rule {
        Rule::AdaDelta => [epsilon, share(ADADELTA_RHO.key())],
        Rule::RmsProp => [rate, share(RMSPROP_BETA.key())],
        Rule::Adam => [rate, share(ADAM_BETA1.key())],
        Rule::AdaGrad => [rate, epsilon],
        _ => [rate, share(MOMENTUM.key())],
    }
}

/// Names of the axes of a sweep.
fn axis_title(key: &str) -> &'static str {
    [
        (LEARNING_RATE.key(), "learning rate η (log)"),
        (MOMENTUM.key(), "momentum μ"),
        (RMSPROP_BETA.key(), "β"),
        (ADADELTA_RHO.key(), "ρ"),
        (ADAM_BETA1.key(), "β₁"),
        (EPSILON.key(), "ε (log)"),
    ]
    .into_iter()
    .find(|(known, _)| *known == key)
    .map_or("", |(_, title)| title)
}

/// What the shown run and the selected optimizer ask for.
fn request(view: &OptimizersView, ctx: &ViewCtx<'_>) -> Request {
    let surface = paths::surface(ctx);
    let window = surface.domain;
    let task = Runs {
        surface,
        rule: view.selected,
        hyper: paths::hyper_at(ctx, u64::MAX),
        steps: paths::steps(ctx.run).clamp(1, MOST_STEPS) as u32,
        tolerance: TOLERANCE,
    };
    if view.maps.sweep {
        let axes = axes_of(view.selected);
        // What the axes set is not part of the question.
        let start = SweepRequest { task, start: field::start(ctx), axes, size: [SWEEP; 2] };
        let hyper = start.hyper(0, 0).unwrap_or(start.task.hyper);
        Request::Sweep(SweepRequest { task: Runs { hyper, ..start.task }, ..start })
    } else {
        Request::Basin(BasinRequest { task, window, size: [BASIN; 2] })
    }
}

/// Draws the tile.
fn ui(view: &mut OptimizersView, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    if Path::all(ctx.run).is_empty() {
        return controls::nothing_yet(ui, ctx);
    }
    let size = controls::font_size(ctx);
    let wanted = request(view, ctx);
    let state = &mut view.maps;
    let compute = |request: &Request, watch: Watch<'_>| maps::compute(request, Gpu::automatic(), watch);
    if state.map.follow("map", ui.ctx(), &wanted, compute) {
        state.drawn = None;
    }
    let (bar, rest) = controls::split(ui, size);
    let slow = state.map.progress();
    let text = match (slow, state.map.stopped(&wanted), state.map.newest()) {
        (Some((done, all)), ..) if all > 0 => format!("computing: {} %", 100 * done / all),
        (Some(_), ..) => "computing …".to_owned(),
        (None, Some(why), _) => why.to_owned(),
        (None, None, Some((request, map))) => summary(map, request),
        (None, None, None) => String::new(),
    };
    let stopped = state.map.stopped(&wanted).is_some();
    let mut cancelled = false;
    controls::bar(ui, bar, controls::weak(text, size, ctx.style), |ui| {
        if slow.is_some() && controls::button(ui, true, "cancel", "Stop the computation", size) {
            cancelled = true;
        }
        if stopped && controls::button(ui, true, "compute", "Compute the map after all", size) {
            state.map.again();
        }
        let help = "Every pair of two hyper-parameters, from the run's start";
        if controls::toggle(ui, state.sweep, "sweep", help, size) {
            state.sweep = true;
        }
        if controls::toggle(ui, !state.sweep, "basins", "Every start in the window", size) {
            state.sweep = false;
        }
    });
    if cancelled {
        state.map.cancel();
    }
    draw(state, rest, ui, ctx, size);
}

/// How many runs ended how.
fn summary(map: &Map, request: &Request) -> String {
    let all = map.cells.len().max(1) as f64;
    let share =
        |holds: &dyn Fn(&Cell) -> bool| 100.0 * map.cells.iter().filter(|cell| holds(cell)).count() as f64 / all;
    let arrived = share(&|cell| matches!(cell.end, End::Minimum(_)));
    let diverged = share(&|cell| cell.end == End::Diverged);
    let what = match request {
        Request::Basin(_) => "starts",
        Request::Sweep(_) => "pairs",
    };
    let left = share(&|cell| cell.end == End::Outside);
    let left = if left > 0.0 { format!(", {left:.0} % leave the window") } else { String::new() };
    let on = if map.on_gpu { " · GPU" } else { "" };
    let Runs { rule, hyper, .. } = request.task();
    let factor = hyper.own_rates.factor(rule.index());
    let own = if factor == 1.0 { String::new() } else { format!(" at {} η", number::exact(factor)) };
    let title = format!("{}{own}", rule.title());
    format!("{title}: {arrived:.0} % of the {what} arrive{left}, {diverged:.0} % diverge{on}")
}

/// The colour of a cell: its minimum's, fainter with the time it takes.
fn color(cell: &Cell, steps: u32, style: &Style) -> Color32 {
    match cell.end {
        End::Minimum(index) => {
            // Grey is for those that do not arrive.
            let base = style.category(1 + usize::from(index) % 7).color;
            let share = f64::from(cell.steps.max(1)).ln() / f64::from(steps.max(2)).ln();
            base.lerp_to_gamma(style.plot_background, 0.75 * share.clamp(0.0, 1.0) as f32)
        }
        End::Inside => style.plot_background,
        End::Outside => style.plot_background.lerp_to_gamma(style.text_weak, 0.5),
        End::Diverged => style.plot_background.lerp_to_gamma(style.error, 0.45),
    }
}

/// The window of a map in its own units; a logarithmic axis in powers of ten.
fn bounds(request: &Request) -> (Bounds, [bool; 2], [&'static str; 2]) {
    match request {
        Request::Basin(request) => (Bounds::new(request.window[0], request.window[1]), [false; 2], ["x", "y"]),
        Request::Sweep(request) => {
            let ends = |axis: &SweepAxis| {
                if axis.log { [axis.from.log10(), axis.to.log10()] } else { [axis.from, axis.to] }
            };
            let [x, y] = &request.axes;
            (Bounds::new(ends(x), ends(y)), [x.log, y.log], [axis_title(x.key), axis_title(y.key)])
        }
    }
}

fn draw(state: &mut MapsTile, outer: Rect, ui: &mut Ui, ctx: &mut ViewCtx<'_>, size: f32) {
    let style = ctx.style;
    let Some((request, map)) = state.map.newest() else { return };
    if outer.width() < 6.0 * size || outer.height() < 6.0 * size {
        return;
    }
    if state.drawn != Some(style.dark) {
        let steps = request.task().steps;
        let [columns, rows] = map.size;
        let pixels = (0..rows).rev().flat_map(|row| &map.cells[row * columns..(row + 1) * columns]);
        let pixels = pixels.map(|cell| color(cell, steps, style)).collect();
        let image = ColorImage::new([columns, rows], pixels);
        state.texture.set(ui.ctx(), "map of runs", image, TextureOptions::NEAREST);
        state.drawn = Some(style.dark);
    }
    let (bounds, logs, [x_title, y_title]) = bounds(request);
    let scale = |log: bool| if log { Scale::Log { base: 0.0 } } else { Scale::Linear };
    let foot = if outer.height() > 16.0 * size { 1.6 * size } else { 0.0 };
    let axes = Axes::new(outer.with_max_y(outer.bottom() - foot), bounds, logs.map(scale), size, 0.6 * size);
    let painter = ui.painter_at(outer.expand(2.0));
    let Some(texture) = state.texture.id() else { return };
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    painter.image(texture, axes.rect, whole, Color32::WHITE);
    axes.draw_labels(&painter, style, &Titles { x: x_title, y: y_title });
    if foot > 0.0 {
        legend(&painter, outer.with_min_y(outer.bottom() - foot), map, style, size);
    }
    let inside = ui.painter_at(axes.rect);
    let value = |at: f64, log: bool| if log { at.log10() } else { at };
    let here = match request {
        Request::Basin(_) => {
            for (index, [x, y]) in map.minima.iter().enumerate().filter(|(_, p)| inside_of(request, **p)) {
                let ring = Stroke::new(2.0, style.text);
                inside.circle(axes.at(*x, *y), 0.4 * size, style.category(1 + index % 7).color, ring);
            }
            field::start(ctx)
        }
        Request::Sweep(request) => {
            let now = |axis: &SweepAxis| value(ctx.params.float(axis.key), axis.log);
            [now(&request.axes[0]), now(&request.axes[1])]
        }
    };
    let cross = axes.at(here[0], here[1]);
    inside.circle(cross, 0.55 * size, style.accent, Stroke::new(2.0, Color32::WHITE));
    let response = ui.interact(axes.rect, ui.scope_id().with("map of runs"), Sense::click());
    let spoken = match request {
        Request::Basin(_) => "map of starts",
        Request::Sweep(_) => "map of hyper-parameters",
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, spoken));
    if let Some(pos) = response.hover_pos().filter(|pos| axes.rect.contains(*pos)) {
        let at = axes.from_screen(pos);
        let text = told(request, map, at, logs);
        label(&inside, axes.rect, pos, &text, size, style);
    }
    let clicked = response.interact_pointer_pos().filter(|_| response.clicked()).map(|pos| axes.from_screen(pos));
    if let Some(at) = clicked {
        take_over(request, at, logs, ctx);
    }
    crosshair(response);
}

/// What the colours are, as far as there are cells of them.
fn legend(painter: &Painter, rect: Rect, map: &Map, style: &Style, size: f32) {
    let there = |end: End| map.cells.iter().any(|cell| cell.end == end);
    let arrives = map.cells.iter().any(|cell| matches!(cell.end, End::Minimum(_)));
    let entries = [
        (End::Minimum(0), "a minimum, faint: late", arrives),
        (End::Inside, "none reached", there(End::Inside)),
        (End::Outside, "left the window", there(End::Outside)),
        (End::Diverged, "diverged", there(End::Diverged)),
    ];
    let font = FontId::proportional(size);
    let mut left = rect.left();
    for (end, text, _) in entries.into_iter().filter(|(.., there)| *there) {
        let galley = painter.layout_no_wrap(text.to_owned(), font.clone(), style.text_weak);
        if left + galley.size().x + 1.4 * size > rect.right() {
            return;
        }
        let swatch = Rect::from_center_size(pos2(left + 0.5 * size, rect.center().y), vec2(size, 0.8 * size));
        painter.rect(swatch, 1.0, color(&Cell { end, steps: 1 }, 100, style), (1.0, style.rule), StrokeKind::Inside);
        let at = pos2(left + 1.4 * size, rect.center().y - 0.5 * galley.size().y);
        left = at.x + galley.size().x + 1.2 * size;
        painter.galley(at, galley, style.text_weak);
    }
}

fn crosshair(response: Response) {
    let _ = response.on_hover_cursor(CursorIcon::Crosshair);
}

fn inside_of(request: &Request, [x, y]: [f64; 2]) -> bool {
    let (Bounds { x: across, y: up }, ..) = bounds(request);
    (across[0]..=across[1]).contains(&x) && (up[0]..=up[1]).contains(&y)
}

/// The cell at a place, in words.
fn told(request: &Request, map: &Map, at: [f64; 2], logs: [bool; 2]) -> String {
    let (Bounds { x, y }, _, [x_title, y_title]) = bounds(request);
    let [columns, rows] = map.size;
    let index = |v: f64, [low, high]: [f64; 2], count: usize| {
        (((v - low) / (high - low) * count as f64).max(0.0) as usize).min(count.saturating_sub(1))
    };
    let Some(cell) = map.cells.get(index(at[1], y, rows) * columns + index(at[0], x, columns)) else {
        return String::new();
    };
    let value = |at: f64, log: bool| number::short(if log { 10f64.powf(at) } else { at });
    let name = |title: &str| title.trim_end_matches(" (log)").rsplit(' ').next().unwrap_or_default().to_owned();
    let end = match cell.end {
        End::Minimum(index) => {
            let [x, y] = map.minima.get(usize::from(index)).copied().unwrap_or([f64::NAN; 2]);
            let steps = number::counted(u64::from(cell.steps), "step", "steps");
            format!("({}, {}) after {steps}", number::short(x), number::short(y))
        }
        End::Inside => "no minimum reached".to_owned(),
        End::Outside => "out of the window".to_owned(),
        End::Diverged => format!("diverged at step {}", number::grouped(u64::from(cell.steps))),
    };
    format!("{} {} {} {}: {end}", name(x_title), value(at[0], logs[0]), name(y_title), value(at[1], logs[1]))
}

/// Asks for the run of a place: its start, or its hyper-parameters.
fn take_over(request: &Request, at: [f64; 2], logs: [bool; 2], ctx: &mut ViewCtx<'_>) {
    let keys = match request {
        Request::Basin(_) => [START_X.key(), START_Y.key()],
        Request::Sweep(request) => request.axes.map(|axis| axis.key),
    };
    for ((key, at), log) in keys.into_iter().zip(at).zip(logs) {
        let value = if log { 10f64.powf(at) } else { at };
        // No more digits than a pixel has.
        let value = number::rounded(value, 3);
        ctx.set(key, Value::Float(value), true);
    }
}
