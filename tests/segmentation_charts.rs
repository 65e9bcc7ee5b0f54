//! The charts of the segmentation lab, drawn from hand-made runs, without a window.

mod support;

use std::sync::Arc;

use eframe::egui::{Key, vec2};
use egui_kittest::kittest::Queryable;
use learnscope::engine::event::{Body, Event, Payload, RunId, Status};
use learnscope::engine::params::{Params, Value};
use learnscope::engine::state::RunState;
use learnscope::kit::view::{Cursor, ViewAction};
use learnscope::labs::segmentation::judge::COLUMNS;
use learnscope::labs::segmentation::params::PARAMS;
use learnscope::plot::style::Style;

use support::made_run::{MadeRun, header};
use support::scene::{Scene, label, wait_for};

const STEPS: u64 = 450;
/// Steps of an epoch: 72 images in batches of 8.
const EPOCH: u64 = 9;
const TILES: [&str; 6] = ["curves", "ranking", "compare", "network", "size-dice", "guide"];

/// Rises from 0 to 1 along the run.
fn learned(step: u64) -> f64 {
    1.0 - (-6.0 * step as f64 / STEPS as f64).exp()
}

/// 24 images; the Dice of the later ones is higher, and image 3 is missed.
fn images(step: u64) -> Payload {
    let row = |i: usize| {
        let dice = if i == 3 { 0.0 } else { learned(step) * (0.5 + 0.02 * i as f64) };
        let distance = |scale: f64| if i == 3 { String::new() } else { format!("{:.2}", scale * (1.5 - dice)) };
        let class = if i.is_multiple_of(2) { "benign" } else { "malignant" };
        vec![
            format!("case ({i})"),
            class.to_owned(),
            format!("{:.4}", 0.95 * dice),
            format!("{dice:.4}"),
            format!("{:.4}", dice / (2.0 - dice)),
            distance(10.0),
            distance(16.0),
            distance(3.0),
            format!("{} / {}", 900 + i, if i == 3 { 0 } else { 800 + i }),
        ]
    };
    Payload::Table { columns: COLUMNS.map(str::to_owned).to_vec(), rows: (0..24).map(row).collect() }
}

/// What a hand-made run is.
#[derive(Clone, Copy, Default)]
struct Story {
    twin: bool,
    /// Ended by early stopping, with a test.
    stopped: bool,
}

/// A run as the window sees it.
fn run(story: Story) -> RunState {
    let steps = if story.stopped { 2 * STEPS } else { STEPS };
    let mut run = MadeRun::starts(header("segmentation", &Params::defaults(PARAMS), steps));
    let names = (0..12).map(|i| format!("case ({i})")).collect::<Vec<_>>().join("\n");
    run.payload(0, "wall/names", Payload::Text(names));
    for step in 0..=STEPS {
        let rate = if step < 270 { 0.002 } else { 0.001 };
        let dice = 0.85 * learned(step);
        let mut values = Vec::new();
        if step > 0 {
            values.push(("loss/train", 1.0 - dice + 0.1 * (step as f64).sin()));
        }
        if step.is_multiple_of(EPOCH) {
            let best = step.min(360);
            values.extend([
                ("loss/validation", 1.0 - dice + if step > 360 { 0.02 } else { 0.0 }),
                ("dice/validation", 0.97 * dice),
                ("dice/final", dice),
                ("iou/final", dice / (2.0 - dice)),
                ("hd95/final", 30.0 * (1.1 - dice)),
                ("hd/final", 45.0 * (1.1 - dice)),
                ("assd/final", 9.0 * (1.1 - dice)),
                ("undefined/final", 1.0),
                ("both_empty/final", 0.0),
                ("learning_rate", rate),
                ("epoch", step as f64 / EPOCH as f64),
                ("patience", (step - best) as f64 / EPOCH as f64),
                ("best/loss", 1.0 - 0.85 * learned(best)),
                ("best/step", best as f64),
            ]);
            if step == STEPS && story.stopped {
                values.extend([("test/dice", 0.79), ("test/hd95", 11.5), ("test/undefined", 0.0)]);
            }
        }
        let prefixes: &[&str] = if story.twin && step >= 90 { &["", "twin/"] } else { &[""] };
        prefixes.iter().for_each(|prefix| run.scalars(step, prefix, &values));
        if step.is_multiple_of(EPOCH) {
            run.recorded(step, "validation/images");
        }
    }
    let tables: &[&str] = if story.stopped { &["validation/images", "test/images"] } else { &["validation/images"] };
    tables.iter().for_each(|key| run.payload(STEPS, key, images(STEPS)));
    if story.twin {
        run.changed(90, "twin/learning_rate", Value::Float(0.002), Value::Float(0.01));
    }
    run.ends(STEPS)
}

