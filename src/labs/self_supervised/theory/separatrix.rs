//! The separatrix of a mode: the line through the saddle that divides collapse from health.

use super::integrate::dormand_prince;
use super::modes::ModeDynamics;

/// How far from the saddle the backward integration starts, along the stable eigenvector.
const OFFSET: f64 = 1e-7;
const FIRST_STEP: f64 = 1e-3;
const STEP_LIMIT: usize = 20_000;
/// Beyond this ln(α_p s) the line has left every picture.
const HIGHEST: f64 = 100.0;

/// The stable line of the saddle in the plane of p and s. Mostly it is a function s(p), but where the predictor decays
/// much slower than the network it turns back over the healthy point, and only starts inside of the bow survive.
///
/// In (p, ln α_p s) the motion does not contain α_p, so one line serves every α_p: multiplying α_p by k divides s by k.
#[derive(Debug, Clone, PartialEq)]
pub struct Separatrix {
    /// Along the line, from its left end through the saddle.
    knots: Vec<Knot>,
    /// Knots at which p turns back, with the first and the last knot: between two of them p is monotone.
    turns: Vec<usize>,
    alpha_p: f64,
}

/// A point of the line at its parameter u, with derivatives in u.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Knot {
    u: f64,
    /// p and x = ln(α_p s).
    y: [f64; 2],
    slope: [f64; 2],
}

impl Separatrix {
    /// Integrates backwards from the saddle until the line has left `range` of p for good. `tolerance` is that of each
    /// step (10⁻⁷ for drawing, 10⁻¹⁰ for numbers). `None` where there is no saddle: η = 0, η_p = 0, or η above η_c.
    pub fn new(dynamics: &ModeDynamics, range: [f64; 2], tolerance: f64) -> Option<Self> {
        let ModeDynamics { eta, eta_p, ratio, .. } = *dynamics;
        if !(eta > 0.0 && eta_p > 0.0) {
            return None;
        }
        let [saddle, _] = dynamics.balance_points()?;
        let (spread, e) = (dynamics.spread(), dynamics.error(saddle));
        let height = eta_p * saddle * saddle / eta;
        // The Jacobian in (p, x) is [[−b, c], [g, 0]]; its stable eigenvector is (c, b + μ) with the negative
        // eigenvalue μ = −(b + √(b² + 4 c g))/2.
        let (b, c, g) = (height * spread + eta_p, height * e, 2.0 * (ratio - 2.0 * spread * saddle).max(0.0));
        let direction = [c, -2.0 * c * g / (b + (b * b + 4.0 * c * g).sqrt())];
        let length = direction[0].hypot(direction[1]);
        let offset = direction.map(|v| OFFSET * v / length);
        let start = [saddle, height.ln()];
        let backward = |[p, x]: [f64; 2]| {
            let e = dynamics.error(p);
            [eta_p * p - x.exp() * e, 2.0 * (eta - p * e)]
        };
        // Backwards, p falls for ever once it is negative and grows for ever beyond r/S.
        let (low, high) = (range[0].min(0.0), range[1].max(ratio / spread));
        let branch = |side: f64| {
            let first: [f64; 2] = std::array::from_fn(|i| start[i] + side * offset[i]);
            // u runs along the line from left to right through the saddle; the first unit of it is the offset.
            let knot = |t: f64, y, slope: [f64; 2]| Knot { u: side * (1.0 + t), y, slope: slope.map(|v| side * v) };
            let mut knots = vec![knot(0.0, first, backward(first))];
            dormand_prince(first, FIRST_STEP, tolerance, STEP_LIMIT, backward, |t, y, slope| {
                knots.push(knot(t, y, slope));
                y[0] > low && y[0] < high && y[1] < HIGHEST
            });
            knots
        };
        let mut curve = branch(-1.0);
        curve.reverse();
        curve.push(Knot { u: 0.0, y: start, slope: offset });
        curve.extend(branch(1.0));
        Some(Self::from_curve(&curve, dynamics.alpha_p))
    }

