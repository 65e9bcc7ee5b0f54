//! An act as one line of text, `form.set learning_rate=0.05`, and back: a script of such lines drives the window.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::act::{Act, Choice, FigureFile, NetworkFile, Region, StudyFile};
use super::actions;
use super::theme::ThemeChoice;
use crate::engine::event::Level;
use crate::engine::params::{Value, nearest};
use crate::kit::export::Part;
use crate::kit::view::Cursor;

/// What needs no more than its name and is not in the table of actions.
static OTHERS: &[Act] = &[
    Act::CloseFailure,
    Act::PresentBlack,
    Act::StudyStop,
    Act::StudyGoOn,
    Act::StudyLeave,
    Act::StudyAgain,
    Act::StudySave(StudyFile::Text),
    Act::StudySave(StudyFile::Csv),
    Act::StudySave(StudyFile::Picture),
    Act::StudySave(StudyFile::Vectors),
    Act::StudySave(StudyFile::FigureCsv),
    Act::StudyCopy,
    Act::PinStudy,
    Act::Theme(ThemeChoice::Dark),
    Act::Theme(ThemeChoice::Light),
    Act::Theme(ThemeChoice::HighContrast),
    Act::Theme(ThemeChoice::System),
    Act::Answer(Choice::Stay),
    Act::Answer(Choice::Save),
    Act::Answer(Choice::Draft),
    Act::Answer(Choice::Stop),
    Act::Answer(Choice::TryAgain),
    Act::Answer(Choice::GiveUp),
];

/// The names of what needs more than that.
const LONGER: &str = "lab lab.do run.twin run.device run.preset time.move time.seek time.place time.speed form.set \
                      form.drag form.refuse form.seed form.drag-seed form.remove-change form.browse form.path tiles.show \
                      tiles.hide tiles.bring tiles.maximise talk.move study study.seeds study.load sweep.over sweep.cell runs.pin runs.unpin runs.pinned-by runs.open runs.go-on \
                      runs.show-folder runs.copy-path runs.delete scene.show export.text \
                      window.say";

/// What is known by its text as a whole.
fn plain() -> impl Iterator<Item = &'static Act> {
    actions::TABLE.iter().map(|row| &row.act).chain(OTHERS)
}

