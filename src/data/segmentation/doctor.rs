//! The data doctor: looks over a folder and its split and lists what a person should know before training. It changes
//! nothing and stops at nothing.

use std::path::PathBuf;

use super::calipers::{self, Cross, crosses};
use super::groups::{Fingerprint, Split, fingerprint};
use super::listing::{Listing, Pair};
use super::read::{MaskFacts, Sample};
use super::{Problem, counted, groups};
use crate::metrics::mask::components::{Connectivity, components};

/// Share of the image from which on a mask is too large to be a lesion.
pub const LARGE_SHARE: f64 = 0.6;
/// Share of grey pixels from which on a mask counts as not binary.
pub const GREY_SHARE: f64 = 0.001;
/// Beyond this the grey pixels are more than soft edges.
const GREY_SHARE_BAD: f64 = 0.05;
/// Relative difference of the shapes (width over height) of an image and its mask that is more than rounding.
const SHAPE_DIFFERENCE: f64 = 0.02;

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

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    AcrossSplit,
    Unreadable,
    SizeMismatch,
    UnpairedMask,
    NotBinary,
    MaskValues,
    LargeMask,
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
            Check::AcrossSplit => "near-duplicates across the split",
            Check::Unreadable => "cannot be used",
            Check::SizeMismatch => "mask of another size",
            Check::UnpairedMask => "mask without image",
            Check::NotBinary => "mask is not binary",
            Check::MaskValues => "how masks are read",
            Check::LargeMask => "very large mask",
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
    /// Share of the image that is lesion, 0 to 1.
    pub share: f64,
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
}

/// Looks at one sample.
pub fn examine(sample: &Sample) -> Exam {
    let parts = components(&sample.mask, Connectivity::Eight);
    let regions = parts.areas();
    Exam {
        fingerprint: fingerprint(&sample.picture),
        share: sample.mask.share(),
        regions: regions.len(),
        smallest_region: regions.iter().copied().min().unwrap_or(0),
        crosses: crosses(&sample.picture),
        facts: sample.facts,
        flat: sample.picture.rgb.iter().all(|value| Some(value) == sample.picture.rgb.first()),
        factor: sample.picture.factor,
    }
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
            list.push(of_duplicates((a, first), (b, second), split));
        }
    }
    list.sort_by_key(|finding| (finding.severity, finding.check));
    list
}

/// Adds findings of the whole folder in their places.
pub fn add(findings: &mut Vec<Finding>, more: Vec<Finding>) {
    findings.extend(more);
    findings.sort_by_key(|finding| (finding.severity, finding.check));
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

fn finding(severity: Severity, check: Check, file: &std::path::Path, problem: String, advice: &str) -> Finding {
    Finding { severity, check, file: file.to_owned(), other: None, problem, advice: advice.to_owned() }
}

fn of_files(listing: &Listing, unread: &[Problem], list: &mut Vec<Finding>) {
    for problem in listing.problems.iter().chain(unread) {
        let advice = "it is left out; the rest is used";
        list.push(finding(Severity::Error, Check::Unreadable, &problem.path, problem.problem.clone(), advice));
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
        add(
            severity,
            Check::NotBinary,
            mask,
            problem,
            "the upper half of the range counts as lesion; check the outline",
        );
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
        let advice = "it may be inverted (`lesion=inverted`), or mark the field of view";
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
            "distances are in pixels of the size that is read",
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

fn of_duplicates((a, first): (usize, &Pair), (b, second): (usize, &Pair), split: Option<&Split>) -> Finding {
    let part = |pair: usize| {
        let parts =
            split.map(|split| [("train", &split.train), ("validation", &split.validation), ("test", &split.test)]);
        parts.into_iter().flatten().find(|(_, pairs)| pairs.binary_search(&pair).is_ok()).map(|(name, _)| name)
    };
    let (severity, check, problem, advice) = match (part(a), part(b)) {
        (Some(one), Some(other)) if one != other => (
            Severity::Error,
            Check::AcrossSplit,
            format!("looks the same as {}, but one is in {one} and the other in {other}", second.image.display()),
            "split by group, with near-duplicates kept together",
        ),
        _ => (
            Severity::Note,
            Check::NearDuplicate,
            format!("looks the same as {}", second.image.display()),
            "both stay in one part of the split",
        ),
    };
    Finding { other: Some(second.image.clone()), ..finding(severity, check, &first.image, problem, advice) }
}
