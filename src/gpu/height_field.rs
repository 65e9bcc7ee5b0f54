//! A function of two variables sampled on a grid, with its heights in box coordinates: what the mesh is made of, what
//! trails lie on and what a ray hits.

use super::camera::{HALF_HEIGHT, Ray, Vec3, normalized};
use super::scale::{HeightScale, ScaleMode};

/// Samples of `f(x, y)` on a square grid.
#[derive(Debug, Clone, PartialEq)]
pub struct HeightField {
    /// Domain of x and of y.
    pub x: [f64; 2],
    pub y: [f64; 2],
    /// Samples along each side, at least 2.
    side: usize,
    /// Heights 0..=1, row-major, x runs fastest: `heights[j * side + i]`.
    heights: Vec<f32>,
    /// Where `f` has no finite value, in the order of `heights`; empty where it has one everywhere. The mesh has gaps there.
    missing: Vec<bool>,
    scale: HeightScale,
}

impl HeightField {
    /// Samples `f` at `side` by `side` points (2..=512) of the domain. A domain without extent is widened to one.
    pub fn sample(x: [f64; 2], y: [f64; 2], side: usize, mode: ScaleMode, f: impl Fn(f64, f64) -> f64) -> Self {
        let side = side.clamp(2, 512);
        let widened = |[a, b]: [f64; 2]| if b > a { [a, b] } else { [a - 0.5, a + 0.5] };
        let (x, y) = (widened(x), widened(y));
        let along = |[a, b]: [f64; 2], i: usize| a + (b - a) * i as f64 / (side - 1) as f64;
        let values: Vec<f64> =
            (0..side).flat_map(|j| (0..side).map(move |i| (i, j))).map(|(i, j)| f(along(x, i), along(y, j))).collect();
        let scale = HeightScale::fit(&values, mode);
        let heights = values.iter().map(|value| scale.height(*value)).collect();
        let missing: Vec<bool> = values.iter().map(|value| !value.is_finite()).collect();
        let missing = if missing.contains(&true) { missing } else { Vec::new() };
        Self { x, y, side, heights, missing, scale }
    }

    pub fn side(&self) -> usize {
        self.side
    }

    pub fn scale(&self) -> &HeightScale {
        &self.scale
    }

    fn is_missing(&self, at: usize) -> bool {
        self.missing.get(at).is_some_and(|missing| *missing)
    }

    /// Whether the mesh has a gap at a position in the box.
    pub fn is_gap(&self, at: [f32; 2]) -> bool {
        let cell = |unit: f32| {
            let cells = (self.side - 1) as f32;
            ((0.5 * (unit + 1.0) * cells).clamp(0.0, cells) as usize).min(self.side - 2)
        };
        let corner = cell(at[1]) * self.side + cell(at[0]);
        [0, 1, self.side, self.side + 1].into_iter().any(|to| self.is_missing(corner + to))
    }

    /// Position in the box of a point of the domain, x and y only: -1..=1 inside the domain.
    pub fn to_box(&self, point: [f64; 2]) -> [f64; 2] {
        let unit = |value: f64, [a, b]: [f64; 2]| 2.0 * (value - a) / (b - a) - 1.0;
        [unit(point[0], self.x), unit(point[1], self.y)]
    }

    /// The point of the domain at a position in the box.
    pub fn from_box(&self, at: [f32; 2]) -> [f64; 2] {
        let value = |unit: f32, [a, b]: [f64; 2]| a + 0.5 * (f64::from(unit) + 1.0) * (b - a);
        [value(at[0], self.x), value(at[1], self.y)]
    }

