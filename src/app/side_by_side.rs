//! The numbers of the current run, its twin and the pinned runs side by side: in which parameters they differ, and where their headline
//! numbers stand.

use std::sync::Arc;

use eframe::egui::{self, Align, ComboBox, Grid, Layout, RichText, ScrollArea, Sense, Ui, pos2, vec2};

use super::act::Act;
use super::session::Session;
use super::state::State;
use super::theme;
use super::widgets::{labelled_button, swatch};
use crate::engine::event::RunId;
use crate::engine::params::{ParamSpec, Params, Value};
use crate::engine::state::RunState;
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
    /// What was drawn last.
    made: Option<Made>,
}

/// A table ready to be drawn, and what it is of.
#[derive(Debug)]
struct Made {
    lab: &'static str,
    pinned: Arc<Pinned>,
    run: Stand,
    sort: Option<(usize, bool)>,
    table: Table,
    /// By row: the seed and the cells as they are shown.
    shown: Vec<Vec<String>>,
    /// Parameters in which the pinned runs differ.
    differ: Vec<&'static ParamSpec>,
}

/// How far a run is, as far as the table tells it.
#[derive(Debug, PartialEq)]
struct Stand {
    id: Option<RunId>,
    name: String,
    folder: String,
    /// The bits of the newest value of every scalar.
    newest: Vec<Option<u64>>,
    params: Params,
    twin: Option<Params>,
}

impl Stand {
    fn of(run: &RunState) -> Self {
        let (name, folder) = run.header.as_ref().map(|header| (header.name.clone(), header.folder.clone())).unzip();
        Self {
            id: run.id,
            name: name.unwrap_or_default(),
            folder: folder.unwrap_or_default(),
            newest: run.scalars.values().map(|history| history.last().map(|(_, value)| value.to_bits())).collect(),
            params: run.params.clone(),
            twin: run.twin.clone(),
        }
    }
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
    pub seed: u64,
    /// One for each head.
    pub cells: Vec<Cell>,
    /// Index of the pinned run; `None`: it is not pinned.
    pub pinned: Option<usize>,
    /// It is the run that is shown, or its twin.
    pub current: bool,
}

/// What stands in a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// The run has none.
    Nothing,
    /// A parameter.
    Set(Value),
    /// The last value that was measured of a key.
    Measured(f64),
}

impl Cell {
    /// As it is shown.
    fn text(&self) -> String {
        match self {
            Cell::Nothing => "—".to_owned(),
            Cell::Set(value) => value_text(value),
            Cell::Measured(value) => number::short(*value),
        }
    }

    /// With as many digits as give the same bits back.
    fn csv(&self) -> String {
        match self {
            Cell::Nothing => String::new(),
            Cell::Set(value) => value.to_string(),
            Cell::Measured(value) => format!("{value:?}"),
        }
    }

    /// By what it sorts, where it is a number.
    fn number(&self) -> Option<f64> {
        match self {
            Cell::Set(Value::Float(value)) | Cell::Measured(value) => Some(*value),
            Cell::Set(Value::Int(value)) => Some(*value as f64),
            _ => None,
        }
    }
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
    current: bool,
}

