//! What was predicted: the pictures with their outlines, and the table.

use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, FontId, Rect, ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use super::super::controls;
use super::super::image::SHADE;
use super::super::look::Marks;
use super::table::{self, By, Sorting};
use crate::kit::wall::{Content, Key, Mark, Outline, Picture, Pictures, draw_outlines};
use crate::labs::segmentation::predict::background::{Found, Shown};
use crate::labs::segmentation::predict::report::{Row, Summary};
use crate::pixels::mask::outline;
use crate::pixels::spacing::Unit;
use crate::plot::image_view::Lens;
use crate::plot::style::Style;
use crate::plot::{names, number, tile};

/// Widths of a tile, in multiples of its type, from which pictures and table stand side by side.
const SIDE_BY_SIDE: f32 = 70.0;

/// View state of the results.
#[derive(Debug, Default)]
pub struct Results {
    sorting: Sorting,
    /// Results in the order of the table, as of so many of them.
    order: Vec<usize>,
    /// What `order` and `headline` were made of.
    made: Option<(usize, Sorting)>,
    /// How many there are, and the means.
    headline: String,
    /// The picture that is shown large.
    open: Option<usize>,
    /// The picture that the pointer was over last.
    pointed: Option<usize>,
    /// What part of it is seen.
    lens: Lens,
    /// Whether a narrow tile shows the table.
    table: bool,
    /// Counts predictions, so that the pictures of two are told apart.
    count: u64,
}

impl Results {
    /// Forgets everything about earlier results.
    pub fn clear(&mut self) {
        *self = Self { sorting: self.sorting, table: self.table, count: self.count + 1, ..Self::default() };
    }

    /// The picture that is open, or that the pointer was over last.
    pub fn pointed(&self) -> Option<usize> {
        self.open.or(self.pointed)
    }

    /// Draws pictures and table. `true`: the one that is open is to be opened in the brush.
    pub fn show(
        &mut self,
        pictures: &mut Pictures,
        found: &[Arc<Found>],
        done: bool,
        ui: &mut Ui,
        size: f32,
        style: &Style,
    ) -> bool {
        let mut to_brush = false;
        self.sort(found);
        let wide = ui.available_width() > SIDE_BY_SIDE * size;
        let bar = ui.allocate_space(vec2(ui.available_width(), (2.1 * size).round())).1;
        let text = format!("{}{}", self.headline, if done { "" } else { " so far" });
        tile::bar(ui, bar, tile::weak(text, size, style), |ui| {
            if !wide && tile::toggle(ui, self.table, "Table", "The table instead of the pictures", size) {
                self.table = !self.table;
            }
            if self.open.is_some() && tile::button(ui, true, "All", "Back to all pictures", size) {
                self.open = None;
            }
            controls::to_brush(ui, &mut to_brush, self.open.is_some(), size);
            if self.open.is_some() && self.lens.is_zoomed() && tile::button(ui, true, "Fit", "The whole picture", size)
            {
                self.lens.fit();
            }
        });
        let rest = ui.available_rect_before_wrap();
        if rest.width() < 4.0 * size || rest.height() < 3.0 * size {
            return to_brush;
        }
        let (images, table) = if wide {
            let middle = rest.left() + (rest.width() * 0.52).round();
            (
                Some(Rect::from_min_max(rest.min, pos2(middle - 6.0, rest.bottom()))),
                Some(Rect::from_min_max(pos2(middle + 6.0, rest.top()), rest.max)),
            )
        } else if self.table {
            (None, Some(rest))
        } else {
            (Some(rest), None)
        };
        if let Some(rect) = images {
            ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
                ui.shrink_clip_rect(rect);
                match self.open.filter(|&i| i < found.len()) {
                    Some(i) => {
                        self.cell(pictures, i, &found[i], true, rect, ui, size, style);
                    }
                    None => self.grid(pictures, found, ui, size, style),
                }
            });
        }
        if let Some(rect) = table {
            ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
                ui.shrink_clip_rect(rect);
                if let Some(i) = table::show(found, &self.order, &mut self.sorting, self.open, ui, size, style) {
                    self.open = (self.open != Some(i)).then_some(i);
                    self.lens.fit();
                    // A narrow tile has room for one of the two.
                    self.table &= wide || self.open.is_none();
                }
            });
        }
        to_brush
    }

    fn sort(&mut self, found: &[Arc<Found>]) {
        let wanted = (found.len(), self.sorting);
        if self.made == Some(wanted) {
            return;
        }
        self.made = Some(wanted);
        self.headline = headline(found);
        self.order = table::sorted(found, self.sorting);
    }

    /// Rows of pictures, of which only the visible ones are drawn.
    fn grid(&mut self, pictures: &mut Pictures, found: &[Arc<Found>], ui: &mut Ui, size: f32, style: &Style) {
        let gap = (0.6 * size).round();
        let width = ui.available_width() - size;
        let across = ((width + gap) / (14.0 * size + gap)).floor().max(1.0) as usize;
        let edge = ((width - gap * (across - 1) as f32) / across as f32).floor();
        let height = (0.78 * edge + 1.6 * size).round();
        ui.spacing_mut().item_spacing.y = gap;
        let order = std::mem::take(&mut self.order);
        ScrollArea::vertical().id_salt("predicted pictures").auto_shrink(false).show_rows(
            ui,
            height,
            order.len().div_ceil(across),
            |ui, rows| {
                for row in rows {
                    let place = ui.allocate_exact_size(vec2(width, height), Sense::hover()).0;
                    for (column, &i) in order.iter().skip(row * across).take(across).enumerate() {
                        let left = place.left() + column as f32 * (edge + gap);
                        let rect = Rect::from_min_size(pos2(left, place.top()), vec2(edge, height));
                        if self.cell(pictures, i, &found[i], false, rect, ui, size, style).clicked() {
                            (self.open, self.lens) = (Some(i), Lens::default());
                        }
                    }
                }
            },
        );
        self.order = order;
    }

    /// One picture with its outlines and its name. An open one can be zoomed and moved.
    #[expect(clippy::too_many_arguments, reason = "what is drawn, where and how")]
    fn cell(
        &mut self,
        pictures: &mut Pictures,
        i: usize,
        found: &Found,
        open: bool,
        rect: Rect,
        ui: &Ui,
        size: f32,
        style: &Style,
    ) -> eframe::egui::Response {
        let response = ui.interact(
            rect,
            ui.scope_id().with(("predicted", i)),
            if open { Sense::click_and_drag() } else { Sense::click() },
        );
        if response.hovered() || response.has_focus() {
            self.pointed = Some(i);
        }
        let about = about(&found.row);
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &about));
        let painter = ui.painter_at(rect);
        let view = Rect::from_min_max(rect.min, rect.max - vec2(0.0, 1.5 * size));
        painter.rect_filled(view, 0.0, style.plot_background);
        match &found.shown {
            Some(shown) => {
                if open {
                    self.lens.interact(ui, &response, view, shown.size);
                }
                let lens = if open { self.lens } else { Lens::default() };
                let placed = lens.place(view, shown.size);
                let painter = painter.with_clip_rect(view.intersect(painter.clip_rect()));
                if !shown.rgb.is_empty() {
                    let key = Key::new(("predicted", self.count, i), ());
                    let picture = Picture { key, size: shown.size, content: Content::Rgb(&shown.rgb) };
                    pictures.draw(&painter, &picture, placed, 1.0);
                }
                draw_outlines(&painter, placed, shown.size, &outlines(shown, &Marks::of(style), 0.15 * size));
            }
            None => {
                let color = style.error;
                painter.text(view.center(), Align2::CENTER_CENTER, "cannot be used", FontId::proportional(size), color);
            }
        }
        let rim = if response.hovered() { style.accent } else { style.rule };
        painter.rect_stroke(view, 0.0, Stroke::new(1.0, rim), StrokeKind::Inside);
        let caption = match found.row.measures.as_ref().and_then(|measures| measures.score) {
            Some(score) => format!("{:.3}", score.dice),
            None => By::Share.text(&found.row),
        };
        let font = FontId::proportional(size);
        let right = painter.text(rect.right_bottom(), Align2::RIGHT_BOTTOM, caption, font.clone(), style.text);
        let name = Rect::from_min_max(pos2(rect.left(), view.bottom()), pos2(right.left() - 0.5 * size, rect.bottom()));
        let (at, align) = (rect.left_bottom(), Align2::LEFT_BOTTOM);
        names::draw(&painter, at, align, &found.row.name, font, style.text_weak, name.width());
        // It would lie over what is looked at.
        if open { response } else { response.on_hover_text(about) }
    }
}

