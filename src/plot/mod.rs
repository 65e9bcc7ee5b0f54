//! Reusable widgets that draw data: fields, curves, tables of numbers, text with equations, and the style they share.

pub mod axes;
pub mod background;
pub mod color_bar;
pub mod colormap;
pub mod contour;
pub mod curve;
pub mod decimate;
pub mod field;
pub mod heatmap;
pub mod histogram;
pub mod image_view;
pub mod labels;
pub mod legend;
pub mod live_texture;
pub mod medium;
pub mod names;
pub mod parallel;
pub mod path_dialog;
pub mod picture;
pub mod scatter;
pub mod spectrum;
pub mod stroke;
pub mod style;
pub mod tile;

pub use crate::scale::{number, ticks as scale};
