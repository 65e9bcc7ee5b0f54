//! Opposites of the adjectives of radiology reports: a table that a user may change.
//!
//! The article takes antonyms from WordNet, any sense, by chance. This table is curated and has one antonym a word,
//! so that a report has one report with antonyms. An antonym of a word that describes a finding contradicts the image
//! (left for right, small for large); that of another is merely an odd word (clear for unclear), which language alone
//! gives away. The table says which is which.

use std::collections::BTreeMap;

/// What stands for a word in the report with antonyms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Antonym<'a> {
    /// The antonym, lower-case.
    pub word: &'a str,
    /// Whether the exchange says the opposite of what the image shows; else it is only a word that nobody writes
    /// there.
    pub contradiction: bool,
}

/// The table with a user's changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Antonyms {
    /// Whether only what the user says counts.
    own_alone: bool,
    /// Word to antonym and whether that contradicts; `None` where the word is to stay.
    own: BTreeMap<String, Option<(String, bool)>>,
}

impl Antonyms {
    /// The table alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// No antonyms but those that are [set](Self::set).
    pub fn own_alone() -> Self {
        Self { own_alone: true, own: BTreeMap::new() }
    }

    /// The antonym of a lower-case word, where it has one. What is set goes before the table.
    pub fn of(&self, word: &str) -> Option<Antonym<'_>> {
        match self.own.get(word) {
            Some(own) => {
                own.as_ref().map(|(antonym, contradiction)| Antonym { word: antonym, contradiction: *contradiction })
            }
            None if self.own_alone => None,
            None => in_table(word),
        }
    }

    /// Gives a word an antonym, or none. Both become lower-case; a word that is to stand for itself gets none. Whether
    /// the pair contradicts is what the table says of it, and yes where the table has another one or none.
    pub fn set(&mut self, word: &str, antonym: Option<&str>) {
        let word = word.to_lowercase();
        let own = antonym.map(str::to_lowercase).filter(|antonym| *antonym != word).map(|antonym| {
            let contradiction = in_table(&word).is_none_or(|known| known.word != antonym || known.contradiction);
            (antonym, contradiction)
        });
        self.own.insert(word, own);
    }

    /// Forgets what was set for a word, so that the table speaks again.
    pub fn unset(&mut self, word: &str) {
        self.own.remove(&word.to_lowercase());
    }

    /// Takes over a user's text: a line for each word, `word antonym`, or `word -` where the word is to stay. Empty
    /// lines and what follows `#` are left out. Where a line is wrong, nothing is taken over.
    ///
    /// # Errors
    /// Every line that is wrong, with its number and what was expected.
    pub fn read(&mut self, text: &str) -> Result<(), Vec<String>> {
        let mut pairs = BTreeMap::new();
        let mut wrong = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let mut say = |what: String| wrong.push(format!("line {}: {what}", index + 1));
            match *line.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>() {
                [] => {}
                [ref word, ref antonym] if word == antonym => {
                    say(format!("`{word}` is to stand for itself; `{word} -` lets it stay"));
                }
                [ref word, _] if pairs.contains_key(word) => say(format!("`{word}` has an antonym already")),
                [ref word, ref antonym] => {
                    pairs.insert(word.clone(), antonym.clone());
                }
                ref other => say(format!("`word antonym` or `word -` was expected, not {} word(s)", other.len())),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        for (word, antonym) in &pairs {
            self.set(word, Some(antonym.as_str()).filter(|antonym| *antonym != "-"));
        }
        Ok(())
    }

    /// What was set, as lines that [`Antonyms::read`] reads, in order of the alphabet.
    pub fn text(&self) -> String {
        let line = |(word, own): (&String, &Option<(String, bool)>)| {
            format!("{word} {}\n", own.as_ref().map_or("-", |(antonym, _)| antonym))
        };
        self.own.iter().map(line).collect()
    }
}

/// Every word of the built-in table with its antonym, in the order of the table.
pub fn table() -> impl Iterator<Item = (&'static str, Antonym<'static>)> {
    let entry = |word, antonym, contradiction| (word, Antonym { word: antonym, contradiction });
    let pairs = |list: &'static [(&str, &str)], contradiction| {
        list.iter().flat_map(move |(a, b)| [entry(*a, *b, contradiction), entry(*b, *a, contradiction)])
    };
    let singles = ONE_WAY.iter().map(move |(word, antonym)| entry(*word, *antonym, true));
    pairs(CONTRADICTIONS, true).chain(pairs(ODD, false)).chain(singles)
}

fn in_table(word: &str) -> Option<Antonym<'static>> {
    table().find_map(|(known, antonym)| (known == word).then_some(antonym))
}

