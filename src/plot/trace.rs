//! Measurements against the step, taken every so often: each trace is a list of steps with values. Baselines, thresholds
//! and marks lie behind them, a cursor is shared.

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, Color32, CursorIcon, FontId, Painter, Pos2, Rect, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use super::axes::{Axes, Bounds, Titles, is_panning, zoom};
use super::curve::label;
use super::scale::Scale;
use super::stroke::{LineMesh, Pen, Stop};
use super::style::{Category, Dash, Style};
use super::{decimate, number};

/// Points of a trace, in order of steps.
pub type Points<'a> = Box<dyn Iterator<Item = (u64, f64)> + 'a>;

/// One trace.
pub struct Trace<'a> {
    pub name: String,
    pub category: Category,
    /// Width in units of a normal line.
    pub width: f32,
    /// Tells data apart: a trace with the same identity, `len` and `last` is the same line.
    pub identity: u64,
    pub len: usize,
    /// Newest step.
    pub last: u64,
    pub points: Box<dyn Fn() -> Points<'a> + 'a>,
    /// The newest measurement that is not after a step.
    pub at: Box<dyn Fn(u64) -> Option<(u64, f64)> + 'a>,
}

/// A line across the plot: what a value is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    pub value: f64,
    /// Written above the line's right end; empty for none.
    pub text: String,
    pub color: Color32,
}

/// What is drawn around the traces.
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
    /// Values that the axis always reaches.
    pub include: &'a [f64],
    pub levels: &'a [Level],
    /// Steps that carry a mark, with its colour.
    pub marks: &'a [(u64, Color32)],
    pub font_size: f32,
}

/// View state of one plot: the zoom, and what is cached.
#[derive(Debug, Default)]
pub struct TraceState {
    view: Option<Bounds>,
    whole: Option<(Vec<Key>, Scale, [f64; 2])>,
    drawn: Option<(Axes, Vec<Key>)>,
    lines: Vec<[LineMesh; 2]>,
}

/// What a trace's triangles depend on, beside the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    identity: u64,
    len: usize,
    last: u64,
    category: Category,
    width: f32,
}

impl Trace<'_> {
    fn key(&self) -> Key {
        let Trace { category, width, identity, len, last, .. } = *self;
        Key { identity, len, last, category, width }
    }

    /// Value and place at the newest measurement up to `step`.
    fn place(&self, axes: &Axes, step: u64) -> Option<((u64, f64), Pos2)> {
        let (measured, value) = (self.at)(step)?;
        let [x, y] = axes.to_screen(measured as f64, axes.scales[1].position(value));
        y.is_finite().then(|| ((measured, value), pos2(x as f32, y as f32)))
    }
}

impl TraceState {
    /// Forgets the zoom: the whole run is shown again.
    pub fn fit(&mut self) {
        self.view = None;
    }

    /// Whether the user has zoomed or panned.
    pub fn is_zoomed(&self) -> bool {
        self.view.is_some()
    }

    /// The axes as they were drawn last, for what a caller marks on top.
    pub fn axes(&self) -> Option<&Axes> {
        self.drawn.as_ref().map(|(axes, _)| axes)
    }

