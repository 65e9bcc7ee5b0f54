//! A report among its nine perturbations, by cosine with the image.

pub(super) mod classes;
pub(super) mod marks;
mod row;

use eframe::egui::accesskit::Role;
use eframe::egui::{Align2, FontId, Rect, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use crate::engine::params::Value;
use crate::engine::twin::TWIN;
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::wall::{Panel, Pictures, Recorded};
use crate::kit::{empty, series};
use crate::labs::image_report::params::{self, PARAMS, TAGS};
use crate::plot::image_view::Lens;
use crate::plot::{number, tile};

use super::ImageReportView;
use super::opened::{self, Opened};
use super::pairs::{self, Change, Pair, Ranked};
use classes::{Asked, tags};
use marks::legend;
use row::{Axis, Parts, Row, ends, scale_height, shortest, tallest};

/// The tile.
pub static TILE: Tile<ImageReportView> = Tile {
    spec: TileSpec {
        id: "ranking",
        title: "Ranking",
        help: "A test report and its nine perturbations (Table I) by the cosine of each with the image. The report's \
               rank counts ties against it; perturbations that change nothing are hollow and do not count. The ticks \
               are the cosines of the same text with another image and with the mean image: where they follow the \
               bars, the model judges the text, not the image. Words that moved are marked by how far. Click a row \
               to see below where each word stood; click a word of the report to change its class, by which some \
               perturbations choose.",
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

impl Ranking {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.value("by_table", &mut self.by_table, false);
        fields.value("hide_ticks", &mut self.hide_ticks, false);
        fields.value("zoomed", &mut self.zoomed, false);
        let write = |open: &Open| match open {
            Open::Strongest => "strongest".to_owned(),
            Open::Nothing => "nothing".to_owned(),
            Open::Row(Spot { twin, text }) => format!("{}{text}", if *twin { "twin " } else { "" }),
        };
        let read = |text: &str| match text {
            "nothing" => Some(Open::Nothing),
            text => {
                let row = text.strip_prefix("twin ");
                Some(Open::Row(Spot { twin: row.is_some(), text: row.unwrap_or(text).parse().ok()? }))
            }
        };
        fields.text("open", &mut self.open, Open::Strongest, write, read);
    }

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
        let wanted = opened::height(ui.painter(), &columns[0].ranked, rect.width(), size);
        let gap = 0.5 * size;
        let title = if columns.len() > 1 { 1.5 * size } else { 0.0 };
        let count = columns.iter().map(|column| column.order.len()).max().unwrap_or(1) as f32;
        let scale = scale_height(rect.width() / columns.len() as f32, size);
        let rows = |high: f32| title + count * high + scale;
        // What nobody opened leaves room for all bars; what was opened by hand may let them be scrolled.
        let least = 8.0 * size;
        let spare = rect.height() - gap - rows(shortest(size));
        let room = if automatic { spare.min(0.46 * rect.height()) } else { (0.46 * rect.height()).max(least) };
        let fits = room >= least && rect.height() > least + 4.0 * size;
        let below = if open.is_some() && fits { wanted.clamp(least, room) } else { 0.0 };
        let gap = if below > 0.0 { gap } else { 0.0 };
        let above = rect.with_max_y((rect.bottom() - below - gap).min(rect.top() + rows(tallest(size))));
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
            let place = rect.with_min_y(above.bottom() + gap);
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
        let rows = rect.with_max_y(rect.bottom() - scale_height(rect.width(), size));
        let count = column.order.len().max(1) as f32;
        let high = (rows.height() / count).clamp(shortest(size), tallest(size));
        let scrolls = high * count > rows.height() + 1.0;
        let parts = Parts::new(rows, high, scrolls, size);
        let short = parts.are_narrow(&column.ranked.texts, ui.painter(), size);
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
                    let row = Row { column, text: i, place, parts, axis, short, open: open == Some(spot) };
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

/// Whose ranking it is.
fn heading(rect: Rect, column: &Column, ui: &Ui, ctx: &ViewCtx<'_>) -> Rect {
    let whose = match series::twin_name(ctx.run, PARAMS).filter(|_| column.twin) {
        Some(differs) => format!("twin, {differs}"),
        None if column.twin => "twin".to_owned(),
        None => "run".to_owned(),
    };
    let text = format!("{} · {whose}", column.ranked.rank_in_words());
    tile::panel_heading(&ui.painter_at(rect), rect, &text, tile::font_size(ctx.presenting), ctx.style)
}
