//! Which graded pictures a folder holds: Messidor's layout, IDRiD's, or pictures with one table. By names and tables alone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::super::DataError;
use super::super::folder::{Folder, Rules, walk};
use super::super::picture_file::EXTENSIONS;
use super::super::segmentation::counted;
use super::super::synth::fundus::LesionKind;
use super::join::{File, Joined, agreed, each_grade, row_stem, stem};
use super::table::{self, Table};
use super::{CORRECTED, DUPLICATES, listed, named};
use crate::watch::Watch;

/// The layout that a folder was recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `Base11` to `Base34`, each with its annotations.
    Messidor,
    /// `B. Disease Grading` of IDRiD, with its own test part.
    Idrid,
    /// Pictures and one table.
    Table,
}

/// A graded picture on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub path: PathBuf,
    /// Below the folder.
    pub name: String,
    /// Index into [`Listing::hospitals`].
    pub hospital: usize,
    /// 0 to 4; `None`: its row has none.
    pub grade: Option<u8>,
    /// Risk of macular edema, 0 to 2.
    pub edema: Option<u8>,
    /// The data set tests on it.
    pub test: bool,
}

/// A picture whose lesions are drawn as masks; which graded picture it is, its content tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    pub path: PathBuf,
    pub masks: Vec<(LesionKind, PathBuf)>,
}

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub root: PathBuf,
    pub layout: Layout,
    pub hospitals: Vec<String>,
    pub pictures: Vec<Listed>,
    /// IDRiD's segmentation part, where it is there.
    pub drawn: Vec<Drawn>,
    /// What was found and done, a statement each.
    pub report: Vec<String>,
    /// What was left out, and what is in doubt.
    pub warnings: Vec<String>,
}

/// A table and the pictures that it may be of.
struct Group {
    title: String,
    hospital: usize,
    test: bool,
    files: Vec<File>,
    table: Option<PathBuf>,
}

/// Lists a folder. `errata`: Messidor's known mistakes are mended.
///
/// # Errors
/// No such folder, no layout that is known, a table that cannot be read or is of other pictures.
pub fn list(root: &Path, errata: bool, watch: Watch<'_>) -> Result<Listing, DataError> {
    let rules = Rules { keep: &|name, _| table::is_table_name(name), ..Rules::default() };
    let tree = walk(root, &rules, watch)?;
    let mut warnings: Vec<String> =
        tree.problems.iter().map(|problem| format!("{}: {}", problem.path.display(), problem.problem)).collect();
    let messidor = messidor(root, &tree.folders);
    let idrid = idrid(&tree.folders);
    let (layout, groups, hospitals) = if !messidor.is_empty() {
        // A table may lie there without its pictures.
        let with_files = messidor.iter().filter(|(_, files, _)| !files.is_empty());
        let mut departments: Vec<u8> = with_files.map(|(base, ..)| base / 10).collect();
        departments.dedup();
        let place = |base: u8| departments.iter().position(|d| *d == base / 10).unwrap_or_default();
        let group = |(base, files, table): &(u8, Vec<File>, Option<PathBuf>)| Group {
            title: format!("Base{base}"),
            hospital: place(*base),
            test: false,
            files: files.clone(),
            table: table.clone(),
        };
        let groups = messidor.iter().map(group).collect();
        (Layout::Messidor, groups, departments.iter().map(|d| format!("department {d}")).collect())
    } else if !idrid.is_empty() {
        (Layout::Idrid, idrid, vec!["IDRiD".to_owned()])
    } else {
        (Layout::Table, vec![single(root, &tree.folders)?], vec!["all".to_owned()])
    };
    let mut listing = Listing {
        root: root.to_owned(),
        layout,
        hospitals,
        pictures: Vec::new(),
        drawn: drawn(&tree.folders),
        report: Vec::new(),
        warnings: Vec::new(),
    };
    for group in groups {
        add(&mut listing, group, &mut warnings)?;
    }
    if listing.pictures.is_empty() {
        let problem = format!("holds no picture with a grade: {}", warnings.join("; "));
        return Err(DataError::file(root, problem));
    }
    let what = match layout {
        Layout::Messidor => "Messidor's layout",
        Layout::Idrid => "IDRiD's layout",
        Layout::Table => "pictures with a table",
    };
    let found = counted(listing.pictures.len(), "picture", "pictures");
    listing.report.push(format!("{}: {what}, {found} with a row in their table", root.display()));
    if layout == Layout::Messidor {
        mend(&mut listing, errata);
    }
    listing.warnings = warnings;
    Ok(listing)
}

