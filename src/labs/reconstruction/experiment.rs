//! The training run as the engine drives it.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::Device;
use rayon::prelude::*;

use crate::compute::readback::Reader;
use crate::compute::streams;
use crate::data::augment::View;
use crate::data::fundus::named;
use crate::engine::emit::Emit;
use crate::engine::event::{Level, Payload};
use crate::engine::experiment::{BuildRequest, Checkpoint, Experiment, RunError};
use crate::engine::params::{ParamError, Params, Value};
use crate::kit::training::Training;
use crate::landscape::Network;
use crate::metrics::knn::Labelled;
use crate::metrics::linear_probe::{ProbeProtocol, linear_probe};
use crate::metrics::projection::Projection;
use crate::nn::reconstruction::Autoencoder;
use crate::nn::reconstruction::spec::{NetSpec, cost, in_the_article};
use crate::nn::reconstruction::weights::{self, Fit};
use crate::pixels::mask::Mask;
use crate::pixels::resize::Size;
use crate::watch::Watch;

use super::active::{self, Active, Asking, Labels};
use super::balance::{self, Rule};
use super::between;
use super::judge::{Each, Judged, field_of_view, judge_each, quality, rebuild, scores};
use super::looks::{report_cams, report_occlusion};
use super::params::{
    BATCH, GIVEN, Hyper, LABELLED_SHARE, LAMBDA, LOOPED, ORACLE, PHASE_STEPS, QUERY, QUERY_COUNT, QUERY_EVERY, RESTART,
    ROUTINES, Restart, Routine, SWITCH_NOW, WEIGHTS, check_combination, net_spec, rule,
};
use super::parts;
use super::query::Query;
use super::sampler::{Kind, Pools, Sampler};
use super::source::{self, FundusData};
use super::survival::{self, Probe, Survivors};
use super::trainer::{Batch, Losses, Plan, Trainer};

/// Most units of the classifier that may be dead before that is said.
const UNITS: usize = 4;
/// How fast GradNorm moves.
const GRADNORM_RATE: f64 = 0.1;

/// A run.
struct ReconstructionRun {
    training: Training,
    hyper: Hyper,
    routine: Routine,
    data: Arc<FundusData>,
    /// Labelled pictures whose labels are used from the beginning.
    first: Vec<usize>,
    /// Grades by hand.
    given: Vec<(usize, u8)>,
    active: Active,
    /// What follows from these three.
    labels: Labels,
    sampler: Sampler,
    /// Where the sampler's first epoch began: its step and its number.
    origin: [u64; 2],
    /// Completed steps after which the second phase begins (AE then CL), and whether it has.
    phase_two: u64,
    second: bool,
    trainer: Trainer,
    lambda: f64,
    /// Labelled batches so far.
    labelled_batches: u64,
    /// Losses at the first measurement of their gradients, for GradNorm.
    first_losses: Option<[f64; 2]>,
    /// Of the codes measured last, which is done beside the training.
    projection: Arc<Mutex<Projection>>,
    /// Pictures of the wall with their fields of view.
    wall: Arc<[(usize, Mask)]>,
    /// Lesions of test pictures.
    probes: Vec<Vec<Probe>>,
    /// Points of the map of codes between which was decoded last.
    between: Option<[usize; 2]>,
    /// It was said that every unit is dead.
    dead_told: bool,
    news: Vec<(Level, String)>,
    /// What has become of the file that the weights started from.
    fit: Option<Fit>,
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
    let data = source::load(params, Watch::nobody())?.for_run(params, request.seed);
    let spec = net_spec(params);
    let batch = BATCH.of(params);
    let fingerprint = format!(
        "{} on {} labelled and {} unlabelled pictures {:08x}, batches of {batch}, seed {}",
        spec.describe(),
        data.labelled.len(),
        data.unlabelled.len(),
        data.checksum(),
        request.seed
    );
    let training = Training::new(request, "run", fingerprint);
    let (net, fit) = initial(weights, &spec, request.seed, &training.device)?;
    let routine = ROUTINES.of(params);
    let first = data.with_labels(LABELLED_SHARE.of(params), request.seed);
    let given = active::given(GIVEN.of(params), &data)?;
    let wall = data.wall().into_iter().map(|i| (i, field_of_view(&data.pictures[i].planes, data.size))).collect();
    let probes = |&i: &usize| {
        let picture = &data.pictures[i];
        // Of those without lesions there is nothing to find.
        if picture.lesions.is_empty() {
            return Vec::new();
        }
        survival::probes(picture, data.size, &field_of_view(&picture.planes, data.size))
    };
    let probes = data.test[..data.test.len().min(survival::MOST)].par_iter().map(probes).collect();
    let mut run = ReconstructionRun {
        hyper: Hyper::of(params),
        routine,
        labels: Labels::of(&data, &first, &[], &given),
        first,
        given,
        active: Active::default(),
        sampler: Sampler::new(Pools { labelled: 0, unlabelled: 0, batch: 1, looped: false }, 0),
        origin: [0, 0],
        phase_two: PHASE_STEPS.of(params) as u64,
        second: false,
        trainer: Trainer::new(net, spec.head, rule(params), &training.device),
        lambda: LAMBDA.of(params),
        labelled_batches: 0,
        first_losses: None,
        projection: Arc::default(),
        wall,
        probes,
        between: None,
        dead_told: false,
        news: Vec::new(),
        fit,
        training,
        data,
    };
    run.draw_anew();
    Ok(Box::new(run))
}

