//! Golden cases of reports: normalised text, classes of words, perturbations, words of pieces.

use std::collections::{BTreeMap, BTreeSet};

use learnscope::text::antonyms::Antonyms;
use learnscope::text::perturb::{Perturbation, Perturbed, all};
use learnscope::text::tags::{Tag, Tagger};
use learnscope::text::wordpiece::{Pieces, SPECIAL};
use learnscope::text::words::{Marks, normalise, words};
use serde_json::Value;

use super::Report;
use super::image_report_cases::{each, known};
use super::perturbation_rules::satisfies;
use super::values::{field, list, switch, text, whole};

/// What share of the words has to have an accepted class.
const TAGS: f64 = 0.95;
/// How often what chance decides is drawn.
const DRAWS: u64 = 40;

/// The hand-tagged sentences, and the share of their words that the tagger classes as accepted.
pub fn sentences(cases: &Value, file: &Value, report: &mut Report) {
    let (mut right, mut of) = (0.0, 0.0);
    let mut wrong = Vec::new();
    each("sentences", cases, report, |case, _| {
        let sentence = Sentence::read(case, file)?;
        let accepted = list(case, "accepted_tags")?;
        for ((tag, word), accepted) in Tagger::new().tag(&sentence.words).iter().zip(&sentence.words).zip(accepted) {
            let good = accepted.as_array().is_some_and(|tags| tags.iter().any(|accepted| accepted == tag.id()));
            right += f64::from(u8::from(good));
            of += 1.0;
            if !good {
                wrong.push(format!("{word} is {} in “{}”", tag.id(), sentence.words.join(" ")));
            }
        }
        let ambiguous = places(case, "ambiguous_positions")?;
        let several = |at: &usize| accepted.get(*at).and_then(Value::as_array).is_some_and(|tags| tags.len() > 1);
        same("words of several classes", &(0..accepted.len()).filter(several).collect::<Vec<_>>(), &ambiguous)?;
        sentence.check(case)
    });
    let share = right / of;
    if share.is_nan() || share < TAGS {
        report.fail(format!("{:.1} % of the words have an accepted class: {}", 100.0 * share, wrong.join("; ")));
    }
    report.case(&format!("file with {:.1} % of its words in an accepted class", 100.0 * share));
}

/// Table I: what stands there follows the rules, and what the rules leave no choice is what stands there.
pub fn table_i(case: &Value, file: &Value, _: &mut Report) -> Result<(), String> {
    known(case, &["original", "table_outputs", "use"])?;
    let words = split(text(case, "original")?);
    let tags = Tagger::new().tag(&words);
    let antonyms = antonyms_of(file)?;
    let printed = field(case, "table_outputs")?;
    for (which, ours) in Perturbation::ALL.into_iter().zip(all(&words, &tags, &antonyms, 1, 1, 1)) {
        let printed = split(text(printed, which.id())?);
        satisfies(which, &words, &tags, &antonyms, &printed)?;
        if matches!(which, Perturbation::SwapAdjacent | Perturbation::Reverse | Perturbation::Antonym) {
            same(which.id(), &ours.words, &printed)?;
        }
    }
    Ok(())
}

/// The article's normalisation, cut to the first words.
pub fn pre_caption(case: &Value, _: &mut Report) -> Result<(), String> {
    known(case, &["raw", "max_words", "out"])?;
    let (most, wanted) = (whole(case, "max_words")?, text(case, "out")?);
    let plain = normalise(text(case, "raw")?);
    let ours: Vec<&str> = plain.split(' ').take(most).collect();
    same("normalised text", &ours.join(" "), &wanted.to_owned())?;
    // The words that are used are these, without commas at their ends.
    let without: Vec<String> = plain.split(' ').map(|word| word.trim_matches(',').to_owned()).collect();
    let used: Vec<String> =
        without.into_iter().filter(|word| word.contains(char::is_alphanumeric)).take(most).collect();
    same("words", &words(text(case, "raw")?, most, Marks::Kept).words, &used)
}

