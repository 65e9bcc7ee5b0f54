//! The data doctor's list: worst first, by severity to choose from, each line with what to do; a click opens the image.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use eframe::egui::accesskit::Role;
use eframe::egui::text::{LayoutJob, TextWrapping};
use eframe::egui::{
    Color32, FontId, Painter, Pos2, Rect, ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::data::segmentation::doctor::{Finding, Severity};
use crate::plot::style::Style;
use crate::plot::{names, tile};

/// One line of the list, from the folder or from a run's recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub severity: Severity,
    pub check: String,
    /// Below the folder where it lies there.
    pub file: String,
    pub other: String,
    pub problem: String,
    pub advice: String,
    /// As it was named.
    pub path: PathBuf,
}

impl Line {
    /// Of a finding in this folder.
    pub fn of(finding: &Finding, root: &Path) -> Self {
        Line {
            severity: finding.severity,
            check: finding.check.label().to_owned(),
            file: shown(&finding.file, root),
            other: finding.other.as_deref().map(|other| shown(other, root)).unwrap_or_default(),
            problem: finding.problem.clone(),
            advice: finding.advice.clone(),
            path: finding.file.clone(),
        }
    }

    /// Of the rows of a table that a run on the folder `root` has recorded; rows that do not fit are left out.
    pub fn recorded(columns: &[String], rows: &[Vec<String>], root: &Path) -> Vec<Self> {
        let cell = |row: &[String], name: &str| -> String {
            columns.iter().position(|c| c == name).and_then(|i| row.get(i)).cloned().unwrap_or_default()
        };
        let line = |row: &Vec<String>| {
            let said = cell(row, "severity").to_lowercase();
            let severity = [Severity::Error, Severity::Warning, Severity::Note]
                .into_iter()
                .find(|severity| said == severity.word())?;
            let file = cell(row, "file");
            Some(Line {
                severity,
                check: cell(row, "check"),
                file: shown(Path::new(&file), root),
                path: PathBuf::from(file),
                other: shown(Path::new(&cell(row, "other")), root),
                problem: cell(row, "problem"),
                advice: cell(row, "advice"),
            })
        };
        rows.iter().filter_map(line).collect()
    }
}

/// A path below a folder where it lies there.
fn shown(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// `error`, `errors`.
fn word(severity: Severity, count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{}{plural}", severity.word())
}

fn color(severity: Severity, style: &Style) -> Color32 {
    match severity {
        Severity::Error => style.error,
        Severity::Warning => style.warning,
        Severity::Note => style.accent,
    }
}

/// Which severities are shown, and which folded kinds are open.
#[derive(Debug, Default)]
pub struct Findings {
    hidden: [bool; 3],
    open: HashSet<String>,
}

/// More notes of one kind than this are one line until it is opened.
const FOLDED: usize = 5;

/// What one row of the list shows.
enum Row<'a> {
    /// Many notes of one kind: the first, and how many there are.
    Kind {
        first: &'a Line,
        count: usize,
        open: bool,
    },
    Line(&'a Line),
}

/// The rows of the list: kinds of many notes folded unless they are open. `lines` stand in order of their kinds.
fn rows<'a>(lines: &[&'a Line], open: &HashSet<String>) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for kind in lines.chunk_by(|a, b| (a.severity, &a.check) == (b.severity, &b.check)) {
        let first = kind[0];
        let folds = first.severity == Severity::Note && kind.len() > FOLDED;
        let open = !folds || open.contains(&first.check);
        if folds {
            rows.push(Row::Kind { first, count: kind.len(), open });
        }
        if open {
            rows.extend(kind.iter().map(|line| Row::Line(line)));
        }
    }
    rows
}

const SEVERITIES: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Note];

