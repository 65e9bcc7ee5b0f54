//! Which images to look at with which reports, and how both become what the network sees.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::data::DataError;
use crate::data::folder::{Rules, natural_order, unique_names, walk};
use crate::data::picture_file::is_picture_name;
use crate::data::reports::{self, Choice, read::Crop, read::Frame};
use crate::engine::params::Params;
use crate::kit::predict::PredictError;
use crate::plot::number::counted;
use crate::text::words::{Marks, words};
use crate::watch::Watch;

use super::super::params::{DROP_MARKS, FRONTAL, MAX_WORDS, SECTION, SIZE};

/// An image with its report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Item {
    /// Its path below the folder without extension, with `/`; no two are alike. Results are named after it.
    pub name: String,
    pub path: PathBuf,
    /// Of the report, normalised.
    pub words: Vec<String>,
    /// Words that came after those.
    pub cut: usize,
    /// Why it cannot be used; else empty.
    pub problem: String,
    pub square: Option<Square>,
}

/// An image as the network sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Square {
    /// Grey, `[S, S]`.
    pub image: Vec<u8>,
    /// Where it lies in the whole picture.
    pub frame: Frame,
}

impl Square {
    /// `[S, S]` in [0, 1].
    pub fn values(&self) -> Vec<f32> {
        self.image.iter().map(|level| f32::from(*level) / 255.0).collect()
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inputs {
    pub items: Vec<Item>,
    /// What was found, one statement a line.
    pub lines: Vec<String>,
    /// Folders that were searched.
    pub folders: Vec<PathBuf>,
}

/// Finds pairs: those of a folder or of a table of reports; or with a report that was typed (`text` is not empty) all of these files
/// and the images of these folders. Images are not opened yet.
///
/// # Errors
/// No such path, nothing in it that can be used, a single image without a report, a report without words, or stopped.
pub fn find(data: &[PathBuf], text: &str, params: &Params, watch: Watch<'_>) -> Result<Inputs, PredictError> {
    for path in data {
        if !path.exists() {
            let text = format!("there is no file or folder `{}`; choose images with reports", path.display());
            return Err(PredictError::Input(text));
        }
    }
    if !text.trim().is_empty() {
        return typed(data, text, params, watch);
    }
    match data {
        [one] if one.is_dir() || !is_picture_name(one) => listed(one, params, watch),
        _ => Err(PredictError::Input(format!(
            "`{}` is an image without a report; type one (--set text=\"...\"), or choose a folder or a table with reports",
            data.first().map_or_else(String::new, |path| path.display().to_string())
        ))),
    }
}

fn failed(error: DataError) -> PredictError {
    match error {
        DataError::Cancelled => PredictError::Work("stopped".to_owned()),
        error => PredictError::input(error),
    }
}

/// An item of a report as it is written.
fn item(name: String, path: PathBuf, report: &str, params: &Params) -> Item {
    let marks = if DROP_MARKS.of(params) { Marks::Dropped } else { Marks::Kept };
    let found = words(report, MAX_WORDS.of(params) as usize, marks);
    let problem = if found.words.is_empty() { "its report has no words" } else { "" };
    Item { name, path, words: found.words, cut: found.cut, problem: problem.to_owned(), square: None }
}

/// Images that all have the same report.
fn typed(data: &[PathBuf], text: &str, params: &Params, watch: Watch<'_>) -> Result<Inputs, PredictError> {
    let mut inputs = Inputs::default();
    let (mut files, mut seen) = (Vec::new(), HashSet::new());
    for path in data {
        if path.is_dir() {
            let tree = walk(path, &Rules::default(), watch).map_err(failed)?;
            let told = |of: &crate::data::Problem| format!("warning: {} {}", of.path.display(), of.problem);
            inputs.lines.extend(tree.problems.iter().map(told));
            inputs.folders.push(path.clone());
            files.extend(tree.folders.into_iter().flat_map(|folder| folder.pictures));
        } else if is_picture_name(path) {
            files.push(path.clone());
        } else {
            let shown = path.display();
            let text = format!(
                "`{shown}` is no image, and a report was typed; leave the typed report out to read those of files"
            );
            return Err(PredictError::Input(text));
        }
    }
    files.retain(|file| seen.insert(file.clone()));
    if files.is_empty() {
        let shown = data.first().map_or_else(String::new, |path| path.display().to_string());
        return Err(PredictError::Input(format!("`{shown}` holds no images (JPEG, PNG, TIFF, BMP, GIF)")));
    }
    let names = match data {
        [one] if one.is_dir() => unique_names(files.iter().map(PathBuf::as_path), one),
        _ => {
            let names = files.iter().map(|file| Path::new(file.file_name().unwrap_or_default()));
            unique_names(names, Path::new(""))
        }
    };
    let items = files.into_iter().zip(names).map(|(file, name)| item(name, file, text, params));
    inputs.items = items.collect();
    inputs.items.sort_by(|a, b| natural_order(&a.name, &b.name));
    let Some(first) = inputs.items.first() else { return Ok(inputs) };
    if first.words.is_empty() {
        return Err(PredictError::Input("the typed report has no words: a word holds a letter or a digit".to_owned()));
    }
    inputs.lines.push(format!("{} with the typed report", counted(inputs.items.len(), "image", "images")));
    inputs.lines.extend(cut(&inputs.items, params));
    Ok(inputs)
}

/// The pairs of a folder, or of one table.
fn listed(path: &Path, params: &Params, watch: Watch<'_>) -> Result<Inputs, PredictError> {
    let choice = Choice { section: SECTION.of(params), frontal_only: FRONTAL.of(params) };
    let listing = reports::list(path, choice, watch).map_err(failed)?;
    if listing.pairs.iter().all(|pair| pair.report.is_empty()) {
        let text = format!(
            "`{}` has no images with reports: it is {}; type a report for all of them (--set text=\"...\")",
            path.display(),
            listing.layout.title()
        );
        return Err(PredictError::Input(text));
    }
    let mut inputs = Inputs { folders: vec![listing.root.clone()], ..Inputs::default() };
    inputs.lines = listing.notes;
    let told = |of: &crate::data::Problem| format!("warning: {}: {}", of.path.display(), of.problem);
    inputs.lines.extend(listing.problems.iter().map(told));
    let of = |pair: &reports::Pair| item(pair.id.clone(), pair.image.clone(), &pair.report, params);
    inputs.items = listing.pairs.iter().map(of).collect();
    if path.is_dir() {
        inputs.items.extend(without_report(path, &inputs.items, choice, watch)?);
    }
    inputs.items.sort_by(|a, b| natural_order(&a.name, &b.name));
    inputs.lines.extend(cut(&inputs.items, params));
    Ok(inputs)
}

/// The images of a folder of which no report can be used: they are told one by one.
fn without_report(folder: &Path, items: &[Item], choice: Choice, watch: Watch<'_>) -> Result<Vec<Item>, PredictError> {
    let tree = walk(folder, &Rules::default(), watch).map_err(failed)?;
    let known: HashSet<&Path> = items.iter().map(|item| item.path.as_path()).collect();
    let files: Vec<PathBuf> = tree.folders.into_iter().flat_map(|folder| folder.pictures).collect();
    let names = unique_names(files.iter().map(PathBuf::as_path), folder);
    let why = if choice.frontal_only {
        "none names it, its report is empty, or it is a lateral view"
    } else {
        "none names it, or its report is empty"
    };
    let taken: HashSet<&str> = items.iter().map(|item| item.name.as_str()).collect();
    let left = files.into_iter().zip(names).filter(|(file, _)| !known.contains(file.as_path()));
    let item = |(path, name): (PathBuf, String)| {
        let name = if taken.contains(name.as_str()) { format!("{name} (without a report)") } else { name };
        Item { name, path, problem: format!("has no report that can be used: {why}"), ..Item::default() }
    };
    Ok(left.map(item).collect())
}

/// Says how many reports are cut.
fn cut(items: &[Item], params: &Params) -> Option<String> {
    let cut = items.iter().filter(|item| item.cut > 0).count();
    let most = MAX_WORDS.of(params);
    (cut > 0).then(|| format!("{} cut to {most} words, as in training", counted(cut, "report is", "reports are")))
}

/// Reads the images of all items that can be used, and says of the others why not.
///
/// # Errors
/// They take too much memory, or stopped.
pub fn read(inputs: &mut Inputs, params: &Params, watch: Watch<'_>) -> Result<(), PredictError> {
    let usable: Vec<usize> = (0..inputs.items.len()).filter(|&i| inputs.items[i].problem.is_empty()).collect();
    let pair = |&i: &usize| {
        let Item { name, path, .. } = &inputs.items[i];
        let (id, image, report, study) = (name.clone(), path.clone(), String::new(), String::new());
        reports::Pair { id, image, report, study, split: None, view: None }
    };
    let pairs: Vec<reports::Pair> = usable.iter().map(pair).collect();
    let mut images = reports::read::read(&pairs, SIZE.of(params), Crop::Centre, watch).map_err(failed)?;
    let mut problems: HashMap<PathBuf, String> =
        std::mem::take(&mut images.problems).into_iter().map(|of| (of.path, of.problem)).collect();
    for (k, (&of, frame)) in images.kept.iter().zip(&images.frames).enumerate() {
        inputs.items[usable[of]].square = Some(Square { image: images.image(k).to_vec(), frame: *frame });
    }
    for &i in &usable {
        let item = &mut inputs.items[i];
        if item.square.is_none() {
            item.problem = problems.remove(&item.path).unwrap_or_else(|| "cannot be read".to_owned());
        }
    }
    inputs.lines.extend(images.lines);
    Ok(())
}
