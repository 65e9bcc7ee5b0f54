//! Drives the real binary, each test in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A command of the program in a folder of its own: runs, caches and settings of one test touch nobody else's.
pub fn learnscope(home: &TempDir, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_learnscope"));
    command.args(line.split_whitespace()).current_dir(home.path()).stdin(Stdio::null());
    command.env("LEARNSCOPE_CACHE_DIR", home.path().join("cache"));
    command.env("LEARNSCOPE_CONFIG_DIR", home.path().join("config"));
    command
}

/// Runs a command to its end.
pub fn run(home: &TempDir, line: &str) -> Output {
    learnscope(home, line).output().unwrap_or_else(|error| panic!("{line}: {error}"))
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a command that must succeed; returns what it printed.
#[track_caller]
pub fn succeeds(home: &TempDir, line: &str) -> String {
    let output = run(home, line);
    assert_eq!(output.status.code(), Some(0), "{line}\n{}", stderr(&output));
    stdout(&output)
}

/// Runs a command that must fail with this exit code and these words in its message.
#[track_caller]
pub fn fails(home: &TempDir, line: &str, code: i32, words: &[&str]) {
    let output = run(home, line);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{line}\n{message}");
    for word in words {
        assert!(message.contains(word), "{line}\nno `{word}` in: {message}");
    }
    assert!(!message.contains("panicked"), "{line}\n{message}");
}

/// The only run folder under `runs`.
#[track_caller]
pub fn only_run(home: &TempDir) -> PathBuf {
    let folders: Vec<PathBuf> =
        fs::read_dir(home.path().join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(folders.len(), 1, "{folders:?}");
    folders[0].clone()
}

/// `metrics.csv` without the column of the clock.
pub fn metrics(folder: &Path) -> Vec<(u64, String, String)> {
    let mut csv = csv::Reader::from_path(folder.join("metrics.csv")).unwrap();
    csv.records()
        .map(|record| {
            let record = record.unwrap();
            (record[0].parse().unwrap(), record[2].to_owned(), record[3].to_owned())
        })
        .collect()
}

/// Settings of a small network that trains in a moment.
pub const NETWORK: &str = "--preset moons --device cpu --set hidden=4 --set point_count=60 --set batch_size=16";
