//! Finds the pairs of images and masks in a folder, in the BUSI layout or any other whose names or folders tell them
//! apart, and says what it found. Reads names and sizes, and a few pictures where names do not tell.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::choice::FolderChoice;
use super::drawings;
use super::given::{self, FolderSays, Given};
use super::guess;
use super::mapping::{self, Mapping};
use super::matching::{Matched, match_files};
use super::names::{Role, busi_class, folder_role};
use super::read::Reader;
use super::split::Part;
use super::walk::{Files, Found, walk};
use super::{DataError, Problem, Watch, counted};
use crate::data::folder::natural_order;
use crate::data::labelme;
use crate::data::picture_file::ForeignFiles;

pub use crate::data::picture_file::Size;

/// Folder within a data set for corrected masks; the data set's own files are never written to.
pub const CORRECTIONS: &str = "learnscope-masks";

/// A picture of more colours is no mask, where nothing else tells.
const MOST_COLOURS: usize = 32;

/// An image with the masks of its lesions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The image's path below the folder without extension, with `/`.
    pub name: String,
    /// What comes before the number in the BUSI layout, else the folder where folders have names of their own.
    pub class: Option<String>,
    pub image: PathBuf,
    pub size: Size,
    /// The data set's own masks in their order; their lesions are joined. Empty where only a drawn mask exists.
    pub masks: Vec<PathBuf>,
    pub mask_sizes: Vec<Size>,
    /// Labels of labelme's shapes that are lesion; none: all. Of other masks it says nothing.
    pub labels: Vec<String>,
    /// A mask that was corrected or drawn in this program; it stands in for all of `masks`.
    pub corrected: Option<PathBuf>,
}

impl Pair {
    /// The files that the lesions are read from.
    pub fn masks_in_use(&self) -> &[PathBuf] {
        self.corrected.as_ref().map_or(&self.masks, std::slice::from_ref)
    }
}

/// An image whose only mask was drawn in this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    pub pair: Pair,
    /// The part that the data set names for it in each fold of [`Listing::given`].
    pub given: Vec<Option<Part>>,
}

/// How images and masks are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// `class (n).png` with `class (n)_mask.png`, `_mask_1.png`, ..; `split`: in folders of images and of masks.
    Busi { split: bool },
    /// The mask's name is the image's with an addition, `_seg` or `mask_` (`prefix`).
    Affix { affix: String, prefix: bool },
    /// Folders of images and folders of masks.
    Parallel { images: String, masks: String },
    /// The same, with names that have a part in common; the notes say which.
    Rest { images: String, masks: String },
    /// By two patterns.
    Mapped { images: String, masks: String },
    /// No masks but drawn ones.
    Drawn,
}

/// What is in a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// The folder that was searched; the chosen one, or the one above where the chosen one holds the images alone.
    pub root: PathBuf,
    /// Where corrected masks are kept.
    pub corrections: PathBuf,
    pub layout: Layout,
    /// In natural order of their names.
    pub pairs: Vec<Pair>,
    /// Images that were labelled here, in a data set that has masks of its own: they are of no part of its split.
    pub drawn: Vec<Drawn>,
    pub unpaired_images: Vec<PathBuf>,
    pub unpaired_masks: Vec<PathBuf>,
    /// Files that cannot be read or paired, with reasons.
    pub problems: Vec<Problem>,
    /// Files that are no pictures.
    pub other_files: usize,
    /// Those of them that are pictures of kinds that are not read.
    pub foreign: ForeignFiles,
    /// The parts of a split that folders or a file name.
    pub given: Option<Given>,
    /// Pairs of classes that are left out, as chosen.
    pub left_out: Vec<Pair>,
    /// How many people have drawn the same masks, as far as folders and names tell; 0 or 1: one.
    pub people: usize,
    /// Labels of labelme's shapes with their number, where masks are drawn by them.
    pub labels: BTreeMap<String, usize>,
    /// What else there is to say, one statement each.
    pub notes: Vec<String>,
    /// Files that name parts and cannot be used, with reasons.
    pub unusable_splits: Vec<Problem>,
}

/// Where the corrected masks of a data set are kept unless somebody chooses another folder.
pub fn default_corrections(root: &Path) -> PathBuf {
    root.join(CORRECTIONS)
}

/// Lists a folder with all its classes; see [`scan_chosen`].
pub fn scan(folder: &Path, corrections: Option<&Path>, watch: Watch<'_>) -> Result<Listing, DataError> {
    scan_chosen(folder, corrections, &FolderChoice::default(), watch)
}

