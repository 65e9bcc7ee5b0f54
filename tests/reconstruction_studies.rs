//! The reconstruction lab's studies: runs compared with each other, the grid search and its table, the figures' pictures.

mod support;

use std::fs;
use std::path::Path;

use eframe::egui::{Ui, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use learnscope::app::study_figure::{StudyFigure, picture};
use learnscope::engine::event::{Payload, Status};
use learnscope::engine::params::Params;
use learnscope::engine::state::RunState;
use learnscope::engine::study::{Measure, NO_NUMBERS, StudyRun, StudySpec, StudyTask, row};
use learnscope::engine::study_beside::Filled;
use learnscope::engine::study_cost::EVEN;
use learnscope::engine::study_figure::{Curve, Drawing};
use learnscope::labs;
use learnscope::labs::reconstruction::compare::{self, Reported};
use learnscope::labs::reconstruction::params::PARAMS;
use learnscope::labs::reconstruction::{self, KEYS, ranks};
use learnscope::metrics::detection::{Counts, mcnemar_exact};
use learnscope::plot::style::Style;
use serde_json::Value as Json;

use support::drive::{Drive, Maker};
use support::made_run::{MadeRun, header};
use support::program::{fails, succeeds};
use support::scene;

const LAB: Maker = Maker { build: reconstruction::build, keys: KEYS };
const STEPS: u64 = 8;

/// Two routines on tiny pictures.
static TINY: StudySpec = StudySpec {
    id: "tiny",
    title: "Tiny",
    source: "",
    about: "",
    common: &[
        ("image_size", "32"),
        ("train_images", "10"),
        ("unlabelled_images", "15"),
        ("validation_images", "6"),
        ("test_images", "24"),
        ("unseen_images", "0"),
        ("batch_size", "5"),
        ("width", "1/4"),
        ("learning_rate", "0.01"),
        ("validate_every", "4"),
        ("rebuild_every", "4"),
    ],
    rows: &[row("supervised", &[("routine", "supervised")], &[]), row("combined", &[], &[])],
    measures: &[
        Measure { title: "best", unit: "%", of: |run, _| Some(100.0 * reported(run)?.best.1) },
        Measure { title: "chosen", unit: "%", of: |run, _| Some(100.0 * reported(run)?.chosen?.1) },
        Measure { title: "last", unit: "%", of: |run, _| Some(100.0 * reported(run)?.last.1) },
    ],
    seeded: true,
    reading: NO_NUMBERS,
    cost: &EVEN,
    figure: None,
    beside: Some(&compare::ROUTINES),
    own_data: &[],
};

fn reported(run: &RunState) -> Option<Reported> {
    Reported::until(run, run.step)
}

/// The real run of a task.
fn run(task: &StudyTask) -> (Drive, RunState) {
    let mut drive = LAB.build(&task.params, task.seed, STEPS).begin();
    drive.run_to(STEPS);
    let mut made = MadeRun::starts(header("reconstruction", &task.params, STEPS));
    made.follows(&drive, "", 0, 4);
    (drive, made.ends(STEPS))
}

fn opened(spec: &'static StudySpec, seeds: u64, folder: &Path) -> StudyRun {
    let lab = labs::find("reconstruction").unwrap();
    let mut study = StudyRun::new("reconstruction", PARAMS, spec, seeds, 7, &[]).unwrap();
    study.keep(folder, lab.data, false).unwrap();
    study
}

fn study_of(id: &str) -> &'static StudySpec {
    labs::find("reconstruction").unwrap().studies.iter().find(|study| study.id == id).unwrap()
}

/// Probabilities after the last step, and who is ill.
fn answers(drive: &Drive) -> (Vec<f64>, Vec<bool>) {
    let Payload::Matrix { values, .. } = &drive.payloads[&("scores/test".to_owned(), STEPS)] else { panic!() };
    let Payload::Text(names) = &drive.payloads[&("names/test".to_owned(), 0)] else { panic!() };
    let ill = names.lines().map(|line| line.split('\t').nth(1).unwrap() != "0").collect();
    (values.chunks_exact(3).map(|row| f64::from(row[0])).collect(), ill)
}

