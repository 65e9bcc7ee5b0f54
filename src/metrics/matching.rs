//! How well vectors of pictures and of reports find each other: the structure evaluation of Table IV with its controls, and retrieval.
//!
//! Everything is computed on the host in f64 from vectors of f32. Letters: n pictures with their reports, K perturbed texts of a
//! report, d numbers of a vector.

use std::cmp::Ordering;

use thiserror::Error;

/// Vectors that cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MatchingError {
    #[error("{what} holds {found} numbers, expected {expected}")]
    Length { what: &'static str, found: usize, expected: usize },
    #[error("there is nothing to compare")]
    Empty,
}

fn length(what: &'static str, found: usize, expected: usize) -> Result<(), MatchingError> {
    if found == expected { Ok(()) } else { Err(MatchingError::Length { what, found, expected }) }
}

/// Whether a picture tells its report from the perturbed ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Structure {
    /// Of every picture: its report is nearer than every perturbed text that counts. A tie is wrong, without any tolerance.
    pub correct: Vec<bool>,
    /// Of every picture: the place of its report among the texts that count, from 1; ties stand before it.
    pub ranks: Vec<usize>,
    /// Share of the correct.
    pub accuracy: f64,
    pub mean_rank: f64,
    /// Mean of 1 / rank.
    pub reciprocal_rank: f64,
    /// What guessing would get: mean of 1 / (1 + perturbed texts that count).
    pub chance: f64,
    /// Of every kind of perturbation the share of pictures whose report is nearer than that text; `None` where it never counts.
    pub wins: Vec<Option<f64>>,
    /// Pictures of which that kind counts.
    pub counted: Vec<usize>,
    /// What the article's code would say: ties count as right, and texts equal to the original take part.
    pub paper_accuracy: f64,
}

/// Judges similarities `[n, 1 + K]`, those of the original reports first. `degenerate` `[n, K]`: perturbed texts that equal the
/// original, which are skipped.
///
/// # Errors
/// Lengths that do not fit; no picture.
pub fn structure(similarities: &[f64], kinds: usize, degenerate: &[bool]) -> Result<Structure, MatchingError> {
    let pictures = similarities.len() / (1 + kinds);
    length("the table of similarities", similarities.len(), pictures * (1 + kinds))?;
    length("the list of degenerate texts", degenerate.len(), pictures * kinds)?;
    if pictures == 0 {
        return Err(MatchingError::Empty);
    }
    let mut correct = Vec::with_capacity(pictures);
    let mut ranks = Vec::with_capacity(pictures);
    let (mut chance, mut paper, mut won, mut counted) = (0.0, 0, vec![0_usize; kinds], vec![0_usize; kinds]);
    for (i, row) in similarities.chunks_exact(1 + kinds).enumerate() {
        let Some((own, others)) = row.split_first() else { continue };
        let skipped = degenerate.iter().skip(i * kinds).take(kinds);
        let (mut before, mut valid) = (0, 0);
        for (((other, skipped), won), counted) in others.iter().zip(skipped).zip(&mut won).zip(&mut counted) {
            if *skipped {
                continue;
            }
            // A number that is none is never nearer.
            let nearer = own > other;
            valid += 1;
            before += usize::from(!nearer);
            *won += usize::from(nearer);
            *counted += 1;
        }
        correct.push(before == 0);
        ranks.push(1 + before);
        chance += 1.0 / (1 + valid) as f64;
        paper += usize::from(others.iter().all(|other| own >= other));
    }
    let n = pictures as f64;
    let mean = |sum: f64| sum / n;
    let share = |(won, counted): (&usize, &usize)| (*counted > 0).then(|| *won as f64 / *counted as f64);
    Ok(Structure {
        accuracy: mean(correct.iter().filter(|correct| **correct).count() as f64),
        mean_rank: mean(ranks.iter().sum::<usize>() as f64),
        reciprocal_rank: mean(ranks.iter().map(|rank| 1.0 / *rank as f64).sum()),
        chance: mean(chance),
        wins: won.iter().zip(&counted).map(share).collect(),
        counted,
        paper_accuracy: mean(paper as f64),
        correct,
        ranks,
    })
}

/// The structure evaluation with the controls that say whether the picture was looked at: an accuracy that does not fall judges how
/// fluent a text is.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// Every report with its own picture.
    pub right: Structure,
    /// With another picture.
    pub wrong: Structure,
    /// With the mean over all pictures.
    pub mean: Structure,
}

