//! The training run as the engine drives it.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::{Device, Tensor, TensorData};

use crate::compute::linalg::LinalgError;
use crate::compute::readback::Reader;
use crate::data::augment::recipes::Recipe;
use crate::data::images::{ImageData, Moments};
use crate::engine::emit::Emit;
use crate::engine::event::{Level, Payload};
use crate::engine::experiment::{BuildRequest, Checkpoint, Experiment, RunError};
use crate::engine::params::{ParamError, Params, Value};
use crate::engine::table::Int;
use crate::kit::training::{Training, diverged};
use crate::landscape::Network;
use crate::metrics::collapse::Alarm;
use crate::metrics::projection::Projection;
use crate::nn::weights::Opened;
use crate::watch::Watch;

use super::alarm::{self, Check};
use super::batches::{Batch, Batches};
use super::inspect;
use super::judge::{Judge, Outputs};
use super::network::Shape;
use super::params::{
    BATCH_SIZE, DATA_SEED, Descent, ENCODER, EVALUATION, Hyper, NormalisedBy, OPTIMIZER, PROBE_TEST, PROBE_TRAIN,
    WEIGHTS, check_combination, normalised_by, weights_file,
};
use super::trainer::{Correlation, Outcome, Trainer};
use super::weights::{Fit, WeightsError, start_from};
use super::{eigen, representation, source};
use crate::labs::self_supervised::params::{ANALYSIS_EVERY, LOSS_EVERY, PROBE_EVERY};

/// Under which name a checkpoint has the training pictures' moments, of a run that normalises by them.
pub(super) const MOMENTS_OF_DATA: &str = "moments";

/// A run.
struct SelfSupervisedRun {
    training: Training,
    hyper: Hyper,
    cadence: Cadence,
    data: Arc<ImageData>,
    recipe: Recipe,
    batches: Batches,
    trainer: Trainer,
    judge: Arc<Judge>,
    past: Arc<Mutex<Past>>,
    /// What of the file became of the network, where it starts from one.
    fit: Option<Fit>,
}

/// What measurements leave to the next ones, which are made beside the training.
#[derive(Debug, Default)]
struct Past {
    alarm: Alarm,
    /// What the newest check measured, once there was one since the start or a resumption.
    checked: Option<Check>,
    projection: Projection,
}

/// What is judged of a step, read from the device, and the pictures that the inspector shows.
struct Judged {
    outputs: Outputs,
    sample: Batch,
}

/// Steps between measurements of each kind.
#[derive(Debug, Clone, Copy)]
struct Cadence {
    loss: u64,
    analysis: u64,
    probe: u64,
}

impl Cadence {
    fn of(params: &Params) -> Self {
        let every = |steps: &Int| steps.of(params) as u64;
        Self { loss: every(&LOSS_EVERY), analysis: every(&ANALYSIS_EVERY), probe: every(&PROBE_EVERY) }
    }
}

/// Builds the run; see [`crate::engine::experiment::BuildFn`].
pub fn build(request: &BuildRequest<'_>) -> Result<Box<dyn Experiment>, RunError> {
    source::check(request.params)?;
    built(request, weights_file(request.params))
}

/// The same of a run whose weights come from a checkpoint, so that the file of the first ones may be gone.
pub fn build_resumed(request: &BuildRequest<'_>) -> Result<Box<dyn Experiment>, RunError> {
    source::check_resumed(request.params)?;
    built(request, None)
}

/// `weights`: the file that the networks begin with; `None`: random ones.
fn built(request: &BuildRequest<'_>, weights: Option<&Path>) -> Result<Box<dyn Experiment>, RunError> {
    let params = request.params;
    let data = source::images(params, Watch::nobody())?;
    let recipe = source::recipe(params, &data);
    let shape = Shape::of(params, data.train.channels);
    let measured = (PROBE_TRAIN.of(params) as usize, PROBE_TEST.of(params) as usize);
    let batch = BATCH_SIZE.of(params) as usize;
    let descent = OPTIMIZER.of(params);
    let fingerprint = format!(
        "{} on {} pictures {:08x}, {}, batches of {batch}, {}seed {}",
        shape.fingerprint(),
        data.train.len(),
        data.train.checksum(),
        recipe.fingerprint(),
        // Older versions had but one.
        if descent == Descent::Sgd { String::new() } else { format!("{descent:?}, ") },
        request.seed
    );
    let training = Training::new(request, "run", fingerprint);
    let device = &training.device;
    let hyper = Hyper::of(params);
    let mut trainer = Trainer::new(&shape, request.seed, device)?.with(hyper.optimizer);
    let fit = weights.map(|path| start(&mut trainer, path, params, device)).transpose()?;
    Ok(Box::new(SelfSupervisedRun {
        cadence: Cadence::of(params),
        batches: Batches::new(data.clone(), recipe, request.seed, batch),
        trainer,
        judge: Arc::new(Judge::new(&data, recipe, shape, measured, DATA_SEED.of(params) as u64)),
        past: Arc::default(),
        hyper,
        fit,
        training,
        data,
        recipe,
    }))
}

