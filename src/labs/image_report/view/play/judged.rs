//! A judged pair on screen: the image under what a word looks at, the words, and all texts with their cosines, the controls beside each.

use std::hash::Hash;

use eframe::egui::accesskit::Role;
use eframe::egui::text::LayoutJob;
use eframe::egui::{Align2, Button, Color32, FontId, Rect, RichText, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::kit::wall::{Content, Key, Layer, Panel, Picture, Pictures};
use crate::labs::image_report::predict::judge::{COLUMNS, Candidate, Judged, cosine_of};
use crate::plot::image_view::Lens;
use crate::plot::style::Style;
use crate::plot::tile;
use crate::text::tags::Tag;

/// Which word of a report is looked at.
#[derive(Debug, Default)]
pub struct Words {
    hovered: Option<usize>,
    /// It was clicked, and stays.
    pinned: Option<usize>,
}

impl Words {
    /// The word under the pointer, or the one that was clicked.
    pub fn chosen(&self) -> Option<usize> {
        self.hovered.or(self.pinned)
    }

    /// Forgets both.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Draws the words of a report in the colours of their classes.
    pub fn show(&mut self, judged: &Judged, ui: &mut Ui, size: f32, style: &Style) {
        self.hovered = None;
        self.pinned = self.pinned.filter(|word| *word < judged.words().len());
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(1.0, 1.0);
            ui.spacing_mut().button_padding = vec2(3.0, 0.0);
            for (i, (word, tag)) in judged.words().iter().zip(&judged.tags).enumerate() {
                let text = RichText::new(word).size(size + 1.0).color(color(*tag, style));
                let response = ui.add(Button::selectable(self.pinned == Some(i), text));
                if response.hovered() || response.has_focus() {
                    self.hovered = Some(i);
                }
                if response.on_hover_text(about_word(judged, i, *tag)).clicked() {
                    self.pinned = if self.pinned == Some(i) { None } else { Some(i) };
                }
            }
        });
    }
}

/// The colour of a class of words.
fn color(tag: Tag, style: &Style) -> Color32 {
    match tag {
        Tag::Noun => style.category(4).color,
        Tag::Adjective => style.category(1).color,
        Tag::Verb => style.category(3).color,
        Tag::Other => style.text_weak,
    }
}

fn about_word(judged: &Judged, word: usize, tag: Tag) -> String {
    let class = tag.title();
    match judged.spot(word) {
        Some(spot) => {
            let [x, y] = spot.at.map(|share| 100.0 * share);
            let share = 100.0 * spot.share;
            let regions = judged.attention(word).map_or(1, <[f32]>::len);
            let even = 100.0 / regions.max(1) as f64;
            format!(
                "{class}; looks most at the region {x:.0} % from the left and {y:.0} % from above, with {share:.1} % of its attention \
                 ({even:.1} % if spread evenly). Click to keep it."
            )
        }
        None => format!("{class}; it has no room in the text encoder"),
    }
}

/// An image `[size, size]`, and over it what a word looks at; returns where it lies. `key` says which image it is, `version` which state.
pub fn picture(
    ui: &Ui,
    view: Rect,
    pictures: &mut Pictures,
    (key, version): (impl Hash + Copy, u64),
    (image, size): (&[u8], usize),
    of_word: Option<(&Judged, usize)>,
) -> Option<Rect> {
    let heat = of_word.and_then(|(judged, word)| Some((judged.heat(word)?, judged.looks.as_ref()?.grid, word)));
    let grey = |x: usize, y: usize| Color32::from_gray(image.get(y * size + x).copied().unwrap_or(0));
    let content = Content::Colors(Box::new(grey));
    let base = Picture { key: Key::new((key, "image"), version), size: [size; 2], content };
    let mut panel = Panel { picture: Some(base), ..Panel::default() };
    if let Some((values, [rows, columns], word)) = &heat {
        let content = Content::Heat { values, most: 1.0 };
        let picture = Picture { key: Key::new((key, "heat"), (version, word)), size: [*columns, *rows], content };
        panel.layers.push(Layer { picture, opacity: 0.5 });
    }
    pictures.panel(ui, view, &Lens::default(), &panel)
}

