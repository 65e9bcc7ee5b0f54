//! The rows of a text file, whatever parts its columns: as spreadsheets, programs and people write them.

use std::path::Path;

use super::MOST_BYTES;
use super::names::Names;
use super::words::{is_heading, part_value};
use crate::data::csv_points::{decoded, separator_line};
use crate::disk;

/// A line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// As an editor counts, from 1.
    pub line: usize,
    /// Without quotes and space around.
    pub cells: Vec<String>,
}

impl Row {
    /// The text in a column; empty where it has none.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

/// The text of a file in UTF-8, UTF-16 or Windows-1252.
pub fn text(file: &Path) -> Result<String, String> {
    let bytes = disk::read(file, MOST_BYTES).map_err(|error| format!("it cannot be read: {error}"))?;
    let (text, _) = decoded(&bytes).map_err(|problem| format!("it {problem}"))?;
    Ok(text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n"))
}

/// How a line is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    At(char),
    /// Wherever there is space.
    Words,
    /// At the last space: a name may have some, a part has none.
    LastSpace,
    FirstSpace,
}

const CUTS: [Cut; 7] =
    [Cut::At(','), Cut::At(';'), Cut::At('\t'), Cut::At('|'), Cut::Words, Cut::LastSpace, Cut::FirstSpace];

/// The rows, cut so that most of them have names of images and parts. Empty lines and comments are left out.
pub fn rows(text: &str, names: &Names) -> Vec<Row> {
    let (separator, body, skipped) = separator_line(text);
    if let Some(separator) = separator {
        return cut(body, skipped as usize, Cut::At(char::from(separator)), names);
    }
    let mut best: Option<(usize, Vec<Row>)> = None;
    for way in CUTS {
        let rows = cut(text, 0, way, names);
        let named = |row: &&Row| row.cells.iter().any(|cell| names.knows(cell));
        let said = |row: &&Row| row.cells.len() > 1 && row.cells.iter().any(|cell| part_value(cell).is_some());
        let score = rows.iter().filter(named).count() + rows.iter().filter(said).count();
        if best.as_ref().is_none_or(|(known, _)| score > *known) {
            let all = score == 2 * rows.len();
            best = Some((score, rows));
            if all {
                break;
            }
        }
    }
    best.map(|(_, rows)| rows).unwrap_or_default()
}

fn cut(text: &str, skipped: usize, way: Cut, names: &Names) -> Vec<Row> {
    let row = |(number, line): (usize, &str)| Row { line: number + skipped + 1, cells: cells(line, way) };
    let says = |row: &Row| row.cells.iter().any(|cell| !cell.is_empty()) && !is_comment(row, names);
    text.lines().enumerate().map(row).filter(says).collect()
}

/// `# made by ..`, but not a heading such as `#image,split`.
fn is_comment(row: &Row, names: &Names) -> bool {
    let first = row.cell(0);
    let marked = ["#", "//", "%"].iter().any(|mark| first.len() > mark.len() && first.starts_with(mark));
    let heads = |cell: &String| is_heading(cell.trim_start_matches(['#', '%', '/']));
    marked && !names.knows(first) && !row.cells.iter().any(heads)
}

fn cells(line: &str, way: Cut) -> Vec<String> {
    let bare = |cell: &str| cell.trim().trim_matches(['"', '\'']).trim().to_owned();
    let line = line.trim_end();
    let two = |cut: Option<(&str, &str)>| cut.map_or(vec![bare(line)], |(a, b)| vec![bare(a), bare(b)]);
    match way {
        Cut::At(separator) => {
            let cells = quoted(line, separator);
            // A spreadsheet that took the whole line for one cell has put it in quotes.
            match &cells[..] {
                [one] if one.contains(separator) => quoted(one, separator),
                _ => cells,
            }
        }
        Cut::Words => line.split_whitespace().map(bare).collect(),
        Cut::LastSpace => two(line.rsplit_once(char::is_whitespace)),
        Cut::FirstSpace => two(line.trim_start().split_once(char::is_whitespace)),
    }
}

/// Cells of a line in which quotes may hold the separator.
fn quoted(line: &str, separator: char) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut within = false;
    for c in line.chars() {
        match cells.last_mut() {
            _ if c == '"' => within = !within,
            Some(cell) if within || c != separator => cell.push(c),
            _ => cells.push(String::new()),
        }
    }
    cells.iter().map(|cell| cell.trim().trim_matches('\'').trim().to_owned()).collect()
}
