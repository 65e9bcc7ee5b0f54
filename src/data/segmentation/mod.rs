//! Pairs of an image and the mask of its lesions: found in a folder, read, grouped, split, examined, corrected and saved.

pub mod calipers;
pub mod doctor;
pub mod drafts;
pub mod edit;
pub mod given;
mod grouping;
pub mod groups;
mod guess;
pub mod lesion;
pub mod listing;
mod matching;
pub mod names;
pub mod plan;
pub mod read;
pub mod save;
mod seen;
pub mod split;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
mod told;
mod walk;

use std::path::PathBuf;

use thiserror::Error;

pub use crate::watch::Watch;

/// Why a folder of images and masks cannot be used. Names the file or folder, what was expected and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SegmentationDataError {
    #[error("{}: {problem}", .path.display())]
    File { path: PathBuf, problem: String },
    #[error("stopped before the folder was read")]
    Cancelled,
}

impl SegmentationDataError {
    /// About one file or folder.
    pub fn file(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        SegmentationDataError::File { path: path.into(), problem: problem.into() }
    }
}

/// A file that could not be used; the rest of the folder can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub path: PathBuf,
    /// What is wrong and what to do, without the path.
    pub problem: String,
}

/// `1 pair`, `2 pairs`.
pub fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}
