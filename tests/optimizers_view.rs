//! The tiles of the optimizers lab on an analytic surface, drawn from a hand-made run, without a window.

#[path = "optimizers_view/race.rs"]
mod race;
mod support;
#[path = "optimizers_view/theory.rs"]
mod theory;

use eframe::egui::{Pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use learnscope::engine::params::Value;
use learnscope::engine::state::RunState;
use learnscope::kit::view::{Cursor, ViewAction};
use learnscope::labs::optimizers::rules::Rule;
use learnscope::labs::optimizers::{self, on_network, surfaces};
use learnscope::plot::style::Style;

use support::optimizer_run;
use support::scene::Scene;

impl Scene {
    fn new(changes: &[&str], tile: &'static str) -> Self {
        let run = optimizer_run::run(&optimizer_run::params(changes));
        Self { cursor: 150, ..Scene::of("optimizers", run, tile) }
    }
}

/// Every tile of the surface experiment, and the guide.
fn tiles() -> Vec<&'static str> {
    let shown = optimizers::view::new().shown(&optimizer_run::params(&[])).into_iter().map(|tile| tile.id);
    ["guide"].into_iter().chain(shown).collect()
}

#[test]
fn every_tile_is_drawn_in_every_style_size_and_state() {
    // Nothing yet; a run; a run in which optimizers diverge, seen after that.
    let ravine = ["surface=ill_conditioned_quadratic", "learning_rate=1", "steps=600"];
    for (changes, with_run, cursor) in
        [(&[][..], false, (0, 0)), (&[][..], true, (150, 3)), (&ravine[..], true, (599, 0))]
    {
        for style in [Style::dark(), Style::light(), Style::high_contrast()] {
            for size in [vec2(640.0, 400.0), vec2(120.0, 90.0), vec2(1.0, 1.0), vec2(0.0, 0.0)] {
                for tile in tiles() {
                    let mut scene = Scene::new(changes, tile);
                    scene.style = style.clone();
                    (scene.cursor, scene.sub) = cursor;
                    scene.presenting = !style.dark;
                    if !with_run {
                        scene.run = RunState::default();
                    }
                    scene.command("field-arrows");
                    // The message of a tile without a run is longer than the least tile.
                    if size.x < 240.0 {
                        scene.harness(size);
                    } else {
                        scene.stays_within(size);
                    }
                }
            }
        }
    }
}

#[test]
fn every_surface_has_a_field_and_a_guide() {
    for surface in surfaces::ALL {
        for tile in ["field", "guide", "curves-f", "microscope"] {
            let scene = Scene::new(&[&format!("surface={}", surface.id), "steps=160"], tile);
            scene.stays_within(vec2(500.0, 400.0));
        }
    }
}

#[test]
fn a_typed_function_is_drawn_with_gaps_where_it_has_no_value() {
    for function in
        ["x^4 + 2x^3 + y^2 - 1", "ln(x)", "1/x + 1/y", "sqrt(1 - x^2 - y^2)", "1/0", "5", "exp(exp(9x))", "x^2"]
    {
        for tile in tiles() {
            let function = format!("function={function}");
            let scene = Scene::new(&["surface=own", &function, "steps=160"], tile);
            scene.stays_within(vec2(500.0, 400.0));
        }
    }
}

#[test]
fn each_experiment_has_tiles_of_its_own() {
    let view = optimizers::view::new();
    let network = optimizer_run::params(&["experiment=network"]);
    assert!(on_network(&network));
    let (surface, network) = (view.shown(&optimizer_run::params(&[])), view.shown(&network));
    assert!(!network.is_empty() && network.iter().all(|tile| !surface.contains(tile)));
    assert_eq!(surface.len() + network.len(), view.tiles().len(), "every tile lies somewhere");
}

/// The newest value that was asked for, and whether it was final.
fn asked(scene: &Scene, wanted: &str) -> Option<(f64, bool)> {
    scene.actions.iter().rev().find_map(|action| match action {
        ViewAction::SetParam { key, value: Value::Float(value), settled } if key == wanted => Some((*value, *settled)),
        _ => None,
    })
}

