//! Prediction for the window: on a thread of its own that makes, uses and drops the network, on the device that was chosen.
//! Plain results come by channel and are taken without waiting.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::params::{PARAMS, lesion, pixel_size};
use super::super::pipeline::Pipeline;
use super::inputs::{Inputs, counted, find_chosen, of_files};
use super::job::{Work, apart, findable, predict_item, save_mask, save_overlay, save_table, survey};
use super::report::{Row, Summary, group_lines, groups, problem_lines, warnings};
use super::running;
use super::weights_source::WeightsSource;
use crate::compute::device::DeviceChoice;
use crate::data::segmentation::Watch;
use crate::data::segmentation::lesion::Lesion;
use crate::data::segmentation::read::{Picture, Rules};
use crate::engine::params::Params;
use crate::kit::predict::{self, ends_all, outside_runs};
use crate::pixels::mask::Mask;
use crate::pixels::mask::outline::{Outline, OutlineStyle, outlines};

/// Pictures beyond this number are shown as outlines alone.
const MOST_PICTURES: usize = 2000;

/// What is to be predicted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// A file, or the folder of a run.
    pub weights: PathBuf,
    /// One folder, or files.
    pub data: Vec<PathBuf>,
    pub pipeline: Pipeline,
    /// What of a true mask is lesion, as `key=value` of the lab's parameters; empty: as the weights' run had it.
    pub lesion: Vec<String>,
    /// Which of several structures is outlined; empty: the first.
    pub structure: String,
    pub device: DeviceChoice,
}

/// One picture, as far as the window needs it.
#[derive(Debug, Clone)]
pub struct Found {
    pub path: PathBuf,
    pub row: Row,
    /// `None` where it could not be used.
    pub shown: Option<Shown>,
}

/// What is drawn of a picture, and what is saved of it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Width and height of what is drawn.
    pub size: [usize; 2],
    /// `[H, W, 3]`; empty where there are very many pictures.
    pub rgb: Vec<u8>,
    /// In pixels of what is drawn.
    pub predicted: Vec<Outline>,
    pub truth: Vec<Outline>,
    /// Width and height in the file.
    original: (u32, u32),
    mask: Packed,
    true_mask: Option<Packed>,
}

impl Shown {
    /// The predicted mask, at the picture's own size.
    pub fn mask(&self) -> Mask {
        self.mask.mask()
    }
}

/// A mask as runs of lesion: a few kilobytes where the mask takes megabytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Packed {
    height: usize,
    width: usize,
    /// First pixel and the one after the last, row by row.
    runs: Vec<[u32; 2]>,
}

impl Packed {
    fn of(mask: &Mask) -> Self {
        let pixels = mask.pixels();
        let mut runs = Vec::new();
        let mut at = 0;
        while let Some(skipped) = pixels[at..].iter().position(|&lesion| lesion) {
            let start = at + skipped;
            at = pixels[start..].iter().position(|&lesion| !lesion).map_or(pixels.len(), |length| start + length);
            runs.push([start as u32, at as u32]);
        }
        Self { height: mask.height(), width: mask.width(), runs }
    }

    fn mask(&self) -> Mask {
        let mut mask = Mask::empty(self.height, self.width);
        self.runs.iter().for_each(|&[start, end]| mask.pixels_mut()[start as usize..end as usize].fill(true));
        mask
    }
}

/// What a thread says.
#[derive(Debug)]
pub enum Told {
    /// What is used, and the pictures that will be predicted.
    Begun {
        lines: Vec<String>,
        inputs: Arc<Inputs>,
    },
    One(Box<Found>),
    /// What all of them have in common, one statement a line.
    Summary(Vec<String>),
    /// The end. What was saved or why it broke off, where there is something to say.
    Done(Result<String, String>),
}

/// What is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Save {
    Masks,
    Overlays,
    Table,
}

impl Save {
    /// The name of the folder or file.
    fn name(self) -> &'static str {
        match self {
            Save::Masks => "masks",
            Save::Overlays => "overlays",
            Save::Table => "table",
        }
    }
}

/// A prediction, or results that are being saved.
pub type Job = predict::Job<Told>;

/// Predicts pictures; `wake` is called whenever there is something to take.
pub fn start_prediction(wanted: Wanted, wake: impl Fn() + Send + 'static) -> Job {
    Job::start("prediction", wake, Told::Done, move |say, cancel| predict(&wanted, say, cancel).map(|()| String::new()))
}

