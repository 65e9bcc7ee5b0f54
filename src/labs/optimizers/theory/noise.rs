//! Noise on the gradient, as a mini-batch would make it: g ← ∇f + σ ξ with standard normal ξ in each coordinate.
//!
//! σ is absolute, in units of the gradient: the slope of a mean over a batch errs by an amount that does not vanish at the
//! minimum, and that is what keeps a constant learning rate from settling. At step k every rule sees the same ξₖ (common
//! random numbers), so that rules are told apart by what they do and not by their luck. A rule that asks for several
//! gradients in one update sees f(θ) + σ ξₖ·θ in all of them.

use crate::compute::streams::GRADIENT_NOISE;

/// The noise of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// σ; 0 leaves every bit of the gradient as it is.
    pub deviation: f64,
    seed: u64,
    /// 0 is the run itself, others are its repetitions with other noise.
    member: u32,
}

impl Noise {
    /// None at all.
    pub const OFF: Self = Self { deviation: 0.0, seed: 0, member: 0 };

    /// Of a run with this seed.
    pub fn new(deviation: f64, seed: u64) -> Self {
        Self { deviation, seed, member: 0 }
    }

    /// That of a repetition of the run; 0 is the run itself.
    pub fn member(self, member: u32) -> Self {
        Self { member, ..self }
    }

    /// What is added to the gradient in the update from k to k + 1: a function of seed, repetition and k alone.
    pub fn at(&self, k: u64) -> [f64; 2] {
        if self.deviation == 0.0 {
            return [0.0; 2];
        }
        // Steps stay far below 2^32.
        let mut rng = GRADIENT_NOISE.open(self.seed, (u64::from(self.member) << 32) | (k & u64::from(u32::MAX)));
        [0, 1].map(|_| self.deviation * rng.normal())
    }

    /// The gradient with the noise of the update from k to k + 1.
    pub fn on(&self, gradient: [f64; 2], k: u64) -> [f64; 2] {
        if self.deviation == 0.0 {
            return gradient;
        }
        let noise = self.at(k);
        [gradient[0] + noise[0], gradient[1] + noise[1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_depends_on_seed_repetition_and_step_alone() {
        let noise = Noise::new(0.5, 7);
        assert_eq!(noise.at(3), noise.at(3));
        let others = [noise.at(4), noise.member(1).at(3), Noise::new(0.5, 8).at(3)];
        assert!(others.iter().all(|other| *other != noise.at(3)));
        let doubled = Noise::new(1.0, 7).at(3);
        assert_eq!(doubled, noise.at(3).map(|v| 2.0 * v), "σ scales the same draw");
    }

    #[test]
    fn noise_is_normal_with_the_deviation_asked_for() {
        let noise = Noise::new(3.0, 1);
        let all: Vec<f64> = (0..20_000).flat_map(|k| noise.at(k)).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let deviation = (all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
        assert!(mean.abs() < 0.08 && (deviation - 3.0).abs() < 0.06, "{mean} {deviation}");
    }

    #[test]
    fn without_noise_not_a_bit_changes() {
        let zero = [-0.0, 1.5];
        assert_eq!(Noise::OFF.on(zero, 9).map(f64::to_bits), zero.map(f64::to_bits));
        assert_eq!(Noise::new(0.0, 7).at(2), [0.0; 2]);
    }
}
