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
    keys: &'static [KeySpec],
    step: u64,
    last: u64,
    screen_due: bool,
    /// Nobody listens: numbers and pictures are not wanted.
    unheard: bool,
    scalars: Vec<(Key, f64)>,
    bodies: Vec<Body>,
    payloads: Vec<Emitted>,
    watcher: Option<Watcher<'a>>,
    /// What is put off; `None`: nothing is, it is done at once.
    later: Option<Vec<Work>>,
}

/// Work on plain numbers that a step leaves, and what it has to report.
struct Work(Box<Doing>);

type Doing = dyn FnOnce(&mut Emit<'_>) -> Result<(), RunError> + Send;

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Work")
    }
}

/// What a step put off, for whichever thread does it.
#[derive(Debug)]
pub struct Later {
    works: Vec<Work>,
    keys: &'static [KeySpec],
    step: u64,
    last: u64,
    screen_due: bool,
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
    pub fn new(keys: &'static [KeySpec], step: u64, last: u64, screen_due: bool) -> Self {
        let (scalars, bodies, payloads) = (Vec::new(), Vec::new(), Vec::new());
        Self { keys, step, last, screen_due, unheard: false, scalars, bodies, payloads, watcher: None, later: None }
    }

    /// For a step of a training that is gone through again for its weights alone: nothing is wanted.
    pub fn unheard(keys: &'static [KeySpec], step: u64, last: u64) -> Self {
        Self { unheard: true, ..Self::new(keys, step, last, false) }
    }

    /// For a step after which the next one need not wait: [`Emit::put_off`] has what [`Emit::later`] was given.
    pub fn putting_off(keys: &'static [KeySpec], step: u64, last: u64, screen_due: bool) -> Self {
        Self { later: Some(Vec::new()), ..Self::new(keys, step, last, screen_due) }
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

    /// Work on numbers that were read from the device already: while it is done on another thread the next step runs. What it
    /// reports belongs to this step, and is told and recorded in the order of the steps. Works of an experiment are done one
    /// after the other, and before a parameter of it changes, a checkpoint of it is made or it is stopped. One that fails ends
    /// the run at its step, or the twin. Nothing that the training goes by is to be put off: its schedule, its early end.
    ///
    /// # Errors
    /// Those of the work, where it is done at once.
    pub fn later(
        &mut self,
        work: impl FnOnce(&mut Emit<'_>) -> Result<(), RunError> + Send + 'static,
    ) -> Result<(), RunError> {
        match &mut self.later {
            // What nobody hears of is not done.
            None if self.unheard => Ok(()),
            None => work(self),
            Some(later) => {
                later.push(Work(Box::new(work)));
                Ok(())
            }
        }
    }

    /// What this step put off, if anything.
    pub fn put_off(&mut self) -> Option<Later> {
        let works = self.later.as_mut().map(std::mem::take).filter(|works| !works.is_empty())?;
        Some(Later { works, keys: self.keys, step: self.step, last: self.last, screen_due: self.screen_due })
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

    fn spec(&self, key: &str) -> &'static KeySpec {
        KeySpec::find(self.keys, key).unwrap_or_else(|| panic!("the lab does not declare the key `{key}`"))
    }
}

impl Later {
    /// Does it.
    pub fn run(self) -> Result<Emission, RunError> {
        let mut out = Emit::new(self.keys, self.step, self.last, self.screen_due);
        self.works.into_iter().try_for_each(|work| (work.0)(&mut out))?;
        Ok(out.finish())
    }
}

impl Emission {
    /// Adds what the same step reported afterwards. Its numbers stay one body, the first.
    pub fn append(&mut self, mut later: Self) {
        match (self.bodies.first_mut(), later.bodies.first_mut()) {
            (Some(Body::Scalars(before)), Some(Body::Scalars(after))) => {
                before.append(after);
                later.bodies.remove(0);
            }
            (_, Some(Body::Scalars(_))) => self.bodies.insert(0, later.bodies.remove(0)),
            _ => {}
        }
        self.bodies.append(&mut later.bodies);
        self.payloads.append(&mut later.payloads);
    }
}
