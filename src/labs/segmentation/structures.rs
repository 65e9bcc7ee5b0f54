//! Several structures in one picture, each with a mask of its own (optic disc and cup, liver and tumour): the network has an
//! output for each, a sigmoid each, so that they may overlap. To all that measures and shows, an image with its mask of one
//! structure is an item like any other, whose class is the structure.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::params::{
    FOLDER, FROM_FOLDER, IMAGES_IN, JOINED, LABELS, LESION, LESION_VALUE, MASKS_IN, PARAMS, STRUCTURES, lesion,
};
use super::reading::Input;
use super::source::{Item, SegmentationData, input, prepare_mask};
use crate::data::segmentation::lesion::{Lesion, LesionKind, Nowhere};
use crate::data::segmentation::listing::Listing;
use crate::data::segmentation::mapping::Pattern;
use crate::data::segmentation::read::Reader;
use crate::data::segmentation::{Problem, Watch, counted};
use crate::engine::params::{ParamError, Params, Value};
use crate::pixels::mask::Mask;

/// Structures that one network outlines.
pub const MOST: usize = 8;

/// Between an image's name and its structure's.
const BETWEEN: &str = " · ";

/// One structure and what of the masks is it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    pub name: String,
    what: What,
}

/// What of the masks is a structure.
#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// Numbers in the masks, with commas.
    Values(String),
    /// `#rrggbb`
    Colour(String),
    /// A label of labelme.
    Label(String),
    /// A folder or a pattern of masks of its own.
    Masks(String),
}

impl Structure {
    /// Of `NAME=WHAT`.
    fn parse(text: &str) -> Result<Self, String> {
        let expected = "expected NAME=1,2 (values), NAME=#ff0000 (a colour), NAME=label:LABEL (labelme) or NAME=FOLDER/* (masks \
                        of its own)";
        let (name, what) = text.split_once('=').ok_or_else(|| format!("`{text}` has no `=`; {expected}"))?;
        let (name, what) = (name.trim().to_owned(), what.trim().to_owned());
        // Tables call the mean over all of them, and what has no class, so.
        let taken = ["all", "no class"].contains(&&*name.to_lowercase());
        if name.is_empty() || taken || name.contains(|c: char| c.is_control() || ['/', '\\', ','].contains(&c)) {
            return Err(format!("`{name}` is no name of a structure; {expected}"));
        }
        let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        let numbers = what.split(',').all(|number| is_number(number.trim()));
        let what = if what.is_empty() {
            return Err(format!("`{name}` has no masks; {expected}"));
        } else if numbers {
            What::Values(what)
        } else if what.contains('=') {
            return Err(format!("`{text}` has two `=`: structures have a semicolon between them; {expected}"));
        } else if what.starts_with('#') {
            Lesion::parse(LesionKind::Colour, &what)?;
            What::Colour(what)
        } else if let Some(label) = what.strip_prefix("label:") {
            What::Label(label.trim().to_owned())
        } else {
            Pattern::parse(&what)?;
            What::Masks(what)
        };
        Ok(Self { name, what })
    }

    /// The parameters of a data set of this structure alone.
    pub fn alone(&self, params: &Params) -> Result<Params, ParamError> {
        let mut alone = params.clone();
        let mut set = |key: &str, text: &str| alone.set(PARAMS, key, Value::Text(text.to_owned()));
        set(STRUCTURES.key(), "")?;
        match &self.what {
            What::Values(values) => {
                set(LESION.key(), "value")?;
                set(LESION_VALUE.key(), values)?;
            }
            What::Colour(colour) => {
                set(LESION.key(), "colour")?;
                set(LESION_VALUE.key(), colour)?;
            }
            What::Label(label) => set(LABELS.key(), label)?,
            What::Masks(pattern) => set(MASKS_IN.key(), pattern)?,
        }
        Ok(alone)
    }

    /// An error about its masks, told of the parameter that names it.
    pub fn refused(&self, error: &ParamError) -> ParamError {
        ParamError::invalid(STRUCTURES.key(), format!("`{}`: {error}", self.name))
    }

