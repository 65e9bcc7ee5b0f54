//! What a file says of a picture beside its pixels.

use std::path::Path;

use crate::pixels::spacing::Spacing;

/// What a file says beside its pixels; nothing where its kind says nothing, or it cannot be read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct About {
    /// The size of a pixel.
    pub spacing: Option<Spacing>,
    /// What pictures of one patient have in common: all of them belong into one part of a split.
    pub patient: Option<String>,
}

/// Reads a header where the name promises one.
pub fn about(_path: &Path) -> About {
    About::default()
}
