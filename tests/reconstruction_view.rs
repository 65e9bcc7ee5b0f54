//! The reconstruction lab's tiles, drawn from a short real run and its twin, without a window.

mod support;

use std::sync::OnceLock;

use eframe::egui::{Key, Modifiers, vec2};
use egui_kittest::kittest::Queryable;
use learnscope::engine::event::Payload;
use learnscope::engine::params::{Params, Value};
use learnscope::engine::state::RunState;
use learnscope::engine::twin::TWIN;
use learnscope::kit::view::ViewAction;
use learnscope::labs;
use learnscope::labs::reconstruction::params::PARAMS;
use learnscope::labs::reconstruction::{self, KEYS};
use learnscope::plot::style::Style;

use support::drive::Maker;
use support::made_run::{MadeRun, header};
use support::scene::{Scene, label};

const LAB: Maker = Maker { build: reconstruction::build, keys: KEYS };
const STEPS: u64 = 12;
/// Where the twin begins.
const FORK: u64 = 4;

fn params(set: &[&str]) -> Params {
    let mut params = Params::defaults(PARAMS);
    let tiny = [
        "image_size=32",
        "train_images=10",
        "unlabelled_images=15",
        "validation_images=6",
        "test_images=24",
        "unseen_images=3",
        "batch_size=5",
        "width=1/4",
        "validate_every=4",
        "rebuild_every=4",
        "gradients_every=1",
        "explain_every=12",
        "head=ordinal",
    ];
    tiny.iter().chain(set).for_each(|text| params.set_text(PARAMS, text).unwrap());
    params
}

/// A finished run, alone or with a twin of another λ.
fn run(set: &[&str], twin: bool) -> RunState {
    let params = params(set);
    let mut drive = LAB.build(&params, 1, STEPS).begin();
    drive.run_to(FORK);
    let checkpoint = drive.experiment.checkpoint().unwrap();
    drive.run_to(STEPS);
    let mut made = MadeRun::starts(header("reconstruction", &params, STEPS));
    made.follows(&drive, "", 0, 4);
    if twin {
        let mut other = LAB.restored(&params, 1, STEPS, &checkpoint);
        other.experiment.set("lambda", &Value::Float(7.0)).unwrap();
        other.run_to(STEPS);
        made.changed(FORK, &format!("{TWIN}lambda"), Value::Float(0.3), Value::Float(7.0));
        made.follows(&other, TWIN, FORK, 4);
    }
    made.ends(STEPS)
}

fn with_twin() -> RunState {
    static RUN: OnceLock<RunState> = OnceLock::new();
    RUN.get_or_init(|| run(&[], true)).clone()
}

/// Asks for three labels after every second step, for a person to answer.
fn by_hand() -> RunState {
    run(&["query=entropy", "query_every=2", "query_count=3", "oracle=off"], false)
}

/// What is asked for.
fn asked(run: &RunState) -> Vec<String> {
    let Payload::Text(text) = &*run.payloads["query/asked"].newest.as_ref().unwrap().1 else { panic!() };
    text.lines().skip(1).map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

fn tiles() -> Vec<&'static str> {
    let lab = labs::find_with_views("reconstruction").unwrap();
    (lab.view)().tiles().into_iter().map(|tile| tile.id).collect()
}

fn scene(run: RunState, tile: &'static str) -> Scene {
    Scene::of("reconstruction", run, tile)
}

#[test]
fn every_tile_is_drawn_in_every_style_size_and_state() {
    let runs = [
        RunState::default(),
        with_twin(),
        run(&["routine=supervised", "network=resnet18", "head=binary", "explain_every=0"], false),
        by_hand(),
    ];
    for tile in tiles().into_iter().chain(["guide"]) {
        for run in &runs {
            for style in [Style::dark(), Style::light(), Style::high_contrast()] {
                let scene = Scene { style, ..scene(run.clone(), tile) };
                scene.harness(vec2(520.0, 380.0));
            }
            for size in [vec2(260.0, 180.0), vec2(900.0, 600.0)] {
                scene(run.clone(), tile).stays_within(size);
            }
            let presenting = Scene { presenting: true, ..scene(run.clone(), tile) };
            presenting.harness(vec2(1100.0, 700.0));
        }
    }
}

