//! L-BFGS in PyTorch's form: the curvature from the last steps, and a line search for the strong Wolfe conditions or a fixed
//! step. PyTorch repeats the step below up to `max_iter` times in one call; here it is one update.

use super::trace::{Context, Part, length, number, pair};
use super::{Hyper, PAIRS, See, State, Update, each};

/// Further evaluations of PyTorch's line search at most, unless it is told otherwise.
pub const MOST_TRIES: usize = 25;
/// The search ends where f falls by at least this share of what the slope promises ..
const SUFFICIENT_DECREASE: f64 = 1e-4;
/// .. and the slope along the line is at most this share of the first one.
const CURVATURE: f64 = 0.9;
/// No update where no component of the gradient is larger.
const FLAT: f64 = 1e-7;
/// No move where the slope along the direction, or the bracket, is smaller.
const SMALLEST_CHANGE: f64 = 1e-9;
/// A pair is kept where yᵀs is larger: only then does the surface curve upwards along it.
const SMALLEST_CURVATURE: f64 = 1e-10;

/// One update with what its parts tell.
pub(super) struct Step {
    pub update: Update,
    /// The newest pair, and whether it was kept.
    pair: Option<([f64; 2], [f64; 2], bool)>,
    /// What the line search found; `None` where it did not search.
    search: Option<Search>,
    /// Where the method stands still.
    flat: bool,
}

/// One update. State: a: direction d. b: gradient. c: step length t and scale γ. d: updates that had a slope, and 0.
pub(super) fn lbfgs(state: &State, g: [f64; 2], see: Option<&See<'_>>, hyper: &Hyper) -> Step {
    if g[0].abs().max(g[1].abs()) <= FLAT {
        return Step { update: Update::moving(state, [0.0; 2]), pair: None, search: None, flat: true };
    }
    let (mut pairs, mut gamma) = (state.pairs, 1.0);
    let first = state.d[0] == 0.0;
    let mut newest = None;
    let direction = if first {
        g.map(|g| -g)
    } else {
        let ([t, old_gamma], y) = (state.c, each(|i| g[i] - state.b[i]));
        gamma = old_gamma;
        let s = state.a.map(|d| d * t);
        let curvature = dot(y, s);
        let kept = curvature > SMALLEST_CURVATURE;
        if kept {
            pairs.push(s, y);
            gamma = curvature / dot(y, y);
        }
        newest = Some((s, y, kept));
        // The two loops: H g without a matrix.
        let mut shares = [0.0; PAIRS];
        let mut q = g.map(|g| -g);
        for i in (0..pairs.count).rev() {
            let (s, y) = (pairs.s[i], pairs.y[i]);
            shares[i] = dot(s, q) * (1.0 / dot(y, s));
            q = each(|j| q[j] - shares[i] * y[j]);
        }
        let mut r = q.map(|q| q * gamma);
        for (i, share) in shares.iter().enumerate().take(pairs.count) {
            let (s, y) = (pairs.s[i], pairs.y[i]);
            let correction = share - dot(y, r) * (1.0 / dot(y, s));
            r = each(|j| r[j] + correction * s[j]);
        }
        r
    };
    let mut t = if see.is_some() { hyper.lbfgs_rate } else { hyper.lbfgs_fixed_rate };
    if first {
        let whole = 1.0 / (g[0].abs() + g[1].abs());
        t *= if whole < 1.0 { whole } else { 1.0 };
    }
    let slope = dot(g, direction);
    let flat = slope > -SMALLEST_CHANGE;
    let mut search = None;
    if let (Some(see), false) = (see, flat) {
        let line = Line { see, from: state.theta, direction };
        let found = strong_wolfe(&line, t, see(state.theta).0, slope, hyper.choices.tries);
        t = found.t;
        search = Some(found);
    }
    let delta = if flat { [0.0; 2] } else { direction.map(|d| t * d) };
    let mut update = Update::moving(state, delta).keeping(direction, g);
    (update.next.c, update.next.d) = ([t, gamma], [state.d[0] + 1.0, 0.0]);
    update.next.pairs = pairs;
    update.next.evaluations += search.as_ref().map_or(0, |search| search.evaluations);
    Step { update, pair: newest, search, flat }
}

fn dot(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

/// The line from a place along a direction.
struct Line<'a> {
    see: &'a See<'a>,
    from: [f64; 2],
    direction: [f64; 2],
}

/// A place on the line: t, f there, and the slope along the line.
#[derive(Debug, Clone, Copy)]
struct Place {
    t: f64,
    f: f64,
    slope: f64,
}

impl Line<'_> {
    fn at(&self, t: f64) -> Place {
        let (f, gradient) = (self.see)(each(|i| self.from[i] + t * self.direction[i]));
        Place { t, f, slope: dot(gradient, self.direction) }
    }
}

/// What a line search found.
#[derive(Debug, Clone, Copy)]
struct Search {
    t: f64,
    /// Whether the strong Wolfe conditions hold there.
    satisfied: bool,
    evaluations: u64,
}

