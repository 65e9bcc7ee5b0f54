//! The table of recorded runs, to sort and filter: a run a row, and the keyboard to go through them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::{
    self, Align2, Color32, EventFilter, FontId, Id, Key, Label, Modifiers, Rect, RichText, Role, ScrollArea, Sense,
    TextStyle, Ui, WidgetInfo, pos2, vec2,
};

use super::act::Act;
use super::state::State;
use crate::engine::catalogue::{Listing, Recorded, Standing};
use crate::plot::number;
use crate::plot::style::Style;

/// Height of a row in points.
pub const ROW: f32 = 24.0;
/// Headline numbers in a row; the detail shows all.
const NUMBERS: usize = 3;

/// What is shown of the runs, and which one is chosen.
#[derive(Debug, Default)]
pub struct RunTable {
    pub filter: String,
    sort: Column,
    /// Else from the largest down, the newest first.
    ascending: bool,
    pub chosen: Option<PathBuf>,
    /// Rows in the order of the table, and what they were sorted from.
    pub order: Vec<usize>,
    sorted: Option<(Arc<Listing>, String, Column, bool)>,
    scrolled: f32,
}

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Column {
    Lab,
    Name,
    #[default]
    When,
    Length,
    State,
    Data,
    Numbers,
}

impl Column {
    const ALL: [Self; 7] = [Self::Lab, Self::Name, Self::When, Self::Length, Self::State, Self::Data, Self::Numbers];

    fn title(self) -> &'static str {
        match self {
            Self::Lab => "lab",
            Self::Name => "name",
            Self::When => "started (UTC)",
            Self::Length => "length",
            Self::State => "state",
            Self::Data => "data",
            Self::Numbers => "last numbers",
        }
    }

    /// Share of the width.
    fn share(self) -> f32 {
        match self {
            Self::Lab => 1.4,
            Self::Name => 1.2,
            Self::When => 1.5,
            Self::Length => 1.8,
            Self::State => 1.1,
            Self::Data => 1.4,
            Self::Numbers => 2.3,
        }
    }
}

/// A run in words, one text for each column.
struct Row {
    texts: [String; 7],
}

impl Row {
    fn of(run: &Recorded, title: impl Fn(&str) -> String) -> Self {
        let numbers = run.last.iter().take(NUMBERS).map(|(key, _, value)| format!("{key} {}", number::short(*value)));
        let mut numbers = numbers.collect::<Vec<_>>().join("  ");
        if run.last.len() > NUMBERS {
            numbers += "  …";
        }
        let header = run.header.as_ref();
        let folder = || run.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let texts = [
            header.map_or("?".to_owned(), |header| title(&header.lab)),
            header.map_or_else(folder, |header| header.name.clone()),
            header.map_or(String::new(), |header| when(&header.started)),
            length(run),
            run.standing.word().to_owned(),
            short_data(data_of(run)),
            if header.is_some() { numbers } else { run.problem.clone() },
        ];
        // What a file says may hold anything.
        Self { texts: texts.map(|text| text.replace(char::is_control, " ")) }
    }

    fn spoken(&self) -> String {
        let [lab, name, when, length, state, ..] = &self.texts;
        format!("{lab} {name}, {state}, {length}, {when}")
    }
}

