//! The self-supervised lab's tiles, drawn from hand-made runs, without a window.

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::vec2;
use egui_kittest::kittest::{NodeT, Queryable};
use egui_kittest::{SnapshotOptions, SnapshotResults};
use learnscope::compute::device;
use learnscope::engine::event::{Payload, Status};
use learnscope::engine::params::{Params, Value};
use learnscope::engine::state::RunState;
use learnscope::kit::view::{Cursor, ViewAction};
use learnscope::labs::self_supervised;
use learnscope::labs::self_supervised::inspect::COLUMNS;
use learnscope::labs::self_supervised::params::PARAMS;
use learnscope::plot::style::Style;

use support::made_run::{MadeRun, header};
use support::scene::{Scene, label};

const STEPS: u64 = 700;
/// Channels of the embedding.
const D: usize = 12;

/// Falls from 1 to 0 along the run.
fn fading(step: u64) -> f64 {
    (-4.0 * step as f64 / STEPS as f64).exp()
}

fn eigenvalues(step: u64, dead: bool) -> Vec<f64> {
    let width = if dead { 0.3 } else { 2.0 + 3.0 * (1.0 - fading(step)) };
    (0..D).map(|j| if dead && j > 4 { -1e-9 } else { 5.0 * (-(j as f64) / width).exp() }).collect()
}

fn payload(key: &str, step: u64, dead: bool) -> Option<Payload> {
    let s = eigenvalues(step, dead);
    let p = |j: usize| s[j].max(0.0).sqrt() + 0.3 * fading(step) * (j as f64).sin();
    let matrix = |f: &dyn Fn(usize, usize) -> f64| Payload::Matrix {
        rows: D as u32,
        cols: D as u32,
        values: (0..D * D).map(|k| f(k / D, k % D) as f32).collect(),
    };
    Some(match key {
        "eigenvalues/F" | "spectrum/embeddings" => Payload::Series(s),
        "spectrum/features" => {
            let alpha = if dead { 5.0 } else { 1.2 };
            Payload::Series((1..=32).map(|j| f64::from(j).powf(-alpha)).collect())
        }
        "eigenvalues/Wp" => Payload::Series((0..D).map(p).collect()),
        "alignment/per-eigenvector" => Payload::Series(
            (0..D).map(|j| if j == D - 1 { f64::NAN } else { 1.0 - fading(step) * (j as f64).cos().abs() }).collect(),
        ),
        "p_against_s" => {
            let xy = (0..D).map(|j| [s[j] as f32, p(j) as f32]).collect();
            Payload::Points { xy, classes: Vec::new() }
        }
        "theory/modes" => {
            let values = (0..D).flat_map(|j| [s[j] as f32, p(j) as f32]).collect();
            Payload::Matrix { rows: D as u32, cols: 2, values }
        }
        "matrix/F" => matrix(&|i, j| if i == j { s[i] } else { 0.0 }),
        "matrix/Wp" => matrix(&|i, j| p(i) * f64::from(u8::from(i == j)) + fading(step) * ((i * 3 + j) as f64).sin()),
        "embedding" => {
            let spread = if dead { 1e-9 } else { 1.0 };
            let xy = (0..200).map(|i| {
                let (class, turn) = (i % 10, i as f32 * 0.7);
                [spread * (class as f32 + turn.sin()), spread * ((class * 7 % 10) as f32 + turn.cos())]
            });
            Payload::Points { xy: xy.collect(), classes: (0..200).map(|i| i % 10).collect() }
        }
        "views/sample" => {
            let (width, height) = (8 * 16, 3 * 16);
            let rgba = (0..width * height).flat_map(|i| [(i % 251) as u8, (i % 83) as u8, 90, 255]).collect();
            Payload::Image { width, height, rgba }
        }
        "views/draws" => {
            let row = |i: usize| {
                let flip = if i.is_multiple_of(2) { "yes" } else { "no" };
                let colours = ["1.210", "0.880", "", "-0.050", "no", "0.930", flip];
                [&["7", "ring", "1", "2.5", "1.0", "10.0", "9.0", flip, "no"], &colours[..]]
                    .concat()
                    .into_iter()
                    .map(str::to_owned)
                    .collect()
            };
            Payload::Table { columns: COLUMNS.map(str::to_owned).to_vec(), rows: (0..16).map(row).collect() }
        }
        "protocol" => Payload::Text("cosine kNN, k = 20\nridge probe\n2000 training and 1000 test pictures".to_owned()),
        "classes" => Payload::Text((0..10).map(|i| format!("class {i}")).collect::<Vec<_>>().join("\n")),
        _ => return None,
    })
}