#[test]
fn every_command_of_the_palette_can_be_carried_out() {
    let lab = labs::find_with_views("reconstruction").unwrap();
    let commands = (lab.view)().commands();
    assert!(commands.len() > 8);
    for (id, _) in commands {
        let mut scene = scene(with_twin(), tiles()[0]);
        scene.tiles = tiles();
        scene.command(id);
        scene.harness(vec2(1200.0, 2400.0));
    }
}

#[test]
fn the_triptych_shows_original_reconstruction_and_error_of_both_twins() {
    let mut harness = scene(with_twin(), "triptych").harness(vec2(1200.0, 700.0));
    let cells = harness.query_all_by_label_contains("grade").count();
    assert!(cells >= 6, "{cells} of two pictures of each grade");
    harness.get_by_label("SSIM").click();
    harness.run_steps(4);
    harness.get_by_label("lesions").click();
    harness.run_steps(2);
    let supervised = scene(run(&["routine=supervised"], false), "triptych").harness(vec2(900.0, 600.0));
    label(&supervised, "the decoder learns nothing");
}

#[test]
fn the_threshold_follows_the_curve_and_comes_back() {
    let mut harness = scene(with_twin(), "diagnosis").harness(vec2(700.0, 600.0));
    let curve = harness.get_by_label_contains("ROC curve").rect();
    harness.hover_at(curve.center());
    harness.drag_at(curve.center());
    harness.run_steps(2);
    harness.drop_at(curve.center() - vec2(20.0, 20.0));
    harness.run_steps(3);
    harness.get_by_label("0.5").click();
    harness.run_steps(2);
    harness.get_by_label("validation").click();
    harness.run_steps(2);
    label(&harness, "6 validation pictures");
}

#[test]
fn a_batch_of_the_strip_can_be_gone_to() {
    let mut harness = scene(with_twin(), "strip").harness(vec2(700.0, 400.0));
    // In the middle is the third of five batches of the second of three epochs.
    harness.get_by_label_contains("batches by epoch").hover();
    harness.run_steps(2);
    harness.get_by_label_contains("batches by epoch").click();
    harness.run_steps(3);
    let sought = harness.state().actions.iter().find_map(|action| match action {
        ViewAction::Seek(cursor) => Some(cursor.step),
        _ => None,
    });
    assert_eq!(sought, Some(8));
}

#[test]
fn pictures_are_graded_by_keys_and_given_to_training() {
    let run = by_hand();
    let names = asked(&run);
    let mut harness = scene(run, "label").harness(vec2(800.0, 420.0));
    assert!(label(&harness, "wait for a grade").starts_with("3 wait"));
    let press = |harness: &mut egui_kittest::Harness<'_, Scene>, key: Key| {
        harness.key_press(key);
        harness.run_steps(3);
    };
    press(&mut harness, Key::Num1);
    assert!(harness.query_by_label_contains("not given yet").is_none(), "the pointer is elsewhere");
    harness.get_by_label_contains("selected:").hover();
    harness.run_steps(2);
    assert!(harness.state().view.takes_key(Modifiers::NONE, Key::Num0), "the shell's own 0 rests");
    press(&mut harness, Key::Num2);
    harness.get_by_label(&format!("{}, grade 2, not given yet", names[0]));
    assert!(label(&harness, "selected:").contains(&names[1]), "it goes to the next");
    press(&mut harness, Key::Backspace);
    assert!(label(&harness, "selected:").contains(&names[0]));
    assert!(label(&harness, "wait for a grade").starts_with("3 wait"));
    press(&mut harness, Key::Num3);
    harness.get_by_label("0").click();
    harness.run_steps(3);
    harness.get_by_label("give 2 to training").click();
    harness.run_steps(2);
    let value = Value::Text(format!("{}=3;{}=0", names[0], names[1]));
    let expected = ViewAction::SetParam { key: "given_labels".to_owned(), value: value.clone(), settled: true };
    assert!(harness.state().actions.contains(&expected), "{:?}", harness.state().actions);
    harness.state_mut().params.set(PARAMS, "given_labels", value).unwrap();
    harness.run_steps(2);
    harness.get_by_label(&format!("{}, grade 0, given", names[1]));
    // A grade that was given can be given again.
    harness.get_by_label(&format!("{}, grade 3, given", names[0])).click();
    harness.run_steps(3);
    press(&mut harness, Key::Num1);
    harness.state_mut().command("label-give");
    let value = Value::Text(format!("{}=0;{}=1", names[1], names[0]));
    let expected = ViewAction::SetParam { key: "given_labels".to_owned(), value, settled: true };
    assert_eq!(harness.state().actions.last(), Some(&expected));
}

