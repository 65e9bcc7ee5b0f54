//! The data room of the segmentation lab: a folder is shown before it is used, and masks are drawn, taken back and saved
//! without touching the data set.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers, Pos2, UiBuilder, Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use image::{GrayImage, Luma};
use learnscope::data::segmentation::Watch;
use learnscope::data::segmentation::drafts::{Subject, absolute, of_image};
use learnscope::data::segmentation::listing::{CORRECTIONS, scan};
use learnscope::data::segmentation::save::save_corrected;
use learnscope::engine::event::{Body, Event, Level, Payload, RunId, Status};
use learnscope::engine::params::{Params, Value};
use learnscope::engine::state::RunState;
use learnscope::kit::view::ViewAction;
use learnscope::labs::segmentation::params::PARAMS;
use learnscope::labs::segmentation::view::brush::BrushTile;
use learnscope::labs::segmentation::view::data::DataTile;
use learnscope::pixels::mask::Mask;
use learnscope::plot::style::Style;

use support::scene::{MARGIN, build, calm, nothing_beyond, wait_for};

const SIZE: (u32, u32) = (80, 60);

/// An image with structure that `seed` changes.
fn image(folder: &Path, name: &str, seed: u32) {
    let value = |x: u32, y: u32| {
        let mixed = (x / 3).wrapping_mul(2_654_435_761) ^ (y / 3).wrapping_mul(40_503) ^ seed.wrapping_mul(97_531_711);
        Luma([(mixed.wrapping_mul(2_246_822_519) >> 24) as u8])
    };
    GrayImage::from_fn(SIZE.0, SIZE.1, value).save(folder.join(name)).unwrap();
}

/// A mask with a rectangle of lesion.
fn mask(folder: &Path, name: &str, [left, top, right, bottom]: [u32; 4]) {
    let inside = |x, y| (left..right).contains(&x) && (top..bottom).contains(&y);
    GrayImage::from_fn(SIZE.0, SIZE.1, |x, y| Luma([255 * u8::from(inside(x, y))])).save(folder.join(name)).unwrap();
}

/// A folder in BUSI's layout with six pairs, a normal image among them, one image without a mask, and a broken file.
fn busi() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for i in 1..=5 {
        image(folder.path(), &format!("benign ({i}).png"), i);
        mask(folder.path(), &format!("benign ({i})_mask.png"), [20, 20, 40 + i, 45]);
    }
    image(folder.path(), "normal (1).png", 11);
    mask(folder.path(), "normal (1)_mask.png", [0; 4]);
    image(folder.path(), "malignant (7).png", 12);
    fs::write(folder.path().join("malignant (8).png"), b"\x89PNG\r\n\x1a\nbroken").unwrap();
    mask(folder.path(), "malignant (8)_mask.png", [1, 1, 9, 9]);
    folder
}

/// Every file but the corrections, with its bytes.
fn originals(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).filter(|path| path.is_file());
    let mut found: Vec<_> = entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    found.sort();
    found
}

#[derive(Clone, Copy, PartialEq)]
enum Tile {
    Data,
    Brush,
}

struct Scene {
    tile: Tile,
    data: DataTile,
    brush: BrushTile,
    params: Params,
    run: RunState,
    style: Style,
    actions: Vec<ViewAction>,
}

impl Scene {
    fn new(tile: Tile, folder: Option<&Path>) -> Self {
        let mut params = Params::defaults(PARAMS);
        if let Some(folder) = folder {
            params.set_text(PARAMS, "source=folder").unwrap();
            params.set(PARAMS, "data", Value::Text(folder.to_string_lossy().into_owned())).unwrap();
        }
        Self {
            tile,
            data: DataTile::default(),
            brush: BrushTile::default(),
            params,
            run: RunState::default(),
            style: Style::dark(),
            actions: Vec::new(),
        }
    }

    fn harness<'a>(self, size: Vec2) -> Harness<'a, Scene> {
        self.around(size, 0.0)
    }

