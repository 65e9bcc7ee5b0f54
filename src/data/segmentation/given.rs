//! Parts that somebody has fixed: folders named `train`, `val`, `test`, a table of names and parts, lists of names, or
//! nnU-Net's `splits_final.json`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::listing::Pair;
use super::names::{image_base, natural_order, part_word};
use super::split::Part;
use super::{Problem, counted};
use crate::disk;

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
    /// For every fold the part of every pair; `None`: it names none for it. At least one fold.
    pub folds: Vec<Vec<Option<Part>>>,
    /// What is odd about it, one statement each.
    pub problems: Vec<String>,
}

/// Whether a file of this name may name the parts of a split.
pub fn is_split_file(name: &str) -> bool {
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    let (stem, extension) = (stem.to_lowercase(), extension.to_lowercase());
    let mut words = stem.split(['_', '-', '.', ' ']);
    let says = |word: &str| {
        matches!(word, "split" | "splits" | "partition" | "partitions" | "fold" | "folds" | "subset" | "subsets")
    };
    ["csv", "tsv", "txt", "json"].contains(&&*extension) && (words.any(says) || is_list(&stem, &extension))
}

/// `train.txt`: a list of the names of one part.
fn is_list(stem: &str, extension: &str) -> bool {
    extension != "json" && part_word(stem).is_some()
}

/// Reads what `files` and the folders of the images say of parts. `folders`: of every pair the part and the name of the
/// folder that says so, and whether the pair lies in a folder with a name of its own. `None`: nothing names parts. What is
/// named but not used is told in `notes`; files that are there for it and cannot be used come in `unusable`.
pub fn find(
    files: &[PathBuf],
    pairs: &[Pair],
    folders: &[(Option<(Part, String)>, bool)],
    notes: &mut Vec<String>,
    unusable: &mut Vec<Problem>,
) -> Option<Given> {
    let names = Names::of(pairs);
    let (mut tables, mut lists) = (Vec::new(), Vec::new());
    for file in files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        let extension = file.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        if is_list(&stem, &extension) {
            lists.extend(part_word(&stem).map(|part| (part, file)));
            continue;
        }
        match of_file(file, &extension, &names) {
            Ok(given) => tables.push(given),
            Err(problem) => {
                notes.push(format!("`{}` is not used: {problem}", shown(file)));
                unusable.push(Problem { path: file.clone(), problem });
            }
        }
    }
    if let Some(given) = of_lists(&lists, &names) {
        tables.push(given);
    }
    let by_folder = of_folders(folders, notes);
    let mut all = tables.into_iter().chain(by_folder);
    let first = all.next();
    if let Some(first) = &first {
        notes.extend(all.map(|other| format!("{} is not used, since {} comes first", other.source, first.source)));
    }
    first
}

