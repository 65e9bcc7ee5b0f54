//! The classes of a word by itself: the lexicon, inflected forms of what it holds, and endings.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::{Classes, Tag};
use Tag::{Adjective, Noun, Other, Verb};

/// What a lower-case word may be.
pub(super) fn classes(word: &str) -> Classes {
    known(word).or_else(|| of_number(word)).or_else(|| of_compound(word)).unwrap_or_else(|| simple(word))
}

/// What a word without parts may be.
fn simple(word: &str) -> Classes {
    known(word).or_else(|| inflected(word)).or_else(|| prefixed(word)).unwrap_or_else(|| by_ending(word))
}

/// The lexicon by word.
fn lexicon() -> &'static HashMap<&'static str, Classes> {
    static LEXICON: OnceLock<HashMap<&'static str, Classes>> = OnceLock::new();
    LEXICON.get_or_init(|| {
        let tag = |letter| Tag::ALL.into_iter().find(|tag| tag.letter() == letter);
        let mut words = HashMap::new();
        for line in include_str!("../lexicon.txt").lines().filter(|line| !line.starts_with('#')) {
            let mut parts = line.split_whitespace();
            let mut letters = parts.next().unwrap_or_default().chars();
            let Some(first) = letters.next().and_then(tag) else { continue };
            let also = letters.next().and_then(tag);
            // What describes and ends in -ed may tell as well: `has increased`.
            let participle = |word: &str| (first == Adjective && word.ends_with("ed")).then_some(Verb);
            words.extend(parts.map(|word| (word, Classes { tag: first, also: also.or_else(|| participle(word)) })));
        }
        words
    })
}

fn known(word: &str) -> Option<Classes> {
    lexicon().get(word).copied()
}

/// Numbers, ordinals (`8th`) and names with numbers (`t12`).
fn of_number(word: &str) -> Option<Classes> {
    let first_digit = word.find(|character: char| character.is_numeric())?;
    let ordinal = ["1st", "2nd", "3rd"].iter().any(|end| word.ends_with(end))
        || word.strip_suffix("th").is_some_and(|number| number.ends_with(char::is_numeric));
    Some(Classes::one(match first_digit {
        0 if ordinal => Adjective,
        0 => Other,
        _ => Noun,
    }))
}

/// `right-sided`, `air/fluid`: as the last part, and a verb or participle describes (`air-filled`). `patient's` is as
/// `patient`.
fn of_compound(word: &str) -> Option<Classes> {
    let last = word.rsplit(['-', '/', '–']).find(|part| !part.is_empty())?;
    if let Some(owner) = last.strip_suffix("'s").or_else(|| last.strip_suffix("’s")) {
        return Some(Classes::one(simple(owner).tag));
    }
    let Classes { tag, also } = simple(last);
    let describes = tag == Verb || also == Some(Adjective);
    (last.len() < word.len()).then_some(Classes::one(if describes { Adjective } else { tag }))
}

/// Forms of the words of the lexicon: plurals, forms of verbs, comparatives.
fn inflected(word: &str) -> Option<Classes> {
    let stem = |end: &str| word.strip_suffix(end).filter(|stem| stem.len() >= 2);
    let verb =
        |stems: Vec<String>| stems.iter().find(|stem| known(stem).is_some_and(|base| base.may_be(Verb))).is_some();
    if stem("ed").is_some_and(|short| verb(stems(short))) {
        return Some(Classes::two(Verb, Adjective));
    }
    if stem("ing").is_some_and(|short| verb(stems(short))) {
        return Some(Classes::two(Verb, Noun));
    }
    if let Some(short) = stem("er").or_else(|| stem("est")) {
        let adjective = |stem: &String| known(stem).is_some_and(|base| base.tag == Adjective);
        return stems(short).iter().any(adjective).then_some(Classes::one(Adjective));
    }
    let short = stem("s")?;
    let mut bases = vec![short.to_owned()];
    bases.extend(word.strip_suffix("ies").map(|short| format!("{short}y")));
    bases.extend(word.strip_suffix("es").map(str::to_owned));
    bases.iter().find_map(|base| known(base)).filter(|base| matches!(base.tag, Noun | Verb))
}

/// What may stand before -ed, -ing and -er: `not(ed)` of `note`, `identifi(ed)` of `identify`, `plann(ed)` of `plan`.
fn stems(short: &str) -> Vec<String> {
    let mut stems = vec![short.to_owned(), format!("{short}e")];
    stems.extend(short.strip_suffix('i').map(|start| format!("{start}y")));
    let mut end = short.chars().rev();
    if end.next() == end.next() {
        stems.extend(short.char_indices().next_back().map(|(at, _)| short[..at].to_owned()));
    }
    stems
}