impl Table {
    /// Of the run that is shown, its twin, and the pinned runs of the same lab. The shown run has one row, pinned or not.
    pub fn of(session: &Session, pinned: &Pinned) -> Self {
        let (lab, run) = (session.lab.spec, &session.run);
        let mut all: Vec<Shown<'_>> = Vec::new();
        let own = pinned.runs.iter().position(|pinned| pinned.is_of(run));
        if let Some(header) = &run.header {
            let keys = run.scalars.keys().map(|key| &**key).filter(|key| !key.starts_with(TWIN)).collect();
            let (seed, name) = (header.seed, format!("{} (shown)", header.name));
            let last: Last<'_> = Box::new(|key| run.last(key));
            all.push(Shown { name, seed, params: &run.params, last, keys, pinned: own, current: true });
            if let Some(params) = &run.twin {
                let last: Last<'_> = Box::new(|key| run.last(&format!("{TWIN}{key}")));
                let (name, keys) = ("its twin".to_owned(), Vec::new());
                all.push(Shown { name, seed, params, last, keys, pinned: None, current: true });
            }
        }
        for (at, pinned) in pinned.runs.iter().enumerate().filter(|(at, _)| own != Some(*at)) {
            let numbers = &pinned.numbers;
            let keys = numbers.last.keys().map(String::as_str).collect();
            let last: Last<'_> = Box::new(|key| numbers.last.get(key).copied());
            let (name, seed) = (numbers.header.name.clone(), numbers.header.seed);
            all.push(Shown {
                name,
                seed,
                params: &numbers.header.params,
                last,
                keys,
                pinned: Some(at),
                current: false,
            });
        }
        let differ = differing(lab.params, all.iter().map(|shown| shown.params));
        let keys = keys(lab.headline, &all);
        let title = |spec: &&ParamSpec| spec.label.to_owned();
        let heads = differ.iter().map(title).chain(keys.iter().map(|key| (*key).to_owned())).collect();
        let row = |shown: &Shown<'_>| {
            let set = |spec: &&'static ParamSpec| shown.params.get(spec.key).cloned().map_or(Cell::Nothing, Cell::Set);
            let last = |key: &&str| (shown.last)(key).map_or(Cell::Nothing, Cell::Measured);
            Row {
                name: shown.name.clone(),
                seed: shown.seed,
                cells: differ.iter().map(set).chain(keys.iter().map(last)).collect(),
                pinned: shown.pinned,
                current: shown.current,
            }
        };
        Self { heads, rows: all.iter().map(row).collect() }
    }

    /// Sorted by a column: numbers, then texts, then rows that have neither.
    pub fn sort(&mut self, column: usize, down: bool) {
        self.rows.sort_by(|a, b| {
            let (Some(a), Some(b)) = (a.cells.get(column), b.cells.get(column)) else {
                return std::cmp::Ordering::Equal;
            };
            let order = match (a.number(), b.number()) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                (Some(_), None) => return std::cmp::Ordering::Less,
                (None, Some(_)) => return std::cmp::Ordering::Greater,
                (None, None) => match (a, b) {
                    (Cell::Set(a), Cell::Set(b)) => a.to_string().cmp(&b.to_string()),
                    (a, b) => return (*a == Cell::Nothing).cmp(&(*b == Cell::Nothing)),
                },
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
            let line = [row.name.clone(), row.seed.to_string()].into_iter().chain(row.cells.iter().map(Cell::csv));
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

/// The table of what is shown now, in its order: made anew only where something of it is new.
fn made<'a>(window: &'a mut SideBySide, session: &Session, pinned: &Arc<Pinned>) -> &'a Made {
    let (lab, run) = (session.lab.spec, Stand::of(&session.run));
    let same = window.made.take().filter(|made| {
        made.lab == lab.id && Arc::ptr_eq(&made.pinned, pinned) && made.run == run && made.sort == window.sort
    });
    window.made.insert(same.unwrap_or_else(|| {
        let mut table = Table::of(session, pinned);
        if let Some((column, down)) = window.sort {
            table.sort(column, down);
        }
        let texts = |row: &Row| std::iter::once(row.seed.to_string()).chain(row.cells.iter().map(Cell::text)).collect();
        Made {
            lab: lab.id,
            run,
            sort: window.sort,
            shown: table.rows.iter().map(texts).collect(),
            differ: differing(lab.params, pinned.runs.iter().map(|run| &run.numbers.header.params)),
            pinned: pinned.clone(),
            table,
        }
    }))
}

fn content(
    window: &mut SideBySide,
    session: &Session,
    pinned: &Arc<Pinned>,
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
    let made = made(window, session, pinned);
    let table = &made.table;
    ui.horizontal_wrapped(|ui| {
        by(pinned, &made.differ, ui, acts);
        if labelled_button(ui, None, "Save as CSV", false, style).clicked() {
            acts.push(Act::SaveText { name: format!("{}-runs.csv", session.lab.spec.id), text: table.csv() });
        }
        if !pinned.runs.is_empty() && labelled_button(ui, None, "Unpin all", false, style).clicked() {
            let folders = pinned.runs.iter().map(|run| run.numbers.folder.clone());
            acts.extend(folders.map(|folder| Act::Pin { folder, on: false }));
        }
    });
    ui.add_space(6.0);
    let mut sort = made.sort;
    ScrollArea::both().auto_shrink([false; 2]).show(ui, |ui| {
        Grid::new("runs side by side").striped(true).spacing(vec2(16.0, 6.0)).show(ui, |ui| {
            for head in ["", "run", "seed"] {
                ui.label(theme::strong(head));
            }
            for (column, head) in table.heads.iter().enumerate() {
                let sorted = made.sort.filter(|(by, _)| *by == column);
                let arrow = sorted.map_or("", |(_, down)| if down { " ↓" } else { " ↑" });
                let label = egui::Label::new(theme::strong(format!("{head}{arrow}"))).sense(Sense::click());
                if ui.add(label).on_hover_text(format!("Sort by {head}")).clicked() {
                    sort = Some((column, sorted.is_some_and(|(_, down)| !down)));
                }
            }
            ui.end_row();
            for (row, texts) in table.rows.iter().zip(&made.shown) {
                line(row, texts, pinned, ui, acts);
                ui.end_row();
            }
        });
    });
    window.sort = sort;
}

/// Which of these parameters colours them.
fn by(pinned: &Pinned, differ: &[&'static ParamSpec], ui: &mut Ui, acts: &mut Vec<Act>) {
    let Some(by) = pinned.by else { return };
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

fn line(row: &Row, texts: &[String], pinned: &Pinned, ui: &mut Ui, acts: &mut Vec<Act>) {
    let run = row.pinned.and_then(|at| pinned.runs.get(at));
    ui.horizontal(|ui| match run {
        Some(run) => {
            // The shown run has the colours of its own curves.
            if !row.current {
                swatch(ui, Category { color: run.color, dash: Dash::Solid });
            }
            let help = "Its curves are not drawn any more behind another run's";
            if ui.small_button("unpin").on_hover_text(help).clicked() {
                acts.push(Act::Pin { folder: run.numbers.folder.clone(), on: false });
            }
        }
        None => {
            ui.label("");
        }
    });
    match run.filter(|_| !row.current) {
        Some(run) => {
            let link = ui.link(&row.name).on_hover_ui(|ui| {
                ui.label(format!("Show this run\n{}", run.numbers.folder.display()));
            });
            if link.clicked() {
                acts.push(Act::OpenRun(run.numbers.folder.clone()));
            }
        }
        None => {
            ui.label(theme::strong(row.name.as_str()));
        }
    }
    for text in texts {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(RichText::new(text).monospace()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, value: Option<f64>) -> Row {
        let cells = vec![Cell::Set(Value::Switch(true)), value.map_or(Cell::Nothing, Cell::Measured)];
        Row { name: name.into(), seed: 7, cells, pinned: None, current: false }
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

    #[test]
    fn parameters_keep_their_numbers_and_texts_stay_texts() {
        let values =
            [Value::Float(1e-7 / 3.0), Value::Int(12_345_678), Value::Text("10".into()), Value::Text("9".into())];
        let row = |value: Value| Row {
            name: value.to_string(),
            seed: 1,
            cells: vec![Cell::Set(value)],
            pinned: None,
            current: false,
        };
        let mut table = Table { heads: vec!["p".into()], rows: values.map(row).into() };
        table.sort(0, false);
        let names = || table.rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
        assert_eq!(names()[..2], [format!("{:?}", 1e-7 / 3.0), "12345678".to_owned()]);
        assert_eq!(names()[2..], ["10", "9"], "a text is no number, whatever it looks like");
        let csv = table.csv();
        let cells: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
        assert_eq!(cells[0].parse::<f64>().unwrap(), 1e-7 / 3.0, "every digit");
        assert_eq!(cells[1..], ["12345678", "10", "9"], "neither 12345678.0 nor 10.0");
    }
}
