//! Curves in one plot, with the lines and points that they are compared with: decimated to the pixels, turned into
//! triangles once, and cut at the shared cursor where x is the step.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, Color32, CursorIcon, FontId, Mesh, Painter, Pos2, Rect, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use super::axes::{Axes, Bounds, Titles, is_panning, zoom};
use super::scale::Scale;
use super::stroke::{LineMesh, Pen, Stop};
use super::style::{Category, Dash, Style};
use super::{decimate, number};

/// What of a curve holds at a step: where it was measured, and the value.
pub type Held<'a> = Box<dyn Fn(u64) -> Option<(u64, f64)> + 'a>;

/// One curve.
pub struct Curve<'a> {
    /// In read-outs.
    pub name: Cow<'a, str>,
    pub category: Category,
    /// In units of a normal line. A fine one (below 1) has no dot at the cursor, a heavy one has a larger dot.
    pub width: f32,
    /// Tells data apart: a curve with the same identity, `len` and last point is the same line.
    pub identity: u64,
    pub len: usize,
    /// Point (x, y) below `len`; with a cursor in order of x.
    pub point: Box<dyn Fn(usize) -> [f64; 2] + 'a>,
    /// What holds at a step; `None`: the newest point that is not after it.
    pub held: Option<Held<'a>>,
}

/// What curves are compared with: a line across the plot where one coordinate is known, a diamond where both are.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    pub x: Option<f64>,
    pub y: Option<f64>,
    pub color: Color32,
    /// Written at its line where there is room; empty for none.
    pub text: String,
}

/// What is drawn around the curves.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot<'a> {
    /// Name for assistive technology.
    pub name: &'a str,
    pub titles: Titles<'a>,
    /// Of y.
    pub scale: Scale,
    /// The part of x and of y that is shown at first; `None`: every point.
    pub window: [Option<[f64; 2]>; 2],
    /// Where x is the step: curves are bold up to here and faint from here on, and a click asks for another step.
    pub cursor: Option<u64>,
    /// Values that the y axis always reaches.
    pub include: &'a [f64],
    /// Values outside are not followed by the y axis (a curve that runs away would flatten all others).
    pub limits: Option<RangeInclusive<f64>>,
    pub marks: &'a [Mark],
    /// Pairs of curves, by index, with points at the same x: what lies between them is filled in the first one's colour.
    pub fills: &'a [[usize; 2]],
    pub font_size: f32,
}

/// View state of one plot: the zoom, and what is cached.
#[derive(Debug, Default)]
pub struct CurveState {
    view: Option<Bounds>,
    /// The extent of all points, `[x, y]`.
    extent: Option<(Vec<Key>, Scale, [[f64; 2]; 2])>,
    drawn: Option<(Axes, Vec<Key>)>,
    lines: Vec<Line>,
}

/// What a curve's triangles depend on, beside the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    identity: u64,
    len: usize,
    /// Bits of the last point, which may be no number.
    last: [u64; 2],
    category: Category,
    width: f32,
}

/// A curve as triangles. The stops' steps are indices of points.
#[derive(Debug)]
struct Line {
    runs: Vec<Vec<Stop>>,
    past: LineMesh,
    future: LineMesh,
}

/// Stops from which on a curve is so crowded that its edges need not be soft.
const CROWDED: usize = 600;
/// Most stops of a path in the plane.
const PATH_CAP: usize = 20_000;
/// Curves up to which a screen reader is told every value.
const SPOKEN: usize = 12;

impl Mark {
    /// A line at a value.
    pub fn level(value: f64, color: Color32, text: impl Into<String>) -> Self {
        Self { x: None, y: Some(value), color, text: text.into() }
    }

    /// A line at a step.
    pub fn step(step: u64, color: Color32, text: impl Into<String>) -> Self {
        Self { x: Some(step as f64), y: None, color, text: text.into() }
    }
}

