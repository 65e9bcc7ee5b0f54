//! The one data set that is kept in memory, so that it is not read again from run to run: a slot for the whole program,
//! whichever lab reads.

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::watch::Watch;

/// The program's data set.
pub static DATA: Kept = Kept::new();

/// How often somebody who waits for another's reading looks.
const LOOK_TIME: Duration = Duration::from_millis(20);

/// A slot for one data set, known by what it was read from.
pub struct Kept(Mutex<Slot>);

struct Slot {
    /// What it was read from, and the set.
    set: Option<(Box<dyn Any + Send>, Arc<dyn Any + Send + Sync>)>,
    /// What is being read now.
    reading: Vec<Reading>,
}

struct Reading {
    identity: Box<dyn Any + Send>,
    progress: Arc<Progress>,
}

#[derive(Default)]
struct Progress {
    done: AtomicUsize,
    all: AtomicUsize,
}

/// Takes a reading off the list, however it ends.
struct Ends<'a>(&'a Kept, &'a Arc<Progress>);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.slot().reading.retain(|reading| !Arc::ptr_eq(&reading.progress, self.1));
    }
}

impl Kept {
    const fn new() -> Self {
        Self(Mutex::new(Slot { set: None, reading: Vec::new() }))
    }

    /// Held for moments only, never while something is read or dropped.
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The set of this identity: the one that is kept, or the one that another thread is just reading, or what `read` gives,
    /// which takes the place of the set before. A set that cannot be read is not kept.
    pub fn get<I, D, E>(
        &self,
        identity: &I,
        watch: Watch<'_>,
        read: impl FnOnce(Watch<'_>) -> Result<D, E>,
    ) -> Result<Arc<D>, E>
    where
        I: Clone + PartialEq + Send + 'static,
        D: Send + Sync + 'static,
    {
        let is = |known: &dyn Any| known.downcast_ref::<I>() == Some(identity);
        let progress = loop {
            let mut slot = self.slot();
            if let Some((known, set)) = &slot.set
                && is(&**known)
                && let Ok(set) = set.clone().downcast::<D>()
            {
                return Ok(set);
            }
            let Some(other) = slot.reading.iter().find(|other| is(&*other.identity)) else {
                let progress = Arc::<Progress>::default();
                slot.reading.push(Reading { identity: Box::new(identity.clone()), progress: progress.clone() });
                // The old set goes before the new one comes.
                let old = slot.set.take();
                drop(slot);
                drop(old);
                break progress;
            };
            let (done, all) = (other.progress.done.load(Ordering::Relaxed), other.progress.all.load(Ordering::Relaxed));
            drop(slot);
            (watch.progress)(done, all);
            if watch.cancelled() {
                // Says in its own words that it was stopped.
                return read(watch).map(Arc::new);
            }
            std::thread::sleep(LOOK_TIME);
        };
        let _ends = Ends(self, &progress);
        let told = |done, all| {
            // Threads report in no particular order.
            progress.done.fetch_max(done, Ordering::Relaxed);
            progress.all.store(all, Ordering::Relaxed);
            (watch.progress)(done, all);
        };
        let set = Arc::new(read(Watch { progress: &told, cancel: watch.cancel })?);
        let old = self.slot().set.replace((Box::new(identity.clone()), set.clone()));
        drop(old);
        Ok(set)
    }

    /// The set that is kept, if it is of this kind.
    pub fn newest<D: Send + Sync + 'static>(&self) -> Option<Arc<D>> {
        self.slot().set.as_ref()?.1.clone().downcast().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn one_slot_holds_one_set_whatever_its_kind() {
        let kept = Kept::new();
        let words = kept.get(&"words", Watch::nobody(), |_| Ok::<_, ()>(vec!["a"])).unwrap();
        assert_eq!(
            *kept.get(&"words", Watch::nobody(), |_| Err::<Vec<&str>, _>(())).unwrap(),
            ["a"],
            "it is not read again"
        );
        assert!(kept.newest::<Vec<&str>>().is_some());
        let before = Arc::downgrade(&words);
        drop(words);
        let gone = |_: Watch<'_>| {
            assert!(before.upgrade().is_none(), "the old set goes before the new one comes");
            Ok::<_, ()>(7_u64)
        };
        assert_eq!(*kept.get(&1, Watch::nobody(), gone).unwrap(), 7);
        assert!(kept.newest::<Vec<&str>>().is_none());
        assert_eq!(kept.get(&2, Watch::nobody(), |_| Err::<u64, _>("broken")), Err("broken"));
        assert_eq!(*kept.get(&2, Watch::nobody(), |_| Ok::<_, ()>(8_u64)).unwrap(), 8, "what failed is tried again");
    }

    #[test]
    fn a_set_that_is_being_read_is_waited_for_and_watched() {
        let kept = Kept::new();
        let go = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let go = &go;
            let slow = move |watch: Watch<'_>| {
                (watch.progress)(3, 9);
                while !go.load(Ordering::Relaxed) {
                    std::thread::sleep(LOOK_TIME);
                }
                Ok::<_, ()>(5_u64)
            };
            let kept = &kept;
            scope.spawn(move || kept.get(&"set", Watch::nobody(), slow).unwrap());
            while kept.slot().reading.is_empty() {
                std::thread::sleep(LOOK_TIME);
            }
            // Another set is read beside it.
            assert_eq!(*kept.get(&"other", Watch::nobody(), |_| Ok::<_, ()>(1_u64)).unwrap(), 1);
            let progress = |done, all| go.store((done, all) == (3, 9) || go.load(Ordering::Relaxed), Ordering::Relaxed);
            let watch = Watch { progress: &progress, ..Watch::nobody() };
            assert_eq!(*kept.get(&"set", watch, |_| Err::<u64, _>(())).unwrap(), 5);
            let stop = AtomicBool::new(true);
            let stopped = kept.get(&"set", Watch { cancel: &stop, ..Watch::nobody() }, |_| Err::<u64, _>(()));
            assert_eq!(stopped, Ok(Arc::new(5)), "what is there needs no reading");
        });
        assert!(kept.slot().reading.is_empty());
    }

    #[test]
    fn a_reading_that_breaks_off_keeps_nobody_waiting() {
        let kept = Kept::new();
        let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            kept.get(&"set", Watch::nobody(), |_| -> Result<u64, ()> { panic!("a damaged file") })
        }));
        assert!(broken.is_err());
        assert_eq!(*kept.get(&"set", Watch::nobody(), |_| Ok::<_, ()>(5_u64)).unwrap(), 5);
    }
}
