//! A trained network as plain numbers: its weights, and what each of its units answers over the plane.

use crate::data::points::Extent;
use crate::labs::optimizers::network::features::Inputs;
use crate::nn::mlp::{Activation, Layer, MlpShape};

/// Rows and columns of a unit's picture; row 0 is at the top (largest y), values are taken at the centres of cells.
pub const SIDE: usize = 24;

/// A unit: column 0 has the features, then come the hidden layers, and the last column has the classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unit {
    pub column: usize,
    pub index: usize,
}

/// One optimizer's copy of the network at a step.
#[derive(Debug)]
pub struct Net {
    shape: MlpShape,
    layers: Vec<Layer>,
    theta: Vec<f32>,
    /// Of each column `[SIDE², units]`.
    answers: Vec<Vec<f32>>,
    /// Answers of each column lie within ± this.
    extremes: Vec<f32>,
}

/// Largest size of the finite ones of these numbers; 1 where all are 0.
fn extreme(values: &[f32]) -> f32 {
    let largest = values.iter().map(|value| value.abs()).filter(|size| size.is_finite()).fold(0.0, f32::max);
    if largest > 0.0 { largest } else { 1.0 }
}

impl Net {
    /// `theta` `[P]` as [`MlpShape::answers`] has it.
    pub fn new(shape: MlpShape, theta: Vec<f32>, inputs: &Inputs, extent: Extent) -> Self {
        let mut answers = vec![inputs.of(&extent.grid(SIDE, SIDE))];
        answers.extend(shape.answers(&theta, &answers[0]));
        let last = answers.len() - 1;
        let extremes = answers.iter().enumerate().map(|(column, values)| match shape.activation {
            Activation::Tanh if column > 0 && column < last => 1.0,
            _ => extreme(values),
        });
        let extremes = extremes.collect();
        Self { layers: shape.layers().collect(), shape, theta, answers, extremes }
    }

    /// Number of columns, at least 3.
    pub fn columns(&self) -> usize {
        self.shape.sizes.len()
    }

    /// Number of units in a column.
    pub fn units(&self, column: usize) -> usize {
        self.shape.sizes[column]
    }

    /// What a unit answers in each cell, row-major; hidden units after their activation, classes as logits.
    pub fn picture(&self, unit: Unit) -> impl Iterator<Item = f32> + '_ {
        self.answers[unit.column].iter().skip(unit.index).step_by(self.units(unit.column)).copied()
    }

    /// Answers of this column lie within ± this.
    pub fn extreme(&self, column: usize) -> f32 {
        self.extremes[column]
    }

    /// `None` for a feature.
    pub fn bias(&self, unit: Unit) -> Option<f32> {
        let layer = &self.layers[unit.column.checked_sub(1)?];
        self.theta[layer.biases()].get(unit.index).copied()
    }

    /// All weights between a column and the next, `[units, units of the next]`, row-major.
    pub fn weights(&self, column: usize) -> &[f32] {
        &self.theta[self.layers[column].weights()]
    }

    /// The weight of a unit for one of the next column.
    pub fn weight(&self, from: Unit, to: usize) -> f32 {
        self.weights(from.column)[from.index * self.layers[from.column].outputs + to]
    }

    /// The weight of the largest size, from where and to where.
    pub fn heaviest(&self) -> Option<(Unit, Unit, f32)> {
        let of = |column: usize| {
            self.weights(column).iter().enumerate().map(move |(place, weight)| (column, place, *weight))
        };
        let all = (0..self.layers.len()).flat_map(of);
        let (column, place, weight) = all.max_by(|a, b| a.2.abs().total_cmp(&b.2.abs()))?;
        let next = self.units(column + 1);
        let (from, to) = (Unit { column, index: place / next }, Unit { column: column + 1, index: place % next });
        Some((from, to, weight))
    }

    /// Largest size of a weight; 1 where all are 0.
    pub fn largest_weight(&self) -> f32 {
        self.heaviest().map_or(1.0, |(_, _, weight)| extreme(&[weight]))
    }

    /// The units that feed this one, with their weights, the largest first.
    pub fn incoming(&self, unit: Unit) -> Vec<(Unit, f32)> {
        let Some(column) = unit.column.checked_sub(1) else { return Vec::new() };
        let units = (0..self.units(column)).map(|index| Unit { column, index });
        largest_first(units.map(|from| (from, self.weight(from, unit.index))).collect())
    }

    /// The units that this one feeds, with their weights, the largest first.
    pub fn outgoing(&self, unit: Unit) -> Vec<(Unit, f32)> {
        let column = unit.column + 1;
        if column == self.columns() {
            return Vec::new();
        }
        let units = (0..self.units(column)).map(|index| Unit { column, index });
        largest_first(units.map(|to| (to, self.weight(unit, to.index))).collect())
    }

    /// At most so many units of a column, in their order: those with the largest outgoing weight (classes: incoming).
    pub fn strongest(&self, column: usize, room: usize) -> Vec<usize> {
        let mut units: Vec<usize> = (0..self.units(column)).collect();
        if units.len() > room {
            let last = column + 1 == self.columns();
            let strength = |index: usize| {
                let unit = Unit { column, index };
                let weights = if last { self.incoming(unit) } else { self.outgoing(unit) };
                weights.first().map_or(0.0, |(_, weight)| weight.abs())
            };
            let strengths: Vec<f32> = units.iter().map(|&index| strength(index)).collect();
            units.sort_by(|a, b| strengths[*b].total_cmp(&strengths[*a]));
            units.truncate(room);
            units.sort_unstable();
        }
        units
    }

    /// How many weights after a column lie in each of `bins` equal parts of ± the returned size.
    pub fn histogram(&self, column: usize, bins: usize) -> (Vec<usize>, f32) {
        let weights = self.weights(column);
        let reach = extreme(weights);
        let mut counts = vec![0; bins];
        for weight in weights.iter().filter(|weight| weight.is_finite()) {
            let share = (weight / reach + 1.0) / 2.0;
            counts[((share * bins as f32) as usize).min(bins - 1)] += 1;
        }
        (counts, reach)
    }
}

