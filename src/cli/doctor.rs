//! `learnscope doctor`: what a person should know of a folder before anything is trained on it.

use serde_json::{Value as Json, json};

use crate::engine::export::Sheet;
use crate::engine::params::{ParamError, Params};
use crate::kit::doctor::{DoctorReport, DoctorSpec, Kind};
use crate::kit::lab::LabSpec;
use crate::labs;
use crate::plot::number;

use super::flags::DoctorFlags;
use super::headless::Interrupt;
use super::output::{Failure, Output, table};
use super::{place, progress, request};

/// Findings of a kind of notes that are told one by one; more are one line.
const MOST_NOTES: usize = 3;

pub fn doctor(flags: &DoctorFlags, output: &Output) -> Result<(), Failure> {
    let (lab, spec) = with_doctor()?;
    let specs = lab.params;
    let mut params = Params::defaults(specs);
    for assignment in &flags.set {
        params.set_text(specs, assignment)?;
    }
    if !flags.folder.is_dir() {
        let problem = if flags.folder.exists() { "is not a folder" } else { "does not exist" };
        return Err(Failure::usage(format!("`{}` {problem}; give the folder with the images", flags.folder.display())));
    }
    request::set_data(specs, &mut params, &flags.folder)?;
    params.check_effect(specs, &flags.set)?;
    if let Some(file) = &flags.out {
        if file.extension().is_none_or(|suffix| !suffix.eq_ignore_ascii_case("csv")) {
            return Err(Failure::usage(format!("`--out {}`: the suffix must be .csv", file.display())));
        }
        place::check(std::slice::from_ref(file), flags.force)?;
    }
    let interrupt = Interrupt::listen()?;
    let report = read(spec, &params, &interrupt, output)?;
    tell(&report, output);
    let (columns, rows) = &report.findings;
    let object = |row: &Vec<String>| {
        let mut object: serde_json::Map<String, Json> =
            columns.iter().cloned().zip(row.iter().map(|cell| json!(cell))).collect();
        object.insert("event".to_owned(), json!("finding"));
        Json::Object(object)
    };
    rows.iter().for_each(|row| output.object(&object(row)));
    if let Some(file) = &flags.out {
        let cells = rows.iter().map(|row| row.iter().map(|cell| json!(cell)).collect());
        let sheet = Sheet { columns: columns.clone(), rows: cells.collect() };
        let about = json!({ "figure": "doctor", "data": flags.folder, "version": env!("CARGO_PKG_VERSION") });
        place::write(file, &sheet.csv(&about).map_err(Failure::Work)?, flags.force)?;
        output.kept(file);
        output.object(&json!({ "event": "saved", "file": file }));
        output.line(format!("all of it: {}", file.display()));
    } else if report.kinds.iter().any(|kind| kind.count > kind.first.len()) {
        output.line("the whole list: --out FILE.csv");
    }
    output.object(&json!({ "event": "finished", "errors": report.errors, "summary": report.summary }));
    match report.errors {
        0 => Ok(()),
        errors => Err(Failure::work(format!("the data doctor found {}", number::counted(errors, "error", "errors")))),
    }
}

fn with_doctor() -> Result<(&'static LabSpec, &'static DoctorSpec), Failure> {
    let found = labs::specs().find_map(|lab| Some((lab, lab.doctor?)));
    found.ok_or_else(|| Failure::usage("no lab looks over folders"))
}

/// Reads the folder, with a bar on a terminal.
fn read(spec: &DoctorSpec, params: &Params, interrupt: &Interrupt, output: &Output) -> Result<DoctorReport, Failure> {
    let report =
        progress::counted(output, interrupt, "images", |watch| (spec.examine)(params, watch.cancel, watch.progress));
    report.map_err(|error| match error {
        // Not what was typed, but that somebody stopped it.
        error if interrupt.asked() => Failure::work(error.to_string()),
        ParamError::Invalid { key, problem } if key == "data" => Failure::usage(problem),
        error => error.into(),
    })
}

/// What was found: on the result's stream for people, and one object of each sort for machines.
pub fn tell(report: &DoctorReport, output: &Output) {
    objects(report, output);
    report.about.iter().for_each(|line| output.line(line));
    lines(report).iter().for_each(|line| output.line(line));
}

/// The same in short beside a run, on standard error: errors and warnings alone are told one by one, notes by kind.
pub fn tell_aside(report: &DoctorReport, output: &Output, say: &dyn Fn(&str)) {
    objects(report, output);
    report.about.iter().for_each(|line| say(line));
    let mut short = report.clone();
    short.kinds.iter_mut().filter(|kind| kind.severity == "note").for_each(|kind| kind.first.clear());
    lines(&short).iter().for_each(|line| say(line));
}

fn objects(report: &DoctorReport, output: &Output) {
    output.object(&json!({ "event": "data", "found": report.about }));
    let (columns, rows) = &report.parts;
    for row in rows {
        let cells: serde_json::Map<String, Json> =
            columns.iter().cloned().zip(row.iter().map(|cell| json!(cell))).collect();
        output.object(&json!({ "event": "part", "cells": cells }));
    }
    for Kind { severity, label, count, first, advice } in &report.kinds {
        output.object(&json!({
            "event": "kind", "severity": severity, "check": label, "count": count, "first": first, "advice": advice,
        }));
    }
}

fn lines(report: &DoctorReport) -> Vec<String> {
    let mut lines = Vec::new();
    let (columns, rows) = &report.parts;
    if rows.iter().any(|row| row.len() > 1) {
        lines.push(String::new());
        lines.push(table(&std::iter::once(columns).chain(rows).cloned().collect::<Vec<_>>()));
        lines.push(String::new());
    }
    lines.push(format!("data doctor: {}", report.summary));
    for kind in &report.kinds {
        let Kind { severity, label, count, first, advice } = kind;
        // Many equal notes are one.
        let folded = *severity == "note" && (*count > MOST_NOTES || first.is_empty());
        let shown = if folded { &[][..] } else { &first[..] };
        lines.push(format!("  {severity}: {label}: {} ({advice})", number::counted(*count, "time", "times")));
        lines.extend(shown.iter().map(|text| format!("    {text}")));
        if !folded && *count > shown.len() {
            lines.push(format!("    and {} more", count - shown.len()));
        }
    }
    lines
}
