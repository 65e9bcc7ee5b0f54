//! One report against one image: the report among its nine perturbations, edits of what it says, and what its words look at. Plain data
//! comes out, whoever shows it.

use crate::engine::experiment::RunError;
use crate::nn::image_text::local::Local;
use crate::text::edits::Edit;
use crate::text::perturb::{Perturbation, Perturbed};
use crate::text::tags::Tag;

use super::super::embed::{Embedder, Looks, cosine};
use super::super::evaluate::MEASURED;

/// A report is perturbed in the same way wherever it stands: by its words, not by its place among others.
const SEED: u64 = 0;

/// What texts are compared with, in the order of all cosines here.
pub const COLUMNS: [&str; 3] = ["image", "another image", "mean image"];

/// Vectors of unit length of the image, of another one and of the mean of many; `None`: there is none.
pub type Images<'a> = [Option<&'a [f32]>; 3];

/// The report, or one of its perturbations.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub words: Vec<String>,
    /// Where in the report each word stood.
    pub from: Vec<usize>,
    /// Which words are not of the report but antonyms.
    pub replaced: Vec<bool>,
    /// It reads like the report, and does not count.
    pub degenerate: bool,
    /// With each of [`COLUMNS`].
    pub cosines: [Option<f64>; 3],
}

/// The report with something in it that is not so.
#[derive(Debug, Clone, PartialEq)]
pub struct Edited {
    pub edit: Edit,
    pub words: Vec<String>,
    /// With each of [`COLUMNS`].
    pub cosines: [Option<f64>; 3],
}

/// Where the report stands among the texts that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// 1: above all of them; what is as near stands before it.
    pub rank: usize,
    /// Texts that count, the report among them.
    pub of: usize,
}

/// The region that a word looks at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Its middle, 0 to 1 of the square that the network sees.
    pub at: [f64; 2],
    /// Its share of the word's attention.
    pub share: f64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Classes of the report's words.
    pub tags: Vec<Tag>,
    /// The report, then its perturbations in the order of [`Perturbation::ALL`].
    pub candidates: Vec<Candidate>,
    /// The edits that are possible.
    pub edits: Vec<Edited>,
    /// What the words look at, as far as the text encoder has room for them; `None`: not asked for.
    pub looks: Option<Looks>,
}

/// Judges a report of one word at least with an image `pixels` `[size, size]` in [0, 1] of which the vector is the first of `images`.
/// `local`: how words attend; `None`: what they look at is not wanted.
///
/// # Errors
/// The device fails, or no word has room in the text encoder.
pub fn judge(
    embedder: &Embedder<'_>,
    words: &[String],
    (pixels, size): (&[f32], usize),
    images: Images<'_>,
    local: Option<&Local>,
) -> Result<Judged, RunError> {
    let number = u64::from(crc32fast::hash(words.join(" ").as_bytes()));
    let perturbed = embedder.texts.perturbed(words, SEED, number, MEASURED);
    let edits: Vec<(Edit, Vec<String>)> =
        Edit::ALL.into_iter().filter_map(|edit| Some((edit, edit.apply(words)?))).collect();
    // An edit may leave nothing.
    let edits: Vec<(Edit, Vec<String>)> = edits.into_iter().filter(|(_, words)| !words.is_empty()).collect();
    let texts: Vec<&[String]> = std::iter::once(words)
        .chain(perturbed.iter().map(|one| one.words.as_slice()))
        .chain(edits.iter().map(|(_, words)| words.as_slice()))
        .collect();
    let vectors = embedder.texts(&texts)?;
    let cosines = |i: usize| images.map(|image| Some(cosine(image?, vectors.row(i))));
    let report = Candidate {
        words: words.to_vec(),
        from: (0..words.len()).collect(),
        replaced: vec![false; words.len()],
        degenerate: false,
        cosines: cosines(0),
    };
    let counted = perturbed.len();
    let of = |(i, one): (usize, Perturbed)| {
        let Perturbed { words, from, replaced, degenerate } = one;
        Candidate { words, from, replaced, degenerate, cosines: cosines(1 + i) }
    };
    let candidates = std::iter::once(report).chain(perturbed.into_iter().enumerate().map(of)).collect();
    let edited = |(i, (edit, words))| Edited { edit, words, cosines: cosines(1 + counted + i) };
    let edits = edits.into_iter().enumerate().map(edited).collect();
    let looks = match local {
        Some(local) => embedder.looks(&[pixels.to_vec()], size, &[words], local)?.pop(),
        None => None,
    };
    Ok(Judged { tags: embedder.texts.tags(words), candidates, edits, looks })
}

impl Judged {
    /// The report's words.
    pub fn words(&self) -> &[String] {
        self.candidates.first().map(|report| report.words.as_slice()).unwrap_or_default()
    }

