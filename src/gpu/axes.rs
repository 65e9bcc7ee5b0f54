//! The box around a surface: which walls stand behind it, its grid lines, and where numbers and names of the axes go.
//! Pure; the labels are drawn by whoever has type.

use super::camera::{HALF_HEIGHT, Vec3, View};
use super::height_field::{HeightField, height_to_z};
use super::scene::Line;
use crate::scale::number;
use crate::scale::ticks::round_values;

/// Colours of the box, with opacity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AxesColors {
    /// Grid lines on the walls and the floor.
    pub grid: [f32; 4],
    /// Edges of the walls and tick marks.
    pub edge: [f32; 4],
}

/// A text beside an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct AxisLabel {
    /// Where the text is centred, in the view's unit.
    pub at: [f32; 2],
    pub text: String,
    /// The name of the axis rather than a number on it.
    pub title: bool,
}

/// Lines and labels of the box.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axes {
    pub lines: Vec<Line>,
    pub labels: Vec<AxisLabel>,
}

/// Lays out the box for a view. `titles` name x, y and height; `font_size` is in the view's
/// unit.
pub fn axes(field: &HeightField, view: &View, titles: [&str; 3], font_size: f32, colors: AxesColors) -> Axes {
    // The eye's side of each wall: the box opens towards it.
    let side = [if view.eye[0] < 0.0 { -1.0 } else { 1.0 }, if view.eye[1] < 0.0 { -1.0 } else { 1.0 }];
    let mut axes = Axes::default();
    let tick_count = if view.size[0].min(view.size[1]) < 260.0 { 3 } else { 4 };
    let plane = |[low, high]: [f64; 2]| {
        let ticks = round_values(low, high, tick_count);
        ticks.into_iter().map(move |v| (v, (2.0 * (v - low) / (high - low) - 1.0) as f32)).collect::<Vec<_>>()
    };
    let (x_ticks, y_ticks) = (plane(field.x), plane(field.y));
    let z_ticks: Vec<_> = field.scale().ticks(tick_count).into_iter().map(|(v, h)| (v, height_to_z(h))).collect();

    let grid = |from: Vec3, to: Vec3| Line { from, to, color: colors.grid, width: 1.0, on_surface: false };
    let edge = |from: Vec3, to: Vec3| Line { from, to, color: colors.edge, width: 1.2, on_surface: false };
    let (floor, top) = (-HALF_HEIGHT, HALF_HEIGHT);
    let inner = |place: f32| place.abs() < 0.999;
    for &(_, x) in x_ticks.iter().filter(|(_, x)| inner(*x)) {
        axes.lines.push(grid([x, -1.0, floor], [x, 1.0, floor]));
        axes.lines.push(grid([x, -side[1], floor], [x, -side[1], top]));
    }
    for &(_, y) in y_ticks.iter().filter(|(_, y)| inner(*y)) {
        axes.lines.push(grid([-1.0, y, floor], [1.0, y, floor]));
        axes.lines.push(grid([-side[0], y, floor], [-side[0], y, top]));
    }
    for &(_, z) in z_ticks.iter().filter(|(_, z)| z.abs() < 0.999 * HALF_HEIGHT) {
        axes.lines.push(grid([-1.0, -side[1], z], [1.0, -side[1], z]));
        axes.lines.push(grid([-side[0], -1.0, z], [-side[0], 1.0, z]));
    }
    for z in [floor, top] {
        axes.lines.push(edge([-1.0, -side[1], z], [1.0, -side[1], z]));
        axes.lines.push(edge([-side[0], -1.0, z], [-side[0], 1.0, z]));
    }
    axes.lines.push(edge([-1.0, side[1], floor], [1.0, side[1], floor]));
    axes.lines.push(edge([side[0], -1.0, floor], [side[0], 1.0, floor]));
    for corner in [[-side[0], -side[1]], [side[0], -side[1]], [-side[0], side[1]]] {
        axes.lines.push(edge([corner[0], corner[1], floor], [corner[0], corner[1], top]));
    }

    // Numbers of x and y along the floor's near edges, of the height along the wall edge farthest to the left.
    let mut labels = Labels { view, font_size, placed: Vec::new() };
    let x_axis: Vec<_> = x_ticks.iter().map(|(v, x)| (*v, [*x, side[1], floor])).collect();
    labels.axis(&x_axis, [[-1.0, side[1], floor], [1.0, side[1], floor]], Some(titles[0]));
    let y_axis: Vec<_> = y_ticks.iter().map(|(v, y)| (*v, [side[0], *y, floor])).collect();
    labels.axis(&y_axis, [[side[0], -1.0, floor], [side[0], 1.0, floor]], Some(titles[1]));
    let corners = [[side[0], -side[1]], [-side[0], side[1]]];
    let across = |c: &[f32; 2]| view.right[0] * c[0] + view.right[1] * c[1];
    let [a, b] = corners;
    let corner = if across(&a) < across(&b) { a } else { b };
    let z_axis: Vec<_> = z_ticks.iter().map(|(v, z)| (*v, [corner[0], corner[1], *z])).collect();
    let ends = [floor, top].map(|z| [corner[0], corner[1], z]);
    labels.axis(&z_axis, ends, None);
    // The height's name stands on top of its axis, where its length is in nobody's way.
    if let Some([x, y, _]) = view.project(ends[1]) {
        labels.place([x, y - 0.9 * font_size], titles[2].to_owned(), true);
    }
    axes.labels = labels.placed;
    axes
}

