//! The training run as the engine drives it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;

use crate::compute::device;
use crate::compute::readback::Reader;
use crate::compute::streams;
use crate::data::segmentation::doctor::{Finding, Severity};
use crate::data::segmentation::split::Part;
use crate::data::segmentation::{Watch, counted};
use crate::engine::emit::Emit;
use crate::engine::event::{Level, Payload};
use crate::engine::experiment::{BuildRequest, Checkpoint, Experiment, RunError};
use crate::engine::params::{ParamError, Params, Value};
use crate::kit::training::Training;
use crate::landscape::Network;
use crate::nn::segmentation::SegmentationNet;
use crate::nn::segmentation::loss::SegmentationLoss;
use crate::nn::segmentation::spec::NetSpec;
use crate::nn::segmentation::weights::WeightsFile;
use crate::pixels::fit::Fit;
use crate::pixels::mask::Mask;
use crate::pixels::mask::components::{Connectivity, Keep, components};
use crate::pixels::pieces::cut_channels;
use crate::pixels::resize::{Resampling, Size, resize};

use super::batches::{Batch, Batches};
use super::doctor;
use super::joined::{Joined, described_apart};
use super::judge::{Means, Prepared, estimates, judge, means_in_words, means_table, table};
use super::params::{BATCH_SIZE, Hyper, JOINED, OPTIMIZER, WEIGHTS, check_combination, net_spec};
use super::pipeline::Pipeline;
use super::source::{self, SegmentationData};
use super::structures::image_name;
use super::trainer::{EVALUATION_BATCH, Trainer, evaluate, uncertainty};

/// Images of a batch whose views are shown.
const SHOWN_VIEWS: usize = 8;

/// A run.
struct SegmentationRun {
    training: Training,
    hyper: Hyper,
    pipeline: Pipeline,
    data: Arc<SegmentationData>,
    batches: Batches,
    validation: Prepared,
    /// The images of the wall, for passes with dropout.
    wall: Prepared,
    test: Prepared,
    trainer: Trainer,
    /// Step of the best weights.
    best_step: u64,
    /// FCN has no dropout layer, so that nothing would differ between passes.
    has_dropout: bool,
    /// What happened between steps and is told with the next one.
    news: Vec<(Level, String)>,
    /// Masks were corrected since the last step.
    corrected: bool,
    /// Images have joined since the last step.
    joined: bool,
    /// Early stopping has ended the training.
    over: bool,
}

/// Builds the run; see [`crate::engine::experiment::BuildFn`].
pub fn build(request: &BuildRequest<'_>) -> Result<Box<dyn Experiment>, RunError> {
    built(request, WEIGHTS.of(request.params))
}

/// The same of a run whose weights come from a checkpoint, so that the file of the first ones may be gone.
pub fn build_resumed(request: &BuildRequest<'_>) -> Result<Box<dyn Experiment>, RunError> {
    built(request, "")
}

/// `weights`: the file that the network begins with; empty: random ones.
fn built(request: &BuildRequest<'_>, weights: &str) -> Result<Box<dyn Experiment>, RunError> {
    let params = request.params;
    check_combination(params)?;
    let data = source::load(params, Watch::nobody())?;
    let spec = net_spec(params);
    let batch = BATCH_SIZE.of(params) as usize;
    check_last_batch(&data, params, BATCH_SIZE.key(), "choose another batch size")?;
    let training = Training::new(request, "run", fingerprint(&spec, &data, params, request.seed));
    let (net, news) = first_network(weights, (&spec, &data.structures), request.seed, &training.device)?;
    let hyper = Hyper::of(params);
    Ok(Box::new(SegmentationRun {
        hyper,
        pipeline: Pipeline::of(params),
        batches: Batches::new(data.epoch(), request.seed, batch),
        validation: Prepared::new(&data, &data.validation),
        wall: Prepared::new(&data, &data.wall_items().collect::<Vec<_>>()),
        test: Prepared::new(&data, &data.test),
        trainer: Trainer::new(net, OPTIMIZER.of(params), &hyper, &training.device),
        best_step: 0,
        has_dropout: !spec.architecture.is_fcn(),
        news,
        corrected: false,
        joined: false,
        over: false,
        training,
        data,
    }))
}

