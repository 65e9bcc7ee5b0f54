//! The honest table: reports against their perturbations with the image, with another one and with the mean image.

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, Color32, FontId, Label, Painter, Rect, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::engine::event::{KeySpec, Payload};
use crate::engine::twin::TWIN;
use crate::kit::tiles::{Tile, TileSpec};
use crate::kit::view::ViewCtx;
use crate::kit::{empty, series};
use crate::labs::image_report::KEYS;
use crate::labs::image_report::params::{PARAMS, VARIANTS, Variant};
use crate::plot::{number, tile};

use super::ImageReportView;
use super::pairs;

/// The tile.
pub static TILE: Tile<ImageReportView> = Tile {
    spec: TileSpec {
        id: "structure",
        title: "Controls",
        help: "How often the report's cosine is above that of each perturbation, with its image, with the image of another pair, and \
               with the mean of all image vectors. What stays with another image was not read off the image. Content edits change what \
               is said (left for right, upper for lower), and only the image can tell. Thin lines are chance, ticks the twin.",
        area: "matrix",
        follows_cursor: true,
    },
    show: |_, ui, ctx| show(ui, ctx),
    commands: &[],
};

/// Indices of [`Style::category`](crate::plot::style::Style::category)'s colours: the image, another image, the mean image.
pub const COLORS: [usize; 3] = [7, 6, 3];
const AGAINST: [&str; 3] = ["with the image", "another image", "mean image"];
/// The same in sentences.
const WITH: [&str; 3] = ["with the image", "with another image", "with the mean image"];

/// Table IV: structure accuracy on Open-I, per cent.
const REPORTED: [(Variant, &str, f64); 4] = [
    (Variant::ConVirt, "ConVIRT", 43.10),
    (Variant::Gloria, "GLoRIA", 44.30),
    (Variant::WithoutLocal, "without local", 46.30),
    (Variant::Ours, "ours", 49.00),
];
const WARNING: &str = "Table IV of the article, 469 pairs of Open-I: another data set, and no number to aim at. Chance is 10 %. Older \
                       versions of the authors' program compare texts with texts here, not with the image, and count ties as right; \
                       see the guide, About the numbers.";

/// One row: a name, three shares, the twin's, and what chance gives.
struct Line {
    name: String,
    /// The name where there is little room.
    short: String,
    shares: [f64; 3],
    twin: Option<[f64; 3]>,
    chance: f64,
    /// The sum of the rows above it.
    strong: bool,
}

/// The rows of a table of three columns at the cursor, and the step when they were measured.
fn rows(ctx: &ViewCtx<'_>, key: &str, count: usize) -> Option<(u64, Vec<[f64; 3]>)> {
    let (step, payload) = ctx.payload(key)?;
    let Payload::Matrix { cols: 3, values, .. } = &*payload else { return None };
    let rows: Vec<[f64; 3]> =
        values.chunks_exact(3).map(|row| [0, 1, 2].map(|k| row.get(k).map_or(f64::NAN, |v| f64::from(*v)))).collect();
    (rows.len() == count).then_some((step, rows))
}

/// What the keys with this prefix are about, in the order of the tables, each with its short name.
fn names(prefix: &str) -> Vec<(&'static str, &'static str)> {
    let id = |spec: &KeySpec| spec.key.strip_prefix(prefix);
    let of = KEYS.iter().filter_map(|spec| Some((spec.title, id(spec)?)));
    of.map(|(title, id)| (title.rsplit(": ").next().unwrap_or(title), short(id))).collect()
}