    fn describe(&self) -> String {
        let what = match &self.what {
            What::Values(values) => format!("value {values} of the masks"),
            What::Colour(colour) => format!("colour {colour} of the masks"),
            What::Label(label) => format!("shapes labelled `{label}`"),
            What::Masks(pattern) => format!("masks in `{pattern}`"),
        };
        format!("{} ({what})", self.name)
    }
}

/// The structures that are named, one after the other; none: there is one, without a name.
///
/// # Errors
/// A text that cannot be understood, names that are alike, or what does not go together with several of them.
pub fn of(params: &Params) -> Result<Vec<Structure>, ParamError> {
    let invalid = |problem: String| ParamError::invalid(STRUCTURES.key(), problem);
    let text = params.get(STRUCTURES.key()).map(ToString::to_string).unwrap_or_default();
    let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
    let list: Vec<Structure> = parts.map(Structure::parse).collect::<Result<_, _>>().map_err(invalid)?;
    if list.is_empty() || FROM_FOLDER.get(params) != Some(true) {
        return Ok(Vec::new());
    }
    if list.len() > MOST {
        return Err(invalid(format!("{} structures; at most {MOST}", list.len())));
    }
    if let Some((i, twice)) =
        list.iter().enumerate().find(|(i, one)| list[..*i].iter().any(|other| other.name == one.name))
    {
        return Err(invalid(format!("the name `{}` is given twice (number {})", twice.name, i + 1)));
    }
    let patterns = list.iter().any(|one| matches!(one.what, What::Masks(_)));
    if patterns && params.get(IMAGES_IN.key()).is_none_or(|images| images.to_string().trim().is_empty()) {
        let problem = "is needed where a structure's masks are told by a folder or a pattern";
        return Err(ParamError::invalid(IMAGES_IN.key(), problem));
    }
    Ok(list)
}

/// How many outputs the network has: one for each structure.
pub fn count(params: &Params) -> usize {
    of(params).map_or(1, |list| list.len().max(1))
}

/// The parameters of the first structure alone: what is looked at and labelled where one mask is meant.
pub fn first(params: &Params) -> Cow<'_, Params> {
    named(params, "").unwrap_or(Cow::Borrowed(params))
}

/// The same of the structure of this name; empty: the first.
///
/// # Errors
/// There is none of this name.
pub fn named<'a>(params: &'a Params, name: &str) -> Result<Cow<'a, Params>, ParamError> {
    let list = of(params)?;
    if list.is_empty() {
        return Ok(Cow::Borrowed(params));
    }
    Ok(Cow::Owned(list[place(&list, name)?].alone(params)?))
}

/// Which of the structures has this name; empty: the first.
///
/// # Errors
/// There is none of this name.
pub fn place(list: &[Structure], name: &str) -> Result<usize, ParamError> {
    if name.trim().is_empty() {
        return Ok(0);
    }
    list.iter().position(|one| one.name == name.trim()).ok_or_else(|| {
        let known: Vec<String> = list.iter().map(|one| format!("`{}`", one.name)).collect();
        let there = if known.is_empty() { "the network has one, without a name".to_owned() } else { known.join(", ") };
        ParamError::invalid("structure", format!("`{name}` is none of the structures: {there}"))
    })
}

/// What is told of a data set of several structures.
pub fn describe(list: &[Structure]) -> String {
    let all: Vec<String> = list.iter().map(Structure::describe).collect();
    format!("{} structures in every image, an output of the network each: {}", list.len(), all.join(", "))
}

/// The masks of one structure by the name of the image, at the network's size and at the image's.
#[derive(Debug, Default)]
pub struct Masks {
    pub of: HashMap<String, (Vec<bool>, Mask)>,
    /// What cannot be read, and what of the structure's files is no mask.
    pub problems: Vec<Problem>,
}