/// `nonobstructive`, `hemidiaphragm`: as what stands behind the prefix.
fn prefixed(word: &str) -> Option<Classes> {
    const PREFIXES: &[&str] = &[
        "non", "un", "re", "sub", "supra", "infra", "retro", "peri", "para", "pre", "post", "inter", "intra", "extra",
        "trans", "hemi", "semi", "hyper", "hypo", "multi", "micro", "macro", "bi", "cardio", "costo", "broncho",
        "pneumo", "hydro", "over", "under", "mid", "pseudo", "osteo", "radio",
    ];
    let rest = PREFIXES.iter().filter_map(|prefix| word.strip_prefix(prefix)).filter(|rest| rest.len() >= 4);
    rest.into_iter().find_map(|rest| known(rest).or_else(|| inflected(rest)))
}

/// Endings of words that are not in the lexicon; the first that fits counts.
const ENDINGS: &[(&str, Classes)] = &[
    ("ly", Classes::one(Other)),
    ("wards", Classes::one(Other)),
    ("wise", Classes::one(Other)),
    // Nouns whose ends look like those of adjectives.
    ("ment", Classes::one(Noun)),
    ("ality", Classes::one(Noun)),
    ("ity", Classes::one(Noun)),
    ("ery", Classes::one(Noun)),
    ("omy", Classes::one(Noun)),
    ("phy", Classes::one(Noun)),
    ("psy", Classes::one(Noun)),
    ("ogy", Classes::one(Noun)),
    ("thy", Classes::one(Noun)),
    ("sty", Classes::one(Noun)),
    ("megaly", Classes::one(Noun)),
    ("ancy", Classes::one(Noun)),
    ("ency", Classes::one(Noun)),
    // Adjectives.
    ("al", Classes::one(Adjective)),
    ("ic", Classes::one(Adjective)),
    ("ous", Classes::one(Adjective)),
    ("ary", Classes::one(Adjective)),
    ("ory", Classes::one(Adjective)),
    ("ive", Classes::one(Adjective)),
    ("able", Classes::one(Adjective)),
    ("ible", Classes::one(Adjective)),
    ("ar", Classes::one(Adjective)),
    ("ior", Classes::one(Adjective)),
    ("oid", Classes::one(Adjective)),
    ("ant", Classes::one(Adjective)),
    ("ent", Classes::one(Adjective)),
    ("ful", Classes::one(Adjective)),
    ("less", Classes::one(Adjective)),
    ("ish", Classes::one(Adjective)),
    ("form", Classes::one(Adjective)),
    ("like", Classes::one(Adjective)),
    ("ed", Classes::two(Verb, Adjective)),
    ("ing", Classes::two(Noun, Verb)),
    // Verbs.
    ("ize", Classes::one(Verb)),
    ("ise", Classes::two(Verb, Noun)),
    ("ify", Classes::one(Verb)),
    ("izes", Classes::one(Verb)),
    ("ifies", Classes::one(Verb)),
    ("ates", Classes::two(Verb, Noun)),
    // Nouns in -s that have no plural meaning, and plurals or verbs.
    ("ss", Classes::one(Noun)),
    ("us", Classes::one(Noun)),
    ("is", Classes::one(Noun)),
    ("s", Classes::two(Noun, Verb)),
    ("y", Classes::two(Noun, Adjective)),
];

fn by_ending(word: &str) -> Classes {
    let long = |ending: &str| word.len() > ending.len() + 1;
    let ending = ENDINGS.iter().find(|(ending, _)| word.ends_with(ending) && long(ending) && !is_megaly(word, ending));
    ending.map_or(Classes::one(Noun), |(_, classes)| *classes)
}

/// -megaly is the one noun in -ly.
fn is_megaly(word: &str, ending: &str) -> bool {
    ending == "ly" && word.ends_with("megaly")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lexicon_holds_each_word_once_and_only_known_classes() {
        let mut lines = 0;
        for line in include_str!("../lexicon.txt").lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (classes, words) = line.split_once(' ').expect("classes and words");
            assert!(matches!(classes.len(), 1 | 2) && classes.chars().all(|letter| "NAVO".contains(letter)), "{line}");
            assert!(words.chars().all(|letter| !letter.is_uppercase()), "{line}");
            lines += words.split(' ').count();
        }
        assert_eq!(lexicon().len(), lines, "a word stands twice");
    }

    #[test]
    fn words_outside_the_lexicon_are_guessed_by_form() {
        for (word, tag) in [
            ("hepatomegaly", Noun),
            ("tracheomalacia", Noun),
            ("pleurisy", Noun),
            ("subsegmentally", Other),
            ("perifissural", Adjective),
            ("hemidiaphragms", Noun),
            ("identified", Verb),
            ("noted", Verb),
            ("smaller", Adjective),
            ("hazier", Adjective),
            ("biggest", Adjective),
            ("suggesting", Verb),
            ("crosses", Verb),
            ("masses", Noun),
            ("cavities", Noun),
            ("12", Other),
            ("2cm", Other),
            ("8th", Adjective),
            ("t12", Noun),
            ("air-filled", Adjective),
            ("left-sided", Adjective),
            ("heart/mediastinum", Noun),
            ("patient's", Noun),
            ("肺野", Noun),
            ("é", Noun),
            ("-", Noun),
            ("ss", Noun),
        ] {
            assert_eq!(classes(word).tag, tag, "{word}");
        }
    }
}
