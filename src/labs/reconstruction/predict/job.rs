//! A whole folder: every photograph is read, looked at and saved; one that cannot be used is a row with the reason.
//!
//! ```text
//! OUT/
//!   NAME-reconstruction.png   what the decoder makes of it
//!   NAME-error.png            |original − reconstruction|, 0 to 0.3
//!   NAME-occlusion.png        what covering a place takes from the logit
//!   predictions.csv           one row a photograph
//! ```

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::super::parts::Role;
use super::inputs::{Inputs, find};
use super::report::{Row, Wanted, save_maps, save_table};
use super::weights_source::WeightsSource;
use super::{ERRORS, NOTE, OCCLUSIONS, Predictor, RECONSTRUCTIONS, THRESHOLD, settings};
use crate::compute::device;
use crate::data::picture_file::White;
use crate::data::segmentation::lesion::Lesion;
use crate::data::segmentation::read::{ReadLimits, Reader as Files};
use crate::engine::params::Params;
use crate::kit::predict::{PredictError, PredictEvent, PredictRequest, check_empty, ends_all, real};
use crate::plot::number::counted;
use crate::watch::Watch;

/// A reader that knows what is white in those of these photographs that have more than 8 bits, and what it decided, line by line.
/// `known`: what it was in training.
pub fn reader(inputs: &Inputs, known: &White, watch: Watch<'_>) -> (Files, Vec<String>) {
    let paths: Vec<PathBuf> = inputs.items.iter().map(|item| item.path.clone()).collect();
    let files = Files::new(ReadLimits::default());
    let rules = files.survey_as(known, &[], &paths, &Lesion::Any, watch);
    let lines = if rules.deep_images > 0 { rules.lines() } else { Vec::new() };
    (files.with_rules(rules), lines)
}

/// `learnscope predict reconstruction`.
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
    let mut params = Params::defaults(&specs);
    for assignment in &request.set {
        params.set_text(&specs, assignment).map_err(PredictError::input)?;
    }
    let asked: Vec<Option<Role>> = request.parts.iter().map(|name| role_of(name)).collect::<Result<_, _>>()?;
    let threshold = THRESHOLD.of(&params);
    let source = WeightsSource::open(&request.weights)?;
    if let (Err(why), false) = (&source.parts, asked.is_empty()) {
        return Err(PredictError::Input(format!("`--part`: {why}")));
    }
    let wanted = Wanted {
        reconstructions: RECONSTRUCTIONS.of(&params) && source.trained.rebuilds,
        errors: ERRORS.of(&params) && source.trained.rebuilds,
        occlusions: OCCLUSIONS.of(&params),
    };
    let inputs = find(data, watch)?;
    apart(&request.out, &inputs)?;
    check_empty(&request.out, request.force)?;
    let opened = device::open(&request.device).map_err(PredictError::input)?;
    let net = source.build(&opened.device)?;
    let parts = source.parts.clone().ok();
    let is_known = parts.is_some();
    let predictor = Predictor::new(net, source.spec, source.trained, parts, opened.device);
    let (files, about_files) = reader(&inputs, &source.white, watch);

    let mut lines = vec![NOTE.to_owned()];
    lines.extend(source.describe());
    lines.push(format!("device: {}", opened.name));
    lines.push(format!("answer: retinopathy from probability {threshold} on"));
    lines.extend(inputs.lines.iter().cloned());
    lines.extend(about_files.into_iter().map(|line| format!("data: {line}")));
    let about = json!({
        "notice": NOTE, "weights": source.path, "origin": source.origin, "network": source.spec.describe(),
        "image_size": source.spec.size, "device": opened.name, "threshold": threshold, "warnings": source.warnings,
        "data": data, "out": request.out, "version": env!("CARGO_PKG_VERSION"),
    });
    let total = inputs.items.len();
    heard(PredictEvent::Begun { total, lines, about });

    let (mut rows, mut unsaved, mut stopped): (Vec<Row>, usize, Option<String>) = (Vec::new(), 0, None);
    let mut left_out = 0;
    for (i, item) in inputs.items.iter().enumerate() {
        if cancel.load(Ordering::Relaxed) {
            stopped = Some("stopped".to_owned());
            break;
        }
        let found = match predictor.predict(item, &files, wanted.occlusions, &asked) {
            Ok(Some(found)) => found,
            Ok(None) => {
                left_out += 1;
                continue;
            }
            Err(error) => {
                stopped = Some(error);
                break;
            }
        };
        let mut row = found.row;
        let mut problem = row.measures.is_none().then(|| row.problem.clone());
        if let Some(maps) = &found.maps {
            row.most_occlusion = maps.most_occlusion();
            if let Err(error) = save_maps(&request.out, &item.name, maps, wanted) {
                if ends_all(&error) {
                    stopped = Some(error.to_string());
                    break;
                }
                unsaved += 1;
                row.problem = format!("not saved: {error}");
                problem = Some(row.problem.clone());
            }
        }
        let json = row.json(threshold);
        rows.push(row);
        heard(PredictEvent::File { done: i + 1, total, name: item.name.clone(), problem, row: json });
    }
    drop(predictor);
    let saved = save_table(&request.out.join("predictions.csv"), &rows, threshold);
    let good = rows.iter().filter(|row| row.measures.is_some()).count();
    if let Some(error) = stopped {
        let kept = format!("{good} of {total} pictures are done and kept in `{}`", request.out.display());
        return Err(PredictError::Work(format!("{error}; {kept}, predict again with --force to do them all")));
    }
    saved.map_err(PredictError::work)?;
    let ill = rows.iter().filter(|row| row.answer(threshold) == "retinopathy").count();
    let mut lines = vec![format!("{} predicted, {ill} of them as retinopathy", counted(good, "picture", "pictures"))];
    let bad = rows.len() - good;
    if bad > 0 {
        lines.push(format!("{} could not be used: see the column `problem`", counted(bad, "file", "files")));
    }
    if left_out > 0 {
        let pictures = counted(left_out, "picture", "pictures");
        lines.push(format!("{pictures} of other parts left out (`--part {}`)", request.parts.join(",")));
    }
    if is_known && good > 0 {
        lines.push(about_parts(&rows));
    }
    lines.push(format!("saved in {}: predictions.csv{}", request.out.display(), written(wanted)));
    lines.push(NOTE.to_owned());
    let about = json!({ "predicted": good, "failed": bad, "left_out": left_out, "retinopathy": ill, "out": request.out, "notice": NOTE });
    heard(PredictEvent::Done { lines, about });
    if unsaved > 0 {
        let count = counted(unsaved, "picture", "pictures");
        return Err(PredictError::Work(format!("{count} of {total} could not be saved: see the column `problem`")));
    }
    if good == 0 && left_out > 0 {
        return Err(PredictError::Work(format!("no picture is of the part {}", request.parts.join(", "))));
    }
    if good == 0 {
        return Err(PredictError::Work("not one of the files could be used: see predictions.csv".to_owned()));
    }
    Ok(())
}

