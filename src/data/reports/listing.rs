//! Which layout a folder or a file has, and what it holds.

use std::path::{Path, PathBuf};

use super::super::folder::{Rules, Tree, walk};
use super::super::fundus::named;
use super::super::{DataError, Problem};
use super::boxes::Boxes;
use super::lines::{self, Lines};
use super::nli::{self, Statements};
use super::pictures::Pictures;
use super::tables::{self, Shape, Table};
use super::{Choice, Layout, Listing, chexpert, kaggle, open_i, own};
use crate::watch::Watch;

/// What is understood, for messages.
pub const LAYOUTS: &str = "Open-I (ecgen-radiology/*.xml with their PNG files, or indiana_reports.csv with indiana_projections.csv), \
                           CheXpert (train.csv, valid.csv), pairs.csv or pairs.jsonl (image, text, split, study, view) beside the \
                           pictures, or *.jsonl of statements (sentence1, sentence2, gold_label)";

/// Lists a folder, or the folder of a file, of which only that file's reports are taken.
///
/// # Errors
/// No such folder, no layout that is known (the message says which are), nothing in it that can be used, or stopped.
pub fn list(path: &Path, choice: Choice, watch: Watch<'_>) -> Result<Listing, DataError> {
    if !path.is_file() {
        return of_folder(path, None, choice, watch);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if tables::is_table_name(&name) || lines::is_lines_name(&name) {
        return of_folder(folder, Some(&name), choice, watch);
    }
    let problem = if name.to_lowercase().ends_with(".xml") {
        "is one report; open the folder that holds the reports and their pictures".to_owned()
    } else {
        format!("is a file of another kind; expected a folder or a file of {LAYOUTS}")
    };
    Err(DataError::file(path, problem))
}

/// Files beside pictures that may be of use.
#[derive(Default)]
struct Beside {
    tables: Vec<PathBuf>,
    lines: Vec<PathBuf>,
    json: Vec<PathBuf>,
    xml: Vec<PathBuf>,
}

impl Beside {
    fn of(tree: &Tree) -> Self {
        let mut beside = Self::default();
        for path in tree.folders.iter().flat_map(|folder| &folder.kept) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            let list = match () {
                () if tables::is_table_name(&name) => &mut beside.tables,
                () if lines::is_lines_name(&name) => &mut beside.lines,
                () if name.ends_with(".xml") => &mut beside.xml,
                () => &mut beside.json,
            };
            list.push(path.clone());
        }
        beside
    }
}

/// `only`: the name of the one file of reports that counts.
fn of_folder(root: &Path, only: Option<&str>, choice: Choice, watch: Watch<'_>) -> Result<Listing, DataError> {
    if let Some(listing) = as_chexpert(root, only, choice, watch)? {
        return Ok(listing);
    }
    let wanted = |name: &str, _: usize| {
        let low = name.to_lowercase();
        let is_json = low.ends_with(".json");
        tables::is_table_name(&low) || lines::is_lines_name(&low) || low.ends_with(".xml") || is_json
    };
    let tree = walk(root, &Rules { keep: &wanted, ..Rules::default() }, watch)?;
    let beside = Beside::of(&tree);
    let mut problems = tree.problems.clone();
    let tables = tables::all(&beside.tables, &mut problems);
    let mut files: Vec<Lines> = Vec::new();
    for path in &beside.lines {
        match lines::read(path) {
            Ok(read) => files.push(read),
            Err(DataError::File { path, problem }) => problems.push(Problem { path, problem }),
            Err(cancelled) => return Err(cancelled),
        }
    }
    let found = Found { root, only, tables: &tables, files: &files, xml: &beside.xml };
    let statements = found.statements();
    let mut listing = match found.pairs(&Pictures::of(&tree), choice, watch) {
        Some(listing) => listing?,
        None if !statements.items.is_empty() => of_statements(root),
        None => return Err(unknown(root, &tree, &problems, only)),
    };
    let mut boxes = Boxes::of(&listing.pairs);
    tables.iter().filter(|table| table.shape == Shape::Boxes).for_each(|table| boxes.add_table(table));
    files.iter().filter(|file| file.shape == lines::Shape::Boxes).for_each(|file| boxes.add_lines(file));
    if !listing.pairs.is_empty() {
        beside.json.iter().for_each(|path| boxes.add_json(path));
    }
    let (found, bad, told) = boxes.finish();
    listing.boxes = found;
    listing.notes.extend(told.into_iter().chain(statements.notes));
    listing.statements = statements.items;
    listing.problems.extend(bad.into_iter().chain(statements.problems).chain(problems));
    Ok(listing)
}

fn of_statements(root: &Path) -> Listing {
    Listing {
        root: root.to_owned(),
        layout: Layout::Statements,
        pairs: Vec::new(),
        problems: Vec::new(),
        notes: vec![format!("{}: {}", root.display(), Layout::Statements.title())],
        boxes: Vec::new(),
        labels: None,
        statements: Vec::new(),
    }
}

