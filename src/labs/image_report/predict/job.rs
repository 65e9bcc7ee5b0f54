//! A whole folder: every pair is read, judged and saved; one that cannot be used is a row with the reason.
//!
//! ```text
//! OUT/
//!   NAME-INDEX-WORD.png   the image, and over it what a noun of its report looks at
//!   predictions.csv       one row a pair
//!   rankings.csv          one row a text: the report, its perturbations, its edits
//!   words.csv             one row a word: the place that it looks at most
//! ```

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::inputs::{Inputs, find};
use super::maps::save_maps;
use super::parts::Part;
use super::report::{Found, save_tables};
use super::weights_source::WeightsSource;
use super::{MAPS, MOST_WORDS, NOTE, Session, TEXT, as_set, settings};
use crate::compute::device;
use crate::engine::params::Params;
use crate::kit::predict::{PredictError, PredictEvent, PredictRequest, check_empty, ends_all, real};
use crate::plot::number::counted;
use crate::watch::Watch;

/// `learnscope predict image-report`.
pub fn predict(
    request: &PredictRequest,
    cancel: &AtomicBool,
    heard: &mut dyn FnMut(PredictEvent),
) -> Result<(), PredictError> {
    predict_all(request, std::slice::from_ref(&request.data), cancel, heard)
}

/// The same of several files or folders, in place of the one that the request names.
pub fn predict_all(
    request: &PredictRequest,
    data: &[PathBuf],
    cancel: &AtomicBool,
    heard: &mut dyn FnMut(PredictEvent),
) -> Result<(), PredictError> {
    let watch = Watch { progress: &|_, _| {}, cancel };
    let specs = settings();
    let mut set = Params::default();
    for assignment in &request.set {
        set.set_text(&specs, assignment).map_err(PredictError::input)?;
    }
    let wanted = parts(&request.parts)?;
    let source = WeightsSource::open(&request.weights)?;
    let params = as_set(&source.params, &set);
    let mut settings = Params::defaults(&specs);
    for (key, value) in set.iter() {
        settings.set(&specs, key, value.clone()).map_err(PredictError::input)?;
    }
    let (maps, most) = (MAPS.of(&settings), MOST_WORDS.of(&settings) as usize);
    let inputs = find(data, TEXT.of(&settings), &params, watch)?;
    apart(&request.out, &inputs)?;
    check_empty(&request.out, request.force)?;
    let opened = device::open(&request.device).map_err(PredictError::input)?;
    let session = Session::open(&source, &params, (inputs, &wanted), &opened.device, watch)?;

    let mut lines = vec![NOTE.to_owned()];
    lines.extend(source.describe());
    lines.push(format!("device: {}", opened.name));
    lines.extend(session.inputs.lines.iter().map(|line| match line.strip_prefix("warning: ") {
        Some(_) => line.clone(),
        None => format!("data: {line}"),
    }));
    let about = json!({
        "notice": NOTE, "weights": source.path, "origin": source.origin, "device": opened.name, "warnings": source.warnings,
        "data": data, "out": request.out, "version": env!("CARGO_PKG_VERSION"),
    });
    let total = session.inputs.items.len();
    heard(PredictEvent::Begun { total, lines, about });

    let (mut rows, mut unsaved, mut pictures, mut stopped) = (Vec::with_capacity(total), 0, 0, None);
    for i in 0..total {
        if cancel.load(Ordering::Relaxed) {
            stopped = Some("stopped".to_owned());
            break;
        }
        let mut found = match session.look(i, true) {
            Ok(found) => found,
            Err(error) => {
                stopped = Some(error);
                break;
            }
        };
        let mut problem = found.judged.is_none().then(|| found.problem.clone());
        if maps {
            match save_maps(&request.out, &found, most) {
                Ok(count) => pictures += count,
                Err(error) if ends_all(&error) => {
                    stopped = Some(error.to_string());
                    break;
                }
                Err(error) => {
                    unsaved += 1;
                    found.problem = format!("not saved: {error}");
                    problem = Some(found.problem.clone());
                }
            }
        }
        heard(PredictEvent::File { done: i + 1, total, name: found.name.clone(), problem, row: found.json() });
        // What only maps need.
        found.square.iter_mut().for_each(|square| square.image = Vec::new());
        found.judged.iter_mut().filter_map(|judged| judged.looks.as_mut()).for_each(|looks| looks.raw = Vec::new());
        rows.push(found);
    }
    drop(session);
    let saved = save_tables(&request.out, &rows);
    let good = rows.iter().filter(|row| row.judged.is_some()).count();
    if let Some(error) = stopped {
        let kept = format!("{good} of {total} pairs are done and kept in `{}`", request.out.display());
        return Err(PredictError::Work(format!("{error}; {kept}, predict again with --force to do them all")));
    }
    saved.map_err(PredictError::work)?;
    let [own, other, mean] = [0, 1, 2].map(|column| first(&rows, column));
    let mut lines = told(good, total, [own, other, mean]);
    let maps = if pictures > 0 { format!(", {}", counted(pictures, "map", "maps")) } else { String::new() };
    lines.push(format!("saved in {}: predictions.csv, rankings.csv, words.csv{maps}", request.out.display()));
    lines.push(NOTE.to_owned());
    let about = json!({
        "predicted": good, "failed": total - good, "correct": own.0, "correct_wrong_image": other.0,
        "correct_mean_image": mean.0, "out": request.out, "notice": NOTE,
    });
    heard(PredictEvent::Done { lines, about });
    if unsaved > 0 {
        let count = counted(unsaved, "pair", "pairs");
        return Err(PredictError::Work(format!(
            "maps of {count} of {total} could not be saved: see the column `problem`"
        )));
    }
    if good == 0 {
        return Err(PredictError::Work("not one of the pairs could be used: see predictions.csv".to_owned()));
    }
    Ok(())
}

