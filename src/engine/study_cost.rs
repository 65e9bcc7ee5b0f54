//! What the runs of a study cost in time: a short trial of each kind of row is timed by its events' own clock, and a whole
//! run is so many steps, validations and so on of it.

use std::fmt;

use super::event::{Body, Event, Status};
use super::params::{Params, Value};
use super::state::RunState;

/// What the time of a lab's runs depends on, and how a short trial shows all of it.
pub struct Cost {
    /// Parameters that hardly change how long a step takes: rows that differ in nothing else are of one kind.
    pub free: &'static [&'static str],
    /// Values that let a trial of [`TRIAL`] steps show every occasion, and steps without one.
    pub trial: fn(&Params) -> Vec<(&'static str, Value)>,
    pub occasions: &'static [Occasion],
}

/// Work that not every step does, e.g. a validation.
pub struct Occasion {
    /// In the plural.
    pub name: &'static str,
    /// The scalar that a step reports when, and only when, it did this.
    pub key: &'static str,
    /// How often a run of so many steps does it, in units of what the trial (run with its own values) did once, and
    /// beyond what the trial did before its first step.
    pub times: fn(&Params, &RunState, u64) -> f64,
}

impl fmt::Debug for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.occasions.iter().map(|occasion| occasion.name);
        f.debug_struct("Cost").field("free", &self.free).field("occasions", &names.collect::<Vec<_>>()).finish()
    }
}

/// Runs of which every step costs the same.
pub static EVEN: Cost = Cost { free: &["steps"], trial: |_| Vec::new(), occasions: &[] };

/// Steps of a trial: one to warm up, one of each kind, and the last one, which measures.
pub const TRIAL: u64 = 5;
/// Most steps of a trial of fast steps.
const LONG_TRIAL: u64 = 200;
/// A trial that took less than this is made again with more steps, up to about this time.
const ENOUGH: f64 = 1.5;

/// The times of one trial as its events tell them.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Seconds at the last event before training.
    before: f64,
    /// Seconds at which training began.
    began: Option<f64>,
    /// Step, seconds at its end, and which occasions it had.
    steps: Vec<(u64, f64, Vec<bool>)>,
}

impl Clock {
    /// Takes in one event of the run.
    pub fn hear(&mut self, event: &Event, cost: &Cost) {
        match (&event.body, self.began) {
            (Body::Status(Status::Running | Status::WarmingUp), None) => self.began = Some(event.seconds),
            (Body::Started(_) | Body::Status(_) | Body::DeviceChecked { .. }, None) => self.before = event.seconds,
            _ => {}
        }
        let Body::Scalars(values) = &event.body else { return };
        if event.step == 0 {
            return;
        }
        if self.steps.last().is_none_or(|(step, ..)| *step < event.step) {
            self.steps.push((event.step, event.seconds, vec![false; cost.occasions.len()]));
        }
        if let Some((_, _, had)) = self.steps.last_mut() {
            for (had, occasion) in had.iter_mut().zip(cost.occasions) {
                *had |= values.iter().any(|(key, _)| **key == *occasion.key);
            }
        }
    }

    /// Steps that a longer trial should take; `None`: this one took long enough.
    pub fn longer(&self) -> Option<u64> {
        let (began, (last, end, _)) = (self.began?, self.steps.last()?);
        let seconds = end - began;
        let steps = (*last as f64 * ENOUGH / seconds.max(1e-6)).min(LONG_TRIAL as f64) as u64;
        (*last <= TRIAL && steps >= 3 * TRIAL).then_some(steps)
    }

