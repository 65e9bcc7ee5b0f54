//! Parts that somebody has fixed: folders named `train`, `val`, `test`, a table of names and parts, lists of names, or
//! nnU-Net's `splits_final.json`.
//!
//! An image whose part is in doubt is in no part, or in the one that is not trained on, and that is told: what a file says
//! wrongly must not put a test image into training.

mod json;
mod names;
mod rows;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::doctor::Severity;
use super::listing::Pair;
use super::names::{folder_part, natural_order, words};
use super::split::Part;
use super::{Problem, counted};
use names::{Called, Names};
use table::{is_heading, part_value};

/// Largest file of parts that is read.
const MOST_BYTES: u64 = 64 << 20;
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

/// Reads what `files` and the folders of the images say of parts. `folders`: of every pair. `unpaired`: stems of images that
/// are no pairs. `None`: nothing names parts. What is named but not used is told in `notes`; files that are there for it and
/// cannot be used come in `unusable`.
pub fn find(
    files: &[PathBuf],
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
    for file in files {
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

/// Names such as `train_01`: they are not taken for parts, and that is told.
fn named_as_parts(pairs: &[Pair]) -> Option<String> {
    let part = |pair: &Pair| folder_part(pair.name.rsplit('/').next().unwrap_or(&pair.name)).0;
    let named: Vec<Part> = pairs.iter().filter_map(part).collect();
    let parts: BTreeSet<Part> = named.iter().copied().collect();
    (parts.len() > 1 && 10 * named.len() >= 9 * pairs.len()).then(|| {
        let parts: Vec<&str> = parts.into_iter().map(Part::name).collect();
        format!(
            "the names of the images say {}, but names alone are not taken for parts of a split: move the files into folders              of these names, or write a split.csv (image,split)",
            parts.join(", ")
        )
    })
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

/// Folders count where one of them is for training, or where the other pairs lie in no folder with a name of its own: beside
/// `control`, `test` is a class.
fn of_folders(pairs: &[Pair], folders: &[FolderSays], notes: &mut Vec<String>) -> Option<Given> {
    let mut named: BTreeMap<Part, Vec<String>> = BTreeMap::new();
    for (part, folder) in folders.iter().filter_map(|(said, _)| said.as_ref()) {
        let known = named.entry(*part).or_default();
        if !known.contains(folder) {
            known.push(folder.clone());
        }
    }
    let list: Vec<String> = named.values().flatten().cloned().collect();
    let (source, is) = match list.len() {
        0 => return None,
        1 => (format!("the folder {}", joined(&list)), "is"),
        _ => (format!("the folders {}", joined(&list)), "are"),
    };
    let trained = named.contains_key(&Part::Train);
    let unnamed = folders.iter().filter(|(said, _)| said.is_none()).count();
    let in_classes = folders.iter().any(|(said, own)| said.is_none() && *own);
    if named.len() == 1 && unnamed == 0 {
        let text = match list.len() {
            1 => format!("every pair lies in {source}, and so all are split"),
            _ => format!("every pair lies in {source}, which are one part, and so all are split"),
        };
        notes.push(text);
        return None;
    }
    if !trained && (unnamed == 0 || in_classes) {
        let what =
            if unnamed == 0 { "no images are left to train on" } else { "the folders beside it are named otherwise" };
        notes.push(format!("{source} {is} not taken for a part of a split: {what}"));
        return None;
    }
    let mut problems = Vec::new();
    if unnamed > 0 {
        let first = folders.iter().position(|(said, _)| said.is_none()).map_or("", |at| &pairs[at].name);
        let images = counted(unnamed, "image lies", "images lie");
        // What is neither may be a test set of another name.
        let then = if trained {
            "left out of every part; name their folder train, val or test if they belong to one"
        } else {
            "taken for training"
        };
        problems.push((Severity::Warning, format!("{images} outside of {source}, the first is `{first}`: {then}")));
    }
    let rest = (!trained).then_some(Part::Train);
    let part = |(said, _): &FolderSays| said.as_ref().map_or(rest, |(part, _)| Some(*part));
    let parts = folders.iter().map(part).collect();
    Some(Given { source, file: None, folds: vec![Fold { name: None, parts, problems }] })
}

/// The number of a fold in a folder's name: `fold2`, `Fold_2`.
pub fn fold_number(folder: &str) -> Option<String> {
    match &words(folder)[..] {
        [fold, number] if fold == "fold" && number.bytes().all(|b| b.is_ascii_digit()) => Some(number.clone()),
        _ => None,
    }
}

/// Every pair lies in a folder `fold0`, `fold1`, ..
fn of_fold_folders(pairs: &[Pair]) -> Option<Given> {
    let of: Vec<String> =
        pairs.iter().map(|pair| pair.name.split('/').rev().skip(1).find_map(fold_number)).collect::<Option<_>>()?;
    let mut numbers: Vec<&String> = of.iter().collect();
    numbers.sort_by(|a, b| natural_order(a, b));
    numbers.dedup();
    if numbers.len() < 2 {
        return None;
    }
    let fold = |number: &&String| {
        let part = |of: &String| Some(if of == *number { Part::Validation } else { Part::Train });
        Fold { name: Some((*number).clone()), parts: of.iter().map(part).collect(), problems: Vec::new() }
    };
    let folds = numbers.iter().map(fold).collect();
    Some(Given { source: format!("the folders of {} folds", numbers.len()), file: None, folds })
}

/// A name and its part, as a file gives them.
struct Entry<'a> {
    name: &'a str,
    line: Option<usize>,
    part: Part,
}

impl Entry<'_> {
    /// `` `s7` (line 3) ``.
    fn shown(&self) -> String {
        let line = self.line.map_or_else(String::new, |line| format!(" (line {line})"));
        format!("`{}`{line}", self.name.trim())
    }
}

/// The parts of the pairs from names and parts, and what is odd about them.
struct Collected {
    parts: Vec<Option<Part>>,
    /// Entries in all.
    entries: usize,
    unknown: Vec<String>,
    unpaired: Vec<String>,
    ambiguous: Vec<(String, Vec<usize>)>,
    twice: Vec<String>,
    without_zeros: Vec<(String, usize)>,
}

impl Collected {
    /// An image of two parts is in the one that is further from training.
    fn of<'a>(entries: impl Iterator<Item = Entry<'a>>, names: &Names) -> Self {
        let mut found = Collected {
            parts: vec![None; names.shown.len()],
            entries: 0,
            unknown: Vec::new(),
            unpaired: Vec::new(),
            ambiguous: Vec::new(),
            twice: Vec::new(),
            without_zeros: Vec::new(),
        };
        for entry in entries {
            found.entries += 1;
            let pair = match names.find(entry.name) {
                Called::One(pair) => pair,
                Called::WithoutZeros(pair) => {
                    found.without_zeros.push((entry.name.trim().to_owned(), pair));
                    pair
                }
                Called::Several(pairs) => {
                    found.ambiguous.push((entry.shown(), pairs));
                    continue;
                }
                Called::Unpaired => {
                    found.unpaired.push(entry.shown());
                    continue;
                }
                Called::Nobody => {
                    found.unknown.push(entry.shown());
                    continue;
                }
            };
            let known = found.parts[pair].replace(entry.part);
            if let Some(known) = known.filter(|known| *known != entry.part) {
                found.parts[pair] = Some(known.max(entry.part));
                found.twice.push(format!("{} in {} and {}", entry.shown(), known.name(), entry.part.name()));
            }
        }
        found
    }

    /// `Err`: why no pair is named.
    fn fold(self, names: &Names, source: &str, mut problems: Vec<(Severity, String)>) -> Result<Fold, String> {
        let named = self.parts.iter().flatten().count();
        let told = |list: &[String]| {
            list.iter().take(TOLD).cloned().collect::<Vec<_>>().join(", ") + if list.len() > TOLD { ", .." } else { "" }
        };
        let ambiguous = self.ambiguous.first().map(|(entry, pairs)| {
            let could: Vec<String> = pairs.iter().take(TOLD).map(|&pair| names.shown[pair].clone()).collect();
            format!("{entry} may be {}; write the folder too, as in `{}`", joined(&could), could[0])
        });
        if named == 0 {
            return Err(match (ambiguous, self.unpaired.first()) {
                (Some(text), _) => format!("its names fit several images each: {text}"),
                (None, Some(first)) => {
                    format!("the images that it names have no mask or cannot be read, such as {first}")
                }
                (None, None) => {
                    let first = self.unknown.first().map_or_else(String::new, |first| format!(", such as {first}"));
                    let as_here = names.shown.first().map_or("", String::as_str);
                    let count = counted(self.entries, "name", "names");
                    format!(
                        "none of its {count} is an image of this folder{first}; images here are named as `{as_here}`"
                    )
                }
            });
        }
        if let Some(text) = ambiguous {
            let count = counted(self.ambiguous.len(), "name fits", "names fit");
            problems.push((Severity::Error, format!("{count} several images and counts for none: {text}")));
        }
        if !self.twice.is_empty() {
            let count = counted(self.twice.len(), "image is", "images are");
            let text = format!(
                "{count} in two parts of {source}, and the one further from training counts: {}",
                told(&self.twice)
            );
            problems.push((Severity::Error, text));
        }
        if !self.unknown.is_empty() {
            let count = counted(self.unknown.len(), "image", "images");
            problems
                .push((Severity::Warning, format!("{source} names {count} that no pair has: {}", told(&self.unknown))));
        }
        let missing: Vec<String> = (0..self.parts.len())
            .filter(|&pair| self.parts[pair].is_none())
            .map(|pair| format!("`{}`", names.shown[pair]))
            .collect();
        if !missing.is_empty() {
            let count = counted(missing.len(), "image is", "images are");
            // Those that have an entry of a wrong part are told with it.
            let text =
                format!("{count} not named in {source} for a part and left out of every one: {}", told(&missing));
            problems.push((Severity::Warning, text));
        }
        if let Some((typed, pair)) = self.without_zeros.first() {
            let count = counted(self.without_zeros.len(), "name is", "names are");
            let text = format!(
                "{count} taken for the image of the same number, since spreadsheets leave out zeros in front: `{typed}` for `{}`",
                names.shown[*pair]
            );
            problems.push((Severity::Note, text));
        }
        if !self.unpaired.is_empty() {
            let count = counted(self.unpaired.len(), "image", "images");
            let text =
                format!("{source} names {count} without a mask, or that cannot be read: {}", told(&self.unpaired));
            problems.push((Severity::Note, text));
        }
        Ok(Fold { name: None, parts: self.parts, problems })
    }
}

