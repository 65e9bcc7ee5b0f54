//! What labs share.

pub mod kept;