fn short(id: &'static str) -> &'static str {
    match id {
        "laterality" => "left, right",
        "zone" => "upper, lower",
        "severity" => "severity",
        "negation" => "negation",
        perturbation => pairs::short_name(perturbation),
    }
}

fn show(ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let perturbations = names("win/");
    let Some((step, found)) = rows(ctx, "structure/table", perturbations.len() + 1) else {
        return empty::measured(ui, ctx, "before training and then every so many steps (parameter `evaluate_every`)");
    };
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let (bar, rest) = tile::split(ui, size);
    let twin = series::twin_name(ctx.run, PARAMS).map_or_else(String::new, |twin| format!("; twin (ticks): {twin}"));
    let about = format!("report above its perturbations, step {}{twin}", number::grouped(step));
    tile::bar(ui, bar, tile::weak(about, size, style), |_| {});

    let chance = series::value(ctx, "structure/chance").unwrap_or(f64::NAN);
    let twins = rows(ctx, &format!("{TWIN}structure/table"), found.len()).map(|(_, rows)| rows);
    let all = perturbations.len();
    let line = |k: usize| Line {
        name: perturbations.get(k).map_or("structure accuracy", |(name, _)| name).to_owned(),
        short: perturbations.get(k).map_or("all of them", |(_, short)| short).to_owned(),
        shares: found[k],
        twin: twins.as_ref().map(|rows| rows[k]),
        chance: if k == all { chance } else { 0.5 },
        strong: k == all,
    };
    let lines: Vec<Line> = (0..found.len()).map(line).collect();
    let edits = edits(ctx);
    ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
        ui.shrink_clip_rect(rest);
        ScrollArea::vertical().id_salt("controls").auto_shrink(false).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            heads(&AGAINST, ui, ctx);
            draw_all(&lines, ui, ctx);
            let [image, another, mean] = found[all];
            said(&differs(image, another, chance), ui, ctx);
            meaning(image, another, mean, chance).iter().for_each(|text| said(text, ui, ctx));
            if let Some((lines, words)) = &edits {
                ui.add_space(0.8 * size);
                heads(&["with the image", "another image", ""], ui, ctx);
                draw_all(lines, ui, ctx);
                words.iter().for_each(|text| said(text, ui, ctx));
            }
            ui.add_space(0.8 * size);
            further(ctx).iter().for_each(|text| said(text, ui, ctx));
            let here = VARIANTS.of(&series::params_at(ctx, PARAMS));
            ui.add(Label::new(tile::weak(reported(here), size, style)).wrap()).on_hover_text(WARNING);
        });
    });
}

/// The content edits with what they say together.
fn edits(ctx: &ViewCtx<'_>) -> Option<(Vec<Line>, Option<String>)> {
    let names = names("edit/");
    let (_, found) = rows(ctx, "edits/table", names.len())?;
    let twins = rows(ctx, &format!("{TWIN}edits/table"), names.len()).map(|(_, rows)| rows);
    // The first column is how many there are; there is no third share.
    let shares = |row: [f64; 3]| [row[1], row[2], f64::NAN];
    let count = |k: usize| found[k][0].max(0.0) as u64;
    let line = |(k, (name, short)): (usize, &(&str, &str))| Line {
        name: format!("{name} ({})", count(k)),
        short: format!("{short} ({})", count(k)),
        shares: shares(found[k]),
        twin: twins.as_ref().map(|rows| shares(rows[k])),
        chance: 0.5,
        strong: false,
    };
    Some((names.iter().enumerate().map(line).collect(), content(&found)))
}

fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.0} %", 100.0 * share) } else { "—".to_owned() }
}

/// What the image is worth in points, beside chance.
fn differs(image: f64, another: f64, chance: f64) -> String {
    let points = 100.0 * (image - another);
    let sign = if points < -0.5 { "−" } else { "" };
    let points = if points.is_finite() { format!("{sign}{:.0} points", points.abs()) } else { "—".to_owned() };
    format!("difference to another image: {points}; expected by chance: {}", percent(chance))
}

/// What structure accuracy with the image, another one and the mean image says, in words; nothing before it is measured.
fn meaning(image: f64, another: f64, mean: f64, chance: f64) -> Option<String> {
    if [image, another, chance].iter().any(|share| !share.is_finite()) {
        return None;
    }
    let [own, other, guessed] = [image, another, chance].map(percent);
    if image <= chance + 0.02 {
        return Some(format!(
            "{own} with the image is no more than the {guessed} of chance: reports are not told from their perturbations. Where \
             order is not seen, the report is above each perturbation about half the time, but not above all of them at once."
        ));
    }
    let with_mean = if mean.is_finite() { format!(" With the mean image: {}.", percent(mean)) } else { String::new() };
    if another >= image {
        return Some(format!(
            "{other} with another image is no less than {own} with the image: fluency of the text alone, the image plays no \
             part.{with_mean}"
        ));
    }
    // Of what is above chance.
    let left = ((another - chance) / (image - chance)).max(0.0);
    let why = if left >= 0.5 {
        "most of it is fluency of the text, not the image"
    } else if left >= 0.2 {
        "a part of it is fluency of the text, the rest needs the image"
    } else {
        "hardly any of it is fluency of the text alone, it needs the image"
    };
    Some(format!("Of {own} there are {other} left with another image (by chance {guessed}): {why}.{with_mean}"))
}

