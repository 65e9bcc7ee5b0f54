//! Cross-validation as studies: a row for each fold, and the images of all folds together, each tested once by a network that
//! never saw it or its group.

use std::collections::BTreeMap;

use super::{COST, DICE, HD95, UNDEFINED};
use crate::compute::stats::{Estimate, Summary};
use crate::data::segmentation::split::Part;
use crate::engine::state::RunState;
use crate::engine::study::{NO_NUMBERS, StudyRow, StudySpec, row};
use crate::engine::study_beside::{Beside, Measured, SideTable};
use crate::labs::segmentation::compare::Results;
use crate::labs::segmentation::scores::Measure;
use crate::labs::segmentation::structures::image_of;
use crate::pixels::spacing::Unit;

const SOURCE: &str = "The paper splits its patients once and trains three seeds; it does not cross-validate";

/// Rows of so many folds.
macro_rules! folds {
    ($($number:literal = $fold:literal),*) => {
        &[$(row(concat!("fold ", $number), &[("fold", $fold)], &[])),*]
    };
}

const ROWS: &[StudyRow] = folds!(
    "1" = "0",
    "2" = "1",
    "3" = "2",
    "4" = "3",
    "5" = "4",
    "6" = "5",
    "7" = "6",
    "8" = "7",
    "9" = "8",
    "10" = "9"
);

pub const K_FOLD: StudySpec = StudySpec {
    id: "k-fold",
    title: "Cross-validation in five folds",
    source: SOURCE,
    about: "Every image is tested once, by a network that was trained and validated on the other folds. Folds are dealt by whole \
            groups (patients, near-duplicates) and look alike in class and lesion size. On a folder (`--data`) with any network and \
            recipe (`--set`); parts that the folder names have to be given up (`--set split=random`).",
    common: &[("learning_rate", "0.002"), ("steps", "450"), ("folds", "5")],
    rows: ROWS.split_at(5).0,
    measures: &[DICE, HD95, UNDEFINED],
    seeded: true,
    reading: NO_NUMBERS,
    cost: &COST,
    figure: None,
    beside: Some(&POOLED),
    own_data: &[("source", "folder")],
};

pub const K_FOLD_10: StudySpec = StudySpec {
    id: "k-fold-10",
    title: "Cross-validation in ten folds",
    common: &[("learning_rate", "0.002"), ("steps", "450"), ("folds", "10")],
    rows: ROWS,
    ..K_FOLD
};

static POOLED: Beside = Beside {
    keep: Some(keep),
    // Of pixels and of millimetres: a table without a line is left out.
    tables: &[
        pooled_in(
            &["class", "images", "groups", "Dice", "IoU", "HD95 [pixels]", "ASSD [pixels]", "without HD95"],
            |measured| pooled(&runs(measured, Unit::Pixels), Unit::Pixels),
        ),
        by_fold_in(&["fold", "images", "Dice", "IoU", "HD95 [pixels]", "ASSD [pixels]"], |measured| {
            by_fold(&runs(measured, Unit::Pixels), Unit::Pixels)
        }),
        pooled_in(
            &["class", "images", "groups", "Dice", "IoU", "HD95 [mm]", "ASSD [mm]", "without HD95"],
            |measured| pooled(&runs(measured, Unit::Millimetres), Unit::Millimetres),
        ),
        by_fold_in(&["fold", "images", "Dice", "IoU", "HD95 [mm]", "ASSD [mm]"], |measured| {
            by_fold(&runs(measured, Unit::Millimetres), Unit::Millimetres)
        }),
    ],
};

