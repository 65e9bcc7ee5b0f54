//! Images and masks told apart by two patterns, as somebody says or as names suggest: `img/*` and `lab/*_seg`, where `*` is
//! what an image and its mask have in common.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::guess::shared;
use super::matching::{Matched, MatchedPair};
use super::walk::Found;
use super::{Problem, counted};
use crate::data::picture_file::is_picture_name;

/// Sets of files that are compared with each other.
const MOST_SETS: usize = 48;
/// So few pairs are needed before equal rests of names say anything.
const LEAST: usize = 2;
/// Pictures of a set that are looked at.
const LOOKED_AT: usize = 3;
/// Guesses of which pictures are looked at.
const MOST_GUESSES: usize = 8;

/// Paths below a folder with a part that varies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// Before and behind the part that varies, in lower case.
    before: String,
    after: String,
    /// Whether the pattern says how the files' names end.
    extension: bool,
}

impl Pattern {
    /// `lab/*_seg.png`; without an extension any; a folder alone is all in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().replace('\\', "/");
        let mut plain = text.trim_start_matches("./").trim_matches('/').to_owned();
        match plain.matches('*').count() {
            _ if text.is_empty() => {
                return Err("is empty; expected a folder, or a pattern such as `lab/*_seg`".to_owned());
            }
            0 if plain.is_empty() || plain == "." => "*".clone_into(&mut plain),
            0 => plain += "/*",
            1 => {}
            _ => {
                return Err(format!(
                    "`{text}` has more than one `*`, which stands for what the names of an image and its mask have in common"
                ));
            }
        }
        let (before, after) = plain.split_once('*').unwrap_or((&plain, ""));
        let name = format!("x{}", after.rsplit('/').next().unwrap_or(after));
        let path = std::path::Path::new(&name);
        let extension = is_picture_name(path) || crate::data::labelme::is_name(path);
        Ok(Self { before: before.to_lowercase(), after: after.to_lowercase(), extension, text: plain })
    }

    /// As it was typed, a folder with its `*`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What varies in this file's path below the folder; `None`: the pattern does not fit it.
    fn rest(&self, file: &Found) -> Option<String> {
        let path = file.relative.to_lowercase();
        let path = if self.extension { &*path } else { path.rsplit_once('.').map_or(&*path, |(path, _)| path) };
        let rest = path.strip_prefix(&*self.before)?.strip_suffix(&*self.after)?;
        (!rest.is_empty()).then(|| rest.to_owned())
    }

    /// How much it says.
    fn weight(&self) -> usize {
        self.before.len() + self.after.len()
    }
}

/// Where images and masks are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    pub images: Pattern,
    pub masks: Pattern,
}

impl Mapping {
    /// Of two texts; `None`: both are empty. The error says which of the two is wrong: 0 or 1.
    pub fn parse(images: &str, masks: &str) -> Result<Option<Self>, (usize, String)> {
        match (images.trim().is_empty(), masks.trim().is_empty()) {
            (true, true) => return Ok(None),
            (true, false) => return Err((0, "is needed where the masks are told by a pattern".to_owned())),
            (false, true) => return Err((1, "is needed where the images are told by a pattern".to_owned())),
            (false, false) => {}
        }
        let images = Pattern::parse(images).map_err(|problem| (0, problem))?;
        let masks = Pattern::parse(masks).map_err(|problem| (1, problem))?;
        if (&images.before, &images.after) == (&masks.before, &masks.after) {
            return Err((1, format!("`{}` is where the images are", masks.text)));
        }
        Ok(Some(Self { images, masks }))
    }

    /// Whether files of labelme are among the masks.
    pub fn takes_drawings(&self) -> bool {
        self.masks.text.to_lowercase().ends_with(".json")
    }

    /// Whether the file is an image (`false`: a mask), and what varies in its path; `None`: neither. Of two patterns that fit,
    /// the one that says more counts.
    fn told(&self, file: &Found) -> Option<(bool, String)> {
        let masks_first = self.masks.weight() >= self.images.weight();
        let of = |is_image: bool| {
            let pattern = if is_image { &self.images } else { &self.masks };
            Some((is_image, pattern.rest(file)?))
        };
        of(!masks_first).or_else(|| of(masks_first))
    }

