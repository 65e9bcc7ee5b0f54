//! The training run as the engine drives it.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use crate::compute::linalg::LinalgError;
use crate::compute::readback::Reader;
use crate::data::images::ImageData;
use crate::engine::emit::Emit;
use crate::engine::event::{Level, Payload};
use crate::engine::experiment::{BuildRequest, Checkpoint, Experiment, RunError};
use crate::engine::params::{ParamError, Params, Value};
use crate::metrics::collapse::Alarm;
use crate::metrics::linear_probe::ProbeProtocol;
use crate::nn::parameters::Init;
use crate::watch::Watch;

use super::alarm::{self, Check};
use super::batches::{Batch, Batches};
use super::inspect;
use super::judge::Judge;
use super::network::{EncoderKind, Shape};
use super::params::{Hyper, check_combination};
use super::trainer::{Outcome, Trainer, VIEWS, device_error};
use super::{eigen, source};

/// A run.
struct SelfSupervisedRun {
    params: Params,
    hyper: Hyper,
    cadence: Cadence,
    /// Completed steps, and how many there will be.
    step: u64,
    steps: u64,
    data: Arc<ImageData>,
    batches: Batches,
    trainer: Trainer,
    judge: Judge,
    alarm: Alarm,
    device: Device,
    /// What a checkpoint belongs to.
    fingerprint: String,
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
        let every = |key: &str| params.int(key) as u64;
        Self { loss: every("loss_every"), analysis: every("analysis_every"), probe: every("probe_every") }
    }
}

/// The networks that these parameters ask for, for pictures of so many channels.
pub fn shape(params: &Params, channels: usize) -> Shape {
    Shape {
        channels,
        encoder: EncoderKind::of(params),
        two_layers: params.text("predictor_layers") == "two",
        init: if params.text("init") == "glorot" { Init::Glorot } else { Init::Torch },
        independent_target: params.text("target_init") == "independent",
    }
}

/// Builds the run; see [`crate::engine::experiment::BuildFn`].
pub fn build(request: &BuildRequest<'_>) -> Result<Box<dyn Experiment>, RunError> {
    let params = request.params;
    source::check(params)?;
    let device = request.device.clone().without_autodiff();
    let data = source::images(params, Watch::nobody())?;
    let recipe = source::recipe(params);
    let shape = shape(params, data.train.channels);
    let measured = (params.int("probe_train") as usize, params.int("probe_test") as usize);
    let batch = params.int("batch_size") as usize;
    let fingerprint = format!(
        "{shape:?} on {} pictures {:08x}, {recipe:?}, batches of {batch}, seed {}",
        data.train.len(),
        data.train.checksum(),
        request.seed
    );
    Ok(Box::new(SelfSupervisedRun {
        hyper: Hyper::of(params),
        cadence: Cadence::of(params),
        step: 0,
        steps: request.steps,
        batches: Batches::new(data.clone(), recipe, request.seed, batch),
        trainer: Trainer::new(&shape, request.seed, &device)?,
        judge: Judge::new(&data, recipe, shape.encoder, measured, params.int("data_seed") as u64, &device),
        alarm: Alarm::default(),
        params: params.clone(),
        data,
        device,
        fingerprint,
    }))
}

impl SelfSupervisedRun {
    /// Whether a measurement with this cadence is due now. Step 1 has the first F, so the eigenspaces start there.
    fn due(&self, every: u64, out: &Emit<'_>) -> bool {
        self.step == 1 || self.step.is_multiple_of(every.max(1)) || out.is_last()
    }

    fn upload(&self, batch: &Batch) -> Tensor<4> {
        let set = &self.data.train;
        let shape = [VIEWS * batch.indices.len(), set.channels, set.height, set.width];
        Tensor::from_data(TensorData::new(batch.values.clone(), shape), &self.device)
    }

    /// Reads and emits what is due; `l2`: the L2 part of the loss before the update, as the cosine part is.
    fn measure(
        &mut self,
        batch: &Batch,
        outcome: Outcome,
        l2: Option<Tensor<1>>,
        out: &mut Emit<'_>,
    ) -> Result<(), RunError> {
        let analysis = self.due(self.cadence.analysis, out);
        let mut check = None;
        if let Some(l2) = l2 {
            let mut reader = Reader::default();
            let cosine = reader.add(outcome.cosine);
            let l2 = reader.add(l2);
            let correlation = self.trainer.correlation.clone().filter(|_| analysis);
            let analysed = correlation.map(|correlation| {
                [
                    reader.add(correlation.second_moment),
                    reader.add(correlation.mean),
                    reader.add(outcome.z),
                    reader.add(self.trainer.online.predictor.matrix()),
                ]
            });
            let outputs = (analysis && self.hyper.fitted_map).then(|| reader.add(outcome.p));
            let read = reader.read().map_err(device_error)?;
            self.emit_loss(f64::from(read[cosine][0]), f64::from(read[l2][0]), out)?;
            if let Some([second_moment, mean, z, wp]) = analysed {
                let read = eigen::Read {
                    second_moment: &read[second_moment],
                    mean: &read[mean],
                    z: &read[z],
                    wp: &read[wp],
                    p: outputs.map(|at| read[at].as_slice()),
                    vanished: self.trainer.f_vanished,
                };
                check = Some(eigen::emit(&read, &self.hyper, out).map_err(|error| self.not_finite(error))?);
            }
        }
        if self.step.is_multiple_of(self.cadence.probe.max(1)) || out.is_last() {
            self.alarm.judged(self.judge.emit(&self.trainer.online.branch, out)?);
            inspect::emit(&self.data.train, batch, source::recipe(&self.params), out);
        }
        if let Some(check) = check {
            self.observe(&check, out);
        }
        if out.is_last() && self.params.text("evaluation") != "none" {
            let protocol = match self.params.text("evaluation") {
                "luckmatters" => ProbeProtocol::LUCKMATTERS,
                _ => ProbeProtocol::REPLICATION,
            };
            let recipe = source::recipe(&self.params);
            self.judge.evaluate(&self.data, recipe, &self.trainer.online.branch, &protocol, &self.device, out)?;
        }
        Ok(())
    }