/// `2026-11-28T13:59:30Z` as `2026-11-28 13:59`.
fn when(started: &str) -> String {
    started.chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

pub fn length(run: &Recorded) -> String {
    let Some(header) = &run.header else { return String::new() };
    let steps = if run.step == header.steps {
        number::counted(run.step, "step", "steps")
    } else {
        format!("{} of {}", number::grouped(run.step), number::counted(header.steps, "step", "steps"))
    };
    match run.seconds {
        Some(seconds) => format!("{steps}, {}", number::duration(seconds)),
        None => steps,
    }
}

/// The data in words. A run that failed before its first step may not have found any.
pub fn data_of(run: &Recorded) -> &str {
    match &run.header {
        None => "",
        Some(header) if !header.data.is_empty() => &header.data,
        Some(_) if run.standing == Standing::Failed && run.step == 0 => "—",
        Some(_) => "generated",
    }
}

/// The data in few words: of a path its last part.
fn short_data(data: &str) -> String {
    match data.split_once(": ") {
        Some((path, rest)) if path.contains(['/', '\\']) => {
            let name = path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or(path);
            format!("{name}: {rest}")
        }
        _ => data.to_owned(),
    }
}

impl RunTable {
    /// Sorts and filters again, where something has changed.
    pub fn sort(&mut self, listing: &Arc<Listing>, title: impl Fn(&str) -> String) {
        let same = self.sorted.as_ref().is_some_and(|(known, filter, column, ascending)| {
            Arc::ptr_eq(known, listing) && (filter, *column, *ascending) == (&self.filter, self.sort, self.ascending)
        });
        if same {
            return;
        }
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let rows: Vec<Row> = listing.runs.iter().map(|run| Row::of(run, &title)).collect();
        let fits = |index: &usize| {
            let run = &listing.runs[*index];
            let folder = run.folder.file_name().unwrap_or_default().to_string_lossy();
            let data = data_of(run);
            let text = format!("{} {folder} {data}", rows[*index].texts.join(" ")).to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        self.order = (0..rows.len()).filter(fits).collect();
        let column = Column::ALL.iter().position(|column| *column == self.sort).unwrap_or(0);
        let first = |index: usize| listing.runs[index].last.first().map_or(f64::NEG_INFINITY, |(.., value)| *value);
        self.order.sort_by(|a, b| match self.sort {
            // By the full time and the name of the folder: as the catalogue lists them.
            Column::When => b.cmp(a),
            Column::Length => listing.runs[*a].step.cmp(&listing.runs[*b].step),
            Column::State => listing.runs[*a].standing.cmp(&listing.runs[*b].standing),
            Column::Numbers => first(*a).total_cmp(&first(*b)),
            _ => rows[*a].texts[column].cmp(&rows[*b].texts[column]),
        });
        if !self.ascending {
            self.order.reverse();
        }
        self.sorted = Some((listing.clone(), self.filter.clone(), self.sort, self.ascending));
    }
}

/// Id of a row, which can have the keyboard.
pub fn row_id(folder: &Path) -> Id {
    Id::unique("list of runs").with(folder)
}

/// Draws the table; the folder is one that the user wants to delete.
pub fn show(
    list: &mut RunTable,
    listing: &Listing,
    empty: &str,
    state: &State,
    height: f32,
    ui: &mut Ui,
    acts: &mut Vec<Act>,
) -> Option<PathBuf> {
    let style = &state.style;
    ui.spacing_mut().item_spacing.y = 0.0;
    let width = ui.available_width();
    let shares: f32 = Column::ALL.iter().map(|column| column.share()).sum();
    // The scroll bar lies beside the rows.
    let unit = (width - ui.spacing().scroll.allocated_width() - 4.0).max(0.0) / shares;
    titles(list, unit, ui, style);
    let (body, _) = ui.allocate_exact_size(vec2(width, height - ROW), Sense::hover());
    let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(body));
    let ui = &mut ui;
    if list.order.is_empty() {
        ui.add_space(8.0);
        ui.add(Label::new(RichText::new(empty).weak()).wrap());
        return None;
    }
    let at = |chosen: &Option<PathBuf>| {
        let chosen = chosen.as_ref()?;
        list.order.iter().position(|index| listing.runs[*index].folder == *chosen)
    };
    let focused = ui.memory(|memory| memory.focused());
    let (mut scroll_to, mut doomed) = (None, None);
    if let Some(row) =
        at(&list.chosen).filter(|_| list.chosen.as_deref().is_some_and(|run| focused == Some(row_id(run))))
    {
        let page = (body.height() / ROW).floor().max(1.0) as isize;
        let moves = [(Key::ArrowUp, -1), (Key::ArrowDown, 1), (Key::PageUp, -page), (Key::PageDown, page)];
        let by: isize = ui.input_mut(|input| {
            moves.iter().filter(|(key, _)| input.consume_key(Modifiers::NONE, *key)).map(|(_, by)| by).sum()
        });
        let to = row.saturating_add_signed(by).min(list.order.len() - 1);
        if by != 0 {
            let folder = listing.runs[list.order[to]].folder.clone();
            ui.memory_mut(|memory| memory.request_focus(row_id(&folder)));
            (list.chosen, scroll_to) = (Some(folder), Some(to));
        }
    }
    let mut area = ScrollArea::vertical().auto_shrink([false; 2]);
    if let Some(row) = scroll_to {
        let top = row as f32 * ROW;
        area = area.vertical_scroll_offset(list.scrolled.min(top).max(top + ROW - body.height()).max(0.0));
    }
    let shown = area.show_rows(ui, ROW, list.order.len(), |ui, rows| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for index in &list.order[rows] {
            let run = &listing.runs[*index];
            let row = Row::of(run, |id| state.title(id).to_owned());
            let (_, rect) = ui.allocate_space(vec2(ui.available_width(), ROW));
            let response = ui.interact(rect, row_id(&run.folder), Sense::click());
            let chosen = list.chosen.as_deref() == Some(&run.folder);
            response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, chosen, row.spoken()));
            if response.clicked() || response.gained_focus() {
                list.chosen = Some(run.folder.clone());
            }
            if response.clicked() {
                response.request_focus();
            }
            if response.has_focus() {
                let arrows = EventFilter { vertical_arrows: true, ..EventFilter::default() };
                ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
                let pressed = |key| ui.input(|input| input.key_pressed(key));
                if pressed(Key::Enter) {
                    acts.push(Act::OpenRun(run.folder.clone()));
                } else if pressed(Key::Delete) && run.standing != Standing::Recording {
                    doomed = Some(run.folder.clone());
                }
            }
            if response.double_clicked() {
                acts.push(Act::OpenRun(run.folder.clone()));
            }
            paint(&row, run, rect, unit, chosen, &response, ui, style);
            if response.hovered() {
                response.on_hover_text(run.folder.display().to_string());
            }
        }
    });
    list.scrolled = shown.state.clamped_offset().y;
    doomed
}

