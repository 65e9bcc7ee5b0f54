//! Operations that are done by hand on the CPU backend and by Burn elsewhere.
//!
//! Burn's CPU backend copies out every patch of a batch before a convolution, computes the gradient of its weights as one
//! convolution per group with a kernel of the size of the whole map, and batch normalisation as a dozen passes over the map. Here
//! all is done in proportion to the work ([`conv`], [`winograd`], [`dense`], [`maps`]) and hung into Burn's automatic differentiation. A tensor
//! that is on another device, of another type than f32 or under gradient checkpointing takes Burn's own operation.

use burn::backend::TensorMetadata;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{BackendTensor, DispatchTensorKind, Flex};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{DType, Tensor, TensorData};
use rayon::prelude::*;

use super::conv::{self, Sizes};
use super::dense::{self, Dense};
use super::maps::{self, Normalisation};
use super::winograd;

/// A tensor of the CPU backend with gradients.
pub(super) type Tracked = FloatTensor<Autodiff<Flex, NoCheckpointing>>;

/// Operands on the CPU backend.
pub(super) enum Operands<const N: usize> {
    Plain([FlexTensor; N]),
    Tracked([Tracked; N]),
}

/// Any number of dimensions behind one type.
pub(super) struct Operand {
    plain: Option<FlexTensor>,
    tracked: Option<Tracked>,
}

impl Operand {
    /// `None` where the tensor is not of the CPU backend and f32.
    pub(super) fn of<const D: usize>(tensor: &Tensor<D>, autodiff: bool) -> Option<Self> {
        if tensor.dtype() != DType::F32 {
            return None;
        }
        // Looking first: a failed conversion formats a message.
        let kind = tensor.clone().into_dispatch().kind;
        let on_cpu = match &kind {
            DispatchTensorKind::Flex(BackendTensor::Float(_)) => true,
            DispatchTensorKind::Autodiff(inner) => matches!(**inner, DispatchTensorKind::Flex(_)),
            _ => false,
        };
        drop(kind);
        if !on_cpu {
            return None;
        }
        if autodiff {
            let tracked = tensor.clone().autodiff().try_into_primitive::<Autodiff<Flex, NoCheckpointing>>().ok()?;
            Some(Self { plain: None, tracked: Some(tracked) })
        } else {
            Some(Self { plain: Some(tensor.clone().try_into_primitive::<Flex>().ok()?), tracked: None })
        }
    }
}

/// All operands, as constants where others have gradients.
pub(super) fn operands<const N: usize>(operands: [Option<Operand>; N]) -> Option<Operands<N>> {
    let mut plain = Vec::with_capacity(N);
    let mut tracked = Vec::with_capacity(N);
    for operand in operands {
        let operand = operand?;
        plain.extend(operand.plain);
        tracked.extend(operand.tracked);
    }
    match <[Tracked; N]>::try_from(tracked) {
        Ok(tracked) => Some(Operands::Tracked(tracked)),
        Err(_) => <[FlexTensor; N]>::try_from(plain).ok().map(Operands::Plain),
    }
}

/// The numbers of a tensor, row-major.
pub(super) fn numbers(tensor: &FlexTensor) -> FlexTensor {
    tensor.to_contiguous()
}

/// Of a tensor of [`numbers`].
pub(super) fn slice(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice::<f32>().unwrap_or_default()
}

pub(super) fn made<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

/// Which way a convolution goes: that of [`conv`], [`winograd`] or [`dense`].
#[derive(Debug, Clone, Copy)]
enum Way {
    Grouped(Sizes),
    Winograd(Dense),
    Dense(Dense),
}

/// Up to so many input channels, and from so many pixels on, a dense convolution of stride 1 that is not Winograd's goes the way of the
/// grouped ones.
const FEW_INPUTS: usize = 16;
const MANY_PIXELS: usize = 256;

