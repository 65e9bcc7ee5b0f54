//! Classes of words: nouns, adjectives, verbs and the others, as the perturbations need them.
//!
//! A tagger of three parts. `lexicon.txt` holds the words of radiology reports, some with a second class; what it
//! does not hold is guessed from its form (`guess.rs`); and between the two classes of a word its neighbours decide
//! (`context.rs`). Classes are coarse: names and plurals are nouns, `is`, `are` and `has` are verbs; `may`, `can`,
//! `no`, `not`, `there`, numbers and adverbs are others.

use std::collections::BTreeMap;

mod context;
mod guess;

/// The class of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag {
    /// A thing: `effusion`, `lungs`.
    Noun,
    /// What it is like: `pleural`, `small`.
    Adjective,
    /// What happens: `is`, `seen`, `suggests`.
    Verb,
    /// Everything else.
    Other,
}

impl Tag {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::Noun, Self::Adjective, Self::Verb, Self::Other];

    /// Its name in files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Noun => "noun",
            Self::Adjective => "adj",
            Self::Verb => "verb",
            Self::Other => "other",
        }
    }

    /// The class of this name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tag| tag.id() == id)
    }

    /// The letter that stands for it under a word, and in the lexicon.
    pub fn letter(self) -> char {
        match self {
            Self::Noun => 'N',
            Self::Adjective => 'A',
            Self::Verb => 'V',
            Self::Other => 'O',
        }
    }

    /// Its name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Noun => "Noun",
            Self::Adjective => "Adjective",
            Self::Verb => "Verb",
            Self::Other => "Other",
        }
    }

    /// The next class, the first after the last: what a click on a word makes of it.
    pub fn next(self) -> Self {
        match self {
            Self::Noun => Self::Adjective,
            Self::Adjective => Self::Verb,
            Self::Verb => Self::Other,
            Self::Other => Self::Noun,
        }
    }
}

/// Says the classes of a report's words, with a user's corrections.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tagger {
    own: BTreeMap<String, Tag>,
}

impl Tagger {
    /// A tagger without corrections.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on, `word` has the class `tag` wherever it stands.
    pub fn set(&mut self, word: &str, tag: Tag) {
        self.own.insert(word.to_lowercase(), tag);
    }

    /// Forgets what was set for a word.
    pub fn unset(&mut self, word: &str) {
        self.own.remove(&word.to_lowercase());
    }

    /// What was set, by word.
    pub fn own(&self) -> &BTreeMap<String, Tag> {
        &self.own
    }

    /// The class of each word of a report. Words are lower-case, as [`words`](super::words::words) gives them.
    pub fn tag(&self, words: &[String]) -> Vec<Tag> {
        let guess = |word: &String| match self.own.get(word) {
            Some(tag) => Classes { tag: *tag, also: None },
            None => guess::classes(word),
        };
        context::decide(words, &words.iter().map(guess).collect::<Vec<_>>())
    }
}

/// What a word may be: its class, and the one that it may have beside a fitting neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Classes {
    tag: Tag,
    also: Option<Tag>,
}

impl Classes {
    const fn one(tag: Tag) -> Self {
        Self { tag, also: None }
    }

    const fn two(tag: Tag, also: Tag) -> Self {
        Self { tag, also: Some(also) }
    }

    fn may_be(self, tag: Tag) -> bool {
        self.tag == tag || self.also == Some(tag)
    }
}

#[cfg(test)]
mod tests;
