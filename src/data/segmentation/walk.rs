//! The pictures below a folder, by their names alone.

use std::path::{Path, PathBuf};

use super::names::{EXTENSIONS, Role, folder_role, natural_order};
use super::{Problem, SegmentationDataError, Watch};

/// Folders within folders that are followed.
const DEEPEST: usize = 8;
/// Pictures of one folder.
const MOST_FILES: usize = 200_000;
/// Folders below one folder, each way to one counted: links can make many of few.
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
    /// The innermost folder that has no role.
    pub plain_folder: Option<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Files {
    /// In natural order.
    pub pictures: Vec<Found>,
    /// Files that are no pictures.
    pub others: usize,
    /// Folders that cannot be opened.
    pub problems: Vec<Problem>,
}

/// A folder that is still to be listed.
struct Open {
    path: PathBuf,
    /// Of the folders from the root to this one, without the root's.
    names: Vec<String>,
    /// The same folders and the root, by where they are.
    places: Vec<PathBuf>,
}

/// Lists all pictures below `root`. Hidden folders and files, and the folder `skip`, are left out, and so is a link to a
/// folder that leads to it; `enter` is asked for every folder directly in `root`.
pub fn walk(
    root: &Path,
    skip: &Path,
    enter: &dyn Fn(&str) -> bool,
    watch: Watch<'_>,
) -> Result<Files, SegmentationDataError> {
    let mut files = Files::default();
    let mut open = vec![Open { path: root.to_owned(), names: Vec::new(), places: Vec::new() }];
    let mut folders = 0;
    while let Some(Open { path: folder, names, mut places }) = open.pop() {
        folders += 1;
        if folders > MOST_FOLDERS {
            let problem = format!("holds more than {MOST_FOLDERS} folders; choose a folder further down");
            return Err(SegmentationDataError::file(root, problem));
        }
        // Where it cannot be told, the depth ends it.
        if let Ok(place) = folder.canonicalize() {
            if places.contains(&place) {
                continue;
            }
            places.push(place);
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
        for entry in listing.flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if name.starts_with('.') || path == skip {
                continue;
            }
            // Follows links.
            if path.is_dir() {
                if names.len() < DEEPEST && (!names.is_empty() || enter(&name)) {
                    let mut names = names.clone();
                    names.push(name);
                    open.push(Open { path, names, places: places.clone() });
                }
            } else if is_picture(&path) {
                files.pictures.push(found(path, &names, &name));
            } else {
                files.others += 1;
            }
            if files.pictures.len() > MOST_FILES {
                let problem = format!("holds more than {MOST_FILES} pictures; choose a folder further down");
                return Err(SegmentationDataError::file(root, problem));
            }
        }
    }
    files.pictures.sort_by(|a, b| natural_order(&a.relative, &b.relative));
    Ok(files)
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_lowercase();
    EXTENSIONS.contains(&extension.as_str())
}

/// `folders`: from the root to the file.
fn found(path: PathBuf, folders: &[String], name: &str) -> Found {
    let (mut role, mut role_folder, mut plain_folder, mut place) = (None, None, None, Vec::new());
    for folder in folders {
        let (its_role, rest) = folder_role(folder);
        if its_role.is_some() {
            role = its_role;
            role_folder = Some(folder.clone());
        } else {
            plain_folder = Some(folder.clone());
        }
        if !rest.is_empty() {
            place.push(rest);
        }
    }
    let relative = folders.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("/");
    let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Found { path, relative, stem, role, role_folder, place: place.join("/"), plain_folder }
}