/// Lists a folder. `corrections`: where corrected masks are, or `None` for [`default_corrections`]. Names what was
/// expected where there is no pair. What of `choice` does not fit the folder is left out of account: see
/// [`FolderChoice::check`].
pub fn scan_chosen(
    folder: &Path,
    corrections: Option<&Path>,
    choice: &FolderChoice,
    watch: Watch<'_>,
) -> Result<Listing, DataError> {
    if !folder.is_dir() {
        let problem = if folder.exists() { "is not a folder" } else { "does not exist" };
        return Err(DataError::file(folder, format!("{problem}; choose the folder that holds the images")));
    }
    let search = |root: &Path, enter: &dyn Fn(&str) -> bool| {
        let corrections = corrections.map_or_else(|| default_corrections(root), Path::to_owned);
        let mut files = walk(root, &corrections, enter, watch)?;
        let drawn =
            if corrections.is_dir() { walk(&corrections, Path::new(""), &|_| true, watch)? } else { Files::default() };
        let mut notes = Vec::new();
        if let Some(mapping) = &choice.mapping {
            if mapping.takes_drawings() {
                files.others = files.others.saturating_sub(files.drawings.len());
                files.pictures.extend(drawings::as_masks(std::mem::take(&mut files.drawings), watch));
            }
            let matched =
                Matched { mapping: Some(mapping.clone()), ..mapping.matched(&files.pictures, &drawn.pictures) };
            return Ok::<_, DataError>((root.to_owned(), corrections, files, drawn, matched));
        }
        let annotator = choice.annotator.max(1);
        let known: HashSet<String> = files.pictures.iter().map(plain).collect();
        files.pictures = guess::without_companions(std::mem::take(&mut files.pictures), &mut notes);
        files.pictures = guess::without_fields_of_view(std::mem::take(&mut files.pictures), &mut notes);
        let mut people = guess::join_places(&mut files.pictures, annotator, &mut notes);
        let mut matched = match_files(&files.pictures, &drawn.pictures);
        if matched.pairs.iter().all(|pair| pair.masks.is_empty())
            && let Some((affix, drawn_by)) =
                guess::beside(&mut files.pictures, &|file| few_colours(&file.path), annotator, &mut notes)
        {
            people = people.max(drawn_by);
            matched = match_files(&files.pictures, &drawn.pictures);
            matched.affix = Some(affix);
        }
        if matched.pairs.iter().all(|pair| pair.masks.is_empty())
            && let Some(mapping) = mapping::beyond_doubt(&files.pictures, &|file| few_colours(&file.path))
        {
            matched = mapping.matched(&files.pictures, &drawn.pictures);
            matched.notes.push(told_by(&mapping));
            matched.mapping = Some(mapping);
        }
        // Shapes stand in where there is no mask of the data set's own.
        let corrected = matched.pairs.iter().filter(|pair| pair.masks.is_empty()).map(|pair| pair.image);
        let lone: Vec<&Found> =
            matched.lone_images.iter().copied().chain(corrected).map(|i| &files.pictures[i]).collect();
        let shapes = drawings::of_images(&files.drawings, &lone);
        if !shapes.is_empty() && matched.mapping.is_none() {
            files.others = files.others.saturating_sub(shapes.len());
            files.pictures.extend(shapes);
            let no_masks = matched.pairs.iter().all(|pair| pair.masks.is_empty());
            let affix = matched.affix.take().or_else(|| no_masks.then(String::new));
            matched = Matched { affix, ..match_files(&files.pictures, &drawn.pictures) };
        }
        drawings::not_of_others(&mut matched, &drawn.pictures, &known, &mut notes);
        matched.people = people;
        matched.notes.extend(notes);
        Ok((root.to_owned(), corrections, files, drawn, matched))
    };
    let mut found = search(folder, &|_| true)?;
    if found.4.pairs.is_empty()
        && choice.mapping.is_none()
        && let Some(parent) = parent_of_role_folder(folder)
    {
        let beside = search(&parent, &|name| folder_role(name).0.is_some())?;
        if !beside.4.pairs.is_empty() {
            found = beside;
        }
    }
    let (root, corrections, files, drawn, matched) = found;
    if files.pictures.is_empty() {
        let others = match files.others {
            0 => String::new(),
            1 => " in its 1 file".to_owned(),
            several => format!(" among its {several} files"),
        };
        let foreign = files.foreign.told();
        let problem = format!(
            "holds no pictures{others}; expected PNG, JPEG, BMP, TIFF, GIF, DICOM or NIfTI files of images and masks{foreign}"
        );
        return Err(DataError::file(folder, problem));
    }
    let (mut listing, folders) = measured(&files.pictures, &drawn.pictures, matched, choice, watch)?;
    drawings::tell(&mut listing, &files.pictures, &files.drawings, &choice.labels);
    if files.hidden > 0 {
        let hidden = counted(files.hidden, "hidden file", "hidden files");
        listing.notes.push(format!("{hidden} with the name of a picture, such as `._a.png`, not looked at"));
    }
    listing.problems.extend(files.problems.iter().cloned());
    for (part, name) in &files.part_folders {
        if !folders.iter().any(|(said, _)| said.as_ref().is_some_and(|(said, _)| said == part)) {
            let text = format!("the folder `{name}` is named for {}, but no pair lies in it", part.label());
            listing.notes.push(text);
        }
    }
    let Listing { pairs, notes, unusable_splits, unpaired_images, problems, left_out, .. } = &mut listing;
    let left_out = left_out.iter().map(|pair| &pair.image);
    let aside = unpaired_images.iter().chain(problems.iter().map(|problem| &problem.path)).chain(left_out);
    let stems = aside.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()));
    listing.given = given::find(&files, pairs, &folders, stems, notes, unusable_splits);
    // Of a folder without masks of its own, drawn ones are the data set.
    if listing.pairs.iter().any(|pair| !pair.masks.is_empty()) {
        listing.set_aside(|_| true);
    }
    Ok(Listing { root, corrections, other_files: files.others, foreign: files.foreign, ..listing })
}

