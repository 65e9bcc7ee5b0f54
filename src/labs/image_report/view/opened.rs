//! A report above, a perturbation of it below, and a line from each word to where it stood.

use eframe::egui::accesskit::Role;
use eframe::egui::epaint::CubicBezierShape;
use eframe::egui::{
    Color32, FontId, Painter, Pos2, Rect, ScrollArea, Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::kit::view::ViewCtx;
use crate::plot::tile;

use super::flow::{Flow, Look, line_height};
use super::pairs::{self, Change, Pair, Ranked};
use super::ranking::classes::{Asked, class_at, word_menu};
use super::ranking::marks::{distance, look};

/// What is opened.
pub struct Opened<'a> {
    pub pair: &'a Pair,
    pub ranked: &'a Ranked,
    /// Place of the perturbation in `ranked`.
    pub text: usize,
    /// What became of each of its words.
    pub changes: &'a [Change],
    /// Of the twin, whose words cannot be clicked.
    pub twin: bool,
}

/// Height that a report and a perturbation of it take at this width.
pub fn height(painter: &Painter, ranked: &Ranked, width: f32, size: f32) -> f32 {
    let words = ranked.texts.first().map(|text| &text.words[..]).unwrap_or_default();
    let flow = Flow::new(painter, words.iter().map(String::as_str), width - size, usize::MAX, size + 1.0);
    1.9 * size + 2.0 * flow.height + gap(size) + 0.6 * size
}

fn gap(size: f32) -> f32 {
    2.0 * line_height(size)
}

impl Opened<'_> {
    /// Draws it; what does not fit is scrolled to.
    pub fn show(&self, rect: Rect, ui: &mut Ui, ctx: &ViewCtx<'_>) -> Asked {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let text = &self.ranked.texts[self.text];
        ui.painter_at(rect).hline(rect.x_range(), rect.top() + 1.0, (1.0, style.rule));
        let head = Rect::from_min_max(rect.min + vec2(0.0, 0.35 * size), rect.max);
        let moved = self.changes.iter().filter(|change| **change != Change::Stands).count();
        let whose = if self.twin { "twin, " } else { "" };
        let title = if text.degenerate {
            format!("{whose}{}: changes nothing", pairs::text_name(&text.id))
        } else {
            format!("{whose}{}: {moved} of {} words differ", pairs::text_name(&text.id), text.words.len())
        };
        let font = FontId::proportional(size + 0.5);
        tile::one_line(&ui.painter_at(head), &title, head, font, style.text);
        let place = Rect::from_min_max(pos2(rect.left(), rect.top() + 1.9 * size), rect.max);
        let said = format!("{title}: {}", text.words.join(" "));
        ui.interact(head.with_max_y(place.top()), ui.scope_id().with("opened"), Sense::hover())
            .widget_info(|| WidgetInfo::labeled(Role::Label, true, &said));
        if !place.is_positive() {
            return None;
        }
        let mut asked = None;
        ui.scope_builder(UiBuilder::new().max_rect(place).id_salt("opened words"), |ui| {
            ui.shrink_clip_rect(place);
            ScrollArea::vertical()
                .id_salt("opened")
                .auto_shrink(false)
                .show(ui, |ui| asked = self.words(place, ui, ctx));
        });
        asked
    }

    fn words(&self, place: Rect, ui: &mut Ui, ctx: &ViewCtx<'_>) -> Asked {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let (above, text) = (&self.ranked.texts[0], &self.ranked.texts[self.text]);
        let width = place.width() - size;
        // Both take about the same room. Larger than in the rows: it is read from afar.
        let room = [width, 0.5 * (place.height() - gap(size)) - 0.3 * size];
        let (report, type_size) = Flow::largest(ui.painter(), above.words.iter().map(String::as_str), room, size + 1.0);
        let below = Flow::new(ui.painter(), text.words.iter().map(String::as_str), width, usize::MAX, type_size);
        let apart = report.height + gap(size);
        let (area, _) = ui.allocate_exact_size(vec2(width, apart + below.height), Sense::hover());
        let (first, second) = (area.min, area.min + vec2(0.0, apart));
        let painter = ui.painter_at(place);
        let pointed = self.pointed(&report, first, &below, second, ui);
        let count = text.words.len();
        for (i, change) in self.changes.iter().enumerate() {
            let places = text.from.get(i).and_then(|from| Some((report.place(*from, first)?, below.place(i, second)?)));
            let Some((from, to)) = places else { continue };
            let (width, color) = match change {
                Change::Stands => (1.0, style.text_weak.gamma_multiply(0.35)),
                Change::Moved(far) => (1.5, distance(*far, count, style).gamma_multiply(0.85)),
                Change::Contradicts | Change::Odd => (2.0, look(*change, count, style).color),
            };
            let stroke = match pointed {
                Some(only) if only == i => Stroke::new(width + 1.5, color.to_opaque()),
                Some(_) => Stroke::new(width, color.gamma_multiply(0.3)),
                None => Stroke::new(width, color),
            };
            link(&painter, from.center_bottom(), to.center_top(), stroke);
        }
        let plain = Look { color: style.text, fill: Color32::TRANSPARENT, underline: None };
        report.draw(&painter, first, type_size, style.text_weak, |_| plain);
        let looks = |i: usize| self.changes.get(i).map_or(plain, |change| look(*change, count, style));
        below.draw(&painter, second, type_size, style.text_weak, looks);
        if self.twin {
            return None;
        }
        above.words.iter().enumerate().find_map(|(i, word)| {
            let class = class_at(self.pair, i, word)?;
            let said = format!("{word}, {}, linked", pairs::class_name(class));
            word_menu(report.place(i, first)?, ("opened word", i), &said, (word, class), ui, ctx)
        })
    }

    /// The word of the perturbation that is under the pointer, or that stood in the report where the pointer is.
    fn pointed(&self, report: &Flow, first: Pos2, below: &Flow, second: Pos2, ui: &Ui) -> Option<usize> {
        let under = |flow: &Flow, at: Pos2, count: usize| {
            (0..count).find(|i| flow.place(*i, at).is_some_and(|place| ui.rect_contains_pointer(place)))
        };
        let text = &self.ranked.texts[self.text];
        under(below, second, text.words.len()).or_else(|| {
            let stood = under(report, first, text.words.len())?;
            text.from.iter().position(|from| *from == stood)
        })
    }
}

/// A line that leaves downwards and comes from above.
fn link(painter: &Painter, from: Pos2, to: Pos2, stroke: Stroke) {
    let bend = vec2(0.0, 0.5 * (to.y - from.y));
    let points = [from, from + bend, to - bend, to];
    painter.add(CubicBezierShape::from_points_stroke(points, false, Color32::TRANSPARENT, stroke));
}
