//! The tile "Predict": a real network on real files, by label, without a window.

mod support;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use eframe::egui::accesskit::Role;
use eframe::egui::{UiBuilder, Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use learnscope::compute::device::cpu;
use learnscope::compute::rng::HostRng;
use learnscope::engine::params::Params;
use learnscope::engine::state::RunState;
use learnscope::labs::segmentation::params::PARAMS;
use learnscope::labs::segmentation::pipeline::Pipeline;
use learnscope::labs::segmentation::view::predict::Predict;
use learnscope::labs::segmentation::view::shared::Shared;
use learnscope::nn::segmentation::SegmentationNet;
use learnscope::nn::segmentation::spec::{Architecture, NetSpec};
use learnscope::nn::segmentation::weights::save_trained_at;
use learnscope::plot::style::Style;
use tempfile::TempDir;

use support::scene::{MARGIN, build, calm, nothing_beyond};

struct Scene {
    predict: Predict,
    shared: Shared,
    run: RunState,
    style: Style,
}

fn scene(home: &Path) -> Scene {
    let mut predict = Predict::default();
    predict.fields.choose_weights(&home.join("net.safetensors"));
    predict.fields.data = home.join("in").display().to_string();
    let pipeline = Pipeline { threshold: 0.45, ..Pipeline::default() };
    let mut shared = Shared::default();
    shared.pipeline = pipeline;
    Scene { predict, shared, run: RunState::default(), style: Style::dark() }
}

fn harness<'a>(scene: Scene, size: Vec2) -> Harness<'a, Scene> {
    around(scene, size, 0.0)
}

/// A tile of this size with so much empty room around it.
fn around<'a>(scene: Scene, size: Vec2, margin: f32) -> Harness<'a, Scene> {
    build(
        Harness::builder().with_size(size + Vec2::splat(2.0 * margin)),
        |scene: &Scene| &scene.style,
        move |ui, scene: &mut Scene| {
            let (params, mut actions) = (Params::defaults(PARAMS), Vec::new());
            let mut ctx = calm(&scene.run, &params, &scene.style, &mut actions);
            let place = UiBuilder::new().max_rect(ui.max_rect().shrink(margin));
            ui.scope_builder(place, |ui| scene.predict.show(&mut scene.shared, ui, &mut ctx));
        },
        scene,
    )
}

/// A folder with pictures (one with a true mask, one that is none) and the weights of a tiny network.
fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let spec = NetSpec { architecture: Architecture::UNet, channels: 3, base: 2, outputs: 1 };
    let net = SegmentationNet::new(&spec, HostRng::new(5, 0), &cpu()).unwrap();
    save_trained_at(&net, &spec, Some(32), &home.path().join("net.safetensors")).unwrap();
    fs::create_dir(home.path().join("in")).unwrap();
    let save = |name: &str, width: u32, height: u32, value: &dyn Fn(u32, u32) -> u8| {
        let image = image::GrayImage::from_fn(width, height, |x, y| image::Luma([value(x, y)]));
        image.save(home.path().join("in").join(name)).unwrap();
    };
    save("small.png", 40, 30, &|x, y| (x * 5 + y) as u8);
    save("large.png", 800, 600, &|x, y| (x / 4 + y / 9) as u8);
    save("known.png", 64, 64, &|x, y| (x * y) as u8);
    save("known_mask.png", 64, 64, &|x, y| 255 * u8::from(x > 20 && x < 40 && y > 20 && y < 50));
    fs::write(home.path().join("in/torn.png"), "no picture").unwrap();
    home
}

/// Draws until nothing is under way any more.
#[track_caller]
fn finish(harness: &mut Harness<'_, Scene>) {
    let since = Instant::now();
    harness.step();
    while harness.state().predict.is_busy() {
        assert!(since.elapsed() < Duration::from_secs(60), "it does not end");
        std::thread::sleep(Duration::from_millis(5));
        harness.step();
    }
    (0..3).for_each(|_| harness.step());
}

