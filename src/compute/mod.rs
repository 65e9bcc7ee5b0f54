//! Devices, read-back, host linear algebra and statistics. Knows nothing of windows.

pub mod device;
pub mod linalg;
pub mod readback;
pub mod rng;
pub mod stats;
pub mod streams;

use std::path::PathBuf;

/// The user's cache folder for this program (compiled kernels, device checks); `LEARNSCOPE_CACHE_DIR` overrides it.
pub fn cache_folder() -> Option<PathBuf> {
    match std::env::var_os("LEARNSCOPE_CACHE_DIR") {
        Some(folder) => Some(PathBuf::from(folder)),
        None => Some(directories::ProjectDirs::from("", "", "learnscope")?.cache_dir().to_owned()),
    }
}
