//! Where images and masks come from: generated, or a folder; prepared for the network and split.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use rayon::prelude::*;

use crate::data::fnv_1a;
use crate::data::segmentation::choice::FolderChoice;
use crate::data::segmentation::doctor::{self, Finding};
use crate::data::segmentation::groups::{GroupRule, Groups, Ties};
use crate::data::segmentation::listing::{Listing, Pair, scan_chosen};
use crate::data::segmentation::plan::{Seen, SplitChoice, SplitPlan, plan};
use crate::data::segmentation::read::{Picture, Reader, Rules, Sample};
use crate::data::segmentation::split::{Dealing, ImageFacts, Part, PartTable, Split, compare, deal};
use crate::data::segmentation::{DataError, Watch, counted};
use crate::data::synth::ultrasound;
use crate::data::synth::ultrasound_folder::{self, Plan};
use crate::engine::event::Payload;
use crate::engine::params::{ParamError, Params, Value};
use crate::kit::kept;
use crate::nn::segmentation::weights;
use crate::pixels::fit::{Fit, Frame};
use crate::pixels::mask::Mask;
use crate::pixels::pieces;
use crate::pixels::resize::{Resampling, Size, resize, resize_mask};
use crate::pixels::spacing::{Spacing, Unit};

use super::params::{
    ANNOTATOR, AS_GIVEN, CALIPERS, CHANNELS, CORRECTIONS, Calipers, FIT, FOLD, FOLDER, FOLDS, FROM_FOLDER, GROUP_BY,
    GROUP_PATTERN, GroupBy, IMAGE_SIZE, IMAGES_IN, JOINED, LABELS, LEAVE_OUT, LESION, LESION_VALUE, MASKS_IN, OVERFIT,
    OVERFIT_IMAGE, PARAMS, PATCH_SCALE, PixelSize, SPACING, SPLIT_SEED, STRUCTURES, SYNTHETIC_IMAGES, TRAIN_SHARE,
    VALIDATION_SHARE, WALL_IMAGES, WEIGHTS, check_combination, dealing, fit, lesion, mapping, pixel_size,
};
use super::reading::{Examined, Input, ReadFolder, correction, for_training, stamps};
use super::structures::Masks;
use super::{joined, structures};

/// An image with its lesions as the network sees it, and the truth that it is judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub name: String,
    /// Empty where the data has no classes.
    pub class: String,
    /// `[C, P, P]` in [0, 1]; P is S, and more where the network sees a picture in patches.
    pub image: Arc<[f32]>,
    /// `[P, P]`.
    pub mask: Vec<bool>,
    /// Where the picture lies in both; its side is P.
    pub frame: Frame,
    /// At the original size; of a huge picture at the size that was read.
    pub truth: Mask,
    /// The corrected mask that stands in for the data set's own, and when it was written.
    pub corrected: Option<(PathBuf, Option<SystemTime>)>,
    /// It has no other mask than the one that was drawn here.
    pub drawn: bool,
    /// Pixels of the file along each side of a pixel of `truth`; 1 unless the file is huge.
    pub factor: usize,
    /// Of the picture as it was read; see [`content`].
    pub content: u64,
    /// CRC-32 of name, picture and lesions as they were read.
    pub checksum: u32,
    /// The size of a pixel, as the file says.
    pub spacing: Option<Spacing>,
}

/// A data set that is ready for training.
#[derive(Debug, Clone, Default)]
pub struct SegmentationData {
    /// S, the side of what the network sees at a time.
    pub size: usize,
    /// C, 1 or 3.
    pub channels: usize,
    pub fit: Fit,
    /// Where a network outlines several structures, every image is there once for each, one after the other.
    pub items: Vec<Arc<Item>>,
    /// Their names, where they are several.
    pub structures: Vec<String>,
    /// How many of them are of the data set; those behind were labelled here and have joined.
    pub own: usize,
    /// How many more were labelled here and are not named in the parameter `joined`.
    pub waiting: usize,
    /// What connects every item of a folder with others of its group.
    pub ties: Vec<Arc<Ties>>,
    /// The part of every item; `None`: it is used for nothing.
    pub parts: Vec<Option<Part>>,
    /// The group of every item: images of one (of a patient, near-duplicates) are not independent.
    pub groups: Vec<usize>,
    /// The size of a pixel of every item; empty: distances are in pixels.
    pub spacings: Vec<Spacing>,
    /// Each part beside the whole.
    pub table: PartTable,
    /// Indices of items that are trained on: those of `parts`, or the one that is to be learnt by heart.
    pub train: Vec<usize>,
    pub validation: Vec<usize>,
    pub test: Vec<usize>,
    /// Positions in `validation` of the images whose outlines are shown while training, spread over the whole set.
    pub wall: Vec<usize>,
    /// Their pictures, as they are on disk.
    pub wall_pictures: Vec<Picture>,
    /// What it is, with its content hash, for the run's header; the parts are in [`Self::described`]. Empty for generated
    /// images.
    pub description: String,
    /// What was found and how it was split, one statement a line.
    pub summary: Vec<String>,
    pub findings: Vec<Finding>,
    /// How its files were read.
    pub rules: Rules,
    /// The folder that it was read from.
    pub folder: Option<PathBuf>,
    /// Where its images and masks lie, as the description says: that folder, or the one around it.
    pub root: PathBuf,
    /// Which of its images and masks were wanted.
    pub which: FolderChoice,
}

