//! The tiles of the segmentation lab that show images, drawn from hand-made runs, without a window.

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::accesskit::Role;
use eframe::egui::{Event as Input, Key, Modifiers, MouseWheelSource, MouseWheelUnit, TouchPhase, pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use learnscope::engine::event::{Payload, Status};
use learnscope::engine::params::{Params, Value};
use learnscope::engine::state::RunState;
use learnscope::kit::view::ViewAction;
use learnscope::labs::segmentation::params::PARAMS;
use learnscope::plot::style::Style;

use support::made_run::{MadeRun, header};
use support::scene::{Scene, label, wait_for};

const STEPS: u64 = 200;
const EVERY: u64 = 50;
const IMAGES: usize = 4;
/// Side of the network's images.
const S: u32 = 32;
const SIZE: [u32; 2] = [96, 64];

/// The tiles that this file is about.
const TILES: [&str; 5] = ["wall", "inspector", "postprocess", "augmentation", "methods"];

/// Recorded payloads, made anew for every step that is asked for.
fn past(key: &str, step: u64) -> Option<(u64, Payload)> {
    let once = !key.starts_with("wall/probability") && !key.starts_with("batch");
    let at = if once { 0 } else { step - step % EVERY };
    Some((at, payload(key, at)?))
}

/// Whether a place, in shares of width and height, is lesion. Image 3 has none.
fn lesion(i: usize, x: f64, y: f64) -> bool {
    i != 3 && (x - 0.4 - 0.05 * i as f64).powi(2) + (y - 0.5).powi(2) < 0.04
}

fn payload(key: &str, step: u64) -> Option<Payload> {
    let (family, i) = match key.rsplit_once('/') {
        Some((family, index)) => (family, index.parse().unwrap_or(0usize)),
        None => (key, 0),
    };
    let [width, height] = SIZE;
    let share = |k: u32, of: u32| (f64::from(k) + 0.5) / f64::from(of);
    let square = |label: &dyn Fn(f64, f64) -> u8| {
        let labels = (0..S * S).map(|k| label(share(k % S, S), share(k / S, S))).collect();
        Payload::Mask { width: S, height: S, labels }
    };
    Some(match family {
        "wall" | "batch" if key == "wall/names" => {
            Payload::Text((0..IMAGES).map(|i| format!("lesion ({i})")).collect::<Vec<_>>().join("\n"))
        }
        "batch" => {
            Payload::Text((0..8).map(|k| format!("lesion ({k}): flipped left–right")).collect::<Vec<_>>().join("\n"))
        }
        "wall/image" => {
            let rgba = (0..width * height).flat_map(|k| [(k % 251) as u8; 3].into_iter().chain([255])).collect();
            Payload::Image { width, height, rgba }
        }
        "wall/truth" => {
            let labels = (0..width * height)
                .map(|k| u8::from(lesion(i, share(k % width, width), share(k / width, height))))
                .collect();
            Payload::Mask { width, height, labels }
        }
        // The prediction comes nearer, from the right.
        "wall/probability" => {
            let off = 0.3 * (1.0 - step as f64 / STEPS as f64);
            square(&|x, y| if lesion(i, x - off, y) { 250 } else { 8 })
        }
        "batch/original" | "batch/image" => Payload::Image {
            width: S,
            height: S,
            rgba: (0..S * S).flat_map(|k| [(k % 200) as u8, 0, 0, 255]).collect(),
        },
        "batch/truth" => square(&|x, y| u8::from(lesion(0, x, y))),
        _ => return None,
    })
}

fn keys() -> Vec<String> {
    let mut keys = vec!["wall/names".to_owned(), "batch/views".to_owned()];
    for i in 0..IMAGES {
        keys.extend(["image", "truth", "probability"].map(|kind| format!("wall/{kind}/{i}")));
    }
    for k in 0..8 {
        keys.extend(["original", "image", "truth"].map(|kind| format!("batch/{kind}/{k}")));
    }
    keys
}

/// A finished run as the window sees it.
fn run() -> RunState {
    let mut run = MadeRun::starts(header("segmentation", &Params::defaults(PARAMS), STEPS));
    for step in (0..=STEPS).step_by(EVERY as usize) {
        for key in keys() {
            if step == 0 || key.starts_with("wall/probability") || key.starts_with("batch") {
                run.recorded(step, &key);
            }
        }
    }
    for key in keys() {
        let (step, payload) = past(&key, STEPS).unwrap();
        run.payload(step, &key, payload);
    }
    run.ends(STEPS)
}

impl Scene {
    fn new(tile: &'static str) -> Self {
        Scene::of("segmentation", run(), tile).recorded(past)
    }
}

/// What the caption of an image says, as a screen reader would.
fn caption(harness: &Harness<'_, Scene>, image: &str) -> String {
    label(harness, &format!("{image}: Dice"))
}

fn dice(caption: &str) -> f64 {
    caption.split("Dice ").nth(1).and_then(|rest| rest.split(',').next()).unwrap().parse().unwrap()
}

#[test]
fn every_tile_is_drawn_in_every_style_size_and_state() {
    for style in [Style::dark(), Style::light(), Style::high_contrast()] {
        for (size, cursor) in
            [(vec2(520.0, 340.0), STEPS), (vec2(240.0, 150.0), 70), (vec2(60.0, 40.0), 0), (vec2(0.0, 0.0), 0)]
        {
            for tile in TILES {
                let mut scene = Scene::new(tile);
                scene.style = style.clone();
                scene.cursor = cursor;
                scene.past.slow = cursor == 70 && !style.dark;
                scene.presenting = size.x > 400.0 && !style.dark;
                scene.stays_within(size);
            }
        }
    }
}

#[test]
fn no_run_and_no_images_are_met_calmly() {
    let failed = Status::Failed("the loss is no longer a number".to_owned());
    for status in [None, Some(Status::Building), Some(Status::Running), Some(Status::Finished), Some(failed)] {
        for tile in TILES {
            let mut scene = Scene::new(tile);
            scene.run = RunState { status: status.clone(), ..RunState::default() };
            let mut harness = scene.harness(vec2(400.0, 300.0));
            harness.run_steps(2);
            if status.is_none() {
                harness.get_by_label("No run yet");
            }
        }
    }
}

#[test]
fn every_lab_says_alike_what_its_tiles_wait_for() {
    let failed = Status::Failed("the loss is no longer a number".to_owned());
    for (lab, tile, never) in [
        ("optimizers", "microscope", "Choose at least one optimizer"),
        ("self-supervised", "probe", "This is measured"),
        ("segmentation", "wall", "The run ended before its first validation"),
    ] {
        for (status, words) in [
            (None, "Press Start: "),
            (Some(Status::Building), "Data and networks are being made"),
            (Some(Status::Reading { done: 3, all: 9 }), "reading 3 of 9"),
            (Some(Status::CheckingDevice), "compared with the CPU"),
            (Some(Status::WarmingUp), "compiles its kernels"),
            (Some(failed.clone()), "the loss is no longer a number"),
            (Some(Status::Stopped), never),
        ] {
            let run = RunState { status, ..RunState::default() };
            label(&Scene::of(lab, run, tile).harness(vec2(400.0, 300.0)), words);
        }
    }
}

#[test]
fn a_payload_of_another_kind_or_size_is_left_out() {
    let odd = [
        Payload::Series(vec![f64::NAN; 3]),
        Payload::Image { width: 9, height: 9, rgba: vec![0; 3] },
        Payload::Image { width: 0, height: 0, rgba: vec![] },
        Payload::Mask { width: 5, height: 3, labels: vec![1; 15] },
        Payload::Mask { width: 4, height: 4, labels: vec![1; 3] },
        Payload::Text(String::new()),
    ];
    for payload in odd {
        let payload = Arc::new(payload);
        for tile in TILES {
            for names in [false, true] {
                let mut scene = Scene::new(tile);
                for (key, track) in &mut scene.run.payloads {
                    if names || &**key != "wall/names" && &**key != "batch/views" {
                        track.newest = Some((STEPS, payload.clone()));
                    }
                }
                scene.stays_within(vec2(500.0, 300.0));
            }
        }
    }
}

/// The same run on images whose pixels have a side of 0.5 mm.
fn in_millimetres(tile: &'static str) -> Scene {
    let mut run = MadeRun::starts(header("segmentation", &Params::defaults(PARAMS), STEPS));
    run.scalars(0, "", &[("pixel_area", 0.25)]);
    for key in keys() {
        let (step, payload) = past(&key, STEPS).unwrap();
        run.payload(step, &key, payload);
    }
    run.payload(0, "wall/spacing", Payload::Text(["0.5,0.5"; IMAGES].join("\n")));
    Scene::of("segmentation", run.ends(STEPS), tile)
}

#[test]
fn where_a_pixel_has_a_size_the_views_measure_in_millimetres() {
    let distance = |scene: Scene, unit: &str| {
        let mut harness = scene.harness(vec2(700.0, 430.0));
        wait_for(&mut harness, "lesion (1): Dice");
        let text = caption(&harness, "lesion (1)");
        let text = text.split("HD95 ").nth(1).and_then(|rest| rest.strip_suffix(unit)).map(str::to_owned);
        text.unwrap_or_else(|| panic!("{}", caption(&harness, "lesion (1)"))).trim().parse::<f64>().unwrap()
    };
    let [pixels, millimetres] = [distance(Scene::new("wall"), "px"), distance(in_millimetres("wall"), "mm")];
    assert!(pixels > 0.5 && (millimetres - 0.5 * pixels).abs() < 0.06, "{pixels} px, {millimetres} mm");
    let mut harness = in_millimetres("postprocess").harness(vec2(700.0, 430.0));
    wait_for(&mut harness, "HD95 mm");
    for tile in TILES {
        in_millimetres(tile).stays_within(vec2(520.0, 340.0));
    }
}

#[test]
fn the_wall_shows_what_was_predicted_at_the_cursor() {
    let mut harness = Scene::new("wall").harness(vec2(700.0, 430.0));
    wait_for(&mut harness, "lesion (0): Dice");
    wait_for(&mut harness, "lesion (3): Dice");
    let last = dice(&caption(&harness, "lesion (0)"));
    assert!(last > 0.9, "{last}");
    assert!(caption(&harness, "lesion (3)").contains("Dice 1.000, HD95 — px"), "nothing to find and nothing found");
    harness.state_mut().cursor = 0;
    let start = Instant::now();
    while dice(&caption(&harness, "lesion (0)")) == last && start.elapsed() < Duration::from_secs(30) {
        harness.run_steps(1);
        std::thread::sleep(Duration::from_millis(5));
    }
    let first = dice(&caption(&harness, "lesion (0)"));
    assert!(first < 0.5, "{first}");
    // While something else is being read the last picture stays.
    harness.state_mut().past.slow = true;
    harness.state_mut().cursor = 60;
    harness.run_steps(5);
    assert_eq!(dice(&caption(&harness, "lesion (0)")), first);
}

#[test]
fn a_click_selects_and_the_arrow_keys_go_on() {
    let mut scene = Scene::new("wall");
    scene.tiles.push("inspector");
    let mut harness = scene.harness(vec2(700.0, 800.0));
    wait_for(&mut harness, "lesion (2): Dice");
    harness.get_by_label_contains("lesion (1): Dice").click();
    harness.run_steps(3);
    harness.get_by_label("lesion (1) enlarged");
    harness.key_press(Key::ArrowRight);
    harness.run_steps(4);
    harness.get_by_label("lesion (2) enlarged");
    harness.key_press(Key::ArrowLeft);
    harness.run_steps(4);
    harness.get_by_label("lesion (1) enlarged");
    harness.get_by_label("back").click();
    harness.run_steps(3);
    harness.get_by_label("lesion (0) enlarged");
}

#[test]
fn the_wheel_magnifies_and_fit_shows_everything_again() {
    let mut harness = Scene::new("wall").harness(vec2(700.0, 430.0));
    wait_for(&mut harness, "lesion (0): Dice");
    let is_enabled = |harness: &Harness<'_, Scene>| !harness.get_by_label("fit").accesskit_node().is_disabled();
    assert!(!is_enabled(&harness));
    let place = harness.get_by_label_contains("lesion (0): Dice").rect().center();
    harness.hover_at(place);
    harness.run_steps(2);
    harness.event(Input::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: vec2(0.0, 200.0),
        phase: TouchPhase::Move,
        source: MouseWheelSource::Wheel,
        modifiers: Modifiers::NONE,
    });
    harness.run_steps(10);
    assert!(is_enabled(&harness), "the images are magnified");
    harness.hover_at(pos2(2.0, 2.0));
    harness.get_by_label("fit").click();
    harness.run_steps(3);
    assert!(!is_enabled(&harness));
}

