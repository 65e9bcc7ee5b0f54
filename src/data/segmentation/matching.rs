//! Which mask belongs to which image, by their names and folders.

use std::collections::{HashMap, HashSet};

use super::Problem;
use super::guess;
use super::mapping::Mapping;
use super::names::{MaskName, Role, image_base, mask_name};
use super::walk::Found;

/// Numbers of files that belong together.
#[derive(Debug, Default)]
pub struct MatchedPair {
    pub image: usize,
    /// The mask without number first, then by number.
    pub masks: Vec<usize>,
    /// A corrected mask, a number in the other list.
    pub drawn: Option<usize>,
}

/// Every file has one place here.
#[derive(Debug, Default)]
pub struct Matched {
    /// In the order of the images.
    pub pairs: Vec<MatchedPair>,
    pub lone_images: Vec<usize>,
    pub lone_masks: Vec<usize>,
    /// What the names of masks say, where they say it.
    pub names: HashMap<usize, MaskName>,
    pub problems: Vec<Problem>,
    /// What was decided on the way, one statement each.
    pub notes: Vec<String>,
    /// What is added to the name of an image for that of its mask, where nothing but a guess tells.
    pub affix: Option<String>,
    /// The patterns that images and masks were told by, where they were.
    pub mapping: Option<Mapping>,
    /// How many masks were paired by [`guess::by_rest`].
    pub by_rest: usize,
    /// See [`Listing::people`](super::listing::Listing::people).
    pub people: usize,
}

/// Pairs `files`; `drawn` are masks made in this program, in folders that mirror the data set's.
pub fn match_files(files: &[Found], drawn: &[Found]) -> Matched {
    let mut names: HashMap<usize, MaskName> =
        files.iter().enumerate().filter_map(|(i, file)| Some((i, mask_name(&file.stem)?))).collect();
    let masks = masks(files, &mut names);
    let mut matched = Matched::default();
    let mut index = Index::default();
    let mut image_of: HashMap<usize, MatchedPair> = HashMap::new();
    for (i, file) in files.iter().enumerate().filter(|(i, _)| !masks.contains(i)) {
        match index.add(i, file) {
            None => {
                image_of.insert(i, MatchedPair { image: i, ..MatchedPair::default() });
            }
            Some(first) => matched.problems.push(Problem {
                path: file.path.clone(),
                problem: format!(
                    "has the same name as `{}`, so that masks fit both; rename one",
                    files[first].relative
                ),
            }),
        }
    }
    let mut rest = Vec::new();
    for i in (0..files.len()).filter(|i| masks.contains(i)) {
        match index.find(&files[i], names.get(&i)).and_then(|image| image_of.get_mut(&image)) {
            Some(pair) => pair.masks.push(i),
            None => rest.push(i),
        }
    }
    one_image_folders(files, &mut image_of, &mut rest);
    matched.by_rest = by_rest(files, &mut image_of, &mut rest, &mut matched.notes);
    let replaced: HashMap<String, usize> = image_of
        .values()
        .flat_map(|pair| pair.masks.iter().map(|&mask| (without_extension(&files[mask]), pair.image)))
        .collect();
    for (i, file) in drawn.iter().enumerate() {
        let image = replaced.get(&without_extension(file)).copied();
        let image = image.or_else(|| index.find(file, mask_name(&file.stem).as_ref()));
        match image.and_then(|image| image_of.get_mut(&image)) {
            Some(pair) => pair.drawn = Some(i),
            None => matched.problems.push(Problem {
                path: file.path.clone(),
                problem: "is a corrected mask of no image in this folder; it is not used".to_owned(),
            }),
        }
    }
    let mut all: Vec<MatchedPair> = image_of.into_values().collect();
    all.sort_by_key(|pair| pair.image);
    for mut pair in all {
        if pair.masks.is_empty() && pair.drawn.is_none() {
            matched.lone_images.push(pair.image);
            continue;
        }
        // Stable: without numbers they stay in natural order.
        pair.masks.sort_by_key(|mask| names.get(mask).and_then(|name| name.number));
        matched.pairs.push(pair);
    }
    matched.lone_masks = rest;
    matched.names = names;
    matched
}

fn without_extension(file: &Found) -> String {
    file.relative.rsplit_once('.').map_or(file.relative.as_str(), |(name, _)| name).to_lowercase()
}

