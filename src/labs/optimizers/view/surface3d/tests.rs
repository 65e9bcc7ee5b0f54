//! The view without and with wgpu, drawn from a hand-written run.

use eframe::egui::{Key, Modifiers, PointerButton, Pos2};
use eframe::egui_wgpu::RenderState;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state, default_wgpu_setup};

use super::*;
use crate::engine::event::{Body, Event, RunHeader};
use crate::engine::params::{Params, Value};
use crate::engine::state::RunState;
use crate::kit::view::{Cursor, NoPast, ViewAction};
use crate::labs::optimizers::params::PARAMS;
use crate::plot::style::Style;

struct World {
    view: State,
    run: RunState,
    params: Params,
    cursor: Cursor,
    actions: Vec<ViewAction>,
    /// Draw the same state twice in a frame.
    twice: bool,
    style: Style,
}

/// Gradient descent and a straight line on the saddle, 200 steps.
fn world() -> World {
    let mut run = RunState::default();
    let id = RunId(7);
    let params = Params::defaults(PARAMS);
    let header = RunHeader { lab: "optimizers".into(), params: params.clone(), steps: 200, ..RunHeader::default() };
    let mut apply = |body| run.apply(&Event { run: id, step: 200, seconds: 0.0, body });
    apply(Body::Started(Box::new(header)));
    let path = |point: &dyn Fn(f64) -> [f64; 2]| -> Arc<[f64]> {
        (0..=200).flat_map(|k| point(f64::from(k))).collect::<Vec<_>>().into()
    };
    let descent = path(&|k| [0.5 * 0.98f64.powf(k), 1e-2 * 1.02f64.powf(k)]);
    let line = path(&|k| [0.5, 0.01 + 0.004 * k]);
    apply(Body::Rows { key: "path/sgd".into(), columns: 2, data: descent });
    apply(Body::Rows { key: "path/adam".into(), columns: 2, data: line });
    World {
        view: State::default(),
        run,
        params,
        cursor: Cursor { step: 120, sub: 0 },
        actions: Vec::new(),
        twice: false,
        style: Style::dark(),
    }
}

/// `state`: the window's wgpu, where it has one.
fn harness(world: World, size: [f32; 2], state: Option<RenderState>) -> Harness<'static, World> {
    let builder = Harness::builder().with_size(size).with_step_dt(1.0 / 60.0).with_context_setup(install_font);
    let builder = match &state {
        Some(state) => builder.renderer(WgpuTestRenderer::from_render_state(state.clone())),
        None => builder,
    };
    builder.build_ui_state(
        move |ui: &mut Ui, world: &mut World| {
            let World { view, run, params, cursor, actions, twice, style } = world;
            let wgpu = state.as_ref();
            let past = &NoPast;
            let mut ctx = ViewCtx { run, params, cursor: *cursor, style, wgpu, past, presenting: false, actions };
            if *twice {
                ui.columns(2, |columns| {
                    columns.iter_mut().for_each(|column| super::ui(view, &mut Rule::Adam, column, &mut ctx))
                });
            } else {
                super::ui(view, &mut Rule::Adam, ui, &mut ctx);
            }
        },
        world,
    )
}

/// The bundled font: the harness stops at a missing glyph.
fn install_font(ctx: &egui::Context) {
    const INTER: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/fonts/Inter-Regular.otf"));
    let mut fonts = egui::FontDefinitions::empty();
    fonts.font_data.insert("inter".to_owned(), Arc::new(egui::FontData::from_static(INTER)));
    for family in [egui::FontFamily::Proportional, egui::FontFamily::Monospace] {
        fonts.families.insert(family, vec!["inter".to_owned()]);
    }
    ctx.set_fonts(fonts);
}

/// wgpu of any adapter; `None` after a printed reason.
fn render_state() -> Option<RenderState> {
    if crate::compute::device::adapters().is_empty() {
        let required = std::env::var_os("LEARNSCOPE_REQUIRE_ADAPTER").is_some();
        assert!(!required, "LEARNSCOPE_REQUIRE_ADAPTER is set and no graphics adapter was found");
        eprintln!("skipped: no graphics adapter (install Mesa's lavapipe for a software one)");
        return None;
    }
    Some(create_render_state(default_wgpu_setup(), eframe::egui_wgpu::RendererOptions::PREDICTABLE))
}

