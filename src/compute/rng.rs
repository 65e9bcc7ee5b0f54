//! Seeded randomness on the host: the same numbers on every device, in every thread, in every run of one seed.
//!
//! Burn's own generators are global to the process and differ between backends, so nothing in the program draws from
//! them: weights, data and the order of batches come from here and are loaded as tensors.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// One independent stream of random numbers: ChaCha8 keyed by a run's seed, with a stream number for its purpose.
///
/// Two purposes of one run never share numbers, and a stream can be opened again at any time, so that a position in it
/// need not be saved.
#[derive(Debug, Clone, PartialEq)]
pub struct HostRng(ChaCha8Rng);

impl HostRng {
    /// Opens stream `stream` of `seed` at its beginning.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in [`low`, `high`).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Standard normal, by Box and Muller: √(−2 ln u) cos 2πv with u in (0, 1].
    pub fn normal(&mut self) -> f64 {
        let u = 1.0 - self.uniform();
        let v = self.uniform();
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    /// A whole number below `n` (0 where `n` is 0), by the high half of a 128-bit product; its bias, n / 2⁶⁴, is
    /// beyond measurement.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Shuffles in place (Fisher and Yates); every order is equally likely.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small and public, so that an order can be computed again elsewhere.
#[derive(Debug, Clone)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Shuffles in place (Fisher and Yates, from the last item on).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            let other = ((u128::from(self.bits()) * (end as u128 + 1)) >> 64) as usize;
            items.swap(end, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_can_be_opened_again_and_differs_from_its_neighbours() {
        let draw = |seed, stream| {
            let mut rng = HostRng::new(seed, stream);
            (0..8).map(|_| rng.uniform()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
        assert_ne!(draw(7, 1), draw(8, 1));
        assert!(draw(7, 1).iter().all(|u| (0.0..1.0).contains(u)));
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut rng = HostRng::new(1, 0);
        let draws: Vec<f64> = (0..20_000).map(|_| rng.normal()).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        // Five standard errors of a correct generator.
        assert!(mean.abs() < 5.0 / 20_000_f64.sqrt(), "mean {mean}");
        assert!((variance - 1.0).abs() < 5.0 * (2.0 / 20_000_f64).sqrt(), "variance {variance}");
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut order: Vec<usize> = (0..100).collect();
        HostRng::new(3, 9).shuffle(&mut order);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
