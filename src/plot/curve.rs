//! Curves against the step: decimated to the pixels, turned into triangles once, cut at the shared cursor.

use std::ops::RangeInclusive;

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, Color32, CursorIcon, FontId, Painter, Pos2, Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use super::axes::{Axes, Bounds, Titles, is_panning, zoom};
use super::decimate;
use super::number;
use super::scale::Scale;
use super::stroke::{LineMesh, Pen, Stop};
use super::style::{Category, Style};

/// One curve: a value for each step from 0.
pub struct Curve<'a> {
    pub name: &'a str,
    pub category: Category,
    /// Drawn heavier and on top.
    pub selected: bool,
    /// Tells data apart: curves of one identity only ever grow.
    pub identity: u64,
    pub len: usize,
    /// Value at a step below `len`.
    pub value: &'a dyn Fn(usize) -> f64,
}

impl Curve<'_> {
    /// Width of its line up to the cursor.
    fn width(&self, spec: &Spec<'_>) -> f32 {
        let width = if self.selected { 2.8 } else { 1.8 };
        width * spec.font_size / 11.0
    }
}

/// What is drawn around the curves.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec<'a> {
    /// Name for assistive technology.
    pub name: &'a str,
    pub titles: Titles<'a>,
    pub scale: Scale,
    /// The axis goes from 0 to this step.
    pub steps: u64,
    /// Steps up to here are bold, later ones faint.
    pub cursor: u64,
    /// Values outside are not followed by the automatic range (a path that runs away would flatten all others).
    pub limits: Option<RangeInclusive<f64>>,
    /// Steps that carry a mark (a parameter changed by hand).
    pub marks: &'a [u64],
    pub font_size: f32,
}

/// Stops from which on a curve is so crowded that its edges need not be soft.
const CROWDED: usize = 600;

/// View state of one plot: the zoom, and what is cached.
#[derive(Debug, Default)]
pub struct CurveState {
    view: Option<Bounds>,
    extents: Vec<Extent>,
    lines: Vec<Line>,
    drawn: Option<Key>,
}

/// Lowest and highest value of a curve that has a position, extended as the curve grows.
#[derive(Debug, Clone, PartialEq)]
struct Extent {
    identity: u64,
    scale: Scale,
    scanned: usize,
    low: f64,
    high: f64,
}

/// What the cached triangles depend on.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    axes: Axes,
    curves: Vec<(u64, usize, Category, bool)>,
}

#[derive(Debug)]
struct Line {
    runs: Vec<Vec<Stop>>,
    past: LineMesh,
    future: LineMesh,
}

impl CurveState {
    /// Forgets the zoom: the whole run is shown again.
    pub fn fit(&mut self) {
        self.view = None;
    }

    /// Whether the user has zoomed or panned.
    pub fn is_zoomed(&self) -> bool {
        self.view.is_some()
    }

