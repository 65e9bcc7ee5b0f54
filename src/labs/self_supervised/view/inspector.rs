//! The augmentation inspector: pictures with the crop boxes of their two views, the views, and what was drawn for them.

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, FontId, Rect, ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::engine::event::Payload;
use crate::kit::empty;
use crate::kit::view::ViewCtx;
use crate::labs::self_supervised::inspect::COLUMNS;
use crate::labs::self_supervised::trainer::VIEWS;
use crate::plot::picture::{self, Sheet};
use crate::plot::{number, tile};

use super::SelfSupervisedView;
use crate::kit::tiles::{Tile, TileSpec};

/// The tile.
pub static TILE: Tile<SelfSupervisedView> = Tile {
    spec: TileSpec {
        id: "views",
        title: "Views",
        help: "The augmentation inspector: pictures with the crop boxes of both views, the views, and what was \
               drawn for them.",
        area: "features",
        follows_cursor: true,
    },
    show: |view, ui, ctx| self::ui(&mut view.inspector, ui, ctx),
    commands: &[],
};

/// View state of the tile.
#[derive(Debug, Default)]
pub struct Inspector {
    sheet: Sheet,
}

/// What was drawn for one view, in words, one fact a line.
#[derive(Debug, Clone, PartialEq, Default)]
struct Drawn {
    /// Left, top, width, height in pixels of the picture.
    crop: [f32; 4],
    facts: Vec<String>,
}

/// One picture: its index in the set, its class, its two views.
#[derive(Debug, Clone, PartialEq, Default)]
struct Card {
    picture: String,
    class: String,
    views: [Drawn; VIEWS],
}

/// Reads the table; rows that do not fit are left out.
fn cards(columns: &[String], rows: &[Vec<String>]) -> Vec<Card> {
    let at = |row: &[String], name: &str| -> String {
        columns.iter().position(|c| c == name).and_then(|i| row.get(i)).cloned().unwrap_or_default()
    };
    let drawn = |row: &[String]| {
        let number = |name: &str| at(row, name).parse::<f32>().unwrap_or(0.0);
        let mut facts = Vec::new();
        let [
            _,
            _,
            _,
            left,
            top,
            width,
            height,
            flip,
            invert,
            brightness,
            contrast,
            saturation,
            hue,
            grey,
            blur,
            solarise,
        ] = COLUMNS;
        for (name, said) in [(flip, "flipped"), (invert, "inverted"), (grey, "grey"), (solarise, "solarised")] {
            if at(row, name) == "yes" {
                facts.push(said.to_owned());
            }
        }
        for (name, said) in [(brightness, "bright"), (contrast, "contrast"), (saturation, "satur."), (hue, "hue")] {
            if let Ok(factor) = at(row, name).parse::<f64>() {
                let sign = if name == hue { "" } else { "× " };
                facts.push(format!("{said} {sign}{}", format!("{factor:.2}").replace('-', "−")));
            }
        }
        if let Ok(sigma) = at(row, blur).parse::<f64>() {
            facts.push(format!("blur {sigma:.2} px"));
        }
        Drawn { crop: [number(left), number(top), number(width), number(height)], facts }
    };
    rows.chunks_exact(VIEWS)
        .map(|pair| Card {
            picture: at(&pair[0], COLUMNS[0]),
            class: at(&pair[0], COLUMNS[1]),
            views: std::array::from_fn(|view| drawn(&pair[view])),
        })
        .collect()
}

/// Draws the tile.
pub fn ui(state: &mut Inspector, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
    let (sample, draws) = (ctx.payload("views/sample"), ctx.payload("views/draws"));
    let (Some((step, sample)), Some((_, draws))) = (sample, draws) else {
        return empty::measured(ui, ctx, "before training and then every so many steps (parameter `probe_every`)");
    };
    let (Payload::Image { width, height, rgba }, Payload::Table { columns, rows }) = (&*sample, &*draws) else {
        return;
    };
    let cards = cards(columns, rows);
    let sheet = [*width as usize, *height as usize];
    // One column a picture; rows: the picture and its views.
    let cell = [sheet[0] / cards.len().max(1), sheet[1] / (1 + VIEWS)];
    if cards.is_empty() || cell.contains(&0) || !state.sheet.set(ui, "views", &sample, sheet, rgba) {
        return empty::measured(ui, ctx, "before training and then every so many steps");
    }
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let (bar, rest) = tile::split(ui, size);
    let about = format!("pictures of the batch of step {}, and what the network saw of them", number::grouped(step));
    tile::bar(ui, bar, tile::weak(about, size, style), |_| {});
    if rest.width() < 6.0 * size || rest.height() < 4.0 * size {
        return;
    }
    let gap = 0.6 * size;
    let between = 1.8 * size;
    // As many cards side by side as leave each picture at least 7.5 characters wide.
    let least = 3.0 * 7.5 * size + 2.0 * gap;
    let across = (((rest.width() + between) / (least + between)) as usize).clamp(1, cards.len());
    let card_width = (rest.width() - 0.8 * size - between * (across - 1) as f32) / across as f32;
    let edge = ((card_width - 2.0 * gap) / 3.0).min(12.0 * size).floor();
    let lines = cards.iter().flat_map(|card| &card.views).map(|view| view.facts.len()).max().unwrap_or(0);
    let picture_height = edge * cell[1] as f32 / cell[0] as f32;
    let card_height = 1.5 * size + picture_height + 1.35 * size * (1 + lines) as f32 + size;

    ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
        ScrollArea::vertical().id_salt("views").auto_shrink([false, false]).show(ui, |ui| {
            let down = cards.len().div_ceil(across);
            let (all, _) = ui.allocate_exact_size(vec2(rest.width() - size, card_height * down as f32), Sense::hover());
            for (index, card) in cards.iter().enumerate() {
                let (column, row) = ((index % across) as f32, (index / across) as f32);
                let at = all.min + vec2(column * (card_width + between), row * card_height);
                let place = Rect::from_min_size(at, vec2(card_width, card_height));
                if ui.is_rect_visible(place) {
                    draw(&state.sheet, card, index, place, [edge, picture_height], cell, ui, ctx);
                }
            }
        });
    });
}

