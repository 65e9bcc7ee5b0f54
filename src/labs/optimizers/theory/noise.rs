//! Noise on the gradient, as training with mini-batches has it.
//!
//! **Gaussian**: g ← ∇f(θ) + σ ξ with standard normal ξ in each coordinate. σ is absolute, in units of the gradient: the
//! slope of a mean over a batch errs by an amount that does not vanish at the minimum, and that is what keeps a constant
//! learning rate from settling.
//!
//! **Mini-batch**: the surface is the mean over 32 samples, each with a copy of it that is shifted by sⱼ (normal, σ in each
//! coordinate, their mean taken off): fⱼ(θ) = f(θ) + [f(θ − sⱼ) − mean over i of f(θ − sᵢ)], so that the mean over all j is f
//! itself. A step reads the gradient of a batch of them; an epoch goes through all in a new order. Its noise is large where
//! the surface is curved, −H times the batch's mean shift on a quadratic, and none in flat places.
//!
//! At step k every rule sees the same ξₖ or the same batch (common random numbers), so that rules are told apart by what
//! they do and not by their luck.

use std::sync::Arc;

use crate::compute::streams::GRADIENT_NOISE;

/// Samples behind a mini-batch.
pub const SAMPLES: usize = 32;
/// The stream of the samples' shifts; repetitions and steps stay far below it.
const SHIFTS: u64 = (1 << 58) - 1;

/// The noise of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise {
    source: Source,
    seed: u64,
    /// 0 is the run itself, others are its repetitions with other noise.
    member: u32,
}

/// Where it comes from.
#[derive(Debug, Clone, PartialEq)]
enum Source {
    Off,
    /// With this σ.
    Gaussian(f64),
    /// The samples' shifts, and how many of them are a batch.
    MiniBatch(Arc<[[f64; 2]; SAMPLES]>, usize),
}

impl Noise {
    /// None at all: every bit of the gradient stays as it is.
    pub const OFF: Self = Self { source: Source::Off, seed: 0, member: 0 };

    /// Normal noise of standard deviation σ; none where σ is 0.
    pub fn gaussian(deviation: f64, seed: u64) -> Self {
        let source = if deviation == 0.0 { Source::Off } else { Source::Gaussian(deviation) };
        Self { source, seed, member: 0 }
    }

    /// That of batches of so many samples, whose surfaces are shifted with standard deviation σ; none where σ is 0 or the
    /// batch holds all.
    pub fn mini_batch(deviation: f64, batch: usize, seed: u64) -> Self {
        if deviation == 0.0 || batch >= SAMPLES {
            return Self { seed, ..Self::OFF };
        }
        let mut rng = GRADIENT_NOISE.open(seed, SHIFTS);
        let mut shifts = [[0.0; 2]; SAMPLES];
        shifts.iter_mut().flatten().for_each(|shift| *shift = deviation * rng.normal());
        let mean = mean(shifts.into_iter());
        let centred = shifts.map(|shift| [shift[0] - mean[0], shift[1] - mean[1]]);
        Self { source: Source::MiniBatch(Arc::new(centred), batch.max(1)), seed, member: 0 }
    }

    /// That of a repetition of the run; 0 is the run itself.
    pub fn member(&self, member: u32) -> Self {
        Self { member, ..self.clone() }
    }

    /// The gradient that the update from k to k + 1 reads at a place where the exact one is `gradient`: a function of seed,
    /// repetition, k and the place alone.
    pub fn on(&self, gradient: [f64; 2], at: [f64; 2], k: u64, slope: impl Fn([f64; 2]) -> [f64; 2]) -> [f64; 2] {
        match &self.source {
            Source::Off => gradient,
            Source::Gaussian(deviation) => {
                let mut rng = GRADIENT_NOISE.open(self.seed, self.stream(k));
                gradient.map(|g| g + deviation * rng.normal())
            }
            Source::MiniBatch(shifts, batch) => {
                let of = |j: usize| slope([at[0] - shifts[j][0], at[1] - shifts[j][1]]);
                let (read, all) = (mean(self.batch(*batch, k).map(of)), mean((0..SAMPLES).map(of)));
                [gradient[0] + (read[0] - all[0]), gradient[1] + (read[1] - all[1])]
            }
        }
    }

