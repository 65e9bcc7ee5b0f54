//! The nine perturbations of a report (Table I of the article).
//!
//! Seven of them draw a rearrangement by chance, again until it reads differently from the report. Whether there is
//! one at all is decided exactly, never by trying: what may change places can be arranged differently if and only if
//! moving it on by one place, the first to the end, reads differently. For words: were it the same, each word would
//! equal the next. For trigrams: two texts that read the same in either order are repetitions of one text, and that
//! of the first trigram has one word or three, so that all trigrams are equal. That arrangement is taken where chance
//! has met no other one.

use super::antonyms::Antonyms;
use super::tags::Tag;
use crate::compute::rng::HostRng;
use crate::compute::streams;

/// How often an arrangement is drawn anew where it reads like the report.
const TRIES: usize = 20;

/// One of the nine rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Perturbation {
    /// All words in any order.
    ShuffleAll,
    /// The first and the second word change places, the third and the fourth, and so on.
    SwapAdjacent,
    /// The last word first.
    Reverse,
    /// Groups of three words, from the left; each group's words in any order.
    WithinTrigrams,
    /// The same groups in any order, each as it is.
    Trigrams,
    /// Nouns among the places of nouns, and adjectives among those of adjectives.
    NounsAdjectives,
    /// All words that are neither noun nor adjective among their places.
    AllButNounsAdjectives,
    /// Nouns, verbs and adjectives together among their places.
    NounsVerbsAdjectives,
    /// Each adjective that has an antonym is replaced by it.
    Antonym,
}

/// A perturbed report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Perturbed {
    /// Its words, as many as the report has.
    pub words: Vec<String>,
    /// Where in the report each word stood; its own place where words are replaced.
    pub from: Vec<usize>,
    /// Which words are not of the report but antonyms.
    pub replaced: Vec<bool>,
    /// Whether it reads like the report because nothing else is possible. Such a one is no negative.
    pub degenerate: bool,
}

impl Perturbation {
    /// All nine in the order of Table I, which is that of everything measured by perturbation.
    pub const ALL: [Self; 9] = [
        Self::ShuffleAll,
        Self::SwapAdjacent,
        Self::Reverse,
        Self::WithinTrigrams,
        Self::Trigrams,
        Self::NounsAdjectives,
        Self::AllButNounsAdjectives,
        Self::NounsVerbsAdjectives,
        Self::Antonym,
    ];

    /// Its name in recordings and files.
    pub fn id(self) -> &'static str {
        match self {
            Self::ShuffleAll => "shuffle_all",
            Self::SwapAdjacent => "swap_adjacent",
            Self::Reverse => "reverse",
            Self::WithinTrigrams => "within_trigrams",
            Self::Trigrams => "trigrams",
            Self::NounsAdjectives => "nouns_adj",
            Self::AllButNounsAdjectives => "all_but_nouns_adj",
            Self::NounsVerbsAdjectives => "nouns_verbs_adj",
            Self::Antonym => "antonym",
        }
    }

    /// Its name in Table I.
    pub fn title(self) -> &'static str {
        match self {
            Self::ShuffleAll => "Shuffle All Words",
            Self::SwapAdjacent => "Swap Adjacent Words",
            Self::Reverse => "Reverse Sentence",
            Self::WithinTrigrams => "Shuffle Within Trigrams",
            Self::Trigrams => "Shuffle Trigrams",
            Self::NounsAdjectives => "Shuffle Nouns and Adjectives",
            Self::AllButNounsAdjectives => "Shuffle All but Nouns and Adjectives",
            Self::NounsVerbsAdjectives => "Shuffle Nouns, Verbs, and Adjectives",
            Self::Antonym => "Replace Adjectives with Antonyms",
        }
    }

    /// Its rule in a sentence.
    pub fn help(self) -> &'static str {
        match self {
            Self::ShuffleAll => "All words in any order.",
            Self::SwapAdjacent => {
                "Words 1 and 2 change places, 3 and 4, and so on; an odd last word stays. Twice gives the report again."
            }
            Self::Reverse => "The words from the last to the first. Twice gives the report again.",
            Self::WithinTrigrams => {
                "Groups of three words from the left; inside each group the words come in any order."
            }
            Self::Trigrams => "Groups of three words from the left; the groups come in any order, each as it is.",
            Self::NounsAdjectives => {
                "Nouns change places with nouns, and adjectives with adjectives; every other word stays."
            }
            Self::AllButNounsAdjectives => "Nouns and adjectives stay; all other words change places with each other.",
            Self::NounsVerbsAdjectives => {
                "Nouns, verbs and adjectives change places, whichever with whichever; every other word stays."
            }
            Self::Antonym => {
                "Each adjective with an antonym is replaced by it. The only rule that does not keep the words."
            }
        }
    }
}

