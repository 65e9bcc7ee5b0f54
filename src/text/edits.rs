//! Edits of what a report says: the same words but for the one that makes it wrong.
//!
//! A perturbed report can be told by its language alone. An edited one reads as well as the original, and only the
//! image tells which of the two is true. Every edit changes all its places at once, so that no part of the report
//! contradicts another.

/// One way to make a report say something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edit {
    /// Left for right.
    Laterality,
    /// Upper for lower, apex for base.
    Zone,
    /// Small for large, mild for severe.
    Severity,
    /// What is there for what is not.
    Negation,
}

impl Edit {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::Laterality, Self::Zone, Self::Severity, Self::Negation];

    /// Its name in recordings and files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Laterality => "laterality",
            Self::Zone => "zone",
            Self::Severity => "severity",
            Self::Negation => "negation",
        }
    }

    /// Its name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Laterality => "Left for right",
            Self::Zone => "Upper for lower",
            Self::Severity => "Small for large",
            Self::Negation => "There for not there",
        }
    }

    /// The edited report; `None` where it says nothing that the edit could change.
    ///
    /// The length may change: a negation loses or gains words.
    pub fn apply(self, words: &[String]) -> Option<Vec<String>> {
        let edited: Vec<String> = match self {
            Self::Laterality => words.iter().map(|word| by_parts(word, SIDES)).collect(),
            Self::Zone => (0..words.len()).filter_map(|at| zone(words, at)).collect(),
            Self::Severity => words.iter().map(|word| by_parts(word, SIZES)).collect(),
            Self::Negation => negation(words),
        };
        (edited != words).then_some(edited)
    }
}

/// Pairs that are exchanged both ways.
type Pairs = &'static [(&'static str, &'static str)];

const SIDES: Pairs = &[("left", "right"), ("leftward", "rightward"), ("leftwards", "rightwards"), ("lefts", "rights")];

const ZONES: Pairs = &[
    ("upper", "lower"),
    ("uppermost", "lowermost"),
    ("apex", "base"),
    ("apices", "bases"),
    ("apical", "basilar"),
    ("biapical", "bibasilar"),
];

/// What has no opposite of its own takes one that is far from it; `moderate` stays, since readers differ on what is
/// next to it.
const SIZES: Pairs = &[
    ("small", "large"),
    ("smaller", "larger"),
    ("tiny", "huge"),
    ("mild", "severe"),
    ("mildly", "severely"),
    ("minimal", "marked"),
    ("minimally", "markedly"),
    ("slight", "extensive"),
    ("slightly", "extensively"),
    ("minor", "major"),
];

const STATES: Pairs = &[("present", "absent"), ("presence", "absence"), ("positive", "negative")];

/// The other word of the pair in which `word` stands.
fn opposite(word: &str, pairs: Pairs) -> Option<&'static str> {
    pairs.iter().find_map(|(one, other)| {
        if word == *one {
            Some(*other)
        } else if word == *other {
            Some(*one)
        } else {
            None
        }
    })
}

/// A word with each part between hyphens and slashes exchanged: `right-sided`, `left/right`.
fn by_parts(word: &str, pairs: Pairs) -> String {
    let part = |part: &str| {
        let (name, mark) = match part.strip_suffix(['-', '/']) {
            Some(name) => (name, &part[name.len()..]),
            None => (part, ""),
        };
        opposite(name, pairs).unwrap_or(name).to_owned() + mark
    };
    word.split_inclusive(['-', '/']).map(part).collect()
}

/// The word at `at`, of the other zone. `upper limits of normal` is no zone.
fn zone(words: &[String], at: usize) -> Option<String> {
    let word = words.get(at)?;
    let limit = words.get(at + 1).is_some_and(|next| ["limit", "limits", "normal"].contains(&next.as_str()));
    Some(if limit { word.clone() } else { by_parts(word, ZONES) })
}

