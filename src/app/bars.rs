//! The bars at the top: name, lab tabs and device; below them the run.

use std::cell::RefCell;

use eframe::egui::{
    self, Align, Button, CornerRadius, DragValue, Layout, RichText, Sense, Stroke, TextStyle, Ui, vec2,
};

use super::act::{Act, FigureFile, NetworkFile};
use super::actions::{self, device_title};
use super::session::Session;
use super::state::State;
use super::status_line::word;
use super::theme;
use super::widgets::{Icon, labelled_button, labelled_width};
use crate::compute::device::DeviceChoice;
use crate::engine::event::{Level, Status};
use crate::plot::number;
use crate::plot::style::Style;

/// Name, tabs, palette, talk, device.
pub fn top(state: &State, ui: &mut Ui, acts: &mut Vec<Act>) {
    let style = &state.style;
    let titled = titles_fit(state, ui);
    ui.horizontal_centered(|ui| {
        ui.add(egui::Label::new(theme::strong("Learnscope").size(15.0)));
        ui.add_space(12.0);
        ui.spacing_mut().item_spacing.x = 4.0;
        for (index, session) in state.sessions.iter().enumerate() {
            let spec = session.lab.spec;
            let active = index == state.active;
            let response = tab(ui, index + 1, spec.title, active, active || titled, style);
            if response.on_hover_text(format!("{}\n{}", spec.title, spec.claim)).clicked() {
                acts.push(Act::Lab(spec.id.to_owned()));
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            device(state, ui, acts);
            for (act, word) in [(Act::Present(None), "present"), (Act::Palette, "commands")] {
                let keys = actions::shortcut_text(ui.ctx(), &act);
                // In a narrow window the keys alone, or nothing: never over the tabs.
                let texts = [format!("{keys}  {word}"), keys];
                let Some(text) = texts.iter().find(|text| chip_width(ui, text) <= ui.available_width()) else {
                    continue;
                };
                if chip(ui, text, style).on_hover_text(actions::hint(ui.ctx(), &act)).clicked() {
                    acts.push(act);
                }
            }
        });
    });
}

/// Whether the top bar has room for the titles of all labs beside the device.
fn titles_fit(state: &State, ui: &Ui) -> bool {
    let body = TextStyle::Body.resolve(ui.style());
    let wide = |text: &str, font: &egui::FontId| {
        ui.painter().layout_no_wrap(text.to_owned(), font.clone(), egui::Color32::PLACEHOLDER).size().x
    };
    let name = wide("Learnscope", &egui::FontId::new(15.0, theme::strong_family())) + 28.0;
    let tab = |title: &str| wide(title, &body) + wide("0", &body) + 36.0;
    let titles: f32 = state.sessions.iter().map(|session| tab(session.lab.spec.title)).sum();
    name + titles + chip_width(ui, &format!("●  {}", device_text(state).0)) <= ui.available_width()
}

fn tab(ui: &mut Ui, number: usize, title: &str, active: bool, titled: bool, style: &Style) -> egui::Response {
    let font = TextStyle::Body.resolve(ui.style());
    let text = if active { style.text } else { style.text_weak };
    let digit = ui.painter().layout_no_wrap(number.to_string(), font.clone(), style.text_weak);
    let word = ui.painter().layout_no_wrap(title.to_owned(), font, text);
    let size = vec2(digit.size().x + if titled { word.size().x + 32.0 } else { 24.0 }, 28.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Tab, true, active, title));
    if active || response.hovered() || response.has_focus() {
        let fill = if active { theme::raised_fill(style) } else { theme::shade(style, 0.06) };
        ui.painter().rect_filled(rect, 6.0, fill);
    }
    if response.has_focus() || (active && style.high_contrast) {
        ui.painter().rect_stroke(rect, 6.0, Stroke::new(1.0, style.accent), egui::StrokeKind::Inside);
    }
    let y = |galley: &egui::Galley| rect.center().y - galley.size().y / 2.0;
    let (x, digit_width) = (rect.left() + 12.0, digit.size().x);
    ui.painter().galley(egui::pos2(x, y(&digit)), digit, style.text_weak);
    if titled {
        ui.painter().galley(egui::pos2(x + digit_width + 8.0, y(&word)), word, text);
    }
    response
}

/// Size of the type in a chip.
const CHIP: f32 = 12.0;

fn chip_width(ui: &Ui, text: &str) -> f32 {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), egui::FontId::proportional(CHIP), egui::Color32::WHITE);
    galley.size().x + 2.0 * ui.spacing().button_padding.x + ui.spacing().item_spacing.x
}