/// Refuses a last batch of one image for networks that need two. `way`: what to do about it.
fn check_last_batch(data: &SegmentationData, params: &Params, key: &str, way: &str) -> Result<(), ParamError> {
    let batch = BATCH_SIZE.of(params) as usize;
    if net_spec(params).architecture.is_deeplab() && data.epoch().len() % batch == 1 {
        let problem = format!(
            "{} training images in batches of {batch} leave a last batch of one image, over which DeepLab cannot \
             normalise its pooled branch; {way}",
            data.epoch().len()
        );
        return Err(ParamError::invalid(key, problem));
    }
    Ok(())
}

/// What a checkpoint belongs to.
fn fingerprint(spec: &NetSpec, data: &SegmentationData, params: &Params, seed: u64) -> String {
    format!(
        "{} of width {} on {} images at {} pixels, {} to train, {} to validate, batches of {}, {}, seed {seed}",
        spec.architecture.name(),
        spec.base,
        data.items.len(),
        data.size,
        data.train.len(),
        data.validation.len(),
        BATCH_SIZE.of(params),
        OPTIMIZER.item(params).map_or("", |optimizer| optimizer.id),
    )
}

/// What is told with the next step.
type News = Vec<(Level, String)>;

/// Random weights of the seed, or those of a file with what was made of it. `own`: the structures that the network outlines.
fn first_network(
    path: &str,
    (spec, own): (&NetSpec, &[String]),
    seed: u64,
    device: &Device,
) -> Result<(SegmentationNet, News), RunError> {
    let invalid = |problem: String| ParamError::invalid(WEIGHTS.key(), problem);
    if path.is_empty() {
        let built = SegmentationNet::new(spec, streams::SEGMENTATION_WEIGHTS.open(seed, 0), device);
        return Ok((built.map_err(|error| RunError::Device(error.to_string()))?, News::new()));
    }
    let file = WeightsFile::open(Path::new(path)).map_err(|error| invalid(error.to_string()))?.lenient();
    let known = file.structures();
    if !known.is_empty() && !own.is_empty() && known != own {
        let problem = format!("{path} is of the structures {}, in this order: name them so", known.join(", "));
        return Err(invalid(problem).into());
    }
    let net = file.load(spec, device).map_err(|error| invalid(error.to_string()))?;
    let notes = file.notes(spec).map_err(|error| invalid(error.to_string()))?;
    let told = |note: String| match note.strip_prefix("warning: ") {
        Some(serious) => (Level::Warning, format!("weights: {serious}")),
        None => (Level::Info, format!("weights: {note}")),
    };
    Ok((net, notes.into_iter().map(told).collect()))
}

impl SegmentationRun {
    /// Whether an epoch, or what counts as one, ends with this step.
    fn epoch_ends(&self) -> bool {
        match self.hyper.validate_every {
            0 => self.batches.ends_epoch(self.training.step),
            every => self.training.step.is_multiple_of(every),
        }
    }