/// Pairs that say the opposite of each other about a finding.
const CONTRADICTIONS: &[(&str, &str)] = &[
    // Where.
    ("left", "right"),
    ("left-sided", "right-sided"),
    ("upper", "lower"),
    ("superior", "inferior"),
    ("anterior", "posterior"),
    ("medial", "lateral"),
    ("central", "peripheral"),
    ("proximal", "distal"),
    ("superficial", "deep"),
    ("internal", "external"),
    ("apical", "basilar"),
    ("biapical", "bibasilar"),
    ("bilateral", "unilateral"),
    ("ipsilateral", "contralateral"),
    // How much.
    ("small", "large"),
    ("smaller", "larger"),
    ("mild", "severe"),
    ("minimal", "marked"),
    ("minor", "major"),
    ("high", "low"),
    ("higher", "lower-lying"),
    ("increased", "decreased"),
    ("increasing", "decreasing"),
    ("thick", "thin"),
    ("narrow", "wide"),
    ("long", "short"),
    ("dense", "sparse"),
    ("dilated", "constricted"),
    ("hyperinflated", "underinflated"),
    ("hyperexpanded", "underexpanded"),
    ("elevated", "depressed"),
    ("enlarged", "reduced"),
    // What.
    ("normal", "abnormal"),
    ("present", "absent"),
    ("focal", "diffuse"),
    ("single", "multiple"),
    ("acute", "chronic"),
    ("benign", "malignant"),
    ("new", "old"),
    ("changed", "unchanged"),
    ("improved", "worsened"),
    ("improving", "worsening"),
    ("displaced", "undisplaced"),
    ("intact", "broken"),
    ("symmetric", "asymmetric"),
    ("symmetrical", "asymmetrical"),
    ("complete", "incomplete"),
    ("opaque", "lucent"),
    ("solid", "hollow"),
    ("tortuous", "straight"),
    ("smooth", "rough"),
    ("regular", "irregular"),
];

/// Pairs whose exchange mostly makes a phrase that no report has.
const ODD: &[(&str, &str)] = &[
    ("clear", "unclear"),
    ("stable", "unstable"),
    ("visible", "invisible"),
    ("remarkable", "unremarkable"),
    ("active", "inactive"),
    ("consistent", "inconsistent"),
    ("open", "closed"),
    ("overt", "covert"),
    ("early", "late"),
    ("adequate", "inadequate"),
    ("appropriate", "inappropriate"),
    ("compatible", "incompatible"),
    ("definite", "indefinite"),
    ("distinct", "indistinct"),
    ("possible", "impossible"),
    ("probable", "improbable"),
    ("significant", "insignificant"),
    ("specific", "nonspecific"),
    ("typical", "atypical"),
    ("prominent", "inconspicuous"),
    ("good", "poor"),
    ("healthy", "sick"),
    ("hard", "soft"),
    ("full", "empty"),
    ("bright", "dark"),
    ("vertical", "horizontal"),
    ("evident", "hidden"),
];

/// Words whose antonym has another one of its own.
const ONE_WAY: &[(&str, &str)] = &[
    ("big", "small"),
    ("tiny", "large"),
    ("huge", "small"),
    ("slight", "severe"),
    ("extensive", "minimal"),
    ("massive", "minimal"),
    ("trace", "large"),
    ("widened", "narrowed"),
    ("narrowed", "widened"),
    ("thickened", "thinned"),
    ("thinned", "thickened"),
    ("expanded", "collapsed"),
    ("collapsed", "expanded"),
    ("inflated", "deflated"),
    ("deflated", "inflated"),
    ("basal", "apical"),
    ("bibasal", "biapical"),
    ("nondisplaced", "displaced"),
    ("patchy", "homogeneous"),
    ("homogeneous", "heterogeneous"),
    ("heterogeneous", "homogeneous"),
    ("hazy", "sharp"),
    ("sharp", "blunted"),
    ("blunted", "sharp"),
    ("round", "irregular"),
    ("rounded", "irregular"),
    ("spiculated", "smooth"),
    ("calcified", "noncalcified"),
    ("noncalcified", "calcified"),
    ("solitary", "multiple"),
    ("numerous", "few"),
    ("few", "numerous"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_one_antonym_and_none_is_its_own() {
        let mut words: Vec<&str> = table().map(|(word, _)| word).collect();
        let all = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all, "a word stands twice");
        assert!(table().all(|(word, antonym)| word != antonym.word && word == word.to_lowercase()));
        let antonyms = Antonyms::new();
        assert!(antonyms.of("left").is_some_and(|right| right.word == "right" && right.contradiction));
        assert!(antonyms.of("clear").is_some_and(|unclear| unclear.word == "unclear" && !unclear.contradiction));
        assert_eq!(antonyms.of("effusion"), None);
    }

    #[test]
    fn what_a_user_sets_goes_before_the_table() {
        let mut antonyms = Antonyms::new();
        antonyms.read("# mine\nClear   opaque\nleft -  # stays\n\nwet dry\nsmall large").expect("it is right");
        assert_eq!(antonyms.of("clear"), Some(Antonym { word: "opaque", contradiction: true }));
        assert_eq!(antonyms.of("left"), None);
        assert_eq!(antonyms.of("right").map(|left| left.word), Some("left"));
        assert_eq!(antonyms.of("wet").map(|dry| dry.word), Some("dry"));
        assert_eq!(antonyms.text(), "clear opaque\nleft -\nsmall large\nwet dry\n");
        let mut again = Antonyms::new();
        again.read(&antonyms.text()).expect("it is right");
        assert_eq!(again, antonyms);
        again.unset("left");
        assert_eq!(again.of("left").map(|right| right.word), Some("right"));
        let mut alone = Antonyms::own_alone();
        alone.set("clear", Some("unclear"));
        assert!(alone.of("left").is_none() && alone.of("clear").is_some_and(|unclear| !unclear.contradiction));
    }

    #[test]
    fn wrong_lines_are_named_and_nothing_is_taken_over() {
        let mut antonyms = Antonyms::new();
        let wrong = antonyms.read("wet dry\nclear\nleft left\nwet moist\na b c").expect_err("four lines are wrong");
        assert_eq!(
            wrong,
            [
                "line 2: `word antonym` or `word -` was expected, not 1 word(s)",
                "line 3: `left` is to stand for itself; `left -` lets it stay",
                "line 4: `wet` has an antonym already",
                "line 5: `word antonym` or `word -` was expected, not 3 word(s)",
            ]
        );
        assert_eq!(antonyms, Antonyms::new());
    }
}
