//! One training step, in the order of the published code: target and online passes, loss, optimizer, symmetry
//! regularisation, moving average, F, DirectPred.

use burn::tensor::{Device, Tensor, TensorData};

use crate::compute::linalg::Matrix;
use crate::compute::readback::{ReadError, Reader};
use crate::engine::experiment::RunError;
use crate::kit::state::{Load, Save};
use crate::landscape::Network;
use crate::nn::encoders::heads::Predictor;
use crate::nn::optim::{Optimizer, Rule};
use crate::nn::parameters::{average, gradients, slots, tracked};

use super::direct_pred::{DirectPred, DirectPredError, centred, direct_copy, is_due};
use super::network::{Branch, Online, Shape, build};
use super::params::{Hyper, PredictorRule};

/// Views of a picture.
pub const VIEWS: usize = 2;
/// Smallest squared length that a cosine divides by.
const LENGTH_FLOOR: f64 = 1e-16;

/// Both networks and what is carried from step to step. All tensors are without autodiff.
pub struct Trainer {
    pub online: Online,
    pub target: Branch,
    /// The target's weights are the online ones, so that its outputs need not be computed again.
    target_is_online: bool,
    optimizer: Optimizer,
    pub correlation: Option<Correlation>,
    /// F has vanished, so that DirectPred kept the predictor of the step before.
    pub f_vanished: bool,
    /// Whether the outcome of a step has the norms of its gradients.
    pub norms_wanted: bool,
    device: Device,
}

/// Running moments of the projector's outputs.
#[derive(Debug, Clone)]
pub struct Correlation {
    /// F `[d, d]`, not centred.
    pub second_moment: Tensor<2>,
    /// m `[d]`.
    pub mean: Tensor<1>,
}

/// What a step leaves for measurements.
#[derive(Debug)]
pub struct Outcome {
    /// −cos(p1, t2) − cos(p2, t1), mean over the batch, `[1]`: the loss without its scale and without L2.
    pub cosine: Tensor<1>,
    /// Projector outputs `[2B, d]`; row `2b + v` is view v of picture b.
    pub z: Tensor<2>,
    /// Predictor outputs `[2B, d]`.
    pub p: Tensor<2>,
    /// ‖g‖ of encoder, projector and predictor, `[3]`: g is the gradient of the loss with its scale and without L2. Where wanted;
    /// `[2]` without a predictor.
    pub gradient_norms: Option<Tensor<1>>,
}

impl Correlation {
    /// With the outputs `[2B, d]` of one more batch, the paper's eq. 7: F ← ρ F + (1 − ρ) C and m alike; the first batch sets
    /// F = C. Within views C = (1/2B) Σ (z1 z1ᵀ + z2 z2ᵀ), as the published code does it; across them C = (1/2B) Σ (z1 z2ᵀ +
    /// z2 z1ᵀ), as eq. 7 is printed, symmetrised.
    pub fn after(before: Option<Self>, z: &Tensor<2>, hyper: &Hyper) -> Self {
        let [rows, d] = z.dims();
        let batch = if hyper.f_cross_view {
            let product = z.clone().transpose().matmul(other_view(z.clone()));
            (product.clone() + product.transpose()) * 0.5
        } else {
            z.clone().transpose().matmul(z.clone())
        } / rows as f64;
        let mean = z.clone().mean_dim(0).reshape([d]);
        let rho = hyper.f_memory;
        match before {
            Some(Correlation { second_moment, mean: old }) => Correlation {
                second_moment: second_moment * rho + batch * (1.0 - rho),
                mean: old * rho + mean * (1.0 - rho),
            },
            None => Correlation { second_moment: batch, mean },
        }
    }
}

impl Trainer {
    pub fn new(shape: &Shape, seed: u64, device: &Device) -> Result<Self, RunError> {
        let (online, target) = build(shape, seed, device)?;
        Ok(Self {
            online,
            target,
            target_is_online: !shape.independent_target,
            optimizer: Optimizer::new(Rule::SGD),
            correlation: None,
            f_vanished: false,
            norms_wanted: false,
            device: device.clone(),
        })
    }

    /// With this rule; otherwise it is SGD. It may not change between steps, its numbers may.
    pub fn with(mut self, rule: Rule) -> Self {
        self.optimizer.rule = rule;
        self
    }

