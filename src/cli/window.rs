//! The window, where there is a display, and pictures of its views, where there is none.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::CommandFactory;

use super::flags::{ExportFlags, Flags, Theme, WindowFlags};
use super::output::Failure;
use super::{find_run, place, request};
use crate::app::scene::Scene;
use crate::app::{Open, figure, guard, window, wiring};
use crate::engine::event::Payload;
use crate::engine::params::nearest;
use crate::engine::recording::{RunReader, replay_from};
use crate::engine::run_folder;
use crate::engine::state::RunState;
use crate::kit::view::PastPayloads;
use crate::labs;
use crate::plot::style::Style;

/// Opens the window and returns when it is closed.
pub fn open(flags: &WindowFlags) -> Result<(), Failure> {
    let run = flags.run.as_deref().map(|run| recorded(run, &flags.runs)).transpose()?;
    let scene = flags.scene.as_deref().map(Scene::from_typed).transpose();
    let scene = scene.map_err(|problem| Failure::usage(format!("`--scene`: {problem}")))?;
    if !has_display() {
        return Err(Failure::work(
            "there is no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set). Without one: \
             `learnscope run LAB` trains, `learnscope study LAB/STUDY` measures, `learnscope export RUN` saves figures and \
             numbers, `learnscope --help` lists the rest",
        ));
    }
    if let Some(file) = &flags.screenshot {
        // There is no --force: the window closes once the file is there.
        place::check(std::slice::from_ref(file), false)?;
    }
    let mut options = wiring::window_options(flags.runs.clone(), Open { run, scene, ..Open::default() })
        .map_err(|error| Failure::work(format!("the training thread cannot be started: {error}")))?;
    options.screenshot = flags.screenshot.clone().map(|file| (flags.screenshot_after, file));
    options.size = flags.window_size.map(|(width, height)| [width as f32, height as f32]);
    let closed = window::run_window(options);
    if let Some(signal) = guard::asked() {
        // As the signal would have ended it, but for what was saved.
        #[expect(clippy::exit, reason = "all that was to be saved is saved")]
        std::process::exit(128 + signal);
    }
    closed.map_err(Failure::work)?;
    match &flags.screenshot {
        Some(file) if !file.exists() => Err(Failure::work(format!("no picture was saved as `{}`", file.display()))),
        _ => Ok(()),
    }
}

/// The folder of the run that was typed, refused before any window opens where there is nothing to show.
fn recorded(typed: &Path, runs: &Path) -> Result<PathBuf, Failure> {
    let of_window = runs.join(typed);
    let word = typed.to_string_lossy();
    if !typed.exists() && !of_window.exists() && !word.contains(std::path::is_separator) {
        let verbs: Vec<String> = Flags::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
        if let Some(near) = nearest(&word, verbs.iter().map(String::as_str)) {
            return Err(Failure::usage(format!(
                "`{word}` is neither a command nor a recorded run; did you mean `learnscope {near}`? \
                 `learnscope --help` lists the commands, `learnscope runs` the recorded runs"
            )));
        }
    }
    let folder = if run_folder::is_run(&of_window) { of_window } else { find_run(typed)? };
    let reader = labs::open_run(&folder)?;
    request::find_lab(&reader.header().lab)?;
    Ok(folder)
}

/// A view of a recorded run as the bytes of a PNG file, the step that it shows, and what is to be said of that.
pub fn picture(flags: &ExportFlags, reader: &mut RunReader) -> Result<(Vec<u8>, u64, String), Failure> {
    let header = reader.header().clone();
    let lab = labs::find_with_views(&header.lab).ok_or_else(|| {
        Failure::usage(format!("the run is of lab `{}`, which this version does not have", header.lab))
    })?;
    let mut run = replay_from(reader)?;
    // Every bulky value is then asked of the recording, where it is noted of which step it is.
    run.payloads.values_mut().for_each(|track| track.newest = None);
    if let Some(step) = flags.step.filter(|step| *step > run.step) {
        return Err(Failure::usage(format!("`--step {step}`: the run was recorded up to step {}", run.step)));
    }
    // Only the views that show something of a run with these parameters.
    let tiles = (lab.view)().shown(&run.params);
    let ids: Vec<&str> = tiles.iter().map(|tile| tile.id).collect();
    let Some(tile) = tiles.iter().find(|tile| tile.id == flags.figure) else {
        let hint = nearest(&flags.figure, ids.iter().copied()).map(|near| format!(" Did you mean `{near}`?"));
        return Err(Failure::usage(format!(
            "`--figure {}` is not a view of this run of lab `{}`.{} Its views: {}",
            flags.figure,
            header.lab,
            hint.unwrap_or_default(),
            ids.join(", ")
        )));
    };
    let style = style(flags.theme);
    let step = flags.step.unwrap_or(run.step);
    let reader = RefCell::new(labs::open_run(reader.folder())?);
    let past = Recorded { reader, run: &run, shown: RefCell::default() };
    let picture = figure::render(&figure::Figure {
        lab,
        run: &run,
        past: &past,
        tile: &flags.figure,
        step,
        size: flags.size,
        style: &style,
    })
    .map_err(Failure::work)?;
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .map_err(|error| Failure::work(format!("the picture cannot be packed as PNG: {error}")))?;
    let moment = match flags.step {
        Some(_) if !tile.follows_cursor => "this view has no step: it is the same at every one".to_owned(),
        _ => past.moment(step),
    };
    Ok((bytes.into_inner(), step, moment))
}

/// The window's look of this name.
pub fn style(theme: Theme) -> Style {
    match theme {
        Theme::Light => Style::light(),
        Theme::Dark => Style::dark(),
        Theme::HighContrast => Style::high_contrast(),
    }
}

/// The recorded bulky values, read where they are asked for: nobody waits for a frame here.
struct Recorded<'a> {
    reader: RefCell<RunReader>,
    run: &'a RunState,
    /// The keys that were asked for, with the step of what was given.
    shown: RefCell<BTreeMap<String, u64>>,
}

impl Recorded<'_> {
    /// Which moment was shown, in words; what is recorded once is of no moment.
    fn moment(&self, step: u64) -> String {
        let shown = self.shown.borrow();
        let once = |key: &str| self.run.payloads.get(key).is_some_and(|track| track.recorded.len() == 1);
        let older: BTreeSet<u64> =
            shown.iter().filter(|(key, at)| **at < step && !once(key)).map(|(_, at)| *at).collect();
        let list: Vec<String> = older.iter().map(u64::to_string).collect();
        match list.as_slice() {
            [] => format!("step {step}"),
            [at] => format!("step {step}; what is recorded less often is of step {at}"),
            several => format!("step {step}; what is recorded less often is of steps {}", several.join(", ")),
        }
    }
}

impl PastPayloads for Recorded<'_> {
    fn payload(&self, key: &str, step: u64) -> Option<(u64, Arc<Payload>)> {
        let (at, offset, bytes) = self.run.payloads.get(key)?.recorded_at(step)?;
        let payload = self.reader.borrow_mut().payload_at(offset, bytes).ok()?;
        self.shown.borrow_mut().insert(key.to_owned(), at);
        Some((at, payload))
    }
}

fn has_display() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(windows, target_os = "macos")) || set("DISPLAY") || set("WAYLAND_DISPLAY") || set("WAYLAND_SOCKET")
}
