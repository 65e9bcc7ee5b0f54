//! Images that somebody passed over while labelling: a plain list beside the masks that were drawn here, so that they
//! are passed over in every window and after a restart. One image a line, by its path below the data set's folder, with
//! `/` between folders.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::DataError;
use super::listing::Listing;
use crate::disk;

/// The list's name, in the folder of [`Listing::corrections`].
pub const FILE: &str = "skipped.txt";
/// Bytes of a list.
const MOST_BYTES: u64 = 16 << 20;

/// The images of a folder that were skipped; none where there is no list.
///
/// # Errors
/// A list that cannot be read; the message names it.
pub fn read(listing: &Listing) -> Result<BTreeSet<PathBuf>, DataError> {
    Ok(lines(listing)?.iter().map(|line| listing.root.join(line)).collect())
}

/// Keeps whether an image is skipped, and leaves all others as another window may have kept them meanwhile.
///
/// # Errors
/// The list cannot be read or written, or cannot hold the image's name; the message names the file.
pub fn keep(listing: &Listing, image: &Path, skipped: bool) -> Result<(), DataError> {
    let mut list = lines(listing)?;
    let line = line(listing, image).ok_or_else(|| {
        DataError::file(image, "its name is no text of one line, so that no list keeps it as skipped")
    })?;
    let changed = if skipped { list.insert(line) } else { list.remove(&line) };
    if !changed {
        return Ok(());
    }
    let path = path(listing);
    let text: String = list.iter().map(|line| format!("{line}\n")).collect();
    let written = match skipped {
        true if !listing.root.is_dir() => Err(io::Error::from(io::ErrorKind::NotFound)),
        true => fs::create_dir_all(&listing.corrections).and_then(|()| disk::write_whole(&path, text.as_bytes())),
        false if list.is_empty() => fs::remove_file(&path),
        false => disk::write_whole(&path, text.as_bytes()),
    };
    written.map_err(|error| DataError::file(path, format!("the list of skipped images is not written: {error}")))
}

fn path(listing: &Listing) -> PathBuf {
    listing.corrections.join(FILE)
}

fn lines(listing: &Listing) -> Result<BTreeSet<String>, DataError> {
    let path = path(listing);
    match disk::read_text(&path, MOST_BYTES) {
        Ok(text) => Ok(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(DataError::file(path, format!("the list of skipped images is not read: {error}"))),
    }
}

/// What stands for an image in the list.
fn line(listing: &Listing, image: &Path) -> Option<String> {
    let below = image.strip_prefix(&listing.root).unwrap_or(image);
    let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/")).filter(|line| !line.contains(['\n', '\r']))
}

#[cfg(test)]
mod tests {
    use super::super::Watch;
    use super::super::listing::scan;
    use super::*;

    #[test]
    fn what_is_skipped_is_known_again_and_the_data_set_is_as_before() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("left side")).unwrap();
        for name in ["a.png", "a_mask.png", "b.png", "left side/c.png"] {
            image::GrayImage::from_pixel(20, 10, image::Luma([7])).save(folder.path().join(name)).unwrap();
        }
        let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
        let (b, c) = (folder.path().join("b.png"), folder.path().join("left side/c.png"));
        assert!(read(&listing).unwrap().is_empty());
        keep(&listing, &b, false).unwrap();
        assert!(!listing.corrections.exists(), "nothing was to be kept");
        keep(&listing, &c, true).unwrap();
        keep(&listing, &b, true).unwrap();
        keep(&listing, &b, true).unwrap();
        assert_eq!(fs::read_to_string(listing.corrections.join(FILE)).unwrap(), "b.png\nleft side/c.png\n");
        let again = scan(folder.path(), None, Watch::nobody()).unwrap();
        assert_eq!(read(&again).unwrap(), BTreeSet::from([b.clone(), c.clone()]));
        assert_eq!((&again.pairs, &again.unpaired_images), (&listing.pairs, &listing.unpaired_images));
        keep(&listing, &c, false).unwrap();
        assert_eq!(read(&listing).unwrap(), BTreeSet::from([b.clone()]));
        keep(&listing, &b, false).unwrap();
        assert!(!listing.corrections.join(FILE).exists());
        // Something else lies in the way.
        fs::create_dir(listing.corrections.join(FILE)).unwrap();
        for error in [read(&listing).err(), keep(&listing, &b, true).err()] {
            let error = error.unwrap().to_string();
            assert!(error.contains(FILE) && error.contains("skipped images"), "{error}");
        }
    }
}
