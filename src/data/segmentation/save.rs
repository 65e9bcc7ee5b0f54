//! Saves corrected masks beside a data set, in its own layout, without ever touching its files.
//!
//! They go to the folder [`super::listing::CORRECTIONS`] in the data set (or another that was chosen), in the same folders
//! and under the same names as the masks they stand in for, as PNG. One file stands in for all masks of an image. The next
//! listing uses it and says so; removing it brings the original back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use image::ImageEncoder;
use image::codecs::png::PngEncoder;
use thiserror::Error;

use super::listing::{Layout, Listing, Pair, Size};
use super::names::{Role, folder_role, mask_name};
use crate::data::picture_file::volume;
use crate::pixels::mask::Mask;
use crate::pixels::resize::{self, Resampling, resize_mask};

/// Why a mask was not saved. What was there before is still there, and so is the mask in the editor.
#[derive(Debug, Error)]
pub enum SaveError {
    #[error("the mask is not saved: cannot write `{}`: {source}; {advice}", path.display())]
    Io { path: PathBuf, source: io::Error, advice: &'static str },
    #[error("the mask is not saved: {0}")]
    Other(String),
}

impl SaveError {
    fn io(path: &Path, source: io::Error) -> Self {
        use io::ErrorKind::*;
        let advice = match source.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => {
                "the disk is full: free some space and save again; nothing is lost, the mask is still open"
            }
            PermissionDenied | ReadOnlyFilesystem => {
                "nothing may be written there: choose another folder for corrected masks, or copy the data set"
            }
            NotADirectory | AlreadyExists | IsADirectory => "something else has that name: move it away and save again",
            _ => "check the disk and save again; the mask is still open",
        };
        SaveError::Io { path: path.to_owned(), source, advice }
    }
}

/// Where the corrected mask of a pair belongs.
pub fn corrected_path(listing: &Listing, pair: &Pair) -> PathBuf {
    if let Some(corrected) = &pair.corrected {
        return corrected.clone();
    }
    match pair.masks.first() {
        Some(mask) => listing.corrections.join(below(mask, &listing.root)).with_extension("png"),
        None => drawn_path(listing, &pair.image),
    }
}

/// Where a mask that is drawn for an image without one belongs: named as the data set's masks are.
pub fn drawn_path(listing: &Listing, image: &Path) -> PathBuf {
    let image = below(image, &listing.root);
    let stem = image.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let (name, parallel) = match &listing.layout {
        Layout::Affix { affix, prefix: true } => (format!("{affix}{stem}"), None),
        Layout::Affix { affix, prefix: false } if mask_name(&format!("a{affix}")).is_some() => {
            (format!("{stem}{affix}"), None)
        }
        // An addition that says nothing by itself.
        Layout::Affix { prefix: false, .. } => (format!("{stem}_mask"), None),
        Layout::Busi { split: false } | Layout::Rest { .. } | Layout::Mapped { .. } | Layout::Drawn => {
            (format!("{stem}_mask"), None)
        }
        Layout::Busi { split: true } => (format!("{stem}_mask"), Some("mask")),
        Layout::Parallel { masks, .. } => (stem, Some(masks.as_str())),
    };
    let mut folder = listing.corrections.clone();
    let mut replaced = false;
    for part in image.parent().into_iter().flat_map(Path::components) {
        match parallel {
            Some(masks) if folder_role(&part.as_os_str().to_string_lossy()).0 == Some(Role::Images) => {
                folder.push(masks);
                replaced = true;
            }
            _ => folder.push(part),
        }
    }
    if let (Some(masks), false) = (parallel, replaced) {
        folder.push(masks);
    }
    folder.join(format!("{name}.png"))
}

/// The path below the data set's folder; of a file elsewhere its name alone.
fn below<'a>(path: &'a Path, root: &Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or_else(|_| Path::new(path.file_name().unwrap_or_default()))
}