#[test]
fn dragging_in_the_field_moves_the_start_and_releasing_settles_it() {
    let mut harness = Scene::new(&[], "field").harness(vec2(700.0, 500.0));
    harness.run_steps(3);
    let field = harness.get_by_label_contains("from above").rect();
    let from = field.center();
    let to = from + vec2(field.width() / 4.0, -field.height() / 4.0);
    harness.drag_at(from);
    harness.run_steps(1);
    harness.hover_at(to);
    harness.run_steps(1);
    let (x, settled) = asked(harness.state(), "start_x").expect("a drag sets start_x");
    // The saddle is drawn from −1 to 1.
    assert!((x - 0.5).abs() < 0.01 && !settled, "{x} {settled}");
    harness.drop_at(to);
    harness.run_steps(2);
    for key in ["start_x", "start_y"] {
        let (value, settled) = asked(harness.state(), key).unwrap();
        assert!((value - 0.5).abs() < 0.01 && settled, "{key} {value} {settled}");
    }
    let settled =
        harness.state().actions.iter().filter(|action| matches!(action, ViewAction::SetParam { settled: true, .. }));
    assert_eq!(settled.count(), 2, "released once");
}

#[test]
fn a_click_in_the_field_sets_the_start_at_once() {
    let mut harness = Scene::new(&[], "field").harness(vec2(700.0, 500.0));
    harness.run_steps(3);
    harness.get_by_label_contains("from above").click();
    harness.run_steps(2);
    assert_eq!(asked(harness.state(), "start_x"), Some((0.0, true)));
}

#[test]
fn panning_leaves_the_start_alone() {
    let mut harness = Scene::new(&[], "field").harness(vec2(700.0, 500.0));
    harness.run_steps(3);
    let at = harness.get_by_label_contains("from above").rect().center();
    harness.event(eframe::egui::Event::ModifiersChanged(eframe::egui::Modifiers::SHIFT));
    harness.drag_at(at);
    harness.run_steps(1);
    harness.hover_at(at + vec2(60.0, 40.0));
    harness.run_steps(1);
    harness.drop_at(at + vec2(60.0, 40.0));
    harness.run_steps(2);
    assert_eq!(asked(harness.state(), "start_x"), None);
}

#[test]
fn a_click_in_a_curve_moves_the_timeline() {
    let mut harness = Scene::new(&[], "curves-f").harness(vec2(600.0, 400.0));
    harness.run_steps(3);
    harness.get_by_label_contains("curves-f").click();
    harness.run_steps(2);
    let step = harness.state().actions.iter().find_map(|action| match action {
        ViewAction::Seek(cursor) => Some(cursor.step),
        _ => None,
    });
    assert!(step.is_some_and(|step| step.abs_diff(210) < 4), "the middle of 420 steps: {step:?}");
}

#[test]
fn the_microscope_walks_through_the_parts_and_into_the_next_update() {
    let mut harness = Scene::new(&[], "microscope").harness(vec2(900.0, 500.0));
    harness.run_steps(3);
    // Adam is selected; its update has seven parts.
    let seek = |harness: &mut Harness<'_, Scene>, label: &str| {
        harness.state_mut().actions.clear();
        harness.get_by_label(label).click();
        harness.run_steps(2);
        let cursor = harness.state().actions.iter().find_map(|action| match action {
            ViewAction::Seek(cursor) => Some(*cursor),
            _ => None,
        });
        let Cursor { step, sub } = cursor.unwrap_or_default();
        (harness.state_mut().cursor, harness.state_mut().sub) = (step, sub);
        cursor
    };
    for sub in 1..=7 {
        assert_eq!(seek(&mut harness, "next ▶"), Some(Cursor { step: 150, sub }));
    }
    assert_eq!(seek(&mut harness, "next ▶"), Some(Cursor { step: 151, sub: 1 }));
    assert_eq!(seek(&mut harness, "◀ back"), Some(Cursor { step: 150, sub: 7 }));
    harness.run_steps(1);
    assert!(harness.query_by_label_contains("part 1: gradient").is_some(), "parts are readable by name");
}

/// Every rule on.
const ALL_ON: [&str; 14] = [
    "use_adamw=on",
    "use_amsgrad=on",
    "use_nadam=on",
    "use_radam=on",
    "use_adamax=on",
    "use_adan=on",
    "use_heavy_ball=on",
    "use_rmsprop_momentum=on",
    "use_rmsprop_centered=on",
    "use_rprop=on",
    "use_lion=on",
    "use_asgd=on",
    "use_lbfgs=on",
    "use_lbfgs_fixed=on",
];

