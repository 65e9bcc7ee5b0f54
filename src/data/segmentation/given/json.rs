//! Lists of names in JSON, as nnU-Net writes them.

use serde_json::Value;

use super::super::doctor::Severity;
use super::super::split::Part;
use super::collected::{Collected, Entry};
use super::names::Names;
use super::words::part_value;
use super::{Fold, Refusal, TOLD, list_part};
use crate::data::folder::natural_order;

const EXPECTED: &str = "expected [{\"train\": [names], \"val\": [names]}, ..], an object for every fold";
/// Under what an entry that is no text keeps its name.
const NAME_KEYS: [&str; 6] = ["image", "img", "file", "file_name", "filename", "name"];

/// `[{"train": [..], "val": [..]}, ..]`, one a fold; one such object; such objects by name; or `{"name": "part", ..}`.
pub fn folds(text: &str, names: &Names, source: &str) -> Result<Vec<Fold>, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::meant(&format!("it is empty; {EXPECTED}")));
    }
    let json: Value = serde_json::from_str(text)
        .map_err(|error| Refusal::meant(&format!("it cannot be read as JSON: {error}; {EXPECTED}")))?;
    let list: Vec<(Option<String>, &Value)> = match &json {
        Value::Array(folds) if folds.is_empty() => {
            return Err(Refusal::meant(&format!("its list of folds is empty; {EXPECTED}")));
        }
        Value::Array(folds) => folds.iter().map(|fold| (None, fold)).collect(),
        Value::Object(object) if object.is_empty() => {
            return Err(Refusal::meant(&format!("it holds nothing; {EXPECTED}")));
        }
        Value::Object(object)
            if object.values().all(|value| value.as_str().is_some_and(|v| part_value(v).is_some())) =>
        {
            let entry = |(name, part): (&'_ String, &Value)| Some((name.clone(), part_value(part.as_str()?)?));
            let rows: Vec<(String, Part)> = object.iter().filter_map(entry).collect();
            let entries = rows.iter().map(|(name, part)| Entry { name, line: None, part: *part });
            let fold = Collected::of(entries, names).fold(names, source, Vec::new());
            return fold.map(|fold| vec![fold]).map_err(|problem| Refusal { meant: true, problem });
        }
        Value::Object(object) if object.values().all(Value::is_object) => {
            let mut folds: Vec<(&String, &Value)> = object.iter().collect();
            folds.sort_by(|a, b| natural_order(a.0, b.0));
            folds.into_iter().map(|(name, fold)| (Some(name.clone()), fold)).collect()
        }
        Value::Object(_) => vec![(None, &json)],
        other => return Err(Refusal::meant(&format!("it holds {}; {EXPECTED}", kind(other)))),
    };
    let count = list.len();
    let told = |number: usize| if count == 1 { String::new() } else { format!("fold {number}: ") };
    let of = |(number, (name, fold)): (usize, (Option<String>, &Value))| {
        let fold = one(fold, &told(number), names, source)?;
        Ok(Fold { name, ..fold })
    };
    list.into_iter().enumerate().map(of).collect()
}

/// A value's kind, in words.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// `which` begins each problem: `fold 3: `.
fn one(fold: &Value, which: &str, names: &Names, source: &str) -> Result<Fold, Refusal> {
    let refused = |problem: String| Refusal::meant(&format!("{which}{problem}; {EXPECTED}"));
    let Some(lists) = fold.as_object() else { return Err(refused(format!("it is {}", kind(fold)))) };
    let mut problems = Vec::new();
    let mut rows: Vec<(String, Part)> = Vec::new();
    let mut parts = 0;
    for (key, list) in lists {
        let Some(part) = part_value(key).or_else(|| list_part(key)) else {
            // What else there is may say anything, but a list of names is meant for a part.
            if list
                .as_array()
                .is_some_and(|list| list.iter().any(|entry| name(entry).is_some_and(|name| names.knows(&name))))
            {
                problems.push((
                    Severity::Error,
                    format!("{which}`{key}` is none of train, val, test, so that its images are in no part"),
                ));
            }
            continue;
        };
        parts += 1;
        let Some(list) = list.as_array() else { return Err(refused(format!("`{key}` is {}", kind(list)))) };
        let (named, odd): (Vec<&Value>, Vec<&Value>) = list.iter().partition(|entry| name(entry).is_some());
        if let Some(first) = odd.first() {
            let text: String = first.to_string().chars().take(40).collect();
            problems.push((
                Severity::Error,
                format!("{which}`{key}` holds {} of {} that are no names: `{text}`", odd.len(), list.len()),
            ));
        }
        rows.extend(named.into_iter().filter_map(|entry| Some((name(entry)?, part))));
    }
    if parts == 0 {
        let keys: Vec<String> = lists.keys().take(TOLD).map(|key| format!("`{key}`")).collect();
        let keys = if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") };
        let knows = lists
            .values()
            .filter_map(Value::as_array)
            .flatten()
            .any(|entry| name(entry).is_some_and(|n| names.knows(&n)));
        let meant = knows || source.contains("splits_final") || !which.is_empty();
        let problem = format!("{which}it has {keys}, and none of train, val, test; {EXPECTED}");
        return Err(Refusal { meant, problem });
    }
    if rows.is_empty() {
        return Err(refused("it names no image".to_owned()));
    }
    let entries = rows.iter().map(|(name, part)| Entry { name, line: None, part: *part });
    Collected::of(entries, names)
        .fold(names, source, problems)
        .map_err(|problem| Refusal { meant: true, problem: format!("{which}{problem}") })
}

/// The name that an entry of a list is or has.
fn name(entry: &Value) -> Option<String> {
    match entry {
        Value::String(name) => Some(name.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(object) => NAME_KEYS.iter().find_map(|key| object.get(*key)?.as_str()).map(str::to_owned),
        _ => None,
    }
}