const PAYLOADS: [&str; 14] = [
    "spectrum/features",
    "spectrum/embeddings",
    "eigenvalues/F",
    "eigenvalues/Wp",
    "alignment/per-eigenvector",
    "p_against_s",
    "theory/modes",
    "matrix/F",
    "matrix/Wp",
    "embedding",
    "views/sample",
    "views/draws",
    "protocol",
    "classes",
];

/// What a hand-made run is.
#[derive(Clone, Copy, Default)]
struct Story {
    dead: bool,
    twin: bool,
}

/// A finished run as the window sees it.
fn run(story: Story) -> RunState {
    let mut run = MadeRun::starts(header("self-supervised", &Params::defaults(PARAMS), STEPS));
    for step in (0..=STEPS).step_by(10) {
        let fade = fading(step);
        let rank = if story.dead { 1.0 + 7.0 * fade.powi(3) } else { 8.0 - 5.0 * fade };
        let spread = if story.dead { 0.6 * fade } else { 0.7 - 0.5 * fade };
        let verdict = match story.dead {
            true if step > 600 => 2.0,
            true if step > 100 => 1.0,
            _ => 0.0,
        };
        let mut values = vec![
            ("loss/cosine", -2.0 + 0.5 * fade),
            ("loss/l2", 0.6 * fade),
            ("loss/total", -2.0 + 1.1 * fade),
            ("asymmetry", 1.41 * fade),
            ("asymmetry/entrywise_l1", 1.4 * fade),
            ("alignment/weighted", 1.0 - fade),
            ("commutator", 0.2 * fade),
            ("sqrt_fit/scale", 0.4),
            ("sqrt_fit/residual", 0.3 * fade),
            ("effective_rank", rank),
            ("effective_rank/centred", rank + 1.0),
            ("normalised_std", spread),
            ("mean_energy", 0.4),
            ("collapse", verdict),
            ("views/alignment", 0.8 * fade),
            ("views/uniformity", -3.5 * spread),
            ("gradient/encoder", 0.2 * fade + 1e-3),
            ("gradient/projector", 0.1 * fade + 1e-3),
            ("gradient/predictor", 0.3 * fade + 1e-3),
        ];
        if step % 50 == 0 {
            values.extend(match story.dead {
                true => [("knn", 0.2 + 0.5 * fade), ("probe", 0.3 + 0.4 * fade)],
                false => [("knn", 0.9 - 0.2 * fade), ("probe", 0.95 - 0.25 * fade)],
            });
            let slope = if story.dead { 5.0 } else { 1.2 };
            values.extend([("rank_me/features", 3.0 * rank), ("rank_me/embeddings", 2.0 * rank)]);
            values.extend([("uniformity/test", -3.2 * spread), ("spectral_slope", slope)]);
        }
        let prefixes: &[&str] = if story.twin && step >= 200 { &["", "twin/"] } else { &[""] };
        for prefix in prefixes {
            run.scalars(step, prefix, &values);
            if step % 50 == 0 {
                PAYLOADS.iter().for_each(|key| run.recorded(step, &format!("{prefix}{key}")));
            }
        }
    }
    let prefixes: &[&str] = if story.twin { &["", "twin/"] } else { &[""] };
    for key in PAYLOADS {
        for prefix in prefixes {
            run.payload(STEPS, &format!("{prefix}{key}"), payload(key, STEPS, story.dead).unwrap());
        }
    }
    run.changed(300, "tau", Value::Float(0.95), Value::Float(0.9));
    if story.twin {
        run.changed(200, "twin/symmetry", Value::Switch(false), Value::Switch(true));
    }
    run.ends(STEPS)
}

impl Scene {
    fn new(story: Story, tile: &'static str) -> Self {
        Scene::of("self-supervised", run(story), tile).recorded(move |key, step| {
            let at = step - step % 50;
            Some((at, payload(key.trim_start_matches("twin/"), at, story.dead)?))
        })
    }
}

