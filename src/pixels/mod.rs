//! Pixels on the host: masks with their distances, parts and outlines, and the exact resampling that training uses.

pub mod fit;
pub mod mask;
pub mod pieces;
pub mod resize;
pub mod spacing;
pub mod warp;
