//! Pairs of an image and the mask of its lesions: found in a folder, read, grouped, split, examined, corrected and saved.

pub mod calipers;
pub mod choice;
pub mod doctor;
pub mod drafts;
mod drawings;
pub mod edit;
pub mod given;
mod grouping;
pub mod groups;
mod guess;
pub mod lesion;
pub mod listing;
pub mod mapping;
mod matching;
pub mod names;
pub mod plan;
pub mod read;
pub mod save;
mod seen;
mod sizes;
pub mod skipped;
pub mod split;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
mod told;
mod walk;

pub use super::{DataError, Problem};
pub use crate::watch::Watch;

/// `1 pair`, `2 pairs`.
pub fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}