/// Random weights of the seed, or those of a file as far as they fit.
fn initial(path: &str, spec: &NetSpec, seed: u64, device: &Device) -> Result<(Autoencoder, Option<Fit>), RunError> {
    let net = Autoencoder::new(spec, seed, device).map_err(|error| RunError::Device(error.to_string()))?;
    if path.is_empty() {
        return Ok((net, None));
    }
    let started = weights::open(Path::new(path)).and_then(|file| weights::start_from(&file, net, spec, device));
    let (net, fit) = started.map_err(|error| ParamError::invalid(WEIGHTS.key(), error))?;
    Ok((net, Some(fit)))
}

impl ReconstructionRun {
    /// Whether unlabelled pictures alone are rebuilt now. Where all got labels there is nothing for it.
    fn in_first_phase(&self) -> bool {
        self.routine == Routine::AeThenCl && !self.second && !self.labels.unlabelled.is_empty()
    }

    /// The sampler for what is drawn from now.
    fn draw_anew(&mut self) {
        let (labelled, unlabelled) = (self.labels.labelled.len(), self.labels.unlabelled.len());
        let [labelled, unlabelled] = match self.routine {
            Routine::Supervised | Routine::LabelledAlso => [labelled, 0],
            Routine::AeThenCl if self.in_first_phase() => [0, unlabelled],
            Routine::AeThenCl => [labelled, 0],
            Routine::Combined => [labelled, unlabelled],
        };
        let params = &self.training.params;
        let looped = self.routine == Routine::Combined && LOOPED.of(params);
        let pools = Pools { labelled, unlabelled, batch: BATCH.of(params) as usize, looped };
        self.sampler = Sampler::new(pools, self.training.seed);
    }

    /// From the next step on an epoch begins, of other pictures than before.
    fn begin_epoch(&mut self) {
        let [step, epoch] = self.origin;
        let per_epoch = self.sampler.pools.per_epoch().max(1) as u64;
        let begun = (self.training.step - step).div_ceil(per_epoch).max(1);
        self.origin = [self.training.step, epoch + begun];
        self.draw_anew();
    }

    /// What the step after `step` completed ones learns from: kind, epoch and place of the batch, and the batch.
    fn batch(&mut self) -> (Kind, u64, usize, Batch) {
        let [from, first] = self.origin;
        let drawn = self.sampler.at(self.training.step - from, first);
        let pool = if drawn.kind == Kind::Labelled { &self.labels.labelled } else { &self.labels.unlabelled };
        let indices: Vec<usize> = drawn.indices.iter().map(|&i| pool[i]).collect();
        let size = Size { height: self.data.size, width: self.data.size };
        let (seed, step, views) = (self.training.seed, self.training.step, &self.hyper.views);
        let seen = |(k, &i): (usize, &usize)| {
            let picture = self.data.pictures[i].values();
            let rng = &mut streams::FUNDUS_VIEWS.open(seed, (step << 16) + k as u64);
            View::draw(views, size, rng).image(&picture, size)
        };
        let images: Vec<Vec<f32>> = indices.par_iter().enumerate().map(seen).collect();
        let grade = |i: &usize| self.labels.grade(&self.data, *i);
        let grades = (drawn.kind == Kind::Labelled).then(|| indices.iter().map(grade).collect());
        (drawn.kind, drawn.epoch, drawn.place, Batch { images: images.concat(), size: self.data.size, grades })
    }

