//! What somebody has chosen about a folder of images and masks before it is listed.

use super::listing::Listing;
use super::mapping::Mapping;
use crate::data::labelme::same;

/// Which of a folder's images and masks are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderChoice {
    /// Whose masks are taken where several people have drawn the same, from 1.
    pub annotator: usize,
    /// Classes whose images are left out, in any case.
    pub leave_out: Vec<String>,
    /// Labels of labelme's shapes that are lesion, in any case; none: all.
    pub labels: Vec<String>,
    /// Where images and masks are; `None`: names and folders tell.
    pub mapping: Option<Mapping>,
}

impl Default for FolderChoice {
    fn default() -> Self {
        Self { annotator: 1, leave_out: Vec::new(), labels: Vec::new(), mapping: None }
    }
}

impl FolderChoice {
    /// `leave_out`: names with commas between them.
    pub fn new(annotator: usize, leave_out: &str) -> Self {
        Self { annotator, leave_out: names(leave_out), ..Self::default() }
    }

    /// The same with labels of labelme, with commas between them, and patterns.
    #[must_use]
    pub fn with(self, labels: &str, mapping: Option<Mapping>) -> Self {
        Self { labels: names(labels), mapping, ..self }
    }

    /// Whether images of this class are left out.
    pub fn leaves_out(&self, class: &str) -> bool {
        self.leave_out.iter().any(|name| same(name, class))
    }

    /// Whether it can be used with this folder, listed with it: else the parameter that is wrong, and why.
    pub fn check(&self, listing: &Listing) -> Result<(), (&'static str, String)> {
        if let Some(name) = self.labels.iter().find(|name| !listing.labels.keys().any(|label| same(name, label))) {
            let known: Vec<String> = listing.labels.keys().map(|label| format!("`{label}`")).collect();
            let there = match &known[..] {
                [] => "it has no files of labelme that are used".to_owned(),
                several => format!("there are {}", several.join(", ")),
            };
            return Err(("labels", format!("no shape of this folder has the label `{name}`: {there}")));
        }
        let people = listing.people;
        if self.annotator > people.max(1) {
            let problem = match people {
                0 | 1 => "no image of this folder has masks of several people; choose 1".to_owned(),
                several => format!("{several} people have drawn masks of this folder; choose one from 1 to {several}"),
            };
            return Err(("annotator", problem));
        }
        let left_out = listing.left_out.iter().filter_map(|pair| pair.class.as_ref());
        let known: Vec<&String> = listing.pairs.iter().filter_map(|pair| pair.class.as_ref()).chain(left_out).collect();
        if let Some(name) = self.leave_out.iter().find(|name| !known.iter().any(|class| same(name, class))) {
            let mut known: Vec<String> = known.iter().map(|class| format!("`{class}`")).collect();
            known.sort();
            known.dedup();
            let there = match &known[..] {
                [] => "its images have no classes".to_owned(),
                several => format!("there are {}", several.join(", ")),
            };
            return Err(("leave_out", format!("`{name}` is no class of this folder: {there}")));
        }
        if listing.pairs.is_empty() && !listing.left_out.is_empty() {
            return Err(("leave_out", "leaves no image; leave fewer classes out".to_owned()));
        }
        Ok(())
    }
}

/// The names in a text with commas between them.
fn names(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