impl Curve<'_> {
    fn key(&self) -> Key {
        let Curve { category, width, identity, len, .. } = *self;
        let last = len.checked_sub(1).map_or([0; 2], |last| (self.point)(last).map(f64::to_bits));
        Key { identity, len, last, category, width }
    }

    /// How many points are not after `x`.
    fn reached(&self, x: f64) -> usize {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low.midpoint(high);
            if (self.point)(middle)[0] <= x {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// What holds at a step: where it was measured, and the value.
    pub fn at(&self, step: u64) -> Option<(u64, f64)> {
        match &self.held {
            Some(held) => held(step),
            None => {
                let [x, y] = (self.point)(self.reached(step as f64).checked_sub(1)?);
                Some((x as u64, y))
            }
        }
    }

    /// [`Curve::at`] with its place on the screen, if it has one.
    fn place(&self, axes: &Axes, step: u64) -> Option<((u64, f64), Pos2)> {
        let (measured, value) = self.at(step)?;
        let [x, y] = axes.to_screen(measured as f64, axes.scales[1].position(value));
        y.is_finite().then(|| ((measured, value), pos2(x as f32, y as f32)))
    }
}

impl CurveState {
    /// Forgets the zoom: everything is shown again.
    pub fn fit(&mut self) {
        self.view = None;
    }

    /// What of the plot is shown; `None`: everything.
    pub fn zoom(&mut self) -> &mut Option<Bounds> {
        &mut self.view
    }

    /// Whether the user has zoomed or panned.
    pub fn is_zoomed(&self) -> bool {
        self.view.is_some()
    }

    /// Draws the plot into `outer`, the last curve on top; returns the step that the user asked for.
    pub fn show(&mut self, ui: &Ui, outer: Rect, plot: &Plot<'_>, curves: &[Curve<'_>], style: &Style) -> Option<u64> {
        if outer.width() < 8.0 || outer.height() < 8.0 {
            return None;
        }
        let bounds = self.view.unwrap_or_else(|| self.whole(plot, curves));
        let size = plot.font_size;
        let axes = Axes::new(outer, bounds, [Scale::Linear, plot.scale], size, 0.6 * size);
        let response = ui.interact(axes.rect, ui.scope_id().with(plot.name), Sense::click_and_drag());
        let spoken = spoken(plot, curves);
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &spoken));
        zoom(ui, &response, &axes, &mut self.view);

        let (painter, inside) = (ui.painter_at(outer), ui.painter_at(axes.rect));
        inside.rect_filled(axes.rect, 2.0, style.plot_background);
        axes.draw_grid(&inside, style, style.rule);
        plot.fills.iter().for_each(|pair| fill_between(&inside, &axes, pair.map(|at| curves.get(at))));
        plot.marks.iter().for_each(|mark| draw_mark_line(&inside, &axes, mark));
        self.build(&axes, plot, curves, inside.pixels_per_point());
        match plot.cursor {
            Some(step) => self.draw_until(step, &painter, &axes, curves, size, style),
            None => self.lines.iter_mut().for_each(|line| line.past.draw(&inside)),
        }
        plot.marks.iter().for_each(|mark| draw_diamond(&inside, &axes, mark, size, style));
        name_marks(&inside, &axes, plot, curves, style);
        if let Some(step) = plot.cursor {
            draw_cursor(&painter.with_clip_rect(axes.rect.expand(size)), &axes, step, size, style);
        }
        axes.draw_labels(&painter, style, &plot.titles);
        if let Some(pointer) = response.hover_pos().filter(|_| !response.dragged()) {
            read_out(&inside, &axes, plot, curves, pointer, style);
        }
        plot.cursor?;
        let seeking = (response.clicked() || response.dragged()) && !is_panning(ui, &response);
        let end = plot.window[0].map_or(f64::INFINITY, |[_, end]| end);
        let to_step = |pos: Pos2| axes.from_screen(pos)[0].round().clamp(0.0, end) as u64;
        let asked = response.interact_pointer_pos().filter(|_| seeking).map(to_step);
        response.on_hover_cursor(CursorIcon::ResizeHorizontal);
        asked
    }

    /// What is shown at first.
    fn whole(&mut self, plot: &Plot<'_>, curves: &[Curve<'_>]) -> Bounds {
        let keys: Vec<Key> = curves.iter().map(Curve::key).collect();
        let [across, up] = match &self.extent {
            Some((cached, scale, extent)) if *cached == keys && *scale == plot.scale => *extent,
            _ => {
                let extent = extent(plot.scale, curves);
                self.extent = Some((keys, plot.scale, extent));
                extent
            }
        };
        let position = |value: f64| plot.scale.position(value);
        let grown = |[low, high]: [f64; 2], values: &mut dyn Iterator<Item = f64>| {
            values.filter(|v| v.is_finite()).fold([low, high], |[low, high], v| [low.min(v), high.max(v)])
        };
        let x = plot.window[0].unwrap_or_else(|| {
            padded(grown(across, &mut plot.marks.iter().filter_map(|mark| mark.x.filter(|_| plot.cursor.is_none()))))
        });
        let y = plot.window[1].map(|y| y.map(position)).unwrap_or_else(|| {
            let [mut low, mut high] = up;
            if let Some(limits) = plot.limits.as_ref().filter(|_| low <= high) {
                let [from, to] = [*limits.start(), *limits.end()].map(position);
                low = if from.is_finite() { low.max(from).min(to) } else { low };
                high = if to.is_finite() { high.min(to).max(low) } else { high };
            }
            let always = plot.include.iter().copied();
            let read = plot.marks.iter().filter_map(|mark| mark.y.filter(|_| plot.cursor.is_none()));
            padded(grown([low, high], &mut always.chain(read).map(position)))
        });
        Bounds::new(x, y)
    }

    /// Rebuilds the triangles if anything they depend on has changed.
    fn build(&mut self, axes: &Axes, plot: &Plot<'_>, curves: &[Curve<'_>], pixels_per_point: f32) {
        let key = (axes.clone(), curves.iter().map(Curve::key).collect());
        if self.drawn.as_ref() == Some(&key) {
            return;
        }
        let line = |curve: &Curve<'_>| {
            let samples = |from: usize, to: usize| {
                (from..to).map(move |i| {
                    let [x, y] = (curve.point)(i);
                    let [x, y] = axes.to_screen(x, axes.scales[1].position(y));
                    (i as u64, x, y)
                })
            };
            let runs = if plot.cursor.is_some() {
                let from = curve.reached(axes.bounds.x[0]).saturating_sub(1);
                let to = (curve.reached(axes.bounds.x[1]) + 1).clamp(from, curve.len);
                let runs = decimate::columns(samples(from, to), 1.0, axes.rect);
                runs.iter().map(|run| decimate::simplified(run, 0.25, 14.0)).collect()
            } else {
                decimate::path(samples(0, curve.len), 0.5, axes.rect, PATH_CAP)
            };
            let crowded = runs.iter().map(Vec::len).sum::<usize>() > CROWDED;
            let mesh = |width: f32, strength: f32| {
                let pen = Pen {
                    width: width * curve.width * plot.font_size / 11.0,
                    color: curve.category.color.gamma_multiply(strength),
                    dash: curve.category.dash,
                    feather: if crowded { 0.0 } else { 1.0 / pixels_per_point },
                };
                LineMesh::new(runs.iter().map(Vec::as_slice), pen)
            };
            let future = if plot.cursor.is_some() { mesh(1.2, 0.3) } else { LineMesh::default() };
            Line { past: mesh(1.8, 1.0), future, runs }
        };
        self.lines = curves.iter().map(line).collect();
        self.drawn = Some(key);
    }

    /// Draws the curves bold up to a step and faint from there on, with a dot where they are.
    fn draw_until(
        &mut self,
        step: u64,
        painter: &Painter,
        axes: &Axes,
        curves: &[Curve<'_>],
        size: f32,
        style: &Style,
    ) {
        let inside = painter.with_clip_rect(painter.clip_rect().intersect(axes.rect));
        // On the border too a dot is whole; above and below the plot there is none.
        let dots = painter.with_clip_rect(axes.rect.expand2(vec2(0.5 * size, 0.0)));
        let newest = |curve: &Curve<'_>| curve.reached(step as f64).saturating_sub(1) as u64;
        for (line, curve) in self.lines.iter_mut().zip(curves) {
            line.future.draw_after(&inside, newest(curve));
        }
        for (line, curve) in self.lines.iter_mut().zip(curves) {
            line.past.draw_until(&inside, newest(curve));
            let Some((_, at)) = curve.place(axes, step) else { continue };
            let color = curve.category.color;
            if let Some(from) = decimate::open_end(&line.runs, newest(curve)) {
                inside.line_segment([from, at], Stroke::new(1.8 * curve.width * size / 11.0, color));
            }
            let shown = axes.rect.y_range().contains(at.y) && axes.rect.expand(0.5).x_range().contains(at.x);
            if shown && curve.width >= 1.0 {
                let radius = if curve.width > 1.0 { 0.38 } else { 0.28 } * size;
                dots.circle(at, radius, color, Stroke::new(1.0, style.plot_background));
            }
        }
    }
}