impl fmt::Display for Act {
    /// Words with spaces, and texts that would read as something else, stand in quotes as in JSON. What of a path is not
    /// Unicode is lost.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = |path: &Path| word(&path.to_string_lossy());
        f.write_str(match self {
            Act::Lab(id) => return write!(f, "lab {}", word(id)),
            Act::LabCommand(id) => return write!(f, "lab.do {}", word(id)),
            Act::Play => "run.play",
            Act::Start => "run.start",
            Act::Step => "run.step",
            Act::Stop => "run.stop",
            Act::Checkpoint => "run.checkpoint",
            Act::Twin(key, value) => return write!(f, "run.twin {key}={}", written(value)),
            Act::Device(device) => return write!(f, "run.device {}", word(&device.to_string())),
            Act::Preset(id) => return write!(f, "run.preset {}", word(id)),
            Act::CloseFailure => "run.close-failure",
            Act::Move(steps) => return write!(f, "time.move {steps}"),
            Act::Part { forward: false } => "time.part-back",
            Act::Part { forward: true } => "time.part-forward",
            Act::Seek(u64::MAX) => "time.seek end",
            Act::Seek(step) => return write!(f, "time.seek {step}"),
            Act::Place(Cursor { step, sub }) => return write!(f, "time.place {step} {sub}"),
            Act::Mark { forward: false } => "time.last-mark",
            Act::Mark { forward: true } => "time.next-mark",
            Act::Follow => "time.follow",
            Act::ChangeSpeed { faster: false } => "time.slower",
            Act::ChangeSpeed { faster: true } => "time.faster",
            Act::Speed(speed) => return write!(f, "time.speed {speed:?}"),
            Act::Set { key, value, settled: true } => return write!(f, "form.set {key}={}", written(value)),
            Act::Set { key, value, settled: false } => return write!(f, "form.drag {key}={}", written(value)),
            Act::Refuse(key, text) => return write!(f, "form.refuse {} {}", word(key), word(text)),
            Act::Seed { seed, settled: true } => return write!(f, "form.seed {seed}"),
            Act::Seed { seed, settled: false } => return write!(f, "form.drag-seed {seed}"),
            Act::Undo => "form.undo",
            Act::Redo => "form.redo",
            Act::Defaults => "form.defaults",
            Act::FromCursor => "form.from-cursor",
            Act::RemoveChange(index) => return write!(f, "form.remove-change {index}"),
            Act::OpenData => "form.open",
            Act::Browse(key) => return write!(f, "form.browse {}", word(key)),
            Act::UsePath { lab, key, path: to } => {
                return write!(f, "form.path {} {} {}", word(lab), word(key), path(to));
            }
            Act::ShowTile(id) => return write!(f, "tiles.show {}", word(id)),
            Act::HideTile(id) => return write!(f, "tiles.hide {}", word(id)),
            Act::BringTile(id) => return write!(f, "tiles.bring {}", word(id)),
            Act::Maximise(id) => return write!(f, "tiles.maximise {}", word(id)),
            Act::MaximiseNext => "tiles.next",
            Act::RestoreTiles => "tiles.restore",
            Act::ResetLayout => "tiles.reset",
            Act::ResetAllLayouts => "tiles.reset-all",
            Act::Form => "view.form",
            Act::Guide => "view.guide",
            Act::Present(None) => "view.present",
            Act::Present(Some(id)) => return write!(f, "view.present {}", word(id)),
            Act::PresentNext(by) => return write!(f, "talk.move {by}"),
            Act::PresentBlack => "talk.black",
            Act::Focus(Region::Form) => "focus.form",
            Act::Focus(Region::Timeline) => "focus.timeline",
            Act::Focus(Region::Guide) => "focus.guide",
            Act::FocusNext => "focus.next",
            Act::Study(id) => return write!(f, "study {}", word(id)),
            Act::StudyStop => "study.stop",
            Act::StudyGoOn => "study.go-on",
            Act::StudyLeave => "study.leave",
            Act::StudyAgain => "study.again",
            Act::StudySeeds(count, first) => return write!(f, "study.seeds {count} {first}"),
            Act::StudyLoad(row) => return write!(f, "study.load {row}"),
            Act::StudySave(StudyFile::Text) => "study.text",
            Act::StudySave(StudyFile::Csv) => "study.csv",
            Act::StudySave(StudyFile::Picture) => "study.picture",
            Act::StudySave(StudyFile::FigureCsv) => "study.figure-csv",
            Act::StudySave(StudyFile::Vectors) => "study.svg",
            Act::StudyCopy => "study.copy",
            Act::Sweep => "sweep",
            Act::Pin { folder, on } => return write!(f, "runs.{} {}", if *on { "pin" } else { "unpin" }, path(folder)),
            Act::PinnedBy(key) => return write!(f, "runs.pinned-by {}", word(key)),
            Act::PinStudy => "study.pin",
            Act::SideBySide => "window.side-by-side",
            Act::SweepOver { over, seeds, first } => {
                write!(f, "sweep.over {seeds} {first}")?;
                return over.iter().try_for_each(|axis| write!(f, " {}", word(axis)));
            }
            Act::SweepCell(cell) => return write!(f, "sweep.cell {cell}"),
            Act::OpenRun(run) => return write!(f, "runs.open {}", path(run)),
            Act::GoOn(run) => return write!(f, "runs.go-on {}", path(run)),
            Act::ShowFolder(run) => return write!(f, "runs.show-folder {}", path(run)),
            Act::CopyPath(run) => return write!(f, "runs.copy-path {}", path(run)),
            Act::DeleteRun(run) => return write!(f, "runs.delete {}", path(run)),
            Act::CopyScene => "scene.copy",
            Act::SaveScene => "scene.save",
            Act::ChooseScene => "scene.choose",
            Act::PasteScene => "scene.paste",
            Act::ShowScene(code) => return write!(f, "scene.show {}", word(code)),
            Act::Screenshot => "export.screenshot",
            Act::Figure(None) => "export.figure",
            Act::Figure(Some(id)) => return write!(f, "export.figure {}", word(id)),
            Act::SaveFigure(format, None) => return write!(f, "export.{}", format.suffix()),
            Act::SaveFigure(format, Some(id)) => return write!(f, "export.{} {}", format.suffix(), word(id)),
            Act::SaveNetwork(NetworkFile::Weights) => "export.weights",
            Act::SaveNetwork(NetworkFile::Features { part: Part::Test, csv: false }) => "export.features-test-npy",
            Act::SaveNetwork(NetworkFile::Features { part: Part::Test, csv: true }) => "export.features-test-csv",
            Act::SaveNetwork(NetworkFile::Features { part: Part::Train, csv: false }) => "export.features-train-npy",
            Act::SaveNetwork(NetworkFile::Features { part: Part::Train, csv: true }) => "export.features-train-csv",
            Act::StopFigures => "export.stop",
            Act::MetricsCsv => "export.csv",
            Act::MetricsJson => "export.json",
            Act::SaveText { name, text } => return write!(f, "export.text {} {}", word(name), word(text)),
            Act::Palette => "window.palette",
            Act::Fork => "run.fork",
            Act::Metrics => "window.metrics",
            Act::Runs => "window.runs",
            Act::Help => "window.help",
            Act::Notices => "window.notices",
            Act::Dismiss => "window.dismiss",
            Act::Say(level, text) => return write!(f, "window.say {} {}", level_word(*level), word(text)),
            Act::Theme(ThemeChoice::Dark) => "theme.dark",
            Act::Theme(ThemeChoice::Light) => "theme.light",
            Act::Theme(ThemeChoice::HighContrast) => "theme.high-contrast",
            Act::Theme(ThemeChoice::System) => "theme.system",
            Act::NextTheme => "window.theme",
            Act::Resize { larger: true } => "window.larger",
            Act::Resize { larger: false } => "window.smaller",
            Act::SizeByWidth => "window.size-by-width",
            Act::Fullscreen => "window.fullscreen",
            Act::Quit => "window.quit",
            Act::Answer(Choice::Stay) => "answer.stay",
            Act::Answer(Choice::Save) => "answer.save",
            Act::Answer(Choice::Draft) => "answer.draft",
            Act::Answer(Choice::Stop) => "answer.stop",
            Act::Answer(Choice::TryAgain) => "answer.try-again",
            Act::Answer(Choice::GiveUp) => "answer.give-up",
        })
    }
}

