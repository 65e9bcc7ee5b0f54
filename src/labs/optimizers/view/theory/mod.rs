//! Tiles that lay theory beside practice: curvature at a place, the plane of η and μ, the rates of the eigen-directions,
//! and what noise does. The theory itself is in [`crate::labs::optimizers::theory`].

pub mod curvature;
pub mod fan;
pub mod modes;
pub mod phase;

use crate::kit::fields::Fields;
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::rules::{Hyper, Rule};
use crate::labs::optimizers::theory::curvature::{Eigen, Quadratic, Shape, as_quadratic};
use crate::labs::optimizers::theory::momentum::Method;
use crate::labs::optimizers::theory::rate::{self, Measured};
use crate::plot::number;

use super::OptimizersView;
use super::field;
use super::paths::{self, Path};

/// View state of these tiles.
#[derive(Debug, Default)]
pub struct TheoryState {
    curvature: curvature::CurvatureTile,
    fan: fan::FanTile,
    phase: phase::PhaseTile,
    modes: modes::ModesTile,
}

impl TheoryState {
    /// What of the tiles belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.of("curvature", |fields| self.curvature.fields(fields));
        fields.of("fan", |fields| self.fan.fields(fields));
        fields.of("phase", |fields| self.phase.fields(fields));
        fields.of("modes", |fields| self.modes.fields(fields));
    }
}

/// Whose place it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The place under the pointer in the field.
    Pointer,
    /// An optimizer's after so many updates.
    Optimizer(Rule, usize),
    /// The start of the form.
    Start,
}

impl Whose {
    fn title(self) -> String {
        match self {
            Whose::Pointer => "under the pointer".to_owned(),
            Whose::Optimizer(rule, k) => format!("at {}, step {}", rule.title(), number::grouped(k as u64)),
            Whose::Start => "at the start".to_owned(),
        }
    }
}

/// Where the curvature is looked at: under the pointer of the field, or where the selected optimizer is at the timeline's
/// step (where it last was, if it has diverged), or at the start.
pub fn place(view: &OptimizersView, ctx: &ViewCtx<'_>) -> ([f64; 2], Whose) {
    if let Some(at) = view.field.pointed_at {
        return (at, Whose::Pointer);
    }
    let last = Path::of(ctx.run, view.selected).and_then(|path| {
        let k = (0..=path.row_at(ctx.cursor.step)).rev().find(|k| path.is_finite(*k))?;
        Some((path.position(k), Whose::Optimizer(path.rule, k)))
    });
    last.unwrap_or((field::start(ctx), Whose::Start))
}

/// The second-order model of the shown surface at a place.
pub fn model(ctx: &ViewCtx<'_>, at: [f64; 2]) -> Quadratic {
    let surface = paths::surface(ctx);
    Quadratic { at, value: surface.f(at), gradient: surface.gradient(at), hessian: surface.hessian(at) }
}

/// The shown surface as one quadratic, where it is one.
pub fn whole(ctx: &ViewCtx<'_>) -> Option<Quadratic> {
    let surface = paths::surface(ctx);
    as_quadratic(surface.domain, |p| surface.f(p), |p| surface.gradient(p), |p| surface.hessian(p))
}

/// The hyper-parameters in force at the timeline's step.
pub fn hyper(ctx: &ViewCtx<'_>) -> Hyper {
    paths::hyper_at(ctx, ctx.cursor.step)
}

/// A rule's η and the form's μ, in force at the timeline's step.
pub fn eta_mu(rule: Rule, ctx: &ViewCtx<'_>) -> [f64; 2] {
    let hyper = hyper(ctx).own(rule);
    [hyper.learning_rate, hyper.momentum]
}

/// The rules whose rate theory knows, with their momentum as a share of the form's μ.
pub const KNOWN: [(Rule, Method, f64); 3] =
    [(Rule::Sgd, Method::HeavyBall, 0.0), (Rule::Momentum, Method::HeavyBall, 1.0), (Rule::Nag, Method::Nesterov, 1.0)];

/// The quadratic that theory speaks of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Subject {
    pub eigen: Eigen,
    /// The surface is this quadratic; elsewhere it is only its local model at a place.
    pub exact: bool,
    /// Where its gradient is zero.
    pub centre: Option<[f64; 2]>,
    whose: Whose,
}

impl Subject {
    /// The surface, where it is a quadratic, or its local model; `None` where there is no curvature.
    pub fn of(view: &OptimizersView, ctx: &ViewCtx<'_>) -> Option<Self> {
        let (at, whose) = place(view, ctx);
        let whole = whole(ctx);
        let quadratic = whole.unwrap_or_else(|| model(ctx, at));
        let eigen = Eigen::of(quadratic.hessian)?;
        let centre = quadratic.stationary();
        (eigen.shape() != Shape::Flat).then_some(Self { eigen, exact: whole.is_some(), centre, whose })
    }

    /// What it is, for captions.
    pub fn title(&self) -> String {
        if self.exact { "exact: a quadratic".to_owned() } else { format!("local model {}", self.whose.title()) }
    }

    /// The curvature that a path meets: the quadratic's, or else that where the path is, which may be far from the place shown.
    pub fn met_by(&self, path: &Path<'_>, ctx: &ViewCtx<'_>) -> Option<Eigen> {
        if self.exact {
            return Some(self.eigen);
        }
        let k = path.row_at(ctx.cursor.step);
        Eigen::of(model(ctx, path.position(k)).hessian).filter(|_| path.is_finite(k))
    }

