//! The nine rules of Table I as a check of any text, and that what the program draws follows them.

use learnscope::compute::rng::HostRng;
use learnscope::text::antonyms::Antonyms;
use learnscope::text::perturb::{Perturbation, all};
use learnscope::text::tags::{Tag, Tagger};

/// Whether a text could be this perturbation of a report.
pub fn satisfies(
    which: Perturbation,
    original: &[String],
    tags: &[Tag],
    antonyms: &Antonyms,
    perturbed: &[String],
) -> Result<(), String> {
    let n = original.len();
    let fail =
        |what: &str| Err(format!("{}: {what}: “{}” of “{}”", which.id(), perturbed.join(" "), original.join(" ")));
    if perturbed.len() != n || tags.len() != n {
        return fail("another number of words");
    }
    let slots = |wanted: &[Tag]| (0..n).filter(|at| wanted.contains(&tags[*at])).collect::<Vec<_>>();
    let all_places = || (0..n).collect::<Vec<_>>();
    let good = match which {
        Perturbation::ShuffleAll => moved_among(original, perturbed, &[all_places()]),
        Perturbation::SwapAdjacent => {
            let other = |at: usize| if at % 2 == 1 { at - 1 } else { at + 1 };
            (0..n).all(|at| perturbed[at] == original[if other(at) < n { other(at) } else { at }])
        }
        Perturbation::Reverse => perturbed.iter().eq(original.iter().rev()),
        Perturbation::WithinTrigrams => {
            let groups: Vec<Vec<usize>> = all_places().chunks(3).map(<[usize]>::to_vec).collect();
            moved_among(original, perturbed, &groups)
        }
        Perturbation::Trigrams => laid(&mut original.chunks(3).map(Some).collect::<Vec<_>>(), perturbed),
        Perturbation::NounsAdjectives => {
            moved_among(original, perturbed, &[slots(&[Tag::Noun]), slots(&[Tag::Adjective])])
        }
        Perturbation::AllButNounsAdjectives => moved_among(original, perturbed, &[slots(&[Tag::Verb, Tag::Other])]),
        Perturbation::NounsVerbsAdjectives => {
            moved_among(original, perturbed, &[slots(&[Tag::Noun, Tag::Verb, Tag::Adjective])])
        }
        Perturbation::Antonym => (0..n).all(|at| {
            let antonym = antonyms.of(&original[at]).filter(|_| tags[at] == Tag::Adjective);
            perturbed[at] == antonym.map_or(original[at].as_str(), |antonym| antonym.word)
        }),
    };
    if good { Ok(()) } else { fail("the rule does not allow it") }
}

/// Whether each list of places holds its own words, in any order, and every other place its word.
fn moved_among(original: &[String], perturbed: &[String], lists: &[Vec<usize>]) -> bool {
    let sorted = |words: &[String], places: &[usize]| {
        let mut words: Vec<&String> = places.iter().map(|at| &words[*at]).collect();
        words.sort();
        words.into_iter().cloned().collect::<Vec<_>>()
    };
    let moved = |at: &usize| lists.iter().any(|places| places.contains(at));
    lists.iter().all(|places| sorted(original, places) == sorted(perturbed, places))
        && (0..original.len()).filter(|at| !moved(at)).all(|at| original[at] == perturbed[at])
}

/// Whether a text is these groups one after another, each once, in any order.
fn laid(groups: &mut Vec<Option<&[String]>>, text: &[String]) -> bool {
    if text.is_empty() {
        return groups.iter().all(Option::is_none);
    }
    for at in 0..groups.len() {
        let fits = groups[at].filter(|group| text.starts_with(group) && !groups[..at].contains(&Some(group)));
        if let Some(group) = fits {
            groups[at] = None;
            if laid(groups, &text[group.len()..]) {
                return true;
            }
            groups[at] = Some(group);
        }
    }
    false
}

/// Reports of 1 to 60 words: of many words, of few, of nouns alone, without adjectives.
fn report(rng: &mut HostRng) -> (Vec<String>, Vec<Tag>) {
    const WORDS: &[&str] = &[
        "left",
        "right",
        "small",
        "clear",
        "lung",
        "effusion",
        "is",
        "seen",
        "no",
        "the",
        "of",
        "naïve",
        "肺",
        "œdème",
        "x-ray",
        "5",
        "xxxx",
        "unchanged",
        "ß",
        "normal",
    ];
    let words = match rng.below(3) {
        0 => WORDS,
        1 => &WORDS[..2],
        _ => &WORDS[..6],
    };
    let report: Vec<String> = (0..=rng.below(60)).map(|_| words[rng.below(words.len())].to_owned()).collect();
    let tags = match rng.below(4) {
        0 => vec![Tag::Noun; report.len()],
        1 => report.iter().map(|_| [Tag::Noun, Tag::Verb, Tag::Other][rng.below(3)]).collect(),
        2 => report.iter().map(|_| Tag::ALL[rng.below(4)]).collect(),
        _ => Tagger::new().tag(&report),
    };
    (report, tags)
}

#[test]
fn random_reports_are_perturbed_by_the_rules() {
    let mut rng = HostRng::new(11, 0);
    let antonyms = Antonyms::new();
    for number in 0..3000 {
        let (words, tags) = report(&mut rng);
        let perturbed = all(&words, &tags, &antonyms, 5, number, 0);
        for (which, perturbed) in Perturbation::ALL.into_iter().zip(perturbed) {
            satisfies(which, &words, &tags, &antonyms, &perturbed.words).unwrap();
            assert_eq!(perturbed.degenerate, perturbed.words == words, "{which:?} of {words:?}");
            let mut from = perturbed.from.clone();
            from.sort_unstable();
            assert!(from.into_iter().eq(0..words.len()), "{which:?} of {words:?}");
            for (at, word) in perturbed.words.iter().enumerate() {
                assert_eq!(perturbed.replaced[at], *word != words[perturbed.from[at]], "{which:?} of {words:?}");
            }
        }
    }
}
