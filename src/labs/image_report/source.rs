//! The pairs of a run: images with their reports, which are to train and which to test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use rayon::prelude::*;

use crate::compute::cache_folder;
use crate::data::DataError;
use crate::data::folder::stamp;
use crate::data::fundus::named;
use crate::data::reports::{self, Choice, Part, Section, audit::audit, parts, read::Crop};
use crate::data::segmentation::counted;
use crate::data::synth::chest::{self, Figure, Kind};
use crate::data::synth::chest_folder;
use crate::data::synth::ultrasound_folder::MANIFEST;
use crate::disk;
use crate::engine::params::{ParamError, Params};
use crate::kit::kept;
use crate::nn::weights;
use crate::text::wordpiece::Pieces;
use crate::text::words::{self, Marks};
use crate::watch::Watch;

use super::params::{
    BATCH, DATA_SEED, DROP_MARKS, FOLDER, FRONTAL, IMAGE_WEIGHTS, MAX_WORDS, SECTION, SIZE, SOURCE, Source, TEST,
    TEST_SHARE, TEXT_WEIGHTS, TRAIN, VOCABULARY, check_combination, has_text_weights,
};

/// Folders within folders that are looked into for changes.
const DEEPEST: usize = 8;
/// Bytes of a vocabulary.
const MOST_VOCABULARY: u64 = 64 << 20;
/// Number of the first generated test pair, so that more pairs to train on change no test pair.
const TEST_FROM: u64 = 1 << 32;

/// A word of a report that names something whose place in the image is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    /// Index into [`Pair::words`].
    pub word: usize,
    /// x0, y0, x1, y1 in 0..1 of the image.
    pub bounds: [f32; 4],
}

/// An image with its report.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    pub name: String,
    pub study: String,
    /// Grey, `[S, S]`.
    pub image: Vec<u8>,
    /// Normalised, at most so many as the run asks for.
    pub words: Vec<String>,
    pub mentions: Vec<Mention>,
    /// For each of [`PairData::labels`] whether it is there; `None`: not known.
    pub labels: Vec<Option<bool>>,
    /// What a generated image was drawn from.
    pub figure: Option<Figure>,
}

impl Pair {
    /// `[S, S]` in [0, 1].
    pub fn values(&self) -> impl Iterator<Item = f32> + '_ {
        self.image.iter().map(|level| f32::from(*level) / 255.0)
    }
}

/// The pairs of a run.
#[derive(Debug, Clone, Default)]
pub struct PairData {
    /// S.
    pub size: usize,
    pub pairs: Arc<Vec<Pair>>,
    /// Names of what images are labelled with.
    pub labels: Vec<String>,
    /// Indices into [`PairData::pairs`].
    pub train: Vec<usize>,
    pub test: Vec<usize>,
    /// What was listed of each pair, where they were read from files.
    listed: Option<Arc<Vec<reports::Pair>>>,
    /// In words, for the tile Data.
    pub summary: Vec<String>,
    /// What was found in the folder and done with it, and what was left out.
    pub report: Vec<String>,
    pub warnings: Vec<String>,
    /// With the content's hash, for the run's header; empty where parameters and seed define the pairs.
    pub description: String,
}

/// What generated pairs depend on.
#[derive(Debug, Clone, PartialEq)]
struct Generated {
    size: usize,
    train: u64,
    test: u64,
    seed: u64,
    most_words: usize,
}

/// What pairs of files depend on.
#[derive(Debug, Clone, PartialEq)]
struct Files {
    folder: PathBuf,
    section: Section,
    drop_marks: bool,
    frontal: bool,
    size: usize,
    most_words: usize,
    stamp: (u64, u64, Option<SystemTime>),
}

/// The pairs that these parameters ask for; those of files are not divided yet, see [`PairData::for_run`].
pub fn load(params: &Params, watch: Watch<'_>) -> Result<Arc<PairData>, ParamError> {
    let (size, most_words) = (SIZE.of(params), MAX_WORDS.of(params) as usize);
    if SOURCE.of(params) == Source::Generated {
        let identity = Generated {
            size,
            train: TRAIN.of(params) as u64,
            test: TEST.of(params) as u64,
            seed: DATA_SEED.of(params) as u64,
            most_words,
        };
        return kept::DATA.get(&identity, watch, |watch| generate(&identity, watch));
    }
    let folder = if SOURCE.of(params) == Source::Sample {
        sample().map_err(|problem| ParamError::invalid(SOURCE.key(), problem))?
    } else {
        PathBuf::from(FOLDER.of(params))
    };
    let identity = Files {
        stamp: stamp(&folder, DEEPEST),
        folder,
        section: SECTION.of(params),
        drop_marks: DROP_MARKS.of(params),
        frontal: FRONTAL.of(params),
        size,
        most_words,
    };
    kept::DATA.get(&identity, watch, |watch| read_files(&identity, watch))
}

