//! Images that were labelled here and join the training: the parameter `joined` names them, so that each one is a change of the
//! run like any other. They are always training images. What would let a validation or test image into the training, because it
//! looks the same or belongs to the same patient, is left out and told.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::data::picture_file::about;
use crate::data::segmentation::groups::{GroupRule, Joining, Tied, Ties, fingerprint};
use crate::data::segmentation::listing::{Drawn, Listing, Pair, scan_chosen};
use crate::data::segmentation::read::Reader;
use crate::data::segmentation::split::Part;
use crate::data::segmentation::{Watch, counted};
use crate::engine::params::{ParamError, Params};

use super::params::{JOINED, PixelSize, pixel_size};
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
    /// Those that trained before and do not any more.
    pub gone: usize,
    /// How many there are, if there are any.
    pub summary: Option<String>,
    /// What is odd about those that have come or gone, one statement each.
    pub warnings: Vec<String>,
}

/// The description of a data set's own images, without the folder's name, and that of those that have joined.
pub fn described_apart(description: &str) -> (&str, &str) {
    let (own, here) = description.split_once(HERE).unwrap_or((description, ""));
    (own.rsplit_once(": ").map_or(own, |(_, own)| own), here)
}

impl SegmentationData {
    /// The same data set with exactly the images that the parameter names as further training images. Those that have
    /// joined before are not read again.
    ///
    /// # Errors
    /// A name without a mask that was drawn here, or an image that cannot be read.
    pub fn joined(&self, params: &Params) -> Result<Joined, ParamError> {
        let text = JOINED.of(params);
        let Some(folder) = self.folder.as_ref().filter(|_| self.structures.is_empty()) else {
            let why = match &self.folder {
                None => "generated pictures have their masks: there is nothing to label",
                Some(_) => "an image that is labelled here has one mask, and several structures need one each",
            };
            return match names(text).next() {
                None => Ok(Joined { data: self.clone(), new: 0, gone: 0, summary: None, warnings: Vec::new() }),
                Some(_) => Err(invalid(why.to_owned())),
            };
        };
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
        let candidates = candidates(listing);
        let reader = Reader::default().with_rules(self.rules.clone());
        let (mut items, mut ties) = (self.items[..self.own].to_vec(), self.ties[..self.own].to_vec());
        let mut seen = HashSet::new();
        for name in wanted.iter().filter(|name| !own.contains(&***name)) {
            if !seen.insert(name) {
                continue;
            }
            if let Some(&i) = before.get(&**name) {
                items.push(self.items[i].clone());
                ties.push(self.ties[i].clone());
                continue;
            }
            let pair = candidates.get(&**name).map(|found| found.pair).ok_or_else(|| {
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
            ties.push(Arc::new(Ties::of(pair, fingerprint(&sample.picture), about(&pair.image).patient)));
        }
        let mut data = SegmentationData { items, ties, ..self.clone() };
        let apart = data.put_groups(&candidates, params);
        data.parts = self.parts[..self.own].to_vec();
        data.parts.extend(apart.iter().map(|why| why.is_none().then_some(Part::Train)));
        let trained = |name: &str| before.get(name).is_some_and(|&i| self.parts[i].is_some());
        let mut warnings = Vec::new();
        for (item, why) in data.items[self.own..].iter().zip(&apart) {
            let Some(why) = why else { continue };
            if !before.contains_key(&*item.name) {
                warnings.push(format!("`{}` was labelled and is not trained on: {why}", item.name));
            } else if trained(&item.name) {
                warnings.push(format!("`{}` is not trained on any more: {why}", item.name));
            }
        }
        let new = |item: &&Arc<Item>| !before.contains_key(&*item.name);
        warnings.extend(data.put_joined_spacings(pixel_size(params)?, new));
        data.describe();
        data.take_parts(params)?;
        let now: HashSet<&str> =
            (data.own..data.items.len()).filter(|&i| data.parts[i].is_some()).map(|i| &*data.items[i].name).collect();
        let new = now.iter().filter(|name| !trained(name)).count();
        let gone = before.keys().filter(|name| trained(name) && !now.contains(*name)).count();
        let here = data.items.len() - data.own;
        let summary = (here > 0).then(|| {
            format!(
                "{} here, of which {} trained on; they are always training images",
                counted(here, "image was labelled", "images were labelled"),
                now.len(),
            )
        });
        Ok(Joined { new, gone, summary, warnings, data })
    }

    /// The size of a pixel of every image that joins, as it is chosen for those of the data set. What a run measures in
    /// does not change while it runs: one whose file says no size is taken to be as the first of the data set. Says so
    /// of those that are `new`.
    fn put_joined_spacings(&mut self, choice: PixelSize, new: impl Fn(&&Arc<Item>) -> bool) -> Option<String> {
        self.spacings.truncate(self.own);
        let &first = self.spacings.first()?;
        let later = &self.items[self.own..];
        let size = |item: &Arc<Item>| match choice {
            PixelSize::Typed(spacing) => spacing,
            PixelSize::OfFiles | PixelSize::Pixels => item.spacing.unwrap_or(first),
        };
        self.spacings.extend(later.iter().map(size));
        if let PixelSize::Typed(_) = choice {
            return None;
        }
        let silent: Vec<&Arc<Item>> = later.iter().filter(|item| item.spacing.is_none()).filter(new).collect();
        let name = &silent.first()?.name;
        let (how, do_not) = (first.text(), counted(silent.len(), "image that joins does", "images that join do"));
        Some(format!(
            "{do_not} not say how large a pixel is (the first is `{name}`): {how} is taken, as of the data set's first \
             image"
        ))
    }

    /// Puts the images that join into groups, as the split makes them, and gives for each of them why it must not be
    /// trained on, if it must not.
    fn put_groups(&mut self, candidates: &HashMap<&str, Candidate<'_>>, params: &Params) -> Vec<Option<String>> {
        let choice = split_choice(params);
        let rule = if choice.rule.check().is_ok() { &choice.rule } else { &GroupRule::None };
        let tied: Vec<Tied<'_>> =
            self.items.iter().zip(&self.ties).map(|(item, ties)| (&*item.name, &**ties)).collect();
        let joining = Joining::to(self.ties[..self.own].iter().map(Arc::as_ref), rule);
        let mut groups: Vec<usize> = (0..self.own).map(|i| self.group(i)).collect();
        let firsts = joining.firsts(&tied, &groups);
        let fresh = groups.iter().max().map_or(0, |most| most + 1);
        for &first in &firsts[self.own..] {
            groups.push(if first < self.own { groups[first] } else { fresh + first - self.own });
        }
        let measured: Vec<(usize, Part)> = (0..self.own)
            .filter_map(|i| Some((i, self.parts[i]?)))
            .filter(|(_, part)| matches!(part, Part::Validation | Part::Test))
            .collect();
        let why = |i: usize| {
            let given = candidates.get(tied[i].0).and_then(|found| found.given).filter(|_| choice.as_given);
            if let Some(part @ (Part::Validation | Part::Test)) = given.and_then(|given| *given.get(choice.fold)?) {
                return Some(format!("the data set names it for {}", part.label()));
            }
            let of_group = || measured.iter().filter(|(other, _)| firsts[*other] == firsts[i]);
            let direct = of_group().find_map(|&(other, part)| Some((joining.tie(tied[i], tied[other])?, other, part)));
            let far = || of_group().next().map(|&(other, part)| ("is connected, by way of others, with", other, part));
            let (what, other, part) = direct.or_else(far)?;
            Some(format!("it {what} `{}`, which is for {}", tied[other].0, part.label()))
        };
        let reasons = (self.own..self.items.len()).map(why).collect();
        self.groups = groups;
        reasons
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
        if !self.structures.is_empty() {
            return Ok(self.in_parts(letters, params));
        }
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
        let data = SegmentationData {
            items: order.iter().map(|&i| self.items[i].clone()).collect(),
            // By the letters below; until then nothing that joins is kept apart.
            parts: vec![Some(Part::Train); own],
            own,
            ties: order.iter().filter_map(|&i| self.ties.get(i).cloned()).collect(),
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
        self.ties.extend(other.ties[other.own..].iter().cloned());
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
pub(super) fn described(items: &[Arc<Item>]) -> String {
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

#[cfg(test)]
mod tests {
    use super::super::params::PARAMS;
    use super::super::source::load;
    use super::*;
    use crate::pixels::spacing::Spacing;

    #[test]
    fn what_joins_is_as_large_as_is_chosen_for_all_and_silent_files_are_told_of_once() {
        let mut params = Params::defaults(PARAMS);
        for text in ["synthetic_images=10", "image_size=32"] {
            params.set_text(PARAMS, text).unwrap();
        }
        let (first, other) = (Spacing { row: 0.1, column: 0.1 }, Spacing { row: 0.2, column: 0.3 });
        let mut data = (*load(&params, Watch::nobody()).unwrap()).clone();
        data.own = 6;
        for (i, item) in data.items.iter_mut().enumerate() {
            Arc::make_mut(item).spacing = if i < 6 { Some(first) } else { (i == 6).then_some(other) };
        }
        let spacings = |data: &SegmentationData, choice: PixelSize, new: &[usize]| {
            let mut data = data.clone();
            data.spacings = if choice == PixelSize::Pixels { Vec::new() } else { vec![first; 6] };
            let names: Vec<String> = new.iter().map(|&i| data.items[i].name.clone()).collect();
            let line = data.put_joined_spacings(choice, |item| names.contains(&item.name));
            (data.spacings.split_off(data.spacings.len().min(6)), line)
        };
        let (sizes, line) = spacings(&data, PixelSize::OfFiles, &[6, 7, 8, 9]);
        assert_eq!(sizes, [other, first, first, first]);
        let line = line.unwrap();
        let silent =
            format!("3 images that join do not say how large a pixel is (the first is `{}`)", data.items[7].name);
        assert!(line.starts_with(&silent) && line.contains(&first.text()), "{line}");
        // They have joined before.
        assert_eq!(spacings(&data, PixelSize::OfFiles, &[6]), (vec![other, first, first, first], None));
        // Typed: as it is for the data set's own, also where their files say the very same.
        assert_eq!(spacings(&data, PixelSize::Typed(first), &[6, 7]), (vec![first; 4], None));
        assert_eq!(spacings(&data, PixelSize::Pixels, &[6, 7]), (Vec::new(), None));
    }
}
