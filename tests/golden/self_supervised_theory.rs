//! Golden cases of the self-supervised lab's linear theory: the matrix equations and the decoupled modes.

use learnscope::compute::linalg::{Matrix, symmetric_eigenvalues};
use learnscope::labs::self_supervised::theory::matrix::{Data, MatrixDynamics, MatrixState, Target};
use learnscope::labs::self_supervised::theory::modes::{ModeDynamics, Stability};
use learnscope::labs::self_supervised::theory::separatrix::Separatrix;
use learnscope::metrics::alignment::{asymmetry, commutator};
use serde_json::Value;

use super::self_supervised_cases::{DEFAULT, compare};
use super::values::{as_numbers, field, list, matrix, number, numbers, only, optional, switch, text, whole};
use super::{Report, Tolerance};

/// The separatrix was integrated from 10⁻⁷ beside the saddle.
const SEPARATRIX: Tolerance = Tolerance { relative: 1e-5, absolute: 0.0 };
/// The balance is multiplied by e^(2ηt), and its rounding with it.
const INVARIANT: Tolerance = Tolerance { relative: 1e-4, absolute: 0.0 };
/// Beyond this 2ηt the factor has turned the balance into rounding.
const INVARIANT_UNTIL: f64 = 10.0;

pub fn check_linear_ode(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const KIND: &str = "runs of the matrix equations";
    const SNAPSHOTS: &str = "snapshots of the matrix equations";
    const KEYS: [&str; 8] = ["step", "W", "Wp", "Wa", "asym_frob", "commutator_rel", "F_eig_desc", "balance"];
    only(
        case,
        &[
            "d_out",
            "d_in",
            "alpha_p",
            "beta",
            "target",
            "eta",
            "eta_p",
            "symmetrise_each_step",
            "X",
            "Xprime",
            "W0",
            "Wp0",
            "Wa0",
            "integrator",
            "dt",
            "steps",
            "expect",
        ],
    )?;
    let expect = field(case, "expect")?;
    only(expect, &["snapshots"])?;
    if text(case, "integrator")? != "explicit Euler" {
        return Err(format!("unknown integrator `{}`", text(case, "integrator")?));
    }
    report.case(KIND);
    let dynamics = MatrixDynamics {
        eta: number(case, "eta")?,
        eta_p: number(case, "eta_p")?,
        alpha_p: number(case, "alpha_p")?,
        target: match (text(case, "target")?, optional(case, "beta")?) {
            ("EMA", Some(beta)) => Target::Following { beta },
            ("Wa:=W (SimSiam)", None) => Target::Copy,
            (target, beta) => return Err(format!("unknown target `{target}` with beta {beta:?}")),
        },
        symmetrise: switch(case, "symmetrise_each_step")?,
        data: data(matrix(case, "X")?, matrix(case, "Xprime")?),
    };
    let mut state = MatrixState { w: matrix(case, "W0")?, wp: matrix(case, "Wp0")?, wa: matrix(case, "Wa0")? };
    if (state.w.rows(), state.w.columns()) != (whole(case, "d_out")?, whole(case, "d_in")?) {
        return Err("`W0` is not d_out x d_in".to_owned());
    }
    let (dt, steps) = (number(case, "dt")?, whole(case, "steps")?);
    let mut waiting = list(expect, "snapshots")?.iter().peekable();
    for step in 0..=steps {
        while let Some(golden) = waiting.next_if(|golden| golden["step"] == step) {
            only(golden, &KEYS)?;
            report.case(SNAPSHOTS);
            let f = dynamics.correlation(&state);
            let eigen = symmetric_eigenvalues(&f).map_err(|e| e.to_string())?;
            let balance = dynamics.balance(&state);
            for (key, ours) in [("W", &state.w), ("Wp", &state.wp), ("Wa", &state.wa), ("balance", &balance)] {
                let place = format!("{place}, step {step}, {key}");
                compare(SNAPSHOTS, &place, ours.as_slice(), matrix(golden, key)?.as_slice(), DEFAULT, report);
            }
            let place = format!("{place}, step {step}");
            compare(SNAPSHOTS, &place, &eigen, &numbers(golden, "F_eig_desc")?, DEFAULT, report);
            let ours = [asymmetry(&state.wp).frobenius, commutator(&f, &state.wp)];
            let golden = [number(golden, "asym_frob")?, number(golden, "commutator_rel")?];
            compare(SNAPSHOTS, &place, &ours, &golden, DEFAULT, report);
        }
        dynamics.euler(&mut state, dt);
    }
    match waiting.next() {
        Some(snapshot) => Err(format!("a snapshot at step {} is out of order", snapshot["step"])),
        None => Ok(()),
    }
}