    /// Cosine of the report in a column.
    pub fn similarity(&self, column: usize) -> Option<f64> {
        cosine_of(&self.candidates.first()?.cosines, column)
    }

    /// The perturbations with what they are.
    pub fn perturbed(&self) -> impl Iterator<Item = (Perturbation, &Candidate)> {
        Perturbation::ALL.into_iter().zip(self.candidates.iter().skip(1))
    }

    /// The report's place in a column; `None`: there is no such column.
    pub fn place(&self, column: usize) -> Option<Place> {
        let own = self.similarity(column)?;
        let mut place = Place { rank: 1, of: 1 };
        for (_, other) in self.perturbed().filter(|(_, other)| !other.degenerate) {
            place.of += 1;
            place.rank += usize::from(!cosine_of(&other.cosines, column).is_some_and(|other| own > other));
        }
        Some(place)
    }

    /// The perturbation that comes nearest to the image.
    pub fn nearest(&self) -> Option<(Perturbation, f64)> {
        let counted = self.perturbed().filter(|(_, other)| !other.degenerate);
        let with = counted.filter_map(|(kind, other)| Some((kind, cosine_of(&other.cosines, 0)?)));
        with.max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Whether the report is above an edit of it in a column.
    pub fn above(&self, edited: &Edited, column: usize) -> Option<bool> {
        Some(self.similarity(column)? > cosine_of(&edited.cosines, column)?)
    }

    /// Whether every cosine is a number.
    pub fn is_finite(&self) -> bool {
        let candidates = self.candidates.iter().map(|of| &of.cosines);
        candidates.chain(self.edits.iter().map(|of| &of.cosines)).flatten().flatten().all(|value| value.is_finite())
    }

    /// Attention of a word to each region, row by row; `None`: it is not known.
    pub fn attention(&self, word: usize) -> Option<&[f32]> {
        let looks = self.looks.as_ref()?;
        let [words, regions] = looks.shape;
        if word >= words || regions == 0 {
            return None;
        }
        looks.weights.get(word * regions..(word + 1) * regions)
    }

    /// The same from 0 at the region of the least attention to 1 at that of the greatest: what differs little is seen too.
    pub fn heat(&self, word: usize) -> Option<Vec<f32>> {
        let weights = self.attention(word)?;
        let least = weights.iter().copied().fold(f32::INFINITY, f32::min);
        let most = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let span = (most - least).max(f32::MIN_POSITIVE);
        Some(weights.iter().map(|weight| (weight - least) / span).collect())
    }

    /// The region that a word looks at most.
    pub fn spot(&self, word: usize) -> Option<Spot> {
        let weights = self.attention(word)?;
        let [rows, columns] = self.looks.as_ref()?.grid;
        let (at, share) = weights.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
        let middle = |at: usize, of: usize| (at as f64 + 0.5) / of.max(1) as f64;
        let columns = columns.max(1);
        Some(Spot { at: [middle(at % columns, columns), middle(at / columns, rows)], share: f64::from(*share) })
    }
}

/// One of the cosines; `None`: there is no such column.
pub fn cosine_of(cosines: &[Option<f64>; 3], column: usize) -> Option<f64> {
    cosines.get(column).copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(own: f64, other: Option<f64>, degenerate: bool) -> Candidate {
        let (words, from, replaced) = (vec!["word".to_owned()], vec![0], vec![false]);
        Candidate { words, from, replaced, degenerate, cosines: [Some(own), other, None] }
    }

    #[test]
    fn a_tie_stands_before_the_report_and_what_reads_like_it_does_not_count() {
        let mut candidates = vec![candidate(0.5, Some(0.1), false)];
        candidates.extend((0..9).map(|i| candidate(0.4, Some(f64::from(i) / 10.0), i < 2)));
        candidates[4].cosines[0] = Some(0.5);
        candidates[1].cosines[0] = Some(0.9);
        let looks =
            Looks { shape: [1, 6], grid: [2, 3], raw: vec![0.0; 6], weights: vec![0.1, 0.1, 0.1, 0.1, 0.1, 0.5] };
        let judged = Judged { tags: vec![Tag::Noun], candidates, edits: Vec::new(), looks: Some(looks) };
        assert_eq!(judged.place(0), Some(Place { rank: 2, of: 8 }), "of nine two do not count");
        assert_eq!(judged.place(1), Some(Place { rank: 8, of: 8 }));
        assert_eq!(judged.place(2), None, "there is no mean");
        assert_eq!(judged.nearest().map(|(kind, _)| kind), Some(Perturbation::ALL[3]));
        let spot = judged.spot(0).unwrap();
        assert_eq!(spot, Spot { at: [5.0 / 6.0, 0.75], share: f64::from(0.5_f32) });
        assert_eq!(judged.heat(0).unwrap().iter().filter(|heat| **heat == 1.0).count(), 1);
        assert_eq!((judged.spot(1), judged.heat(1)), (None, None), "a word that had no room");
    }
}
