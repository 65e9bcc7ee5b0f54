//! The numbers of the current run, its twin and the pinned runs side by side: in which parameters they differ, and where their headline
//! numbers stand.

use eframe::egui::{self, Align, ComboBox, Grid, Layout, RichText, ScrollArea, Sense, Ui, pos2, vec2};

use super::act::Act;
use super::session::Session;
use super::state::State;
use super::theme;
use super::widgets::{labelled_button, swatch};
use crate::engine::params::{ParamSpec, Params};
use crate::engine::twin::TWIN;
use crate::kit::pinned::{Pinned, differing, value_text};
use crate::kit::view::PastPayloads;
use crate::plot::number;
use crate::plot::style::{Category, Dash, Style};

/// Numbers that are shown where a lab's headline has none of them.
const AT_LEAST: usize = 6;

/// State of the window.
#[derive(Debug, Default)]
pub struct SideBySide {
    pub open: bool,
    /// The column that sorts, and whether from the largest down.
    sort: Option<(usize, bool)>,
}

/// The table: a run a row.
#[derive(Debug, Default, PartialEq)]
pub struct Table {
    /// After `run` and `seed`.
    pub heads: Vec<String>,
    pub rows: Vec<Row>,
}

#[derive(Debug, PartialEq)]
pub struct Row {
    pub name: String,
    pub seed: String,
    /// What is shown of each column, and by what it sorts, where it is a number.
    pub cells: Vec<(String, Option<f64>)>,
    /// Index of the pinned run; `None`: the current one or its twin.
    pub pinned: Option<usize>,
}

/// The last value of a key.
type Last<'a> = Box<dyn Fn(&str) -> Option<f64> + 'a>;

/// One run that stands in the table.
struct Shown<'a> {
    name: String,
    seed: u64,
    params: &'a Params,
    last: Last<'a>,
    keys: Vec<&'a str>,
    pinned: Option<usize>,
}

impl Table {
    /// Of the run that is shown, its twin, and the pinned runs of the same lab.
    pub fn of(session: &Session, pinned: &Pinned) -> Self {
        let (lab, run) = (session.lab.spec, &session.run);
        let mut all: Vec<Shown<'_>> = Vec::new();
        if let Some(header) = &run.header {
            let keys = run.scalars.keys().map(|key| &**key).filter(|key| !key.starts_with(TWIN));
            let (seed, name) = (header.seed, format!("{} (shown)", header.name));
            let last: Last<'_> = Box::new(|key| run.last(key));
            all.push(Shown { name, seed, params: &run.params, last, keys: keys.collect(), pinned: None });
            if let Some(params) = &run.twin {
                let last: Last<'_> = Box::new(|key| run.last(&format!("{TWIN}{key}")));
                all.push(Shown { name: "its twin".to_owned(), seed, params, last, keys: Vec::new(), pinned: None });
            }
        }
        for (at, pinned) in pinned.runs.iter().enumerate() {
            let numbers = &pinned.numbers;
            let keys = numbers.last.keys().map(String::as_str).collect();
            let last: Last<'_> = Box::new(|key| numbers.last.get(key).copied());
            let (name, seed) = (numbers.header.name.clone(), numbers.header.seed);
            all.push(Shown { name, seed, params: &numbers.header.params, last, keys, pinned: Some(at) });
        }
        let differ = differing(lab.params, all.iter().map(|shown| shown.params));
        let keys = keys(lab.headline, &all);
        let title = |spec: &&ParamSpec| spec.label.to_owned();
        let heads = differ.iter().map(title).chain(keys.iter().map(|key| (*key).to_owned())).collect();
        let row = |shown: &Shown<'_>| {
            let value = |spec: &&'static ParamSpec| {
                let value = shown.params.get(spec.key);
                let text = value.map_or_else(|| "—".to_owned(), value_text);
                let number = text.parse().ok();
                (text, number)
            };
            let last = |key: &&str| {
                let value = (shown.last)(key);
                (value.map_or_else(|| "—".to_owned(), number::short), value)
            };
            Row {
                name: shown.name.clone(),
                seed: shown.seed.to_string(),
                cells: differ.iter().map(value).chain(keys.iter().map(last)).collect(),
                pinned: shown.pinned,
            }
        };
        Self { heads, rows: all.iter().map(row).collect() }
    }

    /// Sorted by a column; rows without a number last.
    pub fn sort(&mut self, column: usize, down: bool) {
        self.rows.sort_by(|a, b| {
            let (Some((a, of_a)), Some((b, of_b))) = (a.cells.get(column), b.cells.get(column)) else {
                return std::cmp::Ordering::Equal;
            };
            let order = match (of_a, of_b) {
                (Some(a), Some(b)) => a.total_cmp(b),
                (Some(_), None) => return std::cmp::Ordering::Less,
                (None, Some(_)) => return std::cmp::Ordering::Greater,
                (None, None) => a.cmp(b),
            };
            if down { order.reverse() } else { order }
        });
    }

    /// Comma-separated; numbers with as many digits as give the same bits back.
    pub fn csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let heads = ["run", "seed"].into_iter().chain(self.heads.iter().map(String::as_str));
        // Writing to memory cannot fail.
        let _ = writer.write_record(heads);
        for row in &self.rows {
            let cell = |(text, number): &(String, Option<f64>)| match number {
                Some(value) => format!("{value:?}"),
                None if text == "—" => String::new(),
                None => text.clone(),
            };
            let line = [row.name.clone(), row.seed.clone()].into_iter().chain(row.cells.iter().map(cell));
            let _ = writer.write_record(line);
        }
        writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

