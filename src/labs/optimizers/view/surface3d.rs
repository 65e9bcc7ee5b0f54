//! The surface in three dimensions.

use eframe::egui::Ui;

use crate::labs::ViewCtx;

/// View state of the tile.
#[derive(Debug, Default)]
pub struct Surface3dState {}

/// Draws the tile.
pub fn ui(_state: &mut Surface3dState, _ui: &mut Ui, _ctx: &mut ViewCtx<'_>) {}
