//! The network's tiles, drawn from a run on the CPU, without a window.

mod support;

use std::sync::Arc;

use burn::tensor::Device;
use eframe::egui::vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use learnscope::engine::emit::Emit;
use learnscope::engine::event::{Body, Payload};
use learnscope::engine::experiment::BuildRequest;
use learnscope::engine::state::RunState;
use learnscope::kit::view::{Cursor, ViewAction};
use learnscope::labs::optimizers;
use learnscope::labs::optimizers::params::PARAMS;
use learnscope::labs::optimizers::{KEYS, network as training, network::roster::ROSTER};
use learnscope::plot::style::Style;

use support::made_run::{MadeRun, header, params};
use support::scene::{Scene, label};

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
    assert!(harness.query_all_by_label_contains("of the paths’ variance").next().is_some());
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

/// The weights of an optimizer at a step, asked of the training itself.
fn weights(state: &RunState, id: &str) -> Vec<f32> {
    let newest = state.payloads[format!("weights/{id}").as_str()].newest.clone();
    match newest.as_ref().map(|(_, payload)| &**payload) {
        Some(Payload::Matrix { values, .. }) => values.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn inside_shows_units_and_weights_of_the_optimizer_that_is_chosen() {
    let state = run(&["hidden=4", "layers=1", "burn_adam=off"], 20);
    let [adam, sgd] = ["adam", "sgd"].map(|id| weights(&state, id));
    // Parameters are [2, 4] weights, 4 biases, [4, 2] weights, 2 biases.
    let spoken = |theta: &[f32]| {
        format!("unit 2 of hidden layer 1, bias {}", learnscope::plot::number::signed(theta[9].into()).trim())
    };
    let mut harness = Scene::new(state, "inside").harness(vec2(900.0, 600.0));
    assert!(label(&harness, "network of Adam, 2–4–2 units").contains("largest weight"));
    assert!(label(&harness, "unit 2 of hidden layer 1").starts_with(&spoken(&adam)), "the last optimizer at first");
    assert!(harness.query_by_label_contains("weights between features and hidden 1").is_some());
    for name in ["x₁, to unit", "x₂, to unit", "class 0, bias", "class 1, bias"] {
        assert!(harness.query_all_by_label_contains(name).next().is_some(), "{name}");
    }
    harness.get_by_label("optimizer seen from inside").click();
    harness.run_steps(3);
    harness.get_by_label("SGD").click();
    harness.run_steps(3);
    assert!(label(&harness, "network of").starts_with("network of SGD"));
    assert!(label(&harness, "unit 2 of hidden layer 1").starts_with(&spoken(&sgd)));
    assert_ne!(spoken(&adam), spoken(&sgd));
}

#[test]
fn a_click_keeps_a_unit_beside_the_graph_and_in_a_small_tile_instead_of_it() {
    for (size, beside) in [(vec2(900.0, 500.0), true), (vec2(330.0, 300.0), false)] {
        let mut harness = Scene::new(run(&["hidden=3", "layers=1"], 20), "inside").harness(size);
        let enlarged = |harness: &Harness<'_, Scene>| {
            harness.query_by_label("what unit 3 of hidden layer 1 answers over the plane").is_some()
        };
        assert!(!enlarged(&harness));
        harness.get_by_label_contains("unit 3 of hidden layer 1, bias").click();
        harness.run_steps(3);
        assert!(enlarged(&harness), "{size}");
        assert_eq!(harness.query_by_label_contains("network of").is_some(), beside, "{size}");
        harness.get_by_label("close unit").click();
        harness.run_steps(3);
        assert!(!enlarged(&harness) && harness.query_by_label_contains("network of").is_some());
    }
}

#[test]
fn inside_has_a_unit_for_each_feature_and_class_and_leaves_out_what_has_no_room() {
    let state = run(&["points=gaussians", "feature_x1_x2=on", "feature_sin_x2=on", "hidden=30", "burn_adam=off"], 0);
    let harness = Scene::new(state, "inside").harness(vec2(700.0, 260.0));
    assert!(label(&harness, "network of").contains("4–30–30–3 units"));
    for name in ["x₁x₂, to", "sin 2x₂, to", "class 2, bias"] {
        assert!(harness.query_all_by_label_contains(name).next().is_some(), "{name}");
    }
    let drawn = harness.query_all_by_label_contains("of hidden layer 2, bias").count();
    assert!((4..20).contains(&drawn), "{drawn} of 30");
}

#[test]
fn inside_follows_the_cursor_into_the_past() {
    let [first, last] = [0, 20].map(|steps| run(&["use_sgd=on"], steps));
    let recorded = weights(&first, "burn_adam");
    assert_ne!(recorded, weights(&last, "burn_adam"));
    let spoken = |cursor: u64| {
        let recorded = recorded.clone();
        let mut scene = Scene::new(last.clone(), "inside").recorded(move |key, _| {
            let values = recorded.clone();
            let cols = values.len() as u32;
            (key == "weights/burn_adam").then_some((0, Payload::Matrix { rows: 1, cols, values }))
        });
        scene.cursor = cursor;
        label(&scene.harness(vec2(900.0, 500.0)), "unit 1 of hidden layer 1, bias")
    };
    assert!(spoken(0).contains("bias 0"), "biases begin at 0: {}", spoken(0));
    assert_ne!(spoken(0), spoken(20));
}

#[test]
fn inside_says_why_it_is_empty() {
    let large = Scene::new(run(&["hidden=64", "burn_adam=off"], 0), "inside").harness(vec2(700.0, 400.0));
    assert!(large.query_by_label_contains("4482 weights and biases; they are sent for up to 4096").is_some());
    let mut old = run(&["hidden=8"], 0);
    old.payloads.retain(|key, _| !key.starts_with("weights/"));
    let old = Scene::new(old, "inside").harness(vec2(700.0, 400.0));
    assert!(old.query_by_label_contains("No weights were recorded").is_some());
}

#[test]
fn the_guide_tells_what_the_line_is_and_whether_the_selected_optimizer_overfits() {
    let mut harness = Scene::new(run(&[], 20), "guide").harness(vec2(420.0, 2_400.0));
    for words in
        ["On the line two classes are equally likely", "patch of one colour", "It sees x₁, x₂. 2–16–16–2 units"]
    {
        assert!(harness.query_by_label_contains(words).is_some(), "{words}");
    }
    assert!(harness.query_by_label_contains("Burn Adam’s test loss").is_some());
    harness.get_by_label("See it from inside").click();
    harness.run_steps(2);
    assert!(harness.state().actions.contains(&ViewAction::ShowTile("inside")));
    harness.get_by_label_contains("Thirty training points").click();
    harness.run_steps(2);
    let set = |key: &str| {
        harness
            .state()
            .actions
            .iter()
            .any(|action| matches!(action, ViewAction::SetParam { key: set, .. } if set == key))
    };
    assert!(set("point_count") && set("batch_size") && set("regularisation"));
}