/// A part of the run's data by its name; `none`: of no part.
fn role_of(name: &str) -> Result<Option<Role>, PredictError> {
    match Role::ALL.into_iter().find(|role| role.name() == name) {
        None if name != "none" => {
            let names = Role::ALL.map(Role::name).join(", ");
            Err(PredictError::Input(format!("`--part {name}`: expected {names} or none")))
        }
        found => Ok(found),
    }
}

/// How many of the photographs are the run's own.
fn about_parts(rows: &[Row]) -> String {
    let count = |role: Role| rows.iter().filter(|row| row.part == Some(role)).count();
    let found: Vec<String> = Role::ALL
        .into_iter()
        .filter(|role| count(*role) > 0)
        .map(|role| format!("{} {}", role.name(), count(role)))
        .collect();
    if found.is_empty() {
        return "none of the photographs is of the run's data: to the network they are new".to_owned();
    }
    format!(
        "known again of the run's data (column `part`): {}; what is said of those that were trained on tells nothing about new ones",
        found.join(", ")
    )
}

fn written(wanted: Wanted) -> String {
    let kinds = [
        (wanted.reconstructions, ", reconstructions"),
        (wanted.errors, ", error maps"),
        (wanted.occlusions, ", occlusion maps"),
    ];
    kinds.into_iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, kind)| kind).collect()
}

/// Refuses a folder whose results would lie among the photographs that they were made from.
fn apart(out: &Path, inputs: &Inputs) -> Result<(), PredictError> {
    let (shown, out) = (out.display(), real(out));
    let among = |folder: &PathBuf| out.starts_with(real(folder));
    if inputs.folders.iter().any(among) || inputs.items.iter().any(|item| real(&item.path).starts_with(&out)) {
        return Err(PredictError::Input(format!(
            "the results in `{shown}` would lie among the photographs, and be taken for some the next time; choose a folder apart"
        )));
    }
    Ok(())
}
