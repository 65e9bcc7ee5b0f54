//! The same matrices under the loss that the network trains on, L = E[−cos(Wp W x1, Wa x2) − cos(Wp W x2, Wa x1)], by the network's
//! own gradient descent with momentum. There is no closed theory of it here: it is simulated, on drawn pairs of views.
//!
//! The gradient is orthogonal to Wp W x, so that it neither lengthens nor shortens W or Wp: lengths fall by the decay alone, and
//! grow by the finite length of a step.

use super::matrix::{MatrixState, Slope, Snapshot, Target, advance, modes};
use crate::compute::linalg::{LinalgError, Matrix};
use crate::compute::streams;
use crate::metrics::alignment::{asymmetry, commutator};
use crate::metrics::spectrum::effective_rank;

/// Smallest length that is divided by.
const FLOOR: f64 = 1e-12;

/// Pairs of views: row i of both is of one picture, N x n each.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairs {
    first: Matrix,
    second: Matrix,
}

impl Pairs {
    /// Pictures of mean 0 and covariance I; each view adds noise of variance σ².
    pub fn drawn(count: usize, inputs: usize, sigma2: f64, seed: u64) -> Self {
        let mut generator = streams::ALONE.open(seed, 1);
        let mut normal = || Matrix::from_fn(count, inputs, |_, _| generator.normal());
        let (mean, one, two) = (normal(), normal(), normal());
        let spread = sigma2.max(0.0).sqrt();
        Self { first: mean.plus(&one.scaled(spread)), second: mean.plus(&two.scaled(spread)) }
    }

    /// All views, and in the same place the other view of the same picture: 2N x n.
    fn both(&self) -> [Matrix; 2] {
        let stacked = |a: &Matrix, b: &Matrix| {
            let n = a.rows();
            Matrix::from_fn(2 * n, a.columns(), |i, j| if i < n { a[(i, j)] } else { b[(i - n, j)] })
        };
        [stacked(&self.first, &self.second), stacked(&self.second, &self.first)]
    }
}

/// The constants of the descent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CosineDynamics {
    pub eta: f64,
    /// In the theory's time, as of the L2 loss: α_p times the predictor's own decay.
    pub eta_p: f64,
    pub alpha_p: f64,
    pub target: Target,
    /// Wp ← (Wp + Wpᵀ)/2 after every step.
    pub symmetrise: bool,
    /// Factor of the loss.
    pub loss_scale: f64,
    /// α, the learning rate of W.
    pub rate: f64,
    /// μ of v ← μ v + g; w ← w − α v.
    pub momentum: f64,
}

impl CosineDynamics {
    /// Time that a step takes, in steps times the learning rate that momentum comes to: α/(1 − μ).
    pub fn time_of_a_step(&self) -> f64 {
        self.rate / (1.0 - self.momentum)
    }
}

/// The loss on drawn pairs.
#[derive(Debug, Clone)]
pub struct CosineLoss {
    views: Matrix,
    others: Matrix,
}

/// One pass.
struct Pass {
    /// W x, 2N x d.
    z: Matrix,
    /// −∂L/∂p, 2N x d.
    pull: Matrix,
    loss: f64,
}

impl CosineLoss {
    pub fn new(pairs: &Pairs) -> Self {
        let [views, others] = pairs.both();
        Self { views, others }
    }

    fn pass(&self, state: &MatrixState) -> Pass {
        let z = self.views.times_transposed(&state.w);
        let p = z.times_transposed(&state.wp);
        let t = self.others.times_transposed(&state.wa);
        let (n, d) = (p.rows(), p.columns());
        // Two terms a picture.
        let share = 2.0 / n as f64;
        let length = |row: &[f64]| row.iter().map(|v| v * v).sum::<f64>().sqrt().max(FLOOR);
        let (mut pull, mut loss) = (Matrix::zeros(n, d), 0.0);
        for i in 0..n {
            let (of_p, of_t) = (length(p.row(i)), length(t.row(i)));
            let cosine = p.row(i).iter().zip(t.row(i)).map(|(p, t)| p * t).sum::<f64>() / (of_p * of_t);
            loss -= share * cosine;
            for j in 0..d {
                pull[(i, j)] = share * (t[(i, j)] / of_t - cosine * p[(i, j)] / of_p) / of_p;
            }
        }
        Pass { z, pull, loss }
    }

