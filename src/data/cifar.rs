//! CIFAR-10 in its binary layout: `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, records of one class
//! byte and 3,072 bytes of a 32×32 picture, red, green and blue planes. Or as a folder of class folders.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::DataError;
use super::image_folder;
use super::images::{ImageData, ImageSet};
use crate::disk;
use crate::watch::Watch;

const TEST: &str = "test_batch.bin";
const SIDE: usize = 32;
const RECORD: usize = 1 + 3 * SIDE * SIDE;
/// Bytes of a batch that are read; a complete one has 31 million.
const MOST_BYTES: u64 = 256 << 20;
const CLASSES: [&str; 10] = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// The folder with the batches: `folder` itself or its `cifar-10-batches-bin`.
pub fn find(folder: &Path) -> Option<PathBuf> {
    [folder.to_owned(), folder.join("cifar-10-batches-bin")]
        .into_iter()
        .find(|folder| folder.join(TEST).is_file() || folder.join(train_file(1)).is_file())
}

fn train_file(number: usize) -> String {
    format!("data_batch_{number}.bin")
}

/// Reads all batches. Any number of training batches from 1 on is taken (a set cut down for a test is a valid one), the
/// test batch has to be there.
pub fn load(folder: &Path, watch: Watch<'_>) -> Result<ImageData, DataError> {
    let Some(folder) = find(folder) else {
        if folder.is_dir() && has_class_folders(folder) {
            return image_folder::load(folder, SIDE, 0, watch);
        }
        return Err(DataError::file(folder, format!("{}{EXPECTED}", what_is_there(folder))));
    };
    let names: Vec<String> = (1..=5).map(train_file).filter(|name| folder.join(name).is_file()).collect();
    if names.is_empty() {
        return Err(DataError::file(&folder, format!("holds {TEST} but no {}{EXPECTED}", train_file(1))));
    }
    if !folder.join(TEST).is_file() {
        return Err(DataError::file(&folder, format!("holds {} but no {TEST}{EXPECTED}", names[0])));
    }
    let read = watch.counter(1, names.len() + 1);
    let one = |name: &str| {
        if watch.cancelled() {
            return Err(DataError::Cancelled);
        }
        let set = batch(&folder.join(name))?;
        read(1);
        Ok(set)
    };
    let batches: Vec<ImageSet> = names.par_iter().map(|name| one(name)).collect::<Result<_, _>>()?;
    let test = one(TEST)?;
    let mut train = ImageSet { pixels: Vec::new(), classes: Vec::new(), ..test.clone() };
    for batch in batches {
        train.pixels.extend(batch.pixels);
        train.classes.extend(batch.classes);
    }
    let description = format!(
        "CIFAR-10 (binary), {} images to train and {} to test, CRC-32 {:08x} {:08x}",
        train.len(),
        test.len(),
        train.checksum(),
        test.checksum()
    );
    let mut warnings = Vec::new();
    if (train.len(), test.len()) != (50_000, 10_000) {
        warnings.push(format!(
            "CIFAR-10 has 50,000 pictures to train on and 10,000 to test; {} holds {} ({}) and {}. Results are not \
             comparable with published ones",
            folder.display(),
            train.len(),
            names.join(", "),
            test.len()
        ));
    }
    Ok(ImageData { train, test, description, warnings })
}

const EXPECTED: &str = "; expected CIFAR-10 in its binary version, data_batch_1.bin to data_batch_5.bin and \
                        test_batch.bin, or folders train and test with one folder of pictures per class";

/// Whether the folder, or its `train`, holds folders with pictures.
fn has_class_folders(folder: &Path) -> bool {
    let train = folder.join("train");
    let root = if train.is_dir() { &train } else { folder };
    image_folder::classes(root, Watch::nobody()).is_ok()
}

/// Why this is not CIFAR-10 in its binary layout, by what is there instead.
fn what_is_there(folder: &Path) -> String {
    if !folder.exists() {
        return "does not exist".to_owned();
    }
    if folder.extension().is_some_and(|extension| ["gz", "tar", "tgz", "zip"].iter().any(|known| extension == *known)) {
        return "is an archive: unpack it and choose the folder".to_owned();
    }
    if !folder.is_dir() {
        return "is a file, not a folder".to_owned();
    }
    let has = |name: &str| folder.join(name).exists();
    let found = if has("data_batch_1") || has("cifar-10-batches-py") {
        "holds CIFAR-10 in its Python version, which is not read: fetch the binary version"
    } else if has("train.bin") || has("fine_label_names.txt") || has("cifar-100-binary") {
        "holds CIFAR-100"
    } else if has("cifar-10-binary.tar.gz") {
        "holds CIFAR-10 still packed: unpack cifar-10-binary.tar.gz"
    } else {
        "holds no CIFAR-10"
    };
    found.to_owned()
}

