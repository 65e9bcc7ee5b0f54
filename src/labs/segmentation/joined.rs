//! Images that were labelled here and join the training: the parameter `joined` names them, so that each one is a change of the
//! run like any other. They are always training images. What would let a validation or test image into the training, because it
//! looks the same or belongs to the same patient, is left out and told.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::data::segmentation::groups::{Fingerprint, GroupRule, fingerprint};
use crate::data::segmentation::listing::{Drawn, Listing, Pair, scan_chosen};
use crate::data::segmentation::read::Reader;
use crate::data::segmentation::split::Part;
use crate::data::segmentation::{Watch, counted};
use crate::engine::params::{ParamError, Params};
use crate::pixels::spacing::Spacing;

use super::params::JOINED;
use super::reading::correction;
use super::source::{Item, SegmentationData, check_memory, input, item, refused, split_choice};

/// Every image that was labelled here.
pub const ALL: &str = "all";
/// Between the description of the data set and that of what has joined it.
const HERE: &str = "; labelled here: ";

/// The names in a value of the parameter `joined`.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|name| !name.is_empty())
}

/// The value of the parameter for these names.
pub fn text<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(";")
}

/// The names that are meant, in this folder.
pub fn wanted(listing: &Listing, text: &str) -> Vec<String> {
    if text.trim() == ALL {
        return listing.drawn.iter().map(|drawn| drawn.pair.name.clone()).collect();
    }
    names(text).map(str::to_owned).collect()
}

/// Takes the images that join out of a folder without masks of its own: there, labelled images are the data set.
pub fn set_aside(listing: &mut Listing, text: &str) {
    let names: HashSet<&str> = names(text).collect();
    if !names.is_empty() {
        listing.set_aside(|pair| names.contains(&*pair.name));
    }
}

/// What has become of images that were to join.
#[derive(Debug, Clone)]
pub struct Joined {
    pub data: SegmentationData,
    /// Those that train and did not before.
    pub new: usize,
    /// What there is to say, one statement each.
    pub lines: Vec<String>,
}

impl SegmentationData {
    /// The same data set with exactly the images that the parameter names as further training images. Those that have
    /// joined before are not read again.
    ///
    /// # Errors
    /// A name without a mask that was drawn here, or an image that cannot be read.
    pub fn joined(&self, params: &Params) -> Result<Joined, ParamError> {
        let text = JOINED.of(params);
        let Some(folder) = &self.folder else {
            return match names(text).next() {
                None => Ok(Joined { data: self.clone(), new: 0, lines: Vec::new() }),
                Some(_) => Err(invalid("generated pictures have their masks: there is nothing to label".to_owned())),
            };
        };
        if !self.structures.is_empty() {
            return match names(text).next() {
                None => Ok(Joined { data: self.clone(), new: 0, lines: Vec::new() }),
                Some(_) => Err(invalid(
                    "an image that is labelled here has one mask, and several structures need one each".to_owned(),
                )),
            };
        }
        let listing = scan_chosen(folder, None, &self.which, Watch::nobody()).map_err(refused)?;
        self.joined_from(&listing, &wanted(&listing, text), params)
    }