    /// Pairs `files`; `drawn` are masks made in this program, named as the masks they stand in for, or as the image with
    /// `_mask`.
    pub(super) fn matched(&self, files: &[Found], drawn: &[Found]) -> Matched {
        let mut matched = Matched::default();
        let mut images: BTreeMap<String, usize> = BTreeMap::new();
        let mut masks: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut others = 0;
        for (i, file) in files.iter().enumerate() {
            match self.told(file) {
                Some((false, rest)) => masks.entry(rest).or_default().push(i),
                Some((true, rest)) => match images.get(&rest) {
                    Some(&first) => matched.problems.push(Problem {
                        path: file.path.clone(),
                        problem: format!(
                            "is to the pattern the same as `{}`; say how the names end",
                            files[first].relative
                        ),
                    }),
                    None => {
                        images.insert(rest, i);
                    }
                },
                None => others += 1,
            }
        }
        if others > 0 {
            let pictures = counted(others, "picture is", "pictures are");
            matched.notes.push(format!("{pictures} left out, which neither of both patterns fits"));
        }
        let plain = |file: &Found| {
            file.relative.rsplit_once('.').map_or(file.relative.as_str(), |(name, _)| name).to_lowercase()
        };
        let drawn: HashMap<String, usize> = drawn.iter().enumerate().map(|(i, file)| (plain(file), i)).collect();
        let mut pairs: Vec<MatchedPair> = Vec::new();
        for (rest, &image) in &images {
            let masks = masks.remove(rest).unwrap_or_default();
            let own = masks.iter().find_map(|&mask| drawn.get(&plain(&files[mask])));
            let drawn = own.or_else(|| drawn.get(&format!("{}_mask", plain(&files[image])))).copied();
            if masks.is_empty() && drawn.is_none() {
                matched.lone_images.push(image);
            } else {
                pairs.push(MatchedPair { image, masks, drawn });
            }
        }
        pairs.sort_by_key(|pair| pair.image);
        matched.lone_images.sort_unstable();
        matched.pairs = pairs;
        matched.lone_masks = masks.into_values().flatten().collect();
        matched.lone_masks.sort_unstable();
        matched
    }
}

/// Files of one folder that a pattern fits, by what varies.
struct Set {
    pattern: Pattern,
    of: BTreeMap<String, usize>,
}

impl Set {
    fn new(pattern: &str, files: &[Found], members: &[usize]) -> Option<Self> {
        let pattern = Pattern::parse(pattern).ok()?;
        let of: BTreeMap<String, usize> = members.iter().filter_map(|&i| Some((pattern.rest(&files[i])?, i))).collect();
        (of.len() == members.len() && of.len() >= LEAST).then_some(Self { pattern, of })
    }
}

/// Two patterns that may tell images and masks apart: nobody knows yet which is which.
struct Proposal {
    sides: [Pattern; 2],
    /// Some files of each side.
    some: [Vec<usize>; 2],
    pairs: usize,
    /// Every file of either side has one of the other.
    exact: bool,
}

/// The patterns that pair files by equal rests of names: exact ones first, then those of most pairs.
fn proposals(files: &[Found]) -> Vec<Proposal> {
    let sets = sets(files);
    let mut found = Vec::new();
    for (a, one) in sets.iter().enumerate() {
        for other in &sets[a + 1..] {
            let equal: Vec<&String> = one.of.keys().filter(|rest| other.of.contains_key(*rest)).collect();
            let apart = equal.iter().all(|rest| one.of[*rest] != other.of[*rest]);
            if equal.len() < LEAST || !apart {
                continue;
            }
            let step = equal.len().div_ceil(LOOKED_AT);
            let some = [one, other]
                .map(|set| equal.iter().step_by(step).filter_map(|rest| set.of.get(*rest).copied()).collect());
            found.push(Proposal {
                sides: [one.pattern.clone(), other.pattern.clone()],
                some,
                pairs: equal.len(),
                exact: equal.len() == one.of.len() && equal.len() == other.of.len(),
            });
        }
    }
    found.sort_by_key(|proposal| (!proposal.exact, std::cmp::Reverse(proposal.pairs)));
    found
}

