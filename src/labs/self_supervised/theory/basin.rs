//! The basin of collapse: from where a mode dies, and how large that region is.

use super::modes::ModeDynamics;
use super::separatrix::Separatrix;
use crate::engine::params::Params;
use crate::labs::self_supervised::network::Layers;
use crate::labs::self_supervised::params::{Hyper, PREDICTOR_LAYERS, PredictorRule};

/// The region of starts (p, s) with s > 0 that end in collapse (s → 0).
#[derive(Debug, Clone, PartialEq)]
pub enum Basin {
    /// All of it: η above η_c, or η > 0 with a predictor that does not decay.
    Everything,
    /// None of it: η = 0 < η_p. A start with p < 0 still shrinks s by a finite factor that can be 10⁻¹², which no
    /// network survives.
    Nothing,
    /// What the separatrix leaves: below it, or outside of its bow.
    Divided(Separatrix),
    /// Without any decay: s < p²/α_p with p < 0.
    NegativeParabola { alpha_p: f64 },
}

/// A rectangle of the plane of p and s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    pub p: [f64; 2],
    /// From 0 to this.
    pub s: f64,
}

impl Bounds {
    /// What the phase portrait shows: p from −.6 to 1.1 r/S, s to 1.5 times the healthy one (at least to 1.2/α_p).
    pub fn of(dynamics: &ModeDynamics) -> Self {
        let healthy = dynamics.fixed_points().last().map_or(0.0, |point| point.s);
        Self { p: [-0.6, 1.1 * dynamics.ratio / dynamics.spread()], s: (1.5 * healthy).max(1.2 / dynamics.alpha_p) }
    }

    /// The window whose collapsing share maps of rates and decays count: s to 1.2 whatever they are.
    pub fn of_map(dynamics: &ModeDynamics) -> Self {
        Self { s: 1.2, ..Self::of(dynamics) }
    }
}

/// Points at which a boundary is summed up.
const SAMPLES: usize = 240;

impl Basin {
    /// The basin, with its boundary integrated over `range` of p; see [`Separatrix::new`] for the tolerance.
    pub fn new(dynamics: &ModeDynamics, range: [f64; 2], tolerance: f64) -> Self {
        match (dynamics.eta > 0.0, dynamics.eta_p > 0.0) {
            (false, true) => Basin::Nothing,
            (false, false) => Basin::NegativeParabola { alpha_p: dynamics.alpha_p },
            (true, _) => Separatrix::new(dynamics, range, tolerance).map_or(Basin::Everything, Basin::Divided),
        }
    }

    /// Every s > 0 at which the fate of starts at this p changes, ascending; the smallest starts collapse. `None` where
    /// none collapses.
    fn changes(&self, p: f64) -> Option<Vec<f64>> {
        match self {
            Basin::Everything => Some(Vec::new()),
            Basin::Nothing => None,
            Basin::Divided(separatrix) => Some(separatrix.crossings(p)),
            Basin::NegativeParabola { alpha_p } => (p < 0.0).then(|| vec![p * p / alpha_p]),
        }
    }

    /// Whether a mode that starts at (p, s) collapses, for p within the integrated range.
    pub fn contains(&self, p: f64, s: f64) -> bool {
        self.changes(p).is_some_and(|changes| changes.iter().filter(|change| **change <= s).count() % 2 == 0)
    }

    /// The stretches [from, to] of s, up to `highest`, whose starts at this p collapse: what to shade.
    pub fn stretches(&self, p: f64, highest: f64) -> Vec<[f64; 2]> {
        self.changes(p).map_or_else(Vec::new, |changes| stretches(&changes, 1.0, highest))
    }

    /// The share of the rectangle that collapses, 0 to 1.
    pub fn fraction(&self, bounds: &Bounds) -> f64 {
        share(&self.columns(bounds.p), 1.0, bounds.s)
    }

    /// [`Basin::changes`] at [`SAMPLES`] places across `range`.
    fn columns(&self, range: [f64; 2]) -> Vec<Option<Vec<f64>>> {
        (0..SAMPLES)
            .map(|i| range[0] + (range[1] - range[0]) * (i as f64 + 0.5) / SAMPLES as f64)
            .map(|p| self.changes(p))
            .collect()
    }
}

