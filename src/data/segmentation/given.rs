//! Parts that somebody has fixed: folders named `train`, `val`, `test`, a table of names and parts, lists of names, or
//! nnU-Net's `splits_final.json`.
//!
//! An image whose part is in doubt is in no part, or in the one that is not trained on, and that is told: what a file says
//! wrongly must not put a test image into training.

mod collected;
mod folders;
mod json;
mod lists;
mod names;
mod rows;
mod table;
pub(in crate::data) mod words;

use std::path::{Path, PathBuf};

use super::doctor::Severity;
use super::listing::Pair;
use super::names::{folder_part, words};
use super::split::Part;
use super::walk::Files;
use super::{Problem, counted};
use folders::{named_as_parts, of_fold_folders, of_folders};
use lists::of_lists;
use names::Names;

pub use folders::fold_number;

/// Largest file of parts that is read.
const MOST_BYTES: u64 = 64 << 20;
/// Largest file of another name that is looked into.
const MOST_BYTES_ASIDE: u64 = 4 << 20;
/// Names that are told where several are concerned.
const TOLD: usize = 3;

/// Parts that the data set itself names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Given {
    /// Where they are named, in words: "`split.csv`", "the folders `train` and `test`".
    pub source: String,
    /// The file that names them; `None`: folders do.
    pub file: Option<PathBuf>,
    /// At least one.
    pub folds: Vec<Fold>,
}

/// The parts of one fold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fold {
    /// What the file calls it, where that may be something else than its place in the list.
    pub name: Option<String>,
    /// Of every pair; `None`: it is in none.
    pub parts: Vec<Option<Part>>,
    /// What is odd about it, one statement each, and how bad it is.
    pub problems: Vec<(Severity, String)>,
}

/// Why a file cannot be used.
struct Refusal {
    /// Whether it is surely there for the parts: then no others are made up in its place.
    meant: bool,
    problem: String,
}

impl Refusal {
    fn meant(problem: &str) -> Self {
        Refusal { meant: true, problem: problem.to_owned() }
    }
}

/// Formats in which parts are kept elsewhere.
const OTHER_FORMATS: [&str; 9] = ["xlsx", "xls", "ods", "pkl", "pickle", "npy", "npz", "yaml", "yml"];
/// What may stand beside the part in the name of a list.
const LIST_WORDS: [&str; 16] = [
    "list",
    "lists",
    "file",
    "files",
    "filenames",
    "name",
    "names",
    "id",
    "ids",
    "image",
    "images",
    "img",
    "case",
    "cases",
    "split",
    "paths",
];

/// Whether a file of this name may name the parts of a split.
pub fn is_split_file(name: &str) -> bool {
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    let extension = extension.to_lowercase();
    let says = |word: &String| {
        let word = word.as_str();
        matches!(
            word,
            "split" | "splits" | "partition" | "partitions" | "fold" | "folds" | "kfold" | "subset" | "subsets"
        )
    };
    let named = words(stem).iter().any(says);
    match &*extension {
        "csv" | "tsv" | "txt" => named || list_part(stem).is_some(),
        "json" => named,
        other => named && OTHER_FORMATS.contains(&other),
    }
}

/// `train.txt`, `test_list.csv`: a list of the names of one part.
fn list_part(stem: &str) -> Option<Part> {
    let (part, rest) = folder_part(stem);
    let plain = |word: &String| LIST_WORDS.contains(&&**word);
    part.filter(|_| words(&rest).iter().all(plain))
}

/// What the folders say of a pair: the part and the name of the folder that says so, and whether the pair lies in a folder
/// with a name of its own.
pub type FolderSays = (Option<(Part, String)>, bool);

