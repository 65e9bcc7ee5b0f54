//! The charts and tables of the lab of images and reports, drawn from hand-made runs, without a window.

mod support;

use std::sync::Arc;

use eframe::egui::{Key, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use learnscope::engine::event::Payload;
use learnscope::engine::params::{Params, Value};
use learnscope::engine::state::RunState;
use learnscope::engine::twin::TWIN;
use learnscope::kit::view::ViewAction;
use learnscope::labs::image_report::params::PARAMS;
use learnscope::plot::style::Style;

use support::made_run::{MadeRun, header};
use support::scene::{Scene, label};

const STEPS: u64 = 320;
const TILES: [&str; 7] = ["similarity", "structure", "evaluations", "losses", "scores", "retrieval", "data"];
/// Pairs of the matrix; the last one has the report of the first.
const PAIRS: usize = 8;

/// Cosines that are highest on the diagonal but for image 2, which finds report 5, and image 7, which finds report 0: its own words.
fn cosines() -> Payload {
    let value = |row: usize, column: usize| match (row, column) {
        (2, 5) | (7, 0) => 0.9,
        (row, column) if row == column => 0.6,
        (row, column) => 0.01 * ((row + 3 * column) % 7) as f32 - 0.2,
    };
    let values = (0..PAIRS * PAIRS).map(|i| value(i / PAIRS, i % PAIRS)).collect();
    Payload::Matrix { rows: PAIRS as u32, cols: PAIRS as u32, values }
}

fn names() -> Payload {
    let line = |k: usize| format!("test {k}\tthe lungs are clear and report {} says more", k % (PAIRS - 1));
    Payload::Text((0..PAIRS).map(line).collect::<Vec<_>>().join("\n"))
}

/// Small images, each a little lighter than the one before.
fn images() -> Payload {
    let side = 16;
    let pixel = |i: usize| [(20 * (i % (PAIRS * side) / side)) as u8; 3];
    let rgba = (0..PAIRS * side * side).flat_map(|i| pixel(i).into_iter().chain([255])).collect();
    Payload::Image { width: (PAIRS * side) as u32, height: side as u32, rgba }
}

/// Win rates and accuracy: 84 % with the image, 61 % with another one, 55 % with the mean one; one perturbation was never valid.
fn structure(less: f32) -> Payload {
    let row = |k: usize| match k {
        9 => [0.84 - less, 0.61 - less, 0.55 - less],
        4 => [f32::NAN; 3],
        k => [0.9 - less, 0.7 + 0.01 * k as f32 - less, 0.65],
    };
    Payload::Matrix { rows: 10, cols: 3, values: (0..10).flat_map(row).collect() }
}

fn edits() -> Payload {
    let values = vec![100.0, 0.9, 0.5, 50.0, 0.96, 0.52, 20.0, 0.8, 0.45, 0.0, f32::NAN, f32::NAN];
    Payload::Matrix { rows: 4, cols: 3, values }
}

fn table(columns: &[&str], rows: &[&[&str]]) -> Payload {
    let words = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<String>>();
    Payload::Table { columns: words(columns), rows: rows.iter().map(|row| words(row)).collect() }
}

/// A finished run, alone or with a twin from the middle on.
fn run(twin: bool) -> RunState {
    let params = Params::defaults(PARAMS);
    let mut run = MadeRun::starts(header("image-report", &params, STEPS));
    for k in 0..3 {
        let text = format!("test {}\tstudy {k}\nlungs\tn\t-\nclear\ta\t-", k + 1);
        run.payload(0, &format!("pair/words/{k}"), Payload::Text(text));
    }
    run.payload(0, "similarity/names", names());
    run.payload(0, "similarity/images", images());
    run.payload(0, "data/summary", Payload::Text("generated: not radiographs\n1024 pairs to train on".to_owned()));
    run.payload(0, "network", Payload::Text("small image encoder\n120 000 parameters".to_owned()));
    for step in (0..=STEPS).step_by(32) {
        let at = step as f64 / STEPS as f64;
        let mut values = vec![("epoch", 10.0 * at), ("temperature/global", 0.07), ("temperature/perturbed", 0.07)];
        if step > 0 {
            let losses = ["loss/total", "loss/global", "loss/report_of_image", "loss/image_of_report", "loss/local"];
            values.extend(losses.map(|key| (key, 3.5 - 2.0 * at)));
            values.push(("loss/perturbed", 2.3 - 2.0 * at));
        }
        values.extend([
            ("structure/accuracy", 0.84 * at),
            ("structure/wrong_image", 0.61 * at),
            ("structure/mean_image", 0.55 * at),
            ("structure/difference", 0.23 * at),
            ("structure/chance", 0.1),
            ("structure/ties_right", 0.85 * at),
            ("structure/unique", 0.79 * at),
            ("rank/mean", 5.5 - 4.0 * at),
            ("edit/laterality", 0.5 + 0.4 * at),
            ("grounding/pointing", 0.2),
            ("grounding/chance", 0.13),
        ]);
        for way in ["report_of_image", "image_of_report"] {
            for (of, share) in [("r1", 0.3), ("r5", 0.7), ("r10", 0.9)] {
                run.scalars(step, "", &[(&format!("retrieval/{way}/{of}"), share * at)]);
            }
            run.scalars(step, "", &[(&format!("retrieval/{way}/median"), 20.0 - 18.0 * at)]);
        }
        run.scalars(step, "", &values);
    }
    tables(&mut run, "", 0.0);
    if twin {
        run.changed(STEPS / 2, &format!("{TWIN}beta"), Value::Float(0.1), Value::Float(1.0));
        run.scalars(STEPS, TWIN, &[("loss/total", 1.0), ("structure/accuracy", 0.5)]);
        tables(&mut run, TWIN, 0.2);
    }
    run.ends(STEPS)
}

/// What is measured at the last step.
fn tables(run: &mut MadeRun, prefix: &str, less: f32) {
    let mut says = |key: &str, payload: Payload| run.payload(STEPS, &format!("{prefix}{key}"), payload);
    says("similarity/matrix", cosines());
    says("structure/table", structure(less));
    says("edits/table", edits());
    says(
        "grounding/table",
        table(
            &["finding", "words", "pointing", "chance"],
            &[&["effusion", "40", "0.43", "0.12"], &["nodule", "8", "0.06", "0.02"]],
        ),
    );
    says("probe/table", table(&["finding", "prevalence", "AUC"], &[&["cardiomegaly", "0.35", "0.981"]]));
}

fn scene(run: RunState, tile: &'static str) -> Scene {
    Scene::of("image-report", run, tile)
}

fn drawn(tile: &'static str, size: [f32; 2]) -> Harness<'static, Scene> {
    scene(run(true), tile).harness(size.into())
}

#[test]
fn every_tile_is_drawn_in_every_style_size_and_state() {
    for tile in TILES.into_iter().chain(["guide"]) {
        for run in [RunState::default(), run(false), run(true)] {
            for style in [Style::dark(), Style::light(), Style::high_contrast()] {
                Scene { style, ..scene(run.clone(), tile) }.harness(vec2(1280.0, 800.0));
            }
            // The guide is no tile: its panel has a least size.
            let tiny = if tile == "guide" { vec2(120.0, 120.0) } else { vec2(72.0, 60.0) };
            for size in [tiny, vec2(260.0, 180.0), vec2(1280.0, 800.0)] {
                scene(run.clone(), tile).stays_within(size);
            }
            Scene { presenting: true, ..scene(run.clone(), tile) }.harness(vec2(1100.0, 700.0));
        }
    }
}

#[test]
fn a_payload_of_another_kind_or_size_is_left_out() {
    let others = [
        Payload::Matrix { rows: 1, cols: 1, values: vec![0.0] },
        Payload::Matrix { rows: 2, cols: 3, values: vec![0.0; 5] },
        Payload::Text("a\tb".to_owned()),
        Payload::Image { width: 9, height: 9, rgba: vec![0; 3] },
        Payload::Table { columns: Vec::new(), rows: vec![Vec::new()] },
    ];
    for other in others {
        let mut run = run(true);
        for track in run.payloads.values_mut() {
            if let Some((_, payload)) = &mut track.newest {
                *payload = Arc::new(other.clone());
            }
        }
        for tile in TILES {
            scene(run.clone(), tile).harness(vec2(500.0, 400.0));
        }
    }
}

#[test]
fn a_hovered_cell_says_both_names_and_the_cosine() {
    let mut harness = drawn("similarity", [700.0, 600.0]);
    // Seven of eight images find their report, which includes the one that finds its words elsewhere; so do seven reports.
    assert!(label(&harness, "R@1").contains("image → report 88 %"), "{}", label(&harness, "R@1"));
    let matrix = harness.get_by_label_contains("cosines of 8 images").rect();
    let cell = matrix.size() / PAIRS as f32;
    harness.hover_at(matrix.min + vec2(5.5 * cell.x, 2.5 * cell.y));
    harness.run_steps(3);
    let said = label(&harness, "cosines of 8 images");
    assert!(said.ends_with("image test 2, report of test 5, cosine 0.900"), "{said}");
}

#[test]
fn a_clicked_cell_is_kept_with_both_reports_and_moved_by_keys() {
    let mut harness = drawn("similarity", [700.0, 700.0]);
    let matrix = harness.get_by_label_contains("cosines of 8 images").rect();
    let at = matrix.min + matrix.size() / PAIRS as f32 * vec2(5.5, 2.5);
    harness.hover_at(at);
    harness.drag_at(at);
    harness.run_steps(1);
    harness.drop_at(at);
    harness.run_steps(3);
    assert_eq!(label(&harness, "own report ranks"), "image test 2: own report ranks 2 of 8, cosine 0.600");
    assert_eq!(label(&harness, "report of test 5:"), "report of test 5: cosine 0.900, place 1");
    label(&harness, "report 2 says more");
    label(&harness, "report 5 says more");
    harness.key_press(Key::ArrowLeft);
    harness.run_steps(3);
    label(&harness, "report of test 4:");
    harness.key_press(Key::ArrowUp);
    harness.run_steps(3);
    label(&harness, "image test 1: own report ranks 1 of 8");
}

#[test]
fn the_same_words_are_a_right_answer_and_the_worst_image_can_be_kept() {
    let mut harness = drawn("similarity", [900.0, 420.0]);
    harness.state_mut().command("similarity-worst");
    harness.run_steps(3);
    label(&harness, "image test 2: own report ranks 2 of 8");
    for key in [Key::ArrowDown, Key::ArrowLeft] {
        harness.key_press(key);
        harness.run_steps(2);
    }
    label(&harness, "image test 2: own report ranks 2 of 8");
    harness.state_mut().command("similarity-release");
    harness.run_steps(3);
    assert!(harness.query_by_label_contains("own report ranks").is_none());
    let matrix = harness.get_by_label_contains("cosines of 8 images").rect();
    let at = matrix.min + matrix.size() / PAIRS as f32 * vec2(0.5, 7.5);
    harness.hover_at(at);
    harness.drag_at(at);
    harness.run_steps(1);
    harness.drop_at(at);
    harness.run_steps(3);
    label(&harness, "image test 7: own report ranks 1 of 8");
    label(&harness, "the same words, a right answer too");
}

#[test]
fn a_twin_is_shown_in_place_of_its_run() {
    let mut harness = drawn("similarity", [700.0, 600.0]);
    harness.get_by_label("twin").click();
    harness.run_steps(3);
    assert!(label(&harness, "R@1").starts_with("twin, "));
    assert!(scene(run(false), "similarity").harness(vec2(700.0, 600.0)).query_by_label("twin").is_none());
    let mut harness = drawn("evaluations", [700.0, 600.0]);
    harness.get_by_label("twin").click();
    harness.run_steps(3);
    label(&harness, "twin, test pairs");
}

#[test]
fn a_legend_lists_what_is_seen() {
    let is_listed = |harness: &Harness<'_, Scene>, name: &str| {
        harness.query_all_by_label(&format!("select {name}")).next().is_some()
    };
    let harness = drawn("scores", [1280.0, 900.0]);
    for name in ["structure accuracy", "mean rank", "left and right", "pointing"] {
        assert!(is_listed(&harness, name), "{name}");
    }
    assert!(!is_listed(&harness, "negation"), "it was not measured");
    // A small tile shows one panel at a time.
    let mut harness = drawn("scores", [420.0, 300.0]);
    assert!(is_listed(&harness, "structure accuracy") && !is_listed(&harness, "mean rank"));
    harness.get_by_label("rank").click();
    harness.run_steps(3);
    assert!(is_listed(&harness, "mean rank") && !is_listed(&harness, "structure accuracy"));
}

#[test]
fn controls_are_told_in_numbers_and_in_words() {
    let harness = drawn("structure", [640.0, 800.0]);
    let accuracy = label(&harness, "structure accuracy:");
    assert!(accuracy.contains("84 % with the image, 61 % with another image, 55 % with the mean image"), "{accuracy}");
    assert!(accuracy.contains("twin: 64 % with the image") && accuracy.ends_with("chance 10 %"), "{accuracy}");
    assert!(label(&harness, "reversed:").contains("90 % with the image"));
    assert!(label(&harness, "trigrams shuffled:").contains("there was none"));
    label(&harness, "difference to another image: 23 points; expected by chance: 10 %");
    label(&harness, "Of 84 % there are 61 % left with another image");
    assert!(
        label(&harness, "left and right exchanged (100):").contains("90 % with the image, 50 % with another image")
    );
    label(&harness, "Content edits, which only the image can tell");
    label(&harness, "with ties as right (authors' program) 85 %; on reports not seen in training 79 %");
    let reported = label(&harness, "reported, Open-I");
    assert!(reported.contains("ConVIRT 43.10 ·") && reported.ends_with("ours 49.00 (as here)"), "{reported}");
}

#[test]
fn nothing_is_said_of_what_was_not_measured() {
    let mut early = run(false);
    early.payloads.retain(|key, _| !key.contains("edits/"));
    let nothing = Payload::Matrix { rows: 10, cols: 3, values: vec![f32::NAN; 30] };
    early.payloads.get_mut("structure/table").unwrap().newest = Some((0, Arc::new(nothing)));
    let harness = scene(early, "structure").harness(vec2(640.0, 800.0));
    assert!(harness.query_all_by_label_contains("left with another image").next().is_none());
    assert!(harness.query_all_by_label_contains("ontent edits").next().is_none());
    label(&harness, "difference to another image: —");
}

#[test]
fn tables_are_shown_and_what_is_missing_says_when_it_comes() {
    let harness = drawn("evaluations", [640.0, 700.0]);
    label(&harness, "GROUNDING, step 320");
    label(&harness, "pointing 0.200; by chance 0.130");
    label(&harness, "effusion");
    label(&harness, "0.981");
    label(&harness, "where the parameter `nli_epochs` is not 0");
    let mut early = run(false);
    early.payloads.retain(|key, _| !key.contains("probe/"));
    label(&scene(early, "evaluations").harness(vec2(640.0, 700.0)), "at the last step (parameter `probe`)");
}

#[test]
fn curves_show_what_the_variant_has() {
    let harness = drawn("losses", [1280.0, 800.0]);
    for plot in ["global loss against", "local loss against", "perturbation loss against", "temperatures against"] {
        label(&harness, plot);
    }
    let mut convirt = run(false);
    convirt.scalars.retain(|key, _| !key.contains("local") && !key.contains("perturbed"));
    let harness = scene(convirt, "losses").harness(vec2(1280.0, 800.0));
    label(&harness, "global loss against");
    for plot in ["local loss against", "perturbation loss against"] {
        assert!(harness.query_by_label_contains(plot).is_none(), "{plot}");
    }
    label(&drawn("scores", [1280.0, 800.0]), "mean rank of the report against the step");
    label(&drawn("retrieval", [1280.0, 800.0]), "retrieval of images against the step");
}

#[test]
fn a_folder_is_chosen_and_generated_pairs_are_named_as_such() {
    let mut harness = drawn("data", [520.0, 400.0]);
    label(&harness, "not radiographs: no patient");
    harness.get_by_label("choose a folder").click();
    harness.run_steps(2);
    let source =
        ViewAction::SetParam { key: "source".to_owned(), value: Value::Text("folder".to_owned()), settled: true };
    let expected = [source, ViewAction::ChooseFile { key: "data".to_owned() }];
    assert_eq!(harness.state().actions, expected);
}

#[test]
fn the_guide_has_the_current_numbers_and_proposes_what_is_not_set() {
    let mut harness = drawn("guide", [460.0, 2400.0]);
    label(&harness, "not radiographs");
    label(&harness, "1.50 = ½ (1.50 + 1.50); guessing: ln 32 = 3.47");
    label(&harness, "0.840; by chance 0.100");
    harness.get_by_label_contains("The baseline").click();
    harness.run_steps(2);
    let expected =
        ViewAction::SetParam { key: "variant".to_owned(), value: Value::Text("convirt".to_owned()), settled: true };
    assert!(harness.state().actions.contains(&expected), "{:?}", harness.state().actions);
    let early = Scene { cursor: 0, ..scene(run(false), "guide") }.harness(vec2(460.0, 2400.0));
    label(&early, "— = ½ (— + —)");
}
