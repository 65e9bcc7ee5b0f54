//! What the command line says: to people on both streams, to machines one JSON object a line on standard output.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::{Value as Json, json};
use thiserror::Error;

use crate::compute::device::DeviceError;
use crate::engine::params::ParamError;
use crate::engine::run_folder::DiskError;
use crate::kit::predict::PredictError;

use super::flags::Flags;

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

impl From<PredictError> for Failure {
    fn from(error: PredictError) -> Self {
        match error {
            PredictError::Input(message) => Failure::Usage(message),
            PredictError::Work(message) => Failure::Work(message),
        }
    }
}

impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        Failure::Usage(error.to_string())
    }
}

/// Why standard output could not be written, once that has happened. Long work goes on all the same: its results are on
/// disk. Nothing more is written there, so that what arrived has no holes.
static LOST: OnceLock<io::Error> = OnceLock::new();
/// Where the results of this command are kept, for the last word where standard output is lost.
static KEPT: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Prints a failure, if there is one, and maps the result to the process's exit code. Results that could not be printed are a
/// failure too, unless nobody wanted the rest of a list.
pub fn report(result: Result<(), Failure>, flags: &Flags) -> ExitCode {
    let output = Output::new(flags.json);
    let code = match result {
        Ok(()) => 0,
        Err(failure) => {
            output.object(&json!({ "event": "error", "message": failure.to_string(), "code": failure.code() }));
            complain(&failure);
            failure.code()
        }
    };
    let Some(lost) = LOST.get() else { return ExitCode::from(code) };
    // `learnscope params LAB | head` closes the pipe.
    if flags.only_lists() && lost.kind() == io::ErrorKind::BrokenPipe {
        return ExitCode::from(code);
    }
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).take();
    let kept = kept.map_or("what it should have said is lost".to_owned(), |place| {
        format!("the results are recorded in {}", place.display())
    });
    complain(format!("standard output could not be written ({lost}): {kept}"));
    ExitCode::from(code.max(1))
}

/// A line on standard error, whoever reads.
pub fn complain(text: impl Display) {
    aside(&format!("learnscope: {text}"));
}

/// A line on standard error. That it cannot be written ends nothing.
fn aside(text: &str) {
    let _ = writeln!(io::stderr(), "{}", plain(text));
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
        Self { json, terminal: !json && io::stderr().is_terminal() }
    }

    /// One JSON object; nothing where people read.
    pub fn object(&self, value: &Json) {
        if self.json {
            print(&spelt_out(&value.to_string(), |c| format!("\\u{:04x}", u32::from(c))));
        }
    }

    /// A line of the result for people; nothing where machines read.
    pub fn line(&self, text: impl Display) {
        if !self.json {
            print(&plain(&text.to_string()));
        }
    }

    /// A line beside the result (standard error); nothing where machines read.
    pub fn aside(&self, text: impl Display) {
        if !self.json {
            aside(&text.to_string());
        }
    }

    /// Notes the file or folder that holds the results of this command, whatever becomes of standard output.
    pub fn kept(&self, place: &Path) {
        *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = Some(place.to_owned());
    }
}

fn print(text: &str) {
    if LOST.get().is_some() {
        return;
    }
    let mut out = io::stdout().lock();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        // Only the first one is told.
        let _ = LOST.set(error);
    }
}

/// Text as it is shown to people. Names, paths and notes come from files of anybody: what would steer a terminal, or turn
/// the direction of the writing, is spelt out.
pub fn plain(text: &str) -> Cow<'_, str> {
    spelt_out(text, |c| c.escape_unicode().to_string())
}

fn spelt_out(text: &str, spell: impl Fn(char) -> String) -> Cow<'_, str> {
    let steers = |c: char| {
        let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || c.is_control() && !matches!(c, '\n' | '\t')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut spelt = String::with_capacity(text.len());
    for c in text.chars() {
        // Writing to a string cannot fail.
        let _ = if steers(c) { write!(spelt, "{}", spell(c)) } else { write!(spelt, "{c}") };
    }
    Cow::Owned(spelt)
}

/// A text that somebody else chose, in one line of at most `most` characters.
pub fn one_line(text: &str, most: usize) -> String {
    let line = plain(text).replace(['\n', '\t'], " ");
    match line.char_indices().nth(most.saturating_sub(1)) {
        Some((end, last)) if end + last.len_utf8() < line.len() => format!("{}…", &line[..end]),
        _ => line,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_steer_a_terminal_is_spelt_out() {
        assert_eq!(plain("a β\tb\n"), "a β\tb\n");
        assert_eq!(
            plain("\u{1b}[2J\u{9b}1m\r\u{7f}\u{202e}x\u{2066}"),
            r"\u{1b}[2J\u{9b}1m\u{d}\u{7f}\u{202e}x\u{2066}"
        );
        let json = json!({ "name": "\u{9b}1m\u{202e}\u{1b}" });
        let shown = spelt_out(&json.to_string(), |c| format!("\\u{:04x}", u32::from(c))).into_owned();
        assert!(!shown.contains(['\u{9b}', '\u{202e}', '\u{1b}']), "{shown}");
        assert_eq!(serde_json::from_str::<Json>(&shown).unwrap(), json, "it reads back as it was");
    }

    #[test]
    fn a_long_name_is_cut_to_one_line() {
        assert_eq!(one_line("a\nb\tc", 5), "a b c");
        assert_eq!(one_line("ααααα", 5), "ααααα");
        assert_eq!(one_line("αααααα", 5), "αααα…");
        assert_eq!(one_line("", 5), "");
    }
}