fn shown(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Folders count where one of them is for training, or where the other pairs lie in no folder with a name of its own: beside
/// `control`, `test` is a class.
fn of_folders(folders: &[(Option<(Part, String)>, bool)], notes: &mut Vec<String>) -> Option<Given> {
    let mut named: BTreeMap<Part, Vec<&str>> = BTreeMap::new();
    for (part, folder) in folders.iter().filter_map(|(said, _)| said.as_ref()) {
        let known = named.entry(*part).or_default();
        if !known.contains(&folder.as_str()) {
            known.push(folder);
        }
    }
    let quoted: Vec<String> = named.values().flatten().map(|name| format!("`{name}`")).collect();
    let source = match &quoted[..] {
        [] => return None,
        [one] => format!("the folder {one}"),
        [first @ .., last] => format!("the folders {} and {last}", first.join(", ")),
    };
    let unnamed = folders.iter().filter(|(said, _)| said.is_none()).count();
    let in_classes = folders.iter().any(|(said, own)| said.is_none() && *own);
    if named.len() == 1 && (unnamed == 0 || named.contains_key(&Part::Train)) {
        if unnamed == 0 {
            notes.push(format!("every pair lies in {source}, and so all are split"));
        }
        return None;
    }
    if !named.contains_key(&Part::Train) && (unnamed == 0 || in_classes) {
        let what =
            if unnamed == 0 { "no images are left to train on" } else { "the folders beside it are named otherwise" };
        notes.push(format!("{source} is not taken for a part of a split: {what}"));
        return None;
    }
    let mut problems = Vec::new();
    if unnamed > 0 {
        let images = counted(unnamed, "image lies", "images lie");
        problems.push(format!("{images} in none of {source}: taken for training"));
    }
    let part =
        |(said, _): &(Option<(Part, String)>, bool)| said.as_ref().map_or(Some(Part::Train), |(part, _)| Some(*part));
    Some(Given { source, file: None, folds: vec![folders.iter().map(part).collect()], problems })
}

/// Pairs by what a file may call them.
struct Names {
    /// Whole paths below the folder, in lower case with `/`, without extension.
    whole: HashMap<String, usize>,
    /// Every end of such a path, and names of masks; `None` where several pairs have it.
    ends: HashMap<String, Option<usize>>,
    count: usize,
}

impl Names {
    fn of(pairs: &[Pair]) -> Self {
        let mut ends: HashMap<String, Option<usize>> = HashMap::new();
        let whole = pairs.iter().enumerate().map(|(i, pair)| (pair.name.to_lowercase(), i)).collect();
        for (i, pair) in pairs.iter().enumerate() {
            let name = pair.name.to_lowercase();
            let masks = pair.masks.iter().filter_map(|mask| Some(mask.file_stem()?.to_string_lossy().to_lowercase()));
            let tails = name.char_indices().filter(|(_, c)| *c == '/').map(|(at, _)| name[at + 1..].to_owned());
            let stem = name.rsplit('/').next().unwrap_or(&name);
            let mut keys: Vec<String> = [image_base(stem)].into_iter().chain(tails).chain(masks).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                ends.entry(key).and_modify(|known| *known = None).or_insert(Some(i));
            }
        }
        Names { whole, ends, count: pairs.len() }
    }

    /// The pair that a file calls so, with or without folders and extension.
    fn find(&self, typed: &str) -> Option<usize> {
        let typed = typed.trim().replace('\\', "/").to_lowercase();
        let plain = typed.trim_start_matches("./");
        let cut = |name: &str| -> Option<String> {
            let (stem, extension) = name.rsplit_once('.')?;
            let usual = !extension.is_empty() && extension.len() <= 5 && !extension.contains('/');
            usual.then(|| stem.strip_suffix(".nii").unwrap_or(stem).to_owned())
        };
        let ways = [Some(plain.to_owned()), cut(plain)];
        ways.into_iter().flatten().find_map(|name| {
            let tails = name.char_indices().filter(|(_, c)| *c == '/').map(|(at, _)| &name[at + 1..]);
            let end = |end: &str| self.ends.get(end).copied().flatten();
            self.whole.get(&name).copied().or_else(|| [name.as_str()].into_iter().chain(tails).find_map(end))
        })
    }
}

/// The parts of the pairs from names and parts, and what is odd about them.
struct Collected {
    parts: Vec<Option<Part>>,
    unknown: Vec<String>,
    twice: Vec<String>,
}

fn collect<'a>(rows: impl Iterator<Item = (&'a str, Part)>, names: &Names) -> Collected {
    let mut found = Collected { parts: vec![None; names.count], unknown: Vec::new(), twice: Vec::new() };
    for (name, part) in rows {
        match names.find(name) {
            None => found.unknown.push(name.trim().to_owned()),
            Some(pair) if found.parts[pair].is_some_and(|known| known != part) => {
                found.twice.push(name.trim().to_owned())
            }
            Some(pair) => found.parts[pair] = Some(part),
        }
    }
    found
}

