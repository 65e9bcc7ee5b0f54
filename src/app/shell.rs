//! The layout of the window: which part lies where, and the overlays on top.

use eframe::egui::{self, CentralPanel, Color32, Frame, Margin, Panel, RichText, Ui};
use eframe::egui_wgpu::RenderState;

use super::closing::Next;
use super::layouts::Layouts;
use super::tiles::{self, TileEvents};
use super::widgets::{Icon, labelled_button};
use super::{
    App, bars, closing, files, fork, form, guide, help, metrics, palette, presenter, run_list, status_line, study_view,
    theme, timeline,
};
use crate::engine::event::Status;
use crate::engine::state::MarkKind;
use crate::kit::view::{Cursor, LabView, ViewCtx};
use crate::plot::number;

/// A part of the window that can have the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    Form,
    Timeline,
    Guide,
}

impl Region {
    pub fn next(self) -> Self {
        match self {
            Region::Form => Region::Timeline,
            Region::Timeline => Region::Guide,
            Region::Guide => Region::Form,
        }
    }
}

/// Draws one frame.
pub fn show(app: &mut App, ui: &mut Ui, frame: &mut eframe::Frame) {
    let wgpu = frame.wgpu_render_state().cloned();
    if app.presenter.is_some() {
        presenter::show(app, ui, wgpu.as_ref());
    } else {
        window(app, ui, wgpu.as_ref());
    }
    overlays(app, ui.ctx());
}

fn window(app: &mut App, ui: &mut Ui, wgpu: Option<&RenderState>) {
    let bar = |x: i8, y: i8| Frame::new().fill(theme::panel_fill(&app.style)).inner_margin(Margin::symmetric(x, y));
    let (slim, wide) = (bar(12, 4), bar(12, 8));
    let side = Frame::new().fill(theme::panel_fill(&app.style)).inner_margin(0);
    Panel::top("top bar").exact_size(44.0).frame(slim).show(ui, |ui| bars::top(app, ui));
    Panel::top("run bar").exact_size(48.0).frame(wide).show(ui, |ui| bars::run(app, ui));
    Panel::bottom("status line").exact_size(32.0).frame(slim).show(ui, |ui| status_line::show(app, ui));
    Panel::bottom("timeline").exact_size(60.0).frame(wide).show(ui, |ui| timeline::show(app, ui));

    let (generation, settings) = (app.panels, &app.settings);
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
    let (mut form_open, mut guide_open) = (settings.form_open, settings.guide_open);
    let form = left.show_collapsible(ui, &mut form_open, |ui| form::show(app, ui));
    let guide = right.show_collapsible(ui, &mut guide_open, |ui| guide::show(app, ui, wgpu));
    if let Some(shown) = form.filter(|_| form_open && !narrow) {
        app.settings.form_width = shown.response.rect.width().round();
    }
    if let Some(shown) = guide.filter(|_| guide_open && !narrow) {
        app.settings.guide_width = shown.response.rect.width().round();
    }
    (app.settings.form_open, app.settings.guide_open) = (form_open, guide_open);
    CentralPanel::no_frame().show(ui, |ui| middle(app, ui, wgpu));
}

/// The tiles, with a banner above them where the run needs one.
fn middle(app: &mut App, ui: &mut Ui, wgpu: Option<&RenderState>) {
    ui.painter().rect_filled(ui.max_rect(), 0.0, app.style.plot_background);
    ui.spacing_mut().item_spacing.y = 0.0;
    banner(app, ui);
    if app.sessions.is_empty() {
        tiles::empty(ui, "No lab is registered.");
        return;
    }
    let events = app.with_view(wgpu, false, |view, layouts, ctx| {
        let arrangement = view.arrangement(ctx.params);
        layouts.ui(ui, &arrangement, view, ctx)
    });
    if let Some(TileEvents { export, present, rects }) = events {
        app.capture.tiles = rects;
        if let Some(tile) = export {
            app.export_figure(tile);
        }
        if let Some(tile) = present {
            presenter::Presenter::toggle(app, ui.ctx(), Some(tile));
        }
    }
}