    /// Evaluates the validation set, shows the wall, and moves the schedule (`training`).
    fn validate(&mut self, training: bool, out: &mut Emit<'_>) -> Result<(), RunError> {
        let all = self.validation.squares();
        // Before the first step it may be stopped, and a batch of a large network takes seconds on a CPU.
        let at_a_time = if training || self.training.device != device::cpu() { EVALUATION_BATCH } else { 1 };
        let heard = |done| out.progress(done, all);
        let (net, input) = (&self.trainer.net, self.validation.input());
        let mut evaluated = evaluate(net, input, self.hyper.loss, &self.training.device, at_a_time, heard)?;
        self.check_finite(evaluated.is_finite(), "the validation loss or a prediction")?;
        let maps = self.validation.merge(std::mem::take(&mut evaluated.probabilities));
        out.scalar("loss/validation", evaluated.loss);
        if self.hyper.uncertainty_samples > 0 && self.has_dropout {
            let mut dropout = streams::UNCERTAINTY.open(self.training.seed, self.training.step);
            let passes = self.hyper.uncertainty_samples;
            let heard = || out.progress(all, all);
            let maps =
                uncertainty(&self.trainer.net, self.wall.input(), passes, &mut dropout, &self.training.device, heard)?;
            self.check_finite(maps.iter().flatten().all(|value| value.is_finite()), "the uncertainty")?;
            for (i, map) in self.wall.merge(maps).iter().enumerate() {
                out.payload(&format!("wall/uncertainty/{i}"), levels(map, 512.0));
            }
        }
        if training {
            let before = self.trainer.rate(&self.hyper);
            let verdict = self.trainer.observe(evaluated.loss, &self.hyper);
            if verdict.best {
                self.best_step = self.training.step;
            }
            let now = self.trainer.rate(&self.hyper);
            if now < before {
                out.notice(Level::Info, format!("plateau: the learning rate falls from {before} to {now}"));
            }
            if verdict.stop {
                self.over = true;
                out.notice(
                    Level::Info,
                    format!(
                        "early stopping: the validation loss was not lower for {}; the best weights are those of step {}",
                        counted(self.trainer.stopping.epochs_without_improvement() as usize, "epoch", "epochs"),
                        self.best_step
                    ),
                );
            }
            if self.hyper.plateau {
                out.scalar("bad_epochs", f64::from(self.trainer.plateau.bad_epochs()));
            }
            out.scalar("patience", f64::from(self.trainer.stopping.epochs_without_improvement()));
            if let Some((loss, _)) = self.trainer.stopping.best() {
                out.scalar("best/loss", loss);
                out.scalar("best/step", self.best_step as f64);
            }
        }
        out.scalar("learning_rate", self.trainer.rate(&self.hyper));
        out.scalar("epoch", self.batches.epochs(self.training.step));
        let (data, indices, pipeline) = (self.data.clone(), self.validation.indices.clone(), self.pipeline);
        let with_intervals = training && self.over || out.is_last();
        out.later(move |out| {
            let judged = judge(&data, &indices, &maps, &pipeline, || out.progress(all, all))?;
            Means::of(&judged).emit(false, out);
            out.payload("validation/images", table(&data, &indices, &judged));
            for (i, &at) in data.wall.iter().enumerate() {
                out.payload(&format!("wall/probability/{i}"), levels(&maps[at], 256.0));
            }
            if with_intervals {
                out.payload("validation/means", means_table(&estimates(&data, &indices, &judged)));
            }
            Ok(())
        })
    }

    /// Measures the best weights on the test set.
    fn test(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        if self.test.indices.is_empty() {
            return Ok(());
        }
        // A run of less than an epoch has no best weights yet.
        let best = self.trainer.best.as_ref().unwrap_or(&self.trainer.net);
        let (input, never) = (self.test.input(), |_| Ok(()));
        let mut evaluated = evaluate(best, input, self.hyper.loss, &self.training.device, EVALUATION_BATCH, never)?;
        self.check_finite(evaluated.is_finite(), "the test loss or a prediction")?;
        let maps = self.test.merge(std::mem::take(&mut evaluated.probabilities));
        let judged = judge(&self.data, &self.test.indices, &maps, &self.pipeline, || Ok(()))?;
        out.scalar("test/loss", evaluated.loss);
        Means::of(&judged).emit(true, out);
        out.payload("test/images", table(&self.data, &self.test.indices, &judged));
        let means = estimates(&self.data, &self.test.indices, &judged);
        out.notice(Level::Info, means_in_words("test set", &means, self.data.unit()));
        out.payload("test/means", means_table(&means));
        Ok(())
    }

    /// Says what patches and several structures make of the usual.
    fn introduce_shapes(&self, out: &mut Emit<'_>) {
        let (steps, per_epoch) = (self.training.steps, self.batches.per_epoch());
        if self.hyper.validate_every == 0 && per_epoch > steps {
            let text = format!(
                "an epoch has {per_epoch} steps and the run {steps}: it is validated at its beginning and its end alone, and keeps \
                 no best weights; set validate_every"
            );
            out.notice(Level::Warning, text);
        }
        let patches = matches!(self.data.fit, Fit::Patches { .. });
        if patches && self.hyper.loss == SegmentationLoss::Dice {
            let text = "many patches have no lesion: the Dice loss without smoothing gives no gradient there; choose \
                        loss=dice-smooth or bce-dice";
            out.notice(Level::Warning, text.to_owned());
        }
        let largest = self.data.wall_items().map(|item| self.data.items[item].frame.side).max().unwrap_or(0);
        if largest > MOST_SHOWN {
            let text = format!(
                "maps on the wall are recorded with at most {MOST_SHOWN} pixels a side, of up to {largest}: what is measured there \
                 differs from the tables, which are of the whole maps"
            );
            out.notice(Level::Info, text);
        }
    }

