use std::collections::{HashMap, HashSet};

use super::*;
use crate::data::reports::nli::Label;

fn studies(count: u64) -> impl Iterator<Item = Study> {
    (0..count).map(|number| study(3, number, 32))
}

#[test]
fn a_study_depends_on_seed_and_number_alone_and_is_drawn_again_from_its_figure() {
    let one = study(7, 5, 64);
    assert_eq!(one, study(7, 5, 64));
    assert_ne!(one.image, study(7, 6, 64).image);
    assert_ne!(one.image, study(8, 5, 64).image);
    assert_eq!(one, Study::of(one.figure.clone(), 64));
    let large = study(7, 5, 224);
    assert_eq!((large.report, large.findings, large.image.len()), (one.report, one.findings, 224 * 224));
}

#[test]
fn no_finding_is_twice_on_one_side_and_each_kind_comes_as_often_as_told() {
    let (mut cardiomegaly, mut counts) = (0.0, [0.0; 3]);
    for study in studies(2000) {
        let others: Vec<&Finding> = study.findings.iter().filter(|f| f.kind != Kind::Cardiomegaly).collect();
        cardiomegaly += (study.findings.len() - others.len()) as f64 / 2000.0;
        counts[others.len()] += 1.0 / 2000.0;
        let sides: HashSet<Option<Side>> = others.iter().map(|f| f.side).collect();
        let kinds: HashSet<Kind> = others.iter().map(|f| f.kind).collect();
        assert_eq!((sides.len(), kinds.len()), (others.len(), others.len()), "{}", study.report);
        for (kind, there) in Kind::ALL.iter().zip(study.labels) {
            assert_eq!(there, study.findings.iter().any(|f| f.kind == *kind));
        }
    }
    // Five standard errors.
    for (share, expected) in [(cardiomegaly, 0.35), (counts[0], 0.25), (counts[1], 0.5), (counts[2], 0.25)] {
        assert!((share - expected).abs() < 0.056, "{share} instead of {expected}");
    }
}

#[test]
fn a_mention_is_the_word_of_its_finding_and_the_report_tells_what_there_is() {
    let (mut words, mut lengths) = (HashSet::new(), Vec::new());
    for study in studies(1500) {
        let of = normalised(&study.report);
        assert_eq!(study.mentions.len(), study.findings.len());
        for mention in &study.mentions {
            let finding = study.findings.iter().find(|f| f.kind.id() == mention.phrase).unwrap();
            assert_eq!((&of[mention.word], mention.bounds), (&mention.phrase, finding.bounds));
            let [x0, y0, x1, y1] = mention.bounds;
            assert!(0.0 <= x0 && x0 < x1 && x1 <= 1.0 && 0.0 <= y0 && y0 < y1 && y1 <= 1.0);
            if let Some(side) = finding.side {
                // The patient's right is at the left.
                assert_eq!((x0 + x1) / 2.0 < 0.5, side == Side::Right);
            }
        }
        let sentences: Vec<&str> = study.report.split_terminator('.').map(str::trim).collect();
        assert!(sentences.iter().all(|sentence| sentence.starts_with(char::is_uppercase)), "{}", study.report);
        for finding in &study.findings {
            let sentence = sentences.iter().find(|s| {
                let low = s.to_lowercase();
                low.contains(finding.kind.id()) && low.contains(finding.severity.word())
            });
            let sentence = sentence.unwrap_or_else(|| panic!("{finding:?} in {}", study.report)).to_lowercase();
            assert!(finding.side.is_none_or(|side| sentence.contains(side.word())), "{sentence}");
            assert!(finding.zone.is_none_or(|zone| sentence.contains(zone.word())), "{sentence}");
        }
        lengths.push(of.len());
        words.extend(of);
    }
    let (least, most) = (lengths.iter().min().unwrap(), lengths.iter().max().unwrap());
    assert!((*least, *most) >= (9, 20) && *most <= 35, "{least} to {most} words");
    assert!((40..=60).contains(&words.len()), "{} different words", words.len());
}

#[test]
fn every_finding_is_seen_in_its_box_and_hardly_beyond_it() {
    for kind in Kind::ALL {
        for severity in kind.severities() {
            for side in Side::ALL {
                let mut figure = study(1, 0, 8).figure;
                figure.findings.clear();
                let without = draw(&figure, 64);
                let x = if side == Side::Right { 0.31 } else { 0.69 };
                figure.findings.push(Placed { kind, severity: *severity, centre: [x, 0.48] });
                let with = draw(&figure, 64);
                let [x0, y0, x1, y1] = figure.told()[0].bounds.map(|edge| edge * 64.0);
                let (mut inside, mut outside) = (0.0_f32, 0.0_f32);
                for (i, (a, b)) in with.iter().zip(&without).enumerate() {
                    let (x, y) = ((i % 64) as f32 + 0.5, (i / 64) as f32 + 0.5);
                    // Edges are soft.
                    let there = (x0 - 1.5..x1 + 1.5).contains(&x) && (y0 - 1.5..y1 + 1.5).contains(&y);
                    let change = if there { &mut inside } else { &mut outside };
                    *change += (a - b).abs();
                }
                assert!(inside > 2.0, "{severity:?} {kind:?} changes {inside}");
                assert!(outside < 0.15 * inside, "{severity:?} {kind:?}: {outside} beside {inside}");
            }
        }
    }
}

