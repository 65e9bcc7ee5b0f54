//! The list of recorded runs (Ctrl+R): a table to sort and filter, and what can be done with the chosen run.

use std::path::{Path, PathBuf};

use eframe::egui::{self, Align, Color32, Key, Label, Layout, Modifiers, RichText, Sense, TextEdit, Ui, vec2};

use super::act::Act;
use super::reopen::Reopen;
use super::run_table::{self, ROW, RunTable, data_of, length, row_id, state_color};
use super::state::State;
use super::theme;
use super::widgets::labelled_button;
use crate::engine::catalogue::{Listing, Recorded, Standing};
use crate::plot::number;
use crate::plot::style::Style;

/// Room below the table for what is known of the chosen run, and for the buttons.
const DETAIL: f32 = 148.0;

/// State of the list.
#[derive(Debug, Default)]
pub struct RunList {
    pub open: bool,
    /// Just opened: the filter gets the keyboard.
    fresh: bool,
    table: RunTable,
    /// A run that is to be deleted, once the user has said so.
    doomed: Option<PathBuf>,
}

impl RunList {
    /// It asks whether a run is to be deleted.
    pub fn asks(&self) -> bool {
        self.open && self.doomed.is_some()
    }

    /// Shows the list, or hides it.
    pub fn toggle(&mut self) {
        self.open ^= true;
        self.fresh = self.open;
    }
}

/// Draws the list, if it is open, and the question before a run is deleted. `quiet`: nothing lies above it.
pub fn show(list: &mut RunList, state: &State, reopen: &Reopen, quiet: bool, ctx: &egui::Context, acts: &mut Vec<Act>) {
    if !list.open {
        return;
    }
    let style = &state.style;
    let listing = reopen.catalogue.listing();
    list.table.sort(listing, |id| state.title(id).to_owned());
    let quiet = quiet && list.doomed.is_none();
    let mut open = !(quiet && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)));
    let room = ctx.content_rect().size();
    let width = 1040.0_f32.min(room.x - 48.0);
    // Of the screen, not of the window: what depends on the window's height would make it grow.
    let height = (0.45 * room.y).min(room.y - DETAIL - 240.0).max(4.0 * ROW);
    egui::Window::new("Runs")
        .id(egui::Id::unique("Runs"))
        .open(&mut open)
        .collapsible(false)
        .resizable([true, false])
        .title_frame(theme::window_title(style))
        .default_width(width)
        .min_width(480.0_f32.min(width))
        .default_pos(ctx.content_rect().center() - vec2(width, height + DETAIL + 100.0) / 2.0)
        .show(ctx, |ui| {
            top(list, listing, reopen.busy, ui);
            let empty = nothing_in(list, listing, state, reopen);
            let doomed = run_table::show(&mut list.table, listing, &empty, state, height, ui, acts);
            list.doomed = doomed.or(list.doomed.take());
            detail(list, listing, state, ui, acts);
        });
    list.open &= open;
    question(list, ctx, style, acts);
}

/// What stands in the place of a table without rows.
fn nothing_in(list: &RunList, listing: &Listing, state: &State, reopen: &Reopen) -> String {
    match (&listing.problem, listing.runs.is_empty(), reopen.catalogue.is_read()) {
        _ if !list.table.order.is_empty() => String::new(),
        (Some(problem), ..) => problem.clone(),
        (_, true, false) => "Looking for recorded runs…".to_owned(),
        (_, true, true) => format!(
            "No run is recorded in {} yet. Start one: it is listed here, can be shown again, and goes on after a stop.",
            state.runs_dir.display()
        ),
        (_, false, _) => "No run fits the filter.".to_owned(),
    }
}

/// The filter, and how many runs there are.
fn top(list: &mut RunList, listing: &Listing, busy: Option<&str>, ui: &mut Ui) {
    ui.horizontal(|ui| {
        let field = TextEdit::singleline(&mut list.table.filter)
            .hint_text("filter: lab, name, state, data …")
            .desired_width(260.0);
        let field = ui.add(field).accessible_name("Filter of the runs");
        if std::mem::take(&mut list.fresh) {
            field.request_focus();
        }
        let all = number::counted(listing.runs.len() as u64, "run", "runs");
        let mut text = match list.table.order.len() == listing.runs.len() {
            true => all,
            false => format!("{} of {all}", list.table.order.len()),
        };
        if listing.left_out > 0 {
            text += &format!("; {} older ones are not listed", number::grouped(listing.left_out as u64));
        }
        ui.label(RichText::new(text).weak());
        if let Some(busy) = busy {
            ui.label(busy);
        }
    });
    ui.add_space(4.0);
}

