//! The tile that shows the surface from above with every optimizer's path.

use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Color32, CursorIcon, PointerButton, Pos2, Rect, Response, Sense, Stroke, Ui, Vec2, WidgetInfo, vec2,
};

use crate::engine::params::Value;
use crate::kit::fields::Fields;
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::rules::Rule;
use crate::labs::optimizers::surfaces::{self, Chosen, Surface};
use crate::plot::axes::{Axes, Bounds, Titles, is_panning, navigate};
use crate::plot::colormap::ColorMap;
use crate::plot::field::{FieldFn, FieldState, Request, ScaleChoice};
use crate::plot::scale::Scale;
use crate::plot::{color_bar, legend, number};

use super::OptimizersView;
use super::arrows;
use super::controls;
use super::marks;
use super::paths::{self, Path, Verdicts};
use super::trails::{self, Trails};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::labs::optimizers::params::{START_X, START_Y};

/// The tile.
pub static TILE: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "field",
        title: "f(x, y) from above",
        help: "Contours of the function and every optimizer's path: bold up to the timeline's step, faint beyond. \
               Click or drag to move the start. Scroll to zoom, drag with the right button (or with Shift) to pan.",
        area: "plane",
        follows_cursor: true,
    },
    show: |view, ui, ctx| self::ui(&mut view.field, &mut view.verdicts, &mut view.selected, ui, ctx),
    commands: &[
        TileCommand {
            id: "field-log",
            title: "Field: logarithmic colours on or off",
            run: |view, ctx, _| view.field.toggle_log(&paths::surface(ctx)),
        },
        TileCommand {
            id: "field-arrows",
            title: "Field: gradient arrows on or off",
            run: |view, _, _| view.field.arrows = !view.field.arrows,
        },
        TileCommand {
            id: "field-equal",
            title: "Field: equal units on or off",
            run: |view, _, _| view.field.equal_units = !view.field.equal_units,
        },
        TileCommand { id: "field-fit", title: "Field: show the whole surface", run: |view, _, _| view.field.fit() },
    ],
};

/// View state of the tile.
#[derive(Debug, Default)]
pub struct FieldTile {
    field: FieldState,
    trails: Trails,
    slopes: marks::Slopes,
    /// What is shown instead of the whole window of the surface.
    view: Option<Bounds>,
    /// The surface that was drawn last; another one is shown whole.
    surface: Option<u64>,
    /// Logarithmic colours on or off, where the user chose, and for which surface.
    log: Option<(&'static str, bool)>,
    /// Gradient arrows.
    pub arrows: bool,
    /// A unit is as long in x as in y.
    pub equal_units: bool,
    /// The window while the start is dragged, so that it does not move under the pointer.
    held: Option<Bounds>,
    /// What the last drag asked for.
    asked: Option<[f64; 2]>,
    /// The place under the pointer, (x, y), for other views to show.
    pub pointed_at: Option<[f64; 2]>,
}

impl FieldTile {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.zoom("zoom", &mut self.view);
        fields.value("arrows", &mut self.arrows, false);
        fields.value("equal", &mut self.equal_units, false);
        let write = |log: &Option<(&str, bool)>| log.map(|(id, on)| format!("{id} {on}")).unwrap_or_default();
        let read = |text: &str| {
            let (id, on) = text.split_once(' ')?;
            Some(Some((surfaces::by_id(id)?.id, on.parse().ok()?)))
        };
        fields.text("log", &mut self.log, None, write, read);
        // The zoom is of the surface that is drawn next.
        if fields.are_put() {
            self.surface = None;
        }
    }

    /// Shows the whole surface again.
    pub fn fit(&mut self) {
        self.view = None;
    }

    /// Turns logarithmic colours on or off.
    pub fn toggle_log(&mut self, surface: &Surface) {
        self.log = Some((surface.id, !self.is_log(surface)));
    }

    fn is_log(&self, surface: &Surface) -> bool {
        self.log.filter(|(id, _)| *id == surface.id).map_or(surface.log_color_by_default, |(_, on)| on)
    }
}

