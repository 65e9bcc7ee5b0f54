//! A whole folder: every picture is read, predicted, measured and saved; one that cannot be used is a row with the
//! reason.
//!
//! ```text
//! OUT/
//!   probabilities/NAME.png, .npy   where they are asked for
//!   masks/NAME.png      0 and 255, at the picture's own size
//!   overlays/NAME.png   the picture with the predicted outline in green and the true one, where known, in red
//!   table.csv           one row a picture
//!   summary.txt, summary.json   weights, network, conventions, means
//! ```

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::{Value as Json, json};

use super::super::params::{PARAMS, lesion, pixel_size};
use super::super::pipeline::Pipeline;
use super::inputs::{Inputs, Item, counted, find_chosen};
use super::maps::{MAPS, Maps};
use super::parts::Parts;
use super::report::{Row, Summary, csv, group_lines, groups, groups_json, problem_lines, warnings};
use super::running::{predictor, wanted as wanted_of};
use super::weights_source::{OF_NETWORK, PART, SIDE, STRUCTURE, SaidOfFile, WeightsSource};
use super::{Prediction, Predictor, measure, overlay, read, settings, too_large};
use crate::data::segmentation::Watch;
use crate::data::segmentation::lesion::{Lesion, Nowhere};
use crate::data::segmentation::listing::Pair;
use crate::data::segmentation::read::{Picture, ReadLimits, Reader as Files, Rules};
use crate::data::segmentation::split::Part;
use crate::engine::params::Params;
use crate::engine::run_folder::{DiskError, write_whole};
use crate::kit::predict::{PredictError, PredictEvent, PredictRequest, check_empty, ends_all, guarded, real, save_png};
use crate::pixels::mask::Mask;

/// Pictures of up to 11 585×11 585 pixels are predicted and saved at their own size; larger ones are read smaller.
const LIMITS: ReadLimits = ReadLimits { most_pixels: 1 << 27, decoded_bytes: 1 << 30 };

/// A reader that keeps pictures at their own size.
pub fn whole_pictures() -> Files {
    Files::new(LIMITS)
}

/// The same for these pictures and their masks, all read by one rule. What is white is as [`Inputs::white`] says.
pub fn survey(inputs: &Inputs, lesion: &Lesion, watch: Watch<'_>) -> Files {
    let usable = || inputs.items.iter().filter(|item| !item.broken);
    let pairs: Vec<Pair> = usable().filter_map(|item| item.pair.clone()).collect();
    let alone: Vec<PathBuf> = usable().filter(|item| item.pair.is_none()).map(|item| item.path.clone()).collect();
    let rules = whole_pictures().survey_as(&inputs.white, &pairs, &alone, lesion, watch);
    whole_pictures().with_rules(rules)
}

/// Refuses a choice of lesion that is in no mask.
pub fn findable(files: &Files) -> Result<(), String> {
    match files.rules().and_then(|rules| rules.masks.nowhere.as_ref()) {
        Some(Nowhere { key, problem }) => Err(format!("parameter `{key}`: {problem}")),
        None => Ok(()),
    }
}

