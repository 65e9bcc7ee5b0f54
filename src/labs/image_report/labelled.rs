//! Images with labels and no reports, as CheXpert has them: what the probe of the image encoder is fitted on and judged by (Table II).

use std::path::PathBuf;

use crate::data::reports::read::Crop;
use crate::data::reports::{self, Choice, Part, parts};
use crate::data::segmentation::counted;
use crate::engine::params::{ParamError, Params};
use crate::watch::Watch;

use super::params::{FRONTAL, PROBE_FOLDER, SIZE, TEST_SHARE};
use super::probe::{MOST, Subject};

/// Images of a folder with their labels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Labelled {
    /// Names of the labels.
    pub names: Vec<String>,
    /// Pixels of a side.
    pub size: usize,
    /// To fit on and to judge by.
    pub parts: [Vec<Image>; 2],
    /// What was found and left out, a statement each.
    pub lines: Vec<String>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Grey, `[size, size]`.
    pub pixels: Vec<u8>,
    /// For each name yes, no, or not known.
    pub labels: Vec<Option<bool>>,
}

impl Image {
    fn subject(&self) -> Subject<'_> {
        Subject { pixels: &self.pixels, labels: &self.labels }
    }
}

impl Labelled {
    /// To fit on and to judge by.
    pub fn subjects(&self) -> [Vec<Subject<'_>>; 2] {
        self.parts.each_ref().map(|images| images.iter().map(Image::subject).collect())
    }
}

/// Reads the folder that the parameters name, if they do. Of more than [`MOST`] images of a part as many are read, evenly from the
/// table, so that a large set is not read for a small question. Where the data set has no test part of its own, its validation part is judged by.
///
/// # Errors
/// It cannot be read, has no labels, or a part has fewer than two images.
pub fn load(params: &Params, seed: u64, watch: Watch<'_>) -> Result<Option<Labelled>, ParamError> {
    let folder = PathBuf::from(PROBE_FOLDER.of(params));
    if folder.as_os_str().is_empty() {
        return Ok(None);
    }
    let invalid = |problem: String| ParamError::invalid(PROBE_FOLDER.key(), problem);
    let choice = Choice { frontal_only: FRONTAL.of(params), ..Choice::default() };
    let listing = reports::list(&folder, choice, watch.quiet()).map_err(|error| invalid(error.to_string()))?;
    let Some(labels) = &listing.labels else {
        let found = listing.layout.title();
        return Err(invalid(format!(
            "{} is {found}, without labels; expected images with a table as CheXpert's, with a column `Path` and one for each finding",
            folder.display()
        )));
    };
    let share = TEST_SHARE.of(params);
    let split = parts::split(&listing.pairs, seed, [1.0 - share, 0.0, share], true);
    let judged = [Part::Test, Part::Validation].map(|part| split.pairs(part)).into_iter().find(|part| part.len() >= 2);
    let mut lines: Vec<String> = listing.notes.iter().chain(&split.lines).cloned().collect();
    let mut chosen = [split.pairs(Part::Train), judged.unwrap_or_default()];
    for (part, what) in chosen.iter_mut().zip(["fitted on", "judged by"]) {
        let all = part.len();
        if all > MOST {
            *part = (0..MOST).map(|k| part[k * all / MOST]).collect();
            lines.push(format!("{MOST} of {all} images are {what}, evenly from the table"));
        }
    }
    let mut labelled = Labelled { names: labels.names.clone(), size: SIZE.of(params), ..Labelled::default() };
    for (part, of) in chosen.iter().enumerate() {
        let pairs: Vec<_> = of.iter().map(|&i| listing.pairs[i].clone()).collect();
        let images = reports::read::read(&pairs, labelled.size, Crop::Centre, watch)
            .map_err(|error| invalid(error.to_string()))?;
        // What is uncertain is not known.
        let known = |value: &Option<i8>| value.filter(|value| *value >= 0).map(|value| value > 0);
        for (k, &i) in images.kept.iter().enumerate() {
            let labels = labels.rows.get(of[i]).map(|row| row.iter().map(known).collect()).unwrap_or_default();
            labelled.parts[part].push(Image { pixels: images.image(k).to_vec(), labels });
        }
        lines.extend(images.problems.iter().map(|problem| format!("{}: {}", problem.path.display(), problem.problem)));
    }
    lines.extend(listing.problems.iter().map(|problem| format!("{}: {}", problem.path.display(), problem.problem)));
    for (images, what) in labelled.parts.iter().zip(["to fit on", "to judge by"]) {
        if images.len() < 2 {
            let count = counted(images.len(), "image", "images");
            return Err(invalid(format!("{} gives {count} {what}, and two are the least", folder.display())));
        }
    }
    let [fit, judge] = [0, 1].map(|part| labelled.parts[part].len());
    lines.insert(0, format!("{}: fitted on {fit} images, judged by {judge}", folder.display()));
    labelled.lines = lines;
    Ok(Some(labelled))
}
