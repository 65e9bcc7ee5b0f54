//! The figure of a study: its panels beside each other, each row in a colour of its own, the article's readings as marks.

use eframe::egui::{Rect, Ui, pos2, vec2};
use image::RgbaImage;

use super::figure;
use crate::engine::study::StudyRun;
use crate::engine::study_figure::{Curve, Drawing, Mark, Panel};
use crate::kit::view::Lab;
use crate::plot::axes::Titles;
use crate::plot::curve::{self, CurveState, Plot};
use crate::plot::legend::{self, Entry};
use crate::plot::scale::Scale;
use crate::plot::style::{Category, Dash, Style};
use crate::plot::tile::panel_heading;

/// A figure with the zoom of its panels.
#[derive(Debug, Default)]
pub struct StudyFigure {
    pub drawing: Drawing,
    /// Counts the drawings.
    version: u64,
    states: Vec<CurveState>,
    /// By row, for this look.
    colors: Option<(Style, Vec<Category>)>,
}

/// Height of a panel in the window.
const HEIGHT: f32 = 260.0;
/// Least width of a panel.
const WIDTH: f32 = 240.0;

impl StudyFigure {
    /// Draws this from now on.
    pub fn set(&mut self, drawing: Drawing) {
        self.drawing = drawing;
        self.version += 1;
    }

    /// Height that the figure takes at this width.
    pub fn height(&self, study: &StudyRun, width: f32) -> f32 {
        let panels = study.spec.figure.map_or(0, |figure| figure.panels.len());
        HEIGHT * panels.div_ceil(columns(panels, width)) as f32
    }

    /// Draws the figure into `rect`.
    pub fn show(&mut self, ui: &mut Ui, rect: Rect, study: &StudyRun, lab: &Lab, style: &Style, size: f32) {
        let Some(figure) = study.spec.figure else { return };
        let count = figure.panels.len();
        self.states.resize_with(count, CurveState::default);
        let known = self.colors.take().filter(|(of, _)| of == style);
        let (of, colors) = known.unwrap_or_else(|| (style.clone(), colors(study, lab, style)));
        // One legend for all panels, where it is the same.
        let legends: Vec<Vec<Entry<'_>>> = figure.panels.iter().map(|panel| entries(study, panel, &colors)).collect();
        let same = |a: &[Entry<'_>], b: &[Entry<'_>]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a.name, a.category) == (b.name, b.category))
        };
        let shared = count > 1 && legends.windows(2).all(|pair| same(&pair[0], &pair[1]));
        let mut rect = rect;
        if let Some(entries) = legends.first().filter(|_| shared) {
            let height = legend::height(ui, entries, rect.width(), size);
            legend::show(ui, Rect::from_min_size(rect.min, vec2(rect.width(), height)), entries, style, size);
            rect.min.y += height + 6.0;
        }
        let columns = columns(count, rect.width());
        let cell = vec2(rect.width() / columns as f32, rect.height() / count.div_ceil(columns) as f32);
        for (at, panel) in figure.panels.iter().enumerate() {
            let corner = rect.min + vec2((at % columns) as f32 * cell.x, (at / columns) as f32 * cell.y);
            let place = Rect::from_min_size(corner, cell - vec2(8.0, 8.0));
            let curves: Vec<&Curve> = self.drawing.curves.iter().filter(|curve| curve.panel == at).collect();
            ui.push_id(at, |ui| {
                let state = &mut self.states[at];
                let legend = if shared { &[][..] } else { &legends[at][..] };
                draw_panel(ui, place, (state, panel, self.version, legend), &curves, (study, &colors), style, size);
            });
        }
        self.colors = Some((of, colors));
    }
}

fn columns(panels: usize, width: f32) -> usize {
    ((width / WIDTH) as usize).clamp(1, panels.clamp(1, 3))
}