    fn emit_loss(&self, cosine: f64, l2: f64, out: &mut Emit<'_>) -> Result<(), RunError> {
        if !(cosine.is_finite() && l2.is_finite()) {
            return Err(RunError::Diverged(format!(
                "the loss is no longer a number in step {}: the weights have run away. Lower the learning rates \
                 (encoder {}, projector {}, predictor {}) or the loss scale ({}) and start again",
                self.step,
                self.hyper.encoder.learning_rate,
                self.hyper.projector.learning_rate,
                self.hyper.predictor.learning_rate,
                self.hyper.loss_scale
            )));
        }
        out.scalar("loss/cosine", cosine);
        out.scalar("loss/l2", l2);
        out.scalar("loss/total", self.hyper.loss_scale * cosine + l2);
        out.scalar("tau", self.hyper.tau_at(self.step.saturating_sub(1), self.steps));
        Ok(())
    }

    /// Says so when the network collapses or recovers, and how it ends.
    fn observe(&mut self, check: &Check, out: &mut Emit<'_>) {
        if let Some(said) = self.alarm.observe(check.verdict, self.step, self.steps) {
            let (level, text) = alarm::notice(said, &self.alarm, check);
            out.notice(level, text);
        }
    }

    fn not_finite(&self, error: LinalgError) -> RunError {
        RunError::Diverged(format!(
            "the eigenspaces cannot be analysed in step {}: {error}. Lower the learning rates (encoder {}, projector {}, \
             predictor {}) and start again",
            self.step,
            self.hyper.encoder.learning_rate,
            self.hyper.projector.learning_rate,
            self.hyper.predictor.learning_rate
        ))
    }
}

impl Experiment for SelfSupervisedRun {
    fn begin(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        for warning in &self.data.warnings {
            out.notice(Level::Warning, warning.clone());
        }
        out.payload("protocol", Payload::Text(self.judge.protocol()));
        out.payload("classes", Payload::Text(self.data.train.class_names.join("\n")));
        let mut reader = Reader::default();
        let wp = self.trainer.online.predictor.matrix();
        let d = wp.dims()[0];
        reader.add(wp);
        let read = reader.read().map_err(device_error)?;
        eigen::emit_untrained(&read[0], d, out).map_err(|error| self.not_finite(error))?;
        self.alarm.judged(self.judge.emit(&self.trainer.online.branch, out)?);
        let batch = self.batches.of(0);
        inspect::emit(&self.data.train, &batch, source::recipe(&self.params), out);
        Ok(())
    }

    fn step(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        let batch = self.batches.of(self.step);
        let tau = self.hyper.tau_at(self.step, self.steps);
        let x = self.upload(&batch);
        let done = self.step;
        self.step += 1;
        let wanted = self.due(self.cadence.loss, out) || self.due(self.cadence.analysis, out);
        let l2 = wanted.then(|| self.trainer.l2(&self.hyper));
        let outcome = self.trainer.step(x, &self.hyper, tau, done)?;
        self.measure(&batch, outcome, l2, out)
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), ParamError> {
        let mut params = self.params.clone();
        params.put(key, value.clone());
        check_combination(&params)?;
        self.hyper = Hyper::of(&params);
        self.cadence = Cadence::of(&params);
        self.params = params;
        Ok(())
    }

    fn checkpoint(&mut self) -> Result<Checkpoint, RunError> {
        let mut to = Checkpoint { step: self.step, ..Checkpoint::default() };
        self.trainer.save(&mut to)?;
        to.put_f64("embedding/axes", self.judge.axes().to_vec());
        let alarm = serde_json::to_string(&self.alarm).map_err(|error| RunError::Checkpoint(error.to_string()))?;
        to.text.insert("alarm".to_owned(), alarm);
        to.put_run(&self.fingerprint);
        Ok(to)
    }

    fn restore(&mut self, from: &Checkpoint) -> Result<(), RunError> {
        from.check_run(&self.fingerprint)?;
        self.trainer.load(from)?;
        let axes = from.tensors.get("embedding/axes").map_or(0, |axes| axes.shape.iter().product());
        self.judge.set_axes(from.get_f64("embedding/axes", axes)?.to_vec());
        // Words, not training: an alarm that another version wrote starts anew.
        self.alarm = serde_json::from_str(from.get_text("alarm")?).unwrap_or_default();
        self.step = from.step;
        Ok(())
    }
}
