//! Everything that the user can do, once: the same table feeds the shortcuts, the command palette, the buttons and the
//! list of shortcuts. Nothing is mouse-only.

use eframe::egui::{self, Key, KeyboardShortcut, Modifiers};

use super::act::{Act, FigureFile, NetworkFile, Region};
use super::playback::SPEEDS;
use super::state::State;
use super::theme::ThemeChoice;
use super::widgets::timeline_id;
use crate::compute::device::DeviceChoice;
use crate::plot::number;

/// One thing that the user can do now.
#[derive(Debug, Clone)]
pub struct Action {
    pub title: String,
    pub group: &'static str,
    /// The first one is shown; any of them works.
    pub keys: &'static [KeyboardShortcut],
    pub act: Act,
}

/// A row of the table of fixed actions.
#[derive(Debug)]
pub struct Row {
    group: &'static str,
    title: &'static str,
    keys: &'static [KeyboardShortcut],
    pub act: Act,
}

const fn key(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

const fn shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::SHIFT, key)
}

const fn ctrl(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

const fn ctrl_shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), key)
}

const fn row(group: &'static str, title: &'static str, keys: &'static [KeyboardShortcut], act: Act) -> Row {
    Row { group, title, keys, act }
}

const RUN: &str = "Run";
const TIME: &str = "Timeline";
const FORM: &str = "Form";
const VIEW: &str = "View";
const WINDOW: &str = "Window";

const fn save(index: usize) -> Act {
    Act::SaveNetwork(NetworkFile::ALL[index])
}

