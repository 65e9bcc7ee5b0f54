//! Finds the picture that a report or a table names among the files of a folder.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::super::folder::Tree;
use super::super::picture_file::{EXTENSIONS, is_picture_name};

/// The pictures of a folder.
pub struct Pictures {
    files: Vec<File>,
    by_stem: HashMap<String, Vec<usize>>,
    /// Names of the folders that hold them, small.
    folders: HashSet<String>,
}

struct File {
    path: PathBuf,
    /// Below the folder, small.
    name: String,
    /// The same without the ending.
    bare: String,
}

/// What a name leads to.
pub struct Found {
    pub path: PathBuf,
    /// How many other files have that name too.
    pub others: usize,
}

impl Pictures {
    pub fn of(tree: &Tree) -> Self {
        let of_folder = tree.folders.iter().flat_map(|folder| {
            folder.pictures.iter().map(|path| {
                let name = folder.relative(path).to_lowercase();
                File { path: path.clone(), bare: bare(&name), name }
            })
        });
        let files: Vec<File> = of_folder.collect();
        let mut by_stem: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, file) in files.iter().enumerate() {
            by_stem.entry(stem(&file.name)).or_default().push(i);
        }
        let folders = files.iter().filter_map(|file| holder(&file.name)).map(str::to_owned).collect();
        Self { files, by_stem, folders }
    }

    /// The picture that is called so in a file of the folder `base`: a path from there, from the root, or from another computer, or a
    /// name, with or without ending, with `/` or `\`. Of several files the one that agrees most. Where a folder is named that is here,
    /// a file of the same name in another one is not meant.
    pub fn find(&self, name: &str, base: &Path) -> Option<Found> {
        let name = name.trim().replace('\\', "/");
        let direct = base.join(&name);
        if is_picture_name(&direct) && direct.is_file() {
            return Some(Found { path: direct, others: 0 });
        }
        let name = name.to_lowercase();
        let folder = holder(&name).filter(|folder| self.folders.contains(*folder));
        let named_bare = bare(&name);
        let agreement = |file: &File| {
            let same = file.bare.bytes().rev().zip(named_bare.bytes().rev()).take_while(|(a, b)| a == b).count();
            (same, file.name.ends_with(&name))
        };
        let files = self.by_stem.get(&stem(&name))?.iter().map(|&i| &self.files[i]);
        let meant: Vec<&File> = files.filter(|file| folder.is_none() || holder(&file.name) == folder).collect();
        let most = meant.iter().map(|file| agreement(file)).max()?;
        let mut best = meant.iter().filter(|file| agreement(file) == most);
        let path = best.next()?.path.clone();
        Some(Found { path, others: best.count() })
    }
}

/// The name of the folder in which a path says that its file lies.
fn holder(name: &str) -> Option<&str> {
    name.rsplit('/').nth(1).filter(|folder| !folder.is_empty() && *folder != "." && *folder != "..")
}

/// A path below a folder, small, without the ending of a picture.
fn bare(name: &str) -> String {
    let stem = stem(name);
    name.rsplit_once('/').map_or(stem.clone(), |(folder, _)| format!("{folder}/{stem}"))
}

/// A file's name without folders and endings of pictures, small: `1_IM-0001.dcm.png` and `1_im-0001` are one.
pub fn stem(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name).trim().to_lowercase();
    let without = |name: &str| match name.rsplit_once('.') {
        Some((stem, ending)) if ending == "dcm" || EXTENSIONS.contains(&ending) => Some(stem.to_owned()),
        _ => None,
    };
    let once = without(&name).unwrap_or(name);
    once.strip_suffix(".dcm").map_or(once.clone(), str::to_owned)
}
