//! Drives an experiment without the engine and keeps what it emits.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use burn::tensor::Device;
use learnscope::engine::emit::{Emission, Emit};
use learnscope::engine::event::{Body, KeySpec, Level, Payload};
use learnscope::engine::experiment::{BuildFn, BuildRequest, Checkpoint, Experiment, RunError};
use learnscope::engine::params::Params;

/// Key, step and bits of a value.
pub type Emitted = (String, u64, u64);

/// How a lab's experiment is made, and what it may emit.
#[derive(Clone, Copy)]
pub struct Maker {
    pub build: BuildFn,
    pub keys: &'static [KeySpec],
}

/// An experiment on the CPU with all that it said.
pub struct Drive {
    pub experiment: Box<dyn Experiment>,
    keys: &'static [KeySpec],
    steps: u64,
    pub done: u64,
    pub scalars: BTreeMap<String, Vec<(u64, f64)>>,
    pub payloads: BTreeMap<(String, u64), Payload>,
    /// Rows of each table, one after the other.
    pub tables: BTreeMap<String, Vec<f64>>,
    pub notices: Vec<(Level, String)>,
}

impl Maker {
    pub fn build(self, params: &Params, seed: u64, steps: u64) -> Drive {
        self.try_build(params, seed, steps).unwrap()
    }

    pub fn try_build(self, params: &Params, seed: u64, steps: u64) -> Result<Drive, RunError> {
        let device = Device::flex();
        let experiment = (self.build)(&BuildRequest { params, seed, steps, device: &device })?;
        let (scalars, payloads, tables) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Ok(Drive { experiment, keys: self.keys, steps, done: 0, scalars, payloads, tables, notices: Vec::new() })
    }

    pub fn restored(self, params: &Params, seed: u64, steps: u64, checkpoint: &Checkpoint) -> Drive {
        let mut run = self.build(params, seed, steps);
        run.experiment.restore(checkpoint).unwrap();
        run.done = checkpoint.step;
        run
    }
}

impl Drive {
    pub fn begin(mut self) -> Self {
        let mut out = Emit::new(self.keys, 0, self.steps, false);
        self.experiment.begin(&mut out).unwrap();
        self.keep(0, out.finish());
        self
    }

    pub fn step(&mut self) -> Result<(), RunError> {
        let mut out = Emit::new(self.keys, self.done + 1, self.steps, false);
        let result = self.experiment.step(&mut out);
        self.done += 1;
        self.keep(self.done, out.finish());
        result
    }

    pub fn run_to(&mut self, step: u64) {
        while self.done < step {
            self.step().unwrap();
        }
    }

    fn keep(&mut self, step: u64, emission: Emission) {
        for body in emission.bodies {
            match body {
                Body::Scalars(values) => {
                    for (key, value) in values {
                        self.scalars.entry(key.to_string()).or_default().push((step, value));
                    }
                }
                Body::Notice { level, text } => self.notices.push((level, text)),
                Body::Rows { key, data, .. } => {
                    self.tables.entry(key.to_string()).or_default().extend_from_slice(&data)
                }
                other => panic!("unexpected {other:?}"),
            }
        }
        for emitted in emission.payloads {
            self.payloads.insert((emitted.key.to_string(), step), (*emitted.payload).clone());
        }
    }

    pub fn at(&self, key: &str, step: u64) -> f64 {
        let found = self.scalars.get(key).and_then(|values| values.iter().find(|(s, _)| *s == step));
        found.unwrap_or_else(|| panic!("no {key} at {step}")).1
    }

    /// Everything emitted after `step`: key, step and the bits of a scalar or a hash of a bulky value (in which NaN
    /// equals NaN, and a failed comparison stays readable).
    pub fn after(&self, step: u64) -> (Vec<Emitted>, Vec<Emitted>) {
        let scalars = self.scalars.iter().flat_map(|(key, values)| {
            values.iter().filter(move |(s, _)| *s > step).map(move |(s, v)| (key.clone(), *s, v.to_bits()))
        });
        let payloads = self.payloads.iter().filter(|((_, s), _)| *s > step).map(|((key, s), payload)| {
            let mut hash = DefaultHasher::new();
            format!("{payload:?}").hash(&mut hash);
            (key.clone(), *s, hash.finish())
        });
        (scalars.collect(), payloads.collect())
    }

    /// The newest bulky value of a key.
    pub fn newest(&self, key: &str) -> &Payload {
        let mut all = self.payloads.iter().filter(|((known, _), _)| known == key);
        all.next_back().unwrap_or_else(|| panic!("no {key}")).1
    }
}
