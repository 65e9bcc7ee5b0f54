//! The fair race and a rate for each optimizer, in the window.

use eframe::egui::{Key, Modifiers, Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use learnscope::engine::params::{ParamSpec, Value};
use learnscope::kit::view::ViewAction;
use learnscope::labs::LABS;
use learnscope::labs::optimizers::params::PARAMS;
use learnscope::plot::style::Style;

use super::support::scene::{MARGIN, Scene, label, nothing_beyond, wait_for};
use super::support::window::{Scripted, window_of};
use super::{asked, optimizer_run};

const BOOTH: [&str; 4] = ["surface=booth", "start_x=-4", "start_y=6.5", "steps=40"];

/// A race that has been run.
fn raced<'a>(scene: Scene) -> Harness<'a, Scene> {
    let mut harness = scene.harness(vec2(900.0, 420.0));
    harness.get_by_label("race").click();
    wait_for(&mut harness, "median rank");
    harness
}

fn factors(scene: &Scene) -> Vec<(String, f64, bool)> {
    let of = |action: &ViewAction| match action {
        ViewAction::SetParam { key, value: Value::Float(value), settled } => Some((key.clone(), *value, *settled)),
        _ => None,
    };
    scene.actions.iter().filter_map(of).collect()
}

#[test]
fn a_race_is_run_when_it_is_asked_for_and_told_in_words() {
    let harness = Scene::new(&BOOTH, "race").harness(vec2(900.0, 420.0));
    label(&harness, "No race yet");
    let harness = raced(harness.into_state());
    label(&harness, "32 starts in the window, 40 gradients each; f* = 0");
    let sgd = label(&harness, "SGD: median rank");
    // Booth's curvatures are 2 and 18.
    assert!(sgd.contains("of 32 starts") && sgd.contains("f − f* at the end"), "{sgd}");
    let rate: f64 = sgd.rsplit("η = ").next().unwrap().parse().unwrap();
    assert!((0.075..0.125).contains(&rate), "{rate}: 2/(2 + 18) is 0.1");
    assert!(label(&harness, "AdaDelta: median rank").ends_with("has no η"));
}

#[test]
fn the_rates_of_a_race_are_used_as_one_edit_and_leave_it_as_it_is() {
    let mut harness = raced(Scene::new(&BOOTH, "race"));
    harness.get_by_label("use rates").click();
    harness.run_steps(2);
    let sets = factors(harness.state());
    assert_eq!(sets.len(), 6, "all but AdaDelta, and η stays: {sets:?}");
    let settled: Vec<bool> = sets.iter().map(|(.., settled)| *settled).collect();
    assert_eq!(settled, [false, false, false, false, false, true], "one edit");
    let mut params = optimizer_run::params(&BOOTH);
    for (key, factor, _) in &sets {
        params.set_text(PARAMS, &format!("{key}={factor:?}")).unwrap();
    }
    let sgd = sets.iter().find(|(key, ..)| key == "rate_sgd").unwrap().1;
    assert!((7.5..12.5).contains(&sgd), "{sgd} times 0.01");
    assert!(harness.query_by_label("share η").is_none());
    (harness.state_mut().run, harness.state_mut().params) = (optimizer_run::run(&params), params);
    harness.run_steps(2);
    label(&harness, "32 starts in the window");
    harness.state_mut().actions.clear();
    harness.get_by_label("share η").click();
    harness.run_steps(2);
    let sets = factors(harness.state());
    assert!(sets.len() == 6 && sets.iter().all(|(_, factor, _)| *factor == 1.0), "{sets:?}");
    assert_eq!(sets.iter().filter(|(.., settled)| *settled).count(), 1, "one edit");
    harness.state_mut().run = optimizer_run::run(&optimizer_run::params(&["surface=booth", "momentum=0.5"]));
    harness.run_steps(2);
    label(&harness, "The form has changed since: 32 starts");
    harness.get_by_label("race").click();
    wait_for(&mut harness, "420 gradients each");
}

#[test]
fn several_values_of_one_edit_are_taken_back_together() {
    let backend = Scripted::computing();
    let mut harness = window_of(vec![&LABS[0]], &backend, None, vec2(1280.0, 1000.0));
    let mut rates_after = |script: &str| {
        harness.state_mut().send_script(script).unwrap();
        harness.run_steps(3);
        let params = backend.last_start().params;
        ["rate_sgd", "rate_adam"].map(|key| params.float(key))
    };
    assert_eq!(rates_after("form.drag rate_sgd=2\nform.set rate_adam=3"), [2.0, 3.0]);
    assert_eq!(rates_after("form.undo"), [1.0, 1.0]);
}

#[test]
fn curves_and_starts_are_drawn_and_a_click_begins_there() {
    let mut harness = raced(Scene::new(&BOOTH, "race"));
    harness.get_by_label("curves").click();
    harness.run_steps(3);
    harness.get_by_label("race: f against the gradients");
    harness.get_by_label("select NAG").click();
    harness.run_steps(3);
    let mut parts = 0;
    harness.state_mut().cursor = 20;
    harness.state_mut().with_view(|view, ctx| parts = view.sub_steps(ctx));
    assert_eq!(parts, 5, "NAG is selected in every view");
    harness.get_by_label("all bands").click();
    harness.run_steps(3);
    harness.get_by_label("starts").click();
    harness.run_steps(3);
    let first = label(&harness, "race by start, start (");
    assert_eq!(asked(harness.state(), "start_x"), None);
    harness.get_by_label_contains("race by start").focus();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::NONE, Key::ArrowRight);
    harness.run_steps(2);
    assert_ne!(label(&harness, "race by start, start ("), first, "the next start");
    harness.get_by_label_contains("race by start").click();
    harness.run_steps(2);
    let [(x, of_x), (y, of_y)] = ["start_x", "start_y"].map(|key| asked(harness.state(), key).unwrap());
    assert!(!of_x && of_y && (-10.0..=10.0).contains(&x) && (-10.0..=10.0).contains(&y), "{x} {y}");
}