/// The three columns of pictures `[n, d]` and texts `[n, 1 + K, d]`, by cosine. `degenerate` as in [`structure`]; `other` says which
/// picture takes the place of each in the wrong column.
///
/// # Errors
/// Lengths that do not fit; no picture.
pub fn columns(
    pictures: &[f32],
    texts: &[f32],
    d: usize,
    degenerate: &[bool],
    other: &[usize],
) -> Result<Columns, MatchingError> {
    let n = other.len();
    if n == 0 || d == 0 {
        return Err(MatchingError::Empty);
    }
    length("the pictures' vectors", pictures.len(), n * d)?;
    let kinds = degenerate.len() / n;
    length("the list of degenerate texts", degenerate.len(), n * kinds)?;
    length("the texts' vectors", texts.len(), n * (1 + kinds) * d)?;
    let rows: Vec<&[f32]> = pictures.chunks_exact(d).collect();
    let mut mean = vec![0.0; d];
    for row in &rows {
        // Lengths would weigh pictures.
        let scale = 1.0 / norm(row).max(f64::MIN_POSITIVE) / n as f64;
        mean.iter_mut().zip(*row).for_each(|(mean, value)| *mean += f64::from(*value) * scale);
    }
    let mean: Vec<f32> = mean.into_iter().map(|value| value as f32).collect();
    // Of every report the picture that it is compared with.
    let judge = |of: Vec<&[f32]>| {
        let groups = texts.chunks_exact((1 + kinds) * d).zip(of);
        let all = groups.flat_map(|(group, picture)| group.chunks_exact(d).map(move |text| cosine(picture, text)));
        structure(&all.collect::<Vec<f64>>(), kinds, degenerate)
    };
    let wrong = other.iter().map(|i| rows.get(*i).copied().unwrap_or_default()).collect();
    Ok(Columns { right: judge(rows)?, wrong: judge(wrong)?, mean: judge(vec![&mean; n])? })
}

/// For each of n pictures another one: the next but `step`, in a circle. Never itself where there are two.
pub fn others(n: usize, step: usize) -> Vec<usize> {
    let shift = if n > 1 { 1 + step % (n - 1) } else { 0 };
    (0..n).map(|i| (i + shift) % n.max(1)).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn norm(a: &[f32]) -> f64 {
    dot(a, a).sqrt()
}

/// u·v / (|u| |v|); 0 where one is nothing.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let lengths = norm(a) * norm(b);
    if lengths > 0.0 { dot(a, b) / lengths } else { 0.0 }
}

/// How well one side finds the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Recall {
    /// Shares of queries with a hit among the first 1, 5 and 10.
    pub at: [f64; 3],
    /// Of each query the place of its first hit, from 1; ties with what is no hit stand before it.
    pub ranks: Vec<usize>,
    /// The middle of these; the mean of both middles where their number is even.
    pub median_rank: f64,
}

/// Where [`Recall::at`] is measured.
pub const RECALL_AT: [usize; 3] = [1, 5, 10];

/// Retrieval in both directions.
#[derive(Debug, Clone, PartialEq)]
pub struct Retrieval {
    pub image_to_text: Recall,
    pub text_to_image: Recall,
    /// Pairs whose report another pair has too, word by word.
    pub duplicates: usize,
}

/// Retrieval among n pairs of pictures and reports, `[n, d]` each, by cosine. Equal numbers in `report` `[n]` say that two reports are the
/// same text: then either is a hit.
///
/// # Errors
/// Lengths that do not fit; no pair.
pub fn retrieval(pictures: &[f32], texts: &[f32], d: usize, report: &[usize]) -> Result<Retrieval, MatchingError> {
    let n = report.len();
    if n == 0 || d == 0 {
        return Err(MatchingError::Empty);
    }
    length("the pictures' vectors", pictures.len(), n * d)?;
    length("the texts' vectors", texts.len(), n * d)?;
    let one_way = |queries: &[f32], answers: &[f32]| {
        let ranks: Vec<usize> =
            queries.chunks_exact(d).zip(report).map(|(query, own)| rank(query, own, answers, d, report)).collect();
        recall(ranks)
    };
    let duplicates = report.iter().filter(|own| report.iter().filter(|other| other == own).count() > 1).count();
    Ok(Retrieval { image_to_text: one_way(pictures, texts), text_to_image: one_way(texts, pictures), duplicates })
}

