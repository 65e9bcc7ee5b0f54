//! The figure of a sweep: a map of two parameters, or a row of cells with its curve for one; beside it the theory's map of the same
//! values, where the lab has one.

use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, Color32, FontId, Painter, Pos2, Rect, Response, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2,
    vec2,
};

use super::canvas::Canvas;
use super::png;
use crate::engine::study::StudyRun;
use crate::engine::sweep::{Axis, Theory};
use crate::engine::sweep_table::SweepTable;
use crate::plot::background::{Task, repaint};
use crate::plot::colormap::ColorMap;
use crate::plot::heatmap::{self, Coloring};
use crate::plot::medium::Medium;
use crate::plot::number;
use crate::plot::scale::{Scale, Tick};
use crate::plot::style::Style;
use crate::plot::tile::{one_line, panel_heading};

/// A figure that is drawn again and again.
#[derive(Default)]
pub struct SweepFigure {
    /// The measure that is shown, by its place.
    pub measure: usize,
    theory: Option<Task<Vec<f64>>>,
    /// By cell; NaN where the theory says nothing.
    foretold: Option<Vec<f64>>,
    /// What was drawn last of a measure of a table.
    ours: Option<(Arc<SweepTable>, usize, Face)>,
    /// The theory's map before and after it was computed.
    its: Option<(bool, Face)>,
}

impl std::fmt::Debug for SweepFigure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SweepFigure").field("measure", &self.measure).finish_non_exhaustive()
    }
}

/// Height in the window.
const HEIGHT: f32 = 330.0;
/// Least width of a map beside another one.
const WIDTH: f32 = 330.0;
/// Size of a saved picture in pixels.
const PICTURE: (u32, u32) = (1920, 1000);

/// What a map shows, ready to be drawn again and again.
struct Face {
    title: String,
    /// By cell, the second axis fastest.
    values: Vec<Option<f64>>,
    /// The same as they are written into the cells; empty where there is none.
    texts: Vec<String>,
    /// The longest of these in signs.
    widest: usize,
    /// By cell, for assistive technology.
    said: Vec<String>,
    coloring: Coloring,
    /// Above the colours.
    unit: String,
    /// By axis, the names of its values.
    names: Vec<Vec<String>>,
    /// The curve of a sweep of one parameter.
    curve: Option<Curve>,
}

/// What is drawn of one parameter.
struct Curve {
    low: f64,
    high: f64,
    ticks: Vec<Tick>,
    /// By cell, the value of every seed.
    seeds: Vec<Vec<f64>>,
    /// Cell, lowest, middle and highest, where something is measured.
    known: Vec<(usize, f64, f64, f64)>,
}

impl Face {
    fn new(axes: &[Axis], title: String, unit: String, values: Vec<Option<f64>>, coloring: Coloring) -> Self {
        let texts: Vec<String> = values.iter().map(|value| value.map(number::short).unwrap_or_default()).collect();
        let said = |(cell, text): (usize, &String)| {
            let text = if text.is_empty() { "none yet" } else { text };
            format!("{}, {title}: {text}", cell_values(axes, cell).join(", "))
        };
        Self {
            widest: texts.iter().map(|text| text.chars().count()).max().unwrap_or(0),
            said: texts.iter().enumerate().map(said).collect(),
            names: axes.iter().map(|axis| axis.values.iter().map(ToString::to_string).collect()).collect(),
            curve: None,
            title,
            values,
            texts,
            coloring,
            unit,
        }
    }

    /// Of a measure of a table.
    fn of(axes: &[Axis], table: &SweepTable, measure: usize) -> Self {
        let values: Vec<Option<f64>> = (0..table.cells.len()).map(|cell| table.value(cell, measure)).collect();
        let share = table.died == Some(measure);
        let unit = table.measures.get(measure).map(|measure| measure.unit.clone()).unwrap_or_default();
        let unit = if share { "share".to_owned() } else { unit };
        let coloring = coloring(&values, share);
        let mut face = Self::new(axes, table.title(measure), unit, values, coloring);
        face.curve = (axes.len() == 1).then(|| Curve::of(table, measure));
        face
    }
}

