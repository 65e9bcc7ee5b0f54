//! The tiles that draw one quantity of every optimizer against the step.

use std::ops::RangeInclusive;

use eframe::egui::{Rect, Ui, vec2};

use crate::engine::state::MarkKind;
use crate::kit::view::{Cursor, ViewAction, ViewCtx};
use crate::labs::optimizers::rules::Rule;
use crate::labs::optimizers::surfaces::{CriticalKind, Surface};
use crate::plot::axes::Titles;
use crate::plot::curve::{Curve, CurveState, Spec};
use crate::plot::legend;
use crate::plot::scale::Scale;

use super::OptimizersView;
use super::controls;
use super::paths::{self, Path};
use crate::kit::tiles::{Tile, TileCommand, TileSpec};

/// The tile.
pub static F: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "curves-f",
        title: "f",
        help: "The function's value against the step. Click or drag to move the timeline.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| show(Quantity::F, view, ui, ctx),
    commands: &[
        TileCommand {
            id: "curves-log-f",
            title: "Curves: logarithmic f on or off",
            run: |view, _, _| view.curve_options.log_f = !view.curve_options.log_f,
        },
        TileCommand {
            id: "curves-fit",
            title: "Curves: show the whole run",
            run: |view, _, _| view.curves.iter_mut().for_each(CurveState::fit),
        },
    ],
};

/// The tile.
pub static GRADIENT: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "curves-gradient",
        title: "‖∇f‖",
        help: "Steepness at each optimizer's position against the step.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| show(Quantity::Gradient, view, ui, ctx),
    commands: &[],
};

/// The tile.
pub static STEP: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "curves-step",
        title: "‖Δθ‖",
        help: "Length of each move against the step.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| show(Quantity::Step, view, ui, ctx),
    commands: &[],
};

/// The tile.
pub static X: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "curves-x",
        title: "x",
        help: "First coordinate against the step.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| show(Quantity::X, view, ui, ctx),
    commands: &[],
};

/// The tile.
pub static Y: Tile<OptimizersView> = Tile {
    spec: TileSpec {
        id: "curves-y",
        title: "y",
        help: "Second coordinate against the step. The logarithm of |y| shows the escape from a symmetry line.",
        area: "against the step",
        follows_cursor: true,
    },
    show: |view, ui, ctx| show(Quantity::Y, view, ui, ctx),
    commands: &[TileCommand {
        id: "curves-log-y",
        title: "Curves: log |y| on or off",
        run: |view, ctx, _| view.curve_options.toggle_log_y(paths::surface(ctx)),
    }],
};

fn show(quantity: Quantity, view: &mut OptimizersView, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let state = &mut view.curves[quantity as usize];
    self::ui(quantity, state, &mut view.curve_options, &mut view.selected, ui, ctx);
}

/// What is drawn against the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    F,
    Gradient,
    Step,
    X,
    Y,
}

impl Quantity {
    pub const ALL: [Quantity; 5] = [Quantity::F, Quantity::Gradient, Quantity::Step, Quantity::X, Quantity::Y];

    fn tile(self) -> &'static Tile<OptimizersView> {
        match self {
            Quantity::F => &F,
            Quantity::Gradient => &GRADIENT,
            Quantity::Step => &STEP,
            Quantity::X => &X,
            Quantity::Y => &Y,
        }
    }

    fn value(self, path: &Path<'_>, k: usize) -> f64 {
        match self {
            Quantity::F => path.f(k),
            Quantity::Gradient => path.gradient_norm(k),
            Quantity::Step if k == 0 => f64::NAN,
            Quantity::Step => path.step_length(k),
            Quantity::X => path.position(k)[0],
            Quantity::Y => path.position(k)[1],
        }
    }
}

/// Switches of the curve tiles.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Logarithmic f: above the lowest value where there is one, to both sides of zero elsewhere.
    pub log_f: bool,
    /// log |y| instead of y; unset: on surfaces with a symmetry line to escape from.
    pub log_y: Option<bool>,
}

impl Default for Options {
    fn default() -> Self {
        Self { log_f: true, log_y: None }
    }
}

/// How a quantity is drawn on this surface: scale, title of the axis, one line on what one sees.
struct Face {
    scale: Scale,
    title: &'static str,
    about: &'static str,
    absolute: bool,
    limits: Option<RangeInclusive<f64>>,
}

fn face(quantity: Quantity, options: Options, surface: &Surface) -> Face {
    let log = Scale::Log { base: 0.0 };
    let log_y = options.log_y(surface);
    let [x, y] = surface.domain;
    let around = |[low, high]: [f64; 2]| {
        let margin = 0.25 * (high - low);
        Some(low - margin..=high + margin)
    };
    let reach = (x[1] - x[0]).hypot(y[1] - y[0]);
    let corners = || x.into_iter().flat_map(|x| y.map(|y| [x, y]));
    let steepest = corners().map(|p| surface.gradient(p)).map(|[a, b]| a.hypot(b)).fold(0.0, f64::max);
    let values = linear_limits(surface);
    let highest = *values.end();
    let (scale, title, about, limits) = match quantity {
        Quantity::F => match (options.log_f, lowest(surface)) {
            (false, _) => (Scale::Linear, "f", "value of the function", Some(values)),
            (true, Some(0.0)) => (log, "f (log)", "value of the function", Some(1e-16..=100.0 * highest)),
            (true, Some(base)) => {
                let limits = base + 1e-16 * (1.0 + base.abs())..=100.0 * highest.abs();
                (Scale::Log { base }, "f − f* (log)", "distance from the lowest value", Some(limits))
            }
            (true, None) => {
                let unit = Scale::SymLog { unit: 0.01 };
                (unit, "f (symmetric log)", "value, logarithmic on both sides of 0", Some(-1e9..=1e9))
            }
        },
        Quantity::Gradient => {
            (log, "‖∇f‖ (log)", "steepness where each optimizer is", Some(1e-12..=100.0 * steepest.max(1e-3)))
        }
        Quantity::Step => (log, "‖Δθ‖ (log)", "length of each move", Some(1e-12..=10.0 * reach)),
        Quantity::X => (Scale::Linear, "x", "first coordinate", around(x)),
        Quantity::Y if log_y => {
            let about =
                if has_symmetry_line(surface) { "escape from the line y = 0" } else { "size of the second coordinate" };
            (log, "|y| (log)", about, Some(1e-16..=100.0 * reach))
        }
        Quantity::Y => (Scale::Linear, "y", "second coordinate", around(y)),
    };
    Face { scale, title, about, absolute: quantity == Quantity::Y && log_y, limits }
}

