//! Which pairs are to train, to validate and to test: whole studies at random, or as the data set itself says.

use std::collections::HashMap;

use super::super::fundus::named;
use super::super::segmentation::counted;
use super::{Pair, Part};
use crate::compute::streams;

/// The part of every pair.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parts {
    /// `None`: in no part.
    pub of: Vec<Option<Part>>,
    /// How they were made, a statement each.
    pub lines: Vec<String>,
    /// The data set names them.
    pub given: bool,
}

impl Parts {
    /// Numbers of the pairs of a part, ascending.
    pub fn pairs(&self, part: Part) -> Vec<usize> {
        (0..self.of.len()).filter(|&i| self.of[i] == Some(part)).collect()
    }
}

/// Splits pairs by study: all pictures of one are in one part. `shares`: of training, validation and test; a share above 0 gets a study
/// at least where there are enough. Where any pair is given a part and `as_given`, parts are as given: what is in doubt is not trained
/// on, pairs without a part are in none, and a validation that is not given is taken out of training.
pub fn split(pairs: &[Pair], seed: u64, shares: [f64; 3], as_given: bool) -> Parts {
    let mut studies: Vec<Vec<usize>> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (i, pair) in pairs.iter().enumerate() {
        let study = *known.entry(&pair.study).or_insert(studies.len());
        match studies.get_mut(study) {
            Some(of) => of.push(i),
            None => studies.push(vec![i]),
        }
    }
    let given = pairs.iter().any(|pair| pair.split.is_some());
    if given && as_given {
        return as_named(pairs, studies, seed, shares);
    }
    let mut parts = Parts { of: vec![None; pairs.len()], lines: Vec::new(), given: false };
    let count = studies.len();
    at_random(&mut parts.of, studies, seed, shares);
    parts.lines.push(format!("split at random by {} (seed {seed})", counted(count, "whole study", "whole studies")));
    if given {
        parts.lines.push("the parts that the data set names are not used".to_owned());
    }
    parts
}

/// Deals studies out in a seeded order, test first, until each part has its share of the pictures.
fn at_random(of: &mut [Option<Part>], mut studies: Vec<Vec<usize>>, seed: u64, shares: [f64; 3]) {
    streams::REPORT_PARTS.open(seed, 0).shuffle(&mut studies);
    let total: f64 = shares.iter().map(|share| share.max(0.0)).sum();
    let all = studies.iter().map(Vec::len).sum::<usize>() as f64;
    let wanted = shares.map(|share| if total > 0.0 { all * share.max(0.0) / total } else { 0.0 });
    let mut left = studies.into_iter();
    for (part, wanted) in [(Part::Test, wanted[2]), (Part::Validation, wanted[1])] {
        let mut has = 0.0;
        // One study stays for each part that follows.
        let after = if part == Part::Test { usize::from(shares[1] > 0.0) } else { 0 } + usize::from(shares[0] > 0.0);
        while wanted > 0.0 && left.len() > after {
            let Some(next) = left.as_slice().first().map(Vec::len) else { break };
            // The last study is taken where more of it is wanted than not, and the first in any case.
            if has > 0.0 && has + next as f64 / 2.0 > wanted {
                break;
            }
            has += next as f64;
            left.next().into_iter().flatten().for_each(|pair| of[pair] = Some(part));
        }
    }
    let rest = if shares[0] > 0.0 { Part::Train } else { Part::Test };
    left.flatten().for_each(|pair| of[pair] = Some(rest));
}

fn as_named(pairs: &[Pair], studies: Vec<Vec<usize>>, seed: u64, shares: [f64; 3]) -> Parts {
    let mut parts = Parts { of: pairs.iter().map(|pair| pair.split).collect(), lines: Vec::new(), given: true };
    parts.lines.push("split as the data set names the parts".to_owned());
    let mut doubtful: Vec<&str> = Vec::new();
    for study in &studies {
        // The part that is furthest from training: test, then validation.
        let furthest = study.iter().filter_map(|&i| pairs[i].split).max();
        let trained = study.iter().any(|&i| pairs[i].split == Some(Part::Train));
        if trained && furthest > Some(Part::Train) {
            doubtful.push(&pairs[study[0]].study);
            study.iter().filter(|&&i| pairs[i].split == Some(Part::Train)).for_each(|&i| parts.of[i] = furthest);
        }
    }
    if !doubtful.is_empty() {
        let count = counted(doubtful.len(), "study is", "studies are");
        let list = named(doubtful);
        parts.lines.push(format!("{count} given to training and to another part, and not trained on: {list}"));
    }
    let without = parts.of.iter().filter(|part| part.is_none()).count();
    if without > 0 {
        let count = counted(without, "picture is", "pictures are");
        parts.lines.push(format!("{count} given no part, and used in none"));
    }
    if parts.pairs(Part::Validation).is_empty() {
        let of_training = |study: &Vec<usize>| study.iter().all(|&i| parts.of[i] == Some(Part::Train));
        let training: Vec<Vec<usize>> = studies.into_iter().filter(of_training).collect();
        if training.len() > 1 {
            let share = if shares[1] > 0.0 { shares[1] } else { 0.1 };
            at_random(&mut parts.of, training, seed, [shares[0].max(share), share, 0.0]);
            let count = counted(parts.pairs(Part::Validation).len(), "picture is", "pictures are");
            parts
                .lines
                .push(format!("no validation is given: {count} taken out of training by whole studies (seed {seed})"));
        }
    }
    if parts.pairs(Part::Test).is_empty() {
        parts.lines.push("no test is given, and none is made".to_owned());
    }
    parts
}