#[test]
fn every_optimizer_is_selected_by_its_command_and_shown_in_every_tile() {
    let variants = ["convention=burn", "epsilon_place=inside", "schedule=cosine", "bias_correction=off"];
    for changes in [ALL_ON.to_vec(), [&ALL_ON[..], &variants[..]].concat()] {
        for tile in tiles() {
            // On a saddle L-BFGS is soon beyond all numbers.
            let mut scene = Scene::new(&[&changes[..], &["surface=himmelblau"]].concat(), tile);
            for rule in Rule::ALL {
                scene.command(&format!("select-{}", rule.id()));
                let mut parts = 0;
                scene.with_view(|view, ctx| parts = view.sub_steps(ctx));
                assert!(parts >= 3, "{rule:?} is under the microscope");
                scene.sub = parts;
            }
            let mut harness = scene.harness(vec2(640.0, 400.0));
            harness.run_steps(2);
        }
    }
}

#[test]
fn the_guide_tells_where_a_variant_parts_from_the_article() {
    let texts = |changes: &[&str]| {
        let mut harness = Scene::new(changes, "guide").harness(vec2(420.0, 3000.0));
        harness.run_steps(3);
        ["FIRST STEP THAT DIFFERS", "Adam       step 1", "SGD        none in the first 420 steps"]
            .map(|text| harness.query_by_label_contains(text).is_some())
    };
    assert_eq!(texts(&[]), [false; 3]);
    assert_eq!(texts(&["bias_correction=off"]), [true; 3]);
}

#[test]
fn the_trajectories_of_every_optimizer_are_exported() {
    let mut scene = Scene::new(&[&ALL_ON[..], &["steps=3"]].concat(), "field");
    scene.command("export-paths-csv");
    scene.command("export-paths-json");
    let [ViewAction::SaveText { text: csv, .. }, ViewAction::SaveText { text: json, .. }] = &scene.actions[..] else {
        panic!("{:?}", scene.actions);
    };
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    for rule in Rule::ALL {
        assert!(csv.contains(&format!("\n3,{},", rule.id())), "{rule:?}");
        let states = json["optimizers"][rule.id()]["states"].as_object().unwrap();
        assert_eq!(states.len(), rule.state_names().len(), "{rule:?}");
    }
}

#[test]
fn selecting_in_the_legend_selects_everywhere() {
    let mut harness = Scene::new(&[], "curves-y").harness(vec2(600.0, 400.0));
    harness.run_steps(3);
    harness.get_by_label("select NAG").click();
    harness.run_steps(2);
    let mut parts = 0;
    harness.state_mut().with_view(|view, ctx| parts = view.sub_steps(ctx));
    assert_eq!(parts, 5, "look-ahead, gradient, pull, velocity, move");
}

#[test]
fn trajectories_are_exported_with_every_bit() {
    let mut scene = Scene::new(&["steps=3", "use_sgd=off"], "field");
    scene.command("export-paths-csv");
    scene.command("export-paths-json");
    let [ViewAction::SaveText { name: csv_name, text: csv }, ViewAction::SaveText { text: json, .. }] =
        &scene.actions[..]
    else {
        panic!("{:?}", scene.actions);
    };
    assert_eq!(csv_name, "trajectories-saddle.csv");
    assert_eq!(csv.lines().count(), 1 + 6 * 4);
    let row = csv.lines().find(|line| line.starts_with("2,adam,")).unwrap();
    let x: f64 = row.split(',').nth(2).unwrap().parse().unwrap();
    let recorded = &scene.run.tables["path/adam"];
    assert_eq!(x.to_bits(), recorded.row(2).unwrap()[0].to_bits());
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(json["optimizers"]["adam"]["x"][2].as_f64().unwrap().to_bits(), x.to_bits());
    assert_eq!(json["optimizers"]["adam"]["states"]["m"][0], serde_json::json!([0.0, 0.0]));
    assert!(json["optimizers"].get("sgd").is_none());
}

#[test]
fn without_a_run_an_export_says_why_there_is_none() {
    let mut scene = Scene::new(&[], "field");
    scene.run = RunState::default();
    scene.command("export-paths-csv");
    assert!(matches!(&scene.actions[..], [ViewAction::Notice(_, text)] if text.contains("start a run")));
}

