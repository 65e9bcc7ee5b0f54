use std::fs;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use eframe::egui::Context;
use image::{GrayImage, Luma};

use super::*;
use crate::data::segmentation::Watch;
use crate::data::segmentation::listing::{CORRECTIONS, scan};
use crate::engine::params::Params;
use crate::engine::state::RunState;
use crate::kit::view::{Cursor, NoPast};
use crate::labs::segmentation::params::PARAMS;

/// A folder of two pairs.
fn pairs() -> (tempfile::TempDir, Arc<Listing>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, value) in [("a.png", 90), ("a_mask.png", 0), ("b.png", 120), ("b_mask.png", 0)] {
        GrayImage::from_pixel(40, 30, Luma([value])).save(folder.path().join(name)).unwrap();
    }
    let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
    assert_eq!(listing.pairs.len(), 2);
    (folder, Arc::new(listing))
}

fn session(listing: &Arc<Listing>, name: &str) -> Result<Box<Session>, String> {
    Session::read(Context::default(), listing.clone(), &listing.root.join(name), None, How::default()).map(Box::new)
}

fn tile(listing: &Arc<Listing>) -> BrushTile {
    let mut tile = BrushTile::default();
    tile.session = Some(session(listing, "a.png").unwrap());
    tile
}

fn dot(tile: &mut BrushTile, x: f64) {
    let editor = &mut tile.session.as_mut().unwrap().editor;
    editor.stroke((x, 10.0), (x, 10.0), 3.0, true);
    editor.end_stroke();
}

