//! A folder with one folder of pictures per class, or with `train` and `test` (or `val`) of that kind in it.

use std::path::{Path, PathBuf};

use image::DynamicImage;
use image::imageops::FilterType;
use rayon::prelude::*;

use super::images::{ImageData, ImageDataError, ImageSet};
use super::picture_file::Memory;
use crate::compute::rng::HostRng;

/// Names of files that are taken for pictures.
const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "tif", "tiff"];
/// Largest set in memory.
const MOST_BYTES: usize = 4 << 30;
/// Bytes of decoded pictures at any one time, before they are made smaller.
const DECODED_BYTES: u64 = 1 << 30;
/// Share of the images of each class that is tested on where the folder has no `test` of its own.
const TEST_SHARE: f64 = 0.2;
const STREAM_SPLIT: u64 = 3 << 40;

/// A picture on disk and its class.
type Entry = (PathBuf, u32);

/// Reads a folder, every picture cropped to its central square and resized to `side` × `side` in colour. Without `train`
/// and `test` folders, a fifth of each class, chosen by `seed`, is tested on.
pub fn load(folder: &Path, side: usize, seed: u64) -> Result<ImageData, ImageDataError> {
    let test_root = ["test", "val", "valid", "validation"].iter().find_map(|name| class_root(folder, name));
    let (train, test, class_names) = match (class_root(folder, "train"), test_root) {
        (Some(train_root), Some(test_root)) => {
            let names = classes(&train_root)?;
            // Not every class needs pictures to test on.
            let test_names = class_folders(&test_root)?;
            if let Some(stray) = test_names.iter().find(|name| !names.contains(name)) {
                let problem = format!("has a class `{stray}` that {} has not", train_root.display());
                return Err(ImageDataError::file(test_root, problem));
            }
            (entries(&train_root, &names)?, entries(&test_root, &names)?, names)
        }
        _ => {
            let names = classes(folder)?;
            let (train, test) = split(entries(folder, &names)?, names.len(), seed);
            (train, test, names)
        }
    };
    let bytes = (train.len() + test.len()) * 3 * side * side;
    if bytes > MOST_BYTES {
        return Err(ImageDataError::file(
            folder,
            format!(
                "holds {} pictures, which take {:.1} GiB at {side}×{side}; at most {} GiB are kept in memory: choose a \
                 smaller image size",
                train.len() + test.len(),
                bytes as f64 / f64::from(1 << 30),
                MOST_BYTES >> 30
            ),
        ));
    }
    let (train, test) = (read(&train, side, &class_names)?, read(&test, side, &class_names)?);
    let description = format!(
        "{}, {} classes, {} images to train and {} to test at {side}×{side}, CRC-32 {:08x} {:08x}",
        folder.display(),
        class_names.len(),
        train.len(),
        test.len(),
        train.checksum(),
        test.checksum()
    );
    Ok(ImageData { train, test, description, warnings: Vec::new() })
}

fn class_root(folder: &Path, name: &str) -> Option<PathBuf> {
    Some(folder.join(name)).filter(|folder| folder.is_dir())
}

/// Names of the class folders, sorted; there have to be two.
pub(super) fn classes(folder: &Path) -> Result<Vec<String>, ImageDataError> {
    let names = class_folders(folder)?;
    if names.len() < 2 {
        let found = match names.first() {
            Some(name) => format!("holds one class folder only, `{name}`"),
            None => "holds no class folders".to_owned(),
        };
        return Err(ImageDataError::file(
            folder,
            format!("{found}; expected at least two folders of pictures, one per class, named after it"),
        ));
    }
    Ok(names)
}

/// Names of the folders in a folder, sorted.
fn class_folders(folder: &Path) -> Result<Vec<String>, ImageDataError> {
    let expected = "expected a folder with one folder of pictures per class";
    let listing = std::fs::read_dir(folder).map_err(|error| {
        let problem = match error.kind() {
            std::io::ErrorKind::NotFound => "does not exist".to_owned(),
            std::io::ErrorKind::NotADirectory => "is a file, not a folder".to_owned(),
            _ => format!("cannot be opened ({error})"),
        };
        ImageDataError::file(folder, format!("{problem}; {expected}"))
    })?;
    let mut names: Vec<String> = listing
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort_unstable();
    Ok(names)
}

/// Every picture, sorted by class and name.
fn entries(root: &Path, names: &[String]) -> Result<Vec<Entry>, ImageDataError> {
    let mut all = Vec::new();
    for (class, name) in names.iter().enumerate() {
        let folder = root.join(name);
        let Ok(listing) = std::fs::read_dir(&folder) else {
            // A class of the training set that the test set has no pictures of.
            continue;
        };
        let mut files: Vec<PathBuf> =
            listing.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| is_picture(path)).collect();
        if files.is_empty() {
            return Err(ImageDataError::file(
                folder,
                format!("holds no pictures ({}); remove it or put pictures in it", EXTENSIONS.join(", ")),
            ));
        }
        files.sort_unstable();
        all.extend(files.into_iter().map(|file| (file, class as u32)));
    }
    Ok(all)
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_lowercase();
    EXTENSIONS.contains(&extension.as_str()) && path.is_file()
}

