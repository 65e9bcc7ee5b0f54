//! The order of the training points: a pure function of the seed and the epoch, so that a resumed run needs nothing but
//! its step.

use crate::compute::rng::HostRng;

/// Epoch e shuffles with this stream of [`HostRng`] plus e.
const STREAM_EPOCHS: u64 = 1 << 32;

/// Mini-batches of equal size; what is left over at the end of an epoch is dropped.
#[derive(Debug, Clone)]
pub struct Batches {
    seed: u64,
    count: usize,
    batch: usize,
    epoch: Option<u64>,
    order: Vec<usize>,
}

impl Batches {
    /// Batches of `batch` out of `count` points; 1 ≤ `batch` ≤ `count`.
    pub fn new(seed: u64, count: usize, batch: usize) -> Self {
        assert!((1..=count).contains(&batch), "a batch of {batch} out of {count} points");
        Self { seed, count, batch, epoch: None, order: Vec::new() }
    }

    /// Indices of the points of the step after `step` completed ones.
    pub fn of(&mut self, step: u64) -> &[usize] {
        let per_epoch = (self.count / self.batch) as u64;
        let (epoch, within) = (step / per_epoch, (step % per_epoch) as usize);
        if self.epoch != Some(epoch) {
            self.order.clear();
            self.order.extend(0..self.count);
            HostRng::new(self.seed, STREAM_EPOCHS + epoch).shuffle(&mut self.order);
            self.epoch = Some(epoch);
        }
        &self.order[within * self.batch..][..self.batch]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_visits_no_point_twice_and_can_be_entered_anywhere() {
        let mut batches = Batches::new(4, 10, 3);
        let steps: Vec<Vec<usize>> = (0..6).map(|step| batches.of(step).to_vec()).collect();
        for epoch in steps.chunks(3) {
            let mut seen: Vec<usize> = epoch.concat();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), 9);
        }
        assert_ne!(steps[..3], steps[3..], "each epoch has its own order");
        for step in [4, 0, 5] {
            assert_eq!(Batches::new(4, 10, 3).of(step), steps[step as usize]);
        }
    }
}
