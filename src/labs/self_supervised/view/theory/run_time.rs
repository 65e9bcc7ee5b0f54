//! The run's steps in the theory's time: t = Σ α/(1 − μ) over its steps, with the rates that held at each. It is the time of
//! gradient descent with momentum: a run with another optimizer has none.

use std::ops::Range;
use std::sync::Arc;

use crate::engine::params::Params;
use crate::engine::twin::of_twin;
use crate::kit::view::ViewCtx;
use crate::labs::self_supervised::params::{Hyper, PARAMS};
use crate::labs::self_supervised::view::series::{self, Quantity};
use crate::plot::curve::Curve;
use crate::plot::style::{Category, Dash};

/// From which step on, at which time, how much time a step takes.
#[derive(Debug, Clone, PartialEq)]
pub struct RunTime(Arc<[(u64, f64, f64)]>);

/// Pieces into which a run with a schedule of rates is divided.
const PIECES: u64 = 1000;

impl RunTime {
    /// That of the run that is shown; `None`: there is none, or not one of these parameters.
    pub fn of(ctx: &ViewCtx<'_>) -> Option<Self> {
        let mut params = ctx.run.header.as_ref()?.params.clone();
        if PARAMS.iter().any(|spec| params.get(spec.key).is_none()) {
            return None;
        }
        let own: Vec<_> = ctx.run.changes.iter().filter(|change| of_twin(&change.key).is_none()).collect();
        let steps = series::steps(ctx);
        let mut speeds = speeds(&params, 0..own.first().map_or(steps, |change| change.step), steps)?;
        for (i, change) in own.iter().enumerate() {
            params.put(&change.key, change.value.clone());
            let until = own.get(i + 1).map_or(steps, |next| next.step);
            speeds.extend(self::speeds(&params, change.step..until, steps)?);
        }
        Some(Self::new(speeds[0].1, &speeds[1..]))
    }

    /// That of a run of so many steps with these parameters and no change.
    pub fn of_form(params: &Params, steps: u64) -> Option<Self> {
        let speeds = speeds(params, 0..steps, steps)?;
        Some(Self::new(speeds[0].1, &speeds[1..]))
    }

    /// A step takes `first` until the step of the first change, and so on.
    fn new(first: f64, changes: &[(u64, f64)]) -> Self {
        let mut pieces = vec![(0, 0.0, first)];
        for &(step, speed) in changes {
            let (from, time, before) = pieces[pieces.len() - 1];
            pieces.push((step, time + step.saturating_sub(from) as f64 * before, speed));
        }
        Self(pieces.into())
    }

    /// t after so many steps.
    pub fn at(&self, step: u64) -> f64 {
        // The last piece that has begun; the first begins at 0.
        let (from, time, speed) = self.0[self.0.partition_point(|(from, ..)| *from <= step) - 1];
        time + (step - from) as f64 * speed
    }

    /// The step at the cursor and its time.
    pub fn now(&self, ctx: &ViewCtx<'_>) -> Option<(u64, f64)> {
        let step = ctx.cursor.step.min(ctx.run.step);
        (step > 0).then(|| (step, self.at(step)))
    }

    /// What the run has measured, against its time.
    pub fn curve<'a>(&self, quantity: Quantity, ctx: &ViewCtx<'a>) -> Option<Curve<'a>> {
        let history = ctx.run.scalars.get(quantity.key).filter(|history| history.last().is_some())?;
        let times = self.clone();
        let point = move |i: usize| {
            let (step, value) = history.point(i);
            [times.at(step), value]
        };
        let color = ctx.style.category(quantity.color).color.gamma_multiply(0.7);
        Some(Curve {
            name: format!("{} of the run", quantity.name).into(),
            category: Category { color, dash: Dash::Dashed },
            width: 1.0,
            identity: ctx.run.id.map_or(0, |id| id.0) ^ quantity.key.len() as u64 ^ self.0.len() as u64,
            len: history.points().len(),
            point: Box::new(point),
            held: None,
        })
    }
}

/// How much time a step takes, from which step of these on, in a run of `steps`; `None`: with another optimizer.
fn speeds(params: &Params, of: Range<u64>, steps: u64) -> Option<Vec<(u64, f64)>> {
    let hyper = Hyper::of(params);
    hyper.time_of_a_step()?;
    let stride = if hyper.plan.is_constant() { u64::MAX } else { steps.div_ceil(PIECES).max(1) };
    let starts = std::iter::successors(Some(of.start), |at| at.checked_add(stride).filter(|next| *next < of.end));
    starts.map(|at| Some((at, hyper.at(at, steps).time_of_a_step()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_the_sum_of_the_steps_rates() {
        let of = |set: &[&str]| {
            let mut params = Params::defaults(PARAMS);
            set.iter().for_each(|text| params.set_text(PARAMS, text).unwrap());
            RunTime::of_form(&params, 700).map(|time| time.at(700))
        };
        assert!((of(&[]).unwrap() - 1050.0).abs() < 1e-9, "{:?}", of(&[]));
        // A cosine's mean is a half.
        assert!((of(&["rate_schedule=cosine"]).unwrap() - 525.0).abs() < 1.0, "{:?}", of(&["rate_schedule=cosine"]));
        assert_eq!(of(&["optimizer=adam"]), None);
        let changed = RunTime::new(1.5, &[(100, 0.5), (300, 0.0), (300, 2.0)]);
        for (step, time) in [(0, 0.0), (100, 150.0), (200, 200.0), (300, 250.0), (310, 270.0)] {
            assert!((changed.at(step) - time).abs() < 1e-9, "{step}: {}", changed.at(step));
        }
    }
}
