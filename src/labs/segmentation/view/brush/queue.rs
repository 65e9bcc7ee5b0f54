//! The order in which images are labelled: by what the network is unsure of, by what has no mask, by the worst of those that
//! have one, or as they lie in the folder. How many are labelled is seen by their masks on disk; nothing else is kept.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::list::Entry;
use crate::labs::segmentation::predict::doubt::Unsure;
use crate::labs::segmentation::predict::proposals::Scored;

/// Which image comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    #[default]
    Folder,
    Unlabelled,
    Unsure,
    Dice,
}

impl Order {
    pub const ALL: [Order; 4] = [Order::Folder, Order::Unlabelled, Order::Unsure, Order::Dice];

    pub fn name(self) -> &'static str {
        match self {
            Order::Folder => "as in the folder",
            Order::Unlabelled => "unlabelled first",
            Order::Unsure => "most unsure first",
            Order::Dice => "least Dice first",
        }
    }

    pub fn help(self) -> &'static str {
        match self {
            Order::Folder => "Images with a mask, then those that were labelled here, then those without one",
            Order::Unlabelled => "Images without a mask come first",
            Order::Unsure => {
                "Images without a mask come first, those that the network is most unsure of before the others"
            }
            Order::Dice => "Images whose mask the network contradicts most come first: masks to be checked",
        }
    }

    /// Whether it needs what the network says of every image.
    pub fn needs_scores(self) -> bool {
        matches!(self, Order::Unsure | Order::Dice)
    }
}

/// The queue of one folder.
#[derive(Debug, Default)]
pub struct Queue {
    pub order: Order,
    pub by: Unsure,
    pub scores: HashMap<PathBuf, Scored>,
    /// Images that were passed over in this window.
    pub skipped: HashSet<PathBuf>,
    /// So many of so many are scored; `None`: nothing is being scored.
    pub progress: Option<(usize, usize)>,
    /// By which network they were scored.
    pub said: Option<String>,
    /// The order is another one: the list is shown from its beginning, once.
    pub from_top: bool,
}

impl Queue {
    /// These entries in the order of the queue.
    pub fn arranged(&self, entries: &[Entry], mut shown: Vec<usize>) -> Vec<usize> {
        let score = |i: usize| self.scores.get(&entries[i].image);
        match self.order {
            Order::Folder => {}
            Order::Unlabelled => shown.sort_by_key(|&i| entries[i].masked),
            // What has no score comes last.
            Order::Unsure => {
                let doubt = |i: usize| score(i).map_or(f64::NEG_INFINITY, |found| self.by.of(&found.doubt));
                shown.sort_by(|&a, &b| entries[a].masked.cmp(&entries[b].masked).then(doubt(b).total_cmp(&doubt(a))));
            }
            Order::Dice => {
                let dice = |i: usize| score(i).and_then(|found| found.dice).unwrap_or(f64::INFINITY);
                shown.sort_by(|&a, &b| dice(a).total_cmp(&dice(b)));
            }
        }
        shown
    }

    /// What is written beside an entry in this order.
    pub fn note(&self, entry: &Entry) -> String {
        let found = self.scores.get(&entry.image);
        match self.order {
            Order::Unsure => found.map_or_else(String::new, |found| format!("{:.3}", self.by.of(&found.doubt))),
            Order::Dice => found.and_then(|found| found.dice).map_or_else(String::new, |dice| format!("{dice:.3}")),
            Order::Folder | Order::Unlabelled => String::new(),
        }
    }

    /// The image to go on with after this one is done: in the orders of labelling the next one without a mask that was not
    /// passed over, from here on and then from the beginning; else the next in the list.
    pub fn next(&self, entries: &[Entry], shown: &[usize], after: Option<&Path>) -> Option<PathBuf> {
        let at = after.and_then(|after| shown.iter().position(|&i| entries[i].image == after));
        let from = at.map_or(0, |at| at + 1);
        let image = |&i: &usize| entries[i].image.clone();
        match self.order {
            Order::Folder | Order::Dice => shown.get(from).map(image),
            Order::Unlabelled | Order::Unsure => {
                let waits = |&&i: &&usize| {
                    let entry = &entries[i];
                    !entry.masked && Some(entry.image.as_path()) != after && !self.skipped.contains(&entry.image)
                };
                shown[from.min(shown.len())..].iter().chain(shown).find(waits).map(image)
            }
        }
    }

    /// The masks of images changed: what was said of them is old.
    pub fn forget(&mut self, image: &Path) {
        if let Some(score) = self.scores.get_mut(image) {
            score.dice = None;
        }
        self.skipped.remove(image);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::segmentation::predict::doubt::Doubt;

    fn entry(name: &str, masked: bool) -> Entry {
        Entry { name: name.to_owned(), image: PathBuf::from(name), corrected: false, masked, draft: false }
    }

    #[test]
    fn the_most_unsure_image_without_a_mask_comes_first_and_skipped_ones_are_passed_over() {
        let entries = [entry("a", true), entry("b", true), entry("c", false), entry("d", false), entry("e", false)];
        let scored =
            |border: f64, dice: Option<f64>| Scored { doubt: Doubt { border, image: 0.0, mirror: 1.0 - border }, dice };
        let mut queue = Queue::default();
        for (name, border, dice) in [("a", 0.9, Some(0.8)), ("b", 0.1, Some(0.3)), ("c", 0.2, None), ("d", 0.7, None)] {
            queue.scores.insert(PathBuf::from(name), scored(border, dice));
        }
        let names = |queue: &Queue| -> String {
            queue.arranged(&entries, (0..5).collect()).into_iter().map(|i| entries[i].name.as_str()).collect()
        };
        assert_eq!(names(&queue), "abcde");
        queue.order = Order::Unlabelled;
        assert_eq!(names(&queue), "cdeab");
        queue.order = Order::Unsure;
        assert_eq!(names(&queue), "dceab", "an image without a score waits");
        queue.by = Unsure::Mirror;
        assert_eq!(names(&queue), "cdeba");
        queue.by = Unsure::Border;
        let shown = queue.arranged(&entries, (0..5).collect());
        let next = |queue: &Queue, after: &str| queue.next(&entries, &shown, Some(Path::new(after)));
        assert_eq!(next(&queue, "d"), Some("c".into()));
        assert_eq!(next(&queue, "b"), Some("d".into()), "from the beginning again");
        queue.skipped.insert("c".into());
        assert_eq!(next(&queue, "d"), Some("e".into()));
        queue.skipped.insert("e".into());
        assert_eq!(next(&queue, "d"), None);
        queue.order = Order::Dice;
        assert_eq!(names(&queue), "bacde");
        let shown = queue.arranged(&entries, (0..5).collect());
        assert_eq!(queue.next(&entries, &shown, Some(Path::new("b"))), Some("a".into()));
        assert_eq!((queue.note(&entries[1]), queue.note(&entries[4])), ("0.300".to_owned(), String::new()));
        assert_eq!(queue.next(&entries, &shown, None), Some("b".into()));
    }
}