    /// The update after `step` completed ones, on views `[2B, C, H, W]`; row `2b + v` is view v of picture b. `tau`: see
    /// [`Hyper::tau_at`].
    pub fn step(&mut self, x: Tensor<4>, hyper: &Hyper, tau: f64, step: u64) -> Result<Outcome, RunError> {
        let mut online = tracked(&self.online);
        let apart = hyper.stop_gradient && !self.target_is_online;
        let separate = apart.then(|| self.target.forward(x.clone(), VIEWS));
        let tracked = online.branch.forward(x.autodiff(), VIEWS);
        let p = online.predictor.forward(tracked.clone(), VIEWS);
        let z = tracked.clone().inner();
        // With equal weights the target's pass is the online pass.
        let t = if hyper.stop_gradient { separate.unwrap_or_else(|| z.clone()) } else { tracked };
        let cosine = negative_cosine(p.clone(), t);
        let mut found = (cosine.clone() * hyper.loss_scale).backward();
        let gradient_norms = self.norms_wanted.then(|| {
            let (branch, norm) = (&online.branch, |g: Tensor<1>| (g.clone() * g).sum().sqrt());
            let mut parts = vec![gradients(&branch.encoder, &found), gradients(&branch.projector, &found)];
            if !matches!(online.predictor, Predictor::Identity(_)) {
                parts.push(gradients(&online.predictor, &found));
            }
            Tensor::cat(parts.into_iter().map(norm).collect(), 0)
        });
        self.optimizer.rule = hyper.optimizer;
        self.online = self.optimizer.step(online, &mut found, hyper.decay_scope, |path| hyper.rates(path));
        let p = p.inner();
        drop(found);
        if hyper.symmetry {
            self.online.predictor.symmetrise();
        }
        self.target = average(self.target.clone(), &self.online.branch, tau);
        self.target_is_online = tau == 0.0;
        self.correlation = Some(Correlation::after(self.correlation.take(), &z, hyper));
        if is_due(step, hyper.direct_every) {
            self.set_predictor(hyper)?;
        }
        Ok(Outcome { cosine: cosine.inner(), z, p, gradient_norms })
    }

    /// The online network as a function of its weights on views `[2B, C, H, W]`: the loss with its scale and without L2. What it
    /// is compared with takes no gradient and stays as it is now; without stop-gradient it is the network itself.
    pub fn network(&self, x: Tensor<4>, hyper: &Hyper) -> Result<Network, ReadError> {
        let target = hyper.stop_gradient.then(|| self.target.clone().forward(x.clone(), VIEWS));
        let (x, scale) = (x.autodiff(), hyper.loss_scale);
        let against = match hyper.stop_gradient {
            true => "the next batch’s loss against the target’s answers as they are now",
            false => "the next batch’s loss, both sides of it the network’s answers",
        };
        let names = ["online", "online network", against];
        Network::of(names, Some(hyper.encoder.learning_rate), &self.online, move |online| {
            let mut online = online.clone();
            let z = online.branch.forward(x.clone(), VIEWS);
            let t = target.clone().map_or_else(|| z.clone(), Tensor::autodiff);
            negative_cosine(online.predictor.forward(z, VIEWS), t) * scale
        })
    }

    /// What a step on views `[2B, C, H, W]` would measure, with the F of this batch alone; nothing is changed.
    pub fn look(&self, x: Tensor<4>, hyper: &Hyper) -> (Outcome, Correlation) {
        let mut online = self.online.clone();
        let apart = hyper.stop_gradient && !self.target_is_online;
        let separate = apart.then(|| self.target.clone().forward(x.clone(), VIEWS));
        let z = online.branch.forward(x, VIEWS);
        let t = separate.unwrap_or_else(|| z.clone());
        let p = online.predictor.forward(z.clone(), VIEWS);
        let correlation = Correlation::after(None, &z, hyper);
        (Outcome { cosine: negative_cosine(p.clone(), t), z, p, gradient_norms: None }, correlation)
    }

    /// Goes on from this online network, of which the target becomes a copy unless it has weights of its own.
    pub fn start_from(&mut self, online: Online) {
        if self.target_is_online {
            self.target = online.branch.clone();
        }
        self.online = online;
    }