/// Files that lie together and are named alike: all of a folder, those of one ending of the name or one beginning, those
/// without, those of one extension.
fn sets(files: &[Found]) -> Vec<Set> {
    let mut folders: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, file) in files.iter().enumerate() {
        let folder = file.relative.rfind('/').map_or("", |at| &file.relative[..=at]);
        folders.entry(folder).or_default().push(i);
    }
    let mut sets: Vec<Set> = Vec::new();
    let mut known: BTreeSet<(String, Vec<usize>)> = BTreeSet::new();
    let mut push = |pattern: String, members: &[usize]| {
        if members.len() >= LEAST && sets.len() < MOST_SETS && known.insert((pattern.clone(), members.to_vec())) {
            sets.extend(Set::new(&pattern, files, members));
        }
    };
    for (folder, members) in folders {
        let stem = |i: usize| {
            let name = files[i].relative.rsplit('/').next().unwrap_or_default();
            name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_lowercase()
        };
        let trimmed = |of: &[usize]| {
            let stems: Vec<String> = of.iter().map(|&i| stem(i)).collect();
            let (before, after) = shared(&stems);
            let first: Vec<char> = stems.first().map(|stem| stem.chars().collect()).unwrap_or_default();
            let text = |part: &[char]| part.iter().collect::<String>();
            let end = first.len().saturating_sub(after).max(before);
            format!("{folder}{}*{}", text(&first[..before]), text(&first[end..]))
        };
        push(trimmed(&members), &members);
        push(format!("{folder}*"), &members);
        let by = |key: &dyn Fn(usize) -> Option<String>| {
            let mut groups: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
            members.iter().for_each(|&i| groups.entry(key(i)).or_default().push(i));
            if groups.len() > 1 { groups } else { BTreeMap::new() }
        };
        let is_word = |word: &str| !word.is_empty() && word.chars().all(char::is_alphabetic);
        let ending = |i: usize| {
            let stem = stem(i);
            let at = stem.rfind(SEPARATORS)?;
            is_word(&stem[at + 1..]).then(|| stem[at..].to_owned())
        };
        let beginning = |i: usize| {
            let stem = stem(i);
            let at = stem.find(SEPARATORS)?;
            is_word(&stem[..at]).then(|| stem[..=at].to_owned())
        };
        let extension =
            |i: usize| files[i].relative.rsplit_once('.').map(|(_, end)| format!(".{}", end.to_lowercase()));
        for (word, group) in by(&ending) {
            push(format!("{folder}*{}", word.unwrap_or_default()), &group);
        }
        for (word, group) in by(&beginning) {
            push(format!("{folder}{}*", word.unwrap_or_default()), &group);
        }
        for (end, group) in by(&extension) {
            push(format!("{folder}*{}", end.unwrap_or_default()), &group);
        }
    }
    sets
}

const SEPARATORS: [char; 4] = ['_', '-', '.', ' '];

/// The mapping that names suggest, where one is beyond doubt: two sets of files pair one to one by equal rests of their
/// names, of which one alone holds pictures of few colours, and no other two do.
pub(super) fn beyond_doubt(files: &[Found], looks_like_a_mask: &dyn Fn(&Found) -> bool) -> Option<Mapping> {
    let mut found: Vec<Mapping> = Vec::new();
    let mut covered: Vec<[Vec<usize>; 2]> = Vec::new();
    for proposal in proposals(files).iter().take_while(|proposal| proposal.exact).take(MOST_GUESSES) {
        if let Some(mapping) = proposal.turned(files, looks_like_a_mask)
            && !covered.contains(&proposal.some)
        {
            covered.push(proposal.some.clone());
            found.push(mapping);
        }
    }
    if found.len() == 1 { found.pop() } else { None }
}

/// The mapping that names suggest most, to be looked at by somebody.
pub(super) fn likely(files: &[Found], looks_like_a_mask: &dyn Fn(&Found) -> bool) -> Option<Mapping> {
    let proposals = proposals(files);
    let best = proposals.iter().take(MOST_GUESSES).find_map(|one| one.turned(files, looks_like_a_mask));
    best.or_else(|| {
        let [images, masks] = proposals.into_iter().next()?.sides;
        Some(Mapping { images, masks })
    })
}