impl Way {
    /// `None`: Burn's.
    fn of(x: [usize; 4], weight: [usize; 4], options: &ConvOptions<2>) -> Option<Self> {
        let [pictures, inputs, height, width] = x;
        let [outputs, _, rows, columns] = weight;
        if x.contains(&0) || weight.contains(&0) || options.padding.iter().any(|(start, end)| start != end) {
            return None;
        }
        let (kernel, padding) = ([rows, columns], options.padding.map(|(start, _)| start));
        let keeps = options.stride == [1, 1] && padding == [rows / 2; 2] && rows == columns;
        let sizes = Sizes { pictures, inputs, outputs, height, width, kernel: rows, groups: options.groups };
        if options.groups > 1 {
            return (keeps && rows == 3 && options.dilation == [1, 1]).then_some(Way::Grouped(sizes));
        }
        let dense = Dense {
            pictures,
            inputs,
            outputs,
            size: [height, width],
            kernel,
            stride: options.stride,
            padding,
            dilation: options.dilation,
        };
        if (0..2).any(|axis| dense.size[axis] + 2 * padding[axis] <= options.dilation[axis] * (kernel[axis] - 1)) {
            return None;
        }
        let small = rows == 1 || rows == 3 && options.dilation == [1, 1] && inputs <= FEW_INPUTS;
        Some(if winograd::fits(&dense) {
            Way::Winograd(dense)
        } else if keeps && small && height * width >= MANY_PIXELS {
            Way::Grouped(sizes)
        } else {
            Way::Dense(dense)
        })
    }

    /// Height and width of the output.
    fn out(&self) -> [usize; 2] {
        match self {
            Way::Grouped(sizes) => [sizes.height, sizes.width],
            Way::Winograd(dense) | Way::Dense(dense) => dense.out(),
        }
    }

    fn forward(&self, x: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        match self {
            Way::Grouped(sizes) => conv::forward(x, weight, bias, sizes),
            Way::Winograd(dense) => winograd::forward(x, weight, bias, dense),
            Way::Dense(dense) => dense::forward(x, weight, bias, dense),
        }
    }

    /// The wanted gradients with respect to x and the weights.
    fn backward(&self, x: &[f32], weight: &[f32], dy: &[f32], wanted: [bool; 2]) -> [Option<Vec<f32>>; 2] {
        match self {
            Way::Grouped(sizes) => conv::backward(x, weight, dy, sizes, wanted),
            Way::Winograd(dense) => [
                wanted[0].then(|| winograd::input_gradient(weight, dy, dense)),
                wanted[1].then(|| winograd::weight_gradient(x, dy, dense)),
            ],
            Way::Dense(dense) => [
                wanted[0].then(|| dense::input_gradient(weight, dy, dense)),
                wanted[1].then(|| dense::weight_gradient(x, dy, dense)),
            ],
        }
    }
}

/// The bias, or zeros, and whether anything has gradients.
fn bias_of(x: &Tensor<4>, weight: &Tensor<4>, bias: Option<&Tensor<1>>, outputs: usize) -> (Tensor<1>, bool) {
    let autodiff = x.is_autodiff() || weight.is_autodiff() || bias.is_some_and(Tensor::is_autodiff);
    (bias.cloned().unwrap_or_else(|| Tensor::zeros([outputs], &weight.device())), autodiff)
}

/// A convolution on the CPU backend; `None` where Burn's own has to do it.
pub fn conv2d(
    x: &Tensor<4>,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
    options: &ConvOptions<2>,
) -> Option<Tensor<4>> {
    let way = Way::of(x.dims(), weight.dims(), options)?;
    let outputs = weight.dims()[0];
    let [height, width] = way.out();
    let shape = [x.dims()[0], outputs, height, width];
    let (bias, autodiff) = bias_of(x, weight, bias, outputs);
    let all = [Operand::of(x, autodiff), Operand::of(weight, autodiff), Operand::of(&bias, autodiff)];
    let compute = |x: &FlexTensor, weight: &FlexTensor, bias: &FlexTensor| {
        let [x, weight, bias] = [x, weight, bias].map(numbers);
        made(way.forward(slice(&x), slice(&weight), Some(slice(&bias))), shape)
    };
    Some(match operands(all)? {
        Operands::Plain([x, weight, bias]) => Tensor::from_primitive::<Flex>(compute(&x, &weight, &bias)),
        Operands::Tracked([x, weight, bias]) => {
            let nodes = [x.node(), weight.node(), bias.node()];
            let output = match Convolution.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
                OpsKind::Tracked(mut prep) => {
                    let state = (prep.checkpoint(&x), prep.checkpoint(&weight), way);
                    prep.finish(state, compute(x.primitive(), weight.primitive(), bias.primitive()))
                }
                OpsKind::UnTracked(prep) => prep.finish(compute(x.primitive(), weight.primitive(), bias.primitive())),
            };
            Tensor::from_primitive::<Autodiff<Flex, NoCheckpointing>>(output)
        }
    })
}

