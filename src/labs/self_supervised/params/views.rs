//! The parameters of how strong the views are.

use crate::data::augment::recipes::Strengths;
use crate::engine::params::Params;
use crate::engine::table::{Float, fixed};

use super::{SOURCE, Source};

const VIEWS: &str = "Strength of views";

pub static JITTER_STRENGTH: Float = fixed(VIEWS, "jitter_strength", "jitter strength")
    .help(
        "Factor of how far brightness, contrast, saturation and hue are changed: 1 is the recipe (factors 0.6 to 1.4, hue ±0.1 \
         turns), 0 nothing. Without it a network can tell a picture's views by their colours (SimCLR).",
    )
    .folded()
    .float(1.0, [0.0, 2.0]);
pub static JITTER_CHANCE: Float = fixed(VIEWS, "jitter_chance", "jitter probability")
    .help("Of changing the colours of a view at all; 0.8 in the recipes.")
    .when(SOURCE.is(&["cifar10", "folder"]))
    .float(0.8, [0.0, 1.0]);
pub static FLIP_CHANCE: Float = fixed(VIEWS, "flip_chance", "flip probability")
    .help("Of a view being mirrored left to right; 0.5 in the recipes.")
    .float(0.5, [0.0, 1.0]);
pub static GREY_CHANCE: Float = fixed(VIEWS, "grey_chance", "grey probability")
    .help("Of a view losing its colours; 0.2 in the recipes for colour. It makes sense of those alone.")
    .when(SOURCE.is(&["cifar10", "folder"]))
    .float(0.2, [0.0, 1.0]);
pub static INVERT_CHANCE: Float = fixed(VIEWS, "invert_chance", "inversion probability")
    .help("Of light and dark being exchanged; 0.5 in the recipe for shapes.")
    .when(SOURCE.is(&["shapes"]))
    .float(0.5, [0.0, 1.0]);
pub static NOISE: Float = fixed(VIEWS, "view_noise", "noise")
    .help("Standard deviation of the noise that each view gets, of the range of grey; 0.05 in the recipe for shapes.")
    .when(SOURCE.is(&["shapes"]))
    .float(0.05, [0.0, 0.5]);
pub static BLUR_CHANCE: Float = fixed(VIEWS, "blur_chance", "blur probability")
    .help(
        "Of a Gaussian blur by 0.1 to 2 pixels. BYOL blurs every first view and a tenth of the second ones, SimSiam half of both, \
         of pictures of 224 pixels; in small ones it takes more away. 0 in the recipes here.",
    )
    .float(0.0, [0.0, 1.0]);
pub static SOLARISE_CHANCE: Float = fixed(VIEWS, "solarise_chance", "solarise probability")
    .help("Of inverting what is brighter than a half. BYOL: 0.2 of the second views. 0 in the recipes here.")
    .float(0.0, [0.0, 1.0]);

/// What these parameters ask for. What is not shown is as published.
pub fn strengths(params: &Params) -> Strengths {
    let published = Strengths::PUBLISHED;
    let shapes = SOURCE.of(params) == Source::Shapes;
    let of = |asked: &Float, shown: bool, published: f64| if shown { asked.of(params) } else { published };
    Strengths {
        jitter: JITTER_STRENGTH.of(params),
        jitter_chance: of(&JITTER_CHANCE, !shapes, published.jitter_chance),
        flip_chance: FLIP_CHANCE.of(params),
        grey_chance: of(&GREY_CHANCE, !shapes, published.grey_chance),
        invert_chance: of(&INVERT_CHANCE, shapes, published.invert_chance),
        noise: of(&NOISE, shapes, published.noise),
        blur_chance: BLUR_CHANCE.of(params),
        solarise_chance: SOLARISE_CHANCE.of(params),
    }
}