/// Rank and similarity with the controls, as a line.
pub fn summary(judged: &Judged) -> String {
    let of = |(column, name): (usize, &&str)| {
        let (similarity, place) = (judged.similarity(column)?, judged.place(column)?);
        Some(format!("{name}: {similarity:.3}, rank {} of {}", place.rank, place.of))
    };
    COLUMNS.iter().enumerate().filter_map(of).collect::<Vec<_>>().join(" · ")
}

/// A text with its cosines.
struct Row<'a> {
    name: String,
    words: &'a [String],
    cosines: &'a [Option<f64>; 3],
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Report,
    Perturbed,
    /// Reads like the report and does not count.
    Same,
    Edited,
}

/// Draws the report among its perturbations, the nearest to the image first, and then edits of it.
pub fn table(judged: &Judged, ui: &mut Ui, size: f32, style: &Style) {
    let Some(report) = judged.candidates.first() else { return };
    let mut found: Vec<(String, Kind, &Candidate)> = Vec::new();
    for (kind, of) in judged.perturbed() {
        found.push((kind.title().to_owned(), if of.degenerate { Kind::Same } else { Kind::Perturbed }, of));
    }
    found.insert(0, ("the report".to_owned(), Kind::Report, report));
    let own = |of: &Candidate| cosine_of(&of.cosines, 0).unwrap_or(f64::NEG_INFINITY);
    // What is as near as the report stands before it.
    let order = |kind: Kind| match kind {
        Kind::Perturbed => 0,
        Kind::Report => 1,
        Kind::Same | Kind::Edited => 2,
    };
    found.sort_by(|a, b| {
        let same = (a.1 == Kind::Same).cmp(&(b.1 == Kind::Same));
        same.then(own(b.2).total_cmp(&own(a.2))).then(order(a.1).cmp(&order(b.1)))
    });
    let mut rows: Vec<Row<'_>> =
        found.into_iter().map(|(name, kind, of)| Row { name, words: &of.words, cosines: &of.cosines, kind }).collect();
    let edited = judged.edits.iter().map(|of| {
        let name = format!("edit: {}", of.edit.title().to_lowercase());
        Row { name, words: &of.words, cosines: &of.cosines, kind: Kind::Edited }
    });
    rows.extend(edited);
    let numbers = || rows.iter().flat_map(|row| row.cosines.iter().flatten().copied());
    let least = numbers().fold(f64::INFINITY, f64::min);
    let most = numbers().fold(f64::NEG_INFINITY, f64::max);
    heading(ui, size, style);
    for row in &rows {
        one(ui, row, report, [least, most], size, style);
    }
}

/// Where the name and the three columns lie in a line.
fn columns(rect: Rect, size: f32) -> (Rect, [Rect; 3]) {
    let name = (0.42 * rect.width()).clamp(4.0 * size, 18.0 * size).min(rect.width());
    let width = ((rect.width() - name) / 3.0).max(0.0);
    let cell = |k: usize| {
        let left = rect.left() + name + k as f32 * width;
        Rect::from_min_max(pos2(left + 0.3 * size, rect.top()), pos2((left + width).max(left), rect.bottom()))
    };
    (Rect::from_min_size(rect.min, vec2(name, rect.height())), [cell(0), cell(1), cell(2)])
}

fn line(ui: &mut Ui, size: f32) -> (Rect, eframe::egui::Response) {
    ui.allocate_exact_size(vec2(ui.available_width(), (1.6 * size).round()), Sense::hover())
}

