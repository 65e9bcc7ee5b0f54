//! The article's figures as studies (reference section 5).

use crate::engine::study::StudySpec;

pub static STUDIES: &[StudySpec] = &[];
