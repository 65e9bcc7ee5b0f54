//! Where the points come from, and what is checked before a run starts.

use std::path::Path;
use std::sync::Arc;

use crate::data::csv_points::{self, CsvPoints};
use crate::data::points::{Generator, PointSet, train_count};
use crate::engine::params::{ParamError, Params, Value};
use crate::kit::kept;
use crate::watch::Watch;

use super::super::params::PARAMS;
use super::roster;

/// All points of a run with these parameters.
pub fn points(params: &Params, seed: u64) -> Result<PointSet, ParamError> {
    match Generator::from_id(params.text("points")) {
        Some(generator) => Ok(generator.generate(params.int("point_count") as usize, params.float("noise"), seed)),
        None => Ok(csv(params)?.points.clone()),
    }
}

/// Checks across parameters: the CSV file can be read, a batch fits into the training set, somebody takes part.
pub fn check(params: &Params) -> Result<(), ParamError> {
    if roster::enabled(params).is_empty() {
        return Err(ParamError::Invalid {
            key: roster::ROSTER[0].switch.to_owned(),
            problem: "no optimizer is switched on; switch on at least one".to_owned(),
        });
    }
    let count = match Generator::from_id(params.text("points")) {
        Some(_) => params.int("point_count") as usize,
        None => csv(params)?.points.len(),
    };
    let train = train_count(count, params.float("test_fraction"));
    let batch = batch_size(params, train);
    if batch > train {
        return Err(ParamError::Invalid {
            key: "batch_size".to_owned(),
            problem: format!(
                "a batch of {batch} points is larger than the training set, {train} of {count} points; choose at most \
                 {train}, or more points"
            ),
        });
    }
    Ok(())
}

/// Points in a batch: as chosen; but the default shrinks to a training set of one's own that is smaller.
pub fn batch_size(params: &Params, train: usize) -> usize {
    let asked = params.int("batch_size") as usize;
    let default = PARAMS.iter().find(|spec| spec.key == "batch_size").map(|spec| Value::from(spec.default));
    let own = Generator::from_id(params.text("points")).is_none();
    if own && params.get("batch_size") == default.as_ref() { asked.min(train.max(1)) } else { asked }
}

/// What the user should know of the points, which are read.
pub fn notes(params: &Params, train: &PointSet) -> Result<Vec<String>, ParamError> {
    if Generator::from_id(params.text("points")).is_some() {
        return Ok(Vec::new());
    }
    let mut notes = csv(params)?.notes.clone();
    let batch = batch_size(params, train.len());
    let asked = params.int("batch_size");
    if (batch as i64) < asked {
        notes.push(format!(
            "the default batch of {asked} points is larger than the training set: batches have all its {batch} points"
        ));
    }
    for (axis, origin) in ["x", "y"].into_iter().zip(train.origin) {
        if origin != 0.0 {
            notes.push(format!("{axis} lies far from 0 and is shown less {origin}"));
        }
    }
    Ok(notes)
}

/// The data set in words with its size and hash; empty for generated points, which the seed defines.
pub fn data(params: &Params) -> Result<String, ParamError> {
    if Generator::from_id(params.text("points")).is_some() {
        return Ok(String::new());
    }
    let CsvPoints { points, crc32, bytes, .. } = &*csv(params)?;
    let name = Path::new(params.text("csv")).file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    Ok(format!(
        "{name}: {} points in {} classes ({}), {bytes} bytes, CRC-32 {crc32:08x}",
        points.len(),
        points.class_names.len(),
        points.class_names.join(", ")
    ))
}

/// The points of the file, which is read again only where it has changed.
fn csv(params: &Params) -> Result<Arc<CsvPoints>, ParamError> {
    let invalid = |problem: String| ParamError::Invalid { key: "csv".to_owned(), problem };
    let path = Path::new(params.text("csv"));
    if path.as_os_str().is_empty() {
        return Err(invalid("no file is chosen; choose a CSV file of points, or another point set".to_owned()));
    }
    let read = |_: Watch<'_>| csv_points::read(path).map_err(|error| invalid(error.to_string()));
    match std::fs::metadata(path).and_then(|file| Ok((path.to_owned(), file.modified()?, file.len()))) {
        Ok(identity) => kept::DATA.get(&identity, Watch::nobody(), read),
        // It cannot be told later whether it has changed.
        Err(_) => read(Watch::nobody()).map(Arc::new),
    }
}
