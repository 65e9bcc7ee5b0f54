//! Rebuilding pictures and telling the ill from the healthy by one code: whether pictures without labels help (Arora, Gaudio and
//! Satpathy, 2019).

pub mod balance;
pub mod query;
pub mod ranks;
pub mod sampler;
pub mod split;
pub mod views;
