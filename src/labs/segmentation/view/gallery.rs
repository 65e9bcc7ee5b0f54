//! The images of the wall with what is known of them at the cursor, and the masks that the pipeline of the views makes of
//! the recorded probabilities. Masks are made on a thread of their own; until a new one is there, the last one stays.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use eframe::egui::Ui;

use crate::engine::event::{Payload, RunId};
use crate::kit::view::ViewCtx;
use crate::kit::wall::{Contours, Map, Recorded};
use crate::labs::segmentation::params::FIT;
use crate::pixels::fit::Fit;
use crate::pixels::mask::Mask;
use crate::pixels::mask::border::{BorderDistances, border_distances};
use crate::pixels::resize::Size;
use crate::pixels::spacing::Spacing;
use crate::plot::background::Many;

use super::super::pipeline::{Pipeline, Score};
use super::look::Ghost;

/// The true mask of an image.
#[derive(Debug)]
pub struct Truth {
    pub step: u64,
    pub mask: Mask,
    /// The size of one of its pixels, where distances are in millimetres.
    spacing: Option<Spacing>,
    lines: OnceLock<Contours>,
}

impl Truth {
    pub fn new(step: u64, mask: Mask, spacing: Option<Spacing>) -> Self {
        Self { step, mask, spacing, lines: OnceLock::new() }
    }

    /// Its outlines, once they are there.
    pub fn lines(&self) -> Option<&Contours> {
        self.lines.get()
    }
}

/// What a mask was made of and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Made {
    pub probability: u64,
    pub truth: u64,
    pub pipeline: Pipeline,
}

/// A prediction, measured.
#[derive(Debug)]
pub struct Shown {
    pub made: Made,
    /// Another one for each that was asked for.
    pub number: u64,
    pub mask: Mask,
    pub lines: Contours,
    pub score: Score,
    /// `None` where they are undefined.
    pub distances: Option<BorderDistances>,
}

/// What a prediction of an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// With the pipeline of the views.
    Now,
    /// Nothing post-processed.
    Plain,
    /// With the run's own settings.
    Run,
    /// Of an earlier validation.
    Ghost,
}

/// One image of the wall.
#[derive(Debug, Default)]
pub struct Card {
    pub name: String,
    pub picture: Recorded,
    pub truth: Option<Arc<Truth>>,
    /// At the network's size, of which masks are made.
    pub probability: Option<Arc<Map>>,
    /// The same laid over the picture.
    pub heat: Option<Arc<Map>>,
    /// Laid over the picture too.
    pub uncertainty: Option<Arc<Map>>,
    /// Of an earlier validation.
    earlier: Option<Arc<Map>>,
}

/// What is there of one validation.
#[derive(Debug)]
pub struct Moment {
    /// `None`: nothing yet.
    pub step: Option<u64>,
    /// The predictions that belong to it.
    pub in_time: Vec<Arc<Shown>>,
    /// Images that are asked about.
    pub of: usize,
}

impl Moment {
    /// Whether none is missing.
    pub fn is_whole(&self) -> bool {
        self.of > 0 && self.in_time.len() == self.of
    }
}

/// The images of the wall.
#[derive(Debug, Default)]
pub struct Gallery {
    pub cards: Vec<Card>,
    pub run: Option<RunId>,
    names: Option<(u64, Vec<String>)>,
    /// Of which frame the cards are.
    frame: Option<u64>,
    made: Many<(Slot, usize), Made, Shown>,
    /// Counts predictions that were asked for.
    asked: u64,
}

impl Gallery {
    /// Takes in what is finished and what the run shows at the cursor. Costs nothing when it is called again in a frame.
    pub fn follow(&mut self, ui: &Ui, ctx: &ViewCtx<'_>, ghost: Ghost) {
        let frame = ui.ctx().cumulative_frame_nr();
        if self.run != ctx.run.id {
            *self = Self { run: ctx.run.id, asked: self.asked, ..Self::default() };
        }
        if self.frame == Some(frame) {
            return;
        }
        self.frame = Some(frame);
        self.made.follow("masks", ui.ctx());
        self.read_names(ctx);
        for (i, card) in self.cards.iter_mut().enumerate() {
            card.read(i, ctx, ghost);
            if card.earlier.is_none() {
                self.made.forget((Slot::Ghost, i));
            }
        }
    }

    fn read_names(&mut self, ctx: &ViewCtx<'_>) {
        let Some((step, payload)) = ctx.payload("wall/names") else { return };
        let Payload::Text(text) = &*payload else { return };
        if self.names.as_ref().is_some_and(|(known, _)| *known == step) {
            return;
        }
        let names: Vec<String> = text.lines().map(str::to_owned).collect();
        self.cards.resize_with(names.len(), Card::default);
        self.cards.iter_mut().zip(&names).for_each(|(card, name)| card.name.clone_from(name));
        self.names = Some((step, names));
    }

