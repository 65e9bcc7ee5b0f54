//! The window: one shell for all labs. Draws from [`RunState`](crate::engine::state::RunState), sends
//! [`Command`](crate::engine::command::Command)s, trains nothing. Nothing here waits: not for the worker, a file, a
//! dialog or a device.
//!
//! The parts draw from a [`State`](state::State) and send [`Act`]s; [`update`] alone carries these out. A frame:
//! what the worker and the threads say is taken in, then what the keyboard asks for is done, then all is drawn, then what
//! was clicked is done.

pub mod act;
pub mod actions;
pub mod backend;
mod bars;
pub mod canvas;
mod capture;
mod closing;
mod closing_question;
mod control;
mod escape;
mod exports;
pub mod figure;
mod files;
mod fitted;
mod fold;
mod fonts;
mod fork;
mod form;
mod form_row;
pub mod gif;
pub mod guard;
mod guide;
mod help;
mod layout_text;
pub mod layouts;
mod markdown;
mod metrics;
mod notices;
pub mod pace;
mod palette;
mod parts;
mod pins;
pub mod playback;
pub mod png;
mod presenter;
mod reopen;
mod run_list;
mod run_table;
pub mod runs;
pub mod scale;
pub mod scene;
mod scene_window;
pub mod script;
pub mod session;
mod session_form;
pub mod settings;
mod shell;
pub mod side_by_side;
mod state;
mod status_line;
mod study;
mod study_disk;
pub mod study_figure;
mod study_view;
mod svg;
mod svg_format;
mod svg_pixels;
mod svg_text;
pub mod sweep_figure;
mod sweep_form;
mod sweep_lines;
mod sweep_view;
pub mod theme;
pub mod tiles;
mod timeline;
pub mod undo;
mod update;
mod widgets;
pub mod window;
pub mod wiring;

use std::time::Duration;

use eframe::egui;

use self::act::Act;
use crate::engine::event::{Body, Level, Status};
use crate::kit::view::Lab;
use crate::plot::background::Task;
use pace::Pace;

pub use parts::{App, Open, Parts};
pub use window::{WindowOptions, run_window};

/// Longest time that closing waits for a worker that trains nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest time that closing waits for each of the files that are being written.
const FAREWELL: Duration = Duration::from_secs(2);

impl App {
    /// Takes in what the worker and the helper threads have finished.
    fn receive(&mut self, ctx: &egui::Context) {
        let state = &mut self.state;
        let (events, letters) = state.backend.drain();
        let pace = Pace::of(ctx);
        if !events.is_empty() || state.backend.has_more() {
            pace.wake(ctx);
        }
        let mut changed = false;
        for event in &events {
            if let Some(study) = &mut self.study {
                study.hear(event);
            }
            let Some(session) = state.sessions.iter_mut().find(|session| session.owns(event.run)) else { continue };
            session.apply(event, state.time);
            state.closing.hear(event);
            changed |= match &event.body {
                Body::Started(header) => !header.folder.is_empty(),
                Body::Status(status) => status.is_over(),
                _ => false,
            };
            match &event.body {
                Body::Notice { level, text } => {
                    state.notices.push_of(state.time, *level, text.clone(), (event.run, event.step));
                }
                // A run that is computed at once writes one whenever a slider moves.
                Body::Checkpoint { file } if session.run_rate().is_none() => {
                    state.notices.note(
                        state.time,
                        Level::Info,
                        format!("checkpoint written: {file}"),
                        (event.run, event.step),
                    );
                }
                Body::Status(Status::Failed(text)) => {
                    // A refused combination of values or a file that cannot be read is shown beside its field, too.
                    if let Some(key) = blamed(text, session.lab) {
                        session.errors.insert(key.to_owned(), text.clone());
                    }
                    let text = format!("the run failed: {text}");
                    state.notices.push_of(state.time, Level::Error, text, (event.run, event.step));
                }
                _ => {}
            }
        }
        if changed {
            self.reopen.recordings_changed(state.time);
        }
        for letter in &letters {
            if let Some(session) = state.sessions.iter_mut().find(|session| session.owns(letter.run)) {
                session.deliver(letter);
                pace.wake(ctx);
            }
        }
        if let Some(answer) = state.device_answer.as_ref().and_then(Task::poll) {
            state.device_answer = None;
            match answer {
                Ok(list) => state.devices = Some(list),
                Err(problem) => state.notice(Level::Warning, format!("the devices are not listed: {problem}")),
            }
        }
        for session in &mut state.sessions {
            session.show_incoming(state.time);
            session.sample_speed(state.time);
            if let Some(problem) = session.past.poll() {
                state.notices.push(state.time, Level::Warning, problem);
            }
        }
        state.notices.outlive(|run| state.sessions.iter().any(|session| session.owns(run)));
        if let Some(problem) = self.store.problem() {
            state.notice(Level::Warning, problem);
        }
        for answer in self.files.finished() {
            match answer {
                files::Answer::Exists(path) => state.settings.remember(&path),
                files::Answer::Scene(scene) => state.show_scene(&scene),
                files::Answer::Said(level, text) => state.notice(level, text),
            }
        }
        for (level, text) in self.capture.finished().into_iter().chain(self.exports.finished()) {
            state.notice(level, text);
        }
    }

