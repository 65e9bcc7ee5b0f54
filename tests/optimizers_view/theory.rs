//! The tiles that lay theory beside practice.

use eframe::egui::{Key, Modifiers, vec2};
use egui_kittest::kittest::Queryable;
use learnscope::engine::params::Value;
use learnscope::kit::view::ViewAction;

use super::support::scene::{Scene, label, wait_for};
use super::{asked, optimizer_run};

const RAVINE: [&str; 6] = [
    "surface=ill_conditioned_quadratic",
    "start_x=-1.8",
    "start_y=0.4",
    "learning_rate=0.019",
    "steps=400",
    "use_adam=off",
];

fn ravine(tile: &'static str) -> Scene {
    let mut scene = Scene::new(&RAVINE, tile);
    scene.cursor = 400;
    scene
}

/// Selects an optimizer in the legend of another tile.
fn selecting(mut scene: Scene, name: &str) -> Scene {
    let tiles = std::mem::replace(&mut scene.tiles, vec!["curves-x"]);
    let mut harness = scene.harness(vec2(700.0, 400.0));
    harness.get_by_label(&format!("select {name}")).click();
    harness.run_steps(2);
    let mut scene = harness.into_state();
    scene.tiles = tiles;
    scene
}

#[test]
fn the_curvature_lens_tells_eigenvalues_condition_and_the_limits_of_the_learning_rate() {
    let harness = ravine("curvature").harness(vec2(900.0, 420.0));
    assert!(label(&harness, "λ₁ = 100 along 90°").contains("Bowl"));
    label(&harness, "Condition number κ = |λ|ₘₐₓ/|λ|ₘᵢₙ = 100");
    label(&harness, "limit 2/λ₁ = 0.02: stable, |1 − ηλ₁| = 0.9 of it stays a step");
    label(&harness, "Momentum: η is 0.019, limit (2 + 2μ)/λ₁ = 0.038: stable");
    label(&harness, "NAG: η is 0.019, limit (2 + 2μ)/((1 + 2μ)λ₁) = 0.0136: above");
    label(&harness, "surface around the place, bowl");
    label(&harness, "local quadratic model, bowl");
    let above = Scene::new(&[RAVINE[0], "learning_rate=0.0202"], "curvature").harness(vec2(900.0, 420.0));
    label(&above, "above, grows by |1 − ηλ₁| = 1.02 a step");
}

#[test]
fn an_adaptive_optimizer_sees_its_own_curvature() {
    let harness = Scene::new(&["surface=ill_conditioned_quadratic"], "curvature").harness(vec2(900.0, 420.0));
    label(&harness, "Adam sees P^−½HP^−½ with λ₁");
    label(&harness, "limit 38/η = 3800");
}

#[test]
fn a_saddle_is_left_at_any_learning_rate() {
    let harness = selecting(Scene::new(&[], "curvature"), "SGD").harness(vec2(900.0, 420.0));
    label(&harness, "Saddle:");
    label(&harness, "gradient descent leaves by 1.02 a step");
}

#[test]
fn the_lens_looks_closer_and_wider() {
    let mut harness = ravine("curvature").harness(vec2(900.0, 420.0));
    for name in ["closer", "wider", "wider"] {
        harness.get_by_label(name).click();
        harness.run_steps(2);
    }
    let mut scene = harness.into_state();
    (0..60).for_each(|_| scene.command("curvature-closer"));
    scene.stays_within(vec2(500.0, 300.0));
}

#[test]
fn theory_and_measurement_stand_side_by_side_and_agree() {
    let harness = ravine("phase").harness(vec2(700.0, 500.0));
    // SGD: 1 − ηλ₂ = 0.981.
    let sgd = label(&harness, "SGD: theory 0.981 per step, measured 0.981 (");
    assert!(sgd.ends_with("steps)"), "{sgd}");
    label(&harness, "Momentum: theory 0.9487 per step, measured 0.94");
    label(&harness, "oscillating, ×0.9487 a step");
    label(&harness, "exact: a quadratic");
}

