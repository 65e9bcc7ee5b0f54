//! The heads of joint-embedding methods: projector and predictor.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, activation};

use crate::nn::layers::norm::Norm;
use crate::nn::parameters::Initialiser;

/// `y = x W + b` with an optional bias; `W` is `[in, out]`.
#[derive(Module, Debug)]
pub struct Linear {
    weight: Param<Tensor<2>>,
    bias: Option<Param<Tensor<1>>>,
}

impl Linear {
    pub fn new(inputs: usize, outputs: usize, bias: bool, init: &mut Initialiser<'_>) -> Self {
        Self { weight: init.weight([inputs, outputs], inputs, outputs), bias: bias.then(|| init.bias(inputs, outputs)) }
    }

    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let y = x.matmul(self.weight.val());
        match &self.bias {
            Some(bias) => y + bias.val().unsqueeze::<2>(),
            None => y,
        }
    }

    /// `[in, out]`, without autodiff.
    pub fn weight(&self) -> Tensor<2> {
        self.weight.val().inner()
    }

    /// Overwrites `W` with `[in, out]` numbers, laid out row by row: a transposed view would be multiplied in another
    /// order than the same numbers read from a checkpoint.
    pub fn set_weight(&mut self, weight: Tensor<2>) {
        let shape = weight.shape();
        self.weight = Param::initialized(self.weight.id, weight.flatten::<1>(0, 1).reshape(shape));
    }
}

/// What normalises the outputs of a head's layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadNorm {
    /// Nothing.
    Off,
    /// Batch normalisation without γ and β.
    Plain,
    /// Batch normalisation with γ and β that are learned.
    Affine,
}

impl HeadNorm {
    fn layer(self, width: usize, init: &Initialiser<'_>) -> Option<Norm> {
        (self != HeadNorm::Off).then(|| Norm::new(width, self == HeadNorm::Affine, init))
    }
}

/// Which head to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadShape {
    pub inputs: usize,
    /// Width of all layers but the last.
    pub hidden: usize,
    pub outputs: usize,
    /// Linear layers, 1 to 3.
    pub layers: usize,
    /// Behind every linear layer but the last.
    pub norm: HeadNorm,
    /// Behind the last one.
    pub output_norm: HeadNorm,
}

/// One to three linear layers, `[N, in]` to `[N, out]`. Every one but the last has a bias, and a normalisation and a ReLU behind
/// it; the last has no bias. It is both the projector and the two-layer predictor.
#[derive(Module, Debug)]
pub struct Head {
    first: Option<Linear>,
    norm: Option<Norm>,
    middle: Option<Linear>,
    middle_norm: Option<Norm>,
    second: Linear,
    output_norm: Option<Norm>,
}

impl Head {
    pub fn new(shape: &HeadShape, init: &mut Initialiser<'_>) -> Self {
        let HeadShape { inputs, hidden, outputs, layers, norm, output_norm } = *shape;
        Self {
            first: (layers > 1).then(|| Linear::new(inputs, hidden, true, init)),
            norm: if layers > 1 { norm.layer(hidden, init) } else { None },
            middle: (layers > 2).then(|| Linear::new(hidden, hidden, true, init)),
            middle_norm: if layers > 2 { norm.layer(hidden, init) } else { None },
            second: Linear::new(if layers > 1 { hidden } else { inputs }, outputs, false, init),
            output_norm: output_norm.layer(outputs, init),
        }
    }

    /// With batch statistics, `views` as in [`Norm::forward`].
    pub fn forward(&mut self, mut x: Tensor<2>, views: usize) -> Tensor<2> {
        for (linear, norm) in [(&self.first, &mut self.norm), (&self.middle, &mut self.middle_norm)] {
            let Some(linear) = linear else { continue };
            x = linear.forward(x);
            if let Some(norm) = norm {
                x = norm.forward(x, views);
            }
            x = activation::relu(x);
        }
        let y = self.second.forward(x);
        match &mut self.output_norm {
            Some(norm) => norm.forward(y, views),
            None => y,
        }
    }

    pub fn infer(&self, mut x: Tensor<2>) -> Tensor<2> {
        for (linear, norm) in [(&self.first, &self.norm), (&self.middle, &self.middle_norm)] {
            let Some(linear) = linear else { continue };
            x = linear.forward(x);
            if let Some(norm) = norm {
                x = norm.infer(x);
            }
            x = activation::relu(x);
        }
        let y = self.second.forward(x);
        match &self.output_norm {
            Some(norm) => norm.infer(y),
            None => y,
        }
    }