/// The actions that are there at any time.
pub static TABLE: &[Row] = &[
    row(RUN, "Play or pause", &[key(Key::Space)], Act::Play),
    row(RUN, "Start or restart the run, recorded in a folder of its own", &[ctrl(Key::Enter)], Act::Start),
    row(RUN, "One training step", &[key(Key::N)], Act::Step),
    row(RUN, "Stop the run", &[ctrl(Key::Period)], Act::Stop),
    row(RUN, "Fork the run: a twin goes on with one value changed", &[ctrl(Key::K)], Act::Fork),
    row(RUN, "Sweep…: train with every combination of the values of one or two parameters", &[], Act::Sweep),
    row(RUN, "Write a checkpoint now", &[ctrl(Key::S)], Act::Checkpoint),
    row(TIME, "One step back", &[key(Key::ArrowLeft)], Act::Move(-1)),
    row(TIME, "One step forward", &[key(Key::ArrowRight)], Act::Move(1)),
    row(TIME, "Ten steps back", &[shift(Key::ArrowLeft)], Act::Move(-10)),
    row(TIME, "Ten steps forward", &[shift(Key::ArrowRight)], Act::Move(10)),
    row(TIME, "One part of an update back", &[key(Key::Comma)], Act::Part { forward: false }),
    row(TIME, "One part of an update forward", &[key(Key::Period)], Act::Part { forward: true }),
    row(TIME, "Go to the first step", &[key(Key::Home)], Act::Seek(0)),
    row(TIME, "Go to the last step", &[key(Key::End)], Act::Seek(u64::MAX)),
    row(TIME, "Follow the newest step", &[key(Key::F)], Act::Follow),
    row(
        TIME,
        "Play faster",
        &[key(Key::CloseBracket), key(Key::Plus), shift(Key::Plus)],
        Act::ChangeSpeed { faster: true },
    ),
    row(TIME, "Play slower", &[key(Key::OpenBracket), key(Key::Minus)], Act::ChangeSpeed { faster: false }),
    row(TIME, "Play at normal speed", &[key(Key::Num0)], Act::Speed(1.0)),
    row(TIME, "Go to the next mark", &[ctrl(Key::ArrowRight)], Act::Mark { forward: true }),
    row(TIME, "Go to the mark before", &[ctrl(Key::ArrowLeft)], Act::Mark { forward: false }),
    row(FORM, "Undo the last change", &[ctrl(Key::Z)], Act::Undo),
    row(FORM, "Redo the change", &[ctrl_shift(Key::Z), ctrl(Key::Y)], Act::Redo),
    row(FORM, "Reset every parameter to its default", &[], Act::Defaults),
    row(FORM, "Edits take effect from the cursor on", &[], Act::FromCursor),
    row(FORM, "Open a data file", &[ctrl(Key::O)], Act::OpenData),
    row(VIEW, "Reset this layout", &[], Act::ResetLayout),
    row(VIEW, "Reset all layouts and panels", &[], Act::ResetAllLayouts),
    row(VIEW, "Show all tiles side by side again", &[key(Key::Escape)], Act::RestoreTiles),
    row(VIEW, "Maximise the next tile", &[key(Key::M)], Act::MaximiseNext),
    row(VIEW, "Show or hide the form", &[ctrl(Key::B)], Act::Form),
    row(VIEW, "Show or hide the guide", &[ctrl(Key::G)], Act::Guide),
    row(VIEW, "Present: one tile, full screen", &[key(Key::F5)], Act::Present(None)),
    row(VIEW, "Keyboard to the next part of the window", &[key(Key::F6)], Act::FocusNext),
    row(VIEW, "Keyboard to the form", &[], Act::Focus(Region::Form)),
    row(VIEW, "Keyboard to the timeline", &[], Act::Focus(Region::Timeline)),
    row(VIEW, "Keyboard to the guide", &[], Act::Focus(Region::Guide)),
    row(WINDOW, "Copy scene as code", &[], Act::CopyScene),
    row(WINDOW, "Save scene as file", &[], Act::SaveScene),
    row(WINDOW, "Open scene from code", &[], Act::PasteScene),
    row(WINDOW, "Open scene from file", &[], Act::ChooseScene),
    row(WINDOW, "Screenshot of the window as PNG", &[key(Key::F12)], Act::Screenshot),
    row(WINDOW, "Export the figure in front as PNG", &[ctrl(Key::E)], Act::Figure(None)),
    row(WINDOW, "Save the figure in front as SVG", &[], Act::SaveFigure(FigureFile::Svg, None)),
    row(WINDOW, "Save the figure in front as an animation (GIF)", &[], Act::SaveFigure(FigureFile::Gif, None)),
    row(WINDOW, "Save weights of the run as safetensors", &[], save(0)),
    row(WINDOW, "Save features of test pictures as NPY", &[], save(1)),
    row(WINDOW, "Save features of test pictures as CSV", &[], save(2)),
    row(WINDOW, "Save features of training pictures as NPY", &[], save(3)),
    row(WINDOW, "Save features of training pictures as CSV", &[], save(4)),
    row(WINDOW, "Stop what is being saved", &[], Act::StopFigures),
    row(WINDOW, "Export the metrics as CSV", &[], Act::MetricsCsv),
    row(WINDOW, "Export the metrics as JSON", &[], Act::MetricsJson),
    row(WINDOW, "Command palette", &[ctrl(Key::P)], Act::Palette),
    row(WINDOW, "Metrics: any recorded number against the step", &[ctrl(Key::M)], Act::Metrics),
    row(WINDOW, "Runs side by side: the numbers of the shown and the pinned runs", &[], Act::SideBySide),
    row(WINDOW, "Runs: open, go on with or delete what was recorded", &[ctrl(Key::R)], Act::Runs),
    row(WINDOW, "Keyboard shortcuts", &[key(Key::F1)], Act::Help),
    row(WINDOW, "Show or hide the notices", &[ctrl_shift(Key::N)], Act::Notices),
    row(WINDOW, "Close all toasts", &[], Act::Dismiss),
    row(WINDOW, "Next theme", &[ctrl_shift(Key::T)], Act::NextTheme),
    row(
        WINDOW,
        "Everything larger",
        &[ctrl(Key::Plus), ctrl_shift(Key::Plus), ctrl(Key::Equals)],
        Act::Resize { larger: true },
    ),
    row(WINDOW, "Everything smaller", &[ctrl(Key::Minus)], Act::Resize { larger: false }),
    row(WINDOW, "Everything as large as the window's width asks for", &[ctrl(Key::Num0)], Act::SizeByWidth),
    row(WINDOW, "Full screen", &[key(Key::F11)], Act::Fullscreen),
    row(WINDOW, "Quit", &[ctrl(Key::Q)], Act::Quit),
];

