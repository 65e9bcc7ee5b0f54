//! What an experiment writes its measurements to during one step.

use std::fmt;
use std::sync::Arc;

use super::event::{Body, Key, KeyKind, KeySpec, Level, Payload};
use super::experiment::RunError;

/// Collects what one step reports and knows what is wanted, so that an experiment asks before it pays for a read-back:
/// `if out.wants("boundary/adam") { .. }`.
///
/// What is RECORDED follows [`KeySpec::every`], a cadence in steps; what is sent to the SCREEN in between follows a
/// cadence in time that the engine decides (`screen_due`). Scalars and rows are only ever recorded ones, so that every
/// consumer has the same numbers.
#[derive(Debug)]
pub struct Emit<'a> {
    keys: &'a [KeySpec],
    step: u64,
    last: u64,
    screen_due: bool,
    /// Nobody listens: numbers and pictures are not wanted.
    unheard: bool,
    scalars: Vec<(Key, f64)>,
    bodies: Vec<Body>,
    payloads: Vec<Emitted>,
    watcher: Option<Watcher<'a>>,
}

/// Told what is done and what there is in all; `false`: the run is asked to end.
struct Watcher<'a>(&'a mut dyn FnMut(usize, usize) -> bool);

impl fmt::Debug for Watcher<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watcher")
    }
}

/// A bulky value with its destination.
#[derive(Debug)]
pub struct Emitted {
    pub key: Key,
    pub payload: Arc<Payload>,
    /// Write it to disk too; otherwise only the screen gets it.
    pub record: bool,
}

/// What a step reported.
#[derive(Debug)]
pub struct Emission {
    pub bodies: Vec<Body>,
    pub payloads: Vec<Emitted>,
}

impl<'a> Emit<'a> {
    /// `step`: completed steps once this one is done. `last`: number of steps of the whole run.
    pub fn new(keys: &'a [KeySpec], step: u64, last: u64, screen_due: bool) -> Self {
        let (scalars, bodies, payloads) = (Vec::new(), Vec::new(), Vec::new());
        Self { keys, step, last, screen_due, unheard: false, scalars, bodies, payloads, watcher: None }
    }

    /// For a step of a training that is gone through again for its weights alone: nothing is wanted.
    pub fn unheard(keys: &'a [KeySpec], step: u64, last: u64) -> Self {
        Self { unheard: true, ..Self::new(keys, step, last, false) }
    }

    /// The same for something that may be stopped on the way; see [`Emit::progress`].
    pub fn watched(mut self, watcher: &'a mut dyn FnMut(usize, usize) -> bool) -> Self {
        self.watcher = Some(Watcher(watcher));
        self
    }

    /// Says how much of a long measurement is done, of how much in all.
    ///
    /// # Errors
    /// [`RunError::Stopped`] where it is no longer wanted: only before the first step, since a step is whole or not done.
    pub fn progress(&mut self, done: usize, all: usize) -> Result<(), RunError> {
        let goes_on = self.watcher.as_mut().is_none_or(|watcher| (watcher.0)(done, all));
        if goes_on { Ok(()) } else { Err(RunError::Stopped) }
    }

    /// The step that these measurements belong to.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Whether this is the last step of the run.
    pub fn is_last(&self) -> bool {
        self.step == self.last
    }

    /// Whether anybody wants this key at this step.
    pub fn wants(&self, key: &str) -> bool {
        let spec = self.spec(key);
        self.recorded(spec) || (self.screen_due && spec.kind == KeyKind::Payload)
    }

    /// One number. Ignored where [`Emit::wants`] says no.
    pub fn scalar(&mut self, key: &str, value: f64) {
        debug_assert_eq!(self.spec(key).kind, KeyKind::Scalar, "`{key}` is declared as another kind");
        if self.wants(key) {
            self.scalars.push((Key::from(key), value));
        }
    }

    /// Rows that extend the table `key`, row-major. Always delivered: the experiment chooses the block size.
    pub fn rows(&mut self, key: &str, data: Vec<f64>) {
        let KeyKind::Rows(columns) = self.spec(key).kind else {
            panic!("`{key}` is not declared as rows");
        };
        assert_eq!(data.len() % columns.len(), 0, "`{key}`: a row has {} columns", columns.len());
        self.bodies.push(Body::Rows { key: Key::from(key), columns: columns.len() as u32, data: data.into() });
    }

    /// A bulky value. Ignored where [`Emit::wants`] says no.
    pub fn payload(&mut self, key: &str, payload: Payload) {
        let spec = self.spec(key);
        debug_assert_eq!(spec.kind, KeyKind::Payload, "`{key}` is declared as another kind");
        let record = self.recorded(spec);
        if record || self.screen_due {
            self.payloads.push(Emitted { key: Key::from(key), payload: Arc::new(payload), record });
        }
    }

    /// A message for the user.
    pub fn notice(&mut self, level: Level, text: impl Into<String>) {
        self.bodies.push(Body::Notice { level, text: text.into() });
    }

    /// Hands over what was collected.
    pub fn finish(mut self) -> Emission {
        if !self.scalars.is_empty() {
            self.bodies.insert(0, Body::Scalars(self.scalars));
        }
        Emission { bodies: self.bodies, payloads: self.payloads }
    }

    fn recorded(&self, spec: &KeySpec) -> bool {
        !self.unheard && (self.step.is_multiple_of(spec.every.max(1)) || self.is_last())
    }

    fn spec(&self, key: &str) -> &'a KeySpec {
        KeySpec::find(self.keys, key).unwrap_or_else(|| panic!("the lab does not declare the key `{key}`"))
    }
}
