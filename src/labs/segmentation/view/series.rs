//! What this lab draws against the step, and the moments of a run that are worth a mark.

use crate::engine::state::RunState;
use crate::engine::twin::TWIN;
use crate::kit::series::{Quantity, params_at, quantity};
use crate::kit::view::ViewCtx;
use crate::labs::segmentation::params::{COUNT_THE_DIAGONAL, HAUSDORFF, LEARNING_RATE, PARAMS};
use crate::labs::segmentation::scores;
use crate::pixels::mask::border::Hausdorff;
use crate::pixels::spacing::Unit;
use crate::plot::number;
use crate::plot::style::Dash;

pub const TRAIN: Quantity = Quantity {
    noisy: true,
    ..quantity(
        "loss/train",
        "training",
        7,
        Dash::Solid,
        "training loss: faint, batch by batch; strong, the mean of the batches of one epoch",
    )
};
pub const VALIDATION: Quantity = quantity(
    "loss/validation",
    "validation",
    1,
    Dash::Solid,
    "the same loss on the validation images, mean of the batches; nothing is augmented. Schedule, early stopping and the \
     best weights are decided on it",
);
pub const PLAIN_DICE: Quantity = quantity(
    "dice/validation",
    "network size",
    4,
    Dash::DashDot,
    "Dice at the network's size S×S, probability > 0.5, nothing post-processed; mean over the validation images",
);
pub const DICE: Quantity = quantity(
    "dice/final",
    "final",
    3,
    Dash::Solid,
    "Dice at the original size: probabilities resized, thresholded, post-processed; mean over the validation images. Both \
     masks empty: 1",
);
pub const HD95: Quantity = distance("hd95/final", "HD95", 6, Dash::Solid, "");
pub const HD: Quantity = distance(
    "hd/final",
    "HD",
    5,
    Dash::Dotted,
    "Hausdorff distance: the largest distance from a border pixel of one mask to the nearest of the other",
);
pub const ASSD: Quantity = distance(
    "assd/final",
    "ASSD",
    1,
    Dash::DashDot,
    "average symmetric surface distance: the mean over the border pixels of both masks pooled, as medpy 0.5 and MONAI \
     (symmetric) print it. Recordings whose notice \"measured\" does not name it hold the mean of \
     the two directions' means",
);

/// A border distance; see [`distance_of`].
const fn distance(key: &'static str, name: &'static str, color: usize, dash: Dash, help: &'static str) -> Quantity {
    Quantity { held: distance_of, ..quantity(key, name, color, dash, help) }
}

/// What distances of this run are in.
pub fn unit(ctx: &ViewCtx<'_>) -> Unit {
    scores::unit(ctx.run)
}

/// How distances are measured in this run, in words, for tooltips.
pub fn distance_convention(ctx: &ViewCtx<'_>) -> String {
    let params = params_at(ctx, PARAMS);
    let hd95 = match HAUSDORFF.get(&params) {
        Some(Hausdorff::Directed95) => "MONAI's: the larger of the two directions' 95th percentiles",
        _ => "medpy's, as in the paper: 95th percentile of both directions' distances pooled",
    };
    let undefined = match COUNT_THE_DIAGONAL.get(&params) {
        Some(true) => "counts as the image's diagonal",
        _ => "is left out of the mean and counted beside it",
    };
    format!(
        "HD95 is {hd95}. Distances between borders in {}, mean over the validation images. Where \
         one of the masks is empty there is no distance: it {undefined}",
        match unit(ctx) {
            Unit::Pixels => "pixels of the original image",
            Unit::Millimetres => "mm, by the size of a pixel of the original image",
        }
    )
}

/// A border distance at a step; `key` may be the twin's. `None` where it was undefined for every image at the newest
/// measurement: no point is emitted then, and an older one does not hold any more.
pub fn distance_of(run: &RunState, key: &str, step: u64) -> Option<(u64, f64)> {
    let (twin, own) = key.strip_prefix(TWIN).map_or(("", key), |own| (TWIN, own));
    let counted = if own.starts_with("test/") { "test/undefined" } else { "undefined/final" };
    let values = run.scalars.get(key)?;
    let found = values.at(step)?;
    // Merged points of a long run lie at steps of their own.
    let exact = |history: &&crate::engine::state::History| history.is_exact() && values.is_exact();
    let counts = run.scalars.get(format!("{twin}{counted}").as_str()).filter(exact);
    let newest = counts.and_then(|counts| counts.at(step)).map_or(0, |(at, _)| at);
    (found.0 >= newest).then_some(found)
}

/// A border distance at the cursor; see [`distance_of`].
pub fn distance_at(ctx: &ViewCtx<'_>, key: &str) -> Option<f64> {
    distance_of(ctx.run, key, ctx.cursor.step).map(|(_, value)| value)
}

/// Whether this run counts an undefined distance as the image's diagonal.
pub fn counts_the_diagonal(ctx: &ViewCtx<'_>) -> bool {
    COUNT_THE_DIAGONAL.get(&params_at(ctx, PARAMS)) == Some(true)
}

