//! Figures of `learnscope export`: a tile of a recorded run or of a scene as PNG, SVG or GIF, without a window.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::export::saved;
use super::flags::ExportFlags;
use super::headless::{self, Interrupt};
use super::output::{Failure, Output};
use super::{find_run, place};
use crate::app::figure::{self, Figure, Opened, Recorded};
use crate::app::gif;
use crate::app::layouts::Layouts;
use crate::app::png::png;
use crate::app::scene::{PinnedRuns, Scene};
use crate::disk;
use crate::engine::event::Status;
use crate::engine::numbers;
use crate::engine::params::nearest;
use crate::engine::recording::{RunReader, replay_from};
use crate::engine::run_folder::DiskError;
use crate::engine::state::RunState;
use crate::kit::lab::{self, RunOptions};
use crate::kit::pinned::{self, Pinned};
use crate::kit::tiles::TileSpec;
use crate::kit::view::{Cursor, Lab};
use crate::labs;
use crate::plot::medium::Medium;
use crate::plot::style::Style;

/// Refuses flags that do not go together.
pub fn check(flags: &ExportFlags, format: &str) -> Result<(), Failure> {
    let animation = &flags.animation;
    let typed = [
        ("--from", animation.from.is_some()),
        ("--until", animation.until.is_some()),
        ("--frames", animation.frames.is_some()),
        ("--seconds", animation.seconds.is_some()),
    ];
    if format != "gif" {
        return match typed.iter().find(|(_, typed)| *typed) {
            Some((flag, _)) => Err(Failure::usage(format!("`{flag}` is for animations; save it as .gif"))),
            None => Ok(()),
        };
    }
    if flags.step.is_some() {
        return Err(Failure::usage("`--step`: an animation has many; --from and --until say which, .png shows one"));
    }
    flags.size.map_or(Ok(()), gif::check_size).map_err(Failure::Usage)
}

/// Draws the figure and saves it.
pub fn save(flags: &ExportFlags, format: &str, output: &Output) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let Subject { lab, run, reader, view, cursor, tile, pinned } = subject(flags, &interrupt, output)?;
    let style = flags.theme.style();
    // Another reader: this one says what is damaged.
    let again = reader.as_ref().map(|reader| labs::open_run(reader.folder())).transpose()?.map(RefCell::new);
    let read = |offset, bytes| again.as_ref().and_then(|again| again.borrow_mut().payload_at(offset, bytes).ok());
    let mut past = Recorded::new(&run, Arc::default(), Box::new(read));
    past.pinned = Arc::new(behind(lab, &pinned, &style, output));
    let size = flags.size.unwrap_or(if format == "gif" { gif::SIZE } else { figure::SIZE });
    let figure = Figure { lab, run: &run, past: &past, view: &view, tile: tile.id, size, style: &style };
    let medium = if format == "svg" { Medium::Vectors } else { Medium::Pixels };
    let moment = |past: &Recorded<'_>| match flags.step {
        Some(_) if !tile.follows_cursor => "this view has no step: it is the same at every one".to_owned(),
        _ => past.moment(cursor.step),
    };
    if format != "gif" {
        let mut opened = Opened::new(figure, medium).map_err(Failure::Work)?;
        let bytes = match medium {
            Medium::Vectors => opened.svg(cursor).map(String::into_bytes),
            _ => opened.pixels(cursor, "").and_then(|picture| png(&picture)),
        };
        place::write(&flags.to, &bytes.map_err(Failure::Work)?, flags.force)?;
        return saved(&flags.to, Some(cursor.step), &moment(&past), reader.as_ref(), output);
    }
    if !tile.follows_cursor {
        let id = tile.id;
        return Err(Failure::usage(format!(
            "`{id}` is the same at every step: nothing would move; save it as .png or .svg"
        )));
    }
    let animation = &flags.animation;
    let wish = gif::Wish {
        from: animation.from,
        until: animation.until,
        frames: animation.frames,
        seconds: animation.seconds,
    };
    let plan = gif::plan(wish, run.step).map_err(Failure::Usage)?;
    let mut opened = Opened::new(figure, medium).map_err(Failure::Work)?;
    let problem = |error| Failure::from(DiskError::io("write", &flags.to, error));
    let (file, temporary) = disk::temporary(&flags.to).map_err(problem)?;
    gif::write(&mut opened, &plan, BufWriter::new(file), &mut |_| !interrupt.asked()).map_err(Failure::Work)?;
    if interrupt.asked() {
        return Err(Failure::work("stopped; nothing was saved"));
    }
    place::put(temporary, &flags.to, flags.force)?;
    let (first, last) = (plan.first().map_or(0, |(step, _)| *step), plan.last().map_or(0, |(step, _)| *step));
    let moment = format!("{} frames, step {first} to {last}", plan.len());
    saved(&flags.to, Some(last), &moment, reader.as_ref(), output)
}

