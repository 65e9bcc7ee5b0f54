//! A run's folder on disk: its name, `run.toml`, how it is made, replaced and listed.
//!
//! ```text
//! 20261121-042956-optimizers-saddle/
//!   run.toml      what defines the run, see [`super::header_file`]
//!   events.bin    every recorded event, see [`super::frames`]
//!   metrics.csv   the scalars in long form: step,seconds,key,value
//!   checkpoints/  step-00000250.safetensors, see [`super::checkpoint_file`]
//!   end.toml      how the run ended; absent while it runs and after a crash
//!   .lock         held by the process that writes
//! ```
//!
//! Small files are written whole to a temporary file and renamed, so that a reader sees the old or the new one.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::event::{RunHeader, Status};
use super::header_file;
use crate::disk;

/// What went wrong with a run folder. Every message names the path, the reason and what to do.
#[derive(Debug, Error)]
pub enum DiskError {
    #[error("cannot {action} `{}`: {source}; {advice}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error, advice: &'static str },
    #[error("`{}`: {problem}", path.display())]
    Bad { path: PathBuf, problem: String },
}

impl DiskError {
    /// An operating-system error with advice that suits its kind.
    pub fn io(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        use io::ErrorKind::*;
        let advice = match source.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => "free some space, or record elsewhere with --out DIR",
            PermissionDenied | ReadOnlyFilesystem => "check who may write there, or record elsewhere with --out DIR",
            NotFound => "check the path",
            NotADirectory | AlreadyExists | IsADirectory => "something else has that name; choose another path",
            _ => "check the disk",
        };
        DiskError::Io { action, path: path.into(), source, advice }
    }

    pub fn bad(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        DiskError::Bad { path: path.into(), problem: problem.into() }
    }
}

/// How a run ended, as `end.toml` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEnd {
    /// `finished`, `stopped` or `failed`.
    pub status: String,
    /// What failed, else empty.
    #[serde(default)]
    pub message: String,
    /// Completed steps.
    pub step: u64,
    /// Seconds since the start of the run.
    pub seconds: f64,
}

/// One line of the list of runs.
#[derive(Debug)]
pub struct RunSummary {
    pub folder: PathBuf,
    /// The header, or why it cannot be read.
    pub header: Result<RunHeader, DiskError>,
    /// How it ended; `None`: it is still going on, or was interrupted (see `running`).
    pub end: Option<RunEnd>,
    /// Another process, or this one, is writing to it now.
    pub running: bool,
    /// Steps of the checkpoints, ascending.
    pub checkpoints: Vec<u64>,
    /// Size of the recording on disk, without checkpoints.
    pub bytes: u64,
}

impl RunSummary {
    /// `running`, `finished`, `stopped`, `failed`, `interrupted` or `unreadable`.
    pub fn state(&self) -> &str {
        match (&self.header, &self.end) {
            (Err(_), _) => "unreadable",
            (_, Some(end)) => &end.status,
            (_, None) if self.running => "running",
            _ => "interrupted",
        }
    }
}

/// Every run folder directly under `root`, newest first; a folder without `run.toml` and `events.bin` is none.
pub fn list_runs(root: &Path) -> Result<Vec<RunSummary>, DiskError> {
    let entries = || fs::read_dir(root).map_err(|e| DiskError::io("list", root, e));
    for entry in entries()?.flatten() {
        // A replacement that a crash cut short between its two renames.
        let name = entry.file_name();
        if let Some(name) = name.to_str().and_then(|n| n.strip_prefix('.')).and_then(|n| n.strip_suffix(".old")) {
            recover(&root.join(name))?;
        }
    }
    let mut runs: Vec<RunSummary> = entries()?
        .flatten()
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        .map(|entry| entry.path())
        .filter(|path| is_run(path))
        .map(|path| summary(&path))
        .collect();
    let started = |run: &RunSummary| run.header.as_ref().map(|h| h.started.clone()).unwrap_or_default();
    runs.sort_by(|a, b| started(b).cmp(&started(a)).then_with(|| b.folder.cmp(&a.folder)));
    Ok(runs)
}

/// What is known of one run folder without reading its events.
pub fn summary(folder: &Path) -> RunSummary {
    let size = |name: &str| fs::metadata(folder.join(name)).map_or(0, |meta| meta.len());
    RunSummary {
        folder: folder.to_owned(),
        header: header_file::read(folder),
        end: read_end(folder),
        running: is_locked(folder),
        checkpoints: super::checkpoint_file::list(folder).into_iter().map(|(step, _)| step).collect(),
        bytes: ["run.toml", "events.bin", "metrics.csv"].iter().map(|name| size(name)).sum(),
    }
}

/// Whether the folder holds a recorded run.
pub fn is_run(folder: &Path) -> bool {
    folder.join("run.toml").is_file() || folder.join("events.bin").is_file()
}

/// Makes a new folder `<UTC time>-<lab>-<name>` under `root`; a number is added where the name is taken.
pub fn create_new(root: &Path, header: &RunHeader) -> Result<PathBuf, DiskError> {
    fs::create_dir_all(root).map_err(|e| DiskError::io("create the folder", root, e))?;
    let time: String = header.started.chars().filter(char::is_ascii_digit).collect();
    let (day, clock) = time.split_at(time.len().min(8));
    let base = [day, clock, &sanitize(&header.lab), &sanitize(&header.name)].join("-");
    for attempt in 1.. {
        let name = if attempt == 1 { base.clone() } else { format!("{base}-{attempt}") };
        let folder = root.join(name);
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && attempt < 10_000 => {}
            Err(e) => return Err(DiskError::io("create the folder", folder, e)),
        }
    }
    unreachable!("the loop ends by returning")
}