    /// DirectPred or DirectCopy: overwrites Wp from F.
    fn set_predictor(&mut self, hyper: &Hyper) -> Result<(), RunError> {
        if matches!(hyper.rule, PredictorRule::Gradient | PredictorRule::Fixed) {
            return Ok(());
        }
        let Some(correlation) = &self.correlation else { return Ok(()) };
        let mut reader = Reader::default();
        let second = reader.add(correlation.second_moment.clone());
        let mean = reader.add(correlation.mean.clone());
        let read = reader.read()?;
        let f = f_matrix(&read[second], &read[mean], hyper);
        let set = match hyper.rule {
            PredictorRule::Gradient | PredictorRule::Fixed => return Ok(()),
            PredictorRule::DirectPred => {
                DirectPred { mode: hyper.direct_mode, epsilon: hyper.direct_epsilon, ..DirectPred::default() }
                    .predictor(&f)
                    .map(|set| set.wp)
            }
            PredictorRule::DirectCopy => direct_copy(&f, hyper.direct_epsilon, true),
        };
        match set {
            Ok(wp) => {
                let d = wp.rows();
                let data = TensorData::new(wp.transposed().to_f32(), [d, d]);
                self.online.predictor.set_weight(Tensor::from_data(data, &self.device));
                self.f_vanished = false;
            }
            Err(DirectPredError::Collapsed { .. }) => self.f_vanished = true,
            Err(DirectPredError::Linalg(error)) => {
                return Err(RunError::Diverged(format!(
                    "DirectPred cannot set the predictor: {error}; lower the learning rates and start again"
                )));
            }
        }
        Ok(())
    }

    /// Writes everything into a checkpoint.
    pub fn save(&self, to: &mut Save) {
        to.put_module("online", &self.online);
        to.put_module("target", &self.target);
        to.put_optimizer(&self.optimizer, &self.online);
        if let Some(Correlation { second_moment, mean }) = &self.correlation {
            to.put_tensor("F", second_moment);
            to.put_tensor("m", mean);
        }
        to.put_text("target_is_online", self.target_is_online);
        to.put_text("f_vanished", self.f_vanished);
    }

    /// Puts everything back that [`Trainer::save`] wrote.
    pub fn load(&mut self, from: &Load<'_>) -> Result<(), RunError> {
        self.online = from.module("online", &self.online)?;
        self.target = from.module("target", &self.target)?;
        from.optimizer(&mut self.optimizer, &self.online)?;
        let d = self.online.predictor.matrix().dims()[0];
        self.correlation = match from.from.tensors.contains_key("F") {
            true => Some(Correlation { second_moment: from.tensor("F", [d, d])?, mean: from.tensor("m", [d])? }),
            false => None,
        };
        self.target_is_online = from.text("target_is_online")?;
        self.f_vanished = from.text("f_vanished")?;
        Ok(())
    }

    /// (η/2) Σ w² over all decaying parameters, `[1]`: the L2 part of the loss.
    pub fn l2(&self, hyper: &Hyper) -> Tensor<1> {
        let parts: Vec<Tensor<1>> = slots(&self.online)
            .into_iter()
            .filter(|slot| hyper.decay_scope.covers(slot.role))
            .map(|slot| (slot.value.clone() * slot.value).sum() * (hyper.rates(&slot.path).decay / 2.0))
            .collect();
        Tensor::cat(parts, 0).sum()
    }
}

/// F as measurements and DirectPred see it: symmetric, centred where asked for; from `[d, d]` and `[d]` numbers.
pub fn f_matrix(second_moment: &[f32], mean: &[f32], hyper: &Hyper) -> Matrix {
    let d = mean.len();
    let f = Matrix::from_fn(d, d, |i, j| f64::from(second_moment[i * d + j])).symmetrised();
    if !hyper.f_centred {
        return f;
    }
    let mean: Vec<f64> = mean.iter().map(|&m| f64::from(m)).collect();
    centred(&f, &mean)
}

/// Row `2b + v` becomes row `2b + 1 − v`.
pub fn other_view(rows: Tensor<2>) -> Tensor<2> {
    let [count, d] = rows.dims();
    rows.reshape([count / VIEWS, VIEWS, d]).flip([1]).reshape([count, d])
}