/// Lists of the names of one part each. Of Pascal VOC's three, `trainval` says nothing that the others do not.
fn of_lists<'a>(
    lists: &[(Part, &'a PathBuf)],
    names: &Names,
    notes: &mut Vec<String>,
) -> Result<Option<Given>, (&'a Path, Refusal)> {
    let joins = |file: &Path| shown(file).to_lowercase().contains("trainval");
    let alone = |part: Part| lists.iter().any(|(of, file)| *of == part && !joins(file));
    let lists: Vec<(Part, &'a PathBuf)> = lists
        .iter()
        .filter(|(_, file)| !joins(file) || !(alone(Part::Train) || alone(Part::Validation)))
        .copied()
        .collect();
    let Some(&(_, first)) = lists.first() else { return Ok(None) };
    let parts: BTreeSet<Part> = lists.iter().map(|(part, _)| *part).collect();
    let shown_names: Vec<String> = lists.iter().map(|(_, file)| shown(file)).collect();
    let source = joined(&shown_names);
    let mut read = Vec::new();
    for &(part, file) in &lists {
        let text = rows::text(file).map_err(|problem| (file.as_path(), Refusal::meant(&problem)))?;
        read.push((part, rows::rows(&text, names)));
    }
    let entries = read.iter().flat_map(|(part, rows)| {
        let entry = |(name, line)| Entry { name, line: Some(line), part: *part };
        table::listed(rows, names).into_iter().map(entry)
    });
    let collected = Collected::of(entries, names);
    let count = collected.parts.iter().flatten().count();
    if parts.len() == 1 && count == 0 {
        notes.push(format!("`{}` is not used: it names no image of this folder", shown(first)));
        return Ok(None);
    }
    if parts.len() == 1 && count == names.shown.len() {
        notes.push(format!(
            "{source} {} every image, and so all are split",
            if lists.len() == 1 { "names" } else { "name" }
        ));
        return Ok(None);
    }
    let mut fold = collected
        .fold(names, &source, Vec::new())
        .map_err(|problem| (first.as_path(), Refusal { meant: true, problem }))?;
    if !parts.contains(&Part::Train) {
        let rest = fold.parts.iter().filter(|part| part.is_none()).count();
        fold.parts.iter_mut().for_each(|part| *part = part.or(Some(Part::Train)));
        fold.problems.retain(|(_, text)| !text.contains("left out of every one"));
        let text = format!(
            "there is no list of the training beside {source}: the {} that it does not name",
            counted(rest, "image", "images")
        );
        fold.problems.push((Severity::Warning, format!("{text} {} trained on", if rest == 1 { "is" } else { "are" })));
    }
    Ok(Some(Given { source, file: Some(first.clone()), folds: vec![fold] }))
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