#[derive(Debug)]
struct Convolution;

impl Backward<Flex, 3> for Convolution {
    type State = (NodeId, NodeId, Way);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [node_x, node_weight, node_bias] = ops.parents;
        let (x, weight, way) = ops.state;
        let dy = numbers(&grads.consume::<Flex>(&ops.node));
        let x = numbers(&checkpointer.retrieve_node_output::<FlexTensor>(x));
        let weight = numbers(&checkpointer.retrieve_node_output::<FlexTensor>(weight));
        let wanted = [node_x.is_some(), node_weight.is_some()];
        let [dx, dw] = way.backward(slice(&x), slice(&weight), slice(&dy), wanted);
        if let (Some(node), Some(dx)) = (node_x, dx) {
            grads.register::<Flex>(node.id, FlexTensor::from_data(TensorData::new(dx, x.shape())));
        }
        if let (Some(node), Some(dw)) = (node_weight, dw) {
            grads.register::<Flex>(node.id, FlexTensor::from_data(TensorData::new(dw, weight.shape())));
        }
        if let Some(node) = node_bias {
            let [outputs, pixels] = [weight.shape()[0], way.out().iter().product()];
            grads.register::<Flex>(node.id, made(conv::channel_sums(slice(&dy), outputs, pixels), [outputs]));
        }
    }
}

/// A transposed convolution of one group on the CPU backend: x `[N, in, H, W]`, weight `[in, out, kh, kw]`; `None` where Burn's own
/// has to do it.
pub fn conv_transpose2d(
    x: &Tensor<4>,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
    options: &ConvTransposeOptions<2>,
) -> Option<Tensor<4>> {
    let [pictures, inputs, height, width] = x.dims();
    let [_, outputs, rows, columns] = weight.dims();
    if options.groups != 1 || x.dims().contains(&0) {
        return None;
    }
    let (from, kernel) = ([height, width], [rows, columns]);
    let size: Option<Vec<usize>> = (0..2)
        .map(|axis| {
            let reach = options.dilation[axis] * (kernel[axis] - 1) + 1 + options.padding_out[axis];
            ((from[axis] - 1) * options.stride[axis] + reach).checked_sub(2 * options.padding[axis])
        })
        .collect();
    let size = <[usize; 2]>::try_from(size?).ok()?;
    // The convolution whose gradient it is.
    let adjoint = Dense {
        pictures,
        inputs: outputs,
        outputs: inputs,
        size,
        kernel,
        stride: options.stride,
        padding: options.padding,
        dilation: options.dilation,
    };
    if size.contains(&0) || adjoint.out() != from {
        return None;
    }
    let shape = [pictures, outputs, size[0], size[1]];
    let (bias, autodiff) = bias_of(x, weight, bias, outputs);
    let all = [Operand::of(x, autodiff), Operand::of(weight, autodiff), Operand::of(&bias, autodiff)];
    let compute = |x: &FlexTensor, weight: &FlexTensor, bias: &FlexTensor| {
        let [x, weight, bias] = [x, weight, bias].map(numbers);
        let mut y = dense::input_gradient(slice(&weight), slice(&x), &adjoint);
        for (plane, y) in y.chunks_exact_mut(size[0] * size[1]).enumerate() {
            let bias = slice(&bias)[plane % outputs];
            y.iter_mut().for_each(|y| *y += bias);
        }
        made(y, shape)
    };
    Some(match operands(all)? {
        Operands::Plain([x, weight, bias]) => Tensor::from_primitive::<Flex>(compute(&x, &weight, &bias)),
        Operands::Tracked([x, weight, bias]) => {
            let nodes = [x.node(), weight.node(), bias.node()];
            let output = match Transposed.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
                OpsKind::Tracked(mut prep) => {
                    let state = (prep.checkpoint(&x), prep.checkpoint(&weight), adjoint);
                    prep.finish(state, compute(x.primitive(), weight.primitive(), bias.primitive()))
                }
                OpsKind::UnTracked(prep) => prep.finish(compute(x.primitive(), weight.primitive(), bias.primitive())),
            };
            Tensor::from_primitive::<Autodiff<Flex, NoCheckpointing>>(output)
        }
    })
}