type Heads = &'static [&'static str];
type Lines = fn(&[Measured<'_>]) -> Vec<Vec<String>>;

const fn pooled_in(heads: Heads, lines: Lines) -> SideTable {
    SideTable {
        title: "All folds together: means over images [95 % interval]",
        about: "Each image once; of several seeds the mean of the image. Percentile bootstrap of whole groups, 2000 draws. The \
                networks of two folds share most of their training images, which no interval here knows of.",
        heads,
        lines,
    }
}

const fn by_fold_in(heads: Heads, lines: Lines) -> SideTable {
    SideTable {
        title: "Fold by fold: means over its images",
        about: "The last line is the mean of the folds ± their standard deviation (ddof 1).",
        heads,
        lines,
    }
}

/// What is averaged.
const MEASURES: [Measure; 4] = [Measure::Dice, Measure::Iou, Measure::Hd95, Measure::Assd];

/// What the tables need of a run: a line for each test image, with tabs between its name, class, group, measures and what
/// its distances are in.
fn keep(run: &RunState) -> String {
    let newest = |key: &str| run.payloads.get(key)?.newest.as_ref().map(|(_, payload)| payload.clone());
    let results = Results::of(String::new(), &run.params, newest);
    let line = |row: &crate::labs::segmentation::scores::Row| {
        let mut cells = vec![row.image.replace('\t', " "), row.class.clone(), results.group(&row.image).to_string()];
        cells.extend(MEASURES.map(|measure| row.value(measure).map_or_else(String::new, |value| value.to_string())));
        cells.push(row.unit.short().to_owned());
        cells.join("\t")
    };
    results.rows(Part::Test).iter().map(line).collect::<Vec<_>>().join("\n")
}

/// An image of one run.
struct Tested<'a> {
    image: &'a str,
    class: &'a str,
    group: usize,
    values: [Option<f64>; 4],
    /// Pixels where an older version has not said it.
    unit: Unit,
}

fn tested(kept: &str) -> impl Iterator<Item = Tested<'_>> {
    kept.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [image, class, group, values @ ..] = cells.as_slice() else { return None };
        let value = |at: usize| values.get(at).and_then(|text| text.parse().ok());
        let unit = if values.get(4) == Some(&Unit::Millimetres.short()) { Unit::Millimetres } else { Unit::Pixels };
        Some(Tested { image, class, group: group.parse().ok()?, values: [0, 1, 2, 3].map(value), unit })
    })
}

/// A fold and what was kept of a run of it.
type Run<'a> = (&'a str, &'a str);

/// Those whose distances are in this unit.
fn runs<'a>(measured: &'a [Measured<'_>], unit: Unit) -> Vec<Run<'a>> {
    let all = measured.iter().map(|run| (run.label, run.sample.kept.as_deref().unwrap_or_default()));
    all.filter(|(_, kept)| tested(kept).next().is_some_and(|one| one.unit == unit)).collect()
}

/// An image of some runs: class, group, and the mean of each measure over several seeds.
type Mean<'a> = (&'a str, usize, [Option<f64>; 4]);

/// The images of some runs; of several structures every one by itself.
fn images<'a>(runs: impl Iterator<Item = &'a Run<'a>>) -> Vec<Mean<'a>> {
    means(runs, |one| one.image)
}

/// The same with one line an image: of several structures the mean.
fn whole<'a>(runs: impl Iterator<Item = &'a Run<'a>>) -> Vec<Mean<'a>> {
    means(runs, |one| image_of(one.image, one.class).unwrap_or(one.image))
}

