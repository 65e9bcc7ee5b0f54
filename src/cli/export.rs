//! `learnscope export`: the numbers of a recorded run as CSV, JSON or NPY; figures are in [`picture`], weights and features in
//! [`networks`].

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::json;

use crate::engine::event::{Body, Payload};
use crate::engine::export::{Sheet, column_names, number};
use crate::engine::params::nearest;
use crate::engine::recording::RunReader;
use crate::labs;

use super::arrays::{self, Numbers};
use super::flags::ExportFlags;
use super::output::{Failure, Output};
use super::{find_run, networks, picture, place};

/// Formats of figures.
const FIGURES: [&str; 3] = ["png", "svg", "gif"];

pub fn export(flags: &ExportFlags, output: &Output) -> Result<(), Failure> {
    let format = flags.to.extension().map(|suffix| suffix.to_string_lossy().to_lowercase()).unwrap_or_default();
    let folder = flags.run.as_deref().map(find_run).transpose()?;
    if let (true, Some(folder)) = (flags.weights, &folder) {
        return networks::weights(folder, &format, flags, output);
    }
    if let (true, Some(folder)) = (flags.features, &folder) {
        return networks::features(folder, &format, flags, output);
    }
    if !["csv", "json", "npy"].contains(&&*format) && !FIGURES.contains(&&*format) {
        return Err(Failure::usage(format!(
            "`--to {}`: the suffix must be .csv, .json, .npy or .png, .svg, .gif for figures (with --weights: .safetensors)",
            flags.to.display()
        )));
    }
    if flags.all && FIGURES.contains(&&*format) {
        return Err(Failure::usage("`--all` is for numbers; save them as .csv, .json or .npy"));
    }
    picture::check(flags, &format)?;
    let steps = flags.to.with_extension("steps.npy");
    let beside = (flags.all && format == "npy").then_some(&steps);
    place::check(&[&flags.to].into_iter().chain(beside).cloned().collect::<Vec<_>>(), flags.force)?;
    let Some(folder) = folder.filter(|_| flags.scene.is_none()) else {
        if !FIGURES.contains(&&*format) {
            return Err(Failure::usage("`--scene` says how a figure looks; save it as .png, .svg or .gif"));
        }
        return picture::save(flags, &format, output);
    };
    let figure = flags.figure.as_deref().unwrap_or("metrics");
    let mut reader = labs::open_run(&folder)?;
    if FIGURES.contains(&&*format) {
        if flags.figure.is_none() && format != "png" || views(&reader).contains(&figure) {
            return picture::save(flags, &format, output);
        }
        // What is nothing at all is told which views there are.
        let Some((png, step, moment)) = recorded_picture(figure, flags.step, &mut reader)? else {
            return picture::save(flags, &format, output);
        };
        if format != "png" {
            return Err(Failure::usage(format!("`{figure}` is a recorded picture, not a view; save it as .png")));
        }
        place::write(&flags.to, &png, flags.force)?;
        return saved(&flags.to, Some(step), &moment, Some(&reader), output);
    }
    let Found { numbers, step, moment } = found(figure, flags, &mut reader)?;
    let about = json!({
        "step": step,
        "figure": figure, "lab": reader.header().lab, "name": reader.header().name, "seed": reader.header().seed,
        "steps": reader.header().steps, "device": reader.header().device, "started": reader.header().started,
        "version": reader.header().version, "folder": reader.folder(),
    });
    if format == "npy" {
        let array = arrays::of(figure, numbers)?;
        place::write(&flags.to, &array.numbers, flags.force)?;
        if let (Some(file), Some(of)) = (beside, array.steps) {
            place::write(file, &of, flags.force)?;
            output.kept(file);
        }
    } else {
        let sheet = arrays::sheet(figure, numbers)?;
        let bytes = if format == "csv" { sheet.csv(&about) } else { sheet.json(&about) }.map_err(Failure::Work)?;
        place::write(&flags.to, &bytes, flags.force)?;
    }
    saved(&flags.to, step, &moment, Some(&reader), output)
}

/// The views of a run, which are saved as pictures.
fn views(reader: &RunReader) -> Vec<&'static str> {
    let header = reader.header();
    let shown = labs::find_with_views(&header.lab).map(|lab| (lab.view)().shown(&header.params));
    shown.unwrap_or_default().into_iter().map(|tile| tile.id).collect()
}

