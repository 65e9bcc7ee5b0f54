//! Data on the host: point sets that a seed defines, and one's own files.

pub mod csv_points;
pub mod points;
