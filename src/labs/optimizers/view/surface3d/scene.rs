//! From the run, the cursor and the style to a [`SurfaceScene`].

use std::sync::Arc;

use eframe::egui::Color32;

use crate::engine::state::{Rows, RunState};
use crate::gpu::camera::{Vec3, View};
use crate::gpu::height_field::HeightField;
use crate::gpu::scene::{Line, LineStyle, Look, Marker, SurfaceScene, Trail};
use crate::gpu::trail::draped_line;
use crate::kit::view::ViewCtx;
use crate::labs::optimizers::rules::Rule;
use crate::plot::colormap::ColorMap;
use crate::plot::style::{Dash, Style};

use super::{Arrow, State};

/// The recorded path of an optimizer, if it takes part.
pub fn path(run: &RunState, rule: Rule) -> Option<&Rows> {
    run.tables.get(rule.path_key()).filter(|rows| !rows.is_empty() && rows.columns >= 2)
}

/// (x, y) after `step` updates; not a number past the end.
pub fn position(rows: &Rows, step: usize) -> [f64; 2] {
    rows.row(step).map_or([f64::NAN; 2], |row| [row[0], row[1]])
}

/// The start of the shown paths; without a run, the form's.
pub fn start(ctx: &ViewCtx<'_>) -> Option<[f64; 2]> {
    let recorded = Rule::ALL.into_iter().find_map(|rule| path(ctx.run, rule)).map(|rows| position(rows, 0));
    let of_form = || {
        let number = |key: &str| ctx.params.get(key).is_some().then(|| ctx.params.float(key));
        Some([number("start_x")?, number("start_y")?])
    };
    recorded.or_else(of_form)
}

/// The scene of this frame; heavy parts are shared with the last one.
pub fn build(state: &State, field: &Arc<HeightField>, view: View, axes: Vec<Line>, ctx: &ViewCtx<'_>) -> SurfaceScene {
    let style = ctx.style;
    let larger = if ctx.presenting { 1.6 } else { 1.0 };
    let trails = state.trails.iter().map(|trail| {
        let category = style.category(trail.rule.index());
        let dash = dash_lengths(category.dash).map(|length| length * larger);
        Trail {
            segments: trail.segments.clone(),
            style: LineStyle { color: rgb(category.color), dash, width: 2.2 * larger },
        }
    });
    let mut lines = axes;
    for arrow in &state.arrows {
        lines.extend(arrow_lines(field, arrow, larger));
    }
    if let Some(at) = state.pointed_at {
        lines.extend(cross(field, at, style, larger));
    }
    SurfaceScene {
        field: field.clone(),
        trails: trails.collect(),
        cursor: ctx.cursor.step as f32,
        lines,
        markers: markers(field, larger, ctx),
        view,
        look: look(style),
    }
}

/// Where each optimizer is at the cursor, and where all began.
fn markers(field: &HeightField, larger: f32, ctx: &ViewCtx<'_>) -> Vec<Marker> {
    let style = ctx.style;
    let step = usize::try_from(ctx.cursor.step).unwrap_or(usize::MAX);
    let mut markers = Vec::new();
    if let Some(at) = start(ctx).and_then(|at| on_surface(field, at)) {
        let ring = with_opacity(style.text, 1.0);
        markers.push(Marker {
            at,
            fill: with_opacity(style.plot_background, 0.35),
            ring,
            radius: 6.5 * larger,
            ring_width: 1.8 * larger,
        });
    }
    for rule in Rule::ALL {
        let Some(rows) = path(ctx.run, rule) else { continue };
        let here = position(rows, step.min(rows.len() - 1));
        if let Some(at) = on_surface(field, here) {
            let fill = with_opacity(style.category(rule.index()).color, 1.0);
            let ring = with_opacity(style.plot_background, 1.0);
            markers.push(Marker { at, fill, ring, radius: 5.5 * larger, ring_width: 1.5 * larger });
        }
    }
    markers
}

