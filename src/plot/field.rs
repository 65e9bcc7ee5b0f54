//! A scalar field from above: colour and contour lines.
//!
//! The picture is computed apart from the frame, for the newest request only; until it is there the last one is shown
//! where it belongs.

use std::fmt;
use std::sync::Arc;

use eframe::egui::{Color32, ColorImage, Painter, Pos2, Rect, TextureOptions, Ui, pos2};
use rayon::prelude::*;

use super::axes::{Axes, Bounds};
use super::background::Latest;
use super::colormap::ColorMap;
use super::contour::contours;
use super::decimate::clip_segment;
use super::live_texture::LiveTexture;
use super::scale::{Scale, multiples, nice_step};
use super::stroke::{LineMesh, Pen, Stop};
use super::style::{Dash, Style};

/// The field: value at `(x, y)`.
pub type FieldFn = Arc<dyn Fn(f64, f64) -> f64 + Send + Sync>;

/// What is to be pictured. Equal requests give equal pictures.
#[derive(Clone)]
pub struct Request {
    /// Tells fields apart: two requests with one `id` have the same `f`.
    pub id: u64,
    pub f: FieldFn,
    /// The lowest value there is, where it is known: the logarithmic scale starts there.
    pub lowest: Option<f64>,
    pub bounds: Bounds,
    /// Pixels `[width, height]`.
    pub size: [usize; 2],
    pub scale: ScaleChoice,
    pub map: ColorMap,
}

impl PartialEq for Request {
    fn eq(&self, other: &Self) -> bool {
        (self.id, self.lowest, self.bounds, self.size, self.scale, self.map)
            == (other.id, other.lowest, other.bounds, other.size, other.scale, other.map)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("id", &self.id).field("bounds", &self.bounds).field("size", &self.size).finish()
    }
}

/// How values become colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScaleChoice {
    /// Logarithmic where a linear scale would show almost everything in one colour.
    #[default]
    Automatic,
    Linear,
    Log,
}

/// A computed picture.
#[derive(Debug, Clone)]
pub struct Picture {
    pub request: Request,
    pub image: ColorImage,
    /// In data coordinates, with the index of the level.
    pub contours: Vec<(usize, Vec<[f64; 2]>)>,
    pub colors: ColorScale,
}

/// Values to colours: `scale` positions from `low` to `high` lie along the map.
#[derive(Debug, Clone, PartialEq)]
pub struct ColorScale {
    pub scale: Scale,
    pub low: f64,
    pub high: f64,
    /// Values of the contour lines.
    pub levels: Vec<f64>,
}

/// Most pixels of a picture; a larger widget is drawn from a coarser one.
const PIXEL_CAP: usize = 900_000;
/// Pixels between the samples of contour lines.
const CONTOUR_CELL: usize = 3;

impl ColorScale {
    /// The share of the way from low to high.
    pub fn share(&self, value: f64) -> f64 {
        if value.is_nan() {
            return f64::NAN;
        }
        let position = self.scale.position(value);
        // Below the base of the logarithm: as low as it gets.
        if position.is_nan() { 0.0 } else { (position - self.low) / (self.high - self.low) }
    }

