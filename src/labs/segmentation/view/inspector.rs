//! The inspector: the selected image large, what is under the pointer, all metrics of this image, and the pair of border
//! points that a Hausdorff distance comes from.

use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, Color32, ComboBox, FontId, Painter, Pos2, Rect, RichText, ScrollArea, Sense, Shape, Stroke, Ui, UiBuilder,
    WidgetInfo, pos2, vec2,
};

use crate::kit::fields::Fields;
use crate::kit::view::ViewCtx;
use crate::pixels::mask::Pixel;
use crate::pixels::mask::border::{BorderPair, Hausdorff, assd_in_words};
use crate::pixels::spacing::Unit;
use crate::plot::image_view::{on_screen, pixel_at};
use crate::plot::{number, tile};

use super::SegmentationView;
use super::controls;
use super::gallery::{Card, Shown, Slot};
use super::image;
use super::look::{Ghost, Marks, Mode};
use super::shared::Shared;
use super::wall::distance_in;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};

/// The tile.
pub static TILE: Tile<SegmentationView> = Tile {
    spec: TileSpec {
        id: "inspector",
        title: "Inspector",
        help: "One image large: probability, overlay, errors or uncertainty, and the pair of border points that \
               makes the Hausdorff distance.",
        area: "one image",
        follows_cursor: true,
    },
    show: |view, ui, ctx| view.inspector.show(&mut view.shared, ui, ctx),
    commands: &[
        TileCommand {
            id: "inspector-next",
            title: "Inspector: next image",
            run: |view, _, _| view.shared.select_by(1),
        },
        TileCommand {
            id: "inspector-back",
            title: "Inspector: image before",
            run: |view, _, _| view.shared.select_by(-1),
        },
        TileCommand {
            id: "inspector-pair",
            title: "Inspector: next pair of border points",
            run: |view, _, _| view.inspector.next_pair(),
        },
    ],
};

/// Width below which text is set for a narrow tile, in sizes of type.
const NARROW: f32 = 25.0;

/// View state.
#[derive(Debug)]
pub struct Inspector {
    /// The distance whose pair of border points is drawn.
    pair: Option<Hausdorff>,
}

impl Default for Inspector {
    fn default() -> Self {
        Self { pair: Some(Hausdorff::Pooled95) }
    }
}

const PAIRS: [Option<Hausdorff>; 4] =
    [None, Some(Hausdorff::Pooled95), Some(Hausdorff::Directed95), Some(Hausdorff::Largest)];

fn pair_name(which: Option<Hausdorff>) -> &'static str {
    match which {
        None => "no pair",
        Some(Hausdorff::Pooled95) => "HD95 medpy",
        Some(Hausdorff::Directed95) => "HD95 MONAI",
        Some(Hausdorff::Largest) => "HD",
    }
}

