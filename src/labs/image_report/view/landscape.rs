//! The loss landscape of the network in training.

use crate::kit::lab::LabSpec;
use crate::kit::landscape_tile::{LandscapeTile, WithLandscape, landscape_tile};
use crate::kit::tiles::Tile;
use crate::labs::image_report::SPEC;

use super::ImageReportView;

/// The tile.
pub static TILE: Tile<ImageReportView> = landscape_tile("against the step");

impl WithLandscape for ImageReportView {
    const LAB: &'static LabSpec = &SPEC;

    fn landscape(&mut self) -> &mut LandscapeTile {
        &mut self.landscape
    }
}