    fn begin_second_phase(&mut self, out: &mut Emit<'_>) {
        self.second = true;
        self.trainer.begin_phase();
        self.begin_epoch();
        out.notice(Level::Info, format!("second phase: labelled pictures from step {} on", self.training.step + 1));
    }

    /// Whether the number of labels is worth being told.
    fn counts_labels(&self) -> bool {
        QUERY.of(&self.training.params).is_some() || self.labels.labelled.len() != self.first.len()
    }

    /// The first weights of the seed, where these values ask for them after labels were added.
    fn fresh(&self, params: &Params) -> Result<Option<Autoencoder>, RunError> {
        if RESTART.of(params) == Restart::Warm {
            return Ok(None);
        }
        let net = Autoencoder::new(&net_spec(params), self.training.seed, &self.training.device);
        net.map(Some).map_err(|error| RunError::Device(error.to_string()))
    }

    /// Labels have come or gone: training goes on from these weights, or from its own, in a new epoch.
    fn relabel(&mut self, fresh: Option<Autoencoder>) {
        self.labels = Labels::of(&self.data, &self.first, &self.active.answered, &self.given);
        if let Some(net) = fresh {
            self.trainer.net = net;
            self.lambda = LAMBDA.of(&self.training.params);
            self.first_losses = None;
            self.phase_two = self.training.step + PHASE_STEPS.of(&self.training.params) as u64;
            self.second = false;
        }
        self.trainer.forget();
        self.begin_epoch();
    }

    /// Where it is time, asks for the labels that the network of now would learn most from.
    fn ask(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        let params = &self.training.params;
        let Some(query) = QUERY.of(params) else { return Ok(()) };
        let due = self.training.step.is_multiple_of(QUERY_EVERY.of(params).max(1) as u64);
        let oracle = ORACLE.of(params);
        // Whoever looks at pictures keeps them until one is labelled.
        let looked_at = !oracle && !self.active.waiting.is_empty();
        if !due || out.is_last() || self.in_first_phase() || looked_at && self.is_untouched() {
            return Ok(());
        }
        // An oracle can tell only grades that it knows.
        let known = |i: &usize| self.data.pictures[*i].grade.is_some();
        let pool: Vec<usize> = self.labels.pool.iter().copied().filter(|i| !oracle || known(i)).collect();
        if pool.is_empty() {
            if !std::mem::replace(&mut self.active.empty_told, true) {
                out.notice(Level::Info, match self.labels.pool.len() {
                    0 => "every picture to train on has a label: nothing is left to ask for".to_owned(),
                    left => format!(
                        "none of the {left} pictures without a label has a grade for the oracle to tell; with {}=off you grade \
                         them yourself",
                        ORACLE.key()
                    ),
                });
            }
            return Ok(());
        }
        let (net, data, labels) = (&self.trainer.net, &*self.data, &self.labels);
        let (seed, step, device) = (self.training.seed, self.training.step, &self.training.device);
        let asking = Asking { net, data, labels, pool: &pool, seed, step, device };
        let found = asking.ask(query, QUERY_COUNT.of(params) as usize)?;
        self.training.finite(!found.iter().any(|(_, score)| score.is_nan()), "the score of a picture", || {
            format!("the learning rate ({})", self.hyper.learning_rate)
        })?;
        let chosen: Vec<usize> = found.iter().map(|(i, _)| *i).collect();
        self.active.rounds += 1;
        out.scalar("pool", pool.len() as f64);
        self.show_asked(query, &found, pool.len(), |_| oracle, out);
        let (round, name) = (self.active.rounds, QUERY.item(params).map_or("", |item| item.label));
        let asked = format!("round {round}: {} of {} pictures asked for by {name}", found.len(), pool.len());
        let names = named(chosen.iter().map(|i| self.data.pictures[*i].name.as_str()));
        out.notice(
            Level::Info,
            if oracle {
                format!("{asked}; {} answered by the oracle", found.len())
            } else {
                format!("{asked}; {} wait for your grade in the tile Label next: {names}", found.len())
            },
        );
        let (answered, waiting) = if oracle { (chosen, Vec::new()) } else { (Vec::new(), chosen) };
        self.active.waiting = waiting;
        if !answered.is_empty() {
            let fresh = self.fresh(&self.training.params)?;
            self.active.answered.extend(answered);
            self.relabel(fresh);
        }
        Ok(())
    }

    /// No picture of the newest round has got its label.
    fn is_untouched(&self) -> bool {
        self.active.waiting.iter().all(|i| self.labels.pool.contains(i))
    }

