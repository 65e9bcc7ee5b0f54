//! The training run as the engine drives it.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use rayon::prelude::*;

use crate::compute::readback::Reader;
use crate::compute::streams;
use crate::engine::emit::Emit;
use crate::engine::event::{Level, Payload};
use crate::engine::experiment::{BuildRequest, Checkpoint, Experiment, RunError};
use crate::engine::params::{ParamError, Params, Value};
use crate::kit::batches::{Last, Order};
use crate::kit::training::Training;
use crate::landscape::Network;
use crate::nn::image_text::losses::Scale;
use crate::nn::image_text::model::{ImageText, Terms};
use crate::nn::image_text::spec::{self, Backbone, BertSpec, SmallTextSpec, Spec, TextSpec, WordPath};
use crate::nn::image_text::weights::{self, Fit, Part};
use crate::watch::Watch;

use super::embed::{Embedder, cosine};
use super::evaluate::{Candidates, Evaluator, same, similarities};
use super::labelled::Labelled;
use super::params::{
    BATCH, EVALUATE, Hyper, IMAGE_WEIGHTS, PROBE_FOLDER, TEXT_WEIGHTS, check_combination, max_tokens, net_spec, rule,
    word_path,
};
use super::source::{self, PairData};
use super::texts::{PERTURBED, Texts};
use super::trainer::{Batch, Trainer};
use super::{labelled, nli, probe};

/// Pairs on screen.
const SHOWN: usize = 8;
/// Pairs of the matrix of similarities.
const MATRIX: usize = 32;
/// Side of a small copy of an image, in pixels.
const THUMBNAIL: usize = 32;

/// A run.
struct ImageReportRun {
    training: Training,
    /// Steps of the whole run.
    steps: u64,
    hyper: Hyper,
    data: Arc<PairData>,
    /// Images for the probe, where a folder of them is named.
    labelled: Option<Labelled>,
    texts: Texts,
    order: Order,
    trainer: Trainer,
    evaluator: Arc<Evaluator>,
    /// Which of the evaluator's pairs are on screen.
    shown: Vec<usize>,
    /// What has become of files of weights.
    fits: Vec<Fit>,
    /// Words are to be classed anew, and shown.
    retagged: bool,
}

/// Builds the run; see [`crate::engine::experiment::BuildFn`].
pub fn build(request: &BuildRequest<'_>) -> Result<Box<dyn Experiment>, RunError> {
    let params = request.params;
    check_combination(params)?;
    let data = Arc::new(source::load(params, Watch::nobody())?.for_run(params, request.seed)?);
    let labelled = labelled::load(params, request.seed, Watch::nobody())?;
    let pieces = Arc::new(data.pieces(params)?);
    let spec = net_spec(params, pieces.vocab().len());
    let batch = BATCH.of(params) as usize;
    let fingerprint = format!(
        "{} on {} pairs {:08x}, {} to test on, {} pieces, batches of {batch}, seed {}",
        described(&spec),
        data.train.len(),
        data.checksum(),
        data.test.len(),
        pieces.vocab().len(),
        request.seed
    );
    let training = Training::new(request, "run", fingerprint);
    let (mut net, fits) = initial(params, &spec, request.seed, &training.device)?;
    net.text.set_word_path(word_path(params));
    let texts = Texts::of(params, pieces)?;
    let order = Order::new(data.train.clone(), batch, Last::Drop, request.seed, streams::REPORTS_ORDER);
    let evaluator = Arc::new(Evaluator::new(&data, &texts, EVALUATE.of(params) as usize, request.seed));
    let mut run = ImageReportRun {
        steps: request.steps,
        hyper: Hyper::of(params, request.steps),
        trainer: Trainer::new(net, rule(params), &training.device),
        shown: shown(&data, &evaluator),
        evaluator,
        fits,
        retagged: false,
        training,
        data,
        labelled,
        texts,
        order,
    };
    run.trainer.net.set_temperatures([run.hyper.tau, run.hyper.tau_perturbed]);
    Ok(Box::new(run))
}

/// A network in words, as far as no live parameter changes it.
fn described(spec: &Spec) -> String {
    let text = match spec.text {
        TextSpec::Small(small) => TextSpec::Small(SmallTextSpec { words: WordPath::Contextual, ..small }),
        bert @ TextSpec::Bert(_) => bert,
    };
    format!("{:?}, {text:?}, d = {}", spec.image, spec.width)
}

