//! The network card: sizes block by block, beside the paper's, and all ten variants at the chosen width.

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, Color32, FontId, Grid, Label, Painter, Rect, RichText, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo, pos2,
    vec2,
};

use super::SegmentationView;
use crate::kit::empty;
use crate::kit::fields::Fields;
use crate::kit::tiles::{Tile, TileCommand, TileSpec};
use crate::kit::view::ViewCtx;
use crate::labs::segmentation::paper::{self, Counted, Match, PaperParameters, paper_match, paper_note, paper_row};
use crate::labs::segmentation::params::{ARCHITECTURE, GROUP, IMAGE_SIZE, net_spec};
use crate::nn::segmentation::count::{Count, NetCount, count, larger_than_unet};
use crate::nn::segmentation::spec::{Architecture, NetSpec, SpecError};
use crate::plot::{number, tile};
use std::mem::discriminant;

/// The tile.
pub static TILE: Tile<SegmentationView> = Tile {
    spec: TileSpec {
        id: "network",
        title: "Network",
        help: "Parameters, multiply-adds and activation memory block by block, recomputed as width and C change, \
               beside the paper's count.",
        area: "large",
        follows_cursor: false,
    },
    show: |view, ui, ctx| view.network.show(ui, ctx),
    commands: &[TileCommand {
        id: "network-compare",
        title: "Network: variants or blocks",
        run: |view, _, _| view.network.compare = !view.network.compare,
    }],
};

/// Width and side of the paper's networks.
const PAPER_WIDTH: usize = 64;
const PAPER_SIDE: usize = 256;

/// View state of the tile: what was counted last.
#[derive(Debug, Default)]
pub struct NetworkCard {
    card: Option<Card>,
    /// The compare table instead of the blocks, where there is no room for both.
    compare: bool,
}

/// Counts of one network and its relatives.
#[derive(Debug)]
struct Card {
    spec: NetSpec,
    side: usize,
    ours: Result<NetCount, SpecError>,
    /// The same architecture with the paper's width and picture.
    paper: Result<NetCount, SpecError>,
    variants: Vec<Variant>,
    matched: Match,
    larger: Option<u64>,
    /// The paper's Table 2.
    table: Vec<Counted>,
}

/// One line of the compare table.
#[derive(Debug)]
struct Variant {
    spec: NetSpec,
    count: Result<Count, SpecError>,
    larger: Option<u64>,
}

impl Card {
    fn new(spec: NetSpec, side: usize) -> Self {
        let paper = NetSpec { base: PAPER_WIDTH, channels: 3, ..spec };
        let variant = |architecture: &Architecture| {
            let spec = NetSpec { architecture: *architecture, ..spec };
            let count = count(&spec, side, side).map(|count| count.total);
            Variant { spec, count, larger: larger_than_unet(&spec) }
        };
        Self {
            spec,
            side,
            ours: count(&spec, side, side),
            paper: count(&paper, PAPER_SIDE, PAPER_SIDE),
            variants: Architecture::ALL[..10].iter().map(variant).collect(),
            matched: paper_match(&paper),
            larger: larger_than_unet(&spec),
            table: paper::table_2(),
        }
    }

    /// Whether width, channels and side are the paper's.
    fn is_papers(&self) -> bool {
        let full = self.spec.architecture.stages().is_none() || self.spec.base == PAPER_WIDTH;
        full && self.spec.channels == 3 && self.side == PAPER_SIDE
    }
}

impl NetworkCard {
    /// What of it belongs to a scene.
    pub fn fields(&mut self, fields: &mut Fields) {
        fields.value("compare", &mut self.compare, false);
    }