#[test]
fn what_an_oracle_answered_cannot_be_graded_and_counts_in_the_curve() {
    let run = run(&["query=margin", "query_every=4", "query_count=3"], true);
    let mut harness = scene(run.clone(), "label").harness(vec2(800.0, 420.0));
    assert!(harness.query_all_by_label_contains("by the oracle").count() >= 3);
    harness.get_by_label_contains("selected:").hover();
    harness.run_steps(2);
    harness.key_press(Key::Num1);
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("not given yet").is_none());
    let curve = scene(run, "by-labels").harness(vec2(500.0, 360.0));
    label(&curve, "against the number of labels");
    label(&curve, "16 labels");
    let off = scene(with_twin(), "by-labels").harness(vec2(500.0, 360.0));
    label(&off, "No labels are asked for");
}

#[test]
fn the_guide_proposes_what_is_not_set_and_sets_it() {
    let mut harness = scene(with_twin(), "guide").harness(vec2(420.0, 2000.0));
    harness.get_by_label_contains("The baseline").click();
    harness.run_steps(2);
    let expected =
        ViewAction::SetParam { key: "routine".to_owned(), value: Value::Text("supervised".to_owned()), settled: true };
    assert!(harness.state().actions.contains(&expected), "{:?}", harness.state().actions);
}

#[test]
fn a_payload_of_another_kind_or_size_is_left_out() {
    let mut run = with_twin();
    for track in run.payloads.values_mut() {
        if let Some((_, payload)) = &mut track.newest {
            *payload = std::sync::Arc::new(Payload::Matrix { rows: 1, cols: 1, values: vec![0.0] });
        }
    }
    for tile in tiles() {
        scene(run.clone(), tile).harness(vec2(500.0, 400.0));
    }
}

#[test]
fn maps_of_the_selected_picture_are_told_with_their_scores_and_chance() {
    let mut harness = scene(with_twin(), "looks").harness(vec2(900.0, 520.0));
    // The wall begins with two healthy pictures.
    assert!(label(&harness, "occlusion of").contains("no known lesion"));
    for _ in 0..2 {
        harness.get_by_label("next").click();
        harness.run_steps(2);
    }
    for map in ["occlusion of", "Grad-CAM of"] {
        let said = label(&harness, map);
        assert!(said.contains("AUC 0.") || said.contains("AUC 1."), "{said}");
    }
    harness.get_by_label("previous").click();
    harness.run_steps(2);
    assert!(label(&harness, "Grad-CAM of").contains("no known lesion"));
    harness.get_by_label("maps").click();
    harness.run_steps(2);
    harness.get_by_label("outlines of lesions").click();
    harness.get_by_label("occlusion").click();
    harness.run_steps(2);
    harness.get_by_label("twin").click();
    harness.run_steps(2);
    label(&harness, "twin, test");
    // Before the first occlusion map there is Grad-CAM alone.
    let mut early = with_twin();
    early.payloads.retain(|key, _| !key.contains("occlusion"));
    label(&scene(early, "looks").harness(vec2(900.0, 520.0)), "no occlusion of");
    let supervised = run(&["routine=supervised"], false);
    label(&scene(supervised, "looks").harness(vec2(900.0, 520.0)), "occlusion of");
}

