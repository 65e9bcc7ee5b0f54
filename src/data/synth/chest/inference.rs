//! Pairs of statements and whether the first implies the second, from what is found in generated studies.
//!
//! The second statement is drawn before the answer and knows nothing of it; the first is then made to fit both. So the answer cannot
//! be told from the second statement alone, which in collected sets it often can.

use super::words::{name, negative, positive, written};
use super::{Finding, Kind, Placed, Severity, Side, Zone, placed};
use crate::compute::rng::HostRng;
use crate::compute::streams;
use crate::data::reports::nli::Label;

/// Streams of studies that are free for pairs, from this one on.
const FROM: u64 = 1 << 39;
/// Share of hypotheses that say that something is there.
const POSITIVE: f64 = 0.6;

/// A pair of one statement each on the same unknown study: premise (three sentences on three kinds of finding), hypothesis (one
/// sentence on one kind), and the relation between them. `number` is below 2³⁹; every three numbers in a row have each relation once.
///
/// Entailed is what the premise says in other words, with less detail (without its severity or zone) or with as much. A contradiction has
/// another side, severity or zone, or says there is none of what the other finds. About a neutral hypothesis's kind the premise says
/// nothing. A premise is taken to name every finding of the kinds that it speaks of.
pub fn nli_pair(seed: u64, number: u64) -> (String, String, Label) {
    let mut rng = streams::CHEST.open(seed, FROM + number);
    let label = Label::ALL[(number % 3) as usize];
    let mut kinds = Kind::ALL;
    rng.shuffle(&mut kinds);
    let [kind, second, third, fourth, _] = kinds;
    let found = finding(&mut rng, kind);
    let is_positive = rng.uniform() < POSITIVE;
    let (way, detailed) = (rng.below(3), rng.uniform() < 0.5);
    let hypothesis = match (is_positive, detailed) {
        (true, true) => positive(&found, way),
        (true, false) => briefly(&found, way),
        (false, _) => negative(kind)[way].to_owned(),
    };
    let other_way = (way + 1 + rng.below(2)) % 3;
    let of_kind = match (label, is_positive) {
        (Label::Entailment, true) => Some(positive(&found, other_way)),
        (Label::Contradiction, true) => Some(against(&mut rng, &found, detailed, other_way)),
        (Label::Entailment, false) => Some(negative(kind)[other_way].to_owned()),
        (Label::Contradiction, false) => Some(positive(&found, other_way)),
        (Label::Neutral, _) => None,
    };
    // As many sentences whatever the answer.
    let others = [second, third, fourth].map(|kind| statement(&mut rng, kind));
    let mut premise: Vec<String> = of_kind.into_iter().chain(others).take(3).collect();
    rng.shuffle(&mut premise);
    (written(premise.iter().map(String::as_str)), written([hypothesis.as_str()].into_iter()), label)
}

fn finding(rng: &mut HostRng, kind: Kind) -> Finding {
    let side = Side::ALL[rng.below(2)];
    let Placed { severity, centre, .. } = placed(rng, kind, side);
    let zone = kind.has_zone().then(|| Zone::at(centre[1]));
    Finding { kind, severity, side: kind.has_side().then_some(side), zone, bounds: [0.0; 4] }
}

/// That a kind is there, or is not.
fn statement(rng: &mut HostRng, kind: Kind) -> String {
    let found = finding(rng, kind);
    let way = rng.below(3);
    if rng.uniform() < POSITIVE { positive(&found, way) } else { negative(kind)[way].to_owned() }
}

/// That a finding is there, without severity and zone.
fn briefly(finding: &Finding, way: usize) -> String {
    let name = name(finding.kind);
    match (finding.side.map(Side::word), way) {
        (None, 0) => format!("there is {name}"),
        (None, 1) => format!("{name} is noted"),
        (None, _) => format!("{name} is seen"),
        (Some(side), 0) => format!("there is a {side} {name}"),
        (Some(side), 1) => format!("{side} {name} is noted"),
        (Some(side), _) => format!("a {name} is seen on the {side} side"),
    }
}

/// A statement that cannot hold together with one on this finding; `detailed`: that one tells severity and zone.
fn against(rng: &mut HostRng, finding: &Finding, detailed: bool, way: usize) -> String {
    let mut changed = vec![None];
    if let Some(side) = finding.side {
        changed.push(Some(Finding { side: Some(side.other()), ..*finding }));
    }
    if detailed {
        // A round nodule may be small.
        let mut others =
            finding.kind.severities().iter().filter(|&&of| of != finding.severity && of != Severity::Round);
        if let Some(&severity) = others.next_back().filter(|_| finding.kind != Kind::Nodule) {
            changed.push(Some(Finding { severity, ..*finding }));
        }
        if let Some(zone) = finding.zone {
            let zone = if zone == Zone::Upper { Zone::Lower } else { Zone::Upper };
            changed.push(Some(Finding { zone: Some(zone), ..*finding }));
        }
    }
    match &changed[rng.below(changed.len())] {
        Some(other) => positive(other, way),
        None => negative(finding.kind)[way].to_owned(),
    }
}