/// Two patterns that a folder's names suggest, to be looked at by somebody before they are used.
pub fn suggested(folder: &Path, watch: Watch<'_>) -> Result<Option<Mapping>, DataError> {
    let files = walk(folder, &default_corrections(folder), &|_| true, watch)?;
    Ok(mapping::likely(&files.pictures, &|file| few_colours(&file.path)))
}

fn told_by(mapping: &Mapping) -> String {
    format!(
        "images and masks are told apart by their names, which pair one to one, and by their colours: `{}` and `{}`; say \
         otherwise with images_in and masks_in",
        mapping.images.text(),
        mapping.masks.text()
    )
}

/// A file's path below the folder without extension, in lower case.
fn plain(file: &Found) -> String {
    file.relative.rsplit_once('.').map_or(file.relative.as_str(), |(name, _)| name).to_lowercase()
}

/// Whether a picture has as few values as a mask.
fn few_colours(path: &Path) -> bool {
    let Ok(picture) = Reader::default().picture(path) else { return false };
    let mut colours: Vec<[u8; 3]> = picture.rgb.as_chunks().0.to_vec();
    colours.sort_unstable();
    colours.dedup();
    colours.len() <= MOST_COLOURS
}

/// The folder above one that is named as a folder of images or of masks.
fn parent_of_role_folder(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    folder_role(&folder.file_name()?.to_string_lossy()).0?;
    folder.parent().map(Path::to_owned)
}

