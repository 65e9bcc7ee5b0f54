//! The window's frame: what Escape closes, what a small and a wide window do, bars that stay where they are, toasts that leave.

mod support;

use eframe::egui::{Key, Modifiers, Rect, Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use learnscope::app::App;
use learnscope::engine::event::{Body, Level, Status};
use learnscope::labs::LABS;
use learnscope::labs::optimizers::{self, rules::Rule};
use learnscope::plot::style::Style;

use support::window::{Scripted, TOY, event, header_of, press, training, window_of};

fn script(harness: &mut Harness<'static, App>, text: &str) {
    harness.state_mut().send_script(text).unwrap();
    harness.run_steps(3);
}

fn escape(harness: &mut Harness<'static, App>) {
    press(harness, Modifiers::NONE, Key::Escape);
}

fn shows(harness: &Harness<'static, App>, words: &str) -> bool {
    harness.query_all_by_label_contains(words).next().is_some()
}

#[test]
fn escape_closes_what_lies_on_top() {
    let backend = Scripted::computing();
    let mut harness = window_of(vec![&TOY], &backend, None, vec2(1440.0, 900.0));
    script(&mut harness, "tiles.maximise second\nwindow.help");
    // The one that was opened last lies above.
    script(&mut harness, "window.metrics");
    script(&mut harness, "window.notices");
    let open = |harness: &Harness<'static, App>| {
        let second = !shows(harness, "first content");
        [shows(harness, "Everything else is in the command palette"), shows(harness, "Filter of the metrics"), second]
    };
    assert_eq!((open(&harness), shows(&harness, "Nothing to report")), ([true; 3], true));
    escape(&mut harness);
    assert!(!shows(&harness, "Nothing to report"));
    escape(&mut harness);
    assert_eq!(open(&harness), [true, false, true], "metrics lay above the help");
    escape(&mut harness);
    assert_eq!(open(&harness), [false, false, true]);
    escape(&mut harness);
    assert_eq!(open(&harness), [false; 3], "then the tiles are side by side again");
    escape(&mut harness);
    assert_eq!(open(&harness), [false; 3]);
    script(&mut harness, "scene.paste");
    escape(&mut harness);
    assert!(!shows(&harness, "Code of a scene"), "a field for a code, too");
}

/// A window of the optimizers lab of this size.
fn optimizers_in(size: Vec2) -> Harness<'static, App> {
    window_of(vec![&LABS[0]], &Scripted::computing(), None, size)
}

#[test]
fn in_a_small_window_the_guide_folds_away_then_tiles_become_tabs() {
    let guide = |harness: &Harness<'static, App>| shows(harness, "WHAT AM I LOOKING AT?");
    let surfaces = |harness: &Harness<'static, App>| {
        let from_above = harness.query_all_by_label_contains("from above, start").next().is_some();
        (from_above, shows(harness, "Maximise Surface"))
    };
    let harness = optimizers_in(vec2(1440.0, 900.0));
    assert_eq!((guide(&harness), surfaces(&harness)), (true, (true, true)), "side by side");
    let mut harness = optimizers_in(vec2(1280.0, 800.0));
    assert_eq!((guide(&harness), surfaces(&harness)), (false, (true, true)));
    script(&mut harness, "view.guide");
    harness.run_steps(20);
    assert!(guide(&harness), "whoever asks for it has it");
    let mut harness = optimizers_in(vec2(840.0, 700.0));
    assert_eq!((guide(&harness), surfaces(&harness)), (false, (true, false)), "the surface is a tab beside the field");
    script(&mut harness, "tiles.bring surface3d");
    assert!(harness.query_all_by_label_contains("from above, start").next().is_none(), "which comes to the front");
    script(&mut harness, "tiles.bring field");
    assert!(harness.query_all_by_label_contains("from above, start").next().is_some());
}

#[test]
fn the_status_line_is_visible_in_the_smallest_window() {
    for size in [vec2(1366.0, 696.0), vec2(683.0, 384.0), vec2(672.0, 360.0)] {
        let harness = optimizers_in(size);
        let whole = Rect::from_min_size(Default::default(), size);
        for words in ["Notices", "Timeline"] {
            let rect = harness.get_by_label(words).rect();
            assert!(rect.is_positive() && whole.contains_rect(rect), "{size}: {words} at {rect}");
        }
    }
}

#[test]
fn nothing_in_the_bars_covers_anything_else() {
    for size in [vec2(1440.0, 900.0), vec2(1280.0, 800.0), vec2(1024.0, 768.0), vec2(683.0, 384.0), vec2(672.0, 360.0)]
    {
        let harness = window_of(LABS.iter().collect(), &Scripted::computing(), None, size);
        let titles = LABS.iter().map(|lab| lab.spec.title);
        let words = ["Device: CPU · automatic", "Ctrl+P  commands", "F5  present", "Seed"];
        let buttons = ["Step", "Stop", "Restart", "Preset", "Study", "Runs", "Tiles", "Export"];
        let names: Vec<&str> = titles.chain(words).chain(buttons).collect();
        let places: Vec<(&str, Rect)> = names
            .iter()
            .flat_map(|name| harness.query_all_by_label(name).map(move |node| (*name, node.rect())))
            .filter(|(_, rect)| rect.top() < 92.0)
            .collect();
        assert!(places.len() > LABS.len() + buttons.len(), "{size}: {places:?}");
        for (i, (name, a)) in places.iter().enumerate() {
            assert!(a.right() <= size.x, "{size}: {name} at {a}");
            for (other, b) in &places[..i] {
                assert!(!a.shrink(0.5).intersects(b.shrink(0.5)), "{size}: {name} at {a} and {other} at {b}");
            }
        }
    }
}