/// A network for people.
pub fn in_words(spec: &Spec) -> String {
    let image = match spec.image.backbone {
        Backbone::Small => "four convolutions",
        Backbone::ResNet18 => "ResNet-18",
        Backbone::ResNet50 => "ResNet-50",
    };
    let text = match spec.text {
        TextSpec::Small(SmallTextSpec { layers, order, .. }) => {
            let first = if order == spec::Order::Convolution { "a convolution and " } else { "" };
            format!("{first}{layers} transformer {}", if layers == 1 { "layer" } else { "layers" })
        }
        TextSpec::Bert(BertSpec { layers, .. }) => format!("BERT of {layers} layers"),
    };
    format!("{image} for images, {text} for reports, d = {}", spec.width)
}

/// Random weights of the seed, with those of files as far as they fit.
fn initial(params: &Params, spec: &Spec, seed: u64, device: &Device) -> Result<(ImageText, Vec<Fit>), RunError> {
    let rng = streams::IMAGE_TEXT_WEIGHTS.open(seed, 0);
    let mut net = ImageText::new(spec, rng, device).map_err(|error| RunError::Device(error.to_string()))?;
    let mut fits = Vec::new();
    for (words, part) in [(&IMAGE_WEIGHTS, Part::Image), (&TEXT_WEIGHTS, Part::Text)] {
        let path = words.of(params);
        if path.is_empty() {
            continue;
        }
        let started = weights::open(Path::new(path))
            .and_then(|file| weights::start_from(&file, net.clone(), spec, part, device))
            .map_err(|error| ParamError::invalid(words.key(), error))?;
        net = started.0;
        fits.push(started.1);
    }
    Ok((net, fits))
}

/// Of the pairs that are measured the first ones with findings, as far as there are such.
fn shown(data: &PairData, evaluator: &Evaluator) -> Vec<usize> {
    let first = evaluator.candidates.len().min(MATRIX);
    let boxed = |i: &usize| !data.pairs[evaluator.candidates[*i].pair].mentions.is_empty();
    let mut shown: Vec<usize> = (0..first).filter(boxed).take(SHOWN - 1).collect();
    shown.extend((0..first).filter(|i| !boxed(i)).take(SHOWN - shown.len()));
    shown
}