#[derive(Debug)]
struct Transposed;

impl Backward<Flex, 3> for Transposed {
    type State = (NodeId, NodeId, Dense);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [node_x, node_weight, node_bias] = ops.parents;
        let (x, weight, adjoint) = ops.state;
        let dy = numbers(&grads.consume::<Flex>(&ops.node));
        let x = numbers(&checkpointer.retrieve_node_output::<FlexTensor>(x));
        let weight = numbers(&checkpointer.retrieve_node_output::<FlexTensor>(weight));
        if let Some(node) = node_x {
            let dx = dense::forward(slice(&dy), slice(&weight), None, &adjoint);
            grads.register::<Flex>(node.id, FlexTensor::from_data(TensorData::new(dx, x.shape())));
        }
        if let Some(node) = node_weight {
            let dw = dense::weight_gradient(slice(&dy), slice(&x), &adjoint);
            grads.register::<Flex>(node.id, FlexTensor::from_data(TensorData::new(dw, weight.shape())));
        }
        if let Some(node) = node_bias {
            let sums = conv::channel_sums(slice(&dy), adjoint.inputs, adjoint.in_pixels());
            grads.register::<Flex>(node.id, made(sums, [adjoint.inputs]));
        }
    }
}

/// What [`normalise`] gives.
pub struct Normalised {
    /// Of the shape of the input.
    pub output: Tensor<4>,
    /// Of the batch, `[C]`, without gradients.
    pub mean: Tensor<1>,
    /// Biased, `[C]`, without gradients.
    pub variance: Tensor<1>,
}

/// Batch normalisation with the statistics of the batch, and a ReLU behind it where `relu`, on the CPU backend; `None`
/// where Burn's own has to do it.
pub fn normalise(x: &Tensor<4>, gamma: &Tensor<1>, beta: &Tensor<1>, epsilon: f64, relu: bool) -> Option<Normalised> {
    let shape = x.dims();
    let [_, channels, height, width] = shape;
    if x.shape().num_elements() == 0 {
        return None;
    }
    let autodiff = x.is_autodiff() || gamma.is_autodiff() || beta.is_autodiff();
    let all = [Operand::of(x, autodiff), Operand::of(gamma, autodiff), Operand::of(beta, autodiff)];
    let all = operands(all)?;
    let pixels = height * width;
    let [map, gamma, beta] = match &all {
        Operands::Plain([x, gamma, beta]) => [x, gamma, beta].map(numbers),
        Operands::Tracked(all) => all.each_ref().map(|tensor| numbers(tensor.primitive())),
    };
    let statistics = maps::statistics(slice(&map), channels, pixels);
    let norm = Normalisation::new(&statistics, slice(&gamma), slice(&beta), epsilon);
    let output = made(maps::scale_shift(slice(&map), &norm.scale, &norm.shift, pixels, relu), shape);
    let output = match all {
        Operands::Plain(_) => Tensor::from_primitive::<Flex>(output),
        Operands::Tracked([x, gamma, beta]) => {
            let nodes = [x.node(), gamma.node(), beta.node()];
            let output = match BatchNorm.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
                OpsKind::Tracked(mut prep) => {
                    let state = (prep.checkpoint(&x), norm, shape, relu);
                    prep.finish(state, output)
                }
                OpsKind::UnTracked(prep) => prep.finish(output),
            };
            Tensor::from_primitive::<Autodiff<Flex, NoCheckpointing>>(output)
        }
    };
    let [mean, variance] =
        [statistics.mean, statistics.variance].map(|values| Tensor::from_primitive::<Flex>(made(values, [channels])));
    Some(Normalised { output, mean, variance })
}

