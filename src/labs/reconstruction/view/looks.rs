//! Where the network looks: what covering a place takes of its answer, and Grad-CAM, beside the lesions whose places are known.

use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{Align2, FontId, Rect, Sense, Slider, Ui, WidgetInfo, pos2};

use crate::engine::event::Payload;
use crate::engine::twin::TWIN;
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::wall::{Content, Key, Layer, Legend, Panel, Picture, Pictures, Recorded, beside};
use crate::kit::{empty, series};
use crate::plot::image_view::Lens;
use crate::plot::{number, tile};

use super::ReconstructionView;
use super::pictures::named;
use super::triptych::Lesions;

/// The tile.
pub static TILE: Tile<ReconstructionView> = Tile {
    spec: TileSpec {
        id: "looks",
        title: "Where it looks",
        help: "Two maps of what speaks for retinopathy in a picture. Occlusion: by how much the logit falls when a grey square covers \
               a place. Grad-CAM: the encoder's maps at an eighth of the side, weighed by how much the logit gains from each. Both \
               are drawn from 0 to their largest value. Below, how well they agree with the lesions within the field of view: whether the \
               largest value is at a lesion, how much more of the map is in lesions than by chance, AUC of pixels.",
        area: "large",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.looks.show(&mut view.triptych.selected, ui, ctx),
    commands: &[
        TileCommand {
            id: "looks-next",
            title: "Where it looks: next picture",
            run: |view, ctx, _| step(&mut view.triptych.selected, 1, named(ctx, "wall/names").len()),
        },
        TileCommand {
            id: "looks-previous",
            title: "Where it looks: previous picture",
            run: |view, ctx, _| step(&mut view.triptych.selected, -1, named(ctx, "wall/names").len()),
        },
        TileCommand {
            id: "looks-occlusion",
            title: "Where it looks: occlusion map on or off",
            run: |view, _, _| view.looks.hidden[0] ^= true,
        },
        TileCommand {
            id: "looks-cam",
            title: "Where it looks: Grad-CAM on or off",
            run: |view, _, _| view.looks.hidden[1] ^= true,
        },
        TileCommand {
            id: "looks-lesions",
            title: "Where it looks: outlines of lesions on or off",
            run: |view, _, _| view.looks.hide_lesions ^= true,
        },
        TileCommand {
            id: "looks-fit",
            title: "Where it looks: whole picture",
            run: |view, _, _| view.looks.lens.fit(),
        },
    ],
};

/// Keys and titles of the maps.
const MAPS: [(&str, &str); 2] = [("occlusion", "occlusion"), ("cam", "Grad-CAM")];

/// View state.
#[derive(Debug)]
pub struct Looks {
    pictures: Pictures,
    lens: Lens,
    original: Recorded,
    lesions: Lesions,
    /// Of [`MAPS`]; a hidden one shows the picture alone.
    hidden: [bool; 2],
    hide_lesions: bool,
    opacity: f32,
    twin: bool,
}

impl Default for Looks {
    fn default() -> Self {
        let (pictures, lens, original, lesions) = Default::default();
        Self { pictures, lens, original, lesions, hidden: [false; 2], hide_lesions: false, opacity: 0.6, twin: false }
    }
}

/// A square map at the cursor.
struct Map {
    key: Key,
    step: u64,
    side: usize,
    most: f32,
    payload: Arc<Payload>,
}

impl Map {
    fn at(ctx: &ViewCtx<'_>, key: &str) -> Option<Self> {
        let (step, payload) = ctx.payload(key)?;
        let Payload::Matrix { rows, cols, values } = &*payload else { return None };
        let side = *rows as usize;
        let whole = rows == cols && side > 0 && side.checked_mul(side) == Some(values.len());
        let most = values.iter().copied().fold(0.0, f32::max);
        whole.then(|| Self { key: Key::new((ctx.run.id, key), step), step, side, most, payload })
    }

    /// From 0 to its largest value; what is not above 0 is 0.
    fn layer(&self, opacity: f32) -> Layer<'_> {
        let values = if let Payload::Matrix { values, .. } = &*self.payload { &values[..] } else { &[] };
        let content = Content::Heat { values, most: self.most.max(f32::MIN_POSITIVE) };
        Layer { picture: Picture { key: self.key, size: [self.side; 2], content }, opacity }
    }
}

/// Pointing, ratio, AUC and chance of one picture.
fn agreement(ctx: &ViewCtx<'_>, key: &str, picture: usize) -> Option<[f32; 4]> {
    let (_, payload) = ctx.payload(key)?;
    let Payload::Matrix { cols: 4, values, .. } = &*payload else { return None };
    values.chunks_exact(4).nth(picture)?.try_into().ok()
}

/// Goes on by so many, round.
fn step(selected: &mut usize, by: isize, count: usize) {
    *selected = (*selected as isize + by).rem_euclid(count.max(1) as isize) as usize;
}