/// The extent of all points that have a position: of x, and of the positions of y. Empty ranges are the wrong way round.
fn extent(scale: Scale, curves: &[Curve<'_>]) -> [[f64; 2]; 2] {
    // Scales are monotone: the extremes of the values are those of the positions.
    let base = if let Scale::Log { base } = scale { base } else { f64::NEG_INFINITY };
    let mut found = [[f64::INFINITY, f64::NEG_INFINITY]; 2];
    for curve in curves {
        for [x, y] in (0..curve.len).map(|i| (curve.point)(i)) {
            if x.is_finite() && y.is_finite() && y > base {
                found[0] = [found[0][0].min(x), found[0][1].max(x)];
                found[1] = [found[1][0].min(y), found[1][1].max(y)];
            }
        }
    }
    let [low, high] = found[1];
    if low <= high { [found[0], found[1].map(|y| scale.position(y))] } else { found }
}

/// A range with a margin; of some size where it has none.
fn padded([mut low, mut high]: [f64; 2]) -> [f64; 2] {
    if low.partial_cmp(&high).is_none_or(|order| order.is_gt()) {
        (low, high) = (0.0, 1.0);
    }
    if high - low < 1e-9 * high.abs().max(1e-9) {
        let margin = if high == 0.0 { 1.0 } else { 0.5 * high.abs() };
        (low, high) = (low - margin, high + margin);
    }
    let margin = 0.06 * (high - low);
    [low - margin, high + margin]
}

/// What a screen reader says: the plot's name, and the values at the cursor where they are not too many to listen to.
fn spoken(plot: &Plot<'_>, curves: &[Curve<'_>]) -> String {
    let mut text = plot.name.to_owned();
    let Some(step) = plot.cursor.filter(|_| curves.len() <= SPOKEN) else { return text };
    for curve in curves {
        if let Some((_, value)) = curve.at(step) {
            text.push_str(&format!(", {} {}", curve.name, number::short(value)));
        }
    }
    text
}