    /// Asks for the prediction of card `i` for `slot`; [`Gallery::shown`] has it some frames later.
    pub fn want(&mut self, i: usize, slot: Slot, pipeline: Pipeline) {
        let Some(card) = self.cards.get(i) else { return };
        let map = if slot == Slot::Ghost { &card.earlier } else { &card.probability };
        let (Some(map), Some(truth)) = (map.clone(), card.truth.clone()) else { return };
        let made = Made { probability: map.step, truth: truth.step, pipeline };
        self.asked += 1;
        let number = self.asked;
        self.made.want((slot, i), made, move || make(&map, &truth, made, number));
    }

    /// The newest prediction of card `i` for `slot`, which may belong to settings just left.
    pub fn shown(&self, i: usize, slot: Slot) -> Option<&Arc<Shown>> {
        self.made.newest((slot, i))
    }

    /// The predictions of these cards with one pipeline, for a mean: of one validation or of none.
    pub fn moment(&self, cards: impl Iterator<Item = usize> + Clone, slot: Slot, pipeline: Pipeline) -> Moment {
        let maps = cards.clone().filter_map(|i| self.cards.get(i)?.probability.as_ref());
        // While a run is live, or after a jump, maps arrive one after the other: the moment is that of the newest.
        let Some(step) = maps.map(|map| map.step).max() else {
            return Moment { step: None, in_time: Vec::new(), of: cards.count() };
        };
        let made = |shown: &&Arc<Shown>| shown.made.probability == step && shown.made.pipeline == pipeline;
        let current = |i: usize| {
            let card = self.cards.get(i)?;
            let truth = card.truth.as_ref()?.step;
            self.shown(i, slot).filter(made).filter(|shown| shown.made.truth == truth).cloned()
        };
        Moment { step: Some(step), in_time: cards.clone().filter_map(current).collect(), of: cards.count() }
    }

    /// Whether every prediction that was asked for is there.
    pub fn is_settled(&self) -> bool {
        self.made.is_settled()
    }

    /// Asks for another frame while something is being made.
    pub fn keep_going(&self, ui: &Ui) {
        if !self.is_settled() {
            ui.ctx().request_repaint_after(Duration::from_millis(8));
        }
    }
}

impl Card {
    /// Takes over what is recorded of it at the cursor; what is still being read stays as it was.
    fn read(&mut self, i: usize, ctx: &ViewCtx<'_>, ghost: Ghost) {
        self.picture.follow(ctx, &format!("wall/image/{i}"));
        if let Some((step, payload)) = ctx.payload(&format!("wall/truth/{i}"))
            && self.truth.as_ref().is_none_or(|truth| truth.step != step)
            && let Some(mask) = mask_of(&payload)
        {
            self.truth = Some(Arc::new(Truth::new(step, mask, spacing_of(i, ctx))));
        }
        let newer = |known: &Option<Arc<Map>>, key: &str, scale: f32, offset: f32| {
            let (step, payload) = ctx.payload(key)?;
            let same = known.as_ref().is_some_and(|map| map.step == step);
            if same { None } else { Map::read(step, &payload, scale, offset).map(Arc::new) }
        };
        let key = format!("wall/probability/{i}");
        let fit = FIT.get(&ctx.run.params).unwrap_or_default();
        // Without the picture's shape it is not known where it lies.
        let shape = self.picture.size().or(self.truth.as_ref().map(|truth| [truth.mask.width(), truth.mask.height()]));
        let shape = shape.or((fit == Fit::Squash).then_some([1, 1]));
        if let Some([width, height]) = shape {
            let laid_over = |map: Arc<Map>| {
                let frame = fit.frame(Size { height, width }, map.side);
                if frame.is_whole() { map } else { Arc::new(Map { values: frame.stretched(&map.values), ..*map }) }
            };
            if let Some(map) = newer(&self.probability, &key, 256.0, 0.5) {
                self.heat = Some(laid_over(map.clone()));
                self.probability = Some(map);
            }
            if let Some(map) = newer(&self.uncertainty, &format!("wall/uncertainty/{i}"), 512.0, 0.0) {
                self.uncertainty = Some(laid_over(map));
            }
        }
        // Maps of different steps beside each other would be a lie.
        if self.uncertainty.as_ref().is_some_and(|map| self.probability.as_ref().is_none_or(|p| p.step != map.step)) {
            self.uncertainty = None;
        }
        self.read_earlier(&key, ctx, ghost);
        // Masks of another size than the image cannot be laid over it.
        if let (Some(truth), Some(size)) = (&self.truth, self.picture.size())
            && [truth.mask.width(), truth.mask.height()] != size
        {
            self.truth = None;
        }
    }

    fn read_earlier(&mut self, key: &str, ctx: &ViewCtx<'_>, ghost: Ghost) {
        let step = self.probability.as_ref().map(|map| map.step).and_then(|step| {
            let recorded = &ctx.run.payloads.get(key)?.recorded;
            let before = recorded.partition_point(|(at, ..)| *at < step);
            match ghost {
                Ghost::None => None,
                Ghost::First => recorded.first().map(|(at, ..)| *at).filter(|at| *at < step),
                Ghost::Previous => before.checked_sub(1).map(|i| recorded[i].0),
            }
        });
        let Some(step) = step else {
            self.earlier = None;
            return;
        };
        if self.earlier.as_ref().is_some_and(|map| map.step == step) {
            return;
        }
        // While it is being read another moment may be handed out instead.
        if let Some((_, payload)) = ctx.past.payload(key, step).filter(|(found, _)| *found == step) {
            self.earlier = Map::read(step, &payload, 256.0, 0.5).map(Arc::new);
        }
    }
}