    /// What the tile Label next shows; grades are told where the oracle gives them.
    fn show_asked(
        &self,
        query: Query,
        found: &[(usize, f64)],
        pool: usize,
        known: impl Fn(&usize) -> bool,
        out: &mut Emit<'_>,
    ) {
        let (name, unit) = query.score();
        let by = QUERY.item(&self.training.params).map_or("", |item| item.label);
        let mut lines = vec![format!("{}\t{by}\t{pool}\t{name}\t{unit}", self.active.rounds)];
        for (k, (i, score)) in found.iter().enumerate() {
            let shown = &self.data.pictures[*i];
            let grade = shown.grade.filter(|_| known(i)).map_or("?".to_owned(), |grade| grade.to_string());
            lines.push(format!("{}\t{grade}\t{}\t{score}", shown.name, self.data.hospitals[shown.hospital]));
            out.payload(&format!("query/picture/{k}"), picture(&shown.values(), self.data.size));
        }
        out.payload("query/asked", Payload::Text(lines.join("\n")));
    }

    fn plan(&self, kind: Kind) -> Plan {
        let rebuild = match self.routine {
            Routine::Supervised => false,
            Routine::AeThenCl => self.in_first_phase(),
            Routine::Combined | Routine::LabelledAlso => true,
        };
        let lambda = if matches!(self.routine, Routine::Combined | Routine::LabelledAlso) { self.lambda } else { 1.0 };
        let two = self.routine == Routine::AeThenCl && self.second;
        Plan {
            rebuild,
            classify: (kind == Kind::Labelled).then_some(lambda),
            frozen: two && self.training.step < self.phase_two + self.hyper.freeze,
        }
    }

    /// Measures the gradients of both losses and moves λ.
    fn balance(&mut self, batch: &Batch, out: &mut Emit<'_>) -> Result<(), RunError> {
        let Some((pull, losses)) = self.trainer.pull(batch, &self.hyper)? else { return Ok(()) };
        out.scalar("gradient/reconstruction", pull.reconstruction);
        out.scalar("gradient/classification", pull.classification);
        out.scalar("gradient/cosine", pull.cosine);
        if let Some(ratio) = pull.ratio() {
            out.scalar("gradient/ratio", ratio);
        }
        let first = *self.first_losses.get_or_insert(losses);
        self.lambda = match self.hyper.rule {
            Rule::GradNorm => {
                balance::grad_norm_lambda(self.lambda, &pull, losses, first, self.hyper.pace, GRADNORM_RATE)
            }
            rule => balance::next(rule, self.lambda, &pull, self.hyper.pull),
        };
        Ok(())
    }

    fn emit_losses(
        &mut self,
        losses: Losses,
        [epoch, place]: [u64; 2],
        plan: &Plan,
        out: &mut Emit<'_>,
    ) -> Result<(), RunError> {
        let mut reader = Reader::default();
        let mut add = |loss: Option<burn::tensor::Tensor<1>>| loss.map(|loss| reader.add(loss));
        let (ae, cl, grades) = (add(losses.reconstruction), add(losses.classification), add(losses.grades));
        let units = losses.units.map(|units| reader.add(units));
        let read = reader.read()?;
        let number = |at: Option<usize>| at.map(|at| f64::from(read[at][0]));
        let (ae, cl) = (number(ae), number(cl));
        let finite = ae.into_iter().chain(cl).all(f64::is_finite);
        self.training.finite(finite, "the loss", || {
            format!("the learning rate ({}) or λ ({})", self.hyper.learning_rate, self.lambda)
        })?;
        if let Some(loss) = ae {
            out.scalar("loss/reconstruction", loss);
        }
        if let Some(loss) = cl {
            out.scalar("loss/classification", loss);
        }
        if let Some(loss) = number(grades) {
            out.scalar("loss/grades", loss);
        }
        if plan.classify.is_some() && plan.rebuild {
            out.scalar("lambda", plan.classify.unwrap_or_default());
            out.scalar("loss/total", balance::combined(ae.unwrap_or_default(), cl, plan.classify.unwrap_or_default()));
        }
        let [from, first] = self.origin;
        let begun = (self.training.step - from) as f64 / self.sampler.pools.per_epoch().max(1) as f64;
        out.scalar("epoch", first as f64 + begun);
        let labelled = f64::from(u8::from(cl.is_some()));
        out.rows("strip", vec![epoch as f64, place as f64, labelled, cl.unwrap_or(-1.0)]);
        if let Some(units) = units {
            let alive = (0..UNITS)
                .filter(|unit| read[units].iter().skip(*unit).step_by(UNITS).any(|value| *value != 0.0))
                .count();
            out.scalar("dead_units", (UNITS - alive) as f64);
            if alive == 0 && !std::mem::replace(&mut self.dead_told, true) {
                out.notice(
                    Level::Warning,
                    "all four units of the classifier are 0 for a whole batch: every picture gets the same answer, and nothing is \
                     learned from labels any more. Start again with leaky=on, a lower learning rate or another seed",
                );
            }
        }
        Ok(())
    }