impl ImageReportRun {
    fn embedder(&self) -> Embedder<'_> {
        Embedder { net: &self.trainer.net, texts: &self.texts, device: &self.training.device }
    }

    /// What the step after so many completed ones learns from.
    fn batch(&mut self) -> Result<Batch, RunError> {
        let (step, seed) = (self.training.step, self.training.seed);
        let draw = if self.hyper.redraw { self.order.epoch(step) } else { 0 };
        let indices = self.order.of(step).to_vec();
        let pairs: Vec<_> = indices.iter().map(|&i| &self.data.pairs[i]).collect();
        let images = pairs.iter().flat_map(|pair| pair.values()).collect();
        let [_, local, perturbed] = self.hyper.weights;
        let perturbed = if perturbed > 0.0 {
            let of = |&i: &usize| self.texts.perturbed(&self.data.pairs[i].words, seed, i as u64, draw);
            indices.par_iter().map(of).collect()
        } else {
            Vec::new()
        };
        let keep = self.hyper.keep_degenerate;
        let valid = perturbed.iter().flatten().map(|one| f32::from(u8::from(keep || !one.degenerate))).collect();
        let reports = pairs.iter().map(|pair| pair.words.as_slice());
        let others = perturbed.iter().flatten().map(|one| one.words.as_slice());
        let worded = if local > 0.0 { pairs.len() } else { 0 };
        let texts = self.texts.batch_for_loss(reports.chain(others), worded, self.hyper.first_mark)?;
        Ok(Batch { images, size: self.data.size, texts, valid })
    }

    fn emit_losses(&self, terms: Terms, share: f64, out: &mut Emit<'_>) -> Result<(), RunError> {
        let mut reader = Reader::default();
        reader.add(terms.total);
        reader.add(terms.global.loss);
        reader.add(terms.global.image_to_text);
        reader.add(terms.global.text_to_image);
        let local = terms.local.map(|loss| reader.add(loss));
        let perturbed = terms.perturbation.map(|loss| reader.add(loss));
        let mut scale = |scale: Scale| match scale {
            Scale::Fixed(scale) => Err(1.0 / scale),
            Scale::Learned(scale) => Ok(reader.add(scale)),
        };
        let scales = [scale(self.trainer.net.global_scale()), scale(self.trainer.net.perturbation_scale())];
        let read = reader.read()?;
        let number = |at: usize| f64::from(read[at][0]);
        self.training.finite(number(0).is_finite(), "the loss", || {
            format!("the learning rate ({}) or 1/τ", self.hyper.learning_rate)
        })?;
        for (k, key) in ["total", "global", "report_of_image", "image_of_report"].iter().enumerate() {
            out.scalar(&format!("loss/{key}"), number(k));
        }
        if let Some(at) = local {
            out.scalar("loss/local", number(at));
        }
        if let Some(at) = perturbed {
            out.scalar("loss/perturbed", number(at));
        }
        let tau = |scale: Result<usize, f64>| scale.map_or_else(|tau| tau, |at| 1.0 / number(at));
        out.scalar("temperature/global", tau(scales[0]));
        if self.hyper.weights[2] > 0.0 {
            out.scalar("temperature/perturbed", tau(scales[1]));
        }
        out.scalar("learning_rate", self.hyper.learning_rate * share);
        out.scalar("epoch", self.training.step as f64 / self.order.per_epoch() as f64);
        Ok(())
    }

    /// Rankings, attention and similarities of the pairs on screen.
    fn show(&self, out: &mut Emit<'_>) -> Result<(), RunError> {
        let (data, embedder) = (&*self.data, self.embedder());
        let first = &self.evaluator.candidates[..self.evaluator.candidates.len().min(MATRIX)];
        let pair = |of: &Candidates| &data.pairs[of.pair];
        let values: Vec<Vec<f32>> = first.iter().map(|of| pair(of).values().collect()).collect();
        let images = embedder.images(&values, data.size)?;
        // The reports, and then the perturbations of those on screen.
        let mut texts: Vec<&[String]> = first.iter().map(|of| pair(of).words.as_slice()).collect();
        texts.extend(self.shown.iter().flat_map(|&i| first[i].texts(data).skip(1)));
        let texts = embedder.texts(&texts)?;
        self.training.finite(images.is_finite() && texts.is_finite(), "a vector of a test pair", || {
            format!("the learning rate ({})", self.hyper.learning_rate)
        })?;
        let n = first.len();
        let cosines = similarities(&images, &texts);
        let values = (0..n).flat_map(|i| cosines[i * texts.count()..i * texts.count() + n].iter().copied()).collect();
        out.payload("similarity/matrix", Payload::Matrix { rows: n as u32, cols: n as u32, values });
        let groups = same(first.iter().map(|of| &pair(of).words[..]));
        let mean = images.mean();
        for (k, &i) in self.shown.iter().enumerate() {
            let other = (1..n).map(|step| (i + step) % n).find(|&j| groups[j] != groups[i]).unwrap_or(i);
            let of = |text: usize| {
                let text = texts.row(text);
                [images.row(i), images.row(other), &mean].map(|image| cosine(image, text) as f32)
            };
            let candidates = std::iter::once(i).chain((0..PERTURBED).map(|p| n + k * PERTURBED + p));
            let values = candidates.flat_map(of).collect();
            out.payload(
                &format!("ranking/scores/{k}"),
                Payload::Matrix { rows: 1 + PERTURBED as u32, cols: 3, values },
            );
        }
        let shown: Vec<&Candidates> = self.shown.iter().map(|&i| &first[i]).collect();
        let values: Vec<Vec<f32>> = shown.iter().map(|of| pair(of).values().collect()).collect();
        let reports: Vec<&[String]> = shown.iter().map(|of| pair(of).words.as_slice()).collect();
        for (k, looks) in embedder.looks(&values, data.size, &reports, &self.hyper.local)?.into_iter().enumerate() {
            let [rows, cols] = looks.shape.map(|side| side as u32);
            out.payload(&format!("attention/raw/{k}"), Payload::Matrix { rows, cols, values: looks.raw });
            out.payload(&format!("attention/weights/{k}"), Payload::Matrix { rows, cols, values: looks.weights });
        }
        Ok(())
    }

    fn evaluate(&self, out: &mut Emit<'_>) -> Result<(), RunError> {
        let all = out.is_last();
        let embedded = self.evaluator.embed(&self.embedder(), &self.data, &self.hyper.local, all)?;
        self.training.finite(embedded.is_finite(), "a vector of a test pair", || {
            format!("the learning rate ({})", self.hyper.learning_rate)
        })?;
        let (evaluator, data) = (self.evaluator.clone(), self.data.clone());
        out.later(move |out| {
            evaluator.judge(&embedded, &data, all)?.report(out);
            Ok(())
        })
    }

    /// What the pairs on screen are in words: it changes with word classes and antonyms alone.
    fn show_texts(&self, out: &mut Emit<'_>) {
        let data = &*self.data;
        for (k, &i) in self.shown.iter().enumerate() {
            let candidates = &self.evaluator.candidates[i];
            let pair = &data.pairs[candidates.pair];
            let mut lines = vec![format!("{}\t{}", pair.name, pair.study)];
            for (at, (word, tag)) in pair.words.iter().zip(self.texts.tags(&pair.words)).enumerate() {
                let bounds = pair.mentions.iter().find(|mention| mention.word == at);
                let bounds =
                    bounds.map_or("-".to_owned(), |mention| mention.bounds.map(|b| format!("{b:.4}")).join(","));
                lines.push(format!("{word}\t{}\t{bounds}", tag.letter().to_ascii_lowercase()));
            }
            out.payload(&format!("pair/words/{k}"), Payload::Text(lines.join("\n")));
            let places = |from: &[usize]| from.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
            let own: Vec<usize> = (0..pair.words.len()).collect();
            let mut lines = vec![format!("report\t0\t{}\t{}", pair.words.join(" "), places(&own))];
            for (kind, one) in crate::text::perturb::Perturbation::ALL.iter().zip(&candidates.perturbed) {
                lines.push(format!(
                    "{}\t{}\t{}\t{}",
                    kind.id(),
                    u8::from(one.degenerate),
                    one.words.join(" "),
                    places(&one.from)
                ));
            }
            out.payload(&format!("ranking/texts/{k}"), Payload::Text(lines.join("\n")));
        }
    }

    /// What does not change while the run goes on.
    fn introduce(&self, out: &mut Emit<'_>) {
        let data = &*self.data;
        out.payload("data/summary", Payload::Text(data.summary.join("\n")));
        for line in &data.report {
            out.notice(Level::Info, format!("data: {line}"));
        }
        for warning in &data.warnings {
            out.notice(Level::Warning, format!("data: {warning}"));
        }
        for line in self.labelled.iter().flat_map(|labelled| &labelled.lines) {
            out.notice(Level::Info, format!("{}: {line}", PROBE_FOLDER.key()));
        }
        let spec = net_spec(&self.training.params, self.texts.pieces.vocab().len());
        let mut network = card(&spec, data.size, self.texts.pieces.vocab().len());
        for fit in &self.fits {
            network.extend(fit.card());
            let level = if fit.mismatch.is_empty() { Level::Info } else { Level::Warning };
            out.notice(level, fit.line());
        }
        out.payload("network", Payload::Text(network.join("\n")));
        out.payload("data/split", Payload::Text(data.split_lines().join("\n")));
        for (k, &i) in self.shown.iter().enumerate() {
            let pair = &data.pairs[self.evaluator.candidates[i].pair];
            out.payload(&format!("pair/image/{k}"), grey(&pair.image, data.size));
        }
        let first = &self.evaluator.candidates[..self.evaluator.candidates.len().min(MATRIX)];
        let line = |of: &Candidates| {
            let pair = &data.pairs[of.pair];
            format!("{}\t{}", pair.name, pair.words.join(" "))
        };
        out.payload("similarity/names", Payload::Text(first.iter().map(line).collect::<Vec<_>>().join("\n")));
        let images: Vec<&[u8]> = first.iter().map(|of| &data.pairs[of.pair].image[..]).collect();
        out.payload("similarity/images", strip(&images, data.size));
    }

    /// What costs a while and is measured once: what image vectors and the text encoder know.
    fn examine(&self, out: &mut Emit<'_>) -> Result<(), RunError> {
        if self.hyper.probe {
            probe::report(&self.embedder(), &self.data, self.labelled.as_ref(), out)?;
        }
        if self.hyper.nli_epochs > 0 {
            nli::report(&self.embedder(), &self.training, self.hyper.nli_epochs, out)?;
        }
        Ok(())
    }
}

