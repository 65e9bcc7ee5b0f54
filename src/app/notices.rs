//! What the user should know: toasts that fade, errors that stay until closed, and the list of all of them.

use eframe::egui::{self, Align2, RichText, TextStyle, vec2};

use super::theme;
use crate::engine::event::{Level, RunId};
use crate::plot::style::Style;

/// Notices kept in the list.
const CAP: usize = 500;
/// Toasts shown at once.
const TOASTS: usize = 4;

/// One notice.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    pub level: Level,
    pub text: String,
    /// Step of the run that it is about, if it is about one.
    pub step: Option<u64>,
    /// The run that it is about, if it is about one.
    run: Option<RunId>,
    /// When it was raised, in the window's time.
    time: f64,
    /// Still shown as a toast.
    toast: bool,
    /// The run that it is about is not shown any more.
    is_past: bool,
}

/// All notices of the session.
#[derive(Debug, Default)]
pub struct Notices {
    list: Vec<Notice>,
    /// The list is shown.
    pub open: bool,
}

impl Notices {
    /// Raises a notice; the same text twice in a row is one notice.
    pub fn push(&mut self, time: f64, level: Level, text: impl Into<String>) {
        self.raise(time, level, text.into(), None, None);
    }

    /// The same about a step of a run: once another run has taken its place, it stands in the list only.
    pub fn push_of(&mut self, time: f64, level: Level, text: impl Into<String>, (run, step): (RunId, u64)) {
        self.raise(time, level, text.into(), Some(run), Some(step));
    }

    fn raise(&mut self, time: f64, level: Level, text: String, run: Option<RunId>, step: Option<u64>) {
        match level {
            Level::Info => tracing::info!("{text}"),
            Level::Warning => tracing::warn!("{text}"),
            Level::Error => tracing::error!("{text}"),
        }
        if let Some(last) = self.list.last_mut()
            && last.text == text
            && last.level == level
        {
            (last.time, last.toast, last.run, last.step) = (time, true, run, step);
            last.is_past = false;
            return;
        }
        if self.list.len() == CAP {
            self.list.remove(0);
        }
        self.list.push(Notice { level, text, step, run, time, toast: true, is_past: false });
    }

    /// Adds to the list without a toast: what happens often and needs no hand.
    pub fn note(&mut self, time: f64, level: Level, text: impl Into<String>, of: (RunId, u64)) {
        self.push_of(time, level, text, of);
        if let Some(last) = self.list.last_mut() {
            last.toast = false;
        }
    }

    /// The newest one that is not about a run that is gone.
    pub fn newest(&self) -> Option<&Notice> {
        self.list.iter().rev().find(|notice| !notice.is_past)
    }

    /// Closes the toasts about runs that `is_there` does not know any more: what they say has been mended, or does not
    /// matter.
    pub fn outlive(&mut self, is_there: impl Fn(RunId) -> bool) {
        for notice in self.list.iter_mut().filter(|notice| notice.run.is_some_and(|run| !is_there(run))) {
            (notice.toast, notice.is_past) = (false, true);
        }
    }

    /// Closes every toast.
    pub fn dismiss(&mut self) {
        self.list.iter_mut().for_each(|notice| notice.toast = false);
    }

    /// Draws the toasts in the lower right corner.
    pub fn toasts(&mut self, ctx: &egui::Context, style: &Style) {
        let now = ctx.input(|input| input.time);
        for notice in &mut self.list {
            notice.toast &= lifetime(notice.level).is_none_or(|life| now - notice.time < life);
        }
        let mut shown: Vec<&mut Notice> = self.list.iter_mut().filter(|notice| notice.toast).collect();
        if shown.is_empty() {
            return;
        }
        if let Some(next) = shown.iter().filter_map(|n| Some(n.time + lifetime(n.level)? - now)).reduce(f64::min) {
            ctx.request_repaint_after(std::time::Duration::from_secs_f64(next.clamp(0.05, 30.0)));
        }
        let skip = shown.len().saturating_sub(TOASTS);
        egui::Area::new(egui::Id::unique("toasts"))
            .anchor(Align2::RIGHT_BOTTOM, vec2(-16.0, -108.0))
            .order(egui::Order::Foreground)
            .show(ctx, |ui| {
                for notice in shown.iter_mut().skip(skip) {
                    if toast(ui, notice, style) {
                        notice.toast = false;
                    }
                    ui.add_space(4.0);
                }
            });
    }