    /// The point of the drawn mesh over a position in the box; positions outside are moved to the border.
    pub fn on_mesh(&self, at: [f32; 2]) -> Vec3 {
        let cells = (self.side - 1) as f32;
        let cell = |unit: f32| {
            let place = (0.5 * (unit + 1.0) * cells).clamp(0.0, cells);
            let index = (place as usize).min(self.side - 2);
            (index, place - index as f32)
        };
        let ((i, u), (j, v)) = (cell(at[0]), cell(at[1]));
        let height = |i: usize, j: usize| self.heights[j * self.side + i];
        let (near, far) = (height(i, j), height(i + 1, j + 1));
        // Each cell is two triangles that share the diagonal from its low corner to its high corner.
        let height = if u >= v {
            let corner = height(i + 1, j);
            near + u * (corner - near) + v * (far - corner)
        } else {
            let corner = height(i, j + 1);
            near + v * (corner - near) + u * (far - corner)
        };
        [at[0].clamp(-1.0, 1.0), at[1].clamp(-1.0, 1.0), height_to_z(height)]
    }

    /// Where a ray first meets the surface, in box coordinates.
    pub fn hit(&self, ray: &Ray) -> Option<Vec3> {
        let (enter, leave) = ray.through_box()?;
        let above = |t: f32| {
            let point = ray.at(t);
            point[2] - self.on_mesh([point[0], point[1]])[2]
        };
        // A step is about half a cell; a crossing is then narrowed down by halving.
        let steps = (4 * self.side).max(64);
        let step = (leave - enter) / steps as f32;
        let side = above(enter) >= 0.0;
        let crossing = (1..=steps).find(|k| (above(enter + *k as f32 * step) >= 0.0) != side)?;
        let (mut a, mut b) = (enter + (crossing - 1) as f32 * step, enter + crossing as f32 * step);
        for _ in 0..24 {
            let middle = 0.5 * (a + b);
            if (above(middle) >= 0.0) == side { a = middle } else { b = middle }
        }
        let point = ray.at(b);
        let at = [point[0], point[1]];
        (!self.is_gap(at)).then(|| self.on_mesh(at))
    }

    /// Position and unit normal of grid point `(i, j)` in box coordinates.
    pub fn vertex(&self, i: usize, j: usize) -> (Vec3, Vec3) {
        let last = self.side - 1;
        let spacing = 2.0 / last as f32;
        let z = |i: usize, j: usize| height_to_z(self.heights[j * self.side + i]);
        let slope = |low: f32, high: f32, cells: usize| (high - low) / (cells.max(1) as f32 * spacing);
        // Beside a gap the slope is that of the side that is there.
        let there = |n: usize, at: usize, here: usize| if self.is_missing(at) { here } else { n };
        let in_row = |n: usize| there(n, j * self.side + n, i);
        let in_column = |n: usize| there(n, n * self.side + i, j);
        let (i0, i1) = (in_row(i.saturating_sub(1)), in_row((i + 1).min(last)));
        let (j0, j1) = (in_column(j.saturating_sub(1)), in_column((j + 1).min(last)));
        let normal = [-slope(z(i0, j), z(i1, j), i1 - i0), -slope(z(i, j0), z(i, j1), j1 - j0), 1.0];
        ([i as f32 * spacing - 1.0, j as f32 * spacing - 1.0, z(i, j)], normalized(normal))
    }

    /// The two triangles of every cell without a gap as indices into the row-major grid; never none, for an empty buffer
    /// cannot be drawn.
    pub fn triangles(&self) -> Vec<u32> {
        if !self.missing.is_empty() {
            let whole = |triangle: &[u32]| !triangle.iter().any(|at| self.is_missing(*at as usize));
            let mut kept: Vec<u32> = self.all_triangles().chunks(3).filter(|t| whole(t)).flatten().copied().collect();
            if kept.is_empty() {
                kept = vec![0, 0, 0];
            }
            return kept;
        }
        self.all_triangles()
    }

    fn all_triangles(&self) -> Vec<u32> {
        let side = self.side as u32;
        let cells = (0..side - 1).flat_map(|j| (0..side - 1).map(move |i| j * side + i));
        cells.flat_map(|at| [at, at + 1, at + side + 1, at, at + side + 1, at + side]).collect()
    }
}

