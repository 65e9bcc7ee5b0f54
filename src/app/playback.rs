//! Where the shared cursor is and how it moves: play, pause, seek, speed, sub-steps, following the live edge.

use crate::kit::view::Cursor;

/// Slowest and fastest playback.
pub const SPEEDS: (f64, f64) = (0.1, 100.0);

/// The timeline's state for one lab.
#[derive(Debug, Clone, PartialEq)]
pub struct Playback {
    pub cursor: Cursor,
    /// The cursor moves by itself.
    pub playing: bool,
    /// The cursor stays pinned to the newest step.
    pub follow: bool,
    /// Factor on the lab's own rate, [`SPEEDS`].
    pub speed: f64,
    /// The user moved or stopped the cursor: a recomputed run keeps it where it is.
    pub touched: bool,
    /// Fraction of a step that has not been played yet.
    carry: f64,
}

impl Default for Playback {
    fn default() -> Self {
        Self { cursor: Cursor::default(), playing: true, follow: false, speed: 1.0, touched: false, carry: 0.0 }
    }
}

impl Playback {
    /// Starts over from step 0, playing.
    pub fn from_start(&mut self) {
        *self = Self { speed: self.speed, ..Self::default() };
    }

    /// Follows a training run from its first step.
    pub fn follow_live(&mut self) {
        *self = Self { speed: self.speed, playing: false, follow: true, ..Self::default() };
    }

    /// Moves with time: `seconds` since the last frame at `rate` steps a second, towards the newest `computed` step of
    /// `planned` ones. A cursor that waits for a recomputed run to get there stays. Returns whether another frame is
    /// wanted.
    pub fn advance(&mut self, seconds: f64, rate: f64, computed: u64, planned: u64) -> bool {
        if self.follow {
            self.cursor = Cursor { step: computed, sub: 0 };
            self.carry = 0.0;
            return false;
        }
        if self.cursor.step > planned {
            self.cursor = Cursor { step: planned, sub: 0 };
        }
        if !self.playing {
            return false;
        }
        self.carry += seconds.clamp(0.0, 0.25) * rate * self.speed;
        let steps = self.carry.floor();
        self.carry -= steps;
        if steps >= 1.0 && self.cursor.step < computed {
            self.cursor = Cursor { step: self.cursor.step.saturating_add(steps as u64).min(computed), sub: 0 };
        }
        true
    }

    /// Called when a finished run has been played to its end: stays there, also when the run is recomputed.
    pub fn pin_at_end(&mut self) {
        self.playing = false;
        self.follow = true;
        self.touched = false;
    }

    /// Moves the cursor by hand; playing stops.
    pub fn seek(&mut self, cursor: Cursor, end: u64) {
        let step = cursor.step.min(end);
        // Past the last step there is no update to take apart.
        let sub = if step < end { cursor.sub } else { 0 };
        *self =
            Self { cursor: Cursor { step, sub }, playing: false, follow: false, touched: true, carry: 0.0, ..*self };
    }

    /// Moves the cursor to a step by hand; past the end: to the newest step, and follows it.
    pub fn seek_step(&mut self, step: u64, end: u64) {
        self.seek(Cursor { step, sub: 0 }, end);
        self.follow = step >= end;
    }

    /// Moves the cursor to the next or the last one of the marked steps.
    pub fn seek_mark(&mut self, forward: bool, marks: impl Iterator<Item = u64>, end: u64) {
        let at = self.cursor.step;
        let next = if forward { marks.filter(|s| *s > at).min() } else { marks.filter(|s| *s < at).max() };
        if let Some(step) = next {
            self.seek_step(step, end);
        }
    }

    /// Play from here; from the start if the cursor is at the end.
    pub fn play(&mut self, end: u64) {
        if self.cursor.step >= end {
            self.cursor = Cursor::default();
        }
        self.playing = true;
        self.follow = false;
        self.touched = false;
        self.carry = 0.0;
    }

    pub fn pause(&mut self) {
        self.playing = false;
        self.touched = true;
    }