impl Scene {
    fn new(story: Story, tile: &'static str) -> Self {
        Scene::of("segmentation", run(story), tile).recorded(|key, step| {
            let at = step - step % EPOCH;
            (key == "validation/images").then(|| (at, images(at)))
        })
    }
}

#[test]
fn every_chart_is_drawn_in_every_style_size_and_state() {
    let stories = [Story::default(), Story { twin: true, stopped: false }, Story { twin: false, stopped: true }];
    for style in [Style::dark(), Style::light(), Style::high_contrast()] {
        for (size, cursor) in [(vec2(760.0, 420.0), STEPS), (vec2(420.0, 240.0), 250), (vec2(60.0, 40.0), 0)] {
            for id in TILES {
                for story in stories {
                    let mut scene = Scene::new(story, id);
                    scene.style = style.clone();
                    scene.cursor = cursor;
                    scene.presenting = size.x > 500.0 && !style.dark;
                    scene.stays_within(size);
                }
            }
        }
    }
}

#[test]
fn no_size_and_no_data_are_met_calmly() {
    let failed = Status::Failed("the loss is no longer a number".to_owned());
    for status in [None, Some(Status::Building), Some(Status::WarmingUp), Some(Status::Running), Some(failed)] {
        for size in [vec2(400.0, 300.0), vec2(1.0, 1.0), vec2(0.0, 0.0)] {
            for id in TILES {
                let mut scene = Scene::new(Story::default(), id);
                scene.run = RunState { status: status.clone(), ..RunState::default() };
                scene.cursor = 0;
                scene.stays_within(size);
            }
        }
    }
    for id in TILES {
        Scene::new(Story::default(), id).stays_within(vec2(0.0, 0.0));
    }
    for tile in ["curves", "ranking"] {
        let mut scene = Scene::new(Story::default(), tile);
        scene.run = RunState::default();
        scene.harness(vec2(400.0, 300.0)).get_by_label("No run yet");
    }
}

#[test]
fn a_payload_of_another_kind_is_left_out() {
    let odd = [
        Payload::Series(vec![]),
        Payload::Table { columns: vec![], rows: vec![vec![]] },
        Payload::Table { columns: vec!["image".to_owned(), "Dice".to_owned()], rows: vec![vec![]] },
        Payload::Text(String::new()),
    ];
    for payload in odd {
        let payload = Arc::new(payload);
        for id in TILES {
            let mut scene = Scene::new(Story::default(), id);
            for track in scene.run.payloads.values_mut() {
                track.newest = Some((STEPS, payload.clone()));
            }
            scene.stays_within(vec2(500.0, 300.0));
        }
    }
}

#[test]
fn curves_say_what_holds_at_the_cursor() {
    let mut scene = Scene::new(Story::default(), "curves");
    scene.cursor = 0;
    let harness = scene.harness(vec2(900.0, 420.0));
    harness.get_by_label("final 0");
    let harness = Scene::new(Story::default(), "curves").harness(vec2(900.0, 420.0));
    // 0.85 (1 − e⁻⁶)
    harness.get_by_label("final 0.848");
    harness.get_by_label("undefined 1/24");
    assert!(label(&harness, "epoch 50").contains("best 360, 10 epochs ago"));
    harness.get_by_label_contains("rate 0.001");
}

#[test]
fn a_distance_that_was_undefined_for_every_image_is_not_shown() {
    for (tile, words) in [("curves", "HD95 —"), ("guide", "= — px, 24 undefined")] {
        let at = |cursor: u64| {
            let mut scene = Scene::new(Story::default(), tile);
            let values = [("undefined/final", 24.0), ("dice/final", 0.0)].map(|(key, value)| (key.into(), value));
            let body = Body::Scalars(values.to_vec());
            scene.run.apply(&Event { run: RunId(1), step: STEPS + EPOCH, seconds: 0.0, body });
            scene.cursor = cursor;
            scene.harness(vec2(900.0, 900.0))
        };
        assert!(at(STEPS).query_by_label_contains(words).is_none(), "{tile}: it was defined then");
        at(STEPS + EPOCH).get_by_label_contains(words);
    }
}