/// The point of the mesh over a point of the domain; `None` outside of it.
pub fn on_surface(field: &HeightField, at: [f64; 2]) -> Option<Vec3> {
    let at = field.to_box(at);
    // A point on the border may be rounded to just beyond it.
    at.iter().all(|v| v.abs() <= 1.0 + 1e-9).then(|| field.on_mesh(at.map(|v| v as f32)))
}

fn arrow_lines(field: &HeightField, arrow: &Arrow, larger: f32) -> Vec<Line> {
    let color = with_opacity(arrow.color, 1.0);
    let line = |from, to| Line { from, to, color, width: 2.4 * larger, on_surface: true };
    let mut lines: Vec<Line> =
        draped_line(field, arrow.from, arrow.to).iter().map(|segment| line(segment.from, segment.to)).collect();
    let (Some(tip), Some(tail)) = (on_surface(field, arrow.to), on_surface(field, arrow.from)) else {
        return lines;
    };
    let along = [tip[0] - tail[0], tip[1] - tail[1]];
    let length = along[0].hypot(along[1]);
    if length < 1e-3 {
        return lines;
    }
    // The head: two barbs on the surface, no longer than a third of the arrow.
    let barb = (length / 3.0).min(0.06) / length;
    for side in [-0.5, 0.5] {
        let back = [0, 1].map(|i| {
            let across = if i == 0 { -along[1] } else { along[0] };
            (tip[i] - barb * (along[i] - side * 1.2 * across)).clamp(-1.0, 1.0)
        });
        lines.push(line(field.on_mesh(back), tip));
    }
    lines
}

/// A small cross on the surface.
fn cross(field: &HeightField, at: [f64; 2], style: &Style, larger: f32) -> Vec<Line> {
    let Some(centre) = on_surface(field, at) else { return Vec::new() };
    let arm = 0.05;
    let ends = [[arm, 0.0], [0.0, arm]];
    let color = with_opacity(style.text, 0.9);
    let lines = ends.iter().map(|[dx, dy]| {
        let end = |sign: f32| field.on_mesh([centre[0] + sign * dx, centre[1] + sign * dy]);
        Line { from: end(-1.0), to: end(1.0), color, width: 1.5 * larger, on_surface: true }
    });
    lines.collect()
}

/// Colours and light of the window's look; the same colour map as the field seen from above.
pub fn look(style: &Style) -> Look {
    let map = ColorMap::field(style);
    // On a light background the map ends near white; a little darker, the light has room above it.
    let exposure = if style.dark { 1.0 } else { 0.92 };
    Look {
        background: rgb(style.plot_background),
        colors: map.table().map(|color| color.map(|v| v * exposure)),
        contour: if style.dark { [0.03, 0.04, 0.06] } else { [0.1, 0.2, 0.3] },
        contour_opacity: if style.high_contrast { 0.6 } else { 0.3 },
        contours: 20.0,
        casing: rgb(style.plot_background),
        ambient: 0.42,
        ahead_opacity: if style.high_contrast { 0.55 } else { 0.35 },
        hidden_opacity: if style.high_contrast { 0.6 } else { 0.4 },
    }
}

/// Dash, gap, dash, gap in points; all 0: solid.
pub fn dash_lengths(dash: Dash) -> [f32; 4] {
    match dash {
        Dash::Solid => [0.0; 4],
        Dash::Dashed => [7.0, 4.0, 0.0, 0.0],
        Dash::Dotted => [2.0, 3.0, 0.0, 0.0],
        Dash::DashDot => [7.0, 3.0, 2.0, 3.0],
    }
}

pub fn with_opacity(color: Color32, opacity: f32) -> [f32; 4] {
    let [r, g, b] = rgb(color);
    [r, g, b, opacity]
}

fn rgb(color: Color32) -> [f32; 3] {
    [color.r(), color.g(), color.b()].map(|v| f32::from(v) / 255.0)
}
