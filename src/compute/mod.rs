//! Devices, read-back, host linear algebra and statistics. Knows nothing of windows.

pub mod device;
pub mod linalg;
pub mod readback;
pub mod rng;
pub mod stats;
pub mod streams;

use std::path::PathBuf;

/// Makes this thread one of those that compute in parallel what it starts, as many as there are cores, its own. Otherwise each of the
/// hundreds of parallel loops of a step would begin by waking another thread and waiting for it. It lasts as long as what is returned.
pub fn own_threads() -> Option<rayon::ThreadPool> {
    let built = rayon::ThreadPoolBuilder::new().use_current_thread().build();
    built.inspect_err(|error| tracing::warn!("this thread computes with those of all: {error}")).ok()
}

/// The user's cache folder for this program (compiled kernels, device checks); `LEARNSCOPE_CACHE_DIR` overrides it.
pub fn cache_folder() -> Option<PathBuf> {
    match std::env::var_os("LEARNSCOPE_CACHE_DIR") {
        Some(folder) => Some(PathBuf::from(folder)),
        None => Some(directories::ProjectDirs::from("", "", "learnscope")?.cache_dir().to_owned()),
    }
}