fn largest_first(mut weights: Vec<(Unit, f32)>) -> Vec<(Unit, f32)> {
    weights.sort_by(|(_, a), (_, b)| b.abs().total_cmp(&a.abs()));
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::points::Standardisation;
    use crate::labs::optimizers::network::features::Feature;

    /// Two features, three hidden units, two classes.
    fn net(activation: Activation) -> Net {
        let shape = MlpShape::new(2, 3, 1, 2, activation);
        #[rustfmt::skip]
        let theta = vec![
            1.0, 0.0, -2.0,
            0.0, 0.5, 0.0,
            0.0, 0.1, 0.2,
            0.1, 0.2,
            -3.0, 0.0,
            0.4, 1.0,
            0.0, -1.0,
        ];
        let standard = Standardisation { mean: [0.0; 2], std: [1.0; 2] };
        let inputs = Inputs { features: Feature::DEFAULT.to_vec(), standard };
        Net::new(shape, theta, &inputs, Extent { min: [-2.0, -1.0], max: [2.0, 1.0] })
    }

    #[test]
    fn a_unit_has_its_own_weights_and_bias() {
        let net = net(Activation::Tanh);
        let unit = Unit { column: 1, index: 1 };
        assert_eq!((net.columns(), net.units(1), net.bias(unit)), (3, 3, Some(0.1)));
        assert_eq!(net.bias(Unit { column: 0, index: 0 }), None);
        let (x2, x1) = (Unit { column: 0, index: 1 }, Unit { column: 0, index: 0 });
        assert_eq!(net.incoming(unit), [(x2, 0.5), (x1, 0.0)]);
        let to = |index| Unit { column: 2, index };
        assert_eq!(net.outgoing(unit), [(to(0), -3.0), (to(1), 0.0)]);
        assert_eq!((net.bias(to(1)), net.largest_weight()), (Some(-1.0), 3.0));
        assert_eq!(net.heaviest(), Some((unit, to(0), -3.0)));
        assert!(net.incoming(x1).is_empty() && net.outgoing(to(0)).is_empty());
    }

    #[test]
    fn where_room_is_short_the_units_with_the_largest_outgoing_weight_are_left() {
        let net = net(Activation::Tanh);
        assert_eq!(net.strongest(1, 9), [0, 1, 2]);
        assert_eq!(net.strongest(1, 2), [1, 2]);
        assert_eq!(net.strongest(0, 1), [0]);
        assert_eq!(net.strongest(2, 1), [0]);
    }

    #[test]
    fn pictures_are_what_units_answer_from_the_top_left() {
        let tanh = net(Activation::Tanh);
        let at = |net: &Net, column, index| net.picture(Unit { column, index }).collect::<Vec<f32>>();
        let (x1, x2) = (at(&tanh, 0, 0), at(&tanh, 0, 1));
        assert_eq!((x1.len(), x1[0] < -1.9, x2[0] > 0.9), (SIDE * SIDE, true, true));
        let hidden = at(&tanh, 1, 2);
        assert!((hidden[0] - (-2.0 * x1[0] + 0.2).tanh()).abs() < 1e-6);
        assert_eq!((tanh.extreme(1), tanh.extreme(0)), (1.0, x1[SIDE - 1].abs()));
        let relu = net(Activation::Relu);
        assert!(at(&relu, 1, 2).iter().all(|answer| *answer >= 0.0) && relu.extreme(1) > 3.0);
        // A logit is the weighted sum of the hidden units.
        let logit = 0.1 * at(&relu, 1, 0)[5] - 3.0 * at(&relu, 1, 1)[5] + 0.4 * at(&relu, 1, 2)[5];
        assert!((at(&relu, 2, 0)[5] - logit).abs() < 1e-5);
    }

    #[test]
    fn every_weight_is_in_one_bin() {
        let (counts, reach) = net(Activation::Tanh).histogram(1, 7);
        assert_eq!((counts, reach), (vec![1, 0, 0, 4, 1, 0, 0], 3.0));
    }
}
