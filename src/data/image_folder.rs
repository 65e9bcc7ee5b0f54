//! A folder with one folder of pictures per class, or with `train` and `test` (or `val`) of that kind in it.

use std::path::{Path, PathBuf};

use image::DynamicImage;
use image::imageops::FilterType;
use rayon::prelude::*;

use super::DataError;
use super::folder::{Folder, Rules, walk};
use super::images::{ImageData, ImageSet};
use super::picture_file::{Decoded, EXTENSIONS, Exposure, ForeignFiles, Levels, Memory, White};
use super::segmentation::counted;
use crate::compute::streams;
use crate::watch::Watch;

/// Largest set in memory.
const MOST_BYTES: usize = 4 << 30;
/// Pictures of one folder: as many fill that memory at 19 pixels a side.
const MOST_PICTURES: usize = 4_000_000;
/// Bytes of decoded pictures at any one time, before they are made smaller.
const DECODED_BYTES: u64 = 1 << 30;
/// Share of the images of each class that is tested on where the folder has no `test` of its own.
const TEST_SHARE: f64 = 0.2;

/// What reading a picture takes, in times that looking at its range takes.
const READ_SHARE: usize = 5;
/// Files that cannot be read, as far as they are named.
const NAMED: usize = 5;
/// Where a larger share of the pictures cannot be read, the folder is not used: a copy or a download went wrong.
const MOST_DAMAGED: f64 = 0.5;

/// A picture on disk and its class.
type Entry = (PathBuf, u32);
/// Its pixels, `[3, side, side]`, and its class.
type Picture = (Vec<u8>, u32);

/// Reads a folder, every picture set upright, cropped to its central square and resized to `side` × `side` in colour.
/// Without `train` and `test` folders, a fifth of each class, chosen by `seed`, is tested on. Pictures that cannot be read
/// are left out and named in the warnings; a class of which none can be read is an error. What is white in pictures of more
/// than 8 bits is decided for the whole folder, see [`White`].
pub fn load(folder: &Path, side: usize, seed: u64, watch: Watch<'_>) -> Result<ImageData, DataError> {
    let test_root = ["test", "val", "valid", "validation"].iter().find_map(|name| class_root(folder, name));
    let (mut foreign, mut hidden) = (ForeignFiles::default(), 0);
    let (parts, class_names) = match (class_root(folder, "train"), test_root) {
        (Some(train_root), Some(test_root)) => {
            let classes = classes(&train_root, watch)?;
            // Not every class needs pictures to test on.
            let test = class_folders(&test_root, watch)?;
            if let Some(stray) = test.iter().find(|stray| !classes.iter().any(|class| class.name == stray.name)) {
                let problem = format!("has a class `{}` that {} has not", stray.name, train_root.display());
                return Err(DataError::file(test_root, problem));
            }
            let names: Vec<String> = classes.iter().map(|class| class.name.clone()).collect();
            (
                vec![
                    entries(classes, &names, (&mut foreign, &mut hidden))?,
                    entries(test, &names, (&mut foreign, &mut hidden))?,
                ],
                names,
            )
        }
        _ => {
            let classes = classes(folder, watch)?;
            let names: Vec<String> = classes.iter().map(|class| class.name.clone()).collect();
            (vec![entries(classes, &names, (&mut foreign, &mut hidden))?], names)
        }
    };
    let count: usize = parts.iter().map(Vec::len).sum();
    let bytes = count * 3 * side * side;
    if bytes > MOST_BYTES {
        return Err(DataError::file(
            folder,
            format!(
                "holds {count} pictures, which take {:.1} GiB at {side}×{side}; at most {} GiB are kept in memory: choose a \
                 smaller image size",
                bytes as f64 / f64::from(1 << 30),
                MOST_BYTES >> 30
            ),
        ));
    }
    let memory = Memory::new(DECODED_BYTES);
    // Most files tell their range without being decoded.
    let seen = watch.counter(1 + READ_SHARE, count);
    let of_all = parts.par_iter().flatten().filter(|_| !watch.cancelled());
    let levels: Vec<(&Path, Levels)> = of_all
        .filter_map(|(path, _)| {
            let levels = memory.levels(path).ok().flatten();
            seen(1);
            Some((path.as_path(), levels?))
        })
        .collect();
    let white = White::of(&levels.iter().map(|(_, levels)| *levels).collect::<Vec<_>>());
    let mut left_out = Vec::new();
    let mut read = Vec::new();
    for part in &parts {
        let one = |(path, class): &Entry| {
            if watch.cancelled() {
                return Err(DataError::Cancelled);
            }
            let pixels = picture(&memory, path, side, &white);
            seen(READ_SHARE);
            Ok((pixels.map_err(|problem| DataError::file(path, problem))?, *class))
        };
        read.push(pictures(part, one, &mut left_out)?);
    }
    if watch.cancelled() {
        return Err(DataError::Cancelled);
    }
    if let Some(first) = left_out.first().filter(|_| left_out.len() as f64 > MOST_DAMAGED * count as f64) {
        let problem = format!(
            "{} of its {count} pictures cannot be read, more than half: was it copied whole? The first: {first}",
            left_out.len()
        );
        return Err(DataError::file(folder, problem));
    }
    let (train, test) = match (read.pop(), read.pop()) {
        (Some(test), Some(train)) => (train, test),
        (all, _) => split(all.unwrap_or_default(), class_names.len(), seed),
    };
    let (train, test) = (set(train, side, &class_names), set(test, side, &class_names));
    let description = format!(
        "{}, {} classes, {} images to train and {} to test at {side}×{side}, CRC-32 {:08x} {:08x}",
        folder.display(),
        class_names.len(),
        train.len(),
        test.len(),
        train.checksum(),
        test.checksum()
    );
    let mut warnings = warnings(count, &left_out, &white, &levels);
    if hidden > 0 {
        let files = counted(hidden, "hidden file", "hidden files");
        warnings.push(format!("{files} with the name of a picture, such as `._1.png`, not looked at"));
    }
    warnings.extend(foreign.lines().into_iter().map(|(what, advice)| format!("{what}: {advice}")));
    Ok(ImageData { train, test, description, warnings })
}

