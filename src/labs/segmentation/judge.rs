//! Measures predictions: image by image at the original size, and their means. Distances and areas are by pixels of the
//! file, also where a huge picture was read smaller, and in millimetres where all images say how large a pixel is.

use std::sync::Arc;

use rayon::prelude::*;

use crate::compute::stats::{Estimate, INTERVALS, Summary};
use crate::data::segmentation::counted;
use crate::engine::emit::Emit;
use crate::engine::event::Payload;
use crate::engine::experiment::RunError;
use crate::pixels::mask::{Confusion, Mask};
use crate::pixels::pieces::{Pieces, cut, cut_channels, held};
use crate::pixels::spacing::{Spacing, Unit};

use super::pipeline::{Pipeline, Score};
use super::scores::Measure;
use super::source::{Item, SegmentationData};
use super::trainer::Input;

/// Columns of the tables of single images. Empty cells are undefined.
pub const COLUMNS: [&str; 9] =
    ["image", "class", "Dice at network size", "Dice", "IoU", "HD95", "HD", "ASSD pooled", "area / predicted"];
/// The same of a data set whose pixels have a size: distances in mm, areas in mm².
pub const COLUMNS_MM: [&str; 9] = [
    "image",
    "class",
    "Dice at network size",
    "Dice",
    "IoU",
    "HD95 mm",
    "HD mm",
    "ASSD pooled mm",
    "area / predicted mm²",
];

/// One image, measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// At the network's size (of patches, at theirs), > 0.5, nothing post-processed, as during the paper's training.
    pub plain_dice: f64,
    pub score: Score,
}

/// Means over a set of images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Means {
    pub plain_dice: Summary,
    pub dice: Summary,
    pub iou: Summary,
    pub hd95: Summary,
    pub hd: Summary,
    pub assd: Summary,
    /// Images whose distances are undefined.
    pub undefined: usize,
    pub both_empty: usize,
}

/// Images of a set as the network takes them, one after the other, large ones in pieces.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prepared {
    /// Indices of items.
    pub indices: Vec<usize>,
    /// Those items, as they are in here.
    items: Vec<Arc<Item>>,
    /// Of each image.
    pieces: Vec<Pieces>,
    /// K, structures of an image, an item each.
    outputs: usize,
    images: Vec<f32>,
    masks: Vec<f32>,
    /// Where pictures are; empty: they fill their squares.
    inside: Vec<f32>,
    channels: usize,
    size: usize,
}

impl Prepared {
    pub fn new(data: &SegmentationData, indices: &[usize]) -> Self {
        let items: Vec<Arc<Item>> = indices.iter().map(|&i| data.items[i].clone()).collect();
        let (outputs, channels, size) = (data.outputs(), data.channels, data.size);
        let padded = items.iter().any(|item| !item.frame.is_whole());
        let mut prepared = Self { indices: indices.to_vec(), outputs, channels, size, ..Self::default() };
        for all in items.chunks(outputs) {
            let pieces = Pieces::over(all[0].frame, size);
            for &corner in &pieces.corners {
                let Square { image, masks, inside } = square(all, size, corner);
                prepared.images.extend(image);
                prepared.masks.extend(masks);
                prepared.inside.extend(if padded { inside } else { Vec::new() });
            }
            prepared.pieces.push(pieces);
        }
        Self { items, ..prepared }
    }

    /// Squares that the network sees.
    pub fn squares(&self) -> usize {
        self.pieces.iter().map(|pieces| pieces.corners.len()).sum()
    }

    /// A map `[P, P]` for every item from the maps of the squares, those of all structures one after the other.
    pub fn merge(&self, maps: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
        if self.pieces.iter().all(Pieces::is_one) {
            return maps;
        }
        let (mut rest, mut merged) = (&maps[..], Vec::with_capacity(self.indices.len()));
        for pieces in &self.pieces {
            let (own, others) = rest.split_at(pieces.corners.len() * self.outputs);
            let of = |output: usize| -> Vec<&[f32]> {
                own.iter().skip(output).step_by(self.outputs).map(|map| &map[..]).collect()
            };
            merged.extend((0..self.outputs).map(|output| pieces.merge(&of(output))));
            rest = others;
        }
        merged
    }