fn draw_panel(
    ui: &Ui,
    place: Rect,
    (state, panel, version, entries): (&mut CurveState, &Panel, u64, &[Entry<'_>]),
    curves: &[&Curve],
    (study, colors): (&StudyRun, &[Category]),
    style: &Style,
    size: f32,
) {
    let rest = panel_heading(ui.painter(), place, panel.title, size + 1.0, style);
    let legend = legend::height(ui, entries, rest.width(), size).min(0.35 * rest.height());
    legend::show(ui, Rect::from_min_size(rest.min, vec2(rest.width(), legend)), entries, style, size);
    let place = Rect::from_min_max(pos2(rest.left(), rest.top() + legend + 4.0), rest.max);
    let lines: Vec<curve::Curve<'_>> = curves
        .iter()
        .enumerate()
        .map(|(index, curve)| curve::Curve {
            name: study.spec.rows[curve.row].label.into(),
            category: colors[curve.row],
            width: 1.0,
            identity: (version << 32) | index as u64,
            len: curve.points.len(),
            point: Box::new(move |i| curve.points[i]),
            held: None,
        })
        .collect();
    let mut marks = Vec::new();
    for row in rows_of(study, panel) {
        let ends =
            curves.iter().find(|curve| curve.row == row).map(|curve| (curve.points.first(), curve.points.last()));
        for mark in (panel.marks)(&study.spec.rows[row]) {
            let (x, y) = match mark {
                Mark::Point(x, y) => (Some(x), Some(y)),
                Mark::X(x) => (Some(x), None),
                Mark::Y(y) => (None, Some(y)),
                Mark::Start(y) => (ends.and_then(|(first, _)| first).map(|[x, _]| *x), Some(y)),
                Mark::End(y) => (ends.and_then(|(_, last)| last).map(|[x, _]| *x), Some(y)),
            };
            marks.push(curve::Mark { x, y, color: colors[row].color, text: String::new() });
        }
    }
    let plot = Plot {
        name: panel.title,
        titles: Titles { x: panel.x, y: panel.y },
        scale: if panel.log { Scale::Log { base: 0.0 } } else { Scale::Linear },
        window: panel.window.map_or([None, None], |[x, y]| [Some(x), Some(y)]),
        cursor: None,
        include: &[],
        limits: None,
        marks: &marks,
        font_size: size,
    };
    state.show(ui, place, &plot, &lines, style);
}

fn rows_of<'a>(study: &'a StudyRun, panel: &'a Panel) -> impl Iterator<Item = usize> + 'a {
    (0..study.spec.rows.len()).filter(move |&row| (panel.shows)(&study.spec.rows[row]))
}

/// The legend of a panel.
fn entries(study: &StudyRun, panel: &Panel, colors: &[Category]) -> Vec<Entry<'static>> {
    let entry = |row: usize| {
        let label = study.spec.rows[row].label;
        Entry { name: short(label), category: colors[row], selected: false, help: label.to_owned() }
    };
    rows_of(study, panel).map(entry).collect()
}

/// A row's label without what the panel says already.
fn short(label: &'static str) -> &'static str {
    label.rsplit_once(": ").map_or(label, |(_, short)| short)
}

/// By row: the colour that the lab gives to what the row switches on, else one of its own. Rows of one colour in a panel
/// differ by dash.
fn colors(study: &StudyRun, lab: &Lab, style: &Style) -> Vec<Category> {
    const DASHES: [Dash; 4] = [Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::DashDot];
    let view = (lab.view)();
    let panels = study.spec.figure.map_or(&[][..], |figure| figure.panels);
    let mut found: Vec<Category> = Vec::new();
    for (at, row) in study.spec.rows.iter().enumerate() {
        let own = row.set.iter().find_map(|(key, value)| view.swatch(key, style).filter(|_| *value == "on"));
        // Category 0 is grey, which is little seen.
        let color = own.unwrap_or_else(|| style.category(at + 3)).color;
        let together =
            |other: usize| panels.iter().any(|panel| (panel.shows)(&study.spec.rows[other]) && (panel.shows)(row));
        let same = (0..at).filter(|&other| found[other].color == color && together(other)).count();
        found.push(Category { color, dash: DASHES[same % DASHES.len()] });
    }
    found
}

/// Whether the article was read for this figure.
pub fn has_marks(study: &StudyRun) -> bool {
    let panels = study.spec.figure.map_or(&[][..], |figure| figure.panels);
    panels.iter().any(|panel| rows_of(study, panel).any(|row| !(panel.marks)(&study.spec.rows[row]).is_empty()))
}

/// The figure as a picture of so many pixels, without a window.
pub fn picture(
    study: &StudyRun,
    drawing: Drawing,
    lab: &Lab,
    size: (u32, u32),
    style: &Style,
) -> Result<RgbaImage, String> {
    let mut shown = StudyFigure::default();
    shown.set(drawing);
    let marks = if has_marks(study) {
        format!(" (marks: {})", study.spec.reading.trim_end_matches('.'))
    } else {
        String::new()
    };
    let title = format!("{}{marks}", study.spec.title);
    figure::render_with(&title, size, style, |ui, _| {
        let rect = ui.available_rect_before_wrap();
        shown.show(ui, rect, study, lab, style, 11.0);
    })
}

/// A picture packed as PNG.
pub fn png(picture: &RgbaImage) -> Result<Vec<u8>, String> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let packed = picture.write_to(&mut bytes, image::ImageFormat::Png);
    packed.map(|()| bytes.into_inner()).map_err(|error| format!("the picture cannot be packed as PNG: {error}"))
}
