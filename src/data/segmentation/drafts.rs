//! Drafts of masks that are not saved yet: one small file an image, in a folder of the program's own, so that what was
//! drawn outlives a crash, a kill and a power cut. The data set is not written to.
//!
//! A draft belongs to an image of one size and to the mask on disk that the drawing began with. Where either is another one
//! now, it does not fit any more and is only offered. A draft that cannot be read is set aside under another name.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::counted;
use super::listing::Size;
use crate::disk;
use crate::pixels::mask::Mask;

/// Drafts that are kept; of more the oldest are removed.
pub const MOST_DRAFTS: usize = 200;
/// A draft whose image does not exist any more is kept for so long, and so is what was set aside.
const KEPT: Duration = Duration::from_secs(90 * 86_400);
/// What a killed process left half written is removed after so long.
const HALF_WRITTEN: Duration = Duration::from_secs(86_400);
/// Ends of the names of drafts, and of those that could not be read.
const ENDS: (&str, &str) = (".draft", ".draft.broken");
/// How every draft begins, and the version of what follows: a checksum (CRC-32, four bytes) and the [`Draft`] as postcard.
const KIND: &[u8] = b"learnscope draft ";
const VERSION: &[u8] = b"1\n";
/// Bytes of a draft, and pixels of its mask; images are kept with 4 million.
const MOST_BYTES: u64 = 16 << 20;
const MOST_PIXELS: u64 = 1 << 24;

/// What a draft belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    image: PathBuf,
    /// Width and height of the image's file.
    size: Size,
    /// Height and width of the mask, and a checksum of its pixels.
    on_disk: (usize, usize, u32),
}

impl Subject {
    /// `image`: as [`absolute`] gives it; `on_disk`: the mask that the drawing begins with.
    pub fn new(image: PathBuf, size: Size, on_disk: &Mask) -> Self {
        Self { image, size, on_disk: (on_disk.height(), on_disk.width(), checksum(on_disk)) }
    }

    /// The same image with another mask on disk.
    pub fn saved(&self, on_disk: &Mask) -> Self {
        Self::new(self.image.clone(), self.size, on_disk)
    }

    /// The draft's file.
    pub fn file(&self, folder: &Path) -> PathBuf {
        let ((width, height), sum) = (self.size, self.on_disk.2);
        folder.join(format!("{}{width}x{height}-{sum:08x}{}", beginning(&self.image), ENDS.0))
    }
}

/// How the names of an image's drafts begin.
fn beginning(image: &Path) -> String {
    format!("{:08x}-", crc32fast::hash(image.as_os_str().as_encoded_bytes()))
}

/// The path by which drafts know an image of a data set: the same whatever way led to the folder.
pub fn absolute(root: &Path, image: &Path) -> PathBuf {
    real(root).join(image.strip_prefix(root).unwrap_or(image))
}

fn real(root: &Path) -> PathBuf {
    root.canonicalize().or_else(|_| std::path::absolute(root)).unwrap_or_else(|_| root.to_owned())
}

/// A mask that was drawn and not saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    #[serde(skip)]
    pub file: PathBuf,
    /// Bytes of the image's path.
    image: Vec<u8>,
    /// Width and height of the image's file.
    pub size: Size,
    on_disk: (usize, usize, u32),
    /// Seconds since 1970.
    pub time: u64,
    /// The window that wrote it; see [`remove`].
    pub writer: u64,
    /// Lengths of the runs of equal pixels, row by row, background first.
    runs: Vec<u32>,
}

/// Whether a draft still belongs to an image as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    Fits,
    /// The mask on disk has been changed since.
    OtherMask,
    /// The image has another size now.
    OtherSize,
}

impl Draft {
    /// The mask as it was drawn.
    pub fn mask(&self) -> Mask {
        let (height, width, _) = self.on_disk;
        let mut pixels = Vec::with_capacity(height * width);
        for (i, run) in self.runs.iter().enumerate() {
            pixels.extend(std::iter::repeat_n(i % 2 == 1, *run as usize));
        }
        // `read` lets no other number of pixels through.
        Mask::new(height, width, pixels).unwrap_or_default()
    }

