//! Runs experiments on a worker thread and turns commands into events. Knows nothing of windows and names no lab.

pub mod checkpoint_file;
pub mod clock;
pub mod command;
pub mod emit;
pub mod event;
pub mod experiment;
pub mod export;
pub mod frames;
pub mod header_file;
mod lane;
pub mod mailbox;
pub mod pace;
pub mod params;
pub mod recording;
pub mod replay;
pub mod run_folder;
pub mod state;
pub mod study;
pub mod study_cost;
pub mod study_figure;
pub mod study_runner;
pub mod study_store;
pub mod study_table;
pub mod table;
pub mod twin;
pub mod worker;