    /// Draws the plot into `outer`; returns the step that the user asked for.
    pub fn show(&mut self, ui: &Ui, outer: Rect, spec: &Spec<'_>, curves: &[Curve<'_>], style: &Style) -> Option<u64> {
        let bounds = self.view.unwrap_or_else(|| self.whole(spec, curves));
        let axes = Axes::new(outer, bounds, [Scale::Linear, spec.scale], spec.font_size, 0.0);
        let response = ui.interact(axes.rect, ui.scope_id().with(spec.name), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, spec.name));
        zoom(ui, &response, &axes, &mut self.view);
        let seek = (response.clicked() || response.dragged()) && !is_panning(ui, &response);
        let seek = response
            .interact_pointer_pos()
            .filter(|_| seek)
            .map(|pos| axes.from_screen(pos)[0].round().clamp(0.0, spec.steps as f64) as u64);

        let painter = ui.painter_at(outer);
        let inside = ui.painter_at(axes.rect);
        painter.rect_filled(axes.rect, 2.0, style.plot_background);
        axes.draw_grid(&inside, style, style.rule);
        for step in spec.marks {
            inside.vline(axes.at(*step as f64, 0.0).x, axes.rect.y_range(), (1.0, style.live.gamma_multiply(0.7)));
        }
        self.build(&axes, spec, curves, painter.pixels_per_point());
        for line in &mut self.lines {
            line.future.draw_after(&inside, spec.cursor);
        }
        let order =
            (0..curves.len()).filter(|i| !curves[*i].selected).chain((0..curves.len()).filter(|i| curves[*i].selected));
        for index in order {
            let (line, curve) = (&mut self.lines[index], &curves[index]);
            line.past.draw_until(&inside, spec.cursor);
            if let Some((_, at)) = point_of(&axes, spec, curve, spec.cursor) {
                if let Some(from) = decimate::open_end(&line.runs, spec.cursor) {
                    inside.line_segment([from, at], Stroke::new(curve.width(spec), curve.category.color));
                }
                // On the border too a dot is whole; above and below the plot there is none.
                let dots = painter.with_clip_rect(axes.rect.expand2(vec2(0.5 * spec.font_size, 0.0)));
                if axes.rect.y_range().contains(at.y) && axes.rect.expand(0.5).x_range().contains(at.x) {
                    dot(&dots, at, spec, curve, style);
                }
            }
        }
        cursor_line(&painter.with_clip_rect(axes.rect.expand(spec.font_size)), &axes, spec, style);
        axes.draw_labels(&painter, style, &spec.titles);
        if let Some(pos) = response.hover_pos().filter(|_| !response.dragged()) {
            read_out(&inside, &axes, spec, curves, style, pos);
        }
        response.on_hover_cursor(CursorIcon::ResizeHorizontal);
        seek
    }

    fn whole(&mut self, spec: &Spec<'_>, curves: &[Curve<'_>]) -> Bounds {
        self.extents.resize(
            curves.len(),
            Extent { identity: 0, scale: Scale::Linear, scanned: 0, low: f64::INFINITY, high: f64::NEG_INFINITY },
        );
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for (extent, curve) in self.extents.iter_mut().zip(curves) {
            extent.extend(curve, spec.scale);
            (low, high) = (low.min(spec.scale.position(extent.low)), high.max(spec.scale.position(extent.high)));
        }
        if let Some(limits) = &spec.limits {
            let [from, to] = [*limits.start(), *limits.end()].map(|value| spec.scale.position(value));
            low = if from.is_finite() { low.clamp(from, to) } else { low };
            high = if to.is_finite() { high.clamp(low, to) } else { high };
        }
        if !(low.is_finite() && high.is_finite()) {
            (low, high) = (0.0, 1.0);
        }
        if high - low < 1e-9 * high.abs().max(1e-9) {
            let margin = if high == 0.0 { 1.0 } else { 0.5 * high.abs() };
            (low, high) = (low - margin, high + margin);
        }
        let margin = 0.05 * (high - low);
        Bounds::new([0.0, (spec.steps as f64).max(1.0)], [low - margin, high + margin])
    }

    /// Rebuilds the triangles if anything they depend on has changed.
    fn build(&mut self, axes: &Axes, spec: &Spec<'_>, curves: &[Curve<'_>], pixels_per_point: f32) {
        let key = Key {
            axes: axes.clone(),
            curves: curves.iter().map(|c| (c.identity, c.len, c.category, c.selected)).collect(),
        };
        if self.drawn.as_ref() == Some(&key) {
            return;
        }
        let width = spec.font_size / 11.0;
        self.lines.clear();
        for curve in curves {
            let from = (axes.bounds.x[0].floor().max(0.0) as usize).saturating_sub(1).min(curve.len);
            let to = (axes.bounds.x[1].ceil().max(0.0) as usize).saturating_add(2).clamp(from, curve.len);
            let samples = (from..to).map(|step| {
                let [x, y] = axes.to_screen(step as f64, spec.scale.position((curve.value)(step)));
                (step as u64, x, y)
            });
            let runs = decimate::columns(samples, 1.0, axes.rect);
            let runs: Vec<_> = runs.iter().map(|run| decimate::simplified(run, 0.25, 14.0)).collect();
            let slices = || runs.iter().map(Vec::as_slice);
            let crowded = runs.iter().map(Vec::len).sum::<usize>() > CROWDED;
            let pen = |width: f32, color: Color32| Pen {
                width,
                color,
                dash: curve.category.dash,
                feather: if crowded { 0.0 } else { 1.0 / pixels_per_point },
            };
            self.lines.push(Line {
                past: LineMesh::new(slices(), pen(curve.width(spec), curve.category.color)),
                future: LineMesh::new(slices(), pen(1.2 * width, curve.category.color.gamma_multiply(0.3))),
                runs,
            });
        }
        self.drawn = Some(key);
    }
}

