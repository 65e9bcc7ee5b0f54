//! What is marked on a field besides the paths: known minima and saddles, the start, the slope.

use eframe::egui::{Color32, Painter, Pos2, Shape, Stroke, Vec2, vec2};

use crate::kit::view::ViewCtx;
use crate::labs::optimizers::surfaces::{Critical, CriticalKind, Surface};
use crate::labs::optimizers::verdict::Verdict;
use crate::plot::axes::Axes;
use crate::plot::stroke::{LineMesh, Pen, Stop};
use crate::plot::style::{Dash, Style};
use crate::plot::{curve, number};

/// Ink that reads on the field's colours.
pub fn ink(style: &Style) -> Color32 {
    if style.dark { Color32::WHITE } else { Color32::from_rgb(0x10, 0x1c, 0x2c) }
}

/// Known minima as crosses in a ring, saddles as diamonds, maxima as triangles, degenerate points as squares; the one
/// under the mouse is named.
pub fn critical_points(painter: &Painter, axes: &Axes, surface: &Surface, style: &Style, size: f32) {
    let ink = ink(style);
    let pointer = painter.ctx().pointer_hover_pos().filter(|pos| painter.clip_rect().contains(*pos));
    for critical in surface.critical() {
        let at = axes.at(critical.position[0], critical.position[1]);
        if !axes.rect.contains(at) {
            continue;
        }
        glyph(painter, at, critical.kind, ink, size);
        if pointer.is_some_and(|pos| pos.distance(at) < 0.8 * size) {
            curve::label(painter, axes.rect, at, &describe(critical), size, style);
        }
    }
}

fn describe(critical: &Critical) -> String {
    let [x, y] = critical.position.map(number::short);
    format!("{} ({x}, {y})  f {}", critical.kind.title(), number::short(critical.value))
}

fn glyph(painter: &Painter, at: Pos2, kind: CriticalKind, ink: Color32, size: f32) {
    let r = 0.42 * size;
    let stroke = Stroke::new(0.12 * size, ink);
    let polygon = |corners: &[Vec2]| {
        let corners = corners.iter().map(|corner| at + r * *corner).collect();
        painter.add(Shape::closed_line(corners, stroke));
    };
    match kind {
        CriticalKind::GlobalMinimum => {
            painter.circle_stroke(at, 1.3 * r, stroke);
            painter.line_segment([at - vec2(r, 0.0), at + vec2(r, 0.0)], stroke);
            painter.line_segment([at - vec2(0.0, r), at + vec2(0.0, r)], stroke);
        }
        CriticalKind::LocalMinimum => {
            painter.circle_stroke(at, r, stroke);
        }
        CriticalKind::Saddle => polygon(&[vec2(0.0, -1.1), vec2(1.1, 0.0), vec2(0.0, 1.1), vec2(-1.1, 0.0)]),
        CriticalKind::Maximum => polygon(&[vec2(0.0, -1.1), vec2(1.0, 0.8), vec2(-1.0, 0.8)]),
        CriticalKind::Degenerate => polygon(&[vec2(-0.8, -0.8), vec2(0.8, -0.8), vec2(0.8, 0.8), vec2(-0.8, 0.8)]),
    }
}

/// What became of a path, where it is now: a ring where it arrived and stays, a broken one where it circles, a cross where f
/// grows. Nothing before it came to be so.
pub fn verdict(painter: &Painter, at: Option<Pos2>, verdict: &Verdict, ctx: &ViewCtx<'_>, size: f32) {
    let Some(at) = at.filter(|_| verdict.step().is_some_and(|step| step <= ctx.cursor.step)) else { return };
    let (radius, width) = (0.78 * size, 0.16 * size);
    match verdict {
        Verdict::Arrived { .. } => {
            painter.circle_stroke(at, radius, Stroke::new(width, ctx.style.good));
        }
        Verdict::Circles { .. } => {
            let around = (0..=24).map(|i| at + radius * Vec2::angled(i as f32 / 24.0 * std::f32::consts::TAU));
            let stroke = Stroke::new(width, ctx.style.warning);
            painter.extend(Shape::dashed_line(&around.collect::<Vec<_>>(), stroke, 0.35 * size, 0.25 * size));
        }
        Verdict::Growing { .. } => {
            for side in [1.0, -1.0] {
                let arm = radius * vec2(0.8, 0.8 * side);
                painter.line_segment([at - arm, at + arm], Stroke::new(width, ctx.style.error));
            }
        }
        Verdict::PassedThrough { .. }
        | Verdict::Left { .. }
        | Verdict::Stuck { .. }
        | Verdict::Slow { .. }
        | Verdict::Overflow { .. } => {}
    }
}