fn chip(ui: &mut Ui, text: &str, style: &Style) -> egui::Response {
    let button = Button::new(RichText::new(text).color(style.text_weak).size(CHIP));
    ui.add(
        button
            .fill(egui::Color32::TRANSPARENT)
            .stroke(Stroke::new(1.0, style.rule))
            .corner_radius(CornerRadius::same(12)),
    )
}

/// The device that training uses in words, short enough for the bar, and the colour of its dot.
fn device_text(state: &State) -> (String, egui::Color32) {
    let style = &state.style;
    let looking = state.devices.is_none() && state.device_answer.is_some();
    let devices = state.devices.as_deref().unwrap_or_default();
    let named = |name: &str| devices.iter().find(|device| device.name == name);
    let (text, color) = match &state.device {
        _ if looking => ("looking for devices…".to_owned(), style.text_weak),
        DeviceChoice::Cpu => ("CPU".to_owned(), style.text_weak),
        DeviceChoice::Automatic => match devices.iter().find(|device| !device.software) {
            Some(best) => (format!("GPU · {} · {}", best.name, best.backend), style.good),
            None => ("CPU · automatic".to_owned(), style.text_weak),
        },
        DeviceChoice::Gpu(name) => match named(name) {
            Some(found) if found.software => (format!("software · {}", found.name), style.warning),
            Some(found) => (format!("GPU · {} · {}", found.name, found.backend), style.good),
            None => (format!("GPU · {name} · not found"), style.warning),
        },
    };
    (shorten(&text, 44), color)
}

/// The device that training uses, always visible, with its adapter's name.
fn device(state: &State, ui: &mut Ui, acts: &mut Vec<Act>) {
    let style = &state.style;
    let looking = state.devices.is_none() && state.device_answer.is_some();
    let (text, color) = device_text(state);
    let check = state.front().and_then(|session| session.run.header.as_ref());
    let check = check.map_or(String::new(), |header| {
        let parts = [format!("this run: {}", header.device), header.device_check.clone()];
        parts.into_iter().filter(|part| !part.is_empty() && part != "this run: ").collect::<Vec<_>>().join("\n")
    });
    let label = RichText::new(format!("●  {text}")).size(12.0);
    let mut job = egui::text::LayoutJob::default();
    let font = egui::FontId::new(12.0, egui::FontFamily::Proportional);
    for (part, part_color) in [("●  ", color), (&label.text()["●  ".len()..], style.text)] {
        job.append(part, 0.0, egui::TextFormat { font_id: font.clone(), color: part_color, ..Default::default() });
    }
    let button = Button::new(job)
        .fill(egui::Color32::TRANSPARENT)
        .stroke(Stroke::new(1.0, style.rule))
        .corner_radius(CornerRadius::same(12));
    let (response, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| {
        ui.set_min_width(280.0);
        ui.label(theme::group_heading("Training device", style));
        for choice in actions::device_choices(state) {
            let title = match (&choice, state.devices.as_ref()) {
                (DeviceChoice::Gpu(name), Some(list)) => {
                    let found = list.iter().find(|device| device.name == *name);
                    found.map_or(name.clone(), |d| format!("{} · {} · {}", d.name, d.backend, d.kind))
                }
                _ => device_title(&choice),
            };
            if ui.selectable_label(state.device == choice, title).clicked() {
                acts.push(Act::Device(choice));
                ui.close();
            }
        }
        if looking {
            ui.label(RichText::new("looking for devices…").weak());
        }
    });
    let hover = "The device of the next training run. Runs on a surface are host arithmetic and need none. Small networks train \
                 faster on the CPU; on a GPU the first step of a network's sizes also compiles and tunes its kernels, which takes \
                 a minute or more and is kept for later starts.";
    let hover = if check.is_empty() { hover.to_owned() } else { format!("{hover}\n\n{check}") };
    response.accessible_name(format!("Device: {text}")).on_hover_text(hover);
}

fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(std::iter::once('…')).collect()
}