/// Reads one batch file.
fn batch(path: &Path) -> Result<ImageSet, DataError> {
    let bytes = disk::read(path, MOST_BYTES)
        .map_err(|error| DataError::file(path, format!("cannot be read: {error}{EXPECTED}")))?;
    if bytes.is_empty() || !bytes.len().is_multiple_of(RECORD) {
        return Err(DataError::file(
            path,
            format!(
                "has {} bytes, which is no whole number of records of {RECORD} bytes (a complete batch has {}): it is \
                 truncated or not CIFAR-10 in its binary layout; fetch it again",
                bytes.len(),
                10_000 * RECORD
            ),
        ));
    }
    let count = bytes.len() / RECORD;
    let mut set = ImageSet {
        channels: 3,
        height: SIDE,
        width: SIDE,
        pixels: Vec::with_capacity(count * (RECORD - 1)),
        classes: Vec::with_capacity(count),
        class_names: CLASSES.map(str::to_owned).into(),
    };
    for (i, record) in bytes.chunks_exact(RECORD).enumerate() {
        if record[0] as usize >= CLASSES.len() {
            return Err(DataError::file(
                path,
                format!(
                    "image {i} has class {}, CIFAR-10 has classes 0 to 9: the file is damaged, or it is CIFAR-100, whose \
                     records have two class bytes",
                    record[0]
                ),
            ));
        }
        set.classes.push(u32::from(record[0]));
        set.pixels.extend_from_slice(&record[1..]);
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(folder: &Path) -> Result<ImageData, DataError> {
        super::load(folder, Watch::nobody())
    }

    fn record(class: u8, value: u8) -> Vec<u8> {
        let mut record = vec![value; RECORD];
        record[0] = class;
        record
    }

    fn write(folder: &Path, name: &str, bytes: &[u8]) {
        std::fs::write(folder.join(name), bytes).unwrap();
    }

    #[test]
    fn batches_are_read_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "data_batch_1.bin", &[record(3, 10), record(9, 20)].concat());
        write(folder.path(), "data_batch_2.bin", &record(0, 30));
        write(folder.path(), "test_batch.bin", &record(7, 40));
        let data = load(folder.path()).unwrap();
        assert_eq!(data.train.classes, [3, 9, 0]);
        assert_eq!(data.test.classes, [7]);
        assert_eq!(data.train.image(1), &[20; 3072]);
        assert_eq!((data.train.channels, data.train.height, data.train.width), (3, 32, 32));
        assert!(data.description.contains("3 images to train and 1 to test"), "{}", data.description);
        assert!(data.warnings[0].contains("50,000"), "{:?}", data.warnings);
    }

    #[test]
    fn class_folders_are_taken_too() {
        let folder = tempfile::tempdir().unwrap();
        for (part, class) in [("train", "cat"), ("train", "dog"), ("test", "cat"), ("test", "dog")] {
            let place = folder.path().join(part).join(class);
            std::fs::create_dir_all(&place).unwrap();
            image::RgbImage::from_pixel(32, 32, image::Rgb([9, 0, 255])).save(place.join("1.png")).unwrap();
        }
        let data = load(folder.path()).unwrap();
        assert_eq!((data.train.len(), data.test.len(), data.train.width), (2, 2, 32));
    }

    #[test]
    fn wrong_files_are_named_with_what_was_expected() {
        let folder = tempfile::tempdir().unwrap();
        let message = load(folder.path()).unwrap_err().to_string();
        assert!(message.contains("no CIFAR-10") && message.contains("data_batch_1.bin"), "{message}");

        write(folder.path(), "data_batch_1.bin", &record(3, 10)[..2000]);
        write(folder.path(), "test_batch.bin", &record(7, 40));
        let message = load(folder.path()).unwrap_err().to_string();
        assert!(message.contains("data_batch_1.bin") && message.contains("truncated"), "{message}");

        write(folder.path(), "data_batch_1.bin", &record(11, 10));
        let message = load(folder.path()).unwrap_err().to_string();
        assert!(message.contains("image 0 has class 11"), "{message}");

        write(folder.path(), "data_batch_1.bin", &[]);
        assert!(load(folder.path()).unwrap_err().to_string().contains("has 0 bytes"));

        std::fs::remove_file(folder.path().join("test_batch.bin")).unwrap();
        write(folder.path(), "data_batch_1.bin", &record(1, 10));
        assert!(load(folder.path()).unwrap_err().to_string().contains("test_batch.bin"));

        let message = load(&folder.path().join("nowhere")).unwrap_err().to_string();
        assert!(message.contains("nowhere") && message.contains("does not exist"), "{message}");
        std::fs::write(folder.path().join("data_batch_1"), b"").unwrap();
        std::fs::remove_file(folder.path().join("data_batch_1.bin")).unwrap();
        let message = load(folder.path()).unwrap_err().to_string();
        assert!(message.contains("Python version") && message.contains("test_batch.bin"), "{message}");
    }
}