    /// Moves the cursor with time and asks for the next frame where something moves.
    fn advance(&mut self, ctx: &egui::Context) {
        // The time that has passed, not egui's smoothed one: playback keeps its rate on a slow display.
        let seconds = f64::from(ctx.input(|input| input.unstable_dt));
        let Some(session) = self.state.front_mut() else { return };
        let (rate, end) = (session.replay_rate(), session.run.step);
        let over = session.run.status.as_ref().is_some_and(Status::is_over);
        let planned = match over {
            // The run that is asked for may be a longer one.
            _ if session.is_waiting() || session.pending.is_some() => u64::MAX,
            true => end,
            false => session.planned_steps(),
        };
        let moving = session.play.advance(seconds, rate, end, planned);
        if moving && over && session.play.cursor.step >= end {
            session.play.pin_at_end();
        } else if moving && session.run.is_live() && session.play.cursor.step >= end {
            Pace::of(ctx).wake(ctx);
        } else if moving && (end > 0 || session.run.is_live()) {
            ctx.request_repaint();
        }
        if session.pending.is_some() || session.is_waiting() {
            ctx.request_repaint_after(Duration::from_millis(16));
        } else if session.training() && session.run.status != Some(Status::Paused) {
            // Seconds of warming up and the measured speed go on counting without events.
            ctx.request_repaint_after(Duration::from_millis(500));
        }
    }

    /// What the keyboard asks for.
    fn keyboard(&mut self, ctx: &egui::Context) {
        if self.is_asking() {
            return;
        }
        self.escape(ctx);
        if self.presenter.is_some() && presenter::keys(ctx, &mut self.acts) {
            return;
        }
        actions::shortcuts(&self.state, ctx, &mut self.acts);
    }

    /// Hands every change to the writer in the frame in which it is made: there may not be another for a long time.
    fn save_settings(&mut self, ctx: &egui::Context) {
        let talk = self.presenter.is_some() || ctx.input(|i| i.viewport().fullscreen == Some(true));
        if let Some(rect) = ctx.input(|i| i.viewport().inner_rect).filter(|rect| !talk && rect.width() > 1.0) {
            let size = rect.size() * ctx.zoom_factor();
            self.state.settings.window = Some([size.x.round(), size.y.round()]);
        }
        self.store.save(&self.remembered());
    }

    /// How large everything is drawn; a talk has larger type instead.
    fn apply_scale(&self, ctx: &egui::Context) {
        let width = ctx.content_rect().width() * ctx.zoom_factor();
        let chosen = self.state.settings.scale.unwrap_or_else(|| scale::by_width(width));
        let wanted = if self.presenter.is_some() { 1.0 } else { chosen };
        if (wanted - ctx.zoom_factor()).abs() > 1e-3 {
            ctx.set_zoom_factor(wanted);
        }
    }