    /// The same for these names, with what is in the folder now.
    pub(super) fn joined_from(
        &self,
        listing: &Listing,
        wanted: &[String],
        params: &Params,
    ) -> Result<Joined, ParamError> {
        let own =
            self.items[..self.own].iter().map(|item| [item.truth.width(), item.truth.height()].map(|side| side as u32));
        let sizes: Vec<(u32, u32)> =
            own.chain(wanted.iter().map(|_| [0; 2])).map(|[width, height]| (width, height)).collect();
        check_memory(sizes.into_iter(), params)?;
        let own: HashSet<&str> = self.items[..self.own].iter().map(|item| &*item.name).collect();
        let before: HashMap<&str, usize> = (self.own..self.items.len()).map(|i| (&*self.items[i].name, i)).collect();
        let drawn = candidates(listing);
        let reader = Reader::default().with_rules(self.rules.clone());
        let (mut items, mut parts) = (self.items[..self.own].to_vec(), self.parts[..self.own].to_vec());
        let (mut new, mut lines, mut seen) = (0, Vec::new(), HashSet::new());
        for name in wanted.iter().filter(|name| !own.contains(&***name)) {
            if !seen.insert(name) {
                continue;
            }
            if let Some(&i) = before.get(&**name) {
                items.push(self.items[i].clone());
                parts.push(self.parts[i]);
                continue;
            }
            let Candidate { pair, given } = *drawn.get(&**name).ok_or_else(|| {
                invalid(format!(
                    "`{name}` has no mask that was drawn here, in {}; take it out, or label the image",
                    listing.corrections.display()
                ))
            })?;
            let sample = reader
                .pair(pair)
                .map_err(|problem| invalid(format!("{}: {}", problem.path.display(), problem.problem)))?;
            let own = item(name.clone(), pair.class.clone().unwrap_or_default(), &sample, input(params));
            items.push(Arc::new(Item { corrected: correction(pair), drawn: true, ..own }));
            match self.kept_apart(name, given, &fingerprint(&sample.picture), params) {
                None => {
                    new += 1;
                    parts.push(Some(Part::Train));
                }
                Some(why) => {
                    parts.push(None);
                    lines.push(format!("`{name}` was labelled and is not trained on: {why}"));
                }
            }
        }
        let description = self.description.split(HERE).next().unwrap_or_default();
        let mut data = SegmentationData {
            description: format!("{description}{}", described(&items[self.own..])),
            items,
            parts,
            ..self.clone()
        };
        data.spacings = data.with_joined_spacings(&mut lines);
        data.take_parts(params)?;
        let here = data.items.len() - data.own;
        if here > 0 {
            lines.insert(
                0,
                format!(
                    "{} here, of which {} trained on; they are always training images",
                    counted(here, "image was labelled", "images were labelled"),
                    data.parts[data.own..].iter().flatten().count(),
                ),
            );
        }
        Ok(Joined { data, new, lines })
    }

    /// The size of a pixel of every image. What a run measures in does not change while it runs: an image that joins and whose
    /// file says no size is taken to be as the first of the data set.
    fn with_joined_spacings(&self, lines: &mut Vec<String>) -> Vec<Spacing> {
        let Some(&first) = self.spacings.first() else { return Vec::new() };
        // Typed: one for all.
        let typed = self.items[..self.own].iter().any(|item| item.spacing.is_none_or(|spacing| spacing != first));
        let typed = typed && self.spacings[..self.own].iter().all(|spacing| *spacing == first);
        let mut spacings = self.spacings[..self.own].to_vec();
        for item in &self.items[self.own..] {
            if item.spacing.is_none() && !typed {
                let how = first.text();
                lines.push(format!(
                    "`{}` does not say how large a pixel is: {how} is taken, as of the first image",
                    item.name
                ));
            }
            spacings.push(if typed { first } else { item.spacing.unwrap_or(first) });
        }
        spacings
    }

    /// Why an image must not be trained on, if it must not.
    fn kept_apart(
        &self,
        name: &str,
        given: Option<&[Option<Part>]>,
        print: &Fingerprint,
        params: &Params,
    ) -> Option<String> {
        let choice = split_choice(params);
        if let Some(part @ (Part::Validation | Part::Test)) =
            given.filter(|_| choice.as_given).and_then(|given| *given.get(choice.fold)?)
        {
            return Some(format!("the data set names it for {}", part.label()));
        }
        let rule = if choice.rule.check().is_ok() { &choice.rule } else { &GroupRule::None };
        let group = rule.group(name);
        let measured = (0..self.own).filter_map(|i| match self.parts[i] {
            Some(part @ (Part::Validation | Part::Test)) => Some((i, part)),
            _ => None,
        });
        for (i, part) in measured {
            let other = &self.items[i].name;
            let what = if group.is_some() && rule.group(other) == group {
                "belongs to the same group as"
            } else if self.prints.get(i).is_some_and(|known| known.is_near(print)) {
                "looks the same as"
            } else {
                continue;
            };
            return Some(format!("it {what} `{other}`, which is for {}", part.label()));
        }
        None
    }

