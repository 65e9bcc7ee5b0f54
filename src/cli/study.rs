//! `learnscope study`: one table or figure of a paper, its numbers beside ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::app::png::png;
use crate::app::study_figure as picture;
use crate::compute::device::DeviceChoice;
use crate::engine::command::Record;
use crate::engine::event::{Body, Event, Level, Status};
use crate::engine::params::{self, ParamError, ParamSpec, Params, Value};
use crate::engine::state::RunState;
use crate::engine::study::{self, StudyRun, StudySpec};
use crate::engine::study_figure;
use crate::engine::study_runner::{Estimate, Job, Runner, Taken};
use crate::engine::worker::Engine;
use crate::engine::{replay, run_folder};
use crate::kit;
use crate::kit::lab::{self, LabSpec};
use crate::labs;
use crate::plot::number;
use crate::plot::style::Style;

use super::flags::{SeriesFlags, StudyFlags};
use super::output::{Failure, Output, table};
use super::progress::{Progress, duration};
use super::request::{device_choice, find_lab, set_data, unknown};
use super::{headless, place, request};

pub fn study(flags: &StudyFlags, output: &Output) -> Result<(), Failure> {
    let Some(name) = &flags.study else { return list(output) };
    let series = &flags.series;
    let (lab, spec) = find_study(name)?;
    let params = lab.params;
    let device = device_choice(&series.device)?;
    let added = Added::of(lab, flags)?;
    added.check(spec)?;
    if let Some(file) = &flags.figure {
        check_figure(spec, file)?;
        place::check(std::slice::from_ref(file), flags.force)?;
    }
    let first_seed = series.seed.unwrap_or(lab::DEFAULT_SEED);
    let mut study = StudyRun::new(lab.id, params, spec, series.seeds, first_seed, &added.to(spec)?)?;
    if let Some(path) = series.data.as_ref().filter(|_| !added.is_read(&study)) {
        let reads = |spec: &&'static StudySpec| {
            let run = added.to(spec).and_then(|given| StudyRun::new(lab.id, params, spec, 1, 1, &given));
            run.is_ok_and(|run| added.is_read(&run))
        };
        let others: Vec<&str> = lab.studies.iter().filter(reads).map(|spec| spec.id).collect();
        return Err(Failure::usage(format!(
            "`--data {}`: `{}` runs on generated data and would not read it; studies that do: {}",
            path.display(),
            spec.id,
            if others.is_empty() { "none".to_owned() } else { others.join(", ") }
        )));
    }
    added.check_effect(&study)?;
    let (folder, kept, all) = taken_over(lab, &mut study, series, output)?;
    output.object(&json!({ "event": "started", "study": name, "runs": all, "kept": kept, "folder": folder }));

    let mut runner = Runner::new(study, kit::study::facts(lab));
    if !carried_out(&mut runner, &Shell { lab, device, series, output }, &folder, all - kept)? {
        return Ok(());
    }
    let study = &runner.run;
    let result = study.table();
    for row in &result.rows {
        output.object(&json!({ "event": "row", "result": row }));
    }
    for table in &result.beside {
        output.object(&json!({ "event": "table", "result": table }));
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
    if spec.figure.is_some() {
        save_figure(study, lab, &shown, flags, output)?;
    }
    let failed = result.rows.iter().filter(|row| row.problem.is_some()).count();
    if failed > 0 {
        return Err(Failure::work("some rows could not be measured; run the study again to try only those"));
    }
    Ok(())
}

/// Opens the folder of a study or a sweep and takes over what was measured before: the folder, how many runs are kept, and how many
/// there are.
pub(super) fn taken_over(
    lab: &'static LabSpec,
    study: &mut StudyRun,
    series: &SeriesFlags,
    output: &Output,
) -> Result<(PathBuf, usize, usize), Failure> {
    check_rows(lab, study, output)?;
    let folder = study.folder(&series.out);
    crate::engine::recording::probe(&folder)?;
    for note in study.keep(&folder, lab.data, series.again)? {
        tell(output, &note);
    }
    let (kept, all) = study.progress();
    if kept > 0 {
        output.aside(format!("{kept} of {all} runs were measured before and are kept; --again measures them anew"));
    }
    Ok((folder, kept, all))
}