/// Isotropic data are recognised, so that their shorter formula is checked too.
fn data(x: Matrix, augmentation: Matrix) -> Data {
    let n = x.rows();
    let sigma2 = if n > 0 { augmentation[(0, 0)] } else { 0.0 };
    if x == Matrix::identity(n) && augmentation == Matrix::identity(n).scaled(sigma2) {
        Data::Isotropic { sigma2 }
    } else {
        Data::General { x, augmentation }
    }
}

pub fn check_decoupled(place: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    const FIXED: &str = "fixed points with their Jacobians";
    const LINE: &str = "points of separatrices";
    only(case, &["alpha_p", "sigma2", "eta", "eta_p", "tau", "beta", "state", "integrator", "dt", "steps", "expect"])?;
    let expect = field(case, "expect")?;
    only(expect, &["separatrix_s_at_p0", "separatrix_rtol", "trajectories", "fixed_points", "eta_critical"])?;
    if text(case, "integrator")? != "RK4" {
        return Err(format!("unknown integrator `{}`", text(case, "integrator")?));
    }
    let (ratio, beta) = (optional(case, "tau")?, optional(case, "beta")?);
    match (text(case, "state")?, ratio, beta) {
        ("[p,s]", Some(_), None) | ("[p,w,wa] with s=w^2, tau=wa/w", None, Some(_)) => {}
        (state, ..) => return Err(format!("unknown state `{state}` with tau {ratio:?}, beta {beta:?}")),
    }
    let dynamics = ModeDynamics {
        eta: number(case, "eta")?,
        eta_p: number(case, "eta_p")?,
        alpha_p: number(case, "alpha_p")?,
        sigma2: number(case, "sigma2")?,
        // A target that follows has caught up where the mode rests.
        ratio: ratio.unwrap_or(1.0),
    };
    let place = format!("{place} ({dynamics:?})");

    compare(FIXED, &place, &[dynamics.critical_eta()], &[number(expect, "eta_critical")?], DEFAULT, report);
    let (ours, golden) = (dynamics.fixed_points(), list(expect, "fixed_points")?);
    if ours.len() != golden.len() {
        return Err(format!("{} fixed points against {}", ours.len(), golden.len()));
    }
    for (ours, golden) in ours.iter().zip(golden) {
        only(golden, &["p", "s", "jacobian", "eig_re", "eig_im", "kind"])?;
        report.case(FIXED);
        let place = format!("{place}, fixed point p = {}", ours.p);
        let position = [number(golden, "p")?, number(golden, "s")?];
        compare(FIXED, &place, &[ours.p, ours.s], &position, DEFAULT, report);
        let jacobian = matrix(golden, "jacobian")?;
        compare(FIXED, &place, ours.jacobian.as_flattened(), jacobian.as_slice(), DEFAULT, report);
        compare(FIXED, &place, &ours.eigenvalues, &numbers(golden, "eig_re")?, DEFAULT, report);
        compare(FIXED, &place, &ours.imaginary, &numbers(golden, "eig_im")?, DEFAULT, report);
        let stability = match text(golden, "kind")? {
            "stable" => Stability::Stable,
            "saddle" => Stability::Saddle,
            "marginal" => Stability::Marginal,
            "unstable" => Stability::Unstable,
            other => return Err(format!("unknown kind `{other}` of fixed point")),
        };
        if ours.stability != stability {
            report.fail(format!("{place}: {:?} against {stability:?}", ours.stability));
        }
    }

    if !field(expect, "separatrix_s_at_p0")?.is_null() {
        let points = list(expect, "separatrix_s_at_p0")?;
        let separatrix = Separatrix::new(&dynamics, [-1.0, 1.5], 1e-10).ok_or("we find no separatrix")?;
        for point in points {
            only(point, &["p0", "s_on_separatrix"])?;
            report.case(LINE);
            let p = number(point, "p0")?;
            let ours = separatrix.at(p).ok_or_else(|| format!("the separatrix does not reach p = {p}"))?;
            let golden = number(point, "s_on_separatrix")?;
            report.within(LINE, || format!("{place}, p = {p}"), ours, golden, SEPARATRIX);
        }
    }

    for trajectory in list(expect, "trajectories")? {
        check_trajectory(&place, case, trajectory, &dynamics, beta, report)?;
    }
    Ok(())
}

