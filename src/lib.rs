//! Learnscope: a desktop visual lab for watching models learn.

// In a test a panic is the message; here nothing that a user can cause ends in one, and `cli::output` alone prints.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr))]

pub mod app;
pub mod cli;
pub mod compute;
pub mod data;
pub mod disk;
pub mod engine;
pub mod gpu;
pub mod kit;
pub mod labs;
pub mod landscape;
pub mod metrics;
pub mod nn;
pub mod pixels;
pub mod plot;
pub mod scale;
pub mod signals;
pub mod text;
pub mod watch;