/// The ends of a mark's line, where it has one that the plot shows.
fn line_of(axes: &Axes, mark: &Mark) -> Option<[Pos2; 2]> {
    let rect = axes.rect;
    match (mark.x, mark.y) {
        (Some(x), None) => {
            let x = axes.at(x, 0.0).x;
            rect.x_range().contains(x).then(|| [pos2(x, rect.top()), pos2(x, rect.bottom())])
        }
        (None, Some(y)) => {
            let y = axes.at(0.0, axes.scales[1].position(y)).y;
            rect.y_range().contains(y).then(|| [pos2(rect.left(), y), pos2(rect.right(), y)])
        }
        _ => None,
    }
}

/// Thin at an x, dotted at a y.
fn draw_mark_line(painter: &Painter, axes: &Axes, mark: &Mark) {
    let Some(ends) = line_of(axes, mark) else { return };
    if mark.x.is_some() {
        painter.line_segment(ends, Stroke::new(1.0, mark.color.gamma_multiply(0.7)));
    } else {
        let pen = Pen { width: 1.2, color: mark.color, dash: Dash::Dotted, feather: 1.0 / painter.pixels_per_point() };
        LineMesh::new([ends.map(|end| (end, 0)).as_slice()], pen).draw(painter);
    }
}

/// Fills what lies between two curves with points at the same x.
fn fill_between(painter: &Painter, axes: &Axes, [low, high]: [Option<&Curve<'_>>; 2]) {
    let (Some(low), Some(high)) = (low, high) else { return };
    let color = low.category.color.gamma_multiply(0.18);
    let mut mesh = Mesh::default();
    for i in 0..low.len.min(high.len) {
        for [x, y] in [(low.point)(i), (high.point)(i)] {
            mesh.colored_vertex(axes.at(x, axes.scales[1].position(y)), color);
        }
        if i > 0 {
            let first = 2 * i as u32 - 2;
            mesh.add_triangle(first, first + 1, first + 2);
            mesh.add_triangle(first + 1, first + 2, first + 3);
        }
    }
    // A place that is no number has no triangle.
    if mesh.vertices.iter().all(|vertex| vertex.pos.is_finite()) {
        painter.add(Shape::mesh(mesh));
    }
}

/// A hollow diamond where both coordinates are known.
fn draw_diamond(painter: &Painter, axes: &Axes, mark: &Mark, size: f32, style: &Style) {
    let (Some(x), Some(y)) = (mark.x, mark.y) else { return };
    let (at, r) = (axes.at(x, axes.scales[1].position(y)), 0.5 * size);
    let corners = [(r, 0.0), (0.0, r), (-r, 0.0), (0.0, -r)].map(|(dx, dy)| at + vec2(dx, dy));
    for stroke in [Stroke::new(4.0, style.plot_background), Stroke::new(2.0, mark.color)] {
        painter.add(Shape::closed_line(corners.to_vec(), stroke));
    }
}

/// Writes the marks' names at their lines, at the end and on the side where they hide the least of the curves; none where
/// there is no room, or where it would take most of the plot's width.
fn name_marks(painter: &Painter, axes: &Axes, plot: &Plot<'_>, curves: &[Curve<'_>], style: &Style) {
    /// Samples of a curve that are looked at.
    const SAMPLES: usize = 400;
    if plot.marks.iter().all(|mark| mark.text.is_empty()) {
        return;
    }
    let samples: Vec<Pos2> = curves
        .iter()
        .flat_map(|curve| (0..curve.len).step_by(curve.len / SAMPLES + 1).map(|i| (curve.point)(i)))
        .map(|[x, y]| axes.at(x, axes.scales[1].position(y)))
        .collect();
    let mut taken: Vec<Rect> = Vec::new();
    for mark in plot.marks.iter().filter(|mark| !mark.text.is_empty()) {
        let Some([from, to]) = line_of(axes, mark) else { continue };
        let text = painter.layout_no_wrap(mark.text.clone(), FontId::proportional(plot.font_size), mark.color);
        let size = text.size();
        if size.x > 0.6 * axes.rect.width() {
            continue;
        }
        let places = if mark.x.is_some() {
            let (left, right) = (from.x - size.x - 3.0, from.x + 3.0);
            let (top, bottom) = (from.y + 1.0, to.y - size.y - 1.0);
            [(right, top), (left, top), (right, bottom), (left, bottom)]
        } else {
            let (left, right) = (from.x + 6.0, to.x - 4.0 - size.x);
            let (above, below) = (from.y - size.y - 1.0, from.y + 2.0);
            [(right, above), (right, below), (left, above), (left, below)]
        };
        let places = places.map(|(x, y)| Rect::from_min_size(pos2(x, y), size));
        let free =
            |place: &Rect| axes.rect.contains_rect(*place) && !taken.iter().any(|other| other.intersects(*place));
        let hidden = |place: &Rect| samples.iter().filter(|at| place.contains(**at)).count();
        let Some(place) = places.into_iter().filter(free).min_by_key(hidden) else { continue };
        painter.rect_filled(place.expand(1.0), 2.0, style.plot_background.gamma_multiply(0.8));
        painter.galley(place.min, text, mark.color);
        taken.push(place);
    }
}