    /// Draws the tile.
    pub fn show(&mut self, ui: &mut Ui, ctx: &mut ViewCtx<'_>) {
        let size = tile::font_size(ctx.presenting);
        if ARCHITECTURE.get(ctx.params).is_none() {
            return empty::message(ui, ctx, "No network", "Choose one in the form on the left.");
        }
        let (spec, side) = (net_spec(ctx.params), IMAGE_SIZE.of(ctx.params) as usize);
        if self.card.as_ref().is_none_or(|card| (card.spec, card.side) != (spec, side)) {
            self.card = Some(Card::new(spec, side));
        }
        let Some(card) = &self.card else { return };
        let (bar, rest) = tile::split(ui, size);
        let both = rest.width() >= 62.0 * size;
        let mut compare = self.compare;
        tile::bar(ui, bar, tile::weak(heading(card), size, ctx.style), |ui| {
            if !both {
                for (on, name, help) in [
                    (true, "variants", "All ten U-nets of the paper at this width; a click chooses one"),
                    (false, "blocks", "The chosen network block by block"),
                ] {
                    if tile::toggle(ui, compare == on, name, help, size) {
                        compare = on;
                    }
                }
            }
        });
        let mut chosen = None;
        if both {
            let (left, right) = rest.split_left_right_at_fraction(0.52);
            scrolled(ui, left.with_max_x(left.right() - 1.4 * size), "blocks", |ui| blocks(card, size, ui, ctx));
            scrolled(ui, right, "variants", |ui| chosen = variants(card, size, ui, ctx));
        } else if compare {
            scrolled(ui, rest, "variants", |ui| chosen = variants(card, size, ui, ctx));
        } else {
            scrolled(ui, rest, "blocks", |ui| blocks(card, size, ui, ctx));
        }
        if let Some(architecture) = chosen {
            choose(architecture, ctx);
        }
        self.compare = compare;
    }
}

/// Asks the form for a variant.
fn choose(architecture: Architecture, ctx: &mut ViewCtx<'_>) {
    if let Architecture::LighterUNet { group } = architecture
        && let Some(value) = GROUP.value(|known| *known == group)
    {
        ctx.set(GROUP.key(), value, true);
    }
    if let Some(value) = ARCHITECTURE.value(|known| discriminant(known) == discriminant(&architecture)) {
        ctx.set(ARCHITECTURE.key(), value, true);
    }
}

fn scrolled(ui: &mut Ui, rect: Rect, name: &str, content: impl FnOnce(&mut Ui)) {
    ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
        ui.shrink_clip_rect(rect);
        ui.spacing_mut().item_spacing = vec2(4.0, 0.0);
        ScrollArea::both().id_salt(("network", name)).auto_shrink(false).show(ui, content);
    });
}

fn heading(card: &Card) -> String {
    let NetSpec { architecture, channels, base, .. } = card.spec;
    let side = card.side;
    let width = if architecture.stages().is_some() { format!(", width {base}") } else { String::new() };
    format!("{}{width}, {channels}×{side}×{side}", architecture.name())
}

/// How many parameters, in words that fit a table.
fn millions(parameters: u64) -> String {
    format!("{:.2} M", parameters as f64 / 1e6)
}

/// The block table, the badge and what has to be said.
fn blocks(card: &Card, size: f32, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    match &card.ours {
        Ok(ours) => table(card, ours, size, ui, ctx),
        Err(error) => drop(note(ui, size, ctx.style.error, &format!("This network cannot be built: {error}."))),
    }
    ui.add_space(0.6 * size);
    badge(card, size, ui, ctx);
    if let Some(more) = card.larger {
        let NetSpec { architecture, base, .. } = card.spec;
        let group = if let Architecture::LighterUNet { group } = architecture { group } else { 1 };
        // C scaled as the width is.
        let scaled = (group * base / PAPER_WIDTH).max(1);
        let advice = match architecture {
            Architecture::LighterUNet { .. } if scaled < group => format!(
                " Scale C as the width: the paper's @{group} at width {PAPER_WIDTH} corresponds to @{scaled} at width {base}."
            ),
            _ => String::new(),
        };
        let text = format!(
            "Grouping makes this network larger: {} parameters more than the U-net of width {base}. Its groups hold whole \
             layers, and the 1×1 convolutions come on top.{advice}",
            number::grouped(more)
        );
        note(ui, size, ctx.style.warning, &text);
    }
    if let Some(text) = paper_note(card.spec.architecture) {
        note(ui, size, ctx.style.text_weak, text);
    }
}

