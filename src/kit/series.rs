//! A run's measurements as tiles draw them against the step and read them at the cursor, and its marks.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::view::{Cursor, ViewAction, ViewCtx};
use crate::engine::event::Payload;
use crate::engine::params::{ParamSpec, Params};
use crate::engine::state::{MarkKind, RunState};
use crate::engine::twin::{TWIN, of_twin};
use crate::plot::curve::{Curve, Mark};
use crate::plot::style::{Category, Dash, Style};

/// A number of a run against the step, as data.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    /// Of the scalar; the twin's has a prefix.
    pub key: &'static str,
    /// In legends and read-outs.
    pub name: &'static str,
    /// Index of [`Style::category`]'s colour, so that a quantity keeps it in every tile.
    pub color: usize,
    pub dash: Dash,
    /// For the legend's tooltip.
    pub help: &'static str,
    /// Measured batch by batch: drawn faint, and the mean of an epoch in full strength.
    pub noisy: bool,
    /// What of a scalar holds at a step: where it was measured, and the value. The key may be the twin's.
    pub held: fn(&RunState, &str, u64) -> Option<(u64, f64)>,
}

/// A quantity in short, for tables of them.
pub const fn quantity(key: &'static str, name: &'static str, color: usize, dash: Dash, help: &'static str) -> Quantity {
    Quantity { key, name, color, dash, help, noisy: false, held: newest }
}

/// The newest measurement that is not after a step.
pub fn newest(run: &RunState, key: &str, step: u64) -> Option<(u64, f64)> {
    run.scalars.get(key)?.at(step)
}

impl Quantity {
    /// What it is drawn in; the twin's is dashed.
    pub fn category(&self, style: &Style, twin: bool) -> Category {
        let color = style.category(self.color).color;
        let (color, dash) = if twin { (color.gamma_multiply(0.85), Dash::Dashed) } else { (color, self.dash) };
        Category { color, dash }
    }

    /// The run's curve, or its twin's; `None` where it was not measured yet.
    pub fn curve<'a>(&self, run: &'a RunState, style: &Style, twin: bool) -> Option<Curve<'a>> {
        let key = if twin { format!("{TWIN}{}", self.key) } else { self.key.to_owned() };
        let name = if twin { format!("{} (twin)", self.name) } else { self.name.to_owned() };
        let mut curve = scalar(run, &key, name, self.category(style, twin))?;
        let held = self.held;
        curve.held = Some(Box::new(move |step| held(run, &key, step)));
        Some(curve)
    }
}

/// The curve of a scalar; `None` where it was not measured yet.
pub fn scalar<'a>(run: &'a RunState, key: &str, name: String, category: Category) -> Option<Curve<'a>> {
    let history = run.scalars.get(key).filter(|history| history.last().is_some())?;
    let mut hash = DefaultHasher::new();
    (run.id, key).hash(&mut hash);
    let point = move |i: usize| {
        let (step, value) = history.point(i);
        [step as f64, value]
    };
    let (identity, len) = (hash.finish(), history.points().len());
    Some(Curve { name: name.into(), category, width: 1.0, identity, len, point: Box::new(point), held: None })
}

/// What makes the twin differ from the run, in the words of the lab's parameters; `None` where there is no twin.
pub fn twin_name(run: &RunState, specs: &[ParamSpec]) -> Option<String> {
    let twin = run.twin.as_ref()?;
    let differs = |spec: &&ParamSpec| spec.live && twin.get(spec.key) != run.params.get(spec.key);
    let value = |spec: &ParamSpec| twin.get(spec.key).map(|value| spec.shown(value)).unwrap_or_default();
    let parts: Vec<String> =
        specs.iter().filter(differs).map(|spec| format!("{} {}", spec.label, value(spec))).collect();
    Some(if parts.is_empty() { "the same values".to_owned() } else { parts.join(", ") })
}

/// The value of a scalar at the cursor.
pub fn value(ctx: &ViewCtx<'_>, key: &str) -> Option<f64> {
    Some(ctx.run.scalars.get(key)?.at(ctx.cursor.step)?.1)
}

/// The parameters as they held at the cursor: the run's, with the changes made by then. The form's where there is no run
/// of the lab with these parameters.
pub fn params_at(ctx: &ViewCtx<'_>, specs: &[ParamSpec]) -> Params {
    let Some(header) = &ctx.run.header else { return ctx.params.clone() };
    if specs.iter().any(|spec| header.params.get(spec.key).is_none()) {
        return ctx.params.clone();
    }
    let mut params = header.params.clone();
    let past = ctx.run.changes.iter().filter(|change| change.step <= ctx.cursor.step);
    for change in past.filter(|change| of_twin(&change.key).is_none()) {
        params.put(&change.key, change.value.clone());
    }
    params
}

/// A list of numbers at the cursor with its step.
pub fn series(ctx: &ViewCtx<'_>, key: &str) -> Option<(u64, Arc<Payload>)> {
    ctx.payload(key).filter(|(_, payload)| matches!(**payload, Payload::Series(_)))
}

/// The text of a payload that does not change with time.
pub fn text(ctx: &ViewCtx<'_>, key: &str) -> Option<String> {
    match &*ctx.payload(key)?.1 {
        Payload::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// Steps of the run, at least 1.
pub fn steps(ctx: &ViewCtx<'_>) -> u64 {
    ctx.run.header.as_ref().map_or(0, |header| header.steps).max(ctx.run.step).max(1)
}

/// Steps of one epoch, at least 1: what the scalar `epoch` says.
pub fn steps_per_epoch(run: &RunState) -> u64 {
    let last = run.scalars.get("epoch").and_then(|history| history.last());
    last.filter(|(step, epoch)| *step > 0 && *epoch > 0.0)
        .map_or(1, |(step, epoch)| ((step as f64 / epoch).round() as u64).max(1))
}

/// Marks of changed parameters and of warnings.
pub fn marks(ctx: &ViewCtx<'_>) -> Vec<Mark> {
    let color = |kind: MarkKind| match kind {
        MarkKind::Changed => Some(ctx.style.live),
        MarkKind::Warning => Some(ctx.style.error),
        MarkKind::Checkpoint => None,
    };
    ctx.run.marks.iter().filter_map(|mark| Some(Mark::step(mark.step, color(mark.kind)?, ""))).collect()
}

/// Moves the shared cursor to a step that the user asked for.
pub fn seek(ctx: &mut ViewCtx<'_>, step: Option<u64>) {
    if let Some(step) = step {
        ctx.actions.push(ViewAction::Seek(Cursor { step, sub: 0 }));
    }
}

/// Tells pieces of data apart that were fetched: the address of what is kept alive.
pub fn identity(payload: &Arc<Payload>) -> u64 {
    Arc::as_ptr(payload) as *const u8 as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_as_long_as_the_run_says() {
        let mut run = RunState::default();
        assert_eq!(steps_per_epoch(&run), 1);
        let epochs = run.scalars.entry("epoch".into()).or_default();
        [(0, 0.0), (9, 1.0), (13, 13.0 / 9.0)].into_iter().for_each(|(step, epoch)| epochs.push(step, epoch));
        assert_eq!(steps_per_epoch(&run), 9);
    }
}
