//! The data doctor: looks over a folder and its split and lists what a person should know before training. It changes
//! nothing and stops at nothing.

use std::path::PathBuf;

use super::calipers::{self, Cross, crosses};
use super::groups::{Fingerprint, fingerprint};
use super::listing::{Listing, Pair};
use super::read::{MaskFacts, Picture, Reader, Sample};
use super::split::{Part, Split};
use super::{Problem, counted, groups, plan};
use crate::data::picture_file::about;
use crate::pixels::mask::Mask;
use crate::pixels::mask::components::{Connectivity, components};

/// Share of the image from which on a mask is too large to be a lesion.
pub const LARGE_SHARE: f64 = 0.6;
/// Share of grey pixels from which on a mask counts as not binary.
pub const GREY_SHARE: f64 = 0.001;
/// Beyond this the grey pixels are more than soft edges.
const GREY_SHARE_BAD: f64 = 0.05;
/// Relative difference of the shapes (width over height) of an image and its mask that is more than rounding.
const SHAPE_DIFFERENCE: f64 = 0.02;
/// Dice below which the masks of one picture contradict each other.
pub const CONTRADICTION: f64 = 0.5;
/// Height and width of the grid on which masks of near-duplicates are compared.
const GRID: usize = 48;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Results would be wrong, or a file is not used at all.
    Error,
    /// Results may be wrong; look at it.
    Warning,
    /// Good to know.
    Note,
}

impl Severity {
    /// `error`, `warning`, `note`.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    OtherMask,
    OtherClass,
    GroupAcrossParts,
    Groups,
    AcrossSplit,
    Unreadable,
    SizeMismatch,
    GivenParts,
    MaybePatients,
    UnlikeParts,
    ForeignFiles,
    UnpairedMask,
    NotBinary,
    MaskValues,
    LargeMask,
    Exposure,
    Calipers,
    FlatImage,
    UnpairedImage,
    NearDuplicate,
    EmptyMask,
    SeveralMasks,
    SeveralRegions,
    MadeSmaller,
    Turned,
    Corrected,
}

impl Check {
    /// In a few words, for a heading or a filter.
    pub fn label(self) -> &'static str {
        match self {
            Check::OtherMask => "same picture, other mask",
            Check::OtherClass => "same picture, two classes",
            Check::GroupAcrossParts => "group across the split",
            Check::Groups => "groups as chosen",
            Check::GivenParts => "parts as given",
            Check::MaybePatients => "names look like patients",
            Check::UnlikeParts => "part unlike the whole",
            Check::AcrossSplit => "near-duplicates across the split",
            Check::Unreadable => "cannot be used",
            Check::SizeMismatch => "mask of another size",
            Check::ForeignFiles => "pictures that are not read",
            Check::UnpairedMask => "mask without image",
            Check::NotBinary => "mask is not binary",
            Check::MaskValues => "how masks are read",
            Check::LargeMask => "very large mask",
            Check::Exposure => "nearly black or white",
            Check::Calipers => "measuring marks",
            Check::FlatImage => "image of one grey",
            Check::UnpairedImage => "image without mask",
            Check::NearDuplicate => "near-duplicates",
            Check::EmptyMask => "no lesion",
            Check::SeveralMasks => "several masks",
            Check::SeveralRegions => "several regions",
            Check::MadeSmaller => "huge image",
            Check::Turned => "turned picture",
            Check::Corrected => "corrected mask",
        }
    }
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    pub check: Check,
    pub file: PathBuf,
    /// The other file where two are concerned.
    pub other: Option<PathBuf>,
    /// What is the matter, with numbers.
    pub problem: String,
    /// What to do.
    pub advice: String,
}