impl Proposal {
    /// Which side the masks are on: the one whose pictures have few colours, if the other's have many.
    fn turned(&self, files: &[Found], looks_like_a_mask: &dyn Fn(&Found) -> bool) -> Option<Mapping> {
        let [one, other] = self.some.each_ref().map(|some| {
            let masks = some.iter().filter(|&&i| looks_like_a_mask(&files[i])).count();
            (masks == some.len(), masks == 0)
        });
        let [a, b] = self.sides.clone();
        match (one, other) {
            ((false, true), (true, false)) => Some(Mapping { images: a, masks: b }),
            ((true, false), (false, true)) => Some(Mapping { images: b, masks: a }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(relative: &str) -> Found {
        let stem = relative.rsplit('/').next().unwrap().split('.').next().unwrap().to_owned();
        Found {
            path: relative.into(),
            relative: relative.to_owned(),
            stem,
            role: None,
            role_folder: None,
            place: String::new(),
            plain_folder: None,
            part: None,
            part_folder: None,
            drawing: None,
        }
    }

    fn files(names: &[&str]) -> Vec<Found> {
        names.iter().map(|name| file(name)).collect()
    }

    #[test]
    fn a_pattern_is_a_folder_or_has_one_star() {
        let rest = |pattern: &str, path: &str| Pattern::parse(pattern).unwrap().rest(&file(path));
        assert_eq!(rest("img", "img/a.png"), Some("a".to_owned()));
        assert_eq!(rest("./img/", "IMG/p1/A.jpg"), Some("p1/a".to_owned()));
        assert_eq!(rest("lab/*_seg", "lab/7_seg.png"), Some("7".to_owned()));
        assert_eq!(rest("lab/*_seg.png", "lab/7_seg.png"), Some("7".to_owned()));
        assert_eq!(rest("lab/*_seg.png", "lab/7_seg.bmp"), None);
        assert_eq!(rest("lab\\*.tif", "lab/7.tif"), Some("7".to_owned()));
        assert_eq!((rest(".", "7.tif"), rest("*.png", "a/7.png")), (Some("7".to_owned()), Some("a/7".to_owned())));
        assert_eq!((rest("img", "image/a.png"), rest("a*a", "a.png")), (None, None));
        assert!(Pattern::parse("*/*.png").unwrap_err().contains("more than one"));
        assert_eq!(Mapping::parse(" ", "").unwrap(), None);
        assert_eq!(Mapping::parse("img", "").unwrap_err().0, 1);
        assert_eq!(Mapping::parse("", "lab").unwrap_err().0, 0);
        assert_eq!(Mapping::parse("img/*", "img").unwrap_err().0, 1);
    }

    #[test]
    fn files_pair_by_what_varies_and_the_rest_is_told() {
        let mapping = Mapping::parse("*.jpg", "out/*_l.png").unwrap().unwrap();
        let all = files(&["b.jpg", "a.jpg", "c.jpg", "out/a_l.png", "out/b_l.png", "out/d_l.png", "readme.png"]);
        let drawn = files(&["out/b_l.png", "c_mask.png"]);
        let matched = mapping.matched(&all, &drawn);
        let pairs: Vec<_> = matched.pairs.iter().map(|pair| (pair.image, pair.masks.clone(), pair.drawn)).collect();
        assert_eq!(pairs, [(0, vec![4], Some(0)), (1, vec![3], None), (2, vec![], Some(1))]);
        assert_eq!((matched.lone_images, matched.lone_masks), (vec![], vec![5]));
        assert!(matched.notes[0].starts_with("1 picture is left out"), "{:?}", matched.notes);
        // Masks beside the images: the pattern that says more counts.
        let mapping = Mapping::parse("*", "*_l").unwrap().unwrap();
        let matched = mapping.matched(&files(&["a.png", "a_l.png", "b.png", "b_l.png"]), &[]);
        assert_eq!(matched.pairs.iter().map(|pair| (pair.image, pair.masks[0])).collect::<Vec<_>>(), [(0, 1), (2, 3)]);
    }

    #[test]
    fn names_suggest_patterns_only_where_one_is_beyond_doubt() {
        let guess = |names: &[&str], is_mask: &str| {
            let mapping = beyond_doubt(&files(names), &|file| file.relative.contains(is_mask));
            mapping.map(|mapping| (mapping.images.text().to_owned(), mapping.masks.text().to_owned()))
        };
        let told = |images: &str, masks: &str| Some((images.to_owned(), masks.to_owned()));
        let folders = ["A/us_001.png", "A/us_002.png", "B/r001x.png", "B/r002x.png"];
        assert_eq!(guess(&folders, "B/"), told("A/us_*", "B/r*x"));
        assert_eq!(guess(&["a_pic.png", "a_out.png", "b_pic.png", "b_out.png"], "out"), told("*_pic", "*_out"));
        assert_eq!(guess(&["pic_1.png", "out_1.png", "pic_2.png", "out_2.png"], "out"), told("pic_*", "out_*"));
        assert_eq!(guess(&["1.png", "1_out.png", "2.png", "2_out.png"], "out"), told("*", "*_out"));
        // Neither looks like a mask, or both; and a folder that lacks one.
        assert_eq!((guess(&folders, "nothing"), guess(&folders, "/")), (None, None));
        assert_eq!(guess(&["A/1.png", "A/2.png", "A/3.png", "B/1.png", "B/2.png"], "B/"), None);
        // Two people's.
        let two = ["A/1.png", "A/2.png", "B/1.png", "B/2.png", "C/1.png", "C/2.png"];
        let both = beyond_doubt(&files(&two), &|file| !file.relative.starts_with('A'));
        assert_eq!(both, None);
        let best = likely(&files(&two), &|file| !file.relative.starts_with('A')).unwrap();
        assert_eq!((best.images.text(), best.masks.text()), ("A/*", "B/*"));
        let some = likely(&files(&["A/1.png", "A/2.png", "A/3.png", "B/1.png", "B/2.png"]), &|_| false).unwrap();
        assert_eq!((some.images.text(), some.masks.text()), ("A/*", "B/*"));
    }
}