    /// Adds a knot wherever p turns back between two knots.
    fn from_curve(curve: &[Knot], alpha_p: f64) -> Self {
        let mut knots: Vec<Knot> = Vec::with_capacity(curve.len() + 1);
        let mut turns = vec![0];
        for knot in curve {
            if let Some(last) = knots.last()
                && last.slope[0] * knot.slope[0] < 0.0
            {
                let turn = bisect(|t| between(last, knot, t).slope[0] * last.slope[0]);
                let turn = between(last, knot, turn);
                turns.push(knots.len());
                knots.push(Knot { slope: [0.0, turn.slope[1]], ..turn });
            }
            knots.push(*knot);
        }
        turns.push(knots.len() - 1);
        Self { knots, turns, alpha_p }
    }

    /// Every s at which the line passes p, ascending: starts below the first collapse, starts between the first and the
    /// second survive, and so on. Empty to the right of a line that turns back: there every start collapses.
    pub fn crossings(&self, p: f64) -> Vec<f64> {
        let mut crossings: Vec<f64> = self
            .turns
            .windows(2)
            .filter_map(|run| self.crossing(run[0], run[1], p))
            .map(|x| x.exp() / self.alpha_p)
            .collect();
        crossings.sort_by(f64::total_cmp);
        crossings
    }

    /// The critical s at p: a mode that starts below it collapses. `None` where the line does not pass.
    pub fn at(&self, p: f64) -> Option<f64> {
        self.crossings(p).first().copied()
    }

    /// x where the line passes p between the knots `first` and `last`, in which p is monotone.
    fn crossing(&self, first: usize, last: usize, p: f64) -> Option<f64> {
        let run = &self.knots[first..=last];
        let rises = run[run.len() - 1].y[0] > run[0].y[0];
        let next = run.partition_point(|knot| if rises { knot.y[0] < p } else { knot.y[0] > p });
        let right = run.get(next)?;
        if right.y[0] == p {
            return Some(right.y[1]);
        }
        let left = &run[next.checked_sub(1)?];
        Some(between(left, right, share_of_rise(left, right, p)).y[1])
    }

    /// The line as pieces of points (p, s) below `highest` s, to draw.
    pub fn polylines(&self, highest: f64) -> Vec<Vec<[f64; 2]>> {
        /// Points on each stretch between two knots.
        const POINTS: usize = 6;
        let mut pieces = vec![Vec::new()];
        for pair in self.knots.windows(2) {
            for i in 0..POINTS {
                let [p, x] = between(&pair[0], &pair[1], i as f64 / POINTS as f64).y;
                let s = x.exp() / self.alpha_p;
                match pieces.last_mut() {
                    Some(piece) if s <= highest => piece.push([p, s]),
                    Some(piece) if !piece.is_empty() => pieces.push(Vec::new()),
                    _ => {}
                }
            }
        }
        pieces.retain(|piece| piece.len() > 1);
        pieces
    }
}

/// The point at the share t of the way from `a` to `b`, by cubic Hermite interpolation.
fn between(a: &Knot, b: &Knot, t: f64) -> Knot {
    let h = b.u - a.u;
    let (t2, t3) = (t * t, t * t * t);
    let values = [2.0 * t3 - 3.0 * t2 + 1.0, (t3 - 2.0 * t2 + t) * h, 3.0 * t2 - 2.0 * t3, (t3 - t2) * h];
    let slopes = [6.0 * (t2 - t) / h, 3.0 * t2 - 4.0 * t + 1.0, 6.0 * (t - t2) / h, 3.0 * t2 - 2.0 * t];
    let sum = |w: &[f64; 4], i: usize| w[0] * a.y[i] + w[1] * a.slope[i] + w[2] * b.y[i] + w[3] * b.slope[i];
    Knot {
        u: a.u + t * h,
        y: std::array::from_fn(|i| sum(&values, i)),
        slope: std::array::from_fn(|i| sum(&slopes, i)),
    }
}

