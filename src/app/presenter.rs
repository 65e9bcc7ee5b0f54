//! For talks: one tile on the whole screen, larger type, no chrome, and the keys of a clicker.

use eframe::egui::{self, CentralPanel, Key, Modifiers, Ui};
use eframe::egui_wgpu::RenderState;

use super::act::Act;
use super::session::Session;
use super::state::State;
use super::tiles;
use crate::plot::number;

/// Type in a talk is this much larger.
pub const TYPE_SCALE: f32 = 1.6;

/// State of a talk.
#[derive(Debug, Clone, PartialEq)]
pub struct Presenter {
    tile: &'static str,
    /// The screen is black (the audience looks at the speaker).
    black: bool,
    was_fullscreen: bool,
}

impl Presenter {
    /// Begins a talk with this tile, else with the maximised or the first one; `None`: the lab shows none.
    pub fn begin(session: &Session, tile: Option<&'static str>, ctx: &egui::Context) -> Option<Self> {
        let tile = tile.or(session.layouts.maximised).or_else(|| session.shown_tiles().first().copied())?;
        let was_fullscreen = ctx.input(|input| input.viewport().fullscreen.unwrap_or(false));
        ctx.send_viewport_cmd(egui::ViewportCommand::Fullscreen(true));
        Some(Self { tile, black: false, was_fullscreen })
    }

    /// Ends the talk.
    pub fn end(self, ctx: &egui::Context) {
        ctx.send_viewport_cmd(egui::ViewportCommand::Fullscreen(self.was_fullscreen));
    }

    /// Goes so many tiles further.
    pub fn next(&mut self, session: &Session, by: isize) {
        let shown = session.shown_tiles();
        if !shown.is_empty() {
            let at = shown.iter().position(|tile| *tile == self.tile).unwrap_or(0) as isize;
            self.tile = shown[at.wrapping_add(by).rem_euclid(shown.len() as isize) as usize];
            self.black = false;
        }
    }

    /// Blanks the screen, or shows it again.
    pub fn blank(&mut self) {
        self.black = !self.black;
    }

    /// The tile on the screen.
    pub fn tile(&self) -> &'static str {
        self.tile
    }
}

/// What a clicker asks for; `true`: nothing else may see this frame's keys.
pub fn keys(ctx: &egui::Context, acts: &mut Vec<Act>) -> bool {
    let pressed = |key: Key| ctx.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    if pressed(Key::Escape) {
        acts.push(Act::Present(None));
        return true;
    }
    match () {
        () if pressed(Key::PageDown) | pressed(Key::ArrowRight) | pressed(Key::ArrowDown) => {
            acts.push(Act::PresentNext(1));
        }
        () if pressed(Key::PageUp) | pressed(Key::ArrowLeft) | pressed(Key::ArrowUp) => {
            acts.push(Act::PresentNext(-1));
        }
        () => {}
    }
    if pressed(Key::B) {
        acts.push(Act::PresentBlack);
    }
    false
}

/// Draws the talk.
pub fn show(presenter: &Presenter, state: &mut State, ui: &mut Ui, wgpu: Option<&RenderState>, acts: &mut Vec<Act>) {
    let caption = state.front().map_or_else(String::new, |session| {
        format!("step {} / {}", number::grouped(session.play.cursor.step), number::grouped(session.planned_steps()))
    });
    CentralPanel::no_frame().show(ui, |ui| {
        if presenter.black {
            ui.painter().rect_filled(ui.max_rect(), 0.0, egui::Color32::BLACK);
            return;
        }
        state.with_view(wgpu, true, acts, |view, _, ctx| {
            match view.tiles().into_iter().find(|tile| tile.id == presenter.tile) {
                Some(spec) => tiles::presented(ui, spec, &caption, view, ctx),
                None => tiles::empty(ui, "This tile does not exist any more. Escape ends the presentation."),
            }
        });
    });
}