/// The start: a ring that can be grabbed.
pub fn start(painter: &Painter, axes: &Axes, start: [f64; 2], style: &Style, size: f32, named: bool) {
    let at = axes.at(start[0], start[1]);
    let ink = ink(style);
    painter.circle_stroke(at, 0.62 * size, Stroke::new(0.16 * size, ink));
    if named {
        let text = format!("start ({}, {})", number::exact(start[0]), number::exact(start[1]));
        curve::label(painter, axes.rect, at, &text, size, style);
    }
}

/// Cached arrows along −∇f.
#[derive(Debug, Default)]
pub struct Slopes {
    drawn: Option<(Axes, u64, bool, LineMesh)>,
}

impl Slopes {
    /// A grid of arrows along −∇f; their length follows the logarithm of the slope.
    pub fn draw(&mut self, painter: &Painter, axes: &Axes, surface: &Surface, style: &Style, size: f32) {
        let identity = surface.identity();
        let fresh =
            self.drawn.as_ref().is_some_and(|(at, id, dark, _)| at == axes && *id == identity && *dark == style.dark);
        if !fresh {
            let runs = arrows(axes, surface, 2.6 * size);
            let color = ink(style).gamma_multiply(0.55);
            let feather = 1.0 / painter.pixels_per_point();
            let pen = Pen { width: 0.1 * size, color, dash: Dash::Solid, feather };
            let mesh = LineMesh::new(runs.iter().map(Vec::as_slice), pen);
            self.drawn = Some((axes.clone(), identity, style.dark, mesh));
        }
        if let Some((.., mesh)) = &mut self.drawn {
            mesh.draw(painter);
        }
    }
}

fn arrows(axes: &Axes, surface: &Surface, spacing: f32) -> Vec<Vec<Stop>> {
    let rect = axes.rect;
    let (columns, rows) = ((rect.width() / spacing) as usize, (rect.height() / spacing) as usize);
    let places =
        (0..rows * columns).map(|i| rect.min + vec2((i % columns) as f32 + 0.5, (i / columns) as f32 + 0.5) * spacing);
    let unit = axes.unit();
    // Directions as they look on the screen: axes may have different units.
    let slopes: Vec<(Pos2, Vec2, f64)> = places
        .filter_map(|at| {
            let g = surface.gradient(axes.from_screen(at));
            let norm = g[0].hypot(g[1]);
            let way = vec2((-g[0] / norm / unit[0]) as f32, (g[1] / norm / unit[1]) as f32);
            (norm.is_finite() && norm > 0.0).then(|| (at, way.normalized(), norm))
        })
        .collect();
    let (low, high) = slopes.iter().fold((f64::INFINITY, 0.0f64), |(low, high), s| (low.min(s.2), high.max(s.2)));
    let span = (high / low.max(1e-4 * high)).ln().max(1e-9);
    slopes
        .into_iter()
        .flat_map(|(at, way, norm)| {
            let share = (1.0 + (norm / high).ln() / span).clamp(0.0, 1.0) as f32;
            let length = spacing * (0.25 + 0.55 * share);
            let (tail, tip) = (at - way * length / 2.0, at + way * length / 2.0);
            let head = 0.3 * length;
            let side = way.rot90() * 0.5 * head;
            let back = tip - way * head;
            [vec![(tail, 0), (tip, 0)], vec![(back + side, 0), (tip, 0), (back - side, 0)]]
        })
        .collect()
}
