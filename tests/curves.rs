//! A tile of curves as a lab has it that gives a list of series and nothing else, drawn without a window.

mod support;

use eframe::egui::{self, Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use std::sync::Arc;

use learnscope::engine::event::RunHeader;
use learnscope::engine::numbers::{Numbers, Stand};
use learnscope::engine::params::{Params, Value};
use learnscope::engine::state::RunState;
use learnscope::kit::curves::{About, Axis, CurvesTile, LOG, axis};
use learnscope::kit::pinned::Pinned;
use learnscope::kit::series::{Quantity, quantity};
use learnscope::kit::tiles::{self, Arrangement, Node, Tile, TileSpec, Tiles};
use learnscope::kit::view::{LabView, ViewAction, ViewCtx};
use learnscope::plot::style::{Dash, Style};

use support::made_run::{MadeRun, header, params};
use support::scene::{Scene, label};

#[derive(Default)]
struct Toy {
    curves: CurvesTile,
}

const L_AE: Quantity = Quantity { noisy: true, ..quantity("loss/ae", "L_ae", 7, Dash::Solid, "reconstruction") };
const L_CL: Quantity = quantity("loss/cl", "L_cl", 1, Dash::DashDot, "contrast");
const LAMBDA: Quantity = quantity("lambda", "λ", 3, Dash::Solid, "weight of L_cl");
const LOSSES: Axis = Axis { scale: LOG, switch: "log", ..axis("losses against the step", "Losses", "loss") };
const WEIGHT: Axis =
    Axis { include: &[0.0], levels: &[(0.5, "half")], ..axis("weight against the step", "Weight", "λ") };

static CURVES: Tile<Toy> = Tile {
    spec: TileSpec { id: "curves", title: "Curves", help: "Losses and weight.", area: "all", follows_cursor: true },
    show: |view, ui, ctx| {
        let twin = ctx.run.twin.is_some().then(|| "λ 2".to_owned());
        let about = About { text: "what one sees".to_owned(), twin, ..About::default() };
        view.curves.lists(&about, "after the first step", &[(LOSSES, &[L_AE, L_CL]), (WEIGHT, &[LAMBDA])], ui, ctx);
    },
    commands: &[],
};
static TILES: Tiles<Toy> = &[&CURVES];

impl LabView for Toy {
    fn tiles(&self) -> Vec<&'static TileSpec> {
        tiles::specs(TILES)
    }
    fn arrangement(&self, _: &Params) -> Arrangement {
        Arrangement { id: "toy", root: Node::Area("all") }
    }
    fn tile(&mut self, tile: &str, ui: &mut egui::Ui, ctx: &mut ViewCtx<'_>) {
        tiles::show(TILES, self, tile, ui, ctx);
    }
    fn guide(&mut self, _: &mut egui::Ui, _: &mut ViewCtx<'_>) {}
    fn commands(&self) -> Vec<(&'static str, &'static str)> {
        tiles::commands(TILES)
    }
    fn command(&mut self, id: &str, ctx: &mut ViewCtx<'_>, egui: &egui::Context) {
        tiles::run(TILES, self, id, ctx, egui);
    }
}

/// 40 steps, 10 an epoch; a twin from step 20 on.
fn run(twin: bool) -> RunState {
    let params = params(learnscope::labs::segmentation::params::PARAMS, &[]);
    let mut run = MadeRun::starts(header("segmentation", &params, 40));
    for step in 1..=40u64 {
        let (decay, noise) = ((-0.1 * step as f64).exp(), if step.is_multiple_of(2) { 0.25 } else { -0.25 });
        let values = [("loss/ae", decay + noise), ("loss/cl", 2.0 * decay), ("lambda", 0.025 * step as f64)];
        run.scalars(step, "", &values);
        run.scalars(step, "", &[("epoch", step as f64 / 10.0)]);
        if twin && step >= 20 {
            run.scalars(step, "twin/", &values);
        }
    }
    if twin {
        run.changed(20, "twin/learning_rate", Value::Float(0.002), Value::Float(0.01));
    }
    run.ends(40)
}

fn scene(run: RunState) -> Scene {
    Scene { view: Box::<Toy>::default(), ..Scene::of("segmentation", run, "curves") }
}

/// Whether the legend's entry of this name is highlighted.
fn stands_out(harness: &Harness<'_, Scene>, name: &str) -> bool {
    let name = format!("select {name}");
    harness.get_by_label(&name).accesskit_node().toggled() == Some(egui::accesskit::Toggled::True)
}

#[test]
fn a_list_of_series_is_a_tile() {
    let mut harness = scene(run(false)).harness(vec2(900.0, 420.0));
    let words = label(&harness, "losses against the step");
    // 2 e⁻⁴ at the cursor, and the mean of the last epoch over what jumps from batch to batch.
    assert!(words.contains("L_cl 0.0366") && words.contains("L_ae, mean of an epoch 0.0"), "{words}");
    assert!(!words.contains("twin"), "{words}");
    assert!(label(&harness, "weight against the step").contains("λ 1.00"));
    harness.get_by_label_contains("weight against the step").click();
    harness.run_steps(2);
    let seek = harness.state().actions.iter().find_map(|action| match action {
        ViewAction::Seek(cursor) => Some(cursor.step),
        _ => None,
    });
    assert!(seek.is_some_and(|step| step.abs_diff(20) < 2), "the middle of 40 steps: {seek:?}");
    assert!(label(&scene(run(true)).harness(vec2(900.0, 420.0)), "losses").contains("L_cl (twin) 0.0366"));
}

#[test]
fn an_entry_of_the_legend_is_highlighted_by_a_click_and_switched_off_by_one_with_ctrl() {
    let mut harness = scene(run(true)).harness(vec2(900.0, 420.0));
    let click = |name: &str, modifiers: Modifiers, harness: &mut Harness<'_, Scene>| {
        let name = format!("select {name}");
        let at = harness.get_by_label(&name).rect().center();
        harness.event(egui::Event::ModifiersChanged(modifiers));
        harness.drag_at(at);
        harness.run_steps(1);
        harness.drop_at(at);
        harness.run_steps(2);
        harness.event(egui::Event::ModifiersChanged(Modifiers::NONE));
        harness.run_steps(1);
    };
    click("L_cl", Modifiers::NONE, &mut harness);
    assert!(stands_out(&harness, "L_cl") && !stands_out(&harness, "L_ae"));
    click("L_cl", Modifiers::NONE, &mut harness);
    assert!(!stands_out(&harness, "L_cl"), "and back");

    click("L_cl", Modifiers::COMMAND, &mut harness);
    let words = label(&harness, "losses against the step");
    assert!(!words.contains("L_cl") && words.contains("L_ae (twin)"), "{words}");
    click("twin", Modifiers::COMMAND, &mut harness);
    let words = label(&harness, "losses against the step");
    assert!(words.contains("L_ae") && !words.contains("twin"), "{words}");
    for name in ["L_cl", "twin"] {
        click(name, Modifiers::COMMAND, &mut harness);
    }
    assert!(label(&harness, "losses against the step").contains("L_cl (twin)"), "all of it is back");
}

