//! `learnscope resume`: an interrupted run goes on from its newest good checkpoint.

use serde_json::json;

use crate::engine::run_folder;
use crate::kit::resume::{Refusal, Resumption};

use super::flags::ResumeFlags;
use super::output::{Failure, Output};
use super::progress::reading;
use super::{find_run, headless, request};

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::usage(refusal.0)
    }
}

pub fn resume(flags: &ResumeFlags, output: &Output) -> Result<(), Failure> {
    // The run is about to be written: a replacement that a crash cut short is finished first.
    run_folder::recover(&flags.run)?;
    let folder = find_run(&flags.run)?;
    let warn = |text: &str| {
        output.object(&json!({ "event": "notice", "level": "warning", "text": text }));
        output.aside(format!("warning: {text}"));
    };
    let mut run = Resumption::read(&folder, request::find_lab, warn)?;
    let at = run.at;
    if let Some(asked) = flags.steps {
        if asked <= at {
            return Err(Failure::usage(format!("`--steps {asked}`: the run is already at step {at}; ask for more")));
        }
        run.steps = asked;
    }
    if run.is_done()? {
        output.object(&json!({ "event": "finished", "step": at, "steps": run.steps, "folder": run.header.folder }));
        output.line(format!("{}; `--steps N` goes on to step N", run.done_text()));
        return Ok(());
    }
    let specs = run.lab.params;
    if let Some(path) = &flags.data {
        request::set_data(specs, &mut run.params, path)?;
    }
    reading(output, |watch| run.check(flags.data.is_some(), watch))?;
    if !flags.at.is_empty() {
        let asked = flags.at.iter().map(|text| request::change(specs, text)).collect::<Result<Vec<_>, _>>()?;
        if let Some(early) = asked.iter().find(|change| change.step < at) {
            return Err(Failure::usage(format!(
                "`--at {}:{}=…`: the run is already at step {at}; a change can come from then on",
                early.step, early.key
            )));
        }
        request::refuse_late(&asked, run.steps)?;
        // After what was planned for the same step.
        run.changes.extend(asked);
        run.changes.sort_by_key(|change| change.step);
        request::check_changes(run.lab, &run.params, &run.changes)?;
    }
    let device = flags.device.as_deref().map(request::device_choice).transpose()?;
    let resumed = run.has_checkpoint();
    let request = run.request(device, flags.skip_device_check)?;
    if !resumed {
        output.aside("the run has no checkpoint: it starts from its first step again");
    }
    headless::run(request, output)
}
