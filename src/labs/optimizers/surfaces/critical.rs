//! Where a typed function has its minima, maxima and saddles: found by numbers, in a bounded time.

use super::expression::Expression;
use super::{Critical, CriticalKind};

/// Starts of the search along each side of the window; fewer of a formula that takes long.
const SIDES: [usize; 2] = [25, 13];
/// A formula that takes longer than so many additions has fewer starts.
const LONG: usize = 300;
/// Iterations of one search; an ordinary point takes less than ten, a degenerate one about thirty.
const ITERATIONS: usize = 40;
/// What all searches together may take, in additions: a few milliseconds. A long formula is searched less closely.
const WORK: usize = 800_000;
/// The most points of a kind that are kept.
const MOST: usize = 60;
/// More degenerate points than this are a line of them, and no points.
const MOST_DEGENERATE: usize = 6;

/// Points of zero gradient in the window `[[x0, x1], [y0, y1]]`, and minima at kinks. The deepest minima are global if f
/// is nowhere lower in the window as far as it was looked at. Not complete: what lies between the starts may be missed.
pub fn search(f: &Expression, domain: [[f64; 2]; 2]) -> Vec<Critical> {
    let left = WORK / f.cost();
    let side = SIDES[usize::from(f.cost() > LONG)];
    let mut search = Search { f, domain, side, left, found: Vec::new(), lowest: f64::INFINITY };
    let values = search.sample();
    search.slopes();
    search.kinks(&values);
    search.sorted()
}

struct Search<'a> {
    f: &'a Expression,
    domain: [[f64; 2]; 2],
    /// Starts along each side.
    side: usize,
    /// Evaluations that may still be made.
    left: usize,
    found: Vec<Critical>,
    /// The lowest value seen.
    lowest: f64,
}

