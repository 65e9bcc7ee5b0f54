//! The loop of labelling: the network proposes a mask for an image without one, a person accepts or corrects it, it joins the
//! running training, and everything is there again after a restart.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use eframe::egui::{Key, UiBuilder, Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use image::{GrayImage, Luma};
use learnscope::data::segmentation::Watch;
use learnscope::data::segmentation::listing::{CORRECTIONS, scan};
use learnscope::data::segmentation::save::save_drawn;
use learnscope::engine::event::{Level, Payload, RunHeader, Status};
use learnscope::engine::params::{Params, Value};
use learnscope::engine::state::RunState;
use learnscope::kit::view::ViewAction;
use learnscope::labs::segmentation::params::PARAMS;
use learnscope::labs::segmentation::predict::proposals::Proposal;
use learnscope::labs::segmentation::view::brush::BrushTile;
use learnscope::labs::segmentation::view::brush::labelling::Predicted;
use learnscope::labs::segmentation::view::brush::queue::Order;
use learnscope::labs::segmentation::view::data::DataTile;
use learnscope::labs::segmentation::{self, KEYS};
use learnscope::pixels::mask::Mask;
use learnscope::plot::style::Style;

use support::drive::{Drive, Maker};
use support::scene::{MARGIN, build, calm, nothing_beyond, wait_for, wait_until};

const LAB: Maker = Maker { build: segmentation::build, keys: KEYS };
const SIZE: (u32, u32) = (48, 40);

/// A dark disc on a ground with structure that `seed` changes.
fn image(path: &Path, seed: u32) {
    let value = |x: u32, y: u32| {
        let mixed = (x / 3).wrapping_mul(2_654_435_761) ^ (y / 3).wrapping_mul(40_503) ^ seed.wrapping_mul(97_531_711);
        let ground = 120 + (mixed.wrapping_mul(2_246_822_519) >> 25) as u8;
        Luma([if is_lesion(x, y, seed) { 20 } else { ground }])
    };
    GrayImage::from_fn(SIZE.0, SIZE.1, value).save(path).unwrap();
}

fn is_lesion(x: u32, y: u32, seed: u32) -> bool {
    let (dx, dy) = (x as i32 - 14 - 2 * (seed % 9) as i32, y as i32 - 20);
    dx * dx + dy * dy < 81
}

/// So many pairs, then so many images without a mask.
fn folder(pairs: u32, alone: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..pairs + alone {
        image(&folder.path().join(format!("p{i:02}.png")), i + 1);
        if i < pairs {
            let mask = GrayImage::from_fn(SIZE.0, SIZE.1, |x, y| Luma([255 * u8::from(is_lesion(x, y, i + 1))]));
            mask.save(folder.path().join(format!("p{i:02}_mask.png"))).unwrap();
        }
    }
    folder
}

fn params(folder: &Path, set: &[&str]) -> Params {
    let mut params = Params::defaults(PARAMS);
    let tiny = ["source=folder", "image_size=32", "base=4", "batch_size=2", "wall_images=2", "learning_rate=0.01"];
    for text in tiny.iter().chain(set) {
        params.set_text(PARAMS, text).unwrap();
    }
    params.set(PARAMS, "data", Value::Text(folder.to_string_lossy().into_owned())).unwrap();
    params
}

/// How many images the run trains on, as it recorded its split last.
fn trained(run: &Drive) -> usize {
    let Payload::Table { rows, .. } = run.newest("data/split") else { panic!() };
    rows.iter().filter(|row| row[1] == "train").count()
}

/// Draws a mask for an image that has none, as the brush does.
fn label(folder: &Path, name: &str) {
    let listing = scan(folder, None, Watch::nobody()).unwrap();
    let mask = Mask::from_fn(SIZE.1 as usize, SIZE.0 as usize, |y, x| x < 9 && y < 7);
    save_drawn(&listing, &folder.join(format!("{name}.png")), &mask, SIZE).unwrap();
}

