//! The runs of a map on the processor: a few starts at a time, so that their arithmetic shares instructions.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::{Cell, End, FAR, HOLD, Request, Start, Task};
use crate::labs::optimizers::rules::{Choices, Hyper, Rule, State};
use crate::labs::optimizers::surfaces::Surface;
use crate::watch::Watch;

/// Runs side by side.
const LANES: usize = 8;
/// Cells between two looks at the cancel flag.
const CHUNK: usize = 64;

type Lane = [f64; LANES];

/// A rule as plain arithmetic over several runs. Equal to [`Rule::step_with`] to rounding (tested).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kernel {
    Sgd,
    Momentum,
    Nag,
    AdaGrad,
    RmsProp,
    AdaDelta,
    Adam,
}

impl Kernel {
    /// The fast form of a rule, where it has one: the article's seven in the article's form.
    pub(super) fn of(rule: Rule, hyper: &Hyper) -> Option<Self> {
        let [adagrad, adadelta] = [[hyper.adagrad_decay, hyper.adagrad_start] == [0.0; 2], hyper.adadelta_rate == 1.0];
        if hyper.choices != Choices::DEFAULT {
            return None;
        }
        Some(match rule {
            Rule::AdaGrad if !adagrad => return None,
            Rule::AdaDelta if !adadelta => return None,
            Rule::Sgd => Kernel::Sgd,
            Rule::Momentum => Kernel::Momentum,
            Rule::Nag => Kernel::Nag,
            Rule::AdaGrad => Kernel::AdaGrad,
            Rule::RmsProp => Kernel::RmsProp,
            Rule::AdaDelta => Kernel::AdaDelta,
            Rule::Adam => Kernel::Adam,
            _ => return None,
        })
    }

    /// The rule's two decays in the order in which the kernel uses them.
    pub(super) fn decays(self, hyper: &Hyper) -> [f64; 2] {
        match self {
            Kernel::Sgd | Kernel::AdaGrad => [0.0; 2],
            Kernel::Momentum | Kernel::Nag => [hyper.momentum, 0.0],
            Kernel::RmsProp => [hyper.rmsprop_beta, 0.0],
            Kernel::AdaDelta => [hyper.adadelta_rho, 0.0],
            Kernel::Adam => [hyper.adam_beta1, hyper.adam_beta2],
        }
    }
}

/// The ends of all runs; `None` if it was cancelled.
pub(super) fn cells(request: &Request, minima: &[[f64; 2]], watch: Watch<'_>) -> Option<Vec<Cell>> {
    let [columns, rows] = request.size();
    let all = columns * rows;
    let task = request.task();
    let goal = Goal::new(task, minima);
    let kernel = Kernel::of(task.rule, &task.hyper);
    let mut cells = vec![Cell { end: End::Inside, steps: 0 }; all];
    let done = AtomicUsize::new(0);
    cells.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, cells)| {
        if watch.cancelled() {
            return;
        }
        let starts: Vec<Start> = (0..cells.len()).map(|i| request.run(chunk * CHUNK + i)).collect();
        match kernel {
            Some(kernel) => {
                for (starts, cells) in starts.chunks(LANES).zip(cells.chunks_mut(LANES)) {
                    run_kernel(kernel, task, &goal, starts, cells);
                }
            }
            None => starts.iter().zip(cells.iter_mut()).for_each(|(start, cell)| *cell = run(task, &goal, start)),
        }
        let done = done.fetch_add(cells.len(), Ordering::Relaxed) + cells.len();
        (watch.progress)(done, all);
    });
    (!watch.cancelled()).then_some(cells)
}

/// Where runs should arrive, in units of the window.
#[derive(Debug)]
struct Goal<'a> {
    minima: &'a [[f64; 2]],
    window: [[f64; 2]; 2],
    /// One over the window's sides.
    unit: [f64; 2],
    tolerance: f64,
}

impl<'a> Goal<'a> {
    fn new(task: &Task, minima: &'a [[f64; 2]]) -> Self {
        let window = task.surface.domain;
        Self { minima, window, unit: window.map(|[low, high]| 1.0 / (high - low)), tolerance: task.tolerance }
    }

    /// The longer of both coordinates' distances, as a share of the window; NaN where one of them is.
    fn distance(&self, [ax, ay]: [f64; 2], [bx, by]: [f64; 2]) -> f64 {
        let [u, v] = [((ax - bx) * self.unit[0]).abs(), ((ay - by) * self.unit[1]).abs()];
        if u > v || u.is_nan() { u } else { v }
    }

    /// The nearest minimum and its distance.
    fn nearest(&self, p: [f64; 2]) -> (u16, f64) {
        let mut nearest = (0, f64::INFINITY);
        for (index, minimum) in self.minima.iter().enumerate() {
            let distance = self.distance(p, *minimum);
            if distance < nearest.1 {
                nearest = (index as u16, distance);
            }
        }
        nearest
    }

