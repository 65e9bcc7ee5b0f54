//! The same [`SurfaceScene`] without wgpu: quads sorted from far to near and filled by egui, trails and points on top. For
//! windows and tests that have no wgpu renderer; coarser, and nothing is hidden by the surface.

use eframe::egui::{self, Color32, Pos2, Stroke};

use super::camera::{Vec3, dot, normalized};
use super::scene::{SurfaceScene, Trail};
use crate::scale::colormap::color_at;

/// Quads along each side.
const QUADS: usize = 40;

/// Most pieces drawn of one trail.
const PIECES: usize = 1_500;

/// Paints a scene into `rect`.
pub fn paint(painter: &egui::Painter, rect: egui::Rect, scene: &SurfaceScene) {
    let view = scene.view.with_size([rect.width(), rect.height()]);
    let place = |point: Vec3| view.project(point).map(|[x, y, depth]| (rect.min + egui::vec2(x, y), depth));
    painter.rect_filled(rect, 0.0, color(scene.look.background, 1.0));
    // The axes stand behind the surface: the box opens towards the viewer.
    for line in scene.lines.iter().filter(|line| !line.on_surface) {
        if let (Some((a, _)), Some((b, _))) = (place(line.from), place(line.to)) {
            painter.line_segment([a, b], Stroke::new(line.width, rgba(line.color)));
        }
    }
    painter.add(egui::Shape::mesh(surface(scene, place)));
    for trail in &scene.trails {
        paint_trail(painter, scene, trail, place);
    }
    for line in scene.lines.iter().filter(|line| line.on_surface) {
        if let (Some((a, _)), Some((b, _))) = (place(line.from), place(line.to)) {
            painter.line_segment([a, b], Stroke::new(line.width, rgba(line.color)));
        }
    }
    for marker in &scene.markers {
        if let Some((at, _)) = place(marker.at) {
            let radius = marker.radius - 0.5 * marker.ring_width;
            let ring = Stroke::new(marker.ring_width, rgba(marker.ring));
            painter.circle(at, radius, rgba(marker.fill), ring);
        }
    }
}

/// The surface as one mesh, far quads first.
fn surface(scene: &SurfaceScene, place: impl Fn(Vec3) -> Option<(Pos2, f32)>) -> egui::Mesh {
    let unit = |i: usize| 2.0 * i as f32 / QUADS as f32 - 1.0;
    let at = |i: usize, j: usize| scene.field.on_mesh([unit(i), unit(j)]);
    let light = scene.look.light(&scene.view);
    let mut quads = Vec::with_capacity(QUADS * QUADS);
    for (i, j) in (0..QUADS).flat_map(|j| (0..QUADS).map(move |i| (i, j))) {
        if [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
            .iter()
            .any(|(i, j)| scene.field.is_gap([unit(*i), unit(*j)]))
        {
            continue;
        }
        let corners = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)];
        let [Some(a), Some(b), Some(c), Some(d)] = corners.map(&place) else { continue };
        let across = [0, 1, 2].map(|k| corners[2][k] - corners[0][k]);
        let along = [0, 1, 2].map(|k| corners[3][k] - corners[1][k]);
        let normal = normalized([
            across[1] * along[2] - across[2] * along[1],
            across[2] * along[0] - across[0] * along[2],
            across[0] * along[1] - across[1] * along[0],
        ]);
        let to_eye = [0, 1, 2].map(|k| scene.view.eye[k] - corners[0][k]);
        let facing = if dot(normal, to_eye) < 0.0 { -1.0 } else { 1.0 };
        let lambert = (facing * dot(normal, light)).max(0.0);
        let ambient = scene.look.ambient;
        // Encoded values are shaded here, so the light enters by its root.
        let shade = (ambient + (1.0 - ambient) * lambert * 1.15).max(0.0).powf(1.0 / 2.2).min(1.1);
        let middle = corners.iter().map(|corner| corner[2]).sum::<f32>() / 4.0;
        let height = 0.5 * (middle / super::camera::HALF_HEIGHT + 1.0);
        let tone = color_at(&scene.look.colors, height).map(|v| v * shade);
        quads.push((a.1 + b.1 + c.1 + d.1, [a.0, b.0, c.0, d.0], color(tone, 1.0)));
    }
    quads.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut mesh = egui::Mesh::default();
    for (_, corners, tone) in quads {
        let first = mesh.vertices.len() as u32;
        for corner in corners {
            mesh.colored_vertex(corner, tone);
        }
        mesh.add_triangle(first, first + 1, first + 2);
        mesh.add_triangle(first, first + 2, first + 3);
    }
    mesh
}

fn paint_trail(
    painter: &egui::Painter,
    scene: &SurfaceScene,
    trail: &Trail,
    place: impl Fn(Vec3) -> Option<(Pos2, f32)>,
) {
    let every = trail.segments.len().div_ceil(PIECES).max(1);
    let solid = trail.style.color;
    let ahead = color(solid, scene.look.ahead_opacity);
    let pattern = trail.style.dash;
    let mut lines: [Vec<Vec<Pos2>>; 2] = [Vec::new(), Vec::new()];
    let mut last: Option<(usize, Vec3)> = None;
    for pieces in trail.segments.chunks(every) {
        let (Some(first), Some(end)) = (pieces.first(), pieces.last()) else { continue };
        let part = usize::from(first.steps[0] >= scene.cursor);
        let (Some((a, _)), Some((b, _))) = (place(first.from), place(end.to)) else { continue };
        let continues = last.is_some_and(|(before, at)| before == part && at == first.from);
        match lines[part].last_mut() {
            Some(line) if continues => line.push(b),
            _ => lines[part].push(vec![a, b]),
        }
        last = Some((part, end.to));
    }
    for (line, stroke) in
        [(&lines[1], Stroke::new(1.5, ahead)), (&lines[0], Stroke::new(trail.style.width, color(solid, 1.0)))]
    {
        for points in line {
            if pattern.iter().sum::<f32>() > 0.0 {
                let (dashes, gaps) = ([pattern[0], pattern[2]], [pattern[1], pattern[3]]);
                let used = if pattern[2] > 0.0 { 2 } else { 1 };
                painter.extend(egui::Shape::dashed_line_with_offset(
                    points,
                    stroke,
                    &dashes[..used],
                    &gaps[..used],
                    0.0,
                ));
            } else {
                painter.add(egui::Shape::line(points.clone(), stroke));
            }
        }
    }
}

fn color(rgb: [f32; 3], opacity: f32) -> Color32 {
    rgba([rgb[0], rgb[1], rgb[2], opacity])
}

fn rgba(c: [f32; 4]) -> Color32 {
    let [r, g, b, a] = c.map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8);
    Color32::from_rgba_unmultiplied(r, g, b, a)
}
