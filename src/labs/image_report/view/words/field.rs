//! The scores of words and regions as they are read, their colours, and what they say.

use eframe::egui::{Align2, Color32, FontId, Mesh, Rect, Shape, Ui, pos2, vec2};

use super::super::pairs::{self, Pair, Scores, Word};
use crate::engine::params::Params;
use crate::kit::series;
use crate::kit::view::ViewCtx;
use crate::labs::image_report::params::{PARAMS, VARIANTS, Variant};
use crate::plot::colormap::ColorMap;
use crate::plot::{number, tile};

/// What is drawn of words and regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reading {
    Raw,
    Attention,
    Sharp,
}

/// Each with its name on the button, its name in sentences, and what it is.
pub const READINGS: [(Reading, &str, &str, &str); 3] = [
    (Reading::Raw, "raw", "raw scores", "Inner products of words and regions, on one scale for the whole report"),
    (Reading::Attention, "attention", "attention", "Softmax over regions, from 0 to the largest of this report"),
    (Reading::Sharp, "sharp", "sharp attention", "Attention of each word from its least to its largest"),
];

impl Reading {
    /// In sentences.
    pub fn name(self) -> &'static str {
        READINGS.iter().find(|(known, ..)| *known == self).map_or("", |(_, _, name, _)| name)
    }
}

/// The numbers of a reading and their colours.
pub struct Field {
    pub reading: Reading,
    pub scores: Scores,
    /// Attention, of which shares are told whatever is drawn.
    weights: Option<Scores>,
    /// Of all words; of a sharp one each word has its own.
    bounds: [f32; 2],
    map: ColorMap,
}

impl Field {
    /// A pair's at the cursor; the keys have this prefix.
    pub fn at(ctx: &ViewCtx<'_>, prefix: &str, reading: Reading, pair: usize) -> Option<Self> {
        let what = if reading == Reading::Raw { "raw" } else { "weights" };
        let scores = pairs::scores(ctx, prefix, what, pair)?;
        let [least, most] = pairs::range(scores.all()).unwrap_or([0.0, 1.0]);
        let (bounds, map) = match reading {
            Reading::Raw if least < 0.0 && most > 0.0 => {
                let far = most.max(-least);
                ([-far, far], ColorMap::diverging(ctx.style))
            }
            Reading::Raw => ([least, most], ColorMap::Viridis),
            Reading::Attention | Reading::Sharp => ([0.0, most], ColorMap::Viridis),
        };
        let weights = pairs::scores(ctx, prefix, "weights", pair);
        Some(Self { reading, scores, weights, bounds, map })
    }

    /// What the ends of the colours are for this word.
    fn bounds_of(&self, word: usize) -> [f32; 2] {
        match self.reading {
            Reading::Sharp => pairs::range(self.scores.of_word(word)).unwrap_or(self.bounds),
            Reading::Raw | Reading::Attention => self.bounds,
        }
    }

    /// What is not there is transparent.
    pub fn color(&self, word: usize, region: usize) -> Color32 {
        let Some(value) = self.scores.of_word(word).get(region) else { return Color32::TRANSPARENT };
        let [low, high] = self.bounds_of(word);
        self.map.color((value - low) / (high - low).max(f32::MIN_POSITIVE))
    }

    /// The word that scores highest in a region.
    fn strongest(&self, region: usize) -> Option<usize> {
        let value = |word: usize| self.scores.of_word(word).get(region).copied().filter(|value| !value.is_nan());
        let words = (0..self.scores.words).filter_map(|word| Some((word, value(word)?)));
        words.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(word, _)| word)
    }
}

