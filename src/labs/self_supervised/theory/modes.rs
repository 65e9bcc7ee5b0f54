//! One decoupled mode: p, an eigenvalue of the predictor, with s, the eigenvalue of F in the same eigenvector.

use super::integrate::rk4;
use crate::labs::self_supervised::params::Hyper;

/// The constants of a mode's motion, with a target of constant ratio r (1: SimSiam, or a target that has caught up).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModeDynamics {
    /// Weight decay of the network, ≥ 0.
    pub eta: f64,
    /// Weight decay of the predictor, ≥ 0.
    pub eta_p: f64,
    /// The predictor's learning rate over the network's, > 0.
    pub alpha_p: f64,
    /// Variance of the augmentations, ≥ 0.
    pub sigma2: f64,
    /// r = Wa/W, the target's ratio to the network (not the momentum of its average), > 0.
    pub ratio: f64,
}

impl Default for ModeDynamics {
    fn default() -> Self {
        Self { eta: 0.05, eta_p: 0.05, alpha_p: 1.0, sigma2: 0.1, ratio: 1.0 }
    }
}

/// How a fixed point treats its neighbourhood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stability {
    /// Attracts from all sides.
    Stable,
    /// Attracts along one line only, the separatrix.
    Saddle,
    /// An eigenvalue is zero: the linear part does not decide.
    Marginal,
    /// Repels to all sides.
    Unstable,
}

/// A point (p, s) where a mode rests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedPoint {
    pub p: f64,
    pub s: f64,
    /// Rows: d(dp/dt)/d(p, s), d(ds/dt)/d(p, s).
    pub jacobian: [[f64; 2]; 2],
    /// Real parts of the Jacobian's eigenvalues, ascending.
    pub eigenvalues: [f64; 2],
    /// Imaginary parts, of the same order.
    pub imaginary: [f64; 2],
    pub stability: Stability,
}

/// An eigenvalue of a Jacobian counts as zero below this times the Jacobian's size.
const ZERO_EIGENVALUE: f64 = 1e-10;

impl ModeDynamics {
    /// With the decays and rates of a run. The theory counts time in steps times the network's learning rate α: the network's
    /// decay stays what it is, the predictor's is multiplied by its rate.
    pub fn of_run(mut self, hyper: &Hyper) -> Self {
        if hyper.encoder.learning_rate > 0.0 {
            self.alpha_p = (hyper.predictor.learning_rate / hyper.encoder.learning_rate).max(1e-3);
        }
        self.eta = hyper.encoder.decay;
        self.eta_p = self.alpha_p * hyper.predictor.decay;
        self
    }

    /// S = 1 + σ².
    pub fn spread(&self) -> f64 {
        1.0 + self.sigma2
    }

    /// η_c = r²/(4S): above this weight decay of the network every mode collapses.
    pub fn critical_eta(&self) -> f64 {
        self.ratio * self.ratio / (4.0 * self.spread())
    }

    /// e = r − S p, what the predictor still misses.
    pub fn error(&self, p: f64) -> f64 {
        self.ratio - self.spread() * p
    }

    /// (dp/dt, ds/dt) = (α_p s e − η_p p, 2 p s e − 2 η s).
    pub fn derivative(&self, [p, s]: [f64; 2]) -> [f64; 2] {
        let e = self.error(p);
        [self.alpha_p * s * e - self.eta_p * p, 2.0 * p * s * e - 2.0 * self.eta * s]
    }

    /// `steps` Runge-Kutta steps of length `dt` from (p, s), the start included: steps + 1 points.
    pub fn trajectory(&self, start: [f64; 2], dt: f64, steps: usize) -> Vec<[f64; 2]> {
        walk(start, steps, |y| rk4(y, dt, |y| self.derivative(y)))
    }

    /// s − p²/α_p, which decays as e^(−2ηt) where η_p = η: the balance law of one mode.
    pub fn balance(&self, [p, s]: [f64; 2]) -> f64 {
        s - p * p / self.alpha_p
    }

    /// p₋ and p₊ = (r ∓ √(r² − 4ηS))/(2S), where p e = η: between them s grows. `None` above η_c.
    pub fn balance_points(&self) -> Option<[f64; 2]> {
        let discriminant = self.ratio * self.ratio - 4.0 * self.eta * self.spread();
        (discriminant >= 0.0).then(|| {
            let larger = (self.ratio + discriminant.sqrt()) / (2.0 * self.spread());
            // The product of both is η/S; the difference r − √… would lose digits for small η.
            let smaller = if larger > 0.0 { self.eta / (self.spread() * larger) } else { 0.0 };
            [smaller, larger]
        })
    }

