//! The list of recorded runs (Ctrl+R): a table to sort and filter, and what can be done with the chosen run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::{
    self, Align, Align2, Color32, EventFilter, FontId, Id, Key, Label, Layout, Modifiers, Rect, RichText, Role,
    ScrollArea, Sense, TextEdit, TextStyle, Ui, WidgetInfo, pos2, vec2,
};

use super::widgets::labelled_button;
use super::{App, theme};
use crate::engine::catalogue::{Listing, Recorded, Standing};
use crate::plot::number;
use crate::plot::style::Style;

/// Height of a row in points.
const ROW: f32 = 24.0;
/// Room below the table for what is known of the chosen run, and for the buttons.
const DETAIL: f32 = 148.0;
/// Headline numbers in a row; the detail shows all.
const NUMBERS: usize = 3;

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

/// State of the list.
#[derive(Debug, Default)]
pub struct RunList {
    open: bool,
    /// Just opened: the filter gets the keyboard.
    fresh: bool,
    filter: String,
    sort: Column,
    /// Else from the largest down, the newest first.
    ascending: bool,
    chosen: Option<PathBuf>,
    /// A run that is to be deleted, once the user has said so.
    doomed: Option<PathBuf>,
    /// Rows in the order of the table, and what they were sorted from.
    order: Vec<usize>,
    sorted: Option<(Arc<Listing>, String, Column, bool)>,
    scrolled: f32,
}

/// What the user asked for.
enum Wish {
    Open(PathBuf),
    GoOn(PathBuf),
    ShowFolder(PathBuf),
    CopyPath(PathBuf),
    Delete(PathBuf),
}

impl App {
    pub(super) fn toggle_runs(&mut self) {
        self.run_list.open ^= true;
        self.run_list.fresh = self.run_list.open;
        self.reopen.catalogue.refresh();
    }

    pub(super) fn runs_open(&self) -> bool {
        self.run_list.open
    }

    /// The title of a lab by its id; the id where this version does not have it.
    fn lab_title<'a>(&self, id: &'a str) -> &'a str {
        let specs = self.sessions.iter().map(|session| session.lab.spec);
        specs.into_iter().find(|spec| spec.id == id).map_or(id, |spec| spec.title)
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

