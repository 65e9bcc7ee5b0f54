//! What a network is built of, as plain data, with its numbers of parameters by arithmetic.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::resnet::Depth;

/// An image encoder with a text encoder.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    pub image: ImageSpec,
    pub text: TextSpec,
    /// d: numbers of every vector that both sides share.
    pub width: usize,
    pub scale: ScaleSpec,
}

/// The image encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSpec {
    pub backbone: Backbone,
    /// Of a picture: 1 or 3. A grey picture is repeated for a network of 3.
    pub channels: usize,
}

/// What turns a picture into maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Backbone {
    /// Four 3×3 convolutions of 12, 24, 48 and 48 channels, strides 2, 2, 2, 1: an eighth of the side.
    Small,
    /// ResNet-18: a thirty-second of the side, 7×7 regions of 224 pixels.
    ResNet18,
    /// ResNet-50, for imported weights; the same regions.
    ResNet50,
}

impl Backbone {
    /// Channels of the last maps.
    pub fn features(self) -> usize {
        match self {
            Backbone::Small => 48,
            Backbone::ResNet18 => Depth::Eighteen.features(),
            Backbone::ResNet50 => Depth::Fifty.features(),
        }
    }

    /// Side of the map of regions of a picture of `size` pixels.
    pub fn regions(self, size: usize) -> usize {
        let halvings = if self == Backbone::Small { 3 } else { 5 };
        (0..halvings).fold(size, |side, _| side.div_ceil(2))
    }

    /// What a form suggests: pixels of a side.
    pub fn size(self) -> usize {
        if self == Backbone::Small { 64 } else { 224 }
    }
}

/// The text encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextSpec {
    Small(SmallTextSpec),
    Bert(BertSpec),
}

impl TextSpec {
    /// Numbers of a text's pooled vector, before the head.
    pub fn width(&self) -> usize {
        match self {
            TextSpec::Small(spec) => spec.width,
            TextSpec::Bert(spec) => spec.width,
        }
    }
}

/// A text encoder that is trained from nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmallTextSpec {
    /// Pieces that there are.
    pub vocabulary: usize,
    /// The longest text, in pieces.
    pub positions: usize,
    /// Numbers of a piece's vector.
    pub width: usize,
    /// Transformer layers.
    pub layers: usize,
    pub heads: usize,
    pub feed_forward: usize,
    pub order: Order,
    pub words: WordPath,
}

/// How soon the order of words can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// A convolution over three neighbours before the transformer.
    Convolution,
    /// By the positions' vectors alone.
    Positions,
}

/// Of what the words' vectors are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WordPath {
    /// Of what comes out of the transformer: every word knows the whole report.
    Contextual,
    /// Of the pieces' embeddings: a word stands for itself.
    Plain,
}

impl SmallTextSpec {
    /// As in the small experiment: width 48, one layer of 4 heads, 128 units.
    pub fn new(vocabulary: usize) -> Self {
        Self {
            vocabulary,
            positions: 64,
            width: 48,
            layers: 1,
            heads: 4,
            feed_forward: 128,
            order: Order::Convolution,
            words: WordPath::Contextual,
        }
    }
}

/// A BERT (Devlin et al., 2019), for imported weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BertSpec {
    pub vocabulary: usize,
    pub positions: usize,
    /// Kinds of segments.
    pub segments: usize,
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    pub feed_forward: usize,
    /// With the projection head of CXR-BERT on `[CLS]`; otherwise a linear layer.
    pub projection: bool,
}

impl BertSpec {
    /// BERT-base with CXR-BERT's head.
    pub fn base(vocabulary: usize) -> Self {
        let (positions, segments, width, layers, heads, feed_forward) = (512, 2, 768, 12, 12, 3072);
        Self { vocabulary, positions, segments, width, layers, heads, feed_forward, projection: true }
    }
}

/// What the cosines are multiplied by, once for the global loss and once for the perturbation loss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScaleSpec {
    /// τ of the global loss; where it is learned, in the beginning.
    pub global: f64,
    /// τ of the perturbation loss.
    pub perturbation: f64,
    /// The scales 1/τ are learned, up to 100 (the authors' code); otherwise fixed (the article's text).
    pub learned: bool,
}

impl Default for ScaleSpec {
    fn default() -> Self {
        Self { global: 0.07, perturbation: 0.07, learned: false }
    }
}

/// A network that cannot be.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SpecError {
    #[error("{what} is {found}; expected {expected}")]
    Range { what: &'static str, found: String, expected: String },
}

/// The most parameters of a network: some gigabytes with what training keeps beside them.
const MOST_PARAMETERS: u64 = 400_000_000;

impl Spec {
    /// The tier that trains live: grey pictures of 64 pixels, d 48.
    pub fn small(vocabulary: usize) -> Self {
        Self {
            image: ImageSpec { backbone: Backbone::Small, channels: 1 },
            text: TextSpec::Small(SmallTextSpec::new(vocabulary)),
            width: 48,
            scale: ScaleSpec::default(),
        }
    }

    /// ResNet-18 at 224 pixels with a transformer of 4 heads and 256 units, d 128.
    pub fn medium(vocabulary: usize) -> Self {
        let text = SmallTextSpec { width: 128, feed_forward: 256, layers: 2, ..SmallTextSpec::new(vocabulary) };
        Self {
            image: ImageSpec { backbone: Backbone::ResNet18, channels: 1 },
            text: TextSpec::Small(text),
            width: 128,
            scale: ScaleSpec::default(),
        }
    }

