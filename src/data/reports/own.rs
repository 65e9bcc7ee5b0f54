//! A table or lines of JSON with a picture and its report in each row; columns in any order, called as people call them.

use std::path::Path;

use super::super::DataError;
use super::super::segmentation::counted;
use super::super::segmentation::given::words::{is_left_out, part_value};
use super::gather::Gather;
use super::lines::Lines;
use super::open_i::view;
use super::pictures::Pictures;
use super::tables::{IMAGE, SPLIT, STUDY, TEXT, Table, VIEW};
use super::{Choice, Layout, Listing, Pair};

/// A row of either.
struct Given {
    /// `row 3`, `line 3`.
    place: String,
    image: String,
    text: String,
    split: String,
    study: String,
    view: String,
}

/// The rows of a table.
///
/// # Errors
/// No row can be used.
pub fn of_table(root: &Path, table: &Table, pictures: &Pictures, choice: Choice) -> Result<Listing, DataError> {
    let column = |names: &[&str]| table.column(names).unwrap_or(usize::MAX);
    let (image, text) = (column(IMAGE), column(TEXT));
    let (split, study, view) = (column(SPLIT), column(STUDY), column(VIEW));
    let given = table.rows.iter().map(|row| Given {
        place: format!("row {}", row.number),
        image: row.cell(image).to_owned(),
        text: row.cell(text).to_owned(),
        split: row.cell(split).to_owned(),
        study: row.cell(study).to_owned(),
        view: row.cell(view).to_owned(),
    });
    let gather = Gather::new(root, Layout::Pairs, choice);
    collect(gather, &table.path, table.folder(), given, pictures)
}

/// Lines of JSON.
///
/// # Errors
/// No line can be used.
pub fn of_lines(root: &Path, lines: &Lines, pictures: &Pictures, choice: Choice) -> Result<Listing, DataError> {
    let given = lines.lines.iter().map(|line| {
        let text = |names: &[&str]| line.text(names).unwrap_or_default();
        Given {
            place: format!("line {}", line.number),
            image: text(IMAGE),
            text: text(TEXT),
            split: text(SPLIT),
            study: text(STUDY),
            view: text(VIEW),
        }
    });
    let mut gather = Gather::new(root, Layout::Pairs, choice);
    gather.problems.extend(lines.problem.clone());
    collect(gather, &lines.path, lines.path.parent().unwrap_or(root), given, pictures)
}

fn collect(
    mut gather: Gather,
    file: &Path,
    base: &Path,
    rows: impl Iterator<Item = Given>,
    pictures: &Pictures,
) -> Result<Listing, DataError> {
    let (mut without_study, mut excluded) = (0, 0);
    for Given { place, image, text, split, study, view: seen } in rows {
        if image.is_empty() {
            gather.problem(file, format!("{place}: names no picture; left out"));
            continue;
        }
        if is_left_out(&split) {
            excluded += 1;
            continue;
        }
        let part = part_value(&split);
        if part.is_none() && !split.is_empty() {
            let problem = format!("{place}: the part is `{split}`; expected train, validation or test; left out");
            gather.problem(file, problem);
            continue;
        }
        let Some(found) = pictures.find(&image, base) else {
            gather.problem(file, format!("{place}: the picture `{image}` is not in the folder; left out"));
            continue;
        };
        if found.others > 0 {
            gather.ambiguous(&image);
        }
        without_study += usize::from(study.is_empty());
        gather.add(Pair { id: image, image: found.path, report: text, study, split: part, view: view(&seen) });
    }
    if excluded > 0 {
        gather.notes.push(format!("{} left out, as {} says", counted(excluded, "row", "rows"), file.display()));
    }
    if without_study > 0 {
        let rows = counted(without_study, "row names", "rows name");
        gather.notes.push(format!("{rows} no study (column `study`): each picture there is a study of its own"));
    }
    gather.finish()
}