/// What a network is, in lines.
pub fn card(spec: &Spec, size: usize, pieces: usize) -> Vec<String> {
    let parts = spec.parts();
    let all: u64 = parts.iter().map(|part| part.parameters).sum();
    let side = spec.image.backbone.regions(size);
    let mut lines = vec![
        format!("{all} parameters, vectors of d = {}", spec.width),
        format!("{side} × {side} regions of an image of {size} pixels; {pieces} word pieces"),
    ];
    lines.extend(parts.iter().map(|part| format!("{}: {}", part.name, part.parameters)));
    lines
}

/// A grey picture.
fn grey(image: &[u8], size: usize) -> Payload {
    let rgba = image.iter().flat_map(|&level| [level, level, level, 255]).collect();
    Payload::Image { width: size as u32, height: size as u32, rgba }
}

/// Small copies side by side.
fn strip(images: &[&[u8]], size: usize) -> Payload {
    let side = size.min(THUMBNAIL);
    let at = |k: usize| (2 * k + 1) * size / (2 * side);
    let row = |y: usize| images.iter().flat_map(move |image| (0..side).map(move |x| image[at(y) * size + at(x)]));
    let rgba = (0..side).flat_map(row).flat_map(|level| [level, level, level, 255]).collect();
    Payload::Image { width: (side * images.len()) as u32, height: side as u32, rgba }
}