    /// Says how is measured, and where loss or post-processing do not fit the data.
    fn introduce(&self, out: &mut Emit<'_>) {
        out.notice(Level::Info, format!("measured: {}", self.pipeline.describe(self.data.unit())));
        let waiting = self.data.waiting;
        if waiting > 0 {
            let what = counted(waiting, "image that was labelled here is", "images that were labelled here are");
            let text = format!("{what} not trained on: name them in `joined`, or set it to `all`");
            out.notice(Level::Info, text);
        }
        let count = |indices: &[usize], what: fn(&Mask) -> bool| {
            indices.iter().filter(|&&i| what(&self.data.items[i].truth)).count()
        };
        let without = count(&self.data.train, Mask::is_empty);
        if without > 0 && self.hyper.loss == SegmentationLoss::Dice {
            out.notice(
                Level::Warning,
                format!(
                    "{} no lesion: the Dice loss without smoothing gives no gradient there; choose loss=dice-smooth or \
                     bce-dice to learn from such images",
                    counted(without, "training image has", "training images have")
                ),
            );
        }
        let several = count(&self.data.validation, |truth| components(truth, Connectivity::Eight).len() > 1);
        if several > 0 && self.pipeline.post.keep != Keep::All {
            out.notice(
                Level::Info,
                format!(
                    "{} several separate lesions, and post-processing keeps one part: choose keep=all to measure all of them",
                    counted(several, "validation image has", "validation images have")
                ),
            );
        }
    }

    /// The images of the wall with their true masks.
    fn show_wall(&self, out: &mut Emit<'_>) {
        let names: Vec<&str> = self.data.wall_items().map(|i| self.data.items[i].name.as_str()).collect();
        out.payload("wall/names", Payload::Text(names.join("\n")));
        if self.data.in_millimetres() {
            let areas = self.data.spacings.iter().map(|spacing| spacing.area());
            out.scalar("pixel_area", areas.sum::<f64>() / self.data.spacings.len() as f64);
            let sides =
                self.data.wall_items().filter_map(|i| self.data.spacing(i).map(|s| s.times(self.data.items[i].factor)));
            let lines: Vec<String> = sides.map(|spacing| format!("{},{}", spacing.row, spacing.column)).collect();
            out.payload("wall/spacing", Payload::Text(lines.join("\n")));
        }
        for (i, picture) in self.data.wall_pictures.iter().enumerate() {
            let rgba = picture.rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
            let (width, height) = (picture.width as u32, picture.height as u32);
            out.payload(&format!("wall/image/{i}"), Payload::Image { width, height, rgba });
        }
        self.show_truth(out);
    }

    fn show_truth(&self, out: &mut Emit<'_>) {
        for (i, item) in self.data.wall_items().enumerate() {
            out.payload(&format!("wall/truth/{i}"), mask_payload(&self.data.items[item].truth));
        }
    }

    /// The newest batch, image by image.
    fn show_batch(&self, batch: &Batch, out: &mut Emit<'_>) {
        let (size, channels) = (self.data.size, self.data.channels);
        let mut lines = Vec::new();
        for (k, &i) in batch.indices.iter().take(SHOWN_VIEWS).enumerate() {
            let pixels = channels * size * size;
            let item = &self.data.items[i];
            let original = cut_channels(&item.image, item.frame.side, size, batch.corners[k]);
            out.payload(&format!("batch/original/{k}"), picture(&original, channels, size));
            out.payload(&format!("batch/image/{k}"), picture(&batch.images[k * pixels..][..pixels], channels, size));
            let outputs = self.data.outputs();
            let masks = &batch.masks[k * outputs * size * size..][..outputs * size * size];
            // Of several structures, all that is of any.
            let labels = (0..size * size)
                .map(|i| masks.iter().skip(i).step_by(size * size).fold(0, |any: u8, &lesion| any.max(lesion as u8)))
                .collect();
            out.payload(&format!("batch/truth/{k}"), Payload::Mask { width: size as u32, height: size as u32, labels });
            lines.push(format!("{}: {}", image_name(item, &self.data.structures), batch.views[k]));
        }
        out.payload("batch/views", Payload::Text(lines.join("\n")));
    }