/// Height 0..=1 to z in the box.
pub fn height_to_z(height: f32) -> f32 {
    (2.0 * height - 1.0) * HALF_HEIGHT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::camera::Camera;

    fn saddle() -> HeightField {
        HeightField::sample([-1.0, 1.0], [-2.0, 2.0], 65, ScaleMode::Linear, |x, y| x * x - 0.25 * y * y)
    }

    #[test]
    fn domain_and_box_are_inverse() {
        let field = saddle();
        assert_eq!(field.to_box([0.0, 0.0]), [0.0, 0.0]);
        assert_eq!(field.to_box([1.0, -2.0]), [1.0, -1.0]);
        let back = field.from_box(field.to_box([0.3, 1.1]).map(|v| v as f32));
        assert!((back[0] - 0.3).abs() < 1e-6 && (back[1] - 1.1).abs() < 1e-6);
    }

    #[test]
    fn the_mesh_passes_through_its_samples() {
        let field = saddle();
        for (i, j) in [(0, 0), (64, 64), (10, 50), (33, 1)] {
            let (position, normal) = field.vertex(i, j);
            let on_mesh = field.on_mesh([position[0], position[1]]);
            assert!((on_mesh[2] - position[2]).abs() < 1e-5);
            assert!(normal[2] > 0.0);
        }
        assert!(field.on_mesh([0.0, 0.0])[2].abs() < 1e-6);
        let indices = field.triangles();
        assert_eq!(indices.len(), 64 * 64 * 6);
        assert_eq!(indices.iter().max(), Some(&(65 * 65 - 1)));
    }

    #[test]
    fn a_ray_hits_the_nearest_point_of_the_surface() {
        let field = saddle();
        let view = Camera::default().view([500.0, 400.0], 10.0);
        for at in [[0.0, 0.0], [0.5, -0.5], [0.9, 0.1]] {
            let point = field.on_mesh(at);
            let [x, y, depth] = view.project(point).expect("visible");
            let ray = view.ray([x, y]);
            let hit = field.hit(&ray).expect("the ray goes through a point of the surface");
            let [hx, hy, hit_depth] = view.project(hit).expect("visible");
            assert!((hx - x).abs() < 0.5 && (hy - y).abs() < 0.5);
            assert!(hit_depth <= depth + 1e-3);
        }
        assert_eq!(field.hit(&view.ray([1.0, 1.0])), None);
    }

    #[test]
    fn where_there_is_no_value_the_mesh_has_a_gap() {
        let field = HeightField::sample([-1.0, 1.0], [-1.0, 1.0], 9, ScaleMode::Linear, |x, y| x.sqrt() + y);
        let triangles = field.triangles();
        assert_eq!(triangles.len(), 4 * 8 * 6, "the right half of the cells");
        assert!(triangles.iter().all(|at| field.vertex(*at as usize % 9, *at as usize / 9).0[0] >= 0.0));
        assert!(field.is_gap([-0.5, 0.0]) && !field.is_gap([0.5, 0.0]));
        let view = Camera::default().view([500.0, 400.0], 10.0);
        let [x, y, _] = view.project(field.on_mesh([-0.9, -0.9])).expect("visible");
        assert!(field.hit(&view.ray([x, y])).is_none_or(|hit| !field.is_gap([hit[0], hit[1]])));
        let nowhere = HeightField::sample([-1.0, 1.0], [-1.0, 1.0], 9, ScaleMode::Linear, |_, _| f64::NAN);
        assert_eq!(nowhere.triangles(), [0, 0, 0], "an empty buffer cannot be drawn");
    }

    #[test]
    fn values_that_are_not_numbers_do_not_spoil_the_mesh() {
        let field = HeightField::sample([0.0, 0.0], [0.0, 1.0], 9, ScaleMode::Automatic, |x, y| (x * y).ln());
        for j in 0..9 {
            for i in 0..9 {
                let (position, normal) = field.vertex(i, j);
                assert!(position.iter().chain(&normal).all(|v| v.is_finite()));
            }
        }
    }
}