/// Columns of [`SegmentationData::split_table`].
/// Recordings of older versions lack the group.
pub const SPLIT_COLUMNS: [&str; 5] = ["image", "part", "class", "content", "group"];

/// Letters of the parts, in their order.
const LETTERS: [char; 3] = ['t', 'v', 'e'];
/// Memory that a data set may take.
const MOST_GIB: f64 = 12.0;

/// What of the parameters decides about the data.
const IDENTIFYING: [&str; 28] = [
    SYNTHETIC_IMAGES.key(),
    CALIPERS.key(),
    IMAGE_SIZE.key(),
    FIT.key(),
    PATCH_SCALE.key(),
    CHANNELS.key(),
    TRAIN_SHARE.key(),
    VALIDATION_SHARE.key(),
    SPLIT_SEED.key(),
    AS_GIVEN.key(),
    FOLDS.key(),
    FOLD.key(),
    SPACING.key(),
    GROUP_BY.key(),
    GROUP_PATTERN.key(),
    LESION.key(),
    LESION_VALUE.key(),
    ANNOTATOR.key(),
    LEAVE_OUT.key(),
    LABELS.key(),
    IMAGES_IN.key(),
    MASKS_IN.key(),
    STRUCTURES.key(),
    WALL_IMAGES.key(),
    CORRECTIONS.key(),
    JOINED.key(),
    OVERFIT.key(),
    OVERFIT_IMAGE.key(),
];

/// The data set that these parameters name: generated, read, or still in memory from the run before or from the Data tile.
///
/// # Errors
/// A folder that cannot be used; the message names it and what was expected.
pub fn load(params: &Params, watch: Watch<'_>) -> Result<Arc<SegmentationData>, ParamError> {
    check_combination(params)?;
    let value = |key: &&str| params.get(key).map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> = IDENTIFYING.iter().map(value).collect();
    if !FROM_FOLDER.of(params) {
        return kept::DATA.get(&values, watch, |_| generated(params));
    }
    let structures = structures::of(params)?;
    if structures.is_empty() {
        let listing = listed(params, watch)?;
        return of_one(params, listing, values, watch);
    }
    let mut single = Vec::with_capacity(structures.len());
    for structure in &structures {
        let refused = |error| structure.refused(&error);
        let alone = structure.alone(params)?;
        let mut listing = listed(&alone, watch).map_err(refused)?;
        let usable = folder_choice(&alone).check(&listing).map_err(|(key, problem)| ParamError::invalid(key, problem));
        usable.and_then(|()| listing.require_pairs().map_err(self::refused)).map_err(refused)?;
        // What was drawn here stands in for all masks of an image.
        listing.drawn.clear();
        listing.pairs.retain(|pair| !pair.masks.is_empty());
        listing.pairs.iter_mut().for_each(|pair| pair.corrected = None);
        single.push((alone, listing));
    }
    let files: Vec<_> = single.iter().flat_map(|(_, listing)| stamps(listing)).collect();
    check_memory(single[0].1.pairs.iter().map(|pair| pair.size), params)?;
    kept::DATA.get(&(values, files), watch, |watch| {
        let mut single = structures.iter().zip(single);
        let Some((_, (alone, listing))) = single.next() else { return Ok(SegmentationData::default()) };
        let pictures: HashMap<String, PathBuf> =
            listing.pairs.iter().map(|pair| (pair.name.clone(), pair.image.clone())).collect();
        let values = IDENTIFYING.iter().map(|key| alone.get(key).map(ToString::to_string).unwrap_or_default());
        let values: Vec<String> = values.collect();
        // The wall is made of all structures below.
        let mut alone = alone;
        alone.set(PARAMS, WALL_IMAGES.key(), Value::Int(1))?;
        let base = of_one(&alone, listing, values, watch)?;
        let mut others = Vec::new();
        for (structure, (alone, listing)) in single {
            others.push(Masks::read(&alone, &listing, watch).map_err(|error| structure.refused(&error))?);
        }
        let mut data = structures::together(&structures, &base, others, params)?;
        let reader = Reader::default().with_rules(base.rules.clone());
        let shown: Vec<usize> = data.wall_items().collect();
        let picture = |&item: &usize| {
            let name = structures::image_name(&data.items[item], &data.structures);
            let path = pictures.get(name).ok_or_else(|| invalid(format!("`{name}` is not in the folder any more")))?;
            reader.picture(path).map_err(|p| invalid(format!("{}: {}", p.path.display(), p.problem)))
        };
        data.wall_pictures = shown.par_iter().map(picture).collect::<Result<_, _>>()?;
        Ok(data)
    })
}