/// The lab's headline numbers as far as a run has them, families spelt out; else its first ones.
fn keys<'a>(headline: &[&'static str], all: &[Shown<'a>]) -> Vec<&'a str> {
    let mut known: Vec<&str> = all.iter().flat_map(|shown| shown.keys.iter().copied()).collect();
    known.sort_unstable();
    known.dedup();
    let mut found: Vec<&str> = Vec::new();
    for wanted in headline {
        let matches = |key: &str| wanted.strip_suffix('*').map_or(key == *wanted, |family| key.starts_with(family));
        found.extend(known.iter().copied().filter(|key| matches(key)));
    }
    if found.is_empty() { known.into_iter().take(AT_LEAST).collect() } else { found }
}

/// Draws the window, if it is open.
pub fn show(window: &mut SideBySide, state: &State, settled: bool, ctx: &egui::Context, acts: &mut Vec<Act>) {
    if !window.open {
        return;
    }
    let Some(session) = state.front() else { return };
    let pinned = session.past.view(&session.run).pinned();
    let style = &state.style;
    let mut open = true;
    let room = ctx.content_rect().size();
    egui::Window::new("Runs side by side")
        .id(egui::Id::unique("Runs side by side"))
        .open(&mut open)
        .title_frame(theme::window_title(style))
        .default_pos(pos2(0.14 * room.x, 0.2 * room.y))
        .default_size(vec2(0.7 * room.x, 0.4 * room.y))
        .min_width(360.0)
        .show(ctx, |ui| content(window, session, &pinned, settled, ui, style, acts));
    window.open = open;
}

fn content(
    window: &mut SideBySide,
    session: &Session,
    pinned: &Pinned,
    settled: bool,
    ui: &mut Ui,
    style: &Style,
    acts: &mut Vec<Act>,
) {
    if pinned.runs.is_empty() {
        let text = if settled {
            "No run of this lab is pinned. Pin some in the list of runs (Ctrl+R), or those of a sweep in its window: their curves lie \
             behind the current run's, and their numbers stand here."
        } else {
            "Reading the pinned runs…"
        };
        ui.label(RichText::new(text).weak());
    }
    let mut table = Table::of(session, pinned);
    if let Some((column, down)) = window.sort {
        table.sort(column, down);
    }
    ui.horizontal_wrapped(|ui| {
        by(session, pinned, ui, acts);
        if labelled_button(ui, None, "Save as CSV", false, style).clicked() {
            acts.push(Act::SaveText { name: format!("{}-runs.csv", session.lab.spec.id), text: table.csv() });
        }
        if !pinned.runs.is_empty() && labelled_button(ui, None, "Unpin all", false, style).clicked() {
            let folders = pinned.runs.iter().map(|run| run.numbers.folder.clone());
            acts.extend(folders.map(|folder| Act::Pin { folder, on: false }));
        }
    });
    ui.add_space(6.0);
    ScrollArea::both().auto_shrink([false; 2]).show(ui, |ui| {
        Grid::new("runs side by side").striped(true).spacing(vec2(16.0, 6.0)).show(ui, |ui| {
            for head in ["", "run", "seed"] {
                ui.label(theme::strong(head));
            }
            for (column, head) in table.heads.iter().enumerate() {
                let sorted = window.sort.filter(|(by, _)| *by == column);
                let arrow = sorted.map_or("", |(_, down)| if down { " ↓" } else { " ↑" });
                let label = egui::Label::new(theme::strong(format!("{head}{arrow}"))).sense(Sense::click());
                if ui.add(label).on_hover_text(format!("Sort by {head}")).clicked() {
                    window.sort = Some((column, sorted.is_some_and(|(_, down)| !down)));
                }
            }
            ui.end_row();
            for row in &table.rows {
                line(row, pinned, ui, acts);
                ui.end_row();
            }
        });
    });
}

/// Which parameter colours them.
fn by(session: &Session, pinned: &Pinned, ui: &mut Ui, acts: &mut Vec<Act>) {
    let Some(by) = pinned.by else { return };
    let differ = differing(session.lab.spec.params, pinned.runs.iter().map(|run| &run.numbers.header.params));
    ui.label("Coloured by");
    let combo = ComboBox::from_id_salt("pinned by").selected_text(by.label).show_ui(ui, |ui| {
        for spec in differ {
            if ui.selectable_label(spec.key == by.key, spec.label).on_hover_text(spec.help).clicked() {
                acts.push(Act::PinnedBy(spec.key.to_owned()));
            }
        }
    });
    combo.response.accessible_name("Coloured by");
}

fn line(row: &Row, pinned: &Pinned, ui: &mut Ui, acts: &mut Vec<Act>) {
    let run = row.pinned.and_then(|at| pinned.runs.get(at));
    ui.horizontal(|ui| match run {
        Some(run) => {
            swatch(ui, Category { color: run.color, dash: Dash::Solid });
            let help = "Its curves are not drawn any more";
            if ui.small_button("unpin").on_hover_text(help).clicked() {
                acts.push(Act::Pin { folder: run.numbers.folder.clone(), on: false });
            }
        }
        None => {
            ui.label("");
        }
    });
    match run {
        Some(run) => {
            let help = format!("Show this run\n{}", run.numbers.folder.display());
            if ui.link(&row.name).on_hover_text(help).clicked() {
                acts.push(Act::OpenRun(run.numbers.folder.clone()));
            }
        }
        None => {
            ui.label(theme::strong(row.name.as_str()));
        }
    }
    for text in std::iter::once(&row.seed).chain(row.cells.iter().map(|(text, _)| text)) {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(RichText::new(text).monospace()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, value: Option<f64>) -> Row {
        let text = value.map_or_else(|| "—".to_owned(), number::short);
        Row { name: name.into(), seed: "7".into(), cells: vec![("on".into(), None), (text, value)], pinned: None }
    }

    #[test]
    fn the_table_is_sorted_by_numbers_and_saved_with_every_digit() {
        let rows = vec![row("a, \"first\"", Some(0.1 + 0.2)), row("none", None), row("b", Some(-1.0))];
        let mut table = Table { heads: vec!["average".into(), "loss".into()], rows };
        table.sort(1, false);
        let names = |table: &Table| table.rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&table), ["b", "a, \"first\"", "none"]);
        table.sort(1, true);
        assert_eq!(names(&table), ["a, \"first\"", "b", "none"], "what has no number comes last");
        let csv = table.csv();
        assert_eq!(
            csv,
            "run,seed,average,loss\n\"a, \"\"first\"\"\",7,on,0.30000000000000004\nb,7,on,-1.0\nnone,7,on,\n"
        );
    }
}