#[test]
fn an_edited_finding_leaves_all_else_as_it_is() {
    let mut figure = study(4, 0, 8).figure;
    figure.findings = vec![
        Placed { kind: Kind::Opacity, severity: Severity::Small, centre: [0.3, 0.3] },
        Placed { kind: Kind::Effusion, severity: Severity::Large, centre: [0.7, 0.5] },
    ];
    let (before, picture) = (report_of(&figure).0, draw(&figure, 64));
    figure.findings[0].centre[1] = 0.64;
    assert_eq!(report_of(&figure).0, before.replace("upper", "lower"));
    let moved = draw(&figure, 64);
    let same = moved.iter().zip(&picture).enumerate().filter(|(i, _)| i % 64 >= 32).all(|(_, (a, b))| a == b);
    assert!(same, "the other half of the picture changed");
    let add = |kind, x| figure.has_room_for(&Placed { kind, severity: Severity::Small, centre: [x, 0.5] });
    assert!(!add(Kind::Nodule, 0.3) && !add(Kind::Nodule, 0.7) && add(Kind::Cardiomegaly, 0.3));
}

/// Share of pairs whose relation a count of words guesses, learned from other pairs (naive Bayes over the words of `text`).
fn guessed(text: impl Fn(&(String, String, Label)) -> String) -> f64 {
    let pairs: Vec<(String, String, Label)> = (0..9000).map(|number| nli_pair(11, number)).collect();
    let place = |label: Label| Label::ALL.iter().position(|of| *of == label).unwrap();
    let mut counts: HashMap<String, [f64; 3]> = HashMap::new();
    for pair in &pairs[..6000] {
        for word in normalised(&text(pair)) {
            counts.entry(word).or_insert([1.0; 3])[place(pair.2)] += 1.0;
        }
    }
    let right = pairs[6000..].iter().filter(|pair| {
        let mut scores = [0.0; 3];
        for word in normalised(&text(pair)) {
            let of = counts.get(&word).copied().unwrap_or([1.0; 3]);
            scores.iter_mut().zip(of).for_each(|(score, count)| *score += (count / of.iter().sum::<f64>()).ln());
        }
        let best = (0..3).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
        best == place(pair.2)
    });
    right.count() as f64 / 3000.0
}

#[test]
fn the_relation_of_a_pair_is_not_given_away_by_its_second_statement() {
    // 33.3 % by chance; measured 33.2 %, and 35.6 % with the words of both statements. A standard error is 0.9 %.
    let alone = guessed(|(_, hypothesis, _)| hypothesis.clone());

    assert!((alone - 1.0 / 3.0).abs() < 0.03, "{alone}");
    for label in Label::ALL {
        assert_eq!((0..300).filter(|number| nli_pair(2, *number).2 == label).count(), 100);
    }
}

#[test]
fn a_relation_holds_by_the_words_of_both_statements() {
    for number in 0..3000 {
        let (premise, hypothesis, label) = nli_pair(5, number);
        let kind = Kind::ALL.into_iter().find(|kind| hypothesis.to_lowercase().contains(kind.id())).unwrap();
        let sentence = premise.split_terminator('.').map(str::to_lowercase).find(|s| s.contains(kind.id()));
        assert_eq!(sentence.is_none(), label == Label::Neutral, "{premise} / {hypothesis}");
        let Some(sentence) = sentence else { continue };
        let no = |text: &str| text.split_whitespace().any(|word| word == "no");
        let hypothesis = hypothesis.trim_end_matches('.').to_lowercase();
        let details = |text: &str| -> HashSet<String> {
            let telling =
                ["mild", "small", "round", "moderate", "large", "severe", "left", "right", "upper", "middle", "lower"];
            text.split_whitespace().filter(|word| telling.contains(word)).map(str::to_owned).collect()
        };
        let implied = no(&sentence) == no(&hypothesis) && details(&hypothesis).is_subset(&details(&sentence));
        assert_eq!(implied, label == Label::Entailment, "{sentence} / {hypothesis}");
        assert_ne!(sentence.trim(), hypothesis);
    }
}