impl Curve {
    fn of(table: &SweepTable, measure: usize) -> Self {
        let count = table.cells.len();
        let seeds = |cell: usize| -> Vec<f64> {
            table.cells[cell].runs.iter().filter_map(|run| run.values.get(measure).copied().flatten()).collect()
        };
        let seeds: Vec<Vec<f64>> = (0..count).map(seeds).collect();
        let all: Vec<Option<f64>> = seeds.iter().flatten().copied().map(Some).collect();
        let Coloring { low, high, .. } = coloring(&all, table.died == Some(measure));
        let (low, high) = (low - 0.05 * (high - low), high + 0.05 * (high - low));
        let ends = |cell: usize| {
            let summary = table.cells[cell].measures.get(measure)?;
            Some((cell, summary.lowest?, table.value(cell, measure)?, summary.highest?))
        };
        let ticks = Scale::Linear.ticks(low, high, 5).into_iter().filter(|tick| tick.major).collect();
        Self { low, high, ticks, seeds, known: (0..count).filter_map(ends).collect() }
    }
}

/// A map to draw.
struct Map<'a> {
    face: &'a Face,
    axes: &'a [Axis],
    /// A cell in words.
    spoken: &'a dyn Fn(usize) -> String,
    /// What a click does; empty: nothing.
    click: &'a str,
}

impl SweepFigure {
    /// Height that it takes at this width.
    pub fn height(study: &StudyRun, width: f32) -> f32 {
        let theory = study.sweep.as_ref().is_some_and(|sweep| sweep.theory().is_some());
        if theory && width < 2.0 * WIDTH { 2.0 * HEIGHT } else { HEIGHT }
    }

    /// Draws it; returns the cell that was clicked. `click`: what that does, in a few words.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        rect: Rect,
        (study, table): (&StudyRun, &Arc<SweepTable>),
        click: &str,
        style: &Style,
        size: f32,
    ) -> Option<usize> {
        let sweep = study.sweep.clone()?;
        let theory = sweep.theory();
        let beside = rect.width() >= 2.0 * WIDTH;
        let (ours, its) = match (theory, beside) {
            (None, _) => (rect, Rect::NOTHING),
            (Some(_), true) => rect.split_left_right_at_fraction(0.5),
            (Some(_), false) => rect.split_top_bottom_at_fraction(0.5),
        };
        let measure = self.measure.min(table.measures.len().saturating_sub(1));
        if !self.ours.as_ref().is_some_and(|(of, shown, _)| Arc::ptr_eq(of, table) && *shown == measure) {
            self.ours = Some((table.clone(), measure, Face::of(&sweep.axes, table, measure)));
        }
        let (_, _, face) = self.ours.as_ref()?;
        let map = Map { face, axes: &sweep.axes, spoken: &|cell| table.spoken(cell, measure), click };
        let place = Rect::from_min_max(ours.min, ours.max - vec2(12.0, 4.0));
        let clicked = match &sweep.axes[..] {
            [_] => one(ui, place, &map, style, size),
            _ => grid(ui, place, &map, style, size),
        };
        if let Some(theory) = theory {
            let place = Rect::from_min_max(its.min, its.max - vec2(12.0, 4.0));
            self.foretell(study, theory, ui);
            self.theory_map(ui, place, theory, &sweep.axes, style, size);
        }
        clicked
    }

    /// Lets the theory be computed, once.
    fn foretell(&mut self, study: &StudyRun, theory: &'static Theory, ui: &Ui) {
        if self.foretold.is_some() {
            return;
        }
        let task = self.theory.get_or_insert_with(|| {
            let rows = (0..study.rows().len()).filter_map(|row| study.task(row));
            let params: Vec<_> = rows.map(|task| task.params.clone()).collect();
            Task::begin("theory of a sweep", repaint(ui.ctx()), move |_| params.iter().map(theory.of).collect())
        });
        if let Some(found) = task.poll() {
            // What could not be computed is not there.
            self.foretold = Some(found.unwrap_or_default());
            self.theory = None;
        }
    }

    fn theory_map(&mut self, ui: &mut Ui, place: Rect, theory: &Theory, axes: &[Axis], style: &Style, size: f32) {
        let ready = self.foretold.is_some();
        let foretold = self.foretold.as_deref().unwrap_or_default();
        let (_, face) = match self.its.take_if(|(of, _)| *of == ready) {
            Some(same) => self.its.insert(same),
            None => {
                let cells = axes.iter().map(|axis| axis.values.len()).product();
                let value = |cell: usize| foretold.get(cell).copied().filter(|value| value.is_finite());
                let values = (0..cells).map(value).collect();
                let coloring = Coloring { map: ColorMap::Viridis, low: 0.0, high: 1.0 };
                let face = Face::new(axes, theory.title.to_owned(), theory.unit.to_owned(), values, coloring);
                self.its.insert((ready, face))
            }
        };
        let spoken = |cell: usize| {
            let values = cell_values(axes, cell);
            let share = foretold.get(cell).copied().filter(|value| value.is_finite());
            let share = share.map_or_else(|| "says nothing here".to_owned(), |share| format!("{:.0} %", 100.0 * share));
            format!("theory, {}: {share}\n\n{}", values.join(", "), theory.about)
        };
        let map = Map { face, axes, spoken: &spoken, click: "" };
        // What it is of stands below it, whole.
        let about =
            ui.painter().layout(theory.about.to_owned(), FontId::proportional(size), style.text_weak, place.width());
        let foot = about.size().y + 4.0;
        let (above, below) = place.split_top_bottom_at_y((place.bottom() - foot).max(place.top()));
        grid(ui, above, &map, style, size);
        ui.painter().galley(below.min + vec2(0.0, 4.0), about, style.text_weak);
    }
}