    /// Takes the same of other data at the same size; only items that are not in here in the same place are made anew.
    /// Gives how many.
    pub fn follow(&mut self, data: &SegmentationData, indices: &[usize]) -> usize {
        let now: Vec<&Arc<Item>> = indices.iter().map(|&i| &data.items[i]).collect();
        let pieces: Vec<Pieces> =
            now.iter().step_by(self.outputs).map(|item| Pieces::over(item.frame, self.size)).collect();
        let squares = |pieces: &[Pieces]| pieces.iter().map(|pieces| pieces.corners.len()).collect::<Vec<_>>();
        let padded = now.iter().any(|item| !item.frame.is_whole());
        if indices.len() != self.items.len()
            || squares(&pieces) != squares(&self.pieces)
            || padded == self.inside.is_empty()
        {
            *self = Self::new(data, indices);
            return indices.len();
        }
        (self.indices, self.pieces) = (indices.to_vec(), pieces);
        let (mut made, mut at) = (0, 0);
        for (k, pieces) in self.pieces.iter().enumerate() {
            let places = k * self.outputs..(k + 1) * self.outputs;
            let all: Vec<Arc<Item>> = now[places.clone()].iter().map(|&item| item.clone()).collect();
            let changed =
                self.items[places.clone()].iter().zip(&all).filter(|(old, new)| !Arc::ptr_eq(old, new)).count();
            for (at, &corner) in (at..).zip(&pieces.corners).filter(|_| changed > 0) {
                let Square { image, masks, inside } = square(&all, self.size, corner);
                self.images[at * image.len()..][..image.len()].copy_from_slice(&image);
                self.masks[at * masks.len()..][..masks.len()].copy_from_slice(&masks);
                if padded {
                    self.inside[at * inside.len()..][..inside.len()].copy_from_slice(&inside);
                }
            }
            self.items[places].clone_from_slice(&all);
            (made, at) = (made + changed, at + pieces.corners.len());
        }
        made
    }

    pub fn input(&self) -> Input<'_> {
        Input {
            images: &self.images,
            masks: &self.masks,
            channels: self.channels,
            size: self.size,
            inside: (!self.inside.is_empty()).then_some(&self.inside[..]),
        }
    }
}

/// What the network sees of an image at a time: `[C, S, S]`; `[K, S, S]` of 0 and 1; 1 where the picture is and 0 beside it.
struct Square {
    image: Vec<f32>,
    masks: Vec<f32>,
    inside: Vec<f32>,
}

/// The square at this corner of an image, whose items with each structure these are.
fn square(items: &[Arc<Item>], size: usize, corner: [usize; 2]) -> Square {
    let frame = items[0].frame;
    let numbers = |values: &[bool]| {
        cut(values, frame.side, size, corner).iter().map(|&one| f32::from(u8::from(one))).collect::<Vec<_>>()
    };
    Square {
        image: cut_channels(&items[0].image, frame.side, size, corner).into_owned(),
        masks: items.iter().flat_map(|item| numbers(&item.mask)).collect(),
        inside: held(frame, size, corner).into_iter().map(|one| f32::from(u8::from(one))).collect(),
    }
}

/// Measures every image; the order is that of `indices`, and `maps` are [`Prepared::merge`]d. `heard` may stop it after every
/// few.
///
/// # Panics
/// Where a probability is no number: ask [`super::trainer::Evaluated::is_finite`] first.
pub fn judge(
    data: &SegmentationData,
    indices: &[usize],
    maps: &[Vec<f32>],
    pipeline: &Pipeline,
    mut heard: impl FnMut() -> Result<(), RunError>,
) -> Result<Vec<Judged>, RunError> {
    let few = 4 * rayon::current_num_threads();
    let mut judged = Vec::with_capacity(indices.len());
    for (indices, maps) in indices.chunks(few).zip(maps.chunks(few)) {
        let one = |(&i, map): (&usize, &Vec<f32>)| judge_one(&data.items[i], data.spacing(i), map, pipeline);
        judged.par_extend(indices.par_iter().zip(maps).map(one));
        heard()?;
    }
    Ok(judged)
}

/// `spacing`: of a pixel of the file.
fn judge_one(item: &Item, spacing: Option<Spacing>, probabilities: &[f32], pipeline: &Pipeline) -> Judged {
    let size = item.frame.side;
    let mut plain = Mask::above(size, size, probabilities, 0.5).expect("a map of numbers at the network's size");
    if !item.frame.is_whole() {
        plain.pixels_mut().iter_mut().enumerate().for_each(|(i, lesion)| *lesion &= item.frame.holds(i));
    }
    let small = Mask::new(size, size, item.mask.clone()).expect("a mask has the network's size");
    let prediction = pipeline.mask(probabilities, size, item.truth.height(), item.truth.width());
    Judged {
        plain_dice: Confusion::of(&plain, &small).expect("both have the network's size").dice(),
        score: pipeline.score(&prediction, &item.truth, spacing).scaled(item.factor),
    }
}