/// What the user should know: what was left out, and how deep pictures are shown.
fn warnings(count: usize, left_out: &[DataError], white: &White, levels: &[(&Path, Levels)]) -> Vec<String> {
    let mut warnings = Vec::new();
    if !left_out.is_empty() {
        let named: Vec<String> = left_out.iter().take(NAMED).map(ToString::to_string).collect();
        let more = left_out.len() - named.len();
        let more = if more == 0 { String::new() } else { format!("; and {more} more") };
        let (are, is) = if left_out.len() == 1 { ("is", "1") } else { ("are", &*left_out.len().to_string()) };
        warnings
            .push(format!("{is} of {count} pictures cannot be read and {are} left out: {}{more}", named.join("; ")));
    }
    // The whole range of the files, as a picture viewer takes it, needs no word.
    if white.deep != [65_535.0] && white.float != [1.0] {
        warnings.extend(white.lines());
    }
    for (exposure, how) in [(Exposure::NearlyBlack, "black"), (Exposure::NearlyWhite, "white")] {
        let mut exposed = levels.iter().filter(|(_, levels)| levels.exposure(white.at(levels)) == exposure);
        if let Some((first, _)) = exposed.next() {
            let images = counted(1 + exposed.count(), "picture is", "pictures are");
            let first = first.display();
            warnings.push(format!("{images} nearly {how} at that white, first {first}: look at how they were saved"));
        }
    }
    warnings
}

fn class_root(folder: &Path, name: &str) -> Option<PathBuf> {
    Some(folder.join(name)).filter(|folder| folder.is_dir())
}

