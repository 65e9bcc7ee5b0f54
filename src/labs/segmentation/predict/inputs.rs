//! Which pictures to predict: one file, or every picture of a folder that is not a mask, with its true mask where one
//! is known.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::data::folder::{natural_order, unique_names};
use crate::data::picture_file::{White, about, size_of, volume};
use crate::data::segmentation::choice::FolderChoice;
use crate::data::segmentation::listing::{Layout, Listing, Pair, scan_chosen};
use crate::data::segmentation::{DataError, Watch};
use crate::labs::segmentation::params::PixelSize;
use crate::labs::segmentation::source::spacing_of_all;
use crate::pixels::spacing::{Spacing, Unit};
pub(super) use crate::plot::number::counted;

/// One picture to predict.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its path below the folder without extension, with `/`; no two are alike. Results are named after it.
    pub name: String,
    pub path: PathBuf,
    /// With its true masks, where they are known.
    pub pair: Option<Pair>,
    /// Why it cannot be used, as far as that is known without decoding it, or why there is no score.
    pub note: Option<String>,
    /// Whether `note` says that it cannot be used.
    pub broken: bool,
    /// The size of a pixel of the file; `None`: distances are in pixels.
    pub spacing: Option<Spacing>,
}

impl Inputs {
    /// Decides what distances are in, and says so where it is not as ever. Reads headers of files that may say it.
    pub fn take_pixel_size(&mut self, choice: PixelSize) -> Option<String> {
        let mut usable: Vec<&mut Item> = self.items.iter_mut().filter(|item| !item.broken).collect();
        let known: Vec<Option<Spacing>> = usable.iter().map(|item| about(&item.path).spacing).collect();
        let of_files: Vec<(&str, Option<Spacing>)> =
            usable.iter().zip(&known).map(|(item, known)| (item.name.as_str(), *known)).collect();
        let (spacings, line) = spacing_of_all(&of_files, choice);
        usable.iter_mut().zip(spacings).for_each(|(item, spacing)| item.spacing = Some(spacing));
        line
    }