/// Start, pause, step, stop; where the run is; seed, presets, studies, tiles, export.
pub fn run(state: &State, fork_open: bool, ui: &mut Ui, acts: &mut Vec<Act>) {
    let style = &state.style;
    let Some(session) = state.front() else { return };
    let stale = if session.playback_rate().is_some() && !session.training() { Vec::new() } else { session.stale() };
    let other_trains = state.is_training() && !session.training();
    let (live, training) = (session.run.is_live(), session.training());
    let has_run = session.run.header.is_some();
    let blocked = other_trains && session.playback_rate().is_some() && !has_run;
    let needs_start = !has_run || !stale.is_empty();
    let playing = if training {
        session.run.status != Some(Status::Paused)
    } else {
        session.play.playing && has_run && session.play.cursor.step < session.planned_steps()
    };
    ui.horizontal_centered(|ui| {
        let mut button = |ui: &mut Ui, icon, label: &str, accent: bool, enabled: bool, act: Act| {
            let shown = ui.add_enabled_ui(enabled, |ui| labelled_button(ui, icon, label, accent, style)).inner;
            if shown.on_hover_text(actions::hint(ui.ctx(), &act)).clicked() {
                acts.push(act);
            }
        };
        if has_run {
            let (icon, label) = if playing { (Icon::Pause, "Pause") } else { (Icon::Play, "Play") };
            // As wide with either word, so that what follows stays where it is.
            let width = ["Pause", "Play"].map(|word| labelled_width(ui, true, word)).into_iter().fold(0.0, f32::max);
            let gap = width - labelled_width(ui, true, label);
            button(ui, Some(icon), label, !needs_start, true, Act::Play);
            ui.add_space(gap);
            button(ui, None, "Step", false, true, Act::Step);
            button(ui, None, "Stop", false, live, Act::Stop);
            if training || fork_open || session.playback_rate().is_none() {
                button(ui, None, "Fork", false, training || fork_open, Act::Fork);
            }
            button(ui, Some(Icon::Restart), "Restart", needs_start, true, Act::Start);
        } else {
            button(ui, Some(Icon::Play), "Start", true, true, Act::Start);
        }
        ui.add_space(8.0);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            menus(session, ui, acts);
            // In the smallest window the menus come first: the seed is reached by making the window wider.
            if ui.available_width() > SEED {
                seed(session, ui, style, acts);
            }
            ui.add_space(8.0);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let (text, color) = if blocked {
                    ("another lab is training; Start asks before it ends it".to_owned(), style.warning)
                } else if !stale.is_empty() && has_run {
                    (format!("restart to apply: {}", stale.join(", ")), style.live)
                } else {
                    (progress(session), style.text)
                };
                if ui.available_width() > 24.0 {
                    ui.add(egui::Label::new(RichText::new(text).monospace().color(color)).truncate());
                }
            });
        });
    });
}

/// Room for the seed's field and its name.
const SEED: f32 = 128.0;

/// Where the run is, in one line.
fn progress(session: &Session) -> String {
    let run = &session.run;
    if run.header.is_none() {
        return "no run yet".to_owned();
    }
    let planned = session.planned_steps();
    let width = number::grouped(planned).chars().count();
    let step = if session.training() { run.step } else { session.play.cursor.step };
    let mut text = format!("step {:>width$} / {}", number::grouped(step), number::grouped(planned));
    if session.training() {
        match session.steps_per_second() {
            Some(rate) => {
                let left = number::duration(planned.saturating_sub(run.step) as f64 / rate);
                // What is cut first in a narrow window is what one misses least.
                text += &format!(" · {left} left · {} steps/s", number::short(rate));
                let samples = (session.lab.spec.samples_per_step)(&run.params) as f64;
                if samples > 0.0 {
                    text += &format!(" · {} samples/s", number::short(samples * rate));
                }
            }
            None => {
                let far = run.status.as_ref().and_then(Status::how_far);
                text += &format!(" · {}", far.as_deref().unwrap_or(word(run.status.as_ref())));
            }
        }
    } else {
        text += &format!(" · {:.1}×", session.play.speed);
    }
    text
}

fn seed(session: &Session, ui: &mut Ui, style: &Style, acts: &mut Vec<Act>) {
    let mut seed = session.seed;
    let bad = RefCell::new(None);
    let drag = DragValue::new(&mut seed).speed(0.1).update_while_editing(false).custom_parser(|text| {
        let parsed = number::parse_whole(text).and_then(|seed| match seed {
            0.0.. => Ok(seed),
            _ => Err("is below 0".to_owned()),
        });
        parsed.map_err(|why| *bad.borrow_mut() = Some(format!("seed: `{text}` {why}"))).ok()
    });
    let response = ui.add_sized(vec2(64.0, 24.0), drag).accessible_name("Seed");
    let response =
        response.on_hover_text("The seed of everything random in the next run. The same seed gives the same numbers.");
    ui.label(RichText::new("seed").color(style.text_weak));
    if let Some(problem) = bad.take() {
        acts.push(Act::Say(Level::Warning, problem));
    } else if response.changed() || response.drag_stopped() {
        acts.push(Act::Seed { seed, settled: !response.dragged() });
    }
}

