//! Reusable widgets that draw data: fields, curves, tables of numbers, text with equations, and the style they share.

pub mod number;
pub mod style;