impl Masks {
    /// Reads them, for the data set of a structure alone.
    ///
    /// # Errors
    /// The structure is in no mask, or it was stopped.
    pub fn read(alone: &Params, listing: &Listing, watch: Watch<'_>) -> Result<Self, ParamError> {
        let rules = Reader::default().survey(&listing.pairs, &[], &lesion(alone)?, watch.quiet());
        if let Some(Nowhere { key, problem }) = rules.masks.nowhere.clone() {
            return Err(ParamError::invalid(key, problem));
        }
        let Input { size, fit, .. } = input(alone);
        let reader = Reader::default().with_rules(rules);
        let read = reader.all(&listing.pairs, watch, |_, sample| (prepare_mask(&sample.mask, size, fit), sample.mask));
        if read.cancelled {
            return Err(ParamError::invalid(FOLDER.key(), "stopped before all images were read".to_owned()));
        }
        let of = read.items.into_iter().map(|(i, masks)| (listing.pairs[i].name.clone(), masks)).collect();
        Ok(Self { of, problems: listing.problems.iter().cloned().chain(read.problems).collect() })
    }

    /// Whether the image's mask is there and cannot be read: a file with a trouble whose name holds that of the image, as a word
    /// of its own.
    fn is_broken(&self, image: &str) -> bool {
        let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        let image = stem(Path::new(&format!("{image}.x")));
        self.problems.iter().any(|problem| holds_word(&stem(&problem.path), &image))
    }
}

/// Whether this word is in a name with neither letter nor digit on either side.
fn holds_word(name: &str, word: &str) -> bool {
    let ends = |end: Option<char>| end.is_none_or(|sign| !sign.is_alphanumeric());
    let whole = |at: usize| ends(name[..at].chars().next_back()) && ends(name[at + word.len()..].chars().next());
    !word.is_empty() && name.match_indices(word).any(|(at, _)| whole(at))
}

/// A data set of several structures from that of the first and the masks of the others: every image is there once for each
/// structure, one after the other. Where a structure has no mask in an image, it is taken not to be in it; where it cannot be read,
/// the image is left out. The pictures of the wall are the caller's.
///
/// # Errors
/// Images were to join, or nothing is left.
pub fn together(
    list: &[Structure],
    base: &SegmentationData,
    others: Vec<Masks>,
    params: &Params,
) -> Result<SegmentationData, ParamError> {
    if !JOINED.of(params).trim().is_empty() {
        let problem =
            "an image that is labelled here has one mask, and several structures need one each; leave it empty";
        return Err(ParamError::invalid(JOINED.key(), problem));
    }
    let k = list.len();
    let broken = |i: usize| others.iter().any(|masks| masks.is_broken(&base.items[i].name));
    let kept: Vec<usize> = (0..base.items.len()).filter(|&i| !broken(i)).collect();
    let mut items = Vec::with_capacity(k * kept.len());
    let mut missing = vec![0; k];
    for &i in &kept {
        let item = &base.items[i];
        for (s, structure) in list.iter().enumerate() {
            let (mask, truth) = match s.checked_sub(1).map(|other| others[other].of.get(&*item.name)) {
                None => (item.mask.clone(), item.truth.clone()),
                Some(Some(own)) => own.clone(),
                Some(None) => {
                    missing[s] += 1;
                    (vec![false; item.mask.len()], Mask::empty(item.truth.height(), item.truth.width()))
                }
            };
            let name = format!("{}{BETWEEN}{}", item.name, structure.name);
            items.push(Arc::new(Item { name, class: structure.name.clone(), mask, truth, ..(**item).clone() }));
        }
    }
    let mut summary = base.summary.clone();
    summary.push(describe(list));
    for (missing, structure) in missing.iter().zip(list).filter(|(missing, _)| **missing > 0) {
        let images = counted(*missing, "image has", "images have");
        summary.push(format!("{images} no mask of {}: it is taken not to be there", structure.name));
    }
    if kept.len() < base.items.len() {
        let gone: Vec<&str> = (0..base.items.len()).filter(|&i| broken(i)).map(|i| &*base.items[i].name).collect();
        let images = counted(gone.len(), "image is", "images are");
        summary.push(format!(
            "{images} left out, since a mask of one of the structures cannot be read: {}",
            gone.join(", ")
        ));
    }
    for (masks, structure) in others.iter().zip(&list[1..]) {
        let told = |problem: &Problem| format!("{}: {} {}", structure.name, problem.path.display(), problem.problem);
        summary.extend(masks.problems.iter().map(told));
    }
    let mut data = SegmentationData {
        structures: list.iter().map(|one| one.name.clone()).collect(),
        own: items.len(),
        waiting: 0,
        parts: each(&kept, k, |i| base.parts[i]),
        groups: each(&kept, k, |i| base.group(i)),
        spacings: if base.spacings.is_empty() { Vec::new() } else { each(&kept, k, |i| base.spacings[i]) },
        ties: if base.ties.is_empty() { Vec::new() } else { each(&kept, k, |i| base.ties[i].clone()) },
        description: format!("{}; {}", base.description, described(list, &items)),
        summary,
        items,
        ..base.clone()
    };
    data.take_parts(params)?;
    if data.train.is_empty() || data.validation.is_empty() {
        let problem = "too few images are left whose masks of all structures can be read";
        return Err(ParamError::invalid(STRUCTURES.key(), problem));
    }
    Ok(data)
}