/// Mean over pictures of −cos(p1, t2) − cos(p2, t1), `[1]`, from `[2B, d]` each. Where t is without autodiff, no
/// gradient flows into it.
pub fn negative_cosine(p: Tensor<2>, t: Tensor<2>) -> Tensor<1> {
    let length = |rows: Tensor<2>| (rows.clone() * rows).sum_dim(1).clamp_min(LENGTH_FLOOR).sqrt();
    let t = other_view(t);
    let direction = t.clone() / length(t);
    let cosine = (p.clone() * direction).sum_dim(1) / length(p);
    cosine.mean() * -(VIEWS as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::params::Params;
    use crate::labs::self_supervised::params::PARAMS;

    const B: usize = 10;
    const D: usize = 5;

    fn hyper(set: &[&str]) -> Hyper {
        let mut params = Params::defaults(PARAMS);
        set.iter().for_each(|text| params.set_text(PARAMS, text).unwrap());
        Hyper::of(&params)
    }

    /// The two views of a batch, B x D each.
    fn views(batch: usize) -> [Matrix; 2] {
        [0, 1].map(|view| {
            Matrix::from_fn(B, D, |i, j| {
                ((i * 3 + j * 5 + batch * 7) as f64 * 0.3).sin() + 0.1 * ((view + i * j) as f64).cos() + 0.2
            })
        })
    }

    /// Rows of both views in turn, as the network puts them out.
    fn interleaved(views: &[Matrix; 2]) -> Tensor<2> {
        let values = (0..2 * B * D).map(|k| views[k / D % 2][(k / D / 2, k % D)] as f32).collect();
        Tensor::from_data(TensorData::new(values, [2 * B, D]), &crate::compute::device::cpu())
    }

    fn read(correlation: &Correlation, hyper: &Hyper) -> Matrix {
        let mut reader = Reader::default();
        reader.add(correlation.second_moment.clone());
        reader.add(correlation.mean.clone());
        let read = reader.read().unwrap();
        f_matrix(&read[0], &read[1], hyper)
    }

    fn assert_close(ours: &Matrix, expected: &Matrix) {
        assert!(ours.minus(expected).frobenius() < 1e-6 * (1.0 + expected.frobenius()), "{ours:?} {expected:?}");
    }

    #[test]
    fn f_is_the_remembered_mean_of_both_kinds_of_products_centred_where_asked_for() {
        for (cross, centred, rho) in [(false, false, 0.3), (true, false, 0.3), (false, true, 0.8), (true, true, 0.5)] {
            let switch = |on: bool| if on { "on" } else { "off" };
            let hyper = hyper(&[
                if cross { "f_product=cross" } else { "f_product=within" },
                &format!("f_centred={}", switch(centred)),
                &format!("f_memory={rho}"),
            ]);
            let mut correlation = None;
            let (mut f, mut mean) = (Matrix::zeros(D, D), [0.0; D]);
            for batch in 0..4 {
                let [a, b] = views(batch);
                // Sum by sum, from the definition. The first batch sets the estimate.
                let share = if batch == 0 { 1.0 } else { 1.0 - rho };
                let product = Matrix::from_fn(D, D, |i, j| {
                    let term = |k: usize| match cross {
                        true => a[(k, i)] * b[(k, j)] + b[(k, i)] * a[(k, j)],
                        false => a[(k, i)] * a[(k, j)] + b[(k, i)] * b[(k, j)],
                    };
                    (0..B).map(term).sum::<f64>() / (2 * B) as f64
                });
                f = f.scaled(1.0 - share).plus(&product.scaled(share));
                for (j, m) in mean.iter_mut().enumerate() {
                    let new = (0..B).map(|k| a[(k, j)] + b[(k, j)]).sum::<f64>() / (2 * B) as f64;
                    *m = (1.0 - share) * *m + share * new;
                }
                let after = Correlation::after(correlation.take(), &interleaved(&[a, b]), &hyper);
                let minus = |i, j| if centred { mean[i] * mean[j] } else { 0.0 };
                let expected = Matrix::from_fn(D, D, |i, j| f[(i, j)] - minus(i, j));
                assert_close(&read(&after, &hyper), &expected);
                correlation = Some(after);
            }
        }
    }

    #[test]
    fn the_loss_does_not_see_lengths_and_reaches_its_bounds() {
        let [a, b] = views(0);
        let p = interleaved(&[a.clone(), b.clone()]);
        let value = |p: &Tensor<2>, t: Tensor<2>| {
            let mut reader = Reader::default();
            reader.add(negative_cosine(p.clone(), t));
            reader.read().unwrap()[0][0]
        };
        // The target of a view is the other view's.
        let best = value(&p, interleaved(&[b.scaled(7.0), a.scaled(0.1)]));
        assert!((best + 2.0).abs() < 1e-5, "{best}");
        let worst = value(&p, interleaved(&[b.scaled(-1.0), a.scaled(-3.0)]));
        assert!((worst - 2.0).abs() < 1e-5, "{worst}");
        assert_eq!(value(&p.zeros_like(), p.clone()), 0.0);
    }
}