/// Saves the corrected mask of a pair and gives the file's path.
pub fn save_corrected(listing: &Listing, pair: &Pair, mask: &Mask) -> Result<PathBuf, SaveError> {
    present(&pair.image)?;
    if pair.masks.contains(&corrected_path(listing, pair)) {
        return Err(SaveError::Other("its place is that of an original; choose another folder".to_owned()));
    }
    save_mask(&corrected_path(listing, pair), mask, pair.size)
}

/// Saves the drawn mask of an image that has none and gives the file's path.
pub fn save_drawn(listing: &Listing, image: &Path, mask: &Mask, size: Size) -> Result<PathBuf, SaveError> {
    present(image)?;
    save_mask(&drawn_path(listing, image), mask, size)
}

/// Refuses where the data set has gone: the mask would be saved into a folder made anew, which nobody finds once the disk
/// is mounted again.
fn present(image: &Path) -> Result<(), SaveError> {
    match fs::metadata(volume::place(image).0) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SaveError::Other(format!(
            "its image `{}` is not there any more; bring the folder back, or mount its disk, and save again; the mask is \
             still open",
            image.display()
        ))),
        _ => Ok(()),
    }
}

/// Writes a mask as an 8-bit grey PNG of 0 and 255 at the size of its image (`size`; a mask of a huge image that was read
/// smaller is enlarged by that factor), to a temporary file that is then renamed: a reader sees the old mask or the new one.
pub fn save_mask(path: &Path, mask: &Mask, size: Size) -> Result<PathBuf, SaveError> {
    save_with(path, mask, size, crate::disk::write_synced)
}

fn save_with(
    path: &Path,
    mask: &Mask,
    size: Size,
    write: impl Fn(&Path, &[u8]) -> io::Result<()>,
) -> Result<PathBuf, SaveError> {
    let bytes = encode(mask, size).map_err(|error| SaveError::Other(format!("it cannot be packed: {error}")))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| SaveError::io(folder, error))?;
    // Under a temporary name without a picture's extension, so that a listing meanwhile does not see it.
    write(path, &bytes).map_err(|error| SaveError::io(path, error))?;
    Ok(path.to_owned())
}