    /// `[in, out]`: its linear layers alone, one after the other.
    fn linear_product(&self) -> Tensor<2> {
        let hidden = [&self.first, &self.middle].into_iter().flatten().map(Linear::weight);
        match hidden.reduce(Tensor::matmul) {
            Some(product) => product.matmul(self.second.weight()),
            None => self.second.weight(),
        }
    }
}

/// Which predictor to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PredictorShape {
    /// None: p = z.
    Identity,
    /// One matrix.
    One,
    /// Two layers with so many units between them.
    Two { hidden: usize, norm: HeadNorm },
}

/// Predicts the target's embedding from the online one, `[N, d]` to `[N, d]`.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "one predictor a run")]
pub enum Predictor {
    /// p = z: nothing to learn.
    Identity(Identity),
    /// One matrix, no bias, no normalisation.
    One(Linear),
    /// See [`Head`].
    Two(Head),
}

/// What stands in the place of a predictor that is not there.
#[derive(Module, Debug)]
pub struct Identity {
    /// `[d, d]`
    #[module(skip)]
    matrix: Tensor<2>,
}

impl Predictor {
    pub fn new(shape: PredictorShape, d: usize, init: &mut Initialiser<'_>) -> Self {
        match shape {
            PredictorShape::Identity => Predictor::Identity(Identity { matrix: Tensor::eye(d, init.device) }),
            PredictorShape::One => Predictor::One(Linear::new(d, d, false, init)),
            PredictorShape::Two { hidden, norm } => {
                let output_norm = HeadNorm::Off;
                Predictor::Two(Head::new(
                    &HeadShape { inputs: d, hidden, outputs: d, layers: 2, norm, output_norm },
                    init,
                ))
            }
        }
    }

    pub fn forward(&mut self, z: Tensor<2>, views: usize) -> Tensor<2> {
        match self {
            Predictor::Identity(_) => z,
            Predictor::One(linear) => linear.forward(z),
            Predictor::Two(layers) => layers.forward(z, views),
        }
    }

    /// `Wp` `[out, in]`, so that `p = Wp z`: the matrix itself, or with two layers the linear product `W2 W1`, which
    /// leaves out bias, normalisation and ReLU; the identity where there is no predictor.
    pub fn matrix(&self) -> Tensor<2> {
        match self {
            Predictor::Identity(identity) => identity.matrix.clone(),
            Predictor::One(linear) => linear.weight().transpose(),
            Predictor::Two(layers) => layers.linear_product().transpose(),
        }
    }

    /// Overwrites the matrix `[in, out]` of a one-layer predictor: `Wpᵀ`.
    ///
    /// # Panics
    /// With two layers, whose product no single matrix defines, and without a predictor.
    pub fn set_weight(&mut self, weight: Tensor<2>) {
        match self {
            Predictor::One(linear) => linear.set_weight(weight),
            Predictor::Identity(_) | Predictor::Two(_) => panic!("only a one-layer predictor is one matrix"),
        }
    }