#[test]
fn an_image_is_taken_off_the_wall_and_brought_back() {
    let mut harness = Scene::new("wall").harness(vec2(700.0, 430.0));
    wait_for(&mut harness, "lesion (0): Dice");
    let place = harness.get_by_label_contains("lesion (0): Dice").rect().center();
    harness.hover_at(place);
    harness.run_steps(2);
    harness.get_by_label("unpin").click();
    harness.run_steps(3);
    assert!(harness.query_by_label_contains("lesion (0): Dice").is_none());
    harness.get_by_label("view").click();
    harness.run_steps(3);
    harness.get_by_label_contains("show all").click();
    harness.run_steps(3);
    harness.get_by_label_contains("lesion (0): Dice");
}

#[test]
fn uncertainty_says_what_to_switch_on() {
    let mut harness = Scene::new("wall").harness(vec2(760.0, 430.0));
    harness.run_steps(2);
    harness.get_by_label("uncertainty").click();
    harness.run_steps(3);
    harness.get_by_label_contains("uncertainty_samples");
    harness.get_by_label("take 8 passes").click();
    harness.run_steps(2);
    let expected = ViewAction::SetParam { key: "uncertainty_samples".to_owned(), value: Value::Int(8), settled: true };
    assert_eq!(harness.state().actions, [expected]);
}