/// `learnscope predict segmentation`.
pub fn predict(
    request: &PredictRequest,
    cancel: &AtomicBool,
    heard: &mut dyn FnMut(PredictEvent),
) -> Result<(), PredictError> {
    let began = Instant::now();
    let watch = Watch { progress: &|_, _| {}, cancel };
    let (settings, mut asked) = (settings(), Params::default());
    for assignment in &request.set {
        asked.set_text(&settings, assignment).map_err(PredictError::input)?;
    }
    let image_size = SIDE.get(&asked).map(|side| side as usize);
    let part = asked.get(PART.key()).map(ToString::to_string).filter(|part| !part.trim().is_empty());
    let said = SaidOfFile { architecture: OF_NETWORK.get(&asked).flatten(), part: part.as_deref().map(str::trim) };
    let mut source = WeightsSource::open_as(&request.weights, image_size, said)?;
    source.choose(&asked.get(STRUCTURE.key()).map(ToString::to_string).unwrap_or_default())?;
    // What the weights are of is settled, and no value of a run.
    let of_run = |key: &str| PARAMS.iter().any(|spec| spec.key == key) && key != OF_NETWORK.key();
    for (key, value) in asked.iter().filter(|(key, _)| of_run(key)) {
        source.params.set(&settings, key, value.clone()).map_err(PredictError::input)?;
    }
    source.params.check_effect(&settings, &request.set).map_err(PredictError::input)?;
    let wanted: Vec<Option<Part>> = request.parts.iter().map(|name| part_of(name)).collect::<Result<_, _>>()?;
    if let (Err(why), false) = (&source.parts, wanted.is_empty()) {
        return Err(PredictError::Input(format!("`--part`: {why}")));
    }
    let pipeline = source.pipeline();
    let which = wanted_of(&source.params, &asked, &request.data).map_err(PredictError::input)?;
    let mut inputs = find_chosen(&request.data, &which, watch).map_err(PredictError::input)?;
    inputs.white = source.white.clone();
    let sizes = inputs.take_pixel_size(pixel_size(&source.params).map_err(PredictError::input)?);
    let unit = inputs.unit();
    check_out(request, &inputs)?;
    let files = survey(&inputs, &lesion(&source.params).map_err(PredictError::input)?, watch);
    findable(&files).map_err(|problem| {
        PredictError::Input(match source.structures.get(source.output) {
            Some(name) => format!(
                "{problem}. The run's structure `{name}` is read so; say what it is here with --set lesion=.., labels=.. or masks_in=.."
            ),
            None => problem,
        })
    })?;
    let (predictor, device_lines) = predictor(&source, &request.device, &inputs, &files)?;
    let maps = MAPS.get(&asked).unwrap_or(Maps { png: false, npy: false });

    let mut lines = source.describe();
    let device = device_lines.first().map(|line| line.trim_start_matches("device: ").to_owned());
    lines.extend(device_lines);
    lines.push(format!("masks: {}", pipeline.describe(unit)));
    lines.extend(maps.describe());
    lines.extend(inputs.lines.iter().cloned());
    lines.extend(sizes);
    lines.extend(files.rules().into_iter().flat_map(Rules::lines).map(|line| format!("data: {line}")));
    let about = json!({
        "weights": source.path, "origin": source.origin, "network": source.spec.architecture.key(),
        "base": source.spec.base, "channels": source.spec.channels, "image_size": source.image_size,
        "image_size_from": source.image_size_from, "device": device, "warnings": source.warnings,
        "threshold": pipeline.threshold, "convention": pipeline.describe(unit), "unit": unit.word(), "data": request.data,
        "structure": source.structures.get(source.output), "out": request.out, "version": env!("CARGO_PKG_VERSION"),
    });
    heard(PredictEvent::Begun { total: inputs.items.len(), lines: lines.clone(), about: about.clone() });

    let mut results = Results { out: request.out.clone(), rows: Vec::new(), saved: 0, unsaved: 0, maps };
    let work = Work {
        predictor: &predictor,
        files: &files,
        pipeline: &pipeline,
        parts: source.parts.as_ref().ok(),
        wanted: &wanted,
    };
    let total = inputs.items.len();
    let (mut stopped, mut left_out) = (None, 0);
    for (i, item) in inputs.items.iter().enumerate() {
        if cancel.load(Ordering::Relaxed) {
            stopped = Some(PredictError::Work("stopped".to_owned()));
            break;
        }
        match one(&work, item, &mut results) {
            Ok(true) => {}
            Ok(false) => {
                left_out += 1;
                continue;
            }
            Err(error) => {
                stopped = Some(PredictError::work(error));
                break;
            }
        }
        let Some(row) = results.rows.last() else { continue };
        let failed = row.measures.is_none() || row.kinds.contains(&NOT_SAVED) || row.kinds.contains(&NO_SCORE);
        let problem = failed.then(|| row.problem.clone());
        heard(PredictEvent::File { done: i + 1, total, name: item.name.clone(), problem, row: row.json() });
    }
    let parts = work.parts.is_some();
    drop(predictor);
    let mut said = Vec::new();
    if left_out > 0 {
        said.push(format!(
            "{} of other parts left out (`--part {}`)",
            counted(left_out, "picture", "pictures"),
            request.parts.join(",")
        ));
    }
    if parts && !results.rows.is_empty() && results.rows.iter().all(|row| row.part.is_none()) {
        said.push("none of the pictures is of the run's data set: to the network they are new".to_owned());
    }
    let finished = results.finish(&lines, said, about, &pipeline, began.elapsed().as_secs_f64());
    if let Some(error) = stopped {
        let kept = format!("{} of {total} pictures are done and kept in `{}`", results.saved, request.out.display());
        return Err(PredictError::Work(format!("{error}; {kept}, predict again with --force to do them all")));
    }
    let (lines, about) = finished.map_err(PredictError::work)?;
    heard(PredictEvent::Done { lines, about });
    if results.unsaved > 0 {
        let count = counted(results.unsaved, "picture", "pictures");
        return Err(PredictError::Work(format!(
            "{count} of {total} could not be saved: see the column `problem` of the table"
        )));
    }
    if results.saved == 0 && left_out > 0 {
        return Err(PredictError::Work(format!("no picture is of the part {}", request.parts.join(", "))));
    }
    if results.saved == 0 {
        return Err(PredictError::Work("not one of the files could be used: see the table".to_owned()));
    }
    Ok(())
}

