//! Reading numbers, texts and matrices out of a golden file; an error names the key.

use learnscope::compute::linalg::Matrix;
use serde_json::Value;

pub fn field<'a>(value: &'a Value, key: &str) -> Result<&'a Value, String> {
    value.get(key).ok_or_else(|| format!("`{key}` is missing"))
}

pub fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, String> {
    field(value, key)?.as_str().ok_or_else(|| format!("`{key}` is no text"))
}

pub fn number(value: &Value, key: &str) -> Result<f64, String> {
    field(value, key)?.as_f64().ok_or_else(|| format!("`{key}` is no number"))
}

/// A number, or `None` for null.
pub fn optional(value: &Value, key: &str) -> Result<Option<f64>, String> {
    if field(value, key)?.is_null() { Ok(None) } else { number(value, key).map(Some) }
}

pub fn whole(value: &Value, key: &str) -> Result<usize, String> {
    let whole = field(value, key)?.as_u64().and_then(|v| usize::try_from(v).ok());
    whole.ok_or_else(|| format!("`{key}` is no whole number"))
}

pub fn switch(value: &Value, key: &str) -> Result<bool, String> {
    field(value, key)?.as_bool().ok_or_else(|| format!("`{key}` is neither true nor false"))
}

pub fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>, String> {
    field(value, key)?.as_array().ok_or_else(|| format!("`{key}` is no list"))
}

pub fn as_numbers(value: &Value) -> Result<Vec<f64>, String> {
    let items = value.as_array().ok_or_else(|| format!("{value} is no list"))?;
    items.iter().map(|item| item.as_f64().ok_or_else(|| format!("{item} is no number"))).collect()
}

pub fn numbers(value: &Value, key: &str) -> Result<Vec<f64>, String> {
    as_numbers(field(value, key)?).map_err(|e| format!("`{key}`: {e}"))
}

pub fn as_matrix(value: &Value) -> Result<Matrix, String> {
    let rows = value.as_array().ok_or("no list of rows")?;
    let rows: Vec<Vec<f64>> = rows.iter().map(as_numbers).collect::<Result<_, _>>()?;
    let columns = rows.first().map_or(0, Vec::len);
    if rows.iter().any(|row| row.len() != columns) {
        return Err("rows of different lengths".to_owned());
    }
    Ok(Matrix::from_fn(rows.len(), columns, |i, j| rows[i][j]))
}

pub fn matrix(value: &Value, key: &str) -> Result<Matrix, String> {
    as_matrix(field(value, key)?).map_err(|e| format!("`{key}`: {e}"))
}

/// Fails on a key that nobody reads: what it asks for would stay unchecked.
pub fn only(value: &Value, known: &[&str]) -> Result<(), String> {
    let object = value.as_object().ok_or("a case that is no object")?;
    match object.keys().find(|key| !known.contains(&key.as_str()) && !["name", "note"].contains(&key.as_str())) {
        Some(key) => Err(format!("unknown key `{key}`")),
        None => Ok(()),
    }
}

/// The formula of the networks' cases, in [−1, 1].
pub fn formula(k: u64, j: u64) -> f64 {
    const MASK: u64 = (1 << 32) - 1;
    let mut h = (j * 2_654_435_761 + k * 40_503 + 12_345) & MASK;
    h ^= h >> 15;
    h = (h * 2_246_822_519) & MASK;
    h ^= h >> 13;
    h as f64 / 4_294_967_296.0 * 2.0 - 1.0
}