    /// Symmetry regularisation after an update. One layer: `W ← (W + Wᵀ)/2`. Two layers are tied:
    /// `A = (W1 + W2ᵀ)/2, W1 ← A, W2 ← Aᵀ`, which makes the product `Aᵀ A` symmetric and without negative eigenvalues.
    pub fn symmetrise(&mut self) {
        match self {
            Predictor::Identity(_) => {}
            Predictor::One(linear) => {
                let weight = linear.weight();
                linear.set_weight((weight.clone() + weight.transpose()) * 0.5);
            }
            Predictor::Two(layers) => {
                let Some(first) = &mut layers.first else { return };
                let tied = (first.weight() + layers.second.weight().transpose()) * 0.5;
                layers.second.set_weight(tied.clone().transpose());
                first.set_weight(tied);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::device;
    use crate::compute::readback::Reader;
    use crate::compute::streams;
    use crate::nn::parameters::{Init, slots};

    fn with<T>(make: impl FnOnce(&mut Initialiser<'_>) -> T) -> T {
        let device = device::cpu();
        make(&mut Initialiser { rng: streams::ALONE.open(1, 0), init: Init::Torch, device: &device })
    }

    fn x() -> Tensor<2> {
        with(|init| init.weight([6, 4], 1, 1)).val()
    }

    fn read(tensor: Tensor<2>) -> Vec<f32> {
        let mut reader = Reader::default();
        reader.add(tensor);
        reader.read().unwrap().remove(0)
    }

    const SHAPE: HeadShape =
        HeadShape { inputs: 4, hidden: 5, outputs: 3, layers: 2, norm: HeadNorm::Plain, output_norm: HeadNorm::Off };

    /// The paths of its parameters with their shapes, statistics left out.
    fn parameters(shape: &HeadShape) -> Vec<(String, Vec<usize>)> {
        let head = with(|init| Head::new(shape, init));
        let trained = slots(&head).into_iter().filter(|slot| !slot.path.contains("running"));
        trained.map(|slot| (slot.path, slot.shape)).collect()
    }

    #[test]
    fn depth_widths_and_norms_are_those_asked_for() {
        let of = |list: &[(&str, &[usize])]| -> Vec<(String, Vec<usize>)> {
            list.iter().map(|(path, shape)| ((*path).to_owned(), shape.to_vec())).collect()
        };
        // The names of recorded runs.
        let two = of(&[("first.weight", &[4, 5]), ("first.bias", &[5]), ("second.weight", &[5, 3])]);
        assert_eq!(parameters(&SHAPE), two);
        assert_eq!(parameters(&HeadShape { norm: HeadNorm::Off, ..SHAPE }), two, "without γ and β");
        assert_eq!(parameters(&HeadShape { layers: 1, ..SHAPE }), of(&[("second.weight", &[4, 3])]));
        let deep = HeadShape { layers: 3, norm: HeadNorm::Affine, output_norm: HeadNorm::Affine, ..SHAPE };
        let three = of(&[
            ("first.weight", &[4, 5]),
            ("first.bias", &[5]),
            ("norm.gamma", &[5]),
            ("norm.beta", &[5]),
            ("middle.weight", &[5, 5]),
            ("middle.bias", &[5]),
            ("middle_norm.gamma", &[5]),
            ("middle_norm.beta", &[5]),
            ("second.weight", &[5, 3]),
            ("output_norm.gamma", &[3]),
            ("output_norm.beta", &[3]),
        ]);
        assert_eq!(parameters(&deep), three);
        let statistics =
            |shape: &HeadShape| slots(&with(|init| Head::new(shape, init))).len() - parameters(shape).len();
        assert_eq!([statistics(&SHAPE), statistics(&HeadShape { norm: HeadNorm::Off, ..SHAPE })], [2, 0]);
        assert_eq!(read(with(|init| Head::new(&deep, init)).forward(x(), 1)).len(), 6 * 3);
    }

    #[test]
    fn a_norm_that_is_off_leaves_the_linear_layers_and_the_relu() {
        let shape = HeadShape { norm: HeadNorm::Off, ..SHAPE };
        let mut head = with(|init| Head::new(&shape, init));
        let first = head.first.clone().unwrap();
        let expected = activation::relu(first.forward(x())).matmul(head.second.weight());
        assert_eq!(read(head.forward(x(), 2)), read(expected));
        assert_eq!(read(head.infer(x())), read(head.forward(x(), 1)));
        // An output that is normalised has mean 0 and variance 1 over the batch, whatever its scale was.
        let shape = HeadShape { output_norm: HeadNorm::Plain, ..SHAPE };
        let y = read(with(|init| Head::new(&shape, init)).forward(x() * 7.0, 1));
        for channel in 0..3 {
            let values = y.iter().skip(channel).step_by(3);
            let mean = values.clone().sum::<f32>() / 6.0;
            let variance = values.map(|v| (v - mean).powi(2)).sum::<f32>() / 6.0;
            assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-2, "{mean} {variance}");
        }
    }

    #[test]
    fn without_a_predictor_p_is_z() {
        let mut predictor = with(|init| Predictor::new(PredictorShape::Identity, 4, init));
        assert_eq!(read(predictor.forward(x(), 2)), read(x()));
        assert!(slots(&predictor).is_empty(), "nothing to learn");
        predictor.symmetrise();
        let eye: Vec<f32> = (0..16).map(|k| f32::from(u8::from(k % 5 == 0))).collect();
        assert_eq!(read(predictor.matrix()), eye);
    }
}
