//! Several structures in one picture, each with a mask of its own (optic disc and cup, liver and tumour): the network has an
//! output for each, a sigmoid each, so that they may overlap. To all that measures and shows, an image with its mask of one
//! structure is an item like any other, whose class is the structure.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::params::{FROM_FOLDER, IMAGES_IN, JOINED, LABELS, LESION, LESION_VALUE, MASKS_IN, PARAMS, STRUCTURES};
use super::source::{Item, SegmentationData};
use crate::data::segmentation::counted;
use crate::data::segmentation::mapping::Pattern;
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
        if name.is_empty() || name.contains(['/', '\\', ',']) {
            return Err(format!("`{name}` is no name of a structure; {expected}"));
        }
        let numbers = what.split(',').all(|number| number.trim().parse::<u16>().is_ok());
        let what = if what.is_empty() {
            return Err(format!("`{name}` has no masks; {expected}"));
        } else if numbers {
            What::Values(what)
        } else if what.starts_with('#') {
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

/// One data set of those of the single structures, whose images are those of the first: every image is there once for each
/// structure, one after the other. Where a structure has no mask in an image, it is taken not to be in it.
///
/// # Errors
/// Images were to join.
pub fn together(
    list: &[Structure],
    single: &[Arc<SegmentationData>],
    params: &Params,
) -> Result<SegmentationData, ParamError> {
    if !JOINED.of(params).trim().is_empty() {
        let problem =
            "an image that is labelled here has one mask, and several structures need one each; leave it empty";
        return Err(ParamError::invalid(JOINED.key(), problem));
    }
    let Some((base, others)) = single.split_first() else { return Ok(SegmentationData::default()) };
    let k = list.len();
    let places: Vec<HashMap<&str, usize>> =
        others.iter().map(|data| data.items.iter().enumerate().map(|(i, item)| (&*item.name, i)).collect()).collect();
    let mut items = Vec::with_capacity(k * base.items.len());
    let mut missing = vec![0; k];
    for item in &base.items {
        for (s, structure) in list.iter().enumerate() {
            let own = match s {
                0 => Some(item),
                _ => places[s - 1].get(&*item.name).map(|&i| &others[s - 1].items[i]),
            };
            let (mask, truth) = match own {
                Some(own) => (own.mask.clone(), own.truth.clone()),
                None => {
                    missing[s] += 1;
                    (vec![false; item.mask.len()], Mask::empty(item.truth.height(), item.truth.width()))
                }
            };
            let name = format!("{}{BETWEEN}{}", item.name, structure.name);
            items.push(Arc::new(Item { name, class: structure.name.clone(), mask, truth, ..(**item).clone() }));
        }
    }
    let told = missing.iter().zip(list).filter(|(missing, _)| **missing > 0).map(|(missing, structure)| {
        let images = counted(*missing, "image has", "images have");
        format!("{images} no mask of {}: it is taken not to be there", structure.name)
    });
    let mut summary = base.summary.clone();
    summary.push(describe(list));
    summary.extend(told);
    let mut findings = base.findings.clone();
    for finding in others.iter().flat_map(|data| &data.findings) {
        if !findings.contains(finding) {
            findings.push(finding.clone());
        }
    }
    let mut data = SegmentationData {
        structures: list.iter().map(|one| one.name.clone()).collect(),
        own: items.len(),
        waiting: 0,
        parts: each(&base.parts, k),
        groups: (0..base.items.len()).flat_map(|i| std::iter::repeat_n(base.group(i), k)).collect(),
        spacings: each(&base.spacings, k),
        ties: each(&base.ties, k),
        description: format!("{}; {}", base.description, described(list, &items)),
        summary,
        findings,
        items,
        ..(**base).clone()
    };
    let of_wall: HashMap<&str, usize> =
        base.wall_items().enumerate().map(|(at, item)| (&*base.items[item].name, at)).collect();
    data.take_parts(params)?;
    data.wall_pictures = data
        .wall_items()
        .filter_map(|item| of_wall.get(&*base.items[item / k].name).map(|&at| base.wall_pictures[at].clone()))
        .collect();
    Ok(data)
}

fn each<T: Clone>(values: &[T], k: usize) -> Vec<T> {
    values.iter().flat_map(|value| std::iter::repeat_n(value.clone(), k)).collect()
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
    if structures.len() < 2 {
        return &item.name;
    }
    item.name.strip_suffix(&*item.class).and_then(|name| name.strip_suffix(BETWEEN)).unwrap_or(&item.name)
}
