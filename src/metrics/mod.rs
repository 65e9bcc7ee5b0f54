//! Measurements of trained networks, on the host: spectra, alignment of eigenspaces, collapse,
//! representations without labels, nearest neighbours, probes.
//!
//! Letters: n points (rows), d features (columns), B the batch. Plain functions of plain data; what a number means and
//! by which convention it is computed stands beside it.

pub mod alignment;
pub mod collapse;
pub mod detection;
pub mod grounding;
pub mod knn;
pub mod label_probe;
pub mod linear_probe;
pub mod matching;
pub mod paired;
pub mod projection;
pub mod quality;
pub mod representation;
pub mod spectrum;