#[test]
fn what_counts_as_the_diagonal_is_said_to() {
    let expected = [
        ("curves", "counted as the diagonal 1/24"),
        ("guide", "px, 1 counted as the diagonal"),
        ("ranking", "24 images, 1 counted as the diagonal, validation set"),
    ];
    for (tile, words) in expected {
        let mut scene = Scene::new(Story::default(), tile);
        set_of_run(&mut scene.run, "undefined=diagonal");
        scene.harness(vec2(900.0, 900.0)).get_by_label_contains(words);
    }
}

/// Sets a parameter of a run.
fn set_of_run(run: &mut RunState, text: &str) {
    run.header.as_mut().unwrap().params.set_text(PARAMS, text).unwrap();
    run.params.set_text(PARAMS, text).unwrap();
}

#[test]
fn the_guide_proposes_what_is_not_set_yet_and_sets_it() {
    let proposed = "Can it learn one image by heart?";
    let mut harness = Scene::new(Story::default(), "guide").harness(vec2(320.0, 2400.0));
    harness.get_by_label_contains(proposed).click();
    harness.run_steps(2);
    let set = |key: &str, value: Value| ViewAction::SetParam { key: key.to_owned(), value, settled: true };
    let wanted = [
        set("overfit", Value::Text("one".to_owned())),
        set("steps", Value::Int(120)),
        set("validate_every", Value::Int(5)),
    ];
    assert_eq!(harness.state().actions, wanted);
    let harness = Scene::new(Story::default(), "guide").with(&["overfit=one"]).harness(vec2(320.0, 2400.0));
    assert!(harness.query_by_label_contains(proposed).is_none());
    harness.get_by_label_contains("Back to the tiny U-net");
}

#[test]
fn the_schedule_has_counts_of_its_own() {
    let mut scene = Scene::new(Story::default(), "guide");
    set_of_run(&mut scene.run, "plateau=on");
    set_of_run(&mut scene.run, "early_stopping=on");
    let words = label(&scene.harness(vec2(900.0, 900.0)), "α is halved after more than");
    assert!(words.contains("(now 10)"), "early stopping's: {words}");
    assert!(!words.split("stop at").next().unwrap().contains("now"), "older runs do not have the plateau's: {words}");

    let mut scene = Scene::new(Story::default(), "guide");
    set_of_run(&mut scene.run, "plateau=on");
    let body = Body::Scalars(vec![("bad_epochs".into(), 2.0)]);
    scene.run.apply(&Event { run: scene.run.id.unwrap(), step: STEPS, seconds: 0.0, body });
    let words = label(&scene.harness(vec2(900.0, 900.0)), "α is halved after more than");
    assert!(words.contains("5 (now 2)"), "{words}");
}

#[test]
fn a_small_tile_shows_one_panel_and_lets_one_choose() {
    let mut harness = Scene::new(Story::default(), "curves").harness(vec2(420.0, 240.0));
    harness.get_by_label_contains("loss against the step");
    assert!(harness.query_by_label_contains("Dice against the step").is_none());
    harness.get_by_label("Dice").click();
    harness.run_steps(2);
    harness.get_by_label_contains("Dice against the step");
    harness.get_by_label("HD95").click();
    harness.run_steps(2);
    harness.get_by_label("ASSD").click();
    harness.run_steps(2);
    assert!(label(&harness, "border distances against the step").contains("ASSD"));
}

#[test]
fn a_click_in_a_curve_moves_the_cursor() {
    for name in ["loss against the step", "Dice against the step", "border distances against the step"] {
        let mut harness = Scene::new(Story::default(), "curves").harness(vec2(900.0, 420.0));
        harness.get_by_label_contains(name).click();
        harness.run_steps(2);
        let found = &harness.state().actions;
        let seek = |action: &ViewAction| matches!(action, ViewAction::Seek(Cursor { step: 200..=250, .. }));
        assert!(found.iter().any(seek), "{name}: {found:?}");
    }
}

#[test]
fn the_twin_is_drawn_and_named() {
    let twin = Story { twin: true, stopped: false };
    let harness = Scene::new(twin, "curves").harness(vec2(900.0, 420.0));
    assert!(label(&harness, "Dice against the step").contains("final (twin)"));
    let harness = Scene::new(Story::default(), "curves").harness(vec2(900.0, 420.0));
    assert!(!label(&harness, "Dice against the step").contains("twin"));
}

