//! `learnscope study`: one table or figure of a paper, its numbers beside ours.

use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::json;

use crate::engine::command::Record;
use crate::engine::event::{Body, Level, Status};
use crate::engine::params::{Params, Value};
use crate::engine::study::{self, Place, StudyRun, StudySpec};
use crate::kit::lab::{self, LabSpec, RunOptions};
use crate::labs;
use crate::plot::number;

use super::flags::StudyFlags;
use super::output::{Failure, Output, table};
use super::progress::{Progress, duration};
use super::request::{device_choice, find_lab, set_data, unknown};
use super::{headless, request};

pub fn study(flags: &StudyFlags, output: &Output) -> Result<(), Failure> {
    let Some(name) = &flags.study else { return list(output) };
    let (lab, spec) = find_study(name)?;
    let params = lab.params;
    let device = device_choice(&flags.device)?;
    let mut given: Vec<(String, Value)> = Vec::new();
    if let Some(path) = &flags.data {
        let mut with_data = Params::defaults(params);
        set_data(params, &mut with_data, path)?;
        let paths = params.iter().filter(|spec| spec.kind.is_path());
        given.extend(paths.filter_map(|spec| Some((spec.key.to_owned(), with_data.get(spec.key)?.clone()))));
    }
    let first_seed = flags.seed.unwrap_or(lab::DEFAULT_SEED);
    let mut study = StudyRun::new(lab.id, params, spec, flags.seeds, first_seed, &given)?;
    let shows_path = |params: &Params| lab.params.iter().any(|spec| spec.kind.is_path() && params.shows(spec));
    if let Some(path) = flags.data.as_ref().filter(|_| !study.remaining().any(|task| shows_path(&task.params))) {
        let reads = |spec: &&'static StudySpec| {
            let run = StudyRun::new(lab.id, params, spec, 1, 1, &given);
            run.is_ok_and(|run| run.remaining().any(|task| shows_path(&task.params)))
        };
        let others: Vec<&str> = lab.studies.iter().filter(reads).map(|spec| spec.id).collect();
        return Err(Failure::usage(format!(
            "`--data {}`: `{}` runs on generated data and would not read it; studies that do: {}",
            path.display(),
            spec.id,
            if others.is_empty() { "none".to_owned() } else { others.join(", ") }
        )));
    }
    // What no row could do without is asked for once, before anything runs.
    if let Some(task) = study.next() {
        (lab.check)(&task.params)?;
    }
    let folder = study.folder(&flags.out);
    crate::engine::recording::probe(&folder)?;
    for note in study.keep(&folder, lab.data, flags.again)? {
        tell(output, &note);
    }
    let (kept, all) = study.progress();
    if kept > 0 {
        output.aside(format!("{kept} of {all} runs were measured before and are kept; --again measures them anew"));
    }
    output.object(&json!({ "event": "started", "study": name, "runs": all, "kept": kept, "folder": folder }));

    if flags.estimate {
        let runs = all - study.progress().0;
        return match estimate(&study, lab, flags, &device, output)? {
            Some(_) => Ok(()),
            None => {
                let left = number::counted(runs, "run is", "runs are");
                output.line(format!("{left} left, too short to need an estimate"));
                Ok(())
            }
        };
    }
    output.kept(&folder);
    measure(&mut study, lab, flags, &device, &folder, output)?;
    save(&study, &folder, output)?;
    let result = study.table();
    for row in &result.rows {
        output.object(&json!({ "event": "row", "result": row }));
    }
    output.line(result.text());
    let shown = fs::canonicalize(&folder).unwrap_or(folder);
    output.object(&json!({ "event": "finished", "study": name, "folder": shown }));
    output.line(format!("saved in {}: table.txt, table.csv, table.json, samples.json", shown.display()));
    if shown.join(study::RUNS).is_dir() {
        output.line(format!(
            "its runs are in {}: `learnscope export RUN --figure F --to FILE.png` draws them",
            shown.join(study::RUNS).display()
        ));
    }
    let failed = result.rows.iter().filter(|row| row.problem.is_some()).count();
    if failed > 0 {
        return Err(Failure::work("some rows could not be measured; run the study again to try only those"));
    }
    Ok(())
}

