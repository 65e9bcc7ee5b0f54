//! What is added to the trained loss for the size of the weights.

use burn::tensor::{Device, Tensor, TensorData};

use super::super::params::{REGULARISATION, REGULARISATION_RATE};
use crate::engine::params::Params;
use crate::nn::mlp::MlpShape;

/// How the size of the weights is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Norm {
    /// Σ |w|: small weights go to 0 as fast as large ones.
    L1,
    /// ½ Σ w²: every weight shrinks by the same share.
    L2,
}

/// λ times a norm of the weights; biases are free.
#[derive(Debug, Clone)]
pub struct Penalty {
    norm: Norm,
    /// λ.
    pub rate: f64,
    /// `[1, P]`: 1 at weights, 0 at biases.
    weights: Tensor<2>,
}

impl Penalty {
    /// That of these parameters, for networks of this shape; `None` for none.
    pub fn of(params: &Params, shape: &MlpShape, device: &Device) -> Option<Self> {
        let norm = REGULARISATION.of(params)?;
        let mut weights = vec![0.0_f32; shape.parameters()];
        shape.layers().for_each(|layer| weights[layer.weights()].fill(1.0));
        let weights = Tensor::from_data(TensorData::new(weights, [1, shape.parameters()]), device);
        Some(Self { norm, rate: REGULARISATION_RATE.of(params), weights })
    }

    /// Its slope `[K, P]` at `theta` `[K, P]`; that of |w| at 0 is 0.
    pub fn gradient(&self, theta: Tensor<2>) -> Tensor<2> {
        let slope = match self.norm {
            Norm::L1 => theta.sign(),
            Norm::L2 => theta,
        };
        slope * self.weights.clone() * self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::device;
    use crate::compute::readback::Reader;
    use crate::labs::optimizers::params::PARAMS;
    use crate::nn::mlp::Activation;

    #[test]
    fn weights_are_pulled_to_zero_and_biases_are_free() {
        let (device, shape) = (device::cpu(), MlpShape::new(1, 2, 1, 1, Activation::Tanh));
        let theta = [[0.5_f32, -2.0, 9.0, 9.0, 0.0, 4.0, 9.0], [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0]];
        let mut params = Params::defaults(PARAMS);
        assert!(Penalty::of(&params, &shape, &device).is_none());
        params.set_text(PARAMS, "regularisation_rate=0.5").unwrap();
        for (norm, expected) in
            [("l1", [0.5, -0.5, 0.0, 0.0, 0.0, 0.5, 0.0]), ("l2", [0.25, -1.0, 0.0, 0.0, 0.0, 2.0, 0.0])]
        {
            params.set_text(PARAMS, &format!("regularisation={norm}")).unwrap();
            let penalty = Penalty::of(&params, &shape, &device).unwrap();
            let mut reader = Reader::default();
            reader.add(penalty.gradient(Tensor::from_data(TensorData::new(theta.concat(), [2, 7]), &device)));
            let found = reader.read().unwrap().remove(0);
            assert_eq!(found[..7], expected, "{norm}");
            assert_eq!(found[7..], [0.5, 0.5, 0.0, 0.0, 0.5, 0.5, 0.0], "{norm}: each copy its own");
        }
    }
}