/// A class: a folder and the pictures directly in it.
pub(super) struct Class {
    name: String,
    folder: Folder,
}

/// The class folders, sorted; there have to be two.
pub(super) fn classes(folder: &Path, watch: Watch<'_>) -> Result<Vec<Class>, DataError> {
    let classes = class_folders(folder, watch)?;
    if classes.len() < 2 {
        let found = match classes.first() {
            Some(class) => format!("holds one class folder only, `{}`", class.name),
            None => "holds no class folders".to_owned(),
        };
        return Err(DataError::file(
            folder,
            format!("{found}; expected at least two folders of pictures, one per class, named after it"),
        ));
    }
    Ok(classes)
}

/// The folders in a folder, sorted by the bytes of their names as their pictures are: what is tested on depends on it.
fn class_folders(root: &Path, watch: Watch<'_>) -> Result<Vec<Class>, DataError> {
    let rules = Rules { deepest: 1, most_files: MOST_PICTURES, ..Rules::default() };
    let tree = walk(root, &rules, watch.quiet()).map_err(|error| match error {
        DataError::File { path, problem } if path == root && !path.is_dir() => {
            DataError::file(path, format!("{problem}; expected a folder with one folder of pictures per class"))
        }
        other => other,
    })?;
    let class = |mut folder: Folder| Some(Class { name: folder.names.pop()?, folder });
    let mut classes: Vec<Class> = tree.folders.into_iter().filter_map(class).collect();
    classes.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(classes)
}

/// Every picture, sorted by class and name; those of kinds that are not read, and hidden files, are counted apart.
fn entries(
    classes: Vec<Class>,
    names: &[String],
    (foreign, hidden): (&mut ForeignFiles, &mut usize),
) -> Result<Vec<Entry>, DataError> {
    let mut all = Vec::new();
    for Class { name, folder } in classes {
        if folder.pictures.is_empty() {
            let problem = folder.unlisted.unwrap_or_else(|| {
                format!(
                    "holds no pictures ({}); remove it or put pictures in it{}",
                    EXTENSIONS.join(", "),
                    folder.foreign.told()
                )
            });
            return Err(DataError::file(folder.path, problem));
        }
        foreign.join(folder.foreign);
        *hidden += folder.hidden;
        let class = names.iter().position(|known| *known == name).unwrap_or_default() as u32;
        all.extend(folder.pictures.into_iter().map(|picture| (picture, class)));
    }
    Ok(all)
}

/// Sets a fifth of each class aside, at least one picture of a class that has two.
fn split(pictures: Vec<Picture>, classes: usize, seed: u64) -> (Vec<Picture>, Vec<Picture>) {
    let mut by_class: Vec<Vec<Picture>> = vec![Vec::new(); classes];
    pictures.into_iter().for_each(|picture| by_class[picture.1 as usize].push(picture));
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (class, mut of_class) in by_class.into_iter().enumerate() {
        streams::FOLDER_SPLIT.open(seed, class as u64).shuffle(&mut of_class);
        let aside = ((of_class.len() as f64 * TEST_SHARE).round() as usize).max(usize::from(of_class.len() > 1));
        test.extend(of_class.drain(..aside));
        train.extend(of_class);
    }
    (train, test)
}

/// Reads what can be read; every class that has files needs one that can.
fn pictures(
    entries: &[Entry],
    one: impl Fn(&Entry) -> Result<Picture, DataError> + Send + Sync,
    left_out: &mut Vec<DataError>,
) -> Result<Vec<Picture>, DataError> {
    let read: Vec<Result<Picture, DataError>> = entries.par_iter().map(one).collect();
    let mut good = Vec::with_capacity(read.len());
    for (of_class, entries) in entries.chunk_by(|a, b| a.1 == b.1).scan(0, |at, of_class| {
        *at += of_class.len();
        Some((*at - of_class.len()..*at, of_class))
    }) {
        let first = read[of_class.clone()].iter().find_map(|result| result.as_ref().err());
        if let Some(first) = first.filter(|_| read[of_class.clone()].iter().all(Result::is_err)) {
            let folder = entries[0].0.parent().unwrap_or(&entries[0].0);
            let problem = format!("none of its {} pictures can be read; {first}", entries.len());
            return Err(DataError::file(folder, problem));
        }
    }
    for result in read {
        match result {
            Ok(picture) => good.push(picture),
            Err(problem) => left_out.push(problem),
        }
    }
    Ok(good)
}