static NUMBERS: [[KeyboardShortcut; 1]; 9] = [
    [key(Key::Num1)],
    [key(Key::Num2)],
    [key(Key::Num3)],
    [key(Key::Num4)],
    [key(Key::Num5)],
    [key(Key::Num6)],
    [key(Key::Num7)],
    [key(Key::Num8)],
    [key(Key::Num9)],
];

/// Everything that can be done now: the table, and what the labs, tiles, presets and devices of the moment add.
pub fn all(state: &State) -> Vec<Action> {
    let fixed = TABLE.iter();
    let mut out: Vec<Action> = fixed
        .map(|row| Action { title: row.title.to_owned(), group: row.group, keys: row.keys, act: row.act.clone() })
        .collect();
    let mut add = |title: String, group, act| out.push(Action { title, group, keys: &[], act });
    for theme in ThemeChoice::ALL {
        add(format!("Theme: {}", theme.title()), WINDOW, Act::Theme(theme));
    }
    for choice in device_choices(state) {
        add(format!("Device: {}", device_title(&choice)), RUN, Act::Device(choice));
    }
    if let Some(session) = state.front() {
        for preset in session.lab.spec.presets {
            add(format!("Preset: {}", preset.title), RUN, Act::Preset(preset.id.to_owned()));
        }
        for study in session.lab.spec.studies {
            add(format!("Study: {}", study.title), RUN, Act::Study(study.id.to_owned()));
        }
        for (tile, shown) in session.tiles() {
            let id = || tile.id.to_owned();
            let (verb, act) = if shown { ("Hide", Act::HideTile(id())) } else { ("Show", Act::ShowTile(id())) };
            add(format!("{verb} tile: {}", tile.title), VIEW, act);
            add(format!("Maximise tile: {}", tile.title), VIEW, Act::Maximise(id()));
            add(format!("Present tile: {}", tile.title), VIEW, Act::Present(Some(id())));
            add(format!("Export figure: {}", tile.title), WINDOW, Act::Figure(Some(id())));
            let save = |format| Act::SaveFigure(format, Some(id()));
            add(format!("Save as SVG: {}", tile.title), WINDOW, save(FigureFile::Svg));
            if tile.follows_cursor {
                add(format!("Save as an animation (GIF): {}", tile.title), WINDOW, save(FigureFile::Gif));
            }
        }
        let known = session.view.keys();
        for (id, title) in session.view.commands() {
            let keys = known.iter().find(|(of, _)| *of == id).map_or(&[][..], |(_, keys)| keys);
            out.push(Action { title: title.to_owned(), group: VIEW, keys, act: Act::LabCommand(id.to_owned()) });
        }
    }
    for (index, session) in state.sessions.iter().enumerate() {
        let spec = session.lab.spec;
        let keys = NUMBERS.get(index).map_or(&[][..], |keys| keys);
        out.push(Action {
            title: format!("Lab: {}", spec.title),
            group: VIEW,
            keys,
            act: Act::Lab(spec.id.to_owned()),
        });
    }
    out
}

/// Actions that a number in the palette's text asks for: any step, any speed.
pub fn with_number(query: &str) -> Vec<Action> {
    let Some(word) = query.split_whitespace().last() else { return Vec::new() };
    let mut out = Vec::new();
    let mut add = |title: String, act| out.push(Action { title, group: TIME, keys: &[], act });
    if let Some(number) = number::parse_whole(word).ok().filter(|number| *number >= 0.0) {
        add(format!("Go to step {number}"), Act::Seek(number as u64));
    }
    if let Some(number) = number::parse(word).ok().filter(|number| (SPEEDS.0..=SPEEDS.1).contains(number)) {
        add(format!("Play at speed {number}"), Act::Speed(number));
    }
    out
}

/// The shortcut of an action of the table in words, e.g. `Ctrl+P`.
pub fn shortcut_text(ctx: &egui::Context, act: &Act) -> String {
    let keys = TABLE.iter().find(|row| row.act == *act).and_then(|row| row.keys.first());
    keys.map_or_else(String::new, |keys| words(ctx, keys))
}

/// A shortcut as it stands on the keys: `Ctrl+P`, `Shift+←`, `[`.
pub fn words(ctx: &egui::Context, keys: &KeyboardShortcut) -> String {
    let key = match keys.logical_key {
        Key::ArrowLeft => "←",
        Key::ArrowRight => "→",
        Key::ArrowUp => "↑",
        Key::ArrowDown => "↓",
        Key::Escape => "Esc",
        other => other.symbol_or_name(),
    };
    match ctx.format_modifiers(keys.modifiers) {
        modifiers if modifiers.is_empty() => key.to_owned(),
        modifiers => format!("{modifiers}+{key}"),
    }
}