/// `key = value` of a cell, the last axis fastest.
fn cell_values(axes: &[Axis], cell: usize) -> Vec<String> {
    let mut rest = cell;
    let mut parts: Vec<String> = Vec::new();
    for axis in axes.iter().rev() {
        let n = axis.values.len().max(1);
        parts.push(format!("{} = {}", axis.spec.key, axis.values[rest % n]));
        rest /= n;
    }
    parts.reverse();
    parts
}

/// Colours from the lowest to the highest value; of a share from 0 to 1.
fn coloring(values: &[Option<f64>], share: bool) -> Coloring {
    let found = || values.iter().flatten().copied();
    let (low, high) = match share {
        true => (0.0, 1.0),
        false => (found().fold(f64::INFINITY, f64::min), found().fold(f64::NEG_INFINITY, f64::max)),
    };
    let (low, high) = match () {
        () if !low.is_finite() || !high.is_finite() => (0.0, 1.0),
        // One value alone is in the middle.
        () if low >= high => (low - 0.5 * low.abs().max(1e-9), high + 0.5 * high.abs().max(1e-9)),
        () => (low, high),
    };
    Coloring { map: ColorMap::Viridis, low, high }
}

/// Draws the cells with the names of their values around them.
fn grid(ui: &mut Ui, outer: Rect, map: &Map<'_>, style: &Style, size: f32) -> Option<usize> {
    let rest = panel_heading(ui.painter(), outer, &map.face.title, size + 1.0, style);
    let (columns, rows) = match &map.face.names[..] {
        [x, y] => (x.len(), y.len()),
        [x] => (x.len(), 1),
        _ => return None,
    };
    let left = if rows > 1 { label_width(ui, &map.face.names[1], size) + 0.6 * size } else { 0.0 };
    let above = if rows > 1 { 1.7 * size } else { 0.4 * size };
    let inner = Rect::from_min_max(rest.min + vec2(left, above), rest.max - vec2(7.0 * size, 3.2 * size));
    if inner.width() < 2.0 * size || inner.height() < size {
        return None;
    }
    let clicked = cells(ui, inner, map, [columns, rows], style, size);
    names_below(ui.painter(), inner, map, style, size);
    if let [_, y] = map.axes {
        let font = FontId::proportional(size + 0.5);
        let corner = pos2(rest.left(), inner.top() - 0.35 * size);
        let room = Rect::from_min_max(pos2(rest.left(), rest.top()), pos2(inner.right(), corner.y));
        one_line(ui.painter(), &y.title(), room, font, style.text_weak);
        let height = inner.height() / rows as f32;
        let every = ((1.3 * size / height).ceil() as usize).max(1);
        for (row, name) in map.face.names[1].iter().enumerate().step_by(every) {
            let at = pos2(inner.left() - 0.5 * size, inner.bottom() - (row as f32 + 0.5) * height);
            ui.painter().text(at, Align2::RIGHT_CENTER, name, FontId::monospace(size), style.text_weak);
        }
    }
    let bar = Rect::from_min_size(pos2(inner.right() + size, inner.top()), vec2((0.9 * size).round(), inner.height()));
    if inner.height() > 4.0 * size {
        heatmap::color_bar(ui.painter(), bar, &map.face.coloring, size, style);
        let at = bar.left_top() - vec2(0.0, 0.35 * size);
        ui.painter().text(at, Align2::LEFT_BOTTOM, &map.face.unit, FontId::proportional(size), style.text_weak);
    }
    clicked
}