/// All content edits together, each weighed by how many there are; `rows`: how many, with the image, with another one.
fn content(rows: &[[f64; 3]]) -> Option<String> {
    let mean = |k: usize| {
        let counted = rows.iter().filter(|row| row[0] > 0.0 && row[k].is_finite());
        let (sum, count) = counted.fold((0.0, 0.0), |(sum, count), row| (sum + row[0] * row[k], count + row[0]));
        (count > 0.0).then(|| percent(sum / count))
    };
    let (image, another) = (mean(1)?, mean(2)?);
    Some(format!(
        "Content edits, which only the image can tell: {image} with it, {another} with another one; chance 50 %."
    ))
}

/// How the accuracy changes with what is counted.
fn further(ctx: &ViewCtx<'_>) -> Option<String> {
    let one = |key: &str, name: &str| {
        let value = series::value(ctx, key).filter(|value| value.is_finite())?;
        Some(format!("{name} {}", percent(value)))
    };
    let found = [
        one("structure/ties_right", "with ties as right (authors' program)"),
        one("structure/unique", "on reports not seen in training"),
    ];
    let found: Vec<String> = found.into_iter().flatten().collect();
    (!found.is_empty()).then(|| format!("Structure accuracy {}.", found.join("; ")))
}

/// The article's numbers, with a mark at the variant of this run.
fn reported(here: Variant) -> String {
    let one = |(variant, name, value): (Variant, &str, f64)| {
        let mark = if variant == here { " (as here)" } else { "" };
        format!("{name} {value:.2}{mark}")
    };
    format!("reported, Open-I (Table IV, %): {}", REPORTED.map(one).join(" · "))
}

fn said(text: &str, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let size = tile::font_size(ctx.presenting);
    ui.add_space(0.2 * size);
    ui.add(Label::new(tile::weak(text, size, ctx.style).color(ctx.style.text)).wrap());
}

/// Where the name and the three bars of a row lie.
fn columns(row: Rect, size: f32) -> (f32, [Rect; 3]) {
    let name = (16.0 * size).min(0.4 * row.width());
    let gap = 0.8 * size;
    let width = ((row.width() - name) / 3.0 - gap).max(0.0);
    let place = |k: f32| {
        let left = row.left() + name + k * (width + gap);
        Rect::from_min_size(pos2(left, row.top()), vec2(width, row.height()))
    };
    (name - 0.5 * size, [place(0.0), place(1.0), place(2.0)])
}

fn heads(texts: &[&str; 3], ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let size = tile::font_size(ctx.presenting);
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 1.6 * size), Sense::hover());
    let (_, places) = columns(row, size);
    // Where a column has no room for two words, the one that counts.
    let narrow = places[0].width() < 7.0 * size;
    for (place, text) in places.into_iter().zip(texts) {
        let short = text.trim_start_matches("with the ").split(' ').next().unwrap_or(text);
        let text = if narrow { short.trim_start_matches("an") } else { text };
        tile::one_line(ui.painter(), text, place, FontId::proportional(size), ctx.style.text_weak);
    }
}

/// What assistive technology and the tooltip say of a row.
fn in_words(line: &Line) -> String {
    let told = |shares: &[f64; 3]| {
        let one = |(share, with): (&f64, &str)| share.is_finite().then(|| format!("{} {with}", percent(*share)));
        let parts: Vec<String> = shares.iter().zip(WITH).filter_map(one).collect();
        if parts.is_empty() { "there was none".to_owned() } else { parts.join(", ") }
    };
    let twin = line.twin.as_ref().map_or_else(String::new, |twin| format!("; twin: {}", told(twin)));
    format!("{}: {}{twin}; chance {}", line.name, told(&line.shares), percent(line.chance))
}

/// Rows with their long names where all of these fit.
fn draw_all(lines: &[Line], ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let font = FontId::proportional(tile::font_size(ctx.presenting));
    let (room, _) = columns(ui.available_rect_before_wrap(), font.size);
    let wide =
        |line: &Line| ui.painter().layout_no_wrap(line.name.clone(), font.clone(), Color32::PLACEHOLDER).size().x;
    let short = lines.iter().any(|line| wide(line) > room);
    lines.iter().for_each(|line| draw(line, short, ui, ctx));
}