#[test]
fn a_tile_has_a_switch_only_for_an_axis_that_can_be_logarithmic() {
    let mut harness = scene(run(false)).harness(vec2(900.0, 420.0));
    harness.get_by_label("log").click();
    harness.run_steps(2);
    // Where one panel is shown at a time, the switch is there with the panel it belongs to.
    let mut harness = scene(run(false)).harness(vec2(300.0, 200.0));
    harness.get_by_label("log");
    assert!(harness.query_by_label_contains("weight against the step").is_none());
    harness.get_by_label("Weight").click();
    harness.run_steps(2);
    harness.get_by_label_contains("weight against the step");
    assert!(harness.query_by_label("log").is_none());
}

#[test]
fn a_tile_of_curves_is_met_in_every_style_size_and_state() {
    for style in [Style::dark(), Style::light(), Style::high_contrast()] {
        for size in [vec2(760.0, 420.0), vec2(300.0, 160.0), vec2(60.0, 40.0), vec2(1.0, 1.0), vec2(0.0, 0.0)] {
            for state in [RunState::default(), run(false), run(true)] {
                let mut scene = scene(state);
                scene.style = style.clone();
                scene.presenting = size.x > 500.0 && !style.dark;
                // The message of a tile without a run is longer than the least tile.
                if size.x < 240.0 { drop(scene.harness(size)) } else { scene.stays_within(size) }
            }
        }
    }
    scene(RunState::default()).harness(vec2(400.0, 300.0)).get_by_label("No run yet");
}

