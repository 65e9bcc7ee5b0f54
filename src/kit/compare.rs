//! What a lab offers for comparing two of its recorded runs on the same samples. Plain data; the lab does all the work.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

/// Headings and rows.
pub type Table = (Vec<String>, Vec<Vec<String>>);

/// Fields of a view with their texts.
pub type Fields = Vec<(String, String)>;

/// How runs of a lab are compared.
#[derive(Debug)]
pub struct CompareSpec {
    /// Parts of the data that may be asked for, the usual one first.
    pub parts: &'static [&'static str],
    /// Measures that may be asked for, the usual one first.
    pub measures: fn() -> Vec<&'static str>,
    /// Compares two recorded runs.
    ///
    /// # Errors
    /// Says what is missing.
    pub compare: fn(&Question<'_>) -> Result<CompareReport, String>,
    /// The tile that shows pictures of several runs beside each other.
    pub pictures: &'static str,
    /// Names of the pictures that all these runs can show there.
    ///
    /// # Errors
    /// Says why there are none.
    pub in_common: fn(&[PathBuf]) -> Result<Vec<String>, String>,
    /// What the view has to be told for it: fields of the view, by name. The folders are those of the other runs; the names those
    /// of the pictures, if some are wanted.
    pub beside: fn(&[PathBuf], &[String]) -> Fields,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Run folders.
    pub runs: [&'a Path; 2],
    pub part: &'a str,
    pub measure: &'a str,
}

/// How two runs compare.
#[derive(Debug)]
pub struct CompareReport {
    /// What is compared, and how: one statement a line.
    pub about: Vec<String>,
    /// What the user should know before believing it.
    pub warnings: Vec<String>,
    /// Means, differences and tests, a row for all and for each class.
    pub table: Table,
    /// Every sample, for a file.
    pub samples: (Vec<String>, Vec<Vec<Json>>),
    /// The same as the table, for machines.
    pub results: Json,
}
