//! Courses of the learning rate and of the momentum along a run.

use crate::nn::optim::schedule;

/// How the learning rate goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    Constant,
    /// Times a factor every so many updates.
    Step,
    /// By the same factor at every update, to the end value.
    Exponential,
    /// Half a cosine, to the end value.
    Cosine,
    /// Up in a straight line from near 0, then half a cosine.
    WarmupCosine,
}

/// The courses of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    pub course: Course,
    /// Updates between two steps of [`Course::Step`], at least 1.
    pub every: u64,
    /// What it multiplies by.
    pub factor: f64,
    /// Share of η at the last update, of the other courses.
    pub end: f64,
    /// Updates of the warm-up.
    pub warmup: u64,
    /// μ at the first update, from where it goes in a straight line to μ at the last one; `None`: constant.
    pub momentum_from: Option<f64>,
    /// Updates of the whole run; later ones go on with the last one's values.
    pub steps: u64,
}

impl Schedule {
    /// η and μ stay as they are.
    pub const CONSTANT: Self =
        Self { course: Course::Constant, every: 1, factor: 1.0, end: 1.0, warmup: 0, momentum_from: None, steps: 1 };

    /// What η is multiplied by in the update after `done` completed ones.
    pub fn rate(&self, done: u64) -> f64 {
        let cosine = |warmup| {
            let steps = self.steps.saturating_sub(warmup + 1).max(1);
            schedule::Course::Cosine { steps, least: self.end }.share(done, warmup)
        };
        match self.course {
            Course::Constant => 1.0,
            Course::Step => schedule::Course::Steps { every: self.every, factor: self.factor }.share(done, 0),
            Course::Exponential => self.end.powf(progress(done, self.steps)),
            Course::Cosine => cosine(0),
            Course::WarmupCosine => cosine(self.warmup),
        }
    }

    /// What μ is in the update after `done` completed ones.
    pub fn momentum(&self, mu: f64, done: u64) -> f64 {
        self.momentum_from.map_or(mu, |from| {
            let progress = progress(done, self.steps);
            (1.0 - progress) * from + progress * mu
        })
    }
}

/// 0 at the first update, 1 at the last one and after it.
fn progress(done: u64, steps: u64) -> f64 {
    (done as f64 / steps.saturating_sub(1).max(1) as f64).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(course: Course) -> Schedule {
        Schedule { course, every: 10, factor: 0.5, end: 0.1, warmup: 5, momentum_from: Some(0.5), steps: 101 }
    }

    #[test]
    fn courses_begin_and_end_where_they_say() {
        use Course::{Constant, Cosine, Exponential, Step, WarmupCosine};
        let ends = [Constant, Step, Exponential, Cosine, WarmupCosine].map(|course| {
            let schedule = schedule(course);
            [schedule.rate(0), schedule.rate(100), schedule.rate(100_000)]
        });
        let half: f64 = 0.5;
        assert_eq!(ends[0], [1.0; 3]);
        assert_eq!(ends[1], [1.0, half.powi(10), half.powi(10_000)]);
        for end in [ends[2], ends[3]] {
            assert!(end[0] == 1.0 && (end[1] - 0.1).abs() < 1e-15 && end[1] == end[2], "{end:?}");
        }
        assert!(ends[4][0] == 0.2 && (ends[4][1] - 0.1).abs() < 1e-15 && ends[4][1] == ends[4][2], "{ends:?}");
    }

    #[test]
    fn courses_are_halfway_where_they_should_be() {
        assert!((schedule(Course::Cosine).rate(50) - 0.55).abs() < 1e-15);
        assert!((schedule(Course::Exponential).rate(50) - 0.1_f64.sqrt()).abs() < 1e-15);
        let warmup = schedule(Course::WarmupCosine);
        assert_eq!([4, 5].map(|done| warmup.rate(done)), [1.0, 1.0]);
        assert_eq!([9, 10, 19, 20].map(|done| schedule(Course::Step).rate(done)), [1.0, 0.5, 0.5, 0.25]);
    }

    #[test]
    fn momentum_goes_in_a_straight_line() {
        let schedule = schedule(Course::Constant);
        assert_eq!([0, 50, 100, 200].map(|done| schedule.momentum(0.9, done)), [0.5, 0.7, 0.9, 0.9]);
        assert_eq!(Schedule::CONSTANT.momentum(0.9, 3), 0.9);
    }

    #[test]
    fn odd_lengths_give_numbers() {
        for course in [Course::Step, Course::Exponential, Course::Cosine, Course::WarmupCosine] {
            for (steps, every, warmup) in [(0, 0, 0), (1, 1, 1), (2, 9, 50), (u64::MAX, 1, u64::MAX - 1)] {
                let schedule = Schedule { steps, every, warmup, end: 0.0, ..schedule(course) };
                for done in [0, 1, 2, 60] {
                    assert!((0.0..=1.0).contains(&schedule.rate(done)), "{schedule:?} {done}");
                }
            }
        }
    }
}
