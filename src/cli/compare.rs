//! `learnscope compare`: recorded runs, sample by sample.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::engine::export::Sheet;
use crate::engine::header_file;
use crate::engine::params::nearest;
use crate::kit::compare::{CompareReport, CompareSpec, Question};
use crate::labs;

use super::flags::CompareFlags;
use super::output::{Failure, Output, table};
use super::{find_run, picture, place, request};

pub fn compare(flags: &CompareFlags, output: &Output) -> Result<(), Failure> {
    let runs: Vec<PathBuf> = flags.runs.iter().map(|run| find_run(run)).collect::<Result<_, _>>()?;
    let spec = spec_of(&runs)?;
    let part = one_of("--part", flags.part.as_deref(), spec.parts)?;
    let measure = one_of("--measure", flags.measure.as_deref(), &(spec.measures)())?;
    let sheet_format = flags.to.as_deref().map(|file| suffix("--to", file, &["csv", "json"])).transpose()?;
    let figure_format = flags.figure.as_deref().map(|file| suffix("--figure", file, &["png", "svg"])).transpose()?;
    let files: Vec<PathBuf> = flags.to.iter().chain(&flags.figure).cloned().collect();
    place::check(&files, flags.force)?;

    if flags.figure.is_some() {
        let names = (spec.in_common)(&runs).map_err(Failure::Usage)?;
        let known = || names.iter().map(String::as_str);
        if let Some(unknown) = flags.image.iter().find(|name| !names.contains(*name)) {
            let hint = nearest(unknown, known()).map(|near| format!("did you mean `{near}`? "));
            return Err(Failure::usage(format!(
                "`--image {unknown}`: {}these are on the walls of all runs: {}",
                hint.unwrap_or_default(),
                names.join(", ")
            )));
        }
    }

    let mut reports = Vec::new();
    for other in &runs[1..] {
        let report = (spec.compare)(&Question { runs: [&runs[0], other], part, measure }).map_err(Failure::Usage)?;
        tell(&report, (&runs[0], other), output);
        reports.push(report);
    }
    if let (Some(file), Some(format)) = (&flags.to, sheet_format) {
        let sheet = samples(&runs, reports);
        let about = json!({ "figure": "compare", "part": part, "measure": measure, "runs": runs });
        let bytes = if format == "csv" { sheet.csv(&about) } else { sheet.json(&about) }.map_err(Failure::Work)?;
        place::write(file, &bytes, flags.force)?;
        saved(file, output);
    }
    if let (Some(file), Some(format)) = (&flags.figure, figure_format) {
        let others: Vec<PathBuf> =
            runs[1..].iter().map(|run| std::path::absolute(run).unwrap_or(run.clone())).collect();
        let view: BTreeMap<String, String> = (spec.beside)(&others, &flags.image).into_iter().collect();
        let style = flags.theme.style();
        let bytes = picture::of_run(&runs[0], spec.pictures, &view, (flags.size, &style), format == "svg")?;
        place::write(file, &bytes, flags.force)?;
        saved(file, output);
    }
    Ok(())
}

/// How runs of their lab are compared; they are of one.
fn spec_of(runs: &[PathBuf]) -> Result<&'static CompareSpec, Failure> {
    let labs_of: Vec<String> = runs
        .iter()
        .map(|run| Ok(header_file::read(run)?.lab))
        .collect::<Result<_, crate::engine::run_folder::DiskError>>()?;
    if let Some(at) = labs_of.iter().position(|lab| *lab != labs_of[0]) {
        return Err(Failure::usage(format!(
            "`{}` is a run of the lab `{}`, `{}` one of `{}`: runs of one lab are compared",
            runs[0].display(),
            labs_of[0],
            runs[at].display(),
            labs_of[at]
        )));
    }
    request::find_lab(&labs_of[0])?.compare.ok_or_else(|| {
        let with: Vec<&str> = labs::specs().filter(|lab| lab.compare.is_some()).map(|lab| lab.id).collect();
        Failure::usage(format!(
            "runs of the lab `{}` have no results of single images; those of these have: {}",
            labs_of[0],
            with.join(", ")
        ))
    })
}

/// What was typed, if it is one of these; the first of them where nothing was.
fn one_of<'a>(flag: &str, typed: Option<&str>, known: &[&'a str]) -> Result<&'a str, Failure> {
    let Some(typed) = typed else { return Ok(known[0]) };
    known.iter().copied().find(|name| *name == typed).ok_or_else(|| {
        let near = nearest(typed, known.iter().copied()).map(|near| format!("did you mean `{near}`? "));
        Failure::usage(format!("`{flag} {typed}`: {}it is one of {}", near.unwrap_or_default(), known.join(", ")))
    })
}

fn suffix<'a>(flag: &str, file: &Path, known: &[&'a str]) -> Result<&'a str, Failure> {
    let of = file.extension().map(|suffix| suffix.to_string_lossy().to_lowercase()).unwrap_or_default();
    known.iter().copied().find(|name| *name == of).ok_or_else(|| {
        let known: Vec<String> = known.iter().map(|name| format!(".{name}")).collect();
        Failure::usage(format!("`{flag} {}`: the suffix must be {}", file.display(), known.join(" or ")))
    })
}

fn tell(report: &CompareReport, runs: (&Path, &Path), output: &Output) {
    report.about.iter().for_each(|line| output.line(line));
    for warning in &report.warnings {
        output.object(&json!({ "event": "notice", "level": "warning", "text": warning }));
        output.aside(format!("warning: {warning}"));
    }
    let (heads, rows) = &report.table;
    output.line(table(&std::iter::once(heads).chain(rows).cloned().collect::<Vec<_>>()));
    let (a, b) = runs;
    output.object(&json!({ "event": "compared", "a": a, "b": b, "about": report.about, "results": report.results }));
}

/// The samples of all comparisons; where there are several, with the second run of each.
fn samples(runs: &[PathBuf], reports: Vec<CompareReport>) -> Sheet {
    let several = reports.len() > 1;
    let mut sheet = Sheet::default();
    for (other, report) in runs[1..].iter().zip(reports) {
        let (columns, rows) = report.samples;
        let with: Option<Json> = several.then(|| json!(other));
        sheet.columns = several.then(|| "with".to_owned()).into_iter().chain(columns).collect();
        sheet.rows.extend(rows.into_iter().map(|row| with.iter().cloned().chain(row).collect::<Vec<_>>()));
    }
    sheet
}

fn saved(file: &Path, output: &Output) {
    output.kept(file);
    output.object(&json!({ "event": "saved", "file": file }));
    output.line(format!("saved {}", file.display()));
}
