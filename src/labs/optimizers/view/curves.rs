//! The tiles that draw one quantity of every optimizer against the step.

use std::ops::RangeInclusive;

use eframe::egui::Ui;

use crate::kit::curves::{About, Axis, CurvesTile, LOG, Layer, Panel, axis};
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::rules::Rule;
use crate::labs::optimizers::surfaces::{CriticalKind, Surface};
use crate::plot::curve::Curve;
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
            run: |view, _, _| view.curves[Quantity::F as usize].toggle_log(true),
        },
        TileCommand {
            id: "curves-fit",
            title: "Curves: show the whole run",
            run: |view, _, _| view.curves.iter_mut().for_each(CurvesTile::fit),
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
        run: |view, ctx, _| {
            view.curves[Quantity::Y as usize].toggle_log(has_symmetry_line(&paths::surface(ctx)));
        },
    }],
};

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

    /// Family of the scalar that records it.
    fn key(self) -> &'static str {
        match self {
            Quantity::F => "f",
            Quantity::Gradient => "gradient_norm",
            Quantity::Step => "step_length",
            Quantity::X => "x",
            Quantity::Y => "y",
        }
    }

    /// Its name in a scene.
    pub fn word(self) -> &'static str {
        match self {
            Quantity::F => "f",
            Quantity::Gradient => "gradient",
            Quantity::Step => "step",
            Quantity::X => "x",
            Quantity::Y => "y",
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

/// How a quantity is drawn on a surface.
struct Face {
    axis: Axis,
    /// One line on what one sees.
    about: &'static str,
    limits: Option<RangeInclusive<f64>>,
}

/// `log`: the axis is not linear.
fn face(quantity: Quantity, log: bool, surface: &Surface) -> Face {
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
    let (axis, about, limits) = match quantity {
        Quantity::F => {
            let (scale, unit, about, limits) = match lowest(surface) {
                Some(0.0) => (LOG, "f", "value of the function", 1e-16..=100.0 * highest),
                Some(base) => {
                    let limits = base + 1e-16 * (1.0 + base.abs())..=100.0 * highest.abs();
                    (Scale::Log { base }, "f − f*", "distance from the lowest value", limits)
                }
                None => (Scale::SymLog { unit: 0.01 }, "f", "value, logarithmic on both sides of 0", -1e9..=1e9),
            };
            let axis = Axis { scale, switch: "log", ..axis("curves-f", "f", "f") };
            if log {
                (Axis { unit, ..axis }, about, Some(limits))
            } else {
                (axis, "value of the function", Some(values))
            }
        }
        Quantity::Gradient => {
            let axis = Axis { scale: LOG, ..axis("curves-gradient", "‖∇f‖", "‖∇f‖") };
            (axis, "steepness where each optimizer is", Some(1e-12..=100.0 * steepest.max(1e-3)))
        }
        Quantity::Step => {
            let axis = Axis { scale: LOG, ..axis("curves-step", "‖Δθ‖", "‖Δθ‖") };
            (axis, "length of each move", Some(1e-12..=10.0 * reach))
        }
        Quantity::X => (axis("curves-x", "x", "x"), "first coordinate", around(x)),
        Quantity::Y => {
            let escapes = has_symmetry_line(surface);
            let axis = axis("curves-y", "y", if log { "|y|" } else { "y" });
            let axis = Axis { scale: LOG, starts_linear: !escapes, switch: "log |y|", ..axis };
            match (log, escapes) {
                (false, _) => (axis, "second coordinate", around(y)),
                (true, true) => (axis, "escape from the line y = 0", Some(1e-16..=100.0 * reach)),
                (true, false) => (axis, "size of the second coordinate", Some(1e-16..=100.0 * reach)),
            }
        }
    };
    Face { axis, about, limits }
}

/// Whether y = 0 is a line that the surface alone never leads away from: the saddles.
pub fn has_symmetry_line(surface: &Surface) -> bool {
    surface.expression().is_none() && surface.minima().next().is_none()
}

/// The lowest value that the surface has, where it has one.
pub fn lowest(surface: &Surface) -> Option<f64> {
    surface
        .critical()
        .iter()
        .find(|critical| critical.kind == CriticalKind::GlobalMinimum)
        .map(|critical| critical.value)
}

/// The range of f at the window's corners, along its middle lines and at critical points: what is worth a linear axis.
pub fn linear_limits(surface: &Surface) -> RangeInclusive<f64> {
    let [x, y] = surface.domain;
    let mut values: Vec<f64> = x.iter().flat_map(|x| y.iter().map(|y| surface.f([*x, *y]))).collect();
    values.extend([[x[0], 0.0], [x[1], 0.0], [0.0, y[0]], [0.0, y[1]]].map(|p| surface.f(p)));
    values.extend(surface.critical().iter().map(|critical| critical.value));
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    low..=high
}

/// Draws one tile.
fn show(quantity: Quantity, view: &mut OptimizersView, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let all = Path::all(ctx.run);
    if all.is_empty() {
        return controls::nothing_yet(ui, ctx);
    }
    let (tile, surface) = (&mut view.curves[quantity as usize], paths::surface(ctx));
    let log = tile.is_log(&face(quantity, true, &surface).axis);
    let Face { axis, about, limits } = face(quantity, log, &surface);
    let mut panel = Panel::new(axis, &[], ctx);
    panel.limits = limits;
    panel.entries = controls::legend_entries(&all, view.selected, ctx.style);
    let absolute = quantity == Quantity::Y && log;
    for path in all {
        let (name, selected, len) = (path.rule.title(), path.rule == view.selected, path.row_count());
        let value = move |k: usize| {
            let value = quantity.value(&path, k);
            if absolute { value.abs() } else { value }
        };
        let curve = Curve {
            name: name.into(),
            category: ctx.style.category(path.rule.index()),
            width: if selected { 1.55 } else { 1.0 },
            // Of two scales of y, one shows another number.
            identity: path.identity ^ u64::from(absolute),
            len,
            point: Box::new(move |k| [k as f64, value(k)]),
            // Where a path has ended there is no value any more.
            held: Some(Box::new(move |step| usize::try_from(step).ok().filter(|k| *k < len).map(|k| (step, value(k))))),
        };
        // A pinned run has y itself, not how far it is from 0.
        if !absolute {
            let dash = ctx.style.category(path.rule.index()).dash;
            panel.behind(&format!("{}/{}", quantity.key(), path.rule.id()), name, dash, false, ctx);
        }
        panel.push(if selected { Layer::Highlighted } else { Layer::Run }, name, curve);
    }
    let about = About { text: about.to_owned(), ..About::default() };
    tile.show(&about, vec![panel], ui, ctx, |_, _| ());
    // One is selected in every view, and always one.
    let chosen = tile.highlighted.take().and_then(|name| Rule::ALL.into_iter().find(|rule| rule.title() == name));
    view.selected = chosen.unwrap_or(view.selected);
}
