//! Golden cases of the image-report lab: words of reports and their perturbations. One function for each key of a file.

use serde_json::Value;

use super::Report;
use super::image_report_text_cases as text;
use super::values::only;

/// Keys whose cases are about networks and losses: `image_report_losses.rs` checks them.
const LOSSES: &[&str] = &["global_infonce", "local", "perturbation_loss", "total", "structure_eval"];

/// What stands beside the cases.
const HEAD: &[&str] = &["version", "split", "tolerance", "antonym_lexicon"];

/// Checks every case of one file.
pub fn check(file: &Value, report: &mut Report) {
    let Some(cases) = file.as_object() else {
        return report.fail("an object of lists of cases was expected".to_owned());
    };
    for (key, value) in cases.iter().filter(|(key, _)| !HEAD.contains(&key.as_str())) {
        match key.as_str() {
            "sentences" => text::sentences(value, file, report),
            "table_I" => one("table_I", value, report, |case, report| text::table_i(case, file, report)),
            "pre_caption" => each(key, value, report, text::pre_caption),
            "degenerate" => each(key, value, report, |case, report| text::degenerate(case, file, report)),
            "subword" => each(key, value, report, text::groups_of_pieces),
            key if LOSSES.contains(&key) => {}
            key => report.fail(format!("`{key}` is a kind of case that nobody knows")),
        }
    }
}

/// Checks each case of a list.
pub fn each(
    kind: &str,
    cases: &Value,
    report: &mut Report,
    mut check: impl FnMut(&Value, &mut Report) -> Result<(), String>,
) {
    let Some(cases) = cases.as_array() else {
        return report.fail(format!("`{kind}` is no list"));
    };
    for case in cases {
        one(kind, case, report, &mut check);
    }
}

fn one(kind: &str, case: &Value, report: &mut Report, check: impl FnOnce(&Value, &mut Report) -> Result<(), String>) {
    report.case(kind);
    let name = case.get("id").and_then(Value::as_str).unwrap_or(kind).to_owned();
    if let Err(message) = check(case, report) {
        report.fail(format!("{name}: {message}"));
    }
}

/// Fails on a key of a case that nobody reads.
pub fn known(case: &Value, keys: &[&str]) -> Result<(), String> {
    only(case, &[&["id", "note"], keys].concat())
}