    /// Draws the plot into `outer`; returns the step that the user asked for.
    pub fn show(&mut self, ui: &Ui, outer: Rect, spec: &Spec<'_>, traces: &[Trace<'_>], style: &Style) -> Option<u64> {
        if outer.width() < 8.0 || outer.height() < 8.0 {
            return None;
        }
        let bounds = self.view.unwrap_or_else(|| self.whole(spec, traces));
        // The last tick label reaches over the end of the axis.
        let axes = Axes::new(outer, bounds, [Scale::Linear, spec.scale], spec.font_size, 0.6 * spec.font_size);
        let response = ui.interact(axes.rect, ui.scope_id().with(spec.name), Sense::click_and_drag());
        let spoken = spoken(spec, traces);
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &spoken));
        zoom(ui, &response, &axes, &mut self.view);
        let seeking = (response.clicked() || response.dragged()) && !is_panning(ui, &response);
        let to_step = |pos: Pos2| axes.from_screen(pos)[0].round().clamp(0.0, spec.steps as f64) as u64;
        let seek = response.interact_pointer_pos().filter(|_| seeking).map(to_step);

        let painter = ui.painter_at(outer);
        let inside = ui.painter_at(axes.rect);
        inside.rect_filled(axes.rect, 2.0, style.plot_background);
        axes.draw_grid(&inside, style, style.rule);
        for (step, color) in spec.marks {
            inside.vline(axes.at(*step as f64, 0.0).x, axes.rect.y_range(), (1.0, color.gamma_multiply(0.7)));
        }
        draw_levels(&inside, &axes, spec);
        self.build(&axes, traces, inside.pixels_per_point(), spec.font_size);
        for [_, future] in &mut self.lines {
            future.draw(&inside);
        }
        for ([past, _], trace) in self.lines.iter_mut().zip(traces) {
            past.draw_until(&inside, spec.cursor);
            if let Some((_, at)) = trace.place(&axes, spec.cursor) {
                let rim = Stroke::new(1.0, style.plot_background);
                inside.circle(at, 0.28 * spec.font_size, trace.category.color, rim);
            }
        }
        name_levels(&inside, &axes, spec, traces, style);
        draw_cursor(&inside, &axes, spec.cursor, spec.font_size, style);
        axes.draw_labels(&painter, style, &spec.titles);
        if let Some(pointer) = response.hover_pos().filter(|_| !response.dragged()) {
            let axes = &axes;
            let places = |step| traces.iter().filter_map(move |t| t.place(axes, step).map(|found| (t, found)));
            read_out(&inside, axes, places, |trace: &Trace<'_>| trace.name.clone(), pointer, spec.font_size, style);
        }
        response.on_hover_cursor(CursorIcon::ResizeHorizontal);
        seek
    }

    /// The whole run, every value, and what is always shown.
    fn whole(&mut self, spec: &Spec<'_>, traces: &[Trace<'_>]) -> Bounds {
        let keys: Vec<Key> = traces.iter().map(Trace::key).collect();
        let [low, high] = match &self.whole {
            Some((cached, scale, range)) if *cached == keys && *scale == spec.scale => *range,
            _ => {
                let range = traces
                    .iter()
                    .flat_map(|trace| (trace.points)())
                    .map(|(_, value)| spec.scale.position(value))
                    .filter(|position| position.is_finite())
                    .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| [low.min(v), high.max(v)]);
                self.whole = Some((keys, spec.scale, range));
                range
            }
        };
        let always = spec.include.iter().map(|value| spec.scale.position(*value)).filter(|v| v.is_finite());
        let (mut low, mut high) = always.fold((low, high), |(low, high), v| (low.min(v), high.max(v)));
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if high - low < 1e-9 * high.abs().max(1e-9) {
            let margin = if high == 0.0 { 1.0 } else { 0.5 * high.abs() };
            (low, high) = (low - margin, high + margin);
        }
        let margin = 0.06 * (high - low);
        Bounds::new([0.0, spec.steps.max(1) as f64], [low - margin, high + margin])
    }

    /// Rebuilds the triangles if anything they depend on has changed.
    fn build(&mut self, axes: &Axes, traces: &[Trace<'_>], pixels_per_point: f32, size: f32) {
        let key = (axes.clone(), traces.iter().map(Trace::key).collect());
        if self.drawn.as_ref() == Some(&key) {
            return;
        }
        self.lines.clear();
        for trace in traces {
            let samples = (trace.points)().map(|(step, value)| {
                let [x, y] = axes.to_screen(step as f64, axes.scales[1].position(value));
                (step, x, y)
            });
            let runs = decimate::columns(samples, 1.0, axes.rect);
            let line = |width: f32, strength: f32| {
                let pen = Pen {
                    width: width * size / 11.0,
                    color: trace.category.color.gamma_multiply(strength),
                    dash: trace.category.dash,
                    feather: 1.0 / pixels_per_point,
                };
                LineMesh::new(runs.iter().map(Vec::<Stop>::as_slice), pen)
            };
            self.lines.push([line(1.8 * trace.width, 1.0), line(1.2 * trace.width, 0.3)]);
        }
        self.drawn = Some(key);
    }
}

/// What a screen reader says: the plot's name and every trace's value at the cursor.
fn spoken(spec: &Spec<'_>, traces: &[Trace<'_>]) -> String {
    let mut text = spec.name.to_owned();
    for trace in traces {
        if let Some((_, value)) = (trace.at)(spec.cursor) {
            text.push_str(&format!(", {} {}", trace.name, number::short(value)));
        }
    }
    text
}

/// Height of a level on the screen, where the plot shows it.
fn level_height(axes: &Axes, level: &Level) -> Option<f32> {
    let y = axes.at(0.0, axes.scales[1].position(level.value)).y;
    axes.rect.y_range().contains(y).then_some(y)
}

fn draw_levels(painter: &Painter, axes: &Axes, spec: &Spec<'_>) {
    for level in spec.levels {
        let Some(y) = level_height(axes, level) else { continue };
        let pen = Pen { width: 1.2, color: level.color, dash: Dash::Dotted, feather: 1.0 / painter.pixels_per_point() };
        let run = [(pos2(axes.rect.left(), y), 0), (pos2(axes.rect.right(), y), 1)];
        LineMesh::new([run.as_slice()], pen).draw(painter);
    }
}

