//! Layers of the segmentation networks: convolutions with and without bias, batch normalisation behind them, dropout,
//! pooling and upsampling.
//!
//! Letters: N pictures, C channels, H height, W width.

use burn::module::{Module, Param};
use burn::tensor::module::{conv_transpose2d, conv2d, interpolate, max_pool2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, InterpolateMode, InterpolateOptions, MaxPoolOptions};
use burn::tensor::{Tensor, TensorData, activation};

use super::norm::Norm;
use crate::compute::rng::HostRng;
use crate::nn::cpu::{maps, ops};
use crate::nn::parameters::Initialiser;

/// How a network is run.
#[derive(Debug)]
pub struct Pass<'a> {
    /// Whether normalisations use the statistics of this batch and update the running ones.
    pub train: bool,
    /// Draws what dropout drops; without it nothing is dropped.
    pub dropout: Option<&'a mut HostRng>,
}

/// The shape of a convolution; the padding keeps the size at stride 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvShape {
    pub inputs: usize,
    pub outputs: usize,
    /// Height and width of the kernel, odd.
    pub kernel: [usize; 2],
    pub stride: usize,
    pub dilation: usize,
    pub groups: usize,
    pub padding: [usize; 2],
}

impl ConvShape {
    /// A dense convolution of stride 1.
    pub fn new(inputs: usize, outputs: usize, kernel: usize) -> Self {
        Self::oblong(inputs, outputs, [kernel; 2])
    }

    /// The same with a kernel of this height and width.
    pub fn oblong(inputs: usize, outputs: usize, kernel: [usize; 2]) -> Self {
        Self { inputs, outputs, kernel, stride: 1, dilation: 1, groups: 1, padding: kernel.map(|side| side / 2) }
    }

    pub fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    /// Spreads the kernel; the padding still keeps the size.
    pub fn dilation(self, dilation: usize) -> Self {
        Self { dilation, padding: self.kernel.map(|side| dilation * (side / 2)), ..self }
    }

    pub fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// For maps that are padded already.
    pub fn unpadded(self) -> Self {
        Self { padding: [0, 0], ..self }
    }
}

/// A convolution, `[N, in, H, W]` to `[N, out, H', W']`.
#[derive(Module, Debug)]
pub struct Conv {
    /// `[out, in / groups, height, width]`
    weight: Param<Tensor<4>>,
    bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    shape: ConvShape,
}

impl Conv {
    pub fn new(shape: ConvShape, bias: bool, init: &mut Initialiser<'_>) -> Self {
        let [height, width] = shape.kernel;
        let area = height * width;
        let (inputs, outputs) = (shape.inputs / shape.groups, shape.outputs / shape.groups);
        Self {
            weight: init.weight([shape.outputs, inputs, height, width], inputs * area, outputs * area),
            bias: bias.then(|| init.bias(inputs * area, shape.outputs)),
            shape,
        }
    }

    /// `[out, in / groups, height, width]`
    pub fn weight(&self) -> Tensor<4> {
        self.weight.val()
    }

    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let ConvShape { stride, padding, dilation, groups, .. } = self.shape;
        let options = ConvOptions::new([stride; 2], padding, [dilation; 2], groups);
        convolve(x, self.weight.val(), self.bias.as_ref().map(Param::val), options)
    }
}

/// A convolution by our own operation where there is one: `x` `[N, in, H, W]`, `weight` `[out, in / groups, kh, kw]`.
pub fn convolve(x: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>, options: ConvOptions<2>) -> Tensor<4> {
    match ops::conv2d(&x, &weight, bias.as_ref(), &options) {
        Some(y) => y,
        None => conv2d(x, weight, bias, options),
    }
}

/// A transposed convolution by our own operation where there is one: `x` `[N, in, H, W]`, `weight` `[in, out, kh, kw]`.
pub fn convolve_transposed(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvTransposeOptions<2>,
) -> Tensor<4> {
    match ops::conv_transpose2d(&x, &weight, bias.as_ref(), &options) {
        Some(y) => y,
        None => conv_transpose2d(x, weight, bias, options),
    }
}