/// Colours of the two views, in every tile that tells them apart.
const VIEW_COLORS: [usize; VIEWS] = [1, 4];

#[expect(clippy::too_many_arguments, reason = "what is drawn, where and how")]
fn draw(
    sheet: &Sheet,
    card: &Card,
    index: usize,
    place: Rect,
    [edge, high]: [f32; 2],
    cell: [usize; 2],
    ui: &Ui,
    ctx: &ViewCtx<'_>,
) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let painter = ui.painter_at(place.expand(3.0));
    let gap = 0.6 * size;
    let small = FontId::proportional(size);
    let colors = VIEW_COLORS.map(|i| style.category(i).color);
    for column in 0..=VIEWS {
        let left = place.left() + column as f32 * (edge + gap);
        let rect = Rect::from_min_size(pos2(left, place.top() + 1.5 * size), vec2(edge, high));
        sheet.draw(&painter, rect, [index * cell[0], column * cell[1], cell[0], cell[1]]);
        let pixels = cell.map(|v| v as f32);
        let heading = pos2(left, place.top() + 1.2 * size);
        let response = ui.interact(rect, ui.scope_id().with(("view", index, column)), Sense::hover());
        if column == 0 {
            for (view, color) in card.views.iter().zip(colors) {
                picture::draw_box(&painter, rect, pixels, view.crop, color, 1.5);
            }
            painter.rect_stroke(rect, 0.0, Stroke::new(1.0, style.rule), StrokeKind::Outside);
            let clip = painter.with_clip_rect(Rect::from_min_max(place.min, pos2(left + edge + gap, rect.top())));
            clip.text(heading, Align2::LEFT_BOTTOM, &card.class, small.clone(), style.text);
            let text = format!("picture {}, {}", card.picture, card.class);
            response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &text));
            response.on_hover_text(text);
            continue;
        }
        let (view, color) = (&card.views[column - 1], colors[column - 1]);
        painter.rect_stroke(rect, 0.0, Stroke::new(1.5, color), StrokeKind::Outside);
        painter.text(heading, Align2::LEFT_BOTTOM, format!("view {column}"), small.clone(), color);
        let share = view.crop[2] * view.crop[3] / (pixels[0] * pixels[1]);
        let area = format!("crop {:.0} %", 100.0 * share);
        let clip = painter.with_clip_rect(Rect::from_min_max(
            pos2(left - 1.0, rect.bottom()),
            pos2(left + edge + 0.5 * gap, place.bottom()),
        ));
        for (line, fact) in std::iter::once(&area).chain(&view.facts).enumerate() {
            let at = pos2(left, rect.bottom() + 0.4 * size + 1.35 * size * line as f32);
            clip.text(at, Align2::LEFT_TOP, fact, small.clone(), style.text_weak);
        }
        let text = format!("view {column} of {}: {area}, {}", card.class, view.facts.join(", "));
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &text));
        response.on_hover_text(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_by_the_names_of_its_columns() {
        let columns = COLUMNS.map(str::to_owned);
        let row = |view: &str, flip: &str, brightness: &str| {
            let (blur, solarised) = if view == "1" { ("0.700", "yes") } else { ("", "no") };
            [
                "12", "ring", view, "1.00", "2.00", "8.00", "4.00", flip, "no", brightness, "", "", "", "no", blur,
                solarised,
            ]
            .map(str::to_owned)
            .to_vec()
        };
        let found = cards(&columns, &[row("1", "yes", "1.210"), row("2", "no", ""), row("1", "no", "")]);
        assert_eq!(found.len(), 1, "half a pair is left out");
        assert_eq!((found[0].picture.as_str(), found[0].class.as_str()), ("12", "ring"));
        assert_eq!(found[0].views[0].crop, [1.0, 2.0, 8.0, 4.0]);
        assert_eq!(found[0].views[0].facts, ["flipped", "solarised", "bright × 1.21", "blur 0.70 px"]);
        assert!(found[0].views[1].facts.is_empty());
    }
}
