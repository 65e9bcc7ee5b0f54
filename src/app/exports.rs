//! Tiles saved as SVG or as an animation: drawn anew on a thread, from the run as it is now and what a scene keeps of the view.

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{self, Align2, Button, ProgressBar, vec2};

use super::act::{Act, FigureFile};
use super::backend::{Fetch, Wake};
use super::figure::{self, Figure, Opened, Recorded};
use super::gif::{self, Plan, Wish};
use super::session::Session;
use super::theme;
use crate::disk;
use crate::engine::event::Level;
use crate::kit::fields;
use crate::kit::view::PastPayloads;
use crate::plot::background::Task;
use crate::plot::medium::Medium;
use crate::plot::style::Style;
use crate::watch::Watch;

/// What is said of a file when it is saved, or cannot be.
type Said = (Level, String);

/// The figures that are being saved.
pub struct Exports {
    fetch: Fetch,
    wake: Wake,
    jobs: Vec<Job>,
}

struct Job {
    format: FigureFile,
    title: &'static str,
    task: Task<Said>,
}

impl Exports {
    pub fn new(fetch: Fetch, wake: Wake) -> Self {
        Self { fetch, wake, jobs: Vec::new() }
    }

    /// Begins to save a tile of a lab as a new file. The error says why not.
    pub fn begin(
        &mut self,
        format: FigureFile,
        tile: &str,
        session: &mut Session,
        style: &Style,
        file: PathBuf,
    ) -> Result<(), String> {
        let spec = session.layouts.find(tile).ok_or_else(|| format!("this lab has no tile `{tile}`"))?;
        let mut plan = Plan::new();
        if format == FigureFile::Gif {
            if self.jobs.iter().any(|job| job.format == FigureFile::Gif) {
                return Err("an animation is being saved; stop it, or wait until it is done".to_owned());
            }
            if !spec.follows_cursor {
                return Err(format!("{} is the same at every step: nothing would move", spec.title));
            }
            plan = gif::plan(Wish::default(), session.run.step)
                .map_err(|_| "the run has no second step that an animation could go to".to_owned())?;
        }
        let (lab, run, cursor) = (session.lab, session.run.clone(), session.cursor());
        let view = fields::taken(session.view.as_mut());
        let (runs, pinned) = (session.past.view(&session.run).runs(), session.past.view(&session.run).pinned());
        let folder = session.folder().map(Path::to_owned);
        let (fetch, wake, style) = (self.fetch.clone(), self.wake.clone(), style.clone());
        let task = Task::begin(
            "figure",
            move || wake(),
            move |watch| {
                let read = |offset, bytes| fetch(folder.as_deref()?, offset, bytes).ok().map(Arc::new);
                let mut past = Recorded::new(&run, runs, Box::new(read));
                past.pinned = pinned;
                let size = if format == FigureFile::Gif { gif::SIZE } else { figure::SIZE };
                let figure = Figure { lab, run: &run, past: &past, view: &view, tile: spec.id, size, style: &style };
                let made = match format {
                    FigureFile::Svg => Opened::new(figure, Medium::Vectors).and_then(|mut opened| {
                        let text = opened.svg(cursor)?;
                        made_folder(&file)?;
                        disk::write_new(&file, text.as_bytes()).map_err(|error| error.to_string())
                    }),
                    FigureFile::Gif => animate(figure, &plan, &file, watch),
                };
                match made {
                    _ if watch.cancelled() => (Level::Info, "the figure was stopped; nothing was saved".to_owned()),
                    Ok(()) => (Level::Info, format!("saved {}", file.display())),
                    Err(error) => (Level::Error, format!("{} was not saved: {error}", file.display())),
                }
            },
        );
        self.jobs.push(Job { format, title: spec.title, task });
        Ok(())
    }

    /// Stops what is being saved.
    pub fn stop(&self) {
        self.jobs.iter().for_each(|job| job.task.stop());
    }

    /// What has been saved, or why not.
    pub fn finished(&mut self) -> Vec<Said> {
        let mut said = Vec::new();
        self.jobs.retain(|job| match job.task.poll() {
            None => true,
            Some(answer) => {
                said.push(answer.unwrap_or_else(|problem| (Level::Error, problem)));
                false
            }
        });
        said
    }

    /// Stops, and lets the threads clear away what they began, at most for so long.
    pub fn close(&mut self, deadline: Duration) {
        self.stop();
        let start = Instant::now();
        while !self.jobs.is_empty() && start.elapsed() < deadline {
            self.finished();
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Shows how far animations are, in the lower left corner.
    pub fn show(&self, ctx: &egui::Context, style: &Style, acts: &mut Vec<Act>) {
        let Some(job) = self.jobs.iter().find(|job| job.format == FigureFile::Gif) else { return };
        ctx.request_repaint_after(Duration::from_millis(200));
        let area = egui::Area::new(egui::Id::unique("animation"));
        area.anchor(Align2::LEFT_BOTTOM, vec2(16.0, -108.0)).order(egui::Order::Foreground).show(ctx, |ui| {
            let frame =
                egui::Frame::popup(ui.style()).fill(theme::shade(style, 0.07)).inner_margin(12).corner_radius(8);
            frame.show(ui, |ui| {
                ui.set_width(240.0);
                let (done, all) = job.task.progress();
                ui.add(egui::Label::new(format!("Animation of {}", job.title)).truncate());
                let share = done as f32 / all.max(1) as f32;
                ui.add(ProgressBar::new(share).desired_height(6.0).fill(style.accent));
                ui.horizontal(|ui| {
                    ui.label(match all {
                        0 => "preparing".to_owned(),
                        _ => format!("{done} of {all} frames"),
                    });
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                        let stop = ui.add(Button::new("Stop")).accessible_name("Stop the animation");
                        if stop.on_hover_text("Stop the animation; nothing is saved").clicked() {
                            acts.push(Act::StopFigures);
                        }
                    });
                });
            });
        });
    }
}

fn made_folder(file: &Path) -> Result<(), String> {
    file.parent().map_or(Ok(()), |folder| std::fs::create_dir_all(folder).map_err(|error| error.to_string()))
}

fn animate(figure: Figure<'_>, plan: &Plan, file: &Path, watch: Watch<'_>) -> Result<(), String> {
    let mut opened = Opened::new(figure, Medium::Pixels)?;
    made_folder(file)?;
    let (to, temporary) = disk::temporary(file).map_err(|error| error.to_string())?;
    gif::write(&mut opened, plan, BufWriter::new(to), &mut |done| {
        (watch.progress)(done, plan.len());
        !watch.cancelled()
    })?;
    if watch.cancelled() {
        return Ok(());
    }
    disk::place_new(temporary, file).map_err(|error| error.to_string())
}
