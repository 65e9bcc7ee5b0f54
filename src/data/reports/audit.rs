//! What makes the parts of a set of reports less apart than they look: the same report in several studies, and studies in several parts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::fundus::named;
use super::super::segmentation::counted;
use super::{Pair, Part};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audit {
    /// Numbers of pairs whose reports are alike word for word, of two studies at least in each list.
    pub alike: Vec<Vec<usize>>,
    /// Pairs of validation and test whose report stands in training too, and how many there are in those parts.
    pub seen: Vec<usize>,
    pub held_out: usize,
    /// Studies of which pictures are in several parts.
    pub torn: Vec<String>,
}

/// The words of a report as they are compared: small letters and digits, all else as one space.
pub fn compared(report: &str) -> String {
    let spaced: String = report.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    spaced.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Looks at pairs in these parts (`None`: in none), one for each pair.
pub fn audit(pairs: &[Pair], parts: &[Option<Part>]) -> Audit {
    let mut texts: HashMap<String, Vec<usize>> = HashMap::new();
    let mut studies: BTreeMap<&str, BTreeSet<Part>> = BTreeMap::new();
    for (i, pair) in pairs.iter().enumerate() {
        let text = compared(&pair.report);
        if !text.is_empty() {
            texts.entry(text).or_default().push(i);
        }
        studies.entry(&pair.study).or_default().extend(parts.get(i).copied().flatten());
    }
    let part = |i: usize| parts.get(i).copied().flatten();
    let mut audit = Audit::default();
    for same in texts.into_values() {
        let several: BTreeSet<&str> = same.iter().map(|&i| pairs[i].study.as_str()).collect();
        if same.iter().any(|&i| part(i) == Some(Part::Train)) {
            audit.seen.extend(same.iter().copied().filter(|&i| part(i).is_some_and(|part| part != Part::Train)));
        }
        if several.len() > 1 {
            audit.alike.push(same);
        }
    }
    audit.alike.sort_unstable();
    audit.seen.sort_unstable();
    audit.held_out = (0..pairs.len()).filter(|&i| part(i).is_some_and(|part| part != Part::Train)).count();
    audit.torn = studies.into_iter().filter(|(_, parts)| parts.len() > 1).map(|(study, _)| study.to_owned()).collect();
    audit
}

impl Audit {
    /// One statement a line; empty: nothing was found.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.alike.is_empty() {
            let pairs = self.alike.iter().map(Vec::len).sum();
            let texts = counted(self.alike.len(), "report stands", "reports stand");
            let of = counted(pairs, "picture", "pictures");
            lines.push(format!("{texts} word for word in several studies, with {of}"));
        }
        if !self.seen.is_empty() {
            let share = 100.0 * self.seen.len() as f64 / self.held_out as f64;
            let one =
                counted(self.seen.len(), "picture of validation and test has", "pictures of validation and test have");
            lines.push(format!("{one} a report that stands in training word for word ({share:.1} %)"));
        }
        if !self.torn.is_empty() {
            let studies = counted(self.torn.len(), "study has", "studies have");
            let list = named(self.torn.iter().map(String::as_str));
            lines.push(format!("{studies} pictures in several parts: {list}"));
        }
        lines
    }
}