/// The share t of the way from `a` to `b` at which p is passed, where p is monotone between them.
fn share_of_rise(a: &Knot, b: &Knot, p: f64) -> f64 {
    let (rise, h) = (b.y[0] - a.y[0], b.u - a.u);
    let (start, end) = (a.slope[0] * h, b.slope[0] * h);
    let (square, cube) = (3.0 * rise - 2.0 * start - end, start + end - 2.0 * rise);
    let wanted = p - a.y[0];
    let (mut low, mut high) = (0.0, 1.0);
    let mut t = (wanted / rise).clamp(0.0, 1.0);
    for _ in 0..40 {
        let missing = wanted - t * (start + t * (square + t * cube));
        if missing.abs() <= 1e-15 * rise.abs() {
            break;
        }
        if missing * rise > 0.0 {
            low = t;
        } else {
            high = t;
        }
        let newton = t + missing / (start + t * (2.0 * square + t * 3.0 * cube));
        // Newton's step, or the middle where it leaves the bracket.
        t = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
    }
    t
}

/// The t in [0, 1] where `f`, positive at 0, becomes negative.
fn bisect(f: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..48 {
        let middle = 0.5 * (low + high);
        if f(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_just_below_collapse_and_just_above_survive() {
        for (eta, eta_p) in [(0.05, 0.05), (0.02, 0.1), (0.1, 0.03)] {
            let dynamics = ModeDynamics { eta, eta_p, alpha_p: 2.0, sigma2: 0.2, ratio: 1.0 };
            let separatrix = Separatrix::new(&dynamics, [-0.6, 0.9], 1e-10).unwrap();
            for p in [-0.5, -0.1, 0.0, 0.2, 0.8] {
                let critical = separatrix.at(p).unwrap();
                assert_eq!(separatrix.crossings(p).len(), 1);
                let end = |factor: f64| *dynamics.trajectory([p, critical * factor], 0.02, 60_000).last().unwrap();
                assert!(end(0.99)[1] < 1e-6 && end(0.99)[0].abs() < 1e-3, "below at p = {p}");
                assert!(end(1.01)[1] > 1e-3, "above at p = {p}");
            }
        }
    }

    /// A predictor that decays far slower than the network: a large s drives p so high that s dies before p is back.
    #[test]
    fn a_line_that_turns_back_encloses_the_starts_that_survive() {
        let dynamics = ModeDynamics { eta: 0.22, eta_p: 0.01, ..ModeDynamics::default() };
        let separatrix = Separatrix::new(&dynamics, [-0.6, 1.0], 1e-10).unwrap();
        let healthy = dynamics.fixed_points()[2];
        let dies = |p: f64, s: f64| dynamics.trajectory([p, s], 0.05, 60_000).last().unwrap()[1] < 1e-6;
        assert!(separatrix.crossings(0.9).is_empty() && dies(0.9, 1e-3) && dies(0.9, 1.0));
        let crossings = separatrix.crossings(healthy.p);
        assert_eq!(crossings.len(), 2);
        assert!(crossings[0] < healthy.s && healthy.s < crossings[1]);
        for (s, dead) in [
            (crossings[0] * 0.98, true),
            (crossings[0] * 1.02, false),
            (crossings[1] * 0.98, false),
            (crossings[1] * 1.02, true),
        ] {
            assert_eq!(dies(healthy.p, s), dead, "s = {s} of {crossings:?}");
        }
    }

    #[test]
    fn a_larger_predictor_rate_divides_the_critical_s() {
        let of = |alpha_p| {
            let dynamics = ModeDynamics { alpha_p, eta_p: 0.08, ..ModeDynamics::default() };
            Separatrix::new(&dynamics, [-0.6, 0.9], 1e-10).unwrap()
        };
        let (one, seven) = (of(1.0), of(7.0));
        for p in [-0.4, 0.0, 0.5] {
            let expected = one.at(p).unwrap() / 7.0;
            assert!((seven.at(p).unwrap() - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn without_a_saddle_there_is_no_line() {
        let dynamics = ModeDynamics::default();
        for other in [
            ModeDynamics { eta: 0.0, ..dynamics },
            ModeDynamics { eta_p: 0.0, ..dynamics },
            ModeDynamics { eta: 0.3, ..dynamics },
        ] {
            assert!(Separatrix::new(&other, [-0.6, 1.0], 1e-8).is_none());
        }
    }
}
