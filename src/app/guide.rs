//! "What am I looking at?": the lab's live part with the current numbers in it, then its lesson.

use eframe::egui::{self, RichText, Ui};
use eframe::egui_wgpu::RenderState;

use super::act::{Act, Focus, Region};
use super::state::State;
use super::{markdown, theme};

pub fn show(state: &mut State, focus: &mut Focus, ui: &mut Ui, wgpu: Option<&RenderState>, acts: &mut Vec<Act>) {
    let Some(spec) = state.front().map(|session| session.lab.spec) else { return };
    egui::ScrollArea::vertical().id_salt(("guide", spec.id)).auto_shrink([false, false]).show(ui, |ui| {
        egui::Frame::new().inner_margin(16).show(ui, |ui| {
            ui.set_width(ui.available_width());
            let heading = ui.add(
                egui::Label::new(theme::group_heading("What am I looking at?", &state.style))
                    .sense(egui::Sense::focusable_noninteractive()),
            );
            if focus.take(Region::Guide) {
                heading.request_focus();
                heading.scroll_to_me(Some(egui::Align::TOP));
            }
            ui.add_space(4.0);
            ui.label(RichText::new(spec.claim).weak());
            ui.add_space(8.0);
            ui.push_id("live", |ui| state.with_view(wgpu, false, acts, |view, _, ctx| view.guide(ui, ctx)));
            ui.add_space(8.0);
            markdown::show(ui, spec.guide, &state.style);
            ui.add_space(24.0);
        });
    });
}
