//! The loss landscape of the networks: one slice, every optimizer's path on it.

use crate::kit::lab::LabSpec;
use crate::kit::landscape_tile::{LandscapeTile, WithLandscape, landscape_tile};
use crate::kit::tiles::Tile;
use crate::labs::optimizers::SPEC;
use crate::labs::optimizers::network::roster::ROSTER;
use crate::labs::optimizers::view::{OptimizersView, network};
use crate::plot::style::{Category, Style};

/// The tile.
pub static TILE: Tile<OptimizersView> = landscape_tile("boundary");

impl WithLandscape for OptimizersView {
    const LAB: &'static LabSpec = &SPEC;

    fn landscape(&mut self) -> &mut LandscapeTile {
        &mut self.network.landscape
    }

    fn selected(&self) -> &'static str {
        self.network.selected.map_or("", |index| ROSTER[index].id)
    }

    fn network(id: &str, style: &Style) -> Category {
        network::category(id, style)
    }
}
