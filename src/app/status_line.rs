//! The bottom line: where the run stands, what a frame costs, the newest mark or notice.

use std::collections::VecDeque;

use eframe::egui::{self, Align, Button, Layout, RichText, Ui};

use super::act::Act;
use super::state::State;
use super::{actions, notices};
use crate::engine::event::Status;
use crate::engine::state::{Mark, MarkKind};
use crate::plot::number;

/// Frames and their cost over the last second.
#[derive(Debug, Default)]
pub struct FrameClock {
    times: VecDeque<f64>,
    cost: Option<f32>,
    shown: String,
    next: f64,
}

impl FrameClock {
    /// Called once a frame.
    pub fn tick(&mut self, ctx: &egui::Context, frame: &eframe::Frame) {
        let now = ctx.input(|input| input.time);
        self.times.push_back(now);
        while self.times.front().is_some_and(|then| now - then > 1.0) {
            self.times.pop_front();
        }
        if let Some(cost) = frame.info().cpu_usage {
            self.cost = Some(self.cost.map_or(cost, |mean| mean * 0.9 + cost * 0.1));
        }
        // Twice a second: a readout that flickers cannot be read.
        if now >= self.next {
            self.next = now + 0.5;
            let rate = if self.times.len() > 2 { format!("{} fps", self.times.len()) } else { "idle".to_owned() };
            self.shown = self.cost.map_or(rate.clone(), |cost| format!("{rate} · frame {:.1} ms", cost * 1e3));
        }
    }
}

/// A status in one or two words.
pub fn word(status: Option<&Status>) -> &'static str {
    match status {
        None => "ready",
        Some(Status::Building) => "building",
        Some(Status::CheckingDevice) => "checking the device",
        Some(Status::WarmingUp) => "warming up",
        Some(Status::Running) => "running",
        Some(Status::Paused) => "paused",
        Some(Status::Waiting) => "waiting for the disk",
        Some(Status::Finished) => "finished",
        Some(Status::Stopped) => "stopped",
        Some(Status::Failed(_)) => "failed",
        Some(Status::Reading { .. }) => "reading the data",
        Some(Status::Judging { .. }) => "judging the untrained network",
    }
}

/// Status, frame cost, run at the left; the newest mark or notice at the right.
pub fn show(state: &State, frames: &FrameClock, ui: &mut Ui, acts: &mut Vec<Act>) {
    let style = &state.style;
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 16.0;
        let Some(session) = state.front() else { return };
        let warnings = session.run.marks.iter().filter(|mark| mark.kind == MarkKind::Warning).count();
        let weak = |text: &str| RichText::new(text).color(style.text_weak).size(12.0);
        let computed = session.run.status == Some(Status::Finished) && session.playback_rate().is_some();
        let standing = match () {
            () if computed && session.play.playing => "playing",
            () if computed => "computed",
            () => word(session.run.status.as_ref()),
        };
        ui.label(weak(standing));
        if !frames.shown.is_empty() {
            ui.label(weak(&frames.shown));
        }
        if let Some(header) = &session.run.header {
            let folder =
                std::path::Path::new(&header.folder).file_name().map(|name| name.to_string_lossy().into_owned());
            let text = match folder {
                Some(folder) => format!("run {folder}"),
                None if session.run.announced => format!("run {}", header.name),
                None => format!("run {} · not recorded", header.name),
            };
            ui.label(weak(&text)).on_hover_text(format!(
                "{}\nseed {} · {} · version {}\n{}\n{}",
                header.folder, header.seed, header.device, header.version, header.device_check, header.data
            ));
        }
        let training = session.playback_rate().is_none();
        let said = |mark: &&Mark| training || mark.kind != MarkKind::Checkpoint;
        let mark = session.run.marks.iter().rev().find(said);
        let mark = mark.map(|mark| format!("step {}: {}", number::grouped(mark.step), mark.text));
        let newest = state.notices.newest().map(|notice| (notice.text.clone(), notices::color(notice.level, style)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let (text, color) =
                newest.or(mark.map(|mark| (mark, style.live))).unwrap_or_else(|| ("no notices".to_owned(), style.rule));
            let text = if warnings > 0 { format!("{text}   ({warnings} on the timeline)") } else { text };
            let mut job = egui::text::LayoutJob::default();
            let font = egui::FontId::new(12.0, egui::FontFamily::Proportional);
            for (part, part_color) in [("●  ", color), (text.as_str(), style.text_weak)] {
                job.append(
                    part,
                    0.0,
                    egui::TextFormat { font_id: font.clone(), color: part_color, ..Default::default() },
                );
            }
            let response = ui.add(Button::new(job).frame(false).truncate()).accessible_name("Notices");
            if response.on_hover_text(actions::hint(ui.ctx(), &Act::Notices)).clicked() {
                acts.push(Act::Notices);
            }
        });
    });
}
