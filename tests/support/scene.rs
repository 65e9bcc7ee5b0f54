//! Draws tiles without the window's shell.

use eframe::egui::{LayerId, Ui};
use egui_kittest::{Harness, HarnessBuilder};
use learnscope::app::theme;
use learnscope::plot::style::Style;

/// A harness that draws `state` in its style on the window's background. The first frame only brings in the fonts, which
/// act from the next one on.
pub fn build<'a, S: 'a>(
    builder: HarnessBuilder<S>,
    style: fn(&S) -> &Style,
    mut draw: impl FnMut(&mut Ui, &mut S) + 'a,
    state: S,
) -> Harness<'a, S> {
    let mut ready = false;
    builder.build_ui_state(
        move |ui, state: &mut S| {
            if !std::mem::replace(&mut ready, true) {
                theme::install_fonts(ui.ctx());
                return;
            }
            theme::apply(ui.ctx(), style(state), 1.0);
            let all = ui.ctx().layer_painter(LayerId::background());
            all.rect_filled(ui.ctx().content_rect(), 0.0, ui.visuals().panel_fill);
            draw(ui, state);
        },
        state,
    )
}
