//! The loss landscape of the network in training.

use crate::kit::lab::LabSpec;
use crate::kit::landscape_tile::{LandscapeTile, WithLandscape, landscape_tile};
use crate::kit::tiles::Tile;
use crate::labs::segmentation::SPEC;

use super::SegmentationView;

/// The tile.
pub static TILE: Tile<SegmentationView> = landscape_tile("against the step");

impl WithLandscape for SegmentationView {
    const LAB: &'static LabSpec = &SPEC;

    fn landscape(&mut self) -> &mut LandscapeTile {
        &mut self.landscape
    }
}