    /// ResNet-50 with BERT-base, d 128, for imported weights.
    pub fn large(vocabulary: usize) -> Self {
        Self {
            image: ImageSpec { backbone: Backbone::ResNet50, channels: 3 },
            text: TextSpec::Bert(BertSpec::base(vocabulary)),
            width: 128,
            scale: ScaleSpec::default(),
        }
    }

    /// # Errors
    /// Names the number that cannot be, and what it should be.
    pub fn check(&self) -> Result<(), SpecError> {
        let within = |what, found: usize, least: usize, most: usize| {
            let expected = format!("{least} to {most}");
            let fits = (least..=most).contains(&found);
            if fits { Ok(()) } else { Err(SpecError::Range { what, found: found.to_string(), expected }) }
        };
        let temperature = |what, found: f64| {
            let expected = "0.01 to 10".to_owned();
            let fits = (0.01..=10.0).contains(&found);
            if fits { Ok(()) } else { Err(SpecError::Range { what, found: found.to_string(), expected }) }
        };
        if ![1, 3].contains(&self.image.channels) {
            let (found, expected) = (self.image.channels.to_string(), "1 or 3".to_owned());
            return Err(SpecError::Range { what: "the number of channels", found, expected });
        }
        within("the width of the shared vectors", self.width, 2, 4096)?;
        temperature("the temperature of the global loss", self.scale.global)?;
        temperature("the temperature of the perturbation loss", self.scale.perturbation)?;
        let (vocabulary, positions, width, layers, heads, feed_forward) = match self.text {
            TextSpec::Small(s) => (s.vocabulary, s.positions, s.width, s.layers, s.heads, s.feed_forward),
            TextSpec::Bert(s) => (s.vocabulary, s.positions, s.width, s.layers, s.heads, s.feed_forward),
        };
        within("the size of the vocabulary", vocabulary, 1, 1_000_000)?;
        within("the longest text in pieces", positions, 1, 8192)?;
        within("the width of a piece's vector", width, 1, 4096)?;
        within("the number of transformer layers", layers, 0, 96)?;
        within("the number of heads", heads, 1, width)?;
        within("the units of a feed-forward layer", feed_forward, 1, 16_384)?;
        if let TextSpec::Bert(s) = self.text {
            within("the number of segments", s.segments, 1, 16)?;
        }
        if width % heads != 0 {
            let (found, expected) = (heads.to_string(), format!("a divisor of the width {width}"));
            return Err(SpecError::Range { what: "the number of heads", found, expected });
        }
        let all = self.parts().iter().map(|part| part.parameters).sum::<u64>();
        if all > MOST_PARAMETERS {
            let (found, expected) = (all.to_string(), format!("at most {MOST_PARAMETERS}"));
            return Err(SpecError::Range { what: "the number of parameters", found, expected });
        }
        Ok(())
    }

    /// Numbers of trained parameters, part by part, without building anything.
    pub fn parts(&self) -> Vec<Part> {
        let linear = |inputs: usize, outputs: usize| (inputs as u64 + 1) * outputs as u64;
        let d = self.width;
        let features = self.image.backbone.features();
        let backbone = match self.image.backbone {
            Backbone::Small => {
                let pairs = [(self.image.channels, 12), (12, 24), (24, 48), (48, 48)];
                pairs.iter().map(|(inputs, outputs)| (9 * inputs * outputs + 2 * outputs) as u64).sum()
            }
            Backbone::ResNet18 => Depth::Eighteen.parameters(self.image.channels),
            Backbone::ResNet50 => Depth::Fifty.parameters(self.image.channels),
        };
        let (embeddings, layers, heads) = match self.text {
            TextSpec::Small(s) => {
                let w = s.width;
                let order = if s.order == Order::Convolution { linear(3 * w, w) } else { 0 };
                ((s.vocabulary + s.positions) as u64 * w as u64, order + transformer(s.layers, w, s.feed_forward), {
                    linear(w, d) * 2
                })
            }
            TextSpec::Bert(s) => {
                let w = s.width;
                let tables = (s.vocabulary + s.positions + s.segments) as u64 * w as u64 + 2 * w as u64;
                let projection = if s.projection { linear(d, d) + 2 * d as u64 } else { 0 };
                (tables, transformer(s.layers, w, s.feed_forward), linear(w, d) * 2 + projection)
            }
        };
        let part = |name, parameters| Part { name, parameters };
        vec![
            part("image encoder", backbone),
            part("image heads", linear(features + 2, d) + linear(2 * d, d)),
            part("text embeddings", embeddings),
            part("text layers", layers),
            part("text heads", heads),
            part("scales", if self.scale.learned { 2 } else { 0 }),
        ]
    }
}

/// Four projections, two layers of units, two normalisations, each layer.
fn transformer(layers: usize, width: usize, units: usize) -> u64 {
    let (w, u) = (width as u64, units as u64);
    layers as u64 * (4 * (w + 1) * w + (w + 1) * u + (u + 1) * w + 4 * w)
}

/// A part of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub name: &'static str,
    pub parameters: u64,
}
