//! A run's folder on disk: its name, `run.toml`, how it is made, replaced and listed.
//!
//! ```text
//! 20261121-042956-optimizers-saddle/
//!   run.toml      what defines the run, see [`super::header_file`]
//!   events.bin    every recorded event, see [`super::frames`]
//!   metrics.csv   the scalars in long form: step,seconds,key,value
//!   checkpoints/  step-00000250.safetensors, see [`super::checkpoint_file`]
//!   end.toml      how the run ended; absent while it runs and after a crash
//!   earlier/1/    what an earlier start of the run recorded, where a resumption could not go on from it
//!   .lock         held by the process that writes
//! ```
//!
//! Small files are written whole to a temporary file and renamed, so that a reader sees the old or the new one. Listing
//! and reading change nothing. Whoever writes a run may remove what is provably the recorder's own: a file by its exact
//! name in a run folder, a folder by its marker, a temporary name by its pattern. Anything else in there is the user's.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::event::{RunHeader, Status};
use super::{checkpoint_file, frames, header_file, replay};
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
            StorageFull | QuotaExceeded => "free some space, or record elsewhere with --out DIR",
            FileTooLarge => "raise the limit on the size of files (`ulimit -f`), or record elsewhere with --out DIR",
            PermissionDenied | ReadOnlyFilesystem => "check who may write there, or record elsewhere with --out DIR",
            NotFound => "check the path",
            InvalidFilename => "the file system does not take that name: give the file a shorter one",
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
    let mut runs: Vec<RunSummary> = fs::read_dir(root)
        .map_err(|e| DiskError::io("list", root, e))?
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
        header: replay::describe(folder).map(|known| known.header),
        end: read_end(folder),
        running: is_locked(folder),
        checkpoints: checkpoint_file::list(folder).into_iter().map(|(step, _)| step).collect(),
        bytes: ["run.toml", "events.bin", "metrics.csv"].iter().map(|name| size(name)).sum(),
    }
}

/// Whether the folder holds a recorded run.
pub fn is_run(folder: &Path) -> bool {
    folder.join(header_file::FILE).is_file() || folder.join("events.bin").is_file()
}

/// Makes a new folder `<UTC time>-<lab>-<name>` under `root`, filled by `fill`; a number is added where the name is
/// taken. It is there with all its files or not at all.
pub fn create_new(
    root: &Path,
    header: &RunHeader,
    fill: impl FnOnce(&Path) -> Result<(), DiskError>,
) -> Result<PathBuf, DiskError> {
    fs::create_dir_all(root).map_err(|e| DiskError::io("create the folder", root, e))?;
    tidy(root);
    let time: String = header.started.chars().filter(char::is_ascii_digit).collect();
    let (day, clock) = time.split_at(time.len().min(8));
    let base = [day, clock, &sanitize(&header.lab), &sanitize(&header.name)].join("-");
    let fresh = fresh_folder(root)?;
    fill(fresh.path())?;
    for attempt in 1.. {
        let name = if attempt == 1 { base.clone() } else { format!("{base}-{attempt}") };
        let folder = root.join(name);
        // Renaming would take the place of an empty folder. (Should another process make the same name in between: a
        // folder with something in it is refused by the system.)
        if attempt < 10_000 && fs::symlink_metadata(&folder).is_ok() {
            continue;
        }
        match fs::rename(fresh.path(), &folder) {
            Ok(()) => {
                let _ = fresh.keep();
                return Ok(folder);
            }
            Err(e) if is_taken(&e) && attempt < 10_000 => {}
            Err(e) => return Err(DiskError::io("create the folder", folder, e)),
        }
    }
    unreachable!("the loop ends by returning")
}

fn is_taken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory
    )
}

/// How the name of a folder ends that is being filled.
const FRESH: &str = ".new";

/// A folder under a temporary name of ours; removed when dropped.
fn fresh_folder(parent: &Path) -> Result<tempfile::TempDir, DiskError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(disk::TEMPORARY.0).suffix(FRESH).rand_bytes(12);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    builder.tempdir_in(parent).map_err(|e| DiskError::io("create a folder in", parent, e))
}

/// Marks a run folder that is about to be replaced, as no folder of anybody else is marked.
const MARKER: &str = ".learnscope-replaced";