fn lines<'a>(tables: &'a [Filled], title: &str) -> &'a [Vec<String>] {
    &tables.iter().find(|table| table.title.contains(title)).unwrap().lines
}

#[test]
fn two_runs_are_compared_by_their_recorded_scores_and_a_study_resumed_compares_them_again() {
    let home = tempfile::tempdir().unwrap();
    let mut study = opened(&TINY, 2, home.path());
    let mut drives = Vec::new();
    while let Some(task) = study.next().cloned() {
        let (drive, state) = run(&task);
        assert!(study.record(&state));
        drives.push(drive);
    }
    study.save(home.path()).unwrap();
    let table = study.table();
    let told = lines(&table.beside, "McNemar");
    assert_eq!(told.len(), 3, "each seed and their sum: {told:?}");
    let mut sums = [0; 2];
    for (seed, line) in told[..2].iter().enumerate() {
        // Rows come one after the other, with both seeds each.
        let (a, ill) = answers(&drives[seed]);
        let (b, same) = answers(&drives[2 + seed]);
        assert_eq!(ill, same);
        let right = |scores: &[f64], i: usize| (scores[i] >= 0.5) == ill[i];
        let only = |a: &[f64], b: &[f64]| (0..ill.len()).filter(|&i| right(a, i) && !right(b, i)).count();
        let (only_a, only_b) = (only(&a, &b), only(&b, &a));
        let p = format!("{:.3}", mcnemar_exact(only_a, only_b));
        let expected = ["supervised", "combined", &(7 + seed).to_string(), "24"].map(str::to_owned);
        assert_eq!(line[..4], expected);
        assert_eq!([&line[5], &line[6], &line[8]], [&only_a.to_string(), &only_b.to_string(), &p]);
        sums = [sums[0] + only_a, sums[1] + only_b];
        // What is told of the last step in pictures is what was right there.
        let honest = lines(&table.beside, "in pictures");
        let of = |at: usize| &honest[at];
        assert_eq!(of(seed)[4], format!("{} of 24", Counts::of(&a, &ill, 0.5).right()));
    }
    assert_eq!(told[2][5..7], sums.map(|sum| sum.to_string()), "{told:?}");
    assert_eq!(told[2][8], "—", "dependent counts have no p");
    assert!(table.text().contains("McNemar's exact test"), "the text has it too");

    let again = opened(&TINY, 2, home.path());
    assert_eq!((again.progress(), again.next()), ((4, 4), None));
    assert_eq!(again.table(), table);
}

#[test]
fn gains_are_counted_in_pictures_against_the_same_seed() {
    let home = tempfile::tempdir().unwrap();
    let mut study = opened(&TINY, 2, home.path());
    // Accuracy of test and validation pictures at steps 4 and 8: the best for one is not the best for the other.
    let runs = [[0.5, 0.75], [0.5, 0.5], [1.0, 0.75], [0.75, 0.625]];
    for [early, late] in runs {
        let task = study.next().unwrap().clone();
        let mut made = MadeRun::starts(header("reconstruction", &task.params, STEPS));
        let scores = Payload::Matrix { rows: 8, cols: 3, values: [0.9, -1.0, 0.0].repeat(8) };
        made.payload(8, "scores/test", scores);
        made.payload(0, "names/test", Payload::Text("x\t1\tA\n".repeat(8)));
        made.scalars(0, "", &[("accuracy/test", 1.0), ("accuracy/validation", 1.0)]);
        made.scalars(4, "", &[("accuracy/test", early), ("accuracy/validation", 0.5)]);
        made.scalars(8, "", &[("accuracy/test", late), ("accuracy/validation", 0.75)]);
        assert!(study.record(&made.ends(STEPS)));
    }
    let table = study.table();
    let honest = lines(&table.beside, "in pictures");
    let cells = |at: usize| honest[at].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(cells(0), ["supervised", "7", "6 of 8", "6 of 8", "6 of 8", "—", "—", "0.409–0.929", "—"]);
    assert_eq!(
        cells(2),
        ["combined", "7", "8 of 8", "6 of 8", "6 of 8", "+2 of 8", "+0 of 8", "0.409–0.929", "overlaps"]
    );
    assert_eq!(cells(3)[5..7], ["+2 of 8", "+1 of 8"]);
    assert_eq!(cells(4)[1..7], ["mean of 2", "—", "—", "—", "+2.0 of 8", "+0.5 of 8"]);
}