/// A picture that was recorded, at its own size, with its step and what is to be said of that; what is no picture is refused, with what
/// it can be saved as. `None`: nothing of this name was recorded.
fn recorded_picture(
    figure: &str,
    asked: Option<u64>,
    reader: &mut RunReader,
) -> Result<Option<(Vec<u8>, u64, String)>, Failure> {
    let (mut track, mut numbers) = (Vec::new(), figure == "metrics");
    for event in reader.events()? {
        match &event.body {
            Body::Recorded { key, offset, bytes } if **key == *figure => track.push((event.step, *offset, *bytes)),
            Body::Scalars(values) => numbers |= values.iter().any(|(key, _)| **key == *figure),
            Body::Rows { key, .. } => numbers |= **key == *figure,
            _ => {}
        }
    }
    if track.is_empty() && !numbers && !figure.ends_with('*') {
        return Ok(None);
    }
    let numbers = || Failure::usage(format!("`{figure}` is numbers, not a picture; save it as .csv or .json"));
    let (Some(&(first, ..)), Some(&(last, ..))) = (track.first(), track.last()) else { return Err(numbers()) };
    let at = track.iter().rev().find(|(step, ..)| asked.is_none_or(|asked| *step <= asked));
    let Some(&(step, offset, bytes)) = at else { return Err(late(figure, first, asked.unwrap_or_default())) };
    let payload = reader.payload_at(offset, bytes)?;
    let image = match &*payload {
        Payload::Image { width, height, rgba } => {
            image::RgbaImage::from_raw(*width, *height, rgba.clone()).map(image::DynamicImage::from)
        }
        Payload::Mask { width, height, labels } => {
            // A mask of 0 and 1 is black and white.
            let white = if labels.iter().all(|&label| label <= 1) { 255 } else { 1 };
            let grey = labels.iter().map(|label| label * white).collect();
            image::GrayImage::from_raw(*width, *height, grey).map(image::DynamicImage::from)
        }
        _ => return Err(numbers()),
    };
    let image =
        image.ok_or_else(|| Failure::work(format!("`{figure}` is damaged: it has not the pixels of its size")))?;
    let mut png = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut png, image::ImageFormat::Png)
        .map_err(|error| Failure::work(format!("the picture cannot be packed as PNG: {error}")))?;
    let moment = match (asked, first == last) {
        (Some(_), true) => format!("recorded once, at step {step}: it has no other step"),
        (asked, _) => moment(asked, Some(step)),
    };
    Ok(Some((png.into_inner(), step, moment)))
}

/// Says what was saved; `moment`: of which moment, in words.
pub fn saved(
    file: &Path,
    step: Option<u64>,
    moment: &str,
    reader: Option<&RunReader>,
    output: &Output,
) -> Result<(), Failure> {
    if let Some(damage) = reader.and_then(RunReader::damage) {
        output.object(&json!({ "event": "notice", "level": "warning", "text": damage }));
        output.aside(format!("warning: {damage}"));
    }
    output.kept(file);
    output.object(&json!({ "event": "saved", "file": file, "step": step, "moment": moment }));
    let of = if moment.is_empty() { String::new() } else { format!(" ({moment})") };
    output.line(format!("saved {}{of}", file.display()));
    Ok(())
}

/// The numbers of a figure.
struct Found {
    numbers: Numbers,
    /// The step that they are of, where it is one.
    step: Option<u64>,
    /// Which moment they show, in words; empty where they are of all steps.
    moment: String,
}

