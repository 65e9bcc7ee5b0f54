//! What somebody has chosen about a folder of images and masks before it is listed.

use super::listing::Listing;

/// Which of a folder's images and masks are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderChoice {
    /// Whose masks are taken where several people have drawn the same, from 1.
    pub annotator: usize,
    /// Classes whose images are left out, in any case.
    pub leave_out: Vec<String>,
}

impl Default for FolderChoice {
    fn default() -> Self {
        Self { annotator: 1, leave_out: Vec::new() }
    }
}

impl FolderChoice {
    /// `leave_out`: names with commas between them.
    pub fn new(annotator: usize, leave_out: &str) -> Self {
        let names = leave_out.split(',').map(str::trim).filter(|name| !name.is_empty());
        Self { annotator, leave_out: names.map(str::to_owned).collect() }
    }

    /// Whether images of this class are left out.
    pub fn leaves_out(&self, class: &str) -> bool {
        self.leave_out.iter().any(|name| same(name, class))
    }

    /// Whether it can be used with this folder, listed with it: else the parameter that is wrong, and why.
    pub fn check(&self, listing: &Listing) -> Result<(), (&'static str, String)> {
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

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}
