use std::sync::Arc;

use super::report::{cells, warnings};
use super::*;
use crate::engine::event::Payload;
use crate::engine::params::Params;
use crate::labs::segmentation::judge;
use crate::labs::segmentation::params::PARAMS;
use crate::labs::segmentation::source::SPLIT_COLUMNS;
use crate::pixels::spacing::Unit;

/// An image of a run: name, class, part, content, group, Dice where it was judged.
type Image = (&'static str, &'static str, Part, u64, usize, Option<f64>);

fn run(name: &str, images: &[Image], set: &[&str]) -> Results {
    let mut params = Params::defaults(PARAMS);
    set.iter().for_each(|text| params.set_text(PARAMS, text).unwrap());
    let judged = |part: Part| {
        let row = |(name, class, _, _, _, dice): &Image| {
            let mut row = vec![String::new(); judge::COLUMNS.len()];
            row[0] = (*name).to_owned();
            row[1] = (*class).to_owned();
            row[3] = dice.map_or_else(String::new, |dice| dice.to_string());
            row
        };
        let rows = images.iter().filter(|(_, _, of, ..)| *of == part).map(row).collect();
        Payload::Table { columns: judge::COLUMNS.map(str::to_owned).to_vec(), rows }
    };
    let split = images.iter().map(|(name, class, part, content, group, _)| {
        vec![
            (*name).to_owned(),
            part.name().to_owned(),
            (*class).to_owned(),
            format!("{content:016x}"),
            group.to_string(),
        ]
    });
    let split = Payload::Table { columns: SPLIT_COLUMNS.map(str::to_owned).to_vec(), rows: split.collect() };
    Results::of(name.to_owned(), &params, |key| {
        Some(Arc::new(match key {
            "test/images" => judged(Part::Test),
            "validation/images" => judged(Part::Validation),
            "data/split" => split.clone(),
            _ => return None,
        }))
    })
}

#[test]
fn only_images_that_both_were_tested_on_are_compared() {
    use Part::{Test, Train, Validation};
    let first = run(
        "first",
        &[
            ("a", "benign", Test, 1, 0, Some(0.5)),
            ("b", "malignant", Test, 2, 0, Some(0.6)),
            ("c", "benign", Test, 3, 1, Some(0.7)),
            ("d", "benign", Test, 4, 2, Some(0.8)),
            ("e", "benign", Test, 5, 3, Some(0.9)),
            ("v", "benign", Validation, 6, 4, Some(0.1)),
        ],
        &[],
    );
    // `a` has another name there, and `b` is another image now.
    let second = run(
        "second",
        &[
            ("other/a", "benign", Test, 1, 7, Some(0.7)),
            ("b", "malignant", Test, 22, 8, Some(0.1)),
            ("c", "benign", Train, 3, 9, None),
            ("d", "benign", Validation, 4, 9, Some(0.2)),
            ("e", "benign", Test, 5, 3, Some(0.8)),
            ("v", "benign", Test, 6, 4, Some(0.3)),
        ],
        &[],
    );
    let found = compare(&first, &second, Test, Measure::Dice);
    let names: Vec<&str> = found.pairs.iter().map(|pair| pair.image.as_str()).collect();
    assert_eq!(names, ["a", "e"]);
    // `c` was trained on; `d` and `v` are in other parts; both have a `b` of their own.
    assert_eq!((found.trained, found.elsewhere, found.missing), (1, 2, 2));
    assert!(!found.by_name);
    let all = found.lines[0].paired.unwrap();
    assert!((all.mean - 0.05).abs() < 1e-12 && all.groups == 2, "{all:?}");
    assert_eq!(found.lines.len(), 1, "one class alone needs no line");
    let told = warnings(&first, &second, &found).join("\n");
    assert!(told.contains("1 on which one of them was trained, 2 that one of them has in another part"), "{told}");
    let validation = compare(&first, &second, Validation, Measure::Dice);
    assert!(validation.pairs.is_empty() && validation.elsewhere == 2, "{validation:?}");
}