/// Places texts outside of the box, none over another.
struct Labels<'a> {
    view: &'a View,
    font_size: f32,
    placed: Vec<AxisLabel>,
}

impl Labels<'_> {
    /// Half of the width and of the height that a text takes, estimated.
    fn half_size(&self, text: &str) -> [f32; 2] {
        [0.28 * self.font_size * text.chars().count() as f32, 0.5 * self.font_size]
    }

    /// Places a text unless it would touch one that is there already.
    fn place(&mut self, at: [f32; 2], text: String, title: bool) {
        let half = self.half_size(&text);
        let touches = self.placed.iter().any(|other| {
            let other_half = self.half_size(&other.text);
            (0..2).all(|i| (other.at[i] - at[i]).abs() < half[i] + other_half[i] + 0.15 * self.font_size)
        });
        if !touches {
            self.placed.push(AxisLabel { at, text, title });
        }
    }

    /// The numbers of one axis beside its edge, its name beyond them, halfway.
    fn axis(&mut self, ticks: &[(f64, Vec3)], ends: [Vec3; 2], title: Option<&str>) {
        let project = |point| self.view.project(point);
        let (Some(a), Some(b), Some(centre)) = (project(ends[0]), project(ends[1]), project([0.0; 3])) else {
            return;
        };
        let along = [b[0] - a[0], b[1] - a[1]];
        let length = along[0].hypot(along[1]);
        if length < 2.5 * self.font_size {
            // The axis points at the viewer: its numbers would pile up.
            return;
        }
        let middle = [0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1])];
        let mut outward = [along[1] / length, -along[0] / length];
        if outward[0] * (middle[0] - centre[0]) + outward[1] * (middle[1] - centre[1]) < 0.0 {
            outward = outward.map(|v| -v);
        }
        let beside = |at: [f32; 2], away: f32, half: [f32; 2]| {
            // How far the text reaches back towards the edge.
            let reach = outward[0].abs() * half[0] + outward[1].abs() * half[1];
            [0, 1].map(|i| at[i] + (away + reach) * outward[i])
        };
        let gap = 0.45 * self.font_size;
        let mut widest: f32 = 0.0;
        for (value, at) in ticks {
            let Some([x, y, _]) = self.view.project(*at) else { continue };
            let text = number::tick(*value);
            let half = self.half_size(&text);
            widest = widest.max(outward[0].abs() * half[0] + outward[1].abs() * half[1]);
            self.place(beside([x, y], gap, half), text, false);
        }
        if let Some(title) = title {
            let at = beside(middle, 1.7 * gap + 2.0 * widest, self.half_size(title));
            self.place(at, title.to_owned(), true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::camera::Camera;
    use crate::gpu::scale::ScaleMode;

    const COLORS: AxesColors = AxesColors { grid: [0.5; 4], edge: [1.0; 4] };

    #[test]
    fn every_direction_has_labels_outside_the_floor_and_walls_behind() {
        let field = HeightField::sample([-2.0, 2.0], [-1.0, 3.0], 17, ScaleMode::Linear, |x, y| x + y);
        for quarter in 0..8 {
            let camera = Camera { yaw: 0.4 + quarter as f32 * 0.785, ..Camera::default() };
            let view = camera.view([500.0, 400.0], 40.0);
            let axes = axes(&field, &view, ["x", "y", "f"], 12.0, COLORS);
            let titles: Vec<_> = axes.labels.iter().filter(|l| l.title).map(|l| l.text.as_str()).collect();
            assert_eq!(titles, ["x", "y", "f"], "{quarter}");
            assert!(axes.labels.len() >= 9, "{quarter}: {:?}", axes.labels);
            let outside = |at: [f32; 2]| !(0.0..=500.0).contains(&at[0]) || !(0.0..=400.0).contains(&at[1]);
            assert!(!axes.labels.iter().any(|l| outside(l.at)), "{quarter}: {:?}", axes.labels);
            // No upright wall line stands at the corner nearest to the eye.
            let near = [view.eye[0].signum(), view.eye[1].signum()];
            assert!(!axes.lines.iter().any(|line| line.from[2] != line.to[2]
                && [line.from[0], line.from[1]] == near
                && [line.to[0], line.to[1]] == near));
        }
    }

    #[test]
    fn a_tiny_picture_and_an_axis_seen_end_on_are_no_trouble() {
        let field = HeightField::sample([0.0, 1.0], [0.0, 1.0], 9, ScaleMode::Logarithmic, |x, y| (9.0 * x * y).exp());
        for size in [[1.0, 1.0], [30.0, 500.0]] {
            let view = Camera { yaw: 0.0, pitch: 1.55, ..Camera::default() }.view(size, 40.0);
            let axes = axes(&field, &view, ["x", "y", "f"], 12.0, COLORS);
            assert!(axes.labels.iter().all(|l| l.at.iter().all(|v| v.is_finite())));
        }
    }
}