/// Measures the `left` runs and saves what came of them; where only an estimate is asked for, gives that, and `false`.
pub(super) fn carried_out(runner: &mut Runner, shell: &Shell<'_>, folder: &Path, left: usize) -> Result<bool, Failure> {
    let output = shell.output;
    if shell.series.estimate {
        if !shell.estimate(runner)? {
            let left = number::counted(left as u64, "run is", "runs are");
            output.line(format!("{left} left, too short to need an estimate"));
        }
        return Ok(false);
    }
    output.kept(folder);
    shell.measure(runner, folder)?;
    save(&runner.run, folder, output)?;
    Ok(true)
}

/// What the user adds to every row.
struct Added<'a> {
    lab: &'static LabSpec,
    flags: &'a StudyFlags,
    /// Paths, where `--data` is given.
    paths: Vec<(String, Value)>,
    /// Those that it names.
    of_data: Vec<&'static ParamSpec>,
    /// Of `--set`.
    set: Vec<(String, Value)>,
}

impl<'a> Added<'a> {
    fn of(lab: &'static LabSpec, flags: &'a StudyFlags) -> Result<Self, Failure> {
        let (mut paths, mut of_data, mut set) = (Vec::new(), Vec::new(), Vec::new());
        let all = || lab.params.iter().filter(|spec| spec.kind.is_path());
        if let Some(path) = &flags.series.data {
            let mut with_data = Params::defaults(lab.params);
            set_data(lab.params, &mut with_data, path)?;
            of_data = all().filter(|spec| !with_data.text(spec.key).is_empty()).collect();
            paths = all().filter_map(|spec| Some((spec.key.to_owned(), with_data.get(spec.key)?.clone()))).collect();
        }
        for assignment in &flags.series.set {
            let (key, text) = assignment.split_once('=').ok_or_else(|| ParamError::NotKeyValue(assignment.clone()))?;
            let spec = params::find(lab.params, key.trim())?;
            let value = match spec.parse(text)? {
                // A recording must find it again from any folder.
                Value::Text(path) if spec.kind.is_path() && !path.is_empty() => {
                    Value::Text(std::path::absolute(&path).map_or(path, |path| path.to_string_lossy().into_owned()))
                }
                value => value,
            };
            set.push((spec.key.to_owned(), value));
        }
        Ok(Self { lab, flags, paths, of_data, set })
    }

    /// Refuses to set what the rows of a study differ in.
    fn check(&self, study: &StudySpec) -> Result<(), Failure> {
        let is_theirs = |key: &str| study.rows.iter().any(|row| row.set.iter().any(|(own, _)| *own == key));
        match self.set.iter().find(|(key, _)| is_theirs(key)) {
            Some((key, value)) => Err(Failure::usage(format!(
                "`--set {key}={value}`: the rows of `{}` say what `{key}` is; `learnscope run {} --set {key}={value}` trains one so",
                study.id, self.lab.id
            ))),
            None => Ok(()),
        }
    }

    /// The values for a study: what makes it read the data that are named, the data, and what is set.
    fn to(&self, study: &StudySpec) -> Result<Vec<(String, Value)>, ParamError> {
        let hangs_on = |spec: &ParamSpec, key: &str| spec.only_if.is_some_and(|(parent, _)| parent == key);
        let mut given = Vec::new();
        for (key, value) in study.own_data {
            if self.of_data.iter().any(|spec| hangs_on(spec, key)) {
                given.push(((*key).to_owned(), params::find(self.lab.params, key)?.parse(value)?));
            }
        }
        given.extend(self.paths.iter().chain(&self.set).cloned());
        Ok(given)
    }

    /// Whether a row of the study reads what `--data` names.
    fn is_read(&self, study: &StudyRun) -> bool {
        study.remaining().any(|task| self.of_data.iter().any(|spec| task.params.shows(spec)))
    }

    /// Refuses to set what has no effect in any row.
    fn check_effect(&self, study: &StudyRun) -> Result<(), Failure> {
        for assignment in &self.flags.series.set {
            let one = std::slice::from_ref(assignment);
            let mut told = study.remaining().map(|task| task.params.check_effect(self.lab.params, one));
            if let Some(Err(error)) = told.next()
                && told.all(|told| told.is_err())
            {
                return Err(error.into());
            }
        }
        Ok(())
    }
}

