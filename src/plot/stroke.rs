//! Anti-aliased lines as triangle meshes in path order: drawing the first triangles draws the first part of the line.
//! A long path is turned into triangles once; the timeline's cursor then only chooses how many of them are drawn.

use std::sync::Arc;

use eframe::egui::epaint::{Mesh, Vertex, WHITE_UV};
use eframe::egui::{Color32, Painter, Pos2, Shape, Stroke, Vec2};

use super::medium::{self, Medium};
use super::style::Dash;

/// A point of a line and the step at which the line gets there.
pub type Stop = (Pos2, u64);

/// A pen: width and colour in points, dash, and the width of the soft edge (one physical pixel; 0 for crowded lines,
/// whose edges nobody sees: a third of the triangles).
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

    /// Distances from the line's middle and colours there: how many count, and what they are.
    fn profile(&self) -> (usize, [(f32, Color32); 4]) {
        let half = self.width / 2.0;
        if self.feather <= 0.0 {
            return (2, [(half, self.color), (-half, self.color), (0.0, self.color), (0.0, self.color)]);
        }
        let thin = (self.width / self.feather).min(1.0);
        let color = if thin < 1.0 { self.color.gamma_multiply(thin) } else { self.color };
        let inner = ((self.width - self.feather) / 2.0).max(0.0);
        let outer = inner + self.feather;
        let edge = Color32::TRANSPARENT;
        (4, [(outer, edge), (inner, color), (-inner, color), (-outer, edge)])
    }
}

/// The triangles of one line, in pieces that are drawn without being copied; only the piece at the cursor is cut.
#[derive(Debug, Clone, Default)]
pub struct LineMesh {
    pieces: Vec<Piece>,
    /// What it is drawn with; `None`: there is nothing to draw.
    pen: Option<Pen>,
}

#[derive(Debug, Clone, Default)]
struct Piece {
    mesh: Arc<Mesh>,
    /// After the stroke that reaches this step: how many indices and vertices have been used.
    ends: Vec<(u64, u32, u32)>,
    /// The last cuts: strokes kept, and their triangles.
    until: Option<(usize, Arc<Mesh>)>,
    from: Option<(usize, Arc<Mesh>)>,
}

/// Vertices after which a new piece begins.
const PIECE: usize = 2_048;

impl LineMesh {
    /// Turns runs of connected stops into triangles. Stops are in order of steps.
    pub fn new<'a>(runs: impl IntoIterator<Item = &'a [Stop]>, pen: Pen) -> Self {
        let mut line = LineMesh { pieces: Vec::new(), pen: Some(pen) };
        for run in runs {
            line.dashed(run, pen);
        }
        line
    }

    /// Number of triangles.
    pub fn triangles(&self) -> usize {
        self.pieces.iter().map(|piece| piece.mesh.indices.len() / 3).sum()
    }

    /// Draws the line as far as it has come at `step`.
    pub fn draw_until(&mut self, painter: &Painter, step: u64) {
        let drawn = self.pieces.iter_mut().map_while(|piece| {
            let count = piece.strokes_until(step);
            (count > 0).then(|| piece.head(count))
        });
        put(painter, drawn.collect(), self.pen);
    }

    /// Draws what is left of the line after `step`.
    pub fn draw_after(&mut self, painter: &Painter, step: u64) {
        let drawn = self.pieces.iter_mut().filter_map(|piece| {
            let count = piece.strokes_until(step);
            (count < piece.ends.len()).then(|| piece.tail(count))
        });
        put(painter, drawn.collect(), self.pen);
    }

    /// Draws the whole line.
    pub fn draw(&mut self, painter: &Painter) {
        put(painter, self.pieces.iter().map(|piece| piece.mesh.clone()).collect(), self.pen);
    }

    fn piece(&mut self) -> &mut Piece {
        if self.pieces.is_empty() {
            self.pieces.push(Piece::default());
        }
        let last = self.pieces.len() - 1;
        &mut self.pieces[last]
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
        let (count, profile) = pen.profile();
        let profile = &profile[..count];
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
            // On the bisector, long enough to keep the line's width; at a sharp turn one stroke ends and the next begins.
            let sharp = square <= 0.3;
            let (across, onward) = if sharp { (a, b) } else { (mitre / square, mitre / square) };
            let piece = self.piece();
            let row = piece.row(at, across, profile, previous_row);
            if i > 0 {
                piece.ends.push((step, piece.mesh.indices.len() as u32, piece.mesh.vertices.len() as u32));
            }
            let full = piece.mesh.vertices.len() >= PIECE;
            if full {
                self.pieces.push(Piece::default());
            }
            previous_row = Some(if sharp || full { self.piece().row(at, onward, profile, None) } else { row });
            if normal_out.is_some() {
                normal_in = normal_out;
            }
        }
    }
}

