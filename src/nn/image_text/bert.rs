//! BERT (Devlin et al., 2019) as Hugging Face builds it, and the projection head of CXR-BERT (Boecking et al., 2022).
//!
//! Fields are called as in a state dict of Hugging Face, so that weights are found by name.

use burn::module::Module;
use burn::tensor::Tensor;

use super::batch::{TextTensors, word_means};
use super::layers::{LayerNorm, attend, gelu, in_graph_of, over_last, scaled_to_unit};
use super::spec::BertSpec;
use super::text::{Table, TextVectors};
use crate::nn::encoders::heads::Linear;
use crate::nn::parameters::Initialiser;

/// ε of every normalisation.
const EPSILON: f64 = 1e-12;
/// Deviation of first vectors.
const DEVIATION: f64 = 0.02;

/// A BERT with heads for the whole text and for its words.
#[derive(Module, Debug)]
pub struct BertText {
    bert: Bert,
    cls_projection_head: Option<ProjectionHead>,
    /// In place of that.
    global: Option<Linear>,
    words: Linear,
}

#[derive(Module, Debug)]
struct Bert {
    embeddings: Embeddings,
    encoder: Encoder,
    #[module(skip)]
    heads: usize,
}

#[derive(Module, Debug)]
struct Embeddings {
    word_embeddings: Table,
    position_embeddings: Table,
    token_type_embeddings: Table,
    layer_norm: LayerNorm,
}

#[derive(Module, Debug)]
struct Encoder {
    layer: Vec<Layer>,
}

/// norm(x + attention x), then norm(x + units x).
#[derive(Module, Debug)]
struct Layer {
    attention: Attention,
    intermediate: Intermediate,
    output: Output,
}

#[derive(Module, Debug)]
struct Attention {
    self_attention: SelfAttention,
    output: Output,
}

#[derive(Module, Debug)]
struct SelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
}

#[derive(Module, Debug)]
struct Intermediate {
    dense: Linear,
}

#[derive(Module, Debug)]
struct Output {
    dense: Linear,
    layer_norm: LayerNorm,
}

/// Linear, GELU, normalisation, linear.
#[derive(Module, Debug)]
struct ProjectionHead {
    dense_to_hidden: Linear,
    layer_norm: LayerNorm,
    dense_to_output: Linear,
}

impl BertText {
    pub(super) fn new(spec: &BertSpec, d: usize, init: &mut Initialiser<'_>) -> Self {
        let width = spec.width;
        let mut table = |things| Table::new(things, width, DEVIATION, init);
        let tables = [table(spec.vocabulary), table(spec.positions), table(spec.segments)];
        let [word_embeddings, position_embeddings, token_type_embeddings] = tables;
        let layer_norm = LayerNorm::new(width, EPSILON, init);
        let embeddings = Embeddings { word_embeddings, position_embeddings, token_type_embeddings, layer_norm };
        let layer = (0..spec.layers).map(|_| Layer::new(width, spec.feed_forward, init)).collect();
        Self {
            bert: Bert { embeddings, encoder: Encoder { layer }, heads: spec.heads },
            cls_projection_head: spec.projection.then(|| ProjectionHead {
                dense_to_hidden: Linear::new(width, d, true, init),
                layer_norm: LayerNorm::new(d, EPSILON, init),
                dense_to_output: Linear::new(d, d, true, init),
            }),
            global: (!spec.projection).then(|| Linear::new(width, d, true, init)),
            words: Linear::new(width, d, true, init),
        }
    }

    pub(super) fn forward(&self, texts: &TextTensors) -> TextVectors {
        let x = self.hidden(texts);
        let [count, _, width] = x.dims();
        let pooled = x.clone().slice_dim(1, 0..1).reshape([count, width]);
        let global = self.cls_projection_head.as_ref().map(|head| head.forward(pooled.clone()));
        let global = global.or_else(|| self.global.as_ref().map(|linear| linear.forward(pooled.clone())));
        let words = texts.average.clone().map(|average| {
            let average = in_graph_of(average, &x);
            over_last(&self.words, word_means(x, average))
        });
        TextVectors { global: scaled_to_unit(global.unwrap_or_else(|| pooled.clone())), pooled, words }
    }

    /// The last layer's vectors `[T, N, width]`.
    pub fn hidden(&self, texts: &TextTensors) -> Tensor<3> {
        let Bert { embeddings, encoder, heads } = &self.bert;
        let [_, length] = texts.ids.dims();
        let pieces = embeddings.word_embeddings.of(texts.ids.clone());
        let segments = embeddings.token_type_embeddings.of(texts.segments.clone());
        let x = pieces + segments + embeddings.position_embeddings.first(length);
        let x = embeddings.layer_norm.forward(x);
        encoder.layer.iter().fold(x, |x, layer| layer.forward(x, texts, *heads))
    }
}

impl Layer {
    fn new(width: usize, units: usize, init: &mut Initialiser<'_>) -> Self {
        let square = |init: &mut Initialiser<'_>| Linear::new(width, width, true, init);
        let output = |inputs, init: &mut Initialiser<'_>| Output {
            dense: Linear::new(inputs, width, true, init),
            layer_norm: LayerNorm::new(width, EPSILON, init),
        };
        Self {
            attention: Attention {
                self_attention: SelfAttention { query: square(init), key: square(init), value: square(init) },
                output: output(width, init),
            },
            intermediate: Intermediate { dense: Linear::new(width, units, true, init) },
            output: output(units, init),
        }
    }

    fn forward(&self, x: Tensor<3>, texts: &TextTensors, heads: usize) -> Tensor<3> {
        let SelfAttention { query, key, value } = &self.attention.self_attention;
        let inside = [query, key, value].map(|linear| over_last(linear, x.clone()));
        let seen = attend(Tensor::cat(inside.into(), 2), texts, heads);
        let x = self.attention.output.forward(seen, x);
        let units = gelu(over_last(&self.intermediate.dense, x.clone()));
        self.output.forward(units, x)
    }
}

impl Output {
    /// norm(linear y + x).
    fn forward(&self, y: Tensor<3>, x: Tensor<3>) -> Tensor<3> {
        self.layer_norm.forward(over_last(&self.dense, y) + x)
    }
}

impl ProjectionHead {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let hidden = gelu(over_last(&self.dense_to_hidden, x.unsqueeze_dim::<3>(1)));
        over_last(&self.dense_to_output, self.layer_norm.forward(hidden)).squeeze_dim(1)
    }
}

/// The name in a state dict of Hugging Face of a parameter at a module's path.
pub(super) fn state_dict_name(path: &str) -> String {
    let path = path.replace("self_attention", "self").replace("layer_norm", "LayerNorm");
    let path = path.strip_prefix("bert.").unwrap_or(&path).to_owned();
    let end = |name: &str, new: &str| path.strip_suffix(name).map(|start| format!("{start}{new}"));
    end(".gamma", ".weight").or_else(|| end(".beta", ".bias")).unwrap_or_else(|| path.clone())
}