impl Search<'_> {
    fn size(&self) -> [f64; 2] {
        self.domain.map(|[low, high]| high - low)
    }

    fn inside(&self, p: [f64; 2]) -> bool {
        (0..2).all(|i| (self.domain[i][0]..=self.domain[i][1]).contains(&p[i]))
    }

    /// A place of the grid, both sides of the window included.
    fn place(&self, column: usize, row: usize) -> [f64; 2] {
        let along = |i: usize, at: usize| self.domain[i][0] + self.size()[i] * at as f64 / (self.side - 1) as f64;
        [along(0, column), along(1, row)]
    }

    fn value(&mut self, p: [f64; 2]) -> f64 {
        self.left = self.left.saturating_sub(1);
        let value = self.f.value(p);
        if value < self.lowest && self.inside(p) {
            self.lowest = value;
        }
        value
    }

    /// f on the grid, row by row.
    fn sample(&mut self) -> Vec<f64> {
        (0..self.side * self.side).map(|i| self.value(self.place(i % self.side, i / self.side))).collect()
    }

    /// From each grid point that is lower than its neighbours, and has no known minimum beside it, by ever smaller steps
    /// along the axes and diagonals: this finds minima where there is no slope to follow, e.g. of |x| + |y|.
    fn kinks(&mut self, values: &[f64]) {
        let side = self.side;
        let lowest = |i: &usize| {
            let (column, row) = (i % side, i / side);
            let inner = (1..side - 1).contains(&column) && (1..side - 1).contains(&row);
            let mut around =
                (0..9).map(|n| i + n / 3 * side + n % 3).filter_map(|n| values.get(n.wrapping_sub(side + 1)));
            inner && values[*i].is_finite() && around.all(|value| value.is_nan() || *value >= values[*i])
        };
        let mut starts: Vec<usize> = (0..side * side).filter(lowest).collect();
        starts.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
        for i in starts {
            let p = self.place(i % side, i / side);
            if !self.knows(p, 1.5 / (side - 1) as f64, CriticalKind::LocalMinimum) {
                self.descend(p, values[i]);
            }
        }
    }

    fn descend(&mut self, from: [f64; 2], value: f64) {
        let (mut p, mut lowest) = (from, value);
        let mut step = 0.5 / (self.side - 1) as f64;
        let mut rounds = 0;
        while step > 1e-11 {
            rounds += 1;
            if rounds > 200 || self.left < 8 {
                return;
            }
            let next = ring(p, self.size(), step).map(|q| (self.value(q), q)).into_iter().find(|next| next.0 < lowest);
            match next {
                Some((value, q)) if self.inside(q) => (lowest, p) = (value, q),
                Some(_) => return,
                None => step *= 0.5,
            }
        }
        // A smooth minimum is found more exactly by its slope. At a kink f rises in proportion to the distance.
        let smooth = self.f.hessian(p).as_flattened().iter().all(|h| h.is_finite());
        let mut rises = |reach: f64| ring(p, self.size(), reach).map(|q| self.value(q) - lowest);
        let (near, far) = (rises(1e-6), rises(1e-3));
        let highest = |rises: [f64; 8]| rises.into_iter().fold(0.0, f64::max);
        let kinked = !smooth || highest(near) > 1e-4 * highest(far);
        if kinked && near.iter().all(|rise| *rise >= 0.0) && far.iter().all(|rise| *rise > 0.0) {
            self.keep(Critical { position: p, value: lowest, kind: CriticalKind::LocalMinimum });
        }
    }

    /// Newton's method on the gradient: first from where the slope is less than around, then from everywhere.
    fn slopes(&mut self) {
        let side = self.side;
        self.left = self.left.saturating_sub(side * side);
        let steep = |i: usize| {
            let [x, y] = self.f.gradient(self.place(i % side, i / side));
            x.hypot(y)
        };
        let steep: Vec<f64> = (0..side * side).map(steep).collect();
        let level = |&i: &usize| {
            let (column, row) = (i % side, i / side);
            let less = |there: bool, other: usize| !there || steep[other].is_nan() || steep[other] >= steep[i];
            less(column > 0, i.wrapping_sub(1))
                && less(column + 1 < side, i + 1)
                && less(row > 0, i.wrapping_sub(side))
                && less(row + 1 < side, i + side)
        };
        // Scattered, so that the whole window is searched where the work has to end early; 263 shares no factor with their number.
        let everywhere = (0..side * side).map(|i| i * 263 % (side * side));
        for i in (0..side * side).filter(level).chain(everywhere) {
            if let Some(p) = self.newton(self.place(i % side, i / side)) {
                self.judge(p);
            }
            // A quarter is for what has no slope.
            if self.left < WORK / self.f.cost() / 4 {
                return;
            }
        }
    }

    fn newton(&mut self, from: [f64; 2]) -> Option<[f64; 2]> {
        let size = self.size();
        let mut p = from;
        let most = 2.0 / (self.side - 1) as f64;
        let mut length = f64::INFINITY;
        for _ in 0..ITERATIONS {
            // A Hessian costs about three values.
            self.left = self.left.checked_sub(4)?;
            let g = self.f.gradient(p);
            let [[xx, xy], [_, yy]] = self.f.hessian(p);
            let step = solve([xx, xy, yy], g)?;
            length = (step[0] / size[0]).hypot(step[1] / size[1]);
            if !length.is_finite() {
                return None;
            }
            let share = if length > most { most / length } else { 1.0 };
            p = [p[0] - share * step[0], p[1] - share * step[1]];
            let margin = [0.1 * size[0], 0.1 * size[1]];
            let near = (0..2).all(|i| p[i] > self.domain[i][0] - margin[i] && p[i] < self.domain[i][1] + margin[i]);
            if !near {
                return None;
            }
            if length < 1e-9 {
                break;
            }
            if self.is_known(p) {
                return None;
            }
        }
        // Near a degenerate point the steps shrink slowly, by a third each.
        (length < 1e-5 && self.inside(p)).then_some(p)
    }

    /// Says what a point of zero gradient is, and keeps it if it is new.
    fn judge(&mut self, p: [f64; 2]) {
        let value = self.value(p);
        let g = self.f.gradient(p);
        let [[xx, xy], [_, yy]] = self.f.hessian(p);
        let (mean, half) = (0.5 * (xx + yy), (0.5 * (xx - yy)).hypot(xy));
        let eigenvalues = [mean - half, mean + half];
        let scale = eigenvalues[0].abs().max(eigenvalues[1].abs());
        let size = self.size()[0].max(self.size()[1]);
        if !value.is_finite() || g[0].hypot(g[1]) > 1e-6 * (scale * size + f64::MIN_POSITIVE) {
            return;
        }
        let flat = |eigenvalue: f64| eigenvalue.abs() <= 1e-6 * scale || scale * size * size < 1e-9 * value.abs();
        let kind = match eigenvalues {
            [low, high] if flat(low) || flat(high) => CriticalKind::Degenerate,
            [low, _] if low > 0.0 => CriticalKind::LocalMinimum,
            [_, high] if high < 0.0 => CriticalKind::Maximum,
            _ => CriticalKind::Saddle,
        };
        self.keep(Critical { position: p, value, kind });
    }

    /// Whether a point within a thousandth of the window is known.
    fn is_known(&self, p: [f64; 2]) -> bool {
        let size = self.size();
        self.found.iter().any(|known| (0..2).all(|i| (known.position[i] - p[i]).abs() < 1e-3 * size[i]))
    }

    /// Whether a point of this kind within this share of the window is known.
    fn knows(&self, p: [f64; 2], share: f64, kind: CriticalKind) -> bool {
        let size = self.size();
        let mut known = self.found.iter().filter(|known| known.kind == kind);
        known.any(|known| (0..2).all(|i| (known.position[i] - p[i]).abs() < share * size[i]))
    }

    /// Keeps a point unless there is one within a thousandth of the window. A minimum stands for more than a point where
    /// the curvature says nothing.
    fn keep(&mut self, critical: Critical) {
        let size = self.size();
        if critical.kind == CriticalKind::LocalMinimum {
            let near =
                |known: &Critical| (0..2).all(|i| (known.position[i] - critical.position[i]).abs() < 1e-3 * size[i]);
            self.found.retain(|known| known.kind != CriticalKind::Degenerate || !near(known));
        }
        if self.found.len() < 20 * MOST && !self.is_known(critical.position) {
            // −0 reads as if it meant something.
            let position = critical.position.map(|x| if x.abs() < 1e-12 * size[0].max(size[1]) { 0.0 } else { x });
            self.found.push(Critical { position, ..critical });
        }
    }

    /// The points that are kept: minima from the lowest on, then the others.
    fn sorted(mut self) -> Vec<Critical> {
        use CriticalKind::{Degenerate, GlobalMinimum, LocalMinimum, Maximum, Saddle};
        self.found.sort_by(|a, b| a.value.total_cmp(&b.value));
        let lowest = self.found.iter().find(|critical| critical.kind == LocalMinimum).map(|critical| critical.value);
        if let Some(lowest) = lowest {
            let equal = 1e-9 * (1.0 + lowest.abs());
            if self.lowest >= lowest - equal {
                let deepest = self.found.iter_mut().filter(|c| c.kind == LocalMinimum && c.value <= lowest + equal);
                deepest.for_each(|critical| critical.kind = GlobalMinimum);
            }
        }
        let of = |kind: CriticalKind| {
            let all: Vec<Critical> = self.found.iter().filter(|critical| critical.kind == kind).copied().collect();
            let line = kind == Degenerate && all.len() > MOST_DEGENERATE;
            all.into_iter().take(if line { 0 } else { MOST })
        };
        [GlobalMinimum, LocalMinimum, Saddle, Maximum, Degenerate].into_iter().flat_map(of).collect()
    }
}