    /// L, from −2 (every pair at one) to 2.
    pub fn loss(&self, state: &MatrixState) -> f64 {
        self.pass(state).loss
    }

    /// −∂L/∂W and −∂L/∂Wp; the target takes no gradient.
    pub fn descent(&self, state: &MatrixState) -> [Matrix; 2] {
        let Pass { z, pull, .. } = self.pass(state);
        let w = state.wp.transposed_times(&pull.transposed_times(&self.views));
        [w, pull.transposed_times(&z)]
    }

    /// F = E[W x xᵀ Wᵀ] over all views, d x d, as the lab measures it.
    pub fn correlation(&self, state: &MatrixState) -> Matrix {
        let z = self.views.times_transposed(&state.w);
        z.transposed_times(&z).scaled(1.0 / z.rows() as f64)
    }

    /// One step of gradient descent; `velocity`: that of W and Wp before it, and after.
    pub fn step(&self, dynamics: &CosineDynamics, state: &mut MatrixState, velocity: &mut [Matrix; 2]) {
        let CosineDynamics { eta, eta_p, alpha_p, loss_scale, rate, momentum, .. } = *dynamics;
        let [w, wp] = self.descent(state);
        let with_decay = |pull: Matrix, factor: f64, decay: f64, of: &Matrix| {
            pull.scaled(loss_scale * factor).minus(&of.scaled(decay))
        };
        let slopes = [with_decay(w, 1.0, eta, &state.w), with_decay(wp, alpha_p, eta_p, &state.wp)];
        for (velocity, slope) in velocity.iter_mut().zip(slopes) {
            *velocity = velocity.scaled(momentum).plus(&slope);
        }
        let [w, wp] = &*velocity;
        let slope = Slope { w: w.clone(), wp: wp.clone(), wa: Matrix::zeros(w.rows(), w.columns()) };
        advance(state, rate, &slope);
        if dynamics.symmetrise {
            state.wp = state.wp.symmetrised();
        }
        match dynamics.target {
            Target::Copy => state.wa.clone_from(&state.w),
            Target::Following { beta } => {
                let share = (beta * dynamics.time_of_a_step()).min(1.0);
                state.wa = state.wa.plus(&state.w.minus(&state.wa).scaled(share));
            }
        }
    }

    /// What the panel shows of a state.
    ///
    /// # Errors
    /// A state that is not finite.
    pub fn measure(&self, state: &MatrixState, time: f64) -> Result<Snapshot, LinalgError> {
        let f = self.correlation(state);
        let (values, modes) = modes(&f, &state.wp)?;
        Ok(Snapshot {
            time,
            asymmetry: asymmetry(&state.wp).frobenius,
            commutator: commutator(&f, &state.wp),
            certificate: None,
            balance_residual: None,
            loss: Some(self.loss(state)),
            rank: effective_rank(&values, 0.0),
            modes,
        })
    }
}