impl Means {
    pub fn of(judged: &[Judged]) -> Self {
        let mean = |value: &dyn Fn(&Score) -> Option<f64>| Summary::of(judged.iter().map(|one| value(&one.score)));
        let without = judged.iter().filter(|one| (one.score.area == 0) || (one.score.predicted == 0)).count();
        Self {
            plain_dice: Summary::of(judged.iter().map(|one| Some(one.plain_dice))),
            dice: mean(&|score| Some(score.dice)),
            iou: mean(&|score| score.iou),
            hd95: mean(&|score| score.hd95),
            hd: mean(&|score| score.hd),
            assd: mean(&|score| score.assd),
            undefined: without,
            both_empty: judged.iter().filter(|one| one.score.both_empty).count(),
        }
    }

    /// Emits the means under `KEY/final` (validation) or `test/KEY`.
    pub fn emit(&self, test: bool, out: &mut Emit<'_>) {
        let name = |key: &str| if test { format!("test/{key}") } else { format!("{key}/final") };
        if !test {
            out.scalar("dice/validation", self.plain_dice.mean.unwrap_or(f64::NAN));
        }
        for (key, summary) in
            [("dice", self.dice), ("iou", self.iou), ("hd95", self.hd95), ("hd", self.hd), ("assd", self.assd)]
        {
            // Where it is undefined for every image there is no point.
            if let Some(mean) = summary.mean {
                out.scalar(&name(key), mean);
            }
        }
        out.scalar(&name("undefined"), self.undefined as f64);
        out.scalar(&name("both_empty"), self.both_empty as f64);
    }
}

/// Columns of the tables of means.
pub const MEAN_COLUMNS: [&str; 8] = ["class", "measure", "images", "undefined", "groups", "mean", "low", "high"];
/// The class of a mean over all of them.
pub const ALL: &str = "all";

/// A measure of an image, with its name as in [`COLUMNS`].
type Named = (&'static str, fn(&Judged) -> Option<f64>);

/// What is averaged, Dice first.
const AVERAGED: [Named; 6] = [
    ("Dice", |one| Some(one.score.dice)),
    ("IoU", |one| one.score.iou),
    ("HD95", |one| one.score.hd95),
    ("HD", |one| one.score.hd),
    ("ASSD pooled", |one| one.score.assd),
    ("Dice at network size", |one| Some(one.plain_dice)),
];

/// A mean of one class, or of all images.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassMean {
    /// `None`: of all images.
    pub class: Option<String>,
    /// As in [`COLUMNS`].
    pub measure: &'static str,
    pub estimate: Estimate,
}

/// Means with their intervals, over all images and, where there are several classes, class by class.
pub fn estimates(data: &SegmentationData, indices: &[usize], judged: &[Judged]) -> Vec<ClassMean> {
    let mut classes: Vec<&str> = indices.iter().map(|&i| &*data.items[i].class).collect();
    classes.sort_unstable();
    classes.dedup();
    let several = if classes.len() > 1 { &classes[..] } else { &[] };
    let mut list = Vec::new();
    for class in std::iter::once(None).chain(several.iter().map(|class| Some(*class))) {
        list.extend(AVERAGED.map(|(measure, value)| {
            // Several structures of an image are not independent: of all classes it has their mean.
            let images = indices.chunks(data.outputs()).zip(judged.chunks(data.outputs()));
            let whole = images.map(|(of, all)| (Summary::of(all.iter().map(value)).mean, data.group(of[0])));
            let items = indices.iter().zip(judged);
            let of_class = items.filter(|(i, _)| class.is_some_and(|class| data.items[**i].class == class));
            let estimate = match class {
                None => Estimate::of(whole),
                Some(_) => Estimate::of(of_class.map(|(&i, one)| (value(one), data.group(i)))),
            };
            ClassMean { class: class.map(str::to_owned), measure, estimate }
        }));
    }
    list
}

/// The table of [`MEAN_COLUMNS`].
pub fn means_table(means: &[ClassMean]) -> Payload {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.4}"));
    let row = |ClassMean { class, measure, estimate }: &ClassMean| {
        let class = match class.as_deref() {
            None => ALL,
            Some("") => "no class",
            Some(class) => class,
        };
        vec![
            class.to_owned(),
            (*measure).to_owned(),
            estimate.count.to_string(),
            estimate.undefined.to_string(),
            estimate.groups.to_string(),
            number(estimate.mean),
            number(estimate.interval.map(|[low, _]| low)),
            number(estimate.interval.map(|[_, high]| high)),
        ]
    };
    Payload::Table { columns: MEAN_COLUMNS.map(str::to_owned).to_vec(), rows: means.iter().map(row).collect() }
}