#[track_caller]
fn click(harness: &mut Harness<'_, Scene>, name: &str) {
    harness.get_by_role_and_label(Role::Button, name).click();
    (0..3).for_each(|_| harness.step());
}

#[test]
fn a_folder_is_outlined_sorted_opened_and_saved() {
    let home = home();
    let mut harness = harness(scene(home.path()), vec2(1200.0, 700.0));
    harness.step();
    harness.step();
    harness.get_by_label_contains("Outlines on your own pictures");
    click(&mut harness, "Predict");
    finish(&mut harness);
    harness.get_by_label_contains("3 predicted, 1 cannot be used, Dice");
    harness.get_by_label_contains("large: 800×600 pixels, lesion");
    // Its place in the grid and its text.
    assert!(harness.query_all_by_label_contains("torn: holds text").count() > 0);
    harness.get_by_label_contains("base width 2, colour");

    // A heading sorts; a second click turns the order around.
    let first = |harness: &Harness<'_, Scene>| {
        let cells = ["known", "large", "small", "torn"];
        let place = |name: &str| {
            let cells = harness.get_all_by_role_and_label(Role::Label, name);
            cells.map(|node| node.rect().top()).fold(f32::INFINITY, f32::min)
        };
        cells.into_iter().min_by(|a, b| place(a).total_cmp(&place(b))).unwrap()
    };
    assert_eq!(first(&harness), "known");
    click(&mut harness, "image ▲");
    assert_eq!(first(&harness), "torn");
    click(&mut harness, "area");
    assert_ne!(first(&harness), "torn", "what cannot be used comes last");
    click(&mut harness, "area ▲");
    assert_eq!(first(&harness), "large");

    // A click opens a picture, another one closes it.
    harness.get_by_label_contains("large: 800×600").click();
    (0..3).for_each(|_| harness.step());
    assert!(harness.query_by_label_contains("small: 40×30").is_none());
    click(&mut harness, "All");
    harness.get_by_label_contains("small: 40×30");

    // Saving: never among the pictures, never over another file.
    harness.state_mut().predict.fields.to = home.path().join("in").display().to_string();
    harness.step();
    click(&mut harness, "Masks");
    finish(&mut harness);
    harness.get_by_label_contains("would lie among the pictures");
    let out = home.path().join("out");
    harness.state_mut().predict.fields.to = out.display().to_string();
    harness.step();
    for name in ["Masks", "Overlays", "Masks", "Table"] {
        if name == "Table" {
            fs::write(out.join("table.csv"), "keep me").unwrap();
        }
        click(&mut harness, name);
        finish(&mut harness);
        harness.get_by_label_contains("saved ");
    }
    assert_eq!(image::image_dimensions(out.join("masks/large.png")).unwrap(), (800, 600));
    assert_eq!(image::image_dimensions(out.join("overlays/known.png")).unwrap(), (64, 64));
    assert!(out.join("masks-2/small.png").is_file() && !out.join("masks/torn.png").exists());
    assert_eq!(fs::read_to_string(out.join("table.csv")).unwrap(), "keep me");
    let table = fs::read_to_string(out.join("table-2.csv")).unwrap();
    assert!(table.lines().count() == 5 && table.contains("torn") && table.contains("holds text"), "{table}");
    // The masks in the window are those of the program without one.
    let areas: Vec<usize> = ["known", "large", "small"]
        .map(|name| {
            let mask = image::open(out.join(format!("masks/{name}.png"))).unwrap().into_luma8();
            mask.pixels().filter(|pixel| pixel.0 == [255]).count()
        })
        .to_vec();
    let listed: Vec<usize> =
        table.lines().skip(1).take(3).map(|line| line.split(',').nth(4).unwrap().parse().unwrap()).collect();
    assert_eq!(areas, listed);
}

