//! Which images a step sees, of large ones which patch, and how their views are made: pure functions of the seed and the step.

use std::sync::Arc;

use rayon::prelude::*;

use crate::compute::rng::HostRng;
use crate::compute::streams;
use crate::data::augment::{Group, MaskBorder, View, recipes};
use crate::kit::batches::{Last, Order};
use crate::pixels::pieces;
use crate::pixels::resize::Size;

use super::params::Hyper;
use super::source::{Item, SegmentationData};
use super::trainer::Input;

/// Share of the patches that are cut around a pixel of the lesion; the others lie anywhere.
const ON_LESION: f64 = 1.0 / 3.0;

/// Makes batches. An epoch shows every training image once, or in as many patches as cover it; its last batch may be smaller.
/// Where images join, an epoch begins.
pub struct Batches {
    order: Order,
    seed: u64,
    size: usize,
    groups: Vec<Group>,
    /// Step and number of the epoch that the newest list of images began with.
    origin: [u64; 2],
}

/// The images of one step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Indices of items; of several structures, those of the first.
    pub indices: Vec<usize>,
    /// `[B, C, S, S]`.
    pub images: Vec<f32>,
    /// `[B, K, S, S]` of 0 and 1, K structures.
    pub masks: Vec<f32>,
    /// `[B, 1, S, S]`: 1 where the view shows the picture; empty: pictures fill their squares.
    pub inside: Vec<f32>,
    pub views: Vec<View>,
    /// Row and column of what was cut from each image.
    pub corners: Vec<[usize; 2]>,
}

/// One image of a batch.
struct Made {
    view: View,
    image: Vec<f32>,
    mask: Vec<bool>,
    inside: Vec<bool>,
    corner: [usize; 2],
}

/// Where the patch that a step sees of an image begins, which has an item for each structure.
fn corner(items: &[Arc<Item>], side: usize, rng: &mut HostRng) -> [usize; 2] {
    let frame = items[0].frame;
    let room = pieces::room(frame, side);
    if room.iter().all(|[first, last]| first == last) {
        return room.map(|[first, _]| first);
    }
    let between = |[first, last]: [usize; 2], rng: &mut HostRng| first + rng.below(last - first + 1);
    if rng.uniform() >= ON_LESION {
        return room.map(|axis| between(axis, rng));
    }
    // One of the structures that are there, and one of its pixels.
    let area = |item: &&Arc<Item>| item.mask.iter().filter(|&&lesion| lesion).count();
    let there: Vec<(&Arc<Item>, usize)> =
        items.iter().map(|item| (item, area(&item))).filter(|(_, area)| *area > 0).collect();
    let Some(&(item, area)) = there.get(rng.below(there.len().max(1))) else {
        return room.map(|axis| between(axis, rng));
    };
    let chosen = rng.below(area);
    let pixel = (0..item.mask.len()).filter(|&i| item.mask[i]).nth(chosen).unwrap_or(0);
    let place = [pixel / frame.side, pixel % frame.side];
    // The pixel lies anywhere in the patch.
    std::array::from_fn(|axis| {
        let [first, last] = room[axis];
        let least = (place[axis] + 1).saturating_sub(side).clamp(first, last);
        between([least, place[axis].clamp(least, last)], rng)
    })
}

impl Batch {
    /// What the network takes.
    pub fn input<'a>(&'a self, data: &SegmentationData) -> Input<'a> {
        Input {
            images: &self.images,
            masks: &self.masks,
            channels: data.channels,
            size: data.size,
            inside: (!self.inside.is_empty()).then_some(&self.inside[..]),
        }
    }
}

impl Batches {
    /// `size` images a step, of these items.
    pub fn new(train: Vec<usize>, seed: u64, size: usize) -> Self {
        let order = Order::new(train, size, Last::Keep, seed, streams::IMAGES_ORDER);
        Self { order, seed, size, groups: recipes::pairs(), origin: [0, 0] }
    }