const NAME: &str = "Saddle in three dimensions";

#[test]
fn it_draws_at_every_size_without_wgpu() {
    for size in [[0.0, 0.0], [1.0, 300.0], [40.0, 30.0], [600.0, 450.0]] {
        for twice in [false, true] {
            let mut harness = harness(World { twice, ..world() }, size, None);
            harness.run_steps(3);
            assert!(harness.state().actions.is_empty());
        }
    }
}

/// Where a point of the domain is on the screen.
fn on_screen(harness: &Harness<'_, World>, point: [f64; 2]) -> Pos2 {
    let rect = harness.get_by_label(NAME).rect();
    let state = &harness.state().view;
    let field = &state.field.as_ref().expect("drawn before").field;
    let view = state.camera.view(
        [rect.width(), rect.height()],
        margin(TextStyle::Small.resolve(&harness.ctx.global_style()).size, rect.height()),
    );
    let at = scene::on_surface(field, point).expect("inside");
    let [x, y, _] = view.project(at).expect("before the eye");
    rect.min + egui::vec2(x, y)
}

fn press(harness: &mut Harness<'_, World>, at: Pos2, to: Pos2, modifiers: Modifiers) {
    harness.event(egui::Event::ModifiersChanged(modifiers));
    harness.hover_at(at);
    harness.run_steps(2);
    for (pos, pressed) in [(at, true), (to, false)] {
        harness.hover_at(pos);
        harness.event(egui::Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers });
        harness.run_steps(2);
    }
    harness.event(egui::Event::ModifiersChanged(Modifiers::NONE));
}

#[test]
fn without_wgpu_it_says_so_and_stays_usable() {
    let mut harness = harness(world(), [600.0, 450.0], None);
    harness.run_steps(2);
    let camera = harness.state().view.camera;
    press(&mut harness, Pos2::new(300.0, 400.0), Pos2::new(350.0, 420.0), Modifiers::NONE);
    assert_ne!(harness.state().view.camera, camera, "a drag turns the view");
    assert!(harness.state().actions.is_empty());
    harness.get_by_label("first view").click();
    harness.run_steps(2);
    assert_eq!(harness.state().view.camera, camera);
}

#[test]
fn keys_turn_move_and_zoom_once_it_has_the_focus() {
    let mut harness = harness(world(), [600.0, 450.0], None);
    harness.run_steps(2);
    let first = harness.state().view.camera;
    harness.key_press(Key::ArrowLeft);
    harness.run_steps(2);
    assert_eq!(harness.state().view.camera, first, "without focus the arrows belong to others");
    harness.get_by_label(NAME).focus();
    harness.run_steps(2);
    harness.key_press(Key::ArrowLeft);
    harness.run_steps(2);
    assert!(harness.state().view.camera.yaw < first.yaw);
    harness.key_press_modifiers(Modifiers::SHIFT, Key::ArrowLeft);
    harness.run_steps(2);
    assert_ne!(harness.state().view.camera.target, first.target);
    harness.key_press(Key::Plus);
    harness.run_steps(2);
    assert!(harness.state().view.camera.zoom > first.zoom);
    harness.key_press(Key::Home);
    harness.run_steps(2);
    assert_eq!(harness.state().view.camera, first);
}

#[test]
fn a_click_on_a_path_goes_to_its_step() {
    let mut harness = harness(world(), [600.0, 450.0], None);
    harness.run_steps(2);
    // From the other side: the path goes down behind the saddle.
    harness.state_mut().view.camera.yaw = 1.08;
    harness.run_steps(2);
    let at = on_screen(&harness, [0.5, 0.01 + 0.004 * 150.0]);
    press(&mut harness, at, at, Modifiers::NONE);
    let [ViewAction::Seek(cursor)] = harness.state().actions[..] else { panic!("{:?}", harness.state().actions) };
    assert!(cursor.step.abs_diff(150) <= 6, "{cursor:?}");
}

/// The start that was asked for last, and whether it is settled.
fn asked_start(actions: &[ViewAction]) -> Option<([f64; 2], bool)> {
    let of = |wanted: &str| {
        actions.iter().rev().find_map(|action| match action {
            ViewAction::SetParam { key, value: Value::Float(v), settled } if key == wanted => Some((*v, *settled)),
            _ => None,
        })
    };
    let ((x, settled), (y, _)) = (of("start_x")?, of("start_y")?);
    Some(([x, y], settled))
}

