//! The study's window: what it is about, how far it is, the question before it starts, its figure and its table.

use eframe::egui::{self, DragValue, RichText, Ui, vec2};

use super::act::{Act, StudyFile};
use super::state::State;
use super::study::{MOST_SEED, MOST_SEEDS, Phase, Study};
use super::widgets::{Icon, labelled_button};
use super::{study_figure, sweep_view, theme};
use crate::engine::study_table::TableRow;
use crate::kit::view::Lab;
use crate::plot::style::Style;
use crate::plot::{number, parallel};

/// Lines of a table that are more than one sees at once.
const LONG: usize = 60;

/// Draws the study's window, if it is open.
pub fn show(study: &mut Study, state: &State, ctx: &egui::Context, acts: &mut Vec<Act>) {
    if !study.open {
        return;
    }
    let training = state.is_training();
    let Some(lab) = state.sessions.get(study.lab).map(|session| session.lab) else { return };
    let style = &state.style;
    let mut open = true;
    let screen = ctx.content_rect();
    let size = vec2((0.72 * screen.width()).clamp(320.0, 1100.0), (0.6 * screen.height()).max(200.0));
    egui::Window::new(if study.sweep.is_some() {
        study.runner.run.title()
    } else {
        format!("Study: {}", study.runner.run.spec.title)
    })
    .id(egui::Id::unique("study"))
    .open(&mut open)
    .collapsible(true)
    .title_frame(theme::window_title(style))
    .default_size(size)
    .default_pos(screen.center() - vec2(0.5 * size.x, 0.42 * screen.height()))
    .show(ctx, |ui| {
        if study.sweep.is_none() {
            ui.label(RichText::new(study.runner.run.spec.source).weak());
            ui.label(study.runner.run.spec.about);
            ui.add_space(8.0);
        }
        progress(study, ui, style);
        question(study, training, ui, style, acts);
        ui.add_space(8.0);
        // Of the screen, not of the window: what depends on the window's height would make it grow.
        let room = (screen.height() * 0.5).max(60.0);
        let width = ui.available_width() - 16.0;
        egui::ScrollArea::both().auto_shrink([false, true]).max_height(room).show(ui, |ui| {
            if study.sweep.is_some() {
                return sweep_view::show(study, width.max(200.0), ui, style, acts);
            }
            figure(study, lab, width.max(200.0), ui, style);
            // What a long table comes to stands above it.
            let long = study.table.rows.len() > LONG;
            if long {
                beside(study, ui);
                ui.add_space(12.0);
            }
            table(study, ui, style, acts);
            if !long {
                beside(study, ui);
            }
        });
        ui.add_space(8.0);
        let spec = study.runner.run.spec;
        let paper = if study.sweep.is_some() { String::new() } else { format!("Paper: {} ", spec.reading) };
        ui.label(RichText::new(format!("{paper}{}", study.table.how())).weak());
        ui.add_space(4.0);
        ui.horizontal_wrapped(|ui| buttons(study, ui, style, acts));
    });
    study.open = open;
}

/// How far it is, and how long the rest takes.
fn progress(study: &Study, ui: &mut Ui, style: &Style) {
    let (done, all) = study.runner.run.progress();
    let mut text = match study.phase {
        Phase::Opening => "reading what was measured before".to_owned(),
        Phase::Timing(_) => {
            let (timed, kinds, left) = study.runner.trials();
            let left = left.map_or(String::new(), |left| format!(", about {} left", number::duration(left)));
            let at = (timed + 1).min(kinds);
            format!("timing a few steps of each kind of row: {at} of {kinds} ({}){left}", study.runner.label())
        }
        _ => format!("{done} of {all} runs are measured"),
    };
    if study.kept > 0 && study.phase != Phase::Opening {
        text += &format!(", {} of them before", study.kept);
    }
    if let (Phase::Measuring(_) | Phase::Placing, Some(left)) = (study.phase, study.runner.seconds_left())
        && left > 0.0
    {
        text += &format!("; about {} left", number::duration(left));
    }
    let share = done as f32 / all.max(1) as f32;
    ui.add(egui::ProgressBar::new(share).desired_height(6.0).fill(style.accent));
    ui.label(RichText::new(text).weak()).on_hover_text(format!("kept in {}", study.folder.display()));
}

