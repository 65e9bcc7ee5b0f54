//! How often the window is painted for what a run sends: so often as it costs the training little, and immediately for what a person
//! does, since input wakes the window by itself.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use eframe::egui::{Context, Id};

/// Share of all cores that painting for a run is to take, as far as [`MOST`] allows; a software rasteriser's threads are not counted.
const SHARE: f64 = 0.0125;
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
pub struct Pace {
    cores: usize,
    /// When the last frame began and how long the next one waits.
    last: Arc<Mutex<Option<(Instant, Duration)>>>,
}

impl Pace {
    fn new() -> Self {
        Self { cores: std::thread::available_parallelism().map_or(1, usize::from), last: Arc::default() }
    }

    /// That of this window.
    pub fn of(ctx: &Context) -> Self {
        ctx.data_mut(|data| data.get_temp_mut_or_insert_with(Id::unique("pace"), Self::new).clone())
    }

    /// A frame begins; the last one took so many seconds of a core, if that is known.
    pub fn frame(&self, cost: Option<f32>) {
        let pause = pause(f64::from(cost.unwrap_or(0.0)), self.cores);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), pause));
    }

    /// Asks for a frame as soon as one is due.
    pub fn wake(&self, ctx: &Context) {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        ctx.request_repaint_after(last.map_or(Duration::ZERO, |(began, pause)| pause.saturating_sub(began.elapsed())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::RawInput;

    #[test]
    fn a_frame_takes_a_small_share_of_all_cores() {
        assert_eq!(pause(0.0, 2), LEAST);
        assert_eq!(pause(f64::NAN, 2), LEAST);
        assert_eq!(pause(0.002, 2), Duration::from_secs_f64(0.08));
        assert_eq!(pause(0.003, 16), LEAST);
        assert_eq!(pause(10.0, 1), MOST);
    }

    #[test]
    fn what_a_run_sends_is_painted_when_a_frame_is_due_and_nothing_when_it_sends_nothing() {
        let ctx = Context::default();
        let pace = Pace::of(&ctx);
        let delay = |wake: bool| {
            let output = ctx.run_ui(RawInput::default(), |_| {
                pace.frame(Some(10.0));
                if wake {
                    Pace::of(&ctx).wake(&ctx);
                }
            });
            output.viewport_output.values().map(|viewport| viewport.repaint_delay).min().expect("a window")
        };
        // The first frames measure.
        for _ in 0..3 {
            delay(false);
        }
        let due = delay(true);
        assert!(due > LEAST && due <= MOST, "{due:?}");
        assert_eq!(delay(false), Duration::MAX);
    }
}