fn check_trajectory(
    place: &str,
    case: &Value,
    golden: &Value,
    dynamics: &ModeDynamics,
    beta: Option<f64>,
    report: &mut Report,
) -> Result<(), String> {
    const KIND: &str = "trajectories of modes";
    const INVARIANTS: &str = "balances of modes";
    const SMALL: &str = "small_at_end_s_lt_1e-3_and_abs_p_lt_0.05";
    only(golden, &["y0", "samples", "invariant_c_t", SMALL])?;
    report.case(KIND);
    let (dt, steps) = (number(case, "dt")?, whole(case, "steps")?);
    let start = numbers(golden, "y0")?;
    let place = format!("{place} from {start:?}");
    let wrong_size = |_| format!("{place}: a state of another size");
    let path: Vec<Vec<f64>> = match beta {
        None => {
            let start = <[f64; 2]>::try_from(start.clone()).map_err(wrong_size)?;
            dynamics.trajectory(start, dt, steps).iter().map(|y| y.to_vec()).collect()
        }
        Some(beta) => {
            let start = <[f64; 3]>::try_from(start.clone()).map_err(wrong_size)?;
            following(start, dynamics, beta, dt, steps)
        }
    };
    // (p, s) of a state.
    let mode = |y: &[f64]| if y.len() == 3 { [y[0], y[1] * y[1]] } else { [y[0], y[1]] };
    let at = |step: &str| -> Result<(usize, &Vec<f64>), String> {
        let step: usize = step.parse().map_err(|_| format!("`{step}` is no step"))?;
        Ok((step, path.get(step).ok_or_else(|| format!("step {step} is beyond the end"))?))
    };
    for (step, golden) in field(golden, "samples")?.as_object().ok_or("`samples` is no object")? {
        let (step, ours) = at(step)?;
        compare(KIND, &format!("{place}, step {step}"), ours, &as_numbers(golden)?, DEFAULT, report);
    }
    let end = mode(path.last().ok_or("no step")?);
    if (end[1] < 1e-3 && end[0].abs() < 0.05) != switch(golden, SMALL)? {
        report.fail(format!("{place}: ends at {end:?}"));
    }
    let Some(balances) = golden.get("invariant_c_t").filter(|value| !value.is_null()) else { return Ok(()) };
    for (step, golden) in balances.as_object().ok_or("`invariant_c_t` is no object")? {
        let (step, ours) = at(step)?;
        let exponent = 2.0 * dynamics.eta * step as f64 * dt;
        if exponent >= INVARIANT_UNTIL {
            continue;
        }
        report.case(INVARIANTS);
        let golden = golden.as_f64().ok_or("a balance that is no number")?;
        let ours = dynamics.balance(mode(ours)) * exponent.exp();
        report.within(INVARIANTS, || format!("{place}, step {step}"), ours, golden, INVARIANT);
    }
    Ok(())
}

/// The states (p, w, a) of a mode whose target follows: the matrix simulator with matrices of one entry.
fn following([p, w, a]: [f64; 3], mode: &ModeDynamics, beta: f64, dt: f64, steps: usize) -> Vec<Vec<f64>> {
    let ModeDynamics { eta, eta_p, alpha_p, sigma2, .. } = *mode;
    let (target, data) = (Target::Following { beta }, Data::Isotropic { sigma2 });
    let dynamics = MatrixDynamics { eta, eta_p, alpha_p, target, symmetrise: false, data };
    let one = |value: f64| Matrix::from_fn(1, 1, |_, _| value);
    let mut state = MatrixState { w: one(w), wp: one(p), wa: one(a) };
    let row = |state: &MatrixState| [&state.wp, &state.w, &state.wa].map(|matrix| matrix[(0, 0)]).to_vec();
    let mut path = vec![row(&state)];
    for _ in 0..steps {
        dynamics.rk4(&mut state, dt);
        path.push(row(&state));
    }
    path
}
