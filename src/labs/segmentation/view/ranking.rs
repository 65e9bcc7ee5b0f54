//! The tile that ranks single images: a list that can be sorted and filtered, and the histogram of Dice.

use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, EventFilter, FontId, Key, Label, Painter, Rect, RichText, ScrollArea, Sense, Stroke, StrokeKind, Ui,
    UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::compute::stats::{INTERVALS, interval_95_by_groups};
use crate::engine::event::Payload;
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::series as common;
use crate::kit::view::ViewCtx;
use crate::pixels::spacing::Unit;
use crate::plot::axes::Titles;
use crate::plot::background::Latest;
use crate::plot::histogram::{Histogram, Line};
use crate::plot::style::Dash;
use crate::plot::{names, number, tile};

use super::SegmentationView;
use super::controls;
use super::scores::{self, Measure, Row};
use super::series::{self, DICE, distance_convention};
use super::shared::Shared;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};

/// The tile.
pub static TILE: Tile<SegmentationView> = Tile {
    spec: TileSpec {
        id: "ranking",
        title: "Ranking",
        help: "Every validation (or test) image by its Dice, worst first, and the histogram. Click one to open it.",
        area: "scores",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.ranking.show(&mut view.shared, ui, ctx),
    commands: &[
        TileCommand {
            id: "ranking-test",
            title: "Ranking: test or validation images",
            run: |view, _, _| {
                (view.ranking.test, view.ranking.selected) = (!view.ranking.test, None);
            },
        },
        TileCommand {
            id: "ranking-histogram",
            title: "Ranking: histogram or list",
            run: |view, _, _| view.ranking.histogram = !view.ranking.histogram,
        },
        TileCommand {
            id: "ranking-reverse",
            title: "Ranking: worst or best first",
            run: |view, _, _| view.ranking.reversed = !view.ranking.reversed,
        },
    ],
};

/// View state of the tile.
#[derive(Debug)]
pub struct Ranking {
    /// The test images instead of the validation images.
    test: bool,
    by: Measure,
    reversed: bool,
    class: Option<String>,
    /// The histogram instead of the list where there is no room for both.
    histogram: bool,
    selected: Option<String>,
    /// The selection on the wall that was last followed.
    followed: Option<usize>,
    read: Option<(Arc<Payload>, Vec<Row>)>,
    /// Place in the list that has to come into sight.
    reveal: Option<usize>,
    /// Of the mean Dice of what is shown: of these results, part and class.
    interval: Latest<(u64, bool, Option<String>), Option<[f64; 2]>>,
}

impl Default for Ranking {
    fn default() -> Self {
        Self {
            test: false,
            by: Measure::Dice,
            reversed: false,
            class: None,
            histogram: false,
            selected: None,
            followed: None,
            read: None,
            reveal: None,
            interval: Latest::default(),
        }
    }
}

/// A column of numbers: its right end.
struct Column {
    measure: Measure,
    right: f32,
}

impl Ranking {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.value("test", &mut self.test, false);
        let measures = Measure::ALL.map(|measure| (measure.column(), measure));
        fields.choice("by", &mut self.by, &measures);
        fields.value("reversed", &mut self.reversed, false);
        fields.optional("class", &mut self.class);
        fields.value("histogram", &mut self.histogram, false);
        fields.optional("selected", &mut self.selected);
        if fields.are_put() {
            self.followed = None;
        }
    }

    /// The image that is selected.
    pub fn selected(&self) -> Option<&str> {
        self.selected.as_deref()
    }

    /// Draws the tile.
    pub fn show(&mut self, shared: &mut Shared, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let key = if self.test { "test/images" } else { "validation/images" };
        let size = tile::font_size(ctx.presenting);
        let (bar, rest) = tile::split(ui, size);
        let payload = ctx.payload(key);
        if payload.is_none() && !ctx.run.payloads.contains_key("validation/images") {
            return empty::measured(ui, ctx, "at every validation");
        }
        let rows = self.rows(payload.as_ref().map(|(_, payload)| payload));
        let classes = scores::classes(&rows);
        if self.class.as_ref().is_some_and(|class| !classes.contains(class)) {
            self.class = None;
        }
        let both = rest.width() >= 46.0 * size || rest.height() >= 28.0 * size;
        let order = scores::ranked(&rows, self.by, self.reversed, self.class.as_deref());
        self.bar(shared, bar, payload.as_ref().map(|(step, _)| *step), &rows, &order, &classes, both, ui, ctx);
        if rows.is_empty() {
            ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
                let hint = if self.test {
                    "The test set is measured once, at the end of the run, with the best weights."
                } else {
                    "Nothing was recorded at this step."
                };
                empty::message(ui, ctx, "No images here", hint);
            });
            return self.keep(rows);
        }
        let names = wall_names(ctx);
        self.follow(shared, &names, &rows, &order);
        let wide = rest.width() >= 46.0 * size;
        let (list, histogram) = if wide {
            let (list, histogram) = rest.split_left_right_at_fraction(0.62);
            (Some(list.with_max_x(list.right() - size)), Some(histogram))
        } else if both {
            let (list, histogram) = rest.split_top_bottom_at_fraction(0.6);
            (Some(list.with_max_y(list.bottom() - 0.5 * size)), Some(histogram))
        } else if self.histogram {
            (None, Some(rest))
        } else {
            (Some(rest), None)
        };
        let interval = histogram.and_then(|_| self.interval(shared, &rows, &order, ui, ctx));
        let mut chosen = None;
        if let Some(place) = list {
            chosen = self.list(place, &rows, &order, &names, ui, ctx);
        }
        if let Some(place) = histogram {
            chosen = chosen.or(self.draw_histogram(place, (&rows, &order), interval, ui, ctx));
        }
        if let Some(at) = chosen {
            let name = &rows[order[at]].image;
            if let Some(wall) = names.iter().position(|other| other == name).filter(|_| !self.test) {
                shared.selected = wall;
                self.followed = Some(wall);
            }
            self.selected = Some(name.clone());
        }
        self.keep(rows);
    }

    /// How sure the mean Dice of the shown images is, by whole groups.
    fn interval(
        &mut self,
        shared: &mut Shared,
        rows: &[Row],
        order: &[usize],
        ui: &Ui,
        ctx: &ViewCtx<'_>,
    ) -> Option<[f64; 2]> {
        let own = shared.others.own(ctx);
        let asked = (own.number, self.test, self.class.clone());
        if !self.interval.is_current(&asked) && !self.interval.is_busy() {
            let of = |i: &usize| Some((rows[*i].value(Measure::Dice)?, own.results.group(&rows[*i].image)));
            let (values, groups): (Vec<f64>, Vec<usize>) = order.iter().filter_map(of).unzip();
            self.interval
                .update("interval of Dice", ui.ctx(), &asked, move |_| interval_95_by_groups(&values, &groups));
        }
        self.interval.receive();
        self.interval.newest().filter(|_| self.interval.is_current(&asked)).copied().flatten()
    }

    /// The rows of a recorded table; read once.
    fn rows(&mut self, payload: Option<&Arc<Payload>>) -> Vec<Row> {
        let Some(payload) = payload else {
            self.read = None;
            return Vec::new();
        };
        match self.read.take() {
            Some((known, rows)) if Arc::ptr_eq(&known, payload) => {
                self.read = Some((known, Vec::new()));
                rows
            }
            _ => {
                let rows = match &**payload {
                    Payload::Table { columns, rows } => scores::read(columns, rows),
                    _ => Vec::new(),
                };
                self.read = Some((Arc::clone(payload), Vec::new()));
                rows
            }
        }
    }

    /// Puts the rows back for the next frame.
    fn keep(&mut self, rows: Vec<Row>) {
        if let Some((_, kept)) = &mut self.read {
            *kept = rows;
        }
    }

    /// Selects what was selected on the wall.
    fn follow(&mut self, shared: &Shared, names: &[String], rows: &[Row], order: &[usize]) {
        if self.followed == Some(shared.selected) || self.test {
            return;
        }
        let first = self.followed.replace(shared.selected).is_none();
        let kept = first && self.selected.is_some();
        if let Some(name) = names.get(shared.selected).filter(|_| !kept) {
            // At first the worst images are to be seen, not the one that the wall happens to begin with.
            self.reveal = order.iter().position(|&i| rows[i].image == *name).filter(|_| !first);
            self.selected = Some(name.clone());
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what the bar says and does")]
    fn bar(
        &mut self,
        shared: &mut Shared,
        rect: Rect,
        step: Option<u64>,
        rows: &[Row],
        order: &[usize],
        classes: &[String],
        both: bool,
        ui: &mut Ui,
        ctx: &ViewCtx<'_>,
    ) {
        let size = tile::font_size(ctx.presenting);
        let (mut text, rest) = match step {
            Some(step) => {
                let set = if self.test { "test set" } else { "validation set" };
                (number::counted(order.len(), "image", "images"), format!(", {set}, step {}", number::grouped(step)))
            }
            None => Default::default(),
        };
        let count = |which: fn([bool; 2]) -> bool| order.iter().filter(|&&i| which(rows[i].empty())).count();
        let (without, both_empty) = (count(|[truth, found]| truth || found), count(|[truth, found]| truth && found));
        let undefined = series::undefined_in_words(without, both_empty, series::counts_the_diagonal(ctx));
        if !undefined.is_empty() {
            text.push_str(&format!(", {undefined}"));
        }
        text.push_str(&rest);
        tile::bar(ui, rect, tile::weak(text, size, ctx.style), |ui| {
            let help = "Test images with the best weights, measured once, at the end of the run, instead of the validation \
                        images with the weights of the timeline's step";
            if tile::toggle(ui, self.test, "test", help, size) {
                (self.test, self.selected) = (!self.test, None);
            }
            controls::to_brush(ui, &mut shared.to_brush, rect.width() > 36.0 * size, size);
            if classes.len() > 1 {
                let name = self.class.as_deref().unwrap_or("all classes");
                let help = format!("Show one class only; the next click shows {}", self.next_class(classes));
                if tile::toggle(ui, self.class.is_some(), name, &help, size) {
                    self.class = match self.next_class(classes) {
                        "all classes" => None,
                        class => Some(class.to_owned()),
                    };
                }
            }
            if !both {
                let help = "The histogram of Dice instead of the list; a larger tile shows both";
                if tile::toggle(ui, self.histogram, "histogram", help, size) {
                    self.histogram = !self.histogram;
                }
            }
        });
    }

    fn next_class<'a>(&self, classes: &'a [String]) -> &'a str {
        let next = match &self.class {
            None => 0,
            Some(class) => classes.iter().position(|other| other == class).map_or(0, |at| at + 1),
        };
        classes.get(next).map_or("all classes", String::as_str)
    }

    /// Draws the list; returns the place that was chosen.
    fn list(
        &mut self,
        place: Rect,
        rows: &[Row],
        order: &[usize],
        names: &[String],
        ui: &mut Ui,
        ctx: &ViewCtx<'_>,
    ) -> Option<usize> {
        let size = tile::font_size(ctx.presenting);
        let (line, foot) = ((1.7 * size).round(), (1.7 * size).round());
        let with_foot = place.height() > 7.0 * line;
        let body =
            Rect::from_min_max(place.min + vec2(0.0, line), place.max - vec2(0.0, if with_foot { foot } else { 0.0 }));
        let digit = ui.fonts_mut(|fonts| fonts.glyph_width(&FontId::monospace(size), '0'));
        // The scroll bar floats over the right end.
        let (columns, name_end) = columns(place.left(), place.right() - 0.9 * size, digit, size, series::unit(ctx));
        self.head(Rect::from_min_size(place.min, vec2(place.width(), line)), &columns, ui, ctx);

        let at = self.selected.as_ref().and_then(|name| order.iter().position(|&i| rows[i].image == *name));
        let id = ui.scope_id().with("images by rank");
        let focus = ui.interact(body, id, Sense::click());
        focus.widget_info(|| WidgetInfo::labeled(Role::ListBox, true, "images by rank"));
        let mut chosen = None;
        if focus.has_focus() {
            ui.memory_mut(|memory| {
                let filter = EventFilter { vertical_arrows: true, ..EventFilter::default() };
                memory.set_focus_lock_filter(id, filter);
            });
            chosen = moved(ui, at, order.len());
            self.reveal = chosen.or(self.reveal);
        }
        let mut area = ScrollArea::vertical().id_salt(("ranking", self.test)).auto_shrink(false);
        if let Some(row) = self.reveal.take() {
            area = area.vertical_scroll_offset((row as f32 * line - 0.5 * (body.height() - line)).max(0.0));
        }
        ui.scope_builder(UiBuilder::new().max_rect(body), |ui| {
            ui.shrink_clip_rect(body);
            ui.spacing_mut().item_spacing.y = 0.0;
            area.show_rows(ui, line, order.len(), |ui, range| {
                for row in range {
                    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), line), Sense::click());
                    let image = &rows[order[row]];
                    let selected = at == Some(row);
                    let spoken =
                        format!("{}, Dice {}", image.image, Measure::Dice.text(image.value(Measure::Dice), image.unit));
                    response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, selected, spoken.as_str()));
                    if response.clicked() {
                        ui.memory_mut(|memory| memory.request_focus(id));
                        chosen = Some(row);
                    }
                    let painter = ui.painter_at(rect.intersect(ui.clip_rect()));
                    if selected || response.hovered() {
                        let strength = if selected { 0.25 } else { 0.1 };
                        painter.rect_filled(rect, 3.0, ctx.style.accent.gamma_multiply(strength));
                    }
                    draw_row(&painter, rect, image, &columns, name_end, size, ctx);
                    response.on_hover_ui(|ui| details(ui, image, names, self.test));
                }
            });
        });
        if focus.has_focus() {
            let frame = Stroke::new(1.0, ctx.style.accent);
            ui.painter_at(place).rect_stroke(body, 3.0, frame, StrokeKind::Inside);
        }
        if with_foot {
            let foot = Rect::from_min_max(pos2(place.left(), body.bottom()), place.max);
            let text = match at {
                Some(row) => in_words(&rows[order[row]], names, self.test),
                None => "Click an image to open it; ↑ and ↓ go on.".to_owned(),
            };
            ui.scope_builder(UiBuilder::new().max_rect(foot), |ui| {
                ui.shrink_clip_rect(foot);
                let shown = RichText::new(&text).size(size).color(ctx.style.text_weak);
                ui.add(Label::new(shown).truncate().selectable(false)).on_hover_text(text);
            });
        }
        chosen
    }

    /// Names of the columns: a click sorts by one, a second click turns the order around.
    fn head(&mut self, rect: Rect, columns: &[Column], ui: &Ui, ctx: &ViewCtx<'_>) {
        let size = tile::font_size(ctx.presenting);
        let painter = ui.painter_at(rect);
        let font = FontId::proportional(size);
        painter.text(rect.left_center(), Align2::LEFT_CENTER, "image", font.clone(), ctx.style.text_weak);
        for Column { measure, right } in columns {
            let sorted = *measure == self.by;
            let sign = match (sorted, measure.rises() != self.reversed) {
                (false, _) => "",
                (true, true) => "↑ ",
                (true, false) => "↓ ",
            };
            let color = if sorted { ctx.style.text } else { ctx.style.text_weak };
            let at = pos2(*right, rect.center().y);
            let text = format!("{sign}{}", measure.heading(series::unit(ctx)));
            let drawn = painter.text(at, Align2::RIGHT_CENTER, text, font.clone(), color);
            let id = ui.scope_id().with(("sort by", measure.column()));
            let response = ui.interact(drawn.expand(3.0), id, Sense::click());
            let spoken = format!("sort by {}", measure.column());
            response.widget_info(|| WidgetInfo::selected(Role::Button, true, sorted, spoken.as_str()));
            if response.clicked() {
                self.reversed = sorted && !self.reversed;
                self.by = *measure;
                self.reveal = Some(0);
            }
            response.on_hover_ui(|ui| {
                ui.set_max_width(26.0 * size);
                ui.label(measure.help());
                if *measure == Measure::Hd95 {
                    ui.label(distance_convention(ctx));
                }
                ui.label("Click: worst first; again: best first. Undefined ones stand at the end.");
            });
        }
    }

    /// Draws the histogram of Dice of the shown images; returns the place of the worst one in a bin that was clicked.
    fn draw_histogram(
        &self,
        place: Rect,
        (rows, order): (&[Row], &[usize]),
        interval: Option<[f64; 2]>,
        ui: &mut Ui,
        ctx: &ViewCtx<'_>,
    ) -> Option<usize> {
        let size = tile::font_size(ctx.presenting);
        let bins = if place.width() > 30.0 * size { 20 } else { 10 };
        let dice = |i: &usize| rows[*i].value(Measure::Dice);
        let found = scores::distribution(order.iter().map(dice), bins);
        let shown = |value: Option<f64>| value.map_or_else(|| "—".to_owned(), |value| format!("{value:.3}"));
        let summary = &found.summary;
        let digit = ui.fonts_mut(|fonts| fonts.glyph_width(&FontId::monospace(size - 0.5), '0'));
        let sure = interval.map_or_else(String::new, |[low, high]| format!(" [{low:.3}, {high:.3}]"));
        let mean = |sure: &str| format!("mean {}{sure}  median {}", shown(summary.mean), shown(found.median));
        let mut centre = mean(&sure);
        if centre.chars().count() as f32 * digit > place.width() {
            centre = mean("");
        }
        let mut spread = format!("std {} (ddof 1)  n {}", shown(summary.std_sample), summary.count);
        if summary.undefined > 0 {
            spread.push_str(&format!("  {} undefined", summary.undefined));
        }
        let one_line = (centre.len() + spread.len() + 2) as f32 * digit <= place.width();
        let text = format!("{centre}{}{spread}", if one_line { "  " } else { "\n" });
        let line = Rect::from_min_size(place.min, vec2(place.width(), if one_line { 1.7 } else { 2.9 } * size));
        ui.scope_builder(UiBuilder::new().max_rect(line), |ui| {
            ui.shrink_clip_rect(line);
            let help = format!(
                "{text}\nDice at the original size, over the images shown. Mean{sure}, {INTERVALS}. std: sample standard \
                 deviation over images (ddof 1); population (ddof 0): {}",
                shown(summary.std_population)
            );
            let shown = RichText::new(&text).font(FontId::monospace(size - 0.5)).color(ctx.style.text);
            let shown = Label::new(shown).selectable(false);
            ui.add(if one_line { shown.truncate() } else { shown.wrap() }).on_hover_text(help);
        });
        let mean =
            Line { value: summary.mean.unwrap_or(f64::NAN), name: "mean", color: ctx.style.text, dash: Dash::Solid };
        let median = Line {
            value: found.median.unwrap_or(f64::NAN),
            name: "median",
            color: ctx.style.text_weak,
            dash: Dash::Dashed,
        };
        let selected = order.iter().find(|&&i| self.selected.as_ref() == Some(&rows[i].image)).and_then(dice);
        let histogram = Histogram {
            name: "histogram of Dice",
            titles: Titles { x: "Dice", y: "images" },
            range: [0.0, 1.0],
            counts: &found.bins,
            selected: selected.map(|value| scores::bin_of(value, bins)),
            color: DICE.category(ctx.style, false).color,
            lines: &[mean, median],
            font_size: size,
        };
        let below = Rect::from_min_max(pos2(place.left(), line.bottom()), place.max);
        let bin = histogram.show(ui, below, ctx.style)?;
        let inside = |&at: &usize| dice(&order[at]).is_some_and(|value| scores::bin_of(value, bins) == bin);
        let lowest =
            |&a: &usize, &b: &usize| dice(&order[a]).partial_cmp(&dice(&order[b])).unwrap_or(std::cmp::Ordering::Equal);
        (0..order.len()).filter(inside).min_by(lowest)
    }
}

