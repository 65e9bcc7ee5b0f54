//! The matrix simulator: the paper's eqs. 2 to 4 for whole matrices, with the quantities that the theory watches.

use crate::compute::linalg::{LinalgError, Matrix, symmetric_eigen, symmetric_eigenvalues};
use crate::compute::streams;
use crate::metrics::alignment::{asymmetry, commutator};
use crate::metrics::spectrum::effective_rank;

/// The constants of the motion.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixDynamics {
    pub eta: f64,
    pub eta_p: f64,
    pub alpha_p: f64,
    pub target: Target,
    /// Wp ← (Wp + Wpᵀ)/2 after every step.
    pub symmetrise: bool,
    pub data: Data,
}

/// What the target does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// Wa = W after every step (SimSiam).
    Copy,
    /// dWa/dt = β (W − Wa).
    Following { beta: f64 },
}

/// The correlations of the data.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// X = I, X' = σ² I: the case that the theory solves.
    Isotropic { sigma2: f64 },
    /// X and X', n x n each.
    General { x: Matrix, augmentation: Matrix },
}

/// W and Wa (d x n), Wp (d x d).
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixState {
    pub w: Matrix,
    pub wp: Matrix,
    pub wa: Matrix,
}

/// How a simulation starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Start {
    /// d, rows of W; 3 to 16 in the panel.
    pub features: usize,
    /// n, columns of W.
    pub inputs: usize,
    /// Entries of W are normal with standard deviation `w_scale`/√n, of Wp with `wp_scale`/√d.
    pub w_scale: f64,
    pub wp_scale: f64,
    /// Start from the symmetric part of Wp.
    pub symmetric: bool,
    /// Draw Wa on its own instead of copying W.
    pub independent_target: bool,
    pub seed: u64,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            features: 8,
            inputs: 8,
            w_scale: 1.0,
            wp_scale: 1.0,
            symmetric: false,
            independent_target: false,
            seed: 7,
        }
    }
}

impl Start {
    /// Draws the matrices.
    pub fn state(&self) -> MatrixState {
        let mut generator = streams::ALONE.open(self.seed, 0);
        let mut normal = |rows, columns, scale: f64, fan: usize| {
            Matrix::from_fn(rows, columns, |_, _| scale / (fan.max(1) as f64).sqrt() * generator.normal())
        };
        let (d, n) = (self.features, self.inputs);
        let w = normal(d, n, self.w_scale, n);
        let wp = normal(d, d, self.wp_scale, d);
        let wa = if self.independent_target { normal(d, n, self.w_scale, n) } else { w.clone() };
        MatrixState { w, wp: if self.symmetric { wp.symmetrised() } else { wp }, wa }
    }
}

/// d/dt of the three matrices.
pub(super) struct Slope {
    pub w: Matrix,
    pub wp: Matrix,
    pub wa: Matrix,
}

impl MatrixDynamics {
    /// G = −Wp W (X + X') + Wa X; dWp = α_p G Wᵀ − η_p Wp; dW = Wpᵀ G − η W; dWa = β (W − Wa).
    fn slope(&self, state: &MatrixState) -> Slope {
        let MatrixState { w, wp, .. } = state;
        let wa = if self.target == Target::Copy { w } else { &state.wa };
        let g = match &self.data {
            Data::Isotropic { sigma2 } => {
                let mut g = wp.times(w);
                for (g, wa) in g.as_mut_slice().iter_mut().zip(wa.as_slice()) {
                    *g = wa - (1.0 + sigma2) * *g;
                }
                g
            }
            Data::General { x, augmentation } => wa.times(x).minus(&wp.times(&w.times(&x.plus(augmentation)))),
        };
        let combine = |product: Matrix, factor: f64, decay: f64, of: &Matrix| {
            let mut sum = product;
            for (target, value) in sum.as_mut_slice().iter_mut().zip(of.as_slice()) {
                *target = factor * *target - decay * value;
            }
            sum
        };
        Slope {
            wp: combine(g.times_transposed(w), self.alpha_p, self.eta_p, wp),
            w: combine(wp.transposed_times(&g), 1.0, self.eta, w),
            wa: match self.target {
                Target::Copy => Matrix::zeros(w.rows(), w.columns()),
                Target::Following { beta } => w.minus(&state.wa).scaled(beta),
            },
        }
    }