impl Looks {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.lens("lens", &mut self.lens);
        fields.value("hide_first", &mut self.hidden[0], false);
        fields.value("hide_second", &mut self.hidden[1], false);
        fields.value("hide_lesions", &mut self.hide_lesions, false);
        fields.share("opacity", &mut self.opacity, 0.6);
        fields.value("twin", &mut self.twin, false);
    }

    fn show(&mut self, selected: &mut usize, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let names = named(ctx, "wall/names");
        let twin = ctx.payload(&format!("{TWIN}explain/cam/map/0")).is_some();
        self.twin &= twin;
        let prefix = if self.twin { TWIN } else { "" };
        if names.is_empty() || ctx.payload(&format!("{prefix}explain/cam/map/0")).is_none() {
            return empty::measured(
                ui,
                ctx,
                "before training and then every so many steps (parameters `validate_every`, `explain_every`)",
            );
        }
        *selected = (*selected).min(names.len() - 1);
        let maps = MAPS.map(|(key, _)| Map::at(ctx, &format!("{prefix}explain/{key}/map/{selected}")));
        self.original.follow(ctx, &format!("wall/original/{selected}"));
        self.lesions.follow(*selected, ctx);
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let (bar, rest) = tile::split(ui, size);
        let name = &names[*selected];
        let grade = name.grade.map_or("no grade".to_owned(), |grade| format!("grade {grade}"));
        let whose = if self.twin { "twin, " } else { "" };
        tile::bar(ui, bar, tile::weak(format!("{whose}{}, {grade}", name.name), size, style), |ui| {
            if tile::button(
                ui,
                self.lens.is_zoomed(),
                "fit",
                "Show the whole picture (double-click does the same)",
                size,
            ) {
                self.lens.fit();
            }
            if tile::button(ui, true, "next", "Next picture of the wall", size) {
                step(selected, 1, names.len());
            }
            if tile::button(ui, true, "previous", "Previous picture of the wall", size) {
                step(selected, -1, names.len());
            }
            tile::menu(ui, "maps", "What is drawn, and how strongly", size, |ui| self.menu(ui));
            if twin && tile::toggle(ui, self.twin, "twin", "Show the twin's maps", size) {
                self.twin = !self.twin;
            }
        });
        let line = 1.5 * size;
        let table = if rest.height() > 17.0 * size { 4.6 * line } else { 0.0 };
        let foot = 1.6 * size;
        let below = rest.bottom() - table - foot;
        let above = Rect::from_min_max(rest.min, pos2(rest.right(), below));
        let agreements = MAPS.map(|(key, _)| agreement(ctx, &format!("{prefix}explain/{key}/agreement"), *selected));
        self.draw(&maps, &agreements, &name.name, above, ui, ctx);
        let lines = if self.hide_lesions { Vec::new() } else { Lesions::marks() };
        let legend = Legend { lines, heat: Some(("map 0", "its largest value".to_owned())), ..Legend::default() };
        legend.show(ui, Rect::from_min_max(pos2(rest.left(), below), pos2(rest.right(), below + foot)), style, size);
        if table > 0.0 {
            let place = Rect::from_min_max(pos2(rest.left(), below + foot), rest.max);
            write(&agreements, prefix, place, line, ui, ctx);
        }
    }

    fn menu(&mut self, ui: &mut Ui) {
        for ((_, title), hidden) in MAPS.iter().zip(&mut self.hidden) {
            let mut shown = !*hidden;
            if ui.checkbox(&mut shown, *title).on_hover_text("Draws this map over its picture").changed() {
                *hidden = !shown;
            }
        }
        let mut lesions = !self.hide_lesions;
        if ui.checkbox(&mut lesions, "outlines of lesions").on_hover_text("On all three pictures").changed() {
            self.hide_lesions = !lesions;
        }
        ui.add(Slider::new(&mut self.opacity, 0.0..=1.0).text("opacity of maps").max_decimals(2))
            .on_hover_text("0: the picture alone, 1: the map alone");
    }

    fn draw(
        &mut self,
        maps: &[Option<Map>; 2],
        agreements: &[Option<[f32; 4]>; 2],
        name: &str,
        rect: Rect,
        ui: &Ui,
        ctx: &ViewCtx<'_>,
    ) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let Self { pictures, lens, original, lesions, hidden, hide_lesions, opacity, .. } = self;
        for (k, place) in beside(rect, 3, 0.6 * size).enumerate() {
            let (title, said, layer) = match k.checked_sub(1) {
                None => ("original".to_owned(), format!("original of {name}"), None),
                Some(map) => {
                    let title = MAPS[map].1;
                    match &maps[map] {
                        None => (format!("{title}: not yet"), format!("no {title} of {name} yet"), None),
                        Some(found) => (
                            format!("{title}, step {}", number::grouped(found.step)),
                            format!("{title} of {name}: {}", in_words(agreements[map])),
                            (!hidden[map]).then(|| found.layer(*opacity)),
                        ),
                    }
                }
            };
            let view = tile::panel_heading(&ui.painter_at(place), place, &title, size, style);
            if !view.is_positive() {
                continue;
            }
            let response = ui.interact(view, ui.scope_id().with(("look", k)), Sense::click_and_drag());
            response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));
            let panel = Panel {
                picture: original.picture(),
                layers: layer.into_iter().collect(),
                outlines: if *hide_lesions { Vec::new() } else { lesions.outlines() },
            };
            if pictures.panel(ui, view, lens, &panel).is_none() {
                let font = FontId::proportional(size);
                ui.painter_at(view).text(view.center(), Align2::CENTER_CENTER, "being read …", font, style.text_weak);
            }
            if let Some(pixels) = original.size() {
                lens.interact(ui, &response, view, pixels);
            }
        }
    }
}