    /// A tile of this size with so much empty room around it.
    fn around<'a>(self, size: Vec2, margin: f32) -> Harness<'a, Scene> {
        build(
            Harness::builder().with_size(size + Vec2::splat(2.0 * margin)),
            |scene: &Scene| &scene.style,
            move |ui, scene: &mut Scene| {
                let mut actions = Vec::new();
                let mut ctx = calm(&scene.run, &scene.params, &scene.style, &mut actions);
                let place = UiBuilder::new().max_rect(ui.max_rect().shrink(margin));
                ui.scope_builder(place, |ui| match scene.tile {
                    Tile::Data => {
                        if let Some(image) = scene.data.show(ui, &mut ctx) {
                            scene.brush.open(image);
                            scene.tile = Tile::Brush;
                        }
                    }
                    Tile::Brush => scene.brush.show(&mut scene.data.folder, &mut scene.data.sample, ui, &mut ctx),
                });
                // What the shell does with them.
                for action in &actions {
                    if let ViewAction::SetParam { key, value, .. } = action {
                        scene.params.set(PARAMS, key, value.clone()).unwrap();
                    }
                }
                scene.actions.extend(actions);
            },
            self,
        )
    }
}

/// Goes on until a label with this text is there.
fn until(harness: &mut Harness<'_, Scene>, text: &str) {
    wait_for(harness, text);
    harness.run_steps(1);
}

fn open<'a>(folder: &Path, image: &str) -> Harness<'a, Scene> {
    opened(Scene::new(Tile::Brush, Some(folder)), folder, image)
}

/// Opens it in a window that keeps drafts.
fn open_with<'a>(drafts: &Path, folder: &Path, image: &str) -> Harness<'a, Scene> {
    let brush = BrushTile::with_drafts(Some(drafts.to_owned()));
    opened(Scene { brush, ..Scene::new(Tile::Brush, Some(folder)) }, folder, image)
}

fn opened<'a>(mut scene: Scene, folder: &Path, image: &str) -> Harness<'a, Scene> {
    scene.brush.open(folder.join(image));
    let mut harness = scene.harness(vec2(760.0, 430.0));
    until(&mut harness, ": mask of ");
    harness
}

fn area(harness: &Harness<'_, Scene>) -> usize {
    harness.state().brush.mask().unwrap().area()
}

/// Drags the primary button from one place of the canvas to another, in shares of its size.
fn drag(harness: &mut Harness<'_, Scene>, from: [f32; 2], to: [f32; 2]) {
    let canvas = harness.get_by_label_contains(": mask of ").rect();
    let at = |share: [f32; 2]| {
        Pos2::new(canvas.left() + share[0] * canvas.width(), canvas.top() + share[1] * canvas.height())
    };
    harness.hover_at(at(from));
    harness.run_steps(1);
    harness.drag_at(at(from));
    harness.run_steps(1);
    harness.hover_at(at(to));
    harness.run_steps(1);
    harness.drop_at(at(to));
    harness.run_steps(1);
    harness.hover_at(at(to));
    harness.run_steps(2);
}

#[test]
fn a_folder_is_shown_with_its_split_and_its_oddities_before_it_is_used() {
    let folder = busi();
    let mut harness = Scene::new(Tile::Data, Some(folder.path())).harness(vec2(760.0, 430.0));
    until(&mut harness, "split: ");
    for text in [
        "BUSI layout: `class (n)` with `class (n)_mask`",
        "6 pairs of an image and its lesions, 6 masks",
        "classes: benign 5, normal 1",
        "images are 80 pixels wide and 60 high",
        "1 image without a mask is left out, until it is labelled",
        "6 groups: patients are not known",
    ] {
        harness.get_by_label_contains(text);
    }
    harness.get_by_label_contains("error: cannot be used: malignant (8).png");
    harness.get_by_label_contains("warning: image without mask: malignant (7).png");
    harness.get_by_label_contains("note: no lesion: normal (1).png");
    // Notes can be put out of sight, and come back.
    harness.get_by_label_contains("1 note").click();
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("note: no lesion").is_none());
    harness.get_by_label_contains("error: cannot be used");
    harness.get_by_label_contains("1 note").click();
    harness.run_steps(2);
    // A click opens the image whose mask it is.
    harness.get_by_label_contains("note: no lesion").click();
    until(&mut harness, "normal (1): mask of 0 pixels");
    assert!(harness.state().tile == Tile::Brush);
}

