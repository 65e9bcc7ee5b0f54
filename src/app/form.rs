//! The form, made from the lab's parameter list: grouped, aligned, every value with its range, unit and reset.

use std::cell::RefCell;
use std::path::Path;

use eframe::egui::{self, Align, DragValue, Layout, Response, RichText, Sense, Slider, TextEdit, TextStyle, Ui, vec2};

use super::shell::Region;
use super::widgets::{Icon, check_box, icon_button, swatch};
use super::{App, theme};
use crate::engine::event::Change;
use crate::engine::params::{ParamKind, ParamSpec, Params, Value};
use crate::plot::number;
use crate::plot::style::{Category, Style};

/// Width of a number's field.
const FIELD: f32 = 88.0;

/// What the user did in the form in one frame.
#[derive(Debug)]
enum Edit {
    Set(&'static str, Value, bool),
    Refuse(&'static str, String),
    Browse(&'static str),
    RemoveChange(usize),
    FromCursor(bool),
    Defaults,
}

/// What one row needs to know.
struct Row<'a> {
    spec: &'static ParamSpec,
    value: &'a Value,
    style: &'a Style,
    swatch: Option<Category>,
    error: Option<&'a str>,
    recent: &'a [std::path::PathBuf],
    focus: bool,
}

pub fn show(app: &mut App, ui: &mut Ui) {
    let style = app.style.clone();
    let Some(session) = app.sessions.get(app.active) else { return };
    let focus = app.focus == Some(Region::Form);
    let spec = session.lab.spec();
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
            Edit::Set(key, value, settled) => app.edit(key, value, settled),
            Edit::Refuse(key, message) => {
                if let Some(session) = app.session() {
                    session.errors.insert(key.to_owned(), message);
                }
            }
            Edit::Browse(key) => app.files.choose(app.active, key),
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

impl Row<'_> {
    fn show(&self, ui: &mut Ui, edits: &mut Vec<Edit>) {
        match self.spec.kind {
            ParamKind::Switch => self.switch(ui, edits),
            ParamKind::Path => self.path(ui, edits),
            ParamKind::Choice(items) => {
                // Names of choices are long: they get what the label leaves.
                let label = text_width(ui, self.spec.label) + 34.0 * f32::from(self.changed()) + 16.0;
                let field = (ui.available_width() - label).max(ui.available_width() * 0.4).min(220.0);
                self.line(ui, field, edits, |row, ui, edits| {
                    let Value::Text(now) = row.value else { return None };
                    ui.spacing_mut().button_padding.x = 8.0;
                    let shown = items.iter().find(|item| item.id == now).map_or(now.as_str(), |item| item.label);
                    let combo =
                        egui::ComboBox::from_id_salt(row.spec.key).width(field - 8.0).truncate().selected_text(shown);
                    let response = combo.show_ui(ui, |ui| {
                        for item in items {
                            if ui.selectable_label(item.id == now, item.label).clicked() && item.id != now {
                                edits.push(Edit::Set(row.spec.key, Value::Text(item.id.to_owned()), true));
                            }
                        }
                    });
                    Some(response.response)
                });
            }
            ParamKind::Int { min, max } => {
                let Value::Int(now) = *self.value else { return };
                let number = Number { min: min as f64, max: max as f64, log: false, whole: true };
                self.number(ui, now as f64, number, edits);
            }
            ParamKind::Float { min, max, log } => {
                let Value::Float(now) = *self.value else { return };
                self.number(ui, now, Number { min, max, log, whole: false }, edits);
            }
        }
        if let Some(error) = self.error {
            ui.add(egui::Label::new(RichText::new(error).color(self.style.error).text_style(TextStyle::Small)).wrap());
        }
    }

    /// Label at the left, field of this width at the right.
    fn line(
        &self,
        ui: &mut Ui,
        field: f32,
        edits: &mut Vec<Edit>,
        add: impl FnOnce(&Self, &mut Ui, &mut Vec<Edit>) -> Option<Response>,
    ) {
        ui.horizontal(|ui| {
            ui.set_min_height(28.0);
            let width = (ui.available_width() - field - 8.0).max(24.0);
            let label = ui
                .allocate_ui_with_layout(vec2(width, 28.0), Layout::left_to_right(Align::Center), |ui| {
                    ui.set_min_width(width);
                    ui.spacing_mut().item_spacing.x = 6.0;
                    self.label(ui, edits)
                })
                .inner;
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let Some(response) = add(self, ui, edits) {
                    let response = response.labelled_by(label.id).on_hover_ui(|ui| self.tooltip(ui));
                    if self.focus {
                        response.request_focus();
                    }
                }
            });
        });
    }