/// What the doctor needs of one sample; small, so that the pixels can go.
#[derive(Debug, Clone, PartialEq)]
pub struct Exam {
    pub fingerprint: Fingerprint,
    /// CRC-32 of size and pixels: equal for the same picture.
    pub pixels: u32,
    /// Share of the image that is lesion, 0 to 1.
    pub share: f64,
    /// The same of the data set's own masks, where a corrected one stands in for them.
    pub own_share: f64,
    /// 48×48: how much of each cell is lesion, 0 to 255.
    pub coverage: Vec<u8>,
    /// Separate regions, 8-connected.
    pub regions: usize,
    /// Pixels of the smallest region.
    pub smallest_region: usize,
    pub crosses: Vec<Cross>,
    pub facts: MaskFacts,
    /// Every pixel of the image has one value.
    pub flat: bool,
    /// See [`super::read::Picture::factor`].
    pub factor: usize,
    /// The patient, as the file says: see [`About::patient`](crate::data::picture_file::About::patient).
    pub patient: Option<String>,
}

/// Looks at one sample.
pub fn examine(sample: &Sample) -> Exam {
    let parts = components(&sample.mask, Connectivity::Eight);
    let regions = parts.areas();
    Exam {
        fingerprint: fingerprint(&sample.picture),
        pixels: pixels(&sample.picture),
        share: sample.mask.share(),
        own_share: sample.mask.share(),
        coverage: coverage(&sample.mask),
        regions: regions.len(),
        smallest_region: regions.iter().copied().min().unwrap_or(0),
        crosses: crosses(&sample.picture),
        facts: sample.facts,
        flat: sample.picture.rgb.iter().all(|value| Some(value) == sample.picture.rgb.first()),
        factor: sample.picture.factor,
        patient: None,
    }
}

/// Looks at the sample of a pair, and at the data set's own mask too where it is corrected.
pub fn examine_pair(reader: &Reader, pair: &Pair, sample: &Sample) -> Exam {
    let mut exam = Exam { patient: about(&pair.image).patient, ..examine(sample) };
    if pair.corrected.is_some() && !pair.masks.is_empty() {
        let own = reader.pair(&Pair { corrected: None, ..pair.clone() });
        exam.own_share = own.map_or(exam.own_share, |own| own.mask.share());
    }
    exam
}

fn pixels(picture: &Picture) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(picture.width as u64).to_le_bytes());
    hasher.update(&picture.rgb);
    hasher.finalize()
}

fn coverage(mask: &Mask) -> Vec<u8> {
    let (height, width) = (mask.height(), mask.width());
    let cells =
        |size: usize| move |i: usize| (i * size / GRID, ((i + 1) * size / GRID).max(i * size / GRID + 1).min(size));
    let (rows, columns) = (cells(height), cells(width));
    let cell = |at: usize| {
        let ((top, bottom), (left, right)) = (rows(at / GRID), columns(at % GRID));
        let lesion: usize =
            (top..bottom).map(|row| mask.row(row)[left..right].iter().filter(|&&lesion| lesion).count()).sum();
        (255 * lesion / ((bottom - top) * (right - left)).max(1)) as u8
    };
    (0..GRID * GRID).map(cell).collect()
}

/// Dice of two masks by the shares of lesion in 48×48 cells, so that pictures of two sizes compare; 1 where both are empty.
pub fn agreement(a: &Exam, b: &Exam) -> f64 {
    let sum = |list: &[u8]| list.iter().map(|&v| f64::from(v)).sum::<f64>();
    let both: f64 = a.coverage.iter().zip(&b.coverage).map(|(&a, &b)| f64::from(a.min(b))).sum();
    let all = sum(&a.coverage) + sum(&b.coverage);
    if all > 0.0 { 2.0 * both / all } else { 1.0 }
}

/// Near-duplicates among examined pairs; the numbers are those of the listing.
pub fn duplicates(exams: &[Option<Exam>]) -> Vec<(usize, usize)> {
    let prints: Vec<Option<Fingerprint>> =
        exams.iter().map(|exam| exam.as_ref().map(|exam| exam.fingerprint.clone())).collect();
    groups::near_duplicates(&prints)
}