#[test]
fn a_folder_that_is_not_understood_is_explained_in_a_dialog() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["A", "B"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    (0..4).for_each(|i| image(folder.path(), &format!("A/us_{i}.png"), i));
    (0..3).for_each(|i| mask(folder.path(), &format!("B/r{i}x.png"), [20, 20, 40 + i, 45]));
    let mut harness = Scene::new(Tile::Data, Some(folder.path())).harness(vec2(1000.0, 700.0));
    until(&mut harness, "holds 7 images but no pair");
    harness.get_all_by_label("Images and masks…").next().unwrap().click();
    // What the names suggest stands there, with what comes of it.
    until(&mut harness, "3 of 4 images pair");
    until(&mut harness, "pair A/us_2");
    harness.get_by_label("Cancel").click();
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("3 of 4 images pair").is_none() && harness.state().actions.is_empty());
    harness.get_all_by_label("Images and masks…").next().unwrap().click();
    until(&mut harness, "3 of 4 images pair");
    // What was typed a moment ago, nobody has seen the pairs of.
    harness.get_by_role_and_label(Role::TextInput, "Masks").click();
    harness.run_steps(1);
    harness.get_by_role_and_label(Role::TextInput, "Masks").type_text("y");
    harness.run_steps(1);
    harness.get_by_label("Use").click();
    harness.run_steps(1);
    assert_eq!(harness.state().params.text("masks_in"), "");
    harness.get_by_label("Cancel").click();
    harness.run_steps(2);
    harness.get_all_by_label("Images and masks…").next().unwrap().click();
    until(&mut harness, "3 of 4 images pair");
    harness.get_by_label("Use").click();
    harness.run_steps(2);
    let params = &harness.state().params;
    assert_eq!((params.text("images_in"), params.text("masks_in")), ("A/us_*", "B/r*x"));
    until(&mut harness, "3 pairs of an image and its lesions, 3 masks");
}

#[test]
fn the_split_follows_the_form() {
    let folder = busi();
    let mut harness = Scene::new(Tile::Data, Some(folder.path())).harness(vec2(760.0, 430.0));
    until(&mut harness, "split: 4 training, 1 validation, 1 test");
    let params = &mut harness.state_mut().params;
    params.set_text(PARAMS, "train_share=0.5").unwrap();
    params.set_text(PARAMS, "validation_share=0.5").unwrap();
    until(&mut harness, "split: 3 training, 3 validation, 0 test");
    let params = &mut harness.state_mut().params;
    params.set_text(PARAMS, "group_by=pattern").unwrap();
    params.set_text(PARAMS, "group_pattern={group} (*").unwrap();
    until(&mut harness, "2 groups: `{group} (*` names 2 groups and fits 6 of 6 names");
    harness.state_mut().params.set_text(PARAMS, "group_pattern=nothing").unwrap();
    until(&mut harness, "needs {group} once");
}

#[test]
fn what_cannot_be_used_is_said_with_what_to_do() {
    let empty = tempfile::tempdir().unwrap();
    for tile in [Tile::Data, Tile::Brush] {
        let mut harness = Scene::new(tile, Some(empty.path())).harness(vec2(760.0, 430.0));
        until(&mut harness, "This folder cannot be used");
        harness.get_by_label_contains("holds no pictures");
        let mut harness = Scene::new(tile, Some(&empty.path().join("gone"))).harness(vec2(760.0, 430.0));
        until(&mut harness, "does not exist; choose the folder");
    }
    let mut harness = Scene::new(Tile::Data, Some(Path::new(""))).harness(vec2(760.0, 430.0));
    until(&mut harness, "No folder chosen yet");
    harness.get_by_label("Choose folder…").click();
    harness.run_steps(2);
    assert_eq!(harness.state().actions, [ViewAction::ChooseFile { key: "data".to_owned() }]);
    // Images alone: they can still be drawn on.
    image(empty.path(), "a.png", 1);
    let mut harness = Scene::new(Tile::Data, Some(empty.path())).harness(vec2(760.0, 430.0));
    until(&mut harness, "holds 1 image but no pair");
}

#[test]
fn the_generated_set_is_saved_as_a_folder_and_opened() {
    let place = tempfile::tempdir().unwrap();
    let target = place.path().join("set");
    let mut harness = Scene::new(Tile::Brush, None).harness(vec2(760.0, 430.0));
    until(&mut harness, "Generated pictures have no files to correct");
    let field = harness.get_by_role_and_label(Role::TextInput, "Folder for the sample set");
    field.click();
    harness.run_steps(1);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run_steps(1);
    harness.get_by_role_and_label(Role::TextInput, "Folder for the sample set").type_text(&target.to_string_lossy());
    harness.run_steps(2);
    harness.get_by_label_contains("Save the sample set as a folder").click();
    until(&mut harness, ": mask of ");
    assert_eq!(harness.state().params.text("source"), "folder");
    assert_eq!(Path::new(harness.state().params.text("data")), target);
    assert!(target.join("smooth (1)_mask.png").is_file());
}

