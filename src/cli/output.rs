//! What the command line says: to people on both streams, to machines one JSON object a line on standard output.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use serde_json::{Value as Json, json};
use thiserror::Error;

use crate::compute::device::DeviceError;
use crate::engine::params::ParamError;
use crate::engine::run_folder::DiskError;

/// Why a command did not do what it was asked for.
#[derive(Debug, Error)]
pub enum Failure {
    /// Bad usage or bad input: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The work failed or was stopped: exit code 1.
    #[error("{0}")]
    Work(String),
}

impl Failure {
    pub fn usage(message: impl Into<String>) -> Self {
        Failure::Usage(message.into())
    }

    pub fn work(message: impl Into<String>) -> Self {
        Failure::Work(message.into())
    }

    fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Work(_) => 1,
        }
    }
}

impl From<ParamError> for Failure {
    fn from(error: ParamError) -> Self {
        Failure::Usage(error.to_string())
    }
}

impl From<DeviceError> for Failure {
    fn from(error: DeviceError) -> Self {
        Failure::Usage(error.to_string())
    }
}

impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        Failure::Usage(error.to_string())
    }
}

/// Prints a failure, if there is one, and maps the result to the process's exit code.
pub fn report(result: Result<(), Failure>, json: bool) -> ExitCode {
    let Err(failure) = result else { return ExitCode::SUCCESS };
    if json {
        Output::new(true).object(&json!({ "event": "error", "message": failure.to_string(), "code": failure.code() }));
    }
    eprintln!("learnscope: {failure}");
    ExitCode::from(failure.code())
}

/// Where results go.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub json: bool,
    /// A person watches: progress bars make sense.
    pub terminal: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json, terminal: !json && std::io::stderr().is_terminal() }
    }

    /// One JSON object; nothing where people read.
    pub fn object(&self, value: &Json) {
        if self.json {
            print(value);
        }
    }

    /// A line of the result for people; nothing where machines read.
    pub fn line(&self, text: impl Display) {
        if !self.json {
            print(text);
        }
    }

    /// A line beside the result (standard error); nothing where machines read.
    pub fn aside(&self, text: impl Display) {
        if !self.json {
            eprintln!("{text}");
        }
    }
}

fn print(text: impl Display) {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    // `learnscope params LAB | head` closes the pipe: nobody wants the rest.
    if written.is_err_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe) {
        std::process::exit(0);
    }
}

/// Columns of a table for people, padded to equal width; the first row is the heading.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &Vec<String>, column: usize| row.get(column).map_or(0, |text| text.chars().count());
    let widths: Vec<usize> =
        (0..columns).map(|column| rows.iter().map(|row| cell(row, column)).max().unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(text, width)| format!("{text:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
