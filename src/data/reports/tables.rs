//! Tables of a folder, told apart by their headings.

use std::path::{Path, PathBuf};

use super::super::table_file::{self, Row, column};
use super::super::{DataError, Problem};
use crate::disk;

/// Bytes and rows of a table, and tables that are looked into.
const MOST_BYTES: u64 = 128 << 20;
const MOST_ROWS: usize = 1_000_000;
const MOST_TABLES: usize = 200;

/// What columns are called, see [`table_file::plain`].
pub const IMAGE: &[&str] = &[
    "image",
    "imagepath",
    "imagefile",
    "imagename",
    "img",
    "file",
    "filename",
    "filepath",
    "path",
    "picture",
    "imageid",
    "dicomid",
];
pub const TEXT: &[&str] =
    &["text", "report", "reporttext", "caption", "findings", "description", "sentence", "impression", "labeltext"];
pub const SPLIT: &[&str] = &["split", "set", "part", "subset", "partition"];
pub const STUDY: &[&str] =
    &["study", "studyid", "patient", "patientid", "subject", "subjectid", "uid", "case", "caseid"];
pub const VIEW: &[&str] = &["view", "projection", "viewposition", "frontallateral"];
pub const PHRASE: &[&str] = &["phrase", "labeltext", "text", "sentence", "word"];

/// What a table is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Open-I's reports, and its projections, as they are on Kaggle.
    Reports,
    Projections,
    CheXpert,
    /// Boxes in MS-CXR's columns or ours.
    Boxes,
    Pairs,
    Other,
}

/// A table that was read.
pub struct Table {
    pub path: PathBuf,
    pub shape: Shape,
    pub header: Vec<String>,
    pub rows: Vec<Row>,
}

impl Table {
    /// The folder in which it lies.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    pub fn column(&self, names: &[&str]) -> Option<usize> {
        column(&self.header, names)
    }
}

/// Whether a file may be a table, by its name.
pub fn is_table_name(name: &str) -> bool {
    let name = name.to_lowercase();
    name.ends_with(".csv") || name.ends_with(".tsv")
}

/// Reads a table and tells what it is of.
///
/// # Errors
/// It cannot be read, or has no heading.
pub fn read(path: &Path) -> Result<Table, DataError> {
    let refused = |problem: String| DataError::file(path, problem);
    let bytes = bytes(path).map_err(refused)?;
    let mut rows = table_file::rows(&bytes, MOST_ROWS).map_err(refused)?;
    let filled = |row: &Row| row.cells.iter().any(|cell| !cell.is_empty());
    rows.retain(filled);
    if rows.is_empty() {
        return Err(refused("is empty; expected columns of pictures and reports".to_owned()));
    }
    let header = rows.remove(0).cells;
    Ok(Table { path: path.to_owned(), shape: shape(&header), header, rows })
}

/// The bytes of a table or of lines; in words that stand behind the file's name.
pub fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    disk::read(path, MOST_BYTES).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => format!("is large; at most {} MiB of a table are read", MOST_BYTES >> 20),
        _ => format!("cannot be read: {error}"),
    })
}

/// Reads all of these, without those that cannot be read.
pub fn all(paths: &[PathBuf], problems: &mut Vec<Problem>) -> Vec<Table> {
    let mut tables = Vec::new();
    for path in paths.iter().take(MOST_TABLES) {
        match read(path) {
            Ok(table) => tables.push(table),
            Err(DataError::File { path, problem }) => problems.push(Problem { path, problem }),
            Err(DataError::Cancelled) => {}
        }
    }
    if let Some(path) = paths.get(MOST_TABLES) {
        let problem = format!("and what follows it is not looked into: more than {MOST_TABLES} tables");
        problems.push(Problem { path: path.clone(), problem });
    }
    tables
}

/// Told by names of columns alone.
fn shape(header: &[String]) -> Shape {
    let has = |names: &[&str]| column(header, names).is_some();
    let every = |names: &[&str]| names.iter().all(|name| has(&[name]));
    match () {
        () if every(&["path", "frontallateral"]) => Shape::CheXpert,
        () if every(&["uid", "findings", "impression"]) => Shape::Reports,
        () if every(&["uid", "filename", "projection"]) => Shape::Projections,
        () if has(IMAGE) && has(PHRASE) && (every(&["x", "y", "w", "h"]) || every(&["x0", "y0", "x1", "y1"])) => {
            Shape::Boxes
        }
        () if has(IMAGE) && has(TEXT) => Shape::Pairs,
        () => Shape::Other,
    }
}
