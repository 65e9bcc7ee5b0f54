//! The report of a figure: a sentence for each finding, for the heart, for what is not there, and for clear lungs.

use super::{Figure, Finding, Kind};
use crate::compute::streams;

/// A word of a report that names a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    /// Its number among the words of the whole report, as [`normalised`] gives them.
    pub word: usize,
    /// The word itself: [`Kind::id`].
    pub phrase: String,
    /// Where the finding is: `[x0, y0, x1, y1]` from 0 to 1.
    pub bounds: [f32; 4],
}

/// What a finding is called in a sentence.
pub(super) fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Effusion => "pleural effusion",
        kind => kind.id(),
    }
}

/// A sentence's words without capital and full stop, in one of three ways.
pub(super) fn positive(finding: &Finding, way: usize) -> String {
    let Finding { kind, severity, side, zone, .. } = finding;
    let (severity, name) = (severity.word(), name(*kind));
    let side = side.map_or("", super::Side::word);
    let zone = zone.map_or("", super::Zone::word);
    match (kind, way) {
        (Kind::Cardiomegaly, 0) => format!("there is {severity} cardiomegaly"),
        (Kind::Cardiomegaly, 1) => format!("{severity} cardiomegaly is noted"),
        (Kind::Cardiomegaly, _) => format!("{severity} cardiomegaly is seen"),
        (Kind::Effusion | Kind::Pneumothorax, 0) => format!("there is a {severity} {side} {name}"),
        (Kind::Effusion | Kind::Pneumothorax, 1) => format!("{severity} {side} {name} is noted"),
        (Kind::Effusion, _) => format!("a {severity} {name} is seen at the {side} base"),
        (Kind::Pneumothorax, _) => format!("a {severity} {name} is seen at the {side} apex"),
        (Kind::Opacity | Kind::Nodule, 0) => format!("there is a {severity} {name} in the {side} {zone} lung zone"),
        (Kind::Opacity | Kind::Nodule, 1) => format!("{severity} {side} {zone} lung {name} is noted"),
        (Kind::Opacity | Kind::Nodule, _) => format!("a {severity} {name} is seen within the {side} {zone} zone"),
    }
}

/// The report of a figure, and its words that name findings. Which of three wordings each sentence has and the order of sentences
/// follow from [`Figure::wording`] alone, so that a finding that is moved does not reword the others. 9 to 35 words.
pub fn report_of(figure: &Figure) -> (String, Vec<Mention>) {
    let mut rng = streams::ALONE.open(figure.wording, 1);
    // A wording and a place for each sentence that there might be: five findings, the heart, what is not there, clear lungs.
    let drawn: [(usize, f64); 8] = std::array::from_fn(|_| (rng.below(3), rng.uniform()));
    let labels = figure.labels();
    let absent = |kind: Kind| !Kind::ALL.iter().zip(labels).any(|(of, there)| there && *of == kind);
    let mut sentences: Vec<(f64, String, Option<Finding>)> = Vec::new();
    for finding in figure.told() {
        let (way, place) = drawn[Kind::ALL.iter().position(|kind| *kind == finding.kind).unwrap_or(0)];
        sentences.push((place, positive(&finding, way), Some(finding)));
    }
    let mut add = |slot: usize, wordings: [&str; 3]| {
        let (way, place) = drawn[slot];
        sentences.push((place, wordings[way].to_owned(), None));
    };
    if absent(Kind::Cardiomegaly) {
        let normal = ["the heart is normal in size", "the cardiac silhouette is normal", "heart size is normal"];
        add(5, normal);
    }
    match (absent(Kind::Effusion), absent(Kind::Pneumothorax)) {
        (true, true) => add(
            6,
            [
                "there is no pleural effusion or pneumothorax",
                "no pneumothorax or pleural effusion is seen",
                "no evidence of pleural effusion or pneumothorax",
            ],
        ),
        (true, false) => add(6, negative(Kind::Effusion)),
        (false, true) => add(6, negative(Kind::Pneumothorax)),
        (false, false) => {}
    }
    if absent(Kind::Opacity) && absent(Kind::Nodule) {
        let clear = ["the lungs are clear", "no focal consolidation is seen", "there is no focal airspace opacity"];
        add(7, clear);
    }
    sentences.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut mentions, mut before) = (Vec::new(), 0);
    for (_, sentence, finding) in &sentences {
        if let Some(finding) = finding {
            let phrase = finding.kind.id();
            let within = sentence.split(' ').position(|word| word == phrase).unwrap_or(0);
            mentions.push(Mention { word: before + within, phrase: phrase.to_owned(), bounds: finding.bounds });
        }
        before += sentence.split(' ').count();
    }
    (written(sentences.iter().map(|(_, sentence, _)| sentence.as_str())), mentions)
}

/// That there is none of a kind, in three ways.
pub(super) fn negative(kind: Kind) -> [&'static str; 3] {
    match kind {
        Kind::Cardiomegaly => ["there is no cardiomegaly", "no cardiomegaly is seen", "no evidence of cardiomegaly"],
        Kind::Effusion => {
            ["there is no pleural effusion", "no pleural effusion is seen", "no evidence of pleural effusion"]
        }
        Kind::Pneumothorax => ["there is no pneumothorax", "no pneumothorax is seen", "no evidence of pneumothorax"],
        Kind::Opacity => ["there is no opacity", "no opacity is seen", "no evidence of opacity"],
        Kind::Nodule => ["there is no nodule", "no nodule is seen", "no evidence of nodule"],
    }
}

/// Sentences as they are written: with a capital and a full stop each.
pub(super) fn written<'a>(sentences: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for sentence in sentences {
        if !text.is_empty() {
            text.push(' ');
        }
        let mut letters = sentence.chars();
        text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        text.push_str(letters.as_str());
        text.push('.');
    }
    text
}

/// The words of a written report: small letters, without full stops. Reports of here have no other signs.
pub fn normalised(report: &str) -> Vec<String> {
    report.to_lowercase().replace('.', " ").split_whitespace().map(str::to_owned).collect()
}
