//! What the actions of [`super::actions`] do to the front lab: moving in time, resetting, arranging.

use super::App;
use super::actions::device_title;
use super::settings::Settings;
use crate::compute::device::DeviceChoice;
use crate::engine::event::Level;
use crate::engine::params::Params;
use crate::engine::state::MarkKind;
use crate::kit::view::Cursor;

impl App {
    pub(super) fn step_by(&mut self, steps: i64) {
        if let Some(session) = self.session() {
            session.play.step_by(steps, session.run.step);
        }
    }

    /// Moves the cursor of the front lab; past the end: to the newest step, and follows it.
    pub(super) fn seek(&mut self, step: u64) {
        if let Some(session) = self.session() {
            let end = session.run.step;
            session.play.seek(Cursor { step, sub: 0 }, end);
            session.play.follow = step >= end;
        }
    }

    pub(super) fn seek_mark(&mut self, forward: bool) {
        let Some(session) = self.session() else { return };
        let at = session.play.cursor.step;
        let steps = session.run.marks.iter().map(|mark| mark.step);
        let next = if forward { steps.filter(|s| *s > at).min() } else { steps.filter(|s| *s < at).max() };
        if let Some(step) = next {
            self.seek(step);
        }
    }

    pub(super) fn change_speed(&mut self, faster: bool) {
        if let Some(session) = self.session() {
            session.play.change_speed(faster);
        }
    }

    /// Every parameter to its default, as one undo step.
    pub(super) fn reset_form(&mut self) {
        let Some(session) = self.session() else { return };
        session.edit_all(|session| {
            session.params = Params::defaults(session.lab.spec.params);
            session.changes.clear();
        });
        session.errors.clear();
        let keys: Vec<&str> = session.lab.spec.params.iter().map(|spec| spec.key).collect();
        self.after_edit(&keys, true);
    }

    pub(super) fn reset_layout(&mut self, all: bool) {
        let Some(session) = self.session() else { return };
        if all {
            self.sessions.iter_mut().for_each(|session| session.layouts.reset_all());
            let fresh = Settings::default();
            self.settings.form_width = fresh.form_width;
            self.settings.guide_width = fresh.guide_width;
            (self.settings.form_open, self.settings.guide_open) = (true, true);
            self.panels += 1;
            return;
        }
        let arrangement = session.view.arrangement(&session.params);
        session.layouts.reset(&arrangement);
    }

    pub(super) fn show_tile(&mut self, tile: &str, shown: bool) {
        let Some(session) = self.session() else { return };
        let arrangement = session.view.arrangement(&session.params);
        session.layouts.set_shown(&arrangement, tile, shown);
    }

    /// Shows a tile and brings its tab to the front.
    pub(super) fn bring_tile(&mut self, tile: &'static str) {
        self.show_tile(tile, true);
        let Some(session) = self.session() else { return };
        let arrangement = session.view.arrangement(&session.params);
        session.layouts.bring(&arrangement, tile);
    }

    pub(super) fn maximise(&mut self, tile: &'static str) {
        self.show_tile(tile, true);
        if let Some(session) = self.session() {
            session.layouts.maximised = Some(tile);
        }
    }

    /// Maximises the next tile in reading order; after the last one, shows all again.
    pub(super) fn maximise_next(&mut self) {
        let Some(session) = self.session() else { return };
        let arrangement = session.view.arrangement(&session.params);
        let tiles: Vec<&'static str> = session
            .layouts
            .shown(&arrangement)
            .into_iter()
            .filter(|(_, shown)| *shown)
            .map(|(tile, _)| tile.id)
            .collect();
        let at = session.layouts.maximised.and_then(|now| tiles.iter().position(|tile| *tile == now));
        session.layouts.maximised = tiles.get(at.map_or(0, |at| at + 1)).copied();
    }

    pub(super) fn choose_device(&mut self, choice: DeviceChoice) {
        if self.device != choice {
            self.device = choice;
            let name = device_title(&self.device);
            self.notice(Level::Info, format!("the next training run uses: {name}"));
        }
    }

    /// Number of warnings on the front lab's timeline.
    pub(super) fn warnings(&self) -> usize {
        let marks = self.sessions.get(self.active).map_or(&[][..], |session| &session.run.marks);
        marks.iter().filter(|mark| mark.kind == MarkKind::Warning).count()
    }
}