    fn label(&self, ui: &mut Ui, edits: &mut Vec<Edit>) -> Response {
        let color = if self.error.is_some() { self.style.error } else { self.style.text };
        let marks = 26.0 * f32::from(self.changed()) + if self.spec.live { 36.0 } else { 0.0 };
        let width = (ui.available_width() - marks).max(16.0);
        let wanted = text_width(ui, self.spec.label).min(width);
        let (rect, _) = ui.allocate_exact_size(vec2(wanted, 24.0), Sense::hover());
        let text = egui::Label::new(RichText::new(self.spec.label).color(color)).truncate();
        let place = egui::UiBuilder::new().max_rect(rect).layout(Layout::left_to_right(Align::Center));
        let label = ui.scope_builder(place, |ui| ui.add(text)).inner;
        if self.spec.live {
            self.live(ui);
        }
        if self.changed() {
            self.reset(ui, edits);
        }
        label.on_hover_ui(|ui| self.tooltip(ui))
    }

    fn live(&self, ui: &mut Ui) {
        ui.spacing_mut().item_spacing.x = 4.0;
        let (rect, _) = ui.allocate_exact_size(vec2(6.0, 24.0), Sense::hover());
        ui.painter().circle_filled(rect.center(), 3.0, self.style.live);
        ui.label(RichText::new("live").color(self.style.live).text_style(TextStyle::Small))
            .on_hover_text("Can change while the run goes on; a change is marked on the timeline.");
    }

    fn changed(&self) -> bool {
        *self.value != Value::from(self.spec.default)
    }

    fn reset(&self, ui: &mut Ui, edits: &mut Vec<Edit>) {
        let default = Value::from(self.spec.default);
        let name = format!("Reset {} to {}", self.spec.label, shown(&default));
        if icon_button(ui, Icon::Reset, &name, self.style.text_weak).clicked() {
            edits.push(Edit::Set(self.spec.key, default, true));
        }
    }

    fn tooltip(&self, ui: &mut Ui) {
        ui.set_max_width(320.0);
        ui.label(theme::strong(self.spec.label));
        if !self.spec.help.is_empty() {
            ui.label(self.spec.help);
        }
        ui.add_space(4.0);
        let facts = match self.spec.kind {
            ParamKind::Float { min, max, .. } => {
                format!("{} to {} {}", number::exact(min), number::exact(max), self.spec.unit)
            }
            ParamKind::Int { min, max } => format!("{min} to {max} {}", self.spec.unit),
            _ => String::new(),
        };
        let effect = if self.spec.live { "can change while a run goes on" } else { "takes effect at the next start" };
        for line in [facts.trim(), &format!("default {} · {effect}", shown(&self.spec.default.into()))] {
            if !line.is_empty() {
                ui.label(RichText::new(line).weak());
            }
        }
        ui.label(RichText::new(format!("--set {}={}", self.spec.key, self.value)).monospace().weak());
    }

    fn number(&self, ui: &mut Ui, now: f64, range: Number, edits: &mut Vec<Edit>) {
        let key = self.spec.key;
        self.line(ui, FIELD, edits, |row, ui, edits| {
            let mut value = now;
            let bad = RefCell::new(None);
            let speed = if range.whole {
                (now.abs() * 0.01).clamp(0.1, 1_000.0)
            } else if range.log {
                now.abs().max(range.min.abs()) * 0.01
            } else {
                ((range.max - range.min) * 0.001).min(now.abs().max(0.01) * 0.05).max(1e-9)
            };
            let drag = DragValue::new(&mut value)
                .speed(speed)
                .update_while_editing(false)
                .custom_formatter(|v, _| number::exact(v))
                .custom_parser(|text| {
                    let parsed = number::parse(text);
                    if parsed.is_none() {
                        *bad.borrow_mut() = Some(text.to_owned());
                    }
                    parsed
                });
            let response = ui.add_sized(vec2(FIELD, 24.0), drag);
            if let Some(text) = bad.take() {
                edits.push(Edit::Refuse(key, format!("parameter `{key}`: `{text}` is not {}", row.spec.expected())));
            }
            if response.dragged() {
                value = value.clamp(range.min, range.max);
            }
            range.report(&response, key, now, value, edits);
            Some(response)
        });
        if range.has_slider() {
            let mut value = now;
            let response = ui
                .scope(|ui| {
                    ui.spacing_mut().slider_width = ui.available_width();
                    // The handle's size follows the height.
                    ui.spacing_mut().interact_size.y = 16.0;
                    ui.visuals_mut().selection.bg_fill = self.style.accent;
                    let slider =
                        Slider::new(&mut value, range.min..=range.max).logarithmic(range.log).show_value(false);
                    let slider = if range.log { slider.smallest_positive(range.min.max(1e-12)) } else { slider };
                    ui.add(slider)
                })
                .inner
                .accessible_name(format!("{} slider", self.spec.label))
                .on_hover_ui(|ui| self.tooltip(ui));
            range.report(&response, key, now, value, edits);
            ui.add_space(4.0);
        }
    }

