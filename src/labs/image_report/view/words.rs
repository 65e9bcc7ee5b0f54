//! Where each word of a report looks, and which words a region speaks for.

mod field;

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, Color32, CursorIcon, FontId, Label, Rect, Response, RichText, ScrollArea, Sense, Slider, Stroke, Ui,
    UiBuilder, WidgetInfo, vec2,
};

use crate::engine::twin::TWIN;
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::wall::{Content, Key, Layer, Panel, Picture, Pictures, Recorded};
use crate::plot::image_view::{Lens, pixel_at};
use crate::plot::picture::draw_box;
use crate::plot::style::{Dash, Style};
use crate::plot::{number, tile};
use crate::text::tags::Tag;

use super::ImageReportView;
use super::flow::{Flow, Look};
use super::pairs::{self, Pair, Scores, Word};
pub use field::gradient;
use field::{Field, READINGS, Reading, colors, notes};

/// The tile.
pub static TILE: Tile<ImageReportView> = Tile {
    spec: TileSpec {
        id: "words",
        title: "Words and regions",
        help: "Point at a word to see over the image how it scores each region, click to keep it; point at a region \
               to see how it scores each word. Raw: inner products of word and region. Attention: their softmax over \
               regions, which in GLoRIA's mode is soft by construction, since no region can weigh more than 54.6 times \
               another; drawn from 0 to the largest of this report. Sharp: the same attention, each word from its \
               least to its largest, which shows an order however small the differences. Underlined words name a \
               finding whose place is known; the share of attention within its box is compared with the box's area.",
        area: "large",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.words.show(&mut view.selected, ui, ctx),
    commands: &[
        TileCommand {
            id: "words-next",
            title: "Words and regions: next pair",
            run: |view, ctx, _| pairs::step(&mut view.selected, 1, pairs::count(ctx)),
        },
        TileCommand {
            id: "words-previous",
            title: "Words and regions: previous pair",
            run: |view, ctx, _| pairs::step(&mut view.selected, -1, pairs::count(ctx)),
        },
        TileCommand {
            id: "words-next-word",
            title: "Words and regions: next word",
            run: |view, ctx, _| view.words.keep_next(view.selected, 1, ctx),
        },
        TileCommand {
            id: "words-previous-word",
            title: "Words and regions: previous word",
            run: |view, ctx, _| view.words.keep_next(view.selected, -1, ctx),
        },
        TileCommand {
            id: "words-raw",
            title: "Words and regions: raw scores",
            run: |view, _, _| view.words.reading = Reading::Raw,
        },
        TileCommand {
            id: "words-attention",
            title: "Words and regions: attention",
            run: |view, _, _| view.words.reading = Reading::Attention,
        },
        TileCommand {
            id: "words-sharp",
            title: "Words and regions: attention, sharp",
            run: |view, _, _| view.words.reading = Reading::Sharp,
        },
        TileCommand {
            id: "words-grid",
            title: "Words and regions: lines between regions on or off",
            run: |view, _, _| view.words.grid ^= true,
        },
        TileCommand {
            id: "words-classes",
            title: "Words and regions: colours of word classes on or off",
            run: |view, _, _| view.words.classes ^= true,
        },
        TileCommand {
            id: "words-twin",
            title: "Words and regions: run or twin",
            run: |view, _, _| view.words.twin ^= true,
        },
        TileCommand {
            id: "words-fit",
            title: "Words and regions: whole image",
            run: |view, _, _| view.words.lens.fit(),
        },
    ],
};

const WHEN: &str = "of the pairs on screen, before training and then every so many steps (parameter `show_every`)";

/// View state.
#[derive(Debug)]
pub struct Words {
    pictures: Pictures,
    lens: Lens,
    original: Recorded,
    reading: Reading,
    /// Pair and word that stay on the image while the pointer is elsewhere.
    kept: Option<(usize, usize)>,
    opacity: f32,
    grid: bool,
    classes: bool,
    twin: bool,
}

impl Default for Words {
    fn default() -> Self {
        let (pictures, lens, original) = Default::default();
        let (reading, opacity) = (Reading::Attention, 0.6);
        Self { pictures, lens, original, reading, kept: None, opacity, grid: false, classes: false, twin: false }
    }
}

impl Words {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.lens("lens", &mut self.lens);
        let read = |text: &str| READINGS.iter().find(|(_, name, ..)| *name == text).map(|(reading, ..)| *reading);
        let write = |reading: &Reading| {
            READINGS.iter().find(|(known, ..)| known == reading).map_or("", |(_, name, ..)| name).to_owned()
        };
        fields.text("reading", &mut self.reading, Reading::Attention, write, read);
        let write =
            |kept: &Option<(usize, usize)>| kept.map_or_else(String::new, |(pair, word)| format!("{pair} {word}"));
        let read = |text: &str| {
            let (pair, word) = text.split_once(' ')?;
            Some(Some((pair.parse().ok()?, word.parse().ok()?)))
        };
        fields.text("kept", &mut self.kept, None, write, read);
        fields.share("opacity", &mut self.opacity, 0.6);
        fields.value("grid", &mut self.grid, false);
        fields.value("classes", &mut self.classes, false);
        fields.value("twin", &mut self.twin, false);
    }

    fn show(&mut self, selected: &mut usize, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let count = pairs::count(ctx);
        *selected = (*selected).min(count.saturating_sub(1));
        let twin = ctx.payload(&format!("{TWIN}attention/weights/{selected}")).is_some();
        self.twin &= twin;
        let prefix = if self.twin { TWIN } else { "" };
        let field = Field::at(ctx, prefix, self.reading, *selected);
        let (Some(pair), Some(field)) = (pairs::pair(ctx, *selected), field) else {
            return empty::measured(ui, ctx, WHEN);
        };
        self.original.follow(ctx, &format!("pair/image/{selected}"));
        let size = tile::font_size(ctx.presenting);
        let (bar, rest) = tile::split(ui, size);
        let current = *selected;
        self.bar(bar, &pair, &field, twin, (selected, count), ui, ctx);
        if rest.width() < 8.0 * size || rest.height() < 8.0 * size {
            return;
        }
        let gap = size;
        let (view, text) = if rest.width() > 1.25 * rest.height() {
            let width = (rest.height() - 1.7 * size).min(0.56 * rest.width());
            let middle = rest.left() + width;
            (rest.with_max_x(middle), rest.with_min_x(middle + gap))
        } else {
            let middle = rest.top() + (0.6 * rest.height()).min(rest.width() + 1.7 * size);
            (rest.with_max_y(middle), rest.with_min_y(middle + 0.4 * gap))
        };
        let key = view.with_min_y(view.bottom() - 1.7 * size);
        let view = view.with_max_y(key.top());
        let response = ui.interact(view, ui.scope_id().with("words picture"), Sense::click_and_drag());
        let region = self.region(&response, view, &field);
        let shown = self.paragraph(text, &pair, &field, region, current, ui, ctx);
        self.picture(view, &response, &pair, &field, shown, region, (prefix, current), ui, ctx);
        colors(key, &field, shown, ui, ctx);
    }

    #[expect(clippy::too_many_arguments, reason = "what is drawn, where and with what")]
    fn bar(
        &mut self,
        rect: Rect,
        pair: &Pair,
        field: &Field,
        twin: bool,
        (selected, count): (&mut usize, usize),
        ui: &mut Ui,
        ctx: &ViewCtx<'_>,
    ) {
        let size = tile::font_size(ctx.presenting);
        let Scores { step, words, .. } = field.scores;
        let whose = if self.twin { "twin, " } else { "" };
        let about = format!(
            "W = {words} words, R = {} regions · {whose}{} · step {}",
            field.scores.regions(),
            pair.name,
            number::grouped(step)
        );
        tile::bar(ui, rect, tile::weak(about, size, ctx.style), |ui| {
            let help = "Show the whole image (double-click does the same)";
            if tile::button(ui, self.lens.is_zoomed(), "fit", help, size) {
                self.lens.fit();
            }
            if tile::button(ui, count > 1, "next", "Next pair", size) {
                pairs::step(selected, 1, count);
            }
            if tile::button(ui, count > 1, "previous", "Previous pair", size) {
                pairs::step(selected, -1, count);
            }
            tile::menu(ui, "view", "What is drawn, and how strongly", size, |ui| {
                ui.add(Slider::new(&mut self.opacity, 0.0..=1.0).text("opacity of the map").max_decimals(2))
                    .on_hover_text("0: the image alone, 1: the map alone");
                ui.checkbox(&mut self.grid, "lines between regions").on_hover_text("Where one region ends");
                ui.checkbox(&mut self.classes, "colours of word classes").on_hover_text("Noun, adjective, verb");
            });
            for (reading, name, _, help) in READINGS.into_iter().rev() {
                if tile::toggle(ui, self.reading == reading, name, help, size) {
                    self.reading = reading;
                }
            }
            if twin && tile::toggle(ui, self.twin, "twin", "Show the twin's scores", size) {
                self.twin = !self.twin;
            }
        });
    }

    /// The region under the pointer.
    fn region(&self, response: &Response, view: Rect, field: &Field) -> Option<usize> {
        let pointer = response.hover_pos().filter(|_| response.hovered())?;
        let side = field.scores.side;
        let [x, y] = pixel_at(self.lens.place(view, self.original.size()?), [side; 2], pointer)?;
        Some(y * side + x)
    }

    /// The notes and the report; returns the word whose map is shown.
    #[expect(clippy::too_many_arguments, reason = "what is drawn, where and with what")]
    fn paragraph(
        &mut self,
        rect: Rect,
        pair: &Pair,
        field: &Field,
        region: Option<usize>,
        selected: usize,
        ui: &mut Ui,
        ctx: &ViewCtx<'_>,
    ) -> Option<usize> {
        let size = tile::font_size(ctx.presenting);
        let kept = self.kept.filter(|(of, word)| *of == selected && *word < pair.words.len()).map(|(_, word)| word);
        let first = || pair.words.iter().position(|word| word.place.is_some());
        let usual = kept.or_else(first);
        if !rect.is_positive() {
            return usual;
        }
        let mut shown = usual;
        ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
            ui.shrink_clip_rect(rect);
            ScrollArea::vertical().id_salt("report").auto_shrink(false).show(ui, |ui| {
                let room = [(rect.width() - size).max(1.0), 0.6 * rect.height()];
                let texts = pair.words.iter().map(|word| word.text.as_str());
                let (flow, type_size) = Flow::largest(ui.painter(), texts, room, size + 1.0);
                let (area, _) = ui.allocate_exact_size(vec2(room[0], flow.height), Sense::hover());
                for (i, word) in pair.words.iter().enumerate() {
                    let Some(place) = flow.place(i, area.min) else { continue };
                    let response = word_button(place, i, word, kept == Some(i), ui);
                    if response.clicked() {
                        self.kept = (kept != Some(i)).then_some((selected, i));
                    }
                    if response.hovered() || response.has_focus() {
                        shown = Some(i);
                    }
                }
                let look = |i: usize| self.look(i, pair, field, region, shown, ctx.style);
                flow.draw(ui.painter(), area.min, type_size, ctx.style.text_weak, look);
                ui.add_space(0.6 * size);
                if self.classes {
                    class_names(ui, size, ctx.style);
                }
                let twin = ctx.run.twin.as_ref().filter(|_| self.twin);
                for (text, warns) in notes(pair, field, region, shown, twin, ctx) {
                    let color = if warns { ctx.style.warning } else { ctx.style.text };
                    ui.add(Label::new(RichText::new(text).size(size + 0.5).color(color)).wrap().selectable(false));
                }
            });
        });
        shown
    }

    fn look(
        &self,
        i: usize,
        pair: &Pair,
        field: &Field,
        region: Option<usize>,
        shown: Option<usize>,
        style: &Style,
    ) -> Look {
        let Some(word) = pair.words.get(i) else {
            return Look { color: style.text, fill: Color32::TRANSPARENT, underline: None };
        };
        let plain = if self.classes { class_color(word.class, style) } else { style.text };
        let (color, fill) = match region {
            Some(region) => {
                let fill = field.color(i, region);
                (if fill == Color32::TRANSPARENT { style.text_weak } else { readable_on(fill) }, fill)
            }
            None if shown == Some(i) => (plain, style.accent.gamma_multiply(0.4)),
            None => (plain, Color32::TRANSPARENT),
        };
        Look { color, fill, underline: word.place.map(|_| (style.accent, Dash::Solid)) }
    }

    #[expect(clippy::too_many_arguments, reason = "what is drawn, where and with what")]
    fn picture(
        &mut self,
        view: Rect,
        response: &Response,
        pair: &Pair,
        field: &Field,
        shown: Option<usize>,
        region: Option<usize>,
        (prefix, selected): (&str, usize),
        ui: &Ui,
        ctx: &ViewCtx<'_>,
    ) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let word = shown.and_then(|i| pair.words.get(i));
        let said = match word {
            Some(word) => format!("{} of “{}” over {}", field.reading.name(), word.text, pair.name),
            None => format!("image of {}: point at a word", pair.name),
        };
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));
        let side = field.scores.side;
        let layer = shown.filter(|i| !field.scores.of_word(*i).is_empty()).map(|i| {
            let version = (field.scores.step, i, field.reading, style.dark);
            let key = Key::new((ctx.run.id, "attention map", prefix, selected), version);
            let content = Content::Colors(Box::new(move |x, y| field.color(i, y * side + x)));
            Layer { picture: Picture { key, size: [side; 2], content }, opacity: self.opacity }
        });
        let painter = ui.painter_at(view);
        painter.rect_filled(view, 0.0, style.plot_background);
        let panel =
            Panel { picture: self.original.picture(), layers: layer.into_iter().collect(), outlines: Vec::new() };
        let Some(placed) = self.pictures.panel(ui, view, &self.lens, &panel) else {
            let font = FontId::proportional(size);
            painter.text(view.center(), Align2::CENTER_CENTER, "being read …", font, style.text_weak);
            return;
        };
        let line = |k: usize, low: f32, high: f32| low + (high - low) * k as f32 / side as f32;
        if self.grid {
            let stroke = Stroke::new(1.0, Color32::from_white_alpha(70));
            for k in 1..side {
                painter.vline(line(k, placed.left(), placed.right()), placed.y_range(), stroke);
                painter.hline(placed.x_range(), line(k, placed.top(), placed.bottom()), stroke);
            }
        }
        if let Some([x0, y0, x1, y1]) = word.and_then(|word| word.place) {
            draw_box(&painter, placed, [1.0; 2], [x0, y0, x1 - x0, y1 - y0], style.accent, 2.0);
        }
        if let Some(region) = region {
            let step = 1.0 / side as f32;
            let at = [(region % side) as f32 * step, (region / side) as f32 * step, step, step];
            draw_box(&painter, placed, [1.0; 2], at, Color32::WHITE, 1.0);
        }
        if let Some(pixels) = self.original.size() {
            self.lens.interact(ui, response, view, pixels);
        }
    }

    /// Keeps the word so many places after the one that is kept.
    fn keep_next(&mut self, selected: usize, by: isize, ctx: &ViewCtx<'_>) {
        let Some(pair) = pairs::pair(ctx, selected) else { return };
        let first = pair.words.iter().position(|word| word.place.is_some());
        let kept = self.kept.filter(|(of, _)| *of == selected).map(|(_, word)| word).or(first);
        let last = pair.words.len().saturating_sub(1);
        let mut word = kept.unwrap_or(if by > 0 { last } else { 0 }).min(last);
        pairs::step(&mut word, by, pair.words.len());
        self.kept = Some((selected, word));
    }
}