/// Saves what was found below `folder`, under a new name.
pub fn start_saving(
    what: Save,
    found: Vec<Arc<Found>>,
    inputs: Arc<Inputs>,
    folder: PathBuf,
    wake: impl Fn() + Send + 'static,
) -> Job {
    let work = move |_: &dyn Fn(Told), cancel: &AtomicBool| save(what, &found, &inputs, &folder, cancel);
    Job::start("saving predictions", wake, Told::Done, work)
}

fn predict(wanted: &Wanted, say: &dyn Fn(Told), cancel: &AtomicBool) -> Result<(), String> {
    let mut source = WeightsSource::open(&wanted.weights, None).map_err(|error| error.to_string())?;
    source.choose(&wanted.structure).map_err(|error| error.to_string())?;
    for assignment in &wanted.lesion {
        source.params.set_text(PARAMS, assignment).map_err(|error| error.to_string())?;
    }
    let lesion = lesion(&source.params).map_err(|error| error.to_string())?;
    let watch = Watch { progress: &|_, _| {}, cancel };
    let mut inputs = match wanted.data.as_slice() {
        [one] => {
            let which = running::wanted(&source.params, &Params::default(), one).map_err(|error| error.to_string())?;
            find_chosen(one, &which, watch).map_err(|error| error.to_string())?
        }
        several => of_files(several),
    };
    inputs.white = source.white.clone();
    let sizes = inputs.take_pixel_size(pixel_size(&source.params).map_err(|error| error.to_string())?);
    let files = survey(&inputs, &lesion, watch);
    findable(&files)?;
    let (predictor, device_lines) =
        running::predictor(&source, &wanted.device, &inputs, &files).map_err(|error| error.to_string())?;
    let mut lines = source.describe();
    lines.extend(device_lines);
    lines.extend(inputs.lines.iter().cloned());
    lines.extend(sizes);
    lines.push(format!("masks: {}", wanted.pipeline.describe(inputs.unit())));
    lines.extend(files.rules().into_iter().flat_map(Rules::lines).map(|line| format!("data: {line}")));
    // What is saved later is read as it was predicted.
    inputs.white = files.rules().map(|rules| rules.white.clone()).unwrap_or_default();
    let inputs = Arc::new(inputs);
    say(Told::Begun { lines, inputs: inputs.clone() });
    let parts = source.parts.as_ref().ok();
    // How it was trained is not for the view to say.
    let pipeline = Pipeline { fit: source.pipeline().fit, ..wanted.pipeline };
    let work = Work { predictor: &predictor, files: &files, pipeline: &pipeline, parts, wanted: &[] };
    let mut rows = Vec::with_capacity(inputs.items.len());
    for item in &inputs.items {
        if cancel.load(Ordering::Relaxed) {
            break;
        }
        let Some((row, found)) = predict_item(&work, item)? else { continue };
        rows.push(row.clone());
        let shown = found.map(|(picture, prediction)| {
            let (mask, truth) = (&prediction.mask, prediction.truth.as_ref());
            shown(&picture, mask, truth, inputs.items.len())
        });
        say(Told::One(Box::new(Found { path: item.path.clone(), row, shown })));
    }
    let summary = Summary::of(&rows);
    let mut lines = warnings(&summary);
    lines.extend(group_lines(&groups(&rows)));
    lines.extend(problem_lines(&rows));
    say(Told::Summary(lines));
    Ok(())
}

/// Longest side of what is drawn where so many pictures are kept.
fn longest_side(count: usize) -> usize {
    match count {
        0..=60 => 640,
        61..=400 => 320,
        _ => 176,
    }
}

fn shown(picture: &Picture, mask: &Mask, truth: Option<&Mask>, count: usize) -> Shown {
    let factor = picture.width.max(picture.height).div_ceil(longest_side(count)).max(1);
    let (width, height) = (picture.width.div_ceil(factor), picture.height.div_ceil(factor));
    let mut rgb = Vec::new();
    if count <= MOST_PICTURES {
        rgb.reserve(3 * width * height);
        for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
            rgb.extend(block(picture, row * factor, column * factor, factor));
        }
    }
    // What is drawn is at most so large; its outlines need not be finer.
    let lines = |mask: &Mask| {
        let middle = |at: usize, most: usize| (at * factor + factor / 2).min(most - 1);
        let small = Mask::from_fn(height, width, |row, column| {
            mask.at(middle(row, picture.height), middle(column, picture.width))
        });
        outlines(&small, OutlineStyle::Midpoints)
    };
    Shown {
        size: [width, height],
        rgb,
        predicted: lines(mask),
        truth: truth.map(lines).unwrap_or_default(),
        original: picture.original,
        mask: Packed::of(mask),
        true_mask: truth.map(Packed::of),
    }
}

