//! Maps of many runs at once: where each start ends (basins), and which hyper-parameters arrive (a sweep).
//!
//! Every cell of a map is one run, of which only its end is kept. On the processor in f64, in parallel; on a graphics device
//! in f32. Both follow the same rules: a run has *reached* a minimum once it was within the tolerance of it for
//! [`HOLD`] updates in a row, and the first of them is its number of steps; it has *diverged* where it is no number or
//! [`FAR`] windows away. f32 and f64 disagree along the borders of basins and where runs are chaotic; on Himmelblau's
//! function with Adam at least 99 % of the cells end alike (tested; of 47 maps of the catalogue the worst agreed
//! in 99.2 %).

mod gpu;
mod walk;

pub use gpu::Gpu;

use super::rules::{Hyper, Rule};
use super::surfaces::{Chosen, Surface};
use crate::engine::params::{ParamError, Value};
use crate::watch::Watch;

/// Updates in a row within the tolerance that make an arrival.
pub const HOLD: u32 = 20;
/// A run that is so many windows away from the middle of the window has diverged.
pub const FAR: f64 = 1e4;
/// The most cells of a map: 1024 × 1024.
pub const MOST_CELLS: usize = 1 << 20;

/// What all runs of a map share.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    pub surface: Chosen,
    pub rule: Rule,
    pub hyper: Hyper,
    /// Updates of every run, 1 to 100 000.
    pub steps: u32,
    /// How near is reached, as a share of the window in x and in y; 0.01 is what the guide's list uses.
    pub tolerance: f64,
}

/// One run for every start point of a window.
#[derive(Debug, Clone, PartialEq)]
pub struct BasinRequest {
    pub task: Task,
    /// `[[x0, x1], [y0, y1]]`; starts lie in the middle of the cells.
    pub window: [[f64; 2]; 2],
    /// Columns and rows.
    pub size: [usize; 2],
}

/// One run for every pair of two hyper-parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepRequest {
    pub task: Task,
    pub start: [f64; 2],
    /// Along the columns and along the rows.
    pub axes: [SweepAxis; 2],
    /// Columns and rows.
    pub size: [usize; 2],
}

/// A hyper-parameter and its range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SweepAxis {
    /// One of [`Hyper::KEYS`].
    pub key: &'static str,
    pub from: f64,
    pub to: f64,
    /// Equal factors instead of equal distances; needs positive ends.
    pub log: bool,
}

impl SweepAxis {
    /// The value in the middle of a cell.
    pub fn value(&self, at: usize, count: usize) -> f64 {
        let share = (at as f64 + 0.5) / count as f64;
        if self.log {
            (self.from.ln() + share * (self.to / self.from).ln()).exp()
        } else {
            self.from + share * (self.to - self.from)
        }
    }
}

impl BasinRequest {
    /// The start of a cell.
    pub fn start(&self, column: usize, row: usize) -> [f64; 2] {
        let along = |i: usize, at: usize| {
            let [low, high] = self.window[i];
            low + (high - low) * (at as f64 + 0.5) / self.size[i] as f64
        };
        [along(0, column), along(1, row)]
    }
}

impl SweepRequest {
    /// The hyper-parameters of a cell.
    pub fn hyper(&self, column: usize, row: usize) -> Result<Hyper, ParamError> {
        let mut hyper = self.task.hyper;
        for (axis, (at, count)) in self.axes.iter().zip([(column, self.size[0]), (row, self.size[1])]) {
            hyper.set(axis.key, &Value::Float(axis.value(at, count)))?;
        }
        Ok(hyper)
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At the minimum of this index in [`Map::minima`].
    Minimum(u16),
    /// In the surface's window, at no known minimum.
    Inside,
    /// Outside the surface's window.
    Outside,
    Diverged,
}

/// The end of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub end: End,
    /// Updates until it arrived or diverged; all of them where it did neither.
    pub steps: u32,
}

/// A finished map.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Columns and rows.
    pub size: [usize; 2],
    /// Row by row, the first row at the low end.
    pub cells: Vec<Cell>,
    /// The minima that [`End::Minimum`] counts: those that the surface lists, in that order, then others.
    pub minima: Vec<[f64; 2]>,
    /// On a graphics device, in f32.
    pub on_gpu: bool,
}