    /// Whether it still belongs to this.
    pub fn fit(&self, subject: &Subject) -> Fit {
        let pixels = |(height, width, _): (usize, usize, u32)| (height, width);
        if self.size != subject.size || pixels(self.on_disk) != pixels(subject.on_disk) {
            Fit::OtherSize
        } else if self.on_disk != subject.on_disk {
            Fit::OtherMask
        } else {
            Fit::Fits
        }
    }

    /// When it was made, in words: `5 minutes ago`.
    pub fn age(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let ago = |count: u64, one, several| format!("{} ago", counted(count as usize, one, several));
        match now.saturating_sub(self.time) {
            0..60 => "a moment ago".to_owned(),
            seconds @ 60..3_600 => ago(seconds / 60, "minute", "minutes"),
            seconds @ 3_600..86_400 => ago(seconds / 3_600, "hour", "hours"),
            seconds => ago(seconds / 86_400, "day", "days"),
        }
    }

    fn image_is_gone(&self) -> bool {
        // A path that is no UTF-8 is not looked for.
        std::str::from_utf8(&self.image).is_ok_and(|image| Path::new(image).try_exists().is_ok_and(|there| !there))
    }
}

/// Drafts, newest first, and what is wrong with others.
#[derive(Debug, Default)]
pub struct Found {
    pub drafts: Vec<Draft>,
    pub problems: Vec<String>,
}

/// The drafts of an image, whether they fit or not.
pub fn of_image(folder: &Path, subject: &Subject) -> Found {
    let mut found = collect(folder, &beginning(&subject.image));
    found.drafts.retain(|draft| draft.image == subject.image.as_os_str().as_encoded_bytes());
    found
}

/// Those of a data set's images that have drafts, and what is wrong with other drafts.
pub fn of_folder(folder: &Path, root: &Path, images: &[PathBuf]) -> (Vec<PathBuf>, Vec<String>) {
    let found = collect(folder, "");
    let known: HashSet<&[u8]> = found.drafts.iter().map(|draft| draft.image.as_slice()).collect();
    let real = real(root);
    let has_draft = |image: &&PathBuf| {
        let path = real.join(image.strip_prefix(root).unwrap_or(image));
        known.contains(path.as_os_str().as_encoded_bytes())
    };
    // Most often there is none.
    let images = if known.is_empty() { Vec::new() } else { images.iter().filter(has_draft).cloned().collect() };
    (images, found.problems)
}

/// Writes the draft of a mask in place of the one before. `writer`: a number of this window's own.
pub fn write(folder: &Path, subject: &Subject, mask: &Mask, writer: u64) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let draft = Draft {
        file: PathBuf::new(),
        image: subject.image.as_os_str().as_encoded_bytes().to_vec(),
        size: subject.size,
        on_disk: subject.on_disk,
        time: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
        writer,
        runs: runs(mask),
    };
    let body = postcard::to_stdvec(&draft).map_err(io::Error::other)?;
    let bytes = [KIND, VERSION, &crc32fast::hash(&body).to_le_bytes(), &body].concat();
    let file = subject.file(folder);
    let another = !file.exists();
    disk::write_synced(&file, &bytes)?;
    if another {
        prune(folder, SystemTime::now());
    }
    Ok(())
}

/// Removes a draft that is not needed any more, unless it is by now another window's: `writers` are those whose drafts were
/// written, or brought back, here.
pub fn remove(file: &Path, writers: &[u64]) -> io::Result<()> {
    match read(file) {
        Ok(draft) if !writers.contains(&draft.writer) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => fs::remove_file(file),
    }
}

fn read(file: &Path) -> io::Result<Draft> {
    let damaged = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let bytes = disk::read(file, MOST_BYTES)?;
    let rest = bytes.strip_prefix(KIND).ok_or_else(|| damaged("it is not a draft"))?;
    let Some((sum, body)) = rest.strip_prefix(VERSION).and_then(|rest| rest.split_first_chunk::<4>()) else {
        let early = rest.is_empty() || rest.starts_with(&VERSION[..1]);
        return Err(if early { damaged("it ends early") } else { io::ErrorKind::Unsupported.into() });
    };
    if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
        return Err(damaged("it is damaged"));
    }
    let draft: Draft = postcard::from_bytes(body).map_err(|_| damaged("it is damaged"))?;
    let pixels = (draft.on_disk.0 as u64).checked_mul(draft.on_disk.1 as u64).filter(|pixels| *pixels <= MOST_PIXELS);
    if pixels != Some(draft.runs.iter().map(|run| u64::from(*run)).sum()) {
        return Err(damaged("its mask is not as large as it says"));
    }
    Ok(Draft { file: file.to_owned(), ..draft })
}