    /// From the step after `step` completed ones on an epoch begins, of these images.
    pub fn begin_epoch(&mut self, train: Vec<usize>, step: u64) {
        let [from, first] = self.origin;
        let origin = [step, first + (step - from).div_ceil(self.per_epoch())];
        *self = Self { origin, ..Self::new(train, self.seed, self.size) };
    }

    /// Where the newest list of images began; for a checkpoint.
    pub fn origin(&self) -> [u64; 2] {
        self.origin
    }

    /// Goes on from a checkpoint's.
    pub fn put_origin(&mut self, origin: [u64; 2]) {
        self.origin = origin;
    }

    /// Epochs, with the share of the one that goes on, after `step` completed steps.
    pub fn epochs(&self, step: u64) -> f64 {
        let [from, first] = self.origin;
        first as f64 + step.saturating_sub(from) as f64 / self.per_epoch() as f64
    }

    /// Whether an epoch ends with this step.
    pub fn ends_epoch(&self, step: u64) -> bool {
        step.saturating_sub(self.origin[0]).is_multiple_of(self.per_epoch())
    }

    /// Steps in an epoch.
    pub fn per_epoch(&self) -> u64 {
        self.order.per_epoch()
    }

    /// The batch of the step after `step` completed ones.
    pub fn of(&mut self, step: u64, data: &SegmentationData, hyper: &Hyper) -> Batch {
        let [from, epoch] = self.origin;
        let indices = self.order.of(epoch * self.per_epoch() + step.saturating_sub(from)).to_vec();
        let border = if hyper.consistent_border { MaskBorder::AsImage } else { MaskBorder::Background };
        let size = Size { height: data.size, width: data.size };
        let first = step * self.size as u64;
        let padded = indices.iter().any(|&i| !data.items[i].frame.is_whole());
        let made: Vec<Made> = indices
            .par_iter()
            .enumerate()
            .map(|(k, &i)| {
                let item = &data.items[i];
                let rng = &mut streams::PATCHES.open(self.seed, first + k as u64);
                let corner = corner(&data.items[i..i + data.outputs()], data.size, rng);
                let plane = item.frame.side;
                let view = if hyper.augment {
                    View::draw(&self.groups, size, &mut streams::PAIR_VIEWS.open(self.seed, first + k as u64))
                } else {
                    View::default()
                };
                let image = pieces::cut_channels(&item.image, plane, data.size, corner);
                let (image, mask) = (
                    view.image(&image, size),
                    data.items[i..i + data.outputs()]
                        .iter()
                        .flat_map(|item| view.mask(&pieces::cut(&item.mask, plane, data.size, corner), size, border))
                        .collect(),
                );
                let inside = if padded {
                    view.mask(&pieces::held(item.frame, data.size, corner), size, MaskBorder::AsImage)
                } else {
                    Vec::new()
                };
                Made { view, image, mask, inside, corner }
            })
            .collect();
        let mut batch = Batch { indices, ..Batch::default() };
        for Made { view, image, mask, inside, corner } in made {
            batch.corners.push(corner);
            batch.images.extend(image);
            batch.masks.extend(mask.into_iter().map(|lesion| f32::from(u8::from(lesion))));
            batch.inside.extend(inside.into_iter().map(|picture| f32::from(u8::from(picture))));
            batch.views.push(view);
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::super::params::PARAMS;
    use std::sync::Arc;

    use super::*;
    use crate::engine::params::Params;
    use crate::pixels::fit::Fit;
    use crate::pixels::mask::Mask;

    fn data(count: usize) -> SegmentationData {
        let item = |i: usize| Item {
            name: i.to_string(),
            class: String::new(),
            image: vec![i as f32; 3 * 16].into(),
            mask: vec![i.is_multiple_of(2); 16],
            frame: Fit::Squash.frame(Size { height: 4, width: 4 }, 4),
            truth: Mask::empty(4, 4),
            corrected: None,
            drawn: false,
            factor: 1,
            content: 0,
            checksum: 0,
            spacing: None,
        };
        SegmentationData {
            size: 4,
            channels: 3,
            items: (0..count).map(item).map(Arc::new).collect(),
            ..SegmentationData::default()
        }
    }

    #[test]
    fn an_epoch_shows_every_training_image_once_and_batches_can_be_asked_for_in_any_order() {
        let data = data(12);
        let hyper = Hyper::of(&Params::defaults(PARAMS));
        let train: Vec<usize> = (1..12).collect();
        let mut batches = Batches::new(train.clone(), 3, 4);
        assert_eq!(batches.per_epoch(), 3);
        let mut seen: Vec<usize> = (0..3).flat_map(|step| batches.of(step, &data, &hyper).indices).collect();
        let second = batches.of(4, &data, &hyper);
        assert_eq!(second, Batches::new(train.clone(), 3, 4).of(4, &data, &hyper));
        assert_ne!(seen[4..8], second.indices, "each epoch has an order of its own");
        assert_eq!(batches.of(2, &data, &hyper).indices.len(), 3, "the last batch is smaller");
        seen.sort_unstable();
        assert_eq!(seen, train);
        assert_eq!(second.images[0], second.indices[0] as f32);
        assert_eq!(second.masks[0], f32::from(u8::from(second.indices[0].is_multiple_of(2))));
    }

    #[test]
    fn a_view_of_a_letterbox_knows_where_the_picture_is() {
        let mut data = data(4);
        let frame = Fit::Letterbox.frame(Size { height: 2, width: 4 }, 4);
        data.items.iter_mut().for_each(|item| Arc::make_mut(item).frame = frame);
        let mut hyper = Hyper::of(&Params::defaults(PARAMS));
        let mut batches = Batches::new((0..4).collect(), 3, 4);
        let plain = batches.of(0, &data, &hyper);
        let of_one: Vec<f32> = (0..16).map(|i| if (4..12).contains(&i) { 1.0 } else { 0.0 }).collect();
        assert_eq!(plain.inside, [&of_one[..]; 4].concat());
        assert!(plain.input(&data).inside.is_some());
        hyper.augment = true;
        let moved = (0..8).map(|step| batches.of(step, &data, &hyper)).any(|batch| batch.inside != plain.inside);
        assert!(moved, "what moves the picture moves its padding");
    }

    #[test]
    fn an_epoch_begins_where_images_join_and_is_found_again() {
        let data = data(12);
        let hyper = Hyper::of(&Params::defaults(PARAMS));
        let mut batches = Batches::new((0..6).collect(), 3, 4);
        assert!(batches.ends_epoch(2) && !batches.ends_epoch(3));
        batches.begin_epoch((0..7).collect(), 3);
        assert_eq!((batches.origin(), batches.epochs(3), batches.epochs(4)), ([3, 2], 2.0, 2.5));
        let mut seen: Vec<usize> = (3..5).flat_map(|step| batches.of(step, &data, &hyper).indices).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..7).collect::<Vec<_>>());
        assert!(batches.ends_epoch(5) && !batches.ends_epoch(4));
        let mut again = Batches::new((0..7).collect(), 3, 4);
        again.put_origin(batches.origin());
        assert_eq!(again.of(4, &data, &hyper), batches.of(4, &data, &hyper));
    }

    #[test]
    fn augmentation_draws_a_view_of_its_own_for_every_image_of_every_step() {
        let data = data(12);
        let mut hyper = Hyper::of(&Params::defaults(PARAMS));
        hyper.augment = true;
        let mut batches = Batches::new((0..12).collect(), 3, 12);
        let (first, second) = (batches.of(0, &data, &hyper), batches.of(1, &data, &hyper));
        assert_ne!(first.views, second.views);
        assert_eq!(first, batches.of(0, &data, &hyper));
        assert!(first.views.iter().any(|view| !view.operations.is_empty()));
    }
}