/// A finished run of the grid that reached this validation accuracy.
fn reached(params: &Params, accuracy: f64) -> RunState {
    let mut made = MadeRun::starts(header("reconstruction", params, 250));
    made.scalars(250, "", &[("accuracy/validation", accuracy), ("auc/validation", accuracy)]);
    made.ends(250)
}

const REACHED: [f64; 8] = [0.5, 0.75, 0.625, 0.875, 0.5, 0.75, 0.25, 1.0];

/// The mini grid after so many of its eight runs.
fn searched(runs: usize, folder: &Path) -> StudyRun {
    let mut study = opened(study_of("mini-grid"), 1, folder);
    for accuracy in &REACHED[..runs] {
        let task = study.next().unwrap().clone();
        assert!(study.record(&reached(&task.params, *accuracy)));
    }
    study
}

#[test]
fn table_1_fills_while_the_search_goes_on() {
    let home = tempfile::tempdir().unwrap();
    assert!(searched(0, home.path()).table().beside.iter().all(|table| table.title.contains("as the paper prints")));
    for runs in [5, 8] {
        let study = searched(runs, home.path());
        let params: Vec<Params> = (0..runs).map(|row| study.task(row).unwrap().params.clone()).collect();
        let settings: Vec<Vec<f64>> = params
            .iter()
            .map(|params| {
                let nesterov = f64::from(u8::from(params.text("optimizer") == "nesterov"));
                let [rate, momentum, decay] =
                    ["learning_rate", "momentum", "weight_decay"].map(|key| params.float(key));
                vec![rate, momentum, nesterov, decay]
            })
            .collect();
        let table = study.table();
        let told = lines(&table.beside, "Table 1, ours");
        // As percentages, which the order does not mind.
        for (line, row) in told.iter().zip(ranks::table(&settings, &REACHED[..runs])) {
            assert_eq!(line[1], row.runs.len().to_string());
            for (cell, modes) in line[2..].iter().zip(&row.modes) {
                let read: Vec<f64> = cell.split(", ").filter_map(|value| value.parse().ok()).collect();
                assert_eq!(&read, modes, "{line:?}");
            }
        }
        assert_eq!(told.len(), 5);
    }
    let whole = searched(8, home.path()).table();
    // The best of eight has rank 15/16; its setting stands alone.
    assert_eq!(lines(&whole.beside, "ours")[3][1], "1");
    assert_eq!(lines(&whole.beside, "as the paper prints")[4][1..3], ["4e-3", "0.5, 0.9"]);
}

#[test]
fn the_grid_is_the_papers() {
    let study = StudyRun::new("reconstruction", PARAMS, study_of("table-1"), 1, 7, &[]).unwrap();
    let mut found: Vec<[String; 4]> = Vec::new();
    while let Some(params) = study.task(found.len()).map(|task| &task.params) {
        let keys = ["learning_rate", "momentum", "optimizer", "weight_decay"];
        found.push(keys.map(|key| params.get(key).unwrap().to_string()));
    }
    let whole = found.len();
    found.sort();
    found.dedup();
    assert_eq!((whole, found.len()), (96, 96));
    let count = |at: usize, value: &str| found.iter().filter(|setting| setting[at] == value).count();
    assert!(["0.002", "0.003", "0.004", "0.005"].iter().all(|rate| count(0, rate) == 24));
    assert!(["0.1", "0.5", "0.9"].iter().all(|momentum| count(1, momentum) == 32));
    assert!(["sgd", "nesterov"].iter().all(|rule| count(2, rule) == 48));
    assert!(["1e-7", "1e-5", "0.01", "0.1"].iter().all(|decay| count(3, decay) == 24), "{found:?}");
}