#[test]
fn a_stroke_changes_the_mask_and_undo_restores_it() {
    let folder = busi();
    let mut harness = open(folder.path(), "benign (2).png");
    let before = harness.state().brush.mask().unwrap().clone();
    assert_eq!(before.area(), 22 * 25);
    drag(&mut harness, [0.55, 0.55], [0.75, 0.75]);
    let drawn = harness.state().brush.mask().unwrap().clone();
    assert!(drawn.area() > before.area() && harness.state().brush.is_changed());
    harness.get_by_label("Undo").click();
    harness.run_steps(2);
    assert_eq!(harness.state().brush.mask(), Some(&before));
    assert!(!harness.state().brush.is_changed());
    harness.get_by_label("Redo").click();
    harness.run_steps(2);
    assert_eq!(harness.state().brush.mask(), Some(&drawn));
    // By the keys, with the pointer over the canvas.
    let canvas = harness.get_by_label_contains(": mask of ").rect();
    harness.hover_at(canvas.center());
    harness.run_steps(2);
    assert!(harness.state().brush.takes_key(Modifiers::COMMAND, Key::Z));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    harness.run_steps(2);
    assert_eq!(harness.state().brush.mask(), Some(&before));
    harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    harness.run_steps(2);
    assert_eq!(harness.state().brush.mask(), Some(&drawn));
    // The eraser takes away, and the original comes back.
    harness.get_by_label("Eraser").click();
    harness.run_steps(1);
    drag(&mut harness, [0.4, 0.5], [0.6, 0.5]);
    assert!(area(&harness) < drawn.area());
    harness.get_by_label("Original").click();
    harness.run_steps(2);
    assert_eq!(harness.state().brush.mask(), Some(&before));
}

#[test]
fn brackets_change_the_radius_and_the_shell_keeps_them_elsewhere() {
    let folder = busi();
    let mut harness = open(folder.path(), "normal (1).png");
    harness.hover_at(Pos2::new(1.0, 1.0));
    harness.run_steps(2);
    assert!(!harness.state().brush.takes_key(Modifiers::NONE, Key::OpenBracket));
    drag(&mut harness, [0.5, 0.5], [0.5, 0.5]);
    let small = area(&harness);
    assert!(small > 0);
    assert!(harness.state().brush.takes_key(Modifiers::NONE, Key::CloseBracket));
    for _ in 0..4 {
        harness.key_press(Key::CloseBracket);
        harness.run_steps(1);
    }
    drag(&mut harness, [0.5, 0.5], [0.5, 0.5]);
    assert!(area(&harness) > 2 * small, "{} after {small}", area(&harness));
}

#[test]
fn a_polygon_is_filled_by_its_corners() {
    let folder = busi();
    let mut harness = open(folder.path(), "normal (1).png");
    harness.get_by_label("Polygon").click();
    harness.run_steps(1);
    let canvas = harness.get_by_label_contains(": mask of ").rect();
    let mut click = |x: f32, y: f32| {
        let at = canvas.center() + vec2(x, y);
        harness.hover_at(at);
        harness.run_steps(1);
        harness.drag_at(at);
        harness.run_steps(1);
        harness.drop_at(at);
        // Longer than a double click.
        harness.run_steps(4);
        harness.hover_at(at);
        harness.run_steps(2);
    };
    click(-60.0, -60.0);
    click(60.0, -60.0);
    click(60.0, 60.0);
    click(-60.0, 60.0);
    assert_eq!(area(&harness), 0);
    assert!(harness.state().brush.takes_key(Modifiers::NONE, Key::Enter));
    harness.key_press(Key::Enter);
    harness.run_steps(2);
    let scale = (canvas.width() - 8.0).min((canvas.height() - 8.0) * 80.0 / 60.0) / 80.0;
    let expected = (120.0 / scale).powi(2);
    let found = area(&harness) as f32;
    assert!((found / expected - 1.0).abs() < 0.15, "{found} pixels, {expected} expected");
}

