//! The paper's tables and figures.

use crate::engine::study::StudySpec;

pub static STUDIES: &[StudySpec] = &[];
