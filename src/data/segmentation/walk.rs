//! The pictures below a folder, by their names alone.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};

use super::given::is_split_file;
use super::names::{EXTENSIONS, Role, folder_part, folder_role, loose, natural_order};
use super::split::Part;
use super::{Problem, SegmentationDataError, Watch};
use crate::data::picture_file::ForeignFiles;

/// Folders within folders that are followed.
const DEEPEST: usize = 8;
/// Folders within folders in which a file that names the parts of a split is looked for.
const DEEPEST_SPLIT: usize = 4;
/// The same for tables of other names, and how many of them are looked into.
const DEEPEST_TABLE: usize = 2;
const MOST_TABLES: usize = 16;
/// Pictures of one folder.
const MOST_FILES: usize = 200_000;
/// Folders below one folder.
const MOST_FOLDERS: usize = 100_000;

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
}

/// What was found.
#[derive(Debug, Default)]
pub struct Files {
    /// In natural order.
    pub pictures: Vec<Found>,
    /// Files that are no pictures.
    pub others: usize,
    /// Those of them that are pictures of kinds that are not read.
    pub foreign: ForeignFiles,
    /// Those of them that may say which image belongs to which part of a split, in natural order.
    pub split_files: Vec<PathBuf>,
    /// Some tables of other names, in natural order: they may have a column of parts.
    pub tables: Vec<PathBuf>,
    /// For every part of a split the first folder that is named so.
    pub part_folders: BTreeMap<Part, String>,
    /// Folders that cannot be opened.
    pub problems: Vec<Problem>,
}

/// A folder that is still to be listed, with the folders from the root to it, without the root's.
struct Open {
    path: PathBuf,
    names: Vec<String>,
}

/// Lists all pictures below `root`. Hidden folders and files, and the folder `skip`, are left out. Every folder is listed
/// once, by its own way if it has one below `root`, whatever links lead to it; `enter` is asked for every folder directly in
/// `root`.
pub fn walk(
    root: &Path,
    skip: &Path,
    enter: &dyn Fn(&str) -> bool,
    watch: Watch<'_>,
) -> Result<Files, SegmentationDataError> {
    let mut files = Files::default();
    let mut open = vec![Open { path: root.to_owned(), names: Vec::new() }];
    let mut links: VecDeque<Open> = VecDeque::new();
    let mut listed: HashSet<PathBuf> = skip.canonicalize().into_iter().collect();
    let home = root.canonicalize();
    let mut folders = 0;
    // A link is followed when every folder that lies there itself is listed.
    while let Some(Open { path: folder, names }) = open.pop().or_else(|| links.pop_front()) {
        folders += 1;
        if folders > MOST_FOLDERS {
            let problem = format!("holds more than {MOST_FOLDERS} folders; choose a folder further down");
            return Err(SegmentationDataError::file(root, problem));
        }
        // Where it cannot be told, the depth ends it.
        if let Ok(place) = folder.canonicalize() {
            // A link to a folder that holds the chosen one leads out of it.
            let above = !names.is_empty() && home.as_ref().is_ok_and(|home| home.starts_with(&place));
            if above || !listed.insert(place) {
                continue;
            }
        }
        if watch.cancelled() {
            return Err(SegmentationDataError::Cancelled);
        }
        let listing = match std::fs::read_dir(&folder) {
            Ok(listing) => listing,
            Err(error) if names.is_empty() => {
                return Err(SegmentationDataError::file(folder, format!("cannot be opened: {error}")));
            }
            Err(error) => {
                let problem = format!("cannot be opened: {error}; what is in it is left out");
                files.problems.push(Problem { path: folder, problem });
                continue;
            }
        };
        let mut linked = Vec::new();
        for entry in listing.flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if name.starts_with('.') || path == skip {
                continue;
            }
            // Follows links.
            if path.is_dir() {
                if names.len() < DEEPEST && (!names.is_empty() || enter(&name)) {
                    if let Some(part) = folder_part(&name).0 {
                        files.part_folders.entry(part).or_insert_with(|| name.clone());
                    }
                    let names = names.iter().cloned().chain([name]).collect();
                    let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
                    (if is_link { &mut linked } else { &mut open }).push(Open { path, names });
                }
            } else if is_picture(&path) {
                files.pictures.push(found(path, &names, &name));
            } else {
                files.others += 1;
                files.foreign.add(&name);
                if names.len() < DEEPEST_SPLIT && is_split_file(&name) {
                    files.split_files.push(path);
                } else if names.len() < DEEPEST_TABLE && is_table(&name) && files.tables.len() < MOST_TABLES {
                    files.tables.push(path);
                }
            }
            if files.pictures.len() > MOST_FILES {
                let problem = format!("holds more than {MOST_FILES} pictures; choose a folder further down");
                return Err(SegmentationDataError::file(root, problem));
            }
        }
        // Of several links to one folder always the same one is followed.
        linked.sort_by(|a, b| a.path.cmp(&b.path));
        links.extend(linked);
    }
    files.pictures.sort_by(|a, b| natural_order(&a.relative, &b.relative));
    files.split_files.sort();
    files.tables.sort();
    Ok(files)
}

fn is_table(name: &str) -> bool {
    let name = name.to_lowercase();
    name.ends_with(".csv") || name.ends_with(".tsv")
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_lowercase();
    EXTENSIONS.contains(&extension.as_str())
}

/// `folders`: from the root to the file.
fn found(path: PathBuf, folders: &[String], name: &str) -> Found {
    let (mut role, mut role_folder, mut plain_folder, mut place) = (None, None, None, Vec::new());
    let (mut part, mut part_folder) = (None, None);
    for folder in folders {
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
    let relative = folders.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("/");
    let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Found { path, relative, stem, role, role_folder, place: place.join("/"), plain_folder, part, part_folder }
}
