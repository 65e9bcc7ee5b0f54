//! Anti-aliased lines as triangle meshes in path order: drawing the first triangles draws the first part of the line.
//! A long path is turned into triangles once; the timeline's cursor then only chooses how many of them are drawn.

use std::sync::Arc;

use eframe::egui::epaint::{Mesh, Vertex, WHITE_UV};
use eframe::egui::{Color32, Painter, Pos2, Shape, Vec2};

use super::style::Dash;

/// A point of a line and the step at which the line gets there.
pub type Stop = (Pos2, u64);

/// A pen: width and colour in points, dash, and the width of the soft edge (one physical pixel).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pen {
    pub width: f32,
    pub color: Color32,
    pub dash: Dash,
    pub feather: f32,
}

impl Pen {
    /// Lengths of strokes and gaps, alternating, in points; empty for a solid line.
    fn pattern(&self) -> &'static [f32] {
        match self.dash {
            Dash::Solid => &[],
            Dash::Dashed => &[9.0, 5.0],
            Dash::Dotted => &[2.5, 3.5],
            Dash::DashDot => &[10.0, 4.0, 2.5, 4.0],
        }
    }
}

/// The triangles of one line.
#[derive(Debug, Clone, Default)]
pub struct LineMesh {
    mesh: Mesh,
    /// After the stroke that reaches this step: how many indices and vertices have been used.
    ends: Vec<(u64, u32, u32)>,
    prefix: Option<(usize, Arc<Mesh>)>,
}

impl LineMesh {
    /// Turns runs of connected stops into triangles. Stops are in order of steps.
    pub fn new<'a>(runs: impl IntoIterator<Item = &'a [Stop]>, pen: Pen) -> Self {
        let mut line = LineMesh::default();
        for run in runs {
            line.dashed(run, pen);
        }
        line
    }

    /// Number of triangles.
    pub fn triangles(&self) -> usize {
        self.mesh.indices.len() / 3
    }

    /// Draws the line as far as it has come at `step`.
    pub fn draw_until(&mut self, painter: &Painter, step: u64) {
        let count = self.ends.partition_point(|(end, ..)| *end <= step);
        if count == 0 {
            return;
        }
        let mesh = match &self.prefix {
            Some((cached, mesh)) if *cached == count => mesh.clone(),
            _ => {
                let (_, indices, vertices) = self.ends[count - 1];
                let mesh = Arc::new(Mesh {
                    indices: self.mesh.indices[..indices as usize].to_vec(),
                    vertices: self.mesh.vertices[..vertices as usize].to_vec(),
                    texture_id: self.mesh.texture_id,
                });
                self.prefix = Some((count, mesh.clone()));
                mesh
            }
        };
        painter.add(Shape::Mesh(mesh));
    }

    /// Draws the whole line.
    pub fn draw(&mut self, painter: &Painter) {
        self.draw_until(painter, u64::MAX);
    }

    fn dashed(&mut self, run: &[Stop], pen: Pen) {
        let pattern = pen.pattern();
        if pattern.is_empty() {
            self.stroke(run, pen);
            return;
        }
        let (mut slot, mut left) = (0, pattern[0]);
        let mut dash: Vec<Stop> = run.first().copied().into_iter().collect();
        for pair in run.windows(2) {
            let ((mut from, _), (to, step)) = (pair[0], pair[1]);
            let mut length = from.distance(to);
            while length > left {
                from += (to - from) * (left / length);
                length -= left;
                if slot % 2 == 0 {
                    dash.push((from, step));
                    self.stroke(&dash, pen);
                    dash.clear();
                } else {
                    dash.push((from, step));
                }
                slot = (slot + 1) % pattern.len();
                left = pattern[slot];
            }
            left -= length;
            if slot % 2 == 0 {
                dash.push((to, step));
            }
        }
        self.stroke(&dash, pen);
    }

    /// One unbroken stroke: each stop has a row of vertices across the line, neighbouring rows are joined.
    fn stroke(&mut self, run: &[Stop], pen: Pen) {
        if run.len() < 2 {
            return;
        }
        let thin = (pen.width / pen.feather.max(1e-3)).min(1.0);
        let color = if thin < 1.0 { pen.color.gamma_multiply(thin) } else { pen.color };
        let inner = ((pen.width - pen.feather) / 2.0).max(0.0);
        let profile = [
            (inner + pen.feather, Color32::TRANSPARENT),
            (inner, color),
            (-inner, color),
            (-inner - pen.feather, Color32::TRANSPARENT),
        ];
        let mut previous_row = None;
        let mut normal_in = None;
        for (i, &(at, step)) in run.iter().enumerate() {
            let normal_out = run.get(i + 1).and_then(|(next, _)| normal(*next - at));
            // A stop that repeats its neighbour has no direction of its own.
            let (a, b) = match (normal_in, normal_out) {
                (None, None) => continue,
                (Some(n), None) | (None, Some(n)) => (n, n),
                (Some(a), Some(b)) => (a, b),
            };
            let mitre = (a + b) / 2.0;
            let square = mitre.length_sq();
            if square > 0.3 {
                // The row lies on the bisector, long enough to keep the line's width.
                previous_row = Some(self.row(at, mitre / square, &profile, previous_row));
            } else {
                // A sharp turn: end one stroke and begin the next in the same place.
                self.row(at, a, &profile, previous_row);
                previous_row = Some(self.row(at, b, &profile, None));
            }
            if normal_out.is_some() {
                normal_in = normal_out;
            }
            if i > 0 {
                self.ends.push((step, self.mesh.indices.len() as u32, self.mesh.vertices.len() as u32));
            }
        }
    }

    fn row(&mut self, at: Pos2, normal: Vec2, profile: &[(f32, Color32); 4], previous: Option<u32>) -> u32 {
        let first = self.mesh.vertices.len() as u32;
        for (offset, color) in profile {
            self.mesh.vertices.push(Vertex { pos: at + normal * *offset, uv: WHITE_UV, color: *color });
        }
        if let Some(previous) = previous {
            for i in 0..3 {
                let (a, b, c, d) = (previous + i, previous + i + 1, first + i, first + i + 1);
                self.mesh.indices.extend_from_slice(&[a, b, c, b, d, c]);
            }
        }
        first
    }
}

