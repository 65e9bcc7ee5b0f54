//! `learnscope predict`: trained weights applied to one's own files.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value as Json, json};

use crate::engine::params::{ParamSpec, Params, Value};
use crate::kit::lab::LabSpec;
use crate::kit::predict::{PredictEvent, PredictRequest, PredictSpec};
use crate::labs;

use super::flags::PredictFlags;
use super::headless::Interrupt;
use super::output::{Failure, Output, plain, table};
use super::progress::duration;
use super::request::{device_choice, find_lab};

/// Time between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(2);

pub fn predict(flags: &PredictFlags, output: &Output) -> Result<(), Failure> {
    let spec = spec_of(find_lab(&flags.lab)?)?;
    // What is mistyped is said before the weights are read.
    let settings = (spec.settings)();
    let named = [("architecture", &flags.architecture), ("probabilities", &flags.probabilities)];
    let named = named.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", value.as_ref()?)));
    let set: Vec<String> = named.chain(flags.set.iter().cloned()).collect();
    set.iter().try_for_each(|assignment| Params::default().set_text(&settings, assignment))?;
    let request = PredictRequest {
        weights: flags.weights.clone(),
        data: flags.data.clone(),
        out: flags.out.clone(),
        set,
        device: device_choice(&flags.device)?,
        parts: flags.part.clone(),
        force: flags.force,
    };
    let interrupt = Interrupt::listen()?;
    let mut teller = Teller::new(output);
    let result = (spec.predict)(&request, interrupt.flag(), &mut |event| teller.tell(event));
    teller.bar.finish_and_clear();
    result?;
    output.kept(&request.out);
    Ok(())
}

/// The end of `learnscope predict --help`: what can be set, lab by lab.
pub fn settings_help() -> String {
    let mut text =
        "A picture that cannot be read is a row of the table with the reason, and the rest goes on.".to_owned();
    for (lab, spec) in labs::specs().filter_map(|lab| Some((lab, lab.predict?))) {
        text += &format!(
            "\n\nSettings of {} (--set KEY=VALUE). What is not set is the run's; of a file of weights:\n",
            lab.id
        );
        let row = |spec: &ParamSpec| {
            let needs = spec.only_if.map(|(key, values)| format!("; with {key}={}", values.join(" or ")));
            let expected = format!("{}: {}{}", spec.label, spec.expected(), needs.unwrap_or_default());
            vec![format!("  {}={}", spec.key, Value::from(spec.default)), expected]
        };
        text += &table(&(spec.settings)().iter().map(row).collect::<Vec<_>>());
        if (spec.settings)().iter().any(|setting| lab.params.iter().any(|param| param.key == setting.key)) {
            text += &format!("\n`learnscope params {}` says more of them.", lab.id);
        }
    }
    text
}

/// What the lab offers, or which labs offer it.
pub fn spec_of(lab: &'static LabSpec) -> Result<&'static PredictSpec, Failure> {
    lab.predict.ok_or_else(|| {
        let with = labs::specs().filter(|lab| lab.predict.is_some()).map(|lab| lab.id);
        let with: Vec<&str> = with.collect();
        Failure::usage(format!(
            "the networks of the lab `{}` are for watching, not for files of one's own; this can be done with {}",
            lab.id,
            with.join(", ")
        ))
    })
}

/// Says how far it is: a bar with an estimate on a terminal, a plain line every two seconds in a pipe, JSON for machines.
struct Teller {
    output: Output,
    bar: ProgressBar,
    began: Instant,
    said: Instant,
}

impl Teller {
    fn new(output: &Output) -> Self {
        let target = if output.terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        // A template that does not parse would be a mistake in the text below; the default bar then serves.
        if let Ok(style) = ProgressStyle::with_template("{bar:32} {pos}/{len} pictures  {msg}") {
            bar.set_style(style);
        }
        Self { output: *output, bar, began: Instant::now(), said: Instant::now() }
    }

    fn tell(&mut self, event: PredictEvent) {
        match event {
            PredictEvent::Begun { total, lines, about } => {
                self.output.object(&with_event("started", about, &[("total", json!(total))]));
                lines.iter().for_each(|line| self.output.aside(line));
                self.bar.set_length(total as u64);
                (self.began, self.said) = (Instant::now(), Instant::now());
            }
            PredictEvent::File { done, total, name, problem, row } => {
                self.output.object(&with_event("image", row, &[("done", json!(done)), ("total", json!(total))]));
                if let Some(problem) = problem {
                    self.say(&format!("warning: {name}: {problem}"));
                }
                let rate = done as f64 / self.began.elapsed().as_secs_f64().max(1e-9);
                let left = format!("about {} left", duration((total - done) as f64 / rate));
                self.bar.set_position(done as u64);
                self.bar.set_message(left.clone());
                if !self.output.terminal && self.said.elapsed() >= LINE_EVERY {
                    self.said = Instant::now();
                    self.output.aside(format!("{done} of {total} pictures  {left}"));
                }
            }
            PredictEvent::Done { lines, about } => {
                self.bar.finish_and_clear();
                self.output.object(&with_event("finished", about, &[]));
                lines.iter().for_each(|line| self.output.line(line));
            }
        }
    }

    /// A line above the bar, or a plain one.
    fn say(&self, text: &str) {
        if self.output.terminal {
            self.bar.println(plain(text));
        } else {
            self.output.aside(text);
        }
    }
}

fn with_event(event: &str, mut object: Json, more: &[(&str, Json)]) -> Json {
    object["event"] = json!(event);
    for (key, value) in more {
        object[*key] = value.clone();
    }
    object
}
