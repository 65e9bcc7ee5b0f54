//! A study in the window: its rows are run one after the other, and measured into a table "paper | ours".

use std::collections::VecDeque;

use eframe::egui::{self, Align, Layout, RichText, vec2};

use super::session::Start;
use super::widgets::{Icon, labelled_button};
use super::{App, theme};
use crate::engine::event::{Level, RunId, Status};
use crate::engine::params::{ParamError, Params};
use crate::engine::study::{StudyRow, StudySpec};
use crate::labs::LabSpec;
use crate::plot::number;

/// Seeds of a study whose runs depend on the seed.
const SEEDS: u64 = 3;

/// A study in progress or done.
#[derive(Debug)]
pub struct StudyRun {
    lab: usize,
    spec: &'static StudySpec,
    /// Row and seed of the runs that are still to be made.
    todo: VecDeque<(usize, u64)>,
    /// The run that is being made, and its row.
    now: Option<(RunId, usize)>,
    /// By row, by measure: one value for each seed; `None`: it never happened.
    results: Vec<Vec<Vec<Option<f64>>>>,
    /// By row: why it could not be measured.
    problems: Vec<Option<String>>,
    open: bool,
}

impl StudyRun {
    fn done(&self) -> bool {
        self.todo.is_empty() && self.now.is_none()
    }
}

/// The parameters of a row.
fn params_of(lab: &LabSpec, study: &StudySpec, row: &StudyRow) -> Result<Params, ParamError> {
    let mut params = Params::defaults(lab.params);
    for (key, value) in study.common.iter().chain(row.set) {
        params.set_text(lab.params, &format!("{key}={value}"))?;
    }
    Ok(params)
}

impl App {
    /// Starts a study of the front lab.
    pub(super) fn begin_study(&mut self, spec: &'static StudySpec) {
        let seeds = if spec.seeded { SEEDS } else { 1 };
        let rows = spec.rows.len();
        self.study = Some(StudyRun {
            lab: self.active,
            spec,
            todo: (0..rows).flat_map(|row| (0..seeds).map(move |seed| (row, seed))).collect(),
            now: None,
            results: vec![vec![Vec::new(); spec.measures.len()]; rows],
            problems: vec![None; rows],
            open: true,
        });
        self.next_of_study();
    }

    /// Puts a row's values into the form; `None`: they do not fit the lab.
    fn load_row(&mut self, lab: usize, spec: &'static StudySpec, row: usize) -> Option<()> {
        let session = self.sessions.get_mut(lab)?;
        match params_of(session.lab.spec(), spec, &spec.rows[row]) {
            Ok(params) => {
                session.edit_all(|session| {
                    session.params = params;
                    session.changes.clear();
                });
                session.errors.clear();
                session.name = super::runs::file_name(&format!("{}-{}", spec.id, spec.rows[row].label));
                Some(())
            }
            Err(error) => {
                self.notice(Level::Error, format!("study `{}`: {error}", spec.id));
                None
            }
        }
    }

    fn next_of_study(&mut self) {
        let Some(study) = &mut self.study else { return };
        study.now = None;
        let Some((row, seed)) = study.todo.pop_front() else { return };
        let (lab, spec) = (study.lab, study.spec);
        if self.load_row(lab, spec, row).is_none() {
            self.study = None;
            return;
        }
        self.active = lab;
        self.sessions[lab].seed = crate::labs::DEFAULT_SEED + seed;
        self.last_run = None;
        self.start(lab, Start::Explicit);
        match (self.last_run, &mut self.study) {
            (Some(id), Some(study)) => study.now = Some((id, row)),
            // The notice says why it did not start.
            _ => self.study = None,
        }
    }

    /// Measures the run that has ended, if one has, and starts the next.
    pub(super) fn advance_study(&mut self) {
        let Some(study) = &mut self.study else { return };
        let Some((id, row)) = study.now else { return };
        if self.last_run != Some(id) {
            study.todo.clear();
            study.now = None;
            self.notice(Level::Info, "the study was interrupted by another run");
            return;
        }
        let Some(session) = self.sessions.get(study.lab) else { return };
        if session.run.id != Some(id) {
            return;
        }
        match &session.run.status {
            Some(Status::Finished) => {
                for (samples, measure) in study.results[row].iter_mut().zip(study.spec.measures) {
                    samples.push((measure.of)(&session.run, &study.spec.rows[row]));
                }
            }
            Some(Status::Failed(problem)) => study.problems[row] = Some(problem.clone()),
            Some(Status::Stopped) => {
                study.todo.clear();
                study.problems[row] = Some("stopped".to_owned());
            }
            _ => return,
        }
        self.next_of_study();
    }
}