/// Puts a fresh folder, filled by `fill`, in the place of `folder`. Two renames: a crash leaves the old or the new one
/// whole ([`recover`] finishes the work), and an error leaves the old one. Refuses a folder that is not a run and one
/// that another process is writing to; the caller must have dropped its own recorder of it.
pub fn replace(folder: &Path, fill: impl FnOnce(&Path) -> Result<(), DiskError>) -> Result<(), DiskError> {
    recover(folder)?;
    let exists = folder.exists();
    if exists && !is_run(folder) && fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(DiskError::bad(folder, "this is not a recorded run; it is left as it is, choose another path"));
    }
    let (fresh, old) = (beside(folder, ".new"), beside(folder, ".old"));
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(|e| DiskError::io("remove the left-over folder", &fresh, e))?;
    }
    fs::create_dir_all(&fresh).map_err(|e| DiskError::io("create the folder", &fresh, e))?;
    let swap = || -> Result<(), DiskError> {
        fill(&fresh)?;
        if exists {
            drop(lock(folder)?);
            fs::rename(folder, &old).map_err(|e| DiskError::io("move away", folder, e))?;
        }
        fs::rename(&fresh, folder).map_err(|e| {
            let _ = fs::rename(&old, folder);
            DiskError::io("move into place", &fresh, e)
        })
    };
    let swapped = swap();
    // What is left over of a failed or a finished swap; if it cannot be removed now, the next one does.
    let _ = fs::remove_dir_all(if swapped.is_ok() { &old } else { &fresh });
    swapped
}

/// Finishes a replacement that a crash cut short: brings the old folder back if the new one is not in place.
pub fn recover(folder: &Path) -> Result<(), DiskError> {
    let old = beside(folder, ".old");
    if !old.exists() {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(&old).map_err(|e| DiskError::io("remove", &old, e))
    } else {
        fs::rename(&old, folder).map_err(|e| DiskError::io("bring back", &old, e))
    }
}

fn beside(folder: &Path, suffix: &str) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!(".{name}{suffix}"))
}

/// Takes the folder's lock for as long as the file lives; the system frees it when the process dies.
pub fn lock(folder: &Path) -> Result<Option<File>, DiskError> {
    let path = folder.join(".lock");
    // A folder that cannot be written to has no writer either.
    let Ok(file) = File::options().create(true).truncate(false).write(true).open(path) else { return Ok(None) };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            Err(DiskError::bad(folder, "another learnscope is recording this run now; wait for it, or stop it"))
        }
        // A file system without locks.
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Whether a process writes to the folder now. Shared, so that two who ask do not disturb each other.
fn is_locked(folder: &Path) -> bool {
    File::open(folder.join(".lock")).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Notes in `end.toml` how the run ended; `None`: that it goes on.
pub fn write_end(folder: &Path, end: Option<&RunEnd>) -> Result<(), DiskError> {
    let path = folder.join("end.toml");
    match end {
        Some(end) => {
            let text = toml::to_string(end).map_err(|e| DiskError::bad(&path, e.to_string()))?;
            write_whole(&path, text.as_bytes())
        }
        None => match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(DiskError::io("remove", path, e)),
            _ => Ok(()),
        },
    }
}

/// How the run ended; `None` while it goes on, after a crash, or if the file is damaged.
pub fn read_end(folder: &Path) -> Option<RunEnd> {
    toml::from_str(&fs::read_to_string(folder.join("end.toml")).ok()?).ok()
}

impl RunEnd {
    /// `None` for a status that is not an end.
    pub fn of(status: &Status, step: u64, seconds: f64) -> Option<Self> {
        let (name, message) = match status {
            Status::Finished => ("finished", ""),
            Status::Stopped => ("stopped", ""),
            Status::Failed(message) => ("failed", message.as_str()),
            _ => return None,
        };
        Some(Self { status: name.to_owned(), message: message.to_owned(), step, seconds })
    }
}

/// [`disk::write_whole`] with an error that names the file and says what to do.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    disk::write_whole(path, bytes).map_err(|e| DiskError::io("write", path, e))
}

/// [`disk::write_synced`] with an error that names the file and says what to do.
pub fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    disk::write_synced(path, bytes).map_err(|e| DiskError::io("write", path, e))
}

/// A name that every file system takes: letters, digits, `-`, `_`, at most 40 characters.
fn sanitize(name: &str) -> String {
    let mut clean = String::new();
    for c in name.chars() {
        match c {
            c if c.is_ascii_alphanumeric() || c == '_' => clean.push(c.to_ascii_lowercase()),
            _ if clean.ends_with('-') || clean.is_empty() => {}
            _ => clean.push('-'),
        }
        if clean.len() == 40 {
            break;
        }
    }
    let clean = clean.trim_end_matches('-');
    if clean.is_empty() { "run".to_owned() } else { clean.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_on_every_file_system() {
        assert_eq!(sanitize("Down a saddle"), "down-a-saddle");
        assert_eq!(sanitize("../..\\x: η=0.1?"), "x-0-1");
        assert_eq!(sanitize("  "), "run");
        assert_eq!(sanitize(&"a".repeat(99)).len(), 40);
    }
}