/// The number of a base in a name: `Base11`, `Annotation Base12.xls`.
fn base(name: &str) -> Option<u8> {
    let name = name.to_lowercase();
    let rest = name[name.rfind("base")? + 4..].trim_start_matches([' ', '_', '-']);
    let (number, after) = rest.split_at_checked(2)?;
    let ends = !after.starts_with(|c: char| c.is_ascii_alphanumeric());
    number.parse().ok().filter(|number| ends && (11..=99).contains(number))
}

/// Files and table of each base, ascending; empty: this is not Messidor.
fn messidor(root: &Path, folders: &[Folder]) -> Vec<(u8, Vec<File>, Option<PathBuf>)> {
    let mut bases: BTreeMap<u8, (Vec<File>, Vec<PathBuf>)> = BTreeMap::new();
    let own = root.file_name().unwrap_or_default().to_string_lossy();
    for folder in folders {
        let number = base(folder.names.last().map_or(&*own, String::as_str));
        for table in &folder.kept {
            let of_table = base(&table.file_name().unwrap_or_default().to_string_lossy());
            if let Some(number) = of_table.or(number) {
                bases.entry(number).or_default().1.push(table.clone());
            }
        }
        if let Some(number) = number {
            let files = folder.pictures.iter().map(|file| (file.clone(), folder.relative(file)));
            bases.entry(number).or_default().0.extend(files);
        }
    }
    // Other folders are called after a base of something too.
    if bases.values().all(|(files, tables)| files.is_empty() || tables.is_empty()) {
        return Vec::new();
    }
    // Where a workbook was saved as text too, the text is meant.
    let chosen = |mut tables: Vec<PathBuf>| {
        tables.sort_by_key(|path| path.extension().is_none_or(|end| !end.eq_ignore_ascii_case("csv")));
        tables.into_iter().next()
    };
    bases.into_iter().map(|(number, (files, tables))| (number, files, chosen(tables))).collect()
}

/// Both parts of IDRiD's grading; empty: this is not IDRiD.
fn idrid(folders: &[Folder]) -> Vec<Group> {
    let is = |text: &str, word: &str| text.to_lowercase().contains(word);
    let mut groups = Vec::new();
    for (part, test) in [("training", false), ("testing", true)] {
        let mut tables = folders.iter().flat_map(|folder| &folder.kept);
        let table = tables.find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            is(&name, "disease grading") && is(&name, part)
        });
        let within = |folder: &&Folder| {
            // The archive's other parts hold the same pictures once more.
            let graded = !folder.names.iter().any(|name| is(name, "segmentation") || is(name, "localization"));
            graded && folder.names.iter().any(|name| is(name, part))
        };
        let files = folders
            .iter()
            .filter(within)
            .flat_map(|folder| folder.pictures.iter().map(|file| (file.clone(), folder.relative(file))));
        if let Some(table) = table {
            groups.push(Group {
                title: part.to_owned(),
                hospital: 0,
                test,
                files: files.collect(),
                table: Some(table.clone()),
            });
        }
    }
    groups
}

/// IDRiD's masks by picture: `IDRiD_01_MA.tif` beside `IDRiD_01.jpg`.
fn drawn(folders: &[Folder]) -> Vec<Drawn> {
    const KINDS: [(&str, LesionKind); 4] = [
        ("_ma", LesionKind::Microaneurysm),
        ("_he", LesionKind::Haemorrhage),
        ("_ex", LesionKind::HardExudate),
        ("_se", LesionKind::CottonWoolSpot),
    ];
    let files =
        folders.iter().filter(|folder| folder.names.iter().any(|name| name.to_lowercase().contains("segmentation")));
    let files: Vec<(String, &PathBuf)> =
        files.flat_map(|folder| &folder.pictures).map(|file| (stem(file), file)).collect();
    let mut masks: HashMap<String, Vec<(LesionKind, PathBuf)>> = HashMap::new();
    for (stem, path) in &files {
        if let Some((picture, kind)) = KINDS.iter().find_map(|(end, kind)| Some((stem.strip_suffix(*end)?, *kind))) {
            masks.entry(picture.to_owned()).or_default().push((kind, (*path).clone()));
        }
    }
    let drawn = |(stem, path): &(String, &PathBuf)| Some(Drawn { path: (*path).clone(), masks: masks.remove(stem)? });
    files.iter().filter_map(drawn).collect()
}