/// The cells themselves, with their values where there is room for all of them.
fn cells(
    ui: &mut Ui,
    inner: Rect,
    map: &Map<'_>,
    [columns, rows]: [usize; 2],
    style: &Style,
    size: f32,
) -> Option<usize> {
    let cell = vec2(inner.width() / columns as f32, inner.height() / rows as f32);
    let (face, font) = (map.face, FontId::monospace(size));
    let fits = 0.62 * size * face.widest as f32 + 4.0 < cell.x && 1.3 * size < cell.y;
    let mut clicked = None;
    for (at, value) in face.values.iter().enumerate() {
        let (column, row) = (at / rows, at % rows);
        let corner = pos2(inner.left() + column as f32 * cell.x, inner.bottom() - (row + 1) as f32 * cell.y);
        let place = Rect::from_min_size(corner, cell);
        let sense = if map.click.is_empty() { Sense::hover() } else { Sense::click() };
        let response = ui.interact(place, ui.scope_id().with((&face.title, "cell", at)), sense);
        let role = if map.click.is_empty() { Role::Cell } else { Role::Button };
        response.widget_info(|| WidgetInfo::labeled(role, true, &face.said[at]));
        let painter = ui.painter();
        match value {
            Some(value) => {
                let fill = face.coloring.color(*value);
                painter.rect_filled(place.shrink(0.5), 0.0, fill);
                if fits {
                    painter.text(place.center(), Align2::CENTER_CENTER, &face.texts[at], font.clone(), ink(fill));
                }
            }
            // Not measured yet.
            None => {
                let corners = [place.left_bottom(), place.right_top()];
                painter.rect_stroke(place.shrink(1.0), 0.0, Stroke::new(0.8, style.rule), StrokeKind::Inside);
                painter.line_segment(corners, Stroke::new(0.8, style.rule));
            }
        }
        if response.hovered() || response.has_focus() {
            painter.rect_stroke(place, 0.0, Stroke::new(2.0, style.accent), StrokeKind::Inside);
        }
        if response.clicked() {
            clicked = Some(at);
        }
        told(response, map, at);
    }
    clicked
}

fn told(response: Response, map: &Map<'_>, at: usize) {
    response.on_hover_ui(|ui| {
        ui.set_max_width(380.0);
        ui.label((map.spoken)(at));
        if !map.click.is_empty() {
            ui.weak(map.click);
        }
    });
}

/// Black or white, whichever can be read on it.
fn ink(fill: Color32) -> Color32 {
    let [r, g, b, _] = fill.to_array().map(f32::from);
    if 0.299 * r + 0.587 * g + 0.114 * b > 140.0 { Color32::BLACK } else { Color32::WHITE }
}

fn label_width(ui: &Ui, names: &[String], size: f32) -> f32 {
    let width =
        |text: &String| ui.painter().layout_no_wrap(text.clone(), FontId::monospace(size), Color32::GRAY).size().x;
    names.iter().map(width).fold(0.0, f32::max).min(12.0 * size)
}

/// The values of the first axis below the cells, as many as do not touch, and its title.
fn names_below(painter: &Painter, inner: Rect, map: &Map<'_>, style: &Style, size: f32) {
    let (Some(axis), Some(names)) = (map.axes.first(), map.face.names.first()) else { return };
    let wide = inner.width() / names.len().max(1) as f32;
    let mut free = f32::NEG_INFINITY;
    for (column, name) in names.iter().enumerate() {
        let text = painter.layout_no_wrap(name.clone(), FontId::monospace(size), style.text_weak);
        let left = inner.left() + (column as f32 + 0.5) * wide - 0.5 * text.size().x;
        if left >= free {
            free = left + text.size().x + 0.6 * size;
            painter.galley(pos2(left, inner.bottom() + 0.3 * size), text, style.text_weak);
        }
    }
    let title = Rect::from_min_max(
        pos2(inner.left(), inner.bottom() + 1.7 * size),
        pos2(inner.right() + 6.0 * size, inner.bottom() + 3.2 * size),
    );
    one_line(painter, &axis.title(), title, FontId::proportional(size + 0.5), style.text_weak);
}