#[test]
fn control_click_and_dragging_the_ring_choose_the_start() {
    let mut harness = harness(world(), [600.0, 450.0], None);
    harness.run_steps(2);
    let camera = harness.state().view.camera;
    let wanted = [-0.2, 0.6];
    let at = on_screen(&harness, wanted);
    press(&mut harness, at, at, Modifiers::COMMAND);
    let (start, settled) = asked_start(&harness.state().actions).expect("a start is asked for");
    assert!(settled && (start[0] - wanted[0]).abs() < 0.03 && (start[1] - wanted[1]).abs() < 0.03, "{start:?}");
    // Readable numbers.
    assert!(format!("{:?}", start[0]).len() <= 8, "{start:?}");

    harness.state_mut().actions.clear();
    let ring = on_screen(&harness, [0.5, 0.01]);
    press(&mut harness, ring, at, Modifiers::NONE);
    let (start, settled) = asked_start(&harness.state().actions).expect("a start is asked for");
    assert!(settled && (start[0] - wanted[0]).abs() < 0.03 && (start[1] - wanted[1]).abs() < 0.03, "{start:?}");
    assert_eq!(harness.state().view.camera, camera, "the view stays where it is");
}

#[test]
fn with_wgpu_two_instances_share_a_frame_and_show_the_surface() {
    let Some(wgpu) = render_state() else { return };
    let mut harness = harness(World { twice: true, ..world() }, [800.0, 400.0], Some(wgpu));
    harness.run_steps(2);
    let image = harness.render().expect("a picture");
    let background = Style::dark().plot_background;
    for left in [0, 400] {
        let other = (left + 60..left + 340).flat_map(|x| (60..340).map(move |y| (x, y)));
        let covered = other.filter(|&(x, y)| {
            let [r, g, b, _] = image.get_pixel(x, y).0;
            let far = |a: u8, b: u8| a.abs_diff(b) > 24;
            far(r, background.r()) || far(g, background.g()) || far(b, background.b())
        });
        assert!(covered.count() > 20_000, "the half at {left} is empty");
    }
}

#[test]
fn the_old_paths_stay_until_those_of_the_next_run_begin() {
    let mut harness = harness(world(), [300.0, 200.0], None);
    let laid = |harness: &Harness<'_, World>| harness.state().view.trails.len();
    assert_eq!(laid(&harness), 2);
    let header = harness.state().run.header.clone().expect("started");
    let apply = |harness: &mut Harness<'_, World>, body| {
        harness.state_mut().run.apply(&Event { run: RunId(8), step: 0, seconds: 0.0, body });
        harness.run_steps(2);
    };
    apply(&mut harness, Body::Started(Box::new(header)));
    apply(&mut harness, Body::Status(Status::Running));
    assert_eq!(laid(&harness), 2);
    apply(&mut harness, Body::Rows { key: "path/adam".into(), columns: 2, data: Arc::new([0.1, 0.2, 0.3, 0.2]) });
    assert_eq!(laid(&harness), 1);
    assert_eq!(harness.state().view.run, Some(RunId(8)));
}

#[test]
fn long_paths_are_laid_over_several_frames() {
    let mut world = world();
    let id = world.run.id.expect("started");
    let long: Arc<[f64]> = (0..600_000_u32).flat_map(|k| [f64::from(k % 1_000) * 1e-3, 0.3]).collect();
    world.run.apply(&Event {
        run: id,
        step: 600_000,
        seconds: 1.0,
        body: Body::Rows { key: "path/nag".into(), columns: 2, data: long },
    });
    let mut harness = harness(world, [300.0, 200.0], None);
    let consumed = |harness: &Harness<'_, World>| {
        let trails = &harness.state().view.trails;
        trails.iter().find(|trail| trail.rule == Rule::Nag).map_or(0, |trail| trail.builder.consumed())
    };
    let first = consumed(&harness);
    assert!(first < 600_000, "{first}");
    harness.run_steps(12);
    assert!(consumed(&harness) >= 600_000);
}