impl Findings {
    /// Draws filter and list into `rect`; gives the path of the line that was clicked.
    pub fn show(&mut self, ui: &mut Ui, rect: Rect, lines: &[Line], style: &Style, size: f32) -> Option<PathBuf> {
        let bar = Rect::from_min_size(rect.min, vec2(rect.width(), (2.1 * size).round()));
        tile::bar(ui, bar, tile::weak("data doctor", size, style), |ui| {
            for (i, severity) in SEVERITIES.into_iter().enumerate().rev() {
                let count = lines.iter().filter(|line| line.severity == severity).count();
                let name = format!("{count} {}", word(severity, count));
                if tile::toggle(ui, !self.hidden[i], &name, "Show or hide these lines", size) {
                    self.hidden[i] = !self.hidden[i];
                }
            }
        });
        let rest = Rect::from_min_max(pos2(rect.left(), bar.bottom() + 2.0), rect.max);
        if rest.width() < 8.0 * size || rest.height() < 2.0 * size {
            return None;
        }
        let shown: Vec<&Line> = lines.iter().filter(|line| !self.hidden[line.severity as usize]).collect();
        let (mut clicked, mut toggled) = (None, None);
        let list = rows(&shown, &self.open);
        ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
            ui.shrink_clip_rect(rest);
            if shown.is_empty() {
                let text = if lines.is_empty() { "nothing odd was found" } else { "no line of the chosen kinds" };
                ui.label(tile::weak(text, size, style));
                return;
            }
            ui.spacing_mut().item_spacing.y = 0.0;
            let height = (4.1 * size).round();
            ScrollArea::vertical().id_salt("findings").auto_shrink([false, false]).show_rows(
                ui,
                height,
                list.len(),
                |ui, rows| {
                    for row in &list[rows] {
                        let wanted = vec2(ui.available_width() - 6.0, height);
                        let (place, response) = ui.allocate_exact_size(wanted, Sense::click());
                        let label = match row {
                            Row::Line(Line { severity, check, file, problem, .. }) => {
                                format!("{}: {check}: {file}: {problem}", severity.word())
                            }
                            Row::Kind { first, count, open } => {
                                let what = if *open { "fold" } else { "show" };
                                format!("{count} notes: {}: {what} them", first.check)
                            }
                        };
                        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
                        if response.hovered() || response.has_focus() {
                            ui.painter().rect_filled(place, 3.0, style.rule.gamma_multiply(0.5));
                        }
                        if response.has_focus() {
                            let ring = Stroke::new(1.0, style.accent);
                            ui.painter().rect_stroke(place, 3.0, ring, StrokeKind::Inside);
                        }
                        draw(&ui.painter_at(place), place, row, style, size);
                        let line = match row {
                            Row::Line(line) => line,
                            Row::Kind { first, .. } => {
                                if response.on_hover_text("Click to show or hide them one by one").clicked() {
                                    toggled = Some(first.check.clone());
                                }
                                continue;
                            }
                        };
                        let Line { check, file, other, problem, advice, path, .. } = line;
                        let also = if other.is_empty() { String::new() } else { format!("\nand {other}") };
                        let text = format!(
                            "{file}{also}\n\n{check}: {problem}\n\n{advice}\n\nClick to open the image in the brush."
                        );
                        if response.on_hover_text(text).clicked() {
                            clicked = Some(path.clone());
                        }
                    }
                },
            );
        });
        if let Some(check) = toggled
            && !self.open.remove(&check)
        {
            self.open.insert(check);
        }
        clicked
    }
}

/// Two lines: what and where, and below what is the matter and what to do.
fn draw(painter: &Painter, place: Rect, row: &Row<'_>, style: &Style, size: f32) {
    let line = match row {
        Row::Line(line) => line,
        Row::Kind { first, .. } => first,
    };
    let hue = color(line.severity, style);
    let (left, first, second) = (place.left() + 1.5 * size, place.top() + 0.5 * size, place.top() + 2.1 * size);
    let mark = pos2(place.left() + 0.7 * size, first + 0.6 * size);
    // Severities differ by shape, too.
    match line.severity {
        Severity::Error => {
            painter.rect_filled(Rect::from_center_size(mark, vec2(0.7, 0.7) * size), 1.0, hue);
        }
        Severity::Warning => {
            let r = 0.45 * size;
            let corners = vec![mark + vec2(0.0, -r), mark + vec2(r, 0.7 * r), mark + vec2(-r, 0.7 * r)];
            painter.add(eframe::egui::Shape::convex_polygon(corners, hue, Stroke::NONE));
        }
        Severity::Note => {
            painter.circle_stroke(mark, 0.3 * size, Stroke::new(1.5, hue));
        }
    }
    let width = place.right() - left - 0.5 * size;
    if let Row::Kind { count, open, .. } = row {
        let sign = if *open { "\u{25be}" } else { "\u{25b8}" };
        text(painter, pos2(left, first), &format!("{sign} {}: {count} images", line.check), hue, size + 0.5, width);
        text(painter, pos2(left, second), &line.advice, style.text_weak, size, width);
        return;
    }
    let used = text(painter, pos2(left, first), &line.check, hue, size + 0.5, width);
    // Both ends of the names tell images apart.
    let room = width - used - 0.8 * size;
    let font = FontId::proportional(size + 0.5);
    let each = if line.other.is_empty() { room } else { 0.5 * (room - 3.0 * size) };
    let [file, other] = [&line.file, &line.other].map(|name| names::fitted(painter, name, &font, each.max(size)));
    let files = if line.other.is_empty() { file } else { format!("{file} and {other}") };
    text(painter, pos2(left + used + 0.8 * size, first), &files, style.text, size + 0.5, room);
    let below = format!("{}: {}", line.problem, line.advice);
    text(painter, pos2(left, second), &below, style.text_weak, size, width);
}

/// One line of text, cut with an ellipsis; gives its width.
fn text(painter: &Painter, at: Pos2, text: &str, color: Color32, size: f32, width: f32) -> f32 {
    if width < size {
        return 0.0;
    }
    let mut job = LayoutJob::simple_singleline(text.to_owned(), FontId::proportional(size), color);
    job.wrap = TextWrapping::truncate_at_width(width);
    let galley = painter.layout_job(job);
    let wide = galley.size().x;
    painter.galley(at, galley, color);
    wide
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_table_is_read_by_its_columns() {
        let columns = ["severity", "check", "file", "other", "problem", "advice"].map(str::to_owned);
        let row = |severity: &str| [severity, "no lesion", "a/b.png", "", "empty", "look"].map(str::to_owned).to_vec();
        let lines = Line::recorded(
            &columns,
            &[row("warning"), row("Error"), row("gossip"), vec!["note".to_owned()]],
            Path::new("a"),
        );
        assert_eq!(lines.len(), 3, "an unknown severity is left out");
        assert_eq!((lines[0].severity, lines[1].severity), (Severity::Warning, Severity::Error));
        assert_eq!((lines[0].file.as_str(), lines[0].advice.as_str()), ("b.png", "look"));
        assert_eq!(lines[2].file, "", "cells that are missing are empty");
    }
}