impl Inspector {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        let fresh = Self::default().pair;
        let read = |text: &str| PAIRS.into_iter().find(|pair| pair_name(*pair) == text);
        fields.text("pair", &mut self.pair, fresh, |pair| pair_name(*pair).to_owned(), read);
    }

    pub fn show(&mut self, shared: &mut Shared, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        shared.gallery.follow(ui, ctx, shared.look.ghost);
        let count = shared.gallery.cards.len();
        if count == 0 {
            return controls::nothing_yet(ui, ctx);
        }
        let i = shared.selected.min(count - 1);
        shared.gallery.want(i, Slot::Now, shared.pipeline);
        if shared.look.ghost != Ghost::None {
            shared.gallery.want(i, Slot::Ghost, shared.pipeline);
        }
        let size = tile::font_size(ctx.presenting);
        let (bar, mut rest) = tile::split(ui, size);
        self.bar(shared, ui, ctx, bar, i, count);
        let missing = shared.gallery.cards[i].uncertainty.is_none();
        if shared.look.mode == Mode::Uncertainty && missing {
            let place = Rect::from_min_size(rest.min, vec2(rest.width(), (2.4 * size).min(rest.height())));
            let used = ui.scope_builder(UiBuilder::new().max_rect(place), |ui| {
                controls::ask_for_uncertainty(ui, ctx, size);
            });
            rest.min.y = used.response.rect.bottom() + 0.3 * size;
        }
        if rest.width() < 20.0 || rest.height() < 20.0 {
            return;
        }
        // Beside the image where the tile is wide, below it otherwise.
        let side = rest.width() > 1.5 * rest.height() && rest.width() > 32.0 * size;
        let (view, facts) = if side {
            let split = rest.right() - 17.5 * size;
            let view = Rect::from_min_max(rest.min, pos2(split - size, rest.bottom()));
            (view, Rect::from_min_max(pos2(split, rest.top()), rest.max))
        } else {
            let split = rest.bottom() - (10.6 * size).min(0.5 * rest.height());
            let view = Rect::from_min_max(rest.min, pos2(rest.right(), split - 0.4 * size));
            (view, Rect::from_min_max(pos2(rest.left(), split), rest.max))
        };
        let legend = if view.height() > 10.0 * size { 1.7 * size } else { 0.0 };
        let above = Rect::from_min_max(view.min, view.max - vec2(0.0, legend));
        let pointed = self.image(shared, ui, ctx, above, i);
        if legend > 0.0 {
            let place = Rect::from_min_max(pos2(view.left(), above.bottom()), view.max);
            image::legend(&shared.look, &Marks::of(ctx.style), "").show(ui, place, ctx.style, size);
        }
        self.facts(shared, ui, ctx, facts, i, pointed);
        shared.gallery.keep_going(ui);
    }

    fn next_pair(&mut self) {
        let at = PAIRS.iter().position(|pair| *pair == self.pair).unwrap_or_default();
        self.pair = PAIRS[(at + 1) % PAIRS.len()];
    }

    fn bar(&mut self, shared: &mut Shared, ui: &mut Ui, ctx: &ViewCtx<'_>, bar: Rect, i: usize, count: usize) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let name = shared.gallery.cards[i].name.clone();
        tile::named_bar(ui, bar, &name, &format!(" · {} of {count}", i + 1), (size, style.text), |ui| {
            if tile::button(ui, true, "next", "The next image of the wall", size) {
                shared.select_by(1);
            }
            if tile::button(ui, true, "back", "The image before", size) {
                shared.select_by(-1);
            }
            if tile::button(ui, shared.look.lens.is_zoomed(), "fit", "Show the whole image", size) {
                shared.look.lens.fit();
            }
            controls::to_brush(ui, &mut shared.to_brush, bar.width() > 34.0 * size, size);
            tile::menu(ui, "view", "What is drawn over the image; the wall shows the same", size, |ui| {
                controls::look_menu(ui, &mut shared.look);
                ui.separator();
                ui.label(RichText::new("Pair of border points").small());
                for which in PAIRS {
                    ui.radio_value(&mut self.pair, which, pair_name(which)).on_hover_text(help(which));
                }
            });
            let pair = RichText::new(pair_name(self.pair)).size(size);
            if bar.width() > 40.0 * size && !tile::said(ui, pair.clone()) {
                ui.scope(|ui| {
                    ui.spacing_mut().interact_size.y = 1.6 * size;
                    let combo = ComboBox::from_id_salt("pair").width(8.5 * size);
                    let shown = combo.selected_text(pair).show_ui(ui, |ui| {
                        for which in PAIRS {
                            ui.selectable_value(&mut self.pair, which, pair_name(which)).on_hover_text(help(which));
                        }
                    });
                    shown.response.on_hover_text("The distance whose pair of border points is drawn");
                });
            }
            if bar.width() > 76.0 * size {
                controls::modes(ui, &mut shared.look, size);
            }
        });
    }

    /// The image; returns the pixel under the pointer.
    fn image(&self, shared: &mut Shared, ui: &mut Ui, ctx: &ViewCtx<'_>, view: Rect, i: usize) -> Option<[usize; 2]> {
        let style = ctx.style;
        if !view.is_positive() {
            return None;
        }
        let response = ui.interact(view, ui.scope_id().with("inspected image"), Sense::click_and_drag());
        let marks = Marks::of(style);
        let card = shared.gallery.cards.get(i)?;
        let said = format!("{} enlarged", card.name);
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));
        let painter = ui.painter_at(view);
        painter.rect_filled(view, 0.0, style.plot_background);
        let line = if ctx.presenting { 3.0 } else { 2.0 };
        let panel = image::panel(&shared.gallery, i, &shared.look, &marks, line);
        let Some(placed) = shared.pictures.panel(ui, view, &shared.look.lens, &panel) else {
            let font = FontId::proportional(tile::font_size(ctx.presenting));
            painter.text(view.center(), Align2::CENTER_CENTER, "being read …", font, style.text_weak);
            return None;
        };
        let size = card.picture.size()?;
        if let Some(pair) = self.found(shared.gallery.shown(i, Slot::Now).map(|shown| &**shown)) {
            let unit = shared.gallery.shown(i, Slot::Now).map_or(Unit::Pixels, |shown| shown.score.unit());
            draw_pair(&painter, placed, size, &pair, unit, &marks, tile::font_size(ctx.presenting));
        }
        shared.look.lens.interact(ui, &response, view, size);
        response.hover_pos().and_then(|pointer| pixel_at(placed, size, pointer))
    }

    fn found(&self, shown: Option<&Shown>) -> Option<BorderPair> {
        Some(shown?.distances.as_ref()?.pair(self.pair?))
    }

    /// What is under the pointer, the metrics, the pair.
    fn facts(&self, shared: &Shared, ui: &mut Ui, ctx: &ViewCtx<'_>, rect: Rect, i: usize, at: Option<[usize; 2]>) {
        let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
        let (card, shown) = (&shared.gallery.cards[i], shared.gallery.shown(i, Slot::Now));
        ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
            ui.shrink_clip_rect(rect);
            ScrollArea::vertical().id_salt("facts").auto_shrink(false).show(ui, |ui| {
                ui.spacing_mut().item_spacing = vec2(0.5 * size, 0.25 * size);
                ui.spacing_mut().interact_size.y = 1.4 * size;
                // On two lines where it is narrow; as many without a pixel, so that nothing jumps.
                let narrow = ui.available_width() < NARROW * size;
                ui.label(match at {
                    Some(at) => tile::mono(under_pointer(card, shown, at, narrow), size, style),
                    None => tile::weak(
                        if narrow { "Point at a pixel\nto read it" } else { "Point at a pixel to read it" },
                        size,
                        style,
                    ),
                });
                let Some(shown) = shown else {
                    ui.label(tile::weak("The prediction is being measured …", size, style));
                    return;
                };
                metrics(ui, shown, shared, ctx);
                let (text, help) = self.pair_text(shown);
                if !text.is_empty() {
                    ui.label(tile::weak(text, size, style)).on_hover_text(help);
                }
            });
        });
    }

    /// The pair in words.
    fn pair_text(&self, shown: &Shown) -> (String, &'static str) {
        let Some(which) = self.pair else { return (String::new(), "") };
        let name = pair_name(self.pair);
        let Some(distances) = &shown.distances else {
            let why = match (shown.score.predicted == 0, shown.score.area == 0) {
                (true, true) => "there is no lesion and none is predicted",
                (true, false) => "nothing is predicted",
                _ => "the truth has no lesion",
            };
            return (format!("{name} is undefined: {why}"), "A distance between borders needs two of them");
        };
        let pair = distances.pair(which);
        let said = |value: f64| distance_in(Some(value), shown.score.unit());
        let unit = shown.score.unit().short();
        let place = |p: Pixel| format!("({}, {})", p.column, p.row);
        let text = format!(
            "{name} {} {unit}: predicted {} and true {} are {} {unit} apart",
            said(distances.hausdorff(which)),
            place(pair.prediction),
            place(pair.truth),
            said(pair.distance)
        );
        (text, help(self.pair))
    }
}

