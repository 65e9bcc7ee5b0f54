//! What stands in a tile that has nothing to draw: what is going on, and what to do.

use eframe::egui::Ui;

use super::view::ViewCtx;
use crate::engine::event::Status;
use crate::plot::tile;

/// What a tile waits for, in the words of the lab.
#[derive(Debug, Clone, Copy)]
pub struct Awaited<'a> {
    /// What Start brings, as a sentence.
    pub start: &'a str,
    /// Title and hint while the run has not come to it.
    pub soon: (&'a str, &'a str),
    /// Title and hint where the run ended without it.
    pub never: (&'a str, &'a str),
}

/// Draws the state of a run that has nothing to show yet.
pub fn run(ui: &mut Ui, ctx: &ViewCtx<'_>, awaited: &Awaited<'_>) {
    let (title, hint) = match &ctx.run.status {
        None => ("No run yet", format!("Press Start: {}", awaited.start)),
        Some(Status::Building) => ("Preparing", "Data and networks are being made.".to_owned()),
        Some(Status::CheckingDevice) => ("Checking the device", "A few steps are compared with the CPU.".to_owned()),
        Some(Status::WarmingUp) => {
            ("Warming up", "The device compiles its kernels; the first step follows.".to_owned())
        }
        Some(Status::Failed(why)) => ("The run failed", why.clone()),
        Some(status) => match status.how_far() {
            Some(how_far) => ("Preparing", how_far),
            None => {
                let (title, hint) = if status.is_over() { awaited.never } else { awaited.soon };
                (title, hint.to_owned())
            }
        },
    };
    message(ui, ctx, title, &hint);
}

/// The same of something that a training measures; `when`: in whole words, when it does.
pub fn measured(ui: &mut Ui, ctx: &ViewCtx<'_>, when: &str) {
    let hint = format!("This is measured {when}.");
    let awaited = Awaited {
        start: "training begins with the parameters on the left.",
        soon: ("Nothing measured yet", &hint),
        never: ("Nothing was recorded here", &hint),
    };
    run(ui, ctx, &awaited);
}

/// Any other reason: what is the matter, and what to do.
pub fn message(ui: &mut Ui, ctx: &ViewCtx<'_>, title: &str, hint: &str) {
    tile::message(ui, tile::font_size(ctx.presenting), ctx.style, title, hint);
}