/// Reads the drafts whose names begin so, and sets aside what is none.
fn collect(folder: &Path, beginning: &str) -> Found {
    let mut found = Found::default();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with(beginning) || !name.ends_with(ENDS.0) {
            continue;
        }
        let file = entry.path();
        match read(&file) {
            Ok(draft) => found.drafts.push(draft),
            Err(error) => found.problems.extend(unread(&file, &error)),
        }
    }
    found.drafts.sort_by_key(|draft| Reverse(draft.time));
    found
}

/// Says why a draft was not read, and puts it out of the way where it never can be.
fn unread(file: &Path, error: &io::Error) -> Option<String> {
    use io::ErrorKind::*;
    let text = match error.kind() {
        // Another window has removed it.
        NotFound => return None,
        Unsupported => format!("the draft {} was made by a newer version, which can bring it back", file.display()),
        InvalidData | InvalidInput | FileTooLarge => {
            let aside = file.with_extension(&ENDS.1[1..]);
            match fs::rename(file, &aside) {
                Ok(()) => format!(
                    "a draft of a mask could not be read and is left out ({error}); it was set aside as {}",
                    aside.display()
                ),
                Err(refused) if refused.kind() == NotFound => return None,
                Err(refused) => {
                    format!("the draft {} cannot be read ({error}) nor set aside: {refused}", file.display())
                }
            }
        }
        _ => format!("the draft {} cannot be read: {error}", file.display()),
    };
    Some(text)
}

/// Keeps the folder small: see [`MOST_DRAFTS`] and [`KEPT`]. Only files named as ours are touched.
fn prune(folder: &Path, now: SystemTime) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut drafts = Vec::new();
    for entry in entries.flatten() {
        let (name, file) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
        let Ok(time) = entry.metadata().and_then(|meta| meta.modified()) else { continue };
        let old = |most: Duration| now.duration_since(time).is_ok_and(|age| age > most);
        let useless = if name.ends_with(ENDS.0) {
            old(KEPT) && read(&file).is_ok_and(|draft| draft.image_is_gone())
        } else {
            (name.ends_with(ENDS.1) && old(KEPT)) || (disk::is_temporary(&name) && old(HALF_WRITTEN))
        };
        if useless {
            let _ = fs::remove_file(&file);
        } else if name.ends_with(ENDS.0) {
            drafts.push((time, file));
        }
    }
    drafts.sort_by_key(|(time, _)| Reverse(*time));
    for (_, file) in drafts.iter().skip(MOST_DRAFTS) {
        let _ = fs::remove_file(file);
    }
}

fn runs(mask: &Mask) -> Vec<u32> {
    let mut runs = vec![0];
    let mut lesion = false;
    for pixel in mask.pixels() {
        if *pixel != lesion {
            lesion = *pixel;
            runs.push(0);
        }
        if let Some(run) = runs.last_mut() {
            *run += 1;
        }
    }
    runs
}