    fn apply_theme(&mut self, ctx: &egui::Context) {
        let style = self.state.settings.theme.style(ctx.system_theme());
        let scale = if self.presenter.is_some() { presenter::TYPE_SCALE } else { 1.0 };
        let wanted = (style, scale);
        if self.applied.as_ref() != Some(&wanted) {
            theme::apply(ctx, &wanted.0, scale);
            self.state.style = wanted.0.clone();
            self.applied = Some(wanted);
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        Pace::of(ctx).frame(frame.info().cpu_usage);
        self.state.time = ctx.input(|input| input.time);
        self.apply_theme(ctx);
        self.apply_scale(ctx);
        self.receive(ctx);
        let dropped =
            ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect::<Vec<_>>());
        let (scenes, dropped) = dropped.into_iter().partition(|path| scene::Scene::is_named(path));
        self.reopen.receive_dropped(dropped, &self.state);
        for scene in scenes {
            self.files.open_scene(scene);
        }
        self.reopen.advance(self.run_list.open, &mut self.state, ctx);
        self.pins.advance(&mut self.state, ctx);
        self.state.flush_restarts();
        self.advance(ctx);
        if let Some(study) = &mut self.study {
            study.advance(&mut self.state);
            self.acts.extend(study.found.take().map(Act::OpenRun));
            pins::pin_all(&std::mem::take(&mut study.pins), &mut self.state);
        }
        let (closing, mut lent) = self.state.way_out();
        if let Some(next) = closing.advance(ctx, &mut lent) {
            self.state.carry_on(next);
        }
        // Nothing else takes keys while something is asked.
        self.palette.open &= !self.state.closing.asks();
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        let ctx = ui.ctx().clone();
        self.frames.tick(&ctx, frame);
        let (by_hand, held) = ctx.input(|input| (input.events.iter().any(is_by_hand), input.pointer.any_down()));
        self.keyboard(&ctx);
        self.carry_out(&ctx);
        let mut acts = Vec::new();
        self.draw(ui, frame, &mut acts);
        // A click takes the keyboard from a field, which then says what was typed: that is of the lab and the run so far.
        acts.sort_by_key(|act| matches!(act, Act::Lab(_) | Act::Preset(_) | Act::Start));
        self.acts.append(&mut acts);
        self.carry_out(&ctx);
        if let Some(session) = self.state.front_mut() {
            session.look(by_hand, held);
        }
        self.state.flush_restarts();
        if !self.palette.open {
            self.capture.take_wanted(&ctx);
        }
        self.save_settings(&ctx);
    }

    fn on_exit(&mut self) {
        self.store.save(&self.remembered());
        // A display that is gone closes the window without a question; a run has its time all the same.
        let patience = match (self.state.closing.gives_up(), self.state.is_training()) {
            (true, _) => Duration::ZERO,
            (false, true) => Duration::MAX,
            (false, false) => PATIENCE,
        };
        self.state.backend.shutdown(patience);
        if let Some(study) = self.study.take() {
            study.close(FAREWELL);
        }
        self.exports.close(FAREWELL);
        self.store.close(FAREWELL);
    }

    fn clear_color(&self, _visuals: &egui::Visuals) -> [f32; 4] {
        self.state.style.plot_background.to_normalized_gamma_f32()
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}

/// Whether the user did something; a pointer that only moves does nothing.
fn is_by_hand(event: &egui::Event) -> bool {
    use egui::Event::{AccessKitActionRequest, Key, MouseWheel, Paste, PointerButton, Text, Touch, Zoom};
    matches!(
        event,
        AccessKitActionRequest(_)
            | Key { pressed: true, .. }
            | MouseWheel { .. }
            | Paste(_)
            | PointerButton { .. }
            | Text(_)
            | Touch { .. }
            | Zoom(_)
    )
}

/// The parameter that a message of the form "parameter `key` .." is about.
fn blamed(text: &str, lab: &'static Lab) -> Option<&'static str> {
    let key = text.strip_prefix("parameter `")?.split('`').next()?;
    lab.spec.params.iter().map(|spec| spec.key).find(|known| *known == key)
}