/// The collapsing stretches up to `highest` between changes that are multiplied by `scale`.
fn stretches(changes: &[f64], scale: f64, highest: f64) -> Vec<[f64; 2]> {
    let ends: Vec<f64> = std::iter::once(0.0).chain(changes.iter().map(|s| s * scale)).collect();
    ends.chunks(2)
        .map(|pair| [pair[0], pair.get(1).copied().unwrap_or(highest)].map(|s| s.min(highest)))
        .filter(|[from, to]| to > from)
        .collect()
}

/// The mean collapsing share of the columns up to `highest`, with α_p multiplied by `factor`, which divides every s.
fn share(columns: &[Option<Vec<f64>>], factor: f64, highest: f64) -> f64 {
    let column = |changes: &Vec<f64>| match changes[..] {
        // Nearly always the line passes once.
        [change] => (change / factor / highest).min(1.0),
        _ => stretches(changes, 1.0 / factor, highest).iter().map(|[from, to]| (to - from) / highest).sum(),
    };
    columns.iter().flatten().map(column).sum::<f64>() / columns.len().max(1) as f64
}

/// The share of starts that collapse at the rates and decays of a run, as far as a mode has them. NaN where the theory says nothing:
/// of another optimizer than gradient descent, of a network that does not learn, of a predictor that is set or fixed or not there, and
/// without stop-gradient.
pub fn share_of_run(params: &Params) -> f64 {
    let hyper = Hyper::of(params);
    let trained = hyper.rule == PredictorRule::Gradient && PREDICTOR_LAYERS.of(params) != Layers::None;
    let learns = hyper.time_of_a_step().is_some_and(|time| time > 0.0) && hyper.predictor.learning_rate > 0.0;
    if !(trained && learns && hyper.stop_gradient) {
        return f64::NAN;
    }
    let mode = ModeDynamics::default().of_run(&hyper);
    let bounds = Bounds::of_map(&mode);
    Basin::new(&mode, bounds.p, 1e-5).fraction(&bounds)
}

/// How the predictor's decay follows the network's along the axis of a map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PredictorDecay {
    /// η_p = η.
    Equal,
    /// η_p stays.
    Fixed(f64),
}