/// What became of a file of weights, in words.
pub(super) fn told(fit: &Fit) -> String {
    let random = |part: &str| {
        let missing = fit.mismatch.missing.iter().chain(fit.mismatch.shapes.iter().map(|(name, ..)| name));
        missing.into_iter().any(|name| name.starts_with(part))
    };
    let stems = fit.mismatch.shapes.iter().find_map(|(name, ours, file)| {
        let kernels = (ours.get(2..)?, file.get(2..)?);
        (name == "conv1.weight" && kernels.0 != kernels.1).then_some(kernels)
    });
    let mut text = fit.line();
    text += match stems {
        Some((_, [7, 7])) => {
            ". The stem is 3×3 here, without max-pooling, and the file's is 7×7, torchvision's for ImageNet: choose \
             network=resnet18_imagenet, and moments=imagenet where it was trained with those. As it is, features are not the file's own"
        }
        Some(([7, 7], [3, 3])) => {
            ". The stem is 7×7 here, with max-pooling, and the file's is 3×3: choose network=resnet18. As it is, features are not the \
             file's own"
        }
        Some(_) => {
            ". The stem is another one here: features of a network that was trained with the file's are not its own"
        }
        None => "",
    };
    let of_heads = |name: &str| name.starts_with("projector") || name.starts_with("predictor");
    let missing = fit.mismatch.missing.iter().chain(fit.mismatch.shapes.iter().map(|(name, ..)| name));
    let of_encoder = missing.filter(|name| !of_heads(name)).count();
    if random("projector") {
        text += ". The projector is random, at least in part: what is said of embeddings is of a random projection";
        if of_encoder == 0 {
            text += "; features are the file's";
        }
    }
    if of_encoder > 0 && stems.is_none() {
        text += ". The encoder is random in part: features are not the file's";
    }
    text
}

/// Puts the weights of the file into the networks that a run is to start from, as far as they fit.
fn start(trainer: &mut Trainer, path: &Path, params: &Params, device: &Device) -> Result<Fit, RunError> {
    let invalid = |error: WeightsError| ParamError::invalid(WEIGHTS.key(), error);
    let file = Opened::open(path).map_err(|error| invalid(error.into()))?;
    let network = ENCODER.item(params).map_or("", |item| item.label);
    let started = start_from(&file, trainer.online.clone(), network, device);
    let (online, fit) = started.map_err(invalid)?;
    trainer.start_from(online);
    Ok(fit)
}

impl SelfSupervisedRun {
    /// The training pictures' moments, where pictures are normalised by those.
    fn moments_of_data(&self) -> Option<Moments> {
        self.recipe.normalised_by.filter(|_| normalised_by(&self.training.params) == NormalisedBy::Data)
    }

    /// Whether a measurement with this cadence is due now. Step 1 has the first F, so the eigenspaces start there.
    fn due(&self, every: u64, out: &Emit<'_>) -> bool {
        self.training.step == 1 || self.training.due(every, out)
    }

