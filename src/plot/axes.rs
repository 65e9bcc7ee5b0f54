//! The frame of a plot: two axes with ticks and titles, the transform between data and screen, zoom and pan.

use eframe::egui::{Align2, Color32, FontId, Painter, PointerButton, Pos2, Rect, Response, Stroke, Ui, Vec2, vec2};

use super::scale::{Scale, Tick};
use super::style::Style;

/// The part of the plane that is shown, in axis positions (see [`Scale::position`]).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    pub x: [f64; 2],
    pub y: [f64; 2],
}

impl Bounds {
    pub fn new(x: [f64; 2], y: [f64; 2]) -> Self {
        Self { x, y }
    }

    /// Grown by `share` of its size on every side.
    pub fn padded(self, share: f64) -> Self {
        let pad = |[low, high]: [f64; 2]| {
            let margin = share * (high - low);
            [low - margin, high + margin]
        };
        Self { x: pad(self.x), y: pad(self.y) }
    }

    /// Whether every number is finite and neither side is empty.
    pub fn is_valid(&self) -> bool {
        let fine = |[low, high]: [f64; 2]| low.is_finite() && high.is_finite() && high > low;
        fine(self.x) && fine(self.y)
    }

    /// Scaled by `factor` (below 1: closer) around a fixed point. Stops at the limits of f64.
    pub fn zoomed(self, factor: Vec2, centre: [f64; 2]) -> Self {
        let zoom = |[low, high]: [f64; 2], factor: f64, centre: f64| {
            [centre + (low - centre) * factor, centre + (high - centre) * factor]
        };
        let zoomed =
            Self { x: zoom(self.x, f64::from(factor.x), centre[0]), y: zoom(self.y, f64::from(factor.y), centre[1]) };
        let resolved = |[low, high]: [f64; 2]| high - low > 1e-12 * low.abs().max(high.abs()) && high - low < 1e12;
        if zoomed.is_valid() && resolved(zoomed.x) && resolved(zoomed.y) { zoomed } else { self }
    }

    /// Grown on one side so that a unit is as long in x as in y in a rectangle of this size.
    pub fn with_equal_units(self, size: Vec2) -> Self {
        let units = [(self.x[1] - self.x[0]) / f64::from(size.x), (self.y[1] - self.y[0]) / f64::from(size.y)];
        let unit = units[0].max(units[1]);
        let grow = |[low, high]: [f64; 2], pixels: f32| {
            let (centre, half) = ((low + high) / 2.0, unit * f64::from(pixels) / 2.0);
            [centre - half, centre + half]
        };
        Self { x: grow(self.x, size.x), y: grow(self.y, size.y) }
    }
}

/// What the axes say.
#[derive(Debug, Clone, PartialEq)]
pub struct Titles<'a> {
    /// Below the x axis, with its unit.
    pub x: &'a str,
    /// Above the y axis, upright, with its unit.
    pub y: &'a str,
}

/// Axes laid out on the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct Axes {
    /// Where data is drawn.
    pub rect: Rect,
    pub bounds: Bounds,
    pub scales: [Scale; 2],
    ticks: [Vec<Tick>; 2],
    font: FontId,
}

/// Width of a character of a tick label, in units of the font size.
const CHARACTER: f32 = 0.61;

impl Axes {
    /// Lays out axes in `outer`, with `right` points kept free on the right (for a colour bar).
    pub fn new(outer: Rect, bounds: Bounds, scales: [Scale; 2], font_size: f32, right: f32) -> Self {
        let ranges = [bounds.x, bounds.y];
        let ticks_of = |axis: usize, wanted: f32| {
            let [low, high] = ranges[axis];
            // Labels that would touch are left out, but two of an x axis have to be there to read a scale.
            scales[axis].ticks(low, high, (wanted as usize).clamp(3 - axis, 9))
        };
        let y_ticks = ticks_of(1, (outer.height() - 4.6 * font_size) / (3.2 * font_size));
        let mut rect = outer;
        // In a very small tile the picture is worth more than its labels.
        if outer.width() > 12.0 * font_size && outer.height() > 8.0 * font_size {
            rect.min.x += label_width(&y_ticks, font_size);
            // The last tick label is centred on the border.
            rect.max.x -= right.max((1.2 * font_size).round());
            rect.min.y += (1.7 * font_size).round();
            rect.max.y -= (3.0 * font_size).round();
        }
        rect.max = rect.max.max(rect.min + vec2(1.0, 1.0));
        let ticks = [ticks_of(0, rect.width() / (5.5 * font_size)), y_ticks];
        Self { rect, bounds, scales, ticks, font: FontId::monospace(font_size) }
    }

