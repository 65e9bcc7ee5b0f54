//! Words that stand in tables of parts: their headings and what their cells hold.

use super::super::names::{folder_part, loose, words};
use super::super::split::Part;

/// The part that a cell of a table names: `train`, `Training set`, `VALID`.
pub fn part_value(cell: &str) -> Option<Part> {
    if cell.len() > 40 {
        return None;
    }
    let (part, rest) = folder_part(cell);
    part.filter(|_| loose(&rest).is_empty())
}

/// What a cell holds where somebody left an image out on purpose.
pub fn is_left_out(cell: &str) -> bool {
    let words =
        ["none", "-", "exclude", "excluded", "unused", "ignore", "ignored", "discard", "n/a", "na", "nan", "null"];
    words.contains(&&*cell.to_lowercase())
}

/// Whether a part is called an evaluation, which may be either of two.
pub fn says_eval(cell: &str) -> bool {
    words(cell).iter().any(|word| word.starts_with("eval"))
}

fn has_word(heading: &str, list: &[&str]) -> bool {
    let words = words(heading);
    words.iter().any(|word| list.contains(&&**word))
        && !words.iter().any(|word| word.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a heading is that of parts.
pub fn heads_parts(heading: &str) -> bool {
    has_word(
        heading,
        &["split", "splits", "set", "subset", "part", "parts", "partition", "phase", "usage", "traintest"],
    )
}

/// Whether a heading is that of the numbers of folds.
pub fn heads_folds(heading: &str) -> bool {
    has_word(heading, &["fold", "folds", "kfold", "cv"])
}

/// How surely a heading is that of names: 2 of files, 1 of whatever has a name, 0 of anything.
pub fn heads_names(heading: &str) -> usize {
    const FILES: [&str; 13] = [
        "image",
        "images",
        "img",
        "imgs",
        "file",
        "files",
        "filename",
        "filenames",
        "filepath",
        "path",
        "paths",
        "picture",
        "photo",
    ];
    match heading {
        _ if has_word(heading, &FILES) => 2,
        _ if has_word(heading, &["id", "ids", "case", "cases", "name", "names", "key", "sample", "mask"]) => 1,
        _ => 0,
    }
}

/// Whether a cell is one of a heading.
pub fn is_heading(cell: &str) -> bool {
    !cell.contains(['.', '/', '\\']) && (heads_names(cell) > 0 || heads_parts(cell) || heads_folds(cell))
}

/// The part that a column is for: `val`, `is_test`.
pub fn part_column(heading: &str) -> Option<Part> {
    let (part, rest) = folder_part(heading);
    part.filter(|_| matches!(&*rest, "is" | "in") || loose(&rest).is_empty())
}

/// What a cell says that marks rows.
pub fn flag(cell: &str) -> Option<bool> {
    match &*cell.to_lowercase() {
        "1" | "1.0" | "true" | "yes" | "x" | "y" | "t" => Some(true),
        "0" | "0.0" | "false" | "no" | "n" | "f" | "" => Some(false),
        _ => None,
    }
}