#[test]
fn a_race_stays_in_its_tile_in_every_size_and_style() {
    let cases: [&[&str]; 3] =
        [&BOOTH, &["steps=60", "use_lbfgs=on"], &["surface=own", "function=5e7*(x^2+y^2)", "steps=60"]];
    for (i, changes) in cases.into_iter().enumerate() {
        let mut harness = raced(Scene::new(changes, "race"));
        for shown in 0..3 {
            for size in [vec2(640.0, 400.0), vec2(360.0, 220.0), vec2(270.0, 160.0)] {
                let mut scene = harness.into_state();
                scene.style = [Style::dark(), Style::light(), Style::high_contrast()][(i + shown) % 3].clone();
                scene.presenting = i == 2;
                scene.margin = MARGIN;
                harness = scene.harness(size + Vec2::splat(2.0 * MARGIN));
                nothing_beyond(&harness, size, &format!("race, {}", ["table", "curves", "starts"][shown]));
            }
            harness.state_mut().command("race-shown");
        }
    }
}

#[test]
fn what_cannot_be_raced_says_why_and_a_long_race_is_cancelled() {
    let nowhere = Scene::new(&["surface=own", "function=1/0"], "race");
    let mut harness = nowhere.harness(vec2(900.0, 420.0));
    harness.get_by_label("race").click();
    wait_for(&mut harness, "f has a finite value and slope at only 0 of 1600 places");
    let mut harness = Scene::new(&["surface=rosenbrock", "steps=100000"], "race").harness(vec2(900.0, 420.0));
    harness.get_by_label("race").click();
    wait_for(&mut harness, " left");
    assert!(label(&harness, "racing: ").contains(" %, about "));
    harness.get_by_label("cancel").click();
    harness.run_steps(2);
    label(&harness, "It was cancelled");
    harness.get_by_label("race");
}

#[test]
fn the_table_is_exported_and_without_a_race_it_says_so() {
    let mut scene = Scene::new(&BOOTH, "race");
    ["race-csv", "race-rates"].into_iter().for_each(|id| scene.command(id));
    let told = |action: &ViewAction| matches!(action, ViewAction::Notice(_, text) if text.contains("no race yet"));
    assert!(scene.actions.len() == 2 && scene.actions.iter().all(told), "{:?}", scene.actions);
    let mut harness = raced(scene);
    harness.state_mut().command("race-csv");
    let Some(ViewAction::SaveText { name, text }) = harness.state().actions.last() else { panic!() };
    assert!(name == "race-booth.csv" && text.starts_with("place,optimizer,") && text.lines().count() == 8, "{text}");
}

#[test]
fn theory_and_guide_speak_of_an_optimizers_own_rate() {
    let ravine = |set: &[&'static str]| {
        let ravine = ["surface=ill_conditioned_quadratic", "start_x=-1.8", "start_y=0.4", "steps=300", "use_adam=off"];
        [&ravine[..], set].concat()
    };
    let scene = |set: &[&'static str], tile| Scene { cursor: 300, ..Scene::new(&ravine(set), tile) };
    let own = ["learning_rate=0.0019", "rate_sgd=10", "rate_momentum=10"];
    let harness = scene(&own, "phase").harness(vec2(700.0, 500.0));
    label(&harness, "SGD: theory 0.981 per step, measured 0.981 (");
    label(&harness, "Momentum: theory 0.9487 per step, measured 0.94");
    let harness = scene(&own, "curvature").harness(vec2(900.0, 420.0));
    label(&harness, "Momentum: η is 0.019, limit (2 + 2μ)/λ₁ = 0.038: stable");
    label(&harness, "NAG: η is 0.0019, limit");
    let mut scene = scene(&["learning_rate=0.001", "rate_rmsprop=4"], "guide");
    scene.command("select-rmsprop");
    let harness = scene.harness(vec2(500.0, 900.0));
    label(&harness, "It has a rate of its own: η = 0.004, 4 times what all share.");
}

#[test]
fn factors_stand_folded_in_the_form_and_only_of_optimizers_that_are_on() {
    let backend = Scripted::computing();
    let mut harness = window_of(vec![&LABS[0]], &backend, None, vec2(1280.0, 2400.0));
    assert!(harness.query_by_label("SGD η factor").is_none());
    harness.get_by_label("A rate for each optimizer").click();
    harness.run_steps(3);
    assert!(harness.query_all_by_label("SGD η factor").next().is_some());
    assert!(harness.query_all_by_label("AdamW η factor").next().is_none(), "it is off");
    harness.get_by_label("A rate for each optimizer").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("SGD η factor").is_none());
    let folded = |spec: &&ParamSpec| spec.folded;
    assert_eq!(PARAMS.iter().filter(folded).count(), 25);
}