/// Sets a fifth of each class aside, at least one picture of a class that has two.
fn split(entries: Vec<Entry>, classes: usize, seed: u64) -> (Vec<Entry>, Vec<Entry>) {
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for class in 0..classes as u32 {
        let mut of_class: Vec<Entry> = entries.iter().filter(|(_, c)| *c == class).cloned().collect();
        HostRng::new(seed, STREAM_SPLIT + u64::from(class)).shuffle(&mut of_class);
        let aside = ((of_class.len() as f64 * TEST_SHARE).round() as usize).max(usize::from(of_class.len() > 1));
        test.extend(of_class.drain(..aside));
        train.extend(of_class);
    }
    (train, test)
}

fn read(entries: &[Entry], side: usize, class_names: &[String]) -> Result<ImageSet, ImageDataError> {
    let memory = Memory::new(DECODED_BYTES);
    let images: Vec<Vec<u8>> =
        entries.par_iter().map(|(path, _)| picture(&memory, path, side)).collect::<Result<_, _>>()?;
    Ok(ImageSet {
        channels: 3,
        height: side,
        width: side,
        pixels: images.concat(),
        classes: entries.iter().map(|(_, class)| *class).collect(),
        class_names: class_names.to_vec(),
    })
}

/// One picture as `[3, side, side]`.
fn picture(memory: &Memory, path: &Path, side: usize) -> Result<Vec<u8>, ImageDataError> {
    let side = side as u32;
    let small = |image: DynamicImage| {
        let (width, height) = (image.width(), image.height());
        let square = width.min(height);
        let centre = image.crop_imm((width - square) / 2, (height - square) / 2, square, square);
        if square == side { centre } else { centre.resize_exact(side, side, FilterType::Triangle) }.to_rgb8()
    };
    let rgb = memory.image(path, small).map_err(|problem| ImageDataError::file(path, problem))?;
    Ok((0..3).flat_map(|channel| rgb.pixels().map(move |pixel| pixel.0[channel])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn save(folder: &Path, class: &str, name: &str, grey: u8) {
        std::fs::create_dir_all(folder.join(class)).unwrap();
        let image = image::RgbImage::from_pixel(8, 6, image::Rgb([grey, 0, 255]));
        image.save(folder.join(class).join(name)).unwrap();
    }

    #[test]
    fn class_folders_are_split_by_class() {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..10 {
            save(folder.path(), "cat", &format!("{i}.png"), 10 + i);
            save(folder.path(), "dog", &format!("{i}.png"), 100 + i);
        }
        let data = load(folder.path(), 4, 1).unwrap();
        assert_eq!(data.train.class_names, ["cat", "dog"]);
        assert_eq!((data.train.len(), data.test.len()), (16, 4));
        assert_eq!(data.test.classes, [0, 0, 1, 1]);
        assert_eq!(data.train.image(0).len(), 48);
        assert!(data.train.image(0)[16..32].iter().all(|&green| green == 0));
        assert_eq!(load(folder.path(), 4, 1).unwrap(), data);
    }

    #[test]
    fn train_and_test_folders_are_kept_apart() {
        let folder = tempfile::tempdir().unwrap();
        for class in ["a", "b"] {
            save(&folder.path().join("train"), class, "1.png", 1);
            save(&folder.path().join("test"), class, "1.png", 2);
        }
        let data = load(folder.path(), 6, 1).unwrap();
        assert_eq!((data.train.len(), data.test.len()), (2, 2));
        // A class without test pictures is fine, and `val` is as good a name.
        std::fs::remove_dir_all(folder.path().join("test/b")).unwrap();
        std::fs::rename(folder.path().join("test"), folder.path().join("val")).unwrap();
        let data = load(folder.path(), 6, 1).unwrap();
        assert_eq!((data.train.len(), data.test.len()), (2, 1));
        save(&folder.path().join("val"), "c", "1.png", 2);
        assert!(load(folder.path(), 6, 1).unwrap_err().to_string().contains("class `c`"));
    }

    #[test]
    fn bad_folders_and_pictures_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let message = load(folder.path(), 8, 1).unwrap_err().to_string();
        assert!(message.contains("no class folders"), "{message}");
        save(folder.path(), "cat", "1.png", 1);
        let message = load(folder.path(), 8, 1).unwrap_err().to_string();
        assert!(message.contains("one class folder only, `cat`"), "{message}");
        std::fs::create_dir(folder.path().join("dog")).unwrap();
        let message = load(folder.path(), 8, 1).unwrap_err().to_string();
        assert!(message.contains("dog") && message.contains("no pictures"), "{message}");
        std::fs::write(folder.path().join("dog/broken.png"), b"not a picture").unwrap();
        let message = load(folder.path(), 8, 1).unwrap_err().to_string();
        assert!(message.contains("broken.png") && message.contains("no picture"), "{message}");
        let message = load(&folder.path().join("nowhere"), 8, 1).unwrap_err().to_string();
        assert!(message.contains("nowhere"), "{message}");
    }
}