fn set(pictures: Vec<Picture>, side: usize, class_names: &[String]) -> ImageSet {
    ImageSet {
        channels: 3,
        height: side,
        width: side,
        classes: pictures.iter().map(|(_, class)| *class).collect(),
        pixels: pictures.into_iter().flat_map(|(pixels, _)| pixels).collect(),
        class_names: class_names.to_vec(),
    }
}

/// One picture as `[3, side, side]`.
fn picture(memory: &Memory, path: &Path, side: usize, white: &White) -> Result<Vec<u8>, String> {
    let side = side as u32;
    let rgb = memory.decode(path, |decoded| {
        let image = at_scale(decoded, white);
        let square = image.width().min(image.height());
        let centre = image.crop_imm((image.width() - square) / 2, (image.height() - square) / 2, square, square);
        if square == side { centre } else { centre.resize_exact(side, side, FilterType::Triangle) }.to_rgb8()
    })?;
    Ok((0..3).flat_map(|channel| rgb.pixels().map(move |pixel| pixel.0[channel])).collect())
}

/// With white at the full range of the picture's numbers.
fn at_scale(decoded: Decoded, white: &White) -> DynamicImage {
    let white = Levels::of(&decoded).map_or(1.0, |levels| white.at(&levels));
    let Decoded { mut image, white_is_zero, .. } = decoded;
    let deep = |values: &mut [u16]| {
        let white = white as u32;
        for value in values.iter_mut() {
            let shown = u32::from(*value).min(white);
            *value = ((if white_is_zero { white - shown } else { shown }) * 65_535 / white) as u16;
        }
    };
    let float = |values: &mut [f32]| values.iter_mut().for_each(|v| *v = if v.is_finite() { *v / white } else { 0.0 });
    match &mut image {
        DynamicImage::ImageLuma16(pixels) => deep(pixels),
        DynamicImage::ImageLumaA16(pixels) => deep(pixels),
        DynamicImage::ImageRgb16(pixels) => deep(pixels),
        DynamicImage::ImageRgba16(pixels) => deep(pixels),
        DynamicImage::ImageRgb32F(pixels) => float(pixels),
        DynamicImage::ImageRgba32F(pixels) => float(pixels),
        _ => {}
    }
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(folder: &Path, side: usize, seed: u64) -> Result<ImageData, DataError> {
        super::load(folder, side, seed, Watch::nobody())
    }

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
        assert!(message.contains("broken.png") && message.contains("none of its 1 pictures"), "{message}");
        let message = load(&folder.path().join("nowhere"), 8, 1).unwrap_err().to_string();
        assert!(message.contains("nowhere"), "{message}");
    }

    #[test]
    fn damaged_pictures_are_left_out_and_named_and_hidden_files_are_none() {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..10 {
            save(folder.path(), "cat", &format!("{i}.png"), 10 + i);
            save(folder.path(), "dog", &format!("{i}.jpg"), 100 + i);
        }
        let whole = load(folder.path(), 4, 1).unwrap();
        assert!(whole.warnings.is_empty(), "{:?}", whole.warnings);
        std::fs::create_dir_all(folder.path().join("__MACOSX/cat")).unwrap();
        for name in ["cat/._1.png", "cat/.DS_Store", "cat/Thumbs.db", "dog/._3.jpg", "__MACOSX/cat/._1.png"] {
            std::fs::write(folder.path().join(name), b"\0\x05\x16\x07").unwrap();
        }
        let copied = load(folder.path(), 4, 1).unwrap();
        assert_eq!((&copied.train, &copied.test), (&whole.train, &whole.test));
        assert!(
            copied.warnings.len() == 1 && copied.warnings[0].starts_with("2 hidden files"),
            "{:?}",
            copied.warnings
        );
        let cut = folder.path().join("dog/7.jpg");
        let bytes = std::fs::read(&cut).unwrap();
        std::fs::write(&cut, &bytes[..bytes.len() - 20]).unwrap();
        std::fs::write(folder.path().join("cat/3.png"), b"").unwrap();
        let data = load(folder.path(), 4, 1).unwrap();
        assert_eq!((data.train.len() + data.test.len(), data.warnings.len()), (18, 2));
        let warning = &data.warnings[0];
        assert!(warning.starts_with("2 of 20 pictures cannot be read and are left out: "), "{warning}");
        assert!(warning.contains("3.png: is an empty file") && warning.contains("7.jpg: is damaged"), "{warning}");
        for (class, end) in [("cat", "png"), ("dog", "jpg")] {
            (0..6).for_each(|i| std::fs::write(folder.path().join(format!("{class}/{i}.{end}")), b"").unwrap());
        }
        let message = load(folder.path(), 4, 1).unwrap_err().to_string();
        assert!(message.contains("13 of its 20 pictures cannot be read, more than half"), "{message}");
        for i in 0..10 {
            std::fs::write(folder.path().join(format!("dog/{i}.jpg")), b"").unwrap();
        }
        let message = load(folder.path(), 4, 1).unwrap_err().to_string();
        assert!(message.contains("none of its 10 pictures can be read") && message.contains("0.jpg"), "{message}");
    }

    #[test]
    fn deep_pictures_of_one_folder_have_one_scale_and_those_of_a_camera_stand_upright() {
        let grey = |most: u16, dark: u16| {
            let folder = tempfile::tempdir().unwrap();
            for (class, white) in [("a", most), ("b", dark)] {
                std::fs::create_dir(folder.path().join(class)).unwrap();
                let image = image::ImageBuffer::from_fn(8, 8, |x, _| image::Luma([if x < 4 { white } else { 0 }]));
                image.save(folder.path().join(class).join("1.png")).unwrap();
            }
            let data = load(folder.path(), 8, 1).unwrap();
            ([data.train.image(0)[0], data.train.image(1)[0]], data.warnings)
        };
        let (twelve, warnings) = grey(4095, 1000);
        assert_eq!(twelve, [255, 62]);
        assert!(warnings[0].contains("white at 4095"), "{warnings:?}");
        let (full, warnings) = grey(65_535, 1000);
        assert_eq!((full, warnings.len()), ([255, 4], 1));
        assert!(warnings[0].starts_with("1 picture is nearly black at that white, first "), "{warnings:?}");
        assert_eq!(grey(65_535, 20_000), ([255, 78], Vec::new()));
        let folder = tempfile::tempdir().unwrap();
        for class in ["a", "b"] {
            save(folder.path(), class, "1.png", 1);
        }
        let image = image::RgbImage::from_fn(8, 8, |x, _| image::Rgb([if x < 4 { 250 } else { 0 }; 3]));
        let mut bytes = Vec::new();
        image.write_with_encoder(image::codecs::jpeg::JpegEncoder::new(&mut bytes)).unwrap();
        let turned = crate::data::segmentation::testing::with_orientation(&bytes, 6);
        std::fs::write(folder.path().join("a/1.png"), turned).unwrap();
        let data = load(folder.path(), 8, 1).unwrap();
        let image = data.train.image(0);
        assert!(image[0] > 200 && image[7] > 200 && image[56] < 50, "the left half is the upper one");
    }
    #[test]
    fn a_hot_pixel_and_another_depth_leave_the_pictures_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let save = |class: &str, name: &str, white: u16, hot: u16| {
            std::fs::create_dir_all(folder.path().join("train").join(class)).unwrap();
            let value = |x, y| if (x, y) == (39, 39) { hot } else { white };
            let image = image::ImageBuffer::from_fn(40, 40, |x, y| image::Luma([value(x, y)]));
            image.save(folder.path().join("train").join(class).join(name)).unwrap();
        };
        let shown = || {
            let data = load(folder.path(), 40, 1).unwrap();
            let firsts = (0..data.train.len()).map(|i| data.train.image(i)[0]).collect::<Vec<u8>>();
            (firsts, data.warnings)
        };
        std::fs::create_dir_all(folder.path().join("test")).unwrap();
        for class in ["a", "b"] {
            save(class, "1.png", 3000, if class == "a" { 65_535 } else { 0 });
            let test = folder.path().join("test").join(class);
            std::fs::create_dir_all(&test).unwrap();
            std::fs::copy(folder.path().join("train/b/1.png"), test.join("1.png"))
                .or_else(|_| std::fs::copy(folder.path().join("train/a/1.png"), test.join("1.png")))
                .unwrap();
        }
        let (firsts, warnings) = shown();
        assert_eq!(firsts, [187, 187]);
        assert!(warnings.len() == 1 && warnings[0].contains("white at 4095"), "{warnings:?}");
        for name in ["2.png", "3.png"] {
            save("b", name, 60_000, 0);
        }
        let (firsts, warnings) = shown();
        assert_eq!(firsts, [187, 187, 233, 233]);
        assert!(warnings.len() == 1 && warnings[0].contains("4095 or 65535"), "{warnings:?}");
    }

    #[cfg(unix)]
    #[test]
    fn class_folders_may_be_links_and_pictures_that_lead_nowhere_are_named() {
        use std::os::unix::fs::symlink;
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for i in 0..3 {
            save(folder.path(), "b", &format!("{i}.png"), 10 + i);
            save(elsewhere.path(), "cats", &format!("{i}.png"), 100 + i);
        }
        symlink(elsewhere.path().join("cats"), folder.path().join("a")).unwrap();
        symlink("nowhere.png", folder.path().join("b/3.png")).unwrap();
        let data = load(folder.path(), 4, 1).unwrap();
        assert_eq!((data.train.class_names.join(" "), data.train.len() + data.test.len()), ("a b".to_owned(), 6));
        assert!(
            data.warnings[0].starts_with("1 of 7 pictures cannot be read and is left out: "),
            "{:?}",
            data.warnings
        );
        // The same pictures under two names are no two classes.
        symlink(folder.path().join("b"), folder.path().join("c")).unwrap();
        let message = load(folder.path(), 4, 1).unwrap_err().to_string();
        assert!(message.ends_with("c: is a link to a folder that is listed under another name"), "{message}");
    }

    #[test]
    fn pictures_of_kinds_that_are_not_read_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for class in ["a", "b"] {
            std::fs::create_dir(folder.path().join(class)).unwrap();
            std::fs::write(folder.path().join(class).join("1.webp"), b"RIFF").unwrap();
            std::fs::write(folder.path().join(class).join("2.WebP"), b"RIFF").unwrap();
        }
        let message = load(folder.path(), 8, 1).unwrap_err().to_string();
        assert!(
            message.contains("holds no pictures") && message.contains("2 WebP files are not read: save"),
            "{message}"
        );
        // Among pictures that are read they are left out with a word.
        for class in ["a", "b"] {
            for i in 0..3 {
                let picture = image::GrayImage::from_pixel(8, 8, image::Luma([40 * i + 40]));
                picture.save(folder.path().join(class).join(format!("{i}.png"))).unwrap();
            }
        }
        let warnings = load(folder.path(), 8, 1).unwrap().warnings;
        assert!(
            warnings.len() == 1 && warnings[0].starts_with("4 WebP files are not read (first 1.webp): save"),
            "{warnings:?}"
        );
    }
}
