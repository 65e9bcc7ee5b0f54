//! Everything that the user can do, once: the same table feeds the shortcuts, the command palette, the buttons and the
//! list of shortcuts. Nothing is mouse-only.

use std::rc::Rc;

use eframe::egui::{self, Key, KeyboardShortcut, Modifiers};

use super::closing::Next;
use super::presenter::Presenter;
use super::shell::Region;
use super::theme::ThemeChoice;
use super::{App, timeline};
use crate::compute::device::DeviceChoice;
use crate::engine::command::Command;
use crate::plot::number;

/// What an action does.
type Run = Rc<dyn Fn(&mut App, &egui::Context)>;

/// One thing that the user can do now.
#[derive(Clone)]
pub struct Action {
    /// Stable name.
    pub id: String,
    pub title: String,
    pub group: &'static str,
    /// The first one is shown; any of them works.
    pub keys: &'static [KeyboardShortcut],
    run: Run,
}

impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Action").field("id", &self.id).field("title", &self.title).finish_non_exhaustive()
    }
}

/// A row of the table of fixed actions.
struct Row {
    id: &'static str,
    title: &'static str,
    group: &'static str,
    keys: &'static [KeyboardShortcut],
    run: fn(&mut App, &egui::Context),
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

const fn row(
    id: &'static str,
    group: &'static str,
    title: &'static str,
    keys: &'static [KeyboardShortcut],
    run: fn(&mut App, &egui::Context),
) -> Row {
    Row { id, title, group, keys, run }
}

const RUN: &str = "Run";
const TIME: &str = "Timeline";
const FORM: &str = "Form";
const VIEW: &str = "View";
const WINDOW: &str = "Window";

static TABLE: &[Row] = &[
    row("run.play", RUN, "Play or pause", &[key(Key::Space)], |app, _| app.play_pause()),
    row(
        "run.start",
        RUN,
        "Start or restart the run, recorded in a folder of its own",
        &[ctrl(Key::Enter)],
        |app, _| {
            app.wish(Next::Restart(app.active));
        },
    ),
    row("run.step", RUN, "One training step", &[key(Key::N)], |app, _| app.single_step()),
    row("run.stop", RUN, "Stop the run", &[ctrl(Key::Period)], |app, _| app.backend.send(Command::Stop)),
    row("run.fork", RUN, "Fork the run: a twin goes on with one value changed", &[ctrl(Key::K)], |app, _| {
        app.fork.open ^= true;
    }),
    row("run.checkpoint", RUN, "Write a checkpoint now", &[ctrl(Key::S)], |app, _| {
        app.backend.send(Command::Checkpoint)
    }),
    row("time.back", TIME, "One step back", &[key(Key::ArrowLeft)], |app, _| app.step_by(-1)),
    row("time.forward", TIME, "One step forward", &[key(Key::ArrowRight)], |app, _| app.step_by(1)),
    row("time.back-10", TIME, "Ten steps back", &[shift(Key::ArrowLeft)], |app, _| app.step_by(-10)),
    row("time.forward-10", TIME, "Ten steps forward", &[shift(Key::ArrowRight)], |app, _| app.step_by(10)),
    row("time.sub-back", TIME, "One part of an update back", &[key(Key::Comma)], |app, _| {
        timeline::sub_step(app, false)
    }),
    row("time.sub-forward", TIME, "One part of an update forward", &[key(Key::Period)], |app, _| {
        timeline::sub_step(app, true)
    }),
    row("time.start", TIME, "Go to the first step", &[key(Key::Home)], |app, _| app.seek(0)),
    row("time.end", TIME, "Go to the last step", &[key(Key::End)], |app, _| app.seek(u64::MAX)),
    row("time.follow", TIME, "Follow the newest step", &[key(Key::F)], |app, _| {
        if let Some(session) = app.session() {
            session.play.follow = !session.play.follow;
            session.play.playing = false;
        }
    }),
    row("time.faster", TIME, "Play faster", &[key(Key::CloseBracket), key(Key::Plus), shift(Key::Plus)], |app, _| {
        app.change_speed(true)
    }),
    row("time.slower", TIME, "Play slower", &[key(Key::OpenBracket), key(Key::Minus)], |app, _| {
        app.change_speed(false)
    }),
    row("time.normal", TIME, "Play at normal speed", &[key(Key::Num0)], |app, _| {
        if let Some(session) = app.session() {
            session.play.speed = 1.0;
        }
    }),
    row("time.next-mark", TIME, "Go to the next mark", &[ctrl(Key::ArrowRight)], |app, _| app.seek_mark(true)),
    row("time.last-mark", TIME, "Go to the mark before", &[ctrl(Key::ArrowLeft)], |app, _| app.seek_mark(false)),
    row("form.undo", FORM, "Undo the last edit", &[ctrl(Key::Z)], |app, _| app.undo(false)),
    row("form.redo", FORM, "Redo the edit", &[ctrl_shift(Key::Z), ctrl(Key::Y)], |app, _| app.undo(true)),
    row("form.defaults", FORM, "Reset every parameter to its default", &[], |app, _| app.reset_form()),
    row("form.from-cursor", FORM, "Edits take effect from the cursor on", &[], |app, _| {
        if let Some(session) = app.session() {
            session.from_cursor = !session.from_cursor;
        }
    }),
    row("form.open", FORM, "Open a data file", &[ctrl(Key::O)], |app, _| app.open_data()),
    row("tiles.reset", VIEW, "Reset this layout", &[], |app, _| app.reset_layout(false)),
    row("tiles.reset-all", VIEW, "Reset all layouts and panels", &[], |app, _| app.reset_layout(true)),
    row("tiles.restore", VIEW, "Show all tiles side by side again", &[key(Key::Escape)], |app, _| {
        if let Some(session) = app.session() {
            session.layouts.maximised = None;
        }
    }),
    row("tiles.next", VIEW, "Maximise the next tile", &[key(Key::M)], |app, _| app.maximise_next()),
    row("view.form", VIEW, "Show or hide the form", &[ctrl(Key::B)], |app, _| app.settings.form_open ^= true),
    row("view.guide", VIEW, "Show or hide the guide", &[ctrl(Key::G)], |app, _| app.settings.guide_open ^= true),
    row("view.present", VIEW, "Present: one tile, full screen", &[key(Key::F5)], |app, ctx| {
        Presenter::toggle(app, ctx, None)
    }),
    row("focus.next", VIEW, "Keyboard to the next part of the window", &[key(Key::F6)], |app, _| {
        app.focus = Some(app.focused.map_or(Region::Form, Region::next));
    }),
    row("focus.form", VIEW, "Keyboard to the form", &[], |app, _| app.focus = Some(Region::Form)),
    row("focus.timeline", VIEW, "Keyboard to the timeline", &[], |app, _| app.focus = Some(Region::Timeline)),
    row("focus.guide", VIEW, "Keyboard to the guide", &[], |app, _| app.focus = Some(Region::Guide)),
    row("export.screenshot", WINDOW, "Screenshot of the window as PNG", &[key(Key::F12)], |app, ctx| {
        app.screenshot(ctx)
    }),
    row("export.figure", WINDOW, "Export the figure in front as PNG", &[ctrl(Key::E)], |app, _| app.export_front()),
    row("export.csv", WINDOW, "Export the metrics as CSV", &[], |app, _| app.export_metrics(false)),
    row("export.json", WINDOW, "Export the metrics as JSON", &[], |app, _| app.export_metrics(true)),
    row("window.palette", WINDOW, "Command palette", &[ctrl(Key::P)], |app, _| app.palette.toggle()),
    row("window.metrics", WINDOW, "Metrics: any recorded number against the step", &[ctrl(Key::M)], |app, _| {
        app.metrics.open ^= true;
    }),
    row("window.runs", WINDOW, "Runs: open, go on with or delete what was recorded", &[ctrl(Key::R)], |app, _| {
        app.toggle_runs();
    }),
    row("window.help", WINDOW, "Keyboard shortcuts", &[key(Key::F1)], |app, _| app.help_open ^= true),
    row("window.notices", WINDOW, "Show or hide the notices", &[ctrl_shift(Key::N)], |app, _| app.notices.open ^= true),
    row("window.dismiss", WINDOW, "Close all toasts", &[], |app, _| app.notices.dismiss()),
    row("window.theme", WINDOW, "Next theme", &[ctrl_shift(Key::T)], |app, _| {
        let at = ThemeChoice::ALL.iter().position(|theme| *theme == app.settings.theme).unwrap_or(0);
        app.settings.theme = ThemeChoice::ALL[(at + 1) % ThemeChoice::ALL.len()];
    }),
    row("window.fullscreen", WINDOW, "Full screen", &[key(Key::F11)], |_, ctx| {
        let on = ctx.input(|input| input.viewport().fullscreen.unwrap_or(false));
        ctx.send_viewport_cmd(egui::ViewportCommand::Fullscreen(!on));
    }),
    row("window.quit", WINDOW, "Quit", &[ctrl(Key::Q)], |app, _| app.leave()),
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
pub fn all(app: &mut App) -> Vec<Action> {
    let mut out: Vec<Action> = TABLE
        .iter()
        .map(|row| Action {
            id: row.id.to_owned(),
            title: row.title.to_owned(),
            group: row.group,
            keys: row.keys,
            run: Rc::new(row.run),
        })
        .collect();
    let mut add = |id: String, title: String, group: &'static str, run: Run| {
        out.push(Action { id, title, group, keys: &[], run });
    };
    for theme in ThemeChoice::ALL {
        let run = move |app: &mut App, _: &egui::Context| app.settings.theme = theme;
        add(format!("theme.{theme:?}").to_lowercase(), format!("Theme: {}", theme.title()), WINDOW, Rc::new(run));
    }
    for choice in device_choices(app) {
        let title = format!("Device: {}", device_title(&choice));
        add(format!("device.{choice}"), title, RUN, Rc::new(move |app, _| app.choose_device(choice.clone())));
    }
    if let Some(session) = app.session() {
        let spec = session.lab.spec;
        for preset in spec.presets {
            add(
                format!("preset.{}", preset.id),
                format!("Preset: {}", preset.title),
                RUN,
                Rc::new(move |app, _| app.preset(preset.id)),
            );
        }
        for study in spec.studies {
            let title = format!("Study: {}", study.title);
            add(format!("study.{}", study.id), title, RUN, Rc::new(move |app, _| app.begin_study(study)));
        }
        let arrangement = session.view.arrangement(&session.params);
        for (tile, shown) in session.layouts.shown(&arrangement) {
            let verb = if shown { "Hide" } else { "Show" };
            let title = format!("{verb} tile: {}", tile.title);
            add(format!("tile.toggle.{}", tile.id), title, VIEW, Rc::new(move |app, _| app.show_tile(tile.id, !shown)));
            let title = format!("Maximise tile: {}", tile.title);
            add(format!("tile.maximise.{}", tile.id), title, VIEW, Rc::new(move |app, _| app.maximise(tile.id)));
            let title = format!("Present tile: {}", tile.title);
            let run = move |app: &mut App, ctx: &egui::Context| Presenter::toggle(app, ctx, Some(tile.id));
            add(format!("tile.present.{}", tile.id), title, VIEW, Rc::new(run));
            let title = format!("Export figure: {}", tile.title);
            add(format!("tile.export.{}", tile.id), title, WINDOW, Rc::new(move |app, _| app.export_figure(tile.id)));
        }
        for (id, title) in session.view.commands() {
            let run = move |app: &mut App, ctx: &egui::Context| app.lab_command(id, ctx);
            add(format!("lab.{id}"), title.to_owned(), VIEW, Rc::new(run));
        }
    }
    for (index, session) in app.sessions.iter().enumerate() {
        let spec = session.lab.spec;
        let keys = NUMBERS.get(index).map_or(&[][..], |keys| keys);
        let run: Run = Rc::new(move |app, _| app.open_lab(index));
        out.push(Action {
            id: format!("open.{}", spec.id),
            title: format!("Lab: {}", spec.title),
            group: VIEW,
            keys,
            run,
        });
    }
    out
}

/// Actions that a number in the palette's text asks for: any step, any speed.
pub fn with_number(query: &str) -> Vec<Action> {
    let Some(word) = query.split_whitespace().last() else { return Vec::new() };
    let mut out = Vec::new();
    let mut add = |id: &str, title: String, run: Run| {
        out.push(Action { id: id.to_owned(), title, group: TIME, keys: &[], run });
    };
    if let Some(number) = number::parse_whole(word).ok().filter(|number| *number >= 0.0) {
        add("time.seek", format!("Go to step {number}"), Rc::new(move |app, _| app.seek(number as u64)));
    }
    let (slowest, fastest) = super::playback::SPEEDS;
    if let Some(number) = number::parse(word).ok().filter(|number| (slowest..=fastest).contains(number)) {
        let run = move |app: &mut App, _: &egui::Context| {
            if let Some(session) = app.session() {
                session.play.speed = number;
            }
        };
        add("time.speed", format!("Play at speed {number}"), Rc::new(run));
    }
    out
}

impl Action {
    /// Does it.
    pub fn run(&self, app: &mut App, ctx: &egui::Context) {
        (self.run)(app, ctx);
    }
}

/// Runs the action with this id; `false`: it does not exist now.
pub fn run(app: &mut App, ctx: &egui::Context, id: &str) -> bool {
    if let Some(row) = TABLE.iter().find(|row| row.id == id) {
        (row.run)(app, ctx);
        return true;
    }
    let found = all(app).into_iter().find(|action| action.id == id);
    found.as_ref().inspect(|action| (action.run)(app, ctx)).is_some()
}

/// The shortcut of a fixed action in words, e.g. `Ctrl+P`.
pub fn shortcut_text(ctx: &egui::Context, id: &str) -> String {
    let keys = TABLE.iter().find(|row| row.id == id).and_then(|row| row.keys.first());
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
pub fn hint(ctx: &egui::Context, id: &str) -> String {
    let title = TABLE.iter().find(|row| row.id == id).map_or("", |row| row.title);
    match shortcut_text(ctx, id) {
        keys if keys.is_empty() => title.to_owned(),
        keys => format!("{title} ({keys})"),
    }
}

/// Runs what the keyboard asks for. Keys without Ctrl are left to a field that is being edited.
pub fn run_shortcuts(app: &mut App, ctx: &egui::Context) {
    if app.palette.open || app.closing.asks() {
        return;
    }
    if app.presenter.is_some() && Presenter::keys(app, ctx) {
        return;
    }
    let focused = ctx.memory(|memory| memory.focused());
    let typing = focused.is_some_and(|id| id != timeline::id()) || egui::Popup::is_any_open(ctx);
    let mut hits = Vec::new();
    let view = app.sessions.get(app.active).map(|session| &session.view);
    ctx.input_mut(|input| {
        let wanted = |modifiers: Modifiers, pressed: Key| {
            let fixed = TABLE.iter().flat_map(|row| row.keys.iter().map(|keys| (row.id.to_owned(), keys)));
            let labs =
                NUMBERS.iter().enumerate().flat_map(|(i, keys)| keys.iter().map(move |keys| (format!("#{i}"), keys)));
            fixed.chain(labs).find(|(_, keys)| keys.logical_key == pressed && modifiers.matches_exact(keys.modifiers))
        };
        input.events.retain(|event| {
            let egui::Event::Key { key, pressed: true, modifiers, .. } = event else { return true };
            let Some((id, keys)) = wanted(*modifiers, *key) else { return true };
            if view.is_some_and(|view| view.takes_key(*modifiers, *key)) {
                return true;
            }
            let plain = !keys.modifiers.command && !keys.modifiers.ctrl && !is_function_key(*key);
            // Text fields have an undo of their own.
            let edits_text = typing && matches!(key, Key::Z | Key::Y | Key::ArrowLeft | Key::ArrowRight);
            if (plain || edits_text) && typing {
                return true;
            }
            hits.push(id);
            false
        });
    });
    for id in hits {
        match id.strip_prefix('#').and_then(|index| index.parse().ok()) {
            Some(index) => app.open_lab(index),
            None => {
                run(app, ctx, &id);
            }
        }
    }
}

fn is_function_key(key: Key) -> bool {
    matches!(key, Key::F1 | Key::F5 | Key::F6 | Key::F11 | Key::F12)
}

/// Devices that can be chosen: automatic, each adapter, CPU.
pub fn device_choices(app: &App) -> Vec<DeviceChoice> {
    let adapters = app.devices.iter().flatten().map(|device| DeviceChoice::Gpu(device.name.clone()));
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
    fn ids_and_shortcuts_are_unique() {
        let ids: HashSet<_> = TABLE.iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), TABLE.len());
        let mut keys = HashSet::new();
        for shortcut in TABLE.iter().flat_map(|row| row.keys).chain(NUMBERS.iter().flatten()) {
            assert!(keys.insert(format!("{shortcut:?}")), "{shortcut:?} is taken twice");
        }
    }
}
