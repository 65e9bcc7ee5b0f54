//! Paths laid over a surface, cut at the border of the box, thinned to what a screen can show and to a bounded number of
//! segments. Built once per path; the cursor is a uniform of the renderer.

use std::collections::HashSet;

use super::camera::Vec3;
use super::height_field::HeightField;

/// Most segments of one trail, whatever the number of steps.
pub const SEGMENT_BUDGET: usize = 12_000;

/// Points nearer than this to the last kept one are skipped, box units; about half a pixel of a large tile.
const FINEST: f64 = 0.0015;

/// One straight piece of a trail, box coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    pub from: Vec3,
    pub to: Vec3,
    /// Steps of the path at both ends; between two steps it is interpolated.
    pub steps: [f32; 2],
    /// Lengths along the trail at both ends, box units, for dashes.
    pub arc: [f32; 2],
}

/// A path laid over a surface. Grows with its path.
#[derive(Debug, Clone, Default)]
pub struct TrailBuilder {
    segments: Vec<Segment>,
    next: usize,
    previous: Option<(usize, [f64; 2])>,
    arc: f32,
    /// Pieces that are already drawn, on a grid of the resolution: a limit cycle of 10⁵ steps draws each once.
    drawn: HashSet<[i16; 4]>,
    /// Doublings of the resolution after the budget was exceeded.
    coarser: u32,
}

impl TrailBuilder {
    /// What is laid down so far, in order of steps.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Points of the path that have been looked at.
    pub fn consumed(&self) -> usize {
        self.next
    }

    /// Looks at up to `limit` further points of a path of `len` points and returns how many it looked at. Point 0 is the
    /// start, point k the position after k steps. Points that are not finite break the trail. A path that exceeds
    /// [`SEGMENT_BUDGET`] is laid anew at half the resolution.
    pub fn extend(
        &mut self,
        field: &HeightField,
        len: usize,
        limit: usize,
        point: impl Fn(usize) -> [f64; 2],
    ) -> usize {
        let mut looked_at = 0;
        while self.next < len && looked_at < limit {
            // At coarse resolutions of a path that leaps about, only every so many steps are drawn.
            let stride = 1_usize << self.coarser.saturating_sub(3).min(40);
            let here = field.to_box(point(self.next));
            self.append(field, self.next, here);
            looked_at += 1;
            self.next = self.next.saturating_add(stride);
            if self.segments.len() > SEGMENT_BUDGET {
                *self = Self { coarser: self.coarser + 1, ..Self::default() };
            }
        }
        looked_at
    }

    fn append(&mut self, field: &HeightField, step: usize, here: [f64; 2]) {
        if !here.iter().all(|v| v.is_finite()) {
            self.previous = None;
            return;
        }
        let Some((from_step, from)) = self.previous else {
            self.previous = Some((step, here));
            return;
        };
        let resolution = FINEST * f64::from(1_u32 << self.coarser.min(8));
        let length = (here[0] - from[0]).hypot(here[1] - from[1]);
        if length < resolution {
            return;
        }
        self.previous = Some((step, here));
        let Some([enter, leave]) = inside(from, here) else { return };
        let at = |t: f64| [from[0] + t * (here[0] - from[0]), from[1] + t * (here[1] - from[1])];
        if !self.drawn.insert(key(at(enter), at(leave), resolution)) {
            return;
        }
        // One piece per cell of the grid keeps the trail on the mesh.
        let cell = 2.0 / (field.side() - 1) as f64 * f64::from(1_u32 << self.coarser.saturating_sub(2).min(4));
        let pieces = ((leave - enter) * length / cell).ceil().max(1.0) as usize;
        let mut tail: Option<(Vec3, f32)> = None;
        for piece in 0..=pieces {
            let t = enter + (leave - enter) * piece as f64 / pieces as f64;
            let on_mesh = field.on_mesh(at(t).map(|v| v as f32));
            let at_step = (from_step as f64 + t * (step - from_step) as f64) as f32;
            if let Some((before, before_step)) = tail {
                let arc = self.arc + distance(before, on_mesh);
                self.segments.push(Segment {
                    from: before,
                    to: on_mesh,
                    steps: [before_step, at_step],
                    arc: [self.arc, arc],
                });
                self.arc = arc;
            }
            tail = Some((on_mesh, at_step));
        }
    }
}

/// A line between two points of the domain, laid over the surface; empty outside the box.
pub fn draped_line(field: &HeightField, from: [f64; 2], to: [f64; 2]) -> Vec<Segment> {
    let mut line = TrailBuilder::default();
    line.extend(field, 2, 2, |i| if i == 0 { from } else { to });
    line.segments
}