/// Draws the tile.
pub fn ui(tile: &mut FieldTile, verdicts: &mut Verdicts, selected: &mut Rule, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let surface = paths::surface(ctx);
    if tile.surface.replace(surface.identity()).is_some_and(|before| before != surface.identity()) {
        tile.fit();
    }
    let all = Path::all(ctx.run);
    let size = controls::font_size(ctx);
    let (bar, rest) = controls::split(ui, size);
    let entries = controls::legend_entries(&all, *selected, ctx.style);
    let mut legend_height = legend::height(ui, &entries, rest.width(), size);
    if legend_height > 0.25 * rest.height() {
        legend_height = 0.0;
    }
    let plot = Rect::from_min_max(rest.min, rest.max - vec2(0.0, legend_height));
    let bar_width = if plot.width() > 26.0 * size { color_bar::width(size) } else { 0.0 };
    let axes = lay_out(tile, &surface, ctx, plot, bar_width, size);
    let response = ui.interact(axes.rect, ui.scope_id().with("field"), Sense::click_and_drag());
    let start = start(ctx);
    response.widget_info(|| {
        let at = format!("start ({}, {})", number::exact(start[0]), number::exact(start[1]));
        WidgetInfo::labeled(Role::Image, true, format!("{} from above, {at}", surface.formula()))
    });
    if let Some(bounds) = navigate(ui, &response, &axes, [true, true]) {
        tile.view = Some(bounds);
    }
    move_start(tile, &axes, &response, ui, ctx);

    let log = tile.is_log(&surface);
    let pixels = axes.rect.size() * ui.pixels_per_point();
    let request = Request {
        id: surface.identity(),
        f: f_of(&surface),
        lowest: super::curves::lowest(&surface),
        bounds: axes.bounds,
        size: [pixels.x.round().max(1.0) as usize, pixels.y.round().max(1.0) as usize],
        scale: if log { ScaleChoice::Log } else { ScaleChoice::Linear },
        map: ColorMap::field(ctx.style),
    };
    tile.field.update(ui, request);

    let near_start = response.hover_pos().is_some_and(|pos| pos.distance(axes.at(start[0], start[1])) < 1.5 * size);
    let painter = ui.painter_at(plot.expand(2.0));
    let inside = ui.painter_at(axes.rect);
    inside.rect_filled(axes.rect, 0.0, ctx.style.plot_background);
    tile.field.draw(&inside, &axes, ctx.style, true);
    if tile.arrows {
        tile.slopes.draw(&inside, &axes, &surface, ctx.style, size);
    }
    marks::critical_points(&inside, &axes, &surface, ctx.style, size);
    tile.trails.draw(&inside, &axes, &all, *selected, ctx, size);
    for path in &all {
        if let Some(verdict) = verdicts.of(path, &surface) {
            marks::verdict(&inside, trails::place(&axes, path, ctx, size), &verdict, ctx, size);
        }
    }
    if let Some(path) = all.iter().find(|path| path.rule == *selected) {
        arrows::on_field(&inside, &axes, path, &surface, ctx, size);
    }
    marks::start(
        &inside,
        &axes,
        start,
        ctx.style,
        size,
        all.is_empty() || ctx.cursor.step == 0 || tile.held.is_some() || near_start,
    );
    inside.rect_stroke(axes.rect, 0.0, (1.0, ctx.style.rule), eframe::egui::StrokeKind::Inside);
    axes.draw_labels(&painter, ctx.style, &Titles { x: "x", y: "y" });
    if let (true, Some(picture)) = (bar_width > 0.0, tile.field.picture()) {
        let title = match picture.colors.scale {
            Scale::Log { base } if base != 0.0 => "f − f*",
            _ => "f",
        };
        color_bar::draw(&painter, &axes, picture, ctx.style, size, title);
    }
    let hovered = response.hover_pos().filter(|pos| axes.rect.contains(*pos) && !is_panning(ui, &response));
    tile.pointed_at = hovered.map(|pos| axes.from_screen(pos));
    if let Some(pos) = hovered.filter(|_| !response.dragged()) {
        tile.trails.hover(&inside, &axes, &all, pos, ctx, size);
    }
    draw_bar(tile, &surface, &axes, hovered, bar, ui, ctx, size);
    if legend_height > 0.0 {
        let rect = Rect::from_min_max(rest.min + vec2(0.0, plot.height()), rest.max);
        if let Some(index) = legend::show(ui, rect, &entries, ctx.style, size) {
            *selected = all[index].rule;
        }
    }
    response.on_hover_cursor(CursorIcon::Crosshair);
}

