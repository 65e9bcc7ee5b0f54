//! What pointer and keys do to the view, the start and the cursor.

use eframe::egui::{self, EventFilter, Key, Modifiers, PointerButton, Rect, Response, Ui};

use crate::engine::params::Value;
use crate::gpu::camera::{Camera, View};
use crate::gpu::height_field::HeightField;
use crate::kit::view::{Cursor, ViewAction, ViewCtx};
use crate::labs::optimizers::rules::Rule;

use super::{State, scene};

/// Radians per point of a drag, and per press of an arrow key.
const ORBIT_PER_POINT: f32 = 0.008;
const ORBIT_PER_KEY: f32 = 0.087;

/// Points that a press of an arrow key with Shift moves.
const PAN_PER_KEY: f32 = 24.0;

/// A path or the start ring is meant when the pointer is this near, points.
const REACH: f32 = 10.0;

/// What the drag in progress does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Drag {
    #[default]
    Camera,
    /// It moves the start of the paths.
    Start,
}

/// Takes this frame's input.
pub fn handle(
    state: &mut State,
    ui: &Ui,
    response: &Response,
    rect: Rect,
    view: &View,
    field: &HeightField,
    ctx: &mut ViewCtx<'_>,
) {
    let local = |at: egui::Pos2| -> [f32; 2] { (at - rect.min).into() };
    let modifiers = ui.input(|input| input.modifiers);
    state.hovered =
        response.hover_pos().and_then(|at| field.hit(&view.ray(local(at)))).map(|hit| field.from_box([hit[0], hit[1]]));

    pointer(state, ui, response, rect, view, field, ctx);
    if response.double_clicked() && !modifiers.command {
        state.camera = state.home;
    } else if response.clicked() {
        response.request_focus();
        match state.hovered {
            Some(at) if modifiers.command => set_start(field, at, true, ctx),
            _ => {
                let at = response.interact_pointer_pos().map(local);
                if let Some((_, step)) = at.and_then(|at| nearest_step(state, view, field, at)) {
                    ctx.actions.push(ViewAction::Seek(Cursor { step, sub: 0 }));
                }
            }
        }
    }
    if response.hovered() {
        let zoom = ui.input(|input| input.zoom_delta() * (input.smooth_scroll_delta().y / 300.0).exp());
        if zoom != 1.0 {
            state.camera.zoom_by(zoom);
        }
    }
    if response.has_focus() {
        let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        keys(&mut state.camera, state.home, ui, view);
    }
}

fn pointer(
    state: &mut State,
    ui: &Ui,
    response: &Response,
    rect: Rect,
    view: &View,
    field: &HeightField,
    ctx: &mut ViewCtx<'_>,
) {
    let (modifiers, origin) = ui.input(|input| (input.modifiers, input.pointer.press_origin()));
    let start = scene::start(ctx)
        .and_then(|at| scene::on_surface(field, at))
        .and_then(|at| view.project(at))
        .map(|[x, y, _]| rect.min + egui::vec2(x, y));
    let on_start = |at: egui::Pos2| start.is_some_and(|start| start.distance(at) <= REACH);
    if response.drag_started() {
        let primary = response.dragged_by(PointerButton::Primary) && !modifiers.shift;
        let grabs = primary && (modifiers.command || origin.is_some_and(on_start));
        state.drag = if grabs { Drag::Start } else { Drag::Camera };
    }
    match state.drag {
        Drag::Start if response.dragged() || response.drag_stopped() => {
            // Beside the surface the start stays at the border of the last place.
            let at = response.interact_pointer_pos().or(response.hover_pos());
            let hit = at.and_then(|at| field.hit(&view.ray((at - rect.min).into())));
            if let Some(hit) = hit {
                set_start(field, field.from_box([hit[0], hit[1]]), response.drag_stopped(), ctx);
            } else if let (true, Some(at)) = (response.drag_stopped(), scene::start(ctx)) {
                set_start(field, at, true, ctx);
            }
        }
        Drag::Camera if response.dragged() => {
            let delta = response.drag_delta();
            let turn = response.dragged_by(PointerButton::Primary) && !modifiers.shift;
            if turn {
                state.camera.orbit(-delta.x * ORBIT_PER_POINT, delta.y * ORBIT_PER_POINT);
            } else {
                state.camera.pan(view, delta.into());
            }
        }
        Drag::Start | Drag::Camera => {}
    }
    if response.drag_stopped() {
        state.drag = Drag::Camera;
    }
    let icon = if state.drag == Drag::Start || response.hover_pos().is_some_and(on_start) || modifiers.command {
        egui::CursorIcon::Crosshair
    } else if response.dragged() {
        egui::CursorIcon::Grabbing
    } else {
        egui::CursorIcon::Grab
    };
    if response.hovered() || response.dragged() {
        ui.ctx().set_cursor_icon(icon);
    }
}

