//! Learnscope: a desktop visual lab for watching models learn.

pub mod app;
pub mod cli;
pub mod compute;
pub mod data;
pub mod disk;
pub mod engine;
pub mod gpu;
pub mod kit;
pub mod labs;
pub mod metrics;
pub mod nn;
pub mod pixels;
pub mod plot;
pub mod signals;
pub mod watch;