/// How many there are, and the mean Dice where it is known.
fn headline(found: &[Arc<Found>]) -> String {
    let summary = Summary::of(found.iter().map(|found| &found.row));
    let mut text = format!("{} predicted", summary.predicted);
    if summary.failed > 0 {
        text += &format!(", {} cannot be used", summary.failed);
    }
    if let Some(dice) = summary.dice {
        text += &format!(", Dice {} over {} with a true mask", number::short(dice), summary.scored);
    }
    if let Some(hd95) = summary.hd95 {
        let unit = summary.unit.word();
        text += &format!(", HD95 {} {unit}, undefined for {}", number::short(hd95), summary.undefined);
    }
    text
}

/// One picture in words.
fn about(row: &Row) -> String {
    let Some(measures) = &row.measures else { return format!("{}: {}", row.name, row.problem) };
    let unit = Unit::of(measures.spacing);
    let mut text = format!(
        "{}: {}×{} pixels, lesion {} {} ({}), {}",
        row.name,
        measures.width,
        measures.height,
        By::Area.text(row),
        if unit == Unit::Pixels { unit.word() } else { unit.area() },
        By::Share.text(row),
        number::counted(measures.parts, "part", "parts")
    );
    if let Some(score) = measures.score {
        text += &format!(", Dice {}, HD95 {}", By::Dice.text(row), By::Distance.text(row));
        if score.hd95.is_some() {
            text += &format!(" {}", score.unit().word());
        }
    }
    if !row.problem.is_empty() {
        text += &format!("; {}", row.problem);
    }
    text
}

fn outlines<'a>(shown: &'a Shown, marks: &Marks, width: f32) -> [Outline<'a>; 2] {
    let outline = |lines: &'a [outline::Outline], mark: Mark, width: f32, shade: f32| Outline {
        edges: lines,
        smooth: lines,
        color: mark.color,
        dash: mark.dash,
        width,
        shade,
    };
    [outline(&shown.predicted, marks.prediction, width, SHADE), outline(&shown.truth, marks.truth, 0.85 * width, 0.0)]
}
