//! Mean Dice of the wall's images against the threshold, with the post-processing of the views. Computed apart from the
//! frame, and seldom enough that a training beside it keeps its time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::Context;

use crate::kit::wall::Map;
use crate::pixels::mask::Confusion;
use crate::plot::background::Latest;

use super::super::pipeline::Pipeline;
use super::gallery::{Gallery, Truth};

/// Thresholds that are tried.
pub const THRESHOLDS: [f64; 13] = [0.03, 0.08, 0.15, 0.22, 0.3, 0.4, 0.5, 0.6, 0.7, 0.78, 0.85, 0.92, 0.97];
/// At most one in so many parts of the time is spent here.
const SHARE: u32 = 4;

/// What a curve was made of.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    steps: Vec<(u64, u64)>,
    pipeline: Pipeline,
}

/// One curve: threshold and mean Dice.
pub type Curve = Vec<[f64; 2]>;

/// View state.
#[derive(Debug, Default)]
pub struct Sweep {
    /// With the time that it took.
    curve: Latest<Key, (Curve, Duration)>,
    rest_until: Option<Instant>,
}

impl Sweep {
    /// The newest curve, and whether it belongs to what is shown now.
    pub fn update(&mut self, ctx: &Context, gallery: &Gallery, pipeline: Pipeline) -> (Option<&Curve>, bool) {
        // The threshold is the curve's own axis.
        let pipeline = Pipeline { threshold: 0.5, ..pipeline };
        let pairs: Vec<(Arc<Map>, Arc<Truth>)> =
            gallery.cards.iter().filter_map(|card| card.probability.clone().zip(card.truth.clone())).collect();
        let key = Key { steps: pairs.iter().map(|(map, truth)| (map.step, truth.step)).collect(), pipeline };
        if self.curve.receive()
            && let Some((_, took)) = self.curve.newest()
        {
            self.rest_until = Instant::now().checked_add(*took * (SHARE - 1));
        }
        // A curve is over images of one step, as every mean.
        let one = pairs.len() == gallery.cards.len() && key.steps.windows(2).all(|pair| pair[0].0 == pair[1].0);
        let current = one && self.curve.is_current(&key);
        let rests = self.rest_until.and_then(|until| until.checked_duration_since(Instant::now()));
        if one && !current && !self.curve.is_busy() && !pairs.is_empty() {
            match rests.filter(|rest| !rest.is_zero()) {
                Some(rest) => ctx.request_repaint_after(rest),
                None => drop(self.curve.update("threshold curve", ctx, &key, move |key| {
                    let start = Instant::now();
                    (curve(&pairs, key.pipeline), start.elapsed())
                })),
            }
        }
        (self.curve.newest().map(|(curve, _)| curve), current)
    }
}

fn curve(pairs: &[(Arc<Map>, Arc<Truth>)], pipeline: Pipeline) -> Curve {
    let mean = |threshold: f64| {
        let pipeline = Pipeline { threshold, ..pipeline };
        let dice = |(map, truth): &(Arc<Map>, Arc<Truth>)| {
            let mask = pipeline.mask(&map.values, map.side, truth.mask.height(), truth.mask.width());
            Confusion::of(&mask, &truth.mask).map_or(f64::NAN, |confusion| confusion.dice())
        };
        pairs.iter().map(dice).sum::<f64>() / pairs.len().max(1) as f64
    };
    THRESHOLDS.iter().map(|&threshold| [threshold, mean(threshold)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::mask::Mask;

    #[test]
    fn the_curve_is_highest_where_the_mask_is_right() {
        // Left half certain, right half half-certain; the truth is the left half.
        let values = (0..16).map(|i| if i % 4 < 2 { 0.95 } else { 0.45 }).collect();
        let map = Arc::new(Map { step: 0, side: 4, values });
        let truth = Arc::new(Truth::new(0, Mask::from_fn(4, 4, |_, x| x < 2), None));
        let curve = curve(&[(map, truth)], Pipeline::default());
        assert_eq!(curve.len(), THRESHOLDS.len());
        let at = |threshold: f64| curve.iter().find(|point| point[0] == threshold).unwrap()[1];
        assert_eq!(at(0.5), 1.0);
        assert!((at(0.3) - 2.0 / 3.0).abs() < 1e-12, "everything is lesion");
        assert_eq!(at(0.97), 0.0, "nothing is");
    }
}
