//! The tiles of the network experiment: a picture of every optimizer's decision, loss and accuracy against the step, and
//! the numbers at the cursor.

pub mod boundary;
pub mod curves;
mod guide;
pub mod inside;
pub mod landscape;
mod parts;
pub mod results;

use std::sync::Arc;

use eframe::egui::Ui;

use crate::engine::event::{KeySpec, Payload};
use crate::engine::state::RunState;
use crate::kit::curves::CurvesTile;
use crate::kit::fields::Fields;
use crate::kit::landscape_tile::LandscapeTile;
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::KEYS;
use crate::labs::optimizers::network::roster::ROSTER;
use crate::plot::style::{Category, Style};

pub use guide::guide;

/// View state of the tiles.
#[derive(Debug, Default)]
pub struct NetworkState {
    /// Index in [`ROSTER`] of the optimizer that is highlighted in every tile.
    selected: Option<usize>,
    boundary: boundary::BoundaryTile,
    inside: inside::InsideTile,
    loss: CurvesTile,
    accuracy: CurvesTile,
    sets: curves::Sets,
    pub landscape: LandscapeTile,
}

/// The colour and dash of an optimizer in every view, by its id.
pub fn category(id: &str, style: &Style) -> Category {
    style.category(ROSTER.iter().position(|entry| entry.id == id).unwrap_or(0))
}

impl NetworkState {
    /// What of the tiles belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.of("network", |fields| {
            let write = |at: &Option<usize>| at.map_or("", |at| ROSTER[at].id).to_owned();
            let read = |id: &str| ROSTER.iter().position(|entry| entry.id == id).map(Some);
            fields.text("selected", &mut self.selected, None, write, read);
            fields.text("enlarged", self.boundary.enlarged(), None, write, read);
        });
        fields.of("loss", |fields| self.loss.fields(fields));
        fields.of("accuracy", |fields| self.accuracy.fields(fields));
        self.sets.fields(fields);
        fields.of("landscape", |fields| self.landscape.fields(fields));
        fields.of("inside", |fields| self.inside.fields(fields));
    }
}

/// Draws one of the network's tiles, where the run has something to show.
fn show(
    state: &mut NetworkState,
    ui: &mut Ui,
    ctx: &mut ViewCtx<'_>,
    tile: impl FnOnce(&mut NetworkState, &[usize], &mut Ui, &mut ViewCtx<'_>),
) {
    let present = present(ctx.run);
    if present.is_empty() {
        return parts::nothing_yet(ui, ctx);
    }
    if state.selected.is_some_and(|selected| !present.contains(&selected)) {
        state.selected = None;
    }
    tile(state, &present, ui, ctx);
}

/// Indices in [`ROSTER`] of the optimizers that take part in this run.
fn present(run: &RunState) -> Vec<usize> {
    (0..ROSTER.len()).filter(|&i| run.scalars.contains_key(format!("loss/train/{}", ROSTER[i].id).as_str())).collect()
}

/// The value of a scalar as of this step.
fn value(run: &RunState, family: &str, id: &str, step: u64) -> Option<f64> {
    Some(run.scalars.get(format!("{family}/{id}").as_str())?.at(step)?.1)
}

/// The last step that this optimizer reached, if that is before `step`: its loss was no longer a number afterwards.
fn stopped_at(run: &RunState, id: &str, step: u64) -> Option<u64> {
    let key = format!("loss/train/{id}");
    let (last, _) = run.scalars.get(key.as_str())?.last()?;
    let every = KeySpec::find(KEYS, &key)?.every;
    (step.min(run.step) >= last + 2 * every).then_some(last)
}

/// Points and their classes.
type Points<'a> = (&'a [[f32; 2]], &'a [u32]);

/// The points of a `points/...` payload.
fn points(payload: &Option<Arc<Payload>>) -> Points<'_> {
    match payload.as_deref() {
        Some(Payload::Points { xy, classes }) => (xy, classes),
        _ => (&[], &[]),
    }
}

/// The payload of this key as of the cursor, without its step.
fn payload(ctx: &ViewCtx<'_>, key: &str) -> Option<Arc<Payload>> {
    ctx.payload(key).map(|(_, payload)| payload)
}
