//! `learnscope sweep` as a whole: what is measured, kept, saved and refused.

use std::fs;

use serde_json::Value as Json;

mod support;
use support::program::{fails, learnscope, stderr, succeeds};

/// No seed changes it, and the rate decides how far a path gets down.
const SWEEP: &str = "sweep optimizers --set surface=saddle --steps 30 --seeds 2 --over learning_rate=0.001..0.1:3";

fn events(text: &str, event: &str) -> Vec<Json> {
    let lines = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    lines.filter(|line| line["event"] == event).collect()
}

#[test]
fn every_combination_is_measured_with_every_seed_and_told_as_json() {
    let home = tempfile::tempdir().unwrap();
    let text = succeeds(&home, &format!("{SWEEP} --over momentum=0.5,0.9 --seed 11 --json"));
    let measured = events(&text, "measured");
    assert_eq!(measured.len(), 12);
    assert_eq!((&measured[0]["row"], &measured[1]["seed"]), (&"learning_rate=0.001 momentum=0.5".into(), &12.into()));
    let cells = events(&text, "cell");
    let values: Vec<String> = cells.iter().map(|cell| cell["result"]["values"].to_string()).collect();
    assert_eq!(values[..3], [r#"["0.001","0.5"]"#, r#"["0.001","0.9"]"#, r#"["0.01","0.5"]"#], "the last axis fastest");
    let cell = &cells[0]["result"];
    assert_eq!(cell["runs"].as_array().unwrap().len(), 2);
    let lowest = cell["measures"][0]["median"].as_f64().unwrap();
    assert_eq!(Some(lowest), cell["runs"][0]["values"][0].as_f64(), "no seed changes a run on a surface");
}

#[test]
fn what_is_measured_is_kept_and_a_larger_sweep_takes_it_over() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, &format!("{SWEEP} --json"));
    assert_eq!(events(&succeeds(&home, &format!("{SWEEP} --json")), "measured").len(), 0, "nothing is measured twice");
    let more = succeeds(&home, &format!("{} --json", SWEEP.replace("--seeds 2", "--seeds 3")));
    assert_eq!(events(&more, "measured").len(), 3, "the third seed of each value");
    // 0.9 is the value that the first sweep had, unsaid.
    let both = succeeds(&home, &format!("{SWEEP} --over momentum=0.5,0.9 --json"));
    assert_eq!(events(&both, "measured").len(), 6);
    let again = succeeds(&home, &format!("{SWEEP} --again --json"));
    assert_eq!(events(&again, "measured").len(), 6);
    let samples = home.path().join("studies/optimizers-sweep/samples.json");
    let samples: Vec<Json> = serde_json::from_slice(&fs::read(samples).unwrap()).unwrap();
    assert_eq!(samples.len(), 9 + 6 + 6, "and nothing is thrown away");
}

#[test]
fn the_table_is_saved_as_csv_json_and_the_map_as_svg() {
    let home = tempfile::tempdir().unwrap();
    let text = succeeds(&home, &format!("{SWEEP} --over momentum=0.5,0.9 --to map.svg"));
    assert!(text.contains("learning_rate  momentum  lowest f at the end"), "{text}");
    assert!(!text.contains("accuracy"), "what no run has is no column: {text}");
    let svg = fs::read_to_string(home.path().join("map.svg")).unwrap();
    assert!(svg.contains("Sweep of learning_rate × momentum") && svg.contains("lowest f at the end"), "{svg}");
    succeeds(&home, &format!("{SWEEP} --to table.csv"));
    let csv = fs::read_to_string(home.path().join("table.csv")).unwrap();
    let mut lines = csv.lines();
    assert!(lines.next().unwrap().starts_with("learning_rate,seeds,failed,\"lowest f at the end, median\","), "{csv}");
    let rows: Vec<&str> = lines.collect();
    assert!(
        rows.len() == 3 && rows[0].starts_with("0.001,2,0,0.0969") && rows[2].starts_with("0.1,2,0,-7757"),
        "{csv}"
    );
    succeeds(&home, &format!("{SWEEP} --to table.json"));
    let json: Json = serde_json::from_slice(&fs::read(home.path().join("table.json")).unwrap()).unwrap();
    assert_eq!((json["cells"].as_array().unwrap().len(), &json["axes"][0]["key"]), (3, &"learning_rate".into()));
    let refused = learnscope(&home, &format!("{SWEEP} --to table.csv")).output().unwrap();
    assert!(stderr(&refused).contains("--force") && refused.status.code() == Some(2), "{}", stderr(&refused));
}

