//! Tile "curves".

use eframe::egui::Ui;

use crate::labs::ViewCtx;
use crate::plot::tile;

/// View state.
#[derive(Debug, Default)]
pub struct Curves {}

impl Curves {
    pub fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        tile::message(ui, tile::font_size(ctx.presenting), ctx.style, "Nothing yet", "start a run");
    }
}