/// The surface as the field's picture needs it: it is computed apart from the frame.
pub fn f_of(surface: &Chosen) -> FieldFn {
    let surface = surface.clone();
    Arc::new(move |x, y| surface.f([x, y]))
}

/// The bar above: what one sees, or what lies under the mouse; the switches.
#[expect(clippy::too_many_arguments, reason = "what is drawn, where and how")]
fn draw_bar(
    tile: &mut FieldTile,
    surface: &Surface,
    axes: &Axes,
    hovered: Option<Pos2>,
    bar: Rect,
    ui: &mut Ui,
    ctx: &ViewCtx<'_>,
    size: f32,
) {
    let text = match hovered {
        Some(pos) => {
            let p = axes.from_screen(pos);
            let g = surface.gradient(p);
            let numbers = [p[0], p[1], surface.f(p), g[0].hypot(g[1])].map(number::short);
            let [x, y, f, slope] = numbers;
            let texts = [
                format!("x {x:<8}  y {y:<8}  f {f:<8}  ‖∇f‖ {slope}"),
                format!("x {x:<8}  y {y:<8}  f {f}"),
                format!("x {x}  y {y}"),
            ];
            controls::weak_mono(fitting(texts, bar.width() - SWITCHES * size, size), size, ctx.style)
        }
        None => {
            let steps = if ctx.run.tables.is_empty() {
                String::new()
            } else {
                format!("  ·  paths to step {}", number::grouped(ctx.cursor.step))
            };
            controls::weak(format!("{}{steps}", surface.formula()), size, ctx.style)
        }
    };
    controls::bar(ui, bar, text, |ui| {
        if controls::button(ui, tile.view.is_some(), "fit", "Show the whole surface again", size) {
            tile.fit();
        }
        if controls::toggle(ui, tile.equal_units, "1:1", "A unit is as long in x as in y", size) {
            tile.equal_units = !tile.equal_units;
        }
        if controls::toggle(ui, tile.arrows, "arrows", "Arrows along −∇f: the way down", size) {
            tile.arrows = !tile.arrows;
        }
        if controls::toggle(ui, tile.is_log(surface), "log", "Logarithmic colours", size) {
            tile.toggle_log(surface);
        }
    });
}

/// Width of the switches in the bar, in units of the size of type.
const SWITCHES: f32 = 17.0;

/// The first text for which there is room: a number is whole or not there.
fn fitting<const N: usize>(texts: [String; N], room: f32, size: f32) -> String {
    let mut left = texts.into_iter();
    let mut text = left.next().unwrap_or_default();
    // Digits of one width.
    while text.chars().count() as f32 * 0.62 * size > room
        && let Some(shorter) = left.next()
    {
        text = shorter;
    }
    text
}

fn lay_out(tile: &mut FieldTile, surface: &Surface, ctx: &ViewCtx<'_>, plot: Rect, right: f32, size: f32) -> Axes {
    let scales = [Scale::Linear; 2];
    let whole = tile.held.unwrap_or_else(|| window(surface, start(ctx)));
    let mut bounds = tile.view.unwrap_or(whole);
    if tile.equal_units {
        let rect = Axes::new(plot, bounds, scales, size, right).rect;
        bounds = bounds.with_equal_units(rect.size());
    }
    Axes::new(plot, bounds, scales, size, right)
}

/// The surface's window, grown so far that it holds the start.
fn window(surface: &Surface, start: [f64; 2]) -> Bounds {
    let hold = |[low, high]: [f64; 2], start: f64| {
        let margin = 0.06 * (high - low);
        if (low..=high).contains(&start) { [low, high] } else { [low.min(start - margin), high.max(start + margin)] }
    };
    Bounds::new(hold(surface.domain[0], start[0]), hold(surface.domain[1], start[1]))
}

/// The start as the form has it.
pub fn start(ctx: &ViewCtx<'_>) -> [f64; 2] {
    let read = |key: &str| match ctx.params.get(key) {
        Some(Value::Float(v)) => *v,
        _ => 0.0,
    };
    [read("start_x"), read("start_y")]
}