#[test]
fn trouble_is_shown_and_can_be_mended() {
    let home = home();
    let mut broken = scene(home.path());
    broken.predict.fields.choose_weights(&home.path().join("missing.pt"));
    let mut harness = harness(broken, vec2(900.0, 400.0));
    harness.step();
    harness.step();
    click(&mut harness, "Predict");
    finish(&mut harness);
    harness.get_by_label_contains("there are no weights");
    harness.state_mut().predict.fields.choose_weights(&home.path().join("net.safetensors"));
    harness.state_mut().predict.fields.data = home.path().join("nowhere").display().to_string();
    harness.step();
    click(&mut harness, "Predict");
    finish(&mut harness);
    harness.get_by_label_contains("there is no such file or folder");
    harness.state_mut().predict.fields.data = home.path().join("in/small.png").display().to_string();
    harness.step();
    click(&mut harness, "Predict");
    finish(&mut harness);
    harness.get_by_label_contains("1 predicted");
    assert!(harness.query_by_label_contains("there is no such").is_none());
}

#[test]
fn work_can_be_stopped_and_what_is_done_stays() {
    let home = home();
    for i in 0..40 {
        fs::copy(home.path().join("in/large.png"), home.path().join(format!("in/copy {i}.png"))).unwrap();
    }
    let mut harness = harness(scene(home.path()), vec2(900.0, 500.0));
    harness.step();
    harness.step();
    click(&mut harness, "Predict");
    let since = Instant::now();
    while harness.query_by_label_contains("so far").is_none() {
        assert!(since.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(2));
        harness.step();
    }
    click(&mut harness, "Stop");
    finish(&mut harness);
    harness.get_by_label_contains(" predicted");
    harness.get_by_role_and_label(Role::Button, "Predict");
}

#[test]
fn a_tile_of_any_size_can_be_drawn() {
    let home = home();
    for size in [vec2(0.0, 0.0), vec2(30.0, 20.0), vec2(120.0, 60.0), vec2(260.0, 180.0), vec2(420.0, 300.0)] {
        let mut harness = around(scene(home.path()), size, MARGIN);
        harness.step();
        let ctx = harness.ctx.clone();
        harness.state_mut().predict.start(&Pipeline::default(), &ctx);
        finish(&mut harness);
        nothing_beyond(&harness, size, "predict");
        harness.state_mut().style = Style::light();
        harness.step();
        nothing_beyond(&harness, size, "predict");
    }
}

#[test]
fn what_of_a_true_mask_is_lesion_can_be_chosen() {
    let home = home();
    let mut harness = harness(scene(home.path()), vec2(1200.0, 700.0));
    harness.step();
    harness.step();
    let choose = |harness: &mut Harness<'_, Scene>, name: &str| {
        harness.get_by_role_and_label(Role::ComboBox, "Lesion").click();
        (0..3).for_each(|_| harness.step());
        click(harness, name);
    };
    assert!(harness.query_by_role_and_label(Role::TextInput, "value or colour").is_none());
    choose(&mut harness, "one value, or several");
    let field = harness.get_by_role_and_label(Role::TextInput, "value or colour");
    field.focus();
    field.type_text("7");
    (0..3).for_each(|_| harness.step());
    assert_eq!(harness.state().predict.lesion_value, "17");
    click(&mut harness, "Predict");
    finish(&mut harness);
    harness.get_by_label_contains("no mask holds the value 17; values that are not background: 255");
    // The inverse has another area than the mask itself.
    choose(&mut harness, "what is zero");
    click(&mut harness, "Predict");
    finish(&mut harness);
    harness.get_by_label_contains("lesion is what is zero in a mask, as chosen");
    choose(&mut harness, "as the weights' run");
    click(&mut harness, "Predict");
    finish(&mut harness);
    harness.get_by_label_contains("3 predicted, 1 cannot be used, Dice");
    assert!(harness.query_by_label_contains("as chosen").is_none());
}
