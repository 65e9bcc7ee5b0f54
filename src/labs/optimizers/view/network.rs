//! The tiles of the network experiment.

use eframe::egui::Ui;

use crate::labs::{TileSpec, ViewCtx};

/// View state of the tiles.
#[derive(Debug, Default)]
pub struct NetworkState {}

/// Draws one of the network's tiles.
pub fn tile(_state: &mut NetworkState, _tile: &str, _ui: &mut Ui, _ctx: &mut ViewCtx<'_>) {}

/// Draws the live part of the guide.
pub fn guide(_state: &mut NetworkState, _ui: &mut Ui, _ctx: &mut ViewCtx<'_>) {}

/// Its tiles.
pub const TILES: [TileSpec; 4] = [
    TileSpec { id: "boundary", title: "Decision boundary", help: "" },
    TileSpec { id: "loss", title: "Loss", help: "" },
    TileSpec { id: "accuracy", title: "Accuracy", help: "" },
    TileSpec { id: "network-table", title: "Results", help: "" },
];
