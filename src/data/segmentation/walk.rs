//! The pictures below a folder, and what their places say of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::given::is_split_file;
use super::names::{Role, folder_part, folder_role, loose};
use super::split::Part;
use super::{DataError, Problem, Watch};
use crate::data::folder::{self, Folder, Rules, natural_order};
use crate::data::labelme::{self, Drawing};
use crate::data::picture_file::{ForeignFiles, Size, is_bare_name, is_dicom, size_of, volume};

/// Folders within folders in which a file that names the parts of a split is looked for.
const DEEPEST_SPLIT: usize = 4;
/// The same for tables of other names, and how many of them are looked into.
const DEEPEST_TABLE: usize = 2;
const MOST_TABLES: usize = 16;

/// A picture's file and what its place says of it.
#[derive(Debug, Clone)]
pub struct Found {
    pub path: PathBuf,
    /// Below the folder, with `/`, for sorting and for showing.
    pub relative: String,
    /// File name without extension.
    pub stem: String,
    /// What the innermost folder with a telling name holds.
    pub role: Option<Role>,
    /// That folder's name.
    pub role_folder: Option<String>,
    /// The folder in lower case without what tells images from masks: equal for an image and its mask.
    pub place: String,
    /// The innermost folder that has no role and names no part of a split.
    pub plain_folder: Option<String>,
    /// The part of a split that the innermost folder with such a name says.
    pub part: Option<Part>,
    /// That folder's name.
    pub part_folder: Option<String>,
    /// What labelme has drawn in it, or why that cannot be read; `None`: it was not looked at as such a file.
    pub drawing: Option<Arc<Result<Drawing, String>>>,
}

impl Found {
    /// Width and height, as the file says.
    pub fn size(&self) -> Result<Size, String> {
        match self.drawing.as_deref() {
            Some(drawing) => drawing.as_ref().map(|drawing| drawing.size).map_err(Clone::clone),
            None => size_of(&self.path),
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Files {
    /// In natural order.
    pub pictures: Vec<Found>,
    /// JSON files, which labelme may have written, in natural order; counted with the others.
    pub drawings: Vec<Found>,
    /// Files that are no pictures.
    pub others: usize,
    /// Those of them that are pictures of kinds that are not read.
    pub foreign: ForeignFiles,
    /// Hidden files with the name of a picture, in no other count.
    pub hidden: usize,
    /// Those of them that may say which image belongs to which part of a split, in natural order.
    pub split_files: Vec<PathBuf>,
    /// Some tables of other names, in natural order: they may have a column of parts.
    pub tables: Vec<PathBuf>,
    /// For every part of a split the first folder that is named so.
    pub part_folders: BTreeMap<Part, String>,
    /// Folders that cannot be opened.
    pub problems: Vec<Problem>,
}

/// Lists all pictures below `root` as [`folder::walk`] does, without the folder `skip`; `enter` is asked for every folder
/// directly in `root`.
pub fn walk(root: &Path, skip: &Path, enter: &dyn Fn(&str) -> bool, watch: Watch<'_>) -> Result<Files, DataError> {
    let splits = |name: &str, depth: usize| depth < DEEPEST_SPLIT && is_split_file(name);
    let tables = |name: &str, depth: usize| depth < DEEPEST_TABLE && is_table(name);
    let drawing = |name: &str| labelme::is_name(Path::new(name));
    let keep =
        |name: &str, depth: usize| splits(name, depth) || tables(name, depth) || drawing(name) || is_bare_name(name);
    let rules = Rules { skip, enter, keep: &keep, ..Rules::default() };
    let tree = folder::walk(root, &rules, watch)?;
    let mut files = Files { problems: tree.problems, ..Files::default() };
    for folder in tree.folders {
        if let Some((part, name)) = folder.names.last().and_then(|name| Some((folder_part(name).0?, name))) {
            files.part_folders.entry(part).or_insert_with(|| name.clone());
        }
        files.others += folder.others;
        files.hidden += folder.hidden;
        files.foreign.join(folder.foreign.clone());
        // A volume is its slices.
        let pictures = folder.pictures.iter().flat_map(|path| volume::pictures(path));
        files.pictures.extend(pictures.map(|path| found(&folder, &path)));
        if files.pictures.len() > rules.most_files {
            let problem =
                format!("holds more than {} pictures and slices; choose a folder further down", rules.most_files);
            return Err(DataError::file(root, problem));
        }
        for path in &folder.kept {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if is_bare_name(&name) {
                // Only what is a picture; anything else is one of the other files.
                if is_dicom(path) {
                    files.pictures.push(found(&folder, path));
                    files.others -= 1;
                }
            } else if splits(&name, folder.names.len()) {
                files.split_files.push(path.clone());
            } else if drawing(&name) {
                files.drawings.push(found(&folder, path));
            } else if files.tables.len() < MOST_TABLES {
                files.tables.push(path.clone());
            }
        }
    }
    files.pictures.sort_by(|a, b| natural_order(&a.relative, &b.relative));
    files.drawings.sort_by(|a, b| natural_order(&a.relative, &b.relative));
    files.split_files.sort();
    files.tables.sort();
    Ok(files)
}

fn is_table(name: &str) -> bool {
    let name = name.to_lowercase();
    name.ends_with(".csv") || name.ends_with(".tsv")
}

/// What the place of a picture in this folder says of it.
fn found(folder: &Folder, path: &Path) -> Found {
    let (mut role, mut role_folder, mut plain_folder, mut place) = (None, None, None, Vec::new());
    let (mut part, mut part_folder) = (None, None);
    for folder in &folder.names {
        let (its_part, without) = folder_part(folder);
        let (its_role, rest) = folder_role(if its_part.is_some() { &without } else { folder });
        if let Some(its_part) = its_part {
            place.push(its_part.label().to_owned());
            (part, part_folder) = (Some(its_part), Some(folder.clone()));
        }
        let class = if its_part.is_some() { loose(&rest) } else { folder.clone() };
        if its_role.is_some() {
            role = its_role;
            role_folder = Some(folder.clone());
        } else if !class.is_empty() {
            plain_folder = Some(class);
        }
        if !rest.is_empty() {
            place.push(rest);
        }
    }
    let relative = folder.relative(path);
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let (path, place) = (path.to_owned(), place.join("/"));
    Found { path, relative, stem, role, role_folder, place, plain_folder, part, part_folder, drawing: None }
}