fn help(which: Option<Hausdorff>) -> &'static str {
    match which {
        None => "Draws no pair of border points",
        Some(Hausdorff::Largest) => {
            "Hausdorff distance: the largest distance from a border pixel of one mask to the nearest of the other"
        }
        Some(Hausdorff::Pooled95) => {
            "95th percentile of both directions pooled, as medpy computes it and the paper reports it. A percentile \
             lies between two of the distances; the pair is that of the upper one"
        }
        Some(Hausdorff::Directed95) => {
            "The larger of the two directions' 95th percentiles, as MONAI computes it. A percentile lies between two \
             of the distances; the pair is that of the upper one"
        }
    }
}

/// The two border pixels, the line between them and its length.
fn draw_pair(
    painter: &Painter,
    placed: Rect,
    size: [usize; 2],
    pair: &BorderPair,
    unit: Unit,
    marks: &Marks,
    font: f32,
) {
    let at = |p: Pixel| on_screen(placed, size, [p.column as f32 + 0.5, p.row as f32 + 0.5]);
    let (from, to) = (at(pair.prediction), at(pair.truth));
    let (dark, bright) = (Color32::from_black_alpha(180), Color32::from_rgb(0xff, 0xe6, 0x6d));
    painter.line_segment([from, to], Stroke::new(4.0, dark));
    painter.line_segment([from, to], Stroke::new(2.0, bright));
    for (place, mark) in [(from, marks.prediction), (to, marks.truth)] {
        painter.circle(place, 4.5, mark.color, Stroke::new(1.5, dark));
    }
    let text = format!("{} {}", distance_in(Some(pair.distance), unit), unit.short());
    let galley = painter.layout_no_wrap(text, FontId::monospace(font + 0.5), bright);
    let beside = label_place(from, to, galley.size(), painter.clip_rect());
    painter.add(Shape::rect_filled(Rect::from_min_size(beside, galley.size()).expand2(vec2(3.0, 1.0)), 2.0, dark));
    painter.galley(beside, galley, bright);
}