    /// By whole steps, negative: back.
    pub fn step_by(&mut self, steps: i64, end: u64) {
        // A half-shown update counts as a place of its own on the way back.
        let back_to_start = steps == -1 && self.cursor.sub > 0;
        let step = if back_to_start { self.cursor.step } else { self.cursor.step.saturating_add_signed(steps) };
        self.seek(Cursor { step, sub: 0 }, end);
    }

    /// One part of an update forward or back; an update has `parts` of them.
    pub fn sub_step(&mut self, forward: bool, parts: usize, end: u64) {
        let Cursor { step, sub } = self.cursor;
        let next = match (forward, sub) {
            _ if parts == 0 => return,
            (true, sub) if sub < parts && step < end => Cursor { step, sub: sub + 1 },
            (true, _) => Cursor { step: step + 1, sub: 0 },
            (false, 0) if step > 0 => Cursor { step: step - 1, sub: parts },
            (false, 0) => return,
            (false, sub) => Cursor { step, sub: sub - 1 },
        };
        self.seek(next, end);
    }

    /// Next speed of the series 0.1, 0.2, 0.5, 1, 2, 5 .. 100.
    pub fn change_speed(&mut self, faster: bool) {
        const SERIES: [f64; 10] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];
        let next = if faster {
            SERIES.into_iter().find(|s| *s > self.speed * 1.001)
        } else {
            SERIES.into_iter().rev().find(|s| *s < self.speed * 0.999)
        };
        self.speed = next.unwrap_or(self.speed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(step: u64, sub: usize) -> Cursor {
        Cursor { step, sub }
    }

    #[test]
    fn playing_moves_at_rate_times_speed_and_stops_at_the_end() {
        let mut play = Playback { speed: 2.0, ..Playback::default() };
        for _ in 0..60 {
            play.advance(1.0 / 60.0, 60.0, 420, 420);
        }
        assert!((119..=120).contains(&play.cursor.step), "{:?}", play.cursor);
        for _ in 0..600 {
            play.advance(1.0 / 60.0, 60.0, 420, 420);
        }
        assert_eq!(play.cursor, at(420, 0));
        play.pin_at_end();
        play.advance(1.0, 60.0, 100, 100);
        assert_eq!(play.cursor, at(100, 0), "a pinned cursor follows the end of a recomputed run");
        play.play(100);
        assert_eq!(play.cursor, at(0, 0), "play at the end starts over");
    }

    #[test]
    fn a_scrubbed_cursor_waits_for_the_recomputed_run() {
        let mut play = Playback::default();
        play.seek(at(92, 3), 420);
        play.advance(1.0, 60.0, 0, 420);
        assert_eq!(play.cursor, at(92, 3), "nothing is computed yet");
        play.advance(1.0, 60.0, 50, 50);
        assert_eq!(play.cursor, at(50, 0), "the new run is shorter");
    }

    #[test]
    fn sub_steps_walk_through_an_update_and_back() {
        let mut play = Playback::default();
        let mut seen = Vec::new();
        for _ in 0..4 {
            play.sub_step(true, 2, 10);
            seen.push(play.cursor);
        }
        assert_eq!(seen, [at(0, 1), at(0, 2), at(1, 0), at(1, 1)]);
        for _ in 0..4 {
            play.sub_step(false, 2, 10);
        }
        assert_eq!(play.cursor, at(0, 0));
        play.sub_step(false, 2, 10);
        assert_eq!(play.cursor, at(0, 0));
        play.seek(at(10, 2), 10);
        assert_eq!(play.cursor, at(10, 0), "after the last update there is nothing to take apart");
        assert!(play.touched && !play.playing);
    }

    #[test]
    fn speed_stays_in_its_range() {
        let mut play = Playback::default();
        for _ in 0..20 {
            play.change_speed(true);
        }
        assert_eq!(play.speed, SPEEDS.1);
        for _ in 0..20 {
            play.change_speed(false);
        }
        assert_eq!(play.speed, SPEEDS.0);
    }
}
