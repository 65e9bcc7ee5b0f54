//! The layout of the window: which part lies where, and the overlays on top.

use eframe::egui::{self, CentralPanel, Color32, Frame, Margin, Panel, RichText, Ui};
use eframe::egui_wgpu::RenderState;

use super::act::Act;
use super::parts::App;
use super::state::State;
use super::widgets::{Icon, labelled_button};
use super::{
    bars, closing_question, fork, form, guide, help, metrics, palette, presenter, run_list, side_by_side, status_line,
    study_view, sweep_form, theme, tiles, timeline,
};
use crate::engine::event::Status;
use crate::engine::state::MarkKind;
use crate::plot::number;
use crate::plot::style::Style;

impl App {
    /// Draws one frame; what the user does in it goes to `acts`.
    pub(super) fn draw(&mut self, ui: &mut Ui, frame: &mut eframe::Frame, acts: &mut Vec<Act>) {
        let wgpu = frame.wgpu_render_state().cloned();
        match &self.presenter {
            Some(presenter) => presenter::show(presenter, &mut self.state, ui, wgpu.as_ref(), acts),
            None => self.window(ui, wgpu.as_ref(), acts),
        }
        self.overlays(ui.ctx(), acts);
    }

    fn window(&mut self, ui: &mut Ui, wgpu: Option<&RenderState>, acts: &mut Vec<Act>) {
        let (state, focus) = (&mut self.state, &mut self.focus);
        if let Some(session) = state.front_mut() {
            session.judge();
        }
        let panel = theme::panel_fill(&state.style);
        let bar = |x: i8, y: i8| Frame::new().fill(panel).inner_margin(Margin::symmetric(x, y));
        let (slim, wide) = (bar(12, 4), bar(12, 8));
        let side = Frame::new().fill(panel).inner_margin(0);
        Panel::top("top bar").exact_size(44.0).frame(slim).show(ui, |ui| bars::top(state, ui, acts));
        let fork_open = self.fork.open;
        Panel::top("run bar").exact_size(48.0).frame(wide).show(ui, |ui| bars::run(state, fork_open, ui, acts));
        let frames = &self.frames;
        Panel::bottom("status line")
            .exact_size(32.0)
            .frame(slim)
            .show(ui, |ui| status_line::show(state, frames, ui, acts));
        Panel::bottom("timeline").exact_size(60.0).frame(wide).show(ui, |ui| {
            if let Some(session) = state.front() {
                timeline::show(session, focus, ui, &state.style, acts);
            }
        });

        let (generation, settings) = (self.panels, &state.settings);
        let width = |open: bool, width: f32| if open { width } else { 0.0 };
        let (form, guide) =
            (width(settings.form_open, settings.form_width), width(settings.guide_open, settings.guide_width));
        self.folds.fit(ui.available_width(), form, guide);
        let folds = self.folds;
        // The tiles keep some room in a narrow window, whose panels have widths of their own that are not remembered.
        let most = |wish: f32| wish.min(((ui.available_width() - 360.0) / 2.0).max(160.0));
        let (form_most, guide_most) = (most(480.0), most(640.0));
        let narrow = form_most < settings.form_width.max(208.0) || guide_most < settings.guide_width.max(224.0);
        let left = Panel::left(("form", generation, narrow))
            .default_size(settings.form_width)
            .size_range(form_most.min(208.0)..=form_most)
            .frame(side);
        let right = Panel::right(("guide", generation, narrow))
            .default_size(settings.guide_width)
            .size_range(guide_most.min(224.0)..=guide_most)
            .frame(side);
        let (form_shown, guide_shown) = (folds.form.shows(), folds.guide.shows());
        let (mut form_open, mut guide_open) = (settings.form_open && form_shown, settings.guide_open && guide_shown);
        let form = left.show_collapsible(ui, &mut form_open, |ui| form::show(state, focus, ui, acts));
        let guide = right.show_collapsible(ui, &mut guide_open, |ui| guide::show(state, focus, ui, wgpu, acts));
        if let Some(shown) = form.filter(|_| form_open && !narrow) {
            state.settings.form_width = shown.response.rect.width().round();
        }
        if let Some(shown) = guide.filter(|_| guide_open && !narrow) {
            state.settings.guide_width = shown.response.rect.width().round();
        }
        // What is folded away for want of room is open all the same.
        if form_shown {
            state.settings.form_open = form_open;
        }
        if guide_shown {
            state.settings.guide_open = guide_open;
        }
        CentralPanel::no_frame().show(ui, |ui| self.middle(ui, wgpu, acts));
    }

    /// The tiles, with a banner above them where the run needs one.
    fn middle(&mut self, ui: &mut Ui, wgpu: Option<&RenderState>, acts: &mut Vec<Act>) {
        ui.painter().rect_filled(ui.max_rect(), 0.0, self.state.style.plot_background);
        ui.spacing_mut().item_spacing.y = 0.0;
        banner(&self.state, ui, acts);
        let mut clicked = Vec::new();
        let places = self.state.with_view(wgpu, false, acts, |view, layouts, ctx| {
            let arrangement = view.arrangement(ctx.params);
            layouts.ui(ui, &arrangement, view, ctx, &mut clicked)
        });
        acts.append(&mut clicked);
        match places {
            Some(places) => self.capture.tiles = places,
            None => tiles::empty(ui, "No lab is registered."),
        }
    }

