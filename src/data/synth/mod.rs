//! Generators of data that a seed defines.

mod blur;
pub mod fundus;
pub mod shapes;
pub mod ultrasound;
pub mod ultrasound_folder;