/// The columns for which there is room, Dice next to the names, and where the names end.
fn columns(left: f32, right: f32, digit: f32, size: f32, unit: Unit) -> (Vec<Column>, f32) {
    // The unit stands in the head.
    let digits = if unit == Unit::Pixels { 6.0 } else { 8.0 };
    let wide = digits * digit + 0.6 * size;
    let room = right - left;
    let rest = [Measure::Hd95, Measure::Iou, Measure::Assd, Measure::Hd, Measure::PlainDice];
    // Names and the bar of Dice come first.
    let fits = ((room - 17.0 * size - wide) / wide).floor().clamp(0.0, rest.len() as f32) as usize;
    let mut shown = vec![Measure::Dice];
    shown.extend(rest.into_iter().take(fits));
    let count = shown.len();
    let columns: Vec<Column> = shown
        .into_iter()
        .enumerate()
        .map(|(i, measure)| Column { measure, right: right - wide * (count - 1 - i) as f32 })
        .collect();
    let free = room - wide * count as f32;
    (columns, left + 0.62 * free)
}

fn draw_row(painter: &Painter, rect: Rect, row: &Row, columns: &[Column], name_end: f32, size: f32, ctx: &ViewCtx<'_>) {
    let style = ctx.style;
    let (words, digits) = (FontId::proportional(size), FontId::monospace(size));
    let middle = rect.center().y;
    let at = pos2(rect.left() + 2.0, middle);
    names::draw(painter, at, Align2::LEFT_CENTER, &row.image, words, style.text, name_end - at.x);
    for Column { measure, right } in columns {
        let value = row.value(*measure);
        let color = if value.is_some() { style.text } else { style.warning };
        let drawn = painter.text(
            pos2(*right, middle),
            Align2::RIGHT_CENTER,
            measure.text(value, row.unit),
            digits.clone(),
            color,
        );
        if *measure == Measure::Dice {
            let track = Rect::from_x_y_ranges(name_end + 0.5 * size..=drawn.left() - 0.5 * size, rect.y_range());
            let track = track.shrink2(vec2(0.0, 0.32 * rect.height()));
            if track.width() > 4.0 {
                painter.rect_filled(track, 2.0, style.rule.gamma_multiply(0.6));
                let share = value.unwrap_or(0.0).clamp(0.0, 1.0) as f32;
                let bar = track.with_max_x(track.left() + share * track.width());
                painter.rect_filled(bar, 2.0, DICE.category(style, false).color);
            }
        }
    }
}

