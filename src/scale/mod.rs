//! Values as people read them: round ticks along an axis, numbers as text, colours of a map. Plain data for every room that
//! draws or prints.

pub mod colormap;
pub mod number;
pub mod ticks;