fn keys(camera: &mut Camera, home: Camera, ui: &Ui, view: &View) {
    let arrows = [
        (Key::ArrowLeft, [-1.0, 0.0]),
        (Key::ArrowRight, [1.0, 0.0]),
        (Key::ArrowUp, [0.0, -1.0]),
        (Key::ArrowDown, [0.0, 1.0]),
    ];
    let pressed = |modifiers: Modifiers, key: Key| ui.input_mut(|input| input.consume_key(modifiers, key));
    for (key, [x, y]) in arrows {
        // Shift first: a key without modifiers also matches with Shift.
        if pressed(Modifiers::SHIFT, key) {
            camera.pan(view, [-x * PAN_PER_KEY, -y * PAN_PER_KEY]);
        } else if pressed(Modifiers::NONE, key) {
            camera.orbit(x * ORBIT_PER_KEY, -y * ORBIT_PER_KEY);
        }
    }
    if pressed(Modifiers::NONE, Key::Plus) || pressed(Modifiers::NONE, Key::Equals) {
        camera.zoom_by(1.1);
    }
    if pressed(Modifiers::NONE, Key::Minus) {
        camera.zoom_by(1.0 / 1.1);
    }
    if pressed(Modifiers::NONE, Key::Home) {
        *camera = home;
    }
}

/// Asks for a new start, rounded to a ten-thousandth of the domain so that the form shows a readable number.
fn set_start(field: &HeightField, at: [f64; 2], settled: bool, ctx: &mut ViewCtx<'_>) {
    for (key, value, [low, high]) in [("start_x", at[0], field.x), ("start_y", at[1], field.y)] {
        let unit = 10f64.powf((high - low).log10().floor() - 4.0);
        // Dividing by a whole number keeps short decimals short: 0.1234 rather than 0.12340000000000001.
        let rounded = if unit < 1.0 { (value / unit).round() / (1.0 / unit).round() } else { value.round() };
        ctx.set(key, Value::Float(rounded.clamp(low, high)), settled);
    }
}

/// The optimizer and the step whose place on the screen is nearest to `at`, if within reach and not hidden.
pub fn nearest_step(state: &State, view: &View, field: &HeightField, at: [f32; 2]) -> Option<(Rule, u64)> {
    let hit_depth = field.hit(&view.ray(at)).and_then(|hit| view.project(hit)).map(|[.., depth]| depth);
    let mut best: Option<(f32, Rule, u64)> = None;
    for trail in &state.trails {
        // Pieces of a trail are a pixel or two long: every few of them is near enough for a pointer.
        let every = (trail.segments.len() / 3_000).max(1);
        for segment in trail.segments.iter().step_by(every) {
            let Some([x, y, depth]) = view.project(segment.to) else { continue };
            let distance = (x - at[0]).hypot(y - at[1]);
            let hidden = hit_depth.is_some_and(|hit| depth > hit + 0.08);
            if distance <= REACH && !hidden && best.is_none_or(|(least, ..)| distance < least) {
                best = Some((distance, trail.rule, segment.steps[1].round() as u64));
            }
        }
    }
    best.map(|(_, rule, step)| (rule, step))
}
