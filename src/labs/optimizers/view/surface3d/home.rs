//! Where one stands at first: x runs to the right, as in the field, and as many minima as can be seen are seen.

use std::f32::consts::TAU;

use crate::gpu::camera::{Camera, Vec3, View};
use crate::gpu::height_field::HeightField;
use crate::labs::optimizers::surfaces::Surface;

/// Directions and elevations that are tried, the most usual first: from all of them x runs to the right.
const YAWS: [f32; 4] = [TAU - 1.08, TAU - 2.06, TAU - 0.55, TAU - 2.59];
const PITCHES: [f32; 4] = [0.58, 0.85, 1.15, 1.4];
/// How far a point is above the mesh that it is looked for: paths are drawn there too, in box units.
const ABOVE: f32 = 0.03;

/// The first view of a surface with this start.
pub fn home(field: &HeightField, surface: &Surface, start: [f64; 2]) -> Camera {
    let minima = surface.minima().map(|minimum| minimum.position);
    let points: Vec<Vec3> = minima.chain([start]).filter_map(|point| on_mesh(field, point)).collect();
    let candidates = PITCHES.into_iter().flat_map(|pitch| YAWS.map(|yaw| Camera { yaw, pitch, ..Camera::default() }));
    let seen = |camera: &Camera| {
        let view = camera.view([600.0, 500.0], 20.0);
        points.iter().filter(|point| is_seen(&view, field, **point)).count()
    };
    let mut best = (Camera::default(), 0);
    for camera in candidates {
        let count = seen(&camera);
        if count > best.1 {
            best = (camera, count);
        }
    }
    best.0
}

/// A place of the domain a little above the mesh; `None` outside.
fn on_mesh(field: &HeightField, point: [f64; 2]) -> Option<Vec3> {
    let at = field.to_box(point);
    if !at.iter().all(|v| v.abs() <= 1.0) {
        return None;
    }
    let [x, y, z] = field.on_mesh(at.map(|v| v as f32));
    Some([x, y, z + ABOVE])
}

/// Whether nothing of the surface is before this point.
fn is_seen(view: &View, field: &HeightField, point: Vec3) -> bool {
    let Some([x, y, depth]) = view.project(point) else { return false };
    let Some(hit) = field.hit(&view.ray([x, y])) else { return true };
    view.project(hit).is_none_or(|[_, _, before]| before > depth - 0.06)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::scale::ScaleMode;
    use crate::labs::optimizers::surfaces::{self, ALL};

    fn sampled(surface: &Surface) -> HeightField {
        let [x, y] = surface.domain;
        HeightField::sample(x, y, 129, ScaleMode::Automatic, |x, y| surface.f([x, y]))
    }

    #[test]
    fn x_runs_to_the_right_and_y_away_on_every_surface() {
        for surface in ALL {
            let field = sampled(surface);
            let view = home(&field, surface, [0.1, 0.1]).view([600.0, 400.0], 20.0);
            let at = |p: Vec3| view.project(p).unwrap();
            assert!(at([1.0, 0.0, 0.0])[0] > at([-1.0, 0.0, 0.0])[0], "{}", surface.id);
            assert!(at([0.0, 1.0, 0.0])[2] > at([0.0, -1.0, 0.0])[2], "{}", surface.id);
        }
    }

    #[test]
    fn the_minima_are_in_sight() {
        for id in ["himmelblau", "beale", "plateau_wells", "ackley", "rosenbrock", "six_hump_camel"] {
            let surface = surfaces::ALL.iter().find(|surface| surface.id == id).unwrap();
            let field = sampled(surface);
            let view = home(&field, surface, [0.1, 0.1]).view([600.0, 500.0], 20.0);
            let minima: Vec<Vec3> = surface.minima().filter_map(|minimum| on_mesh(&field, minimum.position)).collect();
            let seen = minima.iter().filter(|point| is_seen(&view, &field, **point)).count();
            assert_eq!(seen, minima.len(), "{id}");
        }
    }
}