    fn upload(&self, values: Vec<f32>) -> Tensor<4> {
        let set = &self.data.train;
        let shape = [values.len() / set.image_bytes(), set.channels, set.height, set.width];
        Tensor::from_data(TensorData::new(values, shape), &self.training.device)
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Measures, beside the next steps, what was read of this one.
    fn measure(&self, read: Option<eigen::Read>, judged: Option<Judged>, out: &mut Emit<'_>) -> Result<(), RunError> {
        if read.is_none() && judged.is_none() {
            return Ok(());
        }
        let (past, judge, data) = (self.past.clone(), self.judge.clone(), self.data.clone());
        let (recipe, hyper, rates) = (self.recipe, self.hyper, self.rates());
        let (step, steps) = (self.training.step, self.training.steps);
        out.later(move |out| {
            let past = &mut *past.lock().unwrap_or_else(PoisonError::into_inner);
            let check = read.map(|read| eigen::emit(&read, &hyper, out)).transpose();
            let check = check.map_err(|error| not_finite(step, &error, &rates))?;
            if let Some(Judged { outputs, sample }) = judged {
                past.alarm.judged(judge.judge(&outputs, &mut past.projection, out)?);
                inspect::emit(&data.train, &sample, recipe, out);
            }
            if let Some(check) = check {
                past.observe(check, [step, steps], out);
            }
            Ok(())
        })
    }

    /// Runs the network over the pictures that are judged.
    fn look(&self, sample: Batch, out: &mut Emit<'_>) -> Result<Judged, RunError> {
        let outputs = self.judge.look(&self.trainer.online.branch, &self.training.device, out)?;
        Ok(Judged { outputs, sample })
    }

    /// Reads the losses of a batch and emits them; reads what its eigenspaces follow from, where there is an F to analyse.
    fn read_batch(
        &self,
        outcome: Outcome,
        l2: Tensor<1>,
        correlation: Option<Correlation>,
        out: &mut Emit<'_>,
    ) -> Result<Option<eigen::Read>, RunError> {
        let mut reader = Reader::default();
        let cosine = reader.add(outcome.cosine);
        let l2 = reader.add(l2);
        let fitted = correlation.is_some() && self.hyper.fitted_map;
        let analysed = correlation.map(|correlation| {
            [
                reader.add(correlation.second_moment),
                reader.add(correlation.mean),
                reader.add(outcome.z),
                reader.add(self.trainer.online.predictor.matrix()),
            ]
        });
        let norms = outcome.gradient_norms.map(|norms| reader.add(norms));
        let outputs = fitted.then(|| reader.add(outcome.p));
        let mut read = reader.read()?;
        self.emit_loss(f64::from(read[cosine][0]), f64::from(read[l2][0]), out)?;
        if let Some(norms) = norms {
            representation::emit_gradients(&read[norms], out);
        }
        let Some(analysed) = analysed else { return Ok(None) };
        let [second_moment, mean, z, wp] = analysed.map(|at| std::mem::take(&mut read[at]));
        let p = outputs.map(|at| std::mem::take(&mut read[at]));
        Ok(Some(eigen::Read { second_moment, mean, z, wp, p, vanished: self.trainer.f_vanished }))
    }

    /// What is known before the first step: of random weights the predictor alone; weights that are given are analysed as
    /// after a step, on the first batch.
    fn emit_start(&self, batch: &Batch, out: &mut Emit<'_>) -> Result<Option<eigen::Read>, RunError> {
        if self.fit.is_none() && self.training.steps > 0 {
            let mut reader = Reader::default();
            let wp = self.trainer.online.predictor.matrix();
            let d = wp.dims()[0];
            reader.add(wp);
            let read = reader.read()?;
            let emitted = eigen::emit_untrained(&read[0], d, out);
            emitted.map_err(|error| not_finite(self.training.step, &error, &self.rates()))?;
            return Ok(None);
        }
        let x = self.upload(batch.values.clone());
        let mut reader = Reader::default();
        reader.add(self.trainer.online.branch.encoder.infer(x.clone()));
        let read = reader.read()?;
        representation::emit_feature_views(
            &representation::rows(ENCODER.of(&self.training.params).features(), &read[0]),
            out,
        );
        let (outcome, correlation) = self.trainer.look(x, &self.hyper);
        self.read_batch(outcome, self.trainer.l2(&self.hyper), Some(correlation), out)
    }

    /// The linear evaluation, where it is asked for and this is the end.
    fn evaluate(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        if !out.is_last() {
            return Ok(());
        }
        let Some(protocol) = EVALUATION.of(&self.training.params) else { return Ok(()) };
        self.judge.evaluate(&self.trainer.online.branch, &protocol, &self.training.device, out)
    }

    fn emit_loss(&self, cosine: f64, l2: f64, out: &mut Emit<'_>) -> Result<(), RunError> {
        self.training.finite(cosine.is_finite() && l2.is_finite(), "the loss", || {
            format!("{} or the loss scale ({})", self.rates(), self.hyper.loss_scale)
        })?;
        out.scalar("loss/cosine", cosine);
        out.scalar("loss/l2", l2);
        let penalty = if self.hyper.decay_is_apart() { 0.0 } else { l2 };
        out.scalar("loss/total", self.hyper.loss_scale * cosine + penalty);
        let (before, steps) = (self.training.step.saturating_sub(1), self.training.steps);
        out.scalar("tau", self.hyper.tau_at(before, steps));
        out.scalar("rate_factor", self.hyper.plan.factor(before, steps));
        Ok(())
    }

    fn rates(&self) -> String {
        let Hyper { encoder, projector, predictor, .. } = &self.hyper;
        format!(
            "the learning rates (encoder {}, projector {}, predictor {})",
            encoder.learning_rate, projector.learning_rate, predictor.learning_rate
        )
    }
}

impl Past {
    /// Says so when the network collapses or recovers, and how it ends.
    fn observe(&mut self, check: Check, [step, steps]: [u64; 2], out: &mut Emit<'_>) {
        self.checked = Some(check);
        if let Some(said) = self.alarm.observe(check.verdict, step, steps) {
            let (level, text) = alarm::notice(said, &self.alarm, &check);
            out.notice(level, text);
        }
    }
}

fn not_finite(step: u64, error: &LinalgError, rates: &str) -> RunError {
    diverged(&format!("the eigenspaces cannot be analysed in step {step}: {error}"), rates)
}

impl Experiment for SelfSupervisedRun {
    fn begin(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        for warning in &self.data.warnings {
            out.notice(Level::Warning, warning.clone());
        }
        if let Some(fit) = &self.fit {
            let level = if fit.mismatch.is_empty() { Level::Info } else { Level::Warning };
            out.notice(level, told(fit));
        }
        if let Some(moments) = self.moments_of_data() {
            out.notice(
                Level::Info,
                format!("pictures are normalised by the training pictures' own moments: {moments}"),
            );
        }
        out.payload("protocol", Payload::Text(self.judge.protocol()));
        out.payload("classes", Payload::Text(self.data.train.class_names.join("\n")));
        let batch = self.batches.of(0);
        let read = self.emit_start(&batch, out)?;
        let judged = self.look(batch, out)?;
        self.measure(read, Some(judged), out)?;
        self.evaluate(out)
    }