/// Says before anything runs which rows cannot be measured, such as those that need data which are not there.
///
/// # Errors
/// That of the first row, where no row can.
fn check_rows(lab: &LabSpec, study: &StudyRun, output: &Output) -> Result<(), Failure> {
    let rows = study.rows();
    let check = |i: usize| Some((&*rows[i].label, (lab.check)(&study.task(i)?.params).err()?));
    let mut refused: Vec<(&str, ParamError)> = (0..rows.len()).filter_map(check).collect();
    if refused.len() == rows.len() && !refused.is_empty() {
        return Err(refused.swap_remove(0).1.into());
    }
    for (label, error) in refused {
        tell(output, &format!("{label}: cannot be measured: {error}"));
    }
    Ok(())
}

/// What a study is run with.
pub struct Shell<'a> {
    pub lab: &'static LabSpec,
    pub device: DeviceChoice,
    pub series: &'a SeriesFlags,
    pub output: &'a Output,
}

impl Shell<'_> {
    /// Runs a job to its end; the runner hears all of it, and `heard` after it.
    fn drive(
        &self,
        (engine, interrupt): (&Engine, &headless::Interrupt),
        runner: &mut Runner,
        job: &Job,
        mut heard: impl FnMut(Option<&Event>, &RunState, &Runner),
    ) -> Result<RunState, Failure> {
        let request = kit::study::request_of(self.lab, job, &self.device, self.series.skip_device_check)?;
        headless::drive(engine, request, interrupt, |event, state| {
            if let Some(event) = event {
                runner.hear(event);
            }
            heard(event, state, runner);
        })
    }

    /// Times a few steps of every kind of row, and says how long the runs that are left take; `false`: they are so short
    /// that it does not matter, or the trials failed, which the runs themselves will explain.
    pub fn estimate(&self, runner: &mut Runner) -> Result<bool, Failure> {
        let Some(mut job) = runner.next_trial() else { return Ok(false) };
        let output = self.output;
        let interrupt = headless::Interrupt::listen()?;
        let engine = headless::start_engine()?;
        let kinds = runner.trials().1 as u64;
        output.aside(format!("timing a few steps of {}…", number::counted(kinds, "kind of row", "kinds of rows")));
        let began = Instant::now();
        loop {
            let (done, all, left) = runner.trials();
            let left = left
                .filter(|left| *left > 5.0)
                .map_or(String::new(), |left| format!("; about {} left", duration(left)));
            if began.elapsed().as_secs() >= 2 {
                output.aside(format!("timing {} of {all}: {}{left}", done + 1, runner.label()));
            }
            let state = self.drive((&engine, &interrupt), runner, &job, |_, _, _| {})?;
            if runner.take(&state) == Taken::Stopped || interrupt.asked() {
                headless::end_engine(engine);
                return Err(Failure::work("stopped before anything was measured"));
            }
            match runner.next_trial() {
                Some(next) => job = next,
                None => break,
            }
        }
        headless::end_engine(engine);
        let Some(estimate) = runner.estimate() else { return Ok(false) };
        let Estimate { runs, steps, seconds, occasions, ref device, .. } = estimate;
        output.object(&json!({
            "event": "estimate", "runs": runs, "steps": steps, "seconds": seconds, "seconds_evaluating": occasions,
            "device": device, "kinds": kinds, "seconds_timing": began.elapsed().as_secs_f64(),
        }));
        output.aside(format!("{}. An interrupted study goes on where it was", estimate.text()));
        Ok(true)
    }

    /// Makes the runs that are still to be made.
    pub fn measure(&self, runner: &mut Runner, folder: &Path) -> Result<(), Failure> {
        if runner.next_task().is_none() {
            return Ok(());
        }
        self.estimate(runner)?;
        let output = self.output;
        let facts = kit::study::facts(self.lab);
        let interrupt = headless::Interrupt::listen()?;
        let engine = headless::start_engine()?;
        let mut stopped = false;
        while let Some(task) = runner.next_task().cloned() {
            let (done, all) = runner.run.progress();
            let place = Runner::place(&runner.run, &facts, folder, &task);
            let job = runner.begin(&task, place);
            let mut progress = Progress::new(output, (facts.steps)(&task.params));
            let seed = if runner.run.spec.seeded { format!(", seed {}", task.seed) } else { String::new() };
            let left = runner.seconds_left();
            let label = runner.label().to_owned();
            // A study of short runs would only flicker.
            if done == 0 || output.terminal || left.is_some_and(|left| left > 5.0) {
                let left = left
                    .filter(|left| *left > 0.0)
                    .map_or(String::new(), |left| format!("; about {} left", duration(left)));
                progress.say(&format!("{} of {all}: {label}{seed}{left}", done + 1));
            }
            let mut state = self.drive((&engine, &interrupt), runner, &job, |event, state, _| {
                if let Some(Body::Notice { level, text }) = event.map(|event| &event.body)
                    && *level >= Level::Warning
                {
                    output.object(&json!({ "event": "notice", "row": label, "step": state.step, "text": text }));
                    progress.say(&format!("{label}: {text}"));
                }
                progress.update(state);
            })?;
            progress.finish();
            if runner.run.keeps().is_some() && state.status == Some(Status::Finished) {
                bring_payloads(&mut state, &job.record);
            }
            if runner.take(&state) == Taken::Stopped {
                stopped = true;
                break;
            }
            if let Some(Status::Failed(problem)) = &state.status {
                output.aside(format!("{label}: {problem}"));
            }
            let values = runner.run.samples(task.row).last().map(|sample| sample.values.clone());
            output.object(&json!({
                "event": "measured", "row": label, "seed": task.seed, "values": values, "done": done + 1, "runs": all,
                "seconds_left": runner.seconds_left(),
            }));
            save(&runner.run, folder, output)?;
            if interrupt.asked() {
                stopped = runner.next_task().is_some();
                break;
            }
        }
        headless::end_engine(engine);
        if stopped {
            let (done, all) = runner.run.progress();
            return Err(Failure::work(format!(
                "stopped after {done} of {all} runs; the same command goes on where it stopped"
            )));
        }
        Ok(())
    }
}