/// The mean colour of a block of the picture.
fn block(picture: &Picture, row: usize, column: usize, factor: usize) -> [u8; 3] {
    let (rows, columns) = (row..(row + factor).min(picture.height), column..(column + factor).min(picture.width));
    let count = (rows.len() * columns.len()).max(1) as u32;
    let mut sums = [0_u32; 3];
    for row in rows {
        let line = &picture.rgb[3 * (row * picture.width + columns.start)..3 * (row * picture.width + columns.end)];
        for pixel in line.as_chunks::<3>().0 {
            (0..3).for_each(|c| sums[c] += u32::from(pixel[c]));
        }
    }
    sums.map(|sum| ((sum + count / 2) / count) as u8)
}

fn save(
    what: Save,
    found: &[Arc<Found>],
    inputs: &Inputs,
    folder: &Path,
    cancel: &AtomicBool,
) -> Result<String, String> {
    let to = fresh(folder, what);
    apart(&to, inputs)?;
    outside_runs(&to).map_err(|error| error.to_string())?;
    if what == Save::Table {
        let rows: Vec<Row> = found.iter().map(|found| found.row.clone()).collect();
        save_table(&to, &rows).map_err(|error| error.to_string())?;
        return Ok(format!("saved {}", to.display()));
    }
    // Masks are not read again; images of more than 8 bits are shown as they were.
    let files = survey(inputs, &Lesion::Any, Watch { progress: &|_, _| {}, cancel });
    let all = || found.iter().filter_map(|found| Some((found, found.shown.as_ref()?)));
    let (mut saved, mut failed) = (0, Vec::new());
    for (found, shown) in all() {
        if cancel.load(Ordering::Relaxed) {
            break;
        }
        let mask = shown.mask.mask();
        let result = match what {
            Save::Masks => save_mask(&to, &found.row.name, shown.original, &mask),
            _ => {
                let picture = match files.picture(&found.path) {
                    Ok(picture) => picture,
                    Err(problem) => {
                        failed.push(format!("{} {}", problem.path.display(), problem.problem));
                        continue;
                    }
                };
                if (picture.width, picture.height) != (mask.width(), mask.height()) {
                    return Err(format!("{} has changed meanwhile; predict again", found.path.display()));
                }
                let truth = shown.true_mask.as_ref().map(Packed::mask);
                save_overlay(&to, &found.row.name, &picture, &mask, truth.as_ref())
            }
        };
        match result {
            Ok(()) => saved += 1,
            Err(error) if ends_all(&error) => {
                return Err(format!("{error}; {} of {} are saved", saved, all().count()));
            }
            Err(error) => failed.push(error.to_string()),
        }
    }
    if let Some(first) = failed.first() {
        let missing = counted(failed.len(), "picture was", "pictures were");
        return Err(format!(
            "{missing} not saved ({first}); {saved} of {} are saved in {}",
            all().count(),
            to.display()
        ));
    }
    Ok(format!("saved {} in {}", counted(saved, "picture", "pictures"), to.display()))
}

/// A name below `folder` that nothing has yet.
fn fresh(folder: &Path, what: Save) -> PathBuf {
    let name = |number: usize| {
        let name = if number == 1 { what.name().to_owned() } else { format!("{}-{number}", what.name()) };
        folder.join(if what == Save::Table { format!("{name}.csv") } else { name })
    };
    let mut number = 1;
    while name(number).exists() {
        number += 1;
    }
    name(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_keeps_every_pixel() {
        let striped = Mask::from_fn(7, 9, |row, column| (row * 9 + column) % 4 != 2 && row != 3);
        for mask in [striped, Mask::empty(3, 4), Mask::from_fn(2, 5, |_, _| true), Mask::default()] {
            assert_eq!(Packed::of(&mask).mask(), mask);
        }
    }

    #[test]
    fn what_is_drawn_is_small_and_at_its_place() {
        let (width, height) = (1000, 500);
        let rgb = (0..width * height).flat_map(|i| [if i % width < 500 { 200 } else { 10 }; 3]).collect();
        let picture = Picture { width, height, rgb, original: (1000, 500), factor: 1 };
        let left = Mask::from_fn(height, width, |_, column| column < 500);
        let drawn = shown(&picture, &left, Some(&Mask::empty(height, width)), 5);
        assert_eq!((drawn.size, drawn.rgb.len()), ([500, 250], 3 * 500 * 250));
        assert_eq!((drawn.rgb[3 * 249], drawn.rgb[3 * 250]), (200, 10));
        let right = drawn.predicted[0].points.iter().map(|point| point[0]).fold(0.0, f32::max);
        assert_eq!((right, drawn.truth.len()), (250.0, 0));
        assert!(shown(&picture, &left, None, 5000).rgb.is_empty());
    }
}
