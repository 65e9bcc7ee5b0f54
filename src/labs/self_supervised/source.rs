//! Where the pictures come from.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use crate::data::augment::recipes::{Recipe, RecipeKind};
use crate::data::folder::stamp;
use crate::data::images::{ImageData, Moments};
use crate::data::synth::shapes;
use crate::data::{DataError, cifar, image_folder};
use crate::engine::params::{ParamError, Params};
use crate::kit::kept;
use crate::nn::weights::checksum;
use crate::watch::Watch;

use super::params::{
    BATCH_SIZE, CROP_MIN, DATA_SEED, FOLDER, IMAGE_SIZE, NormalisedBy, SOURCE, Source, TRAIN_IMAGES, VIEWS, WEIGHTS,
    check_combination, normalised_by, strengths, weights_file,
};
use super::weights;

/// Generated test pictures.
const SHAPES_TEST: usize = 1000;

/// What defines a set of pictures; while it stays, the set is kept in memory from run to run.
#[derive(Debug, Clone, PartialEq)]
struct Identity {
    source: Source,
    path: PathBuf,
    numbers: [i64; 3],
    /// Files, bytes and the newest change in the folder.
    stamp: (u64, u64, Option<SystemTime>),
}

/// The pictures that these parameters name: generated, read, or still in memory from the run before.
pub fn images(params: &Params, watch: Watch<'_>) -> Result<Arc<ImageData>, ParamError> {
    let source = SOURCE.of(params);
    let path = if source == Source::Shapes { PathBuf::new() } else { PathBuf::from(FOLDER.of(params)) };
    let numbers = match source {
        Source::Shapes => [TRAIN_IMAGES.of(params), DATA_SEED.of(params), 0],
        Source::Cifar10 => [0; 3],
        Source::Folder => [0, DATA_SEED.of(params), IMAGE_SIZE.of(params)],
    };
    let stamp = if source == Source::Shapes { (0, 0, None) } else { stamp(&path, 3) };
    let identity = Identity { source, path, numbers, stamp };
    let read = |watch: Watch<'_>| read(params, &identity, watch);
    kept::DATA
        .get(&identity, watch, read)
        .map_err(|error| ParamError::invalid(if source == Source::Shapes { SOURCE.key() } else { FOLDER.key() }, error))
}

/// Reads the pictures into memory; see [`crate::kit::lab::LabSpec::read`].
pub fn read_ahead(params: &Params, watch: Watch<'_>) -> Result<(), ParamError> {
    check_combination(params)?;
    images(params, watch).map(drop)
}

fn read(params: &Params, identity: &Identity, watch: Watch<'_>) -> Result<ImageData, DataError> {
    let seed = DATA_SEED.of(params) as u64;
    match identity.source {
        Source::Shapes => Ok(shapes::generate(TRAIN_IMAGES.of(params) as usize, SHAPES_TEST, seed)),
        Source::Cifar10 => cifar::load(&identity.path, watch),
        Source::Folder => image_folder::load(&identity.path, IMAGE_SIZE.of(params) as usize, seed, watch),
    }
}

/// Checks what only the pictures can tell; see [`crate::kit::lab::LabSpec::check`].
pub fn check(params: &Params) -> Result<(), ParamError> {
    check_combination(params)?;
    weights_file(params).map_or(Ok(()), weights::check)?;
    check_resumed(params)
}

/// The same of a run whose weights come from a checkpoint, so that the file of the first ones may be gone.
pub fn check_resumed(params: &Params) -> Result<(), ParamError> {
    check_combination(params)?;
    let data = images(params, Watch::nobody())?;
    let invalid = |key: &str, problem: String| Err(ParamError::invalid(key, problem));
    let batch = BATCH_SIZE.of(params) as usize;
    if batch > data.train.len() {
        return invalid(
            BATCH_SIZE.key(),
            format!(
                "a batch of {batch} pictures is larger than the training set of {0}; choose at most {0}",
                data.train.len()
            ),
        );
    }
    if data.test.is_empty() {
        return invalid(FOLDER.key(), "there are no pictures to test on".to_owned());
    }
    if data.train.channels != 3 && views(params).needs_colour() {
        return invalid(VIEWS.key(), "views for colour pictures need colour; choose views=shapes".to_owned());
    }
    Ok(())
}

/// The data set in words; see [`crate::kit::lab::LabSpec::data`].
pub fn data(params: &Params) -> Result<String, ParamError> {
    check_combination(params)?;
    let mut parts: Vec<String> = of_pictures(params)?.into_iter().collect();
    if let Some(weights) = weights_file(params) {
        let checksum = checksum(weights).map_err(|error| ParamError::invalid(WEIGHTS.key(), error))?;
        parts.push(format!("weights {}, CRC-32 {checksum:08x}", weights.display()));
    }
    Ok(parts.join("; "))
}

/// The same of a run that goes on from a checkpoint: without its first weights where their file is gone.
pub fn data_resumed(params: &Params) -> Result<String, ParamError> {
    data(params).or_else(|_| Ok(of_pictures(params)?.unwrap_or_default()))
}

fn of_pictures(params: &Params) -> Result<Option<String>, ParamError> {
    let read = || Ok(images(params, Watch::nobody())?.description.clone());
    (SOURCE.of(params) != Source::Shapes).then(read).transpose()
}

/// How views are made and pictures normalised; `data`: whose training pictures' moments are taken where that is asked for.
pub fn recipe(params: &Params, data: &ImageData) -> Recipe {
    normalised(params, || data.train.moments())
}

/// The same with moments of the training pictures that are known or not needed.
pub fn normalised(params: &Params, of_data: impl FnOnce() -> Moments) -> Recipe {
    let normalised_by = match normalised_by(params) {
        NormalisedBy::Recipe => None,
        NormalisedBy::ImageNet => Some(Moments::IMAGENET),
        NormalisedBy::Data => Some(of_data()),
    };
    Recipe { normalised_by, ..views(params) }
}

fn views(params: &Params) -> Recipe {
    let needed = if SOURCE.of(params) == Source::Shapes { RecipeKind::Shapes } else { RecipeKind::Torchvision };
    let kind = VIEWS.of(params).unwrap_or(needed);
    let own = if kind == RecipeKind::Shapes { 0.4 } else { 0.08 };
    let asked = CROP_MIN.of(params);
    Recipe { strengths: strengths(params), ..Recipe::new(kind, if asked > 0.0 { asked } else { own }) }
}
