//! Between the two classes of a word, its neighbours decide.
//!
//! Reports have lost their full stops, so a neighbour may belong to the next sentence; the rules look for what is
//! next to a word and not far.

use super::{Classes, Tag};
use Tag::{Adjective, Noun, Other, Verb};

/// The class of each word, decided from left to right.
pub(super) fn decide(words: &[String], classes: &[Classes]) -> Vec<Tag> {
    let mut tags: Vec<Tag> = classes.iter().map(|classes| classes.tag).collect();
    for at in 0..tags.len() {
        let place = Place { words, classes, tags: &tags, at };
        let decided = place.decided();
        if let Some(tag) = tags.get_mut(at) {
            *tag = decided;
        }
    }
    tags
}

/// A word among its neighbours; those before it are decided, those after it are not.
struct Place<'a> {
    words: &'a [String],
    classes: &'a [Classes],
    tags: &'a [Tag],
    at: usize,
}

const BE: &[&str] = &["is", "are", "was", "were", "be", "been", "being", "am"];
const HAVE: &[&str] = &["has", "have", "had", "having"];
/// What a verb in its base form follows.
const MODALS: &[&str] =
    &["may", "might", "can", "could", "should", "would", "will", "must", "shall", "cannot", "does", "do", "did"];
const DETERMINERS: &[&str] = &[
    "the", "a", "an", "no", "this", "that", "these", "those", "its", "their", "both", "all", "any", "some", "each",
    "every", "another", "either", "her", "his",
];
/// What follows a verb of place rather than a plural.
const OVER: &[&str] = &["over", "below", "above", "into", "through", "across", "beneath", "beyond", "onto", "toward"];
const JOINS: &[&str] = &["and", "or", "of"];

