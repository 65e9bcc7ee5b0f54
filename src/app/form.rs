//! The form, made from the lab's parameter list: grouped, aligned, every value with its range, unit and reset.

use eframe::egui::{self, Align, Layout, RichText, Ui};

use super::act::{Act, Focus, Region};
use super::form_row::Row;
use super::state::State;
use super::theme;
use super::widgets::{Icon, icon_button};
use crate::engine::event::Change;
use crate::engine::params::{ParamSpec, Params, Value};
use crate::kit::lab::LabSpec;
use crate::plot::number;
use crate::plot::style::Style;

pub fn show(state: &State, focus: &mut Focus, ui: &mut Ui, acts: &mut Vec<Act>) {
    let style = &state.style;
    let Some(session) = state.front() else { return };
    let spec = session.lab.spec;
    let params = session.effective();
    let playback = session.playback_rate().is_some();
    let mut focused = focus.take(Region::Form);
    egui::ScrollArea::vertical().id_salt(("form", spec.id)).auto_shrink([false, false]).show(ui, |ui| {
        egui::Frame::new().inner_margin(egui::Margin { left: 12, right: 16, top: 12, bottom: 12 }).show(ui, |ui| {
            ui.set_width(ui.available_width());
            let (mut group, mut open) = ("", true);
            for parameter in spec.params.iter().filter(|parameter| params.shows_in_form(spec.params, parameter)) {
                if parameter.group != group {
                    if !group.is_empty() {
                        ui.add_space(12.0);
                    }
                    group = parameter.group;
                    open = if parameter.folded {
                        fold(ui, spec, &params, group, style)
                    } else {
                        ui.label(theme::group_heading(group, style));
                        true
                    };
                    ui.add_space(4.0);
                }
                if !open && !session.errors.contains_key(parameter.key) {
                    continue;
                }
                let Some(value) = params.get(parameter.key) else { continue };
                let row = Row {
                    spec: parameter,
                    value,
                    style,
                    swatch: session.view.swatch(parameter.key, style),
                    error: session.errors.get(parameter.key).map(String::as_str),
                    recent: &state.settings.recent,
                    focus: std::mem::take(&mut focused),
                };
                row.show(ui, acts);
            }
            if let Some(error) = session.errors.get("") {
                ui.label(RichText::new(error).color(style.error));
            }
            if playback && spec.params.iter().any(|parameter| parameter.live) {
                ui.add_space(16.0);
                along_the_run(ui, spec.params, &session.changes, session.from_cursor, style, acts);
            }
            ui.add_space(16.0);
            if ui
                .button("Reset the form")
                .on_hover_text("Every parameter to its default (Ctrl+Z takes it back)")
                .clicked()
            {
                acts.push(Act::Defaults);
            }
        });
    });
}

/// The heading of a group that is folded until somebody opens it, and says what is hidden; whether it is open.
fn fold(ui: &mut Ui, spec: &LabSpec, params: &Params, group: &str, style: &Style) -> bool {
    let id = egui::Id::unique(("open group", spec.id, group));
    let mut open: bool = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let shown = spec.params.iter().filter(|other| other.group == group && params.shows_in_form(spec.params, other));
    let set = shown.filter(|other| params.get(other.key) != Some(&Value::from(other.default))).count();
    let hidden = if set > 0 && !open { format!(" · {set} set") } else { String::new() };
    let text = format!("{} {group}{hidden}", if open { "▾" } else { "▸" });
    let heading = egui::Button::new(theme::group_heading(&text, style)).frame(false);
    let response = ui.add(heading).on_hover_text(if open { "Fold this group" } else { "Open this group" });
    response.widget_info(|| egui::WidgetInfo::selected(egui::accesskit::Role::Button, true, open, group));
    if response.clicked() {
        open = !open;
        ui.data_mut(|data| data.insert_temp(id, open));
    }
    open
}

/// Edits that take effect at a later step of a run that is computed at once.
fn along_the_run(ui: &mut Ui, specs: &[ParamSpec], changes: &[Change], on: bool, style: &Style, acts: &mut Vec<Act>) {
    ui.label(theme::group_heading("Along the run", style));
    ui.add_space(4.0);
    let mut from_cursor = on;
    let help = "Off: an edit changes the whole run. On: an edit of a parameter marked “live” takes effect at the \
                timeline's cursor; what came before stays as it was.";
    if ui.checkbox(&mut from_cursor, "edit from the cursor on").on_hover_text(help).changed() {
        acts.push(Act::FromCursor);
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
                    acts.push(Act::RemoveChange(index));
                }
            });
        });
    }
}