/// An 8-bit grey PNG of 0 and 255.
pub fn encode(mask: &Mask, (width, height): Size) -> Result<Vec<u8>, image::ImageError> {
    let factor = (width as usize).div_ceil(mask.width().max(1));
    let whole = |reduced: usize, size: u32| reduced == (size as usize).div_ceil(factor.max(1));
    let mut grey = Vec::with_capacity(width as usize * height as usize);
    if whole(mask.width(), width) && whole(mask.height(), height) && factor > 1 {
        // Exactly the blocks that were made into one pixel when the image was read.
        for y in 0..height as usize {
            let row = mask.row(y / factor);
            grey.extend((0..width as usize).map(|x| 255 * u8::from(row[x / factor])));
        }
    } else {
        let from = resize::Size { height: mask.height(), width: mask.width() };
        let to = resize::Size { height: height as usize, width: width as usize };
        // A mask of no pixels has no lesion anywhere.
        let pixels = match from.pixels() {
            0 => vec![false; to.pixels()],
            _ if from == to => mask.pixels().to_vec(),
            _ => resize_mask(mask.pixels(), from, to, Resampling::NearestCentre),
        };
        grey.extend(pixels.into_iter().map(|lesion| 255 * u8::from(lesion)));
    }
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(&grey, width, height, image::ExtendedColorType::L8)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::Watch;
    use super::super::listing::{CORRECTIONS, scan};
    use super::super::read::{ReadLimits, Reader};
    use super::super::testing::{rectangle, save_image, save_mask as save_original};
    use super::*;

    const SIZE: Size = (30, 20);

    fn listed(folder: &Path) -> Listing {
        scan(folder, None, Watch::nobody()).unwrap()
    }

    /// Every file but the corrections, with its bytes.
    fn originals(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut open = vec![folder.to_owned()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                match entry.path() {
                    path if path.ends_with(CORRECTIONS) => {}
                    path if path.is_dir() => open.push(path),
                    path => found.push((path.clone(), fs::read(path).unwrap())),
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn a_corrected_mask_is_used_from_then_on_in_every_layout_and_originals_stay() {
        for (image, masks, saved) in [
            ("b (1).png", &["b (1)_mask.png", "b (1)_mask_1.png"][..], "b (1)_mask.png"),
            ("d/b/images/b (1).png", &["d/b/mask/b (1)_mask.png"], "d/b/mask/b (1)_mask.png"),
            ("x/1.jpg", &["x/1_seg.bmp"], "x/1_seg.png"),
            ("train/images/1.png", &["train/masks/1.tif"], "train/masks/1.png"),
            ("c/images/c.png", &["c/masks/odd.png", "c/masks/other.png"], "c/masks/odd.png"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            save_image(folder.path(), image, SIZE, 1);
            masks.iter().for_each(|mask| save_original(folder.path(), mask, SIZE, [1, 1, 4, 4]));
            let before = originals(folder.path());
            let listing = listed(folder.path());
            let corrected = rectangle(SIZE, [10, 5, 25, 19]);
            let path = save_corrected(&listing, &listing.pairs[0], &corrected).unwrap();
            assert_eq!(path, folder.path().join(CORRECTIONS).join(saved));
            let again = listed(folder.path());
            assert_eq!(again.pairs.len(), 1, "{image}");
            assert_eq!(again.pairs[0].corrected.as_ref(), Some(&path), "{image}");
            assert_eq!(Reader::default().pair(&again.pairs[0]).unwrap().mask, corrected);
            // And once more over it.
            let next = rectangle(SIZE, [0, 0, 2, 2]);
            assert_eq!(save_corrected(&again, &again.pairs[0], &next).unwrap(), path);
            assert_eq!(Reader::default().pair(&listed(folder.path()).pairs[0]).unwrap().mask, next);
            assert_eq!(originals(folder.path()), before, "{image}");
            assert!(again.problems.is_empty(), "{:?}", again.problems);
            fs::remove_file(path).unwrap();
            assert_eq!(listed(folder.path()).pairs[0].corrected, None);
        }
    }

    #[test]
    fn a_drawn_mask_makes_a_pair_of_an_image_that_had_none() {
        for (other, mask, lone) in [
            ("b (1).png", "b (1)_mask.png", "b (2).png"),
            ("a/images/b (1).png", "a/mask/b (1)_mask.png", "a/images/b (2).png"),
            ("imgs/1.png", "labels/1.png", "imgs/2.png"),
            ("1.png", "masks/1.png", "2.png"),
            ("1.png", "1-seg.png", "2.png"),
            ("1.png", "mask_1.png", "2.png"),
            ("1.png", "", "2.png"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            save_image(folder.path(), other, SIZE, 1);
            save_image(folder.path(), lone, SIZE, 2);
            if !mask.is_empty() {
                save_original(folder.path(), mask, SIZE, [1, 1, 4, 4]);
            }
            let listing = listed(folder.path());
            let image = listing.unpaired_images.last().unwrap();
            let drawn = rectangle(SIZE, [3, 3, 9, 9]);
            let path = save_drawn(&listing, image, &drawn, SIZE).unwrap();
            assert!(path.starts_with(folder.path().join(CORRECTIONS)));
            let again = listed(folder.path());
            let pair = again.pair_of(image);
            let pair = pair.unwrap_or_else(|| panic!("{lone}: {again:?}"));
            assert_eq!(Reader::default().pair(pair).unwrap().mask, drawn);
        }
    }

    #[test]
    fn the_mask_of_a_huge_image_gets_its_full_size_back() {
        let folder = tempfile::tempdir().unwrap();
        save_image(folder.path(), "1.png", (92, 47), 1);
        save_original(folder.path(), "1_mask.png", (92, 47), [8, 8, 40, 33]);
        let listing = listed(folder.path());
        let reader = Reader::new(ReadLimits { most_pixels: 500, ..ReadLimits::default() });
        let small = reader.pair(&listing.pairs[0]).unwrap();
        assert_eq!(small.picture.factor, 3);
        let path = save_corrected(&listing, &listing.pairs[0], &small.mask).unwrap();
        assert_eq!(image::image_dimensions(&path).unwrap(), (92, 47));
        let again = reader.pair(&listed(folder.path()).pairs[0]).unwrap();
        assert_eq!(again.mask, small.mask);
    }

    #[test]
    fn what_cannot_be_written_is_said_and_leaves_everything_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        save_image(folder.path(), "1.png", SIZE, 1);
        save_original(folder.path(), "1_mask.png", SIZE, [1, 1, 4, 4]);
        let listing = listed(folder.path());
        // A file lies where the folder of corrections should be made.
        fs::write(&listing.corrections, "in the way").unwrap();
        let before = originals(folder.path());
        let message = save_corrected(&listing, &listing.pairs[0], &rectangle(SIZE, [0, 0, 2, 2])).unwrap_err();
        let message = message.to_string();
        assert!(
            message.contains("not saved") && message.contains(CORRECTIONS) && message.contains("move it"),
            "{message}"
        );
        assert_eq!(originals(folder.path()), before);
        fs::remove_file(&listing.corrections).unwrap();

        // A folder lies where the file should be: the rename fails, and no temporary file stays.
        let path = corrected_path(&listing, &listing.pairs[0]);
        fs::create_dir_all(path.join("x")).unwrap();
        save_corrected(&listing, &listing.pairs[0], &rectangle(SIZE, [0, 0, 2, 2])).unwrap_err();
        assert_eq!(fs::read_dir(&listing.corrections).unwrap().count(), 1);
        for (kind, words) in [
            (io::ErrorKind::StorageFull, "the disk is full"),
            (io::ErrorKind::ReadOnlyFilesystem, "choose another folder"),
        ] {
            let message = SaveError::io(&path, kind.into()).to_string();
            assert!(message.contains(words) && message.contains("1_mask.png"), "{message}");
        }
    }

    #[test]
    fn a_data_set_that_has_gone_is_not_made_anew_for_a_mask() {
        let place = tempfile::tempdir().unwrap();
        let (folder, away) = (place.path().join("set"), place.path().join("away"));
        fs::create_dir(&folder).unwrap();
        save_image(&folder, "1.png", SIZE, 1);
        save_image(&folder, "2.png", SIZE, 2);
        save_original(&folder, "1_mask.png", SIZE, [1, 1, 4, 4]);
        let listing = listed(&folder);
        let mask = rectangle(SIZE, [0, 0, 2, 2]);
        fs::rename(&folder, &away).unwrap();
        let lone = &listing.unpaired_images[0];
        for refused in [save_corrected(&listing, &listing.pairs[0], &mask), save_drawn(&listing, lone, &mask, SIZE)] {
            let message = refused.unwrap_err().to_string();
            assert!(message.contains("not saved") && message.contains("mount its disk"), "{message}");
            assert!(!folder.exists());
        }
        fs::rename(&away, &folder).unwrap();
        save_corrected(&listing, &listing.pairs[0], &mask).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_and_the_mask_before_stays() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("masks/a_mask.png");
        let before = rectangle(SIZE, [1, 1, 4, 4]);
        save_mask(&path, &before, SIZE).unwrap();
        // Every write to this device fails as on a full disk.
        let full = |_: &Path, bytes: &[u8]| fs::OpenOptions::new().write(true).open("/dev/full")?.write_all(bytes);
        let message = save_with(&path, &rectangle(SIZE, [0, 0, 9, 9]), SIZE, full).unwrap_err().to_string();
        assert!(
            message.contains("a_mask.png")
                && message.contains("free some space")
                && message.contains("nothing is lost"),
            "{message}"
        );
        assert_eq!(fs::read(&path).unwrap(), encode(&before, SIZE).unwrap());
    }
}
