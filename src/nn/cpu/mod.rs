//! Operations of our own on the CPU, where Burn's copy or pass over the numbers more often than they need to. [`ops`] is the
//! way in; tests hold it against Burn's.

pub mod conv;
pub mod maps;
pub mod ops;