impl Experiment for ImageReportRun {
    fn begin(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        self.introduce(out);
        self.show_texts(out);
        self.show(out)?;
        self.evaluate(out)
    }

    fn step(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        let batch = self.batch()?;
        let share = self.hyper.course.share(self.training.step, 0);
        let terms = self.trainer.step(batch, &self.hyper, share);
        self.training.step += 1;
        self.emit_losses(terms, share, out)?;
        let retagged = std::mem::take(&mut self.retagged);
        if retagged {
            self.show_texts(out);
        }
        // Bars belong to the texts beside them.
        if retagged || self.training.due(self.hyper.show_every, out) {
            self.show(out)?;
        }
        if self.training.due(self.hyper.evaluate_every, out) {
            self.evaluate(out)?;
        }
        if out.is_last() {
            self.examine(out)?;
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), ParamError> {
        let params = self.training.with(key, value, check_combination)?;
        let texts = Texts::of(&params, self.texts.pieces.clone())?;
        let retagged = texts.differs(&self.texts);
        self.training.params = params;
        let params = &self.training.params;
        let before = std::mem::replace(&mut self.hyper, Hyper::of(params, self.steps));
        if (before.tau, before.tau_perturbed) != (self.hyper.tau, self.hyper.tau_perturbed) {
            self.trainer.net.set_temperatures([self.hyper.tau, self.hyper.tau_perturbed]);
        }
        self.trainer.net.text.set_word_path(word_path(params));
        if retagged {
            self.texts = texts;
            let count = EVALUATE.of(params) as usize;
            self.evaluator = Arc::new(Evaluator::new(&self.data, &self.texts, count, self.training.seed));
            self.retagged = true;
        }
        Ok(())
    }

    fn networks(&mut self) -> Result<Vec<Network>, RunError> {
        let batch = self.batch()?;
        let share = self.hyper.course.share(self.training.step, 0);
        Ok(vec![self.trainer.network(batch, &self.hyper, share)?])
    }

    fn checkpoint(&mut self) -> Result<Checkpoint, RunError> {
        let mut to = self.training.save();
        self.trainer.save(&mut to);
        to.put_text("vocabulary", self.texts.pieces.vocab().join("\n"));
        to.put_text("max_tokens", max_tokens(&self.training.params));
        to.finish()
    }

    fn restore(&mut self, from: &Checkpoint) -> Result<(), RunError> {
        let load = self.training.load(from)?;
        self.trainer.load(&load)
    }
}