/// Pictures and the one table among them.
fn single(root: &Path, folders: &[Folder]) -> Result<Group, DataError> {
    let files: Vec<File> = folders
        .iter()
        .flat_map(|folder| folder.pictures.iter().map(|file| (file.clone(), folder.relative(file))))
        .collect();
    if files.is_empty() {
        let foreign = folders.iter().map(|folder| folder.foreign.told()).collect::<String>();
        let problem = format!("holds no pictures ({}){foreign}", EXTENSIONS.join(", "));
        return Err(DataError::file(root, problem));
    }
    let tables: Vec<&PathBuf> = folders.iter().flat_map(|folder| &folder.kept).collect();
    let usable: Vec<&PathBuf> = if tables.len() > 1 {
        tables.iter().copied().filter(|path| table::read(path).is_ok()).collect()
    } else {
        tables.clone()
    };
    match usable.as_slice() {
        [one] => Ok(Group { title: String::new(), hospital: 0, test: false, files, table: Some((*one).clone()) }),
        [] if tables.is_empty() => Err(DataError::file(
            root,
            "holds pictures and no table of their grades; expected Messidor's folders (Base11 with Annotation_Base11.csv or .xls), \
             IDRiD's, or one .csv with a column of images and one of grades",
        )),
        [] => Err(table::read(tables[0]).err().unwrap_or_else(|| DataError::file(root, "has no table of grades"))),
        several => {
            let names: Vec<String> = several.iter().map(|path| path.display().to_string()).collect();
            let problem = format!(
                "holds {} tables of grades ({}); leave one",
                several.len(),
                named(names.iter().map(|n| n.as_str()))
            );
            Err(DataError::file(root, problem))
        }
    }
}

/// Joins rows and files of one group by name, whatever the endings are: TIFF files saved as PNG are the same pictures. What is in doubt
/// is left out and told: which picture a row names, which of several grades is right, what a grade means.
fn add(listing: &mut Listing, group: Group, warnings: &mut Vec<String>) -> Result<(), DataError> {
    let Group { title, hospital, test, files, table } = group;
    let within = if title.is_empty() { String::new() } else { format!("{title}: ") };
    let Some(table) = table else {
        let pictures = counted(files.len(), "picture is", "pictures are");
        warnings.push(format!("{within}no table of grades (Annotation_{title}.csv or .xls): {pictures} left out"));
        return Ok(());
    };
    let Table { path, rows } = table::read(&table)?;
    if files.is_empty() {
        let rows = counted(rows.len(), "row", "rows");
        warnings.push(format!("{within}{} has {rows} and there is no folder of its pictures", path.display()));
        return Ok(());
    }
    let joined = Joined::of(&rows, &files);
    let refused = |problem: String| Err(DataError::file(&path, problem));
    if joined.rows.is_empty() && !joined.ambiguous.is_empty() {
        return refused(format!(
            "names no picture for certain: {}; write their folders into the table (left/a.png), or leave one of each",
            listed(joined.ambiguous.iter().map(String::as_str))
        ));
    }
    if joined.rows.is_empty() {
        let folder = files[0].0.parent().unwrap_or(&listing.root);
        return refused(format!(
            "names none of the pictures in {}: its first is `{}`, and the folder's is `{}`; it is the table of other pictures",
            folder.display(),
            rows[0].image,
            files[0].1
        ));
    }
    let (mut again, mut contradicted) = (Vec::new(), Vec::new());
    for (file, of) in &joined.rows {
        let (path, name) = files[*file].clone();
        match agreed(of) {
            Some(said) => {
                again.extend((of.len() > 1).then_some(files[*file].1.as_str()));
                listing.pictures.push(Listed { path, name, hospital, grade: said.grade(), edema: of[0].edema, test });
            }
            None => contradicted.extend((of.len() > 1).then(|| format!("{name} ({})", each_grade(of)))),
        }
    }
    let with_row: HashSet<usize> = joined.rows.iter().map(|(file, _)| *file).chain(joined.doubted).collect();
    let without_row: Vec<&str> =
        (0..files.len()).filter(|i| !with_row.contains(i)).map(|i| files[i].1.as_str()).collect();
    let unclear = table::unclear(&rows);
    let all = |names: &[String]| listed(names.iter().map(String::as_str));
    let of = path.display();
    for (count, one, several, names) in [
        (
            joined.ambiguous.len(),
            format!("row of {of} fits several pictures, which are left out"),
            format!("rows of {of} fit several pictures, which are left out"),
            all(&joined.ambiguous),
        ),
        (
            contradicted.len(),
            format!("picture has contradicting grades in {of} and is left out"),
            format!("pictures have contradicting grades in {of} and are left out"),
            all(&contradicted),
        ),
        (
            unclear.len(),
            format!("row of {of} has a grade that is not understood and is left out"),
            format!("rows of {of} have a grade that is not understood and are left out"),
            all(&unclear),
        ),
        (
            again.len(),
            format!("picture has several rows of one grade in {of}"),
            format!("pictures have several rows of one grade in {of}"),
            named(again),
        ),
        (
            joined.absent.len(),
            format!("row of {of} has no picture, left out"),
            format!("rows of {of} have no picture, left out"),
            named(joined.absent),
        ),
        (
            without_row.len(),
            format!("picture has no row in {of}, left out"),
            format!("pictures have no row in {of}, left out"),
            named(without_row),
        ),
    ] {
        if count > 0 {
            warnings.push(format!("{within}{}: {names}", counted(count, &one, &several)));
        }
    }
    Ok(())
}