/// The folder's listing, without the images that join.
fn listed(params: &Params, watch: Watch<'_>) -> Result<Listing, ParamError> {
    let which = folder_choice(params);
    let mut listing = scan_chosen(Path::new(FOLDER.of(params)), None, &which, watch.quiet()).map_err(refused)?;
    joined::set_aside(&mut listing, JOINED.of(params));
    Ok(listing)
}

/// The data set of a listed folder, with one lesion. `values`: of the parameters in [`IDENTIFYING`].
fn of_one(
    params: &Params,
    listing: Listing,
    values: Vec<String>,
    watch: Watch<'_>,
) -> Result<Arc<SegmentationData>, ParamError> {
    let (path, which) = (Path::new(FOLDER.of(params)), folder_choice(params));
    let listing = Arc::new(listing);
    let choice = split_choice(params);
    let fits = which.check(&listing).and_then(|()| choice.check(&listing)).and_then(|()| choice.check_files(&listing));
    fits.map_err(|(key, problem)| ParamError::invalid(key, problem))?;
    listing.require_pairs().map_err(refused)?;
    check_memory(listing.pairs.iter().map(|pair| pair.size), params)?;
    let folder = for_training(&listing, &lesion(params)?, input(params), watch)?;
    let decides = std::iter::once(path.display().to_string()).chain(values).collect();
    let mut made = folder.made.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((known, data)) = &*made
        && *known == decides
    {
        return Ok(data.clone());
    }
    let data = Arc::new(divided(params, path, &folder)?);
    *made = Some((decides, data.clone()));
    Ok(data)
}

/// Reads the data set into memory; see [`crate::kit::lab::LabSpec::read`].
pub fn read_ahead(params: &Params, watch: Watch<'_>) -> Result<(), ParamError> {
    load(params, watch).map(drop)
}

/// The data set in words, and the weights that the run starts from; see [`crate::kit::lab::LabSpec::data`].
pub fn data(params: &Params) -> Result<String, ParamError> {
    let mut parts: Vec<String> = of_folder(params)?.into_iter().collect();
    let weights = Path::new(WEIGHTS.of(params));
    if !weights.as_os_str().is_empty() {
        let checksum = weights::checksum(weights).map_err(|error| ParamError::invalid(WEIGHTS.key(), error))?;
        parts.push(format!("weights {}, CRC-32 {checksum:08x}", weights.display()));
    }
    Ok(parts.join("; "))
}

/// The same of a run that goes on from a checkpoint: without its first weights where their file is gone.
pub fn data_resumed(params: &Params) -> Result<String, ParamError> {
    data(params).or_else(|_| Ok(of_folder(params)?.unwrap_or_default()))
}

fn of_folder(params: &Params) -> Result<Option<String>, ParamError> {
    FROM_FOLDER.of(params).then(|| Ok(load(params, Watch::nobody())?.described())).transpose()
}

/// How images belong together.
pub fn group_rule(params: &Params) -> GroupRule {
    match GROUP_BY.of(params) {
        GroupBy::Nothing => GroupRule::None,
        GroupBy::Folder => GroupRule::Folder,
        GroupBy::Pattern => GroupRule::Pattern(GROUP_PATTERN.of(params).to_owned()),
    }
}

/// Which of a folder's images and masks are wanted.
pub fn folder_choice(params: &Params) -> FolderChoice {
    // A pattern that cannot be used is refused elsewhere.
    let mapping = mapping(params).unwrap_or_default();
    let labels = LABELS.of(&structures::first(params)).to_owned();
    FolderChoice::new(ANNOTATOR.of(params) as usize, LEAVE_OUT.of(params)).with(&labels, mapping)
}

/// All that is chosen about the split of a folder.
pub fn split_choice(params: &Params) -> SplitChoice {
    let Dealing { shares, seed, folds, fold } = dealing(params);
    SplitChoice { rule: group_rule(params), shares, seed, as_given: AS_GIVEN.of(params), folds, fold }
}

/// `[C, P, P]` in [0, 1] from an image of any size, P = `size` but for patches, bilinear between the centres of pixels. Grey is the mean of the
/// three colours. As in the paper's code an image whose brightest value is 1 is left as it is. What `fit` leaves empty is black.
pub fn prepare(picture: &Picture, channels: usize, size: usize, fit: Fit) -> Vec<f32> {
    let from = Size { height: picture.height, width: picture.width };
    let largest = picture.rgb.iter().copied().max().unwrap_or(0);
    let scale = if largest > 1 { 255.0 } else { 1.0 };
    let frame = fit.on_plane(from, size);
    let resized = |plane: &[f32]| frame.put(resize(plane, from, frame.size, Resampling::Bilinear), 0.0);
    if channels == 1 {
        let grey = |p: &[u8]| p.iter().map(|&v| f32::from(v)).sum::<f32>() / 3.0 / scale;
        return resized(&picture.rgb.chunks_exact(3).map(grey).collect::<Vec<f32>>());
    }
    // One plane after the other: of a large picture three in f32 take many times its own bytes.
    let mut plane = Vec::with_capacity(from.pixels());
    let mut planes = Vec::with_capacity(3 * frame.side * frame.side);
    for channel in 0..3 {
        plane.clear();
        plane.extend(picture.rgb.iter().skip(channel).step_by(3).map(|&v| f32::from(v) / scale));
        planes.extend(resized(&plane));
    }
    planes
}

