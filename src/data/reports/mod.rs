//! Pictures with reports in words: folders in the layouts that people have, their parts, and the pictures at a network's size. Beside
//! them pairs of statements of which one may imply the other.

pub mod audit;
mod boxes;
mod chexpert;
mod gather;
mod kaggle;
mod lines;
mod listing;
pub mod nli;
mod open_i;
mod own;
pub mod parts;
mod pictures;
pub mod read;
mod tables;

use std::path::PathBuf;

use super::Problem;
pub use super::segmentation::split::Part;
pub use listing::{LAYOUTS, list};
use nli::Inference;

/// The layout that a folder was recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Reports as XML files and pictures that they name, as Open-I gives them out.
    OpenI,
    /// `indiana_reports.csv` and `indiana_projections.csv`.
    OpenITables,
    /// `train.csv` and `valid.csv` with labels and without reports.
    CheXpert,
    /// A table, or lines of JSON, with a picture and its report each.
    Pairs,
    /// Pairs of statements alone.
    Statements,
}

impl Layout {
    /// In words.
    pub fn title(self) -> &'static str {
        match self {
            Layout::OpenI => "Open-I's layout (XML reports)",
            Layout::OpenITables => "Open-I's tables of reports and projections",
            Layout::CheXpert => "CheXpert's tables (labels, no reports)",
            Layout::Pairs => "pictures with a table of reports",
            Layout::Statements => "pairs of statements (no pictures)",
        }
    }
}

/// From where a picture was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    Frontal,
    Lateral,
}

/// Which section of a report in sections is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Section {
    #[default]
    Findings,
    Impression,
    /// The findings, then the impression; where one is empty, the other.
    Both,
}

impl Section {
    /// As messages call it.
    pub fn name(self) -> &'static str {
        match self {
            Section::Findings => "findings",
            Section::Impression => "impression",
            Section::Both => "findings or impression",
        }
    }

    /// What is taken of a report.
    fn of(self, findings: &str, impression: &str) -> String {
        let parts = match self {
            Section::Findings => [findings, ""],
            Section::Impression => ["", impression],
            Section::Both => [findings, impression],
        };
        let parts: Vec<&str> = parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    }
}

/// What is wanted of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Choice {
    pub section: Section,
    /// Lateral pictures are left out; those of which no view is known stay.
    pub frontal_only: bool,
}

/// A picture and its report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Unlike that of any other pair: the picture's path below the folder, without its ending.
    pub id: String,
    pub image: PathBuf,
    /// As it is written, spaces at its ends aside; empty only in CheXpert, which has none.
    pub report: String,
    /// The study that it belongs to; where none is named, the picture alone. In CheXpert the patient.
    pub study: String,
    /// The part that the data set itself gives it; see [`parts::split`].
    pub split: Option<Part>,
    pub view: Option<View>,
}

/// Where in a picture a phrase is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct PhraseBox {
    pub image: PathBuf,
    pub phrase: String,
    /// `[x0, y0, x1, y1]` in widths and heights of the whole picture, 0 to 1; [`read::Frame::place`] brings it to the square.
    pub bounds: [f32; 4],
}

/// Labels of pictures, as CheXpert has them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// As the table's columns.
    pub names: Vec<String>,
    /// For each pair a value for each name: 1 present, 0 absent, -1 uncertain, `None` not mentioned.
    pub rows: Vec<Vec<Option<i8>>>,
}

/// What a folder holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    pub root: PathBuf,
    pub layout: Layout,
    pub pairs: Vec<Pair>,
    /// Left out, and why.
    pub problems: Vec<Problem>,
    /// What was found, counted and decided, a statement each.
    pub notes: Vec<String>,
    /// Of pictures among the pairs.
    pub boxes: Vec<PhraseBox>,
    /// Of CheXpert alone.
    pub labels: Option<Labels>,
    pub statements: Vec<Inference>,
}