/// Reads the sizes and leaves out what has none.
fn measured(
    pictures: &[Found],
    drawn: &[Found],
    matched: Matched,
    choice: &FolderChoice,
    watch: Watch<'_>,
) -> Result<(Listing, Vec<FolderSays>), DataError> {
    let layout = layout(pictures, &matched);
    let total = pictures.len() + drawn.len();
    let done = AtomicUsize::new(0);
    let sizes: Vec<Option<Result<Size, String>>> = pictures
        .par_iter()
        .chain(drawn)
        .map(|file| {
            let size = (!watch.cancelled()).then(|| file.size());
            (watch.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            size
        })
        .collect();
    let sizes: Vec<Result<Size, String>> = sizes.into_iter().collect::<Option<_>>().ok_or(DataError::Cancelled)?;

    let mut problems: Vec<Problem> = pictures
        .iter()
        .chain(drawn)
        .zip(&sizes)
        .filter_map(|(file, size)| Some(Problem { path: file.path.clone(), problem: size.as_ref().err()?.clone() }))
        .collect();
    let mut pairs = Vec::with_capacity(matched.pairs.len());
    let mut folders = Vec::with_capacity(matched.pairs.len());
    for found in &matched.pairs {
        let image = &pictures[found.image];
        let corrected = found.drawn.filter(|&i| sizes[pictures.len() + i].is_ok()).map(|i| drawn[i].path.clone());
        let Ok(size) = sizes[found.image] else { continue };
        if corrected.is_none() && found.masks.iter().any(|&mask| sizes[mask].is_err()) {
            let problem = "is left out, since a mask of it cannot be read".to_owned();
            problems.push(Problem { path: image.path.clone(), problem });
            continue;
        }
        folders.push((image.part.zip(image.part_folder.clone()), image.plain_folder.is_some()));
        let good: Vec<usize> = found.masks.iter().copied().filter(|&mask| sizes[mask].is_ok()).collect();
        pairs.push(Pair {
            name: image.relative.rsplit_once('.').map_or(image.relative.as_str(), |(name, _)| name).to_owned(),
            class: busi_class(&image.stem).map(str::to_owned).or_else(|| class_folder(image)),
            image: image.path.clone(),
            size,
            mask_sizes: good.iter().filter_map(|&mask| sizes[mask].clone().ok()).collect(),
            masks: good.iter().map(|&mask| pictures[mask].path.clone()).collect(),
            labels: choice.labels.clone(),
            corrected,
        });
    }
    without_one_class(&mut pairs);
    let leaves_out = |pair: &Pair| pair.class.as_ref().is_some_and(|class| choice.leaves_out(class));
    let (left_out, chosen): (Vec<_>, Vec<_>) = pairs.into_iter().zip(folders).partition(|(pair, _)| leaves_out(pair));
    let left_out: Vec<Pair> = left_out.into_iter().map(|(pair, _)| pair).collect();
    let (pairs, folders) = chosen.into_iter().unzip();
    let readable = |list: &[usize]| -> Vec<PathBuf> {
        list.iter().filter(|&&i| sizes[i].is_ok()).map(|&i| pictures[i].path.clone()).collect()
    };
    let (unpaired_images, unpaired_masks) = (readable(&matched.lone_images), readable(&matched.lone_masks));
    problems.extend(matched.problems);
    let listing = Listing {
        root: PathBuf::new(),
        corrections: PathBuf::new(),
        layout,
        pairs,
        drawn: Vec::new(),
        unpaired_images,
        unpaired_masks,
        problems,
        other_files: 0,
        foreign: ForeignFiles::default(),
        given: None,
        left_out,
        people: matched.people,
        labels: BTreeMap::new(),
        notes: matched.notes,
        unusable_splits: Vec::new(),
    };
    Ok((listing, folders))
}

/// The folder that may be a class: not one of a fold.
fn class_folder(image: &Found) -> Option<String> {
    image.plain_folder.clone().filter(|folder| given::fold_number(folder).is_none())
}

/// One folder for all (`v1`, the name of the data set) is no class of any; BUSI's names say theirs even alone.
fn without_one_class(pairs: &mut [Pair]) {
    let stem = |pair: &Pair| pair.name.rsplit('/').next().unwrap_or(&pair.name).to_owned();
    let first = pairs.first().and_then(|pair| pair.class.clone());
    if pairs.iter().all(|pair| pair.class == first && busi_class(&stem(pair)).is_none()) {
        pairs.iter_mut().for_each(|pair| pair.class = None);
    }
}

/// The layout that most pairs have.
fn layout(pictures: &[Found], matched: &Matched) -> Layout {
    let first = |list: HashMap<String, usize>| {
        list.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0))).map(|(name, _)| name)
    };
    let (mut busi, mut split, mut named, mut prefixed) = (0, 0, 0, 0);
    let (mut affixes, mut image_folders, mut mask_folders) = (HashMap::new(), HashMap::new(), HashMap::new());
    let masks = || {
        let all = matched.pairs.iter().flat_map(|pair| pair.masks.iter().map(move |&mask| (pair.image, mask)));
        all.filter(|&(_, mask)| !labelme::is_name(&pictures[mask].path))
    };
    for (image, mask) in masks() {
        let (image, mask, name) = (&pictures[image], &pictures[mask], matched.names.get(&mask));
        if let Some(name) = name {
            named += 1;
            prefixed += usize::from(name.prefix);
            busi += usize::from(name.affix == "_mask" && busi_class(&image.stem).is_some());
            *affixes.entry(name.affix.clone()).or_insert(0) += 1;
        }
        if mask.role == Some(Role::Masks) {
            split += 1;
            let folder = |file: &Found| file.role_folder.clone().unwrap_or_else(|| "the folder itself".to_owned());
            *image_folders.entry(folder(image)).or_insert(0) += 1;
            *mask_folders.entry(folder(mask)).or_insert(0) += 1;
        }
    }
    let all = masks().count();
    if let Some(Mapping { images, masks }) = &matched.mapping {
        return Layout::Mapped { images: images.text().to_owned(), masks: masks.text().to_owned() };
    }
    match (first(affixes), first(image_folders), first(mask_folders)) {
        _ if matched.affix.is_some() => {
            Layout::Affix { affix: matched.affix.clone().unwrap_or_default(), prefix: false }
        }
        _ if all == 0 => Layout::Drawn,
        (_, Some(images), Some(masks)) if 2 * matched.by_rest > all => Layout::Rest { images, masks },
        _ if 10 * busi >= 9 * all => Layout::Busi { split: 2 * split > all },
        (Some(affix), ..) if 2 * named > all => Layout::Affix { affix, prefix: 2 * prefixed > named },
        (_, Some(images), Some(masks)) => Layout::Parallel { images, masks },
        (affix, ..) => Layout::Affix { affix: affix.unwrap_or_default(), prefix: false },
    }
}

