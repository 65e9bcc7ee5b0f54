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
