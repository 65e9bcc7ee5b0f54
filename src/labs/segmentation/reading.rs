//! A folder of images and masks as it was read: once, for the Data tile, the doctor and the run.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::data::picture_file::volume;
use crate::data::segmentation::doctor::{Exam, duplicates, examine_pair};
use crate::data::segmentation::lesion::{Lesion, Nowhere};
use crate::data::segmentation::listing::{Listing, Pair};
use crate::data::segmentation::read::{ReadLimits, Reader, Rules, Sample, reduced};
use crate::data::segmentation::{Problem, Watch};
use crate::engine::params::ParamError;
use crate::kit::kept;
use crate::pixels::fit::Fit;
use crate::pixels::resize::Size;

use super::source::{Item, SegmentationData, item};
use crate::labs::segmentation::params::FOLDER;

/// Memory that images which are only looked at may take, to be at hand for a run. Larger sets are read again by it.
const AT_HAND_GIB: f64 = 2.0;

/// What reading a pair takes, in times that looking at its masks takes.
const READ_SHARE: usize = 5;

/// What the network takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input {
    /// C, 1 or 3.
    pub channels: usize,
    /// S.
    pub size: usize,
    pub fit: Fit,
}

impl Input {
    /// Memory that images of these widths and heights with so many masks take as numbers, those of validation and test twice, and
    /// more where patches overlap.
    pub fn gib(self, sizes: impl Iterator<Item = (u32, u32)>, masks: usize) -> f64 {
        let most = ReadLimits::default().most_pixels;
        let pixels = |size: (u32, u32)| {
            let (width, height, _) = reduced(size, most);
            self.fit.plane(Size { height, width }, self.size).pow(2)
        };
        let times = if matches!(self.fit, Fit::Patches { .. }) { 2.8 } else { 2.0 };
        times * (sizes.map(pixels).sum::<usize>() * (self.channels + masks) * 4) as f64 / f64::from(1 << 30)
    }
}

/// What reading every pair of a folder has shown.
#[derive(Debug)]
pub struct Examined {
    pub listing: Arc<Listing>,
    /// How the files are read.
    pub rules: Rules,
    /// By number of the pair; `None`: not read.
    pub exams: Vec<Option<Exam>>,
    pub unread: Vec<Problem>,
    /// Numbers of pairs.
    pub duplicates: Vec<(usize, usize)>,
    /// It was stopped before all were read.
    pub stopped: bool,
}

/// A folder that was read for training; what its split decides is not part of it.
#[derive(Debug)]
pub struct ReadFolder {
    pub examined: Arc<Examined>,
    pub input: Input,
    /// The data set's own files, as they were before they were read.
    own: Vec<FileStamp>,
    /// By number of the pair; `None`: it cannot be read.
    pub items: Vec<Option<Arc<Item>>>,
    /// The data set that was made of it last, and what decided about it.
    pub(super) made: Mutex<Option<(Vec<String>, Arc<SegmentationData>)>>,
}

/// What defines a [`ReadFolder`]: while nothing of it changes, the folder is not read again.
#[derive(Debug, Clone, PartialEq)]
struct Identity {
    listing: Arc<Listing>,
    files: Vec<FileStamp>,
    lesion: Lesion,
    input: Input,
}

/// A file, its bytes and when it was changed.
type FileStamp = (PathBuf, u64, Option<SystemTime>);

impl Identity {
    fn of(listing: &Arc<Listing>, lesion: &Lesion, input: Input) -> Self {
        Self { listing: listing.clone(), files: stamps(listing), lesion: lesion.clone(), input }
    }
}

/// Reads a folder for a run, unless it is in memory.
///
/// # Errors
/// No mask holds the chosen value, or it was stopped.
pub fn for_training(
    listing: &Arc<Listing>,
    lesion: &Lesion,
    input: Input,
    watch: Watch<'_>,
) -> Result<Arc<ReadFolder>, ParamError> {
    kept::DATA.get(&Identity::of(listing, lesion, input), watch, |watch| {
        in_passes(listing, lesion, None, watch, |rules, watch| {
            if let Some(Nowhere { key, problem }) = rules.masks.nowhere.clone() {
                return Err(ParamError::invalid(key, problem));
            }
            let folder = ReadFolder::read(listing, rules, input, None, watch);
            if folder.examined.stopped {
                let problem = "stopped before all images were read".to_owned();
                return Err(ParamError::invalid(FOLDER.key(), problem));
            }
            Ok(folder)
        })
    })
}

