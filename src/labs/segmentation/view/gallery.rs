//! The images of the wall with what is known of them at the cursor, and the masks that the pipeline of the views makes of
//! the recorded probabilities. Masks are made on a thread of their own; until a new one is there, the last one stays.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use eframe::egui::{Context, TextureId, Ui};

use crate::engine::event::{Payload, RunId};
use crate::kit::view::ViewCtx;
use crate::pixels::mask::Mask;
use crate::pixels::mask::border::{BorderDistances, border_distances};
use crate::pixels::mask::outline::{Outline, OutlineStyle, outlines};

use super::super::pipeline::{Pipeline, Score};
use super::layer::{self, Layer};
use super::look::Ghost;
use crate::plot::live_texture::LiveTexture;

/// Masks that are being made at the same time.
const IN_FLIGHT: usize = 4;
/// Time of one frame that may be spent on turning masks into pictures.
const BUDGET: Duration = Duration::from_millis(4);

/// Outlines of one mask.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lines {
    /// Along the sides of pixels, for the magnified view.
    pub edges: Vec<Outline>,
    /// Corners cut off, for the view from afar.
    pub smooth: Vec<Outline>,
}

impl Lines {
    pub fn of(mask: &Mask) -> Self {
        Self { edges: outlines(mask, OutlineStyle::Edges), smooth: outlines(mask, OutlineStyle::Midpoints) }
    }

    /// The outlines to draw where a pixel of the image is so many points wide on the screen.
    pub fn at_scale(&self, scale: f32) -> impl Iterator<Item = &[[f32; 2]]> {
        let lines = if scale >= 4.0 { &self.edges } else { &self.smooth };
        lines.iter().map(|outline| outline.points.as_slice())
    }
}

/// The true mask of an image.
#[derive(Debug)]
pub struct Truth {
    pub step: u64,
    pub mask: Mask,
    lines: OnceLock<Lines>,
}

impl Truth {
    pub fn new(step: u64, mask: Mask) -> Self {
        Self { step, mask, lines: OnceLock::new() }
    }

    /// Its outlines, once they are there.
    pub fn lines(&self) -> Option<&Lines> {
        self.lines.get()
    }
}

/// A square map of one validation: probabilities or uncertainties.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    pub step: u64,
    pub side: usize,
    /// Row by row.
    pub values: Vec<f32>,
}

impl Map {
    /// Reads a map of bytes; `scale` is that of the recording. `None` where it is not square or not whole.
    pub fn read(step: u64, payload: &Payload, scale: f32, offset: f32) -> Option<Self> {
        let Payload::Mask { width, height, labels } = payload else { return None };
        let side = *width as usize;
        let whole = width == height && side > 0 && side.checked_mul(side) == Some(labels.len());
        whole.then(|| {
            // A table of the 256 values that there are.
            let table: Vec<f32> = (0..=255u8).map(|label| (f32::from(label) + offset) / scale).collect();
            Self { step, side, values: labels.iter().map(|label| table[usize::from(*label)]).collect() }
        })
    }

    /// The value where a place of the image lies (bilinear between the centres of pixels, as the pipeline reads it);
    /// `at` in shares of width and height.
    pub fn sample(&self, at: [f32; 2]) -> f32 {
        let last = self.side as f32 - 1.0;
        let place = at.map(|share| (share * self.side as f32 - 0.5).clamp(0.0, last));
        let low = place.map(|v| v as usize);
        let t = [place[0].fract(), place[1].fract()];
        let value = |x: usize, y: usize| self.values[y.min(self.side - 1) * self.side + x.min(self.side - 1)];
        let along = |y: usize| (1.0 - t[0]) * value(low[0], y) + t[0] * value(low[0] + 1, y);
        (1.0 - t[1]) * along(low[1]) + t[1] * along(low[1] + 1)
    }
}

/// The picture of an image.
#[derive(Debug)]
pub struct Picture {
    pub step: u64,
    /// Width and height.
    pub size: [usize; 2],
    pub payload: Arc<Payload>,
    /// At full size, and averaged over squares of 2, 4 and 8 pixels a side: what is seen from afar does not flicker.
    textures: [LiveTexture; 4],
}

impl Picture {
    /// The texture to draw where a pixel of the picture is `scale` pixels of the screen wide, the nearest one that is
    /// there while it cannot be afforded.
    pub fn texture(&mut self, ctx: &Context, scale: f32, spent: &mut Duration) -> Option<TextureId> {
        let level = (0..self.textures.len() - 1).take_while(|level| scale * 2f32.powi(*level as i32) < 0.6).count();
        if self.textures[level].id().is_none()
            && let Payload::Image { rgba, .. } = &*self.payload
        {
            let (size, texture) = (self.size, &mut self.textures[level]);
            Gallery::afford(spent, ctx, || {
                let image = layer::picture(size[0], size[1], rgba, 1 << level);
                texture.set(ctx, "segmentation image", image, layer::PIXELS);
            });
        }
        self.textures[level].id().or_else(|| self.textures.iter().find_map(LiveTexture::id))
    }

