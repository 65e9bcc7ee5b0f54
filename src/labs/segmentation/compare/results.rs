//! What a run has measured of single images, and which images they are.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::data::segmentation::split::Part;
use crate::engine::event::Payload;
use crate::engine::params::Params;
use crate::engine::recording::{RunReader, replay_from};
use crate::engine::state::RunState;
use crate::pixels::fit::Fit;
use crate::pixels::spacing::Unit;

use super::super::params::{KEEP, PARAMS, fit, net_spec};
use super::super::pipeline::Pipeline;
use super::super::scores::{self, Row};
use super::super::structures;

/// What the split of a run says of an image.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    part: Part,
    content: Option<u64>,
    group: Option<usize>,
}

/// The tables of single images of a run. Plain data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Results {
    /// The run in words.
    pub name: String,
    /// In few words, for the head of a column.
    pub title: String,
    /// How its predictions were made and measured, in words.
    pub convention: String,
    /// What its distances are in.
    pub unit: Unit,
    /// How its pictures came into the network's square.
    pub fit: Fit,
    known: HashMap<String, Known>,
    /// The part of a picture by its content; of one that is there twice, the part that was trained on.
    parts: HashMap<u64, Part>,
    validation: Vec<Row>,
    test: Vec<Row>,
}

impl Results {
    /// From what a run has recorded; `payload` gives a bulky value by its key.
    pub fn of(name: String, params: &Params, payload: impl Fn(&str) -> Option<Arc<Payload>>) -> Self {
        let rows = |key: &str| match payload(key).as_deref() {
            Some(Payload::Table { columns, rows }) => scores::read(columns, rows),
            _ => Vec::new(),
        };
        let (validation, test) = (rows("validation/images"), rows("test/images"));
        let unit = validation.iter().chain(&test).next().map_or(Unit::Pixels, |row| row.unit);
        // A recording of an older version may lack a parameter.
        let convention = KEEP.get(params).map(|_| Pipeline::of(params).describe(unit)).unwrap_or_default();
        let fit = fit(params);
        let mut results =
            Self { title: name.clone(), name, convention, unit, fit, validation, test, ..Self::default() };
        if let Some(Payload::Table { columns, rows }) = payload("data/split").as_deref() {
            results.read_split(columns, rows);
            results.name_items();
        }
        results
    }

    /// Of several structures every row is an image with one of them, and the split names the image.
    fn name_items(&mut self) {
        for row in self.validation.iter().chain(&self.test) {
            if !self.known.contains_key(&row.image)
                && let Some(image) = structures::image_of(&row.image, &row.class)
                && let Some(known) = self.known.get(image).cloned()
            {
                self.known.insert(row.image.clone(), known);
            }
        }
    }

    fn read_split(&mut self, columns: &[String], rows: &[Vec<String>]) {
        let place = |name: &str| columns.iter().position(|column| column == name);
        let (Some(image), Some(part)) = (place("image"), place("part")) else { return };
        let (content, group) = (place("content"), place("group"));
        for row in rows {
            let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).map_or("", String::as_str);
            let Some(part) = Part::ALL.into_iter().find(|known| known.name() == cell(Some(part))) else { continue };
            let content = u64::from_str_radix(cell(content), 16).ok();
            if let Some(content) = content {
                let of = self.parts.entry(content).or_insert(part);
                *of = part.min(*of);
            }
            let known = Known { part, content, group: cell(group).parse().ok() };
            self.known.insert(cell(Some(image)).to_owned(), known);
        }
    }

    /// The newest of a recorded run.
    ///
    /// # Errors
    /// Says what cannot be read, or that it is of another lab.
    pub fn of_folder(folder: &Path) -> Result<(Self, RunState), String> {
        let mut reader = RunReader::open(folder).map_err(|error| error.to_string())?;
        if reader.header().lab != super::super::SPEC.id {
            let lab = &reader.header().lab;
            return Err(format!(
                "`{}` is a run of the lab `{lab}`, not of {}",
                folder.display(),
                super::super::SPEC.id
            ));
        }
        reader.complete(PARAMS);
        let state = replay_from(&mut reader).map_err(|error| error.to_string())?;
        let name = run_name(&state, folder);
        let newest = |key: &str| state.payloads.get(key)?.newest.as_ref().map(|(_, payload)| payload.clone());
        let title = run_title(&state);
        let results = Self { title, ..Self::of(name, &state.params, newest) };
        Ok((results, state))
    }

    /// The images that were judged in this part; none of training.
    pub fn rows(&self, part: Part) -> &[Row] {
        match part {
            Part::Train => &[],
            Part::Validation => &self.validation,
            Part::Test => &self.test,
        }
    }

    /// Whether the content of its images is known.
    pub fn has_content(&self) -> bool {
        self.known.values().any(|known| known.content.is_some())
    }

    /// The group of an image; alone where nothing is known.
    pub fn group(&self, image: &str) -> usize {
        let alone = || {
            let place = self.validation.iter().chain(&self.test).position(|row| row.image == image);
            usize::MAX - place.unwrap_or(0)
        };
        self.known.get(image).and_then(|known| known.group).unwrap_or_else(alone)
    }

    /// Which of several structures a row is of.
    fn structure(&self, image: &str) -> Option<&str> {
        let row = self.validation.iter().chain(&self.test).find(|row| row.image == image)?;
        structures::image_of(image, &row.class).map(|_| &*row.class)
    }

    fn content(&self, image: &str) -> Option<u64> {
        self.known.get(image)?.content
    }

    /// Place of the image of this name among the judged ones of a part.
    pub fn by_name(&self, part: Part, image: &str) -> Option<usize> {
        self.rows(part).iter().position(|row| row.image == image)
    }

    /// Place of a `free` image that has the content of an image of another run; the one of the same name where there are several.
    pub fn like(&self, part: Part, other: &Results, image: &str, free: impl Fn(usize) -> bool) -> Option<usize> {
        let content = other.content(image)?;
        // A picture that is there twice and was trained on once is no test.
        if self.parts.get(&content) == Some(&Part::Train) {
            return None;
        }
        // An image with one structure is none with another.
        let structure = other.structure(image);
        let same = |(at, row): &(usize, &Row)| {
            self.content(&row.image) == Some(content) && self.structure(&row.image) == structure && free(*at)
        };
        let rows = || self.rows(part).iter().enumerate();
        let named = rows().find(|one| one.1.image == image && same(one));
        named.or_else(|| rows().find(same)).map(|(at, _)| at)
    }

    /// The part in which this run has an image of another one.
    pub fn part_like(&self, other: &Results, image: &str, by_name: bool) -> Option<Part> {
        if by_name {
            return self.known.get(image).map(|known| known.part);
        }
        self.parts.get(&other.content(image)?).copied()
    }
}

/// What a run was called, else its network; with its seed.
pub fn run_title(state: &RunState) -> String {
    let Some(header) = &state.header else { return "this run".to_owned() };
    let network =
        || KEEP.get(&header.params).map_or_else(String::new, |_| net_spec(&header.params).architecture.name());
    let name = if header.name.is_empty() { network() } else { header.name.clone() };
    format!("{name}, seed {}", header.seed)
}

/// A run in a few words: what it was called, its seed, its folder's name.
pub fn run_name(state: &RunState, folder: &Path) -> String {
    let folder = folder.file_name().unwrap_or_default().to_string_lossy();
    match &state.header {
        Some(header) if !header.name.is_empty() => format!("{}, seed {} ({folder})", header.name, header.seed),
        Some(header) => format!("seed {} ({folder})", header.seed),
        None => folder.into_owned(),
    }
}
