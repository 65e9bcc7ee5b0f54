//! Operations of text encoders and of matching words with regions that are done by hand on the CPU backend ([`sequences`],
//! [`regions`](super::regions)) and by Burn elsewhere: each gives `None` where Burn's own has to do it, see [`ops`](super::ops).

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::ops::{Operand, Operands, made, numbers, operands, slice};
use super::regions::Matching;
use super::sequences::{self, Attention};

/// Of the CPU backend, with gradients.
type Graph = Autodiff<Flex, NoCheckpointing>;

/// Normalisation of every vector along the last dimension.
pub fn layer_norm(x: &Tensor<3>, gamma: &Tensor<1>, beta: &Tensor<1>, epsilon: f64) -> Option<Tensor<3>> {
    let shape = x.dims();
    if shape.contains(&0) {
        return None;
    }
    let autodiff = x.is_autodiff() || gamma.is_autodiff() || beta.is_autodiff();
    let all = operands([Operand::of(x, autodiff), Operand::of(gamma, autodiff), Operand::of(beta, autodiff)])?;
    let epsilon = epsilon as f32;
    let compute = |x: &FlexTensor, gamma: &FlexTensor, beta: &FlexTensor| {
        let [x, gamma, beta] = [x, gamma, beta].map(numbers);
        made(sequences::layer_norm(slice(&x), slice(&gamma), slice(&beta), epsilon), shape)
    };
    Some(match all {
        Operands::Plain([x, gamma, beta]) => Tensor::from_primitive::<Flex>(compute(&x, &gamma, &beta)),
        Operands::Tracked([x, gamma, beta]) => {
            let y = compute(x.primitive(), gamma.primitive(), beta.primitive());
            let nodes = [x.node(), gamma.node(), beta.node()];
            let output = match LayerNorm.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
                OpsKind::Tracked(mut prep) => {
                    let state = (prep.checkpoint(&x), prep.checkpoint(&gamma), shape, epsilon);
                    prep.finish(state, y)
                }
                OpsKind::UnTracked(prep) => prep.finish(y),
            };
            Tensor::from_primitive::<Graph>(output)
        }
    })
}

#[derive(Debug)]
struct LayerNorm;

impl Backward<Flex, 3> for LayerNorm {
    type State = (NodeId, NodeId, [usize; 3], f32);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let (x, gamma, shape, epsilon) = ops.state;
        let dy = numbers(&grads.consume::<Flex>(&ops.node));
        let x = numbers(&checkpointer.retrieve_node_output::<FlexTensor>(x));
        let gamma = numbers(&checkpointer.retrieve_node_output::<FlexTensor>(gamma));
        let [dx, dgamma, dbeta] = sequences::layer_norm_backward(slice(&x), slice(&gamma), slice(&dy), epsilon);
        let [node_x, node_gamma, node_beta] = ops.parents;
        if let Some(node) = node_x {
            grads.register::<Flex>(node.id, made(dx, shape));
        }
        if let Some(node) = node_gamma {
            grads.register::<Flex>(node.id, made(dgamma, [shape[2]]));
        }
        if let Some(node) = node_beta {
            grads.register::<Flex>(node.id, made(dbeta, [shape[2]]));
        }
    }
}

/// x Φ(x) of every number.
pub fn gelu(x: &Tensor<3>) -> Option<Tensor<3>> {
    let shape = x.dims();
    if shape.contains(&0) {
        return None;
    }
    let compute = |x: &FlexTensor| made(sequences::gelu(slice(&numbers(x))), shape);
    Some(match operands([Operand::of(x, x.is_autodiff())])? {
        Operands::Plain([x]) => Tensor::from_primitive::<Flex>(compute(&x)),
        Operands::Tracked([x]) => {
            let y = compute(x.primitive());
            let output = match Gelu.prepare::<NoCheckpointing>([x.node()]).compute_bound().stateful() {
                OpsKind::Tracked(mut prep) => {
                    let state = (prep.checkpoint(&x), shape);
                    prep.finish(state, y)
                }
                OpsKind::UnTracked(prep) => prep.finish(y),
            };
            Tensor::from_primitive::<Graph>(output)
        }
    })
}

#[derive(Debug)]
struct Gelu;

impl Backward<Flex, 1> for Gelu {
    type State = (NodeId, [usize; 3]);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let (x, shape) = ops.state;
        let dy = numbers(&grads.consume::<Flex>(&ops.node));
        let [Some(node)] = ops.parents else { return };
        let x = numbers(&checkpointer.retrieve_node_output::<FlexTensor>(x));
        grads.register::<Flex>(node.id, made(sequences::gelu_backward(slice(&x), slice(&dy)), shape));
    }
}

