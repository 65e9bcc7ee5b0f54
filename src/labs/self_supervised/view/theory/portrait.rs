//! The phase portrait of a mode, with the network's measured modes laid over it.

use eframe::egui::accesskit::Role;
use eframe::egui::{Color32, Mesh, Painter, Pos2, Rect, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::engine::event::Payload;
use crate::kit::fields::{self, Fields};
use crate::kit::view::ViewCtx;
use crate::labs::self_supervised::theory::basin::Bounds as Window;
use crate::labs::self_supervised::theory::modes::{FixedPoint, ModeDynamics, Stability};
use crate::labs::self_supervised::theory::portrait::{
    ARROWS, Overlay, PhasePortrait, overlay, path_from, phase_portrait,
};
use crate::plot::axes::{Axes, Bounds, Titles};
use crate::plot::curve::label;
use crate::plot::legend::{self, Entry};
use crate::plot::scale::Scale;
use crate::plot::stroke::{LineMesh, Pen, Stop};
use crate::plot::style::{Category, Dash, Style};
use crate::plot::{number, scatter, tile};

use super::Theory;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::labs::self_supervised::view::SelfSupervisedView;

/// The tile.
pub static TILE: Tile<SelfSupervisedView> = Tile {
    spec: TileSpec {
        id: "theory",
        title: "Theory",
        help: "The linear theory of one mode: flow, nullclines, fixed points, separatrix and the basin of collapse, \
               with the network's modes laid over it. Every slider moves it. Click to follow a start.",
        area: "large",
        follows_cursor: true,
    },
    show: |view, ui, ctx| super::ui(&mut view.theory, "theory", ui, ctx),
    commands: &[
        TileCommand {
            id: "theory-from-run",
            title: "Theory: take decays and rates from the run",
            run: |view, ctx, _| view.theory.take_from_run(ctx),
        },
        TileCommand {
            id: "theory-reset",
            title: "Theory: first values of the sliders",
            run: |view, _, _| view.theory.constants = Theory::default().constants,
        },
        TileCommand {
            id: "theory-clear",
            title: "Theory: forget the start and its path",
            run: |view, _, _| view.theory.portrait.fit(),
        },
        TileCommand {
            id: "theory-scaled",
            title: "Theory: α_p s or s on the vertical axis",
            run: |view, _, _| view.theory.portrait.scaled = !view.theory.portrait.scaled,
        },
        TileCommand {
            id: "theory-modes",
            title: "Theory: the network's modes on or off",
            run: |view, _, _| view.theory.portrait.modes = !view.theory.portrait.modes,
        },
    ],
};

/// View state of the tile.
#[derive(Debug)]
pub struct Portrait {
    cached: Option<PhasePortrait>,
    arrows: Option<(Axes, ModeDynamics, Color32, LineMesh)>,
    /// A start (p, s) that the user chose, and its path.
    start: Option<[f64; 2]>,
    path: Option<(ModeDynamics, [f64; 2], Vec<[f64; 2]>)>,
    /// The vertical axis is α_p s.
    scaled: bool,
    modes: bool,
}

impl Default for Portrait {
    fn default() -> Self {
        Self { cached: None, arrows: None, start: None, path: None, scaled: false, modes: true }
    }
}

impl Portrait {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        let write =
            |start: &Option<[f64; 2]>| start.map(|at| at.map(|v| fields::of(v, 6)).join(" ")).unwrap_or_default();
        fields.text("start", &mut self.start, None, write, |text| fields::numbers(text).map(Some));
        fields.value("scaled", &mut self.scaled, false);
        fields.value("modes", &mut self.modes, true);
    }

    /// Forgets the path.
    pub fn fit(&mut self) {
        self.start = None;
    }
}

/// Time that a path follows.
const DURATION: f64 = 400.0;

