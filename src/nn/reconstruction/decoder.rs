//! From codes back to pictures: transposed convolutions, all but the last with ReLU and batch normalisation behind them.

use burn::module::{Module, Param};
use burn::tensor::ops::ConvTransposeOptions;
use burn::tensor::{Tensor, activation};

use super::encoder::Encoder;
use super::spec::{Family, NetSpec, up_kernel};
use crate::nn::layers::conv::{Pass, convolve_transposed, normalise};
use crate::nn::layers::norm::Norm;
use crate::nn::parameters::Initialiser;

/// `[N, C, h, w]` to `[N, 3, S, S]`.
#[derive(Module, Debug)]
pub struct Decoder {
    ups: Vec<Up>,
}

/// A transposed convolution. Where weights are tied it has no kernel of its own but that of the convolution which it mirrors:
/// `[out, in, 3, 3]` there is `[in, out, 3, 3]` here, the same numbers in the same order, since a transposed convolution is the
/// adjoint of its convolution.
#[derive(Module, Debug)]
struct Up {
    /// `[in, out, k, k]`
    kernel: Option<Param<Tensor<4>>>,
    bias: Param<Tensor<1>>,
    /// None behind the last one.
    norm: Option<Norm>,
    #[module(skip)]
    doubles: bool,
}

impl Decoder {
    pub fn new(spec: &NetSpec, init: &mut Initialiser<'_>) -> Self {
        let tied = matches!(spec.family, Family::Aecl1 { tied: true, .. });
        let stages = spec.stages();
        let mut inputs = spec.features();
        // Outputs of each layer, and whether it doubles the size.
        let layers: Vec<(usize, bool)> = if stages.is_empty() {
            spec.ups().iter().map(|outputs| (*outputs, true)).collect()
        } else {
            let outputs = |i: usize| if i == 0 { 3 } else { stages[i - 1].channels };
            (0..stages.len()).rev().map(|i| (outputs(i), stages[i].halves)).collect()
        };
        let count = layers.len();
        let mut ups = Vec::with_capacity(count);
        for (i, (outputs, doubles)) in layers.into_iter().enumerate() {
            let side = up_kernel(tied, doubles);
            // Of a doubling kernel each output sees every second tap in either direction.
            let seen = if doubles { (inputs * side * side).div_ceil(4) } else { inputs * side * side };
            let kernel = (!tied).then(|| init.weight([inputs, outputs, side, side], seen, outputs * side * side));
            ups.push(Up {
                kernel,
                bias: init.bias(seen, outputs),
                norm: (i + 1 < count).then(|| Norm::new(outputs, true, init)),
                doubles,
            });
            inputs = outputs;
        }
        Self { ups }
    }

    /// `encoder`: whose kernels are used where weights are tied.
    pub fn forward(&mut self, code: Tensor<4>, encoder: &Encoder, pass: &Pass<'_>) -> Tensor<4> {
        let mut tied = encoder.kernels().into_iter().rev();
        let mut x = code;
        for up in &mut self.ups {
            let other = tied.next();
            let kernel = up.kernel.as_ref().map(Param::val).or(other).unwrap_or_else(|| unreachable!("a kernel"));
            x = transposed(x, kernel, Some(up.bias.val()), up.doubles);
            if let Some(norm) = &mut up.norm {
                x = normalise(norm, activation::relu(x), false, pass);
            }
        }
        x
    }
}

/// A transposed convolution by a kernel `[in, out, k, k]` of 3×3 or 4×4, which keeps the size or doubles it. By 3×3 it is the
/// exact adjoint of the convolution of stride 1 or 2 with padding 1 and the same kernel.
pub fn transposed(x: Tensor<4>, kernel: Tensor<4>, bias: Option<Tensor<1>>, doubles: bool) -> Tensor<4> {
    let side = kernel.dims()[2];
    let (stride, out) = if doubles { (2, 4 - side) } else { (1, 0) };
    let options = ConvTransposeOptions::new([stride; 2], [1, 1], [out; 2], [1, 1], 1);
    convolve_transposed(x, kernel, bias, options)
}
