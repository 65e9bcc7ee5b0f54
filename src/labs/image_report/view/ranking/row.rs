//! A bar for each text, the axis under the bars, and the words beside them.

use eframe::egui::accesskit::Role;
use eframe::egui::{Align2, Color32, FontId, Painter, Rect, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2};

use super::super::flow::{Flow, Look, line_height};
use super::super::pairs::{self, Pair, Text};
use super::Column;
use super::classes::{Asked, class_at, word_menu};
use super::marks::{look, tick_marks};
use crate::kit::view::ViewCtx;
use crate::plot::stroke::{LineMesh, Pen};
use crate::plot::style::Style;
use crate::plot::{number, tile};

/// The axis of the bars, the same for both twins.
#[derive(Clone, Copy)]
pub struct Axis {
    pub low: f32,
    pub high: f32,
    /// Where these lie on the screen.
    pub left: f32,
    pub right: f32,
}

impl Axis {
    pub fn new(columns: &[Column], zoomed: bool, ticks: bool) -> Self {
        let texts = columns.iter().flat_map(|column| &column.ranked.texts);
        let shown: Vec<f32> = texts.flat_map(|text| &text.cosines[..if ticks { 3 } else { 1 }]).copied().collect();
        let [least, most] = pairs::range(&shown).unwrap_or([0.0, 1.0]);
        let (low, high) = if zoomed { (least, most) } else { (least.min(0.0), most.max(0.0)) };
        let room = (0.04 * (high - low)).max(1e-4);
        let low = if zoomed || low < 0.0 { low - room } else { low };
        Self { low, high: high + room, left: 0.0, right: 1.0 }
    }

    /// Where a cosine lies.
    pub fn x(&self, cosine: f32) -> f32 {
        self.left + (self.right - self.left) * ((cosine - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// The most height of a row: two lines of words.
pub fn tallest(size: f32) -> f32 {
    2.0 * line_height(size) + 0.6 * size
}

/// The least height of a row: one line of words.
pub fn shortest(size: f32) -> f32 {
    1.6 * size
}

/// Height of the line below bars in a column of this width; nothing where numbers would run into each other.
pub fn scale_height(width: f32, size: f32) -> f32 {
    if width < 48.0 * size { 0.0 } else { 1.6 * size }
}

/// Where the parts of every row lie from left to right.
#[derive(Clone, Copy)]
pub struct Parts {
    /// The name is above the bar, not beside it.
    stacked: bool,
    /// From and to.
    name: [f32; 2],
    pub bar: [f32; 2],
    /// `None`: there is no room for it.
    text: Option<[f32; 2]>,
}

impl Parts {
    pub fn new(rows: Rect, high: f32, scrolls: bool, size: f32) -> Self {
        let right = rows.right() - if scrolls { 0.9 * size } else { 0.0 };
        let stacked = high >= 2.7 * size;
        let width = right - rows.left();
        let share = if width < 48.0 * size { 0.5 } else { 0.37 };
        let left = if width < 30.0 * size { width } else { (share * width).clamp(15.0 * size, 27.0 * size) };
        let digits = 3.8 * size;
        let end = rows.left() + left;
        let text = (width >= 30.0 * size).then_some([end + 0.9 * size, right]);
        if stacked {
            Self { stacked, name: [rows.left(), end - digits], bar: [rows.left(), end], text }
        } else {
            let middle = rows.left() + 0.6 * (left - digits);
            Self { stacked, name: [rows.left(), middle - 0.4 * size], bar: [middle, end - digits], text }
        }
    }

    /// Whether the long names of these texts do not all fit.
    pub fn are_narrow(&self, texts: &[Text], painter: &Painter, size: f32) -> bool {
        let wide = |text: &Text| {
            let name = pairs::text_name(&text.id).to_owned();
            painter.layout_no_wrap(name, FontId::proportional(size), Color32::PLACEHOLDER).size().x
        };
        texts.iter().any(|text| wide(text) > self.name[1] - self.name[0])
    }
}

/// A text with its bar.
pub struct Row<'a> {
    pub column: &'a Column,
    /// Place of the text in the ranking.
    pub text: usize,
    pub place: Rect,
    pub parts: Parts,
    pub axis: Axis,
    /// The long names do not all fit.
    pub short: bool,
    /// It stands below, word by word.
    pub open: bool,
}

impl Row<'_> {
    /// Draws name, number and bar.
    pub fn show(&self, ticks: bool, ui: &Ui, ctx: &ViewCtx<'_>) -> Response {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let Self { column, text: i, place, .. } = *self;
        let text = &column.ranked.texts[i];
        let name = pairs::text_name(&text.id);
        let whose = if column.twin { "twin, " } else { "" };
        let [own, other, mean] = text.cosines.map(cosine);
        let nothing = if text.degenerate { ", changes nothing" } else { "" };
        let said =
            format!("{whose}{name}{nothing}: cosine {own}, with another image {other}, with the mean image {mean}");
        let response = ui.interact(place, ui.scope_id().with(("row", i)), Sense::click());
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, self.open, &said));
        let painter = ui.painter_at(place);
        if self.open || (i > 0 && ui.rect_contains_pointer(place)) {
            let strong = if self.open { 0.14 } else { 0.07 };
            painter.rect_filled(place.shrink(1.0), 2.0, style.text_weak.gamma_multiply(strong));
        }
        if response.has_focus() {
            painter.rect_stroke(place, 2.0, Stroke::new(1.0, style.accent), StrokeKind::Inside);
        }
        let (name_y, bar_place) = self.lines(size);
        self.bar(bar_place, ticks, size, ui, style);
        let color = if i == 0 { style.accent } else { style.text };
        let font = FontId::proportional(size);
        let name = if self.short { pairs::short_name(&text.id) } else { name };
        let room =
            Rect::from_x_y_ranges(self.parts.name[0]..=self.parts.name[1], name_y - 0.75 * size..=place.bottom());
        tile::one_line(&painter, name, room, font, color);
        let right = if self.parts.stacked { self.parts.bar[1] } else { self.parts.bar[1] + 3.8 * size };
        painter.text(pos2(right, name_y), Align2::RIGHT_CENTER, own, FontId::monospace(size), color);
        response
    }

