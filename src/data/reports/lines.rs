//! Files with a JSON object in each line.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::csv_points::decoded;
use super::super::segmentation::counted;
use super::super::table_file::plain;
use super::super::{DataError, Problem};
use super::tables::{self, IMAGE, PHRASE, TEXT};

/// What a file's objects are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Two sentences and their relation.
    Statements,
    Boxes,
    Pairs,
    Other,
}

/// An object.
pub struct Line {
    /// From 1 on.
    pub number: usize,
    fields: Vec<(String, Value)>,
}

impl Line {
    /// A text or a number under one of these names, which are [`plain`]; the first that there is and is not empty.
    pub fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| match &self.fields.iter().find(|(key, _)| key == name)?.1 {
            Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }

    /// A number, or a text that is one.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.text(&[name])?.parse().ok()
    }

    fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.fields.iter().any(|(key, _)| key == name))
    }
}

/// A file that was read.
pub struct Lines {
    pub path: PathBuf,
    pub shape: Shape,
    pub lines: Vec<Line>,
    /// Lines that are no objects.
    pub problem: Option<Problem>,
}

/// Whether a file may be one, by its name.
pub fn is_lines_name(name: &str) -> bool {
    let name = name.to_lowercase();
    name.ends_with(".jsonl") || name.ends_with(".ndjson")
}

/// Reads a file. Of each object the texts and numbers are kept.
///
/// # Errors
/// It cannot be read, or has no object in any line.
pub fn read(path: &Path) -> Result<Lines, DataError> {
    let refused = |problem: String| DataError::file(path, problem);
    let bytes = tables::bytes(path).map_err(refused)?;
    let (text, _) = decoded(&bytes).map_err(|_| refused("is no text that can be read; save it as UTF-8".to_owned()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (mut lines, mut bad) = (Vec::new(), Vec::new());
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(Value::Object(fields)) => {
                let small = fields.into_iter().filter(|(_, value)| value.is_string() || value.is_number());
                let fields = small.map(|(key, value)| (plain(&key), value)).collect();
                lines.push(Line { number: at + 1, fields });
            }
            _ => bad.push(at + 1),
        }
    }
    let Some(first) = lines.first() else {
        return Err(refused("has no JSON object in any of its lines".to_owned()));
    };
    let problem = bad.first().map(|first| {
        let count = counted(bad.len(), "line is", "lines are");
        let problem = format!("{count} no JSON object, the first is line {first}; left out");
        Problem { path: path.to_owned(), problem }
    });
    Ok(Lines { path: path.to_owned(), shape: shape(first), lines, problem })
}

fn shape(line: &Line) -> Shape {
    match () {
        () if line.has(&["sentence1"]) && line.has(&["sentence2"]) => Shape::Statements,
        () if line.has(IMAGE) && line.has(PHRASE) && line.has(&["x0"]) => Shape::Boxes,
        () if line.has(IMAGE) && line.has(TEXT) => Shape::Pairs,
        () => Shape::Other,
    }
}
