//! What tests share, one file for each thing that a test needs:
//!
//! - `scene`: a tile of a lab, drawn without a window and driven by what its widgets are called
//! - `made_run`: a run as the window sees it, said step by step, without an engine
//! - `optimizer_run`: such a run of the optimizers lab
//! - `drive`: a lab's experiment, stepped without an engine
//! - `toy`: a toy experiment, and a bench that runs it with the real engine
//! - `window`: the whole window with a toy lab and a worker that says what the test wants
//! - `program`: the real binary in a folder of its own
//! - `tree`: what lies in a folder, to be compared with later
//! - `adapter`: a lab's tiny network on a graphics device
//! - `offscreen`: a surface as an image

#![allow(dead_code, reason = "no test uses all of it")]

pub mod adapter;
pub mod drive;
pub mod made_run;
pub mod offscreen;
pub mod optimizer_run;
pub mod program;
pub mod scene;
pub mod toy;
pub mod tree;
pub mod window;