#[test]
fn the_command_prints_the_tables_of_a_finished_search_without_running_it_again() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("studies/reconstruction-mini-grid");
    searched(8, &folder).save(&folder).unwrap();
    let text = succeeds(&home, "study reconstruction/mini-grid --seeds 1");
    assert!(text.contains("Table 1, ours") && text.contains("as the paper prints it"), "{text}");
    let text = succeeds(&home, "study reconstruction/mini-grid --seeds 1 --json");
    let events: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |event: &str| events.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    assert_eq!((of("measured").len(), of("row").len()), (0, 16));
    assert_eq!(of("table")[0]["result"]["lines"].as_array().unwrap().len(), 5);
    succeeds(&home, "study reconstruction/mini-grid --seeds 1 --figure grid.png");
    let size = image::image_dimensions(home.path().join("grid.png")).unwrap();
    assert_eq!(size, (1920, 1200));
    // A folder is read in the place of generated pictures; a file, which weights could be, is not.
    fails(
        &home,
        "study reconstruction/mini-grid --seeds 1 --data studies --set unlabelled=studies",
        2,
        &["`data`", "holds no pictures"],
    );
    fails(&home, "study reconstruction/mini-grid --data grid.png --set routine=supervised", 2, &["grid.png"]);
}

#[test]
fn a_study_runs_on_a_folder_and_says_which_rows_need_pictures_without_grades() {
    let home = tempfile::tempdir().unwrap();
    succeeds(&home, "sample-data made --points 20");
    let line = "study reconstruction/table-2 --seeds 1 --device cpu --data made/fundus --set steps=2 --set image_size=32 \
                --set batch_size=4 --set validate_every=1 --out";
    fails(
        &home,
        &format!("{line} bare"),
        1,
        &[
            "AE then CL: cannot be measured: parameter `unlabelled`",
            "there are none; choose a folder of them (`--set unlabelled=DIR`)",
            "some rows could not be measured",
        ],
    );
    let told = fs::read_to_string(home.path().join("bare/reconstruction-table-2/table.csv")).unwrap();
    assert!(told.contains("(Messidor): 36 graded pictures, at 32 pixels"), "{told}");
    succeeds(&home, &format!("{line} whole --set unlabelled=made/fundus/unlabelled"));
    let told = fs::read_to_string(home.path().join("whole/reconstruction-table-2/table.csv")).unwrap();
    assert!(!told.contains("could not") && told.contains("36 graded pictures, 18 without grades"), "{told}");
    for (line, words) in [
        ("table-2 --set routine=combined", &["the rows of `table-2` say what `routine` is"][..]),
        ("table-2 --set unlabelled=made", &["would change nothing", "`source` to be folder"]),
        ("figure-3 --data made/fundus", &["`unlabelled`", "--set unlabelled=DIR"]),
        ("table-2 --set lambad=1", &["`lambad`", "did you mean `lambda`"]),
    ] {
        fails(&home, &format!("study reconstruction/{line}"), 2, words);
    }
}

#[test]
fn a_part_of_an_axis_keeps_the_lines_through_it() {
    let home = tempfile::tempdir().unwrap();
    let study = searched(5, home.path());
    let lab = labs::find_with_views("reconstruction").unwrap();
    for style in [Style::dark(), Style::light()] {
        let draw = |ui: &mut Ui, (style, figure, study): &mut (Style, StudyFigure, StudyRun)| {
            let rect = ui.available_rect_before_wrap();
            figure.show(ui, rect, study, lab, style, 11.0);
        };
        let state = (style, StudyFigure::default(), study.clone());
        let builder = Harness::builder().with_size(vec2(800.0, 400.0));
        let mut harness = scene::build(builder, |(style, ..)| style, draw, state);
        harness.run_steps(2);
        let plot = harness.get_by_label("Settings and what they reach: 5 of 5 lines over 5 axes").rect();
        // The last axis is that of the accuracy: its upper half.
        let top = vec2(plot.right() - 48.0, plot.top() + 2.0).to_pos2();
        let middle = vec2(top.x, plot.center().y).to_pos2();
        harness.hover_at(middle);
        harness.drag_at(middle);
        harness.run_steps(2);
        harness.hover_at(top);
        harness.run_steps(2);
        harness.drop_at(top);
        harness.run_steps(2);
        harness.get_by_label_contains("2 of 5 lines");
        harness.get_by_label_contains("2 of 5 lines").click();
        harness.run_steps(2);
        harness.get_by_label_contains("5 of 5 lines");
    }
}