/// Gives a run that has ended its newest pictures and lists: without a window only its recording has them, which the worker closes
/// a moment after the run's end.
fn bring_payloads(state: &mut RunState, record: &Record) {
    let (Record::Replace(run) | Record::Resume(run)) = record else { return };
    let until = Instant::now() + Duration::from_secs(5);
    while run_folder::summary(run).state() != "finished" && Instant::now() < until {
        thread::sleep(Duration::from_millis(5));
    }
    if let Ok(recorded) = replay::replay(run) {
        state.payloads = recorded.payloads;
    }
}

fn save(study: &StudyRun, folder: &Path, output: &Output) -> Result<(), Failure> {
    let notice = study.save(folder).map_err(|error| Failure::work(error.to_string()))?;
    if let Some(notice) = notice {
        tell(output, &notice);
    }
    Ok(())
}

/// Refuses a figure that cannot be drawn, before anything runs.
fn check_figure(spec: &StudySpec, file: &Path) -> Result<(), Failure> {
    let shown = file.display();
    if spec.figure.is_none() {
        return Err(Failure::usage(format!("`--figure {shown}`: `{}` is a table, not a figure", spec.id)));
    }
    match suffix(file).as_str() {
        "csv" if spec.figure.is_some_and(|figure| figure.panels.is_empty()) => {
            Err(Failure::usage(format!("`--figure {shown}`: `{}` has no curves; the suffix must be .png", spec.id)))
        }
        "png" | "csv" => Ok(()),
        _ => Err(Failure::usage(format!("`--figure {shown}`: the suffix must be .png or .csv"))),
    }
}

pub fn suffix(file: &Path) -> String {
    file.extension().map(|suffix| suffix.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// Pixels of a figure.
const PICTURE: (u32, u32) = (1920, 1200);

/// Saves the figure where the flags say, or tells how.
fn save_figure(
    study: &StudyRun,
    lab: &LabSpec,
    folder: &Path,
    flags: &StudyFlags,
    output: &Output,
) -> Result<(), Failure> {
    let Some(file) = &flags.figure else {
        output.line("its figure: the same command with `--figure FILE.png` (or .csv) draws it");
        return Ok(());
    };
    let drawing = study_figure::draw(study, folder);
    if drawing.missing > 0 {
        let runs = number::counted(drawing.missing as u64, "measured run has", "measured runs have");
        tell(output, &format!("{runs} no recording to draw; --again makes them"));
    }
    let with_views =
        labs::find_with_views(lab.id).ok_or_else(|| unknown("lab", lab.id, labs::specs().map(|lab| lab.id)))?;
    let bytes = match suffix(file).as_str() {
        "csv" => study_figure::csv(study, &drawing),
        _ => picture::picture(study, drawing, with_views, PICTURE, &Style::light()).and_then(|shown| png(&shown)),
    };
    place::write(file, &bytes.map_err(Failure::Work)?, flags.force)?;
    output.kept(file);
    output.object(&json!({ "event": "saved", "file": file }));
    output.line(format!("saved {}", file.display()));
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