/// The part of the way from `from` to `to` inside the square -1..=1, as shares of the way.
fn inside(from: [f64; 2], to: [f64; 2]) -> Option<[f64; 2]> {
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for i in 0..2 {
        let along = to[i] - from[i];
        if along == 0.0 {
            if from[i].abs() > 1.0 {
                return None;
            }
            continue;
        }
        let (a, b) = ((-1.0 - from[i]) / along, (1.0 - from[i]) / along);
        enter = enter.max(a.min(b));
        leave = leave.min(a.max(b));
    }
    (enter < leave).then_some([enter, leave])
}

/// Both ends on a grid of the resolution, the same for either direction. Positions are within -1..=1.
fn key(a: [f64; 2], b: [f64; 2], resolution: f64) -> [i16; 4] {
    let cell = |v: f64| (v / resolution).round() as i16;
    let (a, b) = (a.map(cell), b.map(cell));
    if a <= b { [a[0], a[1], b[0], b[1]] } else { [b[0], b[1], a[0], a[1]] }
}

fn distance(a: Vec3, b: Vec3) -> f32 {
    (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::scale::ScaleMode;

    fn field() -> HeightField {
        HeightField::sample([-1.0, 1.0], [-1.0, 1.0], 129, ScaleMode::Linear, |x, y| x * x - y * y)
    }

    fn lay(len: usize, point: impl Fn(usize) -> [f64; 2]) -> TrailBuilder {
        let mut trail = TrailBuilder::default();
        // In portions, as a window does it.
        while trail.consumed() < len {
            trail.extend(&field(), len, 10_000, &point);
        }
        trail
    }

    #[test]
    fn a_trail_lies_on_the_mesh_from_start_to_end() {
        let field = field();
        let trail = lay(2, |k| if k == 0 { [-0.9, 0.3] } else { [0.8, -0.7] });
        let segments = trail.segments();
        assert!(segments.len() > 50);
        assert_eq!(segments[0].steps[0], 0.0);
        assert!((segments.last().expect("not empty").steps[1] - 1.0).abs() < 1e-6);
        for pair in segments.windows(2) {
            assert_eq!(pair[0].to, pair[1].from);
            assert_eq!(pair[0].arc[1], pair[1].arc[0]);
        }
        for segment in segments {
            assert!((field.on_mesh([segment.to[0], segment.to[1]])[2] - segment.to[2]).abs() < 1e-5);
        }
    }

    #[test]
    fn a_hundred_thousand_steps_stay_within_the_budget() {
        // A creep, a limit cycle, and a path that leaps about without ever repeating.
        let creep = lay(100_000, |k| [-0.9 + 1.8e-5 * k as f64, 0.1]);
        assert!(creep.segments().len() < 2_000);
        let cycle = lay(100_000, |k| [if k % 2 == 0 { 0.3 } else { -0.3 }, 0.2]);
        assert!(cycle.segments().len() < 100, "{}", cycle.segments().len());
        let leaps = lay(100_000, |k| [(k as f64 * 0.754).sin(), (k as f64 * 0.5177).cos()]);
        assert!((1_000..=SEGMENT_BUDGET).contains(&leaps.segments().len()), "{}", leaps.segments().len());
        assert!(leaps.consumed() >= 100_000);
    }

    #[test]
    fn growing_gives_the_same_as_at_once() {
        let spiral = |k: usize| {
            let t = k as f64 * 0.02;
            [(0.9 - 0.001 * t) * t.cos(), 0.7 * t.sin()]
        };
        let mut grown = TrailBuilder::default();
        for len in [1, 7, 100, 900] {
            grown.extend(&field(), len, usize::MAX, spiral);
        }
        assert_eq!(grown.segments(), lay(900, spiral).segments());
    }

    #[test]
    fn what_leaves_the_box_is_cut_at_its_border() {
        let trail = lay(3, |k| [[0.0, 0.0], [0.0, 4.0], [0.5, 4.0]][k]);
        let last = trail.segments().last().expect("the part inside is drawn");
        assert!((last.to[1] - 1.0).abs() < 1e-6);
        assert!((last.steps[1] - 0.25).abs() < 1e-6);
    }

    #[test]
    fn a_path_that_diverges_ends_without_harm() {
        let trail = lay(2_000, |k| [0.1 * (-1.5_f64).powi(k as i32), 0.0]);
        assert!(trail.segments().iter().all(|s| s.to.iter().all(|v| v.is_finite())));
        assert!(!trail.segments().is_empty());
    }
}