    /// Judges validation, test and unseen pictures.
    fn measure(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        let data = self.data.clone();
        let parts = ["validation", "test", "unseen"].map(|name| (name, part(&data, name)));
        let mut answers = Vec::new();
        // A decoder that learns nothing has nothing to show.
        let rebuild = self.routine != Routine::Supervised;
        for (name, indices) in parts.into_iter().filter(|(_, indices)| !indices.is_empty()) {
            let mut survivors = Survivors::default();
            let mut find = |k: usize, rebuilt: &[f32]| {
                if let Some(probes) = self.probes.get(k) {
                    survivors.add(probes, rebuilt);
                }
            };
            let each: Option<Each<'_>> = if name == "test" { Some(&mut find) } else { None };
            let judged = judge_each(&self.trainer.net, &data, indices, rebuild, &self.training.device, each)?;
            survivors.report(out);
            self.training.finite(judged.is_finite(), &format!("the answer to {name} pictures"), || {
                format!("the learning rate ({})", self.hyper.learning_rate)
            })?;
            answers.push((name, judged));
        }
        report_cams(&self.trainer.net, &data, &self.wall, &self.training.device, out)?;
        let projection = self.projection.clone();
        out.later(move |out| {
            let mut codes = Vec::new();
            for (name, judged) in answers {
                emit_scores(name, &judged, &data, out);
                if name != "validation" {
                    codes.push(judged.codes);
                }
            }
            emit_codes(&codes, &data, &mut projection.lock().unwrap_or_else(PoisonError::into_inner), out);
            Ok(())
        })
    }

    fn projection(&self) -> MutexGuard<'_, Projection> {
        self.projection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is decoded between two codes. A number beyond the last picture means the last one.
    fn interpolate(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        self.between = Some(self.hyper.between);
        let points = points(&self.data);
        // A decoder that learns nothing has nothing to show.
        if self.routine == Routine::Supervised || points.is_empty() {
            return Ok(());
        }
        let pair = self.hyper.between.map(|point| point.min(points.len() - 1));
        let indices = pair.map(|point| points[point]);
        let strip = between::interpolation(&self.trainer.net, &self.data, indices, &self.training.device)?;
        if let Some(strip) = strip {
            out.payload("interpolation/strip", strip);
            let values = pair.map(|point| point as f32).into();
            out.payload("interpolation/pair", Payload::Matrix { rows: 1, cols: 2, values });
        }
        Ok(())
    }

    /// The wall: originals and what the network makes of them.
    fn show_wall(&self, out: &mut Emit<'_>) -> Result<(), RunError> {
        // A decoder that learns nothing has nothing to show.
        if self.routine == Routine::Supervised {
            return Ok(());
        }
        let indices: Vec<usize> = self.wall.iter().map(|(i, _)| *i).collect();
        let Some(rebuilt) = rebuild(&self.trainer.net, &self.data, &indices, &self.training.device)? else {
            return Ok(());
        };
        let (data, wall) = (self.data.clone(), self.wall.clone());
        out.later(move |out| {
            let mut numbers = Vec::new();
            for (k, ((i, field), values)) in wall.iter().zip(&rebuilt).enumerate() {
                out.payload(&format!("wall/rebuilt/{k}"), picture(values, data.size));
                let found = quality(&data.pictures[*i].planes, values, data.size, field);
                numbers.extend([found.mse, found.mse_within, found.psnr_within, found.ssim_within].map(|v| v as f32));
            }
            out.payload("wall/quality", Payload::Matrix { rows: wall.len() as u32, cols: 4, values: numbers });
            Ok(())
        })
    }