    /// One explicit Euler step: what gradient descent does.
    pub fn euler(&self, state: &mut MatrixState, dt: f64) {
        let slope = self.slope(state);
        advance(state, dt, &slope);
        self.finish(state);
    }

    /// One classical Runge-Kutta step: close to the flow itself.
    pub fn rk4(&self, state: &mut MatrixState, dt: f64) {
        let start = state.clone();
        let k1 = self.slope(state);
        let at = |dt: f64, k: &Slope| {
            let mut moved = start.clone();
            advance(&mut moved, dt, k);
            self.slope(&moved)
        };
        let k2 = at(dt / 2.0, &k1);
        let k3 = at(dt / 2.0, &k2);
        let k4 = at(dt, &k3);
        for (weight, k) in [(1.0, &k1), (2.0, &k2), (2.0, &k3), (1.0, &k4)] {
            advance(state, dt * weight / 6.0, k);
        }
        self.finish(state);
    }

    fn finish(&self, state: &mut MatrixState) {
        if self.symmetrise {
            state.wp = state.wp.symmetrised();
        }
        if self.target == Target::Copy {
            state.wa.clone_from(&state.w);
        }
    }

    /// F = W X Wᵀ, d x d.
    pub fn correlation(&self, state: &MatrixState) -> Matrix {
        match &self.data {
            Data::Isotropic { .. } => state.w.times_transposed(&state.w),
            Data::General { x, .. } => state.w.times(x).times_transposed(&state.w),
        }
    }

    /// W Wᵀ − WpᵀWp/α_p, d x d, which decays as e^(−2ηt) where η_p = η and nothing is symmetrised by hand.
    pub fn balance(&self, state: &MatrixState) -> Matrix {
        let predictor = state.wp.transposed_times(&state.wp).scaled(1.0 / self.alpha_p);
        state.w.times_transposed(&state.w).minus(&predictor)
    }

    /// Whether the balance law holds for these settings.
    pub fn is_balanced(&self) -> bool {
        self.eta == self.eta_p && !self.symmetrise
    }

    /// ‖c(t) − c(0) e^(−2ηt)‖/‖c(0)‖ of the balance c, from the start's balance and the time since: 0 for the exact flow.
    pub fn balance_residual(&self, state: &MatrixState, initial: &Matrix, time: f64) -> f64 {
        let size = initial.frobenius();
        let expected = initial.scaled((-2.0 * self.eta * time).exp());
        if size > 0.0 { self.balance(state).minus(&expected).frobenius() / size } else { 0.0 }
    }

    /// K = (α_p S/2) F + S Wp² − r Wp + ((2η + η_p)/2) I, for which the commutator C = [F, Wp] obeys dC/dt = −(K C + C K):
    /// while its smallest eigenvalue is positive, the eigenspaces align. Only for isotropic data; the symmetric part of Wp
    /// is taken, and r from [`target_ratio`].
    pub fn certificate_matrix(&self, state: &MatrixState) -> Option<Matrix> {
        let Data::Isotropic { sigma2 } = self.data else { return None };
        let spread = 1.0 + sigma2;
        let (f, wp) = (self.correlation(state), state.wp.symmetrised());
        let square = wp.times(&wp);
        let ratio = if self.target == Target::Copy { 1.0 } else { target_ratio(state) };
        let floor = (2.0 * self.eta + self.eta_p) / 2.0;
        Some(Matrix::from_fn(f.rows(), f.rows(), |i, j| {
            let identity = if i == j { floor } else { 0.0 };
            self.alpha_p * spread / 2.0 * f[(i, j)] + spread * square[(i, j)] - ratio * wp[(i, j)] + identity
        }))
    }

    /// λ_min(K), the theory's own certificate that the eigenspaces align; see [`MatrixDynamics::certificate_matrix`].
    ///
    /// # Errors
    /// A simulation that has left the finite numbers.
    pub fn certificate(&self, state: &MatrixState) -> Result<Option<f64>, LinalgError> {
        let Some(k) = self.certificate_matrix(state) else { return Ok(None) };
        Ok(symmetric_eigenvalues(&k)?.last().copied())
    }
}

/// The r that fits Wa = r W best: ⟨Wa, W⟩/⟨W, W⟩; 1 for W = 0.
pub fn target_ratio(state: &MatrixState) -> f64 {
    let dot = |a: &Matrix, b: &Matrix| a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| a * b).sum::<f64>();
    let size = dot(&state.w, &state.w);
    if size > 0.0 { dot(&state.wa, &state.w) / size } else { 1.0 }
}