#[derive(Debug)]
struct BatchNorm;

impl Backward<Flex, 3> for BatchNorm {
    type State = (NodeId, Normalisation, [usize; 4], bool);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [node_x, node_gamma, node_beta] = ops.parents;
        let (x, norm, shape, relu) = ops.state;
        let dy = numbers(&grads.consume::<Flex>(&ops.node));
        let x = numbers(&checkpointer.retrieve_node_output::<FlexTensor>(x));
        let (dx, dgamma, dbeta) = maps::normalise_backward(slice(&x), slice(&dy), &norm, shape[2] * shape[3], relu);
        if let Some(node) = node_x {
            grads.register::<Flex>(node.id, made(dx, shape));
        }
        if let Some(node) = node_gamma {
            grads.register::<Flex>(node.id, made(dgamma, [shape[1]]));
        }
        if let Some(node) = node_beta {
            grads.register::<Flex>(node.id, made(dbeta, [shape[1]]));
        }
    }
}

/// Normalisation by given statistics, and a ReLU behind it where `relu`, of tensors without gradients on the CPU backend.
pub fn normalise_by(
    x: &Tensor<4>,
    [gamma, beta, mean, variance]: [&Tensor<1>; 4],
    epsilon: f64,
    relu: bool,
) -> Option<Tensor<4>> {
    let shape = x.dims();
    if x.shape().num_elements() == 0 || [gamma, beta, mean, variance].into_iter().any(Tensor::is_autodiff) {
        return None;
    }
    if x.is_autodiff() {
        return None;
    }
    let of = |tensor: &Tensor<1>| Operand::of(tensor, false);
    let all = [Operand::of(x, false), of(gamma), of(beta), of(mean), of(variance)];
    let Operands::Plain(all) = operands(all)? else { return None };
    let [x, gamma, beta, mean, variance] = all.map(|tensor| numbers(&tensor));
    let statistics = maps::Statistics { mean: slice(&mean).to_vec(), variance: slice(&variance).to_vec() };
    let norm = Normalisation::new(&statistics, slice(&gamma), slice(&beta), epsilon);
    let y = maps::scale_shift(slice(&x), &norm.scale, &norm.shift, shape[2] * shape[3], relu);
    Some(Tensor::from_primitive::<Flex>(made(y, shape)))
}

/// `max(a + b, 0)` of two maps of one shape in one pass on the CPU backend; `None` where Burn's own has to do it.
pub fn add_relu(a: &Tensor<4>, b: &Tensor<4>) -> Option<Tensor<4>> {
    let shape = a.dims();
    if shape != b.dims() {
        return None;
    }
    let autodiff = a.is_autodiff() || b.is_autodiff();
    let compute = |a: &FlexTensor, b: &FlexTensor| made(maps::add_relu(slice(&numbers(a)), slice(&numbers(b))), shape);
    Some(match operands([Operand::of(a, autodiff), Operand::of(b, autodiff)])? {
        Operands::Plain([a, b]) => Tensor::from_primitive::<Flex>(compute(&a, &b)),
        Operands::Tracked([a, b]) => {
            let y = compute(a.primitive(), b.primitive());
            let output = match AddRelu.prepare::<NoCheckpointing>([a.node(), b.node()]).compute_bound().stateful() {
                OpsKind::Tracked(prep) => prep.finish(y.clone(), y),
                OpsKind::UnTracked(prep) => prep.finish(y),
            };
            Tensor::from_primitive::<Autodiff<Flex, NoCheckpointing>>(output)
        }
    })
}

#[derive(Debug)]
struct AddRelu;

