//! Numbers as files: one CSV and one JSON form for everything that is exported, from the window or the command line.

use serde_json::{Value as Json, json};

use super::event::{KeyKind, KeySpec};

/// Columns of numbers and names.
#[derive(Debug, Default)]
pub struct Sheet {
    pub columns: Vec<String>,
    /// Each as long as `columns`.
    pub rows: Vec<Vec<Json>>,
}

impl Sheet {
    /// A sheet without rows.
    pub fn new(columns: &[&str]) -> Self {
        Self { columns: columns.iter().map(|&name| name.to_owned()).collect(), rows: Vec::new() }
    }

    /// Numbers with as many digits as give the same bits back; what is not a number is `NaN`, `inf` or `-inf`. A CSV
    /// has no place for what it is about.
    pub fn csv(&self, _about: &Json) -> Result<Vec<u8>, String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.columns).map_err(|e| e.to_string())?;
        for row in &self.rows {
            let cells = row.iter().map(|cell| match cell {
                Json::String(text) => text.clone(),
                other => other.to_string(),
            });
            writer.write_record(cells).map_err(|e| e.to_string())?;
        }
        writer.into_inner().map_err(|e| e.to_string())
    }

    /// One object: what it is about (an object), the columns, the rows. JSON has no NaN: such numbers are text there.
    pub fn json(&self, about: &Json) -> Result<Vec<u8>, String> {
        let mut whole = about.clone();
        whole["columns"] = json!(self.columns);
        whole["rows"] = json!(self.rows);
        serde_json::to_vec(&whole).map_err(|e| e.to_string())
    }
}

/// A number as a cell.
pub fn number(value: f64) -> Json {
    if value.is_finite() { json!(value) } else { json!(format!("{value:?}")) }
}

/// Names of a table's `count` columns: what the lab calls them, else `column_1`, `column_2`, ..
pub fn column_names(specs: &[KeySpec], key: &str, count: usize) -> Vec<String> {
    match KeySpec::find(specs, key).map(|spec| spec.kind) {
        Some(KeyKind::Rows(names)) if names.len() == count => names.iter().map(|&name| name.to_owned()).collect(),
        _ => (1..=count).map(|k| format!("column_{k}")).collect(),
    }
}