#[test]
fn the_worst_image_is_first_and_a_click_selects() {
    let mut harness = Scene::new(Story::default(), "ranking").harness(vec2(420.0, 240.0));
    harness.get_by_label_contains("24 images, 1 undefined, validation set, step 450");
    let first = harness.get_by_label("case (3), Dice 0.000").rect();
    let second = harness.get_by_label_contains("case (0), Dice 0.49").rect();
    assert!(first.top() < second.top());
    harness.get_by_label("case (3), Dice 0.000").click();
    harness.run_steps(2);
    harness.get_by_label_contains("case (3): 903 / 0 pixels");
    harness.key_press(Key::ArrowDown);
    harness.run_steps(2);
    harness.get_by_label_contains("case (0): 900 / 800 pixels");
    harness.key_press(Key::End);
    harness.run_steps(2);
    // The best one is not on the wall of 12.
    let words = label(&harness, "case (23):");
    assert!(words.contains("not on the wall of 12") && words.contains("`wall_images` (images on the wall)"), "{words}");
    harness.key_press(Key::ArrowUp);
    harness.run_steps(2);
    harness.get_by_label_contains("case (22):");
}

#[test]
fn the_list_follows_the_cursor_and_sorts_by_any_column() {
    let mut scene = Scene::new(Story::default(), "ranking");
    scene.cursor = 100;
    let mut harness = scene.harness(vec2(420.0, 400.0));
    harness.get_by_label_contains("24 images, 1 undefined, validation set, step 99");
    harness.get_by_label("sort by HD95").click();
    harness.run_steps(2);
    // Farthest first; the missed one has no distance and stands at the end.
    let first = harness.get_by_label_contains("case (0), Dice").rect();
    let second = harness.get_by_label_contains("case (1), Dice").rect();
    assert!(first.top() < second.top());
    assert!(harness.query_by_label_contains("case (3), Dice").is_none());
}

#[test]
fn classes_can_be_shown_apart_and_the_test_set_has_its_own_list() {
    let mut harness = Scene::new(Story::default(), "ranking").harness(vec2(420.0, 240.0));
    harness.get_by_label("all classes").click();
    harness.run_steps(2);
    harness.get_by_label_contains("12 images, validation set, step 450");
    assert!(harness.query_by_label_contains("case (1), Dice").is_none(), "odd ones are malignant");
    harness.get_by_label("test").click();
    harness.run_steps(2);
    harness.get_by_label("No images here");
    let stopped = Story { twin: false, stopped: true };
    let mut harness = Scene::new(stopped, "ranking").harness(vec2(420.0, 240.0));
    harness.get_by_label("test").click();
    harness.run_steps(2);
    harness.get_by_label("case (3), Dice 0.000").click();
    harness.run_steps(2);
    harness.get_by_label_contains("outlines of test images are not recorded");
}

#[test]
fn the_histogram_names_its_spread_and_a_bar_selects_its_worst_image() {
    let mut harness = Scene::new(Story::default(), "ranking").harness(vec2(900.0, 300.0));
    wait_for(&mut harness, "]  median 0.7");
    let summary = label(&harness, "mean 0.");
    assert!(summary.contains("median 0.7") && summary.contains("(ddof 1)") && summary.contains("n 24"), "{summary}");
    // The middle of the axis: Dice 0.50 to 0.55.
    harness.get_by_label("histogram of Dice").click();
    harness.run_steps(2);
    harness.get_by_label_contains("case (1):");
}

#[test]
fn the_card_counts_what_the_form_asks_for() {
    let mut harness = Scene::new(Story::default(), "network").harness(vec2(1000.0, 420.0));
    harness.get_by_label_contains("U-net, width 8, 3×64×64: 271 449 parameters");
    harness.get_by_label_contains("✔ 17 267 393 at width 64 and 3 channels = the paper’s Table 2");
    harness.get_by_label("choose Lighter U-net @16").click();
    harness.run_steps(2);
    let set = harness.state().actions.iter().filter_map(|action| match action {
        ViewAction::SetParam { key, value, .. } => Some(format!("{key}={value}")),
        _ => None,
    });
    assert_eq!(set.collect::<Vec<_>>(), ["group=16", "architecture=lighter"]);

    let set = ["architecture=lighter", "group=128", "base=16"];
    let harness = Scene::new(Story::default(), "network").with(&set).harness(vec2(1000.0, 420.0));
    let warning = label(&harness, "Grouping makes this network larger");
    assert!(
        warning.contains("265 988 parameters more") && warning.contains("corresponds to @32 at width 16"),
        "{warning}"
    );
    let set = ["architecture=deeplab-resnet101", "image_size=64"];
    let harness = Scene::new(Story::default(), "network").with(&set).harness(vec2(1000.0, 420.0));
    harness.get_by_label_contains("≠ 59 339 169");
    harness.get_by_label_contains("54,700,177");
    let set = ["architecture=lighter", "group=16", "base=24"];
    let harness = Scene::new(Story::default(), "network").with(&set).harness(vec2(1000.0, 420.0));
    harness.get_by_label_contains("This network cannot be built");
}

