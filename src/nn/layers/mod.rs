//! What networks are made of: convolutions, normalisation, pooling, resizing.

pub mod conv;
pub mod norm;