/// Beside the middle of the line, within what is seen.
fn label_place(from: Pos2, to: Pos2, size: eframe::egui::Vec2, within: Rect) -> Pos2 {
    let middle = from + 0.5 * (to - from);
    let across = (to - from).rot90().normalized();
    let across = if across.x < 0.0 { -across } else { across };
    let free = Rect::from_min_max(within.min, (within.max - size).max(within.min)).shrink(3.0);
    let at = middle + across * (8.0 + 0.5 * size.x * across.x.abs() + 0.5 * size.y * across.y.abs()) - 0.5 * size;
    if free.is_positive() { at.clamp(free.min, free.max) } else { at }
}

/// Place, grey value, probability, uncertainty and what the pixel is.
fn under_pointer(card: &Card, shown: Option<&Arc<Shown>>, at: [usize; 2], narrow: bool) -> String {
    let mut text = format!("x {:>4}  y {:>4}", at[0], at[1]);
    if let Some([r, g, b]) = card.picture.rgb(at) {
        text += &if r == g && g == b { format!("  grey {r:>3}") } else { format!("  rgb {r:>3} {g:>3} {b:>3}") };
    }
    let size = card.picture.size().unwrap_or([1, 1]);
    let share = [0, 1].map(|axis| (at[axis] as f32 + 0.5) / size[axis].max(1) as f32);
    if let Some(map) = &card.heat {
        text += if narrow { "\n" } else { "  " };
        text += &format!("p {:.3}", map.sample(share));
    }
    if let Some(map) = &card.uncertainty {
        text += &format!("  ±{:.3}", map.sample(share));
    }
    if let (Some(truth), Some(shown)) = (&card.truth, shown) {
        text += match (shown.mask.at(at[1], at[0]), truth.mask.at(at[1], at[0])) {
            (true, true) => "  found",
            (true, false) => "  too much",
            (false, true) => "  missed",
            (false, false) => "",
        };
    }
    text
}

