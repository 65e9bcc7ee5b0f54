//! What a network makes of the test pairs: whether a report is told from its perturbations, and by what the image matters; content
//! edits; retrieval; grounding.

use crate::compute::streams;
use crate::engine::emit::Emit;
use crate::engine::event::Payload;
use crate::engine::experiment::RunError;
use crate::metrics::grounding::{Game, Pointing, Region, pointing};
use crate::metrics::matching::{Columns, MatchingError, Recall, Retrieval, columns, retrieval};
use crate::nn::image_text::local::Local;
use crate::text::edits::Edit;
use crate::text::perturb::{Perturbation, Perturbed};

use super::embed::{Embedder, Looks, Vectors, cosine};
use super::source::{Pair, PairData};
use super::texts::{PERTURBED, Texts};

/// The draw of perturbations that are measured with, apart from those of training.
pub const MEASURED: u64 = (1 << 24) - 1;

/// A test pair with what its report is told from.
#[derive(Debug, Clone)]
pub struct Candidates {
    /// Index into [`PairData::pairs`].
    pub pair: usize,
    pub perturbed: [Perturbed; PERTURBED],
    /// The edits of its content that are possible.
    edits: Vec<(Edit, Vec<String>)>,
}

impl Candidates {
    /// The report, then its perturbations.
    pub fn texts<'a>(&'a self, data: &'a PairData) -> impl Iterator<Item = &'a [String]> {
        let report = data.pairs[self.pair].words.as_slice();
        std::iter::once(report).chain(self.perturbed.iter().map(|perturbed| perturbed.words.as_slice()))
    }
}

/// The test pairs in the order in which they are measured.
#[derive(Debug, Clone)]
pub struct Evaluator {
    pub candidates: Vec<Candidates>,
    /// Pairs that are measured while the run goes on.
    count: usize,
    /// Which of the reports stand word for word among those to train on.
    seen: Vec<bool>,
    seed: u64,
}

/// What was found. Shares are 0 to 1.
#[derive(Debug, Clone)]
pub struct Evaluation {
    pub structure: Columns,
    /// Structure accuracy on reports that stand nowhere among those to train on; `None` where there are none.
    pub unique: Option<f64>,
    /// For each of [`Edit::ALL`]: how many, and how often the report is above with its image and with another one.
    pub edits: [(usize, f64, f64); Edit::ALL.len()],
    pub retrieval: Retrieval,
    /// For each finding word its game; the last one is of all.
    pub grounding: Vec<(String, Game)>,
}

/// What the network makes of the measured pairs, read from the device.
#[derive(Debug, Clone)]
pub struct Embedded {
    images: Vectors,
    /// Of each pair its report and its perturbations.
    candidates: Vectors,
    /// Of the possible edits, pair by pair.
    edits: Vectors,
    /// Of the pairs with findings.
    looks: Vec<Looks>,
}

impl Embedded {
    /// Whether every vector is one of numbers.
    pub fn is_finite(&self) -> bool {
        [&self.images, &self.candidates, &self.edits].iter().all(|vectors| vectors.is_finite())
    }
}

impl Evaluator {
    /// `count`: how many of the test pairs are measured while the run goes on.
    pub fn new(data: &PairData, texts: &Texts, count: usize, seed: u64) -> Self {
        let candidates = |&pair: &usize| {
            let words = &data.pairs[pair].words;
            let edits = Edit::ALL.into_iter().filter_map(|edit| Some((edit, edit.apply(words)?))).collect();
            Candidates { pair, perturbed: texts.perturbed(words, seed, pair as u64, MEASURED), edits }
        };
        let candidates: Vec<Candidates> = data.test.iter().map(candidates).collect();
        Self { count: count.min(candidates.len()), candidates, seen: data.seen(), seed }
    }

    /// The pairs that are measured; `all`: every test pair.
    fn measured(&self, all: bool) -> &[Candidates] {
        &self.candidates[..if all { self.candidates.len() } else { self.count }]
    }

    /// Runs the network over the pairs that are measured.
    pub fn embed(
        &self,
        embedder: &Embedder<'_>,
        data: &PairData,
        local: &Local,
        all: bool,
    ) -> Result<Embedded, RunError> {
        let measured = self.measured(all);
        let values = |pair: &Pair| -> Vec<f32> { pair.values().collect() };
        let pairs = measured.iter().map(|of| &data.pairs[of.pair]);
        let images: Vec<Vec<f32>> = pairs.clone().map(values).collect();
        let candidates: Vec<&[String]> = measured.iter().flat_map(|of| of.texts(data)).collect();
        let edits: Vec<&[String]> =
            measured.iter().flat_map(|of| of.edits.iter().map(|(_, words)| words.as_slice())).collect();
        let boxed: Vec<&Pair> = pairs.filter(|pair| !pair.mentions.is_empty()).collect();
        let reports: Vec<&[String]> = boxed.iter().map(|pair| pair.words.as_slice()).collect();
        let pictures: Vec<Vec<f32>> = boxed.into_iter().map(values).collect();
        Ok(Embedded {
            images: embedder.images(&images, data.size)?,
            candidates: embedder.texts(&candidates)?,
            edits: embedder.texts(&edits)?,
            looks: embedder.looks(&pictures, data.size, &reports, local)?,
        })
    }