/// `1.23`, with several seeds `1.23 ± 0.04 (n = 3)`; what never happened is counted.
fn ours(samples: &[Option<f64>]) -> String {
    let found: Vec<f64> = samples.iter().flatten().copied().collect();
    if samples.is_empty() {
        return "…".to_owned();
    }
    if found.is_empty() {
        return "never".to_owned();
    }
    let n = found.len() as f64;
    let mean = found.iter().sum::<f64>() / n;
    let mut text = number::compact(mean);
    if found.len() > 1 {
        // ddof = 1: the spread of a sample.
        let variance = found.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
        text += &format!(" ± {} (n = {})", number::compact(variance.sqrt()), found.len());
    }
    if found.len() < samples.len() {
        text += &format!(", never in {} of {}", samples.len() - found.len(), samples.len());
    }
    text
}

/// The table as text, one line a row, tab-separated.
fn as_text(study: &StudyRun) -> String {
    let heads =
        study.spec.measures.iter().flat_map(|m| [format!("{} (ours)", m.title), format!("{} (paper)", m.title)]);
    let mut lines = vec![std::iter::once("row".to_owned()).chain(heads).collect::<Vec<_>>().join("\t")];
    for (row, results) in study.spec.rows.iter().zip(&study.results) {
        let cells = results.iter().enumerate().flat_map(|(i, samples)| [ours(samples), paper(row, i)]);
        lines.push(std::iter::once(row.label.to_owned()).chain(cells).collect::<Vec<_>>().join("\t"));
    }
    lines.join("\n") + "\n"
}

fn paper(row: &StudyRow, measure: usize) -> String {
    row.paper.get(measure).copied().flatten().map_or_else(|| "—".to_owned(), number::compact)
}

pub fn show(app: &mut App, ctx: &egui::Context) {
    let Some(study) = &app.study else { return };
    if !study.open {
        return;
    }
    let style = app.style.clone();
    let mut open = true;
    let (mut stop, mut save, mut load) = (false, false, None);
    egui::Window::new(format!("Study: {}", study.spec.title))
        .id(egui::Id::unique("study"))
        .open(&mut open)
        .collapsible(true)
        .title_frame(theme::window_title(&style))
        .default_size(vec2(620.0, 360.0))
        .default_pos(ctx.content_rect().center() - vec2(310.0, 240.0))
        .show(ctx, |ui| {
            ui.label(RichText::new(study.spec.source).weak());
            ui.label(study.spec.about);
            ui.add_space(8.0);
            egui::ScrollArea::both().auto_shrink([false, true]).show(ui, |ui| {
                egui::Grid::new("study table").striped(true).spacing(vec2(16.0, 6.0)).show(ui, |ui| {
                    ui.label(theme::strong("run"));
                    for measure in study.spec.measures {
                        let unit = if measure.unit.is_empty() { String::new() } else { format!(" [{}]", measure.unit) };
                        ui.label(theme::strong(format!("{}{unit}, ours", measure.title)));
                        ui.label(theme::strong("paper").color(style.text_weak));
                    }
                    ui.end_row();
                    for (index, row) in study.spec.rows.iter().enumerate() {
                        let running = study.now.is_some_and(|(_, now)| now == index);
                        if ui.link(row.label).on_hover_text("Show this run").clicked() {
                            load = Some(index);
                        }
                        if let Some(problem) = &study.problems[index] {
                            ui.label(RichText::new(problem).color(style.error));
                            ui.end_row();
                            continue;
                        }
                        for (i, samples) in study.results[index].iter().enumerate() {
                            let text = if running && samples.is_empty() { "running".to_owned() } else { ours(samples) };
                            ui.label(RichText::new(text).monospace());
                            ui.label(RichText::new(paper(row, i)).monospace().color(style.text_weak));
                        }
                        ui.end_row();
                    }
                });
            });
            ui.add_space(8.0);
            ui.horizontal(|ui| {
                if study.done() {
                    save = labelled_button(ui, None, "Save the table", false, &style).clicked();
                } else {
                    stop = labelled_button(ui, Some(Icon::Stop), "Stop the study", false, &style).clicked();
                }
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.label(RichText::new("Paper: as printed there. Ours: measured here, now.").weak());
                });
            });
        });
    if save {
        app.files.save_text(&format!("{}.tsv", super::runs::file_name(study.spec.id)), as_text(study));
    }
    let (lab, spec) = (study.lab, study.spec);
    if let Some(study) = &mut app.study {
        study.open = open;
        if stop {
            study.todo.clear();
        }
    }
    if stop {
        app.backend.send(crate::engine::command::Command::Stop);
    }
    if let Some(row) = load
        && app.study.as_ref().is_some_and(StudyRun::done)
        && app.load_row(lab, spec, row).is_some()
    {
        app.active = lab;
        app.start(lab, Start::Settled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_says_over_how_many_seeds_and_what_never_happened() {
        assert_eq!(ours(&[]), "…");
        assert_eq!(ours(&[None, None]), "never");
        assert_eq!(ours(&[Some(2.0)]), "2");
        assert_eq!(ours(&[Some(1.0), Some(2.0), Some(3.0)]), "2 ± 1 (n = 3)");
        assert_eq!(ours(&[Some(1.0), None]), "1, never in 1 of 2");
    }
}
