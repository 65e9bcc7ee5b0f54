//! Drives the real binary, each test in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A command of the program in a folder of its own: runs, caches and settings of one test touch nobody else's.
pub fn learnscope(home: &TempDir, line: &str) -> Command {
    with_args(home, &line.split_whitespace().collect::<Vec<_>>())
}

/// The same with arguments that may hold spaces.
pub fn with_args(home: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_learnscope"));
    command.args(args).current_dir(home.path()).stdin(Stdio::null());
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

/// Checks the exit code and that these words are in the message; returns what was printed.
#[track_caller]
pub fn ends(output: &Output, code: i32, words: &[&str]) -> String {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{message}");
    for word in words {
        assert!(message.contains(word), "no `{word}` in: {message}");
    }
    assert!(!message.contains("panicked"), "{message}");
    stdout(output)
}

/// Runs a command that must succeed; returns what it printed.
#[track_caller]
pub fn succeeds(home: &TempDir, line: &str) -> String {
    println!("learnscope {line}");
    ends(&run(home, line), 0, &[])
}

/// Runs a command that must fail with this exit code and these words in its message.
#[track_caller]
pub fn fails(home: &TempDir, line: &str, code: i32, words: &[&str]) {
    println!("learnscope {line}");
    ends(&run(home, line), code, words);
}

/// The only run folder under `runs`.
#[track_caller]
pub fn only_run(home: &TempDir) -> PathBuf {
    only_run_in(home, "runs")
}

/// The only run folder under `root`.
#[track_caller]
pub fn only_run_in(home: &TempDir, root: &str) -> PathBuf {
    let folders: Vec<PathBuf> =
        fs::read_dir(home.path().join(root)).unwrap().map(|entry| entry.unwrap().path()).collect();
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
/// The same for points of a file.
pub const NETWORK_ON_CSV: &str = "--preset moons --device cpu --set hidden=4 --set batch_size=16";
