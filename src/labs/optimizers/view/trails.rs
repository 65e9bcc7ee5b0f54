//! The optimizers' paths on a field: decimated and turned into triangles once, cut at the cursor.

use eframe::egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, vec2};

use crate::kit::view::ViewCtx;
use crate::labs::optimizers::rules::Rule;
use crate::plot::axes::Axes;
use crate::plot::stroke::{LineMesh, Pen, Stop};
use crate::plot::style::{Category, Dash};
use crate::plot::{curve, decimate, number};

use super::field::{dot, edge_point};
use super::paths::Path;

/// Most strokes of one path; beyond that it is drawn more coarsely.
const CAP: usize = 4_000;
/// Strokes from which on a path is so dense that it has no halo and no soft edge.
const DENSE: usize = 1_500;
/// Paths are exact to this many points of the screen.
const TOLERANCE: f64 = 0.6;

/// Cached paths of one field.
#[derive(Debug, Default)]
pub struct Trails {
    key: Option<Key>,
    trails: Vec<Trail>,
}

#[derive(Debug, PartialEq)]
struct Key {
    axes: Axes,
    paths: Vec<(u64, usize, Category, bool)>,
    dark: bool,
    pixels_per_point: f32,
}

#[derive(Debug)]
struct Trail {
    runs: Vec<Vec<Stop>>,
    past: LineMesh,
    /// A soft edge around the bold line, so that it reads on every colour.
    halo: LineMesh,
    future: LineMesh,
}

