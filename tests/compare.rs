//! Runs compared by the real binary, and cross-validation as a study.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;
use tempfile::TempDir;

use support::program::{fails, run, stderr, succeeds};

const SMALL: &str = "--set synthetic_images=30 --set image_size=16 --set base=2 --set wall_images=4 --device cpu";

fn train(home: &TempDir, name: &str, more: &str) {
    succeeds(home, &format!("run segmentation {SMALL} --name {name} --out {name} {more}"));
    let made = support::program::only_run_in(home, name);
    fs::create_dir_all(home.path().join("runs")).unwrap();
    fs::rename(made, home.path().join("runs").join(name)).unwrap();
}

fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

#[test]
fn two_runs_are_compared_on_what_both_were_tested_on() {
    let home = tempfile::tempdir().unwrap();
    train(&home, "a", "--steps 20 --seed 1");
    train(&home, "b", "--steps 6 --seed 2");
    train(&home, "other-parts", "--steps 6 --set folds=5 --set fold=1");
    let said = succeeds(&home, "compare a b --to all.csv --figure outlines.png");
    assert!(said.contains("Dice of 6 test images that both have judged, in 6 independent groups"), "{said}");
    assert!(said.contains("B − A [95 %]") && said.contains("Wilcoxon p") && said.contains("irregular"), "{said}");
    let rows = table(&home.path().join("all.csv"));
    assert_eq!(rows.len(), 6);
    for row in &rows {
        let [a, b, difference] = ["a", "b", "difference"].map(|key| row[key].parse::<f64>().unwrap());
        assert!((b - a - difference).abs() < 1e-12, "{row:?}");
    }
    // The values are those of the run's own table.
    succeeds(&home, "export a --figure test/images --to images.csv");
    for row in table(&home.path().join("images.csv")) {
        let same = rows.iter().find(|other| other["image"] == row["image"]).unwrap();
        assert_eq!(same["a"].parse::<f64>().unwrap(), row["Dice"].parse::<f64>().unwrap());
    }
    let picture = image::open(home.path().join("outlines.png")).unwrap();
    assert_eq!((picture.width(), picture.height()), (1600, 1000));
    // Both outlines and the truth are in it.
    succeeds(&home, "compare a b --figure outlines.svg");
    let svg = fs::read_to_string(home.path().join("outlines.svg")).unwrap();
    assert!(svg.contains("this run") && svg.contains("truth") && svg.contains("Dice 0."), "{}", svg.len());

    let machine = succeeds(&home, "compare a b --measure hd95 --part validation --json");
    let lines: Vec<Json> = machine.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let compared = lines.iter().find(|line| line["event"] == "compared").unwrap();
    assert_eq!(compared["results"][0]["measure"], "hd95");

    // Generated images of one seed are the same whatever the parts: those that one has trained on are left out.
    let output = run(&home, "compare a other-parts");
    let told = stderr(&output);
    assert!(
        told.contains("the parts of the two runs differ; left out") || told.contains("no test image in common"),
        "{told}"
    );
    fails(&home, "compare a b --to all.csv", 2, &["all.csv", "--force"]);
    fails(&home, "compare a b --measure dise", 2, &["did you mean `dice`?"]);
    fails(&home, "compare a b --part train", 2, &["it is one of test, validation"]);
    fails(&home, "compare a", 2, &["RUN"]);
    fails(&home, "compare a b --figure no.png --image nobody", 2, &["these are on the walls of all runs"]);
    fails(&home, "compare a nothing", 2, &["nothing"]);
}

#[test]
fn the_means_of_a_run_are_recorded_and_told_with_their_intervals() {
    let home = tempfile::tempdir().unwrap();
    let output = run(&home, &format!("run segmentation {SMALL} --steps 6 --out runs"));
    let told = stderr(&output);
    assert!(told.contains("test set, 6 images in 6 independent groups: Dice 0."), "{told}");
    let folder = support::program::only_run(&home);
    for (key, images) in [("test/means", 6), ("validation/means", 6)] {
        succeeds(&home, &format!("export {} --figure {key} --to {}.csv", folder.display(), key.replace('/', "-")));
        let rows = table(&home.path().join(format!("{}.csv", key.replace('/', "-"))));
        let all = rows.iter().find(|row| row["class"] == "all" && row["measure"] == "Dice").unwrap();
        assert_eq!(all["images"].parse::<usize>().unwrap(), images);
        let [low, mean, high] = ["low", "mean", "high"].map(|name| all[name].parse::<f64>().unwrap());
        assert!(low <= mean && mean <= high, "{all:?}");
        assert!(rows.iter().any(|row| row["class"] == "irregular"), "class by class");
    }
    assert_eq!(table(&home.path().join("test-means.csv")).len() % 6, 0, "six measures each");
}

#[test]
fn folds_as_a_study_test_every_image_once_and_are_joined() {
    let home = tempfile::tempdir().unwrap();
    let said = succeeds(
        &home,
        "study segmentation/k-fold --seeds 1 --device cpu --set synthetic_images=25 --set image_size=16 --set base=2 \
         --set steps=3 --set wall_images=2",
    );
    assert!(said.contains("All folds together: means over images [95 % interval]"), "{said}");
    let all = said.lines().find(|line| line.starts_with("all ")).unwrap();
    assert_eq!(all.split_whitespace().nth(1), Some("25"), "each image once: {all}");
    assert!(said.contains("fold 5") && said.contains("mean ± sd"), "{said}");
    // The images of the folds' own tables are all different.
    let runs = home.path().join("studies/segmentation-k-fold/runs");
    let mut tested = Vec::new();
    for (i, entry) in fs::read_dir(runs).unwrap().map(|entry| entry.unwrap().path()).filter(|p| p.is_dir()).enumerate()
    {
        succeeds(&home, &format!("export {} --figure test/images --to {i}.csv", entry.display()));
        tested.extend(table(&home.path().join(format!("{i}.csv"))).into_iter().map(|row| row["image"].clone()));
    }
    assert_eq!(tested.len(), 25);
    tested.sort();
    tested.dedup();
    assert_eq!(tested.len(), 25);
}