#[test]
fn a_run_equals_itself_and_another_convention_is_told() {
    let images: Vec<Image> = (0..12)
        .map(|i| {
            let class = if i % 3 == 0 { "benign" } else { "malignant" };
            (
                ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"][i],
                class,
                Part::Test,
                i as u64,
                i / 2,
                Some(i as f64 / 12.0),
            )
        })
        .collect();
    let first = run("first", &images, &[]);
    let same = compare(&first, &first, Part::Test, Measure::Dice);
    assert_eq!(same.pairs.len(), 12);
    assert_eq!(same.left_out(), "");
    let all = same.lines[0].paired.unwrap();
    assert_eq!((all.mean, all.interval, all.wilcoxon, all.sign_flip), (0.0, Some([0.0, 0.0]), None, 1.0));
    assert_eq!(same.lines.len(), 3, "all, benign, malignant");
    assert_eq!(cells(&same.lines[0])[6..], ["none differs", "1.000"]);
    // Every image better by a tenth: as far as 6 groups can tell.
    let better: Vec<Image> =
        images.iter().map(|&(a, b, c, d, e, dice)| (a, b, c, d, e, dice.map(|dice| dice + 0.1))).collect();
    let second = run("second", &better, &["threshold=0.4"]);
    let found = compare(&first, &second, Part::Test, Measure::Dice);
    let all = found.lines[0].paired.unwrap();
    assert!((all.mean - 0.1).abs() < 1e-12);
    assert_eq!(all.sign_flip, 2.0 / 64.0);
    let told = warnings(&first, &second, &found).join("\n");
    assert!(told.contains("measured differently") && told.contains("6 independent groups are few"), "{told}");
}

#[test]
fn an_image_that_is_there_twice_and_was_trained_on_once_is_no_test() {
    use Part::{Test, Train};
    let first = run("first", &[("a", "x", Test, 1, 0, Some(0.5)), ("b", "x", Test, 2, 1, Some(0.5))], &[]);
    let second = run(
        "second",
        &[("a", "x", Test, 1, 0, Some(0.9)), ("copy of a", "x", Train, 1, 0, None), ("b", "x", Test, 2, 1, None)],
        &[],
    );
    let found = compare(&first, &second, Test, Measure::Dice);
    assert_eq!((found.pairs.len(), found.trained), (1, 1), "{found:?}");
    // Where one of them has no value there is no difference.
    assert_eq!((found.lines[0].undefined, found.lines[0].paired), (1, None));
}

#[test]
fn copies_of_an_image_are_paired_one_by_one() {
    let images = [("a", "x", Part::Test, 1, 0, Some(0.5)), ("copy", "x", Part::Test, 1, 0, Some(0.6))];
    let first = run("first", &images, &[]);
    let second =
        run("second", &[("p", "x", Part::Test, 1, 0, Some(0.7)), ("q", "x", Part::Test, 1, 0, Some(0.8))], &[]);
    let found = compare(&first, &second, Part::Test, Measure::Dice);
    assert_eq!((found.pairs.len(), found.missing), (2, 0), "{found:?}");
    assert_eq!(found.lines[0].first.groups, 1);
}

#[test]
fn millimetres_are_not_compared_with_pixels() {
    let images: Vec<Image> = vec![("a", "", Part::Test, 1, 0, Some(0.5))];
    let in_pixels = run("first", &images, &[]);
    let mut in_mm = in_pixels.clone();
    in_mm.unit = Unit::Millimetres;
    assert_eq!(check_units(&in_pixels, &in_mm, Measure::Dice), Ok(()));
    assert_eq!(check_units(&in_mm, &in_mm, Measure::Hd95), Ok(()));
    let why = check_units(&in_pixels, &in_mm, Measure::Hd95).unwrap_err();
    assert!(why.contains("in pixels, of the second in mm") && why.contains("choose Dice or IoU"), "{why}");
}
