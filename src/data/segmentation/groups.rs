//! Which images belong together.
//!
//! Frames of one patient, or the same picture saved twice, must not be trained on and tested on. BUSI names no patients, so
//! near-duplicates are found by looking; elsewhere a pattern may read the patient from the file's name.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::path::PathBuf;

use rayon::prelude::*;

use super::counted;
use super::listing::Pair;
use super::names::{folder_part, folder_role, loose};
use super::read::Picture;
use crate::data::picture_file::volume;

/// Largest number of differing bits of the hashes of near-duplicates, of 64.
pub const HASH_DISTANCE: u32 = 10;
/// Least correlation of the thumbnails of near-duplicates.
pub const CORRELATION: f32 = 0.95;
/// Height and width of a thumbnail.
const THUMBNAIL: usize = 32;

/// What tells whether two pictures are the same to the eye.
#[derive(Debug, Clone, PartialEq)]
pub struct Fingerprint {
    /// dHash: of a 9×8 grey thumbnail, whether each pixel is brighter than its left neighbour.
    pub hash: u64,
    /// Grey 32×32 thumbnail, without mean and of length 1; all 0 for a picture of one grey.
    pub thumbnail: Vec<f32>,
}

/// The fingerprint of a picture.
pub fn fingerprint(picture: &Picture) -> Fingerprint {
    let small = shrunk(picture, 9, 8);
    let bits = small.chunks_exact(9).flat_map(|row| row.windows(2)).enumerate();
    let hash = bits.fold(0, |hash, (i, pair)| hash | u64::from(pair[1] > pair[0]) << i);
    let mut thumbnail = shrunk(picture, THUMBNAIL, THUMBNAIL);
    let mean = thumbnail.iter().sum::<f32>() / thumbnail.len() as f32;
    thumbnail.iter_mut().for_each(|value| *value -= mean);
    let length = thumbnail.iter().map(|value| value * value).sum::<f32>().sqrt();
    // Below half a grey level there is nothing to compare.
    let factor = if length > 0.5 { 1.0 / length } else { 0.0 };
    thumbnail.iter_mut().for_each(|value| *value *= factor);
    Fingerprint { hash, thumbnail }
}

/// Grey picture of another size, each pixel the mean of those that it covers.
fn shrunk(picture: &Picture, width: usize, height: usize) -> Vec<f32> {
    let range = |i: usize, count: usize, size: usize| {
        let start = (i * size / count).min(size.saturating_sub(1));
        start..((i + 1) * size / count).max(start + 1)
    };
    let mut out = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let (mut sum, mut count) = (0_u64, 0_u64);
            for y in range(y, height, picture.height) {
                for x in range(x, width, picture.width) {
                    let at = 3 * (y * picture.width + x);
                    sum += picture.rgb[at..at + 3].iter().map(|&v| u64::from(v)).sum::<u64>();
                    count += 3;
                }
            }
            out.push(sum as f32 / count as f32);
        }
    }
    out
}

impl Fingerprint {
    /// Whether the two pictures are the same but for noise, compression, size or small marks.
    pub fn is_near(&self, other: &Fingerprint) -> bool {
        (self.hash ^ other.hash).count_ones() <= HASH_DISTANCE && {
            let correlation: f32 = self.thumbnail.iter().zip(&other.thumbnail).map(|(a, b)| a * b).sum();
            let flat = |print: &Fingerprint| print.thumbnail.iter().all(|&value| value == 0.0);
            correlation >= CORRELATION || (flat(self) && flat(other))
        }
    }
}

/// Numbers of all near-duplicates among `prints`, `(smaller, larger)`, ascending. `None` (a picture that could not be
/// read) is near to nothing.
pub fn near_duplicates(prints: &[Option<Fingerprint>]) -> Vec<(usize, usize)> {
    prints
        .par_iter()
        .enumerate()
        .flat_map_iter(|(i, a)| {
            let others = prints.iter().enumerate().skip(i + 1);
            others.filter_map(move |(j, b)| a.as_ref()?.is_near(b.as_ref()?).then_some((i, j)))
        })
        .collect()
}