impl FromStr for Act {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let line = line.trim();
        if let Some(act) = plain().find(|act| act.to_string() == line) {
            return Ok(act.clone());
        }
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        // A value takes the rest of the line.
        if let ("form.set" | "form.drag" | "run.twin", Some((key, value))) = (name, rest.split_once('=')) {
            let (key, value) = (key.trim().to_owned(), read(value.trim()));
            return Ok(match name {
                "run.twin" => Act::Twin(key, value),
                _ => Act::Set { key, value, settled: name == "form.set" },
            });
        }
        let words = words(rest)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        longer(name, &words).ok_or_else(|| {
            let plain: Vec<String> = plain().map(Act::to_string).collect();
            let mut known = plain.iter().map(String::as_str).chain(LONGER.split_whitespace());
            if known.clone().any(|other| other == name) {
                return format!("`{line}`: `{name}` takes something else after its name");
            }
            let near = nearest(name, &mut known);
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            format!("`{name}` is nothing that can be done in the window{near}")
        })
    }
}

/// Reads a script: one act a line; empty lines and lines that begin with `#` are left out. The error names the line.
pub fn script(text: &str) -> Result<Vec<Act>, String> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let acts = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    acts.map(|(number, line)| line.parse().map_err(|error| format!("line {number}: {error}"))).collect()
}

