//! The form, made from the lab's parameter list: grouped, aligned, every value with its range, unit and reset.

use std::path::Path;

use eframe::egui::{self, Align, Layout, RichText, Ui};

use super::form_row::Row;
use super::shell::Region;
use super::widgets::{Icon, icon_button};
use super::{App, theme};
use crate::engine::event::Change;
use crate::engine::params::{ParamKind, ParamSpec, Params, Value};
use crate::plot::number;
use crate::plot::style::Style;

/// What the user did in the form in one frame.
#[derive(Debug)]
pub enum Edit {
    Set(&'static str, Value, bool),
    Refuse(&'static str, String),
    Browse(&'static str),
    RemoveChange(usize),
    FromCursor(bool),
    Defaults,
}

pub fn show(app: &mut App, ui: &mut Ui) {
    let style = app.style.clone();
    let Some(session) = app.sessions.get(app.active) else { return };
    let focus = app.focus == Some(Region::Form);
    let spec = session.lab.spec;
    let params = session.effective();
    let playback = session.playback_rate().is_some();
    let mut edits = Vec::new();
    egui::ScrollArea::vertical().id_salt(("form", spec.id)).auto_shrink([false, false]).show(ui, |ui| {
        egui::Frame::new().inner_margin(egui::Margin { left: 12, right: 16, top: 12, bottom: 12 }).show(ui, |ui| {
            ui.set_width(ui.available_width());
            let mut group = "";
            let mut focus = focus;
            for parameter in spec.params.iter().filter(|parameter| params.shows(parameter)) {
                if parameter.group != group {
                    if !group.is_empty() {
                        ui.add_space(12.0);
                    }
                    group = parameter.group;
                    ui.label(theme::group_heading(group, &style));
                    ui.add_space(4.0);
                }
                let Some(value) = params.get(parameter.key) else { continue };
                let row = Row {
                    spec: parameter,
                    value,
                    style: &style,
                    swatch: session.view.swatch(parameter.key, &style),
                    error: session.errors.get(parameter.key).map(String::as_str),
                    recent: &app.settings.recent,
                    focus: std::mem::take(&mut focus),
                };
                row.show(ui, &mut edits);
            }
            if let Some(error) = session.errors.get("") {
                ui.label(RichText::new(error).color(style.error));
            }
            if playback && spec.params.iter().any(|parameter| parameter.live) {
                ui.add_space(16.0);
                along_the_run(ui, spec.params, &session.changes, session.from_cursor, &style, &mut edits);
            }
            ui.add_space(16.0);
            if ui
                .button("Reset the form")
                .on_hover_text("Every parameter to its default (Ctrl+Z takes it back)")
                .clicked()
            {
                edits.push(Edit::Defaults);
            }
        });
    });
    if app.focus.take_if(|region| *region == Region::Form).is_some() {
        app.focused = Some(Region::Form);
    }
    apply(app, edits);
}

fn apply(app: &mut App, edits: Vec<Edit>) {
    for edit in edits {
        match edit {
            Edit::Set(key, value, settled) => {
                let specs = app.sessions.get(app.active).map_or(&[][..], |session| session.lab.spec.params);
                let is_path = specs.iter().any(|spec| spec.key == key && spec.kind.is_path());
                if let (true, true, Value::Text(path)) = (settled, is_path, &value)
                    && !path.trim().is_empty()
                {
                    app.files.remember_typed(path);
                }
                app.edit(key, value, settled);
            }
            Edit::Refuse(key, message) => {
                if let Some(session) = app.session() {
                    session.errors.insert(key.to_owned(), message);
                }
            }
            Edit::Browse(key) => app.choose_path(key),
            Edit::FromCursor(on) => {
                if let Some(session) = app.session() {
                    session.from_cursor = on;
                }
            }
            Edit::RemoveChange(index) => {
                if let Some(session) = app.session() {
                    session.edit_all(|session| drop(session.changes.remove(index)));
                    app.after_edit(&[], true);
                }
            }
            Edit::Defaults => app.reset_form(),
        }
    }
}

/// Edits that take effect at a later step of a run that is computed at once.
fn along_the_run(ui: &mut Ui, specs: &[ParamSpec], changes: &[Change], on: bool, style: &Style, edits: &mut Vec<Edit>) {
    ui.label(theme::group_heading("Along the run", style));
    ui.add_space(4.0);
    let mut from_cursor = on;
    let help = "Off: an edit changes the whole run. On: an edit of a parameter marked “live” takes effect at the \
                timeline's cursor; what came before stays as it was.";
    if ui.checkbox(&mut from_cursor, "edit from the cursor on").on_hover_text(help).changed() {
        edits.push(Edit::FromCursor(from_cursor));
    }
    for (index, change) in changes.iter().enumerate() {
        let label = specs.iter().find(|spec| spec.key == change.key).map_or(change.key.as_str(), |spec| spec.label);
        let value = match &change.value {
            Value::Float(v) => number::exact(*v),
            other => other.to_string(),
        };
        ui.horizontal(|ui| {
            let text = format!("step {}: {label} = {value}", number::grouped(change.step));
            ui.add(egui::Label::new(RichText::new(text).color(style.live)).truncate());
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if icon_button(ui, Icon::Close, &format!("Remove the change at step {}", change.step), style.text_weak)
                    .clicked()
                {
                    edits.push(Edit::RemoveChange(index));
                }
            });
        });
    }
}

/// A path as a parameter's value.
pub fn path_value(path: &Path) -> Value {
    Value::Text(path.to_string_lossy().into_owned())
}

impl App {
    /// Opens a dialog for the lab's first path parameter that the form shows.
    pub(super) fn open_data(&mut self) {
        match self.data_parameter(false) {
            Some(key) => self.choose_path(key),
            None => self.notice(crate::engine::event::Level::Info, "this lab opens no data with the present choices"),
        }
    }