fn rank(query: &[f32], own: &usize, answers: &[f32], d: usize, report: &[usize]) -> usize {
    let scores: Vec<f64> = answers.chunks_exact(d).map(|answer| cosine(query, answer)).collect();
    let hits = scores.iter().zip(report).filter(|(_, other)| *other == own);
    let best = hits.map(|(score, _)| *score).fold(f64::NEG_INFINITY, f64::max);
    let before = scores
        .iter()
        .zip(report)
        .filter(|(score, other)| *other != own && score.partial_cmp(&&best) != Some(Ordering::Less));
    1 + before.count()
}

fn recall(ranks: Vec<usize>) -> Recall {
    let n = ranks.len();
    let within = |k: usize| ranks.iter().filter(|rank| **rank <= k).count() as f64 / n.max(1) as f64;
    let mut sorted = ranks.clone();
    sorted.sort_unstable();
    let at = |i: usize| sorted.get(i).copied().unwrap_or(0) as f64;
    let median_rank = (at(n.saturating_sub(1) / 2) + at(n / 2)) / 2.0;
    Recall { at: RECALL_AT.map(within), ranks, median_rank }
}

/// The structure accuracy that comes out of no picture at all: every text of a group `[n, 1 + K, d]` is compared with itself in f32, and
/// ties count as right. These similarities differ from 1 by rounding alone; earlier evaluation scripts of the article's authors did
/// this.
///
/// # Errors
/// Lengths that do not fit; no text.
pub fn self_comparison(texts: &[f32], d: usize, kinds: usize) -> Result<f64, MatchingError> {
    let each = (1 + kinds) * d;
    if texts.is_empty() || d == 0 {
        return Err(MatchingError::Empty);
    }
    length("the texts' vectors", texts.len(), texts.len() / each * each)?;
    let dot = |a: &[f32]| a.iter().map(|a| a * a).sum::<f32>();
    let itself = |text: &[f32]| {
        let length = dot(text).sqrt();
        f64::from(dot(&text.iter().map(|value| value / length).collect::<Vec<f32>>()))
    };
    let similarities: Vec<f64> = texts.chunks_exact(d).map(itself).collect();
    let none = vec![false; texts.len() / each * kinds];
    Ok(structure(&similarities, kinds, &none)?.paper_accuracy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_are_hits_and_ties_are_not() {
        // Pictures 0 and 1 share a report; picture 2 looks at two equal texts of which one is its own.
        let pictures = [1.0, 0.0, 0.8, 0.6, 0.0, 1.0];
        let texts = [0.8, 0.6, 1.0, 0.0, 0.8, 0.6];
        let found = retrieval(&pictures, &texts, 2, &[7, 7, 9]).unwrap();
        assert_eq!(found.image_to_text.ranks, [1, 2, 2]);
        assert_eq!((found.image_to_text.at, found.image_to_text.median_rank), ([1.0 / 3.0, 1.0, 1.0], 2.0));
        assert_eq!(found.duplicates, 2);
        assert_eq!(
            retrieval(&pictures, &texts[1..], 2, &[7, 7, 9]).unwrap_err().to_string(),
            "the texts' vectors holds 5 numbers, expected 6"
        );
    }

    #[test]
    fn a_model_that_only_judges_texts_does_not_fall_in_the_controls() {
        // Every picture has (1, 0) in its first half, which all originals have too; the second half tells pictures apart.
        let angle = |i: usize| (i as f32 * 1.9).sin_cos();
        let (mut pictures, mut fluent, mut seeing) = (Vec::new(), Vec::new(), Vec::new());
        for i in 0..6 {
            let (s, c) = angle(i);
            pictures.extend([1.0, 0.0, s, c]);
            fluent.extend([1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
            seeing.extend([0.0, 0.0, s, c, 0.0, 0.0, -s, -c]);
        }
        let judge = |texts: &[f32]| {
            let all = columns(&pictures, texts, 4, &[false; 6], &others(6, 0)).unwrap();
            [all.right.accuracy, all.wrong.accuracy, all.mean.accuracy]
        };
        assert_eq!(judge(&fluent), [1.0, 1.0, 1.0]);
        let [right, wrong, _] = judge(&seeing);
        assert!(right == 1.0 && wrong < 0.5, "{right} {wrong}");
        assert!((0..9).all(|step| others(7, step).iter().enumerate().all(|(i, other)| i != *other && *other < 7)));
    }
}