fn length(run: &Recorded) -> String {
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
fn data_of(run: &Recorded) -> &str {
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

impl RunList {
    /// Sorts and filters again, where something has changed.
    fn sort(&mut self, listing: &Arc<Listing>, title: impl Fn(&str) -> String) {
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

/// Draws the list, if it is open, and the question before a run is deleted.
pub fn show(app: &mut App, ctx: &egui::Context) {
    if !app.run_list.open {
        return;
    }
    let style = app.style.clone();
    let mut list = std::mem::take(&mut app.run_list);
    let listing = app.reopen.catalogue.listing().clone();
    list.sort(&listing, |id| app.lab_title(id).to_owned());
    let quiet = list.doomed.is_none() && !app.closing.asks() && !app.palette.open;
    let mut open = !(quiet && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)));
    let mut wish = None;
    let room = ctx.content_rect().size();
    let width = 1040.0_f32.min(room.x - 48.0);
    // Of the screen, not of the window: what depends on the window's height would make it grow.
    let height = (0.45 * room.y).min(room.y - DETAIL - 240.0).max(4.0 * ROW);
    egui::Window::new("Runs")
        .open(&mut open)
        .collapsible(false)
        .resizable([true, false])
        .title_frame(theme::window_title(&style))
        .default_width(width)
        .min_width(480.0_f32.min(width))
        .default_pos(ctx.content_rect().center() - vec2(width, height + DETAIL + 100.0) / 2.0)
        .show(ctx, |ui| {
            top(&mut list, &listing, app, ui);
            table(&mut list, &listing, app, height, ui, &style, &mut wish);
            detail(&mut list, &listing, app, ui, &style, &mut wish);
        });
    list.open = open;
    question(&mut list, app, ctx, &style);
    let closes = matches!(wish, Some(Wish::Open(_) | Wish::GoOn(_)));
    list.open &= !closes;
    app.run_list = list;
    match wish {
        None => {}
        Some(Wish::Open(folder)) => app.open_recorded(folder),
        Some(Wish::GoOn(folder)) => app.go_on_with(folder),
        Some(Wish::ShowFolder(folder)) => ctx.open_url(egui::OpenUrl::new_tab(file_url(&folder))),
        Some(Wish::CopyPath(folder)) => {
            ctx.copy_text(folder.display().to_string());
            app.notice(crate::engine::event::Level::Info, "the path was copied");
        }
        Some(Wish::Delete(folder)) => app.run_list.doomed = Some(folder),
    }
}

/// The filter, and how many runs there are.
fn top(list: &mut RunList, listing: &Listing, app: &App, ui: &mut Ui) {
    ui.horizontal(|ui| {
        let field =
            TextEdit::singleline(&mut list.filter).hint_text("filter: lab, name, state, data …").desired_width(260.0);
        let field = ui.add(field).accessible_name("Filter of the runs");
        if std::mem::take(&mut list.fresh) {
            field.request_focus();
        }
        let all = number::counted(listing.runs.len() as u64, "run", "runs");
        let mut text = match list.order.len() == listing.runs.len() {
            true => all,
            false => format!("{} of {all}", list.order.len()),
        };
        if listing.left_out > 0 {
            text += &format!("; {} older ones are not listed", number::grouped(listing.left_out as u64));
        }
        ui.label(RichText::new(text).weak());
        if let Some(busy) = app.reopen.busy {
            ui.label(busy);
        }
    });
    ui.add_space(4.0);
}

fn table(
    list: &mut RunList,
    listing: &Listing,
    app: &App,
    height: f32,
    ui: &mut Ui,
    style: &Style,
    wish: &mut Option<Wish>,
) {
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
        let text = match (&listing.problem, listing.runs.is_empty(), app.reopen.catalogue.is_read()) {
            (Some(problem), ..) => problem.clone(),
            (_, true, false) => "Looking for recorded runs…".to_owned(),
            (_, true, true) => format!(
                "No run is recorded in {} yet. Start one: it is listed here, can be shown again, and goes on after a stop.",
                app.runs_dir.display()
            ),
            (_, false, _) => "No run fits the filter.".to_owned(),
        };
        ui.add_space(8.0);
        ui.add(Label::new(RichText::new(text).weak()).wrap());
        return;
    }
    let id = Id::unique("list of runs");
    let row_id = |folder: &Path| id.with(folder);
    let at = |chosen: &Option<PathBuf>| {
        let chosen = chosen.as_ref()?;
        list.order.iter().position(|index| listing.runs[*index].folder == *chosen)
    };
    let focused = ui.memory(|memory| memory.focused());
    let mut scroll_to = None;
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
            let row = Row::of(run, |id| app.lab_title(id).to_owned());
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
                    *wish = Some(Wish::Open(run.folder.clone()));
                } else if pressed(Key::Delete) && run.standing != Standing::Recording {
                    *wish = Some(Wish::Delete(run.folder.clone()));
                }
            }
            if response.double_clicked() {
                *wish = Some(Wish::Open(run.folder.clone()));
            }
            paint(&row, run, rect, unit, chosen, &response, ui, style);
            if response.hovered() {
                response.on_hover_text(run.folder.display().to_string());
            }
        }
    });
    list.scrolled = shown.state.clamped_offset().y;
}

/// The titles of the columns; each one sorts by itself, a second time the other way round.
fn titles(list: &mut RunList, unit: f32, ui: &mut Ui, style: &Style) {
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

fn state_color(standing: Standing, style: &Style) -> Color32 {
    match standing {
        Standing::Recording => style.live,
        Standing::Finished => style.good,
        Standing::Stopped => style.text,
        Standing::CutShort => style.warning,
        Standing::Failed | Standing::Damaged => style.error,
    }
}

/// What is known of the chosen run, and what can be done with it.
fn detail(list: &mut RunList, listing: &Listing, app: &App, ui: &mut Ui, style: &Style, wish: &mut Option<Wish>) {
    ui.spacing_mut().item_spacing.y = 4.0;
    ui.separator();
    // As much room without a chosen run, so that the window keeps its size.
    let size = vec2(ui.available_width(), DETAIL);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(rect));
    let ui = &mut ui;
    let run = list.chosen.as_ref().and_then(|folder| listing.runs.iter().find(|run| run.folder == *folder));
    let Some(run) = run else {
        let hint =
            "Choose a run: Enter or a double click shows it again. A run folder can be dropped on the window, too.";
        ui.label(RichText::new(hint).weak());
        return;
    };
    ui.with_layout(Layout::bottom_up(Align::Min), |ui| {
        ui.horizontal(|ui| buttons(run, ui, style, wish));
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            let weak =
                |text: String| Label::new(RichText::new(text).color(style.text_weak)).truncate().selectable(true);
            if let Some(header) = &run.header {
                let title = format!("{} · {}", app.lab_title(&header.lab), header.name);
                let said = format!("{}, {}", run.standing.word(), length(run));
                ui.horizontal(|ui| {
                    ui.label(theme::strong(title));
                    ui.label(RichText::new(said).color(state_color(run.standing, style)));
                });
                let data = data_of(run);
                let mib = run.bytes as f64 / f64::from(1 << 20);
                let about =
                    format!("seed {} · {} · {} MiB · data: {data}", header.seed, header.device, number::short(mib));
                ui.add(weak(about));
                let numbers: Vec<String> =
                    run.last.iter().map(|(key, _, value)| format!("{key} {}", number::short(*value))).collect();
                if !numbers.is_empty() {
                    ui.add(weak(numbers.join("  ")));
                }
            } else {
                ui.label(theme::strong(run.folder.file_name().unwrap_or_default().to_string_lossy()));
            }
            if !run.problem.is_empty() {
                let problem = RichText::new(&run.problem).color(style.error);
                ui.add(Label::new(problem).truncate().selectable(true)).on_hover_text(&run.problem);
            }
            ui.add(weak(run.folder.display().to_string()));
        });
    });
}