impl Collected {
    /// `None`: no pair is named.
    fn given(self, source: String, file: &Path) -> Option<Given> {
        let named = self.parts.iter().flatten().count();
        let mut problems = Vec::new();
        let names = |list: &[String]| {
            let told: Vec<String> = list.iter().take(TOLD).map(|name| format!("`{name}`")).collect();
            told.join(", ") + if list.len() > TOLD { ", .." } else { "" }
        };
        if !self.unknown.is_empty() {
            let count = counted(self.unknown.len(), "image", "images");
            problems.push(format!("{source} names {count} that no pair has: {}", names(&self.unknown)));
        }
        if !self.twice.is_empty() {
            let count = counted(self.twice.len(), "image is", "images are");
            problems.push(format!("{count} in two parts of {source}, and the first counts: {}", names(&self.twice)));
        }
        if named < self.parts.len() {
            let count = counted(self.parts.len() - named, "image is", "images are");
            problems.push(format!("{count} not named in {source} and left out of every part"));
        }
        (named > 0).then(|| Given { source, file: Some(file.to_owned()), folds: vec![self.parts], problems })
    }
}

fn of_lists(lists: &[(Part, &PathBuf)], names: &Names) -> Option<Given> {
    let mut parts: Vec<Part> = lists.iter().map(|(part, _)| *part).collect();
    parts.sort_unstable();
    parts.dedup();
    let (_, first) = lists.first()?;
    if parts.len() < 2 {
        return None;
    }
    let read: Vec<(Part, String)> =
        lists.iter().filter_map(|(part, file)| Some((*part, disk::read_text(file, MOST_BYTES).ok()?))).collect();
    let rows = read.iter().flat_map(|(part, text)| {
        text.lines().filter_map(|line| line.split([',', ';', '\t']).next()).map(|name| (name.trim_matches('"'), *part))
    });
    let rows: Vec<(&str, Part)> = rows.filter(|(name, _)| !name.trim().is_empty()).collect();
    let quoted: Vec<String> = lists.iter().map(|(_, file)| format!("`{}`", shown(file))).collect();
    let mut found = collect(rows.into_iter(), names);
    // A list may have a heading.
    found.unknown.retain(|name| !HEADINGS.contains(&&*name.to_lowercase()));
    found.given(quoted.join(", "), first)
}

/// What a column of names is called.
const HEADINGS: [&str; 14] = [
    "image",
    "images",
    "image_id",
    "image_name",
    "image_path",
    "img",
    "file",
    "filename",
    "file_name",
    "path",
    "name",
    "id",
    "case",
    "case_id",
];

fn of_file(file: &Path, extension: &str, names: &Names) -> Result<Given, String> {
    let text = disk::read_text(file, MOST_BYTES).map_err(|error| error.to_string())?;
    let text = text.trim_start_matches('\u{feff}');
    let source = format!("`{}`", shown(file));
    if extension == "json" {
        return of_json(text, source, file, names);
    }
    of_table(text, source, file, names)
}

/// `[{"train": [..], "val": [..]}, ..]`, one a fold, or one such object.
fn of_json(text: &str, source: String, file: &Path, names: &Names) -> Result<Given, String> {
    const EXPECTED: &str = "expected lists of names as nnU-Net writes them: [{\"train\": [..], \"val\": [..]}, ..]";
    let json: serde_json::Value = serde_json::from_str(text).map_err(|error| format!("{error}; {EXPECTED}"))?;
    let folds = match &json {
        serde_json::Value::Array(folds) => folds.iter().collect(),
        object => vec![object],
    };
    let mut given: Option<Given> = None;
    let count = folds.len();
    for (number, fold) in folds.into_iter().enumerate() {
        let lists = fold.as_object().ok_or(EXPECTED)?;
        let of_part = |(key, list): (&String, &serde_json::Value)| Some((part_word(key)?, list.as_array()?.clone()));
        let parts: Vec<(Part, Vec<serde_json::Value>)> = lists.iter().filter_map(of_part).collect();
        let rows = parts.iter().flat_map(|(part, list)| list.iter().filter_map(|name| Some((name.as_str()?, *part))));
        let Some(one) = collect(rows, names).given(source.clone(), file) else {
            return Err(format!("fold {number} of {count} names no image of this folder; {EXPECTED}"));
        };
        match &mut given {
            None => given = Some(one),
            // What is odd is told of the first fold alone.
            Some(given) => given.folds.extend(one.folds),
        }
    }
    given.ok_or_else(|| EXPECTED.to_owned())
}