/// Every metric of the image, wrapped to the width.
fn metrics(ui: &mut Ui, shown: &Shown, shared: &Shared, ctx: &ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let score = &shown.score;
    let share = |v: Option<f64>| v.map_or_else(|| "—".to_owned(), |v| format!("{v:.3}"));
    let convention = if shared.pipeline.hd95 == Hausdorff::Pooled95 { "HD95 medpy" } else { "HD95 MONAI" };
    let unit = score.unit();
    let area = |area: f64| match unit {
        Unit::Pixels => format!("{} px", number::grouped(area as u64)),
        Unit::Millimetres => format!("{} mm²", number::short(area)),
    };
    let px = |v: Option<f64>| format!("{} {}", distance_in(v, unit), unit.short());
    let [truth, predicted] = score.areas();
    let of_truth = match unit {
        Unit::Pixels => {
            ["Pixels of the true mask at the image's own size", "Pixels of the predicted mask at the image's own size"]
        }
        Unit::Millimetres => {
            ["Area of the true mask, by the size of a pixel", "Area of the predicted mask, by the size of a pixel"]
        }
    };
    let undefined = "; — where a mask is empty and the distance undefined";
    let items = [
        ("Dice", share(Some(score.dice)), "2 TP / (2 TP + FP + FN); 1 where both masks are empty".to_owned()),
        ("IoU", share(score.iou), "TP / (TP + FP + FN); — where both masks are empty".to_owned()),
        (convention, px(score.hd95), format!("{}{undefined}", shared.pipeline.hd95.describe(unit))),
        ("HD", px(score.hd), format!("{}{undefined}", Hausdorff::Largest.describe(unit))),
        ("ASSD", px(score.assd), format!("{}{undefined}", assd_in_words(unit))),
        ("truth", area(truth), of_truth[0].to_owned()),
        ("predicted", area(predicted), of_truth[1].to_owned()),
    ];
    if ui.available_width() < NARROW * size {
        // What belongs together on one line.
        for row in [0..2, 2..3, 3..5, 5..7] {
            ui.horizontal(|ui| {
                for (name, value, help) in &items[row] {
                    ui.label(tile::weak(*name, size, style)).on_hover_text(help);
                    ui.label(tile::mono(value, size, style)).on_hover_text(help);
                }
            });
        }
        return step_of(ui, shown, shared, ctx);
    }
    let cell = 11.6 * size;
    let columns = ((ui.available_width() / cell) as usize).max(1);
    eframe::egui::Grid::new("metrics of the image")
        .num_columns(2 * columns)
        .spacing(vec2(0.6 * size, 0.2 * size))
        .show(ui, |ui| {
            for (k, (name, value, help)) in items.into_iter().enumerate() {
                ui.label(tile::weak(name, size, style)).on_hover_text(&help);
                ui.label(tile::mono(format!("{value:<8}"), size, style)).on_hover_text(help);
                if (k + 1) % columns == 0 {
                    ui.end_row();
                }
            }
        });
    step_of(ui, shown, shared, ctx);
}

/// The validation that is shown; how it was measured in the tooltip.
fn step_of(ui: &mut Ui, shown: &Shown, shared: &Shared, ctx: &ViewCtx<'_>) {
    let text = format!("step {}", number::grouped(shown.made.probability));
    ui.label(tile::weak(text, tile::font_size(ctx.presenting), ctx.style))
        .on_hover_text(shared.pipeline.describe(shown.score.unit()));
}
