//! Operations of our own on the CPU, where Burn's copy or pass over the numbers more often than they need to. [`ops`] and
//! [`text_ops`] are the way in; tests hold it against Burn's.

pub mod conv;
pub mod dense;
pub mod maps;
pub mod maths;
pub mod ops;
pub mod regions;
pub mod sequences;
pub mod text_ops;
mod turn;
mod winograd;
