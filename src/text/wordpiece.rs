//! WordPiece: words as pieces of words, as BERT has them.
//!
//! A word is cut at its punctuation, and each part into the longest pieces that the vocabulary holds; pieces that go
//! on a word begin with `##`. All pieces of a word know their word, so that sub-word vectors can be averaged to word
//! vectors. The `tokenizers` crate cuts and trains; what is here makes its training repeatable and keeps words
//! together.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::repeat_n;

use tokenizers::models::ModelWrapper;
use tokenizers::models::wordpiece::{WordPiece, WordPieceTrainer};
use tokenizers::normalizers::{BertNormalizer, NormalizerWrapper};
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{
    AddedToken, Model, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
    Tokenizer, Trainer,
};

/// The pieces that are no text, in the order in which a vocabulary that is trained here begins.
pub const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// What is wrong with a vocabulary or a corpus.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// There is nothing to train on.
    #[error("no report holds a word, so there is no vocabulary to learn")]
    NoWords,
    /// The special pieces and one letter alone need more.
    #[error("a vocabulary of {0} pieces holds no word; at least 7 are needed")]
    TooSmall(usize),
    /// A line of a vocabulary.
    #[error("line {line} of the vocabulary {what}; one piece a line was expected, each once")]
    Line {
        /// The first line is line 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// A special piece that BERT's vocabularies hold.
    #[error("the vocabulary has no piece {0}; it was expected to hold [PAD], [UNK], [CLS] and [SEP]")]
    Missing(&'static str),
    /// A file that describes another tokenizer, or none.
    #[error("this is no tokenizer.json of WordPiece: {0}")]
    Json(String),
    /// The library refused.
    #[error("the vocabulary could not be made: {0}")]
    Library(String),
}

/// A vocabulary of pieces, and how words are cut into them.
#[derive(Debug, Clone, PartialEq)]
pub struct Pieces {
    model: WordPiece,
    clean: Clean,
    list: Vec<String>,
    pad: i32,
    unknown: i32,
    first: i32,
    last: i32,
}

/// How a word is cleaned before it is cut: as BERT does, in small letters without accents where the vocabulary is
/// trained here.
#[derive(Debug, Clone, Copy)]
struct Clean(BertNormalizer);

impl PartialEq for Clean {
    fn eq(&self, other: &Self) -> bool {
        let parts = |Self(of): &Self| (of.clean_text, of.handle_chinese_chars, of.strip_accents, of.lowercase);
        parts(self) == parts(other)
    }
}

/// A report as a text encoder takes it: `[CLS]`, pieces, `[SEP]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Encoded {
    /// Numbers of the pieces.
    pub ids: Vec<i32>,
    /// Which word each piece is of; `None` for `[CLS]` and `[SEP]`.
    pub word_of: Vec<Option<usize>>,
    /// How many words are in it whole; the words after them had no room.
    pub words_kept: usize,
}

/// Two sentences as a text encoder takes them: `[CLS]` premise `[SEP]` hypothesis `[SEP]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EncodedPair {
    /// Numbers of the pieces.
    pub ids: Vec<i32>,
    /// 0 up to the first `[SEP]`, 1 behind it (BERT's token types).
    pub segments: Vec<i32>,
    /// Which word of its sentence each piece is of; `None` for `[CLS]` and `[SEP]`.
    pub word_of: Vec<Option<usize>>,
    /// How many words of premise and hypothesis are in it.
    pub words_kept: [usize; 2],
}

impl Pieces {
    /// Learns a vocabulary of at most `most` pieces from reports, each a list of words. Two pieces that follow each
    /// other become one while they do so `least` times or more, the most frequent first. The same corpus gives the
    /// same vocabulary, number by number.
    ///
    /// Every letter of the corpus is a piece, at the beginning of a word and within, as far as there is room for the
    /// more frequent ones; a word of other letters is `[UNK]`.
    ///
    /// # Errors
    /// Where the corpus holds no word, or `most` has no room for one.
    pub fn train(corpus: &[Vec<String>], most: usize, least: usize) -> Result<Self, TextError> {
        let clean = Clean(BertNormalizer::default());
        let mut parts: BTreeMap<String, usize> = BTreeMap::new();
        for part in corpus.iter().flatten().flat_map(|word| clean.parts(word)) {
            *parts.entry(part).or_default() += 1;
        }
        if parts.is_empty() {
            return Err(TextError::NoWords);
        }
        let letters = letters(&parts, most.saturating_sub(SPECIAL.len()) / 2);
        if letters.is_empty() {
            return Err(TextError::TooSmall(most));
        }
        // The trainer walks hash maps, in another order every time, and numbers a letter within words when it meets
        // the first one; between pairs that are equally frequent, numbers decide. As special pieces, letters have
        // numbers of their own before it begins.
        let within = letters.iter().map(|letter| format!("##{letter}"));
        let fixed = SPECIAL.iter().map(ToString::to_string).chain(letters.iter().map(char::to_string)).chain(within);
        let mut trainer = WordPieceTrainer::builder()
            .vocab_size(most)
            .min_frequency(least as u64)
            .show_progress(false)
            .special_tokens(fixed.map(|piece| AddedToken::from(piece, true)).collect())
            .build();
        let known = parts.iter().filter(|(part, _)| part.chars().all(|letter| letters.contains(&letter)));
        let library = |error: tokenizers::Error| TextError::Library(error.to_string());
        let all = known.flat_map(|(part, times)| repeat_n(part, *times));
        trainer.feed(all, |part| Ok(vec![part.to_owned()])).map_err(library)?;
        let mut model = WordPiece::default();
        trainer.train(&mut model).map_err(library)?;
        Self::of_list(in_order(&model)?, clean)
    }

