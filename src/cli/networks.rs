//! `learnscope export --weights` and `--features`: what is saved of a run's networks.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::flags::{ExportFlags, Pictures};
use super::headless::Interrupt;
use super::output::{Failure, Output};
use super::request::{device_choice, find_lab};
use super::{place, progress};
use crate::engine::header_file;
use crate::kit::export::{FeaturesRequest, Part, checkpoint_at, labels_file};
use crate::kit::lab::LabSpec;
use crate::labs;

/// The run, or its checkpoint after so many steps.
fn moment(run: &Path, step: Option<u64>) -> Result<PathBuf, Failure> {
    match step {
        Some(step) => Ok(checkpoint_at(run, step)?),
        None => Ok(run.to_owned()),
    }
}

/// That a lab has none of these, and which labs do.
fn without(lab: &LabSpec, what: &str, has: fn(&LabSpec) -> bool) -> Failure {
    let with: Vec<&str> = labs::specs().filter(|lab| has(lab)).map(|lab| lab.id).collect();
    Failure::usage(format!("the lab `{}` has no {what} to save; these have: {}", lab.id, with.join(", ")))
}

/// The weights of a run as one file.
pub fn weights(run: &Path, format: &str, flags: &ExportFlags, output: &Output) -> Result<(), Failure> {
    let to = &flags.to;
    if format != "safetensors" {
        return Err(Failure::usage(format!("`--to {}`: the suffix of weights must be .safetensors", to.display())));
    }
    place::check(std::slice::from_ref(to), flags.force)?;
    let lab = find_lab(&header_file::read(run)?.lab)?;
    let spec = lab.weights.ok_or_else(|| without(lab, "weights", |lab| lab.weights.is_some()))?;
    let has_target = |lab: &LabSpec| lab.weights.is_some_and(|spec| spec.with_target.is_some());
    let packed = match flags.with_target {
        true => spec.with_target.ok_or_else(|| without(lab, "target network", has_target))?,
        false => spec.packed,
    };
    let weights = packed(&moment(run, flags.step)?)?;
    place::write(to, &weights.file, flags.force)?;
    weights.lines.iter().for_each(|line| output.aside(line));
    output.kept(to);
    output.object(&json!({ "event": "saved", "file": to }));
    output.line(format!("saved {}", to.display()));
    Ok(())
}

/// What the network of a run makes of its pictures.
pub fn features(run: &Path, format: &str, flags: &ExportFlags, output: &Output) -> Result<(), Failure> {
    let to = &flags.to;
    if !["npy", "csv"].contains(&format) {
        return Err(Failure::usage(format!("`--to {}`: the suffix of features must be .npy or .csv", to.display())));
    }
    let files = if format == "npy" { vec![to.clone(), labels_file(to)] } else { vec![to.clone()] };
    place::check(&files, flags.force)?;
    let lab = find_lab(&header_file::read(run)?.lab)?;
    let work = lab.features.ok_or_else(|| without(lab, "features", |lab| lab.features.is_some()))?;
    let request = FeaturesRequest {
        run: moment(run, flags.step)?,
        part: match flags.part {
            Some(Pictures::Train) => Part::Train,
            Some(Pictures::Test) | None => Part::Test,
        },
        embeddings: flags.embeddings,
        data: flags.data.clone(),
        device: device_choice(flags.device.as_deref().unwrap_or("auto"))?,
    };
    let interrupt = Interrupt::listen()?;
    let found = progress::counted(output, &interrupt, "pictures", |watch| work(&request, watch))?;
    let found = found.ok_or_else(|| Failure::work("stopped; nothing was saved"))?;
    found.lines.iter().for_each(|line| output.aside(line));
    let bytes = match format {
        "npy" => found.npy().to_vec(),
        _ => vec![found.csv().map_err(Failure::Work)?],
    };
    for (file, bytes) in files.iter().zip(bytes) {
        place::write(file, &bytes, flags.force)?;
        output.kept(file);
        output
            .object(&json!({ "event": "saved", "file": file, "rows": found.labels.len(), "columns": found.columns() }));
        output.line(format!("saved {}", file.display()));
    }
    Ok(())
}
