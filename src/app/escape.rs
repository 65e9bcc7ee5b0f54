//! Escape closes what lies on top: a window within the window before a maximised tile, and that before what a tile itself has
//! opened.

use eframe::egui::{self, Id, Key, Modifiers};

use super::parts::App;
use super::widgets::timeline_id;

impl App {
    /// Closes the topmost window within the window, if Escape is pressed and there is one. What lies above all of them (a
    /// question, a field for a path or a code) hears the key itself.
    pub(super) fn escape(&mut self, ctx: &egui::Context) {
        let pressed = ctx.input(|input| input.key_pressed(Key::Escape) && input.modifiers.is_none());
        // A field that is edited is left first.
        let focused = ctx.memory(|memory| memory.focused()).is_some_and(|id| id != timeline_id());
        if !pressed || focused || egui::Popup::is_any_open(ctx) {
            return;
        }
        let mut windows: Vec<(Id, &mut bool)> = vec![
            (Id::unique("Keyboard shortcuts"), &mut self.help_open),
            (Id::unique("Notices"), &mut self.state.notices.open),
            (Id::unique("Fork into twins"), &mut self.fork.open),
            (Id::unique("Metrics"), &mut self.metrics.open),
            (Id::unique("Runs"), &mut self.run_list.open),
        ];
        windows.extend(self.study.as_mut().map(|study| (Id::unique("study"), &mut study.open)));
        let height: Vec<Id> = ctx.memory(|memory| memory.layer_ids().map(|layer| layer.id).collect());
        let open = windows.into_iter().filter(|(_, open)| **open);
        if let Some((_, open)) = open.max_by_key(|(id, _)| height.iter().position(|layer| layer == id)) {
            *open = false;
            ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
        }
    }

    /// Something is asked that has to be answered first.
    pub(super) fn is_asking(&self) -> bool {
        self.palette.open || self.paste.open || self.state.closing.asks() || self.run_list.asks() || self.files.asks()
    }
}