/// The titles of the columns; each one sorts by itself, a second time the other way round.
fn titles(list: &mut RunTable, unit: f32, ui: &mut Ui, style: &Style) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let mut x = rect.left();
    for column in Column::ALL {
        let width = unit * column.share();
        let cell = Rect::from_min_size(pos2(x, rect.top()), vec2(width, ROW));
        x += width;
        let response = ui.interact(cell, ui.scope_id().with(("sort", column.title())), Sense::click());
        let sorted = list.sort == column;
        let help = format!("Sort by {}", column.title());
        response.widget_info(|| WidgetInfo::selected(Role::ColumnHeader, true, sorted, &help));
        if response.clicked() {
            // Names from a to z first, all else from the largest down.
            let names = matches!(column, Column::Lab | Column::Name | Column::Data);
            list.ascending = if sorted { !list.ascending } else { names };
            list.sort = column;
        }
        let color = if sorted || response.hovered() || response.has_focus() { style.text } else { style.text_weak };
        let mut text = column.title().to_owned();
        if sorted {
            text += if list.ascending { " ↑" } else { " ↓" };
        }
        cell_text(ui, cell, &text, color, TextStyle::Small.resolve(ui.style()));
        response.on_hover_text(help);
    }
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, egui::Stroke::new(1.0, style.rule));
}

/// A text in its cell, cut where the cell ends.
fn cell_text(ui: &Ui, cell: Rect, text: &str, color: Color32, font: FontId) {
    let room = cell.with_max_x(cell.right() - 8.0);
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(room.width().max(1.0));
    let galley = ui.painter().layout_job(job);
    let at = Align2::LEFT_CENTER.anchor_size(pos2(room.left() + 4.0, room.center().y), galley.size()).min;
    ui.painter().with_clip_rect(cell.intersect(ui.clip_rect())).galley(at, galley, color);
}