    /// Reads a `vocab.txt`: one piece a line, numbered from 0.
    ///
    /// # Errors
    /// Names the first line that is empty or stands there twice, or the special piece that is missing.
    pub fn from_vocab(text: &str) -> Result<Self, TextError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_end();
        let list = text.lines().map(|line| line.trim_end().to_owned()).collect();
        Self::of_list(list, Clean(BertNormalizer::default()))
    }

    /// Reads a `tokenizer.json` whose model is WordPiece with `##` and `[UNK]`. How it cleans words is kept; how it
    /// cuts text into words does not matter here.
    ///
    /// # Errors
    /// Where the file describes something else, or its vocabulary is wrong.
    pub fn from_json(text: &str) -> Result<Self, TextError> {
        let tokenizer: Tokenizer =
            text.parse().map_err(|error: tokenizers::Error| TextError::Json(error.to_string()))?;
        let ModelWrapper::WordPiece(model) = tokenizer.get_model() else {
            return Err(TextError::Json("its model is another one".to_owned()));
        };
        if model.continuing_subword_prefix != "##" || model.unk_token != SPECIAL[1] {
            let (prefix, unknown) = (&model.continuing_subword_prefix, &model.unk_token);
            let what = format!("it writes `{prefix}` and `{unknown}` where `##` and `[UNK]` were expected");
            return Err(TextError::Json(what));
        }
        let clean = match tokenizer.get_normalizer() {
            Some(NormalizerWrapper::BertNormalizer(clean)) => *clean,
            _ => BertNormalizer::default(),
        };
        Self::of_list(in_order(model)?, Clean(clean))
    }

    fn of_list(list: Vec<String>, clean: Clean) -> Result<Self, TextError> {
        let mut seen = BTreeSet::new();
        for (index, piece) in list.iter().enumerate() {
            let wrong = |what: &str| Err(TextError::Line { line: index + 1, what: what.to_owned() });
            if piece.is_empty() || piece.contains(['\n', '\r']) {
                return wrong("is empty");
            }
            if !seen.insert(piece) {
                return wrong(&format!("holds {piece}, which stands there already"));
            }
        }
        let number = |piece: &'static str| {
            let at = list.iter().position(|known| known == piece);
            at.and_then(|at| i32::try_from(at).ok()).ok_or(TextError::Missing(piece))
        };
        let [pad, unknown, first, last, _] = SPECIAL;
        let (pad, unknown, first, last) = (number(pad)?, number(unknown)?, number(first)?, number(last)?);
        let library = |error: tokenizers::Error| TextError::Library(error.to_string());
        let numbers = WordPiece::read_bytes(list.join("\n").as_bytes()).map_err(library)?;
        let model = WordPiece::builder().vocab(numbers).build().map_err(library)?;
        Ok(Self { model, clean, list, pad, unknown, first, last })
    }

    /// The vocabulary as a `tokenizer.json`, which [`Pieces::from_json`] and other programs read. The same vocabulary
    /// gives the same text.
    ///
    /// # Errors
    /// Where the library cannot write it.
    pub fn to_json(&self) -> Result<String, TextError> {
        let library = |error: tokenizers::Error| TextError::Library(error.to_string());
        let [_, _, first, last, _] = SPECIAL;
        let number = |id: i32| u32::try_from(id).unwrap_or_default();
        let ends = ((last.to_owned(), number(self.last)), (first.to_owned(), number(self.first)));
        let mut tokenizer = Tokenizer::new(self.model.clone());
        tokenizer.with_normalizer(Some(self.clean.0)).map_err(library)?;
        tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
        tokenizer.with_post_processor(Some(BertProcessing::new(ends.0, ends.1)));
        let special = SPECIAL.iter().filter(|piece| self.list.iter().any(|known| known == *piece));
        let special: Vec<AddedToken> = special.map(|piece| AddedToken::from((*piece).to_owned(), true)).collect();
        tokenizer.add_special_tokens(special).map_err(library)?;
        tokenizer.to_string(true).map_err(library)
    }

    /// The pieces by number. Joined by line ends they are a `vocab.txt`.
    pub fn vocab(&self) -> &[String] {
        &self.list
    }

    /// The number of `[PAD]`: 0 in a vocabulary that was trained here.
    pub fn pad(&self) -> i32 {
        self.pad
    }

    /// The number of `[UNK]`.
    pub fn unknown(&self) -> i32 {
        self.unknown
    }

    /// The numbers of a word's pieces, at least one. A part that the vocabulary cannot spell is `[UNK]`; a word of
    /// such parts alone is one `[UNK]`.
    pub fn of_word(&self, word: &str) -> Vec<i32> {
        let mut ids = Vec::new();
        for part in self.clean.parts(word) {
            let pieces = self.model.tokenize(&part).unwrap_or_default();
            ids.extend(pieces.iter().map(|piece| i32::try_from(piece.id).unwrap_or(self.unknown)));
        }
        if ids.iter().all(|id| *id == self.unknown) { vec![self.unknown] } else { ids }
    }

    /// A report of at most `most_tokens` pieces, `[CLS]` and `[SEP]` among them. What has no room is left out word by
    /// word from the end. (Where `most_tokens` is below 2, not even the two have room.)
    pub fn encode(&self, words: &[String], most_tokens: usize) -> Encoded {
        let mut encoded = Encoded { ids: vec![self.first], word_of: vec![None], words_kept: 0 };
        for (index, word) in words.iter().enumerate() {
            let pieces = self.of_word(word);
            if encoded.ids.len() + pieces.len() + 1 > most_tokens {
                break;
            }
            encoded.word_of.extend(pieces.iter().map(|_| Some(index)));
            encoded.ids.extend(pieces);
            encoded.words_kept = index + 1;
        }
        encoded.ids.push(self.last);
        encoded.word_of.push(None);
        encoded.ids.truncate(most_tokens);
        encoded.word_of.truncate(most_tokens);
        encoded
    }

    /// Two sentences of at most `most_tokens` pieces together, `[CLS]` and both `[SEP]` among them. What has no room
    /// is left out word by word from the end of the sentence that is longer then.
    pub fn encode_pair(&self, premise: &[String], hypothesis: &[String], most_tokens: usize) -> EncodedPair {
        let pieces = |words: &[String]| words.iter().map(|word| self.of_word(word)).collect::<Vec<_>>();
        let mut pair = [pieces(premise), pieces(hypothesis)];
        let mut lengths = pair.each_ref().map(|words| words.iter().map(Vec::len).sum::<usize>());
        while lengths[0] + lengths[1] + 3 > most_tokens {
            let longer = usize::from(lengths[1] > lengths[0]);
            let Some(word) = pair[longer].pop() else { break };
            lengths[longer] -= word.len();
        }
        let words_kept = pair.each_ref().map(Vec::len);
        let mut encoded = EncodedPair { ids: vec![self.first], segments: vec![0], word_of: vec![None], words_kept };
        for (segment, words) in (0..).zip(pair) {
            for (index, pieces) in words.into_iter().enumerate() {
                encoded.word_of.extend(pieces.iter().map(|_| Some(index)));
                encoded.ids.extend(pieces);
            }
            encoded.ids.push(self.last);
            encoded.word_of.push(None);
            encoded.segments.resize(encoded.ids.len(), segment);
        }
        encoded.ids.truncate(most_tokens);
        encoded.segments.truncate(most_tokens);
        encoded.word_of.truncate(most_tokens);
        encoded
    }
}