/// How the patient (or any group) is read from where an image lies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum GroupRule {
    /// Not known.
    #[default]
    None,
    /// All images of a folder belong together.
    Folder,
    /// A pattern for the name without folder and extension: `*` is anything, `{group}` the group, both as short as they
    /// can be. `{group}_*` takes what stands before the first `_`. A name that does not fit is a group of its own.
    Pattern(String),
}

impl GroupRule {
    /// The group of a pair; `name` is [`Pair::name`].
    pub fn group(&self, name: &str) -> Option<String> {
        let (folder, stem) = name.rsplit_once('/').unwrap_or(("", name));
        match self {
            GroupRule::None => None,
            GroupRule::Folder => folder_group(folder),
            GroupRule::Pattern(pattern) => capture(pattern, stem),
        }
    }

    /// Whether the rule can be used; says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        match self {
            GroupRule::Pattern(pattern) if pattern.matches("{group}").count() != 1 => {
                Err(format!("the pattern `{pattern}` needs {{group}} once, as in {{group}}_*"))
            }
            _ => Ok(()),
        }
    }
}

/// The folder without what names a part of a split, so that a patient in `train` and in `test` is one; `None` where then
/// nothing but a folder of images is left.
fn folder_group(folder: &str) -> Option<String> {
    let mut names_part = false;
    let mut own = false;
    let kept: Vec<String> = folder
        .split('/')
        .filter_map(|name| {
            let (part, rest) = folder_part(name);
            names_part |= part.is_some();
            let rest = if part.is_some() { rest } else { name.to_owned() };
            own |= folder_role(&rest).0.is_none() && !loose(&rest).is_empty();
            (!rest.is_empty()).then_some(rest)
        })
        .collect();
    if names_part { own.then(|| kept.join("/")) } else { Some(folder.to_owned()) }
}

/// What `{group}` stands for where the whole text fits.
fn capture(pattern: &str, text: &str) -> Option<String> {
    if let Some(rest) = pattern.strip_prefix("{group}") {
        let ends = text.char_indices().map(|(i, c)| i + c.len_utf8());
        return ends.into_iter().find(|&end| fits(rest, &text[end..])).map(|end| text[..end].to_owned());
    }
    let mut chars = pattern.chars();
    match chars.next()? {
        '*' => {
            let starts = text.char_indices().map(|(i, _)| i).chain([text.len()]);
            starts.into_iter().find_map(|start| capture(chars.as_str(), &text[start..]))
        }
        c => capture(chars.as_str(), text.strip_prefix(c)?),
    }
}

fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// The group of every pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// Numbers from 0 on, in the order of their first pairs.
    pub of: Vec<usize>,
    pub count: usize,
    /// What they were made from, in words.
    pub description: String,
}

impl Groups {
    /// From any numbers, equal for pairs of one group.
    pub fn renumbered(of: &[usize]) -> Self {
        let mut numbers = HashMap::new();
        let of: Vec<usize> = of
            .iter()
            .map(|group| {
                let next = numbers.len();
                *numbers.entry(*group).or_insert(next)
            })
            .collect();
        Groups { of, count: numbers.len(), description: String::new() }
    }

    /// Pairs of every group.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.count];
        self.of.iter().for_each(|&group| sizes[group] += 1);
        sizes
    }
}