fn note(ui: &mut Ui, size: f32, color: Color32, text: &str) -> eframe::egui::Response {
    let width = ui.clip_rect().width() - size;
    ui.scope(|ui| {
        ui.set_max_width(width.max(60.0));
        ui.add(Label::new(RichText::new(text).size(size + 0.5).color(color)).wrap())
    })
    .inner
}

/// Whether the count is the paper's, and what the paper measured.
fn badge(card: &Card, size: f32, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let Some(row) = paper_row(card.spec.architecture) else {
        note(ui, size, ctx.style.text_weak, "Not in the paper's tables.");
        return;
    };
    let style = ctx.style;
    let counted = card.paper.as_ref().map_or(0, |count| count.total.parameters);
    let full = if card.is_papers() { "" } else { " at width 64 and 3 channels" };
    let printed = match row.parameters {
        PaperParameters::Exact(printed) => number::grouped(printed),
        PaperParameters::Millions(printed) => format!("{printed} M"),
        PaperParameters::Missing => "no number".to_owned(),
    };
    let (text, color) = match card.matched {
        Match::Exact => (format!("✔ {}{full} = the paper’s Table 2", number::grouped(counted)), style.good),
        Match::Rounded => (format!("✔ {}{full}; the paper prints {printed}", number::grouped(counted)), style.good),
        Match::Differs => (format!("≠ {}{full}; the paper prints {printed}", number::grouped(counted)), style.warning),
        Match::NoReference => {
            (format!("{} parameters; the paper prints {printed}", number::grouped(counted)), style.text_weak)
        }
    };
    note(ui, size, color, &text);
    if let Some(paper) = card.paper.as_ref().ok().filter(|_| !card.is_papers()) {
        let (gmac, mib) = (number::short(paper.total.gmac()), number::short(paper.total.activation_mib()));
        let text = format!("At the paper’s size, 256×256: {gmac} GMAC and {mib} MiB of convolution outputs an image.");
        note(ui, size, style.text_weak, &text);
    }
    let text = format!(
        "Paper: Dice {:.3} ± {:.3}, HD95 {:.2} ± {:.2} px (416 training and 140 test images, 256×256, width 64, mean ± std of 3 \
         seeds; its data are not public).",
        row.dice.0, row.dice.1, row.hd95.0, row.hd95.1
    );
    note(ui, size, style.text_weak, &text);
}

/// Three figures, or two where three would take more than six characters.
fn six(value: f64) -> String {
    if value < 0.01 { number::significant(value, 2) } else { number::short(value) }
}