#[test]
fn everything_is_larger_in_a_wide_window_unless_a_size_was_chosen() {
    let zoom = |harness: &Harness<'static, App>| (harness.ctx.zoom_factor() * 100.0).round();
    assert_eq!(zoom(&optimizers_in(vec2(1440.0, 900.0))), 100.0);
    let folder = tempfile::tempdir().unwrap();
    let backend = Scripted::computing();
    let window = || window_of(vec![&TOY], &backend, Some(folder.path()), vec2(1920.0, 1080.0));
    let mut harness = window();
    assert_eq!(zoom(&harness), 115.0);
    press(&mut harness, Modifiers::COMMAND, Key::Plus);
    assert_eq!(zoom(&harness), 120.0);
    press(&mut harness, Modifiers::COMMAND, Key::Minus);
    press(&mut harness, Modifiers::COMMAND, Key::Minus);
    assert_eq!(zoom(&harness), 100.0);
    eframe::App::on_exit(&mut harness.into_state());
    let mut harness = window();
    assert_eq!(zoom(&harness), 100.0, "it is remembered");
    script(&mut harness, "view.present first");
    assert_eq!(zoom(&harness), 100.0, "a talk has larger type instead");
    script(&mut harness, "view.present first");
    press(&mut harness, Modifiers::COMMAND, Key::Num0);
    assert_eq!(zoom(&harness), 115.0);
}

#[test]
fn bars_do_not_jump() {
    let backend = Scripted::default();
    let (mut harness, run) = training(&backend);
    // Where things are that do not belong to what has changed.
    let places = |harness: &Harness<'static, App>| {
        ["Stop", "Fork", "Restart", "Timeline"].map(|name| harness.get_by_label(name).rect().left())
    };
    let running = places(&harness);
    backend.say([event(run, 10, Body::Status(Status::Paused))]);
    harness.run_steps(3);
    assert!(harness.query_by_label("Play").is_some());
    assert_eq!(places(&harness), running, "paused");
    backend.say([event(run, 20, Body::Status(Status::Finished))]);
    harness.run_steps(3);
    assert_eq!(places(&harness), running, "finished");
    script(&mut harness, "time.seek 3");
    assert_eq!(places(&harness), running, "in the past");
}

#[test]
fn a_toast_about_a_run_leaves_when_another_one_has_begun() {
    let backend = Scripted::default();
    let (mut harness, run) = training(&backend);
    backend.say([
        event(run, 12, Body::Notice { level: Level::Error, text: "the loss is no number".to_owned() }),
        event(run, 12, Body::Status(Status::Failed("the loss is no number".to_owned()))),
    ]);
    harness.run_steps(3);
    assert!(shows(&harness, "the run failed: the loss is no number"));
    script(&mut harness, "run.start");
    let request = backend.last_start();
    assert!(shows(&harness, "the run failed"), "until the next one is there");
    backend.say([
        event(request.id, 0, Body::Started(Box::new(header_of(&request)))),
        event(request.id, 0, Body::Status(Status::Running)),
    ]);
    harness.run_steps(3);
    assert!(!shows(&harness, "the run failed"));
    assert!(!shows(&harness, "the loss is no number"));
    script(&mut harness, "window.notices");
    assert!(shows(&harness, "the run failed: the loss is no number"), "it is in the list");
}

#[test]
fn a_dot_takes_an_update_apart_in_a_talk_too() {
    let backend = Scripted::computing();
    let mut harness = window_of(vec![&TOY], &backend, None, vec2(1440.0, 900.0));
    script(&mut harness, "time.seek 5\nview.present first");
    press(&mut harness, Modifiers::NONE, Key::Period);
    assert!(shows(&harness, "first content at 5"), "the screen is not black");
    press(&mut harness, Modifiers::NONE, Key::B);
    assert!(!shows(&harness, "first content at 5"));
}

#[test]
fn metrics_have_the_colours_of_the_optimizers() {
    let (view, style) = (optimizers::view::new(), Style::dark());
    for rule in [Rule::Sgd, Rule::Adam, Rule::Nag] {
        let own = style.category(rule.index());
        for key in ["f", "gradient_norm", "loss/train", "twin/loss/test"] {
            let category = view.category(&format!("{key}/{}", rule.id()), &style).unwrap();
            assert_eq!((category.color, category.dash == own.dash), (own.color, !key.starts_with("twin")), "{key}");
        }
    }
    assert_eq!(view.category("seconds", &style), None);
}
