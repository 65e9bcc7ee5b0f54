//! The corridor between the labs: what a lab is, and what every lab shares. Knows no lab.

pub mod batches;
pub mod compare;
pub mod curves;
pub mod doctor;
pub mod empty;
pub mod export;
pub mod fields;
pub mod kept;
pub mod lab;
pub mod landscape;
pub mod landscape_tile;
pub mod pinned;
pub mod points;
pub mod predict;
pub mod predict_fields;
pub mod prose;
pub mod resume;
pub mod series;
pub mod state;
pub mod study;
pub mod tiles;
pub mod training;
pub mod view;
pub mod wall;