#[test]
fn what_cannot_be_swept_is_said_before_anything_runs() {
    let home = tempfile::tempdir().unwrap();
    let sweep = "sweep optimizers --over";
    for (line, words) in [
        ("learning_rate=0.1..1", &["`learning_rate`", "how many values"][..]),
        ("learning_rate=0.1..99:3", &["`learning_rate` is 99.0", "a number from"]),
        ("learning_rate=1..0.1:3", &["the smaller number first"]),
        ("learnign_rate=1,2", &["did you mean `learning_rate`?"]),
        ("function=a,b", &["`function`", "a text or a path"]),
        ("surface=saddle,vulcano", &["`surface` is vulcano"]),
        ("learning_rate=0.1,1 --over learning_rate=0.1,1", &["swept twice"]),
        ("learning_rate=0.1,1 --over momentum=0,0.9 --over steps=1,2", &["`steps`", "the third"]),
        ("learning_rate=0.001..0.1:60 --over momentum=0..0.9:60", &["10800 runs", "at most 2000"]),
        ("learning_rate=0.1,1 --set learning_rate=0.1", &["`--set` gives `learning_rate`, which is swept"]),
        ("steps=10,20 --steps 30", &["`--steps` gives `steps`, which is swept"]),
        ("learning_rate=0.1,1 --set steps=10 --steps 30", &["`steps` is given twice, with `--set` and with `--steps`"]),
        ("learning_rate=0.1,1 --set momentum=0 --set momentum=0.5", &["`--set` gives `momentum` twice"]),
        ("network_steps=10,20", &["network_steps", "would change nothing"]),
        ("learning_rate=0.1,1 --to a.txt", &["a.txt", ".csv"]),
        ("learning_rate=0.1,1 --to a.png --measure none", &["known are lowest f"]),
        ("learning_rate=0.1,1 --steps 0", &["steps"]),
        ("learning_rate=0.1,1 --preset nothing", &["no preset `nothing`"]),
    ] {
        fails(&home, &format!("{sweep} {line}"), 2, words);
    }
    assert!(!home.path().join("studies").exists(), "nothing was begun");
}

#[test]
fn a_sweep_of_trainings_tells_its_estimate_counts_the_dead_and_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let small =
        "--set train_images=96 --set probe_train=60 --set probe_test=20 --set batch_size=16 --steps 12 --device cpu";
    let sweep = format!("sweep self-supervised --over rate_predictor=0.05,2 --seeds 1 {small} --json");
    let estimate = succeeds(&home, &format!("{sweep} --estimate"));
    let told = events(&estimate, "estimate");
    assert_eq!((told.len(), told[0]["runs"].as_u64(), told[0]["kinds"].as_u64()), (1, Some(2), Some(1)), "{estimate}");
    assert!(events(&estimate, "measured").is_empty());
    let text = succeeds(&home, &sweep);
    let cells = events(&text, "cell");
    assert_eq!(cells.len(), 2);
    let died: Vec<u64> = cells.iter().map(|cell| cell["result"]["died"][0].as_u64().unwrap()).collect();
    let collapsed = |cell: &Json| cell["result"]["runs"][0]["values"][0].as_f64().unwrap();
    assert!(died.iter().zip(&cells).all(|(died, cell)| *died as f64 == collapsed(cell)), "{text}");
    let runs = fs::read_dir(home.path().join("studies/self-supervised-sweep/runs")).unwrap().flatten();
    assert_eq!(runs.filter(|entry| entry.path().is_dir()).count(), 2, "each run is recorded");
}