/// Runs `act` with a view's context; gives what it asked of the window.
fn in_view(act: impl FnOnce(&mut ViewCtx<'_>)) -> Vec<ViewAction> {
    let (run, params, mut actions) = (RunState::default(), Params::defaults(PARAMS), Vec::new());
    act(&mut ViewCtx {
        run: &run,
        params: &params,
        cursor: Cursor::default(),
        style: &Style::dark(),
        wgpu: None,
        past: &NoPast,
        presenting: false,
        actions: &mut actions,
    });
    actions
}

#[track_caller]
fn until(mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "it never came");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn what_is_drawn_while_another_image_is_read_is_asked_for() {
    let (_folder, listing) = pairs();
    let mut tile = tile(&listing);
    let (go, wait) = channel::<()>();
    let of_thread = listing.clone();
    let other = listing.root.join("b.png");
    let reading = Opening::begin(
        "test",
        || {},
        move |_| {
            let _ = wait.recv();
            session(&of_thread, "b.png")
        },
    );
    tile.loading = Some((other.clone(), reading));
    dot(&mut tile, 10.0);
    let drawn = tile.mask().unwrap().clone();
    go.send(()).unwrap();
    until(|| {
        in_view(|ctx| tile.receive_image(&Context::default(), ctx));
        tile.loading.is_none()
    });
    assert_eq!((tile.mask(), tile.wanted.as_ref()), (Some(&drawn), Some(&other)));
    assert!(tile.is_changed() && tile.image().unwrap().ends_with("a.png"));
}

#[test]
fn what_is_saved_for_the_window_is_known_without_drawing_the_tile() {
    let (folder, listing) = pairs();
    let mut tile = tile(&listing);
    assert_eq!(tile.unsaved(), None);
    tile.save_unsaved();
    assert!(tile.saving.is_none(), "there is nothing to save");
    dot(&mut tile, 10.0);
    assert_eq!(tile.unsaved().as_deref(), Some("the corrected mask of a.png"));
    // A file lies where the folder of corrections should be made.
    let corrections = folder.path().join(CORRECTIONS);
    fs::write(&corrections, "in the way").unwrap();
    tile.save_unsaved();
    until(|| tile.unsaved().is_some_and(|text| text.contains("a.png (") && text.contains("move it away")));
    fs::remove_file(&corrections).unwrap();
    tile.save_unsaved();
    until(|| tile.unsaved().is_none());
    assert!(corrections.join("a_mask.png").is_file());
    // Drawn on again before anything was told.
    dot(&mut tile, 30.0);
    assert!(tile.unsaved().is_some());
    tile.save_unsaved();
    until(|| tile.unsaved().is_none());
    let (mask, path) = (tile.mask().unwrap().clone(), corrections.join("a_mask.png"));
    assert_eq!(image::open(path).unwrap().to_luma8().pixels().filter(|p| p.0[0] == 255).count(), mask.area());
}

#[test]
fn what_is_drawn_while_the_mask_is_saved_is_saved_too() {
    let (folder, listing) = pairs();
    let mut tile = tile(&listing);
    dot(&mut tile, 10.0);
    tile.save_unsaved();
    dot(&mut tile, 30.0);
    // The window asks once; the first saving may be over by then or not.
    tile.save_unsaved();
    let (mut of_form, ctx) = (Folder::default(), Context::default());
    until(|| {
        in_view(|view| tile.receive(&ctx, &mut of_form, view));
        tile.unsaved().is_none()
    });
    let saved = image::open(folder.path().join(CORRECTIONS).join("a_mask.png")).unwrap().to_luma8();
    assert_eq!(saved.pixels().filter(|pixel| pixel.0[0] == 255).count(), tile.mask().unwrap().area());
}

#[test]
fn a_mask_that_another_window_has_saved_meanwhile_is_replaced_only_when_asked_again() {
    let (folder, listing) = pairs();
    let (mut first, mut second) = (tile(&listing), tile(&listing));
    dot(&mut first, 10.0);
    dot(&mut second, 30.0);
    first.save_unsaved();
    until(|| first.unsaved().is_none());
    let path = folder.path().join(CORRECTIONS).join("a_mask.png");
    let saved = fs::read(&path).unwrap();
    second.save_unsaved();
    until(|| second.unsaved().is_some_and(|text| text.contains("has changed since it was read")));
    assert_eq!(fs::read(&path).unwrap(), saved, "what the other window saved is still there");
    second.save_unsaved();
    until(|| second.unsaved().is_none());
    assert_ne!(fs::read(&path).unwrap(), saved);
    // Its own saving is no change of others.
    second.settle();
    dot(&mut second, 20.0);
    second.save_unsaved();
    until(|| second.unsaved().is_none());
}

#[test]
fn no_command_of_the_loop_ends_a_stroke() {
    let (folder, listing) = pairs();
    let mut tile = tile(&listing);
    tile.session.as_mut().unwrap().editor.stroke((9.0, 10.0), (12.0, 10.0), 3.0, true);
    let commands: [fn(&mut BrushTile); 3] = [BrushTile::accept, BrushTile::no_lesion, BrushTile::skip];
    for command in commands {
        command(&mut tile);
        assert!(tile.session.as_ref().unwrap().editor.in_stroke() && tile.mask().unwrap().area() > 0);
        assert!(tile.saving.is_none() && tile.wanted.is_none());
    }
    assert!(!folder.path().join(CORRECTIONS).exists());
}

#[test]
fn skipped_images_are_passed_over_in_the_next_window_too() {
    let (folder, _) = pairs();
    for name in ["c.png", "d.png"] {
        fs::copy(folder.path().join("a.png"), folder.path().join(name)).unwrap();
    }
    let listing = Arc::new(scan(folder.path(), None, Watch::nobody()).unwrap());
    let window = |image: &str| {
        let mut tile = BrushTile::default();
        tile.begin_queue(&listing);
        tile.entries = Some((listing.clone(), list::entries(&listing)));
        tile.queue.order = Order::Unlabelled;
        tile.session = Some(session(&listing, image).unwrap());
        tile
    };
    let mut first = window("c.png");
    first.skip();
    assert_eq!(first.wanted, Some(folder.path().join("d.png")));
    // An image that has a mask is left as it is.
    window("a.png").skip();
    let mut later = window("a.png");
    assert_eq!(later.queue.skipped, [folder.path().join("c.png")].into());
    later.skip();
    assert_eq!(later.wanted, Some(folder.path().join("d.png")), "not the one that was skipped");
    // It is labelled after all.
    let mut last = window("c.png");
    dot(&mut last, 10.0);
    last.save_unsaved();
    let (mut of_form, ctx) = (Folder::default(), Context::default());
    until(|| {
        in_view(|view| last.receive(&ctx, &mut of_form, view));
        last.unsaved().is_none()
    });
    assert!(window("a.png").queue.skipped.is_empty() && last.queue.skipped.is_empty());
    // A list that cannot be written is told.
    let list = folder.path().join(CORRECTIONS).join("skipped.txt");
    fs::create_dir(&list).unwrap();
    let mut tile = window("d.png");
    let told = |actions: Vec<ViewAction>| {
        actions
            .iter()
            .any(|action| matches!(action, ViewAction::Notice(Level::Warning, text) if text.contains("skipped.txt")))
    };
    assert!(told(in_view(|view| tile.receive(&ctx, &mut of_form, view))));
    tile.skip();
    assert!(told(in_view(|view| tile.receive(&ctx, &mut of_form, view))));
}