/// Draws the tile.
pub fn ui(state: &mut Theory, bar: Rect, rest: Rect, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let mode = state.constants.mode;
    let window = Window::of(&mode);
    let portrait = &mut state.portrait;
    let current = portrait.cached.as_ref().is_some_and(|c| c.dynamics == mode && c.bounds == window);
    if !current {
        portrait.cached = Some(phase_portrait(&mode, &window));
    }
    let about = "flow of an L2 loss; click to follow a start";
    tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
        if tile::button(ui, portrait.start.is_some(), "clear", "Forget the start and its path", size) {
            portrait.start = None;
        }
        if tile::toggle(ui, portrait.scaled, "α_p s", "Draw α_p s: the basin then does not depend on α_p", size) {
            portrait.scaled = !portrait.scaled;
        }
        let help = "Lay the network's measured modes over it";
        if tile::toggle(ui, portrait.modes, "modes", help, size) {
            portrait.modes = !portrait.modes;
        }
    });
    let Some(found) = portrait.cached.clone() else { return };
    let fitted = if portrait.modes { measured(ctx, &mode) } else { None };
    let entries = entries(style);
    let mut height = legend::height(ui, &entries, rest.width(), size);
    if height > 0.36 * rest.height() {
        height = 0.0;
    }
    let outer = Rect::from_min_max(rest.min, rest.max - vec2(0.0, height));
    if outer.width() < 8.0 || outer.height() < 8.0 {
        return;
    }
    draw(portrait, &found, fitted.as_ref(), outer, ui, ctx);
    if height > 0.0 {
        legend::show(ui, Rect::from_min_max(pos2(rest.left(), outer.bottom()), rest.max), &entries, style, size);
    }
}

fn entries(style: &Style) -> Vec<Entry<'static>> {
    let entry = |name, color, dash, help: &str| Entry {
        name,
        category: Category { color, dash },
        selected: false,
        help: help.to_owned(),
    };
    vec![
        entry("p rests", style.category(4).color, Dash::DashDot, "Nullcline: s = η_p p/(α_p e) with e = r − S p"),
        entry("s rests", style.category(3).color, Dash::Dotted, "Nullcline: s = 0, or p e = η, that is p₋ and p₊"),
        entry("separatrix", style.error, Dash::Solid, "Below it a mode collapses: the shaded basin"),
    ]
}

/// The network's modes with λ in the units of the theory, and what was done to them.
fn measured(ctx: &ViewCtx<'_>, mode: &ModeDynamics) -> Option<(Overlay, String)> {
    let (_, payload) = ctx.payload("theory/modes")?;
    let Payload::Matrix { cols: 2, values, .. } = &*payload else { return None };
    let modes: Vec<[f64; 2]> = values.chunks_exact(2).map(|pair| [f64::from(pair[1]), f64::from(pair[0])]).collect();
    let fitted = overlay(mode, &modes)?;
    let note = format!("network (cosine loss), λ ÷ {}; theory: L2", number::short(fitted.scale));
    Some((fitted, note))
}