    /// What the trial tells. `None`: it reported nothing.
    pub fn timing(&self, trial: &RunState) -> Option<Timing> {
        let began = self.began?;
        let (&(last, end, _), count) = (self.steps.last()?, self.steps.first()?.2.len());
        // The first step builds kernels and fills caches.
        let warm = if last > TRIAL { 2 } else { 1 };
        let steps: Vec<(f64, &Vec<bool>)> = self
            .steps
            .windows(2)
            .filter(|pair| pair[0].0 >= warm)
            .map(|pair| ((pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0) as f64, &pair[1].2))
            .collect();
        let mean = |values: &[f64]| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        let plain: Vec<f64> = steps.iter().filter(|(_, had)| !had.contains(&true)).map(|(d, _)| *d).collect();
        let step = mean(&plain).unwrap_or((end - began) / last as f64);
        let mut each: Vec<Option<f64>> = vec![None; count];
        // Each step in which only one occasion is not yet known tells that one.
        loop {
            let found = (0..count).filter(|&at| each[at].is_none()).find_map(|at| {
                let alone = |had: &[bool]| had[at] && (0..count).all(|k| k == at || !had[k] || each[k].is_some());
                let rest =
                    |had: &[bool]| (0..count).filter(|&k| k != at && had[k]).filter_map(|k| each[k]).sum::<f64>();
                let told: Vec<f64> =
                    steps.iter().filter(|(_, had)| alone(had)).map(|(d, had)| d - step - rest(had)).collect();
                Some((at, mean(&told)?.max(0.0)))
            });
            let Some((at, seconds)) = found else { break };
            each[at] = Some(seconds);
        }
        let each = each.into_iter().map(Option::unwrap_or_default).collect();
        let device = trial.header.as_ref().map_or_else(String::new, |header| header.device.clone());
        Some(Timing { start: began - self.before, step, each, device, trial: numbers_of(trial) })
    }
}

/// The run without its pictures: what is asked of a trial later.
fn numbers_of(run: &RunState) -> RunState {
    let scalars = run.scalars.clone();
    RunState { header: run.header.clone(), step: run.step, params: run.params.clone(), scalars, ..RunState::default() }
}

/// Times of one kind of row, in seconds.
#[derive(Debug, Clone)]
pub struct Timing {
    /// From the data to the first step.
    pub start: f64,
    /// A step without any occasion.
    pub step: f64,
    /// By occasion: what it adds to a step.
    pub each: Vec<f64>,
    /// On which it was timed.
    pub device: String,
    trial: RunState,
}

impl Timing {
    /// Seconds of the occasions of a whole run.
    pub fn occasions(&self, cost: &Cost, params: &Params, steps: u64) -> f64 {
        let times = cost.occasions.iter().map(|occasion| (occasion.times)(params, &self.trial, steps).max(0.0));
        times.zip(&self.each).map(|(times, seconds)| times * seconds).sum()
    }

    /// Seconds of a whole run.
    pub fn seconds(&self, cost: &Cost, params: &Params, steps: u64) -> f64 {
        self.start + steps as f64 * self.step + self.occasions(cost, params, steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::RunId;

    static COST: Cost = Cost {
        free: &[],
        trial: |_| Vec::new(),
        occasions: &[
            Occasion { name: "checks", key: "check", times: |_, _, steps| (steps / 10) as f64 },
            Occasion { name: "tests", key: "test", times: |_, _, _| 1.0 },
        ],
    };

    fn event(step: u64, seconds: f64, body: Body) -> Event {
        Event { run: RunId(1), step, seconds, body }
    }

    #[test]
    fn a_trial_tells_steps_and_evaluations_apart() {
        let mut clock = Clock::default();
        clock.hear(&event(0, 40.0, Body::Status(Status::Building)), &COST);
        clock.hear(&event(0, 42.0, Body::Status(Status::Running)), &COST);
        let mut seconds = 42.0;
        for (step, took, keys) in [
            (1, 9.0, &["loss"][..]),
            (2, 1.0, &["loss"]),
            (3, 4.0, &["loss", "check"]),
            (4, 1.2, &["loss"]),
            (5, 9.1, &["loss", "check", "test"]),
        ] {
            seconds += took;
            let scalars = keys.iter().map(|key| ((*key).into(), 0.0)).collect();
            clock.hear(&event(step, seconds, Body::Scalars(scalars)), &COST);
        }
        clock.hear(&event(5, 90.0, Body::Status(Status::Finished)), &COST);
        let timing = clock.timing(&RunState::default()).unwrap();
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        near(timing.start, 2.0);
        near(timing.step, 1.1);
        near(timing.each[0], 2.9);
        near(timing.each[1], 5.1);
        near(timing.seconds(&COST, &Params::default(), 100), 2.0 + 110.0 + 29.0 + 5.1);
        assert_eq!(clock.longer(), None, "slow steps are not timed twice");
    }

    #[test]
    fn fast_steps_are_timed_for_longer() {
        let mut clock = Clock::default();
        clock.hear(&event(0, 0.0, Body::Status(Status::Running)), &COST);
        for step in 1..=TRIAL {
            clock.hear(&event(step, 0.02 * step as f64, Body::Scalars(vec![("loss".into(), 0.0)])), &COST);
        }
        assert_eq!(clock.longer(), Some(75));
    }
}
