//! What labs share.

pub mod batches;
pub mod state;
pub mod training;