fn buttons(run: &Recorded, ui: &mut Ui, style: &Style, wish: &mut Option<Wish>) {
    let mut button = |label: &str, accent: bool, enabled: bool, help: &str, asks: fn(PathBuf) -> Wish| {
        let shown = ui.add_enabled_ui(enabled, |ui| labelled_button(ui, None, label, accent, style)).inner;
        if shown.on_hover_text(help).on_disabled_hover_text(help).clicked() {
            *wish = Some(asks(run.folder.clone()));
        }
    };
    let readable = run.header.is_some();
    button("Open", readable, readable, "Show the run as it was recorded", Wish::Open);
    let why = match run.standing {
        Standing::Finished => "It has done all its steps; `learnscope resume RUN --steps N` goes on further",
        Standing::Recording => "It is being recorded now",
        Standing::Damaged => "It cannot be read",
        _ if run.checkpoint.is_none() => "Start it again from its first step: it has no checkpoint",
        _ => "Go on from its newest checkpoint, in the same folder, to the same numbers as without the break",
    };
    button("Go on", false, run.may_go_on(), why, Wish::GoOn);
    button("Show folder", false, true, "In the system's file manager", Wish::ShowFolder);
    button("Copy path", false, true, "The path of its folder", Wish::CopyPath);
    let why = match run.standing {
        Standing::Recording => "A run that is being recorded is not deleted: stop it first",
        _ => "Delete its folder with its checkpoints, after a question",
    };
    button("Delete…", false, run.standing != Standing::Recording, why, Wish::Delete);
}

/// Asks before a run is deleted.
fn question(list: &mut RunList, app: &mut App, ctx: &egui::Context, style: &Style) {
    let Some(folder) = list.doomed.clone() else { return };
    let mut keep = ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
    let mut delete = false;
    let width = 440.0_f32.min(ctx.content_rect().width() - 48.0).max(120.0);
    let modal = egui::Modal::new(Id::unique("delete a run"))
        .frame(egui::Frame::window(&ctx.global_style()).inner_margin(16))
        .backdrop_color(Color32::from_black_alpha(70));
    modal.show(ctx, |ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing.y = 8.0;
        ui.label(theme::strong("Delete this run?").size(15.0));
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        ui.add(Label::new(name).wrap());
        let detail =
            "Its recording and its checkpoints are gone then. Anything else in the folder keeps it from being deleted.";
        ui.add(Label::new(RichText::new(detail).color(style.text_weak)).wrap());
        ui.add_space(4.0);
        ui.horizontal_wrapped(|ui| {
            let cancel = labelled_button(ui, None, "Keep it", true, style);
            if ui.memory(|memory| memory.focused()).is_none_or(|id| id == Id::unique("list of runs").with(&folder)) {
                cancel.request_focus();
            }
            keep |= cancel.clicked();
            delete = labelled_button(ui, None, "Delete the run", false, style).clicked();
        });
    });
    if keep || delete {
        list.doomed = None;
    }
    if delete {
        app.delete_recorded(folder);
    }
}

/// The address of a folder for the system's file manager.
fn file_url(folder: &Path) -> String {
    let path = folder.to_string_lossy().replace('\\', "/");
    let mut url = format!("file://{}", if path.starts_with('/') { "" } else { "/" });
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' | b':' => {
                url.push(char::from(byte))
            }
            _ => url += &format!("%{byte:02X}"),
        }
    }
    url
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
        let mut list = RunList::default();
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
        assert_eq!(file_url(Path::new("/a b/ü")), "file:///a%20b/%C3%BC");
    }
}
