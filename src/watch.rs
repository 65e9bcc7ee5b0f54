//! Long work that somebody watches, and may stop, from another thread.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Lets somebody watch and stop long work from another thread.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Called with what is done and what there is in all, from any thread, in no particular order.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
    /// Set it to stop; what was done so far is dropped or handed back as the function says.
    pub cancel: &'a AtomicBool,
}

impl Watch<'static> {
    /// Nobody watches.
    pub fn nobody() -> Self {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Watch { progress: &|_, _| {}, cancel: &NEVER }
    }
}

impl<'a> Watch<'a> {
    /// Whether the work is to stop.
    pub fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// The same for a part of the work that says nothing of how far it is.
    pub fn quiet(&self) -> Self {
        Watch { progress: &|_, _| {}, cancel: self.cancel }
    }

    /// For work in several passes over the same `all` things, that together weigh `weight`: to be called once for each thing
    /// in each pass, with the pass's share of it.
    pub fn counter(self, weight: usize, all: usize) -> impl Fn(usize) + Sync + 'a {
        let done = AtomicUsize::new(0);
        move |share| (self.progress)((done.fetch_add(share, Ordering::Relaxed) + share) / weight, all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_passes_are_one_count() {
        let told = AtomicUsize::new(0);
        let progress = |done, all| {
            assert_eq!(all, 5);
            told.fetch_max(done, Ordering::Relaxed);
        };
        let count = Watch { progress: &progress, ..Watch::nobody() }.counter(5, 5);
        (0..5).for_each(|_| count(2));
        assert_eq!(told.load(Ordering::Relaxed), 2);
        (0..5).for_each(|_| count(3));
        assert_eq!(told.load(Ordering::Relaxed), 5);
    }
}