/// The list, worst first, then by check and in the order of the files. `exams`: of every pair of the listing, `None` where
/// it was not read; `unread`: problems of reading; `split`: where it is known.
pub fn diagnose(
    listing: &Listing,
    exams: &[Option<Exam>],
    unread: &[Problem],
    duplicates: &[(usize, usize)],
    split: Option<&Split>,
) -> Vec<Finding> {
    let mut list = Vec::new();
    of_files(listing, unread, &mut list);
    for (pair, exam) in listing.pairs.iter().zip(exams) {
        of_pair(pair, &mut list);
        if let Some(exam) = exam {
            of_exam(pair, exam, &mut list);
        }
    }
    for &(a, b) in duplicates {
        if let (Some(first), Some(second)) = (listing.pairs.get(a), listing.pairs.get(b)) {
            let exams = (exams.get(a).and_then(Option::as_ref), exams.get(b).and_then(Option::as_ref));
            list.extend(of_duplicates((a, first), (b, second), exams, plan::classes(listing), split));
        }
    }
    sort(&mut list);
    list
}

/// What is the matter with one pair alone, worst first.
pub fn of_one(pair: &Pair, exam: &Exam) -> Vec<Finding> {
    let mut list = Vec::new();
    of_pair(pair, &mut list);
    of_exam(pair, exam, &mut list);
    list.sort_by_key(|finding| (finding.severity, finding.check));
    list
}

/// Worst first, then by check; otherwise the order stays.
pub fn sort(list: &mut [Finding]) {
    list.sort_by_key(|finding| (finding.severity, finding.check));
}

/// Numbers of findings by kind, in their order.
pub fn kinds(findings: &[Finding]) -> Vec<(Severity, Check, usize)> {
    let mut kinds: Vec<(Severity, Check, usize)> = Vec::new();
    for finding in findings {
        match kinds.iter_mut().find(|(severity, check, _)| (*severity, *check) == (finding.severity, finding.check)) {
            Some((_, _, count)) => *count += 1,
            None => kinds.push((finding.severity, finding.check, 1)),
        }
    }
    kinds
}

/// `2 errors, 1 warning, 0 notes`.
pub fn summary(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    match (count(Severity::Error), count(Severity::Warning), count(Severity::Note)) {
        (0, 0, 0) => "nothing found".to_owned(),
        (errors, warnings, notes) => format!(
            "{}, {}, {}",
            counted(errors, "error", "errors"),
            counted(warnings, "warning", "warnings"),
            counted(notes, "note", "notes")
        ),
    }
}

/// About one file or folder.
pub fn finding(severity: Severity, check: Check, file: &std::path::Path, problem: String, advice: &str) -> Finding {
    Finding { severity, check, file: file.to_owned(), other: None, problem, advice: advice.to_owned() }
}

fn of_files(listing: &Listing, unread: &[Problem], list: &mut Vec<Finding>) {
    for problem in listing.problems.iter().chain(unread) {
        let advice = "it is left out; the rest is used";
        list.push(finding(Severity::Error, Check::Unreadable, &problem.path, problem.problem.clone(), advice));
    }
    // Where files have no partner, these may be the partners.
    let lone = !listing.unpaired_masks.is_empty() || !listing.unpaired_images.is_empty();
    for (what, advice) in listing.foreign.lines() {
        let severity = if lone { Severity::Error } else { Severity::Warning };
        list.push(finding(severity, Check::ForeignFiles, &listing.root, what, advice));
    }
    for mask in &listing.unpaired_masks {
        let advice = "look for the image, or for a difference of the names";
        list.push(finding(Severity::Warning, Check::UnpairedMask, mask, "no image fits it".to_owned(), advice));
    }
    for image in &listing.unpaired_images {
        let advice = "it is not trained on; draw a mask, or add an all-black one if there is no lesion";
        list.push(finding(Severity::Warning, Check::UnpairedImage, image, "no mask fits it".to_owned(), advice));
    }
}

