//! Loss and accuracy against the step. Measured at a cadence, so that a curve is a list of steps with values.

use eframe::egui::accesskit::Role;
use eframe::egui::{CursorIcon, Pos2, Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::engine::event::{KeySpec, RunId};
use crate::engine::state::{History, MarkKind};
use crate::kit::view::{Cursor, ViewAction, ViewCtx};
use crate::labs::optimizers::KEYS;
use crate::labs::optimizers::network::roster::ROSTER;
use crate::plot::axes::{Axes, Bounds, Titles, is_panning, zoom};
use crate::plot::scale::Scale;
use crate::plot::stroke::{LineMesh, Pen, Stop};
use crate::plot::style::Style;
use crate::plot::{decimate, legend, tile, trace};

use super::NetworkState;
use super::parts;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::labs::optimizers::view::{OptimizersView, network};

/// The tile.
pub static LOSS: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "loss",
        title: "Loss",
        help: "Mean cross-entropy of the whole training set (bold) and test set (fine) against the step. Click or \
               drag to move the timeline, scroll to zoom, double-click to fit.",
        area: "loss",
        follows_cursor: true,
    },
    show: |view, ui, ctx| {
        network::show(&mut view.network, ui, ctx, |state, present, ui, ctx| {
            let NetworkState { selected, loss, options, .. } = state;
            self::ui(Quantity::Loss, loss, options, present, selected, ui, ctx);
        })
    },
    commands: &[
        TileCommand {
            id: "network-log",
            title: "Loss: logarithmic axis on or off",
            run: |view, _, _| view.network.options.log_loss = !view.network.options.log_loss,
        },
        TileCommand {
            id: "network-train",
            title: "Loss and accuracy: training set on or off",
            run: |view, _, _| view.network.options.train = !view.network.options.train,
        },
        TileCommand {
            id: "network-test",
            title: "Loss and accuracy: test set on or off",
            run: |view, _, _| view.network.options.test = !view.network.options.test,
        },
        TileCommand {
            id: "network-fit",
            title: "Loss and accuracy: show the whole run",
            run: |view, _, _| (view.network.loss.view, view.network.accuracy.view) = (None, None),
        },
    ],
};

/// The tile.
pub static ACCURACY: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "accuracy",
        title: "Accuracy",
        help: "Share of points whose likeliest class is theirs: training set (bold) and test set (fine).",
        area: "accuracy",
        follows_cursor: true,
    },
    show: |view, ui, ctx| {
        network::show(&mut view.network, ui, ctx, |state, present, ui, ctx| {
            let NetworkState { selected, accuracy, options, .. } = state;
            self::ui(Quantity::Accuracy, accuracy, options, present, selected, ui, ctx);
        })
    },
    commands: &[],
};

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    Loss,
    Accuracy,
}

/// Switches that both tiles share.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub log_loss: bool,
    pub train: bool,
    pub test: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { log_loss: true, train: true, test: true }
    }
}

/// View state of one tile: the zoom, and what is cached.
#[derive(Debug, Default)]
pub struct CurvesTile {
    view: Option<Bounds>,
    whole: Option<(Vec<SeriesKey>, Scale, [f64; 2])>,
    drawn: Option<(Axes, Vec<SeriesKey>, Style)>,
    lines: Vec<[LineMesh; 2]>,
}

/// What a curve's triangles depend on, beside the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct SeriesKey {
    run: Option<RunId>,
    optimizer: usize,
    test: bool,
    selected: bool,
    faint: bool,
    length: usize,
    last: Option<u64>,
    /// Steps between two measurements.
    every: u64,
}

/// What a plot shows beside its curves.
#[derive(Debug, Clone, Copy)]
struct Plot {
    quantity: Quantity,
    scale: Scale,
    /// Of the y axis, with its unit.
    title: &'static str,
    /// The x axis goes from 0 to this step.
    steps: u64,
    /// Of small text, in points.
    size: f32,
}

struct Series<'a> {
    key: SeriesKey,
    history: &'a History,
}