    /// The middle of the line with name and number, and the place of the bar.
    fn lines(&self, size: f32) -> (f32, Rect) {
        let [left, right] = self.parts.bar;
        let Rect { min, max } = self.place;
        if self.parts.stacked {
            let y = min.y + 0.5 * line_height(size) + 0.2 * size;
            let top = y + 0.75 * size;
            (y, Rect::from_x_y_ranges(left..=right, top..=(max.y - 0.35 * size).max(top + 2.0)))
        } else {
            (self.place.center().y, Rect::from_x_y_ranges(left..=right, min.y + 0.2 * size..=max.y - 0.2 * size))
        }
    }

    fn bar(&self, rect: Rect, ticks: bool, size: f32, ui: &Ui, style: &Style) {
        let painter = ui.painter_at(rect.expand(2.0));
        let text = &self.column.ranked.texts[self.text];
        let [own, other, mean] = text.cosines;
        if own.is_finite() {
            let origin = self.axis.x(0f32.max(self.axis.low));
            let bar =
                Rect::from_x_y_ranges(origin.min(self.axis.x(own))..=origin.max(self.axis.x(own)), rect.y_range());
            let fill = if self.text == 0 { style.accent } else { style.text_weak.gamma_multiply(0.55) };
            if text.degenerate {
                painter.rect_stroke(bar, 1.0, Stroke::new(1.0, style.text_weak), StrokeKind::Inside);
                let at = pos2(rect.left() + 0.4 * size, rect.center().y);
                let font = FontId::proportional((size - 0.5).min(0.85 * rect.height()).round());
                painter.text(at, Align2::LEFT_CENTER, "changes nothing", font, style.text_weak);
            } else {
                painter.rect_filled(bar, 1.0, fill);
            }
        }
        for (cosine, mark) in [other, mean].into_iter().zip(tick_marks(style)).filter(|(v, _)| ticks && v.is_finite()) {
            let x = self.axis.x(cosine);
            let run = [(pos2(x, rect.top() - 1.0), 0), (pos2(x, rect.bottom() + 1.0), 1)];
            let pen = Pen { width: 2.0, color: mark.1, dash: mark.2, feather: 1.0 / painter.pixels_per_point() };
            LineMesh::new([run.as_slice()], pen).draw(&painter);
        }
    }

    /// The words beside the bar; those of the run's report have a menu.
    pub fn words(&self, pair: &Pair, ui: &Ui, ctx: &ViewCtx<'_>) -> Asked {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let [left, right] = self.parts.text?;
        let text = &self.column.ranked.texts[self.text];
        let lines = if self.parts.stacked { 2 } else { 1 };
        let words = text.words.iter().map(String::as_str);
        let flow = Flow::new(ui.painter(), words, right - left, lines, size);
        let at = pos2(left, self.place.top() + (0.5 * (self.place.height() - flow.height)).max(0.0));
        let painter = ui.painter_at(self.place);
        let (count, changes) = (text.words.len(), &self.column.changes[self.text]);
        let look = |i: usize| match (self.text, changes.get(i)) {
            (0, _) | (_, None) => Look { color: style.text, fill: Color32::TRANSPARENT, underline: None },
            (_, Some(change)) => look(*change, count, style),
        };
        flow.draw(&painter, at, size, style.text_weak, look);
        if self.text > 0 || self.column.twin {
            return None;
        }
        (0..flow.words.len()).find_map(|i| {
            let place = flow.place(i, at)?;
            let word = text.words.get(i)?;
            let class = class_at(pair, i, word)?;
            let said = format!("{word}, {}", pairs::class_name(class));
            word_menu(place, ("ranked word", i), &said, (word, class), ui, ctx)
        })
    }
}

/// A cosine with digits that stay where they are.
fn cosine(value: f32) -> String {
    if value.is_nan() { "—".to_owned() } else { format!("{value:.3}").replace('-', "−") }
}

/// The ends of the axis, and zero where it lies between.
pub fn ends(rect: Rect, axis: Axis, ui: &Ui, ctx: &ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let painter = ui.painter_at(rect);
    let font = FontId::monospace(size);
    let y = rect.center().y;
    let put = |x: f32, align: Align2, text: String| {
        painter.text(pos2(x, y), align, text, font.clone(), style.text_weak);
    };
    let label = |v: f32| number::compact(f64::from(v));
    // Numbers that would run into each other say nothing.
    if rect.height() < size || axis.right - axis.left < 7.0 * size {
        return;
    }
    put(axis.left, Align2::LEFT_CENTER, label(axis.low));
    put(axis.right, Align2::RIGHT_CENTER, label(axis.high));
    let zero = axis.x(0.0);
    let middle = 0.5 * (axis.left + axis.right);
    if axis.right - axis.left > 16.0 * size && (axis.low >= 0.0 || (zero - middle).abs() > 5.0 * size) {
        let font = FontId::proportional(size);
        painter.text(pos2(middle, y), Align2::CENTER_CENTER, "cosine", font, style.text_weak);
    }
    if axis.low < 0.0 && axis.high > 0.0 && zero - axis.left > 5.0 * size && axis.right - zero > 5.0 * size {
        put(zero, Align2::CENTER_CENTER, "0".to_owned());
    }
}
