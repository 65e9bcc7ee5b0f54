//! `learnscope study` as a whole: what is kept from one command to the next, and from one process to another.

use std::fs;

use serde_json::Value as Json;

mod support;
use support::program::{learnscope, stderr, succeeds};

const STUDY: &str = "study optimizers/momentum-nag --json";

fn measured(text: &str) -> usize {
    let lines = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    lines.filter(|line| line["event"] == "measured").count()
}

#[test]
fn a_study_read_back_gives_the_same_table() {
    let home = tempfile::tempdir().unwrap();
    let table = home.path().join("studies/optimizers-momentum-nag/table.csv");
    assert_eq!(measured(&succeeds(&home, STUDY)), 2);
    let first = fs::read(&table).unwrap();
    assert_eq!(measured(&succeeds(&home, STUDY)), 0);
    assert_eq!(fs::read(&table).unwrap(), first);
    // No seed changes this study.
    assert_eq!(measured(&succeeds(&home, &format!("{STUDY} --seed 3"))), 0);
    assert_eq!(fs::read(&table).unwrap(), first);
}

#[test]
fn equal_studies_at_once_in_one_folder_all_succeed() {
    let home = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..4)
        .map(|_| {
            let mut command = learnscope(&home, &format!("{STUDY} --again"));
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    let folder = home.path().join("studies/optimizers-momentum-nag");
    let samples: Vec<Json> = serde_json::from_slice(&fs::read(folder.join("samples.json")).unwrap()).unwrap();
    assert!((2..=8).contains(&samples.len()), "{}", samples.len());
    assert_eq!(measured(&succeeds(&home, STUDY)), 0);
}

#[test]
fn samples_of_another_version_are_told_of() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, STUDY);
    let path = home.path().join("studies/optimizers-momentum-nag/samples.json");
    let mut samples: Vec<Json> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    samples[0]["version"] = "0.0.9".into();
    fs::write(&path, serde_json::to_vec(&samples).unwrap()).unwrap();
    let text = succeeds(&home, STUDY);
    assert!(text.contains("1 run measured by version 0.0.9 is kept and not used"), "{text}");
    assert_eq!(measured(&text), 1);
    let samples: Vec<Json> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(samples.len(), 3);
}

#[test]
fn a_figure_is_saved_with_the_papers_readings_and_drawn_again_from_the_recordings() {
    let home = tempfile::tempdir().unwrap();
    let text = succeeds(&home, "study optimizers/momentum-nag");
    assert!(text.contains("Paper: read off") && !text.contains("as printed"), "{text}");
    succeeds(&home, &format!("{STUDY} --figure figure.csv"));
    let csv = fs::read_to_string(home.path().join("figure.csv")).unwrap();
    assert!(csv.contains("Paths on the quartic,Momentum,paper,,-2.02,"), "{csv}");
    assert_eq!(csv.lines().filter(|line| line.contains(",NAG,ours,")).count(), 201, "row 0 and 200 updates");
    let refused = learnscope(&home, &format!("{STUDY} --figure figure.csv")).output().unwrap();
    assert!(stderr(&refused).contains("--force") && refused.status.code() == Some(2), "{}", stderr(&refused));
    let refused = learnscope(&home, "study segmentation/table-1 --figure a.png").output().unwrap();
    assert!(stderr(&refused).contains("is a table"), "{}", stderr(&refused));
}

#[test]
fn an_estimate_times_every_kind_of_row_and_measures_nothing() {
    let home = tempfile::tempdir().unwrap();
    let text = succeeds(&home, "study self-supervised/table-1 --seeds 2 --device cpu --estimate --json");
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let estimate = lines.iter().find(|line| line["event"] == "estimate").unwrap();
    assert_eq!(estimate["runs"], 8);
    assert_eq!(estimate["steps"], 8 * 700);
    // With and without a moving average; symmetry costs nothing.
    assert_eq!(estimate["kinds"], 2);
    let (all, evaluating) = (estimate["seconds"].as_f64().unwrap(), estimate["seconds_evaluating"].as_f64().unwrap());
    assert!((0.0..all).contains(&evaluating), "{estimate}");
    assert!(!home.path().join("studies/self-supervised-table-1/samples.json").exists());
}