impl Backward<Flex, 2> for AddRelu {
    /// What came out: it is positive where the gradient goes through.
    type State = FlexTensor;

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let dy = numbers(&grads.consume::<Flex>(&ops.node));
        let dx = maps::relu_backward(slice(&ops.state), slice(&dy));
        let dx = FlexTensor::from_data(TensorData::new(dx, dy.shape()));
        for node in ops.parents.into_iter().flatten() {
            grads.register::<Flex>(node.id, dx.clone());
        }
    }
}

/// The largest of each 2×2 pixels on the CPU backend; `None` where Burn's own has to do it.
pub fn max_pool(x: &Tensor<4>) -> Option<Tensor<4>> {
    let [pictures, channels, height, width] = x.dims();
    if height < 2 || width < 2 || pictures * channels == 0 {
        return None;
    }
    let shape = [pictures, channels, height / 2, width / 2];
    let compute = |x: &FlexTensor| made(maps::max_pool(slice(&numbers(x)), height, width), shape);
    Some(match operands([Operand::of(x, x.is_autodiff())])? {
        Operands::Plain([x]) => Tensor::from_primitive::<Flex>(compute(&x)),
        Operands::Tracked([x]) => {
            let output = match MaxPool.prepare::<NoCheckpointing>([x.node()]).compute_bound().stateful() {
                OpsKind::Tracked(mut prep) => {
                    let state = (prep.checkpoint(&x), [pictures, channels, height, width]);
                    prep.finish(state, compute(x.primitive()))
                }
                OpsKind::UnTracked(prep) => prep.finish(compute(x.primitive())),
            };
            Tensor::from_primitive::<Autodiff<Flex, NoCheckpointing>>(output)
        }
    })
}

#[derive(Debug)]
struct MaxPool;

impl Backward<Flex, 1> for MaxPool {
    type State = (NodeId, [usize; 4]);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let (x, shape) = ops.state;
        let dy = numbers(&grads.consume::<Flex>(&ops.node));
        let [Some(node)] = ops.parents else { return };
        let x = numbers(&checkpointer.retrieve_node_output::<FlexTensor>(x));
        let dx = maps::max_pool_backward(slice(&x), slice(&dy), shape[2], shape[3]);
        grads.register::<Flex>(node.id, made(dx, shape));
    }
}

/// Bilinear resizing with aligned corners on the CPU backend; `None` where Burn's own has to do it.
pub fn resize(x: &Tensor<4>, size: [usize; 2]) -> Option<Tensor<4>> {
    let [pictures, channels, height, width] = x.dims();
    if pictures * channels * height * width * size[0] * size[1] == 0 {
        return None;
    }
    let shape = [pictures, channels, size[0], size[1]];
    let compute = |x: &FlexTensor| made(maps::resize(slice(&numbers(x)), [height, width], size), shape);
    Some(match operands([Operand::of(x, x.is_autodiff())])? {
        Operands::Plain([x]) => Tensor::from_primitive::<Flex>(compute(&x)),
        Operands::Tracked([x]) => {
            let output = match Resize.prepare::<NoCheckpointing>([x.node()]).compute_bound().stateful() {
                OpsKind::Tracked(prep) => {
                    prep.finish(([pictures, channels, height, width], size), compute(x.primitive()))
                }
                OpsKind::UnTracked(prep) => prep.finish(compute(x.primitive())),
            };
            Tensor::from_primitive::<Autodiff<Flex, NoCheckpointing>>(output)
        }
    })
}

#[derive(Debug)]
struct Resize;

impl Backward<Flex, 1> for Resize {
    type State = ([usize; 4], [usize; 2]);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let (shape, size) = ops.state;
        let dy = numbers(&grads.consume::<Flex>(&ops.node));
        let [Some(node)] = ops.parents else { return };
        let dx = maps::resize_backward(slice(&dy), [shape[2], shape[3]], size);
        grads.register::<Flex>(node.id, made(dx, shape));
    }
}

/// The numbers of one step of stochastic gradient descent.
#[derive(Debug, Clone, Copy)]
pub struct SgdStep {
    /// α.
    pub rate: f32,
    /// η, coupled.
    pub decay: f32,
    /// μ.
    pub momentum: f32,
    pub nesterov: bool,
}

/// Numbers of a parameter that one task updates.
const CHUNK: usize = 1 << 14;