/// A transposed convolution of stride 2 that doubles the size, with bias: of 3×3, or of 2×2 which do not overlap.
#[derive(Module, Debug)]
pub struct Deconv {
    /// `[in, out, K, K]`
    weight: Param<Tensor<4>>,
    bias: Param<Tensor<1>>,
    #[module(skip)]
    padding: usize,
}

impl Deconv {
    pub fn new(inputs: usize, outputs: usize, init: &mut Initialiser<'_>) -> Self {
        // Each output sees every second tap in either direction: 9/4 of the inputs on average.
        let seen = inputs * 9 / 4;
        let weight = init.weight([inputs, outputs, 3, 3], seen, outputs * 9);
        Self { weight, bias: init.bias(seen, outputs), padding: 1 }
    }

    /// Of 2×2, with PyTorch's count of what an output sees.
    pub fn of_two(inputs: usize, outputs: usize, init: &mut Initialiser<'_>) -> Self {
        let weight = init.weight([inputs, outputs, 2, 2], outputs * 4, inputs * 4);
        Self { weight, bias: init.bias(outputs * 4, outputs), padding: 0 }
    }

    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let options = ConvTransposeOptions::new([2, 2], [self.padding; 2], [self.padding; 2], [1, 1], 1);
        convolve_transposed(x, self.weight.val(), Some(self.bias.val()), options)
    }
}

/// Batch normalisation in either mode, with a ReLU behind it where `relu`.
pub fn normalise(norm: &mut Norm, x: Tensor<4>, relu: bool, pass: &Pass<'_>) -> Tensor<4> {
    if pass.train { normalise_views(norm, x, 1, relu) } else { normalise_as_known(norm, x, relu) }
}

/// Batch normalisation with the statistics of each view of this batch ([`Norm::forward`]), with a ReLU behind it where `relu`.
pub fn normalise_views(norm: &mut Norm, x: Tensor<4>, views: usize, relu: bool) -> Tensor<4> {
    match norm.forward_on_cpu(&x, views, relu) {
        Some(y) => y,
        None => relu_where(relu, norm.forward(x, views)),
    }
}

/// Batch normalisation with the running statistics, with a ReLU behind it where `relu`.
pub fn normalise_as_known(norm: &Norm, x: Tensor<4>, relu: bool) -> Tensor<4> {
    match norm.infer_on_cpu(&x, relu) {
        Some(y) => y,
        None => relu_where(relu, norm.infer(x)),
    }
}

fn relu_where(relu: bool, x: Tensor<4>) -> Tensor<4> {
    if relu { activation::relu(x) } else { x }
}

/// `max(a + b, 0)`: what closes a residual block.
pub fn add_relu(a: Tensor<4>, b: Tensor<4>) -> Tensor<4> {
    match ops::add_relu(&a, &b) {
        Some(y) => y,
        None => activation::relu(a + b),
    }
}

/// A convolution without bias, then batch normalisation.
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Conv,
    norm: Norm,
}

impl ConvNorm {
    pub fn new(shape: ConvShape, init: &mut Initialiser<'_>) -> Self {
        Self { conv: Conv::new(shape, false, init), norm: Norm::new(shape.outputs, true, init) }
    }

    /// With another number beside the variance than PyTorch's 1e-5.
    pub fn epsilon(self, epsilon: f64) -> Self {
        Self { norm: self.norm.epsilon(epsilon), ..self }
    }

    pub fn forward(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        normalise(&mut self.norm, self.conv.forward(x), false, pass)
    }

    /// With a ReLU behind it.
    pub fn relu(&mut self, x: Tensor<4>, pass: &Pass<'_>) -> Tensor<4> {
        normalise(&mut self.norm, self.conv.forward(x), true, pass)
    }
}

/// Drops each number with probability `p` and scales the others by 1/(1 − p), where the pass drops anything. The draws
/// are made on the host, so that they are the same on every device.
pub fn dropout(x: Tensor<4>, p: f64, pass: &mut Pass<'_>) -> Tensor<4> {
    let Some(rng) = pass.dropout.as_deref_mut() else { return x };
    let shape = x.dims();
    let kept = (1.0 / (1.0 - p)) as f32;
    let mask: Vec<f32> = (0..shape.iter().product()).map(|_| if rng.uniform() < p { 0.0 } else { kept }).collect();
    let mask = Tensor::<4>::from_data(TensorData::new(mask, shape), &x.device());
    x * mask
}

