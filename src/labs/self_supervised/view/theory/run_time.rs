//! The run's steps in the theory's time: t = Σ α/(1 − μ) over its steps, with the rates that held at each.

use crate::engine::params::Params;
use crate::engine::twin::of_twin;
use crate::kit::view::ViewCtx;
use crate::labs::self_supervised::params::{MOMENTUM, PARAMS, RATE_ENCODER};
use crate::labs::self_supervised::view::series::Quantity;
use crate::plot::curve::Curve;
use crate::plot::style::{Category, Dash};

/// From which step on, at which time, how much time a step takes.
#[derive(Debug, Clone, PartialEq)]
pub struct RunTime(Vec<(u64, f64, f64)>);

impl RunTime {
    /// That of the run that is shown; `None`: there is none, or not one of these parameters.
    pub fn of(ctx: &ViewCtx<'_>) -> Option<Self> {
        let mut params = ctx.run.header.as_ref()?.params.clone();
        if PARAMS.iter().any(|spec| params.get(spec.key).is_none()) {
            return None;
        }
        let mut changes = Vec::new();
        let own = ctx.run.changes.iter().filter(|change| of_twin(&change.key).is_none());
        for change in own {
            params.put(&change.key, change.value.clone());
            changes.push((change.step, speed(&params)));
        }
        let first = speed(&ctx.run.header.as_ref()?.params);
        Some(Self::new(first, &changes))
    }

    /// A step takes `first` until the step of the first change, and so on.
    fn new(first: f64, changes: &[(u64, f64)]) -> Self {
        let mut pieces = vec![(0, 0.0, first)];
        for &(step, speed) in changes {
            let (from, time, before) = pieces[pieces.len() - 1];
            pieces.push((step, time + step.saturating_sub(from) as f64 * before, speed));
        }
        Self(pieces)
    }

    /// t after so many steps.
    pub fn at(&self, step: u64) -> f64 {
        let piece = self.0.iter().rev().find(|(from, ..)| *from <= step);
        piece.map_or(0.0, |(from, time, speed)| time + (step - from) as f64 * speed)
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

fn speed(params: &Params) -> f64 {
    RATE_ENCODER.of(params) / (1.0 - MOMENTUM.of(params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_the_sum_of_the_steps_rates() {
        let default = RunTime::new(speed(&Params::defaults(PARAMS)), &[]);
        assert!((default.at(700) - 1050.0).abs() < 1e-9, "{}", default.at(700));
        let changed = RunTime::new(1.5, &[(100, 0.5), (300, 0.0), (300, 2.0)]);
        for (step, time) in [(0, 0.0), (100, 150.0), (200, 200.0), (300, 250.0), (310, 270.0)] {
            assert!((changed.at(step) - time).abs() < 1e-9, "{step}: {}", changed.at(step));
        }
    }
}
