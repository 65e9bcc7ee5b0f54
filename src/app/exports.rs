//! What is saved on a thread: tiles as SVG or as an animation, drawn anew from the run as it is now and what a scene keeps of the
//! view; weights and features of a run's network.

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{self, Align2, Button, ProgressBar, vec2};

use super::act::{Act, FigureFile, NetworkFile};
use super::backend::{Fetch, Wake};
use super::figure::{self, Figure, Opened, Recorded};
use super::gif::{self, Plan, Wish};
use super::session::Session;
use super::theme;
use crate::compute::device::DeviceChoice;
use crate::disk;
use crate::engine::event::Level;
use crate::kit::export::{FeaturesRequest, labels_file};
use crate::kit::lab::LabSpec;
use crate::kit::view::PastPayloads;
use crate::kit::{fields, predict};
use crate::plot::background::Task;
use crate::plot::medium::Medium;
use crate::plot::style::Style;
use crate::watch::Watch;

/// What is said of a file when it is saved, or cannot be.
type Said = (Level, String);

/// What is saved, as far as others have to wait or to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Figure,
    /// Told while it goes on.
    Animation,
    Network,
}

/// What is being saved.
pub struct Exports {
    fetch: Fetch,
    wake: Wake,
    jobs: Vec<Job>,
}

struct Job {
    kind: Kind,
    title: String,
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
            if self.jobs.iter().any(|job| job.kind == Kind::Animation) {
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
        let kind = if format == FigureFile::Gif { Kind::Animation } else { Kind::Figure };
        self.jobs.push(Job { kind, title: format!("Animation of {}", spec.title), task });
        Ok(())
    }

    /// Begins to save the weights or features of the run that is shown; `file`: as what, where its weights are those after so many
    /// steps. The error says why not.
    pub fn begin_network(
        &mut self,
        what: NetworkFile,
        session: &Session,
        device: DeviceChoice,
        file: impl FnOnce(Option<u64>) -> PathBuf + Send + 'static,
    ) -> Result<(), String> {
        let lab = session.lab.spec;
        if !what.is_of(lab) {
            return Err(format!("the lab {} has nothing of that kind to save", lab.title));
        }
        if self.jobs.iter().any(|job| job.kind == Kind::Network) {
            return Err("a network is being saved; stop it, or wait until it is done".to_owned());
        }
        let run = session.folder().ok_or("there is no recorded run to save the network of")?.to_owned();
        let wake = self.wake.clone();
        let work = move |watch: Watch<'_>| {
            let saved = match what {
                NetworkFile::Weights => save_weights(lab, &run, file),
                NetworkFile::Features { part, csv } => {
                    let request = FeaturesRequest { run, part, embeddings: false, data: None, device };
                    save_features(lab, &request, csv, file, watch)
                }
            };
            match saved {
                Ok(Some(file)) => (Level::Info, format!("saved {}", file.display())),
                Ok(None) => (Level::Info, "saving was stopped; nothing was saved".to_owned()),
                Err(error) => (Level::Error, format!("{} cannot be saved: {error}", what.title())),
            }
        };
        let task = Task::begin("network", move || wake(), move |watch| guarded(watch, work));
        self.jobs.push(Job { kind: Kind::Network, title: what.title().to_owned(), task });
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

    /// Shows how far what takes long is, in the lower left corner.
    pub fn show(&self, ctx: &egui::Context, style: &Style, acts: &mut Vec<Act>) {
        let Some(job) = self.jobs.iter().find(|job| job.kind != Kind::Figure) else { return };
        ctx.request_repaint_after(Duration::from_millis(200));
        let area = egui::Area::new(egui::Id::unique("animation"));
        area.anchor(Align2::LEFT_BOTTOM, vec2(16.0, -108.0)).order(egui::Order::Foreground).show(ctx, |ui| {
            let frame =
                egui::Frame::popup(ui.style()).fill(theme::shade(style, 0.07)).inner_margin(12).corner_radius(8);
            frame.show(ui, |ui| {
                ui.set_width(240.0);
                let (done, all) = job.task.progress();
                ui.add(egui::Label::new(&job.title).truncate());
                let share = done as f32 / all.max(1) as f32;
                ui.add(ProgressBar::new(share).desired_height(6.0).fill(style.accent));
                ui.horizontal(|ui| {
                    ui.label(match all {
                        0 => "preparing".to_owned(),
                        _ if job.kind == Kind::Animation => format!("{done} of {all} frames"),
                        _ => format!("{done} of {all} pictures"),
                    });
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                        let what = if job.kind == Kind::Animation { "Stop the animation" } else { "Stop saving" };
                        let stop = ui.add(Button::new("Stop")).accessible_name(what);
                        if stop.on_hover_text(format!("{what}; nothing is saved")).clicked() {
                            acts.push(Act::StopFigures);
                        }
                    });
                });
            });
        });
    }
}

/// A device that fails may panic; that ends the work, not the program.
fn guarded(watch: Watch<'_>, work: impl FnOnce(Watch<'_>) -> Said) -> Said {
    let done = predict::guarded(|| Ok::<_, String>(work(watch)));
    done.unwrap_or_else(|problem| (Level::Error, problem))
}

/// Saves the weights of a run as a new file, which it returns.
fn save_weights(
    lab: &LabSpec,
    run: &Path,
    file: impl FnOnce(Option<u64>) -> PathBuf,
) -> Result<Option<PathBuf>, String> {
    let spec = lab.weights.ok_or("this lab has no weights")?;
    let weights = (spec.packed)(run).map_err(|error| error.to_string())?;
    let file = file(weights.step);
    made_folder(&file)?;
    write(&file, &weights.file)?;
    Ok(Some(file))
}

/// A new file; the error names it.
fn write(file: &Path, bytes: &[u8]) -> Result<(), String> {
    disk::write_new(file, bytes).map_err(|error| format!("{}: {error}", file.display()))
}

/// Saves features as new files, of which it returns the one of the numbers; `None`: it was stopped.
fn save_features(
    lab: &LabSpec,
    request: &FeaturesRequest,
    csv: bool,
    file: impl FnOnce(Option<u64>) -> PathBuf,
    watch: Watch<'_>,
) -> Result<Option<PathBuf>, String> {
    let work = lab.features.ok_or("this lab has no features")?;
    let Some(features) = work(request, watch).map_err(|error| error.to_string())? else { return Ok(None) };
    let file = file(Some(features.step));
    made_folder(&file)?;
    if csv {
        write(&file, &features.csv()?)?;
    } else {
        let [numbers, labels] = features.npy();
        write(&file, &numbers)?;
        write(&labels_file(&file), &labels)?;
    }
    Ok(Some(file))
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