/// The act with this name and these words after it.
fn longer(name: &str, words: &[&str]) -> Option<Act> {
    let path = |text: &str| PathBuf::from(text);
    Some(match (name, words) {
        ("lab", [id]) => Act::Lab((*id).to_owned()),
        ("lab.do", [id]) => Act::LabCommand((*id).to_owned()),
        ("run.device", [device]) => Act::Device(device.parse().ok()?),
        ("run.preset", [id]) => Act::Preset((*id).to_owned()),
        ("time.move", [steps]) => Act::Move(steps.parse().ok()?),
        ("time.seek", ["end"]) => Act::Seek(u64::MAX),
        ("time.seek", [step]) => Act::Seek(step.parse().ok()?),
        ("time.place", [step, sub]) => Act::Place(Cursor { step: step.parse().ok()?, sub: sub.parse().ok()? }),
        ("time.speed", [speed]) => Act::Speed(speed.parse().ok().filter(|speed: &f64| speed.is_finite())?),
        ("form.refuse", [key, text]) => Act::Refuse((*key).to_owned(), (*text).to_owned()),
        ("form.seed" | "form.drag-seed", [seed]) => {
            Act::Seed { seed: seed.parse().ok()?, settled: name == "form.seed" }
        }
        ("form.remove-change", [index]) => Act::RemoveChange(index.parse().ok()?),
        ("form.browse", [key]) => Act::Browse((*key).to_owned()),
        ("form.path", [lab, key, to]) => {
            Act::UsePath { lab: (*lab).to_owned(), key: (*key).to_owned(), path: path(to) }
        }
        ("tiles.show", [id]) => Act::ShowTile((*id).to_owned()),
        ("tiles.hide", [id]) => Act::HideTile((*id).to_owned()),
        ("tiles.bring", [id]) => Act::BringTile((*id).to_owned()),
        ("tiles.maximise", [id]) => Act::Maximise((*id).to_owned()),
        ("view.present", [id]) => Act::Present(Some((*id).to_owned())),
        ("talk.move", [by]) => Act::PresentNext(by.parse().ok()?),
        ("study", [id]) => Act::Study((*id).to_owned()),
        ("study.seeds", [count, first]) => Act::StudySeeds(count.parse().ok()?, first.parse().ok()?),
        ("sweep.over", [seeds, first, over @ ..]) if !over.is_empty() => Act::SweepOver {
            over: over.iter().map(|axis| (*axis).to_owned()).collect(),
            seeds: seeds.parse().ok()?,
            first: first.parse().ok()?,
        },
        ("sweep.cell", [cell]) => Act::SweepCell(cell.parse().ok()?),
        ("study.load", [row]) => Act::StudyLoad(row.parse().ok()?),
        ("runs.pin" | "runs.unpin", [run]) => Act::Pin { folder: path(run), on: name == "runs.pin" },
        ("runs.pinned-by", [key]) => Act::PinnedBy((*key).to_owned()),
        ("runs.open", [run]) => Act::OpenRun(path(run)),
        ("runs.go-on", [run]) => Act::GoOn(path(run)),
        ("runs.show-folder", [run]) => Act::ShowFolder(path(run)),
        ("runs.copy-path", [run]) => Act::CopyPath(path(run)),
        ("runs.delete", [run]) => Act::DeleteRun(path(run)),
        ("scene.show", [code]) => Act::ShowScene((*code).to_owned()),
        ("export.figure", [id]) => Act::Figure(Some((*id).to_owned())),
        ("export.svg", [id]) => Act::SaveFigure(FigureFile::Svg, Some((*id).to_owned())),
        ("export.gif", [id]) => Act::SaveFigure(FigureFile::Gif, Some((*id).to_owned())),
        ("export.text", [name, text]) => Act::SaveText { name: (*name).to_owned(), text: (*text).to_owned() },
        ("window.say", [level, text]) => {
            let level = [Level::Info, Level::Warning, Level::Error].into_iter().find(|l| level_word(*l) == *level)?;
            Act::Say(level, (*text).to_owned())
        }
        _ => return None,
    })
}

fn level_word(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

/// A text that is read as one word.
fn word(text: &str) -> String {
    let plain =
        !text.is_empty() && !text.starts_with('"') && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// The words of a line.
fn words(mut rest: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(words);
        }
        let end = if rest.starts_with('"') {
            let mut quoted = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            match quoted.next() {
                Some(Ok(text)) => words.push(text),
                _ => return Err(format!("the quotes in `{rest}` do not close, or hold what JSON does not know")),
            }
            quoted.byte_offset()
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            words.push(rest[..end].to_owned());
            end
        };
        rest = &rest[end..];
    }
}

/// A value as [`read`] reads it.
fn written(value: &Value) -> String {
    let text = value.to_string();
    let plain = !text.contains(char::is_control) && text.trim() == text && !text.starts_with('"');
    match value {
        Value::Text(_) if !plain || read(&text) != *value => serde_json::Value::from(text).to_string(),
        _ => text,
    }
}

/// `on` or `off`, a number, a text in quotes, or else a text as it stands.
fn read(text: &str) -> Value {
    match text {
        "on" => Value::Switch(true),
        "off" => Value::Switch(false),
        _ if text.starts_with('"') => Value::Text(serde_json::from_str(text).unwrap_or_else(|_| text.to_owned())),
        _ => match (text.parse(), text.parse()) {
            (Ok(whole), _) => Value::Int(whole),
            (_, Ok(number)) => Value::Float(number),
            _ => Value::Text(text.to_owned()),
        },
    }
}