/// What is known of the chosen run, and what can be done with it.
fn detail(list: &mut RunList, listing: &Listing, state: &State, ui: &mut Ui, acts: &mut Vec<Act>) {
    let style = &state.style;
    ui.spacing_mut().item_spacing.y = 4.0;
    ui.separator();
    // As much room without a chosen run, so that the window keeps its size.
    let size = vec2(ui.available_width(), DETAIL);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(rect));
    let ui = &mut ui;
    let run = list.table.chosen.as_ref().and_then(|folder| listing.runs.iter().find(|run| run.folder == *folder));
    let Some(run) = run else {
        let hint =
            "Choose a run: Enter or a double click shows it again. A run folder can be dropped on the window, too.";
        ui.label(RichText::new(hint).weak());
        return;
    };
    ui.with_layout(Layout::bottom_up(Align::Min), |ui| {
        let pinned = state.settings.pinned.contains(&run.folder);
        ui.horizontal(|ui| buttons(list, run, pinned, ui, style, acts));
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            let weak =
                |text: String| Label::new(RichText::new(text).color(style.text_weak)).truncate().selectable(true);
            if let Some(header) = &run.header {
                let title = format!("{} · {}", state.title(&header.lab), header.name);
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

fn buttons(list: &mut RunList, run: &Recorded, pinned: bool, ui: &mut Ui, style: &Style, acts: &mut Vec<Act>) {
    let mut clicked = |label: &str, accent: bool, enabled: bool, help: &str| {
        let shown = ui.add_enabled_ui(enabled, |ui| labelled_button(ui, None, label, accent, style)).inner;
        shown.on_hover_text(help).on_disabled_hover_text(help).clicked()
    };
    let folder = || run.folder.clone();
    let readable = run.header.is_some();
    if clicked("Open", readable, readable, "Show the run as it was recorded") {
        acts.push(Act::OpenRun(folder()));
    }
    let why = match run.standing {
        Standing::Finished => "It has done all its steps; `learnscope resume RUN --steps N` goes on further",
        Standing::Recording => "It is being recorded now",
        Standing::Damaged => "It cannot be read",
        _ if run.checkpoint.is_none() => "Start it again from its first step: it has no checkpoint",
        _ => "Go on from its newest checkpoint, in the same folder, to the same numbers as without the break",
    };
    if clicked("Go on", false, run.may_go_on(), why) {
        acts.push(Act::GoOn(folder()));
    }
    let (label, why) = match pinned {
        true => ("Unpin", "Its curves are not drawn behind the current run's any more"),
        false => ("Pin", "Draw its curves behind the current run's, in every tile of curves of its lab"),
    };
    if clicked(label, false, readable, why) {
        acts.push(Act::Pin { folder: folder(), on: !pinned });
    }
    if clicked("Show folder", false, true, "In the system's file manager") {
        acts.push(Act::ShowFolder(folder()));
    }
    if clicked("Copy path", false, true, "The path of its folder") {
        acts.push(Act::CopyPath(folder()));
    }
    let why = match run.standing {
        Standing::Recording => "A run that is being recorded is not deleted: stop it first",
        _ => "Delete its folder with its checkpoints, after a question",
    };
    if clicked("Delete…", false, run.standing != Standing::Recording, why) {
        list.doomed = Some(folder());
    }
}

/// Asks before a run is deleted.
fn question(list: &mut RunList, ctx: &egui::Context, style: &Style, acts: &mut Vec<Act>) {
    let Some(folder) = list.doomed.clone() else { return };
    let mut keep = ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
    let mut delete = false;
    let width = 440.0_f32.min(ctx.content_rect().width() - 48.0).max(120.0);
    let modal = egui::Modal::new(egui::Id::unique("delete a run"))
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
            if ui.memory(|memory| memory.focused()).is_none_or(|id| id == row_id(&folder)) {
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
        acts.push(Act::DeleteRun(folder));
    }
}

/// The address of a folder for the system's file manager.
pub fn file_url(folder: &Path) -> String {
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

    #[test]
    fn a_folder_has_an_address_whatever_its_name() {
        assert_eq!(file_url(Path::new("/a b/ü")), "file:///a%20b/%C3%BC");
    }
}