#[test]
fn this_run_is_named_for_what_it_is_beside_the_paper() {
    let words = |story: Story, cursor: u64| {
        let mut scene = Scene::new(story, "size-dice");
        scene.cursor = cursor;
        label(&scene.harness(vec2(760.0, 420.0)), "size against Dice")
    };
    let on = "U-net, 64×64, width 8, 24 validation images, synthetic";
    assert_eq!(words(Story::default(), STEPS), format!("size against Dice; this run: Dice 0.848 on {on}"));
    let stopped = Story { twin: false, stopped: true };
    assert!(words(stopped, STEPS).contains("Dice 0.790 on U-net, 64×64, width 8, 24 test images"), "the test counts");
    assert!(words(stopped, 100).contains("validation images"), "before its end there is no test");

    let mut harness = Scene::new(Story::default(), "size-dice").harness(vec2(760.0, 420.0));
    harness.get_by_label("HD95").click();
    harness.get_by_label("MiB").click();
    harness.run_steps(2);
    assert!(label(&harness, "size against HD95").contains("HD95 7.56 px"));
    harness.get_by_label("own").click();
    harness.run_steps(2);
    assert_eq!(label(&harness, "size against HD95"), "size against HD95");
}

#[test]
fn another_convention_of_hd95_is_named_and_marked() {
    for (set, marked) in [("hd95=medpy", false), ("hd95=monai", true)] {
        let mut scene = Scene::new(Story::default(), "size-dice");
        set_of_run(&mut scene.run, set);
        let mut harness = scene.harness(vec2(760.0, 420.0));
        assert!(!label(&harness, "size against Dice").contains("MONAI"), "Dice has one convention");
        harness.get_by_label("HD95").click();
        harness.run_steps(2);
        let words = label(&harness, "size against HD95");
        assert_eq!(words.contains("HD95 7.56 px (MONAI's, the paper's is medpy's)"), marked, "{words}");
        assert_eq!(harness.query_by_label_contains("◇ this run, MONAI’s HD95").is_some(), marked);
    }
}

#[test]
fn time_is_measured_here_and_the_papers_networks_have_none() {
    let mut scene = Scene::new(Story::default(), "size-dice");
    scene.run.seconds = 18.0;
    let mut harness = scene.harness(vec2(760.0, 420.0));
    harness.get_by_label("ms").click();
    harness.run_steps(2);
    assert!(label(&harness, "time against Dice").contains("this run: Dice 0.848"));
    harness.get_by_label("The paper gives no times: its networks are left out here.");
    assert!(harness.query_by_label_contains("416 training images").is_none());
    // A run that just began has no time yet.
    harness.state_mut().run.seconds = 0.0;
    harness.run_steps(2);
    assert_eq!(label(&harness, "time against Dice"), "time against Dice");
}

#[test]
fn the_guide_shows_this_run_beside_the_paper() {
    let harness = Scene::new(Story::default(), "guide").harness(vec2(320.0, 900.0));
    harness.get_by_label("Step 450, epoch 50.0");
    harness.get_by_label("0.929 ± 0.002");
    harness.get_by_label_contains("24 validation images, generated images, seed 1");
    harness.get_by_label_contains("mean of 24 images");
    assert!(label(&harness, "Lowest validation loss").contains("at step 360, 10 epochs ago"));
    let stopped = Story { twin: false, stopped: true };
    let harness = Scene::new(stopped, "guide").harness(vec2(320.0, 900.0));
    harness.get_by_label_contains("Early stopping has ended this run");
    harness.get_by_label_contains("0.790");
}