/// What is to be computed.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    Basin(BasinRequest),
    Sweep(SweepRequest),
}

/// The start and the hyper-parameters of one cell.
#[derive(Debug, Clone, Copy)]
struct Start {
    at: [f64; 2],
    hyper: Hyper,
}

impl Request {
    /// What all its runs share.
    pub fn task(&self) -> &Task {
        match self {
            Request::Basin(request) => &request.task,
            Request::Sweep(request) => &request.task,
        }
    }

    fn size(&self) -> [usize; 2] {
        match self {
            Request::Basin(request) => request.size,
            Request::Sweep(request) => request.size,
        }
    }

    /// Refuses what cannot be computed, in words.
    fn check(&self) -> Result<(), String> {
        let [columns, rows] = self.size();
        if columns == 0 || rows == 0 || columns.saturating_mul(rows) > MOST_CELLS {
            return Err(format!("a map has 1 to {MOST_CELLS} cells; {columns} × {rows} were asked for"));
        }
        let Task { steps, tolerance, .. } = *self.task();
        if !(1..=100_000).contains(&steps) {
            return Err(format!("a map's runs have 1 to 100000 updates; {steps} were asked for"));
        }
        if !(tolerance > 0.0 && tolerance <= 1.0) {
            return Err(format!("the tolerance is a share of the window above 0 and up to 1; it is {tolerance}"));
        }
        match self {
            Request::Basin(request) => {
                let fits = |[low, high]: [f64; 2]| low.is_finite() && high.is_finite() && low < high;
                if !request.window.into_iter().all(fits) {
                    return Err(format!("the window {:?} has no extent", request.window));
                }
            }
            Request::Sweep(request) => {
                for axis in &request.axes {
                    let finite = axis.from.is_finite() && axis.to.is_finite();
                    if !finite || (axis.log && !(axis.from > 0.0 && axis.to > 0.0)) {
                        return Err(format!("`{}` cannot run from {} to {}", axis.key, axis.from, axis.to));
                    }
                }
                request.hyper(0, 0).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    /// The run of a cell; the request was checked.
    fn run(&self, cell: usize) -> Start {
        let [columns, _] = self.size();
        let (column, row) = (cell % columns, cell / columns);
        let start = match self {
            Request::Basin(request) => Start { at: request.start(column, row), hyper: request.task.hyper },
            Request::Sweep(request) => {
                Start { at: request.start, hyper: request.hyper(column, row).unwrap_or(request.task.hyper) }
            }
        };
        Start { hyper: start.hyper.own(self.task().rule), ..start }
    }
}

/// The map of a request, on the graphics device if there is one that can do it, else on the processor. Blocks. The error says what is
/// wrong with the request, or that it was cancelled.
pub fn compute(request: &Request, gpu: Option<&Gpu>, watch: Watch<'_>) -> Result<Map, String> {
    request.check()?;
    let minima = minima(&request.task().surface);
    let on_gpu = gpu.and_then(|gpu| gpu.cells(request, &minima, watch));
    let (cells, on_gpu) = match on_gpu {
        Some(cells) => (Some(cells), true),
        None => (walk::cells(request, &minima, watch), false),
    };
    let cells = cells.filter(|_| !watch.cancelled()).ok_or("the map was stopped")?;
    Ok(Map { size: request.size(), cells, minima, on_gpu })
}

/// The surface's minima, and those that the catalogue leaves out where they are countless, as far as the search finds them.
fn minima(surface: &Surface) -> Vec<[f64; 2]> {
    let mut places: Vec<[f64; 2]> = surface.minima().map(|minimum| minimum.position).collect();
    if let (None, Ok(typed)) = (surface.expression(), Chosen::own(surface.formula(), surface.domain)) {
        let near = |a: &[f64; 2], b: &[f64; 2]| {
            (0..2).all(|i| (a[i] - b[i]).abs() < 1e-3 * (surface.domain[i][1] - surface.domain[i][0]))
        };
        for found in typed.minima() {
            if !places.iter().any(|known| near(known, &found.position)) {
                places.push(found.position);
            }
        }
    }
    places
}

#[cfg(test)]
mod tests;
