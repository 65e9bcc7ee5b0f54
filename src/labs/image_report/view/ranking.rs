//! A report among its nine perturbations, by cosine with the image.

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, Button, Color32, CursorIcon, FontId, Popup, Rect, Response, RichText, ScrollArea, Sense, Stroke,
    StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::engine::params::Value;
use crate::engine::twin::TWIN;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::wall::{Panel, Pictures, Recorded};
use crate::kit::{empty, series};
use crate::labs::image_report::params::{self, PARAMS, TAGS};
use crate::plot::colormap::ColorMap;
use crate::plot::image_view::Lens;
use crate::plot::stroke::{LineMesh, Pen};
use crate::plot::style::{Dash, Style};
use crate::plot::{number, tile};
use crate::text::tags::Tag;

use super::ImageReportView;
use super::flow::{Flow, Look, line_height};
use super::opened::{self, Opened};
use super::pairs::{self, CLASSES, Change, Pair, Ranked};

/// The tile.
pub static TILE: Tile<ImageReportView> = Tile {
    spec: TileSpec {
        id: "ranking",
        title: "Ranking",
        help: "A test report and its nine perturbations (Table I) by the cosine of each with the image. The report's rank counts ties \
               against it; perturbations that change nothing are hollow and do not count. The ticks are the cosines of the same text with \
               another image and with the mean image: where they follow the bars, the model judges the text, not the image. Words that moved \
               are marked by how far. Click a row to see below where each word stood; click a word of the report to change \
               its class, by which some perturbations choose.",
        area: "large",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.ranking.show(&mut view.selected, ui, ctx),
    commands: &[
        TileCommand {
            id: "ranking-next",
            title: "Ranking: next pair",
            run: |view, ctx, _| pairs::step(&mut view.selected, 1, pairs::count(ctx)),
        },
        TileCommand {
            id: "ranking-previous",
            title: "Ranking: previous pair",
            run: |view, ctx, _| pairs::step(&mut view.selected, -1, pairs::count(ctx)),
        },
        TileCommand {
            id: "ranking-order",
            title: "Ranking: in the order of Table I, or by cosine",
            run: |view, _, _| view.ranking.by_table ^= true,
        },
        TileCommand {
            id: "ranking-ticks",
            title: "Ranking: ticks of another image and the mean image on or off",
            run: |view, _, _| view.ranking.hide_ticks ^= true,
        },
        TileCommand {
            id: "ranking-zoom",
            title: "Ranking: bars from the least cosine, or from zero",
            run: |view, _, _| view.ranking.zoomed ^= true,
        },
        TileCommand {
            id: "ranking-down",
            title: "Ranking: open the row below",
            run: |view, ctx, _| view.ranking.open_next(view.selected, 1, ctx),
        },
        TileCommand {
            id: "ranking-up",
            title: "Ranking: open the row above",
            run: |view, ctx, _| view.ranking.open_next(view.selected, -1, ctx),
        },
    ],
};

/// View state.
#[derive(Debug, Default)]
pub struct Ranking {
    pictures: Pictures,
    original: Recorded,
    /// In the order of Table I, not by cosine.
    by_table: bool,
    hide_ticks: bool,
    /// Bars begin at the least cosine, not at zero.
    zoomed: bool,
    open: Open,
}

/// What stands below the bars, word by word.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Open {
    /// The perturbation with the largest cosine.
    #[default]
    Strongest,
    Row(Spot),
    Nothing,
}

/// A perturbation of the run or of its twin.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spot {
    twin: bool,
    text: usize,
}

/// The ranking of the run, or of its twin.
struct Column {
    twin: bool,
    ranked: Ranked,
    /// Texts from above.
    order: Vec<usize>,
    /// What became of the words of each text.
    changes: Vec<Vec<Change>>,
}

