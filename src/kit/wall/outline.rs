//! Outlines of masks over pictures.

use eframe::egui::{Color32, Painter, Rect};

use crate::pixels::mask::Mask;
use crate::pixels::mask::outline::{self, OutlineStyle, outlines};
use crate::plot::image_view::draw_loops;
use crate::plot::stroke::Pen;
use crate::plot::style::Dash;

/// Points of the screen that a pixel is wide from which lines go along the sides of pixels.
const MAGNIFIED: f32 = 4.0;

/// Outlines of one mask.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contours {
    /// Along the sides of pixels, for the magnified view.
    pub edges: Vec<outline::Outline>,
    /// Corners cut off, for the view from afar.
    pub smooth: Vec<outline::Outline>,
}

impl Contours {
    pub fn of(mask: &Mask) -> Self {
        Self { edges: outlines(mask, OutlineStyle::Edges), smooth: outlines(mask, OutlineStyle::Midpoints) }
    }

    /// Their lines with this pen.
    pub fn outline(&self, color: Color32, dash: Dash, width: f32, shade: f32) -> Outline<'_> {
        Outline { edges: &self.edges, smooth: &self.smooth, color, dash, width, shade }
    }
}

/// Closed lines over a picture, in its pixels.
#[derive(Debug, Clone, Copy)]
pub struct Outline<'a> {
    /// Where the picture is magnified.
    pub edges: &'a [outline::Outline],
    /// From afar.
    pub smooth: &'a [outline::Outline],
    pub color: Color32,
    pub dash: Dash,
    /// In points of the screen.
    pub width: f32,
    /// How much wider the dark line below is, which is seen on bright tissue; 0: there is none.
    pub shade: f32,
}

/// Draws outlines of a picture of `size` pixels that lies over `placed`.
pub fn draw_outlines(painter: &Painter, placed: Rect, size: [usize; 2], outlines: &[Outline<'_>]) {
    let magnified = placed.width() / size[0].max(1) as f32 >= MAGNIFIED;
    let feather = 1.0 / painter.pixels_per_point();
    for outline in outlines {
        let Outline { color, dash, width, shade, .. } = *outline;
        let loops = if magnified { outline.edges } else { outline.smooth };
        let draw = |pen: Pen| draw_loops(painter, placed, size, loops.iter().map(|line| line.points.as_slice()), pen);
        if shade > 0.0 {
            draw(Pen { width: width + shade, color: Color32::from_black_alpha(110), dash: Dash::Solid, feather });
        }
        draw(Pen { width, color, dash, feather });
    }
}