    /// Screen position of axis positions, in f64 so that far values keep their direction.
    pub fn to_screen(&self, x: f64, y: f64) -> [f64; 2] {
        let share_x = (x - self.bounds.x[0]) / (self.bounds.x[1] - self.bounds.x[0]);
        let share_y = (y - self.bounds.y[0]) / (self.bounds.y[1] - self.bounds.y[0]);
        [
            f64::from(self.rect.left()) + share_x * f64::from(self.rect.width()),
            f64::from(self.rect.bottom()) - share_y * f64::from(self.rect.height()),
        ]
    }

    /// [`Axes::to_screen`] as a point to draw at.
    pub fn at(&self, x: f64, y: f64) -> Pos2 {
        let [x, y] = self.to_screen(x, y);
        Pos2::new(x as f32, y as f32)
    }

    /// Axis positions of a screen position.
    pub fn from_screen(&self, pos: Pos2) -> [f64; 2] {
        let share_x = f64::from((pos.x - self.rect.left()) / self.rect.width());
        let share_y = f64::from((self.rect.bottom() - pos.y) / self.rect.height());
        [
            self.bounds.x[0] + share_x * (self.bounds.x[1] - self.bounds.x[0]),
            self.bounds.y[0] + share_y * (self.bounds.y[1] - self.bounds.y[0]),
        ]
    }

    /// Size of one point of the screen in axis positions.
    pub fn unit(&self) -> [f64; 2] {
        [
            (self.bounds.x[1] - self.bounds.x[0]) / f64::from(self.rect.width()),
            (self.bounds.y[1] - self.bounds.y[0]) / f64::from(self.rect.height()),
        ]
    }

    /// Thin lines at the ticks, under the data.
    pub fn draw_grid(&self, painter: &Painter, style: &Style, color: Color32) {
        for (axis, ticks) in self.ticks.iter().enumerate() {
            for tick in ticks {
                let at = self.screen_of(axis, tick.position);
                let color = if tick.major { color } else { color.gamma_multiply(0.45) };
                self.line(painter, axis, at, Stroke::new(if style.high_contrast { 1.0 } else { 0.8 }, color));
            }
        }
    }

    /// Labels and titles around the data.
    pub fn draw_labels(&self, painter: &Painter, style: &Style, titles: &Titles<'_>) {
        let size = self.font.size;
        let mut free_from = f32::NEG_INFINITY;
        for tick in self.ticks[0].iter().filter(|tick| tick.major) {
            let x = self.screen_of(0, tick.position);
            let text = painter.layout_no_wrap(tick.label.clone(), self.font.clone(), style.text_weak);
            let left = x - text.size().x / 2.0;
            if left > free_from && left + text.size().x < self.rect.right() + 1.2 * size {
                free_from = left + text.size().x + 0.5 * size;
                painter.galley(Pos2::new(left, self.rect.bottom() + 0.3 * size), text, style.text_weak);
            }
        }
        for tick in self.ticks[1].iter().filter(|tick| tick.major) {
            let at = Pos2::new(self.rect.left() - 0.45 * size, self.screen_of(1, tick.position));
            painter.text(at, Align2::RIGHT_CENTER, &tick.label, self.font.clone(), style.text_weak);
        }
        let font = FontId::proportional(size + 0.5);
        let below = Pos2::new(self.rect.center().x, self.rect.bottom() + 2.95 * size);
        painter.text(below, Align2::CENTER_BOTTOM, titles.x, font.clone(), style.text_weak);
        let above = Pos2::new(self.rect.left(), self.rect.top() - 0.35 * size);
        painter.text(above, Align2::LEFT_BOTTOM, titles.y, font, style.text_weak);
    }

    fn screen_of(&self, axis: usize, position: f64) -> f32 {
        self.to_screen(position, position)[axis] as f32
    }

    fn line(&self, painter: &Painter, axis: usize, at: f32, stroke: Stroke) {
        if axis == 0 {
            painter.vline(at, self.rect.y_range(), stroke);
        } else {
            painter.hline(self.rect.x_range(), at, stroke);
        }
    }
}