#[test]
fn a_wheel_over_the_field_zooms_and_fit_shows_everything_again() {
    let mut harness = Scene::new(&[], "field").harness(vec2(700.0, 500.0));
    harness.run_steps(3);
    let centre: Pos2 = harness.get_by_label_contains("from above").rect().center();
    harness.hover_at(centre);
    harness.run_steps(1);
    harness.event(eframe::egui::Event::MouseWheel {
        unit: eframe::egui::MouseWheelUnit::Point,
        delta: vec2(0.0, 200.0),
        phase: eframe::egui::TouchPhase::Move,
        source: eframe::egui::MouseWheelSource::Unknown,
        modifiers: eframe::egui::Modifiers::NONE,
    });
    harness.run_steps(4);
    // A click a quarter of the width to the right of the centre is now nearer to 0 than the 0.5 of the whole surface.
    let field = harness.get_by_label_contains("from above").rect();
    let aside = field.center() + vec2(field.width() / 4.0, 0.0);
    let click = |harness: &mut Harness<'_, Scene>| {
        harness.drag_at(aside);
        harness.drop_at(aside);
        harness.run_steps(2);
        asked(harness.state(), "start_x").unwrap().0
    };
    let zoomed = click(&mut harness);
    assert!(zoomed > 0.05 && zoomed < 0.45, "{zoomed}");
    harness.get_by_label("fit").click();
    harness.run_steps(2);
    let whole = click(&mut harness);
    assert!((whole - 0.5).abs() < 0.01, "{whole}");
}

#[test]
fn a_map_of_starts_is_computed_and_a_click_takes_a_start_over() {
    let mut harness = Scene::new(&["surface=himmelblau", "steps=60"], "maps").harness(vec2(420.0, 420.0));
    support::scene::wait_for(&mut harness, "% of the starts arrive");
    harness.get_by_label("map of starts").click();
    harness.run_steps(3);
    let asked = |harness: &Harness<'_, Scene>, key: &str| {
        harness.state().actions.iter().any(|action| matches!(action, ViewAction::SetParam { key: of, .. } if of == key))
    };
    assert!(asked(&harness, "start_x") && asked(&harness, "start_y"), "{:?}", harness.state().actions);
    harness.state_mut().command("maps-kind");
    support::scene::wait_for(&mut harness, "% of the pairs arrive");
    harness.get_by_label("map of hyper-parameters");
}

#[test]
fn courses_of_the_rate_are_drawn_and_their_handles_set_the_form() {
    let set = ["schedule=warmup", "schedule_warmup=40", "steps=200", "momentum_schedule=linear"];
    let mut harness = Scene::new(&set, "schedules").harness(vec2(600.0, 320.0));
    harness.run_steps(3);
    for handle in ["end of the warm-up: 0.01", "η at the end: 1.00e-4", "μ at first: 0.5", "μ at the end: 0.9"] {
        assert!(harness.query_by_label_contains(handle).is_some(), "{handle}");
    }
    let set_to = |harness: &Harness<'_, Scene>, key: &str| {
        let found = harness.state().actions.iter().rev().find_map(|action| match action {
            ViewAction::SetParam { key: set, value, settled } if set == key => Some((value.clone(), *settled)),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("{key}: {:?}", harness.state().actions))
    };
    let from = harness.get_by_label_contains("end of the warm-up").rect().center();
    let to = from + vec2(30.0, 20.0);
    harness.drag_at(from);
    harness.run_steps(2);
    harness.hover_at(to);
    harness.run_steps(2);
    let (Value::Int(updates), false) = set_to(&harness, "schedule_warmup") else { panic!("an unsettled whole number") };
    assert!(updates > 50, "{updates}");
    let (Value::Float(eta), false) = set_to(&harness, "learning_rate") else { panic!("an unsettled number") };
    assert!(eta < 0.0095 && eta > 0.004, "{eta}");
    harness.drop_at(to);
    harness.run_steps(2);
    assert!(set_to(&harness, "learning_rate").1, "settled when it is let go");
    harness.get_by_label("cosine").click();
    harness.run_steps(2);
    assert_eq!(set_to(&harness, "schedule"), (Value::Text("cosine".to_owned()), true));
    harness.get_by_label("anneal μ").click();
    harness.run_steps(2);
    assert_eq!(set_to(&harness, "momentum_schedule").0, Value::Text("constant".to_owned()));
}