/// Puts a fresh folder, filled by `fill`, in the place of the run `folder`, or where nothing is. Two renames: a crash
/// leaves the old or the new one whole ([`recover`] finishes the work), and an error leaves the old one. What is not the
/// recorder's (pictures, notes) moves into the new folder. Refuses a folder that is not a run. `lock`: the old one's.
pub fn replace(
    folder: &Path,
    lock: Option<File>,
    fill: impl FnOnce(&Path) -> Result<(), DiskError>,
) -> Result<(), DiskError> {
    recover(folder)?;
    let exists = check_replaceable(folder)?;
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|e| DiskError::io("create the folder", parent, e))?;
    let fresh = fresh_folder(parent)?;
    fill(fresh.path())?;
    let old = replaced(folder);
    if exists {
        if fs::symlink_metadata(&old).is_ok() {
            return Err(DiskError::bad(old, "it is in the way of replacing a run; move it away"));
        }
        let marker = folder.join(MARKER);
        fs::write(&marker, "").map_err(|e| DiskError::io("write", &marker, e))?;
        fs::rename(folder, &old).map_err(|e| {
            let _ = fs::remove_file(&marker);
            DiskError::io("move away", folder, e)
        })?;
    }
    if let Err(error) = fs::rename(fresh.path(), folder) {
        let _ = recover(folder);
        return Err(DiskError::io("move into place", fresh.path(), error));
    }
    let _ = fresh.keep();
    drop(lock);
    // If it cannot be removed now, the next replacement does.
    if exists {
        let _ = absorb(&old, folder);
    }
    Ok(())
}

/// Whether there is something to replace. Refuses what is not a run.
pub fn check_replaceable(folder: &Path) -> Result<bool, DiskError> {
    let is_empty = |folder: &Path| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    match fs::symlink_metadata(folder) {
        Err(_) => Ok(false),
        Ok(_) if is_run(folder) || is_empty(folder) => Ok(true),
        Ok(_) => Err(DiskError::bad(folder, "this is not a recorded run; it is left as it is, choose another path")),
    }
}

/// Finishes a replacement that a crash cut short: brings the old folder back if the new one is not in place. Touches only
/// a folder that is a run and bears the marker of a replacement. For those who write a run; reading needs none of it.
pub fn recover(folder: &Path) -> Result<(), DiskError> {
    let old = replaced(folder);
    if !is_run(&old) || !old.join(MARKER).is_file() || is_locked(&old) {
        return Ok(());
    }
    if fs::symlink_metadata(folder).is_ok() {
        return absorb(&old, folder);
    }
    fs::rename(&old, folder).map_err(|e| DiskError::io("bring back", &old, e))?;
    let _ = fs::remove_file(folder.join(MARKER));
    Ok(())
}

fn replaced(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!(".{name}.learnscope-old"))
}

/// Moves what is not the recorder's from the replaced folder into the one in its place, and removes the rest. A name that
/// is taken there stays where it is.
fn absorb(old: &Path, folder: &Path) -> Result<(), DiskError> {
    if is_run(folder) {
        for entry in foreign(old) {
            let to = folder.join(entry.file_name().unwrap_or_default());
            if fs::symlink_metadata(&to).is_err() {
                fs::rename(&entry, &to).map_err(|e| DiskError::io("move into place", entry, e))?;
            }
        }
    }
    remove_ours(old).map(|_| ())
}

/// Removes a run folder if nothing but the recorder's own files is in it and nobody writes to it; says whether it is
/// gone.
pub fn remove_ours(folder: &Path) -> Result<bool, DiskError> {
    let is_ours = !fs::symlink_metadata(folder).is_ok_and(|meta| meta.is_symlink()) && foreign(folder).is_empty();
    if !is_ours {
        return Ok(false);
    }
    let Ok(lock) = lock(folder) else { return Ok(false) };
    fs::remove_dir_all(folder).map_err(|e| DiskError::io("remove", folder, e))?;
    drop(lock);
    Ok(true)
}

/// Deletes a recorded run that the user no longer wants. Refused, with the reason, while it is recorded, where it is a
/// link, and where it holds anything that the recorder did not write.
pub fn delete(folder: &Path) -> Result<(), DiskError> {
    let meta = fs::symlink_metadata(folder).map_err(|e| DiskError::io("delete", folder, e))?;
    if meta.is_symlink() {
        return Err(DiskError::bad(
            folder,
            "it is a link to a run elsewhere; delete the run there, or remove the link",
        ));
    }
    if !is_run(folder) {
        return Err(DiskError::bad(folder, "not a recorded run: it has no run.toml and no events.bin"));
    }
    let foreign = foreign(folder);
    if let Some(first) = foreign.first() {
        let name = first.strip_prefix(folder).unwrap_or(first).display();
        let more = if foreign.len() > 1 { format!(" and {} more", foreign.len() - 1) } else { String::new() };
        return Err(DiskError::bad(
            folder,
            format!(
                "it also holds `{name}`{more}, which no recording made; move that away first, or delete the folder yourself"
            ),
        ));
    }
    drop(lock(folder)?);
    if remove_ours(folder)? {
        Ok(())
    } else {
        Err(DiskError::bad(folder, "it has changed just now and was left as it is; try again"))
    }
}

