//! Reports as numbers: pieces of words with padding, and which pieces make which word.

use burn::tensor::{Device, Int, Tensor, TensorData};
use thiserror::Error;

/// One text as a tokeniser gives it.
#[derive(Debug, Clone, Copy)]
pub struct Pieces<'a> {
    /// Numbers of the pieces in the vocabulary, marks such as `[CLS]` included, without padding.
    pub ids: &'a [i32],
    /// Of every piece the word that it is of, counted from 0; `None` for marks.
    pub word_of: &'a [Option<usize>],
    /// Of every piece 0 for the first sentence of a pair, 1 for the second; empty: all 0.
    pub segments: &'a [i32],
}

/// Texts that cannot be packed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PackError {
    #[error("text {text} of the batch has no words; expected one at least")]
    Empty { text: usize },
    #[error(
        "text {text} of the batch has {ids} pieces, but its words are given for {words} and its segments for {segments}"
    )]
    Uneven { text: usize, ids: usize, words: usize, segments: usize },
    #[error(
        "text {text} of the batch names word {word}, but it has {pieces} pieces; words are counted from 0 without gaps"
    )]
    Word { text: usize, word: usize, pieces: usize },
    #[error("the batch has no texts")]
    None,
}

/// T texts padded to one length, on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct TextBatch {
    /// `[T, N]`; 0 is padding.
    pub ids: Vec<i32>,
    /// `[T, N]`; 0 for padding too.
    pub segments: Vec<i32>,
    /// T.
    pub texts: usize,
    /// N.
    pub length: usize,
    /// Pieces of each text without padding.
    pub pieces: Vec<usize>,
    /// Words of each of the first texts, whose words are wanted.
    pub words: Vec<usize>,
    /// `[words.len(), W, N]`: the mean over a word's pieces as a matrix; zeros for padding.
    pub average: Vec<f32>,
}

/// N is a multiple of this, so that a device sees few lengths.
const STEP: usize = 4;

