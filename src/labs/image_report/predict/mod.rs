//! A trained network on one's own images with reports: is the report above its perturbations, and does it take the image to tell?
//!
//! The network is made, used and dropped on one thread, here called with plain data and giving plain data back.

pub mod background;
pub mod inputs;
pub mod job;
pub mod judge;
pub mod maps;
pub mod parts;
pub mod player;
pub mod report;
pub mod weights_source;

use burn::tensor::Device;

use crate::compute::{device, streams};
use crate::engine::params::{ParamSpec, Params};
use crate::engine::table::{Int, Switch, Words, live};
use crate::kit::predict::{PredictError, PredictSpec, TensorName, guarded};
use crate::nn::image_text::model::ImageText;
use crate::nn::image_text::weights;
use crate::watch::Watch;

use super::params::{DROP_MARKS, FRONTAL, SECTION, VOCABULARY, net_spec};
use inputs::{Inputs, Item};
use judge::judge;
use parts::{Part, Parts};
use report::Found;
use weights_source::{Model, WeightsSource};

/// What stands wherever the network says something of an image or a report.
pub const NOTE: &str = "Learnscope is no medical device: generated or real, these images and reports are for learning about networks, \
                        and what stands here says nothing about anybody's health";

const GROUP: &str = "Prediction";
static TEXT: Words = live(GROUP, "text", "report")
    .help("Of an image, or of every image of a folder: in place of reports in files.")
    .text("");
static MAPS: Switch = live(GROUP, "maps", "maps of words")
    .help(
        "Writes NAME-INDEX-WORD.png for nouns of the report (INDEX counts words from 1): the image, and over it in viridis where the \
         word looks, from its least attention to its greatest.",
    )
    .switch(true);
static MOST_WORDS: Int = live(GROUP, "most_words", "maps of a report")
    .help("Of its nouns those whose attention is the least spread out.")
    .int(6, [1, 200]);

/// The lab's functions for the command line.
pub static PREDICT: PredictSpec = PredictSpec { settings, predict: job::predict, tensors };

/// See [`PredictSpec::tensors`]: with as many word pieces as the parameters allow.
fn tensors(params: &Params) -> Result<Vec<TensorName>, PredictError> {
    let spec = net_spec(params, VOCABULARY.of(params) as usize);
    let net = ImageText::new(&spec, streams::ALONE.open(0, 0), &device::cpu()).map_err(PredictError::input)?;
    let row = |(name, shape)| TensorName { name, also: String::new(), shape, spare: false };
    Ok(weights::names(&net, &spec).into_iter().map(row).collect())
}

/// What can be set of a prediction.
pub fn settings() -> Vec<ParamSpec> {
    let of_run = [SECTION.row(), DROP_MARKS.row(), FRONTAL.row()];
    // What they depend on in a run need not be there.
    let of_run = of_run.into_iter().map(|row| ParamSpec { only_if: None, ..row });
    [TEXT.row(), MAPS.row(), MOST_WORDS.row()].into_iter().chain(of_run).collect()
}

/// The values of a run with those of the lab's settings that were set.
pub fn as_set(of_run: &Params, set: &Params) -> Params {
    let mut params = of_run.clone();
    for row in [SECTION.row(), DROP_MARKS.row(), FRONTAL.row()] {
        if let Some(value) = set.get(row.key) {
            // It was checked as it was set.
            let _ = params.set(&[row], row.key, value.clone());
        }
    }
    params
}

/// A network with the images that it is to look at. Holds tensors: it stays on the thread that made it.
#[derive(Debug)]
pub struct Session {
    model: Model,
    pub inputs: Inputs,
    /// Of each image its vector; `None`: it cannot be used.
    vectors: Vec<Option<Vec<f32>>>,
    /// Of all of them; `None` where there is one alone.
    mean: Option<Vec<f32>>,
    parts: Option<Parts>,
}

/// Images of one forward pass.
const CHUNK: usize = 64;