/// A true mask at the network's size: bilinear, then what is greater than one half.
pub fn prepare_mask(mask: &Mask, size: usize, fit: Fit) -> Vec<bool> {
    let from = Size { height: mask.height(), width: mask.width() };
    let frame = fit.on_plane(from, size);
    frame.put(resize_mask(mask.pixels(), from, frame.size, Resampling::Bilinear), false)
}

/// One pair as the network takes it.
pub(super) fn item(name: String, class: String, sample: &Sample, input: Input) -> Item {
    let Input { channels, size, fit } = input;
    let checksum = checksum(&name, sample);
    Item {
        name,
        class,
        image: prepare(&sample.picture, channels, size, fit).into(),
        mask: prepare_mask(&sample.mask, size, fit),
        frame: fit.on_plane(Size { height: sample.picture.height, width: sample.picture.width }, size),
        truth: sample.mask.clone(),
        corrected: None,
        drawn: false,
        factor: sample.picture.factor,
        content: content(&sample.picture),
        checksum,
        spacing: sample.facts.spacing,
    }
}

/// What a picture is known by again, wherever its file lies and whatever it is called: FNV-1a of its size and its pixels.
pub fn content(picture: &Picture) -> u64 {
    let sides = [picture.width, picture.height].map(|side| (side as u64).to_le_bytes());
    fnv_1a(sides.as_flattened().iter().chain(&picture.rgb))
}

/// Generated images, the same as in `sample_data/ultrasound` for the same number and seed.
fn generated(params: &Params) -> Result<SegmentationData, ParamError> {
    let input = input(params);
    let seed = SPLIT_SEED.of(params) as u64;
    let plans = ultrasound_folder::plans(SYNTHETIC_IMAGES.of(params) as usize);
    check_memory(plans.iter().map(|plan| (plan.spec.width as u32, plan.spec.height as u32)), params)?;
    let groups = Groups { of: (0..plans.len()).collect(), count: plans.len(), description: String::new() };
    // Without strata: pictures of one generator, each a group of its own.
    let parts = deal(&groups, &[], &dealing(params));
    let marked = |i: usize| match CALIPERS.of(params) {
        Calipers::None => false,
        Calipers::All => true,
        Calipers::Train => parts.part(i) == Some(Part::Train),
        Calipers::Test => parts.part(i) != Some(Part::Train),
    };
    let drawn = |(i, plan): (usize, &Plan)| {
        let mut plan = plan.clone();
        plan.spec.calipers = marked(i) && plan.spec.lesions > 0;
        let image = ultrasound::picture(seed, plan.number, &plan.spec);
        let picture = Picture {
            width: image.width,
            height: image.height,
            original: (image.width as u32, image.height as u32),
            rgb: image.rgb.clone(),
            factor: 1,
        };
        (plan, Sample { picture, mask: image.mask(), facts: Default::default() })
    };
    let samples: Vec<(Plan, Sample)> = plans.par_iter().enumerate().map(drawn).collect();
    let items: Vec<Arc<Item>> = samples
        .par_iter()
        .map(|(plan, sample)| Arc::new(item(plan.name.clone(), plan.class.to_owned(), sample, input)))
        .collect();
    let marks = match CALIPERS.of(params) {
        Calipers::None => "no measuring marks",
        Calipers::All => "measuring marks on every lesion",
        Calipers::Train => "measuring marks in training images only",
        Calipers::Test => "measuring marks in validation and test images only",
    };
    let mut data = SegmentationData {
        size: input.size,
        channels: input.channels,
        fit: input.fit,
        items,
        summary: vec![
            format!("{} synthetic ultrasound pictures (generated, seed {seed}); no patient was imaged", plans.len()),
            marks.to_owned(),
        ],
        ..SegmentationData::default()
    };
    let fact = |item: &Arc<Item>| ImageFacts { class: Some(item.class.clone()), share: item.truth.share() };
    let facts: Vec<ImageFacts> = data.items.iter().map(fact).collect();
    data.table = compare(&facts, &groups.of, &parts);
    data.groups = groups.of;
    data.put_split(&parts, None, params)?;
    data.put_pixel_size(pixel_size(params)?);
    data.wall_pictures = data.wall_items().map(|i| samples[i].1.picture.clone()).collect();
    Ok(data)
}

/// What the network takes.
pub fn input(params: &Params) -> Input {
    Input { channels: CHANNELS.of(params), size: IMAGE_SIZE.of(params) as usize, fit: fit(params) }
}

fn invalid(problem: String) -> ParamError {
    ParamError::invalid(FOLDER.key(), problem)
}

pub(super) fn refused(error: DataError) -> ParamError {
    invalid(error.to_string())
}

