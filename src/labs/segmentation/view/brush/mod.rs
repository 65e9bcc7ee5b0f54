//! brush