    /// The samples of a step; what is left of an epoch that does not fill a batch is dropped.
    fn batch(&self, size: usize, k: u64) -> impl Iterator<Item = usize> {
        let batches = (SAMPLES / size) as u64;
        let mut order: [usize; SAMPLES] = std::array::from_fn(|j| j);
        GRADIENT_NOISE.open(self.seed, self.stream(k / batches)).shuffle(&mut order);
        order.into_iter().skip((k % batches) as usize * size).take(size)
    }

    fn stream(&self, i: u64) -> u64 {
        // Steps stay far below 2^32.
        (u64::from(self.member) << 32) | (i & u64::from(u32::MAX))
    }
}

/// The mean of vectors.
fn mean(vectors: impl Iterator<Item = [f64; 2]>) -> [f64; 2] {
    let (mut sum, mut count) = ([0.0; 2], 0.0);
    for [x, y] in vectors {
        sum = [sum[0] + x, sum[1] + y];
        count += 1.0;
    }
    sum.map(|v| v / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The noise alone, in steps of a surface with Hessian diag(1, 100).
    fn at(noise: &Noise, k: u64) -> [f64; 2] {
        let slope = |[x, y]: [f64; 2]| [x, 100.0 * y];
        noise.on(slope([0.0, 0.0]), [0.0, 0.0], k, slope)
    }

    #[test]
    fn noise_depends_on_seed_repetition_and_step_alone() {
        for make in [Noise::gaussian, |sigma, seed| Noise::mini_batch(sigma, 4, seed)] {
            let noise = make(0.5, 7);
            assert_eq!(at(&noise, 3), at(&noise, 3));
            let others = [at(&noise, 4), at(&noise.member(1), 3), at(&make(0.5, 8), 3)];
            assert!(others.iter().all(|other| *other != at(&noise, 3)));
            let doubled = at(&make(1.0, 7), 3);
            let wanted = at(&noise, 3).map(|v| 2.0 * v);
            assert!((0..2).all(|i| (doubled[i] - wanted[i]).abs() < 1e-12 * wanted[i].abs()), "σ scales the same draw");
        }
    }

    #[test]
    fn noise_is_normal_with_the_deviation_asked_for() {
        let noise = Noise::gaussian(3.0, 1);
        let all: Vec<f64> = (0..20_000).flat_map(|k| at(&noise, k)).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let deviation = (all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
        assert!(mean.abs() < 0.08 && (deviation - 3.0).abs() < 0.06, "{mean} {deviation}");
    }

    #[test]
    fn an_epoch_of_mini_batches_is_the_exact_gradient() {
        for batch in [1, 4, 8, 16] {
            let noise = Noise::mini_batch(0.3, batch, 5);
            let steps = (SAMPLES / batch) as u64;
            for epoch in 0..3 {
                let sum = mean((epoch * steps..(epoch + 1) * steps).map(|k| at(&noise, k)));
                assert!(sum[0].abs() < 1e-14 && sum[1].abs() < 1e-12, "batch {batch}: {sum:?}");
            }
        }
        // The steep direction has the more noise, as on a real loss.
        let noise = Noise::mini_batch(0.3, 4, 5);
        let size = |i: usize| (0..200).map(|k| at(&noise, k)[i].powi(2)).sum::<f64>().sqrt();
        assert!(size(1) > 50.0 * size(0));
    }

    #[test]
    fn a_flat_place_has_no_mini_batch_noise() {
        let flat = Noise::mini_batch(1.0, 2, 3).on([2.0, -1.0], [0.4, 0.2], 9, |_| [2.0, -1.0]);
        assert_eq!(flat, [2.0, -1.0]);
    }

    #[test]
    fn without_noise_not_a_bit_changes() {
        let zero = [-0.0, 1.5];
        for off in
            [Noise::OFF, Noise::gaussian(0.0, 7), Noise::mini_batch(0.0, 4, 7), Noise::mini_batch(1.0, SAMPLES, 7)]
        {
            assert_eq!(off.on(zero, [1.0, 2.0], 9, |p| p).map(f64::to_bits), zero.map(f64::to_bits));
        }
    }
}