    /// A run goes on with the parts that it began with, whatever the folder or another version would make of it now.
    fn take_parts(&mut self, from: &Checkpoint) -> Result<(), RunError> {
        let Some(parts) = from.text.get("parts") else {
            // A version that split folders by another rule; generated pictures are split as ever.
            return match &self.data.folder {
                None => Ok(()),
                Some(_) => Err(RunError::Checkpoint(
                    "it does not say which image is in which part, and an older version split folders by another rule: \
                     its training images would become test images; start a new run"
                        .to_owned(),
                )),
            };
        };
        if *parts == self.data.parts_in_letters() {
            return Ok(());
        }
        let (params, names) = (&self.training.params, from.text.get("images"));
        let data = match names {
            Some(names) => {
                let joined = from.get_text("joined")?.parse().unwrap_or(0);
                self.data.as_kept(parts, names, joined, params)?
            }
            // A version in which no image could join.
            None => self.data.in_parts(parts, params),
        };
        let Some(data) = data else {
            return Err(RunError::Checkpoint(
                "it belongs to other images: some have come, gone or got another name since; put the folder back as it was, \
                 or start a new run"
                    .to_owned(),
            ));
        };
        self.take_data(data);
        let (params, seed) = (&self.training.params, self.training.seed);
        self.batches = Batches::new(self.data.epoch(), seed, BATCH_SIZE.of(params) as usize);
        Ok(())
    }

    /// Whether the data are those that the checkpoint was written with. Masks that were drawn or corrected here since
    /// are meant, and told; anything else that has changed is another data set under the same name.
    fn compare_data(&mut self, from: &Checkpoint) -> Result<(), RunError> {
        let (known, now) = (from.get_text("data")?, &self.data.description);
        let ((own, here), (own_now, here_now)) = (described_apart(known), described_apart(now));
        let own_items = &self.data.items[..self.data.own];
        let pictures = from.text.get("pictures").is_some_and(|known| *known != self.data.pictures());
        if pictures || own != own_now && own_items.iter().all(|item| item.corrected.is_none()) {
            return Err(RunError::Checkpoint(format!(
                "images or masks have changed, or are read otherwise, since it was written: {known}; now {now}. Bring \
                 the data back as it was, or start a new run"
            )));
        }
        if (own, here) != (own_now, here_now) {
            let text = format!(
                "images or masks have changed since the checkpoint was written ({known}; now {now}): the run goes on \
                 with what is there now, and its numbers are not those of an unbroken run"
            );
            self.news.push((Level::Warning, text));
        }
        Ok(())
    }

    /// Trains and measures on other data from now on; the batches are the caller's.
    fn take_data(&mut self, data: SegmentationData) {
        self.data = Arc::new(data);
        let (data, params) = (&self.data, &self.training.params);
        self.validation.follow(data, &data.validation);
        self.wall.follow(data, &data.wall_items().collect::<Vec<_>>());
        self.test.follow(data, &data.test);
        self.training.fingerprint = fingerprint(&net_spec(params), data, params, self.training.seed);
    }

    /// Reads the masks that were corrected.
    fn take_corrections(&mut self, key: &str) -> Result<(), ParamError> {
        if !self.data.structures.is_empty() {
            let text = "masks that are drawn here are of one structure: a run of several does not use them";
            self.news.push((Level::Warning, text.to_owned()));
            return Ok(());
        }
        let (data, changed) = self.data.corrected().map_err(|error| ParamError::invalid(key, error))?;
        if changed.is_empty() {
            return Ok(());
        }
        self.corrected = true;
        let what = counted(changed.len(), "corrected mask is", "corrected masks are");
        let anew = if changed.iter().any(|i| self.data.validation.contains(i)) {
            self.trainer.compare_anew();
            "; losses of the validation are compared anew, since some of them belong to it"
        } else {
            ""
        };
        self.news.push((Level::Info, format!("{what} used from step {} on{anew}", self.training.step + 1)));
        self.take_data(data);
        Ok(())
    }