impl Place<'_> {
    fn word(&self) -> &str {
        self.words.get(self.at).map_or("", String::as_str)
    }

    /// The word `steps` further on, or before where it is negative; empty outside the report.
    fn near(&self, steps: isize) -> &str {
        self.index(steps).and_then(|at| self.words.get(at)).map_or("", String::as_str)
    }

    /// The class of the word `steps` further on, if there is one.
    fn tag(&self, steps: isize) -> Option<Tag> {
        self.index(steps).and_then(|at| self.tags.get(at)).copied()
    }

    fn index(&self, steps: isize) -> Option<usize> {
        self.at.checked_add_signed(steps)
    }

    /// Whether a noun follows, or an adjective on the way to one.
    fn before_noun(&self) -> bool {
        let classes = self.index(1).and_then(|at| self.classes.get(at));
        classes.is_some_and(|next| matches!(next.tag, Noun | Adjective) || next.also == Some(Adjective))
            && !BE.contains(&self.near(1))
    }

    /// The word before, adverbs and `not` left out: of `is not well seen` the `is`.
    fn helper(&self) -> &str {
        let adverb =
            |word: &str| word.ends_with("ly") || ["not", "well", "again", "also", "now", "otherwise"].contains(&word);
        let mut steps = -1;
        while steps > -4 && adverb(self.near(steps)) {
            steps -= 1;
        }
        self.near(steps)
    }

    fn starts_noun_phrase(&self, steps: isize) -> bool {
        let next = self.near(steps);
        DETERMINERS.contains(&next) || next.starts_with(|character: char| character.is_ascii_digit())
    }

    fn decided(&self) -> Tag {
        let Some(Classes { tag, also: Some(also) }) = self.classes.get(self.at).copied() else {
            return self.classes.get(self.at).map_or(Noun, |classes| classes.tag);
        };
        match (tag, also) {
            (Adjective, Noun) => self.side(),
            (Noun | Other, Adjective) => {
                // `streaky opacity`, `further evaluation`; `artery wall` behind a noun stays what it is.
                if self.before_noun() && self.tag(-1) != Some(Noun) { Adjective } else { tag }
            }
            (Adjective, Verb) => self.describing_participle(),
            (Verb, Adjective) => self.telling_participle(),
            (Noun, Verb) | (Verb, Noun) if self.word().ends_with("ing") => self.gerund(),
            (Noun, Verb) => self.noun_or_verb(),
            (Verb, Noun) => self.verb_or_noun(),
            _ => tag,
        }
    }

    /// `left` and `right`: they describe what follows; alone behind an article or a preposition they are places.
    fn side(&self) -> Tag {
        if self.before_noun() || JOINS.contains(&self.near(1)) && self.tag(2) == Some(Adjective) {
            return Adjective;
        }
        let before = self.near(-1);
        let alone = self.tag(-1) == Some(Other) && !["more", "most", "not"].contains(&before);
        if alone || before == "upper" || before == "lower" { Noun } else { Adjective }
    }

    /// `enlarged`, `overlying`: adjectives, but for `has enlarged`, `overlying the heart` and `worsening of`.
    fn describing_participle(&self) -> Tag {
        if self.word().ends_with("ing") && self.near(1) == "of" {
            return Noun;
        }
        let tells = if self.word().ends_with("ing") {
            self.starts_noun_phrase(1) || BE.contains(&self.helper()) && self.near(1) != "in"
        } else {
            HAVE.contains(&self.helper())
        };
        if tells { Verb } else { Adjective }
    }

    /// `described`, `noted`: verbs, but for those that stand before a noun and behind no other verb, noun or adverb.
    fn telling_participle(&self) -> Tag {
        let helper = self.helper();
        let behind_verb = BE.contains(&helper) || HAVE.contains(&helper);
        let behind = behind_verb || self.tag(-1) == Some(Noun) || self.near(-1).ends_with("ly");
        if self.before_noun() && !behind { Adjective } else { Verb }
    }

    /// `blunting of`, `pleural thickening` are nouns; `obscuring the border`, `is increasing` are verbs; `the
    /// corresponding opacity` is described.
    fn gerund(&self) -> Tag {
        let next = self.near(1);
        if self.starts_noun_phrase(1) && self.tag(-1) != Some(Adjective) {
            return Verb;
        }
        if DETERMINERS.contains(&self.near(-1)) && self.before_noun() {
            return Adjective;
        }
        if next == "of" || self.starts_noun_phrase(-1) || matches!(self.tag(-1), Some(Adjective)) {
            return Noun;
        }
        let known = self.classes.get(self.at).is_some_and(|classes| classes.tag == Verb);
        let behind = BE.contains(&self.helper()) || self.tag(-1) == Some(Noun) && (self.before_noun() || next == "to");
        if behind || known && self.tag(-1) == Some(Noun) && !next.is_empty() && !JOINS.contains(&next) {
            Verb
        } else {
            Noun
        }
    }

    /// `change`, `courses`: nouns, but for `may change`, `tube courses below` and `effusions layer posteriorly`.
    fn noun_or_verb(&self) -> Tag {
        if MODALS.contains(&self.helper()) {
            return Verb;
        }
        let next = self.near(1);
        let behind_noun = self.tag(-1) == Some(Noun);
        let plural_before = behind_noun && is_plural(self.near(-1));
        let tells = if self.word().ends_with('s') {
            behind_noun && !plural_before && (DETERMINERS.contains(&next) || OVER.contains(&next))
        } else {
            let follows = matches!(self.tag(1), Some(Other | Adjective)) && !JOINS.contains(&next);
            plural_before && follows && !["in", "is", "are"].contains(&next)
        };
        if tells { Verb } else { Noun }
    }

    /// `projects`, `measures`: verbs, but behind an adjective, an article or a number.
    fn verb_or_noun(&self) -> Tag {
        let behind = self.starts_noun_phrase(-1) || self.tag(-1) == Some(Adjective);
        if behind && !self.starts_noun_phrase(1) { Noun } else { Verb }
    }
}

/// Whether a noun has the form of a plural.
fn is_plural(word: &str) -> bool {
    word.ends_with('s') && !["ss", "us", "is"].iter().any(|end| word.ends_with(end))
}
