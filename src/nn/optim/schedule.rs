//! How the learning rate runs and when training ends: courses that are known beforehand, and decisions from the validation
//! losses of the epochs.
//!
//! Plain numbers that are saved with a run: a resumed run goes on with the same decisions.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// A course of the learning rate that is known before training, as a share of the set rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Course {
    Constant,
    /// PyTorch's `StepLR`: multiplied by `factor` after every so many steps.
    Steps {
        every: u64,
        factor: f64,
    },
    /// PyTorch's `CosineAnnealingLR` (Loshchilov and Hutter, 2017, without restarts): half a cosine from 1 down to `least`
    /// after so many steps, and `least` from there on.
    Cosine {
        steps: u64,
        least: f64,
    },
}

impl Course {
    /// The share at a step, counted from 0, in 0..=1. The first `warm_up` steps climb in a line, 1/`warm_up` at the first
    /// of them (Goyal et al., 2017); the course begins after them.
    pub fn share(self, step: u64, warm_up: u64) -> f64 {
        if step < warm_up {
            return (step + 1) as f64 / warm_up as f64;
        }
        let step = step - warm_up;
        match self {
            Course::Constant => 1.0,
            Course::Steps { every, factor } => factor.powf((step / every.max(1)) as f64),
            Course::Cosine { steps, least } if step < steps => {
                least + (1.0 - least) * 0.5 * (1.0 + (PI * step as f64 / steps as f64).cos())
            }
            Course::Cosine { least, .. } => least,
        }
    }
}

/// PyTorch's `ReduceLROnPlateau` for a loss that is to fall, with a relative threshold.
///
/// An epoch is good where its loss is below best · (1 − threshold); `best` then becomes that loss. When more than
/// `patience` epochs in a row were not good, the rate is multiplied by `factor` and counting starts again, so with
/// patience 5 on the sixth such epoch. A loss that is not a number is never good.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReduceOnPlateau {
    pub factor: f64,
    pub patience: u32,
    /// Relative.
    pub threshold: f64,
    /// Epochs after a reduction in which nothing is counted.
    pub cooldown: u32,
    pub least_rate: f64,
    rate: f64,
    /// `None` before the first good epoch.
    best: Option<f64>,
    bad_epochs: u32,
    cooldown_left: u32,
}

/// A reduction by no more than this is not made.
const LEAST_REDUCTION: f64 = 1e-8;

impl ReduceOnPlateau {
    /// The paper's: factor 0.5, patience 5, threshold 10⁻⁴, no cooldown, no least rate.
    pub fn new(rate: f64) -> Self {
        Self {
            factor: 0.5,
            patience: 5,
            threshold: 1e-4,
            cooldown: 0,
            least_rate: 0.0,
            rate,
            best: None,
            bad_epochs: 0,
            cooldown_left: 0,
        }
    }

    /// The rate of the coming epoch.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Epochs in a row that were not good, since the last reduction.
    pub fn bad_epochs(&self) -> u32 {
        self.bad_epochs
    }

    /// Takes the validation loss of a finished epoch; returns the rate of the next one.
    pub fn observe(&mut self, loss: f64) -> f64 {
        let good = match self.best {
            Some(best) => loss < best * (1.0 - self.threshold),
            None => loss < f64::INFINITY,
        };
        if good {
            self.best = Some(loss);
            self.bad_epochs = 0;
        } else {
            self.bad_epochs = self.bad_epochs.saturating_add(1);
        }
        if self.cooldown_left > 0 {
            self.cooldown_left -= 1;
            self.bad_epochs = 0;
        }
        if self.bad_epochs > self.patience {
            let reduced = (self.rate * self.factor).max(self.least_rate);
            if self.rate - reduced > LEAST_REDUCTION {
                self.rate = reduced;
            }
            self.cooldown_left = self.cooldown;
            self.bad_epochs = 0;
        }
        self.rate
    }
}

/// Ends training when the validation loss has not fallen for a number of epochs, and tells which epoch was best.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopping {
    /// Epochs in a row without a new lowest loss after which training ends.
    pub patience: u32,
    /// Training never ends before this many epochs; 0 in the paper, 50 in its code.
    pub least_epochs: u32,
    epochs: u32,
    /// The lowest loss and its epoch, counted from 1; `None` before the first.
    best: Option<(f64, u32)>,
}

/// What follows from an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The loss is lower than ever before: these weights are to be kept.
    pub best: bool,
    /// Training is to end.
    pub stop: bool,
}

impl EarlyStopping {
    pub fn new(patience: u32, least_epochs: u32) -> Self {
        Self { patience, least_epochs, epochs: 0, best: None }
    }

    /// Takes the validation loss of a finished epoch. Only a strictly lower loss counts, and one that is not a number
    /// never does.
    pub fn observe(&mut self, loss: f64) -> Verdict {
        self.epochs = self.epochs.saturating_add(1);
        let best = match self.best {
            Some((best, _)) => loss < best,
            None => loss < f64::INFINITY,
        };
        if best {
            self.best = Some((loss, self.epochs));
        }
        let waited = self.epochs_without_improvement();
        Verdict { best, stop: waited >= self.patience && self.epochs >= self.least_epochs }
    }