fn means<'a>(runs: impl Iterator<Item = &'a Run<'a>>, by: impl Fn(&Tested<'a>) -> &'a str) -> Vec<Mean<'a>> {
    let mut found: BTreeMap<&str, Vec<Tested<'a>>> = BTreeMap::new();
    for (_, kept) in runs {
        tested(kept).for_each(|one| found.entry(by(&one)).or_default().push(one));
    }
    let mean = |of: &[Tested<'_>], k: usize| Summary::of(of.iter().map(|one| one.values[k])).mean;
    found.values().map(|of| (of[0].class, of[0].group, [0, 1, 2, 3].map(|k| mean(of, k)))).collect()
}

fn text(k: usize, unit: Unit) -> impl Fn(f64) -> String {
    move |value| MEASURES[k].text(Some(value), unit)
}

fn pooled(runs: &[Run<'_>], unit: Unit) -> Vec<Vec<String>> {
    let (images, whole) = (images(runs.iter()), whole(runs.iter()));
    if images.is_empty() {
        return Vec::new();
    }
    let mut classes: Vec<&str> = images.iter().map(|(class, ..)| *class).collect();
    classes.sort_unstable();
    classes.dedup();
    let several = if classes.len() > 1 { &classes[..] } else { &[] };
    let line = |class: Option<&str>| {
        let of_class = || match class {
            None => whole.iter().collect::<Vec<_>>(),
            Some(class) => images.iter().filter(|(of, ..)| *of == class).collect(),
        };
        let of_class = of_class();
        let estimates =
            [0, 1, 2, 3].map(|k| Estimate::of(of_class.iter().map(|(_, group, values)| (values[k], *group))));
        let name = match class {
            None => "all",
            Some("") => "no class",
            Some(class) => class,
        };
        let mut cells = vec![name.to_owned(), of_class.len().to_string(), estimates[0].groups.to_string()];
        cells.extend(estimates.iter().enumerate().map(|(k, estimate)| estimate.text(text(k, unit))));
        cells.push(estimates[2].undefined.to_string());
        cells
    };
    std::iter::once(None).chain(several.iter().map(|class| Some(*class))).map(line).collect()
}

fn by_fold(runs: &[Run<'_>], unit: Unit) -> Vec<Vec<String>> {
    let mut labels: Vec<&str> = runs.iter().map(|(label, _)| *label).collect();
    labels.dedup();
    let (mut lines, mut means) = (Vec::new(), Vec::new());
    for label in labels {
        let images = whole(runs.iter().filter(|(of, _)| *of == label));
        let of_fold = [0, 1, 2, 3].map(|k| Summary::of(images.iter().map(|(.., values)| values[k])).mean);
        let mut cells = vec![label.to_owned(), images.len().to_string()];
        cells.extend(
            of_fold.iter().enumerate().map(|(k, mean)| mean.map_or_else(|| "undefined".to_owned(), text(k, unit))),
        );
        lines.push(cells);
        means.push(of_fold);
    }
    if means.len() > 1 {
        let mut cells = vec!["mean ± sd".to_owned(), String::new()];
        cells.extend([0, 1, 2, 3].map(|k| {
            let of = Summary::of(means.iter().map(|fold| fold[k]));
            let spread = of.std_sample.map_or_else(String::new, |sd| format!(" ± {}", text(k, unit)(sd)));
            of.mean.map_or_else(|| "undefined".to_owned(), |mean| text(k, unit)(mean) + &spread)
        }));
        lines.push(cells);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::study_store::Sample;
    use serde_json::json;

    #[test]
    fn images_of_all_folds_are_pooled_with_their_groups_and_seeds_averaged() {
        let runs = [
            ("fold 1", "a\tx\t0\t0.5\t0.4\t10\t3\nb\ty\t0\t0.7\t0.6\t\t"),
            ("fold 1", "a\tx\t0\t0.7\t0.6\t20\t5\nb\ty\t0\t0.9\t0.8\t\t"),
            ("fold 2", "c\tx\t1\t0.2\t0.1\t30\t9"),
            ("fold 2", "c\tx\t1\t0.2\t0.1\t30\t9"),
        ];
        let all = pooled(&runs, Unit::Pixels);
        assert_eq!(all.len(), 3, "all, x and y: {all:?}");
        assert_eq!(all[0][..3], ["all", "3", "2"]);
        // (0.6 + 0.8 + 0.2) / 3, and two groups that draw either or both.
        assert!(all[0][3].starts_with("0.533 [0.200, 0.700]"), "{all:?}");
        assert_eq!((all[1][0].as_str(), all[2][3].as_str(), all[2][5].as_str()), ("x", "0.800", "undefined"));
        assert_eq!(all[0][7], "1");
        let folds = by_fold(&runs, Unit::Pixels);
        assert_eq!(folds[0][..3], ["fold 1", "2", "0.700"]);
        assert_eq!(folds[2][2], "0.450 ± 0.354");
        assert!(pooled(&[], Unit::Pixels).is_empty() && by_fold(&[], Unit::Pixels).is_empty());
    }

    #[test]
    fn heads_say_what_the_distances_of_the_runs_are_in() {
        let filled = |unit: &str| {
            let kept = format!("a\tx\t0\t0.5\t0.4\t1.234\t3{unit}");
            let sample: Sample = serde_json::from_value(json!({
                "row": "", "params": {}, "seed": 1, "version": "", "values": [], "failed": null, "seconds": 1.0,
                "device": "", "data": "", "kept": kept,
            }))
            .unwrap();
            POOLED.fill(&[Measured { label: "fold 1", sample: &sample }])
        };
        for (unit, head, cell) in
            [("", "HD95 [pixels]", "1.2"), ("\tpx", "HD95 [pixels]", "1.2"), ("\tmm", "HD95 [mm]", "1.23")]
        {
            let tables = filled(unit);
            assert_eq!((tables.len(), tables[0].heads[5], tables[1].heads[4]), (2, head, head), "{unit}");
            assert_eq!(tables[1].lines[0][4], cell, "{unit}");
            assert!(tables[0].lines[0][5].starts_with(cell), "{:?}", tables[0]);
        }
    }
}
