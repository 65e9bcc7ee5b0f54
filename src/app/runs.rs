//! The names and folders that the window gives to runs and pictures, and what it clears away of earlier sessions.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::engine::clock;
use crate::engine::params::Params;
use crate::engine::run_folder;
use crate::kit::view::Lab;

/// The preset whose values these are, or `custom`.
pub fn name_of(lab: &Lab, params: &Params) -> String {
    lab.spec.preset_of(params).unwrap_or("custom").to_owned()
}

/// The folder that follows the form while its sliders move: one per session and lab.
pub fn live_folder(runs: &Path, session: &str, lab: &str) -> PathBuf {
    runs.join(format!("{session}-{lab}-live"))
}

/// The name of this session of the window, which no other has: the time and the process.
pub fn session() -> String {
    format!("{}-{}", stamp(), std::process::id())
}

/// Tells other windows that a session goes on and its folders are in use, for as long as it lives.
#[derive(Debug)]
pub struct Presence {
    path: PathBuf,
    _locked: File,
}

impl Presence {
    /// `None`: nothing can be recorded there, or the file system has no locks.
    pub fn of(runs: &Path, session: &str) -> Option<Self> {
        fs::create_dir_all(runs).ok()?;
        let path = presence_file(runs, session);
        let file = File::options().create(true).truncate(false).write(true).open(&path).ok()?;
        file.try_lock().ok()?;
        Some(Self { path, _locked: file })
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn presence_file(runs: &Path, session: &str) -> PathBuf {
    runs.join(format!(".{session}{PRESENCE}"))
}

const PRESENCE: &str = ".window";

/// Whether the window of that session is open. One that was killed left its file, but not its lock.
fn is_present(runs: &Path, session: &str) -> bool {
    let file = File::open(presence_file(runs, session));
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Removes the folders that followed the form in earlier sessions, but for the newest of each lab. Only what bears a
/// name of ours, is in no window's use and holds nothing but a recording goes; see [`run_folder::remove_ours`].
pub fn clear_away(runs: &Path, labs: &[&str]) {
    let Ok(entries) = fs::read_dir(runs) else { return };
    let mut folders = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if let Some((session, lab)) = live_parts(name, labs)
            && entry.file_type().is_ok_and(|kind| kind.is_dir())
        {
            folders.push((lab, session.to_owned(), entry.path()));
        }
        let session = name.strip_prefix('.').and_then(|name| name.strip_suffix(PRESENCE));
        if session.is_some_and(|session| is_session(session) && !is_present(runs, session)) {
            let _ = fs::remove_file(entry.path());
        }
    }
    // By lab, then by time.
    folders.sort();
    let newer = folders.iter().skip(1).map(|(lab, ..)| *lab).chain([""]);
    for ((lab, session, folder), next) in folders.iter().zip(newer) {
        if *lab == next
            && !is_present(runs, session)
            && let Err(error) = run_folder::remove_ours(folder)
        {
            tracing::info!("left as it is: {error}");
        }
    }
}

/// Whether the folder follows the form of another window than that of this session, which is open.
pub fn follows_another(folder: &Path, labs: &[&str], session: &str) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str());
    let (Some(name), Some(runs)) = (name, folder.parent()) else { return false };
    live_parts(name, labs).is_some_and(|(its, _)| its != session && is_present(runs, its))
}

/// The session and the lab of a folder that [`live_folder`] named.
fn live_parts<'a, 'l>(name: &'a str, labs: &[&'l str]) -> Option<(&'a str, &'l str)> {
    let name = name.strip_suffix("-live")?;
    let of = |lab: &&'l str| Some((name.strip_suffix(*lab)?.strip_suffix('-')?, *lab));
    labs.iter().filter_map(of).find(|(session, _)| is_session(session))
}