fn checksum(mask: &Mask) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for run in runs(mask) {
        hasher.update(&run.to_le_bytes());
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::super::testing::rectangle;
    use super::*;

    const SIZE: Size = (30, 20);

    fn lesion(left: u32) -> Mask {
        rectangle(SIZE, [left, 3, left + 4, 9])
    }

    fn subject(image: &Path) -> Subject {
        Subject::new(image.to_owned(), SIZE, &lesion(1))
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_draft_comes_back_as_it_was_drawn() {
        let place = tempfile::tempdir().unwrap();
        let (folder, subject) = (place.path().join("drafts"), subject(Path::new("/data/a (1).png")));
        assert!(of_image(&folder, &subject).drafts.is_empty(), "there is no folder yet");
        let checkers = Mask::from_fn(20, 30, |y, x| (x + y) % 2 == 0);
        for mask in [lesion(5), checkers, Mask::empty(20, 30), Mask::from_fn(20, 30, |_, _| true)] {
            write(&folder, &subject, &mask, 7).unwrap();
            let found = of_image(&folder, &subject);
            assert!(found.problems.is_empty() && found.drafts.len() == 1, "{found:?}");
            let draft = &found.drafts[0];
            assert_eq!((draft.mask(), draft.fit(&subject), draft.writer), (mask, Fit::Fits, 7));
            assert_eq!((draft.age().as_str(), &draft.file), ("a moment ago", &subject.file(&folder)));
        }
        assert_eq!(names(&folder).len(), 1, "the newest takes the place of the one before");
        assert!(of_image(&folder, &Subject { image: "/data/b.png".into(), ..subject.clone() }).drafts.is_empty());
        remove(&subject.file(&folder), &[7]).unwrap();
        remove(&subject.file(&folder), &[7]).unwrap();
        assert_eq!(names(&folder), [""; 0]);
    }

    #[test]
    fn a_draft_that_no_longer_fits_is_known_and_not_written_over() {
        let place = tempfile::tempdir().unwrap();
        let (folder, before) = (place.path(), subject(Path::new("/data/a.png")));
        write(folder, &before, &lesion(9), 1).unwrap();
        let saved = before.saved(&lesion(2));
        let larger = Subject::new("/data/a.png".into(), (60, 40), &Mask::empty(40, 60));
        for (now, fit) in [(&before, Fit::Fits), (&saved, Fit::OtherMask), (&larger, Fit::OtherSize)] {
            assert_eq!(of_image(folder, now).drafts[0].fit(now), fit);
        }
        write(folder, &saved, &lesion(3), 1).unwrap();
        write(folder, &larger, &Mask::empty(40, 60), 1).unwrap();
        assert_eq!(of_image(folder, &before).drafts.len(), 3);
        assert_eq!(of_image(folder, &before).drafts.iter().filter(|d| d.fit(&before) == Fit::Fits).count(), 1);
    }

    #[test]
    fn a_draft_of_another_window_stays() {
        let place = tempfile::tempdir().unwrap();
        let (folder, subject) = (place.path(), subject(Path::new("/data/a.png")));
        write(folder, &subject, &lesion(9), 1).unwrap();
        write(folder, &subject, &lesion(11), 2).unwrap();
        remove(&subject.file(folder), &[1]).unwrap();
        assert_eq!(of_image(folder, &subject).drafts[0].mask(), lesion(11), "the last one wins");
        remove(&subject.file(folder), &[1, 2]).unwrap();
        assert!(of_image(folder, &subject).drafts.is_empty());
    }

    #[test]
    fn the_images_of_a_folder_that_have_drafts_are_found() {
        let place = tempfile::tempdir().unwrap();
        let (folder, root) = (place.path().join("drafts"), place.path().join("set"));
        fs::create_dir(&root).unwrap();
        let images = ["a.png", "b.png", "c.png"].map(|name| root.join(name));
        write(&folder, &subject(&absolute(&root, &images[1])), &lesion(9), 1).unwrap();
        write(&folder, &subject(Path::new("/elsewhere/a.png")), &lesion(9), 1).unwrap();
        assert_eq!(of_folder(&folder, &root, &images), (vec![images[1].clone()], Vec::new()));
        // By another way into the same folder.
        let way = root.join("../set");
        let images = ["a.png", "b.png"].map(|name| way.join(name));
        assert_eq!(of_folder(&folder, &way, &images).0, [images[1].clone()]);
    }

    #[test]
    fn a_draft_cut_or_changed_anywhere_is_set_aside_with_a_word() {
        let place = tempfile::tempdir().unwrap();
        let (folder, subject) = (place.path(), subject(Path::new("/data/a.png")));
        write(folder, &subject, &lesion(9), 1).unwrap();
        let file = subject.file(folder);
        let whole = fs::read(&file).unwrap();
        let aside = file.with_extension("draft.broken");
        let refuses = |bytes: &[u8], what: &str| {
            fs::write(&file, bytes).unwrap();
            let found = of_image(folder, &subject);
            assert!(found.drafts.is_empty(), "{what}");
            if fs::read(&file).is_ok() {
                assert!(found.problems[0].contains("newer version"), "{what}: {found:?}");
            } else {
                assert!(found.problems[0].contains("set aside"), "{what}: {found:?}");
                assert_eq!(fs::read(&aside).unwrap(), bytes, "{what}");
            }
        };
        for length in 0..whole.len() {
            refuses(&whole[..length], &format!("cut at {length}"));
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x41;
            refuses(&bytes, &format!("changed at {at}"));
        }
        // A mask that claims more pixels than there are, with a true checksum.
        for on_disk in [(20, 31, 0), (usize::MAX, 2, 0), (1 << 20, 1 << 20, 0)] {
            let draft = Draft { on_disk, ..read_bytes(&whole) };
            let body = postcard::to_stdvec(&draft).unwrap();
            refuses(&[KIND, VERSION, &crc32fast::hash(&body).to_le_bytes(), &body].concat(), "size");
        }
        fs::write(&file, &whole).unwrap();
        assert_eq!(of_image(folder, &subject).drafts.len(), 1);
    }

    fn read_bytes(bytes: &[u8]) -> Draft {
        postcard::from_bytes(&bytes[KIND.len() + VERSION.len() + 4..]).unwrap()
    }

    #[test]
    fn what_is_no_file_or_huge_is_set_aside_and_never_waited_for() {
        let place = tempfile::tempdir().unwrap();
        let (folder, subject) = (place.path(), subject(Path::new("/data/a.png")));
        let file = subject.file(folder);
        fs::create_dir(&file).unwrap();
        assert!(of_image(folder, &subject).problems[0].contains("not a file"));
        fs::File::create(&file).unwrap().set_len(1 << 40).unwrap();
        fs::remove_dir(file.with_extension("draft.broken")).unwrap();
        assert!(of_image(folder, &subject).problems[0].contains("larger than"));
        #[cfg(unix)]
        {
            assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
            let (found, problems) = of_folder(folder, Path::new("/data"), &["/data/a.png".into()]);
            assert!(found.is_empty() && problems[0].contains("not a file"), "{problems:?}");
        }
        assert!(!file.exists());
        write(folder, &subject, &lesion(9), 1).unwrap();
        assert_eq!(of_image(folder, &subject).drafts.len(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_an_error_and_leaves_the_draft_before() {
        let place = tempfile::tempdir().unwrap();
        let (folder, subject) = (place.path().join("drafts"), subject(Path::new("/data/a.png")));
        fs::write(&folder, "in the way").unwrap();
        write(&folder, &subject, &lesion(9), 1).unwrap_err();
        assert!(of_image(&folder, &subject).drafts.is_empty());
        fs::remove_file(&folder).unwrap();
        write(&folder, &subject, &lesion(9), 1).unwrap();
        // What a process that was killed while it wrote leaves behind.
        fs::write(folder.join(".learnscope-abc.tmp"), b"learnscope draft 1\nhalf").unwrap();
        let found = of_image(&folder, &subject);
        assert!(found.drafts[0].mask() == lesion(9) && found.problems.is_empty());
    }

    #[test]
    fn the_folder_stays_small_and_keeps_what_may_be_needed() {
        let place = tempfile::tempdir().unwrap();
        let (folder, there) = (place.path().join("drafts"), place.path().join("a.png"));
        fs::write(&there, "").unwrap();
        let (gone, there) = (subject(&place.path().join("gone.png")), subject(&there));
        for subject in [&gone, &there] {
            write(&folder, subject, &lesion(9), 1).unwrap();
        }
        for name in [".learnscope-x.tmp", "old.draft.broken", "notes.txt"] {
            fs::write(folder.join(name), "").unwrap();
        }
        let now = SystemTime::now();
        prune(&folder, now);
        assert_eq!(names(&folder).len(), 5);
        prune(&folder, now + Duration::from_secs(2 * 86_400));
        assert_eq!(names(&folder).len(), 4, "half a file");
        prune(&folder, now + KEPT + Duration::from_secs(60));
        let kept = |name: &str| folder.join(name).exists();
        assert!(kept("notes.txt") && there.file(&folder).exists());
        assert!(!kept("old.draft.broken") && !gone.file(&folder).exists());
        for i in 0..MOST_DRAFTS + 3 {
            write(&folder, &subject(Path::new(&format!("/data/{i}.png"))), &lesion(9), 1).unwrap();
        }
        assert_eq!(names(&folder).len(), MOST_DRAFTS + 1);
        let last = subject(Path::new(&format!("/data/{}.png", MOST_DRAFTS + 2)));
        assert!(last.file(&folder).exists());
    }
}
