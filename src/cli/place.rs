//! Files that a command writes where the user says: what lies there already is replaced only with `--force`, and the files
//! of a recorded run never.

use std::path::{Path, PathBuf};
use std::{fs, io};

use tempfile::TempPath;

use super::output::Failure;
use crate::disk;
use crate::engine::run_folder::{self, DiskError, write_whole};

/// Names in a run folder that are the recording's own.
const OF_A_RUN: [&str; 5] = ["run.toml", "events.bin", "metrics.csv", "end.toml", ".lock"];
/// So many names are listed where several files are in the way.
const NAMED: usize = 3;

/// Refuses, before any work is done, places that are not free.
pub fn check(files: &[PathBuf], force: bool) -> Result<(), Failure> {
    if let Some(own) = files.iter().find(|file| is_of_a_run(file)) {
        return Err(Failure::usage(format!("`{}` belongs to a recorded run; choose another place", own.display())));
    }
    // A link counts, whatever it points to.
    let taken = |file: &&PathBuf| !force && fs::symlink_metadata(file).is_ok();
    let taken: Vec<String> = files.iter().filter(taken).map(|file| format!("`{}`", file.display())).collect();
    match &taken[..] {
        [] => Ok(()),
        [one] => Err(Failure::usage(format!("{one} is already there; --force replaces it"))),
        several => {
            let named = &several[..several.len().min(NAMED)];
            let more = match several.len() - named.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            Err(Failure::usage(format!("{}{more} are already there; --force replaces them", named.join(", "))))
        }
    }
}

/// Writes a file whole, by the same rule: something may have come there since [`check`].
pub fn write(file: &Path, bytes: &[u8], force: bool) -> Result<(), Failure> {
    if force {
        return Ok(write_whole(file, bytes)?);
    }
    disk::write_new(file, bytes).map_err(|error| refusal(file, error))
}

/// Puts a filled temporary file in its place, by the same rule.
pub fn put(temporary: TempPath, file: &Path, force: bool) -> Result<(), Failure> {
    let put = if force { disk::place_at(temporary, file) } else { disk::place_new(temporary, file) };
    put.map_err(|error| refusal(file, error))
}

fn refusal(file: &Path, error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::usage(format!("`{}` is already there; --force replaces it", file.display()))
        }
        _ => DiskError::io("write", file, error).into(),
    }
}

/// Whether a file of this name would be one of a recorded run's own.
fn is_of_a_run(file: &Path) -> bool {
    let Ok(file) = std::path::absolute(file) else { return false };
    let (Some(name), Some(folder)) = (file.file_name(), file.parent()) else { return false };
    // A folder may be reached through links.
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let own = OF_A_RUN.iter().any(|own| name.eq_ignore_ascii_case(own));
    let in_checkpoints = folder.file_name().is_some_and(|name| name.eq_ignore_ascii_case("checkpoints"));
    own && run_folder::is_run(&folder) || in_checkpoints && folder.parent().is_some_and(run_folder::is_run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_came_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        check(std::slice::from_ref(&file), false).unwrap();
        fs::write(&file, "mine").unwrap();
        let refused = write(&file, b"ours", false).unwrap_err();
        assert!(refused.to_string().ends_with("a.csv` is already there; --force replaces it"), "{refused}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
        write(&file, b"ours", true).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "ours");
    }

    #[test]
    fn a_name_is_a_runs_own_only_in_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("metrics.csv");
        assert!(!is_of_a_run(&file));
        fs::write(folder.path().join("run.toml"), "").unwrap();
        assert!(is_of_a_run(&file));
        assert!(is_of_a_run(&folder.path().join("checkpoints/step-00000250.safetensors")));
        assert!(!is_of_a_run(&folder.path().join("figures/metrics.csv")));
    }
}
