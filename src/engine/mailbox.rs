//! The lossy lane: one slot per key that holds the newest bulky value. The screen wants the newest; everything else is
//! on disk. The lock is held for a pointer swap only.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;

use super::event::{Key, Payload, RunId};

/// The newest value of a key.
#[derive(Debug, Clone)]
pub struct Letter {
    pub run: RunId,
    pub step: u64,
    pub key: Key,
    pub payload: Arc<Payload>,
}

/// Latest-value slots, shared by the worker (puts) and one consumer (takes).
#[derive(Debug, Default)]
pub struct Mailbox {
    slots: Mutex<HashMap<Key, Letter>>,
}

impl Mailbox {
    /// Replaces whatever the key's slot held.
    pub fn put(&self, letter: Letter) {
        self.lock().insert(letter.key.clone(), letter);
    }

    /// Empties all slots; the order of the letters is unspecified.
    pub fn take_all(&self) -> Vec<Letter> {
        std::mem::take(&mut *self.lock()).into_values().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Letter>> {
        // A panic while swapping pointers leaves the map whole.
        self.slots.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