/// One perturbation of a report. `tags` are the classes of `words`; a word without one counts as
/// [`Tag::Other`].
pub fn perturb(
    words: &[String],
    tags: &[Tag],
    antonyms: &Antonyms,
    which: Perturbation,
    rng: &mut HostRng,
) -> Perturbed {
    let n = words.len();
    let tag = |at: usize| tags.get(at).copied().unwrap_or(Tag::Other);
    let of = |wanted: &[Tag]| (0..n).filter(|at| wanted.contains(&tag(*at))).collect::<Vec<_>>();
    let trigrams = || (0..n).collect::<Vec<_>>().chunks(3).map(<[usize]>::to_vec).collect::<Vec<_>>();
    match which {
        Perturbation::ShuffleAll => drawn(words, &Movable::Words(vec![(0..n).collect()]), rng),
        Perturbation::SwapAdjacent => arranged(words, (0..n).map(|at| if at ^ 1 < n { at ^ 1 } else { at }).collect()),
        Perturbation::Reverse => arranged(words, (0..n).rev().collect()),
        Perturbation::WithinTrigrams => drawn(words, &Movable::Words(trigrams()), rng),
        Perturbation::Trigrams => drawn(words, &Movable::Groups(trigrams()), rng),
        Perturbation::NounsAdjectives => {
            drawn(words, &Movable::Words(vec![of(&[Tag::Noun]), of(&[Tag::Adjective])]), rng)
        }
        Perturbation::AllButNounsAdjectives => drawn(words, &Movable::Words(vec![of(&[Tag::Verb, Tag::Other])]), rng),
        Perturbation::NounsVerbsAdjectives => {
            drawn(words, &Movable::Words(vec![of(&[Tag::Noun, Tag::Verb, Tag::Adjective])]), rng)
        }
        Perturbation::Antonym => with_antonyms(words, tags, antonyms),
    }
}

/// All nine perturbations of a report, in the order of [`Perturbation::ALL`].
///
/// `report` is a number that stays with the report, `draw` counts how often it is perturbed (by epoch, say). Each
/// perturbation of each draw has a stream of random numbers of its own, so the result depends on nothing else.
pub fn all(words: &[String], tags: &[Tag], antonyms: &Antonyms, seed: u64, report: u64, draw: u64) -> [Perturbed; 9] {
    Perturbation::ALL.map(|which| {
        let mut rng = streams::PERTURBATIONS.open(seed, stream_of(report, which, draw));
        perturb(words, tags, antonyms, which, &mut rng)
    })
}

/// Which stream of [`streams::PERTURBATIONS`] a perturbation has: 4 bits say which of the nine, 30 which report, 24
/// which draw. Larger numbers of reports and draws begin again at 0.
fn stream_of(report: u64, which: Perturbation, draw: u64) -> u64 {
    (draw % (1 << 24)) << 34 | (report % (1 << 30)) << 4 | which as u64
}

/// What may change places.
enum Movable {
    /// Words among their places, in each list by itself.
    Words(Vec<Vec<usize>>),
    /// Whole groups.
    Groups(Vec<Vec<usize>>),
}

impl Movable {
    /// The report's places in a new order; `arrange` puts each list of places, or of groups, into an order.
    fn arranged(&self, n: usize, mut arrange: impl FnMut(&mut [usize])) -> Vec<usize> {
        match self {
            Self::Words(lists) => {
                let mut from: Vec<usize> = (0..n).collect();
                for places in lists {
                    let mut sources = places.clone();
                    arrange(&mut sources);
                    for (place, source) in places.iter().zip(sources) {
                        if let Some(slot) = from.get_mut(*place) {
                            *slot = source;
                        }
                    }
                }
                from
            }
            Self::Groups(groups) => {
                let mut order: Vec<usize> = (0..groups.len()).collect();
                arrange(&mut order);
                order.iter().filter_map(|at| groups.get(*at)).flatten().copied().collect()
            }
        }
    }
}

/// One place on: the first goes to the end.
fn move_on(list: &mut [usize]) {
    let steps = list.len().min(1);
    list.rotate_left(steps);
}

/// An arrangement by chance that reads differently, where there is one.
fn drawn(words: &[String], movable: &Movable, rng: &mut HostRng) -> Perturbed {
    let moved_on = arranged(words, movable.arranged(words.len(), move_on));
    if moved_on.degenerate {
        return arranged(words, (0..words.len()).collect());
    }
    for _ in 0..TRIES {
        let perturbed = arranged(words, movable.arranged(words.len(), |list| rng.shuffle(list)));
        if !perturbed.degenerate {
            return perturbed;
        }
    }
    moved_on
}

/// The report with its words in the order `from`, which holds each place once.
fn arranged(words: &[String], from: Vec<usize>) -> Perturbed {
    let moved: Vec<String> = from.iter().filter_map(|at| words.get(*at)).cloned().collect();
    let degenerate = moved == words;
    Perturbed { words: moved, replaced: vec![false; from.len()], from, degenerate }
}