    fn overlays(&mut self, ctx: &egui::Context, acts: &mut Vec<Act>) {
        closing_question::show(&mut self.state, ctx, acts);
        self.files.show(ctx, &self.state.style, acts);
        self.paste.show(ctx, &self.state.style, acts);
        let state = &self.state;
        palette::show(&mut self.palette, state, ctx, acts);
        help::show(&mut self.help_open, state, ctx);
        if let Some(session) = state.front() {
            metrics::show(&mut self.metrics, session, &state.style, ctx);
            fork::show(&mut self.fork, session, &state.style, ctx, acts);
            sweep_form::show(&mut self.sweep_form, session, &state.style, ctx, acts);
        }
        if let Some(study) = &mut self.study {
            study_view::show(study, state, ctx, acts);
        }
        side_by_side::show(&mut self.side_by_side, state, self.pins.is_settled(), ctx, acts);
        let quiet = !state.closing.asks() && !self.palette.open;
        run_list::show(&mut self.run_list, state, &self.reopen, quiet, ctx, acts);
        let State { notices, style, .. } = &mut self.state;
        acts.extend(notices.panel(ctx, style).map(Act::Seek));
        if self.presenter.is_none() {
            notices.toasts(ctx, style);
            self.exports.show(ctx, style, acts);
        }
        if ctx.input(|input| !input.raw.hovered_files.is_empty()) {
            drop_target(ctx, style);
        }
    }
}

/// Says what a dropped file becomes.
fn drop_target(ctx: &egui::Context, style: &Style) {
    let painter = ctx.layer_painter(egui::LayerId::new(egui::Order::Tooltip, egui::Id::unique("drop target")));
    let rect = ctx.content_rect();
    painter.rect_filled(rect, 0.0, style.plot_background.gamma_multiply(0.8));
    let font = egui::FontId::new(20.0, theme::strong_family());
    let text = "Drop to open as data, or to see a recorded run";
    painter.text(rect.center(), egui::Align2::CENTER_CENTER, text, font, style.text);
}

/// What the run is waiting for, or what went wrong and what to do.
fn banner(state: &State, ui: &mut Ui, acts: &mut Vec<Act>) {
    let style = &state.style;
    let Some(session) = state.front() else { return };
    let seconds = (state.time - session.status_since).max(0.0);
    let strip = |ui: &mut Ui, color: Color32, add: &mut dyn FnMut(&mut Ui)| {
        let frame = Frame::new().fill(theme::shade(style, 0.06)).inner_margin(Margin::symmetric(12, 8));
        let shown = frame.show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            add(ui);
        });
        let rect = shown.response.rect;
        ui.painter().rect_filled(rect.with_max_x(rect.left() + 3.0), 0.0, color);
    };
    let waiting = match &session.run.status {
        Some(Status::Building) => Some("Opening the device and building the model…".to_owned()),
        Some(Status::CheckingDevice) => Some(format!(
            "Comparing this device with the CPU before its first use ({seconds:.0} s). Done once for each device and version."
        )),
        Some(Status::WarmingUp) => Some(format!(
            "Warming up: compiling kernels ({seconds:.0} s). Happens once for each shape; the window stays alive."
        )),
        Some(Status::Waiting) => Some(format!(
            "The disk takes nothing more ({seconds:.0} s). Training waits, so that nothing of its recording is lost: free some \
             space, or stop the run."
        )),
        Some(status) => status.how_far().map(|far| {
            let left = status.seconds_left(seconds).filter(|_| seconds > 1.0);
            let left = left.map_or_else(String::new, |left| format!(", about {} left", number::duration(left)));
            let first = far.chars().next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
            format!("{first}{}{left}… Stop and Start are heard meanwhile.", far.get(first.len()..).unwrap_or_default())
        }),
        None => None,
    };
    if let Some(text) = waiting {
        strip(ui, style.accent, &mut |ui| drop(ui.label(RichText::new(&text).color(style.text))));
        return;
    }
    let Some(Status::Failed(message)) = &session.run.status else { return };
    if session.failure_seen {
        return;
    }
    let checkpoint =
        session.run.marks.iter().rev().find(|mark| mark.kind == MarkKind::Checkpoint).map(|mark| mark.step);
    strip(ui, style.error, &mut |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        ui.label(theme::strong("The run failed").color(style.error));
        ui.add(egui::Label::new(message).wrap().selectable(true));
        let kept = match checkpoint {
            Some(step) => format!("What was recorded is kept; the last checkpoint is of step {step}."),
            None => "What was recorded is kept.".to_owned(),
        };
        ui.label(RichText::new(format!("{kept} Change what caused it, then restart.")).weak());
        ui.horizontal(|ui| {
            if labelled_button(ui, Some(Icon::Restart), "Restart after failure", true, style).clicked() {
                acts.push(Act::Start);
            }
            if labelled_button(ui, None, "Close", false, style).clicked() {
                acts.push(Act::CloseFailure);
            }
        });
    });
}