fn of_pair(pair: &Pair, list: &mut Vec<Finding>) {
    if let Some(corrected) = &pair.corrected {
        let problem = format!("its mask was corrected: {}", corrected.display());
        let advice = "remove that file to use the data set's own mask again";
        list.push(finding(Severity::Note, Check::Corrected, &pair.image, problem, advice));
        return;
    }
    for (mask, size) in pair.masks.iter().zip(&pair.mask_sizes).filter(|(_, size)| **size != pair.size) {
        let shape = |(width, height): (u32, u32)| f64::from(width) / f64::from(height.max(1));
        let stretched = (shape(*size) / shape(pair.size) - 1.0).abs() > SHAPE_DIFFERENCE;
        let problem = format!("is {}×{} pixels, its image {}×{}", size.0, size.1, pair.size.0, pair.size.1);
        let (severity, advice) = if stretched {
            (Severity::Error, "their shapes differ, so the mask is distorted: it may belong to another image or be cut")
        } else {
            (Severity::Warning, "it is stretched to the image; check that the outline fits")
        };
        list.push(Finding {
            other: Some(pair.image.clone()),
            ..finding(severity, Check::SizeMismatch, mask, problem, advice)
        });
    }
    if pair.masks.len() > 1 {
        let problem = format!("has {} masks", pair.masks.len());
        let advice = "they are joined; set `keep` to all parts when measuring such images";
        list.push(finding(Severity::Note, Check::SeveralMasks, &pair.image, problem, advice));
    }
}

fn of_exam(pair: &Pair, exam: &Exam, list: &mut Vec<Finding>) {
    let mask = pair.masks_in_use().first().unwrap_or(&pair.image);
    let mut add = |severity, check, file, problem, advice| list.push(finding(severity, check, file, problem, advice));
    if exam.facts.grey_share > GREY_SHARE {
        let severity = if exam.facts.grey_share > GREY_SHARE_BAD { Severity::Warning } else { Severity::Note };
        let problem = format!("{:.1} % of its pixels are neither black nor white", 100.0 * exam.facts.grey_share);
        add(severity, Check::NotBinary, mask, problem, "a threshold tells lesion from background; check the outline");
    } else if exam.facts.zero_one {
        let problem = "its values are 0 and 1".to_owned();
        add(Severity::Note, Check::NotBinary, mask, problem, "1 is read as lesion");
    }
    if exam.share == 1.0 {
        let problem = "covers the whole image".to_owned();
        let advice = "it says nothing; tell with `lesion` how masks are read (a value, a colour, alpha, inverted)";
        add(Severity::Error, Check::LargeMask, mask, problem, advice);
    } else if exam.share > LARGE_SHARE {
        let problem = format!("covers {:.0} % of the image", 100.0 * exam.share);
        let advice = "`lesion` may say the opposite of what is meant (inverted), or the mask marks the field of view";
        add(Severity::Warning, Check::LargeMask, mask, problem, advice);
    }
    if exam.regions == 0 {
        let problem = "its mask has no lesion".to_owned();
        let advice =
            "right for a normal image; the Dice loss without smoothing learns nothing from it, and HD95 is undefined";
        add(Severity::Note, Check::EmptyMask, &pair.image, problem, advice);
    }
    if exam.regions > 1 {
        let problem = format!(
            "its lesion has {} separate regions, the smallest of {} pixels",
            exam.regions, exam.smallest_region
        );
        let advice = "several lesions, or specks of the drawing; `keep` the largest part drops the others";
        add(Severity::Note, Check::SeveralRegions, &pair.image, problem, advice);
    }
    if exam.crosses.len() >= calipers::LEAST {
        let coloured = if exam.crosses.iter().any(|cross| cross.coloured) { " coloured" } else { "" };
        let problem = format!("{} bright{coloured} crosses, maybe measuring marks", exam.crosses.len());
        let advice = "marks show where the lesion is: a network may learn them; train and test without such images too";
        add(Severity::Warning, Check::Calipers, &pair.image, problem, advice);
    }
    if exam.flat {
        let problem = "every pixel has the same value".to_owned();
        add(Severity::Warning, Check::FlatImage, &pair.image, problem, "it is an empty picture; remove it");
    }
    if exam.factor > 1 {
        let problem = format!("is huge and read at 1/{} of its size", exam.factor);
        add(
            Severity::Note,
            Check::MadeSmaller,
            &pair.image,
            problem,
            "curves and tables give distances in pixels of the file",
        );
    }
    of_pages_and_turns(pair, exam, list);
}

