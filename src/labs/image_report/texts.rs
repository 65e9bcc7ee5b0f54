//! The reports of a run as the text encoder sees them, with their perturbations.

use std::sync::Arc;

use crate::engine::experiment::RunError;
use crate::engine::params::{ParamError, Params};
use crate::nn::image_text::batch::{self, TextBatch};
use crate::text::antonyms::Antonyms;
use crate::text::perturb::{self, Perturbation, Perturbed};
use crate::text::tags::{Tag, Tagger};
use crate::text::wordpiece::{Encoded, EncodedPair, Pieces};
use crate::text::words::{Marks, words};

use super::params::{antonyms, max_tokens, tagger};

/// Perturbations of a report.
pub const PERTURBED: usize = Perturbation::ALL.len();

/// What the `[CLS]` before the words is to the local loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstMark {
    IsNone,
    /// Word 0, as GLoRIA counts.
    IsAWord,
}

/// How reports become numbers.
#[derive(Debug, Clone)]
pub struct Texts {
    tagger: Tagger,
    antonyms: Antonyms,
    pub pieces: Arc<Pieces>,
    max_tokens: usize,
}

impl Texts {
    pub fn of(params: &Params, pieces: Arc<Pieces>) -> Result<Self, ParamError> {
        Ok(Self { tagger: tagger(params)?, antonyms: antonyms(params)?, pieces, max_tokens: max_tokens(params) })
    }

    pub fn tags(&self, words: &[String]) -> Vec<Tag> {
        self.tagger.tag(words)
    }

    /// The nine of one report: the same for the same seed, number of the report and draw.
    pub fn perturbed(&self, words: &[String], seed: u64, report: u64, draw: u64) -> [Perturbed; PERTURBED] {
        perturb::all(words, &self.tags(words), &self.antonyms, seed, report, draw)
    }

    /// Whether reports are perturbed in another way.
    pub fn differs(&self, other: &Self) -> bool {
        self.tagger != other.tagger || self.antonyms != other.antonyms
    }

    /// Pairs of sentences, each pair as one text.
    ///
    /// # Errors
    /// A pair has no words.
    pub fn sentence_pairs<'a>(
        &self,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<TextBatch, RunError> {
        let words = |text: &str| words(text, usize::MAX, Marks::Kept).words;
        let encoded: Vec<EncodedPair> = pairs
            .into_iter()
            .map(|(first, second)| self.pieces.encode_pair(&words(first), &words(second), self.max_tokens))
            .collect();
        let pieces: Vec<batch::Pieces<'_>> = encoded
            .iter()
            .map(|text| batch::Pieces { ids: &text.ids, word_of: &text.word_of, segments: &text.segments })
            .collect();
        TextBatch::pack(&pieces, 0).map_err(|error| RunError::Data(format!("sentence pairs: {error}")))
    }

    /// Texts of one forward pass; of the first `worded` the words are wanted too.
    ///
    /// # Errors
    /// A text has no words.
    pub fn batch<'a>(
        &self,
        texts: impl IntoIterator<Item = &'a [String]>,
        worded: usize,
    ) -> Result<TextBatch, RunError> {
        self.batch_for_loss(texts, worded, FirstMark::IsNone)
    }

    /// The same, where the `[CLS]` may count as a word.
    pub fn batch_for_loss<'a>(
        &self,
        texts: impl IntoIterator<Item = &'a [String]>,
        worded: usize,
        first: FirstMark,
    ) -> Result<TextBatch, RunError> {
        let mut encoded: Vec<Encoded> =
            texts.into_iter().map(|words| self.pieces.encode(words, self.max_tokens)).collect();
        if first == FirstMark::IsAWord {
            encoded.iter_mut().take(worded).for_each(|text| text.word_of = batch::with_first_mark(&text.word_of));
        }
        let pieces: Vec<batch::Pieces<'_>> = encoded
            .iter()
            .map(|text| batch::Pieces { ids: &text.ids, word_of: &text.word_of, segments: &[] })
            .collect();
        TextBatch::pack(&pieces, worded).map_err(|error| RunError::Data(format!("reports: {error}")))
    }
}