#[test]
fn the_point_is_dragged_and_the_run_follows() {
    let mut harness = ravine("phase").harness(vec2(700.0, 500.0));
    let plane = harness.get_by_label_contains("phase diagram").rect();
    harness.drag_at(plane.center());
    harness.run_steps(1);
    let to = plane.center() + vec2(0.1 * plane.width(), -0.25 * plane.height());
    harness.hover_at(to);
    harness.run_steps(1);
    let (mu, settled) = asked(harness.state(), "momentum").unwrap();
    assert!((mu - 0.75).abs() < 0.01 && !settled, "{mu} {settled}");
    harness.drop_at(to);
    harness.run_steps(2);
    let (eta, settled) = asked(harness.state(), "learning_rate").unwrap();
    // From 2e-4 to 0.05, three fifths of the way on a logarithmic axis.
    let wanted = 2e-4 * (0.05_f64 / 2e-4).powf(0.6);
    assert!((eta / wanted - 1.0).abs() < 0.05 && settled, "{eta} {wanted} {settled}");
}

#[test]
fn arrow_keys_move_the_point_once_it_has_the_focus() {
    let mut harness = ravine("phase").harness(vec2(700.0, 500.0));
    harness.get_by_label_contains("phase diagram").focus();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::NONE, Key::ArrowRight);
    harness.run_steps(2);
    assert_eq!(asked(harness.state(), "learning_rate"), Some((0.01995, true)));
    harness.key_press_modifiers(Modifiers::SHIFT, Key::ArrowDown);
    harness.run_steps(2);
    assert_eq!(asked(harness.state(), "momentum"), Some((0.898, true)));
}

#[test]
fn the_fastest_pair_is_set_for_either_momentum() {
    let mut scene = ravine("phase");
    scene.command("phase-optimum");
    let (eta, mu) = (asked(&scene, "learning_rate").unwrap().0, asked(&scene, "momentum").unwrap().0);
    assert!((eta - 0.033_057_85).abs() < 1e-8 && (mu - (9.0 / 11.0_f64).powi(2)).abs() < 1e-6, "{eta} {mu}");
    let mut harness = scene.harness(vec2(700.0, 500.0));
    harness.get_by_label("NAG").click();
    harness.run_steps(2);
    harness.get_by_label("fastest").click();
    harness.run_steps(2);
    let (eta, mu) = (asked(harness.state(), "learning_rate").unwrap().0, asked(harness.state(), "momentum").unwrap().0);
    assert!((eta - 4.0 / 301.0).abs() < 1e-5 && (mu - 0.793).abs() < 1e-3, "{eta} {mu}");
}

#[test]
fn elsewhere_the_local_model_is_named_as_such() {
    for tile in ["phase", "modes"] {
        let harness = Scene::new(&["surface=himmelblau"], tile).harness(vec2(900.0, 400.0));
        label(&harness, "local model at Adam, step 150");
    }
}

#[test]
fn the_eigen_directions_are_told_by_their_roots() {
    let harness = selecting(ravine("modes"), "Momentum").harness(vec2(1100.0, 320.0));
    // r² − (1 + μ − ηλ) r + μ with ηλ₁ = 1.9: the roots of r² + 0.9; for λ₂ of r² − 1.881 r + 0.9.
    label(&harness, "λ₁: r = 0 ± 0.949i, |r| = 0.9487");
    label(&harness, "λ₂: r = 0.941 ± 0.124i, |r| = 0.9487");
    let told = label(&harness, "components along the eigenvectors");
    let values: Vec<&str> = told.split(", ").collect();
    let of = |name: &str| values.iter().find_map(|part| part.strip_prefix(name)).unwrap_or_else(|| panic!("{told}"));
    assert_eq!(of("Momentum λ₁ "), of("theory λ₁ "), "practice is theory on a quadratic: {told}");
    assert_eq!(of("Momentum λ₂ "), of("theory λ₂ "));
    label(&harness, "residual polynomial of 400 steps");
}

#[test]
fn a_narrow_tile_shows_one_panel_at_a_time() {
    let mut harness = ravine("modes").harness(vec2(420.0, 260.0));
    assert!(harness.query_by_label_contains("roots in the complex plane").is_none());
    harness.get_by_label("roots").click();
    harness.run_steps(2);
    label(&harness, "roots in the complex plane");
    harness.state_mut().command("modes-panel");
    harness.run_steps(2);
    label(&harness, "residual polynomial");
}