/// Columns of the block table: this network's, and the paper's where it is another.
fn table(card: &Card, ours: &NetCount, size: f32, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let digit = ui.fonts_mut(|fonts| fonts.glyph_width(&FontId::monospace(size), '0'));
    let paper = card.paper.as_ref().ok().filter(|_| !card.is_papers());
    // Characters of parameters, GMAC and MiB.
    let wide = [10.0, 6.0, 6.0].map(|characters| characters * digit + 0.4 * size);
    let name = 4.7 * size;
    let gap = 0.7 * size;
    let whole = wide.iter().sum::<f32>();
    // Where there is no room for the paper's six columns, its parameters alone are shown.
    let room = ui.available_width();
    let of_paper = if paper.is_none() {
        0
    } else if name + 2.0 * whole + gap <= room {
        3
    } else {
        1
    };
    let width = name + whole + if of_paper > 0 { gap + wide[..of_paper].iter().sum::<f32>() } else { 0.0 };
    let line = (1.55 * size).round();
    let count_lines = ours.blocks.len() + 3;
    let (rect, response) = ui.allocate_exact_size(vec2(width, line * count_lines as f32), Sense::hover());
    let spoken = format!("{}: {} parameters", heading(card), number::grouped(ours.total.parameters));
    response.widget_info(|| WidgetInfo::labeled(Role::Table, true, spoken.as_str()));
    let painter = ui.painter_at(rect);
    let style = ctx.style;
    let (words, digits) = (FontId::proportional(size), FontId::monospace(size));
    let y = |row: usize| rect.top() + (row as f32 + 0.5) * line;
    let side = card.side;
    let cells = |left: f32, row: usize, texts: &[String], font: &FontId, color: Color32| {
        let mut right = left;
        for (text, wide) in texts.iter().zip(wide) {
            right += wide;
            painter.text(pos2(right, y(row)), Align2::RIGHT_CENTER, text, font.clone(), color);
        }
    };
    let numbers = |count: &Count| [number::grouped(count.parameters), six(count.gmac()), six(count.activation_mib())];
    let names = ["parameters", "GMAC", "MiB"].map(str::to_owned);
    let second = rect.left() + name + whole + gap;
    let this = if card.spec.architecture.stages().is_some() {
        format!("width {}, {side}×{side}", card.spec.base)
    } else {
        format!("{side}×{side}")
    };
    let end = second - gap;
    painter.text(pos2(end, y(0)), Align2::RIGHT_CENTER, this, words.clone(), style.text);
    painter.text(pos2(rect.left(), y(1)), Align2::LEFT_CENTER, "block", words.clone(), style.text_weak);
    cells(rect.left() + name, 1, &names, &words, style.text_weak);
    if paper.is_some() {
        let text = match of_paper {
            1 => "paper",
            _ if card.spec.architecture.stages().is_some() => "paper: width 64, 256×256",
            _ => "paper: 256×256",
        };
        painter.text(pos2(rect.right(), y(0)), Align2::RIGHT_CENTER, text, words.clone(), style.text_weak);
        cells(second, 1, &names[..of_paper], &words, style.text_weak);
    }
    let total = ("total".to_owned(), ours.total);
    for (index, (block, count)) in ours.blocks.iter().chain([&total]).enumerate() {
        let (row, last) = (index + 2, index == ours.blocks.len());
        if last {
            painter.hline(rect.x_range(), y(row) - 0.5 * line, (1.0, style.rule));
        }
        let color = if last { style.text } else { style.text.lerp_to_gamma(style.text_weak, 0.3) };
        painter.text(pos2(rect.left(), y(row)), Align2::LEFT_CENTER, block, words.clone(), color);
        cells(rect.left() + name, row, &numbers(count), &digits, color);
        if let Some(paper) = paper {
            let count = if last { Some(&paper.total) } else { paper.blocks.get(index).map(|(_, count)| count) };
            if let Some(count) = count {
                cells(second, row, &numbers(count)[..of_paper], &digits, style.text_weak);
            }
        }
    }
    response.on_hover_ui(|ui| {
        ui.set_max_width(28.0 * size);
        ui.label(
            "For one image. Parameters: all that is trained. GMAC: 10⁹ multiply-adds of the convolutions. MiB: memory of the \
             convolutions' outputs in 32-bit floats, most of what training has to keep.",
        );
        ui.label("e0 … e4 go down (each halves the image), d3 … d0 go up and take the skip of their level.");
    });
}