/// A step length with the strong Wolfe conditions: first a bracket around one is found, then it is narrowed. `f` and `slope`
/// are those at t = 0; `first` is tried, and then `tries` further lengths at most.
fn strong_wolfe(line: &Line<'_>, first: f64, f: f64, slope: f64, tries: usize) -> Search {
    let start = Place { t: 0.0, f, slope };
    let above = |place: Place| place.f > f + SUFFICIENT_DECREASE * place.t * slope;
    let flatter = |place: Place| place.slope.abs() <= -CURVATURE * slope;
    let size = line.direction[0].abs().max(line.direction[1].abs());
    let (mut last, mut here, mut tried) = (start, line.at(first), 0);
    let found = |t, satisfied, tried| Search { t, satisfied, evaluations: 1 + tried as u64 };
    let mut bracket = [start, start];
    while tried < tries {
        if above(here) || (tried > 1 && here.f >= last.f) {
            bracket = [last, here];
            break;
        }
        if flatter(here) {
            return found(here.t, true, tried);
        }
        if here.slope >= 0.0 {
            bracket = [last, here];
            break;
        }
        let limits = [here.t + 0.01 * (here.t - last.t), here.t * 10.0];
        let t = interpolate(last, here, limits);
        last = here;
        here = line.at(t);
        tried += 1;
    }
    if tried == tries {
        bracket = [start, here];
    }
    let (mut slow, mut satisfied) = (false, false);
    let lower = |bracket: &[Place; 2]| if bracket[0].f <= bracket[1].f { 0 } else { 1 };
    let mut low = lower(&bracket);
    while !satisfied && tried < tries {
        let [left, right] = if bracket[1].t > bracket[0].t { [0, 1] } else { [1, 0] }.map(|i| bracket[i].t);
        if (right - left).abs() * size < SMALLEST_CHANGE {
            break;
        }
        let mut t = interpolate(bracket[0], bracket[1], [left, right]);
        // A place too near to the border twice, or on it, is moved away from it.
        let margin = 0.1 * (right - left);
        if smaller(right - t, t - left) < margin {
            if slow || t >= right || t <= left {
                t = if (t - right).abs() < (t - left).abs() { right - margin } else { left + margin };
                slow = false;
            } else {
                slow = true;
            }
        } else {
            slow = false;
        }
        let here = line.at(t);
        tried += 1;
        let high = 1 - low;
        if above(here) || here.f >= bracket[low].f {
            bracket[high] = here;
            low = lower(&bracket);
        } else {
            if flatter(here) {
                satisfied = true;
            } else if here.slope * (bracket[high].t - bracket[low].t) >= 0.0 {
                bracket[high] = bracket[low];
            }
            bracket[low] = here;
        }
    }
    found(bracket[low].t, satisfied, tried)
}

/// The minimum of the cubic through two places with their slopes, within limits; the middle where it has none.
fn interpolate(one: Place, two: Place, [low, high]: [f64; 2]) -> f64 {
    let d1 = one.slope + two.slope - 3.0 * (one.f - two.f) / (one.t - two.t);
    let square = d1 * d1 - one.slope * two.slope;
    if square >= 0.0 {
        let d2 = square.sqrt();
        let (near, far) = if one.t <= two.t { (one, two) } else { (two, one) };
        let t = far.t - (far.t - near.t) * ((far.slope + d2 - d1) / (far.slope - near.slope + 2.0 * d2));
        smaller(if low > t { low } else { t }, high)
    } else {
        (low + high) / 2.0
    }
}