/// A tooltip: what, and the key for it.
pub fn hint(ctx: &egui::Context, act: &Act) -> String {
    let title = TABLE.iter().find(|row| row.act == *act).map_or("", |row| row.title);
    match shortcut_text(ctx, act) {
        keys if keys.is_empty() => title.to_owned(),
        keys => format!("{title} ({keys})"),
    }
}

/// What the keyboard asks for. Keys without Ctrl are left to a field that is being edited.
pub fn shortcuts(state: &State, ctx: &egui::Context, acts: &mut Vec<Act>) {
    let focused = ctx.memory(|memory| memory.focused());
    let typing = focused.is_some_and(|id| id != timeline_id()) || egui::Popup::is_any_open(ctx);
    let view = state.front().map(|session| &session.view);
    let fixed = || TABLE.iter().flat_map(|row| row.keys.iter().map(|keys| (keys, row.act.clone())));
    let labs = || {
        let labs = NUMBERS.iter().flatten().zip(&state.sessions);
        labs.map(|(keys, session)| (keys, Act::Lab(session.lab.spec.id.to_owned())))
    };
    let of_view = view.map(|view| view.keys()).unwrap_or_default();
    let own =
        || of_view.iter().flat_map(|(id, keys)| keys.iter().map(|keys| (keys, Act::LabCommand((*id).to_owned()))));
    ctx.input_mut(|input| {
        input.events.retain(|event| {
            let egui::Event::Key { key, pressed: true, modifiers, .. } = event else { return true };
            let is_pressed =
                |keys: &KeyboardShortcut| keys.logical_key == *key && modifiers.matches_exact(keys.modifiers);
            let Some((keys, act)) = fixed().chain(labs()).chain(own()).find(|(keys, _)| is_pressed(keys)) else {
                return true;
            };
            if view.is_some_and(|view| view.takes_key(*modifiers, *key)) {
                return true;
            }
            // Escape is left to what a tile has opened, where no tile is maximised.
            if act == Act::RestoreTiles && state.front().is_none_or(|session| session.layouts.maximised.is_none()) {
                return true;
            }
            let plain = !keys.modifiers.command && !keys.modifiers.ctrl && !is_function_key(*key);
            // Text fields have an undo of their own.
            let edits_text = typing && matches!(key, Key::Z | Key::Y | Key::ArrowLeft | Key::ArrowRight);
            if (plain || edits_text) && typing {
                return true;
            }
            acts.push(act);
            false
        });
    });
}

fn is_function_key(key: Key) -> bool {
    matches!(key, Key::F1 | Key::F5 | Key::F6 | Key::F11 | Key::F12)
}

/// Devices that can be chosen: automatic, each adapter, CPU.
pub fn device_choices(state: &State) -> Vec<DeviceChoice> {
    let adapters = state.devices.iter().flatten().map(|device| DeviceChoice::Gpu(device.name.clone()));
    let mut out: Vec<DeviceChoice> = std::iter::once(DeviceChoice::Automatic).chain(adapters).collect();
    out.dedup();
    out.push(DeviceChoice::Cpu);
    out
}

/// A choice of device in words.
pub fn device_title(choice: &DeviceChoice) -> String {
    match choice {
        DeviceChoice::Automatic => "automatic".to_owned(),
        DeviceChoice::Cpu => "CPU".to_owned(),
        DeviceChoice::Gpu(name) if name.is_empty() => "any GPU".to_owned(),
        DeviceChoice::Gpu(name) => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn acts_and_shortcuts_are_unique() {
        let acts: HashSet<_> = TABLE.iter().map(|row| row.act.to_string()).collect();
        assert_eq!(acts.len(), TABLE.len());
        let mut keys = HashSet::new();
        for shortcut in TABLE.iter().flat_map(|row| row.keys).chain(NUMBERS.iter().flatten()) {
            assert!(keys.insert(format!("{shortcut:?}")), "{shortcut:?} is taken twice");
        }
    }
}