/// Joins pairs of one group by `rule`, slices of one volume, those of one patient as the files say, and near-duplicates, and
/// whatever these connect. Where all files name the same patient, as files do whose patients were made unknown, that says
/// nothing.
pub fn groups(pairs: &[Pair], rule: &GroupRule, duplicates: &[(usize, usize)], patients: &[Option<&str>]) -> Groups {
    let mut parent: Vec<usize> = (0..pairs.len()).collect();
    let names: Vec<Option<String>> = pairs.iter().map(|pair| rule.group(&pair.name)).collect();
    let (named, named_groups) = (names.iter().flatten().count(), join_equal(&mut parent, &names));
    duplicates.iter().for_each(|&(a, b)| join(&mut parent, a, b));
    let volumes: Vec<Option<PathBuf>> = pairs.iter().map(|pair| volume::of_slice(&pair.image)).collect();
    let volumes = join_equal(&mut parent, &volumes);
    let tell = tell_patients(patients.iter().copied());
    if tell {
        join_equal(&mut parent, patients);
    }
    let mut numbers = vec![None; pairs.len()];
    let mut count = 0;
    let of = (0..pairs.len())
        .map(|i| {
            let root = root(&mut parent, i);
            *numbers[root].get_or_insert_with(|| {
                count += 1;
                count - 1
            })
        })
        .collect();
    let source = match rule {
        GroupRule::None if tell => {
            let known: HashSet<&str> = patients.iter().copied().flatten().collect();
            counted(known.len(), "patient as files say", "patients as files say")
        }
        GroupRule::None if volumes > 0 => {
            counted(volumes, "volume, whose slices stay together", "volumes, whose slices stay together")
        }
        GroupRule::None => "patients are not known".to_owned(),
        GroupRule::Folder => counted(named_groups, "folder", "folders"),
        GroupRule::Pattern(pattern) => {
            let named_groups = counted(named_groups, "group", "groups");
            format!("`{pattern}` names {named_groups} and fits {named} of {} names", pairs.len())
        }
    };
    let description = match counted(count, "group", "groups") {
        groups if duplicates.is_empty() => format!("{groups}: {source}; no near-duplicates"),
        groups => {
            let pairs = counted(duplicates.len(), "pair of near-duplicates is", "pairs of near-duplicates are");
            format!("{groups}: {source}; {pairs} kept together")
        }
    };
    Groups { of, count, description }
}

/// What connects an image with others of its group, beside its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Ties {
    pub print: Fingerprint,
    /// The volume that it is a slice of.
    pub volume: Option<PathBuf>,
    /// As the file says.
    pub patient: Option<String>,
}

impl Ties {
    pub fn of(pair: &Pair, print: Fingerprint, patient: Option<String>) -> Self {
        Self { print, volume: volume::of_slice(&pair.image), patient }
    }
}

/// An image by its name, see [`Pair::name`], with its ties.
pub type Tied<'a> = (&'a str, &'a Ties);

/// How images are joined that come to those whose groups are made: by the rules of [`groups`], as those were.
#[derive(Debug, Clone, Copy)]
pub struct Joining<'a> {
    rule: &'a GroupRule,
    /// What files say of patients counts.
    patients: bool,
}

impl<'a> Joining<'a> {
    /// To these images.
    pub fn to<'b>(known: impl Iterator<Item = &'b Ties>, rule: &'a GroupRule) -> Self {
        Self { rule, patients: tell_patients(known.map(|ties| ties.patient.as_deref())) }
    }

    /// For every one of `images` the first that is of the same group, itself where there is none before it. The first
    /// of them are of the groups `of`; those that come may connect several.
    pub fn firsts(&self, images: &[Tied<'_>], of: &[usize]) -> Vec<usize> {
        let mut parent: Vec<usize> = (0..images.len()).collect();
        join_equal(&mut parent, &of.iter().map(Some).collect::<Vec<_>>());
        join_equal(&mut parent, &images.iter().map(|(name, _)| self.rule.group(name)).collect::<Vec<_>>());
        join_equal(&mut parent, &images.iter().map(|(_, ties)| ties.volume.as_ref()).collect::<Vec<_>>());
        if self.patients {
            join_equal(&mut parent, &images.iter().map(|(_, ties)| ties.patient.as_ref()).collect::<Vec<_>>());
        }
        for i in of.len()..images.len() {
            let near = |j: &usize| images[*j].1.print.is_near(&images[i].1.print);
            (0..i).filter(near).for_each(|j| join(&mut parent, i, j));
        }
        (0..images.len()).map(|i| root(&mut parent, i)).collect()
    }

    /// What the one has to do with the other, if anything, in words: `looks the same as`.
    pub fn tie(&self, (name, ties): Tied<'_>, (other, others): Tied<'_>) -> Option<&'static str> {
        let equal = |a: Option<&str>, b: Option<&str>| a.is_some() && a == b;
        if equal(self.rule.group(name).as_deref(), self.rule.group(other).as_deref()) {
            Some("belongs to the same group as")
        } else if ties.volume.is_some() && ties.volume == others.volume {
            Some("is a slice of the same volume as")
        } else if self.patients && equal(ties.patient.as_deref(), others.patient.as_deref()) {
            Some("is of the same patient as")
        } else if ties.print.is_near(&others.print) {
            Some("looks the same as")
        } else {
            None
        }
    }
}