pub(super) fn advance(state: &mut MatrixState, dt: f64, slope: &Slope) {
    let parts = [(&mut state.w, &slope.w), (&mut state.wp, &slope.wp), (&mut state.wa, &slope.wa)];
    for (matrix, slope) in parts {
        for (value, slope) in matrix.as_mut_slice().iter_mut().zip(slope.as_slice()) {
            *value += dt * slope;
        }
    }
}

/// What the panel shows of a simulation at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    pub time: f64,
    /// ‖Wp − Wpᵀ‖/‖Wp‖, Frobenius.
    pub asymmetry: f64,
    /// ‖F Wp − Wp F‖/(‖F‖‖Wp‖).
    pub commutator: f64,
    /// λ_min(K); `None` for other than isotropic data.
    pub certificate: Option<f64>,
    /// Relative residual of the balance law; `None` where it does not hold by construction.
    pub balance_residual: Option<f64>,
    /// Of the cosine loss, from −2 to 2; `None`: of the L2 loss.
    pub loss: Option<f64>,
    /// exp of the entropy of F's eigenvalues, from 1 to d; `None` for F = 0.
    pub rank: Option<f64>,
    /// (v_j·Wp v_j, λ_j) for the eigenvectors of F, λ descending: the modes, to lay over the phase portrait.
    pub modes: Vec<[f64; 2]>,
}

/// Runs a simulation by Runge-Kutta steps of `dt` from `start` to `duration` and measures it `snapshots` times, evenly,
/// the start included. Ends early where the numbers stop being finite (`dt` too long for these rates).
///
/// # Errors
/// A start that is not finite.
pub fn simulate(
    dynamics: &MatrixDynamics,
    start: &MatrixState,
    dt: f64,
    duration: f64,
    snapshots: usize,
) -> Result<Vec<Snapshot>, LinalgError> {
    let steps = (duration / dt).ceil().max(1.0) as usize;
    let every = steps.div_ceil(snapshots.max(2) - 1).max(1);
    let initial = dynamics.balance(start);
    let mut state = start.clone();
    let mut seen = vec![measure(dynamics, &state, &initial, 0.0)?];
    for step in 1..=steps {
        dynamics.rk4(&mut state, dt);
        if step % every == 0 || step == steps {
            match measure(dynamics, &state, &initial, step as f64 * dt) {
                Ok(snapshot) => seen.push(snapshot),
                Err(_) => break,
            }
        }
    }
    Ok(seen)
}

/// Measures one state; `initial` is the balance at time 0.
///
/// # Errors
/// A state that is not finite.
pub fn measure(
    dynamics: &MatrixDynamics,
    state: &MatrixState,
    initial: &Matrix,
    time: f64,
) -> Result<Snapshot, LinalgError> {
    let f = dynamics.correlation(state);
    let (values, modes) = modes(&f, &state.wp)?;
    Ok(Snapshot {
        time,
        asymmetry: asymmetry(&state.wp).frobenius,
        commutator: commutator(&f, &state.wp),
        certificate: dynamics.certificate(state)?,
        balance_residual: dynamics.is_balanced().then(|| dynamics.balance_residual(state, initial, time)),
        loss: None,
        rank: effective_rank(&values, 0.0),
        modes,
    })
}