impl TextBatch {
    /// Packs texts; of the first `worded` of them the words are wanted too (the originals, not the perturbed ones).
    ///
    /// # Errors
    /// A text without pieces, or without words where they are wanted; lists of unequal length; words with gaps.
    pub fn pack(texts: &[Pieces<'_>], worded: usize) -> Result<Self, PackError> {
        let longest = texts.iter().map(|text| text.ids.len()).max().ok_or(PackError::None)?;
        let length = longest.next_multiple_of(STEP);
        let worded = worded.min(texts.len());
        let mut batch = Self {
            ids: vec![0; texts.len() * length],
            segments: vec![0; texts.len() * length],
            texts: texts.len(),
            length,
            pieces: texts.iter().map(|text| text.ids.len()).collect(),
            words: Vec::with_capacity(worded),
            average: Vec::new(),
        };
        let rows = batch.ids.chunks_exact_mut(length.max(1)).zip(batch.segments.chunks_exact_mut(length.max(1)));
        for ((i, text), (ids, segments)) in texts.iter().enumerate().zip(rows) {
            check(i, text, i < worded)?;
            ids.iter_mut().zip(text.ids).for_each(|(to, id)| *to = *id);
            segments.iter_mut().zip(text.segments).for_each(|(to, segment)| *to = *segment);
        }
        let wanted = texts.iter().take(worded);
        batch.words = wanted.clone().map(|text| groups(text).len()).collect();
        let most = batch.most_words();
        batch.average = vec![0.0; worded * most * length];
        for (text, matrix) in wanted.zip(batch.average.chunks_exact_mut((most * length).max(1))) {
            for (group, row) in groups(text).iter().zip(matrix.chunks_exact_mut(length)) {
                for (piece, weight) in row.iter_mut().enumerate() {
                    *weight = if group.contains(&piece) { 1.0 / group.len() as f32 } else { 0.0 };
                }
            }
        }
        Ok(batch)
    }

    /// W: the most words of a text whose words are wanted.
    pub fn most_words(&self) -> usize {
        self.words.iter().copied().max().unwrap_or(0)
    }

    /// The batch on a device.
    pub fn tensors(&self, device: &Device) -> TextTensors {
        let Self { texts, length, .. } = *self;
        let whole = |values: &[i32]| Tensor::from_data(TensorData::new(values.to_vec(), [texts, length]), device);
        let mask = self.pieces.iter().flat_map(|pieces| (0..length).map(move |at| f32::from(u8::from(at < *pieces))));
        let mask: Vec<f32> = mask.collect();
        let average = TensorData::new(self.average.clone(), [self.words.len(), self.most_words(), length]);
        TextTensors {
            ids: whole(&self.ids),
            segments: whole(&self.segments),
            mask: Tensor::from_data(TensorData::new(mask, [texts, length]), device),
            average: (!self.average.is_empty()).then(|| Tensor::from_data(average, device)),
            pieces: self.pieces.clone(),
            words: self.words.clone(),
        }
    }
}

fn check(i: usize, text: &Pieces<'_>, worded: bool) -> Result<(), PackError> {
    let (ids, words, segments) = (text.ids.len(), text.word_of.len(), text.segments.len());
    if words != ids || segments != ids && segments != 0 {
        return Err(PackError::Uneven { text: i, ids, words, segments });
    }
    let groups = groups(text);
    if ids == 0 || worded && groups.is_empty() {
        return Err(PackError::Empty { text: i });
    }
    match groups.iter().position(Vec::is_empty) {
        Some(word) => Err(PackError::Word { text: i, word, pieces: ids }),
        None => Ok(()),
    }
}

/// The pieces of every word, as far as there can be words: no more than pieces.
fn groups(text: &Pieces<'_>) -> Vec<Vec<usize>> {
    let words = text.word_of.iter().flatten().max().map_or(0, |last| last.saturating_add(1));
    // One word too many leaves a gap, which is told.
    let mut groups = vec![Vec::new(); words.min(text.ids.len() + 1)];
    for (piece, word) in text.word_of.iter().enumerate() {
        if let Some(group) = word.and_then(|word| groups.get_mut(word)) {
            group.push(piece);
        }
    }
    groups
}

/// The same words with the mark at the beginning (`[CLS]`) as word 0 before them, as GLoRIA counts.
pub fn with_first_mark(word_of: &[Option<usize>]) -> Vec<Option<usize>> {
    let shifted = |(at, word): (usize, &Option<usize>)| if at == 0 { Some(0) } else { word.map(|word| word + 1) };
    word_of.iter().enumerate().map(shifted).collect()
}

/// T texts on a device, without gradients.
#[derive(Debug, Clone)]
pub struct TextTensors {
    /// `[T, N]`
    pub ids: Tensor<2, Int>,
    /// `[T, N]`
    pub segments: Tensor<2, Int>,
    /// `[T, N]`: 1 for a piece, 0 for padding.
    pub mask: Tensor<2>,
    /// `[words.len(), W, N]`; `None` where no words are wanted.
    pub average: Option<Tensor<3>>,
    /// Pieces of each text.
    pub pieces: Vec<usize>,
    /// Words of each of the first texts.
    pub words: Vec<usize>,
}

/// The means of the pieces of each word, `[V, W, width]`, from pieces `[T, N, width]` of T ≥ V texts and `average` `[V, W, N]`.
pub fn word_means(pieces: Tensor<3>, average: Tensor<3>) -> Tensor<3> {
    let [worded, ..] = average.dims();
    average.matmul(pieces.slice_dim(0, 0..worded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_padded_and_words_are_means_of_their_pieces() {
        let (a, b) = ([2, 7, 8, 9, 3], [2, 5, 3]);
        let a = Pieces { ids: &a, word_of: &[None, Some(0), Some(0), Some(1), None], segments: &[] };
        let b = Pieces { ids: &b, word_of: &[None, Some(0), None], segments: &[0, 0, 1] };
        let batch = TextBatch::pack(&[a, b, b], 2).unwrap();
        assert_eq!((batch.length, &batch.pieces[..], &batch.words[..]), (8, &[5, 3, 3][..], &[2, 1][..]));
        assert_eq!(batch.ids[..11], [2, 7, 8, 9, 3, 0, 0, 0, 2, 5, 3]);
        assert_eq!(batch.segments[8..12], [0, 0, 1, 0]);
        assert_eq!(batch.average[..16], [0., 0.5, 0.5, 0., 0., 0., 0., 0., 0., 0., 0., 1., 0., 0., 0., 0.]);
        assert_eq!(batch.average[24..], [0.0; 8], "a padded word is nothing");
        assert_eq!(with_first_mark(b.word_of), [Some(0), Some(1), None]);
    }

    #[test]
    fn what_cannot_be_packed_is_told() {
        let pack = |ids: &[i32], word_of: &[Option<usize>]| {
            TextBatch::pack(&[Pieces { ids, word_of, segments: &[] }], 1).unwrap_err()
        };
        assert_eq!(pack(&[2, 3], &[None, None]), PackError::Empty { text: 0 });
        assert_eq!(pack(&[2, 3], &[None]), PackError::Uneven { text: 0, ids: 2, words: 1, segments: 0 });
        assert_eq!(pack(&[2, 3], &[Some(usize::MAX), None]), PackError::Word { text: 0, word: 0, pieces: 2 });
        assert_eq!(TextBatch::pack(&[], 0), Err(PackError::None));
    }
}