fn draw(line: &Line, short: bool, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let height = if line.strong { 1.9 } else { 1.5 } * size;
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let text = in_words(line);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
    response.on_hover_text(&text);
    let (name, places) = columns(row, size);
    let color = if line.strong { style.text } else { style.text_weak };
    let middle = Rect::from_min_size(pos2(row.left(), row.center().y - 0.62 * size), vec2(name, 1.3 * size));
    let font = FontId::proportional(size);
    tile::one_line(ui.painter(), if short { &line.short } else { &line.name }, middle, font, color);
    for (k, place) in places.into_iter().enumerate().filter(|(k, _)| line.shares[*k].is_finite() || *k < 2) {
        let fill = style.category(COLORS[k]).color;
        let fill = if line.strong { fill } else { fill.gamma_multiply(0.75) };
        let twin = line.twin.map(|twin| twin[k]);
        bar(&ui.painter_at(row), place, line.shares[k], twin, line.chance, fill, size, ctx);
    }
}

/// One share: a bar from 0 to 1 where there is room for it, and the number.
#[expect(clippy::too_many_arguments, reason = "what is drawn, where and how")]
fn bar(
    painter: &Painter,
    place: Rect,
    share: f64,
    twin: Option<f64>,
    chance: f64,
    fill: Color32,
    size: f32,
    ctx: &ViewCtx<'_>,
) {
    let style = ctx.style;
    let at = pos2(place.right(), place.center().y);
    painter.text(at, Align2::RIGHT_CENTER, percent(share), FontId::monospace(size), style.text);
    let track = Rect::from_min_max(place.min, pos2(place.right() - 3.6 * size, place.bottom()));
    let track = track.shrink2(vec2(0.0, 0.18 * place.height()));
    if track.width() < 2.0 * size {
        return;
    }
    let x = |share: f64| track.left() + share.clamp(0.0, 1.0) as f32 * track.width();
    painter.rect_filled(track, 1.0, style.rule.gamma_multiply(0.5));
    if share.is_finite() {
        painter.rect_filled(Rect::from_min_max(track.min, pos2(x(share), track.bottom())), 1.0, fill);
    }
    if chance.is_finite() {
        painter.vline(x(chance), track.y_range(), (1.0, style.text_weak));
    }
    if let Some(twin) = twin.filter(|twin| twin.is_finite()) {
        painter.vline(x(twin), track.y_range().expand(1.5), (2.0, style.text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_follow_from_the_numbers_and_are_silent_without_them() {
        let said = |image, another, mean, chance| meaning(image, another, mean, chance).unwrap_or_default();
        let fluent = said(0.84, 0.61, 0.55, 0.1);
        assert!(
            fluent.starts_with("Of 84 % there are 61 % left with another image (by chance 10 %): most of it"),
            "{fluent}"
        );
        assert!(fluent.ends_with("With the mean image: 55 %."), "{fluent}");
        assert!(said(0.51, 0.07, f64::NAN, 0.1).contains("needs the image"));
        assert!(said(0.6, 0.3, 0.3, 0.1).contains("a part of it"));
        assert!(said(0.11, 0.02, 0.1, 0.1).contains("no more than the 10 % of chance"));
        assert!(said(0.5, 0.6, 0.6, 0.1).contains("the image plays no part"));
        assert!(meaning(f64::NAN, 0.1, 0.1, 0.1).is_none() && meaning(0.5, 0.1, 0.1, f64::NAN).is_none());
        assert!(differs(0.3, 0.4, 0.1).contains("image: −10 points"));
    }

    #[test]
    fn content_edits_are_weighed_by_how_many_there_are() {
        let rows = [[30.0, 0.9, 0.5], [10.0, 0.5, 0.5], [0.0, f64::NAN, f64::NAN]];
        let said = content(&rows).unwrap_or_default();
        assert!(said.contains("80 % with it, 50 % with another one"), "{said}");
        assert!(content(&[[0.0, f64::NAN, f64::NAN]]).is_none());
    }

    #[test]
    fn names_of_the_rows_are_those_of_the_keys() {
        let perturbations = names("win/");
        assert_eq!((perturbations.len(), perturbations[0]), (9, ("all words shuffled", "all words")));
        let edits = names("edit/");
        assert_eq!((edits.len(), edits[0]), (4, ("left and right exchanged", "left, right")));
    }
}