/// Reads what the files and the folders of the images say of parts. `folders`: of every pair. `unpaired`: stems of images that
/// are no pairs. `None`: nothing names parts. What is named but not used is told in `notes`; files that are there for it and
/// cannot be used come in `unusable`.
pub fn find(
    files: &Files,
    pairs: &[Pair],
    folders: &[FolderSays],
    unpaired: impl Iterator<Item = String>,
    notes: &mut Vec<String>,
    unusable: &mut Vec<Problem>,
) -> Option<Given> {
    let names = Names::of(pairs, unpaired);
    let (mut tables, mut lists) = (Vec::new(), Vec::new());
    let mut refuse = |file: &Path, refusal: Refusal, notes: &mut Vec<String>| {
        notes.push(format!("`{}` is not used: {}", shown(file), refusal.problem));
        if refusal.meant {
            unusable.push(Problem { path: file.to_owned(), problem: refusal.problem });
        }
    };
    for file in &files.split_files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let extension = file.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        if let Some(part) = list_part(&stem).filter(|_| ["csv", "tsv", "txt"].contains(&&*extension)) {
            lists.push((part, file));
            continue;
        }
        match of_file(file, &extension, &names) {
            Ok(given) => tables.push(given),
            Err(refusal) => refuse(file, refusal, notes),
        }
    }
    match of_lists(&lists, &names, notes) {
        Ok(given) => tables.extend(given),
        Err((file, refusal)) => refuse(file, refusal, notes),
    }
    let by_folder = of_folders(pairs, folders, notes).or_else(|| of_fold_folders(pairs));
    let mut all = tables.into_iter().chain(by_folder);
    let mut first = all.next();
    if let Some(first) = &mut first {
        for other in all {
            notes.push(format!("the parts by {} are not used, since {} comes first", other.source, first.source));
            contradictions(first, &other);
        }
    }
    if first.is_none() && unusable.is_empty() {
        notes.extend(named_as_parts(pairs));
        notes.extend(files.tables.iter().filter_map(|file| has_parts(file, &names)));
    }
    first
}

/// Tells where another source puts images into other parts.
fn contradictions(first: &mut Given, other: &Given) {
    if first.folds.len() > 1 || other.folds.len() > 1 {
        return;
    }
    let (Some(fold), Some(theirs)) = (first.folds.first_mut(), other.folds.first()) else { return };
    let differ = fold.parts.iter().zip(&theirs.parts).filter(|(one, two)| one.is_some() && two.is_some() && one != two);
    let count = differ.count();
    if count > 0 {
        let images = counted(count, "image is", "images are");
        let text =
            format!("by {} {images} in another part than by {}: which of them is right?", other.source, first.source);
        fold.problems.push((Severity::Warning, text));
    }
}

/// A table of another name with a column of parts: it is not used, and that is told.
fn has_parts(file: &Path, names: &Names) -> Option<String> {
    if std::fs::metadata(file).ok()?.len() > MOST_BYTES_ASIDE {
        return None;
    }
    let rows = rows::rows(&rows::text(file).ok()?, names);
    let column = table::column_of_parts(&rows, names)?;
    let file = shown(file);
    Some(format!(
        "`{file}` has a column `{column}` with parts, which is not used: name the file split.csv if they are meant for this"
    ))
}

fn shown(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// `` `a` ``, `` `a` and `b` ``, `` `a`, `b` and `c` ``.
fn joined(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match &quoted[..] {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => quoted.concat(),
    }
}

fn of_file(file: &Path, extension: &str, names: &Names) -> Result<Given, Refusal> {
    let source = format!("`{}`", shown(file));
    if OTHER_FORMATS.contains(&extension) {
        let problem = format!("files of this kind ({extension}) are not read; save it as split.csv (image,split)");
        return Err(Refusal { meant: !extension.starts_with('y'), problem });
    }
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    if folder_part(&stem).0.is_some() && words(&stem).iter().any(|word| word.contains("fold")) {
        let problem =
            "lists of the parts of single folds are not read; write one table image,fold or a splits_final.json";
        return Err(Refusal::meant(problem));
    }
    let text = rows::text(file).map_err(|problem| Refusal::meant(&problem))?;
    let folds = match extension {
        "json" => json::folds(&text, names, &source),
        _ => table::folds(&rows::rows(&text, names), names, &source),
    };
    let folds = folds
        .map_err(|refusal| Refusal { meant: refusal.meant || extension == "csv" || extension == "tsv", ..refusal })?;
    Ok(Given { source, file: Some(file.to_owned()), folds })
}