/// A tile of a recorded run at its end, with what the view keeps for itself, as a PNG or an SVG file.
pub fn of_run(
    folder: &Path,
    tile: &str,
    view: &BTreeMap<String, String>,
    (size, style): ((u32, u32), &Style),
    is_svg: bool,
) -> Result<Vec<u8>, Failure> {
    let mut reader = labs::open_run(folder)?;
    let id = reader.header().lab.clone();
    let lab = labs::find_with_views(&id).ok_or_else(|| Failure::usage(format!("there is no lab `{id}`")))?;
    let mut run = replay_from(&mut reader)?;
    run.payloads.values_mut().for_each(|track| track.newest = None);
    let reader = RefCell::new(reader);
    let read = |offset, bytes| reader.borrow_mut().payload_at(offset, bytes).ok();
    let past = Recorded::new(&run, Arc::default(), Box::new(read));
    let cursor = Cursor { step: run.step, sub: 0 };
    let figure = Figure { lab, run: &run, past: &past, view, tile, size, style };
    let medium = if is_svg { Medium::Vectors } else { Medium::Pixels };
    let mut opened = Opened::new(figure, medium).map_err(Failure::Work)?;
    let bytes = match medium {
        Medium::Vectors => opened.svg(cursor).map(String::into_bytes),
        _ => opened.pixels(cursor, "").and_then(|picture| png(&picture)),
    };
    bytes.map_err(Failure::Work)
}

/// What is drawn.
struct Subject {
    lab: &'static Lab,
    run: RunState,
    /// Where it was recorded.
    reader: Option<RunReader>,
    /// What the view keeps for itself.
    view: BTreeMap<String, String>,
    cursor: Cursor,
    tile: &'static TileSpec,
    /// What the scene has of pinned runs.
    pinned: PinnedRuns,
}

/// The pinned runs of a scene; what is not there is told and left out.
fn behind(lab: &Lab, of: &PinnedRuns, style: &Style, output: &Output) -> Pinned {
    let specs = |id: &str| labs::find(id).map(|lab| lab.params);
    let mut runs = Vec::new();
    for folder in of.runs.iter().take(pinned::MOST) {
        let read = numbers::read(Path::new(folder), specs).and_then(|read| match read.header.lab == lab.spec.id {
            true => Ok(read),
            false => Err(format!("`{folder}` is a run of lab `{}`", read.header.lab)),
        });
        match read {
            Ok(read) => runs.push(Arc::new(read)),
            Err(problem) => {
                let text = format!("a pinned run of the scene is left out: {problem}");
                output.object(&json!({ "event": "notice", "level": "warning", "text": text }));
                output.aside(format!("warning: {text}"));
            }
        }
    }
    Pinned::of(lab.spec.params, runs, &of.by, style)
}