/// Says which images were read smaller, one statement a factor.
fn reduced(items: &[Arc<Item>]) -> Vec<String> {
    let mut counts = BTreeMap::new();
    items.iter().filter(|item| item.factor > 1).for_each(|item| *counts.entry(item.factor).or_insert(0_usize) += 1);
    let told = |(factor, count): (usize, usize)| {
        let (images, are, whose) = if count == 1 { ("image", "is", "its") } else { ("images", "are", "their") };
        format!(
            "{count} {images} {are} huge and {are} read, shown and outlined at 1/{factor} of {whose} size; curves and tables \
             give distances and areas in pixels of the file, what is measured on the wall is in pixels as shown"
        )
    };
    counts.into_iter().map(told).collect()
}

/// A folder that was read, in the parts that are chosen; what could not be read is left out and listed.
fn divided(params: &Params, path: &Path, folder: &ReadFolder) -> Result<SegmentationData, ParamError> {
    let Examined { listing, rules, exams, unread, duplicates, .. } = &*folder.examined;
    let reader = Reader::default().with_rules(rules.clone());
    let (mut items, mut readable) = (Vec::new(), Vec::new());
    for (pair, item) in folder.items.iter().enumerate() {
        if let Some(item) = item {
            items.push(item.clone());
            readable.push(pair);
        }
    }
    if items.is_empty() {
        let first = unread.first();
        let reason = first.map_or_else(String::new, |first| format!(": {}: {}", first.path.display(), first.problem));
        return Err(invalid(format!("none of the {} pairs in {} can be read{reason}", exams.len(), path.display())));
    }
    let seen = Seen { listing, exams, unread, duplicates, rules };
    let plan = plan(seen, &split_choice(params));
    let mut data = assemble(params, listing, (items, &readable), &plan)?;
    data.folder = Some(path.to_owned());
    data.which = folder_choice(params);
    data.summary.extend(rules.lines());
    data.rules = rules.clone();
    data.summary.extend(reduced(&data.items));
    data.put_pixel_size(pixel_size(params)?);
    data.summary.push(format!("data doctor: {}", doctor::summary(&data.findings)));
    let shown: Vec<&Pair> = data.wall_items().map(|item| &listing.pairs[readable[item]]).collect();
    let ties = |pair: usize| {
        let exam = exams[pair].as_ref()?;
        Some(Arc::new(Ties::of(&listing.pairs[pair], exam.fingerprint.clone(), exam.patient.clone())))
    };
    data.ties = readable.iter().filter_map(|&pair| ties(pair)).collect();
    data.wall_pictures = shown
        .into_par_iter()
        .map(|pair| reader.picture(&pair.image).map_err(|p| invalid(format!("{}: {}", p.path.display(), p.problem))))
        .collect::<Result<_, _>>()?;
    let wanted = joined::wanted(listing, JOINED.of(params));
    data.waiting = listing.drawn.iter().filter(|drawn| !wanted.contains(&drawn.pair.name)).count();
    if wanted.is_empty() {
        return Ok(data);
    }
    let found = data.joined_from(listing, &wanted, params)?;
    let mut data = found.data;
    data.summary.extend(found.summary.into_iter().chain(found.warnings));
    Ok(data)
}

/// CRC-32 of an image and its lesions as they were read, before they are made smaller: what looks alike, and so the split,
/// is judged by that.
fn checksum(name: &str, sample: &Sample) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(name.as_bytes());
    for side in [sample.picture.width, sample.picture.height] {
        hasher.update(&(side as u64).to_le_bytes());
    }
    hasher.update(&sample.picture.rgb);
    let lesions: Vec<u8> = sample.mask.pixels().iter().map(|&lesion| u8::from(lesion)).collect();
    hasher.update(&lesions);
    hasher.finalize()
}

/// The items, which are of the pairs `readable`, in the parts of the plan.
fn assemble(
    params: &Params,
    listing: &Listing,
    (items, readable): (Vec<Arc<Item>>, &[usize]),
    plan: &SplitPlan,
) -> Result<SegmentationData, ParamError> {
    let parts: Vec<Option<Part>> = readable.iter().map(|&pair| plan.split.part(pair)).collect();
    let groups = readable.iter().map(|&pair| plan.groups[pair]).collect();
    let mut summary = listing.describe();
    summary.extend(plan.lines.iter().cloned());
    let (table, findings) = (plan.table.clone(), plan.findings.clone());
    let Input { channels, size, fit } = input(params);
    let mut data = SegmentationData {
        size,
        channels,
        fit,
        items,
        groups,
        summary,
        root: listing.root.clone(),
        table,
        findings,
        ..SegmentationData::default()
    };
    data.put_split(&Split::of(&parts), plan.given.as_deref(), params)?;
    data.describe();
    Ok(data)
}

impl SegmentationData {
    /// The size of a pixel of an item's file, where distances are in millimetres.
    pub fn spacing(&self, item: usize) -> Option<Spacing> {
        self.spacings.get(item).copied()
    }

    pub fn in_millimetres(&self) -> bool {
        !self.spacings.is_empty()
    }

    /// What distances are in.
    pub fn unit(&self) -> Unit {
        Unit::of(self.spacings.first().copied())
    }