/// The largest of each 2×2 pixels; an odd last row or column is left out.
pub fn max_pool(x: Tensor<4>) -> Tensor<4> {
    if let Some(y) = ops::max_pool(&x) {
        return y;
    }
    max_pool2d(x, MaxPoolOptions::new([2, 2]).with_stride([2, 2]))
}

/// The largest of 3×3 pixels at every second place, beginning at the border's (ResNet) or one further in (Inception).
pub fn max_pool_3x3(x: Tensor<4>, padded: bool) -> Tensor<4> {
    let padding = usize::from(padded);
    max_pool2d(x, MaxPoolOptions::new([3, 3]).with_stride([2, 2]).with_padding([padding; 2]))
}

/// Bilinear resizing with the corners of both maps aligned.
pub fn resize(x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    if [height, width] == size {
        return x;
    }
    if let Some(y) = ops::resize(&x, size) {
        return y;
    }
    if x.is_autodiff() {
        // Burn's graphics backend knows no gradient of bilinear resizing.
        return resize_by_products(x, size);
    }
    interpolate(x, InterpolateOptions::new(InterpolateMode::Bilinear).with_align_corners(true).with_output_size(size))
}

/// The same as two matrix products: every row and every column of the result is a weighted sum of two.
pub fn resize_by_products(x: Tensor<4>, [to_height, to_width]: [usize; 2]) -> Tensor<4> {
    let [pictures, channels, height, width] = x.dims();
    let device = x.device();
    // `[from, to]`
    let weights = |from: usize, to: usize| {
        let mut values = vec![0.0_f32; from * to];
        for (i, (first, weight)) in maps::places(from, to).into_iter().enumerate() {
            values[first * to + i] += 1.0 - weight;
            values[(first + 1).min(from - 1) * to + i] += weight;
        }
        Tensor::<2>::from_data(TensorData::new(values, [from, to]), &device)
    };
    let planes = pictures * channels;
    let wide = x.reshape([planes * height, width]).matmul(weights(width, to_width));
    let turned = wide.reshape([planes, height, to_width]).swap_dims(1, 2).reshape([planes * to_width, height]);
    let high = turned.matmul(weights(height, to_height)).reshape([planes, to_width, to_height]);
    high.swap_dims(1, 2).reshape([pictures, channels, to_height, to_width])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::device::cpu;
    use crate::compute::readback::Reader;
    use crate::nn::parameters::Init;

    #[test]
    fn a_transposed_convolution_of_two_puts_a_block_where_a_pixel_was() {
        let device = cpu();
        let mut init = Initialiser { rng: HostRng::new(4, 0), init: Init::Torch, device: &device };
        let deconv = Deconv::of_two(2, 3, &mut init);
        let pixels: Vec<f32> = (0..2 * 2 * 3).map(|i| i as f32 * 0.3 - 1.0).collect();
        let x = Tensor::<4>::from_data(TensorData::new(pixels.clone(), [1, 2, 2, 3]), &device);
        let mut reader = Reader::default();
        reader.add(deconv.forward(x));
        reader.add(deconv.weight.val());
        reader.add(deconv.bias.val());
        let [y, weight, bias] = reader.read().unwrap().try_into().unwrap();
        assert_eq!(y.len(), 3 * 4 * 6);
        for (out, row, column) in (0..3).flat_map(|o| (0..4).flat_map(move |r| (0..6).map(move |c| (o, r, c)))) {
            let tap = |input: usize| weight[((input * 3 + out) * 2 + row % 2) * 2 + column % 2];
            let sum: f32 = (0..2).map(|input| pixels[(input * 2 + row / 2) * 3 + column / 2] * tap(input)).sum();
            let ours = y[(out * 4 + row) * 6 + column];
            assert!((ours - sum - bias[out]).abs() < 1e-5, "{out} {row} {column}: {ours} against {}", sum + bias[out]);
        }
    }
}