/// What is done with every picture.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    pub predictor: &'a Predictor,
    pub files: &'a Files,
    pub pipeline: &'a Pipeline,
    /// The split of the data set that the weights were trained on, where it is known.
    pub parts: Option<&'a Parts>,
    /// The parts that are predicted (`None`: pictures of no part); empty: all.
    pub wanted: &'a [Option<Part>],
}

/// Kinds of oddities that are counted, beside those of the data doctor.
const UNREADABLE: &str = "could not be used";
const NO_SCORE: &str = "no score, since the true mask cannot be used";
const HUGE: &str = "huge picture";
const NOT_SAVED: &str = "not saved";

/// A part by its name; `none`: of no part.
fn part_of(name: &str) -> Result<Option<Part>, PredictError> {
    match Part::ALL.into_iter().find(|part| part.name() == name) {
        None if name != "none" => {
            Err(PredictError::Input(format!("`--part {name}`: expected train, validation, test or none")))
        }
        found => Ok(found),
    }
}

/// One picture: a row in any case, unless it is of a part that is not wanted (`false`); an error only where nothing more
/// can be saved or computed.
fn one(work: &Work<'_>, item: &Item, results: &mut Results) -> Result<bool, String> {
    let Some((mut row, found)) = predict_item(work, item)? else { return Ok(false) };
    if let Some((picture, prediction)) = found
        && let Err(error) = results.save(&item.name, &picture, &prediction)
    {
        if ends_all(&error) {
            return Err(error.to_string());
        }
        results.unsaved += 1;
        row.note(NOT_SAVED, &format!("not saved: {error}"));
    }
    results.rows.push(row);
    Ok(true)
}

/// A row, and the picture with what was predicted of it, where it could be used.
pub type Predicted = (Row, Option<(Picture, Prediction)>);