/// Finds out how the files are read, where that is not known, and reads them.
fn in_passes<R>(
    listing: &Listing,
    lesion: &Lesion,
    rules: Option<&Rules>,
    watch: Watch<'_>,
    read: impl FnOnce(Rules, Watch<'_>) -> R,
) -> R {
    let weight = if rules.is_some() { READ_SHARE } else { 1 + READ_SHARE };
    let count = watch.counter(weight, listing.pairs.len());
    let (first, second) = (|_, _| count(1), |_, _| count(READ_SHARE));
    let looked = || Reader::default().survey(&listing.pairs, &[], lesion, Watch { progress: &first, ..watch });
    let rules = rules.cloned().unwrap_or_else(looked);
    read(rules, Watch { progress: &second, ..watch })
}

/// Looks at every pair of a folder. `input`: what a run would make of the images, which are then at hand for it.
/// `known`: what was seen before the mask of an image was saved; everything else is as it was.
pub fn examine(
    listing: &Arc<Listing>,
    lesion: &Lesion,
    input: Option<Input>,
    known: Option<(&Arc<Examined>, &Path)>,
    watch: Watch<'_>,
) -> Arc<Examined> {
    let before = known.and_then(|(known, _)| {
        let same = |folder: &Arc<ReadFolder>| Arc::ptr_eq(&folder.examined, known) && folder.own == own(listing);
        kept::DATA.newest::<ReadFolder>().filter(same)
    });
    let input = match known {
        None => input.filter(|input| at_hand(listing, *input) <= AT_HAND_GIB),
        Some(_) => before.as_ref().map(|before| before.input),
    };
    let rules = known.map(|(known, _)| &known.rules);
    let Some(input) = input else {
        let known = known.map(|(known, changed)| Known { examined: known, kept: &[], changed });
        let read = |rules, watch: Watch<'_>| read_pairs(listing, rules, known, watch, |_, _| ()).0;
        return Arc::new(in_passes(listing, lesion, rules, watch, read));
    };
    let read = |watch: Watch<'_>| {
        let known = known.zip(before.as_ref()).map(|((known, changed), before)| Known {
            examined: known,
            kept: &before.items,
            changed,
        });
        let read = |rules, watch: Watch<'_>| ReadFolder::read(listing, rules, input, known, watch);
        let folder = in_passes(listing, lesion, rules, watch, read);
        // A run could not use it.
        let refused = folder.examined.stopped || folder.examined.rules.masks.nowhere.is_some();
        if refused { Err(folder.examined) } else { Ok(folder) }
    };
    match kept::DATA.get(&Identity::of(listing, lesion, input), watch, read) {
        Ok(folder) => folder.examined.clone(),
        Err(examined) => examined,
    }
}

impl ReadFolder {
    fn read(
        listing: &Arc<Listing>,
        rules: Rules,
        input: Input,
        known: Option<Known<'_, Arc<Item>>>,
        watch: Watch<'_>,
    ) -> Self {
        let own = own(listing);
        let keep = |pair: &Pair, sample: &Sample| {
            let class = pair.class.clone().unwrap_or_default();
            let item = item(pair.name.clone(), class, sample, input);
            Arc::new(Item { corrected: correction(pair), drawn: pair.masks.is_empty(), ..item })
        };
        let (examined, items) = read_pairs(listing, rules, known, watch, keep);
        Self { examined: Arc::new(examined), input, own, items, made: Mutex::default() }
    }
}

/// What was read before one mask changed.
struct Known<'a, T> {
    examined: &'a Examined,
    /// By number of the pair.
    kept: &'a [Option<T>],
    /// The image with that mask.
    changed: &'a Path,
}

