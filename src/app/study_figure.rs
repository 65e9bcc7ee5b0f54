//! The figure of a study: its panels beside each other, each row in a colour of its own, the article's readings as marks.

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Color32, ColorImage, FontId, Rect, Sense, TextureHandle, TextureOptions, Ui, WidgetInfo, pos2, vec2,
};
use image::RgbaImage;

use super::canvas::Canvas;
use crate::engine::params::{ParamKind, Value};
use crate::engine::study::StudyRun;
use crate::engine::study_figure::{Band, Curve, Drawing, Gallery, Mark, Panel, Parallel, Picture, Shown};
use crate::kit::view::Lab;
use crate::plot::axes::Titles;
use crate::plot::colormap::ColorMap;
use crate::plot::curve::{self, CurveState, Plot};
use crate::plot::legend::{self, Entry};
use crate::plot::medium::Medium;
use crate::plot::number;
use crate::plot::parallel::{Axis, Line, ParallelState};
use crate::plot::scale::Scale;
use crate::plot::style::{Category, Dash, Style};
use crate::plot::tile::panel_heading;

/// A figure with the zoom of its panels.
#[derive(Default)]
pub struct StudyFigure {
    pub drawing: Drawing,
    /// Counts the drawings.
    version: u64,
    states: Vec<CurveState>,
    parallel: ParallelState,
    /// By row, for this look.
    colors: Option<(Style, Vec<Category>)>,
    /// Of the drawing's pictures, in their order, once they were drawn.
    textures: Vec<TextureHandle>,
}

impl std::fmt::Debug for StudyFigure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StudyFigure").field("version", &self.version).finish_non_exhaustive()
    }
}

/// Height of a line of pictures in the window, of a single one, and of their title.
const LINE: f32 = 120.0;
const SINGLE: f32 = 240.0;
const TITLE: f32 = 28.0;
/// Height of a panel in the window.
const HEIGHT: f32 = 260.0;
/// Height of the parallel coordinates in the window.
const PARALLEL: f32 = 320.0;
/// Least width of a panel.
const WIDTH: f32 = 240.0;

impl StudyFigure {
    /// Draws this from now on.
    pub fn set(&mut self, drawing: Drawing) {
        self.drawing = drawing;
        self.version += 1;
        self.textures.clear();
    }

    /// Height that the figure takes at this width.
    pub fn height(&self, study: &StudyRun, width: f32) -> f32 {
        let Some(figure) = study.spec.figure else { return 0.0 };
        let panels = figure.panels.len();
        let parallel = figure.parallel.map_or(0.0, |_| PARALLEL);
        HEIGHT * panels.div_ceil(columns(panels, width)) as f32 + self.gallery_height(study) + parallel
    }

    /// Height of the gallery alone.
    fn gallery_height(&self, study: &StudyRun) -> f32 {
        let gallery = study.spec.figure.and_then(|figure| figure.gallery);
        let rows = study.spec.rows.len();
        gallery.map_or(0.0, |_| TITLE + if rows == 1 { SINGLE } else { LINE * rows as f32 })
    }

