//! Open-I's reports as two tables: reports by number, and pictures by number with their projection.

use std::collections::HashMap;
use std::path::Path;

use super::super::DataError;
use super::super::fundus::named;
use super::super::segmentation::counted;
use super::gather::Gather;
use super::open_i::view;
use super::pictures::Pictures;
use super::tables::Table;
use super::{Choice, Layout, Listing, Pair};

/// Joins both tables.
///
/// # Errors
/// No report with a picture.
pub fn list(
    root: &Path,
    reports: &Table,
    projections: &Table,
    pictures: &Pictures,
    choice: Choice,
) -> Result<Listing, DataError> {
    let mut gather = Gather::new(root, Layout::OpenITables, choice);
    let at = |table: &Table, name: &str| table.column(&[name]).unwrap_or(usize::MAX);
    let (uid, findings, impression) = (at(reports, "uid"), at(reports, "findings"), at(reports, "impression"));
    let mut texts: HashMap<&str, String> = HashMap::new();
    for row in &reports.rows {
        let text = choice.section.of(row.cell(findings), row.cell(impression));
        match texts.get(row.cell(uid)) {
            Some(before) if *before != text => {
                let problem =
                    format!("row {}: is another report of uid `{}`; the first counts", row.number, row.cell(uid));
                gather.problem(&reports.path, problem);
            }
            Some(_) => {}
            None => {
                texts.insert(row.cell(uid), text);
            }
        }
    }
    let (uid, file, projection) = (at(projections, "uid"), at(projections, "filename"), at(projections, "projection"));
    let mut without = Vec::new();
    for row in &projections.rows {
        let (number, name) = (row.cell(uid), row.cell(file));
        let Some(text) = texts.get(number) else {
            without.push(name);
            continue;
        };
        let Some(found) = pictures.find(name, projections.folder()) else {
            let problem = format!("row {}: the picture `{name}` is not in the folder; left out", row.number);
            gather.problem(&projections.path, problem);
            continue;
        };
        if found.others > 0 {
            gather.ambiguous(name);
        }
        gather.add(Pair {
            id: name.to_owned(),
            image: found.path,
            report: text.trim().to_owned(),
            study: number.to_owned(),
            split: None,
            view: view(row.cell(projection)),
        });
    }
    if !without.is_empty() {
        let count = counted(without.len(), "picture has no report", "pictures have no report");
        gather.notes.push(format!("{count} in {}: {}", reports.path.display(), named(without)));
    }
    gather.finish()
}