    /// Decides what distances are measured in, and says so where it is not as ever.
    fn put_pixel_size(&mut self, choice: PixelSize) {
        let of_files: Vec<(&str, Option<Spacing>)> =
            self.items.iter().map(|item| (item.name.as_str(), item.spacing)).collect();
        let (spacings, line) = spacing_of_all(&of_files, choice);
        self.spacings = spacings;
        self.summary.extend(line);
    }

    /// Takes a split and says so. `given`: where it is named, if it is.
    fn put_split(&mut self, split: &Split, given: Option<&str>, params: &Params) -> Result<(), ParamError> {
        let images = |part: Part| counted(split.pairs(part).len(), "image", "images");
        if split.train.is_empty() || split.validation.is_empty() {
            let (key, by, way) = match given {
                Some(source) => {
                    (AS_GIVEN.key(), format!("by {source}, "), "name other parts there, or set `split` to random")
                }
                None if GROUP_BY.of(params) != GroupBy::Nothing => {
                    (GROUP_BY.key(), "by these groups, ".to_owned(), "choose another grouping, or give more images")
                }
                None => (TRAIN_SHARE.key(), String::new(), "give more images, or other shares"),
            };
            let mut groups: Vec<usize> = (0..self.items.len()).map(|item| self.group(item)).collect();
            groups.sort_unstable();
            groups.dedup();
            let by = match groups.len() {
                few @ 1..=2 if self.items.len() > few => {
                    let groups = counted(few, "group", "groups");
                    format!(
                        "{by}all images are of {groups} (of one film, volume or patient), which are never divided: "
                    )
                }
                _ => by,
            };
            let problem = format!(
                "{by}{} leave {} for training and {} for validation; each needs at least one: {way}",
                counted(self.items.len(), "usable image", "usable images"),
                split.train.len(),
                split.validation.len()
            );
            return Err(ParamError::invalid(key, problem));
        }
        self.summary.push(format!(
            "split: {} for training, {} for validation, {} for the test",
            images(Part::Train),
            split.validation.len(),
            split.test.len()
        ));
        self.own = self.items.len();
        self.parts = (0..self.items.len()).map(|item| split.part(item)).collect();
        self.take_parts(params)?;
        if let (true, Some(&one)) = (OVERFIT.of(params), self.train.first()) {
            self.summary.push(format!("sanity test: trained and validated on {} alone", self.items[one].name));
        }
        Ok(())
    }

    /// Training, validation, test and wall from [`Self::parts`]; where one image is to be learnt by heart, that is all there
    /// is to train and validate on.
    pub(super) fn take_parts(&mut self, params: &Params) -> Result<(), ParamError> {
        let Split { train, validation, test } = Split::of(&self.parts);
        (self.train, self.validation, self.test) = (train, validation, test);
        if OVERFIT.of(params) {
            let wanted = OVERFIT_IMAGE.of(params);
            let each = self.outputs();
            let Some(one) = self.train.chunks(each).nth(wanted as usize) else {
                return Err(ParamError::OutOfRange {
                    key: OVERFIT_IMAGE.key().to_owned(),
                    value: wanted.to_string(),
                    expected: format!("a training image from 0 to {}", self.train.len() / each - 1),
                });
            };
            (self.train, self.validation) = (one.to_vec(), one.to_vec());
        }
        let each = self.outputs();
        let (all, shown) = (self.validation.len() / each, WALL_IMAGES.of(params) as usize);
        let shown = shown.div_ceil(each).min(all);
        let images = (0..shown).map(|i| (2 * i + 1) * all / (2 * shown));
        self.wall = images.flat_map(|image| each * image..each * (image + 1)).collect();
        Ok(())
    }

    /// Outputs of the network: items of an image.
    pub fn outputs(&self) -> usize {
        self.structures.len().max(1)
    }

    /// Which image is in which part, known by its content again.
    pub fn split_table(&self) -> Payload {
        let parts = [(Part::Train, &self.train), (Part::Validation, &self.validation), (Part::Test, &self.test)];
        let mut rows = Vec::new();
        for (part, images) in parts {
            rows.extend(images.iter().step_by(self.outputs()).map(|&i| {
                let item = &self.items[i];
                vec![
                    structures::image_name(item, &self.structures).to_owned(),
                    part.name().to_owned(),
                    if self.structures.is_empty() { item.class.clone() } else { String::new() },
                    format!("{:016x}", item.content),
                    self.group(i).to_string(),
                ]
            }));
        }
        Payload::Table { columns: SPLIT_COLUMNS.map(str::to_owned).to_vec(), rows }
    }

    /// The part of every item as a letter each (`t`, `v`, `e`; `-`: none), behind the CRC-32 of the items' names: what a
    /// checkpoint keeps, so that a run goes on with its own parts.
    pub fn parts_in_letters(&self) -> String {
        let mut hasher = crc32fast::Hasher::new();
        for item in &self.items {
            hasher.update(item.name.as_bytes());
            hasher.update(b"\n");
        }
        let letter = |part: &Option<Part>| part.map_or('-', |part| LETTERS[part as usize]);
        format!("{:08x} {}", hasher.finalize(), self.parts.iter().map(letter).collect::<String>())
    }