/// Width kept for the labels of the y axis. It grows in steps of two characters, so that a plot does not jump whenever a
/// label changes.
fn label_width(ticks: &[Tick], font_size: f32) -> f32 {
    let longest = ticks.iter().filter(|tick| tick.major).map(|tick| tick.label.chars().count()).max().unwrap_or(0);
    let characters = longest.max(5).next_multiple_of(2).min(14) as f32;
    ((CHARACTER * characters + 0.7) * font_size).round()
}

/// [`navigate`] in both directions, kept in `view`; a double click shows everything again.
pub fn zoom(ui: &Ui, response: &Response, axes: &Axes, view: &mut Option<Bounds>) {
    if let Some(bounds) = navigate(ui, response, axes, [true, true]) {
        *view = Some(bounds);
    }
    if response.double_clicked() {
        *view = None;
    }
}

/// Zoom with the wheel or a pinch around the pointer; pan with the right or middle button, or with Shift held.
/// Returns the new bounds if the user changed them.
pub fn navigate(ui: &Ui, response: &Response, axes: &Axes, zoom_axes: [bool; 2]) -> Option<Bounds> {
    let mut bounds = axes.bounds;
    if let Some(pointer) = response.hover_pos().filter(|_| response.contains_pointer()) {
        let (wheel, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
        let factor = (-wheel / 240.0).exp() / pinch;
        if (factor - 1.0).abs() > 1e-4 {
            let factor = vec2(if zoom_axes[0] { factor } else { 1.0 }, if zoom_axes[1] { factor } else { 1.0 });
            bounds = bounds.zoomed(factor, axes.from_screen(pointer));
        }
    }
    if is_panning(ui, response) {
        let delta = ui.input(|input| input.pointer.delta());
        let unit = axes.unit();
        let (dx, dy) = (-f64::from(delta.x) * unit[0], f64::from(delta.y) * unit[1]);
        bounds = Bounds::new(bounds.x.map(|x| x + dx), bounds.y.map(|y| y + dy));
    }
    (bounds != axes.bounds && bounds.is_valid()).then_some(bounds)
}

/// Whether a drag in progress moves the picture (and not the data).
pub fn is_panning(ui: &Ui, response: &Response) -> bool {
    response.dragged_by(PointerButton::Secondary)
        || response.dragged_by(PointerButton::Middle)
        || (response.dragged_by(PointerButton::Primary) && ui.input(|input| input.modifiers.shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes() -> Axes {
        let outer = Rect::from_min_size(Pos2::ZERO, vec2(600.0, 400.0));
        Axes::new(outer, Bounds::new([-1.0, 3.0], [10.0, 20.0]), [Scale::Linear; 2], 11.0, 0.0)
    }

    #[test]
    fn screen_and_data_are_inverse() {
        let axes = axes();
        let [x, y] = axes.from_screen(axes.at(0.25, 17.0));
        assert!((x - 0.25).abs() < 1e-4 && (y - 17.0).abs() < 1e-4, "{x} {y}");
        assert_eq!(axes.at(-1.0, 10.0), axes.rect.left_bottom());
        assert_eq!(axes.at(3.0, 20.0), axes.rect.right_top());
    }

    #[test]
    fn zoom_keeps_the_point_under_the_pointer_and_stops_at_the_limits_of_f64() {
        let zoomed = axes().bounds.zoomed(vec2(0.5, 0.5), [0.0, 12.0]);
        assert_eq!((zoomed.x, zoomed.y), ([-0.5, 1.5], [11.0, 16.0]));
        let mut bounds = axes().bounds;
        for _ in 0..10_000 {
            bounds = bounds.zoomed(vec2(0.5, 0.5), [1.0, 15.0]);
        }
        assert!(bounds.is_valid());
    }

    #[test]
    fn equal_units_show_at_least_what_was_asked_for() {
        let bounds = Bounds::new([-1.0, 1.0], [-1.0, 1.0]).with_equal_units(vec2(600.0, 300.0));
        assert_eq!((bounds.x, bounds.y), ([-2.0, 2.0], [-1.0, 1.0]));
    }

    #[test]
    fn an_empty_rectangle_is_survived() {
        let axes = Axes::new(Rect::ZERO, Bounds::new([0.0, 1.0], [0.0, 1.0]), [Scale::Linear; 2], 11.0, 40.0);
        assert!(axes.rect.width() > 0.0 && axes.rect.height() > 0.0);
        assert!(axes.at(0.5, 0.5).x.is_finite());
    }
}