/// The share of `bounds` that collapses, for every pair of η and α_p: row-major, one row an `alpha_p`, one column an
/// `eta`. Costs one separatrix a column, because the basin scales exactly with 1/α_p.
pub fn basin_map(
    dynamics: &ModeDynamics,
    etas: &[f64],
    alpha_ps: &[f64],
    decay: PredictorDecay,
    bounds: &Bounds,
) -> Vec<f64> {
    let mut map = vec![0.0; etas.len() * alpha_ps.len()];
    for (column, eta) in etas.iter().enumerate() {
        let eta_p = match decay {
            PredictorDecay::Equal => *eta,
            PredictorDecay::Fixed(eta_p) => eta_p,
        };
        let basin = Basin::new(&ModeDynamics { eta: *eta, eta_p, alpha_p: 1.0, ..*dynamics }, bounds.p, 1e-5);
        let columns = basin.columns(bounds.p);
        for (row, alpha_p) in alpha_ps.iter().enumerate() {
            map[row * etas.len() + column] = share(&columns, *alpha_p, bounds.s);
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the mode dies, by following it.
    fn dies(dynamics: &ModeDynamics, start: [f64; 2]) -> bool {
        dynamics.trajectory(start, 0.05, 40_000).last().unwrap()[1] < 1e-8
    }

    #[test]
    fn the_theory_has_no_share_for_runs_that_it_says_nothing_of() {
        use crate::labs::self_supervised::params::PARAMS;
        let share = |set: &[&str]| {
            let mut params = Params::defaults(PARAMS);
            set.iter().for_each(|text| params.set_text(PARAMS, text).unwrap());
            share_of_run(&params)
        };
        let usual = share(&[]);
        assert!(usual > 0.0 && usual < 1.0, "{usual}");
        assert!(share(&["rate_predictor=1"]) < usual, "a faster predictor has the smaller basin");
        let mode = ModeDynamics { eta: 0.005, eta_p: 0.005, alpha_p: 1.0, ..ModeDynamics::default() };
        let map = basin_map(&mode, &[0.005], &[1.0], PredictorDecay::Equal, &Bounds::of_map(&mode));
        assert!((usual - map[0]).abs() < 0.01, "the map's {} and {usual}", map[0]);
        for other in [
            &["optimizer=adam"][..],
            &["predictor_rule=fixed"],
            &["predictor_rule=directpred"],
            &["predictor_layers=none"],
            &["rate_predictor=0"],
            &["target=online", "stop_gradient=off"],
        ] {
            assert!(share(other).is_nan(), "{other:?}");
        }
    }

    #[test]
    fn the_fraction_is_that_of_starts_that_die() {
        for (eta, eta_p) in [(0.06, 0.04), (0.22, 0.01)] {
            let dynamics = ModeDynamics { eta, eta_p, alpha_p: 1.5, ..ModeDynamics::default() };
            let bounds = Bounds { p: [-0.6, 1.0], s: 0.3 };
            let basin = Basin::new(&dynamics, bounds.p, 1e-8);
            let (mut dead, mut total) = (0, 0);
            for i in 0..16 {
                for j in 0..12 {
                    let start = [-0.6 + 1.6 * (f64::from(i) + 0.5) / 16.0, 0.3 * (f64::from(j) + 0.5) / 12.0];
                    let died = dies(&dynamics, start);
                    assert_eq!(basin.contains(start[0], start[1]), died, "{start:?}");
                    dead += u32::from(died);
                    total += 1;
                }
            }
            let counted = f64::from(dead) / f64::from(total);
            assert!((basin.fraction(&bounds) - counted).abs() < 0.03, "{counted}");
        }
    }

    #[test]
    fn limits_without_decay_are_known_exactly() {
        let base = ModeDynamics::default();
        let free = ModeDynamics { eta: 0.0, eta_p: 0.0, alpha_p: 2.0, ..base };
        let basin = Basin::new(&free, [-0.6, 1.0], 1e-8);
        for start in [[-0.5, 0.12], [-0.5, 0.13], [0.1, 1e-3]] {
            let end = free.trajectory(start, 0.05, 40_000).last().unwrap()[1];
            assert_eq!(basin.contains(start[0], start[1]), end < 1e-8, "{start:?} ends at {end}");
        }
        assert_eq!(Basin::new(&ModeDynamics { eta: 0.0, ..base }, [-0.6, 1.0], 1e-8), Basin::Nothing);
        assert_eq!(Basin::new(&ModeDynamics { eta: 0.3, ..base }, [-0.6, 1.0], 1e-8), Basin::Everything);
        let tireless = ModeDynamics { eta_p: 0.0, ..base };
        assert_eq!(Basin::new(&tireless, [-0.6, 1.0], 1e-8), Basin::Everything);
        assert!(dies(&tireless, [0.5, 0.5]));
    }

    #[test]
    fn the_map_falls_with_the_predictors_rate_and_rises_with_decay() {
        let etas: Vec<f64> = (1..=12).map(|i| 0.02 * f64::from(i)).collect();
        let rates = [0.5, 1.0, 4.0, 16.0];
        let bounds = Bounds { p: [-0.6, 1.0], s: 1.0 };
        let base = ModeDynamics::default();
        let map = basin_map(&base, &etas, &rates, PredictorDecay::Equal, &bounds);
        for column in 0..etas.len() - 1 {
            for row in 0..rates.len() {
                let here = map[row * etas.len() + column];
                assert!(map[row * etas.len() + column + 1] >= here);
                if row > 0 {
                    assert!(here <= map[(row - 1) * etas.len() + column]);
                }
            }
        }
        // Above the critical decay everything dies.
        assert_eq!(map[etas.len() - 1], 1.0);
        let direct = Basin::new(&ModeDynamics { eta: etas[3], eta_p: etas[3], alpha_p: 4.0, ..base }, bounds.p, 1e-9);
        assert!((direct.fraction(&bounds) - map[2 * etas.len() + 3]).abs() < 1e-4);
    }
}
