//! Draws the optimizers lab.

pub mod surface3d;

use eframe::egui;

use crate::engine::params::Params;
use crate::labs::{Arrangement, LabView, Node, TileSpec, ViewCtx};

/// View state of the lab.
#[derive(Debug, Default)]
pub struct OptimizersView {}

impl LabView for OptimizersView {
    fn tiles(&self) -> &'static [TileSpec] {
        &[]
    }

    fn arrangement(&self, _params: &Params) -> Arrangement {
        Arrangement { id: "surface", root: Node::Tile("field") }
    }

    fn tile(&mut self, _tile: &str, _ui: &mut egui::Ui, _ctx: &mut ViewCtx<'_>) {}

    fn guide(&mut self, _ui: &mut egui::Ui, _ctx: &mut ViewCtx<'_>) {}
}