fn tiles() -> Vec<&'static str> {
    self_supervised::view::new().tiles().iter().map(|spec| spec.id).chain(["guide"]).collect()
}

#[test]
fn every_tile_is_drawn_in_every_style_size_and_state() {
    let stories = [Story::default(), Story { dead: true, twin: false }, Story { dead: false, twin: true }];
    for style in [Style::dark(), Style::light(), Style::high_contrast()] {
        for (size, cursor) in [(vec2(520.0, 340.0), STEPS), (vec2(240.0, 150.0), 250), (vec2(60.0, 40.0), 0)] {
            for id in tiles() {
                for story in stories {
                    let mut scene = Scene::new(story, id);
                    scene.style = style.clone();
                    scene.cursor = cursor;
                    scene.past.slow = story.twin && cursor == 0;
                    scene.presenting = size.x > 400.0 && !style.dark;
                    scene.stays_within(size);
                }
            }
        }
    }
}

#[test]
fn the_spectrum_says_its_slope() {
    for (dead, words) in [(false, "α = 1.20 over ranks 4 to 16"), (true, "α = 5.00 over ranks 4 to 16")] {
        let mut harness = Scene::new(Story { dead, twin: false }, "spectrum").harness(vec2(900.0, 500.0));
        harness.run_steps(2);
        let said = label(&harness, "features: λ");
        assert!(said.contains(words), "{said}");
        harness.get_by_label("eigenvalues of the covariance of the features against their index");
        harness.get_by_label("eigenvalues of the covariance of the embeddings against their index");
    }
}

#[test]
fn the_simulator_takes_momentum_and_duration_of_the_run_and_shows_its_time() {
    let mut harness = Scene::new(Story::default(), "simulator").harness(vec2(1000.0, 620.0));
    harness.run_steps(2);
    // 700 steps of α 0.15 with momentum 0.9.
    assert!(label(&harness, "the run's step").contains("the run's step 700 is t = 1050"));
    harness.get_by_label("from the run").click();
    harness.run_steps(2);
    harness.get_by_label("t simulated time");
    assert!(harness.query_by_label("1050").is_some(), "the duration of the run");
    harness.get_by_label("cosine loss").click();
    harness.run_steps(2);
    support::scene::wait_for(&mut harness, "gradient descent on the cosine loss");
    support::scene::wait_until(&mut harness, "the panels of the cosine loss", |harness| {
        harness.query_by_label_contains("Loss: −2").is_some()
    });
    harness.get_by_label("Effective rank of F");
    harness.get_by_label("μ momentum");
}

#[test]
fn no_size_and_no_data_are_met_calmly() {
    let failed = Status::Failed("the loss is no longer a number".to_owned());
    for status in [None, Some(Status::Building), Some(Status::WarmingUp), Some(Status::Running), Some(failed)] {
        for size in [vec2(400.0, 300.0), vec2(1.0, 1.0), vec2(0.0, 0.0)] {
            for id in tiles() {
                let mut scene = Scene::new(Story::default(), id);
                scene.run = RunState { status: status.clone(), ..RunState::default() };
                scene.cursor = 0;
                scene.stays_within(size);
            }
        }
    }
    for id in tiles() {
        Scene::new(Story::default(), id).stays_within(vec2(0.0, 0.0));
    }
    let mut harness = Scene::new(Story::default(), "eigenspaces").harness(vec2(400.0, 300.0));
    harness.state_mut().run = RunState::default();
    harness.run_steps(2);
    harness.get_by_label("No run yet");
}

#[test]
fn a_payload_of_another_kind_or_size_is_left_out() {
    let odd = [
        Payload::Series(vec![]),
        Payload::Series(vec![f64::NAN; 3]),
        Payload::Matrix { rows: 3, cols: 3, values: vec![1.0; 4] },
        Payload::Points { xy: vec![[f32::NAN, 1.0]], classes: vec![] },
        Payload::Image { width: 9, height: 9, rgba: vec![0; 3] },
        Payload::Table { columns: vec![], rows: vec![vec![]] },
        Payload::Text(String::new()),
    ];
    for payload in odd {
        let payload = Arc::new(payload);
        for id in tiles() {
            let mut scene = Scene::new(Story::default(), id);
            for track in scene.run.payloads.values_mut() {
                track.newest = Some((STEPS, payload.clone()));
            }
            scene.stays_within(vec2(500.0, 300.0));
        }
    }
}

