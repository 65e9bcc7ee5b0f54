//! Grades of retinopathy as people write them: numbers from 0 to 4, numbers within words, and the words of the usual scales.

/// The worst grade.
const MOST: u8 = 4;

/// Words that only name a number: `grade 2`, `R2`, `DR level: 1`.
const NAMING: &[&str] = &["r", "g", "grade", "level", "stage", "class", "severity"];
/// What may be left of the words beside a number without telling a grade.
const ALONE: &[&str] = &["", "dr", "retinopathy", "diabetic retinopathy"];

/// Words for grade 0.
const HEALTHY: &[&str] = &[
    "no dr",
    "nodr",
    "no retinopathy",
    "no diabetic retinopathy",
    "no apparent dr",
    "no apparent retinopathy",
    "no apparent diabetic retinopathy",
    "normal",
    "healthy",
];
/// Words for it beside a 0; alone they may say that there is no grade.
const NOTHING: &[&str] = &["no", "none"];
/// Words for grades 1 to 3, behind which [`KINDS`] may stand.
const STAGES: [&str; 3] = ["mild", "moderate", "severe"];
const KINDS: &[&str] = &[
    "",
    "dr",
    "retinopathy",
    "diabetic retinopathy",
    "npdr",
    "nonproliferative",
    "nonproliferative dr",
    "nonproliferative retinopathy",
    "nonproliferative diabetic retinopathy",
];
/// Words for grade 4.
const WORST: &[&str] =
    &["pdr", "proliferative", "proliferative dr", "proliferative retinopathy", "proliferative diabetic retinopathy"];

/// The grade that a cell tells; `None`: it is not understood, or says two things.
///
/// Understood are a whole number from 0 to 4 (`2`, `2.0`), one such number among words that only name it (`R2`, `Grade 1`, `DR
/// level 3`), the words of the international scale (`no DR`, `mild`, `moderate NPDR`, `severe`, `proliferative`, `PDR`), and both
/// where they agree (`3 (severe)`).
pub fn grade(text: &str) -> Option<u8> {
    let text = text.trim();
    if let Ok(number) = text.replace(',', ".").parse::<f64>() {
        return (number.fract() == 0.0 && (0.0..=f64::from(MOST)).contains(&number)).then_some(number as u8);
    }
    let (number, words) = parts(text)?;
    let Some(number) = number else { return stage(&words.join(" ")) };
    let rest: Vec<&str> = words.iter().map(String::as_str).filter(|word| !NAMING.contains(word)).collect();
    let rest = rest.join(" ");
    let agrees = ALONE.contains(&&*rest) || stage(&rest) == Some(number) || number == 0 && NOTHING.contains(&&*rest);
    agrees.then_some(number)
}

/// The one number of a text, and its words in small letters. `None`: several numbers, a number that is no grade, or signs that say
/// more than words (`>2`, `mild?`, `-1`).
fn parts(text: &str) -> Option<(Option<u8>, Vec<String>)> {
    let text = text.to_lowercase();
    let text = ["non-proliferative", "non proliferative"].iter().fold(text, |t, n| t.replace(n, "nonproliferative"));
    let is_known = |c: char| c.is_alphanumeric() || c.is_whitespace() || "()[]{}:;,./-_=\"'".contains(c);
    if !text.chars().all(is_known) || has_sign(&text) {
        return None;
    }
    let (mut numbers, mut words) = (Vec::new(), Vec::new());
    for piece in text.split(|c: char| !c.is_alphanumeric()).filter(|piece| !piece.is_empty()) {
        let letters = piece.trim_end_matches(|c: char| c.is_ascii_digit());
        if letters.chars().any(char::is_numeric) {
            return None;
        }
        words.extend((!letters.is_empty()).then(|| letters.to_owned()));
        if letters.len() < piece.len() {
            numbers.push(piece[letters.len()..].parse().ok().filter(|number| *number <= MOST)?);
        }
    }
    (numbers.len() < 2).then(|| (numbers.first().copied(), words))
}

/// Whether a number has a minus: a hyphen joins it to a word only right behind that.
fn has_sign(text: &str) -> bool {
    text.match_indices('-').any(|(at, _)| {
        let joins = text[..at].ends_with(char::is_alphanumeric);
        !joins && text[at + 1..].trim_start().starts_with(|c: char| c.is_ascii_digit())
    })
}

/// The grade that words alone tell.
fn stage(words: &str) -> Option<u8> {
    if HEALTHY.contains(&words) {
        return Some(0);
    }
    if WORST.contains(&words) {
        return Some(MOST);
    }
    let (first, kind) = words.split_once(' ').unwrap_or((words, ""));
    let at = STAGES.iter().position(|stage| *stage == first).filter(|_| KINDS.contains(&kind))?;
    Some(at as u8 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_are_understood_as_people_write_them() {
        for (grade_of, texts) in [
            (
                0,
                &[
                    "0",
                    "0.0",
                    "no DR",
                    "No_DR",
                    "0 (none)",
                    "Normal",
                    "R0",
                    "0 - No DR",
                    "no apparent diabetic retinopathy",
                ][..],
            ),
            (
                1,
                &[
                    "1",
                    "mild",
                    "Mild NPDR",
                    "Grade 1",
                    "grade1",
                    "DR level: 1",
                    "1 (mild)",
                    "mild non-proliferative DR",
                ],
            ),
            (2, &["2.0", "2,0", " R2 ", "r-2", "Moderate", "2 = moderate NPDR", "stage_2"]),
            (3, &["3", "3 (severe)", "severe, nonproliferative", "Severe (grade 3)"]),
            (4, &["4", "PDR", "Proliferative_DR", "proliferative diabetic retinopathy", "4: proliferative"]),
        ] {
            texts.iter().for_each(|text| assert_eq!(grade(text), Some(grade_of), "{text}"));
        }
    }

    #[test]
    fn what_is_in_doubt_is_no_grade() {
        for text in [
            "",
            "5",
            "-1",
            "- 1",
            "1.5",
            "1-2",
            "1 of 4",
            ">2",
            "2?",
            "grade -1",
            "mild/moderate",
            "2 (severe)",
            "no grade",
            "NaN",
            "not gradable",
            "ungradable",
            "no image",
            "npdr",
            "non-proliferative",
            "pre-proliferative",
            "positive",
            "R5",
            "10",
            "m1",
            "r1m0",
            "1e0 mild",
            "²",
            "no",
            "None",
            "very mild",
            "3 photographs",
            "inf",
            "—",
            "n/a",
            "yes",
            "mild 1 1",
        ] {
            assert_eq!(grade(text), None, "{text}");
        }
    }
}
