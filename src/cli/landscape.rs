//! `learnscope landscape`: the loss around the weights of a recorded run.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value as Json, json};

use crate::app::figure::{Figure, Opened};
use crate::engine::checkpoint_file;
use crate::engine::export::Sheet;
use crate::engine::params::nearest;
use crate::engine::recording::replay_from;
use crate::engine::state::RunState;
use crate::kit::landscape::{self, Landscape, PathOn, PlaneKind, Wanted, Way};
use crate::kit::view::{Cursor, Lab, NoPast};
use crate::labs;
use crate::plot::medium::Medium;
use crate::plot::number;

use super::flags::LandscapeFlags;
use super::headless::Interrupt;
use super::output::{Failure, Output, table};
use super::{find_run, place, progress};

pub fn landscape(flags: &LandscapeFlags, output: &Output) -> Result<(), Failure> {
    let suffix = flags.to.as_deref().map(suffix).transpose()?;
    if let Some(file) = &flags.to {
        place::check(std::slice::from_ref(file), flags.force)?;
    }
    let folder = find_run(&flags.run)?;
    let mut reader = labs::open_run(&folder)?;
    let run = replay_from(&mut reader)?;
    let header = reader.header().clone();
    let lab = labs::find_with_views(&header.lab).ok_or_else(|| {
        Failure::usage(format!("the run is of lab `{}`, which this version does not have", header.lab))
    })?;
    let until = flags.step.unwrap_or(run.step);
    if until > run.step {
        return Err(Failure::usage(format!("`--step {until}`: the run was recorded up to step {}", run.step)));
    }
    let checkpoints = checkpoint_file::list(&folder).into_iter().filter(|(step, _)| *step <= until);
    let checkpoints: Vec<_> = checkpoints.map(|(_, path)| path).collect();
    let way = if flags.again || landscape::is_short(&run) || checkpoints.is_empty() {
        Way::Again
    } else {
        Way::Checkpoints(checkpoints)
    };
    let plane = PlaneKind::ALL.into_iter().find(|kind| kind.id() == flags.plane).unwrap_or_default();
    let wanted = Wanted {
        way,
        plane,
        about: flags.network.clone(),
        side: flags.side as usize,
        reach: flags.reach,
        curvatures: flags.curvatures as usize,
        directions: flags.directions,
        ..Wanted::of(&header, &run.changes, until)
    };
    let interrupt = Interrupt::listen()?;
    let found =
        progress::counted(output, &interrupt, "evaluations", |watch| landscape::compute(lab.spec, &wanted, watch));
    let found = found.map_err(|why| if interrupt.asked() { Failure::work("stopped") } else { Failure::work(why) })?;
    known(&found, &flags.network)?;
    tell(&wanted, &found, output);
    let (Some(file), Some(suffix)) = (&flags.to, suffix) else { return Ok(()) };
    let about = json!({
        "figure": "landscape", "lab": header.lab, "name": header.name, "seed": header.seed, "step": until,
        "plane": flags.plane, "about": found.paths[found.about].id, "held": found.held,
        "parameters": found.parameters, "version": env!("CARGO_PKG_VERSION"),
    });
    let bytes = match suffix {
        "png" => picture(flags, lab, &run, wanted, found)?,
        "csv" => sheet(&found).csv(&about).map_err(Failure::Work)?,
        _ => whole(&found, &about)?,
    };
    place::write(file, &bytes, flags.force)?;
    output.kept(file);
    output.object(&json!({ "event": "saved", "file": file, "step": until }));
    output.line(format!("saved {}", file.display()));
    Ok(())
}

fn suffix(file: &Path) -> Result<&'static str, Failure> {
    let typed = file.extension().map(|suffix| suffix.to_string_lossy().to_lowercase()).unwrap_or_default();
    ["png", "csv", "json"]
        .into_iter()
        .find(|known| *known == typed)
        .ok_or_else(|| Failure::usage(format!("`--to {}`: the suffix must be .png, .csv or .json", file.display())))
}

