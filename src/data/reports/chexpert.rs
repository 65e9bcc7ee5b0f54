//! CheXpert's tables: a picture and its labels in each row, and no reports.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::super::DataError;
use super::super::segmentation::given::words::part_value;
use super::gather::Gather;
use super::open_i::view;
use super::tables::Table;
use super::{Choice, Labels, Layout, Listing, Pair};
use crate::watch::Watch;

/// Columns that are no labels, [`plain`](super::super::table_file::plain).
const ABOUT: [&str; 6] = ["path", "sex", "age", "frontallateral", "appa", ""];

/// Lists the pictures of all tables. The part is that of a table's name.
///
/// # Errors
/// Stopped, or none of the pictures is there.
pub fn list(root: &Path, tables: &[&Table], choice: Choice, watch: Watch<'_>) -> Result<Listing, DataError> {
    let mut gather = Gather::new(root, Layout::CheXpert, choice);
    let mut labels = Labels::default();
    for table in tables {
        let columns = label_columns(table);
        if labels.names.is_empty() {
            labels.names = columns.iter().map(|&column| table.header[column].trim().to_owned()).collect();
        }
        // In the order of the first table.
        let order: Vec<Option<usize>> = labels.names.iter().map(|name| named_so(table, name)).collect();
        let paths = paths(table, watch)?;
        let column = table.column(&["path"]).unwrap_or(usize::MAX);
        let side = table.column(&["frontallateral"]).unwrap_or(usize::MAX);
        let split = part_value(&table.path.file_stem().unwrap_or_default().to_string_lossy());
        let mut absent: Vec<usize> = Vec::new();
        for (row, image) in table.rows.iter().zip(paths) {
            let Some(image) = image else {
                absent.push(row.number);
                continue;
            };
            let value = |column: &Option<usize>| column.map_or(Ok(None), |column| value(row.cell(column)));
            match order.iter().map(value).collect::<Result<Vec<_>, String>>() {
                Ok(values) => {
                    let name = row.cell(column);
                    let study = patient(name).to_owned();
                    let view = view(row.cell(side));
                    if gather.add(Pair { id: name.to_owned(), image, report: String::new(), study, split, view }) {
                        labels.rows.push(values);
                    }
                }
                Err(cell) => {
                    let problem =
                        format!("row {}: a label is `{cell}`; expected 1, 0, -1 or nothing; left out", row.number);
                    gather.problem(&table.path, problem);
                }
            }
        }
        if let Some(first) = absent.first() {
            let problem = format!(
                "{} of {} pictures are not there, the first in row {first}; left out",
                absent.len(),
                table.rows.len()
            );
            gather.problem(&table.path, problem);
        }
    }
    gather.notes.push("it has labels and no reports: for measuring what pictures alone tell".to_owned());
    gather.notes.push("pictures of one patient count as one study, so that no patient is in two parts".to_owned());
    gather.labels = Some(labels);
    gather.finish()
}

fn label_columns(table: &Table) -> Vec<usize> {
    let is_label = |column: &usize| !ABOUT.contains(&&*super::super::table_file::plain(&table.header[*column]));
    (0..table.header.len()).filter(is_label).collect()
}

fn named_so(table: &Table, name: &str) -> Option<usize> {
    table.column(&[&super::super::table_file::plain(name)])
}

/// `1.0`, `0.0`, `-1.0` or nothing; else the cell.
fn value(cell: &str) -> Result<Option<i8>, String> {
    if cell.is_empty() {
        return Ok(None);
    }
    match cell.parse::<f64>() {
        Ok(value) if [1.0, 0.0, -1.0].contains(&value) => Ok(Some(value as i8)),
        _ => Err(cell.to_owned()),
    }
}

/// The folder of the patient in a path, or the path.
fn patient(path: &str) -> &str {
    path.split(['/', '\\']).find(|folder| folder.starts_with("patient")).unwrap_or(path)
}

/// The file of each row. Paths begin with the data set's own folder, which may be called otherwise here.
fn paths(table: &Table, watch: Watch<'_>) -> Result<Vec<Option<PathBuf>>, DataError> {
    let column = table.column(&["path"]).unwrap_or(usize::MAX);
    let count = watch.counter(1, table.rows.len());
    let base = table.folder();
    let find = |row: &super::super::table_file::Row| {
        if watch.cancelled() {
            return Err(DataError::Cancelled);
        }
        let name = row.cell(column).replace('\\', "/");
        let without = name.split_once('/').map_or(name.as_str(), |(_, rest)| rest);
        let above = base.parent().unwrap_or(base);
        let places = [base.join(without), base.join(&name), above.join(&name), above.join(without)];
        count(1);
        Ok(places.into_iter().find(|place| place.is_file()))
    };
    table.rows.par_iter().map(find).collect()
}