    /// What does not change while the run goes on.
    fn introduce(&self, out: &mut Emit<'_>) {
        out.payload("data/summary", Payload::Text(self.data.summary.join("\n")));
        out.payload("data/split", parts::table(&self.data));
        for line in &self.data.report {
            out.notice(Level::Info, format!("data: {line}"));
        }
        for warning in &self.data.warnings {
            out.notice(Level::Warning, format!("data: {warning}"));
        }
        for (name, indices) in [("validation", &self.data.validation), ("test", &self.data.test)] {
            let ill = indices.iter().filter(|&&i| self.data.pictures[i].is_ill()).count();
            if !indices.is_empty() && (ill == 0 || ill == indices.len()) {
                let are = if ill == 0 { "healthy" } else { "ill" };
                out.notice(
                    Level::Warning,
                    format!("data: all {} {name} pictures are {are}: they have no AUC", indices.len()),
                );
            }
        }
        let mut network = card(&net_spec(&self.training.params));
        network.extend(self.fit.iter().flat_map(Fit::card));
        out.payload("network", Payload::Text(network.join("\n")));
        let line = |&i: &usize| {
            let picture = &self.data.pictures[i];
            let grade = picture.grade.map_or("?".to_owned(), |grade| grade.to_string());
            format!("{}\t{grade}\t{}", picture.name, self.data.hospitals[picture.hospital])
        };
        let lines = |indices: &[usize]| Payload::Text(indices.iter().map(line).collect::<Vec<_>>().join("\n"));
        let wall: Vec<usize> = self.wall.iter().map(|(i, _)| *i).collect();
        out.payload("wall/names", lines(&wall));
        out.payload("names/validation", lines(&self.data.validation));
        out.payload("names/test", lines(&self.data.test));
        out.payload("names/unseen", lines(&self.data.unseen));
        out.payload("latent/thumbnails", between::thumbnails(&self.data, &points(&self.data)));
        let side = self.data.size as u32;
        for (k, (i, _)) in self.wall.iter().enumerate() {
            let original = &self.data.pictures[*i];
            out.payload(&format!("wall/original/{k}"), picture(&original.values(), self.data.size));
            let mut labels = vec![0_u8; self.data.size * self.data.size];
            for lesion in &original.lesions {
                let mask = lesion.mask(self.data.size, self.data.size);
                labels
                    .iter_mut()
                    .zip(mask.pixels())
                    .filter(|(_, inside)| **inside)
                    .for_each(|(label, _)| *label = lesion.kind as u8 + 1);
            }
            out.payload(&format!("wall/lesions/{k}"), Payload::Mask { width: side, height: side, labels });
        }
    }
}

/// The pictures whose codes are shown, in the order of the points.
fn points(data: &FundusData) -> Vec<usize> {
    data.test.iter().chain(&data.unseen).copied().collect()
}

/// The pictures of a part that is measured.
fn part<'a>(data: &'a FundusData, name: &str) -> &'a [usize] {
    match name {
        "validation" => &data.validation,
        "test" => &data.test,
        _ => &data.unseen,
    }
}

/// Emits how good the answers to the pictures of a part are.
fn emit_scores(name: &str, judged: &Judged, data: &FundusData, out: &mut Emit<'_>) {
    let indices = part(data, name);
    let found = scores(judged, data, indices);
    // Of the classifier nothing is known before it has learned.
    let numbers = [
        ("accuracy", found.counts.accuracy()),
        ("auc", found.auc),
        ("calibration", found.calibration),
        ("kappa", found.kappa),
    ];
    for (what, number) in numbers {
        if let Some(number) = number {
            out.scalar(&format!("{what}/{name}"), number);
        }
    }
    if !judged.errors.is_empty() {
        let mean = judged.errors.iter().sum::<f64>() / judged.errors.len() as f64;
        out.scalar(&format!("mse/{name}"), mean);
    }
    let row = |k: usize| {
        let grade = judged.grades.as_ref().map_or(-1.0, |grades| grades[k] as f32);
        [judged.probabilities[k] as f32, grade, judged.errors.get(k).map_or(f32::NAN, |error| *error as f32)]
    };
    let values = (0..indices.len()).flat_map(row).collect();
    out.payload(&format!("scores/{name}"), Payload::Matrix { rows: indices.len() as u32, cols: 3, values });
}