impl Layout {
    /// In words.
    pub fn describe(&self) -> String {
        match self {
            Layout::Busi { split: false } => "BUSI layout: `class (n)` with `class (n)_mask`".to_owned(),
            Layout::Busi { split: true } => {
                "BUSI layout, images and masks in folders of their own: `class (n)` with `class (n)_mask`".to_owned()
            }
            Layout::Affix { affix, .. } if affix.is_empty() => {
                "a mask is named as its image, in another format".to_owned()
            }
            Layout::Affix { affix, prefix: true } => format!("a mask is named `{affix}` before the image's name"),
            Layout::Affix { affix, prefix: false } => format!("a mask is named as its image with `{affix}` added"),
            Layout::Parallel { images, masks } => format!("images in `{images}`, masks of the same names in `{masks}`"),
            Layout::Rest { images, masks } => format!("images in `{images}`, masks of other names in `{masks}`"),
            Layout::Mapped { images, masks } => format!("images are `{images}`, masks `{masks}`"),
            Layout::Drawn => "images without masks of their own".to_owned(),
        }
    }
}

/// Classes with the number of their pairs.
fn classes_of(pairs: &[Pair]) -> Vec<(String, usize)> {
    let mut classes: Vec<(String, usize)> = Vec::new();
    for class in pairs.iter().filter_map(|pair| pair.class.as_ref()) {
        match classes.iter_mut().find(|(name, _)| name == class) {
            Some((_, count)) => *count += 1,
            None => classes.push((class.clone(), 1)),
        }
    }
    classes
}

impl Listing {
    /// Classes with the number of their pairs, in the order of the pairs.
    pub fn classes(&self) -> Vec<(String, usize)> {
        classes_of(&self.pairs)
    }

    /// Takes those of the pairs that have nothing but a drawn mask out of the data set, which is split without them.
    pub fn set_aside(&mut self, which: impl Fn(&Pair) -> bool) {
        let mut folds: Vec<&mut Vec<Option<Part>>> =
            self.given.iter_mut().flat_map(|given| &mut given.folds).map(|fold| &mut fold.parts).collect();
        // From the last on, so that numbers of pairs stay true.
        for i in (0..self.pairs.len()).rev() {
            if self.pairs[i].masks.is_empty() && which(&self.pairs[i]) {
                let given =
                    folds.iter_mut().map(|parts| if i < parts.len() { parts.remove(i) } else { None }).collect();
                self.drawn.push(Drawn { pair: self.pairs.remove(i), given });
            }
        }
        self.drawn.sort_by(|a, b| natural_order(&a.pair.name, &b.pair.name));
    }

    /// The pair of an image, of the data set or labelled here.
    pub fn pair_of(&self, image: &Path) -> Option<&Pair> {
        self.every_pair().find(|pair| pair.image == image)
    }

    /// All images with a mask: those of the data set, then those that were labelled here.
    pub fn every_pair(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().chain(self.drawn.iter().map(|drawn| &drawn.pair))
    }

