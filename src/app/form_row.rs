//! One row of the form: a parameter's label, its field, its slider, its reset and its tooltip.

use std::cell::RefCell;

use eframe::egui::text::CCursor;
use eframe::egui::{
    self, Align, DragValue, Layout, Response, RichText, Sense, Slider, TextEdit, TextStyle, Ui, pos2, vec2,
};

use super::act::Act;
use super::theme;
use super::widgets::{Icon, check_box, icon_button, swatch};
use crate::engine::params::{ChoiceItem, ParamKind, ParamSpec, Value};
use crate::plot::number;
use crate::plot::style::{Category, Style};

/// Width of a number's field.
const FIELD: f32 = 88.0;

/// What one row needs to know.
pub struct Row<'a> {
    pub spec: &'static ParamSpec,
    pub value: &'a Value,
    pub style: &'a Style,
    pub swatch: Option<Category>,
    pub error: Option<&'a str>,
    pub recent: &'a [std::path::PathBuf],
    pub focus: bool,
}

impl Row<'_> {
    /// Draws the row; what the user did goes to `acts`.
    pub fn show(&self, ui: &mut Ui, acts: &mut Vec<Act>) {
        match self.spec.kind {
            ParamKind::Switch => self.switch(ui, acts),
            ParamKind::Path | ParamKind::Folder | ParamKind::Text => self.text(ui, acts),
            ParamKind::Choice(items) => {
                self.choice(ui, items, acts);
            }
            ParamKind::Int { min, max } => {
                let Value::Int(now) = *self.value else { return };
                let number = Number { min: min as f64, max: max as f64, log: false, whole: true };
                self.number(ui, now as f64, number, acts);
            }
            ParamKind::Float { min, max, log } => {
                let Value::Float(now) = *self.value else { return };
                self.number(ui, now, Number { min, max, log, whole: false }, acts);
            }
        }
        if let Some(error) = self.error {
            ui.add(egui::Label::new(RichText::new(error).color(self.style.error).text_style(TextStyle::Small)).wrap());
        }
    }

    /// Names of choices are long: where label and choice do not fit side by side, the choice goes below.
    fn choice(&self, ui: &mut Ui, items: &[ChoiceItem], acts: &mut Vec<Act>) {
        let Value::Text(now) = self.value else { return };
        let shown = items.iter().find(|item| item.id == now).map_or(now.as_str(), |item| item.label);
        let label = text_width(ui, self.spec.label)
            + 34.0 * f32::from(self.changed())
            + 12.0 * f32::from(self.spec.live)
            + 16.0;
        let all = ui.available_width();
        let combo = |row: &Self, ui: &mut Ui, width: f32, acts: &mut Vec<Act>| {
            ui.spacing_mut().button_padding.x = 8.0;
            let combo = egui::ComboBox::from_id_salt(row.spec.key).width(width).truncate().selected_text(shown);
            let response = combo.show_ui(ui, |ui| {
                for item in items {
                    if ui.selectable_label(item.id == now, item.label).clicked() && item.id != now {
                        acts.push(set(row.spec.key, Value::Text(item.id.to_owned())));
                    }
                }
            });
            response.response
        };
        if label + text_width(ui, shown) + 36.0 <= all {
            let field = (all - label).min(220.0);
            self.line(ui, field, acts, |row, ui, acts| Some(combo(row, ui, field - 8.0, acts)));
        } else {
            let label = ui.horizontal(|ui| self.label(ui, acts)).inner;
            let field = combo(self, ui, all - 8.0, acts);
            self.finish(&label, field);
            ui.add_space(4.0);
        }
    }

    /// What every field gets: its label, its tooltip, the keyboard.
    fn finish(&self, label: &Response, field: Response) {
        let field = field.labelled_by(label.id).on_hover_ui(|ui| self.tooltip(ui));
        if self.focus {
            field.request_focus();
        }
    }

    /// Label at the left, field of this width at the right.
    fn line(
        &self,
        ui: &mut Ui,
        field: f32,
        acts: &mut Vec<Act>,
        add: impl FnOnce(&Self, &mut Ui, &mut Vec<Act>) -> Option<Response>,
    ) {
        ui.horizontal(|ui| {
            ui.set_min_height(28.0);
            let width = (ui.available_width() - field - 8.0).max(24.0);
            let label = ui
                .allocate_ui_with_layout(vec2(width, 28.0), Layout::left_to_right(Align::Center), |ui| {
                    ui.set_min_width(width);
                    ui.spacing_mut().item_spacing.x = 6.0;
                    self.label(ui, acts)
                })
                .inner;
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let Some(response) = add(self, ui, acts) {
                    self.finish(&label, response);
                }
            });
        });
    }

    fn label(&self, ui: &mut Ui, acts: &mut Vec<Act>) -> Response {
        let color = if self.error.is_some() { self.style.error } else { self.style.text };
        let reset = 26.0 * f32::from(self.changed());
        // Where the label would be cut, the mark of a live parameter is its dot alone.
        let spelled = text_width(ui, self.spec.label) + reset + 40.0 <= ui.available_width();
        let marks = reset
            + if !self.spec.live {
                0.0
            } else if spelled {
                40.0
            } else {
                12.0
            };
        let width = (ui.available_width() - marks).max(16.0);
        let wanted = text_width(ui, self.spec.label).min(width);
        let (rect, _) = ui.allocate_exact_size(vec2(wanted, 24.0), Sense::hover());
        let text = egui::Label::new(RichText::new(self.spec.label).color(color)).truncate();
        let place = egui::UiBuilder::new().max_rect(rect).layout(Layout::left_to_right(Align::Center));
        let label = ui.scope_builder(place, |ui| ui.add(text)).inner;
        if self.spec.live {
            self.live(ui, spelled);
        }
        if self.changed() {
            self.reset(ui, acts);
        }
        label.on_hover_ui(|ui| self.tooltip(ui))
    }

    /// The mark of a parameter that can change while a run goes on.
    fn live(&self, ui: &mut Ui, spelled: bool) {
        let help = "Can change while the run goes on; a change is marked on the timeline.";
        ui.spacing_mut().item_spacing.x = 4.0;
        let (rect, dot) = ui.allocate_exact_size(vec2(6.0, 24.0), Sense::hover());
        ui.painter().circle_filled(rect.center(), 3.0, self.style.live);
        dot.on_hover_text(help);
        if spelled {
            ui.label(RichText::new("live").color(self.style.live).text_style(TextStyle::Small)).on_hover_text(help);
        }
    }

    fn changed(&self) -> bool {
        *self.value != Value::from(self.spec.default)
    }

    fn reset(&self, ui: &mut Ui, acts: &mut Vec<Act>) {
        let default = Value::from(self.spec.default);
        let name = format!("Reset {} to {}", self.spec.label, shown(&default));
        if icon_button(ui, Icon::Reset, &name, self.style.text_weak).clicked() {
            acts.push(set(self.spec.key, default));
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

    fn number(&self, ui: &mut Ui, now: f64, range: Number, acts: &mut Vec<Act>) {
        let key = self.spec.key;
        self.line(ui, FIELD, acts, |row, ui, acts| {
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
                .custom_formatter(|v, _| range.text(v))
                .custom_parser(|text| {
                    // What was only looked at keeps the digits that are not shown.
                    if text == range.text(now) {
                        return Some(now);
                    }
                    let parsed = if range.whole { number::parse_whole(text) } else { number::parse(text) };
                    parsed.map_err(|why| *bad.borrow_mut() = Some((text.to_owned(), why))).ok()
                });
            let response = ui.add_sized(vec2(FIELD, 24.0), drag);
            if let Some((text, why)) = bad.take() {
                let expected = row.spec.expected();
                let text = format!("parameter `{key}`: `{text}` {why}; expected {expected}");
                acts.push(Act::Refuse(key.to_owned(), text));
            }
            if response.dragged() {
                value = value.clamp(range.min, range.max);
            }
            range.report(&response, key, now, value, acts);
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
                    // From 0 on a logarithmic slider needs an end: six decades.
                    let least = if range.min > 0.0 { range.min } else { range.max * 1e-6 };
                    let slider = if range.log { slider.smallest_positive(least) } else { slider };
                    ui.add(slider)
                })
                .inner
                .accessible_name(format!("{} slider", self.spec.label))
                .on_hover_ui(|ui| self.tooltip(ui));
            range.report(&response, key, now, value, acts);
            ui.add_space(4.0);
        }
    }

    fn switch(&self, ui: &mut Ui, acts: &mut Vec<Act>) {
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
                self.live(ui, true);
            }
            let check = check.on_hover_ui(|ui| self.tooltip(ui));
            if self.focus {
                check.request_focus();
            }
            if check.clicked() || label.clicked() {
                acts.push(set(self.spec.key, Value::Switch(!on)));
            }
            if self.changed() {
                self.reset(ui, acts);
            }
        });
    }

    /// A line of text; a path has buttons to choose it.
    fn text(&self, ui: &mut Ui, acts: &mut Vec<Act>) {
        let Value::Text(now) = self.value else { return };
        let key = self.spec.key;
        ui.horizontal(|ui| {
            ui.set_min_height(28.0);
            self.label(ui, acts);
        });
        let mut text = now.clone();
        let what = if self.spec.kind == ParamKind::Folder { "folder" } else { "file" };
        let is_path = self.spec.kind.is_path();
        let hint = if is_path { format!("path, or drop a {what} here") } else { String::new() };
        let shown = TextEdit::singleline(&mut text).desired_width(f32::INFINITY).hint_text(hint).show(ui);
        if let Some(column) = self.error.and_then(column) {
            let at = shown.galley.pos_from_cursor(CCursor::new(column - 1)).left() + shown.galley_pos.x;
            let place = shown.text_clip_rect;
            let tip = pos2(at.clamp(place.left(), place.right()), place.bottom() - 1.0);
            let corners = vec![tip, tip + vec2(-4.0, 6.0), tip + vec2(4.0, 6.0)];
            ui.painter().add(egui::Shape::convex_polygon(corners, self.style.error, egui::Stroke::NONE));
        }
        let field = shown.response.response.accessible_name(self.spec.label);
        if self.focus {
            field.request_focus();
        }
        if field.changed() || field.lost_focus() {
            acts.push(Act::Set { key: key.to_owned(), value: Value::Text(text), settled: field.lost_focus() });
        }
        if !is_path {
            return;
        }
        ui.horizontal(|ui| {
            if ui.button("Browse…").on_hover_text(format!("Choose a {what}")).clicked() {
                acts.push(Act::Browse(key.to_owned()));
            }
            ui.add_enabled_ui(!self.recent.is_empty(), |ui| {
                ui.menu_button("Recent", |ui| {
                    for path in self.recent {
                        let name = path
                            .file_name()
                            .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
                        if ui.button(name).on_hover_text(path.display().to_string()).clicked() {
                            acts.push(set(key, Value::Text(path.to_string_lossy().into_owned())));
                        }
                    }
                });
            });
        });
        ui.add_space(4.0);
    }
}

