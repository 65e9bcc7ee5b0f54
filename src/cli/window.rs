//! The window, where there is a display.

use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::flags::{Flags, WindowFlags};
use super::output::Failure;
use super::{find_run, place, request};
use crate::app::scene::Scene;
use crate::app::{Open, guard, window, wiring};
use crate::engine::params::nearest;
use crate::engine::run_folder;
use crate::labs;

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

fn has_display() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(windows, target_os = "macos")) || set("DISPLAY") || set("WAYLAND_DISPLAY") || set("WAYLAND_SOCKET")
}
