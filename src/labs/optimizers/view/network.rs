//! The tiles of the network experiment: a picture of every optimizer's decision, loss and accuracy against the step, and
//! the numbers at the cursor.

mod boundary;
mod curves;
mod guide;
mod parts;
mod results;

use std::sync::Arc;

use eframe::egui::Ui;

use crate::engine::event::{KeySpec, Payload};
use crate::engine::state::RunState;
use crate::kit::view::{TileSpec, ViewCtx};
use crate::labs::optimizers::KEYS;
use crate::labs::optimizers::network::roster::ROSTER;

pub use guide::guide;

/// Its tiles.
pub const TILES: [TileSpec; 4] = [
    TileSpec {
        id: "boundary",
        title: "Decision boundary",
        help: "What each network says about every point of the plane at the timeline's step; the line is where the \
               classes are equally likely. Discs are training points, rings test points. Click a picture to enlarge \
               it, and again to go back.",
    },
    TileSpec {
        id: "loss",
        title: "Loss",
        help: "Mean cross-entropy of the whole training set (bold) and test set (fine) against the step. Click or drag \
               to move the timeline, scroll to zoom, double-click to fit.",
    },
    TileSpec {
        id: "accuracy",
        title: "Accuracy",
        help: "Share of points whose likeliest class is theirs: training set (bold) and test set (fine).",
    },
    TileSpec {
        id: "network-table",
        title: "Results",
        help: "Loss and accuracy of every optimizer at the timeline's step. Click a row to highlight it everywhere.",
    },
];

/// View state of the tiles.
#[derive(Debug, Default)]
pub struct NetworkState {
    /// Index in [`ROSTER`] of the optimizer that is highlighted in every tile.
    selected: Option<usize>,
    boundary: boundary::BoundaryTile,
    loss: curves::CurvesTile,
    accuracy: curves::CurvesTile,
    options: curves::Options,
}

/// Draws one of the network's tiles.
pub fn tile(state: &mut NetworkState, tile: &str, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let present = present(ctx.run);
    if !ui.max_rect().is_positive() {
        return;
    }
    if present.is_empty() {
        return parts::empty(ui, ctx);
    }
    let NetworkState { selected, boundary, loss, accuracy, options } = state;
    if selected.is_some_and(|selected| !present.contains(&selected)) {
        *selected = None;
    }
    match tile {
        "boundary" => boundary::ui(boundary, &present, selected, ui, ctx),
        "loss" => curves::ui(curves::Quantity::Loss, loss, options, &present, selected, ui, ctx),
        "accuracy" => curves::ui(curves::Quantity::Accuracy, accuracy, options, &present, selected, ui, ctx),
        "network-table" => results::ui(&present, selected, ui, ctx),
        _ => {}
    }
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
