//! Which report is nearest to which image: the matrix of cosines of the first test pairs.

use std::collections::HashMap;
use std::sync::Arc;

use eframe::egui::{
    Color32, EventFilter, FontId, Key as Button, Label, Modifiers, Rect, Response, RichText, ScrollArea, Ui, UiBuilder,
    WidgetInfo, accesskit::Role, pos2, vec2,
};

use crate::engine::event::Payload;
use crate::engine::twin::TWIN;
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::wall::{Content, Key, Picture, Pictures};
use crate::kit::{empty, series};
use crate::plot::colormap::ColorMap;
use crate::plot::heatmap::{self, Coloring, HeatMap, HeatMapState};
use crate::plot::{curve, number, picture, tile};

use super::ImageReportView;

/// The tile.
pub static TILE: Tile<ImageReportView> = Tile {
    spec: TileSpec {
        id: "similarity",
        title: "Similarity",
        help: "Cosines of test images (rows) and reports (columns) at the timeline's step. Right answers are outlined: strongly on the \
               diagonal, finely where another pair has the same words. The dot is the highest of its row, green where it is right. \
               Click a cell to keep it and to read both reports; arrow keys move it. A pair that is on screen elsewhere is chosen there too.",
        area: "matrix",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.similarity.show(&mut view.selected, ui, ctx),
    commands: &[
        TileCommand {
            id: "similarity-twin",
            title: "Similarity: this run or its twin",
            run: |view, _, _| view.similarity.twin ^= true,
        },
        TileCommand {
            id: "similarity-stretch",
            title: "Similarity: colours around zero, or from the lowest to the highest cosine",
            run: |view, _, _| view.similarity.stretched ^= true,
        },
        TileCommand {
            id: "similarity-worst",
            title: "Similarity: keep the image whose report ranks lowest, with the report it finds",
            run: |view, ctx, _| view.similarity.keep_worst(ctx),
        },
        TileCommand {
            id: "similarity-release",
            title: "Similarity: keep no cell",
            run: |view, _, _| view.similarity.kept = None,
        },
    ],
};

const MATRIX: &str = "similarity/matrix";
const NAMES: &str = "similarity/names";
const IMAGES: &str = "similarity/images";

/// View state.
#[derive(Debug, Default)]
pub struct Similarity {
    map: HeatMapState,
    pictures: Pictures,
    /// Row and column of the cell that is kept.
    kept: Option<[usize; 2]>,
    /// Colours go from the lowest to the highest cosine, not as far to both sides of zero.
    stretched: bool,
    twin: bool,
}

/// The matrix at the cursor.
struct Cosines {
    step: u64,
    /// Of rows and of columns.
    count: usize,
    payload: Arc<Payload>,
}

impl Cosines {
    fn at_cursor(ctx: &ViewCtx<'_>, prefix: &str) -> Option<Self> {
        let (step, payload) = ctx.payload(&format!("{prefix}{MATRIX}"))?;
        let Payload::Matrix { rows, cols, values } = &*payload else { return None };
        let count = *rows as usize;
        let whole = rows == cols && count > 0 && count.checked_mul(count) == Some(values.len());
        whole.then(|| Self { step, count, payload: Arc::clone(&payload) })
    }

    fn values(&self) -> &[f32] {
        if let Payload::Matrix { values, .. } = &*self.payload { values } else { &[] }
    }

    fn at(&self, row: usize, column: usize) -> f32 {
        self.values().get(row * self.count + column).copied().unwrap_or(f32::NAN)
    }

    /// Lowest and highest.
    fn range(&self) -> [f32; 2] {
        let finite = self.values().iter().filter(|value| value.is_finite());
        let [low, high] = finite.fold([f32::MAX, f32::MIN], |[low, high], v| [low.min(*v), high.max(*v)]);
        if low <= high { [low, high] } else { [0.0, 0.0] }
    }

    /// The report that an image finds.
    fn highest(&self, row: usize) -> usize {
        let key = |column: &usize| Some(self.at(row, *column)).filter(|v| !v.is_nan()).unwrap_or(f32::MIN);
        (0..self.count).rev().max_by(|a, b| key(a).total_cmp(&key(b))).unwrap_or(0)
    }

    /// The place of an image's report among all.
    fn rank_of_report(&self, pairs: &Pairs, row: usize) -> usize {
        rank(self.count, |column| self.at(row, column), |column| pairs.right(row, column))
    }

    /// The place of a report's image among all.
    fn rank_of_image(&self, pairs: &Pairs, column: usize) -> usize {
        rank(self.count, |row| self.at(row, column), |row| pairs.right(row, column))
    }

    /// Shares of images that find their report first, and of reports that find their image first.
    fn first(&self, pairs: &Pairs) -> [f64; 2] {
        let share = |rank: &dyn Fn(usize) -> usize| {
            (0..self.count).filter(|k| rank(*k) == 1).count() as f64 / self.count as f64
        };
        [share(&|row| self.rank_of_report(pairs, row)), share(&|column| self.rank_of_image(pairs, column))]
    }
}

/// The place of the best right answer, from 1; wrong ones that are as high come before it.
fn rank(count: usize, value: impl Fn(usize) -> f32, right: impl Fn(usize) -> bool) -> usize {
    let best = (0..count).filter(|k| right(*k)).map(&value).fold(f32::NEG_INFINITY, f32::max);
    let above = |k: &usize| {
        let value = value(*k);
        !right(*k) && (value >= best || value.is_nan())
    };
    1 + (0..count).filter(above).count()
}

/// Names and reports of the pairs.
struct Pairs {
    names: Vec<String>,
    reports: Vec<String>,
    /// The first pair with the same words.
    first: Vec<usize>,
}

impl Pairs {
    /// Of so many; what the text does not say is a number without a report.
    fn of(text: &str, count: usize) -> Self {
        let mut known = HashMap::new();
        let mut pairs = Self { names: Vec::new(), reports: Vec::new(), first: Vec::new() };
        let mut lines = text.lines();
        for i in 0..count {
            let (name, report) = lines.next().and_then(|line| line.split_once('\t')).unwrap_or_default();
            pairs.names.push(if name.is_empty() { format!("pair {}", i + 1) } else { name.to_owned() });
            pairs.reports.push(report.to_owned());
            pairs.first.push(if report.is_empty() { i } else { *known.entry(report).or_insert(i) });
        }
        pairs
    }

    /// Whether a report has the words of an image's own.
    fn right(&self, row: usize, column: usize) -> bool {
        row == column || self.first.get(row) == self.first.get(column)
    }

    fn name(&self, k: usize) -> &str {
        self.names.get(k).map_or("", String::as_str)
    }

    fn report(&self, k: usize) -> &str {
        self.reports.get(k).map_or("", String::as_str)
    }
}

/// Names and reports at the cursor; a twin has those of its run.
fn pairs(ctx: &ViewCtx<'_>, prefix: &str, count: usize) -> Pairs {
    let text = series::text(ctx, &format!("{prefix}{NAMES}")).or_else(|| series::text(ctx, NAMES));
    Pairs::of(&text.unwrap_or_default(), count)
}

/// Small copies of the images, side by side.
struct Images {
    version: u64,
    side: usize,
    payload: Arc<Payload>,
}

impl Images {
    /// Of so many pairs; a twin has those of its run.
    fn of(ctx: &ViewCtx<'_>, prefix: &str, count: usize) -> Option<Self> {
        let (version, payload) = ctx.payload(&format!("{prefix}{IMAGES}")).or_else(|| ctx.payload(IMAGES))?;
        let Payload::Image { width, height, rgba } = &*payload else { return None };
        let side = *height as usize;
        let whole = side > 0 && side.checked_mul(count) == Some(*width as usize);
        let whole = whole && side.checked_mul(4 * *width as usize) == Some(rgba.len());
        whole.then(|| Self { version, side, payload: Arc::clone(&payload) })
    }

    /// The picture of one pair.
    fn picture(&self, ctx: &ViewCtx<'_>, k: usize) -> Picture<'_> {
        let side = self.side;
        let (width, rgba) = match &*self.payload {
            Payload::Image { width, rgba, .. } => (*width as usize, &rgba[..]),
            _ => (0, &[][..]),
        };
        let color = move |x: usize, y: usize| {
            let start = 4 * (y * width + k * side + x);
            rgba.get(start..start + 3).map_or(Color32::BLACK, |p| Color32::from_rgb(p[0], p[1], p[2]))
        };
        let key = Key::new((ctx.run.id, IMAGES, k), self.version);
        Picture { key, size: [side; 2], content: Content::Colors(Box::new(color)) }
    }
}

/// The pair of this name among those that other tiles show.
fn on_screen(ctx: &ViewCtx<'_>, name: &str) -> Option<usize> {
    let mut shown = (0..).map_while(|k| series::text(ctx, &format!("pair/words/{k}")));
    shown.position(|text| text.split(['\t', '\n']).next() == Some(name))
}

impl Similarity {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        let write =
            |kept: &Option<[usize; 2]>| kept.map_or_else(String::new, |[row, column]| format!("{row} {column}"));
        let read = |text: &str| {
            let (row, column) = text.split_once(' ')?;
            Some(Some([row.parse().ok()?, column.parse().ok()?]))
        };
        fields.text("kept", &mut self.kept, None, write, read);
        fields.value("stretched", &mut self.stretched, false);
        fields.value("twin", &mut self.twin, false);
    }

    fn prefix(&self) -> &'static str {
        if self.twin { TWIN } else { "" }
    }

    fn keep_worst(&mut self, ctx: &ViewCtx<'_>) {
        let Some(cosines) = Cosines::at_cursor(ctx, self.prefix()) else { return };
        let pairs = pairs(ctx, self.prefix(), cosines.count);
        let worst = (0..cosines.count).rev().max_by_key(|row| cosines.rank_of_report(&pairs, *row));
        self.kept = worst.map(|row| [row, cosines.highest(row)]);
    }

    fn show(&mut self, selected: &mut usize, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let twin = ctx.payload(&format!("{TWIN}{MATRIX}")).is_some();
        self.twin &= twin;
        let Some(cosines) = Cosines::at_cursor(ctx, self.prefix()) else {
            return empty::measured(ui, ctx, "before training and then every so many steps (parameter `show_every`)");
        };
        let pairs = pairs(ctx, self.prefix(), cosines.count);
        let images = Images::of(ctx, self.prefix(), cosines.count);
        self.kept = self.kept.filter(|cell| cell.iter().all(|k| *k < cosines.count));

        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let (bar, rest) = tile::split(ui, size);
        let [report, image] = cosines.first(&pairs).map(|share| 100.0 * share);
        let whose = if self.twin { "twin, " } else { "" };
        let step = number::grouped(cosines.step);
        let about = format!("{whose}step {step}: R@1 image → report {report:.0} %, report → image {image:.0} %");
        tile::bar(ui, bar, tile::weak(about, size, style), |ui| {
            let help = "Colours from the lowest to the highest cosine, in place of as far to both sides of zero";
            if tile::toggle(ui, self.stretched, "stretch", help, size) {
                self.stretched = !self.stretched;
            }
            if twin && tile::toggle(ui, self.twin, "twin", "Show the twin's cosines", size) {
                self.twin = !self.twin;
            }
        });
        let [room, below] = self.places(rest, size);
        if let Some(cell) = self.draw(&cosines, &pairs, images.as_ref(), room, ui, ctx) {
            self.kept = if self.kept == Some(cell) { None } else { Some(cell) };
            if let Some(k) = on_screen(ctx, pairs.name(cell[0])) {
                *selected = k;
            }
        }
        if let (Some(cell), true) = (self.kept, below.is_positive()) {
            self.read(cell, &cosines, &pairs, images.as_ref(), below, ui, ctx);
        }
    }

    /// Where the matrix lies, and where both reports of the kept cell: below it, or beside it where the tile is wide.
    fn places(&self, rest: Rect, size: f32) -> [Rect; 2] {
        if self.kept.is_none() || rest.height() < 8.0 * size || rest.width() < 8.0 * size {
            return [rest, Rect::NOTHING];
        }
        let gap = 0.8 * size;
        if rest.width() > 1.5 * rest.height() {
            let x = (rest.left() + rest.height() + 6.0 * size).min(rest.left() + 0.6 * rest.width());
            let room = Rect::from_min_max(rest.min, pos2(x, rest.bottom()));
            return [room, Rect::from_min_max(pos2(x + gap, rest.top()), rest.max)];
        }
        let y = rest.bottom() - (0.4 * rest.height()).min(14.0 * size);
        [Rect::from_min_max(rest.min, pos2(rest.right(), y - gap)), Rect::from_min_max(pos2(rest.left(), y), rest.max)]
    }

    /// Draws the matrix; returns the cell that was clicked.
    fn draw(
        &mut self,
        cosines: &Cosines,
        pairs: &Pairs,
        images: Option<&Images>,
        room: Rect,
        ui: &Ui,
        ctx: &ViewCtx<'_>,
    ) -> Option<[usize; 2]> {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let count = cosines.count;
        let placed = Placed::within(room, count, images.is_some(), size);
        if placed.matrix.width() < 4.0 {
            return None;
        }
        let [low, high] = cosines.range().map(f64::from);
        let coloring = if self.stretched {
            Coloring { map: ColorMap::Viridis, low, high: high.max(low + 1e-6) }
        } else {
            Coloring::signed(style, low.abs().max(high.abs()))
        };
        let map = HeatMap {
            name: "cosines of images and reports",
            values: cosines.values(),
            rows: count,
            columns: count,
            identity: series::identity(&cosines.payload),
            coloring,
            upwards: false,
            smooth: false,
        };
        let (response, hovered) = self.map.show(ui, placed.matrix, &map);
        let in_words = |[row, column]: [usize; 2]| {
            let value = number::short(f64::from(cosines.at(row, column)));
            format!("image {}\nreport of {}\ncosine {value}", pairs.name(row), pairs.name(column))
        };
        let said = hovered.map_or_else(String::new, |cell| format!("; {}", in_words(cell).replace('\n', ", ")));
        response.widget_info(|| {
            let all = format!("cosines of {count} images (rows) and {count} reports (columns){said}");
            WidgetInfo::labeled(Role::Image, true, all)
        });
        let painter = ui.painter_at(room.expand(2.0));
        placed.words(low, high, count, &painter, size, ctx);
        if placed.bar.is_positive() {
            heatmap::color_bar(&painter, placed.bar, &coloring, size, style);
        }
        if let (Some(images), Some(left)) = (images, placed.images) {
            for k in 0..count {
                self.pictures.draw(&painter, &images.picture(ctx, k), placed.row(left, count, k), 1.0);
            }
        }
        placed.marks(cosines, pairs, &painter, ctx);
        let frame = if response.has_focus() { style.accent } else { style.rule };
        painter.rect_stroke(placed.matrix, 0.0, (1.0, frame), eframe::egui::StrokeKind::Outside);
        if let Some([row, column]) = self.kept {
            let cell = [column as f32, row as f32, 1.0, 1.0];
            picture::draw_box(&painter, placed.matrix, [count as f32; 2], cell, style.accent, 2.0);
        }
        if let (Some(cell), Some(at)) = (hovered, response.hover_pos()) {
            curve::label(&painter, room, at, &in_words(cell), size, style);
        }
        if response.clicked() {
            response.request_focus();
            return hovered;
        }
        self.arrows(&response, count, ui)
    }

    /// Moves the kept cell by keys; returns where to.
    fn arrows(&self, response: &Response, count: usize, ui: &Ui) -> Option<[usize; 2]> {
        let [row, column] = self.kept.filter(|_| response.has_focus())?;
        let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let pressed = |key: Button| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let moved = |at: usize, less: Button, more: Button| {
            let down = usize::from(pressed(more));
            (at + down).saturating_sub(usize::from(pressed(less))).min(count - 1)
        };
        let to = [moved(row, Button::ArrowUp, Button::ArrowDown), moved(column, Button::ArrowLeft, Button::ArrowRight)];
        (to != [row, column]).then_some(to)
    }

    /// Both items of the kept cell: the image, its own report, and the column's.
    #[expect(clippy::too_many_arguments, reason = "what is read, where and how")]
    fn read(
        &mut self,
        [row, column]: [usize; 2],
        cosines: &Cosines,
        pairs: &Pairs,
        images: Option<&Images>,
        rect: Rect,
        ui: &mut Ui,
        ctx: &ViewCtx<'_>,
    ) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let side = rect.height().min(0.34 * rect.width()).min(16.0 * size);
        let mut left = rect.left();
        if let Some(images) = images {
            let place = Rect::from_min_size(rect.min, vec2(side, side));
            self.pictures.draw(&ui.painter_at(rect), &images.picture(ctx, row), place, 1.0);
            let response = ui.interact(place, ui.scope_id().with("kept image"), eframe::egui::Sense::hover());
            response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("image {}", pairs.name(row))));
            left += side + 0.8 * size;
        }
        let place = Rect::from_min_max(pos2(left, rect.top()), rect.max);
        let heading = |text: String| tile::weak(text, size, style);
        let words =
            |text: &str| RichText::new(if text.is_empty() { "—" } else { text }).size(size + 1.0).color(style.text);
        let cosine = |column: usize| number::short(f64::from(cosines.at(row, column)));
        ui.scope_builder(UiBuilder::new().max_rect(place), |ui| {
            ui.shrink_clip_rect(place);
            ScrollArea::vertical().id_salt("kept cell").auto_shrink(false).show(ui, |ui| {
                let rank = cosines.rank_of_report(pairs, row);
                let own = format!(
                    "image {}: own report ranks {rank} of {}, cosine {}",
                    pairs.name(row),
                    cosines.count,
                    cosine(row)
                );
                ui.add(Label::new(heading(own)).wrap());
                ui.add(Label::new(words(pairs.report(row))).wrap());
                if row == column {
                    return;
                }
                ui.add_space(0.5 * size);
                let same = if pairs.right(row, column) { "; the same words, a right answer too" } else { "" };
                let above =
                    (0..cosines.count).filter(|other| cosines.at(row, *other) > cosines.at(row, column)).count();
                let other =
                    format!("report of {}: cosine {}, place {}{same}", pairs.name(column), cosine(column), above + 1);
                ui.add(Label::new(heading(other)).wrap());
                ui.add(Label::new(words(pairs.report(column))).wrap());
            });
        });
    }
}

