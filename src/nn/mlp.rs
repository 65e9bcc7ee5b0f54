//! Multi-layer perceptrons, several copies side by side.
//!
//! Letters: K copies, N points, F inputs, H hidden units, C classes, P parameters of one copy.

use std::ops::Range;

use burn::module::{Module, Param, ParamId};
use burn::tensor::{Gradients, Tensor, TensorData, activation};

use crate::compute::streams;

/// The non-linearity after each hidden layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    Tanh,
    Relu,
}

/// The sizes of a perceptron.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MlpShape {
    /// F, H, ..., H, C: at least two numbers.
    pub sizes: Vec<usize>,
    pub activation: Activation,
}

impl MlpShape {
    /// `layers` hidden layers of `hidden` units between `inputs` and `classes`.
    pub fn new(inputs: usize, hidden: usize, layers: usize, classes: usize, activation: Activation) -> Self {
        let mut sizes = vec![inputs];
        sizes.extend(std::iter::repeat_n(hidden, layers));
        sizes.push(classes);
        Self { sizes, activation }
    }

    /// Each layer and where its parameters lie in the order of [`Mlp::from_flat`].
    pub fn layers(&self) -> impl Iterator<Item = Layer> + '_ {
        let mut from = 0;
        self.sizes.windows(2).map(move |pair| {
            let layer = Layer { inputs: pair[0], outputs: pair[1], from };
            from = layer.biases().end;
            layer
        })
    }

    /// P: number of weights and biases of one copy.
    pub fn parameters(&self) -> usize {
        self.layers().last().map_or(0, |layer| layer.biases().end)
    }

    /// Number of classes, C.
    pub fn classes(&self) -> usize {
        self.sizes[self.sizes.len() - 1]
    }

    /// The widest layer, for the memory that a forward pass takes.
    pub fn widest(&self) -> usize {
        self.sizes.iter().copied().max().unwrap_or(1)
    }

    /// Initial parameters `[P]` in the order of [`Mlp::from_flat`], drawn on the host so that they are the same on every
    /// device. Weights are uniform in ±√(6/(in + out)) before tanh and at the output (Glorot and Bengio, 2010), in
    /// ±√(6/in) before ReLU (He et al., 2015); biases are 0.
    pub fn initial(&self, seed: u64) -> Vec<f32> {
        let mut rng = streams::MLP_WEIGHTS.open(seed, 0);
        let last = self.sizes.len() - 2;
        let mut flat = Vec::with_capacity(self.parameters());
        for (layer, Layer { inputs, outputs, .. }) in self.layers().enumerate() {
            let fan = if self.activation == Activation::Relu && layer < last { inputs } else { inputs + outputs };
            let bound = (6.0 / fan as f64).sqrt();
            flat.extend((0..inputs * outputs).map(|_| rng.between(-bound, bound) as f32));
            flat.extend(std::iter::repeat_n(0.0, outputs));
        }
        flat
    }

    /// What every unit answers, computed on the host: of each layer `[N, units]`, row-major, hidden units after their
    /// activation, the last layer's as logits. `theta` `[P]` is in the order of [`Mlp::from_flat`], `inputs` are `[N, F]`.
    pub fn answers(&self, theta: &[f32], inputs: &[f32]) -> Vec<Vec<f32>> {
        let last = self.sizes.len() - 2;
        let mut answers: Vec<Vec<f32>> = Vec::with_capacity(last + 1);
        for (index, layer) in self.layers().enumerate() {
            let (weights, biases) = (&theta[layer.weights()], &theta[layer.biases()]);
            let below = answers.last().map_or(inputs, Vec::as_slice);
            let mut found = Vec::with_capacity(below.len() / layer.inputs * layer.outputs);
            for point in below.chunks_exact(layer.inputs) {
                let at = found.len();
                found.extend_from_slice(biases);
                for (x, row) in point.iter().zip(weights.chunks_exact(layer.outputs)) {
                    found[at..].iter_mut().zip(row).for_each(|(sum, weight)| *sum += x * weight);
                }
            }
            match self.activation {
                _ if index == last => {}
                Activation::Tanh => found.iter_mut().for_each(|value| *value = value.tanh()),
                Activation::Relu => found.iter_mut().for_each(|value| *value = value.max(0.0)),
            }
            answers.push(found);
        }
        answers
    }
}

/// One layer's part of the parameters: its weights `[inputs, outputs]`, row-major, and then its biases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    pub inputs: usize,
    pub outputs: usize,
    from: usize,
}

impl Layer {
    /// Where its weights lie.
    pub fn weights(&self) -> Range<usize> {
        self.from..self.from + self.inputs * self.outputs
    }

    /// Where its biases lie.
    pub fn biases(&self) -> Range<usize> {
        let Range { end, .. } = self.weights();
        end..end + self.outputs
    }
}

/// K perceptrons of one shape that see the same points: one batched product per layer computes all of them, and no
/// copy's numbers reach another's.
#[derive(Module, Debug)]
pub struct Mlp {
    layers: Vec<Dense>,
    #[module(skip)]
    activation: Activation,
}

/// y = x W + b, once per copy.
#[derive(Module, Debug)]
struct Dense {
    /// `[K, in, out]`
    weight: Param<Tensor<3>>,
    /// `[K, 1, out]`
    bias: Param<Tensor<3>>,
}

