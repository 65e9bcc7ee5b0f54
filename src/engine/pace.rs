//! How often the screen is served, decided in one place. What is RECORDED follows a cadence in steps (so that it is
//! reproducible); what is sent to the SCREEN in between follows a cadence in time, so that the cost of watching stays
//! bounded: [`SHARE`] of the training time, or a picture every [`LONGEST`] where one costs more than that.

use std::time::{Duration, Instant};

/// The shortest time between two pictures of the same thing.
pub const SHORTEST: Duration = Duration::from_millis(50);
/// Share of the training time that may be spent on serving the screen.
pub const SHARE: f64 = 0.015;
/// The longest time between two pictures, however costly they are.
const LONGEST: Duration = Duration::from_secs(10);

/// Decides at which steps the screen is served.
#[derive(Debug)]
pub struct Pace {
    next: Option<Instant>,
    /// Running mean of the time of a step that served nobody.
    plain: Option<f64>,
}

impl Pace {
    /// `watched`: somebody looks. A headless run serves no screen.
    pub fn new(watched: bool, now: Instant) -> Self {
        Self { next: watched.then_some(now), plain: None }
    }

    pub fn is_due(&self, now: Instant) -> bool {
        self.next.is_some_and(|next| now >= next)
    }

    /// To be told after every step: how long it took and whether it served the screen.
    pub fn stepped(&mut self, took: Duration, served: bool, now: Instant) {
        let took = took.as_secs_f64();
        if !served {
            self.plain = Some(self.plain.map_or(took, |mean| mean + 0.1 * (took - mean)));
            return;
        }
        let extra = (took - self.plain.unwrap_or(took)).max(0.0);
        let wait = Duration::from_secs_f64(extra / SHARE).clamp(SHORTEST, LONGEST);
        self.next = self.next.map(|_| now + wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_costly_picture_is_drawn_seldom_enough_to_cost_little() {
        let mut now = Instant::now();
        let mut pace = Pace::new(true, now);
        let (mut training, mut serving) = (0.0, 0.0);
        for _ in 0..100_000 {
            let served = pace.is_due(now);
            let took = Duration::from_micros(if served { 40_000 + 500 } else { 500 });
            now += took;
            training += 500e-6;
            serving += if served { 40_000e-6 } else { 0.0 };
            pace.stepped(took, served, now);
        }
        assert!(serving > 0.0 && serving / training < 0.02, "{serving} of {training}");
    }

    #[test]
    fn nobody_watching_is_never_served() {
        let now = Instant::now();
        let mut pace = Pace::new(false, now);
        assert!(!pace.is_due(now));
        pace.stepped(SHORTEST, true, now);
        assert!(!pace.is_due(now + 100 * SHORTEST));
    }
}