#[test]
fn a_network_without_dropout_is_offered_no_passes() {
    let mut scene = Scene::new("wall");
    scene.run.header.as_mut().unwrap().params.set_text(PARAMS, "architecture=fcn-8s").unwrap();
    let mut harness = scene.harness(vec2(760.0, 430.0));
    harness.run_steps(2);
    harness.get_by_label("uncertainty").click();
    harness.run_steps(3);
    harness.get_by_label_contains("This network has no dropout layer");
    assert!(harness.query_by_label("take 8 passes").is_none());
}

#[test]
fn an_image_without_lesion_found_so_is_undefined_and_no_diagonal() {
    for (set, words) in [("undefined=omit", "px, 1 undefined ·"), ("undefined=diagonal", "px, 1 undefined ·")] {
        let mut scene = Scene::new("wall");
        scene.run.params.set_text(PARAMS, set).unwrap();
        let mut harness = scene.harness(vec2(760.0, 430.0));
        wait_for(&mut harness, "lesion (3): Dice");
        wait_for(&mut harness, words);
    }
    // Nothing is above so high a threshold: three lesions are missed.
    let mut scene = Scene::new("wall");
    scene.run.params.set_text(PARAMS, "undefined=diagonal").unwrap();
    scene.run.params.set_text(PARAMS, "threshold=0.99").unwrap();
    let mut harness = scene.harness(vec2(760.0, 430.0));
    wait_for(&mut harness, "3 counted as the diagonal, 1 undefined");
}