    /// The same data in the parts that [`Self::parts_in_letters`] gave; `None`: they are of other images.
    pub fn in_parts(&self, letters: &str, params: &Params) -> Option<SegmentationData> {
        let own = self.parts_in_letters();
        let ((names, letters), (own_names, _)) = (letters.split_once(' ')?, own.split_once(' ')?);
        if names != own_names || letters.len() != self.items.len() {
            return None;
        }
        let part = |letter: char| LETTERS.iter().position(|&known| known == letter).map(|at| Part::ALL[at]);
        let mut data = SegmentationData { parts: letters.chars().map(part).collect(), ..self.clone() };
        data.take_parts(params).ok()?;
        Some(data)
    }

    /// CRC-32 of the data set's own pictures, whatever their masks: what changes in no run.
    pub fn pictures(&self) -> String {
        let mut hasher = crc32fast::Hasher::new();
        self.items[..self.own].iter().for_each(|item| hasher.update(&item.content.to_le_bytes()));
        format!("{:08x}", hasher.finalize())
    }

    /// Says anew what it is, where it is a folder's, after items have come or changed.
    pub(super) fn describe(&mut self) {
        let (own, here) = self.items.split_at(self.own);
        let mut hasher = crc32fast::Hasher::new();
        own.iter().for_each(|item| hasher.update(&item.checksum.to_le_bytes()));
        self.description = format!(
            "{}: {} with masks, CRC-32 {:08x}, at {} pixels{}",
            self.root.display(),
            counted(own.len(), "image", "images"),
            hasher.finalize(),
            self.size,
            joined::described(here)
        );
    }

    /// [`Self::description`] with the parts' checksum; empty for generated images.
    pub fn described(&self) -> String {
        if self.description.is_empty() {
            return String::new();
        }
        format!("{}, parts CRC-32 {:08x}", self.description, crc32fast::hash(self.parts_in_letters().as_bytes()))
    }

    /// The group of an item; alone where nothing is known.
    pub fn group(&self, item: usize) -> usize {
        self.groups.get(item).copied().unwrap_or(item)
    }

    /// The training images that make an epoch, each as often as patches would cover it: once where the network sees it whole. Of
    /// several structures, the items of the first.
    pub fn epoch(&self) -> Vec<usize> {
        let times = |&i: &usize| std::iter::repeat_n(i, pieces::covering(self.items[i].frame, self.size));
        self.train.iter().step_by(self.outputs()).flat_map(times).collect()
    }

    /// The items whose outlines are shown while training.
    pub fn wall_items(&self) -> impl Iterator<Item = usize> + '_ {
        self.wall.iter().map(|&at| self.validation[at])
    }

    /// The same data with the corrected masks that are in the folder now, and the items whose mask has changed. Images
    /// that were without a mask so far join by name; see [`Self::joined`].
    pub fn corrected(&self) -> Result<(SegmentationData, Vec<usize>), DataError> {
        // A mask that is drawn here is of one structure.
        let Some(folder) = self.folder.as_ref().filter(|_| self.structures.is_empty()) else {
            return Ok((self.clone(), Vec::new()));
        };
        let listing = scan_chosen(folder, None, &self.which, Watch::nobody())?;
        // The items are shared; only those that change are copied.
        let mut data = self.clone();
        let mut changed = Vec::new();
        let reader = Reader::default().with_rules(self.rules.clone());
        let places: HashMap<&str, usize> = self.items.iter().enumerate().map(|(i, item)| (&*item.name, i)).collect();
        for pair in listing.every_pair() {
            let Some(&i) = places.get(&*pair.name) else { continue };
            let corrected = correction(pair);
            if corrected == self.items[i].corrected {
                continue;
            }
            let sample = reader.pair(pair).map_err(|problem| DataError::file(problem.path, problem.problem))?;
            let item = Arc::make_mut(&mut data.items[i]);
            item.corrected = corrected;
            if sample.mask != item.truth {
                item.checksum = checksum(&item.name, &sample);
                item.mask = prepare_mask(&sample.mask, self.size, self.fit);
                item.truth = sample.mask;
                changed.push(i);
            }
        }
        data.describe();
        Ok((data, changed))
    }
}

/// The size of a pixel of every image, by name and with what its file says; none where distances stay in pixels, since a
/// mean over pixels and millimetres would mean nothing. With what there is to say of it.
pub fn spacing_of_all(images: &[(&str, Option<Spacing>)], choice: PixelSize) -> (Vec<Spacing>, Option<String>) {
    let known: Vec<Spacing> = images.iter().filter_map(|(_, spacing)| *spacing).collect();
    match choice {
        PixelSize::Pixels if known.is_empty() => (Vec::new(), None),
        PixelSize::Pixels => {
            (Vec::new(), Some("distances and areas are in pixels, as chosen, whatever the files say".to_owned()))
        }
        PixelSize::Typed(spacing) => {
            let line = format!("a pixel is {} (as typed): distances are in mm, areas in mm²", spacing.text());
            (vec![spacing; images.len()], Some(line))
        }
        PixelSize::OfFiles if known.is_empty() => (Vec::new(), None),
        PixelSize::OfFiles if known.len() < images.len() => {
            let first = images.iter().find(|(_, spacing)| spacing.is_none()).map_or("", |(name, _)| name);
            let missing = counted(images.len() - known.len(), "image does", "images do");
            let line = format!(
                "distances are in pixels: {missing} not say how large a pixel is (the first is {first}), and {} of {} do; \
                 type the size (`spacing`), or leave those images out",
                known.len(),
                images.len()
            );
            (Vec::new(), Some(line))
        }
        PixelSize::OfFiles => {
            let sides = known.iter().flat_map(|spacing| [spacing.row, spacing.column]);
            let (least, most) =
                sides.fold((f64::INFINITY, 0.0_f64), |(least, most), side| (least.min(side), most.max(side)));
            let first = known[0];
            let size = if known.iter().all(|spacing| *spacing == first) {
                format!("a pixel is {}", first.text())
            } else {
                format!("pixels have sides of {least} to {most} mm")
            };
            (known, Some(format!("{size} (as the files say): distances are in mm, areas in mm²")))
        }
    }
}