/// What became of images of which a mask is empty: `without` of them, of which in `both_empty` both are. Where both are
/// there is no distance even if the diagonal is counted. Empty where there are none.
pub fn undefined_in_words(without: usize, both_empty: usize, diagonal: bool) -> String {
    let (counted, left) = if diagonal { (without.saturating_sub(both_empty), both_empty) } else { (0, without) };
    let part = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let parts = [part(counted, "counted as the diagonal"), part(left, "undefined")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Images in the table of single images at the cursor; 0 where there is none.
pub fn images(ctx: &ViewCtx<'_>, key: &str) -> usize {
    match ctx.payload(key).as_ref().map(|(_, payload)| &**payload) {
        Some(crate::engine::event::Payload::Table { rows, .. }) => rows.len(),
        _ => 0,
    }
}

/// A moment of the training.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    pub step: u64,
    pub kind: MomentKind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MomentKind {
    /// The schedule lowered the learning rate.
    Plateau { from: f64, to: f64 },
    /// The best weights as of the cursor were kept.
    Best,
    /// Early stopping ended the run.
    Stopped,
}

impl Moment {
    /// Two or three letters for a mark in a plot.
    pub fn short(&self) -> String {
        match self.kind {
            MomentKind::Plateau { from, to } if (from / to - 2.0).abs() < 1e-6 => "rate ½".to_owned(),
            MomentKind::Plateau { to, .. } => format!("rate {}", number::exact(to)),
            MomentKind::Best => "best".to_owned(),
            MomentKind::Stopped => "stop".to_owned(),
        }
    }
}

/// The run's moments in order of steps; `at`: the cursor, for which weights were the best by then.
pub fn moments(run: &RunState, at: u64) -> Vec<Moment> {
    let mut found = Vec::new();
    if let Some(rates) = run.scalars.get("learning_rate") {
        let mut before: Option<(u64, f64)> = None;
        for (step, to) in rates.points() {
            if let Some((since, from)) = before.filter(|(_, from)| to < *from) {
                let by_hand = |change: &crate::engine::event::Change| {
                    change.key == LEARNING_RATE.key() && (since..=step).contains(&change.step)
                };
                if !run.changes.iter().any(by_hand) {
                    found.push(Moment { step, kind: MomentKind::Plateau { from, to } });
                }
            }
            before = Some((step, to));
        }
    }
    if let Some((_, step)) = run.scalars.get("best/step").and_then(|history| history.at(at)) {
        found.push(Moment { step: step as u64, kind: MomentKind::Best });
    }
    if stopped_early(run) {
        found.push(Moment { step: run.step, kind: MomentKind::Stopped });
    }
    found.sort_by_key(|moment| moment.step);
    found
}

/// Whether the run ended by itself before all of its steps were done.
pub fn stopped_early(run: &RunState) -> bool {
    let finished = matches!(run.status, Some(crate::engine::event::Status::Finished));
    finished && run.header.as_ref().is_some_and(|header| run.step < header.steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::Change;
    use crate::engine::state::History;

    fn history(points: &[(u64, f64)]) -> History {
        let mut history = History::default();
        points.iter().for_each(|(step, value)| history.push(*step, *value));
        history
    }

    #[test]
    fn a_rate_changed_by_hand_is_no_plateau_and_the_best_weights_are_those_of_the_cursor() {
        let mut run = RunState { step: 40, ..RunState::default() };
        let rates = [(0, 0.1), (10, 0.05), (20, 0.05), (30, 0.01)];
        run.scalars.insert("learning_rate".into(), history(&rates));
        run.scalars.insert("best/step".into(), history(&[(10, 10.0), (20, 20.0), (30, 20.0)]));
        let value = crate::engine::params::Value::Float(0.01);
        run.changes.push(Change { step: 25, key: "learning_rate".to_owned(), value });
        let found = moments(&run, 15);
        let plateau = MomentKind::Plateau { from: 0.1, to: 0.05 };
        assert_eq!(
            found,
            [Moment { step: 10, kind: plateau }, Moment { step: 10, kind: MomentKind::Best }],
            "{found:?}"
        );
        assert_eq!(found[0].short(), "rate ½");
        assert_eq!(moments(&run, 40)[1], Moment { step: 20, kind: MomentKind::Best });
    }

    #[test]
    fn a_distance_that_is_older_than_the_newest_measurement_does_not_hold() {
        let mut run = RunState::default();
        for prefix in ["", TWIN] {
            run.scalars.insert(format!("{prefix}hd95/final").into(), history(&[(0, 9.0), (20, 4.0)]));
            run.scalars.insert(
                format!("{prefix}undefined/final").into(),
                history(&[(0, 0.0), (10, 8.0), (20, 1.0), (30, 8.0)]),
            );
            let at = |step: u64| distance_of(&run, &format!("{prefix}hd95/final"), step).map(|(_, value)| value);
            assert_eq!([5, 10, 19, 20, 29, 30].map(at), [Some(9.0), None, None, Some(4.0), Some(4.0), None]);
        }
        run.scalars.insert("test/hd95".into(), history(&[(20, 3.0)]));
        run.scalars.insert("test/undefined".into(), history(&[(20, 0.0)]));
        assert_eq!(distance_of(&run, "test/hd95", 30), Some((20, 3.0)), "the test has a count of its own");
        run.scalars.remove("undefined/final");
        assert_eq!(distance_of(&run, "hd95/final", 30), Some((20, 4.0)), "nothing says that it is old");
    }

    #[test]
    fn what_is_counted_as_the_diagonal_is_not_called_undefined() {
        assert_eq!(undefined_in_words(3, 1, false), "3 undefined");
        assert_eq!(undefined_in_words(3, 0, true), "3 counted as the diagonal");
        assert_eq!(undefined_in_words(3, 1, true), "2 counted as the diagonal, 1 undefined");
        assert_eq!(undefined_in_words(1, 1, true), "1 undefined");
        assert_eq!(undefined_in_words(0, 0, true), "");
    }
}
