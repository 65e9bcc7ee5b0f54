//! Networks that learn from pictures and their reports: an image encoder and a text encoder whose vectors are compared, as a
//! whole and region by word.
//!
//! Letters: B pictures, T texts (B originals first, then the perturbed ones), K perturbed texts of a report, N pieces of a text with
//! padding, W words of a text with padding, R regions of a picture, d numbers of a vector that both sides share.

pub mod batch;
pub mod bert;
pub mod image;
pub mod layers;
pub mod local;
pub mod losses;
pub mod model;
pub mod resnet;
pub mod spec;
pub mod text;
pub mod weights;
