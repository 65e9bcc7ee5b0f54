//! The guide's live part.

use eframe::egui::Ui;

use crate::labs::ViewCtx;

pub fn show(ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    if let Some(dice) = ctx.run.last("dice/final") {
        ui.label(format!("Validation Dice {dice:.3}"));
    }
}