impl Piece {
    fn strokes_until(&self, step: u64) -> usize {
        self.ends.partition_point(|(end, ..)| *end <= step)
    }

    /// The triangles of the first `count` strokes, at least one.
    fn head(&mut self, count: usize) -> Arc<Mesh> {
        if count == self.ends.len() {
            return self.mesh.clone();
        }
        if let Some((cached, mesh)) = &self.until
            && *cached == count
        {
            return mesh.clone();
        }
        let (_, indices, vertices) = self.ends[count - 1];
        let mesh = Arc::new(Mesh {
            indices: self.mesh.indices[..indices as usize].to_vec(),
            vertices: self.mesh.vertices[..vertices as usize].to_vec(),
            texture_id: self.mesh.texture_id,
        });
        self.until = Some((count, mesh.clone()));
        mesh
    }

    /// The triangles after the first `count` strokes.
    fn tail(&mut self, count: usize) -> Arc<Mesh> {
        if count == 0 {
            return self.mesh.clone();
        }
        if let Some((cached, mesh)) = &self.from
            && *cached == count
        {
            return mesh.clone();
        }
        let (_, indices, _) = self.ends[count - 1];
        let mesh = Arc::new(Mesh {
            indices: self.mesh.indices[indices as usize..].to_vec(),
            vertices: self.mesh.vertices.clone(),
            texture_id: self.mesh.texture_id,
        });
        self.from = Some((count, mesh.clone()));
        mesh
    }

    /// A row of vertices across the line at `at`, joined to the row before it.
    fn row(&mut self, at: Pos2, across: Vec2, profile: &[(f32, Color32)], previous: Option<u32>) -> u32 {
        // Not shared while the line is being built: nothing is copied.
        let mesh = Arc::make_mut(&mut self.mesh);
        let first = mesh.vertices.len() as u32;
        for (offset, color) in profile {
            mesh.vertices.push(Vertex { pos: at + across * *offset, uv: WHITE_UV, color: *color });
        }
        if let Some(previous) = previous {
            for i in 0..profile.len() as u32 - 1 {
                let (a, b, c, d) = (previous + i, previous + i + 1, first + i, first + i + 1);
                mesh.indices.extend_from_slice(&[a, b, c, b, d, c]);
            }
        }
        first
    }
}

/// Adds the triangles to what is painted; to a figure of vectors the lines that they were made of.
fn put(painter: &Painter, meshes: Vec<Arc<Mesh>>, pen: Option<Pen>) {
    let Some(pen) = pen else { return };
    if medium::of(painter.ctx()) == Medium::Vectors {
        let stroke = Stroke::new(pen.width, pen.color);
        painter.extend(middles(&meshes, pen.profile().0).into_iter().map(|points| Shape::line(points, stroke)));
    } else {
        painter.extend(meshes.into_iter().map(Shape::Mesh));
    }
}