    /// Measures what [`Evaluator::embed`] found.
    pub fn judge(&self, embedded: &Embedded, data: &PairData, all: bool) -> Result<Evaluation, RunError> {
        let measured = self.measured(all);
        let Embedded { images, candidates, edits, looks } = embedded;
        let edited: Vec<(usize, Edit)> =
            measured.iter().enumerate().flat_map(|(i, of)| of.edits.iter().map(move |(edit, _)| (i, *edit))).collect();
        let other = self.others(measured, data);
        let degenerate: Vec<bool> =
            measured.iter().flat_map(|of| of.perturbed.iter().map(|perturbed| perturbed.degenerate)).collect();
        let ((pictures, d), (all_texts, _)) = (images.rows(), candidates.rows());
        let structure = columns(pictures, all_texts, d, &degenerate, &other).map_err(unmeasured)?;
        let new: Vec<bool> = structure
            .right
            .correct
            .iter()
            .zip(&self.seen)
            .filter(|(_, seen)| !**seen)
            .map(|(correct, _)| *correct)
            .collect();
        let unique =
            (!new.is_empty()).then(|| new.iter().filter(|correct| **correct).count() as f64 / new.len() as f64);
        let report = |i: usize| candidates.row(i * (1 + PERTURBED));
        let found = Edit::ALL.map(|edit| {
            let of: Vec<usize> = (0..edited.len()).filter(|&k| edited[k].1 == edit).collect();
            let wins = |image: &dyn Fn(usize) -> usize| {
                let above = |k: &&usize| {
                    let i = edited[**k].0;
                    let image = images.row(image(i));
                    cosine(image, report(i)) > cosine(image, edits.row(**k))
                };
                of.iter().filter(above).count() as f64 / of.len() as f64
            };
            (of.len(), wins(&|i| i), wins(&|i| other[i]))
        });
        let reports: Vec<f32> = (0..measured.len()).flat_map(|i| report(i).iter().copied()).collect();
        let words = measured.iter().map(|of| &data.pairs[of.pair].words[..]);
        let retrieval = retrieval(pictures, &reports, d, &same(words)).map_err(unmeasured)?;
        let grounding = ground(measured, looks, data);
        Ok(Evaluation { structure, unique, edits: found, retrieval, grounding })
    }

    /// For each measured pair another one whose report is another, as far as there is one.
    fn others(&self, measured: &[Candidates], data: &PairData) -> Vec<usize> {
        let n = measured.len();
        let words = |i: usize| &data.pairs[measured[i].pair].words;
        let shift = 1 + streams::WRONG_IMAGES.open(self.seed, 0).below(n.saturating_sub(1).max(1));
        let other = |i: usize| {
            let next = |k: usize| (i + shift + k) % n;
            (0..n).map(next).find(|&j| j != i && words(j) != words(i)).unwrap_or_else(|| next(0))
        };
        (0..n).map(other).collect()
    }
}