fn generate(identity: &Generated, watch: Watch<'_>) -> Result<PairData, ParamError> {
    let Generated { size, train, test, seed, most_words } = *identity;
    let all = (train + test) as usize;
    let done = AtomicUsize::new(0);
    let draw = |number: u64| {
        if watch.cancelled() {
            return None;
        }
        let study = chest::study(seed, number, size);
        (watch.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, all);
        let words = words::words(&study.report, most_words, Marks::Kept).words;
        let mention = |mention: &chest::Mention| Mention { word: mention.word, bounds: mention.bounds };
        let mentions = study.mentions.iter().filter(|mention| mention.word < words.len()).map(mention).collect();
        let (part, i) = if number < TEST_FROM { ("train", number) } else { ("test", number - TEST_FROM) };
        Some(Pair {
            name: format!("{part} {}", i + 1),
            study: format!("{part} {}", i + 1),
            image: study.image,
            words,
            mentions,
            labels: study.labels.iter().map(|there| Some(*there)).collect(),
            figure: Some(study.figure),
        })
    };
    let numbers: Vec<u64> = (0..train).chain(TEST_FROM..TEST_FROM + test).collect();
    let pairs: Option<Vec<Pair>> = numbers.par_iter().map(|&number| draw(number)).collect();
    let pairs = pairs.ok_or_else(|| {
        ParamError::invalid(DATA_SEED.key(), "the pairs are not all there: stopped while they were generated")
    })?;
    let train = train as usize;
    let mut data = PairData {
        size,
        pairs: Arc::new(pairs),
        labels: Kind::ALL.map(|kind| kind.id().to_owned()).into(),
        train: (0..train).collect(),
        test: (train..all).collect(),
        ..PairData::default()
    };
    data.summary = data.summarised();
    Ok(data)
}

/// The sample set's folder, in the user's cache; files that are missing or of another length are written anew, once in the life of
/// the program unless the folder is gone.
pub fn sample() -> Result<PathBuf, String> {
    static WRITTEN: OnceLock<PathBuf> = OnceLock::new();
    if let Some(folder) = WRITTEN.get().filter(|folder| folder.join(MANIFEST).is_file()) {
        return Ok(folder.clone());
    }
    let folder = cache_folder().unwrap_or_else(std::env::temp_dir).join("sample-chest");
    let said = |error: &dyn std::fmt::Display| format!("the sample cannot be written to {}: {error}", folder.display());
    for file in chest_folder::files(chest_folder::SEED).map_err(|error| said(&error))? {
        let path = folder.join(&file.name);
        if !path.metadata().is_ok_and(|meta| meta.is_file() && meta.len() == file.bytes.len() as u64) {
            std::fs::create_dir_all(path.parent().unwrap_or(&folder)).map_err(|error| said(&error))?;
            disk::write_whole(&path, &file.bytes).map_err(|error| said(&error))?;
        }
    }
    Ok(WRITTEN.get_or_init(|| folder).clone())
}