impl Extent {
    fn extend(&mut self, curve: &Curve<'_>, scale: Scale) {
        if self.identity != curve.identity || self.scale != scale || self.scanned > curve.len {
            *self = Self { identity: curve.identity, scale, scanned: 0, low: f64::INFINITY, high: f64::NEG_INFINITY };
        }
        // Scales are monotone: the extremes of the values are those of the positions.
        let base = if let Scale::Log { base } = scale { base } else { f64::NEG_INFINITY };
        for step in self.scanned..curve.len {
            let value = (curve.value)(step);
            if value.is_finite() && value > base {
                self.low = self.low.min(value);
                self.high = self.high.max(value);
            }
        }
        self.scanned = curve.len;
    }
}

/// Where a curve is at a step, if it is anywhere.
fn point_of(axes: &Axes, spec: &Spec<'_>, curve: &Curve<'_>, step: u64) -> Option<(f64, Pos2)> {
    let step = usize::try_from(step).ok().filter(|step| *step < curve.len)?;
    let value = (curve.value)(step);
    let [x, y] = axes.to_screen(step as f64, spec.scale.position(value));
    y.is_finite().then(|| (value, pos2(x as f32, y as f32)))
}

fn dot(painter: &Painter, at: Pos2, spec: &Spec<'_>, curve: &Curve<'_>, style: &Style) {
    let radius = if curve.selected { 0.38 } else { 0.28 } * spec.font_size;
    painter.circle(at, radius, curve.category.color, Stroke::new(1.0, style.plot_background));
}

fn cursor_line(painter: &Painter, axes: &Axes, spec: &Spec<'_>, style: &Style) {
    let x = axes.at(spec.cursor as f64, 0.0).x;
    if axes.rect.expand(0.5).x_range().contains(x) {
        painter.vline(x, axes.rect.y_range(), Stroke::new(1.2, style.accent));
        let tip = pos2(x, axes.rect.top());
        let size = 0.45 * spec.font_size;
        let handle = vec![tip + vec2(-size, 0.0), tip + vec2(size, 0.0), tip + vec2(0.0, 1.4 * size)];
        painter.add(eframe::egui::Shape::convex_polygon(handle, style.accent, Stroke::NONE));
    }
}

/// Name, step and value of the curve under the pointer.
fn read_out(painter: &Painter, axes: &Axes, spec: &Spec<'_>, curves: &[Curve<'_>], style: &Style, pointer: Pos2) {
    let step = axes.from_screen(pointer)[0].round().max(0.0) as u64;
    let nearest = curves
        .iter()
        .filter_map(|curve| point_of(axes, spec, curve, step).map(|(value, at)| (curve, value, at)))
        .min_by(|a, b| a.2.distance_sq(pointer).total_cmp(&b.2.distance_sq(pointer)));
    let Some((curve, value, at)) = nearest.filter(|(.., at)| (at.y - pointer.y).abs() < 24.0) else { return };
    painter.circle_stroke(at, 0.45 * spec.font_size, Stroke::new(1.5, style.text));
    let text = format!("{}  step {step}  {}", curve.name, number::short(value));
    label(painter, axes.rect, at, &text, spec.font_size, style);
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
