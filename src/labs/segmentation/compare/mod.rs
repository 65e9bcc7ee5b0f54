//! Two runs compared image by image: on the images that both have judged in the same part, so that neither was trained on them.

pub mod report;
pub mod results;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use crate::compute::stats::Estimate;
use crate::data::segmentation::split::Part;
use crate::metrics::paired::Paired;

use super::scores::{Measure, Row};
use super::structures;
pub use results::Results;

/// An image that both have judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// As the first run calls it.
    pub image: String,
    pub class: String,
    /// Images of one group are not independent.
    pub group: usize,
    /// Of the first and of the second run; `None`: undefined.
    pub values: [Option<f64>; 2],
}

impl Pair {
    /// Second less first.
    pub fn difference(&self) -> Option<f64> {
        Some(self.values[1]? - self.values[0]?)
    }
}

/// The pairs of one class, or all, that both have a value for.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// `None`: of all classes.
    pub class: Option<String>,
    pub first: Estimate,
    pub second: Estimate,
    /// `None` without any pair.
    pub paired: Option<Paired>,
    /// Images for which one of the runs has no value.
    pub undefined: usize,
}

/// How two runs compare.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Comparison {
    /// In the order of the first run.
    pub pairs: Vec<Pair>,
    /// All, then class by class where there are several.
    pub lines: Vec<Line>,
    /// Images that one run has judged here and the other was trained on: left out.
    pub trained: usize,
    /// Images that one has judged here and the other in another part: left out.
    pub elsewhere: usize,
    /// Images of one run that the other does not have.
    pub missing: usize,
    /// One of the runs has not noted the content of its images, so that they are matched by their names.
    pub by_name: bool,
}

/// Refuses distances of which one run has millimetres and the other pixels.
///
/// # Errors
/// What is measured in which unit, and what to compare instead.
pub fn check_units(first: &Results, second: &Results, measure: Measure) -> Result<(), String> {
    if measure.rises() || first.unit == second.unit {
        return Ok(());
    }
    Err(format!(
        "{} of the first run is in {}, of the second in {}: they cannot be compared; choose Dice or IoU, or give both the same `spacing`",
        measure.short(),
        first.unit.word(),
        second.unit.word()
    ))
}

/// Compares a measure of the images that both runs have judged in this part.
pub fn compare(first: &Results, second: &Results, part: Part, measure: Measure) -> Comparison {
    let mut found = Comparison { by_name: !first.has_content() || !second.has_content(), ..Comparison::default() };
    let mut used = HashSet::new();
    for row in first.rows(part) {
        let free = |at: usize| !used.contains(&at);
        let other = match found.by_name {
            true => second.by_name(part, &row.image).filter(|at| free(*at)),
            false => second.like(part, first, &row.image, free),
        };
        match other {
            Some(at) => {
                used.insert(at);
                let other = &second.rows(part)[at];
                found.pairs.push(Pair {
                    image: row.image.clone(),
                    class: row.class.clone(),
                    group: first.group(&row.image),
                    values: [row.value(measure), other.value(measure)],
                });
            }
            None => found.leave_out(second.part_like(first, &row.image, found.by_name), part),
        }
    }
    let alone = |(at, row): (usize, &Row)| (!used.contains(&at)).then(|| row.image.clone());
    for image in second.rows(part).iter().enumerate().filter_map(alone) {
        let by_name = found.by_name;
        found.leave_out(first.part_like(second, &image, by_name), part);
    }
    found.lines = lines(&found.pairs);
    found
}

impl Comparison {
    /// Counts an image that has no partner; `of`: the part of it in the other run.
    fn leave_out(&mut self, of: Option<Part>, part: Part) {
        *match of {
            Some(Part::Train) => &mut self.trained,
            Some(other) if other != part => &mut self.elsewhere,
            _ => &mut self.missing,
        } += 1;
    }

    /// What was left out, in words; empty where nothing was.
    pub fn left_out(&self) -> String {
        let told = [
            (self.trained, "on which one of them was trained"),
            (self.elsewhere, "that one of them has in another part"),
            (self.missing, "that one of them does not have"),
        ];
        told.iter()
            .filter(|(count, _)| *count > 0)
            .map(|(n, what)| format!("{n} {what}"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// One pair an image: of several structures, which are not independent, the mean of those that both have a value for.
fn images(pairs: &[Pair]) -> Vec<Pair> {
    let mut found: Vec<(Pair, usize)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for pair in pairs {
        let Some(image) = structures::image_of(&pair.image, &pair.class) else {
            found.push((pair.clone(), usize::from(pair.difference().is_some())));
            continue;
        };
        let at = *places.entry(image).or_insert_with(|| {
            let (image, class) = (image.to_owned(), String::new());
            found.push((Pair { image, class, group: pair.group, values: [None; 2] }, 0));
            found.len() - 1
        });
        let (one, count) = &mut found[at];
        if let [Some(first), Some(second)] = pair.values {
            *count += 1;
            let [a, b] = one.values.map(Option::unwrap_or_default);
            one.values = [Some(a + (first - a) / *count as f64), Some(b + (second - b) / *count as f64)];
        }
    }
    found.into_iter().map(|(pair, _)| pair).collect()
}

fn lines(pairs: &[Pair]) -> Vec<Line> {
    let mut classes: Vec<&str> = pairs.iter().map(|pair| pair.class.as_str()).collect();
    classes.sort_unstable();
    classes.dedup();
    let several = if classes.len() > 1 { &classes[..] } else { &[] };
    let whole = images(pairs);
    let line = |class: Option<&str>| {
        let of_class: Vec<&Pair> = match class {
            None => whole.iter().collect(),
            Some(class) => pairs.iter().filter(|pair| pair.class == class).collect(),
        };
        let both: Vec<&Pair> = of_class.iter().copied().filter(|pair| pair.difference().is_some()).collect();
        let groups: Vec<usize> = both.iter().map(|pair| pair.group).collect();
        let differences: Vec<f64> = both.iter().filter_map(|pair| pair.difference()).collect();
        let mean = |which: usize| Estimate::of(both.iter().map(|pair| (pair.values[which], pair.group)));
        Line {
            class: class.map(str::to_owned),
            first: mean(0),
            second: mean(1),
            paired: Paired::of(&differences, &groups),
            undefined: of_class.len() - both.len(),
        }
    };
    std::iter::once(None).chain(several.iter().map(|class| Some(*class))).map(line).collect()
}