/// Steps of a trial run. The first one builds kernels and measures, the last one measures.
const TRIAL: u64 = 6;
/// Steps in all from which a trial run is worth its time.
const WORTH_A_TRIAL: u64 = 1_000;

/// Says how long all runs that are left will take: a few steps of the next one are timed. `None`: they are so short
/// that it does not matter, or the trial failed, which the run itself will explain.
fn estimate(
    study: &StudyRun,
    lab: &LabSpec,
    flags: &StudyFlags,
    device: &crate::compute::device::DeviceChoice,
    output: &Output,
) -> Result<Option<f64>, Failure> {
    let Some(task) = study.next() else { return Ok(None) };
    let steps: u64 = study.remaining().map(|task| (lab.steps)(&task.params)).sum();
    let trains = (lab.needs_device)(&task.params);
    if steps < WORTH_A_TRIAL || !trains {
        return Ok(None);
    }
    let options = RunOptions {
        name: "trial".to_owned(),
        steps: Some(TRIAL),
        seed: task.seed,
        device: device.clone(),
        skip_device_check: flags.skip_device_check,
        ..RunOptions::default()
    };
    let request = lab::request(lab, &task.params, options)?;
    output.aside("timing a few steps…");
    let interrupt = headless::Interrupt::listen()?;
    let engine = headless::start_engine()?;
    let mut seen: Vec<(u64, Instant)> = Vec::new();
    let state = headless::drive(&engine, request, &interrupt, |event, _| {
        if let Some(step) = event.map(|event| event.step).filter(|step| *step > 0)
            && seen.last().is_none_or(|(last, _)| *last < step)
        {
            seen.push((step, Instant::now()));
        }
    });
    headless::end_engine(engine);
    let state = state?;
    if interrupt.asked() {
        return Err(Failure::work("stopped before anything was measured"));
    }
    if state.status != Some(Status::Finished) {
        return Ok(None);
    }
    let seconds_a_step = match seen.iter().filter(|(step, _)| *step < TRIAL).collect::<Vec<_>>()[..] {
        [first, .., last] => (last.1 - first.1).as_secs_f64() / (last.0 - first.0) as f64,
        // Steps that say nothing: the whole run, its start included.
        _ => state.seconds / TRIAL as f64,
    };
    let seconds = steps as f64 * seconds_a_step;
    let runs = study.remaining().count();
    let device = state.header.as_ref().map_or("", |header| header.device.as_str());
    output.object(&json!({ "event": "estimate", "runs": runs, "steps": steps, "seconds": seconds, "device": device }));
    output.aside(format!(
        "{}, {} in all at {} ms a step on {device}: about {}, without their evaluations. An interrupted \
         study goes on where it was",
        number::counted(runs, "run", "runs"),
        number::counted(steps, "step", "steps"),
        number::short(1000.0 * seconds_a_step),
        duration(seconds)
    ));
    Ok(Some(seconds))
}