/// Mends the known mistakes, as far as they are here, and says which.
fn mend(listing: &mut Listing, errata: bool) {
    let before = listing.pictures.len();
    let of_base = |picture: &Listed, number: u8| {
        picture
            .path
            .parent()
            .and_then(Path::file_name)
            .is_some_and(|name| base(&name.to_string_lossy()) == Some(number))
    };
    let wrong = |picture: &Listed| {
        let known = CORRECTED
            .iter()
            .find(|(number, name, _)| stem(&picture.path) == row_stem(name) && of_base(picture, *number))?;
        (picture.grade != Some(known.2)).then_some(known.2)
    };
    let again =
        |picture: &Listed| of_base(picture, 33) && DUPLICATES.iter().any(|name| stem(&picture.path) == row_stem(name));
    let grade = |grade: Option<u8>| grade.map_or("none".to_owned(), |grade| grade.to_string());
    let changes: Vec<String> = listing
        .pictures
        .iter()
        .filter_map(|picture| wrong(picture).map(|right| format!("{} {}→{right}", picture.name, grade(picture.grade))))
        .collect();
    let removed: Vec<String> = listing.pictures.iter().filter(|p| again(p)).map(|p| p.name.clone()).collect();
    let grades = counted(changes.len(), "grade", "grades");
    let duplicates = counted(removed.len(), "duplicate", "duplicates");
    if !errata {
        listing
            .report
            .push(format!("errata not applied: {grades} and {duplicates} of the known mistakes stay as they are"));
        return;
    }
    for picture in &mut listing.pictures {
        picture.grade = wrong(picture).or(picture.grade);
    }
    listing.pictures.retain(|picture| !again(picture));
    listing.report.push(format!(
        "errata: {grades} corrected, {duplicates} removed; {before} → {} pictures",
        listing.pictures.len()
    ));
    for (what, names) in [("corrected", changes), ("removed", removed)] {
        if !names.is_empty() {
            listing.report.push(format!("{what}: {}", names.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_told_by_its_name() {
        for name in ["Base12", "base 12", "Annotation_Base12.xls", "Annotation Base12.csv", "Messidor Base_12"] {
            assert_eq!(base(name), Some(12), "{name}");
        }
        for name in ["Base1", "Base123", "Base", "Bäse12", "database", "Base1é"] {
            assert_eq!(base(name), None, "{name}");
        }
    }
}