/// The report with an antonym for each adjective that has one.
fn with_antonyms(words: &[String], tags: &[Tag], antonyms: &Antonyms) -> Perturbed {
    let other = |at: usize, word: &String| {
        let adjective = tags.get(at) == Some(&Tag::Adjective);
        let antonym = adjective.then(|| antonyms.of(word)).flatten();
        antonym.map(|antonym| antonym.word.to_owned())
    };
    let antonyms: Vec<Option<String>> = words.iter().enumerate().map(|(at, word)| other(at, word)).collect();
    let replaced: Vec<bool> = antonyms.iter().map(Option::is_some).collect();
    let words = antonyms.into_iter().zip(words).map(|(antonym, word)| antonym.unwrap_or_else(|| word.clone()));
    Perturbed {
        words: words.collect(),
        from: (0..replaced.len()).collect(),
        degenerate: !replaced.contains(&true),
        replaced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn report(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// Every order of the places 0 to `n - 1`.
    fn orders(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![Vec::new()];
        }
        let insert = |order: &Vec<usize>, at: usize| {
            let mut longer = order.clone();
            longer.insert(at, n - 1);
            longer
        };
        orders(n - 1).iter().flat_map(|order| (0..n).map(move |at| insert(order, at))).collect()
    }

    #[test]
    fn degenerate_is_said_where_no_order_reads_differently_and_nowhere_else() {
        // Every report of up to 7 words out of two, and for the groups up to 12 words.
        for n in 0..=12_usize {
            for number in 0..1_u32 << n {
                let words: Vec<String> =
                    (0..n).map(|at| if number >> at & 1 == 0 { "a" } else { "b" }.to_owned()).collect();
                let said = |which| {
                    let mut rng = streams::PERTURBATIONS.open(1, u64::from(number));
                    let perturbed = perturb(&words, &vec![Tag::Noun; n], &Antonyms::new(), which, &mut rng);
                    assert_eq!(perturbed.degenerate, perturbed.words == words, "{which:?} {words:?}");
                    perturbed.degenerate
                };
                let groups: Vec<&[String]> = words.chunks(3).collect();
                let other =
                    orders(groups.len()).iter().any(|order| order.iter().flat_map(|at| groups[*at]).ne(words.iter()));
                assert_eq!(said(Perturbation::Trigrams), !other, "{words:?}");
                let differ = |words: &[String]| words.iter().collect::<BTreeSet<_>>().len() > 1;
                assert_eq!(said(Perturbation::ShuffleAll), !differ(&words), "{words:?}");
                assert_eq!(said(Perturbation::NounsAdjectives), !differ(&words), "{words:?}");
                assert_eq!(said(Perturbation::WithinTrigrams), !groups.iter().any(|group| differ(group)), "{words:?}");
                assert!(said(Perturbation::AllButNounsAdjectives) && said(Perturbation::Antonym));
            }
        }
    }

    #[test]
    fn moving_on_takes_the_first_to_the_end() {
        let last = Movable::Groups(vec![vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
        assert_eq!(last.arranged(7, move_on), [3, 4, 5, 6, 0, 1, 2]);
        assert_eq!(Movable::Words(vec![Vec::new(), vec![1, 3, 4]]).arranged(5, move_on), [0, 3, 2, 4, 1]);
    }

    #[test]
    fn a_perturbation_depends_on_its_report_and_draw_alone() {
        let words = report("the lungs are clear there is no pleural effusion or pneumothorax in the left base");
        let tags = super::super::tags::Tagger::new().tag(&words);
        let draw = |seed, report, draw| all(&words, &tags, &Antonyms::new(), seed, report, draw);
        let [one, again] = [draw(3, 7, 2), draw(3, 7, 2)];
        assert_eq!(one, again);
        for other in [draw(4, 7, 2), draw(3, 8, 2), draw(3, 7, 3), draw(3, 7, u64::MAX), draw(3, u64::MAX, 2)] {
            assert_ne!(one[0], other[0]);
            assert_eq!((&one[1], &one[2], &one[8]), (&other[1], &other[2], &other[8]));
        }
        let streams: BTreeSet<u64> = (0..5)
            .flat_map(|draw| (0..5).map(move |report| (report, draw)))
            .flat_map(|(report, draw)| Perturbation::ALL.map(|which| stream_of(report, which, draw)))
            .collect();
        assert_eq!(streams.len(), 5 * 5 * 9);
        assert!(stream_of(u64::MAX, Perturbation::Antonym, u64::MAX) < 1 << 58);
    }

    #[test]
    fn words_say_where_they_stood() {
        let words = report("a small left effusion and no small nodule");
        let tags = super::super::tags::Tagger::new().tag(&words);
        for (which, perturbed) in Perturbation::ALL.iter().zip(all(&words, &tags, &Antonyms::new(), 1, 1, 1)) {
            let mut places = perturbed.from.clone();
            places.sort_unstable();
            assert_eq!(places, (0..words.len()).collect::<Vec<_>>());
            for (at, word) in perturbed.words.iter().enumerate() {
                assert_eq!(perturbed.replaced[at], *word != words[perturbed.from[at]], "{which:?}");
            }
        }
    }
}