/// Eight places around p at this share of the window.
fn ring(p: [f64; 2], size: [f64; 2], share: f64) -> [[f64; 2]; 8] {
    const DIRECTIONS: [[f64; 2]; 8] =
        [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [0.7, 0.7], [-0.7, -0.7], [0.7, -0.7], [-0.7, 0.7]];
    DIRECTIONS.map(|[u, v]| [p[0] + share * size[0] * u, p[1] + share * size[1] * v])
}

/// The step of Newton's method, H⁻¹ g; along directions without curvature it is 0.
fn solve([xx, xy, yy]: [f64; 3], g: [f64; 2]) -> Option<[f64; 2]> {
    let (mean, half) = (0.5 * (xx + yy), (0.5 * (xx - yy)).hypot(xy));
    let eigenvalues = [mean + half, mean - half];
    let scale = eigenvalues[0].abs().max(eigenvalues[1].abs());
    if !scale.is_finite() || scale == 0.0 || !(g[0].is_finite() && g[1].is_finite()) {
        return (g == [0.0; 2] && scale == 0.0).then_some([0.0; 2]);
    }
    // Eigenvector of the first eigenvalue: the longer of two expressions for it.
    let candidates = [[eigenvalues[0] - yy, xy], [xy, eigenvalues[0] - xx]];
    let longer = if candidates[0][0].hypot(candidates[0][1]) >= candidates[1][0].hypot(candidates[1][1]) {
        candidates[0]
    } else {
        candidates[1]
    };
    let length = longer[0].hypot(longer[1]);
    let u = if length > 0.0 { [longer[0] / length, longer[1] / length] } else { [1.0, 0.0] };
    let v = [-u[1], u[0]];
    let along = |direction: [f64; 2], eigenvalue: f64| {
        if eigenvalue.abs() <= 1e-12 * scale { 0.0 } else { (direction[0] * g[0] + direction[1] * g[1]) / eigenvalue }
    };
    let (a, b) = (along(u, eigenvalues[0]), along(v, eigenvalues[1]));
    Some([a * u[0] + b * v[0], a * u[1] + b * v[1]])
}