    fn new(request: &Request, samples: &[f32]) -> Self {
        let mut finite: Vec<f64> = samples.iter().filter(|v| v.is_finite()).map(|v| f64::from(*v)).collect();
        finite.sort_unstable_by(f64::total_cmp);
        let (Some(&low), Some(&high)) = (finite.first(), finite.last()) else {
            return Self { scale: Scale::Linear, low: 0.0, high: 1.0, levels: Vec::new() };
        };
        if low == high {
            return Self { scale: Scale::Linear, low: low - 0.5, high: high + 0.5, levels: Vec::new() };
        }
        let quantile = |share: f64| finite[((finite.len() - 1) as f64 * share) as usize];
        let log = match request.scale {
            ScaleChoice::Log => true,
            ScaleChoice::Linear => false,
            ScaleChoice::Automatic => (quantile(0.5) - low) < 0.12 * (high - low),
        };
        if !log {
            let step = nice_step(high - low, 14);
            let levels = multiples(low, high, step).collect();
            return Self { scale: Scale::Linear, low, high, levels };
        }
        // Six decades at most, and no further down than the lowest two per cent of the picture lie.
        let base = request.lowest.filter(|lowest| *lowest <= low).unwrap_or(low);
        let top = (high - base).log10();
        let bottom = (quantile(0.02) - base).max(1e-6 * (high - base)).log10().min(top - 1.0);
        let decades = top - bottom;
        let mantissas: &[f64] = if decades > 3.5 { &[1.0, 3.0] } else { &[1.0, 2.0, 5.0] };
        let levels = (bottom.floor() as i32..=top.ceil() as i32)
            .flat_map(|power| mantissas.iter().map(move |m| m * 10f64.powi(power)))
            .filter(|above| (bottom..=top).contains(&above.log10()))
            .map(|above| base + above)
            .collect();
        Self { scale: Scale::Log { base }, low: bottom, high: top, levels }
    }
}

impl Picture {
    /// Computes a picture; a few milliseconds on several cores.
    pub fn compute(request: Request) -> Self {
        let [width, height] = capped(request.size);
        let Bounds { x, y } = request.bounds;
        let sample = |column: f64, row: f64, columns: usize, rows: usize| {
            (request.f)(x[0] + (x[1] - x[0]) * column / columns as f64, y[1] - (y[1] - y[0]) * row / rows as f64) as f32
        };
        // Contour samples lie on cell corners, and their outermost ones on the borders of the picture.
        let (columns, rows) = (width.div_ceil(CONTOUR_CELL), height.div_ceil(CONTOUR_CELL));
        let corners: Vec<f32> = (0..=rows)
            .into_par_iter()
            .flat_map_iter(|row| (0..=columns).map(move |column| sample(column as f64, row as f64, columns, rows)))
            .collect();
        let colors = ColorScale::new(&request, &corners);
        let levels: Vec<f32> = colors.levels.iter().map(|level| *level as f32).collect();
        let to_data = |[column, row]: [f32; 2]| {
            [
                x[0] + (x[1] - x[0]) * f64::from(column) / columns as f64,
                y[1] - (y[1] - y[0]) * f64::from(row) / rows as f64,
            ]
        };
        let contours = contours(&corners, columns + 1, &levels)
            .into_iter()
            .map(|line| (line.level, line.points.into_iter().map(to_data).collect()))
            .collect();
        let bands = Bands::new(&colors);
        let pixels = (0..height)
            .into_par_iter()
            .flat_map_iter(|row| {
                let bands = &bands;
                (0..width).map(move |column| {
                    let value = sample(column as f64 + 0.5, row as f64 + 0.5, width, height);
                    request.map.color(bands.share(f64::from(value)) as f32)
                })
            })
            .collect();
        Self { request, image: ColorImage::new([width, height], pixels), contours, colors }
    }
}

/// Colour steps at the contour lines, softened: within a band the colour still moves, so that slopes stay visible.
struct Bands<'a> {
    colors: &'a ColorScale,
    /// Shares of the levels, with 0 and 1 at the ends.
    edges: Vec<f64>,
}

impl<'a> Bands<'a> {
    fn new(colors: &'a ColorScale) -> Self {
        let mut edges = vec![0.0];
        edges.extend(
            colors.levels.iter().map(|level| colors.share(*level)).filter(|share| *share > 0.0 && *share < 1.0),
        );
        edges.push(1.0);
        Self { colors, edges }
    }