    /// Takes up the images that `params` name, and says what becomes of the training.
    fn take_joined(&mut self, params: &Params) -> Result<(), ParamError> {
        let Joined { data, new, gone, warnings, .. } = self.data.joined(params)?;
        check_last_batch(&data, params, JOINED.key(), "it joins together with the next one that you label")?;
        let (before, step) = (self.data.train.len(), self.training.step);
        let here = |data: &SegmentationData| -> BTreeSet<(String, Option<Part>)> {
            (data.own..data.items.len()).map(|i| (data.items[i].name.clone(), data.parts[i])).collect()
        };
        if here(&data) == here(&self.data) {
            return Ok(());
        }
        let mut what = Vec::new();
        if new > 0 {
            let joins = counted(new, "newly labelled image joins", "newly labelled images join");
            what.push(format!("{joins} the training from step {} on", step + 1));
        }
        if gone > 0 {
            let leaves = counted(gone, "labelled image is", "labelled images are");
            what.push(format!("{leaves} not trained on any more from step {} on", step + 1));
        }
        if what.is_empty() {
            what.push("of the labelled images that came or went none trains".to_owned());
        }
        // Where only images behind the trained ones came or went, the batches stay as they are.
        let moved = data.train != self.data.train;
        let epoch = if moved { ", and an epoch begins" } else { "" };
        if moved {
            self.batches.begin_epoch(data.epoch(), step);
        }
        let training = counted(data.train.len(), "training image", "training images");
        let text = format!(
            "{}: {training} instead of {before}{epoch}; validation and test stay as they are",
            what.join(", and ")
        );
        self.news.push((Level::Info, text));
        self.news.extend(warnings.into_iter().map(|line| (Level::Warning, line)));
        self.joined = true;
        self.take_data(data);
        Ok(())
    }

    fn check_finite(&self, finite: bool, what: &str) -> Result<(), RunError> {
        self.training.finite(finite, what, || format!("the learning rate ({})", self.trainer.rate(&self.hyper)))
    }
}

impl Experiment for SegmentationRun {
    fn begin(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        out.payload("data/summary", Payload::Text(self.data.summary.join("\n")));
        let (columns, rows) = self.data.table.cells(usize::MAX);
        out.payload("data/parts", Payload::Table { columns, rows });
        out.payload("data/doctor", findings(&self.data.findings));
        out.payload("data/split", self.data.split_table());
        let errors = self.data.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        if errors > 0 {
            let errors = counted(errors, "error", "errors");
            let text =
                format!("the data doctor found {errors} in the folder; see the tile Data before you trust results");
            out.notice(Level::Warning, text);
        }
        let level = if self.data.rules.are_doubtful() { Level::Warning } else { Level::Info };
        for line in self.data.rules.lines() {
            out.notice(level, format!("data: {line}"));
        }
        self.introduce(out);
        self.introduce_shapes(out);
        self.show_wall(out);
        let batch = self.batches.of(0, &self.data, &self.hyper);
        self.show_batch(&batch, out);
        self.validate(false, out)
    }

