//! Which pictures a step sees and how their views are made: pure functions of the seed and the step.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rayon::prelude::*;

use crate::compute::streams;
use crate::data::augment::recipes::Recipe;
use crate::data::augment::{Group, View};
use crate::data::images::ImageData;
use crate::kit::batches::{Last, Order};

use super::trainer::VIEWS;

/// Makes batches of views, the next one on a thread beside while a step runs.
pub struct Batches {
    views: Arc<Views>,
    order: Order,
    /// The batch of this step, being made.
    ahead: Option<(u64, JoinHandle<Batch>)>,
}

/// What the views of any picture follow from.
struct Views {
    data: Arc<ImageData>,
    recipe: Recipe,
    groups: Vec<Group>,
    seed: u64,
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

impl Batch {
    /// The first pictures of it.
    pub fn first(&self, count: usize) -> Self {
        let count = count.min(self.indices.len());
        let numbers = self.values.len() / self.indices.len().max(1);
        Self {
            indices: self.indices[..count].to_vec(),
            values: self.values[..count * numbers].to_vec(),
            views: self.views[..count].to_vec(),
        }
    }
}

impl Batches {
    /// `size` pictures a step, at most as many as there are; what is left over at the end of an epoch is dropped.
    pub fn new(data: Arc<ImageData>, recipe: Recipe, seed: u64, size: usize) -> Self {
        let order = Order::new((0..data.train.len()).collect(), size, Last::Drop, seed, streams::VIEWS_ORDER);
        Self { views: Arc::new(Views { data, recipe, groups: recipe.groups(), seed }), order, ahead: None }
    }

    /// The batch of the step after `step` completed ones.
    pub fn of(&mut self, step: u64) -> Batch {
        let epoch = self.order.epoch(step);
        self.views.batch(epoch, self.order.of(step).to_vec(), true)
    }

    /// The same, and begins to make the one after it unless the run of `steps` ends before.
    pub fn next(&mut self, step: u64, steps: u64) -> Batch {
        let made = self.ahead.take().filter(|(at, _)| *at == step).and_then(|(_, making)| making.join().ok());
        let batch = made.unwrap_or_else(|| self.of(step));
        if step + 1 < steps {
            let (views, epoch) = (self.views.clone(), self.order.epoch(step + 1));
            let indices = self.order.of(step + 1).to_vec();
            let making =
                thread::Builder::new().name("views".to_owned()).spawn(move || views.batch(epoch, indices, false));
            // Without a thread it is made when its step comes.
            self.ahead = making.ok().map(|making| (step + 1, making));
        }
        batch
    }
}

impl Views {
    /// Two views of each of these pictures in this epoch; on all threads, or on this one alone beside a step that has the others.
    fn batch(&self, epoch: u64, indices: Vec<usize>, in_parallel: bool) -> Batch {
        let set = &self.data.train;
        let numbers = set.image_bytes();
        let shape = [set.channels, set.height, set.width];
        let mut values = vec![0.0; VIEWS * numbers * indices.len()];
        let both = |(out, &index): (&mut [f32], &usize)| {
            let (first, second) = out.split_at_mut(numbers);
            let make = |view: usize, out: &mut [f32]| {
                let mut rng = streams::VIEWS.open(self.seed, view_number(epoch, index, view));
                self.recipe.view(&self.groups, set.image(index), shape, &mut rng, out)
            };
            [make(0, first), make(1, second)]
        };
        let views = match in_parallel {
            true => values.par_chunks_exact_mut(VIEWS * numbers).zip(&indices).map(both).collect(),
            false => values.chunks_exact_mut(VIEWS * numbers).zip(&indices).map(both).collect(),
        };
        Batch { indices, values, views }
    }
}

/// The number of one view of one picture in one epoch.
fn view_number(epoch: u64, index: usize, view: usize) -> u64 {
    (epoch & 0xff_ffff) << 34 | (index as u64) << 2 | view as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::augment::recipes::RecipeKind;
    use crate::data::synth::shapes;

    #[test]
    fn what_was_made_ahead_is_what_the_step_would_have_made() {
        let data = Arc::new(shapes::generate(20, 4, 1));
        let recipe = Recipe::new(RecipeKind::Shapes, 0.4);
        let batches = || Batches::new(data.clone(), recipe, 3, 8);
        let expected: Vec<Batch> = (0..7).map(|step| batches().of(step)).collect();
        let mut ahead = batches();
        // In order, over the ends of epochs, from another step on, and once more.
        for step in [0, 1, 2, 3, 5, 6, 6, 2] {
            assert_eq!(ahead.next(step, 7), expected[step as usize], "{step}");
        }
        assert!(ahead.ahead.is_some());
        ahead.next(6, 7);
        assert!(ahead.ahead.is_none(), "nothing is made after the last step");
    }
}