/// Codes of test pictures (and of the unseen hospital), along their two widest directions, and how well hospitals can be told
/// from them.
fn emit_codes(codes: &[Vec<f32>], data: &FundusData, projection: &mut Projection, out: &mut Emit<'_>) {
    let indices = points(data);
    let all = codes.concat();
    let d = all.len() / indices.len().max(1);
    if d == 0 {
        return;
    }
    if let Some(xy) = projection.look(&all, d) {
        let classes = indices.iter().map(|&i| data.pictures[i].grade.map_or(0, u32::from)).collect();
        out.payload("latent/points", Payload::Points { xy, classes });
    }
    out.payload("latent/codes", Payload::Matrix { rows: indices.len() as u32, cols: d as u32, values: all.clone() });
    // Fitted on every second test picture, judged on the others.
    let test = data.test.len();
    let half = |odd: usize| {
        let rows = (0..test).filter(move |k| k % 2 == odd);
        let features: Vec<f32> = rows.clone().flat_map(|k| all[k * d..(k + 1) * d].iter().copied()).collect();
        let labels: Vec<usize> = rows.map(|k| data.pictures[indices[k]].hospital).collect();
        (features, labels)
    };
    let ((fit, fit_labels), (held, held_labels)) = (half(0), half(1));
    let classes = data.hospitals.len();
    let fitted = Labelled { features: &fit, labels: &fit_labels, d, classes };
    let judged = Labelled { features: &held, labels: &held_labels, d, classes };
    if let Ok(accuracy) = linear_probe(&fitted, &judged, &ProbeProtocol::RIDGE, 0) {
        out.scalar("hospital_probe", accuracy);
    }
}

/// What a network is and costs, in lines.
pub fn card(spec: &NetSpec) -> Vec<String> {
    let cost = cost(spec);
    let mut lines = vec![
        spec.describe(),
        format!(
            "{} parameters: encoder {}, decoder {}, classifier {}",
            cost.parameters(),
            cost.encoder,
            cost.decoder,
            cost.classifier
        ),
    ];
    lines.extend(in_the_article(spec.family));
    if cost.shared > 0 {
        lines.push(format!("of which {} serve both encoder and decoder", cost.shared));
    }
    let pixels = 3 * spec.size * spec.size;
    lines.push(format!("code of {} numbers for {pixels} ({:.0}:1)", cost.code(), pixels as f64 / cost.code() as f64));
    lines.push(format!("maps of one picture: {:.1} MB", cost.maps_bytes() as f64 / 1e6));
    lines
}

/// `[3, S, S]` in [0, 1] as a picture.
fn picture(values: &[f32], size: usize) -> Payload {
    let plane = size * size;
    let at = |channel: usize, i: usize| (values[channel * plane + i] * 255.0).round() as u8;
    let rgba = (0..plane).flat_map(|i| [at(0, i), at(1, i), at(2, i), 255]).collect();
    Payload::Image { width: size as u32, height: size as u32, rgba }
}

impl Experiment for ReconstructionRun {
    fn begin(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        self.introduce(out);
        if let Some(fit) = &self.fit {
            let level = if fit.mismatch.is_empty() { Level::Info } else { Level::Warning };
            out.notice(level, fit.line());
        }
        if self.counts_labels() {
            out.scalar("labels", self.labels.labelled.len() as f64);
        }
        self.show_wall(out)?;
        self.interpolate(out)?;
        self.measure(out)
    }