#[test]
fn a_number_that_is_not_one_leaves_the_rest_alone() {
    let mut state = run(false);
    for (key, value) in [("loss/cl", f64::NAN), ("loss/cl", f64::INFINITY), ("lambda", f64::NEG_INFINITY)] {
        let body = learnscope::engine::event::Body::Scalars(vec![(key.into(), value)]);
        let event = learnscope::engine::event::Event { run: state.id.unwrap(), step: 41, seconds: 0.0, body };
        state.apply(&event);
    }
    let mut harness = scene(state).harness(vec2(900.0, 420.0));
    harness.key_press(Key::Tab);
    harness.run_steps(2);
    assert!(label(&harness, "losses against the step").contains("L_ae"));
}

/// Pinned runs at these learning rates, each with a loss that stays at its rate.
fn pinned(rates: &[f64]) -> Arc<Pinned> {
    let specs = learnscope::labs::segmentation::params::PARAMS;
    let run = |rate: &f64| {
        let params = params(specs, &[&format!("learning_rate={rate}")]);
        let header = RunHeader { name: "mine".into(), params, ..RunHeader::default() };
        let curves = [("loss/cl".to_owned(), vec![[1.0, *rate], [30.0, *rate]].into())].into();
        Arc::new(Numbers {
            folder: format!("runs/{rate}").into(),
            header,
            curves,
            last: [("loss/cl".to_owned(), *rate)].into(),
            left_out: 0,
            stand: Stand::default(),
        })
    };
    Arc::new(Pinned::of(specs, rates.iter().map(run).collect(), "", &Style::dark()))
}

#[test]
fn pinned_runs_lie_behind_the_run_and_have_their_legend() {
    let mut scene = scene(run(false));
    scene.past.pinned = pinned(&[0.001, 0.01]);
    let mut harness = scene.harness(vec2(900.0, 420.0));
    let words = label(&harness, "losses against the step");
    assert!(words.contains("L_cl 0.0366"), "the run itself stays: {words}");
    for rate in ["0.001", "0.01"] {
        let name = harness
            .state()
            .past
            .pinned
            .runs
            .iter()
            .map(|run| run.name.clone())
            .find(|name| name.ends_with(rate))
            .unwrap();
        assert!(words.contains(&format!("L_cl, {name}")), "{words}");
        harness.get_by_label(&format!("select {name}"));
    }
    // One that is not measured in a panel is not drawn there.
    assert!(!label(&harness, "weight against the step").contains("0.001"));
    let first = harness.state().past.pinned.runs[0].name.clone();
    harness.get_by_label(&format!("select {first}")).click();
    harness.run_steps(3);
    assert!(stands_out(&harness, &first));
    // The run that is shown is not drawn behind itself.
    let mut state = run(false);
    state.header.as_mut().unwrap().folder = "runs/0.001".to_owned();
    let mut scene = self::scene(state);
    scene.past.pinned = pinned(&[0.001, 0.01]);
    let names: Vec<String> = scene.past.pinned.runs.iter().map(|run| run.name.clone()).collect();
    let harness = scene.harness(vec2(900.0, 420.0));
    let words = label(&harness, "losses against the step");
    assert!(!words.contains(&format!("L_cl, {}", names[0])) && words.contains(&names[1]), "{words}");
    assert!(harness.query_by_label(&format!("select {}", names[0])).is_none());
    harness.get_by_label(&format!("select {}", names[1]));
    // More than a legend has room for: their number stands there.
    let mut scene = self::scene(run(false));
    scene.past.pinned = pinned(&(1..=14).map(|k| 0.001 * f64::from(k)).collect::<Vec<_>>());
    scene.harness(vec2(460.0, 260.0)).get_by_label("select 14 pinned runs");
}