    /// Epochs since the lowest loss.
    pub fn epochs_without_improvement(&self) -> u32 {
        self.epochs - self.best.map_or(0, |(_, epoch)| epoch)
    }

    /// The lowest loss and its epoch, counted from 1.
    pub fn best(&self) -> Option<(f64, u32)> {
        self.best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_is_pytorchs() {
        // `StepLR(step_size=3, gamma=0.1)`, and `CosineAnnealingLR(T_max=4, eta_min=0.1)` from 1.
        let steps = Course::Steps { every: 3, factor: 0.1 };
        let cosine = Course::Cosine { steps: 4, least: 0.1 };
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        let expected = [1.0, 0.868_198_051_533_946_4, 0.55, 0.231_801_948_466_053_57, 0.1, 0.1];
        for (step, share) in [1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.01].into_iter().enumerate() {
            assert!(near(steps.share(step as u64, 0), share));
            assert!(near(steps.share(step as u64 + 5, 5), share), "after a warm-up the course begins at its start");
        }
        for (step, share) in expected.into_iter().enumerate() {
            assert!(near(cosine.share(step as u64, 0), share), "{step}");
        }
        let climb: Vec<f64> = (0..6).map(|step| Course::Constant.share(step, 4)).collect();
        assert_eq!(climb, [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]);
        assert_eq!(
            Course::Steps { every: 0, factor: 0.5 }.share(2, 0),
            0.25,
            "every step, rather than a division by 0"
        );
        assert_eq!(Course::Cosine { steps: 0, least: 0.5 }.share(0, 0), 0.5);
    }

    #[test]
    fn the_rate_falls_on_the_sixth_bad_epoch() {
        let mut schedule = ReduceOnPlateau::new(1.0);
        let rates: Vec<f64> = [0.5; 13].iter().map(|loss| schedule.observe(*loss)).collect();
        assert_eq!(rates, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25]);
    }

    #[test]
    fn an_improvement_below_the_threshold_is_none_but_keeps_the_weights() {
        let (mut schedule, mut stopping) = (ReduceOnPlateau::new(1.0), EarlyStopping::new(3, 0));
        for epoch in 0..7 {
            let loss = 0.3 - 1e-6 * f64::from(epoch);
            assert_eq!(stopping.observe(loss), Verdict { best: true, stop: false });
            schedule.observe(loss);
        }
        assert_eq!(schedule.rate(), 0.5);
    }

    #[test]
    fn cooldown_least_rate_and_least_reduction_are_kept() {
        let mut schedule = ReduceOnPlateau { patience: 0, cooldown: 2, least_rate: 0.3, ..ReduceOnPlateau::new(1.0) };
        let rates: Vec<f64> = [1.0; 8].iter().map(|loss| schedule.observe(*loss)).collect();
        assert_eq!(rates, [1.0, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3]);
        let mut tiny = ReduceOnPlateau { patience: 0, ..ReduceOnPlateau::new(1.5e-8) };
        tiny.observe(1.0);
        assert_eq!(tiny.observe(1.0), 1.5e-8);
    }

    #[test]
    fn losses_that_are_no_numbers_are_never_good() {
        let (mut schedule, mut stopping) = (ReduceOnPlateau::new(1.0), EarlyStopping::new(2, 0));
        let verdicts: Vec<bool> = [f64::NAN, f64::INFINITY].iter().map(|loss| stopping.observe(*loss).stop).collect();
        assert_eq!(verdicts, [false, true]);
        assert_eq!(stopping.best(), None);
        for _ in 0..6 {
            schedule.observe(f64::NAN);
        }
        assert_eq!(schedule.rate(), 0.5);
    }

    #[test]
    fn training_does_not_end_early_in_the_authors_code() {
        let mut stopping = EarlyStopping::new(2, 5);
        let stops: Vec<bool> = [1.0; 6].iter().map(|loss| stopping.observe(*loss).stop).collect();
        assert_eq!(stops, [false, false, false, false, true, true]);
        assert_eq!((stopping.best(), stopping.epochs_without_improvement()), (Some((1.0, 1)), 5));
    }

    #[test]
    fn a_saved_schedule_goes_on_as_it_would_have() {
        let (mut schedule, mut stopping) = (ReduceOnPlateau::new(1e-4), EarlyStopping::new(15, 0));
        for loss in [0.5, 0.4, 0.41, 0.42] {
            schedule.observe(loss);
            stopping.observe(loss);
        }
        let text = serde_json::to_string(&(schedule, stopping)).unwrap();
        assert_eq!(serde_json::from_str::<(ReduceOnPlateau, EarlyStopping)>(&text).unwrap(), (schedule, stopping));
        let fresh = serde_json::to_string(&ReduceOnPlateau::new(1.0)).unwrap();
        assert_eq!(serde_json::from_str::<ReduceOnPlateau>(&fresh).unwrap(), ReduceOnPlateau::new(1.0));
    }
}
