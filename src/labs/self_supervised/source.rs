//! Where the pictures come from.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::data::augment::recipes::{Recipe, RecipeKind};
use crate::data::images::ImageData;
use crate::data::synth::shapes;
use crate::data::{DataError, cifar, image_folder};
use crate::engine::params::{ParamError, Params};
use crate::kit::kept;
use crate::watch::Watch;

use super::params::check_combination;

/// Generated test pictures.
const SHAPES_TEST: usize = 1000;

/// What defines a set of pictures; while it stays, the set is kept in memory from run to run.
#[derive(Debug, Clone, PartialEq)]
struct Identity {
    source: String,
    path: PathBuf,
    numbers: [i64; 3],
    /// Files, bytes and the newest change in the folder.
    stamp: (u64, u64, Option<SystemTime>),
}

/// The pictures that these parameters name: generated, read, or still in memory from the run before.
pub fn images(params: &Params, watch: Watch<'_>) -> Result<Arc<ImageData>, ParamError> {
    let source = params.text("source");
    let path = if source == "shapes" { PathBuf::new() } else { PathBuf::from(params.text("data")) };
    let numbers = match source {
        "shapes" => [params.int("train_images"), params.int("data_seed"), 0],
        "cifar10" => [0; 3],
        _ => [0, params.int("data_seed"), params.int("image_size")],
    };
    let stamp = if source == "shapes" { (0, 0, None) } else { stamp(&path, 3) };
    let identity = Identity { source: source.to_owned(), path, numbers, stamp };
    let read = |watch: Watch<'_>| read(params, &identity, watch);
    kept::DATA.get(&identity, watch, read).map_err(|error| ParamError::Invalid {
        key: if source == "shapes" { "source" } else { "data" }.to_owned(),
        problem: error.to_string(),
    })
}

/// Reads the pictures into memory; see [`crate::kit::lab::LabSpec::read`].
pub fn read_ahead(params: &Params, watch: Watch<'_>) -> Result<(), ParamError> {
    check_combination(params)?;
    images(params, watch).map(drop)
}

fn read(params: &Params, identity: &Identity, watch: Watch<'_>) -> Result<ImageData, DataError> {
    let seed = params.int("data_seed") as u64;
    match identity.source.as_str() {
        "shapes" => Ok(shapes::generate(params.int("train_images") as usize, SHAPES_TEST, seed)),
        "cifar10" => cifar::load(&identity.path, watch),
        _ => image_folder::load(&identity.path, params.int("image_size") as usize, seed, watch),
    }
}

/// Number, bytes and newest change of the files in a folder, so many levels deep.
fn stamp(path: &Path, levels: usize) -> (u64, u64, Option<SystemTime>) {
    let Ok(listing) = std::fs::read_dir(path) else { return (0, 0, None) };
    listing.filter_map(Result::ok).fold((0, 0, None), |(files, bytes, newest), entry| {
        // Of what a link leads to, not of the link.
        let Ok(about) = std::fs::metadata(entry.path()) else { return (files, bytes, newest) };
        if about.is_dir() && levels > 1 {
            let (more, size, time) = stamp(&entry.path(), levels - 1);
            return (files + more, bytes + size, newest.max(time));
        }
        (files + 1, bytes + about.len(), newest.max(about.modified().ok()))
    })
}

/// Checks what only the pictures can tell; see [`crate::kit::lab::LabSpec::check`].
pub fn check(params: &Params) -> Result<(), ParamError> {
    check_combination(params)?;
    let data = images(params, Watch::nobody())?;
    let invalid = |key: &str, problem: String| Err(ParamError::Invalid { key: key.to_owned(), problem });
    let batch = params.int("batch_size") as usize;
    if batch > data.train.len() {
        return invalid(
            "batch_size",
            format!(
                "a batch of {batch} pictures is larger than the training set of {0}; choose at most {0}",
                data.train.len()
            ),
        );
    }
    if data.test.is_empty() {
        return invalid("data", "there are no pictures to test on".to_owned());
    }
    if data.train.channels != 3 && recipe(params).needs_colour() {
        return invalid("views", "views for colour pictures need colour; choose views=shapes".to_owned());
    }
    Ok(())
}

/// The data set in words; see [`crate::kit::lab::LabSpec::data`].
pub fn data(params: &Params) -> Result<String, ParamError> {
    if params.text("source") == "shapes" {
        return Ok(String::new());
    }
    check_combination(params)?;
    Ok(images(params, Watch::nobody())?.description.clone())
}

/// How views are made.
pub fn recipe(params: &Params) -> Recipe {
    let kind = match (params.text("views"), params.text("source")) {
        ("shapes", _) | ("auto", "shapes") => RecipeKind::Shapes,
        ("replication", _) => RecipeKind::Replication,
        _ => RecipeKind::Torchvision,
    };
    let own = if kind == RecipeKind::Shapes { 0.4 } else { 0.08 };
    let asked = params.float("crop_min");
    Recipe { kind, crop_min: if asked > 0.0 { asked } else { own } }
}