fn subject(flags: &ExportFlags, interrupt: &Interrupt, output: &Output) -> Result<Subject, Failure> {
    let scene = flags.scene.as_deref().map(Scene::from_typed).transpose();
    let scene = scene.map_err(|problem| Failure::usage(format!("`--scene`: {problem}")))?;
    let (lab, run, reader) = match (&flags.run, &scene) {
        (Some(typed), scene) => {
            let mut reader = labs::open_run(&find_run(typed)?)?;
            let id = reader.header().lab.clone();
            let lab = labs::find_with_views(&id)
                .ok_or_else(|| Failure::usage(format!("the run is of lab `{id}`, which this version does not have")))?;
            if let Some(scene) = scene.as_ref().filter(|scene| scene.lab != id) {
                return Err(Failure::usage(format!("the scene is of lab `{}`, the run of lab `{id}`", scene.lab)));
            }
            let mut run = replay_from(&mut reader)?;
            // Every bulky value is then asked of the recording, where it is noted of which step it is.
            run.payloads.values_mut().for_each(|track| track.newest = None);
            (lab, run, Some(reader))
        }
        (None, Some(scene)) => {
            let lab = labs::find_with_views(&scene.lab).ok_or_else(|| {
                Failure::usage(format!("the scene is of lab `{}`, which this version does not have", scene.lab))
            })?;
            (lab, computed(lab, scene, interrupt, output)?, None)
        }
        (None, None) => return Err(Failure::usage("name a recorded run, or a scene with --scene")),
    };
    if let Some(step) = flags.step.filter(|step| *step > run.step) {
        let what = if reader.is_some() { "was recorded" } else { "goes" };
        return Err(Failure::usage(format!("`--step {step}`: the run {what} up to step {}", run.step)));
    }
    let of_scene = scene.as_ref().filter(|scene| !scene.follow && scene.step <= run.step);
    let cursor = match (flags.step, of_scene) {
        (Some(step), _) => Cursor { step, sub: 0 },
        (None, Some(scene)) => Cursor { step: scene.step, sub: scene.sub },
        (None, None) => Cursor { step: run.step, sub: 0 },
    };
    let tile = tile(lab, &run, flags, scene.as_ref())?;
    let (view, pinned) = scene.map(|scene| (scene.view, scene.pinned)).unwrap_or_default();
    Ok(Subject { lab, run, reader, view, cursor, tile, pinned })
}

/// The run of a scene, which is computed as the window would.
fn computed(lab: &'static Lab, scene: &Scene, interrupt: &Interrupt, output: &Output) -> Result<RunState, Failure> {
    let spec = lab.spec;
    let (params, changes, refused) = scene.values(spec.params);
    if !refused.is_empty() {
        output.aside(format!("warning: left out what this version does not take: {}", refused.join("; ")));
    }
    if (spec.playback)(&params).is_none() {
        let set = scene.params.iter().map(|(key, value)| format!(" --set {key}={value}")).collect::<String>();
        return Err(Failure::usage(format!(
            "a scene holds no weights, and this one is of a run that has to be trained: `learnscope run {} --seed {}{set}` \
             trains it, and `learnscope export RUN --scene ..` then draws the recorded run as the scene shows it",
            spec.id, scene.seed
        )));
    }
    let options = RunOptions { seed: scene.seed, changes, ..RunOptions::default() };
    let request = lab::request(spec, &params, options)?;
    let engine = headless::start_engine()?;
    let run = headless::drive(&engine, request, interrupt, |_, _| {});
    headless::end_engine(engine);
    let run = run?;
    match &run.status {
        Some(Status::Finished) => Ok(run),
        Some(Status::Failed(problem)) => Err(Failure::work(problem.clone())),
        _ => Err(Failure::work("stopped; nothing was saved")),
    }
}

/// The tile that was asked for, among those that show something of a run with these parameters; else the scene's.
fn tile(lab: &Lab, run: &RunState, flags: &ExportFlags, scene: Option<&Scene>) -> Result<&'static TileSpec, Failure> {
    let view = (lab.view)();
    let tiles = view.shown(&run.params);
    let ids: Vec<&str> = tiles.iter().map(|tile| tile.id).collect();
    let arrangement = view.arrangement(&run.params);
    let mut layouts = Layouts::new(view.tiles(), &BTreeMap::new());
    let wanted = match (&flags.figure, scene) {
        (Some(figure), _) => figure.clone(),
        (None, Some(scene)) if !scene.maximised.is_empty() => scene.maximised.clone(),
        (None, Some(scene)) => {
            layouts.set_text(&arrangement, &scene.layout);
            let shown = layouts.shown(&arrangement).into_iter().find(|(_, shown)| *shown);
            shown.map_or("", |(tile, _)| tile.id).to_owned()
        }
        (None, None) => {
            return Err(Failure::usage(format!("say which view with --tile; this run has {}", ids.join(", "))));
        }
    };
    tiles.iter().copied().find(|tile| tile.id == wanted).ok_or_else(|| {
        let hint = nearest(&wanted, ids.iter().copied()).map(|near| format!(" Did you mean `{near}`?"));
        Failure::usage(format!(
            "`--figure {wanted}` is not a view of this run of lab `{}`.{} Its views: {}",
            lab.spec.id,
            hint.unwrap_or_default(),
            ids.join(", ")
        ))
    })
}