#[test]
fn the_guide_names_parameters_as_they_are_named() {
    let guide = learnscope::labs::find("segmentation").unwrap().guide;
    let named: Vec<&str> = guide.split('`').skip(1).step_by(2).collect();
    assert!(named.len() >= 3);
    for name in named {
        assert!(PARAMS.iter().any(|spec| spec.key == name), "the guide speaks of `{name}`");
    }
}

/// A table of the split: every validation image by its content, groups of two.
fn split() -> Payload {
    let row = |i: usize| {
        vec![format!("case ({i})"), "validation".to_owned(), String::new(), format!("{i:016x}"), (i / 2).to_string()]
    };
    let columns = ["image", "part", "class", "content", "group"].map(str::to_owned).to_vec();
    Payload::Table { columns, rows: (0..24).map(row).collect() }
}

#[test]
fn means_stand_with_their_intervals_class_by_class() {
    let mut scene = Scene::new(Story::default(), "compare");
    scene.command("compare-part");
    let mut harness = scene.harness(vec2(900.0, 420.0));
    wait_for(&mut harness, "benign");
    harness.get_by_label("malignant");
    // Image 3 is missed: its distances are undefined.
    harness.get_by_label("no distance");
    harness.get_by_label_contains("validation images at step 450");
    harness.get_by_label_contains("percentile bootstrap");
    // Without a test there is nothing to show of it, and it is said.
    harness.get_by_label("validation").click();
    harness.run_steps(2);
    harness.get_by_label("No images here");
}

#[test]
fn a_run_is_compared_with_its_twin_image_by_image() {
    let story = Story { twin: true, stopped: false };
    let mut run = run(story);
    let give = |run: &mut RunState, key: &str, payload: Payload| {
        let track = run.payloads.entry(key.into()).or_default();
        track.newest = Some((STEPS, Arc::new(payload)));
    };
    give(&mut run, "data/split", split());
    // The twin is better by a tenth on every image but the missed one.
    let Payload::Table { columns, mut rows } = images(STEPS) else { unreachable!() };
    for row in &mut rows {
        let dice: f64 = row[3].parse().unwrap();
        row[3] = format!("{:.4}", if dice > 0.0 { dice + 0.1 } else { 0.0 });
    }
    give(&mut run, "twin/validation/images", Payload::Table { columns, rows });
    let mut scene = Scene::of("segmentation", run, "compare");
    scene.command("compare-part");
    let mut harness = scene.harness(vec2(1000.0, 500.0));
    wait_for(&mut harness, "of 24 images, this run against the other: the other is better on 23");
    harness.get_by_label("B − A [95 %]");
    // 23 differences of 0.1 and a zero: 24 images in 12 groups.
    harness.get_by_label_contains("0.0958 [");
    assert!(harness.query_all_by_label("< 0.001").count() >= 2, "both tests say so");
    harness.get_by_label_contains("p-values are of these two trained networks");
    let plot = harness.get_by_label_contains("this run against the other");
    plot.focus();
    harness.run_steps(1);
    harness.key_press(Key::ArrowRight);
    harness.run_steps(2);
    assert!(
        label(&harness, "this run against the other").ends_with("case (3) is chosen"),
        "the smallest difference first"
    );
    // Another measure.
    harness.get_by_label("Dice").click();
    harness.run_steps(1);
    wait_for(&mut harness, "Dice at network size of 24 images");
}

#[test]
fn the_network_card_shows_all_of_table_2_with_badges() {
    let harness = Scene::new(Story::default(), "network").harness(vec2(1300.0, 700.0));
    assert_eq!(harness.query_all_by_label("✔").count(), 10);
    // Printed and counted.
    assert_eq!(harness.query_all_by_label("17 267 393").count(), 2);
    assert_eq!(harness.query_all_by_label(" 1 983 583").count(), 2);
    harness.get_by_label("0.917 ± 0.001");
}

#[test]
fn long_names_keep_what_tells_them_apart() {
    let mut scene = Scene::new(Story::default(), "ranking");
    let Payload::Table { columns, mut rows } = images(STEPS) else { unreachable!() };
    rows.iter_mut().for_each(|row| row[0] = format!("benign/images/of the second year/{}", row[0]));
    let track = scene.run.payloads.get_mut("validation/images").unwrap();
    track.newest = Some((STEPS, Arc::new(Payload::Table { columns, rows })));
    let harness = scene.harness(vec2(420.0, 240.0));
    // The whole name is there for whoever listens.
    assert!(harness.query_all_by_label_contains("benign/images/of the second year/case (3)").count() >= 1);
}