impl Mlp {
    /// Takes the parameters apart: `theta` `[K, P]` holds, layer after layer, the weights `[in, out]` row-major and then
    /// the biases `[out]`. They become leaves of a new graph; `tracked` asks for their gradients. Nothing is
    /// initialised lazily.
    pub fn from_flat(shape: &MlpShape, theta: &Tensor<2>, tracked: bool) -> Self {
        let [copies, parameters] = theta.dims();
        debug_assert_eq!(parameters, shape.parameters());
        let mut at = 0;
        let mut leaf = |rows: usize, cols: usize| {
            let part = theta.clone().slice([0..copies, at..at + rows * cols]).reshape([copies, rows, cols]);
            at += rows * cols;
            let part = if tracked { part.autodiff().require_grad() } else { part };
            Param::initialized(ParamId::from(at as u64), part)
        };
        let layers = shape
            .layers()
            .map(|Layer { inputs, outputs, .. }| Dense { weight: leaf(inputs, outputs), bias: leaf(1, outputs) })
            .collect();
        Self { layers, activation: shape.activation }
    }

    /// Logits `[K, N, C]` of points `[1, N, F]`.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let mut x = x;
        for (i, layer) in self.layers.iter().enumerate() {
            x = x.matmul(layer.weight.val()) + layer.bias.val();
            if i + 1 < self.layers.len() {
                x = match self.activation {
                    Activation::Tanh => tanh(x),
                    Activation::Relu => activation::relu(x),
                };
            }
        }
        x
    }

    /// Gradients `[K, P]` in the order of [`Mlp::from_flat`].
    ///
    /// # Panics
    /// Where the module was built without `tracked`, or the gradients are another module's.
    pub fn flat_gradients(&self, gradients: &mut Gradients) -> Tensor<2> {
        let mut parts = Vec::with_capacity(2 * self.layers.len());
        for param in self.layers.iter().flat_map(|layer| [&layer.weight, &layer.bias]) {
            let gradient = param.val().grad_remove(gradients).expect("a tracked parameter of this module");
            let [copies, rows, cols] = gradient.dims();
            parts.push(gradient.reshape([copies, rows * cols]));
        }
        Tensor::cat(parts, 1)
    }
}

/// tanh x as 2 σ(2x) − 1, the same function within 1e-7. On the CPU the exponential costs a fraction of the library's
/// tanh, which was most of a training step and is evaluated again in the backward pass.
fn tanh(x: Tensor<3>) -> Tensor<3> {
    activation::sigmoid(x * 2.0) * 2.0 - 1.0
}

/// Labels of N points for [`cross_entropy`]: `[1, N, C]`, 1 at the class, else 0.
pub fn one_hot(classes: &[u32], count: usize) -> TensorData {
    let mut values = vec![0.0_f32; classes.len() * count];
    for (row, &class) in classes.iter().enumerate() {
        values[row * count + class as usize] = 1.0;
    }
    TensorData::new(values, [1, classes.len(), count])
}

/// Softmax cross-entropy in nats, summed over the N points: `[K]` from logits `[K, N, C]` and labels `[1, N, C]`.
pub fn cross_entropy(logits: Tensor<3>, one_hot: Tensor<3>) -> Tensor<1> {
    let copies = logits.dims()[0];
    let log_probability = activation::log_softmax(logits, 2);
    (log_probability * one_hot).sum_dim(1).sum_dim(2).reshape([copies]).neg()
}

/// Number of points, `[K]`, whose largest logit is their class (the first of equals); labels are `[1, N, 1]` class
/// indices as floats.
pub fn correct(logits: Tensor<3>, labels: Tensor<3>) -> Tensor<1> {
    let copies = logits.dims()[0];
    logits.argmax(2).float().equal(labels).float().sum_dim(1).reshape([copies])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::device;
    use crate::compute::readback::Reader;

    #[test]
    fn the_host_answers_as_the_network_does_in_every_layer() {
        let device = device::cpu();
        for (activation, classes) in [(Activation::Tanh, 2), (Activation::Relu, 3)] {
            let shape = MlpShape::new(3, 5, 3, classes, activation);
            let theta: Vec<f32> = shape.initial(4).iter().enumerate().map(|(i, w)| w + 0.01 * (i % 7) as f32).collect();
            let inputs: Vec<f32> = (0..24).map(|i| (i as f32 * 0.7).sin() * 2.0).collect();
            let host = shape.answers(&theta, &inputs);
            assert_eq!(host.iter().map(Vec::len).collect::<Vec<_>>(), [40, 40, 40, 8 * classes]);
            // The network that ends after so many layers, its last answers before their activation.
            for layers in 1..=4 {
                let part = MlpShape { sizes: shape.sizes[..=layers].to_vec(), activation };
                let count = part.parameters();
                let flat = Tensor::<2>::from_data(TensorData::new(theta[..count].to_vec(), [1, count]), &device);
                let x = Tensor::<3>::from_data(TensorData::new(inputs.clone(), [1, 8, 3]), &device);
                let mut reader = Reader::default();
                reader.add(Mlp::from_flat(&part, &flat, false).forward(x));
                let mut found = reader.read().unwrap().remove(0);
                match activation {
                    _ if layers == 4 => {}
                    Activation::Tanh => found.iter_mut().for_each(|z| *z = z.tanh()),
                    Activation::Relu => found.iter_mut().for_each(|z| *z = z.max(0.0)),
                }
                for (host, device) in host[layers - 1].iter().zip(&found) {
                    assert!((host - device).abs() < 1e-5, "{activation:?}, layer {layers}: {host} {device}");
                }
            }
            assert!(host[2].iter().any(|answer| answer.abs() > 0.1));
        }
    }
}