#[expect(clippy::too_many_arguments, reason = "one row of a table, painted")]
fn paint(
    row: &Row,
    run: &Recorded,
    rect: Rect,
    unit: f32,
    chosen: bool,
    response: &egui::Response,
    ui: &Ui,
    style: &Style,
) {
    if !ui.is_rect_visible(rect) {
        return;
    }
    if chosen || response.hovered() {
        let visuals = ui.visuals();
        let fill = if chosen { visuals.selection.bg_fill } else { visuals.widgets.hovered.weak_bg_fill };
        ui.painter().rect_filled(rect, 4.0, fill);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, 4.0, egui::Stroke::new(1.0, style.accent), egui::StrokeKind::Inside);
    }
    let body = TextStyle::Body.resolve(ui.style());
    let mono = FontId::monospace(0.93 * body.size);
    let mut x = rect.left();
    for (column, text) in Column::ALL.iter().zip(&row.texts) {
        let cell = Rect::from_min_size(pos2(x, rect.top()), vec2(unit * column.share(), ROW));
        x += cell.width();
        let color = match column {
            Column::State => state_color(run.standing, style),
            Column::Data | Column::When => style.text_weak,
            Column::Numbers if run.header.is_none() => style.error,
            _ => style.text,
        };
        let font = match column {
            Column::When | Column::Length | Column::Numbers if run.header.is_some() => mono.clone(),
            _ => body.clone(),
        };
        cell_text(ui, cell, text, color, font);
    }
}

pub fn state_color(standing: Standing, style: &Style) -> Color32 {
    match standing {
        Standing::Recording => style.live,
        Standing::Finished => style.good,
        Standing::Stopped => style.text,
        Standing::CutShort => style.warning,
        Standing::Failed | Standing::Damaged => style.error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::RunHeader;

    fn run(name: &str, started: &str, step: u64) -> Arc<Recorded> {
        let header = RunHeader {
            lab: "toy".into(),
            name: name.into(),
            started: started.into(),
            steps: 10,
            data: "/home/me/my data: 40 images".into(),
            ..RunHeader::default()
        };
        Arc::new(Recorded {
            folder: format!("/runs/{name}").into(),
            header: Some(header),
            standing: if step == 10 { Standing::Finished } else { Standing::CutShort },
            problem: String::new(),
            step,
            seconds: None,
            checkpoint: None,
            bytes: 0,
            last: vec![("loss".into(), step, 1.0 / step as f64)],
        })
    }

    #[test]
    fn the_table_is_sorted_and_filtered_by_any_column() {
        let runs = vec![run("b", "2026-01-02", 3), run("c", "2026-01-02", 10), run("a", "2026-01-01", 5)];
        let listing = Arc::new(Listing { runs, ..Listing::default() });
        let mut list = RunTable::default();
        let mut names = |sort, ascending, filter: &str| {
            (list.sort, list.ascending, list.filter) = (sort, ascending, filter.to_owned());
            list.sort(&listing, |id| id.to_owned());
            list.order.iter().map(|index| listing.runs[*index].folder.display().to_string()).collect::<String>()
        };
        assert_eq!(names(Column::When, false, ""), "/runs/b/runs/c/runs/a", "the newest first");
        assert_eq!(names(Column::Name, true, ""), "/runs/a/runs/b/runs/c");
        assert_eq!(names(Column::Length, false, ""), "/runs/c/runs/a/runs/b");
        assert_eq!(names(Column::Numbers, true, ""), "/runs/c/runs/a/runs/b");
        assert_eq!(names(Column::Name, true, "CUT toy"), "/runs/a/runs/b");
        assert_eq!(names(Column::Name, true, "my data images"), "/runs/a/runs/b/runs/c");
        assert_eq!(names(Column::Name, true, "nothing like it"), "");
    }

    #[test]
    fn a_row_says_it_in_few_words() {
        let row = Row::of(&run("a\nb", "2026-11-28T13:59:30Z", 5), |id| id.to_owned());
        assert_eq!(row.texts[..4], ["toy", "a b", "2026-11-28 13:59", "5 of 10 steps"]);
        assert_eq!(row.texts[5..], ["my data: 40 images", "loss 0.200"]);
        assert_eq!(short_data("generated"), "generated");
    }
}
