//! Files that hold several pictures: volumes and series of frames, each slice of which is a picture by a name of its own.
//!
//! `case_0000 z=12.nii` stands for slice 12, counted from 0, of `case_0000.nii` or `case_0000.nii.gz` in the same folder, and
//! `case.nii` for `case.nii.gz` where that alone is there: so the name without extension is the case's.

use std::path::{Path, PathBuf};

use super::{kinds, medical};

/// Between the name of a volume and the number of a slice.
const MARK: &str = " z=";

/// The file that a path stands for, and the slice of it; a path that names a file is that file.
pub fn place(path: &Path) -> (PathBuf, Option<usize>) {
    let whole = || (path.to_owned(), None);
    if !kinds::is_volume_name(path) || path.is_file() {
        return whole();
    }
    let (stem, extension) = (path.file_stem().unwrap_or_default(), path.extension().unwrap_or_default());
    let (stem, extension) = (stem.to_string_lossy(), extension.to_string_lossy());
    let packed = if extension.eq_ignore_ascii_case("nii") { ".gz" } else { "" };
    let file = |stem: &str| {
        let plain = path.with_file_name(format!("{stem}.{extension}"));
        let packed = path.with_file_name(format!("{stem}.{extension}{packed}"));
        [plain, packed].into_iter().find(|file| file.is_file())
    };
    let (volume, slice) = split(&stem);
    if let (Ok(index), Some(file)) = (slice.trim_start_matches(MARK).parse(), file(volume)) {
        return (file, Some(index));
    }
    file(&stem).map_or_else(whole, |file| (file, None))
}

/// A name without extension, and what says which slice it is: `case` and ` z=12`, or nothing.
pub fn split(stem: &str) -> (&str, &str) {
    let at = stem.rfind(MARK).filter(|at| {
        let number = &stem[at + MARK.len()..];
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    at.map_or((stem, ""), |at| stem.split_at(at))
}

/// The volume that a picture is a slice of, by its name; a picture that is no slice is `None`.
pub fn of_slice(path: &Path) -> Option<PathBuf> {
    let stem = path.file_stem()?.to_string_lossy();
    let (volume, slice) = split(&stem);
    (!slice.is_empty() && kinds::is_volume_name(path)).then(|| path.with_file_name(volume))
}

/// The pictures of a file by their names: itself, or its slices. One that cannot be read is itself, to be told of.
pub fn pictures(path: &Path) -> Vec<PathBuf> {
    if !kinds::is_volume_name(path) {
        return vec![path.to_owned()];
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let lower = name.to_lowercase();
    // `case.nii.gz` is called `case.nii`, unless there is one.
    let alias = lower.ends_with(".nii.gz").then(|| path.with_file_name(&name[..name.len() - 3]));
    let alias = alias.filter(|alias| !alias.exists()).unwrap_or_else(|| path.to_owned());
    match medical::slices(path) {
        Ok(count) if count > 1 => {
            let stem = alias.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let extension = alias.extension().unwrap_or_default().to_string_lossy().into_owned();
            (0..count).map(|index| alias.with_file_name(format!("{stem}{MARK}{index}.{extension}"))).collect()
        }
        _ => vec![alias],
    }
}
