//! Which photographs to look at, and how they become what the network sees.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::data::folder::{Rules, natural_order, unique_names, walk};
use crate::data::segmentation::read::Picture;
use crate::kit::predict::PredictError;
use crate::pixels::resize::{Size, shrink};
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
                let text = format!("`{}` holds no pictures (JPEG, PNG, TIFF, BMP){foreign}", path.display());
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
    let root = match data {
        [one] if one.is_dir() => one.as_path(),
        _ => Path::new(""),
    };
    let names = unique_names(found.items.iter().map(|item| &*item.path), root);
    found.items.iter_mut().zip(names).for_each(|(item, name)| item.name = name);
    found.items.sort_by(|a, b| natural_order(&a.name, &b.name));
    Ok(found)
}

/// `[3, size, size]` of a photograph of any size and shape, stretched to the square as in the article; every pixel is the mean of what
/// it covers.
pub fn planes(picture: &Picture, size: usize) -> Vec<u8> {
    let (from, to) = (Size { height: picture.height, width: picture.width }, Size { height: size, width: size });
    let mut planes = Vec::with_capacity(3 * size * size);
    for channel in 0..3 {
        let plane: Vec<f32> = picture.rgb.iter().skip(channel).step_by(3).map(|&level| f32::from(level)).collect();
        planes.extend(shrink(&plane, from, to).into_iter().map(|level| level.round().clamp(0.0, 255.0) as u8));
    }
    planes
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

    #[test]
    fn a_photograph_is_stretched_to_the_square_by_means() {
        let (width, height) = (64, 32);
        let rgb = (0..width * height).flat_map(|i| if i % 2 == 0 { [200, 0, 10] } else { [100, 0, 30] }).collect();
        let picture = Picture { width, height, rgb, original: (width as u32, height as u32), factor: 1 };
        let planes = planes(&picture, 16);
        assert_eq!(planes.len(), 3 * 256);
        assert!(planes[..256].iter().all(|level| (145..=155).contains(level)), "not every fourth pixel");
        assert!(planes[256..512].iter().all(|level| *level == 0));
    }
}
