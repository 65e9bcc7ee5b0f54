//! Walks on a surface by the optimizers that networks are trained with: the code that trains, in f32 on the CPU.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use learnscope::labs::optimizers::surfaces::Surface;
use learnscope::nn::optim::{DecayScope, Optimizer, Rates};
use learnscope::nn::parameters::tracked;

/// Of an f32 walk against an f64 one, relative to the size of the numbers; see [`allowed`].
const TOLERANCE: f64 = 2e-4;
/// Coordinates beyond this are not compared: a run that diverges leaves f32 long before f64.
const FAR: f64 = 1e3;
/// Steps that are compared: later ones add up f32's rounding.
const STEPS: usize = 100;

/// An optimizer with its rates.
pub struct Trained {
    pub optimizer: Optimizer,
    pub rates: Rates,
}

#[derive(Module, Debug)]
struct Point {
    place: Param<Tensor<1>>,
}

impl Trained {
    /// The start and the places after each of the updates.
    pub fn walk(mut self, surface: &Surface, start: [f64; 2], updates: usize) -> Vec<[f64; 2]> {
        let device = Device::flex();
        let mut point = Point { place: Param::from_tensor(Tensor::from_floats(start.map(|v| v as f32), &device)) };
        let mut path = vec![read(&point)];
        for _ in 0..updates {
            let slope = surface.gradient(path[path.len() - 1]).map(|v| v as f32);
            // A plane of the surface's slope at this place.
            let live = tracked(&point);
            let loss = (live.place.val() * Tensor::from_floats(slope, &device)).sum();
            let mut gradients = loss.backward();
            point = self.optimizer.step(live, &mut gradients, DecayScope::All, |_| self.rates);
            path.push(read(&point));
        }
        path
    }
}

fn read(point: &Point) -> [f64; 2] {
    let at: Vec<f32> = point.place.val().into_data().try_to_vec().unwrap();
    [f64::from(at[0]), f64::from(at[1])]
}

/// How many places of an f64 run an f32 one must repeat, of which the first `stable` do not depend on f64's rounding.
pub fn comparable(places: &[[f64; 2]], stable: usize) -> usize {
    // Where f64 itself is chaotic, f32 is so earlier: noise that grows from 1e-16 to 1e-8 within `stable` rows has grown a
    // hundredfold in a quarter of them.
    let steady = if stable < places.len() { stable / 4 } else { places.len() };
    let near = places.iter().take_while(|place| place.iter().all(|v| v.abs() < FAR)).count();
    steady.min(near).min(STEPS)
}

/// How far from this place the f32 run may be.
pub fn allowed(place: [f64; 2]) -> f64 {
    TOLERANCE * place[0].abs().max(place[1].abs()).max(1e-2)
}