/// Places of the matrix and of what lies around it.
struct Placed {
    matrix: Rect,
    /// The column of small images.
    images: Option<Rect>,
    bar: Rect,
    head: Rect,
    foot: Rect,
}

impl Placed {
    fn within(room: Rect, count: usize, pictured: bool, size: f32) -> Self {
        let tall = room.height() > 12.0 * size;
        let (head, foot) = if tall { (1.6 * size, 1.6 * size) } else { (0.0, 0.0) };
        let bar = if room.width() > 16.0 * size { 5.6 * size } else { 0.0 };
        let (wide, high) = (room.width() - bar, (room.height() - head - foot).max(0.0));
        let gap = 0.3 * size;
        // An image is as high as its row; too small it says nothing.
        let beside = ((wide - gap) / (1.0 + 1.0 / count as f32)).min(high);
        let pictured = pictured && beside / count as f32 >= 0.75 * size;
        let side = if pictured { beside } else { wide.min(high) }.max(0.0);
        let left = if pictured { side / count as f32 + gap } else { 0.0 };
        let x = room.left() + left + (0.5 * (wide - left - side)).max(0.0);
        let matrix = Rect::from_min_size(pos2(x, room.top() + head), vec2(side, side));
        let line = |y: f32, height: f32| Rect::from_min_max(pos2(x, y), pos2(room.right(), y + height));
        let images = Rect::from_min_max(matrix.min - vec2(left, 0.0), matrix.left_bottom() - vec2(gap, 0.0));
        let color = Rect::from_min_size(matrix.right_top() + vec2(0.7 * size, 0.0), vec2(0.8 * size, side));
        Self {
            matrix,
            images: pictured.then_some(images),
            bar: if bar > 0.0 { color } else { Rect::NOTHING },
            head: line(room.top(), head),
            foot: line(matrix.bottom() + 0.2 * size, foot),
        }
    }

