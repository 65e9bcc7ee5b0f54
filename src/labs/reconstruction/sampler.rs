//! Which batch comes next: wholly labelled or wholly unlabelled ones, without replacement (section 4.3).

use crate::compute::rng::SplitMix64;
use crate::compute::streams;
use crate::kit::batches::{Last, Order};

/// What a batch holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Labelled,
    Unlabelled,
}

/// The kinds of an epoch's batches in their order: as many of each as its pictures fill, shuffled, so that the next one is
/// labelled with the remaining share of labelled ones.
pub fn order(labelled: usize, unlabelled: usize, seed: u64) -> Vec<Kind> {
    let mut kinds = vec![Kind::Labelled; labelled];
    kinds.resize(labelled + unlabelled, Kind::Unlabelled);
    SplitMix64::new(seed).shuffle(&mut kinds);
    kinds
}

/// Batches of `items` things of `size` each; the last may be smaller.
pub fn batches(items: usize, size: usize) -> usize {
    items.div_ceil(size.max(1))
}

/// What the sampler draws from: labelled and unlabelled pictures, and how many make a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pools {
    pub labelled: usize,
    pub unlabelled: usize,
    pub batch: usize,
    /// The smaller pool is drawn from again until the larger one is through.
    pub looped: bool,
}

impl Pools {
    /// Batches of both kinds in an epoch.
    pub fn batches(&self) -> [usize; 2] {
        let [mut labelled, mut unlabelled] = [self.labelled, self.unlabelled].map(|items| batches(items, self.batch));
        if self.looped && labelled > 0 && unlabelled > 0 {
            (labelled, unlabelled) = (labelled.max(unlabelled), labelled.max(unlabelled));
        }
        [labelled, unlabelled]
    }

    /// Batches of an epoch.
    pub fn per_epoch(&self) -> usize {
        self.batches().iter().sum()
    }
}

/// The order of batches: of the kinds, and within each kind of its pictures.
#[derive(Debug)]
pub struct Sampler {
    pub pools: Pools,
    seed: u64,
    epoch: Option<u64>,
    kinds: Vec<Kind>,
    labelled: Order,
    unlabelled: Order,
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    pub kind: Kind,
    /// Indices into the pool of its kind.
    pub indices: Vec<usize>,
    pub epoch: u64,
    /// Which batch of its epoch.
    pub place: usize,
}

impl Sampler {
    pub fn new(pools: Pools, seed: u64) -> Self {
        let of = |items: usize, stream| Order::new((0..items).collect(), pools.batch, Last::KeepTogether, seed, stream);
        let labelled = of(pools.labelled, streams::LABELLED_ORDER);
        let unlabelled = of(pools.unlabelled, streams::UNLABELLED_ORDER);
        Self { pools, seed, epoch: None, kinds: Vec::new(), labelled, unlabelled }
    }

    /// The batch of step `step`, counted from 0 since the beginning of epoch `first`. Nothing but the seed, step and epoch decide.
    ///
    /// # Panics
    /// Where there is no picture.
    pub fn at(&mut self, step: u64, first: u64) -> Drawn {
        let [labelled, unlabelled] = self.pools.batches();
        let per_epoch = (labelled + unlabelled) as u64;
        let (epoch, place) = (first + step / per_epoch, (step % per_epoch) as usize);
        if self.epoch != Some(epoch) {
            self.kinds = order(labelled, unlabelled, streams::MIXED_ORDER.open(self.seed, epoch).bits());
            self.epoch = Some(epoch);
        }
        let kind = self.kinds[place];
        let before = self.kinds[..place].iter().filter(|other| **other == kind).count() as u64;
        // A pool that is drawn from again in an epoch goes on through its own rounds.
        let indices = match kind {
            Kind::Labelled => self.labelled.of(epoch * labelled as u64 + before),
            Kind::Unlabelled => self.unlabelled.of(epoch * unlabelled as u64 + before),
        };
        Drawn { kind, indices: indices.to_vec(), epoch, place }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOLS: Pools = Pools { labelled: 25, unlabelled: 60, batch: 8, looped: false };

    fn epoch(pools: Pools, epoch: u64) -> Vec<Drawn> {
        let mut sampler = Sampler::new(pools, 3);
        let per_epoch = pools.per_epoch() as u64;
        (epoch * per_epoch..(epoch + 1) * per_epoch).map(|step| sampler.at(step, 0)).collect()
    }

    fn seen(drawn: &[Drawn], kind: Kind) -> Vec<usize> {
        let mut all: Vec<usize> = drawn.iter().filter(|d| d.kind == kind).flat_map(|d| d.indices.clone()).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn every_picture_comes_once_an_epoch_and_no_batch_is_mixed() {
        for number in 0..3 {
            let drawn = epoch(POOLS, number);
            assert_eq!(seen(&drawn, Kind::Labelled), (0..25).collect::<Vec<_>>());
            assert_eq!(seen(&drawn, Kind::Unlabelled), (0..60).collect::<Vec<_>>());
            assert!(drawn.iter().all(|batch| batch.indices.len() > 1), "a batch of one breaks batch normalisation");
        }
        assert_ne!(epoch(POOLS, 0), epoch(POOLS, 1));
    }

    #[test]
    fn a_step_can_be_entered_anywhere() {
        let mut through = Sampler::new(POOLS, 3);
        let all: Vec<Drawn> = (0..40).map(|step| through.at(step, 0)).collect();
        for step in [37, 2, 11, 12] {
            assert_eq!(Sampler::new(POOLS, 3).at(step, 0), all[step as usize]);
        }
    }

    #[test]
    fn the_smaller_pool_is_looped_where_asked() {
        let drawn = epoch(Pools { looped: true, ..POOLS }, 0);
        let labelled = drawn.iter().filter(|d| d.kind == Kind::Labelled).count();
        assert_eq!((labelled, drawn.len()), (8, 16));
        assert!(seen(&drawn, Kind::Labelled).len() > 40);
    }

    #[test]
    fn pools_may_be_empty_or_smaller_than_a_batch() {
        let only = |labelled, unlabelled| epoch(Pools { labelled, unlabelled, batch: 8, looped: true }, 0);
        assert_eq!(seen(&only(0, 9), Kind::Unlabelled).len(), 9);
        assert_eq!(only(0, 9).iter().map(|batch| batch.indices.len()).collect::<Vec<_>>(), [7, 2]);
        assert_eq!(only(3, 0).len(), 1);
        assert_eq!(only(1, 0)[0].indices, [0]);
        assert_eq!(Pools { labelled: 0, unlabelled: 0, batch: 8, looped: false }.per_epoch(), 0);
    }
}