    /// Draws the list, if it is open. Returns a step that was clicked.
    pub fn panel(&mut self, ctx: &egui::Context, style: &Style) -> Option<u64> {
        let mut open = self.open;
        let mut seek = None;
        let mut clear = false;
        egui::Window::new("Notices")
            .id(egui::Id::unique("Notices"))
            .open(&mut open)
            .default_size(vec2(520.0, 320.0))
            .default_pos(ctx.content_rect().right_bottom() - vec2(560.0, 460.0))
            .collapsible(false)
            .title_frame(theme::window_title(style))
            .show(ctx, |ui| {
                if self.list.is_empty() {
                    ui.label(RichText::new("Nothing to report. Warnings, checkpoints and errors appear here.").weak());
                    return;
                }
                clear = ui.button("Clear the list").clicked();
                ui.add_space(8.0);
                egui::ScrollArea::vertical().auto_shrink([false, true]).show(ui, |ui| {
                    for notice in self.list.iter().rev() {
                        ui.horizontal_top(|ui| {
                            dot(ui, color(notice.level, style));
                            ui.vertical(|ui| {
                                ui.add(egui::Label::new(&notice.text).wrap().selectable(true));
                                let about = match notice.step {
                                    Some(step) => format!("{} · step {step}", word(notice.level)),
                                    None => word(notice.level).to_owned(),
                                };
                                let small = RichText::new(about).weak().text_style(TextStyle::Small);
                                match notice.step {
                                    Some(step) if ui.link(small.clone()).on_hover_text("go to this step").clicked() => {
                                        seek = Some(step);
                                    }
                                    Some(_) => {}
                                    None => {
                                        ui.label(small);
                                    }
                                }
                            });
                        });
                        ui.add_space(4.0);
                    }
                });
            });
        if clear {
            self.list.clear();
        }
        self.open = open;
        seek
    }
}

/// Seconds that a toast stays; errors stay until closed.
fn lifetime(level: Level) -> Option<f64> {
    match level {
        Level::Info => Some(5.0),
        Level::Warning => Some(10.0),
        Level::Error => None,
    }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Info => "information",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

/// The colour of a level.
pub fn color(level: Level, style: &Style) -> egui::Color32 {
    match level {
        Level::Info => style.text_weak,
        Level::Warning => style.warning,
        Level::Error => style.error,
    }
}

/// A small filled circle at the height of a line of text.
pub fn dot(ui: &mut egui::Ui, color: egui::Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(8.0, ui.text_style_height(&TextStyle::Body)), egui::Sense::hover());
    ui.painter().circle_filled(rect.center(), 4.0, color);
}

/// One toast; `true`: it was closed.
fn toast(ui: &mut egui::Ui, notice: &Notice, style: &Style) -> bool {
    let frame = egui::Frame::popup(ui.style()).fill(theme::shade(style, 0.07)).inner_margin(12).corner_radius(8);
    frame
        .show(ui, |ui| {
            ui.set_max_width(380.0);
            ui.horizontal_top(|ui| {
                dot(ui, color(notice.level, style));
                ui.add(egui::Label::new(&notice.text).wrap());
                ui.add(egui::Button::new("×").frame(false).min_size(vec2(24.0, 24.0)))
                    .accessible_name("Close notice")
                    .clicked()
            })
            .inner
        })
        .inner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toasts_about_a_run_leave_with_it_and_stay_in_the_list() {
        let mut notices = Notices::default();
        notices.push_of(0.0, Level::Error, "the run failed", (RunId(1), 3));
        notices.push(0.0, Level::Error, "the settings cannot be saved");
        notices.push_of(0.0, Level::Warning, "SGD diverged", (RunId(1), 16));
        notices.outlive(|run| run == RunId(1));
        assert_eq!(notices.newest().unwrap().text, "SGD diverged");
        assert_eq!(notices.list.iter().filter(|notice| notice.toast).count(), 3);
        notices.outlive(|run| run == RunId(2));
        assert_eq!(notices.newest().unwrap().text, "the settings cannot be saved");
        let toasts: Vec<&str> = notices.list.iter().filter(|n| n.toast).map(|n| n.text.as_str()).collect();
        assert_eq!((toasts, notices.list.len()), (vec!["the settings cannot be saved"], 3));
    }
}