#[test]
fn saving_writes_beside_the_data_set_and_asks_the_training_to_use_it() {
    let folder = busi();
    let before = originals(folder.path());
    let mut harness = open(folder.path(), "benign (3).png");
    drag(&mut harness, [0.3, 0.3], [0.4, 0.6]);
    let drawn = harness.state().brush.mask().unwrap().clone();
    harness.get_by_label("Save").click();
    until(&mut harness, "saved: ");
    assert!(!harness.state().brush.is_changed());
    let path = folder.path().join(CORRECTIONS).join("benign (3)_mask.png");
    let saved = image::open(&path).unwrap().to_luma8();
    assert_eq!(saved.dimensions(), SIZE);
    assert!(saved.pixels().zip(drawn.pixels()).all(|(pixel, lesion)| (pixel.0[0] == 255) == *lesion));
    assert_eq!(originals(folder.path()), before);
    let asked = ViewAction::SetParam { key: "corrections".to_owned(), value: Value::Int(1), settled: true };
    assert!(harness.state().actions.contains(&asked), "{:?}", harness.state().actions);
    // The folder knows it, and the list marks it.
    until(&mut harness, "benign (3), corrected");
    harness.state_mut().tile = Tile::Data;
    until(&mut harness, "note: corrected mask");
    // An image without a mask gets one, named as the data set's are.
    let mut harness = open(folder.path(), "malignant (7).png");
    drag(&mut harness, [0.3, 0.3], [0.4, 0.6]);
    harness.get_by_label("Save").click();
    until(&mut harness, "saved: ");
    assert!(folder.path().join(CORRECTIONS).join("malignant (7)_mask.png").is_file());
    assert_eq!(originals(folder.path()), before);
    harness.state_mut().tile = Tile::Data;
    until(&mut harness, "1 further image was labelled here: outside the split");
    harness.get_by_label_contains("6 pairs of an image and its lesions");
    let asked = ViewAction::SetParam {
        key: "joined".to_owned(),
        value: Value::Text("malignant (7)".to_owned()),
        settled: true,
    };
    assert!(harness.state().actions.contains(&asked), "{:?}", harness.state().actions);
}

#[test]
fn the_picture_stays_under_the_stroke() {
    let folder = busi();
    let mut harness = open(folder.path(), "benign (3).png");
    drag(&mut harness, [0.3, 0.3], [0.4, 0.6]);
    harness.get_by_label("Save").click();
    until(&mut harness, "saved: ");
    let place = |harness: &Harness<'_, Scene>| harness.get_by_label_contains(": mask of ").rect();
    let before = place(&harness);
    let at = before.lerp_inside(vec2(0.8, 0.8));
    harness.hover_at(at);
    harness.run_steps(1);
    harness.drag_at(at);
    harness.run_steps(2);
    // The line about the saved mask goes as soon as there is something new.
    assert!(harness.query_by_label_contains("saved: ").is_none());
    assert_eq!(place(&harness), before);
    harness.drop_at(at);
    harness.run_steps(2);
    assert_ne!(place(&harness), before, "there is more room now");
}

#[test]
fn unsaved_changes_are_never_dropped_without_a_word() {
    let folder = busi();
    let mut harness = open(folder.path(), "benign (1).png");
    drag(&mut harness, [0.3, 0.3], [0.4, 0.6]);
    let drawn = area(&harness);
    harness.get_by_label("Next").click();
    until(&mut harness, "“benign (1)” has changes that are not saved");
    harness.get_by_label("Stay").click();
    harness.run_steps(2);
    assert_eq!(area(&harness), drawn);
    harness.get_by_label("benign (4)").click();
    until(&mut harness, "Save and go on");
    harness.get_by_label("Save and go on").click();
    until(&mut harness, "benign (4): mask of ");
    assert!(folder.path().join(CORRECTIONS).join("benign (1)_mask.png").is_file());
    drag(&mut harness, [0.3, 0.3], [0.4, 0.6]);
    harness.get_by_label("Previous").click();
    until(&mut harness, "Discard changes");
    harness.get_by_label("Discard changes").click();
    until(&mut harness, "benign (3): mask of ");
    assert!(!folder.path().join(CORRECTIONS).join("benign (4)_mask.png").exists());
}