/// The place that the arrow keys lead to.
fn moved(ui: &Ui, at: Option<usize>, count: usize) -> Option<usize> {
    let last = count.checked_sub(1)?;
    ui.input(|input| {
        let step = |key: Key, to: usize| input.key_pressed(key).then_some(to);
        step(Key::ArrowDown, at.map_or(0, |at| (at + 1).min(last)))
            .or(step(Key::ArrowUp, at.map_or(0, |at| at.saturating_sub(1))))
            .or(step(Key::PageDown, at.map_or(0, |at| (at + 10).min(last))))
            .or(step(Key::PageUp, at.map_or(0, |at| at.saturating_sub(10))))
            .or(step(Key::Home, 0))
            .or(step(Key::End, last))
    })
}

/// Names of the images on the wall, in its order.
fn wall_names(ctx: &ViewCtx<'_>) -> Vec<String> {
    common::text(ctx, "wall/names").map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default()
}

/// Why a click on this image opens nothing; `None`: it is on the wall.
fn not_on_the_wall(row: &Row, names: &[String], test: bool) -> Option<String> {
    match test {
        true => Some("not on the wall: outlines of test images are not recorded".to_owned()),
        false if names.contains(&row.image) => None,
        false => Some(format!(
            "not on the wall of {}, so its outline is not recorded; `wall_images` (images on the wall) takes up to 512",
            names.len()
        )),
    }
}

fn in_words(row: &Row, names: &[String], test: bool) -> String {
    match not_on_the_wall(row, names, test) {
        Some(why) => format!("{}: {why}", row.image),
        None => format!("{}: {} {} true / predicted", row.image, row.areas, area_word(row)),
    }
}

fn area_word(row: &Row) -> &'static str {
    match row.unit {
        Unit::Pixels => "pixels",
        Unit::Millimetres => "mm²",
    }
}

/// All that was measured of an image.
fn details(ui: &mut Ui, row: &Row, names: &[String], test: bool) {
    let class = if row.class.is_empty() { String::new() } else { format!(", {}", row.class) };
    ui.label(format!("{}{class}", row.image));
    for measure in Measure::ALL {
        let value =
            row.value(measure).map_or_else(|| "undefined".to_owned(), |value| measure.text(Some(value), row.unit));
        ui.label(format!("{} {value}", measure.with_unit(row.unit)));
    }
    ui.label(format!("area / predicted: {} {}", row.areas, area_word(row)));
    if let Some(why) = not_on_the_wall(row, names, test) {
        ui.label(why);
    }
}