/// Which perturbations of a short text cannot read differently.
pub fn degenerate(case: &Value, file: &Value, _: &mut Report) -> Result<(), String> {
    known(case, &["text", "degenerate"])?;
    let words = split(text(case, "text")?);
    let wanted = field(case, "degenerate")?;
    let perturbed = all(&words, &Tagger::new().tag(&words), &antonyms_of(file)?, 1, 1, 1);
    for (which, ours) in Perturbation::ALL.into_iter().zip(perturbed) {
        same(which.id(), &ours.degenerate, &switch(wanted, which.id())?)?;
        same(which.id(), &(ours.words == words), &ours.degenerate)?;
    }
    Ok(())
}

/// Which pieces are of which word, with a vocabulary of the case's pieces.
pub fn groups_of_pieces(case: &Value, _: &mut Report) -> Result<(), String> {
    known(case, &["tokens", "embeddings", "words", "groups", "word_mean", "word_sum_gloria"])?;
    let tokens = texts(list(case, "tokens")?)?;
    let words = texts(list(case, "words")?)?;
    let mut vocab: Vec<String> = SPECIAL.map(str::to_owned).to_vec();
    for token in &tokens {
        if !vocab.contains(token) {
            vocab.push(token.clone());
        }
    }
    let pieces = Pieces::from_vocab(&vocab.join("\n")).map_err(|error| error.to_string())?;
    let encoded = pieces.encode(&words, tokens.len());
    let ours: Vec<&str> = encoded.ids.iter().map(|id| pieces.vocab()[usize::try_from(*id).unwrap()].as_str()).collect();
    let padded = ours.iter().copied().chain(std::iter::repeat(SPECIAL[0])).take(tokens.len());
    same("pieces", &padded.map(str::to_owned).collect(), &tokens)?;
    let of = |word| (0..ours.len()).filter(|at| encoded.word_of[*at] == Some(word)).collect::<Vec<_>>();
    let groups: Result<Vec<_>, _> = list(case, "groups")?.iter().map(indices).collect();
    same("groups", &(0..encoded.words_kept).map(of).collect(), &groups?)
}

/// A sentence with the classes and antonyms that the case gives.
struct Sentence {
    words: Vec<String>,
    tags: Vec<Tag>,
    antonyms: Antonyms,
}

impl Sentence {
    fn read(case: &Value, file: &Value) -> Result<Self, String> {
        let keys = [
            "text",
            "accepted_tags",
            "primary_tag",
            "ambiguous_positions",
            "reverse",
            "swap_adjacent",
            "antonym",
            "antonym_changed_positions",
            "antonym_degenerate",
            "trigram_groups",
            "invariants",
            "multiset",
        ];
        known(case, &keys)?;
        let words = words(text(case, "text")?, 1000, Marks::Kept).words;
        same("words", &words, &split(text(case, "text")?))?;
        let tag = |id: &String| Tag::from_id(id).ok_or_else(|| format!("{id} is no class of words"));
        let tags = texts(list(case, "primary_tag")?)?.iter().map(tag).collect::<Result<Vec<_>, _>>()?;
        same("classes", &tags.len(), &words.len())?;
        same("accepted classes", &list(case, "accepted_tags")?.len(), &words.len())?;
        Ok(Self { words, tags, antonyms: antonyms_of(file)? })
    }

    fn check(&self, case: &Value) -> Result<(), String> {
        for draw in 0..DRAWS {
            let perturbed = all(&self.words, &self.tags, &self.antonyms, 1, 1, draw);
            for (which, perturbed) in Perturbation::ALL.into_iter().zip(&perturbed) {
                satisfies(which, &self.words, &self.tags, &self.antonyms, &perturbed.words)?;
                self.check_one(case, which, perturbed).map_err(|message| format!("{}: {message}", which.id()))?;
            }
        }
        Ok(())
    }

