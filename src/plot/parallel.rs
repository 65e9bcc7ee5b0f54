//! Parallel coordinates: an axis for each quantity, side by side, and every thing as a line across all of them.

use eframe::egui::accesskit::Role;
use eframe::egui::{Color32, FontId, Pos2, Rect, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::curve::label;
use super::style::Style;

/// One axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    pub title: String,
    /// Labelled places, from 0 (bottom) to 1 (top).
    pub ticks: Vec<(f32, String)>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Shown where the mouse is.
    pub name: String,
    /// Place on each axis, from 0 (bottom) to 1 (top).
    pub at: Vec<f32>,
    pub color: Color32,
}

/// View state: a part of an axis through which a line has to go to be shown in full.
#[derive(Debug, Default)]
pub struct ParallelState {
    part: Option<(usize, [f32; 2])>,
}

/// How to use it.
pub const HELP: &str =
    "Point at a line to read it; drag along an axis to keep the lines through that part, click to show all again.";

impl ParallelState {
    /// Draws the lines into `outer`, the last one on top. `name`: for assistive technology.
    pub fn show(
        &mut self,
        ui: &Ui,
        outer: Rect,
        name: &str,
        (axes, lines): (&[Axis], &[Line]),
        style: &Style,
        size: f32,
    ) {
        let (wide, bottom) = (4.5 * size, 2.2 * size);
        let rect = Rect::from_min_max(outer.min + vec2(wide, 0.6 * size), outer.max - vec2(wide, bottom));
        if !rect.is_positive() || axes.len() < 2 {
            return;
        }
        let step = rect.width() / (axes.len() - 1) as f32;
        let x = |axis: usize| rect.left() + axis as f32 * step;
        let y = |share: f32| rect.bottom() - share * rect.height();
        let response = ui.interact(outer, ui.scope_id().with(name), Sense::click_and_drag());
        if let (Some(from), Some(to)) =
            (ui.input(|input| input.pointer.press_origin()), response.interact_pointer_pos())
            && response.dragged()
        {
            let axis = ((from.x - rect.left()) / step).round().clamp(0.0, (axes.len() - 1) as f32) as usize;
            let [a, b] = [from.y, to.y].map(|y| ((rect.bottom() - y) / rect.height()).clamp(0.0, 1.0));
            self.part = Some((axis, [a.min(b), a.max(b)]));
        } else if response.clicked() {
            self.part = None;
        }
        self.part = self.part.filter(|(axis, _)| *axis < axes.len());
        // A little more, so that a place on the border is within.
        let within = |at: f32, [low, high]: [f32; 2]| (low - 0.01..=high + 0.01).contains(&at);
        let kept =
            |line: &Line| self.part.is_none_or(|(axis, part)| line.at.get(axis).is_some_and(|at| within(*at, part)));
        let count = lines.iter().filter(|line| kept(line)).count();
        let said = format!("{name}: {count} of {} lines over {} axes", lines.len(), axes.len());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));
        let painter = ui.painter_at(outer);
        for (at, axis) in axes.iter().enumerate() {
            painter.vline(x(at), rect.y_range(), Stroke::new(1.0, style.text_weak));
            // Whole, also at the ends.
            let title = painter.layout_no_wrap(axis.title.clone(), FontId::proportional(size), style.text);
            let left = (x(at) - 0.5 * title.size().x).min(outer.right() - title.size().x).max(outer.left());
            painter.galley(pos2(left, rect.bottom() + 0.5 * size), title, style.text);
        }
        let places =
            |line: &Line| -> Vec<Pos2> { line.at.iter().enumerate().map(|(axis, at)| pos2(x(axis), y(*at))).collect() };
        let pointer = response.hover_pos().filter(|_| !response.dragged());
        let near = pointer.and_then(|pointer| {
            let far = |line: &Line| distance(&places(line), pointer);
            let nearest = lines.iter().filter(|line| kept(line)).min_by(|a, b| far(a).total_cmp(&far(b)))?;
            (far(nearest) < 0.8 * size).then_some((pointer, nearest))
        });
        let strength = if near.is_some() { 0.35 } else { 0.85 };
        for line in lines {
            let (color, width) =
                if kept(line) { (line.color.gamma_multiply(strength), 1.3) } else { (style.rule, 0.8) };
            painter.add(Shape::line(places(line), Stroke::new(width, color)));
        }
        if let Some((axis, [low, high])) = self.part {
            let part = Rect::from_min_max(pos2(x(axis) - 0.5 * size, y(high)), pos2(x(axis) + 0.5 * size, y(low)));
            painter.rect_filled(part, 2.0, style.accent.gamma_multiply(0.35));
        }
        // Over the lines, on a plate each.
        for (at, axis) in axes.iter().enumerate() {
            let left = at + 1 < axes.len();
            for (share, text) in &axis.ticks {
                let galley = painter.layout_no_wrap(text.clone(), FontId::monospace(size), style.text_weak);
                let gap = if left { -0.4 * size - galley.size().x } else { 0.4 * size };
                let place = pos2(x(at) + gap, y(*share) - 0.5 * galley.size().y);
                let plate = Rect::from_min_size(place, galley.size()).expand(1.0);
                painter.rect_filled(plate, 2.0, style.plot_background.gamma_multiply(0.85));
                painter.galley(place, galley, style.text_weak);
            }
        }
        if let Some((at, line)) = near {
            painter.add(Shape::line(places(line), Stroke::new(2.6, line.color)));
            label(&painter, outer, at, &line.name, size, style);
        }
    }
}

/// How far a point is from a line of parts, upwards or downwards; infinite beside it.
fn distance(line: &[Pos2], at: Pos2) -> f32 {
    let part = line.windows(2).find(|pair| (pair[0].x..=pair[1].x).contains(&at.x));
    part.map_or(f32::INFINITY, |pair| {
        let share = (at.x - pair[0].x) / (pair[1].x - pair[0].x).max(1e-6);
        (pair[0].y + share * (pair[1].y - pair[0].y) - at.y).abs()
    })
}
