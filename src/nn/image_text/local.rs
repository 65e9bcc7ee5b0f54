//! The local attentive loss: every word of a report looks for its region, and what it finds is compared with the word.

use burn::tensor::{Tensor, activation};

use super::layers::{constant, scaled_to_unit};
use super::losses::{Directions, NOTHING, contrast, log_sum_exp};
use crate::nn::cpu::regions::Matching;
use crate::nn::cpu::text_ops;

/// How words are summed up in a matching score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// log Σ exp: a report of more words gets a bonus of ln W.
    Sum,
    /// The log of the mean, without that.
    Mean,
}

/// How both directions of the cross-entropy are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Both {
    /// (image→text + text→image) / 2.
    Half,
    /// image→text + text→image, as GLoRIA has it.
    Sum,
    /// image→text + text→image / 2: the authors' code, where a division binds closer than a sum.
    AuthorsSlip,
}

/// The steps of the loss for picture i and report t, regions x_r and words w_k:
/// scores s_kr = x_r·w_k; with `words_softmax` the softmax over the words of each region; attention a_kr, the softmax over the
/// regions of temp1·s; context c_k = Σ_r a_kr x_r; m_k the cosine of c_k and w_k; S = log Σ_k exp(temp2·m_k);
/// logits temp3·S, cross-entropies of both directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Local {
    /// Scores are squeezed into [0, 1] by a softmax over the words (GLoRIA).
    pub words_softmax: bool,
    /// Scores are cosines; the context is still of the regions as they are.
    pub cosine: bool,
    /// Words are scaled to unit length first.
    pub unit_words: bool,
    /// Regions are scaled to unit length first, for the context too.
    pub unit_regions: bool,
    pub temp1: f64,
    pub temp2: f64,
    pub temp3: f64,
    pub aggregate: Aggregate,
    pub both: Both,
}

/// What keeps a cosine of nothing finite: its denominator is no less.
const LEAST_LENGTH: f64 = 1e-8;

impl Local {
    /// GLoRIA's, which the authors' code repeats with words of unit length: temperatures 4, 5, 10. No region has more than
    /// e⁴ = 54.6 times the weight of another.
    pub fn gloria() -> Self {
        Self {
            words_softmax: true,
            cosine: false,
            unit_words: false,
            unit_regions: false,
            temp1: 4.0,
            temp2: 5.0,
            temp3: 10.0,
            aggregate: Aggregate::Sum,
            both: Both::Half,
        }
    }

    /// The article's formulas read literally: attention straight from the scores, and one temperature τ.
    pub fn seed(tau: f64) -> Self {
        Self { words_softmax: false, temp1: 1.0, temp2: 1.0, temp3: 1.0 / tau, ..Self::gloria() }
    }

    /// Attention that can settle on one region: the softmax of cosine / 0.1, with words of unit length.
    pub fn sharp() -> Self {
        Self { words_softmax: false, cosine: true, unit_words: true, temp1: 10.0, ..Self::gloria() }
    }

    /// Regions for the scores, regions for the context, words.
    fn prepared(&self, regions: Tensor<3>, words: Tensor<3>) -> [Tensor<3>; 3] {
        let values = if self.unit_regions { scaled_to_unit(regions) } else { regions };
        let keys = if self.cosine && !self.unit_regions { scaled_to_unit(values.clone()) } else { values.clone() };
        // The cosine at the end is the same for words of any length.
        let words = if self.unit_words || self.cosine { scaled_to_unit(words) } else { words };
        [keys, values, words]
    }

    /// Matching scores S `[I, T]` of pictures' regions `[I, R, d]` and reports' words `[T, W, d]`, of which the first `lengths`
    /// count, one to W each. Padded words take no part, whatever numbers stand in them.
    pub fn scores(&self, regions: Tensor<3>, words: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
        let [keys, values, words] = self.prepared(regions, words);
        let sums = self.sums(keys, values, words, lengths);
        if self.aggregate == Aggregate::Sum {
            return sums;
        }
        let logs = lengths.iter().map(|length| (*length as f32).ln()).collect();
        let logs = constant(logs, [1, lengths.len()], &sums);
        sums - logs
    }

    /// log Σ_k exp(temp2·m_k) `[I, T]`.
    fn sums(&self, keys: Tensor<3>, values: Tensor<3>, words: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
        let [_, regions, d] = keys.dims();
        let matching = Matching {
            regions,
            d,
            lengths: lengths.to_vec(),
            words_softmax: self.words_softmax,
            temp1: self.temp1 as f32,
            temp2: self.temp2 as f32,
            least: LEAST_LENGTH as f32,
        };
        let fast = text_ops::matching(&keys, &values, &words, &matching);
        fast.unwrap_or_else(|| self.sums_by_products(keys, values, words, lengths))
    }

    /// The same by two products over all words of all reports.
    fn sums_by_products(&self, keys: Tensor<3>, values: Tensor<3>, words: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
        let ([pictures, regions, d], [texts, longest, _]) = (keys.dims(), words.dims());
        let padding = (0..texts * longest).map(|at| {
            let real = lengths.get(at / longest.max(1)).is_some_and(|length| at % longest < *length);
            if real { 0.0 } else { NOTHING as f32 }
        });
        let padding: Vec<f32> = padding.collect();
        let flat = words.clone().reshape([1, texts * longest, d]);
        let scores = flat.matmul(keys.swap_dims(1, 2)).reshape([pictures, texts, longest, regions]);
        let attention = self.attention_of(scores, constant(padding.clone(), [1, texts, longest, 1], &words));
        let context = attention.reshape([pictures, texts * longest, regions]).matmul(values);
        let context = context.reshape([pictures, texts, longest, d]);
        let cosines = cosine(context, words.unsqueeze_dim::<4>(0));
        let padding = constant(padding, [1, texts, longest], &cosines);
        log_sum_exp(cosines * self.temp2 + padding, 2).reshape([pictures, texts])
    }