/// The place in a text, in characters from 1, at which a message points: `column 7: …`.
fn column(error: &str) -> Option<usize> {
    let (number, _) = error.split_once("column ")?.1.split_once(':')?;
    number.parse().ok().filter(|column| *column > 0)
}

fn set(key: &str, value: Value) -> Act {
    Act::Set { key: key.to_owned(), value, settled: true }
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

    /// The value as the field writes it: every digit of a whole number.
    fn text(self, value: f64) -> String {
        if self.whole { format!("{value:.0}").replace('-', "−") } else { number::exact(value) }
    }

    fn report(self, response: &Response, key: &'static str, before: f64, value: f64, acts: &mut Vec<Act>) {
        if !response.changed() && !response.drag_stopped() {
            return;
        }
        // A slider reports rounding of a value that nobody touched.
        let value = if response.changed() { value } else { before };
        let value = if self.whole { Value::Int(value.round() as i64) } else { Value::Float(value) };
        acts.push(Act::Set { key: key.to_owned(), value, settled: !response.dragged() });
    }
}

/// Width of a label in points.
fn text_width(ui: &Ui, text: &str) -> f32 {
    let font = TextStyle::Body.resolve(ui.style());
    ui.painter().layout_no_wrap(text.to_owned(), font, egui::Color32::WHITE).size().x.ceil() + 1.0
}

/// A value as the form writes it.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Float(v) => number::exact(*v),
        Value::Text(text) if text.is_empty() => "none".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_points_at_its_column() {
        assert_eq!(column("parameter `function`: column 7: unknown name `z`"), Some(7));
        assert_eq!(column("parameter `csv`: no such file"), None);
        assert_eq!(column("column 0: nothing"), None);
        assert_eq!(column("the column names: x, y"), None);
    }
}
