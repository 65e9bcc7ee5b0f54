//! Learnscope: a desktop visual lab for watching models learn.

pub mod compute;
pub mod engine;
pub mod gpu;
pub mod labs;
pub mod plot;