/// A word that can be pointed at.
fn word_button(place: Rect, i: usize, word: &Word, kept: bool, ui: &Ui) -> Response {
    let known = if word.place.is_some() { ", its place is known" } else { "" };
    let said = format!("{}, {}{known}", word.text, pairs::class_name(word.class));
    let response = ui.interact(place.expand2(vec2(2.0, 0.0)), ui.scope_id().with(("word", i)), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, kept, &said));
    response.on_hover_cursor(CursorIcon::PointingHand)
}

/// The colour of a word's class; other words are weak.
fn class_color(class: Tag, style: &Style) -> Color32 {
    let color = |i: usize| style.category(i).color.lerp_to_gamma(style.text, if style.dark { 0.1 } else { 0.45 });
    match class {
        Tag::Noun => color(4),
        Tag::Adjective => color(1),
        Tag::Verb => color(3),
        Tag::Other => style.text_weak,
    }
}

/// The names of the classes in their colours.
fn class_names(ui: &mut Ui, size: f32, style: &Style) {
    ui.horizontal_wrapped(|ui| {
        for class in Tag::ALL {
            let text = RichText::new(pairs::class_name(class)).size(size + 0.5).color(class_color(class, style));
            ui.add(Label::new(text).selectable(false));
        }
    });
}

/// Black or white, whichever is read on this colour.
fn readable_on(fill: Color32) -> Color32 {
    let light = 0.299 * f32::from(fill.r()) + 0.587 * f32::from(fill.g()) + 0.114 * f32::from(fill.b());
    if light > 140.0 { Color32::BLACK } else { Color32::WHITE }
}