    fn has_diverged(&self, p: [f64; 2]) -> bool {
        let middle = self.window.map(|[low, high]| 0.5 * (low + high));
        let distance = self.distance(p, middle);
        distance.is_nan() || distance >= FAR
    }

    /// How a run ended that did not arrive and is at p.
    fn left_over(&self, p: [f64; 2]) -> End {
        let inside = (0..2).all(|i| (self.window[i][0]..=self.window[i][1]).contains(&p[i]));
        if inside { End::Inside } else { End::Outside }
    }
}

/// What is remembered of a run while it goes on.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    /// The minimum within whose tolerance it is, and since which update.
    near: Option<(u16, u32)>,
    /// How far it may move before it can be near a minimum: until then nothing need be measured.
    slack: f64,
    /// Set once the run is over.
    cell: Option<Cell>,
}

impl Arrival {
    fn new(goal: &Goal<'_>, at: [f64; 2]) -> Self {
        let mut arrival = Self { near: None, slack: 0.0, cell: None };
        arrival.look(goal, at, 0);
        arrival
    }

    /// Looks for the nearest minimum.
    fn look(&mut self, goal: &Goal<'_>, p: [f64; 2], step: u32) {
        let (index, distance) = goal.nearest(p);
        if distance < goal.tolerance {
            (self.near, self.slack) = (Some((index, step)), 0.0);
        } else {
            (self.near, self.slack) = (None, distance - goal.tolerance);
        }
    }

    /// After update `step` from `from` to `to`.
    #[inline(always)]
    fn moved(&mut self, goal: &Goal<'_>, from: [f64; 2], to: [f64; 2], step: u32) {
        let far = goal.distance(from, to);
        self.slack -= far;
        if self.slack > 0.0 && far < 1.0 {
            return;
        }
        if goal.has_diverged(to) {
            self.cell = Some(Cell { end: End::Diverged, steps: step });
            return;
        }
        match self.near {
            Some((index, since)) if goal.distance(to, goal.minima[usize::from(index)]) < goal.tolerance => {
                if step + 1 - since >= HOLD {
                    self.cell = Some(Cell { end: End::Minimum(index), steps: since });
                }
            }
            _ => self.look(goal, to, step),
        }
    }

    /// The end of a run that has done all its updates.
    fn end(&self, goal: &Goal<'_>, at: [f64; 2], steps: u32) -> Cell {
        self.cell.unwrap_or(match self.near {
            Some((index, since)) => Cell { end: End::Minimum(index), steps: since },
            None if goal.has_diverged(at) => Cell { end: End::Diverged, steps },
            None => Cell { end: goal.left_over(at), steps },
        })
    }
}

/// One run of any rule.
fn run(task: &Task, goal: &Goal<'_>, start: &Start) -> Cell {
    let mut state = State::new(start.at);
    let mut arrival = Arrival::new(goal, start.at);
    for step in 1..=task.steps {
        let from = state.theta;
        task.rule.step(&mut state, &task.surface, &start.hyper);
        arrival.moved(goal, from, state.theta, step);
        if let Some(cell) = arrival.cell {
            return cell;
        }
    }
    arrival.end(goal, state.theta, task.steps)
}

/// Up to [`LANES`] runs of a rule that has a kernel; each has a loop of its own, without branches on the rule.
fn run_kernel(kernel: Kernel, task: &Task, goal: &Goal<'_>, starts: &[Start], cells: &mut [Cell]) {
    match kernel {
        Kernel::Sgd => run_lanes(Kernel::Sgd, task, goal, starts, cells),
        Kernel::Momentum => run_lanes(Kernel::Momentum, task, goal, starts, cells),
        Kernel::Nag => run_lanes(Kernel::Nag, task, goal, starts, cells),
        Kernel::AdaGrad => run_lanes(Kernel::AdaGrad, task, goal, starts, cells),
        Kernel::RmsProp => run_lanes(Kernel::RmsProp, task, goal, starts, cells),
        Kernel::AdaDelta => run_lanes(Kernel::AdaDelta, task, goal, starts, cells),
        Kernel::Adam => run_lanes(Kernel::Adam, task, goal, starts, cells),
    }
}

#[inline(always)]
fn run_lanes(kernel: Kernel, task: &Task, goal: &Goal<'_>, starts: &[Start], cells: &mut [Cell]) {
    // Missing runs repeat the first one.
    let of = |lane: usize| starts.get(lane).unwrap_or(&starts[0]);
    let mut lanes = Lanes::new(kernel, std::array::from_fn(|lane| *of(lane)));
    let mut arrivals: [Arrival; LANES] = std::array::from_fn(|lane| Arrival::new(goal, of(lane).at));
    for step in 1..=task.steps {
        let from = [lanes.x, lanes.y];
        let point = lanes.gradient_point(kernel);
        let gradient = gradients(&task.surface, point);
        lanes.update(kernel, gradient);
        let mut going = false;
        for (lane, arrival) in arrivals.iter_mut().enumerate() {
            if arrival.cell.is_none() {
                let (from, to) = ([from[0][lane], from[1][lane]], [lanes.x[lane], lanes.y[lane]]);
                arrival.moved(goal, from, to, step);
                going |= arrival.cell.is_none();
            }
        }
        if !going {
            break;
        }
    }
    for (lane, cell) in cells.iter_mut().enumerate() {
        *cell = arrivals[lane].end(goal, [lanes.x[lane], lanes.y[lane]], task.steps);
    }
}

