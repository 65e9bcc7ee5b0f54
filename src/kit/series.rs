//! A run's measurements as tiles draw them against the step: traces, the twin's beside them, legend entries, marks.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use eframe::egui::Color32;

use super::view::{Cursor, ViewAction, ViewCtx};
use crate::engine::event::Payload;
use crate::engine::params::{ParamKind, ParamSpec, Params};
use crate::engine::state::{MarkKind, RunState};
use crate::engine::twin::{TWIN, of_twin};
use crate::plot::legend::Entry;
use crate::plot::style::{Category, Dash, Style};
use crate::plot::trace::{Points, Trace};

/// What is drawn, so that a quantity keeps its colour in every tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    pub key: &'static str,
    /// In legends and read-outs.
    pub name: &'static str,
    /// Index of [`Style::category`]'s colour.
    pub color: usize,
    pub dash: Dash,
    /// For the legend's tooltip.
    pub help: &'static str,
}

/// A quantity in short, for tables of them.
pub const fn quantity(key: &'static str, name: &'static str, color: usize, dash: Dash, help: &'static str) -> Quantity {
    Quantity { key, name, color, dash, help }
}

/// What makes the twin differ from the run, in the words of the lab's parameters; `None` where there is no twin.
pub fn twin_name(run: &RunState, specs: &[ParamSpec]) -> Option<String> {
    let twin = run.twin.as_ref()?;
    let differs = |spec: &&ParamSpec| spec.live && twin.get(spec.key) != run.params.get(spec.key);
    let value = |spec: &ParamSpec| {
        let value = twin.get(spec.key).map(ToString::to_string).unwrap_or_default();
        match spec.kind {
            ParamKind::Choice(items) => {
                items.iter().find(|item| item.id == value).map_or(value, |item| item.label.to_owned())
            }
            _ => value,
        }
    };
    let parts: Vec<String> =
        specs.iter().filter(differs).map(|spec| format!("{} {}", spec.label, value(spec))).collect();
    Some(if parts.is_empty() { "the same values".to_owned() } else { parts.join(", ") })
}

/// The category that a quantity is drawn in; the twin's is dashed.
pub fn category(quantity: &Quantity, style: &Style, twin: bool) -> Category {
    let color = style.category(quantity.color).color;
    let (color, dash) = if twin { (color.gamma_multiply(0.85), Dash::Dashed) } else { (color, quantity.dash) };
    Category { color, dash }
}

/// The traces of these quantities, and the twin's where it has them.
pub fn traces<'a>(ctx: &ViewCtx<'a>, quantities: &[Quantity], highlighted: Option<usize>) -> Vec<Trace<'a>> {
    let mut all = Vec::new();
    for twin in [true, false] {
        for (index, quantity) in quantities.iter().enumerate() {
            let width = if highlighted == Some(index) { 1.5 } else { 1.0 };
            all.extend(trace(ctx.run, quantity, ctx.style, twin, width));
        }
    }
    all
}

/// The trace of one quantity, of the run or its twin; `None` where it was not measured yet.
pub fn trace<'a>(run: &'a RunState, quantity: &Quantity, style: &Style, twin: bool, width: f32) -> Option<Trace<'a>> {
    let key = if twin { format!("{TWIN}{}", quantity.key) } else { quantity.key.to_owned() };
    let history = run.scalars.get(key.as_str())?;
    let mut hash = DefaultHasher::new();
    (run.id, &key).hash(&mut hash);
    let (last, _) = history.last()?;
    Some(Trace {
        name: if twin { format!("{} (twin)", quantity.name) } else { quantity.name.to_owned() },
        category: category(quantity, style, twin),
        width,
        identity: hash.finish(),
        len: history.points().len(),
        last,
        points: Box::new(move || -> Points<'a> { Box::new(history.points()) }),
        at: Box::new(move |step| history.at(step)),
    })
}

/// Legend entries of the quantities that the run has, and one for the twin.
pub fn legend<'a>(
    ctx: &ViewCtx<'_>,
    quantities: &'a [Quantity],
    highlighted: Option<usize>,
    twin: &'a Option<String>,
) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = quantities
        .iter()
        .enumerate()
        .map(|(index, quantity)| Entry {
            name: quantity.name,
            category: category(quantity, ctx.style, false),
            selected: highlighted == Some(index),
            help: quantity.help.to_owned(),
        })
        .collect();
    if let Some(what) = twin {
        entries.push(Entry {
            name: "twin",
            category: Category { color: ctx.style.text_weak, dash: Dash::Dashed },
            selected: false,
            help: format!("twin: {what}"),
        });
    }
    entries
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

/// Marks of changed parameters and of warnings, with their colours.
pub fn marks(ctx: &ViewCtx<'_>) -> Vec<(u64, Color32)> {
    let color = |kind: MarkKind| match kind {
        MarkKind::Changed => Some(ctx.style.live),
        MarkKind::Warning => Some(ctx.style.error),
        MarkKind::Checkpoint => None,
    };
    ctx.run.marks.iter().filter_map(|mark| Some((mark.step, color(mark.kind)?))).collect()
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