    /// What distances are in.
    pub fn unit(&self) -> Unit {
        Unit::of(self.items.iter().find_map(|item| item.spacing))
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// In natural order of their names.
    pub items: Vec<Item>,
    /// What was found, one statement a line.
    pub lines: Vec<String>,
    /// The folder that was searched, and the one above where masks lie beside it; empty for a single file.
    pub folders: Vec<PathBuf>,
    /// What is white in pictures of more than 8 bits; empty until somebody knows it.
    pub white: White,
}

/// Finds the pictures at `path` as names and folders tell; see [`find_chosen`].
pub fn find(path: &Path, watch: Watch<'_>) -> Result<Inputs, DataError> {
    find_chosen(path, &FolderChoice::default(), watch)
}

/// Finds the pictures at `path`, of a folder those that are wanted. Reads names and sizes only.
///
/// # Errors
/// No such path, a folder without pictures or with nothing but masks, or stopped.
pub fn find_chosen(path: &Path, which: &FolderChoice, watch: Watch<'_>) -> Result<Inputs, DataError> {
    if path.is_dir() {
        return of_folder(path, which, watch);
    }
    if !volume::place(path).0.exists() {
        let problem = "there is no such file or folder; choose pictures, or the folder that holds them";
        return Err(DataError::file(path, problem));
    }
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let item = Item { name, path: path.to_owned(), pair: None, note: None, broken: false, spacing: None };
    let lines = vec![path.display().to_string()];
    Ok(Inputs { items: vec![item], lines, folders: Vec::new(), white: White::default() })
}

/// The same for several files; what is named twice is taken once.
pub fn of_files(paths: &[PathBuf]) -> Inputs {
    let mut seen = HashSet::new();
    let found = |path: &PathBuf| Found { path: path.clone(), pair: None, note: None, broken: false };
    let found: Vec<Found> = paths.iter().filter(|path| seen.insert((*path).clone())).map(found).collect();
    let lines = vec![format!("{} chosen", counted(found.len(), "file", "files"))];
    Inputs { items: named(found, Path::new("")), lines, folders: Vec::new(), white: White::default() }
}

fn of_folder(folder: &Path, which: &FolderChoice, watch: Watch<'_>) -> Result<Inputs, DataError> {
    let listing = scan_chosen(folder, None, which, watch)?;
    let refused = |(key, problem)| DataError::file(folder, format!("parameter `{key}`: {problem}"));
    which.check(&listing).map_err(refused)?;
    // A folder of images beside one of masks is listed with it; only what is in the chosen one is predicted.
    let chosen = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    // Slices and frames are no files of their own.
    let real = |path: &Path| volume::place(path).0.canonicalize();
    let below = |path: &Path| listing.root == folder || real(path).is_ok_and(|path| path.starts_with(&chosen));
    let mut found: Vec<Found> = Vec::new();
    for pair in listing.every_pair().filter(|pair| below(&pair.image)) {
        found.push(Found { path: pair.image.clone(), pair: Some(pair.clone()), note: None, broken: false });
    }
    let lone = |path: &PathBuf| Found { path: path.clone(), pair: None, note: None, broken: false };
    found.extend(listing.unpaired_images.iter().filter(|path| below(path)).map(lone));
    let left_out = listing.unpaired_masks.iter().filter(|path| below(path)).count();
    for problem in listing.problems.iter().filter(|problem| below(&problem.path)) {
        if found.iter().any(|found| found.path == problem.path) {
            continue;
        }
        // An image whose masks are the trouble can be predicted all the same.
        let broken = problem.path.is_dir() || size_of(&problem.path).is_err();
        found.push(Found {
            path: problem.path.clone(),
            pair: None,
            note: Some(if broken { problem.problem.clone() } else { format!("no true mask: it {}", problem.problem) }),
            broken,
        });
    }
    if !found.iter().any(|found| !found.broken) {
        let problem = match found.first() {
            Some(first) => format!(
                "holds no picture that can be read; {}: {}",
                first.path.display(),
                first.note.as_deref().unwrap_or_default()
            ),
            None => {
                format!("holds masks alone; choose the folder that holds the images{}", listing.foreign.told())
            }
        };
        return Err(DataError::file(folder, problem));
    }
    let items = named(found, &listing.root);
    let lines = described(folder, &listing, &items, left_out);
    Ok(Inputs { items, lines, folders: vec![folder.to_owned(), listing.root], white: White::default() })
}

/// A picture before it has a name.
struct Found {
    path: PathBuf,
    pair: Option<Pair>,
    note: Option<String>,
    broken: bool,
}

/// Gives every picture a name of its own.
fn named(found: Vec<Found>, root: &Path) -> Vec<Item> {
    let names = unique_names(found.iter().map(|found| &*found.path), root);
    let item = |(found, name): (Found, String)| Item {
        name,
        path: found.path,
        pair: found.pair,
        note: found.note,
        broken: found.broken,
        spacing: None,
    };
    let mut items: Vec<Item> = found.into_iter().zip(names).map(item).collect();
    items.sort_by(|a, b| natural_order(&a.name, &b.name));
    items
}

fn described(folder: &Path, listing: &Listing, items: &[Item], left_out: usize) -> Vec<String> {
    let good = || items.iter().filter(|item| !item.broken);
    let known = good().filter(|item| item.pair.is_some()).count();
    let mut line = format!("{} in {}", counted(good().count(), "picture", "pictures"), folder.display());
    if known > 0 {
        line += &format!(", {known} with a true mask ({})", listing.layout.describe());
    } else if listing.layout == Layout::Drawn {
        line += ", none with a true mask";
    } else if let Layout::Mapped { .. } = listing.layout {
        line += &format!(", none with a true mask ({})", listing.layout.describe());
    }
    let mut lines = vec![line];
    if !listing.left_out.is_empty() {
        let pictures = counted(listing.left_out.len(), "picture", "pictures");
        lines.push(format!("{pictures} of classes that are left out, as chosen"));
    }
    // How the masks were found, and whose they are.
    lines.extend(listing.notes.iter().cloned());
    if left_out > 0 {
        lines.push(format!("{} without an image left out", counted(left_out, "mask", "masks")));
    }
    let broken = items.len() - good().count();
    if broken > 0 {
        lines.push(format!("{} cannot be read", counted(broken, "file", "files")));
    }
    lines
}