/// Attention within texts of so many pieces, head by head: from queries, keys and values side by side `[T, N, 3w]` to `[T, N, w]`, zeros
/// where padding is.
pub fn attend(inside: &Tensor<3>, pieces: &[usize], heads: usize) -> Option<Tensor<3>> {
    let [texts, length, triple] = inside.dims();
    let width = triple / 3;
    let fits = texts == pieces.len() && pieces.iter().all(|pieces| (1..=length).contains(pieces));
    if !fits || width == 0 || heads == 0 || width % heads != 0 {
        return None;
    }
    let all = operands([Operand::of(inside, inside.is_autodiff())])?;
    let attention = Attention { length, width, heads, pieces: pieces.to_vec() };
    let compute = |inside: &FlexTensor| made(attention.forward(slice(&numbers(inside))), [texts, length, width]);
    Some(match all {
        Operands::Plain([inside]) => Tensor::from_primitive::<Flex>(compute(&inside)),
        Operands::Tracked([inside]) => {
            let y = compute(inside.primitive());
            let output = match Attend.prepare::<NoCheckpointing>([inside.node()]).compute_bound().stateful() {
                OpsKind::Tracked(mut prep) => {
                    let state = (prep.checkpoint(&inside), attention);
                    prep.finish(state, y)
                }
                OpsKind::UnTracked(prep) => prep.finish(y),
            };
            Tensor::from_primitive::<Graph>(output)
        }
    })
}

#[derive(Debug)]
struct Attend;

impl Backward<Flex, 1> for Attend {
    type State = (NodeId, Attention);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let (inside, attention) = ops.state;
        let dy = numbers(&grads.consume::<Flex>(&ops.node));
        let [Some(node)] = ops.parents else { return };
        let inside = numbers(&checkpointer.retrieve_node_output::<FlexTensor>(inside));
        let shape = [attention.pieces.len(), attention.length, 3 * attention.width];
        grads.register::<Flex>(node.id, made(attention.backward(slice(&inside), slice(&dy)), shape));
    }
}

/// Matching scores `[I, T]` of regions and words, see [`regions`](super::regions): keys and values `[I, R, d]`, words `[T, W, d]` of which
/// the first `matching.lengths` count.
pub fn matching(keys: &Tensor<3>, values: &Tensor<3>, words: &Tensor<3>, matching: &Matching) -> Option<Tensor<2>> {
    let ([pictures, regions, d], [texts, longest, _]) = (keys.dims(), words.dims());
    let fits = matching.lengths.len() == texts && matching.lengths.iter().all(|length| (1..=longest).contains(length));
    if !fits || pictures * regions * d == 0 || keys.dims() != values.dims() || words.dims()[2] != d {
        return None;
    }
    let autodiff = keys.is_autodiff() || values.is_autodiff() || words.is_autodiff();
    let all = operands([Operand::of(keys, autodiff), Operand::of(values, autodiff), Operand::of(words, autodiff)])?;
    let compute = |keys: &FlexTensor, values: &FlexTensor, words: &FlexTensor| {
        let [keys, values, words] = [keys, values, words].map(numbers);
        let words = without_padding(slice(&words), longest, matching);
        made(matching.forward(slice(&keys), slice(&values), &words), [pictures, texts])
    };
    Some(match all {
        Operands::Plain([keys, values, words]) => Tensor::from_primitive::<Flex>(compute(&keys, &values, &words)),
        Operands::Tracked([keys, values, words]) => {
            let y = compute(keys.primitive(), values.primitive(), words.primitive());
            let nodes = [keys.node(), values.node(), words.node()];
            let output = match Match.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
                OpsKind::Tracked(mut prep) => {
                    let all = [prep.checkpoint(&keys), prep.checkpoint(&values), prep.checkpoint(&words)];
                    prep.finish((all, matching.clone(), longest), y)
                }
                OpsKind::UnTracked(prep) => prep.finish(y),
            };
            Tensor::from_primitive::<Graph>(output)
        }
    })
}

#[derive(Debug)]
struct Match;

impl Backward<Flex, 3> for Match {
    type State = ([NodeId; 3], Matching, usize);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let (all, matching, longest) = ops.state;
        let dy = numbers(&grads.consume::<Flex>(&ops.node));
        let all = all.map(|node| numbers(&checkpointer.retrieve_node_output::<FlexTensor>(node)));
        let [keys, values, words] = all.each_ref().map(slice);
        let packed = without_padding(words, longest, &matching);
        let [dkeys, dvalues, dwords] = matching.backward(keys, values, &packed, slice(&dy));
        let shape = [keys.len() / (matching.regions * matching.d), matching.regions, matching.d];
        let [node_keys, node_values, node_words] = ops.parents;
        if let Some(node) = node_keys {
            grads.register::<Flex>(node.id, made(dkeys, shape));
        }
        if let Some(node) = node_values {
            grads.register::<Flex>(node.id, made(dvalues, shape));
        }
        if let Some(node) = node_words {
            let dwords = with_padding(&dwords, longest, &matching);
            grads.register::<Flex>(node.id, made(dwords, [matching.lengths.len(), longest, matching.d]));
        }
    }
}

/// `[T, W, d]` to `[M, d]`.
fn without_padding(words: &[f32], longest: usize, matching: &Matching) -> Vec<f32> {
    let texts = words.chunks_exact(longest * matching.d).zip(&matching.lengths);
    texts.flat_map(|(text, length)| &text[..length * matching.d]).copied().collect()
}

/// `[M, d]` to `[T, W, d]`, zeros where padding is.
fn with_padding(words: &[f32], longest: usize, matching: &Matching) -> Vec<f32> {
    let mut padded = vec![0.0; matching.lengths.len() * longest * matching.d];
    let mut rest = words;
    for (text, length) in padded.chunks_exact_mut(longest * matching.d).zip(&matching.lengths) {
        let (here, after) = rest.split_at(length * matching.d);
        text[..here.len()].copy_from_slice(here);
        rest = after;
    }
    padded
}
