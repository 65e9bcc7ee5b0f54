//! For talks: one tile on the whole screen, larger type, no chrome, and the keys of a clicker.

use eframe::egui::{self, CentralPanel, Key, Modifiers, Ui};
use eframe::egui_wgpu::RenderState;

use super::App;
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
    /// Begins or ends a talk; `tile`: the tile to begin with.
    pub fn toggle(app: &mut App, ctx: &egui::Context, tile: Option<&'static str>) {
        if let Some(ended) = app.presenter.take() {
            ctx.send_viewport_cmd(egui::ViewportCommand::Fullscreen(ended.was_fullscreen));
            return;
        }
        let shown = tiles_of(app);
        let maximised = app.session().and_then(|session| session.layouts.maximised);
        let Some(first) = tile.or(maximised).or(shown.first().copied()) else {
            app.notice(crate::engine::event::Level::Info, "this lab shows no tile that could be presented");
            return;
        };
        let was_fullscreen = ctx.input(|input| input.viewport().fullscreen.unwrap_or(false));
        app.presenter = Some(Presenter { tile: first, black: false, was_fullscreen });
        ctx.send_viewport_cmd(egui::ViewportCommand::Fullscreen(true));
    }

    /// Handles a clicker's keys; `true`: nothing else may see this frame's keys.
    pub fn keys(app: &mut App, ctx: &egui::Context) -> bool {
        let pressed = |key: Key| ctx.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        if pressed(Key::Escape) {
            Self::toggle(app, ctx, None);
            return true;
        }
        let by = match () {
            () if pressed(Key::PageDown) | pressed(Key::ArrowRight) | pressed(Key::ArrowDown) => 1,
            () if pressed(Key::PageUp) | pressed(Key::ArrowLeft) | pressed(Key::ArrowUp) => -1,
            () => 0,
        };
        if by != 0 {
            let shown = tiles_of(app);
            if let Some(presenter) = &mut app.presenter
                && !shown.is_empty()
            {
                let at = shown.iter().position(|tile| *tile == presenter.tile).unwrap_or(0) as isize;
                presenter.tile = shown[(at + by).rem_euclid(shown.len() as isize) as usize];
                presenter.black = false;
            }
        }
        if pressed(Key::B) | pressed(Key::Period) {
            app.presenter.iter_mut().for_each(|presenter| presenter.black = !presenter.black);
        }
        false
    }

    /// The tile on the screen.
    pub fn tile(&self) -> &'static str {
        self.tile
    }
}

/// Tiles of the front lab that are shown, in reading order.
fn tiles_of(app: &mut App) -> Vec<&'static str> {
    let Some(session) = app.session() else { return Vec::new() };
    let arrangement = session.view.arrangement(&session.params);
    session.layouts.shown(&arrangement).into_iter().filter(|(_, shown)| *shown).map(|(tile, _)| tile.id).collect()
}

pub fn show(app: &mut App, ui: &mut Ui, wgpu: Option<&RenderState>) {
    let Some(presenter) = app.presenter.clone() else { return };
    let caption = app.session().map_or_else(String::new, |session| {
        format!("step {} / {}", number::grouped(session.play.cursor.step), number::grouped(session.planned_steps()))
    });
    CentralPanel::no_frame().show(ui, |ui| {
        if presenter.black {
            ui.painter().rect_filled(ui.max_rect(), 0.0, egui::Color32::BLACK);
            return;
        }
        app.with_view(wgpu, true, |view, _, ctx| {
            match view.tiles().into_iter().find(|tile| tile.id == presenter.tile) {
                Some(spec) => tiles::presented(ui, spec, &caption, view, ctx),
                None => tiles::empty(ui, "This tile does not exist any more. Escape ends the presentation."),
            }
        });
    });
}