#[test]
fn a_mask_that_cannot_be_saved_stays_open_with_a_message() {
    let (folder, drafts) = (busi(), tempfile::tempdir().unwrap());
    // A file lies where the folder of corrections should be made.
    fs::write(folder.path().join(CORRECTIONS), "in the way").unwrap();
    let mut harness = open_with(drafts.path(), folder.path(), "benign (1).png");
    drag(&mut harness, [0.3, 0.3], [0.4, 0.6]);
    let drawn = area(&harness);
    harness.get_by_label("Save").click();
    until(&mut harness, "move it away and save again");
    assert!(harness.state().brush.is_changed() && harness.state().brush.unsaved().is_some());
    assert_eq!(area(&harness), drawn);
    until_drafts(&mut harness, drafts.path(), 1);
    fs::remove_file(folder.path().join(CORRECTIONS)).unwrap();
    harness.get_by_label("Save").click();
    until(&mut harness, &format!("saved: {}", folder.path().join(CORRECTIONS).join("benign (1)_mask.png").display()));
    assert!(!harness.state().brush.is_changed());
    until_drafts(&mut harness, drafts.path(), 0);
}

/// Goes on until there are so many drafts.
fn until_drafts(harness: &mut Harness<'_, Scene>, drafts: &Path, count: usize) {
    let start = Instant::now();
    let found = || {
        fs::read_dir(drafts).map_or(0, |entries| {
            entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "draft")).count()
        })
    };
    while found() != count {
        assert!(start.elapsed() < Duration::from_secs(30), "{} drafts, {count} expected", found());
        harness.run_steps(1);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Goes on until the draft of the open image, whose drawing began with `on_disk`, holds the mask as it is now.
fn until_kept(harness: &mut Harness<'_, Scene>, drafts: &Path, on_disk: &Mask) {
    let start = Instant::now();
    let image = harness.state().brush.image().unwrap().to_owned();
    let subject = Subject::new(absolute(image.parent().unwrap(), &image), SIZE, on_disk);
    let kept = |scene: &Scene| {
        of_image(drafts, &subject).drafts.first().is_some_and(|draft| Some(&draft.mask()) == scene.brush.mask())
    };
    while !kept(harness.state()) {
        assert!(start.elapsed() < Duration::from_secs(30), "the draft never held the mask");
        harness.run_steps(1);
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn strokes_that_are_not_saved_outlive_a_killed_window() {
    let (folder, place) = (busi(), tempfile::tempdir().unwrap());
    let (before, drafts) = (originals(folder.path()), place.path().join("drafts"));
    let mut harness = open_with(&drafts, folder.path(), "benign (2).png");
    let on_disk = harness.state().brush.mask().unwrap().clone();
    drag(&mut harness, [0.55, 0.55], [0.75, 0.75]);
    let drawn = harness.state().brush.mask().unwrap().clone();
    until_kept(&mut harness, &drafts, &on_disk);
    // A killed window cleans nothing up.
    std::mem::forget(harness);

    let mut harness = open_with(&drafts, folder.path(), "benign (2).png");
    assert_eq!(harness.state().brush.mask(), Some(&drawn));
    assert_eq!(harness.state().brush.unsaved().as_deref(), Some("the corrected mask of benign (2).png"));
    harness.get_by_label_contains("a draft made a moment ago was brought back");
    harness.get_by_label("not saved");
    // It is a change like any other.
    harness.get_by_label("Undo").click();
    harness.run_steps(2);
    assert_eq!((area(&harness), harness.state().brush.unsaved()), (22 * 25, None));
    until_drafts(&mut harness, &drafts, 0);
    harness.get_by_label("Redo").click();
    until_drafts(&mut harness, &drafts, 1);
    // Once saved, there is nothing left to bring back.
    harness.state_mut().brush.save_unsaved();
    until(&mut harness, "saved: ");
    assert_eq!(harness.state().brush.unsaved(), None);
    until_drafts(&mut harness, &drafts, 0);
    assert_eq!(originals(folder.path()), before);
    let harness = open_with(&drafts, folder.path(), "benign (2).png");
    assert!(harness.state().brush.mask() == Some(&drawn) && !harness.state().brush.is_changed());
}

#[test]
fn a_window_that_closes_right_after_a_stroke_keeps_it() {
    let (folder, drafts) = (busi(), tempfile::tempdir().unwrap());
    let mut harness = open_with(drafts.path(), folder.path(), "malignant (7).png");
    drag(&mut harness, [0.3, 0.3], [0.5, 0.5]);
    drag(&mut harness, [0.6, 0.3], [0.5, 0.7]);
    let drawn = harness.state().brush.mask().unwrap().clone();
    drop(harness);
    let mut harness = open_with(drafts.path(), folder.path(), "malignant (7).png");
    assert_eq!(harness.state().brush.mask(), Some(&drawn));
    assert_eq!(harness.state().brush.unsaved().as_deref(), Some("the drawn mask of malignant (7).png"));
    harness.get_by_label("Discard draft").click();
    harness.run_steps(2);
    assert!(area(&harness) == 0 && !harness.state().brush.is_changed());
    until_drafts(&mut harness, drafts.path(), 0);
    // Even that can be taken back.
    harness.get_by_label("Undo").click();
    until_drafts(&mut harness, drafts.path(), 1);
    assert_eq!(harness.state().brush.mask(), Some(&drawn));
}

#[test]
fn other_images_with_drafts_are_named_and_opened() {
    let (folder, drafts) = (busi(), tempfile::tempdir().unwrap());
    for name in ["benign (2).png", "benign (5).png"] {
        let mut harness = open_with(drafts.path(), folder.path(), name);
        drag(&mut harness, [0.3, 0.3], [0.5, 0.5]);
    }
    let mut harness = open_with(drafts.path(), folder.path(), "benign (1).png");
    until(&mut harness, "drafts of 2 other images of this folder");
    harness.get_by_label("benign (2), draft");
    harness.get_by_label("Draft of benign (5)").click();
    until(&mut harness, "a draft made");
    assert!(harness.state().brush.image().unwrap().ends_with("benign (5).png") && harness.state().brush.is_changed());
    until(&mut harness, "a draft of another image of this folder");
    // What is given up on the way to another image is given up.
    harness.get_by_label("Draft of benign (2)").click();
    until(&mut harness, "Discard changes");
    harness.get_by_label("Discard changes").click();
    until(&mut harness, "benign (2): mask of ");
    until_drafts(&mut harness, drafts.path(), 1);
    assert!(harness.query_by_label("Draft of benign (5)").is_none());
    harness.get_by_label("benign (2), draft");
}

#[test]
fn a_draft_never_takes_the_place_of_newer_work() {
    let (folder, drafts) = (busi(), tempfile::tempdir().unwrap());
    let mut harness = open_with(drafts.path(), folder.path(), "benign (2).png");
    drag(&mut harness, [0.3, 0.3], [0.5, 0.5]);
    let drawn = harness.state().brush.mask().unwrap().clone();
    drop(harness);
    // Somebody saves another mask meanwhile.
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    let pair = listing.pairs.iter().find(|pair| pair.image.ends_with("benign (2).png")).unwrap();
    let mut newer = drawn.clone();
    newer.pixels_mut()[..300].fill(true);
    save_corrected(&listing, pair, &newer).unwrap();

    let mut harness = open_with(drafts.path(), folder.path(), "benign (2).png");
    assert!(harness.state().brush.mask() == Some(&newer) && !harness.state().brush.is_changed());
    harness.get_by_label_contains("does not go with the saved mask, which has changed since");
    harness.get_by_label("Use the draft").click();
    harness.run_steps(2);
    assert!(harness.state().brush.mask() == Some(&drawn) && harness.state().brush.is_changed());
    harness.get_by_label("Undo").click();
    harness.run_steps(2);
    assert_eq!(harness.state().brush.mask(), Some(&newer));
    drop(harness);
    // It is offered until somebody decides.
    let mut harness = open_with(drafts.path(), folder.path(), "benign (2).png");
    harness.get_by_label("Remove the draft").click();
    until_drafts(&mut harness, drafts.path(), 0);
    assert!(harness.state().brush.mask() == Some(&newer) && !harness.state().brush.is_changed());

    // A mask that is on disk already is no draft any more: a window that closed as soon as it was saved.
    let mut harness = open_with(drafts.path(), folder.path(), "benign (4).png");
    let on_disk = harness.state().brush.mask().unwrap().clone();
    drag(&mut harness, [0.3, 0.3], [0.5, 0.5]);
    let drawn = harness.state().brush.mask().unwrap().clone();
    until_kept(&mut harness, drafts.path(), &on_disk);
    std::mem::forget(harness);
    let pair = listing.pairs.iter().find(|pair| pair.image.ends_with("benign (4).png")).unwrap();
    save_corrected(&listing, pair, &drawn).unwrap();
    let mut harness = open_with(drafts.path(), folder.path(), "benign (4).png");
    assert!(harness.query_by_label("Use the draft").is_none() && !harness.state().brush.is_changed());
    until_drafts(&mut harness, drafts.path(), 0);

    // The image has another size now.
    let mut harness = open_with(drafts.path(), folder.path(), "malignant (7).png");
    drag(&mut harness, [0.3, 0.3], [0.5, 0.5]);
    drop(harness);
    GrayImage::new(64, 64).save(folder.path().join("malignant (7).png")).unwrap();
    let harness = open_with(drafts.path(), folder.path(), "malignant (7).png");
    harness.get_by_label_contains("is of 80×60 pixels and the image has 64×64 now: it cannot be used");
    assert!(harness.query_by_label("Use the draft").is_none() && !harness.state().brush.is_changed());
}

#[test]
fn a_draft_that_cannot_be_read_or_written_is_told_and_stops_nothing() {
    let (folder, place) = (busi(), tempfile::tempdir().unwrap());
    let drafts = place.path().join("drafts");
    fs::write(&drafts, "in the way").unwrap();
    let mut harness = open_with(&drafts, folder.path(), "benign (2).png");
    drag(&mut harness, [0.3, 0.3], [0.5, 0.5]);
    until(&mut harness, "no draft can be kept in");
    // It is tried again until it works.
    fs::remove_file(&drafts).unwrap();
    until_drafts(&mut harness, &drafts, 1);
    let start = Instant::now();
    while harness.query_by_label_contains("no draft can be kept in").is_some() {
        assert!(start.elapsed() < Duration::from_secs(30), "the line stays");
        harness.run_steps(1);
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(harness);
    for entry in fs::read_dir(&drafts).unwrap().flatten() {
        fs::write(entry.path(), b"learnscope draft 1\nhalf").unwrap();
    }
    let mut harness = open_with(&drafts, folder.path(), "benign (2).png");
    assert_eq!(area(&harness), 22 * 25);
    until_drafts(&mut harness, &drafts, 0);
    // Whoever has found it, it is told once.
    for _ in 0..20 {
        harness.run_steps(1);
        std::thread::sleep(Duration::from_millis(5));
    }
    let told =
        |action: &ViewAction| matches!(action, ViewAction::Notice(Level::Warning, text) if text.contains("set aside"));
    assert_eq!(harness.state().actions.iter().filter(|action| told(action)).count(), 1);
}

#[test]
fn every_size_style_and_state_is_drawn() {
    let folder = busi();
    for style in [Style::dark(), Style::light(), Style::high_contrast()] {
        for size in [vec2(900.0, 500.0), vec2(420.0, 300.0), vec2(200.0, 120.0), vec2(30.0, 20.0), vec2(0.0, 0.0)] {
            for tile in [Tile::Data, Tile::Brush] {
                for folder in [None, Some(folder.path()), Some(Path::new(""))] {
                    let mut scene = Scene::new(tile, folder);
                    scene.style = style.clone();
                    let mut harness = scene.around(size, MARGIN);
                    for _ in 0..6 {
                        harness.run_steps(1);
                        std::thread::sleep(Duration::from_millis(2));
                    }
                    nothing_beyond(&harness, size, if tile == Tile::Data { "data" } else { "brush" });
                }
            }
        }
    }
}

#[test]
fn a_run_shows_what_it_recorded() {
    let folder = busi();
    let mut scene = Scene::new(Tile::Data, Some(folder.path()));
    scene.run.params = scene.params.clone();
    scene.run.status = Some(Status::Running);
    let table = Payload::Table {
        columns: ["severity", "check", "file", "other", "problem", "advice"].map(str::to_owned).to_vec(),
        rows: vec![
            ["warning", "very large mask", "benign (5).png", "", "91 % of the image", "look"]
                .map(str::to_owned)
                .to_vec(),
        ],
    };
    let summary = Payload::Text("six pairs\nsplit: 4 for training".to_owned());
    let mut apply = |key: &str, payload: Payload| {
        let body = Body::Payload { key: key.into(), payload: Arc::new(payload) };
        scene.run.id = Some(RunId(1));
        scene.run.apply(&Event { run: RunId(1), step: 0, seconds: 0.0, body });
    };
    apply("data/summary", summary);
    apply("data/doctor", table);
    let mut harness = scene.harness(vec2(760.0, 430.0));
    until(&mut harness, "split: 4 for training");
    harness.get_by_label_contains("warning: very large mask: benign (5).png");
    // The form's folder is one click away, and a recorded line opens its image in it.
    harness.get_by_label("form").click();
    until(&mut harness, "6 pairs of an image and its lesions");
    harness.get_by_label("run").click();
    until(&mut harness, "warning: very large mask");
    harness.get_by_label_contains("warning: very large mask").click();
    until(&mut harness, "benign (5): mask of 625 pixels");
}
