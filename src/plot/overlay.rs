//! Curves of several runs over each other in one plot, with marks where another source's curves were read.

use eframe::egui::accesskit::Role;
use eframe::egui::{Color32, Painter, Pos2, Rect, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::axes::{Axes, Bounds, Titles, zoom};
use super::curve::label;
use super::decimate;
use super::scale::Scale;
use super::stroke::{LineMesh, Pen, Stop};
use super::style::{Category, Style};

/// One curve: points (x, y) in order.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    pub name: &'a str,
    pub category: Category,
    pub points: &'a [[f64; 2]],
}

/// Where a curve of the same colour was read elsewhere; `None`: only the other coordinate is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    pub category: Category,
    pub x: Option<f64>,
    pub y: Option<f64>,
}

/// What is drawn around the curves.
#[derive(Debug, Clone, Copy)]
pub struct Spec<'a> {
    /// Name for assistive technology.
    pub name: &'a str,
    pub titles: &'a Titles<'a>,
    /// Logarithmic y axis.
    pub log: bool,
    /// What is shown at first, `[x, y]`; `None`: everything.
    pub window: Option<[[f64; 2]; 2]>,
    /// Changes when the curves do.
    pub version: u64,
    pub font_size: f32,
}

/// View state of one plot: the zoom, and what is cached.
#[derive(Debug, Default)]
pub struct OverlayState {
    view: Option<Bounds>,
    drawn: Option<(Axes, u64, Style)>,
    lines: Vec<LineMesh>,
}

impl OverlayState {
    /// Draws the plot into `outer`; wheel and drag zoom and pan, a double click fits.
    pub fn show(
        &mut self,
        ui: &Ui,
        outer: Rect,
        spec: &Spec<'_>,
        lines: &[Line<'_>],
        readings: &[Reading],
        style: &Style,
    ) {
        if outer.width() < 8.0 || outer.height() < 8.0 {
            return;
        }
        let scales = [Scale::Linear, if spec.log { Scale::Log { base: 0.0 } } else { Scale::Linear }];
        let whole = || whole(spec, scales, lines, readings);
        let axes = Axes::new(outer, self.view.unwrap_or_else(whole), scales, spec.font_size, 0.6 * spec.font_size);
        let response = ui.interact(axes.rect, ui.scope_id().with(spec.name), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, spec.name));
        zoom(ui, &response, &axes, &mut self.view);
        let inside = ui.painter_at(axes.rect);
        inside.rect_filled(axes.rect, 2.0, style.plot_background);
        axes.draw_grid(&inside, style, style.rule);
        self.build(&axes, spec, lines, inside.pixels_per_point(), style);
        self.lines.iter_mut().for_each(|line| line.draw(&inside));
        readings.iter().for_each(|reading| mark(&inside, &axes, reading, spec.font_size, style));
        axes.draw_labels(&ui.painter_at(outer), style, spec.titles);
        if let Some(pointer) = response.hover_pos().filter(|_| !response.dragged()) {
            name_nearest(&inside, &axes, lines, pointer, spec.font_size, style);
        }
    }

    /// Rebuilds the triangles if anything they depend on has changed.
    fn build(&mut self, axes: &Axes, spec: &Spec<'_>, lines: &[Line<'_>], pixels_per_point: f32, style: &Style) {
        let key = (axes.clone(), spec.version, style.clone());
        if self.drawn.as_ref() == Some(&key) {
            return;
        }
        self.lines = lines
            .iter()
            .map(|line| {
                let points = line.points.iter().enumerate().map(|(k, [x, y])| {
                    let [x, y] = axes.to_screen(*x, axes.scales[1].position(*y));
                    (k as u64, x, y)
                });
                let runs = decimate::path(points, 0.5, axes.rect, 20_000);
                let pen = Pen {
                    width: 0.16 * spec.font_size,
                    color: line.category.color,
                    dash: line.category.dash,
                    feather: 1.0 / pixels_per_point,
                };
                LineMesh::new(runs.iter().map(Vec::<Stop>::as_slice), pen)
            })
            .collect();
        self.drawn = Some(key);
    }
}

/// The window, or every point and reading.
fn whole(spec: &Spec<'_>, scales: [Scale; 2], lines: &[Line<'_>], readings: &[Reading]) -> Bounds {
    if let Some([x, y]) = spec.window {
        return Bounds::new(x, y.map(|y| scales[1].position(y)));
    }
    let mut ranges = [[f64::INFINITY, f64::NEG_INFINITY]; 2];
    let mut reach = |axis: usize, value: f64| {
        let at = scales[axis].position(value);
        if at.is_finite() {
            let [low, high] = ranges[axis];
            ranges[axis] = [low.min(at), high.max(at)];
        }
    };
    for [x, y] in lines.iter().flat_map(|line| line.points) {
        reach(0, *x);
        reach(1, *y);
    }
    for reading in readings {
        reading.x.into_iter().for_each(|x| reach(0, x));
        reading.y.into_iter().for_each(|y| reach(1, y));
    }
    let [x, y] = ranges.map(|[low, high]| match low.partial_cmp(&high) {
        Some(std::cmp::Ordering::Less) => [low, high],
        Some(std::cmp::Ordering::Equal) => [low - 0.5, high + 0.5],
        _ => [0.0, 1.0],
    });
    Bounds::new(x, y).padded(0.05)
}

/// A hollow diamond where both coordinates were read; a dashed line across the plot where only one was.
fn mark(painter: &Painter, axes: &Axes, reading: &Reading, size: f32, style: &Style) {
    let y_of = |y: f64| axes.scales[1].position(y);
    let color = reading.category.color;
    match (reading.x, reading.y) {
        (Some(x), Some(y)) => {
            let (at, r) = (axes.at(x, y_of(y)), 0.5 * size);
            let corners = [(r, 0.0), (0.0, r), (-r, 0.0), (0.0, -r)].map(|(dx, dy)| at + vec2(dx, dy));
            let shape = |stroke| Shape::closed_line(corners.to_vec(), stroke);
            painter.add(shape(Stroke::new(4.0, style.plot_background)));
            painter.add(shape(Stroke::new(2.0, color)));
        }
        (Some(x), None) => {
            let x = axes.at(x, 0.0).x;
            dashed(painter, [pos2(x, axes.rect.top()), pos2(x, axes.rect.bottom())], color);
        }
        (None, Some(y)) => {
            let y = axes.at(0.0, y_of(y)).y;
            dashed(painter, [pos2(axes.rect.left(), y), pos2(axes.rect.right(), y)], color);
        }
        (None, None) => {}
    }
}

fn dashed(painter: &Painter, ends: [Pos2; 2], color: Color32) {
    painter.extend(Shape::dashed_line(&ends, Stroke::new(1.2, color), 3.0, 4.0));
}

/// Names the curve under the pointer.
fn name_nearest(painter: &Painter, axes: &Axes, lines: &[Line<'_>], pointer: Pos2, size: f32, style: &Style) {
    let place = |[x, y]: [f64; 2]| axes.at(x, axes.scales[1].position(y));
    let points = lines.iter().flat_map(|line| line.points.iter().map(move |point| (line, *point)));
    let near = points.map(|(line, point)| (line, point, place(point).distance_sq(pointer)));
    let nearest = near.filter(|(.., d)| d.is_finite()).min_by(|a, b| a.2.total_cmp(&b.2));
    let Some((line, point, _)) = nearest.filter(|(.., d)| *d < 24.0 * 24.0) else { return };
    let text = format!("{}  ({}, {})", line.name, super::number::short(point[0]), super::number::short(point[1]));
    label(painter, axes.rect, place(point), &text, size, style);
}