/// From right to left: export, tiles, studies, presets.
fn menus(session: &Session, ui: &mut Ui, acts: &mut Vec<Act>) {
    let spec = session.lab.spec;
    let tiles = session.tiles();
    let mut entry = |ui: &mut Ui, label: &str, help: &str, act: Act| {
        let response = ui.button(label);
        let response = if help.is_empty() { response } else { response.on_hover_text(help) };
        if response.clicked() {
            acts.push(act);
        }
    };
    ui.menu_button("Export", |ui| {
        ui.set_min_width(240.0);
        for (tile, _) in tiles.iter().filter(|(_, shown)| *shown) {
            let act = Act::Figure(Some(tile.id.to_owned()));
            entry(ui, &format!("Figure: {}", tile.title), "As it is on the screen, as PNG", act);
        }
        ui.separator();
        let save = |format| Act::SaveFigure(format, None);
        entry(
            ui,
            "Figure in front as SVG",
            "Drawn anew, without its buttons; lines and text can be edited",
            save(FigureFile::Svg),
        );
        let animated = "Drawn anew from the first to the last step, as GIF; goes on in the background";
        entry(ui, "Figure in front as animation", animated, save(FigureFile::Gif));
        ui.separator();
        entry(ui, "Metrics as CSV", "One line for each step, key and value", Act::MetricsCsv);
        entry(ui, "Metrics as JSON", "Parameters, scalars and trajectories", Act::MetricsJson);
        let of_network = NetworkFile::ALL.into_iter().filter(|file| file.is_of(spec));
        for (index, file) in of_network.enumerate() {
            if index == 0 {
                ui.separator();
            }
            let help = match file {
                NetworkFile::Weights => "Of the newest checkpoint, with the names of PyTorch state dicts",
                NetworkFile::Features { csv: true, .. } => {
                    "Of the newest checkpoint: a line for each picture, with its class; goes on in the background"
                }
                NetworkFile::Features { csv: false, .. } => {
                    "Of the newest checkpoint: an array of NumPy's, and its labels beside it; goes on in the background"
                }
            };
            entry(ui, file.title(), help, Act::SaveNetwork(file));
        }
        ui.separator();
        entry(ui, "Screenshot of the window", "As PNG", Act::Screenshot);
    });
    ui.menu_button("Tiles", |ui| {
        ui.set_min_width(240.0);
        for (tile, shown) in &tiles {
            let (mut on, id) = (*shown, tile.id.to_owned());
            if ui.checkbox(&mut on, tile.title).on_hover_text(tile.help).changed() {
                acts.push(if on { Act::ShowTile(id) } else { Act::HideTile(id) });
            }
        }
        let mut entry = |ui: &mut Ui, label: &str, act: Act| {
            if ui.button(label).clicked() {
                acts.push(act);
            }
        };
        ui.separator();
        entry(ui, "Reset this layout", Act::ResetLayout);
        entry(ui, "Reset all layouts and panels", Act::ResetAllLayouts);
        ui.separator();
        entry(ui, "Show or hide the form", Act::Form);
        entry(ui, "Show or hide the guide", Act::Guide);
        entry(ui, "Next theme", Act::NextTheme);
        entry(ui, "Everything larger", Act::Resize { larger: true });
        entry(ui, "Everything smaller", Act::Resize { larger: false });
        entry(ui, "Size by the window's width", Act::SizeByWidth);
    });
    if ui.button("Runs").on_hover_text(actions::hint(ui.ctx(), &Act::Runs)).clicked() {
        acts.push(Act::Runs);
    }
    ui.menu_button("Study", |ui| {
        ui.set_min_width(280.0);
        let help = "Trains with every combination of the values of one or two parameters, each with several seeds";
        if ui.button("Sweep…").on_hover_text(help).clicked() {
            acts.push(Act::Sweep);
        }
        let help = "The numbers of the shown and the pinned runs, a run a row";
        if ui.button("Runs side by side").on_hover_text(help).clicked() {
            acts.push(Act::SideBySide);
        }
        if !spec.studies.is_empty() {
            ui.separator();
        }
        for study in spec.studies {
            if ui.button(study.title).on_hover_text(format!("{}\n\n{}", study.source, study.about)).clicked() {
                acts.push(Act::Study(study.id.to_owned()));
            }
        }
    });
    if !spec.presets.is_empty() {
        ui.menu_button("Preset", |ui| {
            ui.set_min_width(240.0);
            for preset in spec.presets {
                if ui.selectable_label(session.name == preset.id, preset.title).on_hover_text(preset.help).clicked() {
                    acts.push(Act::Preset(preset.id.to_owned()));
                    ui.close();
                }
            }
        });
    }
}
