//! Lists of numbers against their index (eigenvalues, alignment of eigenvectors): snapshots over time behind, the current
//! one bold.

use eframe::egui::accesskit::Role;
use eframe::egui::{Color32, Painter, Pos2, Rect, Sense, Stroke, Ui, WidgetInfo, pos2};

use super::axes::{Axes, Bounds, Titles, zoom};
use super::curve::label;
use super::number;
use super::scale::Scale;
use super::stroke::{LineMesh, Pen, Stop};
use super::style::{Dash, Style};

/// One list.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    pub values: &'a [f64],
    /// For the read-out under the pointer.
    pub name: String,
    pub color: Color32,
    pub dash: Dash,
    /// In units of a normal line.
    pub width: f32,
    /// Tells data apart.
    pub identity: u64,
    /// Its points can be read under the pointer.
    pub readable: bool,
}

/// What is drawn around the lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec<'a> {
    /// Name for assistive technology.
    pub name: &'a str,
    pub titles: Titles<'a>,
    pub scale: Scale,
    /// Values below are drawn at this height as hollow points: rounding, not measurement.
    pub floor: Option<f64>,
    /// Values that the axis always reaches.
    pub include: &'a [f64],
    pub font_size: f32,
}

/// View state: the zoom, and what is cached.
#[derive(Debug, Default)]
pub struct SpectrumState {
    view: Option<Bounds>,
    drawn: Option<(Axes, Vec<LineKey>)>,
    lines: Vec<LineMesh>,
}

type LineKey = (u64, usize, Color32, Dash, f32);

impl SpectrumState {
    /// What of the plot is shown; `None`: everything.
    pub fn zoom(&mut self) -> &mut Option<Bounds> {
        &mut self.view
    }

    /// Forgets the zoom.
    pub fn fit(&mut self) {
        self.view = None;
    }

    /// Whether the user has zoomed or panned.
    pub fn is_zoomed(&self) -> bool {
        self.view.is_some()
    }

    /// Draws the lines into `outer`, the last on top.
    pub fn show(&mut self, ui: &Ui, outer: Rect, spec: &Spec<'_>, lines: &[Line<'_>], style: &Style) {
        if outer.width() < 8.0 || outer.height() < 8.0 {
            return;
        }
        let bounds = self.view.unwrap_or_else(|| whole(spec, lines));
        let axes = Axes::new(outer, bounds, [Scale::Linear, spec.scale], spec.font_size, 0.6 * spec.font_size);
        let response = ui.interact(axes.rect, ui.scope_id().with(spec.name), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, spec.name));
        zoom(ui, &response, &axes, &mut self.view);
        let painter = ui.painter_at(outer);
        let inside = ui.painter_at(axes.rect);
        inside.rect_filled(axes.rect, 2.0, style.plot_background);
        axes.draw_grid(&inside, style, style.rule);
        if spec.scale == Scale::Linear {
            inside.hline(axes.rect.x_range(), axes.at(0.0, 0.0).y, Stroke::new(1.0, style.text_weak));
        }
        self.build(&axes, spec, lines, inside.pixels_per_point());
        for mesh in &mut self.lines {
            mesh.draw(&inside);
        }
        for line in lines.iter().filter(|line| line.readable) {
            draw_floored(&inside, &axes, spec, line);
        }
        axes.draw_labels(&painter, style, &spec.titles);
        if let Some(pointer) = response.hover_pos().filter(|_| !response.dragged()) {
            read_out(&inside, &axes, spec, lines, pointer, style);
        }
    }

    fn build(&mut self, axes: &Axes, spec: &Spec<'_>, lines: &[Line<'_>], pixels_per_point: f32) {
        let keys: Vec<LineKey> = lines.iter().map(|l| (l.identity, l.values.len(), l.color, l.dash, l.width)).collect();
        let key = (axes.clone(), keys);
        if self.drawn.as_ref() == Some(&key) {
            return;
        }
        self.lines.clear();
        for line in lines {
            let mut runs: Vec<Vec<Stop>> = vec![Vec::new()];
            for (i, value) in line.values.iter().enumerate() {
                let [x, y] = axes.to_screen(i as f64, position(spec, *value));
                let open = runs.len() - 1;
                if y.is_finite() {
                    runs[open].push((pos2(x as f32, y as f32), i as u64));
                } else if !runs[open].is_empty() {
                    runs.push(Vec::new());
                }
            }
            let width = line.width * spec.font_size / 11.0;
            let pen = Pen { width, color: line.color, dash: line.dash, feather: 1.0 / pixels_per_point };
            self.lines.push(LineMesh::new(runs.iter().map(Vec::as_slice), pen));
        }
        self.drawn = Some(key);
    }
}

fn position(spec: &Spec<'_>, value: f64) -> f64 {
    spec.scale.position(spec.floor.map_or(value, |floor| if value.is_nan() { value } else { value.max(floor) }))
}

fn whole(spec: &Spec<'_>, lines: &[Line<'_>]) -> Bounds {
    let longest = lines.iter().map(|line| line.values.len()).max().unwrap_or(0).max(2);
    let values = lines.iter().flat_map(|line| line.values).chain(spec.include);
    let positions = values.map(|value| position(spec, *value)).filter(|v| v.is_finite());
    let (mut low, mut high) = positions.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low > high {
        (low, high) = (0.0, 1.0);
    }
    let margin = 0.06 * (high - low).max(1e-9 * high.abs().max(1e-9));
    Bounds::new([-0.5, longest as f64 - 0.5], [low - margin, high + margin])
}

/// Hollow points where a value was raised to the floor.
fn draw_floored(painter: &Painter, axes: &Axes, spec: &Spec<'_>, line: &Line<'_>) {
    let Some(floor) = spec.floor else { return };
    for (i, _) in line.values.iter().enumerate().filter(|(_, value)| **value < floor) {
        let at = axes.at(i as f64, spec.scale.position(floor));
        painter.circle_stroke(at, 0.22 * spec.font_size, Stroke::new(1.0, line.color));
    }
}

/// Index and value of the nearest readable point.
fn read_out(painter: &Painter, axes: &Axes, spec: &Spec<'_>, lines: &[Line<'_>], pointer: Pos2, style: &Style) {
    let index = axes.from_screen(pointer)[0].round();
    if index < 0.0 {
        return;
    }
    let found = lines.iter().filter(|line| line.readable).filter_map(|line| {
        let value = *line.values.get(index as usize)?;
        let at = axes.at(index, position(spec, value));
        at.y.is_finite().then_some((line, value, at))
    });
    let Some((line, value, at)) = found.min_by(|a, b| a.2.distance_sq(pointer).total_cmp(&b.2.distance_sq(pointer)))
    else {
        return;
    };
    painter.circle_stroke(at, 0.4 * spec.font_size, Stroke::new(1.5, style.text));
    let text = format!("{} [{index}] {}", line.name, number::short(value));
    label(painter, axes.rect, at, text.trim(), spec.font_size, style);
}
