//! The data doctor for those who read: on the command line, and before a run without a window.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::data::segmentation::Watch;
use crate::data::segmentation::doctor::{self, Finding, Severity};
use crate::data::segmentation::listing::{Listing, scan_chosen};
use crate::data::segmentation::plan::{Seen, plan};
use crate::data::segmentation::split::PartTable;
use crate::engine::params::{ParamError, Params};
use crate::kit::doctor::{DoctorReport, DoctorSpec, Kind, Table};

use super::params::{FOLDER, FROM_FOLDER, lesion, mapping};
use super::reading::{self, Examined};
use super::source::{self, SegmentationData};
use super::structures;

/// Findings of each kind that are told one by one.
const FIRST: usize = 5;
/// Classes that have a column of their own.
const MOST_CLASSES: usize = 8;

/// See [`DoctorSpec`].
pub static DOCTOR: DoctorSpec = DoctorSpec { accept, examine, of_run };

fn accept(params: &Params) -> Result<(), ParamError> {
    if !FROM_FOLDER.of(params) {
        return Ok(());
    }
    let listing = listed(params, Watch::nobody())?;
    source::split_choice(params).check_files(&listing).map_err(|(key, problem)| invalid(key, problem))?;
    listing.require_pairs().map_err(|error| invalid(FOLDER.key(), error.to_string()))
}

/// The folder, if the choices fit it.
fn listed(params: &Params, watch: Watch<'_>) -> Result<Listing, ParamError> {
    structures::of(params)?;
    mapping(params)?;
    let which = source::folder_choice(params);
    let listing = scan_chosen(Path::new(FOLDER.of(params)), None, &which, watch)
        .map_err(|error| invalid(FOLDER.key(), error.to_string()))?;
    let fits = which.check(&listing).and_then(|()| source::split_choice(params).check(&listing));
    fits.map_err(|(key, problem)| invalid(key, problem))?;
    Ok(listing)
}

fn invalid(key: &str, problem: String) -> ParamError {
    ParamError::invalid(key, problem)
}

fn examine(
    params: &Params,
    cancel: &AtomicBool,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<DoctorReport, ParamError> {
    let watch = Watch { progress, cancel };
    let listing = Arc::new(listed(params, watch.quiet())?);
    let examined = reading::examine(&listing, &lesion(params)?, None, None, watch);
    if examined.stopped {
        return Err(invalid(FOLDER.key(), "stopped before all images were read".to_owned()));
    }
    let Examined { rules, exams, unread, duplicates, .. } = &*examined;
    let plan = plan(Seen { listing: &listing, exams, rules, unread, duplicates }, &source::split_choice(params));
    let mut about = listing.describe();
    if let Err(error) = listing.require_pairs() {
        about.push(error.to_string());
    }
    if let Some(first) = structures::of(params)?.first() {
        about.push(format!("of several structures the masks of the first, {}, are looked at", first.name));
    }
    about.extend(plan.lines);
    about.extend(rules.lines());
    Ok(report(about, &plan.table, &plan.findings, &listing.root))
}

fn of_run(params: &Params) -> Option<DoctorReport> {
    if !FROM_FOLDER.of(params) {
        return None;
    }
    // The run has just read it, and it is kept in memory.
    let data = source::load(params, Watch::nobody()).ok()?;
    let SegmentationData { summary, table, findings, folder, .. } = &*data;
    // The report ends with it.
    let about = summary.iter().filter(|line| !line.starts_with("data doctor:")).cloned().collect();
    Some(report(about, table, findings, folder.as_deref()?))
}

fn report(about: Vec<String>, parts: &PartTable, findings: &[Finding], root: &Path) -> DoctorReport {
    let kind = |(severity, check, count): (Severity, doctor::Check, usize)| {
        let of_kind = || findings.iter().filter(|finding| (finding.severity, finding.check) == (severity, check));
        let told = |finding: &Finding| format!("{}: {}", shown(&finding.file, root), below(&finding.problem, root));
        Kind {
            severity: severity.word(),
            label: check.label(),
            count,
            first: of_kind().take(FIRST).map(told).collect(),
            advice: of_kind().next().map(|finding| finding.advice.clone()).unwrap_or_default(),
        }
    };
    DoctorReport {
        about,
        parts: parts.cells(MOST_CLASSES),
        kinds: doctor::kinds(findings).into_iter().map(kind).collect(),
        findings: table(findings),
        summary: doctor::summary(findings),
        errors: findings.iter().filter(|finding| finding.severity == Severity::Error).count(),
    }
}

/// A path below the folder where it lies there; the folder itself by its name.
fn shown(path: &Path, root: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let below = if below.as_os_str().is_empty() { path.file_name().map_or(path, Path::new) } else { below };
    below.display().to_string()
}

/// A sentence with the folder's own path left out.
fn below(text: &str, root: &Path) -> String {
    let prefix = format!("{}{}", root.display(), std::path::MAIN_SEPARATOR);
    text.replace(&prefix, "")
}

/// Every finding as a row.
pub fn table(findings: &[Finding]) -> Table {
    let file = |path: &Path| path.display().to_string();
    let row = |finding: &Finding| {
        vec![
            finding.severity.word().to_owned(),
            finding.check.label().to_owned(),
            file(&finding.file),
            finding.other.as_deref().map(file).unwrap_or_default(),
            finding.problem.clone(),
            finding.advice.clone(),
        ]
    };
    let columns = ["severity", "check", "file", "other", "problem", "advice"].map(str::to_owned).to_vec();
    (columns, findings.iter().map(row).collect())
}