    /// How many images have a mask, and how many there are.
    pub fn labelled(&self) -> (usize, usize) {
        let labelled = self.pairs.len() + self.drawn.len();
        (labelled, labelled + self.unpaired_images.len())
    }

    /// What was found, one statement a line, to show before it is used.
    pub fn describe(&self) -> Vec<String> {
        let mut lines = vec![format!("{}", self.root.display()), self.layout.describe()];
        let masks: usize = self.pairs.iter().map(|pair| pair.masks.len()).sum();
        let several = self.pairs.iter().filter(|pair| pair.masks.len() > 1).count();
        let mut line = format!(
            "{} of an image and its lesions, {}",
            counted(self.pairs.len(), "pair", "pairs"),
            counted(masks, "mask", "masks")
        );
        if several > 0 {
            line += &format!("; {} several, which are joined", counted(several, "image has", "images have"));
        }
        lines.push(line);
        let classes: Vec<String> = self.classes().iter().map(|(name, count)| format!("{name} {count}")).collect();
        match classes.len() {
            0 => {}
            1..=12 => lines.push(format!("classes: {}", classes.join(", "))),
            more => lines.push(format!("{more} classes: {}, ..", classes[..12].join(", "))),
        }
        if !self.left_out.is_empty() {
            let classes: Vec<String> =
                classes_of(&self.left_out).iter().map(|(name, count)| format!("{name} {count}")).collect();
            lines.push(format!("classes left out, as chosen: {}", classes.join(", ")));
        }
        let range = |side: fn(&Size) -> u32| {
            let sides = || self.pairs.iter().map(|pair| side(&pair.size));
            match (sides().min(), sides().max()) {
                (Some(low), Some(high)) if low == high => format!("{low}"),
                (Some(low), Some(high)) => format!("{low} to {high}"),
                _ => "-".to_owned(),
            }
        };
        if !self.pairs.is_empty() {
            lines.push(format!("images are {} pixels wide and {} high", range(|s| s.0), range(|s| s.1)));
        }
        let corrected = self.pairs.iter().filter(|pair| pair.corrected.is_some()).count();
        if corrected > 0 {
            lines.push(format!(
                "{} used from {}",
                counted(corrected, "corrected or drawn mask is", "corrected or drawn masks are"),
                self.corrections.display()
            ));
        }
        if !self.drawn.is_empty() {
            lines.push(format!(
                "{} here: outside the split, to train on where the parameter `joined` names them",
                counted(self.drawn.len(), "further image was labelled", "further images were labelled")
            ));
        }
        for (count, one, several) in [
            (
                self.unpaired_images.len(),
                "image without a mask is left out, until it is labelled",
                "images without a mask are left out, until they are labelled",
            ),
            (self.unpaired_masks.len(), "mask without an image is left out", "masks without an image are left out"),
            (self.problems.len(), "file cannot be used as it is", "files cannot be used as they are"),
            (self.other_files, "other file is not looked at", "other files are not looked at"),
        ] {
            if count > 0 {
                lines.push(counted(count, one, several));
            }
        }
        lines.extend(self.foreign.lines().into_iter().map(|(what, advice)| format!("{what}: {advice}")));
        lines.extend(self.notes.iter().cloned());
        lines
    }

    /// An error that says what was expected where there is no pair to train on.
    pub fn require_pairs(&self) -> Result<(), DataError> {
        if !self.pairs.is_empty() {
            return Ok(());
        }
        if let Layout::Mapped { images, masks } = &self.layout {
            let [of_images, of_masks] = [&self.unpaired_images, &self.unpaired_masks].map(Vec::len);
            let problem = format!(
                "images_in `{images}` fits {} without a mask and masks_in `{masks}` {} without an image: no two of them have the \
                 same in place of `*`",
                counted(of_images, "picture", "pictures"),
                counted(of_masks, "file", "files")
            );
            return Err(DataError::file(&self.root, problem));
        }
        let reason = match self.problems.first() {
            Some(first) => format!("; {}: {}", first.path.display(), first.problem),
            None => String::new(),
        };
        Err(DataError::file(
            &self.root,
            format!(
                "holds {} but no pair of an image and its mask; expected masks beside the images, named as they are \
                 with `_mask`, `_seg` or `_label` added, files of labelme, or folders `images` and `masks` with files of the same \
                 names; or say where they are (images_in and masks_in){}{reason}",
                counted(self.unpaired_images.len(), "image", "images"),
                self.foreign.told()
            ),
        ))
    }
}
