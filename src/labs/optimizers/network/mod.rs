//! The experiment on a small network: several optimizers train their own copies of one perceptron from the same initial
//! weights, on the same sequence of mini-batches.
//!
//! All copies go through one batched forward and backward pass, `[K, N, ..]` for K optimizers; each optimizer then
//! updates its own row of the parameters `[K, P]`. A step that reports nothing reads nothing back.
//!
//! Emitted beside the scalars: `boundary/<optimizer>` (see [`measure::BOUNDARY`]), `weights/<optimizer>` (see
//! [`measure::MOST_WEIGHTS`]), and once at the beginning
//! `points/train`, `points/test` (in the data's own units) and `points/classes` (class names, one a line).

pub mod article;
mod burn_rules;
mod check;
mod experiment;
pub mod features;
mod measure;
pub mod penalty;
pub mod roster;
mod source;

pub use check::device_check;
pub use experiment::{build, shape};
pub use measure::{BOUNDARY, EVALUATED, MOST_WEIGHTS, extent};
pub use source::{check, data};
