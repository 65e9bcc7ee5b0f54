//! Counts in equal bins as bars, with lines at chosen values.

use eframe::egui::accesskit::Role;
use eframe::egui::{Color32, FontId, Rect, Sense, Stroke, Ui, WidgetInfo, pos2};

use super::axes::{Axes, Bounds, Titles};
use super::curve::label;
use super::number;
use super::scale::Scale;
use super::stroke::{LineMesh, Pen};
use super::style::{Dash, Style};

/// A line at a value, with its name at the top.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub value: f64,
    pub name: &'static str,
    pub color: Color32,
    pub dash: Dash,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram<'a> {
    /// Name for assistive technology.
    pub name: &'a str,
    pub titles: Titles<'a>,
    /// Values of the left end of the first bin and of the right end of the last.
    pub range: [f64; 2],
    pub counts: &'a [usize],
    /// The bin that is drawn in full strength, all others fainter; `None`: all alike.
    pub selected: Option<usize>,
    pub color: Color32,
    pub lines: &'a [Line],
    pub font_size: f32,
}

impl Histogram<'_> {
    /// Draws the bars into `outer`; returns the bin that was clicked.
    pub fn show(&self, ui: &Ui, outer: Rect, style: &Style) -> Option<usize> {
        let bins = self.counts.len();
        if outer.width() < 8.0 || outer.height() < 8.0 || bins == 0 {
            return None;
        }
        let most = self.counts.iter().copied().max().unwrap_or(0).max(1);
        let size = self.font_size;
        let bounds = Bounds::new(self.range, [0.0, 1.12 * most as f64]);
        let axes = Axes::new(outer, bounds, [Scale::Linear; 2], size, 0.0);
        let response = ui.interact(axes.rect, ui.scope_id().with(self.name), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, self.name));
        let painter = ui.painter_at(outer);
        let inside = ui.painter_at(axes.rect);
        inside.rect_filled(axes.rect, 2.0, style.plot_background);
        axes.draw_grid(&inside, style, style.rule);
        let edge = |i: usize| self.range[0] + (self.range[1] - self.range[0]) * i as f64 / bins as f64;
        let bin_at = |x: f32| {
            let share = (x - axes.rect.left()) / axes.rect.width();
            ((share * bins as f32).max(0.0) as usize).min(bins - 1)
        };
        let hovered = response.hover_pos().map(|at| bin_at(at.x));
        for (i, &count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let bar = Rect::from_two_pos(axes.at(edge(i), 0.0), axes.at(edge(i + 1), count as f64));
            let strength = if hovered == Some(i) || self.selected.is_none_or(|bin| bin == i) { 0.9 } else { 0.45 };
            let bar = bar.shrink2(eframe::egui::vec2(0.5, 0.0));
            inside.rect_filled(bar, 1.0, self.color.gamma_multiply(strength));
        }
        self.draw_lines(&inside, &axes, size);
        axes.draw_labels(&painter, style, &self.titles);
        if let (Some(bin), Some(at)) = (hovered, response.hover_pos()) {
            let (from, to) = (number::compact(edge(bin)), number::compact(edge(bin + 1)));
            label(&inside, axes.rect, at, &format!("{from} to {to}: {}", self.counts[bin]), size, style);
        }
        response.interact_pointer_pos().filter(|_| response.clicked()).map(|at| bin_at(at.x))
    }

    fn draw_lines(&self, painter: &eframe::egui::Painter, axes: &Axes, size: f32) {
        let mut taken: Vec<Rect> = Vec::new();
        for line in self.lines.iter().filter(|line| line.value.is_finite()) {
            let x = axes.at(line.value, 0.0).x;
            let pen = Pen { width: 1.6, color: line.color, dash: line.dash, feather: 1.0 / painter.pixels_per_point() };
            let run = [(pos2(x, axes.rect.top()), 0), (pos2(x, axes.rect.bottom()), 1)];
            LineMesh::new([run.as_slice()], pen).draw(painter);
            let text = painter.layout_no_wrap(line.name.to_owned(), FontId::proportional(size), line.color);
            let wide = text.size();
            // Left of the line where there is room, since most scores gather on the right; below a name that is there.
            let left = if x - wide.x - 4.0 > axes.rect.left() { x - wide.x - 3.0 } else { x + 3.0 };
            let mut place = Rect::from_min_size(pos2(left, axes.rect.top() + 1.0), wide);
            while taken.iter().any(|other| other.intersects(place)) {
                place = place.translate(eframe::egui::vec2(0.0, wide.y));
            }
            painter.galley(place.min, text, line.color);
            painter.line_segment([pos2(x, place.top()), pos2(x, place.bottom())], Stroke::new(1.6, line.color));
            taken.push(place);
        }
    }
}