/// Numbers of the files that are masks. `names` keeps the names of masks alone.
fn masks(files: &[Found], names: &mut HashMap<usize, MaskName>) -> HashSet<usize> {
    let possible = |file: &&Found| file.role != Some(Role::Masks);
    let images: HashSet<(&str, String)> = files
        .iter()
        .filter(possible)
        .flat_map(|file| [(&*file.place, file.stem.to_lowercase()), (&*file.place, image_base(&file.stem))])
        .collect();
    let mut masks: HashSet<usize> = HashSet::new();
    let mut affixes: HashSet<String> = HashSet::new();
    for (i, file) in files.iter().enumerate() {
        let partner = names.get(&i).is_some_and(|name| {
            let base = name.base.clone();
            images.contains(&(&*file.place, image_base(&base))) || images.contains(&(&*file.place, base))
        });
        if partner {
            affixes.extend(names.get(&i).map(|name| name.affix.clone()));
        }
        if partner || file.role == Some(Role::Masks) {
            masks.insert(i);
        }
    }
    // A mask whose image is missing: named as the other masks are, and in no folder of images.
    for (i, name) in &*names {
        if files[*i].role.is_none() && !name.prefix && (name.affix.contains("mask") || affixes.contains(&name.affix)) {
            masks.insert(*i);
        }
    }
    names.retain(|i, _| masks.contains(i));
    masks
}

/// Images by their places and names.
#[derive(Default)]
struct Index {
    exact: HashMap<(String, String), usize>,
    base: HashMap<(String, String), usize>,
    /// By name alone; `None`: several folders have one of that name.
    anywhere: HashMap<String, Option<usize>>,
}

impl Index {
    /// The image that has the same place and name already, if one has.
    fn add(&mut self, i: usize, file: &Found) -> Option<usize> {
        let stem = file.stem.to_lowercase();
        if let Some(first) = self.exact.get(&(file.place.clone(), stem.clone())) {
            return Some(*first);
        }
        self.exact.insert((file.place.clone(), stem.clone()), i);
        self.base.entry((file.place.clone(), image_base(&stem))).or_insert(i);
        self.anywhere.entry(stem).and_modify(|known| *known = None).or_insert(Some(i));
        None
    }

    /// The image of a mask: of its whole name in a folder of masks, else of the name without addition; beside it in the
    /// folders' order; for masks all in one folder, else the only image of that name anywhere.
    fn find(&self, mask: &Found, name: Option<&MaskName>) -> Option<usize> {
        let whole = mask.stem.to_lowercase();
        let whole = (mask.role == Some(Role::Masks) || name.is_none()).then_some(whole.as_str());
        let keys = || whole.into_iter().chain(name.map(|name| name.base.as_str()));
        let here = |key: &str| (mask.place.clone(), key.to_owned());
        keys()
            .find_map(|key| self.exact.get(&here(key)))
            .or_else(|| keys().find_map(|key| self.base.get(&here(&image_base(key)))))
            .copied()
            .or_else(|| {
                let common = mask.place.is_empty();
                common.then(|| keys().find_map(|key| *self.anywhere.get(key)?)).flatten()
            })
    }
}

/// Masks of places where no mask has found its image by name; see [`guess::by_rest`]. Gives their number.
fn by_rest(
    files: &[Found],
    image_of: &mut HashMap<usize, MatchedPair>,
    rest: &mut Vec<usize>,
    notes: &mut Vec<String>,
) -> usize {
    let paired: HashSet<&str> =
        image_of.values().filter(|pair| !pair.masks.is_empty()).map(|pair| files[pair.image].place.as_str()).collect();
    let open = |i: &usize| !paired.contains(files[*i].place.as_str());
    let mut images: Vec<usize> = image_of.keys().copied().filter(open).collect();
    images.sort_unstable();
    let masks: Vec<usize> = rest.iter().copied().filter(open).collect();
    let found = guess::by_rest(files, &images, &masks, notes);
    for &(image, mask) in &found {
        image_of.entry(image).and_modify(|pair| pair.masks.push(mask));
    }
    rest.retain(|mask| !found.iter().any(|(_, found)| found == mask));
    found.len()
}

/// `case/images/case.png` with `case/masks/*.png` of any names: a folder of its own for every image.
fn one_image_folders(files: &[Found], image_of: &mut HashMap<usize, MatchedPair>, rest: &mut Vec<usize>) {
    let own: HashMap<&str, usize> = image_of
        .keys()
        .filter(|&&i| files[i].role == Some(Role::Images) && files[i].plain_folder.as_ref() == Some(&files[i].stem))
        .map(|&i| (files[i].place.as_str(), i))
        .collect();
    rest.retain(|&mask| {
        let file = &files[mask];
        let image = own.get(file.place.as_str()).filter(|_| file.role == Some(Role::Masks));
        match image.and_then(|image| image_of.get_mut(image)) {
            Some(pair) => {
                pair.masks.push(mask);
                false
            }
            None => true,
        }
    });
}