/// Reads, predicts and measures one picture. One that cannot be used is a row with the reason; one of a part that is not
/// wanted is `None`.
///
/// # Errors
/// The device failed.
pub fn predict_item(work: &Work<'_>, item: &Item) -> Result<Option<Predicted>, String> {
    let mut row = Row::new(item.name.clone(), item.path.display().to_string());
    row.class = item.pair.as_ref().and_then(|pair| pair.class.clone()).unwrap_or_default();
    row.note(if item.broken { UNREADABLE } else { NO_SCORE }, item.note.as_deref().unwrap_or_default());
    if item.broken {
        return Ok(Some((row, None)));
    }
    let (picture, truth) = match read_or_image_alone(item, work.files, &mut row) {
        Ok(found) => found,
        Err(problem) => {
            (row.problem, row.kinds) = (problem, vec![UNREADABLE]);
            return Ok(Some((row, None)));
        }
    };
    let seen = as_trained(&item.path, &picture, work.files)?;
    let seen = seen.as_ref().unwrap_or(&picture);
    if let Some(known) = work.parts.and_then(|parts| parts.find(seen)) {
        (row.part, row.group) = (Some(known.part), known.group);
        if row.class.is_empty() {
            row.class.clone_from(&known.class);
        }
    }
    if !work.wanted.is_empty() && !work.wanted.contains(&row.part) {
        return Ok(None);
    }
    if let Some(problem) = too_large(seen, work.pipeline.fit, work.predictor.size()) {
        row.note(UNREADABLE, &problem);
        return Ok(Some((row, None)));
    }
    let probabilities = guarded(|| work.predictor.probabilities(seen, work.pipeline.fit))?;
    let unknown = probabilities.iter().filter(|p| !p.is_finite()).count();
    if unknown > 0 {
        let of = probabilities.len();
        let problem =
            format!("the network's output is no number in {unknown} of {of} places; it was not used as a mask");
        row.note(UNREADABLE, &problem);
        return Ok(Some((row, None)));
    }
    let prediction = measure(&probabilities, &picture, truth, item.spacing, work.pipeline);
    if picture.factor > 1 {
        row.note(HUGE, &format!("is huge and was read at 1/{} of its size", picture.factor));
    }
    row.measures = Some(prediction.measures.clone());
    Ok(Some((row, Some((picture, prediction)))))
}

/// A huge picture as training reads it, made smaller by means of blocks; `None`: as it is.
fn as_trained(path: &Path, picture: &Picture, files: &Files) -> Result<Option<Picture>, String> {
    if picture.width * picture.height <= ReadLimits::default().most_pixels {
        return Ok(None);
    }
    let read = Files::default().with_rules(files.rules().cloned().unwrap_or_default()).picture(path);
    read.map(Some).map_err(|problem| format!("{}: {}", problem.path.display(), problem.problem))
}

/// A picture with its true mask; where only the mask cannot be read, the picture alone and why. What is odd about the mask
/// is noted.
fn read_or_image_alone(item: &Item, files: &Files, row: &mut Row) -> Result<(Picture, Option<Mask>), String> {
    match read(item, files) {
        Ok((picture, mask, findings)) => {
            for finding in findings {
                let whose = if finding.file == item.path {
                    String::new()
                } else {
                    format!("its mask {} ", finding.file.file_name().unwrap_or_default().to_string_lossy())
                };
                row.note(finding.check.label(), &format!("{whose}{}: {}", finding.problem, finding.advice));
            }
            Ok((picture, mask))
        }
        Err(problem) if problem.path == item.path => Err(problem.problem),
        Err(problem) => {
            row.note(NO_SCORE, &format!("no score: its mask {} {}", problem.path.display(), problem.problem));
            let alone = Item { pair: None, ..item.clone() };
            read(&alone, files).map(|(picture, ..)| (picture, None)).map_err(|problem| problem.problem)
        }
    }
}

/// What is saved, and where.
struct Results {
    out: PathBuf,
    rows: Vec<Row>,
    /// Pictures whose mask and overlay are saved.
    saved: usize,
    /// Pictures of which one of them could not be saved.
    unsaved: usize,
    maps: Maps,
}

impl Results {
    fn save(&mut self, name: &str, picture: &Picture, prediction: &Prediction) -> Result<(), DiskError> {
        save_mask(&self.out.join("masks"), name, picture.original, &prediction.mask)?;
        save_overlay(&self.out.join("overlays"), name, picture, &prediction.mask, prediction.truth.as_ref())?;
        self.maps.save(&self.out.join("probabilities"), name, picture, prediction)?;
        self.saved += 1;
        Ok(())
    }

