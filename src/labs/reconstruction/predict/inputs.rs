//! Which photographs to look at, and how they become what the network sees.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::data::folder::{Rules, natural_order, unique_names, walk};
use crate::kit::predict::PredictError;
use crate::plot::number::counted;
use crate::watch::Watch;

/// One photograph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its path below the folder without extension, with `/`; no two are alike. Results are named after it.
    pub name: String,
    pub path: PathBuf,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inputs {
    /// In natural order of their names.
    pub items: Vec<Item>,
    /// What was found, one statement a line.
    pub lines: Vec<String>,
    /// Folders that were searched.
    pub folders: Vec<PathBuf>,
}

/// Finds the photographs that these files are, and those in these folders. Reads names only.
///
/// # Errors
/// No such path, folders without pictures, or stopped.
pub fn find(data: &[PathBuf], watch: Watch<'_>) -> Result<Inputs, PredictError> {
    let (mut found, mut seen) = (Inputs::default(), HashSet::new());
    for path in data {
        let (mut files, mut foreign) = (vec![path.clone()], String::new());
        if path.is_dir() {
            let tree = walk(path, &Rules::default(), watch).map_err(PredictError::input)?;
            found.folders.push(path.clone());
            let warn =
                |problem: &crate::data::Problem| format!("warning: {} {}", problem.path.display(), problem.problem);
            found.lines.extend(tree.problems.iter().map(warn));
            foreign = tree
                .folders
                .iter()
                .map(|folder| folder.foreign.told())
                .find(|told| !told.is_empty())
                .unwrap_or_default();
            files = tree.folders.into_iter().flat_map(|folder| folder.pictures).collect();
            if files.is_empty() {
                let text = format!("`{}` holds no pictures (JPEG, PNG, TIFF, BMP, GIF){foreign}", path.display());
                return Err(PredictError::Input(text));
            }
        } else if !path.exists() {
            let text = format!("there is no file or folder `{}`; choose photographs, or their folder", path.display());
            return Err(PredictError::Input(text));
        }
        files.retain(|file| seen.insert(file.clone()));
        found.lines.push(format!("{} in {}{foreign}", counted(files.len(), "picture", "pictures"), path.display()));
        found.items.extend(files.into_iter().map(|path| Item { name: String::new(), path }));
    }
    let names = match data {
        [one] if one.is_dir() => unique_names(found.items.iter().map(|item| &*item.path), one),
        _ => {
            let files = found.items.iter().map(|item| Path::new(item.path.file_name().unwrap_or_default()));
            unique_names(files, Path::new(""))
        }
    };
    found.items.iter_mut().zip(names).for_each(|(item, name)| item.name = name);
    found.items.sort_by(|a, b| natural_order(&a.name, &b.name));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn photographs_of_one_name_are_told_apart_and_sorted_as_people_count() {
        let root = tempfile::tempdir().unwrap();
        for name in ["eye10.png", "eye2.JPG", "eye2.tif", "left/eye2.png", "notes.txt"] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let names = |data: &[PathBuf]| -> Vec<String> {
            find(data, Watch::nobody()).unwrap().items.into_iter().map(|item| item.name).collect()
        };
        assert_eq!(names(&[root.path().to_owned()]), ["eye2_JPG", "eye2_tif", "eye10", "left/eye2"]);
        let files = ["eye10.png", "left/eye2.png", "eye2.tif", "eye10.png"].map(|name| root.path().join(name));
        assert_eq!(names(&files), ["eye2_png", "eye2_tif", "eye10"]);
        fs::create_dir(root.path().join("empty")).unwrap();
        for (name, words) in [("empty", "holds no pictures"), ("none", "there is no file or folder")] {
            let message = find(&[root.path().join(name)], Watch::nobody()).unwrap_err().to_string();
            assert!(message.contains(words) && message.contains(name), "{message}");
        }
    }
}