/// How well the attention of words points at what they name, for each word; the last one is of all.
fn ground(measured: &[Candidates], looks: &[Looks], data: &PairData) -> Vec<(String, Game)> {
    let boxed = measured.iter().map(|of| &data.pairs[of.pair]).filter(|pair| !pair.mentions.is_empty());
    let mut found: Vec<(String, Vec<Pointing>)> = Vec::new();
    for (pair, looks) in boxed.zip(looks) {
        let [_, regions] = looks.shape;
        for mention in &pair.mentions {
            let Some(weights) = looks.weights.get(mention.word * regions..(mention.word + 1) * regions) else {
                continue;
            };
            let Some(pointing) = pointing(weights, looks.grid, &[region(mention.bounds)]) else { continue };
            let word = &pair.words[mention.word];
            match found.iter_mut().find(|(name, _)| name == word) {
                Some((_, of)) => of.push(pointing),
                None => found.push((word.clone(), vec![pointing])),
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    if found.is_empty() {
        return Vec::new();
    }
    let all: Vec<Pointing> = found.iter().flat_map(|(_, of)| of.iter().copied()).collect();
    let mut games: Vec<(String, Game)> = found.into_iter().map(|(word, of)| (word, Game::of(&of))).collect();
    games.push(("all".to_owned(), Game::of(&all)));
    games
}

fn unmeasured(error: MatchingError) -> RunError {
    RunError::Data(format!("the test pairs cannot be judged: {error}"))
}

/// A box as places.
pub fn region([left, top, right, bottom]: [f32; 4]) -> Region {
    let [left, top, right, bottom] = [left, top, right, bottom].map(f64::from);
    Region { left, top, right, bottom }
}

/// Equal numbers for equal texts.
pub fn same<'a>(texts: impl Iterator<Item = &'a [String]>) -> Vec<usize> {
    let mut known: std::collections::HashMap<&[String], usize> = std::collections::HashMap::new();
    texts.enumerate().map(|(i, text)| *known.entry(text).or_insert(i)).collect()
}

impl Evaluation {
    /// Says what was found.
    pub fn report(&self, out: &mut Emit<'_>) {
        let Columns { right, wrong, mean } = &self.structure;
        out.scalar("structure/accuracy", right.accuracy);
        out.scalar("structure/wrong_image", wrong.accuracy);
        out.scalar("structure/mean_image", mean.accuracy);
        out.scalar("structure/difference", right.accuracy - wrong.accuracy);
        out.scalar("structure/chance", right.chance);
        out.scalar("structure/ties_right", right.paper_accuracy);
        if let Some(unique) = self.unique {
            out.scalar("structure/unique", unique);
        }
        out.scalar("rank/mean", right.mean_rank);
        out.scalar("rank/reciprocal", right.reciprocal_rank);
        for (kind, win) in Perturbation::ALL.iter().zip(&right.wins) {
            if let Some(win) = win {
                out.scalar(&format!("win/{}", kind.id()), *win);
            }
        }
        let share = |win: Option<f64>| win.map_or(f32::NAN, |win| win as f32);
        let row = |k: usize| [right, wrong, mean].map(|column| share(column.wins.get(k).copied().flatten()));
        let mut values: Vec<f32> = (0..PERTURBED).flat_map(row).collect();
        values.extend([right, wrong, mean].map(|column| column.accuracy as f32));
        out.payload("structure/table", Payload::Matrix { rows: PERTURBED as u32 + 1, cols: 3, values });
        let mut values = Vec::new();
        for (edit, (count, win, other)) in Edit::ALL.iter().zip(&self.edits) {
            values.extend([*count as f32, *win as f32, *other as f32]);
            if *count > 0 {
                out.scalar(&format!("edit/{}", edit.id()), *win);
                out.scalar(&format!("edit_wrong/{}", edit.id()), *other);
            }
        }
        out.payload("edits/table", Payload::Matrix { rows: Edit::ALL.len() as u32, cols: 3, values });
        let Retrieval { image_to_text, text_to_image, .. } = &self.retrieval;
        for (way, Recall { at, median_rank, .. }) in
            [("report_of_image", image_to_text), ("image_of_report", text_to_image)]
        {
            for (name, value) in ["r1", "r5", "r10"].iter().zip(at) {
                out.scalar(&format!("retrieval/{way}/{name}"), *value);
            }
            out.scalar(&format!("retrieval/{way}/median"), *median_rank);
        }
        self.report_grounding(out);
    }

    fn report_grounding(&self, out: &mut Emit<'_>) {
        let Some((_, game)) = self.grounding.last() else { return };
        let numbers = [
            ("pointing", game.accuracy()),
            ("chance", game.chance),
            ("mass", game.mass),
            ("contrast", game.contrast_to_noise),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                out.scalar(&format!("grounding/{name}"), number);
            }
        }
        let percent = |share: Option<f64>| share.map_or("—".to_owned(), |share| format!("{:.1} %", 100.0 * share));
        let row = |(word, game): &(String, Game)| {
            vec![
                word.clone(),
                game.findings.to_string(),
                percent(game.accuracy()),
                percent(game.chance),
                percent(game.mass),
                game.contrast_to_noise.map_or("—".to_owned(), |contrast| format!("{contrast:.2}")),
            ]
        };
        let columns = ["word", "findings", "points at it", "by chance", "attention in box", "contrast to noise"];
        out.payload(
            "grounding/table",
            Payload::Table {
                columns: columns.map(str::to_owned).into(),
                rows: self.grounding.iter().map(row).collect(),
            },
        );
    }
}

/// Cosines of images (rows) and reports (columns).
pub fn similarities(images: &Vectors, reports: &Vectors) -> Vec<f32> {
    let row = |i: usize| (0..reports.count()).map(move |j| cosine(images.row(i), reports.row(j)) as f32);
    (0..images.count()).flat_map(row).collect()
}