/// Reads every pair that is not known; of each, `keep` takes what is needed.
fn read_pairs<T: Clone + Send>(
    listing: &Arc<Listing>,
    rules: Rules,
    known: Option<Known<'_, T>>,
    watch: Watch<'_>,
    keep: impl Fn(&Pair, &Sample) -> T + Sync,
) -> (Examined, Vec<Option<T>>) {
    let mut exams: Vec<Option<Exam>> = vec![None; listing.pairs.len()];
    let mut kept: Vec<Option<T>> = vec![None; listing.pairs.len()];
    if let Some(Known { examined, kept: before, changed }) = known {
        for (i, pair) in listing.pairs.iter().enumerate().filter(|(_, pair)| pair.image != changed) {
            if let Some(number) = examined.listing.pairs.iter().position(|old| old == pair) {
                exams[i] = examined.exams[number].clone();
                kept[i] = before.get(number).cloned().flatten();
            }
        }
    }
    let missing: Vec<usize> = (0..exams.len()).filter(|&i| exams[i].is_none()).collect();
    let pairs: Vec<Pair> = missing.iter().map(|&i| listing.pairs[i].clone()).collect();
    let reader = Reader::default().with_rules(rules.clone());
    let read = reader.all(&pairs, watch, |i, sample| {
        let exam = examine_pair(&reader, &pairs[i], &sample);
        (exam, keep(&pairs[i], &sample))
    });
    for (i, (exam, what)) in read.items {
        (exams[missing[i]], kept[missing[i]]) = (Some(exam), Some(what));
    }
    let duplicates = if read.cancelled { Vec::new() } else { duplicates(&exams) };
    let (listing, unread, stopped) = (listing.clone(), read.problems, read.cancelled);
    (Examined { listing, rules, exams, unread, duplicates, stopped }, kept)
}

/// GiB that the images and their true masks take.
fn at_hand(listing: &Listing, input: Input) -> f64 {
    let most = ReadLimits::default().most_pixels;
    let pixels = |pair: &Pair| (pair.size.0 as usize).saturating_mul(pair.size.1 as usize).min(most);
    let truth: usize = listing.pairs.iter().map(pixels).sum();
    input.gib(listing.pairs.iter().map(|pair| pair.size), 1) + truth as f64 / f64::from(1 << 30)
}

/// The corrected mask of a pair, and when it was written.
pub fn correction(pair: &Pair) -> Option<(PathBuf, Option<SystemTime>)> {
    let path = pair.corrected.clone()?;
    let written = std::fs::metadata(&path).and_then(|about| about.modified()).ok();
    Some((path, written))
}

/// Every file that the data or what is said of it depends on, wherever it lies.
pub(super) fn stamps(listing: &Listing) -> Vec<FileStamp> {
    let corrected = listing.every_pair().filter_map(|pair| pair.corrected.as_ref());
    let unpaired = listing.unpaired_images.iter().chain(&listing.unpaired_masks);
    let odd = listing.problems.iter().map(|problem| &problem.path);
    own(listing).into_iter().chain(corrected.chain(unpaired).chain(odd).map(|path| stamp(path))).collect()
}

/// The data set's own images and masks, which decide how all of them are read.
fn own(listing: &Listing) -> Vec<FileStamp> {
    listing
        .pairs
        .iter()
        .flat_map(|pair| std::iter::once(&pair.image).chain(&pair.masks))
        .map(|path| stamp(path))
        .collect()
}

fn stamp(path: &Path) -> FileStamp {
    let about = std::fs::metadata(volume::place(path).0);
    let bytes = about.as_ref().map_or(0, std::fs::Metadata::len);
    (path.to_owned(), bytes, about.and_then(|about| about.modified()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::segmentation::listing::scan;

    #[test]
    fn whatever_changes_the_data_changes_its_identity() {
        let folder = tempfile::tempdir().unwrap();
        let save = |name: &str, lesion: u32| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            image::GrayImage::from_fn(40, 30, |x, y| image::Luma([255 * u8::from(x * y < lesion)])).save(path).unwrap();
        };
        // Only the folder of images is chosen; the masks lie beside it.
        let files = || stamps(&scan(&folder.path().join("images"), None, Watch::nobody()).unwrap());
        save("images/a.png", 300);
        save("masks/a.png", 40);
        let first = files();
        assert_eq!((first.len(), &first), (2, &files()));
        save("masks/a.png", 400);
        let second = files();
        assert_ne!(first, second);
        save("learnscope-masks/images/a.png", 10);
        let third = files();
        assert_eq!((third.len(), &third[..2]), (3, &second[..]), "the corrected mask has come");
        save("images/b.png", 300);
        assert_eq!(files().len(), 4, "the doctor lists an image without a mask");
    }
}