    /// The part of a column of places that belongs to a row.
    fn row(&self, column: Rect, count: usize, row: usize) -> Rect {
        let height = self.matrix.height() / count as f32;
        let top = self.matrix.top() + row as f32 * height;
        Rect::from_min_size(pos2(column.left(), top), vec2(column.width(), height)).shrink(0.5)
    }

    fn words(&self, low: f64, high: f64, count: usize, painter: &eframe::egui::Painter, size: f32, ctx: &ViewCtx<'_>) {
        if !self.head.is_positive() {
            return;
        }
        let font = FontId::proportional(size);
        let range = format!("{} to {}", number::short(low), number::short(high));
        let head = format!("{count} images ↓, {count} reports →; cosines {range}");
        tile::one_line(painter, &head, self.head, font.clone(), ctx.style.text_weak);
        let foot = "outlined: right answers; dot: highest of its row";
        tile::one_line(painter, foot, self.foot, font, ctx.style.text_weak);
    }

    /// Outlines of right answers, and a dot at the highest of each row.
    fn marks(&self, cosines: &Cosines, pairs: &Pairs, painter: &eframe::egui::Painter, ctx: &ViewCtx<'_>) {
        let (count, style) = (cosines.count, ctx.style);
        let cell = self.matrix.width() / count as f32;
        if cell < 4.0 {
            let line = [self.matrix.left_top(), self.matrix.right_bottom()];
            painter.line_segment(line, (0.8, Color32::from_white_alpha(150)));
            return;
        }
        for row in 0..count {
            for column in (0..count).filter(|column| pairs.right(row, *column)) {
                let width = if row == column { 1.4 } else { 0.5 };
                let place = [column as f32, row as f32, 1.0, 1.0];
                picture::draw_box(painter, self.matrix, [count as f32; 2], place, Color32::WHITE, width);
            }
            let found = cosines.highest(row);
            let color = if pairs.right(row, found) { style.good } else { style.error };
            let at = self.matrix.min + cell * vec2(found as f32 + 0.5, row as f32 + 0.5);
            let radius = (0.22 * cell).clamp(1.2, 4.0);
            painter.circle(at, radius, color, (0.8, Color32::from_black_alpha(200)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosines(count: usize, values: &[f32]) -> Cosines {
        let payload = Payload::Matrix { rows: count as u32, cols: count as u32, values: values.to_vec() };
        Cosines { step: 0, count, payload: Arc::new(payload) }
    }

    #[test]
    fn a_report_of_the_same_words_is_a_right_answer() {
        let pairs = Pairs::of("a\theart normal\nb\tnodule left\nc\theart normal", 4);
        assert!(pairs.right(0, 2) && pairs.right(2, 0) && !pairs.right(0, 1));
        assert!(pairs.right(3, 3) && !pairs.right(3, 0));
        assert_eq!((pairs.name(3), pairs.report(3)), ("pair 4", ""));
        let mut values = [0.0; 16];
        // The first image finds the third report, which has its own words; the second finds the fourth.
        (values[2], values[5], values[7], values[10], values[15]) = (0.9, 0.4, 0.5, 0.1, 0.2);
        let found = cosines(4, &values);
        assert_eq!([0, 1, 2, 3].map(|row| found.rank_of_report(&pairs, row)), [1, 2, 1, 1]);
        assert_eq!(found.rank_of_image(&pairs, 2), 1);
        assert_eq!(found.first(&pairs)[0], 0.75);
        assert_eq!(found.highest(1), 3);
    }

    #[test]
    fn ties_and_what_is_no_number_count_against_a_report() {
        let pairs = Pairs::of("", 3);
        let found = cosines(3, &[0.5, 0.5, 0.1, f32::NAN, 0.2, 0.3, 0.0, 0.1, f32::NAN]);
        assert_eq!([0, 1, 2].map(|row| found.rank_of_report(&pairs, row)), [2, 3, 3]);
        assert_eq!(found.highest(1), 2);
        assert_eq!(cosines(1, &[f32::NAN]).range(), [0.0, 0.0]);
    }

    #[test]
    fn a_matrix_fits_its_room_with_and_without_images() {
        for (width, height, count) in [(480.0, 360.0, 32), (900.0, 200.0, 8), (60.0, 500.0, 2), (10.0, 10.0, 32)] {
            let room = Rect::from_min_size(pos2(5.0, 7.0), vec2(width, height));
            for pictured in [false, true] {
                let placed = Placed::within(room, count, pictured, 11.0);
                assert!(room.expand(0.1).contains_rect(placed.matrix), "{width} {height}");
                assert!(placed.images.is_none_or(|images| room.expand(0.1).contains_rect(images)), "{width} {height}");
            }
        }
    }
}
