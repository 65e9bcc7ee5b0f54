//! Which pictures a step sees and how their views are made: pure functions of the seed and the step.

use std::sync::Arc;

use rayon::prelude::*;

use crate::compute::streams;
use crate::data::augment::recipes::Recipe;
use crate::data::augment::{Group, View};
use crate::data::images::ImageData;
use crate::kit::batches::{Last, Order};

use super::trainer::VIEWS;

/// Makes batches of views.
pub struct Batches {
    data: Arc<ImageData>,
    recipe: Recipe,
    groups: Vec<Group>,
    seed: u64,
    order: Order,
}

/// Two views of each picture of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Indices of the pictures.
    pub indices: Vec<usize>,
    /// `[2B, C, H, W]`, normalised; row `2b + v` is view v of picture b.
    pub values: Vec<f32>,
    /// What each view was made with.
    pub views: Vec<[View; VIEWS]>,
}

impl Batches {
    /// `size` pictures a step, at most as many as there are; what is left over at the end of an epoch is dropped.
    pub fn new(data: Arc<ImageData>, recipe: Recipe, seed: u64, size: usize) -> Self {
        let order = Order::new((0..data.train.len()).collect(), size, Last::Drop, seed, streams::VIEWS_ORDER);
        Self { data, recipe, groups: recipe.groups(), seed, order }
    }

    /// The batch of the step after `step` completed ones.
    pub fn of(&mut self, step: u64) -> Batch {
        let epoch = self.order.epoch(step);
        let indices = self.order.of(step).to_vec();
        let set = &self.data.train;
        let numbers = set.image_bytes();
        let shape = [set.channels, set.height, set.width];
        let mut values = vec![0.0; VIEWS * numbers * indices.len()];
        let views = values
            .par_chunks_exact_mut(VIEWS * numbers)
            .zip(&indices)
            .map(|(out, &index)| {
                let (first, second) = out.split_at_mut(numbers);
                let make = |view: usize, out: &mut [f32]| {
                    let mut rng = streams::VIEWS.open(self.seed, view_number(epoch, index, view));
                    self.recipe.view(&self.groups, set.image(index), shape, &mut rng, out)
                };
                [make(0, first), make(1, second)]
            })
            .collect();
        Batch { indices, values, views }
    }
}

/// The number of one view of one picture in one epoch.
fn view_number(epoch: u64, index: usize, view: usize) -> u64 {
    (epoch & 0xff_ffff) << 34 | (index as u64) << 2 | view as u64
}