/// A run of a few steps that the program itself recorded, with a checkpoint.
fn recorded(folder: &Path, runs: &Path) -> String {
    let run = runs.join("run");
    let mut command = Command::new(env!("CARGO_BIN_EXE_learnscope"));
    command.args(["run", "segmentation", "--seed", "1", "--device", "cpu", "--steps", "60", "--data"]).arg(folder);
    command.arg("--out").arg(&run).env("LEARNSCOPE_CONFIG_DIR", runs.join("config"));
    for set in ["source=folder", "image_size=32", "base=4", "batch_size=2", "wall_images=2", "learning_rate=0.01"] {
        command.args(["--set", set]);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // A folder of its own below the one that was given.
    let mut made = fs::read_dir(&run).unwrap().flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    made.next().unwrap().to_string_lossy().into_owned()
}

struct Scene {
    brush: BrushTile,
    data: DataTile,
    params: Params,
    run: RunState,
    style: Style,
    actions: Vec<ViewAction>,
}

/// The brush on this folder beside a live run whose recording is in `run`; empty: there is none.
fn scene(folder: &Path, run: &str) -> Scene {
    let params = params(folder, &[]);
    let mut state = RunState { params: params.clone(), status: Some(Status::Running), ..RunState::default() };
    state.header = Some(RunHeader { folder: run.to_owned(), ..header(&params) });
    Scene {
        brush: BrushTile::default(),
        data: DataTile::default(),
        params,
        run: state,
        style: Style::dark(),
        actions: Vec::new(),
    }
}

fn header(params: &Params) -> RunHeader {
    RunHeader {
        lab: "segmentation".to_owned(),
        name: String::new(),
        params: params.clone(),
        changes: Vec::new(),
        seed: 1,
        steps: 60,
        device: String::new(),
        device_check: String::new(),
        version: String::new(),
        data: String::new(),
        started: String::new(),
        folder: String::new(),
        resumed_at: None,
    }
}

fn harness<'a>(scene: Scene, size: Vec2, margin: f32) -> Harness<'a, Scene> {
    build(
        Harness::builder().with_size(size + Vec2::splat(2.0 * margin)),
        |scene: &Scene| &scene.style,
        move |ui, scene: &mut Scene| {
            let mut actions = Vec::new();
            let mut ctx = calm(&scene.run, &scene.params, &scene.style, &mut actions);
            let place = UiBuilder::new().max_rect(ui.max_rect().shrink(margin));
            ui.scope_builder(place, |ui| {
                scene.brush.show(&mut scene.data.folder, &mut scene.data.sample, ui, &mut ctx);
            });
            for action in &actions {
                if let ViewAction::SetParam { key, value, .. } = action {
                    scene.params.set(PARAMS, key, value.clone()).unwrap();
                }
            }
            scene.actions.extend(actions);
        },
        scene,
    )
}

/// Opens an image and waits for the proposal.
fn proposed<'a>(mut scene: Scene, folder: &Path, image: &str) -> Harness<'a, Scene> {
    scene.brush.open(folder.join(image));
    let mut harness = harness(scene, vec2(860.0, 470.0), 0.0);
    wait_for(&mut harness, "proposed by ");
    over_canvas(&mut harness);
    harness
}

/// The pointer over the canvas gives it the keys.
fn over_canvas(harness: &mut Harness<'_, Scene>) {
    let canvas = harness.get_by_label_contains(": mask of ").rect();
    harness.hover_at(canvas.center());
    harness.run_steps(2);
}

fn is_open(harness: &Harness<'_, Scene>, image: &str) -> bool {
    harness.state().brush.image().is_some_and(|open| open.ends_with(image))
}

/// What the window would send of this parameter to the running training, in its order.
fn sent(harness: &Harness<'_, Scene>, wanted: &str) -> Vec<Value> {
    let sent = harness.state().actions.iter().filter_map(|action| match action {
        ViewAction::SetParam { key, value, .. } if key == wanted => Some(value.clone()),
        _ => None,
    });
    sent.collect()
}

#[test]
fn an_accepted_prediction_joins_the_training_and_stays_in_it() {
    let (set, runs) = (folder(10, 6), tempfile::tempdir().unwrap());
    let of_run = recorded(set.path(), runs.path());
    let start = params(set.path(), &[]);
    let mut run = LAB.build(&start, 1, 40).begin();
    assert_eq!(trained(&run), 6);
    run.run_to(4);

    let mut window = proposed(scene(set.path(), &of_run), set.path(), "p10.png");
    let mask = window.state().brush.mask().unwrap().clone();
    assert!(mask.area() > 0 && window.state().brush.is_proposal());
    assert_eq!(window.state().brush.unsaved(), None, "a proposal that nobody drew on is nothing to lose");
    window.get_by_label("10 of 16 labelled");
    window.key_press(Key::Enter);
    wait_until(&mut window, "the next image", |window| is_open(window, "p11.png"));
    wait_for(&mut window, "11 of 16 labelled");
    let saved = image::open(set.path().join(CORRECTIONS).join("p10_mask.png")).unwrap().to_luma8();
    assert!(saved.pixels().zip(mask.pixels()).all(|(pixel, lesion)| (pixel.0[0] == 255) == *lesion));

    // The command that the window sends.
    let joined = sent(&window, "joined");
    assert_eq!(joined, [Value::Text("p10".to_owned())]);
    assert!(sent(&window, "corrections").is_empty());
    run.experiment.set("joined", &joined[0]).unwrap();
    run.run_to(6);
    let told = |words: &str| run.notices.iter().any(|(_, text)| text.contains(words));
    assert!(told("1 newly labelled image joins the training from step 5 on: 7 training images instead of 6"));
    assert_eq!(trained(&run), 7);
    // It begins an epoch, the third, of four steps, which ends with step 8.
    run.run_to(8);
    assert_eq!((run.at("epoch", 8), run.scalars["epoch"].iter().any(|(step, _)| *step == 6)), (3.0, false));

    // Stopped and resumed, with the parameters that held.
    let saved = run.experiment.checkpoint().unwrap();
    run.run_to(14);
    let mut after = start.clone();
    after.set(PARAMS, "joined", joined[0].clone()).unwrap();
    label(set.path(), "p12");
    let mut resumed = LAB.restored(&after, 1, 40, &saved);
    resumed.run_to(14);
    assert_eq!(run.after(8), resumed.after(8));
    resumed.experiment.set("joined", &Value::Text("p10;p12".to_owned())).unwrap();
    resumed.step().unwrap();
    assert_eq!(trained(&resumed), 8);

    // Repeated from the beginning, with the mask lying there all the time.
    let mut again = LAB.build(&start, 1, 40).begin();
    assert!(again.notices.iter().any(|(_, text)| text.contains("2 images that were labelled here are not trained on")));
    assert_eq!(trained(&again), 6, "it joins where the change says so");
    again.run_to(4);
    again.experiment.set("joined", &joined[0]).unwrap();
    again.run_to(14);
    assert_eq!(run.after(0), again.after(0));

    // A new run takes all of them from its beginning on, and measures on the same images.
    let split = |run: &Drive, part: &str| -> Vec<String> {
        let Payload::Table { rows, .. } = run.newest("data/split") else { panic!() };
        rows.iter().filter(|row| row[1] == part).map(|row| row[0].clone()).collect()
    };
    let all = LAB.build(&params(set.path(), &["joined=all"]), 1, 40).begin();
    assert_eq!(trained(&all), 8);
    assert_eq!((split(&all, "validation"), split(&all, "test")), (split(&run, "validation"), split(&run, "test")));
    // So does a window that is opened later: it names what was labelled before.
    let mut later = scene(set.path(), &of_run);
    later.run.status = None;
    let mut window = harness(later, vec2(860.0, 470.0), 0.0);
    wait_for(&mut window, "12 of 16 labelled");
    assert_eq!(sent(&window, "joined"), [Value::Text("p10;p12".to_owned())]);
}

#[test]
fn what_looks_like_a_measured_image_or_has_no_mask_does_not_join() {
    let set = folder(10, 2);
    let start = params(set.path(), &[]);
    let mut run = LAB.build(&start, 1, 20).begin();
    let Payload::Table { rows, .. } = run.newest("data/split") else { panic!() };
    let measured = rows.iter().find(|row| row[1] == "validation").unwrap()[0].clone();
    fs::copy(set.path().join(format!("{measured}.png")), set.path().join("p11.png")).unwrap();
    label(set.path(), "p11");
    run.experiment.set("joined", &Value::Text("p11".to_owned())).unwrap();
    run.step().unwrap();
    let told = |run: &Drive, words: &str| run.notices.iter().any(|(_, text)| text.contains(words));
    assert!(told(&run, &format!("`p11` was labelled and is not trained on: it looks the same as `{measured}`")));
    assert_eq!(trained(&run), 6);
    label(set.path(), "p10");
    run.experiment.set("joined", &Value::Text("p11;p10".to_owned())).unwrap();
    run.step().unwrap();
    assert_eq!(trained(&run), 7);
    let mut after = start.clone();
    after.set(PARAMS, "joined", Value::Text("p11;p10".to_owned())).unwrap();
    let saved = run.experiment.checkpoint().unwrap();
    let mut resumed = LAB.restored(&after, 1, 20, &saved);
    run.step().unwrap();
    resumed.step().unwrap();
    assert_eq!(run.after(2), resumed.after(2));
    // A correction of what has joined is taken up like any other.
    let listing = scan(set.path(), None, Watch::nobody()).unwrap();
    let pair = listing.pair_of(&set.path().join("p10.png")).unwrap().clone();
    learnscope::data::segmentation::save::save_corrected(&listing, &pair, &Mask::empty(40, 48)).unwrap();
    run.experiment.set("corrections", &Value::Int(1)).unwrap();
    run.step().unwrap();
    assert!(told(&run, "1 corrected mask is used from step 4 on"));
    for (names, words) in [("p99", "`p99` has no mask that was drawn here"), ("p10;p98", "`p98` has no mask")] {
        let error = run.experiment.set("joined", &Value::Text(names.to_owned())).unwrap_err().to_string();
        assert!(error.contains("joined") && error.contains(words), "{error}");
    }
    // The mask is gone: the checkpoint names what it misses.
    fs::remove_dir_all(set.path().join(CORRECTIONS)).unwrap();
    let error = LAB.build(&start, 1, 20).experiment.restore(&saved).unwrap_err().to_string();
    assert!(error.contains("`p11` has no mask"), "{error}");
    let mut generated = LAB.build(&Params::defaults(PARAMS), 1, 2).begin();
    let error = generated.experiment.set("joined", &Value::Text("a".to_owned())).unwrap_err().to_string();
    assert!(error.contains("nothing to label"), "{error}");
}

#[test]
fn an_image_of_a_measured_group_never_joins_whatever_connects_it() {
    let set = folder(10, 0);
    let start = params(set.path(), &["group_by=pattern", "group_pattern={group}_*"]);
    let mut run = LAB.build(&start, 1, 40).begin();
    let Payload::Table { rows, .. } = run.newest("data/split") else { panic!() };
    let one_of = |part: &str| rows.iter().find(|row| row[1] == part).unwrap()[0].clone();
    let (measured, known) = (one_of("validation"), one_of("train"));
    let copy = |from: &str, to: &str| fs::copy(set.path().join(format!("{from}.png")), set.path().join(to)).unwrap();
    copy(&measured, "x_1.png");
    image(&set.path().join("x_2.png"), 51);
    copy(&known, "y_1.png");
    image(&set.path().join("y_2.png"), 52);
    ["x_1", "x_2", "y_1", "y_2"].iter().for_each(|name| label(set.path(), name));
    fn join(run: &mut Drive, names: &str) -> String {
        let before = run.notices.len();
        run.experiment.set("joined", &Value::Text(names.to_owned())).unwrap();
        run.step().unwrap();
        run.notices[before..].iter().map(|(_, text)| format!("{text}\n")).collect()
    }
    let told = join(&mut run, "x_2");
    assert!(told.contains("1 newly labelled image joins the training from step 1 on"), "{told}");
    assert_eq!(trained(&run), 7);
    // `x_1`, of the same group as `x_2` by its name, looks as a measured image does.
    let told = join(&mut run, "x_2;x_1");
    let gone = "1 labelled image is not trained on any more from step 2 on: 6 training images instead of 7, and an \
                epoch begins";
    for words in [
        gone,
        &format!(
            "`x_2` is not trained on any more: it is connected, by way of others, with `{measured}`, which is for \
             validation"
        ),
        &format!("`x_1` was labelled and is not trained on: it looks the same as `{measured}`"),
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("0 newly"), "{told}");
    assert_eq!(trained(&run), 6);
    // What belongs to a training image gets its group.
    join(&mut run, "x_2;x_1;y_1;y_2");
    assert_eq!(trained(&run), 8);
    let Payload::Table { rows, .. } = run.newest("data/split") else { panic!() };
    let group = &rows.iter().find(|row| row[0] == known).unwrap()[4];
    let mut of_group: Vec<&str> = rows.iter().filter(|row| row[4] == *group).map(|row| &*row[0]).collect();
    of_group.sort_unstable();
    assert_eq!(of_group, [&known, "y_1", "y_2"]);
    // Names that are taken out, or replaced.
    let told = join(&mut run, "y_1");
    assert!(
        told.contains("1 labelled image is not trained on any more from step 4 on: 7 training images instead of 8")
    );
    let told = join(&mut run, "y_2");
    let both =
        "1 newly labelled image joins the training from step 5 on, and 1 labelled image is not trained on any more";
    assert!(told.contains(both) && trained(&run) == 7, "{told}");
    // A new run decides as the running one has.
    let again =
        LAB.build(&params(set.path(), &["group_by=pattern", "group_pattern={group}_*", "joined=x_2;x_1"]), 1, 40);
    assert_eq!(trained(&again.begin()), 6);
}

#[test]
fn only_masks_that_were_drawn_here_may_change_before_a_run_with_joined_images_goes_on() {
    let set = folder(10, 2);
    let start = params(set.path(), &[]);
    let mut run = LAB.build(&start, 1, 20).begin();
    label(set.path(), "p10");
    run.experiment.set("joined", &Value::Text("p10".to_owned())).unwrap();
    run.run_to(3);
    let mut after = start.clone();
    after.set(PARAMS, "joined", Value::Text("p10".to_owned())).unwrap();
    let saved = run.experiment.checkpoint().unwrap();
    let own = set.path().join("p00_mask.png");
    let mask = fs::read(&own).unwrap();
    fs::copy(set.path().join("p01_mask.png"), &own).unwrap();
    let error = LAB.build(&after, 1, 20).experiment.restore(&saved).unwrap_err().to_string();
    assert!(error.contains("have changed, or are read otherwise"), "{error}");
    fs::write(&own, mask).unwrap();
    // The one that joined is drawn anew.
    let listing = scan(set.path(), None, Watch::nobody()).unwrap();
    let pair = listing.pair_of(&set.path().join("p10.png")).unwrap().clone();
    learnscope::data::segmentation::save::save_corrected(&listing, &pair, &Mask::empty(40, 48)).unwrap();
    let mut resumed = LAB.restored(&after, 1, 20, &saved);
    resumed.step().unwrap();
    let warned =
        |run: &Drive| run.notices.iter().any(|(level, text)| *level == Level::Warning && text.contains("have changed"));
    assert!(warned(&resumed));
    // What the run has taken up before its checkpoint is no change.
    run.experiment.set("corrections", &Value::Int(1)).unwrap();
    run.run_to(5);
    let saved = run.experiment.checkpoint().unwrap();
    let mut resumed = LAB.restored(&after, 1, 20, &saved);
    run.run_to(8);
    resumed.run_to(8);
    assert!(!warned(&resumed), "{:?}", resumed.notices);
    assert_eq!(run.after(5), resumed.after(5));
    // A picture is no mask.
    let other = set.path().join("p00.png");
    fs::copy(set.path().join("p01.png"), other).unwrap();
    let pair = listing.pair_of(&set.path().join("p01.png")).unwrap().clone();
    learnscope::data::segmentation::save::save_corrected(&listing, &pair, &Mask::empty(40, 48)).unwrap();
    let error = LAB.build(&after, 1, 20).experiment.restore(&saved).unwrap_err().to_string();
    assert!(error.contains("have changed, or are read otherwise"), "{error}");
}

#[test]
fn a_folder_without_masks_is_labelled_from_nothing() {
    let set = folder(0, 14);
    for i in 0..10 {
        label(set.path(), &format!("p{i:02}"));
    }
    let start = params(set.path(), &[]);
    let mut run = LAB.build(&start, 1, 20).begin();
    let before = trained(&run);
    label(set.path(), "p10");
    run.run_to(2);
    run.experiment.set("joined", &Value::Text("p10".to_owned())).unwrap();
    run.run_to(3);
    assert_eq!(trained(&run), before + 1);
    // One more is drawn while it is stopped: it belongs to no part of this run.
    let saved = run.experiment.checkpoint().unwrap();
    label(set.path(), "p11");
    let mut after = start.clone();
    after.set(PARAMS, "joined", Value::Text("p10".to_owned())).unwrap();
    let mut resumed = LAB.restored(&after, 1, 20, &saved);
    run.run_to(8);
    resumed.run_to(8);
    assert_eq!(run.after(3), resumed.after(3));
}

#[test]
fn a_proposal_is_corrected_taken_back_rejected_and_skipped() {
    let (set, runs) = (folder(6, 4), tempfile::tempdir().unwrap());
    let of_run = recorded(set.path(), runs.path());
    let mut window = proposed(scene(set.path(), &of_run), set.path(), "p06.png");
    let prediction = window.state().brush.mask().unwrap().clone();
    // Painting on it makes it a drawing; undo goes back to the prediction, then to what is on disk.
    let canvas = window.get_by_label_contains(": mask of ").rect();
    let at = canvas.lerp_inside(vec2(0.4, 0.9));
    window.drag_at(at);
    window.run_steps(1);
    window.drop_at(at);
    window.run_steps(2);
    assert!(!window.state().brush.is_proposal() && window.state().brush.unsaved().is_some());
    window.get_by_label("not saved");
    window.get_by_label("Undo").click();
    window.run_steps(2);
    assert!(window.state().brush.is_proposal() && window.state().brush.mask() == Some(&prediction));
    window.get_by_label("prediction");
    window.get_by_label("Undo").click();
    window.run_steps(2);
    assert_eq!(window.state().brush.mask().unwrap().area(), 0);
    // The prediction comes back when it is asked for.
    over_canvas(&mut window);
    window.key_press(Key::P);
    wait_until(&mut window, "the prediction", |window| window.state().brush.is_proposal());
    assert_eq!(window.state().brush.mask(), Some(&prediction));
    // Skipped: nothing is saved, and nobody asks.
    window.key_press(Key::K);
    wait_until(&mut window, "the next image", |window| is_open(window, "p07.png"));
    let beside: Vec<_> =
        fs::read_dir(set.path().join(CORRECTIONS)).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(beside, ["skipped.txt"]);
    // No lesion is a label too.
    wait_for(&mut window, "proposed by ");
    over_canvas(&mut window);
    window.key_press(Key::E);
    wait_until(&mut window, "the image after it", |window| is_open(window, "p08.png"));
    let saved = image::open(set.path().join(CORRECTIONS).join("p07_mask.png")).unwrap().to_luma8();
    assert!(saved.pixels().all(|pixel| pixel.0[0] == 0));
    wait_for(&mut window, "7 of 10 labelled");
    assert_eq!(sent(&window, "joined"), [Value::Text("p07".to_owned())]);
    // What was skipped comes again once the others are done, in the order of labelling.
    let ctx = window.ctx.clone();
    window.state_mut().brush.choose_order(Order::Unlabelled, &ctx);
    wait_for(&mut window, "proposed by ");
    over_canvas(&mut window);
    window.key_press(Key::Enter);
    wait_until(&mut window, "the last one", |window| is_open(window, "p09.png"));
    wait_for(&mut window, "proposed by ");
    over_canvas(&mut window);
    window.key_press(Key::Enter);
    wait_for(&mut window, "no image without a mask is left; 1 was skipped");
    // A mask that is there is compared with the prediction, and undo brings it back.
    window.state_mut().brush.open(set.path().join("p01.png"));
    wait_until(&mut window, "a labelled image", |window| is_open(window, "p01.png"));
    let own = window.state().brush.mask().unwrap().clone();
    window.get_by_label("Predict").click();
    wait_for(&mut window, "proposed by ");
    window.get_by_label("Undo").click();
    window.run_steps(2);
    assert_eq!(window.state().brush.mask(), Some(&own));
    // All have masks now; in the order of the folder there is a next one.
    window.state_mut().brush.choose_order(Order::Folder, &ctx);
    window.run_steps(2);
    window.get_by_label("Checked").click();
    wait_until(&mut window, "the next", |window| !is_open(window, "p01.png"));
}

#[test]
fn the_queue_is_ordered_by_what_the_network_says_of_every_image() {
    let (set, runs) = (folder(6, 3), tempfile::tempdir().unwrap());
    let of_run = recorded(set.path(), runs.path());
    let mut window = proposed(scene(set.path(), &of_run), set.path(), "p06.png");
    let ctx = window.ctx.clone();
    window.state_mut().brush.choose_order(Order::Unsure, &ctx);
    wait_until(&mut window, "stop", |window| {
        window.query_by_label("stop").is_some() || window.query_by_label("score").is_some()
    });
    wait_until(&mut window, "the end", |window| window.query_by_label("score").is_some());
    let rows = |window: &Harness<'_, Scene>| -> Vec<(f32, String)> {
        let mut rows: Vec<(f32, String)> = (0..9)
            .map(|i| {
                let name = format!("p{i:02}");
                let label = if i < 6 { name.clone() } else { format!("{name}, without a mask") };
                (window.get_by_label(&label).rect().top(), name)
            })
            .collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        rows
    };
    let names = |window: &Harness<'_, Scene>| rows(window).into_iter().map(|row| row.1).collect::<Vec<_>>();
    let unsure = names(&window);
    assert!(unsure[..3].iter().all(|name| name.as_str() > "p05"), "{unsure:?}");
    window.state_mut().brush.choose_order(Order::Dice, &ctx);
    window.run_steps(2);
    let by_dice = names(&window);
    assert!(by_dice[6..].iter().all(|name| name.as_str() > "p05"), "{by_dice:?}");
    // Every size and style.
    for style in [Style::dark(), Style::light(), Style::high_contrast()] {
        for size in [vec2(900.0, 500.0), vec2(420.0, 300.0), vec2(200.0, 120.0), vec2(0.0, 0.0)] {
            let mut scene = scene(set.path(), &of_run);
            scene.style = style.clone();
            scene.brush.open(set.path().join("p06.png"));
            let mut window = harness(scene, size, MARGIN);
            for _ in 0..20 {
                window.run_steps(1);
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            nothing_beyond(&window, size, "brush");
        }
    }
}

#[test]
fn predictions_of_other_tiles_and_folders_are_opened_with_what_is_seen_there() {
    let (set, other) = (folder(6, 2), folder(0, 3));
    let seen = Mask::from_fn(SIZE.1 as usize, SIZE.0 as usize, |y, x| x > 20 && y > 20);
    let proposal = Proposal { mask: seen.clone(), said: "step 7, as on the wall".to_owned() };
    let mut start = scene(set.path(), "");
    start.brush.open_named("p02".to_owned(), Some(proposal.clone()));
    let mut window = harness(start, vec2(860.0, 470.0), 0.0);
    wait_for(&mut window, "proposed by step 7, as on the wall");
    assert!(is_open(&window, "p02.png") && window.state().brush.mask() == Some(&seen));
    // The open image gets another one, without being read again.
    let fewer = Mask::from_fn(SIZE.1 as usize, SIZE.0 as usize, |y, x| x > 30 && y > 20);
    let newer = Proposal { mask: fewer.clone(), said: "step 9".to_owned() };
    window.state_mut().brush.open_named("p02".to_owned(), Some(newer));
    window.run_steps(3);
    assert_eq!(window.state().brush.mask(), Some(&fewer));
    window.state_mut().brush.open_named("nowhere".to_owned(), None);
    window.run_steps(2);
    let told = |action: &ViewAction| matches!(action, ViewAction::Notice(Level::Warning, text) if text.contains("`nowhere` is no image of"));
    assert!(window.state().actions.iter().any(told));
    // A folder that the form does not name.
    let file = Predicted {
        image: other.path().join("p01.png"),
        proposal: Some(proposal),
        folder: other.path().to_owned(),
        weights: Default::default(),
    };
    let ctx = window.ctx.clone();
    let Scene { brush, data, .. } = window.state_mut();
    brush.open_file(file, &data.folder, &ctx);
    wait_until(&mut window, "the other folder", |window| {
        window.state().brush.image().is_some_and(|image| image.starts_with(other.path()))
    });
    wait_for(&mut window, "proposed by ");
    window.get_by_label("0 of 3 labelled");
    window.get_by_label("Accept").click();
    wait_until(&mut window, "the next", |window| is_open(window, "p02.png"));
    assert!(other.path().join(CORRECTIONS).join("p01_mask.png").is_file());
    assert!(sent(&window, "joined").is_empty() && sent(&window, "corrections").is_empty(), "no run trains on it");
    window.get_by_label("Back to the form’s folder").click();
    wait_until(&mut window, "the form's folder", |window| {
        window.state().brush.image().is_some_and(|image| image.starts_with(set.path()))
    });
}