/// Every statement about what is there, turned over:
///
/// - `there is no X` becomes `there is X`, `there is a X` becomes `there is no X`;
/// - `no X is seen` and `no evidence of X` lose their `no`, and `is not` its `not`;
/// - `present` and `absent`, `positive` and `negative` change places, `without` becomes `with`.
///
/// A finding that is stated without `there is` stays (`a nodule is seen`): its negation would need another sentence.
fn negation(words: &[String]) -> Vec<String> {
    let word = |at: usize| words.get(at).map(String::as_str).unwrap_or_default();
    let mut out = Vec::with_capacity(words.len() + 1);
    let mut at = 0;
    while at < words.len() {
        let (before, next) = (if at > 0 { word(at - 1) } else { "" }, word(at + 1));
        match word(at) {
            "there" if IS.contains(&next) => {
                out.extend([word(at).to_owned(), next.to_owned()]);
                at += 2;
                match (word(at), word(at + 1)) {
                    ("no", "longer") => at += 2,
                    ("no" | "not", _) => at += 1,
                    // `there is without`, `there is nothing`, the report's end: nothing to deny.
                    ("" | "nothing" | "without" | "again", _) => {}
                    (article, _) => {
                        at += usize::from(["a", "an"].contains(&article));
                        out.push("no".to_owned());
                    }
                }
                continue;
            }
            "no" if next == "longer" => at += 1,
            "no" => {}
            "not" if AUXILIARIES.contains(&before) => {}
            "without" => out.push("with".to_owned()),
            other => out.push(opposite(other, STATES).unwrap_or(other).to_owned()),
        }
        at += 1;
    }
    out
}

const IS: &[&str] = &["is", "are", "was", "were"];
const AUXILIARIES: &[&str] =
    &["is", "are", "was", "were", "be", "been", "has", "have", "had", "does", "do", "did", "may", "can", "could"];

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(edit: Edit, report: &str) -> Option<String> {
        let words: Vec<String> = report.split(' ').map(str::to_owned).collect();
        edit.apply(&words).map(|words| words.join(" "))
    }

    #[test]
    fn each_edit_changes_its_words_and_no_others() {
        for (edit, report, wanted) in [
            (Edit::Laterality, "a small right effusion at the left base", "a small left effusion at the right base"),
            (Edit::Laterality, "right-sided port", "left-sided port"),
            (Edit::Zone, "nodule in the right upper zone", "nodule in the right lower zone"),
            (
                Edit::Zone,
                "seen at the left apex upper limits of normal",
                "seen at the left base upper limits of normal",
            ),
            (Edit::Severity, "mildly enlarged small tiny large", "severely enlarged large huge small"),
            (Edit::Severity, "small-to-moderate effusion", "large-to-moderate effusion"),
            (
                Edit::Negation,
                "there is no pleural effusion or pneumothorax",
                "there is pleural effusion or pneumothorax",
            ),
            (Edit::Negation, "there is a small effusion", "there is no small effusion"),
            (Edit::Negation, "no pneumothorax is seen", "pneumothorax is seen"),
            (Edit::Negation, "no evidence of effusion without edema", "evidence of effusion with edema"),
            (Edit::Negation, "effusion is not seen and is no longer present", "effusion is seen and is absent"),
            (Edit::Negation, "there are no nodules there are", "there are nodules there are"),
        ] {
            assert_eq!(edited(edit, report).as_deref(), Some(wanted), "{edit:?}");
        }
        for (edit, report) in [
            (Edit::Laterality, "the lungs are clear"),
            (Edit::Zone, "heart size is at upper limits of normal"),
            (Edit::Severity, "a moderate effusion"),
            (Edit::Negation, "a nodule is seen with calcification"),
            (Edit::Negation, "there is"),
        ] {
            assert_eq!(edited(edit, report), None, "{edit:?}");
        }
        assert!(Edit::ALL.iter().all(|edit| edit.apply(&[]).is_none()));
    }

    #[test]
    fn an_exchange_made_twice_is_none() {
        let pairs = [SIDES, ZONES, SIZES, STATES].concat();
        let mut words: Vec<&str> = pairs.iter().flat_map(|(one, other)| [*one, *other]).collect();
        words.sort_unstable();
        let all = words.len();
        words.dedup();
        assert_eq!(words.len(), all, "a word stands in two pairs");
        let report = "right upper small nodule at the left apex with mild edema";
        for edit in [Edit::Laterality, Edit::Zone, Edit::Severity] {
            let once = edited(edit, report).expect("it changes something");
            assert_eq!(edited(edit, &once).as_deref(), Some(report));
        }
    }
}
