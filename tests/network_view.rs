//! The network's tiles, drawn from a run on the CPU, without a window.

mod support;

use std::sync::Arc;

use burn::tensor::Device;
use eframe::egui::vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use learnscope::engine::emit::Emit;
use learnscope::engine::event::Body;
use learnscope::engine::experiment::BuildRequest;
use learnscope::engine::state::RunState;
use learnscope::kit::view::{Cursor, ViewAction};
use learnscope::labs::optimizers;
use learnscope::labs::optimizers::params::PARAMS;
use learnscope::labs::optimizers::{KEYS, network as training, network::roster::ROSTER};
use learnscope::plot::style::Style;

use support::made_run::{MadeRun, header, params};
use support::scene::Scene;

/// A run of so many steps, as the window sees it.
fn run(set: &[&str], steps: u64) -> RunState {
    let params = params(PARAMS, &[&["experiment=network"], set].concat());
    let device = Device::flex();
    let mut experiment = training::build(&BuildRequest { params: &params, seed: 1, steps, device: &device }).unwrap();
    let mut run = MadeRun::starts(header("optimizers", &params, steps));
    for step in 0..=steps {
        let mut out = Emit::new(KEYS, step, steps, false);
        match step {
            0 => experiment.begin(&mut out).unwrap(),
            _ => experiment.step(&mut out).unwrap(),
        }
        let emission = out.finish();
        emission.bodies.into_iter().for_each(|body| run.says(step, body));
        for emitted in emission.payloads {
            run.says(step, Body::Payload { key: emitted.key, payload: Arc::clone(&emitted.payload) });
        }
    }
    run.ends(steps)
}

impl Scene {
    fn new(run: RunState, tile: &'static str) -> Self {
        let params = run.params.clone();
        Self { params, ..Scene::of("optimizers", run, tile) }
    }
}

#[test]
fn every_tile_is_drawn_in_every_style_size_and_state() {
    let short = run(&[], 25);
    for state in [RunState { params: short.params.clone(), ..RunState::default() }, short] {
        for style in [Style::dark(), Style::light(), Style::high_contrast()] {
            for size in [vec2(500.0, 320.0), vec2(60.0, 40.0), vec2(1.0, 1.0)] {
                for id in optimizers::view::new().shown(&state.params).into_iter().map(|tile| tile.id).chain(["guide"])
                {
                    let mut scene = Scene::new(state.clone(), id);
                    scene.style = style.clone();
                    scene.presenting = size.x > 400.0 && style.dark;
                    scene.stays_within(size);
                }
            }
        }
    }
}

#[test]
fn every_optimizer_has_a_picture_which_a_click_enlarges() {
    let mut harness = Scene::new(run(&["burn_lion=on"], 20), "boundary").harness(vec2(900.0, 500.0));
    harness.run_steps(2);
    let all = |harness: &Harness<'_, Scene>| harness.query_all_by_label_contains("decision boundary of").count();
    assert_eq!(all(&harness), 9);
    harness.get_by_label_contains("decision boundary of Burn Lion").click();
    harness.run_steps(3);
    assert_eq!(all(&harness), 1);
    harness.get_by_label("show all").click();
    harness.run_steps(3);
    assert_eq!(all(&harness), 9);
}

#[test]
fn the_results_are_those_of_the_cursor_s_step() {
    let state = run(&["burn_adam=off"], 40);
    let spoken = |step: u64| {
        let mut scene = Scene::new(state.clone(), "network-table");
        scene.cursor = step;
        let mut harness = scene.harness(vec2(520.0, 320.0));
        harness.run_steps(2);
        harness.get_by_label_contains("Adam: loss train").accesskit_node().label().unwrap()
    };
    let (early, late) = (spoken(0), spoken(40));
    assert_ne!(early, late);
    let loss = state.scalars["loss/train/adam"].at(0).unwrap().1;
    assert!(early.contains(&format!("loss train {loss:.3}")), "{early} should contain {loss}");
}

#[test]
fn one_that_diverged_is_said_to_have_stopped() {
    let set = &["activation=relu", "layers=4", "learning_rate=10", "use_nag=off", "burn_adam=off"];
    let state = run(set, 200);
    let stopped: Vec<&str> = ROSTER
        .iter()
        .filter(|entry| {
            let history = state.scalars.get(format!("loss/train/{}", entry.id).as_str());
            history.is_some_and(|history| history.last().is_some_and(|(step, _)| step < 150))
        })
        .map(|entry| entry.title)
        .collect();
    assert!(!stopped.is_empty(), "with η = 10 somebody diverges");
    let mut harness = Scene::new(state, "boundary").harness(vec2(900.0, 500.0));
    harness.run_steps(2);
    for title in stopped {
        let label = format!("decision boundary of {title}, test accuracy stopped at");
        assert!(harness.query_by_label_contains(&label).is_some(), "{label}");
    }
}

#[test]
fn a_click_in_a_curve_moves_the_cursor() {
    let mut harness = Scene::new(run(&[], 20), "loss").harness(vec2(500.0, 320.0));
    harness.run_steps(2);
    harness.get_by_label("loss against the step").click();
    harness.run_steps(2);
    let seeks: Vec<&ViewAction> =
        harness.state().actions.iter().filter(|action| matches!(action, ViewAction::Seek(_))).collect();
    assert!(matches!(seeks[..], [ViewAction::Seek(Cursor { step: 9..=11, .. }), ..]), "{seeks:?}");
}

#[test]
fn the_landscape_is_computed_on_request_and_tells_what_the_slice_leaves_out() {
    let set = ["hidden=3", "layers=1", "point_count=40", "batch_size=8", "use_nag=off", "use_adadelta=off"];
    let mut harness = Scene::new(run(&set, 30), "landscape").harness(vec2(1100.0, 460.0));
    assert!(harness.query_by_label_contains("loss landscape:").is_none(), "nothing is computed unasked");
    harness.get_by_label("compute").click();
    let shown = |harness: &mut Harness<'_, Scene>, words: &str| {
        let start = std::time::Instant::now();
        while harness.query_by_label_contains(words).is_none() {
            assert!(start.elapsed().as_secs() < 120, "{words}");
            std::thread::sleep(std::time::Duration::from_millis(20));
            harness.run_steps(1);
        }
    };
    shown(&mut harness, "loss landscape: up to step 30:");
    harness.run_steps(3);
    assert!(harness.query_by_label_contains("of the paths’ variance").is_some());
    for plot in ["distance from the slice", "largest curvature"] {
        assert!(harness.query_by_label_contains(plot).is_some(), "{plot}");
    }
    // What is there is not computed again; another plane is.
    assert!(harness.get_by_label("compute").accesskit_node().is_disabled());
    harness.get_by_label("filters").click();
    shown(&mut harness, "loss landscape: up to step 30: filter-normalised directions around SGD");
    // A click beside the slice moves the timeline.
    harness.get_by_label_contains("distance from the slice").click();
    harness.run_steps(2);
    let seeks = |action: &ViewAction| matches!(action, ViewAction::Seek(Cursor { step, .. }) if *step <= 30);
    assert!(harness.state().actions.iter().any(seeks), "{:?}", harness.state().actions);
}