    /// Opens a dialog for a path parameter of the lab in front.
    pub(super) fn choose_path(&mut self, key: &str) {
        let specs = self.sessions.get(self.active).map_or(&[][..], |session| session.lab.spec.params);
        let folder = specs.iter().any(|spec| spec.key == key && spec.kind == ParamKind::Folder);
        self.files.choose(self.active, key, folder);
    }

    /// The path parameter that data go to. A folder goes to the first parameter for folders, a file to one for files; of
    /// those to a shown one, else to the first.
    pub(super) fn data_parameter(&self, file: bool) -> Option<&'static str> {
        let session = self.sessions.get(self.active)?;
        let paths = || session.lab.spec.params.iter().filter(|spec| spec.kind.is_path());
        let fitting = || paths().filter(|spec| (spec.kind == ParamKind::Folder) != file);
        let shown = |spec: &&ParamSpec| session.params.shows(spec);
        let found = fitting().find(shown).or_else(|| fitting().next());
        found.or_else(|| paths().find(shown)).or_else(|| paths().next()).map(|spec| spec.key)
    }

    /// Puts a chosen path into the form, and makes the choices under which the form shows it.
    pub(super) fn use_path(&mut self, lab: usize, key: &str, path: &Path) {
        self.settings.remember(path);
        self.active = lab;
        let Some(session) = self.sessions.get_mut(lab) else { return };
        let specs = session.lab.spec.params;
        let mut wanted = vec![(key.to_owned(), path_value(path))];
        // `csv` is shown only while `points` is `csv`, which is shown only while `experiment` is `network`.
        let mut at = key.to_owned();
        while let Some((parent, values)) = specs.iter().find(|spec| spec.key == at).and_then(|spec| spec.only_if) {
            let now = session.params.get(parent);
            let fits = matches!(now, Some(Value::Text(v)) if values.contains(&v.as_str()));
            if let (false, Some(value), Some(Value::Text(_))) = (fits, values.first(), now) {
                wanted.push((parent.to_owned(), Value::Text((*value).to_owned())));
            }
            at = parent.to_owned();
            if wanted.len() > specs.len() {
                break;
            }
        }
        session.edit_all(|session| {
            for (key, value) in &wanted {
                set_checked(&mut session.params, specs, key, value.clone());
            }
        });
        let keys: Vec<&str> = wanted.iter().map(|(key, _)| key.as_str()).collect();
        self.after_edit(&keys, true);
        self.notice(crate::engine::event::Level::Info, format!("data: {}", path.display()));
    }
}

fn set_checked(params: &mut Params, specs: &[ParamSpec], key: &str, value: Value) {
    // A choice that the list does not have cannot come from the list itself.
    let _ = params.set(specs, key, value);
}