/// What the numbers say, and whether it is a warning.
pub fn notes(
    pair: &Pair,
    field: &Field,
    region: Option<usize>,
    shown: Option<usize>,
    twin: Option<&Params>,
    ctx: &ViewCtx<'_>,
) -> Vec<(String, bool)> {
    let mut notes = Vec::new();
    let side = field.scores.side;
    let named = |region: usize| format!("row {}, column {}", region / side + 1, region % side + 1);
    if let Some(region) = region {
        let word = field.strongest(region).and_then(|i| pair.words.get(i));
        let best = word.map_or_else(String::new, |word| format!(": “{}” has the largest value", word.text));
        notes.push((format!("Region {}{best}.", named(region)), false));
    } else if let Some((i, word)) = shown.and_then(|i| Some((i, pair.words.get(i)?))) {
        notes.push((of_word(i, word, field, named), false));
    }
    let params = twin.cloned().unwrap_or_else(|| series::params_at(ctx, PARAMS));
    if let Some(Variant::ConVirt | Variant::WithoutLocal) = VARIANTS.get(&params) {
        notes.push(("The loss has no local term: nothing trains these scores.".to_owned(), true));
    }
    notes
}

/// What is known of a word's map.
fn of_word(i: usize, word: &Word, field: &Field, named: impl Fn(usize) -> String) -> String {
    let values = field.scores.of_word(i);
    let text = &word.text;
    let largest = values.iter().enumerate().filter(|(_, v)| !v.is_nan()).max_by(|a, b| a.1.total_cmp(b.1));
    let Some((largest, _)) = largest else {
        return format!("“{text}” has no scores: it lies beyond what is encoded.");
    };
    let Some(place @ [x0, y0, x1, y1]) = word.place else {
        return format!("“{text}” is strongest in {}; no place is known for it.", named(largest));
    };
    let area = 100.0 * (x1 - x0) * (y1 - y0);
    let Some(weights) = &field.weights else {
        return format!("“{text}” is strongest in {}; its box covers {area:.0} % of the image.", named(largest));
    };
    let share = 100.0 * pairs::within(weights.of_word(i), weights.side, place);
    format!(
        "{share:.0} % of the attention of “{text}” lies in its box, which covers {area:.0} % of the image (chance)."
    )
}

/// Which colour is which value.
pub fn colors(rect: Rect, field: &Field, shown: Option<usize>, ui: &Ui, ctx: &ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let painter = ui.painter_at(rect);
    let font = FontId::proportional(size);
    let [low, high] = shown.map_or(field.bounds, |word| field.bounds_of(word)).map(|v| number::compact(f64::from(v)));
    let even = match field.reading {
        Reading::Raw => String::new(),
        Reading::Attention | Reading::Sharp => {
            format!(" (evenly spread: {})", number::compact(1.0 / field.scores.regions() as f64))
        }
    };
    let before = format!("{} {low}", field.reading.name());
    let y = rect.center().y;
    let at = painter.text(pos2(rect.left(), y), Align2::LEFT_CENTER, before, font.clone(), style.text_weak).right();
    let bar = Rect::from_center_size(pos2(at + 4.0 * size, y), vec2(7.0 * size, 0.7 * size));
    painter.add(gradient(bar, |share| field.map.color(share)));
    let after = Rect::from_min_max(pos2(bar.right() + 0.5 * size, y - 0.6 * size), rect.max);
    if after.width() > size {
        tile::one_line(&painter, &format!("{high}{even}"), after, font, style.text_weak);
    }
}

/// Colours of 0 to 1 from the left to the right.
pub fn gradient(place: Rect, color: impl Fn(f32) -> Color32) -> Shape {
    let mut mesh = Mesh::default();
    for slice in 0..=32u32 {
        let share = slice as f32 / 32.0;
        let at = place.left() + share * place.width();
        mesh.colored_vertex(pos2(at, place.top()), color(share));
        mesh.colored_vertex(pos2(at, place.bottom()), color(share));
        if slice > 0 {
            let i = 2 * slice - 2;
            mesh.add_triangle(i, i + 1, i + 2);
            mesh.add_triangle(i + 1, i + 2, i + 3);
        }
    }
    Shape::mesh(mesh)
}
