//! What was unpacked of whole files, kept for whoever wants another slice of them: a volume, a film.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// A file as it is now: path, bytes, and when it was written.
pub type Stamp = (PathBuf, u64, Option<SystemTime>);

pub fn stamp(path: &Path) -> Stamp {
    let about = std::fs::metadata(path);
    let bytes = about.as_ref().map_or(0, std::fs::Metadata::len);
    (path.to_owned(), bytes, about.and_then(|about| about.modified()).ok())
}

/// What is made of files, the newest of them up to a limit of memory; shared by threads.
pub struct Kept<T> {
    /// Bytes of all that is kept; the newest is kept even where it takes more.
    most: u64,
    /// The one that was asked for last is the last.
    places: Mutex<Vec<Place<T>>>,
}

struct Place<T> {
    of: Stamp,
    /// 0 until it is made.
    bytes: u64,
    made: Made<T>,
}

/// Locked while it is made: whoever needs it waits for it.
type Made<T> = Arc<Mutex<Option<Arc<T>>>>;

impl<T> Kept<T> {
    pub const fn new(most: u64) -> Self {
        Self { most, places: Mutex::new(Vec::new()) }
    }

    /// What was made of a file, or is made now. `bytes`: what it takes in memory. What cannot be made is not kept.
    pub fn get(
        &self,
        of: &Stamp,
        bytes: impl FnOnce(&T) -> u64,
        make: impl FnOnce() -> Result<T, String>,
    ) -> Result<Arc<T>, String> {
        let place = self.place(of);
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = &*place {
            return Ok(made.clone());
        }
        let result = make().map(Arc::new);
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let at = places.iter().position(|place| place.of == *of);
        match (&result, at) {
            (Ok(made), Some(at)) => {
                *place = Some(made.clone());
                places[at].bytes = bytes(made);
                self.make_room(&mut places, of);
            }
            (Err(_), Some(at)) => drop(places.remove(at)),
            (_, None) => {}
        }
        result
    }

    fn place(&self, of: &Stamp) -> Made<T> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = match places.iter().position(|place| place.of == *of) {
            Some(at) => places.remove(at),
            None => Place { of: of.clone(), bytes: 0, made: Arc::default() },
        };
        let made = place.made.clone();
        places.push(place);
        made
    }

    /// Lets go what was not asked for the longest.
    fn make_room(&self, places: &mut Vec<Place<T>>, keep: &Stamp) {
        let mut total: u64 = places.iter().map(|place| place.bytes).sum();
        while total > self.most {
            let Some(at) = places.iter().position(|place| place.bytes > 0 && place.of != *keep) else { return };
            total -= places.remove(at).bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn two_files_in_turn_are_made_once_each_and_the_oldest_goes_first() {
        let kept: Kept<u64> = Kept::new(20);
        let made = Cell::new(0);
        let get = |name: &str, bytes: u64| {
            let make = || {
                made.set(made.get() + 1);
                Ok(bytes)
            };
            assert_eq!(*kept.get(&(name.into(), 0, None), |bytes| *bytes, make).unwrap(), bytes);
            made.get()
        };
        for _ in 0..5 {
            assert!(get("image", 10) + get("mask", 10) <= 4);
        }
        assert_eq!(made.get(), 2);
        assert_eq!(get("image", 10), 2);
        assert_eq!((get("third", 5), get("image", 10), get("mask", 10)), (3, 3, 4), "the mask was the oldest");
        // One that is larger than all that may be kept is kept alone.
        assert_eq!((get("large", 30), get("large", 30), get("image", 10)), (5, 5, 6));
        // Another file of that name.
        assert_eq!(kept.get(&("image".into(), 1, None), |_| 1, || Ok(7)).as_deref(), Ok(&7));
        let failed = (PathBuf::from("damaged"), 0, None);
        assert_eq!(kept.get(&failed, |_| 1, || Err("damaged".to_owned())), Err("damaged".to_owned()));
        assert_eq!(kept.get(&failed, |_| 1, || Ok(8)).as_deref(), Ok(&8));
    }
}