    fn step(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        let batch = self.batches.next(self.training.step, self.training.steps);
        let tau = self.hyper.tau_at(self.training.step, self.training.steps);
        let done = self.training.step;
        self.training.step += 1;
        let (analysed, judged) = (self.due(self.cadence.analysis, out), self.training.due(self.cadence.probe, out));
        let wanted = analysed || self.due(self.cadence.loss, out);
        let sample = judged.then(|| batch.first(inspect::SHOWN));
        let x = self.upload(batch.values);
        let l2 = wanted.then(|| self.trainer.l2(&self.hyper));
        self.trainer.norms_wanted = wanted;
        let outcome = self.trainer.step(x, &self.hyper.at(done, self.training.steps), tau, done)?;
        let read = match l2 {
            Some(l2) => {
                let correlation = self.trainer.correlation.clone().filter(|_| analysed);
                self.read_batch(outcome, l2, correlation, out)?
            }
            None => None,
        };
        let judged = sample.map(|sample| self.look(sample, out)).transpose()?;
        self.measure(read, judged, out)?;
        self.evaluate(out)
    }

    fn stopped(&mut self, out: &mut Emit<'_>) {
        let Past { alarm, checked, .. } = &*self.past();
        if alarm.all_checks > 0 {
            let (level, text) = alarm::stopped(alarm, checked.as_ref(), self.training.step, self.training.steps);
            out.notice(level, text);
        }
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), ParamError> {
        let params = self.training.with(key, value, check_combination)?;
        self.hyper = Hyper::of(&params);
        self.cadence = Cadence::of(&params);
        self.training.params = params;
        Ok(())
    }

    fn networks(&mut self) -> Result<Vec<Network>, RunError> {
        let batch = self.batches.of(self.training.step);
        let hyper = self.hyper.at(self.training.step, self.training.steps);
        Ok(vec![self.trainer.network(self.upload(batch.values), &hyper)?])
    }

    fn checkpoint(&mut self) -> Result<Checkpoint, RunError> {
        let mut to = self.training.save();
        self.trainer.save(&mut to);
        to.host.put_f64("embedding/axes", self.past().projection.axes().to_vec());
        if let Some(moments) = self.moments_of_data() {
            to.host.put_f64(MOMENTS_OF_DATA, moments.numbers());
        }
        to.put_json("alarm", &self.past().alarm)?;
        to.finish()
    }

    fn restore(&mut self, from: &Checkpoint) -> Result<(), RunError> {
        let load = self.training.load(from)?;
        self.trainer.load(&load)?;
        let axes = from.tensors.get("embedding/axes").map_or(0, |axes| axes.shape.iter().product());
        let mut past = self.past();
        past.projection.set_axes(from.get_f64("embedding/axes", axes)?.to_vec());
        // Words, not training: an alarm that another version wrote starts anew.
        past.alarm = load.json("alarm").unwrap_or_default();
        Ok(())
    }
}