/// Draws one tile.
pub fn ui(
    quantity: Quantity,
    state: &mut CurvesTile,
    options: &mut Options,
    present: &[usize],
    selected: &mut Option<usize>,
    ui: &mut Ui,
    ctx: &mut ViewCtx<'_>,
) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let (bar, rest) = tile::split(ui, size);
    let about = match quantity {
        Quantity::Loss => "bold: training set, fine: test set",
        Quantity::Accuracy => "share of points in the right class",
    };
    tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
        let fit = "Show the whole run (double-click does the same)";
        if tile::button(ui, state.view.is_some(), "fit", fit, size) {
            state.view = None;
        }
        // At least one of the two stays on.
        if tile::toggle(ui, options.test, "test", "Show the test set", size) {
            options.test = !options.test || !options.train;
        }
        if tile::toggle(ui, options.train, "train", "Show the training set", size) {
            options.train = !options.train || !options.test;
        }
        if quantity == Quantity::Loss && tile::toggle(ui, options.log_loss, "log", "Logarithmic axis", size) {
            options.log_loss = !options.log_loss;
            state.view = None;
        }
    });

    let entries = parts::entries(present, *selected, style);
    let mut legend_height = legend::height(ui, &entries, rest.width(), size);
    if legend_height > 0.3 * rest.height() {
        // The pictures and the table carry the colours too; a small plot needs its room.
        legend_height = 0.0;
    }
    // The last tick label reaches over the end of the axis.
    let outer = Rect::from_min_max(rest.min, rest.max - vec2(size, legend_height));
    if outer.width() < 8.0 || outer.height() < 8.0 {
        return;
    }
    let (families, title, scale) = match (quantity, options.log_loss) {
        (Quantity::Loss, true) => (["loss/train", "loss/test"], "loss, nats (log)", Scale::Log { base: 0.0 }),
        (Quantity::Loss, false) => (["loss/train", "loss/test"], "loss, nats", Scale::Linear),
        (Quantity::Accuracy, _) => (["accuracy/train", "accuracy/test"], "accuracy", Scale::Linear),
    };
    let series = series(present, *selected, *options, families, ctx);
    let steps = ctx.run.header.as_ref().map_or(0, |header| header.steps).max(ctx.run.step).max(1);
    let plot = Plot { quantity, scale, title, steps, size };
    if let Some(step) = state.show(ui, outer, plot, &series, ctx) {
        ctx.actions.push(ViewAction::Seek(Cursor { step, sub: 0 }));
    }
    if legend_height > 0.0 {
        let place = Rect::from_min_max(pos2(rest.left(), outer.bottom()), rest.max);
        if let Some(index) = legend::show(ui, place, &entries, style, size) {
            parts::toggle_selected(selected, present[index]);
        }
    }
}

/// The curves in the order in which they are drawn: test under training, the highlighted one on top.
fn series<'a>(
    present: &[usize],
    selected: Option<usize>,
    options: Options,
    families: [&str; 2],
    ctx: &ViewCtx<'a>,
) -> Vec<Series<'a>> {
    let mut all = Vec::new();
    for (family, test, on) in [(families[1], true, options.test), (families[0], false, options.train)] {
        for &optimizer in present.iter().filter(|_| on) {
            let name = format!("{family}/{}", ROSTER[optimizer].id);
            let Some(history) = ctx.run.scalars.get(name.as_str()) else { continue };
            let key = SeriesKey {
                run: ctx.run.id,
                optimizer,
                test,
                selected: selected == Some(optimizer),
                faint: selected.is_some_and(|selected| selected != optimizer),
                length: history.points().len(),
                last: history.last().map(|(step, _)| step),
                every: KeySpec::find(KEYS, &name).map_or(1, |spec| spec.every),
            };
            all.push(Series { key, history });
        }
    }
    all.sort_by_key(|series| series.key.selected);
    all
}

