//! From reports to one vector each and to the vectors of their words.

use burn::module::{Module, Param};
use burn::tensor::module::embedding;
use burn::tensor::{Int, Tensor};

use super::batch::{TextTensors, word_means};
use super::bert::BertText;
use super::layers::{
    LayerNorm, attend, constant, gelu, in_graph_of, masked_mean, normal_matrix, over_last, scaled_to_unit,
};
use super::spec::{Order, SmallTextSpec, TextSpec, WordPath};
use crate::nn::encoders::heads::Linear;
use crate::nn::parameters::Initialiser;

/// A vector for each of so many things.
#[derive(Module, Debug)]
pub struct Table {
    /// `[things, width]`
    weight: Param<Tensor<2>>,
}

impl Table {
    /// Normal numbers of this deviation.
    pub fn new(things: usize, width: usize, deviation: f64, init: &mut Initialiser<'_>) -> Self {
        Self { weight: normal_matrix([things, width], deviation, init) }
    }

    /// `[T, N]` to `[T, N, width]`.
    pub fn of(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        embedding(self.weight.val(), ids)
    }

    /// The first so many vectors, `[1, count, width]`.
    pub fn first(&self, count: usize) -> Tensor<3> {
        self.weight.val().slice_dim(0, 0..count).unsqueeze_dim::<3>(0)
    }
}

/// What is known of T texts.
#[derive(Debug, Clone)]
pub struct TextVectors {
    /// `[T, width]`, before the head: the mean over the pieces, or `[CLS]` of a BERT.
    pub pooled: Tensor<2>,
    /// `[T, d]`, of unit length.
    pub global: Tensor<2>,
    /// `[V, W, d]` of the first V texts, whose words are wanted. What stands in padding has no meaning.
    pub words: Option<Tensor<3>>,
}

/// A text encoder of either kind.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "one text encoder a network")]
pub enum TextEncoder {
    Small(SmallText),
    Bert(BertText),
}

impl TextEncoder {
    pub fn new(spec: &TextSpec, width: usize, init: &mut Initialiser<'_>) -> Self {
        match spec {
            TextSpec::Small(spec) => TextEncoder::Small(SmallText::new(spec, width, init)),
            TextSpec::Bert(spec) => TextEncoder::Bert(BertText::new(spec, width, init)),
        }
    }

    /// From now on words are made of this. A BERT's are always contextual.
    pub fn set_word_path(&mut self, path: WordPath) {
        if let TextEncoder::Small(encoder) = self {
            encoder.path = path;
        }
    }

    /// All texts of a batch in one pass. Texts of more pieces than there are positions for must not come here.
    pub fn forward(&self, texts: &TextTensors) -> TextVectors {
        match self {
            TextEncoder::Small(encoder) => encoder.forward(texts),
            TextEncoder::Bert(encoder) => encoder.forward(texts),
        }
    }
}

/// Pieces and positions, a convolution over three neighbours where the order asks for it, transformer layers with normalisation
/// before each step, mean over the pieces.
#[derive(Module, Debug)]
pub struct SmallText {
    embeddings: Embeddings,
    /// Over the vectors of a piece and its neighbours, `[3·width, width]`.
    order: Option<Linear>,
    layers: Vec<Layer>,
    global: Linear,
    words: Linear,
    #[module(skip)]
    path: WordPath,
    #[module(skip)]
    heads: usize,
}

#[derive(Module, Debug)]
struct Embeddings {
    word_embeddings: Table,
    position_embeddings: Table,
}

/// x + attention(norm x), then x + units(norm x).
#[derive(Module, Debug)]
struct Layer {
    before_attention: LayerNorm,
    /// Queries, keys and values at once, `[width, 3·width]`.
    inside: Linear,
    outside: Linear,
    before_units: LayerNorm,
    first: Linear,
    second: Linear,
}

impl SmallText {
    fn new(spec: &SmallTextSpec, d: usize, init: &mut Initialiser<'_>) -> Self {
        let width = spec.width;
        Self {
            embeddings: Embeddings {
                word_embeddings: Table::new(spec.vocabulary, width, 1.0, init),
                position_embeddings: Table::new(spec.positions, width, 0.02, init),
            },
            order: (spec.order == Order::Convolution).then(|| Linear::new(3 * width, width, true, init)),
            layers: (0..spec.layers).map(|_| Layer::new(width, spec.feed_forward, init)).collect(),
            global: Linear::new(width, d, true, init),
            words: Linear::new(width, d, true, init),
            path: spec.words,
            heads: spec.heads,
        }
    }

    fn forward(&self, texts: &TextTensors) -> TextVectors {
        let plain = self.embeddings.word_embeddings.of(texts.ids.clone());
        let [count, length, _] = plain.dims();
        let mask = in_graph_of(texts.mask.clone(), &plain);
        let shown = mask.clone().reshape([count, length, 1]);
        let mut x = (plain.clone() + self.embeddings.position_embeddings.first(length)) * shown;
        if let Some(order) = &self.order {
            x = x.clone() + gelu(over_last(order, with_neighbours(x)));
        }
        for layer in &self.layers {
            x = layer.forward(x, texts, self.heads);
        }
        let pooled = masked_mean(x.clone(), &mask);
        let words = texts.average.clone().map(|average| {
            let of = if self.path == WordPath::Plain { plain } else { x };
            let average = in_graph_of(average, &of);
            over_last(&self.words, word_means(of, average))
        });
        TextVectors { global: scaled_to_unit(self.global.forward(pooled.clone())), pooled, words }
    }
}

impl Layer {
    fn new(width: usize, units: usize, init: &mut Initialiser<'_>) -> Self {
        Self {
            before_attention: LayerNorm::new(width, 1e-5, init),
            inside: Linear::new(width, 3 * width, true, init),
            outside: Linear::new(width, width, true, init),
            before_units: LayerNorm::new(width, 1e-5, init),
            first: Linear::new(width, units, true, init),
            second: Linear::new(units, width, true, init),
        }
    }

    fn forward(&self, x: Tensor<3>, texts: &TextTensors, heads: usize) -> Tensor<3> {
        let inside = over_last(&self.inside, self.before_attention.forward(x.clone()));
        let x = x + over_last(&self.outside, attend(inside, texts, heads));
        let units = gelu(over_last(&self.first, self.before_units.forward(x.clone())));
        x + over_last(&self.second, units)
    }
}

/// Every vector behind that of the piece before it and before that of the piece after it, zeros at both ends: `[T, N, width]` to
/// `[T, N, 3·width]`.
fn with_neighbours(x: Tensor<3>) -> Tensor<3> {
    let [texts, length, width] = x.dims();
    let zeros = constant(vec![0.0; texts * width], [texts, 1, width], &x);
    let before = Tensor::cat(vec![zeros.clone(), x.clone().slice_dim(1, 0..length - 1)], 1);
    let after = Tensor::cat(vec![x.clone().slice_dim(1, 1..length), zeros], 1);
    Tensor::cat(vec![before, x, after], 2)
}