fn heading(ui: &mut Ui, size: f32, style: &Style) {
    let (rect, response) = line(ui, size);
    let text = "Cosines with the image, with another image, and with the mean of many images";
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    let painter = ui.painter_at(rect);
    let (name, cells) = columns(rect, size);
    let font = FontId::proportional(size);
    tile::one_line(&painter, "text, nearest first", name, font.clone(), style.text_weak);
    for (cell, title) in cells.into_iter().zip(COLUMNS) {
        let short = if cell.width() < 7.0 * size { title.split(' ').next().unwrap_or(title) } else { title };
        tile::one_line(&painter, short, cell, font.clone(), style.text_weak);
    }
    response.on_hover_text(text);
}

fn one(ui: &mut Ui, row: &Row<'_>, report: &Candidate, [least, most]: [f64; 2], size: f32, style: &Style) {
    let (rect, response) = line(ui, size);
    let about = about_row(row, report);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &about));
    let painter = ui.painter_at(rect);
    let (name, cells) = columns(rect, size);
    let font = FontId::proportional(size + 0.5);
    let color = match row.kind {
        Kind::Report => style.accent,
        Kind::Same => style.text_weak,
        Kind::Perturbed | Kind::Edited => style.text,
    };
    if response.hovered() {
        painter.rect_filled(rect, 2.0, style.accent.gamma_multiply(0.15));
    }
    let name = Rect::from_min_max(name.min + vec2(0.0, 0.15 * size), name.max);
    tile::one_line(&painter, &row.name, name, font, color);
    for (column, cell) in cells.into_iter().enumerate() {
        let Some(value) = cosine_of(row.cosines, column) else { continue };
        let own = cosine_of(&report.cosines, column).unwrap_or(f64::NAN);
        let bar = match row.kind {
            Kind::Report => style.accent,
            Kind::Same => style.rule,
            _ if own > value => style.text_weak,
            _ => style.warning,
        };
        let room = (cell.width() - 3.6 * size).max(0.0);
        let share = ((value - least) / (most - least).max(1e-9)) as f32;
        let inner = cell.shrink2(vec2(0.0, 0.35 * size));
        painter.rect_filled(Rect::from_min_size(inner.min, vec2((room * share).max(1.0), inner.height())), 0.0, bar);
        painter.vline(inner.left(), inner.y_range(), Stroke::new(1.0, style.rule));
        let at = pos2(cell.right() - 0.3 * size, cell.center().y);
        let text = format!("{value:.3}");
        painter.with_clip_rect(cell).text(at, Align2::RIGHT_CENTER, text, FontId::monospace(size), style.text);
    }
    response.on_hover_ui(|ui| {
        ui.set_max_width(36.0 * size);
        ui.label(RichText::new(&about).size(size));
        ui.label(spelled(row, report, size, style));
    });
}

/// A row in words.
fn about_row(row: &Row<'_>, report: &Candidate) -> String {
    let cell = |(column, title): (usize, &&str)| {
        let value = cosine_of(row.cosines, column)?;
        let own = cosine_of(&report.cosines, column)?;
        let against = match row.kind {
            Kind::Report => "",
            _ if own > value => ", below the report",
            _ => ", not below the report",
        };
        Some(format!("{title} {value:.3}{against}"))
    };
    let cells: Vec<String> = COLUMNS.iter().enumerate().filter_map(cell).collect();
    let same = if row.kind == Kind::Same { "reads like the report and does not count; " } else { "" };
    format!("{}: {same}{}", row.name, cells.join("; "))
}

/// The words of a text; those that are not where they were in the report stand out.
fn spelled(row: &Row<'_>, report: &Candidate, size: f32, style: &Style) -> LayoutJob {
    let mut job = LayoutJob::default();
    for (i, word) in row.words.iter().enumerate() {
        let same = report.words.get(i) == Some(word);
        let color = if same { style.text_weak } else { style.text };
        let format = eframe::egui::TextFormat::simple(FontId::proportional(size + 0.5), color);
        job.append(word, if i == 0 { 0.0 } else { 0.35 * size }, format);
    }
    job
}