/// What a label of the alarm's tile says with the cursor at a step.
fn said(story: Story, cursor: u64, label: &str) -> String {
    let mut scene = Scene::new(story, "collapse");
    scene.cursor = cursor;
    let mut harness = scene.harness(vec2(900.0, 600.0));
    harness.run_steps(2);
    self::label(&harness, label)
}

#[test]
fn the_alarm_says_what_holds_at_the_cursor() {
    let alarm = |story, cursor| said(story, cursor, "collapse alarm");
    let dead = Story { dead: true, twin: false };
    assert!(alarm(dead, STEPS).ends_with("Complete collapse"));
    // It waits long before it calls a low rank a collapse: healthy runs pass through it. Meanwhile it is not green.
    assert!(alarm(dead, 590).ends_with("Collapse to one direction"));
    assert!(alarm(dead, 200).ends_with("Watching: rank near 1"));
    assert!(said(dead, 200, "checks").contains("Low in 10 of 10 checks since step 110, for 100 steps"));
    assert!(alarm(Story::default(), STEPS).ends_with("No collapse"));
}

/// The worker's alarm of a twin goes on from the run's; so does the tile's.
#[test]
fn a_twins_tile_says_what_its_alarm_said_with_the_numbers() {
    let dead = Story { dead: true, twin: true };
    // Bad since step 110, forked at 200: by its own history alone it would still be watching.
    let twin = said(dead, 590, "twin: ");
    assert!(twin.starts_with("twin: collapse to one direction, rank 1.0"), "{twin}");
    let twin = said(dead, 300, "twin: ");
    assert!(twin.contains("watching") && twin.contains("20 of 20 checks since step 110"), "{twin}");
    let twin = said(Story { dead: false, twin: true }, STEPS, "twin: ");
    assert!(twin.starts_with("twin: no collapse, rank 7") && twin.contains("std 0."), "{twin}");
}

#[test]
fn a_click_in_a_curve_moves_the_cursor() {
    for (tile, label) in [
        ("probe", "kNN and linear probe accuracy against the step"),
        ("eigenspaces", "asymmetry of Wp against the step"),
        ("collapse", "verdicts along the run"),
        ("representation", "RankMe of features and embeddings against the step"),
    ] {
        let mut harness = Scene::new(Story::default(), tile).harness(vec2(600.0, 420.0));
        harness.run_steps(2);
        harness.get_by_label_contains(label).click();
        harness.run_steps(2);
        let found = harness
            .state()
            .actions
            .iter()
            .any(|action| matches!(action, ViewAction::Seek(Cursor { step: 300..=400, .. })));
        assert!(found, "{tile}: {:?}", harness.state().actions);
    }
}

#[test]
fn the_twin_is_drawn_and_named() {
    let twin = Story { dead: false, twin: true };
    let mut harness = Scene::new(twin, "probe").harness(vec2(600.0, 420.0));
    harness.run_steps(2);
    harness.get_by_label_contains("kNN (twin)");
    let mut harness = Scene::new(twin, "collapse").harness(vec2(600.0, 420.0));
    harness.run_steps(2);
    harness.get_by_label_contains("symmetry regularisation on");
    let mut harness = Scene::new(Story::default(), "probe").harness(vec2(600.0, 420.0));
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("twin").is_none());
}

#[test]
fn what_is_told_without_labels_has_a_panel_each() {
    let twin = Story { dead: false, twin: true };
    let mut harness = Scene::new(twin, "representation").harness(vec2(1100.0, 460.0));
    harness.run_steps(2);
    for panel in [
        "RankMe of features and embeddings against the step",
        "alignment and uniformity against the step",
        "spectral slope of the features against the step",
        "gradient norms against the step",
    ] {
        harness.get_by_label_contains(panel);
    }
    // Every quantity is drawn, its twin's too, with the value at the cursor.
    for name in [
        "RankMe of features",
        "RankMe of embeddings",
        "alignment of views",
        "uniformity of test pictures",
        "spectral slope α",
        "encoder",
        "predictor",
    ] {
        harness.get_by_label_contains(&format!("{name} (twin)"));
    }
    let said = label(&harness, "spectral slope of the features");
    assert!(said.contains("1.2"), "{said}");
    // Where there is no room for four, one is chosen.
    let mut harness = Scene::new(twin, "representation").harness(vec2(420.0, 240.0));
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("gradient norms against").is_none());
    harness.get_by_label("gradients").click();
    harness.run_steps(2);
    harness.get_by_label_contains("gradient norms against the step");
}

