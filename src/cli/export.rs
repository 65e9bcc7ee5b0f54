//! `learnscope export`: the numbers of a recorded run as CSV or JSON, a view of it as PNG, its weights as safetensors.

use std::path::Path;

use serde_json::json;

use crate::engine::event::{Body, Payload};
use crate::engine::export::{Sheet, column_names, number};
use crate::engine::header_file;
use crate::engine::params::nearest;
use crate::engine::recording::RunReader;
use crate::labs;

use super::flags::ExportFlags;
use super::output::{Failure, Output};
use super::request::find_lab;
use super::{find_run, place, predict, window};

pub fn export(flags: &ExportFlags, output: &Output) -> Result<(), Failure> {
    let format = flags.to.extension().map(|suffix| suffix.to_string_lossy().to_lowercase()).unwrap_or_default();
    let folder = find_run(&flags.run)?;
    if flags.weights {
        return weights(&folder, &format, flags, output);
    }
    if !["csv", "json", "png"].contains(&&*format) {
        return Err(Failure::usage(format!(
            "`--to {}`: the suffix must be .csv, .json or .png (with --weights: .safetensors)",
            flags.to.display()
        )));
    }
    place::check(std::slice::from_ref(&flags.to), flags.force)?;
    let mut reader = labs::open_run(&folder)?;
    if format == "png" {
        let png = window::picture(flags, &mut reader)?;
        place::write(&flags.to, &png, flags.force)?;
        return saved(&flags.to, &reader, output);
    }
    let sheet = sheet(&flags.figure, &mut reader)?;
    let about = json!({
        "figure": flags.figure, "lab": reader.header().lab, "name": reader.header().name, "seed": reader.header().seed,
        "steps": reader.header().steps, "device": reader.header().device, "started": reader.header().started,
        "version": reader.header().version, "folder": reader.folder(),
    });
    let bytes = if format == "csv" { sheet.csv(&about) } else { sheet.json(&about) }.map_err(Failure::Work)?;
    place::write(&flags.to, &bytes, flags.force)?;
    saved(&flags.to, &reader, output)
}

/// The best weights of a run as one file.
fn weights(folder: &Path, format: &str, flags: &ExportFlags, output: &Output) -> Result<(), Failure> {
    let to = &flags.to;
    if format != "safetensors" {
        return Err(Failure::usage(format!("`--to {}`: the suffix of weights must be .safetensors", to.display())));
    }
    place::check(std::slice::from_ref(to), flags.force)?;
    let header = header_file::read(folder)?;
    let spec = predict::spec_of(find_lab(&header.lab)?)?;
    let weights = (spec.packed_weights)(folder)?;
    place::write(to, &weights.file, flags.force)?;
    weights.lines.iter().for_each(|line| output.aside(line));
    output.kept(to);
    output.object(&json!({ "event": "saved", "file": to }));
    output.line(format!("saved {}", to.display()));
    Ok(())
}

fn saved(file: &Path, reader: &RunReader, output: &Output) -> Result<(), Failure> {
    if let Some(damage) = reader.damage() {
        output.object(&json!({ "event": "notice", "level": "warning", "text": damage }));
        output.aside(format!("warning: {damage}"));
    }
    output.kept(file);
    output.object(&json!({ "event": "saved", "file": file }));
    output.line(format!("saved {}", file.display()));
    Ok(())
}

/// The numbers behind `figure`: `metrics` (every scalar), a key, or a family of keys that ends in `*`.
fn sheet(figure: &str, reader: &mut RunReader) -> Result<Sheet, Failure> {
    let matches = |key: &str| match figure.strip_suffix('*') {
        Some(prefix) => key.starts_with(prefix),
        None => key == figure,
    };
    let specs = labs::find(&reader.header().lab).map_or(&[][..], |lab| lab.spec().keys);
    let mut known: Vec<String> = vec!["metrics".to_owned()];
    let mut scalars = Sheet::new(&["step", "seconds", "key", "value"]);
    let mut tables = Sheet::default();
    let mut rows_of: std::collections::HashMap<String, u64> = std::collections::HashMap::new();
    let mut picture = None;
    for event in reader.events()? {
        let mut note = |key: &str| {
            if !known.iter().any(|name| name == key) {
                known.push(key.to_owned());
            }
        };
        match &event.body {
            Body::Scalars(values) => {
                for (key, value) in values {
                    note(key);
                    if figure == "metrics" || matches(key) {
                        let cells = vec![json!(event.step), number(event.seconds), json!(**key), number(*value)];
                        scalars.rows.push(cells);
                    }
                }
            }
            Body::Rows { key, columns, data } => {
                note(key);
                if !matches(key) {
                    continue;
                }
                if tables.columns.is_empty() {
                    let named = column_names(specs, key, *columns as usize);
                    tables.columns = ["key", "row"].map(str::to_owned).into_iter().chain(named).collect();
                }
                let next = rows_of.entry(key.to_string()).or_default();
                for row in data.chunks((*columns).max(1) as usize) {
                    let cells = [json!(**key), json!(*next)].into_iter().chain(row.iter().map(|v| number(*v)));
                    tables.rows.push(cells.collect());
                    *next += 1;
                }
            }
            Body::Recorded { key, offset, bytes } => {
                note(key);
                if matches(key) {
                    picture = Some((*offset, *bytes));
                }
            }
            _ => {}
        }
    }
    if !tables.rows.is_empty() {
        return Ok(tables);
    }
    if let Some((offset, bytes)) = picture {
        return payload_sheet(figure, &*reader.payload_at(offset, bytes)?);
    }
    if !scalars.rows.is_empty() || figure == "metrics" {
        return Ok(scalars);
    }
    let hint = match nearest(figure, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has {}", known.join(", ")),
    };
    Err(Failure::usage(format!("this run has recorded nothing called `{figure}`; {hint}")))
}

/// The newest bulky value as numbers.
fn payload_sheet(figure: &str, payload: &Payload) -> Result<Sheet, Failure> {
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
            return Err(Failure::usage(format!("`{figure}` is a picture, not numbers; save it as .png")));
        }
    })
}