/// Descends from `start` for so many steps and measures `snapshots` times, evenly, the start included. Ends early where the numbers
/// stop being finite.
///
/// # Errors
/// A start that is not finite.
pub fn descend(
    dynamics: &CosineDynamics,
    loss: &CosineLoss,
    start: &MatrixState,
    steps: usize,
    snapshots: usize,
) -> Result<Vec<Snapshot>, LinalgError> {
    let every = steps.div_ceil(snapshots.max(2) - 1).max(1);
    let mut state = start.clone();
    let mut velocity = [&state.w, &state.wp].map(|of| Matrix::zeros(of.rows(), of.columns()));
    let mut seen = vec![loss.measure(&state, 0.0)?];
    for step in 1..=steps {
        loss.step(dynamics, &mut state, &mut velocity);
        if step % every == 0 || step == steps {
            match loss.measure(&state, step as f64 * dynamics.time_of_a_step()) {
                Ok(snapshot) => seen.push(snapshot),
                Err(_) => break,
            }
        }
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::super::matrix::Start;
    use super::*;

    const DYNAMICS: CosineDynamics = CosineDynamics {
        eta: 0.0,
        eta_p: 0.0,
        alpha_p: 2.0,
        target: Target::Copy,
        symmetrise: false,
        loss_scale: 1.0,
        rate: 1e-3,
        momentum: 0.0,
    };

    fn start(features: usize, inputs: usize) -> MatrixState {
        Start { features, inputs, independent_target: true, ..Start::default() }.state()
    }

    fn zero(state: &MatrixState) -> [Matrix; 2] {
        [&state.w, &state.wp].map(|of| Matrix::zeros(of.rows(), of.columns()))
    }

    #[test]
    fn the_gradient_is_the_loss_differentiated() {
        let (loss, state) = (CosineLoss::new(&Pairs::drawn(20, 5, 0.3, 3)), start(4, 5));
        let [w, wp] = loss.descent(&state);
        let h = 1e-6;
        let slope = |change: &dyn Fn(&mut MatrixState, f64)| {
            let at = |h: f64| {
                let mut moved = state.clone();
                change(&mut moved, h);
                loss.loss(&moved)
            };
            -(at(h) - at(-h)) / (2.0 * h)
        };
        for i in 0..4 {
            for j in 0..5 {
                let found = slope(&|moved, h| moved.w[(i, j)] += h);
                assert!((found - w[(i, j)]).abs() < 1e-8, "W {i} {j}: {found} against {}", w[(i, j)]);
            }
            for j in 0..4 {
                let found = slope(&|moved, h| moved.wp[(i, j)] += h);
                assert!((found - wp[(i, j)]).abs() < 1e-8, "Wp {i} {j}: {found} against {}", wp[(i, j)]);
            }
        }
        assert!(w.frobenius() > 1e-3 && wp.frobenius() > 1e-3);
    }

    #[test]
    fn the_loss_sees_no_lengths_and_its_gradient_changes_none() {
        let (loss, state) = (CosineLoss::new(&Pairs::drawn(30, 6, 0.2, 1)), start(6, 6));
        let longer = MatrixState { w: state.w.scaled(3.0), wp: state.wp.scaled(0.2), wa: state.wa.scaled(7.0) };
        assert!((loss.loss(&state) - loss.loss(&longer)).abs() < 1e-13);
        assert!((-2.0..=2.0).contains(&loss.loss(&state)));
        let dot = |a: &Matrix, b: &Matrix| a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| a * b).sum::<f64>();
        let [w, wp] = loss.descent(&state);
        assert!(dot(&w, &state.w).abs() < 1e-13 && dot(&wp, &state.wp).abs() < 1e-13);
        // The balance of both layers is kept, whatever the loss: W ∂Wᵀ = ∂Wpᵀ Wp.
        let [left, right] = [w.times_transposed(&state.w), state.wp.transposed_times(&wp)];
        assert!(left.minus(&right).frobenius() < 1e-13 * (1.0 + left.frobenius()));
        // Without decay a step lengthens by its own square.
        let (mut moved, mut velocity) = (state.clone(), zero(&state));
        let dynamics = CosineDynamics { rate: 0.3, ..DYNAMICS };
        loss.step(&dynamics, &mut moved, &mut velocity);
        let expected = state.w.frobenius().powi(2) + (0.3 * w.frobenius()).powi(2);
        assert!((moved.w.frobenius().powi(2) - expected).abs() < 1e-12);
    }

    #[test]
    fn lengths_fall_by_the_decay_alone_in_small_steps() {
        let (loss, mut state) = (CosineLoss::new(&Pairs::drawn(30, 4, 0.2, 1)), start(4, 4));
        let dynamics = CosineDynamics { eta: 0.2, eta_p: 0.4, rate: 2e-4, ..DYNAMICS };
        let (before, mut velocity) = ([state.w.frobenius(), state.wp.frobenius()], zero(&state));
        (0..2000).for_each(|_| loss.step(&dynamics, &mut state, &mut velocity));
        for (after, before, decay) in [(&state.w, before[0], 0.2), (&state.wp, before[1], 0.4)] {
            let expected = before * f64::exp(-decay * 0.4);
            assert!((after.frobenius() / expected - 1.0).abs() < 2e-3, "{} {expected}", after.frobenius());
        }
    }

    #[test]
    fn equal_views_seen_alike_are_at_rest() {
        let loss = CosineLoss::new(&Pairs::drawn(15, 5, 0.0, 2));
        let w = start(5, 5).w;
        let state = MatrixState { wa: w.clone(), wp: Matrix::identity(5).scaled(0.3), w };
        assert!((loss.loss(&state) + 2.0).abs() < 1e-12);
        let [w, wp] = loss.descent(&state);
        assert!(w.frobenius() < 1e-12 && wp.frobenius() < 1e-12);
    }

    #[test]
    fn momentum_goes_as_far_in_the_same_time_where_the_slope_stays() {
        // Decay alone, so slow that the slope hardly changes: both end at e^(−ηt).
        let loss = CosineLoss::new(&Pairs::drawn(4, 3, 0.1, 2));
        let ends = [(1e-3, 0.0, 4000), (1e-4, 0.9, 4000)].map(|(rate, momentum, steps)| {
            let mut state = start(3, 3);
            let before = state.w.frobenius();
            let dynamics = CosineDynamics { loss_scale: 0.0, eta: 0.05, rate, momentum, ..DYNAMICS };
            let mut velocity = zero(&state);
            (0..steps).for_each(|_| loss.step(&dynamics, &mut state, &mut velocity));
            (state.w.frobenius() / before, steps as f64 * dynamics.time_of_a_step())
        });
        for (end, time) in ends {
            assert!((time - 4.0).abs() < 1e-9 && (end - f64::exp(-0.05 * 4.0)).abs() < 1e-3, "{end} at {time}");
        }
    }

    #[test]
    fn the_target_follows_by_its_share_of_each_step() {
        let loss = CosineLoss::new(&Pairs::drawn(10, 3, 0.1, 2));
        let mut state = start(3, 3);
        // A run with τ 0.9: β = (1 − τ)/(α/(1 − μ)).
        let dynamics = CosineDynamics { rate: 0.02, momentum: 0.5, ..DYNAMICS };
        let beta = 0.1 / dynamics.time_of_a_step();
        let dynamics = CosineDynamics { target: Target::Following { beta }, ..dynamics };
        let (old, mut velocity) = (state.wa.clone(), zero(&state));
        loss.step(&dynamics, &mut state, &mut velocity);
        let expected = old.scaled(0.9).plus(&state.w.scaled(0.1));
        assert!(state.wa.minus(&expected).frobenius() < 1e-14);
    }

    #[test]
    fn a_descent_turns_the_predictor_symmetric_and_learns() {
        let loss = CosineLoss::new(&Pairs::drawn(64, 6, 0.1, 5));
        let dynamics = CosineDynamics { eta: 0.02, eta_p: 0.02, alpha_p: 1.0, rate: 0.05, momentum: 0.9, ..DYNAMICS };
        let start = Start { features: 6, inputs: 6, ..Start::default() }.state();
        let seen = descend(&dynamics, &loss, &start, 800, 41).unwrap();
        let (first, last) = (seen.first().unwrap(), seen.last().unwrap());
        assert_eq!(seen.len(), 41);
        assert!((last.time - 400.0).abs() < 1e-9);
        assert!(last.loss.unwrap() < -1.5 && last.loss < first.loss, "{:?} {:?}", first.loss, last.loss);
        assert!(last.asymmetry < 0.2 * first.asymmetry, "{} {}", first.asymmetry, last.asymmetry);
        assert!(last.rank.is_some_and(|rank| (1.0..=6.0).contains(&rank)), "{:?}", last.rank);
    }
}
