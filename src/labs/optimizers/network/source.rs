//! Where the points come from, and what is checked before a run starts.

use std::path::Path;
use std::sync::Arc;

use crate::data::csv_points::{self, CsvPoints};
use crate::data::points::{PointSet, train_count};
use crate::engine::params::{ParamError, Params, Value};
use crate::kit::kept;
use crate::watch::Watch;

use super::super::params::{BATCH_SIZE, CSV, FEATURE_X1, NOISE, POINT_COUNT, POINTS, TEST_FRACTION};
use super::{features, roster};

/// All points of a run with these parameters.
pub fn points(params: &Params, seed: u64) -> Result<PointSet, ParamError> {
    match POINTS.of(params) {
        Some(generator) => Ok(generator.generate(POINT_COUNT.of(params) as usize, NOISE.of(params), seed)),
        None => Ok(csv(params)?.points.clone()),
    }
}

/// Checks across parameters: the CSV file can be read, a batch fits into the training set, somebody takes part
/// and sees something.
pub fn check(params: &Params) -> Result<(), ParamError> {
    if roster::enabled(params).is_empty() {
        return Err(ParamError::invalid(
            roster::ROSTER[0].switch,
            "no optimizer is switched on; switch on at least one",
        ));
    }
    if features::enabled(params).is_empty() {
        return Err(ParamError::invalid(
            FEATURE_X1.key(),
            "no feature is switched on, so that the network would see nothing; switch on at least one",
        ));
    }
    let count = match POINTS.of(params) {
        Some(_) => POINT_COUNT.of(params) as usize,
        None => csv(params)?.points.len(),
    };
    let train = train_count(count, TEST_FRACTION.of(params));
    let batch = batch_size(params, train);
    if batch > train {
        return Err(ParamError::invalid(
            BATCH_SIZE.key(),
            format!(
                "a batch of {batch} points is larger than the training set, {train} of {count} points; choose at most \
                 {train}, or more points"
            ),
        ));
    }
    Ok(())
}

/// Points in a batch: as chosen; but the default shrinks to a training set of one's own that is smaller.
pub fn batch_size(params: &Params, train: usize) -> usize {
    let asked = BATCH_SIZE.of(params) as usize;
    let default = Value::from(BATCH_SIZE.row().default);
    let own = POINTS.of(params).is_none();
    if own && params.get(BATCH_SIZE.key()) == Some(&default) { asked.min(train.max(1)) } else { asked }
}

/// What the user should know of the points, which are read.
pub fn notes(params: &Params, train: &PointSet) -> Result<Vec<String>, ParamError> {
    if POINTS.of(params).is_some() {
        return Ok(Vec::new());
    }
    let mut notes = csv(params)?.notes.clone();
    let batch = batch_size(params, train.len());
    let asked = BATCH_SIZE.of(params);
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
    if POINTS.of(params).is_some() {
        return Ok(String::new());
    }
    let CsvPoints { points, crc32, bytes, .. } = &*csv(params)?;
    let name = Path::new(CSV.of(params)).file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    Ok(format!(
        "{name}: {} points in {} classes ({}), {bytes} bytes, CRC-32 {crc32:08x}",
        points.len(),
        points.class_names.len(),
        points.class_names.join(", ")
    ))
}

/// The points of the file, which is read again only where it has changed.
fn csv(params: &Params) -> Result<Arc<CsvPoints>, ParamError> {
    let invalid = |problem: String| ParamError::invalid(CSV.key(), problem);
    let path = Path::new(CSV.of(params));
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