    fn share(&self, value: f64) -> f64 {
        let share = self.colors.share(value);
        if share.is_nan() || self.edges.len() < 3 {
            return share;
        }
        let share = share.clamp(0.0, 1.0);
        let upper = self.edges.partition_point(|edge| *edge <= share).clamp(1, self.edges.len() - 1);
        let centre = (self.edges[upper - 1] + self.edges[upper]) / 2.0;
        0.55 * centre + 0.45 * share
    }
}

fn capped([width, height]: [usize; 2]) -> [usize; 2] {
    let (width, height) = (width.max(1), height.max(1));
    let shrink = (PIXEL_CAP as f64 / (width * height) as f64).sqrt().min(1.0);
    [((width as f64 * shrink) as usize).max(1), ((height as f64 * shrink) as usize).max(1)]
}

/// View state of a field.
#[derive(Default)]
pub struct FieldState {
    picture: Option<Arc<Picture>>,
    texture: LiveTexture,
    fine: Latest<Request, Arc<Picture>>,
    lines: Option<(Axes, Color32, LineMesh)>,
}

impl fmt::Debug for FieldState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldState").field("texture", &self.texture).field("busy", &self.fine.is_busy()).finish()
    }
}

impl FieldState {
    /// Keeps the picture up to date and returns the newest one. Never waits.
    pub fn update(&mut self, ui: &Ui, request: Request) -> Option<&Picture> {
        let alike = |other: &Request| (other.id, other.map, other.scale) == (request.id, request.map, request.scale);
        let serves = |shown: &Request| alike(shown) && covered(request.bounds, shown.bounds) > 0.6;
        if self.picture.as_ref().is_none_or(|shown| !serves(&shown.request)) {
            // A coarse picture at once (a few thousand samples), so that no frame shows another field's colours, or none
            // while the window jumps from place to place.
            let coarse = Picture::compute(Request { size: coarse(request.size), ..request.clone() });
            self.show(ui, Arc::new(coarse));
        }
        let compute = |request: &Request| Arc::new(Picture::compute(request.clone()));
        let newest = self.fine.update("field", ui.ctx(), &request, compute).cloned();
        if let Some(newest) = newest.filter(|newest| serves(&newest.request))
            && self.picture.as_ref().is_none_or(|shown| !Arc::ptr_eq(shown, &newest))
        {
            self.show(ui, newest);
        }
        self.picture.as_deref()
    }

    fn show(&mut self, ui: &Ui, picture: Arc<Picture>) {
        self.texture.set(ui.ctx(), "field", picture.image.clone(), TextureOptions::LINEAR);
        self.lines = None;
        self.picture = Some(picture);
    }

    /// Draws colours and contour lines into the axes' rectangle.
    pub fn draw(&mut self, painter: &Painter, axes: &Axes, style: &Style, lines: bool) {
        let (Some(picture), Some(texture)) = (&self.picture, self.texture.id()) else { return };
        let Bounds { x, y } = picture.request.bounds;
        let rect = Rect::from_two_pos(axes.at(x[0], y[1]), axes.at(x[1], y[0]));
        let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        painter.image(texture, rect, uv, Color32::WHITE);
        if !lines {
            return;
        }
        let color = contour_color(style);
        if self.lines.as_ref().is_none_or(|(at, with, _)| at != axes || *with != color) {
            let pen = Pen { width: 1.0, color, dash: Dash::Solid, feather: 1.0 / painter.pixels_per_point() };
            let runs: Vec<Vec<Stop>> =
                picture.contours.iter().flat_map(|(_, points)| on_screen(points, axes)).collect();
            let mesh = LineMesh::new(runs.iter().map(Vec::as_slice), pen);
            self.lines = Some((axes.clone(), color, mesh));
        }
        if let Some((_, _, mesh)) = &mut self.lines {
            mesh.draw(painter);
        }
    }

    /// The newest picture.
    pub fn picture(&self) -> Option<&Picture> {
        self.picture.as_deref()
    }
}

