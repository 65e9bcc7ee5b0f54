//! Devices, read-back, host linear algebra and statistics. Knows nothing of windows.

pub mod device;
pub mod linalg;
pub mod readback;
pub mod rng;
pub mod stats;
pub mod streams;

use std::path::PathBuf;

/// Makes this thread, for the rest of its life, the first of threads that compute in parallel what it starts, as many as there are cores
/// or `RAYON_NUM_THREADS` says. Otherwise each of the hundreds of parallel loops of a step would begin by waking a thread of the
/// global pool and waiting for it. Called once on a thread; what is returned is to be held as long as it computes.
pub fn own_threads() -> Option<rayon::ThreadPool> {
    let built = rayon::ThreadPoolBuilder::new().use_current_thread().build();
    built.inspect_err(|error| tracing::warn!("no threads to compute with beside this one: {error}")).ok()
}

/// The user's cache folder for this program (compiled kernels, device checks); `LEARNSCOPE_CACHE_DIR` overrides it.
pub fn cache_folder() -> Option<PathBuf> {
    match std::env::var_os("LEARNSCOPE_CACHE_DIR") {
        Some(folder) => Some(PathBuf::from(folder)),
        None => Some(directories::ProjectDirs::from("", "", "learnscope")?.cache_dir().to_owned()),
    }
}
