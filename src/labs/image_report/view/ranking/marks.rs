//! What is marked how: words that moved or were replaced, and ticks.

use eframe::egui::{Color32, FontId, Rect, Ui, pos2, vec2};

use super::super::flow::Look;
use super::super::pairs::Change;
use super::super::words::gradient;
use crate::kit::view::ViewCtx;
use crate::plot::colormap::ColorMap;
use crate::plot::stroke::{LineMesh, Pen};
use crate::plot::style::{Dash, Style};
use crate::plot::{number, tile};

/// How a word is drawn for what became of it, in a text of so many words.
pub fn look(change: Change, count: usize, style: &Style) -> Look {
    let plain = Look { color: style.text_weak, fill: Color32::TRANSPARENT, underline: None };
    match change {
        Change::Stands => plain,
        Change::Moved(far) => {
            Look { color: style.text, fill: distance(far, count, style).gamma_multiply(0.38), ..plain }
        }
        Change::Contradicts => marked(0, style),
        Change::Odd => marked(1, style),
    }
}

fn marked(kind: usize, style: &Style) -> Look {
    let (_, color, dash) = antonym_marks(style)[kind];
    Look { color, fill: Color32::TRANSPARENT, underline: Some((color, dash)) }
}

/// The colour of having moved so far in a text of so many words: the farther, the more it stands out.
pub fn distance(far: usize, count: usize, style: &Style) -> Color32 {
    let most = count.saturating_sub(2).max(1) as f32;
    moved(((far.max(1) - 1) as f32 / most).min(1.0), style)
}

/// The same for a share of the largest distance.
fn moved(share: f32, style: &Style) -> Color32 {
    let share = 0.25 + 0.75 * share;
    ColorMap::Viridis.color(if style.dark { share } else { 1.0 - share })
}

/// Name, colour and dash of something in a legend.
pub type Mark = (&'static str, Color32, Dash);

/// What the ticks are: another image, and the mean image.
pub fn tick_marks(style: &Style) -> [Mark; 2] {
    let color = |i: usize| style.category(i).color;
    [("with another image", color(6), Dash::Solid), ("with the mean image", color(3), Dash::Dotted)]
}

fn antonym_marks(style: &Style) -> [Mark; 2] {
    let odd = style.category(5).color.lerp_to_gamma(style.text, 0.25);
    [("antonym that contradicts", style.warning, Dash::Dashed), ("odd antonym", odd, Dash::Dotted)]
}

/// What ticks, backgrounds and underlines mean.
pub fn legend(rect: Rect, hide_ticks: bool, words: usize, ui: &Ui, ctx: &ViewCtx<'_>) {
    let (size, style) = (tile::font_size(ctx.presenting), ctx.style);
    let painter = ui.painter_at(rect);
    let font = FontId::proportional(size);
    let (mut at, line) = (rect.min + vec2(0.0, 0.75 * size), 1.5 * size);
    let mut entry = |sample: f32, name: &str, draw: &dyn Fn(Rect)| {
        let galley = painter.layout_no_wrap(name.to_owned(), font.clone(), style.text_weak);
        let wide = sample + 0.5 * size + galley.size().x;
        if at.x > rect.left() && at.x + wide > rect.right() {
            at = pos2(rect.left(), at.y + line);
        }
        if at.y > rect.bottom() {
            return;
        }
        draw(Rect::from_min_max(at - vec2(0.0, 0.4 * size), at + vec2(sample, 0.4 * size)));
        let text = pos2(at.x + sample + 0.5 * size, at.y - 0.5 * galley.size().y);
        painter.galley(text, galley, style.text_weak);
        at.x += wide + 1.1 * size;
    };
    let line = |place: Rect, (_, color, dash): Mark| {
        let run = [(place.left_center(), 0), (place.right_center(), 1)];
        let pen = Pen { width: 0.16 * size, color, dash, feather: 1.0 / painter.pixels_per_point() };
        LineMesh::new([run.as_slice()], pen).draw(&painter);
    };
    let marks = tick_marks(style);
    let ticks = if hide_ticks { &[][..] } else { &marks[..] };
    for mark in ticks.iter().chain(&antonym_marks(style)) {
        entry(2.2 * size, mark.0, &|place| line(place, *mark));
    }
    let farthest = words.saturating_sub(1).max(1);
    let name = format!("moved by 1 to {}", number::counted(farthest, "word", "words"));
    entry(5.0 * size, &name, &|place| {
        painter.add(gradient(place, |share| moved(share, style).gamma_multiply(0.6)));
    });
}