/// Writes each level's name at its line, at the end and on the side where it hides the least of the traces; none where it
/// would take most of the plot's width.
fn name_levels(painter: &Painter, axes: &Axes, spec: &Spec<'_>, traces: &[Trace<'_>], style: &Style) {
    /// Samples of a trace that are looked at.
    const SAMPLES: usize = 400;
    if spec.levels.iter().all(|level| level.text.is_empty()) {
        return;
    }
    let font = FontId::proportional(spec.font_size);
    let samples: Vec<Pos2> = traces
        .iter()
        .flat_map(|trace| {
            let every = trace.len / SAMPLES + 1;
            (trace.points)().step_by(every)
        })
        .map(|(step, value)| axes.at(step as f64, axes.scales[1].position(value)))
        .collect();
    let mut taken: Vec<Rect> = Vec::new();
    for level in spec.levels.iter().filter(|level| !level.text.is_empty()) {
        let Some(y) = level_height(axes, level) else { continue };
        let text = painter.layout_no_wrap(level.text.clone(), font.clone(), level.color);
        let size = text.size();
        if size.x > 0.6 * axes.rect.width() {
            continue;
        }
        let (left, right) = (axes.rect.left() + 6.0, axes.rect.right() - 4.0 - size.x);
        let (above, below) = (y - size.y - 1.0, y + 2.0);
        let hidden = |place: &Rect| {
            let others = taken.iter().filter(|other| other.intersects(*place)).count();
            let outside = !axes.rect.contains_rect(*place);
            1000 * (others + usize::from(outside)) + samples.iter().filter(|at| place.contains(**at)).count()
        };
        let places = [(right, above), (right, below), (left, above), (left, below)];
        let places = places.map(|(x, y)| Rect::from_min_size(pos2(x, y), size));
        let Some(place) = places.into_iter().min_by_key(hidden) else { continue };
        painter.rect_filled(place.expand(1.0), 2.0, style.plot_background.gamma_multiply(0.8));
        painter.galley(place.min, text, level.color);
        taken.push(place);
    }
}

/// The line and the handle of the shared cursor.
pub fn draw_cursor(painter: &Painter, axes: &Axes, step: u64, size: f32, style: &Style) {
    let x = axes.at(step as f64, 0.0).x;
    if axes.rect.x_range().contains(x) {
        painter.vline(x, axes.rect.y_range(), Stroke::new(1.2, style.accent));
        let tip = pos2(x, axes.rect.top());
        let side = 0.45 * size;
        let handle = vec![tip + vec2(-side, 0.0), tip + vec2(side, 0.0), tip + vec2(0.0, 1.4 * side)];
        painter.add(Shape::convex_polygon(handle, style.accent, Stroke::NONE));
    }
}

/// Name, step and value of the curve nearest to the pointer. `places` gives what a curve measured last as of a step, and
/// where that is.
pub fn read_out<C, I: Iterator<Item = (C, ((u64, f64), Pos2))>>(
    painter: &Painter,
    axes: &Axes,
    places: impl FnOnce(u64) -> I,
    name: impl FnOnce(C) -> String,
    pointer: Pos2,
    size: f32,
    style: &Style,
) {
    let step = axes.from_screen(pointer)[0].round().max(0.0) as u64;
    let nearest =
        places(step).min_by(|(_, (_, a)), (_, (_, b))| a.distance_sq(pointer).total_cmp(&b.distance_sq(pointer)));
    let Some((curve, ((step, value), at))) = nearest else { return };
    if (at.y - pointer.y).abs() > 24.0 {
        return;
    }
    painter.circle_stroke(at, 0.45 * size, Stroke::new(1.5, style.text));
    let text = format!("{}  step {step}  {}", name(curve), number::short(value));
    label(painter, axes.rect, at, &text, size, style);
}

/// The heading of one panel among several, in its first line; returns what is left below it.
pub fn panel_heading(painter: &Painter, rect: Rect, text: &str, size: f32, style: &Style) -> Rect {
    let height = 1.5 * size;
    if rect.height() < 6.0 * size {
        return rect;
    }
    let clip = painter.with_clip_rect(Rect::from_min_size(rect.min, vec2(rect.width(), height)));
    clip.text(rect.left_top(), Align2::LEFT_TOP, text, FontId::proportional(size + 0.5), style.text);
    Rect::from_min_max(rect.min + vec2(0.0, height), rect.max)
}