/// The ten variants at this width; returns the one that was clicked.
fn variants(card: &Card, size: f32, ui: &mut Ui, ctx: &ViewCtx<'_>) -> Option<Architecture> {
    let style = ctx.style;
    let line = (1.7 * size).round();
    let width = ui.available_width().max(24.0 * size) - 0.6 * size;
    let digit = ui.fonts_mut(|fonts| fonts.glyph_width(&FontId::monospace(size), '0'));
    let name = 8.8 * size;
    let column = (width - name) / 3.0;
    let (head, _) = ui.allocate_exact_size(vec2(width, line), Sense::hover());
    let painter = ui.painter_at(head);
    let words = FontId::proportional(size);
    let base = card.spec.base;
    let left = head.left();
    painter.text(head.left_center(), Align2::LEFT_CENTER, format!("width {base}"), words.clone(), style.text_weak);
    for (i, title) in ["parameters", "GMAC", "MiB"].into_iter().enumerate() {
        let right = left + name + column * (i + 1) as f32 - 0.4 * size;
        painter.text(pos2(right, head.center().y), Align2::RIGHT_CENTER, title, words.clone(), style.text_weak);
    }
    let counts = || card.variants.iter().filter_map(|variant| variant.count.as_ref().ok());
    let most = [
        counts().map(|count| count.parameters as f64).fold(0.0, f64::max),
        counts().map(Count::gmac).fold(0.0, f64::max),
        counts().map(Count::activation_mib).fold(0.0, f64::max),
    ];
    let mut chosen = None;
    for variant in &card.variants {
        let (rect, response) = ui.allocate_exact_size(vec2(width, line), Sense::click());
        let current = variant.spec == card.spec;
        let title = variant.spec.architecture.name();
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, current, format!("choose {title}")));
        if response.clicked() {
            chosen = Some(variant.spec.architecture);
        }
        let painter = ui.painter_at(rect);
        if current || response.hovered() || response.has_focus() {
            painter.rect_filled(rect, 3.0, style.accent.gamma_multiply(if current { 0.25 } else { 0.1 }));
        }
        let short = title.replace("Lighter U-net", "Lighter");
        let larger = if variant.larger.is_some() { " ▲" } else { "" };
        let color = if variant.larger.is_some() { style.warning } else { style.text };
        let at = pos2(rect.left() + 3.0, rect.center().y);
        painter.text(at, Align2::LEFT_CENTER, format!("{short}{larger}"), words.clone(), color);
        match &variant.count {
            Ok(count) => {
                let values = [count.parameters as f64, count.gmac(), count.activation_mib()];
                let texts = [
                    if column > 12.0 * digit { number::grouped(count.parameters) } else { millions(count.parameters) },
                    number::short(count.gmac()),
                    number::short(count.activation_mib()),
                ];
                for (i, text) in texts.into_iter().enumerate() {
                    let cell = Rect::from_min_size(
                        pos2(left + name + column * i as f32, rect.top()),
                        vec2(column - 0.4 * size, line),
                    );
                    let share = if most[i] > 0.0 { values[i] / most[i] } else { 0.0 };
                    bar(&painter, cell, share as f32, &text, color_of(i, ctx), size, ctx);
                }
            }
            Err(_) => {
                let at = pos2(left + name, rect.center().y);
                let text = "C does not divide the layers";
                painter.text(at, Align2::LEFT_CENTER, text, words.clone(), style.text_weak);
            }
        }
        response.on_hover_ui(|ui| {
            ui.set_max_width(26.0 * size);
            ui.label(&title);
            if let Some(row) = paper_row(variant.spec.architecture) {
                ui.label(format!("the paper's test Dice at width 64: {:.3} ± {:.3}", row.dice.0, row.dice.1));
            }
            match (&variant.count, variant.larger) {
                (Err(error), _) => drop(ui.label(error.to_string())),
                (_, Some(more)) => {
                    let more = number::grouped(more);
                    ui.label(format!("▲ {more} parameters more than the U-net of this width: scale C as the width"));
                }
                _ => {}
            }
            ui.label("Click: choose it for the next run.");
        });
    }
    table_2(&card.table, size, ui, ctx);
    let text = "With C scaled as the width, grouping saves parameters. It saves fewer multiply-adds and takes more memory: \
                every grouped 3×3 convolution is followed by a 1×1, whose input is kept too.";
    ui.add_space(0.4 * size);
    note(ui, size, style.text_weak, text);
    chosen
}