/// Makes the runs that are still to be made.
fn measure(
    study: &mut StudyRun,
    lab: &LabSpec,
    flags: &StudyFlags,
    device: &crate::compute::device::DeviceChoice,
    folder: &Path,
    output: &Output,
) -> Result<(), Failure> {
    if study.next().is_none() {
        return Ok(());
    }
    estimate(study, lab, flags, device, output)?;
    let interrupt = headless::Interrupt::listen()?;
    let engine = headless::start_engine()?;
    let mut stopped = false;
    while let Some(task) = study.next().cloned() {
        let (done, all) = study.progress();
        // What trains is recorded, so that its figures can be drawn; what is computed at once is computed again.
        let recorded = (lab.needs_device)(&task.params);
        let place = recorded.then(|| study.place(folder, &task, (lab.steps)(&task.params)));
        let (record, resume_from) = match &place {
            Some(Place { record, resume_from, .. }) => (record.clone(), resume_from.clone()),
            None => (Record::No, None),
        };
        let options = RunOptions {
            name: task.name.clone(),
            seed: task.seed,
            device: device.clone(),
            skip_device_check: flags.skip_device_check,
            record,
            resume_from,
            ..RunOptions::default()
        };
        let request = lab::request(lab, &task.params, options)?;
        let mut progress = Progress::new(output, request.steps);
        let seed = if study.spec.seeded { format!(", seed {}", task.seed) } else { String::new() };
        let left = study.seconds_left().map_or(String::new(), |left| format!("; about {} left", duration(left)));
        let label = study.spec.rows[task.row].label;
        // A study of short runs would only flicker.
        if done == 0 || output.terminal || study.seconds_left().is_some_and(|left| left > 5.0) {
            progress.say(&format!("{} of {all}: {label}{seed}{left}", done + 1));
        }
        let state = headless::drive(&engine, request, &interrupt, |event, state| {
            if let Some(Body::Notice { level, text }) = event.map(|event| &event.body)
                && *level >= Level::Warning
            {
                output.object(&json!({ "event": "notice", "row": label, "step": state.step, "text": text }));
                progress.say(&format!("{label}: {text}"));
            }
            progress.update(state);
        })?;
        progress.finish();
        if !study.record(&state) {
            stopped = true;
            break;
        }
        if let Some(Status::Failed(problem)) = &state.status {
            output.aside(format!("{label}: {problem}"));
        }
        let values = study.samples(task.row).last().map(|sample| sample.values.clone());
        output.object(&json!({
            "event": "measured", "row": label, "seed": task.seed, "values": values, "done": done + 1, "runs": all,
            "seconds_left": study.seconds_left(),
        }));
        // The next run may have the folder.
        drop(place);
        save(study, folder, output)?;
        if interrupt.asked() {
            stopped = study.next().is_some();
            break;
        }
    }
    headless::end_engine(engine);
    if stopped {
        let (done, all) = study.progress();
        return Err(Failure::work(format!(
            "stopped after {done} of {all} runs; the same command goes on where it stopped"
        )));
    }
    Ok(())
}

fn save(study: &StudyRun, folder: &Path, output: &Output) -> Result<(), Failure> {
    let notice = study.save(folder).map_err(|error| Failure::work(error.to_string()))?;
    if let Some(notice) = notice {
        tell(output, &notice);
    }
    Ok(())
}

/// What the user should know of the stored results.
fn tell(output: &Output, text: &str) {
    output.object(&json!({ "event": "notice", "text": text }));
    output.aside(text);
}

/// `LAB/STUDY`, or a study's name alone where only one lab has it.
fn find_study(name: &str) -> Result<(&'static LabSpec, &'static StudySpec), Failure> {
    let (lab, study) = name.split_once('/').map_or((None, name), |(lab, study)| (Some(lab), study));
    let labs: Vec<&'static LabSpec> = match lab {
        Some(id) => vec![request::find_lab(id)?],
        None => labs::specs().collect(),
    };
    let found = labs.iter().find_map(|lab| Some((*lab, lab.studies.iter().find(|s| s.id == study)?)));
    if let Some(found) = found {
        return Ok(found);
    }
    // A lab's name alone lists its studies in the message.
    if lab.is_none() && labs::find(study).is_some() {
        let lab = find_lab(study)?;
        let known = lab.studies.iter().map(|s| format!("{}/{}", lab.id, s.id)).collect::<Vec<_>>().join(", ");
        return Err(Failure::usage(format!("`{name}` is a lab; its studies are {known}")));
    }
    Err(unknown("study", study, labs.iter().flat_map(|lab| lab.studies).map(|s| s.id)))
}

fn list(output: &Output) -> Result<(), Failure> {
    let mut rows = vec![["study", "rows", "title"].map(str::to_owned).to_vec()];
    for lab in labs::specs() {
        for study in lab.studies {
            let name = format!("{}/{}", lab.id, study.id);
            output.object(&json!({
                "study": name, "title": study.title, "source": study.source, "about": study.about,
                "rows": study.rows.iter().map(|row| row.label).collect::<Vec<_>>(), "seeded": study.seeded,
            }));
            rows.push(vec![name, study.rows.len().to_string(), study.title.to_owned()]);
        }
    }
    output.line(table(&rows));
    Ok(())
}
