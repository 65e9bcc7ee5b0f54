//! From a report as it was written to its words.
//!
//! The order matters: a report is normalised and cut to its first words before it is perturbed, so that a perturbation
//! holds the words of its original. The article's own code perturbs first and cuts afterwards; a long report and its
//! reversal then hold different words.

/// The words of a report that are used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// Lower-case words in order; none is empty, none holds white space.
    pub words: Vec<String>,
    /// How many words came after the limit and are left out.
    pub cut: usize,
}

/// What becomes of the marks (`XXXX`) that stand where a name or a date was taken out of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Marks {
    /// They stay, as nouns.
    #[default]
    Kept,
    /// They are left out, before words are counted.
    Dropped,
}

/// A report as the article's code normalises it: lower-case, each of `. ! " ( ) * # : ; ~` replaced by a space, two
/// and more characters of white space drawn together into one space, nothing around it.
///
/// Comma, hyphen, slash, apostrophe and question mark stay.
pub fn normalise(raw: &str) -> String {
    let plain = raw.to_lowercase().replace(['.', '!', '"', '(', ')', '*', '#', ':', ';', '~'], " ");
    let mut out = String::with_capacity(plain.len());
    let mut characters = plain.chars().peekable();
    while let Some(character) = characters.next() {
        let mut run = false;
        while is_space(character) && characters.next_if(|next| is_space(*next)).is_some() {
            run = true;
        }
        out.push(if run { ' ' } else { character });
    }
    out.trim_matches(is_space).to_owned()
}

/// The first `most` words of a report: normalised, split at white space, without commas at their ends.
///
/// What holds neither letter nor digit is no word, so a report of punctuation alone has none.
pub fn words(raw: &str, most: usize, marks: Marks) -> Words {
    let plain = normalise(raw);
    let mut found = plain
        .split(is_space)
        .map(|word| word.trim_matches(','))
        .filter(|word| word.contains(char::is_alphanumeric))
        .filter(|word| marks == Marks::Kept || !is_mark(word));
    let words = found.by_ref().take(most).map(str::to_owned).collect();
    Words { words, cut: found.count() }
}

/// Whether a lower-case word is a mark of what was taken out: three or more letters x, and no other letter or digit.
pub fn is_mark(word: &str) -> bool {
    let mut letters = word.chars().filter(|character| character.is_alphanumeric());
    letters.clone().count() >= 3 && letters.all(|letter| letter == 'x')
}

/// White space as regular expressions of Python see it: that of Unicode, and the four separators of ASCII.
fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_the_article_reads_it() {
        assert_eq!(normalise("  Heart: NORMAL.\n\nLungs,  (clear)!  "), "heart normal lungs, clear");
        // A single character of white space stays what it is, as in the article's code.
        assert_eq!(normalise("no\teffusion;x"), "no\teffusion x");
        assert_eq!(normalise("..."), "");
        assert_eq!(normalise("well-expanded and/or patient's?"), "well-expanded and/or patient's?");
    }

    #[test]
    fn words_have_no_commas_at_their_ends_and_the_limit_counts() {
        let read = words("Heart, lungs , and\tmediastinum: ,clear, 1,5 cm. - / °", 6, Marks::Kept);
        assert_eq!(read.words, ["heart", "lungs", "and", "mediastinum", "clear", "1,5"]);
        assert_eq!(read.cut, 1);
        assert_eq!(words("?!, - ... ,,", 50, Marks::Kept), Words::default());
        assert_eq!(words("one two", 0, Marks::Kept), Words { words: Vec::new(), cut: 2 });
    }

    #[test]
    fn marks_stay_or_go() {
        let raw = "XXXX, seen by Dr. XXXX on XXXX-XXXX of x-ray XX";
        assert_eq!(words(raw, 50, Marks::Kept).words.len(), 10);
        assert_eq!(words(raw, 50, Marks::Dropped).words, ["seen", "by", "dr", "on", "of", "x-ray", "xx"]);
        assert_eq!(words(raw, 3, Marks::Dropped).cut, 4);
    }

    #[test]
    fn any_text_is_read() {
        let odd = "\u{0}\u{feff} İSTANBUL ΟΔΟΣ 肺野清晰。 e\u{301}panchement \u{1c}\u{1c} \u{202e}⚕️ \u{ffff}";
        let read = words(odd, 50, Marks::Kept);
        assert!(read.words.contains(&"肺野清晰。".to_owned()) && read.words.contains(&"οδος".to_owned()), "{read:?}");
        assert!(read.words.iter().all(|word| !word.is_empty() && !word.contains(is_space)));
    }
}