/// The smaller one; the first where they cannot be compared.
fn smaller(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

impl Context<'_> {
    /// `see`: `None` for the fixed step.
    pub(super) fn lbfgs(&self, see: Option<&See<'_>>) -> Vec<Part> {
        let Step { pair: newest, search, flat, .. } = lbfgs(self.state, self.g, see, self.hyper);
        let (next, theta) = (&self.update.next, self.state.theta);
        let mut parts = vec![self.gradient()];
        if flat && next.d == self.state.d {
            let still = "The gradient is below 1e−7: L-BFGS takes this place for the minimum and stays.";
            parts.push(
                Part::new("direction", "direction d", "d", "d")
                    .value(next.a, pair(next.a))
                    .note("The direction of the last update is kept."),
            );
            parts.push(Part::new("step", "step Δθ", "Δθ", "Δθ = 0").value([0.0; 2], pair([0.0; 2])).note(still));
            // The state keeps the gradient of the last update that moved.
            parts[0].symbol = if next.b == self.g { "g" } else { "∇f" };
            return parts;
        }
        let [t, gamma] = next.c;
        if let Some((s, y, kept)) = newest {
            parts.push(
                Part::new("pair_step", "last step s", "s", "s = t d")
                    .value(s, format!("{}·{}", number(self.state.c[0]), pair(self.state.a)))
                    .note("How far the last update went."),
            );
            parts.push(
                Part::new("pair_change", "change of the gradient along it", "y", "y = g − g₋")
                    .value(y, format!("{} − {}", pair(self.g), pair(self.state.b)))
                    .note(if kept {
                        format!(
                            "yᵀs = {}: the surface curves upwards along s, and the pair is kept ({} of at most {PAIRS}).",
                            number(dot(y, s)),
                            next.pairs.count
                        )
                    } else {
                        format!("yᵀs = {}: no upward curvature along s, and the pair is dropped.", number(dot(y, s)))
                    }),
            );
            parts.push(
                Part::new("scale", "scale of the first guess", "γ", if kept { "γ = yᵀs / yᵀy" } else { "γ as before" })
                    .scalar(
                        gamma,
                        if kept { format!("{} / {}", number(dot(y, s)), number(dot(y, y))) } else { number(gamma) },
                    )
                    .note("One over the curvature of the last step: the inverse Hessian before the pairs mend it."),
            );
        }
        let (equation, note) = if newest.is_none() {
            ("d = −g", "There is no curvature yet: the first direction is the steepest one.".to_owned())
        } else {
            let angle = angle(self.g.map(|g| -g), next.a);
            ("d = −H g, two loops over the pairs", format!("The curvature turns −g by {}°.", number(angle.round())))
        };
        parts.push(
            Part::new("direction", "direction d", "d", equation)
                .value(
                    next.a,
                    if newest.is_none() { format!("−{}", pair(self.g)) } else { format!("−H {}", pair(self.g)) },
                )
                .arrow(theta, next.a)
                .note(note),
        );
        let length_note = match (search, flat) {
            (_, true) => "The direction hardly leads down: no move.".to_owned(),
            (None, false) => "A fixed step; in the first update at most as long as the gradient says.".to_owned(),
            (Some(Search { satisfied: true, evaluations, .. }), _) => {
                format!("The strong Wolfe conditions hold there; it took {} along d.", times(evaluations))
            }
            (Some(Search { t: 0.0, evaluations, .. }), _) => {
                format!("No lower place was found in {} along d.", times(evaluations))
            }
            (Some(Search { evaluations, .. }), _) => {
                format!("The lowest place found in {} along d; the conditions do not hold.", times(evaluations))
            }
        };
        let equation = if search.is_some() { "t by line search" } else { "t" };
        parts.push(Part::new("step_length", "step length t", "t", equation).scalar(t, number(t)).note(length_note));
        let (equation, right_side) = if flat {
            ("Δθ = 0", pair([0.0; 2]))
        } else {
            ("Δθ = t d", format!("{}·{}", number(t), pair(next.a)))
        };
        parts.push(
            Part::new("step", "step Δθ", "Δθ", equation)
                .value(self.update.delta, right_side)
                .arrow(theta, self.update.delta)
                .note(format!("The step is {} long.", number(length(self.update.delta)))),
        );
        parts
    }
}

fn times(evaluations: u64) -> String {
    if evaluations == 1 { "1 look".to_owned() } else { format!("{evaluations} looks") }
}

/// Between two vectors, in degrees.
fn angle(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] * b[1] - a[1] * b[0]).atan2(dot(a, b)).to_degrees().abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cubic_finds_the_minimum_of_a_parabola() {
        let place = |t: f64| Place { t, f: (t - 3.0).powi(2), slope: 2.0 * (t - 3.0) };
        for [one, two] in [[0.0, 5.0], [5.0, 0.0], [1.0, 2.0]] {
            assert!((interpolate(place(one), place(two), [0.0, 10.0]) - 3.0).abs() < 1e-12);
        }
        assert_eq!(interpolate(place(1.0), place(2.0), [0.0, 2.5]), 2.5);
        assert_eq!(interpolate(Place { f: f64::NAN, ..place(1.0) }, place(2.0), [1.0, 2.0]), 1.5);
    }

    #[test]
    fn a_search_ends_within_its_tries_whatever_the_function() {
        let surfaces: [&See<'_>; 4] = [
            &|_| (f64::NAN, [f64::NAN; 2]),
            &|p| (-p[0], [-1.0, 0.0]),
            &|p| (if p[0] > 0.0 { f64::INFINITY } else { 0.0 }, [-1.0, 0.0]),
            &|p| ((1e3 * p[0]).sin(), [1e3 * (1e3 * p[0]).cos(), 0.0]),
        ];
        for see in surfaces {
            let line = Line { see, from: [0.0; 2], direction: [1.0, 0.0] };
            for tries in [0, 1, 25] {
                assert!(strong_wolfe(&line, 1.0, 0.0, -1.0, tries).evaluations <= 1 + tries as u64);
            }
        }
    }

    #[test]
    fn a_search_finds_the_strong_wolfe_conditions() {
        let see: &See<'_> = &|p| ((p[0] - 7.0).powi(4), [4.0 * (p[0] - 7.0).powi(3), 0.0]);
        let line = Line { see, from: [0.0; 2], direction: [1.0, 0.0] };
        let (f, slope) = (see([0.0; 2]).0, see([0.0; 2]).1[0]);
        for first in [1e-3, 1.0, 20.0, 1e4] {
            let found = strong_wolfe(&line, first, f, slope, MOST_TRIES);
            let place = line.at(found.t);
            assert!(found.satisfied, "{first}");
            assert!(place.f <= f + SUFFICIENT_DECREASE * found.t * slope && place.slope.abs() <= -CURVATURE * slope);
        }
    }
}
