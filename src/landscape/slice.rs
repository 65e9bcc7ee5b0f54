//! The loss on a plane.

use super::network::Network;
use super::plane::Plane;
use crate::compute::readback::ReadError;
use crate::watch::Watch;

/// The loss on a grid of a plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// Ends of a and b.
    pub window: [[f64; 2]; 2],
    /// Columns (along a) and rows (along b), at least 2 each.
    pub size: [usize; 2],
    /// Row-major, row 0 at the smallest b; the ends of the window are sampled. NaN: no finite loss.
    pub values: Vec<f64>,
}

impl Slice {
    /// (a, b) of a sample.
    pub fn at(&self, column: usize, row: usize) -> [f64; 2] {
        sample(self.window, self.size, column, row)
    }

    /// The lowest and the highest loss; `None`: there is none.
    pub fn range(&self) -> Option<[f64; 2]> {
        let finite = self.values.iter().filter(|loss| loss.is_finite());
        finite.fold(None, |range, &loss| {
            let [low, high] = range.unwrap_or([loss; 2]);
            Some([low.min(loss), high.max(loss)])
        })
    }

    /// The loss at (a, b) between the samples (bilinear); NaN outside of the window.
    pub fn value(&self, at: [f64; 2]) -> f64 {
        let [mut cell, mut share] = [[0.0; 2]; 2];
        for axis in 0..2 {
            let ([low, high], cells) = (self.window[axis], self.size[axis] - 1);
            let place = (at[axis] - low) / (high - low) * cells as f64;
            if !(0.0..=cells as f64).contains(&place) {
                return f64::NAN;
            }
            cell[axis] = place.floor().min((cells - 1) as f64);
            share[axis] = place - cell[axis];
        }
        let value = |dx: usize, dy: usize| self.values[(cell[1] as usize + dy) * self.size[0] + cell[0] as usize + dx];
        let row = |dy: usize| (1.0 - share[0]) * value(0, dy) + share[0] * value(1, dy);
        (1.0 - share[1]) * row(0) + share[1] * row(1)
    }
}

fn sample(window: [[f64; 2]; 2], size: [usize; 2], column: usize, row: usize) -> [f64; 2] {
    let along = |axis: usize, i: usize| {
        let [low, high] = window[axis];
        low + (high - low) * i as f64 / (size[axis] - 1) as f64
    };
    [along(0, column), along(1, row)]
}

/// Measures the loss of a network on a window of a plane; `None`: the watch was cancelled.
///
/// # Errors
/// The device cannot be read.
pub fn slice(
    network: &mut Network,
    plane: &Plane,
    window: [[f64; 2]; 2],
    size: [usize; 2],
    watch: Watch<'_>,
) -> Result<Option<Slice>, ReadError> {
    let size = size.map(|side| side.max(2));
    let all = size[0] * size[1];
    let mut values = Vec::with_capacity(all);
    for index in 0..all {
        if watch.cancelled() {
            return Ok(None);
        }
        let at = sample(window, size, index % size[0], index / size[0]);
        let loss = network.loss(&plane.weights(at))?;
        values.push(if loss.is_finite() { loss } else { f64::NAN });
        (watch.progress)(index + 1, all);
    }
    Ok(Some(Slice { window, size, values }))
}

/// The window that holds these places with a margin, at least `least` wide each way.
pub fn window(places: impl Iterator<Item = [f64; 2]> + Clone, least: f64) -> [[f64; 2]; 2] {
    [0, 1].map(|axis| {
        let of = || places.clone().map(move |at| at[axis]).filter(|x| x.is_finite());
        let (low, high) = (of().fold(f64::INFINITY, f64::min), of().fold(f64::NEG_INFINITY, f64::max));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 0.0) };
        let (centre, half) = ((low + high) / 2.0, (0.6 * (high - low)).max(least / 2.0));
        [centre - half, centre + half]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// x² + 3y² of two weights.
    fn bowl() -> Network {
        Network {
            id: String::new(),
            title: String::new(),
            blocks: Vec::new(),
            weights: vec![1.0, 1.0],
            about: "",
            rate: None,
            evaluate: Box::new(|w, _| {
                let [x, y] = [f64::from(w[0]), f64::from(w[1])];
                Ok((if x > 1.9 { f64::INFINITY } else { x * x + 3.0 * y * y }, Vec::new()))
            }),
        }
    }

    #[test]
    fn a_slice_has_the_loss_of_the_weights_that_it_names() {
        let plane = Plane { origin: vec![0.0, 0.0], directions: [vec![1.0, 0.0], vec![0.0, 1.0]] };
        let found = slice(&mut bowl(), &plane, [[-1.0, 2.0], [-1.0, 1.0]], [7, 5], Watch::nobody()).unwrap().unwrap();
        assert_eq!(found.values.len(), 35);
        let [a, b] = found.at(3, 4);
        assert!((found.values[4 * 7 + 3] - (a * a + 3.0 * b * b)).abs() < 1e-6);
        assert!((found.value([0.5, 0.5]) - 1.0).abs() < 1e-6, "on a sample");
        assert!((found.value([0.25, 0.0]) - 0.125).abs() < 1e-6, "between two");
        assert!(found.value([2.0, 0.0]).is_nan(), "no loss there");
        assert!(found.value([-1.1, 0.0]).is_nan() && found.value([f64::NAN, 0.0]).is_nan());
        assert!((found.value([-1.0, 1.0]) - 4.0).abs() < 1e-6, "a corner");
    }

    #[test]
    fn a_window_holds_its_places_with_a_margin() {
        let places = [[0.0, 2.0], [10.0, 2.0], [f64::NAN, 2.0]];
        let [x, y] = window(places.into_iter(), 0.5);
        assert!(x[0] < 0.0 && x[1] > 10.0 && x[1] < 12.0);
        assert_eq!(y, [1.75, 2.25]);
        assert_eq!(window(std::iter::empty(), 2.0), [[-1.0, 1.0]; 2]);
    }

    #[test]
    fn a_cancelled_slice_is_none() {
        let plane = Plane { origin: vec![0.0, 0.0], directions: [vec![1.0, 0.0], vec![0.0, 1.0]] };
        let cancel = std::sync::atomic::AtomicBool::new(true);
        let watch = Watch { cancel: &cancel, ..Watch::nobody() };
        assert_eq!(slice(&mut bowl(), &plane, [[0.0, 1.0]; 2], [3, 3], watch).unwrap(), None);
    }
}