/// The size of a pixel of image `i` of the wall, as it is shown.
fn spacing_of(i: usize, ctx: &ViewCtx<'_>) -> Option<Spacing> {
    let (_, payload) = ctx.payload("wall/spacing")?;
    let Payload::Text(text) = &*payload else { return None };
    Spacing::parse(text.lines().nth(i)?).ok()
}

/// A mask of a payload; anything that is not 0 is lesion.
pub fn mask_of(payload: &Payload) -> Option<Mask> {
    let Payload::Mask { width, height, labels } = payload else { return None };
    Mask::new(*height as usize, *width as usize, labels.iter().map(|label| *label != 0).collect())
        .ok()
        .filter(|mask| !mask.pixels().is_empty())
}

/// Makes a mask and measures it.
fn make(map: &Map, truth: &Truth, made: Made, number: u64) -> Shown {
    let size = (truth.mask.height(), truth.mask.width());
    let mask = made.pipeline.mask(&map.values, map.side, size.0, size.1);
    truth.lines.get_or_init(|| Contours::of(&truth.mask));
    Shown {
        made,
        number,
        lines: Contours::of(&mask),
        score: made.pipeline.score(&mask, &truth.mask, truth.spacing),
        distances: border_distances(&mask, &truth.mask, truth.spacing.unwrap_or(Spacing::PIXELS)).ok().flatten(),
        mask,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::Context;
    use std::time::Instant;

    #[test]
    fn a_mask_is_made_and_measured_where_it_belongs() {
        let values = (0..16).map(|i| if i % 4 < 2 { 0.9 } else { 0.1 }).collect();
        let map = Map { step: 3, side: 4, values };
        let truth = Truth::new(0, Mask::from_fn(8, 12, |_, x| x < 6), None);
        let made = Made { probability: 3, truth: 0, pipeline: Pipeline::default() };
        let shown = make(&map, &truth, made, 1);
        assert_eq!((shown.mask.height(), shown.mask.width()), (8, 12));
        assert_eq!(shown.score.dice, 1.0);
        assert_eq!(shown.lines.edges.len(), 1);
        assert!(truth.lines().is_some(), "the truth's outline is made beside");
        assert!(shown.distances.is_some());
    }

    #[test]
    fn masks_that_are_asked_for_come_and_have_a_mean_of_one_step() {
        let ctx = Context::default();
        let mut gallery = Gallery::default();
        let card = |i: usize| Card {
            truth: Some(Arc::new(Truth::new(0, Mask::from_fn(8, 8, |y, _| y < 4), None))),
            probability: Some(Arc::new(Map { step: i as u64, side: 2, values: vec![0.9, 0.9, 0.1, 0.1] })),
            ..Card::default()
        };
        gallery.cards = (0..12).map(card).collect();
        let ask = |gallery: &mut Gallery, pipeline: Pipeline| {
            let start = Instant::now();
            loop {
                // As in a frame: first what is finished, then work for the thread, then what views ask for.
                gallery.made.follow("masks", &ctx);
                (0..12).for_each(|i| gallery.want(i, Slot::Now, pipeline));
                if gallery.is_settled() || start.elapsed() > Duration::from_secs(20) {
                    break;
                }
            }
        };
        ask(&mut gallery, Pipeline::default());
        let dice = |gallery: &Gallery| (0..12).map(|i| gallery.shown(i, Slot::Now).unwrap().score.dice).sum::<f64>();
        assert_eq!(dice(&gallery), 12.0);
        ask(&mut gallery, Pipeline { threshold: 0.95, ..Pipeline::default() });
        assert_eq!(dice(&gallery), 0.0);

        // Their maps are of twelve steps: there is no mean. With the last two of one step there are two.
        let strict = Pipeline { threshold: 0.95, ..Pipeline::default() };
        let moment = gallery.moment(0..12, Slot::Now, strict);
        assert_eq!((moment.step, moment.in_time.len(), moment.of, moment.is_whole()), (Some(11), 1, 12, false));
        let map = Map { step: 11, side: 2, values: vec![0.9, 0.9, 0.1, 0.1] };
        gallery.cards[10].probability = Some(Arc::new(map));
        assert_eq!(gallery.moment(10..12, Slot::Now, strict).in_time.len(), 1, "its mask is still the old step's");
        ask(&mut gallery, strict);
        assert!(gallery.moment(10..12, Slot::Now, strict).is_whole());
        assert!(!gallery.moment(10..12, Slot::Now, Pipeline::default()).is_whole(), "made with other settings");
        assert!(!gallery.moment(0..0, Slot::Now, strict).is_whole());
        assert!((0..12).all(|i| gallery.shown(i, Slot::Ghost).is_none()));
    }
}