/// Whether y = 0 is a line that the surface alone never leads away from: the saddles.
fn has_symmetry_line(surface: &Surface) -> bool {
    surface.minima().next().is_none()
}

impl Options {
    fn log_y(self, surface: &Surface) -> bool {
        self.log_y.unwrap_or_else(|| has_symmetry_line(surface))
    }

    /// Turns log |y| on or off.
    pub fn toggle_log_y(&mut self, surface: &Surface) {
        self.log_y = Some(!self.log_y(surface));
    }
}

/// The lowest value that the surface has, where it has one.
pub fn lowest(surface: &Surface) -> Option<f64> {
    surface.critical.iter().find(|critical| critical.kind == CriticalKind::GlobalMinimum).map(|critical| critical.value)
}

/// The range of f at the window's corners, along its middle lines and at critical points: what is worth a linear axis.
fn linear_limits(surface: &Surface) -> RangeInclusive<f64> {
    let [x, y] = surface.domain;
    let mut values: Vec<f64> = x.iter().flat_map(|x| y.iter().map(|y| surface.f([*x, *y]))).collect();
    values.extend([[x[0], 0.0], [x[1], 0.0], [0.0, y[0]], [0.0, y[1]]].map(|p| surface.f(p)));
    values.extend(surface.critical.iter().map(|critical| critical.value));
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    low..=high
}

/// Draws one tile.
pub fn ui(
    quantity: Quantity,
    state: &mut CurveState,
    options: &mut Options,
    selected: &mut Rule,
    ui: &mut Ui,
    ctx: &mut ViewCtx<'_>,
) {
    let run = ctx.run;
    let all = Path::all(run);
    if all.is_empty() {
        return controls::nothing_yet(ui, ctx);
    }
    let surface = paths::surface(ctx);
    let size = controls::font_size(ctx);
    let (bar, rest) = controls::split(ui, size);
    let face = face(quantity, *options, surface);
    controls::bar(ui, bar, controls::weak(face.about, size, ctx.style), |ui| {
        if controls::button(ui, state.is_zoomed(), "fit", "Show the whole run (double-click does the same)", size) {
            state.fit();
        }
        let (log_f, log_y) = (options.log_f, options.log_y(surface));
        match quantity {
            Quantity::F if controls::toggle(ui, log_f, "log", "Logarithmic axis", size) => {
                options.log_f = !log_f;
                state.fit();
            }
            Quantity::Y
                if controls::toggle(
                    ui,
                    log_y,
                    "log |y|",
                    "The logarithm of |y|: equal growth is a straight line",
                    size,
                ) =>
            {
                options.toggle_log_y(surface);
                state.fit();
            }
            _ => {}
        }
    });

    let entries = controls::legend_entries(&all, *selected, ctx.style);
    let mut legend_height = legend::height(ui, &entries, rest.width(), size);
    if legend_height > 0.3 * rest.height() {
        // The tables and the field carry the colours too; a small plot needs its room.
        legend_height = 0.0;
    }
    let plot = Rect::from_min_max(rest.min, rest.max - vec2(0.0, legend_height));
    let values: Vec<_> = all
        .iter()
        .map(|path| {
            move |k: usize| {
                let value = quantity.value(path, k);
                if face.absolute { value.abs() } else { value }
            }
        })
        .collect();
    let curves: Vec<Curve<'_>> = all
        .iter()
        .zip(&values)
        .map(|(path, value)| Curve {
            name: path.rule.title(),
            category: ctx.style.category(path.rule.index()),
            selected: path.rule == *selected,
            identity: path.identity,
            len: path.row_count(),
            value,
        })
        .collect();
    let marks: Vec<u64> =
        run.marks.iter().filter(|mark| mark.kind == MarkKind::Changed).map(|mark| mark.step).collect();
    let spec = Spec {
        name: quantity.tile().spec.id,
        titles: Titles { x: "step", y: face.title },
        scale: face.scale,
        steps: paths::steps(run),
        cursor: ctx.cursor.step,
        limits: face.limits.clone(),
        marks: &marks,
        font_size: size,
    };
    if let Some(step) = state.show(ui, plot, &spec, &curves, ctx.style) {
        ctx.actions.push(ViewAction::Seek(Cursor { step, sub: 0 }));
    }
    if legend_height > 0.0 {
        let rect = Rect::from_min_max(rest.min + vec2(0.0, plot.height()), rest.max);
        if let Some(index) = legend::show(ui, rect, &entries, ctx.style, size) {
            *selected = all[index].rule;
        }
    }
}
