//! The loss of a network around its weights: slices through it, paths upon them, and its curvature.
//!
//! A picture of a function of thousands of weights is a slice in two directions, and says little of what lies beside it. So
//! every path that is drawn on a slice ([`plane`]) comes with the distance that the picture leaves out, and the curvature
//! ([`mod@sharpness`]) is measured in the whole space. Nothing here knows a lab; each lab that trains a network gives it as a
//! [`Network`] (`Experiment::networks`).

pub mod network;
pub mod plane;
pub mod sharpness;
pub mod slice;

pub use network::{Block, Network};
pub use plane::{Plane, Projected};
pub use sharpness::{Sharpness, sharpness};
pub use slice::{Slice, slice};
