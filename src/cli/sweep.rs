//! `learnscope sweep`: one or two parameters over a range each, every combination with several seeds.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::app::sweep_figure;
use crate::engine::params::{ParamKind, Params, Value};
use crate::engine::study_runner::Runner;
use crate::engine::sweep::{Axis, check_size};
use crate::engine::sweep_table::SweepTable;
use crate::kit;
use crate::kit::lab::{self, LabSpec};
use crate::plot::number;
use crate::plot::style::Style;

use super::flags::SweepFlags;
use super::output::{Failure, Output};
use super::place;
use super::progress::reading;
use super::request::{data_parameter, device_choice, find_lab, values};
use super::study::{Shell, carried_out, suffix, taken_over};

pub fn sweep(flags: &SweepFlags, output: &Output) -> Result<(), Failure> {
    let (lab, series) = (find_lab(&flags.lab)?, &flags.series);
    let axes = flags.over.iter().map(|text| Axis::parse(lab.params, text)).collect::<Result<Vec<_>, _>>()?;
    check_size(&axes, series.seeds)?;
    let device = device_choice(&series.device)?;
    let mut said: Vec<Said<'_>> = axes.iter().map(|axis| (axis.spec.key, "--over")).collect();
    for assignment in &series.set {
        if let Some((key, _)) = assignment.split_once('=') {
            say(&mut said, key.trim(), "--set")?;
        }
    }
    let mut base = values(lab, flags.preset.as_deref(), &series.set, series.data.as_deref())?;
    if let Some(path) = &series.data {
        say(&mut said, data_parameter(lab.params, path)?.key, "--data")?;
    }
    if let Some(steps) = flags.steps {
        let key;
        (key, base) = with_steps(lab, &base, steps)?;
        say(&mut said, key, "--steps")?;
    }
    let shown = match &flags.to {
        Some(file) => {
            check_file(file)?;
            place::check(std::slice::from_ref(file), flags.force)?;
            measure_of(lab, flags.measure.as_deref())?
        }
        None => 0,
    };
    let mut study = kit::study::sweep(lab, &base, axes, series.seeds, series.seed.unwrap_or(lab::DEFAULT_SEED))?;
    reading(output, |watch| (lab.read)(&base, watch))?;
    let (folder, kept, all) = taken_over(lab, &mut study, series, output)?;
    output.object(
        &json!({ "event": "started", "lab": lab.id, "over": flags.over, "runs": all, "kept": kept, "folder": folder }),
    );
    let cells = number::counted(study.rows().len() as u64, "combination", "combinations");
    output.aside(format!(
        "{cells} with {}: {}",
        number::counted(series.seeds, "seed", "seeds"),
        number::counted(all as u64, "run", "runs")
    ));

    let mut runner = Runner::new(study, kit::study::facts(lab));
    if !carried_out(&mut runner, &Shell { lab, device, series, output }, &folder, all - kept)? {
        return Ok(());
    }
    let Some(table) = runner.run.sweep_table() else { return Ok(()) };
    for cell in &table.cells {
        output.object(&json!({ "event": "cell", "axes": table.axes, "measures": table.measures, "result": cell }));
    }
    output.line(table.text());
    let folder = fs::canonicalize(&folder).unwrap_or(folder);
    output.line(format!("saved in {}: table.txt, table.csv, table.json, samples.json", folder.display()));
    if let Some(file) = &flags.to {
        save_as(&runner, &table, shown, file, flags.force)?;
        output.kept(file);
        output.object(&json!({ "event": "saved", "file": file }));
        output.line(format!("saved {}", file.display()));
    }
    output.object(&json!({ "event": "finished", "lab": lab.id, "folder": folder }));
    let failed = table.cells.iter().flat_map(|cell| &cell.runs).filter(|run| run.failed.is_some()).count();
    if failed > 0 {
        let runs = number::counted(failed as u64, "run", "runs");
        return Err(Failure::work(format!("{runs} failed; the same command tries only those again")));
    }
    Ok(())
}

/// A parameter that was given, and with which flag.
type Said<'a> = (&'a str, &'static str);

/// Notes that a parameter was given; refuses one that has been given already.
fn say<'a>(said: &mut Vec<Said<'a>>, key: &'a str, flag: &'static str) -> Result<(), Failure> {
    let before = said.iter().find(|(known, _)| *known == key).map(|(_, before)| *before);
    said.push((key, flag));
    match before {
        None => Ok(()),
        Some("--over") => {
            Err(Failure::usage(format!("`{flag}` gives `{key}`, which is swept and has no value of its own")))
        }
        Some(before) if before == flag => Err(Failure::usage(format!("`{flag}` gives `{key}` twice; give it once"))),
        Some(before) => {
            Err(Failure::usage(format!("`{key}` is given twice, with `{before}` and with `{flag}`; give it once")))
        }
    }
}

/// The parameters with so many training steps, and the one that says it.
fn with_steps(lab: &'static LabSpec, base: &Params, steps: u64) -> Result<(&'static str, Params), Failure> {
    let counts = lab.params.iter().filter(|spec| matches!(spec.kind, ParamKind::Int { .. }) && base.shows(spec));
    let counts = counts.filter(|spec| spec.key == "steps" || spec.key.ends_with("_steps"));
    let mut refused = None;
    for spec in counts {
        let value = i64::try_from(steps).map(Value::Int).unwrap_or(Value::Int(i64::MAX));
        let mut params = base.clone();
        match params.set(lab.params, spec.key, value) {
            Ok(()) if (lab.steps)(&params) == steps => return Ok((spec.key, params)),
            Ok(()) => {}
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.map_or_else(
        || {
            let text = format!(
                "`--steps {steps}`: no parameter of `{}` says how many steps a run takes with these values",
                lab.id
            );
            Failure::usage(text)
        },
        Failure::from,
    ))
}

fn check_file(file: &Path) -> Result<(), Failure> {
    match &*suffix(file) {
        "csv" | "json" | "png" | "svg" => Ok(()),
        _ => Err(Failure::usage(format!("`--to {}`: the suffix must be .csv, .json, .png or .svg", file.display()))),
    }
}

/// The measure that is meant: by its title, or the only one that begins so.
fn measure_of(lab: &LabSpec, typed: Option<&str>) -> Result<usize, Failure> {
    let Some(typed) = typed else { return Ok(0) };
    let measures = lab.sweep.study.measures;
    if let Some(exact) = measures.iter().position(|measure| measure.title == typed) {
        return Ok(exact);
    }
    let begins = |(_, measure): &(usize, &crate::engine::study::Measure)| measure.title.starts_with(typed);
    let mut found = measures.iter().enumerate().filter(begins).map(|(at, _)| at);
    match (found.next(), found.next()) {
        (Some(at), None) => Ok(at),
        _ => {
            let known: Vec<&str> = measures.iter().map(|measure| measure.title).collect();
            Err(Failure::usage(format!("`--measure {typed}` is not one measure; known are {}", known.join(", "))))
        }
    }
}

fn save_as(runner: &Runner, table: &SweepTable, measure: usize, file: &Path, force: bool) -> Result<(), Failure> {
    let bytes = match &*suffix(file) {
        "csv" => table.csv().into_bytes(),
        "json" => serde_json::to_vec_pretty(table).map_err(|error| Failure::work(error.to_string()))?,
        "svg" => sweep_figure::svg(&runner.run, measure, &Style::light()).map_err(Failure::Work)?,
        _ => sweep_figure::png(&runner.run, measure, &Style::light()).map_err(Failure::Work)?,
    };
    place::write(file, &bytes, force)
}