/// What the run is waiting for, or what went wrong and what to do.
fn banner(app: &mut App, ui: &mut Ui) {
    let style = app.style.clone();
    let time = app.time;
    let Some(session) = app.sessions.get_mut(app.active) else { return };
    let seconds = (time - session.status_since).max(0.0);
    let strip = |ui: &mut Ui, color: Color32, add: &mut dyn FnMut(&mut Ui)| {
        let frame = Frame::new().fill(theme::shade(&style, 0.06)).inner_margin(Margin::symmetric(12, 8));
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
    let Some(Status::Failed(message)) = session.run.status.clone() else { return };
    if session.failure_seen {
        return;
    }
    let checkpoint =
        session.run.marks.iter().rev().find(|mark| mark.kind == MarkKind::Checkpoint).map(|mark| mark.step);
    let (mut restart, mut close) = (false, false);
    strip(ui, style.error, &mut |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        ui.label(theme::strong("The run failed").color(style.error));
        ui.add(egui::Label::new(&message).wrap().selectable(true));
        let kept = match checkpoint {
            Some(step) => format!("What was recorded is kept; the last checkpoint is of step {step}."),
            None => "What was recorded is kept.".to_owned(),
        };
        ui.label(RichText::new(format!("{kept} Change what caused it, then restart.")).weak());
        ui.horizontal(|ui| {
            restart = labelled_button(ui, Some(Icon::Restart), "Restart after failure", true, &style).clicked();
            close = labelled_button(ui, None, "Close", false, &style).clicked();
        });
    });
    session.failure_seen |= close;
    if restart {
        app.wish(Next::Restart(app.active));
    }
}

fn overlays(app: &mut App, ctx: &egui::Context) {
    let style = app.style.clone();
    closing::show(app, ctx);
    files::show(app, ctx);
    palette::show(app, ctx);
    help::show(app, ctx);
    metrics::show(app, ctx);
    fork::show(app, ctx);
    study_view::show(app, ctx);
    run_list::show(app, ctx);
    if let Some(step) = app.notices.panel(ctx, &style) {
        app.seek(step);
    }
    if app.presenter.is_none() {
        app.notices.toasts(ctx, &style);
    }
    if ctx.input(|input| !input.raw.hovered_files.is_empty()) {
        let layer = egui::LayerId::new(egui::Order::Tooltip, egui::Id::unique("drop target"));
        let painter = ctx.layer_painter(layer);
        let rect = ctx.content_rect();
        painter.rect_filled(rect, 0.0, style.plot_background.gamma_multiply(0.8));
        let font = egui::FontId::new(20.0, theme::strong_family());
        painter.text(
            rect.center(),
            egui::Align2::CENTER_CENTER,
            "Drop to open as data, or to see a recorded run",
            font,
            style.text,
        );
    }
}

impl App {
    /// Calls `f` with the front lab's view and what it draws from; carries out what the view asked for.
    pub(super) fn with_view<R>(
        &mut self,
        wgpu: Option<&RenderState>,
        presenting: bool,
        f: impl FnOnce(&mut dyn LabView, &mut Layouts, &mut ViewCtx<'_>) -> R,
    ) -> Option<R> {
        let session = self.sessions.get_mut(self.active)?;
        let params = session.effective();
        let past = session.past.view(&session.run);
        let mut actions = Vec::new();
        // Ahead of a run that is still being computed, its newest step is shown.
        let newest = Cursor { step: session.run.step, sub: 0 };
        let cursor = if session.play.cursor.step > newest.step { newest } else { session.play.cursor };
        let mut ctx = ViewCtx {
            run: &session.run,
            params: &params,
            cursor,
            style: &self.style,
            wgpu,
            past: &past,
            presenting,
            actions: &mut actions,
        };
        let result = f(session.view.as_mut(), &mut session.layouts, &mut ctx);
        self.carry_out(actions);
        Some(result)
    }

    /// Runs one of the front lab's own commands.
    pub(super) fn lab_command(&mut self, id: &str, egui: &egui::Context) {
        self.with_view(None, false, |view, _, ctx| view.command(id, ctx, egui));
    }
}