/// Whether patients' names say anything: those that were made unknown are all the same.
fn tell_patients<'a>(patients: impl Iterator<Item = Option<&'a str>>) -> bool {
    let mut known = patients.flatten();
    known.next().is_some_and(|first| known.any(|patient| patient != first))
}

/// Joins all that have the same key; gives the number of keys.
fn join_equal<K: Eq + Hash>(parent: &mut [usize], keys: &[Option<K>]) -> usize {
    let mut first_of = HashMap::new();
    for (i, key) in keys.iter().enumerate() {
        if let Some(key) = key {
            join(parent, *first_of.entry(key).or_insert(i), i);
        }
    }
    first_of.len()
}

fn root(parent: &mut [usize], mut i: usize) -> usize {
    while parent[i] != i {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    i
}

fn join(parent: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parent, a), root(parent, b));
    parent[a.max(b)] = a.min(b);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::synth::ultrasound::{UltrasoundSpec, generate};

    fn picture(width: usize, height: usize, value: impl Fn(usize, usize) -> u8) -> Picture {
        let rgb = (0..width * height).flat_map(|i| [value(i % width, i / width); 3]).collect();
        Picture { width, height, rgb, original: (width as u32, height as u32), factor: 1 }
    }

    fn pair(name: &str) -> Pair {
        let image = format!("{name}.png").into();
        let (masks, mask_sizes) = (Vec::new(), Vec::new());
        let (name, labels) = (name.to_owned(), Vec::new());
        Pair { name, class: None, image, size: (8, 8), masks, mask_sizes, labels, corrected: None }
    }

    #[test]
    fn near_duplicates_are_found_and_different_pictures_are_not() {
        let spec = UltrasoundSpec { width: 96, height: 80, ..Default::default() };
        let originals = generate(40, 1, &spec);
        let marked = generate(40, 1, &UltrasoundSpec { calipers: true, ..spec });
        let mut prints = Vec::new();
        for set in [&originals, &marked] {
            for image in set {
                prints.push(Some(fingerprint(&picture(96, 80, |x, y| image.rgb[3 * (y * 96 + x)]))));
            }
        }
        // Brighter, with another contrast, and at another size.
        let first = &originals[0].rgb;
        prints.push(Some(fingerprint(&picture(96, 80, |x, y| first[3 * (y * 96 + x)] / 2 + 60))));
        prints.push(Some(fingerprint(&picture(192, 160, |x, y| first[3 * (y / 2 * 96 + x / 2)]))));
        prints.push(None);
        let found = near_duplicates(&prints);
        let mut expected: Vec<(usize, usize)> = (0..40).map(|i| (i, i + 40)).collect();
        expected.extend([(0, 80), (0, 81), (40, 80), (40, 81), (80, 81)]);
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn pictures_of_one_grey_are_near_to_each_other_alone() {
        let flat = |value| Some(fingerprint(&picture(20, 30, |_, _| value)));
        let slope = Some(fingerprint(&picture(20, 30, |x, _| 100 - x as u8)));
        assert_eq!(near_duplicates(&[flat(0), slope, flat(90)]), [(0, 2)]);
        let tiny = fingerprint(&picture(1, 1, |_, _| 7));
        assert!(tiny.is_near(&tiny));
    }

    #[test]
    fn patterns_read_the_patient() {
        let group = |pattern: &str, name: &str| GroupRule::Pattern(pattern.to_owned()).group(name);
        assert_eq!(group("{group}_*", "a/P012_03_left").as_deref(), Some("P012"));
        assert_eq!(group("case-{group}-*-*", "case-7-left-2").as_deref(), Some("7"));
        assert_eq!(group("*_p{group}", "x_y_p12").as_deref(), Some("12"));
        assert_eq!(group("{group} (*)", "müller (12)").as_deref(), Some("müller"));
        assert_eq!(group("{group}_*", "no underscore"), None);
        assert_eq!(group("{group}", ""), None);
        assert_eq!(GroupRule::Folder.group("a/b/1").as_deref(), Some("a/b"));
        assert!(GroupRule::Pattern("*_*".to_owned()).check().unwrap_err().contains("{group}"));
        assert!(GroupRule::Pattern("{group}_*".to_owned()).check().is_ok() && GroupRule::None.check().is_ok());
    }

    #[test]
    fn images_that_come_join_the_groups_that_the_rules_of_the_split_give_them() {
        let grey =
            |seed: usize| fingerprint(&picture(32, 32, |x, y| ((x * (7 * seed + 3) + y * (5 * seed + 1)) % 251) as u8));
        let one = |name: &str, seed: usize, patient: Option<&str>| {
            (
                name.to_owned(),
                Ties::of(
                    &Pair { image: format!("{name}.nii").into(), ..pair(name) },
                    grey(seed),
                    patient.map(str::to_owned),
                ),
            )
        };
        let images = [
            one("a_1", 1, Some("P")),
            one("b z=3", 2, Some("Q")),
            one("c_1", 3, None),
            // What comes: of the rule, of a volume, of a patient, alike, alone, alike to one that comes.
            one("a_2", 4, None),
            one("b z=9", 5, None),
            one("d", 6, Some("Q")),
            one("e", 3, None),
            one("f", 7, None),
            one("g", 7, None),
        ];
        let tied: Vec<Tied<'_>> = images.iter().map(|(name, ties)| (name.as_str(), ties)).collect();
        let rule = GroupRule::Pattern("{group}_*".to_owned());
        let joining = Joining::to(tied[..3].iter().map(|(_, ties)| *ties), &rule);
        assert_eq!(joining.firsts(&tied, &[0, 1, 2]), [0, 1, 2, 0, 1, 1, 2, 7, 7]);
        let ties: Vec<Option<&str>> =
            [(3, 0), (4, 1), (5, 1), (6, 2), (7, 0)].map(|(a, b)| joining.tie(tied[a], tied[b])).into();
        let words = [
            "belongs to the same group as",
            "is a slice of the same volume as",
            "is of the same patient as",
            "looks the same as",
        ];
        assert_eq!(ties, [words.map(Some).as_slice(), &[None]].concat());
        // One that comes connects two groups.
        let between = ("a_3".to_owned(), Ties { patient: Some("Q".to_owned()), ..images[7].1.clone() });
        let more: Vec<Tied<'_>> = tied[..3].iter().copied().chain([(between.0.as_str(), &between.1)]).collect();
        assert_eq!(joining.firsts(&more, &[0, 1, 2]), [0, 0, 2, 0]);
        // All of one patient: it says nothing, as in the split.
        let unknown = Joining::to(tied[1..3].iter().map(|(_, ties)| *ties), &rule);
        assert_eq!(unknown.tie(tied[5], tied[1]), None);
    }

    #[test]
    fn groups_join_what_rules_and_duplicates_connect() {
        let pairs: Vec<Pair> = ["p1_a", "p2_a", "p1_b", "p3_a", "odd", "p2_b"].map(pair).into();
        let groups = groups(&pairs, &GroupRule::Pattern("{group}_*".to_owned()), &[(2, 3), (3, 4)], &[]);
        assert_eq!(groups.of, [0, 1, 0, 0, 0, 1]);
        assert_eq!(groups.count, 2);
        assert!(groups.description.contains("fits 5 of 6"), "{}", groups.description);
        let alone = super::groups(&pairs, &GroupRule::None, &[], &[]);
        assert_eq!((alone.count, alone.description.contains("not known")), (6, true));
    }
}