/// The means of a set in one sentence: Dice, IoU and HD95 of all images, Dice of each class. `unit`: of the distances.
pub fn means_in_words(set: &str, means: &[ClassMean], unit: Unit) -> String {
    let of = |class: Option<&str>, measure: &str| {
        means.iter().find(|mean| mean.class.as_deref() == class && mean.measure == measure).map(|mean| mean.estimate)
    };
    let share = |measure: &str| of(None, measure).map_or_else(String::new, |e| e.text(|value| format!("{value:.3}")));
    let hd95 = of(None, "HD95").map_or_else(String::new, |e| e.text(|value| Measure::Hd95.text(Some(value), unit)));
    let count = of(None, "Dice").unwrap_or_default();
    let mut text = format!(
        "{set}, {} in {}: Dice {}, IoU {}, HD95 {hd95}{}",
        counted(count.count, "image", "images"),
        counted(count.groups, "independent group", "independent groups"),
        share("Dice"),
        share("IoU"),
        if of(None, "HD95").is_some_and(|e| e.mean.is_some()) { format!(" {}", unit.word()) } else { String::new() },
    );
    for mean in means.iter().filter(|mean| mean.measure == "Dice") {
        if let Some(class) = &mean.class {
            let class = if class.is_empty() { "no class" } else { class };
            let Estimate { count, .. } = mean.estimate;
            text += &format!("; {class} ({count}): Dice {}", mean.estimate.text(|value| format!("{value:.3}")));
        }
    }
    format!("{text} [{INTERVALS}]")
}

/// The table of single images.
pub fn table(data: &SegmentationData, indices: &[usize], judged: &[Judged]) -> Payload {
    let number =
        |value: Option<f64>, digits: usize| value.map_or_else(String::new, |value| format!("{value:.digits$}"));
    let row = |(&i, one): (&usize, &Judged)| {
        let (item, score) = (&data.items[i], &one.score);
        vec![
            item.name.clone(),
            item.class.clone(),
            format!("{:.4}", one.plain_dice),
            format!("{:.4}", score.dice),
            number(score.iou, 4),
            number(score.hd95, 2),
            number(score.hd, 2),
            number(score.assd, 2),
            match score.spacing {
                None => format!("{} / {}", score.area, score.predicted),
                Some(_) => score.areas().map(|area| format!("{area:.2}")).join(" / "),
            },
        ]
    };
    let columns = if data.in_millimetres() { COLUMNS_MM } else { COLUMNS };
    Payload::Table { columns: columns.map(str::to_owned).to_vec(), rows: indices.iter().zip(judged).map(row).collect() }
}

#[cfg(test)]
mod tests {
    use super::super::params::PARAMS;
    use super::super::predict::job::whole_pictures;
    use super::super::predict::measure;
    use super::super::source::load;
    use super::*;
    use crate::data::segmentation::listing::scan;
    use crate::data::segmentation::{Watch, read};
    use crate::engine::params::Params;

    #[test]
    fn the_padding_of_a_letterbox_counts_in_no_metric_and_shapes_are_kept() {
        let mut params = Params::defaults(PARAMS);
        for text in ["fit=letterbox", "image_size=32", "synthetic_images=10"] {
            params.set_text(PARAMS, text).unwrap();
        }
        let data = load(&params, Watch::nobody()).unwrap();
        let at = data.items.iter().position(|item| !item.frame.is_whole() && item.truth.area() > 0).unwrap();
        let item = &data.items[at];
        let shape = |height: usize, width: usize| height as f64 / width as f64;
        let kept = shape(item.frame.size.height, item.frame.size.width);
        assert!((kept / shape(item.truth.height(), item.truth.width()) - 1.0).abs() < 0.05, "{kept}");
        assert!((0..32 * 32).all(|i| item.frame.holds(i) || (!item.mask[i] && item.image[i] == 0.0)));
        // Right where the picture is, and lesion all around it.
        let map: Vec<f32> =
            (0..32 * 32).map(|i| if item.frame.holds(i) { f32::from(u8::from(item.mask[i])) } else { 1.0 }).collect();
        let pipeline = Pipeline::of(&params);
        let judged = judge_one(item, None, &map, &pipeline);
        assert_eq!(judged.plain_dice, 1.0);
        assert!(judged.score.dice > 0.85, "{judged:?}");
        let prepared = Prepared::new(&data, &[at]);
        let inside = prepared.input().inside.unwrap();
        assert!((0..32 * 32).all(|i| (inside[i] == 1.0) == item.frame.holds(i)));
        params.set_text(PARAMS, "fit=squash").unwrap();
        assert!(Prepared::new(&load(&params, Watch::nobody()).unwrap(), &[at]).input().inside.is_none());
    }