impl Session {
    /// Reads images, and makes the network and their vectors. `params`: see [`as_set`]; `wanted`: only images of these parts of the
    /// run's data (empty: all).
    ///
    /// # Errors
    /// Weights that do not fit, parts that are not known, the device fails, or stopped.
    pub fn open(
        source: &WeightsSource,
        params: &Params,
        (mut inputs, wanted): (Inputs, &[Part]),
        device: &Device,
        watch: Watch<'_>,
    ) -> Result<Self, PredictError> {
        let model = source.build(params, device)?;
        inputs::read(&mut inputs, params, watch)?;
        let parts = match source.run.as_deref().map(Parts::of_run) {
            Some(Ok(parts)) => Some(parts),
            Some(Err(unknown)) => {
                inputs.lines.push(format!("warning: {unknown}"));
                None
            }
            None => {
                inputs.lines.push("a file of weights does not say on which images it was trained".to_owned());
                None
            }
        };
        if !wanted.is_empty() {
            keep(&mut inputs, parts.as_ref(), wanted)?;
        }
        let mut vectors = vec![None; inputs.items.len()];
        let usable: Vec<usize> = (0..inputs.items.len()).filter(|&i| inputs.items[i].square.is_some()).collect();
        for chunk in usable.chunks(CHUNK) {
            if watch.cancelled() {
                return Err(PredictError::Work("stopped".to_owned()));
            }
            let values: Vec<Vec<f32>> =
                chunk.iter().filter_map(|&i| Some(inputs.items[i].square.as_ref()?.values())).collect();
            let found = guarded(|| model.embedder().images(&values, model.size)).map_err(PredictError::Work)?;
            for (k, &i) in chunk.iter().enumerate() {
                vectors[i] = Some(found.row(k).to_vec());
            }
        }
        let mean = (usable.len() > 1).then(|| mean(vectors.iter().flatten()));
        if usable.len() == 1 {
            let line =
                "one image alone: there is no other one and no mean to compare with, and those columns are empty";
            inputs.lines.push(line.to_owned());
        }
        Ok(Self { model, inputs, vectors, mean, parts })
    }

    /// One pair: a row in any case, with the reason where it cannot be used. `maps`: with what its words look at.
    ///
    /// # Errors
    /// The device failed.
    pub fn look(&self, i: usize, maps: bool) -> Result<Found, String> {
        let Some(item) = self.inputs.items.get(i) else { return Err("there is no such pair".to_owned()) };
        let mut found = Found::new(item, self.model.size);
        let (Some(square), Some(Some(vector))) = (&item.square, self.vectors.get(i)) else { return Ok(found) };
        found.part = self.parts.as_ref().map(|parts| parts.find(&square.image));
        let other = self.other(i);
        let images = [
            Some(vector.as_slice()),
            other.and_then(|other| self.vectors.get(other)?.as_deref()),
            self.mean.as_deref(),
        ];
        let values = square.values();
        let local = maps.then_some(&self.model.local);
        // The report alone may be at fault: a word of very many pieces has no room.
        if self.model.texts.batch([item.words.as_slice()], 1).is_err() {
            found.problem = "its first word is too long for the text encoder".to_owned();
            return Ok(found);
        }
        let size = self.model.size;
        let judged = guarded(|| judge(&self.model.embedder(), &item.words, (&values, size), images, local))?;
        if judged.is_finite() {
            found.other = other.and_then(|other| Some(self.inputs.items.get(other)?.name.clone()));
            found.judged = Some(judged);
        } else {
            found.problem = "the network's answer is no number".to_owned();
        }
        Ok(found)
    }

    /// Another image, that of another report as far as there is one.
    fn other(&self, i: usize) -> Option<usize> {
        let items = &self.inputs.items;
        let next = (1..items.len()).map(|step| (i + step) % items.len()).filter(|&j| self.vectors[j].is_some());
        let mut others = next.peekable();
        let first = others.peek().copied();
        others.find(|&j| items[j].words != items[i].words).or(first)
    }
}

/// Leaves images of other parts out.
fn keep(inputs: &mut Inputs, parts: Option<&Parts>, wanted: &[Part]) -> Result<(), PredictError> {
    let Some(parts) = parts else {
        let text = "`--part`: it is not known on which images these weights were trained; choose the folder of the run";
        return Err(PredictError::Input(text.to_owned()));
    };
    let all = inputs.items.len();
    let of = |item: &Item| item.square.as_ref().is_none_or(|square| wanted.contains(&parts.find(&square.image)));
    inputs.items.retain(of);
    if inputs.items.is_empty() {
        return Err(PredictError::Input("`--part`: none of the images is of these parts".to_owned()));
    }
    inputs.lines.push(format!("{} images of other parts are left out", all - inputs.items.len()));
    Ok(())
}

/// Mean of vectors as one of unit length: of no image in particular.
pub fn mean<'a>(vectors: impl Iterator<Item = &'a Vec<f32>>) -> Vec<f32> {
    let mut sum: Vec<f64> = Vec::new();
    for vector in vectors {
        sum.resize(vector.len(), 0.0);
        sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt().max(1e-12);
    sum.into_iter().map(|value| (value / length) as f32).collect()
}