    /// Draws the figure into `rect`.
    pub fn show(&mut self, ui: &mut Ui, rect: Rect, study: &StudyRun, lab: &Lab, style: &Style, size: f32) {
        let Some(figure) = study.spec.figure else { return };
        let mut rect = rect;
        if let Some(spec) = &figure.parallel {
            // Alone they take all there is.
            let alone = figure.panels.is_empty() && figure.gallery.is_none();
            let height = if alone { rect.height() } else { PARALLEL };
            let place = Rect::from_min_size(rect.min, vec2(rect.width(), height));
            let rest = panel_heading(ui.painter(), place, spec.title, size + 1.0, style);
            let (axes, lines) = lines(study, spec);
            self.parallel.show(ui, rest, spec.title, (&axes, &lines), style, size);
            rect.min.y += height;
        }
        if let Some(gallery) = &figure.gallery {
            // Alone it takes all there is.
            let height = if figure.panels.is_empty() { rect.height() } else { self.gallery_height(study) };
            self.gallery(ui, Rect::from_min_size(rect.min, vec2(rect.width(), height)), gallery, study, style, size);
            rect.min.y += height;
        }
        if figure.panels.is_empty() {
            return;
        }
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
            let bands: Vec<&Band> = self.drawing.bands.iter().filter(|band| band.panel == at).collect();
            let shown = |curve: &&Curve| curve.panel == at;
            let curves: Vec<&Curve> = self.drawing.curves.iter().filter(shown).collect();
            ui.push_id(at, |ui| {
                let state = &mut self.states[at];
                let legend = if shared { &[][..] } else { &legends[at][..] };
                let data = (&curves[..], &bands[..]);
                draw_panel(ui, place, (state, panel, self.version, legend), data, (study, &colors), style, size);
            });
        }
        self.colors = Some((of, colors));
    }

    /// Pictures of every row: a line a row, its name on the left.
    fn gallery(&mut self, ui: &Ui, rect: Rect, gallery: &Gallery, study: &StudyRun, style: &Style, size: f32) {
        if self.textures.len() != self.drawing.pictures.len() {
            let texture = |shown: &Shown| {
                let Picture { width, height, rgb } = &*shown.picture;
                let image = ColorImage::from_rgb([*width, *height], rgb);
                ui.ctx().load_texture("study picture", image, TextureOptions::LINEAR)
            };
            self.textures = self.drawing.pictures.iter().map(texture).collect();
        }
        let rest = panel_heading(ui.painter(), rect, gallery.title, size + 1.0, style);
        let rows = study.spec.rows.len().max(1);
        let line = rest.height() / rows as f32;
        let name = (16.0 * size).min(0.3 * rest.width());
        let wide = (rest.width() - name) / gallery.columns.max(1) as f32;
        for (row, spec) in study.spec.rows.iter().enumerate() {
            let top = rest.top() + row as f32 * line;
            let shown = self.drawing.pictures.iter().find(|shown| shown.row == row);
            let seed = shown.map_or_else(|| "not measured yet".to_owned(), |shown| format!("seed {}", shown.seed));
            let job = format!("{}\n{seed}", spec.label);
            let text = ui.painter().layout(job, FontId::proportional(size), style.text, name - 8.0);
            ui.painter().galley(pos2(rest.left(), top + 0.3 * size), text, style.text);
        }
        for (shown, texture) in self.drawing.pictures.iter().zip(&self.textures) {
            let at = pos2(rest.left() + name + shown.column as f32 * wide, rest.top() + shown.row as f32 * line);
            let room = vec2(wide - 6.0, line - 6.0);
            let [width, height] = texture.size().map(|side| side as f32);
            let scale = (room.x / width).min(room.y / height);
            let place = Rect::from_min_size(at, vec2(width, height) * scale);
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            ui.painter().image(texture.id(), place, whole, Color32::WHITE);
            let id = ui.scope_id().with(("study picture", shown.row, shown.column));
            let said = format!("{}: picture {}", study.spec.rows[shown.row].label, shown.column + 1);
            ui.interact(place, id, Sense::hover()).widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));
        }
    }
}

fn columns(panels: usize, width: f32) -> usize {
    ((width / WIDTH) as usize).clamp(1, panels.clamp(1, 3))
}