/// CheXpert has more folders than are walked through: its tables lie at the top, and name every picture.
fn as_chexpert(
    root: &Path,
    only: Option<&str>,
    choice: Choice,
    watch: Watch<'_>,
) -> Result<Option<Listing>, DataError> {
    let keep = |name: &str, _: usize| tables::is_table_name(name);
    let tree = walk(root, &Rules { deepest: 1, most_files: 2_000_000, keep: &keep, ..Rules::default() }, watch)?;
    let of_folder = |table: &Table| only.is_none_or(|name| is_named(&table.path, name));
    let paths: Vec<PathBuf> = tree.folders.into_iter().flat_map(|folder| folder.kept).collect();
    // What cannot be read is told by whoever reads the whole folder.
    let tables = tables::all(&paths, &mut Vec::new());
    let tables: Vec<&Table> =
        tables.iter().filter(|table| table.shape == Shape::CheXpert && of_folder(table)).collect();
    if tables.is_empty() { Ok(None) } else { chexpert::list(root, &tables, choice, watch).map(Some) }
}

fn is_named(path: &Path, name: &str) -> bool {
    path.file_name().is_some_and(|file| file.to_string_lossy() == name)
}

/// What of a folder may hold reports.
struct Found<'a> {
    root: &'a Path,
    only: Option<&'a str>,
    tables: &'a [Table],
    files: &'a [Lines],
    xml: &'a [PathBuf],
}

impl Found<'_> {
    fn counts(&self, path: &Path) -> bool {
        self.only.is_none_or(|name| path.parent() == Some(self.root) && is_named(path, name))
    }

    fn statements(&self) -> Statements {
        let mut statements = Statements::default();
        let files = self.files.iter().filter(|file| file.shape == lines::Shape::Statements && self.counts(&file.path));
        files.for_each(|file| nli::add(&mut statements, file));
        statements
    }

    /// The first layout that there is; what is not used beside it is told. `None`: there is none with pictures.
    fn pairs(&self, pictures: &Pictures, choice: Choice, watch: Watch<'_>) -> Option<Result<Listing, DataError>> {
        let of = |shape: Shape| self.tables.iter().filter(move |table| table.shape == shape);
        let (reports, projections) = (of(Shape::Reports).next(), of(Shape::Projections).next());
        let of_kaggle = |table: &&Table| self.counts(&table.path);
        if let Some(reports) = reports.filter(|table| of_kaggle(table) || projections.as_ref().is_some_and(of_kaggle)) {
            return Some(match projections {
                Some(projections) => kaggle::list(self.root, reports, projections, pictures, choice),
                None => Err(DataError::file(
                    &reports.path,
                    "has reports by number; the table of their pictures is missing: put indiana_projections.csv (uid, filename, \
                     projection) beside it",
                )),
            });
        }
        let mut candidates: Vec<&Path> = of(Shape::Pairs).map(|table| table.path.as_path()).collect();
        candidates
            .extend(self.files.iter().filter(|file| file.shape == lines::Shape::Pairs).map(|file| file.path.as_path()));
        candidates.retain(|path| self.counts(path));
        // `pairs` before others, then those nearest to the root.
        let is_pairs = |path: &Path| path.file_stem().is_some_and(|stem| stem.eq_ignore_ascii_case("pairs"));
        candidates.sort_by_key(|path| (!is_pairs(path), path.components().count()));
        if let Some((chosen, others)) = candidates.split_first() {
            let table = self.tables.iter().find(|table| table.path == *chosen);
            let file = self.files.iter().find(|file| file.path == *chosen);
            let mut listing = match (table, file) {
                (Some(table), _) => own::of_table(self.root, table, pictures, choice),
                (None, Some(file)) => own::of_lines(self.root, file, pictures, choice),
                (None, None) => return None,
            };
            if let Ok(listing) = &mut listing
                && !others.is_empty()
            {
                let names: Vec<String> = others.iter().map(|path| path.display().to_string()).collect();
                let note =
                    format!("taken from {}; not used: {}", chosen.display(), named(names.iter().map(String::as_str)));
                listing.notes.push(note);
            }
            return Some(listing);
        }
        let xml = self.only.is_none() && !self.xml.is_empty();
        xml.then(|| open_i::list(self.root, self.xml, pictures, choice, watch))
    }
}

/// What there is, and what is understood.
fn unknown(root: &Path, tree: &Tree, problems: &[Problem], only: Option<&str>) -> DataError {
    let count = |of: fn(&super::super::folder::Folder) -> usize| tree.folders.iter().map(of).sum::<usize>();
    let (pictures, others) = (count(|folder| folder.pictures.len()), count(|folder| folder.others));
    let foreign: String = tree.folders.iter().map(|folder| folder.foreign.told()).collect();
    let why: Vec<String> = problems.iter().take(3).map(|p| format!("; {}: {}", p.path.display(), p.problem)).collect();
    let held = match (pictures, others) {
        (0, 0) => "holds no files".to_owned(),
        (pictures, others) => {
            format!("holds {pictures} pictures and {others} other files, and no reports that are understood")
        }
    };
    let at = only.map_or_else(|| root.to_owned(), |name| root.join(name));
    let held = if only.is_some() { "has no reports that are understood".to_owned() } else { held };
    DataError::file(at, format!("{held}{foreign}{}; expected {LAYOUTS}", why.concat()))
}