    /// Red, green and blue of a pixel.
    pub fn rgb(&self, at: [usize; 2]) -> Option<[u8; 3]> {
        let Payload::Image { rgba, .. } = &*self.payload else { return None };
        let start = 4 * (at[1] * self.size[0] + at[0]);
        rgba.get(start..start + 3).map(|p| [p[0], p[1], p[2]])
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
    pub mask: Mask,
    pub lines: Lines,
    pub score: Score,
    /// `None` where they are undefined.
    pub distances: Option<BorderDistances>,
}

/// What a prediction of an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// One place for a prediction.
#[derive(Debug, Default)]
struct Place {
    shown: Option<Arc<Shown>>,
    wanted: Option<(Made, Arc<Map>)>,
    busy: bool,
    /// When it was last asked for, so that all get their turn while a slider moves.
    asked: u64,
}

/// One image of the wall.
#[derive(Debug, Default)]
pub struct Card {
    pub name: String,
    pub picture: Option<Picture>,
    pub truth: Option<Arc<Truth>>,
    pub probability: Option<Arc<Map>>,
    pub uncertainty: Option<Arc<Map>>,
    /// Of an earlier validation.
    earlier: Option<Arc<Map>>,
    places: [Place; 4],
    pub layer: Layer,
}

impl Card {
    /// The newest prediction for `slot`, which may belong to settings just left.
    pub fn shown(&self, slot: Slot) -> Option<&Arc<Shown>> {
        self.places[slot as usize].shown.as_ref()
    }

