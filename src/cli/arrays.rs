//! The numbers of a figure as a table or as an array of NumPy's.

use std::sync::Arc;

use serde_json::json;

use super::output::Failure;
use crate::engine::event::Payload;
use crate::engine::export::{Sheet, number};
use crate::engine::npy;

/// The numbers behind a figure.
pub enum Numbers {
    /// Scalars or tables.
    Sheet(Sheet),
    /// A bulky value of one step.
    One(Arc<Payload>),
    /// A bulky value at every recorded step.
    All(Vec<(u64, Arc<Payload>)>),
}

/// An NPY file, and one of the steps along its first axis.
#[derive(Debug)]
pub struct Arrays {
    pub numbers: Vec<u8>,
    pub steps: Option<Vec<u8>>,
}

/// As a table; of all steps with the step in its first column.
pub fn sheet(figure: &str, numbers: Numbers) -> Result<Sheet, Failure> {
    let payloads = match numbers {
        Numbers::Sheet(sheet) => return Ok(sheet),
        Numbers::One(payload) => return of_payload(figure, &payload),
        Numbers::All(payloads) => payloads,
    };
    let mut whole = Sheet::default();
    for (step, payload) in payloads {
        let part = of_payload(figure, &payload)?;
        let columns = std::iter::once("step".to_owned()).chain(part.columns).collect::<Vec<_>>();
        if whole.columns.is_empty() {
            whole.columns = columns;
        } else if whole.columns != columns {
            return Err(Failure::usage(format!(
                "`{figure}` has other columns at step {step} than before; export it step by step (`--step N`)"
            )));
        }
        whole.rows.extend(part.rows.into_iter().map(|row| std::iter::once(json!(step)).chain(row).collect()));
    }
    Ok(whole)
}

/// As an array: a list `[n]`, a matrix `[rows, columns]`, points `[n, 2]`; of all steps one behind the other along a first axis.
pub fn of(figure: &str, numbers: Numbers) -> Result<Arrays, Failure> {
    let payloads = match numbers {
        Numbers::Sheet(_) => {
            return Err(Failure::usage(format!("`{figure}` is a table with names in it; save it as .csv or .json")));
        }
        Numbers::One(payload) => {
            let (shape, values) = array(figure, &payload)?;
            return Ok(Arrays { numbers: values.packed(&shape), steps: None });
        }
        Numbers::All(payloads) => payloads,
    };
    let mut whole: Option<(Vec<usize>, Values)> = None;
    for (step, payload) in &payloads {
        let (shape, values) = array(figure, payload)?;
        let joined = match &mut whole {
            None => {
                whole = Some((shape, values));
                true
            }
            Some((known, all)) => *known == shape && all.join(values),
        };
        if !joined {
            return Err(Failure::usage(format!(
                "`{figure}` has another shape at step {step} than before; save all steps as .csv or .json"
            )));
        }
    }
    let (shape, values) = whole.unwrap_or_else(|| (vec![0], Values::F64(Vec::new())));
    let shape: Vec<usize> = std::iter::once(payloads.len()).chain(shape).collect();
    let steps: Vec<i64> = payloads.iter().map(|(step, _)| *step as i64).collect();
    let steps = npy::packed(&[steps.len()], npy::Numbers::I64(&steps));
    Ok(Arrays { numbers: values.packed(&shape), steps: Some(steps) })
}

enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Values {
    /// Appends values of the same kind; otherwise `false`.
    fn join(&mut self, more: Values) -> bool {
        match (self, more) {
            (Values::F32(all), Values::F32(more)) => all.extend(more),
            (Values::F64(all), Values::F64(more)) => all.extend(more),
            _ => return false,
        }
        true
    }

    fn packed(&self, shape: &[usize]) -> Vec<u8> {
        match self {
            Values::F32(values) => npy::packed(shape, npy::Numbers::F32(values)),
            Values::F64(values) => npy::packed(shape, npy::Numbers::F64(values)),
        }
    }
}

/// A bulky value as an array, with its shape.
fn array(figure: &str, payload: &Payload) -> Result<(Vec<usize>, Values), Failure> {
    Ok(match payload {
        Payload::Series(values) => (vec![values.len()], Values::F64(values.to_vec())),
        Payload::Matrix { rows, cols, values } => (vec![*rows as usize, *cols as usize], Values::F32(values.to_vec())),
        Payload::Points { xy, .. } => (vec![xy.len(), 2], Values::F32(xy.iter().flatten().copied().collect())),
        Payload::Table { .. } | Payload::Text(_) => {
            return Err(Failure::usage(format!("`{figure}` is text, not an array; save it as .csv or .json")));
        }
        Payload::Image { .. } | Payload::Mask { .. } => return Err(a_picture(figure)),
    })
}

fn a_picture(figure: &str) -> Failure {
    Failure::usage(format!("`{figure}` is a picture, not numbers; save it as .png"))
}

/// A bulky value as numbers.
fn of_payload(figure: &str, payload: &Payload) -> Result<Sheet, Failure> {
    Ok(match payload {
        Payload::Series(values) => Sheet {
            rows: values.iter().enumerate().map(|(i, value)| vec![json!(i), number(*value)]).collect(),
            ..Sheet::new(&["index", "value"])
        },
        Payload::Points { xy, classes } => {
            let class = |i: usize| classes.get(i).map_or(json!(""), |class| json!(class));
            let row = |(i, [x, y]): (usize, &[f32; 2])| vec![number(f64::from(*x)), number(f64::from(*y)), class(i)];
            Sheet { rows: xy.iter().enumerate().map(row).collect(), ..Sheet::new(&["x", "y", "class"]) }
        }
        Payload::Matrix { cols, values, .. } => Sheet {
            columns: (1..=*cols).map(|k| format!("column_{k}")).collect(),
            rows: values
                .chunks((*cols).max(1) as usize)
                .map(|row| row.iter().map(|value| number(f64::from(*value))).collect())
                .collect(),
        },
        Payload::Table { columns, rows } => Sheet {
            columns: columns.clone(),
            rows: rows.iter().map(|row| row.iter().map(|cell| json!(cell)).collect()).collect(),
        },
        Payload::Text(text) => Sheet { rows: vec![vec![json!(text)]], ..Sheet::new(&["text"]) },
        Payload::Image { .. } | Payload::Mask { .. } => {
            return Err(a_picture(figure));
        }
    })
}
