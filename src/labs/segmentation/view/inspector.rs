//! Tile "inspector".

use eframe::egui::Ui;

use crate::labs::ViewCtx;
use crate::plot::tile;

use super::shared::Shared;

/// View state.
#[derive(Debug, Default)]
pub struct Inspector {}

impl Inspector {
    pub fn show(&mut self, _shared: &mut Shared, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        tile::message(ui, tile::font_size(ctx.presenting), ctx.style, "Nothing yet", "start a run");
    }
}