    fn step(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        for (level, text) in std::mem::take(&mut self.news) {
            out.notice(level, text);
        }
        if std::mem::take(&mut self.corrected) {
            self.show_truth(out);
        }
        if std::mem::take(&mut self.joined) {
            out.payload("data/split", self.data.split_table());
        }
        let batch = self.batches.of(self.training.step, &self.data, &self.hyper);
        let mut dropout = streams::DROPOUT.open(self.training.seed, self.training.step);
        let input = batch.input(&self.data);
        let loss = self.trainer.step(input, &self.hyper, &mut dropout);
        self.training.step += 1;
        // A last step within an epoch is shown and measured; the schedule waits for the epoch's end, so that a longer run
        // comes by here with the same numbers.
        let epoch_ends = self.epoch_ends();
        let due = epoch_ends || out.is_last();
        if due || self.training.due(self.hyper.loss_every, out) {
            let mut reader = Reader::default();
            reader.add(loss);
            let loss = f64::from(reader.read()?[0][0]);
            self.check_finite(loss.is_finite(), "the training loss")?;
            out.scalar("loss/train", loss);
        }
        if out.wants("batch/views") {
            self.show_batch(&batch, out);
        }
        if due {
            self.validate(epoch_ends, out)?;
        }
        if self.over || out.is_last() {
            self.test(out)?;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.over
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), ParamError> {
        let params = self.training.with(key, value, check_combination)?;
        match key {
            "corrections" => self.take_corrections(key)?,
            _ if key == JOINED.key() => self.take_joined(&params)?,
            _ => {}
        }
        let before = self.hyper;
        self.hyper = Hyper::of(&params);
        let pipeline = Pipeline::of(&params);
        if pipeline != self.pipeline {
            self.pipeline = pipeline;
            self.news.push((Level::Info, format!("from now on measured: {}", pipeline.describe(self.data.unit()))));
        }
        self.trainer.set(&before, &self.hyper);
        if before.loss != self.hyper.loss {
            let text = "another loss: best weights, plateau and early stopping start anew, since losses of two kinds do not \
                        compare";
            self.news.push((Level::Info, text.to_owned()));
        }
        self.training.params = params;
        Ok(())
    }

    fn networks(&mut self) -> Result<Vec<Network>, RunError> {
        let batch = self.batches.of(self.training.step, &self.data, &self.hyper);
        let input = batch.input(&self.data);
        Ok(vec![self.trainer.network(input, &self.hyper, [self.training.seed, self.training.step])?])
    }

    fn checkpoint(&mut self) -> Result<Checkpoint, RunError> {
        let mut to = self.training.save();
        self.trainer.save(&mut to)?;
        to.put_text("best_step", self.best_step);
        to.put_text("over", self.over);
        to.put_text("data", &self.data.description);
        to.put_text("parts", self.data.parts_in_letters());
        to.put_json("origin", &self.batches.origin())?;
        if self.data.folder.is_some() {
            let names: Vec<&str> = self.data.items.iter().map(|item| &*item.name).collect();
            to.put_text("images", names.join("\n"));
            to.put_text("pictures", self.data.pictures());
            to.put_text("joined", self.data.items.len() - self.data.own);
        }
        if !self.data.rules.white.is_empty() {
            to.put_text("white", self.data.rules.white.to_text());
        }
        to.finish()
    }

    fn restore(&mut self, from: &Checkpoint) -> Result<(), RunError> {
        self.take_parts(from)?;
        let load = self.training.load(from)?;
        self.trainer.load(&load)?;
        self.compare_data(from)?;
        // A version in which no image could join has none.
        if from.text.contains_key("origin") {
            self.batches.put_origin(load.json("origin")?);
        }
        self.best_step = load.text("best_step")?;
        self.over = load.text("over")?;
        Ok(())
    }
}

/// The largest side of a map that is recorded for the wall; larger ones, of patches, are made smaller.
const MOST_SHOWN: usize = 512;

/// A square map as bytes: `min(255, ⌊scale · value⌋)`.
fn levels(map: &[f32], scale: f32) -> Payload {
    let side = map.len().isqrt();
    let shown = side.min(MOST_SHOWN);
    let of = |side| Size { height: side, width: side };
    let map = if shown < side { &resize(map, of(side), of(shown), Resampling::Bilinear)[..] } else { map };
    // A conversion to a byte saturates.
    let labels = map.iter().map(|&value| (scale * value) as u8).collect();
    Payload::Mask { width: shown as u32, height: shown as u32, labels }
}

fn mask_payload(mask: &Mask) -> Payload {
    let labels = mask.pixels().iter().map(|&lesion| u8::from(lesion)).collect();
    Payload::Mask { width: mask.width() as u32, height: mask.height() as u32, labels }
}

/// `[C, S, S]` in [0, 1] as a picture.
fn picture(values: &[f32], channels: usize, size: usize) -> Payload {
    let plane = size * size;
    let at = |channel: usize, i: usize| (values[channel.min(channels - 1) * plane + i] * 255.0).round() as u8;
    let rgba = (0..plane).flat_map(|i| [at(0, i), at(1, i), at(2, i), 255]).collect();
    Payload::Image { width: size as u32, height: size as u32, rgba }
}

fn findings(findings: &[Finding]) -> Payload {
    let (columns, rows) = doctor::table(findings);
    Payload::Table { columns, rows }
}
