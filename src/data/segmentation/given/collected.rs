//! From names and parts, as a file gives them, to the parts of the pairs, with what is odd about them.

use std::collections::HashSet;

use super::super::counted;
use super::super::doctor::Severity;
use super::super::split::Part;
use super::names::{Called, Names};
use super::{Fold, TOLD, joined};

/// A name and its part, as a file gives them.
pub struct Entry<'a> {
    pub name: &'a str,
    pub line: Option<usize>,
    pub part: Part,
}

impl Entry<'_> {
    /// `` `s7` (line 3) ``.
    fn shown(&self) -> String {
        let line = self.line.map_or_else(String::new, |line| format!(" (line {line})"));
        format!("`{}`{line}", self.name.trim())
    }
}

/// The parts of the pairs from names and parts, and what is odd about them.
pub struct Collected {
    pub parts: Vec<Option<Part>>,
    /// Entries in all.
    entries: usize,
    unknown: Vec<String>,
    unpaired: Vec<String>,
    ambiguous: Vec<(String, Vec<usize>)>,
    twice: Vec<String>,
    without_zeros: Vec<(String, usize)>,
}

impl Collected {
    /// An image of two parts is in the one that is further from training.
    pub fn of<'a>(entries: impl Iterator<Item = Entry<'a>>, names: &Names) -> Self {
        let mut found = Collected {
            parts: vec![None; names.shown.len()],
            entries: 0,
            unknown: Vec::new(),
            unpaired: Vec::new(),
            ambiguous: Vec::new(),
            twice: Vec::new(),
            without_zeros: Vec::new(),
        };
        for entry in entries {
            found.entries += 1;
            let pair = match names.find(entry.name) {
                Called::One(pair) => pair,
                Called::WithoutZeros(pair) => {
                    found.without_zeros.push((entry.name.trim().to_owned(), pair));
                    pair
                }
                Called::Several(pairs) => {
                    found.ambiguous.push((entry.shown(), pairs));
                    continue;
                }
                Called::Unpaired => {
                    found.unpaired.push(entry.shown());
                    continue;
                }
                Called::Nobody => {
                    found.unknown.push(entry.shown());
                    continue;
                }
            };
            let known = found.parts[pair].replace(entry.part);
            if let Some(known) = known.filter(|known| *known != entry.part) {
                found.parts[pair] = Some(known.max(entry.part));
                found.twice.push(format!("{} in {} and {}", entry.shown(), known.name(), entry.part.name()));
            }
        }
        found
    }

    /// Puts the pairs into a part that are not named, not even perhaps; gives their number.
    pub fn put_rest(&mut self, part: Part) -> usize {
        let perhaps: HashSet<usize> = self.ambiguous.iter().flat_map(|(_, pairs)| pairs.iter().copied()).collect();
        let open = |pair: &usize| self.parts[*pair].is_none() && !perhaps.contains(pair);
        let rest: Vec<usize> = (0..self.parts.len()).filter(open).collect();
        rest.iter().for_each(|&pair| self.parts[pair] = Some(part));
        rest.len()
    }

    /// `Err`: why no pair is named.
    pub fn fold(self, names: &Names, source: &str, mut problems: Vec<(Severity, String)>) -> Result<Fold, String> {
        let named = self.parts.iter().flatten().count();
        let told = |list: &[String]| {
            list.iter().take(TOLD).cloned().collect::<Vec<_>>().join(", ") + if list.len() > TOLD { ", .." } else { "" }
        };
        let ambiguous = self.ambiguous.first().map(|(entry, pairs)| {
            let could: Vec<String> = pairs.iter().take(TOLD).map(|&pair| names.shown[pair].clone()).collect();
            format!("{entry} may be {}; write the folder too, as in `{}`", joined(&could), could[0])
        });
        if named == 0 {
            return Err(match (ambiguous, self.unpaired.first()) {
                (Some(text), _) => format!("its names fit several images each: {text}"),
                (None, Some(first)) => {
                    format!("the images that it names have no mask or cannot be read, such as {first}")
                }
                (None, None) => {
                    let first = self.unknown.first().map_or_else(String::new, |first| format!(", such as {first}"));
                    let as_here = names.shown.first().map_or("", String::as_str);
                    let count = counted(self.entries, "name", "names");
                    format!(
                        "none of its {count} is an image of this folder{first}; images here are named as `{as_here}`"
                    )
                }
            });
        }
        if let Some(text) = ambiguous {
            let count = counted(self.ambiguous.len(), "name fits", "names fit");
            problems.push((Severity::Error, format!("{count} several images and counts for none: {text}")));
        }
        if !self.twice.is_empty() {
            let count = counted(self.twice.len(), "image is", "images are");
            let text = format!(
                "{count} in two parts of {source}, and the one further from training counts: {}",
                told(&self.twice)
            );
            problems.push((Severity::Error, text));
        }
        if !self.unknown.is_empty() {
            let count = counted(self.unknown.len(), "image", "images");
            problems
                .push((Severity::Warning, format!("{source} names {count} that no pair has: {}", told(&self.unknown))));
        }
        let missing: Vec<String> = (0..self.parts.len())
            .filter(|&pair| self.parts[pair].is_none())
            .map(|pair| format!("`{}`", names.shown[pair]))
            .collect();
        if !missing.is_empty() {
            let count = counted(missing.len(), "image is", "images are");
            // Those that have an entry of a wrong part are told with it.
            let text =
                format!("{count} not named in {source} for a part and left out of every one: {}", told(&missing));
            problems.push((Severity::Warning, text));
        }
        if let Some((typed, pair)) = self.without_zeros.first() {
            let count = counted(self.without_zeros.len(), "name is", "names are");
            let text = format!(
                "{count} taken for the image of the same number, since spreadsheets leave out zeros in front: `{typed}` for \
                 `{}`",
                names.shown[*pair]
            );
            problems.push((Severity::Note, text));
        }
        if !self.unpaired.is_empty() {
            let count = counted(self.unpaired.len(), "image", "images");
            let text =
                format!("{source} names {count} without a mask, or that cannot be read: {}", told(&self.unpaired));
            problems.push((Severity::Note, text));
        }
        Ok(Fold { name: None, parts: self.parts, problems })
    }
}