/// The paper's Table 2 with our counts of its ten networks.
fn table_2(rows: &[Counted], size: f32, ui: &mut Ui, ctx: &ViewCtx<'_>) {
    let style = ctx.style;
    ui.add_space(0.8 * size);
    let title = "The paper’s Table 2 and our counts at width 64 (Dice: the paper’s, on its data)";
    note(ui, size, style.text, title);
    // The distances are the first to go.
    let columns = if ui.clip_rect().width() > 42.0 * size { 6 } else { 5 };
    let grid = Grid::new("table 2").spacing(vec2(0.9 * size, 0.3 * size)).min_row_height(1.4 * size).min_col_width(0.0);
    grid.show(ui, |ui| {
        for head in ["network", "     paper", "      ours", "", "paper’s Dice", "HD95 [px]"].iter().take(columns) {
            ui.label(RichText::new(*head).size(size).color(style.text_weak));
        }
        ui.end_row();
        for row in rows {
            let help = match row.matched {
                Match::Exact => "Our count of trained parameters is the printed one to the last digit",
                Match::Rounded => "Our count rounds to the printed one",
                Match::Differs => "Our count is not the printed one",
                Match::NoReference => "The paper prints none",
            };
            let color = if row.matched == Match::Differs { style.warning } else { style.good };
            for (column, cell) in row.cells().into_iter().take(columns).enumerate() {
                let text = match column {
                    0 => RichText::new(cell.replace("Lighter U-net", "Lighter")).size(size).color(style.text),
                    3 => RichText::new(cell).size(size + 1.0).color(color),
                    1 | 2 => tile::mono(format!("{cell:>10}"), size, style),
                    _ => tile::mono(cell, size, style),
                };
                let label = ui.label(text);
                if column == 3 {
                    label.on_hover_text(help);
                }
            }
            ui.end_row();
        }
    });
}

fn color_of(column: usize, ctx: &ViewCtx<'_>) -> Color32 {
    ctx.style.category([7, 1, 5][column]).color
}

/// A bar as long as its share, with the number above its right end.
fn bar(painter: &Painter, cell: Rect, share: f32, text: &str, color: Color32, size: f32, ctx: &ViewCtx<'_>) {
    let track = cell.shrink2(vec2(0.0, 0.14 * cell.height()));
    let filled = track.with_max_x(track.left() + share.clamp(0.0, 1.0) * track.width());
    painter.rect_filled(filled, 2.0, color.gamma_multiply(0.4));
    let font = FontId::monospace(size);
    painter.text(pos2(cell.right(), cell.center().y), Align2::RIGHT_CENTER, text, font, ctx.style.text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_card_knows_the_paper_and_warns_where_grouping_does_not_pay() {
        let spec =
            NetSpec { architecture: Architecture::LighterUNet { group: 128 }, channels: 3, base: 16, outputs: 1 };
        let card = Card::new(spec, 64);
        assert_eq!(card.matched, Match::Exact, "the badge is about the paper's width");
        assert_eq!(card.larger, Some(1_348_021 - 1_082_033));
        assert!(!card.is_papers());
        assert_eq!((card.variants.len(), card.table.len()), (10, 10));
        assert_eq!(card.variants[0].count.as_ref().unwrap().parameters, 1_082_033);
        assert_eq!(card.paper.as_ref().unwrap().total.parameters, 7_944_661);
        let paper = Card::new(NetSpec { base: 64, ..spec }, 256);
        assert!(paper.is_papers() && paper.larger.is_none());
        let odd = Card::new(
            NetSpec { base: 24, architecture: Architecture::LighterUNet { group: 16 }, channels: 3, outputs: 1 },
            64,
        );
        assert!(odd.ours.is_err() && odd.paper.is_ok(), "a network that cannot be built is told, not drawn");
    }
}