/// A file of several pages, and a picture that was set upright.
fn of_pages_and_turns(pair: &Pair, exam: &Exam, list: &mut Vec<Finding>) {
    let mask = pair.masks_in_use().first().unwrap_or(&pair.image);
    let mut add = |severity, check, file, problem, advice| list.push(finding(severity, check, file, problem, advice));
    if let Some(pages) = exam.facts.pages {
        let advice = "they are joined, as several masks are";
        add(Severity::Note, Check::SeveralMasks, mask, format!("has {pages} pages"), advice);
    }
    if !exam.facts.turned {
        return;
    }
    let stored = (pair.size.1, pair.size.0);
    match exam.facts.other_size {
        Some(size) if size == stored && size != pair.size => {
            let problem =
                format!("fits its image ({}×{}) only as it is stored, before it is set upright", size.0, size.1);
            let advice = "masks have to be drawn on the upright image: turn the mask, or save both without the tag";
            add(Severity::Error, Check::Turned, mask, problem, advice);
        }
        _ => {
            let problem = "is stored turned and was set upright, as its orientation tag says".to_owned();
            add(Severity::Note, Check::Turned, &pair.image, problem, "check that the outline fits");
        }
    }
}

/// What two near-duplicates give rise to: that they contradict each other, that a split tears them, or else a note.
fn of_duplicates(
    (a, first): (usize, &Pair),
    (b, second): (usize, &Pair),
    exams: (Option<&Exam>, Option<&Exam>),
    classes: bool,
    split: Option<&Split>,
) -> Vec<Finding> {
    let other = second.image.display();
    let same = matches!(exams, (Some(one), Some(two)) if one.pixels == two.pixels);
    let looks = if same { "is pixel for pixel the same as" } else { "looks the same as" };
    let mut list = Vec::new();
    let mut add = |severity, check, problem: String, advice| {
        let found = finding(severity, check, &first.image, problem, advice);
        list.push(Finding { other: Some(second.image.clone()), ..found });
    };
    if let (Some(one), Some(two)) = exams {
        let dice = agreement(one, two);
        if dice < CONTRADICTION {
            let empty = |exam: &Exam| exam.share == 0.0;
            let which = match (empty(one), empty(two)) {
                (true, false) => "; the first mask has no lesion",
                (false, true) => "; the second mask has no lesion",
                _ => "",
            };
            let problem = format!("{looks} {other}, but their masks agree with Dice {dice:.2} only{which}");
            let advice = "at most one mask is right: look at both, correct one or leave both out";
            add(Severity::Error, Check::OtherMask, problem, advice);
        }
    }
    if let (Some(one), Some(two), true) = (&first.class, &second.class, classes)
        && one != two
    {
        let problem = format!("{looks} {other}, but one is `{one}` and the other `{two}`");
        add(Severity::Error, Check::OtherClass, problem, "at most one class is right: look at both and leave one out");
    }
    match split.map(|split| (split.part(a), split.part(b))) {
        Some((Some(one), Some(two))) if one != two => {
            let name = |part: Part| part.label();
            let problem = format!("{looks} {other}, but one is in {} and the other in {}", name(one), name(two));
            let advice =
                "set split=random, which keeps near-duplicates together; parts that are given are taken as they are";
            add(Severity::Error, Check::AcrossSplit, problem, advice);
        }
        _ => {
            let problem = format!("{looks} {other}");
            add(Severity::Note, Check::NearDuplicate, problem, "both stay in one part of the split");
        }
    }
    list
}