/// A network that was asked for by name is one of the run's.
fn known(found: &Landscape, asked: &str) -> Result<(), Failure> {
    let ids = || found.paths.iter().map(|path| path.id.as_str());
    if asked.is_empty() || ids().any(|id| id == asked) {
        return Ok(());
    }
    let hint = nearest(asked, ids()).map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
    let all: Vec<&str> = ids().collect();
    Err(Failure::usage(format!(
        "`--network {asked}`: no such network in this run.{hint} Its networks: {}",
        all.join(", ")
    )))
}

/// The numbers that a picture cannot show.
fn tell(wanted: &Wanted, found: &Landscape, output: &Output) {
    let head = ["network", "step", "loss", "distance from the slice", "curvature", "± at most", "2/η"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let short = |value: Option<f64>| value.map_or("—".to_owned(), number::short);
    for path in &found.paths {
        let (curved, error) = path.curvature.last().map(|(_, found)| (found.largest[0], found.error[0])).unzip();
        rows.push(vec![
            path.title.clone(),
            path.steps.last().copied().unwrap_or(0).to_string(),
            short(path.losses.last().copied()),
            short(path.places.last().map(|place| place.residual)),
            short(curved),
            short(error),
            short(path.rate.map(|rate| 2.0 / rate)),
        ]);
        output.object(&object(path));
    }
    let held = found.held.map(|held| format!(", which holds {:.1} % of the paths' variance", 100.0 * held));
    let way = match &wanted.way {
        Way::Again => "its training gone through again".to_owned(),
        Way::Checkpoints(files) => number::counted(files.len() as u64, "checkpoint", "checkpoints"),
    };
    output.line(format!(
        "{} weights, {way}; the slice: {}{}",
        number::grouped(found.parameters as u64),
        wanted.plane.about(),
        held.unwrap_or_default()
    ));
    output.line(table(&rows));
}

/// A path for machines.
fn object(path: &PathOn) -> Json {
    json!({
        "event": "path", "network": path.id, "steps": path.steps,
        "at": path.places.iter().map(|place| place.at).collect::<Vec<_>>(),
        "residual": path.places.iter().map(|place| place.residual).collect::<Vec<_>>(),
        "loss": path.losses, "loss_on_the_slice": path.beneath, "learning_rate": path.rate,
        "curvature": path.curvature.iter().map(|(step, found)| json!({
            "step": step, "largest": found.largest, "error": found.error, "smallest": found.smallest,
        })).collect::<Vec<_>>(),
    })
}

/// The slice as a table.
fn sheet(found: &Landscape) -> Sheet {
    let [columns, rows] = found.slice.size;
    let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    Sheet {
        columns: ["a", "b", "loss"].map(str::to_owned).to_vec(),
        rows: cells
            .map(|(row, column)| {
                let [a, b] = found.slice.at(column, row);
                vec![json!(a), json!(b), json!(found.slice.values[row * columns + column])]
            })
            .collect(),
    }
}

/// Slice and paths.
fn whole(found: &Landscape, about: &Json) -> Result<Vec<u8>, Failure> {
    let whole = json!({
        "about": about,
        "slice": { "window": found.slice.window, "size": found.slice.size, "loss": found.slice.values },
        "paths": found.paths.iter().map(object).collect::<Vec<_>>(),
    });
    serde_json::to_vec_pretty(&whole).map_err(|error| Failure::work(error.to_string()))
}

/// The picture of the window's tile.
fn picture(
    flags: &LandscapeFlags,
    lab: &'static Lab,
    run: &RunState,
    wanted: Wanted,
    found: Landscape,
) -> Result<Vec<u8>, Failure> {
    let step = wanted.until;
    let (style, fields) = (flags.theme.style(), BTreeMap::new());
    let figure = Figure { lab, run, past: &NoPast, view: &fields, tile: "landscape", size: flags.size, style: &style };
    let mut view = (lab.view)();
    view.show_landscape(wanted, found);
    let mut opened = Opened::of_view(figure, view, Medium::Pixels).map_err(Failure::work)?;
    let mut bytes = std::io::Cursor::new(Vec::new());
    opened
        .pixels(Cursor { step, sub: 0 }, "")
        .map_err(Failure::work)?
        .write_to(&mut bytes, image::ImageFormat::Png)
        .map_err(|error| Failure::work(format!("the picture cannot be packed as PNG: {error}")))?;
    Ok(bytes.into_inner())
}