/// Of one picture.
fn in_words(agreement: Option<[f32; 4]>) -> String {
    match agreement {
        Some([_, _, _, chance]) if chance.is_nan() => "no known lesion".to_owned(),
        Some(row) => format!("{}, {}, AUC {}", pointing(row[0]), times(f64::from(row[1])), share(f64::from(row[2]))),
        None => "not compared with lesions".to_owned(),
    }
}

fn pointing(hit: f32) -> &'static str {
    if hit.is_nan() {
        "nowhere"
    } else if hit > 0.5 {
        "at a lesion"
    } else {
        "elsewhere"
    }
}

fn times(ratio: f64) -> String {
    if ratio.is_nan() { "—".to_owned() } else { format!("{ratio:.1} ×") }
}

fn share(value: f64) -> String {
    if value.is_nan() { "—".to_owned() } else { format!("{value:.2}") }
}

/// Agreement of both maps with the lesions: of this picture, mean of the ill ones, by chance.
fn write(agreements: &[Option<[f32; 4]>; 2], prefix: &str, rect: Rect, line: f32, ui: &Ui, ctx: &ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let painter = ui.painter_at(rect);
    let (mono, words) = (FontId::monospace(size), FontId::proportional(size));
    let first = (7.0 * size).min(0.16 * rect.width());
    let column = (rect.width() - first) / 6.0;
    let put = |row: f32, k: usize, text: &str, font: &FontId, color| {
        let at = pos2(rect.left() + first + column * (k + 1) as f32, rect.top() + row * line);
        painter.text(at, Align2::RIGHT_TOP, text, font.clone(), color);
    };
    let begin = |row: f32, text: &str| {
        painter.text(pos2(rect.left(), rect.top() + row * line), Align2::LEFT_TOP, text, words.clone(), style.text);
    };
    for (k, head) in ["largest", "in lesions", "AUC", "at lesions", "in lesions", "AUC"].iter().enumerate() {
        put(0.8, k, head, &words, style.text_weak);
    }
    put(0.0, 2, "this picture", &words, style.text);
    put(0.0, 5, "mean of the ill ones", &words, style.text);
    let value = |key: String| series::value(ctx, &key).unwrap_or(f64::NAN);
    let percent = |value: f64| if value.is_nan() { "—".to_owned() } else { format!("{:.0} %", 100.0 * value) };
    let mut chances = [f64::NAN; 2];
    for (row, ((key, title), found)) in MAPS.iter().zip(agreements).enumerate() {
        let y = 1.6 + 0.85 * row as f32;
        begin(y, title);
        let [hit, ratio, auc, chance] = found.unwrap_or([f32::NAN; 4]);
        let largest = if chance.is_nan() { "—" } else { pointing(hit) };
        let mean = |what: &str| value(format!("{prefix}explain/{key}/{what}"));
        let cells = [
            largest.to_owned(),
            times(f64::from(ratio)),
            share(f64::from(auc)),
            percent(mean("pointing")),
            times(mean("ratio")),
            share(mean("auc")),
        ];
        cells.iter().enumerate().for_each(|(k, cell)| put(y, k, cell, &mono, style.text));
        if !chance.is_nan() {
            chances[0] = f64::from(chance);
        }
        let of_all = mean("chance");
        if !of_all.is_nan() {
            chances[1] = of_all;
        }
    }
    let y = 1.6 + 0.85 * 2.0;
    painter.text(
        pos2(rect.left(), rect.top() + y * line),
        Align2::LEFT_TOP,
        "by chance",
        words.clone(),
        style.text_weak,
    );
    for (k, chance) in chances.into_iter().enumerate() {
        let known = !chance.is_nan();
        let cells =
            [percent(chance), times(if known { 1.0 } else { f64::NAN }), share(if known { 0.5 } else { f64::NAN })];
        cells.iter().enumerate().for_each(|(i, cell)| put(y, 3 * k + i, cell, &mono, style.text_weak));
    }
}