/// The numbers of a tensor without gradients on the CPU backend.
fn plain(tensor: &Tensor<1>) -> Option<FlexTensor> {
    if tensor.is_autodiff() {
        return None;
    }
    match operands([Operand::of(tensor, false)])? {
        Operands::Plain([tensor]) => Some(numbers(&tensor)),
        Operands::Tracked(_) => None,
    }
}

/// New weights and velocity in one pass on the CPU backend, from weights, gradient and old velocity, all `[count]` and without
/// gradients; `None` where Burn's own operations have to do it.
pub fn sgd(
    weight: &Tensor<1>,
    gradient: &Tensor<1>,
    velocity: Option<&Tensor<1>>,
    step: SgdStep,
) -> Option<[Tensor<1>; 2]> {
    let [old, gradient] = [plain(weight)?, plain(gradient)?];
    let mut v = match velocity {
        Some(velocity) => slice(&plain(velocity)?).to_vec(),
        None => Vec::new(),
    };
    let momentum = if v.is_empty() { 0.0 } else { step.momentum };
    let count = slice(&old).len();
    v.resize(count, 0.0);
    let mut w = vec![0.0; count];
    let SgdStep { rate, decay, nesterov, .. } = step;
    let parts = w.par_chunks_mut(CHUNK).zip(v.par_chunks_mut(CHUNK));
    parts.zip(slice(&old).par_chunks(CHUNK).zip(slice(&gradient).par_chunks(CHUNK))).for_each(|((w, v), (old, g))| {
        for (((w, v), old), g) in w.iter_mut().zip(v).zip(old).zip(g) {
            let g = g + decay * old;
            *v = momentum * *v + g;
            let change = if nesterov { g + step.momentum * *v } else { *v };
            *w = old - rate * change;
        }
    });
    Some([w, v].map(|values| Tensor::from_primitive::<Flex>(made(values, [count]))))
}

/// The numbers of one step of Adam.
#[derive(Debug, Clone, Copy)]
pub struct AdamStep {
    /// α / (1 − β₁ᵗ).
    pub rate: f32,
    /// 1 / (1 − β₂ᵗ).
    pub correction: f32,
    /// η, coupled.
    pub decay: f32,
    /// 1 − α η of a decoupled η, else 1.
    pub shrink: f32,
    pub betas: (f32, f32),
    pub epsilon: f32,
}

/// New weights and moments of Adam in one pass on the CPU backend, from weights, gradient and both old moments, all
/// `[count]` and without gradients; `None` where Burn's own operations have to do it.
pub fn adam(
    weight: &Tensor<1>,
    gradient: &Tensor<1>,
    moments: Option<&[Tensor<1>; 2]>,
    step: AdamStep,
) -> Option<[Tensor<1>; 3]> {
    let [weight, gradient] = [plain(weight)?, plain(gradient)?];
    let copied = |tensor: &Tensor<1>| Some(slice(&plain(tensor)?).to_vec());
    let count = slice(&weight).len();
    let [mut m, mut v] = match moments {
        Some([m, v]) => [copied(m)?, copied(v)?],
        None => [vec![0.0; count], vec![0.0; count]],
    };
    let mut w = slice(&weight).to_vec();
    let AdamStep { rate, correction, decay, shrink, betas, epsilon } = step;
    let parts = w.par_chunks_mut(CHUNK).zip(m.par_chunks_mut(CHUNK)).zip(v.par_chunks_mut(CHUNK));
    parts.zip(slice(&gradient).par_chunks(CHUNK)).for_each(|(((w, m), v), g)| {
        for (((w, m), v), g) in w.iter_mut().zip(m).zip(v).zip(g) {
            let g = g + decay * *w;
            *m = betas.0 * *m + (1.0 - betas.0) * g;
            *v = betas.1 * *v + (1.0 - betas.1) * g * g;
            *w = *w * shrink - rate * *m / ((*v * correction).sqrt() + epsilon);
        }
    });
    Some([w, m, v].map(|values| Tensor::from_primitive::<Flex>(made(values, [count]))))
}