/// One parameter: the median of the seeds as a line, their range as a band, every seed as a ring; below them the cells.
fn one(ui: &mut Ui, outer: Rect, map: &Map<'_>, style: &Style, size: f32) -> Option<usize> {
    let Curve { low, high, ticks, seeds, known } = map.face.curve.as_ref()?;
    let (low, high) = (*low, *high);
    let rest = panel_heading(ui.painter(), outer, &map.face.title, size + 1.0, style);
    let left = 6.0 * size;
    let inner = Rect::from_min_max(rest.min + vec2(left, 0.8 * size), rest.max - vec2(7.0 * size, 3.2 * size));
    if inner.width() < 4.0 * size || inner.height() < 6.0 * size {
        return None;
    }
    let row = (2.2 * size).min(0.3 * inner.height());
    let curve = Rect::from_min_max(inner.min, inner.max - vec2(0.0, row + 0.5 * size));
    let strip = Rect::from_min_max(pos2(inner.left(), inner.bottom() - row), inner.max);
    let count = map.face.values.len();
    let at = |cell: usize, value: f64| {
        let x = curve.left() + (cell as f32 + 0.5) * curve.width() / count as f32;
        pos2(x, curve.bottom() - ((value - low) / (high - low)) as f32 * curve.height())
    };
    let painter = ui.painter().clone();
    painter.rect_filled(curve, 2.0, style.plot_background);
    for tick in ticks {
        let y = at(0, tick.position).y;
        painter.hline(curve.x_range(), y, Stroke::new(0.8, style.rule));
        painter.text(
            pos2(curve.left() - 0.5 * size, y),
            Align2::RIGHT_CENTER,
            &tick.label,
            FontId::monospace(size),
            style.text_weak,
        );
    }
    for pair in known.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let corners: Vec<Pos2> = vec![at(a.0, a.1), at(b.0, b.1), at(b.0, b.3), at(a.0, a.3)];
        painter.add(Shape::convex_polygon(corners, style.accent.gamma_multiply(0.18), Stroke::NONE));
    }
    let line: Vec<Pos2> = known.iter().map(|(cell, _, value, _)| at(*cell, *value)).collect();
    painter.add(Shape::line(line.clone(), Stroke::new(2.0, style.accent)));
    for (cell, values) in seeds.iter().enumerate() {
        for value in values {
            painter.circle_stroke(at(cell, *value), 0.25 * size, Stroke::new(1.0, style.text_weak));
        }
    }
    line.iter().for_each(|place| {
        painter.circle_filled(*place, 0.3 * size, style.accent);
    });
    let clicked = cells(ui, strip, map, [count, 1], style, size);
    names_below(ui.painter(), strip, map, style, size);
    clicked
}

/// The map as PNG, without a window.
pub fn png(study: &StudyRun, measure: usize, style: &Style) -> Result<Vec<u8>, String> {
    let (title, mut draw) = drawing(study, measure, style)?;
    png::png(&Canvas::new(PICTURE, style, Medium::Pixels)?.pixels(&title, "", |ui, _| draw(ui))?)
}

/// The map as the text of an SVG file.
pub fn svg(study: &StudyRun, measure: usize, style: &Style) -> Result<Vec<u8>, String> {
    let (title, mut draw) = drawing(study, measure, style)?;
    Ok(Canvas::new(PICTURE, style, Medium::Vectors)?.svg(&title, |ui, _| draw(ui))?.into_bytes())
}

/// The figure's title, and how it is drawn.
fn drawing<'a>(
    study: &'a StudyRun,
    measure: usize,
    style: &'a Style,
) -> Result<(String, impl FnMut(&mut Ui) + 'a), String> {
    let table = Arc::new(study.sweep_table().ok_or("this study is no sweep")?);
    let mut figure = SweepFigure { measure, ..SweepFigure::default() };
    let seeds = table.cells.iter().map(|cell| cell.runs.len()).max().unwrap_or(0);
    let title = format!("{}: {}", study.title(), number::counted(seeds as u64, "seed", "seeds"));
    let draw = move |ui: &mut Ui| {
        let rect = ui.available_rect_before_wrap();
        figure.show(ui, rect, (study, &table), "", style, 11.0);
    };
    Ok((title, draw))
}