/// Pairs of files, not yet divided.
fn read_files(identity: &Files, watch: Watch<'_>) -> Result<PairData, ParamError> {
    let invalid = |error: DataError| ParamError::invalid(FOLDER.key(), error);
    let Files { folder, section, drop_marks, frontal, size, most_words, .. } = identity;
    let choice = Choice { section: *section, frontal_only: *frontal };
    let listing = reports::list(folder, choice, watch.quiet()).map_err(invalid)?;
    if listing.pairs.iter().all(|pair| pair.report.is_empty()) {
        let problem = format!("has no images with reports: it is {}", listing.layout.title());
        return Err(invalid(DataError::file(folder, problem)));
    }
    let images = reports::read::read(&listing.pairs, *size, Crop::Centre, watch).map_err(invalid)?;
    let mut data = PairData {
        size: *size,
        labels: listing.labels.as_ref().map(|labels| labels.names.clone()).unwrap_or_default(),
        warnings: listing.problems.iter().chain(&images.problems).map(told).collect(),
        report: listing.notes.iter().chain(&images.lines).cloned().collect(),
        ..PairData::default()
    };
    let marks = if *drop_marks { Marks::Dropped } else { Marks::Kept };
    let (mut pairs, mut listed, mut silent, mut cut) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for (k, (&i, frame)) in images.kept.iter().zip(&images.frames).enumerate() {
        let of = &listing.pairs[i];
        let found = words::words(&of.report, *most_words, marks);
        if found.words.is_empty() {
            silent.push(of.id.as_str());
            continue;
        }
        cut += usize::from(found.cut > 0);
        let boxes = listing.boxes.iter().filter(|of_box| of_box.image == of.image);
        let placed = boxes.filter_map(|of_box| Some((of_box.phrase.as_str(), frame.place(of_box.bounds)?)));
        // What is uncertain is not known.
        let label = |value: &Option<i8>| value.filter(|value| *value >= 0).map(|value| value > 0);
        let labels = listing.labels.as_ref().and_then(|labels| labels.rows.get(i));
        pairs.push(Pair {
            name: shown(&of.id),
            study: shown(&of.study),
            image: images.image(k).to_vec(),
            mentions: mentions(&found.words, placed),
            words: found.words,
            labels: labels.map(|row| row.iter().map(label).collect()).unwrap_or_default(),
            figure: None,
        });
        listed.push(of.clone());
    }
    if pairs.len() < 4 {
        let first = data.warnings.first().map_or(String::new(), |first| format!("; {first}"));
        let count = counted(pairs.len(), "image", "images");
        let problem = format!("holds {count} with a report that can be used, and four are the least{first}");
        return Err(invalid(DataError::file(folder, problem)));
    }
    if !silent.is_empty() {
        let count = counted(silent.len(), "report has no words and is", "reports have no words and are");
        data.warnings.push(format!("{count} left out: {}", named(silent)));
    }
    if cut > 0 {
        let count = counted(cut, "report is", "reports are");
        data.report.push(format!("{count} cut to {most_words} words (parameter `{}`)", MAX_WORDS.key()));
    }
    data.pairs = Arc::new(pairs);
    data.listed = Some(Arc::new(listed));
    let about = format!("{}: {}, {} pairs", folder.display(), listing.layout.title(), data.pairs.len());
    data.description = format!("{about}, at {size} pixels, CRC-32 {:08x}", data.checksum());
    data.report.insert(0, about);
    Ok(data)
}

/// A problem with its file in one line.
fn told(problem: &crate::data::Problem) -> String {
    format!("{}: {}", problem.path.display(), problem.problem)
}

/// A name without what would end a line or a cell.
fn shown(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The last word of each place where a box's phrase stands in a report: `pleural effusion` marks `effusion`. A phrase that is not in
/// the report as it stands marks nothing.
fn mentions<'a>(report: &[String], boxes: impl Iterator<Item = (&'a str, [f32; 4])>) -> Vec<Mention> {
    let mut found = Vec::new();
    for (phrase, bounds) in boxes {
        let phrase = words::words(phrase, usize::MAX, Marks::Kept).words;
        if phrase.is_empty() {
            continue;
        }
        let places = report.windows(phrase.len()).enumerate().filter(|(_, window)| *window == phrase);
        found.extend(places.map(|(at, _)| Mention { word: at + phrase.len() - 1, bounds }));
    }
    found
}

impl PairData {
    /// The pairs divided as a run of this seed has them; generated ones are already.
    pub fn for_run(&self, params: &Params, seed: u64) -> Result<Self, ParamError> {
        let mut data = self.clone();
        if let Some(listed) = &self.listed {
            let share = TEST_SHARE.of(params);
            let parts = parts::split(listed, seed, [1.0 - share, 0.0, share], true);
            data.train = parts.pairs(Part::Train);
            // Nothing is chosen by a validation part here.
            data.test = [Part::Validation, Part::Test].iter().flat_map(|part| parts.pairs(*part)).collect();
            data.test.sort_unstable();
            data.report.extend(parts.lines);
            data.warnings.extend(audit(listed, &parts.of).lines());
        }
        data.summary = data.summarised();
        let key = if self.listed.is_some() { FOLDER.key() } else { TRAIN.key() };
        for (indices, what) in [(&data.train, "to train on"), (&data.test, "to test on")] {
            if indices.len() < 2 {
                let count = counted(indices.len(), "pair", "pairs");
                return Err(ParamError::invalid(key, format!("gives {count} {what}, and two are the least")));
            }
        }
        let (count, batch) = (data.train.len(), BATCH.of(params));
        if count < batch as usize {
            let problem = format!("is {batch}, and there are {count} pairs to train on: choose {count} or less");
            return Err(ParamError::invalid(BATCH.key(), problem));
        }
        Ok(data)
    }