#[test]
fn lesions_that_survive_are_counted_by_kind_and_size() {
    let mut harness = scene(with_twin(), "survival").harness(vec2(480.0, 420.0));
    let whole = label(&harness, "microaneurysms: ");
    assert!(whole.contains("left of") && whole.starts_with("microaneurysms"), "{whole}");
    label(&harness, "haemorrhages, 1–1.5 px");
    harness.get_by_label("steps").click();
    harness.run_steps(3);
    assert!(harness.query_by_label_contains("microaneurysms: ").is_none());
    harness.get_by_label("steps").click();
    harness.run_steps(3);
    label(&harness, "microaneurysms: ");
    let supervised = run(&["routine=supervised"], false);
    label(&scene(supervised, "survival").harness(vec2(480.0, 420.0)), "Nothing was recorded here");
}

#[test]
fn neighbours_are_shown_and_a_drag_asks_for_what_lies_between() {
    let made = with_twin();
    let Some((_, points)) = made.payloads["latent/points"].newest.clone() else { panic!() };
    let Payload::Points { xy, .. } = &*points else { panic!() };
    let mut harness = scene(made, "latent").harness(vec2(700.0, 520.0));
    harness.get_by_label("pictures").click();
    harness.run_steps(2);
    label(&harness, "decoded between test");
    // Where points lie: the plane has room of six hundredths of the extent around all of them.
    let plane = harness.get_by_label_contains("codes of").rect();
    let extent = |axis: usize| {
        let values = xy.iter().map(|point| point[axis]);
        let (low, high) = values.fold((f32::MAX, f32::MIN), |(low, high), value| (low.min(value), high.max(value)));
        let room = 0.06 * (high - low);
        [low - room, high + room]
    };
    let ([left, right], [low, high]) = (extent(0), extent(1));
    let place = |i: usize| {
        let share = [(xy[i][0] - left) / (right - left), (high - xy[i][1]) / (high - low)];
        plane.min + vec2(share[0] * plane.width(), share[1] * plane.height())
    };
    // Two that lie apart from all others.
    let alone =
        |i: usize| (0..xy.len()).filter(|k| *k != i).map(|k| place(k).distance(place(i))).fold(f32::MAX, f32::min);
    let mut order: Vec<usize> = (0..xy.len()).collect();
    order.sort_by(|a, b| alone(*b).total_cmp(&alone(*a)));
    let [from, to] = [order[0], order[1]];
    harness.hover_at(place(from));
    harness.run_steps(2);
    label(&harness, "neighbour 5: ");
    harness.drag_at(place(from));
    harness.run_steps(2);
    harness.hover_at(place(from).lerp(place(to), 0.5));
    harness.run_steps(2);
    harness.hover_at(place(to));
    harness.run_steps(2);
    harness.drop_at(place(to));
    harness.run_steps(3);
    let asked: Vec<_> = harness
        .state()
        .actions
        .iter()
        .filter_map(|action| match action {
            ViewAction::SetParam { key, value: Value::Int(value), settled: true } => {
                Some((key.as_str(), *value as usize))
            }
            _ => None,
        })
        .collect();
    assert_eq!(asked, [("between_first", from), ("between_second", to)]);
    let told = with_twin();
    let asked = scene(told, "latent").with(&["between_first=2", "between_second=9"]).harness(vec2(700.0, 520.0));
    label(&asked, "this run is over and decodes no more");
}
