//! Data on the host: point sets and pictures that a seed defines, and one's own files.

pub mod augment;
pub mod cifar;
pub mod csv_points;
pub mod folder;
pub mod fundus;
pub mod image_folder;
pub mod images;
pub mod labelme;
pub mod picture_file;
pub mod points;
pub mod reports;
pub mod segmentation;
pub mod synth;
pub mod table_file;

use std::path::PathBuf;

use thiserror::Error;

/// Why files cannot be used. Names the file or folder, what was expected and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DataError {
    #[error("{}: {problem}", .path.display())]
    File { path: PathBuf, problem: String },
    #[error("stopped before the folder was read")]
    Cancelled,
}

impl DataError {
    /// About one file or folder.
    pub fn file(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        DataError::File { path: path.into(), problem: problem.into() }
    }
}

/// A file that could not be used; the rest of the folder can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub path: PathBuf,
    /// What is wrong and what to do, without the path.
    pub problem: String,
}

/// A hash of bytes that may be kept: the same in every version and on every machine (FNV-1a, 64 bits).
pub fn fnv_1a<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> u64 {
    let add = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, add)
}