    /// Which pair is in which part, with a hash of its image: `name, part, hash`.
    pub fn split_lines(&self) -> Vec<String> {
        let line = |part: &'static str| {
            move |&i: &usize| {
                let pair = &self.pairs[i];
                format!("{}\t{part}\t{:08x}", pair.name, crc32fast::hash(&pair.image))
            }
        };
        self.train.iter().map(line("train")).chain(self.test.iter().map(line("test"))).collect()
    }

    /// Test reports that stand word for word among those to train on.
    pub fn seen(&self) -> Vec<bool> {
        let known: std::collections::HashSet<&[String]> =
            self.train.iter().map(|&i| self.pairs[i].words.as_slice()).collect();
        self.test.iter().map(|&i| known.contains(self.pairs[i].words.as_slice())).collect()
    }

    /// The vocabulary that lies beside weights of a text encoder; else WordPiece learned from the reports to train on.
    pub fn pieces(&self, params: &Params) -> Result<Pieces, ParamError> {
        if has_text_weights(params) {
            return beside(Path::new(TEXT_WEIGHTS.of(params)))
                .map_err(|error| ParamError::invalid(TEXT_WEIGHTS.key(), error));
        }
        let corpus: Vec<Vec<String>> = self.train.iter().map(|&i| self.pairs[i].words.clone()).collect();
        Pieces::train(&corpus, VOCABULARY.of(params) as usize, 2)
            .map_err(|error| ParamError::invalid(VOCABULARY.key(), error.to_string()))
    }

    /// The pairs and their parts in words.
    fn summarised(&self) -> Vec<String> {
        let part = |name: &str, indices: &[usize]| {
            let words: usize = indices.iter().map(|&i| self.pairs[i].words.len()).sum();
            let boxed = indices.iter().filter(|&&i| !self.pairs[i].mentions.is_empty()).count();
            format!(
                "{name}: {} pairs, {:.1} words a report, {boxed} with boxes",
                indices.len(),
                words as f64 / indices.len().max(1) as f64
            )
        };
        let mut lines = vec![part("train", &self.train), part("test", &self.test)];
        if self.listed.is_none() {
            lines.insert(0, "generated schemes of a chest; these are not radiographs, and show no patient".to_owned());
        }
        let warnings = self.warnings.iter().map(|warning| format!("! {warning}"));
        lines.extend(self.report.iter().cloned().chain(warnings));
        lines
    }

    /// Hash of names, reports and pixels.
    pub fn checksum(&self) -> u32 {
        let mut hash = crc32fast::Hasher::new();
        for pair in self.pairs.iter() {
            hash.update(pair.name.as_bytes());
            pair.words.iter().for_each(|word| hash.update(word.as_bytes()));
            hash.update(&pair.image);
        }
        hash.finalize()
    }
}

/// The vocabulary in the folder of a file of weights: `vocab.txt`, or `tokenizer.json`.
fn beside(weights: &Path) -> Result<Pieces, String> {
    let folder = weights.parent().unwrap_or(Path::new(""));
    let found = ["vocab.txt", "tokenizer.json"].map(|name| folder.join(name)).into_iter().find(|path| path.is_file());
    let Some(path) = found else {
        return Err(format!(
            "without their vocabulary these weights mean nothing: put vocab.txt or tokenizer.json beside them, into `{}`",
            folder.display()
        ));
    };
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = disk::read_text(&path, MOST_VOCABULARY).map_err(|error| said(&error))?;
    let is_list = path.extension().is_some_and(|end| end == "txt");
    let pieces = if is_list { Pieces::from_vocab(&text) } else { Pieces::from_json(&text) };
    pieces.map_err(|error| said(&error))
}

/// See [`LabSpec::check`](crate::kit::lab::LabSpec::check).
pub fn check(params: &Params) -> Result<(), ParamError> {
    check_combination(params)?;
    for weights in [&IMAGE_WEIGHTS, &TEXT_WEIGHTS] {
        check_weights(weights.key(), Path::new(weights.of(params)))?;
    }
    if SOURCE.of(params) == Source::Generated {
        return Ok(());
    }
    load(params, Watch::nobody()).map(|_| ())
}

fn check_weights(key: &str, path: &Path) -> Result<(), ParamError> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    weights::Opened::open(path).map(|_| ()).map_err(|error| ParamError::invalid(key, error.to_string()))
}

/// See [`LabSpec::data`](crate::kit::lab::LabSpec::data): generated pairs are defined by parameters and seed.
pub fn describe(params: &Params) -> Result<String, ParamError> {
    let mut parts = Vec::new();
    if SOURCE.of(params) != Source::Generated {
        parts.push(load(params, Watch::nobody())?.description.clone());
    }
    for weights in [&IMAGE_WEIGHTS, &TEXT_WEIGHTS] {
        let path = Path::new(weights.of(params));
        if !path.as_os_str().is_empty() {
            let sum = crate::nn::weights::checksum(path)
                .map_err(|error| ParamError::invalid(weights.key(), error.to_string()))?;
            parts.push(format!("weights {}, CRC-32 {sum:08x}", path.display()));
        }
    }
    Ok(parts.join("; "))
}

/// See [`LabSpec::read`](crate::kit::lab::LabSpec::read).
pub fn read(params: &Params, watch: Watch<'_>) -> Result<(), ParamError> {
    check_combination(params)?;
    load(params, watch).map(|_| ())
}