    /// The table and the summary, also of work that was broken off.
    fn finish(
        &self,
        made_with: &[String],
        said: Vec<String>,
        about: Json,
        pipeline: &Pipeline,
        seconds: f64,
    ) -> Result<(Vec<String>, Json), DiskError> {
        save_table(&self.out.join("table.csv"), &self.rows)?;
        let summary = Summary::of(&self.rows);
        let groups = groups(&self.rows);
        let mut lines = summary.lines();
        lines.extend(group_lines(&groups));
        lines.extend(problem_lines(&self.rows));
        lines.extend(said);
        lines.extend(warnings(&summary));
        let version = concat!("made by learnscope ", env!("CARGO_PKG_VERSION"));
        let text = [made_with, &[String::new()], &lines, &[version.to_owned()]].concat().join("\n") + "\n";
        write_whole(&self.out.join("summary.txt"), text.as_bytes())?;
        let mut whole = about;
        let mut results = summary.json(pipeline);
        results["no_score"] = json!(self.rows.iter().filter(|row| row.kinds.contains(&NO_SCORE)).count());
        results["groups"] = groups_json(&groups);
        whole["results"] = results.clone();
        whole["seconds"] = json!(seconds);
        let path = self.out.join("summary.json");
        let bytes = serde_json::to_vec_pretty(&whole).map_err(|error| DiskError::bad(&path, error.to_string()))?;
        write_whole(&path, &bytes)?;
        let maps = if self.maps.describe().is_some() { "probabilities, " } else { "" };
        lines.push(format!("saved in {}: masks, overlays, {maps}table.csv, summary.txt", self.out.display()));
        let mut about = results;
        about["out"] = json!(self.out);
        about["seconds"] = json!(seconds);
        Ok((lines, about))
    }
}

/// `NAME.png` of a mask, enlarged to the size in the file.
pub fn save_mask(folder: &Path, name: &str, original: (u32, u32), mask: &Mask) -> Result<(), DiskError> {
    save_png(&folder.join(format!("{name}.png")), || overlay::mask_png(mask, original))
}

/// `NAME.png` of a picture with its outlines.
pub fn save_overlay(
    folder: &Path,
    name: &str,
    picture: &Picture,
    mask: &Mask,
    truth: Option<&Mask>,
) -> Result<(), DiskError> {
    save_png(&folder.join(format!("{name}.png")), || overlay::overlay_png(picture, mask, truth))
}

/// `table.csv`.
pub fn save_table(path: &Path, rows: &[Row]) -> Result<(), DiskError> {
    let bytes = csv(rows).map_err(|error| DiskError::bad(path, error))?;
    write_whole(path, &bytes)
}

/// Refuses a folder with other files in it, and one that would mix results with what they were made from.
fn check_out(request: &PredictRequest, inputs: &Inputs) -> Result<(), PredictError> {
    apart(&request.out, inputs).map_err(PredictError::Input)?;
    check_empty(&request.out, request.force)
}

/// Refuses a folder whose results would lie among the pictures that they were made from.
pub fn apart(out: &Path, inputs: &Inputs) -> Result<(), String> {
    let (shown, out) = (out.display(), real(out));
    for folder in inputs.folders.iter().map(|folder| real(folder)) {
        if out.starts_with(&folder) || folder.starts_with(&out) {
            return Err(format!(
                "the results in `{shown}` would lie among the pictures in `{}`, and their masks would be taken for true \
                 ones the next time; choose a folder apart",
                folder.display()
            ));
        }
    }
    if inputs.items.iter().any(|item| real(&item.path).starts_with(&out)) {
        return Err(format!("the results in `{shown}` would lie among the pictures; choose a folder apart"));
    }
    Ok(())
}