/// What in a run folder is not the recorder's.
fn foreign(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return vec![folder.to_owned()] };
    let is_file = |path: &Path| fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file());
    let is_folder = |path: &Path| fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir());
    let every = |path: &Path, ours: &dyn Fn(&Path) -> bool| {
        is_folder(path) && fs::read_dir(path).is_ok_and(|entries| entries.flatten().all(|entry| ours(&entry.path())))
    };
    let ours = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match name.as_str() {
            header_file::FILE | "events.bin" | "metrics.csv" | "end.toml" | LOCK | MARKER => is_file(path),
            checkpoint_file::FOLDER => every(path, &|file| is_file(file) && checkpoint_file::is_ours(file)),
            EARLIER => every(path, &|start| foreign(start).is_empty()),
            name => is_file(path) && is_left_over(name),
        }
    };
    entries.flatten().map(|entry| entry.path()).filter(|path| !ours(path)).collect()
}

/// Folder of what earlier starts of the run recorded, within the run folder.
pub const EARLIER: &str = "earlier";

/// A temporary file in a run folder; versions before 0.2 called theirs after the file.
fn is_left_over(name: &str) -> bool {
    disk::is_temporary(name) || ["run.toml.tmp", "metrics.csv.tmp", "end.toml.tmp"].contains(&name)
}

/// Removes what killed writers left in a run folder. The caller holds its lock.
pub fn tidy_run(folder: &Path) {
    for folder in [folder.to_owned(), folder.join(checkpoint_file::FOLDER)] {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let stale = is_left_over(&name) || (name.ends_with(".safetensors.tmp") && name.starts_with("step-"));
            if stale && entry.file_type().is_ok_and(|kind| kind.is_file()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Age at which what looks left over is: nobody fills a folder or writes a file for so long.
const STALE: std::time::Duration = std::time::Duration::from_secs(600);

/// Removes what killed writers left in a folder of runs: folders that were being filled, temporary files, and run folders
/// of older versions that were never filled. What cannot be removed stays.
fn tidy(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        let Ok(meta) = entry.metadata() else { continue };
        let stale = meta.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > STALE));
        let temporary = name.starts_with(disk::TEMPORARY.0);
        if !stale {
        } else if meta.is_file() && disk::is_temporary(&name) {
            let _ = fs::remove_file(path);
        } else if meta.is_dir() && ((temporary && name.ends_with(FRESH)) || is_stub(&path)) {
            let _ = remove_ours(&path);
        } else if meta.is_dir() && name.starts_with('.') {
            // A replacement that was cut short, of a folder that nobody replaces again.
            let name = name.trim_start_matches('.');
            if let Some(name) = name.strip_suffix(".learnscope-old") {
                let _ = recover(&root.join(name));
            }
        }
    }
}

/// A run folder that was never filled: no description, and not one event.
fn is_stub(folder: &Path) -> bool {
    let events = folder.join("events.bin");
    let holds_nothing = || disk::read(&events, frames::HEADER_BYTES).is_ok_and(|bytes| bytes == frames::header());
    !folder.join(header_file::FILE).exists() && holds_nothing()
}

/// Name of the lock file.
const LOCK: &str = ".lock";

/// Takes the folder's lock for as long as the file lives; the system frees it when the process dies.
pub fn lock(folder: &Path) -> Result<Option<File>, DiskError> {
    let path = folder.join(LOCK);
    // Opening a pipe would wait for somebody at its other end.
    if fs::metadata(&path).is_ok_and(|meta| !meta.is_file()) {
        return Err(DiskError::bad(path, "it is not a file; remove it"));
    }
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
pub fn is_locked(folder: &Path) -> bool {
    disk::open(&folder.join(LOCK)).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
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
    toml::from_str(&disk::read_text(&folder.join("end.toml"), 1 << 20).ok()?).ok()
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