/// Before it starts: how long it takes, and with how many seeds.
fn question(study: &mut Study, training: bool, ui: &mut Ui, style: &Style, acts: &mut Vec<Act>) {
    let waits = matches!(study.phase, Phase::Asking | Phase::Resting) && study.runner.next_task().is_some();
    if let Some(estimate) = study.runner.estimate().filter(|_| waits) {
        ui.add_space(4.0);
        ui.label(theme::strong(format!("{}.", estimate.text())));
        let hint = "A run that ends early takes less. Stopped or closed, the study goes on where it was.";
        ui.label(RichText::new(hint).weak());
    }
    if study.phase == Phase::Asking {
        if training {
            ui.label(RichText::new("A training is under way: the study ends it.").color(style.warning));
        }
        ui.horizontal(|ui| {
            if labelled_button(ui, Some(Icon::Play), "Start the study", true, style).clicked() {
                acts.push(Act::StudyGoOn);
            }
            if labelled_button(ui, None, "Not now", false, style).clicked() {
                acts.push(Act::StudyLeave);
            }
        });
    }
    if study.runner.run.spec.seeded && matches!(study.phase, Phase::Asking | Phase::Resting) {
        ui.horizontal(|ui| {
            let (mut count, mut first) = study.seeds;
            let label = ui.label("Seeds of each row");
            let many = ui.add(DragValue::new(&mut count).range(1..=MOST_SEEDS)).labelled_by(label.id);
            let label = ui.label("from");
            let from = ui.add(DragValue::new(&mut first).range(0..=MOST_SEED)).labelled_by(label.id);
            study.seeds = (count, first);
            let settled = |response: &egui::Response| !response.dragged() && !response.has_focus();
            if study.seeds != study.seeds_used && settled(&many) && settled(&from) {
                acts.push(Act::StudySeeds(count, first));
            }
        });
    }
}

/// The article's figure, drawn of the rows that are measured.
fn figure(study: &mut Study, lab: &Lab, width: f32, ui: &mut Ui, style: &Style) {
    if study.runner.run.spec.figure.is_none() {
        return;
    }
    let missing = study.figure.drawing.missing;
    let height = study.figure.height(&study.runner.run, width);
    let (rect, _) = ui.allocate_exact_size(vec2(width, height), egui::Sense::hover());
    if ui.is_rect_visible(rect) {
        study.figure.show(ui, rect, &study.runner.run, lab, style, 11.0);
    }
    if study.runner.run.spec.figure.is_some_and(|figure| figure.parallel.is_some()) {
        ui.label(RichText::new(parallel::HELP).weak());
    }
    if missing > 0 {
        let runs = number::counted(missing as u64, "measured run has", "measured runs have");
        ui.label(RichText::new(format!("{runs} no recording to draw; “Measure anew” makes them")).weak());
    }
    if study_figure::has_marks(&study.runner.run) {
        let marks = "Diamonds and dashed straight lines: the paper, in the colour of the row.";
        ui.label(RichText::new(marks).weak());
    }
    ui.add_space(8.0);
}

fn table(study: &Study, ui: &mut Ui, style: &Style, acts: &mut Vec<Act>) {
    let now = match study.phase {
        Phase::Measuring(_) => study.runner.row(),
        _ => None,
    };
    let measures = study.runner.run.spec.measures.len().max(1);
    egui::Grid::new("study table").striped(true).spacing(vec2(16.0, 6.0)).show(ui, |ui| {
        for head in ["run", "measure", "paper", "ours", "paper | ours", "data"] {
            ui.label(theme::strong(head));
        }
        ui.end_row();
        for (at, row) in study.table.rows.iter().enumerate() {
            // One line for each measure; the first of a row names it.
            let (index, first) = (at / measures, at % measures == 0);
            if !first {
                ui.label("");
            } else if ui.link(&row.row).on_hover_text("Put its values into the form and run it").clicked()
                && study.phase == Phase::Resting
            {
                acts.push(Act::StudyLoad(index));
            }
            ui.label(row.title());
            ui.label(RichText::new(row.paper_text()).monospace().color(style.text_weak));
            let measured = row.ours_text(study.table.deterministic);
            let ours = match (measured.is_empty(), now == Some(index)) {
                (true, true) => RichText::new("running").weak(),
                (true, false) => RichText::new("…").weak(),
                _ if row.problem.is_some() => RichText::new(measured).color(style.error),
                _ => RichText::new(measured).monospace(),
            };
            ui.label(ours);
            let largest = study.table.largest(&row.measure);
            bars(row, largest, ui, style);
            ui.label(RichText::new(if first { row.data.as_str() } else { "" }).weak());
            ui.end_row();
        }
    });
}