/// The share of `wanted` that `there` covers.
fn covered(wanted: Bounds, there: Bounds) -> f64 {
    let along = |[low, high]: [f64; 2], [from, to]: [f64; 2]| (high.min(to) - low.max(from)).max(0.0) / (high - low);
    along(wanted.x, there.x) * along(wanted.y, there.y)
}

fn coarse([width, height]: [usize; 2]) -> [usize; 2] {
    [(width / 6).clamp(8, 120), (height / 6).clamp(8, 90)]
}

fn contour_color(style: &Style) -> Color32 {
    if style.high_contrast {
        Color32::from_white_alpha(150)
    } else if style.dark {
        Color32::from_white_alpha(34)
    } else {
        Color32::from_black_alpha(46)
    }
}

/// The pieces of a polyline that lie in the axes' rectangle, in screen coordinates.
fn on_screen(points: &[[f64; 2]], axes: &Axes) -> Vec<Vec<Stop>> {
    let clip = axes.rect.expand(2.0);
    let mut runs: Vec<Vec<Stop>> = Vec::new();
    let mut open = false;
    for pair in points.windows(2) {
        let [from, to] = [pair[0], pair[1]].map(|[x, y]| axes.to_screen(x, y));
        let Some((a, b)) = clip_segment(from, to, clip) else {
            open = false;
            continue;
        };
        let [a, b] = [a, b].map(|[x, y]| (Pos2::new(x as f32, y as f32), 0));
        match runs.last_mut().filter(|_| open) {
            Some(run) => run.push(b),
            None => runs.push(vec![a, b]),
        }
        open = true;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(scale: ScaleChoice) -> Request {
        Request {
            id: 1,
            f: Arc::new(|x, y| x * x + y * y),
            lowest: Some(0.0),
            bounds: Bounds::new([-2.0, 2.0], [-1.0, 1.0]),
            size: [80, 40],
            scale,
            map: ColorMap::Viridis,
        }
    }

    #[test]
    fn contour_lines_lie_at_their_level() {
        let picture = Picture::compute(request(ScaleChoice::Linear));
        assert!(!picture.contours.is_empty());
        for (level, points) in &picture.contours {
            for [x, y] in points {
                assert!((x * x + y * y - picture.colors.levels[*level]).abs() < 0.02);
            }
        }
    }

    #[test]
    fn the_lowest_pixel_is_dark_and_the_corners_are_bright() {
        for scale in [ScaleChoice::Linear, ScaleChoice::Log] {
            let picture = Picture::compute(request(scale));
            let pixel = |x: usize, y: usize| picture.image.pixels[y * 80 + x];
            assert!(pixel(40, 20).g() < 60 && pixel(0, 0).g() > 180, "{scale:?}");
        }
    }

    #[test]
    fn a_field_without_numbers_or_without_slope_is_survived() {
        let nan = Picture::compute(Request { f: Arc::new(|_, _| f64::NAN), ..request(ScaleChoice::Automatic) });
        assert!(nan.contours.is_empty());
        assert_eq!(nan.image.pixels[0], Color32::TRANSPARENT);
        let flat = Picture::compute(Request { f: Arc::new(|_, _| 3.0), ..request(ScaleChoice::Log) });
        assert!(flat.colors.share(3.0) == 0.5);
    }

    #[test]
    fn a_window_elsewhere_is_not_covered() {
        let window = Bounds::new([0.0, 2.0], [0.0, 1.0]);
        assert_eq!(covered(window, window), 1.0);
        assert_eq!(covered(window, Bounds::new([1.0, 9.0], [-5.0, 5.0])), 0.5);
        assert_eq!(covered(window, Bounds::new([3.0, 4.0], [0.0, 1.0])), 0.0);
    }

    #[test]
    fn a_large_widget_is_drawn_from_a_capped_picture() {
        let [width, height] = capped([7_680, 4_320]);
        assert!(width * height <= PIXEL_CAP && width > 1_000);
        assert_eq!(capped([0, 0]), [1, 1]);
    }
}