/// Whether this is a name as [`session`] gives it, or gave it before the process was part of it.
fn is_session(text: &str) -> bool {
    let Some((time, process)) = text.split_at_checked(STAMP.len()) else { return false };
    let fits = |(c, like): (u8, u8)| if like == b'0' { c.is_ascii_digit() } else { c == like };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    time.bytes().zip(STAMP.bytes()).all(fits) && (process.is_empty() || process.strip_prefix('-').is_some_and(number))
}

const STAMP: &str = "0000-00-00T00-00-00Z";

/// The current time, UTC, as `2026-11-21T04-30-16Z`: sorts by time and is a file name everywhere.
pub fn stamp() -> String {
    clock::utc_now().replace(':', "-")
}

/// A file name of letters, digits, dots and underscores, words joined by single dashes.
pub fn file_name(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._".contains(c);
    let words: Vec<&str> = text.split(|c| !plain(c)).filter(|word| !word.is_empty()).collect();
    let name = words.join("-").trim_matches('.').to_owned();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_plain() {
        assert_eq!(file_name("Adam β₁ / run 3.csv"), "Adam-run-3.csv");
        assert_eq!(file_name("///"), "unnamed");
    }

    #[test]
    fn only_folders_that_a_window_named_are_known_as_such() {
        let labs = ["optimizers", "self-supervised"];
        let ours = [
            ("2026-11-21T04-30-16Z-optimizers-live", "2026-11-21T04-30-16Z", "optimizers"),
            ("2026-11-21T04-30-16Z-4711-self-supervised-live", "2026-11-21T04-30-16Z-4711", "self-supervised"),
        ];
        for (name, session, lab) in ours {
            assert_eq!(live_parts(name, &labs), Some((session, lab)));
        }
        assert_eq!(
            live_parts(&format!("{}-optimizers-live", session()), &labs).map(|(_, lab)| lab),
            Some("optimizers")
        );
        for foreign in [
            "optimizers-live",
            "-optimizers-live",
            "2026-11-21T04-30-16Z-optimizers",
            "2026-11-21T04-30-16Z-optimizers-live-2",
            "2026-11-21T04-30-16Z--optimizers-live",
            "2026-11-21T04-30-16Z-mine-optimizers-live",
            "2026-11-21T04-30-16Z-lab-live",
            "20261121-043016-optimizers-live",
            "2026-11-21 04-30-16Z-optimizers-live",
            "ü026-11-21T04-30-16Z-optimizers-live",
        ] {
            assert_eq!(live_parts(foreign, &labs), None, "{foreign}");
        }
    }

    #[test]
    fn a_start_clears_away_what_earlier_windows_left_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let runs = root.path();
        let folder = |name: &str| {
            fs::create_dir(runs.join(name)).unwrap();
            fs::write(runs.join(name).join("events.bin"), "").unwrap();
        };
        let [old, open, killed, new] =
            ["2026-11-20T00-00-00Z", "2026-11-21T00-00-00Z-7", "2026-11-22T00-00-00Z-8", "2026-11-23T00-00-00Z-9"];
        for session in [old, open, killed, new] {
            folder(&format!("{session}-toy-live"));
        }
        folder(&format!("{old}-other-live"));
        folder(&format!("{old}-unknown-live"));
        folder("20261121-000000-toy-mine");
        fs::write(runs.join(format!("{old}-toy-live-notes")), "mine").unwrap();
        let presence = Presence::of(runs, open).unwrap();
        fs::write(presence_file(runs, killed), "").unwrap();
        clear_away(runs, &["toy", "other"]);
        let mut left: Vec<String> =
            fs::read_dir(runs).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        let mut expected = vec![
            format!(".{open}.window"),
            format!("{old}-other-live"),
            format!("{old}-toy-live-notes"),
            format!("{old}-unknown-live"),
            format!("{open}-toy-live"),
            format!("{new}-toy-live"),
            "20261121-000000-toy-mine".to_owned(),
        ];
        expected.sort();
        assert_eq!(left, expected);
        drop(presence);
        assert!(!presence_file(runs, open).exists());
    }
}
