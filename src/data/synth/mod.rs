//! Generators of data that a seed defines.

mod blur;
pub mod chest;
pub mod chest_folder;
pub mod fundus;
pub mod fundus_folder;
pub mod shapes;
pub mod ultrasound;
pub mod ultrasound_folder;