/// The line and the handle of the shared cursor.
fn draw_cursor(painter: &Painter, axes: &Axes, step: u64, size: f32, style: &Style) {
    let x = axes.at(step as f64, 0.0).x;
    if axes.rect.expand(0.5).x_range().contains(x) {
        painter.vline(x, axes.rect.y_range(), Stroke::new(1.2, style.accent));
        let tip = pos2(x, axes.rect.top());
        let side = 0.45 * size;
        let handle = vec![tip + vec2(-side, 0.0), tip + vec2(side, 0.0), tip + vec2(0.0, 1.4 * side)];
        painter.add(Shape::convex_polygon(handle, style.accent, Stroke::NONE));
    }
}

/// Names the curve nearest to the pointer with its values: of the step under the pointer where x is the step, else of the
/// nearest point.
fn read_out(painter: &Painter, axes: &Axes, plot: &Plot<'_>, curves: &[Curve<'_>], pointer: Pos2, style: &Style) {
    let near: Vec<(Pos2, String)> = if plot.cursor.is_some() {
        let step = axes.from_screen(pointer)[0].round().max(0.0) as u64;
        let place = |curve: &Curve<'_>| {
            let ((step, value), at) = curve.place(axes, step)?;
            Some((at, format!("{}  step {step}  {}", curve.name, number::short(value))))
        };
        curves.iter().filter_map(place).filter(|(at, _)| (at.y - pointer.y).abs() < 24.0).collect()
    } else {
        let place = |curve: &Curve<'_>| {
            let points = (0..curve.len).map(|i| (curve.point)(i));
            let points = points.map(|[x, y]| (axes.at(x, axes.scales[1].position(y)), [x, y]));
            let near = points.filter(|(at, _)| at.distance(pointer) < 24.0);
            let (at, [x, y]) = near.min_by(|a, b| a.0.distance_sq(pointer).total_cmp(&b.0.distance_sq(pointer)))?;
            Some((at, format!("{}  ({}, {})", curve.name, number::short(x), number::short(y))))
        };
        curves.iter().filter_map(place).collect()
    };
    let nearest = near.iter().min_by(|a, b| a.0.distance_sq(pointer).total_cmp(&b.0.distance_sq(pointer)));
    let Some((at, text)) = nearest else { return };
    painter.circle_stroke(*at, 0.45 * plot.font_size, Stroke::new(1.5, style.text));
    label(painter, axes.rect, *at, text, plot.font_size, style);
}

