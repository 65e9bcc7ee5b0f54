//! How far a run is: a bar with an estimate on a terminal, a plain line every two seconds in a pipe, JSON for machines.

use std::mem::discriminant;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::engine::event::Status;
use crate::engine::state::RunState;
use crate::plot::number;
use crate::watch::Watch;

use super::headless::Interrupt;
use super::output::{Output, plain};

/// Time between two pictures of the bar.
const DRAW_EVERY: Duration = Duration::from_millis(80);
/// Time between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// An estimate is given after so long.
const ESTIMATE_AFTER: Duration = Duration::from_secs(1);

/// Work of so many `units` that Ctrl-C stops: a bar on a terminal, a line every two seconds in a pipe.
pub fn counted<T>(output: &Output, interrupt: &Interrupt, units: &str, work: impl FnOnce(Watch<'_>) -> T) -> T {
    let target = if output.terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    // A template that does not parse would be a mistake in the text below; the default bar then serves.
    if let Ok(style) = ProgressStyle::with_template(&format!("{{bar:32}} {{pos}}/{{len}} {units}, {{eta}} left")) {
        bar.set_style(style);
    }
    let said = Mutex::new(Instant::now());
    let progress = |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        if let Ok(mut said) = said.try_lock()
            && !output.terminal
            && said.elapsed() >= LINE_EVERY
        {
            *said = Instant::now();
            output.aside(format!("{done} of {total} {units}"));
        }
    };
    let done = work(Watch { progress: &progress, cancel: interrupt.flag() });
    bar.finish_and_clear();
    done
}

/// Reads a data set that is needed before a run can be asked for, and tells how far it is.
pub fn reading<T>(output: &Output, read: impl FnOnce(Watch<'_>) -> T) -> T {
    let progress = Mutex::new(Progress::new(output, 0));
    let told = |done, all| {
        // Who comes while another draws has nothing newer to say.
        if let Ok(mut progress) = progress.try_lock() {
            let status = Some(Status::Reading { done, all });
            progress.update(&RunState { status, ..RunState::default() });
        }
    };
    let read = read(Watch { progress: &told, ..Watch::nobody() });
    if let Ok(progress) = progress.lock() {
        progress.finish();
    }
    read
}

/// Shows the progress of one run.
#[derive(Debug)]
pub struct Progress {
    output: Output,
    bar: ProgressBar,
    steps: u64,
    /// When the first training step could start, and the step then: building and compiling tell nothing of the pace.
    since: Option<(Instant, u64)>,
    /// Since when the current status holds.
    status: Option<(Status, Instant)>,
    /// When the last line was printed, or the bar drawn.
    said: Instant,
}

impl Progress {
    pub fn new(output: &Output, steps: u64) -> Self {
        let target = if output.terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(steps), target);
        Self { output: *output, bar, steps, since: None, status: None, said: Instant::now() }
    }

    /// A line above the bar, or a plain one.
    pub fn say(&self, text: &str) {
        if self.output.terminal && !self.bar.is_finished() {
            self.bar.println(plain(text));
        } else {
            self.output.aside(text);
        }
    }

    /// To be told often; draws and prints seldom.
    pub fn update(&mut self, state: &RunState) {
        let Some(status) = &state.status else { return };
        let now = Instant::now();
        let entered = match &self.status {
            Some((known, since)) if discriminant(known) == discriminant(status) => *since,
            _ => {
                self.status = Some((status.clone(), now));
                now
            }
        };
        if *status == Status::Running && self.since.is_none() {
            self.since = Some((now, state.step));
        }
        if now - self.said < if self.output.terminal { DRAW_EVERY } else { LINE_EVERY } {
            return;
        }
        self.said = now;
        if let Some(far) = status.how_far() {
            self.waiting(status, &far, now - entered);
            return;
        }
        let rate = self.rate(now, state.step);
        let left = rate.map(|rate| self.steps.saturating_sub(state.step) as f64 / rate);
        let message = match (status, rate, left) {
            (Status::Building, ..) => "building the model".to_owned(),
            (Status::CheckingDevice, ..) => format!("comparing the device with the CPU {}", waited(now - entered)),
            (Status::WarmingUp, ..) => format!("warming up: compiling kernels {}", waited(now - entered)),
            (_, Some(rate), Some(left)) => format!("{} steps/s, about {} left", number::short(rate), duration(left)),
            _ => String::new(),
        };
        if self.output.terminal {
            self.draw("{bar:32} {pos}/{len} steps  {msg}", (state.step, self.steps), message);
        } else {
            self.output.aside(format!("step {} of {}  {message}", state.step, self.steps));
            self.output.object(&json!({
                "event": "progress", "step": state.step, "steps": self.steps, "seconds": state.seconds,
                "steps_per_second": rate, "seconds_left": left,
            }));
        }
    }

    /// How far something is before the first step.
    fn waiting(&self, status: &Status, far: &str, since: Duration) {
        let left = status.seconds_left(since.as_secs_f64()).filter(|_| since >= ESTIMATE_AFTER);
        let message = match left {
            Some(left) => format!("{far}, about {} left", duration(left)),
            None => far.to_owned(),
        };
        let (name, done, all) = match *status {
            Status::Judging { done, all } => ("judging", done, all),
            Status::Reading { done, all } => ("reading", done, all),
            _ => return,
        };
        if self.output.terminal {
            return self.draw("{bar:32} {msg}", (done as u64, all as u64), message);
        }
        self.output.aside(&message);
        self.output.object(&json!({
            "event": "progress", "status": name, "done": done, "of": all, "seconds_left": left,
        }));
    }

    fn draw(&self, template: &str, (done, all): (u64, u64), message: String) {
        // A template that does not parse would be a mistake in a text of this file; the bar as it was then serves.
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_length(all);
        self.bar.set_position(done);
        self.bar.set_message(message);
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Steps per second since the first one; `None` until there is something to measure.
    fn rate(&self, now: Instant, step: u64) -> Option<f64> {
        let (since, from) = self.since?;
        let seconds = (now - since).as_secs_f64();
        (step > from && seconds > 0.2).then(|| (step - from) as f64 / seconds)
    }
}

fn waited(time: Duration) -> String {
    format!("({} s)", time.as_secs())
}

/// A time to wait, as one says it: `8 s`, `3 min 20 s`, `2 h 5 min`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match (whole / 3_600, whole / 60 % 60, whole % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn times_read_as_one_says_them() {
        assert_eq!(duration(-1.0), "0 s");
        assert_eq!(duration(59.6), "1 min 0 s");
        assert_eq!(duration(7_530.0), "2 h 5 min");
    }
}