    fn step(&mut self, out: &mut Emit<'_>) -> Result<(), RunError> {
        for (level, text) in std::mem::take(&mut self.news) {
            out.notice(level, text);
        }
        if self.in_first_phase() && self.training.step >= self.phase_two {
            self.begin_second_phase(out);
        }
        if self.counts_labels() {
            out.scalar("labels", self.labels.labelled.len() as f64);
        }
        let (kind, epoch, place, batch) = self.batch();
        let plan = self.plan(kind);
        let both = plan.rebuild && plan.classify.is_some();
        if both && self.labelled_batches.is_multiple_of(self.hyper.pull_every) {
            self.balance(&batch, out)?;
        }
        self.labelled_batches += u64::from(kind == Kind::Labelled);
        let plan = self.plan(kind);
        let losses = self.trainer.step(&batch, &plan, &self.hyper);
        self.training.step += 1;
        self.emit_losses(losses, [epoch, place as u64], &plan, out)?;
        let rebuilds = self.training.due(self.hyper.rebuild_every, out);
        if rebuilds {
            self.show_wall(out)?;
        }
        // Another pair is shown at once.
        if rebuilds || self.between != Some(self.hyper.between) {
            self.interpolate(out)?;
        }
        if self.training.due(self.hyper.validate_every, out) {
            self.measure(out)?;
        }
        // A run too short for one does not pay for one at its end.
        let every = self.hyper.explain_every;
        if every > 0 && self.training.step >= every && self.training.due(every, out) {
            report_occlusion(&self.trainer.net, &self.data, &self.wall, &self.training.device, out)?;
        }
        self.ask(out)
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), ParamError> {
        let params = self.training.with(key, value, check_combination)?;
        let given = active::given(GIVEN.of(&params), &self.data)?;
        let fresh = if given == self.given {
            None
        } else {
            self.fresh(&params).map_err(|error| ParamError::invalid(key, error.to_string()))?
        };
        let before = std::mem::replace(&mut self.training.params, params);
        let params = &self.training.params;
        self.hyper = Hyper::of(params);
        if LAMBDA.of(params) != LAMBDA.of(&before) {
            self.lambda = LAMBDA.of(params);
        }
        if SWITCH_NOW.of(params) && !SWITCH_NOW.of(&before) && self.in_first_phase() {
            self.phase_two = self.training.step;
        }
        let share = LABELLED_SHARE.of(params);
        if share != LABELLED_SHARE.of(&before) {
            self.first = self.data.with_labels(share, self.training.seed);
            self.labels = Labels::of(&self.data, &self.first, &self.active.answered, &self.given);
            self.begin_epoch();
            let text = format!("from now on {} of {} labels are used", self.first.len(), self.data.labelled.len());
            self.news.push((Level::Info, text));
        }
        if given != self.given {
            self.given = given;
            self.relabel(fresh);
            let text = format!(
                "from now on {} pictures are labelled, {} by hand",
                self.labels.labelled.len(),
                self.given.len()
            );
            self.news.push((Level::Info, text));
        }
        if QUERY.of(&self.training.params) != QUERY.of(&before) {
            self.active.waiting.clear();
        }
        let routine = ROUTINES.of(&self.training.params);
        if routine != self.routine {
            self.routine = routine;
            self.second = self.training.step >= self.phase_two;
            self.begin_epoch();
        }
        Ok(())
    }

    fn networks(&mut self) -> Result<Vec<Network>, RunError> {
        let (kind, _, _, batch) = self.batch();
        let plan = self.plan(kind);
        Ok(self.trainer.network(&batch, &plan, &self.hyper)?.into_iter().collect())
    }

    fn checkpoint(&mut self) -> Result<Checkpoint, RunError> {
        let mut to = self.training.save();
        self.trainer.save(&mut to);
        to.host.put_f64("lambda", vec![self.lambda]);
        to.host.put_f64("first_losses", self.first_losses.map_or(Vec::new(), Vec::from));
        to.put_json("origin", &self.origin)?;
        to.put_json("between", &self.between)?;
        to.put_json("active", &self.active)?;
        to.put_text("phase_two", self.phase_two);
        to.put_text("second", self.second);
        to.put_text("labelled_batches", self.labelled_batches);
        to.put_text("dead_told", self.dead_told);
        if !self.data.white.is_empty() {
            to.put_text("white", self.data.white.to_text());
        }
        to.host.put_f64("latent/axes", self.projection().axes().to_vec());
        to.finish()
    }

    fn restore(&mut self, from: &Checkpoint) -> Result<(), RunError> {
        let load = self.training.load(from)?;
        self.trainer.load(&load)?;
        self.lambda = from.get_f64("lambda", 1)?[0];
        self.first_losses = from.get_f64("first_losses", 2).ok().and_then(|losses| losses.try_into().ok());
        self.origin = load.json("origin")?;
        // Checkpoints of earlier versions do not have it.
        self.between = load.json("between").unwrap_or(None);
        // Runs of before active learning have nothing of it.
        self.active = if from.text.contains_key("active") { load.json("active")? } else { Active::default() };
        let of_data = |i: &usize| *i < self.data.pictures.len();
        if !self.active.answered.iter().chain(&self.active.waiting).all(of_data) {
            return Err(RunError::Checkpoint("`active` names pictures that there are not; it is damaged".to_owned()));
        }
        self.labels = Labels::of(&self.data, &self.first, &self.active.answered, &self.given);
        self.phase_two = load.text("phase_two")?;
        self.second = load.text("second")?;
        self.labelled_batches = load.text("labelled_batches")?;
        self.dead_told = load.text("dead_told")?;
        let axes = from.tensors.get("latent/axes").map_or(0, |axes| axes.shape.iter().product());
        self.projection().set_axes(from.get_f64("latent/axes", axes)?.to_vec());
        self.draw_anew();
        Ok(())
    }
}