    /// s on the nullcline of p (where p rests) at `p`: η_p p/(α_p e); `None` where e is not positive or s negative.
    pub fn p_nullcline(&self, p: f64) -> Option<f64> {
        let e = self.error(p);
        (e > 0.0 && p >= 0.0).then(|| self.eta_p * p / (self.alpha_p * e))
    }

    /// All isolated fixed points: collapse (0, 0), then p₋ (a saddle) and p₊ (healthy) for 0 < η ≤ η_c, which are one
    /// at η_c. For η = 0 there is no healthy point: p → r/S while s grows without bound.
    pub fn fixed_points(&self) -> Vec<FixedPoint> {
        let mut points = vec![self.fixed_point(0.0, 0.0)];
        if self.eta > 0.0
            && let Some([smaller, larger]) = self.balance_points()
        {
            let at = |p: f64| self.fixed_point(p, self.eta_p * p * p / (self.alpha_p * self.eta));
            points.push(at(smaller));
            if larger > smaller {
                points.push(at(larger));
            }
        }
        points
    }

    fn fixed_point(&self, p: f64, s: f64) -> FixedPoint {
        let (spread, e) = (self.spread(), self.error(p));
        let jacobian = [
            [-self.alpha_p * s * spread - self.eta_p, self.alpha_p * e],
            [2.0 * s * (self.ratio - 2.0 * spread * p), 2.0 * p * e - 2.0 * self.eta],
        ];
        let [[a, b], [c, d]] = jacobian;
        let (mean, square) = ((a + d) / 2.0, ((a - d) / 2.0).powi(2) + b * c);
        let (eigenvalues, imaginary) = if square >= 0.0 {
            let root = square.sqrt();
            ([mean - root, mean + root], [0.0, 0.0])
        } else {
            ([mean, mean], [-(-square).sqrt(), (-square).sqrt()])
        };
        let size = a.abs() + d.abs() + (b * c).abs().sqrt();
        let is_zero = |value: f64| value.abs() <= ZERO_EIGENVALUE * size;
        let stability = match eigenvalues {
            [low, high] if is_zero(low) || is_zero(high) => Stability::Marginal,
            [_, high] if high < 0.0 => Stability::Stable,
            [low, _] if low > 0.0 => Stability::Unstable,
            _ => Stability::Saddle,
        };
        FixedPoint { p, s, jacobian, eigenvalues, imaginary, stability }
    }
}

fn walk<const N: usize>(start: [f64; N], steps: usize, step: impl Fn([f64; N]) -> [f64; N]) -> Vec<[f64; N]> {
    let mut points = Vec::with_capacity(steps + 1);
    points.push(start);
    let mut y = start;
    for _ in 0..steps {
        y = step(y);
        points.push(y);
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_points_rest_and_vanish_above_the_critical_decay() {
        let dynamics = ModeDynamics { eta: 0.03, eta_p: 0.07, alpha_p: 2.5, sigma2: 0.3, ratio: 0.9 };
        let points = dynamics.fixed_points();
        let kinds: Vec<_> = points.iter().map(|point| point.stability).collect();
        assert_eq!(kinds, [Stability::Stable, Stability::Saddle, Stability::Stable]);
        for point in &points {
            let [dp, ds] = dynamics.derivative([point.p, point.s]);
            assert!(dp.abs() < 1e-14 && ds.abs() < 1e-14);
        }
        let above = ModeDynamics { eta: dynamics.critical_eta() * 1.0001, ..dynamics };
        assert_eq!(above.fixed_points().len(), 1);
        let without = ModeDynamics { eta: 0.0, ..dynamics };
        assert_eq!(without.fixed_points()[0].stability, Stability::Marginal);
    }

    #[test]
    fn the_jacobian_is_that_of_finite_differences() {
        let dynamics = ModeDynamics { eta: 0.04, eta_p: 0.06, alpha_p: 3.0, sigma2: 0.2, ratio: 1.1 };
        let point = dynamics.fixed_points()[2];
        let h = 1e-6;
        for (column, step) in [[h, 0.0], [0.0, h]].into_iter().enumerate() {
            let ahead = dynamics.derivative([point.p + step[0], point.s + step[1]]);
            let behind = dynamics.derivative([point.p - step[0], point.s - step[1]]);
            for row in 0..2 {
                assert!(((ahead[row] - behind[row]) / (2.0 * h) - point.jacobian[row][column]).abs() < 1e-8);
            }
        }
    }

    #[test]
    fn with_equal_decays_the_balance_decays_exponentially() {
        let dynamics = ModeDynamics { alpha_p: 2.0, ..ModeDynamics::default() };
        let start = [-0.2, 0.4];
        let path = dynamics.trajectory(start, 0.01, 2000);
        let t = 20.0;
        let expected = dynamics.balance(start) * (-2.0 * dynamics.eta * t).exp();
        assert!((dynamics.balance(path[2000]) - expected).abs() < 1e-8);
    }
}