/// A line of text on a quiet plate near `at`, moved so that it stays inside `within`.
pub fn label(painter: &Painter, within: Rect, at: Pos2, text: &str, font_size: f32, style: &Style) {
    let galley = painter.layout_no_wrap(text.to_owned(), FontId::monospace(font_size), style.text);
    let size = galley.size() + vec2(1.0, 0.5) * font_size;
    let above = Align2::LEFT_BOTTOM.anchor_size(at + vec2(0.8, -0.8) * font_size, size);
    let mut plate = above;
    if plate.right() > within.right() {
        plate = plate.translate(vec2(-plate.width() - 1.6 * font_size, 0.0));
    }
    if plate.top() < within.top() {
        plate = plate.translate(vec2(0.0, plate.height() + 1.6 * font_size));
    }
    plate = plate.translate(vec2((within.left() - plate.left()).max(0.0), 0.0));
    painter.rect_filled(plate, 3.0, style.plot_background.gamma_multiply(0.88));
    painter.rect_stroke(plate, 3.0, (0.8, style.rule), eframe::egui::StrokeKind::Inside);
    painter.galley(plate.min + vec2(0.5, 0.25) * font_size, galley, style.text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[[f64; 2]]) -> Curve<'_> {
        let category = Category { color: Color32::WHITE, dash: Dash::Solid };
        let point = Box::new(|i: usize| points[i]);
        Curve { name: "c".into(), category, width: 1.0, identity: 1, len: points.len(), point, held: None }
    }

    fn plot<'a>() -> Plot<'a> {
        Plot {
            name: "p",
            titles: Titles { x: "step", y: "" },
            scale: Scale::Linear,
            window: [Some([0.0, 10.0]), None],
            cursor: Some(0),
            include: &[],
            limits: None,
            marks: &[],
            fills: &[],
            font_size: 11.0,
        }
    }

    #[test]
    fn the_newest_point_up_to_a_step_holds_there() {
        let points = [[2.0, 0.5], [4.0, 0.25], [9.0, 0.125]];
        let curve = curve(&points);
        assert_eq!([1, 2, 3, 4, 8, 9, 99].map(|step| curve.reached(f64::from(step))), [0, 1, 1, 2, 2, 3, 3]);
        assert_eq!((curve.at(1), curve.at(8)), (None, Some((4, 0.25))));
        let empty = self::curve(&[]);
        assert_eq!((empty.reached(3.0), empty.at(3)), (0, None));
    }

    #[test]
    fn a_curve_that_ends_in_no_number_is_the_same_in_the_next_frame() {
        let points = [[0.0, 1.0], [1.0, f64::NAN]];
        assert_eq!(curve(&points).key(), curve(&points).key(), "its triangles are kept");
        assert_ne!(curve(&points).key(), curve(&points[..1]).key());
    }

    #[test]
    fn the_axis_follows_the_values_within_its_limits_and_reaches_what_it_always_shows() {
        let points = [[0.0, 1.0], [1.0, 1e30], [2.0, f64::NAN], [3.0, 0.5]];
        let whole = |plot: Plot<'_>| CurveState::default().whole(&plot, &[curve(&points)]);
        let margin = |[low, high]: [f64; 2]| [low - 0.06 * (high - low), high + 0.06 * (high - low)];
        let limited = whole(Plot { limits: Some(0.0..=2.0), ..plot() });
        assert_eq!((limited.x, limited.y), ([0.0, 10.0], margin([0.5, 2.0])));
        let reaching = whole(Plot { limits: Some(0.0..=2.0), include: &[-1.0], ..plot() });
        assert_eq!(reaching.y, margin([-1.0, 2.0]));
        // A logarithm has no place for 0, which is included in vain.
        let log = whole(Plot { scale: Scale::Log { base: 0.0 }, include: &[0.0], limits: Some(1e-3..=1.0), ..plot() });
        assert_eq!(log.y, margin([0.5f64.log10(), 0.0]));
        assert!(CurveState::default().whole(&plot(), &[]).is_valid(), "without a curve there are axes");
        let fixed = whole(Plot { window: [None, Some([2.0, 3.0])], cursor: None, ..plot() });
        assert_eq!((fixed.x, fixed.y), (margin([0.0, 3.0]), [2.0, 3.0]));
    }
}