#[test]
fn several_seeds_are_drawn_as_a_band_around_their_mean() {
    let study = StudyRun::new("reconstruction", PARAMS, study_of("table-2"), 3, 7, &[]).unwrap();
    let lab = labs::find_with_views("reconstruction").unwrap();
    let curve = |panel: usize, row: usize, seed: u64| {
        let rises = 0.05 * row as f64 + 0.03 * seed as f64 - 0.2;
        let points = (0..=24).map(|k| [39.0 * f64::from(k), 0.5 + 0.3 * (1.0 - (-f64::from(k) / 8.0).exp()) + rises]);
        Curve { panel, row, seed, points: points.collect() }
    };
    let all = (0..2).flat_map(|panel| (0..4).flat_map(move |row| (7..10).map(move |seed| (panel, row, seed))));
    let mut drawing = Drawing { curves: all.map(|(p, r, s)| curve(p, r, s)).collect(), ..Drawing::default() };
    let lines = picture(&study, drawing.clone(), lab, (1200, 700), &Style::light()).unwrap();
    drawing.find_bands(&study);
    assert_eq!(drawing.bands.len(), 8);
    assert!(drawing.bands.iter().all(|band| band.seeds == 3 && band.points.len() == 25));
    let bands = picture(&study, drawing, lab, (1200, 700), &Style::light()).unwrap();
    // What lies between the borders is filled.
    let changed = lines.pixels().zip(bands.pixels()).filter(|(a, b)| a != b).count();
    assert!(changed as f64 > 0.08 * lines.pixels().count() as f64, "{changed}");
}

#[test]
fn the_figures_pictures_are_those_of_the_run() {
    let study = StudyRun::new("reconstruction", PARAMS, &TINY, 1, 3, &[]).unwrap();
    let (_, supervised) = run(study.task(0).unwrap());
    let (drive, combined) = run(study.task(1).unwrap());
    assert_eq!(combined.status, Some(Status::Finished));
    let strip = study_of("figure-3").figure.unwrap().gallery.unwrap();
    let picture = (strip.picture)(&combined, 0).unwrap();
    let cells = |color: fn(&[u8]) -> bool| picture.rgb.chunks_exact(3).filter(|pixel| color(pixel)).count() / (11 * 5);
    let table: Vec<&[f64]> = drive.tables["strip"].chunks_exact(4).collect();
    let unlabelled = table.iter().filter(|row| row[2] == 0.0).count();
    assert_eq!(cells(|pixel| pixel == [255; 3]), unlabelled);
    let grey = |pixel: &[u8]| pixel[0] == pixel[1] && pixel[1] == pixel[2];
    let colored = picture.rgb.chunks_exact(3).filter(|pixel| !grey(pixel)).count();
    assert_eq!(colored, (table.len() - unlabelled) * 11 * 5);
    let wall = study_of("figure-4").figure.unwrap().gallery.unwrap();
    let [original, rebuilt] = [0, 1].map(|column| (wall.picture)(&combined, column).unwrap());
    assert_eq!((original.width, rebuilt.width), (32, 32));
    assert_ne!(original, rebuilt);
    assert!((wall.picture)(&supervised, 1).is_none(), "nothing was rebuilt");
    let Payload::Text(names) = &drive.payloads[&("wall/names".to_owned(), 0)] else { panic!() };
    let highest = names.lines().filter_map(|line| line.split('\t').nth(1)?.parse::<u8>().ok()).max();
    let first = names.lines().position(|line| line.split('\t').nth(1).unwrap().parse().ok() == highest).unwrap();
    let Payload::Image { rgba, .. } = &drive.payloads[&(format!("wall/original/{first}"), 0)] else { panic!() };
    assert_eq!(original.rgb[..3], rgba[..3], "the highest grade comes first");
}