    /// Width and height in pixels.
    pub fn size(&self) -> Option<[usize; 2]> {
        self.picture.as_ref().map(|picture| picture.size)
    }
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

struct Job {
    generation: u64,
    card: usize,
    slot: Slot,
    made: Made,
    map: Arc<Map>,
    truth: Arc<Truth>,
}

type Done = (u64, usize, Slot, Shown);

/// The images of the wall.
#[derive(Debug, Default)]
pub struct Gallery {
    pub cards: Vec<Card>,
    run: Option<RunId>,
    /// Counts runs, so that what was made for an older one is not shown.
    generation: u64,
    names: Option<(u64, Vec<String>)>,
    /// Of which frame the cards are, and the time spent in it.
    frame: Option<u64>,
    spent: Duration,
    worker: Option<(Sender<Job>, Receiver<Done>)>,
    in_flight: usize,
    clock: u64,
}

impl Gallery {
    /// Takes in what is finished and what the run shows at the cursor. Costs nothing when it is called again in a frame.
    pub fn follow(&mut self, ui: &Ui, ctx: &ViewCtx<'_>, ghost: Ghost) {
        let frame = ui.ctx().cumulative_frame_nr();
        if self.run != ctx.run.id {
            self.cards.clear();
            (self.run, self.names, self.frame, self.in_flight) = (ctx.run.id, None, None, 0);
            self.generation += 1;
            // Its answers are nobody's any more.
            self.worker = None;
        }
        if self.frame == Some(frame) {
            return;
        }
        (self.frame, self.spent) = (Some(frame), Duration::ZERO);
        self.absorb();
        self.send(ui.ctx());
        self.read_names(ctx);
        for (i, card) in self.cards.iter_mut().enumerate() {
            card.read(i, ctx, ghost);
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

    /// Asks for the prediction of card `i` for `slot`; [`Card::shown`] has it some frames later.
    pub fn want(&mut self, i: usize, slot: Slot, pipeline: Pipeline) {
        let Some(card) = self.cards.get_mut(i) else { return };
        let map = if slot == Slot::Ghost { &card.earlier } else { &card.probability };
        let (Some(map), Some(truth)) = (map.clone(), &card.truth) else { return };
        let made = Made { probability: map.step, truth: truth.step, pipeline };
        let place = &mut card.places[slot as usize];
        let current = place.shown.as_ref().is_some_and(|shown| shown.made == made);
        place.wanted = (!current).then_some((made, map));
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
            card.shown(slot).filter(made).filter(|shown| shown.made.truth == truth).cloned()
        };
        Moment { step: Some(step), in_time: cards.clone().filter_map(current).collect(), of: cards.count() }
    }

    /// Whether every prediction that was asked for is there.
    pub fn is_settled(&self) -> bool {
        self.in_flight == 0
            && self.cards.iter().all(|card| card.places.iter().all(|place| place.wanted.is_none() && !place.busy))
    }

    /// Asks for another frame while something is being made.
    pub fn keep_going(&self, ui: &Ui) {
        if !self.is_settled() {
            ui.ctx().request_repaint_after(Duration::from_millis(8));
        }
    }

    /// Runs `work` unless this frame has had enough of it; another frame is asked for then.
    pub fn afford<T>(spent: &mut Duration, ctx: &Context, work: impl FnOnce() -> T) -> Option<T> {
        if *spent >= BUDGET {
            ctx.request_repaint();
            return None;
        }
        let start = Instant::now();
        let done = work();
        *spent += start.elapsed();
        Some(done)
    }

    /// A card with the time that was spent in this frame.
    pub fn card(&mut self, i: usize) -> Option<(&mut Card, &mut Duration)> {
        self.cards.get_mut(i).map(|card| (card, &mut self.spent))
    }

    fn absorb(&mut self) {
        let Some((_, done)) = &self.worker else { return };
        while let Ok((generation, card, slot, shown)) = done.try_recv() {
            if generation != self.generation {
                continue;
            }
            self.in_flight = self.in_flight.saturating_sub(1);
            if let Some(card) = self.cards.get_mut(card) {
                let place = &mut card.places[slot as usize];
                place.busy = false;
                // It may have been asked for again while it was being made.
                place.wanted.take_if(|(made, _)| *made == shown.made);
                place.shown = Some(Arc::new(shown));
            }
        }
    }

    /// Hands out work, what has waited longest first.
    fn send(&mut self, ctx: &Context) {
        const SLOTS: [Slot; 4] = [Slot::Now, Slot::Plain, Slot::Run, Slot::Ghost];
        while self.in_flight < IN_FLIGHT {
            let waiting = self.cards.iter().enumerate().flat_map(|(i, card)| {
                let places = card.places.iter().enumerate().filter(|(_, place)| place.wanted.is_some() && !place.busy);
                places.map(move |(slot, place)| (place.asked, slot, i))
            });
            let Some((_, slot, i)) = waiting.min() else { return };
            let card = &mut self.cards[i];
            let (Some((made, map)), Some(truth)) = (card.places[slot].wanted.take(), card.truth.clone()) else {
                return;
            };
            let job = Job { generation: self.generation, card: i, slot: SLOTS[slot], made, map, truth };
            let (jobs, _) = self.worker.get_or_insert_with(|| spawn(ctx.clone()));
            if jobs.send(job).is_err() {
                // The thread could not be started: what is shown stays as it is.
                return;
            }
            self.clock += 1;
            (card.places[slot].asked, card.places[slot].busy) = (self.clock, true);
            self.in_flight += 1;
        }
    }
}

impl Card {
    /// Takes over what is recorded of it at the cursor; what is still being read stays as it was.
    fn read(&mut self, i: usize, ctx: &ViewCtx<'_>, ghost: Ghost) {
        if let Some((step, payload)) = ctx.payload(&format!("wall/image/{i}"))
            && self.picture.as_ref().is_none_or(|picture| picture.step != step)
            && let Payload::Image { width, height, rgba } = &*payload
        {
            let size = [*width as usize, *height as usize];
            if !rgba.is_empty() && size[0].checked_mul(size[1]).and_then(|n| n.checked_mul(4)) == Some(rgba.len()) {
                self.picture = Some(Picture { step, size, payload, textures: Default::default() });
            }
        }
        if let Some((step, payload)) = ctx.payload(&format!("wall/truth/{i}"))
            && self.truth.as_ref().is_none_or(|truth| truth.step != step)
            && let Some(mask) = mask_of(&payload)
        {
            self.truth = Some(Arc::new(Truth::new(step, mask)));
        }
        let newer = |known: &Option<Arc<Map>>, key: &str, scale: f32, offset: f32| {
            let (step, payload) = ctx.payload(key)?;
            let same = known.as_ref().is_some_and(|map| map.step == step);
            if same { None } else { Map::read(step, &payload, scale, offset).map(Arc::new) }
        };
        let key = format!("wall/probability/{i}");
        if let Some(map) = newer(&self.probability, &key, 256.0, 0.5) {
            self.probability = Some(map);
        }
        if let Some(map) = newer(&self.uncertainty, &format!("wall/uncertainty/{i}"), 512.0, 0.0) {
            self.uncertainty = Some(map);
        }
        // Maps of different steps beside each other would be a lie.
        if self.uncertainty.as_ref().is_some_and(|map| self.probability.as_ref().is_none_or(|p| p.step != map.step)) {
            self.uncertainty = None;
        }
        self.read_earlier(&key, ctx, ghost);
        // Masks of another size than the image cannot be laid over it.
        if let (Some(truth), Some(size)) = (&self.truth, self.size())
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
            self.places[Slot::Ghost as usize] = Place::default();
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

/// A mask of a payload; anything that is not 0 is lesion.
pub fn mask_of(payload: &Payload) -> Option<Mask> {
    let Payload::Mask { width, height, labels } = payload else { return None };
    Mask::new(*height as usize, *width as usize, labels.iter().map(|label| *label != 0).collect())
        .ok()
        .filter(|mask| !mask.pixels().is_empty())
}

/// Starts the thread that makes masks; it ends when nobody sends work any more.
fn spawn(ctx: Context) -> (Sender<Job>, Receiver<Done>) {
    let (jobs, todo) = channel::<Job>();
    let (done, results) = channel();
    let work = move || {
        while let Ok(job) = todo.recv() {
            let shown = make(&job.map, &job.truth, job.made);
            if done.send((job.generation, job.card, job.slot, shown)).is_err() {
                return;
            }
            ctx.request_repaint();
        }
    };
    // Without a thread nothing is received, and sending fails.
    let _ = std::thread::Builder::new().name("masks".to_owned()).spawn(work);
    (jobs, results)
}

/// Makes a mask and measures it.
fn make(map: &Map, truth: &Truth, made: Made) -> Shown {
    let size = (truth.mask.height(), truth.mask.width());
    let mask = made.pipeline.mask(&map.values, map.side, size.0, size.1);
    truth.lines.get_or_init(|| Lines::of(&truth.mask));
    Shown {
        made,
        lines: Lines::of(&mask),
        score: made.pipeline.score(&mask, &truth.mask),
        distances: border_distances(&mask, &truth.mask).ok().flatten(),
        mask,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_read_as_it_was_recorded() {
        let bytes = |labels: Vec<u8>| Payload::Mask { width: 2, height: 2, labels };
        let map = Map::read(7, &bytes(vec![0, 127, 128, 255]), 256.0, 0.5).unwrap();
        assert_eq!((map.step, map.side), (7, 2));
        assert!(map.values[1] < 0.5 && map.values[2] > 0.5);
        assert!(Map::read(7, &bytes(vec![0; 3]), 256.0, 0.5).is_none());
        assert!(Map::read(7, &Payload::Mask { width: 1, height: 2, labels: vec![0; 2] }, 256.0, 0.5).is_none());
        assert!(Map::read(7, &Payload::Series(vec![1.0]), 256.0, 0.5).is_none());
        let middle = map.sample([0.5, 0.5]);
        assert!((middle - map.values.iter().sum::<f32>() / 4.0).abs() < 1e-6);
        assert_eq!(map.sample([0.0, 0.0]), map.values[0]);
        assert_eq!(map.sample([1.0, 1.0]), map.values[3]);
    }

    #[test]
    fn a_mask_is_made_and_measured_where_it_belongs() {
        let values = (0..16).map(|i| if i % 4 < 2 { 0.9 } else { 0.1 }).collect();
        let map = Map { step: 3, side: 4, values };
        let truth = Truth::new(0, Mask::from_fn(8, 12, |_, x| x < 6));
        let made = Made { probability: 3, truth: 0, pipeline: Pipeline::default() };
        let shown = make(&map, &truth, made);
        assert_eq!((shown.mask.height(), shown.mask.width()), (8, 12));
        assert_eq!(shown.score.dice, 1.0);
        assert_eq!(shown.lines.edges.len(), 1);
        assert!(truth.lines().is_some(), "the truth's outline is made beside");
        assert!(shown.distances.is_some());
    }

    #[test]
    fn masks_that_are_asked_for_come_and_are_made_once() {
        let ctx = Context::default();
        let mut gallery = Gallery::default();
        let card = |i: usize| Card {
            truth: Some(Arc::new(Truth::new(0, Mask::from_fn(8, 8, |y, _| y < 4)))),
            probability: Some(Arc::new(Map { step: i as u64, side: 2, values: vec![0.9, 0.9, 0.1, 0.1] })),
            ..Card::default()
        };
        gallery.cards = (0..12).map(card).collect();
        let ask = |gallery: &mut Gallery, pipeline: Pipeline| {
            let start = Instant::now();
            loop {
                // As in a frame: first what is finished, then work for the thread, then what views ask for.
                gallery.absorb();
                gallery.send(&ctx);
                (0..12).for_each(|i| gallery.want(i, Slot::Now, pipeline));
                if gallery.is_settled() || start.elapsed() > Duration::from_secs(20) {
                    break;
                }
            }
        };
        ask(&mut gallery, Pipeline::default());
        let dice =
            |gallery: &Gallery| gallery.cards.iter().map(|c| c.shown(Slot::Now).unwrap().score.dice).sum::<f64>();
        assert_eq!(dice(&gallery), 12.0);
        assert_eq!(gallery.clock, 12, "asked for in every frame, made once");
        ask(&mut gallery, Pipeline::default());
        assert_eq!(gallery.clock, 12, "nothing changed, nothing is made");
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
        assert!(gallery.cards.iter().all(|card| card.shown(Slot::Ghost).is_none()));
    }
}
