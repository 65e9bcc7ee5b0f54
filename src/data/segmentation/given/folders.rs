//! Parts that the folders of the images name, and names that only sound like parts.

use std::collections::{BTreeMap, BTreeSet};

use super::super::counted;
use super::super::doctor::Severity;
use super::super::listing::Pair;
use super::super::names::{folder_part, words};
use super::super::split::Part;
use super::{Fold, FolderSays, Given, joined};
use crate::data::folder::natural_order;

/// Names such as `train_01`: they are not taken for parts, and that is told.
pub fn named_as_parts(pairs: &[Pair]) -> Option<String> {
    let part = |pair: &Pair| folder_part(pair.name.rsplit('/').next().unwrap_or(&pair.name)).0;
    let named: Vec<Part> = pairs.iter().filter_map(part).collect();
    let parts: BTreeSet<Part> = named.iter().copied().collect();
    (parts.len() > 1 && 10 * named.len() >= 9 * pairs.len()).then(|| {
        let parts: Vec<&str> = parts.into_iter().map(Part::name).collect();
        format!(
            "the names of the images say {}, but names alone are not taken for parts of a split: move the files into folders \
             of these names, or write a split.csv (image,split)",
            parts.join(", ")
        )
    })
}

/// Folders count where one of them is for training, or where the other pairs lie in no folder with a name of its own: beside
/// `control`, `test` is a class.
pub fn of_folders(pairs: &[Pair], folders: &[FolderSays], notes: &mut Vec<String>) -> Option<Given> {
    let mut named: BTreeMap<Part, Vec<String>> = BTreeMap::new();
    for (part, folder) in folders.iter().filter_map(|(said, _)| said.as_ref()) {
        let known = named.entry(*part).or_default();
        if !known.contains(folder) {
            known.push(folder.clone());
        }
    }
    let list: Vec<String> = named.values().flatten().cloned().collect();
    let (source, is) = match list.len() {
        0 => return None,
        1 => (format!("the folder {}", joined(&list)), "is"),
        _ => (format!("the folders {}", joined(&list)), "are"),
    };
    let trained = named.contains_key(&Part::Train);
    let unnamed = folders.iter().filter(|(said, _)| said.is_none()).count();
    let in_classes = folders.iter().any(|(said, own)| said.is_none() && *own);
    if named.len() == 1 && unnamed == 0 {
        let text = match list.len() {
            1 => format!("every pair lies in {source}, and so all are split"),
            _ => format!("every pair lies in {source}, which are one part, and so all are split"),
        };
        notes.push(text);
        return None;
    }
    if !trained && (unnamed == 0 || in_classes) {
        let what =
            if unnamed == 0 { "no images are left to train on" } else { "the folders beside it are named otherwise" };
        notes.push(format!("{source} {is} not taken for a part of a split: {what}"));
        return None;
    }
    let mut problems = Vec::new();
    if unnamed > 0 {
        let first = folders.iter().position(|(said, _)| said.is_none()).map_or("", |at| &pairs[at].name);
        let images = counted(unnamed, "image lies", "images lie");
        // What is neither may be a test set of another name.
        let then = if trained {
            "left out of every part; name their folder train, val or test if they belong to one"
        } else {
            "taken for training"
        };
        problems.push((Severity::Warning, format!("{images} outside of {source}, the first is `{first}`: {then}")));
    }
    let rest = (!trained).then_some(Part::Train);
    let part = |(said, _): &FolderSays| said.as_ref().map_or(rest, |(part, _)| Some(*part));
    let parts = folders.iter().map(part).collect();
    Some(Given { source, file: None, folds: vec![Fold { name: None, parts, problems }] })
}

/// The number of a fold in a folder's name: `fold2`, `Fold_2`.
pub fn fold_number(folder: &str) -> Option<String> {
    match &words(folder)[..] {
        [fold, number] if fold == "fold" && number.bytes().all(|b| b.is_ascii_digit()) => Some(number.clone()),
        _ => None,
    }
}

/// Every pair lies in a folder `fold0`, `fold1`, ..
pub fn of_fold_folders(pairs: &[Pair]) -> Option<Given> {
    let of: Vec<String> =
        pairs.iter().map(|pair| pair.name.split('/').rev().skip(1).find_map(fold_number)).collect::<Option<_>>()?;
    let mut numbers: Vec<&String> = of.iter().collect();
    numbers.sort_by(|a, b| natural_order(a, b));
    numbers.dedup();
    if numbers.len() < 2 {
        return None;
    }
    let fold = |number: &&String| {
        let part = |of: &String| Some(if of == *number { Part::Validation } else { Part::Train });
        Fold { name: Some((*number).clone()), parts: of.iter().map(part).collect(), problems: Vec::new() }
    };
    let folds = numbers.iter().map(fold).collect();
    Some(Given { source: format!("the folders of {} folds", numbers.len()), file: None, folds })
}
