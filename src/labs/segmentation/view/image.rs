//! One image of the wall as a panel: the picture, what lies over it, and the outlines; and what they mean.

use eframe::egui::Color32;

use crate::kit::wall::{Content, Key, Layer, Legend, Map, Panel, Picture};
use crate::pixels::mask::Mask;

use super::gallery::{Gallery, Slot};
use super::look::{Ghost, Look, Marks, Mode};

/// Standard deviation of a probability at which the uncertainty map ends; half of what a coin has, which is rare.
const MOST_UNCERTAIN: f32 = 0.25;
/// How much wider than an outline the dark line below it is, in points.
pub const SHADE: f32 = 1.4;
/// Width of the stripes of wrong pixels relative to the image, so that they can be told apart without colour.
const STRIPES: usize = 40;

/// Image `i` of the gallery, with outlines so many points wide.
pub fn panel<'a>(gallery: &'a Gallery, i: usize, look: &Look, marks: &Marks, line: f32) -> Panel<'a> {
    let Some(card) = gallery.cards.get(i) else { return Panel::default() };
    let mut outlines = Vec::new();
    if let Some(ghost) = gallery.shown(i, Slot::Ghost).filter(|_| look.ghost != Ghost::None) {
        outlines.push(ghost.lines.outline(marks.ghost.color, marks.ghost.dash, 0.8 * line, 0.0));
    }
    let shown = gallery.shown(i, Slot::Now);
    if let Some(shown) = shown {
        outlines.push(shown.lines.outline(marks.prediction.color, marks.prediction.dash, line, SHADE));
    }
    if let Some(lines) = card.truth.as_ref().and_then(|truth| truth.lines()) {
        let shade = if shown.is_none() { 0.15 * line + SHADE } else { 0.0 };
        outlines.push(lines.outline(marks.truth.color, marks.truth.dash, 0.85 * line, shade));
    }
    let layers = over(gallery, i, look.mode, marks).map(|picture| Layer { picture, opacity: look.opacity });
    Panel { picture: card.picture.picture(), layers: layers.into_iter().collect(), outlines }
}

/// What lies over an image in this mode, where there is anything.
fn over<'a>(gallery: &'a Gallery, i: usize, mode: Mode, marks: &Marks) -> Option<Picture<'a>> {
    let card = gallery.cards.get(i)?;
    let id = (gallery.run, "over", i, mode);
    let heat = |map: &'a Map, most: f32| Picture {
        key: Key::new(id, map.step),
        size: [map.side; 2],
        content: Content::Heat { values: &map.values, most },
    };
    let shown = gallery.shown(i, Slot::Now);
    // Colours change with the style.
    let key = |number: u64| Key::new(id, (number, marks.found.color));
    Some(match mode {
        Mode::Outlines => return None,
        Mode::Probability => heat(card.heat.as_ref()?, 1.0),
        Mode::Uncertainty => heat(card.uncertainty.as_ref()?, MOST_UNCERTAIN),
        Mode::Mask => {
            let (shown, color) = (shown?, marks.prediction.color);
            let color = move |x, y| if shown.mask.at(y, x) { color } else { Color32::TRANSPARENT };
            Picture { key: key(shown.number), size: size(&shown.mask), content: Content::Colors(Box::new(color)) }
        }
        Mode::Errors => {
            let (shown, truth) = (shown?, card.truth.as_ref()?);
            if size(&shown.mask) != size(&truth.mask) {
                return None;
            }
            let color = errors(&shown.mask, &truth.mask, *marks);
            Picture { key: key(shown.number), size: size(&truth.mask), content: Content::Colors(Box::new(color)) }
        }
    })
}

fn size(mask: &Mask) -> [usize; 2] {
    [mask.width(), mask.height()]
}

/// Found, too much and missed pixels. Stripes lean to the right where there is too much and to the left where something
/// is missed.
fn errors<'a>(prediction: &'a Mask, truth: &'a Mask, marks: Marks) -> impl Fn(usize, usize) -> Color32 + 'a {
    let height = truth.height();
    let band = (truth.width().max(height) / STRIPES).max(2);
    let striped =
        move |color: Color32, at: usize| if at % band < band / 2 { color } else { color.gamma_multiply(0.55) };
    move |x, y| match (prediction.at(y, x), truth.at(y, x)) {
        (true, true) => marks.found.color,
        (true, false) => striped(marks.too_much.color, x + y),
        (false, true) => striped(marks.missed.color, x + height - y),
        (false, false) => Color32::TRANSPARENT,
    }
}

/// What lines and colours mean: the outlines, then what belongs to the mode.
pub fn legend<'a>(look: &Look, marks: &Marks, note: &'a str) -> Legend<'a> {
    let mut lines = vec![marks.truth, marks.prediction];
    lines.extend((look.ghost != Ghost::None).then_some(marks.ghost));
    let mut legend = Legend { lines, note, ..Legend::default() };
    match look.mode {
        Mode::Outlines | Mode::Mask => {}
        Mode::Errors => legend.colors = vec![marks.found, marks.too_much, marks.missed],
        Mode::Probability => legend.heat = Some(("probability 0", "1".to_owned())),
        Mode::Uncertainty => legend.heat = Some(("standard deviation 0", format!("{MOST_UNCERTAIN}+"))),
    }
    legend
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::style::Style;

    #[test]
    fn errors_are_told_apart_by_colour_and_by_stripes() {
        let marks = Marks::of(&Style::light());
        let truth = Mask::from_fn(80, 120, |y, x| (20..60).contains(&y) && (20..80).contains(&x));
        let prediction = Mask::from_fn(80, 120, |y, x| (20..60).contains(&y) && (40..100).contains(&x));
        let color = errors(&prediction, &truth, marks);
        assert_eq!(color(50, 40), marks.found.color);
        assert_eq!(color(5, 5), Color32::TRANSPARENT);
        let kinds = |from: usize, to: usize| {
            let mut kinds: Vec<_> = (from..to).map(|x| color(x, 40).to_array()).collect();
            kinds.sort_unstable();
            kinds.dedup();
            kinds
        };
        assert_eq!(kinds(20, 40).len(), 2);
        assert!(kinds(20, 40).contains(&marks.missed.color.to_array()));
        assert!(kinds(80, 100).contains(&marks.too_much.color.to_array()));
    }
}