/// The numbers behind `figure`: `metrics` (every scalar), a key, or a family of keys that ends in `*`. `step`: of this
/// step, which is the newest at or before it; else all steps of scalars and tables, and of a bulky value the newest, or all.
fn found(figure: &str, flags: &ExportFlags, reader: &mut RunReader) -> Result<Found, Failure> {
    let asked = flags.step;
    let matches = |key: &str| match figure.strip_suffix('*') {
        Some(prefix) => key.starts_with(prefix),
        None => key == figure,
    };
    let specs = labs::find(&reader.header().lab).map_or(&[][..], |lab| lab.keys);
    let mut known: Vec<String> = vec!["metrics".to_owned()];
    let mut scalars = Sheet::new(&["step", "seconds", "key", "value"]);
    // Where a key's newest row at or before the step is.
    let mut newest: HashMap<String, usize> = HashMap::new();
    let mut tables = Sheet::default();
    let mut rows_of: HashMap<String, u64> = HashMap::new();
    let mut bulky: BTreeMap<String, Vec<(u64, u64, u32)>> = BTreeMap::new();
    let (mut first, mut end) = (None::<u64>, 0);
    for event in reader.events()? {
        end = end.max(event.step);
        let mut note = |key: &str| {
            if !known.iter().any(|name| name == key) {
                known.push(key.to_owned());
            }
        };
        let mut matched = false;
        match &event.body {
            Body::Scalars(values) => {
                for (key, value) in values {
                    note(key);
                    if !(figure == "metrics" || matches(key)) {
                        continue;
                    }
                    matched = true;
                    let cells = vec![json!(event.step), number(event.seconds), json!(**key), number(*value)];
                    match asked {
                        None => scalars.rows.push(cells),
                        Some(asked) if event.step > asked => {}
                        Some(_) => match newest.get(&**key) {
                            Some(&at) => scalars.rows[at] = cells,
                            None => {
                                newest.insert(key.to_string(), scalars.rows.len());
                                scalars.rows.push(cells);
                            }
                        },
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
                    match asked {
                        // Row k of a table is step k.
                        Some(asked) if *next > asked => {}
                        Some(_) => match newest.get(&**key) {
                            Some(&at) => tables.rows[at] = cells.collect(),
                            None => {
                                newest.insert(key.to_string(), tables.rows.len());
                                tables.rows.push(cells.collect());
                            }
                        },
                        None => tables.rows.push(cells.collect()),
                    }
                    *next += 1;
                }
            }
            Body::Recorded { key, offset, bytes } => {
                note(key);
                if matches(key) {
                    matched = true;
                    bulky.entry(key.to_string()).or_default().push((event.step, *offset, *bytes));
                }
            }
            _ => {}
        }
        if matched {
            first.get_or_insert(event.step);
        }
    }
    if let Some(asked) = asked.filter(|asked| *asked > end) {
        return Err(Failure::usage(format!("`--step {asked}`: the run was recorded up to step {end}")));
    }
    let late = |first: u64, asked: u64| late(figure, first, asked);
    if !tables.rows.is_empty() {
        let last = asked.map(|_| tables.rows.iter().filter_map(|row| row[1].as_u64()).max().unwrap_or(0));
        return Ok(Found { numbers: Numbers::Sheet(tables), step: last, moment: moment(asked, last) });
    }
    if bulky.len() > 1 {
        let names: Vec<&str> = bulky.keys().map(String::as_str).collect();
        return Err(Failure::usage(format!(
            "`{figure}` names {} figures of which each is a table of its own: {}; export one of them",
            names.len(),
            names.join(", ")
        )));
    }
    if let Some((_, track)) = bulky.pop_first() {
        if flags.all {
            let read = |(step, offset, bytes): &(u64, u64, u32)| Ok((*step, reader.payload_at(*offset, *bytes)?));
            let all: Vec<_> = track.iter().map(read).collect::<Result<_, Failure>>()?;
            let moment = format!("{} steps from {} to {}", all.len(), track[0].0, track[track.len() - 1].0);
            return Ok(Found { numbers: Numbers::All(all), step: None, moment });
        }
        let at = track.iter().rev().find(|(step, ..)| asked.is_none_or(|asked| *step <= asked));
        let Some(&(step, offset, bytes)) = at else {
            return Err(late(track[0].0, asked.unwrap_or_default()));
        };
        let numbers = Numbers::One(reader.payload_at(offset, bytes)?);
        let moment = match (asked, track.as_slice()) {
            (Some(_), [_]) => format!("recorded once, at step {step}: it has no other step"),
            _ => moment(asked, Some(step)),
        };
        return Ok(Found { numbers, step: Some(step), moment });
    }
    if let (Some(asked), Some(first), true) = (asked, first, scalars.rows.is_empty()) {
        return Err(late(first, asked));
    }
    if !scalars.rows.is_empty() || figure == "metrics" {
        let steps = || scalars.rows.iter().filter_map(|row| row[0].as_u64());
        let last = asked.and_then(|_| steps().max());
        let mut moment = moment(asked, last);
        if let (Some(last), Some(oldest)) = (last, steps().min().filter(|oldest| Some(*oldest) != last)) {
            moment = format!(
                "the newest of each key at or before step {}: of steps {oldest} to {last}",
                asked.unwrap_or(last)
            );
        }
        return Ok(Found { numbers: Numbers::Sheet(scalars), step: last, moment });
    }
    if views(reader).contains(&figure) {
        return Err(Failure::usage(format!(
            "`{figure}` is a view, not numbers; save it as .png, .svg or .gif, or the numbers that it shows by their keys: {}",
            known.join(", ")
        )));
    }
    let hint = match nearest(figure, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has {}", known.join(", ")),
    };
    Err(Failure::usage(format!("this run has recorded nothing called `{figure}`; {hint}")))
}

fn late(figure: &str, first: u64, asked: u64) -> Failure {
    Failure::usage(format!(
        "`--step {asked}`: `{figure}` was first recorded at step {first}; ask for that or a later one"
    ))
}

/// `step 100`, or `step 100, the newest at or before 120`.
fn moment(asked: Option<u64>, step: Option<u64>) -> String {
    match (asked, step) {
        (Some(asked), Some(step)) if step < asked => format!("step {step}, the newest at or before {asked}"),
        (_, Some(step)) => format!("step {step}"),
        _ => String::new(),
    }
}