/// Reports above all their perturbations in a column, and how many have that column.
fn first(rows: &[Found], column: usize) -> (usize, usize) {
    let places: Vec<_> = rows.iter().filter_map(|row| row.judged.as_ref()?.place(column)).collect();
    (places.iter().filter(|place| place.rank == 1).count(), places.len())
}

/// The whole in words, with the controls beside the number.
fn told(good: usize, total: usize, [own, other, mean]: [(usize, usize); 3]) -> Vec<String> {
    let mut lines = vec![format!(
        "{} judged: {} of {} reports are above all their perturbations",
        counted(good, "pair", "pairs"),
        own.0,
        own.1
    )];
    if other.1 > 0 {
        lines.push(format!(
            "with another image {} of {} are, with the mean image {} of {}: what is left there is language, not the image",
            other.0, other.1, mean.0, mean.1
        ));
    }
    if good < total {
        lines.push(format!("{} could not be used: see the column `problem`", counted(total - good, "pair", "pairs")));
    }
    lines
}

/// The parts that were asked for.
fn parts(asked: &[String]) -> Result<Vec<Part>, PredictError> {
    let known = Part::ALL.map(Part::id).join(", ");
    let part = |id: &String| {
        let found = Part::ALL.into_iter().find(|part| part.id() == id);
        found.ok_or_else(|| PredictError::Input(format!("`--part {id}`: expected one of {known}")))
    };
    asked.iter().map(part).collect()
}

/// Refuses a folder whose results would lie among the images that they were made from.
fn apart(out: &Path, inputs: &Inputs) -> Result<(), PredictError> {
    let (shown, out) = (out.display(), real(out));
    let among = |folder: &PathBuf| out.starts_with(real(folder));
    if inputs.folders.iter().any(among) || inputs.items.iter().any(|item| real(&item.path).starts_with(&out)) {
        return Err(PredictError::Input(format!(
            "the results in `{shown}` would lie among the images, and be taken for some the next time; choose a folder apart"
        )));
    }
    Ok(())
}
