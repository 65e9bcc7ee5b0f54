//! A wall of pictures, all seen through one lens: pictures by key on textures within one budget ([`Pictures`]), what lies
//! over them as plain data ([`Panel`]), and the grid with captions, pins and keys ([`Wall`]). A lab gives for every cell its
//! panels (one, or several side by side such as original, reconstruction and error) and words.

mod grid;
mod legend;
mod map;
mod outline;
mod panel;
mod pictures;
mod recorded;

pub use grid::{Cell, Fact, Seen, Wall, aspect, is_narrow};
pub use legend::{Legend, Mark};
pub use map::Map;
pub use outline::{Contours, Outline, draw_outlines};
pub use panel::{Layer, Panel, beside};
pub use pictures::{Content, Key, Picture, Pictures};
pub use recorded::Recorded;
