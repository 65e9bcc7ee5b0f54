//! The order in which images are labelled: by what the network is unsure of, by what has no mask, by the worst of those that
//! have one, or as they lie in the folder. How many are labelled is seen by their masks on disk; which were passed
//! over, by a list beside these.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::list::{self, Entry};
use crate::data::segmentation::listing::Listing;
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
    scores: HashMap<PathBuf, Scored>,
    /// Another number after every change of scores or masks.
    revision: u64,
    /// Images without a mask that were passed over.
    pub skipped: HashSet<PathBuf>,
    /// So many of so many are scored; `None`: nothing is being scored.
    pub progress: Option<(usize, usize)>,
    /// By which network they were scored.
    pub said: Option<String>,
    /// The order is another one: the list is shown from its beginning, once.
    pub from_top: bool,
}

impl Queue {
    /// That of another folder in the same order, some of whose images were skipped before.
    pub fn of_another(&self, skipped: HashSet<PathBuf>) -> Self {
        Self { order: self.order, by: self.by, skipped, ..Self::default() }
    }

    /// These entries in the order of the queue.
    pub fn arranged(&self, entries: &[Entry], mut shown: Vec<usize>) -> Vec<usize> {
        let score = |i: usize| self.scores.get(&entries[i].image);
        match self.order {
            Order::Folder => {}
            Order::Unlabelled => shown.sort_by_key(|&i| entries[i].masked),
            // What has no score comes last.
            Order::Unsure => {
                let doubt = |i: usize| score(i).map_or(f64::NEG_INFINITY, |found| self.by.of(&found.doubt));
                shown.sort_by_cached_key(|&i| (entries[i].masked, Reverse(in_order(doubt(i)))));
            }
            Order::Dice => {
                let dice = |i: usize| score(i).and_then(|found| found.dice).unwrap_or(f64::INFINITY);
                shown.sort_by_cached_key(|&i| in_order(dice(i)));
            }
        }
        shown
    }

    /// Takes what the network says of an image.
    pub fn put_score(&mut self, image: PathBuf, score: Scored) {
        self.scores.insert(image, score);
        self.revision += 1;
    }

    pub fn has_scores(&self) -> bool {
        !self.scores.is_empty()
    }

    /// What is written beside an entry in this order.
    pub fn note(&self, entry: &Entry) -> String {
        let found = self.scores.get(&entry.image);
        match self.order {
            Order::Unsure => found.map_or_else(String::new, |found| format!("{:.3}", self.by.of(&found.doubt))),
            Order::Dice => found.and_then(|found| found.dice).map_or_else(String::new, |dice| format!("{dice:.3}")),
            Order::Folder | Order::Unlabelled if !entry.masked && self.skipped.contains(&entry.image) => {
                "skipped".to_owned()
            }
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

    /// The mask of an image has changed: what was said of it is old. Whether the image was skipped.
    pub fn forget(&mut self, image: &Path) -> bool {
        self.revision += 1;
        if let Some(score) = self.scores.get_mut(image) {
            score.dice = None;
        }
        self.skipped.remove(image)
    }
}

/// A number for sorting, as [`f64::total_cmp`] has them.
fn in_order(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The list as it was arranged last, until something that it depends on is another.
#[derive(Debug, Default)]
pub struct Arranged {
    known: Option<(Arc<Listing>, String, Order, Unsure, u64)>,
    shown: Rc<[usize]>,
}

impl Arranged {
    /// Numbers of the entries of a listing that are searched for, in the order of the queue.
    pub fn of(&mut self, listing: &Arc<Listing>, entries: &[Entry], search: &str, queue: &Queue) -> Rc<[usize]> {
        let is_known = self.known.as_ref().is_some_and(|(of, words, order, by, revision)| {
            Arc::ptr_eq(of, listing)
                && words == search
                && (*order, *by, *revision) == (queue.order, queue.by, queue.revision)
        });
        if !is_known {
            self.known = Some((listing.clone(), search.to_owned(), queue.order, queue.by, queue.revision));
            self.shown = queue.arranged(entries, list::found(entries, search)).into();
        }
        self.shown.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::segmentation::Watch;
    use crate::data::segmentation::listing::scan;
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
            queue.put_score(PathBuf::from(name), scored(border, dice));
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
        queue.order = Order::Unlabelled;
        assert_eq!(queue.note(&entries[4]), "skipped");
        assert!(queue.forget(Path::new("e")) && !queue.forget(Path::new("d")));
    }

    #[test]
    fn the_list_is_arranged_anew_only_when_something_that_it_depends_on_changes() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.png", "b.png"] {
            image::GrayImage::new(8, 8).save(folder.path().join(name)).unwrap();
        }
        let listing = || Arc::new(scan(folder.path(), None, Watch::nobody()).unwrap());
        let (first, mut entries) = (listing(), vec![entry("a", true), entry("b", false)]);
        let (mut queue, mut arranged) = (Queue::default(), Arranged::default());
        let before = arranged.of(&first, &entries, "", &queue);
        assert_eq!(*before, [0, 1]);
        assert!(Rc::ptr_eq(&before, &arranged.of(&first, &entries, "", &queue)));
        queue.order = Order::Unlabelled;
        assert_eq!(*arranged.of(&first, &entries, "", &queue), [1, 0]);
        assert_eq!(*arranged.of(&first, &entries, "A", &queue), [0]);
        // A mask was saved.
        entries[1].masked = true;
        queue.forget(Path::new("b"));
        assert_eq!(*arranged.of(&first, &entries, "", &queue), [0, 1]);
        queue.order = Order::Unsure;
        let doubt = |border| Scored { doubt: Doubt { border, image: 0.0, mirror: 1.0 - border }, dice: None };
        queue.put_score("b".into(), doubt(0.9));
        queue.put_score("a".into(), doubt(0.2));
        assert_eq!(*arranged.of(&first, &entries, "", &queue), [1, 0]);
        queue.by = Unsure::Mirror;
        let before = arranged.of(&first, &entries, "", &queue);
        assert_eq!(*before, [0, 1]);
        assert!(!Rc::ptr_eq(&before, &arranged.of(&listing(), &entries, "", &queue)), "the folder was read again");
    }

    #[test]
    fn numbers_are_sorted_as_their_total_order_says() {
        let mut values = [0.5, -0.0, f64::INFINITY, 0.0, -3.0, f64::NAN, f64::NEG_INFINITY, -2.0, 7.0];
        let mut sorted = values;
        values.sort_by_key(|&value| in_order(value));
        sorted.sort_by(f64::total_cmp);
        assert_eq!(values.map(f64::to_bits), sorted.map(f64::to_bits));
    }
}