    fn switch(&self, ui: &mut Ui, edits: &mut Vec<Edit>) {
        let Value::Switch(on) = *self.value else { return };
        ui.horizontal(|ui| {
            ui.set_min_height(24.0);
            let check = check_box(ui, on, self.spec.label, self.style);
            if let Some(category) = self.swatch {
                swatch(ui, category);
            }
            let width = (ui.available_width() - 32.0).max(16.0);
            let label = ui.scope(|ui| {
                ui.set_max_width(width);
                ui.add(egui::Label::new(self.spec.label).sense(Sense::click()).truncate())
            });
            let label = label.inner.on_hover_ui(|ui| self.tooltip(ui));
            if self.spec.live {
                self.live(ui);
            }
            let check = check.on_hover_ui(|ui| self.tooltip(ui));
            if self.focus {
                check.request_focus();
            }
            if check.clicked() || label.clicked() {
                edits.push(Edit::Set(self.spec.key, Value::Switch(!on), true));
            }
            if self.changed() {
                self.reset(ui, edits);
            }
        });
    }

    fn path(&self, ui: &mut Ui, edits: &mut Vec<Edit>) {
        let Value::Text(now) = self.value else { return };
        let key = self.spec.key;
        ui.horizontal(|ui| {
            ui.set_min_height(28.0);
            self.label(ui, edits);
        });
        let mut text = now.clone();
        let field =
            ui.add(TextEdit::singleline(&mut text).desired_width(f32::INFINITY).hint_text("path, or drop a file here"));
        let field = field.accessible_name(self.spec.label);
        if self.focus {
            field.request_focus();
        }
        if field.changed() || field.lost_focus() {
            edits.push(Edit::Set(key, Value::Text(text), field.lost_focus()));
        }
        ui.horizontal(|ui| {
            if ui.button("Browse…").on_hover_text("Choose a file").clicked() {
                edits.push(Edit::Browse(key));
            }
            ui.add_enabled_ui(!self.recent.is_empty(), |ui| {
                ui.menu_button("Recent", |ui| {
                    for path in self.recent {
                        let name = path
                            .file_name()
                            .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
                        if ui.button(name).on_hover_text(path.display().to_string()).clicked() {
                            edits.push(Edit::Set(key, path_value(path), true));
                        }
                    }
                });
            });
        });
        ui.add_space(4.0);
    }
}

/// A number's range and scale.
#[derive(Debug, Clone, Copy)]
struct Number {
    min: f64,
    max: f64,
    log: bool,
    whole: bool,
}

impl Number {
    /// A slider over a wide linear range aims at nothing.
    fn has_slider(self) -> bool {
        !self.whole && (self.log || self.max - self.min <= 10.0)
    }

    fn report(self, response: &Response, key: &'static str, before: f64, value: f64, edits: &mut Vec<Edit>) {
        if !response.changed() && !response.drag_stopped() {
            return;
        }
        // A slider reports rounding of a value that nobody touched.
        let value = if response.changed() { value } else { before };
        let value = if self.whole { Value::Int(value.round() as i64) } else { Value::Float(value) };
        edits.push(Edit::Set(key, value, !response.dragged()));
    }
}

/// Width of a label in points.
fn text_width(ui: &Ui, text: &str) -> f32 {
    let font = TextStyle::Body.resolve(ui.style());
    ui.painter().layout_no_wrap(text.to_owned(), font, egui::Color32::WHITE).size().x.ceil() + 1.0
}

/// A value as the form writes it.
fn shown(value: &Value) -> String {
    match value {
        Value::Float(v) => number::exact(*v),
        Value::Text(text) if text.is_empty() => "none".to_owned(),
        other => other.to_string(),
    }
}

/// A path as a parameter's value.
pub fn path_value(path: &Path) -> Value {
    Value::Text(path.to_string_lossy().into_owned())
}

impl App {
    /// Opens a dialog for the lab's first path parameter that the form shows.
    pub(super) fn open_data(&mut self) {
        match self.data_parameter() {
            Some(key) => self.files.choose(self.active, key),
            None => self.notice(crate::engine::event::Level::Info, "this lab opens no data with the present choices"),
        }
    }

    /// The path parameter that a dropped file goes to: a shown one, else the first.
    pub(super) fn data_parameter(&self) -> Option<&'static str> {
        let session = self.sessions.get(self.active)?;
        let paths = || session.lab.spec().params.iter().filter(|spec| spec.kind == ParamKind::Path);
        paths().find(|spec| session.params.shows(spec)).or_else(|| paths().next()).map(|spec| spec.key)
    }

    /// Puts a chosen path into the form, and makes the choices under which the form shows it.
    pub(super) fn use_path(&mut self, lab: usize, key: &str, path: &Path) {
        self.settings.remember(path);
        self.active = lab;
        let Some(session) = self.sessions.get_mut(lab) else { return };
        let specs = session.lab.spec().params;
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