/// Eigenvalues λ_j of F, descending, and (v_j·Wp v_j, λ_j) for their eigenvectors.
pub(super) fn modes(f: &Matrix, wp: &Matrix) -> Result<(Vec<f64>, Vec<[f64; 2]>), LinalgError> {
    let eigen = symmetric_eigen(f)?;
    let mapped = wp.times(&eigen.vectors);
    let of = |j: usize| [(0..f.rows()).map(|i| eigen.vectors[(i, j)] * mapped[(i, j)]).sum(), eigen.values[j]];
    let modes = (0..f.rows()).map(of).collect();
    Ok((eigen.values, modes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dynamics() -> MatrixDynamics {
        MatrixDynamics {
            eta: 0.05,
            eta_p: 0.05,
            alpha_p: 2.0,
            target: Target::Copy,
            symmetrise: false,
            data: Data::Isotropic { sigma2: 0.1 },
        }
    }

    #[test]
    fn the_commutator_moves_as_the_certificate_says() {
        let dynamics = MatrixDynamics { symmetrise: true, eta_p: 0.08, ..dynamics() };
        let state = Start { symmetric: true, ..Start::default() }.state();
        let bracket = |state: &MatrixState| {
            let f = dynamics.correlation(state);
            f.times(&state.wp).minus(&state.wp.times(&f))
        };
        let h = 1e-5;
        let moved = |sign: f64| {
            let mut moved = state.clone();
            dynamics.rk4(&mut moved, sign * h);
            bracket(&moved)
        };
        let slope = moved(1.0).minus(&moved(-1.0)).scaled(0.5 / h);
        let (k, c) = (dynamics.certificate_matrix(&state).unwrap(), bracket(&state));
        let expected = k.times(&c).plus(&c.times(&k)).scaled(-1.0);
        assert!(slope.minus(&expected).frobenius() < 1e-7 * expected.frobenius());
    }

    #[test]
    fn the_balance_law_holds_for_any_data() {
        let z = Matrix::from_fn(20, 5, |i, j| ((i * 3 + j) as f64 * 0.9).sin());
        let x = z.transposed_times(&z).scaled(1.0 / 20.0);
        let general = Data::General { augmentation: Matrix::identity(5).scaled(0.2).plus(&x.scaled(0.1)), x };
        let target = Target::Following { beta: 0.3 };
        let dynamics = MatrixDynamics { data: general, target, ..dynamics() };
        let start = Start { features: 4, inputs: 5, independent_target: true, ..Start::default() };
        let seen = simulate(&dynamics, &start.state(), 0.01, 20.0, 11).unwrap();
        assert_eq!(seen.len(), 11);
        assert!(seen.iter().all(|snapshot| snapshot.balance_residual.unwrap() < 1e-8));
        assert!(seen.iter().all(|snapshot| snapshot.certificate.is_none()));
    }

    #[test]
    fn eigenspaces_align_and_the_predictor_turns_symmetric_by_itself() {
        let seen = simulate(&dynamics(), &Start::default().state(), 0.02, 80.0, 41).unwrap();
        let (first, last) = (seen.first().unwrap(), seen.last().unwrap());
        // It falls only as fast as the decay removes the antisymmetric part: e^(−η_p t) = .02 of it is left.
        assert!(first.asymmetry > 1.0 && last.asymmetry < 0.03, "{} {}", first.asymmetry, last.asymmetry);
        assert!(last.commutator < 1e-2 && last.commutator < 0.1 * first.commutator, "{}", last.commutator);
    }

    #[test]
    fn a_diagonal_start_is_the_decoupled_modes() {
        use crate::labs::self_supervised::theory::modes::ModeDynamics;
        let modes = [[0.3, 0.2], [-0.1, 0.05], [0.05, 0.6]];
        let diagonal =
            |f: &dyn Fn([f64; 2]) -> f64| Matrix::from_fn(3, 3, |i, j| if i == j { f(modes[i]) } else { 0.0 });
        let w = diagonal(&|[_, s]| s.sqrt());
        let mut state = MatrixState { wa: w.clone(), wp: diagonal(&|[p, _]| p), w };
        let (matrix, mode) = (dynamics(), ModeDynamics { alpha_p: 2.0, ..ModeDynamics::default() });
        for _ in 0..500 {
            matrix.rk4(&mut state, 0.02);
        }
        for (i, start) in modes.into_iter().enumerate() {
            let [p, s] = mode.trajectory(start, 0.02, 500)[500];
            assert!((state.wp[(i, i)] - p).abs() < 1e-8 && (state.w[(i, i)].powi(2) - s).abs() < 1e-8);
        }
    }

    #[test]
    fn a_target_that_follows_at_once_is_simsiam() {
        let one = |value: f64| Matrix::from_fn(1, 1, |_, _| value);
        let end = |target| {
            let mut state = MatrixState { w: one(0.3), wp: one(0.2), wa: one(0.3) };
            let dynamics = MatrixDynamics { target, ..dynamics() };
            (0..5000).for_each(|_| dynamics.rk4(&mut state, 0.001));
            state.wp[(0, 0)]
        };
        assert!((end(Target::Following { beta: 500.0 }) - end(Target::Copy)).abs() < 2e-3);
    }

    #[test]
    fn too_long_a_step_ends_the_simulation_and_not_the_program() {
        let dynamics = MatrixDynamics { alpha_p: 100.0, ..dynamics() };
        let seen = simulate(&dynamics, &Start::default().state(), 5.0, 1000.0, 50).unwrap();
        assert!(seen.len() < 50);
    }
}
