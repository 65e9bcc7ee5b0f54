//! Which items a step sees: a pure function of the seed and the step, so that a resumed run needs nothing but its step.

use crate::compute::streams::Stream;

/// What becomes of the items that are left over at the end of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// They are a smaller batch.
    Keep,
    /// They are a smaller batch; one that would be alone, over which batch normalisation has little to say, gets one of the
    /// batch before.
    KeepTogether,
    /// No step of this epoch sees them.
    Drop,
    /// The batch is filled up with the first items of the same epoch.
    Wrap,
}

/// The order of items in batches. Every epoch shuffles them anew.
#[derive(Debug, Clone)]
pub struct Order {
    items: Vec<usize>,
    size: usize,
    last: Last,
    seed: u64,
    stream: Stream,
    /// The epoch that `order` belongs to.
    epoch: Option<u64>,
    order: Vec<usize>,
}

impl Order {
    /// Batches of `size` of these items; epoch e is shuffled with the e-th `stream` of the seed. `size` is at least 1, and with
    /// [`Last::Drop`] at most the number of items.
    pub fn new(items: Vec<usize>, size: usize, last: Last, seed: u64, stream: Stream) -> Self {
        assert!(size >= 1 && (last != Last::Drop || size <= items.len()), "batches of {size} of {} items", items.len());
        Self { items, size, last, seed, stream, epoch: None, order: Vec::new() }
    }

    /// Steps in an epoch, at least one.
    pub fn per_epoch(&self) -> u64 {
        let steps = match self.last {
            Last::Drop => self.items.len() / self.size,
            Last::Keep | Last::KeepTogether | Last::Wrap => self.items.len().div_ceil(self.size),
        };
        steps.max(1) as u64
    }

    /// The epoch, counted from 0, of the step after `step` completed ones.
    pub fn epoch(&self, step: u64) -> u64 {
        step / self.per_epoch()
    }

    /// The items of the step after `step` completed ones.
    pub fn of(&mut self, step: u64) -> &[usize] {
        let epoch = self.epoch(step);
        if self.epoch != Some(epoch) {
            self.order.clone_from(&self.items);
            self.stream.open(self.seed, epoch).shuffle(&mut self.order);
            if self.last == Last::Wrap {
                let missing = self.per_epoch() as usize * self.size - self.items.len();
                let again: Vec<usize> = self.order.iter().cycle().take(missing).copied().collect();
                self.order.extend(again);
            }
            self.epoch = Some(epoch);
        }
        let start = |place: usize| {
            let last = place > 0 && place + 1 == self.per_epoch() as usize;
            let alone = self.last == Last::KeepTogether && self.size > 2 && self.order.len() % self.size == 1;
            (place * self.size).min(self.order.len()) - usize::from(last && alone)
        };
        let place = (step % self.per_epoch()) as usize;
        &self.order[start(place)..start(place + 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::streams;

    fn order(count: usize, size: usize, last: Last) -> Order {
        Order::new((100..100 + count).collect(), size, last, 4, streams::POINTS_ORDER)
    }

    fn steps(order: &mut Order, steps: std::ops::Range<u64>) -> Vec<Vec<usize>> {
        steps.map(|step| order.of(step).to_vec()).collect()
    }

    #[test]
    fn each_epoch_has_an_order_of_its_own_and_can_be_entered_anywhere() {
        for last in [Last::Keep, Last::Drop, Last::Wrap] {
            let all = steps(&mut order(10, 3, last), 0..8);
            let per_epoch = order(10, 3, last).per_epoch() as usize;
            assert_ne!(all[..per_epoch], all[per_epoch..2 * per_epoch]);
            for step in [5, 0, 6] {
                assert_eq!(order(10, 3, last).of(step), all[step as usize], "{last:?}");
            }
        }
    }

    #[test]
    fn what_is_left_over_is_kept_dropped_or_filled_up() {
        let sorted = |steps: &[Vec<usize>]| {
            let mut seen = steps.concat();
            seen.sort_unstable();
            seen
        };
        let all: Vec<usize> = (100..110).collect();
        let kept = steps(&mut order(10, 3, Last::Keep), 0..4);
        assert_eq!((kept[3].len(), sorted(&kept)), (1, all.clone()));
        let dropped = steps(&mut order(10, 3, Last::Drop), 0..3);
        assert_eq!((order(10, 3, Last::Drop).per_epoch(), &dropped[..]), (3, &kept[..3]));
        let wrapped = steps(&mut order(10, 3, Last::Wrap), 0..4);
        assert_eq!(wrapped[3], [kept[3][0], kept[0][0], kept[0][1]]);
        assert_eq!(sorted(&wrapped[..3]), sorted(&kept[..3]));
        let together = steps(&mut order(10, 3, Last::KeepTogether), 0..4);
        assert_eq!(together.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 2, 2]);
        assert_eq!(together.concat(), kept.concat());
        // A batch of two has none to give, and one item alone stays so.
        assert_eq!(order(5, 2, Last::KeepTogether).of(2).len(), 1);
        assert_eq!(order(1, 8, Last::KeepTogether).of(0).len(), 1);
        // Fewer items than a batch.
        assert_eq!(order(2, 5, Last::Keep).of(3).len(), 2);
        let few = order(2, 5, Last::Wrap).of(3).to_vec();
        assert_eq!((few.len(), few[..2] == few[2..4]), (5, true));
    }
}