fn draw_panel(
    ui: &Ui,
    place: Rect,
    (state, panel, version, entries): (&mut CurveState, &Panel, u64, &[Entry<'_>]),
    (curves, bands): (&[&Curve], &[&Band]),
    (study, colors): (&StudyRun, &[Category]),
    style: &Style,
    size: f32,
) {
    let seeds = bands.iter().map(|band| band.seeds).max();
    let title = seeds
        .map_or_else(|| panel.title.to_owned(), |seeds| format!("{}, mean and range of {seeds} seeds", panel.title));
    let rest = panel_heading(ui.painter(), place, &title, size + 1.0, style);
    let legend = legend::height(ui, entries, rest.width(), size).min(0.35 * rest.height());
    legend::show(ui, Rect::from_min_size(rest.min, vec2(rest.width(), legend)), entries, style, size);
    let place = Rect::from_min_max(pos2(rest.left(), rest.top() + legend + 4.0), rest.max);
    // The two borders of every band, then what is drawn on top of them: means, and curves without a band.
    let borders = bands.iter().flat_map(|band| [(*band, 1, " (lowest)", 0.4), (*band, 3, " (highest)", 0.4)]);
    let means = bands.iter().map(|band| (*band, 2, " (mean)", 1.0));
    let of_band = |(band, column, what, width): (&'_ Band, usize, &str, f32)| {
        let name = format!("{}{what}", study.spec.rows[band.row].label);
        let points: Vec<[f64; 2]> = band.points.iter().map(|point| [point[0], point[column]]).collect();
        (name, band.row, width, points)
    };
    let alone = curves.iter().filter(|curve| !bands.iter().any(|band| band.row == curve.row));
    let alone = alone.map(|curve| (study.spec.rows[curve.row].label.to_owned(), curve.row, 1.0, curve.points.clone()));
    let all: Vec<_> = borders.chain(means).map(of_band).chain(alone).collect();
    let lines: Vec<curve::Curve<'_>> = all
        .iter()
        .enumerate()
        .map(|(index, (name, row, width, points))| curve::Curve {
            name: name.as_str().into(),
            category: colors[*row],
            width: *width,
            identity: (version << 32) | index as u64,
            len: points.len(),
            point: Box::new(move |i| points[i]),
            held: None,
        })
        .collect();
    let fills: Vec<[usize; 2]> = (0..bands.len()).map(|band| [2 * band, 2 * band + 1]).collect();
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
        fills: &fills,
        font_size: size,
    };
    state.show(ui, place, &plot, &lines, style);
}

/// The axes of parallel coordinates, and a line for each measured row: the mean of its seeds. Values of a parameter stand at equal
/// distances, in order; the lines through one value lie side by side, the best on top.
fn lines(study: &StudyRun, spec: &Parallel) -> (Vec<Axis>, Vec<Line>) {
    /// Height that the lines through one value take.
    const SPREAD: f32 = 0.07;
    let mut rows: Vec<(usize, f64, usize)> = Vec::new();
    for row in 0..study.spec.rows.len() {
        let values: Vec<f64> =
            study.samples(row).filter_map(|s| s.values.get(spec.measure).copied().flatten()).collect();
        if !values.is_empty() {
            rows.push((row, values.iter().sum::<f64>() / values.len() as f64, values.len()));
        }
    }
    rows.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (low, high) = (rows.first().map_or(0.0, |row| row.1), rows.last().map_or(1.0, |row| row.1));
    let share = |value: f64| if high > low { ((value - low) / (high - low)) as f32 } else { 0.5 };
    let measure = &study.spec.measures[spec.measure];
    // Of every row, so that an axis does not change while the study goes on.
    let places: Vec<Vec<(f64, String)>> = spec
        .keys
        .iter()
        .map(|key| {
            let mut places: Vec<(f64, String)> =
                (0..study.spec.rows.len()).filter_map(|row| place_of(study, row, key)).collect();
            places.sort_by(|a, b| a.0.total_cmp(&b.0));
            places.dedup();
            places
        })
        .collect();
    let height = |places: &[(f64, String)], order: f64| {
        let at = places.iter().position(|(other, _)| *other == order).unwrap_or(0);
        (at as f32 + 0.5) / places.len().max(1) as f32
    };
    let mut axes: Vec<Axis> = Vec::new();
    for (key, places) in spec.keys.iter().zip(&places) {
        let title = study.specs().iter().find(|spec| spec.key == *key).map_or(*key, |spec| spec.label).to_owned();
        let ticks = places.iter().map(|(order, text)| (height(places, *order), text.clone())).collect();
        axes.push(Axis { title, ticks });
    }
    let unit = if measure.unit.is_empty() { String::new() } else { format!(" [{}]", measure.unit) };
    let ends = [low, (low + high) / 2.0, high].map(|value| (share(value), number::short(value)));
    let ticks = if rows.is_empty() {
        Vec::new()
    } else if high > low {
        ends.into()
    } else {
        ends[..1].to_vec()
    };
    axes.push(Axis { title: format!("{}{unit}", measure.title), ticks });
    let count = rows.len();
    let line = |(rank, (row, value, seeds)): (usize, (usize, f64, usize))| {
        let aside = SPREAD * ((rank as f32 + 0.5) / count as f32 - 0.5);
        let of_key = |(key, places): (&&str, &Vec<(f64, String)>)| {
            let order = place_of(study, row, key).map_or(0.0, |(order, _)| order);
            height(places, order) + aside
        };
        let at = spec.keys.iter().zip(&places).map(of_key).chain([share(value)]).collect();
        let name = format!("{}: {} {} (n = {seeds})", study.spec.rows[row].label, number::short(value), measure.unit);
        // Neither end of the map, which a dark or a light background would swallow.
        Line { name, at, color: ColorMap::Viridis.color(0.18 + 0.72 * share(value)) }
    };
    (axes, rows.into_iter().enumerate().map(line).collect())
}

/// Where a row's value of a parameter stands in order, and the value in words.
fn place_of(study: &StudyRun, row: usize, key: &str) -> Option<(f64, String)> {
    let value = study.task(row)?.params.get(key)?;
    let kind = study.specs().iter().find(|spec| spec.key == key)?.kind;
    let order = match (value, kind) {
        (Value::Float(value), _) => *value,
        (Value::Int(value), _) => *value as f64,
        (Value::Switch(on), _) => f64::from(u8::from(*on)),
        (Value::Text(id), ParamKind::Choice(items)) => items.iter().position(|item| item.id == id)? as f64,
        (Value::Text(_), _) => return None,
    };
    Some((order, value.to_string()))
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
    Canvas::new(size, style, Medium::Pixels)?.pixels(&title, "", |ui, _| {
        let rect = ui.available_rect_before_wrap();
        shown.show(ui, rect, study, lab, style, 11.0);
    })
}
