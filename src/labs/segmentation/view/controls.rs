//! Small controls that the wall and the inspector share.

use eframe::egui::{Button, Label, RichText, Slider, Ui};

use crate::engine::event::Status;
use crate::engine::params::Value;
use crate::kit::empty::{self, Awaited};
use crate::kit::series as common;
use crate::kit::view::ViewCtx;
use crate::labs::segmentation::params::{PARAMS, UNCERTAINTY_SAMPLES, has_dropout};
use crate::plot::{medium, tile};

use super::look::{Ghost, Look, Mode};

/// Passes that the button for the uncertainty asks for.
const PASSES: i64 = 8;

/// The modes as a row of small buttons, for a bar that is laid out from right to left.
pub fn modes(ui: &mut Ui, look: &mut Look, size: f32) {
    for mode in Mode::ALL.into_iter().rev() {
        if tile::toggle(ui, look.mode == mode, mode.name(), mode.help(), size) {
            look.mode = mode;
        }
    }
}

/// The button that opens the selected image in the brush, where there is room for it.
pub fn to_brush(ui: &mut Ui, asked: &mut bool, room: bool, size: f32) {
    let help = "Open the selected image in the brush with this prediction, to accept or correct it (B)";
    if room && tile::button(ui, true, "brush", help, size) {
        *asked = true;
    }
}

/// Everything about how images are shown, for a menu.
pub fn look_menu(ui: &mut Ui, look: &mut Look) {
    ui.label(RichText::new("Over the image").small());
    for mode in Mode::ALL {
        ui.radio_value(&mut look.mode, mode, mode.name()).on_hover_text(mode.help());
    }
    ui.add_enabled_ui(look.mode != Mode::Outlines, |ui| {
        ui.add(Slider::new(&mut look.opacity, 0.0..=1.0).text("opacity").max_decimals(2))
            .on_hover_text("Of what lies over the image; 0 shows the image alone");
    });
    ui.separator();
    ui.label(RichText::new("Faint earlier outline").small());
    for ghost in Ghost::ALL {
        ui.radio_value(&mut look.ghost, ghost, ghost.name())
            .on_hover_text("Drawn dotted, made with the same post-processing. Needs a recorded run.");
    }
}

/// Says what is missing for the uncertainty, with the button that switches it on.
pub fn ask_for_uncertainty(ui: &mut Ui, ctx: &mut ViewCtx<'_>, size: f32) {
    let passes = UNCERTAINTY_SAMPLES.get(ctx.params).unwrap_or(0);
    let over = ctx.run.status.as_ref().is_none_or(Status::is_over);
    // What is shown, and what the next run will be.
    if !has_dropout(&common::params_at(ctx, PARAMS)) || over && !has_dropout(ctx.params) {
        let text =
            "This network has no dropout layer: every pass would be the same, and there is no uncertainty to show.";
        ui.add(Label::new(tile::weak(text, size, ctx.style)).wrap());
        return;
    }
    ui.horizontal_wrapped(|ui| {
        let text = match (passes > 0, over) {
            (true, false) => "The uncertainty comes with the next validation.",
            (true, true) => "This run recorded no uncertainty here; the next run will.",
            (false, _) => "Uncertainty takes passes with dropout on; the parameter `uncertainty_samples` is 0.",
        };
        ui.label(tile::weak(text, size, ctx.style));
        if passes == 0 && !medium::is_figure(ui.ctx()) {
            let button = Button::new(RichText::new(format!("take {PASSES} passes")).size(size)).frame_when_inactive(true);
            let help = "Sets `uncertainty_samples`, from the next validation on. Each pass costs as much as a validation of \
                        the wall's images.";
            if ui.add(button).on_hover_text(help).clicked() {
                ctx.set(UNCERTAINTY_SAMPLES.key(), Value::Int(PASSES), true);
            }
        }
    });
}

/// What to say where there are no images yet.
pub fn nothing_yet(ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let awaited = Awaited {
        start: "training begins with the parameters on the left.",
        soon: ("No images yet", "They come with the first validation."),
        never: ("No images were recorded", "The run ended before its first validation."),
    };
    empty::run(ui, ctx, &awaited);
}