/// The lines in the middle of rows of `across` vertices each.
fn middles(meshes: &[Arc<Mesh>], across: usize) -> Vec<Vec<Pos2>> {
    let mut lines: Vec<Vec<Pos2>> = Vec::new();
    for mesh in meshes {
        let middle = |first: u32| {
            let row = &mesh.vertices[first as usize..first as usize + across];
            row[0].pos + (row[across - 1].pos - row[0].pos) / 2.0
        };
        // From row to row as `Piece::row` joins them: its first triangle begins with both.
        for joint in mesh.indices.chunks_exact(6 * (across - 1)) {
            let (from, to) = (middle(joint[0]), middle(joint[2]));
            match lines.last_mut() {
                Some(line) if line.last().is_some_and(|last| last.distance(from) < 1e-3) => line.push(to),
                _ => lines.push(vec![from, to]),
            }
        }
    }
    lines
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

    fn vertices(line: &LineMesh) -> impl Iterator<Item = &Vertex> {
        line.pieces.iter().flat_map(|piece| &piece.mesh.vertices)
    }

    /// Area of the triangles, soft edges included.
    fn area(mesh: &Mesh) -> f32 {
        let triangle = |[a, b, c]: [u32; 3]| {
            let at = |i: u32| mesh.vertices[i as usize].pos;
            let (u, v) = (at(b) - at(a), at(c) - at(a));
            (u.x * v.y - u.y * v.x).abs() / 2.0
        };
        mesh.triangles().map(triangle).sum()
    }

    #[test]
    fn the_line_is_cut_at_the_step_of_the_cursor() {
        // Long enough for several pieces.
        let run = straight(2_000);
        let mut line = LineMesh::new([run.as_slice()], PEN);
        assert_eq!(line.triangles(), 1_999 * 6);
        assert!(line.pieces.len() > 2);
        for step in [1, 300, 511, 512, 513, 1_024, 1_998] {
            let mut head = 0.0;
            let mut tail = 0.0;
            for piece in &mut line.pieces {
                let count = piece.strokes_until(step);
                if count > 0 {
                    let mesh = piece.head(count);
                    assert!(mesh.is_valid());
                    head += area(&mesh);
                }
                if count < piece.ends.len() {
                    tail += area(&piece.tail(count));
                }
            }
            // 10 points a step, 3 points across with the soft edges.
            assert!((head - 30.0 * step as f32).abs() < 1.0, "{step}: {head}");
            assert!((tail - 30.0 * (1_999 - step) as f32).abs() < 1.0, "{step}: {tail}");
        }
    }

    #[test]
    fn a_line_is_as_wide_as_its_pen() {
        let run = straight(3);
        let line = LineMesh::new([run.as_slice()], PEN);
        let opaque = vertices(&line).filter(|v| v.color == Color32::WHITE).map(|v| v.pos.y);
        let (low, high) = opaque.fold((0f32, 0f32), |(low, high), y| (low.min(y), high.max(y)));
        // Half a feather on each side of the edge.
        assert_eq!(high - low + PEN.feather, PEN.width);
    }

    #[test]
    fn dashes_cover_their_share_of_the_line() {
        let run = straight(101);
        let solid = LineMesh::new([run.as_slice()], PEN);
        let dashed = LineMesh::new([run.as_slice()], Pen { dash: Dash::Dashed, ..PEN });
        let covered = |line: &LineMesh| line.pieces.iter().map(|piece| area(&piece.mesh)).sum::<f32>();
        let share = covered(&dashed) / covered(&solid);
        assert!((share - 9.0 / 14.0).abs() < 0.02, "{share}");
    }

    #[test]
    fn turning_back_and_repeated_points_stay_finite() {
        let points = [(0.0, 0.0), (10.0, 0.0), (10.0, 0.0), (0.0, 0.0), (10.0, 0.0)];
        let run: Vec<Stop> = points.iter().enumerate().map(|(i, (x, y))| (Pos2::new(*x, *y), i as u64)).collect();
        let line = LineMesh::new([run.as_slice()], PEN);
        assert!(line.pieces.iter().all(|piece| piece.mesh.is_valid()));
        assert!(vertices(&line).all(|v| !v.pos.any_nan() && v.pos.y.abs() < 3.0));
    }
}