    #[test]
    fn only_images_that_changed_are_prepared_anew() {
        let mut params = Params::defaults(PARAMS);
        for text in ["fit=letterbox", "image_size=32", "synthetic_images=12"] {
            params.set_text(PARAMS, text).unwrap();
        }
        let data = load(&params, Watch::nobody()).unwrap();
        let mut prepared = Prepared::new(&data, &[1, 4, 7]);
        assert_eq!(prepared.follow(&data.clone(), &[1, 4, 7]), 0, "images that join change none of them");
        let mut corrected = (*data).clone();
        let item = Arc::make_mut(&mut corrected.items[4]);
        item.mask.iter_mut().for_each(|lesion| *lesion = !*lesion);
        assert_eq!(prepared.follow(&corrected, &[1, 4, 7]), 1);
        assert_eq!(prepared, Prepared::new(&corrected, &[1, 4, 7]));
        // Other images, and more of them.
        assert_eq!((prepared.follow(&corrected, &[1, 5, 7]), prepared.follow(&corrected, &[1, 5])), (1, 2));
        assert_eq!(prepared, Prepared::new(&corrected, &[1, 5]));
    }

    #[test]
    fn the_sentence_of_means_says_what_distances_are_in() {
        let mean = |measure, value| {
            let estimate = Estimate { count: 3, groups: 2, mean: Some(value), ..Estimate::default() };
            ClassMean { class: None, measure, estimate }
        };
        let means = [mean("Dice", 0.8), mean("IoU", 0.7), mean("HD95", 2.345)];
        let said = |unit| means_in_words("test set", &means, unit);
        let start = "test set, 3 images in 2 independent groups: Dice 0.800, IoU 0.700, HD95";
        assert!(said(Unit::Millimetres).starts_with(&format!("{start} 2.35 mm")), "{}", said(Unit::Millimetres));
        assert!(said(Unit::Pixels).starts_with(&format!("{start} 2.3 pixels")), "{}", said(Unit::Pixels));
    }

    #[test]
    fn distances_of_a_huge_picture_are_in_pixels_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        for (name, side, [left, right]) in [("huge", 2400, [700, 1300]), ("a", 60, [9, 30]), ("b", 60, [9, 20])] {
            let save = |name: String, value: &dyn Fn(u32, u32) -> u8| {
                let image = image::GrayImage::from_fn(side, side, |x, y| image::Luma([value(x, y)]));
                image.save(folder.path().join(name)).unwrap();
            };
            save(format!("{name}.png"), &|x, y| (x / 7 + y / 5 * right) as u8);
            save(format!("{name}_mask.png"), &|x, _| 255 * u8::from((left..right).contains(&x)));
        }
        let mut params = Params::defaults(PARAMS);
        let path = format!("data={}", folder.path().display());
        for text in ["source=folder", &path, "image_size=32", "train_share=0.5", "validation_share=0.5"] {
            params.set_text(PARAMS, text).unwrap();
        }
        let data = load(&params, Watch::nobody()).unwrap();
        let at = data.items.iter().position(|item| item.name == "huge").unwrap();
        assert_eq!((data.items[at].factor, data.items[at].truth.width()), (2, 1200));
        let note = data.summary.iter().find(|line| line.contains("1/2 of its size")).expect("it is told");
        assert!(note.starts_with("1 image ") && note.contains("pixels of the file"), "{note}");

        // A band of the predicted width, 100 pixels of the file to the left of the true one.
        let probabilities: Vec<f32> = (0..32 * 32).map(|i| f32::from(u8::from((8..16).contains(&(i % 32))))).collect();
        let pipeline = Pipeline::default();
        let trained = judge_one(&data.items[at], None, &probabilities, &pipeline).score;
        let listing = scan(folder.path(), None, Watch::nobody()).unwrap();
        let pair = listing.pairs.iter().find(|pair| pair.name == "huge").unwrap();
        let read::Sample { picture, mask, .. } = whole_pictures().pair(pair).unwrap();
        assert_eq!(picture.factor, 1);
        let predicted = measure(&probabilities, &picture, Some(mask), None, &pipeline).measures.score.unwrap();
        assert_eq!((trained.hd, trained.hd95), (Some(100.0), Some(100.0)));
        assert_eq!((trained.hd, trained.hd95), (predicted.hd, predicted.hd95));
        assert_eq!((trained.area, trained.predicted), (predicted.area, predicted.predicted));
        assert!((trained.assd.unwrap() - predicted.assd.unwrap()).abs() < 2.0, "{trained:?} {predicted:?}");
    }
}