#[test]
fn on_a_surface_that_is_no_quadratic_components_say_why_there_are_none() {
    let harness = Scene::new(&["surface=rosenbrock"], "modes").harness(vec2(1100.0, 320.0));
    label(&harness, "No quadratic");
    label(&harness, "roots in the complex plane");
}

#[test]
fn a_fan_is_computed_and_says_what_it_is() {
    let mut scene = Scene::new(&["gradient_noise=0.5", "surface=booth", "steps=100"], "fan");
    scene.cursor = 50;
    let mut harness = scene.harness(vec2(800.0, 400.0));
    wait_for(&mut harness, "fan chart of f, ");
    assert!(label(&harness, "100 runs, σ 0.5").ends_with("median, 25–75 %, 5–95 %"));
    assert!(harness.query_by_label("add noise").is_none());
    let told = label(&harness, "fan chart of f, ");
    assert!(told.contains("Adam, median") && told.contains("Adam, 95 %"), "{told}");
    harness.get_by_label("100 runs").click();
    harness.run_steps(2);
    wait_for(&mut harness, "300 runs, σ 0.5");
}

#[test]
fn a_fan_has_theorys_noise_floor_beside_the_measured_one() {
    let set = ["gradient_noise=2", "surface=booth", "start_x=1", "start_y=3", "steps=1500", "learning_rate=0.02"];
    let mut harness = selecting(Scene::new(&set, "fan"), "SGD").harness(vec2(900.0, 400.0));
    wait_for(&mut harness, "mean f − f*: theory ");
    let told = label(&harness, "mean f − f*: theory ");
    let numbers: Vec<f64> = told.split(' ').filter_map(|word| word.parse().ok()).collect();
    // Runs, theory, measured.
    let [.., theory, measured] = numbers[..] else { panic!("{told}") };
    assert!(theory > 0.0 && (measured / theory - 1.0).abs() < 0.1, "{told}");
}

#[test]
fn without_noise_the_fan_offers_some() {
    let mut harness = Scene::new(&["surface=booth", "start_x=-4", "start_y=4"], "fan").harness(vec2(800.0, 400.0));
    wait_for(&mut harness, "fan chart of f, ");
    label(&harness, "100 runs without noise: all the same");
    harness.get_by_label("add noise").click();
    harness.run_steps(2);
    let found = harness.state().actions.iter().find_map(|action| match action {
        ViewAction::SetParam { key, value: Value::Float(sigma), settled: true } if key == "gradient_noise" => {
            Some(*sigma)
        }
        _ => None,
    });
    assert_eq!(found, Some(5.0), "a tenth of the slope (−42, −30) at the start, in one figure");
}

#[test]
fn a_long_fan_is_cancelled_and_computed_after_all() {
    let run = optimizer_run::run(&optimizer_run::params(&["steps=100000", "gradient_noise=0.1"]));
    let mut scene = Scene::of("optimizers", run, "fan");
    (0..2).for_each(|_| scene.command("fan-runs"));
    let mut harness = scene.harness(vec2(800.0, 400.0));
    wait_for(&mut harness, "cancel");
    wait_for(&mut harness, "of 1000 runs");
    harness.get_by_label("cancel").click();
    harness.run_steps(2);
    label(&harness, "It was cancelled");
    harness.get_by_label("compute again").click();
    wait_for(&mut harness, "cancel");
}

#[test]
fn theory_of_a_path_is_that_of_where_the_path_is() {
    // Adam is still on its way through the saddle's neighbourhood when SGD has settled in a bowl.
    let himmelblau = ["surface=himmelblau", "start_x=-0.5", "start_y=-0.5", "steps=300"];
    let mut scene = Scene::new(&himmelblau, "phase");
    scene.cursor = 120;
    let mut harness = scene.harness(vec2(640.0, 500.0));
    harness.run_steps(3);
    let told = label(&harness, "SGD: theory ");
    let numbers: Vec<f64> = told.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert!(numbers.first().is_some_and(|theory| *theory < 1.0), "{told}");
    harness.get_by_label_contains("a saddle: it leaves");
}