fn draw(
    state: &mut Portrait,
    found: &PhasePortrait,
    fitted: Option<&(Overlay, String)>,
    outer: Rect,
    ui: &Ui,
    ctx: &ViewCtx<'_>,
) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let mode = found.dynamics;
    let unit = if state.scaled { mode.alpha_p } else { 1.0 };
    let bounds = Bounds::new(found.bounds.p, [-0.03 * found.bounds.s * unit, found.bounds.s * unit]);
    let axes = Axes::new(outer, bounds, [Scale::Linear; 2], size, 0.6 * size);
    let at = |[p, s]: [f64; 2]| axes.at(p, s * unit);
    let response = ui.interact(axes.rect, ui.scope_id().with("phase portrait"), Sense::click_and_drag());
    let share = number::short(100.0 * found.basin_fraction);
    let spoken = format!("phase portrait of a mode, {share} per cent of the picture collapses");
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &spoken));
    if let Some(pos) = response.interact_pointer_pos().filter(|_| response.clicked() || response.dragged()) {
        let [p, s] = axes.from_screen(pos);
        state.start = Some([p.clamp(found.bounds.p[0], found.bounds.p[1]), (s / unit).clamp(0.0, found.bounds.s)]);
    }
    let painter = ui.painter_at(outer);
    let inside = ui.painter_at(axes.rect);
    inside.rect_filled(axes.rect, 2.0, style.plot_background);
    axes.draw_grid(&inside, style, style.rule.gamma_multiply(0.6));
    shade(&inside, found, &at, style.error.gamma_multiply(if style.dark { 0.22 } else { 0.16 }));
    draw_arrows(state, found, &axes, unit, &inside, style);
    let width = size / 11.0;
    let line = |points: &[[f64; 2]], color: Color32, dash: Dash, wide: f32| {
        let run: Vec<Stop> = points.iter().map(|point| (at(*point), 0)).collect();
        let pen = Pen { width: wide * width, color, dash, feather: 1.0 / inside.pixels_per_point() };
        LineMesh::new([run.as_slice()], pen).draw(&inside);
    };
    line(&found.p_nullcline, style.category(4).color, Dash::DashDot, 1.8);
    for p in &found.s_nullclines {
        line(&[[*p, 0.0], [*p, found.bounds.s]], style.category(3).color, Dash::Dotted, 1.8);
    }
    line(&[[found.bounds.p[0], 0.0], [found.bounds.p[1], 0.0]], style.category(3).color, Dash::Dotted, 1.8);
    for piece in &found.separatrix {
        line(piece, style.error, Dash::Solid, 2.2);
    }
    if let Some((fitted, _)) = fitted {
        for point in &fitted.points {
            let place = at(*point);
            if axes.rect.contains(place) {
                scatter::point(
                    &inside,
                    place,
                    0.42 * size,
                    scatter::Marker::Diamond,
                    style.accent.gamma_multiply(0.9),
                    Stroke::new(1.0, style.plot_background),
                );
            }
        }
    }
    if let Some(start) = state.start {
        if state.path.as_ref().is_none_or(|(of, from, _)| *of != mode || *from != start) {
            state.path = Some((mode, start, path_from(&mode, start, DURATION)));
        }
        if let Some((.., path)) = &state.path {
            line(path, style.text, Dash::Solid, 1.8);
        }
        inside.circle(at(start), 0.42 * size, style.plot_background, Stroke::new(2.0, style.text));
    }
    for point in &found.fixed_points {
        fixed_point(&inside, at([point.p, point.s]), 0.5 * size, point, style);
    }
    let y = if state.scaled { "α_p s" } else { "s, eigenvalue of F" };
    axes.draw_labels(&painter, style, &Titles { x: "p, eigenvalue of Wp", y });
    captions(&inside, &axes, &format!("basin of collapse {share} %"), fitted, size, style);
    hover(&inside, &axes, found, &at, response.hover_pos(), size, style);
}

/// How large the basin is and what the diamonds are, at the top right.
fn captions(painter: &Painter, axes: &Axes, basin: &str, fitted: Option<&(Overlay, String)>, size: f32, style: &Style) {
    let font = eframe::egui::FontId::proportional(size);
    let room = axes.rect.width() - 2.5 * size;
    let mut top = axes.rect.top() + 0.4 * size;
    for (text, diamond) in [(Some(basin), false), (fitted.map(|(_, note)| note.as_str()), true)] {
        let Some(text) = text else { continue };
        let galley = painter.layout(text.to_owned(), font.clone(), style.text_weak, room);
        let place = pos2(axes.rect.right() - galley.size().x - 0.6 * size, top);
        let mut plate = Rect::from_min_size(place, galley.size()).expand(2.0);
        if diamond {
            plate.min.x -= 1.3 * size;
        }
        painter.rect_filled(plate, 2.0, style.plot_background.gamma_multiply(0.75));
        if diamond {
            let at = pos2(place.x - 0.8 * size, top + 0.6 * size);
            scatter::point(painter, at, 0.42 * size, scatter::Marker::Diamond, style.accent, Stroke::NONE);
        }
        top += galley.size().y + 0.35 * size;
        painter.galley(place, galley, style.text_weak);
    }
}

/// What lies under the pointer: a fixed point, or where a mode would end.
fn hover(
    painter: &Painter,
    axes: &Axes,
    found: &PhasePortrait,
    at: &dyn Fn([f64; 2]) -> Pos2,
    pointer: Option<Pos2>,
    size: f32,
    style: &Style,
) {
    let Some(pointer) = pointer else { return };
    let near = found.fixed_points.iter().find(|point| at([point.p, point.s]).distance(pointer) < size);
    if let Some(point) = near {
        let [a, b] = point.eigenvalues.map(number::short);
        let kind = match point.stability {
            Stability::Stable => "stable",
            Stability::Saddle => "saddle",
            Stability::Marginal => "marginal",
            Stability::Unstable => "unstable",
        };
        let text = format!("{kind}  p {}  s {}  eigenvalues {a}, {b}", number::short(point.p), number::short(point.s));
        label(painter, axes.rect, at([point.p, point.s]), &text, size, style);
    }
}