    /// a of scores `[I, T, W, R]`; `padding` `[1, T, W, 1]` is [`NOTHING`] where there is no word.
    fn attention_of(&self, scores: Tensor<4>, padding: Tensor<4>) -> Tensor<4> {
        let scores = if self.words_softmax { activation::softmax(scores + padding, 2) } else { scores };
        activation::softmax(scores * self.temp1, 3)
    }

    /// L_local `[1]` of regions `[B, R, d]` and words `[B, W, d]` of B pairs; see [`Local::scores`].
    pub fn loss(&self, regions: Tensor<3>, words: Tensor<3>, lengths: &[usize]) -> Tensor<1> {
        let Directions { image_to_text, text_to_image } = self.directions(regions, words, lengths);
        match self.both {
            Both::Half => (image_to_text + text_to_image) * 0.5,
            Both::Sum => image_to_text + text_to_image,
            Both::AuthorsSlip => image_to_text + text_to_image * 0.5,
        }
    }

    /// Both directions of L_local.
    pub fn directions(&self, regions: Tensor<3>, words: Tensor<3>, lengths: &[usize]) -> Directions {
        contrast(self.scores(regions, words, lengths) * self.temp3)
    }

    /// What the words `[W, d]` of one report, none of them padding, look at in the regions `[R, d]` of one picture.
    pub fn attention(&self, regions: Tensor<2>, words: Tensor<2>) -> Attention {
        let ([count, _], [length, _]) = (regions.dims(), words.dims());
        let [keys, values, words] = self.prepared(regions.unsqueeze(), words.unsqueeze());
        let scores = words.clone().matmul(keys.swap_dims(1, 2));
        let padding = constant(vec![0.0; length], [1, 1, length, 1], &scores);
        let weights = self.attention_of(scores.clone().reshape([1, 1, length, count]), padding);
        let weights = weights.reshape([1, length, count]);
        let cosines = cosine(weights.clone().matmul(values).unsqueeze_dim::<4>(0), words.unsqueeze_dim::<4>(0));
        let weights = weights.reshape([length, count]);
        let least = weights.clone().min_dim(1);
        let range = (weights.clone().max_dim(1) - least.clone()).clamp_min(f64::from(f32::MIN_POSITIVE));
        Attention {
            scores: scores.reshape([length, count]),
            scaled: (weights.clone() - least) / range,
            weights,
            cosines: cosines.reshape([length]),
        }
    }
}

/// What is shown of one picture and one report.
#[derive(Debug, Clone)]
pub struct Attention {
    /// s `[W, R]`.
    pub scores: Tensor<2>,
    /// a `[W, R]`: every row adds up to 1.
    pub weights: Tensor<2>,
    /// a `[W, R]`, every row stretched to [0, 1]; zeros where all regions weigh the same.
    pub scaled: Tensor<2>,
    /// m `[W]`: how well what each word found fits it.
    pub cosines: Tensor<1>,
}

/// Cosines `[.., W]` along the last dimension of contexts `[I, T, W, d]` and words `[1, T, W, d]`: `[I, T, W]`.
fn cosine(context: Tensor<4>, words: Tensor<4>) -> Tensor<3> {
    let [pictures, texts, longest, _] = context.dims();
    let product = (context.clone() * words.clone()).sum_dim(3);
    let squares = context.square().sum_dim(3) * words.square().sum_dim(3);
    // The root of a clamped square has a slope at 0.
    let lengths = squares.clamp_min(LEAST_LENGTH * LEAST_LENGTH).sqrt();
    (product / lengths).reshape([pictures, texts, longest])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::device;
    use crate::compute::readback::Reader;
    use crate::compute::rng::HostRng;
    use burn::tensor::TensorData;

    #[test]
    fn scores_picture_by_picture_are_those_of_batched_products() {
        let drawn = |shape: [usize; 3], seed: u64| {
            let mut rng = HostRng::new(seed, 0);
            let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.normal() as f32).collect();
            Tensor::<3>::from_data(TensorData::new(values, shape), &device::cpu()).autodiff().require_grad()
        };
        let (regions, words, lengths) = (drawn([11, 6, 5], 1), drawn([4, 7, 5], 2), [7, 3, 1, 6]);
        for local in [Local::gloria(), Local::seed(0.07), Local::sharp()] {
            let of = |by_hand: bool| {
                let [keys, values, words_now] = local.prepared(regions.clone(), words.clone());
                let sums = if by_hand {
                    local.sums(keys, values, words_now, &lengths)
                } else {
                    local.sums_by_products(keys, values, words_now, &lengths)
                };
                let weights = constant((0..44).map(|i| (i as f32 * 0.7).sin()).collect(), [11, 4], &sums);
                let grads = (sums.clone() * weights).sum().backward();
                let mut reader = Reader::default();
                reader.add(sums);
                reader.add(regions.grad(&grads).unwrap());
                reader.add(words.grad(&grads).unwrap());
                reader.read().unwrap().concat()
            };
            for (i, (ours, burn)) in of(true).into_iter().zip(of(false)).enumerate() {
                assert!((ours - burn).abs() < 2e-5 * (1.0 + burn.abs()), "{local:?}, {i}: {ours} against {burn}");
            }
        }
    }
}