/// A click or a drag with the main button puts the start there; the paths are computed again while the mouse moves.
fn move_start(tile: &mut FieldTile, axes: &Axes, response: &Response, ui: &Ui, ctx: &mut ViewCtx<'_>) {
    let dragging = response.dragged_by(PointerButton::Primary) && !is_panning(ui, response);
    let done = response.drag_stopped_by(PointerButton::Primary) && tile.held.is_some();
    if dragging && tile.held.is_none() {
        tile.held = Some(axes.bounds);
    }
    let place = response.interact_pointer_pos().filter(|_| dragging || done || response.clicked());
    if let Some(pos) = place {
        let pos = pos.clamp(axes.rect.min, axes.rect.max);
        let [x, y] = axes.from_screen(pos);
        let unit = axes.unit();
        let wanted = [round_to(x, unit[0]), round_to(y, unit[1])].map(|v| v.clamp(-100.0, 100.0));
        let settled = !dragging;
        if settled || tile.asked != Some(wanted) {
            ctx.set(START_X.key(), Value::Float(wanted[0]), settled);
            ctx.set(START_Y.key(), Value::Float(wanted[1]), settled);
            tile.asked = Some(wanted);
        }
    }
    if !dragging {
        tile.held = None;
        if done || response.clicked() {
            tile.asked = None;
        }
    }
}

/// Rounded to the power of ten just below the size of a point, so that the number is as short as the mouse is exact.
fn round_to(value: f64, unit: f64) -> f64 {
    let digits = -unit.log10().floor();
    if !(0.0..=15.0).contains(&digits) {
        return value.round();
    }
    let scale = 10f64.powi(digits as i32);
    let rounded = (value * scale).round() / scale;
    if rounded == 0.0 { 0.0 } else { rounded }
}

/// A dot with a rim that keeps it visible on every ground.
pub fn dot(painter: &eframe::egui::Painter, at: Pos2, radius: f32, color: Color32, rim: Color32) {
    painter.circle(at, radius, color, Stroke::new(0.3 * radius, rim));
}

/// Where the ray from inside `rect` to `to` leaves it.
pub fn edge_point(rect: Rect, to: [f64; 2]) -> Option<(Pos2, Vec2)> {
    let centre = rect.center();
    let direction = [to[0] - f64::from(centre.x), to[1] - f64::from(centre.y)];
    let length = direction[0].hypot(direction[1]);
    if !length.is_finite() || length == 0.0 {
        return None;
    }
    let unit = vec2((direction[0] / length) as f32, (direction[1] / length) as f32);
    let reach = |half: f32, along: f32| if along == 0.0 { f32::INFINITY } else { half / along.abs() };
    let distance = reach(rect.width() / 2.0, unit.x).min(reach(rect.height() / 2.0, unit.y));
    Some((centre + distance * unit, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dragged_start_has_no_more_digits_than_the_mouse_resolves() {
        assert_eq!(round_to(0.123_456, 0.004), 0.123);
        assert_eq!(round_to(-0.000_4, 0.004), 0.0);
        assert_eq!(round_to(123.456, 20.0), 123.0);
    }

    #[test]
    fn a_number_is_whole_or_not_there() {
        let texts = || ["x 1.00  y 2.00  f 3.00", "x 1.00  y 2.00", "x 1.00"].map(str::to_owned);
        assert_eq!(fitting(texts(), 200.0, 11.0), "x 1.00  y 2.00  f 3.00");
        assert_eq!(fitting(texts(), 100.0, 11.0), "x 1.00  y 2.00");
        assert_eq!(fitting(texts(), 0.0, 11.0), "x 1.00");
    }

    #[test]
    fn a_path_outside_is_pointed_at_from_the_edge() {
        let rect = Rect::from_min_size(Pos2::ZERO, vec2(200.0, 100.0));
        let (at, unit) = edge_point(rect, [100.0, 1e30]).unwrap();
        assert_eq!((at, unit), (Pos2::new(100.0, 100.0), vec2(0.0, 1.0)));
        assert!(edge_point(rect, [f64::NAN, 0.0]).is_none());
    }
}
