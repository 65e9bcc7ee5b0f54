//! From flags to a request that the engine can start, with every mistake named before anything runs.

use std::path::Path;

use crate::compute::device::{self, DeviceChoice};
use crate::engine::command::{Record, RunRequest};
use crate::engine::event::Change;
use crate::engine::params::{self, ParamError, ParamKind, ParamSpec, Params, Value, nearest};
use crate::engine::recording;
use crate::engine::twin;
use crate::kit::lab::{self, LabSpec, RunOptions};
use crate::labs;
use crate::plot::number::counted;

use super::flags::RunFlags;
use super::output::{Failure, Output};
use super::progress::reading;

/// The request of `learnscope run`.
pub fn new_run(flags: &RunFlags, output: &Output) -> Result<Box<RunRequest>, Failure> {
    let lab = find_lab(&flags.lab)?;
    let spec = lab;
    let params = values(lab, flags.preset.as_deref(), &flags.set, flags.data.as_deref())?;
    params.check_effect(spec.params, &flags.set)?;
    let mut changes = flags.at.iter().map(|text| change(spec.params, text)).collect::<Result<Vec<_>, _>>()?;
    changes.sort_by_key(|change| change.step);
    let device = device_choice(&flags.device)?;
    reading(output, |watch| (spec.read)(&params, watch))?;
    (spec.check)(&params)?;
    lab.doctor.map_or(Ok(()), |doctor| (doctor.accept)(&params))?;
    check_changes(lab, &params, &changes)?;
    if flags.steps == Some(0) {
        return Err(Failure::usage(
            "`--steps 0`: a run needs at least one step; a lab that judges a network as it is takes it as `--set steps=0`",
        ));
    }
    let record = if flags.no_record {
        Record::No
    } else {
        recording::probe(&flags.out)?;
        Record::New(flags.out.clone())
    };
    let name = flags.name.clone().or_else(|| flags.preset.clone());
    let options = RunOptions {
        name: name.unwrap_or_else(|| name_for(spec, &params)),
        seed: flags.seed.unwrap_or(lab::DEFAULT_SEED),
        steps: flags.steps,
        device,
        skip_device_check: flags.skip_device_check,
        record,
        changes,
        ..RunOptions::default()
    };
    let request = lab::request(lab, &params, options)?;
    refuse_late(&request.changes, request.steps)?;
    Ok(request)
}

/// The parameters that a preset, what is set beside it, and the data make.
pub fn values(spec: &LabSpec, preset: Option<&str>, set: &[String], data: Option<&Path>) -> Result<Params, Failure> {
    let mut params = match preset {
        None => Params::defaults(spec.params),
        Some(id) => match spec.preset(id) {
            Some(params) => params?,
            None => return Err(unknown("preset", id, spec.presets.iter().map(|preset| preset.id))),
        },
    };
    // What a choice brings gives way to what is set beside it, in whatever order.
    for assignment in set {
        if let Some((key, text)) = assignment.split_once('=') {
            let value = params::find(spec.params, key.trim())?.parse(text)?;
            lab::choose(spec, &mut params, key.trim(), value)?;
        }
    }
    for assignment in set {
        params.set_text(spec.params, assignment)?;
    }
    if let Some(path) = data {
        set_data(spec.params, &mut params, path)?;
    }
    Ok(params)
}

/// Refuses a change at or after the last step.
pub fn refuse_late(changes: &[Change], steps: u64) -> Result<(), Failure> {
    match changes.iter().find(|change| change.step >= steps) {
        None => Ok(()),
        Some(late) => Err(Failure::usage(format!(
            "`--at {}:{}=…` never happens: the run ends after {}",
            late.step,
            late.key,
            counted(steps, "step", "steps")
        ))),
    }
}

/// The lab with this id, or an error that offers the nearest.
pub fn find_lab(id: &str) -> Result<&'static LabSpec, Failure> {
    labs::find(id).ok_or_else(|| unknown("lab", id, labs::specs().map(|lab| lab.id)))
}

/// "there is no lab `x`; did you mean `y`?"
pub fn unknown<'a>(what: &str, typed: &str, known: impl Iterator<Item = &'a str> + Clone) -> Failure {
    let hint = match nearest(typed, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", known.collect::<Vec<_>>().join(", ")),
    };
    Failure::usage(format!("there is no {what} `{typed}`; {hint}"))
}