/// Gradients at several points.
#[inline(always)]
fn gradients(surface: &Surface, [x, y]: [Lane; 2]) -> [Lane; 2] {
    if let Some(expression) = surface.expression() {
        let slopes = expression.slopes(x, y);
        return [slopes.by_x, slopes.by_y];
    }
    let mut gradient = [[0.0; LANES]; 2];
    for lane in 0..LANES {
        let [gx, gy] = surface.gradient([x[lane], y[lane]]);
        (gradient[0][lane], gradient[1][lane]) = (gx, gy);
    }
    gradient
}

/// The states of several runs.
#[derive(Debug, Clone)]
struct Lanes {
    x: Lane,
    y: Lane,
    /// The rule's state vectors, x and y of each.
    a: [Lane; 2],
    b: [Lane; 2],
    eta: Lane,
    epsilon: Lane,
    /// See [`Kernel::decays`].
    p: Lane,
    q: Lane,
    /// Their powers pᵏ and qᵏ, for Adam's correction.
    p_power: Lane,
    q_power: Lane,
}

impl Lanes {
    fn new(kernel: Kernel, starts: [Start; LANES]) -> Self {
        let zero = [[0.0; LANES]; 2];
        let decays = starts.map(|start| kernel.decays(&start.hyper));
        Self {
            x: starts.map(|start| start.at[0]),
            y: starts.map(|start| start.at[1]),
            a: zero,
            b: zero,
            eta: starts.map(|start| start.hyper.learning_rate),
            epsilon: starts.map(|start| start.hyper.epsilon),
            p: decays.map(|decays| decays[0]),
            q: decays.map(|decays| decays[1]),
            p_power: [1.0; LANES],
            q_power: [1.0; LANES],
        }
    }

    /// Where the gradients are taken.
    #[inline(always)]
    fn gradient_point(&self, kernel: Kernel) -> [Lane; 2] {
        if kernel != Kernel::Nag {
            return [self.x, self.y];
        }
        let ahead = |theta: &Lane, v: &Lane| std::array::from_fn(|lane| theta[lane] + self.p[lane] * v[lane]);
        [ahead(&self.x, &self.a[0]), ahead(&self.y, &self.a[1])]
    }

    /// One update of every run; the operations are those of [`Rule::step_with`].
    #[inline(always)]
    fn update(&mut self, kernel: Kernel, gradient: [Lane; 2]) {
        for lane in 0..LANES {
            self.p_power[lane] *= self.p[lane];
            self.q_power[lane] *= self.q[lane];
        }
        for (axis, g) in gradient.iter().enumerate() {
            let theta = if axis == 0 { &mut self.x } else { &mut self.y };
            let (a, b) = (&mut self.a[axis], &mut self.b[axis]);
            for lane in 0..LANES {
                let (g, eta, epsilon, p, q) = (g[lane], self.eta[lane], self.epsilon[lane], self.p[lane], self.q[lane]);
                theta[lane] += match kernel {
                    Kernel::Sgd => -(eta * g),
                    Kernel::Momentum | Kernel::Nag => {
                        a[lane] = p * a[lane] - eta * g;
                        a[lane]
                    }
                    Kernel::AdaGrad => {
                        a[lane] += g * g;
                        -(eta * g / (a[lane].sqrt() + epsilon))
                    }
                    Kernel::RmsProp => {
                        a[lane] = p * a[lane] + (1.0 - p) * (g * g);
                        -(eta * g / (a[lane].sqrt() + epsilon))
                    }
                    Kernel::AdaDelta => {
                        a[lane] = p * a[lane] + (1.0 - p) * (g * g);
                        let delta = -(b[lane] + epsilon).sqrt() / (a[lane] + epsilon).sqrt() * g;
                        b[lane] = p * b[lane] + (1.0 - p) * (delta * delta);
                        delta
                    }
                    Kernel::Adam => {
                        a[lane] = p * a[lane] + (1.0 - p) * g;
                        b[lane] = q * b[lane] + (1.0 - q) * (g * g);
                        let m = a[lane] / (1.0 - self.p_power[lane]);
                        let v = b[lane] / (1.0 - self.q_power[lane]);
                        -(eta * m / (v.sqrt() + epsilon))
                    }
                };
            }
        }
    }
}

#[cfg(test)]
pub(super) fn cells_of_any_rule(request: &Request, minima: &[[f64; 2]]) -> Vec<Cell> {
    let goal = Goal::new(request.task(), minima);
    let [columns, rows] = request.size();
    (0..columns * rows).map(|cell| run(request.task(), &goal, &request.run(cell))).collect()
}