    /// What the case says of one perturbation.
    fn check_one(&self, case: &Value, which: Perturbation, perturbed: &Perturbed) -> Result<(), String> {
        if which != Perturbation::Antonym {
            let counts = perturbed.words.iter().fold(BTreeMap::<&str, u64>::new(), |mut counts, word| {
                *counts.entry(word).or_default() += 1;
                counts
            });
            same("words", &serde_json::json!(counts), field(case, "multiset")?)?;
        }
        match which {
            Perturbation::Reverse | Perturbation::SwapAdjacent => {
                same("text", &perturbed.words, &split(text(case, which.id())?))
            }
            Perturbation::Antonym => {
                same("text", &perturbed.words, &split(text(case, "antonym")?))?;
                let changed: Vec<usize> = (0..perturbed.replaced.len()).filter(|at| perturbed.replaced[*at]).collect();
                same("replaced words", &changed, &places(case, "antonym_changed_positions")?)?;
                same("degenerate", &perturbed.degenerate, &switch(case, "antonym_degenerate")?)
            }
            Perturbation::WithinTrigrams | Perturbation::Trigrams => {
                let groups: Result<Vec<_>, _> = list(case, "trigram_groups")?.iter().map(indices).collect();
                self.check_groups(which, perturbed, &groups?)
            }
            _ => self.check_slots(field(field(case, "invariants")?, which.id())?, perturbed),
        }
    }

    /// The groups that the case names: their words stay in them, or they stay as they are.
    fn check_groups(&self, which: Perturbation, perturbed: &Perturbed, groups: &[Vec<usize>]) -> Result<(), String> {
        let from = &perturbed.from;
        if which == Perturbation::WithinTrigrams {
            let inside = |group: &Vec<usize>| group.iter().map(|at| from[*at]).collect::<BTreeSet<_>>();
            let wanted = groups.iter().map(|group| group.iter().copied().collect()).collect::<Vec<BTreeSet<usize>>>();
            return same("groups", &groups.iter().map(inside).collect(), &wanted);
        }
        let whole = |group: &&Vec<usize>| from.windows(group.len()).any(|run| run == group.as_slice());
        same("whole groups", &groups.iter().filter(whole).count(), &groups.len())
    }

    /// The places that the case names: what is fixed stays, what may move stays among its places.
    fn check_slots(&self, slots: &Value, perturbed: &Perturbed) -> Result<(), String> {
        for (name, places) in slots.as_object().ok_or("the invariants are no object")? {
            let places = indices(places)?;
            let words = |list: &[String]| places.iter().map(|at| list[*at].clone()).collect::<Vec<_>>();
            let (mut ours, mut original) = (words(&perturbed.words), words(&self.words));
            match name.as_str() {
                "fixed" => {}
                "movable" | "noun_slots" | "adj_slots" => {
                    ours.sort();
                    original.sort();
                }
                _ => return Err(format!("`{name}` is an invariant that nobody knows")),
            }
            same(name, &ours, &original)?;
        }
        Ok(())
    }
}

/// The antonyms of a file, and no others.
fn antonyms_of(file: &Value) -> Result<Antonyms, String> {
    let mut antonyms = Antonyms::own_alone();
    for (word, antonym) in field(file, "antonym_lexicon")?.as_object().ok_or("`antonym_lexicon` is no object")? {
        let antonym = antonym.as_str().ok_or_else(|| format!("the antonym of {word} is no text"))?;
        same(word, &Antonyms::new().of(word).map(|ours| ours.word.to_owned()), &Some(antonym.to_owned()))?;
        antonyms.set(word, Some(antonym));
    }
    Ok(antonyms)
}

fn split(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn texts(list: &[Value]) -> Result<Vec<String>, String> {
    list.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(|| format!("{item} is no text"))).collect()
}

fn places(case: &Value, key: &str) -> Result<Vec<usize>, String> {
    indices(field(case, key)?)
}

fn indices(list: &Value) -> Result<Vec<usize>, String> {
    let index = |item: &Value| item.as_u64().and_then(|index| usize::try_from(index).ok());
    let list = list.as_array().ok_or_else(|| format!("{list} is no list"))?;
    list.iter().map(|item| index(item).ok_or_else(|| format!("{item} is no place"))).collect()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, ours: &T, wanted: &T) -> Result<(), String> {
    if ours == wanted { Ok(()) } else { Err(format!("{what}: {ours:?} where {wanted:?} was expected")) }
}