impl Trails {
    /// Draws all paths: faint as a whole, bold up to the cursor, and a dot where each optimizer is.
    pub fn draw(
        &mut self,
        painter: &Painter,
        axes: &Axes,
        paths: &[Path<'_>],
        selected: Rule,
        ctx: &ViewCtx<'_>,
        size: f32,
    ) {
        self.build(painter, axes, paths, selected, ctx, size);
        for trail in &mut self.trails {
            trail.future.draw_after(painter, ctx.cursor.step);
        }
        let order = drawing_order(paths, selected);
        for index in order.clone() {
            let trail = &mut self.trails[index];
            trail.halo.draw_until(painter, ctx.cursor.step);
            trail.past.draw_until(painter, ctx.cursor.step);
            let path = &paths[index];
            let row = path.row_at(ctx.cursor.step);
            let end = decimate::open_end(&trail.runs, ctx.cursor.step).filter(|_| path.is_finite(row));
            if let Some(from) = end {
                let [x, y] = path.position(row);
                let category = ctx.style.category(path.rule.index());
                let width = bold(path.rule == selected, size);
                painter.line_segment([from, axes.at(x, y)], Stroke::new(width, category.color));
            }
        }
        let mut taken = Vec::new();
        for index in order {
            position(painter, axes, &paths[index], paths[index].rule == selected, &mut taken, ctx, size);
        }
        if let Some(index) = paths.iter().position(|path| path.rule == selected) {
            self.left(index, painter, axes, &paths[index], ctx, size);
        }
    }

    /// Says where the selected path has left the picture for good: its line ends there, and it does not.
    fn left(&self, index: usize, painter: &Painter, axes: &Axes, path: &Path<'_>, ctx: &ViewCtx<'_>, size: f32) {
        let is_outside = |k: &usize| {
            let [x, y] = path.position(*k);
            let [x, y] = axes.to_screen(x, y);
            !axes.rect.contains(Pos2::new(x as f32, y as f32))
        };
        let since = (0..=path.row_at(ctx.cursor.step)).rev().take_while(is_outside).last();
        let last = self.trails[index].runs.last().and_then(|run| run.last());
        let (Some(step), Some((at, _))) = (since.filter(|step| *step > 0), last) else { return };
        let text = format!("left the picture at step {}", number::grouped(step as u64));
        let inside = axes.rect.shrink(size);
        curve::label(painter, axes.rect, at.clamp(inside.min, inside.max), &text, size, ctx.style);
    }

    fn build(
        &mut self,
        painter: &Painter,
        axes: &Axes,
        paths: &[Path<'_>],
        selected: Rule,
        ctx: &ViewCtx<'_>,
        size: f32,
    ) {
        let pixels_per_point = painter.pixels_per_point();
        let look = |path: &Path<'_>| (ctx.style.category(path.rule.index()), path.rule == selected);
        let key = Key {
            axes: axes.clone(),
            paths: paths.iter().map(|p| (p.identity, p.row_count(), look(p).0, look(p).1)).collect(),
            dark: ctx.style.dark,
            pixels_per_point,
        };
        if self.key.as_ref() == Some(&key) {
            return;
        }
        let width = size / 11.0;
        let halo = if ctx.style.dark { Color32::from_black_alpha(110) } else { Color32::from_white_alpha(110) };
        self.trails.clear();
        for path in paths {
            let (category, selected) = look(path);
            let points = (0..path.row_count()).map(|k| {
                let [x, y] = path.position(k);
                let [x, y] = axes.to_screen(x, y);
                (k as u64, x, y)
            });
            let runs = decimate::path(points, TOLERANCE, axes.rect.expand(4.0), CAP);
            let runs: Vec<_> = runs.iter().map(|run| decimate::simplified(run, 0.3, 14.0)).collect();
            let dense = runs.iter().map(Vec::len).sum::<usize>() > DENSE;
            let mesh = |width: f32, color: Color32, dash: Dash| {
                let feather = if dense { 0.0 } else { 1.0 / pixels_per_point };
                let pen = Pen { width, color, dash, feather };
                LineMesh::new(runs.iter().map(Vec::as_slice), pen)
            };
            let bold = bold(selected, size);
            let past = mesh(bold, category.color, category.dash);
            let halo = if dense { LineMesh::default() } else { mesh(bold + 2.0 * width, halo, category.dash) };
            let future = mesh(1.2 * width, category.color.gamma_multiply(0.45), Dash::Solid);
            self.trails.push(Trail { past, halo, future, runs });
        }
        self.key = Some(key);
    }

    /// Names the path under the mouse: optimizer, step, place and value.
    pub fn hover(
        &self,
        painter: &Painter,
        axes: &Axes,
        paths: &[Path<'_>],
        pointer: Pos2,
        ctx: &ViewCtx<'_>,
        size: f32,
    ) {
        let near = self
            .trails
            .iter()
            .enumerate()
            .flat_map(|(index, trail)| trail.runs.iter().flatten().map(move |stop| (index, *stop)))
            .map(|(index, (at, step))| (at.distance_sq(pointer), index, step))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let Some((_, index, step)) = near.filter(|(distance, ..)| *distance < 100.0) else { return };
        let Some(path) = paths.get(index).filter(|path| (step as usize) < path.row_count()) else { return };
        let [x, y] = path.position(step as usize);
        let at = axes.at(x, y);
        painter.circle_stroke(at, 0.5 * size, Stroke::new(1.5, ctx.style.text));
        let text = format!(
            "{}  step {}  ({}, {})  f {}",
            path.rule.title(),
            number::grouped(step),
            number::short(x),
            number::short(y),
            number::short(path.f(step as usize))
        );
        curve::label(painter, axes.rect, at, &text, size, ctx.style);
    }
}

/// Width of a path up to the cursor.
fn bold(selected: bool, size: f32) -> f32 {
    let width = if selected { 3.0 } else { 2.0 };
    width * size / 11.0
}

/// The selected path last, on top.
fn drawing_order(paths: &[Path<'_>], selected: Rule) -> impl Iterator<Item = usize> + Clone {
    let last = paths.iter().position(|path| path.rule == selected);
    (0..paths.len()).filter(move |index| Some(*index) != last).chain(last)
}

/// Where an optimizer is on the picture: its place, or the place at the edge that is nearest on its way out.
pub fn place(axes: &Axes, path: &Path<'_>, ctx: &ViewCtx<'_>, size: f32) -> Option<Pos2> {
    let [px, py] = newest(axes, path, ctx);
    let at = Pos2::new(px as f32, py as f32);
    if axes.rect.expand(1.0).contains(at) {
        return Some(at);
    }
    edge_point(axes.rect.shrink(0.8 * size), [px, py]).map(|(edge, _)| edge)
}

/// The newest finite place, on the screen.
fn newest(axes: &Axes, path: &Path<'_>, ctx: &ViewCtx<'_>) -> [f64; 2] {
    let k = last_finite(path.row_at(ctx.cursor.step), |k| path.is_finite(k));
    let [x, y] = path.position(k);
    axes.to_screen(x, y)
}

/// The dot where an optimizer is; where it has left the picture, a pointer at the edge; where its numbers have ended, a cross
/// at the last of them, at the edge if that lies outside. `taken`: where pointers are already.
fn position(
    painter: &Painter,
    axes: &Axes,
    path: &Path<'_>,
    selected: bool,
    taken: &mut Vec<Pos2>,
    ctx: &ViewCtx<'_>,
    size: f32,
) {
    let color = ctx.style.category(path.rule.index()).color;
    let row = path.row_at(ctx.cursor.step);
    let ended = (0..=row).rev().take(4).all(|k| !path.is_finite(k));
    let [px, py] = newest(axes, path, ctx);
    let at = Pos2::new(px as f32, py as f32);
    let radius = if selected { 0.5 } else { 0.4 } * size;
    if ended {
        let inside = axes.rect.shrink(0.8 * size);
        let place = if inside.contains(at) { Some(at) } else { edge_point(inside, [px, py]).map(|(edge, _)| edge) };
        let Some(at) = place else { return };
        for (width, color) in [(0.45 * size, Color32::WHITE), (0.2 * size, color)] {
            let arm = |x: f32, y: f32| [at - vec2(x, y) * radius, at + vec2(x, y) * radius];
            painter.line_segment(arm(1.0, 1.0), Stroke::new(width, color));
            painter.line_segment(arm(1.0, -1.0), Stroke::new(width, color));
        }
        return;
    }
    if axes.rect.expand(1.0).contains(at) {
        dot(painter, at, radius, color, Color32::WHITE);
        return;
    }
    if let Some((edge, unit)) = edge_point(axes.rect.shrink(0.8 * size), [px, py]) {
        let edge = beside(edge, axes.rect.shrink(0.8 * size), taken, 2.2 * radius);
        taken.push(edge);
        let side = unit.rot90();
        let tip = edge + unit * 1.2 * radius;
        let base = edge - unit * 0.8 * radius;
        let corners = vec![tip, base + side * radius, base - side * radius];
        painter.add(Shape::convex_polygon(corners, color, Stroke::new(1.2, Color32::WHITE)));
    }
}

/// The place along the border `inside` that is nearest to `edge` and as far from those that are taken: who leaves together is
/// still told apart.
fn beside(edge: Pos2, inside: Rect, taken: &[Pos2], apart: f32) -> Pos2 {
    let on_top = (edge.y - inside.top()).abs() < 1.0 || (edge.y - inside.bottom()).abs() < 1.0;
    let along = if on_top { vec2(apart, 0.0) } else { vec2(0.0, apart) };
    let places = (0..24).map(|i| if i % 2 == 0 { -(i / 2) } else { i / 2 + 1 });
    let mut places = places.map(|i| (edge + along * i as f32).clamp(inside.min, inside.max));
    places.find(|place| taken.iter().all(|other| other.distance(*place) > 0.95 * apart)).unwrap_or(edge)
}

/// The last row up to this one that holds numbers; once a path has none it never has any again. Its first row always does.
fn last_finite(row: usize, is_finite: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, row + 1);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if is_finite(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_at_one_place_of_the_edge_stand_side_by_side() {
        let inside = Rect::from_min_max(Pos2::ZERO, Pos2::new(100.0, 50.0));
        let mut taken = Vec::new();
        for _ in 0..5 {
            let place = beside(Pos2::new(50.0, 0.0), inside, &taken, 10.0);
            assert!(inside.contains(place) && taken.iter().all(|other: &Pos2| other.distance(place) > 9.0));
            taken.push(place);
        }
        assert_eq!((taken[0], taken[1].y), (Pos2::new(50.0, 0.0), 0.0));
        assert_eq!(beside(Pos2::new(0.0, 20.0), inside, &[Pos2::new(0.0, 20.0)], 10.0).x, 0.0, "on its own side");
    }

    #[test]
    fn the_end_of_a_path_is_found() {
        for ends in [1, 2, 7, 1_000] {
            assert_eq!(last_finite(1_000, |k| k < ends), ends - 1);
        }
        assert_eq!(last_finite(0, |_| true), 0);
        assert_eq!(last_finite(9, |_| true), 9);
    }
}