/// Refuses what would fill the memory. `sizes`: width and height of every image.
pub(super) fn check_memory(
    sizes: impl ExactSizeIterator<Item = (u32, u32)>,
    params: &Params,
) -> Result<(), ParamError> {
    let input = input(params);
    let count = sizes.len();
    let (size, gib) = (input.size, input.gib(sizes, structures::count(params)));
    if gib <= MOST_GIB {
        return Ok(());
    }
    if let Fit::Patches { percent } = input.fit {
        let problem = format!(
            "{count} images at {percent} % of their size, in patches of {size}×{size} pixels, take {gib:.0} GiB of memory, more \
             than {MOST_GIB}; choose a smaller scale or fewer images"
        );
        return Err(ParamError::invalid(PATCH_SCALE.key(), problem));
    }
    Err(ParamError::invalid(
        IMAGE_SIZE.key(),
        format!(
            "{count} images of {size}×{size} pixels take {gib:.0} GiB of memory, more than {MOST_GIB}; choose a smaller size \
             or fewer images"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_in_millimetres_only_where_every_image_says_how_large_a_pixel_is() {
        let (small, large) = (Spacing { row: 0.1, column: 0.1 }, Spacing { row: 0.2, column: 0.3 });
        let all = [("a", Some(small)), ("b", Some(large))];
        let (spacings, line) = spacing_of_all(&all, PixelSize::OfFiles);
        assert_eq!(spacings, [small, large]);
        assert!(line.unwrap().starts_with("pixels have sides of 0.1 to 0.3 mm"));
        let some = [("a", Some(small)), ("b", None)];
        let (spacings, line) = spacing_of_all(&some, PixelSize::OfFiles);
        assert!(spacings.is_empty());
        assert!(line.unwrap().contains("1 image does not say how large a pixel is (the first is b), and 1 of 2 do"));
        assert_eq!(spacing_of_all(&some, PixelSize::Typed(large)).0, [large; 2]);
        assert_eq!(spacing_of_all(&all, PixelSize::Pixels).0, []);
        assert_eq!(spacing_of_all(&[("a", None)], PixelSize::OfFiles), (Vec::new(), None), "as ever: nothing is said");
    }

    #[test]
    fn one_changed_pixel_or_weight_changes_what_the_header_says() {
        let folder = tempfile::tempdir().unwrap();
        let save = |name: &str, of: &dyn Fn(u32, u32) -> u8| {
            let pixel = |x, y| image::Luma([of(x, y)]);
            image::GrayImage::from_fn(200, 160, pixel).save(folder.path().join(name)).unwrap();
        };
        let shade = |i: u32, x: u32, y: u32| ((x * (i + 3) + y * 7) % 251) as u8;
        let lesion = |x: u32, y: u32| 255 * u8::from((40..90).contains(&x) && (30..80).contains(&y));
        for i in 0..6 {
            save(&format!("{i}.png"), &|x, y| shade(i, x, y));
            save(&format!("{i}_mask.png"), &lesion);
        }
        std::fs::write(folder.path().join("w.pt"), "weights").unwrap();
        let mut params = Params::defaults(super::super::params::PARAMS);
        let mut set = |text: &str| params.set_text(super::super::params::PARAMS, text).unwrap();
        set("source=folder");
        set(&format!("data={}", folder.path().display()));
        set("image_size=16");
        set(&format!("weights={}", folder.path().join("w.pt").display()));
        let mut seen = vec![data(&params).unwrap()];
        assert_eq!(data(&params).unwrap(), seen[0]);
        // A pixel that is skipped where pictures are made smaller.
        save("3.png", &|x, y| shade(3, x, y) ^ u8::from((x, y) == (1, 1)));
        seen.push(data(&params).unwrap());
        save("4_mask.png", &|x, y| lesion(x, y) * u8::from((x, y) != (60, 50)));
        seen.push(data(&params).unwrap());
        std::fs::write(folder.path().join("w.pt"), "weighty").unwrap();
        seen.push(data(&params).unwrap());
        assert_eq!(seen.iter().collect::<std::collections::HashSet<_>>().len(), 4, "{seen:#?}");
    }
}