fn each<T>(kept: &[usize], k: usize, of: impl Fn(usize) -> T) -> Vec<T> {
    kept.iter().flat_map(|&i| std::iter::repeat_n(i, k)).map(of).collect()
}

/// The structures and a CRC-32 of all masks.
fn described(list: &[Structure], items: &[Arc<Item>]) -> String {
    let mut hasher = crc32fast::Hasher::new();
    for item in items {
        hasher.update(item.name.as_bytes());
        let lesions: Vec<u8> = item.truth.pixels().iter().map(|&lesion| u8::from(lesion)).collect();
        hasher.update(&lesions);
    }
    let names: Vec<&str> = list.iter().map(|one| &*one.name).collect();
    format!("structures {}, CRC-32 {:08x}", names.join(", "), hasher.finalize())
}

/// The name of an item's image.
pub fn image_name<'a>(item: &'a Item, structures: &[String]) -> &'a str {
    if structures.is_empty() {
        return &item.name;
    }
    image_of(&item.name, &item.class).unwrap_or(&item.name)
}

/// The image of an item of this name and this structure; `None`: the name does not hold the structure's.
pub fn image_of<'a>(item: &'a str, structure: &str) -> Option<&'a str> {
    item.strip_suffix(structure)?.strip_suffix(BETWEEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_word_of_another_one() {
        for (name, word, is) in
            [("gt-12-final", "12", true), ("12", "12", true), ("gt12", "12", false), ("112", "12", false)]
        {
            assert_eq!(holds_word(name, word), is, "{word} in {name}");
        }
        assert!(!holds_word("é12", "12") && holds_word("é 12", "12") && !holds_word("x", ""));
    }

    #[test]
    fn what_an_item_is_of_is_in_its_name() {
        assert_eq!(image_of("a/b · cup", "cup"), Some("a/b"));
        assert_eq!(image_of("a/b", "cup"), None);
        assert_eq!(image_of("a/cup", "cup"), None);
    }

    #[test]
    fn a_structure_is_told_by_values_a_colour_a_label_or_masks() {
        let what = |text: &str| Structure::parse(text).map(|one| one.what);
        assert_eq!(what("cup = 1, 2"), Ok(What::Values("1, 2".to_owned())));
        assert_eq!(what("cup=#00ff00"), Ok(What::Colour("#00ff00".to_owned())));
        assert_eq!(what("cup=label: the cup"), Ok(What::Label("the cup".to_owned())));
        assert_eq!(what("cup=masks/*_cup"), Ok(What::Masks("masks/*_cup".to_owned())));
        for wrong in ["cup", "=1", "cup=", "all=1", "disc=1,2,cup=2", "cup=#ff", "a/b=1", "cup=a/*/*"] {
            assert!(what(wrong).is_err(), "{wrong}");
        }
    }
}
