//! Words one after the other, wrapped to a width, each with its own place: they are coloured, underlined and pointed at
//! one by one.

use std::sync::Arc;

use eframe::egui::{Color32, FontId, Galley, Painter, Pos2, Rect, Vec2, pos2, vec2};

use crate::plot::stroke::{LineMesh, Pen};
use crate::plot::style::Dash;

/// Words with their places, from the top left of the flow.
pub struct Flow {
    pub words: Vec<(Rect, Arc<Galley>)>,
    /// Where an ellipsis stands for the words that have no room.
    ellipsis: Option<(Rect, Arc<Galley>)>,
    pub height: f32,
}

/// How one word is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    pub color: Color32,
    pub fill: Color32,
    pub underline: Option<(Color32, Dash)>,
}

/// Height of a line.
pub fn line_height(size: f32) -> f32 {
    (1.5 * size).round()
}

impl Flow {
    /// Lays words out within a width, in at most so many lines.
    pub fn new<'a>(
        painter: &Painter,
        words: impl IntoIterator<Item = &'a str>,
        width: f32,
        most_lines: usize,
        size: f32,
    ) -> Self {
        let font = FontId::proportional(size);
        let galley = |text: &str| painter.layout_no_wrap(text.to_owned(), font.clone(), Color32::PLACEHOLDER);
        let (line, space) = (line_height(size), 0.34 * size);
        let dots = galley("…");
        let (mut x, mut row) = (0.0, 0);
        let mut placed: Vec<(Rect, Arc<Galley>)> = Vec::new();
        let mut ellipsis = None;
        let mut words = words.into_iter().peekable();
        while let Some(word) = words.next() {
            let galley = galley(word);
            let wide = galley.size().x;
            if x > 0.0 && x + wide > width && row + 1 < most_lines {
                (x, row) = (0.0, row + 1);
            }
            // In the last line there has to be room for the ellipsis too, unless this is the last word.
            let room = if words.peek().is_some() { width - space - dots.size().x } else { width };
            if row + 1 >= most_lines && x + wide > room {
                ellipsis = Some((cell(x, row, dots.size().x, line), dots));
                break;
            }
            placed.push((cell(x, row, wide, line), galley));
            x += wide + space;
        }
        Self { words: placed, ellipsis, height: line * (row + 1) as f32 }
    }

    /// The same in the largest type of a few, from `size` on, in which all words fit into this height.
    pub fn largest<'a>(
        painter: &Painter,
        words: impl IntoIterator<Item = &'a str> + Clone,
        [width, height]: [f32; 2],
        size: f32,
    ) -> (Self, f32) {
        let lay = |times: f32| {
            let size = (times * size).round();
            (Self::new(painter, words.clone(), width, usize::MAX, size), size)
        };
        [1.75, 1.5, 1.25].map(lay).into_iter().find(|(flow, _)| flow.height <= height).unwrap_or_else(|| lay(1.0))
    }

    /// Draws the words with what is behind and under them, with the top left at `at`.
    pub fn draw(&self, painter: &Painter, at: Pos2, size: f32, weak: Color32, look: impl Fn(usize) -> Look) {
        let offset = at.to_vec2();
        for (i, (rect, galley)) in self.words.iter().enumerate() {
            let look = look(i);
            let place = rect.translate(offset);
            if look.fill != Color32::TRANSPARENT {
                painter.rect_filled(place.expand2(vec2(0.12 * size, -0.08 * size)), 2.0, look.fill);
            }
            painter.galley(place.min + vec2(0.0, (place.height() - galley.size().y) / 2.0), galley.clone(), look.color);
            if let Some((color, dash)) = look.underline {
                underline(painter, place, size, color, dash);
            }
        }
        if let Some((rect, galley)) = &self.ellipsis {
            let centred = vec2(0.0, (rect.height() - galley.size().y) / 2.0);
            painter.galley(rect.min + offset + centred, galley.clone(), weak);
        }
    }

    /// The place of a word that is shown, with the top left of the flow at `at`.
    pub fn place(&self, word: usize, at: Pos2) -> Option<Rect> {
        self.words.get(word).map(|(rect, _)| rect.translate(at.to_vec2()))
    }
}

fn cell(x: f32, row: usize, width: f32, line: f32) -> Rect {
    Rect::from_min_size(pos2(x, row as f32 * line), Vec2::new(width, line))
}

fn underline(painter: &Painter, place: Rect, size: f32, color: Color32, dash: Dash) {
    let y = place.bottom() - 0.12 * size;
    let run = [(pos2(place.left(), y), 0), (pos2(place.right(), y), 1)];
    let pen = Pen { width: 0.13 * size, color, dash, feather: 1.0 / painter.pixels_per_point() };
    LineMesh::new([run.as_slice()], pen).draw(painter);
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::{Context, RawInput};

    /// Lays out within a frame, since fonts need one.
    fn with_painter(test: impl Fn(&Painter)) {
        let ctx = Context::default();
        let _ = ctx.run_ui(RawInput::default(), |ui| test(ui.painter()));
    }

    #[test]
    fn words_wrap_and_what_has_no_room_is_an_ellipsis() {
        with_painter(|painter| {
            let words = ["opacity"; 12];
            let all = Flow::new(painter, words, 200.0, usize::MAX, 11.0);
            assert_eq!(all.words.len(), 12);
            assert!(all.ellipsis.is_none() && all.height > line_height(11.0));
            let two = Flow::new(painter, words, 200.0, 2, 11.0);
            assert!(two.words.len() < 12 && two.ellipsis.is_some());
            assert_eq!(two.height, 2.0 * line_height(11.0));
            let right = two.words.iter().chain(&two.ellipsis).map(|(rect, _)| rect.right()).fold(0.0, f32::max);
            assert!(right <= 200.0, "{right}");
            // All of them fit exactly: no room is kept for an ellipsis that nobody needs.
            let wide =
                Flow::new(painter, words, f32::INFINITY, 1, 11.0).words.last().map_or(0.0, |(rect, _)| rect.right());
            assert!(Flow::new(painter, words, wide + 0.1, 1, 11.0).ellipsis.is_none());
        });
    }
}
