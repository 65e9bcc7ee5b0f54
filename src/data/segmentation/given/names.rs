//! Which pair a file of parts means by a name: with or without folders, extension, the number of a channel, or the zeros
//! that a spreadsheet has eaten.

use std::collections::{HashMap, HashSet};

use super::super::listing::Pair;
use super::super::names::{folder_role, image_base};

/// What a name in a file stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Called {
    /// The number of a pair.
    One(usize),
    /// The pair whose name is this number with zeros in front.
    WithoutZeros(usize),
    /// Numbers of the pairs that it could be.
    Several(Vec<usize>),
    /// An image that is there but is no pair.
    Unpaired,
    Nobody,
}

/// Pairs by what a file may call them, in lower case.
pub struct Names {
    /// Of every pair the path below the folder, with `/`, without extension.
    pub shown: Vec<String>,
    whole: HashMap<String, usize>,
    stems: HashMap<String, Vec<usize>>,
    /// Stems without what says nothing, and names of masks.
    bases: HashMap<String, Vec<usize>>,
    /// Numbers without their leading zeros.
    numbers: HashMap<String, Vec<usize>>,
    /// Of every pair its folders without those that only tell images from masks.
    folders: Vec<Vec<String>>,
    /// So many folders are the same for all pairs.
    shared: usize,
    unpaired: HashSet<String>,
}

impl Names {
    /// `unpaired`: stems of images that are there and are no pairs.
    pub fn of(pairs: &[Pair], unpaired: impl Iterator<Item = String>) -> Self {
        let lower: Vec<String> = pairs.iter().map(|pair| pair.name.to_lowercase()).collect();
        let folders: Vec<Vec<String>> = lower.iter().map(|name| folders_of(name).0).collect();
        let shared = (0..).take_while(|&at| {
            let first = folders.first().and_then(|folders| folders.get(at));
            first.is_some() && folders.iter().all(|folders| folders.get(at) == first)
        });
        let mut names = Names {
            shown: pairs.iter().map(|pair| pair.name.clone()).collect(),
            whole: lower.iter().enumerate().map(|(i, name)| (name.clone(), i)).collect(),
            stems: HashMap::new(),
            bases: HashMap::new(),
            numbers: HashMap::new(),
            shared: shared.count(),
            folders,
            unpaired: unpaired.map(|stem| stem.to_lowercase()).collect(),
        };
        for (i, pair) in pairs.iter().enumerate() {
            let stem = lower[i].rsplit('/').next().unwrap_or_default().to_owned();
            let masks = pair.masks.iter().filter_map(|mask| Some(mask.file_stem()?.to_string_lossy().to_lowercase()));
            let mut bases: Vec<String> = masks.chain([image_base(&stem)]).collect();
            bases.sort_unstable();
            bases.dedup();
            bases.into_iter().for_each(|base| names.bases.entry(base).or_default().push(i));
            if let Some(number) = whole_number(&stem) {
                names.numbers.entry(number).or_default().push(i);
            }
            names.stems.entry(stem).or_default().push(i);
        }
        names
    }

    /// The pairs that `typed` means.
    pub fn find(&self, typed: &str) -> Called {
        let typed = typed.trim().replace('\\', "/").to_lowercase();
        let typed = typed.trim_start_matches("./").trim_matches('/');
        if typed.is_empty() {
            return Called::Nobody;
        }
        let ways: Vec<&str> = [typed].into_iter().chain(without_extension(typed)).collect();
        for way in &ways {
            if let Some(&pair) = self.whole.get(*way) {
                return Called::One(pair);
            }
            let (folders, stem) = folders_of(way);
            for list in [self.stems.get(&stem), self.bases.get(&stem), self.bases.get(&image_base(&stem))] {
                match list.map(|list| self.fitting(list, &folders)).as_deref() {
                    None | Some([]) => {}
                    Some(&[one]) => return Called::One(one),
                    Some(several) => return Called::Several(several.to_vec()),
                }
            }
        }
        for way in &ways {
            let (folders, stem) = folders_of(way);
            // Behind an empty cell a column of whole numbers is written with `.0`.
            let number = whole_number(stem.strip_suffix(".0").unwrap_or(&stem));
            let list = number.and_then(|number| self.numbers.get(&number));
            match list.map(|list| self.fitting(list, &folders)).as_deref() {
                None | Some([]) => {}
                Some(&[one]) => return Called::WithoutZeros(one),
                Some(several) => return Called::Several(several.to_vec()),
            }
        }
        let there = |way: &&str| self.unpaired.contains(way.rsplit('/').next().unwrap_or(way));
        if ways.iter().any(there) { Called::Unpaired } else { Called::Nobody }
    }

    /// Whether it names images, if perhaps too few letters of them.
    pub fn knows(&self, typed: &str) -> bool {
        !matches!(self.find(typed), Called::Nobody | Called::Unpaired)
    }

    /// Those of `list` whose folders fit the ones that are written. A path may begin above the chosen folder or below it.
    fn fitting(&self, list: &[usize], written: &[String]) -> Vec<usize> {
        let own = |pair: usize| &self.folders[pair][..];
        // Folders that all pairs have tell nothing, and may be called otherwise elsewhere.
        let telling = |pair: usize| &self.folders[pair][self.shared..];
        let of = |fits: &dyn Fn(usize) -> bool| list.iter().copied().filter(|&pair| fits(pair)).collect::<Vec<usize>>();
        let all = |part: &[String], whole: &[String]| part.iter().all(|folder| whole.contains(folder));
        let ways: [&dyn Fn(usize) -> bool; 4] = [
            &|pair| own(pair) == written || telling(pair) == written,
            &|pair| own(pair).ends_with(written) || (!telling(pair).is_empty() && written.ends_with(telling(pair))),
            &|pair| all(written, own(pair)) || (!telling(pair).is_empty() && all(telling(pair), written)),
            &|pair| telling(pair).is_empty(),
        ];
        ways.into_iter().map(of).find(|found| !found.is_empty()).unwrap_or_default()
    }
}

/// The folders of a path without those that only tell images from masks, and the name.
fn folders_of(path: &str) -> (Vec<String>, String) {
    let mut parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    let stem = parts.pop().unwrap_or_default().to_owned();
    let told = |folder: &&str| {
        let (role, rest) = folder_role(folder);
        if role.is_some() { rest } else { (*folder).to_owned() }
    };
    (parts.iter().map(told).filter(|folder| !folder.is_empty()).collect(), stem)
}

/// Without what may be an extension: short, and not a number.
fn without_extension(name: &str) -> Option<&str> {
    let (stem, extension) = name.rsplit_once('.')?;
    let usual = extension.len() <= 5
        && extension.starts_with(|c: char| c.is_ascii_alphabetic())
        && extension.bytes().all(|b| b.is_ascii_alphanumeric());
    (usual && !stem.is_empty()).then(|| stem.strip_suffix(".nii").unwrap_or(stem))
}

/// A whole number without its leading zeros.
fn whole_number(text: &str) -> Option<String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let short = text.trim_start_matches('0');
    digits.then(|| if short.is_empty() { "0" } else { short }.to_owned())
}
