//! How often the window is painted for what a run sends: so often as it costs the training little, and immediately for what a person
//! does, since input wakes the window by itself.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use eframe::egui::{Context, Id};

/// Share of all cores that painting for a run may take.
const SHARE: f64 = 0.04;
/// Between two frames at least, and at most.
const LEAST: Duration = Duration::from_micros(16_667);
const MOST: Duration = Duration::from_millis(100);

/// The pause from one frame to the next where a frame takes so many seconds of one of `cores` cores.
pub fn pause(cost: f64, cores: usize) -> Duration {
    let seconds = cost / (SHARE * cores.max(1) as f64);
    if seconds.is_nan() {
        LEAST
    } else {
        Duration::from_secs_f64(seconds.clamp(LEAST.as_secs_f64(), MOST.as_secs_f64()))
    }
}

/// The pace of a window, known to all that wake it.
#[derive(Debug, Clone)]
pub struct Pace(Arc<Mutex<Option<(Instant, Duration)>>>);

impl Pace {
    /// That of this window.
    pub fn of(ctx: &Context) -> Self {
        ctx.data_mut(|data| data.get_temp_mut_or_insert_with(Id::unique("pace"), || Self(Arc::default())).clone())
    }

    /// A frame begins; the last one took so many seconds of a core, if that is known.
    pub fn frame(&self, cost: Option<f32>) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let pause = pause(f64::from(cost.unwrap_or(0.0)), cores);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), pause));
    }

    /// Asks for a frame as soon as one is due.
    pub fn wake(&self, ctx: &Context) {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ctx.request_repaint_after(last.map_or(Duration::ZERO, |(began, pause)| pause.saturating_sub(began.elapsed())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_takes_a_small_share_of_all_cores() {
        assert_eq!(pause(0.0, 2), LEAST);
        assert_eq!(pause(f64::NAN, 2), LEAST);
        assert_eq!(pause(0.005, 2), Duration::from_secs_f64(0.0625));
        assert_eq!(pause(0.005, 16), LEAST);
        assert_eq!(pause(10.0, 1), MOST);
    }
}