/// A device as typed. A graphics adapter that is not there is named now, not in the middle of the start.
pub fn device_choice(text: &str) -> Result<DeviceChoice, Failure> {
    let choice = text.parse().map_err(Failure::Usage)?;
    if let DeviceChoice::Gpu(name) = &choice {
        device::find(name)?;
    }
    Ok(choice)
}

/// The parameter that `--data` sets: the lab's first path, of a folder where the path is one.
pub fn data_parameter<'a>(specs: &'a [ParamSpec], path: &Path) -> Result<&'a ParamSpec, Failure> {
    let paths = || specs.iter().filter(|spec| spec.kind.is_path());
    let found = paths().find(|spec| (spec.kind == ParamKind::Folder) == path.is_dir()).or_else(|| paths().next());
    found.ok_or_else(|| Failure::usage("`--data`: this lab reads no data from disk"))
}

/// Puts a path into the parameter for it, and sets the choices that this parameter depends on.
pub fn set_data(specs: &[ParamSpec], params: &mut Params, path: &Path) -> Result<(), Failure> {
    let spec = data_parameter(specs, path)?;
    if !path.exists() {
        return Err(Failure::usage(format!("`--data {}`: there is no such file or folder", path.display())));
    }
    // The recording must find it again from any folder.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    params.set(specs, spec.key, Value::Text(path.to_string_lossy().into_owned()))?;
    let mut shown = spec;
    while let Some((parent, wanted)) = shown.only_if {
        if !params.shows(shown) {
            params.set_text(specs, &format!("{parent}={}", wanted[0]))?;
        }
        shown = params::find(specs, parent)?;
    }
    Ok(())
}

/// `STEP:KEY=VALUE`.
pub fn change(specs: &[ParamSpec], text: &str) -> Result<Change, Failure> {
    let malformed = || Failure::usage(format!("`--at {text}` is not of the form STEP:KEY=VALUE"));
    let (step, assignment) = text.split_once(':').ok_or_else(malformed)?;
    let step = step.trim().parse().map_err(|_| malformed())?;
    let (key, value) = assignment.split_once('=').ok_or_else(malformed)?;
    let key = key.trim();
    let spec = params::find(specs, twin::plain(key))?;
    if !spec.live {
        return Err(ParamError::NotLive { key: spec.key.to_owned() }.into());
    }
    Ok(Change { step, key: key.to_owned(), value: spec.parse(value)? })
}

/// What a change along the run would meet only in the middle of it is met now: a combination that no run can have, and a
/// parameter that has no effect with the values of that step.
pub fn check_changes(lab: &LabSpec, params: &Params, changes: &[Change]) -> Result<(), Failure> {
    let spec = lab;
    let mut run = params.clone();
    let mut forked: Option<Params> = None;
    for change in changes {
        let of_twin = twin::of_twin(&change.key).is_some();
        let key = twin::plain(&change.key);
        let values = if of_twin { forked.get_or_insert_with(|| run.clone()) } else { &mut run };
        let known = params::find(spec.params, key)?;
        if !values.shows(known) {
            let why = known
                .only_if
                .map_or(String::new(), |(parent, wanted)| format!("; it needs {parent} to be {}", wanted.join(" or ")));
            return Err(Failure::usage(format!(
                "`--at {}:{}={}` would change nothing: `{key}` has no effect with the values of that step{why}",
                change.step, change.key, change.value
            )));
        }
        values.set(spec.params, key, change.value.clone())?;
        (spec.check)(values).map_err(|error| {
            Failure::usage(format!("`--at {}:{}={}`: {error}", change.step, change.key, change.value))
        })?;
    }
    Ok(())
}

/// A name for a run that got none: the preset's that has these values, else the first choice that is not the default.
fn name_for(spec: &LabSpec, params: &Params) -> String {
    let chosen = |one: &&ParamSpec| {
        matches!(one.kind, ParamKind::Choice(_))
            && params.shows(one)
            && params.get(one.key) != Some(&one.default.into())
    };
    let named = || spec.params.iter().find(chosen).map(|one| params.text(one.key));
    spec.preset_of(params).or_else(named).unwrap_or("custom").to_owned()
}