/// The basin of collapse: between neighbouring places p, from stretch to stretch; where their number changes, as columns.
fn shade(painter: &Painter, found: &PhasePortrait, at: &dyn Fn([f64; 2]) -> Pos2, color: Color32) {
    let mut mesh = Mesh::default();
    let mut quad = |[p0, low0, high0]: [f64; 3], [p1, low1, high1]: [f64; 3]| {
        let first = mesh.vertices.len() as u32;
        for corner in [[p0, low0], [p0, high0], [p1, low1], [p1, high1]] {
            mesh.colored_vertex(at(corner), color);
        }
        mesh.add_triangle(first, first + 1, first + 2);
        mesh.add_triangle(first + 1, first + 2, first + 3);
    };
    for pair in found.shade.windows(2) {
        let ((p0, left), (p1, right)) = (&pair[0], &pair[1]);
        if left.len() == right.len() {
            for (a, b) in left.iter().zip(right) {
                quad([*p0, a[0], a[1]], [*p1, b[0], b[1]]);
            }
        } else {
            let middle = (p0 + p1) / 2.0;
            left.iter().for_each(|a| quad([*p0, a[0], a[1]], [middle, a[0], a[1]]));
            right.iter().for_each(|b| quad([middle, b[0], b[1]], [*p1, b[0], b[1]]));
        }
    }
    painter.add(Shape::mesh(mesh));
}

fn draw_arrows(state: &mut Portrait, found: &PhasePortrait, axes: &Axes, unit: f64, painter: &Painter, style: &Style) {
    let color = style.text_weak.gamma_multiply(if style.high_contrast { 0.9 } else { 0.55 });
    let current = state
        .arrows
        .as_ref()
        .is_some_and(|(at, mode, with, _)| at == axes && *mode == found.dynamics && *with == color);
    if !current {
        // In a small picture every second arrow.
        let [across, _] = ARROWS;
        let sparse = axes.rect.width() < 22.0 * across as f32;
        let length = if sparse { 13.0 } else { 11.0 };
        let mut runs: Vec<Vec<Stop>> = Vec::new();
        for (index, arrow) in found.arrows.iter().enumerate() {
            let (column, row) = (index % across, index / across);
            if sparse && (column % 2 == 1 || row % 2 == 1) {
                continue;
            }
            let direction =
                vec2(arrow.direction[0] as f32 * axes.rect.width(), -arrow.direction[1] as f32 * axes.rect.height());
            let speed = direction.length();
            if speed <= 0.0 {
                continue;
            }
            // Slow motion is still visible, fast motion does not cover its neighbours.
            let strength = 0.45 + 0.55 * (speed / (speed + 60.0));
            let along = direction / speed * length * strength;
            let middle = axes.at(arrow.p, arrow.s * unit);
            let (tail, tip) = (middle - along / 2.0, middle + along / 2.0);
            let wing = along.rot90() * 0.28;
            runs.push(vec![(tail, 0), (tip, 0)]);
            runs.push(vec![(tip - along * 0.42 + wing, 0), (tip, 0), (tip - along * 0.42 - wing, 0)]);
        }
        let pen = Pen { width: 1.1, color, dash: Dash::Solid, feather: 1.0 / painter.pixels_per_point() };
        let mesh = LineMesh::new(runs.iter().map(Vec::as_slice), pen);
        state.arrows = Some((axes.clone(), found.dynamics, color, mesh));
    }
    if let Some((.., mesh)) = &mut state.arrows {
        mesh.draw(painter);
    }
}

/// Filled: stable; half filled: saddle; hollow: marginal or unstable.
fn fixed_point(painter: &Painter, at: Pos2, radius: f32, point: &FixedPoint, style: &Style) {
    let ring = Stroke::new(1.8, style.text);
    match point.stability {
        Stability::Stable => {
            painter.circle(at, radius, style.text, Stroke::new(1.5, style.plot_background));
        }
        Stability::Saddle => {
            painter.circle_filled(at, radius, style.plot_background);
            let half = (0..=16)
                .map(|i| std::f32::consts::PI * (0.5 + i as f32 / 16.0))
                .map(|angle| at + radius * vec2(angle.cos(), angle.sin()))
                .collect();
            painter.add(Shape::convex_polygon(half, style.text, Stroke::NONE));
            painter.circle_stroke(at, radius, ring);
        }
        Stability::Marginal | Stability::Unstable => {
            painter.circle(at, radius, style.plot_background, ring);
        }
    }
}
