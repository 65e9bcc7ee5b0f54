//! What the study's window shows of a sweep: the map of one measure, and the table of all.

use eframe::egui::{self, ComboBox, RichText, Ui, vec2};

use super::act::Act;
use super::study::{Phase, Study};
use super::sweep_figure::SweepFigure;
use super::theme;
use crate::plot::style::Style;

/// What a click on a cell does.
const CLICK: &str = "Click: show its recorded run, or run its values where none is recorded";

/// Draws map and table.
pub fn show(study: &mut Study, width: f32, ui: &mut Ui, style: &Style, acts: &mut Vec<Act>) {
    let Some(table) = &study.sweep else { return };
    study.lines.turn_to(table);
    let lines = &study.lines;
    ui.horizontal(|ui| {
        ui.label("Measure");
        let title = lines.titles.iter().find(|(measure, _)| *measure == study.map.measure);
        let shown = title.map_or("", |(_, title)| title);
        let combo = ComboBox::from_id_salt("measure of a sweep").width(320.0).selected_text(shown).show_ui(ui, |ui| {
            for (measure, title) in &lines.titles {
                ui.selectable_value(&mut study.map.measure, *measure, title);
            }
        });
        combo.response.accessible_name("Measure of the map");
    });
    let resting = study.phase == Phase::Resting;
    let height = SweepFigure::height(&study.runner.run, width);
    let (rect, _) = ui.allocate_exact_size(vec2(width, height), egui::Sense::hover());
    if ui.is_rect_visible(rect) {
        let click = if resting { CLICK } else { "" };
        let data = (&study.runner.run, table);
        acts.extend(study.map.show(ui, rect, data, click, style, 11.0).map(Act::SweepCell));
    }
    ui.add_space(8.0);
    let now = match study.phase {
        Phase::Measuring(_) => study.runner.row(),
        _ => None,
    };
    egui::Grid::new("sweep table").striped(true).spacing(vec2(16.0, 6.0)).show(ui, |ui| {
        for head in &lines.heads {
            ui.label(theme::strong(head.as_str()));
        }
        ui.end_row();
        for (row, line) in lines.rows.iter().enumerate() {
            for (at, value) in line.values.iter().enumerate() {
                if at > 0 {
                    ui.label(RichText::new(value).monospace());
                } else if ui
                    .link(RichText::new(value).monospace())
                    .on_hover_text("Put its values into the form and run it")
                    .clicked()
                    && resting
                {
                    acts.push(Act::StudyLoad(row));
                }
            }
            if let Some(died) = &line.died {
                ui.label(died);
            }
            for text in &line.measures {
                ui.label(match (text.is_empty(), now == Some(row)) {
                    (true, true) => RichText::new("running").weak(),
                    (true, false) => RichText::new("…").weak(),
                    _ if text.starts_with("failed: ") => RichText::new(text).color(style.error),
                    _ => RichText::new(text).monospace(),
                });
            }
            ui.end_row();
        }
    });
}
