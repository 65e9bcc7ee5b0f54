//! A network as a function of its trained weights: what every lab that trains one hands over.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::compute::readback::{ReadError, Reader};
use crate::nn::parameters::{Role, gradients, map, slots, tracked};

/// A part of the weights that belongs together: one kernel, matrix or bias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// `stem.conv.weight`
    pub name: String,
    pub role: Role,
    pub shape: Vec<usize>,
}

impl Block {
    /// Number of weights.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Which filter weight `at` of this block belongs to: the weights into one unit of a matrix `[in, out]`, one kernel of
    /// a convolution `[out, in, height, width]`.
    pub fn filter(&self, at: usize) -> usize {
        match self.shape.as_slice() {
            [] | [_] => 0,
            [_, outputs] => at % outputs,
            [_, rest @ ..] => at / rest.iter().product::<usize>().max(1),
        }
    }

    /// Number of filters.
    pub fn filters(&self) -> usize {
        match self.shape.as_slice() {
            [] | [_] => 1,
            [_, outputs] => *outputs,
            [outputs, ..] => *outputs,
        }
    }
}

/// The loss at weights `[P]`, and where asked for its gradient `[P]` (else nothing).
pub type Evaluate = Box<dyn FnMut(&[f32], bool) -> Result<(f64, Vec<f32>), ReadError>>;

/// A network, its weights now, and its loss on points that stay the same.
pub struct Network {
    /// What it is told apart by where several are trained side by side: `adam`.
    pub id: String,
    /// The same for people.
    pub title: String,
    /// In the order of the weights.
    pub blocks: Vec<Block>,
    /// `[P]`, trained ones only.
    pub weights: Vec<f32>,
    /// What its loss is taken of, in words.
    pub about: &'static str,
    /// The learning rate that it is trained with now, where there is one.
    pub rate: Option<f64>,
    pub evaluate: Evaluate,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, weights, .. } = self;
        f.debug_struct("Network").field("id", id).field("weights", &weights.len()).finish_non_exhaustive()
    }
}

impl Network {
    /// `[id, title, about]`, a module without autodiff, and the loss `[1]` of a copy of it whose parameters ask for gradients (inputs join its
    /// graph by `autodiff`). Running statistics stay as they are in `module`.
    pub fn of<M: Module + Clone + 'static>(
        [id, title, about]: [&'static str; 3],
        rate: Option<f64>,
        module: &M,
        loss: impl Fn(&M) -> Tensor<1> + 'static,
    ) -> Result<Self, ReadError> {
        let mut reader = Reader::default();
        let mut blocks = Vec::new();
        for slot in slots(module).into_iter().filter(|slot| slot.role != Role::Statistic) {
            reader.add(slot.value);
            blocks.push(Block { name: slot.path, role: slot.role, shape: slot.shape });
        }
        let weights = reader.read()?.concat();
        let module = module.clone();
        let evaluate = move |weights: &[f32], with_gradient: bool| {
            let mut at = 0;
            let placed = map(module.clone(), |_, role, old| {
                if role == Role::Statistic {
                    return old;
                }
                let [count] = old.dims();
                at += count;
                Tensor::from_floats(&weights[at - count..at], &old.device())
            });
            let placed = tracked(&placed);
            let value = loss(&placed);
            let mut reader = Reader::default();
            reader.add(value.clone());
            if with_gradient {
                let found = value.backward();
                reader.add(gradients(&placed, &found));
            }
            let mut read = reader.read()?.into_iter();
            let value = read.next().and_then(|loss| loss.first().copied()).unwrap_or(f32::NAN);
            Ok((f64::from(value), read.next().unwrap_or_default()))
        };
        Ok(Self {
            id: id.to_owned(),
            title: title.to_owned(),
            blocks,
            weights,
            about,
            rate,
            evaluate: Box::new(evaluate),
        })
    }

    /// The loss at other weights `[P]`; NaN where there is none.
    pub fn loss(&mut self, weights: &[f32]) -> Result<f64, ReadError> {
        (self.evaluate)(weights, false).map(|(loss, _)| loss)
    }

    /// The gradient `[P]` at other weights `[P]`.
    pub fn gradient(&mut self, weights: &[f32]) -> Result<Vec<f32>, ReadError> {
        (self.evaluate)(weights, true).map(|(_, gradient)| gradient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::{device, streams};
    use crate::nn::encoders::heads::Linear;
    use crate::nn::parameters::{Init, Initialiser};

    #[test]
    fn a_module_is_a_function_of_its_weights() {
        let device = device::cpu();
        let mut init = Initialiser { rng: streams::ALONE.open(1, 0), init: Init::Torch, device: &device };
        let module = Linear::new(3, 2, true, &mut init);
        let x = Tensor::<2>::from_floats([[1.0, -2.0, 0.5]], &device).autodiff();
        let mut network =
            Network::of(["one", "One", "the sum of squares"], Some(0.1), &module, move |module: &Linear| {
                module.forward(x.clone()).powi_scalar(2).sum()
            })
            .unwrap();
        assert_eq!(network.weights.len(), 8);
        assert_eq!(network.blocks.iter().map(Block::len).sum::<usize>(), 8);
        let mut weights = network.weights.clone();
        weights.iter_mut().enumerate().for_each(|(i, w)| *w = 0.1 * i as f32);
        let (loss, gradient) = (network.evaluate)(&weights, true).unwrap();
        assert!((network.loss(&weights).unwrap() - loss).abs() < 1e-6);
        for i in 0..8 {
            let at = |by: f32| {
                let mut moved = weights.clone();
                moved[i] += by;
                moved
            };
            let slope = (network.loss(&at(0.01)).unwrap() - network.loss(&at(-0.01)).unwrap()) / 0.02;
            assert!((slope - f64::from(gradient[i])).abs() < 1e-3, "{i}: {slope} {}", gradient[i]);
        }
    }

    #[test]
    fn filters_are_what_feeds_one_unit() {
        let matrix = Block { name: String::new(), role: Role::Weight, shape: vec![3, 2] };
        assert_eq!((0..6).map(|at| matrix.filter(at)).collect::<Vec<_>>(), [0, 1, 0, 1, 0, 1]);
        let kernel = Block { shape: vec![2, 1, 2, 2], ..matrix };
        assert_eq!((0..8).map(|at| kernel.filter(at)).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 1, 1, 1]);
        assert_eq!((kernel.filters(), kernel.len()), (2, 8));
    }
}