/// The study's further tables.
fn beside(study: &Study, ui: &mut Ui) {
    for table in &study.table.beside {
        ui.add_space(12.0);
        ui.label(theme::strong(table.title));
        ui.label(RichText::new(table.about).weak());
        ui.add_space(4.0);
        egui::Grid::new(table.title).striped(true).spacing(vec2(16.0, 6.0)).show(ui, |ui| {
            for head in table.heads {
                ui.label(theme::strong(*head));
            }
            ui.end_row();
            for line in &table.lines {
                for cell in line {
                    ui.label(RichText::new(cell).monospace());
                }
                ui.end_row();
            }
        });
    }
}

/// The paper's number as a hollow bar above ours as a filled one, with our lowest and highest as a line; the longest bar of
/// a measure fills the width.
fn bars(row: &TableRow, largest: f64, ui: &mut Ui, style: &Style) {
    let (rect, _) = ui.allocate_exact_size(vec2(110.0, 16.0), egui::Sense::hover());
    if largest <= 0.0 || !ui.is_rect_visible(rect) {
        return;
    }
    let painter = ui.painter_at(rect);
    let x = |value: f64| rect.left() + 1.0 + (value.max(0.0) / largest) as f32 * (rect.width() - 2.0);
    let bar = |top: f32, value: f64| {
        egui::Rect::from_min_max(egui::pos2(x(0.0), rect.top() + top), egui::pos2(x(value), rect.top() + top + 6.0))
    };
    if let Some(paper) = row.paper {
        painter.rect_stroke(bar(1.0, paper), 1.0, egui::Stroke::new(1.0, style.text_weak), egui::StrokeKind::Inside);
    }
    if let Some(mean) = row.ours.mean {
        painter.rect_filled(bar(9.0, mean), 1.0, style.accent);
        if let (Some(low), Some(high)) = (row.ours.lowest, row.ours.highest) {
            let y = rect.top() + 12.0;
            let ends = [egui::pos2(x(low), y), egui::pos2(x(high), y)];
            painter.line_segment(ends, egui::Stroke::new(1.5, style.text));
        }
    }
}

fn buttons(study: &Study, ui: &mut Ui, style: &Style, acts: &mut Vec<Act>) {
    let mut button = |icon, label, accent, act| {
        if labelled_button(ui, icon, label, accent, style).clicked() {
            acts.push(act);
        }
    };
    let resting = study.phase == Phase::Resting;
    if !resting && study.phase != Phase::Asking {
        button(Some(Icon::Stop), "Stop the study", false, Act::StudyStop);
    } else if resting && study.runner.next_task().is_some() {
        button(Some(Icon::Play), "Go on", true, Act::StudyGoOn);
    }
    if resting {
        button(Some(Icon::Restart), "Measure anew", false, Act::StudyAgain);
    }
    if resting && study.runner.run.progress().0 > 0 {
        button(None, "Pin its runs", false, Act::PinStudy);
    }
    button(None, "Copy the table", false, Act::StudyCopy);
    button(None, "Save as text", false, Act::StudySave(StudyFile::Text));
    button(None, "Save as CSV", false, Act::StudySave(StudyFile::Csv));
    if study.sweep.is_some() {
        button(None, "Save the map as PNG", false, Act::StudySave(StudyFile::Picture));
        button(None, "Save the map as SVG", false, Act::StudySave(StudyFile::Vectors));
    }
    let parallel = study.runner.run.spec.figure.is_some_and(|figure| figure.parallel.is_some());
    if !study.figure.drawing.is_empty() || (parallel && study.runner.run.progress().0 > 0) {
        button(None, "Save the figure", false, Act::StudySave(StudyFile::Picture));
        if !study.figure.drawing.curves.is_empty() {
            button(None, "Save its numbers", false, Act::StudySave(StudyFile::FigureCsv));
        }
    }
}