fn normal(direction: Vec2) -> Option<Vec2> {
    let length = direction.length();
    (length > 1e-4).then(|| (direction / length).rot90())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEN: Pen = Pen { width: 2.0, color: Color32::WHITE, dash: Dash::Solid, feather: 1.0 };

    fn straight(count: u64) -> Vec<Stop> {
        (0..count).map(|i| (Pos2::new(10.0 * i as f32, 0.0), i)).collect()
    }

    #[test]
    fn a_prefix_of_the_triangles_is_the_line_up_to_that_step() {
        let run = straight(10);
        let line = LineMesh::new([run.as_slice()], PEN);
        assert_eq!(line.triangles(), 9 * 6);
        for step in 1..10 {
            let (end, indices, vertices) = line.ends[step - 1];
            assert_eq!(end, step as u64);
            assert!(line.mesh.indices[..indices as usize].iter().all(|i| *i < vertices));
            let reach = line.mesh.vertices[..vertices as usize].iter().map(|v| v.pos.x).fold(0.0, f32::max);
            assert_eq!(reach, 10.0 * step as f32);
        }
    }

    #[test]
    fn a_line_is_as_wide_as_its_pen() {
        let run = straight(3);
        let line = LineMesh::new([run.as_slice()], PEN);
        let opaque = line.mesh.vertices.iter().filter(|v| v.color == Color32::WHITE).map(|v| v.pos.y);
        let (low, high) = opaque.fold((0f32, 0f32), |(low, high), y| (low.min(y), high.max(y)));
        // Half a feather on each side of the edge.
        assert_eq!(high - low + PEN.feather, PEN.width);
    }

    #[test]
    fn dashes_cover_their_share_of_the_line() {
        let run = straight(101);
        let solid = LineMesh::new([run.as_slice()], PEN);
        let dashed = LineMesh::new([run.as_slice()], Pen { dash: Dash::Dashed, ..PEN });
        let covered = |line: &LineMesh| {
            let mesh = &line.mesh;
            let area = |[a, b, c]: [u32; 3]| {
                let at = |i: u32| mesh.vertices[i as usize].pos;
                let (u, v) = (at(b) - at(a), at(c) - at(a));
                (u.x * v.y - u.y * v.x).abs() / 2.0
            };
            mesh.triangles().map(area).sum::<f32>()
        };
        let share = covered(&dashed) / covered(&solid);
        assert!((share - 9.0 / 14.0).abs() < 0.02, "{share}");
    }

    #[test]
    fn turning_back_and_repeated_points_stay_finite() {
        let points = [(0.0, 0.0), (10.0, 0.0), (10.0, 0.0), (0.0, 0.0), (10.0, 0.0)];
        let run: Vec<Stop> = points.iter().enumerate().map(|(i, (x, y))| (Pos2::new(*x, *y), i as u64)).collect();
        let line = LineMesh::new([run.as_slice()], PEN);
        assert!(line.mesh.is_valid());
        assert!(line.mesh.vertices.iter().all(|v| v.pos.any_nan() == false && v.pos.y.abs() < 3.0));
    }
}