#[test]
fn a_matrix_is_enlarged_by_a_click() {
    let mut harness = Scene::new(Story::default(), "matrices").harness(vec2(900.0, 420.0));
    harness.run_steps(2);
    harness.get_by_label("predictor Wp").click();
    harness.run_steps(2);
    assert!(harness.query_by_label("correlation F").is_none());
    harness.get_by_label("show all").click();
    harness.run_steps(2);
    harness.get_by_label("correlation F");
}

#[test]
fn the_guide_sets_what_it_proposes() {
    let mut harness = Scene::new(Story::default(), "guide").harness(vec2(320.0, 1600.0));
    harness.run_steps(2);
    harness.get_by_label_contains("Kill it").click();
    harness.run_steps(2);
    let set: Vec<&str> = harness
        .state()
        .actions
        .iter()
        .filter_map(|action| match action {
            ViewAction::SetParam { key, .. } => Some(key.as_str()),
            _ => None,
        })
        .collect();
    // With the rates and decays at which it dies, whatever was tried before.
    assert_eq!(set[..3], ["predictor_rule", "target", "symmetry"]);
    assert!(set[3..].iter().all(|key| key.starts_with("rate_") || key.starts_with("decay_")) && set.len() == 9);
}

#[test]
fn the_inspector_says_what_a_view_was_made_with() {
    let mut harness = Scene::new(Story::default(), "views").harness(vec2(900.0, 700.0));
    harness.run_steps(2);
    let all: Vec<String> = harness
        .get_all_by_label_contains("of ring: crop")
        .map(|view| view.accesskit_node().label().unwrap_or_default())
        .collect();
    assert!(all.iter().any(|text| text.contains("flipped, solarised") && text.contains("blur 0.93 px")), "{all:?}");
    assert!(all.iter().any(|text| !text.contains("solarised")), "{all:?}");
}

#[test]
fn the_theory_answers_apart_from_the_frame() {
    for tile in ["simulator", "basin"] {
        let mut harness = Scene::new(Story::default(), tile).harness(vec2(800.0, 500.0));
        let start = Instant::now();
        let label = if tile == "basin" { "share that collapses" } else { "Certificate of alignment" };
        while harness.query_by_label_contains(label).is_none() {
            assert!(start.elapsed() < Duration::from_secs(60), "{tile} shows nothing");
            harness.run_steps(1);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    let mut harness = Scene::new(Story::default(), "theory").harness(vec2(800.0, 500.0));
    harness.run_steps(2);
    harness.get_by_label_contains("phase portrait");
    harness.get_by_label_contains("η decay of the network");
}

/// Tiles of a fixed run as pictures. Compared only where there is a graphics adapter.
#[test]
fn tiles_look_as_they_did() {
    if device::adapters().is_empty() {
        let reason = "no graphics adapter found, so no pictures are compared";
        assert!(std::env::var_os("LEARNSCOPE_REQUIRE_ADAPTER").is_none(), "{reason}");
        println!("skipped: {reason}");
        return;
    }
    let mut results = SnapshotResults::new();
    let twin = Story { dead: false, twin: true };
    let dead = Story { dead: true, twin: false };
    for (tile, story, light) in [
        ("eigenspaces", Story::default(), false),
        ("collapse", dead, true),
        ("measures", twin, true),
        ("matrices", Story::default(), false),
        ("theory", Story::default(), false),
    ] {
        let mut scene = Scene::new(story, tile);
        if light {
            scene.style = Style::light();
        }
        let mut harness = scene.picture(vec2(760.0, 480.0));
        // What is computed apart from the frame arrives.
        for _ in 0..30 {
            harness.run_steps(1);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let options = SnapshotOptions::new().threshold(1.0).max_failed_pixels(300);
        results.add(harness.try_snapshot_options(format!("self-supervised-{tile}"), &options));
    }
}