/// What a click asks for: a word of the report, and its new class (`None`: what the tagger says).
pub(super) type Asked = Option<(String, Option<&'static str>)>;

impl Column {
    fn at(ctx: &ViewCtx<'_>, twin: bool, pair: usize, by_table: bool) -> Option<Self> {
        let ranked = pairs::ranked(ctx, if twin { TWIN } else { "" }, pair)?;
        let order = if by_table { (0..ranked.texts.len()).collect() } else { ranked.by_cosine() };
        let antonyms = params::antonyms(&series::params_at(ctx, PARAMS)).unwrap_or_default();
        let contradicts = |word: &str, other: &str| {
            antonyms.of(word).is_some_and(|antonym| antonym.word == other && antonym.contradiction)
        };
        let changes = (0..ranked.texts.len()).map(|i| ranked.changes(i, contradicts)).collect();
        Some(Self { twin, ranked, order, changes })
    }

    /// The perturbation that comes nearest to the report, or beats it.
    fn strongest(&self) -> Option<Spot> {
        let text = self.ranked.by_cosine().into_iter().find(|i| *i > 0)?;
        Some(Spot { twin: self.twin, text })
    }
}

/// The axis of the bars, the same for both twins.
#[derive(Clone, Copy)]
struct Axis {
    low: f32,
    high: f32,
    left: f32,
    right: f32,
}

impl Axis {
    fn new(columns: &[Column], zoomed: bool, ticks: bool) -> Self {
        let texts = columns.iter().flat_map(|column| &column.ranked.texts);
        let shown: Vec<f32> = texts.flat_map(|text| &text.cosines[..if ticks { 3 } else { 1 }]).copied().collect();
        let [least, most] = pairs::range(&shown).unwrap_or([0.0, 1.0]);
        let (low, high) = if zoomed { (least, most) } else { (least.min(0.0), most.max(0.0)) };
        let room = (0.04 * (high - low)).max(1e-4);
        let low = if zoomed || low < 0.0 { low - room } else { low };
        Self { low, high: high + room, left: 0.0, right: 1.0 }
    }

    fn x(&self, cosine: f32) -> f32 {
        self.left + (self.right - self.left) * ((cosine - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

impl Ranking {
    fn show(&mut self, selected: &mut usize, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let count = pairs::count(ctx);
        *selected = (*selected).min(count.saturating_sub(1));
        let found = |twin: bool| Column::at(ctx, twin, *selected, self.by_table);
        let (Some(pair), Some(own)) = (pairs::pair(ctx, *selected), found(false)) else {
            return empty::measured(ui, ctx, WHEN);
        };
        let columns: Vec<Column> = std::iter::once(own).chain(found(true)).collect();
        self.original.follow(ctx, &format!("pair/image/{selected}"));
        let size = tile::font_size(ctx.presenting);
        let (bar, rest) = tile::split(ui, size);
        self.bar(bar, &pair, &columns, (selected, count), ui, ctx);
        if rest.width() < 12.0 * size || rest.height() < 6.0 * size {
            return;
        }
        let foot = if rest.height() > 24.0 * size { 3.0 * size } else { 0.0 };
        let body = Rect::from_min_max(rest.min, pos2(rest.right(), rest.bottom() - foot));
        let aside = if rest.width() > 44.0 * size { (0.18 * rest.width()).min(0.7 * body.height()) } else { 0.0 };
        if aside > 0.0 {
            let place = Rect::from_min_max(body.min, pos2(body.left() + aside, body.bottom()));
            self.picture(place, &pair, ui, ctx);
        }
        let gap = if aside > 0.0 { size } else { 0.0 };
        let right = Rect::from_min_max(pos2(body.left() + aside + gap, body.top()), body.max);
        let asked = self.body(right, &pair, &columns, ui, ctx);
        if foot > 0.0 {
            let place = Rect::from_min_max(pos2(right.left(), body.bottom()), rest.max);
            legend(place, self.hide_ticks, columns[0].ranked.texts[0].words.len(), ui, ctx);
        }
        if let Some((word, class)) = asked {
            let tags = pairs::with_class(&tags(ctx), &word, class);
            ctx.set(TAGS.key(), Value::Text(tags), true);
        }
    }

    fn bar(
        &mut self,
        rect: Rect,
        pair: &Pair,
        columns: &[Column],
        (selected, count): (&mut usize, usize),
        ui: &mut Ui,
        ctx: &ViewCtx<'_>,
    ) {
        let (size, step) = (tile::font_size(ctx.presenting), columns[0].ranked.step);
        let twin = columns.get(1).map_or_else(String::new, |twin| format!(" · twin: {}", twin.ranked.rank_in_words()));
        let rank = columns[0].ranked.rank_in_words();
        let about = format!("{rank}{twin} · {} · step {}", pair.name, number::grouped(step));
        tile::bar(ui, rect, tile::weak(about, size, ctx.style), |ui| {
            if tile::button(ui, count > 1, "next", "Next pair", size) {
                pairs::step(selected, 1, count);
            }
            if tile::button(ui, count > 1, "previous", "Previous pair", size) {
                pairs::step(selected, -1, count);
            }
            let help = "In the order of Table I, not by cosine";
            if tile::toggle(ui, self.by_table, "Table I", help, size) {
                self.by_table = !self.by_table;
            }
            let help = "Ticks at the cosines of the same texts with another image and with the mean image";
            if tile::toggle(ui, !self.hide_ticks, "ticks", help, size) {
                self.hide_ticks = !self.hide_ticks;
            }
            if tile::toggle(ui, self.zoomed, "zoom", "Bars begin at the least cosine, not at zero", size) {
                self.zoomed = !self.zoomed;
            }
        });
    }

    /// The image, and below it what it is called.
    fn picture(&mut self, rect: Rect, pair: &Pair, ui: &Ui, ctx: &ViewCtx<'_>) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let [wide, high] = self.original.size().unwrap_or([1, 1]).map(|pixels| pixels.max(1) as f32);
        let height = (rect.width() * high / wide).min(rect.height() - 3.2 * size).max(1.0);
        let view = Rect::from_min_size(rect.min, vec2(rect.width(), height));
        let response = ui.interact(view, ui.scope_id().with("ranked picture"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("image of {}", pair.name)));
        let panel = Panel { picture: self.original.picture(), ..Panel::default() };
        let painter = ui.painter_at(rect);
        if self.pictures.panel(ui, view, &Lens::default(), &panel).is_none() {
            let font = FontId::proportional(size);
            painter.text(view.center(), Align2::CENTER_CENTER, "being read …", font, style.text_weak);
        }
        for (k, (text, color)) in [(&pair.name, style.text), (&pair.study, style.text_weak)].into_iter().enumerate() {
            let top = view.bottom() + (0.3 + 1.4 * k as f32) * size;
            let place = Rect::from_min_max(pos2(rect.left(), top), rect.max);
            tile::one_line(&painter, text, place, FontId::proportional(size), color);
        }
    }

    /// Bars, and what is opened below them.
    fn body(&mut self, rect: Rect, pair: &Pair, columns: &[Column], ui: &mut Ui, ctx: &ViewCtx<'_>) -> Asked {
        let size = tile::font_size(ctx.presenting);
        let open = self.opened(columns);
        let automatic = self.open == Open::Strongest;
        let least = 8.0 * size;
        let room = (0.46 * rect.height()).max(least);
        let wanted = opened::height(ui.painter(), &columns[0].ranked, rect.width(), size);
        let fits = rect.height() > least + 14.0 * size || (!automatic && rect.height() > least + 4.0 * size);
        let below = if open.is_some() && fits { wanted.clamp(least, room) } else { 0.0 };
        let gap = if below > 0.0 { 0.5 * size } else { 0.0 };
        let above = Rect::from_min_max(rect.min, pos2(rect.right(), rect.bottom() - below - gap));
        let (mut asked, mut hovered) = (None, None);
        let between = 1.2 * size;
        let width = (above.width() - between * (columns.len() - 1) as f32) / columns.len() as f32;
        let axis = Axis::new(columns, self.zoomed, !self.hide_ticks);
        for (k, column) in columns.iter().enumerate() {
            let left = above.left() + (width + between) * k as f32;
            let place = Rect::from_min_max(pos2(left, above.top()), pos2(left + width, above.bottom()));
            let place = if columns.len() > 1 { heading(place, column, ui, ctx) } else { place };
            let told = self.column(place, column, pair, axis, open, ui, ctx);
            asked = asked.or(told.0);
            hovered = hovered.or(told.1);
        }
        if let Some(spot) = hovered.or(open).filter(|_| below > 0.0) {
            let place = Rect::from_min_max(pos2(rect.left(), rect.bottom() - below), rect.max);
            if let Some(column) = columns.iter().find(|column| column.twin == spot.twin) {
                let Spot { twin, text } = spot;
                let opened = Opened { pair, ranked: &column.ranked, text, changes: &column.changes[text], twin };
                asked = asked.or(opened.show(place, ui, ctx));
            }
        }
        asked
    }

    /// What is opened of what there is.
    fn opened(&self, columns: &[Column]) -> Option<Spot> {
        let there = |spot: Spot| {
            let column = columns.iter().find(|column| column.twin == spot.twin);
            column.is_some_and(|column| spot.text > 0 && spot.text < column.ranked.texts.len())
        };
        match self.open {
            Open::Nothing => None,
            Open::Row(spot) if there(spot) => Some(spot),
            _ => columns.first()?.strongest(),
        }
    }

    /// Opens the perturbation so many rows below the one that is open.
    fn open_next(&mut self, pair: usize, by: isize, ctx: &ViewCtx<'_>) {
        let found = |twin: bool| Column::at(ctx, twin, pair, self.by_table);
        let columns: Vec<Column> = [false, true].into_iter().filter_map(found).collect();
        let Some(spot) = self.opened(&columns).or_else(|| columns.first()?.strongest()) else { return };
        let Some(column) = columns.iter().find(|column| column.twin == spot.twin) else { return };
        let rows: Vec<usize> = column.order.iter().copied().filter(|i| *i > 0).collect();
        let Some(at) = rows.iter().position(|i| *i == spot.text) else { return };
        let to = (at as isize + by).rem_euclid(rows.len() as isize) as usize;
        self.open = Open::Row(Spot { text: rows[to], ..spot });
    }

    /// The rows of the run or of its twin; returns what was asked for, and the row under the pointer.
    #[expect(clippy::too_many_arguments, reason = "what is drawn, where and with what")]
    fn column(
        &mut self,
        rect: Rect,
        column: &Column,
        pair: &Pair,
        axis: Axis,
        open: Option<Spot>,
        ui: &mut Ui,
        ctx: &ViewCtx<'_>,
    ) -> (Asked, Option<Spot>) {
        let size = tile::font_size(ctx.presenting);
        let scale = 1.6 * size;
        let rows = Rect::from_min_max(rect.min, pos2(rect.right(), rect.bottom() - scale));
        let count = column.order.len().max(1) as f32;
        let most = 2.0 * line_height(size) + 0.6 * size;
        let high = (rows.height() / count).clamp(1.6 * size, most);
        let scrolls = high * count > rows.height() + 1.0;
        let parts = Parts::new(rows, high, scrolls, size);
        let axis = Axis { left: parts.bar[0], right: parts.bar[1], ..axis };
        let (mut asked, mut hovered) = (None, None);
        ui.scope_builder(UiBuilder::new().max_rect(rows).id_salt(("ranked", column.twin)), |ui| {
            ui.shrink_clip_rect(rows);
            ScrollArea::vertical().id_salt("rows").auto_shrink(false).show(ui, |ui| {
                let whole = vec2(rows.width() - 1.0, (high * count - 1.0).max(1.0));
                let (area, _) = ui.allocate_exact_size(whole, Sense::hover());
                let own = column.ranked.texts[0].cosines[0];
                if own.is_finite() {
                    let line = ui.painter_at(area);
                    line.vline(axis.x(own), area.y_range(), (1.0, ctx.style.accent.gamma_multiply(0.5)));
                }
                for (k, i) in column.order.iter().copied().enumerate() {
                    let top = area.top() + high * k as f32;
                    let place = Rect::from_min_size(pos2(rows.left(), top), vec2(rows.width(), high));
                    if !ui.is_rect_visible(place) {
                        continue;
                    }
                    let spot = Spot { twin: column.twin, text: i };
                    let row = Row { column, text: i, place, parts, axis, open: open == Some(spot) };
                    let response = row.show(!self.hide_ticks, ui, ctx);
                    if i > 0 && ui.rect_contains_pointer(place) {
                        hovered = Some(spot);
                    }
                    if i > 0 && response.clicked() {
                        let closes = open == Some(spot) && self.open != Open::Strongest;
                        self.open = if closes { Open::Nothing } else { Open::Row(spot) };
                    }
                    asked = asked.take().or(row.words(pair, ui, ctx));
                }
            });
        });
        ends(Rect::from_min_max(pos2(rect.left(), rows.bottom()), rect.max), axis, ui, ctx);
        (asked, hovered)
    }
}

const WHEN: &str = "of the pairs on screen, before training and then every so many steps (parameter `show_every`)";

/// The parameter `tags` as the form has it; it is ahead of the run's.
fn tags(ctx: &ViewCtx<'_>) -> String {
    ctx.params.get(TAGS.key()).map(ToString::to_string).unwrap_or_default()
}

/// Whose ranking it is.
fn heading(rect: Rect, column: &Column, ui: &Ui, ctx: &ViewCtx<'_>) -> Rect {
    let whose = match series::twin_name(ctx.run, PARAMS).filter(|_| column.twin) {
        Some(differs) => format!("twin, {differs}"),
        None if column.twin => "twin".to_owned(),
        None => "run".to_owned(),
    };
    let text = format!("{whose}: {}", column.ranked.rank_in_words());
    tile::panel_heading(&ui.painter_at(rect), rect, &text, tile::font_size(ctx.presenting), ctx.style)
}

/// Where the parts of every row lie from left to right.
#[derive(Clone, Copy)]
struct Parts {
    /// The name is above the bar, not beside it.
    stacked: bool,
    /// From and to.
    name: [f32; 2],
    bar: [f32; 2],
    /// `None`: there is no room for it.
    text: Option<[f32; 2]>,
}

impl Parts {
    fn new(rows: Rect, high: f32, scrolls: bool, size: f32) -> Self {
        let right = rows.right() - if scrolls { 0.9 * size } else { 0.0 };
        let stacked = high >= 2.7 * size;
        let width = right - rows.left();
        let left = if width < 30.0 * size { width } else { (0.34 * width).clamp(15.0 * size, 26.0 * size) };
        let digits = 3.8 * size;
        let end = rows.left() + left;
        let text = (width >= 30.0 * size).then_some([end + 0.9 * size, right]);
        if stacked {
            Self { stacked, name: [rows.left(), end - digits], bar: [rows.left(), end], text }
        } else {
            let middle = rows.left() + 0.5 * (left - digits);
            Self { stacked, name: [rows.left(), middle - 0.4 * size], bar: [middle, end - digits], text }
        }
    }
}

/// A text with its bar.
struct Row<'a> {
    column: &'a Column,
    text: usize,
    place: Rect,
    parts: Parts,
    axis: Axis,
    open: bool,
}

impl Row<'_> {
    fn show(&self, ticks: bool, ui: &Ui, ctx: &ViewCtx<'_>) -> Response {
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
        self.bar(bar_place, ticks, ui, style);
        let color = if i == 0 { style.accent } else { style.text };
        let name = if text.degenerate { format!("{name}: changes nothing") } else { name.to_owned() };
        let room =
            Rect::from_x_y_ranges(self.parts.name[0]..=self.parts.name[1], name_y - 0.75 * size..=place.bottom());
        tile::one_line(&painter, &name, room, FontId::proportional(size), color);
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

    fn bar(&self, rect: Rect, ticks: bool, ui: &Ui, style: &Style) {
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
    fn words(&self, pair: &Pair, ui: &Ui, ctx: &ViewCtx<'_>) -> Asked {
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

/// The class of a word of the report; `None` where the pair has other words, or the parameter cannot name it.
pub(super) fn class_at(pair: &Pair, i: usize, word: &str) -> Option<Tag> {
    pair.words.get(i).filter(|known| known.text == word && !word.contains(['=', ';'])).map(|known| known.class)
}

/// A word that can be clicked for its class.
pub(super) fn word_menu(
    place: Rect,
    id: (&str, usize),
    said: &str,
    (word, class): (&str, Tag),
    ui: &Ui,
    ctx: &ViewCtx<'_>,
) -> Asked {
    let size = tile::font_size(ctx.presenting);
    let response = ui.interact(place, ui.scope_id().with(id), Sense::click()).on_hover_cursor(CursorIcon::PointingHand);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, said));
    if response.hovered() || response.has_focus() {
        ui.painter_at(ui.clip_rect()).rect_stroke(place, 2.0, Stroke::new(1.0, ctx.style.accent), StrokeKind::Outside);
    }
    let mut chosen = None;
    Popup::menu(&response).show(|ui| {
        ui.label(tile::weak(format!("“{word}” is a"), size, ctx.style));
        for (known, name, _) in CLASSES {
            if ui.add(Button::selectable(known == class, RichText::new(name).size(size))).clicked() {
                chosen = Some(Some(name));
            }
        }
        let by_hand = pairs::by_hand(&tags(ctx)).contains(&word.to_lowercase());
        let help = "Takes away the class that was given by hand";
        if tile::button(ui, by_hand, "as the tagger says", help, size) {
            chosen = Some(None);
        }
    });
    chosen.map(|class| (word.to_owned(), class))
}

/// How a word is drawn for what became of it, in a text of so many words.
pub(super) fn look(change: Change, count: usize, style: &Style) -> Look {
    let plain = Look { color: style.text_weak, fill: Color32::TRANSPARENT, underline: None };
    match change {
        Change::Stands => plain,
        Change::Moved(far) => {
            Look { color: style.text, fill: distance(far, count, style).gamma_multiply(0.38), ..plain }
        }
        Change::Contradicts => marked(0, style),
        Change::Odd => marked(1, style),
    }
}

fn marked(kind: usize, style: &Style) -> Look {
    let (_, color, dash) = antonym_marks(style)[kind];
    Look { color, fill: Color32::TRANSPARENT, underline: Some((color, dash)) }
}

/// The colour of having moved so far in a text of so many words: the farther, the more it stands out.
pub(super) fn distance(far: usize, count: usize, style: &Style) -> Color32 {
    let most = count.saturating_sub(2).max(1) as f32;
    moved(((far.max(1) - 1) as f32 / most).min(1.0), style)
}

/// The same for a share of the largest distance.
fn moved(share: f32, style: &Style) -> Color32 {
    let share = 0.25 + 0.75 * share;
    ColorMap::Viridis.color(if style.dark { share } else { 1.0 - share })
}

/// Name, colour and dash of something in a legend.
type Mark = (&'static str, Color32, Dash);

fn tick_marks(style: &Style) -> [Mark; 2] {
    let color = |i: usize| style.category(i).color;
    [("with another image", color(6), Dash::Solid), ("with the mean image", color(3), Dash::Dotted)]
}

fn antonym_marks(style: &Style) -> [Mark; 2] {
    let odd = style.category(5).color.lerp_to_gamma(style.text, 0.25);
    [("antonym that contradicts", style.warning, Dash::Dashed), ("odd antonym", odd, Dash::Dotted)]
}

/// A cosine with digits that stay where they are.
fn cosine(value: f32) -> String {
    if value.is_nan() { "—".to_owned() } else { format!("{value:.3}").replace('-', "−") }
}

/// The ends of the axis, and zero where it lies between.
fn ends(rect: Rect, axis: Axis, ui: &Ui, ctx: &ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let painter = ui.painter_at(rect);
    let font = FontId::monospace(size);
    let y = rect.center().y;
    let put = |x: f32, align: Align2, text: String| {
        painter.text(pos2(x, y), align, text, font.clone(), style.text_weak);
    };
    let label = |v: f32| number::compact(f64::from(v));
    put(axis.left, Align2::LEFT_CENTER, label(axis.low));
    put(axis.right, Align2::RIGHT_CENTER, label(axis.high));
    let zero = axis.x(0.0);
    if axis.low < 0.0 && axis.high > 0.0 && zero - axis.left > 5.0 * size && axis.right - zero > 5.0 * size {
        put(zero, Align2::CENTER_CENTER, "0".to_owned());
    }
}

/// What ticks, backgrounds and underlines mean.
fn legend(rect: Rect, hide_ticks: bool, words: usize, ui: &Ui, ctx: &ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let painter = ui.painter_at(rect);
    let font = FontId::proportional(size);
    let (mut at, line) = (rect.min + vec2(0.0, 0.75 * size), 1.5 * size);
    let mut entry = |sample: f32, name: &str, draw: &dyn Fn(Rect)| {
        let galley = painter.layout_no_wrap(name.to_owned(), font.clone(), style.text_weak);
        let wide = sample + 0.5 * size + galley.size().x;
        if at.x > rect.left() && at.x + wide > rect.right() {
            at = pos2(rect.left(), at.y + line);
        }
        if at.y > rect.bottom() {
            return;
        }
        draw(Rect::from_min_max(at - vec2(0.0, 0.4 * size), at + vec2(sample, 0.4 * size)));
        let text = pos2(at.x + sample + 0.5 * size, at.y - 0.5 * galley.size().y);
        painter.galley(text, galley, style.text_weak);
        at.x += wide + 1.1 * size;
    };
    let line = |place: Rect, (_, color, dash): Mark| {
        let run = [(place.left_center(), 0), (place.right_center(), 1)];
        let pen = Pen { width: 0.16 * size, color, dash, feather: 1.0 / painter.pixels_per_point() };
        LineMesh::new([run.as_slice()], pen).draw(&painter);
    };
    let marks = tick_marks(style);
    let ticks = if hide_ticks { &[][..] } else { &marks[..] };
    for mark in ticks.iter().chain(&antonym_marks(style)) {
        entry(2.2 * size, mark.0, &|place| line(place, *mark));
    }
    let farthest = words.saturating_sub(1).max(1);
    let name = format!("moved by 1 to {}", number::counted(farthest, "word", "words"));
    entry(5.0 * size, &name, &|place| {
        painter.add(super::words::gradient(place, |share| moved(share, style).gamma_multiply(0.6)));
    });
}
