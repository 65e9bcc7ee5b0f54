//! Tile "postprocess".

use eframe::egui::Ui;

use crate::labs::ViewCtx;
use crate::plot::tile;

use super::shared::Shared;

pub fn show(_shared: &mut Shared, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    tile::message(ui, tile::font_size(ctx.presenting), ctx.style, "Nothing yet", "start a run");
}