impl CurvesTile {
    /// Draws the plot into `outer`; returns the step that the user asked for.
    fn show(&mut self, ui: &Ui, outer: Rect, plot: Plot, series: &[Series<'_>], ctx: &ViewCtx<'_>) -> Option<u64> {
        let Plot { quantity, scale, title, steps, size } = plot;
        let style = ctx.style;
        let name = match quantity {
            Quantity::Loss => "loss against the step",
            Quantity::Accuracy => "accuracy against the step",
        };
        let bounds = self.view.unwrap_or_else(|| self.whole(quantity, series, scale, steps));
        let axes = Axes::new(outer, bounds, [Scale::Linear, scale], size, 0.0);
        let response = ui.interact(axes.rect, ui.scope_id().with(name), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
        zoom(ui, &response, &axes, &mut self.view);
        let seek = (response.clicked() || response.dragged()) && !is_panning(ui, &response);
        let seek = response
            .interact_pointer_pos()
            .filter(|_| seek)
            .map(|pos| axes.from_screen(pos)[0].round().clamp(0.0, steps as f64) as u64);

        let painter = ui.painter_at(outer);
        let inside = ui.painter_at(axes.rect);
        inside.rect_filled(axes.rect, 2.0, style.plot_background);
        axes.draw_grid(&inside, style, style.rule);
        for mark in ctx.run.marks.iter().filter(|mark| mark.kind == MarkKind::Changed) {
            let x = axes.at(mark.step as f64, 0.0).x;
            inside.vline(x, axes.rect.y_range(), (1.0, style.live.gamma_multiply(0.7)));
        }
        self.build(&axes, series, style, size, inside.pixels_per_point());
        for [_, future] in &mut self.lines {
            future.draw(&inside);
        }
        for ([past, _], series) in self.lines.iter_mut().zip(series) {
            past.draw_until(&inside, ctx.cursor.step);
            if let Some((_, at)) = series.at(&axes, ctx.cursor.step).filter(|_| !series.key.test) {
                let color = style.category(series.key.optimizer).color;
                inside.circle(at, 0.28 * size, color, Stroke::new(1.0, style.plot_background));
            }
        }
        trace::draw_cursor(&inside, &axes, ctx.cursor.step, size, style);
        axes.draw_labels(&painter, style, &Titles { x: "step", y: title });
        if let Some(pointer) = response.hover_pos().filter(|_| !response.dragged()) {
            let name = |series: &Series<'_>| {
                let set = if series.key.test { "test" } else { "train" };
                format!("{} {set}", ROSTER[series.key.optimizer].title)
            };
            let axes = &axes;
            let places = |step| series.iter().filter_map(move |s| s.at(axes, step).map(|found| (s, found)));
            trace::read_out(&inside, axes, places, name, pointer, size, style);
        }
        response.on_hover_cursor(CursorIcon::ResizeHorizontal);
        seek
    }

    /// The whole run and every value; for accuracy up to 100 %.
    fn whole(&mut self, quantity: Quantity, series: &[Series<'_>], scale: Scale, steps: u64) -> Bounds {
        let keys: Vec<SeriesKey> = series.iter().map(|series| series.key).collect();
        let range = match &self.whole {
            Some((cached, cached_scale, range)) if *cached == keys && *cached_scale == scale => *range,
            _ => {
                let positions = series.iter().flat_map(|series| series.history.points());
                let positions = positions.map(|(_, value)| scale.position(value)).filter(|value| value.is_finite());
                let (low, high) =
                    positions.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
                let range = match quantity {
                    _ if low > high => [0.0, 1.0],
                    Quantity::Accuracy => [low.min(0.9), 1.0],
                    Quantity::Loss => [low, high.max(low + 1e-3)],
                };
                self.whole = Some((keys, scale, range));
                range
            }
        };
        let margin = 0.05 * (range[1] - range[0]);
        Bounds::new([0.0, steps as f64], [range[0] - margin, range[1] + margin])
    }

    /// Rebuilds the triangles if anything they depend on has changed.
    fn build(&mut self, axes: &Axes, series: &[Series<'_>], style: &Style, size: f32, pixels_per_point: f32) {
        let keys: Vec<SeriesKey> = series.iter().map(|series| series.key).collect();
        let key = (axes.clone(), keys, style.clone());
        if self.drawn.as_ref() == Some(&key) {
            return;
        }
        self.lines.clear();
        for Series { key, history } in series {
            let samples = history.points().map(|(step, value)| {
                let [x, y] = axes.to_screen(step as f64, axes.scales[1].position(value));
                (step, x, y)
            });
            let runs = decimate::columns(samples, 1.0, axes.rect);
            let category = style.category(key.optimizer);
            let line = |width: f32, strength: f32| {
                let color = category.color.gamma_multiply(strength);
                let width = width * size / 11.0;
                let pen = Pen { width, color, dash: category.dash, feather: 1.0 / pixels_per_point };
                LineMesh::new(runs.iter().map(Vec::<Stop>::as_slice), pen)
            };
            let (width, strength) = if key.test { (1.0, 0.75) } else { (1.8, 1.0) };
            let width = if key.selected { 1.5 * width } else { width };
            let strength = if key.faint { 0.45 * strength } else { strength };
            self.lines.push([line(width, strength), line(0.7 * width, 0.3 * strength)]);
        }
        self.drawn = Some(key);
    }
}

impl Series<'_> {
    /// Value and place at the newest measurement up to a step; nothing where the curve has ended before.
    fn at(&self, axes: &Axes, step: u64) -> Option<((u64, f64), Pos2)> {
        let (measured, value) = self.history.at(step)?;
        let ended = self.key.last == Some(measured) && step > measured + 2 * self.key.every;
        let [x, y] = axes.to_screen(measured as f64, axes.scales[1].position(value));
        (y.is_finite() && !ended).then(|| ((measured, value), pos2(x as f32, y as f32)))
    }
}