#[test]
fn the_inspector_says_why_a_distance_is_undefined() {
    let mut harness = Scene::new("inspector").harness(vec2(520.0, 420.0));
    wait_for(&mut harness, "HD95 medpy");
    wait_for(&mut harness, "px apart");
    harness.get_by_label("back").click();
    wait_for(&mut harness, "there is no lesion and none is predicted");
}

#[test]
fn post_processing_follows_its_controls_and_goes_back_to_the_run() {
    let mut scene = Scene::new("postprocess");
    scene.tiles.push("wall");
    let mut harness = scene.harness(vec2(700.0, 800.0));
    wait_for(&mut harness, "lesion (0): Dice");
    assert!(dice(&caption(&harness, "lesion (0)")) > 0.9);
    wait_for(&mut harness, "mean Dice against the threshold");
    harness.get_by_role_and_label(Role::Slider, "threshold").focus();
    harness.run_steps(2);
    for _ in 0..48 {
        harness.key_press(Key::ArrowRight);
        harness.run_steps(1);
    }
    let start = Instant::now();
    while dice(&caption(&harness, "lesion (0)")) > 0.0 {
        assert!(start.elapsed() < Duration::from_secs(30), "nothing is above so high a threshold");
        harness.run_steps(1);
        std::thread::sleep(Duration::from_millis(5));
    }
    harness.get_by_role_and_label(Role::Button, "run’s settings").click();
    let start = Instant::now();
    while dice(&caption(&harness, "lesion (0)")) < 0.9 {
        assert!(start.elapsed() < Duration::from_secs(30), "the run's settings did not come back");
        harness.run_steps(1);
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn views_are_drawn_again_and_both_mask_borders_compared() {
    let mut harness = Scene::new("augmentation").harness(vec2(620.0, 430.0));
    harness.run_steps(3);
    harness.get_by_label_contains("augmentation is off");
    harness.get_by_label_contains("lesion (7): flipped");
    harness.get_by_label("switch on").click();
    harness.run_steps(2);
    assert!(matches!(&harness.state().actions[..], [ViewAction::SetParam { key, .. }] if key == "augment"));
    harness.get_by_label("try").click();
    harness.run_steps(3);
    harness.get_by_label("find").click();
    harness.run_steps(3);
    harness.get_by_label_contains("labelled background");
}

#[test]
fn outlines_of_the_twin_stand_beside_this_runs_with_their_dice() {
    let mut run = run();
    run.twin = Some(run.params.clone());
    for i in 0..IMAGES {
        // What the network knew at half of the run.
        let key = format!("wall/probability/{i}");
        let payload = payload(&key, STEPS / 2).unwrap();
        run.payloads.entry(format!("twin/{key}").into()).or_default().newest = Some((STEPS, Arc::new(payload)));
    }
    let mut harness = Scene::of("segmentation", run, "methods").recorded(past).harness(vec2(900.0, 500.0));
    wait_for(&mut harness, "lesion (0): this run, Dice 0.");
    wait_for(&mut harness, "lesion (0): twin: the same values, Dice 0.");
    let value = |harness: &Harness<'_, Scene>, method: &str| -> f64 {
        label(harness, &format!("lesion (0): {method}")).rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(value(&harness, "this run") > value(&harness, "twin: the same values") + 0.1);
    harness.get_by_label("lesion (0): truth");
    // A click opens the image everywhere.
    harness.get_by_label("lesion (2): truth").click();
    harness.run_steps(2);
    let mut fields = learnscope::kit::fields::taken(&mut *harness.state_mut().view);
    assert_eq!(fields.remove("selected").as_deref(), Some("2"));
    harness.state_mut().command("methods-fewer");
    harness.run_steps(2);
    assert!(harness.query_by_label("lesion (3): truth").is_none(), "three images are left");
}