    /// The same data in the parts of a checkpoint: `letters` as [`Self::parts_in_letters`] gave them, of the images `names`, the
    /// last `joined` of which were labelled while it ran. `None`: they are of other images.
    ///
    /// # Errors
    /// The mask of one that has joined is gone.
    pub fn as_kept(
        &self,
        letters: &str,
        names: &str,
        joined: usize,
        params: &Params,
    ) -> Result<Option<SegmentationData>, ParamError> {
        let names: Vec<&str> = names.lines().collect();
        let Some(own) = names.len().checked_sub(joined) else { return Ok(None) };
        let places: HashMap<&str, usize> = (0..self.own).map(|i| (&*self.items[i].name, i)).collect();
        let Some(order) = names[..own].iter().map(|name| places.get(name).copied()).collect::<Option<Vec<usize>>>()
        else {
            return Ok(None);
        };
        // What was labelled since is no part of it; any other image that has come makes it another data set.
        let kept: HashSet<usize> = order.iter().copied().collect();
        if (0..self.own).any(|i| !kept.contains(&i) && !self.items[i].drawn) {
            return Ok(None);
        }
        let Some(folder) = &self.folder else { return Ok(None) };
        let prints = order.iter().filter_map(|&i| self.prints.get(i).cloned()).collect();
        let data = SegmentationData {
            items: order.iter().map(|&i| self.items[i].clone()).collect(),
            // By the letters below; until then nothing that joins is kept apart.
            parts: vec![Some(Part::Train); own],
            own,
            prints: Arc::new(prints),
            groups: order.iter().map(|&i| self.group(i)).collect(),
            spacings: order.iter().filter_map(|&i| self.spacing(i)).collect(),
            ..self.clone()
        };
        let listing = scan_chosen(folder, None, &self.which, Watch::nobody()).map_err(refused)?;
        let later: Vec<String> = names[own..].iter().map(|&name| name.to_owned()).collect();
        let data = SegmentationData { wall: Vec::new(), ..data.with_known(self) };
        Ok(data.joined_from(&listing, &later, params)?.data.in_parts(letters, params))
    }

    /// With what has joined another one, so that it is not read again.
    fn with_known(mut self, other: &SegmentationData) -> Self {
        self.items.extend(other.items[other.own..].iter().cloned());
        self.parts.extend(&other.parts[other.own..]);
        self
    }
}

/// An image that may join, and the part that the data set names for it in each fold, where it names parts.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    pair: &'a Pair,
    given: Option<&'a [Option<Part>]>,
}

/// The images that may join, by name.
fn candidates(listing: &Listing) -> HashMap<&str, Candidate<'_>> {
    let alone = |pair: &&Pair| pair.masks.is_empty();
    let later = listing.pairs.iter().filter(alone).map(|pair| Candidate { pair, given: None });
    let drawn = listing.drawn.iter().map(|Drawn { pair, given }| Candidate { pair, given: Some(given.as_slice()) });
    later.chain(drawn).map(|found| (&*found.pair.name, found)).collect()
}

/// How many, and a CRC-32 of their names, pictures and masks; nothing where there is none.
fn described(items: &[Arc<Item>]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let mut hasher = crc32fast::Hasher::new();
    for item in items {
        hasher.update(item.name.as_bytes());
        hasher.update(&item.content.to_le_bytes());
        let lesions: Vec<u8> = item.truth.pixels().iter().map(|&lesion| u8::from(lesion)).collect();
        hasher.update(&lesions);
    }
    format!("{HERE}{}, CRC-32 {:08x}", counted(items.len(), "image", "images"), hasher.finalize())
}

fn invalid(problem: String) -> ParamError {
    ParamError::invalid(JOINED.key(), problem)
}