impl Clean {
    /// A word, cleaned and cut at white space and punctuation.
    fn parts(&self, word: &str) -> Vec<String> {
        // What is read here is mostly one word of small letters.
        if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
            return vec![word.to_owned()];
        }
        let mut text = NormalizedString::from(word);
        let mut parts = match self.0.normalize(&mut text) {
            Ok(()) => PreTokenizedString::from(text),
            Err(_) => PreTokenizedString::from(word),
        };
        if BertPreTokenizer.pre_tokenize(&mut parts).is_err() {
            return vec![word.to_owned()];
        }
        let parts = parts.get_splits(OffsetReferential::Normalized, OffsetType::Byte).into_iter();
        parts.map(|(part, ..)| part.to_owned()).filter(|part| !part.is_empty()).collect()
    }
}

/// The letters of a corpus, the `most` most frequent ones, in the order of Unicode.
fn letters(parts: &BTreeMap<String, usize>, most: usize) -> BTreeSet<char> {
    let mut counts: BTreeMap<char, usize> = BTreeMap::new();
    for (part, times) in parts {
        for letter in part.chars() {
            *counts.entry(letter).or_default() += times;
        }
    }
    let mut letters: Vec<(char, usize)> = counts.into_iter().collect();
    letters.sort_by_key(|(letter, times)| (std::cmp::Reverse(*times), *letter));
    letters.into_iter().take(most).map(|(letter, _)| letter).collect()
}

/// A model's pieces by number, which has to count from 0 without a gap.
fn in_order(model: &WordPiece) -> Result<Vec<String>, TextError> {
    let mut pieces: Vec<(u32, String)> = model.get_vocab().into_iter().map(|(piece, id)| (id, piece)).collect();
    pieces.sort_unstable();
    match pieces.iter().enumerate().find(|(index, (id, _))| u32::try_from(*index) != Ok(*id)) {
        Some((index, (id, piece))) => {
            Err(TextError::Json(format!("{piece} has the number {id} where {index} was expected")))
        }
        None => Ok(pieces.into_iter().map(|(_, piece)| piece).collect()),
    }
}

#[cfg(test)]
mod tests;