    /// How far a path is after k updates: its distance from the centre of the quadratic, or else the slope where it is,
    /// which shrinks at the same rate.
    fn distance(&self, path: &Path<'_>, k: usize) -> f64 {
        match self.centre.filter(|_| self.exact) {
            Some([x, y]) => {
                let [a, b] = path.position(k);
                (a - x).hypot(b - y)
            }
            None => path.gradient_norm(k),
        }
    }

    /// The rate of a path over the last steps before the cursor, as far as η and μ stayed the same; what is below rounding
    /// is left out.
    pub fn measured(&self, path: &Path<'_>, ctx: &ViewCtx<'_>) -> Option<Measured> {
        let end = path.row_at(ctx.cursor.step);
        let changed = ctx.run.changes.iter().map(|change| change.step as usize).filter(|step| *step < end).max();
        let floor = match self.centre.filter(|_| self.exact) {
            Some([x, y]) => 1e-14 * x.hypot(y) + 1e-290,
            None => 1e-13 * self.distance(path, 0) + 1e-290,
        };
        rate::of_path(|k| self.distance(path, k), changed.unwrap_or(0), end, floor)
    }
}

/// A factor of each step, four figures of it, because .98 and .99 are far apart.
fn factor(rate: f64) -> String {
    if !(rate > 0.0 && rate.is_finite()) {
        return number::compact(rate);
    }
    let unit = 10f64.powi(3 - rate.log10().floor() as i32);
    number::exact((rate * unit).round() / unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::params::Params;
    use crate::labs::optimizers::params::PARAMS;
    use crate::labs::optimizers::surface_run;
    use crate::labs::optimizers::surfaces;
    use crate::labs::optimizers::theory::momentum::Rates;

    /// Theory's rate and the measured one of every rule that it knows.
    fn compared(surface: &str, start: [f64; 2], eta: f64, mu: f64, steps: u64) -> Vec<(Rule, f64, f64)> {
        let mut params = Params::defaults(PARAMS);
        for (key, value) in [
            ("surface", surface.to_owned()),
            ("start_x", start[0].to_string()),
            ("start_y", start[1].to_string()),
            ("learning_rate", eta.to_string()),
            ("momentum", mu.to_string()),
        ] {
            params.set_text(PARAMS, &format!("{key}={value}")).unwrap();
        }
        let surface = surfaces::by_id(surface).unwrap();
        let quadratic =
            as_quadratic(surface.domain, |p| surface.f(p), |p| surface.gradient(p), |p| surface.hessian(p)).unwrap();
        let (eigen, [x, y]) = (Eigen::of(quadratic.hessian).unwrap(), quadratic.at);
        let paths = surface_run::paths(&params, &[], steps).unwrap();
        KNOWN
            .iter()
            .map(|&(rule, method, share)| {
                let (_, rows) = paths.iter().find(|(of, _)| *of == rule).unwrap();
                let distance = |k: usize| (rows[10 * k] - x).hypot(rows[10 * k + 1] - y);
                let floor = 1e-14 * x.hypot(y) + 1e-290;
                let found = rate::of_path(distance, 0, steps as usize, floor).unwrap();
                (rule, Rates::new(method, &eigen, eta, share * mu).rate(), found.rate)
            })
            .collect()
    }

    #[test]
    fn theory_is_the_measured_rate_on_the_ill_conditioned_quadratic() {
        for eta in [0.002, 0.005, 0.01, 0.0199, 0.0201, 0.03306, 0.05] {
            for mu in [0.0, 0.3, 0.6694, 0.8, 0.9, 0.95] {
                let steps = 600;
                for (rule, theory, measured) in compared("ill_conditioned_quadratic", [-1.8, 0.4], eta, mu, steps) {
                    // Of what explodes only the beginning is a number.
                    let explodes = theory.powi(steps as i32) > 1e150;
                    let error = (measured / theory - 1.0).abs();
                    assert!(explodes || error < 0.01, "{rule:?} η {eta} μ {mu}: theory {theory}, measured {measured}");
                }
            }
        }
    }

    #[test]
    fn theory_is_the_measured_rate_on_quadratics_that_lie_askew() {
        // The saddle's way down needs hundreds of steps to outgrow the way up.
        for (surface, start, eta) in
            [("matyas", [6.0, -3.0], 0.5), ("booth", [-5.0, 4.0], 0.05), ("saddle", [0.5, 1e-4], 0.01)]
        {
            for (rule, theory, measured) in compared(surface, start, eta, 0.5, 900) {
                assert!((measured / theory - 1.0).abs() < 0.01, "{rule:?} on {surface}: {theory} {measured}");
            }
        }
    }

    #[test]
    fn only_quadratics_pass_for_quadratics() {
        let known: Vec<&str> = surfaces::ALL
            .iter()
            .filter(|s| as_quadratic(s.domain, |p| s.f(p), |p| s.gradient(p), |p| s.hessian(p)).is_some())
            .map(|surface| surface.id)
            .collect();
        assert_eq!(known, ["saddle", "booth", "matyas", "ill_conditioned_quadratic"]);
    }

    #[test]
    fn a_factor_keeps_four_figures() {
        let written = [0.948_683, 1.02, 2.096_43, 0.05, 1.0, 0.0, f64::INFINITY].map(factor);
        assert_eq!(written, ["0.9487", "1.02", "2.096", "0.05", "1", "0", "∞"]);
    }
}