/// Rows of names and parts; which column is which is told by what they hold.
fn of_table(text: &str, source: String, file: &Path, names: &Names) -> Result<Given, String> {
    let text = text.strip_prefix("sep=").and_then(|rest| rest.split_once('\n')).map_or(text, |(_, rest)| rest);
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let separator =
        [b',', b';', b'\t', b'|', b' '].into_iter().find(|&c| first.as_bytes().contains(&c)).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.delimiter(separator).has_headers(false).flexible(true).trim(csv::Trim::All);
    let rows: Vec<csv::StringRecord> = reader
        .from_reader(text.as_bytes())
        .into_records()
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    let columns = rows.iter().map(csv::StringRecord::len).max().unwrap_or(0);
    let named = |column: usize| {
        rows.iter().filter(|row| row.get(column).is_some_and(|cell| names.find(cell).is_some())).count()
    };
    let name = (0..columns).max_by_key(|&column| (named(column), std::cmp::Reverse(column)));
    let name = name.filter(|&column| named(column) > 0).ok_or("no column has names of this folder's images")?;
    // The heading is no row.
    let body: Vec<&csv::StringRecord> = rows
        .iter()
        .enumerate()
        .filter(|(i, row)| *i > 0 || row.get(name).is_some_and(|n| names.find(n).is_some()))
        .map(|(_, row)| row)
        .collect();
    let cells = |column: usize| body.iter().filter_map(move |row| Some((row.get(name)?, row.get(column)?)));
    let others = || (0..columns).filter(|&column| column != name);
    let all = |column: usize, fits: &dyn Fn(&str) -> bool| {
        let mut filled = cells(column).map(|(_, cell)| cell).filter(|cell| !cell.is_empty()).peekable();
        filled.peek().is_some() && filled.all(fits)
    };
    if let Some(column) = others().find(|&column| all(column, &|cell| part_word(cell).is_some())) {
        let rows = cells(column).filter_map(|(name, cell)| Some((name, part_word(cell)?)));
        return collect(rows, names).given(source, file).ok_or_else(|| "it names no image of this folder".to_owned());
    }
    let heading = |column: usize| rows.first().and_then(|row| row.get(column)).unwrap_or_default().to_lowercase();
    let is_fold =
        |column: &usize| heading(*column).contains("fold") && all(*column, &|cell| cell.parse::<f64>().is_ok());
    let Some(column) = others().find(is_fold) else {
        return Err("no column holds train, val, test or the numbers of folds; expected image,split".to_owned());
    };
    let mut numbers: Vec<&str> = cells(column).map(|(_, cell)| cell).filter(|cell| !cell.is_empty()).collect();
    numbers.sort_by(|a, b| natural_order(a, b));
    numbers.dedup();
    let mut given: Option<Given> = None;
    for fold in numbers {
        let part = |cell: &str| if cell == fold { Part::Validation } else { Part::Train };
        let rows = cells(column).filter(|(_, cell)| !cell.is_empty()).map(|(name, cell)| (name, part(cell)));
        let one = collect(rows, names).given(source.clone(), file);
        match (&mut given, one) {
            (Some(given), Some(one)) => given.folds.extend(one.folds),
            (given, one) => *given = one,
        }
    }
    given.ok_or_else(|| "it names no image of this folder".to_owned())
}
